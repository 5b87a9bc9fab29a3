/* SPDX-License-Identifier: Apache-2.0 */
/* How good the numbers of one lens are, by what is true. Pure; sums are taken in the order given. */
#ifndef CARD_ESTIMATE_H
#define CARD_ESTIMATE_H

#include <stdbool.h>
#include <stdint.h>

struct estimates {
    uint32_t questions;
    uint32_t unknown; /* nothing was answered: no part in what follows */
    uint32_t exact;   /* the truth, to the last digit that a double has */
    uint32_t stated;  /* with an error */
    uint32_t covered; /* of those: the truth lies within 1.96 errors */
    double distance;  /* sums */
    double squared;
};

void estimates_unknown(struct estimates *estimates);
/* error: the answer's own, above 0; 0 where it states none. */
void estimates_add(struct estimates *estimates, double answer, double error, double truth);

/* Means over the answers given; 0 where there is none. */
double estimates_mae(const struct estimates *estimates);
double estimates_rmse(const struct estimates *estimates);
/* Share of the stated errors that hold; of honest ones 0.95. */
double estimates_coverage(const struct estimates *estimates);

#endif
