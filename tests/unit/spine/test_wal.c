/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"
#include "base/slice.h"
#include "host/host_mem.h"
#include "lib/wal_world.h"
#include "spine/batch.h"
#include "spine/segment.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static struct wal_world world;

static void what_was_appended_reads_back(void **state)
{
    (void)state;
    struct host *mem = wal_world_start(&world, "read back");
    struct wal_record records[3] = { wal_world_record(0, false), wal_world_record(1, true), wal_world_record(2, true) };
    struct wal_place places[3];
    struct wal_entry entry;
    struct steme_error err;
    int64_t now_us = host_wall_us(mem) + 5000000;
    host_mem_set_wall_us(mem, now_us);
    assert_status(wal_append(world.wal, records, 3, places, &err), STEME_OK, &err, "append");
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(places[i].sequence, i + 1);
        assert_status(wal_read(world.wal, places[i].location, &entry, &err), STEME_OK, &err, "read");
        assert_true(slice_equal(entry.bytes, records[i].bytes));
        assert_memory_equal(&entry.id, &records[i].id, sizeof entry.id);
        assert_true((entry.signature != NULL) == (i == 0));
        assert_true(entry.sequence == i + 1 && entry.location == places[i].location && entry.received_at_us == now_us);
        assert_true(entry.batch_first == (i == 0) && entry.batch_last == (i == 2));
        assert_int_equal(entry.batch_location, (uint64_t)1 << 32 | 4096);
        assert_int_equal(entry.next_location, i < 2 ? places[i + 1].location : wal_durable(world.wal).location);
        assert_int_equal((uintptr_t)entry.bytes.data % 64, 0);
    }
    wal_world_end(&world, mem);
}

static void creating_twice_is_refused(void **state)
{
    (void)state;
    struct steme_error err;
    struct host *mem = wal_world_start(&world, "twice");
    wal_world_add(&world, 1, false, "twice");
    assert_status(wal_create(&world.options, &err), STEME_EXISTS, &err, "twice");
    assert_non_null(strstr(err.message, "0000000000000001.seg"));
    wal_world_check(&world, "twice");
    wal_world_end(&world, mem);
}

static void opening_nothing_finds_nothing(void **state)
{
    (void)state;
    struct steme_error err;
    struct wal *wal = NULL;
    struct host *mem = host_mem_new(1);
    struct wal_options options = { .host = mem, .dir = "nowhere" };
    for (int read_only = 0; read_only < 2; read_only++) {
        options.read_only = read_only;
        assert_status(wal_open(&options, &wal, NULL, &err), STEME_NOT_FOUND, &err, "no directory");
        assert_null(wal);
    }
    options.read_only = false;
    options.dir = "empty";
    assert_status(host_make_dir(mem, "empty", &err), STEME_OK, &err, "empty");
    assert_status(host_make_dir(mem, "empty/wal", &err), STEME_OK, &err, "empty");
    assert_status(wal_open(&options, &wal, NULL, &err), STEME_NOT_FOUND, &err, "no segment");
    assert_status(wal_create(&options, &err), STEME_OK, &err, "directories may be there");
    assert_status(wal_open(&options, &wal, NULL, &err), STEME_OK, &err, "now");
    wal_close(&wal);
    assert_null(wal);
    wal_close(&wal);
    host_mem_free(mem);
}

static void creating_reports_every_failure(void **state)
{
    (void)state;
    static const enum host_mem_call calls[] = { HOST_MEM_MAKE_DIR, HOST_MEM_LIST, HOST_MEM_OPEN,
                                                HOST_MEM_WRITE,    HOST_MEM_SYNC, HOST_MEM_SYNC_DIR };
    for (size_t i = 0; i < countof(calls); i++) {
        for (uint64_t nth = 1; nth <= 2; nth++) {
            struct host *mem = host_mem_new(1);
            struct wal_options options = { .host = mem, .dir = "/" };
            host_mem_fail(mem, calls[i], nth, EIO, false);
            steme_status status = wal_create(&options, NULL);
            bool struck = host_mem_calls(mem, calls[i]) >= nth;
            assert_int_equal(status, struck ? STEME_IO : STEME_OK);
            host_mem_free(mem);
        }
    }
}

