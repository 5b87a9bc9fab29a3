/* SPDX-License-Identifier: Apache-2.0 */
/* The chi-square tail is the regularised incomplete gamma function Q(a, x) at a = degrees/2, x = chi2/2. With
 *   D = x^a e^-x / Gamma(a + 1)
 * below x = a + 1 the series (DLMF 8.11.4, https://dlmf.nist.gov/8.11.E4)
 *   1 - Q = D (1 + x/(a+1) + x^2/((a+1)(a+2)) + ...)
 * and above it the continued fraction (DLMF 8.9.2, contracted to its even part)
 *   Q = D a / (x+1-a - 1(1-a)/(x+3-a - 2(2-a)/(x+5-a - ...)))
 * evaluated from the front by the method of Lentz (1976) as Thompson and Barnett (1986) give it. */
#include "cortex/numeric.h"
#include "base/check.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>

/* ln 2 in two parts. The first has 21 zero bits at its end, so a whole number up to 2^21 times it is exact. */
static const double ln2_high = 6.93147180369123816490e-01;
static const double ln2_low = 1.90821492927058770002e-10;
static const double ln2 = 0.693147180559945309417;
static const double pi = 3.14159265358979323846;

/* e^r for |r| <= ln 2: the Taylor series, from its smallest term. */
static double exp_near_zero(double r)
{
    enum { TERMS = 22 }; /* 0.7^23/23! is below 2^-53 by far */
    double value = 1;
    for (int k = TERMS; k >= 1; k--)
        value = 1 + value * r / k;
    return value;
}

double numeric_exp(double x)
{
    invariant(x <= 700);
    if (x < -745.2) return 0;
    double twos = floor(x / ln2 + 0.5);
    double r = (x - twos * ln2_high) - twos * ln2_low;
    return ldexp(exp_near_zero(r), (int)twos);
}

/* The same series by its coefficients 1/k!, each rounded once: quicker than dividing at each term. Not used for
 * numeric_exp(), whose bits are in answers since the beginning. */
double numeric_decay(double x)
{
    static const double coefficients[] = {
        1.0 / 6402373705728000, /* 18!; 0.35^19/19! is below 2^-53 by far, and smaller than these need */
        1.0 / 355687428096000,
        1.0 / 20922789888000,
        1.0 / 1307674368000,
        1.0 / 87178291200,
        1.0 / 6227020800,
        1.0 / 479001600,
        1.0 / 39916800,
        1.0 / 3628800,
        1.0 / 362880,
        1.0 / 40320,
        1.0 / 5040,
        1.0 / 720,
        1.0 / 120,
        1.0 / 24,
        1.0 / 6,
        0.5,
    };
    invariant(x >= 0);
    if (x > 745.2) return 0;
    double twos = floor(x * (1 / ln2) + 0.5);
    double r = (twos * ln2_high - x) + twos * ln2_low, value = 0;
    for (size_t k = 0; k < countof(coefficients); k++)
        value = value * r + coefficients[k];
    return ldexp(1 + (r + r * r * value), -(int)twos);
}

double numeric_ln(double x)
{
    enum { TERMS = 14 }; /* s <= 0.1716 below: s^28/29 is below 2^-53 by far */
    invariant(x > 0 && x <= DBL_MAX);
    int twos;
    double m = frexp(x, &twos);
    if (m < 0.70710678118654752440) {
        m *= 2;
        twos--;
    }
    /* ln m = 2 artanh s = 2 (s + s^3/3 + s^5/5 + ...) */
    double s = (m - 1) / (m + 1);
    double square = s * s, value = 0;
    for (int k = TERMS; k >= 1; k--)
        value = (value + 1.0 / (2 * k + 1)) * square;
    return twos * ln2_high + (twos * ln2_low + 2 * s * (1 + value));
}

double numeric_halve(double x)
{
    invariant(x >= 0);
    if (x > 1100) return 0; /* the smallest double is 2^-1074 */
    double whole = floor(x);
    return ldexp(exp_near_zero((whole - x) * ln2), -(int)whole);
}

/* D of the head. a is a multiple of one half, at least 1/2; x > 0. */
static double gamma_front(double a, double x)
{
    if (a < 16) {
        bool whole = a == floor(a);
        double gamma = whole ? 1 : sqrt(pi), first = whole ? 1 : 0.5; /* Gamma(first); then up to Gamma(a + 1) */
        for (int k = 0; first + k <= a; k++)
            gamma *= first + k;
        double exponent = a * numeric_ln(x) - x;
        return exponent < -745 ? 0 : numeric_exp(exponent) / gamma;
    }
    /* Stirling's series for Gamma (DLMF 5.11.1), with the great powers gathered in a (r - 1 - ln r), r = x/a, so that
     * they cancel before they round. */
    double r = x / a, a2 = 1 / (a * a);
    double stirling = (1.0 / 12 - (1.0 / 360 - (1.0 / 1260 - (1.0 / 1680 - a2 / 1188) * a2) * a2) * a2) / a;
    double exponent = -a * (r - 1 - numeric_ln(r)) - stirling;
    return exponent < -745 ? 0 : numeric_exp(exponent) / sqrt(2 * pi * a);
}

enum { STEPS_MAX = 1000000 }; /* both converge in a few sqrt(a) steps; a bound all the same */

static double lower_series(double a, double x)
{
    double term = 1, total = 1;
    for (int k = 1; k <= STEPS_MAX && term > total * (DBL_EPSILON / 4); k++) {
        term *= x / (a + k);
        total += term;
    }
    return total;
}

static double upper_fraction(double a, double x)
{
    const double tiny = 1e-300; /* stands in for a zero denominator */
    double b = x + 1 - a;
    double ahead = 1 / tiny, behind = 1 / b, value = behind;
    for (int k = 1; k <= STEPS_MAX; k++) {
        double numerator = k * (a - k);
        b += 2;
        behind = b + numerator * behind;
        if (fabs(behind) < tiny) behind = tiny;
        behind = 1 / behind;
        ahead = b + numerator / ahead;
        if (fabs(ahead) < tiny) ahead = tiny;
        value *= ahead * behind;
        if (fabs(ahead * behind - 1) <= DBL_EPSILON) break;
    }
    return value;
}

double numeric_chi2_tail(double chi2, size_t degrees)
{
    invariant(degrees >= 1 && chi2 <= DBL_MAX);
    if (chi2 <= 0) return 1;
    double a = 0.5 * (double)degrees, x = 0.5 * chi2;
    if (x <= 0) return 1; /* the smallest double halves to 0 */
    double front = gamma_front(a, x);
    double tail = x < a + 1 ? 1 - front * lower_series(a, x) : front * a * upper_fraction(a, x);
    return fmin(fmax(tail, 0), 1);
}
