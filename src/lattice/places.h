/* SPDX-License-Identifier: Apache-2.0 */
/* A set of locations that remembers the order they came in: what a walk over derivations has seen, and has still to
 * look at. Zeroed it is empty; it lives in the arena it grows in. One thread. */
#ifndef LATTICE_PLACES_H
#define LATTICE_PLACES_H

#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>

struct places {
    uint64_t *items; /* each once, in the order they came */
    size_t count, capacity;
    uint64_t *table; /* open addressing: item + 1, 0 for a free place */
    size_t table_count;
};

/* *fresh_out (may be NULL): it was not there. No location is UINT64_MAX. */
MUST_CHECK steme_status places_add(struct places *places, uint64_t location, struct arena *arena, bool *fresh_out,
                                   struct steme_error *err);
bool places_have(const struct places *places, uint64_t location);

#endif