static void receive_times_never_go_back(void **state)
{
    (void)state;
    struct host *mem = wal_world_start(&world, "clock");
    int64_t greatest = host_wall_us(mem);
    const int64_t clock_us[] = { greatest + 1000, greatest + 5000, greatest + 4000, -7,
                                 INT64_MIN,       greatest + 5001, INT64_MAX,       3 };
    for (size_t i = 0; i < countof(clock_us); i++) {
        struct wal_entry entry;
        struct steme_error err;
        host_mem_set_wall_us(mem, clock_us[i]);
        wal_world_add(&world, 1, false, "clock");
        if (clock_us[i] > greatest) greatest = clock_us[i];
        assert_status(wal_read(world.wal, world.location_of[i], &entry, &err), STEME_OK, &err, "clock");
        assert_int_equal(entry.received_at_us, greatest);
        if (i == 4) { /* over a restart too */
            wal_world_close(&world);
            assert_status(wal_world_open(&world, &err), STEME_OK, &err, "clock");
        }
    }
    wal_world_check(&world, "clock");
    wal_world_end(&world, mem);
}

static void reading_from_where_nothing_begins_finds_nothing(void **state)
{
    (void)state;
    struct host *mem = wal_world_start(&world, "locations");
    wal_world_add(&world, 3, true, "locations");
    uint64_t end = wal_durable(world.wal).location;
    for (uint64_t location = (uint64_t)1 << 32; location < end + 200; location++) {
        struct wal_entry entry;
        steme_status status = wal_read(world.wal, location, &entry, NULL);
        bool known = location == world.location_of[0] || location == world.location_of[1] ||
                     location == world.location_of[2];
        assert_int_equal(status, known ? STEME_OK : STEME_NOT_FOUND);
    }
    static const uint64_t absurd[] = {
        0, 1, 64, UINT64_MAX, UINT64_MAX - 63, (uint64_t)2 << 32 | 4224, (uint64_t)0xffffffc0u
    };
    for (size_t i = 0; i < countof(absurd); i++) {
        struct wal_entry entry;
        assert_int_equal(wal_read(world.wal, absurd[i], &entry, NULL), STEME_NOT_FOUND);
    }
    wal_world_end(&world, mem);
}

static void many_are_read_at_once_each_with_its_own_status(void **state)
{
    (void)state;
    struct host *mem = wal_world_start(&world, "many");
    for (size_t i = 0; i < 10; i++)
        wal_world_add(&world, 30, i % 2, "many");
    enum { COUNT = 301 };
    static uint64_t locations[COUNT];
    static struct wal_entry entries[COUNT];
    static steme_status statuses[COUNT];
    for (size_t i = 0; i < 300; i++)
        locations[i] = world.location_of[(i * 7) % 300];
    locations[150] += 64;
    locations[300] = 1;
    wal_world_flip(&world, (uint32_t)(world.location_of[20] >> 32), (world.location_of[20] & 0xffffffffu) + 130);
    wal_read_many(world.wal, locations, COUNT, entries, statuses);
    for (size_t i = 0; i < COUNT; i++) {
        size_t k = (i * 7) % 300;
        steme_status want = i == 300 || i == 150 ? STEME_NOT_FOUND : k == 20 ? STEME_CORRUPT : STEME_OK;
        assert_int_equal(statuses[i], want);
        if (!want) assert_true(slice_equal(entries[i].bytes, wal_world_record(k, false).bytes));
    }
    struct wal_stats stats;
    wal_stats(world.wal, &stats);
    assert_int_equal(stats.reads, 298);
    assert_int_equal(stats.appended_records, 300);
    assert_int_equal(stats.batches, 10);
    assert_int_equal(stats.syncs, 10);
    assert_true(stats.segments > 1 && stats.log_bytes > stats.appended_bytes);
    wal_world_end(&world, mem);
}

static void a_mark_at_the_start_of_a_segment_is_known_by_what_follows(void **state)
{
    (void)state;
    struct host *mem = wal_world_start(&world, "starts");
    struct wal_mark end = { 0 };
    struct steme_error err;
    while (wal_durable(world.wal).location >> 32 < 3) {
        if (wal_durable(world.wal).location >> 32 == 1) end = wal_durable(world.wal);
        wal_world_add(&world, 10, true, "starts");
    }
    for (int damage = 0; damage < 3; damage++) { /* none, the header, and its first batch as well */
        struct wal_mark mark = { end.next_sequence, (uint64_t)2 << 32 | 4096, end.batch };
        wal_world_close(&world);
        if (damage) wal_world_flip(&world, 2, damage == 1 ? 60 : 4096 + 60);
        assert_status(wal_world_open(&world, &err), STEME_OK, &err, "starts");
        assert_int_equal(wal_knows(world.wal, &mark), damage < 2);
        mark.next_sequence++;
        assert_false(wal_knows(world.wal, &mark));
        mark.next_sequence--;
        mark.batch.bytes[0] ^= 1;
        assert_false(wal_knows(world.wal, &mark));
    }
    wal_world_end(&world, mem);
}

