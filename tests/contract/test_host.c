/* SPDX-License-Identifier: Apache-2.0 */
/* What every host does, the real one and the one in memory alike. */
#include "base/check.h"
#include "base/slice.h"
#include "host/host.h"
#include "host/host_mem.h"
#include "lib/testing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct place {
    struct host *host;
    char *dir; /* empty, ours */
};

static int open_real(void **state)
{
    static struct place place;
    place = (struct place){ host_posix(), testing_make_temporary() };
    *state = &place;
    return 0;
}

static int close_real(void **state)
{
    struct place *place = *state;
    testing_remove_temporary(place->dir);
    return 0;
}

static int open_memory(void **state)
{
    static struct place place;
    place = (struct place){ host_mem_new(1), strdup("/world") };
    *state = &place;
    return !place.host || !place.dir || host_make_dir(place.host, place.dir, NULL);
}

static int close_memory(void **state)
{
    struct place *place = *state;
    host_mem_free(place->host);
    free(place->dir);
    return 0;
}

static char *path_of(const struct place *place, const char *name) { return testing_join(place->dir, name); }

static struct host_file *open_or_fail(const struct place *place, const char *name, unsigned flags)
{
    struct host_file *file = NULL;
    struct steme_error err;
    char *path = path_of(place, name);
    assert_status(host_open(place->host, path, flags, &file, &err), STEME_OK, &err, name);
    free(path);
    return file;
}

static void write_text(struct host_file *file, uint64_t offset, const char *text)
{
    struct steme_slice piece = slice_text(text);
    struct steme_error err;
    assert_status(host_write_at(file, offset, &piece, 1, &err), STEME_OK, &err, text);
}

static void make_file(const struct place *place, const char *name, const char *text)
{
    struct host_file *file = open_or_fail(place, name, HOST_WRITE | HOST_CREATE);
    write_text(file, 0, text);
    host_close(&file);
}

static void assert_bytes(struct host_file *file, uint64_t offset, const void *want, size_t size)
{
    char got[512];
    size_t got_size = 0;
    assert_true(size < sizeof got);
    assert_int_equal(host_read_at(file, offset, got, size, &got_size, NULL), STEME_OK);
    assert_int_equal(got_size, size);
    assert_memory_equal(got, want, size);
}

static void assert_content(const struct place *place, const char *name, const char *want)
{
    struct arena arena;
    arena_init(&arena, 65536);
    struct steme_slice got;
    struct steme_error err;
    char *path = path_of(place, name);
    assert_status(host_read_file(place->host, path, 60000, &arena, &got, &err), STEME_OK, &err, name);
    assert_row(slice_equal(got, slice_text(want)), name);
    free(path);
    arena_deinit(&arena);
}

static void open_makes_or_refuses_as_the_flags_say(void **state)
{
    const struct place *place = *state;
    char *dir = path_of(place, "dir");
    assert_int_equal(host_make_dir(place->host, dir, NULL), STEME_OK);
    free(dir);
    static const struct {
        const char *name, *path;
        unsigned flags;
        steme_status want;
    } rows[] = {
        { "reading what is not there", "a", HOST_READ, STEME_NOT_FOUND },
        { "writing what is not there", "a", HOST_WRITE, STEME_NOT_FOUND },
        { "making it", "a", HOST_WRITE | HOST_CREATE, STEME_OK },
        { "making it again finds it", "a", HOST_WRITE | HOST_CREATE, STEME_OK },
        { "making it alone", "a", HOST_WRITE | HOST_CREATE | HOST_EXCLUSIVE, STEME_EXISTS },
        { "making another alone", "b", HOST_WRITE | HOST_CREATE | HOST_EXCLUSIVE | HOST_PRIVATE, STEME_OK },
        { "reading it", "b", HOST_READ, STEME_OK },
        { "reading a directory", "dir", HOST_READ, STEME_IO },
        { "writing a directory", "dir", HOST_WRITE, STEME_IO },
        { "making it in a directory that is not there", "no/a", HOST_WRITE | HOST_CREATE, STEME_NOT_FOUND },
        { "making it below a file", "a/a", HOST_WRITE | HOST_CREATE, STEME_IO },
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct host_file *file = NULL;
        struct steme_error err;
        char *path = path_of(place, rows[i].path);
        assert_status(host_open(place->host, path, rows[i].flags, &file, &err), rows[i].want, &err, rows[i].name);
        assert_row((file != NULL) == (rows[i].want == STEME_OK), rows[i].name);
        assert_row(!rows[i].want || strstr(err.message, rows[i].path), rows[i].name);
        host_close(&file);
        assert_row(file == NULL, rows[i].name);
        free(path);
    }
    struct host_file *none = NULL;
    host_close(&none);
    assert_int_equal(host_open(place->host, "", HOST_READ, &none, NULL), STEME_NOT_FOUND);
}

