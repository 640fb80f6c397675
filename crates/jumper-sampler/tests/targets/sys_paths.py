"""Says where its modules are, separated by tabs: four prefixes, then `sys.path` without what is no text in it."""

import pathlib
import sys
import time

sys.path += [
    "/t/\u00e9",
    "/t/\u4e2d",
    "/t/\U0001f40d",
    "relative/x",
    b"/bytes",
    pathlib.Path("/path"),
    7,
    None,
]
sys.path.insert(0, "/first" * 100)
prefixes = [sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix]
texts = [entry for entry in sys.path if isinstance(entry, str)]
sys.stdout.buffer.write("\t".join(prefixes + texts).encode() + b"\n")
sys.stdout.flush()
time.sleep(3600)
