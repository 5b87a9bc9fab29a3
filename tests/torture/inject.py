#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every system call of small runs of the real binary that touches files fails: EIO, ENOSPC, EINTR, once and from then
on for ever (EINTR: 50 times), at every position. strace counts the calls first and then makes the n-th of a kind fail.

Each time: the exit code is one of ours, a failure has a message, an answer is the right one; nothing that was
acknowledged is lost, before or during the run; nothing is acknowledged behind a failed sync; opened again, verify is
clean. FULL=1: every error at every position of every run; else all of them for writing, EIO for the rest."""
import sys

sys.dont_write_bytecode = True
import collections
import concurrent.futures
import os
import pathlib
import re
import shutil
import signal
import subprocess

from torture import EXITS, FULL, PROGRAM, Failed, Scratch, check_ids, check_verify, environment, expect, finish, good
from torture import need, part, rows, run, small_store, whole_lines

CALLS = ("openat read pread64 readv preadv write pwrite64 writev pwritev fsync fdatasync ftruncate fallocate rename "
         "renameat2 unlink unlinkat mkdir flock fcntl newfstatat fstatfs statx lseek getdents64 readlink mmap close "
         "msync sync_file_range copy_file_range").split()
ERRORS = ("EIO", "ENOSPC", "EINTR")
WRITING = {"write", "pwrite64", "writev", "pwritev", "fsync", "fdatasync", "ftruncate", "fallocate", "rename", "mkdir",
           "unlink", "openat", "flock"}
PATIENCE_S = 30
JOBS = int(os.environ.get("JOBS", os.cpu_count() or 1))
STORM = 50  # interruptions in a row: a call that was interrupted is repeated, for ever if need be, so no test of that
LINE = re.compile(r"^(\d+)\s+(\w+)\((.*)$")


class Strace:
    """One run under strace."""

    def __init__(self, directory, words, store, inject=None):
        self.trace = directory / "trace"
        self.trace.unlink(missing_ok=True)
        options = ["-f", "--seccomp-bpf", "-qq", "-s", "80", "-o", str(self.trace)]
        if inject:
            call, error, when = inject
            options += ["-e", f"trace={call},write" if call != "write" else "trace=write",
                        "-e", f"inject={call}:error={error}:when={when}"]
        else:
            options += ["-e", "trace=" + ",".join(CALLS)]
        with subprocess.Popen(["strace", *options, PROGRAM, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              stdin=subprocess.DEVNULL, env=environment(store), start_new_session=True) as process:
            try:
                self.out, self.err = process.communicate(timeout=PATIENCE_S)
                self.hung = False
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                self.out, self.err = process.communicate()
                self.hung = True
        self.code = process.returncode
        self.lines = self.trace.read_text(errors="replace").splitlines()

    def injected(self):
        return "\n".join(line for line in self.lines if "(INJECTED)" in line)

    def __str__(self):
        hangs = " (hangs)" if self.hung else ""
        return f"exit {self.code}{hangs}\n{self.out.decode()[-300:]}{self.err.decode()[-600:]}"


def positions(strace, store):
    """call -> numbers of its calls to make fail. strace counts per thread, so number n is the n-th of every thread. The
    loader's calls are not ours: those before the first that names the store; nor is memory that no file backs."""
    seen = collections.defaultdict(collections.Counter)  # thread -> call -> count
    ours = collections.defaultdict(set)
    loading, main = True, None
    loader = collections.Counter()
    for line in strace.lines:
        match = LINE.match(line)
        if not match:
            continue
        thread, call, rest = match.groups()
        main = main or thread
        seen[thread][call] += 1
        if loading and str(store) not in rest:
            loader[call] += 1
            continue
        loading = False
        if call == "mmap" and "MAP_ANONYMOUS" in rest:
            continue
        ours[call].add(seen[thread][call])
    # a number that in the main thread is the loader's can't be tried: it would not even start
    hidden = {call: {n for n in numbers if n <= loader[call]} for call, numbers in ours.items()}
    return {call: sorted(numbers - hidden[call]) for call, numbers in ours.items()}, sum(map(len, hidden.values()))


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


def nothing_behind_a_failed_sync(strace):
    """Whether an id was written to standard output after a sync had failed."""
    broken = False
    for line in strace.lines:
        if "(INJECTED)" in line and re.search(r"\bf(data)?sync\b", line):
            broken = True
        if broken and re.search(r"\bwrite\(1, \"[0-9a-f]{64}", line):
            return False
    return True


