"""The ``jumper`` command: ``jumper`` or ``python -m jumper``."""

from __future__ import annotations

import sys

from jumper import _native


def main() -> None:
    """Run the command. ``jumper run`` uses this interpreter unless told otherwise."""
    arguments = ["jumper", *sys.argv[1:]]
    sys.exit(_native.main(arguments, sys.executable or None))


if __name__ == "__main__":
    main()