static void what_is_written_is_read(void **state)
{
    const struct place *place = *state;
    struct host_file *file = open_or_fail(place, "a", HOST_WRITE | HOST_CREATE);
    write_text(file, 0, "0123456789");
    write_text(file, 4, "ab");
    assert_bytes(file, 0, "0123ab6789", 10);
    char got[20];
    size_t size = 99;
    assert_int_equal(host_read_at(file, 7, got, 20, &size, NULL), STEME_OK);
    assert_int_equal(size, 3);
    assert_int_equal(host_read_at(file, 10, got, 20, &size, NULL), STEME_OK);
    assert_int_equal(size, 0);
    assert_int_equal(host_read_at(file, INT64_MAX - 20, got, 20, &size, NULL), STEME_OK);
    assert_int_equal(size, 0);
    assert_int_equal(host_read_at(file, 0, NULL, 0, &size, NULL), STEME_OK);
    assert_int_equal(host_write_at(file, 0, NULL, 0, NULL), STEME_OK);
    uint64_t file_size = 0;
    assert_int_equal(host_size(file, &file_size, NULL), STEME_OK);
    assert_int_equal(file_size, 10);
    host_close(&file);
    assert_content(place, "a", "0123ab6789");
}

static void many_pieces_stand_one_behind_the_other(void **state)
{
    enum { COUNT = 1500 };
    const struct place *place = *state;
    static uint8_t text[COUNT * 3];
    static uint8_t back[COUNT * 3];
    static struct steme_slice pieces[COUNT];
    size_t total = 0;
    for (size_t i = 0; i < COUNT; i++) {
        size_t size = i % 4; /* empty ones among them */
        pieces[i] = slice_of(size ? text + total : NULL, size);
        for (size_t k = 0; k < size; k++)
            text[total++] = (uint8_t)(i + k);
    }
    struct host_file *file = open_or_fail(place, "a", HOST_WRITE | HOST_CREATE);
    assert_int_equal(host_write_at(file, 100, pieces, COUNT, NULL), STEME_OK);
    size_t got = 0;
    assert_int_equal(host_read_at(file, 100, back, sizeof back, &got, NULL), STEME_OK);
    assert_int_equal(got, total);
    assert_memory_equal(back, text, total);
    static const uint8_t zeros[100];
    assert_bytes(file, 0, zeros, 100); /* a hole */
    host_close(&file);
}

static void sizes_that_no_file_has_are_refused(void **state)
{
    const struct place *place = *state;
    struct host_file *file = open_or_fail(place, "a", HOST_WRITE | HOST_CREATE);
    uint8_t byte = 0;
    size_t got = 7;
    const struct steme_slice pieces[2] = { { &byte, 1 }, { &byte, 1 } };
    assert_int_equal(host_read_at(file, UINT64_MAX, &byte, 1, &got, NULL), STEME_TOO_LARGE);
    assert_int_equal(host_read_at(file, INT64_MAX, &byte, 1, &got, NULL), STEME_TOO_LARGE);
    assert_int_equal(host_write_at(file, INT64_MAX - 1, pieces, 2, NULL), STEME_TOO_LARGE);
    assert_int_equal(host_truncate(file, (uint64_t)INT64_MAX + 1, NULL), STEME_TOO_LARGE);
    assert_int_equal(host_allocate(file, UINT64_MAX, NULL), STEME_TOO_LARGE);
    assert_true(host_truncate(file, INT64_MAX, NULL) != STEME_OK); /* the limit of the disk, not of the number */
    assert_true(host_write_at(file, INT64_MAX - 2, pieces, 2, NULL) != STEME_OK);
    assert_int_equal(got, 7);
    uint64_t size = 7;
    assert_int_equal(host_size(file, &size, NULL), STEME_OK);
    assert_int_equal(size, 0);
    host_close(&file);
}

