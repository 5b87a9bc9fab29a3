/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"
#include "base/slice.h"
#include "host/host_mem.h"
#include "lib/testing.h"
#include "spine/quarantine.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct steme_hash store = { { 4, 5, 6 } };
#define NO_LIMIT UINT64_MAX

static struct host *new_world(void)
{
    struct host *host = host_mem_new(1);
    assert_non_null(host);
    assert_status(host_make_dir(host, "store", NULL), STEME_OK, NULL, "store");
    assert_status(host_sync_dir(host, "/", NULL), STEME_OK, NULL, "store");
    return host;
}

static void open_it(struct quarantine *quarantine, struct host *host, uint64_t limit, bool read_only)
{
    struct steme_error err;
    assert_status(quarantine_open(quarantine, host, "store", &store, limit, read_only, &err), STEME_OK, &err, "open");
}

static struct quarantine_stretch stretch_of(uint64_t segment, uint64_t offset, const char *text,
                                            enum quarantine_reason reason, uint64_t first, uint64_t count)
{
    return (struct quarantine_stretch){ segment, offset, slice_text(text), reason, first, count };
}

static void what_is_set_aside_survives_a_power_cut(void **state)
{
    (void)state;
    struct host *host = new_world();
    struct quarantine quarantine;
    struct steme_error err;
    struct quarantine_stretch stretch = stretch_of(7, 4096, "torn bytes", QUARANTINE_TORN, 0, 0);
    open_it(&quarantine, host, NO_LIMIT, false);
    assert_status(quarantine_set_aside(&quarantine, &stretch, &err), STEME_OK, &err, "set aside");
    quarantine_close(&quarantine);
    host_mem_power_cut(host, 0);
    open_it(&quarantine, host, NO_LIMIT, true);
    assert_int_equal(quarantine.file_count, 1);
    assert_int_equal(quarantine.count, 1);
    const struct quarantine_entry *entry = &quarantine.entries[0];
    bool whole = false;
    assert_string_equal(entry->name, "0000000000000007-00001000.0.q");
    assert_true(entry->good && entry->segment == 7 && entry->offset == 4096 && entry->length == 10 &&
                entry->reason == QUARANTINE_TORN);
    assert_status(quarantine_check(&quarantine, entry, &whole, &err), STEME_OK, &err, "check");
    assert_true(whole);
    quarantine_close(&quarantine);
    host_mem_free(host);
}

static void the_same_stretch_is_set_aside_once(void **state)
{
    (void)state;
    struct host *host = new_world();
    struct quarantine quarantine;
    struct steme_error err;
    struct quarantine_stretch stretch = stretch_of(1, 64, "bytes", QUARANTINE_DAMAGE, 10, 2);
    for (int round = 0; round < 3; round++) {
        open_it(&quarantine, host, NO_LIMIT, false);
        assert_status(quarantine_set_aside(&quarantine, &stretch, &err), STEME_OK, &err, "set aside");
        assert_status(quarantine_set_aside(&quarantine, &stretch, &err), STEME_OK, &err, "set aside");
        assert_int_equal(quarantine.file_count, 1);
        quarantine_close(&quarantine);
    }
    host_mem_free(host);
}

/* Whoever wrote it may have been killed before he synced its name, and the log is about to be cut. */
static void what_is_there_already_is_synced_all_the_same(void **state)
{
    (void)state;
    struct host *host = new_world();
    struct quarantine quarantine;
    struct steme_error err;
    struct quarantine_stretch stretch = stretch_of(1, 64, "bytes", QUARANTINE_DAMAGE, 10, 2);
    for (int round = 0; round < 2; round++) {
        open_it(&quarantine, host, NO_LIMIT, false);
        uint64_t syncs = host_mem_calls(host, HOST_MEM_SYNC_DIR);
        assert_status(quarantine_set_aside(&quarantine, &stretch, &err), STEME_OK, &err, "set aside");
        assert_true(host_mem_calls(host, HOST_MEM_SYNC_DIR) > syncs);
        quarantine_close(&quarantine);
    }
    host_mem_free(host);
}

