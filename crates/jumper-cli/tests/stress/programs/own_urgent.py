"""A program that takes SIGURG for itself gets those that it was sent, and no other."""

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
before = signal.getsignal(signal.SIGURG), signal.signal(signal.SIGURG, handle)
print("before:", *before)


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
print("strays:", calls - sent)
measured(sent=sent, strays=calls - sent)
