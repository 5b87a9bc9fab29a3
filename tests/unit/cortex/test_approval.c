/* SPDX-License-Identifier: Apache-2.0 */
/* Approval voting as the consensus and authority lenses use it. Expected values are worked out by hand. */
#include "cortex/approval.h"
#include "slot.h"

enum { ROWS = 20, CLAIMS = 4 };

struct vote_case {
    const char *name;
    bool many;
    double prior;
    struct saying rows[ROWS];
    double want[CLAIMS]; /* by claim in order */
    enum steme_verdict verdict;
    double margin;
};

static const struct vote_case consensus_cases[] = {
    { "nobody says anything", .verdict = STEME_UNDECIDED },
    { "one voice alone", false, 0, { SAYS('A', 1) }, { 1 / 1.5 }, STEME_LEANING, 1.0 / 3 },
    { "two that agree", false, 0, { SAYS('A', 1), SAYS('A', 2) }, { 0.8 }, STEME_LEANING, 1.2 },
    { "five that agree",
      false,
      0,
      { SAYS('A', 1), SAYS('A', 2), SAYS('A', 3), SAYS('A', 4), SAYS('A', 5) },
      { 5 / 5.5 },
      STEME_SETTLED,
      50 / 5.5 - 5 },
    { "two against one",
      false,
      0,
      { SAYS('A', 1), SAYS('A', 2), SAYS('B', 3) },
      { 2 / 3.5, 1 / 3.5 },
      STEME_LEANING,
      1 },
    { "a tie", false, 0, { SAYS('A', 1), SAYS('B', 2) }, { 0.4, 0.4 }, STEME_CONTESTED, 0 },
    { "a voice may approve of two claims",
      false,
      0,
      { SAYS('A', 1), SAYS('B', 1), SAYS('B', 2) },
      { 1 / 3.5, 2 / 3.5 },
      STEME_LEANING,
      1 },
    { "one for, one against", false, 0, { SAYS('A', 1), DENIES('A', 2) }, { 0.5 / 1.5 }, STEME_CONTESTED, 0 },
    { "a voice that contradicts itself", false, 0, { { 'A', 1, 1, 1, 1, 0 } }, { 0.5 / 1.5 }, STEME_CONTESTED, 0 },
    { "only denied", false, 0, { DENIES('A', 1), DENIES('A', 2) }, { 0 }, STEME_UNDECIDED, 0 },
    { "a denied claim is no rival",
      false,
      0,
      { SAYS('A', 1), DENIES('B', 2) },
      { 1 / 1.5, 0 },
      STEME_LEANING,
      1.0 / 3 },
    { "a denied runner-up has farther to go",
      false,
      0,
      { SAYS('A', 1), SAYS('A', 2), SAYS('B', 3), SAYS('B', 4), DENIES('B', 5), DENIES('B', 6) },
      { 2 / 4.5, 1 / 4.5 },
      STEME_CONTESTED,
      1.2360679774997896964 /* sqrt 5 - 1 */ },
    { "of equal runners-up the nearest",
      false,
      0,
      { SAYS('A', 1), SAYS('A', 2), SAYS('A', 3), SAYS('B', 4), DENIES('B', 5), SAYS('B', 6), DENIES('B', 7),
        SAYS('C', 8) },
      { 3 / 6.5, 1 / 6.5, 1 / 6.5 },
      STEME_CONTESTED,
      2 },
    { "confidence counts",
      false,
      0,
      { { 'A', 1, 0.6, 0, 1, 0 }, { 'A', 2, 0.3, 0, 1, 0 }, { 'B', 3, 0.5, 0, 1, 0 } },
      { 0.9 / 1.9, 0.5 / 1.9 },
      STEME_CONTESTED,
      0.4 },
    { "a greater prior doubts more", false, 2, { SAYS('A', 1) }, { 1.0 / 3 }, STEME_CONTESTED, 0 },
    { "ten against one",
      false,
      0,
      { SAYS('A', 1), SAYS('A', 2), SAYS('A', 3), SAYS('A', 4), SAYS('A', 5), SAYS('A', 6), SAYS('A', 7), SAYS('A', 8),
        SAYS('A', 9), SAYS('A', 10), SAYS('B', 11) },
      { 10 / 11.5, 1 / 11.5 },
      STEME_LEANING,
      9 },
    { "many-valued: each alone",
      true,
      0,
      { SAYS('A', 1), SAYS('B', 1), SAYS('B', 2), SAYS('B', 3), SAYS('B', 4) },
      { 1 / 1.5, 4 / 4.5 },
      STEME_LISTED,
      32 / 4.5 - 4 },
    { "many-valued: denied", true, 0, { SAYS('A', 1), DENIES('A', 2) }, { 0.5 / 1.5 }, STEME_LISTED, 0 },
    { "many-valued: only denied", true, 0, { DENIES('A', 2) }, { 0 }, STEME_UNDECIDED, 0 },
};

