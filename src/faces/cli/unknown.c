/* SPDX-License-Identifier: Apache-2.0 */
#include "faces/cli/unknown.h"
#include "base/slice.h"
#include "base/suggest.h"

#include <stdio.h>

enum { LISTED_MAX = 16, LIST_BYTES = 384 }; /* so many candidates still read as one line */

static void list_words(char *list, size_t room, const char *const *candidates, size_t count)
{
    size_t used = 0;
    list[0] = '\0';
    for (size_t i = 0; i < count && used < room; i++) {
        int wrote = snprintf(list + used, room - used, "%s%s", i ? ", " : "", candidates[i]);
        if (wrote > 0) used += (size_t)wrote;
    }
}

steme_status unknown_word(struct steme_error *err, steme_status status, const char *what, const char *word,
                          const char *const *candidates, size_t count)
{
    const char *near = suggest_nearest(slice_text(word), candidates, count);
    if (near) return error_set(err, status, "there is no %s '%.64s'; did you mean '%s'?", what, word, near);
    if (count == 0 || count > LISTED_MAX) return error_set(err, status, "there is no %s '%.64s'", what, word);
    char list[LIST_BYTES];
    list_words(list, sizeof list, candidates, count);
    return error_set(err, status, "there is no %s '%.64s'; there are: %s", what, word, list);
}

steme_status unknown_missing(struct steme_error *err, const char *what, const char *const *candidates, size_t count)
{
    char list[LIST_BYTES];
    list_words(list, sizeof list, candidates, count);
    return error_set(err, STEME_BAD_INPUT, "%s needs another word behind it: %s", what, list);
}
