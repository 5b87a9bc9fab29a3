/* SPDX-License-Identifier: Apache-2.0 */
/* Walk a segment to its end and note what is wrong on the way, without judging yet. One thread. */
#ifndef SPINE_RECOVERY_WALK_H
#define SPINE_RECOVERY_WALK_H

#include "spine/batch_scan.h"
#include "spine/quarantine.h"

/* A point between batches, and what must follow there. */
struct recovery_point {
    uint64_t offset;
    uint64_t next_sequence; /* 0: unknown */
    int64_t received_at_us;
    struct steme_hash batch;
    bool linked; /* see struct batch_scan */
};

struct recovery_walk {
    struct recovery_point now;    /* behind the last good batch header's batch */
    struct recovery_point before; /* where that batch begins; equal to `now` while there is none */
    bool any;                     /* there was a batch */
    /* Stretches that are no good batch or frame, in order, in the arena; reason not set. The first `proven` of them
     * have a good batch behind them. */
    struct quarantine_stretch *stretches;
    size_t count, max, proven;
};

/* Walk bytes[0..size), which lie at offset `from` of the segment, from `start` on (start->offset >= from). Stretches
 * point into bytes. STEME_NO_MEMORY. */
MUST_CHECK steme_status recovery_walk(const uint8_t *bytes, uint64_t from, uint64_t size, uint64_t store,
                                      uint32_t segment, const struct recovery_point *start, struct arena *arena,
                                      struct recovery_walk *out, struct steme_error *err);

#endif
