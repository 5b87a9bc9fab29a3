/* SPDX-License-Identifier: Apache-2.0 */
/* The scores of a slot's claims: what every lens does before and after its own formula. Pure; any thread. */
#ifndef CORTEX_SCORE_H
#define CORTEX_SCORE_H

#include "cortex/lens.h"

/* The first and second place of a distribution. */
struct score_podium {
    size_t best;   /* index of the greatest probability, the first of equals; meaningless without claims */
    double first;  /* that probability; 0 without claims */
    double second; /* the greatest of the others; 0 without others */
};

/* *out zeroed, with a score for each claim in the arena: S_c and R_c of every claim c,
 *   S_c = sum over its voices of weight * support,    R_c = sum over its voices of weight * refute,
 * and probabilities 0. */
MUST_CHECK steme_status score_open(const struct lens_input *input, struct arena *arena, struct lens_result *out,
                                   struct steme_error *err);

/* The lens has set the probabilities, each 0..1 and in a functional slot with a sum of 1 at most but for rounding.
 * Where rounding could carry that sum, taken in any order, past 1, it is rounded away: by parts in 10^16, downwards,
 * keeping the order. Sets the verdict by lens_verdict(). */
void score_close(const struct lens_input *input, struct lens_result *result);

struct score_podium score_rank(const struct lens_score *scores, size_t count);

#endif
