/* SPDX-License-Identifier: Apache-2.0 */
/* Learning whom to believe: small cases worked out by hand, crowds with known truth, and what must hold of any data. */
#include "cortex/reliability.h"
#include "slot.h"

#include <float.h>

/* Data that grows answer by answer; each item has all labels as values, in order. */
struct crowd {
    struct arena arena;
    struct rel_item *items;
    struct rel_answer *answers; /* ANSWERS_EACH for each item */
    uint32_t *labels, *truths;
    struct rel_data data;
};

enum { ANSWERS_EACH = 32 };

static void crowd_init(struct crowd *crowd, size_t items, size_t voices, size_t labels)
{
    *crowd = (struct crowd){ .data = { .item_count = items, .voice_count = voices, .label_count = labels } };
    arena_init(&crowd->arena, (size_t)1 << 30);
    crowd->items = arena_calloc(&crowd->arena, items, sizeof *crowd->items);
    crowd->answers = arena_calloc(&crowd->arena, items * ANSWERS_EACH, sizeof *crowd->answers);
    crowd->labels = arena_calloc(&crowd->arena, labels, sizeof *crowd->labels);
    crowd->truths = arena_calloc(&crowd->arena, items, sizeof *crowd->truths);
    for (size_t l = 0; l < labels; l++)
        crowd->labels[l] = (uint32_t)l;
    for (size_t i = 0; i < items; i++)
        crowd->items[i] = (struct rel_item){ crowd->labels, crowd->answers + i * ANSWERS_EACH, 0, (uint32_t)labels };
    crowd->data.items = crowd->items;
}

static void say(struct crowd *crowd, size_t item, uint32_t voice, uint32_t value, double support, double refute)
{
    struct rel_item *row = &crowd->items[item];
    assert_true(row->answer_count < ANSWERS_EACH);
    crowd->answers[item * ANSWERS_EACH + row->answer_count++] = (struct rel_answer){ voice, value, support, refute };
}

static double draw(struct prng *prng) { return (double)(prng_u64(prng) >> 11) / 9007199254740992.0; }

/* A voice's word: right with `accuracy`, else any other label. */
static void say_randomly(struct crowd *crowd, size_t item, uint32_t voice, double accuracy, struct prng *prng)
{
    uint32_t labels = (uint32_t)crowd->data.label_count, truth = crowd->truths[item];
    uint32_t error = (truth + 1 + (uint32_t)prng_below(prng, labels - 1)) % labels;
    say(crowd, item, voice, draw(prng) < accuracy ? truth : error, 1, 0);
}

static void draw_truths(struct crowd *crowd, struct prng *prng)
{
    for (size_t i = 0; i < crowd->data.item_count; i++)
        crowd->truths[i] = (uint32_t)prng_below(prng, crowd->data.label_count);
}

static const struct rel_model *learn(struct crowd *crowd, const struct rel_params *params, const char *name)
{
    const struct rel_model *model = NULL;
    struct steme_error err;
    const struct rel_params none = { 0 };
    assert_status(rel_learn(&crowd->data, params ? params : &none, &crowd->arena, &model, &err), STEME_OK, &err, name);
    for (size_t v = 0; v < model->voice_count; v++) {
        const struct rel_voice *voice = &model->voices[v];
        bool sound = voice->accuracy >= 0 && voice->accuracy <= 1 && voice->low >= 0 && voice->high <= 1 &&
                     voice->low <= voice->accuracy && voice->accuracy <= voice->high && voice->answers >= 0 &&
                     voice->right >= 0 && voice->right <= voice->answers * (1 + 1e-9) && voice->weight >= 0 &&
                     voice->weight <= DBL_MAX && voice->independence > 0 && voice->independence <= 1;
        if (!sound)
            fail_msg("%s: voice %zu: %g in %g..%g, %g of %g, weight %g, independence %g", name, v, voice->accuracy,
                     voice->low, voice->high, voice->right, voice->answers, voice->weight, voice->independence);
    }
    assert_row(model->because && model->method != REL_AUTO, name);
    assert_row(model->temperature >= 1, name);
    return model;
}

static void judge(struct crowd *crowd, const struct rel_model *model, const struct rel_item *item, double *p,
                  const char *name)
{
    struct steme_error err;
    size_t used = crowd->arena.used_bytes;
    assert_status(rel_judge(model, item, &crowd->arena, p, &err), STEME_OK, &err, name);
    assert_row(crowd->arena.used_bytes == used, name);
    double total = 0;
    for (uint32_t v = 0; v < item->value_count; v++) {
        assert_row(p[v] >= 0 && p[v] <= 1, name);
        total += p[v];
    }
    assert_row(total <= 1, name);
}

