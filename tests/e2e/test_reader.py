#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tools/read_log, which knows docs/format/ and none of our code, reads what `steme` writes and comes to the same:
every record to the byte of its export, every identity, every vote, and what is damaged."""
import sys

sys.dont_write_bytecode = True
import functools
import hashlib
import json
import random
import re
import shutil
import struct
import subprocess

from steme_e2e import ROOT, SHARED, Scratch, Skipped, case, expect, finish, good, run

sys.path.insert(0, str(ROOT / "tools"))
from reader import ed25519, log, ndjson, record
from reader.blake3 import blake3

READER = ROOT / "tools" / "read_log"
COUNTS = ("segments", "batches", "records", "signatures", "file_bytes", "valid_bytes", "padding_bytes", "damaged_bytes")


def reads(store, *words):
    """Exit status and lines of the reader."""
    done = subprocess.run([sys.executable, str(READER), str(store), *words], capture_output=True, check=False)
    expect(b"Traceback" not in done.stderr, done.stderr.decode())
    return done.returncode, done.stdout


def remember():
    """Copies of one store are read many times: what was hashed and verified once needs no second time."""
    log.blake3 = functools.cache(blake3)
    ed25519.verify = functools.cache(ed25519.verify)


# ---- the reader's own arithmetic ----


def vectors(*path):
    file = SHARED.joinpath("vectors", *path)
    if not file.exists():
        raise Skipped(f"there is no {file.name}")
    return json.loads(file.read_text())


def blake3_is_blake3():
    for vector in vectors("blake3", "test_vectors.json")["cases"]:
        length = vector["input_len"]
        if length <= 31744:
            data = bytes(index % 251 for index in range(length))
            expect(blake3(data).hex() == vector["hash"][:64], f"{length} bytes")


def ed25519_is_ed25519():
    for group in vectors("wycheproof", "ed25519_test.json")["testGroups"]:
        key = bytes.fromhex(group["publicKey"]["pk"])
        for test in group["tests"]:
            valid = ed25519.verify(key, bytes.fromhex(test["msg"]), bytes.fromhex(test["sig"]))
            expect(valid == (test["result"] == "valid"), test)


def odd_signatures_are_judged_by_the_rule():
    """The table of docs/format/signature.md, on the published cases."""
    table = (ROOT / "src" / "model" / "sign_vectors.h").read_text().split("sign_vectors[] = {")[1]
    rows = re.findall(r'\{ "(.*?)",\s*((?:"[0-9a-f]*"\s*,?\s*)+)(true|false) \}', table)
    expect(len(rows) == 13, len(rows))
    for what, text, accepted in rows:
        digits = "".join(re.findall(r'"([0-9a-f]*)"', text))
        message, key, signature = (bytes.fromhex(part) for part in (digits[:-192], digits[-192:-128], digits[-128:]))
        expect(ed25519.verify(key, message, signature) == (accepted == "true"), what)


def golden_records():
    for file in sorted((ROOT / "tests" / "golden" / "record").glob("*.hex")):
        text = file.read_text()
        yield file.stem, dict(re.findall(r"^# (\w+) +([0-9a-f]+)$", text, re.M)), \
            bytes.fromhex("".join(line for line in text.splitlines() if not line.startswith("#")))


def the_golden_records_read_as_described():
    count = 0
    for name, wanted, data in golden_records():
        found = record.decode(data)
        id_ = blake3(data)
        expect(id_.hex() == wanted["id"], name)
        expect(ed25519.verify(found["author"], b"steme-record-v1\0" + id_, bytes.fromhex(wanted["signature"])), name)
        if found["type"] == "assertion":
            slot = record.slot_id(found)
            got = {"route": record.route(found["subject"]), "slot": slot, "claim": record.claim_id(found, slot),
                   "voice": record.voice_id(found)}
            expect(all(got[part].hex() == wanted[part] for part in got), (name, got, wanted))
        count += 1
    expect(count >= 22, count)


def a_bit_of_a_golden_record_never_turns_unseen():
    """It is refused, or it is another record whose fields differ."""
    for name, _, data in golden_records():
        whole = record.decode(data)
        for bit in random.Random(name).sample(range(len(data) * 8), 60):
            changed = bytearray(data)
            changed[bit // 8] ^= 1 << bit % 8
            try:
                expect(record.decode(bytes(changed)) != whole, f"{name}: bit {bit}")
            except (record.Refused, record.Unknown):
                pass


# ---- a store with everything in it ----

VALUES = [
    {"kind": "entity", "name": "Πλούτων"}, "", {"kind": "text", "text": "Pluton", "language": "fr"},
    "q\"\\/\b\f\n\r\t\x01\x1f\x7f\x80\u2028\ufeff\U0001F600é <>&'", 0, -7, True, False,
    *({"kind": "integer", "integer": str(number)} for number in (2**53, 2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63))),
    *({"kind": "decimal", "amount": amount} for amount in (
        "0", "1", "-0.05", "100000", "12e20", "1e24", "1e25", "-15e98", "1e-25", "1e-26", "1.5e-26", "1e-99", "1.50",
        "9223372036854775807", "-9.223372036854775807")),
    {"kind": "quantity", "amount": "-0.5"}, {"kind": "quantity", "amount": "5", "unit": "µm"},
    {"kind": "quantity", "amount": "0.5", "lower": "-1e5", "upper": "1e20", "unit": "m"},
    *({"kind": "time", "time": time} for time in (
        "1994", "1994-10", "1994-10-27", "1994-10-27T12:34:56Z", "1994-10-27T12:34:56.000001Z", "0001", "2024-02-29",
        "9999-12-31T23:59:59.999999Z", "@-62135596800000001", "@253402300800000000", f"@{-(2**63)}", f"@{2**63 - 1}")),
    {"kind": "time", "time": "@-62198755200000000", "precision": "year"},
    {"kind": "blob", "hash": "ab" * 32, "bytes": str(2**64 - 1), "media_type": "text/plain; charset=utf-8"},
    {"kind": "unknown"}, {"kind": "none"},
]


def key_of(store, name):
    """Seed and public key."""
    lines = (store / "keys" / f"{name}.key").read_text().splitlines()
    return tuple(bytes.fromhex(line.split()[1]) for line in lines[1:3])


def signed(store, name, id_):
    """A record's signature, as RFC 8032 makes one."""
    seed, public = key_of(store, name)
    secret = hashlib.sha512(seed).digest()
    scalar = int.from_bytes(secret[:32], "little") & (1 << 254) - 8 | 1 << 254
    message = b"steme-record-v1\0" + id_
    number = int.from_bytes(hashlib.sha512(secret[32:] + message).digest(), "little") % ed25519.L
    r = ed25519.encoded(ed25519.sum_of_products(number, ed25519.BASE, 0, ed25519.NEUTRAL))
    h = int.from_bytes(hashlib.sha512(r + public + message).digest(), "little")
    return r + ((number + h * scalar) % ed25519.L).to_bytes(32, "little")


