/* SPDX-License-Identifier: Apache-2.0 */
/* The rule of docs/format/recovery.md, case by case. Every call position and every byte is left to tests/crash. */
#include "base/codec.h"
#include "base/hash.h"
#include "base/slice.h"
#include "host/host_mem.h"
#include "lib/wal_world.h"
#include "spine/quarantine.h"
#include "spine/segment.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct wal_world world;

static uint64_t offset_of(uint64_t location) { return location & 0xffffffffu; }

static uint32_t segment_of(uint64_t location) { return (uint32_t)(location >> 32); }

static void reopen(const char *name)
{
    struct steme_error err;
    wal_world_close(&world);
    assert_status(wal_world_open(&world, &err), STEME_OK, &err, name);
}

/* A closed log of `groups` appends of ten. The last group's records are the last ten. */
static struct host *make_log(size_t groups, const char *name)
{
    struct steme_error err;
    struct host *mem = host_mem_new(1);
    assert_non_null(mem);
    wal_world_create(&world, mem, name);
    reopen(name);
    for (size_t i = 0; i < groups; i++)
        assert_status(wal_world_append(&world, 10, i % 2, &err), STEME_OK, &err, name);
    return mem;
}

static struct host_file *open_segment(uint32_t segment, unsigned flags, const char *name)
{
    char path[80];
    struct steme_error err;
    struct host_file *file;
    snprintf(path, sizeof path, WAL_WORLD_DIR "/wal/%016x.seg", segment);
    assert_status(host_open(world.host, path, flags, &file, &err), STEME_OK, &err, name);
    return file;
}

static void write_segment(uint32_t segment, uint64_t offset, const void *data, size_t size, const char *name)
{
    struct steme_error err;
    struct steme_slice piece = slice_of(data, size);
    struct host_file *file = open_segment(segment, HOST_WRITE | HOST_CREATE, name);
    if (size) assert_status(host_write_at(file, offset, &piece, 1, &err), STEME_OK, &err, name);
    host_close(&file);
}

static void set_size(uint32_t segment, uint64_t size, const char *name)
{
    struct steme_error err;
    struct host_file *file = open_segment(segment, HOST_WRITE, name);
    assert_status(host_truncate(file, size, &err), STEME_OK, &err, name);
    host_close(&file);
}

/* Where the last group's batch begins, and where the log ends. */
static uint64_t last_batch(void) { return offset_of(world.location_of[world.used - 10]) - 128; }

/* ---- the clean end ---- */

static void a_mark_spares_reading_what_it_covers(void **state)
{
    (void)state;
    struct steme_error err;
    struct host *mem = make_log(3, "few");
    uint64_t few = 0, many = 0;
    for (int round = 0; round < 2; round++) {
        struct wal_mark mark = wal_durable(world.wal);
        reopen("without");
        assert_true(world.report.scanned_bytes >= offset_of(mark.location)); /* its last segment */
        world.options.hint = &mark;
        uint64_t writes = host_mem_calls(mem, HOST_MEM_WRITE) + host_mem_calls(mem, HOST_MEM_SYNC) +
                          host_mem_calls(mem, HOST_MEM_TRUNCATE);
        reopen("with");
        assert_int_equal(host_mem_calls(mem, HOST_MEM_WRITE) + host_mem_calls(mem, HOST_MEM_SYNC) +
                             host_mem_calls(mem, HOST_MEM_TRUNCATE),
                         writes);
        *(round ? &many : &few) = world.report.scanned_bytes;
        wal_world_check(&world, "with");
        world.options.hint = NULL;
        for (size_t i = 0; i < 60 && !round; i++)
            assert_status(wal_world_append(&world, 10, true, &err), STEME_OK, &err, "more");
    }
    uint32_t segments = segment_of(wal_durable(world.wal).location);
    assert_true(segments > 5);
    assert_true(many <= few + segments * 4096 + 65536); /* headers, and a look back for the last batch */
    wal_world_close(&world);
    host_mem_free(mem);
}

