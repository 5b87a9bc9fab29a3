/* SPDX-License-Identifier: Apache-2.0 */
/* A store that is thrown away, and records on their way into it: signed one by one, submitted by the thousand. One
 * thread. */
#ifndef ARENA_STAGE_H
#define ARENA_STAGE_H

#include "base/arena.h"
#include "base/buf.h"
#include "steme/steme.h"

struct stage_record; /* one that waits */

struct stage {
    char dir[512]; /* holds the store; "" before it is made */
    struct steme_store *store;
    struct buf bytes; /* of the records that wait */
    struct stage_record *waiting;
    size_t waiting_count;
    uint8_t *scratch;
    uint64_t written; /* records so far, those that wait included: the sequence number of the last */
};

/* Make the store, in a directory of its own under $TMPDIR, else /tmp. stage_close() in any case. */
MUST_CHECK steme_status stage_open(struct stage *stage, struct steme_error *err);
/* Remove it. False where something of it stays. Safe on a zeroed stage. */
bool stage_close(struct stage *stage);

/* Sign assertions as one bundle: 1..STEME_BUNDLE_MAX, their author is filled in. ids gets theirs. */
MUST_CHECK steme_status stage_bundle(struct stage *stage, const struct steme_signer *signer,
                                     struct steme_assertion *assertions, size_t count, struct steme_hash *ids,
                                     struct steme_error *err);
/* Sign a vote or a revision; its voter or author is filled in. */
MUST_CHECK steme_status stage_write(struct stage *stage, const struct steme_signer *signer, struct steme_record *record,
                                    struct steme_error *err);
/* Submit what waits, and wait until reads reflect it. */
MUST_CHECK steme_status stage_flush(struct stage *stage, struct steme_error *err);

#endif
