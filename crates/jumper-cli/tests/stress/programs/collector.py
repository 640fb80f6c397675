"""The cyclic garbage collector at work all the time: weak references, finalizers, resurrection."""

import gc
import threading
import weakref

from theme import repeat

gc.set_threshold(50, 2, 2)


class Node:
    finalized = 0

    def __init__(self):
        self.ring = self

    def __del__(self):
        type(self).finalized += 1


def make(count, gone):
    for _ in range(count):
        one, other = Node(), Node()
        one.ring, other.ring = other, one
        weakref.finalize(one, gone.append, 1)


def round_():
    gc.collect()
    Node.finalized = 0
    gone = []
    threads = [threading.Thread(target=make, args=(300, gone)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    gc.collect()
    return Node.finalized, len(gone)


repeat(round_)
