"""What a program can see of itself and its surroundings is what it would be without a profiler."""

import os
import resource
import signal
import subprocess
import sys
import threading

from theme import repeat

# glibc's own, for threads; posix_spawn sets them to be ignored, fork does not.
INTERNAL = 1 << 31 | 1 << 32


def status():
    with open("/proc/self/status") as file:
        fields = dict(line.strip().split(":\t", 1) for line in file if ":\t" in line)
    masks = ("SigBlk", "SigIgn", "SigPnd", "ShdPnd")
    numbers = ("Threads", "Seccomp", "TracerPid")
    return [hex(int(fields[name], 16) & ~INTERNAL) for name in masks], [
        fields[name] for name in numbers
    ]


def round_():
    names = sorted(os.environ)
    child = subprocess.run(["env", "-0"], check=False, capture_output=True).stdout.split(b"\0")
    with open("/proc/self/environ", "rb") as file:
        # What the kernel shows is what exec was given.
        ours = (b"JUMPER_AGENT", b"LD_PRELOAD")
        given = [entry for entry in file.read().split(b"\0") if not entry.startswith(ours)]
    return {
        "environ": [(name, os.environ[name]) for name in names],
        "child": sorted(set(child) - {b""}),
        "given": sorted(given),
        "descriptors": [(fd, os.path.exists(f"/proc/self/fd/{fd}")) for fd in range(20)],
        "status": status(),
        "threads": threading.active_count(),
        "signals": [str(signal.getsignal(number)) for number in sorted(signal.valid_signals())],
        "limits": [resource.getrlimit(number) for number in range(10)],
        "arguments": (sys.argv[0], sys.flags, sys.path, os.getcwd()),
    }


def lines():
    return "\n".join(f"{name}: {value}" for name, value in round_().items())


repeat(lines)
