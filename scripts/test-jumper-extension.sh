#!/bin/sh
# Carries sessions between Jumper and the jumper_extension in the virtual environment DIR, both ways.
#
#     scripts/test-jumper-extension.sh DIR [ARG...]
#
# Arguments are those of crates/jumper-session/tests/jumper_extension/cross.py.
set -eu
cd "$(dirname "$0")/.."
venv=$1
shift

step() {
    sh scripts/step.sh "$@"
}

step "the command does not build" cargo build --release --locked -p jumper-cli
step "a session does not cross" "$venv/bin/python" \
    crates/jumper-session/tests/jumper_extension/cross.py \
    "${CARGO_TARGET_DIR:-target}/release/jumper" "$@"
