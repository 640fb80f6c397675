"""Compares our trees of pyinstrument's sessions with pyinstrument's own, node by node.

    python compare.py TREE [--keep DIR] [--only NAME]

TREE is the example `pyinstrument_tree` of jumper-session, beside which lies `pyinstrument_edit`. Programs are recorded by the real pyinstrument, and each
session is rendered by its JSON renderer and by TREE with every combination of options. Everything must be the same. Times
are floating-point numbers there and whole nanoseconds here: those of samples, from a clock of nanoseconds, to a tenth of
one, the two from other clocks to one. Then TREE writes each session anew, and pyinstrument has to read and show the same
from that. What both combine of two sessions must be the same, too, and what both resample, but for what pyinstrument counts twice
or not at all.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import random
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import programs
from pyinstrument.frame import Frame
from pyinstrument.renderers import JSONRenderer
from pyinstrument.session import Session

HIDE = [None, r".*(/json/|programs\.py)"]
SHOW = [None, r".*/(json|re|statistics)\b"]
THRESHOLDS = [0.0, 0.01, 0.1]
NANOSECOND = 1e-9
INVENTED = 40
INTERVALS = [1 / 512, 3 / 512, 4.5 / 512, 100.0]


def combinations() -> list[dict[str, Any]]:
    """Every combination of options."""
    everything = itertools.product([False, True], [False, True], HIDE, SHOW, THRESHOLDS)
    names = ["show_all", "timeline", "hide_regex", "show_regex", "filter_threshold"]
    return [dict(zip(names, values)) for values in everything]


def record_all(folder: Path, only: str) -> Iterator[Path]:
    """Records every program, and some once more with pyinstrument as a command. After them come invented sessions."""
    for program in programs.PROGRAMS:
        if only in program.__name__:
            path = folder / f"{program.__name__}.pyisession"
            programs.record(program).save(path)
            yield path
    here = Path(__file__).parent
    for name, arguments in {
        "command": [str(here / "programs.py")],
        "command_module": ["-m", "programs"],
        "command_code": ["-c", "import programs; programs.main()"],
    }.items():
        if only in name:
            path = folder / f"{name}.pyisession"
            command = [sys.executable, "-m", "pyinstrument", "-r", "session", "-o", str(path)]
            subprocess.run([*command, *arguments], check=True, cwd=here, stdout=subprocess.DEVNULL)
            yield path
    for seed in range(INVENTED):
        path = folder / f"invented_{seed}.pyisession"
        if only in path.stem:
            invented(seed).save(path)
            yield path


def invented(seed: int) -> Session:
    """A session that nobody recorded: times that are equal or nothing, stacks of no frames, or of no thread."""
    chance = random.Random(seed)
    # A function has its name, its file, and whether it hides; its class and line change from call to call.
    files = ["/app/a.py", "/app/b.py", "/usr/lib/json/c.py", "/usr/lib/d.py", "<string>"]
    files += ["<frozen importlib._bootstrap>", "<ipython-input-1>", "<built-in>", "", "/x/runpy.py"]
    functions = [f"f{number}\0{chance.choice(files)}\0{1 + number % 3}" for number in range(12)]
    hidden = {chance.choice(functions)}
    threads = ["Main\0<thread>\0001", "Other\0<thread>\0002", None][: chance.randint(1, 3)]

    def frame() -> str:
        function = chance.choice(functions)
        name = chance.choice(["", "", "\1cA", "\1cB", "\1cC"])
        return function + name + f"\1l{chance.randint(1, 3)}" + "\1h1" * (function in hidden)

    stack: list[str] = []
    records = []
    for _ in range(chance.choice([0, 1, 40, 150])):
        del stack[len(stack) - chance.randint(0, min(3, len(stack))) :]
        stack += [frame() for _ in range(chance.randint(0, 3))]
        thread = chance.choice(threads) if chance.random() < 0.2 else threads[0]
        leaf = chance.choice([[], [], [], ["[await]"], ["[out-of-context]"]])
        # Sums of these are exact as floating-point numbers and as nanoseconds.
        time = chance.choice([0, 1, 1, 2, 5]) / 512
        records.append(([thread] * (thread is not None) + stack + leaf, time))
    if len(records) == 40:
        # All below the same frames, some of which the recording was started from.
        stem = [frame(), frame(), frame()]
        ends = ["<thread>" in "".join(frames[:1]) for frames, _ in records]
        records = [
            (frames[:end] + stem + frames[end:], time) for end, (frames, time) in zip(ends, records)
        ]
    return Session(
        frame_records=records,
        start_time=1_790_000_000 + seed / 7,
        duration=seed / 3,
        min_interval=0.001,
        max_interval=0.001 * (1 + seed % 2),
        sample_count=len(records),
        start_call_stack=(records[0][0] if records else [])[:3] or ["none"],
        target_description=f"seed {seed}",
        cpu_time=seed / 9,
        sys_path=["/app", "/usr/lib"],
        sys_prefixes=["/usr"],
    )


class KeepsFrames(JSONRenderer):
    """Pyinstrument's renderer, and the frames from which it made its text."""

    root: Frame | None = None

    def preprocess(self, root_frame: Frame | None) -> Frame | None:
        self.root = super().preprocess(root_frame)
        return self.root


