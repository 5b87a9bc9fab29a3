#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The lens reliability, the voices it learned of, and answers held against what is true."""
import sys

sys.dont_write_bytecode = True
import json
import math
import xml.dom.minidom

from steme_e2e import Scratch, case, expect, finish, shuffled

USAGE, MISSING, DEVICE = 2, 3, 5
QUESTIONS = 40
HEADER = "agent\tsubject\tpredicate\tobject\n"


def says(voice, question):
    """Three that are right but for a question or two each; two that agree with nobody, and one of them is late."""
    truth = question % 3
    wrong = {"ann": question % 20 == 1, "bob": question % 20 == 2, "cid": question % 20 == 3}
    if voice in wrong:
        return (truth + wrong[voice]) % 3
    return (question * 7 + len(voice)) % 3


def claims(seed=None):
    rows = [f"{voice}\tq{q}\tcolour\tc{says(voice, q)}\n" for q in range(QUESTIONS)
            for voice in ("ann", "bob", "cid", "noise", "noisier")]
    return HEADER + "".join(rows if seed is None else shuffled(rows, seed))


def truths():
    return "subject\tpredicate\tobject\n" + "".join(f"q{q}\tcolour\tc{q % 3}\n" for q in range(QUESTIONS))


def filled(scratch, seed=None):
    path = scratch.file("claims.tsv", claims(seed))
    scratch.good("import", path, "--asserted-at", "2020")


def an_answer_says_what_it_learned_from():
    with Scratch() as scratch:
        filled(scratch)
        answer = scratch.good("resolve", "q1", "colour", "--lens", "reliability", "--json").json
        learned = answer["learned"]
        expect((learned["items"], learned["voices"], learned["answers"]) == (QUESTIONS, 5, 5 * QUESTIONS), learned)
        expect(learned["as_of"] == answer["as_of"] > 0, answer)
        expect(learned["method"] in ("one-coin", "confusion", "accuracy") and learned["because"], learned)
        expect(answer["beliefs"][0]["text"] == "c1", answer)
        why = scratch.good("why", "q1", "colour", "--lens", "reliability").text
        expect(f"learned from {QUESTIONS} questions and 5 voices as of @" in why, why)
        for method in ("one-coin", "confusion", "accuracy"):
            forced = scratch.good("resolve", "q1", "colour", "--lens", "reliability", "--method", method, "--json").json
            expect(forced["learned"]["method"] == method, forced)
        other = scratch.good("resolve", "q1", "colour", "--json").json
        expect("learned" not in other, other)


def learning_is_as_of_the_moment_asked_for():
    with Scratch() as scratch:
        scratch.written("assert", "q0", "colour", "c0", "--source", "ann")
        first = scratch.good("status", "--json").json
        scratch.written("assert", "q1", "colour", "c1", "--source", "bob")
        now = scratch.good("resolve", "q0", "colour", "--lens", "reliability", "--json").json
        then = scratch.good("resolve", "q0", "colour", "--lens", "reliability", "--as-of", "@1", "--json").json
        expect(now["learned"]["items"] == 2 and then["learned"]["items"] == 1, (first, now, then))


def voices_are_listed_with_how_often_they_were_right():
    with Scratch() as scratch:
        filled(scratch)
        scratch.written("assert", "q0", "colour", "c0", "--as", "default")
        rows = {row["voice"]: row for row in scratch.good("voices", "--json").lines}
        expect(set(rows) == {"ann", "bob", "cid", "noise", "noisier", "default"}, rows)
        expect(rows["ann"]["kind"] == "source" and rows["default"]["kind"] == "agent", rows)
        for row in rows.values():
            expect(row["predicate"] == "colour" and row["low"] <= row["accuracy"] <= row["high"], row)
            expect(0 <= row["right"] <= row["answers"] and row["weight"] >= 0, row)
        expect(rows["ann"]["answers"] == QUESTIONS and rows["default"]["answers"] == 1, rows)
        for good in ("ann", "bob", "cid"):
            expect(rows[good]["accuracy"] > 0.8 > 0.6 > rows["noise"]["accuracy"], rows)
        order = [row["weight"] for row in scratch.good("voices", "--json", "--sort", "weight").lines]
        expect(order == sorted(order, reverse=True), order)
        expect(len(scratch.good("voices", "--json", "--limit", "2").lines) == 2, "limit")
        table = scratch.good("voices", "--predicate", "colour", "--limit", "2").text
        expect("accuracy" in table and "... and 4 more" in table, table)


