/* SPDX-License-Identifier: Apache-2.0 */
/* What the world in memory adds: power cuts, kills, faults, its clock. The rest is in tests/contract/test_host.c;
 * random histories are in test_host_mem_model.c. */
#include "base/check.h"
#include "unit/host/mem_world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The content as a C string in the arena; NULL when there is no such file. */
static const char *content_of(struct host *host, struct arena *arena, const char *path)
{
    struct steme_slice bytes;
    steme_status status = host_read_file(host, path, 1 << 20, arena, &bytes, NULL);
    if (status == STEME_NOT_FOUND) return NULL;
    assert_int_equal(status, STEME_OK);
    return (const char *)arena_copy(arena, bytes).data;
}

/* want NULL: there is no such file. */
static void assert_content(struct host *host, const char *path, const char *want)
{
    struct arena arena;
    arena_init(&arena, SIZE_MAX);
    const char *got = content_of(host, &arena, path);
    assert_row_text(got ? got : "(none)", want ? want : "(none)", path);
    arena_deinit(&arena);
}

static void what_was_synced_stays_and_the_rest_goes(void **state)
{
    (void)state;
    struct host *host = new_world(1);
    make_durable(host, "a", "durable");
    struct host_file *a = open_or_fail(host, "a", HOST_WRITE);
    write_text(a, 3, "ABCDEFGH");
    host_close(&a);
    struct host_file *b = open_or_fail(host, "b", HOST_WRITE | HOST_CREATE);
    write_text(b, 0, "its bytes are synced, its name is not");
    sync_or_fail(b);
    host_close(&b);
    host_mem_power_cut(host, 0);
    assert_content(host, "a", "durable");
    assert_content(host, "b", NULL);
    host_mem_free(host);
}

static void everything_may_survive_too(void **state)
{
    (void)state;
    struct host *host = new_world(1);
    struct host_file *file = open_or_fail(host, "a", HOST_WRITE | HOST_CREATE);
    write_text(file, 0, "never synced");
    host_close(&file);
    host_mem_power_cut(host, 1000);
    assert_content(host, "a", "never synced");
    host_mem_power_cut(host, 0); /* and now it is on the disk */
    assert_content(host, "a", "never synced");
    host_mem_free(host);
}

/* Each 512-byte piece is as it was at the last sync, or as it was last written; both happen. */
static void pieces_survive_one_by_one(void **state)
{
    enum { PIECE = 512, COUNT = 64 };
    (void)state;
    static uint8_t synced[PIECE * COUNT], written[PIECE * COUNT], got[PIECE * COUNT];
    size_t old_count = 0, new_count = 0, got_size = 0;
    memset(synced, 's', sizeof synced);
    memset(written, 'w', sizeof written);
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct host *host = new_world(seed);
        make_durable(host, "a", "");
        struct host_file *file = open_or_fail(host, "a", HOST_WRITE);
        assert_int_equal(try_write(file, 0, slice_of(synced, sizeof synced)), STEME_OK);
        sync_or_fail(file);
        assert_int_equal(try_write(file, 0, slice_of(written, sizeof written)), STEME_OK);
        host_close(&file);
        host_mem_power_cut(host, 500);
        file = open_or_fail(host, "a", HOST_READ);
        assert_int_equal(host_read_at(file, 0, got, sizeof got, &got_size, NULL), STEME_OK);
        assert_int_equal(got_size, sizeof got);
        for (size_t i = 0; i < COUNT; i++) {
            const uint8_t *want = got[i * PIECE] == 's' ? synced : written;
            assert_memory_equal(got + i * PIECE, want, PIECE);
            if (want == synced)
                old_count++;
            else
                new_count++;
        }
        host_close(&file);
        host_mem_free(host);
    }
    assert_true(old_count > 500 && new_count > 500);
}

static void an_unsynced_growth_may_stay_in_part(void **state)
{
    (void)state;
    static uint8_t text[10000], got[10000];
    size_t full = 0, none = 0, part = 0, zeros = 0;
    memset(text, 'x', sizeof text);
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct host *host = new_world(seed);
        make_durable(host, "a", "0123");
        struct host_file *file = open_or_fail(host, "a", HOST_WRITE);
        assert_int_equal(try_write(file, 4, slice_of(text, sizeof text - 4)), STEME_OK);
        host_close(&file);
        host_mem_power_cut(host, 500);
        file = open_or_fail(host, "a", HOST_READ);
        size_t size = 0;
        assert_int_equal(host_read_at(file, 0, got, sizeof got, &size, NULL), STEME_OK);
        assert_true(size >= 4);
        assert_memory_equal(got, "0123", 4);
        full += size == sizeof got;
        none += size == 4;
        part += size > 4 && size < sizeof got;
        for (size_t i = 4; i < size; i++)
            assert_true(got[i] == 'x' || got[i] == 0);
        zeros += memchr(got + 4, 0, size - 4) != NULL;
        host_close(&file);
        host_mem_free(host);
    }
    assert_true(full > 20 && none > 20 && part > 20 && zeros > 20);
}

