/* SPDX-License-Identifier: Apache-2.0 */
/* When the index on disk is believed, and what happens when it is not: docs/format/store.md. */
#include "db/index.h"

#include "base/check.h"
#include "base/slice.h"
#include "host/host_mem.h"
#include "lib/kv_testing.h"
#include "lib/shop.h"
#include "lib/testing.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct steme_error failure;

#define OK(call) assert_status((call), STEME_OK, &failure, #call)

static void remove_tree(const struct shop *shop, const char *name) { testing_remove_temporary(shop_path(shop, name)); }

static void put_file(const struct shop *shop, const char *name, const void *bytes, size_t size)
{
    char *path = shop_path(shop, name);
    OK(host_replace_file(host_posix(), path, 0, slice_of(bytes, size), &failure));
    free(path);
}

static bool is_there(const struct shop *shop, const char *name)
{
    struct stat facts;
    char *path = shop_path(shop, name);
    bool there = stat(path, &facts) == 0;
    free(path);
    return there;
}

/* ---- what may have become of the index while the store was closed ---- */

static void leave_it(struct shop *shop) { (void)shop; }
static void remove_it(struct shop *shop) { remove_tree(shop, "index"); }
static void remove_its_data(struct shop *shop)
{
    char *path = shop_path(shop, "index/data.mdb");
    assert_int_equal(remove(path), 0);
    free(path);
}
static void empty_its_data(struct shop *shop) { put_file(shop, "index/data.mdb", "", 0); }
static void cut_its_data(struct shop *shop)
{
    char *path = shop_path(shop, "index/data.mdb");
    assert_int_equal(truncate(path, (off_t)(shop_file_bytes(path) / 8192 * 4096)), 0);
    free(path);
}
static void overwrite_its_data(struct shop *shop)
{
    static uint8_t bytes[1 << 16];
    memset(bytes, 0x5a, sizeof bytes);
    put_file(shop, "index/data.mdb", bytes, sizeof bytes);
}
static void claim_it_was_written_when_the_system_stopped(struct shop *shop)
{
    uint8_t boot[32] = { 1, 2, 3 };
    put_file(shop, "index/state", boot, sizeof boot);
}
static void claim_it_was_written_in_no_boot(struct shop *shop) { put_file(shop, "index/state", "", 0); }
static void claim_too_much(struct shop *shop)
{
    static const uint8_t bytes[200];
    put_file(shop, "index/state", bytes, sizeof bytes);
}
static void claim_it_was_written_by_a_process_that_was_killed(struct shop *shop)
{
    struct steme_hash boot;
    OK(host_boot_id(host_posix(), &boot, &failure));
    put_file(shop, "index/state", boot.bytes, sizeof boot.bytes);
}
static void leave_runs_of_a_sort(struct shop *shop)
{
    put_file(shop, "index/sort-0.run", "x", 1);
    put_file(shop, "index/sort-1.run", "x", 1);
}

