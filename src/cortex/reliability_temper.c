/* SPDX-License-Identifier: Apache-2.0 */
/* How sure to be. Both members multiply what voices say as if they erred independently. They don't: what misleads one
 * misleads others, so the products are too sure. n voices whose errors correlate by rho bear the evidence of
 * n / (1 + rho (n - 1)) independent ones (the design effect of Kish, Survey Sampling, 1965), so log odds are divided by
 *   T = 1 + rho (n - 1)
 * for an item with n voices (the sum of their greatest strengths): a temperature (Guo et al., ICML 2017), which changes
 * no ranking. There it is fitted with the truth; here without:
 *
 * Each item's voices are split into two halves A and B. P_A and P_B are what each half makes one believe. If they are
 * as sure as they should be, either is right about the other: rho is where
 *   sum over items of  - sum_x P_B(x) ln P_A^(1/T)(x)  - sum_x P_A(x) ln P_B^(1/T)(x)
 * is least, P^(1/T) being P with its log odds divided by the half's T, made to sum to 1. (What one held-out answer says
 * is too little to tell: its likelihood hardly depends on rho.) The other half errs too, which is taken for too much
 * sureness of the first, so rho comes out high; it is held to at most one half: however
 * large, a crowd in accord counts no less than two voices. A crowd of independent voices gets about 0 all the same.
 *
 * The halves: an item's voices in the order of how many answers they gave (then how many were right, then what they say
 * here), dealt in turn. That does not depend on names, nor on what is said about the item, but for two that are alike
 * in all of these and say different things: there the lower number goes first. rho is one of a grid, so that rounding
 * does not show. */
#include "base/check.h"
#include "cortex/numeric.h"
#include "cortex/reliability_model.h"

#include <math.h>
#include <stdlib.h>

enum { GRID = 50 };                   /* steps */
static const double grid_step = 0.01; /* to 0.5: a crowd without end counts two voices or more */

struct speaker {
    uint64_t answers, right, belief; /* the order, in units of SPEAKER_UNIT; belief: in what it says here */
    size_t from, end;                /* its answers */
};
#define SPEAKER_UNIT 0x1p-30 /* coarse enough that rounding does not show */

struct half {
    size_t size;  /* of its logs */
    double extra; /* n - 1: T = 1 + rho extra */
};

struct splitter {
    const struct rel_state *state;
    const struct rel_voice *voices;
    struct speaker *speakers; /* scratch, for the longest item */
    struct rel_answer *dealt; /* scratch */
    double *weights;          /* scratch */
    double *logs, *beliefs;   /* of half A, then of half B, item by item: weights' logs less the greatest; at T = 1 */
    struct half *halves;      /* A, B, A, B ... */
    size_t half_count, log_count;
};

static int compare_speakers(const void *left, const void *right)
{
    const struct speaker *a = left, *b = right;
    if (a->answers != b->answers) return a->answers > b->answers ? -1 : 1;
    if (a->right != b->right) return a->right > b->right ? -1 : 1;
    if (a->belief != b->belief) return a->belief > b->belief ? -1 : 1;
    return (a->from > b->from) - (a->from < b->from);
}

static uint64_t coarsely(double number) { return (uint64_t)(number / SPEAKER_UNIT + 0.5); }

/* What is believed of what a voice says, by the weights of all values. */
static double belief_in(const struct splitter *splitter, const struct rel_item *item, size_t from, size_t end,
                        double total)
{
    bool is_open = splitter->state->method != REL_CONFUSION;
    double belief = 0;
    for (size_t a = from; a < end; a++) {
        uint32_t value = item->answers[a].value;
        belief += item->answers[a].support * splitter->weights[is_open ? value : item->labels[value]] / total;
    }
    return belief;
}

static size_t find_speakers(const struct splitter *splitter, const struct rel_item *item)
{
    size_t count = 0, size = rel_evidence_size(splitter->state, item);
    double total = 0;
    for (size_t x = 0; x < size; x++)
        total += splitter->weights[x];
    for (size_t from = 0, end; from < item->answer_count; from = end) {
        end = rel_voice_end(item, from);
        const struct rel_voice *voice = &splitter->voices[item->answers[from].voice];
        splitter->speakers[count++] = (struct speaker){ coarsely(voice->answers), coarsely(voice->right),
                                                        coarsely(belief_in(splitter, item, from, end, total)), from,
                                                        end };
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

/* Logs less the greatest, and what is believed at T = 1. */
static void keep_half(struct splitter *splitter, const struct rel_item *half, size_t size)
{
    double *logs = splitter->logs + splitter->log_count, *beliefs = splitter->beliefs + splitter->log_count;
    double top = 0, total = 0;
    rel_weigh(splitter->state, half, splitter->weights);
    for (size_t x = 0; x < size; x++)
        top = fmax(top, splitter->weights[x]);
    for (size_t x = 0; x < size; x++) {
        double share = fmax(splitter->weights[x] / top, 1e-300);
        logs[x] = numeric_ln(share);
        beliefs[x] = share;
        total += share;
    }
    for (size_t x = 0; x < size; x++)
        beliefs[x] /= total;
    splitter->halves[splitter->half_count++] = (struct half){ size, rel_voices_of(splitter->state, half) - 1 };
    splitter->log_count += size;
}

static void split(struct splitter *splitter, const struct rel_item *item)
{
    size_t size = rel_evidence_size(splitter->state, item);
    rel_weigh(splitter->state, item, splitter->weights);
    size_t count = find_speakers(splitter, item);
    for (size_t first = 0; first < 2; first++) {
        struct rel_item half = deal(splitter, item, count, first);
        keep_half(splitter, &half, size);
    }
}

/* - sum_x P_B(x) ln P_A^(1/T)(x) */
static double surprise(const double *logs, const double *believed, size_t size, double temperature)
{
    double total = 0, expected = 0;
    for (size_t x = 0; x < size; x++) {
        double log = logs[x] / temperature;
        total += numeric_decay(-log);
        expected -= believed[x] * log;
    }
    return expected + numeric_ln(total);
}

static double total_surprise(const struct splitter *splitter, size_t step)
{
    double rho = grid_step * (double)step;
    struct sum total = { 0 };
    size_t at = 0;
    for (size_t h = 0; h < splitter->half_count; h += 2) {
        const struct half *a = &splitter->halves[h], *b = a + 1;
        size_t other = at + a->size;
        sum_add(&total, surprise(splitter->logs + at, splitter->beliefs + other, a->size, 1 + rho * fmax(0, a->extra)));
        sum_add(&total, surprise(splitter->logs + other, splitter->beliefs + at, b->size, 1 + rho * fmax(0, b->extra)));
        at = other + b->size;
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
    splitter.beliefs = arena_calloc(arena, logs, sizeof *splitter.beliefs);
    splitter.halves = arena_calloc(arena, 2 * count, sizeof *splitter.halves);
    bool full = !splitter.speakers || !splitter.dealt || !splitter.weights || !splitter.logs || !splitter.beliefs ||
                !splitter.halves;
    if (full) return arena_full(arena, err);
    for (size_t i = 0; i < data->item_count; i++)
        if (rel_is_checked(&data->items[i])) split(&splitter, &data->items[i]);
    invariant(splitter.log_count == logs);
    *out = grid_step * (double)find_least(&splitter);
    arena_rewind(arena, mark);
    return STEME_OK;
}