static void an_unsynced_cut_is_undone(void **state)
{
    (void)state;
    struct host *host = new_world(1);
    make_durable(host, "a", "0123456789");
    struct host_file *file = open_or_fail(host, "a", HOST_WRITE);
    assert_int_equal(host_truncate(file, 2, NULL), STEME_OK);
    write_text(file, 2, "x");
    assert_content(host, "a", "01x");
    host_mem_power_cut(host, 0);
    host_close(&file);
    assert_content(host, "a", "0123456789");
    file = open_or_fail(host, "a", HOST_WRITE);
    assert_int_equal(host_truncate(file, 2, NULL), STEME_OK);
    sync_or_fail(file);
    assert_int_equal(host_truncate(file, 4, NULL), STEME_OK);
    host_mem_power_cut(host, 0);
    host_close(&file);
    assert_content(host, "a", "01");
    host_mem_free(host);
}

static void names_change_back_until_their_directory_is_synced(void **state)
{
    static const struct {
        const char *name;
        bool synced;
        const char *a, *b, *c;
    } rows[] = {
        { "not synced", false, "a", "b", "c" },
        { "synced", true, NULL, "a", NULL },
    };
    (void)state;
    for (size_t i = 0; i < countof(rows); i++) {
        struct host *host = new_world(i);
        make_durable(host, "a", "a");
        make_durable(host, "b", "b");
        make_durable(host, "c", "c");
        assert_int_equal(host_rename(host, "a", "b", NULL), STEME_OK);
        assert_int_equal(host_remove(host, "c", NULL), STEME_OK);
        assert_content(host, "a", NULL);
        assert_content(host, "b", "a");
        if (rows[i].synced) assert_int_equal(host_sync_dir(host, "/", NULL), STEME_OK);
        host_mem_power_cut(host, 0);
        assert_content(host, "a", rows[i].a);
        assert_content(host, "b", rows[i].b);
        assert_content(host, "c", rows[i].c);
        host_mem_free(host);
    }
}

static void a_directory_that_was_not_synced_goes_with_all_that_is_in_it(void **state)
{
    (void)state;
    struct host *host = new_world(1);
    assert_int_equal(host_make_dir(host, "d", NULL), STEME_OK);
    assert_int_equal(host_make_dir(host, "d/e", NULL), STEME_OK);
    struct host_file *file = open_or_fail(host, "d/e/a", HOST_WRITE | HOST_CREATE);
    sync_or_fail(file);
    assert_int_equal(host_sync_dir(host, "d/e", NULL), STEME_OK);
    assert_int_equal(host_sync_dir(host, "d", NULL), STEME_OK);
    host_mem_power_cut(host, 0);
    struct host_stat facts;
    assert_int_equal(host_stat(host, "d", &facts, NULL), STEME_NOT_FOUND);
    assert_int_equal(host_stat(host, "/", &facts, NULL), STEME_OK);
    host_close(&file);
    host_mem_free(host);
}

/* Between two directories a file is in one of them, never in none and never in both. */
static void a_move_between_directories_is_whole(void **state)
{
    (void)state;
    size_t moved = 0, stayed = 0;
    for (uint64_t seed = 0; seed < 60; seed++) {
        struct host *host = new_world(seed);
        assert_int_equal(host_make_dir(host, "from", NULL), STEME_OK);
        assert_int_equal(host_make_dir(host, "to", NULL), STEME_OK);
        make_durable(host, "from/a", "text");
        assert_int_equal(host_sync_dir(host, "from", NULL), STEME_OK);
        assert_int_equal(host_rename(host, "from/a", "to/a", NULL), STEME_OK);
        make_durable(host, "from/a", "another of that name");
        if (seed % 3 == 1) assert_int_equal(host_sync_dir(host, "from", NULL), STEME_OK);
        if (seed % 3 == 2) assert_int_equal(host_sync_dir(host, "to", NULL), STEME_OK);
        host_mem_power_cut(host, 500);
        struct arena arena;
        arena_init(&arena, SIZE_MAX);
        const char *to = content_of(host, &arena, "to/a"), *from = content_of(host, &arena, "from/a");
        if (to)
            assert_string_equal(to, "text");
        else
            assert_string_equal(from, "text");
        if (to)
            moved++;
        else
            stayed++;
        assert_true(seed % 3 == 0 || to); /* a synced newcomer of the old name proves that the old one has moved */
        arena_deinit(&arena);
        host_mem_free(host);
    }
    assert_true(moved > 5 && stayed > 5);
}

