"""Blocking writes of more than fits into a pipe or socket: each writes all of its bytes, as without signals."""

import os
import socket
import threading
import time

from theme import measured, repeat

LARGE = b"x" * (1 << 19)
writes = 0


def drained(read, write, close):
    """The distinct results of some writes, while another thread reads."""
    global writes

    def reader():
        while read(1 << 16):
            time.sleep(0.00005)

    thread = threading.Thread(target=reader)
    thread.start()
    results = {write(LARGE) for _ in range(20)}
    writes += 20
    close()
    thread.join()
    return sorted(results)


def round_():
    read_end, write_end = os.pipe()
    pipe = drained(
        lambda size: os.read(read_end, size),
        lambda data: os.write(write_end, data),
        lambda: os.close(write_end),
    )
    os.close(read_end)
    one, other = socket.socketpair()
    with one, other:
        return pipe, drained(one.recv, other.send, other.close)


repeat(round_)
measured(writes=writes)
