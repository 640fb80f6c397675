"""Tests of the statistics, of reading what profilers print, and of the verdicts.

cd benches && python3 -m unittest compare.tests
"""

from __future__ import annotations

import json
import tempfile
import unittest
from dataclasses import replace
from pathlib import Path

from . import machine, report
from .contract import BLOCKS, ERROR, LOST, RATE, SLOWDOWN
from .measure import Failed, GaveUp, parse_costs, parse_score, parse_seconds, ratio, run
from .report import Cell, Report
from .session import Figure, in_words, number
from .stats import coverage, estimate, spread
from .tools import (
    ORDER,
    Unreadable,
    parse_manifest,
    parse_profiling_sampling,
    parse_py_spy,
)
from .workloads.score import score_collapsed, score_pyijson


class Statistics(unittest.TestCase):
    def test_the_coverage_is_the_binomial_one(self) -> None:
        self.assertAlmostEqual(coverage(7, 1), 1 - 2 / 2**7)
        self.assertAlmostEqual(coverage(9, 2), 1 - 2 * (1 + 9) / 2**9)
        self.assertEqual(coverage(1, 1), 0.0)

    def test_seven_runs_give_their_whole_range(self) -> None:
        found = estimate([5, 1, 3, 2, 4, 7, 6])
        self.assertEqual((found.median, found.low, found.high), (4, 1, 7))
        self.assertAlmostEqual(found.coverage, 0.984, places=3)

    def test_nine_runs_leave_the_outermost_out(self) -> None:
        found = estimate(range(1, 10))
        self.assertEqual((found.median, found.low, found.high), (5, 2, 8))
        self.assertGreaterEqual(found.coverage, 0.95)

    def test_few_runs_say_that_they_are_few(self) -> None:
        self.assertEqual(estimate([3.0]).coverage, 0.0)
        self.assertAlmostEqual(estimate([1, 2, 3]).coverage, 0.75)
        with self.assertRaises(ValueError):
            estimate([])

    def test_a_pair_is_a_run_against_its_two_neighbours(self) -> None:
        self.assertAlmostEqual(ratio(3.3, 2.0, 4.0), 1.1)

    def test_the_spread_is_between_the_quartiles(self) -> None:
        self.assertEqual(spread([1.0]), 0.0)
        self.assertAlmostEqual(spread([1, 2, 3, 4, 5]), 2 / 3)


class Sessions(unittest.TestCase):
    def test_the_median_decides_over_a_limit(self) -> None:
        figure = Figure("seconds", 15.0, [14.0, 16.0, 13.0])
        self.assertTrue(figure.met)
        self.assertRegex(figure.line(), r"^ seconds +14 \[13, 16\] +15 met$")
        self.assertFalse(Figure("seconds", 13.9, [14.0]).met)
        self.assertIsNone(Figure("seconds", None, [14.0]).met)

    def test_figures_are_as_long_as_they_are_exact(self) -> None:
        self.assertEqual([number(x) for x in (1234.5, 15, 0.51234)], ["1234", "15", "0.512"])
        self.assertEqual([in_words(x) for x in (10_000_000, 5000)], ["10 M samples", "5 k samples"])