static void nothing_is_overwritten(void **state)
{
    (void)state;
    struct host *host = new_world();
    struct quarantine quarantine;
    struct steme_error err;
    static const struct {
        const char *name, *text;
        enum quarantine_reason reason;
        uint64_t count;
    } rows[] = {
        { "the first", "bytes", QUARANTINE_DAMAGE, 2 },           { "other bytes", "bytez", QUARANTINE_DAMAGE, 2 },
        { "more bytes", "bytes and more", QUARANTINE_DAMAGE, 2 }, { "another reason", "bytes", QUARANTINE_TORN, 2 },
        { "another loss", "bytes", QUARANTINE_DAMAGE, 3 },
    };
    open_it(&quarantine, host, NO_LIMIT, false);
    for (size_t i = 0; i < countof(rows); i++) {
        struct quarantine_stretch stretch = stretch_of(1, 64, rows[i].text, rows[i].reason, 10, rows[i].count);
        assert_status(quarantine_set_aside(&quarantine, &stretch, &err), STEME_OK, &err, rows[i].name);
        assert_row(quarantine.file_count == i + 1, rows[i].name);
    }
    for (size_t i = 0; i < quarantine.count; i++) {
        char name[64];
        bool whole = false;
        snprintf(name, sizeof name, "0000000000000001-00000040.%zu.q", i);
        assert_string_equal(quarantine.entries[i].name, name);
        assert_status(quarantine_check(&quarantine, &quarantine.entries[i], &whole, &err), STEME_OK, &err, name);
        assert_row(whole, name);
    }
    quarantine_close(&quarantine);
    host_mem_free(host);
}

static void a_file_gone_bad_is_told_and_not_trusted(void **state)
{
    (void)state;
    static const char path[] = "store/quarantine/0000000000000001-00000040.0.q";
    static const struct {
        const char *name;
        uint64_t offset;
        bool header;
    } rows[] = {
        { "magic", 0, true },    { "format", 8, true },        { "store", 16, true },
        { "segment", 48, true }, { "reason", 72, true },       { "zeros", 200, true },
        { "check", 230, true },  { "first byte", 256, false }, { "last byte", 260, false },
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct host *host = new_world();
        struct quarantine quarantine;
        struct steme_error err;
        struct quarantine_stretch stretch = stretch_of(1, 64, "bytes", QUARANTINE_TORN, 0, 0);
        struct quarantine_sum sum;
        bool whole = true;
        open_it(&quarantine, host, NO_LIMIT, false);
        assert_status(quarantine_set_aside(&quarantine, &stretch, &err), STEME_OK, &err, rows[i].name);
        quarantine_close(&quarantine);
        uint8_t byte = 0xee;
        assert_status(host_mem_poke(host, path, rows[i].offset, slice_of(&byte, 1), &err), STEME_OK, &err,
                      rows[i].name);
        open_it(&quarantine, host, NO_LIMIT, false);
        assert_row(quarantine.entries[0].good == !rows[i].header, rows[i].name);
        assert_status(quarantine_check(&quarantine, &quarantine.entries[0], &whole, &err), STEME_OK, &err,
                      rows[i].name);
        assert_row(!whole, rows[i].name);
        assert_status(quarantine_sum(&quarantine, &sum, &err), STEME_OK, &err, rows[i].name);
        assert_row(sum.degraded == rows[i].header, rows[i].name); /* for all we know it was more than a torn tail */
        assert_status(quarantine_set_aside(&quarantine, &stretch, &err), STEME_OK, &err, rows[i].name);
        assert_row(quarantine.file_count == 2, rows[i].name); /* once more, whole */
        quarantine_close(&quarantine);
        host_mem_free(host);
    }
}

/* Its check is good, but it is not a file we could have written. */
static void a_file_of_another_kind_counts_as_damaged(void **state)
{
    (void)state;
    static const char path[] = "store/quarantine/0000000000000001-00000040.0.q";
    static const struct {
        const char *name;
        uint64_t offset;
        uint8_t value;
    } rows[] = {
        { "magic", 0, 'X' },    { "a later format", 8, 2 },     { "another store", 16, 99 },
        { "no reason", 72, 0 }, { "an unknown reason", 72, 5 },
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct host *host = new_world();
        struct quarantine quarantine;
        struct quarantine_sum sum;
        struct steme_error err;
        struct host_file *file;
        struct quarantine_stretch stretch = stretch_of(1, 64, "bytes", QUARANTINE_TORN, 0, 0);
        uint8_t header[256];
        size_t got;
        open_it(&quarantine, host, NO_LIMIT, false);
        assert_status(quarantine_set_aside(&quarantine, &stretch, &err), STEME_OK, &err, rows[i].name);
        quarantine_close(&quarantine);
        assert_status(host_open(host, path, HOST_READ, &file, &err), STEME_OK, &err, rows[i].name);
        assert_status(host_read_at(file, 0, header, sizeof header, &got, &err), STEME_OK, &err, rows[i].name);
        host_close(&file);
        header[rows[i].offset] = rows[i].value;
        struct steme_hash check = hash_one(slice_of(header, 224));
        memcpy(header + 224, check.bytes, sizeof check);
        assert_status(host_mem_poke(host, path, 0, slice_of(header, sizeof header), &err), STEME_OK, &err,
                      rows[i].name);
        open_it(&quarantine, host, NO_LIMIT, false);
        assert_row(!quarantine.entries[0].good, rows[i].name);
        assert_status(quarantine_sum(&quarantine, &sum, &err), STEME_OK, &err, rows[i].name);
        assert_row(sum.degraded && sum.missing_sequences == 0, rows[i].name);
        quarantine_close(&quarantine);
        host_mem_free(host);
    }
}

