#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Bad input gets a clear error and the right exit code, and changes nothing."""
import sys

sys.dont_write_bytecode = True
import gzip
import json
import os
import pathlib
import subprocess

from steme_e2e import PROGRAM, Scratch, Skipped, case, expect, finish, good, run

HEADER = "subject\tpredicate\tobject\n"
DRAFT = '{"type":"assertion","subject":"a","predicate":"b",'
USAGE, MISSING, CONFLICT, DEVICE = 2, 3, 4, 5

# name, words, exit code, what the message must contain
LINES = [
    ("an unknown verb", ["reslove", "a", "b"], USAGE, "resolve"),
    ("an unknown verb like nothing", ["xyzzy"], USAGE, "steme help"),
    ("an unknown second word", ["key", "nwe", "x"], USAGE, "new"),
    ("a missing second word", ["epoch"], USAGE, "list"),
    ("an unknown option", ["resolve", "a", "b", "--lense", "pool"], USAGE, "--lens"),
    ("an unknown short option", ["resolve", "a", "b", "-l"], USAGE, "-l"),
    ("an option without its value", ["resolve", "a", "b", "--lens"], USAGE, "--lens LENS"),
    ("an option's value taken by another option", ["resolve", "a", "b", "--lens", "--table"], USAGE, "--lens"),
    ("an empty source", ["assert", "a", "b", "c", "--source", ""], USAGE, "--source is empty"),
    ("an empty confidence", ["assert", "a", "b", "c", "--confidence="], USAGE, "--confidence is empty"),
    ("a vote on an empty source", ["vote", "--source", "", "support"], USAGE, "--source is empty"),
    ("an empty subject to resolve", ["resolve", "--all", "--subject", ""], USAGE, "--subject is empty"),
    ("an empty subject of impact", ["impact", "--without", "source:x", "--subject", ""], USAGE, "--subject is empty"),
    ("an empty predicate of a view", ["view", "create", "v", "--predicate", ""], USAGE, "--predicate is empty"),
    ("an empty directory for plots", ["arena", "x.arena", "--svg", ""], USAGE, "--svg is empty"),
    ("an empty directory for diagrams", ["calibrate", "--truth", "x.tsv", "--svg="], USAGE, "--svg is empty"),
    ("an empty directory of the store", ["--dir", "", "assert", "a", "b", "c"], USAGE, "--dir is empty"),
    ("an empty replacement", ["supersede", "abcd", "--with", "abce", "", "--kind", "update"], USAGE, "--with is empty"),
    ("two sources", ["assert", "a", "b", "c", "--source", "x", "--source", "y"], USAGE, "'x' and 'y'"),
    ("two lenses of an answer", ["resolve", "a", "b", "--lens", "pool", "--lens", "union"], USAGE, "'pool'"),
    ("a flag with a value", ["log", "--follow=yes"], USAGE, "--follow"),
    ("a missing argument", ["assert", "a"], USAGE, "SUBJECT PREDICATE"),
    ("a missing object", ["assert", "a", "b"], USAGE, "object"),
    ("too many arguments", ["assert", "a", "b", "c", "d"], USAGE, "'d'"),
    ("a missing predicate", ["resolve", "a"], USAGE, "predicate"),
    ("an unknown lens", ["resolve", "a", "b", "--lens", "consenus"], USAGE, "consensus"),
    ("an unknown type", ["assert", "a", "b", "c", "--type", "quantiy"], USAGE, "quantity"),
    ("an unknown format", ["resolve", "--all", "--format", "csv"], USAGE, "tsv"),
    ("an unknown key", ["assert", "a", "b", "c", "--as", "defualt"], MISSING, "default"),
    ("an unknown stance", ["vote", "abcd", "suport"], USAGE, "support"),
    ("a vote in no form", ["vote", "support"], USAGE, "ID"),
    ("a vote in two forms", ["vote", "--agent", "x", "--source", "y", "support"], USAGE, "one of"),
    ("an unknown epoch", ["assert", "a", "b", "c", "--epoch", "none such"], MISSING, "none such"),
    ("invalid UTF-8 in a subject", ["assert", b"a\xff", "b", "c"], USAGE, "subject"),
    ("invalid UTF-8 in a text", ["assert", "a", "b", b"c\xc3"], USAGE, "UTF-8"),
    ("a subject that is not NFC", ["assert", "Scho\u0308n", "b", "c"], USAGE, "subject"),
    ("a control character in a name", ["assert", "a\x07", "b", "c"], USAGE, "subject"),
    ("an empty subject", ["assert", "", "b", "c"], USAGE, "subject"),
    ("a subject over its limit", ["assert", "a" * 1025, "b", "c"], USAGE, "1024"),
    ("a subject of 100 kB", ["assert", "a" * 100000, "b", "c"], USAGE, "1024"),
    ("NaN as a number", ["assert", "a", "b", "NaN", "--type", "decimal"], USAGE, "NaN"),
    ("infinity as a number", ["assert", "a", "b", "inf", "--type", "decimal"], USAGE, "inf"),
    ("1e999 as a number", ["assert", "a", "b", "1e999", "--type", "decimal"], USAGE, ""),
    ("1e999 as a quantity", ["assert", "a", "b", "1e999", "--unit", "m"], USAGE, "amount"),
    ("1e999 as an error", ["assert", "a", "b", "1", "--plus", "1e999"], USAGE, "plus"),
    ("NaN as an error", ["assert", "a", "b", "1", "--minus", "nan"], USAGE, "minus"),
    ("a negative error", ["assert", "a", "b", "1", "--plus", "-1"], USAGE, "negative"),
    ("an integer over 64 bits", ["assert", "a", "b", "9223372036854775808", "--type", "integer"], USAGE, ""),
    ("a fraction as an integer", ["assert", "a", "b", "1.5", "--type", "integer"], USAGE, ""),
    ("a boolean that is none", ["assert", "a", "b", "yes", "--type", "boolean"], USAGE, "true or false"),
    ("a time that is none", ["assert", "a", "b", "1994-13-01", "--type", "time"], USAGE, ""),
    ("a blob that is none", ["assert", "a", "b", "c", "--type", "blob"], USAGE, "HASH:SIZE:MEDIA"),
    ("a unit on a text", ["assert", "a", "b", "c", "--type", "text", "--unit", "m"], USAGE, "quantity"),
    ("an object of type none", ["assert", "a", "b", "c", "--type", "none"], USAGE, "none"),
    ("confidence 1.5", ["assert", "a", "b", "c", "--confidence", "1.5"], USAGE, "0 to 1"),
    ("confidence -0.1", ["assert", "a", "b", "c", "--confidence=-0.1"], USAGE, "0 to 1"),
    ("confidence 5%", ["assert", "a", "b", "c", "--confidence", "5%"], USAGE, "from 0 to 1, such as 0.05, not '5%'"),
    ("confidence NaN", ["assert", "a", "b", "c", "--confidence", "nan"], USAGE, "confidence"),
    ("confidence in 7 decimals", ["assert", "a", "b", "c", "--confidence", "0.1234567"], USAGE, "6 decimals"),
    ("a qualifier without a value", ["assert", "a", "b", "c", "--qualifier", "x"], USAGE, "NAME=VALUE"),
    ("evidence that refutes, mistyped", ["assert", "a", "b", "c", "--evidence", "refute=http://x"], USAGE, "'refutes'"),
    ("evidence of no stance", ["assert", "a", "b", "c", "--evidence", "foo=doi:1"], USAGE, "supports, refutes"),
    ("evidence of a past stance", ["assert", "a", "b", "c", "--evidence", "refuted=doi:1"], USAGE, "'refutes'"),
    ("evidence that is no URI", ["assert", "a", "b", "c", "--evidence", "nonsense"], USAGE, "'nonsense'"),
    ("evidence of a scheme alone", ["assert", "a", "b", "c", "--evidence", "doi:"], USAGE, "'doi:'"),
    ("evidence of a cut id", ["assert", "a", "b", "c", "--evidence", "refutes=3f2a9c"], USAGE, "whole id"),
    ("evidence of nothing", ["assert", "a", "b", "c", "--evidence", "supports="], USAGE, "evidence"),
    ("valid-to before valid-from", ["assert", "a", "b", "c", "--valid-from", "2000", "--valid-to", "1999"], USAGE, ""),
    ("a malformed id", ["show", "xyz!"], USAGE, "id"),
    ("an id too short", ["show", "abc"], USAGE, "4"),
    ("an id too long", ["show", "a" * 65], USAGE, "64"),
    ("an id that is not there", ["show", "0" * 64], MISSING, ""),
    ("an abbreviated id that is not there", ["show", "00000000"], MISSING, ""),
    ("a parent that is not there", ["assert", "a", "b", "c", "--parent", "00000000"], MISSING, ""),
    ("a retraction of what is not there", ["retract", "0" * 64], MISSING, ""),
    ("superseding without a replacement", ["supersede", "abcd", "--kind", "update"], USAGE, "--with"),
    ("superseding without a kind", ["supersede", "abcd", "--with", "abce"], USAGE, "--kind"),
    ("superseding of no kind", ["supersede", "abcd", "--with", "abce", "--kind", "updat"], USAGE, "update"),
    ("an as-of that is no time", ["resolve", "a", "b", "--as-of", "yesterday"], USAGE, "as-of"),
    ("an as-of past all numbers", ["resolve", "a", "b", "--as-of", "@99999999999999999999"], USAGE, "as-of"),
    ("a valid-at that is no time", ["resolve", "a", "b", "--valid-at", "2000-02-30"], USAGE, "valid-at"),
    ("a half-life that is none", ["resolve", "a", "b", "--lens", "recency", "--half-life", "soon"], USAGE, "half-life"),
    ("a setting of another lens", ["resolve", "a", "b", "--lens", "pool", "--half-life", "30d"], USAGE, "recency"),
    ("a setting of a lens that is not asked", ["resolve", "a", "b", "--copying"], USAGE, "reliability"),
    ("a setting of none of the lenses", ["impact", "--without", "source:x", "--lens", "pool", "--lens", "union",
                                         "--damping", "0.5"], USAGE, "authority"),
    ("a damping of 1", ["resolve", "a", "b", "--lens", "authority", "--damping", "1"], USAGE, "below 1"),
    ("a damping of 0", ["resolve", "a", "b", "--lens", "authority", "--damping", "0"], USAGE, "above 0"),
    ("a damping that is no number", ["resolve", "a", "b", "--lens", "authority", "--damping", "x"], USAGE, "--damping"),
    ("a root that is no key", ["resolve", "a", "b", "--lens", "authority", "--root", "nobody"], MISSING, "nobody"),
    ("a limit that is no number", ["log", "--limit", "many"], USAGE, "limit"),
    ("--all with a question", ["resolve", "--all", "a", "b"], USAGE, "--subject"),
    ("a key name that is a path", ["key", "new", "../x"], USAGE, ""),
    ("a file that is not there", ["import", "no-such-file.tsv"], MISSING, "no-such-file.tsv"),
    ("an import of a directory", ["import", "/", "--format", "tsv"], USAGE, "/ is a directory"),
    ("votes from a directory", ["vote", "--batch", "/tmp"], USAGE, "/tmp is a directory"),
    ("truths from a directory", ["calibrate", "--truth", "/tmp"], USAGE, "/tmp is a directory"),
    ("an import of a file without a name", ["import", ""], USAGE, "empty"),
    ("rejects into a directory", ["import", "/dev/null", "--rejects", "/tmp"], DEVICE, "/tmp"),
    ("history of nobody", ["history", "nobody"], MISSING, ""),
]


