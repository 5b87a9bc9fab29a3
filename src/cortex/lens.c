/* SPDX-License-Identifier: Apache-2.0 */
#include "cortex/lens.h"
#include "base/check.h"
#include "base/slice.h"
#include "base/suggest.h"
#include "cortex/authority.h"

#include <float.h>
#include <math.h>
#include <pthread.h>
#include <string.h>

static const struct lens_ops *const lenses[] = { &lens_recency,     &lens_consensus, &lens_authority,
                                                 &lens_reliability, &lens_pool,      &lens_union };

#define LENS_NAMES "recency, consensus, authority, reliability, pool, union"

/* The public listing is one array; each lens keeps its row next to its formula. So it is gathered, once. */
static struct steme_lens_info listing[countof(lenses)];
static pthread_once_t listed = PTHREAD_ONCE_INIT;

static void gather_listing(void)
{
    for (size_t i = 0; i < countof(lenses); i++)
        listing[i] = lenses[i]->info;
}

STEME_API const struct steme_lens_info *steme_lens_list(size_t *count_out)
{
    int failed = pthread_once(&listed, gather_listing);
    invariant(failed == 0);
    *count_out = countof(listing);
    return listing;
}

STEME_API const char *steme_verdict_name(enum steme_verdict verdict)
{
    switch (verdict) {
    case STEME_UNDECIDED: return "unknown";
    case STEME_CONTESTED: return "contested";
    case STEME_LEANING: return "leaning";
    case STEME_SETTLED: return "settled";
    case STEME_LISTED: return "listed";
    }
    return "?";
}

steme_status lens_find(const char *name, const struct lens_ops **out, struct steme_error *err)
{
    if (!name) {
        *out = &lens_consensus;
        return STEME_OK;
    }
    const char *names[countof(lenses)];
    for (size_t i = 0; i < countof(lenses); i++) {
        names[i] = lenses[i]->info.name;
        if (strcmp(name, names[i]) != 0) continue;
        *out = lenses[i];
        return STEME_OK;
    }
    const char *near = suggest_nearest(slice_text(name), names, countof(names));
    if (near) return error_set(err, STEME_BAD_INPUT, "there is no lens '%.64s'; did you mean '%s'?", name, near);
    return error_set(err, STEME_BAD_INPUT, "there is no lens '%.64s'; there are " LENS_NAMES, name);
}

struct reach lens_reach(const struct lens_ops *ops)
{
    return (struct reach){ .predicate = ops->needs_model, .endorsements = ops->needs_weights };
}

steme_status lens_check(const struct steme_lens *lens, struct steme_error *err)
{
    if (lens->half_life_us < 0)
        return error_set(err, STEME_BAD_INPUT, "half_life_us is %lld; give microseconds, or 0 for none",
                         (long long)lens->half_life_us);
    if (!(lens->damping >= 0 && lens->damping < 1))
        return error_set(err, STEME_BAD_INPUT, "damping is %g; give a share between 0 and 1, or 0 for the default, %g",
                         lens->damping, AUTHORITY_DAMPING);
    if (!(lens->prior >= 0 && lens->prior <= LENS_PRIOR_MAX))
        return error_set(err, STEME_BAD_INPUT, "prior is %g; give a weight of at most %g, or 0 for the default, %g",
                         lens->prior, LENS_PRIOR_MAX, LENS_PRIOR);
    if (lens->method > STEME_METHOD_ACCURACY)
        return error_set(err, STEME_BAD_INPUT, "method is %u; there are 0 to %u", (unsigned)lens->method,
                         (unsigned)STEME_METHOD_ACCURACY);
    if (lens->root_count > 0 && !lens->roots)
        return error_set(err, STEME_BAD_INPUT, "root_count is %zu, but roots is NULL; give the keys", lens->root_count);
    return STEME_OK;
}

enum steme_verdict lens_verdict(const struct lens_input *input, double best, double rival)
{
    if (!(best > 0)) return STEME_UNDECIDED;
    if (!input->functional) return STEME_LISTED;
    if (best < 0.5) return STEME_CONTESTED;
    return best >= 0.9 && rival < 0.1 ? STEME_SETTLED : STEME_LEANING;
}

STEME_API const char *steme_method_name(enum steme_method method)
{
    switch (method) {
    case STEME_METHOD_AUTO: return "auto";
    case STEME_METHOD_ONE_COIN: return "one-coin";
    case STEME_METHOD_CONFUSION: return "confusion";
    case STEME_METHOD_ACCURACY: return "accuracy";
    case STEME_METHOD_NUMBERS: return "numbers";
    }
    return "?";
}

static bool is_share(double number) { return number >= 0 && number <= 1; /* so not NAN */ }

static void require_voices(const struct lens_claim *claim)
{
    for (size_t i = 0; i < claim->voice_count; i++) {
        const struct lens_voice *voice = &claim->voices[i];
        invariant(is_share(voice->support) && is_share(voice->refute) && is_share(voice->weight));
        /* Or the sums would depend on the order of arrival, or a voice would have two says. */
        invariant(i == 0 || memcmp(voice[-1].voice, voice->voice, sizeof voice->voice) < 0);
    }
}

static void require_input(const struct lens_ops *ops, const struct lens_input *input)
{
    for (size_t i = 0; i < input->claim_count; i++) {
        const struct lens_claim *claim = &input->claims[i];
        invariant(i == 0 || memcmp(claim[-1].claim, claim->claim, sizeof claim->claim) < 0);
        invariant(is_share(claim->latest_confidence));
        invariant(claim->value || !ops->needs_values);
        invariant(input->model || !ops->needs_model);
        require_voices(claim);
    }
}

/* What is promised of a distribution, added up as any caller would. */
static void require_scores(const struct lens_input *input, const struct lens_result *result)
{
    double sum = 0;
    for (size_t i = 0; i < input->claim_count; i++) {
        const struct lens_score *score = &result->scores[i];
        invariant(is_share(score->probability));
        invariant(score->support >= 0 && score->support <= DBL_MAX && score->refute >= 0 && score->refute <= DBL_MAX);
        sum += score->probability;
    }
    invariant(!input->functional || sum <= 1);
    invariant(result->margin >= 0 && result->margin <= DBL_MAX);
}

static void require_pooled(const struct steme_pooled *pooled)
{
    invariant(isfinite(pooled->fixed_mean) && isfinite(pooled->fixed_error) && pooled->fixed_error > 0);
    invariant(isfinite(pooled->mean) && isfinite(pooled->error) && pooled->error > 0);
    invariant(isfinite(pooled->tau2) && pooled->tau2 >= 0 && isfinite(pooled->chi2) && pooled->chi2 >= 0);
    if (pooled->count < 2) return; /* the rest are NAN */
    invariant(is_share(pooled->i2) && is_share(pooled->tension_p) && isfinite(pooled->birge));
}

steme_status lens_judge(const struct lens_ops *ops, const struct lens_input *input, const struct steme_lens *lens,
                        struct arena *arena, struct lens_result *out, struct steme_error *err)
{
    steme_status status = lens_check(lens, err);
    if (status) return status;
    require_input(ops, input);
    struct lens_result result;
    status = ops->judge(input, lens, arena, &result, err);
    if (status) return status;
    require_scores(input, &result);
    if (result.has_pooled) require_pooled(&result.pooled);
    *out = result;
    return STEME_OK;
}