static void a_file_cut_short_is_told(void **state)
{
    (void)state;
    static const char path[] = "store/quarantine/0000000000000001-00000040.0.q";
    static const uint64_t sizes[] = { 0, 100, 255, 256, 260 };
    for (size_t i = 0; i < countof(sizes); i++) {
        struct host *host = new_world();
        struct quarantine quarantine;
        struct steme_error err;
        struct host_file *file;
        struct quarantine_stretch stretch = stretch_of(1, 64, "bytes", QUARANTINE_TORN, 0, 0);
        bool whole = true;
        open_it(&quarantine, host, NO_LIMIT, false);
        assert_status(quarantine_set_aside(&quarantine, &stretch, &err), STEME_OK, &err, "set aside");
        quarantine_close(&quarantine);
        assert_status(host_open(host, path, HOST_WRITE, &file, &err), STEME_OK, &err, "open");
        assert_status(host_truncate(file, sizes[i], &err), STEME_OK, &err, "cut");
        host_close(&file);
        open_it(&quarantine, host, NO_LIMIT, false);
        assert_status(quarantine_check(&quarantine, &quarantine.entries[0], &whole, &err), STEME_OK, &err, "check");
        assert_false(whole);
        quarantine_close(&quarantine);
        host_mem_free(host);
    }
}

static void over_the_limit_nothing_is_thrown_away(void **state)
{
    (void)state;
    struct host *host = new_world();
    struct quarantine quarantine;
    struct steme_error err;
    struct quarantine_stretch first = stretch_of(1, 64, "0123456789", QUARANTINE_TORN, 0, 0);
    struct quarantine_stretch second = stretch_of(1, 128, "0123456789", QUARANTINE_TORN, 0, 0);
    open_it(&quarantine, host, 2 * 266 - 1, false);
    assert_status(quarantine_set_aside(&quarantine, &first, &err), STEME_OK, &err, "first");
    assert_status(quarantine_set_aside(&quarantine, &second, &err), STEME_CORRUPT, &err, "second");
    assert_non_null(strstr(err.message, "store/quarantine"));
    quarantine_close(&quarantine);
    open_it(&quarantine, host, 2 * 266 - 1, false);
    assert_int_equal(quarantine.total_bytes, 266);
    assert_status(quarantine_set_aside(&quarantine, &first, &err), STEME_OK, &err, "the first is there");
    assert_status(quarantine_set_aside(&quarantine, &second, &err), STEME_CORRUPT, &err, "second");
    quarantine_close(&quarantine);
    open_it(&quarantine, host, 2 * 266, false);
    assert_status(quarantine_set_aside(&quarantine, &second, &err), STEME_OK, &err, "second");
    quarantine_close(&quarantine);
    host_mem_free(host);
}

static void every_failing_call_fails_it_and_leaves_no_half_file(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum host_mem_call call;
        int os_errno;
        steme_status want;
    } rows[] = {
        { "open", HOST_MEM_OPEN, EIO, STEME_IO },
        { "open, full", HOST_MEM_OPEN, ENOSPC, STEME_NO_SPACE },
        { "write", HOST_MEM_WRITE, EIO, STEME_IO },
        { "write, full", HOST_MEM_WRITE, ENOSPC, STEME_NO_SPACE },
        { "write, read-only", HOST_MEM_WRITE, EROFS, STEME_READ_ONLY },
        { "sync", HOST_MEM_SYNC, EIO, STEME_IO },
        { "rename", HOST_MEM_RENAME, EIO, STEME_IO },
        { "sync_dir", HOST_MEM_SYNC_DIR, EIO, STEME_IO },
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct host *host = new_world();
        struct quarantine quarantine;
        struct steme_error err;
        struct quarantine_stretch stretch = stretch_of(1, 64, "bytes", QUARANTINE_DAMAGE, 1, 1);
        open_it(&quarantine, host, NO_LIMIT, false);
        host_mem_fail(host, rows[i].call, 1, rows[i].os_errno, false);
        assert_status(quarantine_set_aside(&quarantine, &stretch, &err), rows[i].want, &err, rows[i].name);
        assert_row(strstr(err.message, "setting aside 5 bytes of log segment 1 at 64"), rows[i].name);
        quarantine_close(&quarantine);
        open_it(&quarantine, host, NO_LIMIT, false);
        assert_row(quarantine.file_count == (rows[i].call == HOST_MEM_SYNC_DIR ? 1 : 0), rows[i].name);
        assert_row(quarantine.total_bytes == (rows[i].call == HOST_MEM_SYNC_DIR ? 261 : 0), rows[i].name);
        quarantine_close(&quarantine);
        host_mem_free(host);
    }
}

