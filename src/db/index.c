/* SPDX-License-Identifier: Apache-2.0 */
#include "db/index.h"

#include "base/check.h"
#include "base/slice.h"
#include "db/views.h"
#include "spine/sorter.h"

#include <stdatomic.h>
#include <stdlib.h>

enum {
    PATH_CEILING_BYTES = 64 << 10,
    STATE_MAX_BYTES = 64,
    TIDY_FILE_BYTES = 32 << 20,
    TIDY_COMMIT_ROWS = 50000,
};

static const char *index_dir(struct arena *arena, const char *dir) { return host_join(arena, dir, "index"); }

static const char *index_file(struct arena *arena, const char *dir, const char *name)
{
    const char *in = index_dir(arena, dir);
    return in ? host_join(arena, in, name) : NULL;
}

/* ---- whether what is on disk can be trusted ---- */

/* Whether index/state names another boot than this one: the system stopped while somebody wrote. */
static steme_status torn_by_stop(struct host *host, const char *dir, struct arena *arena, bool *out,
                                 struct steme_error *err)
{
    struct steme_slice state;
    struct steme_hash boot;
    *out = false;
    steme_status status = host_read_file(host, index_file(arena, dir, "state"), STATE_MAX_BYTES, arena, &state, err);
    if (status == STEME_NOT_FOUND) return STEME_OK;
    if (status == STEME_TOO_LARGE) {
        *out = true;
        return STEME_OK;
    }
    if (!status) status = host_boot_id(host, &boot, err);
    if (!status) *out = !slice_equal(state, slice_of(boot.bytes, sizeof boot.bytes));
    return status;
}

static steme_status empty_dir(struct host *host, const char *dir, struct arena *arena, struct steme_error *err)
{
    struct host_entry *entries = NULL;
    size_t count = 0;
    steme_status status = host_list(host, dir, arena, &entries, &count, err);
    if (status == STEME_NOT_FOUND) return STEME_OK;
    for (size_t i = 0; !status && i < count; i++) {
        const char *path = host_join(arena, dir, entries[i].name);
        /* The state file warns of the others, so it goes last, when they are surely gone. */
        if (strcmp(entries[i].name, "state") == 0) status = host_sync_dir(host, dir, err);
        if (!status) status = path ? host_remove(host, path, err) : arena_full(arena, err);
    }
    return status;
}

steme_status index_discard(struct host *host, const char *dir, struct steme_error *err)
{
    struct arena arena;
    arena_init(&arena, PATH_CEILING_BYTES);
    const char *in = index_dir(&arena, dir);
    steme_status status = in ? empty_dir(host, in, &arena, err) : arena_full(&arena, err);
    arena_deinit(&arena);
    return status ? error_wrap(err, status, "discarding the index") : STEME_OK;
}

static steme_status ensure_dir(struct host *host, const char *dir, const char *in, struct steme_error *err)
{
    steme_status status = host_make_dir(host, in, err);
    if (status == STEME_EXISTS) return STEME_OK;
    return status ? status : host_sync_dir(host, dir, err);
}

/* LMDB notices no rot in its pages: a row may vanish without a word. */
static steme_status open_guarded(struct host *host, const struct kv_lmdb_options *options, struct kv **kv,
                                 struct steme_error *err)
{
    steme_status status = kv_lmdb_open(host, options, kv, err);
    if (!status) status = kv_guard(*kv, err);
    if (status) kv_close(kv);
    return status;
}

static steme_status open_kv(struct host *host, const char *in, enum index_mode mode, struct kv **kv,
                            struct applied_row *applied, struct steme_error *err)
{
    struct kv_lmdb_options options = { .dir = in, .create = mode == INDEX_MAINTAIN, .read_only = mode == INDEX_LOOK };
    steme_status status = open_guarded(host, &options, kv, err);
    if (status) return status;
    status = projection_applied(*kv, applied, err);
    if (status == STEME_NOT_FOUND && mode == INDEX_MAINTAIN) {
        *applied = (struct applied_row){ 0 };
        return STEME_OK;
    }
    if (status) kv_close(kv);
    return status;
}

/* Rows without an applied row: a rebuild that was cut off. */
static steme_status half_built(struct kv *kv, const struct applied_row *applied, bool *out, struct steme_error *err)
{
    struct kv_txn *txn = NULL;
    struct kv_cursor cursor = { 0 };
    struct kv_pair pair;
    *out = false;
    if (applied->mark.location) return STEME_OK;
    steme_status status = kv_begin(kv, KV_READ, &txn, err);
    if (!status) status = kv_seek(txn, slice_of(NULL, 0), slice_of(NULL, 0), &cursor, &pair, err);
    *out = status == STEME_OK;
    kv_cursor_end(&cursor);
    kv_abort(&txn);
    return status == STEME_NOT_FOUND ? STEME_OK : status;
}

