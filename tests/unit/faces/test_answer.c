/* SPDX-License-Identifier: Apache-2.0 */
#include "base/check.h"
#include "base/slice.h"
#include "faces/cli/answer.h"
#include "lib/testing.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void probabilities_never_read_as_what_they_are_not(void **state)
{
    (void)state;
    static const struct {
        double probability;
        const char *want;
    } rows[] = { { 0, "0.0 %" },    { 1e-9, "< 0.1 %" },  { 0.0005, "0.1 %" },     { 0.142, "14.2 %" },
                 { 0.5, "50.0 %" }, { 0.9994, "99.9 %" }, { 0.99999, "> 99.9 %" }, { 1, "100.0 %" } };
    for (size_t i = 0; i < countof(rows); i++) {
        char text[SHARE_TEXT_BYTES];
        assert_string_equal(answer_share_text(rows[i].probability, text), rows[i].want);
    }
}

static void a_measure_shows_two_digits_of_its_error(void **state)
{
    (void)state;
    static const struct {
        double mean, error;
        const char *unit, *want;
    } rows[] = {
        { 70.781138343904, 0.410500624609545, "km/s/Mpc", "70.78 ± 0.41 km/s/Mpc" },
        { 0.84087, 0.00039, "fm", "0.84087 ± 0.00039 fm" },
        { 70.781, 25.3, "", "70.78 ± 25.30" },
        { 123456, 789, "m", "123456 ± 789 m" },
        { 0, 0.5, "", "0.00 ± 0.50" },
        { 1, 0, "", "1.000 ± 0.000" },
        { -5.25, 0.015, "", "-5.250 ± 0.015" },
        { 1e30, 1e28, "", "1e+30 ± 1e+28" },
        { 1e-30, 1e-32, "", "1e-30 ± 1e-32" },
        { 5, INFINITY, "", "5.000 ± inf" },
    };
    for (size_t i = 0; i < countof(rows); i++) {
        char text[MEASURE_TEXT_BYTES];
        assert_row_text(answer_measure_text(rows[i].mean, rows[i].error, slice_text(rows[i].unit), text), rows[i].want,
                        rows[i].want);
    }
}

/* count claims of equal probability, named "a", "b", ... */
static struct steme_answer make_answer(struct steme_belief *beliefs, size_t count, double probability)
{
    static const char names[] = "abcdefghijklmnopqrstuvwxyz";
    for (size_t i = 0; i < count; i++)
        beliefs[i] = (struct steme_belief){
            .value = { .kind = STEME_TEXT, .text = slice_of(names + i % 26, 1) },
            .probability = probability,
            .support_voices = 1,
        };
    return (struct steme_answer){
        .subject = slice_text("s"),
        .predicate = slice_text("p"),
        .verdict = STEME_CONTESTED,
        .beliefs = beliefs,
        .belief_count = count,
        .voices = (uint32_t)count,
        .margin = NAN,
        .lens = "consensus",
        .valid_at_us = STEME_TIME_MAX,
    };
}

static void printed_probabilities_never_sum_to_more_than_one(void **state)
{
    (void)state;
    for (size_t count = 1; count <= 26; count++) {
        struct steme_belief beliefs[26];
        struct steme_answer answer = make_answer(beliefs, count, 1.0 / (double)count);
        struct buf rows;
        long sum_ppm = 0;
        buf_init(&rows, 1 << 16);
        answer_append_tsv(&rows, &answer);
        buf_append(&rows, "", 1);
        for (const char *line = (const char *)rows.data; *line; line = strchr(line, '\n') + 1) {
            const char *probability = line;
            for (int tab = 0; tab < 3; tab++)
                probability = strchr(probability, '\t') + 1;
            assert_int_equal(strcspn(probability, "\t"), 8);
            sum_ppm += strtol(probability, NULL, 10) * 1000000 + strtol(probability + 2, NULL, 10);
        }
        assert_true(sum_ppm <= 1000000 && sum_ppm > 1000000 - (long)count);
        buf_deinit(&rows);
    }
}

static void a_row_has_the_object_in_its_plain_form(void **state)
{
    (void)state;
    struct steme_belief belief = { .value = { .kind = STEME_TEXT, .text = slice_text("a\tb\\c") }, .probability = 0.3 };
    struct steme_answer answer = make_answer(&belief, 1, 0.3);
    belief.value.text = slice_text("a\tb\\c");
    answer.key_qualifiers = slice_text("unit=m");
    struct buf rows;
    buf_init(&rows, 1 << 16);
    answer_append_tsv(&rows, &answer);
    assert_true(slice_equal(buf_slice(&rows), slice_text("s\tp\ta\\tb\\\\c\t0.300000\tunit=m\ttext\n")));
    buf_deinit(&rows);
}

static void people_see_the_most_probable_claims_and_how_many_more_there_are(void **state)
{
    (void)state;
    struct steme_belief beliefs[26];
    struct steme_answer answer = make_answer(beliefs, 26, 1.0 / 26);
    beliefs[0].refute_voices = 2;
    beliefs[0].votes_for = 1;
    char *text = NULL;
    size_t size = 0;
    struct cli cli = { .print = { .out = open_memstream(&text, &size) } };
    assert_non_null(cli.print.out);
    answer_print(&cli, &answer, 2);
    fclose(cli.print.out);
    assert_string_equal(text, "s  p   contested   lens consensus   26 voices\n"
                              "      3.8 %  a  1 voice, 2 against, 1 vote\n"
                              "      3.8 %  b  1 voice\n"
                              "   ... and 24 more (--limit 0 shows all)\n");
    free(text);
}

static void an_answer_as_json_is_valid_without_numbers_that_are_none(void **state)
{
    (void)state;
    struct steme_belief beliefs[3];
    struct steme_answer answer = make_answer(beliefs, 3, 0.25);
    answer.has_pooled = true;
    answer.pooled = (struct steme_pooled){
        .count = 1, .i2 = NAN, .birge = NAN, .tension_p = NAN, .unit = slice_text("m")
    };
    struct buf line;
    buf_init(&line, 1 << 16);
    struct emit json = { .to = &line };
    emit_begin(&json, NULL, '{');
    answer_emit(&json, &answer);
    emit_end(&json, '}');
    json_t *back = json_loadb((const char *)line.data, line.size, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(back);
    assert_int_equal(json_array_size(json_object_get(back, "beliefs")), 3);
    assert_true(json_is_null(json_object_get(back, "margin")));
    assert_true(json_is_null(json_object_get(json_object_get(back, "pooled"), "i2")));
    assert_string_equal(json_string_value(json_object_get(back, "verdict")), "contested");
    json_decref(back);
    buf_deinit(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(probabilities_never_read_as_what_they_are_not),
        cmocka_unit_test(a_measure_shows_two_digits_of_its_error),
        cmocka_unit_test(printed_probabilities_never_sum_to_more_than_one),
        cmocka_unit_test(a_row_has_the_object_in_its_plain_form),
        cmocka_unit_test(people_see_the_most_probable_claims_and_how_many_more_there_are),
        cmocka_unit_test(an_answer_as_json_is_valid_without_numbers_that_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
