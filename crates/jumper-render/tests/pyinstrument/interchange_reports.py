"""JSON, speedscope and pstats against pyinstrument's renderers: the same keys and values, events and totals.

Times are floating-point numbers there and whole nanoseconds here. As text they have six digits, and half a microsecond may go either way.
"""

from __future__ import annotations

import json
import marshal
import math
from collections.abc import Iterator
from typing import Any

from compare import combinations
from ours import Reports
from pyinstrument.frame import Frame
from pyinstrument.renderers import JSONRenderer, SpeedscopeRenderer
from pyinstrument.renderers.pstatsrenderer import PstatsRenderer
from pyinstrument.session import Session

NANOSECOND = 1e-9
# The last of the six digits.
DIGIT = 1.001e-6


def asked() -> Iterator[dict[str, Any]]:
    """The combinations of options, as both take them."""
    for options in combinations():
        tree_options = ("hide_regex", "show_regex", "filter_threshold")
        chosen = {name: value for name, value in options.items() if name not in tree_options}
        chosen["processor_options"] = {
            name: options[name] for name in tree_options if options[name] is not None
        }
        yield chosen


def is_same(one: Any, other: Any, tolerance: float) -> bool:
    """Whether two values are equal, or two times nearly."""
    if isinstance(other, float):
        return isinstance(one, (float, int)) and math.isclose(one, other, abs_tol=tolerance)
    return type(one) is type(other) and bool(one == other)


class Groups:
    """Names of groups, which are arbitrary, by the order in which they are met."""

    def __init__(self) -> None:
        self.numbers: dict[Any, int] = {}

    def number(self, name: Any) -> int:
        return self.numbers.setdefault(name, len(self.numbers))


def json_differences(session: Session, ours: Reports) -> Iterator[str]:
    """What the report for programs has not as pyinstrument has it. More keys are ours to add."""
    for options in asked():
        expected = json.loads(JSONRenderer(**options).render(session))
        found = json.loads(ours.get("json", options))
        pending = [("", found, expected)]
        groups = Groups(), Groups()
        while pending:
            place, one, other = pending.pop()
            for key, value in other.items():
                where = f"{options}: {place}{key}"
                if key not in one:
                    yield f"{where}: missing"
                elif key == "root_frame":
                    if value is None or one[key] is None:
                        if value is not one[key]:
                            yield f"{where}: only one has frames"
                    else:
                        pending.append(("root_frame.", one[key], value))
                elif key == "children":
                    if len(one[key]) != len(value):
                        yield f"{where}: {len(one[key])}, not {len(value)}"
                    place = f"{place}{other['function']}."
                    pending += [(place, *pair) for pair in zip(one[key], value)]
                elif key == "group_id":
                    if groups[0].number(one[key]) != groups[1].number(value):
                        yield f"{where}: another group"
                elif not is_same(one[key], value, DIGIT):
                    yield f"{where}: {one[key]!r}, not {value!r}"
            if "group_id" in one and "group_id" not in other:
                yield f"{options}: {place}group_id: there should be none"


def speedscope_differences(session: Session, ours: Reports) -> Iterator[str]:
    """What happens otherwise than in pyinstrument's profile, in which all threads take turns."""
    for options in asked():
        expected = json.loads(SpeedscopeRenderer(**options).render(session))
        found = json.loads(ours.get("speedscope", {**options, "per_thread": False}))
        (profile,), (expected_profile,) = found["profiles"], expected["profiles"]
        for key in ("type", "unit", "startValue"):
            if profile[key] != expected_profile[key]:
                yield f"{options}: {key}: {profile[key]!r}, not {expected_profile[key]!r}"
        events, expected_events = profile["events"], expected_profile["events"]
        if len(events) != len(expected_events):
            yield f"{options}: {len(events)} events, not {len(expected_events)}"
        frames = [frame_of(frame) for frame in found["shared"]["frames"]]
        expected_frames = [frame_of(frame) for frame in expected["shared"]["frames"]]
        if frames != expected_frames:
            yield f"{options}: other frames"
        for row, (one, other) in enumerate(zip(events, expected_events)):
            # Errors of thousands of sums add up there.
            same_time = math.isclose(one["at"], other["at"], rel_tol=1e-9, abs_tol=NANOSECOND)
            if (one["type"], one["frame"]) != (other["type"], other["frame"]) or not same_time:
                yield f"{options}: event {row}: {one}, not {other}"
                break


def frame_of(frame: dict[str, Any]) -> tuple[Any, ...]:
    """A frame; what is not known is null there and left out here, as the schema of the format has it."""
    return frame["name"], frame.get("file") or "", frame.get("line") or 0


class Statistics(PstatsRenderer):
    """Pyinstrument's renderer, and the table before it made a text of it, which cannot always be turned back."""

    def table(self, session: Session) -> dict[Any, Any]:
        frame: Frame | None = self.preprocess(session.root_frame())
        stats: dict[Any, Any] = {}
        self.render_frame(frame, stats)
        return stats


def pstats_differences(session: Session, ours: Reports) -> Iterator[str]:
    """Where statistics are other than pyinstrument's."""
    for options in asked():
        expected = Statistics(**options).table(session)
        found = marshal.loads(ours.get("pstats", options))
        if list(found) != list(expected):
            yield f"{options}: other functions: {set(found) ^ set(expected)}"
            continue
        for key, (*totals, callers) in expected.items():
            *found_totals, found_callers = found[key]
            pairs = [(found_totals, totals)]
            if list(found_callers) != list(callers):
                yield f"{options}: {key}: other callers"
            else:
                pairs += [(found_callers[caller], callers[caller]) for caller in callers]
            for one, other in pairs:
                calls_differ = list(one[:2]) != list(other[:2])
                times = zip(one[2:], other[2:])
                if calls_differ or not all(is_close(*pair) for pair in times):
                    yield f"{options}: {key}: {one}, not {other}"


def is_close(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=NANOSECOND)
