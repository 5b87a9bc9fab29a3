/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the reference share: which records count, and who says what about which claim. Not for others. */
#ifndef SIM_REFERENCE_OPINIONS_H
#define SIM_REFERENCE_OPINIONS_H

#include "base/check.h"
#include "sim/reference.h"

#include <math.h>
#include <string.h>

#define REFERENCE_OPINIONS 4096u

/* A live assertion, or a ballot that counts. */
struct opinion {
    const struct reference_entry *entry; /* the assertion or vote */
    struct steme_hash claim, voice;
    bool is_assertion, positive;
    double strength; /* 0..1 */
    int64_t at_us;   /* of an assertion */
};

struct opinions {
    struct opinion list[REFERENCE_OPINIONS];
    size_t count;
};

static inline bool same_hash(const struct steme_hash *a, const struct steme_hash *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

static inline bool same_text(struct steme_slice a, struct steme_slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* Whether the entry is of the type, and below the bound. */
bool reference_knows(const struct reference *ref, size_t i, enum steme_type type);
bool reference_ballot_counts(const struct reference *ref, size_t at);
/* All opinions about a slot: assertions in the order of the log, then ballots. */
void reference_opinions(const struct reference *ref, const struct stock_slot *slot, const struct steme_hash *epoch,
                        struct opinions *all);

static inline double reference_number(struct steme_decimal decimal)
{
    return (double)decimal.coefficient * pow(10, -decimal.scale);
}

/* Of an opinion that is an assertion. */
static inline const struct steme_value *reference_value(const struct opinion *o)
{
    return &o->entry->record->record.as.assertion.object;
}

/* P(chi-square with this many degrees >= x). */
double reference_chi_square_tail(size_t degrees, double x);
struct reference_belief *reference_belief_of(struct reference_answer *answer, const struct steme_hash *claim);

/* What reliability says of a slot whose opinions are counted in the answer: probabilities, strengths, of numbers what
 * is pooled, and what was learned from. */
void reference_learn(const struct reference *ref, const struct stock_slot *slot, const struct steme_hash *epoch,
                     const struct steme_lens *lens, struct reference_answer *answer);

#endif
