/* SPDX-License-Identifier: Apache-2.0 */
/* What an open log does with bytes that are not as they were written. */
#include "base/check.h"
#include "base/hash.h"
#include "base/slice.h"
#include "host/host_mem.h"
#include "lib/wal_world.h"
#include "spine/batch.h"
#include "spine/segment.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct wal_world world;

static void count_findings(void *context, const struct wal_finding *finding)
{
    assert_non_null(finding->what);
    (*(size_t *)context)++;
}

static void what_is_damaged_while_open_is_not_read(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint64_t back, at;
    } rows[] = {
        { "the batch's header", 128, 32 },
        { "the prefix", 0, 30 },
        { "the signature", 0, 60 },
        { "the record", 0, 140 },
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct wal_entry entry;
        struct steme_error err;
        struct host *mem = wal_world_start(&world, rows[i].name);
        wal_world_add(&world, 1, false, rows[i].name);
        wal_world_add(&world, 1, false, rows[i].name);
        uint64_t offset = (world.location_of[0] & 0xffffffffu) - rows[i].back + rows[i].at;
        wal_world_flip(&world, 1, offset);
        assert_status(wal_read(world.wal, world.location_of[0], &entry, &err), STEME_CORRUPT, &err, rows[i].name);
        wal_world_hurt(&world, 0, 0);
        wal_world_check(&world, rows[i].name);
        assert_row(world.skipped == 1 && world.found == 1, rows[i].name);
        wal_world_close(&world);
        assert_status(wal_world_open(&world, &err), STEME_OK, &err, rows[i].name);
        assert_row(world.report.degraded && world.report.missing_sequences == 1, rows[i].name);
        assert_status(wal_read(world.wal, world.location_of[0], &entry, &err), STEME_NOT_FOUND, &err, rows[i].name);
        wal_world_end(&world, mem);
    }
}

static void no_flipped_byte_of_a_frame_or_its_header_lets_it_be_read(void **state)
{
    (void)state;
    struct host *mem = wal_world_start(&world, "flips");
    for (int i = 0; i < 3; i++)
        wal_world_add(&world, 2, true, "flips");
    for (size_t k = 2; k < 4; k++) {
        uint64_t frame = world.location_of[k] & 0xffffffffu;
        uint64_t header = (world.location_of[2] & 0xffffffffu) - 128;
        uint64_t size = (k == 2 ? 128 : 64) + wal_world_record(k, false).bytes.size;
        for (uint64_t at = 0; at < 128 + size; at++) {
            struct wal_entry entry;
            uint64_t offset = at < 128 ? header + at : frame + at - 128;
            wal_world_flip(&world, 1, offset);
            steme_status status = wal_read(world.wal, world.location_of[k], &entry, NULL);
            assert_true(status == STEME_CORRUPT || status == STEME_NOT_FOUND);
            wal_world_flip(&world, 1, offset);
        }
    }
    wal_world_check(&world, "flips");
    wal_world_end(&world, mem);
}

static void a_batch_header_that_does_not_fit_its_frame_hides_it(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint64_t at;
    } rows[] = { { "count", 4 }, { "bytes", 8 }, { "segment", 12 }, { "sequence", 24 } };
    for (size_t i = 0; i < countof(rows); i++) {
        struct wal_entry entry;
        struct steme_error err;
        struct host *mem = wal_world_start(&world, rows[i].name);
        wal_world_add(&world, 1, false, rows[i].name);
        wal_world_flip(&world, 1, 4096 + rows[i].at);
        steme_status status = wal_read(world.wal, world.location_of[0], &entry, &err);
        assert_row(status == STEME_NOT_FOUND || status == STEME_CORRUPT, rows[i].name);
        wal_world_end(&world, mem);
    }
}

