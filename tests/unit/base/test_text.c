/* SPDX-License-Identifier: Apache-2.0 */
#include "base/check.h"
#include "base/slice.h"
#include "base/text.h"
#include "lib/testing.h"
#include "steme/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void hex_goes_there_and_back(void **state)
{
    (void)state;
    struct prng prng = { 5 };
    for (size_t size = 0; size <= 40; size++) {
        uint8_t bytes[40], back[40];
        char hex[81];
        prng_fill(&prng, bytes, size);
        text_hex(bytes, size, hex);
        assert_int_equal(strlen(hex), 2 * size);
        assert_int_equal(text_parse_hex(slice_text(hex), "it", back, size, NULL), STEME_OK);
        assert_memory_equal(bytes, back, size);
    }
    char hex[7];
    text_hex((const uint8_t *)"\x00\x9f\xe0", 3, hex);
    assert_string_equal(hex, "009fe0");
}

#define HEX_60 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789ab"

static void a_hash_is_64_hex_digits(void **state)
{
    (void)state;
    static const struct {
        const char *name, *hex;
        steme_status want;
    } rows[] = {
        { "lower case", HEX_60 "cdef", STEME_OK },
        { "upper case", HEX_60 "CDEF", STEME_OK },
        { "empty", "", STEME_BAD_INPUT },
        { "one short", HEX_60 "cde", STEME_BAD_INPUT },
        { "one long", HEX_60 "cdef0", STEME_BAD_INPUT },
        { "not hex", HEX_60 "cdeg", STEME_BAD_INPUT },
        { "a colon, which stands behind 9", HEX_60 "cd:f", STEME_BAD_INPUT },
        { "an at sign, which stands before A", HEX_60 "cd@f", STEME_BAD_INPUT },
        { "a control character that becomes a digit with another bit",
          HEX_60 "cd\x11"
                 "f",
          STEME_BAD_INPUT },
        { "a space", HEX_60 " def", STEME_BAD_INPUT },
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct steme_hash out;
        struct steme_error err;
        memset(&out, 0x77, sizeof out);
        assert_status(text_parse_hash(slice_text(rows[i].hex), &out, &err), rows[i].want, &err, rows[i].name);
        assert_row(out.bytes[31] == (rows[i].want ? 0x77 : 0xef), rows[i].name);
        assert_row(out.bytes[0] == (rows[i].want ? 0x77 : 0x01), rows[i].name);
    }
}

static void an_integer_fits_64_bits(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        steme_status want;
        int64_t number;
    } rows[] = {
        { "0", STEME_OK, 0 },
        { "-0", STEME_OK, 0 },
        { "+7", STEME_OK, 7 },
        { "007", STEME_OK, 7 },
        { "9223372036854775807", STEME_OK, INT64_MAX },
        { "-9223372036854775808", STEME_OK, INT64_MIN },
        { "9223372036854775808", STEME_TOO_LARGE, 0 },
        { "-9223372036854775809", STEME_TOO_LARGE, 0 },
        { "99999999999999999999999999", STEME_TOO_LARGE, 0 },
        { "", STEME_BAD_INPUT, 0 },
        { "-", STEME_BAD_INPUT, 0 },
        { "+-1", STEME_BAD_INPUT, 0 },
        { " 1", STEME_BAD_INPUT, 0 },
        { "1 ", STEME_BAD_INPUT, 0 },
        { "1.0", STEME_BAD_INPUT, 0 },
        { "0x10", STEME_BAD_INPUT, 0 },
        { "\xD9\xA1", STEME_BAD_INPUT, 0 },
        { "99999999999999999999999999x", STEME_BAD_INPUT, 0 },
    };
    for (size_t i = 0; i < countof(rows); i++) {
        int64_t number = 0;
        struct steme_error err;
        assert_status(text_parse_integer(slice_text(rows[i].text), &number, &err), rows[i].want, &err, rows[i].text);
        assert_row(number == rows[i].number, rows[i].text);
    }
}

