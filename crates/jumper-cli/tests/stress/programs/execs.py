"""A program that becomes itself again, 200 times, with a tick always on its way. One chain per run."""

import os
import sys

left = int(sys.argv[3]) if len(sys.argv) > 3 else 200
if left % 3 == 0:
    sum(number * number for number in range(20_000))
if left:
    os.execv(sys.executable, [sys.executable, *sys.argv[:3], str(left - 1)])
print("it is itself")
