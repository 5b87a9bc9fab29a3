# SPDX-License-Identifier: Apache-2.0
"""Records, from the bytes of docs/format/record.md to plain dictionaries, and the identities of
docs/format/identity.md. A record's bytes are refused unless they are the only ones for what they say."""
import datetime
import struct
import unicodedata

from .blake3 import blake3

TYPES = ("assertion", "vote", "epoch", "revision", "bundle", "view")
KINDS = ("entity", "text", "integer", "decimal", "quantity", "time", "boolean", "blob", "unknown", "none")
TARGETS = ("assertion", "claim", "agent", "source", "epoch", "vote")
PRECISIONS = ("year", "month", "day", "second", "microsecond")
VOTE_STANCES = ("support", "refute", "abstain")
EVIDENCE_STANCES = ("supports", "refutes", "context")
REVISIONS = ("retract", "correct", "update")
RECORD_MAX = 1 << 20
ALWAYS, FOR_EVER = -(1 << 63), (1 << 63) - 1
NO_SCALE = -128
LANGUAGE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-")


class Refused(Exception):
    """These bytes are no record of this format."""


class Unknown(Exception):
    """A type or a format that this document does not describe: not damage."""


def demand(holds, what):
    if not holds:
        raise Refused(what)


def pick(names, number, what):
    demand(number < len(names), f"{what} {number}")
    return names[number]


# ---- texts ----


def text(data, most=65536):
    demand(len(data) <= most, "a text is too long")
    demand(0 not in data, "a text has a NUL")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused("a text is not UTF-8") from error


def name(data):
    value = text(data, 1024)
    demand(value, "a name is empty")
    demand(unicodedata.is_normalized("NFC", value), "a name is not NFC")
    demand(value == value.strip(), "a name has white space at an end")
    for letter in value:
        category = unicodedata.category(letter)
        demand(category != "Cc" and letter not in "\u2028\u2029", "a name has a control character")
        demand(category != "Cn", f"a name has U+{ord(letter):04X}, which is not assigned")
    return value


# ---- a cursor over bytes ----


class Cursor:
    def __init__(self, data, at=0):
        self.data, self.at = data, at

    def take(self, count):
        demand(self.at + count <= len(self.data), "a field runs over the end")
        self.at += count
        return self.data[self.at - count : self.at]

    def numbers(self, layout):
        layout = "<" + layout
        return struct.unpack(layout, self.take(struct.calcsize(layout)))

    def number(self, layout):
        return self.numbers(layout)[0]

    def zeros(self, count):
        demand(not any(self.take(count)), "a byte should be zero")

    def align(self):
        self.zeros(-self.at % 8)

    def part(self):
        data = self.take(self.number("I"))
        self.align()
        return data

    def ids(self, count):
        found = [self.take(32) for _ in range(count)]
        demand(ascending(found), "ids are not ascending")
        return found

    def rest(self):
        return self.take(len(self.data) - self.at)


def ascending(items):
    return all(first < second for first, second in zip(items, items[1:]))


def share(number):
    demand(number <= 1000000, "a share is above 1")
    return number


# ---- values ----


def decimal(coefficient, scale):
    """(coefficient, scale), which means coefficient x 10^-scale."""
    demand(-99 <= scale <= 99 and coefficient != ALWAYS, "a decimal is out of range")
    demand(coefficient % 10 or (coefficient, scale) == (0, 0), "a decimal has a zero at its end")
    return coefficient, scale


def at_most(first, second):
    scale = max(first[1], second[1])
    return first[0] * 10 ** (scale - first[1]) <= second[0] * 10 ** (scale - second[1])


DAY_US = 86400 * 1000000
CYCLE_DAYS = 146097  # the Gregorian calendar repeats every 400 years


def civil(time):
    """Year, month, day, and microseconds in the day, of microseconds since 1970; of any year."""
    days, rest = divmod(time, DAY_US)
    cycles, days = divmod(days + datetime.date(1970, 1, 1).toordinal() - 1, CYCLE_DAYS)
    date = datetime.date.fromordinal(days + 1)
    return date.year + 400 * cycles, date.month, date.day, rest


def is_start(time, precision):
    _, month, day, rest = civil(time)
    return {"year": rest == 0 and (month, day) == (1, 1), "month": rest == 0 and day == 1, "day": rest == 0,
            "second": rest % 1000000 == 0, "microsecond": True}[precision]


