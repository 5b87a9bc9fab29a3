/* SPDX-License-Identifier: Apache-2.0 */
#include "base/check.h"
#include "base/slice.h"
#include "faces/cli/object.h"
#include "lib/testing.h"
#include "steme/text.h"

#include <stdio.h>

#define HASH64 "abababababababababababababababababababababababababababababababab"

static const struct {
    const char *name, *object, *type, *plus, *minus, *unit, *language;
    const char *want; /* kind and value as printed; or part of the message */
    steme_status status;
} rows[] = {
    { "a text without a type", "planet", NULL, NULL, NULL, NULL, NULL, "text planet", STEME_OK },
    { "an empty text", "", NULL, NULL, NULL, NULL, NULL, "text ", STEME_OK },
    { "a text in a language", "Planet", NULL, NULL, NULL, NULL, "de", "text Planet", STEME_OK },
    { "an entity", "planet", "entity", NULL, NULL, NULL, NULL, "entity planet", STEME_OK },
    { "an integer", "-12", "integer", NULL, NULL, NULL, NULL, "integer -12", STEME_OK },
    { "a decimal", "1.50", "decimal", NULL, NULL, NULL, NULL, "decimal 1.5", STEME_OK },
    { "a quantity by its unit", "5", NULL, NULL, NULL, "m", NULL, "quantity 5 m", STEME_OK },
    { "one error stands for both", "67.4", NULL, "0.5", NULL, NULL, NULL, "quantity 67.4 ± 0.5", STEME_OK },
    { "the lower error stands for both", "67.4", NULL, NULL, "0.5", NULL, NULL, "quantity 67.4 ± 0.5", STEME_OK },
    { "two errors", "71", NULL, "9", "7.1", "km/s/Mpc", NULL, "quantity 71 +9 -7.1 km/s/Mpc", STEME_OK },
    { "a quantity by its type", "5", "quantity", NULL, NULL, NULL, NULL, "quantity 5", STEME_OK },
    { "a month", "1994-10", "time", NULL, NULL, NULL, NULL, "time 1994-10", STEME_OK },
    { "true", "true", "boolean", NULL, NULL, NULL, NULL, "boolean true", STEME_OK },
    { "false", "false", "boolean", NULL, NULL, NULL, NULL, "boolean false", STEME_OK },
    { "a blob", HASH64 ":12:image/png", "blob", NULL, NULL, NULL, NULL, "blob " HASH64 ":12:image/png", STEME_OK },
    { "a blob without a media type", HASH64 ":12:", "blob", NULL, NULL, NULL, NULL, "blob " HASH64 ":12:", STEME_OK },
    { "unknown", NULL, "unknown", NULL, NULL, NULL, NULL, "unknown unknown", STEME_OK },
    { "none", NULL, "none", NULL, NULL, NULL, NULL, "none none", STEME_OK },
    { "no object", NULL, NULL, NULL, NULL, NULL, NULL, "missing", STEME_BAD_INPUT },
    { "an object of none", "x", "none", NULL, NULL, NULL, NULL, "leave the object out", STEME_BAD_INPUT },
    { "a type that is none", "x", "enttiy", NULL, NULL, NULL, NULL, "did you mean 'entity'", STEME_BAD_INPUT },
    { "a type of nothing", "x", "", NULL, NULL, NULL, NULL, "type", STEME_BAD_INPUT },
    { "NaN", "NaN", "decimal", NULL, NULL, NULL, NULL, "NaN", STEME_BAD_INPUT },
    { "infinity", "inf", "quantity", NULL, NULL, NULL, NULL, "amount", STEME_BAD_INPUT },
    { "a number beyond all", "1e999", "decimal", NULL, NULL, NULL, NULL, "", STEME_TOO_LARGE },
    { "an error that is none", "1", NULL, "x", NULL, NULL, NULL, "plus", STEME_BAD_INPUT },
    { "a lower error that is none", "1", NULL, NULL, "x", NULL, NULL, "minus", STEME_BAD_INPUT },
    { "a negative error", "1", NULL, "-0.1", NULL, NULL, NULL, "negative", STEME_BAD_INPUT },
    { "bounds that do not fit", "9223372036854775807", NULL, "1e-3", NULL, NULL, NULL, "amount + plus",
      STEME_TOO_LARGE },
    { "an error of a text", "1", "text", "1", NULL, NULL, NULL, "quantity", STEME_BAD_INPUT },
    { "a unit of an integer", "1", "integer", NULL, NULL, "m", NULL, "quantity", STEME_BAD_INPUT },
    { "a language of an entity", "x", "entity", NULL, NULL, NULL, "en", "type text", STEME_BAD_INPUT },
    { "a boolean that is none", "yes", "boolean", NULL, NULL, NULL, NULL, "true or false", STEME_BAD_INPUT },
    { "an integer that is none", "0x10", "integer", NULL, NULL, NULL, NULL, "", STEME_BAD_INPUT },
    { "a time that is none", "noon", "time", NULL, NULL, NULL, NULL, "", STEME_BAD_INPUT },
    { "a blob without parts", "abc", "blob", NULL, NULL, NULL, NULL, "HASH:SIZE:MEDIA", STEME_BAD_INPUT },
    { "a blob with a short hash", "ab:1:x", "blob", NULL, NULL, NULL, NULL, "hash", STEME_BAD_INPUT },
    { "a blob without a size", HASH64 "::x", "blob", NULL, NULL, NULL, NULL, "HASH:SIZE:MEDIA", STEME_BAD_INPUT },
    { "a blob with a size that is none", HASH64 ":1k:x", "blob", NULL, NULL, NULL, NULL, "size", STEME_BAD_INPUT },
    { "a blob with a size beyond all", HASH64 ":18446744073709551616:x", "blob", NULL, NULL, NULL, NULL, "size",
      STEME_BAD_INPUT },
};

