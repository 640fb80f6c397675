"""Objects, JSON, regular expressions and sorting, with the standard library alone.

    mixed.py [ROUNDS]

Prints the seconds that it took.
"""

from __future__ import annotations

import json
import re
import sys
import time
from typing import Any


class Record:
    def __init__(self, i: int) -> None:
        self.i = i
        self.name = f"n{i}"
        self.tags = [str(j) for j in range(i % 7)]

    def as_dict(self) -> dict[str, Any]:
        return {"i": self.i, "name": self.name, "tags": self.tags}


def build(n: int) -> list[Record]:
    return [Record(i) for i in range(n)]


def serialise(records: list[Record]) -> str:
    return json.dumps([record.as_dict() for record in records])


def parse(text: str) -> list[dict[str, Any]]:
    return [d for d in json.loads(text) if re.match(r"n\d*7", d["name"])]


def key(d: dict[str, Any]) -> tuple[int, str]:
    return (len(d["tags"]), d["name"])


def main(rounds: int) -> None:
    for _ in range(rounds):
        records = build(20000)
        text = serialise(records)
        parsed = parse(text)
        parsed.sort(key=key)


start = time.perf_counter()
main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
print(f"{time.perf_counter() - start:.4f}")