static void a_mark_that_is_not_the_logs_is_ignored(void **state)
{
    (void)state;
    struct host *mem = make_log(30, "marks");
    struct wal_mark end = wal_durable(world.wal);
    static const struct {
        const char *name;
        uint64_t sequence;
        int64_t location;
        uint8_t hash;
    } rows[] = {
        { "another hash", 0, 0, 1 },      { "another number", 1, 0, 0 },       { "not where a batch ends", 0, -64, 0 },
        { "not even a block", 0, -1, 0 }, { "in the header", 0, -1000000, 0 },
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct wal_mark mark = end;
        mark.next_sequence += rows[i].sequence;
        mark.location = rows[i].location == -1000000 ? (mark.location & ~(uint64_t)0xffffffff) | 64
                                                     : mark.location + (uint64_t)rows[i].location;
        mark.batch.bytes[5] ^= rows[i].hash;
        world.options.hint = &mark;
        reopen(rows[i].name);
        assert_row(!world.report.degraded && wal_durable(world.wal).location == end.location, rows[i].name);
        assert_row(!wal_knows(world.wal, &mark), rows[i].name);
        wal_world_check(&world, rows[i].name);
        world.options.hint = NULL;
    }
    struct wal_mark absurd = { .next_sequence = UINT64_MAX, .location = UINT64_MAX };
    world.options.hint = &absurd;
    reopen("absurd");
    assert_false(world.report.degraded);
    wal_world_check(&world, "absurd");
    wal_world_close(&world);
    host_mem_free(mem);
}

static void a_mark_in_an_older_segment_spares_nothing_and_harms_nothing(void **state)
{
    (void)state;
    struct steme_error err;
    struct host *mem = make_log(3, "older");
    struct wal_mark mark = wal_durable(world.wal);
    for (size_t i = 0; i < 30; i++)
        assert_status(wal_world_append(&world, 10, true, &err), STEME_OK, &err, "older");
    assert_true(segment_of(wal_durable(world.wal).location) > 1);
    world.options.hint = &mark;
    reopen("older");
    assert_true(wal_knows(world.wal, &mark));
    wal_world_check(&world, "older");
    wal_world_close(&world);
    host_mem_free(mem);
}

/* A mark behind a batch larger than the first look back. */
static void a_mark_behind_a_large_batch_is_found(void **state)
{
    (void)state;
    static uint8_t memory[300000];
    struct steme_error err;
    struct host *mem = host_mem_new(1);
    struct wal_place place;
    wal_world_create(&world, mem, "large");
    world.options.segment_bytes = 1 << 20;
    reopen("large");
    struct wal_record record = { slice_of(memory, 299968), hash_one(slice_of(memory, 299968)), NULL };
    for (int i = 0; i < 3; i++)
        assert_status(wal_append(world.wal, &record, 1, &place, &err), STEME_OK, &err, "segment 1 is small");
    for (int i = 0; i < 2; i++)
        assert_status(wal_append(world.wal, &record, 1, &place, &err), STEME_OK, &err, "large");
    struct wal_mark mark = wal_durable(world.wal);
    world.options.hint = &mark;
    reopen("large");
    assert_true(wal_knows(world.wal, &mark));
    uint64_t size = offset_of(mark.location);
    assert_true(size > 600000 && world.report.scanned_bytes < size + 200000);
    wal_world_close(&world);
    host_mem_free(mem);
}

/* ---- torn tails ---- */

