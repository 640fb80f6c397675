"""What a session costs: its time, its memory and its size, beside pyinstrument.

`make bench-session` runs it; benches/README.md says how to read what it prints. The exit status is 1
when something could not be run, whatever the figures are.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import machine
from .stats import Estimate, estimate

REPOSITORY = Path(__file__).resolve().parents[2]
TARGET = REPOSITORY / "target"
GENERATOR = Path(__file__).with_name("workloads") / "big_session.py"

# The figures are limited for so many samples, and for so many times that.
SAMPLES, MORE = 1_000_000, 10
# What pyinstrument loads in reasonable time and memory.
FEW_SAMPLES = 100_000
NAME_WIDTH, VALUE_WIDTH = 62, 24

# Loads a session and builds the tree that its renderers begin with, and says how long that took.
PYINSTRUMENT = """
import sys, time
from pyinstrument.session import Session
begin = time.perf_counter()
root = Session.load(sys.argv[1]).root_frame()
print(time.perf_counter() - begin)
"""


class Failed(Exception):
    """A program did not do what it was run for."""


@dataclass(frozen=True)
class Run:
    """A program that has ended."""

    seconds: float
    peak_mb: float
    out: str

    def step(self, name: str) -> dict[str, float]:
        """What session_cost says about one of its steps."""
        for line in self.out.splitlines():
            said = json.loads(line)
            if said.get("step") == name:
                return {key: float(value) for key, value in said.items() if key != "step"}
        raise Failed(f"session_cost says nothing about `{name}`")


def run(*command: str | Path) -> Run:
    """Runs a program to its end, alone."""
    words = [str(word) for word in command]
    with tempfile.TemporaryFile() as out:
        begin = time.perf_counter()
        child = subprocess.Popen(words, stdout=out)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - begin
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        text = out.read().decode()
    if child.returncode:
        raise Failed(f"`{' '.join(words)}` ended with status {child.returncode}")
    return Run(seconds, usage.ru_maxrss * 1024 / 1e6, text)


@dataclass
class Figure:
    """A row of the table: one value a round. The limit is an upper bound."""

    name: str
    limit: float | None = None
    values: list[float] = field(default_factory=list)

    @property
    def estimate(self) -> Estimate:
        return estimate(self.values)

    @property
    def met(self) -> bool | None:
        """Whether the median keeps the limit."""
        return None if self.limit is None else self.estimate.median <= self.limit

    def line(self) -> str:
        shown = [
            number(value) for value in (self.estimate.median, min(self.values), max(self.values))
        ]
        verdict = {True: "met", False: "not met", None: ""}[self.met]
        limit = "" if self.limit is None else f"{number(self.limit)} {verdict}"
        value = f"{shown[0]} [{shown[1]}, {shown[2]}]"
        return f" {self.name:<{NAME_WIDTH}} {value:<{VALUE_WIDTH}} {limit}".rstrip()


def number(value: float) -> str:
    """Three digits, and no more zeros than are needed."""
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}"


def in_words(samples: int) -> str:
    if samples % 1_000_000 == 0:
        return f"{samples // 1_000_000} M samples"
    return f"{samples // 1000} k samples"


class Bench:
    """The figures of some rounds."""

    def __init__(self, options: argparse.Namespace, work: Path) -> None:
        self.options = options
        self.work = work
        self.figures: dict[str, Figure] = {}
        samples: int = options.samples
        self.is_whole = samples == SAMPLES
        self.one, self.ten = in_words(samples), in_words(samples * MORE)

    def add(self, name: str, value: float, limit: float | None = None) -> None:
        """Adds to a row. Limits are for the whole size only."""
        figure = self.figures.setdefault(name, Figure(name, limit if self.is_whole else None))
        figure.values.append(value)

    def input(self, samples: int) -> Path:
        given: Path | None = self.options.input
        if given and samples == self.options.samples:
            return given
        path = self.work / f"{samples}.pyisession"
        if not path.exists():
            progress(f"writing {path.name}")
            run(sys.executable, GENERATOR, str(samples), path)
        return path

    def round(self) -> None:
        self.formats()
        self.recorder()
        self.rival()

    def formats(self) -> None:
        source, session = self.input(self.options.samples), self.work / "converted.jumper"
        progress(f"{self.one}: convert, open, tree")
        converted = run(self.options.jumper, "convert", source, session)
        size = sum(file.stat().st_size for file in session.iterdir()) / 1e6
        self.add(f".pyisession of {self.one} to .jumper, s", converted.seconds, 15)
        self.add(f".pyisession of {self.one} to .jumper, MB at most", converted.peak_mb, 300)
        self.add(f"size of the .jumper of {self.one}, MB", size, 15)
        self.add_tree(self.one, session, 0.5, 250)
        told = run(self.options.jumper, "info", session)
        self.add(f"jumper info, {self.one}, s", told.seconds)
        self.add(f"jumper info, {self.one}, MB at most", told.peak_mb)

    def add_tree(
        self, samples: str, session: Path, seconds: float | None, peak: float | None
    ) -> float:
        tree = run(self.options.session_cost, "tree", session)
        took = tree.step("open")["wall_s"] + tree.step("tree")["wall_s"]
        self.add(f"open and build the aggregated tree, {samples}, s", took, seconds)
        cpu = tree.step("open")["cpu_s"] + tree.step("tree")["cpu_s"]
        self.add(f"open and build the aggregated tree, {samples}, s of CPU", cpu)
        self.add(f"open and build the aggregated tree, {samples}, MB at most", tree.peak_mb, peak)
        return cpu

    def recorder(self) -> None:
        times: dict[int, tuple[float, float]] = {}
        for factor, name in ((1, self.one), (MORE, self.ten)):
            progress(f"{name}: record, reopen, tree")
            samples: int = self.options.samples * factor
            session = self.work / f"recorded-{factor}.jumper"
            recorded = run(self.options.session_cost, "record", str(samples), session)
            record, finish = recorded.step("record"), recorded.step("finish")
            # What is in the journal when the last sample comes is a matter of chance.
            cpu = record["cpu_s"] + finish["cpu_s"]
            self.add(f"recorder, {name}, us of CPU a sample", 1e6 * cpu / samples, 1)
            limit = 200 if factor == MORE else None
            peak = finish["peak_mib"] * 1.048576
            self.add(f"recorder, {name}, MB at most", peak, limit)
            tree = self.add_tree(f"{name}, recorded", session, None, None)
            # CPU time, since other programs make either of two runs wait for longer than the other.
            times[factor] = (cpu, tree)
        names = ("record", "reopen and tree")
        for name, less, more in zip(names, times[1], times[MORE]):
            self.add(f"{name}: {self.ten} take so many times {self.one}", more / less, float(MORE))

    def rival(self) -> None:
        few = min(FEW_SAMPLES, self.options.samples)
        name, source = in_words(few), self.input(few)
        progress(f"{name}: pyinstrument")
        theirs = run(self.options.venv / "bin/python", "-c", PYINSTRUMENT, source)
        ours = run(self.options.session_cost, "tree", source)
        their_seconds = float(theirs.out)
        our_seconds = ours.step("open")["wall_s"] + ours.step("tree")["wall_s"]
        what = f".pyisession of {name} to a tree"
        self.add(f"pyinstrument: {what}, s", their_seconds)
        self.add(f"pyinstrument: {what}, MB at most", theirs.peak_mb)
        self.add(f"jumper: {what}, s", our_seconds)
        self.add(f"jumper: {what}, MB at most", ours.peak_mb)
        self.add("pyinstrument takes so many times as long", their_seconds / our_seconds)
        self.add("and so many times the memory", theirs.peak_mb / ours.peak_mb)


def progress(line: str) -> None:
    print(f"compare: {line}", file=sys.stderr, flush=True)


def report(figures: Sequence[Figure], load: machine.Load, rounds: int) -> str:
    disturbances = machine.disturbances(load, {})
    lines = [
        f"Machine   {machine.cpus()} CPUs, {machine.kernel()}",
        f"Others    used {load.others:.2f} CPUs meanwhile, {load.steal:.2f} were stolen",
        f"Rounds    {rounds}: median [smallest, largest]",
    ]
    if disturbances:
        lines.append(f"DISTURBED {'; '.join(disturbances)}")
    lines += ["", *(figure.line() for figure in figures)]
    limited = [figure.met for figure in figures if figure.met is not None]
    return "\n".join([*lines, "", f"Limits: {sum(limited)} of {len(limited)} met."])


def as_json(figures: Sequence[Figure]) -> list[dict[str, Any]]:
    return [{"name": f.name, "limit": f.limit, "values": f.values, "met": f.met} for f in figures]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="compare.session", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="[default: 3]")
    parser.add_argument(
        "--samples", type=int, default=SAMPLES, metavar="N", help=f"[default: {SAMPLES}]"
    )
    parser.add_argument(
        "--input", type=Path, metavar="FILE", help="a .pyisession of so many samples"
    )
    parser.add_argument("--jumper", type=Path, default=TARGET / "release/jumper", metavar="PATH")
    parser.add_argument(
        "--session-cost",
        type=Path,
        default=TARGET / "release/examples/session_cost",
        metavar="PATH",
        help="the example session_cost of jumper-benches",
    )
    parser.add_argument("--venv", type=Path, default=TARGET / "compare", metavar="DIR")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write all figures to OUT too")
    parsed = parser.parse_args()
    if parsed.rounds < 1 or parsed.samples < 1000:
        parser.error("--rounds must be at least 1, --samples at least 1000")
    return parsed


def main() -> int:
    options = arguments()
    # PYTHONPATH is for this program, not for those that are measured.
    os.environ.pop("PYTHONPATH", None)
    with tempfile.TemporaryDirectory(prefix="jumper-compare-") as name:
        bench = Bench(options, Path(name))
        before = machine.counters()
        try:
            for _ in range(options.rounds):
                bench.round()
        except (Failed, OSError) as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
        load = machine.Load.between(before, machine.counters())
    figures = list(bench.figures.values())
    print(report(figures, load, options.rounds))
    if options.json:
        options.json.write_text(json.dumps(as_json(figures), indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
