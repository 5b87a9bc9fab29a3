/* SPDX-License-Identifier: Apache-2.0 */
/* Writing: admission on the caller's thread, a look whether the record is there already, and the log's group commit.
 * The index follows; a copy that slips in before it does is recognised by the ingestor and has no effect. */
#include "base/buf.h"
#include "base/check.h"
#include "base/hash.h"
#include "base/slice.h"
#include "base/text.h"
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
    if (status)
        index_release(&lookup->index);
    else
        reader_init(&lookup->reader, store->wal, &txn, UINT64_MAX, STEME_TIME_MAX);
    return status;
}

static void lookup_end(struct lookup *lookup)
{
    reader_deinit(&lookup->reader);
    index_release(&lookup->index);
}

/* Whether the log has the record; then *receipt tells of it. What the index says is held against the record; an index
 * that lies counts as "not there": writing a record twice is harmless, the next read or step finds the lie. */
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

/* ---- what repeats within a call ---- */

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

/* first_of[i]: the first place with the same id as place i, which is i itself where nothing repeats. Sorts items. */
static void find_repeats(struct numbered *items, size_t count, size_t *first_of)
{
    qsort(items, count, sizeof *items, compare_numbered);
    for (size_t i = 0, first = 0; i < count; i++) {
        if (i && memcmp(&items[i].id, &items[first].id, sizeof items[i].id) != 0) first = i;
        first_of[items[i].index] = items[first].index;
    }
}

/* A repeated record was received when its first copy was. */
static void receive_repeats(const size_t *first_of, size_t count, struct steme_receipt *receipts)
{
    for (size_t i = 0; i < count; i++) {
        if (first_of[i] == i) continue;
        receipts[i] = receipts[first_of[i]];
        receipts[i].duplicate = true;
    }
}

/* ---- submit ---- */

/* Whether all of a group is there: rot may have taken a member of a bundle, and then the bundle is written anew. */
static bool group_there(struct lookup *lookup, const struct admitted *group, struct steme_receipt *receipts)
{
    for (size_t i = 0; i < group->group_count; i++)
        if (!already_there(lookup, &group[i].record.id, &receipts[i])) return false;
    return true;
}

/* One call's records on their way into the log; arrays as long as the call. */
struct intake {
    const struct admitted *admitted;
    size_t count;
    size_t *first_of; /* see find_repeats() */
    struct steme_receipt *receipts;
    struct wal_record *kept; /* what has to be written */
    size_t *origin;          /* its place in the call */
    struct wal_place *places;
    size_t kept_count;
};

static steme_status begin_intake(struct intake *in, const struct admitted *admitted, size_t count, struct arena *arena,
                                 struct steme_error *err)
{
    struct numbered *ids = arena_alloc(arena, count * sizeof *ids);
    *in = (struct intake){ .admitted = admitted,
                           .count = count,
                           .first_of = arena_alloc(arena, count * sizeof *in->first_of),
                           .receipts = arena_calloc(arena, count, sizeof *in->receipts),
                           .kept = arena_alloc(arena, count * sizeof *in->kept),
                           .origin = arena_alloc(arena, count * sizeof *in->origin),
                           .places = arena_alloc(arena, count * sizeof *in->places) };
    if (!ids || !in->first_of || !in->receipts || !in->kept || !in->origin || !in->places)
        return arena_full(arena, err);
    for (size_t i = 0; i < count; i++)
        ids[i] = (struct numbered){ admitted[i].record.id, i };
    find_repeats(ids, count, in->first_of);
    return STEME_OK;
}

/* Keep what has to be written, whole groups at a time. A bundle is written with all its members, also those that are
 * there already: they travel together, and a second copy has no effect. */
