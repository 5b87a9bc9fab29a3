/* SPDX-License-Identifier: Apache-2.0 */
/* Making, opening, closing and finding a store; who may have it open; what opening does with an index it does not like
 * (test_index.c). */
#define _GNU_SOURCE /* memmem */
#include "base/check.h"
#include "base/slice.h"
#include "db/store.h"
#include "host/host_mem.h"
#include "lib/kv_testing.h"
#include "lib/shop.h"
#include "lib/testing.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NOBODY = 65534 };

static struct steme_error failure;

#define OK(call) assert_status((call), STEME_OK, &failure, #call)

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void remove_tree(const char *path)
{
    char *owned = strdup(path);
    assert_non_null(owned);
    testing_remove_temporary(owned);
}

/* ---- making ---- */

static void a_store_is_made_where_nothing_is(void **state)
{
    struct shop *shop = *state;
    char *full = testing_join(shop->root, "full"), *fresh = testing_join(shop->root, "fresh");
    char *deep = testing_join(shop->root, "not/there/yet"), *file = testing_join(shop->root, "file");
    struct steme_store *store = NULL;
    assert_int_equal(mkdir(full, 0755), 0);
    char *other = testing_join(full, "other");
    write_text(other, "x");
    write_text(file, "x");
    assert_int_equal(steme_create(full, &failure), STEME_EXISTS);
    assert_int_equal(steme_create(shop->dir, &failure), STEME_EXISTS);
    assert_int_equal(steme_create(deep, &failure), STEME_NOT_FOUND);
    assert_int_not_equal(steme_create(file, &failure), STEME_OK);
    assert_int_equal(mkdir(fresh, 0755), 0);
    OK(steme_create(fresh, &failure));
    OK(steme_open(fresh, NULL, &store, &failure));
    steme_close(&store);
    free(full), free(fresh), free(deep), free(file), free(other);
}

/* ---- opening ---- */

/* Killed between naming the identity and syncing that: what is acknowledged later must not hang by that name. */
static void a_store_whose_making_was_cut_short_keeps_what_is_written_to_it(void **state)
{
    (void)state;
    struct host *host = host_mem_new(1);
    struct store_setting setting = { host, 64 << 10, true, NULL };
    struct steme_store *store = NULL;
    struct steme_error err;
    assert_non_null(host);
    host_mem_fail(host, HOST_MEM_SYNC_DIR, 5, EIO, false); /* the last one */
    assert_status(store_create_in(&setting, "store", &err), STEME_IO, &err, "the last sync fails");
    assert_status(store_open_in(&setting, "store", NULL, &store, &err), STEME_NOT_FOUND, &err, "there is no store");
    host_mem_free(host);

    host = host_mem_new(2);
    setting.host = host;
    assert_non_null(host);
    assert_status(store_create_in(&setting, "store", &err), STEME_OK, &err, "made");
    uint64_t calls = host_mem_calls(host, HOST_MEM_ANY);
    host_mem_free(host);
    host = host_mem_new(2);
    setting.host = host;
    assert_non_null(host);
    host_mem_stop(host, calls); /* the last call is that sync */
    assert_status(store_create_in(&setting, "store", &err), STEME_IO, &err, "killed at the last sync");
    host_mem_kill(host);
    assert_status(store_open_in(&setting, "store", NULL, &store, &err), STEME_OK, &err, "opened for writing");
    host_mem_stop(host, 1);
    steme_close(&store);
    host_mem_power_cut(host, 0);
    assert_status(store_open_in(&setting, "store", NULL, &store, &err), STEME_OK, &err, "opened after the power cut");
    steme_close(&store);
    host_mem_free(host);
}

