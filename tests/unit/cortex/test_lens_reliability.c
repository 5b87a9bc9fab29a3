/* SPDX-License-Identifier: Apache-2.0 */
/* The lens asks the model it is given; the models here are learned from a few items, and what they must say of a slot
 * is what rel_judge() says. */
#include "cortex/learning.h"
#include "unit/cortex/slot.h"

static struct steme_error failure;

/* Voices 3 to 63 are known by number and have said nothing: each counts as one of whom nothing is known. */
enum { VOICES = 3, ALL_VOICES = 64, ITEMS = 12, LABELS = 2 };

struct lesson {
    struct arena arena;
    struct lens_model model;
    struct slot slot;
    struct steme_value values[SLOT_CLAIMS_MAX];
};

/* Voices 0 and 1 always agree, voice 2 says the other label half of the time. */
static void learn_by(struct lesson *it, enum rel_method method)
{
    static const uint32_t labels[LABELS] = { 0, 1 };
    static struct rel_answer answers[ITEMS][VOICES];
    static struct rel_item items[ITEMS];
    const struct rel_params params = { .method = method };
    *it = (struct lesson){ 0 };
    arena_init(&it->arena, 64 << 20);
    for (uint32_t i = 0; i < ITEMS; i++) {
        for (uint32_t v = 0; v < VOICES; v++)
            answers[i][v] = (struct rel_answer){ v, (i + (v == 2 && i % 4 < 2)) % LABELS, 1, 0 };
        items[i] = (struct rel_item){ labels, answers[i], VOICES, LABELS };
    }
    const struct rel_data data = { items, ITEMS, ALL_VOICES, LABELS };
    assert_status(rel_learn(&data, &params, &it->arena, &it->model.labels, &failure), STEME_OK, &failure, "learn");
}

static void learn(struct lesson *it) { learn_by(it, REL_AUTO); }

static void fill(struct lesson *it, const struct saying *rows, size_t count, bool functional)
{
    slot_fill(&it->slot, rows, count, functional);
    it->slot.input.model = &it->model;
    for (size_t c = 0; c < it->slot.input.claim_count; c++) {
        struct lens_claim *claim = &it->slot.claims[c];
        claim->label = functional ? (uint32_t)(claim->claim[0] - 'A') : 0;
        if (claim->label >= LABELS) claim->label = REL_NEW_LABEL;
        claim->value = &it->values[c];
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t number = load_u64be(it->slot.voices[i].voice) >> 32 & UINT32_MAX;
        it->slot.voices[i].number = number < ALL_VOICES ? number : REL_STRANGER;
    }
}

static struct lens_result judge(struct lesson *it)
{
    const struct steme_lens lens = { .name = "reliability" };
    struct lens_result result;
    assert_status(lens_judge(&lens_reliability, &it->slot.input, &lens, &it->arena, &result, &failure), STEME_OK,
                  &failure, "judge");
    return result;
}

static void it_says_what_the_model_says(void **state)
{
    (void)state;
    static const struct saying rows[] = { SAYS('A', 2), SAYS('B', 0), SAYS('C', 90) };
    static const uint32_t labels[] = { 0, 1, REL_NEW_LABEL };
    static const struct rel_answer answers[] = { { 0, 1, 1, 0 }, { 2, 0, 1, 0 }, { REL_STRANGER, 2, 1, 0 } };
    const struct rel_item item = { labels, answers, 3, 3 };
    struct lesson it;
    double p[3];
    learn(&it);
    fill(&it, rows, countof(rows), true);
    struct lens_result got = judge(&it);
    assert_status(rel_judge(it.model.labels, &item, &it.arena, p, &failure), STEME_OK, &failure, "rel_judge");
    for (size_t c = 0; c < 3; c++)
        assert_close(got.scores[c].probability, p[c], 1e-12, "probability", "claim");
    assert_true(p[1] > p[0]); /* the better voice wins */
    arena_deinit(&it.arena);
}

static void support_is_in_what_voices_weigh(void **state)
{
    (void)state;
    static const struct saying rows[] = { SAYS('A', 0), SAYS('A', 2), SAYS('A', 90), DENIES('B', 1), SAYS('B', 2) };
    struct lesson it;
    learn(&it);
    fill(&it, rows, countof(rows), true);
    const struct rel_voice *v = it.model.labels->voices;
    struct lens_result got = judge(&it);
    assert_close(got.scores[0].support, v[0].weight + v[2].weight + 1, 1e-12, "support", "a stranger weighs 1");
    assert_close(got.scores[1].refute, v[1].weight, 1e-12, "refute", "B");
    assert_true(v[0].weight > v[2].weight);
    arena_deinit(&it.arena);
}

/* So many strangers as the margin says, rounded up, must take the lead; rounded down they must not. */
static void so_many_strangers_flip_it(void **state)
{
    (void)state;
    struct saying rows[64] = { SAYS('A', 0), SAYS('A', 1), SAYS('B', 2) };
    struct lesson it;
    size_t count = 3;
    learn_by(&it, REL_ONE_COIN);
    fill(&it, rows, count, true);
    double margin = judge(&it).margin;
    assert_true(margin > 0 && margin < 40);
    for (int added = 0; added < (int)ceil(margin) + 1; added++) {
        fill(&it, rows, count, true);
        struct lens_result got = judge(&it);
        if (added < margin - 1e-6) assert_true(got.scores[0].probability > got.scores[1].probability);
        if (added > margin + 1e-6) assert_true(got.scores[1].probability > got.scores[0].probability);
        rows[count] = (struct saying)SAYS('B', 10 + (unsigned)count);
        count++;
    }
    arena_deinit(&it.arena);
}

