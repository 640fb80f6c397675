"""What is measured, and the limit that each figure of Jumper is held to.

A `Series` is a workload at a rate, run once per profiler and round. A `Block` is a table of the
report; each of its columns shows one quantity of one series.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .tools import AGENT, NO_HOLD, PTRACE

WORKLOADS = Path(__file__).with_name("workloads")

SLOWDOWN, LOST, ERROR, RATE, COST = "slowdown", "lost", "error", "rate", "cost"


@dataclass(frozen=True)
class Series:
    """A program and how often its stacks are looked at.

    `{seconds}`, `{seed}` and `{truth}` in the arguments are filled in for each run. Slowdown needs
    plain runs in between, and truth.py is scored.
    """

    script: str
    arguments: tuple[str, ...]
    interval: float
    plain_runs: bool = True
    scored: bool = False
    only: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.script} at {1 / self.interval:,.0f} Hz"


@dataclass(frozen=True)
class Column:
    """One quantity of one series. Limits are upper bounds, of rates lower ones."""

    title: str
    series: Series
    quantity: str
    limits: Mapping[str, float] = field(default_factory=dict)
    # No run may exceed the limit, instead of the median.
    every_run: bool = False


@dataclass(frozen=True)
class Block:
    """A table. With `best`, the limit is for the column in which a profiler does best."""

    title: str
    columns: tuple[Column, ...]
    best: bool = False


def fib(interval: float) -> Series:
    return Series("fib.py", ("35",), interval)


def mixed(interval: float) -> Series:
    return Series("mixed.py", (), interval)


def fastest(interval: float) -> Series:
    return Series("fib.py", ("36",), interval, plain_runs=False, only=(AGENT, PTRACE, NO_HOLD))


SLOWER_1K = {AGENT: 1.02, PTRACE: 1.08, NO_HOLD: 1.01}
SLOWER_10K = {AGENT: 1.15}
LOST_1K = {AGENT: 0.001, PTRACE: 0.001, NO_HOLD: 0.01}
ERROR_1K = {AGENT: 0.4, PTRACE: 0.5, NO_HOLD: 1.0}
HIGHEST_RATE = {AGENT: 50_000.0}
SAMPLE_COST_US = 10.0

TRUTH = Series("truth.py", ("{seconds}", "{seed}", "{truth}"), 0.001, plain_runs=False, scored=True)
DEEP = Series("deep.py", (), 0.001)

BLOCKS = (
    Block(
        "Slowdown at 1 kHz, times",
        (
            Column("fib.py", fib(0.001), SLOWDOWN, SLOWER_1K),
            Column("mixed.py", mixed(0.001), SLOWDOWN, SLOWER_1K),
        ),
    ),
    Block(
        "Slowdown at 10 kHz, times",
        (
            Column("fib.py", fib(0.0001), SLOWDOWN, SLOWER_10K),
            Column("mixed.py", mixed(0.0001), SLOWDOWN, SLOWER_10K),
        ),
    ),
    Block(
        "Lost samples at 1 kHz, %",
        (
            Column("fib.py", fib(0.001), LOST, LOST_1K),
            Column("mixed.py", mixed(0.001), LOST, LOST_1K),
        ),
    ),
    Block(
        "Largest error at 1 kHz, percentage points",
        (Column("truth.py", TRUTH, ERROR, ERROR_1K),),
    ),
    Block(
        "3,000 calls deep at 1 kHz",
        (
            Column("deep.py, slowdown", DEEP, SLOWDOWN, {AGENT: 1.1}),
            Column("deep.py, lost %", DEEP, LOST, {AGENT: 0.0}, every_run=True),
        ),
    ),
    Block(
        "Highest rate of one busy thread, valid samples a second",
        (
            Column("fib.py, -i 0.00002", fastest(0.00002), RATE, HIGHEST_RATE),
            Column("fib.py, -i 0.00001", fastest(0.00001), RATE, HIGHEST_RATE),
        ),
        best=True,
    ),
)

# Measured by a program of its own (`measure.sample_cost`), not by a series.
COST_TITLE = "Cost of one sample in the sampler's thread, us"
COST_COLUMN = "20 calls deep"