static size_t best_of(const double *p, size_t count)
{
    size_t best = 0;
    for (size_t v = 1; v < count; v++)
        if (p[v] > p[best]) best = v;
    return best;
}

/* Share of items whose most believed label is the truth. */
static double accuracy_of(struct crowd *crowd, const struct rel_model *model)
{
    double hits = 0, p[64];
    for (size_t i = 0; i < crowd->data.item_count; i++) {
        judge(crowd, model, &crowd->items[i], p, "accuracy");
        hits += best_of(p, crowd->data.label_count) == crowd->truths[i];
    }
    return hits / (double)crowd->data.item_count;
}

/* The same of a vote; ties count their share. */
static double vote_accuracy(const struct crowd *crowd)
{
    double hits = 0;
    for (size_t i = 0; i < crowd->data.item_count; i++) {
        double votes[64] = { 0 }, ties = 0;
        for (size_t a = 0; a < crowd->items[i].answer_count; a++)
            votes[crowd->items[i].answers[a].value]++;
        double most = votes[best_of(votes, crowd->data.label_count)];
        for (size_t l = 0; l < crowd->data.label_count; l++)
            ties += votes[l] >= most;
        hits += votes[crowd->truths[i]] >= most ? 1 / ties : 0;
    }
    return hits / (double)crowd->data.item_count;
}

/* ---- by hand ---- */

/* A voice of whom nothing is known is right with 3/4. Open values: ten false ones to choose from, so what it says has
 * the weight (3/4) / (1/4 / 10) = 30, against 1/2 * (11 - 1) = 5 for the others. Two labels: 3/4 against 1/2 * 1/4 for
 * the one that nobody said, each of which is the truth half the time. */
static void a_voice_alone_is_believed_three_times_of_four_and_a_little_more(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum rel_method method;
        size_t labels;
        double prior, want;
    } rows[] = {
        { "an open value", REL_SOURCE_ACCURACY, 1, 0, 30.0 / 35 },
        { "an open value, nothing else likely", REL_SOURCE_ACCURACY, 1, 0.05, 30 / 30.5 },
        { "one of two labels, by coin", REL_ONE_COIN, 2, 0, 3.0 / (3 + 1e-12 + 1) },
        { "one of two labels, by matrix", REL_CONFUSION, 2, 0, 0.75 / (0.75 + 0.125) },
        { "one of two labels, the other as likely", REL_CONFUSION, 2, 1, 0.75 },
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct crowd crowd;
        crowd_init(&crowd, 1, 1, rows[i].labels);
        say(&crowd, 0, 0, 0, 1, 0);
        if (rows[i].method == REL_SOURCE_ACCURACY) crowd.items[0].value_count = 1;
        const struct rel_params params = { .method = rows[i].method, .prior = rows[i].prior };
        const struct rel_model *model = learn(&crowd, &params, rows[i].name);
        double p[2];
        judge(&crowd, model, &crowd.items[0], p, rows[i].name);
        /* A matrix: the truths' shares lean to what was said. */
        assert_close(p[0], rows[i].want, rows[i].method == REL_CONFUSION ? 0.25 : 1e-9, "p", rows[i].name);
        assert_close(model->voices[0].accuracy, 0.75, 0.2, "accuracy", rows[i].name);
        arena_deinit(&crowd.arena);
    }
}

static void a_voice_that_contradicts_the_others_counts_less(void **state)
{
    (void)state;
    for (int method = REL_AUTO; method <= REL_SOURCE_ACCURACY; method++) {
        struct crowd crowd;
        crowd_init(&crowd, 40, 3, 2);
        for (uint32_t i = 0; i < 40; i++)
            for (uint32_t v = 0; v < 3; v++)
                say(&crowd, i, v, v < 2 ? i % 2 : 1 - i % 2, 1, 0);
        const struct rel_params params = { .method = (enum rel_method)method };
        const struct rel_model *model = learn(&crowd, &params, "contradiction");
        assert_true(model->voices[0].accuracy > 0.85 && model->voices[2].accuracy < 0.2);
        assert_true(model->voices[0].weight > 0.9 && model->voices[2].weight <= 0.05);
        double p[2];
        judge(&crowd, model, &crowd.items[0], p, "contradiction");
        assert_true(p[0] > 0.8 && p[1] < 0.2);
        arena_deinit(&crowd.arena);
    }
}

