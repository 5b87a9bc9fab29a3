/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of a file of any size, in bounded memory. One thread at a time. */
#ifndef CLI_LINES_H
#define CLI_LINES_H

#include "base/buf.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct lines {
    int descriptor;          /* read as bytes come: a pipe's writer may take its time */
    FILE *file;              /* with lines_open(): closed by lines_deinit() */
    const char *name;        /* of the file in messages; borrowed */
    size_t max_bytes;        /* longest line kept */
    struct buf line;         /* the current one */
    uint8_t *block;          /* what was read ahead */
    size_t block_used;       /* bytes of it already handed out */
    size_t block_size;       /* bytes of it */
    uint64_t number;         /* of the current line, from 1 */
    bool too_long;           /* the current line passed max_bytes: text is empty */
    bool has_end;            /* it ended in a line feed: the last line of a cut file does not */
    struct steme_slice text; /* it, without its end (LF or CR LF) */
};

/* Starts where the descriptor stands; skips a UTF-8 byte order mark. STEME_NO_MEMORY, STEME_IO; STEME_BAD_INPUT where
 * it is a directory, compressed (gzip), or UTF-16 by its byte order mark. lines_deinit() in any case. */
MUST_CHECK steme_status lines_init(struct lines *lines, int descriptor, size_t max_bytes, struct steme_error *err);
/* The same of a file by its name, which is borrowed until lines_deinit(). STEME_NOT_FOUND as well. */
MUST_CHECK steme_status lines_open(struct lines *lines, const char *path, size_t max_bytes, struct steme_error *err);
/* Frees; a descriptor given to lines_init() stays open. Safe on a zeroed struct. */
void lines_deinit(struct lines *lines);
/* First byte that is not white space of what was read ahead; 0 if there is none. For telling formats apart. */
uint8_t lines_peek(const struct lines *lines);
/* Move to the next line; *more_out is false at the end. STEME_IO, STEME_NO_MEMORY. */
MUST_CHECK steme_status lines_next(struct lines *lines, bool *more_out, struct steme_error *err);

#endif
