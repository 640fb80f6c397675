#!/bin/sh
# Installs Debian packages where that works without asking: as root, on a system with apt-get.
set -eu
[ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 || exit 1
echo "installing $* with apt-get"
export DEBIAN_FRONTEND=noninteractive
# A fresh image has no package lists. Old lists may still do when the update fails.
apt-get update -qq || echo "apt-get update failed, trying with the present lists" >&2
apt-get install -y -qq --no-install-recommends "$@"
