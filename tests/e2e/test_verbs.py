#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every verb does what its help says, for people and as JSON."""
import sys

sys.dont_write_bytecode = True
import json
import os
import shlex
import shutil
import signal
import subprocess
import time

from steme_e2e import PROGRAM, Scratch, Skipped, case, expect, finish, good, run, written


def init_makes_a_store_to_assert_in_at_once():
    with Scratch(init=False) as scratch:
        made = good("init", cwd=scratch.path)
        expect(".steme" in made.text and "default" in made.text, made)
        written("assert", "Pluto", "is_a", "planet", cwd=scratch.path)
        deep = scratch.path / "a" / "b"
        deep.mkdir(parents=True)
        expect("planet" in good("history", "Pluto", cwd=deep).text, "found upward")
        again = run("init", cwd=scratch.path)
        expect(again.code == 4 and "nothing was changed" in again.error, again)


def init_takes_a_directory():
    with Scratch(init=False) as scratch:
        good("init", "notes", cwd=scratch.path)
        expect((scratch.path / "notes" / ".steme").is_dir(), "notes/.steme")
        good("init", "--dir", "facts", cwd=scratch.path)
        expect((scratch.path / "facts" / "wal").is_dir(), "facts/wal")
        good("--dir", "facts", "status", cwd=scratch.path)
        good("status", "--dir=facts", cwd=scratch.path)


def assert_prints_the_id_of_what_resolve_then_believes():
    with Scratch() as scratch:
        id_ = scratch.written("assert", "Pluto", "is_a", "planet", "--type", "entity", "--source", "Tombaugh",
                              "--asserted-at", "1930", "--evidence", "doi:10.1000/1#p3",
                              "--qualifier", "how=photograph", "--valid-from", "1930-02-18", "--confidence", "0.9")
        answer = scratch.good("resolve", "Pluto", "is_a", "--json").json
        expect(answer["beliefs"][0]["value"] == {"kind": "entity", "name": "planet"}, answer)
        expect(answer["beliefs"][0]["assertion"] == id_, answer)
        shown = scratch.good("show", id_, "--json").json
        expect(shown["confidence"] == "0.9" and shown["asserted_at"] == "1930-01-01T00:00:00Z", shown)
        expect(shown["evidence"] == [{"stance": "supports", "uri": "doi:10.1000/1", "locator": "p3"}], shown)
        expect(shown["qualifiers"] == [{"name": "how", "value": "photograph"}], shown)
        expect(shown["standing"] == "live" and shown["source"] == "Tombaugh", shown)
        for words in (("show", id_[:8]), ("why", "Pluto", "is_a"), ("history", "Pluto"), ("resolve", "Pluto", "is_a")):
            text = scratch.good(*words).text
            expect("planet" in text, (words, text))


VALUES = [
    (["--type", "entity", "planet"], {"kind": "entity", "name": "planet"}),
    (["a text with a\ttab"], {"kind": "text", "text": "a text with a\ttab"}),
    (["Neunter Planet", "--lang", "de"], {"kind": "text", "text": "Neunter Planet", "language": "de"}),
    (["-5", "--type", "integer"], {"kind": "integer", "integer": -5}),
    (["9223372036854775807", "--type", "integer"], {"kind": "integer", "integer": "9223372036854775807"}),
    (["-12.50e3", "--type", "decimal"], {"kind": "decimal", "amount": "-12500"}),
    (["67.4", "--plus", "0.5", "--unit", "km/s/Mpc"],
     {"kind": "quantity", "amount": "67.4", "lower": "66.9", "upper": "67.9", "unit": "km/s/Mpc"}),
    (["71", "--plus", "9", "--minus", "7.1"], {"kind": "quantity", "amount": "71", "lower": "63.9", "upper": "80"}),
    (["12", "--type", "quantity"], {"kind": "quantity", "amount": "12"}),
    (["1994-10", "--type", "time"], {"kind": "time", "time": "1994-10-01T00:00:00Z", "precision": "month"}),
    (["true", "--type", "boolean"], {"kind": "boolean", "boolean": True}),
    (["ab" * 32 + ":2048:image/png", "--type", "blob"],
     {"kind": "blob", "hash": "ab" * 32, "bytes": 2048, "media_type": "image/png"}),
    (["--type", "unknown"], {"kind": "unknown"}),
    (["--type", "none"], {"kind": "none"}),
]


