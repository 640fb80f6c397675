"""Writes the line table of every code object of the standard library, with what CPython itself makes of it.

For each code object, on stdout, in the machine's byte order:
- three C `int`: first line, length of the line table, number of runs; then the line table;
- runs of instructions of the same place, five C `int` each: how many instructions (code units of two bytes),
  line, end line, column, end column. -1 is None.

The places are those of `co_positions()` where there is one. The lines must also be those of `PyCode_Addr2Line`,
which tracebacks are made with, of `co_lines()`, and of `dis.findlinestarts`; else the program fails.
"""
import ctypes
import dis
import itertools
import os
import struct
import sys
import sysconfig
import types
import warnings

SKIPPED = {"test", "tests", "idle_test", "site-packages", "dist-packages", "__pycache__"}
UNIT = 2

addr2line = ctypes.pythonapi.PyCode_Addr2Line
addr2line.argtypes = [ctypes.py_object, ctypes.c_int]
addr2line.restype = ctypes.c_int


def number(value):
    return -1 if value is None else value


def sources(folder):
    for path, folders, files in os.walk(folder):
        folders[:] = sorted(set(folders) - SKIPPED)
        yield from (os.path.join(path, file) for file in sorted(files) if file.endswith(".py"))


def codes_below(code):
    pending = [code]
    while pending:
        code = pending.pop()
        yield code
        pending.extend(const for const in code.co_consts if isinstance(const, types.CodeType))


def lines_of(code, units):
    """The line of each instruction, as PEP 626 has it or as the disassembler shows it."""
    if hasattr(code, "co_lines"):
        lines = []
        for start, end, line in code.co_lines():
            assert start == len(lines) * UNIT
            lines += [number(line)] * ((end - start) // UNIT)
    else:
        starts = [*dis.findlinestarts(code), (units * UNIT, None)]
        lines = [code.co_firstlineno] * (starts[0][0] // UNIT)
        for (start, line), (end, _) in zip(starts, starts[1:]):
            lines += [line] * ((end - start) // UNIT)
    assert len(lines) == units, code
    return lines


def check(code, lines):
    """All that CPython says about lines must agree."""
    for unit, line in enumerate(lines):
        assert addr2line(code, unit * UNIT) == line, (code, unit)
    assert addr2line(code, -UNIT) == code.co_firstlineno, code
    for start, line in dis.findlinestarts(code):
        assert number(line) == lines[start // UNIT], (code, start)


def dump(code, out):
    units = len(code.co_code) // UNIT
    lines = lines_of(code, units)
    check(code, lines)
    if hasattr(code, "co_positions"):
        places = [tuple(map(number, place)) for place in code.co_positions()]
        assert [place[0] for place in places] == lines, code
    else:
        places = [(line, -1, -1, -1) for line in lines]
    runs = [(len(list(same)), *place) for place, same in itertools.groupby(places)]
    table = code.co_linetable if hasattr(code, "co_linetable") else code.co_lnotab
    out.write(struct.pack("=3i", code.co_firstlineno, len(table), len(runs)))
    out.write(table)
    for run in runs:
        out.write(struct.pack("=5i", *run))


def main():
    warnings.simplefilter("ignore")
    out = sys.stdout.buffer
    for path in sources(sysconfig.get_path("stdlib")):
        with open(path, "rb") as file:
            source = file.read()
        try:
            code = compile(source, path, "exec", dont_inherit=True)
        except (SyntaxError, ValueError):
            continue
        for code in codes_below(code):
            dump(code, out)


main()
