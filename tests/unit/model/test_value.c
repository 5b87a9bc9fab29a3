/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/check.h"
#include "base/slice.h"
#include "lib/testing.h"
#include "model/record.h"
#include "steme/limits.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NAME(text)                                \
    {                                             \
        (const uint8_t *)(text), sizeof(text) - 1 \
    }

#define BLOB_OF_3 "07000000 0102000000000000000000000000000000000000000000000000000000000000 0300000000000000"

static const int64_t day_us = 86400 * (int64_t)1000000;

/* Every kind, as docs/format/record.md writes it. */
static const struct {
    const char *name;
    struct steme_value value;
    const char *hex;
} forms[] = {
    { "entity", { .kind = STEME_ENTITY, .text = NAME("Warsaw") }, "00000000 576172736177" },
    { "entity of two bytes", { .kind = STEME_ENTITY, .text = NAME("\xC3\xA9") }, "00000000 c3a9" },
    { "text", { .kind = STEME_TEXT, .text = NAME("ja") }, "01000000 6a61" },
    { "text with a language",
      { .kind = STEME_TEXT, .text = NAME("ja"), .language = NAME("de-CH") },
      "01050000 64652d4348 6a61" },
    { "text with controls", { .kind = STEME_TEXT, .text = NAME("\t\n\x7F") }, "01000000 090a7f" },
    { "empty text", { .kind = STEME_TEXT }, "01000000" },
    { "empty text with a language", { .kind = STEME_TEXT, .language = NAME("e") }, "01010000 65" },
    { "zero", { .kind = STEME_INTEGER }, "02000000 0000000000000000" },
    { "least integer", { .kind = STEME_INTEGER, .integer = INT64_MIN }, "02000000 0000000000000080" },
    { "greatest integer", { .kind = STEME_INTEGER, .integer = INT64_MAX }, "02000000 ffffffffffffff7f" },
    { "decimal", { .kind = STEME_DECIMAL, .amount = { -15, 1 } }, "03010000 f1ffffffffffffff" },
    { "decimal zero", { .kind = STEME_DECIMAL }, "03000000 0000000000000000" },
    { "decimal at the least scale",
      { .kind = STEME_DECIMAL, .amount = { 1, -STEME_SCALE_MAX } },
      "039d0000 0100000000000000" },
    { "decimal at the greatest scale",
      { .kind = STEME_DECIMAL, .amount = { INT64_MAX, STEME_SCALE_MAX } },
      "03630000 ffffffffffffff7f" },
    { "least coefficient", { .kind = STEME_DECIMAL, .amount = { -INT64_MAX, 0 } }, "03000000 0100000000000080" },
    { "pure number", { .kind = STEME_QUANTITY, .amount = { 7, 0 } }, "04008080 0700000000000000" },
    { "number with unit",
      { .kind = STEME_QUANTITY, .amount = { 7, 2 }, .unit = NAME("m") },
      "04028080 0700000000000000 6d" },
    { "number with bounds",
      { .kind = STEME_QUANTITY,
        .amount = { 7, 0 },
        .has_bounds = true,
        .lower = { -1, 0 },
        .upper = { 9, -1 },
        .unit = NAME("m") },
      "040000ff 0700000000000000 ffffffffffffffff 0900000000000000 6d" },
    { "bounds that are the amount",
      { .kind = STEME_QUANTITY, .amount = { 7, 0 }, .has_bounds = true, .lower = { 7, 0 }, .upper = { 7, 0 } },
      "04000000 0700000000000000 0700000000000000 0700000000000000" },
    { "year", { .kind = STEME_TIME, .time_us = 0, .precision = STEME_YEAR }, "05000000 0000000000000000" },
    { "microsecond",
      { .kind = STEME_TIME, .time_us = -1, .precision = STEME_MICROSECOND },
      "05040000 ffffffffffffffff" },
    { "false", { .kind = STEME_BOOLEAN }, "06000000" },
    { "true", { .kind = STEME_BOOLEAN, .boolean = true }, "06010000" },
    { "blob",
      { .kind = STEME_BLOB, .blob = { { 1, 2 } }, .blob_bytes = 3, .media_type = NAME("a/b") },
      BLOB_OF_3 "612f62" },
    { "unknown", { .kind = STEME_UNKNOWN }, "08000000" },
    { "none", { .kind = STEME_NONE }, "09000000" },
};

static void every_kind_has_one_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(forms); i++) {
        struct buf buf, again;
        struct steme_error err;
        buf_init(&buf, STEME_RECORD_MAX);
        buf_init(&again, STEME_RECORD_MAX);
        struct steme_slice want = testing_bytes(forms[i].hex);
        assert_status(value_encode(&forms[i].value, &buf, &err), STEME_OK, &err, forms[i].name);
        assert_row(slice_equal(buf_slice(&buf), want), forms[i].name);
        struct steme_value value;
        memset(&value, 0xAA, sizeof value);
        assert_status(value_decode(want, &value, &err), STEME_OK, &err, forms[i].name);
        assert_row(value.kind == forms[i].value.kind, forms[i].name);
        assert_status(value_encode(&value, &again, &err), STEME_OK, &err, forms[i].name);
        assert_row(slice_equal(buf_slice(&again), want), forms[i].name);
        testing_free(want);
        buf_deinit(&again);
        buf_deinit(&buf);
    }
}

