"""How each profiler is called, and what it says about its own recording.

An adapter makes a command line from a `Job` and reads what the profiler left behind into a
`Recording`. A profiler more is a class more and a line in `adapters`.
"""

from __future__ import annotations

import json
import re
import subprocess
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

from .interpreters import Interpreter, Missing, anywhere


@dataclass(frozen=True)
class Job:
    """One program to profile. `folder` is empty and in the interpreter's work directory."""

    script: Path
    arguments: tuple[str, ...]
    interval: float
    folder: Path
    wants_profile: bool

    @property
    def hertz(self) -> int:
        return round(1 / self.interval)


@dataclass(frozen=True)
class Recording:
    """What a profiler says: what it does not say is None."""

    samples: int | None = None
    lost_share: float | None = None
    span_s: float | None = None
    # The kind that score.py is told, and the file.
    profile: tuple[str, Path] | None = None

    @property
    def rate(self) -> float | None:
        """Valid samples a second."""
        return self.samples / self.span_s if self.samples and self.span_s else None


class Unreadable(Exception):
    """A profiler did not leave behind what it should have."""


class Tool(ABC):
    """A profiler with its options, on one interpreter."""

    def __init__(self, key: str, interpreter: Interpreter) -> None:
        self.key = key
        self.interpreter = interpreter

    @abstractmethod
    def command(self, job: Job) -> list[str]: ...

    @abstractmethod
    def read(self, job: Job, log: str) -> Recording:
        """`log` is all that the command printed."""

    def program(self, job: Job) -> list[str]:
        return [self.interpreter.path(job.script), *job.arguments]


class Jumper(Tool):
    """`jumper run`, with `options` that say how threads are held, and the `hold` to be seen."""

    def __init__(
        self, key: str, interpreter: Interpreter, jumper: Path, options: tuple[str, ...], hold: str
    ) -> None:
        super().__init__(key, interpreter)
        self.jumper = jumper
        self.options = options
        self.hold = hold

    def command(self, job: Job) -> list[str]:
        renderer, ending = ("json", "json") if job.wants_profile else ("text", "txt")
        return [
            *(str(self.jumper), "run", *self.options),
            *("-i", f"{job.interval:.9f}".rstrip("0")),
            *("--python", self.interpreter.command[-1]),
            *("--session", str(job.folder / "session.jumper")),
            *("-r", renderer, "-o", str(job.folder / f"report.{ending}")),
            *self.program(job),
        ]

    def read(self, job: Job, log: str) -> Recording:
        manifest = (job.folder / "session.jumper/manifest.json").read_text(encoding="utf-8")
        profile = ("pyijson", job.folder / "report.json") if job.wants_profile else None
        return parse_manifest(manifest, self.hold, profile)


def parse_manifest(text: str, hold: str, profile: tuple[str, Path] | None = None) -> Recording:
    """`stacks` of a session's manifest (docs/session-format.md)."""
    manifest = json.loads(text)
    stacks = manifest.get("stacks")
    notes = "; ".join(manifest.get("notes", [])) or "it does not say why"
    if not stacks:
        raise Unreadable(f"the session has no stacks: {notes}")
    if stacks["hold"] != hold:
        raise Unreadable(f"threads were held by {stacks['hold']}, not by {hold}: {notes}")
    attempts = stacks["samples"] + stacks["lost"]
    return Recording(
        samples=stacks["samples"],
        lost_share=stacks["lost"] / attempts if attempts else None,
        span_s=stacks["span_ns"] / 1e9,
        profile=profile,
    )


class PySpy(Tool):
    """`py-spy record`. Idle threads count only where the profile is compared with wall time."""

    def __init__(
        self, key: str, interpreter: Interpreter, py_spy: Path, options: tuple[str, ...]
    ) -> None:
        super().__init__(key, interpreter)
        self.py_spy = py_spy
        self.options = options

    def command(self, job: Job) -> list[str]:
        return [
            *(str(self.py_spy), "record", *self.options),
            *("--rate", str(job.hertz), "--format", "raw"),
            *("--output", str(job.folder / "profile.raw")),
            *(["--idle"] if job.wants_profile else []),
            *("--", self.interpreter.command[-1], *self.program(job)),
        ]

    def read(self, job: Job, log: str) -> Recording:
        samples, lost_share = parse_py_spy(log)
        return Recording(samples, lost_share, profile=("collapsed", job.folder / "profile.raw"))


