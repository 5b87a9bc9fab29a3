/* SPDX-License-Identifier: Apache-2.0 */
#include "db/slot_walk.h"

struct slot_walk slot_walk_begin(struct steme_slice subject, struct steme_slice predicate)
{
    struct slot_walk walk = { .only_route = subject.size > 0, .has_predicate = predicate.size > 0 };
    struct steme_hash unused;
    struct slot_ref ref = judge_slot_of(subject, predicate, slice_of(NULL, 0), &unused);
    if (walk.only_route) walk.at.route = walk.route = ref.route;
    if (walk.has_predicate) walk.predicate = ref.predicate;
    return walk;
}

bool slot_walk_takes(const struct slot_walk *walk, const struct slot_ref *slot)
{
    return (!walk->only_route || slot->route == walk->route) &&
           (!walk->has_predicate || slot->predicate == walk->predicate);
}

steme_status slot_walk_next(struct reader *reader, struct slot_walk *walk, bool *passed_out, struct steme_error *err)
{
    steme_status status = evidence_next_slot(reader, &walk->at, walk->only_route, err);
    *passed_out = !status && !slot_walk_takes(walk, &walk->at);
    return status;
}

bool slot_walk_step(struct slot_walk *walk) { return evidence_step_slot(&walk->at); }
