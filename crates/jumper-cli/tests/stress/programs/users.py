"""A server that gives up its rights: another user from here on, where it may become one."""

import os
import threading

from theme import repeat

if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)


def round_():
    results = []
    thread = threading.Thread(target=lambda: results.append(sum(range(50_000))))
    thread.start()
    thread.join()
    return results, sum(number % 3 for number in range(50_000))


repeat(round_)
