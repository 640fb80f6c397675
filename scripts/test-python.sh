#!/bin/sh
# Installs the wheel into the virtual environment DIR and runs the Python tests on it.
#
#     scripts/test-python.sh DIR
set -eu
cd "$(dirname "$0")/.."

step() {
    sh scripts/step.sh "$@"
}

# Without build isolation pip takes maturin from the path: the pinned one, and no second download.
export PATH="$PWD/$1/bin:$PATH"
export MATURIN_PEP517_ARGS=--locked

step "the wheel does not build" pip --disable-pip-version-check install --no-build-isolation .
step "the stubs and the module differ" python -m mypy.stubtest jumper._native
step "the Python tests failed" python -m pytest crates/jumper-py/tests
cd benches
sh ../scripts/step.sh "the tests of benches/compare failed" python -m unittest --quiet compare.tests
