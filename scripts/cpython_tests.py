"""Compares the verdicts of CPython's own tests with and without the agent.

    python3 scripts/cpython_tests.py PYTHON [MODULE...]

Each module runs twice with `PYTHON -m test`: plain, and under `jumper run` at 5 kHz. A test whose
verdicts differ is repeated both ways, three times at most; it is reported if the two ways have no
verdict in common then. The exit status says whether any was.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree
from pathlib import Path

MODULES = [
    "test_threading",
    "test_thread",
    "test_threadedtempfile",
    "test_threadsignals",
    "test_signal",
    "test_asyncio",
    "test_subprocess",
    "test_io",
    "test_generators",
    "test_gc",
    "test_fork1",
    "test_os",
    "test_posix",
    "test_socket",
    "test_select",
    "test_selectors",
    "test_poll",
    "test_epoll",
    "test_time",
    "test_sys",
    "test_faulthandler",
    "test_sched",
    "test_queue",
    "test_wait3",
    "test_wait4",
    "test_pty",
    "test_exceptions",
    "test_coroutines",
    "test_contextlib",
    "test_eintr",
    "test_concurrent_futures",
    "test_multiprocessing_fork",
    "test_multiprocessing_spawn",
]
INTERVAL = "0.0002"
REPEATS = 3
# The pseudo test that stands for a module as a whole.
WHOLE = "(the module)"

Verdicts = dict[str, str]


def run(arguments: list[str], log: Path, directory: Path, limit: float) -> str:
    """How the command ended. What is left of it after the limit is killed."""
    with log.open("ab") as output:
        child = subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=directory,
            start_new_session=True,
        )
        try:
            return f"status {child.wait(limit)}"
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            return f"no end within {limit:.0f} s"


def verdicts(report: Path) -> Verdicts:
    """The verdict on each test in a JUnit report."""
    found = {}
    for case in xml.etree.ElementTree.parse(report).getroot().iter("testcase"):
        kinds = {child.tag for child in case} & {"failure", "error", "skipped"}
        found[case.get("name", "?")] = "+".join(sorted(kinds)) or "passed"
    return found


class Side:
    """One of the two ways in which tests are run."""

    def __init__(self, name: str, python: str, jumper: str | None, logs: Path) -> None:
        self.name = name
        self.python = python
        self.jumper = jumper
        self.logs = logs
        self.samples = self.lost = 0
        self.holds: list[str] = []

    def test(self, module: str, limit: float, names: list[str] | None = None) -> Verdicts:
        with tempfile.TemporaryDirectory(prefix="cpython-tests-") as scratch:
            directory = Path(scratch)
            report, session = directory / "report.xml", directory / "session.jumper"
            arguments = ["-m", "test", "-v", "--junit-xml", str(report)]
            for name in names or []:
                arguments += ["-m", name]
            arguments.append(module)
            if self.jumper:
                options = ["-i", INTERVAL, "--python", self.python, "--session", str(session)]
                text = ["-r", "text", "-o", str(directory / "report.txt")]
                command = [self.jumper, "run", *options, *text, *arguments]
            else:
                command = [self.python, *arguments]
            end = run(command, self.logs / f"{module}.{self.name}.log", directory, limit)
            self.count(session)
            # Only a module that crashed has no report, or an empty one.
            result = verdicts(report) if report.exists() and report.stat().st_size else {}
            if not result or not end.startswith("status"):
                result[WHOLE] = end
            return result

    def count(self, session: Path) -> None:
        manifest = session / "manifest.json"
        if self.jumper and manifest.exists():
            stacks = json.loads(manifest.read_text())["stacks"]
            self.samples += stacks["samples"]
            self.lost += stacks["lost"]
            self.holds.append(stacks["hold"])
        elif self.jumper:
            self.holds.append("no session")


def differing(one: Verdicts, other: Verdicts) -> list[str]:
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def compare(module: str, plain: Side, agent: Side, limit: float) -> list[str]:
    """One line for each test of the module whose verdict depends on the agent."""
    sides = (plain, agent)
    start = time.monotonic()
    before = agent.samples, agent.lost
    first = [side.test(module, limit) for side in sides]
    seen: dict[str, list[set[str]]] = {}
    for name in differing(*first):
        seen[name] = [{verdicts.get(name, "not run")} for verdicts in first]

    def open_names() -> list[str]:
        return [name for name, (one, other) in seen.items() if not one & other]

    for _ in range(REPEATS):
        names = open_names()
        if not names:
            break
        selected = None if WHOLE in names else names
        for index, side in enumerate(sides):
            again = side.test(module, limit, selected)
            for name in names:
                seen[name][index].add(again.get(name, "not run"))
    persistent = open_names()
    counts: dict[str, int] = {}
    for verdict in first[1].values():
        counts[verdict] = counts.get(verdict, 0) + 1
    text = ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items()))
    print(
        f"{module:32} {text}; {len(seen)} differed once, {len(persistent)} do; hold "
        f"{agent.holds[-1]}, {agent.samples - before[0]} samples, {agent.lost - before[1]} lost; "
        f"{time.monotonic() - start:.0f} s",
        flush=True,
    )
    lines = []
    for name, (one, other) in seen.items():
        kept = "DIFFERS" if name in persistent else "flaky"
        line = f"  {kept}: {name}: plain {sorted(one)}, agent {sorted(other)}"
        print(line, flush=True)
        if name in persistent:
            lines.append(line)
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("python")
    parser.add_argument("modules", nargs="*", metavar="module")
    parser.add_argument("--limit", type=float, default=1800.0, help="seconds for one module")
    parser.add_argument("--logs", type=Path, help="where the outputs go [default: a new directory]")
    options = parser.parse_intermixed_args()
    jumper = os.environ.get("JUMPER", "jumper")
    # Jobs in the background are started with SIGINT ignored, and the tests are not written for that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    question = "import sys, test.test_signal; print(sys.executable); print(sys.version)"
    asked = subprocess.run(
        [options.python, "-c", question], check=False, capture_output=True, text=True
    )
    if asked.returncode:
        print(f"{options.python} has no test package: nothing is tested")
        return 0
    executable, version = asked.stdout.splitlines()[:2]
    logs = options.logs or Path(tempfile.mkdtemp(prefix="cpython-tests-logs-"))
    logs.mkdir(parents=True, exist_ok=True)
    print(f"CPython {version}; outputs in {logs}", flush=True)
    plain = Side("plain", executable, None, logs)
    agent = Side("agent", executable, jumper, logs)
    lines = []
    for module in options.modules or MODULES:
        lines += compare(module, plain, agent, options.limit)
    print(f"{agent.samples} samples, {agent.lost} lost; {len(lines)} tests differ")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
