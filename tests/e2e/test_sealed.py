#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""After a sync that failed, the real program acknowledges nothing any more until it opens the store anew, though every
later sync would succeed."""
import os
import pathlib
import subprocess
import sys

sys.dont_write_bytecode = True
from steme_e2e import PROGRAM, Scratch, Skipped, case, expect, finish, good, run  # noqa: E402

MARK = "<a sync has failed>"
HEADER = "agent\tsubject\tpredicate\tobject\ttime"


def rows(count):
    return "\n".join([HEADER] + [f"w\tthing {i}\tis\tvalue {i}\t2020-01-01T00:00:00Z" for i in range(count)]) + "\n"


def ids(text):
    return [line for line in text.split() if len(line) == 64]


def import_with_failing_sync(store, source, nth):
    """An import of many batches whose nth fdatasync fails, and no other."""
    shim = os.environ.get("SHIM", "")
    if not os.path.exists(shim):
        raise Skipped("the library that makes calls fail is not built")
    hit = pathlib.Path(str(store) + ".hit")
    hit.unlink(missing_ok=True)
    preload = " ".join(filter(None, [os.environ.get("LD_PRELOAD"), shim]))
    environment = dict(os.environ, STEME_DIR=str(store), LD_PRELOAD=preload, SHIM_CALL="fdatasync", SHIM_NTH=str(nth),
                       SHIM_EFFECT="EIO", SHIM_TIMES="1", SHIM_HIT=str(hit), SHIM_MARK=MARK)
    done = subprocess.run([PROGRAM, "import", str(source), "--ids", "--bundle", "5"], env=environment,
                          capture_output=True, check=False, stdin=subprocess.DEVNULL, timeout=120)
    return done, hit.exists()


def nothing_is_acknowledged_behind_a_failed_sync():
    struck = refused = 0
    for nth in range(1, 13):
        with Scratch() as scratch:
            source = scratch.file("rows.tsv", rows(40))
            done, hit = import_with_failing_sync(scratch.store, source, nth)
            printed = done.stdout.decode()
            before, _, behind = printed.partition(MARK)
            if not hit:
                break
            struck += 1
            expect(not ids(behind), f"fdatasync {nth} failed, and then: {behind[:200]}")
            refused += done.returncode != 0
            kept = {line.split("\t")[0][2:] for line in good("keys", "H:", store=scratch.store).text.splitlines()}
            expect(set(ids(before)) <= kept, "what was acknowledged before it is lost")
            again = run("import", source, "--ids", "--bundle", "5", store=scratch.store)
            expect(again.code == 0 and len(ids(again.text)) == 40, f"opened anew: {again}")
    expect(struck >= 3 and refused >= 3, f"only {struck} syncs were hit, {refused} imports were refused")


case("nothing is acknowledged behind a failed sync until the store is opened anew",
     nothing_is_acknowledged_behind_a_failed_sync)
finish()
