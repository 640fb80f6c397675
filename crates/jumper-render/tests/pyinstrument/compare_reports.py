"""Compares our reports of pyinstrument's sessions with those of pyinstrument's renderers.

    python compare_reports.py REPORT [--keep DIR] [--only NAME] [--check NAME]

REPORT is the example `pyinstrument_report` of jumper-render. The sessions are those of jumper-session's comparison of trees:
programs that the real pyinstrument records, and invented ones. A check is a function that yields a line for each
difference; another renderer is another module with one, and a line in CHECKS.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from pyinstrument.session import Session

sys.path.append(str(Path(__file__).parents[3] / "jumper-session" / "tests" / "pyinstrument"))

import interchange_reports as interchange
import text_reports
from compare import record_all, without_here
from ours import Reports, reports

Check = Callable[[Session, Reports], Iterator[str]]

CHECKS: dict[str, Check] = {
    "text": text_reports.differences,
    "json": interchange.json_differences,
    "speedscope": interchange.speedscope_differences,
    "pstats": interchange.pstats_differences,
}


def exact(session: Session) -> Session:
    """The session with a 512th of a second for each microsecond: sums of these times are exact for both, so that equal ones
    are equal and nothing is nothing."""
    session.frame_records = [
        (frames, round(time * 1e6) / 512) for frames, time in session.frame_records
    ]
    return session


def check(command: Path, path: Path, checks: dict[str, Check]) -> int:
    """Compares the reports of a session, and says how many differences there are."""
    session = without_here(Session.load(path))
    if not path.stem.startswith("invented"):
        path = path.with_suffix(".exact.pyisession")
        exact(session).save(path)
    found = []
    with reports(command, path) as ours:
        for name, differences in checks.items():
            found += [f"{name}: {line}" for line in differences(session, ours)]
    print(f"{path.stem}: {session.sample_count} samples, {len(found)} differences")
    for line in found[:5]:
        print(f"    {line}")
    return len(found)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("report", type=Path)
    parser.add_argument("--keep", type=Path, help="where to leave the sessions")
    parser.add_argument("--only", default="", help="part of the name of a program")
    parser.add_argument("--check", default="", help="the only checks, with commas between them")
    chosen = parser.parse_args()
    # Pyinstrument recurses over frames, and so does the parser of its JSON.
    sys.setrecursionlimit(100_000)
    asked = chosen.check.split(",") if chosen.check else list(CHECKS)
    checks = {name: CHECKS[name] for name in asked}
    with tempfile.TemporaryDirectory() as temporary:
        folder = chosen.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        # All at first: a program is not recorded while sessions of others are compared.
        paths = list(record_all(folder, chosen.only))
        found = sum(check(chosen.report, path, checks) for path in paths)
    print(f"{len(paths)} sessions, checks {', '.join(checks)}: {found} differences")
    return 1 if found or not paths or not checks else 0


if __name__ == "__main__":
    # A thread, whose stack can be made larger than the main one's.
    threading.stack_size(512 << 20)
    status: list[int] = []
    thread = threading.Thread(target=lambda: status.append(main()))
    thread.start()
    thread.join()
    sys.exit(status[0] if status else 1)
