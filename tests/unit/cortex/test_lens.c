/* SPDX-License-Identifier: Apache-2.0 */
#include "base/decimal.h"
#include "base/slice.h"
#include "slot.h"

#define GOLDEN_DIGEST 0xD1EF7C62F430DB84u

static const struct lens_ops *const all[] = { &lens_recency,     &lens_consensus, &lens_authority,
                                              &lens_reliability, &lens_pool,      &lens_union };

static void a_lens_is_found_by_its_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(all); i++) {
        const struct lens_ops *ops = NULL;
        assert_status(lens_find(all[i]->info.name, &ops, NULL), STEME_OK, NULL, all[i]->info.name);
        assert_ptr_equal(ops, all[i]);
    }
    const struct lens_ops *ops = NULL;
    assert_int_equal(lens_find(NULL, &ops, NULL), STEME_OK);
    assert_ptr_equal(ops, &lens_consensus);
}

static const struct {
    const char *name, *hint;
} unknown[] = {
    { "consenus", "did you mean 'consensus'?" },
    { "Recency", "did you mean 'recency'?" },
    { "auth", "did you mean 'authority'?" },
    { "majority", "there are recency, consensus, authority, reliability, pool, union" },
    { "", "there are recency, consensus, authority, reliability, pool, union" },
    { "a name so long that it must be cut somewhere or the message would not hold it, cut it is", "there are recency" },
};

static void an_unknown_lens_is_refused_with_a_hint(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(unknown); i++) {
        const struct lens_ops *ops = &lens_pool;
        struct steme_error err;
        assert_status(lens_find(unknown[i].name, &ops, &err), STEME_BAD_INPUT, &err, unknown[i].name);
        assert_row(strstr(err.message, unknown[i].hint) != NULL, unknown[i].name);
        assert_ptr_equal(ops, &lens_pool); /* left alone */
    }
}

static void the_listing_has_every_lens_with_its_words(void **state)
{
    (void)state;
    size_t count = 0;
    const struct steme_lens_info *list = steme_lens_list(&count);
    assert_int_equal(count, countof(all));
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(list[i].name, all[i]->info.name);
        assert_row(strlen(list[i].summary) > 10 && strlen(list[i].summary) < 80, list[i].name);
        assert_row(strlen(list[i].detail) > strlen(list[i].summary), list[i].name);
    }
    assert_ptr_equal(steme_lens_list(&count), list);
}

/* Bits and prose say the same: what is behind "Parameter" names what it takes, and nothing else. */
static void a_lens_takes_the_parameters_its_detail_names(void **state)
{
    (void)state;
    static const struct {
        const char *word;
        unsigned bit;
    } parameters[] = {
        { "half_life_us", STEME_LENS_HALF_LIFE },
        { "roots", STEME_LENS_ROOTS },
        { "damping", STEME_LENS_DAMPING },
        { "prior", STEME_LENS_PRIOR },
        { "method", STEME_LENS_METHOD },
        { "copying", STEME_LENS_COPYING },
        { "uncalibrated", STEME_LENS_UNCALIBRATED },
    };
    size_t count = 0;
    const struct steme_lens_info *list = steme_lens_list(&count);
    for (size_t i = 0; i < count; i++) {
        const char *words = strstr(list[i].detail, "arameter");
        assert_row(words != NULL, list[i].name);
        for (size_t p = 0; p < countof(parameters); p++)
            assert_row(!strstr(words, parameters[p].word) == !(list[i].parameters & parameters[p].bit), list[i].name);
    }
}

static void verdicts_have_names(void **state)
{
    (void)state;
    static const char *const names[] = { "unknown", "contested", "leaning", "settled", "listed" };
    for (size_t i = 0; i < countof(names); i++)
        assert_string_equal(steme_verdict_name((enum steme_verdict)i), names[i]);
    assert_string_equal(steme_verdict_name((enum steme_verdict)5), "?");
}