static void a_tail_is_judged_by_what_vouches_for_it(void **state)
{
    (void)state;
    /* What is bad: `b` a frame of the last batch, `h` its header, `j` junk behind it, `J` junk far behind it, `f` a
     * frame of the batch before it, `g` the header of that one. The mark: `-` none, `0` at the start of the last batch,
     * `1` at its end. What lies below a mark that the log knows is not read when opening: it is told later. */
    static const struct {
        const char *name;
        const char *bad;
        char mark;
        uint64_t found, missing;
        bool degraded, torn, later;
    } rows[] = {
        { "nothing bad", "", '-', 30, 0, false, false, false },
        { "junk behind", "j", '-', 30, 0, false, true, false },
        { "junk far behind", "J", '-', 30, 0, false, true, false },
        { "a bad frame in the last batch", "b", '-', 20, 0, false, true, false },
        { "a bad header of the last batch", "h", '-', 20, 0, false, true, false },
        { "a bad frame and junk", "bj", '-', 20, 0, false, true, false },
        { "a bad frame and a mark before it", "b", '0', 20, 0, false, true, false },
        { "a bad header and a mark before it", "h", '0', 20, 0, false, true, false },
        { "a bad frame below the mark", "b", '1', 29, 0, false, false, true },
        { "a bad header below the mark", "h", '1', 20, 10, true, false, true },
        { "a bad frame below the mark, junk behind", "bj", '1', 29, 0, false, true, true },
        { "junk behind the mark", "j", '1', 30, 0, false, true, false },
        { "a bad frame below a good batch", "f", '-', 29, 1, true, false, true },
        { "a bad header below a good batch", "g", '-', 20, 10, true, false, true },
        { "a bad frame below a bad one", "fb", '-', 19, 1, true, true, true },
        { "a bad header below a bad one", "gh", '-', 10, 0, false, true, false },
        { "bad below good, junk behind", "gj", '-', 20, 10, true, true, true },
    };
    for (size_t i = 0; i < countof(rows); i++) {
        const char *name = rows[i].name;
        struct host *mem = make_log(2, name);
        struct steme_error err;
        struct wal_mark marks[2];
        marks[0] = wal_durable(world.wal);
        assert_status(wal_world_append(&world, 10, true, &err), STEME_OK, &err, name);
        marks[1] = wal_durable(world.wal);
        wal_world_close(&world);
        set_size(1, 65536, name);
        uint64_t end = offset_of(marks[1].location);
        for (const char *bad = rows[i].bad; *bad; bad++) {
            if (*bad == 'b') wal_world_flip(&world, 1, offset_of(world.location_of[24]) + 70);
            if (*bad == 'h') wal_world_flip(&world, 1, last_batch() + 9);
            if (*bad == 'f') wal_world_flip(&world, 1, offset_of(world.location_of[14]) + 70);
            if (*bad == 'g') wal_world_flip(&world, 1, offset_of(world.location_of[10]) - 50);
            if (*bad == 'j') write_segment(1, end, "junk", 4, name);
            if (*bad == 'J') write_segment(1, end + 10000, "junk", 4, name);
        }
        if (*rows[i].bad) wal_world_hurt(&world, 10, 29);
        if (rows[i].mark != '-') world.options.hint = &marks[rows[i].mark - '0'];

        /* Reading only comes to the same judgement and touches nothing. */
        struct steme_hash before = wal_world_digest(&world, true);
        world.options.read_only = true;
        reopen(name);
        struct wal_report judged = world.report;
        wal_world_check(&world, name);
        assert_row(world.found == rows[i].found, name);
        wal_world_close(&world);
        struct steme_hash after = wal_world_digest(&world, true);
        assert_memory_equal(&before, &after, sizeof before);

        world.options.read_only = false;
        reopen(name);
        assert_row(world.report.degraded == rows[i].degraded && judged.degraded == rows[i].degraded, name);
        assert_row(world.report.missing_sequences == rows[i].missing && judged.missing_sequences == rows[i].missing,
                   name);
        assert_row((world.report.torn_tail_bytes > 0) == rows[i].torn &&
                       judged.torn_tail_bytes == world.report.torn_tail_bytes,
                   name);
        assert_row(world.report.damaged_bytes == judged.damaged_bytes && judged.quarantine_files == 0, name);
        assert_row(world.report.quarantine_files == (uint64_t)(rows[i].torn + rows[i].degraded), name);
        wal_world_check(&world, name);
        assert_row(world.found == rows[i].found, name);
        assert_status(wal_world_append(&world, 10, true, &err), STEME_OK, &err, name);
        world.options.hint = NULL;
        reopen(name);
        assert_row(world.report.degraded == rows[i].later && world.report.torn_tail_bytes == 0, name);
        wal_world_check(&world, name);
        assert_row(world.found == rows[i].found + 10, name);
        wal_world_account(&world, name);
        wal_world_close(&world);
        host_mem_free(mem);
    }
}

