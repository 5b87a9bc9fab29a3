/* SPDX-License-Identifier: Apache-2.0 */
#include "base/check.h"
#include "base/slice.h"
#include "faces/cli/scalar.h"
#include "lib/testing.h"

#define NOW_US INT64_C(1700000000000000)
#define SECOND_US INT64_C(1000000)

static const struct {
    const char *name, *text;
    uint32_t ppm;
    steme_status status;
} shares[] = {
    { "nought", "0", 0, STEME_OK },
    { "one", "1", 1000000, STEME_OK },
    { "one with decimals", "1.000", 1000000, STEME_OK },
    { "a half", "0.5", 500000, STEME_OK },
    { "the smallest", "0.000001", 1, STEME_OK },
    { "the largest below one", "0.999999", 999999, STEME_OK },
    { "with an exponent", "85e-2", 850000, STEME_OK },
    { "seven decimals", "0.1234567", 0, STEME_BAD_INPUT },
    { "just over one", "1.000001", 0, STEME_BAD_INPUT },
    { "one and a half", "1.5", 0, STEME_BAD_INPUT },
    { "a hundred", "100", 0, STEME_BAD_INPUT },
    { "a huge number", "1e90", 0, STEME_BAD_INPUT },
    { "a negative number", "-0.1", 0, STEME_BAD_INPUT },
    { "NaN", "nan", 0, STEME_BAD_INPUT },
    { "per cent", "50%", 0, STEME_BAD_INPUT },
    { "nothing", "", 0, STEME_BAD_INPUT },
    { "a number beyond all", "1e999", 0, STEME_TOO_LARGE },
};

static void shares_are_exact_or_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(shares); i++) {
        uint32_t ppm = 7;
        struct steme_error err;
        steme_status status = scalar_parse_share(slice_text(shares[i].text), "confidence", &ppm, &err);
        assert_status(status, shares[i].status, &err, shares[i].name);
        assert_row(ppm == (status ? 7 : shares[i].ppm), shares[i].name);
    }
}

static void a_share_printed_reads_back(void **state)
{
    (void)state;
    static const struct {
        uint32_t ppm;
        const char *text;
    } rows[] = { { 0, "0" }, { 1, "0.000001" }, { 100000, "0.1" }, { 123456, "0.123456" }, { 1000000, "1" } };
    for (size_t i = 0; i < countof(rows); i++) {
        char text[SCALAR_PRINT_BYTES];
        uint32_t ppm;
        scalar_print_share(rows[i].ppm, text);
        assert_string_equal(text, rows[i].text);
        assert_int_equal(scalar_parse_share(slice_text(text), "it", &ppm, NULL), STEME_OK);
        assert_int_equal(ppm, rows[i].ppm);
    }
}

static const struct {
    const char *name, *text;
    uint64_t max, value;
    steme_status status;
} counts[] = {
    { "nought", "0", 10, 0, STEME_OK },
    { "the maximum", "10", 10, 10, STEME_OK },
    { "over the maximum", "11", 10, 0, STEME_BAD_INPUT },
    { "the largest of all", "18446744073709551615", UINT64_MAX, UINT64_MAX, STEME_OK },
    { "over the largest of all", "18446744073709551616", UINT64_MAX, 0, STEME_BAD_INPUT },
    { "twenty digits more", "18446744073709551615000", UINT64_MAX, 0, STEME_BAD_INPUT },
    { "leading zeros", "007", 10, 7, STEME_OK },
    { "a sign", "+7", 10, 0, STEME_BAD_INPUT },
    { "a fraction", "1.5", 10, 0, STEME_BAD_INPUT },
    { "a space", " 1", 10, 0, STEME_BAD_INPUT },
    { "nothing", "", 10, 0, STEME_BAD_INPUT },
};

static void counts_are_whole_and_bounded(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(counts); i++) {
        uint64_t value = 0;
        struct steme_error err;
        steme_status status = scalar_parse_count(counts[i].text, "limit", counts[i].max, &value, &err);
        assert_status(status, counts[i].status, &err, counts[i].name);
        if (!status) assert_row(value == counts[i].value, counts[i].name);
    }
}

static const struct {
    const char *name, *text;
    int64_t us; /* 0: refused */
} durations[] = {
    { "seconds", "90s", 90 * SECOND_US },
    { "minutes", "15min", 900 * SECOND_US },
    { "hours", "12h", 43200 * SECOND_US },
    { "days", "30d", 2592000 * SECOND_US },
    { "weeks", "2w", 1209600 * SECOND_US },
    { "years", "4y", 1461 * 86400 * SECOND_US },
    { "many years", "999999999y", 0 },
    { "too many digits", "9999999999s", 0 },
    { "no length at all", "0d", 0 },
    { "no unit", "30", 0 },
    { "no number", "d", 0 },
    { "an unknown unit", "30m", 0 },
    { "a fraction", "1.5d", 0 },
    { "negative", "-1d", 0 },
    { "nothing", "", 0 },
};

