/* SPDX-License-Identifier: Apache-2.0 */
/* Records by id, and walks over the log, all records, epochs and the index's keys. */
#include "base/check.h"
#include "base/codec.h"
#include "base/hash.h"
#include "base/slice.h"
#include "base/text.h"
#include "db/snapshot.h"
#include "lattice/moment.h"
#include "model/record.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { ID_DIGITS_MIN = 4, AMBIGUOUS_SHOWN = 4 };

/* ---- one record ---- */

static steme_status get(struct steme_snapshot *s, const struct steme_hash *id, struct steme_entry *out,
                        struct steme_error *err)
{
    struct wal_entry frame;
    steme_status status = snapshot_frame(s, id, &frame, err);
    return status ? status : snapshot_entry(s, &frame, &s->arena, out, err);
}

static steme_status no_such_record(const struct steme_hash *id, struct steme_error *err)
{
    char hex[TEXT_HASH_BYTES];
    text_hex(id->bytes, sizeof id->bytes, hex);
    return error_set(err, STEME_NOT_FOUND, "there is no record %s", hex);
}

steme_status steme_get(struct steme_snapshot *snapshot, const struct steme_hash *id, struct steme_entry *out,
                       struct steme_error *err)
{
    unsigned attempt = 0;
    steme_status status;
    do
        status = get(snapshot, id, out, err);
    while (snapshot_renewed(snapshot, status, &attempt, err));
    return status == STEME_NOT_FOUND ? no_such_record(id, err) : status;
}

/* ---- an id by its first digits ---- */

struct digits {
    uint8_t bytes[32]; /* of the digits given, the last one alone in the high half if odd */
    size_t count;
};

static bool read_digits(const char *hex, struct digits *out)
{
    *out = (struct digits){ .count = strlen(hex) };
    if (out->count < ID_DIGITS_MIN || out->count > 64) return false;
    for (size_t i = 0; i < out->count; i++) {
        char c = hex[i];
        int digit = c >= '0' && c <= '9' ? c - '0'
                  : c >= 'a' && c <= 'f' ? c - 'a' + 10
                  : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                         : -1;
        if (digit < 0) return false;
        out->bytes[i / 2] = (uint8_t)(out->bytes[i / 2] | digit << (i % 2 ? 0 : 4));
    }
    return true;
}

static bool begins_with(const uint8_t *id, const struct digits *digits)
{
    size_t whole = digits->count / 2;
    if (memcmp(id, digits->bytes, whole) != 0) return false;
    return digits->count % 2 == 0 || (id[whole] & 0xf0) == digits->bytes[whole];
}

static void note_match(char *shown, size_t room, size_t count, const uint8_t id[32])
{
    char hex[TEXT_HASH_BYTES];
    if (count > AMBIGUOUS_SHOWN) return;
    text_hex(id, 32, hex);
    size_t used = strlen(shown);
    (void)snprintf(shown + used, room - used, "%s%.16s", count > 1 ? ", " : "", hex);
}

/* H keys hold the first 16 bytes of ids: scan those that begin so, read the records for the rest. */
static steme_status find_matches(struct steme_snapshot *s, const struct digits *digits, struct steme_hash *out,
                                 size_t *count_out, char *shown, size_t room, struct steme_error *err)
{
    uint8_t prefix[1 + 16] = { 'H' };
    size_t known = digits->count / 2 < 16 ? digits->count / 2 : 16;
    struct kv_cursor cursor = { 0 };
    struct kv_pair pair;
    memcpy(prefix + 1, digits->bytes, known);
    struct steme_slice under = slice_of(prefix, 1 + known);
    *count_out = 0;
    shown[0] = '\0';
    steme_status status = kv_seek(s->reader.txn, under, under, &cursor, &pair, err);
    for (; !status; status = kv_next(&cursor, &pair, err)) {
        uint64_t location = 0;
        struct wal_entry frame;
        status = row_id(pair.value, NULL, &location, err);
        if (status) break;
        bool odd_digit_differs = known < 16 && digits->count % 2 && pair.key.size > 1 + known &&
                                 (pair.key.data[1 + known] & 0xf0) != digits->bytes[known];
        bool later = false;
        if (odd_digit_differs) continue;
        status = evidence_later(&s->reader, location, key_last_id(pair.key), &later, err);
        if (status) break;
        if (later) continue;
        status = evidence_named(&s->reader, location, key_last_id(pair.key), &frame, err);
        if (status) break;
        if (!begins_with(frame.id.bytes, digits)) continue;
        *out = frame.id;
        note_match(shown, room, ++*count_out, frame.id.bytes);
        if (*count_out > AMBIGUOUS_SHOWN) break;
    }
    kv_cursor_end(&cursor);
    return status == STEME_NOT_FOUND ? STEME_OK : status;
}

