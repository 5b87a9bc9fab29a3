/* SPDX-License-Identifier: Apache-2.0 */
#include "base/id16.h"

#include <stdlib.h>

static int compare(const void *left, const void *right) { return id16_compare(left, right); }

/* Mostly there are few, for which a library's sort costs more than the sorting. */
static void sort_few(uint8_t (*ids)[16], size_t count)
{
    for (size_t i = 1; i < count; i++) {
        uint8_t id[16];
        size_t at = i;
        memcpy(id, ids[i], sizeof id);
        for (; at && id16_compare(id, ids[at - 1]) < 0; at--)
            memcpy(ids[at], ids[at - 1], sizeof id);
        memcpy(ids[at], id, sizeof id);
    }
}

size_t id16_sort(uint8_t (*ids)[16], size_t count)
{
    enum { FEW = 32 };
    size_t kept = 0;
    if (count <= FEW)
        sort_few(ids, count);
    else
        qsort(ids, count, sizeof *ids, compare);
    for (size_t i = 0; i < count; i++)
        if (!kept || id16_compare(ids[i], ids[kept - 1]) != 0) memmove(ids[kept++], ids[i], sizeof *ids);
    return kept;
}

size_t id16_find(const uint8_t (*sorted)[16], size_t count, const uint8_t id[16])
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (id16_compare(sorted[middle], id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && id16_compare(sorted[low], id) == 0 ? low : count;
}