def every_kind_of_value_comes_back_as_it_was_given():
    with Scratch() as scratch:
        for number, (words, want) in enumerate(VALUES):
            scratch.written("assert", f"thing{number}", "has", *words)
            got = scratch.good("resolve", f"thing{number}", "has", "--json").json["beliefs"][0]["value"]
            expect(got == want, f"{words}: {got}")


def votes_count_and_can_be_withdrawn():
    with Scratch() as scratch:
        for key in ("alice", "bob"):
            scratch.good("key", "new", key)
        id_ = scratch.written("assert", "Pluto", "is_a", "planet", "--type", "entity")
        scratch.written("vote", id_[:10], "support", "--as", "alice", "--reason", "seen it")
        scratch.written("vote", "--claim", "Pluto", "is_a", "planet", "refute", "--as", "bob", "--probability", "0.5")
        belief = scratch.good("resolve", "Pluto", "is_a", "--json").json["beliefs"][0]
        expect((belief["votes_for"], belief["votes_against"]) == (1, 1), belief)
        scratch.written("vote", id_, "abstain", "--as", "alice")
        belief = scratch.good("resolve", "Pluto", "is_a", "--json").json["beliefs"][0]
        expect(belief["votes_for"] == 0, belief)
        scratch.written("vote", "--claim-id", belief["claim"], "--subject", "Pluto", "support", "--as", "alice")
        scratch.written("vote", "--agent", "alice", "support", "--as", "bob")
        scratch.written("vote", "--source", "Tombaugh", "support")
        votes = scratch.good("show", id_, "--json").json["votes"]
        expect([vote["counts"] for vote in votes] == [False, False], votes)
        expect(scratch.good("status", "--json").json["records"]["votes"] == 6, "six votes")


def a_retracted_record_is_no_longer_believed():
    with Scratch() as scratch:
        id_ = scratch.written("assert", "Vulcan", "exists", "true", "--type", "boolean")
        scratch.written("retract", id_, "--reason", "never seen again")
        answer = scratch.good("resolve", "Vulcan", "exists", "--json").json
        expect(answer["verdict"] == "unknown" and not answer["beliefs"], answer)
        before = scratch.good("resolve", "Vulcan", "exists", "--as-of", "@1", "--json").json
        expect(len(before["beliefs"]) == 1, before)
        expect("retracted" in scratch.good("history", "Vulcan").text, "history keeps it")
        expect("never seen again" in scratch.good("show", id_).text, "the reason")


def anothers_revision_is_a_proposal():
    with Scratch() as scratch:
        id_ = scratch.written("assert", "Vulcan", "exists", "true", "--type", "boolean")
        scratch.good("key", "new", "bob")
        retracted = scratch.good("retract", id_, "--as", "bob")
        expect("proposal" in retracted.error, retracted)
        expect(scratch.good("resolve", "Vulcan", "exists", "--json").json["beliefs"], "still believed")


def superseding_puts_the_new_in_place_of_the_old():
    with Scratch() as scratch:
        old = scratch.written("assert", "Berlin", "population", "3769000", "--type", "integer")
        new = scratch.written("assert", "Berlin", "population", "3677472", "--type", "integer")
        scratch.written("supersede", old[:8], "--with", new[:8], "--kind", "update", "--reason", "a census")
        beliefs = scratch.good("resolve", "Berlin", "population", "--json").json["beliefs"]
        expect([belief["value"]["integer"] for belief in beliefs] == [3677472], beliefs)
        expect("superseded" in scratch.good("why", "Berlin", "population").text, "why shows the old one")


def evidence_is_an_id_or_a_uri_with_a_stance():
    with Scratch() as scratch:
        first = scratch.written("assert", "a", "b", "c")
        id_ = scratch.written("assert", "a", "b", "c", "--evidence", "refutes=https://x.org/?a=b", "--evidence",
                              "context=urn:isbn:0451450523#p3", "--evidence", "http://y.org/x=y", "--evidence", first)
        kept = scratch.good("show", id_, "--json").json["evidence"]
        want = [{"stance": "refutes", "uri": "https://x.org/?a=b"}, {"stance": "supports", "uri": "http://y.org/x=y"},
                {"stance": "context", "uri": "urn:isbn:0451450523", "locator": "p3"},
                {"stance": "supports", "target": first}]
        expect(sorted(map(str, kept)) == sorted(map(str, want)), kept)