static const struct vote_case authority_cases[] = {
    { "strangers decide nothing",
      false,
      0,
      { { 'A', 1, 1, 0, 0, 0 }, { 'A', 2, 1, 0, 0, 0 } },
      { 0 },
      STEME_UNDECIDED,
      0 },
    { "strangers deny in vain",
      false,
      0,
      { { 'A', 1, 1, 0, 1, 0 }, { 'A', 2, 0, 1, 0, NEVER } },
      { 1 / 1.5 },
      STEME_LEANING,
      1.0 / 3 },
    { "a root against a crowd of strangers",
      false,
      0,
      { { 'A', 1, 1, 0, 1, 0 }, { 'B', 2, 1, 0, 0, 0 }, { 'B', 3, 1, 0, 0, 0 }, { 'B', 4, 1, 0, 0, 0 } },
      { 1 / 1.5, 0 },
      STEME_LEANING,
      1.0 / 3 },
    { "weights add up",
      false,
      0,
      { { 'A', 1, 1, 0, 1, 0 }, { 'B', 2, 1, 0, 0.85, 0 }, { 'B', 3, 1, 0, 0.2, 0 } },
      { 1 / 2.55, 1.05 / 2.55 },
      STEME_CONTESTED,
      0.05 },
    { "denial has weight too",
      false,
      0,
      { { 'A', 1, 1, 0, 1, 0 }, { 'A', 2, 0, 1, 0.5, NEVER } },
      { (1 / 1.5) / 1.5 },
      STEME_CONTESTED,
      0 },
    { "weight and confidence multiply", false, 0.25, { { 'A', 1, 0.5, 0, 0.5, 0 } }, { 0.5 }, STEME_LEANING, 0 },
};

static void run_case(const struct lens_ops *ops, const struct vote_case *row)
{
    struct slot slot;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    slot_fill(&slot, row->rows, slot_count_sayings(row->rows, ROWS), !row->many);
    struct lens_result result;
    struct steme_error err;
    const struct steme_lens lens = { .prior = row->prior };
    assert_status(lens_judge(ops, &slot.input, &lens, &arena, &result, &err), STEME_OK, &err, row->name);
    for (size_t i = 0; i < slot.input.claim_count; i++)
        assert_close(result.scores[i].probability, row->want[i], 1e-14, "probability", row->name);
    assert_row_text(steme_verdict_name(result.verdict), steme_verdict_name(row->verdict), row->name);
    if (fabs(result.margin - row->margin) > 1e-13)
        fail_msg("%s: margin is %.17g, not %.17g", row->name, result.margin, row->margin);
    assert_row(!result.has_pooled, row->name);
    arena_deinit(&arena);
}

static void consensus_is_an_approval_vote_with_none_of_these(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(consensus_cases); i++)
        run_case(&lens_consensus, &consensus_cases[i]);
}

static void authority_is_the_same_vote_by_weight(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(authority_cases); i++)
        run_case(&lens_authority, &authority_cases[i]);
}

/* ---- properties over random slots ---- */

struct random_slot {
    struct saying rows[64];
    size_t count;
    bool many;
    struct steme_lens lens;
};