static const struct {
    const char *name;
    bool many;
    double best, rival;
    enum steme_verdict want;
} verdicts[] = {
    { "nothing", false, 0, 0, STEME_UNDECIDED },
    { "nothing, many-valued", true, 0, 0, STEME_UNDECIDED },
    { "something, many-valued", true, 0.99, 0.98, STEME_LISTED },
    { "very little", false, 1e-300, 0, STEME_CONTESTED },
    { "below one half", false, 0.4999, 0, STEME_CONTESTED },
    { "one half", false, 0.5, 0.5, STEME_LEANING },
    { "below nine tenths", false, 0.8999, 0, STEME_LEANING },
    { "nine tenths", false, 0.9, 0, STEME_SETTLED },
    { "nine tenths, a rival below one", false, 0.9, 0.0999, STEME_SETTLED },
    { "nine tenths, a rival with one", false, 0.9, 0.1, STEME_LEANING },
    { "certain", false, 1, 0, STEME_SETTLED },
};

static void a_verdict_follows_from_the_two_greatest_probabilities(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(verdicts); i++) {
        const struct lens_input input = { .functional = !verdicts[i].many };
        assert_row(lens_verdict(&input, verdicts[i].best, verdicts[i].rival) == verdicts[i].want, verdicts[i].name);
    }
}

static const struct {
    const char *name;
    struct steme_lens lens;
    const char *names;
} parameters[] = {
    { "all defaults", { 0 }, NULL },
    { "the longest half-life", { .half_life_us = INT64_MAX }, NULL },
    { "a negative half-life", { .half_life_us = -1 }, "half_life_us" },
    { "little damping", { .damping = 1e-9 }, NULL },
    { "all passed on", { .damping = 1 }, "damping" },
    { "negative damping", { .damping = -0.1 }, "damping" },
    { "damping that is no number", { .damping = NAN }, "damping" },
    { "the largest prior", { .prior = LENS_PRIOR_MAX }, NULL },
    { "a prior that drowns everything", { .prior = LENS_PRIOR_MAX * 2 }, "prior" },
    { "a negative prior", { .prior = -1 }, "prior" },
    { "an infinite prior", { .prior = INFINITY }, "prior" },
    { "a prior that is no number", { .prior = NAN }, "prior" },
    { "roots that are not there", { .root_count = 1 }, "root_count" },
    { "a method of its own", { .method = STEME_METHOD_ACCURACY }, NULL },
    { "the method of numbers, which is not asked for", { .method = STEME_METHOD_NUMBERS }, "method" },
};

static void parameters_out_of_range_are_refused_by_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(parameters); i++) {
        struct steme_error err;
        steme_status want = parameters[i].names ? STEME_BAD_INPUT : STEME_OK;
        assert_status(lens_check(&parameters[i].lens, &err), want, &err, parameters[i].name);
        if (parameters[i].names) assert_row(strstr(err.message, parameters[i].names) != NULL, parameters[i].name);
    }
}

static void the_result_is_left_alone_on_failure(void **state)
{
    (void)state;
    struct slot slot;
    slot_fill(&slot, (const struct saying[]){ SAYS('A', 1) }, 1, true);
    const struct steme_lens good = { 0 }, bad = { .prior = -1 };
    for (size_t i = 0; i < countof(all); i++) {
        if (all[i]->needs_values || all[i]->needs_model) continue;
        struct lens_result result = { .margin = 42 };
        struct arena arena;
        arena_init(&arena, 8);
        assert_int_equal(lens_judge(all[i], &slot.input, &bad, &arena, &result, NULL), STEME_BAD_INPUT);
        assert_int_equal(lens_judge(all[i], &slot.input, &good, &arena, &result, NULL), STEME_NO_MEMORY);
        assert_true(result.margin == 42);
        arena_deinit(&arena);
    }
}

/* ---- broken promises of the caller ---- */

static void swap_claims(struct slot *slot)
{
    struct lens_claim swap = slot->claims[0];
    slot->claims[0] = slot->claims[1];
    slot->claims[1] = swap;
}
static void repeat_claim(struct slot *slot) { memcpy(slot->claims[1].claim, slot->claims[0].claim, 16); }
static void repeat_voice(struct slot *slot) { memcpy(slot->voices[1].voice, slot->voices[0].voice, 16); }
static void swap_voices(struct slot *slot) { slot->voices[0].voice[0] = 0xFF; }
static void shout(struct slot *slot) { slot->voices[0].support = 1.5; }
static void deny_nothing(struct slot *slot) { slot->voices[0].refute = NAN; }
static void weigh_less_than_nothing(struct slot *slot) { slot->voices[0].weight = -1; }
static void be_too_confident(struct slot *slot) { slot->claims[0].latest_confidence = 2; }