static void a_file_opened_for_reading_cannot_be_changed(void **state)
{
    const struct place *place = *state;
    make_file(place, "a", "text");
    struct host_file *file = open_or_fail(place, "a", HOST_READ);
    struct steme_slice piece = slice_text("x");
    assert_true(host_write_at(file, 0, &piece, 1, NULL) != STEME_OK);
    assert_true(host_truncate(file, 0, NULL) != STEME_OK);
    assert_true(host_allocate(file, 100, NULL) != STEME_OK);
    host_close(&file);
    assert_content(place, "a", "text");
}

static void a_file_cut_and_grown_again_has_zeros(void **state)
{
    const struct place *place = *state;
    struct host_file *file = open_or_fail(place, "a", HOST_WRITE | HOST_CREATE);
    write_text(file, 0, "0123456789");
    assert_int_equal(host_truncate(file, 3, NULL), STEME_OK);
    assert_int_equal(host_truncate(file, 6, NULL), STEME_OK);
    assert_bytes(file, 0, "012\0\0\0", 6);
    uint64_t size = 0;
    assert_int_equal(host_size(file, &size, NULL), STEME_OK);
    assert_int_equal(size, 6);
    host_close(&file);
}

static void allocation_only_ever_grows_a_file(void **state)
{
    const struct place *place = *state;
    struct host_file *file = open_or_fail(place, "a", HOST_WRITE | HOST_CREATE);
    write_text(file, 0, "0123456789");
    uint64_t size = 0;
    assert_int_equal(host_allocate(file, 0, NULL), STEME_OK);
    assert_int_equal(host_allocate(file, 5, NULL), STEME_OK);
    assert_int_equal(host_size(file, &size, NULL), STEME_OK);
    assert_int_equal(size, 10);
    assert_int_equal(host_allocate(file, 200, NULL), STEME_OK);
    assert_int_equal(host_size(file, &size, NULL), STEME_OK);
    assert_int_equal(size, 200);
    static const uint8_t zeros[190];
    assert_bytes(file, 0, "0123456789", 10);
    assert_bytes(file, 10, zeros, 190);
    host_close(&file);
}

static void a_mapping_shows_later_writes_and_outlives_the_handle(void **state)
{
    const struct place *place = *state;
    struct host_file *file = open_or_fail(place, "a", HOST_WRITE | HOST_CREATE);
    assert_int_equal(host_allocate(file, 100000, NULL), STEME_OK);
    const uint8_t *data = NULL, *other = NULL, *nothing = NULL;
    struct steme_error err;
    assert_status(host_map(file, 100000, &data, &err), STEME_OK, &err, "map");
    assert_status(host_map(file, 10, &other, &err), STEME_OK, &err, "map the beginning too");
    assert_status(host_map(file, 0, &nothing, &err), STEME_OK, &err, "map nothing");
    assert_non_null(nothing);
    write_text(file, 99990, "0123456789");
    write_text(file, 0, "abc");
    assert_memory_equal(data + 99990, "0123456789", 10);
    assert_memory_equal(other, "abc", 3);
    const uint8_t *beyond = NULL;
    assert_status(host_map(file, 100001, &beyond, &err), STEME_IO, NULL, "map past the end");
    assert_null(beyond);
    host_close(&file);
    assert_memory_equal(data, "abc", 3);
    host_unmap(place->host, other, 10);
    host_unmap(place->host, nothing, 0);
    host_unmap(place->host, NULL, 5);
    assert_memory_equal(data, "abc", 3);
    host_unmap(place->host, data, 100000);
}

static void a_lock_is_held_by_one_until_it_closes(void **state)
{
    const struct place *place = *state;
    struct host_file *first = open_or_fail(place, "a", HOST_WRITE | HOST_CREATE);
    struct host_file *second = open_or_fail(place, "a", HOST_READ);
    struct steme_error err;
    assert_status(host_lock(first, &err), STEME_OK, &err, "the first");
    assert_status(host_lock(first, &err), STEME_OK, &err, "the first again");
    assert_status(host_lock(second, &err), STEME_LOCKED, NULL, "the second");
    host_close(&first);
    assert_status(host_lock(second, &err), STEME_OK, &err, "the second, when the first is gone");
    host_close(&second);
}