/* Against "none of these" a step is not always as long as the first, so half and double of it are tried. */
static void without_a_rival_the_margin_is_what_brings_it_to_one_half(void **state)
{
    (void)state;
    struct saying rows[SLOT_SAYINGS_MAX] = { SAYS('A', 0), SAYS('A', 1) };
    struct lesson it;
    size_t count = 2;
    learn_by(&it, REL_ONE_COIN);
    fill(&it, rows, count, true);
    struct lens_result before = judge(&it);
    assert_true(before.scores[0].probability > 0.5 && before.margin > 1 && before.margin < 20);
    for (int added = 1; added <= (int)(before.margin / 2); added++)
        rows[count] = (struct saying)DENIES('A', 10 + (unsigned)count), count++;
    fill(&it, rows, count, true);
    assert_true(judge(&it).scores[0].probability > 0.5);
    while ((double)count < 2 + 2 * before.margin)
        rows[count] = (struct saying)DENIES('A', 10 + (unsigned)count), count++;
    fill(&it, rows, count, true);
    assert_true(judge(&it).scores[0].probability <= 0.5);
    arena_deinit(&it.arena);
}

static void a_tie_has_no_margin_and_silence_no_verdict(void **state)
{
    (void)state;
    static const struct saying tie[] = { SAYS('A', 20), SAYS('B', 21) };
    struct lesson it;
    learn_by(&it, REL_ONE_COIN);
    fill(&it, tie, countof(tie), true);
    struct lens_result got = judge(&it);
    assert_true(got.margin <= 0);
    fill(&it, NULL, 0, true);
    got = judge(&it);
    assert_int_equal(got.verdict, STEME_UNDECIDED);
    arena_deinit(&it.arena);
}

static void a_many_valued_claim_is_judged_alone(void **state)
{
    (void)state;
    static const struct saying both[] = { SAYS('A', 0), DENIES('B', 0), SAYS('B', 2) };
    static const struct saying one[] = { SAYS('A', 0) };
    struct lesson it;
    learn(&it);
    fill(&it, one, 1, false);
    double alone = judge(&it).scores[0].probability;
    fill(&it, both, countof(both), false);
    struct lens_result got = judge(&it);
    assert_close(got.scores[0].probability, alone, 1e-12, "probability", "A");
    assert_true(got.scores[1].probability < alone);
    assert_int_equal(got.verdict, STEME_LISTED);
    arena_deinit(&it.arena);
}

/* ---- numbers ---- */

static void numbers_are_weighed_by_what_was_learned_of_their_voices(void **state)
{
    (void)state;
    static struct rel_measure measures[ITEMS][VOICES];
    static struct rel_number_item items[ITEMS];
    static const struct saying rows[] = { SAYS('A', 0), SAYS('A', 1), SAYS('B', 2), SAYS('C', 0), { 0 } };
    const struct rel_params params = { 0 };
    struct lesson it = { 0 };
    arena_init(&it.arena, 64 << 20);
    for (uint32_t i = 0; i < ITEMS; i++) {
        for (uint32_t v = 0; v < VOICES; v++)
            measures[i][v] = (struct rel_measure){ v, i + (v == 2 ? (i % 2 ? 9 : -9) : (i % 3) * 0.5), 0 };
        items[i] = (struct rel_number_item){ measures[i], VOICES };
    }
    assert_status(rel_learn_numbers(items, ITEMS, ALL_VOICES, &params, &it.arena, &it.model.numbers, &failure),
                  STEME_OK, &failure, "learn");
    fill(&it, rows, 4, true);
    it.values[0] = (struct steme_value){ .kind = STEME_INTEGER, .integer = 10 };
    it.values[1] = (struct steme_value){ .kind = STEME_DECIMAL, .amount = { .coefficient = 20 } };
    it.values[2] = (struct steme_value){ .kind = STEME_TEXT, .text = { (const uint8_t *)"ten", 3 } };
    struct lens_result got = judge(&it);
    assert_true(got.has_pooled);
    assert_int_equal(got.pooled.count, 3);
    assert_int_equal(got.pooled.left_out, 1);
    assert_true(got.pooled.mean > 10 && got.pooled.mean < 11); /* the wild voice counts little */
    assert_close(got.scores[0].probability + got.scores[1].probability, 1, 1e-12, "sum", "shares");
    assert_close(got.pooled.mean, 10 * got.scores[0].probability + 20 * got.scores[1].probability, 1e-9, "mean",
                 "shares make the mean");
    assert_true(got.scores[2].probability <= 0 && got.pooled.tau2 <= 0 && got.margin <= 0);
    arena_deinit(&it.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_says_what_the_model_says),
        cmocka_unit_test(support_is_in_what_voices_weigh),
        cmocka_unit_test(so_many_strangers_flip_it),
        cmocka_unit_test(without_a_rival_the_margin_is_what_brings_it_to_one_half),
        cmocka_unit_test(a_tie_has_no_margin_and_silence_no_verdict),
        cmocka_unit_test(a_many_valued_claim_is_judged_alone),
        cmocka_unit_test(numbers_are_weighed_by_what_was_learned_of_their_voices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