static void a_failed_sync_loses_data_for_good(void **state)
{
    (void)state;
    struct host *host = new_world(1);
    make_durable(host, "a", "0123456789");
    struct host_file *file = open_or_fail(host, "a", HOST_WRITE);
    static uint8_t far[600];
    memset(far, 'f', sizeof far);
    write_text(file, 0, "lost");
    host_mem_fail(host, HOST_MEM_SYNC, 1, EIO, false);
    assert_int_equal(host_sync(file, NULL), STEME_IO);
    sync_or_fail(file); /* says OK, as Linux does: the pages are no longer dirty */
    assert_content(host, "a", "lost456789");
    assert_int_equal(try_write(file, 1024, slice_of(far, sizeof far)), STEME_OK);
    sync_or_fail(file); /* what came later is saved */
    host_close(&file);
    host_mem_power_cut(host, 1000);
    struct arena arena;
    arena_init(&arena, SIZE_MAX);
    struct steme_slice got;
    assert_int_equal(host_read_file(host, "a", 1 << 20, &arena, &got, NULL), STEME_OK);
    assert_int_equal(got.size, 1624);
    assert_memory_equal(got.data, "0123456789", 10);
    assert_memory_equal(got.data + 1024, far, sizeof far);
    arena_deinit(&arena);
    host_mem_free(host);
}

static void a_piece_written_again_after_a_failed_sync_can_be_saved(void **state)
{
    (void)state;
    struct host *host = new_world(1);
    make_durable(host, "a", "0123456789");
    struct host_file *file = open_or_fail(host, "a", HOST_WRITE);
    write_text(file, 0, "once");
    host_mem_fail(host, HOST_MEM_SYNC, 1, EIO, false);
    assert_int_equal(host_sync(file, NULL), STEME_IO);
    write_text(file, 0, "again");
    sync_or_fail(file);
    host_close(&file);
    host_mem_power_cut(host, 0);
    assert_content(host, "a", "again56789");
    host_mem_free(host);
}

static void a_failed_sync_of_a_directory_loses_its_names(void **state)
{
    (void)state;
    struct host *host = new_world(1);
    make_durable(host, "a", "old");
    struct host_file *file = open_or_fail(host, "new", HOST_WRITE | HOST_CREATE);
    write_text(file, 0, "new");
    sync_or_fail(file);
    host_close(&file);
    host_mem_fail(host, HOST_MEM_SYNC_DIR, 1, EIO, false);
    assert_int_equal(host_sync_dir(host, "/", NULL), STEME_IO);
    assert_int_equal(host_rename(host, "new", "a", NULL), STEME_OK); /* builds on what is lost */
    assert_int_equal(host_sync_dir(host, "/", NULL), STEME_OK);
    assert_content(host, "a", "new");
    host_mem_power_cut(host, 1000);
    assert_content(host, "a", "old");
    assert_content(host, "new", NULL);
    host_mem_free(host);
}