static void spoil_nothing(const char *dir) { (void)dir; }
static void spoil_identity(const char *dir)
{
    char *path = testing_join(dir, "store");
    shop_flip(path, 40);
    free(path);
}
static void spoil_format(const char *dir)
{
    char *path = testing_join(dir, "store");
    write_text(path, "stemedb store\nformat 2\nsomething new\n");
    free(path);
}
static void lose_identity(const char *dir)
{
    char *path = testing_join(dir, "store");
    assert_int_equal(remove(path), 0);
    free(path);
}
static void lose_log(const char *dir)
{
    char *path = testing_join(dir, "wal");
    remove_tree(path);
    free(path);
}
static void lose_index(const char *dir)
{
    char *path = testing_join(dir, "index");
    remove_tree(path);
    free(path);
}
static void lose_keys(const char *dir)
{
    char *path = testing_join(dir, "keys");
    remove_tree(path);
    free(path);
}
static void lose_locks(const char *dir)
{
    char *lock = testing_join(dir, "lock"), *index_lock = testing_join(dir, "index.lock");
    assert_int_equal(remove(lock) | remove(index_lock), 0);
    free(lock);
    free(index_lock);
}
static void take_another_s_identity(const char *dir)
{
    char *other = testing_join(dir, "../other"), *from = testing_join(other, "store"), *to = testing_join(dir, "store");
    OK(steme_create(other, &failure));
    assert_int_equal(rename(from, to), 0);
    free(other), free(from), free(to);
}

static const struct {
    const char *name;
    void (*spoil)(const char *dir);
    steme_status want;
} spoils[] = {
    { "a sound store", spoil_nothing, STEME_OK },
    { "without an index", lose_index, STEME_OK },
    { "without its keys", lose_keys, STEME_OK },
    { "without its lock files", lose_locks, STEME_OK },
    { "no store", lose_identity, STEME_NOT_FOUND },
    { "a damaged identity", spoil_identity, STEME_CORRUPT },
    { "a later format", spoil_format, STEME_NEWER },
    { "without a log", lose_log, STEME_NOT_FOUND },
    { "the log of another store", take_another_s_identity, STEME_CORRUPT },
};

static void each_spoiled_store_is_told_apart(void **state)
{
    struct shop *shop = *state;
    shop_fill(shop, 1, 20);
    steme_close(&shop->store);
    for (size_t i = 0; i < countof(spoils); i++) {
        for (unsigned read_only = 0; read_only < 2; read_only++) {
            char name[32];
            struct steme_store *store = NULL;
            struct steme_open_options options = { .read_only = read_only };
            (void)snprintf(name, sizeof name, "case-%zu-%u/", i, read_only);
            char *outer = testing_join(shop->root, name), *dir = testing_join(outer, "store");
            assert_int_equal(mkdir(outer, 0755), 0);
            shop_copy_dir(shop->dir, dir);
            spoils[i].spoil(dir);
            failure.message[0] = '\0';
            assert_status(steme_open(dir, &options, &store, &failure), spoils[i].want, &failure, spoils[i].name);
            assert_row((store == NULL) == (spoils[i].want != STEME_OK), spoils[i].name);
            assert_row(!spoils[i].want || strstr(failure.message, dir), spoils[i].name);
            steme_close(&store);
            assert_null(store);
            free(outer), free(dir);
        }
    }
    struct steme_store *store = NULL;
    assert_int_equal(steme_open("/nowhere/at/all", NULL, &store, &failure), STEME_NOT_FOUND);
    steme_close(&store); /* NULL is fine */
}

/* Sizes, names and bytes of everything in a directory. */
static void digest_dir(const char *dir, struct buf *out)
{
    struct arena arena;
    struct host_entry *entries = NULL;
    size_t count = 0;
    arena_init(&arena, 256 << 20);
    OK(host_list(host_posix(), dir, &arena, &entries, &count, &failure));
    for (size_t i = 0; i < count; i++) {
        char *path = testing_join(dir, entries[i].name);
        struct steme_slice bytes;
        buf_printf(out, "%s\n", path);
        if (entries[i].kind == HOST_KIND_DIR) {
            digest_dir(path, out);
        } else {
            OK(host_read_file(host_posix(), path, 256 << 20, &arena, &bytes, &failure));
            buf_append_slice(out, bytes);
        }
        free(path);
    }
    arena_deinit(&arena);
}

