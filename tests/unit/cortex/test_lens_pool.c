/* SPDX-License-Identifier: Apache-2.0 */
#include "base/decimal.h"
#include "base/slice.h"
#include "base/text.h"
#include "slot.h"

#include <jansson.h>

enum { ROWS = 8, MEASUREMENTS_MAX = 200 };

/* One claim: what it measures, by how many voices. */
struct reading {
    const char *amount, *minus, *plus; /* minus NULL: without bounds */
    const char *unit;
    unsigned voices;
};

struct bench {
    struct arena arena;
    struct steme_value values[MEASUREMENTS_MAX];
    struct lens_claim claims[MEASUREMENTS_MAX];
    struct lens_input input;
};

static struct steme_decimal decimal(const char *text)
{
    struct steme_decimal number;
    assert_int_equal(text_parse_decimal(slice_text(text), &number, NULL), STEME_OK);
    return number;
}

static void bench_init(struct bench *bench)
{
    *bench = (struct bench){ .input = { .functional = true } };
    bench->input.claims = bench->claims;
    arena_init(&bench->arena, 1 << 20);
}

static struct lens_claim *bench_add(struct bench *bench, struct steme_value value, unsigned voices)
{
    size_t at = bench->input.claim_count++;
    assert_true(at < MEASUREMENTS_MAX);
    struct lens_voice *said = arena_calloc(&bench->arena, voices, sizeof *said);
    assert_non_null(said);
    for (unsigned i = 0; i < voices; i++) {
        said[i] = (struct lens_voice){ .support = 1, .weight = 1 };
        said[i].voice[0] = (uint8_t)i;
    }
    bench->values[at] = value;
    bench->claims[at] = (struct lens_claim){
        .voices = said, .voice_count = voices, .kind = value.kind, .value = &bench->values[at], .latest_confidence = 1
    };
    bench->claims[at].claim[0] = (uint8_t)(at >> 8);
    bench->claims[at].claim[1] = (uint8_t)at;
    return &bench->claims[at];
}

static struct steme_value quantity(struct reading reading)
{
    struct steme_value value = { .kind = STEME_QUANTITY, .unit = slice_text(reading.unit) };
    value.amount = decimal(reading.amount);
    if (!reading.minus) return value;
    value.has_bounds = true;
    assert_int_equal(decimal_sub(value.amount, decimal(reading.minus), &value.lower, NULL), STEME_OK);
    assert_int_equal(decimal_add(value.amount, decimal(reading.plus), &value.upper, NULL), STEME_OK);
    return value;
}

static struct lens_result bench_judge(struct bench *bench, const char *name)
{
    struct lens_result result;
    struct steme_error err;
    const struct steme_lens lens = { 0 };
    assert_status(lens_judge(&lens_pool, &bench->input, &lens, &bench->arena, &result, &err), STEME_OK, &err, name);
    assert_close(result.margin, 0, 0, "margin", name);
    return result;
}