def of_numbers_voices_are_off_by_so_much():
    with Scratch() as scratch:
        rows = "".join(f"{voice}\tq{q}\tmass\t{q * 10 + off}\tdecimal\n" for q in range(20)
                       for voice, off in (("ann", q % 2), ("bob", -(q % 3)), ("far", 30 if q % 2 else -30)))
        scratch.good("import", scratch.file("n.tsv", "agent\tsubject\tpredicate\tobject\ttype\n" + rows))
        found = {row["voice"]: row for row in scratch.good("voices", "--json").lines}
        expect(found["far"]["deviation"] > 5 * found["ann"]["deviation"] and found["ann"]["accuracy"] is None, found)
        expect("off by" in scratch.good("voices").text, "table")
        answer = scratch.good("resolve", "q5", "mass", "--lens", "reliability", "--json").json
        expect(abs(answer["pooled"]["mean"] - 50) < 3 and answer["pooled"]["count"] == 3, answer)
        text = scratch.good("resolve", "q5", "mass", "--lens", "reliability").text
        expect("mean by learned errors of 3 measurements" in text, text)
        rows = "".join(f"q{q}\tmass\t{q * 10}\n" for q in range(20))
        truth = scratch.file("t.tsv", "subject\tpredicate\tobject\n" + rows)
        cards = {row["lens"]: row for row in scratch.good("calibrate", "--truth", truth, "--json").lines}
        learned = cards["reliability"]["numbers"]
        expect(learned["mae"] < 3 and learned["coverage"] is not None, cards)
        expect(cards["consensus"]["numbers"]["coverage"] is None and "numbers" not in cards["union"], cards)
        labels = scratch.good("resolve", "q5", "mass", "--lens", "reliability", "--method", "one-coin", "--json").json
        expect("pooled" not in labels, labels)


def calibrate_counts_as_anybody_would():
    """Accuracy, log loss and Brier score of consensus, computed from what resolve prints."""
    with Scratch() as scratch:
        filled(scratch)
        others = truths().replace("q0\tcolour\tc0\n", "")
        truth = scratch.file("truth.tsv", others + "q0\tcolour\tnobody says this\nnothing\tcolour\tc0\n")
        got = scratch.good("calibrate", "--truth", truth, "--lens", "consensus", "--json").json["choices"]
        right = loss = brier = 0.0
        rows = [(f"q{q}", f"c{q % 3}") for q in range(1, QUESTIONS)] + [("q0", "nobody says this"), ("nothing", "c0")]
        for subject, wanted in rows:
            beliefs = scratch.good("resolve", subject, "colour", "--json").json["beliefs"]
            p = {belief["text"]: belief["probability"] for belief in beliefs}
            best = max(p.values(), default=0)
            top = [text for text in p if p[text] > best - 1e-9]
            right += (wanted in top) / len(top) if top else 0
            rest = (1 - sum(p.values())) / len(p) if p else 0
            loss -= math.log(max(1e-6, p[wanted] + rest if wanted in p else 0))
            brier += sum((p[text] + rest - (text == wanted)) ** 2 for text in p) + (wanted not in p)
        count = len(rows)
        expect(got["questions"] == count and abs(got["unknown"] - 1 / count) < 1e-6, got)
        for name, value in (("right", right), ("log_loss", loss), ("brier", brier)):
            expect(abs(got[name] - value / count) < 2e-6, (name, got, value / count))


def calibrate_scores_every_lens_and_draws_it():
    with Scratch() as scratch:
        filled(scratch)
        truth, plots = scratch.file("truth.tsv", truths()), scratch.path / "plots"
        table = scratch.good("calibrate", "--truth", truth, "--svg", plots).text
        expect("log loss" in table and "reliability" in table and "pool" not in table, table)
        names = sorted(path.name for path in plots.iterdir())
        lenses = ("recency", "consensus", "authority", "reliability", "union")
        expect(names == sorted(f"{lens}.svg" for lens in lenses), names)
        for path in plots.iterdir():
            expect(xml.dom.minidom.parse(str(path)).documentElement.tagName == "svg", path)
        (plots / "union.svg").unlink()
        (plots / "union.svg").mkdir()
        result = scratch.run("calibrate", "--truth", truth, "--svg", plots)
        expect(result.code == 5 and "union.svg" in result.error and result.text == table, result)
        lines = scratch.good("calibrate", "--truth", truth, "--format", "tsv", "--lens", "reliability", "--lens",
                             "consensus").text.splitlines()
        rows = [dict(zip(lines[0].split("\t"), line.split("\t"))) for line in lines[1:]]
        expect([row["lens"] for row in rows] == ["reliability", "consensus"], rows)
        expect(float(rows[0]["right"]) >= float(rows[1]["right"]) > 0.8, rows)
        expect(float(rows[0]["log_loss"]) < float(rows[1]["log_loss"]), rows)


