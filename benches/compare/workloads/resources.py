"""Programs that know what they use of the machine.

    resources.py KIND SECONDS [USER]

Prints `ready`, waits for a line, works for so many seconds, prints the truth as JSON, waits for another line and ends. The truth is CPU
seconds by the program's own clocks, bytes of memory that it touched, and bytes that it wrote or read by its own counters.
"""

from __future__ import annotations

import ctypes
import json
import mmap
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Callable

SHARE = 0.4
PERIOD = 0.02
HELD = 256 << 20
BLOCK = 1 << 20
RATE = 16 << 20
# Of this program, which another user may not be able to read.
SOURCE = Path(__file__).read_text(encoding="utf-8") if "__file__" in globals() else ""

Truth = dict[str, float]


def cpu() -> float:
    """Of this process and the children that it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def burn(seconds: float, share: float = SHARE) -> None:
    """Uses so much of one CPU, period by period."""
    begin, used = time.monotonic(), time.process_time()
    while (elapsed := time.monotonic() - begin) < seconds:
        if time.process_time() - used < share * elapsed:
            sum(range(1000))
        else:
            time.sleep(PERIOD / 10)


def counted(work: Callable[[], object]) -> Truth:
    before = cpu()
    work()
    return {"cpu_s": cpu() - before}


def burns(seconds: float) -> Truth:
    return counted(lambda: burn(seconds))


def child(seconds: float) -> Truth:
    def work() -> None:
        children = [fork(lambda: burn(seconds, SHARE / 2)) for _ in range(2)]
        for pid in children:
            os.waitpid(pid, 0)

    return counted(work)


def exec_(seconds: float) -> Truth:
    """Burns, becomes another program by exec, and burns again, all in a child."""
    half = seconds / 2

    def become() -> None:
        burn(half)
        os.execv(sys.executable, [sys.executable, "-c", SOURCE, "burn", str(half)])

    return counted(lambda: os.waitpid(fork(become), 0))


def short(seconds: float) -> Truth:
    """One child of 20 ms after the other."""

    def work() -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            os.waitpid(fork(lambda: burn(0.02, 1.0)), 0)
            time.sleep(0.01)

    return counted(work)


def reused(seconds: float) -> Truth:
    """Children that all get the same number, where we may choose it."""
    chooser = Path("/proc/sys/kernel/ns_last_pid")
    numbers = set()

    def work() -> None:
        end = time.monotonic() + seconds
        first = None
        while time.monotonic() < end:
            if first is not None:
                chooser.write_text(str(first - 1))
            pid = fork(lambda: burn(0.1, 1.0))
            first = first or pid
            numbers.add(pid)
            os.waitpid(pid, 0)

    truth = counted(work)
    return {**truth, "numbers": float(len(numbers))}


def holds(seconds: float) -> Truth:
    memory = touch(mmap.mmap(-1, HELD, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))
    time.sleep(seconds)
    kept.append(memory)
    return {"memory_bytes": float(HELD)}


def shares(seconds: float) -> Truth:
    """Three processes that share what one of them has written."""
    memory = touch(mmap.mmap(-1, HELD))

    def look() -> None:
        sum(memory[at] for at in range(0, HELD, mmap.PAGESIZE))
        time.sleep(seconds + 600)

    children = [fork(look) for _ in range(2)]
    time.sleep(seconds)
    kept.extend([memory, *children])
    return {"shared_bytes": float(HELD)}


def touch(memory: mmap.mmap) -> mmap.mmap:
    for at in range(0, HELD, mmap.PAGESIZE):
        memory[at] = 1
    return memory


def writes(seconds: float) -> Truth:
    before = own_io("write_bytes")
    with tempfile.TemporaryFile(dir=os.environ.get("TMPDIR", "/var/tmp")) as file:
        steady(seconds, lambda: os.write(file.fileno(), b"x" * BLOCK))
        return {"written_bytes": own_io("write_bytes") - before}


def reads(seconds: float) -> Truth:
    with tempfile.TemporaryFile(dir=os.environ.get("TMPDIR", "/var/tmp")) as file:
        blocks = int(seconds * RATE / BLOCK) + 1
        for _ in range(blocks):
            file.write(b"x" * BLOCK)
        file.flush()
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        print("again", flush=True)
        sys.stdin.readline()
        before, at = own_io("read_bytes"), iter(range(0, blocks * BLOCK, BLOCK))
        steady(seconds, lambda: os.pread(file.fileno(), BLOCK, next(at, 0)))
        return {"read_bytes": own_io("read_bytes") - before}


def steady(seconds: float, step: Callable[[], object]) -> None:
    begin, done = time.monotonic(), 0
    while (elapsed := time.monotonic() - begin) < seconds:
        if done * BLOCK < RATE * elapsed:
            step()
            done += 1
        else:
            time.sleep(0.005)


def own_io(key: str) -> float:
    for line in Path("/proc/self/io").read_text().splitlines():
        name, _, number = line.partition(": ")
        if name == key:
            return float(number)
    raise SystemExit("/proc/self/io has no such line")


def fork(work: Callable[[], object]) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            work()
        finally:
            os._exit(0)
    return pid


def sleepers(count: int) -> None:
    """So many programs that do nothing, until nobody listens any more."""
    code = "import time; time.sleep(3600)"
    children = [subprocess.Popen([sys.executable, "-S", "-c", code]) for _ in range(count)]
    print("ready", flush=True)
    sys.stdin.read()
    for one in children:
        one.kill()
        one.wait()


def busy(count: int) -> None:
    """So many children that compute, with little to do for each, until nobody listens any more."""
    children = [fork(lambda: burn(3600, 0.05)) for _ in range(count)]
    print("ready", flush=True)
    sys.stdin.read()
    for pid in children:
        os.kill(pid, 9)
        os.waitpid(pid, 0)


KINDS: dict[str, Callable[[float], Truth]] = {
    "burns": burns,
    "child": child,
    "exec": exec_,
    "short": short,
    "reused": reused,
    "holds": holds,
    "shares": shares,
    "writes": writes,
    "reads": reads,
}
kept: list[object] = []


def main() -> None:
    kind, amount = sys.argv[1], float(sys.argv[2])
    if kind == "burn":
        return burn(amount)
    if len(sys.argv) > 3:
        os.setgid(int(sys.argv[3]))
        os.setuid(int(sys.argv[3]))
        # PR_SET_DUMPABLE: else its own files in /proc are root's from here on.
        ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)
    if kind in ("sleepers", "busy"):
        return {"sleepers": sleepers, "busy": busy}[kind](int(amount))
    print("ready", flush=True)
    sys.stdin.readline()
    truth = KINDS[kind](amount)
    print(json.dumps(truth), flush=True)
    sys.stdin.readline()
    for one in kept:
        if isinstance(one, int):
            os.kill(one, 9)
            os.waitpid(one, 0)


if __name__ == "__main__":
    main()
