"""Many threads with the smallest stack that there is. The handler must fit on what is left of it."""

import threading

from theme import repeat

threading.stack_size(32 << 10)


def down(depth):
    return 0 if depth == 0 else 1 + down(depth - 1)


def round_():
    results = []

    def work():
        for _ in range(30):
            results.append(down(10))

    threads = [threading.Thread(target=work) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(results)


repeat(round_)
