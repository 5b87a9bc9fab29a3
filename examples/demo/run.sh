#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run.sh STEME: the demonstration behind `make run`. Fills a scratch store with published claims about four subjects
# and asks it. KEEP=1 keeps the store.
set -euo pipefail
program=${1:?usage: run.sh STEME}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/steme-demo.XXXXXX")
[ -n "${KEEP:-}" ] || trap 'rm -rf "$work"' EXIT
export STEME_DIR=$work/store
marks=$work/marks

bold='' dim='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'; fi
title() { printf '%s%s%s\n' "$bold" "$*" "$plain"; }
# ask FIRST,LAST WORD...: a command as one would type it, and some of the lines it prints.
ask() {
    local lines=$1 text='' word
    shift
    for word in "$@"; do
        case $word in *[\ \']*) word="'$word'" ;; esac
        text+=" $word"
    done
    printf '%s$ steme%s%s\n' "$dim" "$text" "$plain"
    "$program" "$@" --table | sed -n "${lines}p"
}
# Sequence number reached by the end of a year, or of a retraction.
mark() {
    awk -F '\t' -v name="$1" '$1 == name || (name ~ /^[0-9]+$/ && $1 ~ /^[0-9]+$/ && $1 <= name) { found = $2 }
        END { print found }' "$marks"
}

h0=cosmology:hubble_constant
nu=physics:cngs_neutrino
subjects=(--subject $h0 --subject physics:proton --subject $nu --subject astro:pluto)

"$program" init >"$work/out"
loaded=$("$here/../controversies/to_steme.py" --load "$program" --marks "$marks" "${subjects[@]}")
"$program" key new curator >>"$work/out"
"$program" vote --source group:iau support --as curator >>"$work/out"
voices=$("$here/../controversies/to_steme.py" "${subjects[@]}" | tail -n +2 | cut -f 1 | sort -u | wc -l)
keys=$("$program" key list --json | grep -cvE '"(default|archive|curator)"')
title "StemeDB: keep every signed claim, decide what to believe when asked.   STEME_DIR=$STEME_DIR${KEEP:+ (kept)}"
echo "From papers of $voices groups: $loaded; signed by an archive's key, votes by $keys stand-in keys."

title "1. They disagree, and nothing was overwritten: the questions contested most"
ask 1,4 conflicts --limit 3

title "2. A lens decides when asked: by voices (parliaments too), by those you trust, by the last word, or not at all"
ask 1,2 resolve astro:pluto class
ask 1,2 resolve astro:pluto class --lens authority --root curator
ask 1,2 resolve astro:pluto class --lens recency
ask 1,2 resolve astro:pluto class --lens union
ask 1,4 resolve $h0 value --lens pool

title "3. Why? Down to the signed records"
ask 1,9 why astro:pluto class

then=$(mark 2001) later=$(mark 2018)
title "4. Back then: records went in as history did, so 2001 ended at record $then, 2018 at $later; an epoch has a name"
ask 2 resolve $h0 value --lens pool --as-of "@$then"
ask 2 resolve $h0 value --lens pool --as-of "@$later"
ask 2 resolve $h0 value --lens pool --epoch 'Hubble constant uncertain by a factor of two'

retraction=$(mark retract:nu-opera-v2)
title "5. Neutrinos faster than light: before OPERA's retraction, which is record $retraction, and with it"
ask 2,3 resolve $nu early_arrival_time --lens pool --as-of "@$((retraction - 1))"
ask 2,3 resolve $nu early_arrival_time --lens pool --as-of "@$retraction"

title "6. Every checksum, id and signature, and the index against the log"
ask '1,$' verify

title "Next: KEEP=1 make run keeps the store to play with; build/release/src/faces/steme help; README.md has a tour"
