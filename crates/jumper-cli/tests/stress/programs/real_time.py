"""A program that has handlers for all signals that one can have a handler for."""

import os
import signal

from theme import repeat

calls = {}


def handle(number, _frame):
    calls[number] = calls.get(number, 0) + 1


FATAL = {
    signal.SIGKILL,
    signal.SIGSTOP,
    signal.SIGSEGV,
    signal.SIGBUS,
    signal.SIGFPE,
    signal.SIGILL,
}
MINE = sorted(signal.valid_signals() - FATAL - {signal.SIGURG})
for number in MINE:
    signal.signal(number, handle)


def round_():
    calls.clear()
    for number in MINE:
        os.kill(os.getpid(), number)
        sum(range(500))
    return len(calls), sorted(set(calls.values())), sorted(set(MINE) - set(calls))


repeat(round_)
