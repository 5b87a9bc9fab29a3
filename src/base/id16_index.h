/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers for ids in the order they are first seen: 0, 1, 2, ... Memory comes from the arena it was made with, which
 * must not be rewound below it. Ids are hashes, so their own bytes say where to look. One thread at a time; finding is
 * safe from many when nobody adds. */
#ifndef BASE_ID16_INDEX_H
#define BASE_ID16_INDEX_H

#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>

#define ID16_NONE UINT32_MAX

struct id16_index {
    struct arena *arena;
    uint8_t (*ids)[16]; /* by number */
    size_t count, capacity;
    uint32_t *places; /* number + 1 of the id that lies there; 0: free */
    size_t place_count;
};

void id16_index_init(struct id16_index *index, struct arena *arena);
/* The id's number in *out, a new one if it had none. STEME_NO_MEMORY; STEME_TOO_LARGE past 2^31 ids. */
MUST_CHECK steme_status id16_index_add(struct id16_index *index, const uint8_t id[16], uint32_t *out,
                                       struct steme_error *err);
/* Its number, ID16_NONE if it has none. */
uint32_t id16_index_find(const struct id16_index *index, const uint8_t id[16]);

#endif