def value(data):
    cursor = Cursor(data)
    kind, first, second, third = cursor.numbers("Bbbb")
    kind = pick(KINDS, kind, "kind of value")
    result = {"kind": kind}
    if kind == "entity":
        result["name"] = name(cursor.rest())
    elif kind == "text":
        demand(0 <= first <= 35, "a language tag is too long")
        language = cursor.take(first)
        demand(LANGUAGE.issuperset(language), "a language tag has another character")
        result.update(text=text(cursor.rest()), language=language.decode())
        first = 0
    elif kind == "integer":
        result["integer"] = cursor.number("q")
    elif kind == "decimal":
        result["amount"] = decimal(cursor.number("q"), first)
        first = 0
    elif kind == "quantity":
        result["amount"] = decimal(cursor.number("q"), first)
        if (second, third) != (NO_SCALE, NO_SCALE):
            lower, upper = cursor.numbers("qq")
            result.update(lower=decimal(lower, second), upper=decimal(upper, third))
            demand(at_most(result["lower"], result["amount"]) and at_most(result["amount"], result["upper"]),
                   "an amount is outside its bounds")
        unit = cursor.rest()
        result["unit"] = name(unit) if unit else ""
        first = second = third = 0
    elif kind == "time":
        result["time"] = cursor.number("q")
        result["precision"] = pick(PRECISIONS, first & 0xFF, "precision")
        demand(is_start(result["time"], result["precision"]), "a time is not the start of what it names")
        first = 0
    elif kind == "boolean":
        demand(first in (0, 1), "a boolean is neither 0 nor 1")
        result["boolean"] = first == 1
        first = 0
    elif kind == "blob":
        result["hash"] = cursor.take(32)
        result["bytes"] = cursor.number("Q")
        media = cursor.rest()
        demand(1 <= len(media) <= 127 and all(32 <= byte < 127 for byte in media) and media == media.strip(),
               "a media type is not printable")
        result["media_type"] = media.decode()
    demand((first, second, third) == (0, 0, 0), "a detail of a value should be zero")
    demand(cursor.at == len(data), "a value goes on behind its end")
    return result


# ---- the five types ----


def interval(start, end):
    demand(start < end, "a time span ends before it begins")
    return start, end


def qualifiers(cursor, count, keys):
    """The list, and the bytes of the key qualifiers."""
    found, order, start, key_bytes = [], [], cursor.at, b""
    for index in range(count):
        name_bytes, value_bytes = cursor.numbers("HH")
        pair = cursor.take(name_bytes), cursor.take(value_bytes)
        cursor.align()
        order.append((index >= keys, *pair))
        found.append({"name": name(pair[0]), "value": name(pair[1]), "key": index < keys})
        if index < keys:
            key_bytes = cursor.data[start : cursor.at]
    demand(ascending(order), "qualifiers are not ascending")
    return found, key_bytes


def evidence(cursor, count):
    found, order = [], []
    for _ in range(count):
        start = cursor.at
        stance, has_target, uri_bytes, locator_bytes = cursor.numbers("BBHH")
        cursor.zeros(2)
        demand(has_target <= 1 and not (has_target and uri_bytes), "evidence has a flag or a length that is no such")
        entry = {"stance": pick(EVIDENCE_STANCES, stance, "stance")}
        if has_target:
            entry["target"] = cursor.take(32)
        else:
            entry["uri"] = name(cursor.take(uri_bytes))
        entry["locator"] = name(cursor.take(locator_bytes)) if locator_bytes else ""
        cursor.align()
        found.append(entry)
        order.append(cursor.data[start : cursor.at])
    demand(ascending(order), "evidence is not ascending")
    return found


def assertion(cursor):
    result = {}
    result["asserted_at"], start, end = cursor.numbers("qqq")
    result["valid_from"], result["valid_to"] = interval(start, end)
    confidence, flags, kind, evidences, qualifying, parents, keys = cursor.numbers("IBBHHHH")
    result["confidence"] = share(confidence)
    cursor.zeros(2)
    demand(flags < 8, "an unknown flag")
    demand(evidences <= 256 and qualifying <= 64 and parents <= 256 and keys <= qualifying, "too many in a list")
    result["negated"] = bool(flags & 1)
    result["subject"] = name(cursor.part())
    result["predicate"] = name(cursor.part())
    result["object_bytes"] = cursor.part()
    result["object"] = value(result["object_bytes"])
    demand(result["object_bytes"][0] == kind, "the object is of another kind than is said")
    result["source"] = name(cursor.part()) if flags & 4 else ""
    result["epoch"] = cursor.take(32) if flags & 2 else None
    result["qualifiers"], result["key_bytes"] = qualifiers(cursor, qualifying, keys)
    result["evidence"] = evidence(cursor, evidences)
    result["parents"] = cursor.ids(parents)
    return result


def target(kind, route, id_):
    if kind in ("agent", "source", "epoch"):
        demand(route == id_[:8], "a route is not the beginning of its id")
    return {"kind": kind, "id": id_, "route": route}


def vote(cursor):
    cast_at, kind, stance = cursor.numbers("qBB")
    demand(kind <= 4, f"kind of target {kind}")
    cursor.zeros(2)
    probability, route, id_ = cursor.numbers("I8s32s")
    return {"target": target(TARGETS[kind], route, id_), "stance": pick(VOTE_STANCES, stance, "stance"),
            "probability": share(probability), "cast_at": cast_at, "reason": text(cursor.part())}


