#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every scenario that is shipped runs, the same twice, and says what docs/arena.md quotes. `--write` puts what is
printed into the page instead."""
import sys

sys.dont_write_bytecode = True
import glob
import os
import re
import signal
import subprocess
import tempfile
import time
import xml.dom.minidom

from steme_e2e import PROGRAM, ROOT, TIMEOUT_S, Scratch, case, expect, finish, good, run

PAGE = ROOT / "docs" / "arena.md"
SCENARIOS = sorted((ROOT / "examples" / "arena").glob("*.arena"))
BLOCK = re.compile(r"^```console\n\$ steme (arena [^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FLIPS = re.compile(r"^\| ([a-z-]+) \| ([^|]*)" + r" \| ([^|]*)" * 5 + r" \|$", re.MULTILINE)
LENSES = ("recency", "consensus", "authority", "reliability", "union")
ENOUGH = {"honest", "noisy", "careless", "lying", "colluding", "sybil", "compromised"}

cards = {}  # (scenario's file, lens, kind of questions) -> row of the table


def arena(*words, **options):
    return good("arena", *words, cwd=ROOT, **options)


def names_of(text):
    return re.search(r"^name = (.*?)\s*(?:#.*)?$", text, re.MULTILINE).group(1)


def every_scenario_has_a_card():
    files = {names_of(path.read_text()): path.stem for path in SCENARIOS}
    expect(len(files) == len(SCENARIOS) >= 7, files)
    kinds = {kind for path in SCENARIOS for kind in re.findall(r"^kind = (\w+)", path.read_text(), re.MULTILINE)}
    expect(kinds == ENOUGH, kinds)
    lines = arena(*SCENARIOS, "--format", "tsv").text.splitlines()
    titles = lines[0].split("\t")
    for line in lines[1:]:
        row = dict(zip(titles, line.split("\t")))
        cards[files[row["scenario"]], row["lens"], row["of"]] = row
        for column in ("right", "unknown", "fooled", "calibration"):
            expect(0 <= float(row[column]) <= 1, row)
        expect(0 <= float(row["log_loss"]) <= 13.82 and 0 <= float(row["brier"]) <= 2, row)
        expect(re.fullmatch(r"\d*", row["flip"]) and int(row["limit"]) >= int(row["flip"] or 0), row)
    for stem in files.values():
        expect(any(key[0] == stem for key in cards), f"{stem} has no card")


def percent(row, column):
    return f"{100 * float(row[column]):.1f}%"


# ---- the page ----

def shown(page):
    """The page with what is so in the place of what it quotes."""
    def block(match):
        return f"```console\n$ steme {match.group(1)}\n{good(*match.group(1).split(), cwd=ROOT).text}```"

    def flips(match):
        if (match.group(1), "recency", "choices") not in cards:
            return match.group(0)
        rows = [cards[match.group(1), lens, "choices"] for lens in LENSES]
        found = [row["flip"] or f"> {row['limit']}" for row in rows]
        return "| " + " | ".join([match.group(1), match.group(2), *found]) + " |"

    return FLIPS.sub(flips, BLOCK.sub(block, page))


def the_page_shows_what_is_printed():
    page = PAGE.read_text()
    printed = shown(page)
    for was, now in zip(page.splitlines(), printed.splitlines()):
        expect(was == now, f"the page says\n  {was}\nand it is\n  {now}")
    expect(page == printed, "the page is longer or shorter")


def flip(scenario, lens, kind="choices"):
    """As a number; infinite where none was found."""
    text = cards[scenario, lens, kind]["flip"]
    return int(text) if text else float("inf")


def the_page_draws_conclusions_that_hold():
    page = re.sub(r"\s+", " ", PAGE.read_text())
    [wary, known] = [cards["colluders", lens, "choices"] for lens in ("consensus", "authority")]
    expect(percent(wary, "right") == percent(known, "right"), "two figures where the page has one")
    for number in (percent(cards["noisy-crowd", "consensus", "choices"], "right"),
                   percent(cards["noisy-crowd", "authority", "choices"], "right"),
                   percent(wary, "right").replace("%", " %"),
                   f"{float(wary['calibration']):.2f} and {float(known['calibration']):.2f} off"):
        expect(number in page, f"{number} is not in the page")
    for scenario in ("honest-crowd", "noisy-crowd", "colluders", "sybil-swarm", "compromised-key"):
        expect(flip(scenario, "recency") == 1, f"{scenario}: recency")
    for lens in LENSES[:-1]:
        expect(flip("careless-minority", lens) > 128, f"scattered mistakes under {lens}")
    expect(flip("liars", "reliability") > max(flip("liars", lens) for lens in LENSES if lens != "reliability"), "liars")
    for scenario, beyond in (("noisy-crowd", -1), ("honest-crowd", 1), ("colluders", 1), ("sybil-swarm", 1),
                             ("compromised-key", 0)):
        expect(flip(scenario, "reliability") - flip(scenario, "consensus") == beyond, f"{scenario}: about as many")
    expect(flip("honest-crowd", "consensus") == flip("colluders", "consensus") == 12, "about 12 beat 20")
    expect(flip("liars", "consensus") >= 2 * flip("colluders", "consensus"), "twice as many liars")
    expect(flip("honest-crowd", "authority") > 128, "128 strangers")
    for scenario in ("colluders", "compromised-key"):
        expect(flip(scenario, "authority") == flip(scenario, "consensus"), f"{scenario}: misplaced trust")
    expect(flip("sybil-swarm", "authority") == 150, "three endorsed keys among 150")
    expect(flip("own-lens", "close") > 256, "a smaller damping")
    expect(flip("measurements", "consensus", "numbers") == 2, "two who agree")
    expect(flip("measurements", "pool", "numbers") == 4, "four liars take the mean")
    expect(float(cards["measurements", "pool", "numbers"]["fooled"]) == 0, "no verdict was settled")
    with Scratch(init=False) as scratch:
        for name, was, now, lens, wanted in (
            ("measurements", "shift = 10 ", "shift = 1000 ", "pool", 1),
            ("sybil-swarm", "count = 20\n", "count = 20\nendorses = 3\n", "authority", None),
        ):
            text = (ROOT / "examples" / "arena" / f"{name}.arena").read_text()
            expect(was in text, f"{name} has no {was}")
            changed = scratch.file("changed.arena", text.replace(was, now))
            expect(arena(changed, "--json", "--lens", lens).json["cards"][0]["flip"] == wanted, f"{name}: {now}")
    for lens in LENSES[1:]:
        expect(float(cards["colluders", lens, "choices"]["fooled"]) == 0, f"{lens} is wary")


def keys_and_defaults_of_the_page_are_those_of_the_program():
    """Writing down what the page says is the default changes nothing."""
    page = PAGE.read_text()
    rows = [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in page.splitlines()
            if line.startswith("| ")]
    top = [row for row in rows if len(row) == 3 and re.fullmatch(r"\d+", row[1])]
    head = next(row for row in rows if row[:2] == ["key", "honest"])
    table = rows[rows.index(head) + 1:]
    expect(set(head[1:]) == ENOUGH and len(top) >= 7, head)
    with Scratch(init=False) as scratch:
        for i, kind in enumerate(head[1:], 1):
            said = [f"{row[0]} = {row[i]}" for row in table if len(row) == len(head) and row[0] != "---"]
            expect(len(said) == 10, said)
            world = {row[0]: row[1] for row in top} | {"questions": "3", "numbers": "2", "limit": "4"}
            group = f"[agents a]\nkind = {kind}\ncount = 2\n"
            others = "[agents b]\nkind = honest\ncount = 3\n"
            short = scratch.file("a.arena", f"name = x\nquestions = 3\nnumbers = 2\nlimit = 4\n{group}{others}")
            long = scratch.file("b.arena", "name = x\n" + "".join(f"{k} = {v}\n" for k, v in world.items()) + group +
                                "\n".join(said) + "\n" + others)
            expect(arena(short, "--format", "tsv").text == arena(long, "--format", "tsv").text, kind)


# ---- the program ----

def a_seed_gives_the_same_bytes_and_another_seed_others():
    scenario = ROOT / "examples" / "arena" / "compromised-key.arena"
    with Scratch(init=False) as scratch:
        folders = [scratch.path / "one", scratch.path / "two"]
        outputs = []
        for folder in folders:
            folder.mkdir()
            outputs.append(arena(scenario, "--json", "--svg", folder).out)
        expect(outputs[0] == outputs[1], "two runs differ")
        plots = [sorted((path.name, path.read_bytes()) for path in folder.iterdir()) for folder in folders]
        expect(plots[0] == plots[1], "plots differ")
        names = [name for name, _ in plots[0]]
        expect(names == ["compromised-key.accuracy.svg", "compromised-key.calibration.svg"], names)
        for name, text in plots[0]:
            plot = xml.dom.minidom.parseString(text).documentElement
            expect(plot.tagName == "svg" and len(plot.getElementsByTagName("polyline")) == len(LENSES), name)
            expect(b"prefers-color-scheme: dark" in text, name)
        expect(arena(scenario, "--json", "--seed", "2").out != outputs[0], "another seed makes no difference")


def json_says_what_the_table_says():
    scenario = ROOT / "examples" / "arena" / "compromised-key.arena"
    document = arena(scenario, "--json", "--lens", "consensus").json
    [card] = document["cards"]
    row = cards["compromised-key", "consensus", "choices"]
    for column in ("right", "unknown", "fooled", "log_loss", "brier", "calibration"):
        expect(abs(card[column] - float(row[column])) < 2e-6, column)
    expect(str(card["flip"]) == row["flip"] and document["attackers"] == 3, document)
    expect(card["limit"] == int(row["limit"]) == 20, card)
    points = {point["attackers"]: point["right"] for point in card["points"]}
    expect(points[3] == card["right"], points)
    expect(all(right >= 0.5 for size, right in points.items() if size < card["flip"]), points)
    expect(sum(bin_["answers"] for bin_ in card["bins"]) == card["questions"], card["bins"])


def bad_input_is_told_with_file_and_line():
    with Scratch(init=False) as scratch:
        bad = scratch.file("bad.arena", "questions = 3\n[agents a]\nkind = honest\nconut = 3\n")
        result = run("arena", bad)
        expect(result.code == 2 and f"{bad}:4: " in result.error and "did you mean 'count'" in result.error, result)
        expect(not result.out, result)
        expect(run("arena", scratch.path / "none.arena").code == 3, "a missing file")
        expect(run("arena").code == 2, "no scenario")
        fine = SCENARIOS[0]
        for words in (("--lens", "concensus"), ("--format", "csv"), ("--seed", "x")):
            expect(run("arena", fine, *words).code == 2, words)
        small = scratch.file("small.arena", "questions = 1\n[agents a]\nkind = honest\ncount = 1\n")
        later = run("arena", small, bad)
        expect(later.code == 2 and f"{bad}:4: " in later.error and not later.out, later)
        for asked, lens in (("questions", "pool"), ("numbers", "union"), ("questions", "mine")):
            text = f"{asked} = 1\n[agents a]\nkind = honest\ncount = 1\n[lens mine]\nis = pool\n"
            result = run("arena", scratch.file("one.arena", text), "--lens", lens)
            expect(result.code == 2 and not result.out and f"the lens {lens} judges" in result.error, result)


def a_scenario_comes_from_standard_input_too():
    text = (ROOT / "examples" / "arena" / "measurements.arena").read_text()
    whole = arena("-", "--format", "tsv", stdin=text)
    expect(whole.text == arena("examples/arena/measurements.arena", "--format", "tsv").text, whole)
    expect(arena("-", "--json", stdin=text).json["file"] == "stdin", whole)
    result = run("arena", "-", "-", stdin=text)
    expect(result.code == 2 and "only once" in result.error and not result.out, result)
    result = run("arena", "-", stdin="questions = 2\nnone\n")
    expect(result.code == 2 and "stdin:2: " in result.error, result)


def plots_that_can_not_be_written_are_told_of_at_once():
    with Scratch(init=False) as scratch:
        nowhere = {"TMPDIR": str(scratch.path / "none")}  # no scenario can be run: what is told is told before
        for folder in ("a", "b"):
            (scratch.path / folder).mkdir()
            scratch.file(f"{folder}/x.arena", "questions = 1\n[agents a]\nkind = honest\ncount = 1\n")
        plots = scratch.path / "plots"
        result = run("arena", scratch.path / "a/x.arena", "--svg", plots / "deeper", env=nowhere)
        expect(result.code == 5 and "directory for plots" in result.error and not result.out, result)
        result = run("arena", scratch.path / "a/x.arena", "--svg", scratch.path / "a/x.arena", env=nowhere)
        expect(result.code == 5 and "Not a directory" in result.error and not result.out, result)
        result = run("arena", scratch.path / "a/x.arena", scratch.path / "b/x.arena", "--svg", plots, env=nowhere)
        expect(result.code == 2 and "both be called x" in result.error and not plots.exists(), result)
        arena(scratch.path / "a/x.arena", "--svg", plots)
        expect(sorted(os.listdir(plots)) == ["x.accuracy.svg", "x.calibration.svg"], os.listdir(plots))
        os.remove(plots / "x.accuracy.svg")
        (plots / "x.accuracy.svg").mkdir()
        result = run("arena", scratch.path / "a/x.arena", "--svg", plots)
        expect(result.code == 5 and "x.accuracy.svg" in result.error and "reliability" in result.text, result)


def shape(element):
    """A mark without its place and colour: a disc, a square, or a path of so many corners."""
    return element.tagName, element.getAttribute("d").count("L")


def plots_have_room_for_all_lenses_and_draw_no_two_alike():
    built_in = len(good("lens", "list", "--json").lines)
    names = [f"wide-{i:02}-{'W' * 32}" for i in range(32 - built_in)]
    title = "Überaus " + "lang " * 60 + "& mehr"
    text = f"name = {title}\nquestions = 2\nlimit = 2\n[agents a]\nkind = honest\ncount = 3\n"
    text += "".join(f"[lens {name}]\nis = consensus\n" for name in names)
    with Scratch(init=False) as scratch:
        arena(scratch.file("x.arena", text), "--svg", scratch.path / "plots")
        for path in (scratch.path / "plots").iterdir():
            plot = xml.dom.minidom.parse(str(path)).documentElement
            width, height = (int(plot.getAttribute(name)) for name in ("width", "height"))
            expect(plot.getAttribute("viewBox") == f"0 0 {width} {height}", path)
            texts = [(float(text.getAttribute("x") or 0), float(text.getAttribute("y") or 0), text.firstChild.data)
                     for text in plot.getElementsByTagName("text")]
            expect(all(y < height for _, y, _ in texts), f"{path}: a text is below the picture")
            expect(all(x + 12 * len(text) < width for x, _, text in texts if text in names), f"{path}: a name is cut")
            expect(set(names) <= {text for _, _, text in texts}, path)
            [shown] = [text for _, _, text in texts if text.startswith("Überaus")]
            expect(shown.endswith("…") and title.startswith(shown[:-1]) and 20 < len(shown) < width / 8, shown)
            expect(plot.getElementsByTagName("title")[0].firstChild.data.startswith(title), path)
            lines = [it for it in plot.getElementsByTagName("line") if it.getAttribute("class").startswith("line")]
            styles = []
            for line in lines:
                mark = line.nextSibling.nextSibling
                _, colour, dashes = line.getAttribute("class").split()
                styles.append((colour, dashes, shape(mark)))
                expect(mark.getAttribute("class") == colour.replace("s", "m"), f"{path}: {mark.toxml()}")
            expect(len(styles) == 32 - 1, f"{path}: {len(styles)} lenses")  # pool judges no choices
            for what, kinds in (("at all", set(styles)), ("in colour and dashes", {it[:2] for it in styles}),
                                ("without colour", {it[1:] for it in styles})):
                expect(len(kinds) == len(styles), f"{path}: two are alike {what}")


def interrupted(folder, number):
    """An attack that takes longer than the test, and what became of it."""
    environment = dict(os.environ, TMPDIR=folder)
    work = subprocess.Popen([PROGRAM, "arena", "-"], env=environment, stdin=subprocess.PIPE, stderr=subprocess.PIPE,
                            stdout=subprocess.PIPE)
    work.stdin.write(b"questions = 200\nlimit = 4000\n[agents a]\nkind = honest\ncount = 100\n"
                     b"[agents b]\nkind = sybil\ncount = 0\n")
    work.stdin.close()
    while not glob.glob(f"{folder}/*/store/*"):
        expect(work.poll() is None, "it ended by itself")
        time.sleep(0.01)
    time.sleep(0.2)
    work.send_signal(number)
    code = work.wait(TIMEOUT_S)
    printed = work.stdout.read() + work.stderr.read()
    work.stdout.close()
    work.stderr.close()
    expect(code == -number and not printed, f"{number}: {code}, {printed}")


def ignored(folder):
    """Under nohup it is not ended by a line that is cut."""
    scenario = ROOT / "examples" / "arena" / "compromised-key.arena"
    environment = dict(os.environ, TMPDIR=folder)
    work = subprocess.Popen([PROGRAM, "arena", scenario], env=environment, stdout=subprocess.DEVNULL,
                            preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    while not glob.glob(f"{folder}/*/store") and work.poll() is None:
        time.sleep(0.01)
    work.send_signal(signal.SIGHUP)
    expect(work.wait(TIMEOUT_S) == 0, "ended by a signal that is ignored")


def nothing_is_left_behind():
    scenario = ROOT / "examples" / "arena" / "compromised-key.arena"
    with tempfile.TemporaryDirectory(prefix="steme-e2e.") as folder:
        arena(scenario, env={"TMPDIR": folder})
        expect(os.listdir(folder) == [], os.listdir(folder))
        result = run("arena", scenario, env={"TMPDIR": folder + "/none"})
        expect(result.code == 5 and folder + "/none, as $TMPDIR says" in result.error, result)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            interrupted(folder, number)
            expect(os.listdir(folder) == [], f"{number}: {os.listdir(folder)}")
        ignored(folder)
        expect(os.listdir(folder) == [], os.listdir(folder))


if sys.argv[1:] == ["--write"]:
    every_scenario_has_a_card()
    PAGE.write_text(shown(PAGE.read_text()))
    sys.exit()
case("every scenario has a card", every_scenario_has_a_card)
case("the page shows what is printed", the_page_shows_what_is_printed)
case("the page draws conclusions that hold", the_page_draws_conclusions_that_hold)
case("keys and defaults of the page are those of the program", keys_and_defaults_of_the_page_are_those_of_the_program)
case("a seed gives the same bytes and another seed others", a_seed_gives_the_same_bytes_and_another_seed_others)
case("json says what the table says", json_says_what_the_table_says)
case("bad input is told with file and line", bad_input_is_told_with_file_and_line)
case("a scenario comes from standard input, too", a_scenario_comes_from_standard_input_too)
case("plots that can't be written are told of at once", plots_that_can_not_be_written_are_told_of_at_once)
case("plots have room for all lenses and draw no two alike", plots_have_room_for_all_lenses_and_draw_no_two_alike)
case("nothing is left behind", nothing_is_left_behind)
finish()
