/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns over names: `*` is any run of characters, also none; `?` is one character; `\` takes the next character as
 * it stands; everything else is itself. The whole name has to match, and the empty pattern matches every name. No
 * recursion and no memory: at most a step for each byte of the pattern at each character of the name, about 2^20 for
 * the longest of both, and in practice one for each byte of the name. Pure; any thread. */
#ifndef BASE_GLOB_H
#define BASE_GLOB_H

#include "base/error.h"
#include "steme/types.h"

#include <stdbool.h>

/* STEME_BAD_INPUT for a pattern that ends in a lone backslash; `what` names it in the message. */
MUST_CHECK steme_status glob_check(struct steme_slice pattern, const char *what, struct steme_error *err);
/* Whether the name matches. Both are UTF-8. */
bool glob_match(struct steme_slice pattern, struct steme_slice name);
/* If the pattern is one name and nothing else, with no escape in it: true. Empty is not. */
bool glob_is_name(struct steme_slice pattern);

#endif
