#!/bin/sh
# Makes the virtual environment DIR with the tools of REQUIREMENTS (scripts/requirements.txt unless
# it is named); leaves it alone when it is up to date.
#
#     scripts/venv.sh DIR [REQUIREMENTS]
set -eu
PYTHON=${PYTHON:-python3}
venv=$1
tools=${2:-$(dirname "$0")/requirements.txt}

fail() {
    echo "error: $1" >&2
    exit 1
}

# What the environment was made from. A moved or upgraded interpreter makes it useless.
stamp() {
    "$PYTHON" -c 'import os, sys; print(sys.version, os.path.realpath(sys.executable))'
    cat "$tools"
}

if [ -x "$venv/bin/python" ] && stamp | cmp -s - "$venv/stamp"; then
    exit 0
fi

# Debian ships ensurepip in a package of its own.
"$PYTHON" -c 'import ensurepip, venv' 2>/dev/null ||
    sh "$(dirname "$0")/apt-install.sh" python3-venv ||
    fail "$PYTHON has no venv module; install it with your system's package manager (Debian: python3-venv)"

echo "making $venv with the tools of $tools"
"$PYTHON" -m venv --clear "$venv" ||
    fail "$PYTHON cannot make a virtual environment in $venv (the reason is above)"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$tools" ||
    fail "the tools of $tools could not be installed (pip's reason is above; it needs the network)"
stamp >"$venv/stamp"
