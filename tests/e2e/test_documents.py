#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The man page and the completion say what the program says: verbs, arguments, options, examples, exit codes; and the
lines that the description of the exports shows are such."""
import sys

sys.dont_write_bytecode = True
import json
import pathlib
import re
import shlex
import shutil
import subprocess

from steme_e2e import PROGRAM, ROOT, Scratch, Skipped, case, expect, finish, good

PAGE = ROOT / "docs" / "man" / "steme.1"
COMPLETION = ROOT / "tools" / "completion" / "steme.bash"
NDJSON = ROOT / "docs" / "format" / "ndjson.md"

# Options that many verbs share stand once in the page, under OPTIONS.
EVERYWHERE = {"dir", "json", "table", "help"}
SHARED = {"Every verb", "Signing", "Moments", "Lenses", "Values"}


# ---- reading the page ----

ESCAPES = {r"\-": "-", r"\e": "\\", r"\(aq": "'", r"\(dq": '"', r"\(ga": "`", r"\(ha": "^", r"\(ti": "~", r"\&": "",
           r"\(lq": "“", r"\(rq": "”", r"\ ": " ", r"\fB": "", r"\fI": "", r"\fR": "", r"\fP": ""}


def plain(text):
    """A line of the page's source as it reads."""
    macro = re.match(r"\.([BI]|[BRI]{2}|SH|SS)(?: +(.*))?$", text)
    if macro:
        words = [quoted[1:-1] if quoted.startswith('"') else quoted
                 for quoted in re.findall(r'"[^"]*"|(?:\\ |[^\s"])+', macro.group(2) or "")]
        text = (" " if macro.group(1) in ("B", "I", "SH", "SS") else "").join(words)
    return re.sub(r"\\(?:\(..|f.|.)", lambda found: ESCAPES[found.group()], text)


class Section:
    """What stands under a heading: the prose, tags with their text, and the examples."""

    def __init__(self):
        self.prose, self.tags, self.examples = [], {}, []


def sections():
    found, section, tag, in_example = {}, Section(), None, False
    lines = iter(PAGE.read_text().splitlines())
    for line in lines:
        if line.startswith((".SH", ".SS")):
            section, tag = found.setdefault(plain(line), Section()), None
        elif line in (".EX", ".EE"):
            in_example = line == ".EX"
            if in_example:
                section.examples.append([])
        elif in_example:
            section.examples[-1].append(plain(line))
        elif line == ".TP":
            tag = plain(next(lines))
            section.tags[tag] = []
        elif line == ".PP":
            tag = None
        elif not line.startswith((".br", ".\\", ".TH")):
            (section.prose if tag is None else section.tags[tag]).append(plain(line))
    return found


def flat(text):
    """Compared without quoting, spacing, and how a sentence begins and ends."""
    text = re.sub(r"\s+", " ", text if isinstance(text, str) else " ".join(text)).replace("`", "").strip().rstrip(".")
    return text[:1].lower() + text[1:]


# ---- what the program says ----

def verbs():
    return good("help", "--json").lines


def spelled(option):
    return f"--{option['name']}" + (f" {option['value']}" if "value" in option else "")


def title(verb):
    return f"steme {verb['verb']} {verb['arguments']}".strip()


def section_of(verb):
    found = sections()
    expect(title(verb) in found, f"{PAGE} has no section '{title(verb)}'")
    return found[title(verb)]


# ---- the page ----

def the_page_is_of_this_version():
    version = good("version", "--json").json["version"]
    head = PAGE.read_text().split("\n.SH", 1)[0]
    expect(f'"StemeDB {version}"' in head, head)


def the_page_has_the_verbs_there_are_and_no_others():
    said = {title(verb) for verb in verbs()}
    written = {name for name in sections() if name.startswith("steme ")}
    expect(said == written, f"only the program: {said - written}; only the page: {written - said}")
    for verb in verbs():
        prose = flat(section_of(verb).prose)
        expect(prose.startswith(flat(verb["summary"])), f"{verb['verb']}: {prose!r}")


def the_page_names_exactly_the_options_each_verb_takes():
    for verb in verbs():
        section = section_of(verb)
        text = "\n".join([*section.prose, *section.tags, *(line for tag in section.tags.values() for line in tag)])
        written = set(re.findall(r"(?<![\w-])--([a-z][a-z-]*)", text)) - EVERYWHERE
        said = {option["name"] for option in verb["options"]} - EVERYWHERE
        expect(written == said, f"{verb['verb']}: only the program {said - written}; only the page {written - said}")


def the_page_explains_each_option_as_the_help_does():
    found = sections()
    shared = {tag: text for name in SHARED for tag, text in found[name].tags.items()}
    for verb in verbs():
        own = section_of(verb).tags
        for option in verb["options"]:
            text = own.get(spelled(option), shared.get(spelled(option)))
            expect(text is not None, f"{verb['verb']}: {spelled(option)} is not explained")
            expect(flat(text) == flat(option["help"]), f"{verb['verb']} {spelled(option)}: {flat(text)!r}")


def the_page_shows_the_examples_of_the_help():
    for verb in verbs():
        examples = section_of(verb).examples
        expect(examples and examples[-1] == verb["examples"].split("\n"), f"{verb['verb']}: {examples}")


