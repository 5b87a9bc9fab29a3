/* SPDX-License-Identifier: Apache-2.0 */
/* Reliability: voices count by how often they have been right on all slots of the predicate, which is learned from
 * where they agree (reliability.c, reliability_numbers.c: formulas and whose they are). What was learned comes in with
 * the input; this file asks the model about one slot.
 *
 * Labels. p_c is what the model gives to claim c; of a many-valued predicate to "yes" of the claim alone. Over c's
 * voices v, with w_v what the model says v counts, one of whom nothing is known being 1:
 *   S_c = sum of w_v * support_v,   R_c = sum of w_v * refute_v
 * Margin: voices of whom nothing is known, sure of themselves, that change the outcome, taking each to move the log
 * odds as far as the first does: exact between two claims where weights add up, else an estimate:
 *   functional, a runner-up r of the best b     x = ln(p_b / p_r) / (ln(p_b / p_r) - ln(p_b' / p_r')),
 *                                               ' after one more voice for r
 *   else, down to p_b = 1/2                     x = ln(p_b / (1 - p_b)) / (that - the same after one against b)
 * at most MARGIN_MAX, which also stands where such voices move nothing; 0 for a tie, for a lone claim below one half,
 * and where nothing is supported.
 *
 * Numbers. A measurement is a claim in the scope's unit, once for each voice that asserts it (a ballot is none). With
 * the weights u_i (sum 1), the mean and its error from the model: S_c = sum of w_v, p_c = sum of u_i over the claim's
 * measurements, R_c = 0, margin 0, as for pool. chi2 = sum(u_i (x_i - mean)^2) / error^2, the scatter in learned
 * errors, gives i2, birge and tension_p as in pool, and those the verdict. Claims that are no such number count in
 * left_out. */
#include "base/check.h"
#include "base/slice.h"
#include "cortex/learning.h"
#include "cortex/measure.h"
#include "cortex/numeric.h"
#include "cortex/score.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define MARGIN_MAX LENS_PRIOR_MAX

static const uint32_t yes_no[] = { 0, 1 };

/* ---- strengths ---- */

static void weigh_claim(const struct lens_model *model, const struct lens_claim *claim, struct lens_score *score)
{
    struct sum support = { 0 }, refute = { 0 };
    for (size_t i = 0; i < claim->voice_count; i++) {
        const struct lens_voice *voice = &claim->voices[i];
        double weight = learned_weight(model, voice->number);
        sum_add(&support, weight * voice->support);
        sum_add(&refute, weight * voice->refute);
    }
    score->support = sum_value(&support);
    score->refute = sum_value(&refute);
}

static size_t count_voices(const struct lens_input *input)
{
    size_t count = 0;
    for (size_t c = 0; c < input->claim_count; c++)
        count += input->claims[c].voice_count;
    return count;
}

/* ---- margin ---- */

/* Voices that bring a distance in log odds down to 0, when the first of them brought it to `after`. */
static double voices_to_cover(double before, double after)
{
    double step = before - after;
    return step > before / MARGIN_MAX ? before / step : MARGIN_MAX;
}

static double log_odds(double p) { return numeric_ln(fmax(p, DBL_MIN) / fmax(1 - p, DBL_EPSILON)); }

/* Log of how far a is ahead of b. */
static double log_lead(double a, double b) { return numeric_ln(fmax(a, DBL_MIN) / fmax(b, DBL_MIN)); }

/* One more voice, unknown to the model, on a value of the item; its probabilities after that, in p. */
static steme_status hear_stranger(const struct lens_model *model, struct rel_item item, struct rel_answer *answers,
                                  struct rel_answer stranger, struct arena *arena, double *p, struct steme_error *err)
{
    answers[item.answer_count++] = stranger; /* strangers come last, and this one last of them */
    item.answers = answers;
    return rel_judge(model->labels, &item, arena, p, err);
}

static steme_status find_margin(const struct lens_model *model, const struct rel_item *item, struct rel_answer *answers,
                                const double *p, size_t best, size_t rival, struct arena *arena, double *margin_out,
                                struct steme_error *err)
{
    double *after = arena_alloc(arena, item->value_count * sizeof *after);
    bool runner_up = rival < item->value_count;
    double before = runner_up ? log_lead(p[best], p[rival]) : log_odds(p[best]);
    *margin_out = 0;
    if (!after) return arena_full(arena, err);
    if (!(before > 0)) return STEME_OK;
    struct rel_answer stranger = { .voice = REL_STRANGER, .value = (uint32_t)(runner_up ? rival : best) };
    *(runner_up ? &stranger.support : &stranger.refute) = 1;
    steme_status status = hear_stranger(model, *item, answers, stranger, arena, after, err);
    if (status) return status;
    double then = runner_up ? log_lead(after[best], after[rival]) : log_odds(after[best]);
    *margin_out = voices_to_cover(before, then);
    return STEME_OK;
}

