#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check.sh PROGRAM EXPECTED: the example prints what usage.md says it does.
set -uo pipefail
program=${1:?usage: check.sh PROGRAM EXPECTED}
expected=${2:?usage: check.sh PROGRAM EXPECTED}
name="the example prints what usage.md shows"
if diff -u "$expected" <("$program" 2>&1); then
    echo "ok - $name"
else
    echo "not ok - $name"
    exit 1
fi
