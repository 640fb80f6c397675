"""``jumper.Profiler`` on real code in this very process."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import jumper
from jumper import Profiler


def spin(seconds: float) -> int:
    end = time.perf_counter() + seconds
    rounds = 0
    while time.perf_counter() < end:
        rounds += sum(range(50)) > 0
    return rounds


def share_of(session: jumper.Session, function: str) -> float:
    """The share of its thread's time that a function has, wherever it was called."""
    total = 0.0
    threads = []
    root = json.loads(session.render("json"))["root_frame"]
    threads = root["children"] if root["function"] == "[root]" else [root]
    main = next(thread for thread in threads if thread["function"] == "MainThread")
    open_frames = [main]
    while open_frames:
        frame = open_frames.pop()
        if frame["function"].rpartition(".")[2] == function:
            total += frame["time"]
        else:
            open_frames.extend(frame["children"])
    return total / main["time"]


def test_the_time_is_where_it_was_spent() -> None:
    with Profiler() as profiler:
        spin(0.5)
    session = profiler.last_session
    assert session is not None
    assert share_of(session, "spin") > 0.9
    assert 0.5 <= session.duration < 30
    assert session.sample_count > 50
    assert session.cpu_time is not None and session.cpu_time > 0.1
    assert abs(session.start_time - time.time()) < 60


def test_lines_threads_and_qualified_names() -> None:
    class Worker:
        def run(self) -> None:
            spin(0.4)

    thread = threading.Thread(target=Worker().run, name="the worker")
    with Profiler() as profiler:
        thread.start()
        thread.join()
    text = profiler.output_text()
    assert "the worker" in text and "MainThread" in text
    if sys.version_info >= (3, 11):
        assert "Worker.run" in text
    assert re.search(rf"spin  .*test_profiler\.py:{spin.__code__.co_firstlineno}\b", text)


def test_where_modules_are_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Of a name that is no text, something that is none, and what is added while it is recorded.
    monkeypatch.setattr(sys, "path", ["/no\udcfftext", tmp_path, *sys.path])
    monkeypatch.setattr(sys, "argv", ["a\udcff.py"])
    with Profiler() as profiler:
        monkeypatch.syspath_prepend(str(tmp_path))
        json.dumps(list(range(200_000)), indent=1)
    session = profiler.last_session
    assert session is not None and session.target_description == "a\ufffd.py"
    session.save(tmp_path / "a.jumper")
    manifest = json.loads((tmp_path / "a.jumper/manifest.json").read_text())
    texts = [entry for entry in sys.path if isinstance(entry, str)]
    texts[1] = "/no\ufffdtext"
    assert manifest["sys_path"] == texts
    prefixes = [sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix]
    assert manifest["sys_prefixes"] == prefixes
    frames = [json.loads(session.render("json"))["root_frame"]]
    found = {}
    while frames:
        frame = frames.pop()
        found[frame["function"]] = (frame["file_path_short"], frame["is_application_code"])
        frames.extend(frame["children"])
    assert found["dumps"] == ("json/__init__.py", False)
    ours = found["test_where_modules_are_is_known"]
    assert ours[0].endswith("test_profiler.py") and ours[1]


def test_the_life_of_a_profiler() -> None:
    profiler = Profiler(interval=0.002)
    assert profiler.interval == 0.002
    assert profiler.last_session is None and not profiler.is_running
    with pytest.raises(RuntimeError, match="nothing was recorded"):
        profiler.output_text()
    with pytest.raises(RuntimeError, match="not running"):
        profiler.stop()
    profiler.start(target_description="a test of mine")
    assert profiler.is_running
    with pytest.raises(RuntimeError, match="running already"):
        profiler.start()
    spin(0.05)
    session = profiler.stop()
    assert session is profiler.last_session and not profiler.is_running
    assert session.target_description == "a test of mine"
    assert "a test of mine" in profiler.output_text()
    profiler.start()
    spin(0.05)
    assert profiler.stop() is not session
    profiler.start()
    profiler.reset()
    assert profiler.last_session is None and not profiler.is_running


def test_with_stops_also_when_the_block_fails() -> None:
    profiler = Profiler()
    with pytest.raises(ZeroDivisionError), profiler:
        spin(0.05)
        1 / 0  # noqa: B018
    assert not profiler.is_running
    assert profiler.last_session is not None


def test_two_profilers_at_once_see_the_same() -> None:
    outer, inner = Profiler(), Profiler(interval=0.003)
    with outer:
        with inner:
            spin(0.3)
        spin(0.3)
    assert inner.last_session is not None and outer.last_session is not None
    assert inner.last_session.duration < outer.last_session.duration
    assert share_of(inner.last_session, "spin") > 0.8


