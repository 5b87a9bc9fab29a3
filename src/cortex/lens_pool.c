/* SPDX-License-Identifier: Apache-2.0 */
/* Pool: quantities are measurements of one truth, to be averaged. A measurement is a quantity with bounds, once for
 * each (claim, voice) where the voice asserted it with a confidence above 0 (a ballot is no measurement):
 *   x = amount,   s = (upper - lower)/2 > 0,   w = 1/s^2
 * Only measurements in one unit are pooled: the unit of most of them, of equals the smallest in bytes. Quantities in
 * other units, without bounds, or with bounds of no width are left out and counted. Over k measurements:
 *
 *   fixed_mean  m  = sum(w x) / sum(w)               fixed_error = 1 / sqrt(sum(w))         inverse variance
 *   chi2        Q  = sum(w (x - m)^2)                degrees     = k - 1                    Cochran 1954
 *               C  = sum(w) - sum(w^2) / sum(w)
 *   tau2           = max(0, (Q - degrees) / C),      0 for k = 1                            DerSimonian and Laird 1986
 *               v  = 1 / (s^2 + tau2)
 *   mean           = sum(v x) / sum(v)               error = 1 / sqrt(sum(v))
 *   i2             = max(0, (Q - degrees) / Q)       NAN for k = 1                          Higgins and Thompson 2002
 *   birge          = sqrt(Q / degrees)               NAN for k = 1                          Birge 1932
 *   tension_p      = P(chi-square with `degrees` degrees of freedom >= Q); NAN for k = 1    numeric.c
 *
 * Scores: S_c = sum of v over the claim's measurements, p_c = S_c / sum(v): the claim's share of the pooled weight. It
 * says how much of the mean the claim makes, not how likely it is. R_c = 0: refutations and ballots play no part.
 * Verdict: k = 0 "unknown", k = 1 "leaning"; else by tension_p: >= 0.05 "settled" (one truth explains the scatter),
 * >= 0.0027 (three sigma) "leaning", below "contested". Many-valued: "listed" unless k = 0. The mean of measurements
 * has no runner-up, so the margin is 0.
 *
 * In the machine: weights are taken relative to the most precise measurement and values as distances from its own, so
 * that neither a large common offset nor a wide range of errors costs digits; and C = sum(w (W - w)/W), W = sum(w),
 * which has no difference of nearly equal sums. Beyond all use, but finite: a deviation counts as at most 10^100
 * errors, and tau2 as at most half the squared range, which is what the formula can reach before rounding. */
#include "base/check.h"
#include "base/decimal.h"
#include "base/slice.h"
#include "cortex/measure.h"
#include "cortex/numeric.h"
#include "cortex/score.h"

#include <math.h>
#include <stdlib.h>

struct measurement {
    size_t claim;  /* index in the input */
    double x;      /* distance from the most precise one's amount */
    double s;      /* standard error */
    double weight; /* relative to the most precise one: 0..1 */
};

struct sample {
    struct measurement *rows;
    size_t count;
    size_t precise; /* index of the smallest error, the first of equals */
    double origin;  /* its amount */
    double range;   /* between the extreme amounts */
};

/* Measurements in one unit: a claim's, then added up over claims. */
struct unit_share {
    struct steme_slice unit;
    size_t count;
};

static bool has_width(const struct steme_value *value)
{
    return value->has_bounds && decimal_compare(value->lower, value->upper) < 0;
}

/* Voices that assert the claim. */
static size_t speakers(const struct lens_claim *claim)
{
    size_t count = 0;
    for (size_t i = 0; i < claim->voice_count; i++)
        count += claim->voices[i].support > 0 && claim->voices[i].latest_at_us != INT64_MIN;
    return count;
}

static int compare_units(const void *left, const void *right)
{
    const struct unit_share *a = left, *b = right;
    return slice_compare(a->unit, b->unit);
}

/* Unit of most measurements. Sorted by unit, equal ones lie together and the first of equally frequent ones wins. */
static struct unit_share find_main_unit(struct unit_share *shares, size_t count)
{
    struct unit_share main_unit = { 0 };
    if (count > 0) qsort(shares, count, sizeof *shares, compare_units);
    for (size_t from = 0, to; from < count; from = to) {
        struct unit_share sum = shares[from];
        for (to = from + 1; to < count && slice_equal(shares[to].unit, sum.unit); to++)
            sum.count += shares[to].count;
        if (sum.count > main_unit.count) main_unit = sum;
    }
    return main_unit;
}