static void a_later_store_is_left_untouched(void **state)
{
    struct shop *shop = *state;
    struct buf before, after;
    shop_fill(shop, 1, 20);
    steme_close(&shop->store);
    spoil_format(shop->dir);
    buf_init(&before, SHOP_TEXT_BYTES);
    buf_init(&after, SHOP_TEXT_BYTES);
    digest_dir(shop->dir, &before);
    assert_int_equal(shop_open_more(shop, false, &shop->store, &failure), STEME_NEWER);
    assert_int_equal(shop_open_more(shop, true, &shop->store, &failure), STEME_NEWER);
    digest_dir(shop->dir, &after);
    assert_true(before.size > 1000 && slice_equal(buf_slice(&before), buf_slice(&after)));
    buf_deinit(&before);
    buf_deinit(&after);
}

/* ---- who may have it open ---- */

static void the_second_writer_is_told_who_the_first_is(void **state)
{
    struct shop *shop = *state;
    struct steme_store *second = NULL;
    char pid[32];
    assert_int_equal(shop_open_more(shop, false, &second, &failure), STEME_LOCKED);
    assert_null(second);
    (void)snprintf(pid, sizeof pid, "process %ld", (long)getpid());
    assert_non_null(strstr(failure.message, pid));
    steme_close(&shop->store);
    OK(shop_open_more(shop, false, &second, &failure));
    steme_close(&second);
}

/* In another process: 0 when it is locked out and told the parent's number. */
static int try_to_write(void *context)
{
    struct shop *shop = context;
    struct steme_store *store = NULL;
    struct steme_error error;
    char pid[32];
    (void)snprintf(pid, sizeof pid, "process %ld", (long)getppid());
    steme_status status = steme_open(shop->dir, NULL, &store, &error);
    if (status != STEME_LOCKED) return 10 + (int)status;
    return strstr(error.message, pid) ? 0 : 1;
}

static void another_process_is_locked_out(void **state)
{
    struct shop *shop = *state;
    assert_int_equal(kv_testing_child(try_to_write, shop), 0);
}

static int open_and_die(void *context)
{
    static struct steme_store *store; /* who looks for lost memory finds them here */
    static struct steme_signer *signer;
    struct shop *shop = context;
    struct steme_receipt receipt;
    struct steme_record record = pile_claim("Pluto", "is a", "planet");
    if (steme_open(shop->dir, NULL, &store, NULL)) return 1;
    if (steme_signer_from_seed(pile_agent(0)->seed, &signer, NULL)) return 2;
    if (steme_write(store, signer, &record, &receipt, NULL)) return 3;
    return 0; /* without closing: _exit() follows */
}

static void a_process_that_dies_leaves_no_lock_and_what_it_wrote(void **state)
{
    struct shop *shop = *state;
    struct steme_info info;
    steme_close(&shop->store);
    assert_int_equal(kv_testing_child(open_and_die, shop), 0);
    shop_reopen(shop, false);
    shop_catch_up(shop);
    OK(steme_info(shop->store, &info, &failure));
    assert_int_equal(info.last_sequence, 1);
    assert_int_equal(info.records[STEME_ASSERTION], 1);
    assert_int_equal(info.index_rebuilds, 0); /* what a killed process left is whole */
}

/* ---- readers beside the writer ---- */

struct seen {
    size_t records;
    uint64_t last;
};

static steme_status count_record(void *context, const struct steme_entry *entry)
{
    struct seen *seen = context;
    seen->records++;
    seen->last = entry->sequence > seen->last ? entry->sequence : seen->last;
    return STEME_OK;
}

static steme_status count_key(void *context, struct steme_slice key, struct steme_slice value)
{
    size_t *count = context;
    (void)key, (void)value;
    ++*count;
    return STEME_OK;
}

static void tell_finding(void *context, const struct steme_finding *finding)
{
    (void)context;
    print_message("finding in %s: %s\n", finding->part, finding->message);
}