/* ---- labels ---- */

static steme_status judge_competing(const struct lens_input *input, struct rel_answer *answers, struct arena *arena,
                                    struct lens_result *out, struct steme_error *err)
{
    size_t count = input->claim_count;
    uint32_t *labels = arena_alloc(arena, count * sizeof *labels);
    double *p = arena_alloc(arena, count * sizeof *p);
    if (!labels || !p) return arena_full(arena, err);
    for (size_t c = 0; c < count; c++)
        labels[c] = input->claims[c].label;
    struct rel_item item = { .labels = labels, .answers = answers, .value_count = (uint32_t)count };
    item.answer_count = scope_answers(input->claims, count, answers);
    steme_status status = rel_judge(input->model->labels, &item, arena, p, err);
    for (size_t c = 0; !status && c < count; c++)
        out->scores[c].probability = p[c];
    if (status) return status;
    struct score_podium podium = score_rank(out->scores, count);
    size_t rival = count;
    for (size_t c = 0; podium.second > 0 && c < count; c++)
        if (c != podium.best && out->scores[c].probability >= podium.second) rival = c;
    if (!(podium.first > 0)) return STEME_OK;
    return find_margin(input->model, &item, answers, p, podium.best, rival, arena, &out->margin, err);
}

static steme_status judge_alone(const struct lens_input *input, struct rel_answer *answers, struct arena *arena,
                                struct lens_result *out, struct steme_error *err)
{
    double best = 0;
    steme_status status = STEME_OK;
    for (size_t c = 0; !status && c < input->claim_count; c++) {
        struct rel_item item = { .labels = yes_no, .answers = answers, .value_count = countof(yes_no) };
        double p[countof(yes_no)];
        item.answer_count = scope_answers_alone(&input->claims[c], answers);
        status = rel_judge(input->model->labels, &item, arena, p, err);
        if (status) break;
        out->scores[c].probability = p[0];
        if (!(p[0] > best)) continue;
        best = p[0];
        status = find_margin(input->model, &item, answers, p, 0, item.value_count, arena, &out->margin, err);
    }
    return status;
}

/* ---- numbers ---- */

/* The claim's measurement; false if it is none of this unit. */
static bool measures(const struct lens_input *input, const struct lens_claim *claim, struct measure *out)
{
    return measure_of(claim->value, out) && slice_equal(out->unit, input->model->unit);
}

static bool asserts(const struct lens_voice *voice) { return voice->support > 0 && voice->latest_at_us != INT64_MIN; }

static enum steme_verdict judge_tension(const struct steme_pooled *pooled)
{
    const double suspicious = 0.05, three_sigma = 0.0027;
    if (pooled->count == 1) return STEME_LEANING;
    if (pooled->tension_p >= suspicious) return STEME_SETTLED;
    return pooled->tension_p >= three_sigma ? STEME_LEANING : STEME_CONTESTED;
}

static void describe(const struct rel_number_item *item, const double *weights, struct rel_estimate estimate,
                     struct steme_pooled *pooled)
{
    struct sum scatter = { 0 };
    double error = fmax(estimate.error, DBL_MIN), degrees = (double)item->count - 1;
    for (size_t i = 0; i < item->count; i++) {
        double errors = fmin(fabs(item->measures[i].x - estimate.mean) / error, 1e100);
        sum_add(&scatter, weights[i] * errors * errors);
    }
    bool alone = item->count == 1;
    pooled->count = item->count;
    pooled->degrees = item->count - 1;
    pooled->mean = pooled->fixed_mean = estimate.mean;
    pooled->error = pooled->fixed_error = error;
    pooled->chi2 = alone ? 0 : sum_value(&scatter);
    pooled->i2 = alone ? NAN : pooled->chi2 > degrees ? (pooled->chi2 - degrees) / pooled->chi2 : 0;
    pooled->birge = alone ? NAN : sqrt(pooled->chi2 / degrees);
    pooled->tension_p = alone ? NAN : numeric_chi2_tail(pooled->chi2, pooled->degrees);
}

