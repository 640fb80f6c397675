"""Carries sessions from JUmPER to Jumper and back, with JUmPER's own code at its end, and compares what arrives.

    python cross.py JUMPER [--keep DIR]

JUMPER is the command. Sessions are recorded by the real JUmPER, with each of its monitors, and by `jumper run`. Metrics must be
the same numbers on both sides, and tables that went there and back the same bytes.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import logging
import math
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
from jumper_extension.core.service import PerfmonitorService, build_perfmonitor_service

# The one in a thread, and the one that a notebook gets: a collector in C where it can be built, else in Python.
MONITORS = ["thread", "default"]
# What the cells are said to be, and the magics that JUmPER would have found in them.
CELLS = [
    ("data = list(range(10**6))", []),
    (
        "%perfmonitor_start 0.1\nimport time  # \"a, b\"\n\ttime.sleep(0.2)\n'ü🦀'",
        ["perfmonitor_start 0.1"],
    ),
    ("%%time\nlast = 'it''s'", []),
]
# Columns that are bytes a second there and MiB a second here.
RATES = {"io_read", "io_write"}
MIB = 1024 * 1024
NANOSECOND = 1e-9
# A cell reads its two clocks one after the other, and may wait in between.
WALL_CLOCK = 1.0

# Measures all the while, so that there is something in every column.
PROGRAM = """
import tempfile, time
with tempfile.TemporaryFile() as file:
    end = time.monotonic() + 1.5
    while time.monotonic() < end:
        file.write(bytes(1 << 20))
        file.flush()
        sum(range(100_000))
"""


class Failed(Exception):
    """What is not as it should be."""


def check(is_so: bool, what: str) -> None:
    if not is_so:
        raise Failed(what)


def new_service() -> PerfmonitorService:
    return build_perfmonitor_service(plots_disabled=True, display_disabled=True)


def record(monitor: str) -> PerfmonitorService:
    """A session of JUmPER's."""
    service = new_service()
    service.start_monitoring(0.1, monitor_type=monitor)
    check(service.monitor.running, f"the monitor {monitor} does not start")
    for source, magics in CELLS:
        service.on_pre_run_cell(source, magics, should_skip_report=True)
        # Some measurements of each level fall into each cell, on a busy machine too.
        wanted = measured(service) + 4
        end = time.monotonic() + 60
        while measured(service) < wanted and time.monotonic() < end:
            sum(range(100_000))
        service.on_post_run_cell(None)
    service.stop_monitoring()
    return service


def measured(service: PerfmonitorService) -> int:
    """How often each level was measured at least. JUmPER's tables cannot be looked at while a row is added, but counted."""
    (node,) = service.monitor.nodes._nodes.values()
    return min(len(node._rows[level]) for level in node.levels)


def imported(path: Path) -> PerfmonitorService:
    """What JUmPER has after importing a session."""
    service = new_service()
    service.import_session(str(path))
    check(service.monitor.is_imported, f"JUmPER does not import {path}")
    return service


def levels(service: PerfmonitorService) -> dict[str, pd.DataFrame]:
    """The measurements, with the cells in which they were made."""
    frames = {
        level: service.monitor.nodes.view(level=level, cell_history=service.cell_history)
        for level in service.monitor.nodes.levels
    }
    return {level: frame for level, frame in frames.items() if not frame.empty}


def report(service: PerfmonitorService, level: str) -> str:
    """What JUmPER prints of all cells."""
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        service.reporter.print(cell_range=(0, len(service.cell_history) - 1), level=level)
        service.show_resources()
    return text.getvalue().replace(hint(service), "")


def hint(service: PerfmonitorService) -> str:
    """What a session says that is not kept: the numbers of CPUs."""
    (hardware,) = service.monitor.nodes.hardware.values()
    return f"CPU affinity: {hardware.cpu_handles}"


def metrics_of(session: Path) -> dict[str, pd.DataFrame]:
    """The measurements of a session of ours by level, without columns that have no value there."""
    table = pd.read_parquet(session / "metrics.parquet")
    return {
        str(level): rows.drop(columns=["host", "level"])
        .dropna(axis="columns", how="all")
        .reset_index(drop=True)
        for level, rows in table.groupby("level")
    }


