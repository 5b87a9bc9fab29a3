#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kill -9, again and again: importing processes that sign with one key after the other, and whoever comes next while
it recovers. Every acknowledged record is there, verify is clean, no lock is left.

ROUNDS=n imports killed (FULL=1: 10,000), each followed by up to three kills during recovery."""
import sys

sys.dont_write_bytecode = True
import random
import signal
import subprocess
import time

from torture import KEYS, PROGRAM, SEED, Scratch, check_by_second_reader, check_ids, check_verify, environment, expect
from torture import finish, good, make_keys, part, rounds, rows, whole_lines

ROUNDS = rounds(300, 10000)
ROWS = 2000
BUNDLE = 20
PAUSE_MAX_S = 0.06
RECOVERY_PAUSE_MAX_S = 0.012
ROUNDS_A_STORE = 40  # then a fresh one, so that a round's cost stays what it is
CHECK_EVERY = 5


def start_and_kill(store, words, pause_s):
    """Start, wait a little, kill. What it had printed by then, and whether it was still running."""
    with subprocess.Popen([PROGRAM, *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          env=environment(store)) as process:
        time.sleep(pause_s)
        running = process.poll() is None
        process.send_signal(signal.SIGKILL)
        printed = process.stdout.read()
    return whole_lines(printed), running


def recover(store, rng, round_):
    """Kill whoever recovers, some times. Acknowledged ids, and how many were killed in the middle."""
    acknowledged, killed = [], 0
    for attempt in range(rng.randrange(4)):
        words = rng.choice((["status"], ["verify"], ["export"], ["resolve", "--all"],
                            ["assert", f"again:{round_}:{attempt}", "is", "there"]))
        ids, running = start_and_kill(store, words, rng.uniform(0, RECOVERY_PAUSE_MAX_S))
        if words[0] == "assert":
            acknowledged += ids
        killed += running
    return acknowledged, killed


def torture_one_store(count, rng, figures):
    with Scratch() as scratch:
        acknowledged = set()
        make_keys(scratch.store)
        for round_ in range(count):
            source = scratch.file("rows.tsv", rows(ROWS, f"round{round_}"))
            words = ["import", str(source), "--ids", "--bundle", str(BUNDLE), "--as", KEYS[round_ % len(KEYS)]]
            ids, running = start_and_kill(scratch.store, words, rng.uniform(0, PAUSE_MAX_S))
            acknowledged.update(ids)
            figures["imports killed"] += running
            more, killed = recover(scratch.store, rng, round_)
            acknowledged.update(more)
            figures["recoveries killed"] += killed
            # whoever writes next finds no lock
            after = good("assert", f"after:{round_}", "is", "there", store=scratch.store)
            acknowledged.update(whole_lines(after.out))
            if round_ % CHECK_EVERY == 0 or round_ == count - 1:
                check_ids(scratch.store, acknowledged, f"round {round_}: ")
                check_verify(scratch.store, f"round {round_}: ")
        check_by_second_reader(scratch.store, {f"round{round_}" for round_ in range(count)} | {"again", "after"})
        before = scratch.good("keys").out
        scratch.good("rebuild")
        expect(scratch.good("keys").out == before, "the index as it was kept up differs from the index made anew")
        figures["acknowledged"] += len(acknowledged)


def kills():
    rng = random.Random(SEED)
    figures = {"imports killed": 0, "recoveries killed": 0, "acknowledged": 0}
    left = ROUNDS
    while left > 0:
        torture_one_store(min(left, ROUNDS_A_STORE), rng, figures)
        left -= ROUNDS_A_STORE
    expect(figures["imports killed"] > ROUNDS // 4, f"hardly any import was interrupted: {figures}")
    return f"{ROUNDS} rounds, {figures['imports killed']} imports killed, {figures['recoveries killed']} processes " \
           f"killed while they opened what that left; {figures['acknowledged']} acknowledged records, 0 lost"


if __name__ == "__main__":
    part("kill -9 while importing and while recovering: nothing acknowledged is lost, verify is clean", kills)
    finish()
