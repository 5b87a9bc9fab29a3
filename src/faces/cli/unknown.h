/* SPDX-License-Identifier: Apache-2.0 */
/* Words that are not known, reported with what was likely meant. Pure; any thread. */
#ifndef CLI_UNKNOWN_H
#define CLI_UNKNOWN_H

#include "base/error.h"

#include <stddef.h>

/* Report that there is no such `what` ("lens"), with the one that was likely meant, or, when they are few, all there
 * are. Returns status. */
MUST_CHECK steme_status unknown_word(struct steme_error *err, steme_status status, const char *what, const char *word,
                                     const char *const *candidates, size_t count);

/* Report that `what` ("'key'") lacks the word behind it, and which there are. STEME_BAD_INPUT. */
MUST_CHECK steme_status unknown_missing(struct steme_error *err, const char *what, const char *const *candidates,
                                        size_t count);

#endif