def the_page_names_the_lenses():
    lenses = {lens["name"]: lens["summary"] for lens in good("lens", "list", "--json").lines}
    tags = sections()["Lenses"].tags
    for name, summary in lenses.items():
        expect(flat(tags.get(name, "")) == flat(summary), f"{name}: {tags.get(name)}")
    expect({tag for tag in tags if not tag.startswith("--")} == set(lenses), tags)


def the_page_lists_the_exit_codes_of_the_help():
    said = re.search(r"Exit codes: (.*?)\.\n", good("help").text, re.DOTALL).group(1)
    tags = sections()["EXIT STATUS"].tags
    for code, meaning in re.findall(r"(\d+) ([^,]+)", re.sub(r"\s+", " ", said)):
        expect(flat(tags.get(code, "")).startswith(flat(meaning).split()[0]), f"{code} {meaning}: {tags.get(code)}")
    in_help = re.findall(r"(\d+) [^,]+", said)
    table = (ROOT / "usage.md").read_text().split("| exit code |")[1].split("\n\n")[0]
    expect(in_help == list(tags) == re.findall(r"^\| (\d+) \|", table, re.MULTILINE), (in_help, list(tags), table))


def the_files_that_the_page_points_to_are_installed():
    build = pathlib.Path(PROGRAM).parents[2]
    if not (build / "meson-info").is_dir() or not shutil.which("meson"):
        raise Skipped("the program doesn't lie where it was built")
    listed = subprocess.run(["meson", "introspect", "--installed", build], capture_output=True, check=True).stdout
    installed = {path.split("share/doc/stemedb/")[1] for path in json.loads(listed).values() if "share/doc/" in path}
    section = sections()["steme arena SCENARIO..."]
    text = " ".join([*section.prose, *section.examples[-1]])
    files = {word for word in re.findall(r"(?:docs|examples)/[\w./-]*\w", text) if "." in word}
    expect(files and files <= installed, files - installed)
    scenarios = {str(path.relative_to(ROOT)) for path in (ROOT / "examples" / "arena").glob("*.arena")}
    expect(scenarios <= installed, scenarios - installed)


# ---- the completion ----

def the_completion_installed_is_the_one_printed():
    expect(COMPLETION.read_bytes() == good("completion").out,
           f"renew it: {PROGRAM} completion > {COMPLETION.relative_to(ROOT)}")


def complete(*lines):
    """What bash would offer for the last word of each line."""
    script = f"source {shlex.quote(str(COMPLETION))}\n"
    for words in lines:
        script += f"COMP_WORDS=({shlex.join(words)}); COMP_CWORD={len(words) - 1}; _steme; echo \"${{COMPREPLY[*]}}\"\n"
    try:
        done = subprocess.run(["bash", "--norc", "-c", script], capture_output=True, timeout=60, check=False)
    except FileNotFoundError:
        raise Skipped("there is no bash here") from None
    expect(done.returncode == 0, done.stderr.decode())
    offered = [line.split() for line in done.stdout.decode().split("\n")[:-1]]
    expect(len(offered) == len(lines), done.stderr.decode())
    return offered


def the_completion_offers_the_verbs():
    names = [verb["verb"].split() for verb in verbs() if verb["verb"] not in ("version", "completion")]
    firsts = list(dict.fromkeys(name[0] for name in names))
    seconds = {name[0]: [other[1] for other in names if other[0] == name[0]] for name in names if len(name) > 1}
    first, part, *rest = complete(["steme", ""], ["steme", "res"], *(["steme", word, ""] for word in seconds))
    expect(first == firsts, first)
    expect(part == ["resolve"], part)
    expect(rest == list(seconds.values()), rest)


def the_completion_offers_exactly_the_options_of_each_verb():
    listed = [verb for verb in verbs() if verb["verb"] not in ("help", "version", "completion")]
    for verb, words in zip(listed, complete(*(["steme", *verb["verb"].split(), "--"] for verb in listed))):
        said = {f"--{option['name']}" for option in verb["options"]}
        expect(set(words) == said, f"{verb['verb']}: {said ^ set(words)}")


def the_completion_offers_lenses_and_types():
    types = next(option for verb in verbs() for option in verb["options"] if option["name"] == "type")
    lenses, some, kinds = complete(
        ["steme", "resolve", "a", "b", "--lens", ""],
        ["steme", "why", "a", "b", "--lens", "rec"],
        ["steme", "assert", "a", "b", "c", "--type", ""],
    )
    expect(lenses == [lens["name"] for lens in good("lens", "list", "--json").lines], lenses)
    expect(some == ["recency"], some)
    expect(kinds == types["help"].split(";")[0].split(), kinds)


# ---- the format of exports ----

def the_examples_of_the_format_go_in_and_come_out_as_they_stand():
    lines = [line for line in NDJSON.read_text().splitlines() if line.startswith("{")]
    signed = [line for line in lines if '"signature"' in line]
    types = {json.loads(line)["type"] for line in signed}
    expect(types == {"assertion", "vote", "epoch", "revision", "bundle", "view"}, lines)
    with Scratch() as scratch:
        scratch.good("import", "-", "--format", "ndjson", stdin="\n".join(signed) + "\n")
        expect(sorted(scratch.good("export").text.splitlines()) == sorted(signed), "exported otherwise")
        scratch.good("import", "-", "--format", "ndjson", stdin="\n".join(lines) + "\n")


for name, function in list(globals().items()):
    if name.startswith("the_") and callable(function):
        case(name.replace("_", " "), function)
finish()
