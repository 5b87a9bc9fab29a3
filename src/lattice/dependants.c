/* SPDX-License-Identifier: Apache-2.0 */
#include "lattice/dependants.h"

#include "lattice/derivation.h"
#include "lattice/places.h"

enum { SCRATCH_CEILING_BYTES = 64 << 20 };

struct walk {
    struct reader *reader;
    struct places seen; /* what derives, in the order it is looked at */
    struct arena *arena;
    size_t limit;
    struct dependants found;
};

/* The walk ends with STEME_FAILED where its limit is reached. */
static steme_status count_child(void *context, const struct wal_entry *child, struct steme_error *err)
{
    struct walk *walk = context;
    struct testimony t;
    if (places_have(&walk->seen, child->location)) return STEME_OK;
    walk->found.more = walk->seen.count == walk->limit;
    if (walk->found.more) return STEME_FAILED;
    steme_status status = places_add(&walk->seen, child->location, walk->arena, NULL, err);
    if (status) return status;
    struct arena scratch; /* the list of what was seen grows in the other one */
    arena_init(&scratch, SCRATCH_CEILING_BYTES);
    status = evidence_of_record(walk->reader, child, &scratch, &t, err);
    arena_deinit(&scratch);
    walk->found.count += !status && t.standing == STEME_LIVE;
    return status;
}

steme_status dependants_count(struct reader *reader, const struct slot_ref *slot, const struct evidence *evidence,
                              size_t limit, struct arena *arena, struct dependants *out, struct steme_error *err)
{
    struct walk walk = { .reader = reader, .arena = arena, .limit = limit };
    steme_status status = evidence_read_all(reader, slot, evidence, arena, err);
    for (size_t i = 0; !status && i < evidence->testimony_count; i++)
        if (evidence->testimonies[i].standing == STEME_LIVE)
            status = derivation_children(reader, &evidence->testimonies[i].entry->id, count_child, &walk, err);
    for (size_t i = 0; !status && i < walk.seen.count; i++) {
        struct wal_entry entry;
        status = evidence_record(reader, walk.seen.items[i], &entry, err);
        if (!status) status = derivation_children(reader, &entry.id, count_child, &walk, err);
    }
    if (walk.found.more) status = STEME_OK;
    if (!status) *out = walk.found;
    return status;
}
