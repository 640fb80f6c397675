"""Stacks of thousands of frames, in Python and through C, and the error that ends them."""

import functools
import sys
import threading

from theme import repeat

sys.setrecursionlimit(12_000)
threading.stack_size(256 << 20)


def down(depth):
    return 0 if depth == 0 else 1 + down(depth - 1)


def through_c(depth):
    if depth == 0:
        return 0
    return 1 + functools.reduce(lambda total, _: through_c(depth - 1), [0], 0) if depth else 0


def for_ever(depth=0):
    return for_ever(depth + 1) + 1


def round_():
    results = []

    def work():
        results.append(down(10_000))
        results.append(max(map(through_c, [150])))
        try:
            for_ever()
        except RecursionError:
            results.append("too deep")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return results


repeat(round_)
