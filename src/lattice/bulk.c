/* SPDX-License-Identifier: Apache-2.0 */
/* projection_bulk(): scan the log, sort every row, append them in order.
 *
 * D rows and the applied row are put after everything else, because whether a record is a copy of an earlier one shows
 * only when the H rows come out sorted, side by side. H sorts before S, so by the time an S row comes the copies are
 * known; A, C and E rows, which sort before H, carry the record's id in their key, so copies meet there as well. Y rows
 * are counted from the others once those are in the store, and sort behind them. */
#include "lattice/projection.h"

#include "base/check.h"
#include "base/codec.h"
#include "base/slice.h"
#include "lattice/tally.h"
#include "spine/sorter.h"

#include <stdlib.h>

enum {
    SORT_MEMORY_BYTES = 48 << 20,
    SCAN_CEILING_BYTES = 256 << 20,
    COMMIT_ROWS = 50000,
    DEAD_TYPE = 7,
};

struct bulk {
    struct wal *wal;
    struct kv *kv;
    struct sorter *sorter;
    struct arena arena;
    struct kv_txn *txn;
    size_t txn_rows;
    struct applied_row applied;
    uint64_t *copies; /* locations of records that are copies, rising */
    size_t copy_count, copy_capacity;
    uint64_t *collisions; /* locations of records whose id begins like another's */
    size_t collision_count, collision_capacity;
    struct key_bytes last_key; /* key and location of the row appended last */
    uint64_t last_location;
};

static steme_status note(uint64_t **list, size_t *count, size_t *capacity, uint64_t location, struct steme_error *err)
{
    if (*count == *capacity) {
        size_t wanted = *capacity ? 2 * *capacity : 64;
        uint64_t *grown = realloc(*list, wanted * sizeof *grown);
        if (!grown) return error_set(err, STEME_NO_MEMORY, "no memory to list %zu copied records", wanted);
        *list = grown;
        *capacity = wanted;
    }
    (*list)[(*count)++] = location;
    return STEME_OK;
}

