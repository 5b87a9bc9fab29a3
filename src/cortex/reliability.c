/* SPDX-License-Identifier: Apache-2.0 */
/* The choice of the member, and what both have in common. The formulas are in reliability_confusion.c (few labels),
 * reliability_coin.c (open values, and sparse crowds), reliability_temper.c (how sure to be) and reliability_copying.c.
 *
 * Which one, by the shape of the data alone (docs/decisions/0011):
 *   - open values, one-coin with learned false values: more labels than REL_LABELS_MAX, or such as hardly recur (fewer
 *     than LABEL_ITEMS items for each). A matrix says what is taken for what; between labels that
 *     never meet again there is nothing to learn.
 *   - confusion matrices: a closed set of labels, and no more cells in the matrices of all voices than answers to fill
 *     them.
 *   - one coin: a closed set, but fewer answers than that.
 *
 * Belief in a value: its weight to the power 1/T, over the sum of all such. What nobody named (labels of the scope that
 * the item lacks; none of the values) has its part in the sum, so beliefs sum to less than 1. */
#include "cortex/reliability.h"
#include "base/check.h"
#include "cortex/lens.h"
#include "cortex/numeric.h"
#include "cortex/reliability_model.h"

#include <float.h>
#include <math.h>

enum { LABEL_ITEMS = 4 };

/* ---- what is given ---- */

static steme_status check_answer(const struct rel_answer *answer, const struct rel_item *item, size_t voice_count,
                                 bool strangers, struct steme_error *err)
{
    if (answer->voice >= voice_count && !(strangers && answer->voice == REL_STRANGER))
        return error_set(err, STEME_BAD_INPUT, "voice %u is not one of the %zu", answer->voice, voice_count);
    if (answer->value >= item->value_count)
        return error_set(err, STEME_BAD_INPUT, "value %u is not one of the %u", answer->value, item->value_count);
    bool sound = answer->support >= 0 && answer->support <= 1 && answer->refute >= 0 && answer->refute <= 1;
    if (!sound)
        return error_set(err, STEME_BAD_INPUT, "strengths %g for and %g against are not within 0..1", answer->support,
                         answer->refute);
    return STEME_OK;
}

static steme_status check_item(const struct rel_item *item, size_t voice_count, size_t label_count, bool fresh,
                               struct steme_error *err)
{
    for (uint32_t v = 0; v < item->value_count; v++)
        if (item->labels[v] >= label_count && !(fresh && item->labels[v] == REL_NEW_LABEL))
            return error_set(err, STEME_BAD_INPUT, "label %u of value %u is not one of the %zu", item->labels[v], v,
                             label_count);
    for (size_t a = 0; a < item->answer_count; a++) {
        steme_status status = check_answer(&item->answers[a], item, voice_count, fresh, err);
        if (status) return error_wrap(err, status, "answer %zu", a);
        if (a > 0 && item->answers[a].voice < item->answers[a - 1].voice)
            return error_set(err, STEME_BAD_INPUT, "answers are not in the order of voices at %zu", a);
    }
    return STEME_OK;
}

static steme_status check_data(const struct rel_data *data, struct steme_error *err)
{
    if (data->voice_count >= UINT32_MAX || data->label_count >= UINT32_MAX)
        return error_set(err, STEME_TOO_LARGE, "%zu voices and %zu labels; at most %u of each can be told apart",
                         data->voice_count, data->label_count, UINT32_MAX - 1);
    for (size_t i = 0; i < data->item_count; i++) {
        steme_status status = check_item(&data->items[i], data->voice_count, data->label_count, false, err);
        if (status) return error_wrap(err, status, "item %zu", i);
    }
    return STEME_OK;
}

/* ---- which member ---- */

struct shape {
    size_t answers, values; /* sums over items */
    double cells;           /* free ones of the matrices of all voices */
};

static struct shape measure(const struct rel_data *data)
{
    struct shape shape = { 0 };
    for (size_t i = 0; i < data->item_count; i++) {
        shape.answers += data->items[i].answer_count;
        shape.values += data->items[i].value_count;
    }
    double labels = (double)data->label_count;
    shape.cells = (double)data->voice_count * labels * fmax(labels - 1, 0);
    return shape;
}