static void stat_tells_files_apart(void **state)
{
    const struct place *place = *state;
    make_file(place, "a", "12345");
    make_file(place, "b", "");
    struct host_stat a, again, b, dir;
    char *a_path = path_of(place, "a"), *b_path = path_of(place, "b"), *moved_path = path_of(place, "c");
    assert_int_equal(host_stat(place->host, a_path, &a, NULL), STEME_OK);
    assert_int_equal(host_stat(place->host, b_path, &b, NULL), STEME_OK);
    assert_int_equal(host_stat(place->host, place->dir, &dir, NULL), STEME_OK);
    assert_int_equal(a.kind, HOST_KIND_FILE);
    assert_int_equal(a.size_bytes, 5);
    assert_int_equal(dir.kind, HOST_KIND_DIR);
    assert_true(a.device == b.device && a.inode != b.inode);
    assert_int_equal(host_rename(place->host, a_path, moved_path, NULL), STEME_OK);
    assert_int_equal(host_stat(place->host, moved_path, &again, NULL), STEME_OK);
    assert_true(a.device == again.device && a.inode == again.inode);
    struct steme_error err;
    assert_status(host_stat(place->host, a_path, &again, &err), STEME_NOT_FOUND, NULL, "gone");
    free(a_path);
    free(b_path);
    free(moved_path);
}

static void a_listing_is_sorted_and_says_kinds(void **state)
{
    const struct place *place = *state;
    static const char *const names[] = { "b", "a", "a1", "B", "\xC3\xA9" };
    for (size_t i = 0; i < countof(names); i++)
        make_file(place, names[i], "");
    char *dir = path_of(place, "aa");
    assert_int_equal(host_make_dir(place->host, dir, NULL), STEME_OK);
    struct arena arena;
    arena_init(&arena, 65536);
    struct host_entry *entries = NULL;
    size_t count = 0;
    assert_int_equal(host_list(place->host, place->dir, &arena, &entries, &count, NULL), STEME_OK);
    static const char *const want[] = { "B", "a", "a1", "aa", "b", "\xC3\xA9" };
    assert_int_equal(count, countof(want));
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(entries[i].name, want[i]);
        assert_int_equal(entries[i].kind, i == 3 ? HOST_KIND_DIR : HOST_KIND_FILE);
    }
    assert_int_equal(host_list(place->host, dir, &arena, &entries, &count, NULL), STEME_OK);
    assert_int_equal(count, 0);
    arena_deinit(&arena);
    free(dir);
}

static void a_listing_fails_with_a_reason(void **state)
{
    const struct place *place = *state;
    make_file(place, "a", "");
    make_file(place, "b", "");
    char *missing = path_of(place, "no"), *file = path_of(place, "a");
    struct host_entry *entries = NULL;
    size_t count = 77;
    struct steme_error err;
    struct arena arena;
    arena_init(&arena, 65536);
    assert_status(host_list(place->host, missing, &arena, &entries, &count, &err), STEME_NOT_FOUND, NULL, "missing");
    assert_status(host_list(place->host, file, &arena, &entries, &count, &err), STEME_IO, NULL, "a file");
    arena_deinit(&arena);
    arena_init(&arena, 40);
    assert_status(host_list(place->host, place->dir, &arena, &entries, &count, &err), STEME_NO_MEMORY, NULL,
                  "small arena");
    arena_deinit(&arena);
    assert_null(entries);
    assert_int_equal(count, 77);
    free(missing);
    free(file);
}

static void directories_are_made_once_and_removed_when_empty(void **state)
{
    const struct place *place = *state;
    char *dir = path_of(place, "d"), *deep = path_of(place, "no/d");
    struct steme_error err;
    assert_status(host_make_dir(place->host, dir, &err), STEME_OK, &err, "made");
    assert_status(host_make_dir(place->host, dir, &err), STEME_EXISTS, NULL, "made again");
    assert_status(host_make_dir(place->host, deep, &err), STEME_NOT_FOUND, NULL, "made in nowhere");
    make_file(place, "d/a", "x");
    assert_status(host_remove(place->host, dir, &err), STEME_IO, NULL, "removed with a file in it");
    char *file = path_of(place, "d/a");
    assert_status(host_remove(place->host, file, &err), STEME_OK, &err, "the file removed");
    assert_status(host_remove(place->host, file, &err), STEME_NOT_FOUND, NULL, "the file removed again");
    assert_status(host_remove(place->host, dir, &err), STEME_OK, &err, "removed when empty");
    assert_status(host_sync_dir(place->host, place->dir, &err), STEME_OK, &err, "synced");
    assert_status(host_sync_dir(place->host, dir, &err), STEME_NOT_FOUND, NULL, "synced when gone");
    free(dir);
    free(deep);
    free(file);
}

