/* SPDX-License-Identifier: Apache-2.0 */
#include "base/check.h"
#include "base/prng.h"
#include "base/slice.h"
#include "lib/testing.h"
#include "steme/steme.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 2000 };

static struct steme_error failure;

#define OK(call) assert_status((call), STEME_OK, &failure, #call)

static void a_hash_reads_back_in_either_case(void **state)
{
    (void)state;
    struct prng prng = { 1 };
    for (unsigned round = 0; round < 50; round++) {
        struct steme_hash hash, back;
        char text[STEME_PRINT_BYTES];
        prng_fill(&prng, &hash, sizeof hash);
        steme_print_hash(&hash, text);
        assert_int_equal(strlen(text), 64);
        OK(steme_parse_hash(slice_text(text), &back, &failure));
        assert_memory_equal(&back, &hash, sizeof hash);
        for (char *c = text; *c; c++)
            if (*c >= 'a') *c = (char)(*c - 'a' + 'A');
        OK(steme_parse_hash(slice_text(text), &back, &failure));
        assert_memory_equal(&back, &hash, sizeof hash);
    }
}

#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"

static const struct {
    const char *name, *text;
} bad_hashes[] = {
    { "nothing", "" },
    { "a digit too few", "000000000000000000000000000000000000000000000000000000000000000" },
    { "a digit too many", ZEROS "0" },
    { "no hex digit", "g000000000000000000000000000000000000000000000000000000000000000" },
    { "a space in front", " " ZEROS },
    { "a space behind", ZEROS " " },
};

static void what_is_no_hash_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(bad_hashes); i++) {
        struct steme_hash hash;
        assert_status(steme_parse_hash(slice_text(bad_hashes[i].text), &hash, &failure), STEME_BAD_INPUT, &failure,
                      bad_hashes[i].name);
    }
}

/* ---- decimals ---- */

static struct steme_decimal draw_decimal(struct prng *prng)
{
    char text[STEME_PRINT_BYTES];
    struct steme_decimal number = { 0 };
    int64_t coefficient = (int64_t)(prng_u64(prng) >> (1 + prng_below(prng, 62)));
    (void)snprintf(text, sizeof text, "%s%llde%d", prng_chance(prng, 500) ? "-" : "", (long long)coefficient,
                   (int)prng_below(prng, 120) - 60);
    OK(steme_parse_decimal(slice_text(text), &number, &failure));
    return number;
}

static void a_decimal_reads_back_exactly(void **state)
{
    (void)state;
    struct prng prng = { 2 };
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct steme_decimal number = draw_decimal(&prng), back;
        char text[STEME_PRINT_BYTES];
        steme_print_decimal(number, text);
        OK(steme_parse_decimal(slice_text(text), &back, &failure));
        assert_int_equal(back.coefficient, number.coefficient);
        assert_int_equal(back.scale, number.scale);
        double near = strtod(text, NULL);
        assert_memory_equal(&(double){ steme_decimal_double(number) }, &near, sizeof near);
    }
}

static const struct {
    const char *name, *text;
    steme_status want;
} bad_decimals[] = {
    { "nothing", "", STEME_BAD_INPUT },
    { "not a number", "nan", STEME_BAD_INPUT },
    { "infinity", "inf", STEME_BAD_INPUT },
    { "hex", "0x10", STEME_BAD_INPUT },
    { "two points", "1.2.3", STEME_BAD_INPUT },
    { "a comma", "1,5", STEME_BAD_INPUT },
    { "a space", "1 5", STEME_BAD_INPUT },
    { "no digits", ".", STEME_BAD_INPUT },
    { "no exponent", "1e", STEME_BAD_INPUT },
    { "an exponent too large", "1e999", STEME_TOO_LARGE },
    { "more digits than fit", "12345678901234567890.1", STEME_TOO_LARGE },
};

static void what_is_no_decimal_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(bad_decimals); i++) {
        struct steme_decimal number;
        assert_status(steme_parse_decimal(slice_text(bad_decimals[i].text), &number, &failure), bad_decimals[i].want,
                      &failure, bad_decimals[i].name);
    }
}

static struct steme_decimal decimal_of(const char *text)
{
    struct steme_decimal number = { 0 };
    OK(steme_parse_decimal(slice_text(text), &number, &failure));
    return number;
}