steme_status steme_find_id(struct steme_snapshot *s, const char *hex, struct steme_hash *out, struct steme_error *err)
{
    struct digits digits;
    struct steme_hash id;
    char shown[AMBIGUOUS_SHOWN * 20] = "";
    size_t count = 0;
    unsigned attempt = 0;
    steme_status status;
    if (!read_digits(hex, &digits))
        return error_set(err, STEME_BAD_INPUT,
                         "\"%.80s\" is no record id: an id is 64 hex digits, of which %u or more "
                         "from the beginning are enough",
                         hex, ID_DIGITS_MIN);
    do
        status = find_matches(s, &digits, &id, &count, shown, sizeof shown, err);
    while (snapshot_renewed(s, status, &attempt, err));
    if (status) return status;
    if (count == 0) return error_set(err, STEME_NOT_FOUND, "there is no record whose id begins with %.64s", hex);
    if (count > 1)
        return error_set(err, STEME_BAD_INPUT, "several ids begin with %.64s: %s%s", hex, shown,
                         count > AMBIGUOUS_SHOWN ? " ..." : "");
    *out = id;
    return STEME_OK;
}

/* ---- targets ---- */

steme_status steme_target_of(struct steme_snapshot *snapshot, const struct steme_hash *id, struct steme_target *out,
                             struct steme_error *err)
{
    struct steme_entry entry;
    steme_status status = steme_get(snapshot, id, &entry, err);
    if (status) return status;
    switch (entry.record.type) {
    case STEME_ASSERTION:
        *out = (struct steme_target){ STEME_ON_ASSERTION, route_of_name(entry.record.as.assertion.subject), *id };
        return STEME_OK;
    case STEME_VOTE:
        *out = (struct steme_target){ STEME_ON_VOTE, entry.record.as.vote.target.route, *id };
        return STEME_OK;
    case STEME_EPOCH: *out = (struct steme_target){ STEME_ON_EPOCH, route_of_hash(id), *id }; return STEME_OK;
    case STEME_REVISION:
        return error_set(err, STEME_BAD_INPUT, "the record is a revision: that can't be voted on or revised");
    case STEME_VIEW:
        return error_set(err, STEME_BAD_INPUT, "the record is a view: define it anew or drop it with `steme view`");
    case STEME_BUNDLE: return error_set(err, STEME_BAD_INPUT, "the record is a bundle: name one of its members");
    }
    unreachable_here();
}

/* Gather the slot of an assertion and pick it out, so that its standing is what an answer would say. */
static steme_status testimony_of(struct steme_snapshot *s, const struct steme_hash *id, struct steme_testimony *out,
                                 struct steme_error *err)
{
    struct wal_entry frame;
    struct assertion_view view;
    struct evidence evidence = { 0 };
    struct steme_hash slot;
    steme_status status = snapshot_frame(s, id, &frame, err);
    if (status) return status;
    status = assertion_view(frame.bytes, &view, err);
    if (status) return error_wrap(err, status, "the record is no assertion");
    struct slot_ref ref = judge_slot_of(view.subject, view.predicate, view.key_qualifiers, &slot);
    status = evidence_gather(&s->reader, &ref, NULL, &s->arena, &evidence, err);
    for (size_t i = 0; !status && i < evidence.testimony_count; i++) {
        struct testimony *t = &evidence.testimonies[i];
        if (t->row.location != frame.location) continue;
        status = evidence_read(&s->reader, &ref, &t, 1, &s->arena, err);
        return status ? status : snapshot_testimony(s, t, 1, out, err);
    }
    return status ? status : error_set(err, STEME_CORRUPT, "the index knows the record, but not its slot row");
}

steme_status steme_testimony_of(struct steme_snapshot *snapshot, const struct steme_hash *id,
                                struct steme_testimony *out, struct steme_error *err)
{
    unsigned attempt = 0;
    steme_status status;
    do
        status = testimony_of(snapshot, id, out, err);
    while (snapshot_renewed(snapshot, status, &attempt, err));
    return status == STEME_NOT_FOUND ? no_such_record(id, err) : status;
}

