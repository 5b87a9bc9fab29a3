/* SPDX-License-Identifier: Apache-2.0 */
/* Recency: what was said last. For each claim c with a live assertion, t_c is the time of its newest and q_c the
 * confidence of that one; a claim with refutations or ballots only has p_c = 0. T is the greatest t_c: time is counted
 * from the newest evidence, never from a clock.
 *
 *   Without a half-life:  p_c = q_c for the claim with t_c = T, 0 for the others; of claims that tie in time the one
 *                         with the smallest id counts as the newest.
 *                         Many-valued: p_c = q_c for each; nothing takes another's place.
 *   With half-life h:     u_c = q_c * 2^-((T - t_c)/h)      exponential decay
 *                         p_c = u_c / max(1, sum over all claims k of u_k)
 *                         Many-valued: p_c = u_c.
 *
 * Voices play no part, so refutations and votes do not either. Margin: in a functional slot one newer assertion of full
 * confidence wins, whatever stands; so it is 1, and 0 where two claims tie for first place (without a half-life: in
 * time) or nothing is believed. Many-valued: nothing can be flipped, 0. */
#include "cortex/numeric.h"
#include "cortex/score.h"

#include <math.h>

static bool is_asserted(const struct lens_claim *claim) { return claim->latest_at_us != INT64_MIN; }

/* Index of the newest claim, the first of equals; claim_count if none was asserted. */
static size_t find_newest(const struct lens_input *input)
{
    size_t newest = input->claim_count;
    for (size_t i = 0; i < input->claim_count; i++) {
        const struct lens_claim *claim = &input->claims[i];
        if (!is_asserted(claim)) continue;
        if (newest == input->claim_count || claim->latest_at_us > input->claims[newest].latest_at_us) newest = i;
    }
    return newest;
}

static void believe_newest(const struct lens_input *input, size_t newest, struct lens_score *scores)
{
    for (size_t i = 0; i < input->claim_count; i++)
        if (i == newest || (!input->functional && is_asserted(&input->claims[i])))
            scores[i].probability = input->claims[i].latest_confidence;
}

static void believe_fading(const struct lens_input *input, int64_t newest_us, int64_t half_life_us,
                           struct lens_score *scores)
{
    struct sum sum = { 0 };
    for (size_t i = 0; i < input->claim_count; i++) {
        const struct lens_claim *claim = &input->claims[i];
        if (!is_asserted(claim)) continue;
        uint64_t age_us = (uint64_t)newest_us - (uint64_t)claim->latest_at_us; /* may pass INT64_MAX */
        scores[i].probability = claim->latest_confidence * numeric_halve((double)age_us / (double)half_life_us);
        sum_add(&sum, scores[i].probability);
    }
    if (!input->functional || sum_value(&sum) <= 1) return;
    for (size_t i = 0; i < input->claim_count; i++)
        scores[i].probability /= sum_value(&sum);
}

/* Whether another claim is as new as the newest. */
static bool ties_in_time(const struct lens_input *input, size_t newest)
{
    for (size_t i = newest + 1; i < input->claim_count; i++)
        if (input->claims[i].latest_at_us == input->claims[newest].latest_at_us) return true;
    return false;
}

static steme_status judge(const struct lens_input *input, const struct steme_lens *lens, struct arena *arena,
                          struct lens_result *out, struct steme_error *err)
{
    steme_status status = score_open(input, arena, out, err);
    if (status) return status;
    size_t newest = find_newest(input);
    if (newest == input->claim_count) return STEME_OK; /* zeroed is undecided */
    bool fading = lens->half_life_us > 0;
    if (fading)
        believe_fading(input, input->claims[newest].latest_at_us, lens->half_life_us, out->scores);
    else
        believe_newest(input, newest, out->scores);
    score_close(input, out);
    struct score_podium podium = score_rank(out->scores, input->claim_count);
    bool tie = fading ? podium.second >= podium.first : ties_in_time(input, newest);
    out->margin = input->functional && podium.first > 0 && !tie ? 1 : 0;
    return STEME_OK;
}

const struct lens_ops lens_recency = {
    .info = {
        .name = "recency",
        .summary = "the newest live claim",
        .detail = "The claim with the newest live assertion has that assertion's confidence as its probability, "
                  "the others 0; ties in time go to the smallest claim id. With a half-life every claim counts "
                  "its latest confidence, halved for each half-life that it is older than the newest one; the "
                  "weights are scaled down where they sum to more than 1. Votes and refutations play no part. "
                  "Parameter: half_life_us (0: only the newest counts).",
        .parameters = STEME_LENS_HALF_LIFE,
    },
    .judge = judge,
};