def bundle_of(store, name, lines):
    """A bundle, as a line to import, of records that are in the store already."""
    public = key_of(store, name)[1]
    ids = b"".join(bytes.fromhex(line["id"]) for line in lines)
    data = struct.pack("<B7xIHxx32sH6x", 4, 56 + len(ids), 1, public, len(lines)) + ids
    id_ = blake3(data + bytes(-len(data) % 64))
    return {"id": id_.hex(), "type": "bundle", "author": public.hex(), "signature": signed(store, name, id_).hex(),
            "members": [{member: line[member] for member in line if member != "signature"} for line in lines]}


def add_segment(store):
    """Begins a segment behind the log's last, as log.md says."""
    whole = log.read_log(store)
    last = whole.entries[-1]
    number = (last.location >> 32) + 1
    data = (store / "wal" / f"{number - 1:016x}.seg").read_bytes()
    at = data.rindex(b"BTCH", 0, last.location & 0xFFFFFFFF)
    header = struct.pack("<8sII32sQQq32sQ112x", b"STEMELOG", 1, 4096, whole.store, number, last.sequence + 1,
                         last.received_at, blake3(data[at : at + 128]), 64 << 20)
    (store / "wal" / f"{number:016x}.seg").write_bytes((header + blake3(header)).ljust(4096, b"\0"))