def state_of(scratch):
    """All records, and the files of the log: what must not change."""
    files = {path.name: path.read_bytes() for path in sorted((scratch.store / "wal").iterdir())}
    keys = sorted(path.name for path in (scratch.store / "keys").iterdir())
    return scratch.good("export").out, scratch.good("status", "--json").json["last_sequence"], keys, len(files)


def check_refused(scratch, result, code, part):
    expect(result.code == code, f"want exit {code}: {result}")
    expect(result.error.startswith("steme: "), result)
    expect(part in result.error, f"want '{part}': {result}")
    expect("\x1b" not in result.error and result.error.isprintable() or "\n" in result.error, result)
    expect(result.out == b"", result)


def check_line(scratch, before, words, code, part):
    check_refused(scratch, scratch.run(*words), code, part)
    as_json = scratch.run(*words, "--json")
    error = json.loads(as_json.err.splitlines()[-1])["error"]
    expect(as_json.code == code and error["exit"] == code, as_json)
    expect(error["status"].isupper() and error["message"], error)
    expect(state_of(scratch) == before, "something changed")


# name, content, format, rejected lines with part of the reason
FILES = [
    ("a subject of 2 MB", HEADER + "a" * 2000000 + "\tb\tc\n", "tsv", {2: "longer than"}),
    ("invalid UTF-8 in a file", HEADER.encode() + b"a\xff\tb\tc\n", "tsv", {2: "subject"}),
    ("too few fields", HEADER + "a\tb\n", "tsv", {2: "2 fields"}),
    ("too many fields", HEADER + "a\tb\tc\td\n", "tsv", {2: "4 fields"}),
    ("an empty subject in a row", HEADER + "\tb\tc\n", "tsv", {2: "subject"}),
    ("an empty object in a row", HEADER + "a\tb\t\n", "tsv", {2: "object"}),
    ("a carriage return inside a field", HEADER + "a\rb\tb\tc\n", "tsv", {2: "carriage return"}),
    ("a NUL byte in a row", HEADER + "a\0\tb\tc\n", "tsv", {2: "NUL"}),
    ("an escape that is none", HEADER + "a\tb\tc\\d\n", "tsv", {2: "backslash"}),
    ("confidence 1.5 in a row", "subject\tpredicate\tobject\tconfidence\na\tb\tc\t1.5\n", "tsv", {2: "0 to 1"}),
    ("NaN in a row", "subject\tpredicate\tobject\ttype\na\tb\tNaN\tdecimal\n", "tsv", {2: "NaN"}),
    ("1e999 in a row", "subject\tpredicate\tobject\tplus\na\tb\t1\t1e999\n", "tsv", {2: "plus"}),
    ("an unknown type in a row", "subject\tpredicate\tobject\ttype\na\tb\tc\tnumber\n", "tsv", {2: "type"}),
    ("an unknown epoch in a row", "subject\tpredicate\tobject\tepoch\na\tb\tc\tnone such\n", "tsv", {2: "none such"}),
    ("a time that is none in a row", "subject\tpredicate\tobject\ttime\na\tb\tc\tnoon\n", "tsv", {2: "time"}),
    ("NDJSON that is no JSON", "hello\n", "ndjson", {1: "not JSON"}),
    ("truncated NDJSON", DRAFT + '"obj', "ndjson", {1: "cut off"}),
    ("an array in NDJSON", "[]\n", "ndjson", {1: "object"}),
    ("a type unknown in NDJSON", '{"type":"asertion"}\n', "ndjson", {1: "assertion"}),
    ("a member unknown in NDJSON",
     DRAFT + '"object":"c","confidense":"1"}\n', "ndjson", {1: "confidence"}),
    ("a member twice in NDJSON", '{"type":"assertion","subject":"a","subject":"b"}\n', "ndjson", {1: "duplicate"}),
    ("NaN in NDJSON", DRAFT + '"object":NaN}\n', "ndjson", {1: "not JSON"}),
    ("1e999 in NDJSON", DRAFT + '"object":1e999}\n', "ndjson", {1: "not JSON"}),
    ("a bare fraction in NDJSON", DRAFT + '"object":'
     '{"kind":"decimal","amount":67.4}}\n', "ndjson", {1: "string"}),
    ("confidence 1.5 in NDJSON",
     DRAFT + '"object":"c","confidence":1.5}\n', "ndjson", {1: "0 to 1"}),
    ("JSON that nests deep", "[" * 100000 + "\n", "ndjson", {1: "deeper"}),
    ("an id without a signature", DRAFT + '"object":"c","id":"%s"}\n' % ("0" * 64), "ndjson", {1: "signature"}),
    ("somebody else's draft", DRAFT + '"object":"c","author":"%s"}\n' % ("11" * 32), "ndjson", {1: "another key"}),
]


