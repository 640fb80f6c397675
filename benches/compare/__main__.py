"""The command: chooses what to measure, measures, prints.

    cd benches && python3 -m compare --jumper ../target/release/jumper --venv ../target/compare

The exit status is 1 when something could not be run, whatever the figures are, and 2 for wrong usage.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import re
import shlex
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from . import machine, report
from .contract import BLOCKS, COST, COST_COLUMN, COST_TITLE, SAMPLE_COST_US, Block, Column, Series
from .interpreters import Missing, local
from .measure import Bench, Failed, SeriesResults, sample_cost
from .report import Cell, Report
from .stats import estimate, spread
from .tools import AGENT, ORDER, Toolbox, adapters, output_of

REPOSITORY = Path(__file__).resolve().parents[2]
TARGET = REPOSITORY / "target"

COST_EXAMPLE = REPOSITORY / "benches/examples/sample_cost.rs"
COST_COMMAND = (
    *("cargo", "run", "--quiet", "--release", "--locked"),
    *("--manifest-path", str(REPOSITORY / "Cargo.toml")),
    *("-p", "jumper-benches", "--example", "sample_cost"),
)

# A figure: a tool in a column of a block.
Choice = tuple[Block, Column, str]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="compare", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="3 pairs, and truth.py for 3 s")
    parser.add_argument("--pairs", type=int, metavar="N", help="pairs of runs [default: 7]")
    parser.add_argument(
        "--only",
        type=re.compile,
        metavar="PATTERN",
        help="only figures whose `BLOCK | COLUMN | PROFILER` the regular expression finds, "
        "such as 'slowdown.*fib.*agent'",
    )
    parser.add_argument("--list", action="store_true", help="list these names and do nothing")
    parser.add_argument("--jumper", type=Path, default=TARGET / "release/jumper", metavar="PATH")
    parser.add_argument("--venv", type=Path, default=TARGET / "compare", metavar="DIR")
    parser.add_argument("--python", metavar="PATH", help="what runs programs [default: VENV's]")
    parser.add_argument("--seed", type=int, metavar="N", help="seed of all that is random")
    parser.add_argument(
        "--cost-command",
        type=shlex.split,
        metavar="COMMAND",
        help="prints `N us`, the cost of one sample [default: the example sample_cost]",
    )
    parser.add_argument("--json", type=Path, metavar="OUT", help="write all figures to OUT too")
    parser.add_argument("--markdown", action="store_true", help="print Markdown")
    parsed = parser.parse_args()
    if parsed.pairs is not None and parsed.pairs < 1:
        parser.error("--pairs must be at least 1")
    return parsed


def name_of(choice: Choice) -> str:
    block, column, tool = choice
    return f"{block.title} | {column.title} | {tool}"


def choices(only: re.Pattern[str] | None) -> list[Choice]:
    every = [
        (block, column, tool)
        for block in BLOCKS
        for tool in ORDER
        for column in block.columns
        if not column.series.only or tool in column.series.only
    ]
    if only is None:
        return every
    pattern = re.compile(only.pattern, re.IGNORECASE)
    return [choice for choice in every if pattern.search(name_of(choice))]


def wants_cost(only: re.Pattern[str] | None) -> bool:
    name = f"{COST_TITLE} | {COST_COLUMN} | {AGENT}"
    return only is None or bool(re.search(only.pattern, name, re.IGNORECASE))


def progress(line: str) -> None:
    print(f"compare: {line}", file=sys.stderr, flush=True)


def cells(
    chosen: list[Choice], measured: dict[Series, SeriesResults], toolbox: Toolbox
) -> list[Cell]:
    """A cell per figure. Profilers that are not there are left out, those with a limit are not."""
    found: dict[str, list[Cell]] = {}
    best = {block.title for block, _, _ in chosen if block.best}
    for block, column, tool in chosen:
        limit = column.limits.get(tool)
        result = measured[column.series].tools.get(tool) if column.series in measured else None
        if result is None and limit is None:
            continue
        values = result.values.get(column.quantity, []) if result else []
        instead = "-" if result else "not measured"
        if result and result.failures:
            instead = "failed"
            if result.slower_than is not None:
                instead = f"gave up (> {result.slower_than:.0f} x)"
        found.setdefault(block.title, []).append(
            Cell(
                *(block.title, column.title, tool, column.quantity),
                estimate=estimate(values) if values else None,
                limit=limit,
                every_run=column.every_run,
                instead=instead,
                failed=bool(result and result.failures),
            )
        )
    return [
        cell
        for title, block_cells in found.items()
        for cell in (report.limit_best_only(block_cells) if title in best else block_cells)
    ]


def cost_cell(command: list[str] | None, made: Report) -> Cell:
    """The cost of one sample, from a program of its own."""
    head = (COST_TITLE, COST_COLUMN, AGENT, COST)
    if command is None and not COST_EXAMPLE.exists():
        made.notes.append("cost of one sample: there is no example sample_cost in jumper-benches")
        return Cell(*head, limit=SAMPLE_COST_US, instead="not measured")
    progress("cost of one sample")
    try:
        return Cell(*head, estimate(sample_cost(command or COST_COMMAND)), SAMPLE_COST_US)
    except (Failed, OSError) as error:
        made.notes.append(f"cost of one sample: {error}")
        return Cell(*head, limit=SAMPLE_COST_US, instead="failed")


def main() -> int:
    options = arguments()
    chosen = choices(options.only)
    cost = wants_cost(options.only)
    if options.list:
        print("\n".join(map(name_of, chosen)))
        return 0
    if not chosen and not cost:
        print(f"error: nothing is called `{options.only.pattern}`; see --list", file=sys.stderr)
        return 2
    jumper = options.jumper.resolve()
    version = output_of([str(jumper), "--version"]).strip()
    if not version:
        print(f"error: {jumper} does not run; build it: make bench-stacks", file=sys.stderr)
        return 1
    for variable in [name for name in os.environ if name.startswith("PYTHON")]:
        # PYTHONPATH and its like are for this program, not for those that are measured.
        del os.environ[variable]
    seed = random.randrange(1_000_000) if options.seed is None else options.seed
    pairs = options.pairs or (3 if options.quick else 7)
    failures: list[str] = []

    with tempfile.TemporaryDirectory(prefix="jumper-compare-") as name:
        work = Path(name).resolve()
        work.chmod(0o755)
        # A build meanwhile is not to change what is measured.
        jumper = Path(shutil.copy2(jumper, work / "jumper"))
        version += f", SHA-256 {hashlib.sha256(jumper.read_bytes()).hexdigest()[:12]}"
        try:
            usual = local(options.python or str(options.venv / "bin/python"), work)
        except Missing as error:
            print(f"error: {error}; make bench-stacks makes the environment", file=sys.stderr)
            return 1
        toolbox = adapters(usual, jumper, options.venv.resolve())
        interpreters = {tool.interpreter.name for tool in toolbox.tools.values()}
        made = Report(
            jumper=version,
            pythons=sorted(interpreters),
            pairs=pairs,
            truth_runs=min(pairs, 5),
            truth_seconds=3 if options.quick else 10,
            seed=seed,
            load_before=machine.load_average(),
        )
        before = machine.counters()
        bench = Bench(work, made.truth_seconds, seed, progress)
        measured: dict[Series, SeriesResults] = {}
        for series in dict.fromkeys(column.series for _, column, _ in chosen):
            keys = {tool for _, column, tool in chosen if column.series == series}
            tools = [toolbox.tools[key] for key in ORDER if key in keys and key in toolbox.tools]
            rounds = made.truth_runs if series.scored else pairs
            try:
                measured[series] = bench.series(series, tools, rounds)
            except Failed as error:
                failures.append(f"{series.name}, plain: {error}")
                continue
            for python, seconds in measured[series].plain.items():
                plain = (statistics.median(seconds), spread(seconds))
                made.plain[f"{series.name}, {python}"] = plain
            for result in measured[series].tools.values():
                gave_up = result.slower_than is not None
                (made.notes if gave_up else failures).extend(result.failures)
        made.cells = cells(chosen, measured, toolbox)
        made.load = machine.Load.between(before, machine.counters())
        made.load_after = machine.load_average()
        if cost:
            # Last, because it compiles.
            made.cells.append(cost_cell(options.cost_command, made))

    made.notes += [f"{tool}: {reason}" for tool, reason in toolbox.missing.items()]
    print(report.markdown(made) if options.markdown else report.text(made))
    if options.json:
        options.json.write_text(json.dumps(made.as_json(), indent=1) + "\n", encoding="utf-8")
    for failure in failures:
        print(f"error: {failure}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
