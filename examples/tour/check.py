#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check.py [--write] STEME FILE...: what the documents show is what happens.

Runs the lines that begin with `$ ` in the ```console blocks of each file, all of a file in one shell and an empty
folder, and compares what they print. Ids, times and durations differ from run to run and are masked; a line `...`
stands for any lines. --write puts what was printed into the file instead. The ```c blocks must stand in the example
program as they are, and a ```text block is what it prints.
"""
import os
import re
import subprocess
import sys
import tempfile

BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
QUOTE = re.compile(r"^```(c|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXAMPLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../c/disagreement")
MASKS = [
    (re.compile(r"\b[0-9a-f]{12,}\b"), "HEX"),
    (re.compile(r"\b[12]\d{3}-\d\d-\d\d(T[\d:.]+Z)?"), "TIME"),
    (re.compile(r"\b\d+\.\d s\b"), "SECONDS"),
    (re.compile(r" +$", re.MULTILINE), ""),
]
END = "\x1e"  # record separator: no command prints it


def split(block):
    """[(command, output)] of a block; a command goes on behind a backslash at the end of its line."""
    steps = []
    goes_on = False
    for line in block.splitlines(keepends=True):
        if line.startswith("$ ") or not steps or goes_on:
            if goes_on:
                steps[-1][0] += line
            else:
                steps.append([line[2:], ""])
            goes_on = line.endswith("\\\n")
        else:
            steps[-1][1] += line
    return steps


def run(commands, program):
    """What each command prints, in one shell."""
    with tempfile.TemporaryDirectory(prefix="steme-tour.") as folder:
        script = "".join(f"{command}printf '{END}'\n" for command in commands)
        names = {key: value for key, value in os.environ.items() if not key.startswith("STEME_")}
        names |= {"PATH": f"{os.path.dirname(os.path.abspath(program))}:{os.environ['PATH']}", "NO_COLOR": "1",
                  "LC_ALL": "C.UTF-8"}
        done = subprocess.run(["bash", "-c", "exec 2>&1\n" + script], cwd=folder, env=names, stdout=subprocess.PIPE,
                              stdin=subprocess.DEVNULL, text=True, check=False, timeout=120)
    return done.stdout.split(END)[:-1]


def mask(text):
    for pattern, to in MASKS:
        text = pattern.sub(to, text)
    return text


def matches(shown, printed):
    parts = [re.escape(part) for part in re.split(r"^\.\.\.\n", mask(shown), flags=re.MULTILINE)]
    return re.fullmatch("(?:.*\n)*".join(parts), mask(printed)) is not None


def check_quote(name, kind, text):
    """1 if the example program does not have (or print) the text."""
    with open(EXAMPLE + (".c" if kind == "c" else ".out"), encoding="utf-8") as file:
        whole = file.read()
    found = text in whole if kind == "c" else text == whole
    print(f"{'ok' if found else 'not ok'} - {name} quotes the example: {text.splitlines()[0].strip()}")
    return 0 if found else 1


def check(program, path, write):
    with open(path, encoding="utf-8") as file:
        document = file.read()
    steps = [step for block in BLOCK.findall(document) for step in split(block)]
    printed = run([command for command, _ in steps], program)
    name = f"{os.path.basename(path)} shows what {len(steps)} commands print"
    if len(printed) != len(steps):
        print(f"not ok - {name}: the shell ended after {len(printed)}")
        return 1
    if write:
        if any("Segmentation fault" in text or "Aborted" in text for text in printed):
            sys.exit(f"check.py: the program crashed; {path} is left as it is")
        left = iter(printed)
        fill = lambda block: "".join(f"$ {command}{next(left)}" for command, _ in split(block[1]))  # noqa: E731
        with open(path, "w", encoding="utf-8") as file:
            file.write(BLOCK.sub(lambda block: f"```console\n{fill(block)}```", document))
        return 0
    quoted = sum(check_quote(os.path.basename(path), kind, text) for kind, text in QUOTE.findall(document))
    wrong = [(command, shown, text) for (command, shown), text in zip(steps, printed) if not matches(shown, text)]
    for command, shown, text in wrong:
        print(f"$ {command}shown:\n{shown}printed:\n{text}")
    print(f"{'not ok' if wrong or not steps else 'ok'} - {name}")
    return 1 if wrong or quoted or not steps else 0


def main(words):
    write = words[:1] == ["--write"]
    program, *paths = words[write:]
    return max([check(program, path, write) for path in paths])


sys.exit(main(sys.argv[1:]))