def check_file(scratch, before, content, form, rejected):
    path = scratch.file("input", content)
    rejects = scratch.path / "rejects"
    result = scratch.run("import", path, "--format", form, "--rejects", rejects)
    expect(result.code == 1, result)
    for line, part in rejected.items():
        shown = [text for text in result.error.splitlines() if text.startswith(f"line {line}: ")]
        expect(len(shown) == 1 and part in shown[0], f"want '{part}': {result}")
        expect(f"{line}\t" in rejects.read_text(errors="replace"), rejects.read_text(errors="replace"))
    expect(len(rejects.read_text(errors="replace").splitlines()) == len(rejected), result)
    expect(state_of(scratch) == before, "something changed")


HEADERS = [
    ("an unknown column", "subject\tpredicate\tobject\tconfidance\n", "confidence"),
    ("a column twice", "subject\tpredicate\tobject\tsubject\n", "twice"),
    ("a column missing", "subject\tobject\n", "predicate"),
    ("no header", "a\tb\tc\n", "column"),
    ("commas", "subject,predicate,object\na,b,c\n", "tab"),
    ("UTF-16", HEADER.encode("utf-16"), "iconv"),
    ("UTF-16 without its mark", HEADER.encode("utf-16-le"), "binary"),
    ("bytes that are no text", b"\x7fELF\x02\x01\x00", "binary"),
    ("an empty file", "", "empty"),
]


