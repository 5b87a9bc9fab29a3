/* SPDX-License-Identifier: Apache-2.0 */
#include "base/check.h"
#include "base/decimal.h"
#include "base/slice.h"
#include "base/text.h"
#include "lib/testing.h"
#include "steme/limits.h"

#include <stdio.h>
#include <stdlib.h>

static struct steme_decimal decimal_of(const char *text)
{
    struct steme_decimal number;
    struct steme_error err;
    assert_status(text_parse_decimal(slice_text(text), &number, &err), STEME_OK, &err, text);
    return number;
}

static void a_number_has_one_canonical_form(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct steme_decimal number;
        bool want;
    } rows[] = {
        { "zero", { 0, 0 }, true },
        { "zero with a scale", { 0, 1 }, false },
        { "an integer", { 12, 0 }, true },
        { "a trailing zero", { 120, 1 }, false },
        { "trailing zeros as a scale", { 12, -3 }, true },
        { "the largest coefficient", { INT64_MAX, 0 }, true },
        { "the least coefficient", { -INT64_MAX, 0 }, true },
        { "no coefficient", { INT64_MIN, 0 }, false },
        { "the largest scale", { 1, STEME_SCALE_MAX }, true },
        { "past the largest scale", { 1, STEME_SCALE_MAX + 1 }, false },
        { "the least scale", { 1, -STEME_SCALE_MAX }, true },
        { "past the least scale", { 1, -STEME_SCALE_MAX - 1 }, false },
    };
    for (size_t i = 0; i < countof(rows); i++)
        assert_row(decimal_is_canonical(rows[i].number) == rows[i].want, rows[i].name);
}

static void make_finds_the_canonical_form_or_refuses(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int64_t coefficient, scale;
        steme_status want;
        struct steme_decimal number;
    } rows[] = {
        { "zero with any scale", 0, INT64_MAX, STEME_OK, { 0, 0 } },
        { "a trailing zero", 120, 1, STEME_OK, { 12, 0 } },
        { "many trailing zeros", -7000000000000000000, 2, STEME_OK, { -7, -16 } },
        { "zeros that save a scale", 100, 101, STEME_OK, { 1, 99 } },
        { "zeros that cost a scale", 10, -99, STEME_TOO_LARGE, { 0, 0 } },
        { "a scale too large", 1, 100, STEME_TOO_LARGE, { 0, 0 } },
        { "a scale far too large", 1, INT64_MAX, STEME_TOO_LARGE, { 0, 0 } },
        { "a scale far too small", 10, INT64_MIN, STEME_TOO_LARGE, { 0, 0 } },
        { "no coefficient", INT64_MIN, 0, STEME_TOO_LARGE, { 0, 0 } },
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct steme_decimal number = { -1, -1 };
        struct steme_error err;
        assert_status(decimal_make(rows[i].coefficient, rows[i].scale, &number, &err), rows[i].want, &err,
                      rows[i].name);
        struct steme_decimal want = rows[i].want ? (struct steme_decimal){ -1, -1 } : rows[i].number;
        assert_row(number.coefficient == want.coefficient && number.scale == want.scale, rows[i].name);
    }
}

static const struct {
    const char *a, *b, *sum, *difference;
} sums[] = {
    { "0", "0", "0", "0" },
    { "1.5", "0", "1.5", "1.5" },
    { "0", "1.5", "1.5", "-1.5" },
    { "0.1", "0.2", "0.3", "-0.1" },
    { "73.04", "1.04", "74.08", "72" },
    { "9.9", "0.1", "10", "9.8" },
    { "1e20", "5", NULL, NULL },
    { "1e18", "1", "1000000000000000001", "999999999999999999" },
    { "1e99", "-1e99", "0", "2e99" },
    { "5e99", "5e99", NULL, "0" },
    { "9223372036854775807", "1", NULL, "9223372036854775806" },
    { "9223372036854775807", "-7", "9.2233720368547758e18", NULL },
    { "9223372036854775807", "3", "9.22337203685477581e18", "9223372036854775804" },
    { "1e19", "-9223372036854775807", "776627963145224193", NULL },
    { "1e-99", "1e99", NULL, NULL },
    { "1e-99", "1e-99", "2e-99", "0" },
};

static void check_sum(steme_status status, struct steme_decimal got, const char *want, const char *a, const char *b)
{
    char name[100];
    snprintf(name, sizeof name, "%s and %s", a, b);
    assert_status(status, want ? STEME_OK : STEME_TOO_LARGE, NULL, name);
    if (!want) return;
    assert_row(decimal_is_canonical(got), name);
    assert_row(decimal_compare(got, decimal_of(want)) == 0, name);
}