static steme_status remove_applied(struct kv_txn *txn, void *context, struct steme_error *err)
{
    struct key_bytes key;
    (void)context;
    key_applied(&key);
    return kv_remove(txn, key_slice(&key), err);
}
static steme_status spoil_applied(struct kv_txn *txn, void *context, struct steme_error *err)
{
    struct key_bytes key;
    (void)context;
    key_applied(&key);
    return kv_put(txn, key_slice(&key), slice_text("not a row"), err);
}
/* A mark that is whole, but not true. */
static steme_status put_other_mark(struct kv_txn *txn, void *context, struct steme_error *err)
{
    struct key_bytes key;
    struct value_bytes value;
    struct steme_slice present;
    struct applied_row row;
    key_applied(&key);
    steme_status status = kv_get(txn, key_slice(&key), &present, err);
    if (!status) status = row_applied(key_slice(&key), present, &row, err);
    if (status) return status;
    (*(void (**)(struct wal_mark *))context)(&row.mark);
    value_of_applied(&value, key_slice(&key), &row);
    return kv_put(txn, key_slice(&key), value_slice(&value), err);
}
static void change_rows(struct shop *shop, steme_status (*body)(struct kv_txn *, void *, struct steme_error *),
                        void *context)
{
    char *dir = shop_path(shop, "index");
    struct kv *kv = kv_testing_lmdb(dir, KV_TESTING_PLAIN);
    OK(kv_guard(kv, &failure));
    OK(kv_update(kv, body, context, &failure));
    kv_close(&kv);
    free(dir);
}
static void take_its_mark(struct shop *shop) { change_rows(shop, remove_applied, NULL); }
static void spoil_its_mark(struct shop *shop) { change_rows(shop, spoil_applied, NULL); }
static void move_ahead(struct wal_mark *mark)
{
    mark->location += 4096;
    mark->next_sequence += 5;
}
/* Nothing vouches for what no log can hold, so the log does not make room for it. */
static void move_out_of_sight(struct wal_mark *mark)
{
    mark->location += (uint64_t)1 << 40;
    mark->next_sequence = UINT64_MAX - 5;
}
static void change_batch(struct wal_mark *mark) { mark->batch.bytes[0] ^= 1; }
static void change_mark(struct shop *shop, void (*change)(struct wal_mark *mark))
{
    change_rows(shop, put_other_mark, &change);
}
static void put_it_ahead(struct shop *shop) { change_mark(shop, move_ahead); }
static void put_it_out_of_sight(struct shop *shop) { change_mark(shop, move_out_of_sight); }
static void take_it_from_another_log(struct shop *shop) { change_mark(shop, change_batch); }

static const struct {
    const char *name;
    void (*change)(struct shop *shop);
    const char *notice; /* NULL: none, it is believed */
} fates[] = {
    { "left as it was", leave_it, NULL },
    { "a killed process wrote it", claim_it_was_written_by_a_process_that_was_killed, NULL },
    { "runs of a sort that was cut off", leave_runs_of_a_sort, NULL },
    { "its directory is gone", remove_it, "index rebuilt: there was none" },
    { "its data are gone", remove_its_data, "index rebuilt: there was none" },
    { "its data are empty", empty_its_data, "index rebuilt: " },
    { "its data are cut", cut_its_data, "index rebuilt: its file is damaged" },
    { "its data are something else", overwrite_its_data, "index rebuilt: its file is damaged" },
    { "the system stopped while it was written", claim_it_was_written_when_the_system_stopped,
      "index rebuilt: the system stopped while it was being written" },
    { "a state without a boot", claim_it_was_written_in_no_boot, "index rebuilt: the system stopped" },
    { "a state that is too long", claim_too_much, "index rebuilt: the system stopped" },
    { "its mark is gone", take_its_mark, "index rebuilt: a rebuild was cut off" },
    { "its mark is damaged", spoil_its_mark, "index rebuilt: its file is damaged" },
    { "it is ahead of any log", put_it_out_of_sight, "index rebuilt: it is ahead of the log, or of another log" },
    { "it is of another log", take_it_from_another_log, "index rebuilt: it is ahead of the log, or of another log" },
};

static void whatever_became_of_the_index_the_answers_are_the_same(void **state)
{
    struct shop *shop = *state;
    struct buf want, got;
    buf_init(&want, SHOP_TEXT_BYTES);
    buf_init(&got, SHOP_TEXT_BYTES);
    shop_fill(shop, 1, 60);
    shop_say(shop->store, &want);
    for (size_t i = 0; i < countof(fates); i++) {
        for (unsigned read_only = 0; read_only < 2; read_only++) {
            struct steme_info info;
            steme_close(&shop->store);
            fates[i].change(shop);
            shop_reopen(shop, read_only);
            shop_say(shop->store, &got);
            shop_same_text(&got, &want, fates[i].name);
            OK(steme_info(shop->store, &info, &failure));
            assert_row(info.index_rebuilds == (fates[i].notice ? 1 : 0), fates[i].name);
            assert_row(shop->notice_count == (fates[i].notice ? 1 : 0), fates[i].name);
            if (fates[i].notice) assert_row(shop_was_told(shop, fates[i].notice), fates[i].name);
            assert_row(!info.index_in_memory, fates[i].name);
            assert_row(!is_there(shop, "index/sort-0.run"), fates[i].name);
        }
    }
    buf_deinit(&want);
    buf_deinit(&got);
}

