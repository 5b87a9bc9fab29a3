/* SPDX-License-Identifier: Apache-2.0 */
/* The file of what an import leaves out: a line for each, its number, a tab, and the reason. What the file held before
 * goes with the first of them, and stays where there is none. One thread. */
#ifndef CLI_REJECTS_H
#define CLI_REJECTS_H

#include "base/error.h"

#include <stdint.h>
#include <stdio.h>

struct rejects {
    const char *path; /* NULL: none is wanted; borrowed */
    FILE *file;       /* NULL until the first */
    int os_errno;     /* why it can't be written; 0: it can */
};

/* Touches nothing yet. path may be NULL; input is the descriptor of what is read. STEME_BAD_INPUT where both are one
 * file, which would be lost; STEME_IO where the file is there and can't be written. */
MUST_CHECK steme_status rejects_init(struct rejects *rejects, const char *path, int input, struct steme_error *err);
/* One more. A failure is told by rejects_close(). */
void rejects_add(struct rejects *rejects, uint64_t line, const char *reason);
/* Safe on a zeroed struct. STEME_IO or STEME_NO_SPACE: not all that was added is in the file. */
MUST_CHECK steme_status rejects_close(struct rejects *rejects, struct steme_error *err);

#endif
