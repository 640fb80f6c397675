#!/bin/sh
# Runs COMMAND in the root directory ROOT, which sees WORK as /mnt and the processes in /proc.
# Called through `unshare --mount`, so that no mount outlives it.
#
#     unshare --mount sh in_root.sh ROOT WORK COMMAND [ARG...]
set -eu
root=$1
work=$2
shift 2
mount -t proc proc "$root/proc"
mount --bind "$work" "$root/mnt"
exec chroot "$root" "$@"
