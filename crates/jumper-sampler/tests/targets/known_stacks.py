"""A program whose stacks are known. Line numbers are found by the markers in the comments.

Prints `ready` when every thread is where it stays, then waits to be killed.
"""
import sys
import threading
import time

ready = threading.Barrier(4)


class Worker:
    def run(self):
        self.pull()  # line:Worker.run

    def pull(self):
        for _ in self.numbers():  # line:Worker.pull
            pass

    def numbers(self):
        yield 1
        ready.wait()
        while True:
            time.sleep(3600)  # line:Worker.numbers


def down(levels):
    if levels > 1:
        down(levels - 1)  # line:down
    else:
        ready.wait()
        while True:
            time.sleep(3600)  # line:down.bottom


def handle(
    value,
):
    return (
        [
            nap(value)  # line:nap.call
            for value in [value]
        ],
        0,
    )


def nap(value):
    ready.wait()
    time.sleep(
        3600
    )


sys.setrecursionlimit(10_000)
# Deep recursion needs a deep C stack up to 3.10.
threading.stack_size(256 << 20)
threading.Thread(target=Worker().run, name="worker-\u00fc\u4e2d\U0001f40d", daemon=True).start()
threading.Thread(target=down, args=(3000,), name="deep", daemon=True).start()
threading.Thread(target=lambda: handle(1), name="handler", daemon=True).start()
ready.wait()
time.sleep(0.2)
print("ready", flush=True)
time.sleep(3600)
