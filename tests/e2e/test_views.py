#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Views from the outside: every verb, for people and as JSON, beside a writer and alone, and what bad input is told."""
import sys

sys.dont_write_bytecode = True
import json
import subprocess
import time

from steme_e2e import PROGRAM, Scratch, case, expect, finish


def rows(scratch, name, *more):
    """The view, and its rows by subject and predicate."""
    lines = scratch.good("view", "rows", name, "--json", *more).lines
    return lines[0], {(line["subject"], line["predicate"]): line for line in lines[1:]}


def stocked(scratch):
    for subject, predicate, value in (("Pluto", "is_a", "planet"), ("Pluto", "mass", "13"), ("Mars", "is_a", "planet")):
        scratch.good("assert", subject, predicate, value)


def a_view_holds_what_resolve_answers():
    with Scratch() as scratch:
        stocked(scratch)
        scratch.good("view", "create", "all")
        view, found = rows(scratch, "all")
        expect(view["standing"] == "current" and view["rows"] == len(found) == 3, view)
        for (subject, predicate), row in found.items():
            answer = scratch.good("resolve", subject, predicate, "--json").json
            best = answer["beliefs"][0]
            expect(row["verdict"] == answer["verdict"] and row["probability"] == best["probability"], (row, answer))
            expect(row["claim"] == best["claim"] and row["slot"] == answer["slot"], (row, answer))


def rows_follow_what_is_written():
    with Scratch() as scratch:
        stocked(scratch)
        scratch.good("view", "create", "pl", "--subject", "Pl*", "--predicate", "is_a")
        before, found = rows(scratch, "pl")
        expect(set(found) == {("Pluto", "is_a")}, found)
        dwarf = scratch.good("assert", "Pluto", "is_a", "dwarf").text.split()[0]
        scratch.good("vote", dwarf, "support")
        after, found = rows(scratch, "pl")
        row = found["Pluto", "is_a"]
        expect(after["watermark"] == before["watermark"] + 2 and row["beliefs"] == 2 and row["votes"] == 1, row)
        scratch.good("retract", dwarf)
        expect(rows(scratch, "pl")[1]["Pluto", "is_a"]["beliefs"] == 1, "retracted")
        plain = scratch.good("view", "rows", "pl")
        expect(plain.text.startswith("Pluto\tis_a\t\tplanet\t0.666667"), plain)
        expect(f"as of {after['watermark'] + 1}" in plain.error, plain)


def rows_that_are_learned_are_of_one_state():
    """Whatever bears on a slot of the predicate makes all rows anew, also those of other subjects."""
    with Scratch() as scratch:
        stocked(scratch)
        for planet in range(6):
            for source in ("NASA", "ESA", "a friend"):
                value = "rock" if source == "a friend" and planet % 2 else "gas"
                scratch.good("assert", f"planet {planet}", "made_of", value, "--source", source)
        scratch.good("view", "create", "learned", "--lens", "reliability", "--subject", "planet ?", "--predicate",
                     "made_of", "--method", "one-coin", "--uncalibrated", "--copying", "--prior", "0.25")
        told = scratch.good("view", "show", "learned", "--json").json["parameters"]
        expect({p["name"]: p["value"] for p in told} == {"method": "one-coin", "uncalibrated": "yes", "copying": "yes",
                                                         "prior": "0.25"}, told)
        before, old = rows(scratch, "learned")
        expect(before["weights_as_of"] == before["watermark"] and len(old) == 6, before)
        for odd in ("Io", "Europa", "Ganymede"):
            scratch.good("assert", odd, "made_of", "ice", "--source", "a friend")
            scratch.good("assert", odd, "made_of", "rock", "--source", "NASA")
            scratch.good("assert", odd, "made_of", "rock", "--source", "ESA")
        after, new = rows(scratch, "learned")
        expect(after["watermark"] == before["watermark"] + 9 and set(new) == set(old), after)
        expect(any(new[slot]["probability"] != old[slot]["probability"] for slot in new), new)
        for (subject, predicate), row in new.items():
            answer = scratch.good("resolve", subject, predicate, "--lens", "reliability", "--method", "one-coin",
                                  "--uncalibrated", "--copying", "--prior", "0.25", "--json").json
            expect(row["probability"] == answer["beliefs"][0]["probability"], (row, answer))
        expect(scratch.good("verify", "--json").json["findings"] == 0, "verify")


