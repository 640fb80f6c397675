"""Compares our performance tags and averages with those of JUmPER's own analyzer, on tables that nobody measured.

    python compare_tags.py TAGS [--tables N] [--seed N]

TAGS is the example `performance_tags` of jumper-session. Tags must be the same in the same order, and scores, averages and
extremes the same to the last digits that a mean has. Where they differ on purpose (a threshold that nothing is below, of
something that is not known) JUmPER counts what is not known as nothing, and we do not give the tag; such tables are not made.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
from typing import Any

import pandas as pd
from jumper_extension.adapters.analyzer import PerformanceAnalyzer

# Of each column the values that are at a threshold or beside one, and a limit of what may be measured. Sums of those at
# one are exact: pandas rounds other means of equal numbers away from that number, and so past a threshold.
COLUMNS = {
    "cpu_util_avg": ([70.0, 69.875, 70.125, 0.0, 100.0], 120.0),
    "memory": ([6.0, 5.875, 6.5, 8.0], 9.0),
    "gpu_util_avg": ([80.0, 5.0, 4.9, 5.1, 0.0], 100.0),
    "gpu_mem_avg": ([0.1, 0.11, 0.09, 6.0], 9.0),
}
MEMORY_LIMITS = [8.0, 8.0, 8.0, 0.5, 64.0, 0.0]
GPU_LIMITS = [None, 8.0, 8.0, 16.0, 0.0]


def values(chance: random.Random, name: str, rows: int) -> list[float | None]:
    """A column: all kinds of values or always the same, perhaps with gaps."""
    near, largest = COLUMNS[name]
    gaps = chance.choice([0.0, 0.0, 0.3, 1.0])
    constant = chance.choice([None, *near])
    column: list[float | None] = []
    for _ in range(rows):
        value = constant
        if value is None:
            value = chance.choice([*near, chance.uniform(0, largest)])
        column.append(None if chance.random() < gaps else value)
    return column


def invented(chance: random.Random) -> dict[str, Any]:
    """A table: some of the columns, of any length."""
    rows = chance.choice([1, 1, 2, 3, 10, 50])
    names = [name for name in COLUMNS if chance.random() < 0.8] or ["memory"]
    columns = {name: values(chance, name, rows) for name in names}
    thresholds = {}
    for name, default in PerformanceAnalyzer.DEFAULT_THRESHOLDS.items():
        if chance.random() < 0.2:
            thresholds[name] = chance.choice([default / 2, 0.25, 0.75, 0.75, 1.0])
    return {
        "columns": columns,
        "memory_limit": chance.choice(MEMORY_LIMITS),
        "gpu_memory_limit": chance.choice(GPU_LIMITS),
        "thresholds": thresholds,
    }


def expected(table: dict[str, Any]) -> dict[str, Any]:
    """What JUmPER says."""
    frame = pd.DataFrame(table["columns"], dtype=float)
    analyzer = PerformanceAnalyzer(thresholds=table["thresholds"])
    tags = analyzer.analyze_cell_performance(
        frame, table["memory_limit"], table["gpu_memory_limit"]
    )
    known = frame.dropna(axis="columns", how="all")
    return {
        "tags": [{"tag": str(score.tag), "score": float(score.score)} for score in tags],
        "statistics": {
            name: [known[name].min(), known[name].mean(), known[name].max()] for name in known
        },
    }


def is_same(ours: dict[str, Any], theirs: dict[str, Any]) -> bool:
    """Whether everything is the same but for the rounding of sums."""

    def is_close(one: float, other: float) -> bool:
        return abs(one - other) <= 1e-12 * max(1.0, abs(one))

    names = [[tag["tag"] for tag in found["tags"]] for found in (ours, theirs)]
    scores = zip(ours["tags"], theirs["tags"])
    if names[0] != names[1] or ours["statistics"].keys() != theirs["statistics"].keys():
        return False
    return all(is_close(one["score"], other["score"]) for one, other in scores) and all(
        is_close(one, other)
        for name, figures in ours["statistics"].items()
        for one, other in zip(figures, theirs["statistics"][name])
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tags", metavar="TAGS")
    parser.add_argument("--tables", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    tables = [invented(chance) for _ in range(options.tables)]
    lines = "".join(json.dumps(table) + "\n" for table in tables)
    done = subprocess.run([options.tags], input=lines, capture_output=True, text=True, check=True)
    answers = done.stdout.splitlines()
    if len(answers) != len(tables):
        sys.exit(f"{len(tables)} tables and {len(answers)} answers")
    seen: dict[str, int] = {}
    wrong = 0
    for table, line in zip(tables, answers):
        ours, theirs = json.loads(line), expected(table)
        for tag in theirs["tags"]:
            seen[tag["tag"]] = seen.get(tag["tag"], 0) + 1
        if not is_same(ours, theirs):
            wrong += 1
            if wrong <= 3:
                print(f"{json.dumps(table)}\n  ours   {ours}\n  JUmPER {theirs}", file=sys.stderr)
    print(f"{len(tables)} tables, {wrong} judged differently; tags given: {seen}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