static const struct {
    const char *text;
    struct steme_decimal number;
    const char *printed;
} decimals[] = {
    { "0", { 0, 0 }, "0" },
    { "-0.000", { 0, 0 }, "0" },
    { "0e999", { 0, 0 }, "0" },
    { "73.04", { 7304, 2 }, "73.04" },
    { "-73.0400", { -7304, 2 }, "-73.04" },
    { "+1.50", { 15, 1 }, "1.5" },
    { "007", { 7, 0 }, "7" },
    { "1200", { 12, -2 }, "1200" },
    { "0.001", { 1, 3 }, "0.001" },
    { "1e3", { 1, -3 }, "1000" },
    { "1E+3", { 1, -3 }, "1000" },
    { "1.25e-1", { 125, 3 }, "0.125" },
    { "100e-2", { 1, 0 }, "1" },
    { "1e24", { 1, -24 }, "1000000000000000000000000" },
    { "1e25", { 1, -25 }, "1e25" },
    { "12e25", { 12, -25 }, "1.2e26" },
    { "1e-25", { 1, 25 }, "0.0000000000000000000000001" },
    { "1e-26", { 1, 26 }, "1e-26" },
    { "-6.62607015e-34", { -662607015, 42 }, "-6.62607015e-34" },
    { "1e99", { 1, -99 }, "1e99" },
    { "1e-99", { 1, 99 }, "1e-99" },
    { "1.234e99", { 1234, -96 }, "1.234e99" },
    { "9223372036854775807", { INT64_MAX, 0 }, "9223372036854775807" },
    { "-9223372036854775807", { -INT64_MAX, 0 }, "-9223372036854775807" },
    { "9223372036854775807000", { INT64_MAX, -3 }, "9223372036854775807000" },
    { "0.9223372036854775807", { INT64_MAX, 19 }, "0.9223372036854775807" },
    { "9.223372036854775807", { INT64_MAX, 18 }, "9.223372036854775807" },
    { "10000000000000000000000000000000000000000000000000000000000000000000000000000001e-79", { 0, 0 }, NULL },
    { "0.00000000000000000000000000000000000000000000000000000000000000000000000000000000000001e86", { 1, 0 }, "1" },
};

static void a_decimal_is_exactly_what_is_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(decimals); i++) {
        struct steme_decimal number = { 0, 0 };
        struct steme_error err;
        steme_status want = decimals[i].printed ? STEME_OK : STEME_TOO_LARGE;
        assert_status(text_parse_decimal(slice_text(decimals[i].text), &number, &err), want, &err, decimals[i].text);
        if (want) continue;
        assert_row(number.coefficient == decimals[i].number.coefficient, decimals[i].text);
        assert_row(number.scale == decimals[i].number.scale, decimals[i].text);
        char out[TEXT_DECIMAL_BYTES];
        size_t size = text_print_decimal(number, out);
        assert_row(size == strlen(out), decimals[i].text);
        assert_row_text(out, decimals[i].printed, decimals[i].text);
    }
}

static void what_is_no_decimal_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        steme_status want;
    } rows[] = {
        { "", STEME_BAD_INPUT },
        { "-", STEME_BAD_INPUT },
        { ".5", STEME_BAD_INPUT },
        { "5.", STEME_BAD_INPUT },
        { "1e", STEME_BAD_INPUT },
        { "1e+", STEME_BAD_INPUT },
        { "e5", STEME_BAD_INPUT },
        { "1.e5", STEME_BAD_INPUT },
        { "nan", STEME_BAD_INPUT },
        { "NaN", STEME_BAD_INPUT },
        { "inf", STEME_BAD_INPUT },
        { "-Infinity", STEME_BAD_INPUT },
        { "1,5", STEME_BAD_INPUT },
        { "1 000", STEME_BAD_INPUT },
        { "1.2.3", STEME_BAD_INPUT },
        { "0x1p3", STEME_BAD_INPUT },
        { "--1", STEME_BAD_INPUT },
        { "1e5.0", STEME_BAD_INPUT },
        { " 1", STEME_BAD_INPUT },
        { "1\n", STEME_BAD_INPUT },
        { "1e999", STEME_TOO_LARGE },
        { "1e100", STEME_TOO_LARGE },
        { "10e99", STEME_TOO_LARGE },
        { "1e-100", STEME_TOO_LARGE },
        { "1e99999999999999999999999999999", STEME_TOO_LARGE },
        { "1e-99999999999999999999999999999", STEME_TOO_LARGE },
        { "9223372036854775808", STEME_TOO_LARGE },
        { "-9223372036854775808", STEME_TOO_LARGE },
        { "0.12345678901234567891", STEME_TOO_LARGE },
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct steme_decimal number = { 5, 5 };
        struct steme_error err;
        assert_status(text_parse_decimal(slice_text(rows[i].text), &number, &err), rows[i].want, &err, rows[i].text);
        assert_row(number.coefficient == 5 && number.scale == 5, rows[i].text);
        assert_row(err.message[0] == '\'', rows[i].text);
    }
}

