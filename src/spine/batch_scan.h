/* SPDX-License-Identifier: Apache-2.0 */
/* Walk the batches of one segment, checking everything: headers, their chain, prefixes, records. Checks are
 * computed side by side over many batches; where one fails, the walk slows down and finds out exactly what is
 * damaged and where good data begin again. Opening, reading and verifying all walk with this. One thread each. */
#ifndef SPINE_BATCH_SCAN_H
#define SPINE_BATCH_SCAN_H

#include "base/arena.h"
#include "spine/batch.h"

struct batch_scan {
    /* What to walk; set by the caller. */
    const uint8_t *bytes; /* those of the segment from `from` on */
    uint64_t from, to;    /* offsets in the segment; `from` is a multiple of 64 */
    uint64_t store;       /* store_word() */
    uint32_t segment;
    /* Where it stands. The caller sets the beginning. */
    uint64_t offset;         /* where the next batch is looked for; from..to, a multiple of 64 */
    uint64_t next_sequence;  /* of the next record in a log without damage */
    struct steme_hash batch; /* hash of the last batch */
    /* the last batch ends right here: the next one must name its hash and go on with its sequence numbers. False behind
     * damage: then it is believed if its place, store and check are right, and its number does not go back. Its time
     * plays no part: a walk that begins in the middle does not know what came before */
    bool linked;
};

/* A batch whose header is good. */
struct batch_found {
    uint64_t offset;
    uint32_t bytes, count;
    uint64_t first_sequence;
    int64_t received_at_us;
    struct steme_hash hash;
};

/* Frames of a good batch, one behind the other, whose prefix fails its check or whose record does not match its id. */
struct batch_gap {
    uint64_t offset, bytes;
    uint64_t first_sequence, count; /* the records that are lost with it */
};

enum batch_scan_kind {
    BATCH_SCAN_FOUND, /* good batches, one behind the other */
    BATCH_SCAN_BAD,   /* bytes that are no batch */
    BATCH_SCAN_END    /* nothing but zeros from here to `to` */
};

struct batch_scan_item {
    enum batch_scan_kind kind;
    uint64_t offset, bytes; /* what it covers */
    /* FOUND; arrays in the arena */
    struct batch_found *batches;
    size_t batch_count;
    struct wal_entry *entries; /* frames that passed all checks, in order */
    size_t entry_count;
    struct batch_gap *gaps; /* the others, in order */
    size_t gap_count;
    /* BAD */
    bool last; /* no good batch follows in this segment, and zeros behind it are not counted in */
};

/* The next stretch: FOUND batches until there are about `want` entries, or BAD, or END. STEME_NO_MEMORY when the arena
 * is full. */
MUST_CHECK steme_status batch_scan_next(struct batch_scan *scan, size_t want, struct arena *arena,
                                        struct batch_scan_item *out, struct steme_error *err);

/* Offset behind the last byte that is not zero in bytes[0..size), 0 when all are. */
uint64_t batch_scan_used(const uint8_t *bytes, uint64_t size);

#endif
