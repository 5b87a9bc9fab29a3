#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every call of small runs of the real binary that touches files fails (EIO, ENOSPC), is interrupted (EINTR), or moves
fewer bytes than asked: once, and from then on for ever (EINTR: 50 times in a row, since an interrupted call is
repeated). shim.c, loaded before the program, does it. For each kind of call n counts up until a run passes without
being hit, so that no position is left out, whatever threads do. LMDB's calls are among them.

Each time: the exit code is one of ours, a failure has a message, an answer is the right one; nothing that was
acknowledged is lost, before or during the run; nothing is acknowledged behind a failed sync; opened again, verify is
clean. Where the run left every byte of the store as it was, the store is not opened again: that has been judged.
ONLY=text: only runs with that in their name; FULL=1 is the same, for this is all there is. The stores lie in memory
(/dev/shm) unless TMPDIR says otherwise."""
import sys

sys.dont_write_bytecode = True
import collections
import concurrent.futures
import errno
import hashlib
import os
import pathlib
import shutil
import signal
import subprocess

if os.path.isdir("/dev/shm"):
    os.environ.setdefault("TMPDIR", "/dev/shm")

from torture import EXITS, PROGRAM, Failed, Scratch, check_verify, environment, expect, finish, good
from torture import check_ids, part, rows, run, small_store, whole_lines

SHIM = os.environ["SHIM"]
CALLS = ("open read pread write pwrite writev pwritev fsync fdatasync msync ftruncate fallocate rename remove mkdir "
         "mmap flock fcntl stat fstat readdir lseek fstatfs").split()
TRANSFERS = {"read", "pread", "write", "pwrite", "writev", "pwritev"}
PATIENCE_S = 30
JOBS = int(os.environ.get("JOBS", 0)) or 2 * (os.cpu_count() or 1)  # they wait for the disk most of the time
STORM = 50
READERS = "lock.mdb"  # LMDB's table of readers: whoever opens the index first makes it anew
POSITIONS_MAX = 5000
MARK = "<a sync has failed>"


def pieces(file):
    """Offset and bytes of each stretch of a file that is no hole."""
    at, end = 0, os.fstat(file.fileno()).st_size
    while at < end:
        try:
            at = os.lseek(file.fileno(), at, os.SEEK_DATA)
        except OSError as problem:
            if problem.errno == errno.ENXIO:
                return
            raise
        hole = os.lseek(file.fileno(), at, os.SEEK_HOLE)
        yield at, os.pread(file.fileno(), hole - at, at)
        at = hole


def copy_file(source, to):
    """A log has room reserved: its holes stay holes."""
    with open(source, "rb") as old, open(to, "wb") as new:
        for at, data in pieces(old):
            os.pwrite(new.fileno(), data, at)
        os.truncate(new.fileno(), os.fstat(old.fileno()).st_size)
    shutil.copystat(source, to)


def digest(store):
    """Over every name, length and byte."""
    sums = hashlib.blake2b()
    for path in sorted(store.rglob("*")):
        sums.update(f"{path.relative_to(store)}\n".encode())
        if path.is_dir() or path.name == READERS:
            continue
        with open(path, "rb") as file:
            sums.update(f"{os.fstat(file.fileno()).st_size}\n".encode())
            for at, data in pieces(file):
                if data.strip(b"\0"):  # room that was reserved or written with zeros is the same
                    sums.update(f"{at + len(data) - len(data.lstrip(bytes(1)))}\n".encode())
                    sums.update(data.strip(b"\0"))
    return sums.digest()


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
        self.digest = digest(store)

    def copy(self, to):
        shutil.rmtree(to, ignore_errors=True)
        shutil.copytree(self.store, to, copy_function=copy_file)
        return to


def judge(it, shimmed, call, effect):
    expect(not shimmed.hung, f"it hangs: {shimmed}")
    expect(shimmed.code in EXITS, f"{shimmed}")
    if shimmed.code:
        expect(shimmed.err.strip(), f"it failed without a word: {shimmed}")
    if shimmed.code == 0 and it.golden is not None:
        expect(shimmed.out == it.golden, f"another answer, and exit 0: {shimmed}")
    # ours; LMDB calls a short write an error, and an interrupted pread as well
    ours = {"SHORT": ("read", "pread", "pwritev"), "EINTR": ("read", "pwritev")}
    if call in ours.get(effect, ()):
        expect(shimmed.code == 0, f"it can't bear {effect}: {shimmed}")
    if it.acknowledges and call in ("fdatasync", "fsync"):
        expect(not shimmed.acknowledged_behind, f"acknowledged behind a failed sync: {shimmed}")


def judge_store(it, shimmed, store):
    """It opens, verifies clean, takes in a record, and has all that was acknowledged."""
    acknowledged = it.acknowledged + (whole_lines(shimmed.out) if it.acknowledges else [])
    again = run("assert", "again", "is", "there", store=store)
    expect(again.code == 0, f"opened again: {again}\nthe failed run was: {shimmed}")
    check_ids(store, acknowledged + whole_lines(again.out))
    check_verify(store)


def count_up(root, it, call, effect, times):
    """One kind of call, one effect: positions hit, and what went wrong."""
    directory = root / f"{call}-{effect}-{times}"
    directory.mkdir(exist_ok=True)
    problems, nth, store = [], 1, it.copy(directory / "store")
    while True:
        shimmed = Shimmed(directory, it.words, store, call, nth, effect, times)
        if not shimmed.hit:
            break
        try:
            judge(it, shimmed, call, effect)
            expect(nth < POSITIONS_MAX, "there is no end of positions")
            if digest(store) != it.digest or whole_lines(shimmed.out) and it.acknowledges:
                judge_store(it, shimmed, store)
                it.copy(store)
        except Failed as problem:
            problems.append(f"{it.name}: {shimmed.what}: {problem}")
            it.copy(store)
            if nth == POSITIONS_MAX:
                break
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
