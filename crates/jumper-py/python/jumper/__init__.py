"""Where the time and the machine go when Python runs.

>>> import jumper
>>> with jumper.Profiler() as profiler:
...     sum(i * i for i in range(1_000_000))
>>> profiler.print()

Importing this imports nothing heavy.
"""

from __future__ import annotations

from jumper._native import JumperError, __version__
from jumper.metric import Metric
from jumper.profiler import Profiler
from jumper.session import Session, load

__all__ = ["JumperError", "Metric", "Profiler", "Session", "__version__", "load"]
