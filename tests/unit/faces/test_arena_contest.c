/* SPDX-License-Identifier: Apache-2.0 */
#include "base/check.h"
#include "base/slice.h"
#include "faces/arena/contest.h"
#include "faces/arena/opinion.h"
#include "faces/arena/plot.h"
#include "faces/arena/stage.h"
#include "lib/testing.h"

#include <stdlib.h>
#include <string.h>

/* Everybody answers, is sure, and never errs unless on purpose: what happens can be counted on fingers. */
#define WORLD "questions = 6\nchoices = 3\nlimit = 12\n"
#define PERFECT "answers = 1\nerror = 0\nconfidence = 1\nvotes = 0\n"
#define THREE "[agents good]\nkind = honest\ncount = 3\n" PERFECT
#define RING "[agents ring]\nkind = colluding\ncount = 2\nvotes = 0\n"

static void watch_nothing(void *context, const char *what, uint64_t done, uint64_t all)
{
    (void)context;
    (void)what;
    (void)done;
    (void)all;
}

static const struct contest_watch watch = { watch_nothing, NULL };

static steme_status run(const char *text, const char *lens, struct arena *arena, struct contest *out,
                        struct steme_error *err)
{
    struct scenario *scenario = arena_calloc(arena, 1, sizeof *scenario);
    assert_non_null(scenario);
    steme_status status = scenario_parse(slice_text(text), "x.arena", arena, scenario, err);
    if (!status) status = contest_begin(scenario, lens, arena, out, err);
    return status ? status : contest_run(out, &watch, arena, err);
}

/* By hand: with n against 3 a tie earns one half, which is no flip yet, so 4 take the majority; of five keys the third
 * stolen one does; the newest word is one agent's; and keys nobody trusts weigh nothing. */
static const struct {
    const char *name, *text, *lens;
    uint32_t flip; /* 0: never */
    double right;
} contests[] = {
    { "consensus falls to four against three", WORLD THREE RING, "consensus", 4, 1 },
    { "a tie is half right", WORLD THREE "[agents ring]\nkind = colluding\ncount = 3\nvotes = 0\n", "consensus", 4,
      0.5 },
    { "union ranks the same where nobody refutes", WORLD THREE RING, "union", 4, 1 },
    { "recency falls to the first who speaks last", WORLD THREE RING, "recency", 1, 0 },
    { "authority gives keys nobody endorsed no say", WORLD THREE RING, "authority", 0, 1 },
    { "authority falls to four who were let in", WORLD THREE RING "endorsed = 1\n", "authority", 4, 1 },
    { "liars who agree are as good as a ring",
      WORLD THREE "[agents a]\nkind = lying\ncount = 0\nwrong = agreed\nvotes = 0\n", "consensus", 4, 1 },
    { "three keys of five are the majority",
      WORLD "[agents staff]\nkind = compromised\ncount = 5\nstolen = 2\n" PERFECT, "consensus", 3, 1 },
    { "one stolen key has the last word", WORLD "[agents staff]\nkind = compromised\ncount = 5\nstolen = 1\n" PERFECT,
      "recency", 1, 0 },
};

static void what_flips_a_lens_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(contests); i++) {
        struct arena arena;
        struct contest contest;
        struct steme_error err;
        arena_init(&arena, 1 << 28);
        assert_status(run(contests[i].text, contests[i].lens, &arena, &contest, &err), STEME_OK, &err,
                      contests[i].name);
        assert_row(contest.row_count == 1, contests[i].name);
        const struct contest_row *row = &contest.rows[0];
        assert_row(row->flips == (contests[i].flip > 0), contests[i].name);
        assert_row(row->flip == contests[i].flip, contests[i].name);
        double off = card_accuracy(&row->card) - contests[i].right;
        assert_row(off < 1e-9 && off > -1e-9, contests[i].name);
        arena_deinit(&arena);
    }
}

static const char mixed[] = "seed = 9\nquestions = 5\nnumbers = 4\nlimit = 6\n"
                            "[agents good]\nkind = noisy\ncount = 6\nendorses = 2\nrevises = 0.5\n"
                            "[agents turncoats]\nkind = compromised\ncount = 2\nstolen = 1\n"
                            "[agents bad]\nkind = sybil\ncount = 4\nendorsed = 0.5\n";

