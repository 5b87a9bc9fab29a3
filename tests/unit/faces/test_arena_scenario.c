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
    { "no such key in a lens", "[lens a]\nis = pool\nprio = 1\n", "x.arena:3: in [lens a]: there is no key 'prio'", "",
      "did you mean 'prior'" },
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
    { "stolen keys of honest agents", CROWD "stolen = 2\n", "x.arena:4:", "stolen is for kind = compromised",
      "[agents crowd] is honest" },
    { "a group without a size", "questions = 1\n[agents a]\nkind = honest\nerror = 0\n" CROWD,
      "x.arena:2:", "[agents a] has no count", "count = 20" },
    { "a last group without a size", CROWD "[agents a]\nkind = lying\n", "x.arena:4:", "no count", "count = 0" },
    { "nothing is asked", CROWD, "x.arena: nothing", "nothing is asked", "questions = 24" },
    { "no questions are asked", "seed = 2\nquestions = 0\n" CROWD, "x.arena:2:", "nothing is asked", "numbers = 12" },
    { "an empty file", "", "x.arena: nothing", "nothing is asked", "questions = 24" },
    { "nobody answers", "questions = 1\n", "x.arena: nobody", "nobody answers", "[agents NAME]" },
    { "a crowd of nobody", "questions = 1\n[agents a]\nkind = honest\ncount = 0\n", "x.arena:2:", "nobody answers",
      "count = 20" },
    { "only a group that grows", "questions = 1\n\n[agents a]\nkind = lying\ncount = 9\n",
      "x.arena:3:", "[agents a] is the group that grows", "kind = honest" },
    { "only a group that was named to grow", "questions = 1\nattackers = crowd\n" CROWD,
      "x.arena:2:", "[agents crowd] is the group that grows", "another group under attackers" },
    { "no keys to steal", "questions = 1\n" CROWD "[agents a]\nkind = compromised\ncount = 0\n",
      "x.arena:5:", "no keys to steal", "over 0" },
    { "a control character", "name = a\x07 b\n", "x.arena:1:", "control character", "plain text" },
    { "a tab in the title", "questions = 1\nname = a\tb\n", "x.arena:2:", "U+0009", "control" },
    { "a noncharacter in the title", "name = a\xEF\xBF\xBF\n", "x.arena:1:", "name contains U+FFFF", "" },
    { "a noncharacter in a lens", "\n[lens a\xEF\xBF\xBF]\nis = pool\n", "x.arena:2:", "named by", "[lens NAME]" },
    { "a line that is no UTF-8", "seed = 3\nname = \xff\n", "x.arena:2:", "not UTF-8", "UTF-8" },
    { "a share with a comma", CROWD "error = 0,5\n", "x.arena:4:", "'0,5'", "from 0 to 1" },
    { "a share that is no number", CROWD "error = NaN\n", "x.arena:4:", "'NaN'", "such as 0.05" },
    { "a range in percent", CROWD "confidence = 5%..9%\n", "x.arena:4:", "'5%'", "such as 0.05" },
    { "a tolerance in percent", "tolerance = 5%\n", "x.arena:1:", "'5%'", "over 0" },
    { "a prior with a comma", "[lens a]\nis = union\nprior = 0,5\n", "x.arena:3:", "'0,5'", "such as 0.5" },
    { "a half-life too long", "[lens a]\nis = recency\nhalf_life = 99999999999y\n", "x.arena:3:", "too long", "30d" },
    { "a half-life that overflows", "[lens a]\nis = recency\nhalf_life = 999999999y\n", "x.arena:3:", "too long",
      "30d" },
    { "a half-life of nothing", "[lens a]\nis = recency\nhalf_life = 0d\n", "x.arena:3:", "over 0", "30d" },
    { "a half-life of no unit that is", "[lens a]\nis = recency\nhalf_life = 3months\n", "x.arena:3:", "'3months'",
      "length of time such as" },
    { "a half-life for consensus", "[lens a]\nis = consensus\nhalf_life = 30d\n",
      "x.arena:3:", "consensus takes no half_life", "but prior" },
    { "a damping for recency", "[lens a]\nis = recency\ndamping = 0.5\n", "x.arena:3:", "recency takes no damping",
      "but half_life" },
    { "a method for union", "[lens a]\nis = union\nmethod = one-coin\n", "x.arena:3:", "no method", "but prior" },
    { "copying for authority", "[lens a]\nis = authority\ncopying = yes\n", "x.arena:3:", "no copying",
      "but prior, damping" },
    { "uncalibrated for pool", "[lens a]\nis = pool\nuncalibrated = yes\n", "x.arena:3:", "no uncalibrated",
      "but nothing" },
    { "a half-life for reliability", "[lens a]\nis = reliability\nhalf_life = 1d\n", "x.arena:3:", "no half_life",
      "but prior, method, copying, uncalibrated" },
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
    const char *name, *text, *where;
} large[] = {
    { "questions of both kinds over the bound", "questions = 600\nseed = 1\nnumbers = 600\n" CROWD, "x.arena:3:" },
    { "too many agents", "questions = 1\n" CROWD "[agents b]\nkind = noisy\ncount = 20000\n", "x.arena:5:" },
    { "too many answers", "questions = 1000\n[agents b]\nkind = noisy\ncount = 2000\n" CROWD, "x.arena:2:" },
    { "attackers grown to the limit count",
      "questions = 1000\nlimit = 2000\n" CROWD "[agents b]\nkind = sybil\ncount = 0\n", "x.arena:6:" },
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
        assert_row(strncmp(err.message, large[i].where, strlen(large[i].where)) == 0, err.message);
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
    assert_non_null(strstr(err.message, "x:1048577: "));
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

/* A byte order mark is skipped, as in an import; and without a title the file's name is one, if it can be. */
static void a_scenario_is_called_like_its_file(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text, *path, *title; /* NULL: refused */
    } files[] = {
        { "no title", "questions = 1\n" CROWD, "some/folder.d/my crowd.v2.arena", "my crowd.v2" },
        { "no extension", "questions = 1\n" CROWD, "./crowd", "crowd" },
        { "only an extension", "questions = 1\n" CROWD, ".arena", ".arena" },
        { "a title", "questions = 1\nname = Mine\n" CROWD, "a\tb.arena", "Mine" },
        { "a byte order mark", "\xEF\xBB\xBFname = Mine\nquestions = 1\n" CROWD, "x.arena", "Mine" },
        { "a tab in the file's name", "questions = 1\n" CROWD, "a\tb.arena", NULL },
        { "a file's name that is no UTF-8", "questions = 1\n" CROWD, "a\xff.arena", NULL },
    };
    for (size_t i = 0; i < countof(files); i++) {
        struct arena arena;
        struct scenario it;
        struct steme_error err;
        arena_init(&arena, 1 << 24);
        steme_status status = scenario_parse(slice_text(files[i].text), files[i].path, &arena, &it, &err);
        assert_status(status, files[i].title ? STEME_OK : STEME_BAD_INPUT, &err, files[i].name);
        if (files[i].title)
            assert_string_equal(it.name, files[i].title);
        else
            assert_non_null(strstr(err.message, "write name = TITLE"));
        arena_deinit(&arena);
    }
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
        cmocka_unit_test(a_scenario_is_called_like_its_file),
        cmocka_unit_test(the_attack_on_keys_is_as_large_as_their_group),
        cmocka_unit_test(any_cut_or_flip_of_a_scenario_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
