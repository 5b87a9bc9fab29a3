/* SPDX-License-Identifier: Apache-2.0 */
#include "lattice/places.h"

#include "base/check.h"

#include <string.h>

enum { FIRST_PLACES = 64 };

/* Where the location is in the table, or the free place where it would go. The table is at most half full, its size a
 * power of two; locations are multiples of 64, so that their low bits say nothing. */
static size_t find_place(const struct places *places, uint64_t location)
{
    size_t mask = places->table_count - 1;
    size_t at = (size_t)((location * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & mask;
    while (places->table[at] && places->table[at] != location + 1)
        at = (at + 1) & mask;
    return at;
}

static steme_status grow(struct places *places, struct arena *arena, struct steme_error *err)
{
    size_t capacity = places->capacity ? 2 * places->capacity : FIRST_PLACES;
    uint64_t *items = arena_alloc(arena, capacity * sizeof *items);
    uint64_t *table = arena_calloc(arena, 2 * capacity, sizeof *table);
    if (!items || !table) return arena_full(arena, err);
    if (places->count) memcpy(items, places->items, places->count * sizeof *items);
    places->items = items;
    places->capacity = capacity;
    places->table = table;
    places->table_count = 2 * capacity;
    for (size_t i = 0; i < places->count; i++)
        table[find_place(places, items[i])] = items[i] + 1;
    return STEME_OK;
}

bool places_have(const struct places *places, uint64_t location)
{
    return places->count && places->table[find_place(places, location)] == location + 1;
}

steme_status places_add(struct places *places, uint64_t location, struct arena *arena, bool *fresh_out,
                        struct steme_error *err)
{
    invariant(location != UINT64_MAX);
    bool fresh = !places_have(places, location);
    if (fresh && places->count == places->capacity) {
        steme_status status = grow(places, arena, err);
        if (status) return status;
    }
    if (fresh) {
        places->table[find_place(places, location)] = location + 1;
        places->items[places->count++] = location;
    }
    if (fresh_out) *fresh_out = fresh;
    return STEME_OK;
}