/* "Not 0" of two labels is "1". */
static void to_deny_one_of_two_is_to_say_the_other(void **state)
{
    (void)state;
    struct prng prng = seeded(81);
    struct crowd plain, denying;
    crowd_init(&plain, 200, 6, 2);
    crowd_init(&denying, 200, 6, 2);
    draw_truths(&plain, &prng);
    for (size_t i = 0; i < 200; i++) {
        for (uint32_t v = 0; v < 6; v++) {
            uint32_t value = draw(&prng) < 0.5 + 0.08 * v ? plain.truths[i] : 1 - plain.truths[i];
            bool deny = v == 2 && i >= 100;
            say(&plain, i, v, value, 1, 0);
            say(&denying, i, v, deny ? 1 - value : value, deny ? 0 : 1, deny ? 1 : 0);
        }
    }
    const struct rel_params coin = { .method = REL_ONE_COIN };
    const struct rel_model *one = learn(&plain, &coin, "plain"), *other = learn(&denying, &coin, "denying");
    for (uint32_t v = 0; v < 6; v++)
        assert_true(fabs(one->voices[v].accuracy - other->voices[v].accuracy) < 0.02);
    one = learn(&plain, NULL, "plain");
    other = learn(&denying, NULL, "denying");
    for (uint32_t v = 0; v < 6; v++)
        assert_true(fabs(one->voices[v].accuracy - other->voices[v].accuracy) < 0.05);
    arena_deinit(&plain.arena);
    arena_deinit(&denying.arena);
}

/* ---- crowds with known truth ---- */

static void adversaries_and_spammers_are_found_out(void **state)
{
    (void)state;
    static const double skills[] = { 0.85, 0.85, 0.85, 0.85, 0.8, 0.5, 0.5, 0.5, 0.5, 0.5, 0.2, 0.15, 0.15 };
    for (int method = REL_ONE_COIN; method <= REL_CONFUSION; method++) {
        struct prng prng = seeded(82);
        struct crowd crowd;
        crowd_init(&crowd, 500, countof(skills), 2);
        draw_truths(&crowd, &prng);
        for (size_t i = 0; i < 500; i++)
            for (uint32_t v = 0; v < countof(skills); v++)
                say_randomly(&crowd, i, v, skills[v], &prng);
        /* They err independently, which the temperature is too careful to believe. */
        const struct rel_params params = { .method = (enum rel_method)method, .uncalibrated = true };
        const struct rel_model *model = learn(&crowd, &params, "adversaries");
        double accuracy = accuracy_of(&crowd, model), vote = vote_accuracy(&crowd);
        if (accuracy < 0.95 || accuracy < vote + 0.1) fail_msg("accuracy %g, vote %g", accuracy, vote);
        for (uint32_t v = 0; v < countof(skills); v++) {
            if (fabs(model->voices[v].accuracy - skills[v]) > 0.07)
                fail_msg("voice %u: %g, not %g", v, model->voices[v].accuracy, skills[v]);
        }
        const struct rel_params careful = { .method = (enum rel_method)method };
        double correlation = learn(&crowd, &careful, "adversaries")->correlation;
        if (correlation > 0.3) fail_msg("correlation %g", correlation);
        arena_deinit(&crowd.arena);
    }
}

/* Nearly all say 1, whatever is the truth: 1 in 2 of those who meet a 0 do. One coin for all labels believes it. */
static void a_crowd_with_a_bias_is_understood(void **state)
{
    (void)state;
    struct prng prng = seeded(83);
    struct crowd crowd;
    crowd_init(&crowd, 1500, 60, 2);
    draw_truths(&crowd, &prng);
    for (size_t i = 0; i < 1500; i++) {
        for (uint32_t k = 0; k < 6; k++) {
            uint32_t voice = k * 10 + (uint32_t)prng_below(&prng, 10);
            double zero = crowd.truths[i] == 0 ? 0.5 : 0.08;
            say(&crowd, i, voice, draw(&prng) < zero ? 0 : 1, 1, 0);
        }
    }
    const struct rel_params coin = { .method = REL_ONE_COIN };
    double matrix = accuracy_of(&crowd, learn(&crowd, NULL, "matrix"));
    double simple = accuracy_of(&crowd, learn(&crowd, &coin, "coin")), vote = vote_accuracy(&crowd);
    if (matrix < 0.8 || matrix < vote + 0.05 || simple < vote - 0.1)
        fail_msg("matrix %g, coin %g, vote %g", matrix, simple, vote);
    arena_deinit(&crowd.arena);
}

