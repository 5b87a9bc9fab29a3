/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/indexer.h"

#include "base/codec.h"
#include "base/slice.h"
#include "lib/testing.h"

#include <stdlib.h>

enum { ROWS_CEILING_BYTES = 64 << 20 };

static struct steme_error failure;

#define OK(call) assert_status((call), STEME_OK, &failure, #call)

void indexer_init(struct indexer *indexer, struct logbook *log, struct kv *kv, const struct wal_mark *from)
{
    struct wal_mark begin = wal_begin(log->wal);
    projection_init(&indexer->projection, log->wal);
    ingestor_init(&indexer->ingestor, log->wal, kv, projection_sink(&indexer->projection), from ? from : &begin);
}

void indexer_deinit(struct indexer *indexer)
{
    ingestor_deinit(&indexer->ingestor);
    projection_deinit(&indexer->projection);
}

steme_status indexer_run(struct indexer *indexer, struct steme_error *err)
{
    for (;;) {
        size_t count = 0;
        uint64_t before = indexer->ingestor.applied.location;
        steme_status status = ingestor_step(&indexer->ingestor, &count, err);
        if (status || indexer->ingestor.applied.location == before) return status;
    }
}

struct kv *indexer_empty(void)
{
    struct kv *kv = NULL;
    OK(kv_mem_open(&kv, &failure));
    return kv;
}

struct kv *indexer_index(struct logbook *log)
{
    struct indexer indexer;
    struct kv *kv = indexer_empty();
    indexer_init(&indexer, log, kv, NULL);
    OK(indexer_run(&indexer, &failure));
    indexer_deinit(&indexer);
    return kv;
}

/* ---- rows ---- */

void indexer_rows(struct kv *kv, struct buf *out)
{
    struct kv_txn *txn = NULL;
    struct kv_cursor cursor = { 0 };
    struct kv_pair pair;
    struct steme_slice all = { 0 };
    buf_clear(out);
    OK(kv_begin(kv, KV_READ, &txn, &failure));
    steme_status status = kv_seek(txn, all, all, &cursor, &pair, &failure);
    for (; !status; status = kv_next(&cursor, &pair, &failure)) {
        uint8_t sizes[8];
        store_u32(sizes, (uint32_t)pair.key.size);
        store_u32(sizes + 4, (uint32_t)pair.value.size);
        buf_append(out, sizes, sizeof sizes);
        buf_append_slice(out, pair.key);
        buf_append_slice(out, pair.value);
    }
    assert_int_equal(status, STEME_NOT_FOUND);
    kv_abort(&txn);
    OK(buf_check(out, &failure));
}

/* The row at *at, whole; moves behind it. */
static struct steme_slice take_row(const struct buf *rows, size_t *at)
{
    if (*at >= rows->size) return slice_of(NULL, 0);
    struct steme_slice row = { rows->data + *at,
                               8 + (size_t)load_u32(rows->data + *at) + load_u32(rows->data + *at + 4) };
    *at += row.size;
    return row;
}

static void print_row(const char *whose, struct steme_slice row)
{
    char *hex = testing_hex(row);
    size_t key = row.size ? load_u32(row.data) : 0;
    print_error("  %s %c %.*s -> %s\n", whose, row.size ? row.data[8] : '-', (int)(2 * key), row.size ? hex + 16 : "",
                row.size ? hex + 16 + 2 * key : "");
    free(hex);
}

void indexer_same_rows(struct kv *got, struct kv *want, const char *name)
{
    struct buf a, b;
    buf_init(&a, ROWS_CEILING_BYTES);
    buf_init(&b, ROWS_CEILING_BYTES);
    indexer_rows(got, &a);
    indexer_rows(want, &b);
    for (size_t i = 0, k = 0; i < a.size || k < b.size;) {
        struct steme_slice mine = take_row(&a, &i), theirs = take_row(&b, &k);
        if (slice_equal(mine, theirs)) continue;
        print_error("%s: rows differ\n", name);
        print_row("got ", mine);
        print_row("want", theirs);
        fail();
    }
    buf_deinit(&a);
    buf_deinit(&b);
}

size_t indexer_count_rows(struct kv *kv, const char *prefix)
{
    struct kv_txn *txn = NULL;
    struct kv_cursor cursor = { 0 };
    struct kv_pair pair;
    size_t count = 0;
    OK(kv_begin(kv, KV_READ, &txn, &failure));
    steme_status status = kv_seek(txn, slice_text(prefix), slice_text(prefix), &cursor, &pair, &failure);
    for (; !status; status = kv_next(&cursor, &pair, &failure))
        count++;
    kv_abort(&txn);
    return count;
}
