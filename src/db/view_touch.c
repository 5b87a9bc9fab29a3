/* SPDX-License-Identifier: Apache-2.0 */
#include "db/view_touch.h"

#include "base/check.h"
#include "base/id16.h"
#include "base/slice.h"
#include "model/record.h"

#include <stdlib.h>

/* A claim that was voted on: of its slot only the route is known. */
struct claim_ref {
    uint64_t route;
    uint8_t claim[16];
};

struct finder {
    struct reader *reader;
    const struct trust *trust;
    struct arena *arena;
    struct slot_ref *slots;
    size_t slot_count, slot_capacity;
    struct claim_ref *claims;
    size_t claim_count, claim_capacity;
    struct steme_slice *schemas;
    size_t schema_count, schema_capacity;
    bool epochs, weights;
};

/* Room for one more of `size` bytes. */
static steme_status grow(struct arena *arena, void **list, size_t count, size_t *capacity, size_t size,
                         struct steme_error *err)
{
    if (count < *capacity) return STEME_OK;
    size_t wanted = *capacity ? 2 * *capacity : 64;
    void *grown = arena_alloc(arena, wanted * size);
    if (!grown) return arena_full(arena, err);
    if (count) memcpy(grown, *list, count * size);
    *list = grown;
    *capacity = wanted;
    return STEME_OK;
}

static steme_status add_slot(struct finder *f, const struct slot_ref *slot, struct steme_error *err)
{
    void *list = f->slots;
    steme_status status = grow(f->arena, &list, f->slot_count, &f->slot_capacity, sizeof *f->slots, err);
    f->slots = list;
    if (!status) f->slots[f->slot_count++] = *slot;
    return status;
}

static steme_status add_claim(struct finder *f, const struct steme_target *target, struct steme_error *err)
{
    void *list = f->claims;
    steme_status status = grow(f->arena, &list, f->claim_count, &f->claim_capacity, sizeof *f->claims, err);
    f->claims = list;
    if (status) return status;
    struct claim_ref *claim = &f->claims[f->claim_count++];
    claim->route = target->route;
    memcpy(claim->claim, target->hash.bytes, sizeof claim->claim);
    return STEME_OK;
}

static steme_status add_schema(struct finder *f, struct steme_slice predicate, struct steme_error *err)
{
    void *list = f->schemas;
    steme_status status = grow(f->arena, &list, f->schema_count, &f->schema_capacity, sizeof *f->schemas, err);
    f->schemas = list;
    if (!status) f->schemas[f->schema_count++] = predicate;
    return status;
}

/* ---- records ---- */

static steme_status touch_assertion(struct finder *f, const struct assertion_view *view,
                                    const struct identity *identity, struct steme_error *err)
{
    struct slot_ref slot = { .route = identity->route, .predicate = identity->predicate };
    memcpy(slot.slot, identity->slot.bytes, sizeof slot.slot);
    steme_status status = add_slot(f, &slot, err);
    bool schema = slice_equal(view->predicate, slice_text("steme:cardinality")) &&
                  id16_find((const uint8_t(*)[16])f->trust->ids, f->trust->count, identity->voice.bytes) <
                      f->trust->count;
    return !status && schema ? add_schema(f, view->subject, err) : status;
}

/* The record of this id; *found_out false: it has not come yet. */
static steme_status find_record(struct finder *f, const uint8_t id[16], struct wal_entry *out,
                                enum steme_type *type_out, bool *found_out, struct steme_error *err)
{
    uint64_t location = 0;
    *found_out = false;
    steme_status status = evidence_locate(f->reader, id, type_out, &location, err);
    if (status == STEME_NOT_FOUND) return STEME_OK;
    if (!status) status = evidence_named(f->reader, location, id, out, err);
    *found_out = !status;
    return status;
}

static steme_status touch_entry(struct finder *f, const struct wal_entry *entry, struct steme_error *err)
{
    struct assertion_view view;
    struct identity identity;
    steme_status status = assertion_view_trusted(entry->bytes, &view, err);
    if (!status) status = identity_many(&view, 1, &identity, f->arena, err);
    return status ? status : touch_assertion(f, &view, &identity, err);
}

static steme_status touch_vote(struct finder *f, const struct steme_vote *vote, struct steme_error *err)
{
    struct wal_entry entry;
    enum steme_type type = STEME_BUNDLE;
    bool found = false;
    steme_status status = STEME_OK;
    switch (vote->target.kind) {
    case STEME_ON_ASSERTION:
        status = find_record(f, vote->target.hash.bytes, &entry, &type, &found, err);
        return !status && found && type == STEME_ASSERTION ? touch_entry(f, &entry, err) : status;
    case STEME_ON_CLAIM: return add_claim(f, &vote->target, err);
    case STEME_ON_AGENT:
    case STEME_ON_SOURCE: f->weights = true; return STEME_OK;
    case STEME_ON_EPOCH:
    case STEME_ON_VOTE: return STEME_OK;
    }
    unreachable_here();
}