def nothing_takes_its_own_place():
    with Scratch() as scratch:
        old, new = (scratch.written("assert", "a", "b", object_) for object_ in "cd")
        for words in ((old, "--with", old), (old, new, "--with", new)):
            result = scratch.run("supersede", *words, "--kind", "update")
            expect(result.code == 2 and "its own place" in result.error, result)
        draft = {"type": "revision", "kind": "update", "replacements": [old],
                 "targets": [{"kind": "assertion", "id": old, "subject": "a"}]}
        result = scratch.run("import", "-", stdin=json.dumps(draft) + "\n")
        expect(result.code == 1 and "its own place" in result.error, result)
        expect(scratch.good("status", "--json").json["last_sequence"] == 2, "nothing was written")


def an_epoch_of_a_name_there_is_gets_a_word():
    with Scratch() as scratch:
        first = scratch.good("epoch", "new", "e")
        expect(first.error == "", first)
        second = scratch.good("epoch", "new", "e")
        expect("already" in second.error and first.text[:12] in second.error, second)


def a_vote_on_what_reads_so_finds_its_claim():
    with Scratch() as scratch:
        scratch.written("assert", "Pluto", "is_a", "planet", "--type", "entity")
        scratch.written("vote", "--claim", "Pluto", "is_a", "planet", "support")
        scratch.written("assert", "Pluto", "is_a", "planet", "--lang", "en")
        result = scratch.run("vote", "--claim", "Pluto", "is_a", "planet", "refute")
        expect(result.code == 2 and "2 claims read so: " in result.error, result)
        expect("(entity)" in result.error and "(text)" in result.error and "--type" in result.error, result)


def an_epoch_is_found_by_name():
    with Scratch() as scratch:
        old = scratch.written("epoch", "new", "planet by usage", "--to", "2006-08-24")
        scratch.written("epoch", "new", "planet by IAU 2006", "--from", "2006-08-24", "--supersedes", "planet by usage",
                        "--description", "with a cleared neighbourhood")
        scratch.written("assert", "Pluto", "is_a", "planet", "--type", "entity", "--epoch", "planet by usage")
        scratch.written("assert", "Pluto", "is_a", "dwarf planet", "--type", "entity", "--epoch", "planet by IAU 2006")
        listed = scratch.good("epoch", "list").text
        expect("planet by usage" in listed and "planet by IAU 2006" in listed, listed)
        expect("neighbourhood" in scratch.good("epoch", "show", "planet by IAU 2006").text, "show")
        names = [belief["value"]["name"] for belief in scratch.good(
            "resolve", "Pluto", "is_a", "--epoch", old[:8], "--json").json["beliefs"]]
        expect(names == ["planet"], names)
        beliefs = scratch.good("resolve", "Pluto", "is_a", "--json").json["beliefs"]
        expect([belief["value"]["name"] for belief in beliefs] == ["dwarf planet"], beliefs)
        scratch.written("epoch", "new", "planet by usage", "--description", "another of this name")
        twice = scratch.run("resolve", "Pluto", "is_a", "--epoch", "planet by usage")
        expect(twice.code == 2 and old[:12] in twice.error, twice)


def key_qualifiers_part_the_question():
    with Scratch() as scratch:
        scratch.written("assert", "Berlin", "population", "1", "--type", "integer", "--key", "year=1900")
        scratch.written("assert", "Berlin", "population", "2", "--type", "integer", "--key", "year=2000")
        answer = scratch.good("resolve", "Berlin", "population", "--key", "year=2000", "--json").json
        expect([belief["value"]["integer"] for belief in answer["beliefs"]] == [2], answer)
        expect(answer["key_qualifiers"] == "year=2000", answer)


def valid_time_is_asked_for():
    with Scratch() as scratch:
        scratch.written("assert", "Bonn", "capital_of", "Germany", "--type", "entity", "--valid-from", "1949",
                        "--valid-to", "1990-10-03")
        for at, count in (("1960", 1), ("1995", 0), ("now", 0)):
            answer = scratch.good("resolve", "Bonn", "capital_of", "--valid-at", at, "--json").json
            expect(len(answer["beliefs"]) == count, (at, answer))