def many_valued_predicates_are_left_out():
    with Scratch() as scratch:
        filled(scratch)
        scratch.written("assert", "colour", "steme:cardinality", "steme:many", "--type", "entity")
        truth = scratch.file("truth.tsv", truths())
        card = scratch.good("calibrate", "--truth", truth, "--lens", "reliability", "--json").json
        expect(card["left_out"] == QUESTIONS and "choices" not in card, card)
        answer = scratch.good("resolve", "q1", "colour", "--lens", "reliability", "--json").json
        expect(answer["verdict"] == "listed" and answer["learned"]["items"] > QUESTIONS, answer)


def the_order_of_arrival_changes_nothing():
    answers = []
    for seed in (1, 2):
        with Scratch() as scratch:
            filled(scratch, seed)
            words = ("resolve", "--all", "--lens", "reliability", "--copying", "--format", "tsv")
            voices = scratch.good("voices", "--json").lines
            for row in voices:
                del row["learned"]
            answers.append((scratch.good(*words).text, json.dumps(voices)))
    expect(answers[0] == answers[1], "two orders, two answers")


BAD = [
    ("a missing file of truths", ["calibrate", "--truth", "none.tsv"], MISSING, "none.tsv"),
    ("no file of truths", ["calibrate"], USAGE, "--truth"),
    ("wrong columns", ["calibrate", "--truth", "columns.tsv"], USAGE, "did you mean 'subject'"),
    ("a header alone", ["calibrate", "--truth", "header.tsv"], USAGE, "no truth"),
    ("an unknown lens among others", ["calibrate", "--truth", "truth.tsv", "--lens", "union", "--lens", "relaibility"],
     USAGE, "reliability"),
    ("an unknown format", ["calibrate", "--truth", "truth.tsv", "--format", "csv"], USAGE, "tsv"),
    ("a folder for plots that can't be made", ["calibrate", "--truth", "truth.tsv", "--svg", "none/deeper"], DEVICE,
     "directory for plots"),
    ("a file for a folder of plots", ["calibrate", "--truth", "truth.tsv", "--svg", "truth.tsv"], DEVICE,
     "Not a directory"),
    ("an unknown method", ["voices", "--method", "one-con"], USAGE, "one-coin"),
    ("a prior that is no number", ["resolve", "q1", "colour", "--prior", "much"], USAGE, "--prior"),
    ("a prior of nothing", ["resolve", "q1", "colour", "--prior", "0"], USAGE, "--prior"),
    ("an unknown predicate", ["voices", "--predicate", "color"], MISSING, "color"),
    ("another lens's voices", ["voices", "--lens", "consensus"], USAGE, "reliability"),
    ("an unknown order", ["voices", "--sort", "weigth"], USAGE, "weight"),
    ("voices past a limit", ["voices", "--limit", "x"], USAGE, "limit"),
]


def refused(words, code, message):
    with Scratch() as scratch:
        filled(scratch)
        for name, text in (("truth.tsv", truths()), ("columns.tsv", "subjekt\tpredicate\tobject\na\tb\tc\n"),
                           ("header.tsv", "subject\tpredicate\tobject\n")):
            scratch.file(name, text)
        result = scratch.run(*words, cwd=scratch.path)
        expect(result.code == code and message in result.error and not result.out, result)


def an_empty_store_has_nothing_to_learn():
    with Scratch() as scratch:
        expect(scratch.good("voices", "--json").lines == [], "voices")
        answer = scratch.good("resolve", "a", "b", "--lens", "reliability", "--json").json
        expect(answer["verdict"] == "unknown" and "learned" not in answer, answer)
        truth = scratch.file("truth.tsv", truths())
        card = scratch.good("calibrate", "--truth", truth, "--lens", "reliability", "--json").json["choices"]
        expect(card["unknown"] == 1 and card["right"] == 0 and abs(card["log_loss"] - math.log(1e6)) < 1e-6, card)


if __name__ == "__main__":
    case("an answer says what it learned from", an_answer_says_what_it_learned_from)
    case("learning is as of the moment asked for", learning_is_as_of_the_moment_asked_for)
    case("voices are listed with how often they were right", voices_are_listed_with_how_often_they_were_right)
    case("of numbers voices are off by so much", of_numbers_voices_are_off_by_so_much)
    case("calibrate counts as anybody would", calibrate_counts_as_anybody_would)
    case("calibrate scores every lens and draws it", calibrate_scores_every_lens_and_draws_it)
    case("many-valued predicates are left out", many_valued_predicates_are_left_out)
    case("the order of arrival changes nothing", the_order_of_arrival_changes_nothing)
    case("an empty store has nothing to learn", an_empty_store_has_nothing_to_learn)
    for name, words, code, message in BAD:
        case(name + " is refused", refused, words, code, message)
    finish()