/* Closing cuts a segment to what is in it, appending reserves it in full again. */
static void a_segment_mapped_while_it_was_short_is_read_when_it_is_full(void **state)
{
    (void)state;
    struct host *mem = wal_world_start(&world, "short");
    struct steme_error err;
    wal_world_add(&world, 2, true, "short");
    wal_world_close(&world);
    assert_status(wal_world_open(&world, &err), STEME_OK, &err, "short");
    wal_world_check(&world, "short"); /* maps it */
    while (wal_durable(world.wal).location >> 32 < 3)
        wal_world_add(&world, 10, true, "short");
    wal_world_check(&world, "short");
    wal_world_end(&world, mem);
}

static void read_only_reads_and_does_not_append(void **state)
{
    (void)state;
    struct steme_error err;
    struct host *mem = wal_world_start(&world, "read only");
    wal_world_add(&world, 20, true, "read only");
    world.options.read_only = true;
    struct wal *writer = world.wal;
    world.wal = NULL;
    struct steme_hash before = wal_world_digest(&world, true);
    assert_status(wal_world_open(&world, &err), STEME_OK, &err, "beside the writer");
    wal_world_check(&world, "beside the writer");
    assert_int_equal(world.found, 20);
    struct wal_place place;
    struct wal_record record = wal_world_record(30, false);
    assert_status(wal_append(world.wal, &record, 1, &place, &err), STEME_READ_ONLY, &err, "append");
    /* What the writer does later is not seen, and does no harm. */
    assert_status(wal_append(writer, &record, 1, &place, &err), STEME_OK, &err, "writer");
    wal_world_check(&world, "later");
    assert_int_equal(world.found, 20);
    wal_world_close(&world);
    struct steme_hash after = wal_world_digest(&world, true);
    assert_memory_not_equal(&before, &after, sizeof before); /* by the writer */
    wal_close(&writer);
    before = wal_world_digest(&world, true);
    assert_status(wal_world_open(&world, &err), STEME_OK, &err, "after it");
    wal_world_close(&world);
    after = wal_world_digest(&world, true);
    assert_memory_equal(&before, &after, sizeof before);
    host_mem_free(mem);
}

static void a_mark_is_known_only_if_all_of_it_is_right(void **state)
{
    (void)state;
    struct host *mem = wal_world_start(&world, "marks");
    struct wal_mark marks[40];
    marks[0] = wal_begin(world.wal);
    for (size_t i = 1; i < countof(marks); i++) {
        wal_world_add(&world, 10, i % 2, "marks");
        marks[i] = wal_durable(world.wal);
        assert_int_equal(marks[i].next_sequence, 10 * i + 1);
    }
    assert_true(marks[countof(marks) - 1].location >> 32 > 2);
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < countof(marks); i++) {
            struct wal_mark mark = marks[i];
            assert_true(wal_knows(world.wal, &mark));
            mark.next_sequence++;
            assert_false(wal_knows(world.wal, &mark));
            mark = marks[i];
            mark.batch.bytes[31] ^= 1;
            assert_false(wal_knows(world.wal, &mark));
            mark = marks[i];
            mark.location += 64;
            assert_false(wal_knows(world.wal, &mark));
            mark.location -= 65;
            assert_false(wal_knows(world.wal, &mark));
            mark.location = 64;
            assert_false(wal_knows(world.wal, &mark));
        }
        struct steme_error err;
        wal_world_close(&world);
        assert_status(wal_world_open(&world, &err), STEME_OK, &err, "marks");
    }
    wal_world_end(&world, mem);
}

