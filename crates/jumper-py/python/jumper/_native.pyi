from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, Final, final

__all__ = ["JumperError", "Recorder", "Session", "__version__", "main"]

__version__: Final[str]

class JumperError(Exception): ...

@final
class Recorder:
    def __new__(
        cls,
        interval: float,
        metrics_interval: float | None = None,
        threads: Sequence[int] = ...,
        session: str | PathLike[str] | None = None,
    ) -> Recorder: ...
    @property
    def is_running(self) -> bool: ...
    def start(
        self,
        description: str,
        argv: Sequence[str],
        metrics: Sequence[tuple[str, str, str, Callable[[], float | None], str]] = ...,
    ) -> None: ...
    def stop(
        self,
        sys_path: Sequence[str],
        sys_prefixes: Sequence[str],
    ) -> Session: ...

@final
class Session:
    """What was recorded. It never changes."""

    @staticmethod
    def load(path: str | PathLike[str]) -> Session:
        """Read a session: a directory ``NAME.jumper``, one in a ``.zip``, or pyinstrument's ``.pyisession``."""

    def save(self, path: str | PathLike[str]) -> None:
        """Write the session in the format that the name says. Only a session is ever replaced."""

    def select(
        self,
        *,
        time: str | None = None,
        cell: str | None = None,
        threads: Sequence[str] = ...,
        processes: Sequence[int] = ...,
        levels: Sequence[str] = ...,
        mode: str = "wall",
    ) -> Session:
        """The part of the session that is named, as a session of its own.

        ``time`` is in seconds since the beginning, ``cell`` counts runs of notebook cells from 0; both are ranges such as
        ``2:8``, ``:5``, ``3:`` or ``-3:-1``, or one number. ``threads`` are names or numbers, ``processes`` numbers, ``levels``
        those of the metrics. ``mode`` is ``wall``, ``cpu`` or ``gil``: the time that counts.
        """

    def resample(self, interval: float) -> Session:
        """The session with about one sample of each thread, and one measurement, in ``interval`` seconds. No time is lost."""

    @staticmethod
    def combine(session1: Session, session2: Session) -> Session:
        """Both as one, the earlier one first, without the time between them."""

    def render(self, name: str, **options: Any) -> bytes:
        """A report, such as ``text``, ``html`` or ``json``. ``jumper renderers`` lists them with their options."""

    def render_to_file(self, name: str, path: str | PathLike[str], **options: Any) -> None:
        """Write a report to a file, whole or not at all."""

    @property
    def start_time(self) -> float:
        """When recording began, in seconds since 1970."""

    @property
    def duration(self) -> float:
        """How long it went on, in seconds."""

    @property
    def cpu_time(self) -> float | None:
        """CPU seconds used meanwhile by this process and its children; ``None`` is unknown."""

    @property
    def sample_count(self) -> int:
        """How many samples were taken, over all threads."""

    @property
    def lost_sample_count(self) -> int:
        """How many could not be proven whole and are left out."""

    @property
    def target_description(self) -> str:
        """What reports call the program."""

    @property
    def path(self) -> Path | None:
        """Where it is, as an absolute path; ``None`` while it is in memory only."""

def main(arguments: Sequence[str], python: str | None = None) -> int: ...