def parse_py_spy(log: str) -> tuple[int, float | None]:
    found = re.search(r"Samples: (\d+) Errors: (\d+)", log)
    if not found:
        raise Unreadable("py-spy does not say how many samples it took")
    samples, errors = int(found[1]), int(found[2])
    return samples, errors / (samples + errors) if samples + errors else None


class Pyinstrument(Tool):
    """pyinstrument works inside the program, so there is nothing that it could lose."""

    def command(self, job: Job) -> list[str]:
        return [
            *(*self.interpreter.command, "-m", "pyinstrument"),
            *("-i", f"{job.interval:.9f}".rstrip("0"), "-r", "json"),
            *("-o", str(job.folder / "profile.json")),
            *self.program(job),
        ]

    def read(self, job: Job, log: str) -> Recording:
        profile = job.folder / "profile.json"
        with open(profile, encoding="utf-8") as file:
            # The whole file can be half a gigabyte.
            found = re.search(r'"sample_count": *(\d+)', file.read(1000))
        if not found:
            raise Unreadable("pyinstrument does not say how many samples it took")
        return Recording(int(found[1]), 0.0, profile=("pyijson", profile))


class ProfilingSampling(Tool):
    """`python -m profiling.sampling run` of CPython 3.15."""

    def __init__(self, key: str, interpreter: Interpreter, options: tuple[str, ...]) -> None:
        super().__init__(key, interpreter)
        self.options = options

    def command(self, job: Job) -> list[str]:
        return [
            *(*self.interpreter.command, "-m", "profiling.sampling", "run", *self.options),
            *("--sampling-rate", str(job.hertz), "--collapsed"),
            *("-o", self.interpreter.path(job.folder / "profile.txt")),
            *self.program(job),
        ]

    def read(self, job: Job, log: str) -> Recording:
        samples, lost_share = parse_profiling_sampling(log)
        return Recording(samples, lost_share, profile=("collapsed", job.folder / "profile.txt"))


def parse_profiling_sampling(log: str) -> tuple[int, float]:
    samples = re.search(r"Captured ([\d,]+) samples", log)
    if not samples:
        raise Unreadable("profiling.sampling does not say how many samples it took")
    # It is silent about errors when there were none.
    errors = re.search(r"Error rate: ([\d.]+)", log)
    return int(samples[1].replace(",", "")), float(errors[1]) / 100 if errors else 0.0


AGENT, PTRACE, NO_HOLD = "jumper agent", "jumper ptrace", "jumper no hold"
ORDER = (
    *(AGENT, PTRACE, NO_HOLD, "pyinstrument", "py-spy", "py-spy --nonblocking"),
    *("profiling.sampling", "profiling.sampling --blocking"),
)


@dataclass(frozen=True)
class Toolbox:
    """The profilers that are there, by key, and one line on each that is not."""

    tools: dict[str, Tool]
    missing: dict[str, str]


def adapters(usual: Interpreter, jumper: Path, venv: Path) -> Toolbox:
    """All profilers of `ORDER`, for the interpreter `usual` where they can take any."""
    tools: list[Tool] = []
    missing: dict[str, str] = {}

    tools.append(Jumper(AGENT, usual, jumper, (), "agent"))
    tools.append(Jumper(PTRACE, usual, jumper, ("--hold", "ptrace"), "ptrace"))
    tools.append(Jumper(NO_HOLD, usual, jumper, ("--hold", "none"), "none"))

    py_spy = venv / "bin/py-spy"
    if py_spy.exists():
        tools.append(PySpy("py-spy", usual, py_spy, ()))
        tools.append(PySpy("py-spy --nonblocking", usual, py_spy, ("--nonblocking",)))
    else:
        missing["py-spy"] = f"there is no {py_spy}; make bench-stacks installs it"

    if output_of([*usual.command, "-m", "pyinstrument", "--version"]):
        tools.append(Pyinstrument("pyinstrument", usual))
    else:
        missing["pyinstrument"] = f"{usual.command[-1]} cannot import it"

    try:
        newest = anywhere("python3.15", usual.work)
        tools.append(ProfilingSampling("profiling.sampling", newest, ()))
        tools.append(ProfilingSampling("profiling.sampling --blocking", newest, ("--blocking",)))
    except Missing as reason:
        missing["profiling.sampling"] = str(reason)
    return Toolbox({tool.key: tool for tool in tools}, missing)


def output_of(command: list[str]) -> str:
    """What a command prints on stdout; nothing when it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""
