#!/bin/sh
# Fails when a crate depends on one that lies above it, or on what its layer must do without
# (docs/architecture.md). The dependency graph that Cargo builds is the proof, not the manifests.
set -eu
cd "$(dirname "$0")/.."
failed=0

fail() {
    echo "error: $1" >&2
    exit 1
}

# packages PACKAGE [FLAG...]: everything that PACKAGE is built with, one name a line.
packages() {
    package=$1
    shift
    cargo tree --locked --package "$package" --edges normal --prefix none --format '{p}' "$@" |
        cut -d ' ' -f 1 | sort -u
}

# without "NAME..." PACKAGE [FLAG...]: none of the names may be among the packages.
without() {
    banned=$1
    shift
    found=$(packages "$@")
    [ -n "$found" ] || fail "cargo tree says nothing about $*"
    for name in $banned; do
        if echo "$found" | grep -q -x -e "$name"; then
            echo "error: $* depends on $name, which its layer must not (cargo tree -p $* -i $name)" >&2
            failed=1
        fi
    done
}

# Names that no package has would pass every check. Here is one that must be found.
packages jumper-session --features record | grep -q -x jumper-sampler ||
    fail "this check is blind: it does not see jumper-sampler below jumper-session"

without "jumper-session jumper-render jumper-cli pyo3 arrow-array parquet minijinja" jumper-sampler
without "jumper-session jumper-render jumper-cli pyo3 arrow-array parquet minijinja" jumper-agent
without "jumper-sampler jumper-render jumper-cli pyo3 minijinja" jumper-session --no-default-features
without "jumper-render jumper-cli pyo3 minijinja" jumper-session
without "jumper-sampler jumper-cli pyo3" jumper-render
without "jumper-sampler jumper-py pyo3" jumper-cli --no-default-features
without "jumper-py pyo3" jumper-cli

[ "$failed" = 0 ] && echo "the layers are as they should be"
exit "$failed"
