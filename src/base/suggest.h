/* SPDX-License-Identifier: Apache-2.0 */
/* "Did you mean ...?": the known word that a mistyped one is nearest to. Pure; any thread. */
#ifndef BASE_SUGGEST_H
#define BASE_SUGGEST_H

#include "steme/types.h"

#include <stddef.h>

/* The candidate that takes the fewest slips to become word: one character more, fewer or other, or two neighbours
 * swapped; ASCII letters in either case are alike. A word that a candidate begins with counts as one slip. Of equals
 * the first. NULL if none is near: more than one slip for every three bytes of the longer word (but one is always
 * allowed), or as many as the word has bytes. Looks at words of up to 64 bytes, at longer ones never.
 * Bytes are compared, so a slip in a letter outside ASCII may count twice. */
const char *suggest_nearest(struct steme_slice word, const char *const *candidates, size_t count);

#endif
