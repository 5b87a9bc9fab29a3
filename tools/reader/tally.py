# SPDX-License-Identifier: Apache-2.0
"""What was voted and what lenses are given, counted anew by the rules of docs/lenses.md ("What a lens is given")."""
from .record import agent_id, claim_id, polar, route, slot_id, voice_id


def withdrawn(entries):
    """(route, id) -> keys that retracted or superseded it; only the author's own word is in force."""
    found = {}
    for entry in entries:
        if entry.record["type"] == "revision":
            for target in entry.record["targets"]:
                found.setdefault((target["route"], target["id"]), set()).add(entry.record["author"])
    return found


def superseded(entries):
    """Epochs that another epoch of their author supersedes."""
    authors = {entry.id: entry.record["author"] for entry in entries if entry.record["type"] == "epoch"}
    return {id_ for entry in entries if entry.record["type"] == "epoch" for id_ in entry.record["supersedes"]
            if authors.get(id_) == entry.record["author"]}


def ballots(entries, revised):
    """target as (kind, route, id) -> {voter's key: (stance, ppm) of its latest vote; None if that was retracted}. A
    claim and its opposite are one target, on which refuting the one is supporting the other."""
    latest = {}
    for entry in entries:
        if entry.record["type"] == "vote":
            vote, target = entry.record, entry.record["target"]
            is_claim = target["kind"] == "claim"
            id_ = polar(target["id"], False) if is_claim else target["id"]
            stance = vote["stance"]
            if is_claim and target["id"] != id_:
                stance = {"support": "refute", "refute": "support"}.get(stance, stance)
            voters = latest.setdefault((target["kind"], target["route"], id_), {})
            ballot = vote["cast_at"], entry.id, stance, vote["probability"]
            voters[vote["author"]] = max(ballot, voters.get(vote["author"], ballot))
    return {target: {key: None if key in revised.get((target[1], id_), ()) else (stance, ppm)
                     for key, (_, id_, stance, ppm) in voters.items()} for target, voters in latest.items()}


def cast(entries):
    """target as (kind, route, id) -> how many votes on it there ever were."""
    counts = {}
    for entry in entries:
        if entry.record["type"] == "vote":
            target = entry.record["target"]
            id_ = polar(target["id"], False) if target["kind"] == "claim" else target["id"]
            key = target["kind"], target["route"], id_
            counts[key] = counts.get(key, 0) + 1
    return counts


def targets(entries):
    """Of each target: how many voters stand where, the sum of their probabilities in parts per million, all votes."""
    counts = cast(entries)
    for (kind, route_, id_), voters in sorted(ballots(entries, withdrawn(entries)).items()):
        line = {"target": {"kind": kind, "id": id_.hex(), "route": route_.hex()}}
        for stance in ("support", "refute", "abstain"):
            shares = [ballot[1] for ballot in voters.values() if ballot and ballot[0] == stance]
            line |= {stance: len(shares), stance + "_ppm": sum(shares)}
        yield line | {"retracted": sum(ballot is None for ballot in voters.values()),
                      "ballots": counts[kind, route_, id_]}


class Claim:
    """One answer, as the positive claim: what stands for and against it."""

    def __init__(self, record, slot, id_):
        self.record, self.slot, self.id = record, slot, id_
        self.assertions = [0, 0]  # for, against
        self.votes = [0, 0]
        self.strength = ({}, {})  # voice -> the greatest it put there

    def add(self, against, voice, strength):
        voices = self.strength[against]
        if strength:
            voices[voice] = max(voices.get(voice, 0), strength)

    def add_ballots(self, voters, turned):
        for key, ballot in voters.items():
            if ballot and ballot[0] != "abstain":
                against = (ballot[0] == "refute") != turned
                self.votes[against] += 1
                self.add(against, agent_id(key), ballot[1])


def claims(entries):
    """The claims with a live assertion, and the sums that every lens begins with."""
    revised = withdrawn(entries)
    counted = ballots(entries, revised)
    past = superseded(entries)
    found = {}
    for entry in entries:
        it = entry.record
        if it["type"] != "assertion":
            continue
        where = route(it["subject"])
        if it["author"] in revised.get((where, entry.id), ()) or it["epoch"] in past:
            continue
        slot = slot_id(it)
        id_ = polar(claim_id(it, slot), False)
        if id_ not in found:
            claim = found[id_] = Claim(it, slot, id_)
            claim.add_ballots(counted.get(("claim", where, id_), {}), False)
        claim, against = found[id_], it["negated"]
        claim.assertions[against] += 1
        claim.add(against, voice_id(it), it["confidence"])
        claim.add_ballots(counted.get(("assertion", where, entry.id), {}), against)
    for claim in sorted(found.values(), key=lambda claim: (claim.slot, claim.id)):
        yield {"slot": claim.slot.hex(), "claim": claim.id.hex(), "subject": claim.record["subject"],
               "predicate": claim.record["predicate"], "assertions": claim.assertions[0],
               "refutations": claim.assertions[1], "votes_for": claim.votes[0], "votes_against": claim.votes[1],
               "support_voices": len(claim.strength[0]), "refute_voices": len(claim.strength[1]),
               "support_ppm": sum(claim.strength[0].values()), "refute_ppm": sum(claim.strength[1].values())}