static void a_power_cut_ends_the_process_and_a_kill_keeps_every_byte(void **state)
{
    (void)state;
    for (int power = 0; power < 2; power++) {
        struct host *host = new_world(1);
        make_durable(host, "a", "durable");
        struct host_file *dead = open_or_fail(host, "a", HOST_WRITE);
        assert_int_equal(host_lock(dead, NULL), STEME_OK);
        write_text(dead, 0, "UNSYNCED");
        struct steme_hash boot, boot_after;
        assert_int_equal(host_boot_id(host, &boot, NULL), STEME_OK);
        int64_t process = host_process_id(host);
        if (power)
            host_mem_power_cut(host, 0);
        else
            host_mem_kill(host);

        char byte;
        size_t got = 0;
        uint64_t size = 0;
        const uint8_t *data = NULL;
        struct steme_error err;
        assert_status(host_read_at(dead, 0, &byte, 1, &got, &err), STEME_IO, NULL, "read");
        assert_int_equal(err.os_errno, EIO);
        assert_int_equal(try_write(dead, 0, slice_text("x")), STEME_IO);
        assert_int_equal(host_sync(dead, NULL), STEME_IO);
        assert_int_equal(host_size(dead, &size, NULL), STEME_IO);
        assert_int_equal(host_truncate(dead, 0, NULL), STEME_IO);
        assert_int_equal(host_allocate(dead, 100, NULL), STEME_IO);
        assert_int_equal(host_map(dead, 1, &data, NULL), STEME_IO);
        assert_int_equal(host_lock(dead, NULL), STEME_IO);

        assert_content(host, "a", power ? "durable" : "UNSYNCED");
        struct host_file *file = open_or_fail(host, "a", HOST_WRITE);
        assert_int_equal(host_lock(file, NULL), STEME_OK);
        host_close(&dead); /* must not release the new lock */
        struct host_file *other = open_or_fail(host, "a", HOST_WRITE);
        assert_int_equal(host_lock(other, NULL), STEME_LOCKED);
        host_close(&other);
        host_close(&file);
        assert_int_equal(host_boot_id(host, &boot_after, NULL), STEME_OK);
        assert_int_equal(memcmp(boot.bytes, boot_after.bytes, sizeof boot.bytes) != 0, power);
        assert_true(host_process_id(host) != process);
        host_mem_free(host);
    }
}

static void a_killed_process_leaves_bytes_that_a_power_cut_may_still_take(void **state)
{
    (void)state;
    struct host *host = new_world(1);
    make_durable(host, "a", "durable");
    struct host_file *file = open_or_fail(host, "a", HOST_WRITE);
    write_text(file, 0, "DURABLE");
    host_close(&file);
    host_mem_kill(host);
    assert_content(host, "a", "DURABLE");
    host_mem_power_cut(host, 0);
    assert_content(host, "a", "durable");
    host_mem_free(host);
}

static void a_mapping_survives_a_power_cut_and_shows_what_is_left(void **state)
{
    (void)state;
    struct host *host = new_world(1);
    make_durable(host, "a", "durable");
    struct host_file *file = open_or_fail(host, "a", HOST_WRITE);
    const uint8_t *data = NULL;
    assert_int_equal(host_map(file, 7, &data, NULL), STEME_OK);
    write_text(file, 0, "DURABLE");
    assert_memory_equal(data, "DURABLE", 7);
    host_mem_power_cut(host, 0);
    host_close(&file);
    assert_memory_equal(data, "durable", 7);
    assert_int_equal(host_remove(host, "a", NULL), STEME_OK);
    assert_int_equal(host_sync_dir(host, "/", NULL), STEME_OK);
    assert_memory_equal(data, "durable", 7);
    host_unmap(host, data, 7);
    host_mem_free(host);
}

/* One call of each kind that a fault can hit. */
static steme_status call_one(struct host *host, struct host_file *file, enum host_mem_call call,
                             struct steme_error *err)
{
    struct host_file *other = NULL;
    struct host_stat facts;
    struct host_entry *entries = NULL;
    struct arena arena;
    const uint8_t *data = NULL;
    struct steme_hash boot;
    uint64_t bytes = 0;
    size_t size = 0;
    char byte;
    struct steme_slice piece = slice_text("x");
    steme_status status = STEME_OK;
    arena_init(&arena, 65536);
    switch (call) {
    case HOST_MEM_ANY:
    case HOST_MEM_OPEN: status = host_open(host, "a", HOST_READ, &other, err); break;
    case HOST_MEM_READ: status = host_read_at(file, 0, &byte, 1, &size, err); break;
    case HOST_MEM_WRITE: status = host_write_at(file, 0, &piece, 1, err); break;
    case HOST_MEM_SYNC: status = host_sync(file, err); break;
    case HOST_MEM_SYNC_DIR: status = host_sync_dir(host, "/", err); break;
    case HOST_MEM_ALLOCATE: status = host_allocate(file, 10, err); break;
    case HOST_MEM_TRUNCATE: status = host_truncate(file, 10, err); break;
    case HOST_MEM_RENAME: status = host_rename(host, "b", "b", err); break;
    case HOST_MEM_REMOVE: status = host_remove(host, "c", err); break;
    case HOST_MEM_MAP: status = host_map(file, 1, &data, err); break;
    case HOST_MEM_LIST: status = host_list(host, "/", &arena, &entries, &size, err); break;
    case HOST_MEM_MAKE_DIR: status = host_make_dir(host, "d", err); break;
    case HOST_MEM_STAT: status = host_stat(host, "a", &facts, err); break;
    case HOST_MEM_SIZE: status = host_size(file, &bytes, err); break;
    case HOST_MEM_LOCK: status = host_lock(file, err); break;
    case HOST_MEM_RANDOM: status = host_random(host, &byte, 1, err); break;
    case HOST_MEM_BOOT_ID: status = host_boot_id(host, &boot, err); break;
    }
    host_unmap(host, data, 1);
    host_close(&other);
    arena_deinit(&arena);
    return status;
}

