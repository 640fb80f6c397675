"""Threads that block all signals, for good or for a moment: none is ever pending there."""

import signal
import threading

from theme import measured, repeat

strays = rounds = 0
waited = set()


def some_work():
    return sum(number % 7 for number in range(3000))


def masked(times, results):
    global strays, rounds
    for _ in range(times):
        before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        total = some_work()
        strays += len(signal.sigpending())
        waited.add(signal.sigtimedwait(signal.valid_signals(), 0))
        rounds += 1
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        results.append((total, some_work(), sorted(before)))


def for_good(results):
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    for _ in range(20):
        results.append((some_work(), some_work(), []))


def round_():
    results = []
    threads = [
        threading.Thread(target=masked, args=(30, results)),
        threading.Thread(target=for_good, args=(results,)),
    ]
    for thread in threads:
        thread.start()
    masked(30, results)
    for thread in threads:
        thread.join()
    return (
        sorted({str(result) for result in results}),
        len(results),
        sorted(map(str, waited)),
        strays,
    )


repeat(round_)
measured(masked=rounds)