static void bytes_of_an_earlier_batch_in_the_same_place_are_not_taken_for_one(void **state)
{
    (void)state;
    /* A tail is cut; a shorter batch is written there; then what stood behind it before comes back. */
    struct steme_error err;
    struct host *mem = make_log(2, "stale");
    static uint8_t old[65536];
    size_t got;
    struct host_file *file = open_segment(1, HOST_READ, "stale");
    assert_status(host_read_at(file, 0, old, sizeof old, &got, &err), STEME_OK, &err, "stale");
    host_close(&file);
    uint64_t start = last_batch();
    wal_world_close(&world);
    wal_world_hurt(&world, 10, 19);
    wal_world_flip(&world, 1, start + 5);
    reopen("stale");
    assert_status(wal_world_append(&world, 1, false, &err), STEME_OK, &err, "stale");
    uint64_t end = offset_of(wal_durable(world.wal).location);
    wal_world_close(&world);
    write_segment(1, end, old + end, got - end, "stale");
    reopen("stale");
    wal_world_check(&world, "stale");
    assert_int_equal(world.found, 11);
    assert_true(world.report.torn_tail_bytes > 0 && !world.report.degraded);
    wal_world_close(&world);
    host_mem_free(mem);
}

/* ---- the last segment ---- */

/* The clock was set back between the power cut and the repair. */
static void a_segment_made_again_is_no_older_than_the_records_before_it(void **state)
{
    (void)state;
    struct host *mem = make_log(5, "older");
    struct steme_error err;
    struct wal_entry last;
    struct segment_header header;
    uint8_t bytes[SEGMENT_HEADER_BYTES];
    size_t got = 0;
    assert_status(wal_read(world.wal, world.location_of[world.used - 1], &last, &err), STEME_OK, &err, "older");
    uint32_t next = segment_of(wal_durable(world.wal).location) + 1;
    wal_world_close(&world);
    write_segment(next, 0, NULL, 0, "older");
    host_mem_set_wall_us(mem, last.received_at_us - INT64_C(3600000000));
    reopen("older");
    wal_world_close(&world);
    struct host_file *file = open_segment(next, HOST_READ, "older");
    assert_status(host_read_at(file, 0, bytes, sizeof bytes, &got, &err), STEME_OK, &err, "older");
    host_close(&file);
    assert_int_equal(segment_header_read(slice_of(bytes, got), &header), STEME_OK);
    assert_true(header.created_at_us >= last.received_at_us);
    host_mem_free(mem);
}

/* What is left of it is more than nothing. */
static void a_log_that_lost_its_first_segment_is_not_made_anew(void **state)
{
    (void)state;
    static const char first[] = WAL_WORLD_DIR "/wal/0000000000000001.seg";
    struct host *mem = make_log(5, "first");
    struct steme_error err;
    struct host_stat stat;
    while (segment_of(wal_durable(world.wal).location) == 1)
        assert_status(wal_world_append(&world, 10, true, &err), STEME_OK, &err, "first");
    wal_world_close(&world);
    assert_status(host_remove(mem, first, &err), STEME_OK, &err, "first");
    assert_status(wal_create(&world.options, &err), STEME_EXISTS, &err, "first");
    assert_int_equal(host_stat(mem, first, &stat, NULL), STEME_NOT_FOUND);
    host_mem_free(mem);
}

