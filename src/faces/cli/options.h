/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines: long options (--name VALUE, --name=VALUE, --flag), `--` ends them, all else is an argument. Options
 * may stand anywhere. A word such as "-5" or "-" is an argument. Pure; results borrow argv and live in the caller's
 * arena. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "base/arena.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* One option. A table ends with a row whose name is NULL. */
struct option_spec {
    const char *name;  /* without the dashes */
    const char *value; /* what stands for its value in the help, such as "TIME"; NULL: a flag */
    const char *help;  /* one line */
    bool many;         /* may be given again; where value ends in "...", a use takes every word up to the next option */
};

/* One option as given. */
struct option_use {
    const struct option_spec *spec;
    const char *value; /* NULL for a flag */
};

enum { OPTION_TABLES_MAX = 6 };

struct options {
    const struct option_spec *tables[OPTION_TABLES_MAX]; /* what is allowed, up to a NULL; set by the caller */
    struct option_use *uses;                             /* in the order given */
    size_t use_count;
    const char **arguments; /* the words that are no options */
    size_t argument_count;
};

/* Read words[0..count). options->tables is set, the rest is filled. STEME_BAD_INPUT: an option that does not exist (the
 * message names the nearest that does), lacks its value or has one it can't have. */
MUST_CHECK steme_status options_parse(struct options *options, const char *const *words, size_t count,
                                      struct arena *arena, struct steme_error *err);

/* Value of an option, the last one of those that may be given again; NULL if it was not given. */
const char *options_value(const struct options *options, const char *name);
/* Whether an option was given. */
bool options_has(const struct options *options, const char *name);
/* How often it was given (for a list: how many words). */
size_t options_count(const struct options *options, const char *name);
/* The value given at its index-th use; index below options_count(). */
const char *options_nth(const struct options *options, const char *name, size_t index);

#endif
