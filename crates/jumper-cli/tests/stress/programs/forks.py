"""fork from the main thread and from others, with threads that run meanwhile; no warning is due.

From 3.12 CPython warns of a fork while there are several threads, and tells the threads by
the kernel's count. Warnings are errors here.
"""

import os
import threading
import warnings

from theme import repeat

warnings.simplefilter("error")


def forked(work):
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(reader)
            os.write(writer, str(work()).encode())
            status = 0
        finally:
            os._exit(status)
    os.close(writer)
    with open(reader, "rb") as pipe:
        text = pipe.read()
    return text, os.waitpid(child, 0)[1]


def sums():
    return sum(number * number for number in range(20_000))


def in_a_thread():
    results = []
    thread = threading.Thread(target=lambda: results.append(sums()))
    thread.start()
    thread.join()
    return results


def from_a_thread():
    results = []

    def fork():
        with warnings.catch_warnings():
            # Here there are two.
            warnings.simplefilter("ignore")
            results.append(forked(sums))

    thread = threading.Thread(target=fork)
    thread.start()
    thread.join()
    return results


def round_():
    deep = forked(lambda: forked(sums))
    return forked(sums), forked(in_a_thread), deep, from_a_thread()


repeat(round_)