static void scanning_from_a_foreign_mark_is_a_mismatch(void **state)
{
    (void)state;
    struct host *mem = wal_world_start(&world, "mismatch");
    for (size_t i = 0; i < 20; i++)
        wal_world_add(&world, 20, i % 2, "mismatch");
    struct wal_mark end = wal_durable(world.wal);
    struct wal_mark middle = { 0 };
    struct arena arena;
    struct wal_entry *entries;
    struct steme_error err;
    size_t count;
    arena_init(&arena, SIZE_MAX);
    middle = wal_begin(world.wal);
    assert_status(wal_scan(world.wal, &middle, 100, &arena, &entries, &count, NULL, &err), STEME_OK, &err, "middle");
    assert_int_equal(count, 100);
    for (int which = 0; which < 2; which++) {
        const struct wal_mark *base = which ? &end : &middle;
        struct wal_mark wrong[6] = { *base, *base, *base, *base, *base, *base };
        wrong[0].next_sequence++;
        wrong[1].batch.bytes[0] ^= 1;
        wrong[2].location += 64;
        wrong[3].location += (uint64_t)1 << 32;
        wrong[4].location -= 1;
        wrong[5].location = (uint64_t)1 << 32;
        for (size_t i = 0; i < countof(wrong); i++) {
            struct wal_mark at = wrong[i];
            assert_status(wal_scan(world.wal, &at, 100, &arena, &entries, &count, NULL, &err), STEME_MISMATCH, &err,
                          "wrong");
            assert_memory_equal(&at, &wrong[i], sizeof at);
        }
    }
    assert_status(wal_scan(world.wal, &end, 100, &arena, &entries, &count, NULL, &err), STEME_OK, &err, "end");
    assert_int_equal(count, 0);
    arena_deinit(&arena);
    wal_world_end(&world, mem);
}

static void scanning_in_too_small_an_arena_moves_nothing(void **state)
{
    (void)state;
    struct host *mem = wal_world_start(&world, "arena");
    for (size_t i = 0; i < 10; i++)
        wal_world_add(&world, 50, i % 2, "arena");
    struct wal_mark begin = wal_begin(world.wal);
    steme_status status = STEME_NO_MEMORY;
    for (size_t ceiling = 0; status; ceiling += 20000) {
        struct wal_mark at = begin;
        struct wal_entry *entries;
        struct steme_error err;
        struct arena arena;
        size_t count;
        arena_init(&arena, ceiling);
        status = wal_scan(world.wal, &at, 1000, &arena, &entries, &count, NULL, &err);
        if (status) {
            assert_status(status, STEME_NO_MEMORY, &err, "arena");
            assert_memory_equal(&at, &begin, sizeof at);
        } else {
            assert_int_equal(count, 500);
        }
        arena_deinit(&arena);
    }
    wal_world_end(&world, mem);
}

static void a_segment_that_cannot_be_read_is_an_error_and_not_an_absence(void **state)
{
    (void)state;
    struct host *mem = wal_world_start(&world, "unreadable");
    wal_world_add(&world, 5, false, "unreadable");
    struct wal_entry entry;
    struct wal_entry *entries;
    struct wal_mark at = wal_begin(world.wal);
    struct wal_mark mark = { .next_sequence = 2, .location = at.location + 64 };
    struct wal_totals totals;
    struct steme_error err;
    struct arena arena;
    size_t count;
    arena_init(&arena, SIZE_MAX);
    host_mem_fail(mem, HOST_MEM_MAP, 1, EIO, true);
    assert_status(wal_read(world.wal, world.location_of[0], &entry, &err), STEME_IO, &err, "read");
    assert_status(wal_scan(world.wal, &at, 10, &arena, &entries, &count, NULL, &err), STEME_IO, &err, "scan");
    assert_status(wal_verify(world.wal, NULL, NULL, &totals, &err), STEME_IO, &err, "verify");
    assert_false(wal_knows(world.wal, &mark));
    host_mem_fail(mem, HOST_MEM_ANY, 0, 0, false);
    assert_status(wal_read(world.wal, world.location_of[0], &entry, &err), STEME_OK, &err, "read");
    arena_deinit(&arena);
    wal_world_end(&world, mem);
}

