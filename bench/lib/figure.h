/* SPDX-License-Identifier: Apache-2.0 */
/* One line of the result: what we reach, what the limit or peer reaches in the same round, and the ratio wanted. */
#ifndef BENCH_LIB_FIGURE_H
#define BENCH_LIB_FIGURE_H

#include <stdbool.h>
#include <stddef.h>

#define FIGURE_ROUNDS_MAX 64u
#define FIGURE_NOTE_BYTES 240u

enum figure_bound { FIGURE_AT_LEAST, FIGURE_AT_MOST };

struct figure {
    const char *letter;      /* "a".."h" */
    const char *what;        /* both sides in a line */
    const char *unit;        /* of both: "rec/s", "us", "B" ... */
    enum figure_bound bound; /* which way is good */
    double limit;            /* the median of ours / theirs is held against it */
    size_t rounds;           /* how many are filled in */
    double ours[FIGURE_ROUNDS_MAX], theirs[FIGURE_ROUNDS_MAX];
    char note[FIGURE_NOTE_BYTES]; /* printed below the line; may be empty */
};

struct spread {
    double least, median, most;
};

void figure_add(struct figure *figure, double ours, double theirs);
void figure_note(struct figure *figure, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* ours / theirs, round by round. */
struct spread figure_ratio(const struct figure *figure);
bool figure_met(const struct figure *figure);
/* Of 1..FIGURE_ROUNDS_MAX values. */
struct spread spread_of(const double *values, size_t count);
/* Sorts the values. share 0..1; 0.5 is the median. */
double percentile(double *values, size_t count, double share);

#endif