static steme_status open_maintained(struct host *host, const char *dir, struct arena *arena, struct kv **kv,
                                    struct applied_row *applied, const char **why, struct steme_error *err)
{
    const char *in = index_dir(arena, dir);
    bool torn = false, half = false;
    steme_status status = ensure_dir(host, dir, in, err);
    if (!status) status = sorter_clean(host, in, err);
    if (!status) status = torn_by_stop(host, dir, arena, &torn, err);
    if (status) return status;
    if (torn) *why = "the system stopped while it was being written";
    if (!torn) {
        status = open_kv(host, in, INDEX_MAINTAIN, kv, applied, err);
        if (!status) status = half_built(*kv, applied, &half, err);
        if (!status && !half) return STEME_OK;
        if (status && status != STEME_CORRUPT && status != STEME_NEWER) return status;
        *why = half ? "a rebuild was cut off" : "its file is damaged";
        kv_close(kv);
    }
    status = index_discard(host, dir, err);
    return status ? status : open_kv(host, in, INDEX_MAINTAIN, kv, applied, err);
}

steme_status index_open(struct host *host, const char *dir, enum index_mode mode, struct index **out,
                        struct applied_row *applied_out, const char **why_out, struct steme_error *err)
{
    struct arena arena;
    struct applied_row applied = { 0 };
    const char *why = NULL;
    arena_init(&arena, PATH_CEILING_BYTES);
    struct index *index = calloc(1, sizeof *index);
    char *dir_copy = index ? calloc(1, strlen(dir) + 1) : NULL;
    steme_status status = STEME_OK;
    if (!dir_copy || !index_dir(&arena, dir)) {
        status = error_set(err, STEME_NO_MEMORY, "no memory to open the index");
        goto done;
    }
    memcpy(dir_copy, dir, strlen(dir));
    *index = (struct index){ .host = host, .dir = dir_copy, .in_memory = mode == INDEX_MEMORY };
    atomic_init(&index->refs, 1);
    if (mode == INDEX_MEMORY)
        status = kv_mem_open(&index->kv, err);
    else if (mode == INDEX_LOOK)
        status = open_kv(host, index_dir(&arena, dir), mode, &index->kv, &applied, err);
    else
        status = open_maintained(host, dir, &arena, &index->kv, &applied, &why, err);
    if (status) goto done;
    *out = index;
    *applied_out = applied;
    *why_out = why;
    index = NULL;
    dir_copy = NULL;
done:
    free(dir_copy);
    free(index);
    arena_deinit(&arena);
    return status ? error_wrap(err, status, "opening the index") : STEME_OK;
}

static void join(struct index *index, struct wal *wal, const struct wal_mark *mark)
{
    if (index->attached) {
        ingestor_deinit(&index->ingestor);
        projection_deinit(&index->projection);
    }
    projection_init(&index->projection, wal);
    ingestor_init(&index->ingestor, wal, index->kv, projection_sink(&index->projection), mark);
    index->attached = true;
}

steme_status index_attach(struct index *index, struct wal *wal, const struct applied_row *applied,
                          struct steme_error *err)
{
    struct wal_mark mark = applied->mark.location ? applied->mark : wal_begin(wal);
    if (!wal_knows(wal, &mark))
        return error_set(err, STEME_MISMATCH, "the index is ahead of the log, or of another log");
    join(index, wal, &mark);
    return STEME_OK;
}

static steme_status fill_in_steps(struct index *index, struct wal *wal, struct steme_error *err)
{
    struct wal_mark begin = wal_begin(wal);
    size_t count = 0;
    join(index, wal, &begin);
    for (;;) {
        uint64_t before = index->ingestor.applied.location;
        steme_status status = ingestor_step(&index->ingestor, &count, err);
        if (status || index->ingestor.applied.location == before) return status;
    }
}

steme_status index_fill(struct index *index, struct wal *wal, struct steme_error *err)
{
    if (index->in_memory) return fill_in_steps(index, wal, err);
    struct arena arena;
    struct applied_row applied = { 0 };
    arena_init(&arena, PATH_CEILING_BYTES);
    const char *in = index_dir(&arena, index->dir);
    steme_status status = in ? projection_bulk(index->host, in, wal, index->kv, &applied, err)
                             : arena_full(&arena, err);
    arena_deinit(&arena);
    if (status) return error_wrap(err, status, "rebuilding the index");
    join(index, wal, &applied.mark);
    return STEME_OK;
}

/* ---- the state file ---- */

steme_status index_mark_open(struct index *index, struct steme_error *err)
{
    if (index->marked || index->in_memory) return STEME_OK;
    struct arena arena;
    struct steme_hash boot;
    arena_init(&arena, PATH_CEILING_BYTES);
    const char *path = index_file(&arena, index->dir, "state");
    steme_status status = path ? host_boot_id(index->host, &boot, err) : arena_full(&arena, err);
    if (!status) status = host_replace_file(index->host, path, 0, slice_of(boot.bytes, sizeof boot.bytes), err);
    index->marked = status == STEME_OK;
    arena_deinit(&arena);
    return status ? error_wrap(err, status, "marking the index as being written") : STEME_OK;
}

