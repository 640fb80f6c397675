"""A program that takes SIGURG for itself gets those that it was sent, and no more than a few others.

The recorder cannot see that the handler is no longer the agent's, but for requests that nobody
answers; after five it leaves the signal alone.
"""

import os
import signal

from theme import measured, repeat

calls = sent = 0


def handle(_number, _frame):
    global calls
    calls += 1


def some_work():
    return sum(number % 7 for number in range(20_000))


some_work()
signal.signal(signal.SIGURG, handle)


def round_():
    global sent
    for _ in range(10):
        some_work()
        expected = calls + 1
        os.kill(os.getpid(), signal.SIGURG)
        sent += 1
        while calls < expected:
            pass
    return "handled"


repeat(round_)
some_work()
print("few strays:", calls - sent <= 5)
measured(sent=sent, strays=calls - sent)