static void a_segment_that_was_being_made_is_made(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint64_t size, junk_at;
        bool read_only;
    } rows[] = {
        { "empty", 0, UINT64_MAX, false },
        { "nothing but zeros", 65536, UINT64_MAX, false },
        { "half a header", 65536, 100, false },
        { "short and torn", 200, 100, false },
        { "junk where batches go", 65536, 9000, false },
        { "empty, read only", 0, UINT64_MAX, true },
        { "half a header, read only", 65536, 100, true },
    };
    for (size_t i = 0; i < countof(rows); i++) {
        const char *name = rows[i].name;
        struct host *mem = make_log(5, name);
        struct wal_mark end = wal_durable(world.wal);
        struct steme_error err;
        uint32_t next = segment_of(end.location) + 1;
        wal_world_close(&world);
        write_segment(next, 0, NULL, 0, name);
        set_size(next, rows[i].size, name);
        if (rows[i].junk_at != UINT64_MAX) write_segment(next, rows[i].junk_at, "STEMELOG", 8, name);
        world.options.read_only = rows[i].read_only;
        reopen(name);
        assert_row(!world.report.degraded && (world.report.torn_tail_bytes > 0) == (rows[i].junk_at != UINT64_MAX),
                   name);
        struct wal_mark now = wal_durable(world.wal);
        assert_row(now.location == ((uint64_t)next << 32 | 4096) && now.next_sequence == end.next_sequence, name);
        assert_memory_equal(&now.batch, &end.batch, sizeof now.batch);
        assert_row(wal_knows(world.wal, &end) && wal_knows(world.wal, &now), name);
        wal_world_check(&world, name);
        wal_world_account(&world, name);
        if (!rows[i].read_only) {
            assert_status(wal_world_append(&world, 10, true, &err), STEME_OK, &err, name);
            assert_row(segment_of(world.location_of[world.used - 1]) == next, name);
            reopen(name);
            assert_row(!world.report.degraded, name);
            wal_world_check(&world, name);
        }
        wal_world_close(&world);
        host_mem_free(mem);
    }
}

static void a_damaged_header_of_the_last_segment_costs_no_batch(void **state)
{
    (void)state;
    for (size_t groups = 1; groups < 40; groups += 12) {
        struct steme_error err;
        struct host *mem = make_log(groups, "header");
        uint32_t last = segment_of(wal_durable(world.wal).location);
        wal_world_close(&world);
        wal_world_flip(&world, last, 60);
        for (int round = 0; round < 3; round++) {
            reopen("header");
            assert_true(world.report.degraded && world.report.torn_tail_bytes == 0 &&
                        world.report.missing_sequences == 0);
            assert_int_equal(world.report.quarantine_files, 1);
            wal_world_check(&world, "header");
            assert_true(wal_knows(world.wal, &(struct wal_mark){ 1, (uint64_t)1 << 32 | 4096, { { 0 } } }));
            assert_status(wal_world_append(&world, 3, true, &err), STEME_OK, &err, "header");
        }
        wal_world_check(&world, "header");
        assert_int_equal(world.found, world.used);
        assert_int_equal(wal_world_account(&world, "header").findings, 1);
        wal_world_close(&world);
        host_mem_free(mem);
    }
}

/* Its header and its only batch are bad: by itself it would pass for one that was never finished. The mark knows
 * better. */
static void a_ruined_last_segment_is_not_forgotten_if_the_mark_was_in_it(void **state)
{
    (void)state;
    for (int cut = 0; cut < 2; cut++)
        for (int with_mark = 0; with_mark < 2; with_mark++) {
            struct steme_error err;
            struct host *mem = make_log(1, "ruined");
            uint32_t next = 0;
            while (segment_of(wal_durable(world.wal).location) < 2)
                assert_status(wal_world_append(&world, 10, false, &err), STEME_OK, &err, "ruined");
            struct wal_mark mark = wal_durable(world.wal);
            next = segment_of(mark.location) + 1;
            wal_world_close(&world);
            wal_world_flip(&world, 2, 60);
            wal_world_flip(&world, 2, 4096 + 60);
            if (cut) set_size(2, 100, "ruined");
            wal_world_hurt(&world, world.used - 10, world.used - 1);
            world.options.hint = with_mark ? &mark : NULL;
            for (int round = 0; round < 3; round++) {
                reopen("ruined");
                assert_int_equal(world.report.degraded, with_mark);
                assert_int_equal(world.report.missing_sequences, with_mark ? 10 : 0);
                assert_int_equal(world.report.torn_tail_bytes > 0, !with_mark && round == 0);
                wal_world_check(&world, "ruined");
                if (round == 1) {
                    assert_status(wal_world_append(&world, 10, true, &err), STEME_OK, &err, "ruined");
                    /* not in one that may not last */
                    assert_int_equal(segment_of(world.location_of[world.used - 1]), next);
                }
                world.options.hint = NULL;
            }
            wal_world_close(&world);
            host_mem_free(mem);
        }
}