static void what_can_never_fit_is_refused(void **state)
{
    (void)state;
    struct steme_error err;
    struct host *mem = wal_world_start(&world, "too large");
    static uint8_t memory[65536];
    struct wal_record record = { slice_of(memory, sizeof memory - 4096 - 128 - 64), { { 0 } }, NULL };
    struct wal_place place;
    record.id = hash_one(record.bytes);
    assert_status(wal_append(world.wal, &record, 1, &place, &err), STEME_OK, &err, "a whole segment");
    assert_int_equal(place.location, (uint64_t)1 << 32 | (4096 + 128));
    assert_status(wal_append(world.wal, &record, 1, &place, &err), STEME_OK, &err, "another");
    assert_int_equal(place.location, (uint64_t)2 << 32 | (4096 + 128));
    record.bytes.size += 64;
    assert_status(wal_append(world.wal, &record, 1, &place, &err), STEME_TOO_LARGE, &err, "more than a segment");
    wal_world_end(&world, mem);
}

static void segments_are_as_large_as_the_log_was_made_with(void **state)
{
    (void)state;
    struct steme_error err;
    struct host *mem = wal_world_start(&world, "size");
    wal_world_add(&world, 1, false, "size");
    wal_world_close(&world);
    world.options.segment_bytes = 131072;
    assert_status(wal_world_open(&world, &err), STEME_OK, &err, "size");
    while (world.used + 60 < WAL_WORLD_RECORDS)
        wal_world_add(&world, 60, true, "size");
    struct host_stat stat;
    assert_status(host_stat(mem, WAL_WORLD_DIR "/wal/0000000000000001.seg", &stat, &err), STEME_OK, &err, "size");
    assert_int_equal(stat.size_bytes, 65536);
    assert_status(host_stat(mem, WAL_WORLD_DIR "/wal/0000000000000002.seg", &stat, &err), STEME_OK, &err, "size");
    assert_int_equal(stat.size_bytes, 131072);
    wal_world_check(&world, "size");
    wal_world_account(&world, "size");
    wal_world_end(&world, mem);
}

/* A group that fits to the last byte stays, and one that is larger by a step begins a segment; nothing is written
 * behind the space that was reserved. */
static void a_segment_is_filled_to_its_last_byte_and_no_further(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t more; /* than what is left */
        uint64_t segment, ends_at;
    } rows[] = {
        { "exactly what is left", 0, 1, SEGMENT_BYTES_MIN },
        { "a step too large", 64, 2, SEGMENT_HEADER_BYTES + 4096 + 64 },
    };
    static uint8_t memory[SEGMENT_BYTES_MIN];
    static const struct steme_signature signature = { { 1 } };
    const size_t around = BATCH_HEADER_BYTES + FRAME_SIGNED_PREFIX_BYTES;
    const size_t groups[] = { SEGMENT_BYTES_MIN - SEGMENT_HEADER_BYTES - 4096, 4096 };
    for (size_t i = 0; i < countof(rows); i++) {
        struct steme_error err;
        struct wal_place place;
        struct host_stat stat;
        struct host *mem = wal_world_start(&world, rows[i].name);
        for (size_t k = 0; k < countof(groups); k++) {
            size_t size = groups[k] - around + (k ? rows[i].more : 0);
            memset(memory, (int)k + 1, size);
            struct wal_record record = { slice_of(memory, size), hash_one(slice_of(memory, size)), &signature };
            assert_status(wal_append(world.wal, &record, 1, &place, &err), STEME_OK, &err, rows[i].name);
        }
        uint64_t end = wal_durable(world.wal).location;
        assert_row(place.location >> 32 == rows[i].segment, rows[i].name);
        assert_row(end >> 32 == rows[i].segment && (uint32_t)end == rows[i].ends_at, rows[i].name);
        assert_status(host_stat(mem, WAL_WORLD_DIR "/wal/0000000000000001.seg", &stat, &err), STEME_OK, &err,
                      rows[i].name);
        assert_row(stat.size_bytes == SEGMENT_BYTES_MIN, rows[i].name);
        wal_world_end(&world, mem);
    }
}

