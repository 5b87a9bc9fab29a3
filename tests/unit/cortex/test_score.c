/* SPDX-License-Identifier: Apache-2.0 */
#include "cortex/score.h"
#include "slot.h"

static void support_and_refutation_are_sums_of_weighted_strengths(void **state)
{
    (void)state;
    struct slot slot;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    const struct saying rows[] = {
        { 'A', 1, 1, 0, 1, 0 },
        { 'A', 2, 0.5, 0.25, 0.5, 0 },
        { 'B', 1, 0, 1, 0.25, NEVER },
        { 'B', 3, 1, 1, 0, 0 },
    };
    slot_fill(&slot, rows, countof(rows), true);
    struct lens_result result;
    assert_int_equal(score_open(&slot.input, &arena, &result, NULL), STEME_OK);
    assert_true(result.scores[0].support == 1.25 && result.scores[0].refute == 0.125);
    assert_true(result.scores[1].support == 0 && result.scores[1].refute == 0.25);
    assert_true(result.scores[0].probability == 0 && result.verdict == STEME_UNDECIDED && !result.has_pooled);
    arena_deinit(&arena);
}

static void a_full_arena_is_reported(void **state)
{
    (void)state;
    struct slot slot;
    struct arena arena;
    arena_init(&arena, 8);
    const struct saying rows[] = { SAYS('A', 1) };
    slot_fill(&slot, rows, countof(rows), true);
    struct lens_result result;
    assert_int_equal(score_open(&slot.input, &arena, &result, NULL), STEME_NO_MEMORY);
    arena_deinit(&arena);
}

static const struct {
    const char *name;
    size_t count;
    double p[4];
    struct score_podium want;
} podiums[] = {
    { "no claims", 0, { 0 }, { 0, 0, 0 } },
    { "one claim", 1, { 0.4 }, { 0, 0.4, 0 } },
    { "rising", 3, { 0.1, 0.2, 0.3 }, { 2, 0.3, 0.2 } },
    { "falling", 3, { 0.3, 0.2, 0.1 }, { 0, 0.3, 0.2 } },
    { "the best between", 3, { 0.1, 0.3, 0.2 }, { 1, 0.3, 0.2 } },
    { "a tie for the best goes to the first", 3, { 0.1, 0.4, 0.4 }, { 1, 0.4, 0.4 } },
    { "nothing is likely", 2, { 0, 0 }, { 0, 0, 0 } },
};

static void ranking_finds_the_two_greatest(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(podiums); i++) {
        struct lens_score scores[4] = { { 0 } };
        for (size_t c = 0; c < podiums[i].count; c++)
            scores[c].probability = podiums[i].p[c];
        struct score_podium podium = score_rank(scores, podiums[i].count);
        assert_row(podium.best == podiums[i].want.best, podiums[i].name);
        assert_close(podium.first, podiums[i].want.first, 0, "first", podiums[i].name);
        assert_close(podium.second, podiums[i].want.second, 0, "second", podiums[i].name);
    }
}

static double add_up(const struct lens_score *scores, size_t count, bool backwards)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += scores[backwards ? count - 1 - i : i].probability;
    return sum;
}

/* Shares that sum to 1 in real numbers, and so to a little more in many an order of doubles. */
static void a_whole_that_is_shared_out_never_adds_up_to_more(void **state)
{
    (void)state;
    enum { CLAIMS = 1000 };
    static struct lens_score scores[CLAIMS];
    struct prng prng = seeded(75);
    for (int round = 0; round < 500; round++) {
        size_t count = 2 + (size_t)prng_below(&prng, CLAIMS - 1);
        double total = 0, largest = 0;
        for (size_t i = 0; i < count; i++)
            total += scores[i].probability = (double)(1 + prng_below(&prng, 1000));
        for (size_t i = 0; i < count; i++)
            largest = fmax(largest, scores[i].probability /= total);
        const struct lens_input input = { .claim_count = count, .functional = true };
        struct lens_result result = { .scores = scores };
        score_close(&input, &result);
        assert_true(add_up(scores, count, false) <= 1 && add_up(scores, count, true) <= 1);
        assert_true(add_up(scores, count, false) > 1 - 1e-12);
        assert_close(score_rank(scores, count).first, largest, 1e-12, "the greatest", "random");
    }
}

static void certainty_is_left_alone(void **state)
{
    (void)state;
    struct lens_score scores[] = { { .probability = 1 }, { .probability = 0 } };
    const struct lens_input input = { .claim_count = 2, .functional = true };
    struct lens_result result = { .scores = scores };
    score_close(&input, &result);
    assert_true(scores[0].probability == 1 && result.verdict == STEME_SETTLED);
}

/* Or two claims that share the whole would not reach the half they have. */
static void exact_halves_are_left_alone(void **state)
{
    (void)state;
    struct lens_score scores[] = { { .probability = 0.5 }, { .probability = 0.5 } };
    const struct lens_input input = { .claim_count = 2, .functional = true };
    struct lens_result result = { .scores = scores };
    score_close(&input, &result);
    assert_true(scores[0].probability == 0.5 && scores[1].probability == 0.5 && result.verdict == STEME_LEANING);
}

static void an_overshoot_by_rounding_is_taken_back(void **state)
{
    (void)state;
    const double over = nextafter(0.5, 1);
    struct lens_score scores[] = { { .probability = over }, { .probability = over } };
    const struct lens_input input = { .claim_count = 2, .functional = true };
    struct lens_result result = { .scores = scores };
    score_close(&input, &result);
    assert_true(scores[0].probability + scores[1].probability <= 1);
    assert_true(scores[0].probability == scores[1].probability && scores[0].probability > 0.5 - 1e-14);
}

static void close_with(void *context)
{
    struct lens_score scores[] = { { .probability = *(double *)context }, { .probability = *(double *)context } };
    const struct lens_input input = { .claim_count = 2, .functional = true };
    struct lens_result result = { .scores = scores };
    score_close(&input, &result);
}

static void an_overshoot_beyond_rounding_is_a_broken_promise(void **state)
{
    (void)state;
    assert_dies(close_with, &(double){ 0.6 }, "a sum of 1.2");
}

static void claims_that_do_not_compete_may_add_up_to_more(void **state)
{
    (void)state;
    struct lens_score scores[] = { { .probability = 0.9 }, { .probability = 0.8 } };
    const struct lens_input input = { .claim_count = 2, .functional = false };
    struct lens_result result = { .scores = scores };
    score_close(&input, &result);
    assert_true(scores[0].probability == 0.9 && scores[1].probability == 0.8 && result.verdict == STEME_LISTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(support_and_refutation_are_sums_of_weighted_strengths),
        cmocka_unit_test(a_full_arena_is_reported),
        cmocka_unit_test(ranking_finds_the_two_greatest),
        cmocka_unit_test(a_whole_that_is_shared_out_never_adds_up_to_more),
        cmocka_unit_test(certainty_is_left_alone),
        cmocka_unit_test(exact_halves_are_left_alone),
        cmocka_unit_test(an_overshoot_by_rounding_is_taken_back),
        cmocka_unit_test(an_overshoot_beyond_rounding_is_a_broken_promise),
        cmocka_unit_test(claims_that_do_not_compete_may_add_up_to_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
