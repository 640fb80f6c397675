#!/bin/sh
# Compares our trees and reports of pyinstrument's sessions with those of the pyinstrument in the virtual environment DIR.
#
#     scripts/test-pyinstrument.sh DIR [ARG...]
#
# Arguments are those of crates/jumper-session/tests/pyinstrument/compare.py and crates/jumper-render/tests/pyinstrument/compare_reports.py:
# --keep DIR, --only NAME.
set -eu
cd "$(dirname "$0")/.."
venv=$1
shift

step() {
    sh scripts/step.sh "$@"
}

step "the examples do not build" cargo build --release --locked -p jumper-session \
    --no-default-features --example pyinstrument_tree --example pyinstrument_edit
step "a tree is not pyinstrument's" "$venv/bin/python" \
    crates/jumper-session/tests/pyinstrument/compare.py \
    "${CARGO_TARGET_DIR:-target}/release/examples/pyinstrument_tree" "$@"

step "the example does not build" cargo build --release --locked -p jumper-render --example pyinstrument_report
step "a report is not pyinstrument's" "$venv/bin/python" \
    crates/jumper-render/tests/pyinstrument/compare_reports.py \
    "${CARGO_TARGET_DIR:-target}/release/examples/pyinstrument_report" --check json,speedscope,pstats "$@"
