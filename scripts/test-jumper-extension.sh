#!/bin/sh
# Carries sessions between Jumper and the jumper_extension in the virtual environment DIR, both ways, and compares performance tags.
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

target=${CARGO_TARGET_DIR:-target}
step "the command does not build" cargo build --release --locked -p jumper-cli
step "the example does not build" \
    cargo build --release --locked -p jumper-session --example performance_tags
step "a session does not cross" "$venv/bin/python" \
    crates/jumper-session/tests/jumper_extension/cross.py \
    "$target/release/jumper" "$@"
step "performance tags differ" "$venv/bin/python" \
    crates/jumper-session/tests/jumper_extension/compare_tags.py \
    "$target/release/examples/performance_tags"
