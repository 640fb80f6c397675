"""The interpreter ends while threads still run, some of them for ever. One shutdown per run."""

import atexit
import sys
import threading
import time


def spin():
    while True:
        sum(range(200))


def nap():
    while True:
        time.sleep(0.0003)


class Last:
    def __del__(self):
        print("last", sum(range(1000)), flush=True)


def late():
    time.sleep(0.02)
    print("late", flush=True)


last = Last()
for target in (spin, spin, nap, nap):
    threading.Thread(target=target, daemon=True).start()
threading.Thread(target=late).start()
atexit.register(lambda: print("exit", flush=True))
time.sleep(0.03)
sys.exit(5)
