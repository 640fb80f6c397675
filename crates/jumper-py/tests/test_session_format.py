"""The examples of docs/session-format.md, run with the readers that they are for."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import re
import threading
import time
from pathlib import Path
from typing import Any

import duckdb
import pytest

import jumper

DOCS = Path(__file__).parents[3] / "docs" / "session-format.md"


def fib(n: int) -> int:
    return n if n < 2 else fib(n - 1) + fib(n - 2)


@dataclasses.dataclass(frozen=True)
class Recorded:
    """A session, and what the program itself saw of its time: a busy machine makes it longer."""

    place: Path
    computed_s: float
    waited_s: float


def compute(seconds: float) -> float:
    start = time.perf_counter()
    while time.perf_counter() < start + seconds:
        fib(15)
    return time.perf_counter() - start


def wait(seconds: float, waited: list[float]) -> None:
    start = time.perf_counter()
    time.sleep(seconds)
    waited.append(time.perf_counter() - start)


def blocks(language: str) -> list[str]:
    examples = DOCS.read_text().split("## Examples")[1]
    return re.findall(rf"```{language}\n(.*?)```", examples, re.DOTALL)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    place = tmp_path_factory.mktemp("format")
    waited: list[float] = []
    with jumper.Profiler(interval=0.002, metrics_interval=0.1) as profiler:
        waiter = threading.Thread(target=wait, args=(0.6, waited), name="waiter")
        waiter.start()
        computed = compute(0.6)
        waiter.join()
    assert profiler.last_session is not None
    profiler.last_session.save(place / "fib.jumper")
    return Recorded(place, computed, waited[0])


def test_the_python_examples_run_and_print_what_was_recorded(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(recorded.place)
    names: dict[str, Any] = {}
    printed = []
    for code in blocks("python"):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(code, str(DOCS), "exec"), names)  # noqa: S102 (it is what this test is for)
        printed.append(out.getvalue())
    times, metrics, threads, units = printed
    seconds = {line.split()[0]: line.split()[-1] for line in times.splitlines() if line}
    assert float(seconds["wait"]) == pytest.approx(recorded.waited_s, abs=0.2)
    # Few samples meet `compute` outside of `fib`, and sometimes none does.
    own = float(seconds["fib"]) + float(seconds.get("compute", 0))
    assert own == pytest.approx(recorded.computed_s, abs=0.2)
    assert "process" in metrics and time.strftime("%Y-") in metrics
    assert "MainThread" in threads
    assert "cpu_util_avg" in units and "CLOCK_MONOTONIC" in units


def test_the_query_adds_up_time_with_all_that_was_called(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(recorded.place)
    (query,) = blocks("sql")
    seconds = dict(duckdb.sql(query).fetchall())
    assert seconds["compute"] == pytest.approx(recorded.computed_s, abs=0.2)
    assert 0 < seconds["fib"] <= seconds["compute"]
    assert seconds["wait"] == pytest.approx(recorded.waited_s, abs=0.2)