/* Readers and the index follow the durable mark: it must not be moved by what may be gone tomorrow. */
static void what_was_written_and_not_synced_is_not_there(void **state)
{
    (void)state;
    struct steme_error err;
    struct arena arena;
    struct wal_entry *entries = NULL;
    size_t count = 99;
    struct host *mem = wal_world_start(&world, "not synced");
    wal_world_add(&world, 3, false, "not synced");
    struct wal_mark before = wal_durable(world.wal), at = before;
    host_mem_fail(mem, HOST_MEM_SYNC, 1, EIO, false);
    assert_status(wal_world_append(&world, 2, false, &err), STEME_IO, &err, "not synced");
    assert_int_equal(wal_durable(world.wal).location, before.location);
    assert_false(wal_wait(world.wal, before.next_sequence, wal_turn(world.wal), 0));
    arena_init(&arena, 1 << 20);
    assert_status(wal_scan(world.wal, &at, 100, &arena, &entries, &count, NULL, &err), STEME_OK, &err, "not synced");
    assert_int_equal(count, 0);
    arena_deinit(&arena);
    wal_world_end(&world, mem);
}

/* After a failed sync nobody knows what the disk holds: who opens the log next judges it as it lies there. */
static void a_sealed_log_is_closed_as_it_is(void **state)
{
    (void)state;
    struct steme_error err;
    struct host *mem = wal_world_start(&world, "sealed");
    wal_world_add(&world, 3, false, "sealed");
    host_mem_fail(mem, HOST_MEM_SYNC, 1, EIO, false);
    assert_status(wal_world_append(&world, 2, false, &err), STEME_IO, &err, "sealed");
    uint64_t cuts = host_mem_calls(mem, HOST_MEM_TRUNCATE);
    wal_world_close(&world);
    assert_int_equal(host_mem_calls(mem, HOST_MEM_TRUNCATE), cuts);
    wal_world_end(&world, mem);
}

/* ---- threads ---- */

#define THREADS 16u
#define APPENDS 60u

struct worker {
    struct wal *wal;
    size_t index;
    pthread_t thread;
    struct wal_place places[APPENDS][3];
};

static struct wal_record make_record(uint8_t memory[192], size_t worker, size_t round, size_t k, bool member)
{
    static const struct steme_signature signature = { { 1 } };
    memset(memory, (int)worker, 192);
    memory[1] = (uint8_t)round;
    memory[2] = (uint8_t)k;
    return (struct wal_record){ slice_of(memory, 192), hash_one(slice_of(memory, 192)), member ? NULL : &signature };
}

static void *work(void *context)
{
    struct worker *worker = context;
    for (size_t round = 0; round < APPENDS; round++) {
        uint8_t memory[3][192];
        struct wal_record records[3];
        struct steme_error err;
        for (size_t k = 0; k < 3; k++)
            records[k] = make_record(memory[k], worker->index, round, k, k > 0);
        size_t count = 1 + (worker->index + round) % 3;
        if (wal_append(worker->wal, records, count, worker->places[round], &err)) abort();
        struct wal_entry entry;
        if (wal_read(worker->wal, worker->places[round][count - 1].location, &entry, &err)) abort();
        if (!slice_equal(entry.bytes, records[count - 1].bytes)) abort();
    }
    return NULL;
}

/* Reads on while others append, as the ingestor does. */
static void *tail(void *context)
{
    struct wal *wal = context;
    struct wal_mark at = wal_begin(wal);
    struct arena arena;
    uint64_t sequence = 0, total = 0;
    for (size_t i = 0; i < THREADS; i++)
        for (size_t round = 0; round < APPENDS; round++)
            total += 1 + (i + round) % 3;
    arena_init(&arena, SIZE_MAX);
    while (sequence < total) {
        struct arena_mark mark = arena_mark(&arena);
        struct wal_entry *entries;
        struct steme_error err;
        size_t count;
        while (!wal_wait(wal, sequence + 1, wal_turn(wal), UINT64_MAX))
            continue;
        if (wal_scan(wal, &at, 100, &arena, &entries, &count, NULL, &err) || count == 0) abort();
        for (size_t i = 0; i < count; i++)
            if (entries[i].sequence != ++sequence) abort();
        arena_rewind(&arena, mark);
    }
    arena_deinit(&arena);
    return NULL;
}

