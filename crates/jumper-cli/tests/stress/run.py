"""Runs the programs of the stress suite plain and under `jumper run` at 5 kHz, and compares them.

    python run.py --jumper COMMAND [--seconds N] [--python PYTHON] [--hold HOW] [THEME...]

A program's stdout, stderr and exit status must be the same both ways, and under Jumper the samples
must have been taken by the agent. The interpreter is the one that runs this, unless --python says
otherwise. Programs whose module is not installed are skipped, which is said.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROGRAMS = Path(__file__).resolve().parent / "programs"
INTERVAL = "0.0002"
# A machine may be slow, and busy with something else.
PATIENCE = 120.0

# Modules that do not come with Python.
NEEDS = {"arrays": "numpy", "greenlets": "greenlet"}
# Programs that end by themselves: they are run again until the time is up.
SHORT = {"shutdown", "execs"}
# The agent cannot be there to the end: another program image, or its signal taken.
NOT_AGENT = {"execs", "own_urgent"}
# Address space that a program is started with, in bytes.
ADDRESS_SPACE = {"little_memory": 1 << 30}
# How much of the time a program of this kind can be seen at all.
FEWEST_SAMPLES = 20


@dataclasses.dataclass
class Done:
    """What came of a run."""

    status: int | str
    stdout: str
    stderr: str


@dataclasses.dataclass
class Row:
    """A line of the summary."""

    theme: str
    runs: int = 0
    samples: int = 0
    lost: int = 0
    late: int = 0
    holds: set[str] = dataclasses.field(default_factory=set)
    figures: dict[str, float] = dataclasses.field(default_factory=dict)
    faults: list[str] = dataclasses.field(default_factory=list)
    # What is no fault of one theme on a busy machine, and one of the whole if it is the same in most.
    doubts: list[str] = dataclasses.field(default_factory=list)

    def text(self) -> str:
        lost = f"{self.lost / max(1, self.samples + self.lost):.2%}"
        figures = ", ".join(f"{name} {value:g}" for name, value in self.figures.items() if value)
        verdict = "same" if not self.faults else "DIFFERS"
        holds = "+".join(sorted(self.holds))
        return (
            f"{self.theme:14} {verdict:8} {self.runs:4} {self.samples:9} {self.lost:7} {lost:>7} "
            f"{self.late:8}  {holds:13} {figures}"
        )


HEADER = f"{'theme':14} {'result':8} {'runs':>4} {'samples':>9} {'lost':>7} {'share':>7} {'late':>8}  held by"


class Suite:
    def __init__(self, options: argparse.Namespace, scratch: Path) -> None:
        self.jumper = options.jumper
        self.python = options.python
        self.hold = options.hold
        self.scratch = scratch

    def environment(self) -> dict[str, str]:
        return {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "XDG_DATA_HOME": str(self.scratch)}

    def finish(self, command: list[str], seconds: float) -> Done:
        """Runs a command to its end, or ends it, with all that it has started."""
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd=self.scratch,
                env=self.environment(),
                start_new_session=True,
            )
            try:
                status: int | str = child.wait(seconds * 3 + PATIENCE)
            except subprocess.TimeoutExpired:
                status = "never ended"
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
            texts = []
            for file in (out, err):
                file.seek(0)
                texts.append(file.read().decode("utf-8", "replace"))
            return Done(status, *texts)

    def interpreter(self, theme: str) -> str:
        """The interpreter, behind a script that limits its address space where the theme asks for that."""
        if theme not in ADDRESS_SPACE:
            return self.python
        path = self.scratch / f"{theme}-python"
        path.write_text(
            f'#!/bin/sh\nulimit -v {ADDRESS_SPACE[theme] >> 10}\nexec "{self.python}" "$@"\n'
        )
        path.chmod(0o755)
        return str(path)

    def run(self, theme: str, seconds: float) -> Row:
        row = Row(theme)
        end = time.monotonic() + seconds
        plain: Done | None = None
        while True:
            plain = self.run_once(row, seconds, plain)
            if row.faults or theme not in SHORT or time.monotonic() >= end:
                break
        if not row.samples or row.samples < FEWEST_SAMPLES * (seconds >= 1):
            row.doubts.append(f"only {row.samples} samples")
        if self.hold == "agent" and theme not in NOT_AGENT and "agent" not in row.holds:
            row.doubts.append(f"held by {'+'.join(sorted(row.holds))}, not by the agent")
        return row

    def run_once(self, row: Row, seconds: float, plain: Done | None) -> Done:
        python, figures = self.interpreter(row.theme), self.scratch / "figures"
        program = [str(PROGRAMS / f"{row.theme}.py"), str(seconds), str(figures)]
        figures.unlink(missing_ok=True)
        if plain is None:
            plain = self.finish([python, *program], seconds)
            self.note(row, figures, "plain ")
        session, report = self.scratch / "session.jumper", self.scratch / "report.json"
        for path in sorted(session.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        if session.exists():
            session.rmdir()
        options = ["-i", INTERVAL, "--hold", self.hold, "--python", python]
        outputs = ["--session", str(session), "-o", str(report)]
        done = self.finish([self.jumper, "run", *options, *outputs, *program], seconds)
        self.note(row, figures, "")
        row.runs += 1
        said = [f"jumper: report in {report}", f"jumper: session in {session}"]
        lines = done.stderr.splitlines(keepends=True)
        done.stderr = "".join(line for line in lines if line.rstrip("\n") not in said)
        for name in ("status", "stdout", "stderr"):
            one, other = getattr(plain, name), getattr(done, name)
            if one != other:
                row.faults.append(f"{name}: {excerpt(other, one)}, plain {excerpt(one, other)}")
        self.count(row, session / "manifest.json")
        return plain

    def note(self, row: Row, figures: Path, prefix: str) -> None:
        if figures.exists():
            for name, value in json.loads(figures.read_text()).items():
                key = prefix + name
                row.figures[key] = row.figures.get(key, 0) + value

    def count(self, row: Row, manifest: Path) -> None:
        if not manifest.exists():
            row.faults.append("there is no session")
            return
        stacks = json.loads(manifest.read_text())["stacks"]
        row.samples += stacks["samples"]
        row.lost += stacks["lost"]
        row.late += stacks["late_ticks"]
        row.holds.add(str(stacks.get("hold")))


def excerpt(text: object, other: object) -> str:
    """The part of a text around its first difference from another one."""
    one, two = str(text), str(other)
    common = len(os.path.commonprefix([one, two]))
    begin = max(0, common - 40)
    return repr(one[begin : common + 160])


def has(python: str, module: str) -> bool:
    command = [python, "-c", f"import {module}"]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("themes", nargs="*", metavar="theme")
    parser.add_argument("--jumper", default="jumper")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--hold", default="agent", choices=["agent", "ptrace", "none"])
    parser.add_argument("--seconds", type=float, default=1.0, help="how long each program runs")
    options = parser.parse_intermixed_args()
    # What a job in the background inherits is no part of the test; nor are core files.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    known = sorted(path.stem for path in PROGRAMS.glob("*.py") if path.stem != "theme")
    unknown = set(options.themes) - set(known)
    if unknown:
        parser.error(f"no such theme: {', '.join(sorted(unknown))}")
    version = subprocess.run(
        [options.python, "-VV"], check=False, capture_output=True, text=True
    ).stdout
    print(
        f"{version.strip()}; {options.seconds:g} s each, every {INTERVAL} s\n{HEADER}", flush=True
    )
    total = Row("all")
    themes = doubtful = 0
    with tempfile.TemporaryDirectory(prefix="jumper-stress-") as scratch:
        os.chmod(scratch, 0o755)
        suite = Suite(options, Path(scratch).resolve())
        for theme in options.themes or known:
            module = NEEDS.get(theme)
            if module and not has(options.python, module):
                print(f"{theme:14} skipped: {module} is not installed", flush=True)
                continue
            row = suite.run(theme, options.seconds)
            print(row.text(), *row.faults, *row.doubts, sep="\n    ", flush=True)
            themes += 1
            doubtful += bool(row.doubts)
            for name in ("runs", "samples", "lost", "late"):
                setattr(total, name, getattr(total, name) + getattr(row, name))
            total.holds |= row.holds
            total.faults += row.faults
            if "eintr" in row.figures:
                rate = row.figures["eintr"] / max(1, row.samples) * 1e6
                print(f"    EINTR per million samples: {rate:.2f}", flush=True)
    if doubtful * 2 > themes:
        total.faults.append("most themes")
        print(f"{doubtful} of {themes} themes were hardly sampled, or without the agent")
    print(total.text())
    return 1 if total.faults else 0


if __name__ == "__main__":
    sys.exit(main())
