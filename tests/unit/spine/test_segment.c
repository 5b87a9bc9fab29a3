/* SPDX-License-Identifier: Apache-2.0 */
#include "base/codec.h"
#include "base/hash.h"
#include "base/slice.h"
#include "host/host_mem.h"
#include "lib/testing.h"
#include "spine/segment_tail.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct segment_header sample = {
    .number = 2,
    .first_sequence = 100,
    .created_at_us = 77,
    .segment_bytes = 65536,
    .store_id = { { 1, 2, 3 } },
    .prev = { { 9 } },
};

static void names_are_numbers_of_sixteen_digits(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint32_t number;
    } rows[] = {
        { "0000000000000001.seg", 1 },      { "00000000003fffff.seg", SEGMENT_NUMBER_MAX },
        { "000000000000abcd.seg", 0xabcd }, { "0000000000000000.seg", 0 },
        { "0000000000400000.seg", 0 },      { "ffffffffffffffff.seg", 0 },
        { "000000000000ABCD.seg", 0 },      { "000000000000001.seg", 0 },
        { "00000000000000001.seg", 0 },     { "0000000000000001.seg.tmp", 0 },
        { "0000000000000001.sig", 0 },      { "0000000000000001", 0 },
        { "-000000000000001.seg", 0 },      { "", 0 },
    };
    for (size_t i = 0; i < countof(rows); i++) {
        char name[SEGMENT_NAME_BYTES];
        assert_row(segment_name_number(rows[i].name) == rows[i].number, rows[i].name);
        if (rows[i].number == 0) continue;
        segment_name(rows[i].number, name);
        assert_row_text(name, rows[i].name, rows[i].name);
    }
}

static void a_path_too_long_is_refused(void **state)
{
    (void)state;
    char dir[SEGMENT_PATH_BYTES], path[SEGMENT_PATH_BYTES];
    struct steme_error err;
    memset(dir, 'd', sizeof dir);
    for (size_t length = sizeof dir - 30; length < sizeof dir; length++) {
        dir[length] = '\0';
        bool fits = length + 1 + SEGMENT_NAME_BYTES <= sizeof path;
        assert_status(segment_path(dir, 1, path, &err), fits ? STEME_OK : STEME_TOO_LARGE, &err, "path");
        dir[length] = 'd';
    }
}

static void a_header_reads_back_as_it_was_written(void **state)
{
    (void)state;
    uint8_t bytes[SEGMENT_HEADER_BYTES];
    struct segment_header header;
    segment_header_write(&sample, bytes);
    assert_status(segment_header_read(slice_of(bytes, sizeof bytes), &header), STEME_OK, NULL, "header");
    assert_memory_equal(&header, &sample, sizeof header);
    assert_status(segment_header_read(slice_of(bytes, sizeof bytes - 1), &header), STEME_CORRUPT, NULL, "cut short");
    assert_status(segment_header_read(slice_of(NULL, 0), &header), STEME_CORRUPT, NULL, "empty");
}

static void every_flipped_bit_of_a_header_is_seen(void **state)
{
    (void)state;
    uint8_t bytes[SEGMENT_HEADER_BYTES];
    struct segment_header header;
    segment_header_write(&sample, bytes);
    for (uint32_t bit = 0; bit < 8 * SEGMENT_HEADER_USED_BYTES; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_status(segment_header_read(slice_of(bytes, sizeof bytes), &header), STEME_CORRUPT, NULL, "flipped");
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void a_header_that_begins_where_no_log_does_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint64_t number, first_sequence;
        steme_status want;
    } rows[] = {
        { "the first, with the first record", 1, 1, STEME_OK },
        { "the first, with a later record", 1, 65537, STEME_CORRUPT },
        { "a later one, with a later record", 2, 65537, STEME_OK },
        { "a later one, with no record's number", 2, 0, STEME_CORRUPT },
    };
    for (size_t i = 0; i < countof(rows); i++) {
        uint8_t bytes[SEGMENT_HEADER_BYTES];
        struct segment_header header = sample;
        header.number = rows[i].number;
        header.first_sequence = rows[i].first_sequence;
        segment_header_write(&header, bytes);
        steme_status status = segment_header_read(slice_of(bytes, sizeof bytes), &header);
        assert_status(status, rows[i].want, NULL, rows[i].name);
    }
}

