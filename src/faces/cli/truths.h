/* SPDX-License-Identifier: Apache-2.0 */
/* A file of what is true: TSV with the columns subject, predicate, object, and those that say of what kind an object is
 * (type, plus, minus, unit). Without a type an object is meant whatever its kind: it is what reads so. */
#ifndef CLI_TRUTHS_H
#define CLI_TRUTHS_H

#include "base/arena.h"
#include "base/error.h"
#include "steme/types.h"

#include <stdbool.h>

struct truth {
    struct steme_slice subject, predicate;
    struct steme_slice text;  /* of the object */
    uint64_t line;            /* it stands in */
    bool typed;               /* the file says its kind */
    struct steme_value value; /* with typed */
    bool is_number;           /* it is one, or reads as one */
    double number;            /* with is_number */
};

struct truths {
    struct truth *items;
    size_t count;
};

/* Read it all; memory comes from the arena. STEME_NOT_FOUND, STEME_IO; STEME_BAD_INPUT with the line that can't be
 * understood, with both lines that answer one question, and for a file without any truth. */
MUST_CHECK steme_status truths_read(const char *path, struct arena *arena, struct truths *out, struct steme_error *err);

/* Whether a claimed value is the true one. */
bool truth_is(const struct truth *truth, const struct steme_value *value);

#endif
