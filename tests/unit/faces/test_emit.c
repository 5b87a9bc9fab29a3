/* SPDX-License-Identifier: Apache-2.0 */
#include "base/check.h"
#include "base/slice.h"
#include "faces/cli/emit.h"
#include "lib/testing.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

static void objects_and_arrays_have_their_commas(void **state)
{
    (void)state;
    struct buf got;
    buf_init(&got, 1 << 16);
    struct emit json = { .to = &got };
    emit_begin(&json, NULL, '{');
    emit_word(&json, "a", "x");
    emit_begin(&json, "b", '[');
    emit_integer(&json, NULL, INT64_MIN);
    emit_count(&json, NULL, UINT64_MAX);
    emit_begin(&json, NULL, '{');
    emit_end(&json, '}');
    emit_bool(&json, NULL, true);
    emit_null(&json, NULL);
    emit_end(&json, ']');
    emit_begin(&json, "c", '[');
    emit_end(&json, ']');
    emit_bool(&json, "d", false);
    emit_end(&json, '}');
    buf_append(&got, "", 1);
    assert_string_equal(
        (const char *)got.data,
        "{\"a\":\"x\",\"b\":[-9223372036854775808,18446744073709551615,{},true,null],\"c\":[],\"d\":false}");
    buf_deinit(&got);
}

static const struct {
    const char *name;
    struct steme_slice text;
    const char *want;
} strings[] = {
    { "plain", { (const uint8_t *)"planet", 6 }, "\"planet\"" },
    { "nothing", { NULL, 0 }, "\"\"" },
    { "quotes and backslashes", { (const uint8_t *)"a\"b\\c", 5 }, "\"a\\\"b\\\\c\"" },
    { "controls", { (const uint8_t *)"\n\t\r\x01\x7f", 5 }, "\"\\n\\t\\u000d\\u0001\\u007f\"" },
    { "a NUL", { (const uint8_t *)"a\0b", 3 }, "\"a\\u0000b\"" },
    { "letters outside ASCII", { (const uint8_t *)"ü日", 5 }, "\"ü日\"" },
    { "broken bytes",
      { (const uint8_t *)"a\xFF"
                         "b\xC3",
        4 },
      "\"a\uFFFDb\uFFFD\"" },
    { "broken bytes next to a quote", { (const uint8_t *)"\xE2\x82\"", 3 }, "\"\uFFFD\uFFFD\\\"\"" },
};

static void strings_are_valid_whatever_the_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(strings); i++) {
        struct buf got;
        buf_init(&got, 1 << 16);
        struct emit json = { .to = &got };
        emit_text(&json, NULL, strings[i].text);
        assert_row(slice_equal(buf_slice(&got), slice_text(strings[i].want)), strings[i].name);
        json_t *back = json_loadb((const char *)got.data, got.size, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        assert_row(json_is_string(back), strings[i].name);
        json_decref(back);
        buf_deinit(&got);
    }
}

static void reals_read_back_and_are_finite(void **state)
{
    (void)state;
    static const double reals[] = { 0, 0.1, 1.0 / 3, -2.5e-300, 1e300, 70.781138343904, 5e-324 };
    for (size_t i = 0; i < countof(reals) + 2; i++) {
        struct buf got;
        buf_init(&got, 1 << 16);
        struct emit json = { .to = &got };
        emit_real(&json, NULL, i < countof(reals) ? reals[i] : i == countof(reals) ? NAN : INFINITY);
        json_t *back = json_loadb((const char *)got.data, got.size, JSON_DECODE_ANY, NULL);
        assert_non_null(back);
        if (i < countof(reals))
            assert_true(json_number_value(back) >= reals[i] && json_number_value(back) <= reals[i]);
        else
            assert_true(json_is_null(back));
        json_decref(back);
        buf_deinit(&got);
    }
}

static void a_buffer_that_is_full_keeps_its_failure(void **state)
{
    (void)state;
    struct buf got;
    buf_init(&got, 8);
    struct emit json = { .to = &got };
    emit_begin(&json, NULL, '{');
    emit_word(&json, "long", "too long for it");
    emit_end(&json, '}');
    assert_int_equal(buf_check(&got, NULL), STEME_TOO_LARGE);
    buf_deinit(&got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_and_arrays_have_their_commas),
        cmocka_unit_test(strings_are_valid_whatever_the_bytes),
        cmocka_unit_test(reals_read_back_and_are_finite),
        cmocka_unit_test(a_buffer_that_is_full_keeps_its_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