/* Its mark proves that there was more: the log has lost acknowledged records, and the store says so. */
static void an_index_ahead_of_the_log_tells_what_the_log_has_lost(void **state)
{
    struct shop *shop = *state;
    struct steme_info before, after;
    shop_fill(shop, 1, 40);
    OK(steme_info(shop->store, &before, &failure));
    steme_close(&shop->store);
    put_it_ahead(shop);
    shop_reopen(shop, false);
    OK(steme_info(shop->store, &after, &failure));
    assert_true(after.degraded);
    assert_int_equal(after.missing_sequences, 5);
    assert_int_equal(after.index_rebuilds, 1);
    assert_int_equal(after.last_sequence, before.last_sequence + 5);
    assert_memory_equal(after.records, before.records, sizeof after.records);
    shop_fill(shop, 2, 20); /* it goes on behind the gap */
}

/* An index from an earlier state of the store goes on from there. */
static void an_index_that_is_behind_catches_up(void **state)
{
    struct shop *shop = *state;
    struct buf want, got;
    char *index = shop_path(shop, "index"), *older = testing_join(shop->root, "older");
    shop_fill(shop, 1, 40);
    steme_close(&shop->store);
    shop_copy_dir(index, older);
    shop_reopen(shop, false);
    shop_fill(shop, 2, 40);
    buf_init(&want, SHOP_TEXT_BYTES);
    buf_init(&got, SHOP_TEXT_BYTES);
    shop_say(shop->store, &want);
    for (unsigned read_only = 0; read_only < 2; read_only++) {
        steme_close(&shop->store);
        remove_tree(shop, "index");
        shop_copy_dir(older, index);
        shop_reopen(shop, read_only);
        if (!read_only) shop_catch_up(shop);
        shop_say(shop->store, &got);
        shop_same_text(&got, &want, read_only ? "a reader" : "a writer");
        assert_int_equal(shop->notice_count, 0);
    }
    buf_deinit(&want);
    buf_deinit(&got);
    free(index);
    free(older);
}

/* ---- the state file ---- */

static void the_state_is_there_while_somebody_writes(void **state)
{
    struct shop *shop = *state;
    assert_true(is_there(shop, "index/state"));
    steme_close(&shop->store);
    assert_false(is_there(shop, "index/state"));
    shop_reopen(shop, true);
    assert_false(is_there(shop, "index/state"));
    steme_close(&shop->store);
}

/* ---- what must be on the disk before what ---- */

/* The functions below stand in the place of the C library's, for LMDB as well, so LMDB must see them. */
#define SEEN_BY_LIBRARIES __attribute__((visibility("default")))

enum { SYNCED_MAX = 64 };
static struct {
    _Atomic bool on;
    ino_t synced[SYNCED_MAX]; /* files that were synced since */
    size_t synced_count;
    ino_t data;                   /* of the index when the watch began */
    bool gone, gone_synced;       /* index/state went; the data were synced before */
    bool renamed, renamed_synced; /* index.next/data.mdb became index/data.mdb; it was synced before */
} watch;

static bool was_synced(ino_t inode)
{
    for (size_t i = 0; i < watch.synced_count; i++)
        if (watch.synced[i] == inode) return true;
    return false;
}

static int sync_watched(long call, int descriptor)
{
    struct stat facts;
    if (watch.on && watch.synced_count < SYNCED_MAX && fstat(descriptor, &facts) == 0)
        watch.synced[watch.synced_count++] = facts.st_ino;
    return (int)syscall(call, descriptor);
}

