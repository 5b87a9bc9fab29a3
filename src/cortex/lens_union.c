/* SPDX-License-Identifier: Apache-2.0 */
/* Union: every claim with its support; nothing is decided. For each claim c, over its voices v:
 *   S_c = sum of support_v,   R_c = sum of refute_v
 *   p_c = S_c / (S_c + R_c + prior)                          each claim alone (additive smoothing, after Lidstone 1920)
 * In a functional slot, where probabilities may not sum to more than 1, each is then divided by max(1, sum of p_k).
 * The verdict is "listed", or "unknown" where nothing is supported. Nothing can be flipped, so the margin is 0. */
#include "cortex/numeric.h"
#include "cortex/score.h"

static steme_status judge(const struct lens_input *input, const struct steme_lens *lens, struct arena *arena,
                          struct lens_result *out, struct steme_error *err)
{
    steme_status status = score_open(input, arena, out, err);
    if (status) return status;
    double prior = lens->prior > 0 ? lens->prior : LENS_PRIOR;
    struct sum sum = { 0 };
    for (size_t i = 0; i < input->claim_count; i++) {
        struct lens_score *score = &out->scores[i];
        score->probability = score->support / (score->support + score->refute + prior);
        sum_add(&sum, score->probability);
    }
    if (input->functional && sum_value(&sum) > 1)
        for (size_t i = 0; i < input->claim_count; i++)
            out->scores[i].probability /= sum_value(&sum);
    score_close(input, out);
    if (out->verdict != STEME_UNDECIDED) out->verdict = STEME_LISTED;
    return STEME_OK;
}

const struct lens_ops lens_union = {
    .info = {
        .name = "union",
        .summary = "no decision: every claim with its support",
        .detail = "Each claim is judged alone: p = S/(S+R+prior) from its support S and refutation R in voices. "
                  "In a functional slot they are scaled down together where they sum to more than 1. Parameter: "
                  "prior (0.5).",
        .parameters = STEME_LENS_PRIOR,
    },
    .judge = judge,
};