/* A target is found by its id alone, whatever kind the revision says, as evidence finds it. */
static steme_status touch_target(struct finder *f, const struct steme_revision *revision,
                                 const struct steme_target *target, struct steme_error *err)
{
    struct wal_entry entry;
    struct steme_record record;
    enum steme_type type = STEME_BUNDLE;
    bool found = false;
    steme_status status = find_record(f, target->hash.bytes, &entry, &type, &found, err);
    if (status || !found || memcmp(record_author(entry.bytes), revision->author.bytes, 32) != 0) return status;
    if (type == STEME_ASSERTION) return touch_entry(f, &entry, err);
    if (type != STEME_VOTE) return STEME_OK;
    status = record_decode(entry.bytes, f->arena, &record, err);
    return status ? status : touch_vote(f, &record.as.vote, err);
}

static steme_status touch_record(struct finder *f, const struct wal_entry *entry, const struct projected *projected,
                                 struct steme_error *err)
{
    struct steme_record record;
    if (projected->dead) return STEME_OK;
    if (projected->type == STEME_ASSERTION) return touch_assertion(f, &projected->view, &projected->identity, err);
    f->epochs = f->epochs || projected->type == STEME_EPOCH;
    if (projected->type != STEME_VOTE && projected->type != STEME_REVISION) return STEME_OK;
    steme_status status = record_decode(entry->bytes, f->arena, &record, err);
    if (!status && record.type == STEME_VOTE) return touch_vote(f, &record.as.vote, err);
    const struct steme_revision *revision = &record.as.revision;
    for (size_t i = 0; !status && i < revision->target_count; i++)
        status = touch_target(f, revision, &revision->targets[i], err);
    return status;
}

/* ---- claims to slots ---- */

static int compare_claims(const void *left, const void *right)
{
    const struct claim_ref *a = left, *b = right;
    if (a->route != b->route) return a->route < b->route ? -1 : 1;
    return id16_compare(a->claim, b->claim);
}

/* One scan over a subject's rows for all claims of it. */
static steme_status touch_route(struct finder *f, const struct claim_ref *claims, size_t count, struct steme_error *err)
{
    struct key_bytes prefix;
    struct kv_cursor cursor = { 0 };
    struct kv_pair pair;
    key_route_prefix(&prefix, 'S', claims->route);
    steme_status status = kv_seek(f->reader->txn, key_slice(&prefix), key_slice(&prefix), &cursor, &pair, err);
    while (!status) {
        struct slot_ref slot;
        struct slot_row row;
        status = row_slot(pair.key, pair.value, &slot, &row, err);
        if (status) break;
        struct claim_ref wanted = { .route = claims->route };
        memcpy(wanted.claim, row.claim, sizeof wanted.claim);
        if (bsearch(&wanted, claims, count, sizeof *claims, compare_claims)) status = add_slot(f, &slot, err);
        if (!status) status = kv_next(&cursor, &pair, err);
    }
    kv_cursor_end(&cursor);
    return status == STEME_NOT_FOUND ? STEME_OK : status;
}

static steme_status touch_claims(struct finder *f, struct steme_error *err)
{
    steme_status status = STEME_OK;
    if (f->claim_count) qsort(f->claims, f->claim_count, sizeof *f->claims, compare_claims);
    for (size_t first = 0, end; !status && first < f->claim_count; first = end) {
        for (end = first + 1; end < f->claim_count && f->claims[end].route == f->claims[first].route;)
            end++;
        status = touch_route(f, f->claims + first, end - first, err);
    }
    return status;
}

/* ---- the whole ---- */

static int compare_slots(const void *left, const void *right)
{
    const struct slot_ref *a = left, *b = right;
    if (a->route != b->route) return a->route < b->route ? -1 : 1;
    if (a->predicate != b->predicate) return a->predicate < b->predicate ? -1 : 1;
    return id16_compare(a->slot, b->slot);
}

static size_t sort_slots(struct slot_ref *slots, size_t count)
{
    size_t kept = 0;
    if (count) qsort(slots, count, sizeof *slots, compare_slots);
    for (size_t i = 0; i < count; i++)
        if (!kept || compare_slots(&slots[i], &slots[kept - 1]) != 0) slots[kept++] = slots[i];
    return kept;
}

steme_status view_touch_find(struct reader *reader, const struct trust *trust, const struct wal_entry *entries,
                             size_t count, struct arena *arena, struct view_touch *out, struct steme_error *err)
{
    struct finder f = { .reader = reader, .trust = trust, .arena = arena };
    struct projected *projected = NULL;
    steme_status status = count ? projection_prepare(entries, count, arena, &projected, err) : STEME_OK;
    for (size_t i = 0; !status && i < count; i++)
        status = touch_record(&f, &entries[i], &projected[i], err);
    if (!status) status = touch_claims(&f, err);
    if (status) return status;
    *out = (struct view_touch){ .slots = f.slots,
                                .slot_count = sort_slots(f.slots, f.slot_count),
                                .schemas = f.schemas,
                                .schema_count = f.schema_count,
                                .epochs = f.epochs,
                                .weights = f.weights };
    return STEME_OK;
}

bool view_touch_all(const struct view_touch *touch, const struct view_spec *spec)
{
    if (touch->epochs || (touch->weights && spec->global)) return true;
    for (size_t i = 0; i < touch->schema_count; i++)
        if (spec->definition.predicate.size == 0 || slice_equal(spec->definition.predicate, touch->schemas[i]))
            return true;
    return false;
}
