/* SPDX-License-Identifier: Apache-2.0 */
/* Learned reliability: how often each voice is right, learned from what all voices said in one scope, without knowing
 * the truth. A model is a pure function of the data and the parameters: the same bits on any machine, whatever the
 * voices and labels are called (but for perfect ties: reliability_temper.c). Formulas, whose they are and the reasons
 * of the defaults: at the top of reliability.c and reliability_numbers.c, and docs/lenses.md. Any thread. */
#ifndef CORTEX_RELIABILITY_H
#define CORTEX_RELIABILITY_H

#include "base/arena.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REL_STRANGER UINT32_MAX  /* a voice the model has not heard */
#define REL_NEW_LABEL UINT32_MAX /* a value no item of the data had */

/* What one voice says about one value of one item. Strengths 0..1: the greatest confidence it put behind that side.
 * A voice may speak on several values of an item; on each at most once. */
struct rel_answer {
    uint32_t voice; /* index into the scope's voices; or REL_STRANGER, in an item to judge */
    uint32_t value; /* index into the item's values */
    double support, refute;
};

/* One item: a slot, or of a many-valued predicate one claim with the two values "yes" and "no". */
struct rel_item {
    const uint32_t *labels; /* value_count: scope-wide label of each value, all different: equal objects of different
                               items share one; or REL_NEW_LABEL, in an item to judge */
    const struct rel_answer *answers; /* by voice, then value */
    size_t answer_count;
    uint32_t value_count;
};

struct rel_data {
    const struct rel_item *items;
    size_t item_count;
    size_t voice_count, label_count; /* both at most UINT32_MAX - 1 */
};

enum rel_method {
    REL_AUTO,
    REL_ONE_COIN,       /* a voice is right with one probability, and otherwise says any other label alike */
    REL_CONFUSION,      /* a voice has a matrix: what it says where the truth is this or that */
    REL_SOURCE_ACCURACY /* one-coin over open values: an item has some false values, of which few are said */
};

struct rel_params {         /* zeros: the defaults */
    enum rel_method method; /* REL_AUTO: by the data. REL_CONFUSION with more labels than REL_LABELS_MAX or matrices
                               that would outgrow the data: STEME_BAD_INPUT */
    bool copying;           /* look for voices that copy one another, and discount them */
    bool uncalibrated;      /* leave the temperature out: for comparison */
    double prior;           /* weight of "none of these", as for consensus; 0: LENS_PRIOR */
};

#define REL_LABELS_MAX 32u /* most labels that confusion is learned over */

struct rel_voice {       /* what was learned of one voice */
    double accuracy;     /* 0..1: posterior mean of the chance that what it says is right */
    double low, high;    /* 95 % interval of that */
    double answers;      /* how many it gave: sum of the greatest strength in each item */
    double right;        /* expected number of them that are right */
    double weight;       /* what it counts, relative to a voice of whom nothing is known = 1; 0..; not negative */
    double independence; /* 1: copies nobody; less where copying was looked for and found */
};

struct rel_state; /* the core's own */

struct rel_model {
    enum rel_method method; /* the one chosen; never REL_AUTO */
    const char *because;    /* static sentence: why that one */
    size_t iterations;
    double correlation; /* of the voices' errors: log odds about an item with n voices are divided by
                           1 + correlation (n - 1) */
    double temperature; /* that, for an item of the average number of voices; 1: as they are */
    size_t item_count, answer_count, label_count;
    const struct rel_voice *voices;
    size_t voice_count;
    const struct rel_state *state;
};

/* Learn. Everything in *out lives in the arena, which takes memory linear in answers, voices and labels. The data are
 * borrowed for the call. STEME_BAD_INPUT names what is out of range (an index, a strength); STEME_NO_MEMORY. */
MUST_CHECK steme_status rel_learn(const struct rel_data *data, const struct rel_params *params, struct arena *arena,
                                  const struct rel_model **out, struct steme_error *err);

/* Probability of each value of one item under the model, value_count of them; they are 0..1 and sum to at most 1: the
 * rest is for values that nobody named. For an item of the data it is exactly what learning believed. The scratch is
 * left as it was found. */
MUST_CHECK steme_status rel_judge(const struct rel_model *model, const struct rel_item *item, struct arena *scratch,
                                  double *p_out, struct steme_error *err);

/* ---- numbers: integers, decimals, quantities; each voice has a variance that is learned over the scope ---- */

struct rel_measure {
    uint32_t voice; /* or REL_STRANGER, in an item to judge */
    double x;       /* finite */
    double error;   /* stated standard error; 0: none */
};

struct rel_number_item {
    const struct rel_measure *measures; /* by voice */
    size_t count;
};

struct rel_estimate {
    double mean, error; /* error: standard error of the mean; both NAN for an item nobody measured.
                           Error is 0 where all agreed on everything, NAN where nobody spoke on what another had
                           and no errors are stated */
};

struct rel_number_voice {
    double deviation; /* typical distance of what it says from the truth, in the items' unit; 0 and NAN as for error */
    double weight;    /* relative to a voice of whom nothing is known = 1; 0.. */
    double answers;   /* how many items it measured */
};

struct rel_number_model {
    const struct rel_number_voice *voices;
    size_t voice_count;
    size_t iterations;
    size_t item_count, answer_count;
    const struct rel_number_state *state; /* the core's own */
};

/* As rel_learn; of params nothing is used yet. */
MUST_CHECK steme_status rel_learn_numbers(const struct rel_number_item *items, size_t count, size_t voice_count,
                                          const struct rel_params *params, struct arena *arena,
                                          const struct rel_number_model **out, struct steme_error *err);
/* weights_out: one for each measure, 0..1, sum 1; may be NULL. */
MUST_CHECK steme_status rel_judge_numbers(const struct rel_number_model *model, const struct rel_number_item *item,
                                          struct rel_estimate *out, double *weights_out, struct steme_error *err);

#endif
