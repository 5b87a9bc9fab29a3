/* SPDX-License-Identifier: Apache-2.0 */
/* Voices that copy one another: after Dong, Berti-Equille and Srivastava (PVLDB 2, 2009). Two that are right say the
 * same by themselves; two that are wrong seldom make the same error, so it is shared errors that tell. For a pair that
 * spoke on the same items, of which it expectedly agrees on k_t truths and k_f errors and differs on k_d, with q each
 * one's accuracy and f the number of false values:
 *   apart    P_t = q_a q_b            P_f = (1 - q_a)(1 - q_b) / f             P_d = 1 - P_t - P_f
 *   copying  c q + (1 - c) P_t        c (1 - q) + (1 - c) P_f                  (1 - c) P_d        q = sqrt(q_a q_b)
 *   P(copying) = 1 / (1 + (1 - prior)/prior  prod (apart / copying)^k)
 * A voice counts 1 / (1 + sum over others u of P(copying u) c overlap), overlap being the share of its answers that u
 * gives as well: so m copies of one voice weigh together little more than the one. Who copied from whom is not asked.
 *
 * What is right is taken from what was learned without looking for copies. (From the shares of the vote it is much
 * worse: a minority that is right looks like one that copies.) So copies that have taken in the model are not found.
 *
 * c = 0.8 as in Dong et al. The prior is 1 in 100, not their 1 in 5: there are many pairs, and voices that share a
 * misunderstanding without having met are common where labels are few; this way a dozen improbable errors are needed.
 * */
#include "base/check.h"
#include "cortex/numeric.h"
#include "cortex/reliability_model.h"

#include <math.h>

static const double copy_rate = 0.8, copy_prior = 0.01;
/* An item that more voices speak on is left out: the work is the square of their number, and such an item tells little
 * about a pair. */
enum { CROWD_MAX = 512 };

struct pair {
    double truths, errors, differing;
};

struct detector {
    const struct rel_data *data;
    const struct rel_voice *voices;
    struct rel_state *state;
    size_t *starts, *items; /* by voice: where its items are in `items` */
    double *beliefs;        /* of the values of all items, one after the other */
    size_t *belief_starts;  /* by item */
    struct pair *pairs;     /* with one voice, by the other */
    uint32_t *met;          /* those it met */
    double *weights;        /* scratch */
};

static double false_values(const struct rel_state *state)
{
    return state->method == REL_CONFUSION ? state->labels - 1.0 : state->false_values;
}

/* The value it supports most; UINT32_MAX if there is none, or several alike: which comes first is a matter of names. */
static uint32_t said_value(const struct rel_item *item, size_t from, size_t end)
{
    uint32_t value = UINT32_MAX;
    double most = 0;
    for (size_t a = from; a < end; a++) {
        double support = item->answers[a].support;
        if (support > most)
            value = item->answers[a].value;
        else if (support > 0 && !(support < most))
            value = UINT32_MAX;
        most = fmax(most, support);
    }
    return value;
}

static void learn_beliefs(struct detector *detector)
{
    size_t at = 0;
    const struct rel_state *state = detector->state;
    for (size_t i = 0; i < detector->data->item_count; i++) {
        const struct rel_item *item = &detector->data->items[i];
        rel_weigh(state, item, detector->weights);
        size_t size = rel_evidence_size(state, item);
        double total = 0;
        for (size_t x = 0; x < size; x++)
            total += detector->weights[x];
        detector->belief_starts[i] = at;
        for (uint32_t v = 0; v < item->value_count; v++)
            detector->beliefs[at++] = detector->weights[state->method == REL_CONFUSION ? item->labels[v] : v] / total;
    }
}

/* Index of items by voice. */
static void list_items(struct detector *detector)
{
    const struct rel_data *data = detector->data;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < data->item_count; i++) {
            const struct rel_item *item = &data->items[i];
            for (size_t from = 0; from < item->answer_count; from = rel_voice_end(item, from)) {
                size_t voice = item->answers[from].voice;
                if (pass == 0)
                    detector->starts[voice + 1]++;
                else
                    detector->items[detector->starts[voice]++] = i;
            }
        }
        if (pass == 0)
            for (size_t v = 0; v < data->voice_count; v++)
                detector->starts[v + 1] += detector->starts[v];
    }
    /* The second pass has moved each start to its end. */
    for (size_t v = data->voice_count; v > 0; v--)
        detector->starts[v] = detector->starts[v - 1];
    detector->starts[0] = 0;
}