static void an_unfinished_file_is_removed_and_never_counted(void **state)
{
    (void)state;
    struct host *host = new_world();
    struct quarantine quarantine;
    struct steme_error err;
    struct quarantine_stretch stretch = stretch_of(1, 64, "bytes", QUARANTINE_DAMAGE, 1, 1);
    open_it(&quarantine, host, NO_LIMIT, false);
    host_mem_fail(host, HOST_MEM_SYNC, 1, EIO, false);
    host_mem_fail(host, HOST_MEM_REMOVE, 1, EIO, false); /* it can't even clean up */
    assert_status(quarantine_set_aside(&quarantine, &stretch, &err), STEME_IO, &err, "set aside");
    quarantine_close(&quarantine);
    open_it(&quarantine, host, NO_LIMIT, true);
    assert_int_equal(quarantine.file_count, 0);
    quarantine_close(&quarantine);
    open_it(&quarantine, host, NO_LIMIT, false);
    assert_int_equal(quarantine.total_bytes, 0);
    assert_status(quarantine_set_aside(&quarantine, &stretch, &err), STEME_OK, &err, "set aside");
    quarantine_close(&quarantine);
    host_mem_free(host);
}

static void opening_reports_every_failure(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum host_mem_call call;
        uint64_t nth;
    } rows[] = {
        { "list", HOST_MEM_LIST, 1 },
        { "stat", HOST_MEM_STAT, 1 },
        { "open", HOST_MEM_OPEN, 1 },
        { "read", HOST_MEM_READ, 1 },
    };
    struct host *host = new_world();
    struct quarantine quarantine;
    struct steme_error err;
    struct quarantine_stretch stretch = stretch_of(1, 64, "bytes", QUARANTINE_DAMAGE, 1, 1);
    host_mem_fail(host, HOST_MEM_MAKE_DIR, 1, EIO, false);
    assert_status(quarantine_open(&quarantine, host, "store", &store, NO_LIMIT, false, &err), STEME_IO, &err,
                  "make_dir");
    host_mem_fail(host, HOST_MEM_SYNC_DIR, 1, EIO, false);
    assert_status(quarantine_open(&quarantine, host, "store", &store, NO_LIMIT, false, &err), STEME_IO, &err,
                  "sync_dir");
    open_it(&quarantine, host, NO_LIMIT, false);
    assert_status(quarantine_set_aside(&quarantine, &stretch, &err), STEME_OK, &err, "set aside");
    quarantine_close(&quarantine);
    for (size_t i = 0; i < countof(rows); i++) {
        host_mem_fail(host, rows[i].call, rows[i].nth, EIO, false);
        assert_status(quarantine_open(&quarantine, host, "store", &store, NO_LIMIT, false, &err), STEME_IO, &err,
                      rows[i].name);
    }
    open_it(&quarantine, host, NO_LIMIT, false);
    bool whole;
    host_mem_fail(host, HOST_MEM_READ, 1, EIO, false);
    assert_status(quarantine_check(&quarantine, &quarantine.entries[0], &whole, &err), STEME_IO, &err, "check");
    host_mem_fail(host, HOST_MEM_READ, 1, EIO, false);
    assert_status(quarantine_set_aside(&quarantine, &stretch, &err), STEME_IO, &err, "looking for it");
    quarantine_close(&quarantine);
    host_mem_free(host);
}

static void read_only_keeps_the_record_without_a_file(void **state)
{
    (void)state;
    struct host *host = new_world();
    struct quarantine quarantine;
    struct quarantine_sum sum;
    struct steme_error err;
    struct quarantine_stretch stretch = stretch_of(1, 64, "bytes", QUARANTINE_DAMAGE, 10, 2);
    open_it(&quarantine, host, 0, true); /* there is no directory, and it stays so */
    assert_status(quarantine_set_aside(&quarantine, &stretch, &err), STEME_OK, &err, "set aside");
    assert_status(quarantine_set_aside(&quarantine, &stretch, &err), STEME_OK, &err, "set aside");
    assert_status(quarantine_sum(&quarantine, &sum, &err), STEME_OK, &err, "sum");
    assert_true(sum.degraded && sum.damaged_bytes == 5 && sum.missing_sequences == 2);
    assert_int_equal(quarantine.file_count, 0);
    quarantine_close(&quarantine);
    struct host_stat stat;
    assert_status(host_stat(host, "store/quarantine", &stat, &err), STEME_NOT_FOUND, &err, "directory");
    host_mem_free(host);
}

