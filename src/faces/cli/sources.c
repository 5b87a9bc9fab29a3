/* SPDX-License-Identifier: Apache-2.0 */
#include "faces/cli/sources.h"
#include "steme/steme.h"

#include <string.h>

/* Ids are hashes: any of their bytes spread evenly. */
static size_t place_of(const struct steme_hash *id) { return ((size_t)id->bytes[0] << 8 | id->bytes[1]) % SOURCES_MAX; }

void sources_see(struct sources *sources, const struct steme_record *record)
{
    if (record->type != STEME_ASSERTION || record->as.assertion.source.size == 0) return;
    if (!sources->places) sources->places = arena_calloc(sources->arena, SOURCES_MAX, sizeof *sources->places);
    if (!sources->places) return;
    struct steme_hash id = steme_source_id(record->as.assertion.source);
    struct source_place *place = &sources->places[place_of(&id)];
    if (place->name.size > 0) return;
    place->id = id;
    place->name = arena_copy(sources->arena, record->as.assertion.source);
    if (!place->name.data) place->name.size = 0;
}

struct steme_slice sources_name(const struct sources *sources, const struct steme_hash *id)
{
    const struct source_place *place = sources->places ? &sources->places[place_of(id)] : NULL;
    if (!place || memcmp(&place->id, id, sizeof *id) != 0) return (struct steme_slice){ 0 };
    return place->name;
}