static int compare_u64(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

static bool is_copy(const struct bulk *b, uint64_t location)
{
    return b->copy_count && bsearch(&location, b->copies, b->copy_count, sizeof location, compare_u64);
}

/* ---- first half: rows into the sorter ---- */

static steme_status add_row(void *context, struct steme_slice key, struct steme_slice value, struct steme_error *err)
{
    struct bulk *b = context;
    if (key.data[0] == 'D') return STEME_OK; /* made again at the end, once copies are known */
    return sorter_add(b->sorter, key, value, err);
}

static steme_status add_record(struct bulk *b, const struct wal_entry *entry, bool begins_batch,
                               const struct projected *projected, struct steme_error *err)
{
    struct row_sink sink = { b, add_row };
    struct key_bytes key;
    struct value_bytes value;
    steme_status status = STEME_OK;
    if (begins_batch) {
        projection_batch_row(entry, &key, &value);
        status = sorter_add(b->sorter, key_slice(&key), value_slice(&value), err);
        if (status) return status;
    }
    projection_id_row(entry, projected, &key, &value);
    status = sorter_add(b->sorter, key_slice(&key), value_slice(&value), err);
    if (status) return status;
    b->applied.records[projected->dead ? DEAD_TYPE : projected->type]++;
    b->applied.record_bytes += entry->bytes.size;
    return projection_rows(entry, projected, &sink, &b->arena, err);
}

static steme_status scan_log(struct bulk *b, struct steme_error *err)
{
    struct wal_mark at = wal_begin(b->wal);
    for (;;) {
        struct arena_mark start = arena_mark(&b->arena);
        struct wal_entry *entries = NULL;
        struct projected *projected = NULL;
        size_t count = 0;
        uint64_t before = at.location;
        steme_status status = wal_scan(b->wal, &at, INGESTOR_STEP_RECORDS, &b->arena, &entries, &count, NULL, err);
        if (!status && count) status = projection_prepare(entries, count, &b->arena, &projected, err);
        for (size_t i = 0; !status && i < count; i++)
            status = add_record(b, &entries[i], projection_begins_batch(entries, i), &projected[i], err);
        arena_rewind(&b->arena, start);
        if (status) return status;
        if (at.location == before) break;
    }
    b->applied.mark = at;
    return STEME_OK;
}

/* ---- second half: sorted rows into the store ---- */

static steme_status commit_rows(struct bulk *b, struct steme_error *err)
{
    b->txn_rows = 0;
    return b->txn ? kv_commit(&b->txn, err) : STEME_OK;
}

static steme_status put_sorted(struct bulk *b, struct steme_slice key, struct steme_slice value,
                               struct steme_error *err)
{
    steme_status status = STEME_OK;
    if (b->txn_rows == COMMIT_ROWS) status = commit_rows(b, err);
    if (!status && !b->txn) status = kv_begin(b->kv, KV_WRITE, &b->txn, err);
    if (status) return status;
    b->txn_rows++;
    b->applied.row_bytes += key.size + value.size;
    return kv_append(b->txn, key, value, err);
}

/* Two H rows with one key: the same record twice, or two that begin alike. Rows come in the order of the log. */
static steme_status judge_copy(struct bulk *b, struct steme_slice value, struct steme_error *err)
{
    struct wal_entry first, second;
    enum steme_type type = STEME_ASSERTION;
    uint64_t location = 0;
    steme_status status = row_id(value, &type, &location, err);
    if (!status) status = wal_read(b->wal, b->last_location, &first, err);
    if (!status) status = wal_read(b->wal, location, &second, err);
    if (!status) status = note(&b->copies, &b->copy_count, &b->copy_capacity, location, err);
    if (status) return status;
    /* Whether it was counted as dead is a function of its bytes. */
    struct projected *projected = NULL;
    struct arena_mark start = arena_mark(&b->arena);
    status = projection_prepare(&second, 1, &b->arena, &projected, err);
    if (!status) b->applied.records[projected->dead ? DEAD_TYPE : projected->type]--;
    arena_rewind(&b->arena, start);
    if (status) return status;
    b->applied.record_bytes -= second.bytes.size;
    b->applied.duplicates++;
    if (memcmp(first.id.bytes, second.id.bytes, sizeof first.id.bytes) == 0) return STEME_OK;
    return note(&b->collisions, &b->collision_count, &b->collision_capacity, location, err);
}

/* Whether a row is left out: a copy's. */
static steme_status sift_row(struct bulk *b, struct steme_slice key, struct steme_slice value, bool *keep_out,
                             struct steme_error *err)
{
    bool again = slice_equal(key, key_slice(&b->last_key));
    *keep_out = !again;
    if (key.data[0] == 'H') {
        if (again) return judge_copy(b, value, err);
        return row_id(value, NULL, &b->last_location, err);
    }
    if (key.data[0] == 'S') *keep_out = !is_copy(b, load_u64be(key.data + key.size - 8));
    return STEME_OK;
}

static steme_status load_rows(struct bulk *b, struct steme_error *err)
{
    bool copies_sorted = false;
    for (;;) {
        struct steme_slice key, value;
        bool keep = false;
        steme_status status = sorter_next(b->sorter, &key, &value, err);
        if (status == STEME_NOT_FOUND) return commit_rows(b, err);
        if (status) return status;
        invariant(key.size <= KEYS_MAX_BYTES);
        if (key.data[0] > 'H' && !copies_sorted) {
            if (b->copy_count) qsort(b->copies, b->copy_count, sizeof *b->copies, compare_u64);
            copies_sorted = true;
        }
        status = sift_row(b, key, value, &keep, err);
        if (!status && keep) status = put_sorted(b, key, value, err);
        if (status) return status;
        b->last_key.size = key.size;
        memcpy(b->last_key.data, key.data, key.size);
    }
}

/* ---- what comes last ---- */

static steme_status append_tally(void *context, struct steme_slice key, struct steme_slice value,
                                 struct steme_error *err)
{
    return put_sorted(context, key, value, err);
}

/* Y sorts behind all that it is counted from, which is there by now. */
static steme_status load_tallies(struct bulk *b, struct steme_error *err)
{
    struct kv_txn *txn = NULL;
    struct row_sink sink = { b, append_tally };
    steme_status status = kv_begin(b->kv, KV_READ, &txn, err);
    if (status) return status;
    struct reader reader = reader_over(b->wal, txn, UINT64_MAX);
    status = tally_each(&reader, &b->arena, &sink, err);
    kv_abort(&txn);
    return status ? status : commit_rows(b, err);
}

static steme_status put_late(struct bulk *b, const struct key_bytes *key, const struct value_bytes *value,
                             struct steme_error *err)
{
    if (!b->txn) {
        steme_status status = kv_begin(b->kv, KV_WRITE, &b->txn, err);
        if (status) return status;
    }
    return kv_put(b->txn, key_slice(key), value_slice(value), err);
}

static steme_status put_dead_letter(struct bulk *b, const struct wal_entry *entry, const char *reason,
                                    struct steme_error *err)
{
    struct key_bytes key;
    struct value_bytes value;
    key_of_dead_letter(&key, entry->location);
    value_of_dead_letter(&value, &entry->id, reason);
    b->applied.dead_letters++;
    b->applied.row_bytes += key.size + value.size;
    return put_late(b, &key, &value, err);
}

static steme_status dead_of_step(struct bulk *b, const struct wal_entry *entries, size_t count, struct steme_error *err)
{
    struct projected *projected = NULL;
    steme_status status = projection_prepare(entries, count, &b->arena, &projected, err);
    for (size_t i = 0; !status && i < count; i++)
        if (projected[i].dead && !is_copy(b, entries[i].location))
            status = put_dead_letter(b, &entries[i], projected[i].dead, err);
    return status;
}

/* Dead letters are rare; when there are any, the log is read once more to find them. */
static steme_status load_dead_letters(struct bulk *b, struct steme_error *err)
{
    steme_status status = STEME_OK;
    struct wal_mark at = wal_begin(b->wal);
    bool more = b->applied.records[DEAD_TYPE] > 0;
    while (more && !status) {
        struct arena_mark start = arena_mark(&b->arena);
        struct wal_entry *entries = NULL;
        size_t count = 0;
        uint64_t before = at.location;
        status = wal_scan(b->wal, &at, INGESTOR_STEP_RECORDS, &b->arena, &entries, &count, NULL, err);
        if (!status && count && at.location <= b->applied.mark.location) status = dead_of_step(b, entries, count, err);
        arena_rewind(&b->arena, start);
        more = at.location != before && at.location < b->applied.mark.location;
    }
    for (size_t i = 0; !status && i < b->collision_count; i++) {
        struct wal_entry entry;
        status = wal_read(b->wal, b->collisions[i], &entry, err);
        if (!status)
            status = put_dead_letter(b, &entry, "its id begins with the same 16 bytes as another record's", err);
    }
    return status;
}

static steme_status load_applied(struct bulk *b, struct steme_error *err)
{
    struct key_bytes key;
    struct value_bytes value;
    key_applied(&key);
    value_of_applied(&value, key_slice(&key), &b->applied);
    steme_status status = put_late(b, &key, &value, err);
    return status ? status : commit_rows(b, err);
}

steme_status projection_bulk(struct host *host, const char *dir, struct wal *wal, struct kv *kv,
                             struct applied_row *applied_out, struct steme_error *err)
{
    struct bulk b = { .wal = wal, .kv = kv };
    arena_init(&b.arena, SCAN_CEILING_BYTES);
    steme_status status = sorter_new(host, dir, SORT_MEMORY_BYTES, &b.sorter, err);
    if (!status) status = scan_log(&b, err);
    if (!status) status = load_rows(&b, err);
    if (!status) status = load_tallies(&b, err);
    if (!status) status = load_dead_letters(&b, err);
    if (!status) status = load_applied(&b, err);
    if (!status) *applied_out = b.applied;
    kv_abort(&b.txn);
    sorter_free(&b.sorter);
    arena_deinit(&b.arena);
    free(b.copies);
    free(b.collisions);
    return status;
}