def check_header(scratch, before, content, part):
    result = scratch.run("import", "-", "--format", "tsv", stdin=content)
    expect(result.code == 2 and part in result.error, result)
    expect(state_of(scratch) == before, "something changed")


def a_compressed_file_says_what_to_do(scratch, before):
    result = scratch.run("import", scratch.file("a.tsv.gz", gzip.compress(HEADER.encode())))
    expect(result.code == 2 and "zcat" in result.error, result)
    expect(state_of(scratch) == before, "something changed")


def a_bad_row_does_not_keep_the_others_out():
    with Scratch() as scratch:
        rows = HEADER + "".join(f"s{i}\tp\to\n" if i % 10 else f"s{i}\tp\n" for i in range(3000))
        result = scratch.run("import", "-", "--format", "tsv", stdin=rows)
        expect(result.code == 1 and "300 lines rejected" in result.text, result)
        expect(result.error.count("\nline ") < 20 and "--verbose" in result.error, result)
        expect(scratch.good("status", "--json").json["records"]["assertions"] == 2700, "the rest went in")
        # some of these are found only by the library: names that are not NFC
        rows = HEADER + "".join(f"t{i}\tp\to\n" if i % 7 else f"te\u0301{i}\tp\to\n" for i in range(700))
        result = scratch.run("import", "-", "--format", "tsv", "--verbose", stdin=rows)
        expect(result.code == 1 and result.error.count("\nline ") == 99, result)
        expect(scratch.good("status", "--json").json["records"]["assertions"] == 3300, "the rest went in")


