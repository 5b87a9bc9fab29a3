/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of voices whose variances are learned. */
#include "cortex/reliability.h"
#include "slot.h"

#include <float.h>

enum { ITEMS = 200, VOICES = 6 };

struct table {
    struct arena arena;
    struct rel_measure measures[ITEMS][VOICES];
    struct rel_number_item items[ITEMS];
    double truths[ITEMS];
};

/* Nearly Gaussian: the sum of twelve. */
static double draw_error(struct prng *prng)
{
    double sum = -6;
    for (int k = 0; k < 12; k++)
        sum += (double)(prng_u64(prng) >> 11) / 9007199254740992.0;
    return sum;
}

static void table_init(struct table *table, const double *deviations, double scale, uint64_t seed)
{
    struct prng prng = seeded(seed);
    arena_init(&table->arena, 1 << 22);
    for (size_t i = 0; i < ITEMS; i++) {
        table->truths[i] = scale * (double)prng_below(&prng, 1000);
        for (uint32_t v = 0; v < VOICES; v++)
            table->measures[i][v] = (struct rel_measure){ v,
                                                          table->truths[i] + scale * deviations[v] * draw_error(&prng),
                                                          0 };
        table->items[i] = (struct rel_number_item){ table->measures[i], VOICES };
    }
}

static const struct rel_number_model *learn(struct table *table, size_t count, const char *name)
{
    const struct rel_number_model *model = NULL;
    const struct rel_params params = { 0 };
    struct steme_error err;
    assert_status(rel_learn_numbers(table->items, count, VOICES, &params, &table->arena, &model, &err), STEME_OK, &err,
                  name);
    return model;
}

static struct rel_estimate judge(const struct rel_number_model *model, const struct rel_number_item *item,
                                 const char *name)
{
    struct rel_estimate estimate;
    struct steme_error err;
    double weights[16], total = 0;
    assert_status(rel_judge_numbers(model, item, &estimate, weights, &err), STEME_OK, &err, name);
    for (size_t m = 0; m < item->count; m++) {
        assert_row(weights[m] >= 0 && weights[m] <= 1 + 1e-12, name);
        total += weights[m];
    }
    if (item->count > 0) assert_close(total, 1, 1e-12, "sum of weights", name);
    return estimate;
}

static void deviations_are_recovered_at_any_scale(void **state)
{
    (void)state;
    static const double deviations[VOICES] = { 1, 1, 2, 4, 8, 16 }, scales[] = { 1, 1e-200, 1e-3, 1e150, 1e300 };
    for (size_t s = 0; s < countof(scales); s++) {
        struct table table;
        table_init(&table, deviations, scales[s], 101);
        const struct rel_number_model *model = learn(&table, ITEMS, "scales");
        for (uint32_t v = 0; v < VOICES; v++)
            assert_close(model->voices[v].deviation / scales[s], deviations[v], 0.25, "deviation", "a voice");
        double plain = 0, learned = 0, inside = 0;
        for (size_t i = 0; i < ITEMS; i++) {
            struct rel_estimate estimate = judge(model, &table.items[i], "scales");
            double mean = 0;
            for (size_t v = 0; v < VOICES; v++)
                mean += table.measures[i][v].x / VOICES;
            plain += fabs(mean - table.truths[i]) / scales[s];
            learned += fabs(estimate.mean - table.truths[i]) / scales[s];
            inside += fabs(estimate.mean - table.truths[i]) < 1.96 * estimate.error;
        }
        assert_true(learned < 0.4 * plain);
        assert_true(inside > 0.9 * ITEMS);
        arena_deinit(&table.arena);
    }
}

static void one_wild_voice_changes_nothing_for_the_others(void **state)
{
    (void)state;
    static const double calm[VOICES] = { 1, 1, 2, 4, 4, 4 }, wild[VOICES] = { 1, 1, 2, 4, 4, 1e9 };
    struct table one, two;
    table_init(&one, calm, 1, 102);
    table_init(&two, wild, 1, 102);
    const struct rel_number_model *before = learn(&one, ITEMS, "calm"), *after = learn(&two, ITEMS, "wild");
    for (uint32_t v = 0; v < VOICES - 1; v++)
        assert_close(after->voices[v].deviation, before->voices[v].deviation, 0.2, "deviation", "beside a wild one");
    assert_true(after->voices[VOICES - 1].weight < 1e-12);
    arena_deinit(&one.arena);
    arena_deinit(&two.arena);
}

