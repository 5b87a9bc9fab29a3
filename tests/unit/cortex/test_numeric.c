/* SPDX-License-Identifier: Apache-2.0 */
#include "cortex/numeric.h"
#include "slot.h"

/* Values to 18 digits from an arbitrary-precision incomplete gamma function; the first of each are the critical values
 * that tables print. */
static const struct {
    const char *name;
    double chi2;
    size_t degrees;
    double want;
} tails[] = {
    { "5 percent, 1 degree", 3.841458820694124, 1, 0.0500000000000000574 },
    { "three sigma", 9, 1, 0.00269979606326018905 },
    { "nearly nothing, 1 degree", 0.001, 1, 0.974772879369960388 },
    { "e^-2", 4, 2, 0.135335283236612692 },
    { "e^-50", 100, 2, 1.92874984796391778e-22 },
    { "little, 3 degrees", 0.5, 3, 0.918891411654675859 },
    { "5 percent, 3 degrees", 7.814727903251179, 3, 0.0500000000000000177 },
    { "16 degrees", 14.2528485712677, 16, 0.579883367734550081 },
    { "13 degrees, far out", 44.5292424568542, 13, 0.0000250681210289131771 },
    { "76 degrees, farther out", 235.241126424805, 76, 3.53865149823621763e-18 },
    { "the last degrees with Gamma as a product", 31, 31, 0.466212506217508345 },
    { "the first degrees with Stirling's series", 31.5, 32, 0.49172864153041044 },
    { "31 degrees, tail", 50, 31, 0.0167572689371751675 },
    { "33 degrees, far tail", 300, 33, 8.26186383266063809e-45 },
    { "100 degrees, middle", 100, 100, 0.481191684527956718 },
    { "100 degrees, 5 percent", 124.342, 100, 0.050000715769971768 },
    { "1000 degrees, middle", 1000, 1000, 0.494052853829239642 },
    { "1000 degrees, tail", 1100, 1000, 0.014614408126295194 },
    { "a million degrees, below the middle", 999000, 1000000, 0.760176731459872813 },
    { "a million degrees, tail", 1003000, 1000000, 0.0170167729332663151 },
    { "close to the smallest double", 1400, 2, 9.85967654375977086e-305 },
    { "below the smallest double", 1e6, 10, 0 },
    { "absurd", 1e206, 3, 0 },
    { "next to nothing", 1e-8, 5, 1 },
    { "nothing", 0, 5, 1 },
    { "less than nothing", -1, 5, 1 },
    { "the smallest double", 5e-324, 1, 1 },
};

static void a_chi_square_tail_has_its_known_value(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(tails); i++)
        assert_close(numeric_chi2_tail(tails[i].chi2, tails[i].degrees), tails[i].want,
                     tails[i].degrees > 100 ? 1e-9 : 1e-12, "tail", tails[i].name);
}

/* For even degrees 2m the tail is e^-x (1 + x + x^2/2! + ... + x^(m-1)/(m-1)!) at x = chi2/2. */
static void even_degrees_agree_with_the_finite_sum(void **state)
{
    (void)state;
    for (size_t m = 1; m <= 40; m++) {
        for (int quarters = 1; quarters < 240; quarters++) {
            double x = quarters * 0.25, term = 1, sum = 1;
            for (size_t k = 1; k < m; k++) {
                term *= x / (double)k;
                sum += term;
            }
            char name[64];
            snprintf(name, sizeof name, "x = %g, m = %zu", x, m);
            assert_close(numeric_chi2_tail(2 * x, 2 * m), exp(-x) * sum, 1e-12, "tail", name);
        }
    }
}

static void a_tail_falls_as_chi2_grows_also_where_the_methods_meet(void **state)
{
    (void)state;
    for (size_t degrees = 1; degrees <= 300; degrees += 7) {
        double last = 1, middle = (double)degrees + 2; /* where the series hands over */
        for (int permille = 900; permille < 1100; permille++) {
            double tail = numeric_chi2_tail(middle * permille / 1000, degrees);
            assert_true(tail < last);
            last = tail;
        }
    }
}

