#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`steme vote --batch`: many votes from a file, what is wrong listed by line, the rest in; and votes that age."""
import sys

sys.dont_write_bytecode = True
import json

from steme_e2e import Scratch, case, expect, finish

HEADER = "kind\ttarget\tsubject\tpredicate\tobject\ttype\tstance\tprobability\treason\ttime\n"


def prepared(scratch):
    for key in ("alice", "bob"):
        scratch.good("key", "new", key)
    id_ = scratch.written("assert", "Pluto", "is_a", "planet", "--type", "entity", "--as", "alice")
    epoch = scratch.written("epoch", "new", "before 2006", "--as", "alice")
    return id_, epoch


def row(**fields):
    return "\t".join(fields.get(name, "") for name in HEADER.rstrip("\n").split("\t")) + "\n"


def tallies(scratch):
    rows = (line.split() for line in scratch.good("keys", "Y").text.splitlines())
    return {words[0].split(":")[1]: dict(zip(words[2::2], map(int, words[3::2]))) for words in rows}


def every_form_of_a_target_goes_in():
    with Scratch() as scratch:
        id_, epoch = prepared(scratch)
        lines = (row(kind="assertion", target=id_[:12], stance="support", probability="0.8", time="2020",
                     reason="seen\\tit") +
                 row(subject="Pluto", predicate="is_a", object="planet", type="entity", stance="refute") +
                 row(kind="agent", target="alice", stance="support", probability="0.5") +
                 row(kind="source", target="IAU", stance="abstain") +
                 row(kind="epoch", target="before 2006", stance="refute"))
        ids = scratch.good("vote", "--batch", "-", "--as", "bob", "--ids", stdin=HEADER + lines).text.split()
        expect(len(ids) == 5, ids)
        shown = [scratch.good("show", id_, "--json").json for id_ in ids]
        expect([vote["target"]["kind"] for vote in shown] == ["assertion", "claim", "agent", "source", "epoch"], shown)
        expect([vote["stance"] for vote in shown] == ["support", "refute", "support", "abstain", "refute"], shown)
        expect(shown[0]["target"]["id"] == id_ and shown[4]["target"]["id"] == epoch, shown)
        expect(shown[0]["reason"] == "seen\tit" and shown[0]["cast_at"].startswith("2020-01-01"), shown[0])
        expect(tallies(scratch)["claim"]["refute"] == 1 and tallies(scratch)["source"]["abstain"] == 1, "tallies")
        claim = shown[1]["target"]["id"]
        again = row(kind="claim", target=claim, subject="Pluto", stance="support")
        scratch.good("vote", "--batch", "-", "--as", "bob", stdin=HEADER + again)
        want = {"ballots": 2, "support": 1, "refute": 0}
        expect(want.items() <= tallies(scratch)["claim"].items(), tallies(scratch))
        scratch.good("verify")


def bad_lines_are_listed_and_the_rest_goes_in():
    with Scratch() as scratch:
        id_, _ = prepared(scratch)
        bad = {3: row(target=id_, stance="refuse"), 4: row(target="deadbeef", stance="support"),
               5: row(subject="Pluto", predicate="is_a", object="star", stance="support"),
               6: row(kind="agent", target="carol", stance="support"),
               7: row(kind="epoch", target="no", stance="support"),
               8: "x\n", 9: row(target=id_, stance="support", probability="2"),
               10: row(kind="source", target="a\u0001b", stance="support"),
               11: row(target=id_, stance="support", reason="r" * 70000)}
        lines = HEADER + row(target=id_, stance="support") + "".join(bad.values()) + row(target=id_, stance="abstain")
        rejects = scratch.path / "rejects"
        result = scratch.run("vote", "--batch", scratch.file("votes.tsv", lines), "--as", "bob", "--rejects", rejects,
                             "--json")
        expect(result.code == 1, result)
        listed = [int(line.split("\t")[0]) for line in rejects.read_text().splitlines()]
        summary = json.loads(result.text)
        expect(sorted(listed) == [number for number in bad if number != 10], (listed, result))
        expect(summary["rejected"] == len(listed) and summary["written"] == 3, result)
        scratch.good("verify")