def every_lens_answers():
    with Scratch() as scratch:
        for name, value in (("a", "67.4"), ("b", "73.0")):
            scratch.written("assert", "H0", "value", value, "--plus", "0.5", "--unit", "km/s/Mpc", "--source", name)
        lenses = [lens["name"] for lens in scratch.good("lens", "list", "--json").lines]
        expect({"recency", "consensus", "authority", "reliability", "pool", "union"} <= set(lenses), lenses)
        expect("consensus" in scratch.good("lens", "list").text, "list")
        for lens in lenses:
            answer = scratch.good("resolve", "H0", "value", "--lens", lens, "--json").json
            expect(answer["lens"] == lens and len(answer["beliefs"]) == 2, answer)
            expect("67.4 ± 0.5 km/s/Mpc" in scratch.good("resolve", "H0", "value", "--lens", lens).text, lens)
        pooled = scratch.good("resolve", "H0", "value", "--lens", "pool", "--json").json["pooled"]
        expect(abs(pooled["fixed_mean"] - 70.2) < 1e-9 and pooled["count"] == 2, pooled)
        key = scratch.good("key", "show", "default", "--json").json["key"]
        scratch.good("resolve", "H0", "value", "--lens", "authority", "--root", key)
        scratch.good("resolve", "H0", "value", "--lens", "recency", "--half-life", "30d")


def damping_says_how_much_weight_is_handed_on():
    with Scratch() as scratch:
        scratch.good("key", "new", "alice")
        scratch.good("vote", "--agent", "alice", "support", "--as", "default")
        scratch.good("assert", "Pluto", "is_a", "planet", "--as", "alice")
        words = ("resolve", "Pluto", "is_a", "--lens", "authority", "--root", "default", "--json")
        for more, weight in (((), 0.85), (("--damping", "0.5"), 0.5), (("--damping=0.25",), 0.25)):
            support = scratch.good(*words, *more).json["beliefs"][0]["support"]
            expect(abs(support - weight) < 1e-9, (more, support))
        scratch.good("view", "create", "v", "--lens", "authority", "--root", "default", "--damping", "0.5")
        parameters = scratch.good("view", "show", "v", "--json").json["parameters"]
        expect({"name": "damping", "value": "0.5"} in parameters, parameters)


def resolve_all_prints_what_sums_to_at_most_one():
    with Scratch() as scratch:
        rows = "agent\tsubject\tpredicate\tobject\n" + "".join(
            f"w{w}\titem{i}\tis\tv{(w * (i + 1)) % 3}\n" for i in range(20) for w in range(7))
        scratch.good("import", "-", "--format", "tsv", stdin=rows)
        scratch.written("assert", "text", "is", "a\\b\tc\nd")
        table = scratch.good("resolve", "--all", "--format", "tsv").text.splitlines()
        expect(table[0] == "subject\tpredicate\tobject\tprobability\tkeys\ttype", table[0])
        sums, last = {}, {}
        for line in table[1:]:
            subject, predicate, _, probability, keys, type_ = line.split("\t")
            expect((keys, type_) == ("", "text"), line)
            slot = (subject, predicate)
            sums[slot] = sums.get(slot, 0) + int(probability.replace(".", ""))
            expect(float(probability) <= last.get(slot, 1), "most probable first")
            last[slot] = float(probability)
        expect(len(sums) == 21 and max(sums.values()) <= 1000000, sums)
        expect(any(line.startswith("text\tis\ta\\\\b\\tc\\nd\t") for line in table), "escapes")
        scratch.written("assert", "Berlin", "population", "4", "--type", "integer", "--key", "of=city")
        scratch.written("assert", "Berlin", "population", "6", "--type", "integer", "--key", "of=area")
        rows = scratch.good("resolve", "--all", "--subject", "Berlin").text.splitlines()[1:]
        expect(sorted(row.split("\t")[4:] for row in rows) == [["of=area", "integer"], ["of=city", "integer"]], rows)
        one = scratch.good("resolve", "--all", "--subject", "item3", "--format", "ndjson").lines
        expect([answer["subject"] for answer in one] == ["item3"], one)
        expect(scratch.good("resolve", "--all", "--predicate", "isnt").text.count("\n") == 1, "only the header")