/* A reader sees the log as it was when it opened it, whatever the writer does meanwhile to the index they share. */
/* The row that says how far the index is, and the tallies, which are of there, move on; the rest stays. */
static void leave_out(struct buf *text)
{
    static const struct steme_slice moving[] = { { (const uint8_t *)"M:applied", 9 }, { (const uint8_t *)"Y:", 2 } };
    size_t kept = 0, left_out = 0;
    for (size_t at = 0, next; at < text->size; at = next) {
        const uint8_t *end = memchr(text->data + at, '\n', text->size - at);
        next = end ? (size_t)(end - text->data) + 1 : text->size;
        bool moves = false;
        for (size_t i = 0; i < countof(moving); i++)
            moves = moves || slice_starts(slice_of(text->data + at, next - at), moving[i]);
        left_out += moves;
        if (moves) continue;
        memmove(text->data + kept, text->data + at, next - at);
        kept += next - at;
    }
    assert_true(left_out > 1);
    text->size = kept;
}

static void a_reader_goes_on_while_the_writer_writes(void **state)
{
    struct shop *shop = *state;
    struct steme_store *reader = NULL;
    struct buf before, after;
    shop_fill(shop, 1, 60);
    struct steme_info was, is;
    OK(shop_open_more(shop, true, &reader, &failure));
    OK(steme_info(reader, &was, &failure));
    buf_init(&before, SHOP_TEXT_BYTES);
    buf_init(&after, SHOP_TEXT_BYTES);
    shop_say(reader, &before);
    shop_fill(shop, 2, 60);
    shop_say(reader, &after);
    leave_out(&before);
    leave_out(&after);
    shop_same_text(&after, &before, "beside a writer");
    OK(steme_info(reader, &is, &failure));
    assert_int_equal(is.last_sequence, was.last_sequence);
    assert_true(is.indexed_sequence <= is.last_sequence);
    steme_close(&reader);
    buf_deinit(&before);
    buf_deinit(&after);
}

/* What the writer adds is no lie of the index: nobody makes it anew for that. */
static void a_reader_beside_a_writer_keeps_the_index_they_share(void **state)
{
    struct shop *shop = *state;
    struct steme_store *reader = NULL;
    struct steme_info info;
    struct buf text;
    shop_fill(shop, 1, 60);
    OK(shop_open_more(shop, true, &reader, &failure));
    buf_init(&text, SHOP_TEXT_BYTES);
    for (uint64_t seed = 2; seed < 4; seed++) {
        shop_fill(shop, seed, 60);
        shop_say(reader, &text);
        OK(steme_info(reader, &info, &failure));
        assert_int_equal(info.index_rebuilds, 0);
        assert_false(info.index_in_memory);
    }
    OK(steme_info(shop->store, &info, &failure));
    assert_int_equal(info.index_rebuilds, 0);
    steme_close(&reader);
    buf_deinit(&text);
}

static void every_way_to_read_works_beside_a_writer(void **state)
{
    struct shop *shop = *state;
    struct steme_store *reader = NULL;
    struct steme_info info;
    shop_fill(shop, 1, 40);
    OK(shop_open_more(shop, true, &reader, &failure));
    OK(steme_info(reader, &info, &failure));
    shop_fill(shop, 2, 200);
    const struct steme_moment moments[] = {
        steme_moment_now(),
        { info.last_sequence + 3, STEME_TIME_MAX, STEME_TIME_MAX,
          0 }, /* the writer's index knows it, this log does not */
        { UINT64_MAX, steme_now_us() - 1, STEME_TIME_MAX, 0 },
        { info.last_sequence, STEME_TIME_MAX, STEME_TIME_MAX, 0 },
        { 3, STEME_TIME_MAX, STEME_TIME_MAX, 0 },
    };
    for (size_t i = 0; i < countof(moments); i++) {
        struct steme_snapshot *snapshot = shop_look_at(reader, moments[i]);
        struct seen exported = { 0 }, logged = { 0 };
        size_t keys = 0;
        uint64_t last = i == 4 ? 3 : info.last_sequence;
        OK(steme_export_each(snapshot, count_record, &exported, &failure));
        OK(steme_log_each(snapshot, 0, count_record, &logged, &failure));
        OK(steme_keys_each(snapshot, slice_of(NULL, 0), count_key, &keys, &failure));
        assert_int_equal(logged.last, last);
        assert_true(exported.last <= last);
        assert_true(keys > 0);
        steme_snapshot_close(&snapshot);
    }
    steme_close(&reader);
}

