/* SPDX-License-Identifier: Apache-2.0 */
#include "base/check.h"
#include "base/slice.h"
#include "base/suggest.h"
#include "lib/testing.h"

#include <string.h>

static const char *const words[] = { "recency", "consensus", "authority", "pool", "union", "get", "gets", "resolve" };

static const struct {
    const char *name, *word, *want;
} slips[] = {
    { "the word itself", "pool", "pool" },
    { "a letter too few", "consenss", "consensus" },
    { "a letter too many", "uniion", "union" },
    { "another letter", "pull", NULL },
    { "another letter, one", "pook", "pool" },
    { "two neighbours swapped", "recnecy", "recency" },
    { "two neighbours swapped in a short word", "polo", "pool" },
    { "three slips in a long word", "athorrite", "authority" },
    { "too many slips", "autocracy", NULL },
    { "upper case", "RECENCY", "recency" },
    { "upper case and a slip", "Recensy", "recency" },
    { "the beginning of a word", "cons", "consensus" },
    { "the beginning, upper case", "AUTH", "authority" },
    { "the beginning of a word is one slip, no more", "re", "recency" },
    { "one letter is not enough", "p", NULL },
    { "of equals the first", "gett", "get" },
    { "nothing", "", NULL },
    { "something else", "xyzzy", NULL },
    { "control characters", "\x01\x02\x03", NULL },
    { "bytes that are not UTF-8 are slips", "\xFFpool", "pool" },
};

static void the_word_with_the_fewest_slips_is_suggested(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(slips); i++) {
        const char *near = suggest_nearest(slice_text(slips[i].word), words, countof(words));
        assert_row_text(near ? near : "(none)", slips[i].want ? slips[i].want : "(none)", slips[i].name);
    }
}

static void words_that_are_too_long_are_not_looked_at(void **state)
{
    (void)state;
    char longest[65], longer[66];
    memset(longest, 'a', sizeof longest);
    memset(longer, 'a', sizeof longer);
    longest[64] = '\0';
    longer[65] = '\0';
    const char *const candidates[] = { longer, longest };
    assert_ptr_equal(suggest_nearest(slice_text(longest), candidates, 2), longest);
    assert_null(suggest_nearest(slice_text(longer), candidates, 2));
    assert_null(suggest_nearest(slice_text(longest), candidates, 1));
}

static void without_candidates_nothing_is_suggested(void **state)
{
    (void)state;
    assert_null(suggest_nearest(slice_text("pool"), NULL, 0));
}

/* The recursive definition, for words short enough to bear it. */
static size_t slips_by_definition(const char *a, size_t a_size, const char *b, size_t b_size)
{
    if (a_size == 0 || b_size == 0) return a_size + b_size;
    size_t fewest = slips_by_definition(a, a_size - 1, b, b_size) + 1;
    size_t other = slips_by_definition(a, a_size, b, b_size - 1) + 1;
    if (other < fewest) fewest = other;
    other = slips_by_definition(a, a_size - 1, b, b_size - 1) + (a[a_size - 1] != b[b_size - 1]);
    if (other < fewest) fewest = other;
    if (a_size > 1 && b_size > 1 && a[a_size - 1] == b[b_size - 2] && a[a_size - 2] == b[b_size - 1]) {
        other = slips_by_definition(a, a_size - 2, b, b_size - 2) + 1;
        if (other < fewest) fewest = other;
    }
    return fewest;
}

static void nearness_agrees_with_the_definition_on_random_words(void **state)
{
    (void)state;
    struct prng prng = { 78 };
    for (int round = 0; round < 3000; round++) {
        char a[7], b[7];
        size_t a_size = (size_t)prng_below(&prng, sizeof a), b_size = (size_t)prng_below(&prng, sizeof b);
        for (size_t i = 0; i < a_size; i++)
            a[i] = (char)('a' + prng_below(&prng, 3));
        for (size_t i = 0; i < b_size; i++)
            b[i] = (char)('a' + prng_below(&prng, 3));
        a[a_size] = b[b_size] = '\0';
        size_t count = slips_by_definition(a, a_size, b, b_size);
        if (strncmp(a, b, a_size) == 0) count = 1;
        size_t longer = a_size > b_size ? a_size : b_size;
        bool want = count < a_size && count <= (longer < 6 ? 1 : longer / 3);
        const char *const candidates[] = { b };
        assert_true((suggest_nearest(slice_text(a), candidates, 1) != NULL) == want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_word_with_the_fewest_slips_is_suggested),
        cmocka_unit_test(words_that_are_too_long_are_not_looked_at),
        cmocka_unit_test(without_candidates_nothing_is_suggested),
        cmocka_unit_test(nearness_agrees_with_the_definition_on_random_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