static size_t collect(const struct lens_input *input, struct rel_measure *rows, struct steme_pooled *pooled)
{
    size_t count = 0;
    for (size_t c = 0; c < input->claim_count; c++) {
        const struct lens_claim *claim = &input->claims[c];
        struct measure measure;
        bool taken = measures(input, claim, &measure);
        for (size_t v = 0; v < claim->voice_count; v++) {
            if (!asserts(&claim->voices[v])) continue;
            if (taken)
                rows[count++] = (struct rel_measure){ claim->voices[v].number, measure.x, measure.error };
            else
                pooled->left_out++;
        }
    }
    scope_sort_measures(rows, count);
    return count;
}

/* A measurement of the claim among the sorted rows. Equal rows have equal weights, so any of them will do. */
static double weight_of(const struct rel_number_item *item, const double *weights, const struct rel_measure *wanted)
{
    for (size_t i = 0; i < item->count; i++)
        if (item->measures[i].voice == wanted->voice && !(item->measures[i].x < wanted->x) &&
            !(item->measures[i].x > wanted->x) && !(item->measures[i].error < wanted->error) &&
            !(item->measures[i].error > wanted->error))
            return weights[i];
    return 0;
}

static steme_status judge_numbers(const struct lens_input *input, struct arena *arena, struct lens_result *out,
                                  struct steme_error *err)
{
    size_t most = count_voices(input);
    struct rel_measure *rows = arena_alloc(arena, most * sizeof *rows);
    double *weights = arena_alloc(arena, most * sizeof *weights);
    if (!rows || !weights) return arena_full(arena, err);
    struct rel_number_item item = { .measures = rows, .count = collect(input, rows, &out->pooled) };
    struct rel_estimate estimate;
    for (size_t c = 0; c < input->claim_count; c++)
        out->scores[c] = (struct lens_score){ 0 };
    if (item.count == 0) return STEME_OK; /* zeroed is undecided */
    steme_status status = rel_judge_numbers(input->model->numbers, &item, &estimate, weights, err);
    if (status) return status;
    for (size_t c = 0; c < input->claim_count; c++) {
        const struct lens_claim *claim = &input->claims[c];
        struct sum share = { 0 }, support = { 0 };
        struct measure measure;
        if (!measures(input, claim, &measure)) continue;
        for (size_t v = 0; v < claim->voice_count; v++) {
            if (!asserts(&claim->voices[v])) continue;
            struct rel_measure row = { claim->voices[v].number, measure.x, measure.error };
            sum_add(&share, weight_of(&item, weights, &row));
            sum_add(&support, learned_weight(input->model, row.voice));
        }
        out->scores[c] = (struct lens_score){ fmin(1, sum_value(&share)), sum_value(&support), 0 };
    }
    describe(&item, weights, estimate, &out->pooled);
    out->pooled.unit = input->model->unit;
    out->has_pooled = true;
    return STEME_OK;
}

/* ---- the lens ---- */

static steme_status judge(const struct lens_input *input, const struct steme_lens *lens, struct arena *arena,
                          struct lens_result *out, struct steme_error *err)
{
    (void)lens; /* its parameters went into the model */
    steme_status status = score_open(input, arena, out, err);
    if (status) return status;
    if (input->model->numbers) {
        status = judge_numbers(input, arena, out, err);
        if (status || !out->has_pooled) return status;
        score_close(input, out);
        if (input->functional) out->verdict = judge_tension(&out->pooled);
        return STEME_OK;
    }
    struct rel_answer *answers = arena_alloc(arena, (2 * count_voices(input) + 1) * sizeof *answers);
    if (!answers) return arena_full(arena, err);
    for (size_t c = 0; c < input->claim_count; c++)
        weigh_claim(input->model, &input->claims[c], &out->scores[c]);
    status = input->functional ? judge_competing(input, answers, arena, out, err)
                               : judge_alone(input, answers, arena, out, err);
    if (!status) score_close(input, out);
    return status;
}

const struct lens_ops lens_reliability = {
    .info = {
        .name = "reliability",
        .summary = "what voices support that were mostly right, learned from where they agree",
        .detail = "Learns how often each voice is right from all questions of the predicate, without knowing the "
                  "truth, and weighs it so: one coin or a confusion matrix for each voice (Dawid-Skene), or accuracy "
                  "over open values; of numbers the variance of each voice, and their weighted mean. The method is "
                  "chosen by the data and named in the answer. Parameters: method (auto), copying (off), uncalibrated "
                  "(off), prior (0.5).",
        .parameters = STEME_LENS_PRIOR | STEME_LENS_METHOD | STEME_LENS_COPYING | STEME_LENS_UNCALIBRATED,
    },
    .needs_values = true,
    .needs_model = true,
    .judge = judge,
};
