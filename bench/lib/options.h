/* SPDX-License-Identifier: Apache-2.0 */
/* What every benchmark program is told: --dir SCRATCH [--json FILE] [--rounds N] [--quick]. Or --head alone: print the
 * table's head and be done. */
#ifndef BENCH_LIB_OPTIONS_H
#define BENCH_LIB_OPTIONS_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

struct options {
    const char *dir;  /* an empty directory on a real file system; what is made in it may be left behind */
    const char *json; /* file that figures are appended to, a line each; NULL: none */
    size_t rounds;    /* 1..FIGURE_ROUNDS_MAX; 5 if not given */
    bool quick;       /* about a tenth of the work: to see that it runs, not to be quoted */
};

/* Prints usage and ends the program with 2 on anything else. */
struct options options_parse(int argc, char **argv);

/* `full` of something, or a tenth of it when there is no time. */
size_t options_scale(const struct options *options, size_t full);
double options_seconds(const struct options *options, double full);

/* A benchmark can't go on after a failure: prints it with `what` and ends the program with 1. */
void must(steme_status status, const struct steme_error *err, const char *what);
/* The same for what is no steme_status: ends the program with 1 unless `holds`. */
void must_hold(bool holds, const char *what);
/* malloc() that never gives NULL. */
void *must_alloc(size_t count, size_t size);

#endif