/* Where all voices are alike a vote is the best there is, and nothing may be made of chance. */
static void a_crowd_of_equals_is_judged_as_by_a_vote(void **state)
{
    (void)state;
    static const struct {
        size_t items, voices, labels, heads;
        double skill;
    } rows[] = {
        { 400, 30, 2, 5, 0.7 },  { 400, 30, 4, 5, 0.5 },   { 1000, 800, 3, 3, 0.6 },
        { 300, 300, 2, 9, 0.6 }, { 100, 500, 10, 4, 0.5 }, { 500, 7, 3, 7, 0.55 },
    };
    for (size_t r = 0; r < countof(rows); r++) {
        struct prng prng = seeded(84 + r);
        struct crowd crowd;
        crowd_init(&crowd, rows[r].items, rows[r].voices, rows[r].labels);
        draw_truths(&crowd, &prng);
        for (size_t i = 0; i < rows[r].items; i++) {
            size_t step = rows[r].voices / rows[r].heads;
            for (size_t k = 0; k < rows[r].heads; k++)
                say_randomly(&crowd, i, (uint32_t)(k * step + prng_below(&prng, step)), rows[r].skill, &prng);
        }
        double accuracy = accuracy_of(&crowd, learn(&crowd, NULL, "equals")), vote = vote_accuracy(&crowd);
        if (accuracy < vote - 0.02) fail_msg("row %zu: accuracy %g, vote %g", r, accuracy, vote);
        arena_deinit(&crowd.arena);
    }
}

static void a_sparse_voice_is_taken_for_one_of_the_crowd(void **state)
{
    (void)state;
    struct prng prng = seeded(90);
    struct crowd crowd;
    crowd_init(&crowd, 300, 8, 2);
    draw_truths(&crowd, &prng);
    for (size_t i = 0; i < 300; i++) {
        for (uint32_t v = 0; v < 6; v++)
            say_randomly(&crowd, i, v, 0.75, &prng);
        if (i < 2) say(&crowd, i, 6, 1 - crowd.truths[i], 1, 0); /* wrong twice */
        say_randomly(&crowd, i, 7, 0.1, &prng);                  /* wrong always */
    }
    const struct rel_model *model = learn(&crowd, NULL, "sparse");
    const struct rel_voice *sparse = &model->voices[6], *liar = &model->voices[7];
    if (sparse->accuracy < 0.3 || sparse->accuracy > 0.75 || liar->accuracy > 0.3)
        fail_msg("sparse %g, liar %g", sparse->accuracy, liar->accuracy);
    assert_true(sparse->high - sparse->low > 3 * (liar->high - liar->low));
    assert_close(sparse->answers, 2, 1e-12, "answers", "sparse");
    arena_deinit(&crowd.arena);
}

/* Two voices repeat the word of a bad one; eight honest ones know who errs. */
static void copying_is_discounted_where_it_misleads(void **state)
{
    (void)state;
    struct prng prng = seeded(92);
    struct crowd crowd;
    crowd_init(&crowd, 400, 11, 10);
    draw_truths(&crowd, &prng);
    for (size_t i = 0; i < 400; i++) {
        for (uint32_t v = 0; v < 8; v++)
            if (prng_chance(&prng, 500)) say_randomly(&crowd, i, v, 0.85, &prng);
        if (i % 3 == 0) continue;
        say_randomly(&crowd, i, 8, 0.4, &prng);
        uint32_t word = crowd.items[i].answers[crowd.items[i].answer_count - 1].value;
        for (uint32_t v = 9; v < 11; v++)
            say(&crowd, i, v, word, 1, 0);
    }
    const struct rel_params blind = { .method = REL_SOURCE_ACCURACY };
    const struct rel_params seeing = { .method = REL_SOURCE_ACCURACY, .copying = true };
    double deceived = accuracy_of(&crowd, learn(&crowd, &blind, "blind"));
    const struct rel_model *model = learn(&crowd, &seeing, "seeing");
    double accuracy = accuracy_of(&crowd, model);
    if (accuracy < deceived + 0.03) fail_msg("accuracy %g with, %g without", accuracy, deceived);
    for (uint32_t v = 0; v < 11; v++) {
        bool is_copy = v >= 8;
        double independence = model->voices[v].independence;
        if (is_copy ? independence > 0.45 : independence < 0.8) fail_msg("voice %u: %g", v, independence);
    }
    arena_deinit(&crowd.arena);
}

/* ---- whatever the data are ---- */

struct renaming {
    uint32_t voices[64], labels[8], items[256];
};

static void shuffle(uint32_t *numbers, size_t count, struct prng *prng)
{
    for (size_t k = 0; k < count; k++)
        numbers[k] = (uint32_t)k;
    for (size_t k = count; k > 1; k--) {
        size_t other = (size_t)prng_below(prng, k);
        uint32_t kept = numbers[k - 1];
        numbers[k - 1] = numbers[other];
        numbers[other] = kept;
    }
}

static int compare_answers(const void *left, const void *right)
{
    const struct rel_answer *a = left, *b = right;
    if (a->voice != b->voice) return a->voice < b->voice ? -1 : 1;
    return (a->value > b->value) - (a->value < b->value);
}

