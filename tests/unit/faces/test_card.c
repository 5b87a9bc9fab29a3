/* SPDX-License-Identifier: Apache-2.0 */
#include "base/check.h"
#include "faces/card/card.h"
#include "lib/testing.h"

#include <math.h>

static void assert_near(double got, double want, const char *name) { assert_row(fabs(got - want) < 1e-6, name); }

/* Worked out by hand: what is missing of the chances is spread over the four choices. */
static const struct {
    const char *name;
    double chances[4];
    size_t truth;
    bool settled;
    double right, unknown, fooled, given /* to the truth */, brier, calibration;
} choices[] = {
    { "right, 0.75 with its share of the rest", { 0.7, 0.1 }, 0, false, 1, 0, 0, 0.75, 0.09, 0.3 },
    { "wrong, the right one at 0.15", { 0.7, 0.1 }, 1, false, 0, 0, 0, 0.15, 1.29, 0.7 },
    { "two share the top, one of them right", { 0.4, 0.4 }, 1, false, 0.5, 0, 0, 0.45, 0.51, 0.1 },
    { "two share the top, both wrong", { 0.4, 0.4 }, 2, false, 0, 0, 0, 0.05, 1.31, 0.4 },
    { "nothing is known", { 0 }, 2, false, 0, 1, 0, 0.25, 0.75, 0 },
    { "sure and wrong costs the most there is", { 1 }, 1, true, 0, 0, 1, 1e-6, 2, 1 },
    { "sure and right costs nothing", { 1 }, 0, true, 1, 0, 0, 1, 0, 0 },
    { "a truth that nobody claims is wrong", { 0.6, 0.2 }, CARD_NO_CHOICE, true, 0, 0, 1, 1e-6, 1.49, 0.6 },
    { "settled on a tie fools nobody", { 0.5, 0.5 }, 0, true, 0.5, 0, 0, 0.5, 0.5, 0 },
};

static void a_choice_is_scored_as_by_hand(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(choices); i++) {
        struct card card = { 0 };
        card_add_choice(&card, choices[i].chances, 4, choices[i].truth, choices[i].settled);
        assert_near(card_accuracy(&card), choices[i].right, choices[i].name);
        assert_near(card_unknown(&card), choices[i].unknown, choices[i].name);
        assert_near(card_fooled(&card), choices[i].fooled, choices[i].name);
        assert_near(card_log_loss(&card), -log(choices[i].given), choices[i].name);
        assert_near(card_brier(&card), choices[i].brier, choices[i].name);
        assert_near(card_calibration(&card), choices[i].calibration, choices[i].name);
    }
}

static const struct {
    const char *name;
    bool unknown, right;
    double chance;
    bool settled;
    double accuracy, fooled, given /* to the truth */, brier;
} numbers[] = {
    { "right as said", false, true, 0.8, true, 1, 0, 0.8, 0.04 },
    { "wrong against what was said", false, false, 0.8, true, 0, 1, 0.2, 0.64 },
    { "wrong, and it was not said to be settled", false, false, 0.8, false, 0, 0, 0.2, 0.64 },
    { "unknown is an even chance", true, false, 0, true, 0, 0, 0.5, 0.25 },
    { "sure and wrong", false, false, 1, false, 0, 0, 1e-6, 1 },
};

static void a_number_is_scored_as_by_hand(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(numbers); i++) {
        struct card card = { 0 };
        card_add_number(&card, numbers[i].unknown, numbers[i].right, numbers[i].chance, numbers[i].settled);
        assert_near(card_accuracy(&card), numbers[i].accuracy, numbers[i].name);
        assert_near(card_unknown(&card), numbers[i].unknown, numbers[i].name);
        assert_near(card_fooled(&card), numbers[i].fooled, numbers[i].name);
        assert_near(card_log_loss(&card), -log(numbers[i].given), numbers[i].name);
        assert_near(card_brier(&card), numbers[i].brier, numbers[i].name);
    }
}

/* |0.7 + 0.7 - 1| in one tenth, |0.4 - 0.5| and |1 - 0| in others, over four answers; the unknown one has no part. */
static void calibration_compares_by_tenths_what_is_said_and_what_is_so(void **state)
{
    (void)state;
    static const size_t rows[] = { 0, 1, 2, 4, 5 };
    struct card card = { 0 };
    for (size_t i = 0; i < countof(rows); i++)
        card_add_choice(&card, choices[rows[i]].chances, 4, choices[rows[i]].truth, choices[rows[i]].settled);
    assert_near(card_calibration(&card), 1.5 / 4, "calibration");
    assert_near(card_accuracy(&card), 1.5 / 5, "accuracy");
    assert_near(card_unknown(&card), 1.0 / 5, "unknown");
    assert_int_equal(card.bins[7].count, 2);
    assert_int_equal(card.bins[9].count, 1);
}

static void a_question_without_choices_is_unknown_and_costs_the_most(void **state)
{
    (void)state;
    struct card card = { 0 };
    card_add_choice(&card, NULL, 0, CARD_NO_CHOICE, false);
    assert_near(card_unknown(&card), 1, "unknown");
    assert_near(card_log_loss(&card), -log(1e-6), "log loss");
    assert_near(card_brier(&card), 1, "Brier");
}

static void an_empty_card_is_all_zeros(void **state)
{
    (void)state;
    struct card card = { 0 };
    assert_near(card_accuracy(&card), 0, "accuracy");
    assert_near(card_log_loss(&card), 0, "log loss");
    assert_near(card_calibration(&card), 0, "calibration");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_choice_is_scored_as_by_hand),
        cmocka_unit_test(a_number_is_scored_as_by_hand),
        cmocka_unit_test(calibration_compares_by_tenths_what_is_said_and_what_is_so),
        cmocka_unit_test(a_question_without_choices_is_unknown_and_costs_the_most),
        cmocka_unit_test(an_empty_card_is_all_zeros),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
