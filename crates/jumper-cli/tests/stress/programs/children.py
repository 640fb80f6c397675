"""subprocess, posix_spawn, system, popen: children run to their end and say so."""

import os
import signal
import subprocess
import sys
import threading

from theme import repeat


def spawned():
    child = os.posix_spawn("/bin/sh", ["sh", "-c", "exit 7"], os.environ)
    return os.waitpid(child, 0)[1]


def piped():
    command = ["sh", "-c", "cat; echo done >&2; exit 3"]
    done = subprocess.run(command, input=b"x" * 100_000, check=False, capture_output=True)
    return len(done.stdout), done.stderr, done.returncode


def ended():
    child = subprocess.Popen(["sleep", "60"])
    try:
        child.wait(0.002)
    except subprocess.TimeoutExpired:
        child.send_signal(signal.SIGTERM)
    return child.wait()


def together():
    results = []
    threads = [threading.Thread(target=lambda: results.append(spawned())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def python():
    command = [sys.executable, "-c", "import threading; print(threading.active_count())"]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def round_():
    with os.popen("echo hello") as pipe:
        text = pipe.read()
    done = python()
    prepared = subprocess.run(
        ["true"], check=False, preexec_fn=os.getpid, start_new_session=True
    ).returncode
    return (spawned(), piped(), ended(), together(), text, os.system("exit 2"), prepared), (
        done.stdout,
        done.stderr,
        done.returncode,
    )


repeat(round_)