static void rename_crowd(const struct crowd *from, struct crowd *to, const struct renaming *names)
{
    crowd_init(to, from->data.item_count, from->data.voice_count, from->data.label_count);
    for (size_t i = 0; i < from->data.item_count; i++) {
        const struct rel_item *item = &from->items[i];
        size_t at = names->items[i];
        for (size_t a = 0; a < item->answer_count; a++)
            say(to, at, names->voices[item->answers[a].voice], names->labels[item->answers[a].value],
                item->answers[a].support, item->answers[a].refute);
        qsort(to->answers + at * ANSWERS_EACH, item->answer_count, sizeof *to->answers, compare_answers);
    }
}

static void fill_at_random(struct crowd *crowd, struct prng *prng)
{
    draw_truths(crowd, prng);
    for (size_t i = 0; i < crowd->data.item_count; i++) {
        for (uint32_t v = 0; v < crowd->data.voice_count; v++) {
            if (!prng_chance(prng, 300) || crowd->items[i].answer_count >= ANSWERS_EACH - 2) continue;
            say_randomly(crowd, i, v, 0.4 + 0.01 * v, prng);
            struct rel_answer *answer = &crowd->answers[i * ANSWERS_EACH + crowd->items[i].answer_count - 1];
            if (prng_chance(prng, 200)) answer->support = draw(prng);
            if (prng_chance(prng, 100)) answer->refute = draw(prng);
            if (prng_chance(prng, 150)) /* another value as well, as surely */
                say(crowd, i, v, (answer->value + 1) % (uint32_t)crowd->data.label_count, answer->support, 0);
        }
        qsort(crowd->answers + i * ANSWERS_EACH, crowd->items[i].answer_count, sizeof *crowd->answers, compare_answers);
    }
}

static void expect_the_same_renamed(struct crowd *crowd, const struct rel_params *params, struct prng *prng)
{
    struct crowd renamed;
    struct renaming names = { 0 };
    size_t labels = crowd->data.label_count;
    shuffle(names.voices, crowd->data.voice_count, prng);
    shuffle(names.labels, labels, prng);
    shuffle(names.items, crowd->data.item_count, prng);
    rename_crowd(crowd, &renamed, &names);
    const struct rel_model *model = learn(crowd, params, "as it is");
    const struct rel_model *other = learn(&renamed, params, "renamed");
    assert_int_equal(model->iterations, other->iterations);
    assert_close(other->correlation, model->correlation, 1e-12, "correlation", "renamed");
    for (size_t i = 0; i < crowd->data.item_count; i++) {
        double p[8], q[8];
        judge(crowd, model, &crowd->items[i], p, "as it is");
        judge(&renamed, other, &renamed.items[names.items[i]], q, "renamed");
        for (size_t l = 0; l < labels; l++)
            assert_true(fabs(p[l] - q[names.labels[l]]) < 1e-9);
    }
    for (size_t v = 0; v < crowd->data.voice_count; v++) {
        const struct rel_voice *a = &model->voices[v], *b = &other->voices[names.voices[v]];
        assert_true(fabs(a->accuracy - b->accuracy) < 1e-9 && fabs(a->weight - b->weight) < 1e-6);
    }
    arena_deinit(&renamed.arena);
}

static void names_and_order_mean_nothing(void **state)
{
    (void)state;
    struct prng prng = seeded(93);
    for (int round = 0; round < 24; round++) {
        struct crowd crowd;
        crowd_init(&crowd, 50 + prng_below(&prng, 200), 10 + prng_below(&prng, 40), 2 + prng_below(&prng, 5));
        fill_at_random(&crowd, &prng);
        const struct rel_params params = { .method = (enum rel_method)(round % 4), .copying = round % 3 == 0 };
        expect_the_same_renamed(&crowd, &params, &prng);
        arena_deinit(&crowd.arena);
    }
}

/* Where few speak, the last bits of sums order voices that are alike, and some say several things as surely: neither
 * may show. */
static void names_mean_nothing_where_few_speak(void **state)
{
    (void)state;
    static const double words[] = { 1, 0.9, 0.7, 0.5, 0.3, 0.1 };
    struct prng prng = seeded(95);
    for (int round = 0; round < 10000; round++) {
        struct crowd crowd;
        uint32_t voices = 3 + (uint32_t)prng_below(&prng, 3), labels = 2 + (uint32_t)prng_below(&prng, 2);
        crowd_init(&crowd, 2 + prng_below(&prng, 3), voices, labels);
        for (size_t i = 0; i < crowd.data.item_count; i++)
            for (uint32_t v = 0; v < voices; v++)
                for (uint32_t l = 0; l < labels; l++)
                    if (prng_chance(&prng, 400)) say(&crowd, i, v, l, words[prng_below(&prng, countof(words))], 0);
        const struct rel_params params = { .method = round % 2 ? REL_ONE_COIN : REL_SOURCE_ACCURACY,
                                           .copying = round % 3 == 0 };
        expect_the_same_renamed(&crowd, &params, &prng);
        arena_deinit(&crowd.arena);
    }
}