static void a_format_is_newer_only_if_it_is_not_ours_with_a_damaged_number(void **state)
{
    (void)state;
    uint8_t bytes[SEGMENT_HEADER_BYTES];
    struct segment_header header;
    segment_header_write(&sample, bytes);
    store_u32(bytes + 8, 2);
    assert_status(segment_header_read(slice_of(bytes, sizeof bytes), &header), STEME_CORRUPT, NULL, "ours");
    bytes[300] = 1;
    memset(bytes + 224, 3, 32);
    assert_status(segment_header_read(slice_of(bytes, sizeof bytes), &header), STEME_NEWER, NULL, "newer");
    store_u32(bytes + 8, 0);
    assert_status(segment_header_read(slice_of(bytes, sizeof bytes), &header), STEME_CORRUPT, NULL,
                  "older than the first");
}

/* ---- files ---- */

static struct host *new_world(void)
{
    struct host *host = host_mem_new(1);
    assert_non_null(host);
    assert_status(host_make_dir(host, "wal", NULL), STEME_OK, NULL, "wal");
    assert_status(host_sync_dir(host, "/", NULL), STEME_OK, NULL, "wal");
    return host;
}

static void a_created_segment_survives_a_power_cut(void **state)
{
    (void)state;
    struct host *host = new_world();
    struct host_file *file = NULL;
    struct steme_error err;
    struct host_stat stat;
    assert_status(segment_create(host, "wal", &sample, &file, &err), STEME_OK, &err, "create");
    host_mem_power_cut(host, 0);
    host_close(&file);
    assert_status(host_stat(host, "wal/0000000000000002.seg", &stat, &err), STEME_OK, &err, "stat");
    assert_int_equal(stat.size_bytes, sample.segment_bytes);
    assert_status(segment_create(host, "wal", &sample, &file, &err), STEME_EXISTS, &err, "again");
    host_mem_free(host);
}

static void a_full_disk_leaves_nothing_of_a_segment(void **state)
{
    (void)state;
    struct host *host = new_world();
    struct host_file *file = NULL;
    struct steme_error err;
    struct host_stat stat;
    static const enum host_mem_call calls[] = { HOST_MEM_ALLOCATE, HOST_MEM_OPEN };
    for (size_t i = 0; i < countof(calls); i++) {
        host_mem_fail(host, calls[i], 1, ENOSPC, false);
        assert_status(segment_create(host, "wal", &sample, &file, &err), STEME_NO_SPACE, &err, "full");
        assert_null(file);
        assert_status(host_stat(host, "wal/0000000000000002.seg", &stat, &err), STEME_NOT_FOUND, &err, "full");
    }
    assert_status(segment_create(host, "wal", &sample, &file, &err), STEME_OK, &err, "room again");
    host_close(&file);
    host_mem_free(host);
}

static void a_segment_that_cannot_be_taken_back_is_no_clean_refusal(void **state)
{
    (void)state;
    static const enum host_mem_call calls[] = { HOST_MEM_REMOVE, HOST_MEM_SYNC_DIR };
    for (size_t i = 0; i < countof(calls); i++) {
        struct host *host = new_world();
        struct host_file *file = NULL;
        struct steme_error err;
        host_mem_fail(host, HOST_MEM_ALLOCATE, 1, ENOSPC, false);
        host_mem_fail(host, calls[i], 1, EIO, false);
        assert_status(segment_create(host, "wal", &sample, &file, &err), STEME_IO, &err, "stuck");
        assert_non_null(strstr(err.message, "0000000000000002.seg"));
        host_mem_free(host);
    }
}

