"""Sessions as Python objects: formats, and parts of one."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

import jumper


@pytest.fixture(scope="module")
def session() -> jumper.Session:
    """A second of two threads: the main one computes, the other one waits."""
    with jumper.Profiler(interval=0.002, metrics_interval=0.1) as profiler:
        waiter = threading.Thread(target=time.sleep, args=(1.0,), name="waiter")
        waiter.start()
        end = time.perf_counter() + 1.0
        while time.perf_counter() < end:
            sum(range(100))
        waiter.join()
    assert profiler.last_session is not None
    return profiler.last_session


@pytest.mark.parametrize("name", ["a.jumper", "a.zip", "a.pyisession"])
def test_a_session_is_saved_and_read_in_every_format(
    session: jumper.Session, tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    session.save(path)
    read = jumper.load(path)
    assert read.sample_count == session.sample_count
    assert read.duration == pytest.approx(session.duration)


def test_a_part_of_a_session_is_a_session(session: jumper.Session) -> None:
    early = session.select(time=":0.5")
    assert early.duration == pytest.approx(0.5)
    assert 0 < early.sample_count < session.sample_count
    waiting = session.select(threads=["waiter"])
    assert "MainThread" not in waiting.render("text").decode()
    running = session.select(mode="cpu", threads=["waiter", "MainThread"])
    assert running.sample_count < session.sample_count
    assert session.select().sample_count == session.sample_count


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"time": "x"}, "`x` is no range; write two numbers"),
        ({"cell": "1.5"}, "`1.5` is no range"),
        ({"cell": "3"}, "there are no cells `3`: the recording has no cells"),
        ({"threads": ["nobody"]}, "there is no thread `nobody` in the session; there are "),
        ({"processes": [1]}, "there is no process `1` in the session; there are "),
        (
            {"levels": ["moon"]},
            "there is no level `moon` in the session; there are process, system",
        ),
        ({"mode": "sideways"}, "`sideways` is no mode; choose one of `wall`, `cpu` and `gil`"),
    ],
)
def test_what_is_not_there_is_a_value_error_that_says_what_is(
    session: jumper.Session, wrong: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match="is no|there ") as caught:
        session.select(**wrong)  # type: ignore[arg-type]
    assert message in str(caught.value)


def test_a_selection_without_time_is_an_error(session: jumper.Session) -> None:
    with pytest.raises(jumper.JumperError, match="nothing was recorded in what is selected"):
        session.select(time="900:")


def test_a_coarser_session_has_the_same_time(session: jumper.Session) -> None:
    coarse = session.resample(0.1)
    assert coarse.sample_count < 40 < session.sample_count
    assert coarse.duration == session.duration
    for interval in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="more than 0"):
            session.resample(interval)


def test_two_sessions_are_combined(session: jumper.Session) -> None:
    both = jumper.Session.combine(session, session)
    assert both.sample_count == 2 * session.sample_count
    assert both.duration == pytest.approx(2 * session.duration)


def test_metrics_are_plotted_in_every_format(session: jumper.Session) -> None:
    plot = session.render("plot", metrics=["cpu_summary", "memory"], theme="dark").decode()
    assert plot.startswith("<svg ") and "Memory (USS)" in plot
    assert session.render("plot-png", width=300, scale=1).startswith(b"\x89PNG")
    assert session.render("plot-jpeg", metrics="memory").startswith(b"\xff\xd8\xff")
    with pytest.raises(ValueError, match="no measurements of `memroy`; did you mean `memory`"):
        session.render("plot", metrics=["memroy"])


def test_a_flame_graph_names_threads_and_calls(session: jumper.Session) -> None:
    graph = session.render("flamegraph", by="thread").decode()
    assert "MainThread (" in graph and "waiter (" in graph
