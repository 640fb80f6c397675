#!/bin/sh
# Runs the stress suite with the interpreter of the virtual environment DIR, each program for SECONDS.
#
#     scripts/test-stress.sh DIR SECONDS [THEME...]
set -eu
cd "$(dirname "$0")/.."
venv=$1
seconds=$2
shift 2

step() {
    sh scripts/step.sh "$@"
}

step "the command does not build" cargo build --release --locked -p jumper-cli
while read -r package; do
    case $package in '' | '#'*) continue ;; esac
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: "$package" ||
        echo "$package could not be installed"
done <scripts/requirements-stress.txt
step "a program is not what it is without Jumper" "$venv/bin/python" crates/jumper-cli/tests/stress/run.py \
    --jumper "${CARGO_TARGET_DIR:-$PWD/target}/release/jumper" --seconds "$seconds" "$@"