static void a_reader_verifies_beside_a_writer(void **state)
{
    struct shop *shop = *state;
    struct steme_store *reader = NULL;
    struct steme_verification totals;
    shop_fill(shop, 1, 40);
    OK(shop_open_more(shop, true, &reader, &failure));
    shop_fill(shop, 2, 60);
    OK(steme_verify(reader, tell_finding, NULL, &totals, &failure));
    assert_int_equal(totals.findings, 0);
    assert_int_equal(totals.valid_bytes + totals.padding_bytes + totals.damaged_bytes, totals.file_bytes);
    steme_close(&reader);
}

/* A reader in another process, beside the writer here: 0 when it sees as many records as there were. */
struct other_reader {
    struct shop *shop;
    size_t want;
};

static int read_beside(void *context)
{
    const struct other_reader *other = context;
    struct steme_open_options options = { .read_only = true };
    struct steme_store *store = NULL;
    struct steme_snapshot *snapshot = NULL;
    struct seen seen = { 0 };
    if (steme_open(other->shop->dir, &options, &store, NULL)) return 1;
    if (steme_snapshot_open(store, NULL, &snapshot, NULL)) return 2;
    if (steme_log_each(snapshot, 0, count_record, &seen, NULL)) return 3;
    steme_snapshot_close(&snapshot);
    steme_close(&store);
    return seen.records == other->want ? 0 : 4;
}

static void another_process_reads_beside_the_writer(void **state)
{
    struct shop *shop = *state;
    struct steme_info info;
    shop_fill(shop, 3, 30);
    OK(steme_info(shop->store, &info, &failure));
    struct other_reader other = { shop, info.last_sequence };
    assert_int_equal(kv_testing_child(read_beside, &other), 0);
}

static void a_reader_without_a_writer_leaves_the_log_as_it_is(void **state)
{
    struct shop *shop = *state;
    struct buf before, after;
    char *wal = shop_path(shop, "wal");
    shop_fill(shop, 1, 30);
    steme_close(&shop->store);
    buf_init(&before, SHOP_TEXT_BYTES);
    buf_init(&after, SHOP_TEXT_BYTES);
    digest_dir(wal, &before);
    shop_reopen(shop, true);
    struct steme_snapshot *snapshot = shop_look(shop->store);
    struct seen seen = { 0 };
    OK(steme_log_each(snapshot, 0, count_record, &seen, &failure));
    assert_true(seen.records > 30);
    steme_snapshot_close(&snapshot);
    steme_close(&shop->store);
    digest_dir(wal, &after);
    assert_true(slice_equal(buf_slice(&before), buf_slice(&after)));
    buf_deinit(&before);
    buf_deinit(&after);
    free(wal);
}

/* ---- a copy that nobody may write ---- */

static void protect(const char *dir, bool writable)
{
    struct arena arena;
    struct host_entry *entries = NULL;
    size_t count = 0;
    arena_init(&arena, 1 << 20);
    OK(host_list(host_posix(), dir, &arena, &entries, &count, &failure));
    for (size_t i = 0; i < count; i++) {
        char *path = testing_join(dir, entries[i].name);
        if (entries[i].kind == HOST_KIND_DIR)
            protect(path, writable);
        else
            assert_int_equal(chmod(path, writable ? 0644 : 0444), 0);
        free(path);
    }
    assert_int_equal(chmod(dir, writable ? 0755 : 0555), 0);
    arena_deinit(&arena);
}