def a_file_with_crlf_line_ends_goes_in():
    with Scratch() as scratch:
        rows = "\ufeffsubject\tpredicate\tobject\r\na\tb\tc\r\n\r\nd\te\tf"
        scratch.good("import", "-", "--format", "tsv", stdin=rows)
        beliefs = scratch.good("resolve", "a", "b", "--json").json["beliefs"]
        expect(beliefs[0]["value"] == {"kind": "text", "text": "c"}, beliefs)
        expect(scratch.good("resolve", "d", "e", "--json").json["beliefs"], "the last line has no end")


def a_changed_record_does_not_go_in():
    with Scratch() as scratch, Scratch() as other:
        scratch.written("assert", "Pluto", "is_a", "planet", "--type", "entity")
        line = scratch.good("export").text
        record = json.loads(line)
        altered = dict(record, subject="Eris")
        result = other.run("import", "-", stdin=json.dumps(altered) + "\n")
        expect(result.code == 1 and "id" in result.error, result)
        forged = dict(record, signature="00" * 64)
        good_one = json.loads(scratch.good("export").text)
        scratch.written("assert", "Ceres", "is_a", "planet", "--type", "entity")
        lines = scratch.good("export").text.splitlines()
        mixed = [json.dumps(forged)] + [text for text in lines if good_one["id"] not in text]
        result = other.run("import", "-", stdin="\n".join(mixed) + "\n")
        expect(result.code == 1 and "line 1: " in result.error and "1 line rejected" in result.text, result)
        expect(other.good("status", "--json").json["last_sequence"] == 1, "the good one went in")
        expect(other.good("verify").code == 0, "verify")


def a_dry_run_writes_nothing():
    with Scratch() as scratch:
        before = state_of(scratch)
        result = scratch.run("import", "-", "--format", "tsv", "--dry-run", stdin=HEADER + "a\tb\tc\na\t\tc\n")
        expect(result.code == 1 and "checked 1 record" in result.text and "line 3" in result.error, result)
        expect(state_of(scratch) == before, "something changed")


