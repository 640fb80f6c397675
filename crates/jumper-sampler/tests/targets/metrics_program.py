"""A program that does what it is told, line by line, and says what it really used.

Every command answers with one line on standard output. Numbers in it are the truth to compare with: processor
seconds from the program's own clocks, bytes from its own counters.
"""

import os
import resource
import signal
import subprocess
import sys
import threading
import time

held = []
stop = threading.Event()


def burn(seconds):
    """Uses processor time and returns how much it was."""
    start = time.process_time()
    while time.process_time() - start < seconds:
        sum(range(1000))
    return time.process_time() - start


def written():
    """Bytes that this process has sent to storage, as far as its file system has one."""
    with open("/proc/self/io") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("write_bytes"))


def write(count, path):
    before = written()
    with open(path, "wb") as file:
        file.write(b"x" * count)
        file.flush()
        os.fsync(file.fileno())
    return written() - before


def cpu_of_children():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


class Forked:
    """A child that works, answers, and waits for a byte before it works again and ends."""

    def __init__(self, work):
        self.from_child, answer = os.pipe()
        order, self.to_child = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self.to_child)
            os.write(answer, f"{work()}\n".encode())
            again = os.read(order, 1)
            if again:
                os.write(answer, f"{work()}\n".encode())
            os._exit(0)
        os.close(answer)
        self.answer = os.fdopen(self.from_child)

    def end(self):
        """Lets it work again and end; waits for it unless children are ignored. Returns what it answered."""
        os.write(self.to_child, b"x")
        answer = self.answer.readline()
        try:
            os.waitpid(self.pid, 0)
        except ChildProcessError:
            pass
        return answer.strip()


def start_grandchild(seconds):
    """A child and a grandchild; the grandchild burns once it has become an orphan, and outlives the program."""
    order, to_child = os.pipe()
    root = os.getpid()
    child = os.fork()
    if child == 0:
        parent = os.getpid()
        if os.fork() == 0:
            os.close(to_child)
            print(os.getpid(), flush=True)
            while os.getppid() == parent:
                time.sleep(0.005)
            print(burn(seconds), flush=True)
            outlive(root)
            os._exit(0)
        os.read(order, 1)
        os._exit(0)
    return child, to_child


def outlive(pid):
    """Returns when the process is gone and standard input, which it had been reading, is closed."""
    while os.path.exists(f"/proc/{pid}"):
        time.sleep(0.005)
    while os.read(0, 1):
        pass


def busy_children(rounds, path):
    """Short-lived children, two at a time and each with a child of its own. Returns all processor time and bytes.

    All are waited for, and the kernel then adds what they have used to this process's counters.
    """
    cpu, count = time.process_time() + cpu_of_children(), written()
    for _ in range(rounds):
        pids = []
        for name in "ab":
            pids.append(os.fork())
            if pids[-1] == 0:
                if os.fork() == 0:
                    burn(0.01)
                    write(40_000, path + name + "2")
                    os._exit(0)
                burn(0.02)
                write(80_000, path + name)
                os.wait()
                os._exit(0)
        for pid in pids:
            os.waitpid(pid, 0)
    for name in ("a", "b", "a2", "b2"):
        os.unlink(path + name)
    return time.process_time() + cpu_of_children() - cpu, written() - count


def main():
    forked = child = order = None
    print("ready", flush=True)
    for line in sys.stdin:
        command, *arguments = line.split()
        if command == "cpus":
            answer = len(os.sched_getaffinity(0))
        elif command == "burn":
            answer = burn(float(arguments[0]))
        elif command == "hold":
            block = bytearray(int(arguments[0]))
            block[::4096] = b"x" * len(block[::4096])
            held.append(block)
            answer = len(block)
        elif command == "write":
            answer = write(int(arguments[0]), arguments[1])
        elif command == "threads":
            for _ in range(int(arguments[0])):
                threading.Thread(target=stop.wait, daemon=True).start()
            answer = threading.active_count()
        elif command == "run":
            # A child that nobody sees between its start and its end.
            before = cpu_of_children()
            subprocess.run([sys.executable, __file__], input=" ".join(arguments), text=True, stdout=subprocess.DEVNULL)
            answer = cpu_of_children() - before
        elif command == "busy-children":
            answer = "%f %d" % busy_children(int(arguments[0]), arguments[1])
        elif command == "name":
            with open("/proc/self/comm", "w") as file:
                file.write(" ".join(arguments))
            answer = "named"
        elif command == "ignore-children":
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)
            answer = "ignored"
        elif command == "fork-burn":
            seconds = float(arguments[0])
            forked = Forked(lambda: burn(seconds))
            answer = forked.answer.readline().strip()
        elif command == "fork-write":
            count, path = int(arguments[0]), arguments[1]
            forked = Forked(lambda: write(count, path))
            answer = forked.answer.readline().strip()
        elif command == "end-fork":
            answer = forked.end()
        elif command == "grandchild":
            child, order = start_grandchild(float(arguments[0]))
            continue
        elif command == "orphan":
            os.write(order, b"x")
            os.waitpid(child, 0)
            continue
        else:
            answer = f"unknown command {command!r}"
        print(answer, flush=True)


main()