def a_batch_that_makes_no_sense_is_refused():
    with Scratch() as scratch:
        id_, _ = prepared(scratch)
        for words, stdin in ((("--batch", "-", "--claim"), HEADER), (("--batch", "-", "support"), HEADER),
                             (("--batch", "-", "--probability", "1"), HEADER), (("--ids", id_, "support"), ""),
                             (("--batch", "-"), "stance\nsupport\n"), (("--batch", "-"), ""),
                             (("--batch", "-", "--format", "csv"), HEADER)):
            result = scratch.run("vote", *words, "--as", "bob", stdin=stdin)
            expect(result.code == 2 and result.error, (words, result))
        result = scratch.run("vote", "--batch", scratch.path / "none", "--as", "bob")
        expect(result.code == 3, f"a file that is not there: {result}")
        expect(tallies(scratch) == {}, tallies(scratch))


def drafts_in_json_are_votes_or_refused():
    with Scratch() as scratch:
        id_, _ = prepared(scratch)
        vote = {"type": "vote", "target": {"kind": "assertion", "id": id_, "subject": "Pluto"}, "stance": "support"}
        votes = [vote | {"cast_at": f"2026-01-01T00:00:{second:02}Z"} for second in range(60)] * 40
        lines = [json.dumps(line) for line in votes] + [json.dumps({"type": "epoch", "name": "x"}), "{"]
        result = scratch.run("vote", "--batch", "-", "--as", "bob", "--json", stdin="\n".join(lines) + "\n")
        expect(result.code == 1 and json.loads(result.text)["rejected"] == 2, result)
        written = json.loads(result.text)
        # what the index does not know yet goes into the log once more, without effect
        expect(written["written"] >= 60 and written["written"] + written["duplicates"] == len(votes), result)
        want = {"ballots": 60, "support": 1, "refute": 0}
        expect(want.items() <= tallies(scratch)["assertion"].items(), tallies(scratch))


def votes_with_long_reasons_go_in():
    with Scratch() as scratch:
        id_, _ = prepared(scratch)
        lines = HEADER + "".join(row(target=id_, stance="support", reason=f"{number} " + 60000 * "r") for number in
                                 range(200))
        result = scratch.good("vote", "--batch", "-", "--as", "bob", "--json", stdin=lines).json
        expect(result["written"] == 200 and result["rejected"] == 0, result)


def old_votes_do_not_count_where_an_age_is_given():
    with Scratch() as scratch:
        id_, _ = prepared(scratch)
        scratch.good("vote", "--batch", "-", "--as", "bob",
                     stdin=HEADER + row(target=id_, stance="refute", time="2020-01-01"))
        for words, votes in (((), 1), (("--ballot-age", "90d"), 0), (("--ballot-age", "900y"), 1),
                             (("--as-of", "2100-01-01", "--ballot-age", "79y"), 0),
                             (("--as-of", "2100-01-01", "--ballot-age", "80y"), 1)):
            answer = scratch.good("resolve", "Pluto", "is_a", "--json", *words).json
            expect(answer["votes"] == votes, (words, answer))
        expect(scratch.run("resolve", "Pluto", "is_a", "--ballot-age", "soon").code == 2, "an age that is none")


def main():
    for function in (every_form_of_a_target_goes_in, bad_lines_are_listed_and_the_rest_goes_in,
                     a_batch_that_makes_no_sense_is_refused, drafts_in_json_are_votes_or_refused,
                     votes_with_long_reasons_go_in,
                     old_votes_do_not_count_where_an_age_is_given):
        case(function.__name__.replace("_", " "), function)
    finish()


if __name__ == "__main__":
    main()
