#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What is exported can be imported: to the byte, in any order, signatures and all."""
import sys

sys.dont_write_bytecode = True
import json

from steme_e2e import Scratch, case, expect, finish, shuffled

LENSES = ("recency", "consensus", "authority", "reliability", "pool", "union")
KEYS = ("default", "alice", "bob", "carol")


def fill(scratch):
    """200 records of every type by several keys, about questions that overlap."""
    for key in KEYS[1:]:
        scratch.good("key", "new", key)
    epochs = [scratch.written("epoch", "new", f"epoch {number}", "--as", KEYS[number]) for number in range(3)]
    epochs.append(scratch.written("epoch", "new", "epoch 3", "--supersedes", "epoch 0", "--as", "default"))
    drafts = []
    for number in range(100):
        value = ({"kind": "quantity", "amount": str(60 + number % 13), "lower": str(58 + number % 13),
                  "upper": str(63 + number % 13), "unit": "km/s/Mpc"} if number % 2 else f"value {number % 5}")
        draft = {"type": "assertion", "subject": f"thing:{number % 2}:{number % 7}", "predicate": "is", "object": value,
                 "source": f"voice:{number % 11}", "confidence": f"0.{1 + number % 9}",
                 "asserted_at": f"20{10 + number % 15:02}-03-04T05:06:07.{number:06}Z"}
        if number % 10 == 3:
            draft["epoch"] = epochs[number % 4]
        if number % 10 == 5:
            draft["negated"] = True
        if number % 10 == 7:
            draft["qualifiers"] = [{"name": "at", "value": f"place {number % 3}", "key": True}]
        drafts.append((KEYS[number % 4], draft))
    ids = []
    for key in KEYS:
        lines = "".join(json.dumps(draft) + "\n" for owner, draft in drafts if owner == key)
        bundle = "25" if key == "alice" else "1"
        ids += scratch.good("import", "-", "--as", key, "--bundle", bundle, "--ids", stdin=lines).text.split()
    expect(len(ids) == 100, len(ids))
    lines = []
    shown = {id_: scratch.good("show", id_, "--json").json for id_ in ids[:40]}
    for number, id_ in enumerate(ids[:40]):
        for voter in range(2):
            lines.append((KEYS[(number + voter) % 4], {
                "type": "vote", "target": {"kind": "assertion", "id": id_, "subject": shown[id_]["subject"]},
                "stance": ("support", "refute", "abstain")[(number + voter) % 3], "probability": "0.75",
                "cast_at": f"2026-01-{1 + number % 28:02}T00:00:0{voter}Z"}))
    for key in KEYS:
        text = "".join(json.dumps(line) + "\n" for owner, line in lines if owner == key)
        scratch.good("import", "-", "--as", key, stdin=text)
    mine = [line["id"] for line in scratch.good("history", "thing:1:1", "--json").lines]
    for id_ in mine[:3]:
        for key in KEYS[:2]:
            scratch.written("retract", id_, "--as", key)
    for old, new in (mine[3:5], mine[5:7]):
        scratch.written("supersede", old, "--with", new, "--kind", "correct", "--as", "bob")
    scratch.written("vote", "--agent", "alice", "support", "--as", "bob")
    scratch.written("vote", "--source", "voice:1", "refute", "--as", "carol")


def answers(scratch, root):
    """Everything the store believes, through every lens; what depends on the order of arrival left out."""
    result = {}
    for lens in LENSES:
        words = ["resolve", "--all", "--lens", lens]
        if lens == "authority":
            words += ["--root", root]
        result[lens, "tsv"] = scratch.good(*words, "--format", "tsv").out
        result[lens, "ndjson"] = [{**answer, "as_of": 0} for answer in scratch.good(*words, "--format", "ndjson").lines]
    return result


def an_export_imports_to_the_same_export(scratch, export):
    with Scratch() as other:
        imported = other.good("import", "-", "--json", stdin=export).json
        expect(imported["rejected"] == 0 and imported["duplicates"] == 0, imported)
        expect(other.good("export").out == export, "the exports differ")
        again = other.good("import", "-", "--json", stdin=export).json
        expect(again["written"] == 0 and again["duplicates"] == imported["written"], again)
        expect(other.good("export").out == export, "importing twice changed something")
        expect(other.good("verify", "--json").json["findings"] == 0, "verify")
        names = ("assertions", "votes", "epochs", "revisions", "bundles")
        counts = [store.good("status", "--json").json["records"] for store in (scratch, other)]
        expect(all(counts[0][name] == counts[1][name] for name in names), counts)