static void a_fault_hits_the_call_it_was_meant_for(void **state)
{
    (void)state;
    for (int kind = HOST_MEM_ANY; kind <= HOST_MEM_BOOT_ID; kind++) {
        enum host_mem_call call = (enum host_mem_call)kind;
        char name[32];
        snprintf(name, sizeof name, "calls of kind %d", kind);
        struct host *host = new_world(1);
        make_durable(host, "a", "text");
        make_durable(host, "b", "text");
        make_durable(host, "c", "text");
        struct host_file *file = open_or_fail(host, "a", HOST_WRITE);
        struct steme_error err;
        uint64_t calls = host_mem_calls(host, call);
        host_mem_fail(host, call, 2, ENOSPC, false);
        steme_status first = call_one(host, file, call, &err);
        assert_status(first, STEME_OK, &err, name);
        assert_status(call_one(host, file, call, &err), STEME_NO_SPACE, NULL, name);
        assert_row(err.os_errno == ENOSPC, name);
        steme_status third = call_one(host, file, call, NULL);
        bool once = call == HOST_MEM_REMOVE || call == HOST_MEM_MAKE_DIR; /* done by the first call */
        assert_row(once ? third == STEME_NOT_FOUND || third == STEME_EXISTS : third == STEME_OK, name);
        assert_row(host_mem_calls(host, call) == calls + 3, name);
        host_mem_fail(host, call, 1, EIO, true);
        for (int i = 0; i < 3; i++)
            assert_status(call_one(host, file, call, NULL), STEME_IO, NULL, name);
        host_mem_fail(host, HOST_MEM_ANY, 0, 0, false);
        assert_row(call_one(host, file, call, NULL) == third, name);
        host_close(&file);
        host_mem_free(host);
    }
}

static void an_errno_becomes_the_status_of_the_real_host(void **state)
{
    static const struct {
        const char *name;
        enum host_mem_call call;
        int os_errno;
        steme_status want;
    } rows[] = {
        { "a full disk", HOST_MEM_WRITE, ENOSPC, STEME_NO_SPACE },
        { "a used-up quota", HOST_MEM_ALLOCATE, EDQUOT, STEME_NO_SPACE },
        { "a disk that turned read-only", HOST_MEM_WRITE, EROFS, STEME_READ_ONLY },
        { "a refused removal", HOST_MEM_REMOVE, EACCES, STEME_READ_ONLY },
        { "a refused reading", HOST_MEM_OPEN, EACCES, STEME_IO },
        { "a bad block", HOST_MEM_READ, EIO, STEME_IO },
        { "too many open files", HOST_MEM_OPEN, EMFILE, STEME_IO },
        { "no memory to map", HOST_MEM_MAP, ENOMEM, STEME_NO_MEMORY },
    };
    (void)state;
    struct host *host = new_world(1);
    make_durable(host, "a", "text");
    make_durable(host, "c", "text");
    struct host_file *file = open_or_fail(host, "a", HOST_WRITE);
    for (size_t i = 0; i < countof(rows); i++) {
        host_mem_fail(host, rows[i].call, 1, rows[i].os_errno, false);
        assert_status(call_one(host, file, rows[i].call, NULL), rows[i].want, NULL, rows[i].name);
    }
    host_close(&file);
    host_mem_free(host);
}

static void a_failed_write_leaves_a_prefix(void **state)
{
    (void)state;
    bool seen[11] = { false };
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct host *host = new_world(seed);
        struct host_file *file = open_or_fail(host, "a", HOST_WRITE | HOST_CREATE);
        const struct steme_slice pieces[] = { slice_text("01234"), slice_text("56789") };
        host_mem_fail(host, HOST_MEM_WRITE, 1, ENOSPC, false);
        assert_int_equal(host_write_at(file, 0, pieces, 2, NULL), STEME_NO_SPACE);
        char got[11];
        size_t size = 0;
        assert_int_equal(host_read_at(file, 0, got, sizeof got, &size, NULL), STEME_OK);
        assert_true(size <= 10);
        assert_memory_equal(got, "0123456789", size);
        seen[size] = true;
        host_close(&file);
        host_mem_free(host);
    }
    for (size_t i = 0; i < countof(seen); i++)
        assert_true(seen[i]);
}

