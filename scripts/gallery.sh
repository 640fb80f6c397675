#!/bin/sh
# Makes docs/gallery.md and its pictures: each report as a user sees it.
#
#     scripts/gallery.sh JUMPER
#
# Takes Chromium and pngquant from the system, and playwright-core into target/gallery.
set -eu
cd "$(dirname "$0")/.."
JUMPER=$1
PYTHON=${PYTHON:-python3}
WORK=target/gallery

fail() {
    echo "error: $1" >&2
    exit 1
}

have() {
    command -v "$1" >/dev/null 2>&1
}

have chromium || sh scripts/apt-install.sh chromium fonts-dejavu-core || fail "chromium is missing; install it with your system's package manager"
have pngquant || sh scripts/apt-install.sh pngquant || fail "pngquant is missing; install it with your system's package manager"
{ have node && have npm; } || sh scripts/apt-install.sh nodejs npm || fail "node and npm are missing; install Node 18 or later"

mkdir -p "$WORK" docs/gallery
[ -d "$WORK/node_modules/playwright-core" ] ||
    npm install --silent --no-audit --no-fund --prefix "$WORK" playwright-core@1.65.1 ||
    fail "playwright-core could not be installed"
cp scripts/gallery.mjs "$WORK/"
"$PYTHON" scripts/gallery.py "$JUMPER" "$WORK" docs
# Colours enough for lines and letters, at a third of the size.
pngquant --force --skip-if-larger --ext .png --quality 80-98 --strip docs/gallery/*.png || [ $? -eq 98 ] || [ $? -eq 99 ]
du -ch docs/gallery/* | tail -1