def epoch(cursor):
    declared_at, start, end, superseded = cursor.numbers("qqqH")
    interval(start, end)
    demand(superseded <= 256, "too many superseded epochs")
    cursor.zeros(6)
    return {"declared_at": declared_at, "from": start, "to": end, "name": name(cursor.part()),
            "description": text(cursor.part()), "supersedes": cursor.ids(superseded)}


def revision(cursor):
    revised_at, kind = cursor.numbers("qB")
    kind = pick(REVISIONS, kind, "kind of revision")
    cursor.zeros(1)
    targets, replacements = cursor.numbers("HH")
    cursor.zeros(2)
    demand(1 <= targets <= 1024 and replacements <= 1024, "too many in a list, or no target")
    demand((kind == "retract") == (replacements == 0), "replacements do not go with the kind")
    found, order = [], []
    for _ in range(targets):
        order.append(cursor.data[cursor.at : cursor.at + 48])
        what = cursor.number("B")
        demand(what in (0, 4, 5), f"kind of target {what}")
        cursor.zeros(7)
        found.append(target(TARGETS[what], cursor.take(8), cursor.take(32)))
    demand(ascending(order), "targets are not ascending")
    return {"kind": kind, "targets": found, "replacements": cursor.ids(replacements), "revised_at": revised_at,
            "reason": text(cursor.part())}


def bundle(cursor):
    members = cursor.number("H")
    cursor.zeros(6)
    demand(1 <= members <= 4096, "a bundle of none or too many")
    ids = [cursor.take(32) for _ in range(members)]
    demand(len(set(ids)) == members, "a member twice")
    return {"members": ids}


def optional_name(data):
    return name(data) if data else ""


def glob(data):
    """A pattern over names: a backslash takes what follows as it stands, so there has to be something."""
    pattern = optional_name(data)
    unescaped = pattern.replace("\\\\", "")
    demand(not unescaped.endswith("\\"), "the pattern ends in a lone backslash")
    return pattern


def view(cursor):
    created_at, flags = cursor.numbers("qB")
    demand(flags & ~3 == 0, "flags that mean nothing")
    cursor.zeros(1)
    count = cursor.number("H")
    cursor.zeros(4)
    demand(count <= 256, "too many parameters")
    found = {"created_at": created_at, "dropped": bool(flags & 1), "name": name(cursor.part()),
             "subjects": glob(cursor.part()), "predicate": optional_name(cursor.part()),
             "lens": optional_name(cursor.part()), "epoch": cursor.take(32) if flags & 2 else None}
    found["parameters"] = qualifiers(cursor, count, 0)[0]
    rest = [found[field] for field in ("subjects", "predicate", "lens", "epoch", "parameters")]
    demand(not any(rest) if found["dropped"] else found["lens"], "a dropped view with more than a name, or no lens")
    return found


def decode(data):
    """A record's bytes as a dictionary; Refused, or Unknown where it is not for this reader."""
    demand(64 <= len(data) <= RECORD_MAX and len(data) % 64 == 0, "no record has this length")
    cursor = Cursor(data)
    number = cursor.number("B")
    cursor.zeros(7)
    length, form = cursor.numbers("IH")
    cursor.zeros(2)
    demand(48 <= length <= len(data) < length + 64 and length % 8 == 0, "the length is not that of the parts")
    demand(not any(data[length:]), "the padding is not zero")
    demand(form >= 1, "format 0")
    if form > 1 or number >= len(TYPES):
        raise Unknown(f"type {number} of format {form}")
    result = {"type": TYPES[number], "author": cursor.take(32)}
    cursor.data = data[:length]
    result.update((assertion, vote, epoch, revision, bundle, view)[number](cursor))
    demand(cursor.at == length, "the record goes on behind its parts")
    return result


# ---- identities ----


def identity_part(data):
    content = data if len(data) <= 1024 else blake3(data)
    return struct.pack("<I", len(data)) + content + bytes(-(4 + len(content)) % 8)


def identity(tag, *parts):
    preimage = tag.encode().ljust(16, b"\0") + b"".join(parts)
    return blake3(preimage + bytes(-len(preimage) % 64))


def agent_id(key):
    return identity("steme.agent.v1", key)


def source_id(source):
    return identity("steme.source.v1", identity_part(source.encode()))


def slot_id(record):
    return identity("steme.slot.v1", identity_part(record["subject"].encode()),
                    identity_part(record["predicate"].encode()), identity_part(record["key_bytes"]))


def claim_id(record, slot=None):
    """Of what an assertion says, its polarity included: a vote on the assertion counts for this one."""
    digest = identity("steme.claim.v1", slot or slot_id(record), identity_part(record["object_bytes"]))
    return polar(digest, record["negated"])


def polar(claim, negated):
    return claim[:31] + bytes([claim[31] & 0xFE | negated])


def voice_id(record):
    return source_id(record["source"]) if record["source"] else agent_id(record["author"])


def route(subject):
    return blake3(subject.encode())[:8]
