#!/bin/sh
# Gets the CPython versions that are newer than most systems' for the tests: a Debian root directory with them, in
# $JUMPER_TEST_ROOT or else ${XDG_CACHE_HOME:-$HOME/.cache}/jumper/sid. Only root can make and use it. Where that
# is impossible it says so in one line and succeeds: the tests name the versions that they miss.
set -eu
cd "$(dirname "$0")/.."
versions="3.14 3.15"

skip() {
    echo "no Debian root directory with CPython $versions for the tests: $1"
    exit 0
}

# Whether every version is in the folder $1.
in_folder() {
    for version in $versions; do
        [ -x "$1/python$version" ] || return 1
    done
}

all_on_path() {
    for version in $versions; do
        command -v "python$version" >/dev/null 2>&1 || return 1
    done
}

cache=${XDG_CACHE_HOME:-${HOME:+$HOME/.cache}}
root=${JUMPER_TEST_ROOT:-${cache:+$cache/jumper/sid}}
[ -n "$root" ] || skip "neither JUMPER_TEST_ROOT nor HOME is set"
! in_folder "$root/usr/bin" || exit 0
! all_on_path || exit 0
[ ! -e "$root" ] || skip "$root is there without them; remove it to have it made again"
[ "$(id -u)" = 0 ] || skip "that takes root"
command -v debootstrap >/dev/null 2>&1 ||
    sh scripts/apt-install.sh debootstrap debian-archive-keyring >/dev/null 2>&1 ||
    skip "debootstrap is missing and could not be installed"

mkdir -p "$(dirname "$root")" || skip "its folder cannot be made"
new=$(mktemp -d "$root.XXXXXX") || skip "its folder cannot be written to"
clean_up() {
    # debootstrap mounts these while it works, and may have been interrupted.
    umount "$new/proc" "$new/sys" 2>/dev/null || true
    rm -rf --one-file-system "$new" "$new.log"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

echo "making a Debian root directory with CPython $versions in $root"
include=$(echo "$versions" | sed 's/[^ ]*/python&/g; s/ /,/g')
timeout 600 debootstrap --variant=minbase --include="$include" sid "$new" >"$new.log" 2>&1 ||
    skip "$(tail -n 1 "$new.log")"
rm -rf "$new"/var/cache/apt/archives/*.deb "$new"/var/lib/apt/lists/*
chmod 755 "$new"
in_folder "$new/usr/bin" || skip "the packages do not hold them"
# Another run that was faster has put its own there.
mv -T "$new" "$root" 2>/dev/null || in_folder "$root/usr/bin" || skip "it could not be renamed to $root"
