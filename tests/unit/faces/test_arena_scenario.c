/* SPDX-License-Identifier: Apache-2.0 */
#include "base/check.h"
#include "base/slice.h"
#include "faces/arena/scenario.h"
#include "lib/testing.h"

#include <stdlib.h>
#include <string.h>

#define CROWD "[agents crowd]\nkind = honest\ncount = 3\n"

static steme_status parse(const char *text, struct arena *arena, struct scenario *out, struct steme_error *err)
{
    arena_init(arena, 1 << 24);
    return scenario_parse(slice_text(text), "x.arena", arena, out, err);
}

/* What is wrong, and what the message must say: where, what, and what would be right. */
static const struct {
    const char *name, *text, *where, *what, *remedy;
} bad[] = {
    { "no such key at the top", "questoins = 3\n" CROWD, "x.arena:1:", "'questoins'", "did you mean 'questions'" },
    { "no such key in a group", "questions = 3\n" CROWD "conut = 1\n", "x.arena:5:", "[agents crowd]", "'count'" },
    { "no such kind", "questions = 3\n[agents a]\nkind = honst\n", "x.arena:3:", "'honst'", "did you mean 'honest'" },
    { "no such section", "[agent crowd]\n", "x.arena:1:", "'agent'", "did you mean 'agents'" },
    { "a section without a name", "[agents]\n", "x.arena:1:", "named by", "[agents NAME]" },
    { "a section named by two words", "[lens my own]\n", "x.arena:1:", "named by", "[lens NAME]" },
    { "a section that is not closed", "[agents crowd\n", "x.arena:1:", "closing bracket", "[agents NAME]" },
    { "a section twice", CROWD CROWD, "x.arena:4:", "already", "another name" },
    { "a lens named as a built-in one", "[lens union]\n", "x.arena:1:", "already", "another name" },
    { "a group without a kind", "[agents crowd]\ncount = 3\n", "x.arena:2:", "must begin with", "kind = ..." },
    { "an empty group", "questions = 3\n[agents crowd]\n\n\n", "x.arena:2:", "empty", "kind = ..." },
    { "an empty group before another section", "\n[agents a]\n[agents b]\n", "x.arena:2:", "empty", "kind = ..." },
    { "a lens without its base", "[lens mine]\nprior = 3\n", "x.arena:2:", "must begin with", "is = ..." },
    { "a lens of no kind", "[lens mine]\nis = recensy\n", "x.arena:2:", "'recensy'", "did you mean 'recency'" },
    { "neither setting nor section", "questions 3\n", "x.arena:1:", "neither", "KEY = VALUE" },
    { "no value", "questions =\n", "x.arena:1:", "no value", "questions = VALUE" },
    { "only a comment for a value", "questions = # many\n", "x.arena:1:", "no value", "questions = VALUE" },
    { "a key twice", "seed = 1\nseed = 2\n", "x.arena:2:", "twice", "first in line 1" },
    { "no number", "questions = many\n", "x.arena:1:", "'many'", "whole number" },
    { "a negative number", "questions = -1\n", "x.arena:1:", "'-1'", "whole number" },
    { "a number too large", "questions = 1001\n", "x.arena:1:", "1001", "at most 1000" },
    { "a number too small", "choices = 1\n", "x.arena:1:", "choices", "at least 2" },
    { "a share over one", CROWD "error = 1.2\n", "x.arena:4:", "1.2", "from 0 to 1" },
    { "a share in percent", CROWD "error = 12%\n", "x.arena:4:", "error", "decimal" },
    { "a range the wrong way", CROWD "confidence = 0.9..0.1\n", "x.arena:4:", "0.9..0.1", "smaller number first" },
    { "a range with an end missing", CROWD "confidence = 0.9..\n", "x.arena:4:", "confidence", "" },
    { "a tolerance of nothing", "tolerance = 0\n", "x.arena:1:", "tolerance", "over 0" },
    { "too many decimals", "tolerance = 0.0001\n", "x.arena:1:", "tolerance", "at most 3 decimals" },
    { "an amount that overflows", "shift = 9e18\n", "x.arena:1:", "shift", "at most 1000000" },
    { "a word that is none of them", CROWD "speaks = frist\n", "x.arena:4:", "'frist'", "spread, last" },
    { "a damping of one", "[lens a]\nis = authority\ndamping = 1\n", "x.arena:3:", "damping", "under 1" },
    { "a prior of zero", "[lens a]\nis = consensus\nprior = 0\n", "x.arena:3:", "prior", "over 0" },
    { "a half-life without a unit", "[lens a]\nis = recency\nhalf_life = 30\n", "x.arena:3:", "half_life", "30d" },
    { "a method that is none", "[lens a]\nis = reliability\nmethod = coin\n", "x.arena:3:", "'coin'", "one-coin" },
    { "neither yes nor no", "[lens a]\nis = reliability\ncopying = true\n", "x.arena:3:", "'true'", "no, yes" },
    { "attackers that are nobody", "attackers = crwd\nquestions = 1\n" CROWD, "x.arena:1:", "'crwd'", "'crowd'" },
    { "more stolen than there are", "questions = 1\n[agents a]\nkind = compromised\ncount = 2\nstolen = 3\n",
      "x.arena:2:", "3 stolen keys of 2", "at most count" },
    { "nothing is asked", CROWD, "x.arena:3:", "nothing is asked", "questions = 24" },
    { "nobody answers", "questions = 1\n", "x.arena:1:", "nobody answers", "[agents NAME]" },
    { "a control character", "name = a\x07 b\n", "x.arena:1:", "control character", "plain text" },
};