static void what_a_kind_does_not_name_is_zero_when_decoded(void **state)
{
    (void)state;
    struct steme_slice bytes = testing_bytes("06010000");
    struct steme_value value, want;
    memset(&value, 0xAA, sizeof value);
    memset(&want, 0, sizeof want);
    want.kind = STEME_BOOLEAN;
    want.boolean = true;
    assert_status(value_decode(bytes, &value, NULL), STEME_OK, NULL, "true");
    assert_true(value.kind == STEME_BOOLEAN && value.boolean && !value.has_bounds);
    assert_true(value.text.size == 0 && !value.text.data && value.integer == 0 && value.blob_bytes == 0);
    assert_memory_equal(&value.amount, &want.amount, sizeof want.amount);
    testing_free(bytes);
}

static const struct {
    const char *name, *hex, *says;
} bad_bytes[] = {
    { "nothing", "", "fewer than 4" },
    { "half a head", "0000", "fewer than 4" },
    { "a kind after the last", "0a000000", "kind 10" },
    { "the greatest kind", "ff000000", "kind 255" },
    { "an entity without a name", "00000000", "empty" },
    { "an entity with a detail", "00010000 61", "zero" },
    { "an entity with its last detail byte", "00000001 61", "zero" },
    { "an entity of bad UTF-8", "00000000 ff", "UTF-8" },
    { "a language longer than the value", "01020000 61", "language" },
    { "a language of other characters", "01020000 655f", "language" },
    { "a text with a detail too many", "01000100", "zero" },
    { "a text with NUL", "01000000 6100", "NUL" },
    { "a text of bad UTF-8", "01000000 c3", "UTF-8" },
    { "an integer of 7 bytes", "02000000 00000000000000", "as many" },
    { "an integer of 9 bytes", "02000000 000000000000000000", "as many" },
    { "an integer with a detail", "02010000 0000000000000000", "zero" },
    { "a decimal with a trailing zero", "03000000 0a00000000000000", "canonical" },
    { "a decimal zero with a scale", "03010000 0000000000000000", "canonical" },
    { "a decimal of the one coefficient that has no opposite", "03000000 0000000000000080", "canonical" },
    { "a decimal past the greatest scale", "03640000 0100000000000000", "canonical" },
    { "a decimal past the least scale", "039c0000 0100000000000000", "canonical" },
    { "a decimal of 4 bytes", "03000000 01000000", "as many" },
    { "a quantity of 4 bytes", "04008080 01000000", "as many" },
    { "a quantity that is not canonical", "04008080 0a00000000000000", "amount" },
    { "a quantity with half its bounds", "04000000 0700000000000000 0700000000000000", "as many" },
    { "a quantity with a lower bound only", "04000080 0700000000000000 0700000000000000 0000000000000000",
      "upper bound" },
    { "a quantity with an upper bound only", "04008000 0700000000000000 0000000000000000 0700000000000000",
      "lower bound" },
    { "a lower bound above the amount", "04000000 0700000000000000 0800000000000000 0900000000000000",
      "lower bound is above" },
    { "an upper bound below the amount", "04000000 0700000000000000 0600000000000000 0600000000000000",
      "upper bound is below" },
    { "a lower bound that is not canonical", "04000100 0700000000000000 0000000000000000 0800000000000000",
      "lower bound" },
    { "an upper bound that is not canonical", "04000001 0700000000000000 0600000000000000 0000000000000000",
      "upper bound" },
    { "a unit that is no name", "04008080 0700000000000000 20", "unit" },
    { "a time of 7 bytes", "05040000 00000000000000", "as many" },
    { "a time of no precision", "05050000 0000000000000000", "precision 5" },
    { "a boolean that is 2", "06020000", "boolean" },
    { "a boolean with a payload", "06010000 00", "as many" },
    { "a blob without its size", "07000000 0102000000000000000000000000000000000000000000000000000000000000",
      "as many" },
    { "a blob without a media type", BLOB_OF_3, "media type" },
    { "a blob whose media type begins with a space", BLOB_OF_3 "2061", "media type" },
    { "a blob whose media type ends with a space", BLOB_OF_3 "6120", "media type" },
    { "a blob whose media type is not ASCII", BLOB_OF_3 "61ff61", "media type" },
    { "a blob whose media type has a control character", BLOB_OF_3 "611f61", "media type" },
    { "an unknown with a payload", "08000000 00", "as many" },
    { "a none with a detail", "09000100", "zero" },
};