def rejects_cost_no_file_its_content():
    with Scratch() as scratch:
        bad = HEADER + "a\tb\tc\na\t\tc\n"
        votes = "stance\ttarget\nsupport\tnone\n"
        for words, content in ((("import", "bad.tsv"), bad), (("vote", "--batch", "bad.tsv"), votes)):
            path = scratch.file("bad.tsv", content)
            (scratch.path / "link.tsv").unlink(missing_ok=True)
            (scratch.path / "link.tsv").symlink_to("bad.tsv")
            for name in ("bad.tsv", "./bad.tsv", "link.tsv"):
                for more in ((), ("--dry-run",)):
                    result = scratch.run(*words, "--rejects", name, *more, cwd=scratch.path)
                    expect(result.code == 2 and "name another" in result.error, result)
                    expect(path.read_text() == content, "the input is lost")
        with open(path, "rb") as source:
            done = subprocess.run([PROGRAM, "import", "-", "--rejects", path], stdin=source, capture_output=True,
                                  check=False, env=dict(os.environ, STEME_DIR=str(scratch.store)))
        expect(done.returncode == 2 and path.read_text() == votes, done)
        expect(scratch.good("status", "--json").json["last_sequence"] == 0, "nothing went in")
        keep = scratch.file("keep.txt", "dear")
        good_file = scratch.file("good.tsv", HEADER + "a\tb\tc\n")
        scratch.good("import", good_file, "--rejects", keep, "--dry-run")
        scratch.good("import", good_file, "--rejects", keep)
        expect(keep.read_text() == "dear", "nothing was rejected")
        scratch.good("import", good_file, "--rejects", scratch.path / "new")
        expect(not (scratch.path / "new").exists(), "nothing was rejected")
        bad_file = scratch.file("bad.tsv", bad)
        expect(scratch.run("import", bad_file, "--rejects", keep).code == 1, "a line was rejected")
        expect(keep.read_text().startswith("3\t"), keep.read_text())
        result = scratch.run("import", bad_file, "--rejects", scratch.path / "none" / "x")
        expect(result.code == 5 and "none/x" in result.error, result)


# ---- the store itself ----


def a_directory_that_is_no_store():
    with Scratch(init=False) as scratch:
        for words in (["status"], ["assert", "a", "b", "c"], ["verify"]):
            result = run(*words, store=scratch.path)
            expect(result.code == 3 and "steme init" in result.error, result)
            result = run(*words, cwd=scratch.path)
            expect(result.code == 3 and "steme init" in result.error, result)
        expect(not list(scratch.path.iterdir()), "nothing was made")
        scratch.file("full", "of something")
        result = run("init", "--dir", scratch.path)
        expect(result.code == 4, result)
        expect([path.name for path in scratch.path.iterdir()] == ["full"], "nothing was made")


def a_store_that_lost_a_part():
    for part, says in (("wal", "lacks its log"), ("store", "lacks the file 'store'")):
        with Scratch(init=False) as scratch:
            good("init", cwd=scratch.path)
            (scratch.path / ".steme" / part).rename(scratch.path / "part")
            for words in (["status"], ["init"], ["--dir", ".steme", "verify"], ["--dir", ".steme", "init"]):
                result = run(*words, cwd=scratch.path)
                expect(result.code in (3, 4) and says in result.error, (words, result))
                expect("steme init` makes" not in result.error and "steme status`" not in result.error, (words, result))


def a_store_of_a_newer_version():
    with Scratch() as scratch:
        scratch.written("assert", "a", "b", "c")
        identity = scratch.store / "store"
        text = identity.read_text()
        expect("\nformat 1\n" in text, text)
        identity.write_text(text.replace("\nformat 1\n", "\nformat 2\n"))
        before = {path: path.read_bytes() for path in scratch.store.rglob("*") if path.is_file()}
        for words in (["status"], ["assert", "a", "b", "d"], ["verify"], ["export"], ["rebuild"]):
            result = scratch.run(*words)
            expect(result.code == 5 and "newer" in result.error, result)
        after = {path: path.read_bytes() for path in scratch.store.rglob("*") if path.is_file()}
        expect(before == after, "something changed")


def as_root():
    if os.geteuid() != 0:
        raise Skipped("needs root, to mount")


class Mount:
    """A mount that goes away."""

    def __init__(self, *words):
        as_root()
        done = subprocess.run(["mount", *map(str, words)], capture_output=True, check=False)
        if done.returncode:
            raise Skipped("mounting is not allowed here: " + done.stderr.decode().strip())
        self.at = words[-1]

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        subprocess.run(["umount", str(self.at)], check=False)