static enum rel_method choose(const struct rel_data *data, const struct shape *shape, const char **because)
{
    size_t labels = data->label_count;
    if (labels > REL_LABELS_MAX) {
        *because = "values are open: more of them than a matrix is learned over";
        return REL_SOURCE_ACCURACY;
    }
    if (labels < 2 || shape->values < LABEL_ITEMS * labels) {
        *because = "values are open: hardly any recurs in another item";
        return REL_SOURCE_ACCURACY;
    }
    if (shape->cells > (double)shape->answers) {
        *because = "values are few, but there are fewer answers than cells in the voices' matrices";
        return REL_ONE_COIN;
    }
    *because = "values are few, and there are answers enough for a matrix of each voice";
    return REL_CONFUSION;
}

static steme_status settle_method(const struct rel_data *data, const struct rel_params *params,
                                  const struct shape *shape, struct rel_model *model, struct steme_error *err)
{
    /* A matrix of ones asked for by name may be sparse, but not so that memory is no longer linear in the data. */
    const double cells_each = 64;
    model->method = params->method;
    model->because = "it was asked for";
    if (params->method == REL_AUTO) {
        model->method = choose(data, shape, &model->because);
        return STEME_OK;
    }
    if (params->method != REL_CONFUSION) return STEME_OK;
    if (data->label_count < 2 || data->label_count > REL_LABELS_MAX)
        return error_set(err, STEME_BAD_INPUT,
                         "confusion is learned over 2 to %u labels, not %zu; leave the method open", REL_LABELS_MAX,
                         data->label_count);
    if (shape->cells > cells_each * ((double)shape->answers + cells_each))
        return error_set(err, STEME_BAD_INPUT,
                         "confusion of %zu voices over %zu labels has more cells than %zu answers can fill; "
                         "leave the method open",
                         data->voice_count, data->label_count, shape->answers);
    return STEME_OK;
}

/* Of a closed set all but the truth; of open values ten, until it is learned. */
static double false_values_at_first(enum rel_method method, size_t label_count)
{
    if (method == REL_SOURCE_ACCURACY) return 10;
    return label_count > 2 ? (double)label_count - 1 : 1;
}

/* ---- belief ---- */

size_t rel_evidence_size(const struct rel_state *state, const struct rel_item *item)
{
    if (state->method != REL_CONFUSION) return (size_t)item->value_count + 1;
    size_t size = state->labels;
    for (uint32_t v = 0; v < item->value_count; v++)
        size += item->labels[v] == REL_NEW_LABEL;
    return size;
}

void rel_weigh(const struct rel_state *state, const struct rel_item *item, double *weights)
{
    if (state->method == REL_CONFUSION)
        confusion_weigh(state, item, weights);
    else
        coin_weigh(state, item, weights);
}

double rel_voices_of(const struct rel_state *state, const struct rel_item *item)
{
    double voices = 0;
    for (size_t from = 0, end; from < item->answer_count; from = end) {
        double most = 0;
        end = rel_voice_end(item, from);
        for (size_t a = from; a < end; a++)
            most = fmax(most, fmax(item->answers[a].support, item->answers[a].refute));
        voices += most * state->counts[rel_voice_row(state, item->answers[from].voice)];
    }
    return voices;
}

/* Weights to the power 1/T, over their sum; the sum of any of them is at most 1 also after rounding. */
static void believe(double temperature, double *weights, size_t size)
{
    double top = 0, total = 0;
    for (size_t x = 0; x < size; x++)
        top = fmax(top, weights[x]);
    invariant(top > 0);
    for (size_t x = 0; x < size; x++) {
        double share = fmax(weights[x] / top, 1e-300);
        weights[x] = temperature > 1 ? numeric_decay(-numeric_ln(share) / temperature) : share;
        total += weights[x];
    }
    double share = (1 - 2 * DBL_EPSILON * (double)size) / total;
    for (size_t x = 0; x < size; x++)
        weights[x] *= share;
}