def theirs(session: Session, options: dict[str, Any]) -> dict[str, Any]:
    """What pyinstrument shows, as a list in pre-order. Its times have six digits, those of its frames have all."""
    processor_options = {
        name: options[name]
        for name in ("hide_regex", "show_regex", "filter_threshold")
        if options[name] is not None
    }
    renderer = KeepsFrames(
        show_all=options["show_all"],
        timeline=options["timeline"],
        processor_options=processor_options,
    )
    report = json.loads(renderer.render(session))
    frames = []
    pending = [(0, report.pop("root_frame"), renderer.root)] if renderer.root else []
    while pending:
        depth, shown, frame = pending.pop()
        assert frame is not None and math.isclose(shown["time"], frame.time, abs_tol=1e-6)
        frames.append(
            {
                "depth": depth,
                "function": shown["function"],
                "file_path": shown["file_path"],
                "file_path_short": shown["file_path_short"],
                "line_no": shown["line_no"],
                "time": frame.time,
                "await_time": frame.await_time(),
                "is_application_code": shown["is_application_code"],
                "group": shown.get("group_id"),
                "class_name": shown.get("class_name"),
            }
        )
        below = [(depth + 1, *pair) for pair in zip(shown["children"], frame.children)]
        assert len(below) == len(frame.children) == len(shown["children"])
        pending.extend(reversed(below))
    return {
        "duration": session.duration,
        "sample_count": report["sample_count"],
        "target_description": report["target_description"],
        "cpu_time": session.cpu_time,
        "frames": frames,
    }


def numbered_groups(frames: list[dict[str, Any]]) -> None:
    """Numbers groups by their first frames, since their names are arbitrary."""
    numbers: dict[Any, int] = {}
    for frame in frames:
        if frame["group"] is not None:
            frame["group"] = numbers.setdefault(frame["group"], len(numbers))


def differences(ours: dict[str, Any], theirs: dict[str, Any]) -> Iterator[str]:
    """What is not the same, a line each."""
    for key in ("duration", "sample_count", "target_description", "cpu_time"):
        if not same(ours[key], theirs[key], NANOSECOND):
            yield f"{key}: {ours[key]!r}, not {theirs[key]!r}"
    numbered_groups(ours["frames"])
    numbered_groups(theirs["frames"])
    if len(ours["frames"]) != len(theirs["frames"]):
        yield f"{len(ours['frames'])} frames, not {len(theirs['frames'])}"
    for row, (one, other) in enumerate(zip(ours["frames"], theirs["frames"])):
        for key, value in other.items():
            if not same(one[key], value):
                yield f"frame {row} ({other['function']}): {key}: {one[key]!r}, not {value!r}"


def same(one: Any, other: Any, tolerance: float = NANOSECOND / 10) -> bool:
    """Whether two values are equal, or two times nearly."""
    if isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=tolerance)
    return bool(one == other)


def tree(command: Path, session: Path, asked: list[dict[str, Any]], *out: Path) -> list[Any]:
    """What we show, for each combination of options."""
    lines = "".join(json.dumps(options) + "\n" for options in asked)
    answer = subprocess.run(
        [command, session, *out], input=lines, check=True, capture_output=True, text=True
    )
    return [json.loads(line) for line in answer.stdout.splitlines()]


def without_here(session: Session) -> Session:
    """The session without the directory that is empty: that of whoever looks at it, which says nothing about it."""
    session.sys_path = [directory for directory in session.sys_path if directory]
    return session


def check(command: Path, path: Path) -> int:
    """Compares everything about a session, and says how many differences there are."""
    session = without_here(Session.load(path))
    asked = combinations()
    rewritten = path.with_suffix(".rewritten.pyisession")
    answers = tree(command, path, asked, rewritten)
    assert len(answers) == len(asked)
    again = without_here(Session.load(rewritten))
    found = []
    frames = 0
    for options, ours in zip(asked, answers):
        expected = theirs(session, options)
        frames += len(expected["frames"])
        found += [f"{options}: {line}" for line in differences(ours, expected)]
        copy = theirs(again, options)
        found += [f"{options}: written anew: {line}" for line in differences(copy, expected)]
    found += [f"written anew: {line}" for line in rewritten_differences(session, again)]
    print(f"{path.stem}: {session.sample_count} samples, {frames} frames, {len(found)} differences")
    for line in found[:5]:
        print(f"    {line}")
    return len(found)