def make_read_only(mounted):
    done = subprocess.run(["mount", "-o", "remount,bind,ro", str(mounted)], capture_output=True, check=False)
    if done.returncode:
        raise Skipped("remounting read-only is not allowed here")


def a_read_only_directory():
    with Scratch() as scratch:
        scratch.written("assert", "a", "b", "c")
        before = state_of(scratch)
        with Mount("--bind", scratch.store, scratch.store):
            make_read_only(scratch.store)
            result = scratch.run("assert", "a", "b", "d")
            expect(result.code == 5 and result.error.startswith("steme: "), result)
            result = scratch.run("key", "new", "x")
            expect(result.code == 5, result)
            expect(len(scratch.good("resolve", "a", "b", "--json").json["beliefs"]) == 1, "reading works")
            scratch.good("verify")
            result = run("init", "--dir", scratch.store / "inner")
            expect(result.code == 5, result)
        expect(state_of(scratch) == before, "something changed")


def a_read_only_directory_without_an_index():
    with Scratch() as scratch:
        scratch.written("assert", "a", "b", "c")
        subprocess.run(["rm", "-rf", str(scratch.store / "index")], check=True)
        with Mount("--bind", scratch.store, scratch.store):
            make_read_only(scratch.store)
            expect(len(scratch.good("resolve", "a", "b", "--json").json["beliefs"]) == 1, "made in memory")


def a_full_disk():
    with Scratch(init=False) as scratch:
        small = scratch.path / "small"
        small.mkdir()
        with Mount("-t", "tmpfs", "-o", "size=72m", "tmpfs", small):
            store = small / "store"
            good("init", store=store)
            good("assert", "a", "b", "c", store=store)
            rows = HEADER + "".join(f"s{i}\tp\t{'o' * 1000}\n" for i in range(60000))
            result = run("import", "-", "--format", "tsv", "--ids", store=store, stdin=rows)
            expect(result.code == 5 and result.error.startswith("steme: "), str(result)[-500:])
            acknowledged = set(result.text.split())
            there = {line.split("\t")[0][2:] for line in good("keys", "H:", store=store).text.splitlines()}
            expect(acknowledged and acknowledged <= there, "what was acknowledged is there")
            expect(run("resolve", "a", "b", store=store).code == 0, "reading works")
            expect(run("verify", store=store).code == 0, run("verify", store=store))
            expect(run("import", "-", "--format", "tsv", store=store, stdin=rows).code == 5, "and again")


def output_that_can_not_be_written():
    if not pathlib.Path("/dev/full").exists():
        raise Skipped("there is no /dev/full")
    with Scratch() as scratch:
        scratch.written("assert", "a", "b", "c")
        for words in (["export"], ["resolve", "a", "b"], ["log"], ["help"], ["keys"]):
            with open("/dev/full", "wb") as full:
                done = subprocess.run([PROGRAM, *words], stdout=full, stderr=subprocess.PIPE, check=False,
                                      env=dict(os.environ, STEME_DIR=str(scratch.store)))
            expect(done.returncode == 5 and b"output" in done.stderr, (words, done))


def main():
    with Scratch() as scratch:
        scratch.written("assert", "Pluto", "is_a", "planet", "--type", "entity")
        before = state_of(scratch)
        for name, words, code, part in LINES:
            case(name, check_line, scratch, before, words, code, part)
        for name, content, form, rejected in FILES:
            case(name, check_file, scratch, before, content, form, rejected)
        for name, content, part in HEADERS:
            case("a TSV file with " + name, check_header, scratch, before, content, part)
        case("a compressed file says what to do", a_compressed_file_says_what_to_do, scratch, before)
    for function in (a_bad_row_does_not_keep_the_others_out, a_file_with_crlf_line_ends_goes_in,
                     a_changed_record_does_not_go_in, a_dry_run_writes_nothing,
                     rejects_cost_no_file_its_content, a_directory_that_is_no_store, a_store_that_lost_a_part,
                     a_store_of_a_newer_version, a_read_only_directory, a_read_only_directory_without_an_index,
                     a_full_disk, output_that_can_not_be_written):
        case(function.__name__.replace("_", " "), function)
    finish()


if __name__ == "__main__":
    main()