def test_only_chosen_threads_are_recorded() -> None:
    stop = threading.Event()
    worker = threading.Thread(target=stop.wait, name="chosen")
    with pytest.raises(ValueError, match="'chosen' has not started"):
        Profiler(threads=[worker])
    worker.start()
    with Profiler(threads=[worker]) as profiler, Profiler() as other:
        time.sleep(0.2)
    stop.set()
    worker.join()
    text = profiler.output_text()
    assert "chosen" in text
    assert "MainThread" not in text
    assert "MainThread" in other.output_text()
    with pytest.raises(ValueError, match="no thread is chosen"):
        Profiler(threads=[])


def test_it_can_be_stopped_from_another_thread() -> None:
    profiler = Profiler()
    profiler.start()
    stopper = threading.Thread(target=lambda: (time.sleep(0.1), profiler.stop()))
    stopper.start()
    spin(0.2)
    stopper.join()
    assert profiler.last_session is not None and not profiler.is_running


@pytest.mark.parametrize("interval", [0, -1, float("nan"), 1e9])
def test_an_interval_that_makes_no_sense_is_refused(interval: float) -> None:
    with pytest.raises(ValueError, match="interval"):
        Profiler(interval=interval)
    with pytest.raises(ValueError, match="interval"):
        Profiler(metrics_interval=interval)


def test_resources_are_measured_unless_they_are_not_wanted() -> None:
    with Profiler(metrics_interval=0.05) as profiler:
        spin(0.2)
    assert "memory (USS)" in profiler.output_text()
    with Profiler(metrics_interval=None) as profiler:
        spin(0.1)
    assert "memory (USS)" not in profiler.output_text()


def test_print_fits_the_stream() -> None:
    with Profiler() as profiler:
        spin(0.1)
    plain = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    profiler.print(file=plain)
    plain.flush()
    page = io.StringIO()
    profiler.print(file=page, unicode=True, color=True)
    assert "\x1b[" in page.getvalue()
    assert "\x1b[" not in profiler.output_text()


def test_the_text_has_pyinstruments_keywords() -> None:
    with jumper.Profiler(interval=0.001) as profiler:
        spin(0.2)
    flat = profiler.output_text(flat=True, flat_time="cumulative")
    assert " spin  " in flat and "└" not in flat
    assert "100.0% " in profiler.output_text(time="percent_of_total")
    assert profiler.output_text(short_mode=True).startswith("\njumper .....")
    with pytest.raises(ValueError, match="hide_regex"):
        profiler.output_text(processor_options={"hide_regex": "("})
    page = io.StringIO()
    profiler.print(file=page, show_all=True, timeline=True)
    assert " spin  " in page.getvalue()
    with pytest.raises(ValueError, match="choose one of `flat` and `timeline`"):
        profiler.output_text(flat=True, timeline=True)
    with pytest.raises(ValueError, match='`time` cannot be "minutes"'):
        profiler.output_text(time="minutes")


def test_html_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    with Profiler() as profiler:
        spin(0.1)
    page = tmp_path / "page.html"
    page.write_text("an older report")
    profiler.write_html(page)
    assert page.read_text() == profiler.output_html()
    assert [entry.name for entry in tmp_path.iterdir()] == ["page.html"]
    with pytest.raises(jumper.JumperError, match="no/such"):
        profiler.write_html(tmp_path / "no/such/page.html")


def test_a_session_is_saved_and_loaded_without_loss(tmp_path: Path) -> None:
    with Profiler() as profiler:
        spin(0.1)
    session = profiler.last_session
    assert session is not None
    path = tmp_path / "s.jumper"
    session.save(path)
    loaded = jumper.load(path)
    assert loaded.path == path.resolve()
    assert loaded.render("json") == session.render("json")
    assert loaded.sample_count == session.sample_count
    assert repr(loaded) == repr(session)
    with pytest.raises(ValueError, match="text, html, json"):
        loaded.render("pdf")


def test_what_is_no_session_is_named(tmp_path: Path) -> None:
    with pytest.raises(jumper.JumperError, match="nothing.jumper"):
        jumper.load(tmp_path / "nothing.jumper")
    (tmp_path / "precious").write_text("data")
    with Profiler() as profiler:
        spin(0.05)
    assert profiler.last_session is not None
    with pytest.raises(jumper.JumperError, match="precious"):
        profiler.last_session.save(tmp_path / "precious")


def test_the_program_s_own_signals_are_left_alone() -> None:
    seen = []
    before = signal.signal(signal.SIGALRM, lambda *_: seen.append(1))
    try:
        with Profiler():
            signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
            spin(0.3)
            signal.setitimer(signal.ITIMER_REAL, 0)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert len(seen) > 5
    unchanged = [signal.getsignal(number) for number in range(signal.SIGRTMIN, signal.SIGRTMAX)]
    assert set(unchanged) == {signal.SIG_DFL}


def test_blocked_calls_are_never_interrupted() -> None:
    """A call that a signal interrupts takes longer or fails; these take as long as they were asked to."""
    with Profiler():
        for _ in range(20):
            start = time.perf_counter()
            time.sleep(0.01)
            assert time.perf_counter() - start >= 0.01