static void verifying_tells_of_what_opening_set_aside(void **state)
{
    (void)state;
    struct steme_error err;
    struct wal_totals totals;
    size_t findings = 0;
    struct host *mem = wal_world_start(&world, "verify");
    for (size_t i = 0; i < 5; i++)
        wal_world_add(&world, 10, i % 2, "verify");
    wal_world_close(&world);
    wal_world_flip(&world, 1, (world.location_of[15] & 0xffffffffu) + 40);
    wal_world_hurt(&world, 15, 15);
    assert_status(wal_world_open(&world, &err), STEME_OK, &err, "verify");
    assert_status(wal_verify(world.wal, count_findings, &findings, &totals, &err), STEME_OK, &err, "verify");
    assert_int_equal(findings, 1);
    assert_int_equal(totals.findings, 1);
    assert_int_equal(totals.frames, 49);
    assert_int_equal(totals.batches, 5);
    assert_int_equal(totals.damaged_bytes, world.report.damaged_bytes);
    /* The copy rots as well. */
    struct arena arena;
    struct host_entry *entries;
    size_t count;
    arena_init(&arena, SIZE_MAX);
    assert_status(host_list(mem, WAL_WORLD_DIR "/quarantine", &arena, &entries, &count, &err), STEME_OK, &err,
                  "verify");
    assert_int_equal(count, 1);
    uint8_t byte = 0x99;
    assert_status(host_mem_poke(mem, host_join(&arena, WAL_WORLD_DIR "/quarantine", entries[0].name), 300,
                                slice_of(&byte, 1), &err),
                  STEME_OK, &err, "poke");
    assert_status(wal_verify(world.wal, count_findings, &findings, &totals, &err), STEME_OK, &err, "verify");
    assert_int_equal(totals.findings, 2);
    host_mem_fail(mem, HOST_MEM_READ, 1, EIO, false);
    assert_status(wal_verify(world.wal, NULL, NULL, &totals, &err), STEME_IO, &err, "verify");
    arena_deinit(&arena);
    wal_world_end(&world, mem);
}

/* An index that went on would hide it from all who begin to read at its mark. */
static void reading_ends_at_damage_that_cannot_be_put_on_record(void **state)
{
    (void)state;
    static const enum host_mem_call calls[] = { HOST_MEM_OPEN, HOST_MEM_WRITE, HOST_MEM_SYNC, HOST_MEM_RENAME,
                                                HOST_MEM_SYNC_DIR };
    for (size_t i = 0; i < countof(calls); i++) {
        struct steme_error err;
        struct wal_report report;
        struct wal_entry *entries;
        struct arena arena;
        size_t count = 0;
        uint64_t skipped = 0;
        struct host *mem = wal_world_start(&world, "unfiled");
        while (wal_durable(world.wal).location >> 32 == 1)
            wal_world_add(&world, 10, false, "unfiled");
        wal_world_close(&world);
        wal_world_flip(&world, 1, (world.location_of[15] & 0xffffffffu) + 40);
        assert_status(wal_world_open(&world, &err), STEME_OK, &err, "unfiled"); /* only the last segment is judged */
        struct wal_mark begin = wal_begin(world.wal), at = begin;
        arena_init(&arena, SIZE_MAX);
        assert_status(wal_read(world.wal, world.location_of[0], &(struct wal_entry){ 0 }, &err), STEME_OK, &err, "map");
        host_mem_fail(mem, calls[i], 1, ENOSPC, true);
        for (int look = 0; look < 2; look++) {
            steme_status status = wal_scan(world.wal, &at, 100, &arena, &entries, &count, &skipped, &err);
            assert_status(status, STEME_NO_SPACE, &err, "no room in quarantine");
            assert_memory_equal(&at, &begin, sizeof at);
            assert_status(wal_damage(world.wal, &report, &err), STEME_OK, &err, "damage");
            assert_true(report.degraded && report.unfiled);
            assert_int_equal(report.missing_sequences, 1);
        }
        host_mem_fail(mem, HOST_MEM_ANY, 0, 0, false);
        assert_status(wal_scan(world.wal, &at, 100, &arena, &entries, &count, &skipped, &err), STEME_OK, &err, "again");
        assert_int_equal(skipped, 1);
        assert_status(wal_damage(world.wal, &report, &err), STEME_OK, &err, "damage");
        assert_true(report.degraded && !report.unfiled);
        assert_int_equal(report.missing_sequences, 1);
        assert_int_equal(report.quarantine_files, 1);
        arena_deinit(&arena);
        wal_world_end(&world, mem);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_damaged_while_open_is_not_read),
        cmocka_unit_test(no_flipped_byte_of_a_frame_or_its_header_lets_it_be_read),
        cmocka_unit_test(a_batch_header_that_does_not_fit_its_frame_hides_it),
        cmocka_unit_test(verifying_tells_of_what_opening_set_aside),
        cmocka_unit_test(reading_ends_at_damage_that_cannot_be_put_on_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
