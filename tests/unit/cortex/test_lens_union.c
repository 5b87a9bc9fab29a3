/* SPDX-License-Identifier: Apache-2.0 */
#include "slot.h"

enum { ROWS = 8, CLAIMS = 4 };

static const struct {
    const char *name;
    bool many;
    double prior;
    struct saying rows[ROWS];
    double want[CLAIMS];
    enum steme_verdict verdict;
} cases[] = {
    { "nobody says anything", .verdict = STEME_UNDECIDED },
    { "one voice", false, 0, { SAYS('A', 1) }, { 1 / 1.5 }, STEME_LISTED },
    { "one for, one against", false, 0, { SAYS('A', 1), DENIES('A', 2) }, { 1 / 2.5 }, STEME_LISTED },
    { "only denied", false, 0, { DENIES('A', 1) }, { 0 }, STEME_UNDECIDED },
    { "two claims that have room",
      false,
      2,
      { SAYS('A', 1), SAYS('B', 2), SAYS('B', 3) },
      { 1 / 3.0, 0.5 },
      STEME_LISTED },
    { "two claims scaled down together", false, 0, { SAYS('A', 1), SAYS('B', 2) }, { 0.5, 0.5 }, STEME_LISTED },
    { "three claims keep their proportions",
      false,
      0,
      { SAYS('A', 1), SAYS('B', 2), SAYS('B', 3), SAYS('C', 4), DENIES('C', 5) },
      { (1 / 1.5) / (1 / 1.5 + 0.8 + 0.4), 0.8 / (1 / 1.5 + 0.8 + 0.4), 0.4 / (1 / 1.5 + 0.8 + 0.4) },
      STEME_LISTED },
    { "many-valued: each alone, not scaled",
      true,
      0,
      { SAYS('A', 1), SAYS('B', 2), SAYS('B', 3) },
      { 1 / 1.5, 0.8 },
      STEME_LISTED },
};

static void union_lists_every_claim_with_its_support(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(cases); i++) {
        struct slot slot;
        struct arena arena;
        arena_init(&arena, 1 << 20);
        slot_fill(&slot, cases[i].rows, slot_count_sayings(cases[i].rows, ROWS), !cases[i].many);
        struct lens_result result;
        struct steme_error err;
        const struct steme_lens lens = { .prior = cases[i].prior };
        assert_status(lens_judge(&lens_union, &slot.input, &lens, &arena, &result, &err), STEME_OK, &err,
                      cases[i].name);
        for (size_t c = 0; c < slot.input.claim_count; c++)
            assert_close(result.scores[c].probability, cases[i].want[c], 1e-14, "probability", cases[i].name);
        assert_row_text(steme_verdict_name(result.verdict), steme_verdict_name(cases[i].verdict), cases[i].name);
        assert_close(result.margin, 0, 0, "margin", cases[i].name);
        arena_deinit(&arena);
    }
}

static void a_prior_out_of_range_is_refused(void **state)
{
    (void)state;
    struct slot slot;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    slot_fill(&slot, NULL, 0, true);
    struct lens_result result;
    struct steme_error err;
    const struct steme_lens lens = { .prior = -0.5 };
    assert_int_equal(lens_judge(&lens_union, &slot.input, &lens, &arena, &result, &err), STEME_BAD_INPUT);
    assert_non_null(strstr(err.message, "prior"));
    arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(union_lists_every_claim_with_its_support),
        cmocka_unit_test(a_prior_out_of_range_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
