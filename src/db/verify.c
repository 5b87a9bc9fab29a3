/* SPDX-License-Identifier: Apache-2.0 */
/* steme_verify(): the log byte by byte, then every record and signature, then the index against what the log says it
 * should hold: each expected row is there with that value, each tally equals a recount, and there is no other row. */
#include "base/check.h"
#include "base/slice.h"
#include "base/text.h"
#include "db/signer.h"
#include "db/store.h"
#include "model/record.h"
#include "model/sign.h"

#include <inttypes.h>
#include <stdio.h>

enum { SCRATCH_CEILING_BYTES = 256 << 20 };

struct verification {
    struct steme_store *store;
    void (*found)(void *context, const struct steme_finding *finding);
    void *context;
    struct steme_verification totals;
    struct kv_txn *txn;
    struct wal_mark applied; /* how far the index is, as far as our log goes */
    bool beside;             /* another process writes: what lies behind our log's end is its business */
    uint64_t beside_bytes;
    uint64_t expected_rows;
    bool untallied; /* the ballots' rows fail their checks, so there is nothing to hold tallies against */
    struct arena arena;
    const uint8_t *members;
    size_t members_left;
    const uint8_t *bundle_author;
};

static void report(struct verification *v, const char *part, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void report(struct verification *v, const char *part, const char *format, ...)
{
    struct steme_finding finding = { .part = part };
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(finding.message, sizeof finding.message, format, arguments);
    va_end(arguments);
    v->totals.findings++;
    if (v->found) v->found(v->context, &finding);
}

static void log_finding(void *context, const struct wal_finding *finding)
{
    struct verification *v = context;
    if (v->beside && finding->location >= wal_durable(v->store->wal).location) {
        v->beside_bytes += finding->bytes;
        return;
    }
    report(v, "log", "segment %" PRIu64 ", offset %" PRIu64 ", %" PRIu64 " bytes%s: %s", finding->location >> 32,
           finding->location & UINT32_MAX, finding->bytes, finding->sequence ? " (a record)" : "", finding->what);
}

static steme_status verify_log(struct verification *v, struct steme_error *err)
{
    struct wal_totals totals = { 0 };
    steme_status status = wal_verify(v->store->wal, log_finding, v, &totals, err);
    if (status) return error_wrap(err, status, "verifying the log");
    v->totals.segments = totals.segments;
    v->totals.batches = totals.batches;
    v->totals.file_bytes = totals.file_bytes;
    v->totals.valid_bytes = totals.valid_bytes;
    v->totals.padding_bytes = totals.padding_bytes + v->beside_bytes;
    v->totals.damaged_bytes = totals.damaged_bytes - v->beside_bytes;
    if (totals.valid_bytes + totals.padding_bytes + totals.damaged_bytes != totals.file_bytes)
        report(v, "log", "valid, padding and damaged bytes do not add up to the files' length");
    struct wal_report damage;
    status = wal_damage(v->store->wal, &damage, err);
    if (!status && damage.missing_sequences)
        report(v, "log", "%" PRIu64 " record%s that %s acknowledged %s missing", damage.missing_sequences,
               damage.missing_sequences == 1 ? "" : "s", damage.missing_sequences == 1 ? "was" : "were",
               damage.missing_sequences == 1 ? "is" : "are");
    return status;
}

/* ---- records and signatures ---- */

static void begin_bundle(struct verification *v, const struct wal_entry *entry)
{
    struct bundle_view bundle;
    if (bundle_view(entry->bytes, &bundle, NULL)) return;
    v->members = bundle.members;
    v->members_left = bundle.member_count;
    v->bundle_author = bundle.author;
}

/* A member is vouched for by the list of its bundle, wherever in the list it stands: frames between may be damaged. */
static bool is_member(struct verification *v, const struct wal_entry *entry)
{
    for (; v->members_left; v->members += 32, v->members_left--) {
        if (memcmp(v->members, entry->id.bytes, 32) != 0) continue;
        v->members += 32;
        v->members_left--;
        return memcmp(v->bundle_author, record_author(entry->bytes), 32) == 0;
    }
    return false;
}

static void verify_record(struct verification *v, const struct wal_entry *entry)
{
    enum steme_type type = STEME_ASSERTION;
    struct steme_error error;
    v->totals.records++;
    steme_status status = record_check(entry->bytes, &type, &error);
    if (status == STEME_UNSUPPORTED || status == STEME_NEWER) return; /* a dead letter, kept for a later program */
    if (status) {
        report(v, "record", "record %" PRIu64 " is not canonical: %.180s", entry->sequence, error.message);
        return;
    }
    if (!entry->signature) {
        if (!is_member(v, entry))
            report(v, "signature", "record %" PRIu64 " is not signed and no bundle vouches for it", entry->sequence);
        return;
    }
    v->totals.signatures++;
    if (sign_verify(record_author(entry->bytes), &entry->id, entry->signature, &error))
        report(v, "signature", "record %" PRIu64 ": %.200s", entry->sequence, error.message);
    if (type == STEME_BUNDLE) begin_bundle(v, entry);
}

/* ---- the index against the log ---- */

static void describe_key(struct steme_slice key, char out[2 * KEYS_MAX_BYTES + 8])
{
    out[0] = (char)key.data[0];
    out[1] = ':';
    text_hex(key.data + 1, key.size - 1, out + 2);
}

static steme_status expect_row(void *context, struct steme_slice key, struct steme_slice value, struct steme_error *err)
{
    struct verification *v = context;
    struct steme_slice present;
    char text[2 * KEYS_MAX_BYTES + 8];
    v->expected_rows++;
    steme_status status = kv_get(v->txn, key, &present, err);
    if (status && status != STEME_NOT_FOUND) return status;
    if (status || !slice_equal(present, value)) {
        describe_key(key, text);
        report(v, "index", "row %s %s", text, status ? "is missing" : "has another value than the log says");
    }
    return STEME_OK;
}

/* Whether the index takes this frame for a later copy of an earlier one, which has no rows. */
static steme_status is_copy(struct verification *v, const struct wal_entry *entry, bool *out, struct steme_error *err)
{
    struct key_bytes key;
    struct steme_slice value;
    uint64_t location = 0;
    *out = false;
    key_of_id(&key, entry->id.bytes);
    steme_status status = kv_get(v->txn, key_slice(&key), &value, err);
    if (status == STEME_NOT_FOUND) return STEME_OK; /* expect_row() will say that it is missing */
    if (!status && row_id(value, NULL, &location, NULL) == STEME_OK && location < entry->location) {
        struct wal_entry first;
        *out = wal_read(v->store->wal, location, &first, NULL) == STEME_OK &&
               memcmp(first.id.bytes, entry->id.bytes, 16) == 0;
    }
    return status;
}

static steme_status verify_rows(struct verification *v, const struct wal_entry *entry, bool begins_batch,
                                const struct projected *projected, struct steme_error *err)
{
    struct key_bytes key;
    struct value_bytes value;
    struct row_sink sink = { v, expect_row };
    bool copy = false;
    steme_status status = STEME_OK;
    if (entry->location >= v->applied.location) return STEME_OK;
    if (begins_batch) {
        projection_batch_row(entry, &key, &value);
        status = expect_row(v, key_slice(&key), value_slice(&value), err);
    }
    if (!status) status = is_copy(v, entry, &copy, err);
    if (status || copy) return status;
    projection_id_row(entry, projected, &key, &value);
    status = expect_row(v, key_slice(&key), value_slice(&value), err);
    return status ? status : projection_rows(entry, projected, &sink, &v->arena, err);
}

static steme_status verify_step(struct verification *v, struct wal_mark *at, struct steme_error *err)
{
    struct arena_mark start = arena_mark(&v->arena);
    struct wal_entry *entries = NULL;
    struct projected *projected = NULL;
    size_t count = 0;
    steme_status status = wal_scan(v->store->wal, at, INGESTOR_STEP_RECORDS, &v->arena, &entries, &count, NULL, err);
    if (!status && count) status = projection_prepare(entries, count, &v->arena, &projected, err);
    for (size_t i = 0; !status && i < count; i++) {
        verify_record(v, &entries[i]);
        status = verify_rows(v, &entries[i], projection_begins_batch(entries, i), &projected[i], err);
    }
    v->members_left = 0; /* a bundle never reaches past its batch, nor a step into one */
    arena_rewind(&v->arena, start);
    return status;
}

/* Whether a row is about a record behind the end of our log, which a writer beside us has added. */
static bool is_later(const struct verification *v, const struct kv_pair *pair)
{
    uint64_t location = 0;
    return v->beside && row_place(pair->key, pair->value, &location, NULL) == STEME_OK &&
           location >= v->applied.location;
}

static steme_status expect_tally(void *context, struct steme_slice key, struct steme_slice value,
                                 struct steme_error *err)
{
    struct verification *v = context;
    struct steme_slice present;
    struct kv_pair pair = { .key = key };
    steme_status status = kv_get(v->txn, key, &present, err);
    if (status && status != STEME_NOT_FOUND) return status;
    pair.value = present;
    return !status && is_later(v, &pair) ? STEME_OK : expect_row(v, key, value, err);
}

/* Tallies are held against a recount of the ballots, whose rows have been held against the log by now. */
static steme_status verify_tallies(struct verification *v, struct steme_error *err)
{
    struct reader reader = reader_over(v->store->wal, v->txn, v->applied.location);
    struct row_sink sink = { v, expect_tally };
    struct arena_mark start = arena_mark(&v->arena);
    uint64_t expected_rows = v->expected_rows;
    steme_status status = tally_each(&reader, &v->arena, &sink, err);
    arena_rewind(&v->arena, start);
    if (status != STEME_CORRUPT) return status;
    report(v, "index", "the ballots can't be counted: a row of theirs, or of a revision, fails its check");
    v->untallied = true;
    v->expected_rows = expected_rows; /* count_rows() takes the tallies as they are */
    return STEME_OK;
}

/* Rows that nothing in the log accounts for. Dead letters of collisions, the applied row and the rows of
 * views are the index's own; the last are looked at by themselves. */
static steme_status count_rows(struct verification *v, struct steme_error *err)
{
    struct kv_cursor cursor = { 0 };
    struct kv_pair pair;
    struct steme_slice all = { 0 };
    uint64_t own = 0, dead = 0;
    steme_status status = kv_seek(v->txn, all, all, &cursor, &pair, err);
    for (; !status; status = kv_next(&cursor, &pair, err)) {
        if (is_later(v, &pair)) continue;
        v->totals.index_rows++;
        own += pair.key.data[0] == 'M' || pair.key.data[0] == 'W' || (pair.key.data[0] == 'Y' && v->untallied);
        dead += pair.key.data[0] == 'D' && pair.value.size >= 32 + 13 &&
                memcmp(pair.value.data + 32, "its id begins", 13) == 0;
    }
    kv_cursor_end(&cursor);
    if (status != STEME_NOT_FOUND) return status;
    if (v->totals.index_rows != v->expected_rows + own + dead)
        report(v, "index", "it has %" PRIu64 " rows where the log accounts for %" PRIu64, v->totals.index_rows,
               v->expected_rows + own + dead);
    return STEME_OK;
}

static steme_status verify_index(struct verification *v, struct index *index, struct steme_error *err)
{
    struct applied_row applied = { 0 };
    struct wal_mark at = wal_begin(v->store->wal);
    steme_status status = kv_begin(index->kv, KV_READ, &v->txn, err);
    if (!status) status = projection_applied(index->kv, &applied, err);
    if (status == STEME_CORRUPT) report(v, "index", "the row that says how far it is fails its check");
    if (status == STEME_NOT_FOUND || status == STEME_CORRUPT) status = STEME_OK;
    v->applied = applied.mark;
    struct wal_mark durable = wal_durable(v->store->wal);
    if (v->beside && v->applied.location > durable.location) v->applied = durable;
    if (!status && v->applied.location && !wal_knows(v->store->wal, &v->applied))
        report(v, "index", "it is ahead of the log, or of another log");
    for (bool more = true; more && !status;) {
        uint64_t before = at.location;
        status = verify_step(v, &at, err);
        more = at.location != before;
    }
    if (!status) status = verify_tallies(v, err);
    if (!status) status = count_rows(v, err);
    if (status == STEME_CORRUPT) { /* what is wrong with the log was told already, and wal_scan() passes over it */
        report(v, "index", "%.200s", err ? err->message : "it lies");
        status = STEME_OK;
    }
    kv_abort(&v->txn);
    return status ? error_wrap(err, status, "verifying records and index") : STEME_OK;
}

static void view_finding(void *context, struct steme_slice view, const char *wrong)
{
    report(context, "index", "view '%.*s': %.180s", SLICE_PRINT(view), wrong);
}

static steme_status verify_key(void *context, const char *name, const struct steme_key *key)
{
    struct verification *v = context;
    (void)key; /* it could be read, so it is sound */
    if (signer_is_exposed(v->store, name))
        report(v, "key",
               "others than its owner can read or write keys/%.64s.key, and sign with it: chmod 600 ends that", name);
    return STEME_OK;
}

/* Without the store's keys there is nothing to hold views against. */
static steme_status verify_keys_and_views(struct verification *v, struct index *index, struct steme_error *err)
{
    struct steme_error error = { 0 };
    steme_status status = steme_signer_each(v->store, verify_key, v, &error);
    if (status == STEME_CORRUPT) {
        report(v, "key", "%.240s", error.message);
        return STEME_OK;
    }
    if (!status) status = views_verify(v->store, index, view_finding, v, &error);
    if (status == STEME_CORRUPT) {
        report(v, "index", "views: %.200s", error.message);
        return STEME_OK;
    }
    if (status && err) *err = error;
    return status;
}

/* Whether a writer has been beside this reader since it opened the store: the index they share has gone on, or somebody
 * holds index.lock, as a writer does. */
static bool is_written(const struct steme_store *store, const struct index *index)
{
    struct host_file *lock = NULL;
    struct applied_row applied = { 0 };
    if (!store->read_only) return false;
    if (projection_applied(index->kv, &applied, NULL) == STEME_OK &&
        applied.mark.location > wal_durable(store->wal).location)
        return true;
    steme_status status = home_lock(store->host, store->dir, "index.lock", 0, &lock, NULL);
    host_close(&lock);
    return status == STEME_LOCKED;
}

steme_status steme_verify(struct steme_store *store, void (*found)(void *context, const struct steme_finding *finding),
                          void *context, struct steme_verification *out, struct steme_error *err)
{
    struct verification v = { .store = store, .found = found, .context = context };
    struct index *index = NULL;
    uint64_t durable = wal_durable(store->wal).next_sequence - 1;
    /* The index is compared as far as it is; let it get as far as it can. */
    if (!store->read_only && steme_wait(store, durable, 60000, NULL) != STEME_OK)
        report(&v, "index", "it can't be kept up with the log");
    arena_init(&v.arena, SCRATCH_CEILING_BYTES);
    index = store_index(store);
    v.beside = is_written(store, index);
    steme_status status = verify_log(&v, err);
    if (!status) status = verify_index(&v, index, err);
    if (!status) status = verify_keys_and_views(&v, index, err);
    index_release(&index);
    arena_deinit(&v.arena);
    if (!status) *out = v.totals;
    return status;
}