static void bad_input_is_refused_with_line_reason_and_remedy(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(bad); i++) {
        struct arena arena;
        struct scenario scenario;
        struct steme_error err;
        assert_status(parse(bad[i].text, &arena, &scenario, &err), STEME_BAD_INPUT, &err, bad[i].name);
        arena_deinit(&arena);
        if (strncmp(err.message, bad[i].where, strlen(bad[i].where)) != 0 || !strstr(err.message, bad[i].what) ||
            !strstr(err.message, bad[i].remedy))
            fail_msg("%s: %s", bad[i].name, err.message);
    }
}

static const struct {
    const char *name, *text;
} large[] = {
    { "questions of both kinds over the bound", "questions = 600\nnumbers = 600\n" CROWD },
    { "too many agents", "questions = 1\n" CROWD "[agents b]\nkind = noisy\ncount = 20000\n" },
    { "too many answers", "questions = 1000\n" CROWD "[agents b]\nkind = noisy\ncount = 2000\n" },
    { "attackers grown to the limit count", "questions = 1000\nlimit = 2000\n" CROWD "[agents b]\nkind = sybil\n" },
};

static void too_much_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(large); i++) {
        struct arena arena;
        struct scenario scenario;
        struct steme_error err;
        assert_status(parse(large[i].text, &arena, &scenario, &err), STEME_TOO_LARGE, &err, large[i].name);
        arena_deinit(&arena);
    }
}

static void text_that_is_no_utf8_or_endless_is_refused(void **state)
{
    (void)state;
    struct arena arena;
    struct scenario scenario;
    struct steme_error err;
    char *endless = malloc(SCENARIO_BYTES_MAX + 1);
    assert_non_null(endless);
    memset(endless, '\n', SCENARIO_BYTES_MAX + 1);
    assert_status(parse("name = \xff\n", &arena, &scenario, &err), STEME_BAD_INPUT, &err, "UTF-8");
    struct steme_slice text = slice_of(endless, SCENARIO_BYTES_MAX + 1);
    assert_status(scenario_parse(text, "x", &arena, &scenario, &err), STEME_TOO_LARGE, &err, "endless");
    assert_status(scenario_load("/nowhere/at-all.arena", &arena, &scenario, &err), STEME_NOT_FOUND, &err, "missing");
    free(endless);
    arena_deinit(&arena);
}