static void the_same_data_give_the_same_bits(void **state)
{
    (void)state;
    struct prng prng = seeded(94);
    struct crowd crowd;
    crowd_init(&crowd, 200, 20, 3);
    fill_at_random(&crowd, &prng);
    const struct rel_model *one = learn(&crowd, NULL, "once"), *two = learn(&crowd, NULL, "again");
    assert_memory_equal(one->voices, two->voices, one->voice_count * sizeof *one->voices);
    arena_deinit(&crowd.arena);
}

static void there_is_an_answer_to_degenerate_data(void **state)
{
    (void)state;
    for (int method = REL_AUTO; method <= REL_SOURCE_ACCURACY; method++) {
        for (int copying = 0; copying < 2; copying++) {
            const struct rel_params params = { .method = (enum rel_method)method, .copying = copying == 1 };
            struct crowd crowd;
            double p[4];

            if (method != REL_CONFUSION) {
                crowd_init(&crowd, 0, 0, 0);
                learn(&crowd, &params, "nothing at all");
                arena_deinit(&crowd.arena);

                crowd_init(&crowd, 1, 1, 1);
                say(&crowd, 0, 0, 0, 1, 0);
                judge(&crowd, learn(&crowd, &params, "one voice, one label"), &crowd.items[0], p,
                      "one voice, one label");
                assert_true(p[0] > 0.5);
                arena_deinit(&crowd.arena);
            }

            crowd_init(&crowd, 20, 5, 2);
            for (size_t i = 0; i < 20; i++)
                for (uint32_t v = 0; v < 5; v++)
                    say(&crowd, i, v, 0, 1, 0);
            judge(&crowd, learn(&crowd, &params, "all agree"), &crowd.items[0], p, "all agree");
            assert_true(p[0] > 0.9);
            arena_deinit(&crowd.arena);

            crowd_init(&crowd, 20, 3, 2);
            for (size_t i = 0; i < 20; i++) {
                say(&crowd, i, 0, 0, 1, 1);
                say(&crowd, i, 0, 1, 1, 1);
                say(&crowd, i, 1, 0, 0, 0);
                say(&crowd, i, 2, 0, 0, 1);
                say(&crowd, i, 2, 1, 0, 1);
            }
            judge(&crowd, learn(&crowd, &params, "contradictions"), &crowd.items[0], p, "contradictions");
            assert_close(p[0], p[1], 0.02, "p", "contradictions");
            arena_deinit(&crowd.arena);

            crowd_init(&crowd, 4, 2, 2);
            learn(&crowd, &params, "items without answers");
            judge(&crowd, learn(&crowd, &params, "silence"), &crowd.items[0], p, "silence");
            arena_deinit(&crowd.arena);
        }
    }
}

/* 40,000 voices on one item, and items that all have values of their own. */
static void great_items_and_many_labels_are_no_trouble(void **state)
{
    (void)state;
    enum { MANY = 40000 };
    struct arena arena;
    arena_init(&arena, (size_t)1 << 30);
    struct rel_answer *answers = arena_calloc(&arena, 3 * MANY, sizeof *answers);
    struct rel_item *items = arena_calloc(&arena, MANY + 1, sizeof *items);
    uint32_t *labels = arena_calloc(&arena, MANY, sizeof *labels);
    double *p = arena_calloc(&arena, MANY, sizeof *p);
    for (uint32_t k = 0; k < MANY; k++) {
        labels[k] = k;
        answers[k] = (struct rel_answer){ k, k % 3, 1, 0 }; /* one item, three values */
        answers[MANY + 2 * k] = (struct rel_answer){ k % 50, 0, 1, 0 };
        answers[MANY + 2 * k + 1] = (struct rel_answer){ 50 + k % 50, 0, 1, 0 };
        items[k + 1] = (struct rel_item){ labels + k, answers + MANY + 2 * (size_t)k, 2, 1 };
    }
    items[0] = (struct rel_item){ labels, answers, MANY, 3 };
    for (int copying = 0; copying < 2; copying++) {
        const struct rel_data data = { items, MANY + 1, MANY, MANY };
        const struct rel_params params = { .copying = copying == 1 };
        const struct rel_model *model = NULL;
        struct steme_error err;
        assert_status(rel_learn(&data, &params, &arena, &model, &err), STEME_OK, &err, "many labels");
        assert_int_equal(model->method, REL_SOURCE_ACCURACY);
        assert_status(rel_judge(model, &items[0], &arena, p, &err), STEME_OK, &err, "a great item");
        assert_true(p[0] >= 0 && p[0] + p[1] + p[2] <= 1 && p[0] + p[1] + p[2] > 0.5);
        assert_status(rel_judge(model, &items[5], &arena, p, &err), STEME_OK, &err, "a small item");
        assert_true(p[0] > 0.9 && p[0] <= 1);
    }
    arena_deinit(&arena);
}