def conflicts_are_ranked():
    with Scratch() as scratch:
        for subject, values in (("even", "ab"), ("uneven", "aaab"), ("agreed", "aa")):
            for number, value in enumerate(values):
                scratch.written("assert", subject, "is", value, "--source", f"s{number}")
        found = scratch.good("conflicts", "--json").lines
        expect([conflict["subject"] for conflict in found] == ["even", "uneven"], found)
        expect("even" in scratch.good("conflicts", "--limit", "1").text, "text")


def log_shows_records_in_order():
    with Scratch() as scratch:
        ids = [scratch.written("assert", f"s{number}", "p", "o") for number in range(5)]
        entries = scratch.good("log", "--json").lines
        expect([entry["id"] for entry in entries] == ids, entries)
        expect([entry["sequence"] for entry in entries] == [1, 2, 3, 4, 5], entries)
        entries = scratch.good("log", "--since", "3", "--limit", "2", "--json").lines
        expect([entry["sequence"] for entry in entries] == [3, 4], entries)
        expect(scratch.good("log").text.count("\n") == 5, "one line each")
        header = scratch.good("log", "--table").text.splitlines()
        expect(len(header) == 6 and header[0].split() == ["#", "received", "id", "type", "signer", "what"], header)


def a_vote_on_a_source_shows_its_name():
    with Scratch() as scratch:
        early = scratch.written("vote", "--source", "NASA", "support")
        scratch.written("assert", "Pluto", "is_a", "planet", "--source", "NASA")
        late = scratch.written("vote", "--source", "NASA", "refute", "--reason", "why not")
        lost = scratch.written("vote", "--source", "nobody", "refute")
        lines = scratch.good("log").text.splitlines()
        expect(lines[2].endswith("refute source NASA: why not") and "nobody" not in lines[3], lines)
        for id_, named in ((early, True), (late, True), (lost, False)):
            shown = scratch.good("show", id_).text
            expect((" NASA\n" in shown) == named == ("named" in shown), (id_, shown))


def log_follows_what_another_process_writes():
    with Scratch() as scratch:
        scratch.written("assert", "first", "p", "o")
        environment = dict(os.environ, STEME_DIR=str(scratch.store))
        with subprocess.Popen([PROGRAM, "log", "--follow", "--limit", "2", "--json"], stdout=subprocess.PIPE,
                              env=environment) as follower:
            first = follower.stdout.readline()
            id_ = scratch.written("assert", "second", "p", "o")
            second = follower.stdout.readline()
            expect(b"first" in first and id_.encode() in second, second)
            expect(follower.wait(timeout=30) == 0, "it ends at its limit")
        with subprocess.Popen([PROGRAM, "log", "--follow"], stdout=subprocess.PIPE, env=environment) as follower:
            follower.stdout.readline()
            time.sleep(0.2)
            follower.send_signal(signal.SIGINT)
            expect(follower.wait(timeout=30) == 0, "an interrupt ends it")


def cat_prints_the_bytes_that_hash_to_the_id():
    if not shutil.which("b3sum"):
        raise Skipped("b3sum is not installed")
    with Scratch() as scratch:
        id_ = scratch.written("assert", "Pluto", "is_a", "planet")
        epoch = scratch.written("epoch", "new", "one")
        vote = scratch.written("vote", id_, "support")
        for record in (id_, epoch, vote):
            bytes_ = scratch.good("cat", record[:12]).out
            summed = subprocess.run(["b3sum"], input=bytes_, capture_output=True, check=True)
            expect(summed.stdout.decode().split()[0] == record, summed.stdout)


def keys_shows_the_index_as_text():
    with Scratch() as scratch:
        id_ = scratch.written("assert", "Pluto", "is_a", "planet")
        expect(f"H:{id_}" in scratch.good("keys", "H:").text, "H:")
        expect("S:Pluto" in scratch.good("keys", "S:Pluto").text, "S:")
        expect(scratch.good("keys", "S:Nobody").text == "", "none")
        expect(scratch.good("keys", "--json").lines, "json")