def imports(scratch, key, *drafts):
    lines = "".join(json.dumps(draft) + "\n" for draft in drafts)
    return scratch.good("import", "-", "--as", key, "--ids", stdin=lines).text.split()


def on(kind, id_, subject, **more):
    return {"type": "vote", "target": {"kind": kind, "id": id_, "subject": subject}, **more}


def fill(scratch):
    for key in ("alice", "bob"):
        scratch.good("key", "new", key)
    imports(scratch, "default", *({"type": "assertion", "subject": f"s{number % 7}", "predicate": "p", "object": value}
                                  for number, value in enumerate(VALUES)))
    fill_epochs(scratch)
    fill_votes(scratch)
    scratch.good("view", "create", "near", "--subject", "s?", "--lens", "authority", "--root", "bob",
                 "--epoch", "second")
    scratch.good("view", "create", "far")
    scratch.good("view", "drop", "far")
    # The same records again, in bundles by their author.
    ids = [scratch.written("assert", "twice", "p", f"o{number}", "--as", "alice") for number in range(4)]
    lines = {line["id"]: line for line in scratch.good("export").lines}
    mine = [lines[id_] for id_ in ids]
    for members in (mine[:2], [mine[2], mine[1], mine[0]]):
        imports(scratch, "alice", bundle_of(scratch.store, "alice", members))
    # Segments that a full one would have made, and an empty one.
    for number in range(3):
        add_segment(scratch.store)
        if number:
            scratch.written("assert", "rotated", "p", str(number))


def fill_epochs(scratch):
    names = ("first", "second", "third")
    epochs = [scratch.written("epoch", "new", name, "--from", "1900", "--description", "a\nb") for name in names]
    scratch.written("epoch", "new", "fourth", "--supersedes", "first", "--to", "2000-01-01T00:00:00.5Z")
    scratch.written("epoch", "new", "fifth", "--supersedes", "second", "--as", "bob")  # a proposal
    scratch.written("retract", epochs[2])
    for epoch in [*epochs, "cd" * 32]:
        imports(scratch, "default", {"type": "assertion", "subject": "epochs", "predicate": "p", "object": epoch[:3],
                                     "epoch": epoch})
    imports(scratch, "default", {
        "type": "assertion", "subject": "s" * 1024, "predicate": "é" * 512, "object": "o" * 5000, "negated": True,
        "confidence": "0.123456", "asserted_at": "1066", "valid_from": "1000", "valid_to": "@1", "epoch": epochs[0],
        "source": "a source", "parents": sorted(epochs), "qualifiers": [
            {"name": "k", "value": "v", "key": True}, {"name": "k", "value": "u", "key": True},
            {"name": "a", "value": "b"}],
        "evidence": [{"stance": "refutes", "uri": "u:1", "locator": "p. 3"}, {"stance": "supports", "uri": "u:1"},
                     {"stance": "context", "target": epochs[1], "locator": "x"}]})


def fill_votes(scratch):
    def stated(subject, *words):
        return scratch.written("assert", subject, "p", "x", *words)

    def vote(*words):
        return scratch.written("vote", *words)

    changed, withdrawn, others, past, tied = (stated(subject) for subject in (
        "changed", "withdrawn", "others", "past", "tied"))
    for stance, probability in (("support", "0.5"), ("refute", "0.25"), ("abstain", "1"), ("support", "0.75")):
        vote(changed, stance, "--probability", probability, "--as", "alice", "--reason", "because")
    vote(changed, "refute", "--as", "bob")
    vote(changed, "abstain", "--as", "bob")
    vote(withdrawn, "support", "--as", "bob")
    scratch.written("retract", vote(withdrawn, "refute", "--as", "bob"), "--as", "bob")
    scratch.written("retract", vote(others, "refute", "--as", "bob"), "--as", "alice")  # a proposal
    vote(past, "refute", "--as", "bob")
    scratch.written("retract", past, "--reason", "wrong")
    stated("past", "--as", "alice")
    same = {"cast_at": "2020-01-01T00:00:00Z"}
    imports(scratch, "bob", *(on("assertion", tied, "tied", stance=("support", "refute")[number % 2],
                                 reason=str(number), **same) for number in range(4)),
            on("assertion", tied, "tied", stance="abstain", cast_at="2019"),
            on("assertion", changed, "not its subject", stance="refute", cast_at="2999"))
    denied = stated("denied", "--not", "--source", "S")
    vote(denied, "support", "--as", "alice")
    claim = bytes.fromhex(scratch.good("show", denied, "--json").json["claim"])
    for negated, stance, key in ((False, "refute", "alice"), (True, "support", "bob"), (True, "refute", "alice")):
        vote("--claim-id", record.polar(claim, negated).hex(), "--subject", "denied", stance, "--as", key)
    old, new = stated("revised", "--confidence", "0"), scratch.written("assert", "revised", "p", "y")
    scratch.written("supersede", old, "--with", new, "--kind", "update")
    scratch.written("supersede", new, "--with", old, "--kind", "correct", "--as", "bob")  # a proposal
    for stance in ("support", "refute"):
        vote("--agent", "alice", stance, "--probability", "0.3")
    vote("--source", "S", "support")
    vote("--source", "S", "support", "--as", "bob", "--probability", "0.2")