def compare_metrics(
    ours: dict[str, pd.DataFrame], theirs: dict[str, pd.DataFrame], what: str
) -> int:
    """The same times and numbers. Returns how many."""
    check(ours.keys() == theirs.keys(), f"{what}: levels {sorted(ours)} and {sorted(theirs)}")
    count = 0
    for level, rows in ours.items():
        frame = theirs[level].drop(columns="cell_index")
        check(
            list(rows.columns) == list(frame.columns),
            f"{what}: columns {list(rows.columns)} and {list(frame.columns)}",
        )
        check(len(rows) == len(frame), f"{what}: {level} has {len(rows)} and {len(frame)} rows")
        for column in frame.columns:
            # Times are whole nanoseconds here.
            factor = 1e-9 if column == "time" else MIB if column in RATES else 1.0
            for our, their in zip(rows[column] * factor, frame[column]):
                near = NANOSECOND if column == "time" else 0.0
                same = math.isclose(our, their, rel_tol=1e-15, abs_tol=near) or (
                    math.isnan(our) and math.isnan(their)
                )
                check(same, f"{what}: {column} of {level} is {our!r} and {their!r}")
                count += 1
    return count


def compare_cells(ours: pd.DataFrame, theirs: pd.DataFrame, what: str) -> None:
    """The same cells, there and in `cells.parquet`."""
    check(list(ours["source"]) == list(theirs["raw_cell"]), f"{what}: other sources")
    for mine, yours in [("start", "start_time"), ("end", "end_time")]:
        for our, their in zip(ours[mine] / 1e9, theirs[yours]):
            check(
                math.isclose(our, their, abs_tol=NANOSECOND),
                f"{what}: {yours} is {our} and {their}",
            )


def compare_histories(before: pd.DataFrame, after: pd.DataFrame, what: str) -> None:
    """The same cells before and after."""
    check(list(before.columns) == list(after.columns), f"{what}: other columns of cells")
    for column in before.columns:
        near = WALL_CLOCK if "wallclock" in column else NANOSECOND
        for old, new in zip(before[column], after[column]):
            is_number = isinstance(old, float)
            same = math.isclose(old, new, abs_tol=near) if is_number else old == new
            check(same, f"{what}: {column} is {old!r} and {new!r}")


def monitor_facts(path: Path) -> dict[str, Any]:
    """What the manifest says of the monitor and is to stay."""
    facts: dict[str, Any] = json.loads((path / "manifest.json").read_text())["monitor"]
    # Not kept, or as the other clock had it.
    for key in ("cpu_handles", "uid", "slurm_job", "wallclock_stop_time"):
        facts.pop(key, None)
    return facts


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("jumper", type=Path)
    arguments.add_argument("--keep", type=Path, help="keep the sessions here")
    options = arguments.parse_args()
    logging.disable(logging.WARNING)
    try:
        with contextlib.ExitStack() as stack:
            folder = options.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
            folder.mkdir(parents=True, exist_ok=True)
            crossing = Crossing(options.jumper, folder)
            for monitor in MONITORS:
                crossing.from_jumper_extension(monitor)
            crossing.to_jumper_extension()
    except Failed as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 1
    return 0