static void a_sparse_voice_weighs_about_one(void **state)
{
    (void)state;
    static const double deviations[VOICES] = { 1, 1, 1, 1, 1, 0.0001 };
    struct table table;
    table_init(&table, deviations, 1, 103);
    for (size_t i = 1; i < ITEMS; i++)
        table.items[i].count = VOICES - 1; /* the exact one spoke once */
    const struct rel_number_model *model = learn(&table, ITEMS, "sparse");
    const struct rel_number_voice *sparse = &model->voices[VOICES - 1];
    assert_true(sparse->answers == 1 && sparse->weight > 0.5 && sparse->weight < 1.5);
    arena_deinit(&table.arena);
}

/* By hand: nothing is known of either, so equal weights; with stated errors of 1 and 2 beside variances that vanish, 4
 * : 1. */
static void means_are_weighted(void **state)
{
    (void)state;
    struct table table;
    arena_init(&table.arena, 1 << 20);
    const struct rel_number_model *model = learn(&table, 0, "nothing");
    static const struct rel_measure plain[] = { { REL_STRANGER, 10, 0 }, { REL_STRANGER, 10, 0 } };
    const struct rel_number_item none = { NULL, 0 };
    assert_true(isnan(judge(model, &none, "nobody").mean));
    static const struct rel_measure pair[] = { { 0, 10, 0 }, { 1, 20, 0 } };
    const struct rel_number_item two = { pair, 2 }, same = { plain, 2 };
    assert_close(judge(model, &two, "two").mean, 15, 1e-12, "mean", "two");
    assert_close(judge(model, &same, "strangers").mean, 10, 1e-12, "mean", "strangers");
    static const struct rel_measure stated[] = { { 0, 10, 1e6 }, { 1, 20, 2e6 } };
    const struct rel_number_item errors = { stated, 2 };
    struct rel_estimate estimate = judge(model, &errors, "stated");
    assert_close(estimate.mean, 12, 1e-9, "mean", "stated");
    assert_close(estimate.error, 1e6 * sqrt(0.8), 1e-9, "error", "stated");
    /* A voice that says it three times has said it once. */
    static const struct rel_measure often[] = { { 0, 10, 0 }, { 0, 10, 0 }, { 0, 10, 0 }, { 1, 20, 0 } };
    const struct rel_number_item repeated = { often, 4 };
    assert_close(judge(model, &repeated, "often").mean, 15, 1e-12, "mean", "often");
    arena_deinit(&table.arena);
}

static void agreement_and_extremes_are_finite(void **state)
{
    (void)state;
    struct table table;
    static const double none[VOICES] = { 0 };
    table_init(&table, none, 1, 104);
    const struct rel_number_model *model = learn(&table, ITEMS, "all agree");
    struct rel_estimate estimate = judge(model, &table.items[0], "all agree");
    assert_true(estimate.mean == table.truths[0] && estimate.error == 0);
    for (size_t i = 0; i < ITEMS; i++)
        for (uint32_t v = 0; v < VOICES; v++)
            table.measures[i][v].x = v % 2 ? DBL_MAX : -DBL_MAX;
    model = learn(&table, ITEMS, "extremes");
    estimate = judge(model, &table.items[0], "extremes");
    assert_true(isfinite(estimate.mean));
    arena_deinit(&table.arena);
}

static void bad_input_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct rel_measure measures[2];
    } rows[] = {
        { "a voice too many", { { 0, 1, 0 }, { 2, 1, 0 } } },
        { "a stranger to learn from", { { 0, 1, 0 }, { REL_STRANGER, 1, 0 } } },
        { "infinite", { { 0, 1, 0 }, { 1, INFINITY, 0 } } },
        { "no number", { { 0, NAN, 0 }, { 1, 1, 0 } } },
        { "a negative error", { { 0, 1, -1 }, { 1, 1, 0 } } },
        { "out of order", { { 1, 1, 0 }, { 0, 1, 0 } } },
    };
    struct arena arena;
    arena_init(&arena, 1 << 20);
    const struct rel_params params = { 0 };
    const struct rel_number_model *model = NULL;
    for (size_t r = 0; r < countof(rows); r++) {
        const struct rel_number_item item = { rows[r].measures, 2 };
        struct steme_error err;
        assert_status(rel_learn_numbers(&item, 1, 2, &params, &arena, &model, &err), STEME_BAD_INPUT, &err,
                      rows[r].name);
    }
    struct arena small;
    arena_init(&small, 64);
    assert_int_equal(rel_learn_numbers(NULL, 0, 100, &params, &small, &model, NULL), STEME_NO_MEMORY);
    arena_deinit(&small);
    arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deviations_are_recovered_at_any_scale),
        cmocka_unit_test(one_wild_voice_changes_nothing_for_the_others),
        cmocka_unit_test(a_sparse_voice_weighs_about_one),
        cmocka_unit_test(means_are_weighted),
        cmocka_unit_test(agreement_and_extremes_are_finite),
        cmocka_unit_test(bad_input_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