/* Any call on the way may fail, and the power may go at any moment after: the file is the old one or the new one,
 * and the new one if the call said so. */
static void a_replaced_file_is_old_or_new_at_every_step(void **state)
{
    (void)state;
    static const int faults[] = { EIO, ENOSPC };
    for (uint64_t seed = 0; seed < 400; seed++) {
        struct host *host = new_world(seed);
        make_durable(host, "a", "old");
        uint64_t before = host_mem_calls(host, HOST_MEM_ANY);
        uint64_t nth = seed % 9;
        host_mem_fail(host, HOST_MEM_ANY, nth, faults[seed % 2], seed % 4 < 2);
        steme_status status = host_replace_file(host, "a", 0, slice_text("new"), NULL);
        host_mem_fail(host, HOST_MEM_ANY, 0, 0, false);
        assert_true(status == STEME_OK || nth > 0);
        assert_true(host_mem_calls(host, HOST_MEM_ANY) - before <= 8);
        host_mem_power_cut(host, (unsigned)(seed % 3) * 500);
        struct arena arena;
        arena_init(&arena, SIZE_MAX);
        const char *got = content_of(host, &arena, "a");
        assert_non_null(got);
        bool is_new = strcmp(got, "new") == 0;
        assert_true(is_new || (status && strcmp(got, "old") == 0));
        arena_deinit(&arena);
        assert_int_equal(host_replace_file(host, "a", 0, slice_text("newer"), NULL), STEME_OK); /* whatever is left */
        assert_content(host, "a", "newer");
        host_mem_free(host);
    }
}

/* A single fault leaves the way free to take the temporary file back. */
static void a_replacement_that_fails_leaves_no_other_file(void **state)
{
    (void)state;
    for (uint64_t nth = 1;; nth++) {
        struct host *host = new_world(nth);
        struct host_stat stat;
        make_durable(host, "a", "old");
        host_mem_fail(host, HOST_MEM_ANY, nth, EIO, false);
        steme_status status = host_replace_file(host, "a", 0, slice_text("new"), NULL);
        host_mem_fail(host, HOST_MEM_ANY, 0, 0, false);
        assert_int_equal(host_stat(host, "a.tmp", &stat, NULL), STEME_NOT_FOUND);
        host_mem_free(host);
        if (!status) break;
    }
}

static void rot_reaches_the_disk_and_the_present(void **state)
{
    (void)state;
    struct host *host = new_world(1);
    make_durable(host, "a", "0123456789");
    struct host_file *file = open_or_fail(host, "a", HOST_WRITE);
    write_text(file, 0, "AB");
    struct steme_error err;
    assert_status(host_mem_poke(host, "a", 1, slice_text("??"), &err), STEME_OK, &err, "poke");
    assert_content(host, "a", "A??3456789");
    host_close(&file);
    host_mem_power_cut(host, 0);
    assert_content(host, "a", "0??3456789"); /* the write beside it was not synced by that */
    assert_status(host_mem_poke(host, "a", 9, slice_text("ab"), &err), STEME_BAD_INPUT, NULL, "past the end");
    assert_status(host_mem_poke(host, "a", UINT64_MAX, slice_text("a"), &err), STEME_BAD_INPUT, NULL,
                  "far past the end");
    assert_status(host_mem_poke(host, "b", 0, slice_text("a"), &err), STEME_NOT_FOUND, NULL, "no such file");
    assert_status(host_mem_poke(host, "/", 0, slice_text("a"), &err), STEME_IO, NULL, "a directory");
    assert_content(host, "a", "0??3456789");
    host_mem_free(host);
}

static void clocks_move_only_when_told(void **state)
{
    (void)state;
    struct host *host = new_world(1), *other = new_world(2);
    int64_t wall = host_wall_us(host);
    uint64_t monotonic = host_monotonic_ns(host);
    assert_int_equal(host_wall_us(other), wall);
    assert_int_equal(host_monotonic_ns(host), monotonic);
    host_mem_advance_ns(host, 1500);
    host_mem_advance_ns(host, 1500);
    assert_int_equal(host_wall_us(host), wall + 3);
    assert_int_equal(host_monotonic_ns(host), monotonic + 3000);
    host_mem_set_wall_us(host, -5);
    assert_int_equal(host_wall_us(host), -5);
    assert_int_equal(host_monotonic_ns(host), monotonic + 3000);
    host_mem_free(host);
    host_mem_free(other);
}

