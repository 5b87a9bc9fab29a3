/* SPDX-License-Identifier: Apache-2.0 */
/* Writing: admission on the caller's thread, a look whether the record is there already, and the log's group commit. The
 * index follows; a copy that slips in before it does is recognised by the ingestor and has no effect. */
#include "base/buf.h"
#include "base/check.h"
#include "base/hash.h"
#include "base/slice.h"
#include "db/signer.h"
#include "db/store.h"
#include "model/record.h"
#include "spine/admission.h"

#include <stdlib.h>

enum { CALL_CEILING_BYTES = 256 << 20 };

/* ---- what is there already ---- */

/* A snapshot of the index for look-ups by id. */
struct lookup {
    struct index *index;
    struct reader reader;
};

static steme_status lookup_begin(struct steme_store *store, struct lookup *lookup, struct steme_error *err)
{
    struct kv_txn *txn = NULL;
    lookup->index = store_index(store);
    steme_status status = kv_begin(lookup->index->kv, KV_READ, &txn, err);
    if (status) index_release(&lookup->index);
    else reader_init(&lookup->reader, store->wal, &txn, UINT64_MAX, STEME_TIME_MAX);
    return status;
}

static void lookup_end(struct lookup *lookup)
{
    reader_deinit(&lookup->reader);
    index_release(&lookup->index);
}

/* Whether the log has the record; then *receipt tells of it. What the index says is held against the record; an index that
 * lies counts as "not there": writing a record twice is harmless, the next read or step finds the lie. */
static bool already_there(struct lookup *lookup, const struct steme_hash *id, struct steme_receipt *receipt)
{
    uint64_t location = 0;
    struct wal_entry entry;
    if (evidence_locate(&lookup->reader, id->bytes, NULL, &location, NULL)) return false;
    if (wal_read(lookup->reader.wal, location, &entry, NULL)) return false;
    if (memcmp(&entry.id, id, sizeof *id) != 0) return false;
    *receipt = (struct steme_receipt){ .id = *id, .sequence = entry.sequence, .duplicate = true };
    return true;
}

/* ---- submit ---- */

/* Members of a bundle that is there already are there as well. */
static void receive_copies(struct lookup *lookup, const struct admitted *group, struct steme_receipt *receipts)
{
    for (size_t i = 1; i < group->group_count; i++) {
        receipts[i] = (struct steme_receipt){ .id = group[i].record.id, .duplicate = true };
        (void)already_there(lookup, &group[i].record.id, &receipts[i]);
    }
}

static bool earlier_in_call(const struct admitted *admitted, size_t at, const struct wal_record *kept, size_t kept_count)
{
    /* Only whole groups repeat; calls with many single records are rare, and then short. */
    for (size_t i = 0; i < kept_count; i++)
        if (memcmp(&kept[i].id, &admitted[at].record.id, sizeof kept[i].id) == 0) return true;
    return false;
}

/* Collect what has to be written, whole groups at a time; origin[k] is the place of kept[k] in the call. */
static steme_status keep_new(struct steme_store *store, const struct admitted *admitted, size_t count,
                             struct steme_receipt *receipts, struct wal_record *kept, size_t *origin, size_t *kept_out,
                             struct steme_error *err)
{
    struct lookup lookup;
    size_t kept_count = 0, singles = 0;
    steme_status status = lookup_begin(store, &lookup, err);
    if (status) return status;
    for (size_t i = 0; i < count; i += admitted[i].group_count) {
        if (already_there(&lookup, &admitted[i].record.id, &receipts[i])) {
            receive_copies(&lookup, &admitted[i], receipts + i);
            continue;
        }
        /* Copies inside one call would only be written twice and recognised later; short calls look. */
        singles++;
        if (singles <= 64 && earlier_in_call(admitted, i, kept, kept_count)) {
            for (size_t k = 0; k < admitted[i].group_count; k++)
                receipts[i + k] = (struct steme_receipt){ .id = admitted[i + k].record.id, .duplicate = true };
            continue;
        }
        for (size_t k = 0; k < admitted[i].group_count; k++, kept_count++) {
            kept[kept_count] = admitted[i + k].record;
            origin[kept_count] = i + k;
        }
    }
    lookup_end(&lookup);
    *kept_out = kept_count;
    return STEME_OK;
}