static steme_status keep_new(struct steme_store *store, struct intake *in, struct steme_error *err)
{
    struct lookup lookup;
    steme_status status = lookup_begin(store, &lookup, err);
    if (status) return status;
    for (size_t i = 0; i < in->count; i += in->admitted[i].group_count) {
        const struct admitted *group = &in->admitted[i];
        if (in->first_of[i] != i) continue;
        if (group_there(&lookup, group, in->receipts + i)) continue;
        for (size_t k = 0; k < group->group_count; k++) {
            in->first_of[i + k] = i + k;
            in->kept[in->kept_count] = group[k].record;
            in->origin[in->kept_count++] = i + k;
        }
    }
    lookup_end(&lookup);
    return STEME_OK;
}

static steme_status write_admitted(struct steme_store *store, const struct admitted *admitted, size_t count,
                                   struct arena *arena, struct steme_receipt *receipts, struct steme_error *err)
{
    struct intake in;
    steme_status status = begin_intake(&in, admitted, count, arena, err);
    if (!status) status = keep_new(store, &in, err);
    if (!status && in.kept_count) status = wal_append(store->wal, in.kept, in.kept_count, in.places, err);
    if (status) return status;
    for (size_t k = 0; k < in.kept_count; k++)
        in.receipts[in.origin[k]] = (struct steme_receipt){ .id = in.kept[k].id, .sequence = in.places[k].sequence };
    receive_repeats(in.first_of, count, in.receipts);
    memcpy(receipts, in.receipts, count * sizeof *receipts);
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

/* ---- records signed here, each by itself ---- */

static steme_status sign_as(struct steme_record *record, const struct steme_key *key, struct steme_error *err)
{
    switch (record->type) {
    case STEME_ASSERTION: record->as.assertion.author = *key; return STEME_OK;
    case STEME_VOTE: record->as.vote.voter = *key; return STEME_OK;
    case STEME_EPOCH: record->as.epoch.author = *key; return STEME_OK;
    case STEME_REVISION: record->as.revision.author = *key; return STEME_OK;
    case STEME_VIEW: record->as.view.author = *key; return STEME_OK;
    case STEME_BUNDLE: break;
    }
    return error_set(err, STEME_BAD_INPUT, "a bundle is made by steme_write_bundle()");
}

/* What would end itself is not signed here. It is no malformed record: one that comes signed, from a store of before,
 * goes in. */
static steme_status refuse_self_replacement(const struct steme_record *record, struct steme_error *err)
{
    const struct steme_revision *it = &record->as.revision;
    char hex[TEXT_HASH_BYTES];
    if (record->type != STEME_REVISION) return STEME_OK;
    for (size_t i = 0; i < it->target_count; i++)
        for (size_t k = 0; k < it->replacement_count; k++) {
            if (memcmp(&it->targets[i].hash, &it->replacements[k], sizeof it->replacements[k]) != 0) continue;
            text_hex(it->replacements[k].bytes, sizeof it->replacements[k].bytes, hex);
            return error_set(err, STEME_BAD_INPUT, "record %.12s would take its own place: name another to replace it",
                             hex);
        }
    return STEME_OK;
}

/* One behind the other into the buffer, ends[i] the end of each. */
static steme_status encode_own(const struct steme_signer *signer, const struct steme_record *records, size_t count,
                               struct buf *bytes, size_t *ends, size_t *bad, struct steme_error *err)
{
    for (*bad = 0; *bad < count; ++*bad) {
        struct steme_record own = records[*bad];
        steme_status status = sign_as(&own, &signer->secret.key, err);
        if (!status) status = record_encode(&own, bytes, err);
        if (!status) status = refuse_self_replacement(&own, err);
        if (status) return status;
        ends[*bad] = bytes->size;
        if (bytes->size <= STEME_BATCH_BYTES_MAX) continue;
        *bad = count; /* none of them is too large by itself */
        return error_set(err, STEME_TOO_LARGE, "%zu records take more than %u bytes of log: write fewer at a time",
                         count, STEME_BATCH_BYTES_MAX);
    }
    return STEME_OK;
}

static steme_status write_own(struct steme_store *store, const struct steme_signer *signer,
                              const struct steme_record *records, size_t count, struct buf *bytes, struct arena *arena,
                              struct steme_receipt *receipts, size_t *bad_out, struct steme_error *err)
{
    size_t *ends = arena_alloc(arena, count * sizeof *ends);
    struct steme_signed *pieces = arena_alloc(arena, count * sizeof *pieces);
    if (!receipts) receipts = arena_alloc(arena, count * sizeof *receipts);
    if (!ends || !pieces || !receipts) return arena_full(arena, err);
    steme_status status = encode_own(signer, records, count, bytes, ends, bad_out, err);
    if (status) return status;
    for (size_t i = 0; i < count; i++) {
        size_t from = i ? ends[i - 1] : 0;
        pieces[i] = (struct steme_signed){ .bytes = slice_of(bytes->data + from, ends[i] - from), .is_signed = true };
        struct steme_hash id = record_id(pieces[i].bytes);
        pieces[i].signature = sign_record(&signer->secret, &id);
    }
    return submit(store, pieces, count, false, arena, receipts, bad_out, err);
}

steme_status steme_write_many(struct steme_store *store, const struct steme_signer *signer,
                              const struct steme_record *records, size_t count, struct steme_receipt *receipts,
                              size_t *bad_out, struct steme_error *err)
{
    struct arena arena;
    struct buf bytes;
    size_t bad = count;
    if (bad_out) *bad_out = count;
    if (count == 0 || count > STEME_BATCH_RECORDS_MAX)
        return error_set(err, count ? STEME_TOO_LARGE : STEME_BAD_INPUT, "a call writes 1 to %u records, not %zu",
                         STEME_BATCH_RECORDS_MAX, count);
    steme_status status = refuse_reader(store, err);
    if (status) return status;
    arena_init(&arena, CALL_CEILING_BYTES);
    buf_init(&bytes, STEME_BATCH_BYTES_MAX + STEME_RECORD_MAX);
    status = write_own(store, signer, records, count, &bytes, &arena, receipts, &bad, err);
    if (bad_out) *bad_out = bad;
    buf_deinit(&bytes);
    arena_deinit(&arena);
    return status;
}

steme_status steme_write(struct steme_store *store, const struct steme_signer *signer,
                         const struct steme_record *record, struct steme_receipt *receipt, struct steme_error *err)
{
    return steme_write_many(store, signer, record, 1, receipt, NULL, err);
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
        records[1 + kept] = (struct wal_record){ slice_of(bytes->data + drafts[i].offset, drafts[i].size), drafts[i].id,
                                                 NULL };
        members[kept] = drafts[i].id;
        origin[kept++] = i;
    }
    if (!kept) return STEME_OK;
    struct steme_record list = { .type = STEME_BUNDLE, .as.bundle = { signer->secret.key, members, kept } };
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
    size_t *first_of = arena_alloc(arena, count * sizeof *first_of);
    struct numbered *ids = arena_alloc(arena, count * sizeof *ids);
    if (!made || !first_of || !ids) return arena_full(arena, err);
    steme_status status = hash_drafts(bytes, drafts, count, arena, err);
    if (status) return status;
    for (size_t i = 0; i < count; i++)
        ids[i] = (struct numbered){ drafts[i].id, i };
    find_repeats(ids, count, first_of);
    for (size_t i = 0; i < count; i++)
        drafts[i].left_out = first_of[i] != i;
    status = leave_out_known(store, drafts, count, made, err);
    if (!status) status = write_bundle(store, signer, bytes, drafts, count, arena, made, err);
    if (status) return status;
    receive_repeats(first_of, count, made);
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
            status = error_set(err, STEME_TOO_LARGE, "the record has %zu bytes, there is room for %zu", bytes.size,
                               room);
        else
            memcpy(to, bytes.data, bytes.size);
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

struct steme_hash steme_agent_id(const struct steme_key *key) { return agent_id(key->bytes); }

struct steme_hash steme_source_id(struct steme_slice name) { return source_id(name); }

uint64_t steme_route(struct steme_slice subject) { return route_of_name(subject); }