def verify_rebuild_and_status_agree():
    with Scratch() as scratch:
        scratch.written("assert", "Pluto", "is_a", "planet")
        verified = scratch.good("verify", "--json").json
        expect(verified["findings"] == 0 and verified["records"] == 1, verified)
        sizes = [verified[name] for name in ("valid_bytes", "padding_bytes", "damaged_bytes")]
        expect(sum(sizes) == verified["file_bytes"], verified)
        before = scratch.good("keys").out
        scratch.good("rebuild")
        expect(scratch.good("keys").out == before, "a rebuild gives the same index")
        expect("no damage known" in scratch.good("status").text, "text")
        expect("all is well" in scratch.good("verify").text, "text")
        expect(scratch.good("status", "--json").json["records"]["assertions"] == 1, "status")


def _flip(path, word):
    """One bit of the first place where the word stands."""
    data = bytearray(path.read_bytes())
    data[data.index(word)] ^= 1
    path.write_bytes(data)


def what_damage_left_out_shows_in_the_exit_code():
    for lost, left in ((3, [1, 2, 4, 5]), (5, [1, 2, 3, 4])):
        with Scratch() as scratch:
            for number in range(1, 6):
                scratch.written("assert", f"subject {number}", "p", "o")
            _flip(scratch.store / "wal" / "0000000000000001.seg", f"subject {lost}".encode())
            for words in (("log",), ("export", "--log"), ("export",), ("log", "--json")):
                result = scratch.run(*words)
                lines = [line for line in result.text.splitlines() if '"missing"' not in line]
                expect(result.code == 5 and len(lines) == 4, (words, result))
                expect("1 record is left out" in result.error and "verify" in result.error, (words, result))
            numbers = [line["sequence"] for line in scratch.run("export", "--log").lines]
            expect(numbers == left, numbers)
            gaps = [line for line in scratch.run("log", "--json").lines if line["type"] == "missing"]
            expect(gaps == [{"type": "missing", "first": lost, "last": lost}], gaps)
            scratch.good("log", "--limit", "2")
            scratch.good("log", "--as-of", "@2")
            scratch.good("export", "--log", "--as-of", "@2")
            scratch.run("rebuild")
            expect(scratch.run("export").code == 5, "it is known by now")
            expect(len(scratch.good("export", "--as-of", "@2").lines) == 2, "what was there by then is whole")


def verify_says_of_damage_what_is_true():
    with Scratch() as scratch:
        for number in range(1, 4):
            scratch.written("assert", f"subject {number}", "p", "o")
        _flip(scratch.store / "wal" / "0000000000000001.seg", b"subject 2")
        result = scratch.run("verify")
        expect(result.code == 4 and "all is well" not in result.text, result)
        expect("every checksum and the chain" not in result.text, result)
        expect("export" in result.error and "quarantine" not in result.error, result)
        expect("well" not in scratch.good("status").text, "nobody has looked")
        expect("1 records" not in scratch.good("rebuild").error, "one of them")
        told = scratch.good("status")
        expect("1 record lost" in told.text and "1 file in quarantine" in told.text and "and quarantine/" in told.error,
               told)
    with Scratch() as scratch:
        (scratch.store / "keys" / "default.key").write_text("nonsense")
        result = scratch.run("verify")
        expect(result.code == 4 and "rebuild" not in result.error, result)


def without_its_index_a_store_answers_the_same():
    with Scratch() as scratch:
        for number in range(10):
            scratch.written("assert", "x", "is", str(number % 3), "--source", f"s{number}")
        before = scratch.good("resolve", "x", "is", "--json").out
        for part in scratch.store.glob("index*"):
            shutil.rmtree(part) if part.is_dir() else part.unlink()
        expect(scratch.good("resolve", "x", "is", "--json").out == before, "the same answer")


def an_index_that_lies_is_found_out():
    with Scratch() as scratch:
        for number in range(50):
            scratch.written("assert", f"x{number}", "is", str(number))
        before = scratch.good("resolve", "--all").out
        data = scratch.store / "index" / "data.mdb"
        if not data.exists():
            raise Skipped("the index keeps other files")
        old = data.read_bytes()
        scratch.written("assert", "later", "is", "so")
        scratch.written("retract", scratch.good("log", "--json").lines[-1]["id"])
        data.write_bytes(old)  # an index of the past
        expect(scratch.good("resolve", "--all").out == before, "answers are of the log")
        expect(scratch.run("verify").code == 0, scratch.run("verify"))


