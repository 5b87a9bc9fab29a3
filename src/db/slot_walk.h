/* SPDX-License-Identifier: Apache-2.0 */
/* A walk over the slots of the index that a pattern may match. Where it stands is kept outside of any cursor, so that
 * it survives a renewed index. Patterns are matched by hash here, by name once a slot is judged. One thread. */
#ifndef DB_SLOT_WALK_H
#define DB_SLOT_WALK_H

#include "base/slice.h"
#include "cortex/judge.h"

struct slot_walk {
    struct slot_ref at;
    bool only_route;
    uint64_t route;     /* with only_route */
    uint32_t predicate; /* with has_predicate: other slots are passed over without a look at their records */
    bool has_predicate;
};

/* From the first slot on. Empty names match any. */
struct slot_walk slot_walk_begin(struct steme_slice subject, struct steme_slice predicate);
/* Move to the slot at or behind walk->at. STEME_NOT_FOUND: there is none. *passed_out: it is none that matches. */
MUST_CHECK steme_status slot_walk_next(struct reader *reader, struct slot_walk *walk, bool *passed_out,
                                       struct steme_error *err);
/* Behind the slot: false at the end of all there can be. */
bool slot_walk_step(struct slot_walk *walk);
/* Whether a slot may match. */
bool slot_walk_takes(const struct slot_walk *walk, const struct slot_ref *slot);

/* Whether a name is what is wanted; an empty one wants any. */
static inline bool slot_walk_matches(struct steme_slice wanted, struct steme_slice name)
{
    return wanted.size == 0 || slice_equal(wanted, name);
}

#endif
