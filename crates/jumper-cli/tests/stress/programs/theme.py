"""What all programs of the stress suite share.

Each program does the same small thing over and over for a number of seconds, its first argument,
and prints what came out. As it is the same thing it prints the same, however often it was done.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any, Callable


def seconds() -> float:
    return float(sys.argv[1])


def repeat(round_: Callable[[], Any]) -> None:
    """Does one round after the other until the time is up, and prints all distinct results."""
    end = time.monotonic() + seconds()
    results: list[Any] = []
    while True:
        result = round_()
        if result not in results:
            results.append(result)
        if time.monotonic() >= end:
            break
    print(*results, sep="\n")


def measured(**figures: float) -> None:
    """Figures for the summary: they may differ from run to run, and are not printed."""
    with open(sys.argv[2], "w") as file:
        json.dump(figures, file)
