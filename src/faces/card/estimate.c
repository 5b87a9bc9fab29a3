/* SPDX-License-Identifier: Apache-2.0 */
#include "faces/card/estimate.h"

#include <math.h>

#define NINETY_FIVE 1.96 /* standard errors that hold 95 % */

void estimates_unknown(struct estimates *estimates)
{
    estimates->questions++;
    estimates->unknown++;
}

void estimates_add(struct estimates *estimates, double answer, double error, double truth)
{
    double off = fabs(answer - truth);
    estimates->questions++;
    estimates->exact += !(off > 0);
    estimates->distance += off;
    estimates->squared += off * off;
    if (!(error > 0)) return;
    estimates->stated++;
    estimates->covered += off <= NINETY_FIVE * error;
}

static double answered(const struct estimates *estimates) { return estimates->questions - estimates->unknown; }

double estimates_mae(const struct estimates *estimates)
{
    return answered(estimates) > 0 ? estimates->distance / answered(estimates) : 0;
}

double estimates_rmse(const struct estimates *estimates)
{
    return answered(estimates) > 0 ? sqrt(estimates->squared / answered(estimates)) : 0;
}

double estimates_coverage(const struct estimates *estimates)
{
    return estimates->stated ? (double)estimates->covered / estimates->stated : 0;
}