static void limits_of_the_world_are_statuses(void **state)
{
    (void)state;
    struct host *host = new_world(1);
    struct host_file *file = open_or_fail(host, "a", HOST_WRITE | HOST_CREATE);
    assert_int_equal(host_allocate(file, UINT64_C(128) << 20, NULL), STEME_OK);
    assert_int_equal(host_allocate(file, (UINT64_C(128) << 20) + 1, NULL), STEME_NO_SPACE);
    assert_int_equal(try_write(file, UINT64_C(128) << 20, slice_text("x")), STEME_NO_SPACE);
    write_text(file, (UINT64_C(128) << 20) - 1, "x");
    host_close(&file);
    static char name[300];
    memset(name, 'n', sizeof name - 1);
    struct steme_error err;
    assert_status(host_open(host, "../a", HOST_READ, &file, &err), STEME_IO, NULL, "the directory above");
    assert_status(host_make_dir(host, name, &err), STEME_IO, NULL, "a long name");
    assert_int_equal(err.os_errno, ENAMETOOLONG);
    assert_status(host_remove(host, "/", &err), STEME_IO, NULL, "the root");
    assert_status(host_rename(host, "/", "b", &err), STEME_IO, NULL, "the root renamed");
    assert_status(host_make_dir(host, "./b//", &err), STEME_OK, &err, "dots and slashes");
    assert_status(host_make_dir(host, "/b", &err), STEME_EXISTS, NULL, "the same path");
    host_mem_free(host);
    host_mem_free(NULL);
}

/* With some seeds a file's pieces are whole pages: then neighbours share their fate. */
static void pages_survive_as_a_whole(void **state)
{
    enum { PIECE = 512, PAGE = 4096, COUNT = 16, WORLDS = 40 };
    (void)state;
    static uint8_t written[PAGE * COUNT], got[PAGE * COUNT];
    size_t in_pages = 0, in_pieces = 0, got_size = 0;
    memset(written, 'w', sizeof written);
    for (uint64_t seed = 0; seed < WORLDS; seed++) {
        struct host *host = new_world(seed);
        make_durable(host, "a", "");
        struct host_file *file = open_or_fail(host, "a", HOST_WRITE);
        assert_int_equal(host_truncate(file, sizeof written, NULL), STEME_OK);
        sync_or_fail(file);
        assert_int_equal(try_write(file, 0, slice_of(written, sizeof written)), STEME_OK);
        host_close(&file);
        host_mem_power_cut(host, 500);
        file = open_or_fail(host, "a", HOST_READ);
        assert_int_equal(host_read_at(file, 0, got, sizeof got, &got_size, NULL), STEME_OK);
        assert_int_equal(got_size, sizeof got);
        bool split = false;
        for (size_t at = 0; at < sizeof got; at += PIECE)
            split |= got[at] != got[at / PAGE * PAGE];
        in_pieces += split;
        in_pages += !split;
        host_close(&file);
        host_mem_free(host);
    }
    assert_true(in_pieces > WORLDS / 4 && in_pages > WORLDS / 4);
}

/* From the call on at which the machine stops nothing has an effect, but that a write may leave a part. */
static void a_machine_stops_at_a_call(void **state)
{
    (void)state;
    size_t none = 0, part = 0, all = 0;
    for (uint64_t seed = 0; seed < 60; seed++) {
        struct host *host = new_world(seed);
        make_durable(host, "a", "");
        struct host_file *file = open_or_fail(host, "a", HOST_WRITE);
        host_mem_stop(host, 2);
        write_text(file, 0, "one");
        assert_false(host_mem_stopped(host));
        assert_int_equal(try_write(file, 3, slice_text("two")), STEME_IO);
        assert_true(host_mem_stopped(host));
        assert_int_equal(try_write(file, 0, slice_text("ABC")), STEME_IO);
        assert_int_equal(host_sync(file, NULL), STEME_IO);
        assert_int_equal(host_sync_dir(host, "/", NULL), STEME_IO);
        assert_int_equal(host_remove(host, "a", NULL), STEME_IO);
        host_close(&file);
        host_mem_kill(host);
        assert_false(host_mem_stopped(host));
        struct arena arena;
        arena_init(&arena, SIZE_MAX);
        const char *got = content_of(host, &arena, "a");
        assert_non_null(got);
        assert_true(strlen(got) <= 6 && memcmp(got, "onetwo", strlen(got)) == 0 && strlen(got) >= 3);
        none += strlen(got) == 3;
        part += strlen(got) > 3 && strlen(got) < 6;
        all += strlen(got) == 6;
        arena_deinit(&arena);
        host_mem_free(host);
    }
    assert_true(none && part && all);
}

