"""How far a profile of truth.py is from the truth.

    score.py TRUTH.json collapsed|pyijson PROFILE

`collapsed` is one line `frame;frame;frame WEIGHT` per stack, `pyijson` the JSON of pyinstrument.
Prints the largest error of a function's share, in percentage points, and what makes it up.
"""

from __future__ import annotations

import collections
import json
import re
import sys
from typing import Any

OTHER = "<other>"


def score_collapsed(path: str, names: set[str]) -> collections.Counter[str]:
    got: collections.Counter[str] = collections.Counter()
    patterns = {name: re.compile(rf"\b{name}\b") for name in names}
    with open(path, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            stack, _, weight = line.rstrip("\n").rpartition(" ")
            if line.startswith("#") or not stack:
                continue
            found = (n for n, p in patterns.items() if any(map(p.search, stack.split(";"))))
            got[next(found, OTHER)] += float(weight)  # type: ignore[assignment]
    return got


def score_pyijson(path: str, names: set[str]) -> collections.Counter[str]:
    got: collections.Counter[str] = collections.Counter()
    with open(path, encoding="utf-8") as file:
        root: dict[str, Any] = json.load(file)["root_frame"]
    frames = [root]
    while frames:
        frame = frames.pop()
        if frame["function"] in names:
            got[frame["function"]] += frame["time"]
        else:
            frames.extend(frame["children"])
    got[OTHER] = root["time"] - sum(got.values())
    return got


def main(truth_path: str, kind: str, profile: str) -> None:
    with open(truth_path, encoding="utf-8") as file:
        truth: dict[str, float] = json.load(file)
    names = set(truth)
    got = {"collapsed": score_collapsed, "pyijson": score_pyijson}[kind](profile, names)
    total = sum(got.values())
    if not total:
        sys.exit(f"error: there is no sample in {profile}")
    true_total = sum(truth.values())
    error = {n: 100 * (got[n] / total - truth[n] / true_total) for n in truth}
    print(f"max|err| {max(map(abs, error.values())):.3f} pp")
    print(f"unattributed {100 * got[OTHER] / total:.2f} %, weight {total:g}")
    print(", ".join(f"{name} {value:+.2f}" for name, value in error.items()))


if __name__ == "__main__":
    main(*sys.argv[1:])
