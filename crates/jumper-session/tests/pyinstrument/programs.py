"""What pyinstrument records for the comparison: each function is a program, and runs for a fraction of a second.

A program that starts its own profilers returns their session; others are recorded as a whole.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import re
import statistics
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from typing import Any, Callable

from pyinstrument import Profiler
from pyinstrument.session import Session

SECONDS = 0.12


def until(seconds: float = SECONDS) -> Iterator[int]:
    """Counts until the thread has run for so long, however the machine has paused it."""
    end = time.thread_time() + seconds
    count = 0
    while time.thread_time() < end:
        yield count
        count += 1


def spin(seconds: float) -> int:
    return sum(count & 1 for count in until(seconds))


def fib(number: int) -> int:
    return number if number < 2 else fib(number - 1) + fib(number - 2)


def recursion() -> None:
    for _ in until():
        fib(12)


def down(depth: int) -> None:
    if depth:
        down(depth - 1)
    else:
        spin(SECONDS)


def deep_stack() -> None:
    down(300)


def libraries() -> None:
    version = importlib.import_module("pip._vendor.packaging.version")
    for count in until():
        json.loads(json.dumps({"a": [count] * 20, "b": {"c": "d" * 50}}, indent=1))
        re.sub("a+b", "c", "aaab" * 20)
        statistics.stdev([1.5, 2.5, count])
        textwrap.wrap("word " * 50, 20)
        max(version.Version("1.2.3rc1"), version.Version("1.2.3"))


def fresh_imports() -> None:
    names = ["xml.dom.minidom", "html.parser", "wsgiref.handlers", "imaplib", "mailbox"]
    for _ in until():
        before = set(sys.modules)
        for name in names:
            importlib.import_module(name)
        for name in set(sys.modules) - before:
            del sys.modules[name]


def nothing() -> None:
    pass


def fails(count: int) -> None:
    try:
        raise ValueError(spin(0.0005))
    except ValueError:
        if count % 3:
            raise


def numbers() -> Iterator[int]:
    for count in range(20):
        yield from (number for number in range(spin(0.0003) & 15 | count))


def exceptions_and_generators() -> None:
    for count in until():
        try:
            fails(count)
        except ValueError:
            sum(numbers())


class Base:
    def __init__(self) -> None:
        self.text = "x" * 100

    def work(self) -> int:
        return self.step() + len([letter for letter in self.text])

    def step(self) -> int:
        return spin(0.0008)

    @classmethod
    def make(cls) -> Base:
        spin(0.0004)
        return cls()

    @staticmethod
    def free() -> int:
        return spin(0.0002)


class Fast(Base):
    def step(self) -> int:
        return spin(0.0003)


class Slow(Base):
    pass


def classes() -> None:
    for _ in until():
        for kind in (Fast, Slow, Base):
            kind.make().work()
            kind.free()


def hidden(depth: int) -> int:
    __tracebackhide__ = True
    return hidden(depth - 1) if depth else spin(0.001) + fib(8)


def hidden_frames() -> None:
    for _ in until():
        hidden(3)
        fib(8)


def code_from_text() -> None:
    text = "def made(f):\n    return f() + sum(range(50))\nfor _ in range(20): made(lambda: spin(0.0001))"
    for _ in until():
        exec(text, {"spin": spin})  # noqa: S102 (what is made by exec is what this is about)
        eval("sorted(range(200), key=lambda n: -n)")


def built_in_functions() -> None:
    for count in until():
        sorted(map(str, range(300)), key=lambda text: text[::-1])
        "".join(chr(65 + number % 26) for number in range(count % 300))
        time.sleep(0.001)


def turns() -> None:
    """Calls that come back again and again: what a timeline tells apart."""
    for count in until():
        (fib if count % 2 else spin_a_bit)(11)
        if count % 5 == 0:
            time.sleep(0.001)


def spin_a_bit(_: int) -> None:
    spin(0.0015)


def small_and_large() -> None:
    """Calls with shares around the thresholds."""
    for _ in until():
        for share in (40, 12, 9, 3, 1):
            leaves[share]()


def leaf(share: int) -> Callable[[], int]:
    return eval(f"lambda: spin({share} / 20000)", {"spin": spin})


leaves = {share: leaf(share) for share in (40, 12, 9, 3, 1)}


def in_thread(work: Callable[[], Any], name: str) -> Session:
    """The session of a thread that a program starts."""
    sessions = []

    def run() -> None:
        with Profiler(interval=0.001) as profiler:
            work()
        sessions.append(profiler.last_session)

    thread = threading.Thread(target=run, name=name)
    thread.start()
    thread.join()
    return sessions[0]


def threads() -> Session:
    first = in_thread(recursion, "first")
    second = in_thread(classes, "second")
    return Session.combine(first, second)


def same_thread_again() -> Session:
    """Two recordings, one after the other, by the same profiler."""
    profiler = Profiler(interval=0.001)
    for work in (turns, recursion):
        with profiler:
            work()
    assert profiler.last_session
    return profiler.last_session


def renamed_thread() -> None:
    name = threading.current_thread().name
    for count in until():
        threading.current_thread().name = f"{name}-{count // 40 % 2}"
        spin(0.001)
    threading.current_thread().name = name


async def waits(seconds: float) -> int:
    spin(0.002)
    await asyncio.sleep(seconds)
    return fib(10)


async def wait_together() -> None:
    for _ in range(8):
        await asyncio.gather(waits(0.003), waits(0.006))
        await waits(0.004)


async def profiled(mode: Any) -> Session:
    other = asyncio.create_task(wait_together())
    with Profiler(interval=0.001, async_mode=mode) as profiler:
        await wait_together()
    await other
    assert profiler.last_session
    return profiler.last_session


def asynchronous() -> Session:
    return asyncio.run(profiled("enabled"))


def asynchronous_strict() -> Session:
    return asyncio.run(profiled("strict"))


def asynchronous_disabled() -> Session:
    return asyncio.run(profiled("disabled"))


PROGRAMS: list[Callable[[], Session | None]] = [
    recursion,
    deep_stack,
    libraries,
    fresh_imports,
    nothing,
    exceptions_and_generators,
    classes,
    hidden_frames,
    code_from_text,
    built_in_functions,
    turns,
    small_and_large,
    threads,
    same_thread_again,
    renamed_thread,
    asynchronous,
    asynchronous_strict,
    asynchronous_disabled,
]


def record(program: Callable[[], Session | None]) -> Session:
    """The session of a program."""
    if program in (threads, same_thread_again) or program.__name__.startswith("asynchronous"):
        session = program()
        assert session
        return session
    with Profiler(interval=0.001) as profiler:
        program()
    assert profiler.last_session
    return profiler.last_session


def main() -> None:
    """What is run with pyinstrument as a command."""
    recursion()
    libraries()


if __name__ == "__main__":
    main()