/* Worked out by hand; the tails of one degree are erfc(sqrt(chi2/2)), that of two e^(-chi2/2). */
static const struct {
    const char *name;
    struct reading rows[ROWS];
    struct steme_pooled want;
    enum steme_verdict verdict;
    double share[ROWS]; /* probability of each claim */
} cases[] = {
    { "nothing", { { 0 } }, { 0 }, STEME_UNDECIDED, { 0 } },
    { "no bounds", { { "10", NULL, NULL, "m", 2 } }, { .left_out = 2 }, STEME_UNDECIDED, { 0 } },
    { "bounds of no width", { { "10", "0", "0", "m", 1 } }, { .left_out = 1 }, STEME_UNDECIDED, { 0 } },
    { "one measurement",
      { { "10", "1", "2", "m", 1 } },
      { 1, 0, 10, 1.5, 10, 1.5, 0, 0, 0, NAN, NAN, NAN, { 0 } },
      STEME_LEANING,
      { 1 } },
    { "two that scatter somewhat",
      { { "10", "1", "1", "", 1 }, { "12", "1", "1", "", 1 } },
      { 2, 0, 11, 0.70710678118654752, 11, 1, 1, 2, 1, 0.5, 1.4142135623730951, 0.15729920705028513, { 0 } },
      STEME_SETTLED,
      { 0.5, 0.5 } },
    { "two of unlike errors",
      { { "10", "1", "1", "m", 1 }, { "16", "3", "3", "m", 1 } },
      { 2,
        0,
        10.6,
        0.94868329805051380,
        444.0 / 36,
        2.9249881291307076,
        13,
        3.6,
        1,
        2.6 / 3.6,
        1.8973665961010276,
        0.057779571123597245,
        { 0 } },
      STEME_SETTLED,
      { 22.0 / 36, 14.0 / 36 } },
    { "two that agree better than their errors",
      { { "10", "1", "1", "m", 1 }, { "10.1", "1", "1", "m", 1 } },
      { 2,
        0,
        10.05,
        0.70710678118654752,
        10.05,
        0.70710678118654752,
        0,
        0.005,
        1,
        0,
        0.070710678118654752,
        0.94362802220298,
        { 0 } },
      STEME_SETTLED,
      { 0.5, 0.5 } },
    { "three voices on one value",
      { { "5", "1", "1", "m", 3 } },
      { 3, 0, 5, 0.57735026918962576, 5, 0.57735026918962576, 0, 0, 2, 0, 0, 1, { 0 } },
      STEME_SETTLED,
      { 1 } },
    { "tension, not yet three sigma",
      { { "0", "1", "1", "m", 1 }, { "4", "1", "1", "m", 1 } },
      { 2, 0, 2, 0.70710678118654752, 2, 2, 7, 8, 1, 0.875, 2.8284271247461903, 0.0046777349810472658, { 0 } },
      STEME_LEANING,
      { 0.5, 0.5 } },
    { "contradiction",
      { { "0", "1", "1", "m", 1 }, { "6", "1", "1", "m", 1 } },
      { 2, 0, 3, 0.70710678118654752, 3, 3, 17, 18, 1, 17.0 / 18, 4.2426406871192851, 2.2090496998585441e-05, { 0 } },
      STEME_CONTESTED,
      { 0.5, 0.5 } },
    { "voices count as measurements",
      { { "0", "1", "1", "m", 2 }, { "3", "1", "1", "m", 1 } },
      { 3, 0, 1, 0.57735026918962576, 1, 1, 2, 6, 2, 2.0 / 3, 1.7320508075688772, 0.049787068367863943, { 0 } },
      STEME_LEANING,
      { 2.0 / 3, 1.0 / 3 } },
    { "the unit of most measurements",
      { { "1", "1", "1", "km", 1 },
        { "10", "1", "1", "m", 1 },
        { "12", "1", "1", "m", 1 },
        { "11", NULL, NULL, "m", 1 } },
      { 2, 2, 11, 0.70710678118654752, 11, 1, 1, 2, 1, 0.5, 1.4142135623730951, 0.15729920705028513, { 0 } },
      STEME_SETTLED,
      { 0, 0.5, 0.5, 0 } },
    { "of equal units the smallest",
      { { "1", "1", "1", "m", 1 }, { "10", "1", "1", "km", 1 } },
      { 1, 1, 10, 1, 10, 1, 0, 0, 0, NAN, NAN, NAN, { 0 } },
      STEME_LEANING,
      { 0, 1 } },
    { "quantities without bounds do not choose the unit",
      { { "1", "1", "1", "m", 1 }, { "2", NULL, NULL, "km", 5 } },
      { 1, 5, 1, 1, 1, 1, 0, 0, 0, NAN, NAN, NAN, { 0 } },
      STEME_LEANING,
      { 1, 0 } },
    { "a large common offset costs no digits",
      { { "1000000000000000010", "1", "1", "m", 1 }, { "1000000000000000012", "1", "1", "m", 1 } },
      { 2, 0, 1e18 + 11, 0.70710678118654752, 1e18 + 11, 0.70710678118654752, 0, 0, 1, 0, 0, 1, { 0 } },
      STEME_SETTLED,
      { 0.5, 0.5 } }, /* the amounts are one double, the errors still right */
};

