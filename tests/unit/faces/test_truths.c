/* SPDX-License-Identifier: Apache-2.0 */
#include "base/check.h"
#include "base/slice.h"
#include "faces/cli/truths.h"
#include "lib/testing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct steme_error failure;

static steme_status read_text(const char *text, struct arena *arena, struct truths *out)
{
    char path[] = "/tmp/steme-truths.XXXXXX";
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, text, strlen(text)), strlen(text));
    assert_int_equal(close(descriptor), 0);
    steme_status status = truths_read(path, arena, out, &failure);
    assert_int_equal(unlink(path), 0);
    return status;
}

#define HEAD "subject\tpredicate\tobject\n"
#define TYPED "type\tobject\tpredicate\tsubject\n"

static const struct {
    const char *name, *text;
    steme_status want;
    const char *says;
} files[] = {
    { "two rows and an empty line", HEAD "a\tb\tc\n\nd\te\tf\n", STEME_OK, NULL },
    { "lines that end in CR LF", "subject\tpredicate\tobject\r\na\tb\tc\r\n", STEME_OK, NULL },
    { "an empty file", "", STEME_BAD_INPUT, "the file is empty" },
    { "a header alone", HEAD, STEME_BAD_INPUT, "no truth below" },
    { "no header", "a\tb\tc\n", STEME_BAD_INPUT, "column 'a'" },
    { "a column missing", "subject\tobject\na\tb\n", STEME_BAD_INPUT, "'predicate'" },
    { "a field too many", HEAD "a\tb\tc\td\n", STEME_BAD_INPUT, "line 2" },
    { "no subject", HEAD "a\tb\tc\n\tb\tc\n", STEME_BAD_INPUT, "line 3" },
    { "no object", HEAD "a\tb\t\n", STEME_BAD_INPUT, "object" },
    { "a type that is none", TYPED "intiger\t1\tb\ta\n", STEME_BAD_INPUT, "integer" },
    { "two truths of one question", HEAD "a\tb\tc\nx\tb\tc\na\tb\td\n", STEME_BAD_INPUT, "lines 2 and 4" },
    { "a truth twice", HEAD "a\tb\tc\na\tb\tc\n", STEME_BAD_INPUT, "lines 2 and 3 both say what is true of 'a' 'b'" },
    { "truths of a subject's other questions", HEAD "a\tb\tc\na\tc\tc\nb\tb\tc\n", STEME_OK, NULL },
    { "an object that is not of its type", TYPED "integer\tx\tb\ta\n", STEME_BAD_INPUT, "line 2" },
};

static void a_file_is_read_or_refused_with_its_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(files); i++) {
        struct arena arena;
        struct truths truths = { 0 };
        arena_init(&arena, 1 << 20);
        assert_status(read_text(files[i].text, &arena, &truths), files[i].want, &failure, files[i].name);
        if (files[i].says) assert_row(strstr(failure.message, files[i].says) != NULL, files[i].name);
        assert_row(files[i].want || truths.count > 0, files[i].name);
        arena_deinit(&arena);
    }
}

static void a_file_that_is_not_there_is_not_found(void **state)
{
    (void)state;
    struct arena arena;
    struct truths truths;
    arena_init(&arena, 1 << 20);
    assert_int_equal(truths_read("/nonexistent/truth.tsv", &arena, &truths, &failure), STEME_NOT_FOUND);
    assert_non_null(strstr(failure.message, "/nonexistent/truth.tsv"));
    arena_deinit(&arena);
}

static const struct {
    const char *name, *row; /* below TYPED */
    struct steme_value value;
    bool is, number;
} claims[] = {
    { "a text", "\tx\tb\ta\n", { .kind = STEME_TEXT, .text = { (const uint8_t *)"x", 1 } }, true, false },
    { "an entity", "\tx\tb\ta\n", { .kind = STEME_ENTITY, .text = { (const uint8_t *)"x", 1 } }, true, false },
    { "an entity, not a text",
      "text\tx\tb\ta\n",
      { .kind = STEME_ENTITY, .text = { (const uint8_t *)"x", 1 } },
      false,
      false },
    { "an escape", "\t\\t\tb\ta\n", { .kind = STEME_TEXT, .text = { (const uint8_t *)"\t", 1 } }, true, false },
    { "an integer that reads so", "\t12\tb\ta\n", { .kind = STEME_INTEGER, .integer = 12 }, true, true },
    { "another integer", "\t13\tb\ta\n", { .kind = STEME_INTEGER, .integer = 12 }, false, true },
    { "a decimal, not an integer", "decimal\t12\tb\ta\n", { .kind = STEME_INTEGER, .integer = 12 }, false, true },
};

static void a_truth_is_a_value_of_its_kind_or_of_any(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(claims); i++) {
        struct arena arena;
        struct truths truths = { 0 };
        char text[256];
        arena_init(&arena, 1 << 20);
        snprintf(text, sizeof text, TYPED "%s", claims[i].row);
        assert_status(read_text(text, &arena, &truths), STEME_OK, &failure, claims[i].name);
        assert_row(truth_is(&truths.items[0], &claims[i].value) == claims[i].is, claims[i].name);
        assert_row(truths.items[0].is_number == claims[i].number, claims[i].name);
        arena_deinit(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_read_or_refused_with_its_line),
        cmocka_unit_test(a_file_that_is_not_there_is_not_found),
        cmocka_unit_test(a_truth_is_a_value_of_its_kind_or_of_any),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
