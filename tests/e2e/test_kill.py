#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kill -9 in the middle of an import, again and again in the same store, while others read: what was acknowledged is
there, all is well, and nobody holds a lock. ROUNDS=200 for the long run."""
import sys

sys.dont_write_bytecode = True
import os
import random
import signal
import subprocess
import time

from steme_e2e import PROGRAM, Scratch, case, expect, finish

ROUNDS = int(os.environ.get("ROUNDS", "25"))
ROWS = 4000
BUNDLE = 20  # small ones, so that there are many acknowledgements to hold the store to
PAUSE_MAX_S = 0.15
VERIFY_EVERY = 5


def rows(round_):
    lines = ["agent\tsubject\tpredicate\tobject\ttime"]
    for row in range(ROWS):
        lines.append(f"w{row % 7}\tround{round_}:{row % 97}\tis\tvalue {row}\t2020-01-01T00:00:{row % 60:02}Z")
    return ("\n".join(lines) + "\n").encode()


def kill_one_import(scratch, round_, rng):
    """Ids that were acknowledged before the kill."""
    source = scratch.file("rows.tsv", rows(round_))
    environment = dict(os.environ, STEME_DIR=str(scratch.store))
    with subprocess.Popen([PROGRAM, "import", str(source), "--ids", "--bundle", str(BUNDLE)], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, env=environment) as writer:
        with subprocess.Popen([PROGRAM, "resolve", "--all"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              env=environment) as reader:
            time.sleep(rng.uniform(0, PAUSE_MAX_S))
            writer.send_signal(signal.SIGKILL)
            printed = writer.stdout.read().decode()
            expect(reader.wait(timeout=60) == 0, "a reader failed beside the writer")
    whole = printed[:printed.rfind("\n") + 1]  # a line cut by the kill was not read by anybody as acknowledged
    return whole.split()


def check_ids(scratch, acknowledged):
    there = {line.split("\t")[0][2:] for line in scratch.good("keys", "H:").text.splitlines()}
    missing = acknowledged - there
    expect(not missing, f"{len(missing)} of {len(acknowledged)} acknowledged records are lost: {sorted(missing)[:3]}")


def kills(scratch):
    rng = random.Random(20261121)
    acknowledged = set()
    interrupted = 0
    for round_ in range(ROUNDS):
        ids = kill_one_import(scratch, round_, rng)
        acknowledged.update(ids)
        interrupted += len(ids) < ROWS
        # the next writer finds no lock
        acknowledged.add(scratch.written("assert", f"after:{round_}", "is", "there"))
        check_ids(scratch, acknowledged)
        if round_ % VERIFY_EVERY == 0 or round_ == ROUNDS - 1:
            verified = scratch.good("verify", "--json").json
            expect(verified["findings"] == 0 and verified["damaged_bytes"] == 0, verified)
    expect(scratch.good("status", "--json").json["degraded"] is False, "degraded")
    expect(interrupted > ROUNDS // 4, f"only {interrupted} of {ROUNDS} imports were interrupted: nothing is shown")
    print(f"# {len(acknowledged)} acknowledged records, {interrupted} of {ROUNDS} imports interrupted")


def rebuilt(scratch):
    before = scratch.good("keys").out
    export = scratch.good("export").out
    scratch.good("rebuild")
    expect(scratch.good("keys").out == before, "the rebuilt index differs")
    expect(scratch.good("export").out == export, "the export differs")


if __name__ == "__main__":
    with Scratch() as scratch:
        case(f"{ROUNDS} imports killed: every acknowledged record is there, verify is clean, no lock is left", kills,
             scratch, timeout=60 + 20 * ROUNDS)
        case("the index as it was kept up equals the index made anew", rebuilt, scratch)
    finish()