static void require_pooled(const struct steme_pooled *got, const struct steme_pooled *want, double share,
                           const char *name)
{
    assert_row(got->count == want->count && got->degrees == want->degrees, name);
    assert_close(got->fixed_mean, want->fixed_mean, share, "fixed_mean", name);
    assert_close(got->fixed_error, want->fixed_error, share, "fixed_error", name);
    assert_close(got->mean, want->mean, share, "mean", name);
    assert_close(got->error, want->error, share, "error", name);
    assert_close(got->tau2, want->tau2, share, "tau2", name);
    assert_close(got->i2, want->i2, share, "i2", name);
    assert_close(got->birge, want->birge, share, "birge", name);
}

static void measurements_are_pooled_by_precision_and_scatter(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(cases); i++) {
        const char *name = cases[i].name;
        struct bench bench;
        bench_init(&bench);
        for (size_t r = 0; r < ROWS && cases[i].rows[r].amount; r++)
            bench_add(&bench, quantity(cases[i].rows[r]), cases[i].rows[r].voices);
        struct lens_result result = bench_judge(&bench, name);
        assert_row_text(steme_verdict_name(result.verdict), steme_verdict_name(cases[i].verdict), name);
        assert_row(result.has_pooled == (cases[i].want.count > 0), name);
        assert_row(result.pooled.left_out == cases[i].want.left_out, name);
        require_pooled(&result.pooled, &cases[i].want, 2e-13, name);
        assert_close(result.pooled.chi2, cases[i].want.chi2, 2e-13, "chi2", name);
        if (cases[i].want.count > 0)
            assert_close(result.pooled.tension_p, cases[i].want.tension_p, 2e-12, "tension_p", name);
        for (size_t c = 0; c < bench.input.claim_count; c++)
            assert_close(result.scores[c].probability, cases[i].share[c], 1e-14, "probability", name);
        arena_deinit(&bench.arena);
    }
}

static void support_is_in_inverse_variance_and_the_unit_is_told(void **state)
{
    (void)state;
    struct bench bench;
    bench_init(&bench);
    bench_add(&bench, quantity((struct reading){ "10", "1", "1", "m", 1 }), 1);
    bench_add(&bench, quantity((struct reading){ "16", "3", "3", "m", 1 }), 1);
    struct lens_result result = bench_judge(&bench, "support");
    assert_close(result.scores[0].support, 1.0 / 14, 1e-14, "support", "the precise one");
    assert_close(result.scores[1].support, 1.0 / 22, 1e-14, "support", "the other");
    assert_true(slice_equal(result.pooled.unit, slice_text("m")));
    arena_deinit(&bench.arena);
}

static void only_asserted_quantities_are_measurements(void **state)
{
    (void)state;
    struct bench bench;
    bench_init(&bench);
    struct steme_value ten = quantity((struct reading){ "10", "1", "1", "m", 1 });
    struct lens_voice votes = { .support = 1, .weight = 1, .latest_at_us = NEVER };
    struct lens_voice denies = { .refute = 1, .weight = 1, .latest_at_us = NEVER };
    struct lens_voice doubts = { .support = 0, .weight = 1, .latest_at_us = 5 }; /* asserted with confidence 0 */
    const struct lens_voice *silent[] = { &votes, &denies, &doubts };
    for (size_t i = 0; i < countof(silent); i++) {
        struct lens_claim *claim = bench_add(&bench, ten, 1);
        claim->voices = silent[i];
    }
    bench_add(&bench, (struct steme_value){ .kind = STEME_DECIMAL, .amount = decimal("10") }, 1);
    bench_add(&bench, (struct steme_value){ .kind = STEME_UNKNOWN }, 1);
    struct lens_result result = bench_judge(&bench, "nothing asserted");
    assert_true(!result.has_pooled && result.pooled.left_out == 0 && result.verdict == STEME_UNDECIDED);
    bench_add(&bench, ten, 1);
    result = bench_judge(&bench, "one asserted");
    assert_true(result.has_pooled && result.pooled.count == 1 && result.pooled.left_out == 0);
    arena_deinit(&bench.arena);
}

static void a_many_valued_slot_is_pooled_but_only_listed(void **state)
{
    (void)state;
    struct bench bench;
    bench_init(&bench);
    bench.input.functional = false;
    bench_add(&bench, quantity((struct reading){ "10", "1", "1", "m", 1 }), 1);
    bench_add(&bench, quantity((struct reading){ "99", "1", "1", "m", 1 }), 1);
    struct lens_result result = bench_judge(&bench, "many-valued");
    assert_true(result.verdict == STEME_LISTED && result.has_pooled && result.pooled.count == 2);
    arena_deinit(&bench.arena);
}