def keys_to_sign_with_are_kept():
    with Scratch() as scratch:
        made = scratch.good("key", "new", "alice", "--json").json
        expect(made["name"] == "alice" and len(made["key"]) == 64 and len(made["agent"]) == 64, made)
        expect(scratch.good("key", "show", "alice", "--json").json == made, "show")
        expect([key["name"] for key in scratch.good("key", "list", "--json").lines] == ["alice", "default"], "list")
        expect(scratch.good("key", "list").text.startswith("alice\t"), "text")
        again = scratch.run("key", "new", "alice")
        expect(again.code == 4, again)
        modes = {oct(path.stat().st_mode & 0o777) for path in (scratch.store / "keys").iterdir()}
        expect(modes == {"0o600"}, modes)


def a_damaged_key_is_told_and_costs_nothing_else():
    with Scratch() as scratch:
        scratch.written("assert", "a", "b", "c")
        scratch.good("key", "new", "alice")
        scratch.good("key", "new", "zoe")
        damaged = scratch.store / "keys" / "alice.key"
        sound = damaged.read_bytes()
        damaged.write_bytes(sound.replace(b"seed", b"need"))
        scratch.written("assert", "a", "b", "d")
        listed = scratch.run("key", "list", "--json")
        expect(listed.code == 5 and [key["name"] for key in listed.lines] == ["default", "zoe"], listed)
        expect("alice.key" in listed.error and "move it out of keys/" in listed.error, listed)
        verified = scratch.run("verify", "--json")
        expect(verified.code == 4 and [line["part"] for line in verified.lines[:-1]] == ["key"], verified)
        status = scratch.good("status", "--json").json
        expect(status["index_rebuilds"] == 0 and not status["degraded"], status)
        asked = scratch.run("resolve", "a", "b")
        expect(asked.code == 5 and asked.out == b"" and "alice.key" in asked.error, asked)
        expect("rebuilt" not in asked.error and "whole log" not in asked.error, "the index is not at fault")
        damaged.write_bytes(sound)
        expect(scratch.good("resolve", "a", "b").error == "", "as before")
        expect(scratch.run("verify").code == 0, "all is well")


def a_key_that_others_can_read_is_told():
    with Scratch() as scratch:
        (scratch.store / "keys" / "default.key").chmod(0o640)
        for words in (("key", "list"), ("assert", "a", "b", "c")):
            result = scratch.good(*words)
            expect("default.key" in result.error and "chmod 600" in result.error, (words, result))
        result = scratch.run("verify")
        expect(result.code == 4 and "key: " in result.text and "chmod 600" in result.text, result)
        (scratch.store / "keys" / "default.key").chmod(0o600)
        expect(scratch.good("key", "list").error == "" == scratch.good("verify").error, "it is well again")


