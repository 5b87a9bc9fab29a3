# SPDX-License-Identifier: Apache-2.0
"""Records as lines of docs/format/ndjson.md, with the members in the order of its examples."""
import json
import re

from .record import ALWAYS, FOR_EVER, civil

SAFE_INTEGER = 1 << 53


def time(us):
    year, month, day, rest = civil(us)
    if not 1 <= year <= 9999:
        return f"@{us}"
    seconds, fraction = divmod(rest, 1000000)
    return (f"{year:04}-{month:02}-{day:02}T{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
            + (f".{fraction:06}" if fraction else "") + "Z")


def decimal(number):
    """Plainly, unless that takes more than 24 zeros to place the point."""
    coefficient, scale = number
    sign, digits = "-" if coefficient < 0 else "", str(abs(coefficient))
    if scale < -24 or scale - len(digits) > 24:
        return f"{sign}{digits[0]}{'.' if digits[1:] else ''}{digits[1:]}e{len(digits) - 1 - scale}"
    if scale <= 0:
        return f"{coefficient * 10 ** -scale}"
    digits = digits.rjust(scale + 1, "0")
    return f"{sign}{digits[:-scale]}.{digits[-scale:]}"


def share(ppm):
    return f"{ppm // 1000000}.{ppm % 1000000:06}".rstrip("0").rstrip(".")


def integer(number):
    return number if abs(number) <= SAFE_INTEGER else str(number)


VALUE_MEMBERS = {"integer": integer, "amount": decimal, "lower": decimal, "upper": decimal, "time": time,
                 "hash": bytes.hex, "bytes": integer}
MEMBERS = {"confidence": share, "probability": share, "epoch": bytes.hex, "target": bytes.hex}
TIMES = ("asserted_at", "valid_from", "valid_to", "cast_at", "declared_at", "revised_at", "created_at", "from",
         "to")
FIELDS = {
    "assertion": ("subject", "predicate", "object", "negated", "confidence", "asserted_at", "valid_from", "valid_to",
                  "epoch", "source", "qualifiers", "evidence", "parents"),
    "vote": ("target", "stance", "probability", "cast_at", "reason"),
    "epoch": ("name", "description", "declared_at", "from", "to", "supersedes"),
    "revision": ("kind", "targets", "replacements", "revised_at", "reason"),
    "view": ("name", "created_at", "dropped", "subjects", "predicate", "lens", "epoch", "parameters"),
    "bundle": (),
}


def shown(name, value):
    """A field as JSON has it."""
    if name == "object":
        return {"kind": value["kind"]} | {member: VALUE_MEMBERS.get(member, lambda same: same)(value[member])
                                          for member in value if member != "kind" and (value[member] != ""
                                                                                       or member == "text")}
    if name in TIMES:
        return time(value)
    if name in ("qualifiers", "parameters", "evidence"):
        return [{member: MEMBERS.get(member, lambda same: same)(item[member]) for member in item if item[member]}
                for item in value]
    if name in ("parents", "supersedes", "replacements"):
        return [id_.hex() for id_ in value]
    if name == "targets":
        return [shown("target", target) for target in value]
    if name == "target":
        return {"kind": value["kind"], "id": value["id"].hex(), "route": value["route"].hex()}
    return MEMBERS.get(name, lambda same: same)(value)


def left_out(name, value):
    """What is empty, false or always."""
    return value is None or value is False or value in ("", []) or \
        (name in ("valid_from", "from") and value == ALWAYS) or (name in ("valid_to", "to") and value == FOR_EVER)


ESCAPES = {"\\b": "\\u0008", "\\f": "\\u000c", "\\r": "\\u000d", "\x7f": "\\u007f"}


def text(line):
    """As JSON; only the line feed, the tab, the quotation mark and the backslash have short escapes."""
    line = json.dumps(line, ensure_ascii=False, separators=(",", ":"))
    return re.sub(r"\\.|\x7f", lambda found: ESCAPES.get(found[0], found[0]), line)


def entry_line(entry, with_log):
    record = entry.record
    line = {"id": entry.id.hex()}
    if with_log:
        line |= {"sequence": entry.sequence, "received_at": time(entry.received_at)}
    line |= {"type": record["type"], "voter" if record["type"] == "vote" else "author": record["author"].hex()}
    for name in FIELDS[record["type"]]:
        if not left_out(name, record[name]):
            line[name] = shown(name, record[name])
    if entry.signature:
        line["signature"] = entry.signature.hex()
    return line


def lines(entries, with_log=False):
    """A line for each record, a bundle's members in the bundle's: in the order of the log, whatever is there; else by
    id, and only what can be imported, a record with its signature and a bundle with all its members."""
    shown_alone = [entry for entry in entries if not entry.is_member]
    if not with_log:
        whole = [entry for entry in shown_alone if entry.signature
                 and len(entry.members) == len(entry.record.get("members", ()))]
        shown_alone = sorted({entry.id: entry for entry in reversed(whole)}.values(), key=lambda entry: entry.id)
    for entry in shown_alone:
        line = entry_line(entry, with_log)
        if entry.record["type"] == "bundle":
            line["members"] = [entry_line(member, with_log) for member in entry.members]
        yield text(line)