steme_status index_mark_clean(struct index *index, struct steme_error *err)
{
    if (!index->marked) return STEME_OK;
    struct arena arena;
    arena_init(&arena, PATH_CEILING_BYTES);
    const char *path = index_file(&arena, index->dir, "state");
    steme_status status = path ? kv_sync(index->kv, err) : arena_full(&arena, err);
    if (!status) status = host_remove(index->host, path, err);
    index->marked = status != STEME_OK;
    arena_deinit(&arena);
    return status ? error_wrap(err, status, "marking the index as whole") : STEME_OK;
}

/* ---- tidying ---- */

static steme_status copy_rows(struct kv *from, struct kv *to, struct steme_error *err)
{
    struct kv_txn *reading = NULL, *writing = NULL;
    struct kv_cursor cursor = { 0 };
    struct kv_pair pair;
    struct steme_slice all = { 0 };
    size_t rows = 0;
    steme_status status = kv_begin(from, KV_READ, &reading, err);
    if (!status) status = kv_seek(reading, all, all, &cursor, &pair, err);
    for (; !status; status = kv_next(&cursor, &pair, err)) {
        if (!writing) status = kv_begin(to, KV_WRITE, &writing, err);
        if (!status) status = kv_append(writing, pair.key, pair.value, err);
        if (!status && ++rows % TIDY_COMMIT_ROWS == 0) status = kv_commit(&writing, err);
        if (status) break;
    }
    if (status == STEME_NOT_FOUND) status = writing ? kv_commit(&writing, err) : STEME_OK;
    if (!status) status = kv_sync(to, err);
    kv_cursor_end(&cursor);
    kv_abort(&writing);
    kv_abort(&reading);
    return status;
}

/* The copy takes the old file's name. Between the two steps there is no index at all, which costs a rebuild and no
 * more. */
static steme_status take_name(struct host *host, const char *next, const char *in, struct arena *arena,
                              struct steme_error *err)
{
    const char *old_lock = host_join(arena, in, "lock.mdb"), *next_lock = host_join(arena, next, "lock.mdb");
    const char *old_data = host_join(arena, in, "data.mdb"), *next_data = host_join(arena, next, "data.mdb");
    if (!old_lock || !next_lock || !old_data || !next_data) return arena_full(arena, err);
    steme_status status = host_remove(host, old_lock, err);
    if (!status) status = host_remove(host, old_data, err);
    if (!status) status = host_rename(host, next_data, old_data, err);
    if (!status) status = host_sync_dir(host, in, err);
    if (!status) status = host_remove(host, next_lock, err);
    return status ? status : host_remove(host, next, err);
}

/* More than half of the file is air, and the file is worth the trouble. */
static steme_status is_untidy(struct index *index, struct arena *arena, bool *out, struct steme_error *err)
{
    struct applied_row applied;
    struct host_stat stat;
    const char *data = index_file(arena, index->dir, "data.mdb");
    *out = false;
    steme_status status = data ? projection_applied(index->kv, &applied, err) : arena_full(arena, err);
    if (status == STEME_NOT_FOUND) return STEME_OK;
    if (!status) status = host_stat(index->host, data, &stat, err);
    uint64_t view_bytes = 0;
    if (!status) status = views_row_bytes(index->kv, &view_bytes, err);
    if (!status) *out = stat.size_bytes > TIDY_FILE_BYTES && stat.size_bytes > 2 * (applied.row_bytes + view_bytes);
    return status;
}

steme_status index_tidy(struct index *index, struct steme_error *err)
{
    struct arena arena;
    struct kv *copy = NULL;
    bool untidy = false;
    if (!index->marked) return STEME_OK;
    arena_init(&arena, PATH_CEILING_BYTES);
    const char *in = index_dir(&arena, index->dir), *next = host_join(&arena, index->dir, "index.next");
    steme_status status = in && next ? is_untidy(index, &arena, &untidy, err) : arena_full(&arena, err);
    if (status || !untidy) goto done;
    status = ensure_dir(index->host, index->dir, next, err);
    if (!status) status = empty_dir(index->host, next, &arena, err);
    struct kv_lmdb_options options = { .dir = next, .create = true };
    if (!status) status = open_guarded(index->host, &options, &copy, err);
    if (!status) status = copy_rows(index->kv, copy, err);
    kv_close(&copy);
    if (!status) status = take_name(index->host, next, in, &arena, err);
done:
    arena_deinit(&arena);
    return status ? error_wrap(err, status, "tidying the index") : STEME_OK;
}

/* ---- sharing ---- */

void index_hold(struct index *index) { atomic_fetch_add_explicit(&index->refs, 1, memory_order_relaxed); }

void index_release(struct index **index)
{
    struct index *it = *index;
    *index = NULL;
    if (!it || atomic_fetch_sub_explicit(&it->refs, 1, memory_order_acq_rel) != 1) return;
    if (it->attached) {
        ingestor_deinit(&it->ingestor);
        projection_deinit(&it->projection);
    }
    kv_close(&it->kv);
    free(it->dir);
    free(it);
}
