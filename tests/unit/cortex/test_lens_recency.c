/* SPDX-License-Identifier: Apache-2.0 */
#include "slot.h"

enum { ROWS = 8, CLAIMS = 4 };

/* Times are in days, half-lives too. */
static const struct {
    const char *name;
    bool many;
    int64_t half_life;
    struct saying rows[ROWS];
    double want[CLAIMS];
    enum steme_verdict verdict;
    double margin;
} cases[] = {
    { "nobody says anything", .verdict = STEME_UNDECIDED },
    { "one claim, for certain", false, 0, { { 'A', 1, 1, 0, 1, 5 } }, { 1 }, STEME_SETTLED, 1 },
    { "one claim, unsure", false, 0, { { 'A', 1, 0.7, 0, 1, 5 } }, { 0.7 }, STEME_LEANING, 1 },
    { "one claim, doubtful", false, 0, { { 'A', 1, 0.3, 0, 1, 5 } }, { 0.3 }, STEME_CONTESTED, 1 },
    { "the newer of two",
      false,
      0,
      { { 'A', 1, 1, 0, 1, 5 }, { 'B', 2, 0.9, 0, 1, 6 } },
      { 0, 0.9 },
      STEME_SETTLED,
      1 },
    { "numbers do not count",
      false,
      0,
      { { 'A', 1, 1, 0, 1, 5 }, { 'A', 2, 1, 0, 1, 4 }, { 'A', 3, 1, 0, 1, 3 }, { 'B', 4, 0.5, 0, 1, 6 } },
      { 0, 0.5 },
      STEME_LEANING,
      1 },
    { "a tie in time goes to the smallest claim id",
      false,
      0,
      { { 'B', 1, 1, 0, 1, 5 }, { 'C', 2, 1, 0, 1, 5 }, { 'A', 3, 1, 0, 1, 4 } },
      { 0, 1, 0 },
      STEME_SETTLED,
      0 },
    { "the newest confidence of a claim",
      false,
      0,
      { { 'A', 1, 1, 0, 1, 5 }, { 'A', 2, 0.6, 0, 1, 7 } },
      { 0.6 },
      STEME_LEANING,
      1 },
    { "denials do not count",
      false,
      0,
      { { 'A', 1, 0.8, 0, 1, 5 }, DENIES('A', 2), DENIES('B', 3) },
      { 0.8, 0 },
      STEME_LEANING,
      1 },
    { "only denied", false, 0, { DENIES('A', 1) }, { 0 }, STEME_UNDECIDED, 0 },
    { "only voted for", false, 0, { { 'A', 1, 1, 0, 1, NEVER } }, { 0 }, STEME_UNDECIDED, 0 },
    { "newest without confidence",
      false,
      0,
      { { 'A', 1, 1, 0, 1, 5 }, { 'B', 2, 0, 0, 1, 6 } },
      { 0, 0 },
      STEME_UNDECIDED,
      0 },
    { "as old as time",
      false,
      0,
      { { 'A', 1, 1, 0, 1, NEVER + 1 }, { 'B', 2, 0.9, 0, 1, INT64_MAX } },
      { 0, 0.9 },
      STEME_SETTLED,
      1 },
    { "many-valued: all stand",
      true,
      0,
      { { 'A', 1, 0.9, 0, 1, 5 }, { 'B', 2, 0.8, 0, 1, 6 }, DENIES('C', 1) },
      { 0.9, 0.8, 0 },
      STEME_LISTED,
      0 },

    { "fading: one claim", false, 10, { { 'A', 1, 0.7, 0, 1, 5 } }, { 0.7 }, STEME_LEANING, 1 },
    { "fading: one half-life",
      false,
      10,
      { { 'A', 1, 1, 0, 1, 0 }, { 'B', 2, 1, 0, 1, 10 } },
      { 0.5 / 1.5, 1 / 1.5 },
      STEME_LEANING,
      1 },
    { "fading: room is left",
      false,
      10,
      { { 'A', 1, 0.4, 0, 1, 0 }, { 'B', 2, 0.6, 0, 1, 10 } },
      { 0.2, 0.6 },
      STEME_LEANING,
      1 },
    { "fading: an older sure one beats a newer unsure one",
      false,
      10,
      { { 'A', 1, 1, 0, 1, 0 }, { 'B', 2, 0.1, 0, 1, 5 } },
      { 0.70710678118654752440, 0.1 },
      STEME_LEANING,
      1 },
    { "fading: equally new",
      false,
      10,
      { { 'A', 1, 1, 0, 1, 5 }, { 'B', 2, 1, 0, 1, 5 } },
      { 0.5, 0.5 },
      STEME_LEANING,
      0 },
    { "fading: gone",
      false,
      1,
      { { 'A', 1, 1, 0, 1, NEVER + 1 }, { 'B', 2, 0.9, 0, 1, INT64_MAX } },
      { 0, 0.9 },
      STEME_SETTLED,
      1 },
    { "fading: the longest half-life",
      false,
      INT64_MAX,
      { { 'A', 1, 0.5, 0, 1, 0 }, { 'B', 2, 0.4, 0, 1, INT64_MAX } },
      { 0.25, 0.4 },
      STEME_CONTESTED,
      1 },
    { "fading: many-valued",
      true,
      10,
      { { 'A', 1, 1, 0, 1, 0 }, { 'B', 2, 1, 0, 1, 20 } },
      { 0.25, 1 },
      STEME_LISTED,
      0 },
};

