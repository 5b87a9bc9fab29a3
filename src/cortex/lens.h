/* SPDX-License-Identifier: Apache-2.0 */
/* Lenses as pure functions: the evidence of one slot in, a distribution over its claims out. No clock, no files, no
 * randomness, no order of arrival: the caller hands claims sorted by id and voices sorted within a claim, so sums are
 * taken in one order on every machine, with operations that IEEE 754 rounds in one way (cortex/numeric.h). Any thread.
 * Formulas: at the top of approval.c (consensus, authority) and of each lens_*.c, and in docs/lenses.md. */
#ifndef CORTEX_LENS_H
#define CORTEX_LENS_H

#include "base/arena.h"
#include "base/error.h"
#include "cortex/reliability.h"
#include "lattice/reach.h"
#include "steme/lens.h"
#include "steme/limits.h"
#include "steme/types.h"

/* What a prior of 0 stands for: "none of these" weighs half a voice (docs/decisions/0007). */
#define LENS_PRIOR 0.5
/* The largest prior: one voice for each row that a question may gather, and no sum overflows. */
#define LENS_PRIOR_MAX ((double)STEME_EVIDENCE_ROWS_MAX)

/* What one voice says about one claim, assertions and ballots together. Strengths are 0..1: the greatest confidence (or
 * ballot probability) it ever put behind that side; ten assertions of one voice are one opinion. */
struct lens_voice {
    uint8_t voice[16];    /* first bytes of the agent id or source id; sorted, no two alike within a claim */
    double support;       /* for the claim; 0 if it never spoke for it */
    double refute;        /* against it */
    double weight;        /* authority: 0..1; every other lens: 1 */
    int64_t latest_at_us; /* newest supporting assertion; INT64_MIN if none: then it only voted */
    uint32_t number;      /* only where lens_ops.needs_model: in the model; REL_STRANGER: not heard there */
};

struct lens_claim {
    uint8_t claim[16]; /* first bytes of the positive claim id; sorted, no two alike */
    const struct lens_voice *voices;
    size_t voice_count;
    uint32_t assertions, refutations, votes_for, votes_against; /* counts for the belief, passed through */
    int64_t latest_at_us;     /* newest live assertion for it; INT64_MIN if there are only ballots or refutations */
    double latest_confidence; /* of that assertion, 0..1 */
    enum steme_kind kind;
    const struct steme_value *value; /* only where lens_ops.needs_values, else NULL */
    uint32_t label;                  /* only where lens_ops.needs_model: in the model; REL_NEW_LABEL: not there */
};

/* What was learned of the voices of a predicate (cortex/learning.h). One of the two. */
struct lens_model {
    const struct rel_model *labels;
    const struct rel_number_model *numbers; /* NULL unless its claims are measurements */
    struct steme_slice unit;                /* of those */
};

struct lens_input {
    const struct lens_claim *claims;
    size_t claim_count;
    bool functional;                /* claims compete; else each is judged alone */
    const struct lens_model *model; /* only where lens_ops.needs_model, else NULL */
};

/* Per claim, in the order of the input. */
struct lens_score {
    double probability; /* 0..1; in a functional slot they sum to at most 1, also after rounding, in any order */
    double support, refute;
};

struct lens_result {
    struct lens_score *scores; /* claim_count of them, in the arena */
    double margin;             /* see steme_answer.margin; finite, at least 0 */
    enum steme_verdict verdict;
    bool has_pooled;            /* the pool lens found something to pool */
    struct steme_pooled pooled; /* unit borrows from the input's values; without has_pooled only left_out is set */
};

struct lens_ops {
    struct steme_lens_info info;
    bool needs_values;  /* wants lens_claim.value */
    bool needs_weights; /* wants lens_voice.weight from cortex/authority.h */
    bool needs_model;   /* wants lens_input.model, with numbers and labels in it */
    /* Call it through lens_judge(), which keeps the promises. */
    steme_status (*judge)(const struct lens_input *input, const struct steme_lens *lens, struct arena *arena,
                          struct lens_result *out, struct steme_error *err);
};

/* By name; NULL name: consensus. STEME_BAD_INPUT with a suggestion when there is none. */
MUST_CHECK steme_status lens_find(const char *name, const struct lens_ops **out, struct steme_error *err);
/* What its judgement of a slot looks at beyond the slot. */
struct reach lens_reach(const struct lens_ops *ops);
/* Parameters in range (half life, damping, prior, roots), else STEME_BAD_INPUT naming the parameter. */
MUST_CHECK steme_status lens_check(const struct steme_lens *lens, struct steme_error *err);
/* Run it: checks parameters, the input's order and strengths (invariants) and the result's promises (finite, 0..1,
 * sum). STEME_BAD_INPUT, or STEME_NO_MEMORY when the arena is full. */
MUST_CHECK steme_status lens_judge(const struct lens_ops *ops, const struct lens_input *input,
                                   const struct steme_lens *lens, struct arena *arena, struct lens_result *out,
                                   struct steme_error *err);

/* The lenses, each in its own file. */
extern const struct lens_ops lens_recency, lens_consensus, lens_authority, lens_reliability, lens_pool, lens_union;

/* Verdict of a distribution: steme_verdict's rules. `best` and `rival` are the two greatest probabilities. Where
 * nothing has a probability above 0 (no claims, only refutations, only voices without weight) it is UNDECIDED, also in
 * a many-valued slot; a many-valued slot is otherwise LISTED. */
enum steme_verdict lens_verdict(const struct lens_input *input, double best, double rival);

#endif