static void sixteen_threads_append_and_one_reads_behind_them(void **state)
{
    (void)state;
    for (int committer = 0; committer < 2; committer++) {
        char *dir = testing_make_temporary();
        struct worker *workers = calloc(THREADS, sizeof *workers);
        struct wal_options options = {
            .host = host_posix(), .dir = dir, .segment_bytes = 65536, .committer = committer
        };
        struct wal *wal;
        struct steme_error err;
        pthread_t reader;
        assert_non_null(workers);
        assert_status(wal_create(&options, &err), STEME_OK, &err, "create");
        assert_status(wal_open(&options, &wal, NULL, &err), STEME_OK, &err, "open");
        assert_int_equal(pthread_create(&reader, NULL, tail, wal), 0);
        for (size_t i = 0; i < THREADS; i++) {
            workers[i].wal = wal;
            workers[i].index = i;
            assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
        }
        for (size_t i = 0; i < THREADS; i++)
            assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
        assert_int_equal(pthread_join(reader, NULL), 0);
        struct wal_totals totals;
        assert_status(wal_verify(wal, NULL, NULL, &totals, &err), STEME_OK, &err, "verify");
        assert_int_equal(totals.findings, 0);
        assert_int_equal(totals.frames, wal_durable(wal).next_sequence - 1);
        wal_close(&wal);
        assert_status(wal_open(&options, &wal, NULL, &err), STEME_OK, &err, "open again");
        for (size_t i = 0; i < THREADS; i++) {
            uint8_t memory[192];
            struct wal_entry entry;
            assert_status(wal_read(wal, workers[i].places[7][0].location, &entry, &err), STEME_OK, &err, "read");
            assert_true(slice_equal(entry.bytes, make_record(memory, i, 7, 0, false).bytes));
            assert_int_equal(entry.sequence, workers[i].places[7][0].sequence);
        }
        wal_close(&wal);
        free(workers);
        testing_remove_temporary(dir);
    }
}

static void *wait_for_ever(void *context)
{
    struct wal *wal = context;
    return wal_wait(wal, 1000, wal_turn(wal), UINT64_MAX) ? context : NULL;
}

static void waiting_ends_when_woken_or_in_time(void **state)
{
    (void)state;
    struct host *mem = wal_world_start(&world, "wait");
    pthread_t thread;
    void *result = mem;
    wal_world_add(&world, 5, false, "wait");
    assert_true(wal_wait(world.wal, 5, wal_turn(world.wal), 0));
    assert_true(wal_wait(world.wal, 0, wal_turn(world.wal), 0));
    assert_false(wal_wait(world.wal, 6, wal_turn(world.wal), 1000));
    uint32_t turn = wal_turn(world.wal);
    wal_wake(world.wal);
    assert_false(wal_wait(world.wal, 6, turn, UINT64_MAX)); /* woken before it slept */
    assert_int_equal(pthread_create(&thread, NULL, wait_for_ever, world.wal), 0);
    struct timespec pause = { .tv_nsec = 10000000 };
    for (int i = 0; i < 3; i++) { /* one that comes before it has read the turn is none of its business */
        nanosleep(&pause, NULL);
        wal_wake(world.wal);
    }
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_null(result);
    wal_world_end(&world, mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_appended_reads_back),
        cmocka_unit_test(creating_twice_is_refused),
        cmocka_unit_test(opening_nothing_finds_nothing),
        cmocka_unit_test(creating_reports_every_failure),
        cmocka_unit_test(receive_times_never_go_back),
        cmocka_unit_test(reading_from_where_nothing_begins_finds_nothing),
        cmocka_unit_test(many_are_read_at_once_each_with_its_own_status),
        cmocka_unit_test(a_mark_at_the_start_of_a_segment_is_known_by_what_follows),
        cmocka_unit_test(a_segment_mapped_while_it_was_short_is_read_when_it_is_full),
        cmocka_unit_test(read_only_reads_and_does_not_append),
        cmocka_unit_test(a_mark_is_known_only_if_all_of_it_is_right),
        cmocka_unit_test(scanning_from_a_foreign_mark_is_a_mismatch),
        cmocka_unit_test(scanning_in_too_small_an_arena_moves_nothing),
        cmocka_unit_test(a_segment_that_cannot_be_read_is_an_error_and_not_an_absence),
        cmocka_unit_test(what_can_never_fit_is_refused),
        cmocka_unit_test(segments_are_as_large_as_the_log_was_made_with),
        cmocka_unit_test(a_segment_is_filled_to_its_last_byte_and_no_further),
        cmocka_unit_test(what_was_written_and_not_synced_is_not_there),
        cmocka_unit_test(a_sealed_log_is_closed_as_it_is),
        cmocka_unit_test(sixteen_threads_append_and_one_reads_behind_them),
        cmocka_unit_test(waiting_ends_when_woken_or_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
