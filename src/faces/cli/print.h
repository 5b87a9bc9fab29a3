/* SPDX-License-Identifier: Apache-2.0 */
/* What people read: text made safe for a terminal, colours, and tables. Stored text is untrusted: control characters
 * and broken UTF-8 never reach a terminal as they are. One thread at a time. */
#ifndef CLI_PRINT_H
#define CLI_PRINT_H

#include "base/buf.h"
#include "steme/types.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

/* Where and how to print. */
struct print {
    FILE *out;
    bool colour; /* SGR sequences */
    bool table;  /* tables are aligned and have a header; else one row a line, columns parted by tabs */
};

enum print_colour { PRINT_PLAIN, PRINT_BOLD, PRINT_DIM, PRINT_RED, PRINT_GREEN, PRINT_YELLOW, PRINT_CYAN };

/* Columns that text takes on a terminal. */
size_t print_width(struct steme_slice text);

/* Append text cut to at most `columns` on a terminal, with an ellipsis where something was cut; line feeds and tabs
 * become spaces, other control characters and broken bytes U+FFFD. */
void print_append_clean(struct buf *to, struct steme_slice text, size_t columns);

/* printf in a colour. What it prints is cleaned; no line feed in it. */
void print_coloured(const struct print *print, enum print_colour colour, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* 1234567 as "1,234,567". */
enum { PRINT_COUNT_BYTES = 32 };
const char *print_count(uint64_t count, char out[PRINT_COUNT_BYTES]);

/* ---- tables ---- */

struct print_column {
    const char *title;
    bool right;               /* numbers */
    enum print_colour colour; /* of its cells */
    size_t columns_max;       /* on a terminal cells are cut here; 0: 60 */
};

enum { TABLE_COLUMNS_MAX = 10, TABLE_ROWS_MAX = 128 };

/* Cells are given row by row. Rows are printed in blocks, so that a table of any length takes bounded memory; the
 * columns of later blocks may be wider, never narrower. */
struct table {
    const struct print *print;
    const struct print_column *columns;
    size_t column_count;
    size_t widths[TABLE_COLUMNS_MAX];
    struct buf text;                                 /* of the cells waiting */
    size_t ends[TABLE_ROWS_MAX * TABLE_COLUMNS_MAX]; /* of each cell in text */
    size_t cell_count;                               /* waiting */
    size_t row_count;                                /* of all rows so far */
    bool headed;                                     /* the header is out */
};

/* columns: 1..TABLE_COLUMNS_MAX of them, kept by the caller until table_end(). */
void table_begin(struct table *table, const struct print *print, const struct print_column *columns, size_t count);
void table_cell(struct table *table, struct steme_slice text);
void table_cellf(struct table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Print the rows that wait: while following a log. */
void table_flush(struct table *table);
/* Flush and free. Safe on a zeroed table. */
void table_end(struct table *table);

#endif