/* Whole strengths every other time, so that ties happen. */
static double draw_strength(struct prng *prng, bool whole)
{
    return whole ? (double)prng_below(prng, 2) : (double)prng_below(prng, 1000001) / 1e6;
}

static struct random_slot draw_slot(struct prng *prng)
{
    struct random_slot random = { .many = prng_chance(prng, 200) };
    bool whole = prng_chance(prng, 500);
    if (prng_chance(prng, 500)) random.lens.prior = (double)(1 + prng_below(prng, 4000)) / 1000;
    uint64_t claims = 1 + prng_below(prng, 5);
    for (uint64_t c = 0; c < claims; c++) {
        uint64_t voices = 1 + prng_below(prng, 8);
        for (uint64_t v = 0; v < voices; v++) {
            bool denies = prng_chance(prng, 300);
            random.rows[random.count++] = (struct saying){ .claim = (char)('A' + c),
                                                           .voice = (unsigned)v,
                                                           .support = denies ? 0 : draw_strength(prng, whole),
                                                           .refute = denies ? draw_strength(prng, whole) : 0,
                                                           .weight = 1 };
        }
    }
    return random;
}

static struct lens_result judge_slot(const struct random_slot *random, struct slot *slot, struct arena *arena)
{
    struct lens_result result;
    struct steme_error err;
    slot_fill(slot, random->rows, random->count, !random->many);
    assert_status(lens_judge(&lens_consensus, &slot->input, &random->lens, arena, &result, &err), STEME_OK, &err,
                  "random");
    return result;
}

static void another_voice_moves_a_claim_its_own_way(void **state)
{
    (void)state;
    struct prng prng = seeded(72);
    for (int round = 0; round < 10000; round++) {
        struct arena arena;
        arena_init(&arena, 1 << 20);
        struct slot slot;
        struct random_slot random = draw_slot(&prng);
        struct lens_result before = judge_slot(&random, &slot, &arena);
        size_t about = (size_t)prng_below(&prng, slot.input.claim_count);
        bool denies = prng_chance(&prng, 500);
        double strength = draw_strength(&prng, false);
        random.rows[random.count++] = (struct saying){ .claim = (char)('A' + about),
                                                       .voice = 99,
                                                       .support = denies ? 0 : strength,
                                                       .refute = denies ? strength : 0,
                                                       .weight = 1 };
        struct lens_result after = judge_slot(&random, &slot, &arena);
        for (size_t i = 0; i < slot.input.claim_count; i++) {
            double change = after.scores[i].probability - before.scores[i].probability;
            if (i == about)
                assert_true(denies ? change <= 1e-15 : change >= -1e-15);
            else if (denies)
                assert_true(fabs(change) <= 1e-15); /* what it loses goes to "none of these" */
            else
                assert_true(change <= 1e-15);
        }
        arena_deinit(&arena);
    }
}

/* Puts x voices for (or against) a claim into the slot: whole ones and a rest. */
static void add_voices(struct random_slot *random, size_t claim, double x, bool against)
{
    for (unsigned k = 0; k < x; k++) {
        double strength = fmin(x - k, 1);
        random->rows[random->count++] = (struct saying){ .claim = (char)('A' + claim),
                                                         .voice = 1000 + k,
                                                         .support = against ? 0 : strength,
                                                         .refute = against ? strength : 0,
                                                         .weight = 1 };
    }
}

/* Whether that many further voices change the outcome. Without a rival the best must fall below one half; else some
 * claim must pass it. */
static bool flips(const struct random_slot *random, size_t best, bool has_rival, double voices)
{
    bool flipped = false;
    for (size_t claim = 0; claim < 5; claim++) {
        struct random_slot more = *random;
        struct slot slot;
        struct arena arena;
        arena_init(&arena, 1 << 20);
        size_t claims = 0;
        struct lens_result now = judge_slot(&more, &slot, &arena);
        claims = slot.input.claim_count;
        bool candidate = has_rival ? claim < claims && claim != best && now.scores[claim].probability > 0
                                   : claim == best;
        if (candidate) {
            add_voices(&more, claim, voices, !has_rival);
            now = judge_slot(&more, &slot, &arena);
            double p = now.scores[best].probability;
            flipped |= has_rival ? now.scores[claim].probability > p : p < 0.5;
        }
        arena_deinit(&arena);
    }
    return flipped;
}

