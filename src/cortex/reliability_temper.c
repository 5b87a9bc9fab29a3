/* SPDX-License-Identifier: Apache-2.0 */
/* How sure to be. Both members multiply what voices say as if they erred independently. They don't: what misleads one
 * misleads others, so the products are too sure. Log odds are therefore divided by a temperature T (Guo et al., ICML 2017),
 * which changes no ranking. There it is fitted with the truth; here without:
 *
 * Each item's voices are split into two halves A and B. P_A and P_B are what each half makes one believe. If they are as
 * sure as they should be, either is right about the other: T_half is where
 *   sum over items of  - sum_x P_B(x) ln P_A^(1/T)(x)  - sum_x P_A(x) ln P_B^(1/T)(x)
 * is least, P^(1/T) being P with its log odds divided by T, made to sum to 1. (What one held-out answer says is too little to
 * tell: its likelihood is flat in T.) A whole crowd is twice a half. If errors are shared by everyone, twice the voices bear
 * no more evidence, and T - 1 is to be doubled; if by nobody, T stays. Neither can be seen; the geometric mean is taken:
 *   T = 1 + sqrt 2 (T_half - 1)
 *
 * The halves: an item's voices in the order of how many answers they gave (then how many were right, then what they say
 * here), dealt in turn. That does not depend on names, nor on what is said about the item. T_half is one of a grid, so that
 * rounding does not show. */
#include "base/check.h"
#include "cortex/numeric.h"
#include "cortex/reliability_model.h"

#include <math.h>
#include <stdlib.h>

enum { GRID = 50 }; /* steps of a tenth from 1 to 6 */

struct speaker {
    double answers, right, belief; /* the order; belief: in what it says here */
    size_t from, end;              /* its answers */
};

struct splitter {
    const struct rel_state *state;
    const struct rel_voice *voices;
    struct speaker *speakers;     /* scratch, for the longest item */
    struct rel_answer *dealt;     /* scratch */
    double *weights;              /* scratch */
    double *logs;                 /* of the weights of half A, then of half B, item by item */
    size_t *sizes;                /* of each half */
    size_t split_count, log_count;
};

static int compare_numbers(double a, double b) { return (a > b) - (a < b); }

static int compare_speakers(const void *left, const void *right)
{
    const struct speaker *a = left, *b = right;
    int order = compare_numbers(b->answers, a->answers);
    if (order == 0) order = compare_numbers(b->right, a->right);
    return order != 0 ? order : compare_numbers(b->belief, a->belief);
}

static size_t find_speakers(const struct splitter *splitter, const struct rel_item *item)
{
    size_t count = 0;
    for (size_t from = 0, end; from < item->answer_count; from = end) {
        end = rel_voice_end(item, from);
        const struct rel_answer *answer = &item->answers[from];
        const struct rel_voice *voice = &splitter->voices[answer->voice];
        bool is_open = splitter->state->method != REL_CONFUSION;
        double belief = splitter->weights[is_open ? answer->value : item->labels[answer->value]];
        splitter->speakers[count++] = (struct speaker){ voice->answers, voice->right, belief, from, end };
    }
    qsort(splitter->speakers, count, sizeof *splitter->speakers, compare_speakers);
    return count;
}

/* Half of an item: every second speaker. */
static struct rel_item deal(const struct splitter *splitter, const struct rel_item *item, size_t count, size_t first)
{
    struct rel_item half = { .labels = item->labels, .answers = splitter->dealt, .value_count = item->value_count };
    for (size_t k = first; k < count; k += 2)
        for (size_t a = splitter->speakers[k].from; a < splitter->speakers[k].end; a++)
            splitter->dealt[half.answer_count++] = item->answers[a];
    return half;
}