static void a_scenario_is_read_as_it_is_written(void **state)
{
    (void)state;
    static const char text[] = "# a comment\r\n"
                               "name = Über#1 crowd   # and one more\r\n"
                               "seed = 18446744073709551615\n"
                               "questions=7\n\tchoices =  3\n"
                               "tolerance = 0.25\n"
                               "[agents good]\nkind = noisy\ncount = 5\nerror = 0.125\nconfidence = 0.4\n"
                               "[ agents  bad ]\nkind = lying\nwrong = same\nspeaks = last\ncount = 4\n"
                               "[lens slow]\nis = recency\nhalf_life = 30d\n"
                               "[lens sly]\nis = reliability\nmethod = accuracy\ncopying = yes\nuncalibrated = no\n"
                               "[lens raw]\nis = reliability\nuncalibrated = yes";
    struct arena arena;
    struct scenario it;
    struct steme_error err;
    size_t built_in;
    steme_lens_list(&built_in);
    assert_status(parse(text, &arena, &it, &err), STEME_OK, &err, "text");
    assert_string_equal(it.name, "Über#1 crowd");
    assert_true(it.seed == UINT64_MAX);
    assert_int_equal(it.questions, 7);
    assert_int_equal(it.choices, 3);
    assert_int_equal(it.tolerance, 250);
    assert_int_equal(it.group_count, 2);
    assert_int_equal(it.groups[0].error, 125000);
    assert_int_equal(it.groups[0].confidence[0], 400000);
    assert_int_equal(it.groups[0].confidence[1], 400000);
    assert_int_equal(it.groups[0].endorsed, STEME_PPM);
    assert_string_equal(it.groups[1].name, "bad");
    assert_int_equal(it.groups[1].wrong, SCENARIO_WRONG_SAME);
    assert_int_equal(it.groups[1].timing, SCENARIO_LAST);
    assert_ptr_equal(it.attackers, &it.groups[1]);
    assert_int_equal(scenario_attack(&it), 4);
    assert_int_equal(scenario_attack_max(&it), 256);
    assert_int_equal(scenario_others(&it), 5);
    assert_int_equal(it.lens_count, built_in + 3);
    assert_string_equal(it.lenses[built_in].name, "slow");
    assert_string_equal(it.lenses[built_in].lens.name, "recency");
    assert_true(it.lenses[built_in].lens.half_life_us == INT64_C(30) * 86400 * 1000000);
    assert_int_equal(it.lenses[built_in + 1].lens.method, STEME_METHOD_ACCURACY);
    assert_true(it.lenses[built_in + 1].lens.copying && !it.lenses[built_in + 1].lens.uncalibrated);
    assert_int_equal(it.lenses[built_in + 2].lens.method, STEME_METHOD_AUTO);
    assert_true(!it.lenses[built_in + 2].lens.copying && it.lenses[built_in + 2].lens.uncalibrated);
    arena_deinit(&arena);
}

static void the_attack_on_keys_is_as_large_as_their_group(void **state)
{
    (void)state;
    struct arena arena;
    struct scenario it;
    struct steme_error err;
    assert_status(parse("questions = 1\n[agents a]\nkind = compromised\ncount = 9\nstolen = 2\n", &arena, &it, &err),
                  STEME_OK, &err, "compromised");
    assert_int_equal(scenario_attack(&it), 2);
    assert_int_equal(scenario_attack_max(&it), 9);
    assert_int_equal(scenario_others(&it), 9);
    arena_deinit(&arena);
    assert_status(parse("questions = 1\n" CROWD, &arena, &it, &err), STEME_OK, &err, "no attack");
    assert_null(it.attackers);
    assert_int_equal(scenario_attack(&it), 0);
    assert_int_equal(scenario_attack_max(&it), 0);
    arena_deinit(&arena);
}

/* A parser meets any text: cut and damaged ones are refused or read, never worse. */
static void any_cut_or_flip_of_a_scenario_is_survived(void **state)
{
    (void)state;
    static const char whole[] = "name = a\nseed = 3\nquestions = 4\n" CROWD
                                "confidence = 0.1..0.9\n[lens b]\nis = pool\n";
    char text[sizeof whole];
    struct prng prng = { 5 };
    for (size_t i = 0; i < 4000; i++) {
        struct arena arena;
        struct scenario scenario;
        size_t size = i < sizeof whole ? i : sizeof whole - 1;
        memcpy(text, whole, sizeof whole);
        if (i >= sizeof whole) text[prng_below(&prng, size)] = (char)prng_below(&prng, 256);
        arena_init(&arena, 1 << 24);
        steme_status status = scenario_parse(slice_of(text, size), "x", &arena, &scenario, NULL);
        assert_true(status == STEME_OK || steme_status_class(status) == STEME_CLASS_USAGE);
        arena_deinit(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_input_is_refused_with_line_reason_and_remedy),
        cmocka_unit_test(too_much_is_refused),
        cmocka_unit_test(text_that_is_no_utf8_or_endless_is_refused),
        cmocka_unit_test(a_scenario_is_read_as_it_is_written),
        cmocka_unit_test(the_attack_on_keys_is_as_large_as_their_group),
        cmocka_unit_test(any_cut_or_flip_of_a_scenario_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