static void the_newest_claim_is_believed(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(cases); i++) {
        struct slot slot;
        struct arena arena;
        arena_init(&arena, 1 << 20);
        slot_fill(&slot, cases[i].rows, slot_count_sayings(cases[i].rows, ROWS), !cases[i].many);
        struct lens_result result;
        struct steme_error err;
        const struct steme_lens lens = { .half_life_us = cases[i].half_life };
        assert_status(lens_judge(&lens_recency, &slot.input, &lens, &arena, &result, &err), STEME_OK, &err,
                      cases[i].name);
        for (size_t c = 0; c < slot.input.claim_count; c++)
            assert_close(result.scores[c].probability, cases[i].want[c], 4e-15, "probability", cases[i].name);
        assert_row_text(steme_verdict_name(result.verdict), steme_verdict_name(cases[i].verdict), cases[i].name);
        assert_close(result.margin, cases[i].margin, 0, "margin", cases[i].name);
        arena_deinit(&arena);
    }
}

static void voices_are_reported_though_they_do_not_count(void **state)
{
    (void)state;
    struct slot slot;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    const struct saying rows[] = { { 'A', 1, 1, 0, 1, 5 }, { 'A', 2, 0.5, 0, 1, 6 }, DENIES('A', 3) };
    slot_fill(&slot, rows, countof(rows), true);
    struct lens_result result;
    const struct steme_lens lens = { 0 };
    assert_int_equal(lens_judge(&lens_recency, &slot.input, &lens, &arena, &result, NULL), STEME_OK);
    assert_true(result.scores[0].support == 1.5 && result.scores[0].refute == 1);
    arena_deinit(&arena);
}

static void a_negative_half_life_is_refused(void **state)
{
    (void)state;
    struct slot slot;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    slot_fill(&slot, NULL, 0, true);
    struct lens_result result;
    struct steme_error err;
    const struct steme_lens lens = { .half_life_us = -1 };
    assert_int_equal(lens_judge(&lens_recency, &slot.input, &lens, &arena, &result, &err), STEME_BAD_INPUT);
    assert_non_null(strstr(err.message, "half_life_us"));
    arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_claim_is_believed),
        cmocka_unit_test(voices_are_reported_though_they_do_not_count),
        cmocka_unit_test(a_negative_half_life_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