/* ---- older segments ---- */

static void a_missing_segment_beside_a_damaged_header_is_told(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint32_t missing, damaged;
    } rows[] = {
        { "the one behind it", 3, 4 },
        { "the one before it", 3, 2 },
        { "the first, and the second's header", 1, 2 },
    };
    for (size_t i = 0; i < countof(rows); i++) {
        char path[80];
        struct steme_error err;
        struct host *mem = make_log(50, rows[i].name);
        wal_world_close(&world);
        for (size_t k = 0; k < world.used; k++)
            if (segment_of(world.location_of[k]) == rows[i].missing) wal_world_hurt(&world, k, k);
        snprintf(path, sizeof path, WAL_WORLD_DIR "/wal/%016x.seg", rows[i].missing);
        assert_status(host_remove(mem, path, &err), STEME_OK, &err, rows[i].name);
        wal_world_flip(&world, rows[i].damaged, 100);
        reopen(rows[i].name);
        assert_row(world.report.degraded, rows[i].name);
        wal_world_check(&world, rows[i].name);
        wal_world_account(&world, rows[i].name);
        assert_row(world.found + world.skipped == world.used, rows[i].name);
        wal_world_close(&world);
        host_mem_free(mem);
    }
}

/* The second was being made when the power failed, and the first is gone: when the second has been made it follows
 * nothing, and nothing about it shows that there was one before it. */
static void a_missing_segment_is_not_forgotten_when_the_one_behind_it_is_made(void **state)
{
    (void)state;
    struct steme_error err;
    struct host *mem = make_log(3, "gone");
    wal_world_close(&world);
    wal_world_hurt(&world, 0, world.used - 1);
    assert_status(host_remove(mem, WAL_WORLD_DIR "/wal/0000000000000001.seg", &err), STEME_OK, &err, "gone");
    write_segment(2, 0, NULL, 0, "gone");
    for (int round = 0; round < 3; round++) {
        reopen("gone");
        assert_true(world.report.degraded);
        wal_world_check(&world, "gone");
        wal_world_close(&world);
    }
    host_mem_free(mem);
}

/* Its only batch is cut as torn: the header must be good then, or the next opening finds something to repair again. */
static void a_damaged_header_and_a_torn_first_batch_are_settled_at_once(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint64_t offset;
    } rows[] = {
        { "its fields", 100 },
        { "its zeros", 1030 },
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct host *mem = make_log(1, rows[i].name);
        wal_world_close(&world);
        wal_world_hurt(&world, 0, world.used - 1);
        wal_world_flip(&world, 1, rows[i].offset);
        wal_world_flip(&world, 1, last_batch() + 300);
        reopen(rows[i].name);
        assert_row(world.report.degraded && world.report.torn_tail_bytes > 0, rows[i].name);
        wal_world_check(&world, rows[i].name);
        wal_world_close(&world);
        struct steme_hash before = wal_world_digest(&world, true);
        reopen(rows[i].name);
        assert_row(world.report.degraded && world.report.torn_tail_bytes == 0, rows[i].name);
        wal_world_check(&world, rows[i].name);
        assert_row(wal_world_account(&world, rows[i].name).damaged_bytes == 0, rows[i].name);
        wal_world_close(&world);
        struct steme_hash after = wal_world_digest(&world, true);
        assert_row(memcmp(&before, &after, sizeof before) == 0, rows[i].name);
        host_mem_free(mem);
    }
}

