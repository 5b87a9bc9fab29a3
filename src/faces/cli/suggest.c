/* SPDX-License-Identifier: Apache-2.0 */
#include "faces/cli/suggest.h"

#include <stdio.h>
#include <string.h>

enum {
    WORD_MAX_BYTES = 64, /* of words compared; nobody mistypes longer ones by a letter */
    LISTED_MAX = 12      /* so many candidates still read as one line */
};

static size_t least(size_t a, size_t b, size_t c)
{
    size_t smaller = a < b ? a : b;
    return smaller < c ? smaller : c;
}

/* Edits between two words, two swapped letters counting as one (optimal string alignment). */
static size_t count_edits(const char *a, size_t a_size, const char *b, size_t b_size)
{
    size_t rows[3][WORD_MAX_BYTES + 1];
    size_t *before = rows[0], *last = rows[1], *row = rows[2];
    for (size_t j = 0; j <= b_size; j++) last[j] = j;
    for (size_t i = 1; i <= a_size; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            row[j] = least(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
            bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped && before[j - 2] + 1 < row[j]) row[j] = before[j - 2] + 1;
        }
        size_t *oldest = before;
        before = last;
        last = row;
        row = oldest;
    }
    return last[b_size];
}

const char *suggest_nearest(const char *word, const char *const *candidates, size_t count)
{
    size_t word_size = strlen(word);
    if (word_size == 0 || word_size >= WORD_MAX_BYTES) return NULL;
    size_t best_edits = word_size / 3 + 1; /* one slip in a short word, a few in a long one */
    if (word_size < 3) best_edits = 1;
    const char *best = NULL;
    const char *begun = NULL;
    for (size_t i = 0; i < count; i++) {
        size_t size = strlen(candidates[i]);
        if (size >= WORD_MAX_BYTES) continue;
        if (!begun && word_size >= 2 && strncmp(candidates[i], word, word_size) == 0) begun = candidates[i];
        size_t edits = count_edits(word, word_size, candidates[i], size);
        if (edits > best_edits || (best && edits == best_edits) || edits >= size) continue;
        best = candidates[i];
        best_edits = edits;
    }
    return best ? best : begun;
}

steme_status suggest_instead(struct steme_error *err, steme_status status, const char *what, const char *word,
                             const char *const *candidates, size_t count)
{
    const char *near = suggest_nearest(word, candidates, count);
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