struct breakage {
    const char *name;
    void (*act)(struct slot *slot);
};

static const struct breakage breakages[] = {
    { "claims out of order", swap_claims },
    { "a claim twice", repeat_claim },
    { "a voice twice", repeat_voice },
    { "voices out of order", swap_voices },
    { "support above 1", shout },
    { "a refutation that is no number", deny_nothing },
    { "a negative weight", weigh_less_than_nothing },
    { "a confidence above 1", be_too_confident },
};

static void judge_broken(void *context)
{
    const struct breakage *breakage = context;
    static const struct saying rows[] = { SAYS('A', 1), SAYS('A', 2), SAYS('B', 3) };
    struct slot slot;
    slot_fill(&slot, rows, countof(rows), true);
    if (breakage->act) breakage->act(&slot);
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct lens_result result;
    const struct steme_lens lens = { 0 };
    if (lens_judge(&lens_consensus, &slot.input, &lens, &arena, &result, NULL)) _exit(3);
    arena_deinit(&arena);
}

static void evidence_out_of_order_or_range_is_a_broken_promise(void **state)
{
    (void)state;
    judge_broken(&(struct breakage){ "nothing broken", NULL });
    for (size_t i = 0; i < countof(breakages); i++) {
        struct breakage breakage = breakages[i];
        assert_dies(judge_broken, &breakage, breakage.name);
    }
}

/* ---- broken promises of a lens ---- */

static double bad_probability;

static steme_status judge_badly(const struct lens_input *input, const struct steme_lens *lens, struct arena *arena,
                                struct lens_result *out, struct steme_error *err)
{
    (void)lens;
    struct lens_score *scores = arena_calloc(arena, input->claim_count, sizeof *scores);
    if (!scores) return arena_full(arena, err);
    for (size_t i = 0; i < input->claim_count; i++)
        scores[i].probability = bad_probability;
    *out = (struct lens_result){ .scores = scores };
    return STEME_OK;
}

static void judge_two_badly(void *context)
{
    bad_probability = *(double *)context;
    const struct lens_ops ops = { .judge = judge_badly };
    static const struct saying rows[] = { SAYS('A', 1), SAYS('B', 3) };
    struct slot slot;
    slot_fill(&slot, rows, countof(rows), true);
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct lens_result result;
    const struct steme_lens lens = { 0 };
    if (lens_judge(&ops, &slot.input, &lens, &arena, &result, NULL)) _exit(3);
    arena_deinit(&arena);
}

static void a_distribution_that_is_none_does_not_get_out(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        double probability;
    } rows[] = {
        { "negative", -0.1 },
        { "above 1", 1.1 },
        { "no number", NAN },
        { "a sum above 1", 0.6 },
    };
    judge_two_badly(&(double){ 0.5 });
    for (size_t i = 0; i < countof(rows); i++) {
        double probability = rows[i].probability;
        assert_dies(judge_two_badly, &probability, rows[i].name);
    }
}

/* ---- promises over random slots ---- */

enum { ROUNDS = 10000, SAYINGS = 64 };

static const char *const units[] = { "m", "km", "" };

/* 0..INT64_MAX, of any size. Draws stand in statements of their own: C leaves the order of operands to the compiler. */
static int64_t draw_positive(struct prng *prng)
{
    uint64_t digits = prng_u64(prng) >> 1;
    return (int64_t)(digits >> prng_below(prng, 63));
}

static struct steme_decimal draw_decimal(struct prng *prng, bool wild)
{
    struct steme_decimal number;
    int64_t coefficient = draw_positive(prng);
    int64_t scale = wild ? (int64_t)prng_below(prng, 181) - 90 : (int64_t)prng_below(prng, 4);
    if (prng_chance(prng, 500)) coefficient = -coefficient;
    if (decimal_make(coefficient, scale, &number, NULL)) number = (struct steme_decimal){ 0 };
    return number;
}

