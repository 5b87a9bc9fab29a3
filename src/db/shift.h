/* SPDX-License-Identifier: Apache-2.0 */
/* How one answer differs from another, and vantages: the same question judged in two states. Pure but for reading. */
#ifndef DB_SHIFT_H
#define DB_SHIFT_H

#include "db/snapshot.h"
#include "lattice/mask.h"
#include "steme/shift.h"

/* What both answers to one question differ by; names and values point where those of the answers do, but for the key
 * qualifiers, copied to the arena. out->kind STEME_STAYED where they don't, or where neither answer has any evidence.
 * NO_MEMORY. */
MUST_CHECK steme_status shift_between(const struct steme_answer *before, const struct steme_answer *after,
                                      double threshold, struct arena *arena, struct steme_shift *out,
                                      struct steme_error *err);
/* STEME_BAD_INPUT where a threshold is not 0..1. */
MUST_CHECK steme_status shift_check_threshold(double threshold, struct steme_error *err);
/* Those that change what is believed first, then the largest; ties by subject, predicate, slot, lens. */
int shift_compare(const void *left, const void *right);

/* A state to judge in: that of a snapshot up to a limit of its own, or under a mask. It reads through the snapshot's
 * transaction: close it before the snapshot goes or its index is made anew. */
struct vantage {
    struct reader reader;
    struct judge judge;
    bool open;
};
void vantage_open(struct vantage *vantage, const struct steme_snapshot *snapshot, uint64_t limit,
                  const struct mask *mask);
void vantage_close(struct vantage *vantage); /* also one that is not open, but zeroed */

#endif