/* A duplicate inside the call has the sequence of its first copy. */
static void settle_repeats(const struct admitted *admitted, size_t count, struct steme_receipt *receipts)
{
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; receipts[i].duplicate && receipts[i].sequence == 0 && k < i; k++)
            if (memcmp(&admitted[k].record.id, &admitted[i].record.id, sizeof admitted[k].record.id) == 0)
                receipts[i].sequence = receipts[k].sequence;
}

static steme_status write_admitted(struct steme_store *store, const struct admitted *admitted, size_t count,
                                   struct arena *arena, struct steme_receipt *receipts, struct steme_error *err)
{
    struct wal_record *kept = arena_alloc(arena, count * sizeof *kept);
    size_t *origin = arena_alloc(arena, count * sizeof *origin);
    struct wal_place *places = arena_alloc(arena, count * sizeof *places);
    struct steme_receipt *made = arena_calloc(arena, count, sizeof *made);
    size_t kept_count = 0;
    if (!kept || !origin || !places || !made) return arena_full(arena, err);
    steme_status status = keep_new(store, admitted, count, made, kept, origin, &kept_count, err);
    if (!status && kept_count) status = wal_append(store->wal, kept, kept_count, places, err);
    if (status) return status;
    for (size_t k = 0; k < kept_count; k++)
        made[origin[k]] = (struct steme_receipt){ .id = kept[k].id, .sequence = places[k].sequence };
    settle_repeats(admitted, count, made);
    memcpy(receipts, made, count * sizeof *made);
    return STEME_OK;
}

static steme_status refuse_reader(const struct steme_store *store, struct steme_error *err)
{
    return store->read_only ? error_set(err, STEME_READ_ONLY, "the store is open for reading only") : STEME_OK;
}

static steme_status submit(struct steme_store *store, const struct steme_signed *records, size_t count, bool verify,
                           struct arena *arena, struct steme_receipt *receipts, size_t *bad_out,
                           struct steme_error *err)
{
    struct admitted *admitted = NULL;
    if (bad_out) *bad_out = count;
    steme_status status = refuse_reader(store, err);
    if (!status) status = admission_check(records, count, verify, arena, &admitted, bad_out, err);
    return status ? status : write_admitted(store, admitted, count, arena, receipts, err);
}

steme_status steme_submit(struct steme_store *store, const struct steme_signed *records, size_t count,
                          struct steme_receipt *receipts, size_t *bad_out, struct steme_error *err)
{
    struct arena arena;
    arena_init(&arena, CALL_CEILING_BYTES);
    steme_status status = submit(store, records, count, true, &arena, receipts, bad_out, err);
    arena_deinit(&arena);
    return status;
}

/* ---- one record ---- */

static steme_status sign_as(struct steme_record *record, const struct steme_key *key, struct steme_error *err)
{
    switch (record->type) {
    case STEME_ASSERTION: record->as.assertion.author = *key; return STEME_OK;
    case STEME_VOTE: record->as.vote.voter = *key; return STEME_OK;
    case STEME_EPOCH: record->as.epoch.author = *key; return STEME_OK;
    case STEME_REVISION: record->as.revision.author = *key; return STEME_OK;
    case STEME_BUNDLE: break;
    }
    return error_set(err, STEME_BAD_INPUT, "a bundle is made by steme_write_bundle()");
}

steme_status steme_write(struct steme_store *store, const struct steme_signer *signer,
                         const struct steme_record *record, struct steme_receipt *receipt, struct steme_error *err)
{
    struct arena arena;
    struct buf bytes;
    struct steme_record own = *record;
    arena_init(&arena, CALL_CEILING_BYTES);
    buf_init(&bytes, STEME_RECORD_MAX);
    steme_status status = sign_as(&own, &signer->secret.key, err);
    if (!status) status = record_encode(&own, &bytes, err);
    if (!status) {
        struct steme_hash id = record_id(buf_slice(&bytes));
        struct steme_signed piece = { buf_slice(&bytes), true, sign_record(&signer->secret, &id) };
        status = submit(store, &piece, 1, false, &arena, receipt, NULL, err);
    }
    buf_deinit(&bytes);
    arena_deinit(&arena);
    return status;
}

/* ---- many assertions under one signature ---- */

struct draft {
    size_t offset, size; /* of the encoded assertion in the common buffer */
    struct steme_hash id;
    bool left_out;
};

