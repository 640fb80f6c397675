"""Writes a session in pyinstrument's format: samples of a random walk through 800 functions.

About 39 frames deep with two stacks of five distinct, which is harsher than real programs. The same
arguments give the same file.

    python3 big_session.py SAMPLES OUT.pyisession
"""

from __future__ import annotations

import json
import random
import sys

FUNCTIONS, DEEPEST, INTERVAL = 800, 40, 0.001
THREAD = "MainThread\x00<thread>\x001"


def frame(number: int) -> str:
    """A function and the line that it is at, as pyinstrument writes them."""
    line = 10 + number
    return f"function_{number}\x00/app/module_{number % 37}.py\x00{line}\x01l{line + 2}"


def main(samples: int, out: str) -> None:
    draw = random.Random(1)
    encoded = [json.dumps(frame(number)) for number in range(FUNCTIONS)]
    head = {
        "start_time": 1.7e9,
        "duration": samples * INTERVAL,
        "min_interval": INTERVAL,
        "max_interval": INTERVAL,
        "sample_count": samples,
        "start_call_stack": [THREAD],
        "target_description": "big session",
        "cpu_time": samples * INTERVAL,
        "sys_path": ["/app"],
        "sys_prefixes": ["/usr"],
    }
    callers = [0]
    texts = [json.dumps(THREAD), encoded[0]]
    with open(out, "w", encoding="ascii") as file:
        file.write(json.dumps(head)[:-1] + ', "frame_records": [')
        for sample in range(samples):
            kind = draw.random()
            if kind < 0.3:
                left = min(draw.randint(1, 4), len(callers) - 1)
                if left:
                    del callers[-left:], texts[-left:]
            if kind > 0.2:
                for _ in range(min(draw.randint(1, 3), DEEPEST - len(callers))):
                    caller = (callers[-1] * 7 + 1 + draw.randint(0, 2)) % FUNCTIONS
                    callers.append(caller)
                    texts.append(encoded[caller])
            file.write(f"{', ' if sample else ''}[[{', '.join(texts)}], {INTERVAL}]")
        file.write("]}")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
