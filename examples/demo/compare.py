#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""compare.py STEME EXPECTED: asks the store that STEME finds about every subject in expected.json and compares."""
import json
import subprocess
import sys

FIGURES = {  # ours: theirs
    "mean": "dl_mean", "error": "dl_error", "tau2": "dl_tau2", "fixed_mean": "ivw_mean", "fixed_error": "ivw_error",
    "chi2": "chi2", "degrees": "dof", "birge": "birge_ratio", "i2": "i2",
}


def ask(program, subject, predicate, lens):
    done = subprocess.run([program, "resolve", subject, predicate, "--lens", lens, "--json"], capture_output=True,
                          text=True, check=True)
    return json.loads(done.stdout)


def agree(ours, theirs, tolerance):
    if ours is None or theirs is None:
        return ours is None and theirs is None
    return abs(ours - theirs) <= tolerance * max(abs(ours), abs(theirs), 1e-9)


def differences(pooled, live):
    """What differs. The oracle has 6 good digits for a chi2 of values around 1e8, and so for what follows from it."""
    found = []
    for ours, theirs in FIGURES.items():
        if not agree(pooled[ours], live[theirs], 1e-5 if ours in ("chi2", "tau2", "birge", "i2") else 1e-9):
            found.append(f"{ours} {pooled[ours]} for {live[theirs]}")
    if pooled["count"] != live["n_pooled"]:
        found.append(f"{pooled['count']} measurements for {live['n_pooled']}")
    return found


def compare_quantities(program, expected):
    for group in expected["quantity_subjects"]:
        live = group["live"]
        answer = ask(program, group["subject"], group["predicate"], "pool")
        pooled = answer.get("pooled")
        if not live["n_pooled"]:
            yield f"{group['subject']} {group['predicate']}: nothing to pool", ["pooled"] if pooled else []
            continue
        name = f"{group['subject']} {group['predicate']}: pool of {live['n_pooled']}"
        yield name, differences(pooled, live) if pooled else ["no pooled figures"]


def spelled(value):
    found = next(value[key] for key in ("name", "text", "integer", "boolean") if key in value)
    return str(found).lower() if isinstance(found, bool) else str(found)


def compare_values(program, expected):
    for group in expected["discrete_subjects"]:
        answer = ask(program, group["subject"], group["predicate"], "union")
        counts = {spelled(belief["value"]): belief["assertions"] for belief in answer["beliefs"]}
        found = [] if counts == group["live_value_counts"] else [f"{counts} for {group['live_value_counts']}"]
        yield f"{group['subject']} {group['predicate']}: {group['n_live']} live claims by value", found


def main(program, path):
    with open(path, encoding="utf-8") as file:
        expected = json.load(file)
    failed = 0
    for compare in (compare_quantities, compare_values):
        for name, found in compare(program, expected):
            print(f"not ok - {name}: {', '.join(found)}" if found else f"ok - {name}")
            failed += bool(found)
    return 1 if failed else 0


sys.exit(main(*sys.argv[1:]))
