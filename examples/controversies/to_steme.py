#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turns the tables of this folder into what `steme` takes. README.md says how rows become records.

Without --load it prints the claims as TSV for `steme import`. With --load STEME it fills the store that STEME finds
(STEME_DIR, or a .steme folder): year by year the claims of the year, then what happened to claims in it, so that
sequence numbers follow history and `--as-of` a sequence shows what was known by then.
"""
import argparse
import csv
import io
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
COLUMNS = ["agent", "subject", "predicate", "object", "type", "plus", "minus", "unit", "time", "source", "epoch"]
# Epochs that are spans of time and no definitions: there the date of publication decides.
SPANS = {"cosmology:hubble_constant": ["ep-h0-factor-two", "ep-h0-concordance", "ep-h0-tension"]}


def table(name):
    with open(os.path.join(HERE, name), encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def when(date):
    """Sorts dates: a missing month or day comes before the first."""
    parts = [int(part) for part in date.split("-")]
    return tuple(parts + [0] * (3 - len(parts)))


def after(date):
    """The first day, month or year that is past a date of that precision."""
    year, month, day = when(date)
    if day:
        leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
        last = [31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
        if day < last:
            return f"{year:04}-{month:02}-{day + 1:02}"
        date = f"{year:04}-{month:02}"
        return after(date) + "-01"
    if month:
        return f"{year:04}-{month + 1:02}" if month < 12 else f"{year + 1:04}-01"
    return f"{year + 1:04}"


class Tables:
    """The claims about some subjects (all, if none is named) up to a date, and what happened to them."""

    def __init__(self, subjects, until):
        self.claims = [row for row in table("claims.tsv") if not subjects or row["subject"] in subjects]
        if until:
            self.claims = [row for row in self.claims if when(row["published"]) < until]
        by_id = {row["id"]: row for row in self.claims}
        events = [row for row in table("events.tsv") if row["to"] in by_id]
        self.events = [row for row in events if row["kind"] != "epoch" and (not until or when(row["date"]) < until)
                       and (row["kind"] != "supersedes" or row["from"] in by_id)]
        self.epochs = {row["id"]: row for row in table("epochs.tsv")}
        self.epoch_of = {row["to"]: row["from"] for row in events if row["kind"] == "epoch"}
        for row in self.claims:
            for epoch in SPANS.get(row["subject"], []):
                span = self.epochs[epoch]
                if when(row["published"]) >= when(span["from"]) and \
                        (not span["to"] or when(row["published"]) < when(after(span["to"]))):
                    self.epoch_of[row["id"]] = epoch
        self.claims.sort(key=lambda row: when(row["published"]))  # stable: the order of the file within a date
        self.events.sort(key=lambda row: when(row["date"]))


def write_claims(tables, rows, epoch_ids, to):
    print("\t".join(COLUMNS), file=to)
    for row in rows:
        epoch = tables.epoch_of.get(row["id"])
        cells = [row["agent"], row["subject"], row["predicate"], row["value"], row["value_kind"], row["plus"],
                 row["minus"], row["unit"], row["published"], row["source"].split("; ")[0],
                 epoch_ids.get(epoch, "") if epoch else ""]
        print("\t".join(cells), file=to)


class Store:
    """A store as the command line sees it."""

    def __init__(self, program):
        self.program = program
        self.keys = {key["name"] for key in self.ask("key", "list")}

    def run(self, *words, text=None):
        done = subprocess.run([self.program, *words], input=text, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"to_steme.py: steme {' '.join(words)}: {done.stderr.strip()}")
        return done.stdout

    def ask(self, *words):
        return [json.loads(line) for line in self.run(*words, "--json").splitlines()]

    def new_key(self, name):
        if name not in self.keys:
            self.run("key", "new", name)
            self.keys.add(name)

    def write(self, key, form, text):
        """Have unsigned records signed and written by a key of the store. Returns their ids, in order."""
        return self.run("import", "-", "--format", form, "--as", key, "--ids", text=text).split()

    def write_drafts(self, key, drafts):
        return self.write(key, "ndjson", "".join(json.dumps(draft) + "\n" for draft in drafts))

    def last_sequence(self):
        return self.ask("status")[0]["last_sequence"]


def key_name(agent):
    return agent.split(":", 1)[1]


def epoch_draft(row):
    draft = {"type": "epoch", "name": row["name"], "description": row["note"], "from": row["from"],
             "declared_at": row["from"]}
    if row["to"]:
        draft["to"] = after(row["to"])
    return draft


def target_of(row, ids):
    return {"kind": "assertion", "id": ids[row["id"]], "subject": row["subject"]}


def revision_draft(event, claims, ids):
    draft = {"type": "revision", "kind": "update" if event["kind"] == "supersedes" else "retract",
             "targets": [target_of(claims[event["to"]], ids)], "revised_at": event["date"],
             "reason": "; ".join(filter(None, [event["note"], event["source"]]))}
    if event["kind"] == "supersedes":
        draft["replacements"] = [ids[event["from"]]]
    return draft


def vote_draft(event, claims, ids):
    return {"type": "vote", "target": target_of(claims[event["to"]], ids), "cast_at": event["date"],
            "stance": "support" if event["kind"] == "supports" else "refute",
            "reason": "; ".join(filter(None, [event["note"], event["source"]]))}


def write_marks(store, since, ids, year, to):
    names = {id: name for name, id in ids.items()}
    for entry in store.ask("log", "--since", str(since)):
        if entry["type"] == "revision" and entry["kind"] == "retract":
            print("retract:" + names[entry["targets"][0]["id"]], entry["sequence"], sep="\t", file=to)
    print(year, store.last_sequence(), sep="\t", file=to)


def load(tables, program, key, marks):
    store = Store(program)
    store.new_key(key)
    epochs = sorted({tables.epoch_of[row["id"]] for row in tables.claims if row["id"] in tables.epoch_of})
    epoch_ids = dict(zip(epochs, store.write_drafts(key, [epoch_draft(tables.epochs[epoch]) for epoch in epochs])))
    claims = {row["id"]: row for row in tables.claims}
    ids = {}
    revision_count = vote_count = 0
    years = {when(row["published"])[0] for row in tables.claims} | {when(row["date"])[0] for row in tables.events}
    for year in sorted(years):
        since = store.last_sequence() + 1 if marks else 0
        rows = [row for row in tables.claims if when(row["published"])[0] == year]
        if rows:
            lines = io.StringIO()
            write_claims(tables, rows, epoch_ids, lines)
            ids.update(zip([row["id"] for row in rows], store.write(key, "tsv", lines.getvalue())))
        events = [event for event in tables.events if when(event["date"])[0] == year]
        revisions = [event for event in events if event["kind"] in ("supersedes", "retracts")]
        votes = [event for event in events if event["kind"] in ("supports", "refutes")]
        if revisions:
            store.write_drafts(key, [revision_draft(event, claims, ids) for event in revisions])
        for voter in sorted({event["agent"] for event in votes}):
            store.new_key(key_name(voter))
            store.write_drafts(key_name(voter),
                               [vote_draft(event, claims, ids) for event in votes if event["agent"] == voter])
        revision_count += len(revisions)
        vote_count += len(votes)
        if marks:
            write_marks(store, since, ids, year, marks)
    print(f"{len(ids)} claims, {revision_count} revisions, {vote_count} votes, {len(epochs)} epochs")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--subject", action="append", metavar="NAME", help="only claims about it; may be repeated")
    parser.add_argument("--until", metavar="DATE", help="only what was published before it")
    parser.add_argument("--load", metavar="STEME", help="the program to fill a store with")
    parser.add_argument("--key", default="archive", metavar="NAME", help="who signs the claims (archive)")
    parser.add_argument("--marks", type=argparse.FileType("w"), metavar="FILE",
                        help="with --load: the last sequence number of each year, and that of each retraction")
    given = parser.parse_args()
    tables = Tables(set(given.subject or []), when(given.until) if given.until else None)
    if given.load:
        load(tables, given.load, given.key, given.marks)
    else:
        write_claims(tables, tables.claims, {}, sys.stdout)


main()