/* All that can be seen of a contest, as bytes. */
static void print_contest(const char *text, struct buf *to)
{
    struct arena arena;
    struct contest contest;
    struct steme_error err;
    arena_init(&arena, 1 << 28);
    assert_status(run(text, NULL, &arena, &contest, &err), STEME_OK, &err, "contest");
    for (size_t i = 0; i < contest.row_count; i++) {
        const struct contest_row *row = &contest.rows[i];
        buf_printf(to, "%s %d %u\n", row->lens->name, row->numbers, row->flip);
        for (size_t p = 0; p < row->point_count; p++)
            buf_printf(to, "%u %a %a %a\n", row->points[p].attackers, card_accuracy(&row->points[p].card),
                       card_log_loss(&row->points[p].card), card_calibration(&row->points[p].card));
    }
    for (int numbers = 0; numbers < 2; numbers++) {
        plot_attack(&contest, numbers, to);
        plot_calibration(&contest, numbers, to);
    }
    arena_deinit(&arena);
}

/* Whatever is asked in numbers, more of it or less than in choices: of one kind nothing is learned from the other. */
static void questions_of_one_kind_change_nothing_about_the_other(void **state)
{
    (void)state;
    static const char *const worlds[] = { "questions = 6\n" THREE, "questions = 6\nnumbers = 2\n" THREE,
                                          "questions = 6\nnumbers = 9\n" THREE };
    for (size_t i = 0; i < countof(worlds); i++) {
        struct arena arena;
        struct contest contest;
        struct steme_error err;
        arena_init(&arena, 1 << 28);
        assert_status(run(worlds[i], "reliability", &arena, &contest, &err), STEME_OK, &err, worlds[i]);
        assert_row(contest.row_count == (i ? 2 : 1), worlds[i]);
        for (size_t row = 0; row < contest.row_count; row++)
            assert_row(card_accuracy(&contest.rows[row].card) == 1, worlds[i]);
        arena_deinit(&arena);
    }
}

static void the_same_scenario_gives_the_same_bytes(void **state)
{
    (void)state;
    struct buf first, again, other;
    char seeded[sizeof mixed + 16];
    buf_init(&first, 1 << 22);
    buf_init(&again, 1 << 22);
    buf_init(&other, 1 << 22);
    print_contest(mixed, &first);
    print_contest(mixed, &again);
    memcpy(seeded, mixed, sizeof mixed);
    seeded[strlen("seed = ")] = '8';
    print_contest(seeded, &other);
    assert_int_equal(buf_check(&first, NULL), STEME_OK);
    assert_true(slice_equal(buf_slice(&first), buf_slice(&again)));
    assert_false(slice_equal(buf_slice(&first), buf_slice(&other)));
    buf_deinit(&first);
    buf_deinit(&again);
    buf_deinit(&other);
}

static void more_agents_and_questions_change_nothing_about_those_there_are(void **state)
{
    (void)state;
    static const char few[] = "questions = 3\n[agents a]\nkind = noisy\ncount = 2\n";
    static const char many[] =
        "questions = 30\n[agents a]\nkind = noisy\ncount = 20\n[agents b]\nkind = lying\ncount = 5\n";
    struct arena arena;
    struct scenario small, large;
    arena_init(&arena, 1 << 24);
    assert_int_equal(scenario_parse(slice_text(few), "few", &arena, &small, NULL), STEME_OK);
    assert_int_equal(scenario_parse(slice_text(many), "many", &arena, &large, NULL), STEME_OK);
    for (uint32_t q = 0; q < 3; q++)
        for (uint32_t i = 0; i < 2; i++) {
            struct opinion a = opinion_of(&small, (struct agent){ .index = i }, q);
            struct opinion b = opinion_of(&large, (struct agent){ .index = i }, q);
            assert_true(a.spoken == b.spoken && a.answer == b.answer && a.confidence_ppm == b.confidence_ppm);
            assert_true(a.at_us == b.at_us && a.corrected == b.corrected);
            assert_true(opinion_truth(&small, q) == opinion_truth(&large, q));
        }
    arena_deinit(&arena);
}