static struct steme_value draw_value(struct prng *prng)
{
    struct steme_value value = { .kind = STEME_QUANTITY };
    if (prng_chance(prng, 100)) value.kind = STEME_TEXT;
    bool wild = prng_chance(prng, 200);
    value.unit = slice_text(units[prng_below(prng, countof(units))]);
    struct steme_decimal parts[3];
    for (size_t i = 0; i < countof(parts); i++)
        parts[i] = draw_decimal(prng, wild);
    for (size_t i = 0; i < 3; i++) { /* lower <= amount <= upper */
        size_t j = i == 1;
        if (decimal_compare(parts[j], parts[j + 1]) <= 0) continue;
        struct steme_decimal swap = parts[j];
        parts[j] = parts[j + 1];
        parts[j + 1] = swap;
    }
    value.has_bounds = !prng_chance(prng, 100);
    value.lower = parts[0];
    value.amount = parts[1];
    value.upper = parts[2];
    return value;
}

static double draw_share(struct prng *prng)
{
    if (prng_chance(prng, 300)) return (double)prng_below(prng, 2);
    return (double)prng_below(prng, 1000001) / 1e6;
}

static size_t draw_sayings(struct prng *prng, struct saying rows[SAYINGS])
{
    size_t count = 0;
    uint64_t claims = prng_below(prng, 9);
    for (uint64_t c = 0; c < claims; c++) {
        uint64_t voices = 1 + prng_below(prng, 7);
        for (uint64_t v = 0; v < voices; v++) {
            struct saying *row = &rows[count++];
            *row = (struct saying){ .claim = (char)('A' + c), .voice = (unsigned)(v * 3), .at_us = NEVER };
            if (!prng_chance(prng, 300)) row->support = draw_share(prng);
            if (!prng_chance(prng, 600)) row->refute = draw_share(prng);
            if (!prng_chance(prng, 300)) row->weight = draw_share(prng);
            if (prng_chance(prng, 100))
                row->at_us = (int64_t)prng_u64(prng);
            else if (!prng_chance(prng, 200))
                row->at_us = (int64_t)prng_below(prng, 5) * 1000;
        }
    }
    return count;
}

static struct steme_lens draw_lens(struct prng *prng)
{
    struct steme_lens lens = { 0 };
    if (prng_chance(prng, 500)) lens.half_life_us = draw_positive(prng);
    if (prng_chance(prng, 500)) lens.prior = ldexp(1, (int)prng_below(prng, 60) - 41);
    return lens;
}

static void require_distribution(const struct lens_input *input, const struct lens_result *result, const char *name)
{
    double forwards = 0, backwards = 0;
    for (size_t i = 0; i < input->claim_count; i++) {
        double p = result->scores[i].probability;
        assert_row(p >= 0 && p <= 1, name);
        assert_row(isfinite(result->scores[i].support) && isfinite(result->scores[i].refute), name);
        forwards += p;
        backwards += result->scores[input->claim_count - 1 - i].probability;
    }
    assert_row(!input->functional || (forwards <= 1 && backwards <= 1), name);
    assert_row(isfinite(result->margin) && result->margin >= 0, name);
    assert_row(input->functional || result->verdict == STEME_LISTED || result->verdict == STEME_UNDECIDED, name);
    assert_row((result->verdict == STEME_UNDECIDED) == !(forwards > 0), name);
    if (!result->has_pooled) return;
    const struct steme_pooled *pooled = &result->pooled;
    assert_row(pooled->count > 0 && pooled->error > 0 && isfinite(pooled->mean) && isfinite(pooled->error), name);
    assert_row(pooled->count == 1 || (pooled->tension_p >= 0 && pooled->tension_p <= 1), name);
}

static void shuffle(struct prng *prng, struct saying *rows, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        size_t j = (size_t)prng_below(prng, i);
        struct saying swap = rows[i - 1];
        rows[i - 1] = rows[j];
        rows[j] = swap;
    }
}

