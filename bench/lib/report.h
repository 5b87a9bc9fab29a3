/* SPDX-License-Identifier: Apache-2.0 */
/* A figure for people, as a row of the table on standard output, and for programs, as a line of JSON. */
#ifndef BENCH_LIB_REPORT_H
#define BENCH_LIB_REPORT_H

#include "figure.h"
#include "options.h"

/* The line above the rows, with the same columns. */
void table_head(void);
void table_row(const struct figure *figure);
/* Appends to the file. */
void json_line(const struct figure *figure, const char *path);

/* Both. */
void report(const struct figure *figure, const struct options *options);

#endif
