/* SPDX-License-Identifier: Apache-2.0 */
/* "Did you mean": the nearest of the words there are. Pure; any thread. */
#ifndef CLI_SUGGEST_H
#define CLI_SUGGEST_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* The candidate that word most likely stands for, or NULL when none is near: nearest by edits (a letter left out, added,
 * changed, or two swapped), else the first that begins with word. Words longer than 63 bytes match nothing. */
const char *suggest_nearest(const char *word, const char *const *candidates, size_t count);

/* Report that there is no such `what` ("lens"), with the one that was likely meant, or, when they are few, all there
 * are. Returns status. */
steme_status suggest_instead(struct steme_error *err, steme_status status, const char *what, const char *word,
                             const char *const *candidates, size_t count);

#endif