static void a_full_disk_behind_the_reservation_is_a_doubt(void **state)
{
    (void)state;
    static const enum host_mem_call calls[] = { HOST_MEM_WRITE, HOST_MEM_SYNC, HOST_MEM_SYNC_DIR };
    for (size_t i = 0; i < countof(calls); i++) {
        struct host *host = new_world();
        struct host_file *file = NULL;
        struct steme_error err;
        host_mem_fail(host, calls[i], 1, ENOSPC, false);
        assert_status(segment_create(host, "wal", &sample, &file, &err), STEME_IO, &err, "doubt");
        assert_int_equal(err.os_errno, ENOSPC);
        host_mem_free(host);
    }
}

static void a_path_too_long_creates_nothing(void **state)
{
    (void)state;
    struct host *host = new_world();
    struct host_file *file = NULL;
    struct steme_error err;
    char dir[SEGMENT_PATH_BYTES];
    memset(dir, 'd', sizeof dir);
    dir[sizeof dir - 1] = '\0';
    assert_status(segment_create(host, dir, &sample, &file, &err), STEME_TOO_LARGE, &err, "create");
    assert_status(segment_recreate(host, dir, &sample, &err), STEME_TOO_LARGE, &err, "recreate");
    host_mem_free(host);
}

/* ---- table ---- */

static void segments_are_found_by_number_and_in_order(void **state)
{
    (void)state;
    struct host *host = new_world();
    static struct segment_table table;
    static const uint32_t numbers[] = { 3, 4, 1023, 1024, 5000, SEGMENT_NUMBER_MAX };
    segment_table_init(&table, host, "wal");
    assert_null(segment_find(&table, 1));
    assert_null(segment_after(&table, 0));
    assert_null(segment_before(&table, 5));
    for (size_t i = 0; i < countof(numbers); i++)
        assert_status(segment_table_add(&table, numbers[i], 0, i % 2 ? &sample : NULL, NULL), STEME_OK, NULL, "add");
    struct segment *segment = segment_after(&table, 0);
    for (size_t i = 0; i < countof(numbers); i++, segment = segment_after(&table, segment->number)) {
        assert_non_null(segment);
        assert_int_equal(segment->number, numbers[i]);
        assert_int_equal(segment->header_good, i % 2);
        assert_ptr_equal(segment_find(&table, numbers[i]), segment);
    }
    assert_null(segment);
    segment = segment_before(&table, UINT32_MAX);
    for (size_t i = countof(numbers); i-- > 0; segment = segment_before(&table, segment->number))
        assert_int_equal(segment->number, numbers[i]);
    assert_null(segment);
    assert_null(segment_find(&table, 5));
    assert_null(segment_find(&table, UINT32_MAX));
    segment_table_deinit(&table);
    host_mem_free(host);
}

static void a_segment_that_grows_keeps_what_was_handed_out(void **state)
{
    (void)state;
    struct host *host = new_world();
    static struct segment_table table;
    struct steme_error err;
    struct host_file *file;
    struct steme_slice small, large, again;
    segment_table_init(&table, host, "wal");
    assert_status(host_open(host, "wal/0000000000000001.seg", HOST_WRITE | HOST_CREATE, &file, &err), STEME_OK, &err,
                  "open");
    assert_status(host_truncate(file, 1000, &err), STEME_OK, &err, "size");
    assert_status(segment_table_add(&table, 1, 1000, NULL, &err), STEME_OK, &err, "add");
    struct segment *segment = segment_find(&table, 1);
    assert_status(segment_bytes(&table, segment, 1001, &small, &err), STEME_CORRUPT, &err, "too short");
    assert_non_null(strstr(err.message, "0000000000000001.seg"));
    assert_status(segment_bytes(&table, segment, 500, &small, &err), STEME_OK, &err, "small");
    assert_int_equal(small.size, 1000);
    assert_status(host_truncate(file, 9000, &err), STEME_OK, &err, "size");
    assert_status(segment_bytes(&table, segment, 5000, &large, &err), STEME_OK, &err, "large");
    assert_int_equal(large.size, 9000);
    assert_status(segment_bytes(&table, segment, 1, &again, &err), STEME_OK, &err, "again");
    assert_ptr_equal(again.data, large.data);
    assert_int_equal(small.data[999], 0); /* still mapped */
    host_close(&file);
    segment_table_deinit(&table);
    host_mem_free(host);
}