static void exponentials_and_logarithms_are_right_to_the_last_places(void **state)
{
    (void)state;
    struct prng prng = seeded(71);
    for (int i = 0; i < 100000; i++) {
        double x = ((double)(prng_u64(&prng) >> 11) / 9007199254740992.0 - 0.5) * 1400;
        assert_close(numeric_exp(x), exp(x), 1e-15, "e^x", "random x");
        assert_close(numeric_decay(fabs(x)), exp(-fabs(x)), 1e-15, "e^-x", "random x");
        double positive = exp(x);
        assert_true(fabs(numeric_ln(positive) - log(positive)) <= 4e-16 * fmax(1, fabs(x)));
        assert_close(numeric_halve(fabs(x)), exp2(-fabs(x)), 1e-15, "2^-x", "random x");
    }
    assert_true(numeric_exp(0) == 1 && numeric_exp(-746) == 0 && numeric_exp(-INFINITY) == 0);
    assert_true(numeric_decay(0) == 1 && numeric_decay(746) == 0 && numeric_decay(INFINITY) == 0);
    assert_close(numeric_ln(5e-324), -744.44007192138127, 1e-15, "ln", "the smallest double");
    assert_close(numeric_ln(1), 0, 0, "ln", "1");
}

static void halving_a_whole_number_of_times_is_exact(void **state)
{
    (void)state;
    for (int k = 0; k <= 1074; k++)
        assert_true(numeric_halve(k) == ldexp(1, -k));
    assert_true(numeric_halve(1e300) == 0);
}

static void a_sum_keeps_what_rounding_loses(void **state)
{
    (void)state;
    struct sum cancelling = { 0 };
    const double terms[] = { 1, 1e100, 1, -1e100 };
    for (size_t i = 0; i < countof(terms); i++)
        sum_add(&cancelling, terms[i]);
    assert_true(sum_value(&cancelling) == 2);

    struct sum tenths = { 0 };
    for (int i = 0; i < 1000000; i++)
        sum_add(&tenths, 0.1);
    assert_close(sum_value(&tenths), 100000, 2e-16, "sum", "a million tenths");
}

static void tail_without_degrees(void *context) { numeric_chi2_tail(*(double *)context, 0); }
static void logarithm(void *context) { numeric_ln(*(double *)context); }
static void exponential(void *context) { numeric_exp(*(double *)context); }
static void decay(void *context) { numeric_decay(*(double *)context); }
static void halving(void *context) { numeric_halve(*(double *)context); }

static void arguments_out_of_range_are_broken_promises(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        void (*act)(void *);
        double x;
    } rows[] = {
        { "a tail without degrees", tail_without_degrees, 1 },
        { "the logarithm of 0", logarithm, 0 },
        { "the logarithm of infinity", logarithm, INFINITY },
        { "an exponential that overflows", exponential, 701 },
        { "the exponential of no number", exponential, NAN },
        { "doubling", halving, -1 },
        { "growth as decay", decay, -1 },
    };
    for (size_t i = 0; i < countof(rows); i++) {
        double x = rows[i].x;
        assert_dies(rows[i].act, &x, rows[i].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chi_square_tail_has_its_known_value),
        cmocka_unit_test(even_degrees_agree_with_the_finite_sum),
        cmocka_unit_test(a_tail_falls_as_chi2_grows_also_where_the_methods_meet),
        cmocka_unit_test(exponentials_and_logarithms_are_right_to_the_last_places),
        cmocka_unit_test(halving_a_whole_number_of_times_is_exact),
        cmocka_unit_test(a_sum_keeps_what_rounding_loses),
        cmocka_unit_test(arguments_out_of_range_are_broken_promises),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