/* 0 when reading works, in an index in memory if need be, and writing is refused. */
static int read_protected(void *context)
{
    const struct other_reader *other = context;
    struct steme_open_options options = { .read_only = true };
    struct steme_store *store = NULL;
    struct steme_snapshot *snapshot = NULL;
    struct seen seen = { 0 };
    if (geteuid() == 0 && (setgid(NOBODY) || setuid(NOBODY))) return 1;
    steme_status status = steme_open(other->shop->dir, NULL, &store, NULL);
    if (status != STEME_READ_ONLY) return 10 + (int)status;
    if (steme_open(other->shop->dir, &options, &store, NULL)) return 2;
    if (steme_snapshot_open(store, NULL, &snapshot, NULL)) return 3;
    if (steme_log_each(snapshot, 0, count_record, &seen, NULL)) return 4;
    steme_snapshot_close(&snapshot);
    steme_close(&store);
    return seen.records == other->want ? 0 : 5;
}

static void a_store_that_can_t_be_written_can_be_read(void **state)
{
    struct shop *shop = *state;
    struct steme_info info;
    shop_fill(shop, 3, 30);
    OK(steme_info(shop->store, &info, &failure));
    struct other_reader other = { shop, info.last_sequence };
    steme_close(&shop->store);
    assert_int_equal(chmod(shop->root, 0755), 0);
    for (unsigned without_index = 0; without_index < 2; without_index++) {
        if (without_index) lose_index(shop->dir);
        protect(shop->dir, false);
        assert_int_equal(kv_testing_child(read_protected, &other), 0);
        protect(shop->dir, true);
    }
}

/* ---- closing ---- */

static void closing_waits_for_the_index(void **state)
{
    struct shop *shop = *state;
    struct pile pile;
    struct prng prng = { 4 };
    struct steme_receipt receipts[16];
    struct steme_info info;
    pile_init(&pile);
    pile_draw(&pile, &prng, 50);
    for (size_t group = 0; group < pile.group_count; group++)
        OK(steme_submit(shop->store, pile_group(&pile, group), pile_group_size(&pile, group), receipts, NULL,
                        &failure));
    shop_reopen(shop, true);
    OK(steme_info(shop->store, &info, &failure));
    assert_int_equal(info.indexed_sequence, info.last_sequence);
    assert_int_equal(info.index_rebuilds, 0);
    assert_int_equal(shop->notice_count, 0);
    pile_deinit(&pile);
}

static void opening_and_closing_does_not_hang(void **state)
{
    struct shop *shop = *state;
    for (unsigned round = 0; round < 30; round++)
        shop_reopen(shop, false);
    assert_int_equal(shop->notice_count, 0);
}

/* ---- what it says of itself ---- */

static void a_store_tells_what_it_is(void **state)
{
    struct shop *shop = *state;
    struct steme_info info, again;
    OK(steme_info(shop->store, &info, &failure));
    assert_int_equal(info.last_sequence, 0);
    assert_int_equal(info.indexed_sequence, 0);
    assert_false(info.read_only || info.degraded || info.index_in_memory);
    assert_string_equal(info.index_engine, "lmdb");
    assert_true(info.created_at_us > 0 && info.created_at_us <= steme_now_us());
    shop_fill(shop, 1, 50);
    OK(steme_info(shop->store, &info, &failure));
    uint64_t sum = info.dead_letters;
    for (size_t i = 0; i < countof(info.records); i++)
        sum += info.records[i];
    assert_true(sum > 50 && sum <= info.last_sequence);
    assert_int_equal(info.indexed_sequence, info.last_sequence);
    assert_true(info.record_bytes > 0 && info.log_bytes > info.record_bytes && info.index_bytes > 0);
    assert_int_equal(info.log_segments, 1);
    shop_reopen(shop, true);
    OK(steme_info(shop->store, &again, &failure));
    assert_true(again.read_only);
    assert_memory_equal(&again.store_id, &info.store_id, sizeof info.store_id);
    assert_int_equal(again.created_at_us, info.created_at_us);
    assert_memory_equal(again.records, info.records, sizeof info.records);
}

