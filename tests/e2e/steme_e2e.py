# SPDX-License-Identifier: Apache-2.0
"""What the end-to-end tests share: they see only the built binary, in STEME.

Each case prints `ok - name`, `not ok - name` or `skip - name`; finish() exits non-zero when any failed.
"""
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback

PROGRAM = os.path.abspath(os.environ["STEME"])
ROOT = pathlib.Path(os.environ.get("STEME_SOURCE_ROOT", pathlib.Path(__file__).resolve().parents[2]))
SHARED = pathlib.Path(os.environ.get("STEME_SHARED_DATA") or ROOT / ".." / "shared" / "data")
TIMEOUT_S = 120

failures = 0


class Result:
    """What a run printed and how it ended."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    @property
    def text(self):
        return self.out.decode("utf-8", "replace")

    @property
    def error(self):
        return self.err.decode("utf-8", "replace")

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def lines(self):
        return [json.loads(line) for line in self.out.splitlines()]

    def __str__(self):
        return f"exit {self.code}\n{self.text[-2000:]}{self.error[-2000:]}"


class Failed(Exception):
    pass


class Skipped(Exception):
    pass


def expect(holds, detail):
    if not holds:
        raise Failed(str(detail))


def run(*words, store=None, stdin=b"", cwd=None, env=None, timeout=TIMEOUT_S):
    """Run the program; the store goes by STEME_DIR."""
    environment = {name: value for name, value in os.environ.items() if name not in ("STEME_DIR", "NO_COLOR")}
    if store:
        environment["STEME_DIR"] = str(store)
    environment.update(env or {})
    if isinstance(stdin, str):
        stdin = stdin.encode()
    done = subprocess.run([PROGRAM, *[w if isinstance(w, bytes) else str(w) for w in words]], input=stdin,
                          capture_output=True, cwd=cwd, env=environment, timeout=timeout, check=False)
    return Result(done.returncode, done.stdout, done.stderr)


def good(*words, **options):
    """The same, and it must succeed."""
    result = run(*words, **options)
    expect(result.code == 0, f"steme {' '.join(map(str, words))}: {result}")
    return result


def written(*words, **options):
    """The id that a writing verb printed."""
    id_ = good(*words, **options).text.strip()
    expect(len(id_) == 64 and set(id_) <= set("0123456789abcdef"), f"no id: {id_!r}")
    return id_


class Scratch:
    """A directory that goes away, with a store in it unless asked otherwise."""

    def __init__(self, init=True):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="steme-e2e."))
        self.store = self.path / "store"
        if init:
            good("init", store=self.store)

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        shutil.rmtree(self.path, ignore_errors=True)

    def run(self, *words, **options):
        return run(*words, store=self.store, **options)

    def good(self, *words, **options):
        return good(*words, store=self.store, **options)

    def written(self, *words, **options):
        return written(*words, store=self.store, **options)

    def file(self, name, content):
        path = self.path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path


def give_up(*ignored):
    raise Failed(f"it takes longer than {TIMEOUT_S} s")


def case(name, function, *arguments, timeout=TIMEOUT_S):
    """Run one case and report it."""
    global failures
    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(timeout)
    try:
        function(*arguments)
        print(f"ok - {name}", flush=True)
    except Skipped as reason:
        print(f"skip - {name}: {reason}", flush=True)
    except (Failed, subprocess.TimeoutExpired) as problem:
        failures += 1
        print(f"not ok - {name}", flush=True)
        print("  " + str(problem).replace("\n", "\n  "), flush=True)
    except Exception:  # a test that breaks is a test that fails
        failures += 1
        print(f"not ok - {name}", flush=True)
        traceback.print_exc(file=sys.stdout)
    finally:
        signal.alarm(0)


def finish():
    sys.exit(1 if failures else 0)


def shuffled(items, seed):
    items = list(items)
    random.Random(seed).shuffle(items)
    return items
