#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Damaged files: bits flipped and lengths cut in every file of small stores, and the index's file damaged in all ways
(pages zeroed, filled with noise, exchanged; an older one, another store's, an empty one put in its place). Never a
signal, never a wrong answer: the same answers, or a clear error, or a store that says what is missing.

The work is done by the program `rot` (in ROT), next to this file. FULL=1: every bit and every length; else some hundred
of each file, its first bytes always among them. MAX=n: at most n of each."""
import sys

sys.dont_write_bytecode = True
import concurrent.futures
import os
import re
import shutil
import subprocess
import time

from torture import FULL, PROGRAM, Scratch, expect, finish, good, part, rows, small_store

ROT = os.path.abspath(os.environ["ROT"])
JOBS = int(os.environ.get("JOBS", os.cpu_count() or 1))
MAX = int(os.environ.get("MAX", "0" if FULL else "200"))
HEAD_BYTES = 64  # of every file, always
FIGURES = ("tried", "same", "told", "degraded", "wrong", "killed", "rebuilt")
SUM = re.compile(" ".join(f"{name} (\\d+)" for name in FIGURES))


def rot(store, file, kind, first=0, step=1, most=0, end=0, others=(), rounds=0):
    """One run of the program: figures and what it had to tell."""
    environment = dict(os.environ, MAX=str(most), END=str(end), ROUNDS=str(rounds))
    words = [ROT, str(store), file, kind, str(first), str(step), *map(str, others)]
    done = subprocess.run(words, capture_output=True, env=environment, check=False)
    text = done.stdout.decode(errors="replace")
    found = SUM.search(text)
    expect(found and done.returncode in (0, 1), f"{' '.join(words)}: {text}{done.stderr.decode(errors='replace')}")
    return dict(zip(FIGURES, map(int, found.groups()))), text[:found.start()]


def damage(jobs):
    """Many runs, some at once; their figures added up."""
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        results = [one.result() for one in [pool.submit(rot, *words, **options) for words, options in jobs]]
    figures = {name: sum(result[0][name] for result in results) for name in FIGURES}
    told = "".join(text for _, text in results)
    summary = ", ".join(f"{figures[name]} {name}" for name in FIGURES if figures[name] or name in ("wrong", "killed"))
    expect(figures["wrong"] == 0 and figures["killed"] == 0,
           f"{summary}\n" + "\n".join(line for line in told.splitlines() if re.match(r"\s*(wrong|killed)", line)))
    return summary


def file_part(store, file):
    size = (store / file).stat().st_size
    figures = []
    for kind, total, head in (("flip", 8 * size, 8 * HEAD_BYTES), ("cut", size, HEAD_BYTES)):
        step = 1 if not MAX or total <= MAX else total // MAX | 1  # odd: every bit of a byte has its turn
        jobs = [((store, file, kind, share * step, step * JOBS), {}) for share in range(JOBS)]
        if step > 1:
            jobs += [((store, file, kind, share, JOBS), {"end": head}) for share in range(JOBS)]
        figures.append(f"{kind}, {'all' if step == 1 else f'1 in {step}'}: {damage(jobs)}")
    return "; ".join(figures)


def files_of(store):
    return sorted(str(path.relative_to(store)) for path in store.rglob("*") if path.is_file() and path.stat().st_size)


def degraded_store(scratch, store):
    """A store that has set something aside."""
    shutil.copytree(store, scratch.path / "degraded")
    degraded = scratch.path / "degraded"
    segment = degraded / "wal" / "0000000000000001.seg"
    data = bytearray(segment.read_bytes())
    data[7000] ^= 4
    segment.write_bytes(data)
    good("rebuild", store=degraded)
    expect(any((degraded / "quarantine").iterdir()), "nothing was set aside")
    return degraded


def marked_store(scratch, store):
    """A store whose index is marked as being written, as a killed writer leaves it."""
    killed, marked = scratch.path / "killed", scratch.path / "marked"
    for copy in (killed, marked):
        shutil.copytree(store, copy)
    source = scratch.file("many.tsv", rows(50000, "many"))
    with subprocess.Popen([PROGRAM, "import", str(source), "--dir", str(killed)], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as writer:
        while writer.poll() is None and not (killed / "index" / "state").exists():
            time.sleep(0.001)
        writer.kill()
    shutil.copyfile(killed / "index" / "state", marked / "index" / "state")
    return marked


def grown(scratch, store):
    """A larger store, older copies of its index, and the index of another store."""
    large, other = scratch.path / "large", scratch.path / "other"
    shutil.copytree(store, large)
    others = []
    for step in range(3):
        older = scratch.path / f"older{step}"
        shutil.copyfile(large / "index" / "data.mdb", older)
        others.append(older)
        good("import", scratch.file("more.tsv", rows(150, f"grow{step}")), "--bundle", "25", store=large)
    small_store(other, "other")
    others.append(other / "index" / "data.mdb")
    others.append(scratch.file("empty", b""))
    others.append(scratch.file("zeros", bytes(40960)))
    others.append(scratch.file("text", b"not an index\n" * 999))
    return large, others


def replaced(large, others):
    return damage([((large, "index/data.mdb", "replace"), {"others": others})])


def pages(large, kind):
    most = 0 if FULL else 300
    shares = [((large, "index/data.mdb", kind, share, JOBS), {"most": most // JOBS}) for share in range(JOBS)]
    return damage(shares)


def splats(large):
    count = 20000 if FULL else 300
    return damage([((large, "index/data.mdb", "splat", share, JOBS), {"rounds": count}) for share in range(JOBS)])


def main():
    only = os.environ.get("ONLY", "")
    with Scratch(init=False) as scratch:
        small_store(scratch.store)
        degraded = degraded_store(scratch, scratch.store)
        large, others = grown(scratch, scratch.store)
        jobs = [(f"every bit and length of {file}", file_part, scratch.store, file)
                for file in files_of(scratch.store)]
        jobs += [(f"every bit and length of {file}, in a store that is degraded", file_part, degraded, file)
                 for file in files_of(degraded) if file.startswith("quarantine")]
        jobs += [("every bit and length of index/state", file_part, marked_store(scratch, scratch.store),
                  "index/state")]
        jobs += [("the index's file replaced", replaced, large, others)]
        jobs += [(f"pages of the index's file: {kind}", pages, large, kind)
                 for kind in ("zero", "ones", "noise", "copy", "swap")]
        jobs += [("noise all over the index's file", splats, large)]
        for name, *call in jobs:
            if only in name:
                part(name, *call)
    finish()


if __name__ == "__main__":
    main()