class Reading(unittest.TestCase):
    def test_a_manifest_says_what_was_lost(self) -> None:
        stacks = {"hold": "ptrace", "samples": 990, "lost": 10, "span_ns": 2_000_000_000}
        found = parse_manifest(json.dumps({"stacks": stacks}), "ptrace")
        self.assertEqual((found.lost_share, found.rate), (0.01, 495.0))

    def test_a_recording_that_was_held_otherwise_is_not_taken(self) -> None:
        stacks = {"hold": "ptrace", "samples": 1, "lost": 0, "span_ns": 1}
        with self.assertRaisesRegex(Unreadable, "ptrace, not by agent"):
            parse_manifest(json.dumps({"stacks": stacks}), "agent")
        with self.assertRaisesRegex(Unreadable, "no stacks: it is too new"):
            parse_manifest(json.dumps({"notes": ["it is too new"]}), "agent")

    def test_other_profilers_say_it_in_words(self) -> None:
        self.assertEqual(parse_py_spy("py-spy> Wrote 'x'. Samples: 99 Errors: 1\n"), (99, 0.01))
        log = "Captured 1,905 samples in 1.91 seconds\nError rate: 50.39\n"
        self.assertEqual(parse_profiling_sampling(log)[0], 1905)
        self.assertAlmostEqual(parse_profiling_sampling(log)[1], 0.5039)
        self.assertEqual(parse_profiling_sampling("Captured 7 samples in 1 s")[1], 0.0)
        with self.assertRaises(Unreadable):
            parse_py_spy("Error: no permission")

    def test_seconds_are_found_among_other_lines(self) -> None:
        self.assertEqual(parse_seconds("py-spy> at 1000.0 Hz\n\n1.2345\n\nend\n"), 1.2345)
        with self.assertRaises(Failed):
            parse_seconds("Samples: 12\n")

    def test_a_score_and_costs(self) -> None:
        self.assertEqual(parse_score("max|err| 0.31 pp unattributed 0.10%"), 0.31)
        self.assertEqual(parse_costs("20 deep: 8.25 us a sample\nagain: 9 us\n3 used"), [8.25, 9])

    def test_profiles_are_added_up_by_the_outermost_known_function(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            profile = Path(folder) / "profile"
            profile.write_text("# x\nmain;a (f.py:1);c 3\nmain;ab 1\n\n", encoding="utf-8")
            self.assertEqual(score_collapsed(str(profile), {"a"}), {"a": 3, "<other>": 1})
            leaf = {"function": "a", "time": 2.0, "children": []}
            root = {"function": "main", "time": 3.0, "children": [leaf]}
            profile.write_text(json.dumps({"root_frame": root}), encoding="utf-8")
            self.assertEqual(score_pyijson(str(profile), {"a"}), {"a": 2.0, "<other>": 1.0})

    def test_the_machine_s_counters(self) -> None:
        text = "cpu  100 10 50 9000 5 3 2 40 0 0\ncpu0 ..."
        self.assertEqual(machine.parse_stat(text, 100), (1.65, 0.4))


class Running(unittest.TestCase):
    def test_what_fails_or_hangs_is_told_in_one_line(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(run(["echo", "1.5"], Path(folder), 9)[0], "1.5\n")
            with self.assertRaisesRegex(Failed, "exit status 3: why$"):
                run(["sh", "-c", "echo not this >&2; echo why >&2; exit 3"], Path(folder), 9)
            with self.assertRaises(GaveUp):
                run(["sleep", "60"], Path(folder), 0.1)


class Verdicts(unittest.TestCase):
    def cell(self, quantity: str, values: list[float], limit: float, every: bool = False) -> Cell:
        return Cell("block", "column", "tool", quantity, estimate(values), limit, every)

    def test_a_limit_is_met_when_the_interval_reaches_it(self) -> None:
        self.assertTrue(self.cell(SLOWDOWN, [1.02, 1.03, 1.04], 1.02).met)
        self.assertFalse(self.cell(SLOWDOWN, [1.021, 1.03, 1.04], 1.02).met)
        self.assertTrue(self.cell(RATE, [48_000, 50_000], 50_000).met)
        self.assertFalse(self.cell(RATE, [48_000, 49_999], 50_000).met)
        self.assertFalse(self.cell(LOST, [0, 0, 0.001], 0, every=True).met)
        self.assertIsNone(Cell("block", "column", "tool", ERROR, None, 1.0).met)

    def test_a_limit_is_not_met_where_a_run_failed(self) -> None:
        cell = replace(self.cell(SLOWDOWN, [1.0, 1.0], 1.02), failed=True)
        self.assertEqual((cell.met, cell.verdict), (None, "1.02 failed"))

    def test_figures_are_short(self) -> None:
        cell = self.cell(SLOWDOWN, [1.006, 1.013, 1.021], 1.02)
        self.assertEqual((cell.value, cell.verdict), ("1.013 [1.006, 1.021]", "1.02 met"))
        cell = self.cell(LOST, [0, 0.0005, 0.5], 0.001)
        self.assertEqual((cell.value, cell.verdict), ("0.05 [0, 50.0]", "0.1 met"))

    def test_the_best_of_several_rates_counts(self) -> None:
        cells = [self.cell(RATE, [30_000], 50_000), self.cell(RATE, [60_000], 50_000)]
        self.assertEqual([c.met for c in report.limit_best_only(cells)], [None, True])
        lacking = [Cell("b", c, "tool", RATE, limit=50_000) for c in "xy"]
        limits = [c.limit for c in report.limit_best_only(lacking)]
        self.assertEqual(limits, [50_000, None])

    def test_a_disturbed_run_says_so(self) -> None:
        self.assertEqual(machine.disturbances(machine.Load(0.0, 0.0), {"fib": 0.01}), [])
        found = machine.disturbances(machine.Load(9.0 * machine.cpus(), 0.0), {"fib": 0.2, "x": 0})
        self.assertEqual(len(found), 2)
        self.assertIn("20 % (fib)", found[1])

    def test_the_tables_fit_into_100_columns(self) -> None:
        cells = [
            Cell(block.title, column.title, tool, column.quantity, estimate([0.5]), 0.4)
            for block in BLOCKS
            for tool in ORDER
            for column in block.columns
        ]
        made = Report("jumper 0", ["CPython 3"], 7, 5, 10, 1, "0", cells=cells)
        for line in report.text(made).splitlines():
            self.assertLessEqual(len(line), 100, line)
        self.assertIn("| jumper agent |", report.markdown(made))
        json.dumps(made.as_json())


if __name__ == "__main__":
    unittest.main()