static void missing_numbers_are_counted_once(void **state)
{
    (void)state;
    struct host *host = new_world();
    struct quarantine quarantine;
    struct quarantine_sum sum;
    struct steme_error err;
    static const struct {
        uint64_t first, count;
        enum quarantine_reason reason;
    } rows[] = {
        { 100, 10, QUARANTINE_DAMAGE }, { 105, 10, QUARANTINE_DAMAGE }, { 102, 2, QUARANTINE_DAMAGE },
        { 1, 1, QUARANTINE_LOST },      { 115, 5, QUARANTINE_LOST },    { 500, 100, QUARANTINE_TORN },
        { 0, 0, QUARANTINE_HEADER },
    };
    open_it(&quarantine, host, NO_LIMIT, false);
    assert_status(quarantine_sum(&quarantine, &sum, &err), STEME_OK, &err, "nothing");
    assert_true(!sum.degraded && sum.missing_sequences == 0);
    for (size_t i = 0; i < 40; i++) { /* more than its first array holds */
        const size_t k = i % countof(rows);
        struct quarantine_stretch stretch = stretch_of(1 + i, 64, "", rows[k].reason, rows[k].first, rows[k].count);
        assert_status(quarantine_note(&quarantine, &stretch, &err), STEME_OK, &err, "note");
    }
    assert_status(quarantine_sum(&quarantine, &sum, &err), STEME_OK, &err, "sum");
    assert_true(sum.degraded);
    assert_int_equal(sum.missing_sequences, 1 + 20);
    assert_true(quarantine_tells(&quarantine, 1, 1) && quarantine_tells(&quarantine, 100, 20)); /* of several entries */
    assert_true(quarantine_tells(&quarantine, 112, 8) && quarantine_tells(&quarantine, 50, 0));
    assert_false(quarantine_tells(&quarantine, 1, 2));
    assert_false(quarantine_tells(&quarantine, 99, 2));
    assert_false(quarantine_tells(&quarantine, 119, 2));
    assert_false(quarantine_tells(&quarantine, 500, 1)); /* a torn tail was never acknowledged */
    quarantine_close(&quarantine);
    host_mem_free(host);
}

static void strangers_in_the_directory_count_against_the_limit_only(void **state)
{
    (void)state;
    struct host *host = new_world();
    struct quarantine quarantine;
    struct steme_error err;
    struct host_file *file;
    struct steme_slice text = slice_text("a note by the operator");
    open_it(&quarantine, host, NO_LIMIT, false);
    quarantine_close(&quarantine);
    assert_status(host_make_dir(host, "store/quarantine/dir.q", &err), STEME_OK, &err, "dir");
    assert_status(host_open(host, "store/quarantine/README", HOST_WRITE | HOST_CREATE, &file, &err), STEME_OK, &err,
                  "file");
    assert_status(host_write_at(file, 0, &text, 1, &err), STEME_OK, &err, "file");
    host_close(&file);
    open_it(&quarantine, host, NO_LIMIT, false);
    assert_int_equal(quarantine.file_count, 0);
    assert_int_equal(quarantine.total_bytes, text.size);
    quarantine_close(&quarantine);
    quarantine_close(&quarantine); /* twice is fine */
    host_mem_free(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_set_aside_survives_a_power_cut),
        cmocka_unit_test(the_same_stretch_is_set_aside_once),
        cmocka_unit_test(what_is_there_already_is_synced_all_the_same),
        cmocka_unit_test(nothing_is_overwritten),
        cmocka_unit_test(a_file_gone_bad_is_told_and_not_trusted),
        cmocka_unit_test(a_file_of_another_kind_counts_as_damaged),
        cmocka_unit_test(a_file_cut_short_is_told),
        cmocka_unit_test(over_the_limit_nothing_is_thrown_away),
        cmocka_unit_test(every_failing_call_fails_it_and_leaves_no_half_file),
        cmocka_unit_test(an_unfinished_file_is_removed_and_never_counted),
        cmocka_unit_test(opening_reports_every_failure),
        cmocka_unit_test(read_only_keeps_the_record_without_a_file),
        cmocka_unit_test(missing_numbers_are_counted_once),
        cmocka_unit_test(strangers_in_the_directory_count_against_the_limit_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
