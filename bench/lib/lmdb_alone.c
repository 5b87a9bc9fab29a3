/* SPDX-License-Identifier: Apache-2.0 */
#include "lmdb_alone.h"

#include "base/codec.h"
#include "clock.h"
#include "host/host.h"
#include "lattice/keys.h"
#include "scratch.h"
#include "spine/kv.h"

#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAP_BYTES ((size_t)64 << 30)

enum { TXN_ENTRIES = 10000 };

/* The record a row is about; false for the rows that are about none. */
static bool location_of_row(struct steme_slice key, struct steme_slice value, uint64_t *out)
{
    struct slot_row slot;
    struct batch_row batch;
    struct steme_error error;
    switch (key.data[0]) {
    case 'H': must(row_id(value, NULL, out, &error), &error, "reading an H row"); return true;
    case 'S':
        must(row_slot(key, value, NULL, &slot, &error), &error, "reading an S row");
        *out = slot.location;
        return true;
    case 'R':
        must(row_batch(key, value, &batch, &error), &error, "reading an R row");
        *out = batch.location;
        return true;
    default: return false;
    }
}

/* By record; of one record as the ingestor puts them: batch, id, slot. */
static int compare_entries(const void *left, const void *right)
{
    static const char order[] = "RHS";
    const struct lmdb_entry *a = left, *b = right;
    if (a->location != b->location) return a->location < b->location ? -1 : 1;
    return (int)(strchr(order, a->key.data[0]) - strchr(order, b->key.data[0]));
}

static void add_entry(struct lmdb_entries *entries, size_t *capacity, const struct kv_pair *pair)
{
    uint64_t location = 0;
    if (!location_of_row(pair->key, pair->value, &location)) return;
    if (entries->count == *capacity) {
        *capacity = *capacity ? 2 * *capacity : 4096;
        entries->items = realloc(entries->items, *capacity * sizeof *entries->items);
        must_hold(entries->items != NULL, "memory for the index's entries");
    }
    struct lmdb_entry entry = { arena_copy(&entries->arena, pair->key), arena_copy(&entries->arena, pair->value),
                                location };
    must_hold(entry.key.data && entry.value.data, "memory for the index's entries");
    entries->items[entries->count++] = entry;
    entries->bytes += entry.key.size + entry.value.size;
}

void lmdb_entries_read(struct lmdb_entries *entries, const char *index_dir)
{
    struct kv_lmdb_options options = { .dir = index_dir, .read_only = true };
    struct kv_cursor cursor = { 0 };
    struct steme_error error;
    struct kv_txn *txn = NULL;
    struct kv *kv = NULL;
    struct kv_pair pair;
    size_t capacity = 0;
    *entries = (struct lmdb_entries){ 0 };
    arena_init(&entries->arena, SIZE_MAX);
    must(kv_lmdb_open(host_posix(), &options, &kv, &error), &error, "opening the index");
    must(kv_begin(kv, KV_READ, &txn, &error), &error, "reading the index");
    struct steme_slice all = { 0 };
    steme_status status = kv_seek(txn, all, all, &cursor, &pair, &error);
    for (; !status; status = kv_next(&cursor, &pair, &error))
        add_entry(entries, &capacity, &pair);
    if (status != STEME_NOT_FOUND) must(status, &error, "reading the index");
    kv_cursor_end(&cursor);
    kv_abort(&txn);
    kv_close(&kv);
    must_hold(entries->count > 0, "an index with rows");
    qsort(entries->items, entries->count, sizeof *entries->items, compare_entries);
}

void lmdb_entries_free(struct lmdb_entries *entries)
{
    arena_deinit(&entries->arena);
    free(entries->items);
    *entries = (struct lmdb_entries){ 0 };
}

static void lmdb_must(int code, const char *what)
{
    if (code) fprintf(stderr, "%s: %s\n", what, mdb_strerror(code));
    must_hold(code == 0, what);
}

static double put_all(MDB_env *env, const struct lmdb_entries *entries)
{
    MDB_txn *txn = NULL;
    MDB_dbi dbi = 0;
    double start = clock_seconds();
    for (size_t i = 0; i < entries->count; i++) {
        const struct lmdb_entry *entry = &entries->items[i];
        if (i % TXN_ENTRIES == 0) {
            lmdb_must(mdb_txn_begin(env, NULL, 0, &txn), "beginning a transaction");
            lmdb_must(mdb_dbi_open(txn, NULL, 0, &dbi), "opening the database");
        }
        MDB_val key = { entry->key.size, (void *)(uintptr_t)entry->key.data };
        MDB_val value = { entry->value.size, (void *)(uintptr_t)entry->value.data };
        lmdb_must(mdb_put(txn, dbi, &key, &value, 0), "putting an entry");
        if ((i + 1) % TXN_ENTRIES == 0 || i + 1 == entries->count) lmdb_must(mdb_txn_commit(txn), "committing");
    }
    return clock_seconds() - start;
}

double lmdb_alone(const struct lmdb_entries *entries, const char *path)
{
    struct steme_error error;
    MDB_env *env = NULL;
    scratch_remove(path);
    must(host_make_dir(host_posix(), path, &error), &error, "making a directory");
    lmdb_must(mdb_env_create(&env), "LMDB");
    lmdb_must(mdb_env_set_mapsize(env, MAP_BYTES), "LMDB's map");
    /* As research found it fastest: no sync, no read-ahead, pages not cleared; a write map gains nothing. */
    lmdb_must(mdb_env_open(env, path, MDB_NOSYNC | MDB_NORDAHEAD | MDB_NOMEMINIT | MDB_NOTLS, 0644), "LMDB");
    double took = put_all(env, entries);
    mdb_env_close(env);
    return took;
}
