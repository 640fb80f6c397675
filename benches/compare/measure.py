"""One run of a program, plain or profiled, and series of interleaved runs."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

from .contract import ERROR, LOST, RATE, SLOWDOWN, WORKLOADS, Series
from .interpreters import Interpreter
from .tools import Job, Recording, Tool, Unreadable

# A profiler that makes a program of a second take longer is given up on. What it does after the
# program has ended counts too.
PATIENCE_S = 60.0


class Failed(Exception):
    """A run did not give a figure; the message is one line."""


class GaveUp(Failed):
    """A run took longer than `PATIENCE_S`."""


@dataclass
class Results:
    """The figures of one profiler in one series: one value per round and quantity."""

    values: dict[str, list[float]] = field(default_factory=dict)
    # Why runs gave no figure. Two of them, or one that was given up on, end the attempts.
    failures: list[str] = field(default_factory=list)
    # At least this many times as long, when it was given up on.
    slower_than: float | None = None

    @property
    def ended(self) -> bool:
        return self.slower_than is not None or len(self.failures) > 1

    def add(self, quantity: str, value: float | None) -> None:
        if value is not None:
            self.values.setdefault(quantity, []).append(value)


@dataclass
class SeriesResults:
    tools: dict[str, Results] = field(default_factory=dict)
    # Seconds of the plain runs, by interpreter.
    plain: dict[str, list[float]] = field(default_factory=dict)


def run(command: Sequence[str], folder: Path, patience: float) -> tuple[str, str]:
    """Standard output and standard error of a command that succeeds."""
    with tempfile.TemporaryFile(dir=folder) as out, tempfile.TemporaryFile(dir=folder) as err:
        # A group of its own, so that a profiler that is ended takes its program along.
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            cwd=folder,
            start_new_session=True,
        )
        try:
            status = process.wait(timeout=patience)
        except BaseException as reason:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            if isinstance(reason, subprocess.TimeoutExpired):
                raise GaveUp(f"gave up after {patience:.0f} s") from None
            raise
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode("utf-8", "replace"))
    if status:
        last = (texts[1].strip() or texts[0].strip() or "no message").splitlines()[-1]
        raise Failed(f"exit status {status}: {last}")
    return texts[0], texts[1]


def parse_seconds(out: str) -> float:
    """What a workload prints: the last line that is a number of seconds and nothing else."""
    found = re.findall(r"^\s*(\d+\.\d+)\s*$", out, re.MULTILINE)
    if not found:
        raise Failed("the program did not print its seconds")
    return float(found[-1])


def parse_score(out: str) -> float:
    found = re.search(r"max\|err\| ([\d.]+) pp", out)
    if not found:
        raise Failed("score.py did not print an error")
    return float(found[1])


def parse_costs(out: str) -> list[float]:
    """Every `N us` in a text."""
    return [float(number) for number in re.findall(r"(\d+(?:\.\d+)?) us\b", out)]


def sample_cost(command: Sequence[str]) -> list[float]:
    """What one sample costs in microseconds, as the command prints it; it may do so repeatedly."""
    with tempfile.TemporaryDirectory() as folder:
        out, _ = run([*command], Path(folder), 600.0)
    costs = parse_costs(out)
    if not costs:
        raise Failed(f"{command[0]} did not print `N us`")
    return costs


class Bench:
    """Runs series in a work directory that all interpreters see."""

    def __init__(
        self, work: Path, truth_seconds: float, seed: int, progress: Callable[[str], None]
    ) -> None:
        self.work = work
        self.truth_seconds = truth_seconds
        self.random = random.Random(seed)
        self.progress = progress
        shutil.copytree(WORKLOADS, work / "workloads")

    def job(self, series: Series, interpreter: Interpreter, folder: Path) -> Job:
        fill = {
            "seconds": f"{self.truth_seconds:g}",
            "seed": str(self.random.randrange(1_000_000)),
            "truth": interpreter.path(folder / "truth.json"),
        }
        return Job(
            script=self.work / "workloads" / series.script,
            arguments=tuple(argument.format(**fill) for argument in series.arguments),
            interval=series.interval,
            folder=folder,
            wants_profile=series.scored,
        )

    def plain(self, series: Series, interpreter: Interpreter) -> float:
        with tempfile.TemporaryDirectory(dir=self.work) as folder:
            job = self.job(series, interpreter, Path(folder))
            command = [*interpreter.command, interpreter.path(job.script), *job.arguments]
            return parse_seconds(run(command, job.folder, PATIENCE_S)[0])

    def profiled(self, series: Series, tool: Tool) -> tuple[float | None, Recording, float | None]:
        """Seconds of a workload that prints them, the recording, and the error where it is scored."""
        with tempfile.TemporaryDirectory(dir=self.work) as name:
            job = self.job(series, tool.interpreter, Path(name))
            out, err = run(tool.command(job), job.folder, PATIENCE_S)
            try:
                recording = tool.read(job, out + err)
            except (OSError, KeyError, ValueError, Unreadable) as error:
                raise Failed(str(error) or repr(error)) from None
            seconds = None if series.scored else parse_seconds(out)
            error_pp = None
            if series.scored and recording.profile:
                kind, profile = recording.profile
                truth = job.folder / "truth.json"
                score = [sys.executable, str(WORKLOADS / "score.py"), str(truth), kind]
                error_pp = parse_score(run([*score, str(profile)], job.folder, PATIENCE_S)[0])
            return seconds, recording, error_pp

    def series(self, series: Series, tools: Sequence[Tool], rounds: int) -> SeriesResults:
        """`rounds` runs of each profiler, in a new order each round, plain runs in between."""
        results = SeriesResults({tool.key: Results() for tool in tools})
        for number in range(1, rounds + 1):
            # Tools of one interpreter stay together: they share the plain runs between them.
            groups: dict[str, list[Tool]] = {}
            for tool in tools:
                if not results.tools[tool.key].ended:
                    groups.setdefault(tool.interpreter.name, []).append(tool)
            names = list(groups)
            self.random.shuffle(names)
            for name in names:
                self.random.shuffle(groups[name])
                self.progress(f"{series.name}, round {number} of {rounds}, {name}")
                self.group(series, groups[name], results)
        return results

    def group(self, series: Series, tools: Sequence[Tool], results: SeriesResults) -> None:
        """Plain, A, plain, B, plain: each ratio is against the mean of its two neighbours."""
        interpreter = tools[0].interpreter
        plain = results.plain.setdefault(interpreter.name, []) if series.plain_runs else []
        if series.plain_runs:
            plain.append(self.plain(series, interpreter))
        for tool in tools:
            result = results.tools[tool.key]
            seconds = None
            try:
                seconds, recording, error_pp = self.profiled(series, tool)
                result.add(LOST, recording.lost_share)
                result.add(RATE, recording.rate)
                result.add(ERROR, error_pp)
            except Failed as failure:
                result.failures.append(f"{tool.key}, {series.name}: {failure}")
                if isinstance(failure, GaveUp) and plain:
                    result.slower_than = PATIENCE_S / plain[-1]
            if series.plain_runs:
                plain.append(self.plain(series, interpreter))
                if seconds is not None:
                    result.add(SLOWDOWN, ratio(seconds, plain[-2], plain[-1]))


def ratio(seconds: float, before: float, after: float) -> float:
    return seconds / ((before + after) / 2)
