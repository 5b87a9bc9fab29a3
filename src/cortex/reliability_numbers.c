/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers: each voice v says the truth of an item with a Gaussian error of variance s_v, learned over the scope (as in
 * LFC for numbers, Raykar et al., JMLR 11, 2010; CRH and CATD, Li et al., SIGMOD and PVLDB 2014, weigh by the inverse
 * too):
 *
 *   mean    m = sum w x / sum w,   w = 1 / (s_v + e^2),   error 1 / sqrt(sum w)      e: the stated standard error
 *   s_v       = (sum of r^2 s_v / (s_v + e^2 + 1/W') + a c) / (n_v + a)              inverse-gamma prior worth a
 *   answers c         = sum n_v / sum (n_v / s_v)                                            the crowd's variance
 *
 * r is the distance of v's answer from the mean of the others, who have the weight W' together. Measured from a mean
 * that has v in it, a voice that weighs much looks exact because it weighs much, and takes over. That distance has the
 * variance s_v + e^2 + 1/W', of which the voice's own part is counted. CATD bounds a sparse voice's weight by a
 * chi-square quantile; the prior does the same. The crowd's variance is the harmonic mean, which is the prior's most
 * likely scale, and which one wild voice can't raise. Starts from the medians, so that wild voices have no say in who
 * is wild.
 *
 * A voice that measures an item several times has one say there: its answers share it. */
#include "base/check.h"
#include "cortex/numeric.h"
#include "cortex/reliability_model.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

static const double still = 1e-7; /* greatest relative change of a variance in the last step */
/* No voice is taken for more exact than this share of the crowd's variance at the start: else two that copy each other
 * to the digit would decide everything. */
static const double variance_min = 1e-6;
/* Of voices that were never seen to err, in squares of scale. */
static const double unseen = 1e-24;

struct rel_number_state {
    const double *variances; /* by voice, then that of a stranger; in squares of scale */
    size_t voice_count;
    double scale; /* the greatest size of a number: so nothing overflows */
    bool learned; /* else all agreed on everything, or nobody spoke on what another had: weights are equal */
    bool checked; /* somebody did */
};

/* What one voice says about an item: numbers [from, end). */
struct group {
    size_t from, end;
    double weight, mean; /* mean relative to the item's first number, in scale */
};

static size_t group_end(const struct rel_number_item *item, size_t from)
{
    size_t end = from + 1;
    while (end < item->count && item->measures[end].voice == item->measures[from].voice)
        end++;
    return end;
}

static double variance_of(const struct rel_number_state *state, uint32_t voice)
{
    return state->variances[voice == REL_STRANGER ? state->voice_count : voice];
}

static double error_of(const struct rel_number_state *state, const struct rel_measure *measure)
{
    return fmin(measure->error / state->scale, 1e100);
}

/* Distance from the item's first number, in scale; halved first, so that it can't overflow. */
static double place_of(const struct rel_number_state *state, const struct rel_number_item *item, size_t m)
{
    return 2 * ((0.5 * item->measures[m].x - 0.5 * item->measures[0].x) / state->scale);
}

static double weight_of(const struct rel_number_state *state, const struct rel_measure *measure)
{
    double error = error_of(state, measure);
    return 1 / (variance_of(state, measure->voice) + error * error);
}

static struct group weigh_group(const struct rel_number_state *state, const struct rel_number_item *item, size_t from)
{
    struct group group = { .from = from, .end = group_end(item, from) };
    double total = 0, moment = 0;
    for (size_t m = from; m < group.end; m++) {
        double weight = weight_of(state, &item->measures[m]);
        total += weight;
        moment += weight * place_of(state, item, m);
    }
    group.weight = total / (double)(group.end - from);
    group.mean = moment / total;
    return group;
}

struct total {
    double weight, moment;
};

static struct total weigh_item(const struct rel_number_state *state, const struct rel_number_item *item)
{
    struct total total = { 0 };
    for (size_t from = 0; from < item->count; from = group_end(item, from)) {
        struct group group = weigh_group(state, item, from);
        total.weight += group.weight;
        total.moment += group.weight * group.mean;
    }
    return total;
}

static void judge_item(const struct rel_number_state *state, const struct rel_number_item *item,
                       struct rel_estimate *out, double *weights)
{
    *out = (struct rel_estimate){ NAN, NAN };
    if (item->count == 0) return;
    struct total total = weigh_item(state, item);
    double mean = item->measures[0].x + state->scale * (total.moment / total.weight);
    *out = (struct rel_estimate){ fmin(fmax(mean, -DBL_MAX), DBL_MAX), state->scale / sqrt(total.weight) };
    for (size_t from = 0, end; weights && from < item->count; from = end) {
        end = group_end(item, from);
        for (size_t m = from; m < end; m++)
            weights[m] = weight_of(state, &item->measures[m]) / (double)(end - from) / total.weight;
    }
}

static steme_status check_item(const struct rel_number_item *item, size_t voice_count, bool strangers,
                               struct steme_error *err)
{
    for (size_t m = 0; m < item->count; m++) {
        const struct rel_measure *measure = &item->measures[m];
        if (measure->voice >= voice_count && !(strangers && measure->voice == REL_STRANGER))
            return error_set(err, STEME_BAD_INPUT, "measure %zu: voice %u is not one of the %zu", m, measure->voice,
                             voice_count);
        bool sound = fabs(measure->x) <= DBL_MAX && measure->error >= 0 && measure->error <= DBL_MAX;
        if (!sound)
            return error_set(err, STEME_BAD_INPUT, "measure %zu: %g with an error of %g is no measurement", m,
                             measure->x, measure->error);
        if (m > 0 && measure->voice < item->measures[m - 1].voice)
            return error_set(err, STEME_BAD_INPUT, "measures are not in the order of voices at %zu", m);
    }
    return STEME_OK;
}

/* ---- learning ---- */

struct learner {
    const struct rel_number_item *items;
    size_t count;
    struct rel_number_state *state;
    double *variances, *losses, *answers; /* by voice; answers: those that others could check */
    double *medians;                      /* scratch, for the longest item */
    double crowd, least;                  /* variances */
};

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double median_of(struct learner *learner, const struct rel_number_item *item)
{
    for (size_t m = 0; m < item->count; m++)
        learner->medians[m] = place_of(learner->state, item, m);
    qsort(learner->medians, item->count, sizeof *learner->medians, compare_doubles);
    size_t half = item->count / 2;
    return item->count % 2 ? learner->medians[half] : 0.5 * (learner->medians[half - 1] + learner->medians[half]);
}

static bool is_checked(const struct rel_number_item *item)
{
    return item->count > 0 && item->measures[0].voice != item->measures[item->count - 1].voice;
}

/* The squares of distances of one voice from `mean`, of which `part` is its own. */
static void count_losses(struct learner *learner, const struct rel_number_item *item, const struct group *group,
                         double mean, double others)
{
    double own = 1 / (double)(group->end - group->from), loss = 0;
    double variance = variance_of(learner->state, item->measures[group->from].voice);
    for (size_t m = group->from; m < group->end; m++) {
        double gap = place_of(learner->state, item, m) - mean, error = error_of(learner->state, &item->measures[m]);
        loss += own * gap * gap * (variance / (variance + error * error + others));
    }
    learner->losses[item->measures[group->from].voice] += loss;
    learner->answers[item->measures[group->from].voice] += 1;
}

static void count_from_medians(struct learner *learner, const struct rel_number_item *item)
{
    double median = median_of(learner, item);
    for (size_t from = 0; from < item->count; from = group_end(item, from)) {
        struct group group = { .from = from, .end = group_end(item, from) };
        count_losses(learner, item, &group, median, 0);
    }
}

static void count_from_others(struct learner *learner, const struct rel_number_item *item)
{
    struct total total = weigh_item(learner->state, item);
    for (size_t from = 0; from < item->count; from = group_end(item, from)) {
        struct group group = weigh_group(learner->state, item, from);
        double others = fmax(total.weight - group.weight, total.weight * DBL_EPSILON);
        double mean = (total.moment - group.weight * group.mean) / others;
        count_losses(learner, item, &group, mean, 1 / others);
    }
}

/* Greatest relative change. */
static double learn_variances(struct learner *learner)
{
    size_t voice_count = learner->state->voice_count;
    double answers = 0, precision = 0, change = 0;
    for (size_t v = 0; v < voice_count; v++) {
        double variance = (learner->losses[v] + REL_SHRINKAGE * learner->crowd) / (learner->answers[v] + REL_SHRINKAGE);
        variance = fmax(variance, learner->least);
        change = fmax(change, fabs(variance / learner->variances[v] - 1));
        learner->variances[v] = variance;
        answers += learner->answers[v];
        precision += learner->answers[v] / variance;
    }
    learner->crowd = fmax(answers / precision, learner->least);
    learner->variances[voice_count] = learner->crowd;
    return change;
}

static void forget(struct learner *learner)
{
    for (size_t v = 0; v < learner->state->voice_count; v++)
        learner->losses[v] = learner->answers[v] = 0;
}

/* The middle voice's mean loss, so that wild ones have no say; of those above 0 if that is 0. Uses the variances as
 * room. */
static double typical_loss(struct learner *learner)
{
    size_t count = 0, zeros = 0;
    for (size_t v = 0; v < learner->state->voice_count; v++) {
        if (learner->answers[v] <= 0) continue;
        zeros += learner->losses[v] <= 0;
        learner->variances[count++] = learner->losses[v] / learner->answers[v];
    }
    qsort(learner->variances, count, sizeof *learner->variances, compare_doubles);
    size_t middle = count / 2;
    return learner->variances[middle > zeros ? middle : zeros];
}

/* False where nobody differs from anybody: then there is nothing to learn. */
static bool start(struct learner *learner)
{
    size_t voice_count = learner->state->voice_count;
    forget(learner);
    for (size_t v = 0; v <= voice_count; v++)
        learner->variances[v] = 1;
    learner->state->checked = false;
    for (size_t i = 0; i < learner->count; i++)
        if (is_checked(&learner->items[i])) count_from_medians(learner, &learner->items[i]);
    double loss = 0, answers = 0;
    for (size_t v = 0; v < voice_count; v++) {
        loss += learner->losses[v];
        answers += learner->answers[v];
    }
    learner->state->checked = answers > 0;
    if (loss <= 0 || answers <= 0) {
        for (size_t v = 0; v <= voice_count; v++)
            learner->variances[v] = unseen; /* stated errors decide, where there are any */
        return false;
    }
    learner->state->learned = true;
    learner->crowd = fmax(typical_loss(learner), 1e-300);
    for (size_t v = 0; v <= voice_count; v++)
        learner->variances[v] = learner->crowd;
    learner->least = fmax(variance_min * learner->crowd, 1e-300);
    learn_variances(learner);
    return true;
}

static size_t learn(struct learner *learner)
{
    if (!start(learner)) return 0;
    size_t step = 0;
    for (double change = 1; step < REL_STEPS_MAX && change > still; step++) {
        forget(learner);
        for (size_t i = 0; i < learner->count; i++)
            if (is_checked(&learner->items[i])) count_from_others(learner, &learner->items[i]);
        change = learn_variances(learner);
    }
    return step;
}

static steme_status survey_items(const struct rel_number_item *items, size_t count, size_t voice_count,
                                 struct rel_number_model *model, size_t *longest_out, double *scale_out,
                                 struct steme_error *err)
{
    double scale = 0;
    size_t longest = 0;
    for (size_t i = 0; i < count; i++) {
        steme_status status = check_item(&items[i], voice_count, false, err);
        if (status) return error_wrap(err, status, "item %zu", i);
        model->answer_count += items[i].count;
        if (items[i].count > longest) longest = items[i].count;
        for (size_t m = 0; m < items[i].count; m++)
            scale = fmax(scale, fabs(items[i].measures[m].x));
    }
    *longest_out = longest;
    *scale_out = scale > DBL_MIN ? scale : 1;
    return STEME_OK;
}

static void describe(const struct learner *learner, struct rel_number_voice *voices)
{
    const struct rel_number_state *state = learner->state;
    for (size_t v = 0; v < state->voice_count; v++)
        voices[v] = (struct rel_number_voice){
            .deviation = state->learned ? state->scale * sqrt(state->variances[v])
                       : state->checked ? 0
                                        : NAN,
            .weight = state->variances[state->voice_count] / state->variances[v],
        };
    for (size_t i = 0; i < learner->count; i++)
        for (size_t m = 0; m < learner->items[i].count; m = group_end(&learner->items[i], m))
            voices[learner->items[i].measures[m].voice].answers++;
}

steme_status rel_learn_numbers(const struct rel_number_item *items, size_t count, size_t voice_count,
                               const struct rel_params *params, struct arena *arena,
                               const struct rel_number_model **out, struct steme_error *err)
{
    (void)params;
    struct rel_number_model *model = arena_calloc(arena, 1, sizeof *model);
    struct rel_number_state *state = arena_calloc(arena, 1, sizeof *state);
    if (!model || !state) return arena_full(arena, err);
    size_t longest = 0;
    steme_status status = survey_items(items, count, voice_count, model, &longest, &state->scale, err);
    if (status) return status;
    struct rel_number_voice *voices = arena_calloc(arena, voice_count, sizeof *voices);
    struct learner learner = { .items = items, .count = count, .state = state };
    learner.variances = arena_calloc(arena, voice_count + 1, sizeof *learner.variances);
    if (!voices || !learner.variances) return arena_full(arena, err);
    struct arena_mark mark = arena_mark(arena);
    learner.losses = arena_calloc(arena, voice_count, sizeof *learner.losses);
    learner.answers = arena_calloc(arena, voice_count, sizeof *learner.answers);
    learner.medians = arena_calloc(arena, longest, sizeof *learner.medians);
    if (!learner.losses || !learner.answers || !learner.medians) return arena_full(arena, err);
    state->variances = learner.variances;
    state->voice_count = voice_count;
    model->iterations = learn(&learner);
    describe(&learner, voices);
    arena_rewind(arena, mark);
    model->voices = voices;
    model->voice_count = voice_count;
    model->item_count = count;
    model->state = state;
    *out = model;
    return STEME_OK;
}

steme_status rel_judge_numbers(const struct rel_number_model *model, const struct rel_number_item *item,
                               struct rel_estimate *out, double *weights_out, struct steme_error *err)
{
    steme_status status = check_item(item, model->voice_count, true, err);
    if (status) return status;
    judge_item(model->state, item, out, weights_out);
    bool stated = false;
    for (size_t m = 0; m < item->count; m++)
        stated |= item->measures[m].error > 0;
    if (!model->state->learned && !stated && item->count > 0) out->error = model->state->checked ? 0 : NAN;
    return STEME_OK;
}