static void meet(struct detector *detector, uint32_t voice, size_t number, size_t *met_count)
{
    const struct rel_item *item = &detector->data->items[number];
    if (item->answer_count > CROWD_MAX) return;
    uint32_t mine = UINT32_MAX;
    for (size_t from = 0, end; from < item->answer_count; from = end) {
        end = rel_voice_end(item, from);
        if (item->answers[from].voice == voice) mine = said_value(item, from, end);
    }
    if (mine == UINT32_MAX) return;
    double belief = detector->beliefs[detector->belief_starts[number] + mine];
    for (size_t from = 0, end; from < item->answer_count; from = end) {
        end = rel_voice_end(item, from);
        uint32_t other = item->answers[from].voice, theirs = said_value(item, from, end);
        if (other == voice || theirs == UINT32_MAX) continue;
        struct pair *pair = &detector->pairs[other];
        if (pair->truths + pair->errors + pair->differing <= 0) detector->met[(*met_count)++] = other;
        if (theirs != mine) {
            pair->differing++;
        } else {
            pair->truths += belief;
            pair->errors += 1 - belief;
        }
    }
}

static double copy_chance(const struct pair *pair, double a, double b, double choices)
{
    double q = sqrt(a * b), truths = a * b, errors = (1 - a) * (1 - b) / choices;
    double differing = 1 - truths - errors;
    double evidence = pair->truths * numeric_ln(truths / (copy_rate * q + (1 - copy_rate) * truths)) +
                      pair->errors * numeric_ln(errors / (copy_rate * (1 - q) + (1 - copy_rate) * errors)) +
                      pair->differing * numeric_ln(differing / ((1 - copy_rate) * differing));
    double against = evidence + numeric_ln((1 - copy_prior) / copy_prior);
    return 1 / (1 + numeric_exp(fmin(against, 700)));
}

static double bounded(double accuracy) { return fmin(fmax(accuracy, 0.01), 0.99); }

static double independence(struct detector *detector, uint32_t voice)
{
    size_t met_count = 0, from = detector->starts[voice], end = detector->starts[voice + 1];
    for (size_t k = from; k < end; k++)
        meet(detector, voice, detector->items[k], &met_count);
    struct sum others = { 0 };
    double choices = false_values(detector->state), mine = bounded(detector->voices[voice].accuracy);
    for (size_t k = 0; k < met_count; k++) {
        struct pair *pair = &detector->pairs[detector->met[k]];
        double theirs = bounded(detector->voices[detector->met[k]].accuracy);
        double overlap = (pair->truths + pair->errors) / (double)(end - from);
        sum_add(&others, copy_chance(pair, mine, theirs, choices) * copy_rate * overlap);
        *pair = (struct pair){ 0 };
    }
    return 1 / (1 + sum_value(&others));
}

steme_status copying_learn(const struct rel_data *data, const struct rel_voice *voices, struct arena *arena,
                           struct rel_state *state, struct steme_error *err)
{
    size_t answers = 0, values = 0, widest = state->labels;
    for (size_t i = 0; i < data->item_count; i++) {
        answers += data->items[i].answer_count;
        values += data->items[i].value_count;
        if (data->items[i].value_count > widest) widest = data->items[i].value_count;
    }
    struct arena_mark mark = arena_mark(arena);
    struct detector detector = { .data = data, .voices = voices, .state = state };
    detector.starts = arena_calloc(arena, data->voice_count + 1, sizeof *detector.starts);
    detector.items = arena_calloc(arena, answers, sizeof *detector.items);
    detector.beliefs = arena_calloc(arena, values, sizeof *detector.beliefs);
    detector.belief_starts = arena_calloc(arena, data->item_count, sizeof *detector.belief_starts);
    detector.pairs = arena_calloc(arena, data->voice_count, sizeof *detector.pairs);
    detector.met = arena_calloc(arena, data->voice_count, sizeof *detector.met);
    detector.weights = arena_calloc(arena, widest + 1, sizeof *detector.weights);
    bool full = !detector.starts || !detector.items || !detector.beliefs || !detector.belief_starts ||
                !detector.pairs || !detector.met || !detector.weights;
    if (full) return arena_full(arena, err);
    learn_beliefs(&detector);
    list_items(&detector);
    for (uint32_t v = 0; v < data->voice_count; v++)
        state->counts[v] = independence(&detector, v);
    arena_rewind(arena, mark);
    return STEME_OK;
}
