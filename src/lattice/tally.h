/* SPDX-License-Identifier: Apache-2.0 */
/* The ballot box: the ballots on each target, folded into one Y row in the transaction that puts their own rows.
 *
 * A row is a function of a set: of the votes on the target and of the revisions by which voters took ballots back.
 * Whatever the order they came in, and whether they came in one step, in many or in bulk, the row is the same byte for
 * byte. Of each voter the latest ballot counts (greatest cast_at, ties by id), unless its voter retracted it; no
 * earlier one takes its place then.
 *
 * Three ways to it, one result: folding a step's rows into what is there (online), walking all ballots (bulk, verify),
 * and counting one target's as of a moment. */
#ifndef LATTICE_TALLY_H
#define LATTICE_TALLY_H

#include "lattice/evidence.h"
#include "lattice/projection.h"

/* What a target's ballots amount to at a reader's moment. */
struct tally {
    struct tally_row row;
    uint64_t expired; /* voters whose latest ballot was cast before the reader's ballots_from_us; not in row's sums */
};

/* Count the ballots on a target (key_ballot_prefix()) at the reader's moment: from its Y row when that knows of nothing
 * past the moment, else from the ballots. The two never differ. STEME_CORRUPT: the index lies. */
MUST_CHECK steme_status tally_at(struct reader *reader, const struct key_bytes *target, struct arena *arena,
                                 struct tally *out, struct steme_error *err);
/* From the ballots in any case; memory does not depend on how many there are. */
MUST_CHECK steme_status tally_recount(struct reader *reader, const struct key_bytes *target, struct arena *arena,
                                      struct tally *out, struct steme_error *err);

/* Recount every target that has a ballot below the reader's limit and hand its Y row over, in the order of keys. */
MUST_CHECK steme_status tally_each(struct reader *reader, struct arena *arena, const struct row_sink *sink,
                                   struct steme_error *err);

/* Folding one transaction. Per voter and target it remembers what counted before and what counts now, so a target with
 * many ballots is looked at and written once; the ballots that were there already are not read again, but for the last
 * of each voter who votes. One thread. */
struct tally_fold {
    struct reader reader;
    struct arena *arena;
    struct tally_voter *voters;
    size_t count, capacity;
    uint32_t *slots; /* open addressing: place in voters + 1 */
    size_t slot_count;
};
/* txn stays the caller's; what is remembered lives in the arena, which nobody may rewind before tally_fold_end(). */
MUST_CHECK steme_status tally_fold_begin(struct tally_fold *fold, struct wal *wal, struct kv_txn *txn,
                                         struct arena *arena, struct steme_error *err);
/* A row that is about to be put, and was not there before; all but V, A and X are let pass. */
MUST_CHECK steme_status tally_fold_row(struct tally_fold *fold, struct steme_slice key, struct steme_slice value,
                                       struct steme_error *err);
/* Put the Y rows. *new_bytes_out: keys and values of those that are new. */
MUST_CHECK steme_status tally_fold_end(struct tally_fold *fold, uint64_t *new_bytes_out, struct steme_error *err);

#endif
