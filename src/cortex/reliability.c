/* SPDX-License-Identifier: Apache-2.0 */
/* One-coin Dawid-Skene (ZenCrowd) with a Beta prior, by EM from the shares of the vote. */
#include "cortex/reliability.h"
#include "base/check.h"
#include "cortex/lens.h"
#include "cortex/numeric.h"

#include <math.h>

enum { STEPS_MAX = 100 };

/* What a voice of whom nothing is known is taken for: right three times of four, worth four answers. */
static const double prior_right = 3, prior_wrong = 1;

struct rel_state {
    const double *accuracies; /* by voice */
    double stranger;          /* accuracy of one not heard */
    double false_values;      /* that a voice that errs chooses from */
    double none;              /* weight of "none of these" */
};

/* Weight of saying it: ln of how much likelier it is said where it is true. */
static double log_odds(double accuracy, double false_values) { return numeric_ln(accuracy * false_values / (1 - accuracy)); }

static double accuracy_of(const struct rel_state *state, uint32_t voice)
{
    return voice == REL_STRANGER ? state->stranger : state->accuracies[voice];
}

static void judge_item(const struct rel_state *state, const struct rel_item *item, double *p)
{
    for (uint32_t v = 0; v < item->value_count; v++)
        p[v] = 0;
    for (size_t a = 0; a < item->answer_count; a++) {
        const struct rel_answer *answer = &item->answers[a];
        double weight = log_odds(accuracy_of(state, answer->voice), state->false_values);
        p[answer->value] += (answer->support - answer->refute) * weight;
    }
    double top = 0;
    for (uint32_t v = 0; v < item->value_count; v++)
        top = fmax(top, p[v]);
    double total = state->none * numeric_exp(-top);
    for (uint32_t v = 0; v < item->value_count; v++) {
        p[v] = numeric_exp(fmax(p[v] - top, -700));
        total += p[v];
    }
    for (uint32_t v = 0; v < item->value_count; v++)
        p[v] /= total;
}

static steme_status check_item(const struct rel_item *item, size_t voice_count, bool strangers, size_t number,
                               struct steme_error *err)
{
    for (size_t a = 0; a < item->answer_count; a++) {
        const struct rel_answer *answer = &item->answers[a];
        bool known = answer->voice < voice_count || (strangers && answer->voice == REL_STRANGER);
        if (!known)
            return error_set(err, STEME_BAD_INPUT, "item %zu, answer %zu: voice %u of %zu", number, a, answer->voice,
                             voice_count);
        if (answer->value >= item->value_count)
            return error_set(err, STEME_BAD_INPUT, "item %zu, answer %zu: value %u of %u", number, a, answer->value,
                             item->value_count);
        bool sound = answer->support >= 0 && answer->support <= 1 && answer->refute >= 0 && answer->refute <= 1;
        if (!sound)
            return error_set(err, STEME_BAD_INPUT, "item %zu, answer %zu: strengths %g and %g are not in 0..1", number,
                             a, answer->support, answer->refute);
    }
    return STEME_OK;
}

struct tally {
    double right, wrong;
};

static void count_item(const struct rel_item *item, const double *p, struct tally *tallies)
{
    for (size_t a = 0; a < item->answer_count; a++) {
        const struct rel_answer *answer = &item->answers[a];
        struct tally *tally = &tallies[answer->voice];
        double true_now = p[answer->value];
        tally->right += answer->support * true_now + answer->refute * (1 - true_now);
        tally->wrong += answer->support * (1 - true_now) + answer->refute * true_now;
    }
}

steme_status rel_learn(const struct rel_data *data, const struct rel_params *params, struct arena *arena,
                       const struct rel_model **out, struct steme_error *err)
{
    uint32_t values_max = 0;
    size_t answer_count = 0;
    for (size_t i = 0; i < data->item_count; i++) {
        steme_status status = check_item(&data->items[i], data->voice_count, false, i, err);
        if (status) return status;
        if (data->items[i].value_count > values_max) values_max = data->items[i].value_count;
        answer_count += data->items[i].answer_count;
    }
    struct rel_model *model = arena_calloc(arena, 1, sizeof *model);
    struct rel_state *state = arena_calloc(arena, 1, sizeof *state);
    struct rel_voice *voices = arena_calloc(arena, data->voice_count, sizeof *voices);
    double *accuracies = arena_calloc(arena, data->voice_count, sizeof *accuracies);
    if (!model || !state || !voices || !accuracies) return arena_full(arena, err);
    struct arena_mark mark = arena_mark(arena);
    struct tally *tallies = arena_calloc(arena, data->voice_count, sizeof *tallies);
    double *p = arena_calloc(arena, values_max, sizeof *p);
    if (!tallies || !p) return arena_full(arena, err);

    *state = (struct rel_state){ .accuracies = accuracies, .stranger = prior_right / (prior_right + prior_wrong) };
    state->false_values = data->label_count > 2 ? (double)data->label_count - 1 : 1;
    state->none = params->prior > 0 ? params->prior : LENS_PRIOR;
    for (size_t v = 0; v < data->voice_count; v++)
        accuracies[v] = state->stranger;
    size_t step = 0;
    for (double moved = 1; step < STEPS_MAX && moved > 1e-6; step++) {
        for (size_t v = 0; v < data->voice_count; v++)
            tallies[v] = (struct tally){ prior_right, prior_wrong };
        for (size_t i = 0; i < data->item_count; i++) {
            judge_item(state, &data->items[i], p);
            count_item(&data->items[i], p, tallies);
        }
        moved = 0;
        for (size_t v = 0; v < data->voice_count; v++) {
            double accuracy = tallies[v].right / (tallies[v].right + tallies[v].wrong);
            moved = fmax(moved, fabs(accuracy - accuracies[v]));
            accuracies[v] = accuracy;
        }
    }
    for (size_t v = 0; v < data->voice_count; v++) {
        double n = tallies[v].right + tallies[v].wrong, q = accuracies[v];
        double reach = 1.96 * sqrt(q * (1 - q) / (n + 1));
        double answers = n - prior_right - prior_wrong;
        double unknown = log_odds(state->stranger, state->false_values);
        voices[v] = (struct rel_voice){
            .accuracy = q,
            .low = fmax(0, q - reach),
            .high = fmin(1, q + reach),
            .answers = answers,
            .right = tallies[v].right - prior_right,
            .weight = fmax(0, log_odds(q, state->false_values) / unknown),
            .independence = 1,
        };
    }
    arena_rewind(arena, mark);
    *model = (struct rel_model){
        .method = REL_ONE_COIN,
        .because = "one-coin is the only method so far",
        .iterations = step,
        .temperature = 1,
        .item_count = data->item_count,
        .answer_count = answer_count,
        .label_count = data->label_count,
        .voices = voices,
        .voice_count = data->voice_count,
        .state = state,
    };
    *out = model;
    return STEME_OK;
}

steme_status rel_judge(const struct rel_model *model, const struct rel_item *item, struct arena *scratch,
                       double *p_out, struct steme_error *err)
{
    (void)scratch;
    steme_status status = check_item(item, model->voice_count, true, 0, err);
    if (status) return status;
    judge_item(model->state, item, p_out);
    return STEME_OK;
}