/* As above, and the segment before it is gone: made anew, it has to begin behind the numbers that went with that. */
static void a_torn_only_batch_does_not_hide_what_is_missing_before_it(void **state)
{
    (void)state;
    struct steme_error err;
    struct host *mem = make_log(1, "gone before");
    while (segment_of(wal_durable(world.wal).location) == 1)
        assert_status(wal_world_append(&world, 10, true, &err), STEME_OK, &err, "gone before");
    wal_world_close(&world);
    wal_world_hurt(&world, 0, world.used - 1);
    uint64_t missing = world.used - 10;
    assert_status(host_remove(mem, WAL_WORLD_DIR "/wal/0000000000000001.seg", &err), STEME_OK, &err, "gone before");
    wal_world_flip(&world, 2, 100);
    wal_world_flip(&world, 2, last_batch() + 300);
    for (int round = 0; round < 3; round++) {
        reopen("gone before");
        assert_int_equal(world.report.missing_sequences, missing);
        assert_int_equal(wal_durable(world.wal).next_sequence, missing + 1);
        wal_world_check(&world, "gone before");
        wal_world_close(&world);
    }
    host_mem_free(mem);
}

static void a_segment_made_and_never_written_to_is_not_missed(void **state)
{
    (void)state;
    struct steme_error err;
    struct segment_header header = { 0 };
    uint8_t bytes[SEGMENT_HEADER_BYTES];
    struct host *mem = make_log(5, "unused");
    struct wal_mark end = wal_durable(world.wal);
    wal_world_close(&world);
    header = (struct segment_header){ .number = 2,
                                      .first_sequence = end.next_sequence,
                                      .created_at_us = host_wall_us(mem),
                                      .segment_bytes = 65536,
                                      .store_id = world.options.store_id,
                                      .prev = end.batch };
    segment_header_write(&header, bytes);
    write_segment(2, 0, bytes, sizeof bytes, "unused");
    reopen("unused");
    assert_false(world.report.degraded);
    assert_status(wal_world_append(&world, 10, true, &err), STEME_OK, &err, "unused");
    assert_int_equal(segment_of(world.location_of[world.used - 1]), 3); /* who knows whether segment 2 lasts */
    wal_world_check(&world, "unused");
    assert_int_equal(wal_world_account(&world, "unused").findings, 0);
    wal_world_close(&world);
    assert_status(host_remove(mem, WAL_WORLD_DIR "/wal/0000000000000002.seg", &err), STEME_OK, &err, "unused");
    reopen("unused");
    assert_false(world.report.degraded);
    wal_world_check(&world, "unused");
    assert_int_equal(wal_world_account(&world, "unused").findings, 0);
    wal_world_close(&world);
    host_mem_free(mem);
}

/* ---- what can't be set aside ---- */

static void without_a_quarantine_the_log_opens_for_reading_only(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int os_errno;
        steme_status want;
    } rows[] = {
        { "full", ENOSPC, STEME_NO_SPACE },
        { "failing", EIO, STEME_IO },
        { "read-only", EROFS, STEME_READ_ONLY },
    };
    for (size_t i = 0; i < countof(rows); i++) {
        for (int torn = 0; torn < 2; torn++) {
            struct steme_error err;
            struct host *mem = make_log(3, rows[i].name);
            wal_world_close(&world);
            if (torn)
                wal_world_hurt(&world, 20, 29);
            else
                wal_world_hurt(&world, 14, 14);
            wal_world_flip(&world, 1, torn ? last_batch() + 9 : offset_of(world.location_of[14]) + 70);
            struct steme_hash before = wal_world_digest(&world, true);
            /* behind the segment's header, its batches, and the second look at them */
            host_mem_fail(mem, HOST_MEM_OPEN, 4, rows[i].os_errno, false);
            host_mem_fail(mem, HOST_MEM_WRITE, 1, rows[i].os_errno, true);
            assert_status(wal_world_open(&world, &err), rows[i].want, &err, rows[i].name);
            struct steme_hash after = wal_world_digest(&world, true);
            assert_memory_equal(&before, &after, sizeof before);
            world.options.read_only = true;
            reopen(rows[i].name);
            assert_row(world.report.degraded == !torn && (world.report.torn_tail_bytes > 0) == torn, rows[i].name);
            wal_world_check(&world, rows[i].name);
            assert_row(world.found == (torn ? 20 : 29), rows[i].name);
            wal_world_account(&world, rows[i].name);
            wal_world_close(&world);
            world.options.read_only = false;
            host_mem_fail(mem, HOST_MEM_ANY, 0, 0, false);
            reopen(rows[i].name);
            wal_world_check(&world, rows[i].name);
            wal_world_close(&world);
            host_mem_free(mem);
        }
    }
}