static void a_segment_that_cannot_be_mapped_says_so_and_can_be_later(void **state)
{
    (void)state;
    static const enum host_mem_call calls[] = { HOST_MEM_OPEN, HOST_MEM_MAP };
    struct host *host = new_world();
    static struct segment_table table;
    struct steme_error err;
    struct host_file *file;
    struct steme_slice bytes;
    segment_table_init(&table, host, "wal");
    assert_status(host_open(host, "wal/0000000000000001.seg", HOST_WRITE | HOST_CREATE, &file, &err), STEME_OK, &err,
                  "open");
    assert_status(host_truncate(file, 1000, &err), STEME_OK, &err, "size");
    host_close(&file);
    assert_status(segment_table_add(&table, 1, 1000, NULL, &err), STEME_OK, &err, "add");
    for (size_t i = 0; i < countof(calls); i++) {
        host_mem_fail(host, calls[i], 1, EIO, false);
        assert_status(segment_bytes(&table, segment_find(&table, 1), 0, &bytes, &err), STEME_IO, &err, "fails");
    }
    assert_status(segment_bytes(&table, segment_find(&table, 1), 0, &bytes, &err), STEME_OK, &err, "later");
    segment_table_deinit(&table);
    host_mem_free(host);
}

/* ---- tail ---- */

static void the_last_segment_there_can_be_is_told_from_a_full_disk_by_its_message(void **state)
{
    (void)state;
    struct host *host = new_world();
    static struct segment_table table;
    struct steme_error err;
    struct commit_place place;
    static uint8_t bytes[4096], memory[64];
    segment_table_init(&table, host, "wal");
    struct segment_tail tail = {
        .table = &table, .segment_bytes = 65536, .segment = SEGMENT_NUMBER_MAX, .offset = 4096, .capacity_bytes = 4096
    };
    assert_status(segment_tail_init(&tail, &err), STEME_OK, &err, "init");
    struct wal_record record = { slice_of(memory, 64), hash_one(slice_of(memory, 64)), NULL };
    frame_write(bytes + BATCH_HEADER_BYTES, &record, BATCH_HEADER_BYTES);
    assert_status(segment_tail_write(&tail, bytes, BATCH_HEADER_BYTES + 128, 1, &place, &err), STEME_NO_SPACE, &err,
                  "full");
    assert_non_null(strstr(err.message, "4194303 segments"));
    segment_tail_deinit(&tail, true);
    segment_table_deinit(&table);
    host_mem_free(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_numbers_of_sixteen_digits),
        cmocka_unit_test(a_path_too_long_is_refused),
        cmocka_unit_test(a_header_reads_back_as_it_was_written),
        cmocka_unit_test(every_flipped_bit_of_a_header_is_seen),
        cmocka_unit_test(a_header_that_begins_where_no_log_does_is_refused),
        cmocka_unit_test(a_format_is_newer_only_if_it_is_not_ours_with_a_damaged_number),
        cmocka_unit_test(a_created_segment_survives_a_power_cut),
        cmocka_unit_test(a_full_disk_leaves_nothing_of_a_segment),
        cmocka_unit_test(a_segment_that_cannot_be_taken_back_is_no_clean_refusal),
        cmocka_unit_test(a_full_disk_behind_the_reservation_is_a_doubt),
        cmocka_unit_test(a_path_too_long_creates_nothing),
        cmocka_unit_test(segments_are_found_by_number_and_in_order),
        cmocka_unit_test(a_segment_that_grows_keeps_what_was_handed_out),
        cmocka_unit_test(a_segment_that_cannot_be_mapped_says_so_and_can_be_later),
        cmocka_unit_test(the_last_segment_there_can_be_is_told_from_a_full_disk_by_its_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