def the_second_writer_is_told_who_holds_the_lock():
    with Scratch() as scratch:
        environment = dict(os.environ, STEME_DIR=str(scratch.store))
        with subprocess.Popen([PROGRAM, "import", "-", "--format", "tsv", "--bundle", "1", "--ids"], env=environment,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as writer:
            writer.stdin.write(b"subject\tpredicate\tobject\na\tb\tc\n")
            writer.stdin.flush()
            expect(len(writer.stdout.readline()) == 65, "the first one writes")
            second = scratch.run("assert", "a", "b", "d")
            expect(second.code == 6 and str(writer.pid) in second.error, second)
            as_json = scratch.run("key", "new", "x", "--json")
            expect(as_json.code == 6 and b'"LOCKED"' in as_json.err, as_json)
            for words in (["status"], ["resolve", "a", "b"], ["log"], ["export"], ["verify"]):
                expect(scratch.run(*words).code == 0, f"readers work meanwhile: {scratch.run(*words)}")
            writer.stdin.close()
            expect(writer.wait(timeout=30) == 0, "the first one ends well")
        scratch.written("assert", "a", "b", "d")


def bench_measures_and_cleans_up():
    with Scratch(init=False) as scratch:
        figures = good("bench", "--count", "2000", "--json", env={"TMPDIR": str(scratch.path)}).json
        expect(figures["bundled_per_second"] > 0 and figures["resolve_p50_us"] >= 0, figures)
        expect("assertions/s" in good("bench", "--count", "1000", env={"TMPDIR": str(scratch.path)}).text, "text")
        expect(not list(scratch.path.iterdir()), "nothing is left")


def every_verb_has_help_with_examples():
    verbs = good("help", "--json").lines
    expect(len(verbs) > 20, verbs)
    for verb in verbs:
        words = verb["verb"].split()
        text = good("help", *words).text
        expect("Examples" in text and "steme" in verb["examples"], text)
        expect(good(*words, "--help").text == text, f"{words} --help")
    for words in (["help"], ["--help"], ["-h"], []):
        expect("Exit codes" in good(*words).text, words)
    expect(good("--version").text.startswith("steme "), "--version")
    expect("version" in good("--version", "--json").text, "json")
    expect(good("help", "key").text.count("Examples") == 3, "all verbs of key")


def every_example_of_the_help_is_understood():
    """Each is run in a small store: it may find nothing there, or find it done already, but not be a usage error."""
    for verb in good("help", "--json").lines:
        with Scratch() as scratch:
            for key in ("alice", "bob"):
                scratch.good("key", "new", key)
            for line in verb["examples"].split("\n"):
                words = shlex.split(line.split("|")[0].split(">")[0], comments=True)
                if words[:2] == ["steme", "watch"]:
                    words.append("--once")  # else it goes on until it is interrupted
                if words[:1] == ["steme"] and not {"bench", "import", "--follow", "--dir"} & set(words):
                    result = scratch.run(*words[1:], cwd=scratch.path)
                    expect(result.code in (0, 3, 4), (line, str(result)))


def a_closed_pipe_ends_it_quietly():
    with Scratch() as scratch:
        rows = "subject\tpredicate\tobject\n" + "".join(f"s{i}\tp\t{'o' * 200}\n" for i in range(5000))
        scratch.good("import", "-", "--format", "tsv", stdin=rows)
        for verb in ("export", "log", "keys"):
            environment = dict(os.environ, STEME_DIR=str(scratch.store))
            with subprocess.Popen([PROGRAM, verb], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  env=environment) as child:
                child.stdout.readline()
                child.stdout.close()
                error = child.stderr.read()
                expect(child.wait(timeout=30) == 141 and error == b"", (verb, child.returncode, error))


def colour_and_tables_are_for_terminals():
    import pty
    with Scratch() as scratch:
        scratch.written("assert", "Pluto", "is_a", "planet")

        def on_terminal(**more):
            environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
            environment.update({"STEME_DIR": str(scratch.store), "TERM": "xterm", **more})
            master, slave = pty.openpty()
            child = subprocess.Popen([PROGRAM, "log"], stdout=slave, env=environment)
            os.close(slave)
            output = b""
            while True:
                try:
                    block = os.read(master, 4096)
                except OSError:
                    break
                if not block:
                    break
                output += block
            os.close(master)
            expect(child.wait(timeout=30) == 0, output)
            return output

        coloured = on_terminal()
        expect(b"\x1b[" in coloured and b"signer" in coloured, coloured)
        plain = on_terminal(NO_COLOR="1")
        expect(b"\x1b[" not in plain and b"signer" in plain, plain)
        expect(b"\x1b[" not in on_terminal(TERM="dumb"), "dumb terminals")
        piped = scratch.good("log").out
        expect(b"\x1b[" not in piped and b"signer" not in piped and piped.count(b"\t") == 5, piped)


def stored_text_cannot_drive_a_terminal():
    with Scratch() as scratch:
        scratch.written("assert", "x", "says", "\x1b[2J\x1b]0;gotcha\x07 red\u202eder")
        id_ = scratch.good("log", "--json").lines[0]["id"]
        for words in (("resolve", "x", "says"), ("why", "x", "says"), ("show", id_), ("log",), ("history", "x")):
            out = scratch.good(*words).out
            expect(b"\x1b" not in out and b"\x07" not in out and "\u202e".encode() not in out, (words, out))


if __name__ == "__main__":
    for name, function in list(globals().items()):
        if callable(function) and getattr(function, "__module__", "") == "__main__" and not name.startswith("_"):
            case(name.replace("_", " "), function)
    finish()