# ---- the same, of a whole store ----


def both_verify(store, code):
    """Both give this verdict, and count the same bytes and records."""
    theirs = run("verify", "--json", store=store)
    found = log.read_log(store)
    ours, counts = found.summary(), json.loads(theirs.out.splitlines()[-1])
    expect((4 if found.findings else 0) == theirs.code == code, f"{found.findings}\n{theirs}")
    expect(all(ours[name] == counts[name] for name in COUNTS), f"{ours}\n{theirs}")
    return ours


def exports_are_the_same_bytes(store):
    for theirs, ours in ((["export"], "--export"), (["export", "--log"], "--log")):
        wanted, got = good(*theirs, store=store).out.splitlines(), reads(store, ours)[1].splitlines()
        for want, have in zip(wanted, got):
            expect(want == have, f"{ours}:\n{want.decode()}\n{have.decode()}")
        expect(len(wanted) == len(got), (ours, len(wanted), len(got)))


def counts_are_the_same(store):
    ours = both_verify(store, 0)
    theirs = good("status", "--json", store=store).json
    expect(all(ours["distinct"][name] == theirs["records"][name] for name in ours["distinct"]), (ours, theirs))
    expect(all(ours["distinct"][name + "s"] > 0 for name in record.TYPES), ours)
    expect(ours["segments"] > 3 and ours["duplicates"] >= 5 and ours["missing"] == 0, ours)


def every_record_is_shown_with_the_same_ids(store):
    """`show` of each record against the line of the log and the identities."""
    lines = {}
    for line in map(json.loads, reads(store, "--log")[1].splitlines()):
        for it in [line, *line.get("members", [])]:
            lines.setdefault(it["id"], it)
    agents = {}
    for ids in map(json.loads, reads(store, "--ids")[1].splitlines()):
        shown = good("show", ids["id"], "--json", store=store).json
        line = {name: value for name, value in lines[ids["id"]].items() if name != "members"}
        expect(all(shown[name] == value for name, value in line.items()), f"{shown}\n{line}")
        expect(all(shown[name] == ids[name] for name in ("claim", "voice") if name in shown), f"{shown}\n{ids}")
        agents[line.get("author") or line["voter"]] = ids["agent"]
        if "slot" in ids and shown["standing"] == "live" and line["subject"] == "changed":
            answer = good("resolve", line["subject"], line["predicate"], "--json", store=store).json
            expect(answer["slot"] == ids["slot"], (answer, ids))
    for key, agent in agents.items():
        expect(good("key", "show", key, "--json", store=store).json["agent"] == agent, (key, agent))


def tallies_are_the_same(store):
    """Each tally that the index keeps, and no other."""
    kept, counted = [], []
    for line in good("keys", "Y", store=store).text.splitlines():
        key, _, *words = line.split()
        ppm = words.index("ppm")
        kept.append((*key.split(":")[1:], dict(zip(words[0:ppm:2], map(int, words[1:ppm:2]))),
                     [int(word) for word in words[ppm + 1:]]))
    for tally in map(json.loads, reads(store, "--tallies")[1].splitlines()):
        figures = {name: tally[name] for name in ("ballots", "support", "refute", "abstain", "retracted")}
        counted.append((tally["target"]["kind"], tally["target"]["id"][:32], figures,
                        [tally["support_ppm"], tally["refute_ppm"]]))
    expect(len(kept) >= 9 and sorted(kept, key=str) == sorted(counted, key=str), f"{kept}\n{counted}")