static steme_status tally(struct steme_snapshot *s, const struct steme_target *target, struct steme_tally *out,
                          struct steme_error *err)
{
    struct key_bytes prefix;
    struct tally found = { 0 };
    struct arena_mark start = arena_mark(&s->arena);
    key_ballot_prefix(&prefix, target->kind, target->route, target->hash.bytes);
    steme_status status = tally_at(&s->reader, &prefix, &s->arena, &found, err);
    arena_rewind(&s->arena, start);
    if (status) return status;
    const struct tally_row *row = &found.row;
    bool turned = target->kind == STEME_ON_CLAIM && claim_negated(&target->hash); /* rows speak of the positive claim */
    *out = (struct steme_tally){ .support = turned ? row->refute : row->support,
                                 .refute = turned ? row->support : row->refute,
                                 .abstain = row->abstain,
                                 .support_ppm = turned ? row->refute_ppm : row->support_ppm,
                                 .refute_ppm = turned ? row->support_ppm : row->refute_ppm,
                                 .retracted = row->retracted,
                                 .expired = found.expired,
                                 .ballots = row->ballots };
    return STEME_OK;
}

steme_status steme_tally(struct steme_snapshot *snapshot, const struct steme_target *target, struct steme_tally *out,
                         struct steme_error *err)
{
    unsigned attempt = 0;
    steme_status status;
    if ((unsigned)target->kind > STEME_ON_EPOCH) return error_set(err, STEME_BAD_INPUT, "there are no votes on votes");
    do
        status = tally(snapshot, target, out, err);
    while (snapshot_renewed(snapshot, status, &attempt, err));
    return status;
}

/* ---- the log ---- */

/* Frames that no program of this version can read are no records to show; the index lists them as dead letters. */
static bool readable(const struct wal_entry *frame)
{
    enum steme_type type;
    return record_check(frame->bytes, &type, NULL) == STEME_OK;
}

static steme_status visit_frame(struct steme_snapshot *s, const struct wal_entry *frame,
                                steme_status (*visit)(void *, const struct steme_entry *), void *context,
                                struct steme_error *err)
{
    struct steme_entry entry;
    struct arena_mark start = arena_mark(&s->arena);
    steme_status status = snapshot_entry(s, frame, &s->arena, &entry, err);
    if (!status) status = visit(context, &entry);
    arena_rewind(&s->arena, start);
    return status;
}

/* Records *since..before-1 are not there to be shown: say so, and go on behind them. */
static void tell_left_out(struct steme_snapshot *s, uint64_t *since, uint64_t before)
{
    if (*since >= before) return;
    if (before - *since == 1)
        store_notice(s->store,
                     "record %" PRIu64 " is left out: it is damaged, or of a kind that this program can't read; "
                     "steme verify says more",
                     *since);
    else
        store_notice(s->store,
                     "records %" PRIu64 " to %" PRIu64 " are left out: they are damaged, or of a kind that this "
                     "program can't read; steme verify says more",
                     *since, before - 1);
    *since = before;
}

/* The frames of one batch from sequence number *since on, which moves behind each. Damaged ones are passed over, which
 * the store's opener is told. */
static steme_status visit_batch(struct steme_snapshot *s, uint64_t location, uint64_t *since,
                                steme_status (*visit)(void *, const struct steme_entry *), void *context,
                                struct steme_error *err)
{
    struct wal_entry frame = { .next_location = location };
    steme_status status = STEME_OK;
    while (!status && !frame.batch_last) {
        status = moment_frame(s->store->wal, s->reader.txn, frame.next_location, &frame, err);
        if (status == STEME_NOT_FOUND) return STEME_OK;
        if (status || frame.location >= s->reader.limit) break;
        if (frame.sequence < *since) continue;
        if (!readable(&frame)) continue; /* told with what comes next */
        tell_left_out(s, since, frame.sequence);
        *since = frame.sequence + 1;
        status = visit_frame(s, &frame, visit, context, err);
    }
    return status;
}