/* lens_judge() stops at what is not finite. */
static void absurd_numbers_give_finite_results(void **state)
{
    (void)state;
#define LARGEST "9223372036854775807e99" /* the largest decimal */
    static const struct {
        const char *name;
        struct reading a, b, c;
    } rows[] = {
        { "huge against tiny",
          { LARGEST, "1e99", "1e99", "", 1 },
          { "-" LARGEST, "1e-99", "1e-99", "", 1 },
          { "1", "1", "1", "", 1 } },
        { "huge errors against tiny",
          { LARGEST, LARGEST, LARGEST, "", 1 },
          { "-" LARGEST, "1e-99", "1e-99", "", 1 },
          { "1", LARGEST, LARGEST, "", 1 } },
        { "tiny errors far apart",
          { "1", "1e-18", "1e-18", "", 1 },
          { "9e17", "1", "1", "", 1 },
          { "-9e17", "1", "1", "", 1 } },
        { "all tiny",
          { "1e-99", "1e-99", "1e-99", "", 1 },
          { "2e-99", "1e-99", "1e-99", "", 1 },
          { "9e-99", "1e-99", "1e-99", "", 1 } },
        { "all huge",
          { LARGEST, LARGEST, LARGEST, "", 1 },
          { "-" LARGEST, LARGEST, LARGEST, "", 1 },
          { "0", LARGEST, LARGEST, "", 1 } },
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct bench bench;
        bench_init(&bench);
        const struct reading readings[] = { rows[i].a, rows[i].b, rows[i].c };
        for (size_t r = 0; r < countof(readings); r++) {
            struct steme_value value = quantity((struct reading){ "0", readings[r].minus, readings[r].plus, "", 1 });
            value.amount = decimal(readings[r].amount); /* the lens takes the error from the bounds alone */
            bench_add(&bench, value, 1);
        }
        struct lens_result result = bench_judge(&bench, rows[i].name);
        assert_row(result.pooled.count == 3, rows[i].name);
        arena_deinit(&bench.arena);
    }
}

static void judge_without_value(void *context)
{
    struct bench *bench = context;
    bench->claims[0].value = NULL;
    bench_judge(bench, "no value");
}

static void a_claim_without_its_value_is_a_broken_promise(void **state)
{
    (void)state;
    struct bench bench;
    bench_init(&bench);
    bench_add(&bench, quantity((struct reading){ "10", "1", "1", "m", 1 }), 1);
    assert_dies(judge_without_value, &bench, "no value");
    arena_deinit(&bench.arena);
}

static void a_full_arena_is_reported_at_every_step(void **state)
{
    (void)state;
    struct bench bench;
    bench_init(&bench);
    for (int i = 0; i < 10; i++)
        bench_add(&bench, quantity((struct reading){ "10", "1", "1", "m", 1 }), 10);
    const struct steme_lens lens = { 0 };
    steme_status status = STEME_NO_MEMORY;
    for (size_t room = 0; status != STEME_OK; room += 64) {
        assert_true(room < 65536);
        struct arena arena;
        arena_init(&arena, room);
        struct lens_result result;
        struct steme_error err;
        status = lens_judge(&lens_pool, &bench.input, &lens, &arena, &result, &err);
        assert_true(status == STEME_OK || status == STEME_NO_MEMORY);
        arena_deinit(&arena);
    }
    arena_deinit(&bench.arena);
}

/* ---- published measurements, pooled by another program ---- */

struct row {
    char id[64], value[32], plus[32], minus[32];
};

struct table {
    struct row rows[512];
    size_t count;
};

