"""The profiler for the process that it is used in."""

from __future__ import annotations

import locale
import os
import sys
from collections.abc import Iterable
from threading import Thread
from types import TracebackType
from typing import IO, Any

from typing_extensions import Self

from jumper._native import Recorder, Session
from jumper.metric import Metric
from jumper.session import PathOrStr

__all__ = ["Profiler"]


def _text(text: str) -> str:
    """The text without halves of characters, which stand for what is no text in names of files."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _native_id(thread: Thread | int) -> int:
    if isinstance(thread, int):
        return thread
    if thread.native_id is None:
        raise ValueError(f"thread {thread.name!r} has not started; start it before it is chosen")
    return thread.native_id


class Profiler:
    """Samples the stacks of all threads of this process, and the resources that it uses.

    Nothing is hooked into the interpreter and its lock is never taken: a thread outside of it reads the
    stacks. One profiler can be started again after it was stopped; each time gives a new session.

    ``interval`` is the time between two looks at the stacks, ``metrics_interval`` that between two
    measurements of CPU, memory and I/O, both in seconds. ``metrics_interval=None`` measures none.
    ``threads`` are those whose stacks are recorded, as ``threading.Thread`` that run or as native thread
    ids; all threads where it is ``None``. ``session`` is a directory ``NAME.jumper`` in which the recording is
    kept from its first half second on: it survives whatever ends the process, and takes no memory until it is
    stopped. A session that is there is replaced when the next one is whole. ``metrics`` are read too, each
    :class:`~jumper.Metric` by calling it.
    """

    def __init__(
        self,
        interval: float = 0.001,
        *,
        metrics_interval: float | None = 1.0,
        threads: Iterable[Thread | int] | None = None,
        session: PathOrStr | None = None,
        metrics: Iterable[Metric] = (),
    ) -> None:
        self._interval = interval
        chosen = [] if threads is None else [_native_id(thread) for thread in threads]
        if threads is not None and not chosen:
            raise ValueError("no thread is chosen; pass at least one, or None for all of them")
        self._metrics = list(metrics)
        if self._metrics and metrics_interval is None:
            raise ValueError("metrics are read every metrics_interval; pass a number of seconds")
        self._recorder = Recorder(interval, metrics_interval, chosen, session)
        self._last_session: Session | None = None

    @property
    def interval(self) -> float:
        """The time between two looks at the stacks, in seconds."""
        return self._interval

    @property
    def is_running(self) -> bool:
        """Whether it was started and not stopped."""
        return self._recorder.is_running

    @property
    def last_session(self) -> Session | None:
        """What the last ``start`` and ``stop`` recorded; ``None`` before the first ``stop``."""
        return self._last_session

    def start(self, *, target_description: str | None = None) -> None:
        """Start to record. The description is what reports call the program.

        Raises ``RuntimeError`` if it is running already.
        """
        description = target_description or " ".join(sys.argv) or "python"
        self._recorder.start(
            _text(description),
            [_text(argument) for argument in sys.argv],
            [(own.name, own.unit, own.kind, own.read, own.help) for own in self._metrics],
        )

    def stop(self) -> Session:
        """Stop, and return what was recorded.

        Raises ``RuntimeError`` if it is not running.
        """
        prefixes = (sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix)
        self._last_session = self._recorder.stop(
            # What is no text there is not looked at by Python either.
            [_text(entry) for entry in sys.path if isinstance(entry, str)],
            [_text(prefix) for prefix in prefixes],
        )
        return self._last_session

    def reset(self) -> None:
        """Stop if it is running, and forget what was recorded."""
        if self.is_running:
            self.stop()
        self._last_session = None

    def __enter__(self) -> Self:
        """Start to record."""
        self.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop, whatever happened inside."""
        if self.is_running:
            self.stop()

    def print(
        self,
        file: IO[str] | None = None,
        *,
        unicode: bool | None = None,
        color: bool | None = None,
        show_all: bool = False,
        timeline: bool = False,
        time: str = "seconds",
        flat: bool = False,
        flat_time: str = "self",
        short_mode: bool = False,
        processor_options: dict[str, Any] | None = None,
        filter_threshold: float | None = None,
    ) -> None:
        """Print the report to ``file``, by default ``sys.stdout``.

        Unless they are given, Unicode is used where the stream's encoding has it, and colours where it is a
        terminal. The rest is that of :meth:`output_text`.
        """
        stream = sys.stdout if file is None else file
        text = self.output_text(
            unicode=_can_unicode(stream) if unicode is None else unicode,
            color=_can_color(stream) if color is None else color,
            show_all=show_all,
            timeline=timeline,
            time=time,
            flat=flat,
            flat_time=flat_time,
            short_mode=short_mode,
            processor_options=processor_options,
            filter_threshold=filter_threshold,
        )
        stream.write(text)

    def output_text(
        self,
        unicode: bool = True,
        color: bool = False,
        show_all: bool = False,
        timeline: bool = False,
        time: str = "seconds",
        flat: bool = False,
        flat_time: str = "self",
        short_mode: bool = False,
        processor_options: dict[str, Any] | None = None,
        *,
        filter_threshold: float | None = None,
    ) -> str:
        """The report as text; the keywords are pyinstrument's.

        ``show_all`` leaves in what libraries and small calls did, ``timeline`` leaves calls in the order of time, ``flat``
        lists functions instead, by their own time or by another ``flat_time``: ``"cumulative"``, or ``"total"`` as
        pyinstrument counts it. ``time`` is ``"seconds"`` or ``"percent_of_total"``. ``filter_threshold`` is short for the
        one in ``processor_options``: calls with a smaller share are left out, by default 0.01.
        """
        chosen = dict(processor_options or {})
        if filter_threshold is not None:
            chosen["filter_threshold"] = filter_threshold
        report = self._finished().render(
            "text",
            unicode=unicode,
            color=color,
            show_all=show_all,
            timeline=timeline,
            time=time,
            flat=flat,
            flat_time=flat_time,
            short_mode=short_mode,
            processor_options=chosen,
        )
        return report.decode()

    def output_html(self) -> str:
        """The report as one HTML page that needs no network."""
        return self._finished().render("html").decode()

    def write_html(self, path: PathOrStr) -> None:
        """Write the HTML page to ``path``. An older file there is replaced whole or not at all."""
        self._finished().render_to_file("html", path)

    def _finished(self) -> Session:
        if self._last_session is None:
            raise RuntimeError("nothing was recorded yet; call start() and stop() first")
        return self._last_session


def _can_unicode(stream: IO[str]) -> bool:
    encoding = getattr(stream, "encoding", None) or locale.getpreferredencoding(do_setlocale=False)
    return encoding.lower().replace("-", "") in ("utf8", "utf16", "utf32")


def _can_color(stream: IO[str]) -> bool:
    isatty = getattr(stream, "isatty", None)
    if not (isatty and isatty()):
        return False
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
