#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every call of small runs of the real binary that touches files fails (EIO, ENOSPC), is interrupted (EINTR), or moves
fewer bytes than asked: once, and from then on for ever (EINTR: 50 times in a row, since an interrupted call is
repeated). shim.c, loaded before the program, does it. For each kind of call n counts up until a run passes without
being hit, so that no position is left out, whatever threads do. LMDB's calls are among them.

Each time: the exit code is one of ours, a failure has a message, an answer is the right one; nothing that was
acknowledged is lost, before or during the run; nothing is acknowledged behind a failed sync; opened again, verify is
clean. ONLY=text: only runs with that in their name; FULL=1 is the same, for this is all there is."""
import sys

sys.dont_write_bytecode = True
import collections
import concurrent.futures
import os
import pathlib
import shutil
import signal
import subprocess

from torture import EXITS, PROGRAM, Failed, Scratch, check_verify, environment, expect, finish, good
from torture import check_ids, part, rows, run, small_store, whole_lines

SHIM = os.environ["SHIM"]
CALLS = ("open read pread write pwrite writev pwritev fsync fdatasync msync ftruncate fallocate rename remove mkdir "
         "mmap flock fcntl stat fstat readdir lseek fstatfs").split()
TRANSFERS = {"read", "pread", "write", "pwrite", "writev", "pwritev"}
PATIENCE_S = 30
JOBS = int(os.environ.get("JOBS", 0)) or 2 * (os.cpu_count() or 1)  # they wait for the disk most of the time
STORM = 50
POSITIONS_MAX = 5000
MARK = "<a sync has failed>"


class Shimmed:
    """One run with something done to its nth call of a kind."""

    def __init__(self, directory, words, store, call, nth, effect, times):
        self.what = f"{call} {nth} {effect} " + ("once" if times == 1 else "for ever")
        hit = directory / "hit"
        hit.unlink(missing_ok=True)
        settings = dict(environment(store), LD_PRELOAD=SHIM, SHIM_CALL=call, SHIM_NTH=str(nth), SHIM_EFFECT=effect,
                        SHIM_TIMES=str(times), SHIM_HIT=str(hit), SHIM_MARK=MARK)
        with subprocess.Popen([PROGRAM, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              stdin=subprocess.DEVNULL, env=settings) as process:
            try:
                self.out, self.err = process.communicate(timeout=PATIENCE_S)
                self.hung = False
            except subprocess.TimeoutExpired:
                process.kill()
                self.out, self.err = process.communicate()
                self.hung = True
        self.code, self.hit = process.returncode, hit.exists()
        before, self.sync_failed, behind = self.out.decode(errors="replace").partition(MARK)
        self.acknowledged_behind = whole_lines(behind.replace(MARK, ""))
        self.out = (before + behind).replace(MARK, "").encode()

    def __str__(self):
        hangs = " (hangs)" if self.hung else ""
        return f"{self.what}: exit {self.code}{hangs}\n{self.out.decode()[-300:]}{self.err.decode()[-600:]}"


class Run:
    """A command, the store it runs on, and what it must answer if it succeeds."""

    def __init__(self, name, words, store, acknowledged, answers=False, acknowledges=False):
        self.name, self.words, self.store, self.acknowledged = name, words, store, acknowledged
        self.acknowledges = acknowledges
        self.golden = good(*words, store=self.copy(store.parent / "golden")).out if answers else None

    def copy(self, to):
        shutil.rmtree(to, ignore_errors=True)
        subprocess.run(["cp", "-a", str(self.store), str(to)], check=True)  # leaves the holes of a log holes
        return to


def judge(it, shimmed, store, call, effect):
    expect(not shimmed.hung, f"it hangs: {shimmed}")
    expect(shimmed.code in EXITS, f"{shimmed}")
    if shimmed.code:
        expect(shimmed.err.strip(), f"it failed without a word: {shimmed}")
    if shimmed.code == 0 and it.golden is not None:
        expect(shimmed.out == it.golden, f"another answer, and exit 0: {shimmed}")
    if effect == "SHORT" and call in ("read", "pread", "pwritev"):  # ours; LMDB calls a short write an error
        expect(shimmed.code == 0, f"it can't bear a short transfer: {shimmed}")
    if it.acknowledges and call in ("fdatasync", "fsync"):
        expect(not shimmed.acknowledged_behind, f"acknowledged behind a failed sync: {shimmed}")
    acknowledged = it.acknowledged + (whole_lines(shimmed.out) if it.acknowledges else [])
    again = run("assert", "again", "is", "there", store=store)
    expect(again.code == 0, f"opened again: {again}\nthe failed run was: {shimmed}")
    check_ids(store, acknowledged + whole_lines(again.out))
    check_verify(store)


def count_up(root, it, call, effect, times):
    """One kind of call, one effect: positions hit, and what went wrong."""
    directory = root / f"{call}-{effect}-{times}"
    directory.mkdir(exist_ok=True)
    problems, nth = [], 1
    while nth < POSITIONS_MAX:
        store = it.copy(directory / "store")
        shimmed = Shimmed(directory, it.words, store, call, nth, effect, times)
        if not shimmed.hit:
            break
        try:
            judge(it, shimmed, store, call, effect)
        except Failed as problem:
            problems.append(f"{it.name}: {shimmed.what}: {problem}")
        nth += 1
    shutil.rmtree(directory, ignore_errors=True)
    return call, nth - 1, problems


def one_run(it, root):
    jobs = [(call, effect, times) for call in CALLS for effect in ("EIO", "ENOSPC", "EINTR", "SHORT")
            for times in (1, STORM if effect == "EINTR" else 0) if effect != "SHORT" or call in TRANSFERS]
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        results = [done.result() for done in [pool.submit(count_up, root, it, *job) for job in jobs]]
    problems = [problem for _, _, some in results for problem in some]
    tried = sum(count for _, count, _ in results)
    expect(tried > 0, "nothing was hit: is the shim loaded?")
    expect(not problems, f"{len(problems)} of {tried} go wrong:\n" + "\n".join(problems[:6]))
    positions = collections.Counter()
    for call, count, _ in results:
        positions[call] = max(positions[call], count)
    total = sum(positions.values())
    kinds = ", ".join(f"{call} {count}" for call, count in positions.items() if count)
    return f"{total} of {total} positions = 100 %: {kinds}; {tried} runs"


def left_by_a_kill(store, acknowledged, source):
    """A store whose writer was killed in the middle: the next opening recovers."""
    with subprocess.Popen([PROGRAM, "import", str(source), "--ids", "--bundle", "5"], stdout=subprocess.PIPE,
                          env=environment(store)) as writer:
        printed = b"".join(writer.stdout.readline() for _ in range(50))
        writer.send_signal(signal.SIGKILL)
        printed += writer.stdout.read()
    return acknowledged + whole_lines(printed)


def prepare(scratch):
    acknowledged = small_store(scratch.store)
    source = scratch.file("more.tsv", rows(30, "more"))
    crashed = scratch.path / "crashed"
    shutil.copytree(scratch.store, crashed)
    after_kill = left_by_a_kill(crashed, acknowledged, scratch.file("many.tsv", rows(3000, "many")))
    bare = scratch.path / "bare"
    shutil.copytree(scratch.store, bare)
    shutil.rmtree(bare / "index")
    return [
        Run("assert", ["assert", "a", "b", "c"], scratch.store, acknowledged, acknowledges=True),
        Run("import", ["import", str(source), "--ids", "--bundle", "5"], scratch.store, acknowledged,
            acknowledges=True),
        Run("assert after a kill", ["assert", "a", "b", "c"], crashed, after_kill, acknowledges=True),
        Run("resolve --all", ["resolve", "--all", "--format", "tsv"], scratch.store, acknowledged, answers=True),
        Run("resolve --all after a kill", ["resolve", "--all", "--format", "tsv"], crashed, after_kill, answers=True),
        Run("export without an index", ["export"], bare, acknowledged, answers=True),
        Run("verify", ["verify"], scratch.store, acknowledged, answers=True),
        Run("rebuild", ["rebuild"], scratch.store, acknowledged),
    ]


def main():
    only = os.environ.get("ONLY", "")
    with Scratch(init=False) as scratch:
        for it in prepare(scratch):
            if only in it.name:
                part(f"every call of `{it.name}` fails, is interrupted, or is short, once and for ever", one_run, it,
                     pathlib.Path(scratch.path))
    finish()


if __name__ == "__main__":
    main()
