#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Real power cuts, as far as a file system can have them without pulling a plug: ext4 on a loop image is shut down in
the middle of an import, which drops all that was not synced; then it is mounted again. Needs root.

ROUNDS=n cuts (FULL=1: 1,000). Every third opening afterwards is cut short as well."""
import sys

sys.dont_write_bytecode = True
import contextlib
import fcntl
import os
import pathlib
import random
import struct
import subprocess
import tempfile
import time

from torture import EXITS, KEYS, PROGRAM, SEED, Skipped, check_by_second_reader, check_ids, check_verify, environment
from torture import expect, finish, good, make_keys, need, part, rounds, rows, run, whole_lines

ROUNDS = rounds(100, 1000)
ROWS = 1500
BUNDLE = 20
PAUSE_MAX_S = 0.05
RECOVERY_PAUSE_MAX_S = 0.015
IMAGE_BYTES = 96 << 20
ROUNDS_A_STORE = 50
SHUTDOWN = 0x8004587D  # EXT4_IOC_SHUTDOWN
KEEP_LOG, DROP_LOG = 1, 2  # write the journal out first, or lose that too


class Disk:
    """ext4 on a loop image, mounted."""

    def __init__(self):
        self.base = pathlib.Path(tempfile.mkdtemp(prefix="steme-power."))
        self.image, self.at = self.base / "image", self.base / "mounted"
        self.at.mkdir()

    def __enter__(self):
        with open(self.image, "wb") as image:
            image.truncate(IMAGE_BYTES)
        subprocess.run(["mkfs.ext4", "-q", "-F", str(self.image)], check=True, capture_output=True)
        try:
            self.mount()
        except subprocess.CalledProcessError as problem:
            self.__exit__()
            raise Skipped(f"nothing can be mounted here: {problem.stderr.decode().strip()}") from problem
        return self

    def __exit__(self, *ignored):
        with contextlib.suppress(subprocess.CalledProcessError):
            self.unmount()
        with contextlib.suppress(OSError):
            self.image.unlink()
            self.at.rmdir()
            self.base.rmdir()

    def mount(self):
        subprocess.run(["mount", "-o", "loop", str(self.image), str(self.at)], check=True, capture_output=True)

    def unmount(self):
        for _ in range(50):  # a killed process may hold it for another moment
            if subprocess.run(["umount", str(self.at)], capture_output=True, check=False).returncode == 0:
                return
            time.sleep(0.01)
        subprocess.run(["umount", str(self.at)], check=True, capture_output=True)

    def cut(self, how):
        fd = os.open(self.at, os.O_RDONLY)
        try:
            fcntl.ioctl(fd, SHUTDOWN, struct.pack("I", how))
        finally:
            os.close(fd)


def printed_so_far(process):
    os.set_blocking(process.stdout.fileno(), False)
    printed = process.stdout.read() or b""
    os.set_blocking(process.stdout.fileno(), True)
    return printed


def cut_during(disk, store, words, pause_s, how, figures):
    """Ids that had been acknowledged when the power went, and how the process ended.

    What is printed later counts for nothing: with the power gone nothing prints, and a sync that was under way while
    the file system went down can come back as done, with its blocks never marked as written."""
    with subprocess.Popen([PROGRAM, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=environment(store)) as process:
        time.sleep(pause_s)
        running = process.poll() is None
        acknowledged = whole_lines(printed_so_far(process))
        disk.cut(how)
        late, errors = process.communicate(timeout=60)
    disk.unmount()
    disk.mount()
    # A page of a mapped file that the device can't deliver is SIGBUS, as docs/format/recovery.md says.
    bus_error = process.returncode == -7
    expect(bus_error or process.returncode in EXITS, f"exit {process.returncode}: {errors.decode()[-500:]}")
    expect(process.returncode == 0 or bus_error or errors.strip(), "it failed without a word")
    figures["in doubt"] += len(whole_lines(late))
    return acknowledged, running, bus_error


def torture_one_store(disk, number, count, rng, figures):
    store = disk.at / f"store{number}"
    good("init", store=store)
    make_keys(store)
    acknowledged = set()
    source = disk.base / "rows.tsv"
    for round_ in range(count):
        source.write_bytes(rows(ROWS, f"cut{number}:{round_}"))
        words = ["import", str(source), "--ids", "--bundle", str(BUNDLE), "--as", KEYS[round_ % len(KEYS)]]
        how = KEEP_LOG if rng.randrange(4) == 0 else DROP_LOG
        ids, running, bus_error = cut_during(disk, store, words, rng.uniform(0, PAUSE_MAX_S), how, figures)
        acknowledged.update(ids)
        figures["cut while importing"] += running
        figures["bus errors"] += bus_error
        if round_ % 3 == 0:
            words = rng.choice((["status"], ["verify"], ["assert", f"again:{number}:{round_}", "is", "there"]))
            ids, running, bus_error = cut_during(disk, store, words, rng.uniform(0, RECOVERY_PAUSE_MAX_S), DROP_LOG,
                                                 figures)
            acknowledged.update(ids if words[0] == "assert" else [])
            figures["cut while recovering"] += running
            figures["bus errors"] += bus_error
        # a writer sets an unfinished write aside; until then verify tells of it
        acknowledged.update(whole_lines(good("assert", f"after:{number}:{round_}", "is", "there", store=store).out))
        status = run("status", "--json", store=store)
        expect(status.code == 0 and status.json["degraded"] is False, f"round {round_}: {status}")
        check_ids(store, acknowledged, f"round {round_}: ")
        check_verify(store, f"round {round_}: ")
    check_by_second_reader(store, {f"cut{number}", "again", "after"})
    figures["acknowledged"] += len(acknowledged)
    subprocess.run(["rm", "-rf", str(store)], check=True)
    source.unlink()


def cuts():
    need("mkfs.ext4", "mount", root=True)
    rng = random.Random(SEED)
    figures = {"cut while importing": 0, "cut while recovering": 0, "bus errors": 0, "in doubt": 0, "acknowledged": 0}
    with Disk() as disk:
        for number, first in enumerate(range(0, ROUNDS, ROUNDS_A_STORE)):
            torture_one_store(disk, number, min(ROUNDS_A_STORE, ROUNDS - first), rng, figures)
    expect(figures["cut while importing"] > ROUNDS // 4, f"hardly any import was interrupted: {figures}")
    return f"{ROUNDS} cuts, {figures['cut while importing']} of them while importing, and " \
           f"{figures['cut while recovering']} while recovering; {figures['acknowledged']} acknowledged records, " \
           f"0 lost; {figures['bus errors']} processes ended by a page the dead disk did not deliver"


if __name__ == "__main__":
    part("power cuts on ext4: what was acknowledged is there after mounting, verify is clean", cuts)
    finish()
