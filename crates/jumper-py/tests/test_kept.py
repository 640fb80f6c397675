"""``Profiler(session=...)``: recordings that are on disk while they go on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import jumper
from jumper import Profiler

PROGRAM = """
import sys, threading, time
import jumper

profiler = jumper.Profiler(session=sys.argv[1])
profiler.start(target_description="a service")
end = time.perf_counter() + 60
while time.perf_counter() < end:
    sum(range(100))
"""


def test_a_session_is_kept_where_it_was_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "a.jumper"
    profiler = Profiler(session=path)
    for _ in range(2):
        with profiler:
            time.sleep(0.2)
        assert profiler.last_session is not None
        assert profiler.last_session.path == path
        assert jumper.load(path).sample_count == profiler.last_session.sample_count > 0
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.jumper"]


def test_what_was_recorded_survives_the_process(tmp_path: Path) -> None:
    path = tmp_path / "a.jumper"
    program = subprocess.Popen([sys.executable, "-c", PROGRAM, str(path)])
    try:
        samples = 0
        while samples < 500:
            assert program.poll() is None
            time.sleep(0.05)
            try:
                samples = jumper.load(path).sample_count
            except jumper.JumperError:
                # It has not begun.
                continue
    finally:
        os.kill(program.pid, signal.SIGKILL)
        program.wait()
    session = jumper.load(path)
    assert session.sample_count >= samples
    assert session.target_description == "a service"


def test_a_place_that_is_taken_is_left_alone(tmp_path: Path) -> None:
    taken = tmp_path / "notes.txt"
    taken.write_text("mine")
    profiler = Profiler(session=taken)
    with pytest.raises(jumper.JumperError, match="notes.txt"):
        profiler.start()
    assert not profiler.is_running
    assert taken.read_text() == "mine"
