/* SPDX-License-Identifier: Apache-2.0 */
#include "lattice/touched.h"

#include "base/check.h"
#include "base/id16.h"
#include "base/slice.h"
#include "lattice/projection.h"
#include "model/record.h"

#include <stdlib.h>

static const char cardinality_predicate[] = "steme:cardinality";

int slot_ref_compare(const struct slot_ref *a, const struct slot_ref *b)
{
    if (a->route != b->route) return a->route < b->route ? -1 : 1;
    if (a->predicate != b->predicate) return a->predicate < b->predicate ? -1 : 1;
    return memcmp(a->slot, b->slot, sizeof a->slot);
}

struct touched touched_by(const uint8_t (*trusted)[16], size_t trusted_count)
{
    return (struct touched){ .trusted = trusted, .trusted_count = trusted_count };
}

/* ---- lists ---- */

/* A claim that was voted on: of its slot only the route is known. */
struct claim_ref {
    uint64_t route;
    uint8_t claim[16];
    bool found;
};

static int compare_slots(const void *left, const void *right) { return slot_ref_compare(left, right); }

static int compare_predicates(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

static int compare_claims(const void *left, const void *right)
{
    const struct claim_ref *a = left, *b = right;
    if (a->route != b->route) return a->route < b->route ? -1 : 1;
    return id16_compare(a->claim, b->claim);
}

/* What a list has in it. */
struct element {
    size_t size;
    int (*compare)(const void *left, const void *right);
};
static const struct element slot_element = { sizeof(struct slot_ref), compare_slots },
                            predicate_element = { sizeof(uint32_t), compare_predicates },
                            claim_element = { sizeof(struct claim_ref), compare_claims };

static void *item_at(const struct touched_list *list, size_t index, const struct element *element)
{
    return (uint8_t *)list->items + index * element->size;
}

static void sort_list(struct touched_list *list, const struct element *element)
{
    size_t kept = 0;
    if (list->count) qsort(list->items, list->count, element->size, element->compare);
    for (size_t i = 0; i < list->count; i++) {
        const void *item = item_at(list, i, element);
        if (kept && element->compare(item, item_at(list, kept - 1, element)) == 0) continue;
        if (kept < i) memcpy(item_at(list, kept, element), item, element->size);
        kept++;
    }
    list->count = kept;
}

static steme_status add(struct touched_list *list, const void *item, const struct element *element, struct arena *arena,
                        struct steme_error *err)
{
    if (list->count && element->compare(item_at(list, list->count - 1, element), item) == 0) return STEME_OK;
    /* A full list may hold items many times over: it grows only if half of it and more is left. */
    bool full = list->count == list->capacity;
    if (full) sort_list(list, element);
    if (full && 2 * list->count >= list->capacity) {
        size_t taken = list->capacity;
        if (!arena_grow(arena, &list->items, taken, 1, &list->capacity, element->size)) return arena_full(arena, err);
    }
    memcpy(item_at(list, list->count++, element), item, element->size);
    return STEME_OK;
}

static bool has(const struct touched_list *list, const void *item, const struct element *element)
{
    return list->count && bsearch(item, list->items, list->count, element->size, element->compare) != NULL;
}

static steme_status add_slot(struct touched *touched, const struct slot_ref *slot, struct arena *arena,
                             struct steme_error *err)
{
    steme_status status = add(&touched->found, slot, &slot_element, arena, err);
    return status ? status : add(&touched->predicates, &slot->predicate, &predicate_element, arena, err);
}

/* ---- what is named ---- */

bool touched_has_all_of(const struct touched *touched, uint32_t predicate, struct reach reach)
{
    return touched->epochs || (reach.endorsements && touched->weights) ||
           has(&touched->schemas, &predicate, &predicate_element) ||
           (reach.predicate && has(&touched->predicates, &predicate, &predicate_element));
}

bool touched_has(const struct touched *touched, const struct slot_ref *slot, struct reach reach)
{
    return touched_has_all_of(touched, slot->predicate, reach) || has(&touched->found, slot, &slot_element);
}

bool touched_widely(const struct touched *touched, struct reach reach)
{
    return touched->epochs || (reach.endorsements && touched->weights) || touched->schemas.count ||
           (reach.predicate && touched->predicates.count);
}

/* ---- what a record bears on ---- */

struct adding {
    struct reader *reader;
    struct touched *touched;
    struct arena *arena;  /* of the lists */
    struct arena scratch; /* of what is read meanwhile */
};

static bool trusts(const struct touched *touched, const uint8_t voice[16])
{
    return id16_find(touched->trusted, touched->trusted_count, voice) < touched->trusted_count;
}

static steme_status touch_identity(struct adding *a, const struct assertion_view *view, const struct identity *identity,
                                   struct steme_error *err)
{
    struct slot_ref slot = { .route = identity->route, .predicate = identity->predicate };
    memcpy(slot.slot, identity->slot.bytes, sizeof slot.slot);
    steme_status status = add_slot(a->touched, &slot, a->arena, err);
    bool schema = slice_equal(view->predicate, slice_text(cardinality_predicate)) &&
                  trusts(a->touched, identity->voice.bytes);
    if (status || !schema) return status;
    /* A schema's subject is a predicate: the hash of the one begins with the hash of the other. */
    uint32_t predicate = (uint32_t)(identity->route >> 32);
    return add(&a->touched->schemas, &predicate, &predicate_element, a->arena, err);
}

static steme_status touch_assertion(struct adding *a, const struct wal_entry *entry, struct steme_error *err)
{
    struct assertion_view view;
    struct identity identity;
    steme_status status = assertion_view_trusted(entry->bytes, &view, err);
    if (!status) status = identity_many(&view, 1, &identity, &a->scratch, err);
    return status ? status : touch_identity(a, &view, &identity, err);
}

static steme_status touch_claim(struct adding *a, const struct steme_target *target, struct steme_error *err)
{
    struct claim_ref claim = { .route = target->route };
    memcpy(claim.claim, target->hash.bytes, sizeof claim.claim);
    return add(&a->touched->claims, &claim, &claim_element, a->arena, err);
}

/* The record of this id, if it is there: *type_out says what it is. STEME_NOT_FOUND. */
static steme_status find_record(struct reader *reader, const struct steme_hash *id, enum steme_type *type_out,
                                struct wal_entry *out, struct steme_error *err)
{
    uint64_t location = 0;
    steme_status status = evidence_locate(reader, id->bytes, type_out, &location, err);
    return status ? status : evidence_named(reader, location, id->bytes, out, err);
}

static steme_status touch_vote(struct adding *a, const struct steme_vote *vote, struct steme_error *err)
{
    enum steme_type type = STEME_BUNDLE;
    struct wal_entry entry;
    steme_status status = STEME_OK;
    switch (vote->target.kind) {
    case STEME_ON_AGENT:
    case STEME_ON_SOURCE: a->touched->weights = true; return STEME_OK;
    case STEME_ON_CLAIM: return touch_claim(a, &vote->target, err);
    case STEME_ON_ASSERTION:
        status = find_record(a->reader, &vote->target.hash, &type, &entry, err);
        if (status || type != STEME_ASSERTION) return status == STEME_NOT_FOUND ? STEME_OK : status;
        return touch_assertion(a, &entry, err);
    case STEME_ON_EPOCH:
    case STEME_ON_VOTE: return STEME_OK;
    }
    unreachable_here();
}

/* A target is found by its id alone, whatever kind the revision says, as evidence finds it. */
static steme_status touch_target(struct adding *a, const struct steme_revision *revision, const struct steme_hash *id,
                                 struct steme_error *err)
{
    enum steme_type type = STEME_BUNDLE;
    struct wal_entry entry;
    struct steme_record record;
    steme_status status = find_record(a->reader, id, &type, &entry, err);
    if (status) return status == STEME_NOT_FOUND ? STEME_OK : status;
    if (memcmp(record_author(entry.bytes), revision->author.bytes, 32) != 0) return STEME_OK;
    if (type == STEME_ASSERTION) return touch_assertion(a, &entry, err);
    if (type != STEME_VOTE) return STEME_OK;
    status = record_decode(entry.bytes, &a->scratch, &record, err);
    if (!status && record.type != STEME_VOTE)
        status = error_set(err, STEME_CORRUPT, "the index calls a record a vote that is none");
    return status ? status : touch_vote(a, &record.as.vote, err);
}

static steme_status touch_record(struct adding *a, const struct wal_entry *entry, const struct projected *projected,
                                 struct steme_error *err)
{
    struct steme_record record;
    if (projected->dead) return STEME_OK;
    if (projected->type == STEME_ASSERTION) return touch_identity(a, &projected->view, &projected->identity, err);
    if (projected->type == STEME_EPOCH) a->touched->epochs = true;
    if (projected->type != STEME_VOTE && projected->type != STEME_REVISION) return STEME_OK;
    steme_status status = record_decode(entry->bytes, &a->scratch, &record, err);
    if (status) return status;
    if (record.type == STEME_VOTE) return touch_vote(a, &record.as.vote, err);
    const struct steme_revision *revision = &record.as.revision;
    for (size_t i = 0; !status && i < revision->target_count; i++)
        status = touch_target(a, revision, &revision->targets[i].hash, err);
    return status;
}

steme_status touched_add(struct reader *reader, const struct wal_entry *entries, size_t count, struct arena *arena,
                         struct touched *touched, struct steme_error *err)
{
    enum { SCRATCH_CEILING_BYTES = 1 << 30 }; /* holds what the log gives out at once, prepared */
    struct adding a = { .reader = reader, .touched = touched, .arena = arena };
    struct projected *projected = NULL;
    if (!count) return STEME_OK;
    arena_init(&a.scratch, SCRATCH_CEILING_BYTES);
    steme_status status = projection_prepare(entries, count, &a.scratch, &projected, err);
    for (size_t i = 0; !status && i < count; i++) {
        struct arena_mark start = arena_mark(&a.scratch);
        status = touch_record(&a, &entries[i], &projected[i], err);
        arena_rewind(&a.scratch, start);
    }
    arena_deinit(&a.scratch);
    return status;
}

/* ---- claims to slots ---- */

/* One walk over a subject's rows, as far as it takes to find the slot of each claim. A claim's id has its slot hashed
 * in: it is of one slot only. */
static steme_status find_claims(struct reader *reader, struct claim_ref *claims, size_t count, struct arena *arena,
                                struct touched *touched, struct steme_error *err)
{
    struct key_bytes prefix;
    struct kv_cursor cursor = { 0 };
    struct kv_pair pair;
    size_t left = count;
    key_route_prefix(&prefix, 'S', claims->route);
    steme_status status = kv_seek(reader->txn, key_slice(&prefix), key_slice(&prefix), &cursor, &pair, err);
    while (!status && left) {
        struct slot_ref slot;
        struct slot_row row;
        struct claim_ref wanted = { .route = claims->route }, *claim = NULL;
        status = row_slot(pair.key, pair.value, &slot, &row, err);
        if (status) break;
        memcpy(wanted.claim, row.claim, sizeof wanted.claim);
        if (row.location < reader->limit) claim = bsearch(&wanted, claims, count, sizeof *claims, compare_claims);
        if (claim && !claim->found) {
            claim->found = true;
            left--;
            status = add_slot(touched, &slot, arena, err);
        }
        if (!status) status = kv_next(&cursor, &pair, err);
    }
    kv_cursor_end(&cursor);
    return status == STEME_NOT_FOUND ? STEME_OK : status;
}

steme_status touched_settle(struct reader *reader, struct arena *arena, struct touched *touched,
                            struct steme_error *err)
{
    steme_status status = STEME_OK;
    struct claim_ref *claims = touched->claims.items;
    sort_list(&touched->claims, &claim_element);
    for (size_t first = 0, end; !status && first < touched->claims.count; first = end) {
        for (end = first + 1; end < touched->claims.count && claims[end].route == claims[first].route;)
            end++;
        status = find_claims(reader, claims + first, end - first, arena, touched, err);
    }
    touched->claims.count = 0;
    sort_list(&touched->found, &slot_element);
    sort_list(&touched->predicates, &predicate_element);
    sort_list(&touched->schemas, &predicate_element);
    touched->slots = touched->found.items;
    touched->slot_count = touched->found.count;
    return status;
}
