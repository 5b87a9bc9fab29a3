/* SPDX-License-Identifier: Apache-2.0 */
/* Which questions a record bears on: the slots whose answer may be another once the record is there than it was before.
 * It never leaves one out; it may name one whose answer stays. What keeps answers up to date (views, watch) adds the
 * records that came in and judges again what is named; nothing else can have changed.
 *
 *   assertion            its slot; with predicate steme:cardinality, by somebody whose word on that counts, also every
 *                        slot of the predicate it is about
 *   vote on assertion    the assertion's slot           vote on claim      the slot that has the claim
 *   vote on agent/source any slot, for lenses that weigh voices (authority)         vote on an epoch    nothing
 *   revision             of each target that its author made: an assertion's slot; of a vote what the vote bears on
 *   epoch                any slot: which epochs are superseded may have changed
 *   bundle               nothing: its members are records of the log themselves
 * A lens that learns from a whole predicate (reliability) is concerned by whatever bears on any slot of it.
 *
 * A vote or revision whose target isn't there yet bears on nothing: the target will when it comes. The reader must see
 * the records that are added (its limit lies behind them) and may see more. Pure but for reading; one thread. */
#ifndef LATTICE_TOUCHED_H
#define LATTICE_TOUCHED_H

#include "lattice/evidence.h"
#include "lattice/reach.h"

/* Sorted, each once, after touched_settle(). */
struct touched_list {
    void *items;
    size_t count, capacity;
};

struct touched {
    const uint8_t (*trusted)[16]; /* agent ids, sorted: whose word on cardinality counts */
    size_t trusted_count;
    bool weights;                 /* who endorses whom: any slot, but only under lenses that weigh voices */
    bool epochs;                  /* which epochs are superseded: any slot, under any lens */
    const struct slot_ref *slots; /* set by touched_settle(); sorted, each once */
    size_t slot_count;
    struct touched_list found;      /* slots */
    struct touched_list predicates; /* of those: first 4 bytes of their hash, as in slot_ref */
    struct touched_list schemas;    /* the same of predicates whose cardinality is touched: every slot of theirs */
    struct touched_list claims;     /* voted on, their slots not looked for yet */
};

/* Nothing yet; the trusted stay the caller's. */
struct touched touched_by(const uint8_t (*trusted)[16], size_t trusted_count);

/* Add what records of the log bear on; the lists live in the arena. A record that can't be applied (a dead letter) adds
 * nothing. STEME_CORRUPT: the index lies. STEME_NO_MEMORY: more is touched than the arena may hold. */
MUST_CHECK steme_status touched_add(struct reader *reader, const struct wal_entry *entries, size_t count,
                                    struct arena *arena, struct touched *touched, struct steme_error *err);

/* Find the slots of claims that were voted on, with one walk for all of a subject, and sort: what was added can be
 * asked for. Adding may go on afterwards. Answers what touched_add() does. */
MUST_CHECK steme_status touched_settle(struct reader *reader, struct arena *arena, struct touched *touched,
                                       struct steme_error *err);

/* Of what is settled, under a lens with this reach: whether a slot is named; whether every slot of a predicate is;
 * whether more is named than `slots`, so that every slot there is may be asked with touched_has(). */
bool touched_has(const struct touched *touched, const struct slot_ref *slot, struct reach reach);
bool touched_has_all_of(const struct touched *touched, uint32_t predicate, struct reach reach);
bool touched_widely(const struct touched *touched, struct reach reach);

/* Order of slots in the index. */
int slot_ref_compare(const struct slot_ref *a, const struct slot_ref *b);

#endif