/* Choose the unit; *live_out counts all asserted quantities, poolable or not. */
static steme_status choose_unit(const struct lens_input *input, struct arena *arena, struct unit_share *out,
                                size_t *live_out, struct steme_error *err)
{
    struct unit_share *shares = arena_calloc(arena, input->claim_count, sizeof *shares);
    if (!shares) return arena_full(arena, err);
    size_t count = 0, live = 0;
    for (size_t i = 0; i < input->claim_count; i++) {
        const struct lens_claim *claim = &input->claims[i];
        if (claim->value->kind != STEME_QUANTITY) continue;
        size_t voices = speakers(claim);
        live += voices;
        if (voices > 0 && has_width(claim->value)) shares[count++] = (struct unit_share){ claim->value->unit, voices };
    }
    *out = find_main_unit(shares, count);
    *live_out = live;
    return STEME_OK;
}

static steme_status collect(const struct lens_input *input, struct unit_share unit, struct arena *arena,
                            struct sample *out, struct steme_error *err)
{
    struct sample sample = { .rows = arena_calloc(arena, unit.count, sizeof *sample.rows) };
    if (!sample.rows) return arena_full(arena, err);
    for (size_t i = 0; i < input->claim_count; i++) {
        const struct lens_claim *claim = &input->claims[i];
        const struct steme_value *value = claim->value;
        if (value->kind != STEME_QUANTITY || !has_width(value) || !slice_equal(value->unit, unit.unit)) continue;
        struct measurement row = { .claim = i, .x = decimal_to_double(value->amount), .s = measure_error(value) };
        for (size_t left = speakers(claim); left > 0; left--) {
            sample.rows[sample.count] = row;
            if (row.s < sample.rows[sample.precise].s) sample.precise = sample.count;
            sample.count++;
        }
    }
    invariant(sample.count == unit.count);
    *out = sample;
    return STEME_OK;
}

/* Values and weights relative to the most precise measurement. */
static void centre(struct sample *sample)
{
    invariant(sample->rows && sample->count > 0);
    struct measurement best = sample->rows[sample->precise];
    double low = best.x, high = best.x;
    for (size_t i = 0; i < sample->count; i++) {
        struct measurement *row = &sample->rows[i];
        low = fmin(low, row->x);
        high = fmax(high, row->x);
        row->weight = (best.s / row->s) * (best.s / row->s);
        row->x -= best.x;
    }
    sample->origin = best.x;
    sample->range = high - low;
}

/* Weighted mean of x, and the sum of weights. */
static double average(const struct sample *sample, double *weight_out)
{
    struct sum weights = { 0 }, moments = { 0 };
    for (size_t i = 0; i < sample->count; i++) {
        const struct measurement *row = &sample->rows[i];
        sum_add(&weights, row->weight);
        sum_add(&moments, row->weight * row->x);
    }
    *weight_out = sum_value(&weights);
    return sum_value(&moments) / *weight_out;
}

static double scatter(const struct sample *sample, double mean)
{
    struct sum sum = { 0 };
    for (size_t i = 0; i < sample->count; i++) {
        double errors = fmin(fabs(sample->rows[i].x - mean) / sample->rows[i].s, 1e100);
        sum_add(&sum, errors * errors);
    }
    return sum_value(&sum);
}

/* C of the head in units of the greatest weight. For that one W - w is the sum of the others, taken as such. */
static double spread_of_weights(const struct sample *sample, double total)
{
    struct sum others = { 0 }, spread = { 0 };
    for (size_t i = 0; i < sample->count; i++) {
        double weight = sample->rows[i].weight;
        if (i == sample->precise) continue;
        sum_add(&others, weight);
        sum_add(&spread, weight * ((total - weight) / total));
    }
    sum_add(&spread, sum_value(&others) / total);
    return sum_value(&spread);
}

static double excess_variance(const struct sample *sample, double total, double chi2, double degrees)
{
    if (chi2 <= degrees) return 0;
    double precise_s = sample->rows[sample->precise].s;
    double variance = (chi2 - degrees) / spread_of_weights(sample, total) * precise_s * precise_s;
    return fmin(variance, sample->range * sample->range / 2);
}

