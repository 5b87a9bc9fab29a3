/* SPDX-License-Identifier: Apache-2.0 */
/* Plots of a contest as SVG, readable on light and on dark ground and without colour. Pure. */
#ifndef ARENA_PLOT_H
#define ARENA_PLOT_H

#include "base/buf.h"
#include "faces/arena/contest.h"

/* How many answers each lens gets right, by the share of attackers among all who answer. */
void plot_attack(const struct contest *contest, bool numbers, struct buf *to);
/* What each lens says its answers are worth, and how often they are right. */
void plot_calibration(const struct contest *contest, bool numbers, struct buf *to);

#endif