/* Row of the batch that has the sequence number, or the first one. */
static steme_status first_batch(struct steme_snapshot *s, uint64_t sequence, struct key_bytes *out,
                                struct steme_error *err)
{
    static const uint8_t tag[] = { 'R' };
    struct kv_pair pair;
    key_of_batch(out, sequence < UINT64_MAX ? sequence + 1 : sequence);
    steme_status status = kv_last(s->reader.txn, slice_of(tag, sizeof tag), key_slice(out), &pair, err);
    if (!status) key_of_batch(out, load_u64be(pair.key.data + 1));
    if (status == STEME_NOT_FOUND) key_of_batch(out, 0);
    return status == STEME_NOT_FOUND ? STEME_OK : status;
}

/* *lied: the status is about a row of the index, not what a visitor answered. */
static steme_status log_from(struct steme_snapshot *s, uint64_t *since,
                             steme_status (*visit)(void *, const struct steme_entry *), void *context, bool *lied,
                             struct steme_error *err)
{
    static const uint8_t tag[] = { 'R' };
    struct steme_slice prefix = slice_of(tag, sizeof tag);
    struct kv_cursor cursor = { 0 };
    struct kv_pair pair;
    struct key_bytes from;
    *lied = true;
    steme_status status = first_batch(s, *since, &from, err);
    if (status) return status;
    steme_status at = kv_seek(s->reader.txn, prefix, key_slice(&from), &cursor, &pair, err);
    for (; !at; at = kv_next(&cursor, &pair, err)) {
        struct batch_row batch;
        status = row_batch(pair.key, pair.value, &batch, err);
        if (status || batch.location >= s->reader.limit) break;
        status = visit_batch(s, batch.location, since, visit, context, err);
        *lied = !status;
        if (status) break;
    }
    kv_cursor_end(&cursor);
    return walk_status(status, at);
}

steme_status steme_log_each(struct steme_snapshot *s, uint64_t since_sequence,
                            steme_status (*visit)(void *context, const struct steme_entry *entry), void *context,
                            struct steme_error *err)
{
    unsigned attempt = 0;
    bool lied = false;
    steme_status status;
    if (since_sequence == 0) since_sequence = 1; /* they begin there */
    do
        status = log_from(s, &since_sequence, visit, context, &lied, err);
    while (lied && snapshot_renewed(s, status, &attempt, err));
    if (!status) tell_left_out(s, &since_sequence, s->as_of_sequence + 1);
    return status;
}

/* ---- everything, by id ---- */

/* The members behind a bundle. STEME_NOT_FOUND: they are not all there, by damage or because the moment is before. */
static steme_status read_members(struct steme_snapshot *s, const struct wal_entry *frame, struct wal_entry **out,
                                 size_t *count_out, struct steme_error *err)
{
    struct bundle_view bundle;
    steme_status status = bundle_view(frame->bytes, &bundle, err);
    if (status) return status;
    struct wal_entry *members = arena_alloc(&s->arena, bundle.member_count * sizeof *members);
    if (!members) return arena_full(&s->arena, err);
    uint64_t location = frame->next_location;
    for (size_t i = 0; i < bundle.member_count; i++) {
        status = location < s->reader.limit ? wal_read(s->store->wal, location, &members[i], err) : STEME_NOT_FOUND;
        if (status) return status == STEME_CORRUPT ? STEME_NOT_FOUND : status;
        if (memcmp(&members[i].id, bundle.members + i * HASH_BYTES, HASH_BYTES) != 0) return STEME_NOT_FOUND;
        location = members[i].next_location;
    }
    *out = members;
    *count_out = bundle.member_count;
    return STEME_OK;
}

static steme_status visit_record(struct steme_snapshot *s, const struct wal_entry *frame,
                                 steme_status (*visit)(void *, const struct steme_entry *), void *context,
                                 struct steme_error *err)
{
    struct wal_entry *members = NULL;
    size_t count = 0;
    steme_status status = STEME_OK;
    if (!frame->signature || !readable(frame)) return STEME_OK; /* a member travels with its bundle */
    if (frame->bytes.data[0] == STEME_BUNDLE) status = read_members(s, frame, &members, &count, err);
    if (status == STEME_NOT_FOUND) {
        if (s->reader.limit >= wal_durable(s->store->wal).location)
            store_notice(s->store, "a bundle is left out, with its members: one of them is damaged (%" PRIu64 ")",
                         frame->sequence);
        return STEME_OK;
    }
    if (!status) status = visit_frame(s, frame, visit, context, err);
    for (size_t i = 0; !status && i < count; i++)
        status = visit_frame(s, &members[i], visit, context, err);
    return status;
}

