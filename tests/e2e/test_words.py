#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The manual page and the shell completion say what the program's own table of verbs says."""
import sys

sys.dont_write_bytecode = True
import os
import re
import shlex
import shutil
import subprocess

from steme_e2e import PROGRAM, ROOT, Scratch, Skipped, case, expect, finish, good

MANUAL = ROOT / "docs" / "man" / "steme.1"
COMPLETION = ROOT / "tools" / "completion" / "steme.bash"
COMMON = {"dir", "json", "table", "help"}
ALLOWED = {"key new": {"as"}, "version": {"version"}}  # of other verbs, in an example


def unroff(text):
    """Text of manual lines without its markup, on one line."""
    for escape, character in (("\\-", "-"), ("\\&", ""), ("\\(aq", "'"), ("\\(dq", '"'), ("\\e", "\\")):
        text = text.replace(escape, character)
    text = re.sub(r"\\f[BIRP]", "", text)
    return " ".join(re.sub(r"(?m)^\.[A-Z]+ ?", "", text).split())


def sections():
    """Verb with its arguments -> its part of the manual."""
    parts = re.split(r'(?m)^\.SS "(steme .*)"$', MANUAL.read_text(encoding="utf-8"))
    return {unroff(title): re.split(r"(?m)^\.SH ", body)[0] for title, body in zip(parts[1::2], parts[2::2])}


def title_of(verb):
    return " ".join(("steme", verb["verb"], verb["arguments"])).strip()


def the_manual_has_every_verb_and_nothing_else():
    want = {title_of(verb) for verb in good("help", "--json").lines}
    expect(set(sections()) == want, set(sections()) ^ want)


def the_manual_has_every_option_and_example():
    manual = sections()
    whole = unroff(MANUAL.read_text(encoding="utf-8")).lower()
    for verb in good("help", "--json").lines:
        body = unroff(manual[title_of(verb)])
        expect(verb["summary"].lower() in body.lower(), (verb["verb"], verb["summary"]))
        for option in verb["options"]:
            if option["name"] in COMMON:
                continue
            expect(re.search(rf"--{option['name']}(?![a-z-])", body), (verb["verb"], option["name"]))
            expect(option["help"].replace("`", "").lower() in whole, (verb["verb"], option["help"]))
        known = {option["name"] for option in verb["options"]} | ALLOWED.get(verb["verb"], set())
        for name in re.findall(r"--([a-z][a-z-]*)", body):
            expect(name in known, f"the manual knows an option of {verb['verb']} that is none: --{name}")
        for line in verb["examples"].split("\n"):
            expect(" ".join(line.split()) in body, (verb["verb"], line))


def the_manual_formats_without_warnings():
    if not shutil.which("man"):
        raise Skipped("man is not installed")
    done = subprocess.run(["man", "-l", "--warnings", str(MANUAL)], capture_output=True, check=False,
                          env=dict(os.environ, MANWIDTH="80", LC_ALL="C.UTF-8"))
    expect(done.returncode == 0 and not done.stderr, done.stderr.decode())


def every_example_is_a_line_the_program_understands():
    """Each is run in a small store: it may find nothing there, or find it done already, but not be a usage error."""
    for verb in good("help", "--json").lines:
        with Scratch() as scratch:
            for key in ("alice", "bob"):
                scratch.good("key", "new", key)
            for line in verb["examples"].split("\n"):
                words = shlex.split(line.split("|")[0].split(">")[0], comments=True)
                if words[:1] == ["steme"] and not {"bench", "import", "--follow", "--dir"} & set(words):
                    result = scratch.run(*words[1:], cwd=scratch.path)
                    expect(result.code in (0, 3, 4), (line, str(result)))


def the_completion_is_the_one_the_program_prints():
    expect(good("completion").text == COMPLETION.read_text(encoding="utf-8"),
           "tools/completion/steme.bash is not what `steme completion` prints: print it anew")


def complete(*words, store=None):
    """What bash offers for the last word."""
    script = ('source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); compopt() { :; }; _steme; '
              'printf "%s\\n" "${COMPREPLY[@]}"')
    environment = dict(os.environ, PATH=f"{os.path.dirname(PROGRAM)}:{os.environ['PATH']}")
    if store:
        environment["STEME_DIR"] = str(store)
    done = subprocess.run(["bash", "-c", script, "bash", str(COMPLETION), "steme", *words], capture_output=True, check=True,
                          env=environment)
    return done.stdout.decode().split()


def the_completion_completes():
    expect(complete("res") == ["resolve"], complete("res"))
    expect(set(complete("")) >= {"init", "assert", "key", "epoch", "help"}, complete(""))
    expect(complete("key", "") == ["new", "list", "show"], complete("key", ""))
    expect(complete("resolve", "a", "b", "--le") == ["--lens"], complete("resolve", "a", "b", "--le"))
    expect(complete("resolve", "a", "b", "--lens", "con") == ["consensus"], "lenses")
    expect(complete("assert", "a", "b", "--type", "bo") == ["boolean"], "types")
    expect(complete("--dir", "x", "stat") == ["status"], "an option first")
    expect(complete("epoch", "new", "--super") == ["--supersedes"], "verbs of two words")
    expect(complete("help", "conf") == ["conflicts"], "help")
    if os.path.basename(PROGRAM) == "steme":
        with Scratch() as scratch:
            scratch.good("key", "new", "alice")
            expect(complete("assert", "--as", "al", store=scratch.store) == ["alice"], "keys")


if __name__ == "__main__":
    for name, function in list(globals().items()):
        if name.startswith(("the_", "every_")):
            case(name.replace("_", " "), function)
    finish()