static void split(struct splitter *splitter, const struct rel_item *item)
{
    size_t size = rel_evidence_size(splitter->state, item);
    rel_weigh(splitter->state, item, splitter->weights);
    size_t count = find_speakers(splitter, item);
    for (size_t first = 0; first < 2; first++) {
        struct rel_item half = deal(splitter, item, count, first);
        rel_weigh(splitter->state, &half, splitter->weights);
        for (size_t x = 0; x < size; x++)
            splitter->logs[splitter->log_count++] = numeric_ln(fmax(splitter->weights[x], 1e-300));
    }
    splitter->sizes[splitter->split_count++] = size;
}

/* ln of the sum of e^(log/T), after the greatest is taken off; *top_out is that one. */
static double log_total(const double *logs, size_t size, double temperature, double *top_out)
{
    double top = logs[0], total = 0;
    for (size_t x = 1; x < size; x++)
        top = fmax(top, logs[x]);
    for (size_t x = 0; x < size; x++)
        total += numeric_exp((logs[x] - top) / temperature);
    *top_out = top;
    return numeric_ln(total);
}

/* - sum_x P_B(x) ln P_A^(1/T)(x) */
static double surprise(const double *a, const double *b, size_t size, double temperature)
{
    double a_top, b_top, expected = 0;
    double a_total = log_total(a, size, temperature, &a_top), b_total = log_total(b, size, 1, &b_top);
    for (size_t x = 0; x < size; x++)
        expected += numeric_exp(b[x] - b_top - b_total) * (a_top - a[x]) / temperature;
    return expected + a_total;
}

static double total_surprise(const struct splitter *splitter, size_t step)
{
    double temperature = 1 + 0.1 * (double)step;
    struct sum total = { 0 };
    const double *logs = splitter->logs;
    for (size_t i = 0; i < splitter->split_count; i++) {
        size_t size = splitter->sizes[i];
        sum_add(&total, surprise(logs, logs + size, size, temperature));
        sum_add(&total, surprise(logs + size, logs, size, temperature));
        logs += 2 * size;
    }
    return sum_value(&total);
}

/* Halving the grid: the sum falls to its one least value and rises after it. */
static size_t find_least(const struct splitter *splitter)
{
    size_t low = 0, high = GRID;
    while (low < high) {
        size_t middle = (low + high) / 2;
        double here = total_surprise(splitter, middle), next = total_surprise(splitter, middle + 1);
        if (next < here * (1 - 1e-9))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

steme_status temper_learn(const struct rel_data *data, const struct rel_state *state, const struct rel_voice *voices,
                          struct arena *arena, double *out, struct steme_error *err)
{
    size_t logs = 0, longest = 0, widest = 1, count = 0;
    for (size_t i = 0; i < data->item_count; i++) {
        const struct rel_item *item = &data->items[i];
        if (!rel_is_checked(item)) continue;
        size_t size = rel_evidence_size(state, item);
        logs += 2 * size;
        count++;
        if (size > widest) widest = size;
        if (item->answer_count > longest) longest = item->answer_count;
    }
    struct arena_mark mark = arena_mark(arena);
    struct splitter splitter = { .state = state, .voices = voices };
    splitter.speakers = arena_calloc(arena, longest, sizeof *splitter.speakers);
    splitter.dealt = arena_calloc(arena, longest, sizeof *splitter.dealt);
    splitter.weights = arena_calloc(arena, widest, sizeof *splitter.weights);
    splitter.logs = arena_calloc(arena, logs, sizeof *splitter.logs);
    splitter.sizes = arena_calloc(arena, count, sizeof *splitter.sizes);
    bool full = !splitter.speakers || !splitter.dealt || !splitter.weights || !splitter.logs || !splitter.sizes;
    if (full) return arena_full(arena, err);
    for (size_t i = 0; i < data->item_count; i++)
        if (rel_is_checked(&data->items[i])) split(&splitter, &data->items[i]);
    invariant(splitter.log_count == logs);
    *out = 1 + sqrt(2) * 0.1 * (double)find_least(&splitter);
    arena_rewind(arena, mark);
    return STEME_OK;
}