def votes_are_counted_the_same(store):
    """Of each assertion the votes that count, as `show` has them; of the others what was voted above."""
    tallies_are_the_same(store)
    others, seen = [], 0
    for tally in map(json.loads, reads(store, "--tallies")[1].splitlines()):
        target = tally["target"]
        figures = tuple((tally[stance], tally[stance + "_ppm"]) for stance in ("support", "refute"))
        if target["kind"] == "assertion":
            shown = good("show", target["id"], "--json", store=store).json
            if target["route"] != record.route(shown["subject"]).hex():
                expect(figures == ((0, 0), (1, 1000000)), tally)  # the vote under another subject
                continue
            votes = [[vote for vote in shown["votes"] if vote["counts"] and vote["stance"] == stance]
                     for stance in ("support", "refute")]
            counted = tuple((len(some), sum(round(float(vote["probability"]) * 1000000) for vote in some))
                            for some in votes)
            expect(figures == counted, f"{tally}\n{shown}")
            seen += 1
        else:
            others.append((target["kind"], *figures))
    expect(seen >= 6, seen)
    expect(sorted(others) == [("agent", (0, 0), (1, 300000)), ("claim", (1, 1000000), (1, 1000000)),
                              ("source", (2, 1200000), (0, 0))], others)


def claims_stand_the_same(store):
    """What every lens begins with, as `resolve --all --lens union` has it."""
    names = ("assertions", "refutations", "votes_for", "votes_against", "support_voices", "refute_voices")
    wanted = {}
    for answer in good("resolve", "--all", "--lens", "union", "--format", "ndjson", store=store).lines:
        for belief in answer["beliefs"]:
            wanted[belief["claim"]] = (answer["slot"], *(belief[name] for name in names),
                                       round(belief["support"] * 1000000), round(belief["refute"] * 1000000))
    got = {claim["claim"]: (claim["slot"], *(claim[name] for name in names), claim["support_ppm"], claim["refute_ppm"])
           for claim in map(json.loads, reads(store, "--claims")[1].splitlines())}
    expect(len(wanted) > len(VALUES) - 8, len(wanted))
    for claim in wanted.keys() | got.keys():
        expect(wanted.get(claim) == got.get(claim), (claim, wanted.get(claim), got.get(claim)))


# ---- damage ----


class Copy(Scratch):
    """A copy of a store without its index, so that nothing but the log speaks."""

    def __init__(self, store):
        super().__init__(init=False)
        shutil.copytree(store, self.store)
        shutil.rmtree(self.store / "index")

    def segment(self, number=1):
        return self.store / "wal" / f"{number:016x}.seg"


def damaged(scratch):
    """Both call it damaged, count the same, and have the same records left."""
    lost = both_verify(scratch.store, 4)["missing"]
    entries = [entry for entry in log.read_log(scratch.store).entries if entry.record]
    ours = "".join(line + "\n" for line in ndjson.lines(entries))
    result = scratch.run("export")
    expect(result.text == ours, "the exports differ")
    expect(result.code == (5 if lost else 0), f"{lost} records are missing: {result.code} {result.error}")


def flipped_bits_are_damage_to_both(store, seed):
    dice = random.Random(seed)
    with Copy(store) as scratch:
        file = scratch.segment(1)
        data = bytearray(file.read_bytes())
        for _ in range(dice.choice((1, 1, 2, 4))):
            data[dice.randrange(4096, len(data.rstrip(b"\0")))] ^= 1 << dice.randrange(8)
        file.write_bytes(data)
        damaged(scratch)


def a_cut_tail_is_damage_to_both(store):
    last = max(file for file in (store / "wal").iterdir()).name
    for cut in (1, 63, 130, 300):
        with Copy(store) as scratch:
            file = scratch.store / "wal" / last
            data = file.read_bytes()
            file.write_bytes(data[:-cut])
            damaged(scratch)