/* What reliability is given: learned from a few slots of voices 0 to 3, by labels; or by numbers. */
static struct {
    struct arena arena;
    struct lens_model labels, numbers;
} school;

enum { PUPILS = 4, LESSONS = 24, NAMES = 3 };

static int open_school(void **state)
{
    (void)state;
    static const uint32_t labels[NAMES] = { 0, 1, 2 };
    static struct rel_answer answers[LESSONS][PUPILS];
    static struct rel_measure measures[LESSONS][PUPILS];
    static struct rel_item items[LESSONS];
    static struct rel_number_item number_items[LESSONS];
    const struct rel_params params = { 0 };
    struct prng prng = { 81 };
    arena_init(&school.arena, 16 << 20);
    for (size_t i = 0; i < LESSONS; i++) {
        for (uint32_t v = 0; v < PUPILS; v++) {
            uint32_t off = prng_below(&prng, PUPILS) < v;
            answers[i][v] = (struct rel_answer){ v, (uint32_t)(i + off) % NAMES, 1, 0 };
            measures[i][v] = (struct rel_measure){ v, (double)i + off * v, 0 };
        }
        items[i] = (struct rel_item){ labels, answers[i], PUPILS, NAMES };
        number_items[i] = (struct rel_number_item){ measures[i], PUPILS };
    }
    const struct rel_data data = { items, LESSONS, PUPILS, NAMES };
    steme_status status = rel_learn(&data, &params, &school.arena, &school.labels.labels, NULL);
    if (!status)
        status = rel_learn_numbers(number_items, LESSONS, PUPILS, &params, &school.arena, &school.numbers.numbers,
                                   NULL);
    return status ? -1 : 0;
}

static int close_school(void **state)
{
    (void)state;
    arena_deinit(&school.arena);
    return 0;
}

static void fill(struct slot *slot, const struct saying *rows, size_t count, bool functional,
                 const struct steme_value *values)
{
    slot_fill(slot, rows, count, functional);
    slot->input.model = values[0].kind == STEME_QUANTITY ? &school.numbers : &school.labels;
    for (size_t i = 0; i < slot->input.claim_count; i++) {
        slot->claims[i].value = &values[i];
        slot->claims[i].kind = values[i].kind;
        slot->claims[i].label = i < NAMES ? (uint32_t)i : REL_NEW_LABEL;
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t number = (uint32_t)(load_u64be(slot->voices[i].voice) >> 32);
        slot->voices[i].number = number < PUPILS ? number : REL_STRANGER;
    }
}

static bool same_bits(double a, double b)
{
    uint64_t a_bits, b_bits;
    memcpy(&a_bits, &a, sizeof a_bits);
    memcpy(&b_bits, &b, sizeof b_bits);
    return a_bits == b_bits;
}

/* The same evidence, arrived in another order, gives the same bits. */
static void judge_twice(struct prng *prng, const struct lens_ops *ops, struct saying *rows, size_t count,
                        bool functional, const struct steme_value *values, const struct steme_lens *lens)
{
    struct slot slot;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct lens_result first, second;
    struct steme_error err;
    const char *name = ops->info.name;
    fill(&slot, rows, count, functional, values);
    assert_status(lens_judge(ops, &slot.input, lens, &arena, &first, &err), STEME_OK, &err, name);
    require_distribution(&slot.input, &first, name);
    shuffle(prng, rows, count);
    fill(&slot, rows, count, functional, values);
    assert_status(lens_judge(ops, &slot.input, lens, &arena, &second, &err), STEME_OK, &err, name);
    size_t claims = slot.input.claim_count;
    for (size_t i = 0; i < claims; i++) {
        assert_row(same_bits(first.scores[i].probability, second.scores[i].probability), name);
        assert_row(same_bits(first.scores[i].support, second.scores[i].support), name);
    }
    assert_row(first.verdict == second.verdict && same_bits(first.margin, second.margin), name);
    assert_row(same_bits(first.pooled.mean, second.pooled.mean), name);
    assert_row(same_bits(first.pooled.error, second.pooled.error), name);
    arena_deinit(&arena);
}

