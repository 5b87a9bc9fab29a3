# SPDX-License-Identifier: Apache-2.0
"""What the parts of `make torture` share. Each part prints `ok - name (figures)`, `not ok - name` or `skip - name`;
finish() exits non-zero when any failed. FULL=1 asks for the long run, ROUNDS for a number of rounds."""
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))
from steme_e2e import PROGRAM, Failed, Scratch, Skipped, expect, good, run  # noqa: E402,F401 (handed on to the parts)

FULL = bool(os.environ.get("FULL"))
SEED = int(os.environ.get("SEED", "20261121"))
READER = HERE.parent.parent / "tools" / "read_log"
KEYS = ("default", "alice", "bob")
# What a command may exit with when the system fails it: never a signal, never the loader's or the shell's codes.
EXITS = range(0, 7)

failed = 0


def rounds(default, full):
    return int(os.environ.get("ROUNDS", full if FULL else default))


def need(*programs, root=False):
    """The part is skipped where these are missing."""
    if root and os.geteuid() != 0:
        raise Skipped("it needs root")
    for program in programs:
        if not shutil.which(program):
            raise Skipped(f"it needs {program}")


def part(name, function, *arguments):
    """Run one part; it returns its figures."""
    global failed
    began = time.monotonic()
    try:
        figures = function(*arguments)
        print(f"ok - {name} ({figures}; {time.monotonic() - began:.0f} s)", flush=True)
    except Skipped as reason:
        print(f"skip - {name}: {reason}", flush=True)
    except Failed as problem:
        failed += 1
        print(f"not ok - {name}\n  " + str(problem).replace("\n", "\n  "), flush=True)
    except Exception:  # a part that breaks is a part that fails
        failed += 1
        print(f"not ok - {name}", flush=True)
        traceback.print_exc(file=sys.stdout)


def finish():
    sys.exit(1 if failed else 0)


def environment(store):
    return dict(os.environ, STEME_DIR=str(store))


def make_keys(store):
    for key in KEYS[1:]:
        good("key", "new", key, store=store)


def rows(count, tag, rng=None):
    """TSV of assertions that no other tag makes, over some slots, so that claims compete."""
    rng = rng or random.Random(tag)
    lines = ["agent\tsubject\tpredicate\tobject\ttime"]
    for row in range(count):
        lines.append(f"w{row % 7}\t{tag}:{row % 17}\tis{row % 3}\tvalue {rng.randrange(6)} {row}"
                     f"\t2020-01-01T00:00:{row % 60:02}Z")
    return ("\n".join(lines) + "\n").encode()


def whole_lines(printed):
    """Ids that were printed in full: a line cut by a kill was read by nobody as an acknowledgement."""
    text = printed.decode() if isinstance(printed, bytes) else printed
    return [line for line in text[:text.rfind("\n") + 1].split() if len(line) == 64]


def ids_of(store):
    return {line.split("\t")[0][2:] for line in good("keys", "H:", store=store).text.splitlines()}


def check_ids(store, acknowledged, what=""):
    missing = set(acknowledged) - ids_of(store)
    expect(not missing, f"{what}{len(missing)} of {len(acknowledged)} acknowledged records are lost: "
                        f"{sorted(missing)[:3]}")


def check_verify(store, what=""):
    result = run("verify", "--json", store=store)
    expect(result.code == 0, f"{what}verify: {result}")
    totals = result.json
    expect(totals["findings"] == 0 and totals["damaged_bytes"] == 0, f"{what}{totals}")
    expect(totals["valid_bytes"] + totals["padding_bytes"] == totals["file_bytes"], f"{what}{totals}")


def check_by_second_reader(store, tags, what=""):
    """tools/read_log, which has none of our code, reads the same; nothing is there but what was handed in, and bundles
    are whole."""
    done = subprocess.run([READER, "--export", str(store)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False)
    expect(done.returncode == 0, f"{what}read_log: exit {done.returncode}: {done.stderr.decode()[-300:]}")
    expect(done.stdout == good("export", store=store).out, f"{what}the second reader exports otherwise than we do")
    for record in map(json.loads, done.stdout.splitlines()):
        for assertion in record.get("members", [record]):
            expect("subject" in assertion, f"{what}a bundle is there in part, or a record nobody wrote: {assertion}")
            expect(assertion["subject"].split(":")[0] in tags, f"{what}nobody handed this in: {assertion}")


def small_store(store, tag="small", count=40, bundle=10):
    """A store with a record of every kind; returns the ids in it."""
    good("init", store=store)
    make_keys(store)
    source = pathlib.Path(str(store) + ".tsv")
    source.write_bytes(rows(count, tag))
    acknowledged = whole_lines(good("import", source, "--ids", "--bundle", str(bundle), store=store).out)

    def say(*words):
        acknowledged.append(good(*words, store=store).text.strip())
        return acknowledged[-1]

    say("epoch", "new", "usage", "--to", "2006-08-24")
    say("assert", "Ceres", "is_a", "planet", "--type", "entity", "--epoch", "usage")
    old = say("assert", "Ceres", "diameter", "939", "--unit", "km", "--as", "alice")
    new = say("assert", "Ceres", "diameter", "939.4", "--plus", "0.2", "--unit", "km", "--as", "alice")
    say("supersede", old, "--with", new, "--kind", "correct", "--as", "alice")
    say("vote", new, "support", "--as", "bob")
    say("vote", "--agent", "alice", "support", "--as", "bob")
    say("assert", "has_part", "steme:cardinality", "steme:many", "--type", "entity")
    say("assert", "Berlin", "has_part", "Mitte", "--type", "entity")
    return acknowledged
