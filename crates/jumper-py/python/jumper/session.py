"""Sessions: what was recorded."""

from __future__ import annotations

import os
from typing import Union

from jumper._native import Session

__all__ = ["PathOrStr", "Session", "load"]

PathOrStr = Union[str, "os.PathLike[str]"]


def load(path: PathOrStr) -> Session:
    """Read a session: a directory ``NAME.jumper``, one in a ``.zip``, or pyinstrument's ``.pyisession``.

    Raises ``JumperError`` if it is none, is damaged, or was written by a newer Jumper.
    """
    return Session.load(path)
