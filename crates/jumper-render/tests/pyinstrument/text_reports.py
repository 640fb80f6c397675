"""The call tree as text against pyinstrument's console renderer: the same lines, header apart."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from compare import combinations
from ours import Reports
from pyinstrument.renderers import ConsoleRenderer
from pyinstrument.session import Session

# What is shown of each frame; what is not here has few effects on the rest, and all combinations of it are compared.
STYLES: list[dict[str, Any]] = [
    {"time": time, "unicode": unicode, "color": color, "short_mode": short}
    for time, unicode, color, short in itertools.product(
        ["seconds", "percent_of_total"], [True, False], [False, True], [False, True]
    )
]


class Body(ConsoleRenderer):
    """Pyinstrument's renderer without what it says before the calls."""

    def render_preamble(self, session: Session) -> str:
        return ""


def asked() -> Iterator[dict[str, Any]]:
    """The combinations of options that are compared."""
    # Another style for each tree, so that each style meets trees of every kind.
    styles = itertools.cycle(STYLES)
    for options in combinations():
        yield {**options, **next(styles)}
    plain = combinations()[1]
    for style in STYLES:
        yield {**plain, **style}
        for flat_time in ("self", "total"):
            yield {**plain, **style, "flat": True, "flat_time": flat_time}
    for options in combinations():
        if not options["timeline"]:
            for flat_time in ("self", "total"):
                yield {**options, "flat": True, "flat_time": flat_time}


def differences(session: Session, ours: Reports) -> Iterator[str]:
    """What is not the same, a line each."""
    for options in asked():
        tree_options = ("hide_regex", "show_regex", "filter_threshold")
        processor_options = {
            name: options[name] for name in tree_options if options[name] is not None
        }
        chosen = {name: value for name, value in options.items() if name not in tree_options}
        chosen["processor_options"] = processor_options
        try:
            expected = Body(**chosen).render(session)
        except ZeroDivisionError:
            # Shares of nothing: it has no answer.
            continue
        # All threads in one tree, and nothing but the calls.
        report = ours.get("text", {**chosen, "by": "session", "sections": "calls"}).decode()
        lines, expected_lines = report.split("\n"), expected.split("\n")
        if len(lines) != len(expected_lines):
            yield f"{options}: {len(lines)} lines, not {len(expected_lines)}"
        for row, (line, other) in enumerate(zip(lines, expected_lines)):
            if line != other:
                yield f"{options}: line {row}: {line!r}, not {other!r}"
                break
