#!/bin/sh
# Checks what a make target needs; installs what it can and says how to get the rest.
#
#     scripts/setup.sh [rust] [lint] [python]
#
# The root's Cargo.toml says which Rust is needed. $PYTHON is the interpreter (default: python3).
set -eu
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-python3}

fail() {
    echo "error: $1" >&2
    exit 1
}

have() {
    command -v "$1" >/dev/null 2>&1
}

check_rust() {
    { have cargo && have rustc; } || fail "cargo and rustc are missing; install Rust (https://rustup.rs)"
    found=$(rustc --version) || fail "rustc does not run; choose a toolchain: rustup default stable"
    found=$(echo "$found" | cut -d ' ' -f 2)
    needed=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
    printf '%s\n' "$needed" "$found" | sort -C -V ||
        fail "rustc $found is too old, $needed or later is needed: rustup update"
    # The linker of rustc, and the compiler of the zstd library.
    have cc || sh scripts/apt-install.sh gcc libc6-dev ||
        fail "the C compiler cc is missing; install gcc or clang with your system's package manager"
    echo "rustc $found"
}

check_lint() {
    missing=
    cargo fmt --version >/dev/null 2>&1 || missing="rustfmt"
    cargo clippy --version >/dev/null 2>&1 || missing="$missing clippy"
    [ -n "$missing" ] || return 0
    echo "installing the Rust components: $missing"
    # shellcheck disable=SC2086  # one word per component
    { have rustup && rustup component add $missing; } ||
        fail "Rust components are missing and could not be installed: rustup component add $missing"
}

check_python() {
    have "$PYTHON" || fail "$PYTHON is missing; install Python 3.9 or later, or name one: make PYTHON=..."
    found=$("$PYTHON" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])') ||
        fail "$PYTHON does not run; name a Python 3.9 or later: make PYTHON=..."
    "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 9))' ||
        fail "$PYTHON is Python $found, 3.9 or later is needed; name one: make PYTHON=..."
    echo "Python $found"
}

for part in "$@"; do
    case $part in
    rust) check_rust ;;
    lint) check_lint ;;
    python) check_python ;;
    *) fail "unknown part '$part'; known are rust, lint and python" ;;
    esac
done