/* Fixed effect, heterogeneity, random effects. Leaves each row's weight as v relative to the greatest v, which is
 * *v_out. */
static void pool(struct sample *sample, struct steme_pooled *pooled, double *v_out)
{
    centre(sample);
    double total, degrees = (double)sample->count - 1;
    double precise_s = sample->rows[sample->precise].s;
    double fixed = average(sample, &total);
    pooled->count = sample->count;
    pooled->degrees = sample->count - 1;
    pooled->fixed_mean = sample->origin + fixed;
    pooled->fixed_error = precise_s / sqrt(total);
    bool alone = sample->count == 1;
    pooled->chi2 = alone ? 0 : scatter(sample, fixed);
    pooled->tau2 = alone ? 0 : excess_variance(sample, total, pooled->chi2, degrees);
    pooled->i2 = alone ? NAN : pooled->chi2 > degrees ? (pooled->chi2 - degrees) / pooled->chi2 : 0;
    pooled->birge = alone ? NAN : sqrt(pooled->chi2 / degrees);
    pooled->tension_p = alone ? NAN : numeric_chi2_tail(pooled->chi2, pooled->degrees);

    double variance = precise_s * precise_s + pooled->tau2; /* the smallest */
    for (size_t i = 0; i < sample->count; i++) {
        struct measurement *row = &sample->rows[i];
        row->weight = variance / (row->s * row->s + pooled->tau2);
    }
    pooled->mean = sample->origin + average(sample, &total);
    pooled->error = sqrt(variance) / sqrt(total);
    *v_out = 1 / variance;
}

/* Rows lie in the order of claims, so a claim's sum is taken in one run. */
static void share_out(const struct sample *sample, double v, struct lens_score *scores)
{
    double total;
    average(sample, &total);
    for (size_t from = 0, to; from < sample->count; from = to) {
        struct sum sum = { 0 };
        for (to = from; to < sample->count && sample->rows[to].claim == sample->rows[from].claim; to++)
            sum_add(&sum, sample->rows[to].weight);
        struct lens_score *score = &scores[sample->rows[from].claim];
        score->support = v * sum_value(&sum);
        score->probability = fmin(1, sum_value(&sum) / total);
    }
}

static enum steme_verdict judge_tension(const struct steme_pooled *pooled)
{
    const double suspicious = 0.05, three_sigma = 0.0027;
    if (pooled->count == 1) return STEME_LEANING;
    if (pooled->tension_p >= suspicious) return STEME_SETTLED;
    return pooled->tension_p >= three_sigma ? STEME_LEANING : STEME_CONTESTED;
}

static steme_status judge(const struct lens_input *input, const struct steme_lens *lens, struct arena *arena,
                          struct lens_result *out, struct steme_error *err)
{
    (void)lens; /* no parameters */
    steme_status status = score_open(input, arena, out, err);
    if (status) return status;
    for (size_t i = 0; i < input->claim_count; i++)
        out->scores[i] = (struct lens_score){ 0 }; /* not in voices */
    struct unit_share unit = { 0 };
    size_t live = 0;
    status = choose_unit(input, arena, &unit, &live, err);
    if (status) return status;
    out->pooled.left_out = live - unit.count;
    if (unit.count == 0) return STEME_OK; /* zeroed is undecided */

    struct sample sample = { 0 };
    status = collect(input, unit, arena, &sample, err);
    if (status) return status;
    double v = 0;
    pool(&sample, &out->pooled, &v);
    out->pooled.unit = unit.unit;
    out->has_pooled = true;
    share_out(&sample, v, out->scores);
    score_close(input, out);
    if (input->functional) out->verdict = judge_tension(&out->pooled);
    return STEME_OK;
}

const struct lens_ops lens_pool = {
    .info = {
        .name = "pool",
        .summary = "the mean of the measurements, and whether they agree",
        .detail = "Quantities with bounds, one measurement for each claim and voice that asserts it: "
                  "inverse-variance mean, Cochran's chi2, DerSimonian-Laird random-effects mean with tau2, I2, "
                  "Birge ratio, and the probability of a scatter this large. Settled from 0.05 up, leaning from "
                  "0.0027 (three sigma), contested below. A claim's probability is its share of the pooled "
                  "weight. No parameters.",
    },
    .needs_values = true,
    .judge = judge,
};