/* From *at on, which is the row being looked at, or just behind the one that was; *lied as for log_from(). */
static steme_status export_from(struct steme_snapshot *s, struct key_bytes *at,
                                steme_status (*visit)(void *, const struct steme_entry *), void *context, bool *lied,
                                struct steme_error *err)
{
    static const uint8_t tag[] = { 'H' };
    struct kv_cursor cursor = { 0 };
    struct kv_pair pair;
    struct steme_slice prefix = slice_of(tag, sizeof tag);
    steme_status status = STEME_OK, more = kv_seek(s->reader.txn, prefix, key_slice(at), &cursor, &pair, err);
    *lied = true;
    for (; !more; more = kv_next(&cursor, &pair, err)) {
        struct arena_mark start = arena_mark(&s->arena);
        struct wal_entry frame;
        uint64_t location = 0;
        bool later = false;
        key_of_id(at, key_last_id(pair.key));
        status = row_id(pair.value, NULL, &location, err);
        if (!status) status = evidence_later(&s->reader, location, key_last_id(pair.key), &later, err);
        if (!status && later) continue;
        if (!status) status = evidence_named(&s->reader, location, key_last_id(pair.key), &frame, err);
        if (status) break;
        status = visit_record(s, &frame, visit, context, err);
        arena_rewind(&s->arena, start);
        *lied = !status;
        if (status) break;
        at->data[at->size++] = 0; /* the row is done with: the least key behind it */
    }
    kv_cursor_end(&cursor);
    return walk_status(status, more);
}

steme_status steme_export_each(struct steme_snapshot *s,
                               steme_status (*visit)(void *context, const struct steme_entry *entry), void *context,
                               struct steme_error *err)
{
    static const uint8_t first[KEYS_ID_BYTES];
    struct key_bytes at;
    unsigned attempt = 0;
    bool lied = false;
    steme_status status;
    key_of_id(&at, first);
    do
        status = export_from(s, &at, visit, context, &lied, err);
    while (lied && snapshot_renewed(s, status, &attempt, err));
    return status;
}

/* ---- epochs ---- */

static int compare_epochs(const void *left, const void *right)
{
    const struct steme_entry *a = left, *b = right;
    int order = slice_compare(a->record.as.epoch.name, b->record.as.epoch.name);
    return order ? order : memcmp(&a->id, &b->id, sizeof a->id);
}

static steme_status list_epochs(struct steme_snapshot *s, struct steme_entry **list, size_t *count,
                                struct steme_error *err)
{
    static const uint8_t tag[] = { 'E' };
    struct kv_cursor cursor = { 0 };
    struct kv_pair pair;
    size_t capacity = 0;
    struct steme_slice prefix = slice_of(tag, sizeof tag);
    *list = NULL;
    *count = 0;
    steme_status status = kv_seek(s->reader.txn, prefix, prefix, &cursor, &pair, err);
    for (; !status; status = kv_next(&cursor, &pair, err)) {
        uint64_t location = 0;
        struct wal_entry frame;
        bool later = false;
        status = row_location(pair.value, &location, err);
        if (!status) status = evidence_later(&s->reader, location, key_last_id(pair.key), &later, err);
        if (!status && later) continue;
        if (!status) status = evidence_named(&s->reader, location, key_last_id(pair.key), &frame, err);
        if (status) break;
        if (*count == capacity) {
            capacity = capacity ? 2 * capacity : 16;
            struct steme_entry *grown = arena_alloc(&s->arena, capacity * sizeof *grown);
            if (!grown) status = arena_full(&s->arena, err);
            if (status) break;
            if (*count) memcpy(grown, *list, *count * sizeof *grown);
            *list = grown;
        }
        status = snapshot_entry(s, &frame, &s->arena, &(*list)[*count], err);
        if (status) break;
        ++*count;
    }
    kv_cursor_end(&cursor);
    return status == STEME_NOT_FOUND ? STEME_OK : status;
}

steme_status steme_epochs(struct steme_snapshot *snapshot, const struct steme_entry **out, size_t *count_out,
                          struct steme_error *err)
{
    struct steme_entry *list = NULL;
    size_t count = 0;
    unsigned attempt = 0;
    steme_status status;
    do
        status = list_epochs(snapshot, &list, &count, err);
    while (snapshot_renewed(snapshot, status, &attempt, err));
    if (status) return status;
    if (count) qsort(list, count, sizeof *list, compare_epochs);
    *out = list;
    *count_out = count;
    return STEME_OK;
}