def judge(it, strace, store, call, when):
    expect(not strace.hung, f"it hangs: {strace}")
    expect(strace.code in EXITS, f"{strace}")
    speechless = call == "write" and (not when.isdigit() or "write(2," in strace.injected())
    if strace.code and not speechless:
        expect(strace.err.strip(), f"it failed without a word: {strace}")
    if strace.code == 0 and it.golden is not None:
        expect(strace.out == it.golden, f"another answer, and exit 0: {strace}")
    acknowledged = it.acknowledged + (whole_lines(strace.out) if it.acknowledges else [])
    if call in ("fsync", "fdatasync") and it.acknowledges:
        expect(nothing_behind_a_failed_sync(strace), f"acknowledged behind a failed sync: {strace}")
    again = run("assert", "again", "is", "there", store=store)
    expect(again.code == 0, f"opened again: {again}\nthe failed run was: {strace}")
    check_ids(store, acknowledged + whole_lines(again.out))
    check_verify(store)


def try_one(directory, it, call, error, when):
    """None if all is well or nothing was injected; else what was wrong."""
    store = it.copy(directory / "store")
    strace = Strace(directory, it.words, store, (call, error, when))
    if not strace.injected():
        return False, None
    try:
        judge(it, strace, store, call, when)
    except Failed as problem:
        return True, f"{it.name}: {call}:error={error}:when={when}: {problem}"
    return True, None


def worker(root, index, it, jobs):
    """Some of a run's positions, one after the other in a directory of its own."""
    directory = root / f"worker{index}"
    directory.mkdir(exist_ok=True)
    results = []
    for call, error, when in jobs:
        hit, problem = try_one(directory, it, call, error, when)
        results.append(((call, error, when), hit, problem))
    return results


def failures(it, call, number):
    """Which failures a position gets: an error, and strace's word for when."""
    for error in ERRORS:
        for when in (f"{number}", f"{number}..{number + STORM}" if error == "EINTR" else f"{number}+"):
            once, serious = when.isdigit(), call in WRITING and it.acknowledges
            if FULL or (error == "EIO" and (once or serious)) or (once and serious and it.name == "import"):
                yield error, when


def all_positions(it, root):
    counted = Strace(root, it.words, it.copy(root / "count"))
    expect(counted.code == 0, f"{it.name} without faults: {counted}")
    wanted, hidden = positions(counted, root / "count")
    jobs = [(call, error, when) for call, numbers in sorted(wanted.items()) for number in numbers
            for error, when in failures(it, call, number)]
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        parts = [pool.submit(worker, root, index, it, jobs[index::JOBS]) for index in range(JOBS)]
        results = [result for one in parts for result in one.result()]
    covered = {(call, int(re.match(r"\d+", when)[0])) for (call, _, when), hit, _ in results if hit}
    problems = [problem for _, _, problem in results if problem]
    total = sum(map(len, wanted.values()))
    return total, covered, hidden, len(results), problems


def one_run(it, root):
    total, covered, hidden, tried, problems = all_positions(it, root)
    expect(not problems, f"{len(problems)} of {tried} go wrong:\n" + "\n".join(problems[:6]))
    share = 100 * len(covered) / total
    # which calls there are varies by a few where threads meet
    expect(share >= 97, f"only {len(covered)} of {total} positions could be reached")
    return f"{tried} runs, {len(covered)} of {total} positions = {share:.0f} %" + \
           (f", {hidden} out of reach behind the loader's" if hidden else "")


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
    def usable():
        need("strace")
        probe = subprocess.run(["strace", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", "-e",
                                "inject=fdatasync:error=EIO:when=1", "true"], capture_output=True, check=False)
        expect(probe.returncode == 0, f"strace can't inject here: {probe.stderr.decode()}")
        return subprocess.run(["strace", "--version"], capture_output=True, check=True).stdout.decode().splitlines()[0]

    part("strace injects failures", usable)
    only = os.environ.get("ONLY", "")
    with Scratch(init=False) as scratch:
        for it in prepare(scratch):
            if only in it.name:
                part(f"every call of `{it.name}` fails once, and for ever", one_run, it, pathlib.Path(scratch.path))
    finish()


if __name__ == "__main__":
    main()
