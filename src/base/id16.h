/* SPDX-License-Identifier: Apache-2.0 */
/* The first 16 bytes of ids, by which the index knows records, claims and voices: their order is that of the bytes.
 * Pure; any thread. */
#ifndef BASE_ID16_H
#define BASE_ID16_H

#include "base/codec.h"

#include <stdbool.h>
#include <stddef.h>

/* Below, at or above 0, as memcmp() of the two; inline, because sorting a slot's rows is a good part of an answer. */
static inline int id16_compare(const uint8_t a[16], const uint8_t b[16])
{
    uint64_t left = load_u64be(a), right = load_u64be(b);
    if (left == right) {
        left = load_u64be(a + 8);
        right = load_u64be(b + 8);
    }
    return (left > right) - (left < right);
}

/* Sorts, and moves one of each to the front: how many that are. */
size_t id16_sort(uint8_t (*ids)[16], size_t count);

/* Where id is among ids that id16_sort() has sorted; count if it isn't there. */
size_t id16_find(const uint8_t (*sorted)[16], size_t count, const uint8_t id[16]);

#endif
