"""The tables, as text of 100 columns, as Markdown and as JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from . import machine
from .contract import LOST, RATE, SLOWDOWN
from .stats import Estimate

WIDTH = 100
# Two columns of figures beside the longest name take all of it.
TOOL_WIDTH, VALUE_WIDTH, VERDICT_WIDTH = 31, 21, 12


@dataclass(frozen=True)
class Cell:
    """One figure: of a profiler, in a column of a block."""

    block: str
    column: str
    tool: str
    quantity: str
    estimate: Estimate | None = None
    limit: float | None = None
    every_run: bool = False
    # Shown instead of a figure that there is not.
    instead: str = "-"
    # Some run gave no figure, so that the others prove nothing.
    failed: bool = False

    @property
    def met(self) -> bool | None:
        """Whether the interval of the median reaches the limit; None where there is nothing to say."""
        if self.limit is None or self.estimate is None or self.failed:
            return None
        if self.every_run:
            return max(self.estimate.values) <= self.limit
        if self.quantity == RATE:
            return self.estimate.high >= self.limit
        return self.estimate.low <= self.limit

    @property
    def value(self) -> str:
        found = self.estimate
        if found is None:
            return self.instead
        median, low, high = (
            number(self.quantity, x) for x in (found.median, found.low, found.high)
        )
        return f"{median} [{low}, {high}]"

    @property
    def verdict(self) -> str:
        if self.limit is None:
            return "failed" if self.failed and self.estimate else ""
        word = {True: "met", False: "not met", None: "failed" if self.failed else "?"}[self.met]
        return f"{limit_text(self.quantity, self.limit)} {word}"


def number(quantity: str, value: float) -> str:
    if quantity == SLOWDOWN:
        return f"{value:.3f}" if value < 10 else f"{value:.1f}"
    if quantity == LOST:
        percent = 100 * value
        return f"{percent:.{2 if percent < 10 else 1}f}" if value else "0"
    if quantity == RATE:
        return f"{value / 1000:.1f}k"
    return f"{value:.2f}"


def limit_text(quantity: str, value: float) -> str:
    if quantity == LOST:
        return f"{100 * value:g}"
    return f"{value / 1000:g}k" if quantity == RATE else f"{value:g}"


def filled(paragraph: str) -> str:
    return textwrap.fill(paragraph, WIDTH, subsequent_indent="  ")


def limit_best_only(cells: Sequence[Cell]) -> list[Cell]:
    """Leaves the limit on the best figure of each profiler, where one of several is enough."""
    kept = []
    for cell in cells:
        rivals = [c for c in cells if c.tool == cell.tool and c.estimate is not None]
        best = max(rivals, key=lambda c: c.estimate.median if c.estimate else 0.0, default=None)
        if best is None:
            best = next(c for c in cells if c.tool == cell.tool)
        kept.append(cell if cell is best else replace(cell, limit=None))
    return kept


@dataclass
class Report:
    """All that a run found out."""

    jumper: str
    pythons: list[str]
    pairs: int
    truth_runs: int
    truth_seconds: float
    seed: int
    load_before: str
    load_after: str = ""
    load: machine.Load = field(default_factory=lambda: machine.Load(0.0, 0.0))
    # Median and spread of the plain runs, by series and interpreter.
    plain: dict[str, tuple[float, float]] = field(default_factory=dict)
    cells: list[Cell] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def disturbances(self) -> list[str]:
        return machine.disturbances(self.load, {k: v[1] for k, v in self.plain.items()})

    def how_many(self) -> str:
        truth = f"truth.py {self.truth_runs} times {self.truth_seconds:g} s"
        return f"{self.pairs} interleaved pairs, {truth}; seed {self.seed}"

    def facts(self) -> list[tuple[str, str]]:
        return [
            ("Jumper", self.jumper),
            ("Python", "; ".join(self.pythons)),
            ("Machine", f"{machine.cpus()} CPUs, {machine.kernel()}"),
            ("Load", f"average {self.load_before} before, {self.load_after} after"),
            (
                "Others",
                f"used {self.load.others:.2f} CPUs meanwhile, {self.load.steal:.2f} were stolen",
            ),
            ("Runs", self.how_many()),
        ]

    def disturbed(self) -> str:
        if not self.disturbances:
            return ""
        return filled(
            f"DISTURBED, so do not trust single per cents: {'; '.join(self.disturbances)}."
        )

    def how_sure(self) -> str:
        found = [cell.estimate.coverage for cell in self.cells if cell.estimate]
        worth = ", ".join(f"{100 * value:.1f} %" for value in sorted(set(found), reverse=True))
        return filled(
            f"Median [bounds of its confidence interval, {worth or 'none'}]. A limit is met when the "
            "interval reaches it, and for lost samples at depth when no run lost one."
        )

    def summary(self) -> str:
        limited = [cell for cell in self.cells if cell.limit is not None]
        met, not_met, unknown = (
            sum(cell.met is outcome for cell in limited) for outcome in (True, False, None)
        )
        return f"Limits: {met} met, {not_met} not met, {unknown} not measured or failed."

    def as_json(self) -> dict[str, Any]:
        return {
            **dict(self.facts()),
            "seed": self.seed,
            "disturbances": self.disturbances,
            "plain": {k: {"median_s": m, "spread": s} for k, (m, s) in self.plain.items()},
            "cells": [
                {**asdict(cell), "met": cell.met, "limit_is_lower_bound": cell.quantity == RATE}
                for cell in self.cells
            ],
            "notes": self.notes,
        }


def grouped(cells: Iterable[Cell]) -> dict[str, dict[str, dict[str, Cell]]]:
    """By block, tool and column."""
    blocks: dict[str, dict[str, dict[str, Cell]]] = {}
    for cell in cells:
        blocks.setdefault(cell.block, {}).setdefault(cell.tool, {})[cell.column] = cell
    return blocks


def columns_of(rows: dict[str, dict[str, Cell]]) -> list[str]:
    return list(dict.fromkeys(column for row in rows.values() for column in row))


def text(report: Report) -> str:
    lines = [f"{name:<10}{value}" for name, value in report.facts()]
    for name, (median, spread) in report.plain.items():
        lines.append(f"{'Plain':<10}{name}: {median:.3f} s, spread {100 * spread:.1f} %")
    if report.disturbed():
        lines += ["", report.disturbed()]
    lines += ["", report.how_sure()]
    for title, rows in grouped(report.cells).items():
        columns = columns_of(rows)
        width = VALUE_WIDTH + VERDICT_WIDTH + 2
        lines += ["", title]
        lines.append((" " * TOOL_WIDTH + "".join(f"{c:<{width}}" for c in columns)).rstrip())
        for tool, row in rows.items():
            line = f" {tool:<{TOOL_WIDTH - 1}}"
            for column in columns:
                cell = row.get(column)
                shown = (cell.value, cell.verdict) if cell else ("", "")
                line += f"{shown[0]:<{VALUE_WIDTH}} {shown[1]:<{VERDICT_WIDTH}} "
            lines.append(line.rstrip())
    lines += ["", report.summary(), *(filled(f"Note: {note}") for note in report.notes)]
    return "\n".join(lines)


def markdown(report: Report) -> str:
    lines = ["| | |", "| --- | --- |"]
    lines += [f"| {name} | {value} |" for name, value in report.facts()]
    for name, (median, spread) in report.plain.items():
        lines.append(f"| Plain | {name}: {median:.3f} s, spread {100 * spread:.1f} % |")
    if report.disturbed():
        lines += ["", report.disturbed()]
    lines += ["", report.how_sure()]
    for title, rows in grouped(report.cells).items():
        columns = columns_of(rows)
        heads = [head for column in columns for head in (column, "limit")]
        lines += ["", f"**{title}**", "", f"| | {' | '.join(heads)} |"]
        lines.append("| --- |" + " --- |" * len(heads))
        for tool, row in rows.items():
            line = f"| {tool} |"
            for column in columns:
                cell = row.get(column)
                shown = (cell.value, cell.verdict) if cell else ("", "")
                line += f" {shown[0]} | {shown[1]} |"
            lines.append(line)
    lines += ["", report.summary(), *(f"\nNote: {note}" for note in report.notes)]
    return "\n".join(lines)
