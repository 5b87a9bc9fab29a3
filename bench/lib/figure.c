/* SPDX-License-Identifier: Apache-2.0 */
#include "figure.h"

#include "base/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void figure_add(struct figure *figure, double ours, double theirs)
{
    invariant(figure->rounds < FIGURE_ROUNDS_MAX && theirs > 0);
    figure->ours[figure->rounds] = ours;
    figure->theirs[figure->rounds++] = theirs;
}

void figure_note(struct figure *figure, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(figure->note, sizeof figure->note, format, arguments);
    va_end(arguments);
}

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

double percentile(double *values, size_t count, double share)
{
    invariant(count > 0);
    qsort(values, count, sizeof *values, compare_doubles);
    return values[(size_t)(share * (double)(count - 1) + 0.5)];
}

struct spread spread_of(const double *values, size_t count)
{
    double sorted[FIGURE_ROUNDS_MAX];
    invariant(count > 0 && count <= FIGURE_ROUNDS_MAX);
    memcpy(sorted, values, count * sizeof *values);
    qsort(sorted, count, sizeof *sorted, compare_doubles);
    double median = count % 2 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
    return (struct spread){ sorted[0], median, sorted[count - 1] };
}

struct spread figure_ratio(const struct figure *figure)
{
    double ratios[FIGURE_ROUNDS_MAX];
    for (size_t i = 0; i < figure->rounds; i++)
        ratios[i] = figure->ours[i] / figure->theirs[i];
    return spread_of(ratios, figure->rounds);
}

bool figure_met(const struct figure *figure)
{
    double median = figure_ratio(figure).median;
    return figure->bound == FIGURE_AT_LEAST ? median >= figure->limit : median <= figure->limit;
}