def rewritten_differences(session: Session, again: Session) -> Iterator[str]:
    """What a session has lost on its way through ours."""
    before, after = session.to_json(), again.to_json()
    records = [part.pop("frame_records") for part in (before, after)]
    for key, value in before.items():
        # To the last digit: of times of the day there are few digits for what is less than a second.
        if key == "start_time" and after[key] != value:
            yield f"{key}: {after[key]!r} is not exactly {value!r}"
        if not same(after[key], value, NANOSECOND):
            yield f"{key}: {after[key]!r}, not {value!r}"
    if len(records[0]) != len(records[1]):
        yield f"{len(records[1])} samples, not {len(records[0])}"
    for row, (one, other) in enumerate(zip(*records)):
        if one[0] != other[0] or not same(other[1], one[1]):
            yield f"sample {row}: {other}, not {one}"


def edited(command: Path, out: Path, *arguments: Path | str) -> Session:
    """What we make of sessions."""
    edit = command.with_name("pyinstrument_edit")
    subprocess.run([edit, *arguments, out], check=True)
    return Session.load(out)


def check_combined(command: Path, one: Path, other: Path) -> int:
    """Compares what is combined of two sessions, and says how many differences there are."""
    ours = edited(command, one.with_suffix(".combined.pyisession"), "combine", one, other)
    theirs = Session.combine(Session.load(one), Session.load(other))
    for session in (ours, without_here(theirs)):
        session.sys_prefixes = sorted(set(session.sys_prefixes))
    found = list(rewritten_differences(theirs, without_here(ours)))
    for line in found[:5]:
        print(f"    {one.stem} and {other.stem} combined: {line}")
    return len(found)


def check_resampled(command: Path, path: Path) -> int:
    """Compares what a session of one thread is resampled to, and says how many differences there are.

    Pyinstrument counts what is left over of an interval twice, and what comes after the last whole interval not at all.
    We take each thread by itself.
    """
    session = Session.load(path)
    threads = {
        frames[0] if "<thread>" in "".join(frames[:1]) else ""
        for frames, _ in session.frame_records
    }
    if len(threads) != 1:
        return 0
    found = 0
    for interval in INTERVALS:
        out = path.with_suffix(".resampled.pyisession")
        ours = edited(command, out, "resample", repr(interval), path).frame_records
        expected = []
        left_over = 0.0
        for frames, time in session.resample(interval).frame_records:
            expected.append((frames, time - left_over))
            left_over = time % interval
        rest = sum(time for _, time in session.frame_records) - sum(time for _, time in expected)
        if len(ours) > len(expected):
            expected.append((session.frame_records[-1][0], rest))
        elif not same(0.0, rest):
            expected.append(([], rest))
        is_same = len(ours) == len(expected) and all(
            one[0] == other[0] and same(one[1], other[1]) for one, other in zip(ours, expected)
        )
        if not is_same:
            found += 1
            print(f"    {path.stem} resampled to {interval}: {ours[-2:]}, not {expected[-2:]}")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tree", type=Path)
    parser.add_argument("--keep", type=Path, help="where to leave the sessions")
    parser.add_argument("--only", default="", help="part of the name of a program")
    chosen = parser.parse_args()
    # Pyinstrument recurses over frames, and so does the parser of its JSON.
    sys.setrecursionlimit(100_000)
    with tempfile.TemporaryDirectory() as temporary:
        folder = chosen.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        # All at first: a program is not recorded while sessions of others are compared.
        paths = list(record_all(folder, chosen.only))
        found = sum(check(chosen.tree, path) for path in paths)
        pairs = list(zip(paths, paths[1:] + paths[:1]))
        found += sum(check_combined(chosen.tree, *pair) for pair in pairs)
        # Of times that are exact as floating-point numbers.
        invented = [path for path in paths if path.stem.startswith("invented")]
        found += sum(check_resampled(chosen.tree, path) for path in invented)
    print(
        f"{len(paths)} sessions, {len(combinations())} combinations of options, {len(pairs)} pairs, "
        f"{len(INTERVALS)} intervals: {found} differences"
    )
    return 1 if found or not paths else 0


if __name__ == "__main__":
    # A thread, whose stack can be made larger than the main one's.
    threading.stack_size(512 << 20)
    status: list[int] = []
    thread = threading.Thread(target=lambda: status.append(main()))
    thread.start()
    thread.join()
    sys.exit(status[0] if status else 1)
