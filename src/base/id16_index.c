/* SPDX-License-Identifier: Apache-2.0 */
#include "base/id16_index.h"
#include "base/codec.h"

#include <string.h>

enum { FIRST_PLACES = 64 };

void id16_index_init(struct id16_index *index, struct arena *arena) { *index = (struct id16_index){ .arena = arena }; }

/* The place of the id, or the free one where it belongs. There is always a free one: at most half are taken. */
static size_t place_of(const struct id16_index *index, const uint8_t id[16])
{
    size_t mask = index->place_count - 1;
    size_t at = (load_u64be(id) ^ load_u64be(id + 8)) & mask;
    while (index->places[at] && memcmp(index->ids[index->places[at] - 1], id, 16) != 0)
        at = (at + 1) & mask;
    return at;
}

static steme_status spread(struct id16_index *index, struct steme_error *err)
{
    size_t count = index->place_count ? 2 * index->place_count : FIRST_PLACES;
    if (count > (size_t)1 << 31) return error_set(err, STEME_TOO_LARGE, "more than %zu different ids", index->count);
    uint32_t *places = arena_calloc(index->arena, count, sizeof *places);
    if (!places) return arena_full(index->arena, err);
    index->places = places;
    index->place_count = count;
    for (size_t i = 0; i < index->count; i++)
        places[place_of(index, index->ids[i])] = (uint32_t)i + 1;
    return STEME_OK;
}

steme_status id16_index_add(struct id16_index *index, const uint8_t id[16], uint32_t *out, struct steme_error *err)
{
    steme_status status = 2 * index->count < index->place_count ? STEME_OK : spread(index, err);
    if (status) return status;
    size_t at = place_of(index, id);
    if (!index->places[at]) {
        void *ids = index->ids;
        if (!arena_grow(index->arena, &ids, index->count, 1, &index->capacity, sizeof *index->ids))
            return arena_full(index->arena, err);
        index->ids = ids;
        memcpy(index->ids[index->count++], id, 16);
        index->places[at] = (uint32_t)index->count;
    }
    *out = index->places[at] - 1;
    return STEME_OK;
}

uint32_t id16_index_find(const struct id16_index *index, const uint8_t id[16])
{
    if (!index->count) return ID16_NONE;
    uint32_t number = index->places[place_of(index, id)];
    return number ? number - 1 : ID16_NONE;
}
