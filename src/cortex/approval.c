/* SPDX-License-Identifier: Apache-2.0 */
/* Approval voting (Brams and Fishburn, "Approval voting", American Political Science Review 72, 1978) with strengths,
 * disapproval, and a "none of these" that takes part with a fixed weight (additive smoothing, after Lidstone 1920).
 *
 * For each claim c, over its voices v, where w_v is 1 under consensus and the weight of authority.h under authority:
 *   S_c = sum of w_v * support_v              for it
 *   R_c = sum of w_v * refute_v               against it
 *   W_c = S_c * S_c / (S_c + R_c)             approval less disapproval; 0 where S_c = 0
 * With prior the weight of "none of these":
 *   p_c = W_c / (prior + sum over all claims k of S_k)       functional slot: claims compete
 *   p_c = W_c / (prior + S_c)                                many-valued: as if c were alone in its slot
 * W_c <= S_c, so p_c <= 1, and over a functional slot they sum to at most 1. What a refutation takes from a claim goes
 * to "none of these", not to its rivals. More support never lowers p_c, more disapproval never raises it. Where nobody
 * disapproves and all strengths are 1, claims stand in the order of a majority vote.
 *
 * Margin: full-strength voices of weight 1 that change the outcome; voices may be fractional.
 *   Against a runner-up r (functional, W_r > 0; best b): all p share a denominator, so r draws level when
 *     (S_r + x)^2 / (S_r + x + R_r) = W_b,   x = (W_b + sqrt(W_b (W_b + 4 R_r))) / 2 - S_r
 *   which is W_b - S_r where nobody disapproves of r. Of runners-up that tie for second place the one that needs least.
 *   Without a runner-up the rival is "none of these", which draws level when p_b falls to one half:
 *     S_b^2 / ((S_b + R_b + x)(prior + S_b)) = 1/2,   x = 2 S_b^2 / (prior + S_b) - S_b - R_b
 *   0 for a tie, for a lone claim below one half, and where nothing is supported. */
#include "cortex/approval.h"
#include "cortex/numeric.h"
#include "cortex/score.h"

#include <math.h>

/* W_c. */
static double approval_of(const struct lens_score *score)
{
    if (score->support <= 0) return 0;
    return score->support * (score->support / (score->support + score->refute));
}

/* Voices with which a rival's approval reaches `target`. */
static double voices_to_reach(double target, const struct lens_score *rival)
{
    double reached = 0.5 * (target + sqrt(target * (target + 4 * rival->refute)));
    return fmax(0, reached - rival->support);
}

/* Voices against a lone claim that bring it down to one half. */
static double voices_to_doubt(const struct lens_score *best, double prior)
{
    double held = 2 * best->support * (best->support / (prior + best->support));
    return fmax(0, held - best->support - best->refute);
}

static double margin(const struct lens_input *input, const struct lens_score *scores, double prior)
{
    struct score_podium podium = score_rank(scores, input->claim_count);
    if (podium.first <= 0) return 0;
    const struct lens_score *best = &scores[podium.best];
    if (!input->functional || podium.second <= 0) return voices_to_doubt(best, prior);
    if (podium.second >= podium.first) return 0;
    double target = approval_of(best), least = INFINITY;
    for (size_t i = 0; i < input->claim_count; i++)
        if (i != podium.best && scores[i].probability >= podium.second)
            least = fmin(least, voices_to_reach(target, &scores[i]));
    return least;
}

steme_status approval_judge(const struct lens_input *input, const struct steme_lens *lens, struct arena *arena,
                            struct lens_result *out, struct steme_error *err)
{
    steme_status status = score_open(input, arena, out, err);
    if (status) return status;
    double prior = lens->prior > 0 ? lens->prior : LENS_PRIOR;
    struct sum heard = { 0 };
    for (size_t i = 0; i < input->claim_count; i++)
        sum_add(&heard, out->scores[i].support);
    for (size_t i = 0; i < input->claim_count; i++) {
        struct lens_score *score = &out->scores[i];
        double support = input->functional ? sum_value(&heard) : score->support;
        score->probability = fmin(1, approval_of(score) / (prior + support));
    }
    score_close(input, out);
    out->margin = margin(input, out->scores, prior);
    return STEME_OK;
}
