"""Real work below 3,000 frames of recursion.

    deep.py [LOOPS]

Prints the seconds that the work took, without the way down and up.
"""

import sys
import time

DEPTH = 3000


def work(loops: int) -> float:
    start = time.perf_counter()
    x = 0
    for _ in range(loops):
        for i in range(1000):
            x += i * i
    return time.perf_counter() - start


def down(depth: int, loops: int) -> float:
    return down(depth - 1, loops) if depth else work(loops)


sys.setrecursionlimit(DEPTH + 1000)
print(f"{down(DEPTH, int(sys.argv[1]) if len(sys.argv) > 1 else 20000):.4f}")