static void a_rename_replaces_what_may_be_replaced(void **state)
{
    const struct place *place = *state;
    char *made[] = { path_of(place, "dir"), path_of(place, "empty"), path_of(place, "full") };
    for (size_t i = 0; i < countof(made); i++)
        assert_int_equal(host_make_dir(place->host, made[i], NULL), STEME_OK);
    make_file(place, "a", "a");
    make_file(place, "b", "b");
    make_file(place, "full/x", "x");
    static const struct {
        const char *name, *from, *to;
        steme_status want;
    } rows[] = {
        { "a file over a file", "a", "b", STEME_OK },
        { "what is not there", "a", "b", STEME_NOT_FOUND },
        { "to a directory that is not there", "b", "no/b", STEME_NOT_FOUND },
        { "a file over a directory", "b", "dir", STEME_IO },
        { "a directory over a file", "dir", "b", STEME_IO },
        { "a directory over a full one", "dir", "full", STEME_IO },
        { "a directory into itself", "full", "full/y", STEME_IO },
        { "a directory over an empty one", "full", "empty", STEME_OK },
        { "into another directory", "b", "empty/b", STEME_OK },
        { "onto itself", "empty/b", "empty/b", STEME_OK },
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct steme_error err;
        char *from = path_of(place, rows[i].from), *to = path_of(place, rows[i].to);
        steme_status status = host_rename(place->host, from, to, &err);
        /* a file system may answer ENOTEMPTY or EEXIST */
        if (strcmp(rows[i].name, "a directory over a full one") == 0 && status == STEME_EXISTS) status = STEME_IO;
        assert_status(status, rows[i].want, &err, rows[i].name);
        free(from);
        free(to);
    }
    assert_content(place, "empty/b", "a");
    assert_content(place, "empty/x", "x");
    for (size_t i = 0; i < countof(made); i++)
        free(made[i]);
}

static void an_open_file_outlives_its_name(void **state)
{
    const struct place *place = *state;
    make_file(place, "a", "old");
    make_file(place, "b", "new");
    struct host_file *file = open_or_fail(place, "a", HOST_WRITE);
    char *a = path_of(place, "a"), *b = path_of(place, "b");
    assert_int_equal(host_rename(place->host, b, a, NULL), STEME_OK);
    write_text(file, 3, "er");
    assert_int_equal(host_sync(file, NULL), STEME_OK);
    assert_bytes(file, 0, "older", 5);
    assert_content(place, "a", "new");
    host_close(&file);
    free(a);
    free(b);
}

static void a_small_file_is_read_whole_or_not_at_all(void **state)
{
    const struct place *place = *state;
    make_file(place, "a", "12345");
    make_file(place, "empty", "");
    char *path = path_of(place, "a"), *missing = path_of(place, "no");
    struct steme_slice out = { NULL, 77 };
    struct steme_error err;
    struct arena arena;
    arena_init(&arena, 1000);
    assert_status(host_read_file(place->host, path, 4, &arena, &out, &err), STEME_TOO_LARGE, NULL, "over the ceiling");
    assert_status(host_read_file(place->host, missing, 4, &arena, &out, &err), STEME_NOT_FOUND, NULL, "missing");
    assert_status(host_read_file(place->host, place->dir, 4, &arena, &out, &err), STEME_IO, NULL, "a directory");
    arena_deinit(&arena);
    assert_status(host_read_file(place->host, path, 5, &arena, &out, &err), STEME_NO_MEMORY, NULL, "no arena");
    assert_int_equal(out.size, 77);
    assert_content(place, "a", "12345");
    assert_content(place, "empty", "");
    free(path);
    free(missing);
}