static void the_version_is_a_version(void **state)
{
    (void)state;
    const char *at = steme_version();
    for (int part = 0; part < 3; part++) {
        assert_in_range(*at, '0', '9');
        at += strspn(at, "0123456789");
        assert_int_equal(*at++, part < 2 ? '.' : '\0');
    }
}

/* ---- finding ---- */

static void a_store_is_found_in_a_directory_or_above(void **state)
{
    struct shop *shop = *state;
    char *dir = testing_join(shop->root, "a"), *below = testing_join(dir, "b"), *deeper = testing_join(below, "c");
    char *home = testing_join(dir, ".steme"), path[4096], small[8];
    assert_int_equal(mkdir(dir, 0755) | mkdir(below, 0755) | mkdir(deeper, 0755), 0);
    assert_int_equal(steme_find(deeper, path, sizeof path, &failure), STEME_NOT_FOUND);
    OK(steme_create(home, &failure));
    const char *const starts[] = { dir, below, deeper };
    for (size_t i = 0; i < countof(starts); i++) {
        struct stat found, want;
        OK(steme_find(starts[i], path, sizeof path, &failure));
        assert_int_equal(stat(path, &found) | stat(home, &want), 0);
        assert_int_equal(found.st_ino, want.st_ino);
        assert_int_equal(steme_find(starts[i], small, sizeof small, &failure), STEME_TOO_LARGE);
    }
    assert_int_equal(steme_find("/nowhere/at/all", path, sizeof path, &failure), STEME_NOT_FOUND);
    free(dir), free(below), free(deeper), free(home);
}

/* A directory of that name that is no store is passed over. */
static void a_directory_of_that_name_is_not_enough(void **state)
{
    struct shop *shop = *state;
    char *dir = testing_join(shop->root, "a"), *below = testing_join(dir, "b"), path[4096];
    char *home = testing_join(dir, ".steme"), *empty = testing_join(below, ".steme");
    assert_int_equal(mkdir(dir, 0755) | mkdir(below, 0755) | mkdir(empty, 0755), 0);
    OK(steme_create(home, &failure));
    OK(steme_find(below, path, sizeof path, &failure));
    assert_non_null(strstr(path, ".."));
    free(dir), free(below), free(home), free(empty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SHOP_CASE(a_store_whose_making_was_cut_short_keeps_what_is_written_to_it),
        SHOP_CASE(a_store_is_made_where_nothing_is),
        SHOP_CASE(each_spoiled_store_is_told_apart),
        SHOP_CASE(a_later_store_is_left_untouched),
        SHOP_CASE(the_second_writer_is_told_who_the_first_is),
        SHOP_CASE(another_process_is_locked_out),
        SHOP_CASE(a_process_that_dies_leaves_no_lock_and_what_it_wrote),
        SHOP_CASE(a_reader_goes_on_while_the_writer_writes),
        SHOP_CASE(a_reader_beside_a_writer_keeps_the_index_they_share),
        SHOP_CASE(every_way_to_read_works_beside_a_writer),
        SHOP_CASE(a_reader_verifies_beside_a_writer),
        SHOP_CASE(another_process_reads_beside_the_writer),
        SHOP_CASE(a_reader_without_a_writer_leaves_the_log_as_it_is),
        SHOP_CASE(a_store_that_can_t_be_written_can_be_read),
        SHOP_CASE(closing_waits_for_the_index),
        SHOP_CASE(opening_and_closing_does_not_hang),
        SHOP_CASE(a_store_tells_what_it_is),
        cmocka_unit_test(the_version_is_a_version),
        SHOP_CASE(a_store_is_found_in_a_directory_or_above),
        SHOP_CASE(a_directory_of_that_name_is_not_enough),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