static void other_bytes_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(bad_bytes); i++) {
        struct steme_slice bytes = testing_bytes(bad_bytes[i].hex);
        struct steme_value value = { .integer = 77 };
        struct steme_error err = { .message = "" };
        assert_status(value_decode(bytes, &value, &err), STEME_BAD_INPUT, &err, bad_bytes[i].name);
        assert_row(strstr(err.message, bad_bytes[i].says), bad_bytes[i].name);
        assert_row(value.integer == 77, bad_bytes[i].name); /* untouched */
        testing_free(bytes);
    }
}

static const struct {
    const char *name;
    struct steme_value value;
    steme_status want;
} bad_values[] = {
    { "a kind after the last", { .kind = (enum steme_kind)10 }, STEME_BAD_INPUT },
    { "a precision after the last", { .kind = STEME_TIME, .precision = (enum steme_precision)5 }, STEME_BAD_INPUT },
    { "a scale that would not fit a byte", { .kind = STEME_DECIMAL, .amount = { 1, 256 } }, STEME_BAD_INPUT },
    { "the scale that means no bounds", { .kind = STEME_DECIMAL, .amount = { 1, -128 } }, STEME_BAD_INPUT },
    { "an empty entity", { .kind = STEME_ENTITY }, STEME_BAD_INPUT },
    { "no media type", { .kind = STEME_BLOB }, STEME_BAD_INPUT },
};

static void other_values_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(bad_values); i++) {
        struct buf buf;
        struct steme_error err;
        buf_init(&buf, 1000);
        assert_status(value_encode(&bad_values[i].value, &buf, &err), bad_values[i].want, &err, bad_values[i].name);
        assert_row(buf.size == 0, bad_values[i].name);
        buf_deinit(&buf);
    }
}

static void a_full_buffer_is_as_it_was(void **state)
{
    (void)state;
    struct buf buf;
    struct steme_error err;
    buf_init(&buf, 7);
    buf_append_text(&buf, "abc");
    struct steme_value flag = { .kind = STEME_BOOLEAN }, number = { .kind = STEME_INTEGER };
    assert_status(value_encode(&number, &buf, &err), STEME_TOO_LARGE, &err, "12 bytes into 4");
    assert_int_equal(buf.size, 3);
    assert_int_equal(buf.status, STEME_OK);
    assert_status(value_encode(&flag, &buf, &err), STEME_OK, &err, "4 bytes into 4");
    buf_deinit(&buf);
}

static steme_status try_time(int64_t us, enum steme_precision precision)
{
    struct steme_value value = { .kind = STEME_TIME, .time_us = us, .precision = precision };
    struct buf buf;
    buf_init(&buf, 100);
    steme_status status = value_encode(&value, &buf, NULL);
    buf_deinit(&buf);
    return status;
}

/* Against the C library's calendar, over two cycles of 400 years. */
static void a_time_is_the_start_of_what_is_meant(void **state)
{
    (void)state;
    for (int64_t day = -146097 - 5; day <= 146097 + 5; day++) {
        time_t seconds = (time_t)(day * 86400);
        struct tm date;
        assert_non_null(gmtime_r(&seconds, &date));
        assert_int_equal(try_time(day * day_us, STEME_YEAR) == STEME_OK, date.tm_yday == 0);
        assert_int_equal(try_time(day * day_us, STEME_MONTH) == STEME_OK, date.tm_mday == 1);
    }
    static const struct {
        const char *name;
        int64_t us;
        enum steme_precision precision;
        bool good;
    } times[] = {
        { "a day", 86400000000, STEME_DAY, true },
        { "a day before 1970", -86400000000, STEME_DAY, true },
        { "no day", 86400000001, STEME_DAY, false },
        { "no day before 1970", -1, STEME_DAY, false },
        { "no month, but a second", 1000000, STEME_MONTH, false },
        { "no year, but a second", 1000000, STEME_YEAR, false },
        { "a second", -3000000, STEME_SECOND, true },
        { "no second", -3000001, STEME_SECOND, false },
        { "the first microsecond", INT64_MIN, STEME_MICROSECOND, true },
        { "the last microsecond", INT64_MAX, STEME_MICROSECOND, true },
        { "the first day", INT64_MIN / 86400000000 * 86400000000, STEME_DAY, true },
        { "the last day", INT64_MAX / 86400000000 * 86400000000, STEME_DAY, true },
    };
    for (size_t i = 0; i < countof(times); i++)
        assert_row((try_time(times[i].us, times[i].precision) == STEME_OK) == times[i].good, times[i].name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_has_one_form),    cmocka_unit_test(what_a_kind_does_not_name_is_zero_when_decoded),
        cmocka_unit_test(other_bytes_are_refused),    cmocka_unit_test(other_values_are_refused),
        cmocka_unit_test(a_full_buffer_is_as_it_was), cmocka_unit_test(a_time_is_the_start_of_what_is_meant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