/* Belief in each value; weights are scratch for rel_evidence_size(). */
static void judge_item(const struct rel_state *state, const struct rel_item *item, double *weights, double *p_out)
{
    size_t size = rel_evidence_size(state, item);
    rel_weigh(state, item, weights);
    double extra = state->correlation > 0 ? fmax(0, rel_voices_of(state, item) - 1) : 0;
    believe(1 + state->correlation * extra, weights, size);
    size_t fresh = state->labels;
    for (uint32_t v = 0; v < item->value_count; v++) {
        if (state->method != REL_CONFUSION)
            p_out[v] = weights[v];
        else
            p_out[v] = item->labels[v] == REL_NEW_LABEL ? weights[fresh++] : weights[item->labels[v]];
    }
}

/* ---- what is said of voices ---- */

struct survey {
    const struct rel_state *state;
    struct rel_voice *voices;
    double *weights, *beliefs; /* scratch */
};

/* An answer that others could check counts; *right of what it says is right. */
static void count_voice(const struct rel_item *item, size_t from, size_t end, const double *beliefs,
                        struct rel_voice *voice)
{
    double said = 0, right = 0, most = 0;
    for (size_t a = from; a < end; a++) {
        const struct rel_answer *answer = &item->answers[a];
        double p = beliefs[answer->value];
        said += answer->support + answer->refute;
        right += answer->support * p + answer->refute * (1 - p);
        most = fmax(most, fmax(answer->support, answer->refute));
    }
    if (said <= 0) return;
    voice->answers += most;
    voice->right += most * (right / said);
}

static double odds_of(double accuracy, double false_values)
{
    double bounded = fmin(fmax(accuracy, 1e-6), 1 - 1e-6);
    return numeric_ln(bounded * false_values / (1 - bounded));
}

/* Accuracy shrinks to the crowd's; the interval is Wilson's (1927) with the prior's answers counted in. A voice weighs
 * as the log odds of its word do, in those of a voice that is as good as the crowd. */
static void describe(struct rel_voice *voices, size_t count, double false_values, const double *independences)
{
    const double z = 1.959963984540054; /* 95 % */
    double answers = 0, right = 0;
    for (size_t v = 0; v < count; v++) {
        answers += voices[v].answers;
        right += voices[v].right;
    }
    double crowd = (right + REL_SHRINKAGE * REL_TRUST) / (answers + REL_SHRINKAGE);
    double common = odds_of(crowd, false_values);
    for (size_t v = 0; v < count; v++) {
        struct rel_voice *voice = &voices[v];
        double n = voice->answers + REL_SHRINKAGE, q = (voice->right + REL_SHRINKAGE * crowd) / n;
        double middle = (q + z * z / (2 * n)) / (1 + z * z / n);
        double reach = z / (1 + z * z / n) * sqrt(q * (1 - q) / n + z * z / (4 * n * n));
        voice->accuracy = q;
        voice->low = fmax(0, middle - reach);
        voice->high = fmin(1, middle + reach);
        voice->independence = independences[v];
        double mine = odds_of(q, false_values);
        voice->weight = independences[v] * (common > 1e-3 ? fmax(0, mine / common) : q / crowd);
    }
}

static void survey_voices(const struct survey *survey, const struct rel_data *data)
{
    const struct rel_state *state = survey->state;
    for (size_t v = 0; v < data->voice_count; v++)
        survey->voices[v] = (struct rel_voice){ 0 };
    for (size_t i = 0; i < data->item_count; i++) {
        const struct rel_item *item = &data->items[i];
        judge_item(state, item, survey->weights, survey->beliefs);
        for (size_t from = 0, end; from < item->answer_count; from = end) {
            end = rel_voice_end(item, from);
            count_voice(item, from, end, survey->beliefs, &survey->voices[item->answers[from].voice]);
        }
    }
    double false_values = state->method == REL_CONFUSION ? state->labels - 1.0 : state->false_values;
    describe(survey->voices, data->voice_count, false_values, state->counts);
}

/* ---- learning ---- */

static steme_status learn_member(const struct rel_data *data, struct arena *arena, struct rel_state *state,
                                 size_t *steps_out, struct steme_error *err)
{
    if (state->method == REL_CONFUSION) return confusion_learn(data, arena, state, steps_out, err);
    return coin_learn(data, arena, state, steps_out, err);
}

