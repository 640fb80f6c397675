"""What measuring resources costs, and how true it is, beside psutil and jumper_extension.

`make bench-metrics` runs it; benches/README.md says how to read what it prints. The exit status is 1
when something could not be run, whatever the figures are.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import machine

REPOSITORY = Path(__file__).resolve().parents[2]
TARGET = REPOSITORY / "target"
WORKLOADS = Path(__file__).with_name("workloads")
RESOURCES = WORKLOADS / "resources.py"
WATCH = WORKLOADS / "watch.py"

OURS, PSUTIL, THEIRS = "jumper", "psutil", "jumper_extension"
LEVELS = ("process", "user", "system")
# A user whom nobody else is.
USER = 61234
TOLERANCE = 0.02
SECONDS = 4.0
INTERVAL = 0.1

# What a program says that it used, and the metric that must agree.
QUANTITIES = {
    "cpu_s": "cpu_time",
    "memory_bytes": "memory",
    "shared_bytes": "pss",
    "written_bytes": "io_write",
    "read_bytes": "io_read",
}
CASES = ("burns", "child", "exec", "short", "reused", "holds", "shares", "writes", "reads")


class Failed(Exception):
    """A program did not do what it was run for."""


@dataclass
class Watcher:
    """A program that measures another one, and what it says."""

    who: str
    child: subprocess.Popen[str]
    samples: list[dict[str, Any]] = field(default_factory=list)

    def next(self) -> dict[str, Any]:
        assert self.child.stdout
        # Some say other things too.
        while not (line := self.child.stdout.readline()).startswith("{"):
            if not line:
                raise Failed(f"{self.who} has ended")
        self.samples.append(json.loads(line))
        return self.samples[-1]

    def until(self, moment: int) -> dict[str, Any]:
        """The first sample after a moment."""
        while self.next().get("time_ns", moment) < moment:
            pass
        return self.samples[-1]

    def rest(self) -> list[dict[str, Any]]:
        assert self.child.stdout
        self.samples += [json.loads(line) for line in self.child.stdout if line.startswith("{")]
        self.child.wait()
        return self.samples

    def end(self) -> None:
        self.child.kill()
        self.child.communicate()


class Bench:
    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.lines: list[str] = []
        self.results: list[dict[str, Any]] = []

    def watch(
        self, who: str, pid: int, seconds: float, count: int, levels: Sequence[str]
    ) -> Watcher:
        words = [str(pid), str(seconds), str(count)]
        if who == OURS:
            command = [str(self.options.metrics), *words, *levels]
        else:
            command = [str(self.options.venv / "bin/python"), str(WATCH), who, *words]
        return Watcher(who, subprocess.Popen(command, stdout=subprocess.PIPE, text=True))

    def add(self, name: str, values: Sequence[float], limit: float | None, scale: str) -> None:
        low, middle, high = min(values), statistics.median(values), max(values)
        verdict = "" if limit is None else f"{limit:g} {'met' if middle <= limit else 'not met'}"
        shown = f"{middle:.3g} [{low:.3g}, {high:.3g}] {scale}"
        self.lines.append(f" {name:<58} {shown:<34} {verdict}".rstrip())
        self.results.append({"name": name, "values": list(values), "limit": limit})

    def cost(self) -> None:
        self.lines.append("Cost of a sample of process, user and system")
        for processes, limit in ((66, 0.4), (566, 3.0)):
            for who in (OURS, PSUTIL, THEIRS):
                # A few are there already, which do nothing but wait.
                values = [self.cost_of(who, processes) for _ in range(self.options.rounds)]
                what = f"{who}: CPU of a sample, {processes} processes"
                self.add(what, values, limit if who == OURS else None, "ms")
        self.lines += ["", "Intervals"]
        for what, kind, seconds, count, bound in (
            ("1.0 s, 12 busy children: error of the interval", "busy", 1.0, 10, 2.0),
            ("10 ms, 66 processes: late", "sleepers", 0.01, 500, 1.0),
        ):
            intervals = [self.interval(kind, seconds, count) for _ in range(self.options.rounds)]
            late = [100.0 * value[1] for value in intervals]
            if kind == "busy":
                self.add(what, [value[0] for value in intervals], bound, "ms")
                self.add("1.0 s, 12 busy children: late", late, 0.0, "%")
            else:
                self.add(what, late, bound, "%")

    def cost_of(self, who: str, processes: int) -> float:
        """Milliseconds of CPU, without the first samples, which open what the others keep open."""
        progress(f"{who}, {processes} processes")
        with running("sleepers", processes - 1) as pid:
            count = 12 if who == OURS else 5
            samples = self.watch(who, pid, 1.0, count, LEVELS).rest()
        costs = [sample["cpu_ns"] / 1e6 for sample in samples if "time_ns" in sample]
        return statistics.fmean(costs[2:])

    def interval(self, kind: str, seconds: float, count: int) -> tuple[float, float]:
        """The error of the mean interval in milliseconds, and the share of samples that were late."""
        progress(f"every {seconds} s, {kind}")
        with running(kind, 12 if kind == "busy" else 65) as pid:
            samples = self.watch(OURS, pid, seconds, count, LEVELS).rest()
        times = [sample["time_ns"] / 1e9 for sample in samples if "time_ns" in sample]
        mean = (times[-1] - times[0]) / (len(times) - 1)
        return abs(mean - seconds) * 1e3, samples[-1]["late"] / count

    def truth(self) -> None:
        self.lines += [
            "",
            f"Truth: error in per cent of what the program used, at most {TOLERANCE:.0%}",
        ]
        for case in CASES:
            for who in (OURS, PSUTIL, THEIRS):
                levels = ("process", "user", "container") if who == OURS else ("process",)
                rounds = [self.errors(case, who, levels) for _ in range(self.options.rounds)]
                for level in levels:
                    values = [errors[level] for errors in rounds if level in errors]
                    if values:
                        limit = 100 * TOLERANCE if who == OURS else None
                        self.add(f"{who}: {case}, {level}", values, limit, "%")

    def errors(self, case: str, who: str, levels: Sequence[str]) -> dict[str, float]:
        progress(f"{who}: {case}")
        # The number of a process can be chosen by root alone.
        is_apart = os.geteuid() == 0 and case != "reused"
        with apart(is_apart) as group, program(case, is_apart, group) as child:
            watcher = self.watch(who, child.pid, INTERVAL, 10_000, levels)
            try:
                # The first sample has no rates.
                watcher.next()
                watcher.next()
                if case == "reads":
                    # What it reads later it writes first.
                    tell(child)
                    watcher.until(time.monotonic_ns())
                begin = len(watcher.samples) - 1
                truth = json.loads(tell(child))
                watcher.until(time.monotonic_ns() + int(2e9 * INTERVAL))
            finally:
                watcher.end()
        if truth.pop("numbers", 1.0) > 1.0:
            progress("numbers of processes cannot be chosen here")
        ((what, used),) = truth.items()
        found: dict[str, float] = {}
        known_levels = [level for level in levels if level == "process" or is_apart]
        for level in known_levels:
            measured = measure(who, what, level, watcher.samples[begin:])
            if measured is not None and (level != "container" or group):
                found[level] = 100 * abs(measured - used) / max(used, 1e-9)
        return found


def tell(child: subprocess.Popen[str]) -> str:
    """Has it go on where it waits, and takes its answer."""
    assert child.stdin and child.stdout
    child.stdin.write("\n")
    child.stdin.flush()
    return child.stdout.readline()


def measure(who: str, what: str, level: str, samples: Sequence[dict[str, Any]]) -> float | None:
    """What was measured between the first sample and the last, in the unit of the truth."""
    if who != OURS:
        values = [sample[what] for sample in samples if what in sample]
        return values[-1] - values[0] if values else None
    metric = QUANTITIES[what]
    rows = [(sample["time_ns"] / 1e9, sample[level].get(metric)) for sample in samples]
    known = [(moment, value) for moment, value in rows if value is not None]
    if len(known) < 2:
        return None
    if metric == "cpu_time":
        return float(known[-1][1] - known[0][1])
    if metric in ("memory", "pss"):
        return float(max(value for _, value in known) - known[0][1]) * 2**30
    pairs = zip(known, known[1:])
    return float(sum(now[1] * (now[0] - before[0]) for before, now in pairs)) * 2**20


@contextmanager
def running(kind: str, count: int) -> Iterator[int]:
    """A program with so many children."""
    with program(kind, False, None, count) as child:
        time.sleep(1.0)
        yield child.pid


@contextmanager
def program(
    case: str, is_apart: bool, group: Path | None, amount: float = SECONDS
) -> Iterator[subprocess.Popen[str]]:
    user = [str(USER)] if is_apart else []
    # Not that of an environment, which another user may not be able to read.
    python = os.path.realpath(sys.executable)
    child = subprocess.Popen(
        [python, str(RESOURCES), case, str(amount), *user],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd="/",
    )
    try:
        assert child.stdout
        if child.stdout.readline() != "ready\n":
            raise Failed(f"the program `{case}` does not start")
        if group:
            (group / "cgroup.procs").write_text(str(child.pid))
        yield child
    finally:
        child.communicate()


@contextmanager
def apart(is_wanted: bool) -> Iterator[Path | None]:
    """A control group of its own, where one can be made: in the deepest hierarchy that we are in."""
    group: Path | None = None
    if is_wanted:
        entries = [
            line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()
        ]
        _, controllers, path = max(entries, key=lambda entry: entry[2].count("/"))
        mount = Path("/sys/fs/cgroup") / controllers if controllers else Path("/sys/fs/cgroup")
        group = mount / path.strip("/") / f"jumper-bench-{os.getpid()}"
        try:
            group.mkdir()
        except OSError:
            group = None
    try:
        yield group
    finally:
        if group:
            group.rmdir()


def progress(line: str) -> None:
    print(f"compare: {line}", file=sys.stderr, flush=True)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="compare.metrics", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="[default: 3]")
    parser.add_argument("--only", choices=("cost", "truth"), help="one of the two tables")
    parser.add_argument(
        "--metrics",
        type=Path,
        default=TARGET / "release/examples/metrics",
        metavar="PATH",
        help="the example metrics of jumper-sampler",
    )
    parser.add_argument("--venv", type=Path, default=TARGET / "compare", metavar="DIR")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write all figures to OUT too")
    parsed = parser.parse_args()
    if parsed.rounds < 1:
        parser.error("--rounds must be at least 1")
    return parsed


def main() -> int:
    options = arguments()
    # PYTHONPATH is for this program, not for those that are measured.
    os.environ.pop("PYTHONPATH", None)
    bench = Bench(options)
    before = machine.counters()
    try:
        if options.only != "truth":
            bench.cost()
        if options.only != "cost":
            bench.truth()
    except (Failed, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    load = machine.Load.between(before, machine.counters())
    print(f"Machine   {machine.cpus()} CPUs, {machine.kernel()}")
    print(f"Others    used {load.others:.2f} CPUs meanwhile, {load.steal:.2f} were stolen")
    print(f"Rounds    {options.rounds}: median [smallest, largest]\n")
    print("\n".join(bench.lines))
    if options.json:
        options.json.write_text(json.dumps(bench.results, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
