/* SPDX-License-Identifier: Apache-2.0 */
/* What a store must answer, worked out a second time in the plainest way: from docs/lenses.md and the public headers,
 * over a list of records, with nothing of the engine's lattice and lenses. Slow and easy to check. Pure.
 * One exception: reliability's learner is the engine's (cortex/reliability.h). A second one would share its formulas,
 * and what it is worth is shown on sets with known truth. What it learns from is worked out here like all the rest. */
#ifndef SIM_REFERENCE_H
#define SIM_REFERENCE_H

#include "sim/stock.h"
#include "steme/query.h"

#define REFERENCE_CLAIMS 64u

/* A record that is in the log; its first copy. */
struct reference_entry {
    const struct stock_record *record;
    uint64_t sequence;
    int64_t received_at_us;
};

struct reference {
    const struct stock *stock;
    const struct reference_entry *entries; /* in the order of the log */
    size_t count;
    uint64_t as_of_sequence; /* later ones are not looked at */
    int64_t valid_at_us;     /* STEME_TIME_MAX: not asked */
    int64_t ballots_from_us; /* ballots cast before do not count */
};

struct reference_belief {
    struct steme_hash claim;
    double probability;
    double support, refute; /* not for recency and pool */
    uint32_t support_voices, refute_voices;
    uint32_t assertions, refutations, votes_for, votes_against;
    /* of the newest assertion for it, of those as new the one with the smallest id; NULL: there are only refutations */
    const struct reference_entry *newest;
    int64_t latest_at_us;
};

struct reference_answer {
    enum steme_verdict verdict;
    bool functional;
    struct reference_belief beliefs[REFERENCE_CLAIMS]; /* in no order */
    size_t belief_count;
    uint32_t voices, assertions, votes;
    double margin; /* -1: the documentation leaves it open */
    bool unclear;  /* so it does the rest of the answer */
    bool has_pooled;
    struct steme_pooled pooled;
    struct steme_learned learned; /* by reliability */
};

void reference_resolve(const struct reference *reference, const struct stock_slot *slot, const struct steme_hash *epoch,
                       const struct steme_lens *lens, struct reference_answer *out);

/* Which standings an assertion may have: with several reasons not to live, any of them. */
unsigned reference_standings(const struct reference *reference, const struct stock_record *assertion,
                             const struct steme_hash *epoch); /* bits 1 << enum steme_standing */

struct steme_tally reference_tally(const struct reference *reference, const struct steme_target *target);

#endif