static void objects_are_what_their_parts_say(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(rows); i++) {
        struct object_text text = {
            .object = slice_text(rows[i].object),
            .type = slice_text(rows[i].type),
            .plus = slice_text(rows[i].plus),
            .minus = slice_text(rows[i].minus),
            .unit = slice_text(rows[i].unit),
            .language = slice_text(rows[i].language),
        };
        struct steme_value value;
        struct steme_error err;
        char got[256], printed[200];
        steme_status status = object_parse(&text, &value, &err);
        assert_status(status, rows[i].status, &err, rows[i].name);
        if (status) {
            assert_row(strstr(err.message, rows[i].want), rows[i].name);
            continue;
        }
        assert_row(steme_print_value(&value, printed, sizeof printed) < sizeof printed, rows[i].name);
        snprintf(got, sizeof got, "%s %s", object_kind_name(value.kind), printed);
        assert_row_text(got, rows[i].want, rows[i].name);
        assert_row(object_equal(&value, &value), rows[i].name);
    }
}

static void objects_that_differ_are_not_equal(void **state)
{
    (void)state;
    struct steme_value values[countof(rows)];
    size_t count = 0;
    for (size_t i = 0; i < countof(rows) && rows[i].status == STEME_OK; i++) {
        struct object_text text = {
            .object = slice_text(rows[i].object),
            .type = slice_text(rows[i].type),
            .plus = slice_text(rows[i].plus),
            .minus = slice_text(rows[i].minus),
            .unit = slice_text(rows[i].unit),
            .language = slice_text(rows[i].language),
        };
        assert_int_equal(object_parse(&text, &values[count++], NULL), STEME_OK);
    }
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < count; k++) {
            bool alike = i == k || (values[i].kind == STEME_QUANTITY && values[k].kind == STEME_QUANTITY &&
                                    values[i].amount.coefficient == 674 && values[k].amount.coefficient == 674);
            assert_true(object_equal(&values[i], &values[k]) == alike);
        }
}

static const struct {
    const char *name, *text, *plain;
} escapes[] = {
    { "nothing to escape", "plain", "plain" },
    { "nothing at all", "", "" },
    { "a tab", "a\tb", "a\\tb" },
    { "line ends", "a\r\nb", "a\\r\\nb" },
    { "a backslash", "C:\\new", "C:\\\\new" },
    { "at both ends", "\ta\n", "\\ta\\n" },
    { "letters outside ASCII", "ünï\tcödé", "ünï\\tcödé" },
};

static void a_text_in_a_column_reads_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(escapes); i++) {
        struct steme_value value = { .kind = STEME_TEXT, .text = slice_text(escapes[i].text) };
        struct steme_slice back;
        struct steme_error err;
        struct arena arena;
        struct buf got;
        arena_init(&arena, 1 << 16);
        buf_init(&got, 1 << 16);
        object_append_plain(&got, &value);
        assert_row(slice_equal(buf_slice(&got), slice_text(escapes[i].plain)), escapes[i].name);
        assert_status(object_unescape(buf_slice(&got), &arena, &back, &err), STEME_OK, &err, escapes[i].name);
        assert_row(slice_equal(back, value.text), escapes[i].name);
        buf_deinit(&got);
        arena_deinit(&arena);
    }
}

static void a_backslash_that_escapes_nothing_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = { "\\", "a\\", "a\\d", "\\\\\\", "\\\xFF" };
    for (size_t i = 0; i < countof(texts); i++) {
        struct steme_slice out;
        struct arena arena;
        arena_init(&arena, 1 << 16);
        assert_row(object_unescape(slice_text(texts[i]), &arena, &out, NULL) == STEME_BAD_INPUT, texts[i]);
        arena_deinit(&arena);
    }
}

static void memory_that_is_out_is_reported(void **state)
{
    (void)state;
    struct steme_slice out;
    struct arena arena;
    arena_init(&arena, 0);
    assert_int_equal(object_unescape(slice_text("a\\tb"), &arena, &out, NULL), STEME_NO_MEMORY);
    arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_are_what_their_parts_say),
        cmocka_unit_test(objects_that_differ_are_not_equal),
        cmocka_unit_test(a_text_in_a_column_reads_back),
        cmocka_unit_test(a_backslash_that_escapes_nothing_is_refused),
        cmocka_unit_test(memory_that_is_out_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
