"""Where Python is: on this system, or in another root directory that chroot enters."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

IN_ROOT = Path(__file__).with_name("in_root.sh")


class Missing(Exception):
    """Something that is needed is not there; the message says what, in one line."""


@dataclass(frozen=True)
class Interpreter:
    """How to start a Python, and how it sees the files of the work directory."""

    name: str
    command: tuple[str, ...]
    work: Path
    seen_as: str

    def path(self, file: Path) -> str:
        """`file`, which is in the work directory, as this interpreter sees it."""
        return str(Path(self.seen_as) / file.relative_to(self.work))


def version(command: tuple[str, ...]) -> str:
    """`CPython 3.11.7`, asked from the interpreter itself."""
    code = "import platform as p; print(p.python_implementation(), p.python_version())"
    try:
        done = subprocess.run(
            [*command, "-c", code], capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Missing(f"{command[-1]} does not run: {error}") from None
    if done.returncode:
        reason = (done.stderr.strip() or "no reason given").splitlines()[-1]
        raise Missing(f"{command[-1]} does not run: {reason}")
    return done.stdout.strip()


def local(python: str, work: Path) -> Interpreter:
    found = shutil.which(python)
    if found is None:
        raise Missing(f"there is no {python}")
    # Not resolved: what is behind the link of a virtual environment does not see its packages.
    command = (os.path.abspath(found),)
    return Interpreter(version(command), command, work, str(work))


def rooted(root: Path, python: str, work: Path) -> Interpreter:
    """A Python of the root directory `root`, which sees the work directory as /mnt."""
    if not (root / "usr/bin" / python).exists():
        raise Missing(f"there is no {python}, neither on the PATH nor in {root}")
    if os.geteuid() != 0:
        raise Missing(f"{python} is in {root}, and only root may enter it")
    command = ("unshare", "--mount", "sh", str(IN_ROOT), str(root), str(work), python)
    return Interpreter(version(command), command, work, "/mnt")


def test_root() -> Path:
    """The root directory in which the tests look for interpreters too."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("JUMPER_TEST_ROOT") or Path(cache) / "jumper/sid")


def anywhere(python: str, work: Path, root: Path | None = None) -> Interpreter:
    """`python` from the PATH, or else from the root directory."""
    if shutil.which(python):
        return local(python, work)
    return rooted(root or test_root(), python, work)