static size_t widest_item(const struct rel_data *data, const struct rel_state *state)
{
    size_t widest = state->labels;
    for (size_t i = 0; i < data->item_count; i++)
        if (data->items[i].value_count > widest) widest = data->items[i].value_count;
    return widest + 1;
}

static steme_status learn_state(const struct rel_data *data, const struct rel_params *params, struct arena *arena,
                                struct rel_state *state, struct rel_voice *voices, size_t *steps_out,
                                struct steme_error *err)
{
    steme_status status = learn_member(data, arena, state, steps_out, err);
    if (status) return status;
    size_t widest = widest_item(data, state);
    struct survey survey = { .state = state, .voices = voices };
    survey.weights = arena_calloc(arena, widest, sizeof *survey.weights);
    survey.beliefs = arena_calloc(arena, widest, sizeof *survey.beliefs);
    if (!survey.weights || !survey.beliefs) return arena_full(arena, err);
    survey_voices(&survey, data);
    if (params->copying) {
        status = copying_learn(data, voices, arena, state, err);
        if (status) return status;
        status = learn_member(data, arena, state, steps_out, err);
        if (status) return status;
        survey_voices(&survey, data);
    }
    if (params->uncalibrated) return STEME_OK;
    status = temper_learn(data, state, voices, arena, &state->correlation, err);
    if (status) return status;
    survey_voices(&survey, data);
    return STEME_OK;
}

steme_status rel_learn(const struct rel_data *data, const struct rel_params *params, struct arena *arena,
                       const struct rel_model **out, struct steme_error *err)
{
    const double prior_min = 1e-12; /* a product of it with any other chance is still more than 0 */
    steme_status status = check_data(data, err);
    if (status) return status;
    bool sound = params->prior >= 0 && params->prior <= LENS_PRIOR_MAX;
    if (!sound)
        return error_set(err, STEME_BAD_INPUT, "the prior is %g, not within 0..%g", params->prior, LENS_PRIOR_MAX);
    struct rel_model *model = arena_calloc(arena, 1, sizeof *model);
    struct rel_state *state = arena_calloc(arena, 1, sizeof *state);
    struct rel_voice *voices = arena_calloc(arena, data->voice_count, sizeof *voices);
    double *counts = arena_calloc(arena, data->voice_count + 1, sizeof *counts);
    if (!model || !state || !voices || !counts) return arena_full(arena, err);
    struct shape shape = measure(data);
    status = settle_method(data, params, &shape, model, err);
    if (status) return status;
    for (size_t v = 0; v <= data->voice_count; v++)
        counts[v] = 1;
    *state = (struct rel_state){ .method = model->method,
                                 .voice_count = (uint32_t)data->voice_count,
                                 .prior = params->prior > 0 ? fmax(params->prior, prior_min) : LENS_PRIOR,
                                 .counts = counts,
                                 .false_values = false_values_at_first(model->method, data->label_count) };
    if (state->method == REL_CONFUSION) state->labels = (uint32_t)data->label_count;
    status = learn_state(data, params, arena, state, voices, &model->iterations, err);
    if (status) return status;
    double answers = 0;
    for (size_t v = 0; v < data->voice_count; v++)
        answers += voices[v].answers;
    double extra = data->item_count > 0 ? fmax(0, answers / (double)data->item_count - 1) : 0;
    model->correlation = state->correlation;
    model->temperature = 1 + state->correlation * extra;
    model->item_count = data->item_count;
    model->answer_count = shape.answers;
    model->label_count = data->label_count;
    model->voices = voices;
    model->voice_count = data->voice_count;
    model->state = state;
    *out = model;
    return STEME_OK;
}

steme_status rel_judge(const struct rel_model *model, const struct rel_item *item, struct arena *scratch, double *p_out,
                       struct steme_error *err)
{
    steme_status status = check_item(item, model->voice_count, model->label_count, true, err);
    if (status) return status;
    struct arena_mark mark = arena_mark(scratch);
    double *weights = arena_calloc(scratch, rel_evidence_size(model->state, item), sizeof *weights);
    if (!weights) return arena_full(scratch, err);
    judge_item(model->state, item, weights, p_out);
    arena_rewind(scratch, mark);
    return STEME_OK;
}
