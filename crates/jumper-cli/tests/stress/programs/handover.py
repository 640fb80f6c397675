"""ppoll with a signal that is only let in while it waits: each one sent ends one ppoll."""

import ctypes
import errno
import signal
import threading

from theme import measured, repeat

libc = ctypes.CDLL(None, use_errno=True)
NUMBERS = [signal.SIGUSR1, signal.SIGWINCH, signal.SIGRTMIN + 2]
calls = []
ends = dict.fromkeys(
    ["sent", "without a signal", *(f"lost {int(number)}" for number in NUMBERS)], 0
)


class Timespec(ctypes.Structure):
    _fields_ = [("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long)]


for number in NUMBERS:
    signal.signal(number, lambda number, _frame: calls.append(number))
signal.pthread_sigmask(signal.SIG_BLOCK, NUMBERS)
nobody = ctypes.create_string_buffer(128)
limit = Timespec(2, 0)


def wait():
    """Whether a signal ended it."""
    result = libc.ppoll(None, 0, ctypes.byref(limit), nobody)
    return result == -1 and ctypes.get_errno() == errno.EINTR


def round_():
    calls.clear()
    main = threading.main_thread().ident
    ready = threading.Semaphore(0)

    def send():
        for step in range(60):
            ready.acquire()
            sum(range(step * 7))
            signal.pthread_kill(main, NUMBERS[step % 3])

    thread = threading.Thread(target=send)
    thread.start()
    ended = []
    for step in range(60):
        ready.release()
        sum(range(step * 11 % 200))
        result = wait()
        while result and len(calls) <= step:
            # An EINTR without a signal is allowed here, as it is after any signal.
            ends["without a signal"] += 1
            result = wait()
        ended.append(result)
        ends["sent"] += 1
        ends[f"lost {int(NUMBERS[step % 3])}"] += not ended[-1]
    thread.join()
    return len(calls), [calls.count(number) for number in NUMBERS]


repeat(round_)
measured(**ends)
# One in a hundred thousand is, at 5 kHz.
lost = sum(count for name, count in ends.items() if name.startswith("lost"))
print("more than a few lost:", lost > 1 + ends["sent"] // 20_000)