/* ---- reading beside a writer ---- */

static struct {
    const struct host_ops *real;
    struct host_ops patched;
    uint64_t hole_from, hole_to; /* what the first long read does not see yet */
    unsigned long_reads;
} stale;

static steme_status read_stale(struct host_file *file, uint64_t offset, void *to, size_t size, size_t *got_out,
                               struct steme_error *err)
{
    steme_status status = stale.real->read_at(file, offset, to, size, got_out, err);
    if (status || size <= 4096 || stale.long_reads++ > 0) return status;
    for (uint64_t at = stale.hole_from; at < stale.hole_to; at++)
        if (at >= offset && at - offset < *got_out) ((uint8_t *)to)[at - offset] = 0;
    return status;
}

static void what_one_look_shows_half_written_is_looked_at_again(void **state)
{
    (void)state;
    for (int read_only = 0; read_only < 2; read_only++) {
        struct host *mem = make_log(3, "beside");
        struct wal *writer = world.wal;
        world.wal = NULL;
        stale.real = mem->ops;
        stale.patched = *mem->ops;
        stale.patched.read_at = read_stale;
        stale.hole_from = offset_of(world.location_of[12]);
        stale.hole_to = stale.hole_from + 512;
        stale.long_reads = 0;
        mem->ops = &stale.patched;
        world.options.read_only = read_only;
        if (!read_only) wal_close(&writer); /* a writer is alone: then it is the disk that shows this once */
        reopen("beside");
        assert_false(world.report.degraded);
        wal_world_check(&world, "beside");
        assert_int_equal(stale.long_reads, read_only ? 2 : 3); /* who will cut looks until two are alike */
        wal_world_close(&world);
        wal_close(&writer);
        mem->ops = stale.real;
        host_mem_free(mem);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mark_spares_reading_what_it_covers),
        cmocka_unit_test(a_mark_that_is_not_the_logs_is_ignored),
        cmocka_unit_test(a_mark_in_an_older_segment_spares_nothing_and_harms_nothing),
        cmocka_unit_test(a_mark_behind_a_large_batch_is_found),
        cmocka_unit_test(a_tail_is_judged_by_what_vouches_for_it),
        cmocka_unit_test(bytes_of_an_earlier_batch_in_the_same_place_are_not_taken_for_one),
        cmocka_unit_test(a_segment_made_again_is_no_older_than_the_records_before_it),
        cmocka_unit_test(a_log_that_lost_its_first_segment_is_not_made_anew),
        cmocka_unit_test(a_segment_that_was_being_made_is_made),
        cmocka_unit_test(a_damaged_header_of_the_last_segment_costs_no_batch),
        cmocka_unit_test(a_ruined_last_segment_is_not_forgotten_if_the_mark_was_in_it),
        cmocka_unit_test(a_missing_segment_beside_a_damaged_header_is_told),
        cmocka_unit_test(a_missing_segment_is_not_forgotten_when_the_one_behind_it_is_made),
        cmocka_unit_test(a_damaged_header_and_a_torn_first_batch_are_settled_at_once),
        cmocka_unit_test(a_torn_only_batch_does_not_hide_what_is_missing_before_it),
        cmocka_unit_test(a_segment_made_and_never_written_to_is_not_missed),
        cmocka_unit_test(without_a_quarantine_the_log_opens_for_reading_only),
        cmocka_unit_test(what_one_look_shows_half_written_is_looked_at_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
