/* SPDX-License-Identifier: Apache-2.0 */
#include "base/check.h"
#include "faces/cli/unknown.h"
#include "faces/cli/verbs.h"
#include "lib/testing.h"

#include <string.h>

static const struct {
    const char *name, *first, *second, *want; /* the verb; or part of the message */
    size_t used;                              /* 0: there is none */
} lines[] = {
    { "a verb", "resolve", NULL, "resolve", 1 },
    { "a verb and an argument", "resolve", "Pluto", "resolve", 1 },
    { "a verb of two words", "key", "new", "key new", 2 },
    { "the second word is missing", "key", NULL, "'key' needs another word behind it: new, list, show", 0 },
    { "an option in place of the second word", "key", "--json", "needs another word behind it: new, list, show", 0 },
    { "the second word is mistyped", "epoch", "lsit", "did you mean 'list'", 0 },
    { "a verb is mistyped", "reslove", NULL, "did you mean 'resolve'", 0 },
    { "a first word is mistyped", "epohc", "new", "did you mean 'epoch'", 0 },
    { "a verb like none", "xyzzy", NULL, "there is no verb 'xyzzy'", 0 },
    { "nothing", "", NULL, "there is no verb ''", 0 },
};

static void verbs_are_found_by_one_word_or_two(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(lines); i++) {
        const char *const words[] = { lines[i].first, lines[i].second };
        const struct verb *verb = NULL;
        struct steme_error err;
        size_t used = 0;
        steme_status status = verbs_find(words, lines[i].second ? 2 : 1, &verb, &used, &err);
        assert_status(status, lines[i].used ? STEME_OK : STEME_BAD_INPUT, &err, lines[i].name);
        if (status)
            assert_row(strstr(err.message, lines[i].want), lines[i].name);
        else
            assert_row_text(verb->name, lines[i].want, lines[i].name);
        assert_row(used == lines[i].used, lines[i].name);
    }
}

static void no_words_name_no_verb(void **state)
{
    (void)state;
    const struct verb *verb;
    size_t used;
    assert_int_equal(verbs_find(NULL, 0, &verb, &used, NULL), STEME_BAD_INPUT);
}

/* Names of an option table and of those before it, each once. */
static void check_options(const struct verb *verb)
{
    const char *names[64];
    size_t count = 0;
    for (size_t t = 0; t < countof(verb->options) && verb->options[t]; t++)
        for (const struct option_spec *spec = verb->options[t]; spec->name; spec++) {
            assert_row(spec->help && spec->help[0], spec->name);
            assert_row(!spec->many || spec->value, spec->name);
            for (size_t i = 0; i < count; i++)
                assert_row(strcmp(names[i], spec->name) != 0, spec->name);
            assert_true(count < countof(names));
            names[count++] = spec->name;
        }
}

static void every_verb_has_what_its_help_needs(void **state)
{
    (void)state;
    for (size_t i = 0; i < verb_count; i++) {
        const struct verb *verb = &verbs[i];
        assert_row(verb->run && verb->summary && verb->arguments && verb->examples, verb->name);
        assert_row(verb->arguments_min <= verb->arguments_max, verb->name);
        assert_row(strstr(verb->examples, "steme"), verb->name);
        check_options(verb);
        for (size_t k = 0; k < i; k++)
            assert_row(strcmp(verb->name, verbs[k].name) != 0, verb->name);
    }
}

static void an_unknown_word_is_reported_with_what_was_meant(void **state)
{
    (void)state;
    static const char *const few[] = { "retract", "correct", "update" };
    const char *many[20];
    struct steme_error err;
    for (size_t i = 0; i < countof(many); i++)
        many[i] = "something";
    assert_int_equal(unknown_word(&err, STEME_NOT_FOUND, "kind", "updat", few, countof(few)), STEME_NOT_FOUND);
    assert_string_equal(err.message, "there is no kind 'updat'; did you mean 'update'?");
    assert_int_equal(unknown_word(&err, STEME_BAD_INPUT, "kind", "xyzzy", few, countof(few)), STEME_BAD_INPUT);
    assert_string_equal(err.message, "there is no kind 'xyzzy'; there are: retract, correct, update");
    assert_int_equal(unknown_word(&err, STEME_BAD_INPUT, "key", "x", many, countof(many)), STEME_BAD_INPUT);
    assert_string_equal(err.message, "there is no key 'x'");
    assert_int_equal(unknown_word(&err, STEME_BAD_INPUT, "key", "x", NULL, 0), STEME_BAD_INPUT);
    assert_string_equal(err.message, "there is no key 'x'");
    assert_int_equal(unknown_word(NULL, STEME_BAD_INPUT, "key", "x", few, countof(few)), STEME_BAD_INPUT);
    assert_int_equal(unknown_missing(&err, "'it'", few, countof(few)), STEME_BAD_INPUT);
    assert_string_equal(err.message, "'it' needs another word behind it: retract, correct, update");
    assert_int_equal(unknown_missing(NULL, "'it'", few, countof(few)), STEME_BAD_INPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verbs_are_found_by_one_word_or_two),
        cmocka_unit_test(no_words_name_no_verb),
        cmocka_unit_test(every_verb_has_what_its_help_needs),
        cmocka_unit_test(an_unknown_word_is_reported_with_what_was_meant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