def a_damaged_header_is_damage_to_both(store):
    for at in (20, 90, 230, 2000):
        with Copy(store) as scratch:
            file = scratch.segment(2)
            data = bytearray(file.read_bytes())
            data[at] ^= 16
            file.write_bytes(data)
            damaged(scratch)


def a_forged_signature_is_found_by_both(store):
    """In a batch whose checks are all made anew, so that nothing else is wrong."""
    with Copy(store) as scratch:
        file = max((scratch.store / "wal").iterdir())
        data = bytearray(file.read_bytes())
        header, prefix = 4096, 4096 + 128
        expect(data[header + 4] == 1 and data[prefix + 20] == 1, "one signed record")
        data[prefix + 60] ^= 1
        data[prefix + 120 : prefix + 128] = blake3(data[prefix : prefix + 120] + bytes(8))[:8]
        data[header + 80 : header + 112] = blake3(data[prefix : prefix + 128])
        data[header + 120 : prefix] = blake3(data[header : header + 120] + bytes(8))[:8]
        file.write_bytes(data)
        expect(scratch.run("verify").code == 4, "steme verify")
        found = log.read_log(scratch.store)
        expect(len(found.findings) == 1 and "signature" in found.findings[0], found.findings)


def what_was_set_aside_is_known_to_both(store):
    """A torn tail in quarantine is no damage; its file gone bad is."""
    with Copy(store) as scratch:
        file = max((scratch.store / "wal").iterdir())
        file.write_bytes(file.read_bytes()[:-50])
        scratch.written("assert", "after", "it", "all")
        expect(both_verify(scratch.store, 0)["quarantined"] == 1, "nothing was set aside")
        exports_are_the_same_bytes(scratch.store)
        aside = next((scratch.store / "quarantine").iterdir())
        data = aside.read_bytes()
        for at in (20, 300):
            aside.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
            both_verify(scratch.store, 4)


def what_is_no_store_of_ours_is_refused_by_both(store):
    with Copy(store) as scratch:
        identity = scratch.store / "store"
        text = identity.read_text()
        for changed in (text.replace("format 1", "format 2"), text.replace("created 1", "created 2"), "stemedb store"):
            identity.write_text(changed)
            expect(reads(scratch.store)[0] == scratch.run("verify").code == 5, changed)
        identity.unlink()
        expect(reads(scratch.store)[0] == scratch.run("verify").code == 3, "no identity")
        identity.write_text(text)
        shutil.copy(scratch.segment(1), scratch.segment(9))
        expect(reads(scratch.store)[0] == scratch.run("verify").code == 5, "another's name")


def the_reader_says_and_changes_nothing_else(store):
    """Its exit status is the verdict, and the store stays as it is."""
    with Copy(store) as scratch:
        def state():
            return {path: path.read_bytes() for path in scratch.store.rglob("*") if path.is_file()}

        before = state()
        expect(reads(scratch.store)[0] == 0, "a good store")
        expect(state() == before, "something changed")
        scratch.segment(1).write_bytes(before[scratch.segment(1)][:-70])
        expect(reads(scratch.store)[0] == 4, "a damaged store")


def main():
    for function in (blake3_is_blake3, ed25519_is_ed25519, odd_signatures_are_judged_by_the_rule,
                     the_golden_records_read_as_described, a_bit_of_a_golden_record_never_turns_unseen):
        case(function.__name__.replace("_", " "), function)
    remember()
    with Scratch() as scratch:
        case("a store with everything can be made", fill, scratch)
        for function in (the_reader_says_and_changes_nothing_else, counts_are_the_same, exports_are_the_same_bytes,
                         every_record_is_shown_with_the_same_ids, votes_are_counted_the_same, claims_stand_the_same):
            case(function.__name__.replace("_", " "), function, scratch.store)
        for seed in range(8):
            case(f"flipped bits are damage to both, seed {seed}", flipped_bits_are_damage_to_both, scratch.store, seed)
        for function in (a_cut_tail_is_damage_to_both, a_damaged_header_is_damage_to_both,
                         a_forged_signature_is_found_by_both, what_was_set_aside_is_known_to_both,
                         what_is_no_store_of_ours_is_refused_by_both):
            case(function.__name__.replace("_", " "), function, scratch.store)
    finish()


if __name__ == "__main__":
    main()