static void strangers_and_new_labels_can_be_judged(void **state)
{
    (void)state;
    struct prng prng = seeded(95);
    struct crowd crowd;
    crowd_init(&crowd, 300, 10, 3);
    draw_truths(&crowd, &prng);
    for (size_t i = 0; i < 300; i++)
        for (uint32_t v = 0; v < 10; v++)
            say_randomly(&crowd, i, v, 0.8, &prng);
    for (int method = REL_AUTO; method <= REL_SOURCE_ACCURACY; method++) {
        const struct rel_params params = { .method = (enum rel_method)method };
        const struct rel_model *model = learn(&crowd, &params, "strangers");
        const uint32_t labels[] = { 1, REL_NEW_LABEL, REL_NEW_LABEL };
        const struct rel_answer against[] = { { 0, 0, 1, 0 }, { REL_STRANGER, 1, 1, 0 } };
        const struct rel_answer both[] = { { 0, 1, 1, 0 }, { 1, 1, 1, 0 }, { 2, 0, 1, 0 }, { REL_STRANGER, 1, 1, 0 } };
        const struct rel_item split = { labels, against, 2, 3 }, most = { labels, both, 4, 3 };
        double p[3];
        judge(&crowd, model, &split, p, "a stranger against one that is known");
        assert_true(p[0] > 0.25 && p[1] > 0.02 && p[2] < p[1]);
        judge(&crowd, model, &most, p, "a new label that most say");
        assert_true(p[1] > 0.5 && p[1] > p[0] && p[2] < 0.1);
        arena_rewind(&crowd.arena, arena_mark(&crowd.arena));
    }
    arena_deinit(&crowd.arena);
}

static void the_method_follows_from_the_shape_of_the_data(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t items, voices, labels, heads;
        enum rel_method want;
    } rows[] = {
        { "few labels, busy voices", 100, 10, 3, 5, REL_CONFUSION },
        { "few labels, a word or two of each voice", 100, 300, 3, 5, REL_ONE_COIN },
        { "labels that hardly recur", 20, 10, 30, 5, REL_SOURCE_ACCURACY },
        { "more labels than matrices have room for", 100, 10, 60, 5, REL_SOURCE_ACCURACY },
        { "one label", 100, 10, 1, 5, REL_SOURCE_ACCURACY },
    };
    for (size_t r = 0; r < countof(rows); r++) {
        struct crowd crowd;
        crowd_init(&crowd, rows[r].items, rows[r].voices, rows[r].labels);
        for (size_t i = 0; i < rows[r].items; i++) {
            for (size_t k = 0; k < rows[r].heads; k++) {
                size_t step = rows[r].voices / rows[r].heads;
                say(&crowd, i, (uint32_t)(k * step + i % step), 0, 1, 0);
            }
            uint32_t *label = arena_calloc(&crowd.arena, 1, sizeof *label);
            *label = (uint32_t)(i % rows[r].labels);
            bool recur = rows[r].labels <= 3 && rows[r].labels > 1;
            if (!recur) crowd.items[i] = (struct rel_item){ label, crowd.items[i].answers, rows[r].heads, 1 };
        }
        const struct rel_model *model = learn(&crowd, NULL, rows[r].name);
        assert_row(model->method == rows[r].want, rows[r].name);
        arena_deinit(&crowd.arena);
    }
}

