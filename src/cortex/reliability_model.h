/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of cortex/reliability.h share: the state of a model, and its two members. Not for others. */
#ifndef CORTEX_RELIABILITY_MODEL_H
#define CORTEX_RELIABILITY_MODEL_H

#include "cortex/reliability.h"

/* What the crowd knows of a voice is worth so many answers of its own, wherever something is shrunk: as many as make a
 * stranger's word settle at half its weight within a handful of answers. From 1 to 8 nothing changes much. */
#define REL_SHRINKAGE 4.0
#define REL_ALIKE 1000.0 /* the most: voices are as good as equals */
/* A voice of whom nothing is known, before the crowd is heard, is right three times of four. */
#define REL_TRUST 0.75
#define REL_STEPS_MAX 100u
/* Done when a step moves less than this share of the answers from one truth to another. */
#define REL_STILL 5e-5

struct rel_state {
    enum rel_method method;
    uint32_t labels;      /* confusion: K */
    uint32_t voice_count; /* strangers stand at this index in the arrays by voice */
    double prior;         /* weight of what nobody named */
    double correlation;   /* of errors: n voices are worth n / (1 + correlation (n - 1)) */
    double *counts;       /* by voice: what a full word counts, 0..1: its independence */
    /* confusion */
    double *says;   /* by voice, label said, truth: chance that it says it there */
    double *truths; /* by label: how often it is the truth of an item that is not easy; sums to 1 */
    double *easy;   /* by label: share of all items that are easy and have this truth */
    double hard;    /* share of items that are not */
    /* one coin and source accuracy */
    double *accuracies;  /* by voice */
    double false_values; /* that an error chooses from */
};

/* Evidence about one item: weights, not normalised. Coin: one for each value and a last one for none of them.
 * Confusion: one for each label of the scope, then one for each value with REL_NEW_LABEL, in order. */
void confusion_weigh(const struct rel_state *state, const struct rel_item *item, double *weights);
void coin_weigh(const struct rel_state *state, const struct rel_item *item, double *weights);
/* How many voices spoke: the sum of the greatest strength of each, as far as it counts. */
double rel_voices_of(const struct rel_state *state, const struct rel_item *item);
/* Either; room for rel_evidence_size() weights, at least 1. */
size_t rel_evidence_size(const struct rel_state *state, const struct rel_item *item);
void rel_weigh(const struct rel_state *state, const struct rel_item *item, double *weights);

/* The correlation at which halves of the crowd foretell one another best, 0..1. Needs the state of a member, and by
 * voice how many answers it gave and how many are thought right. */
MUST_CHECK steme_status temper_learn(const struct rel_data *data, const struct rel_state *state,
                                     const struct rel_voice *voices, struct arena *arena, double *out,
                                     struct steme_error *err);
/* Independence of each voice, 0..1, into state->counts, by what a member has learned. */
MUST_CHECK steme_status copying_learn(const struct rel_data *data, const struct rel_voice *voices, struct arena *arena,
                                      struct rel_state *state, struct steme_error *err);

/* The two members. They fill `out` but for the temperature; *steps_out counts the steps. */
MUST_CHECK steme_status confusion_learn(const struct rel_data *data, struct arena *arena, struct rel_state *out,
                                        size_t *steps_out, struct steme_error *err);
MUST_CHECK steme_status coin_learn(const struct rel_data *data, struct arena *arena, struct rel_state *out,
                                   size_t *steps_out, struct steme_error *err);

/* Answers of one voice about an item lie together: the end of those that begin at `from`. */
static inline size_t rel_voice_end(const struct rel_item *item, size_t from)
{
    size_t end = from + 1;
    while (end < item->answer_count && item->answers[end].voice == item->answers[from].voice)
        end++;
    return end;
}

/* How much voices differ: sums over voices of n answers each, `gap` more of them right than equals would have. */
struct rel_scatter {
    double voices, answers, squares, gaps; /* squares: of n; gaps: gap^2 / n */
};

static inline void rel_scatter_add(struct rel_scatter *scatter, double answers, double gap)
{
    if (answers <= 0) return;
    scatter->voices += 1;
    scatter->answers += answers;
    scatter->squares += answers * answers;
    scatter->gaps += gap * gap / answers;
}

/* The a of a beta-binomial by moments: if accuracies have the variance u / (a + 1), u being that of one answer, then
 * E(gaps) = (voices - 1) u + (answers - squares/answers) u / (a + 1). Within REL_SHRINKAGE..REL_ALIKE. */
static inline double rel_scatter_likeness(const struct rel_scatter *scatter, double accuracy)
{
    double u = accuracy * (1 - accuracy), excess = scatter->gaps - (scatter->voices - 1) * u;
    double reach = scatter->answers > 0 ? (scatter->answers - scatter->squares / scatter->answers) * u : 0;
    if (reach <= 0) return REL_SHRINKAGE;
    if (excess * REL_ALIKE <= reach) return REL_ALIKE;
    double a = reach / excess - 1;
    return a > REL_SHRINKAGE ? a : REL_SHRINKAGE;
}

/* More than one voice spoke. What nobody else spoke on tells nothing about the one who did. */
static inline bool rel_is_checked(const struct rel_item *item)
{
    return item->answer_count > 0 && item->answers[0].voice != item->answers[item->answer_count - 1].voice;
}

/* Index into the arrays by voice. */
static inline size_t rel_voice_row(const struct rel_state *state, uint32_t voice)
{
    return voice == REL_STRANGER ? state->voice_count : voice;
}

#endif
