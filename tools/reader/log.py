# SPDX-License-Identifier: Apache-2.0
"""A store's log, read from docs/format/store.md, log.md and recovery.md: where it is whole, what is damaged, and every
record that can be believed. Nothing is written. The index is not read, so there is no mark from it."""
import pathlib
import re
import struct
from dataclasses import dataclass, field

from . import ed25519, record
from .blake3 import blake3

ALIGN, SEGMENT_HEADER, BATCH_HEADER = 64, 4096, 128
BATCH_MAX, FRAMES_MAX = 8 << 20, 8192
TORN, DAMAGE, HEADER, LOST = 1, 2, 3, 4  # reasons of the quarantine


class Unreadable(Exception):
    """No log can be read here, and this is the exit status for it."""

    def __init__(self, message, status=5):
        super().__init__(message)
        self.status = status


@dataclass
class Entry:
    """A record in its place."""

    sequence: int
    location: int
    received_at: int
    id: bytes
    signature: bytes | None
    data: bytes
    record: dict | None = None  # None: of a type or format to come
    members: list = field(default_factory=list)  # of a bundle: the entries behind it that it speaks for
    is_member: bool = False  # of such a bundle


@dataclass
class Batch:
    at: int
    frames: int
    bytes: int
    first: int
    received_at: int
    previous: bytes
    prefixes: bytes
    hash: bytes


@dataclass
class Prefix:
    at: int
    size: int  # of the prefix itself
    end: int
    sequence: int
    distance: int
    id: bytes
    signature: bytes | None


@dataclass
class Log:
    store: bytes = b""
    entries: list = field(default_factory=list)
    findings: list = field(default_factory=list)
    quarantined: list = field(default_factory=list)  # (segment, offset, bytes, reason)
    segments: int = 0
    batches: int = 0
    signatures: int = 0
    missing: int = 0  # records that are known to have been there
    file_bytes: int = 0
    valid_bytes: int = 0
    padding_bytes: int = 0
    damaged_bytes: int = 0

    def distinct(self):
        """The first copy of each record, in the order of the log."""
        first = {}
        for entry in self.entries:
            first.setdefault(entry.id, entry)
        return list(first.values())

    def summary(self):
        distinct = self.distinct()
        types = [entry.record["type"] if entry.record else "unknown" for entry in distinct]
        return {
            "findings": len(self.findings), "segments": self.segments, "batches": self.batches,
            "records": len(self.entries), "signatures": self.signatures,
            "distinct": {name + "s": types.count(name) for name in record.TYPES} | {"unknown": types.count("unknown")},
            "duplicates": len(self.entries) - len(distinct), "missing": self.missing,
            "quarantined": len(self.quarantined), "file_bytes": self.file_bytes, "valid_bytes": self.valid_bytes,
            "padding_bytes": self.padding_bytes, "damaged_bytes": self.damaged_bytes,
        }


def zeros(data, start=0, end=None):
    end = len(data) if end is None else end
    return data.count(0, start, end) == end - start


