/* SPDX-License-Identifier: Apache-2.0 */
/* The writing end of the log: where the next batch goes, and the file it goes into. One thread at a time. */
#ifndef SPINE_SEGMENT_TAIL_H
#define SPINE_SEGMENT_TAIL_H

#include "spine/batch.h"
#include "spine/commit.h"
#include "spine/segment_table.h"

struct segment_tail {
    struct segment_table *table;
    struct steme_hash store_id;
    uint64_t segment_bytes; /* length of segments yet to be made */
    struct host_file *file; /* NULL until the first write */
    uint32_t segment;
    uint64_t offset;         /* where the next batch goes */
    uint64_t capacity_bytes; /* of the segment */
    bool reserved;           /* its space is allocated up to the capacity */
    uint64_t next_sequence;
    struct steme_hash batch; /* hash of the batch that ends here */
    int64_t received_at_us;  /* of that batch, or the segment's birth if that is later */
    struct batch pending;    /* written behind it and not yet synced */
    struct steme_hash pending_hash;
    uint8_t *scratch; /* prefixes of one batch, for their hash */
};

/* The other members are set by the caller. STEME_NO_MEMORY. */
MUST_CHECK steme_status segment_tail_init(struct segment_tail *tail, struct steme_error *err);
/* Closes and frees. trim: cut the zeros behind the last batch off the file, if it was written to. */
void segment_tail_deinit(struct segment_tail *tail, bool trim);

/* Seal the batch and write it behind the last one, in a new segment if need be. See commit_options.write. */
MUST_CHECK steme_status segment_tail_write(struct segment_tail *tail, uint8_t *bytes, uint32_t size, uint32_t count,
                                           struct commit_place *out, struct steme_error *err);
/* Sync the batch that was just written: now it is the last one. See commit_options.sync. */
MUST_CHECK steme_status segment_tail_sync(struct segment_tail *tail, struct steme_error *err);

#endif
