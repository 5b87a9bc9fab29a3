/* SPDX-License-Identifier: Apache-2.0 */
/* Which questions a record bears on: the slots whose answer may be another once the record is there than it was before.
 * It never leaves one out; it may name one whose answer stays. What keeps answers up to date (views, watch) adds the
 * records that came in and judges again what is named; nothing else can have changed.
 *
 *   assertion            its slot; with predicate steme:cardinality also every slot of the predicate it is about
 *   vote on assertion    the assertion's slot           vote on claim      the slot that has the claim
 *   vote on agent/source any slot, for lenses that weigh voices (authority)         vote on an epoch    nothing
 *   revision             of each target: an assertion's slot; of a vote what the vote bears on
 *   epoch                any slot: which epochs are superseded may have changed
 *   bundle               nothing: its members are records of the log themselves
 *
 * A vote or revision whose target isn't there yet bears on nothing: the target will when it comes. The reader must see
 * the records that are added (its limit lies behind them) and may see more. Pure but for reading; one thread. */
#ifndef LATTICE_TOUCHED_H
#define LATTICE_TOUCHED_H

#include "lattice/evidence.h"

struct touched {
    struct slot_ref *slots; /* sorted, each once, after touched_sort() */
    size_t slot_count, slot_capacity;
    uint32_t *predicates; /* first 4 bytes of their hash, as in slot_ref: every slot of theirs; sorted, each once */
    size_t predicate_count, predicate_capacity;
    bool weights; /* who endorses whom: any slot, but only under lenses that weigh voices */
    bool epochs;  /* which epochs are superseded: any slot, under any lens */
    /* The claim looked for last: votes come in storms. */
    uint64_t claim_route;
    uint8_t claim[16];
    bool claim_known, claim_found;
    struct slot_ref claim_slot;
};

/* Add what one record of the log bears on to *touched, which is zeroed to begin with; its lists live in the arena.
 * identity: of an assertion, where the caller has it; else NULL. A record that can't be applied (a dead letter) adds
 * nothing. STEME_CORRUPT: the index lies. STEME_NO_MEMORY: more is touched than the arena may hold. */
MUST_CHECK steme_status touched_add(struct reader *reader, const struct wal_entry *entry,
                                    const struct identity *identity, struct arena *arena, struct touched *touched,
                                    struct steme_error *err);

/* Sort the lists and leave one of each; adding may go on afterwards. */
void touched_sort(struct touched *touched);

/* Whether a slot is among what is named; sorted before. weighs: the lens weighs voices. */
bool touched_has(const struct touched *touched, const struct slot_ref *slot, bool weighs);

/* Whether more is named than `slots`: then every slot there is may be asked with touched_has(). */
static inline bool touched_widely(const struct touched *touched, bool weighs)
{
    return touched->epochs || touched->predicate_count || (weighs && touched->weights);
}

/* Order of slots in the index. */
int slot_ref_compare(const struct slot_ref *a, const struct slot_ref *b);

#endif