static void sums_are_exact_or_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(sums); i++) {
        struct steme_decimal a = decimal_of(sums[i].a), b = decimal_of(sums[i].b), got = { 0, 0 };
        check_sum(decimal_add(a, b, &got, NULL), got, sums[i].sum, sums[i].a, sums[i].b);
        check_sum(decimal_add(b, a, &got, NULL), got, sums[i].sum, sums[i].b, sums[i].a);
        check_sum(decimal_sub(a, b, &got, NULL), got, sums[i].difference, sums[i].a, sums[i].b);
    }
    struct steme_decimal bad = { INT64_MIN, 0 }, one = { 1, 0 }, got;
    assert_int_equal(decimal_add(bad, one, &got, NULL), STEME_TOO_LARGE);
    assert_int_equal(decimal_add(one, bad, &got, NULL), STEME_TOO_LARGE);
    assert_int_equal(decimal_sub(one, bad, &got, NULL), STEME_TOO_LARGE);
}

static void small_sums_agree_with_integers(void **state)
{
    (void)state;
    struct prng prng = { 3 };
    for (int round = 0; round < 100000; round++) {
        int64_t a = (int64_t)prng_below(&prng, 2000001) - 1000000, b = (int64_t)prng_below(&prng, 2000001) - 1000000;
        int64_t scale = (int64_t)prng_below(&prng, 20) - 10;
        struct steme_decimal x, y, sum, want;
        assert_int_equal(decimal_make(a, scale, &x, NULL), STEME_OK);
        assert_int_equal(decimal_make(b, scale, &y, NULL), STEME_OK);
        assert_int_equal(decimal_add(x, y, &sum, NULL), STEME_OK);
        assert_int_equal(decimal_make(a + b, scale, &want, NULL), STEME_OK);
        assert_true(sum.coefficient == want.coefficient && sum.scale == want.scale);
        assert_int_equal(decimal_compare(x, y), (a > b) - (a < b));
    }
}

static void numbers_are_ordered_whatever_their_form(void **state)
{
    (void)state;
    static const struct steme_decimal rising[] = {
        { INT64_MIN, -99 },
        { -1, -99 },
        { INT64_MIN, 0 },
        { -INT64_MAX, 0 },
        { -2, 0 },
        { -15, 1 },
        { -1, 0 },
        { -1, 99 },
        { 0, 5 },
        { 1, 99 },
        { 10, 99 },
        { 999, 3 },
        { 1, 0 },
        { 1001, 3 },
        { 15, 1 },
        { 999999999999999999, 17 },
        { 1, -1 },
        { 11, 0 },
        { 9223372036854775807, 1 },
        { 9223372036854775807, 0 },
        { 1, -19 },
        { 1, -99 },
        { INT64_MAX, -99 },
    };
    for (size_t i = 0; i < countof(rising); i++)
        for (size_t k = 0; k < countof(rising); k++)
            assert_int_equal(decimal_compare(rising[i], rising[k]), (i > k) - (i < k));
    assert_int_equal(decimal_compare((struct steme_decimal){ 120, 2 }, (struct steme_decimal){ 12, 1 }), 0);
    assert_int_equal(decimal_compare((struct steme_decimal){ 0, 9 }, (struct steme_decimal){ 0, -9 }), 0);
}

static void the_double_is_the_nearest(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double want;
    } rows[] = {
        { "0", 0.0 },
        { "0.1", 0.1 },
        { "-73.04", -73.04 },
        { "1e99", 1e99 },
        { "1.5e-40", 1.5e-40 },
        { "9007199254740993", 9007199254740992.0 },
        { "9223372036854775807", 9223372036854775808.0 },
        { "6.62607015e-34", 6.62607015e-34 },
        { "0.3", 0.3 },
    };
    for (size_t i = 0; i < countof(rows); i++) {
        double got = decimal_to_double(decimal_of(rows[i].text));
        assert_row(!(got < rows[i].want) && !(got > rows[i].want), rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_has_one_canonical_form),
        cmocka_unit_test(make_finds_the_canonical_form_or_refuses),
        cmocka_unit_test(sums_are_exact_or_refused),
        cmocka_unit_test(small_sums_agree_with_integers),
        cmocka_unit_test(numbers_are_ordered_whatever_their_form),
        cmocka_unit_test(the_double_is_the_nearest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