static const struct {
    const char *a, *b, *sum, *difference;
} sums[] = {
    { "0", "0", "0", "0" },
    { "1.5", "0.5", "2", "1" },
    { "-1", "0.001", "-0.999", "-1.001" },
    { "1e10", "1e-5", "10000000000.00001", "9999999999.99999" },
    { "67.4", "0.5", "67.9", "66.9" },
};

static void sums_are_exact(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(sums); i++) {
        struct steme_decimal sum, difference;
        char text[STEME_PRINT_BYTES];
        OK(steme_decimal_add(decimal_of(sums[i].a), decimal_of(sums[i].b), &sum, &failure));
        steme_print_decimal(sum, text);
        assert_row_text(text, sums[i].sum, sums[i].a);
        OK(steme_decimal_sub(decimal_of(sums[i].a), decimal_of(sums[i].b), &difference, &failure));
        steme_print_decimal(difference, text);
        assert_row_text(text, sums[i].difference, sums[i].a);
    }
}

static void a_sum_that_does_not_fit_is_told(void **state)
{
    (void)state;
    struct steme_decimal large = { INT64_MAX, 0 }, one = { 1, 0 }, small = { 1, 40 }, out;
    assert_int_equal(steme_decimal_add(large, one, &out, &failure), STEME_TOO_LARGE);
    assert_int_equal(steme_decimal_sub((struct steme_decimal){ -INT64_MAX, 0 }, one, &out, &failure), STEME_TOO_LARGE);
    assert_int_equal(steme_decimal_add(one, small, &out, &failure), STEME_TOO_LARGE);
    assert_int_equal(steme_decimal_sub(one, small, &out, &failure), STEME_TOO_LARGE);
}

/* ---- integers ---- */

static const struct {
    const char *text;
    steme_status want;
    int64_t value;
} integers[] = {
    { "0", STEME_OK, 0 },
    { "-1", STEME_OK, -1 },
    { "9223372036854775807", STEME_OK, INT64_MAX },
    { "-9223372036854775808", STEME_OK, INT64_MIN },
    { "9223372036854775808", STEME_TOO_LARGE, 0 },
    { "", STEME_BAD_INPUT, 0 },
    { "1.0", STEME_BAD_INPUT, 0 },
    { "1e3", STEME_BAD_INPUT, 0 },
    { " 1", STEME_BAD_INPUT, 0 },
    { "one", STEME_BAD_INPUT, 0 },
};

static void integers_are_read_whole_or_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(integers); i++) {
        int64_t value = 77;
        assert_status(steme_parse_integer(slice_text(integers[i].text), &value, &failure), integers[i].want, &failure,
                      integers[i].text);
        assert_row(value == (integers[i].want ? 77 : integers[i].value), integers[i].text);
    }
}

/* ---- times ---- */

static const struct {
    const char *text;
    enum steme_precision precision;
} times[] = {
    { "1994", STEME_YEAR },
    { "1994-10", STEME_MONTH },
    { "1994-10-27", STEME_DAY },
    { "1994-10-27T12:34:56Z", STEME_SECOND },
    { "1994-10-27T12:34:56.000001Z", STEME_MICROSECOND },
    { "0001-01-01", STEME_DAY },
    { "9999-12-31T23:59:59.999999Z", STEME_MICROSECOND },
    { "1969-12-31T23:59:59Z", STEME_SECOND },
    { "2000-02-29", STEME_DAY },
};

static void a_time_reads_back_with_its_precision(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(times); i++) {
        int64_t us = 0;
        enum steme_precision precision = STEME_YEAR;
        char text[STEME_PRINT_BYTES];
        assert_status(steme_parse_time(slice_text(times[i].text), &us, &precision, &failure), STEME_OK, &failure,
                      times[i].text);
        assert_row(precision == times[i].precision, times[i].text);
        steme_print_time(us, precision, text);
        assert_row_text(text, times[i].text, times[i].text);
    }
}

static const char *const bad_times[] = { "",
                                         "94",
                                         "1994-13",
                                         "1994-00",
                                         "1994-02-30",
                                         "1900-02-29",
                                         "1994-10-27T24:00:00Z",
                                         "1994-10-27T12:60:00Z",
                                         "1994-10-27 12:00:00",
                                         "1994-1-1",
                                         "0000",
                                         "yesterday" };

static void what_is_no_time_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(bad_times); i++) {
        int64_t us;
        enum steme_precision precision;
        assert_status(steme_parse_time(slice_text(bad_times[i]), &us, &precision, &failure), STEME_BAD_INPUT, &failure,
                      bad_times[i]);
    }
}