static steme_status encode_drafts(const struct steme_signer *signer, const struct steme_assertion *assertions,
                                  size_t count, struct buf *bytes, struct draft *drafts, size_t *bad,
                                  struct steme_error *err)
{
    for (*bad = 0; *bad < count; ++*bad) {
        struct steme_record record = { .type = STEME_ASSERTION, .as.assertion = assertions[*bad] };
        record.as.assertion.author = signer->secret.key;
        drafts[*bad].offset = bytes->size;
        steme_status status = record_encode(&record, bytes, err);
        if (status) return status;
        drafts[*bad].size = bytes->size - drafts[*bad].offset;
    }
    return STEME_OK;
}

static steme_status hash_drafts(const struct buf *bytes, struct draft *drafts, size_t count, struct arena *arena,
                                struct steme_error *err)
{
    struct steme_slice *inputs = arena_alloc(arena, count * sizeof *inputs);
    struct steme_hash *ids = arena_alloc(arena, count * sizeof *ids);
    if (!inputs || !ids) return arena_full(arena, err);
    for (size_t i = 0; i < count; i++)
        inputs[i] = slice_of(bytes->data + drafts[i].offset, drafts[i].size);
    hash_many(inputs, count, ids);
    for (size_t i = 0; i < count; i++)
        drafts[i].id = ids[i];
    return STEME_OK;
}

struct numbered {
    struct steme_hash id;
    size_t index;
};

static int compare_numbered(const void *left, const void *right)
{
    const struct numbered *a = left, *b = right;
    int order = memcmp(&a->id, &b->id, sizeof a->id);
    return order ? order : (a->index > b->index) - (a->index < b->index);
}

/* Mark what repeats within the call; repeat_of[i] is the first of its kind. */
static steme_status leave_out_repeats(struct draft *drafts, size_t count, size_t *repeat_of, struct arena *arena,
                                      struct steme_error *err)
{
    struct numbered *sorted = arena_alloc(arena, count * sizeof *sorted);
    if (!sorted) return arena_full(arena, err);
    for (size_t i = 0; i < count; i++)
        sorted[i] = (struct numbered){ drafts[i].id, i };
    qsort(sorted, count, sizeof *sorted, compare_numbered);
    for (size_t i = 0, first = 0; i < count; i++) {
        if (i && memcmp(&sorted[i].id, &sorted[first].id, sizeof sorted[i].id) != 0) first = i;
        repeat_of[sorted[i].index] = sorted[first].index;
        drafts[sorted[i].index].left_out = first != i;
    }
    return STEME_OK;
}

static steme_status leave_out_known(struct steme_store *store, struct draft *drafts, size_t count,
                                    struct steme_receipt *receipts, struct steme_error *err)
{
    struct lookup lookup;
    steme_status status = lookup_begin(store, &lookup, err);
    if (status) return status;
    for (size_t i = 0; i < count; i++)
        if (!drafts[i].left_out) drafts[i].left_out = already_there(&lookup, &drafts[i].id, &receipts[i]);
    lookup_end(&lookup);
    return STEME_OK;
}

/* Sign the list of what is left and write it with its members. */
static steme_status write_bundle(struct steme_store *store, const struct steme_signer *signer, const struct buf *bytes,
                                 const struct draft *drafts, size_t count, struct arena *arena,
                                 struct steme_receipt *receipts, struct steme_error *err)
{
    struct steme_hash *members = arena_alloc(arena, count * sizeof *members);
    struct wal_record *records = arena_alloc(arena, (count + 1) * sizeof *records);
    struct wal_place *places = arena_alloc(arena, (count + 1) * sizeof *places);
    size_t *origin = arena_alloc(arena, count * sizeof *origin), kept = 0;
    struct buf bundle;
    if (!members || !records || !places || !origin) return arena_full(arena, err);
    for (size_t i = 0; i < count; i++) {
        if (drafts[i].left_out) continue;
        records[1 + kept] = (struct wal_record){ slice_of(bytes->data + drafts[i].offset, drafts[i].size),
                                                 drafts[i].id, NULL };
        members[kept] = drafts[i].id;
        origin[kept++] = i;
    }
    if (!kept) return STEME_OK;
    struct steme_record list = { .type = STEME_BUNDLE,
                                 .as.bundle = { signer->secret.key, members, kept } };
    buf_init(&bundle, STEME_RECORD_MAX);
    steme_status status = record_encode(&list, &bundle, err);
    if (!status) {
        struct steme_hash id = record_id(buf_slice(&bundle));
        struct steme_signature signature = sign_record(&signer->secret, &id);
        records[0] = (struct wal_record){ buf_slice(&bundle), id, &signature };
        status = wal_append(store->wal, records, kept + 1, places, err);
    }
    for (size_t k = 0; !status && k < kept; k++)
        receipts[origin[k]] = (struct steme_receipt){ .id = members[k], .sequence = places[k + 1].sequence };
    buf_deinit(&bundle);
    return status;
}

