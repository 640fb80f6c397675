"""``jumper.Metric``: numbers of one's own, beside those that are measured."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

import jumper
from jumper import Metric, Profiler


def recorded(*metrics: Metric, until: Callable[[], bool]) -> str:
    """The text report of a recording that lasts until a condition holds."""
    with Profiler(0.01, metrics_interval=0.02, metrics=metrics) as profiler:
        while not until():
            time.sleep(0.01)
    session = profiler.last_session
    assert session is not None
    return session.render("text", color=False).decode()


def line_of(report: str, name: str) -> str:
    return next(line for line in report.splitlines() if line.strip().startswith(name))


def test_what_a_callable_returns_is_recorded() -> None:
    calls: list[str] = []

    def read() -> float:
        calls.append(threading.current_thread().name)
        return 7.0

    report = recorded(
        Metric("queue_length", "jobs", "gauge", read, "who waits"), until=lambda: len(calls) > 5
    )
    assert "7.00 jobs" in line_of(report, "queue_length")
    assert threading.current_thread().name not in calls


def test_an_exception_is_a_note_once_and_the_others_go_on() -> None:
    calls = [0, 0]

    def broken() -> float:
        calls[0] += 1
        raise KeyError("no such queue")

    def whole() -> int:
        calls[1] += 1
        return 3

    report = recorded(
        Metric("broken", "", "gauge", broken),
        Metric("whole", "", "gauge", whole),
        until=lambda: min(calls) > 5,
    )
    assert report.count("KeyError") == 1
    assert "no such queue" in report
    assert "3" in line_of(report, "whole")
    assert not any(
        line.strip().startswith("broken ") for line in report.splitlines() if "Note" not in line
    )


def test_one_that_never_returns_delays_nobody() -> None:
    end = threading.Event()
    calls = [0]

    def read() -> float:
        calls[0] += 1
        return 1.0

    try:
        report = recorded(
            Metric("stuck", "", "gauge", lambda: float(end.wait())),
            Metric("moving", "", "gauge", read),
            until=lambda: calls[0] > 5,
        )
    finally:
        end.set()
    assert line_of(report, "moving")


def test_none_and_what_is_no_number() -> None:
    calls = [0]

    def nothing() -> None:
        calls[0] += 1

    text: Any = lambda: "three"
    report = recorded(
        Metric("nothing", "", "gauge", nothing),
        Metric("text", "", "gauge", text),
        until=lambda: calls[0] > 5,
    )
    assert "it returns str, which is no number" in report


def test_what_no_metric_can_be_is_refused() -> None:
    for name in ("", "time", "level"):
        with pytest.raises(ValueError, match="cannot be called"):
            Metric(name, "", "gauge", float)
    kind: Any = "histogram"
    with pytest.raises(ValueError, match="gauge or counter"):
        Metric("a", "", kind, float)
    number: Any = 3
    with pytest.raises(TypeError, match="calling"):
        Metric("a", "", "gauge", number)
    with pytest.raises(ValueError, match="metrics_interval"):
        Profiler(metrics_interval=None, metrics=[Metric("a", "", "gauge", float)])
    taken = Profiler(metrics=[Metric("memory", "GiB", "gauge", float)])
    with pytest.raises(ValueError, match="already a metric `memory`"):
        taken.start()
    assert not taken.is_running
    assert jumper.Metric is Metric
