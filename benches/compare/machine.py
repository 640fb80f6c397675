"""What the machine is, and how much of it others used while we measured."""

from __future__ import annotations

import os
import platform
import resource
import time
from dataclasses import dataclass

# Above these, figures of a few per cent mean little.
QUIET_OTHERS = 0.05
QUIET_STEAL = 0.01
QUIET_SPREAD = 0.05


@dataclass(frozen=True)
class Counters:
    """Times since some start, in seconds."""

    clock: float
    busy: float
    steal: float
    ours: float


def parse_stat(text: str, ticks_per_second: int) -> tuple[float, float]:
    """The seconds of CPU time that all CPUs worked, and that other virtual machines took away."""
    fields = [int(field) for field in text.splitlines()[0].split()[1:9]]
    user, nice, system, _idle, _iowait, irq, softirq, steal = fields
    return (user + nice + system + irq + softirq) / ticks_per_second, steal / ticks_per_second


def counters() -> Counters:
    with open("/proc/stat", encoding="ascii") as file:
        busy, steal = parse_stat(file.read(), os.sysconf("SC_CLK_TCK"))
    ours = 0.0
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        usage = resource.getrusage(who)
        ours += usage.ru_utime + usage.ru_stime
    return Counters(time.monotonic(), busy, steal, ours)


@dataclass(frozen=True)
class Load:
    """What happened between two readings, in CPUs."""

    others: float
    steal: float

    @classmethod
    def between(cls, before: Counters, after: Counters) -> Load:
        elapsed = max(after.clock - before.clock, 1e-9)
        ours = after.ours - before.ours
        others = max(after.busy - before.busy - ours, 0.0)
        return cls(others / elapsed, (after.steal - before.steal) / elapsed)


def load_average() -> str:
    return " ".join(f"{value:.2f}" for value in os.getloadavg())


def cpus() -> int:
    return len(os.sched_getaffinity(0))


def kernel() -> str:
    return f"{platform.system()} {platform.release()} {platform.machine()}"


def disturbances(load: Load, spreads: dict[str, float]) -> list[str]:
    """Why the figures of this run are worth less than they look; empty on a quiet machine."""
    reasons = []
    if load.others > QUIET_OTHERS * cpus():
        reasons.append(f"others used {load.others:.2f} CPUs")
    if load.steal > QUIET_STEAL * cpus():
        reasons.append(f"other virtual machines took {load.steal:.2f} CPUs")
    worst = max(spreads, key=lambda name: spreads[name], default="")
    if worst and spreads[worst] > QUIET_SPREAD:
        reasons.append(f"plain runs spread by up to {100 * spreads[worst]:.0f} % ({worst})")
    return reasons
