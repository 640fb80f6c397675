"""What reports cost: time and memory from a session to a text, a speedscope file and others, beside pyinstrument.

`make bench-render` runs it; benches/README.md says how to read what it prints. The exit status is 1
when something could not be run, whatever the figures are.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

from . import machine
from .session import (
    FEW_SAMPLES,
    GENERATOR,
    SAMPLES,
    TARGET,
    Failed,
    Figure,
    as_json,
    in_words,
    progress,
    report,
    run,
)

# Renderers that pyinstrument has too, with the limits of a million samples: seconds and MB.
SHARED: dict[str, tuple[float | None, float | None]] = {
    "text": (0.5, 250),
    "speedscope": (2, None),
    "json": (None, None),
    "html": (None, None),
    "pstats": (None, None),
}
OURS = ["collapsed", "pprof", "firefox", "perfetto", "pyisession"]


class Bench:
    """The figures of some rounds."""

    def __init__(self, options: argparse.Namespace, work: Path) -> None:
        self.options = options
        self.work = work
        self.figures: dict[str, Figure] = {}

    def add(self, name: str, value: float, limit: float | None = None) -> None:
        """Adds to a row. Limits are for the whole size only."""
        is_whole = self.options.samples == SAMPLES
        figure = self.figures.setdefault(name, Figure(name, limit if is_whole else None))
        figure.values.append(value)

    def input(self, samples: int) -> Path:
        path = self.work / f"{samples}.pyisession"
        if not path.exists():
            progress(f"writing {path.name}")
            run(sys.executable, GENERATOR, str(samples), path)
        return path

    def session(self, samples: int) -> Path:
        path = self.work / f"{samples}.jumper"
        if not path.exists():
            run(self.options.jumper, "convert", self.input(samples), path)
        return path

    def round(self) -> None:
        samples: int = self.options.samples
        for renderer in (*SHARED, *OURS):
            limits = SHARED.get(renderer, (None, None))
            self.ours(renderer, samples, limits)
        theirs: int = self.options.pyinstrument_samples
        for renderer in SHARED:
            if theirs:
                self.rival(renderer, theirs)

    def ours(
        self, renderer: str, samples: int, limits: tuple[float | None, float | None]
    ) -> tuple[float, float]:
        out = self.work / f"ours.{renderer}"
        session, name = self.session(samples), f"{renderer}, {in_words(samples)}"
        progress(f"jumper: {name}")
        made = run(self.options.jumper, "render", session, "-r", renderer, "-o", out)
        self.add(f"jumper: {name}, s", made.seconds, limits[0])
        self.add(f"jumper: {name}, MB at most", made.peak_mb, limits[1])
        self.add(f"jumper: {name}, MB written", out.stat().st_size / 1e6)
        return made.seconds, made.peak_mb

    def rival(self, renderer: str, samples: int) -> None:
        """Pyinstrument, and ourselves with the same session."""
        out = self.work / f"theirs.{renderer}"
        source, name = self.input(samples), f"{renderer}, {in_words(samples)}"
        progress(f"pyinstrument: {name}")
        command = [self.options.venv / "bin/python", "-m", "pyinstrument", "--load", source]
        made = run(*command, "-r", renderer, "-o", out)
        self.add(f"pyinstrument: {name}, s", made.seconds)
        self.add(f"pyinstrument: {name}, MB at most", made.peak_mb)
        if samples == self.options.samples:
            figures = [self.figures[f"jumper: {name}, {what}"] for what in ("s", "MB at most")]
            seconds, peak = (figure.values[-1] for figure in figures)
        else:
            seconds, peak = self.ours(renderer, samples, (None, None))
        self.add(f"pyinstrument takes so many times as long: {name}", made.seconds / seconds)
        self.add(f"and so many times the memory: {name}", made.peak_mb / peak)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="compare.render", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="[default: 3]")
    parser.add_argument(
        "--samples", type=int, default=SAMPLES, metavar="N", help=f"[default: {SAMPLES}]"
    )
    parser.add_argument(
        "--pyinstrument-samples",
        type=int,
        default=FEW_SAMPLES,
        metavar="N",
        help=f"for pyinstrument, which takes 7 GB for a million; 0: without it [default: {FEW_SAMPLES}]",
    )
    parser.add_argument("--jumper", type=Path, default=TARGET / "release/jumper", metavar="PATH")
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
