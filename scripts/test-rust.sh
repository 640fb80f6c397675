#!/bin/sh
# Runs the tests of the Rust crates, with cargo-nextest where it is installed.
set -eu
cd "$(dirname "$0")/.."

step() {
    sh scripts/step.sh "$@"
}

sh scripts/pythons.sh

if cargo nextest --version >/dev/null 2>&1; then
    # The profile `ci` names every failure instead of stopping at the first.
    profile=default
    [ -z "${CI:-}" ] || profile=ci
    step "Rust tests failed" cargo nextest run --locked --workspace --profile "$profile"
    step "documentation tests failed" cargo test --locked --workspace --doc
else
    echo "cargo-nextest is not installed: cargo test runs the tests one at a time"
    # Tests that sample programs disturb each other's figures; cargo test cannot hold back only those.
    export RUST_TEST_THREADS=1
    step "Rust tests failed" cargo test --locked --workspace -- --skip version_matrix
    # Its output says which CPython versions were really tested, and cargo test hides what passes.
    step "a CPython version failed" \
        cargo test --locked -p jumper-sampler --tests version_matrix -- --show-output
fi
