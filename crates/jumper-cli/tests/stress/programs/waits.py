"""select, poll, epoll, locks, queues and sleep: none ends early, none for nothing."""

import os
import queue
import select
import threading
import time

from theme import repeat


def long_enough(wait, seconds):
    start = time.monotonic()
    result = wait()
    # The kernel's clock for timeouts is coarser than ours.
    return result, time.monotonic() - start > seconds - 0.0011


def round_():
    reader, writer = os.pipe()
    poll, epoll = select.poll(), select.epoll()
    poll.register(reader, select.POLLIN)
    epoll.register(reader, select.EPOLLIN)
    lock, items, condition = threading.Lock(), queue.Queue(), threading.Condition()
    lock.acquire()
    results = set()
    with condition:
        for number in range(30):
            sum(range(number * 40))
            results |= {
                ("select", str(long_enough(lambda: select.select([reader], [], [], 0.002), 0.002))),
                ("poll", str(long_enough(lambda: poll.poll(2), 0.002))),
                ("epoll", str(long_enough(lambda: epoll.poll(0.002), 0.002))),
                ("sleep", str(long_enough(lambda: time.sleep(0.0005), 0.0005))),
                ("lock", str(long_enough(lambda: lock.acquire(timeout=0.002), 0.002))),
                ("condition", str(long_enough(lambda: condition.wait(0.002), 0.002))),
            }
    threading.Timer(0.003, items.put, ["late"]).start()
    results.add(("queue", items.get()))
    os.write(writer, b"x")
    results.add(("ready", str(poll.poll(1000)[0][1])))
    epoll.close()
    os.close(reader)
    os.close(writer)
    return sorted(results)


repeat(round_)
