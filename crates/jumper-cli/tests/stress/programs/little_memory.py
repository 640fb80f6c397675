"""Under a limit of address space: what does not fit is a MemoryError, and the program goes on."""

import resource

from theme import repeat

# The agent itself needs about a tenth of this.
PART = 256 << 20


def round_():
    size = resource.getrlimit(resource.RLIMIT_AS)[0]
    try:
        bytearray(size)
        got = "all of it"
    except MemoryError:
        got = "MemoryError"
    return len(bytearray(size - PART)), got, sum(range(100_000))


repeat(round_)