/* A stop is no failed sync: what was written before may still reach the disk at the power cut. */
static void a_stop_loses_nothing_by_itself(void **state)
{
    (void)state;
    struct host *host = new_world(1);
    make_durable(host, "a", "");
    struct host_file *file = open_or_fail(host, "a", HOST_WRITE);
    write_text(file, 0, "kept");
    host_mem_stop(host, 1);
    assert_int_equal(host_sync(file, NULL), STEME_IO);
    host_close(&file);
    host_mem_power_cut(host, 1000);
    assert_content(host, "a", "kept");
    host_mem_stop(host, 1);
    host_mem_stop(host, 0); /* thought better of */
    make_durable(host, "b", "goes on");
    assert_content(host, "b", "goes on");
    host_mem_free(host);
}

/* A failed sync loses the size too, but as far as it is written again. */
static void what_is_written_again_brings_its_size(void **state)
{
    (void)state;
    for (unsigned again = 0; again < 2; again++) {
        struct host *host = new_world(1);
        make_durable(host, "a", "disk");
        struct host_file *file = open_or_fail(host, "a", HOST_WRITE);
        write_text(file, 4, " and more");
        host_mem_fail(host, HOST_MEM_SYNC, 1, EIO, false);
        assert_int_equal(host_sync(file, NULL), STEME_IO);
        if (again) write_text(file, 4, " and");
        sync_or_fail(file);
        host_close(&file);
        host_mem_power_cut(host, 1000);
        assert_content(host, "a", again ? "disk and" : "disk");
        host_mem_free(host);
    }
}

static void struck_calls_are_counted(void **state)
{
    (void)state;
    struct host *host = new_world(1);
    make_durable(host, "a", "");
    struct host_file *file = open_or_fail(host, "a", HOST_WRITE);
    assert_int_equal(host_mem_struck(host, HOST_MEM_ANY), 0);
    host_mem_fail(host, HOST_MEM_SYNC, 2, EIO, false);
    sync_or_fail(file);
    assert_int_equal(host_mem_struck(host, HOST_MEM_SYNC), 0);
    assert_int_equal(host_sync(file, NULL), STEME_IO);
    assert_int_equal(host_mem_struck(host, HOST_MEM_SYNC), 1);
    assert_int_equal(host_mem_struck(host, HOST_MEM_ANY), 1);
    assert_int_equal(host_mem_struck(host, HOST_MEM_WRITE), 0);
    host_close(&file);
    host_mem_free(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_synced_stays_and_the_rest_goes),
        cmocka_unit_test(everything_may_survive_too),
        cmocka_unit_test(pieces_survive_one_by_one),
        cmocka_unit_test(an_unsynced_growth_may_stay_in_part),
        cmocka_unit_test(an_unsynced_cut_is_undone),
        cmocka_unit_test(names_change_back_until_their_directory_is_synced),
        cmocka_unit_test(a_directory_that_was_not_synced_goes_with_all_that_is_in_it),
        cmocka_unit_test(a_move_between_directories_is_whole),
        cmocka_unit_test(a_failed_sync_loses_data_for_good),
        cmocka_unit_test(a_piece_written_again_after_a_failed_sync_can_be_saved),
        cmocka_unit_test(a_failed_sync_of_a_directory_loses_its_names),
        cmocka_unit_test(a_power_cut_ends_the_process_and_a_kill_keeps_every_byte),
        cmocka_unit_test(a_killed_process_leaves_bytes_that_a_power_cut_may_still_take),
        cmocka_unit_test(a_mapping_survives_a_power_cut_and_shows_what_is_left),
        cmocka_unit_test(a_fault_hits_the_call_it_was_meant_for),
        cmocka_unit_test(an_errno_becomes_the_status_of_the_real_host),
        cmocka_unit_test(a_failed_write_leaves_a_prefix),
        cmocka_unit_test(a_replaced_file_is_old_or_new_at_every_step),
        cmocka_unit_test(a_replacement_that_fails_leaves_no_other_file),
        cmocka_unit_test(rot_reaches_the_disk_and_the_present),
        cmocka_unit_test(pages_survive_as_a_whole),
        cmocka_unit_test(a_machine_stops_at_a_call),
        cmocka_unit_test(a_stop_loses_nothing_by_itself),
        cmocka_unit_test(what_is_written_again_brings_its_size),
        cmocka_unit_test(struck_calls_are_counted),
        cmocka_unit_test(clocks_move_only_when_told),
        cmocka_unit_test(limits_of_the_world_are_statuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