def whole_units(count):
    return -(-count // ALIGN) * ALIGN


# ---- what vouches for itself ----


def read_identity(path):
    """The store's id, from the file `store`."""
    try:
        data = (path / "store").read_bytes()
    except OSError as error:
        raise Unreadable(f"{path} is no store: {error}", 3) from error
    first, form = (data.split(b"\n", 2) + [b"", b""])[:2]
    if first != b"stemedb store":
        raise Unreadable("the file `store` is damaged")
    newer = re.fullmatch(rb"format ([0-9]{1,9})", form)
    if newer and int(newer[1]) > 1:
        raise Unreadable(f"the store's format {int(newer[1])} is newer than this reader")
    lines = rb"(stemedb store\nformat 1\nid ([0-9a-f]{64})\ncreated -?[0-9]+\n)check ([0-9a-f]{64})\n"
    found = re.fullmatch(lines, data)
    if not found or blake3(found[1]).hex().encode() != found[3]:
        raise Unreadable("the file `store` is damaged: its check does not hold")
    return bytes.fromhex(found[2].decode())


def read_batch(data, at, segment, store):
    """The batch header at an offset, if it vouches for itself and belongs there."""
    header = data[at : at + BATCH_HEADER]
    if len(header) < BATCH_HEADER or header[:4] != b"BTCH" or blake3(header[:120] + bytes(8))[:8] != header[120:]:
        return None
    frames, size, number, offset, first, received_at, store8 = struct.unpack("<IIIQQq8s", header[4:48])
    previous, prefixes, zero = struct.unpack("<32s32sQ", header[48:120])
    fits = 1 <= frames <= FRAMES_MAX and size <= BATCH_MAX and size % ALIGN == 0 and at + size <= len(data)
    if not fits or size < BATCH_HEADER + frames * 128 or (number, offset, store8, zero) != (segment, at, store[:8], 0):
        return None
    return Batch(at, frames, size, first, received_at, previous, prefixes, blake3(header))


def read_prefix(data, at, end):
    """The frame's prefix at an offset, if it vouches for itself and its record ends in time."""
    if data[at : at + 4] != b"FRAM" or at + ALIGN > end:
        return None
    size, sequence, distance, flags = struct.unpack_from("<IQII", data, at + 4)
    length = 128 if flags == 1 else 64
    whole = at + length + size
    if flags > 1 or not 64 <= size <= record.RECORD_MAX or size % ALIGN or whole > end:
        return None
    prefix = data[at : at + length]
    if blake3(prefix[:-8] + bytes(8))[:8] != prefix[-8:]:
        return None
    return Prefix(at, length, whole, sequence, distance, prefix[24:56], prefix[56:120] if flags else None)


# ---- frames of a batch ----


def row(data, batch, at, sequence, end):
    """Prefixes one behind the other from an offset on, with rising numbers."""
    found = []
    while at < end:
        prefix = read_prefix(data, at, end)
        if not prefix or prefix.distance != at - batch.at or prefix.sequence != sequence:
            break
        found.append(prefix)
        at, sequence = prefix.end, sequence + 1
    return found


def salvage(data, batch, head, end):
    """The frames to believe in a batch with bad prefixes, behind the row that begins it."""
    at = head[-1].end if head else batch.at + BATCH_HEADER
    lost, last = batch.first + len(head), batch.first + batch.frames - 1
    between = []
    while at < end:
        prefix = read_prefix(data, at, end)
        if not prefix or prefix.distance != at - batch.at or prefix.sequence > last:
            at += ALIGN
            continue
        tail = row(data, batch, at, prefix.sequence, end)
        if tail[-1].end == end and tail[-1].sequence == last and prefix.sequence > lost:
            return believable(between, lost, prefix.sequence) + tail
        if blake3(data[at + prefix.size : prefix.end]) == prefix.id:
            between.append(prefix)
            at = prefix.end
        else:
            at += ALIGN
    return believable(between, lost, last + 1)


def believable(frames, lost, after):
    """Frames between damaged places, if their numbers leave one for each damage; else none."""
    end, sequence = None, lost - 1
    for prefix in frames:
        if prefix.sequence < sequence + 2 if prefix.at != end else prefix.sequence != sequence + 1:
            return []
        end, sequence = prefix.end, prefix.sequence
    return frames if sequence + 1 < after else []


def frames_of(data, batch):
    """The prefixes to believe in a batch whose header is good, and whether that is all of them."""
    start, end = batch.at + BATCH_HEADER, batch.at + batch.bytes
    head = row(data, batch, start, batch.first, end)
    if (head[-1].end if head else start) == end and len(head) == batch.frames:
        prefixes = b"".join(data[prefix.at : prefix.at + prefix.size] for prefix in head)
        return (head, True) if blake3(prefixes) == batch.prefixes else ([], False)
    return head[: batch.frames - 1] + salvage(data, batch, head[: batch.frames - 1], end), False


# ---- the walk ----


class Walk:
    """Goes over the segments in order. `chain` is the hash of the batch before, or None behind damage."""

    def __init__(self, log):
        self.log, self.next, self.chain, self.time = log, 1, bytes(32), None

    def damage(self, segment, at, count, what):
        self.log.damaged_bytes += count
        self.log.findings.append(f"segment {segment}, offset {at}, {count} bytes: {what}")

    def segment(self, number, data, is_last):
        log = self.log
        log.segments += 1
        log.file_bytes += len(data)
        if not self.header(number, data):
            self.damage(number, 0, min(len(data), SEGMENT_HEADER), "the segment's header is damaged")
            self.chain = None
        at = SEGMENT_HEADER
        while at < len(data):
            batch = read_batch(data, at, number, log.store)
            if batch and self.continues(batch):
                at = self.batch(number, data, batch, is_last)
            elif zeros(data, at):
                log.padding_bytes += len(data) - at
                return
            else:
                at = self.bad_bytes(number, data, at)

    def header(self, number, data):
        """Judges the segment's header; False if it is damaged."""
        log, head = self.log, data[:256]
        if len(data) < SEGMENT_HEADER or head[:8] != b"STEMELOG":
            return False
        form, size, store, own, first, created, previous = struct.unpack("<II32sQQq32s", head[8:104])
        if form > 1 and blake3(head[:8] + b"\1\0\0\0" + head[12:224]) != head[224:]:
            raise Unreadable(f"segment {number} has a newer format, {form}")
        if blake3(head[:224]) != head[224:]:
            return False
        if store != log.store or own != number:
            raise Unreadable(f"segment {number} belongs to another store or has another's name")
        if (form, size) != (1, SEGMENT_HEADER) or any(head[112:224]):
            return False
        log.valid_bytes += 256
        if zeros(data, 256, SEGMENT_HEADER):
            log.padding_bytes += min(len(data), SEGMENT_HEADER) - 256
        else:
            self.damage(number, 256, SEGMENT_HEADER - 256, "the zeros behind the segment's header are damaged")
        if first < self.next or (self.time is not None and created < self.time):
            log.findings.append(f"segment {number}: its numbers or its time go back")
        if first > self.next:
            self.lose(number, first - self.next)
        elif self.chain not in (None, previous):
            log.findings.append(f"segment {number}: it does not continue the chain")
        self.next, self.chain = max(first, self.next), previous
        return True

    def lose(self, number, count):
        self.log.missing += count
        self.log.findings.append(f"segment {number}: {count} records are missing before here")

    def continues(self, batch):
        if self.time is not None and batch.received_at < self.time:
            return False
        if self.chain is None:
            return batch.first >= self.next
        return batch.first == self.next and batch.previous == self.chain

    def find(self, data, at, number):
        """The next header to believe behind bad bytes, or None; whole frames are stepped over."""
        chain, self.chain = self.chain, None
        found = None
        at += ALIGN
        while at < len(data) and not found:
            prefix = read_prefix(data, at, len(data))
            batch = read_batch(data, at, number, self.log.store)
            if batch and self.continues(batch):
                found = batch
            at = prefix.end if prefix else at + ALIGN
        self.chain = chain
        return found

    def bad_bytes(self, number, data, at):
        """Returns where to go on."""
        found = self.find(data, at, number)
        if found:
            self.damage(number, at, found.at - at, "no batch passes its checks here")
            self.chain = None
            return found.at
        return self.tail(number, data, at)

    def tail(self, number, data, at):
        """Nothing to believe from here on: what is no zero at the end is damage."""
        end = min(len(data), whole_units(len(data.rstrip(b"\0"))))
        self.damage(number, at, end - at, "bytes behind the last whole batch")
        self.log.padding_bytes += len(data) - end
        self.chain = None
        return len(data)

    def proven(self, number, batch):
        """Whether something on record says that this batch, the last, had been durable."""
        return any(segment == number and reason in (DAMAGE, LOST) and offset >= batch.at
                   for segment, offset, _, reason in self.log.quarantined)

    def batch(self, number, data, batch, is_last):
        log, end = self.log, batch.at + batch.bytes
        frames, whole = frames_of(data, batch)
        good = [prefix for prefix in frames if blake3(data[prefix.at + prefix.size : prefix.end]) == prefix.id]
        after = Walk(log)
        after.next, after.time = batch.first + batch.frames, batch.received_at
        if not (whole and len(good) == len(frames)) and is_last and not self.proven(number, batch):
            if not after.find(data, end - ALIGN, number):
                return self.tail(number, data, batch.at)
        if batch.first > self.next:
            self.lose(number, batch.first - self.next)
        self.next, self.time, self.chain = after.next, after.time, batch.hash
        log.missing += batch.frames - len(good)
        log.batches += 1
        log.valid_bytes += BATCH_HEADER
        at = batch.at + BATCH_HEADER
        for prefix in [*good, None]:
            start = prefix.at if prefix else end
            if start > at:
                self.damage(number, at, start - at, "records fail their checks")
            if prefix:
                log.valid_bytes += prefix.end - prefix.at
                at = prefix.end
        self.entries([Entry(prefix.sequence, number << 32 | prefix.at, batch.received_at, prefix.id, prefix.signature,
                            data[prefix.at + prefix.size : prefix.end]) for prefix in good])
        return end

    # ---- records and who speaks for them ----

    def entries(self, batch):
        """Adds the records of one batch that are proven; a bundle's signature speaks for the row behind it."""
        members, bundle = {}, None
        for entry in batch:
            problem = None
            try:
                entry.record = record.decode(entry.data)
            except record.Refused as refused:
                problem = f"it is refused: {refused}"
            except record.Unknown:
                pass
            if entry.signature:
                members, bundle = {}, None
                key = entry.data[16:48]
                if entry.record and not ed25519.verify(key, b"steme-record-v1\0" + entry.id, entry.signature):
                    problem = "its signature is not valid"
                elif entry.record and entry.record["type"] == "bundle":
                    bundle = entry
                    members = {id_: entry.sequence + place for place, id_ in enumerate(entry.record["members"], 1)}
            elif members.get(entry.id) != entry.sequence:
                problem = problem or "no bundle speaks for it"
            elif not problem:
                bundle.members.append(entry)
                entry.is_member = True
                if not entry.record or entry.record["type"] != "assertion" or \
                        entry.record["author"] != bundle.record["author"]:
                    problem = "it is no assertion of its bundle's author"
            if problem:
                self.log.findings.append(f"record {entry.sequence}, {entry.id.hex()}: {problem}")
            self.log.signatures += entry.signature is not None
            self.log.entries.append(entry)


# ---- the whole store ----


def read_quarantine(path, log):
    """What was set aside before; a damaged file is a finding."""
    for file in sorted(path.glob("quarantine/*.q")):
        data = file.read_bytes()
        head = data[:256]
        if len(head) < 256 or head[:8] != b"STEMEQTN" or blake3(head[:224]) != head[224:]:
            log.findings.append(f"{file.name}: a quarantine file is damaged")
            continue
        form, size, store, segment, offset, count, reason = struct.unpack("<II32sQQQI", head[8:76])
        if (form, size, store) != (1, 256, log.store) or not TORN <= reason <= LOST or len(data) != 256 + count or \
                blake3(data[256:]) != head[104:136]:
            log.findings.append(f"{file.name}: a quarantine file is damaged")
            continue
        log.quarantined.append((segment, offset, count, reason))


def read_log(path):
    path = pathlib.Path(path)
    log = Log(read_identity(path))
    read_quarantine(path, log)
    names = sorted(file.name for file in path.glob("wal/*") if re.fullmatch(r"[0-9a-f]{16}\.seg", file.name))
    numbers = [int(name[:16], 16) for name in names]
    names = [name for name, number in zip(names, numbers) if 1 <= number <= 4194303]
    walk = Walk(log)
    for name in names:
        file = path / "wal" / name
        if not file.is_file():
            raise Unreadable(f"{file} has the name of a segment and is no file")
        walk.segment(int(name[:16], 16), file.read_bytes(), name == names[-1])
    for segment, offset, _, reason in log.quarantined:
        if reason == LOST:
            log.findings.append(f"segment {segment}, offset {offset}: the quarantine tells of lost records")
    return log
