#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check.sh STEME: the whole of examples/controversies goes in, and what comes out agrees with its oracle; the demo says
# what it should in the space it has.
set -uo pipefail
program=$(realpath "${1:?usage: check.sh STEME}")
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/steme-check.XXXXXX")
trap 'rm -rf "$work"' EXIT
export STEME_DIR=$work/store NO_COLOR=1
failed=0
verdict() { # STATUS NAME
    if [ "$1" -eq 0 ]; then echo "ok - $2"; else
        echo "not ok - $2"
        failed=1
    fi
}

"$program" init >/dev/null && "$here/../controversies/to_steme.py" --load "$program"
verdict $? "every claim and event of the controversies goes in"
"$here/compare.py" "$program" "$here/../controversies/expected.json" || failed=1
"$program" verify >"$work/verify"
status=$?
[ $status -eq 0 ] || cat "$work/verify"
verdict $status "the store verifies"

mkdir "$work/tmp"
started=$SECONDS
TMPDIR=$work/tmp "$here/run.sh" "$program" >"$work/demo" 2>&1
status=$?
[ $status -eq 0 ] || cat "$work/demo"
verdict $status "the demo runs"
lines=$(wc -l <"$work/demo")
[ "$lines" -le 60 ]
verdict $? "the demo takes at most 60 lines ($lines)"
[ $((SECONDS - started)) -le 60 ]
verdict $? "the demo is quick ($((SECONDS - started)) s)"
for fact in '70.78 ± 0.41 km/s/Mpc  random-effects mean of 77 measurements' 'all is well'; do
    grep -qF "$fact" "$work/demo"
    verdict $? "the demo shows: $fact"
done
[ -z "$(ls -A "$work/tmp")" ]
verdict $? "the demo cleans up"
exit $failed
