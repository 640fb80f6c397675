"""Our reports of a session, from the example `pyinstrument_report`."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class Reports:
    """Reports of one session; a process that is asked for one after the other."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process

    def get(self, renderer: str, options: dict[str, Any]) -> bytes:
        """The report; a ValueError with our message where there is none."""
        assert self.process.stdin and self.process.stdout
        asked = {"renderer": renderer, "options": options}
        self.process.stdin.write(json.dumps(asked).encode() + b"\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        report = self.process.stdout.read(answer["size"])
        if not answer["ok"]:
            raise ValueError(report.decode())
        return report


@contextmanager
def reports(command: Path, session: Path) -> Iterator[Reports]:
    """Reports of a session."""
    with subprocess.Popen(
        [command, session], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        yield Reports(process)
    if process.returncode:
        raise RuntimeError(f"{command} {session} ended with {process.returncode}")
