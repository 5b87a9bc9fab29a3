#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Public sets of conflicting claims with known truth go in whole, and `consensus`, all confidences being equal, is
majority voting: its accuracy, ties credited 1/k, is the one that was computed from the files by other means."""
import sys

sys.dont_write_bytecode = True
import gzip
import re

from steme_e2e import SHARED, Scratch, Skipped, case, expect, finish

# Of majority vote on the 100 to 20,000 questions of each set whose truth is known.
ACCURACY = {
    "book": 0.7900,
    "d_product": 0.8966,
    "dog": 0.8222,
    "fact_eval": 0.9019,
    "heritages": 0.6989,
    "rte": 0.8969,
    "s_rel": 0.5423,
    "trec": 0.6514,
    "web": 0.7307,
}
NUMERIC = ("n_emotion", "weather_temp")  # their truth is no vote's: they only have to go in
TOLERANCE = 0.005
TIE = 2e-6  # printed probabilities are rounded down to 1e-6


def unescape(text):
    return re.sub(r"\\(.)", lambda match: {"t": "\t", "n": "\n", "r": "\r"}.get(match.group(1), match.group(1)), text)


def rows_of(path):
    lines = path.read_text(encoding="utf-8").split("\n")
    names = lines[0].split("\t")
    return [dict(zip(names, line.split("\t"))) for line in lines[1:] if line]


def accuracy(table, truths):
    """Share of the questions answered right; k answers that tie are each worth 1/k."""
    answers = {}
    for line in table.split("\n")[1:]:
        if line:
            subject, predicate, value, probability = line.split("\t")[:4]
            answers.setdefault((subject, predicate), []).append((float(probability), unescape(value)))
    right = 0.0
    for truth in truths:
        claims = answers.get((truth["subject"], truth["predicate"]), [])
        best = max((probability for probability, _ in claims), default=0.0)
        ties = [value for probability, value in claims if probability > best - TIE]
        right += (truth["object"] in ties) / len(ties) if ties else 0.0
    return right / len(truths)


def check(name):
    folder = SHARED / "truth" / name
    plain, packed = folder / "claims.tsv", folder / "claims.tsv.gz"
    if not plain.exists() and not packed.exists():
        raise Skipped(f"{folder} is not there; STEME_SHARED_DATA names the folder of the shared data")
    content = plain.read_bytes() if plain.exists() else gzip.decompress(packed.read_bytes())
    rows = content.count(b"\n") - 1 + (not content.endswith(b"\n"))
    with Scratch() as scratch:
        done = scratch.good("import", "-", "--format", "tsv", "--json", stdin=content).json
        expect(done["rejected"] == 0 and done["written"] + done["duplicates"] == rows, (rows, done))
        if name in NUMERIC:
            return
        table = scratch.good("resolve", "--all", "--lens", "consensus", "--format", "tsv").text
        got = accuracy(table, rows_of(folder / "truth.tsv"))
        print(f"# {name}: {rows} rows, accuracy {got:.4f}, published {ACCURACY[name]:.4f}")
        expect(abs(got - ACCURACY[name]) <= TOLERANCE, f"accuracy {got:.4f}, want {ACCURACY[name]:.4f}")


if __name__ == "__main__":
    for name in ACCURACY:
        case(f"{name} goes in whole and majority is as accurate as it should be", check, name)
    for name in NUMERIC:
        case(f"{name} goes in whole", check, name)
    finish()