static bool ends_with(const char *path, const char *tail)
{
    size_t size = strlen(path), tail_size = strlen(tail);
    return size >= tail_size && strcmp(path + size - tail_size, tail) == 0;
}

SEEN_BY_LIBRARIES int fdatasync(int descriptor) { return sync_watched(SYS_fdatasync, descriptor); }

SEEN_BY_LIBRARIES int fsync(int descriptor) { return sync_watched(SYS_fsync, descriptor); }

int remove(const char *path)
{
    if (watch.on && ends_with(path, "index/state")) {
        watch.gone = true;
        watch.gone_synced = was_synced(watch.data);
    }
    if (unlink(path) == 0) return 0;
    return errno == EISDIR || errno == EPERM ? rmdir(path) : -1;
}

int rename(const char *from, const char *to)
{
    struct stat facts;
    if (watch.on && ends_with(from, "index.next/data.mdb") && stat(from, &facts) == 0) {
        watch.renamed = true;
        watch.renamed_synced = was_synced(facts.st_ino);
    }
    return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

static void watch_closing(struct shop *shop)
{
    struct stat facts;
    char *data = shop_path(shop, "index/data.mdb");
    assert_int_equal(stat(data, &facts), 0);
    watch.synced_count = 0;
    watch.gone = watch.gone_synced = watch.renamed = watch.renamed_synced = false;
    watch.data = facts.st_ino;
    watch.on = true;
    steme_close(&shop->store);
    watch.on = false;
    free(data);
}

/* Rows are written without a sync. A state file that goes before they are on the disk would vouch for them. */
static void the_state_goes_when_the_rows_are_on_the_disk(void **state)
{
    struct shop *shop = *state;
    shop_fill(shop, 1, 40);
    watch_closing(shop);
    assert_true(watch.gone && watch.gone_synced);
    assert_false(watch.renamed);
}

static void make_synced(struct host *host, const char *path)
{
    struct host_file *file = NULL;
    OK(host_open(host, path, HOST_WRITE | HOST_CREATE, &file, &failure));
    OK(host_sync(file, &failure));
    host_close(&file);
}

/* Wherever throwing an index away ends, by a fault or with the power: its data do not stay behind without warning. */
static void an_index_thrown_away_keeps_its_warning_to_the_last(void **state)
{
    (void)state;
    steme_status status = STEME_FAILED;
    for (uint64_t nth = 1; status; nth++) {
        for (uint64_t seed = 0; seed < 32; seed++) {
            struct host_stat stat;
            struct host *host = host_mem_new(seed);
            assert_non_null(host);
            OK(host_make_dir(host, "store", &failure));
            OK(host_make_dir(host, "store/index", &failure));
            make_synced(host, "store/index/data.mdb");
            make_synced(host, "store/index/lock.mdb");
            make_synced(host, "store/index/state");
            OK(host_sync_dir(host, "store/index", &failure));
            OK(host_sync_dir(host, "store", &failure));
            OK(host_sync_dir(host, "/", &failure));
            host_mem_fail(host, HOST_MEM_ANY, nth, EIO, true);
            status = index_discard(host, "store", NULL);
            host_mem_fail(host, HOST_MEM_ANY, 0, 0, false);
            host_mem_power_cut(host, 500);
            bool data = host_stat(host, "store/index/data.mdb", &stat, NULL) == STEME_OK;
            bool warning = host_stat(host, "store/index/state", &stat, NULL) == STEME_OK;
            assert_true(warning || !data);
            host_mem_free(host);
        }
    }
}

/* ---- rebuilding ---- */

static void a_rebuild_gives_the_same_rows(void **state)
{
    struct shop *shop = *state;
    struct buf want, got;
    struct steme_info info;
    buf_init(&want, SHOP_TEXT_BYTES);
    buf_init(&got, SHOP_TEXT_BYTES);
    shop_fill(shop, 1, 80);
    shop_say(shop->store, &want);
    OK(steme_rebuild(shop->store, &failure));
    shop_say(shop->store, &got);
    shop_same_text(&got, &want, "rebuilt");
    assert_true(shop_was_told(shop, "index rebuilt: asked for"));
    OK(steme_info(shop->store, &info, &failure));
    assert_int_equal(info.index_rebuilds, 1);
    /* It goes on from there. */
    shop_fill(shop, 2, 40);
    shop_say(shop->store, &want);
    OK(steme_rebuild(shop->store, &failure));
    shop_say(shop->store, &got);
    shop_same_text(&got, &want, "rebuilt again");
    shop_reopen(shop, false);
    shop_say(shop->store, &got);
    shop_same_text(&got, &want, "opened again");
    assert_int_equal(shop->notice_count, 0);
    buf_deinit(&want);
    buf_deinit(&got);
}

static void a_reader_does_not_rebuild(void **state)
{
    struct shop *shop = *state;
    shop_reopen(shop, true);
    assert_int_equal(steme_rebuild(shop->store, &failure), STEME_READ_ONLY);
}

static void an_empty_store_is_rebuilt(void **state)
{
    struct shop *shop = *state;
    OK(steme_rebuild(shop->store, &failure));
    shop_fill(shop, 1, 10);
}

/* A snapshot keeps the index it reads, though it has lost its name. */
static void a_snapshot_outlives_a_rebuild(void **state)
{
    struct shop *shop = *state;
    struct buf want, got;
    buf_init(&want, SHOP_TEXT_BYTES);
    buf_init(&got, SHOP_TEXT_BYTES);
    shop_fill(shop, 1, 40);
    struct steme_snapshot *snapshot = shop_look(shop->store);
    OK(shop_answers(snapshot, &want, &failure));
    OK(steme_rebuild(shop->store, &failure));
    shop_fill(shop, 2, 40);
    OK(shop_answers(snapshot, &got, &failure));
    shop_same_text(&got, &want, "after a rebuild");
    steme_snapshot_close(&snapshot);
    buf_deinit(&want);
    buf_deinit(&got);
}

/* ---- tidying ---- */

enum { AIR_ROWS = 800, AIR_BYTES = 60000 };

static steme_status put_air(struct kv_txn *txn, void *context, struct steme_error *err)
{
    static const uint8_t air[AIR_BYTES];
    const bool *take = context;
    steme_status status = STEME_OK;
    for (uint64_t i = 0; !status && i < AIR_ROWS; i++) {
        struct key_bytes key;
        key_of_dead_letter(&key, i);
        status = *take ? kv_remove(txn, key_slice(&key), err)
                       : kv_put(txn, key_slice(&key), slice_of(air, sizeof air), err);
    }
    return status;
}

/* Rows that came and went leave air in the file; closing the store lets it out. */
static void air_in_the_file_is_let_out_at_the_end(void **state)
{
    struct shop *shop = *state;
    struct buf want, got;
    char *data = shop_path(shop, "index/data.mdb"), *dir = shop_path(shop, "index");
    bool take = false;
    shop_fill(shop, 1, 40);
    buf_init(&want, SHOP_TEXT_BYTES);
    buf_init(&got, SHOP_TEXT_BYTES);
    shop_say(shop->store, &want);
    struct kv *kv = kv_testing_lmdb(dir, KV_TESTING_PLAIN); /* the one the store has open */
    OK(kv_update(kv, put_air, &take, &failure));
    take = true;
    OK(kv_update(kv, put_air, &take, &failure));
    kv_close(&kv);
    assert_true(shop_file_bytes(data) > 32u << 20);
    steme_close(&shop->store);
    assert_true(shop_file_bytes(data) < 4u << 20);
    assert_false(is_there(shop, "index.next"));
    assert_false(is_there(shop, "index/state"));
    shop_reopen(shop, false);
    assert_int_equal(shop->notice_count, 0);
    shop_say(shop->store, &got);
    shop_same_text(&got, &want, "tidied");
    buf_deinit(&want);
    buf_deinit(&got);
    free(data);
    free(dir);
}

static void a_tidied_index_has_the_name_when_it_is_on_the_disk(void **state)
{
    struct shop *shop = *state;
    char *dir = shop_path(shop, "index");
    shop_fill(shop, 1, 40);
    struct kv *kv = kv_testing_lmdb(dir, KV_TESTING_PLAIN);
    for (unsigned take = 0; take < 2; take++)
        OK(kv_update(kv, put_air, &(bool){ take }, &failure));
    kv_close(&kv);
    watch_closing(shop);
    assert_true(watch.renamed && watch.renamed_synced);
    assert_true(watch.gone);
    free(dir);
}

/* ---- by itself ---- */

static void looking_at_nothing_finds_nothing(void **state)
{
    struct shop *shop = *state;
    struct index *index = NULL;
    struct applied_row applied;
    const char *why = NULL;
    steme_close(&shop->store);
    remove_tree(shop, "index");
    assert_int_equal(index_open(host_posix(), shop->dir, INDEX_LOOK, &index, &applied, &why, &failure),
                     STEME_NOT_FOUND);
    assert_null(index);
    char *dir = shop_path(shop, "index");
    OK(host_make_dir(host_posix(), dir, &failure));
    free(dir);
    overwrite_its_data(shop);
    assert_int_equal(index_open(host_posix(), shop->dir, INDEX_LOOK, &index, &applied, &why, &failure), STEME_CORRUPT);
    assert_null(index);
    index_release(&index); /* NULL is fine */
}

static void an_index_in_memory_has_no_files(void **state)
{
    struct shop *shop = *state;
    struct index *index = NULL;
    struct applied_row applied;
    const char *why = NULL;
    steme_close(&shop->store);
    remove_tree(shop, "index");
    OK(index_open(host_posix(), shop->dir, INDEX_MEMORY, &index, &applied, &why, &failure));
    OK(index_mark_open(index, &failure));
    OK(index_tidy(index, &failure));
    OK(index_mark_clean(index, &failure));
    index_hold(index);
    struct index *second = index;
    index_release(&index);
    index_release(&second);
    assert_false(is_there(shop, "index"));
}

static void discarding_nothing_is_fine(void **state)
{
    struct shop *shop = *state;
    steme_close(&shop->store);
    remove_tree(shop, "index");
    OK(index_discard(host_posix(), shop->dir, &failure));
    shop_reopen(shop, false);
    steme_close(&shop->store);
    OK(index_discard(host_posix(), shop->dir, &failure));
    assert_false(is_there(shop, "index/data.mdb"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SHOP_CASE(whatever_became_of_the_index_the_answers_are_the_same),
        SHOP_CASE(an_index_ahead_of_the_log_tells_what_the_log_has_lost),
        SHOP_CASE(an_index_that_is_behind_catches_up),
        SHOP_CASE(the_state_is_there_while_somebody_writes),
        SHOP_CASE(the_state_goes_when_the_rows_are_on_the_disk),
        cmocka_unit_test(an_index_thrown_away_keeps_its_warning_to_the_last),
        SHOP_CASE(a_rebuild_gives_the_same_rows),
        SHOP_CASE(a_reader_does_not_rebuild),
        SHOP_CASE(an_empty_store_is_rebuilt),
        SHOP_CASE(a_snapshot_outlives_a_rebuild),
        SHOP_CASE(air_in_the_file_is_let_out_at_the_end),
        SHOP_CASE(a_tidied_index_has_the_name_when_it_is_on_the_disk),
        SHOP_CASE(looking_at_nothing_finds_nothing),
        SHOP_CASE(an_index_in_memory_has_no_files),
        SHOP_CASE(discarding_nothing_is_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
