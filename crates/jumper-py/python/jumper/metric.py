"""Metrics of one's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

__all__ = ["Metric"]


class Metric:
    """A number that a profiler reads by calling ``read``, beside those that it measures itself.

    It is called for each measurement, on a thread of its own, and may take its time: one that has not returned when
    everything else is measured has no value in that measurement. Neither has one that raises, or returns ``None``; what it
    raised first is a note in the session. ``kind`` is ``"counter"`` for a total that only rises, else ``"gauge"``.

    >>> queue = Metric("queue", "jobs", "gauge", jobs.qsize)
    >>> with Profiler(metrics=[queue]):
    ...     main()
    """

    __slots__ = ("help", "kind", "name", "read", "unit")

    def __init__(
        self,
        name: str,
        unit: str,
        kind: Literal["gauge", "counter"],
        read: Callable[[], float | None],
        help: str = "",
    ) -> None:
        if not name or name in ("time", "host", "level"):
            raise ValueError(f"a metric cannot be called {name!r}; give it another name")
        if kind not in ("gauge", "counter"):
            raise ValueError(f"the kind of a metric is gauge or counter, not {kind!r}")
        if not callable(read):
            raise TypeError(f"a metric is read by calling something, which {read!r} is not")
        self.name = name
        self.unit = unit
        self.kind = kind
        self.read = read
        self.help = help