def an_export_in_the_order_of_the_log_imports_too(scratch, export):
    with Scratch() as other:
        log = scratch.good("export", "--log").out
        first = json.loads(log.splitlines()[0])
        expect(first["sequence"] == 1 and first["received_at"].startswith("20"), first)
        other.good("import", "-", stdin=log)
        expect(other.good("export").out == export, "the exports differ")


def any_order_gives_the_same_answers(export, want, root, seed):
    with Scratch() as other:
        lines = shuffled(export.splitlines(), seed)
        if seed == 0:  # votes and revisions first: they wait for what they are about
            lines.sort(key=lambda line: b'"type":"assertion"' in line[:120] or b'"type":"bundle"' in line[:120])
        other.good("import", "-", stdin=b"\n".join(lines) + b"\n")
        expect(other.good("export").out == export, "the exports differ")
        got = answers(other, root)
        for part, value in want.items():
            expect(got[part] == value, f"{part} differs:\n{str(value)[:600]}\n{str(got[part])[:600]}")


def what_a_moment_shows_is_what_was_there_then(scratch):
    status = scratch.good("status", "--json").json
    middle = status["last_sequence"] // 2
    with Scratch() as other:
        log = scratch.good("log", "--json", "--limit", str(middle)).lines
        cut = {entry["id"] for entry in log}
        early = [line for line in scratch.good("export").out.splitlines() if json.loads(line)["id"] in cut]
        whole = [line for line in early if all(member["id"] in cut for member in json.loads(line).get("members", []))]
        if len(whole) == len(early):
            other.good("import", "-", stdin=b"\n".join(early) + b"\n")
            then = scratch.good("resolve", "--all", "--as-of", f"@{middle}").out
            expect(other.good("resolve", "--all").out == then, "the past differs")


def the_export_of_an_empty_store_imports():
    with Scratch() as scratch, Scratch() as other:
        export = scratch.good("export").out
        expect(export == b"", export)
        expect(other.good("import", "-", "--json", stdin=export).json["written"] == 0, "nothing to write")
        expect(other.good("import", other.file("none", export)).text.startswith("0 records"), "by no name")


def tsv_answers_read_back_as_texts():
    with Scratch() as scratch:
        texts = ["plain", "tab\there", "line\nfeed", "back\\slash", "car\rriage", " spaces ", "ünïcödé"]
        for number, text in enumerate(texts):
            scratch.written("assert", f"s{number}", "p", text)
        rows = [line.split("\t") for line in scratch.good("resolve", "--all").text.splitlines()[1:]]
        table = "subject\tpredicate\tobject\n" + "".join("\t".join(row[:3]) + "\n" for row in rows)
        with Scratch() as other:
            other.good("import", "-", "--format", "tsv", stdin=table)
            for number, text in enumerate(texts):
                value = other.good("resolve", f"s{number}", "p", "--json").json["beliefs"][0]["value"]
                expect(value["text"] == text, (text, value))


def every_column_of_a_tsv_file_counts():
    with Scratch() as scratch:
        scratch.written("epoch", "new", "era")
        columns = ("epoch", "time", "source", "unit", "minus", "plus", "confidence", "object", "predicate", "subject",
                   "agent", "valid_from", "valid_to", "type")
        row = ("era", "2018-07-17", "doi:10.1/2", "km/s/Mpc", "0.4", "0.5", "0.95", "67.4", "value", "H0",
               "group:planck", "1990", "2030", "")
        table = "\t".join(columns) + "\n" + "\t".join(row) + "\n"
        scratch.good("import", scratch.file("h0.tsv", table))
        shown = scratch.good("history", "H0", "--json").lines[0]
        want = {"subject": "H0", "predicate": "value", "source": "group:planck", "confidence": "0.95",
                "asserted_at": "2018-07-17T00:00:00Z", "valid_from": "1990-01-01T00:00:00Z",
                "valid_to": "2030-01-01T00:00:00Z", "evidence": [{"stance": "supports", "uri": "doi:10.1/2"}],
                "object": {"kind": "quantity", "amount": "67.4", "lower": "67", "upper": "67.9", "unit": "km/s/Mpc"}}
        expect({name: shown.get(name) for name in want} == want and "epoch" in shown, shown)
        expect(scratch.good("export").text.count('"type":"bundle"') == 1, "it went in as a bundle")
        again = scratch.good("import", scratch.path / "h0.tsv", "--json").json
        expect(again["written"] == 0 and again["duplicates"] == 1, again)