static void every_decimal_reads_back_as_itself(void **state)
{
    (void)state;
    struct prng prng = { 9 };
    for (int round = 0; round < 100000; round++) {
        int64_t coefficient = (int64_t)(prng_u64(&prng) >> prng_below(&prng, 64));
        if (prng_chance(&prng, 100)) coefficient = INT64_MAX;
        struct steme_decimal number, back;
        if (decimal_make(coefficient, (int64_t)prng_below(&prng, 199) - 99, &number, NULL)) continue;
        char out[TEXT_DECIMAL_BYTES];
        size_t size = text_print_decimal(number, out);
        assert_true(size < TEXT_DECIMAL_BYTES);
        assert_int_equal(text_parse_decimal(slice_text(out), &back, NULL), STEME_OK);
        assert_true(back.coefficient == number.coefficient && back.scale == number.scale);
    }
}

static void a_number_that_is_not_canonical_prints_as_the_same_number(void **state)
{
    (void)state;
    static const struct steme_decimal numbers[] = { { 0, 3 }, { 0, -99 }, { 1200, 2 }, { INT64_MIN, 5 }, { 10, 99 } };
    static const char *const want[] = { "0.000", "0e99", "12.00", "-92233720368547.75808", "1.0e-98" };
    for (size_t i = 0; i < countof(numbers); i++) {
        char out[TEXT_DECIMAL_BYTES];
        text_print_decimal(numbers[i], out);
        assert_row_text(out, want[i], want[i]);
    }
}

#define DAY_US INT64_C(86400000000)

static const struct {
    const char *text;
    int64_t us;
    enum steme_precision precision;
    const char *printed;
} times[] = {
    { "1970", 0, STEME_YEAR, "1970" },
    { "1970-01", 0, STEME_MONTH, "1970-01" },
    { "1970-01-02", DAY_US, STEME_DAY, "1970-01-02" },
    { "1994-10-27", INT64_C(783216000000000), STEME_DAY, "1994-10-27" },
    { "1994-10-27T12:34:56", INT64_C(783261296000000), STEME_SECOND, "1994-10-27T12:34:56Z" },
    { "1994-10-27T12:34:56Z", INT64_C(783261296000000), STEME_SECOND, "1994-10-27T12:34:56Z" },
    { "1994-10-27T14:34:56+02:00", INT64_C(783261296000000), STEME_SECOND, "1994-10-27T12:34:56Z" },
    { "1994-10-27T07:04:56-05:30", INT64_C(783261296000000), STEME_SECOND, "1994-10-27T12:34:56Z" },
    { "1994-10-27T12:34:56.5", INT64_C(783261296500000), STEME_MICROSECOND, "1994-10-27T12:34:56.500000Z" },
    { "1994-10-27T12:34:56.000001Z", INT64_C(783261296000001), STEME_MICROSECOND, "1994-10-27T12:34:56.000001Z" },
    { "2000-02-29", INT64_C(951782400000000), STEME_DAY, "2000-02-29" },
    { "1969-12-31T23:59:59.999999", -1, STEME_MICROSECOND, "1969-12-31T23:59:59.999999Z" },
    { "0001", INT64_C(-62135596800000000), STEME_YEAR, "0001" },
    { "9999-12-31T23:59:59.999999Z", INT64_C(253402300799999999), STEME_MICROSECOND, "9999-12-31T23:59:59.999999Z" },
    { "0001-01-01T01:00:00+01:00", INT64_C(-62135596800000000), STEME_SECOND, "0001-01-01T00:00:00Z" },
};

static void a_time_is_what_is_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(times); i++) {
        int64_t us = 0;
        enum steme_precision precision = STEME_YEAR;
        struct steme_error err;
        assert_status(text_parse_time(slice_text(times[i].text), &us, &precision, &err), STEME_OK, &err, times[i].text);
        assert_row(us == times[i].us, times[i].text);
        assert_row(precision == times[i].precision, times[i].text);
        char out[TEXT_TIME_BYTES];
        size_t size = text_print_time(us, precision, out);
        assert_row(size == strlen(out), times[i].text);
        assert_row_text(out, times[i].printed, times[i].text);
    }
}

