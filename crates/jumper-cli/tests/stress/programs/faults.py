"""faulthandler: an alternate signal stack for the main thread, dumps on a signal and on a timer.

The timer finds no thread in Python code: CPython itself crashes now and then where it does.
"""

import faulthandler
import os
import signal
import tempfile
import threading
import time

from theme import repeat

faulthandler.enable()


def inner(file):
    os.kill(os.getpid(), signal.SIGUSR1)
    sum(range(3000))
    file.seek(0)
    return file.read()


def round_():
    with tempfile.TemporaryFile("w+") as file:
        faulthandler.register(signal.SIGUSR1, file=file, all_threads=False)
        text = inner(file)
        faulthandler.unregister(signal.SIGUSR1)
    with tempfile.TemporaryFile("w+") as file:
        faulthandler.dump_traceback_later(0.005, repeat=True, file=file)
        worker = threading.Thread(target=time.sleep, args=(0.012,))
        worker.start()
        worker.join()
        faulthandler.cancel_dump_traceback_later()
    return [line.split(" in ")[1] for line in text.splitlines() if " in " in line]


repeat(round_)
