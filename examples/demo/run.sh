#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run.sh STEME: the demonstration behind `make run`. Fills a scratch store with published claims about four questions and
# asks it. KEEP=1 keeps the store.
set -euo pipefail
program=${1:?usage: run.sh STEME}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/steme-demo.XXXXXX")
[ -n "${KEEP:-}" ] || trap 'rm -rf "$work"' EXIT
export STEME_DIR=$work/store
marks=$work/marks

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'; else bold='' dim='' plain=''; fi
say() { printf '%s\n' "$*"; }
title() { printf '%s%s%s\n' "$bold" "$*" "$plain"; }
# Show a command as one would type it, then its first lines.
ask() {
    local lines=$1 text='' word
    shift
    for word in "$@"; do
        case $word in *[\ \']*) word="'$word'" ;; esac
        text+=" $word"
    done
    printf '%s$ steme%s%s\n' "$dim" "$text" "$plain"
    "$program" "$@" --table | sed -n "1,${lines}p"
}
mark() { awk -F '\t' -v name="$1" '$1 == name { print $2 }' "$marks"; }

h0=cosmology:hubble_constant
nu=physics:cngs_neutrino
title "StemeDB: what is believed is decided when you ask. The store is $work${KEEP:+, kept}."
"$program" init >"$work/log"
loaded=$("$here/../controversies/to_steme.py" --load "$program" --marks "$marks" --subject $h0 --subject physics:proton \
    --subject $nu --subject astro:pluto)
# Who is trusted, for the lens `authority`: the curator endorses three sources about Pluto, and no parliament.
"$program" key new curator >>"$work/log"
for source in group:iau person:k_runyon person:p_metzger; do
    "$program" vote --source "$source" support --as curator >>"$work/log"
done
groups=$(cut -f 2,9 "$here/../controversies/claims.tsv" | grep -E "^($h0|physics:proton|$nu|astro:pluto)" | cut -f 2 | sort -u | wc -l)
say "Loaded from published papers, each with its DOI: $loaded."
say "$groups groups speak, $("$program" key list --json | wc -l) keys sign: all of it signed, logged and synced before it was acknowledged."

title "1. They disagree, and nothing was overwritten"
ask 6 conflicts --limit 5

title "2. A lens decides when you ask: most voices, trusted voices, the latest word, or none"
for lens in consensus authority recency union; do ask 3 resolve astro:pluto class --lens $lens; done
say "  Measurements are pooled, with an error bar and a test whether they agree. They don't:"
ask 4 resolve $h0 value --lens pool

title "3. Why? Down to the signed records"
ask 12 why astro:pluto class

title "4. As it stood. History was written in its order, so a year is a sequence number: 2001 ended at $(mark 2001), 2018 at $(mark 2018)"
for year in 2001 2018; do ask 2 resolve $h0 value --lens pool --as-of "@$(mark $year)"; done

title "5. A retraction: OPERA's faster-than-light neutrinos, before and after record $(mark retract:nu-opera-v2)"
ask 3 resolve $nu early_arrival_time --lens pool --as-of "@$(($(mark retract:nu-opera-v2) - 1))"
ask 3 resolve $nu early_arrival_time --lens pool --as-of "@$(mark retract:nu-opera-v2)"

title "6. Every checksum, id and signature, and the index against the log"
ask 4 verify

title "Next"
say "  build/release/src/faces/steme help          what else there is; make install puts it on your PATH"
say "  KEEP=1 make run                             keeps the store to play with: export STEME_DIR=.../store"
say "  README.md, usage.md                         a tour, and all of the command line and the C API"