/* Of 20 agents with 200 questions each; five standard deviations leave no room for chance. */
static void agents_err_and_answer_as_often_as_they_should(void **state)
{
    (void)state;
    static const char text[] = "questions = 200\n[agents a]\nkind = noisy\ncount = 20\nerror = 0.25\nanswers = 0.6\n"
                               "[agents b]\nkind = lying\ncount = 20\nwrong = same\n";
    struct arena arena;
    struct scenario it;
    arena_init(&arena, 1 << 24);
    assert_int_equal(scenario_parse(slice_text(text), "x", &arena, &it, NULL), STEME_OK);
    uint32_t spoken = 0, wrong = 0;
    for (uint32_t q = 0; q < 200; q++)
        for (uint32_t i = 0; i < 20; i++) {
            struct opinion noisy = opinion_of(&it, (struct agent){ .index = i }, q);
            struct opinion liar = opinion_of(&it, (struct agent){ .group = 1, .index = i }, q);
            spoken += noisy.spoken;
            wrong += noisy.answer != opinion_truth(&it, q);
            assert_true(liar.answer != opinion_truth(&it, q));
            assert_true(liar.answer >= 0 && liar.answer < it.choices);
        }
    assert_in_range(spoken, 2400 - 155, 2400 + 155);
    assert_in_range(wrong, 1000 - 137, 1000 + 137);
    arena_deinit(&arena);
}

static void a_lens_that_is_not_there_is_refused(void **state)
{
    (void)state;
    struct arena arena;
    struct contest contest;
    struct steme_error err;
    arena_init(&arena, 1 << 28);
    assert_int_equal(run(WORLD THREE, "concensus", &arena, &contest, &err), STEME_BAD_INPUT);
    assert_non_null(strstr(err.message, "did you mean 'consensus'"));
    arena_deinit(&arena);
}

static void a_store_that_can_not_be_made_is_reported(void **state)
{
    (void)state;
    struct stage stage;
    struct steme_error err;
    const char *before = getenv("TMPDIR");
    char *kept = before ? strdup(before) : NULL;
    assert_int_equal(setenv("TMPDIR", "/nowhere/at-all", 1), 0);
    steme_status status = stage_open(&stage, &err);
    assert_true(stage_close(&stage));
    assert_int_equal(kept ? setenv("TMPDIR", kept, 1) : unsetenv("TMPDIR"), 0);
    free(kept);
    assert_int_equal(status, STEME_IO);
    assert_non_null(strstr(err.message, "TMPDIR"));
}

static void a_record_written_twice_is_noticed(void **state)
{
    (void)state;
    static const uint8_t seed[32] = { 1 };
    struct stage stage;
    struct steme_signer *signer = NULL;
    struct steme_error err;
    struct steme_record vote = { .type = STEME_VOTE, .as.vote = { .target = { .kind = STEME_ON_AGENT } } };
    assert_status(stage_open(&stage, &err), STEME_OK, &err, "open");
    assert_status(steme_signer_from_seed(seed, &signer, &err), STEME_OK, &err, "signer");
    assert_status(stage_flush(&stage, &err), STEME_OK, &err, "nothing waits");
    assert_status(stage_write(&stage, signer, &vote, &err), STEME_OK, &err, "once");
    assert_status(stage_flush(&stage, &err), STEME_OK, &err, "one waits");
    assert_status(stage_write(&stage, signer, &vote, &err), STEME_OK, &err, "again");
    assert_status(stage_flush(&stage, &err), STEME_MISMATCH, &err, "flush");
    steme_signer_free(&signer);
    assert_true(stage_close(&stage));
}

static void plots_escape_what_people_write(void **state)
{
    (void)state;
    struct buf text;
    buf_init(&text, 1 << 22);
    print_contest("name = <b> & \"c\"\n" WORLD THREE, &text);
    buf_append(&text, "", 1);
    assert_non_null(strstr((const char *)text.data, "&lt;b&gt; &amp; &quot;c&quot;"));
    assert_null(strstr((const char *)text.data, "<b>"));
    buf_deinit(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_flips_a_lens_is_found),
        cmocka_unit_test(questions_of_one_kind_change_nothing_about_the_other),
        cmocka_unit_test(the_same_scenario_gives_the_same_bytes),
        cmocka_unit_test(more_agents_and_questions_change_nothing_about_those_there_are),
        cmocka_unit_test(agents_err_and_answer_as_often_as_they_should),
        cmocka_unit_test(a_lens_that_is_not_there_is_refused),
        cmocka_unit_test(a_store_that_can_not_be_made_is_reported),
        cmocka_unit_test(a_record_written_twice_is_noticed),
        cmocka_unit_test(plots_escape_what_people_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