class Crossing:
    """The two ways."""

    def __init__(self, jumper: Path, folder: Path) -> None:
        self.jumper = jumper
        self.folder = folder

    def run(self, *arguments: object) -> str:
        command = [self.jumper, *map(str, arguments)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        check(done.returncode == 0, f"{' '.join(map(str, command))}: {done.stderr}")
        return done.stdout

    def back(self, session: Path, out: Path) -> None:
        self.run("convert", session, out, "--to", "jumper-extension")

    def from_jumper_extension(self, monitor: str) -> None:
        """From JUmPER, and back to it."""
        service = record(monitor)
        there = self.folder / monitor
        archive = self.folder / f"{monitor}.zip"
        for path in (there, archive):
            service.export_session(str(path))
        before = imported(there)

        ours = self.folder / f"{monitor}.jumper"
        self.run("convert", there, ours)
        count = compare_metrics(metrics_of(ours), levels(service), f"{monitor}, here")
        compare_cells(
            pd.read_parquet(ours / "cells.parquet"), service.cell_history.data, f"{monitor}, here"
        )
        zipped = self.folder / f"{monitor}-zip.jumper"
        self.run("convert", archive, zipped)
        for table in ("metrics.parquet", "cells.parquet"):
            same = (ours / table).read_bytes() == (zipped / table).read_bytes()
            check(same, f"{monitor}: {table} is another from the zip file")

        again = self.folder / f"{monitor}-again"
        self.back(ours, again)
        for path in sorted(there.glob("perf_*.csv")):
            same = path.read_bytes() == (again / path.name).read_bytes()
            check(same, f"{monitor}: {path.name} is not what it was")
        facts = monitor_facts(there), monitor_facts(again)
        check(facts[0] == facts[1], f"{monitor}: other facts: {facts}")
        self.back(ours, self.folder / f"{monitor}-again.zip")
        for path in (again, self.folder / f"{monitor}-again.zip"):
            after = imported(path)
            for level, frame in levels(before).items():
                check(
                    frame.equals(levels(after)[level]),
                    f"{monitor}: {path.name}: {level} is not what it was",
                )
                reports = report(before, level), report(after, level)
                check(hint(before) not in reports[0], "a hint is left")
                check(reports[0] == reports[1], f"{monitor}: other reports: {reports}")
                check("CPU Util" in reports[0], f"{monitor}: no report: {reports[0]}")
            compare_histories(
                before.cell_history.data, after.cell_history.data, f"{monitor}: {path.name}"
            )
        print(f"{monitor}: {count} values and {len(CELLS)} cells there and back")

    def to_jumper_extension(self) -> None:
        """To JUmPER, and back from it."""
        ours = self.folder / "ours.jumper"
        out = self.folder / "report.txt"
        self.run("run", "--metrics-interval", 0.1, "--session", ours, "-o", out, "-c", PROGRAM)
        metrics = metrics_of(ours)
        there = self.folder / "ours"
        archive = self.folder / "ours.zip"
        for path in (there, archive):
            self.back(ours, path)
        check(
            "manifest.json" in zipfile.ZipFile(archive).namelist(),
            "the files are not at the root of the zip file",
        )
        start, end = (
            json.loads((ours / "manifest.json").read_text())[key] / 1e9
            for key in ("start_ns", "end_ns")
        )
        for path in (there, archive):
            service = imported(path)
            count = compare_metrics(metrics, levels(service), f"{path.name}, there")
            # A notebook has cells, a program has none: JUmPER reports what is in a cell.
            service.cell_history.data.loc[0] = [0, "all", start, end, end - start, 0.0, 0.0]
            for level in metrics:
                check("CPU Util" in report(service, level), f"no report of {level}")
        back = self.folder / "ours-back.jumper"
        self.run("convert", there, back)
        for level, rows in metrics_of(back).items():
            check(rows.equals(metrics[level]), f"ours: {level} is not what it was")
        units = [json.loads(self.units(path)) for path in (ours, back)]
        # A metric of which nothing is known has no column in their files.
        units[0] = {name: unit for name, unit in units[0].items() if name in units[1]}
        check(units[0] == units[1], f"ours: other units or kinds: {units}")
        print(f"ours: {count} values there and back")

    @staticmethod
    def units(session: Path) -> str:
        import pyarrow.parquet

        schema = pyarrow.parquet.read_schema(session / "metrics.parquet")
        fields = {field.name: field.metadata for field in schema}
        return json.dumps(
            {
                name: [metadata[key].decode() for key in (b"unit", b"kind")]
                for name, metadata in fields.items()
                if metadata and b"kind" in metadata
            }
        )


if __name__ == "__main__":
    sys.exit(main())
