/* SPDX-License-Identifier: Apache-2.0 */
#include "spine/admission.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/slice.h"
#include "model/record.h"
#include "model/sign.h"

static steme_status check_records(const struct steme_signed *records, size_t count, struct admitted *admitted,
                                  size_t *bad, struct steme_error *err)
{
    size_t bytes = 0;
    for (*bad = 0; *bad < count; ++*bad) {
        struct admitted *a = &admitted[*bad];
        const struct steme_signed *record = &records[*bad];
        if (record->bytes.size > STEME_RECORD_MAX)
            return error_set(err, STEME_TOO_LARGE, "the record has %zu bytes; at most %u are allowed",
                             record->bytes.size, STEME_RECORD_MAX);
        steme_status status = record_check(record->bytes, &a->type, err);
        if (status) return status;
        a->record.bytes = record->bytes;
        a->record.signature = record->is_signed ? &record->signature : NULL;
        bytes += record->bytes.size;
    }
    /* The log's own framing is at most 128 bytes a record. */
    if (bytes + 128 * (count + 1) > STEME_BATCH_BYTES_MAX)
        return error_set(err, STEME_TOO_LARGE, "the records have %zu bytes together; write fewer than %u at once",
                         bytes, STEME_BATCH_BYTES_MAX);
    return STEME_OK;
}

static steme_status hash_records(struct admitted *admitted, size_t count, struct arena *arena, struct steme_error *err)
{
    struct arena_mark start = arena_mark(arena);
    struct steme_slice *inputs = arena_alloc(arena, count * sizeof *inputs);
    struct steme_hash *ids = arena_alloc(arena, count * sizeof *ids);
    if (!inputs || !ids) return arena_full(arena, err);
    for (size_t i = 0; i < count; i++)
        inputs[i] = admitted[i].record.bytes;
    hash_many(inputs, count, ids);
    for (size_t i = 0; i < count; i++)
        admitted[i].record.id = ids[i];
    arena_rewind(arena, start);
    return STEME_OK;
}

/* The bundle at `at` and its members: they follow it, unsigned, in the order of the list, all by its author. */
static steme_status check_bundle(struct admitted *admitted, size_t count, size_t at, size_t *bad,
                                 struct steme_error *err)
{
    struct bundle_view bundle;
    steme_status status = bundle_view(admitted[at].record.bytes, &bundle, err);
    if (status) return status;
    if (bundle.member_count > count - at - 1)
        return error_set(err, STEME_BAD_INPUT, "the bundle lists %zu members, but %zu records follow it",
                         bundle.member_count, count - at - 1);
    admitted[at].group_count = 1 + bundle.member_count;
    for (size_t i = 0; i < bundle.member_count; i++) {
        struct admitted *member = &admitted[at + 1 + i];
        *bad = at + 1 + i;
        if (member->type != STEME_ASSERTION || member->record.signature)
            return error_set(err, STEME_BAD_INPUT, "a bundle is followed by its members: unsigned assertions");
        if (memcmp(member->record.id.bytes, bundle.members + 32 * i, 32) != 0)
            return error_set(err, STEME_BAD_INPUT, "member %zu of the bundle is not the record its list names", i + 1);
        if (memcmp(record_author(member->record.bytes), bundle.author, 32) != 0)
            return error_set(err, STEME_BAD_INPUT, "member %zu of the bundle is by another author than the bundle",
                             i + 1);
    }
    *bad = at;
    return STEME_OK;
}

static steme_status check_groups(struct admitted *admitted, size_t count, bool verify, size_t *bad,
                                 struct steme_error *err)
{
    for (size_t i = 0; i < count; i += admitted[i].group_count) {
        const struct wal_record *record = &admitted[i].record;
        *bad = i;
        admitted[i].group_count = 1;
        if (!record->signature)
            return error_set(err, STEME_BAD_SIGNATURE, "the record is not signed and belongs to no bundle");
        if (admitted[i].type == STEME_BUNDLE) {
            steme_status status = check_bundle(admitted, count, i, bad, err);
            if (status) return status;
        }
        if (!verify) continue;
        steme_status status = sign_verify(record_author(record->bytes), &record->id, record->signature, err);
        if (status) return status;
    }
    *bad = count;
    return STEME_OK;
}

steme_status admission_check(const struct steme_signed *records, size_t count, bool verify, struct arena *arena,
                             struct admitted **out, size_t *bad_out, struct steme_error *err)
{
    size_t bad = count;
    struct admitted *admitted = NULL;
    steme_status status = STEME_OK;
    if (count == 0) status = error_set(err, STEME_BAD_INPUT, "there is no record to write");
    if (count > STEME_BATCH_RECORDS_MAX)
        status = error_set(err, STEME_TOO_LARGE, "%zu records at once; at most %u are allowed", count,
                           STEME_BATCH_RECORDS_MAX);
    if (!status) status = sign_init(err);
    if (!status) {
        admitted = arena_calloc(arena, count, sizeof *admitted);
        if (!admitted) status = arena_full(arena, err);
    }
    if (!status) status = check_records(records, count, admitted, &bad, err);
    if (!status) status = hash_records(admitted, count, arena, err);
    if (!status) status = check_groups(admitted, count, verify, &bad, err);
    if (bad_out) *bad_out = status ? bad : count;
    if (!status) *out = admitted;
    return status;
}