static void the_margin_is_what_flips_it_and_no_less(void **state)
{
    (void)state;
    struct prng prng = seeded(73);
    unsigned with_rival = 0, alone = 0;
    for (int round = 0; round < 3000; round++) {
        struct arena arena;
        arena_init(&arena, 1 << 20);
        struct slot slot;
        struct random_slot random = draw_slot(&prng);
        struct lens_result result = judge_slot(&random, &slot, &arena);
        size_t best = 0, second = SIZE_MAX, seconds = 0;
        const struct lens_score *scores = result.scores;
        for (size_t i = 1; i < slot.input.claim_count; i++)
            if (scores[i].probability > scores[best].probability) best = i;
        for (size_t i = 0; i < slot.input.claim_count; i++)
            if (i != best && scores[i].probability > 0 &&
                (second == SIZE_MAX || scores[i].probability > scores[second].probability))
                second = i;
        for (size_t i = 0; i < slot.input.claim_count; i++)
            seconds += i != best && scores[i].probability > 0;
        bool has_rival = !random.many && second != SIZE_MAX;
        bool open = scores[best].probability > 0 && (has_rival ? seconds == 1 : scores[best].probability > 0.5);
        if (open && result.margin > 0 && result.margin < 20) {
            assert_true(flips(&random, best, has_rival, result.margin + 1e-6));
            assert_false(flips(&random, best, has_rival, result.margin - 1e-6));
            has_rival ? with_rival++ : alone++;
        }
        arena_deinit(&arena);
    }
    assert_true(with_rival > 100 && alone > 100); /* or the test tested nothing */
}

/* With whole voices that never deny, claims stand in the order of their heads. */
static void full_confidence_gives_the_order_of_a_majority_vote(void **state)
{
    (void)state;
    struct prng prng = seeded(74);
    for (int round = 0; round < 2000; round++) {
        struct arena arena;
        arena_init(&arena, 1 << 20);
        struct slot slot;
        struct random_slot random = { 0 };
        size_t heads[5];
        for (size_t c = 0; c < countof(heads); c++) {
            heads[c] = 1 + (size_t)prng_below(&prng, 10);
            for (unsigned v = 0; v < heads[c]; v++)
                random.rows[random.count++] = (struct saying)SAYS((char)('A' + c), v);
        }
        struct lens_result result = judge_slot(&random, &slot, &arena);
        for (size_t a = 0; a < countof(heads); a++) {
            for (size_t b = 0; b < countof(heads); b++) {
                double gap = result.scores[a].probability - result.scores[b].probability;
                assert_int_equal((gap > 0) - (gap < 0), (heads[a] > heads[b]) - (heads[a] < heads[b]));
            }
        }
        arena_deinit(&arena);
    }
}

static void a_full_arena_is_reported(void **state)
{
    (void)state;
    struct slot slot;
    struct arena arena;
    arena_init(&arena, 8);
    const struct saying rows[] = { SAYS('A', 1) };
    slot_fill(&slot, rows, 1, true);
    struct lens_result result;
    const struct steme_lens lens = { 0 };
    assert_int_equal(approval_judge(&slot.input, &lens, &arena, &result, NULL), STEME_NO_MEMORY);
    arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(consensus_is_an_approval_vote_with_none_of_these),
        cmocka_unit_test(authority_is_the_same_vote_by_weight),
        cmocka_unit_test(another_voice_moves_a_claim_its_own_way),
        cmocka_unit_test(the_margin_is_what_flips_it_and_no_less),
        cmocka_unit_test(full_confidence_gives_the_order_of_a_majority_vote),
        cmocka_unit_test(a_full_arena_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