static steme_status bundle_drafts(struct steme_store *store, const struct steme_signer *signer, const struct buf *bytes,
                                  struct draft *drafts, size_t count, struct arena *arena,
                                  struct steme_receipt *receipts, struct steme_error *err)
{
    struct steme_receipt *made = arena_calloc(arena, count, sizeof *made);
    size_t *repeat_of = arena_calloc(arena, count, sizeof *repeat_of);
    if (!made || !repeat_of) return arena_full(arena, err);
    steme_status status = hash_drafts(bytes, drafts, count, arena, err);
    if (!status) status = leave_out_repeats(drafts, count, repeat_of, arena, err);
    if (!status) status = leave_out_known(store, drafts, count, made, err);
    if (!status) status = write_bundle(store, signer, bytes, drafts, count, arena, made, err);
    if (status) return status;
    for (size_t i = 0; i < count; i++) {
        if (repeat_of[i] == i) continue;
        made[i] = made[repeat_of[i]];
        made[i].duplicate = true;
    }
    memcpy(receipts, made, count * sizeof *made);
    return STEME_OK;
}

steme_status steme_write_bundle(struct steme_store *store, const struct steme_signer *signer,
                                const struct steme_assertion *assertions, size_t count, struct steme_receipt *receipts,
                                size_t *bad_out, struct steme_error *err)
{
    struct arena arena;
    struct buf bytes;
    size_t bad = count;
    if (bad_out) *bad_out = count;
    if (count == 0 || count > STEME_BUNDLE_MAX)
        return error_set(err, count ? STEME_TOO_LARGE : STEME_BAD_INPUT, "a bundle has 1 to %u assertions, not %zu",
                         STEME_BUNDLE_MAX, count);
    steme_status status = refuse_reader(store, err);
    if (status) return status;
    arena_init(&arena, CALL_CEILING_BYTES);
    buf_init(&bytes, STEME_BATCH_BYTES_MAX);
    struct draft *drafts = arena_calloc(&arena, count, sizeof *drafts);
    status = drafts ? encode_drafts(signer, assertions, count, &bytes, drafts, &bad, err) : arena_full(&arena, err);
    if (bad_out) *bad_out = bad;
    if (!status) status = bundle_drafts(store, signer, &bytes, drafts, count, &arena, receipts, err);
    buf_deinit(&bytes);
    arena_deinit(&arena);
    return status;
}

/* ---- by hand ---- */

steme_status steme_encode(const struct steme_record *record, uint8_t *to, size_t room, size_t *size_out,
                          struct steme_error *err)
{
    struct buf bytes;
    buf_init(&bytes, STEME_RECORD_MAX);
    steme_status status = record_encode(record, &bytes, err);
    if (!status) {
        *size_out = bytes.size;
        if (bytes.size > room)
            status = error_set(err, STEME_TOO_LARGE, "the record has %zu bytes, there is room for %zu", bytes.size, room);
        else memcpy(to, bytes.data, bytes.size);
    }
    buf_deinit(&bytes);
    return status;
}

steme_status steme_record_id(struct steme_slice bytes, struct steme_hash *id_out, struct steme_error *err)
{
    enum steme_type type;
    steme_status status = record_check(bytes, &type, err);
    if (!status) *id_out = record_id(bytes);
    return status;
}

struct steme_signature steme_sign(const struct steme_signer *signer, const struct steme_hash *id)
{
    return sign_record(&signer->secret, id);
}

struct steme_hash steme_agent_id(const struct steme_key *key)
{
    return agent_id(key->bytes);
}

struct steme_hash steme_source_id(struct steme_slice name)
{
    return source_id(name);
}

uint64_t steme_route(struct steme_slice subject)
{
    return route_of_name(subject);
}
