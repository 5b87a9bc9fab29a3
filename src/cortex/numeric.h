/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers for lenses. Made of +, -, *, / and sqrt, which IEEE 754 rounds in one way, and of exact scalings: so the same
 * input gives the same bits with any C library. Pure; any thread. */
#ifndef CORTEX_NUMERIC_H
#define CORTEX_NUMERIC_H

#include <stddef.h>

/* A sum that carries what rounding lost (Neumaier 1974): for terms of one sign, right to about the last bit however
 * many there are. Start from zeros. Terms are finite. */
struct sum {
    double total, lost;
};

static inline void sum_add(struct sum *sum, double term)
{
    double total = sum->total + term;
    double size = sum->total < 0 ? -sum->total : sum->total;
    double term_size = term < 0 ? -term : term;
    sum->lost += size >= term_size ? (sum->total - total) + term : (term - total) + sum->total;
    sum->total = total;
}

static inline double sum_value(const struct sum *sum) { return sum->total + sum->lost; }

/* e^x for x up to 700; below -745 it is 0. Right to a few units in the last place. */
double numeric_exp(double x);
/* e^-x for x >= 0, in a fraction of the time of numeric_exp(); below e^-745 it is 0. As right as that. */
double numeric_decay(double x);
/* Natural logarithm of a finite x > 0. Right to a few units in the last place. */
double numeric_ln(double x);
/* 2^-x for x >= 0: exact for whole x. */
double numeric_halve(double x);

/* Probability that chi-square with so many degrees of freedom (at least 1) is chi2 or more. chi2 is finite; 1 for one
 * of 0 or less. Relative error below 1e-9 with up to a million degrees, below 1e-12 with up to a hundred, unless the
 * tail is less than 1e-300. */
double numeric_chi2_tail(double chi2, size_t degrees);

#endif