static void durations_have_a_number_and_a_unit(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(durations); i++) {
        int64_t us = 0;
        struct steme_error err;
        steme_status status = scalar_parse_duration(durations[i].text, "half-life", &us, &err);
        assert_status(status, durations[i].us ? STEME_OK : STEME_BAD_INPUT, &err, durations[i].name);
        if (!status) assert_row(us == durations[i].us, durations[i].name);
    }
}

static const struct {
    const char *name, *text;
    int64_t us;
    steme_status status;
} times[] = {
    { "now", "now", NOW_US, STEME_OK },
    { "a year", "1970", 0, STEME_OK },
    { "a day", "1970-01-02", 86400 * SECOND_US, STEME_OK },
    { "a second", "1970-01-01T00:00:01Z", SECOND_US, STEME_OK },
    { "microseconds", "@-5", -5, STEME_OK },
    { "the earliest of all", "@-9223372036854775808", INT64_MIN, STEME_OK },
    { "an at sign alone", "@", 0, STEME_BAD_INPUT },
    { "microseconds that are none", "@x", 0, STEME_BAD_INPUT },
    { "a day that is none", "1970-02-30", 0, STEME_BAD_INPUT },
    { "a word", "today", 0, STEME_BAD_INPUT },
    { "nothing", "", 0, STEME_BAD_INPUT },
};

static void times_are_instants(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(times); i++) {
        int64_t us = 7;
        struct steme_error err;
        steme_status status = scalar_parse_time(slice_text(times[i].text), "time", NOW_US, &us, &err);
        assert_status(status, times[i].status, &err, times[i].name);
        if (!status) assert_row(us == times[i].us, times[i].name);
    }
}

static void a_time_printed_reads_back(void **state)
{
    (void)state;
    static const int64_t instants[] = { 0,
                                        1,
                                        -1,
                                        SECOND_US,
                                        NOW_US,
                                        INT64_MIN,
                                        INT64_MAX,
                                        -62135596800000000,
                                        -62135596800000001,
                                        253402300799999999,
                                        253402300800000000 };
    for (size_t i = 0; i < countof(instants); i++) {
        char text[SCALAR_PRINT_BYTES];
        int64_t us;
        scalar_print_time(instants[i], text);
        assert_int_equal(scalar_parse_time(slice_text(text), "time", 0, &us, NULL), STEME_OK);
        assert_true(us == instants[i]);
    }
}

static const struct {
    const char *name, *text;
    uint64_t sequence; /* UINT64_MAX: it is a time */
    int64_t us;
    steme_status status;
} moments[] = {
    { "a number with an at sign", "@123", 123, 0, STEME_OK },
    { "a number with seq:", "seq:123", 123, 0, STEME_OK },
    { "a number of four digits with a mark", "@1994", 1994, 0, STEME_OK },
    { "a short number", "7", 7, 0, STEME_OK },
    { "a long number", "19940", 19940, 0, STEME_OK },
    { "four digits are a year", "1970", UINT64_MAX, 0, STEME_OK },
    { "a time", "1970-01-02", UINT64_MAX, 86400 * SECOND_US, STEME_OK },
    { "now", "now", UINT64_MAX, NOW_US, STEME_OK },
    { "a mark without a number", "@", 0, 0, STEME_BAD_INPUT },
    { "a mark before a word", "seq:x", 0, 0, STEME_BAD_INPUT },
    { "a negative number", "-7", 0, 0, STEME_BAD_INPUT },
    { "a number beyond all", "@18446744073709551615", 0, 0, STEME_BAD_INPUT },
};

static void as_of_is_a_sequence_number_or_a_time(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(moments); i++) {
        struct steme_moment moment = steme_moment_now();
        struct steme_error err;
        steme_status status = scalar_parse_as_of(moments[i].text, NOW_US, &moment, &err);
        assert_status(status, moments[i].status, &err, moments[i].name);
        if (status) continue;
        bool is_time = moments[i].sequence == UINT64_MAX;
        assert_row(moment.as_of_sequence == moments[i].sequence, moments[i].name);
        assert_row(moment.as_of_us == (is_time ? moments[i].us : STEME_TIME_MAX), moments[i].name);
        assert_row(moment.valid_at_us == STEME_TIME_MAX, moments[i].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_are_exact_or_refused),
        cmocka_unit_test(a_share_printed_reads_back),
        cmocka_unit_test(counts_are_whole_and_bounded),
        cmocka_unit_test(durations_have_a_number_and_a_unit),
        cmocka_unit_test(times_are_instants),
        cmocka_unit_test(a_time_printed_reads_back),
        cmocka_unit_test(as_of_is_a_sequence_number_or_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
