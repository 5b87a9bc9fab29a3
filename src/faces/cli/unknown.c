/* SPDX-License-Identifier: Apache-2.0 */
#include "faces/cli/unknown.h"
#include "base/slice.h"
#include "base/suggest.h"

#include <stdio.h>

enum { LISTED_MAX = 16 }; /* so many candidates still read as one line */

steme_status unknown_word(struct steme_error *err, steme_status status, const char *what, const char *word,
                          const char *const *candidates, size_t count)
{
    const char *near = suggest_nearest(slice_text(word), candidates, count);
    if (near) return error_set(err, status, "there is no %s '%.64s'; did you mean '%s'?", what, word, near);
    if (count == 0 || count > LISTED_MAX) return error_set(err, status, "there is no %s '%.64s'", what, word);
    char list[384] = "";
    size_t used = 0;
    for (size_t i = 0; i < count && used < sizeof list; i++) {
        int wrote = snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", candidates[i]);
        if (wrote > 0) used += (size_t)wrote;
    }
    return error_set(err, status, "there is no %s '%.64s'; there are: %s", what, word, list);
}
