/* SPDX-License-Identifier: Apache-2.0 */
#include "lattice/touched.h"

#include "base/check.h"
#include "base/slice.h"
#include "model/record.h"

#include <stdlib.h>

enum { FIRST_TOUCHED = 16 };

static const char cardinality_predicate[] = "steme:cardinality";

int slot_ref_compare(const struct slot_ref *a, const struct slot_ref *b)
{
    if (a->route != b->route) return a->route < b->route ? -1 : 1;
    if (a->predicate != b->predicate) return a->predicate < b->predicate ? -1 : 1;
    return memcmp(a->slot, b->slot, sizeof a->slot);
}

/* ---- lists ---- */

static int compare_slots(const void *left, const void *right) { return slot_ref_compare(left, right); }

static int compare_predicates(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

void touched_sort(struct touched *touched)
{
    size_t kept = 0;
    if (touched->slot_count) qsort(touched->slots, touched->slot_count, sizeof *touched->slots, compare_slots);
    for (size_t i = 0; i < touched->slot_count; i++)
        if (!kept || compare_slots(&touched->slots[i], &touched->slots[kept - 1]) != 0)
            touched->slots[kept++] = touched->slots[i];
    touched->slot_count = kept;
    kept = 0;
    if (touched->predicate_count)
        qsort(touched->predicates, touched->predicate_count, sizeof *touched->predicates, compare_predicates);
    for (size_t i = 0; i < touched->predicate_count; i++)
        if (!kept || touched->predicates[i] != touched->predicates[kept - 1])
            touched->predicates[kept++] = touched->predicates[i];
    touched->predicate_count = kept;
}

/* Twice the room for a list; the old copy is left to the arena's end. */
static steme_status make_room(struct arena *arena, void **list, size_t count, size_t *capacity, size_t size,
                              struct steme_error *err)
{
    size_t wanted = *capacity ? 2 * *capacity : FIRST_TOUCHED;
    void *grown = arena_alloc(arena, wanted * size);
    if (!grown) return arena_full(arena, err);
    if (count) memcpy(grown, *list, count * size);
    *list = grown;
    *capacity = wanted;
    return STEME_OK;
}

static steme_status add_slot(struct touched *touched, const struct slot_ref *slot, struct arena *arena,
                             struct steme_error *err)
{
    void *list = touched->slots;
    if (touched->slot_count && slot_ref_compare(&touched->slots[touched->slot_count - 1], slot) == 0) return STEME_OK;
    /* A full list may hold slots many times over: it grows only if half of it and more is left. */
    bool full = touched->slot_count == touched->slot_capacity;
    if (full) touched_sort(touched);
    if (full && 2 * touched->slot_count >= touched->slot_capacity) {
        steme_status status = make_room(arena, &list, touched->slot_count, &touched->slot_capacity, sizeof *slot, err);
        if (status) return status;
    }
    touched->slots = list;
    touched->slots[touched->slot_count++] = *slot;
    return STEME_OK;
}

static steme_status add_predicate(struct touched *touched, uint32_t predicate, struct arena *arena,
                                  struct steme_error *err)
{
    void *list = touched->predicates;
    size_t count = touched->predicate_count;
    if (count && touched->predicates[count - 1] == predicate) return STEME_OK;
    if (count == touched->predicate_capacity) {
        steme_status status = make_room(arena, &list, count, &touched->predicate_capacity, sizeof predicate, err);
        if (status) return status;
    }
    touched->predicates = list;
    touched->predicates[touched->predicate_count++] = predicate;
    return STEME_OK;
}

bool touched_has(const struct touched *touched, const struct slot_ref *slot, bool weighs)
{
    if (touched->epochs || (weighs && touched->weights)) return true;
    if (touched->predicate_count && bsearch(&slot->predicate, touched->predicates, touched->predicate_count,
                                            sizeof slot->predicate, compare_predicates))
        return true;
    return touched->slot_count &&
           bsearch(slot, touched->slots, touched->slot_count, sizeof *slot, compare_slots) != NULL;
}

/* ---- what a record bears on ---- */

static steme_status touch_identity(struct touched *touched, const struct assertion_view *view,
                                   const struct identity *identity, struct arena *arena, struct steme_error *err)
{
    struct slot_ref slot = { .route = identity->route, .predicate = identity->predicate };
    memcpy(slot.slot, identity->slot.bytes, sizeof slot.slot);
    steme_status status = add_slot(touched, &slot, arena, err);
    /* A schema's subject is a predicate: the hash of the one begins with the hash of the other. */
    if (!status && slice_equal(view->predicate, slice_text(cardinality_predicate)))
        status = add_predicate(touched, (uint32_t)(identity->route >> 32), arena, err);
    return status;
}

static steme_status touch_assertion(struct touched *touched, const struct wal_entry *entry,
                                    const struct identity *identity, struct arena *arena, struct steme_error *err)
{
    struct assertion_view view;
    struct identity made;
    steme_status status = assertion_view_trusted(entry->bytes, &view, err);
    if (!status && !identity) status = identity_many(&view, 1, &made, arena, err);
    return status ? status : touch_identity(touched, &view, identity ? identity : &made, arena, err);
}

/* The slot under the route that has an assertion of this claim below the limit. A claim's id has its slot hashed in: it
 * is of one slot only. */
static steme_status find_claim(struct reader *reader, struct touched *touched, uint64_t route, const uint8_t claim[16],
                               struct steme_error *err)
{
    struct key_bytes prefix;
    struct kv_cursor cursor = { 0 };
    struct kv_pair pair;
    if (touched->claim_known && touched->claim_route == route && memcmp(touched->claim, claim, 16) == 0)
        return STEME_OK;
    touched->claim_known = false;
    touched->claim_found = false;
    key_route_prefix(&prefix, 'S', route);
    steme_status status = kv_seek(reader->txn, key_slice(&prefix), key_slice(&prefix), &cursor, &pair, err);
    for (; !status && !touched->claim_found; status = kv_next(&cursor, &pair, err)) {
        struct slot_row row;
        struct slot_ref slot;
        status = row_slot(pair.key, pair.value, &slot, &row, err);
        if (status) break;
        if (row.location >= reader->limit || memcmp(row.claim, claim, sizeof row.claim) != 0) continue;
        touched->claim_found = true;
        touched->claim_slot = slot;
    }
    kv_cursor_end(&cursor);
    if (status && status != STEME_NOT_FOUND) return status;
    touched->claim_known = true;
    touched->claim_route = route;
    memcpy(touched->claim, claim, sizeof touched->claim);
    return STEME_OK;
}

static steme_status touch_claim(struct reader *reader, struct touched *touched, const struct steme_target *target,
                                struct arena *arena, struct steme_error *err)
{
    steme_status status = find_claim(reader, touched, target->route, target->hash.bytes, err);
    return status || !touched->claim_found ? status : add_slot(touched, &touched->claim_slot, arena, err);
}

/* The record of this id, if it is there: *type_out says what it is. STEME_NOT_FOUND. */
static steme_status find_record(struct reader *reader, const struct steme_hash *id, enum steme_type *type_out,
                                struct wal_entry *out, struct steme_error *err)
{
    uint64_t location = 0;
    steme_status status = evidence_locate(reader, id->bytes, type_out, &location, err);
    return status ? status : evidence_named(reader, location, id->bytes, out, err);
}

static steme_status touch_vote(struct reader *reader, struct touched *touched, const struct steme_vote *vote,
                               struct arena *arena, struct steme_error *err)
{
    enum steme_type type = STEME_BUNDLE;
    struct wal_entry entry;
    steme_status status = STEME_OK;
    switch (vote->target.kind) {
    case STEME_ON_AGENT:
    case STEME_ON_SOURCE: touched->weights = true; return STEME_OK;
    case STEME_ON_CLAIM: return touch_claim(reader, touched, &vote->target, arena, err);
    case STEME_ON_ASSERTION:
        status = find_record(reader, &vote->target.hash, &type, &entry, err);
        if (status || type != STEME_ASSERTION) return status == STEME_NOT_FOUND ? STEME_OK : status;
        return touch_assertion(touched, &entry, NULL, arena, err);
    case STEME_ON_EPOCH:
    case STEME_ON_VOTE: return STEME_OK;
    }
    unreachable_here();
}

static steme_status touch_target(struct reader *reader, struct touched *touched, const struct steme_hash *id,
                                 struct arena *scratch, struct arena *arena, struct steme_error *err)
{
    enum steme_type type = STEME_BUNDLE;
    struct wal_entry entry;
    struct steme_record record;
    steme_status status = find_record(reader, id, &type, &entry, err);
    if (status) return status == STEME_NOT_FOUND ? STEME_OK : status;
    if (type == STEME_ASSERTION) return touch_assertion(touched, &entry, NULL, arena, err);
    if (type != STEME_VOTE) return STEME_OK;
    status = record_decode(entry.bytes, scratch, &record, err);
    if (!status && record.type != STEME_VOTE)
        status = error_set(err, STEME_CORRUPT, "the index calls a record a vote that is none");
    return status ? status : touch_vote(reader, touched, &record.as.vote, arena, err);
}

static steme_status touch_decoded(struct reader *reader, struct touched *touched, const struct steme_record *record,
                                  struct arena *scratch, struct arena *arena, struct steme_error *err)
{
    steme_status status = STEME_OK;
    if (record->type == STEME_VOTE) return touch_vote(reader, touched, &record->as.vote, arena, err);
    if (record->type == STEME_EPOCH) touched->epochs = true;
    if (record->type != STEME_REVISION) return STEME_OK;
    for (size_t i = 0; !status && i < record->as.revision.target_count; i++)
        status = touch_target(reader, touched, &record->as.revision.targets[i].hash, scratch, arena, err);
    return status;
}

steme_status touched_add(struct reader *reader, const struct wal_entry *entry, const struct identity *identity,
                         struct arena *arena, struct touched *touched, struct steme_error *err)
{
    enum { SCRATCH_CEILING_BYTES = 64 << 20 }; /* holds any record decoded, many times over */
    enum steme_type type = STEME_BUNDLE;
    if (record_check(entry->bytes, &type, NULL) || type == STEME_BUNDLE) return STEME_OK;
    if (type == STEME_ASSERTION) return touch_assertion(touched, entry, identity, arena, err);
    struct arena scratch;
    struct steme_record record;
    arena_init(&scratch, SCRATCH_CEILING_BYTES);
    steme_status status = record_decode(entry->bytes, &scratch, &record, err);
    if (!status) status = touch_decoded(reader, touched, &record, &scratch, arena, err);
    arena_deinit(&scratch);
    return status;
}
