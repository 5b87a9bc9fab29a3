/* SPDX-License-Identifier: Apache-2.0 */
/* A snapshot inside the library: a reader with a judge over it, memory for answers, and the way out when the index
 * lies. */
#ifndef DB_SNAPSHOT_H
#define DB_SNAPSHOT_H

#include "cortex/judge.h"
#include "db/store.h"

struct bundle_place {
    uint64_t location;
    struct steme_hash id;
};

struct steme_snapshot {
    struct steme_store *store;
    struct index *index;
    struct trust *trust;
    struct steme_moment moment;
    uint64_t as_of_sequence; /* last one looked at */
    struct reader reader;
    struct judge judge;
    struct arena arena; /* answers */

    struct arena bundle_arena;
    uint64_t bundles_batch; /* the bundles of one batch, remembered because its members are asked for together */
    struct bundle_place *bundles;
    size_t bundle_count;
    bool bundles_damaged; /* some frames of the batch can't be read: a member's bundle may be one of them */
};

/* After an operation on the snapshot answered `status`: true if it was STEME_CORRUPT for the first time and the index
 * has been made anew, so that the operation is worth another try; *attempt counts. */
bool snapshot_renewed(struct steme_snapshot *snapshot, steme_status status, unsigned *attempt, struct steme_error *err);

/* A frame as the public sees it, decoded; lives in the arena. */
MUST_CHECK steme_status snapshot_entry(struct steme_snapshot *snapshot, const struct wal_entry *frame,
                                       struct arena *arena, struct steme_entry *out, struct steme_error *err);

/* Frame of the record with this id, held against it. STEME_NOT_FOUND without a message. */
MUST_CHECK steme_status snapshot_frame(struct steme_snapshot *snapshot, const struct steme_hash *id,
                                       struct wal_entry *out, struct steme_error *err);

/* One assertion unfolded: its entry, ballots and revisions; standing, claim, voice and weight are given. */
MUST_CHECK steme_status snapshot_testimony(struct steme_snapshot *snapshot, const struct testimony *from, double weight,
                                           struct steme_testimony *out, struct steme_error *err);
/* Votes on a target unfolded, oldest first. */
MUST_CHECK steme_status snapshot_ballots(struct steme_snapshot *snapshot, const struct steme_target *target,
                                         struct steme_ballot **out, size_t *count_out, struct steme_error *err);

/* How a walk over rows ended: with what a row or a visitor said, else with what the cursor said but for "no more". */
MUST_CHECK static inline steme_status walk_status(steme_status said, steme_status cursor)
{
    return said || cursor == STEME_NOT_FOUND ? said : cursor;
}

/* The slot of a question; qualifiers are encoded as the format has them. */
MUST_CHECK steme_status snapshot_slot(struct steme_snapshot *snapshot, const struct steme_question *question,
                                      struct judge_slot *out, struct steme_error *err);
/* Judge it; fills what the judge does not know. weighing may be NULL. */
MUST_CHECK steme_status snapshot_judge(struct steme_snapshot *snapshot, const struct judge_slot *slot,
                                       const struct steme_lens *lens, struct arena *arena, struct steme_answer *out,
                                       struct judge_weighing *weighing, struct steme_error *err);

#endif
