/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that is given back all at once. Blocks come from malloc as needed up to a ceiling.
 * One thread at a time. Pointers are valid until the arena is rewound past them or deinit. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/error.h"
#include "steme/types.h"

#include <stdbool.h>
#include <stddef.h>

struct arena_block;

struct arena {
    struct arena_block *block; /* the one allocations come from; older ones hang behind it */
    size_t used_bytes;         /* in all blocks, for the ceiling */
    size_t ceiling_bytes;
    size_t peak_bytes; /* most that was used when it was rewound */
};

struct arena_mark {
    struct arena_block *block;
    size_t block_used;
    size_t used_bytes;
};

/* ceiling_bytes: arena_alloc returns NULL rather than pass it. No allocation happens here. */
void arena_init(struct arena *arena, size_t ceiling_bytes);
/* Frees all; leaves it zeroed. Safe on a zeroed arena. */
void arena_deinit(struct arena *arena);

/* size bytes aligned to 16, not initialised; NULL when the ceiling or memory is reached. size 0 gives a
 * unique pointer. */
void *arena_alloc(struct arena *arena, size_t size) __attribute__((malloc));
/* count * size zeroed bytes; NULL as above or when the product overflows. */
void *arena_calloc(struct arena *arena, size_t count, size_t size) __attribute__((malloc));
/* A copy of the bytes followed by a NUL that size does not count; data NULL when memory is out. */
struct steme_slice arena_copy(struct arena *arena, struct steme_slice bytes);

/* Room for `more` further elements of `size` bytes in a list of `count` that lives in the arena: when it is full *list
 * moves and *capacity at least doubles; the old copies stay until the arena is rewound. False when the ceiling or
 * memory is reached; the list is then as it was. */
bool arena_grow(struct arena *arena, void **list, size_t count, size_t more, size_t *capacity, size_t size);

struct arena_mark arena_mark(const struct arena *arena);
/* Give back everything since the mark; keeps one block for the next round. */
void arena_rewind(struct arena *arena, struct arena_mark mark);

/* The one way to report an arena that is full: STEME_NO_MEMORY with the ceiling in the message. */
MUST_CHECK static inline steme_status arena_full(const struct arena *arena, struct steme_error *err)
{
    return error_set(err, STEME_NO_MEMORY,
                     "no memory for more: %zu bytes of the %zu that this operation may use are taken; "
                     "ask for less at a time, or raise the limit",
                     arena->used_bytes, arena->ceiling_bytes);
}

#endif
