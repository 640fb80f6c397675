"""A daemon that closes all descriptors that it did not open, and opens others with their numbers."""

import os

from theme import repeat

os.closerange(3, 65536)


def round_():
    first = os.open("/dev/null", os.O_RDONLY)
    others = [os.dup(first) for _ in range(50)]
    numbers = sum(len(str(other)) for other in others)
    read = os.read(others[-1], 10)
    os.closerange(3, 65536)
    total = sum(number % 11 for number in range(20_000))
    return first, others[0], others[-1], numbers, read, total


repeat(round_)
