/* SPDX-License-Identifier: Apache-2.0 */
#include "base/check.h"
#include "base/slice.h"
#include "faces/card/chart.h"
#include "faces/card/estimate.h"
#include "lib/testing.h"

#include <math.h>
#include <string.h>

static bool near(double a, double b) { return fabs(a - b) < 1e-12; }

/* Off by 3 and 4, one exact; two errors stated, 1 and 3, of which 1.96 times the second holds the truth. */
static void errors_are_as_by_hand(void **state)
{
    (void)state;
    struct estimates e = { 0 };
    estimates_add(&e, 13, 1, 10);
    estimates_add(&e, 6, 3, 10);
    estimates_add(&e, 10, 0, 10);
    estimates_unknown(&e);
    assert_int_equal(e.questions, 4);
    assert_int_equal(e.unknown, 1);
    assert_int_equal(e.exact, 1);
    assert_true(near(estimates_mae(&e), 7.0 / 3));
    assert_true(near(estimates_rmse(&e), sqrt(25.0 / 3)));
    assert_true(near(estimates_coverage(&e), 0.5));
}

static void nothing_answered_is_all_zeros(void **state)
{
    (void)state;
    struct estimates e = { 0 };
    estimates_unknown(&e);
    assert_true(near(estimates_mae(&e), 0) && near(estimates_rmse(&e), 0) && near(estimates_coverage(&e), 0));
}

static void a_chart_quotes_names_and_marks_tenths_that_have_answers(void **state)
{
    (void)state;
    struct buf text;
    struct card card = { 0 };
    const double chances[] = { 0.75, 0.25 };
    const char *const names[] = { "c & d" };
    const struct chart chart = { "a <b>", "what", "across", "up", names, 1 };
    buf_init(&text, 1 << 20);
    card_add_choice(&card, chances, 2, 0, false);
    chart_begin(&text, &chart);
    chart_card(&text, &chart, 0, &card);
    chart_end(&text);
    buf_append(&text, "", 1);
    assert_int_equal(text.status, STEME_OK);
    const char *svg = (const char *)text.data;
    assert_non_null(strstr(svg, "a &lt;b&gt;"));
    assert_non_null(strstr(svg, "c &amp; d"));
    assert_non_null(strstr(svg, "points=\"424.0,64.0\"")); /* 64 + 0.75 * 480, 64 + 0 * 320 */
    assert_non_null(strstr(svg, "</svg>\n"));
    buf_deinit(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_are_as_by_hand),
        cmocka_unit_test(nothing_answered_is_all_zeros),
        cmocka_unit_test(a_chart_quotes_names_and_marks_tenths_that_have_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
