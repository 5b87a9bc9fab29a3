# SPDX-License-Identifier: Apache-2.0
"""What the check_* tools share: which files are ours, and C text without its comments and strings."""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

_TOKEN = re.compile(
    r"""(?P<comment>/\*.*?\*/|//[^\n]*)|(?P<string>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')""", re.DOTALL
)


def files(*folders, ending=(".c", ".h")):
    """Paths below the folders, relative to the root, in name order. A folder that is not there holds none."""
    found = []
    for folder in folders:
        for at, _, names in os.walk(os.path.join(ROOT, folder)):
            found += [os.path.relpath(os.path.join(at, name), ROOT) for name in names if name.endswith(ending)]
    return sorted(found)


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def strip(text, strings=True):
    """Comments (and, by default, what stands in strings) blanked; lines keep their numbers."""

    def blank(match):
        if match.group("comment"):
            return " " + "\n" * match.group().count("\n")
        return '""' if strings else match.group()

    return _TOKEN.sub(blank, text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def finish(tool, findings):
    """Print the findings; exit 1 if there are any."""
    for finding in findings:
        print(finding)
    if findings:
        print(f"{tool}: {len(findings)} finding" + ("s" if len(findings) > 1 else ""))
    sys.exit(1 if findings else 0)
