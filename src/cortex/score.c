/* SPDX-License-Identifier: Apache-2.0 */
#include "cortex/score.h"
#include "base/check.h"
#include "cortex/numeric.h"

#include <float.h>

static void tally(const struct lens_claim *claim, struct lens_score *score)
{
    struct sum support = { 0 }, refute = { 0 };
    for (size_t i = 0; i < claim->voice_count; i++) {
        const struct lens_voice *voice = &claim->voices[i];
        sum_add(&support, voice->weight * voice->support);
        sum_add(&refute, voice->weight * voice->refute);
    }
    score->support = sum_value(&support);
    score->refute = sum_value(&refute);
}

steme_status score_open(const struct lens_input *input, struct arena *arena, struct lens_result *out,
                        struct steme_error *err)
{
    struct lens_score *scores = arena_calloc(arena, input->claim_count, sizeof *scores);
    if (!scores) return arena_full(arena, err);
    for (size_t i = 0; i < input->claim_count; i++)
        tally(&input->claims[i], &scores[i]);
    *out = (struct lens_result){ .scores = scores };
    return STEME_OK;
}

struct score_podium score_rank(const struct lens_score *scores, size_t count)
{
    struct score_podium podium = { 0 };
    for (size_t i = 0; i < count; i++) {
        double probability = scores[i].probability;
        if (probability > podium.first) {
            podium.second = podium.first;
            podium.first = probability;
            podium.best = i;
        } else if (probability > podium.second) {
            podium.second = probability;
        }
    }
    return podium;
}

/* Round down to multiples of 2^-53: as long as those sum to at most 1, doubles add them up without any rounding, in
 * whatever order. Returns the sum in that unit. */
static uint64_t make_exact(struct lens_score *scores, size_t count)
{
    const double unit = DBL_EPSILON / 2;
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t units = (uint64_t)(scores[i].probability / unit);
        scores[i].probability = (double)units * unit;
        sum += units;
    }
    return sum;
}

/* Nobody who adds the probabilities up may get more than 1. A plain sum of n doubles is off by at most n - 1 half units
 * in the last place of 1; so only near 1 there is anything to do, and it changes parts in 10^16. */
static void make_room(struct lens_score *scores, size_t count)
{
    const uint64_t whole = 1ull << 53;
    struct sum sum = { 0 };
    size_t terms = 0;
    for (size_t i = 0; i < count; i++) {
        sum_add(&sum, scores[i].probability);
        terms += scores[i].probability > 0;
    }
    invariant(sum_value(&sum) <= 1 + 1e-9); /* more than rounding is the lens's fault, and not to be glossed over */
    double safe = 1 - (double)(terms + 4) * DBL_EPSILON;
    if (terms < 2 || sum_value(&sum) <= safe) return;
    if (make_exact(scores, count) <= whole) return;
    double scale = safe / sum_value(&sum);
    for (size_t i = 0; i < count; i++)
        scores[i].probability *= scale;
}

void score_close(const struct lens_input *input, struct lens_result *result)
{
    if (input->functional) make_room(result->scores, input->claim_count);
    struct score_podium podium = score_rank(result->scores, input->claim_count);
    result->verdict = lens_verdict(input, podium.first, podium.second);
}