static void any_time_can_be_printed(void **state)
{
    (void)state;
    static const int64_t far[] = { INT64_MIN, INT64_MAX, INT64_MIN + 1, -62135596800000001, 253402300800000000 };
    for (size_t i = 0; i < countof(far); i++) {
        char text[STEME_PRINT_BYTES] = "";
        steme_print_time(far[i], STEME_MICROSECOND, text);
        assert_true(strlen(text) > 0 && strlen(text) < STEME_PRINT_BYTES);
    }
}

/* ---- values ---- */

#define NAME(text)                                \
    {                                             \
        (const uint8_t *)(text), sizeof(text) - 1 \
    }
#define PLUS_MINUS "\xc2\xb1"

static const struct {
    const char *name;
    struct steme_value value;
    const char *want;
} values[] = {
    { "an entity", { .kind = STEME_ENTITY, .text = NAME("Pluto") }, "Pluto" },
    { "a text", { .kind = STEME_TEXT, .text = NAME("so it is"), .language = NAME("en") }, "so it is" },
    { "an empty text", { .kind = STEME_TEXT }, "" },
    { "an integer", { .kind = STEME_INTEGER, .integer = INT64_MIN }, "-9223372036854775808" },
    { "a decimal", { .kind = STEME_DECIMAL, .amount = { -7304, 2 } }, "-73.04" },
    { "a pure number", { .kind = STEME_QUANTITY, .amount = { 82, -8 } }, "8200000000" },
    { "a quantity without bounds", { .kind = STEME_QUANTITY, .amount = { 5, 0 }, .unit = NAME("kg") }, "5 kg" },
    { "a quantity with equal bounds",
      { .kind = STEME_QUANTITY,
        .amount = { 674, 1 },
        .has_bounds = true,
        .lower = { 669, 1 },
        .upper = { 679, 1 },
        .unit = NAME("km/s/Mpc") },
      "67.4 " PLUS_MINUS " 0.5 km/s/Mpc" },
    { "a quantity with unequal bounds",
      { .kind = STEME_QUANTITY, .amount = { 12, 1 }, .has_bounds = true, .lower = { 11, 1 }, .upper = { 15, 1 } },
      "1.2 +0.3 -0.1" },
    { "a time", { .kind = STEME_TIME, .time_us = 0, .precision = STEME_DAY }, "1970-01-01" },
    { "yes", { .kind = STEME_BOOLEAN, .boolean = true }, "true" },
    { "no", { .kind = STEME_BOOLEAN }, "false" },
    { "a blob", { .kind = STEME_BLOB, .blob_bytes = 12, .media_type = NAME("image/png") }, ZEROS ":12:image/png" },
    { "an unknown value", { .kind = STEME_UNKNOWN }, "unknown" },
    { "no value", { .kind = STEME_NONE }, "none" },
};

static void a_value_prints_as_people_read_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(values); i++) {
        char text[256];
        size_t needed = steme_print_value(&values[i].value, text, sizeof text);
        assert_row_text(text, values[i].want, values[i].name);
        assert_row(needed == strlen(values[i].want), values[i].name);
    }
}

/* As snprintf() does: as much as fits and a NUL, and how much it would have been. */
static void room_that_is_too_small_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(values); i++) {
        size_t whole = strlen(values[i].want);
        for (size_t room = 0; room <= whole; room++) {
            char *text = malloc(room ? room : 1);
            assert_non_null(text);
            text[0] = 'x';
            assert_row(steme_print_value(&values[i].value, room ? text : NULL, room) == whole, values[i].name);
            if (room) assert_row(strlen(text) == (room - 1 < whole ? room - 1 : whole), values[i].name);
            free(text);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hash_reads_back_in_either_case),
        cmocka_unit_test(what_is_no_hash_is_refused),
        cmocka_unit_test(a_decimal_reads_back_exactly),
        cmocka_unit_test(what_is_no_decimal_is_refused),
        cmocka_unit_test(sums_are_exact),
        cmocka_unit_test(a_sum_that_does_not_fit_is_told),
        cmocka_unit_test(integers_are_read_whole_or_refused),
        cmocka_unit_test(a_time_reads_back_with_its_precision),
        cmocka_unit_test(what_is_no_time_is_refused),
        cmocka_unit_test(any_time_can_be_printed),
        cmocka_unit_test(a_value_prints_as_people_read_it),
        cmocka_unit_test(room_that_is_too_small_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