static void a_file_is_replaced_as_a_whole(void **state)
{
    const struct place *place = *state;
    char *path = path_of(place, "a"), *nowhere = path_of(place, "no/a");
    struct steme_error err;
    assert_status(host_replace_file(place->host, path, 0, slice_text("one"), &err), STEME_OK, &err, "the first");
    assert_content(place, "a", "one");
    make_file(place, "a.tmp", "left behind by a crash, and longer");
    assert_status(host_replace_file(place->host, path, HOST_PRIVATE, slice_text("two"), &err), STEME_OK, &err, "again");
    assert_content(place, "a", "two");
    assert_status(host_replace_file(place->host, path, 0, slice_of(NULL, 0), &err), STEME_OK, &err, "by nothing");
    assert_content(place, "a", "");
    assert_status(host_replace_file(place->host, nowhere, 0, slice_text("x"), &err), STEME_NOT_FOUND, NULL, "nowhere");
    assert_non_null(strstr(err.message, "while replacing"));
    assert_status(host_replace_file(place->host, place->dir, 0, slice_text("x"), &err), STEME_IO, NULL, "a directory");
    struct arena arena;
    arena_init(&arena, 65536);
    struct host_entry *entries = NULL;
    size_t count = 0;
    assert_int_equal(host_list(place->host, place->dir, &arena, &entries, &count, NULL), STEME_OK);
    assert_int_equal(count, 1); /* no temporary file is left */
    arena_deinit(&arena);
    free(path);
    free(nowhere);
}

static void clocks_randomness_and_identity_are_there(void **state)
{
    const struct place *place = *state;
    uint64_t before = host_monotonic_ns(place->host);
    assert_true(host_monotonic_ns(place->host) >= before);
    assert_true(host_wall_us(place->host) >= INT64_C(1000000000000000));
    uint8_t a[64] = { 0 }, b[64] = { 0 };
    assert_int_equal(host_random(place->host, a, sizeof a, NULL), STEME_OK);
    assert_int_equal(host_random(place->host, b, sizeof b, NULL), STEME_OK);
    assert_int_equal(host_random(place->host, NULL, 0, NULL), STEME_OK);
    assert_memory_not_equal(a, b, sizeof a);
    struct steme_hash boot, again;
    struct steme_error err;
    assert_status(host_boot_id(place->host, &boot, &err), STEME_OK, &err, "boot id");
    assert_status(host_boot_id(place->host, &again, &err), STEME_OK, &err, "boot id");
    assert_memory_equal(boot.bytes, again.bytes, sizeof boot.bytes);
    assert_true(host_process_id(place->host) > 0);
    assert_int_equal(host_process_id(place->host), host_process_id(place->host));
}

static void paths_are_joined_by_one_slash(void **state)
{
    (void)state;
    static const struct {
        const char *dir, *name, *want;
    } rows[] = {
        { "a", "b", "a/b" }, { "a/", "b", "a/b" }, { "/", "b", "/b" }, { "", "b", "b" }, { "a", "", "a/" },
    };
    struct arena arena;
    arena_init(&arena, 4096);
    for (size_t i = 0; i < countof(rows); i++)
        assert_row_text(host_join(&arena, rows[i].dir, rows[i].name), rows[i].want, rows[i].want);
    arena_deinit(&arena);
    assert_null(host_join(&arena, "a", "b")); /* its ceiling is 0 now */
}

#define both_hosts(test)                                           \
    { "on disk: " #test, test, open_real, close_real, NULL },      \
    {                                                              \
        "in memory: " #test, test, open_memory, close_memory, NULL \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        both_hosts(open_makes_or_refuses_as_the_flags_say),
        both_hosts(what_is_written_is_read),
        both_hosts(many_pieces_stand_one_behind_the_other),
        both_hosts(sizes_that_no_file_has_are_refused),
        both_hosts(a_file_opened_for_reading_cannot_be_changed),
        both_hosts(a_file_cut_and_grown_again_has_zeros),
        both_hosts(allocation_only_ever_grows_a_file),
        both_hosts(a_mapping_shows_later_writes_and_outlives_the_handle),
        both_hosts(a_lock_is_held_by_one_until_it_closes),
        both_hosts(stat_tells_files_apart),
        both_hosts(a_listing_is_sorted_and_says_kinds),
        both_hosts(a_listing_fails_with_a_reason),
        both_hosts(directories_are_made_once_and_removed_when_empty),
        both_hosts(a_rename_replaces_what_may_be_replaced),
        both_hosts(an_open_file_outlives_its_name),
        both_hosts(a_small_file_is_read_whole_or_not_at_all),
        both_hosts(a_file_is_replaced_as_a_whole),
        both_hosts(clocks_randomness_and_identity_are_there),
        cmocka_unit_test(paths_are_joined_by_one_slash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
