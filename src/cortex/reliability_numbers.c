/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of voices with learned variances: a weighted mean and a variance in turn. */
#include "base/check.h"
#include "cortex/numeric.h"
#include "cortex/reliability.h"

#include <float.h>
#include <math.h>

enum { STEPS_MAX = 50 };

/* How many answers the variance of the crowd is worth to a voice of whom little is known. */
static const double shrinkage = 4;

struct rel_number_state {
    const double *variances; /* by voice */
    double stranger;         /* of one not heard */
};

static double variance_of(const struct rel_number_state *state, const struct rel_measure *measure)
{
    double variance = measure->voice == REL_STRANGER ? state->stranger : state->variances[measure->voice];
    return variance + measure->error * measure->error;
}

static struct rel_estimate judge_item(const struct rel_number_state *state, const struct rel_number_item *item,
                                      double *weights)
{
    if (item->count == 0) return (struct rel_estimate){ NAN, NAN };
    double least = INFINITY;
    for (size_t m = 0; m < item->count; m++)
        least = fmin(least, variance_of(state, &item->measures[m]));
    double origin = item->measures[0].x, total = 0, moment = 0;
    for (size_t m = 0; m < item->count; m++) {
        double weight = least / variance_of(state, &item->measures[m]);
        total += weight;
        moment += weight * (item->measures[m].x - origin);
    }
    for (size_t m = 0; weights && m < item->count; m++)
        weights[m] = least / variance_of(state, &item->measures[m]) / total;
    return (struct rel_estimate){ origin + moment / total, sqrt(least / total) };
}

static steme_status check_item(const struct rel_number_item *item, size_t voice_count, bool strangers, size_t number,
                               struct steme_error *err)
{
    for (size_t m = 0; m < item->count; m++) {
        const struct rel_measure *measure = &item->measures[m];
        bool known = measure->voice < voice_count || (strangers && measure->voice == REL_STRANGER);
        if (!known)
            return error_set(err, STEME_BAD_INPUT, "item %zu, measure %zu: voice %u of %zu", number, m, measure->voice,
                             voice_count);
        bool sound = fabs(measure->x) <= DBL_MAX && measure->error >= 0 && measure->error <= DBL_MAX;
        if (!sound)
            return error_set(err, STEME_BAD_INPUT, "item %zu, measure %zu: %g with an error of %g is no measurement",
                             number, m, measure->x, measure->error);
    }
    return STEME_OK;
}

steme_status rel_learn_numbers(const struct rel_number_item *items, size_t count, size_t voice_count,
                               const struct rel_params *params, struct arena *arena,
                               const struct rel_number_model **out, struct steme_error *err)
{
    (void)params;
    size_t answer_count = 0;
    for (size_t i = 0; i < count; i++) {
        steme_status status = check_item(&items[i], voice_count, false, i, err);
        if (status) return status;
        answer_count += items[i].count;
    }
    struct rel_number_model *model = arena_calloc(arena, 1, sizeof *model);
    struct rel_number_state *state = arena_calloc(arena, 1, sizeof *state);
    struct rel_number_voice *voices = arena_calloc(arena, voice_count, sizeof *voices);
    double *variances = arena_calloc(arena, voice_count, sizeof *variances);
    if (!model || !state || !voices || !variances) return arena_full(arena, err);
    struct arena_mark mark = arena_mark(arena);
    double *losses = arena_calloc(arena, voice_count, sizeof *losses);
    double *answers = arena_calloc(arena, voice_count, sizeof *answers);
    if (!losses || !answers) return arena_full(arena, err);
    *state = (struct rel_number_state){ .variances = variances, .stranger = 1 };
    for (size_t v = 0; v < voice_count; v++)
        variances[v] = 1;
    size_t step = 0;
    for (; step < STEPS_MAX; step++) {
        double total = 0, heard = 0;
        for (size_t v = 0; v < voice_count; v++)
            losses[v] = answers[v] = 0;
        for (size_t i = 0; i < count; i++) {
            struct rel_estimate estimate = judge_item(state, &items[i], NULL);
            for (size_t m = 0; m < items[i].count; m++) {
                double gap = items[i].measures[m].x - estimate.mean;
                losses[items[i].measures[m].voice] += gap * gap;
                answers[items[i].measures[m].voice]++;
                total += gap * gap;
                heard++;
            }
        }
        if (total <= 0 || heard <= 0) break;
        state->stranger = total / heard;
        for (size_t v = 0; v < voice_count; v++)
            variances[v] = (losses[v] + shrinkage * state->stranger) / (answers[v] + shrinkage);
    }
    for (size_t v = 0; v < voice_count; v++)
        voices[v] = (struct rel_number_voice){ .deviation = sqrt(variances[v]),
                                               .weight = state->stranger / variances[v],
                                               .answers = answers[v] };
    arena_rewind(arena, mark);
    *model = (struct rel_number_model){ .voices = voices,
                                        .voice_count = voice_count,
                                        .iterations = step,
                                        .item_count = count,
                                        .answer_count = answer_count,
                                        .state = state };
    *out = model;
    return STEME_OK;
}

steme_status rel_judge_numbers(const struct rel_number_model *model, const struct rel_number_item *item,
                               struct rel_estimate *out, double *weights_out, struct steme_error *err)
{
    steme_status status = check_item(item, model->voice_count, true, 0, err);
    if (status) return status;
    *out = judge_item(model->state, item, weights_out);
    return STEME_OK;
}