def drafts_may_say_little_or_much():
    with Scratch() as scratch:
        parent = scratch.written("assert", "a", "b", "c")
        drafts = [
            {"type": "assertion", "subject": "x", "predicate": "p", "object": "text"},
            {"type": "assertion", "subject": "x", "predicate": "p", "object": 7, "confidence": 0.25},
            {"type": "assertion", "subject": "x", "predicate": "p", "object": True, "confidence_ppm": 123456},
            {"type": "assertion", "subject": "x", "predicate": "p", "object": {"kind": "time", "time": "1994-10"},
             "parents": [parent], "qualifiers": [{"name": "k", "value": "v"}],
             "evidence": [{"stance": "refutes", "target": parent, "locator": "p. 3"}]},
            {"type": "vote", "target": {"kind": "assertion", "id": parent, "subject": "a"}, "stance": "support"},
            {"type": "epoch", "name": "era", "from": "1900"},
            {"type": "revision", "kind": "retract", "targets": [{"kind": "assertion", "id": parent, "subject": "a"}]},
        ]
        done = scratch.good("import", "-", "--json", stdin="".join(json.dumps(draft) + "\n" for draft in drafts)).json
        expect(done["written"] == 7, done)
        shown = [entry for entry in scratch.good("history", "x", "--json").lines]
        expect([entry["confidence"] for entry in shown] == ["1", "0.25", "0.123456", "1"], shown)
        expect(shown[3]["object"]["precision"] == "month" and shown[3]["parents"] == [parent], shown[3])
        expect(scratch.good("resolve", "a", "b", "--json").json["verdict"] == "unknown", "retracted")


def a_bundle_that_is_not_all_there_ends_its_line():
    with Scratch() as scratch:
        draft = {"type": "assertion", "predicate": "p", "object": "o"}
        drafts = "".join(json.dumps({**draft, "subject": f"s{number}"}) + "\n" for number in range(3))
        ids = scratch.good("import", "-", "--ids", stdin=drafts).text.split()
        alone = scratch.written("assert", "s", "p", "o")
        early = scratch.good("export", "--log", "--as-of", "@3").out
        expect(early.endswith(b"\n") and len(json.loads(early)["members"]) == 2, early)
        segment = next((scratch.store / "wal").iterdir())
        data = bytearray(segment.read_bytes())
        data[data.rindex(bytes.fromhex(ids[2])) + 100] ^= 1  # in the last member's record
        segment.write_bytes(data)
        damaged = scratch.run("export", "--log")
        expect(damaged.code == 5 and "1 record is left out" in damaged.error, damaged)
        lines = damaged.lines
        expect([line["id"] for line in lines][1:] == [alone], lines)
        expect([member["id"] for member in lines[0]["members"]] == ids[:2], lines)


def main():
    with Scratch() as scratch:
        fill(scratch)
        export = scratch.good("export").out
        root = scratch.good("key", "show", "bob", "--json").json["key"]
        want = answers(scratch, root)
        count = scratch.good("status", "--json").json["last_sequence"]
        case(f"an export of {count} records imports to the same export", an_export_imports_to_the_same_export,
             scratch, export)
        case("an export in the order of the log imports too", an_export_in_the_order_of_the_log_imports_too,
             scratch, export)
        for seed in range(5):
            case(f"any order gives the same answers under every lens, order {seed}", any_order_gives_the_same_answers,
                 export, want, root, seed)
        case("what a moment shows is what was there then", what_a_moment_shows_is_what_was_there_then, scratch)
    for function in (a_bundle_that_is_not_all_there_ends_its_line, the_export_of_an_empty_store_imports,
                     tsv_answers_read_back_as_texts,
                     every_column_of_a_tsv_file_counts, drafts_may_say_little_or_much):
        case(function.__name__.replace("_", " "), function)
    finish()


if __name__ == "__main__":
    main()