def views_are_listed_shown_and_dropped():
    with Scratch() as scratch:
        stocked(scratch)
        scratch.good("view", "create", "old", "--lens", "recency", "--half-life", "30d")
        scratch.good("view", "create", "trusted", "--lens", "authority", "--root", "default")
        listed = {line["view"]: line for line in scratch.good("view", "list", "--json").lines}
        expect(set(listed) == {"old", "trusted"}, listed)
        expect(listed["old"]["parameters"] == [{"name": "half-life", "value": "2592000000000"}], listed)
        expect(listed["trusted"]["weights_as_of"] == listed["trusted"]["watermark"], listed)
        expect("half-life = 2592000000000" in scratch.good("view", "show", "old").text, "show")
        scratch.good("view", "drop", "old")
        expect([line["view"] for line in scratch.good("view", "list", "--json").lines] == ["trusted"], "dropped")
        expect("trusted" in scratch.good("view", "list").text, "list")
        gone = scratch.run("view", "rows", "old")
        expect(gone.code == 3 and "there is no view 'old'" in gone.error, gone)
        scratch.good("view", "create", "old", "--subject", "Mars")
        expect(set(rows(scratch, "old")[1]) == {("Mars", "is_a")}, "anew")
        expect(scratch.good("view", "refresh", "old", "--json").json["standing"] == "current", "refresh")
        scratch.good("verify")


def views_travel_with_an_export():
    with Scratch() as scratch, Scratch() as other:
        stocked(scratch)
        scratch.good("view", "create", "all")
        other.good("import", "-", stdin=scratch.good("export").text)
        listed = other.good("view", "list", "--json").json
        expect(listed["standing"] == "proposal", listed)
        refused = other.run("view", "rows", "all")
        expect(refused.code == 3 and "proposal" in refused.error, refused)


def a_rebuilt_index_makes_them_anew():
    with Scratch() as scratch:
        stocked(scratch)
        scratch.good("view", "create", "all")
        before = rows(scratch, "all")[1]
        scratch.good("rebuild")
        expect(rows(scratch, "all")[1] == before, "the same rows")
        scratch.good("verify")


def waiting_ends_with_the_rows_or_with_a_reason():
    with Scratch() as scratch:
        stocked(scratch)
        scratch.good("view", "create", "all")
        writer = subprocess.Popen([PROGRAM, "import", "-", "--dir", str(scratch.store)], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            time.sleep(0.2)
            late = scratch.run("view", "rows", "all", "--at-least", "5", "--timeout", "1")
            expect(late.code != 0 and "not yet 5" in late.error, late)
            draft = {"type": "assertion", "subject": "Ceres", "predicate": "is_a", "object": "asteroid"}
            waiting = subprocess.Popen([PROGRAM, "view", "rows", "all", "--at-least", "5", "--json", "--dir",
                                        str(scratch.store)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            writer.communicate(json.dumps(draft).encode() + b"\n", timeout=30)
            out, err = waiting.communicate(timeout=30)
            expect(waiting.returncode == 0 and b"Ceres" in out, (out, err))
        finally:
            writer.kill()
            writer.wait()


def bad_input_is_refused_with_what_to_do():
    with Scratch() as scratch:
        stocked(scratch)
        scratch.good("view", "create", "planets")
        cases = [
            (("view", "show", "planet"), 3, "did you mean 'planets'"),
            (("view", "drop", "planet"), 3, "did you mean 'planets'"),
            (("view", "refresh", "x"), 3, "there is no view 'x'"),
            (("view", "create", "x", "--subject", "a\\"), 2, "backslash"),
            (("view", "create", "x", "--lens", "consenus"), 2, "did you mean 'consensus'"),
            (("view", "create", "x", "--epoch", "nothing"), 3, "epoch"),
            (("view", "create", " x"), 2, "white space"),
            (("view", "create"), 2, ""),
            (("view", "rows", "planets", "--at-least", "many"), 2, "at-least"),
            (("view", "rows", "planets", "--timeout", "1"), 2, "--at-least"),
            (("view", "rows", "planets", "--as-of", "@1"), 2, "--as-of"),
        ]
        for words, code, says in cases:
            got = scratch.run(*words)
            expect(got.code == code and says in got.error, (words, got))
        expect(len(scratch.good("view", "list", "--json").lines) == 1, "nothing was made")


for name, function in list(globals().items()):
    if name.startswith(("a_", "rows_", "views_", "waiting_", "bad_")) and callable(function):
        case(name.replace("_", " "), function)
finish()