def in_new_process(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )


def test_a_forked_child_neither_hangs_nor_keeps_recording() -> None:
    code = """
import os, jumper
profiler = jumper.Profiler(interval=0.0005)
profiler.start()
for _ in range(20):
    sum(range(100_000))
    pid = os.fork()
    if pid == 0:
        assert not profiler.is_running
        try:
            profiler.stop()
        except RuntimeError:
            own = jumper.Profiler()
            own.start()
            sum(range(1_000_000))
            os._exit(0 if own.stop().sample_count >= 0 else 2)
        os._exit(1)
    assert os.waitpid(pid, 0)[1] == 0
print(profiler.stop().sample_count > 0)
"""
    done = in_new_process(code)
    assert (done.stdout, done.returncode) == ("True\n", 0), done.stderr


def test_a_child_can_profile_itself_though_profilers_came_and_went_while_it_was_forked() -> None:
    code = """
import os, signal, threading, time, jumper
ended = threading.Event()
def come_and_go():
    while not ended.is_set():
        with jumper.Profiler():
            time.sleep(0.002)
thread = threading.Thread(target=come_and_go)
thread.start()
statuses = set()
for _ in range(40):
    pid = os.fork()
    if pid == 0:
        signal.alarm(20)
        with jumper.Profiler():
            pass
        os._exit(0)
    statuses.add(os.waitpid(pid, 0)[1])
ended.set()
thread.join()
print(statuses)
"""
    done = in_new_process(code)
    assert (done.stdout, done.returncode) == ("{0}\n", 0), done.stderr


def test_a_program_may_take_the_signal_for_itself_while_it_is_profiled() -> None:
    code = """
import os, signal, time, jumper
def spin(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass
calls = []
profiler = jumper.Profiler(interval=0.001)
profiler.start()
spin(0.1)
signal.signal(signal.SIGURG, lambda *_: calls.append(1))
os.kill(os.getpid(), signal.SIGURG)
spin(0.4)
session = profiler.stop()
during = len(calls)
os.kill(os.getpid(), signal.SIGURG)
spin(0.01)
# One of ours may have been on its way when the handler changed.
print(1 <= during <= 2, len(calls) - during, session.sample_count > 300)
"""
    done = in_new_process(code)
    assert (done.stdout, done.returncode) == ("True 1 True\n", 0), done.stderr


def test_the_interpreter_can_end_with_a_profiler_running() -> None:
    code = "import jumper; jumper.Profiler(interval=0.0002).start(); sum(range(3_000_000)); print('end')"
    for _ in range(5):
        done = in_new_process(code)
        assert (done.stdout, done.stderr, done.returncode) == ("end\n", "", 0)


def test_importing_it_imports_nothing_heavy() -> None:
    code = "import sys; before = set(sys.modules); import jumper; print(sorted(set(sys.modules) - before))"
    imported = in_new_process(code).stdout
    for name in ("asyncio", "numpy", "pandas", "IPython", "django", "http"):
        assert f"'{name}" not in imported, imported


def test_the_command_is_the_same_as_the_binary(tmp_path: Path) -> None:
    script = tmp_path / "a.py"
    script.write_text("import sys; sum(range(5_000_000)); print(sys.executable); sys.exit(3)")
    command = [sys.executable, "-m", "jumper", "run", "-o", str(tmp_path / "r.txt"), str(script)]
    environment = {**os.environ, "XDG_DATA_HOME": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert (done.stdout, done.returncode) == (f"{sys.executable}\n", 3), done.stderr
    assert "<module>" in (tmp_path / "r.txt").read_text()
    command = [sys.executable, "-m", "jumper", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == f"jumper {jumper.__version__}\n"


def test_a_profiler_that_is_thrown_away_stops() -> None:
    def recorders() -> int:
        tasks = Path("/proc/self/task").iterdir()
        names = [(task / "comm").read_text().strip() for task in tasks]
        return sum(name.startswith("jumper-") for name in names)

    def wait_for(count: int) -> None:
        end = time.perf_counter() + 30
        while recorders() != count:
            assert time.perf_counter() < end, f"{recorders()} recorders instead of {count}"
            time.sleep(0.01)

    profiler = Profiler()
    profiler.start()
    wait_for(2)
    del profiler
    wait_for(0)


def test_a_signal_that_comes_while_a_thread_is_held_is_seen_at_once() -> None:
    """To 3.12 CPython only looks for signals in a busy loop if its main thread took them."""
    seen: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda *_: seen.append(1))
    try:
        with Profiler(interval=0.0001):
            for round_number in range(1, 41):
                signal.setitimer(signal.ITIMER_REAL, 0.01)
                end = time.perf_counter() + 10
                while len(seen) < round_number:
                    assert time.perf_counter() < end, f"no alarm in round {round_number}"
    finally:
        signal.signal(signal.SIGALRM, before)
    assert len(seen) == 40
