/* SPDX-License-Identifier: Apache-2.0 */
#include "base/check.h"
#include "base/glob.h"
#include "base/prng.h"
#include "base/slice.h"
#include "lib/testing.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *pattern, *name;
    bool matches;
} cases[] = {
    { "", "anything", true },
    { "*", "anything", true },
    { "*", "", true },
    { "**", "x", true },
    { "Pluto", "Pluto", true },
    { "Pluto", "pluto", false },
    { "Pluto", "Pluto ", false },
    { "Pl*", "Pluto", true },
    { "Pl*", "Pl", true },
    { "Pl*", "P", false },
    { "*o", "Pluto", true },
    { "*o*", "Pluto", true },
    { "*t", "Pluto", false },
    { "P*t*", "Pluto", true },
    { "P*x*", "Pluto", false },
    { "?", "a", true },
    { "?", "ab", false },
    { "?", "", false },
    { "a?c", "abc", true },
    { "a?c", "ac", false },
    { "?*?", "ab", true },
    { "?*?", "a", false },
    { "?", "é", true },
    { "??", "é", false },
    { "*é", "café", true },
    { "a\\*b", "a*b", true },
    { "a\\*b", "axb", false },
    { "\\?", "?", true },
    { "\\?", "x", false },
    { "\\\\*", "\\x", true },
    { "\\a", "a", true },
    { "*ab*abc", "ababxabc", true },
    { "*aab", "aaaab", true },
    { "a*b*c", "axxbxxcxxc", true },
    { "a*b*c", "axxbxx", false },
};

static void a_pattern_matches_whole_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(cases); i++) {
        struct steme_slice pattern = slice_text(cases[i].pattern), name = slice_text(cases[i].name);
        assert_row(glob_match(pattern, name) == cases[i].matches, cases[i].pattern);
    }
}

/* The definition, word for word; it recurses, which the engine does not. */
static bool matches_by_definition(const char *pattern, const char *name)
{
    if (*pattern == '\0') return *name == '\0';
    if (*pattern == '*')
        return matches_by_definition(pattern + 1, name) || (*name && matches_by_definition(pattern, name + 1));
    if (*name == '\0') return false;
    if (*pattern == '?') return matches_by_definition(pattern + 1, name + 1);
    if (*pattern == '\\') pattern++;
    return *pattern == *name && matches_by_definition(pattern + 1, name + 1);
}

static void random_patterns_match_as_defined(void **state)
{
    (void)state;
    struct prng prng = { 3 };
    size_t matched = 0;
    for (unsigned i = 0; i < 20000; i++) {
        static const char *const pieces[] = { "a", "b", "*", "?", "\\*", "\\a" };
        char pattern[32] = "", name[16] = "";
        size_t size = 0;
        for (uint64_t left = 1 + prng_below(&prng, 6); left > 0; left--)
            size += (size_t)snprintf(pattern + size, sizeof pattern - size, "%s",
                                     pieces[prng_below(&prng, countof(pieces))]);
        for (uint64_t left = prng_below(&prng, 8), at = 0; left > 0; left--)
            name[at++] = "*aaaaabbbb"[prng_below(&prng, 10)];
        bool want = matches_by_definition(pattern, name);
        matched += want;
        assert_row(glob_match(slice_text(pattern), slice_text(name)) == want, pattern);
    }
    assert_in_range(matched, 1000, 19000);
}

static void a_lone_backslash_is_no_pattern(void **state)
{
    (void)state;
    struct steme_error err;
    static const char *const bad[] = { "\\", "a\\", "a\\\\\\" }, *const good[] = { "", "a", "\\\\", "\\*a" };
    for (size_t i = 0; i < countof(bad); i++) {
        assert_status(glob_check(slice_text(bad[i]), "pattern", &err), STEME_BAD_INPUT, &err, bad[i]);
        assert_non_null(strstr(err.message, "pattern ends in a backslash"));
    }
    for (size_t i = 0; i < countof(good); i++)
        assert_status(glob_check(slice_text(good[i]), "pattern", &err), STEME_OK, &err, good[i]);
}

/* Whatever the pattern, it ends soon: as many steps as pattern and name have bytes, multiplied. */
static void the_worst_pattern_ends(void **state)
{
    (void)state;
    char pattern[1024], name[1024];
    memset(pattern, 'a', sizeof pattern);
    memset(name, 'a', sizeof name);
    pattern[0] = '*';
    pattern[sizeof pattern / 2 + 1] = 'b';
    assert_false(glob_match(slice_of(pattern, sizeof pattern), slice_of(name, sizeof name)));
    for (size_t i = 0; i < sizeof pattern; i += 2)
        pattern[i] = '*';
    assert_false(glob_match(slice_of(pattern, sizeof pattern), slice_of(name, sizeof name)));
}

static void a_plain_name_is_told_from_a_pattern(void **state)
{
    (void)state;
    assert_true(glob_is_name(slice_text("Pluto")));
    assert_false(glob_is_name(slice_text("")));
    assert_false(glob_is_name(slice_text("Pl*")));
    assert_false(glob_is_name(slice_text("Pl?")));
    assert_false(glob_is_name(slice_text("\\Pl")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pattern_matches_whole_names),       cmocka_unit_test(random_patterns_match_as_defined),
        cmocka_unit_test(a_lone_backslash_is_no_pattern),      cmocka_unit_test(the_worst_pattern_ends),
        cmocka_unit_test(a_plain_name_is_told_from_a_pattern),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