static void what_is_no_time_is_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "199",
        "19940",
        "0000",
        "-001",
        "+1994",
        "1994-",
        "1994-1",
        "1994-00",
        "1994-13",
        "1994-10-",
        "1994-10-0",
        "1994-10-00",
        "1994-10-32",
        "1994-11-31",
        "1994-02-29",
        "1900-02-29",
        "2100-02-29",
        "1994/10/27",
        "19941027",
        "1994Z",
        "1994-10-27Z",
        "1994-10T12:00:00",
        "1994-10-27T",
        "1994-10-27T12",
        "1994-10-27T12:34",
        "1994-10-27 12:34:56",
        "1994-10-27T24:00:00",
        "1994-10-27T12:60:00",
        "1994-10-27T23:59:60",
        "1994-10-27T12:34:56.",
        "1994-10-27T12:34:56.1234567",
        "1994-10-27T12:34:56z",
        "1994-10-27T12:34:56+",
        "1994-10-27T12:34:56+02",
        "1994-10-27T12:34:56+0200",
        "1994-10-27T12:34:56+24:00",
        "1994-10-27T12:34:56+02:60",
        "1994-10-27T12:34:56ZZ",
        "1994-10-27T12:34:56Z ",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "tomorrow",
        "1994-10-27T12:34:56,5",
    };
    for (size_t i = 0; i < countof(rows); i++) {
        int64_t us = 5;
        enum steme_precision precision = STEME_MONTH;
        struct steme_error err;
        assert_status(text_parse_time(slice_text(rows[i]), &us, &precision, &err), STEME_BAD_INPUT, &err, rows[i]);
        assert_row(us == 5 && precision == STEME_MONTH, rows[i]);
    }
}

static void every_day_reads_back_as_itself(void **state)
{
    (void)state;
    const int64_t first = INT64_C(-62135596800000000), end = INT64_C(253402300800000000), cycle = 146097 * DAY_US;
    for (int64_t us = first; us < end; us += us < first + cycle ? DAY_US : 11 * DAY_US) {
        char out[TEXT_TIME_BYTES];
        text_print_time(us, STEME_DAY, out);
        int64_t back = 0;
        enum steme_precision precision = STEME_YEAR;
        if (text_parse_time(slice_text(out), &back, &precision, NULL) || back != us) fail_msg("%s", out);
    }
}

static void calendars_agree(void **state)
{
    (void)state;
    struct prng prng = { 11 };
    for (int round = 0; round < 20000; round++) {
        int64_t seconds = (int64_t)prng_below(&prng, UINT64_C(315537897600)) - INT64_C(62135596800);
        time_t moment = (time_t)seconds;
        struct tm broken;
        assert_non_null(gmtime_r(&moment, &broken));
        char want[64], out[TEXT_TIME_BYTES];
        snprintf(want, sizeof want, "%04d-%02d-%02dT%02d:%02d:%02dZ", broken.tm_year + 1900, broken.tm_mon + 1,
                 broken.tm_mday, broken.tm_hour, broken.tm_min, broken.tm_sec);
        text_print_time(seconds * 1000000, STEME_SECOND, out);
        assert_string_equal(out, want);
    }
}

static void times_past_four_digits_print_in_the_expanded_form(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int64_t us;
        enum steme_precision precision;
        const char *want;
    } rows[] = {
        { "the least", STEME_TIME_MIN, STEME_MICROSECOND, "-290308-12-21T19:59:05.224192Z" },
        { "the most", STEME_TIME_MAX, STEME_MICROSECOND, "+294247-01-10T04:00:54.775807Z" },
        { "the day before the year 1", INT64_C(-62135596800000000) - DAY_US, STEME_DAY, "+000000-12-31" },
        { "the year 10000", INT64_C(253402300800000000), STEME_YEAR, "+010000" },
    };
    for (size_t i = 0; i < countof(rows); i++) {
        char out[TEXT_TIME_BYTES];
        text_print_time(rows[i].us, rows[i].precision, out);
        assert_row_text(out, rows[i].want, rows[i].name);
    }
}

static void a_message_shows_the_beginning_of_long_text(void **state)
{
    (void)state;
    static char text[5000];
    memset(text, '9', sizeof text);
    struct steme_decimal number;
    struct steme_error err;
    assert_int_equal(text_parse_decimal(slice_of(text, sizeof text), &number, &err), STEME_TOO_LARGE);
    assert_true(strlen(err.message) < 200);
    assert_non_null(strstr(err.message, "999...' has more digits"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hex_goes_there_and_back),
        cmocka_unit_test(a_hash_is_64_hex_digits),
        cmocka_unit_test(an_integer_fits_64_bits),
        cmocka_unit_test(a_decimal_is_exactly_what_is_written),
        cmocka_unit_test(what_is_no_decimal_is_refused),
        cmocka_unit_test(every_decimal_reads_back_as_itself),
        cmocka_unit_test(a_number_that_is_not_canonical_prints_as_the_same_number),
        cmocka_unit_test(a_time_is_what_is_written),
        cmocka_unit_test(what_is_no_time_is_refused),
        cmocka_unit_test(every_day_reads_back_as_itself),
        cmocka_unit_test(calendars_agree),
        cmocka_unit_test(times_past_four_digits_print_in_the_expanded_form),
        cmocka_unit_test(a_message_shows_the_beginning_of_long_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
