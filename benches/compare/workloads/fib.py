"""Recursion that only calls, the worst case for a profiler.

    fib.py [N]

Prints the seconds that it took.
"""

import sys
import time


def fib(n: int) -> int:
    return n if n < 2 else fib(n - 1) + fib(n - 2)


start = time.perf_counter()
fib(int(sys.argv[1]) if len(sys.argv) > 1 else 32)
print(f"{time.perf_counter() - start:.4f}")