/* Columns: id, subject, predicate, value_kind, value, plus, minus, ... */
static void read_table(const char *path, struct table *table)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    char line[4096];
    while (fgets(line, sizeof line, file)) {
        char *cells[7], *rest = line;
        for (size_t i = 0; i < countof(cells); i++) {
            cells[i] = strsep(&rest, "\t");
            assert_non_null(cells[i]);
        }
        if (strcmp(cells[3], "quantity") != 0) continue;
        assert_true(table->count < countof(table->rows));
        struct row *row = &table->rows[table->count++];
        snprintf(row->id, sizeof row->id, "%s", cells[0]);
        snprintf(row->value, sizeof row->value, "%s", cells[4]);
        snprintf(row->plus, sizeof row->plus, "%s", cells[5]);
        snprintf(row->minus, sizeof row->minus, "%s", cells[6]);
    }
    fclose(file);
}

static const struct row *find_row(const struct table *table, const char *id)
{
    for (size_t i = 0; i < table->count; i++)
        if (strcmp(table->rows[i].id, id) == 0) return &table->rows[i];
    fail_msg("the table has no row '%s'", id);
    return NULL;
}

static double number_of(const json_t *object, const char *key)
{
    const json_t *number = json_object_get(object, key);
    assert_non_null(number);
    return json_is_null(number) ? NAN : json_number_value(number);
}

/* Pools what the oracle pooled and compares. Returns whether there was something. */
static bool agree_with(const json_t *want, const struct table *table, const char *name)
{
    const json_t *ids = json_object_get(want, "pooled_ids");
    if (json_array_size(ids) == 0) return false;
    static struct bench bench;
    bench_init(&bench);
    for (size_t i = 0; i < json_array_size(ids); i++) {
        const struct row *row = find_row(table, json_string_value(json_array_get(ids, i)));
        bench_add(&bench, quantity((struct reading){ row->value, row->minus, row->plus, "u", 1 }), 1);
    }
    struct lens_result result = bench_judge(&bench, name);
    const struct steme_pooled expected = {
        .count = (size_t)number_of(want, "n_pooled"),
        .degrees = (size_t)number_of(want, "dof"),
        .fixed_mean = number_of(want, "ivw_mean"),
        .fixed_error = number_of(want, "ivw_error"),
        .mean = number_of(want, "dl_mean"),
        .error = number_of(want, "dl_error"),
        .tau2 = number_of(want, "dl_tau2"),
        .i2 = number_of(want, "i2"),
        .birge = number_of(want, "birge_ratio"),
    };
    require_pooled(&result.pooled, &expected, 1e-9, name);
    assert_close(result.pooled.chi2, number_of(want, "chi2"), fabs(expected.mean) > 1e7 ? 1e-6 : 1e-9, "chi2", name);
    arena_deinit(&bench.arena);
    return true;
}

static void published_measurements_pool_as_another_program_has_it(void **state)
{
    (void)state;
    char *claims_path = testing_data_path("controversies/claims.tsv");
    char *expected_path = testing_data_path("controversies/expected.json");
    if (!claims_path || !expected_path) {
        free(claims_path);
        free(expected_path);
        skip();
    }
    static struct table table;
    read_table(claims_path, &table);
    json_t *expected = json_load_file(expected_path, 0, NULL);
    assert_non_null(expected);
    size_t compared = 0, at;
    json_t *group;
    json_array_foreach(json_object_get(expected, "quantity_subjects"), at, group)
    {
        const char *name = json_string_value(json_object_get(group, "subject"));
        compared += agree_with(json_object_get(group, "live"), &table, name);
        compared += agree_with(json_object_get(group, "all"), &table, name);
    }
    const char *method;
    json_object_foreach(json_object_get(expected, "hubble_constant_live_by_method_prefix"), method, group)
        compared += agree_with(group, &table, method);
    printf("%zu groups compared\n", compared);
    assert_true(compared > 20);
    json_decref(expected);
    free(claims_path);
    free(expected_path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(measurements_are_pooled_by_precision_and_scatter),
        cmocka_unit_test(support_is_in_inverse_variance_and_the_unit_is_told),
        cmocka_unit_test(only_asserted_quantities_are_measurements),
        cmocka_unit_test(a_many_valued_slot_is_pooled_but_only_listed),
        cmocka_unit_test(absurd_numbers_give_finite_results),
        cmocka_unit_test(a_claim_without_its_value_is_a_broken_promise),
        cmocka_unit_test(a_full_arena_is_reported_at_every_step),
        cmocka_unit_test(published_measurements_pool_as_another_program_has_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
