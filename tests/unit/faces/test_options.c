/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/check.h"
#include "base/slice.h"
#include "faces/cli/options.h"
#include "lib/testing.h"

#include <stdio.h>
#include <string.h>

static const struct option_spec first_table[] = {
    { "lens", "LENS", "how to judge", false },
    { "json", NULL, "print JSON", false },
    { "with", "NEW...", "replacements", true },
    { "root", "KEY", "may be repeated", true },
    { 0 },
};
static const struct option_spec second_table[] = {
    { "help", NULL, "this", false },
    { "minus", "N", "lower error", false },
    { 0 },
};

enum { WORDS_MAX = 10 };

/* Words parted by single spaces; "~" stands for an empty word. The spaces of line become NULs. */
static size_t split(char *line, const char **words)
{
    size_t count = 0;
    for (char *at = line; *at && count < WORDS_MAX; count++) {
        size_t size = strcspn(at, " ");
        bool last = at[size] == '\0';
        at[size] = '\0';
        words[count] = strcmp(at, "~") == 0 ? "" : at;
        at += size + !last;
    }
    return count;
}

static const struct {
    const char *name, *line, *want; /* want: arguments, then options with their values; or the message */
    steme_status status;
} lines[] = {
    { "nothing", "", "", STEME_OK },
    { "arguments alone", "a b c", "a b c", STEME_OK },
    { "an empty argument", "a ~ c", "a  c", STEME_OK },
    { "a flag", "--json", " json", STEME_OK },
    { "a value behind", "a --lens pool b", "a b lens=pool", STEME_OK },
    { "a value attached", "--lens=pool", " lens=pool", STEME_OK },
    { "an empty value attached", "--lens=", "the value of --lens is empty: give one, or leave the option out",
      STEME_BAD_INPUT },
    { "an empty value behind", "--lens ~", "the value of --lens is empty: give one, or leave the option out",
      STEME_BAD_INPUT },
    { "an empty word in a list", "--with a ~ b", "the value of --with is empty: give one, or leave the option out",
      STEME_BAD_INPUT },
    { "a value with an equals sign", "--lens=a=b", " lens=a=b", STEME_OK },
    { "options of the second table", "--minus 3 -h", " minus=3 help", STEME_OK },
    { "an option twice", "--lens a --lens b", "--lens is there twice, 'a' and 'b': it takes one value",
      STEME_BAD_INPUT },
    { "an option twice with one value", "--lens a --lens=a", "--lens is there twice, 'a' and 'a': it takes one value",
      STEME_BAD_INPUT },
    { "an option that may be repeated", "--root a b --root=c", "b root=a root=c", STEME_OK },
    { "a list twice", "--with a b --with c", " with=a with=b with=c", STEME_OK },
    { "a flag twice", "--json --json", " json json", STEME_OK },
    { "a negative number is an argument", "-5", "-5", STEME_OK },
    { "a negative number is a value", "--minus -5", " minus=-5", STEME_OK },
    { "a dash is an argument", "-", "-", STEME_OK },
    { "two dashes end the options", "--json -- --lens -h", "--lens -h json", STEME_OK },
    { "a list takes words up to the next option", "a --with b c --json d", "a d with=b with=c json", STEME_OK },
    { "a list takes all the rest", "--with b c d", " with=b with=c with=d", STEME_OK },
    { "a list with its first word attached", "--with=b c", " with=b with=c", STEME_OK },
    { "an unknown option", "--lans x", "unknown option --lans; did you mean --lens?", STEME_BAD_INPUT },
    { "an unknown option with a value", "--jsn=1", "unknown option --jsn=1; did you mean --json?", STEME_BAD_INPUT },
    { "an option like none", "--xyzzy", "unknown option --xyzzy", STEME_BAD_INPUT },
    { "a long option with one dash", "-lens", "unknown option -lens; did you mean --lens?", STEME_BAD_INPUT },
    { "a short option", "-x", "unknown option -x", STEME_BAD_INPUT },
    { "a value is missing at the end", "--lens", "--lens needs a value: --lens LENS", STEME_BAD_INPUT },
    { "a value is missing before an option", "--lens --json", "--lens needs a value: --lens LENS", STEME_BAD_INPUT },
    { "a list without words", "--with --json", "--with needs a value: --with NEW...", STEME_BAD_INPUT },
    { "a flag with a value", "--json=yes", "--json takes no value", STEME_BAD_INPUT },
};

static void print_options(const struct options *options, struct buf *to)
{
    for (size_t i = 0; i < options->argument_count; i++)
        buf_printf(to, "%s%s", i ? " " : "", options->arguments[i]);
    for (size_t i = 0; i < options->use_count; i++) {
        const struct option_use *use = &options->uses[i];
        buf_printf(to, " %s%s%s", use->spec->name, use->value ? "=" : "", use->value ? use->value : "");
    }
    buf_append(to, "", 1);
}

static void command_lines_are_read_as_people_mean_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(lines); i++) {
        struct options options = { .tables = { first_table, second_table } };
        struct steme_error err;
        struct arena arena;
        struct buf got;
        const char *words[WORDS_MAX];
        char line[128];
        arena_init(&arena, 1 << 16);
        buf_init(&got, 1 << 16);
        snprintf(line, sizeof line, "%s", lines[i].line);
        steme_status status = options_parse(&options, words, split(line, words), &arena, &err);
        assert_status(status, lines[i].status, &err, lines[i].name);
        if (!status) print_options(&options, &got);
        assert_row_text(status ? err.message : (const char *)got.data, lines[i].want, lines[i].name);
        buf_deinit(&got);
        arena_deinit(&arena);
    }
}

static void values_are_found_by_name(void **state)
{
    (void)state;
    const char *const words[] = { "--lens", "b", "--with", "x", "y", "--root", "c", "--root=d" };
    struct options options = { .tables = { first_table, second_table } };
    struct arena arena;
    arena_init(&arena, 1 << 16);
    assert_int_equal(options_parse(&options, words, countof(words), &arena, NULL), STEME_OK);
    assert_string_equal(options_value(&options, "lens"), "b");
    assert_string_equal(options_value(&options, "root"), "d");
    assert_int_equal(options_count(&options, "with"), 2);
    assert_string_equal(options_nth(&options, "with", 1), "y");
    assert_true(options_has(&options, "lens"));
    assert_false(options_has(&options, "json"));
    assert_null(options_value(&options, "minus"));
    arena_deinit(&arena);
}

static void a_full_arena_is_reported(void **state)
{
    (void)state;
    const char *const words[] = { "a", "b", "c", "d" };
    struct options options = { .tables = { first_table } };
    struct steme_error err;
    struct arena arena;
    arena_init(&arena, 32);
    assert_status(options_parse(&options, words, countof(words), &arena, &err), STEME_NO_MEMORY, &err, "32 bytes");
    arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(command_lines_are_read_as_people_mean_them),
        cmocka_unit_test(values_are_found_by_name),
        cmocka_unit_test(a_full_arena_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
