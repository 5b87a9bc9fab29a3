/* SPDX-License-Identifier: Apache-2.0 */
#include "base/suggest.h"
#include "base/slice.h"

enum { WORD_MAX = 64 };

static uint8_t fold(uint8_t byte) { return byte >= 'A' && byte <= 'Z' ? byte | 0x20u : byte; }

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

static bool begins_with(struct steme_slice whole, struct steme_slice start)
{
    if (start.size > whole.size) return false;
    for (size_t i = 0; i < start.size; i++)
        if (fold(whole.data[i]) != fold(start.data[i])) return false;
    return true;
}

/* Optimal string alignment: Levenshtein's distance plus swaps of neighbours. rows[i % 3][j] is the distance of the
 * first i bytes of a from the first j of b; a swap looks two rows back. */
static size_t count_slips(struct steme_slice a, struct steme_slice b)
{
    size_t rows[3][WORD_MAX + 1];
    for (size_t j = 0; j <= b.size; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a.size; i++) {
        const size_t *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];
        size_t *row = rows[i % 3];
        row[0] = i;
        for (size_t j = 1; j <= b.size; j++) {
            uint8_t x = fold(a.data[i - 1]), y = fold(b.data[j - 1]);
            row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + (x != y));
            bool swapped = i > 1 && j > 1 && x == fold(b.data[j - 2]) && y == fold(a.data[i - 2]);
            if (swapped) row[j] = least(row[j], two_above[j - 2] + 1);
        }
    }
    return rows[a.size % 3][b.size];
}

const char *suggest_nearest(struct steme_slice word, const char *const *candidates, size_t count)
{
    const char *nearest = NULL;
    size_t fewest = word.size; /* as many as the word has bytes is another word */
    if (word.size > WORD_MAX) return NULL;
    for (size_t i = 0; i < count; i++) {
        struct steme_slice candidate = slice_text(candidates[i]);
        if (candidate.size > WORD_MAX) continue;
        size_t slips = begins_with(candidate, word) ? 1 : count_slips(word, candidate);
        size_t longer = word.size > candidate.size ? word.size : candidate.size;
        size_t allowed = longer < 6 ? 1 : longer / 3;
        if (slips > allowed || slips >= fewest) continue;
        fewest = slips;
        nearest = candidates[i];
    }
    return nearest;
}
