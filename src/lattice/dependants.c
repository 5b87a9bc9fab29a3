/* SPDX-License-Identifier: Apache-2.0 */
#include "lattice/dependants.h"

#include "lattice/places.h"

struct walk {
    struct reader *reader;
    struct places seen; /* what derives, in the order it is looked at */
    struct arena *arena;
    size_t limit;
    struct dependants found;
};

static steme_status count_child(struct walk *walk, const struct wal_entry *child, struct steme_error *err)
{
    bool fresh = false;
    struct testimony t;
    if (places_have(&walk->seen, child->location)) return STEME_OK;
    if (walk->seen.count == walk->limit) {
        walk->found.more = true;
        return STEME_OK;
    }
    steme_status status = places_add(&walk->seen, child->location, walk->arena, &fresh, err);
    if (status) return status;
    struct arena scratch; /* the list of what was seen grows in the other one */
    arena_init(&scratch, SIZE_MAX);
    status = evidence_of_record(walk->reader, child, &scratch, &t, err);
    arena_deinit(&scratch);
    walk->found.count += !status && t.standing == STEME_LIVE;
    return status;
}

static steme_status count_children(struct walk *walk, const struct steme_hash *parent, struct steme_error *err)
{
    struct arena scratch;
    struct wal_entry *children = NULL;
    size_t count = 0;
    arena_init(&scratch, SIZE_MAX);
    /* One more than may still be looked at tells that there are more, unless some were seen before. */
    steme_status status = evidence_children(walk->reader, parent, walk->limit + 1, &scratch, &children, &count, err);
    for (size_t i = 0; !status && !walk->found.more && i < count; i++)
        status = count_child(walk, &children[i], err);
    arena_deinit(&scratch);
    return status;
}

steme_status dependants_count(struct reader *reader, const struct slot_ref *slot, const struct evidence *evidence,
                              size_t limit, struct arena *arena, struct dependants *out, struct steme_error *err)
{
    struct walk walk = { .reader = reader, .arena = arena, .limit = limit };
    steme_status status = evidence_read_all(reader, slot, evidence, arena, err);
    for (size_t i = 0; !status && !walk.found.more && i < evidence->testimony_count; i++)
        if (evidence->testimonies[i].standing == STEME_LIVE)
            status = count_children(&walk, &evidence->testimonies[i].entry->id, err);
    for (size_t i = 0; !status && !walk.found.more && i < walk.seen.count; i++) {
        struct wal_entry entry;
        status = evidence_record(reader, walk.seen.items[i], &entry, err);
        if (!status) status = count_children(&walk, &entry.id, err);
    }
    if (!status) *out = walk.found;
    return status;
}
