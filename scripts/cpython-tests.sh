#!/bin/sh
# Runs CPython's own tests plain and under the agent, and compares the verdicts test by test.
#
#     scripts/cpython-tests.sh PYTHON [MODULE...]
#
# $JUMPER is the command (default: the release build). scripts/cpython_tests.py says more.
set -eu
cd "$(dirname "$0")/.."
[ $# -ge 1 ] || {
    echo "usage: scripts/cpython-tests.sh PYTHON [MODULE...]" >&2
    exit 2
}
export JUMPER="${JUMPER:-${CARGO_TARGET_DIR:-$PWD/target}/release/jumper}"
exec "${RUNNER:-python3}" scripts/cpython_tests.py "$@"
