#!/bin/sh
# Shows and runs a command; when it fails, one line below its output says what that means.
#
#     scripts/step.sh MEANING COMMAND [ARG...]
meaning=$1
shift
echo "+ $*"
"$@" || {
    status=$?
    echo "error: $meaning" >&2
    exit "$status"
}
