"""Five kinds of work in random slices of 0.5 to 6 ms, and the true wall time of each.

    truth.py SECONDS SEED OUT.json

`score.py` compares a profile of it with what it wrote.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Iterator
from typing import Callable

clock = time.perf_counter
truth: dict[str, float] = {}


def spend(name: str, function: Callable[[float], None], budget: float) -> None:
    start = clock()
    function(start + budget)
    truth[name] = truth.get(name, 0.0) + clock() - start


def tiny(n: int) -> int:
    return n if n < 2 else tiny(n - 1) + tiny(n - 2)


def work_calls(end: float) -> None:
    while clock() < end:
        tiny(8)


def work_loop(end: float) -> None:
    x = 0
    while clock() < end:
        for i in range(400):
            x += i * i


def work_c(end: float) -> None:
    data = list(range(3000, 0, -1))
    while clock() < end:
        sorted(data, key=str)


def work_sleep(end: float) -> None:
    while clock() < end:
        time.sleep(0.0003)


def numbers(n: int) -> Iterator[int]:
    for i in range(n):  # noqa: UP028  # this frame is to run for each number
        yield i


def work_gen(end: float) -> None:
    while clock() < end:
        sum(numbers(200))


WORK: dict[str, tuple[float, Callable[[float], None]]] = {
    "work_calls": (0.30, work_calls),
    "work_loop": (0.25, work_loop),
    "work_c": (0.20, work_c),
    "work_sleep": (0.15, work_sleep),
    "work_gen": (0.10, work_gen),
}


def main(total: float, seed: int) -> None:
    rnd = random.Random(seed)
    left = {name: share * total for name, (share, _) in WORK.items()}
    while left:
        name = rnd.choice(list(left))
        budget = min(left[name], rnd.uniform(0.0005, 0.006))
        spend(name, WORK[name][1], budget)
        left[name] -= budget
        if left[name] <= 1e-5:
            del left[name]


if __name__ == "__main__":
    main(float(sys.argv[1]), int(sys.argv[2]))
    with open(sys.argv[3], "w", encoding="utf-8") as out:
        json.dump(truth, out)
