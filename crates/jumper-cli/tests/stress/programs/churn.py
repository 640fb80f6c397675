"""Threads that live for less than a tick, many at a time."""

import threading

from theme import repeat


def round_():
    results = []

    def work(number):
        results.append(sum(i * i for i in range(number)))

    threads = [threading.Thread(target=work, args=(number % 50,)) for number in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(results)[-3:], len(results)


repeat(round_)
