"""Calls that the kernel never restarts after a signal (signal(7)), by C's own functions: no EINTR.

Each is waited in for a few hundred microseconds, after some work whose length differs, so that ticks
come at all moments around the beginning of the wait.
"""

import ctypes
import errno
import threading
import time

from theme import measured, repeat

libc = ctypes.CDLL(None, use_errno=True)


class Timespec(ctypes.Structure):
    _fields_ = [("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long)]


class Timeval(ctypes.Structure):
    _fields_ = [("seconds", ctypes.c_long), ("microseconds", ctypes.c_long)]


semaphore = ctypes.create_string_buffer(64)
libc.sem_init(semaphore, 0, 0)
epoll = libc.epoll_create1(0)
events = ctypes.create_string_buffer(64)
nap = Timespec(0, 200_000)


def until(micros):
    at = time.time_ns() + micros * 1000
    return ctypes.byref(Timespec(at // 10**9, at % 10**9))


CALLS = {
    "poll": lambda: libc.poll(None, 0, 1),
    "ppoll": lambda: libc.ppoll(None, 0, ctypes.byref(nap), None),
    "select": lambda: libc.select(0, None, None, None, ctypes.byref(Timeval(0, 200))),
    "pselect": lambda: libc.pselect(0, None, None, None, ctypes.byref(nap), None),
    "epoll_wait": lambda: libc.epoll_wait(epoll, events, 1, 1),
    "nanosleep": lambda: libc.nanosleep(ctypes.byref(nap), None),
    "clock_nanosleep": lambda: libc.clock_nanosleep(1, 0, ctypes.byref(nap), None),
    "usleep": lambda: libc.usleep(200),
    "sem_timedwait": lambda: libc.sem_timedwait(semaphore, until(200)),
}
made = dict.fromkeys(CALLS, 0)
interrupted = dict.fromkeys(CALLS, 0)


def wait_in_all(seed):
    for step in range(20):
        for number, (name, call) in enumerate(CALLS.items()):
            sum(range((seed * 37 + step * 101 + number * 13) % 300))
            ctypes.set_errno(0)
            result = call()
            made[name] += 1
            # clock_nanosleep returns the error itself.
            if result == errno.EINTR or result == -1 and ctypes.get_errno() == errno.EINTR:
                interrupted[name] += 1


def round_():
    threads = [threading.Thread(target=wait_in_all, args=(seed,)) for seed in range(2)]
    for thread in threads:
        thread.start()
    wait_in_all(2)
    for thread in threads:
        thread.join()
    return "all calls made"


repeat(round_)
measured(calls=sum(made.values()), eintr=sum(interrupted.values()), **interrupted)
