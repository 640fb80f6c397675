"""A signal to the process wakes the main thread, which waits, and no other thread, which computes.

The Python handler runs in the main thread only. If another thread took the signal, the main thread
would go on waiting, and Ctrl-C do nothing. How often that was so is a figure of the summary: neither
way of
holding threads avoids it altogether.
"""

import hashlib
import signal
import threading
import time

from theme import measured, repeat

sent = late = 0


class Woken(Exception):
    pass


def wake(_number, _frame):
    raise Woken


signal.signal(signal.SIGALRM, wake)


def work(stop):
    while not stop.is_set():
        hashlib.pbkdf2_hmac("sha256", b"password", b"salt", 1000)


def round_():
    global sent, late
    stop = threading.Event()
    workers = [threading.Thread(target=work, args=(stop,)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for _ in range(50):
        start = time.monotonic()
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.005)
            # Not for ever: should it be late, the next round is to come.
            time.sleep(0.5)
        except Woken:
            pass
        sent += 1
        late += time.monotonic() - start > 0.45
    stop.set()
    for worker in workers:
        worker.join()
    return "woken"


repeat(round_)
measured(sent=sent, late=late)
