"""What others measure of a program: one line of JSON a sample, as the example `metrics` of jumper-sampler prints.

watch.py psutil|jumper_extension PID SECONDS COUNT
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any, Callable

import psutil  # type: ignore[import-untyped, import-not-found, unused-ignore]

Row = dict[str, Any]


def of_psutil(pid: int) -> Callable[[], Row]:
    """The recipe of its documentation: a process and its children, summed."""
    root = psutil.Process(pid)

    def sample() -> Row:
        cpu = memory = written = read = 0.0
        for process in [root, *root.children(recursive=True)]:
            try:
                times, io = process.cpu_times(), process.io_counters()
                cpu += times.user + times.system
                memory += process.memory_full_info().uss
                written += io.write_bytes
                read += io.read_bytes
            except psutil.Error:
                continue
        return {"cpu_s": cpu, "memory_bytes": memory, "written_bytes": written, "read_bytes": read}

    return sample


def of_jumper_extension(pid: int) -> Callable[[], Row]:
    """Its thread, which takes the process that it is in for the program: it is told another number."""
    os.getpid = lambda: pid
    import jumper_extension.monitor.backends.thread.monitor as theirs  # type: ignore

    monitor = theirs.PerformanceMonitor()
    used, last = 0.0, time.perf_counter()

    def sample() -> Row:
        nonlocal used, last
        row = dict(zip(monitor.levels, monitor._collect_metrics()))["process"]
        now = row["time"]
        used += row["cpu_util_avg"] / 100 * monitor.num_cpus * (now - last)
        # Totals divided by the interval are what it stores.
        elapsed, last = now - last, now
        written, read = (row[name] * elapsed for name in ("io_write", "io_read"))
        memory = row["memory"] * 2**30
        return {
            "cpu_s": used,
            "memory_bytes": memory,
            "shared_bytes": memory,
            "written_bytes": written,
            "read_bytes": read,
        }

    return sample


def main() -> None:
    name, pid, seconds, count = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
    sample = {"psutil": of_psutil, "jumper_extension": of_jumper_extension}[name](pid)
    due = time.monotonic()
    for _ in range(count):
        began, at = time.process_time_ns(), time.monotonic_ns()
        row = sample()
        took = time.process_time_ns() - began
        print(json.dumps({"time_ns": at, "cpu_ns": took, **row}), flush=True)
        # A sample that took longer than the interval shifts those after it.
        due = max(due + seconds, time.monotonic())
        time.sleep(max(due - time.monotonic(), 0.0))


if __name__ == "__main__":
    main()