static void bad_input_is_refused(void **state)
{
    (void)state;
    static const uint32_t two[] = { 0, 1 }, bad[] = { 0, 2 }, fresh[] = { 0, REL_NEW_LABEL };
    static const struct {
        const char *name;
        const uint32_t *labels;
        struct rel_answer answers[2];
        struct rel_params params;
        const char *want;
    } rows[] = {
        { "a voice too many", two, { { 0, 0, 1, 0 }, { 2, 0, 1, 0 } }, { 0 }, "voice 2" },
        { "a stranger to learn from", two, { { 0, 0, 1, 0 }, { REL_STRANGER, 0, 1, 0 } }, { 0 }, "voice" },
        { "a value too many", two, { { 0, 0, 1, 0 }, { 1, 2, 1, 0 } }, { 0 }, "value 2" },
        { "a label too many", bad, { { 0, 0, 1, 0 }, { 1, 1, 1, 0 } }, { 0 }, "label 2" },
        { "a new label to learn from", fresh, { { 0, 0, 1, 0 }, { 1, 1, 1, 0 } }, { 0 }, "label" },
        { "too much support", two, { { 0, 0, 1.1, 0 }, { 1, 1, 1, 0 } }, { 0 }, "1.1" },
        { "negative support", two, { { 0, 0, -1, 0 }, { 1, 1, 1, 0 } }, { 0 }, "-1" },
        { "no number", two, { { 0, 0, 1, NAN }, { 1, 1, 1, 0 } }, { 0 }, "nan" },
        { "voices out of order", two, { { 1, 0, 1, 0 }, { 0, 1, 1, 0 } }, { 0 }, "order" },
        { "a negative prior", two, { { 0, 0, 1, 0 }, { 1, 1, 1, 0 } }, { .prior = -1 }, "prior" },
        { "a boundless prior", two, { { 0, 0, 1, 0 }, { 1, 1, 1, 0 } }, { .prior = INFINITY }, "prior" },
    };
    struct arena arena;
    arena_init(&arena, 1 << 20);
    for (size_t r = 0; r < countof(rows); r++) {
        const struct rel_item item = { rows[r].labels, rows[r].answers, 2, 2 };
        const struct rel_data data = { &item, 1, 2, 2 };
        const struct rel_model *model = NULL;
        struct steme_error err;
        assert_status(rel_learn(&data, &rows[r].params, &arena, &model, &err), STEME_BAD_INPUT, &err, rows[r].name);
        assert_row(strstr(err.message, rows[r].want) != NULL, rows[r].name);
    }
    /* Matrices that memory could not hold. */
    const struct rel_answer answer = { 0, 0, 1, 0 };
    const struct rel_item item = { two, &answer, 1, 2 };
    const struct rel_data wide = { &item, 1, 1000000, 2 }, single = { &item, 1, 1, 33 };
    const struct rel_params confusion = { .method = REL_CONFUSION };
    const struct rel_model *model = NULL;
    assert_int_equal(rel_learn(&wide, &confusion, &arena, &model, NULL), STEME_NO_MEMORY);
    assert_int_equal(rel_learn(&single, &confusion, &arena, &model, NULL), STEME_BAD_INPUT);
    arena_deinit(&arena);
}

static void a_full_arena_is_reported(void **state)
{
    (void)state;
    struct prng prng = seeded(97);
    struct crowd crowd;
    crowd_init(&crowd, 60, 20, 3);
    fill_at_random(&crowd, &prng);
    for (int method = REL_ONE_COIN; method <= REL_SOURCE_ACCURACY; method++) {
        const struct rel_params params = { .method = (enum rel_method)method, .copying = true };
        steme_status status = STEME_NO_MEMORY;
        size_t failures = 0;
        for (size_t ceiling = 64; status != STEME_OK && ceiling < (1 << 20); ceiling += 512) {
            struct arena small;
            arena_init(&small, ceiling);
            const struct rel_model *model = NULL;
            status = rel_learn(&crowd.data, &params, &small, &model, NULL);
            assert_true(status == STEME_OK || status == STEME_NO_MEMORY);
            failures += status != STEME_OK;
            arena_deinit(&small);
        }
        assert_int_equal(status, STEME_OK);
        assert_true(failures > 5);
    }
    arena_deinit(&crowd.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_voice_alone_is_believed_three_times_of_four_and_a_little_more),
        cmocka_unit_test(a_voice_that_contradicts_the_others_counts_less),
        cmocka_unit_test(to_deny_one_of_two_is_to_say_the_other),
        cmocka_unit_test(adversaries_and_spammers_are_found_out),
        cmocka_unit_test(a_crowd_with_a_bias_is_understood),
        cmocka_unit_test(a_crowd_of_equals_is_judged_as_by_a_vote),
        cmocka_unit_test(a_sparse_voice_is_taken_for_one_of_the_crowd),
        cmocka_unit_test(copying_is_discounted_where_it_misleads),
        cmocka_unit_test(names_and_order_mean_nothing),
        cmocka_unit_test(names_mean_nothing_where_few_speak),
        cmocka_unit_test(the_same_data_give_the_same_bits),
        cmocka_unit_test(there_is_an_answer_to_degenerate_data),
        cmocka_unit_test(great_items_and_many_labels_are_no_trouble),
        cmocka_unit_test(strangers_and_new_labels_can_be_judged),
        cmocka_unit_test(the_method_follows_from_the_shape_of_the_data),
        cmocka_unit_test(bad_input_is_refused),
        cmocka_unit_test(a_full_arena_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