static void promises_hold_for_any_evidence_in_any_order(void **state)
{
    (void)state;
    struct prng prng = seeded(79);
    unsigned verdict_count = 0;
    for (int round = 0; round < ROUNDS; round++) {
        struct saying rows[SAYINGS];
        struct steme_value values[8];
        size_t count = draw_sayings(&prng, rows);
        for (size_t i = 0; i < countof(values); i++)
            values[i] = draw_value(&prng);
        struct steme_lens lens = draw_lens(&prng);
        bool functional = !prng_chance(&prng, 200);
        for (size_t i = 0; i < countof(all); i++) {
            judge_twice(&prng, all[i], rows, count, functional, values, &lens);
            verdict_count++;
        }
    }
    printf("%u answers kept their promises\n", verdict_count);
}

/* FNV-1a. */
static void digest(uint64_t *hash, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    for (size_t i = 0; i < size; i++)
        *hash = (*hash ^ bytes[i]) * 0x100000001B3u;
}

static void digest_result(uint64_t *hash, const struct lens_result *result, size_t claims)
{
    if (claims > 0) digest(hash, result->scores, claims * sizeof *result->scores);
    digest(hash, &result->margin, sizeof result->margin);
    digest(hash, &result->verdict, sizeof result->verdict);
    if (!result->has_pooled) return;
    digest(hash, &result->pooled.mean, sizeof result->pooled.mean);
    digest(hash, &result->pooled.error, sizeof result->pooled.error);
    digest(hash, &result->pooled.chi2, sizeof result->pooled.chi2);
    if (result->pooled.count < 2) return; /* what follows are NANs, which have many spellings */
    digest(hash, &result->pooled.birge, sizeof result->pooled.birge);
    digest(hash, &result->pooled.tension_p, sizeof result->pooled.tension_p);
}

/* The digest was taken once. Another compiler, C library or processor has to come to it as well; a change of formula
 * changes it, and what stores have answered so far. */
static void answers_have_the_same_bits_on_every_machine(void **state)
{
    (void)state;
    struct prng prng = { 80 };
    uint64_t hash = 0xCBF29CE484222325u;
    for (int round = 0; round < 2000; round++) {
        struct saying rows[SAYINGS];
        struct steme_value values[8];
        struct slot slot;
        size_t count = draw_sayings(&prng, rows);
        for (size_t i = 0; i < countof(values); i++)
            values[i] = draw_value(&prng);
        struct steme_lens lens = draw_lens(&prng);
        fill(&slot, rows, count, !prng_chance(&prng, 200), values);
        struct arena arena;
        arena_init(&arena, 1 << 20);
        for (size_t i = 0; i < countof(all); i++) {
            struct lens_result result;
            if (all[i]->needs_model) continue; /* its bits are those of what was learned: test_reliability.c */
            assert_int_equal(lens_judge(all[i], &slot.input, &lens, &arena, &result, NULL), STEME_OK);
            digest_result(&hash, &result, slot.input.claim_count);
        }
        arena_deinit(&arena);
    }
    if (hash != GOLDEN_DIGEST) fail_msg("the digest is 0x%016llX", (unsigned long long)hash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lens_is_found_by_its_name),
        cmocka_unit_test(an_unknown_lens_is_refused_with_a_hint),
        cmocka_unit_test(the_listing_has_every_lens_with_its_words),
        cmocka_unit_test(a_lens_takes_the_parameters_its_detail_names),
        cmocka_unit_test(verdicts_have_names),
        cmocka_unit_test(a_verdict_follows_from_the_two_greatest_probabilities),
        cmocka_unit_test(parameters_out_of_range_are_refused_by_name),
        cmocka_unit_test(the_result_is_left_alone_on_failure),
        cmocka_unit_test(evidence_out_of_order_or_range_is_a_broken_promise),
        cmocka_unit_test(a_distribution_that_is_none_does_not_get_out),
        cmocka_unit_test(promises_hold_for_any_evidence_in_any_order),
        cmocka_unit_test(answers_have_the_same_bits_on_every_machine),
    };
    return cmocka_run_group_tests(tests, open_school, close_school);
}
