/* SPDX-License-Identifier: Apache-2.0 */
/* Frames and batches as bytes: written, read back, and refused when anything about them is wrong. */
#include "base/codec.h"
#include "base/hash.h"
#include "base/slice.h"
#include "lib/testing.h"
#include "spine/batch_scan.h"

#include <stdlib.h>
#include <string.h>

#define STORE 0x1122334455667788u
#define SEGMENT 3u
#define OFFSET 8192u

static const struct steme_signature signature = { { 0xaa, 0xbb } };

static struct wal_record record_of(uint8_t *memory, size_t size, uint8_t seed, bool is_signed)
{
    memset(memory, seed, size);
    return (struct wal_record){ slice_of(memory, size), hash_one(slice_of(memory, size)),
                                is_signed ? &signature : NULL };
}

static void a_frame_reads_back_as_it_was_written(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t size;
        bool is_signed;
    } rows[] = {
        { "the smallest member", 64, false },
        { "the smallest signed one", 64, true },
        { "a usual one", 320, true },
        { "the largest", STEME_RECORD_MAX, true },
        { "the largest member", STEME_RECORD_MAX, false },
    };
    uint8_t *memory = malloc(STEME_RECORD_MAX);
    uint8_t *bytes = malloc(STEME_RECORD_MAX + 128);
    assert_true(memory && bytes);
    for (size_t i = 0; i < countof(rows); i++) {
        struct wal_record record = record_of(memory, rows[i].size, 7, rows[i].is_signed);
        uint32_t size = frame_bytes_of(&record);
        struct frame frame;
        struct wal_entry entry;
        assert_row(size == rows[i].size + (rows[i].is_signed ? 128 : 64), rows[i].name);
        frame_write(bytes, &record, 640);
        frame_number(bytes, 99);
        assert_row(frame_parse(bytes, size, &frame) && !frame_valid(bytes, size, &frame), rows[i].name);
        struct steme_hash check = hash_one(slice_of(bytes, frame.prefix_bytes));
        frame_put_check(bytes, frame.prefix_bytes, &check);
        assert_row(frame_valid(bytes, size, &frame), rows[i].name);
        assert_row(frame_size(&frame) == size && frame.sequence == 99 && frame.batch_back == 640, rows[i].name);
        assert_row(slice_equal(frame_record(&frame), record.bytes) && frame_has_id(&frame, &record.id), rows[i].name);
        frame_entry(&frame, 5000, &entry);
        assert_row(entry.location == 5000 && entry.next_location == 5000 + size && entry.batch_location == 4360,
                   rows[i].name);
        assert_row((entry.signature != NULL) == rows[i].is_signed, rows[i].name);
        if (entry.signature) assert_memory_equal(entry.signature, &signature, sizeof signature);
        assert_memory_equal(&entry.id, &record.id, sizeof entry.id);
        assert_row(!frame_parse(bytes, size - 1, &frame) && !frame_parse(bytes, 0, &frame), rows[i].name);
    }
    free(memory);
    free(bytes);
}

static void every_flipped_bit_of_a_prefix_is_seen(void **state)
{
    (void)state;
    for (int is_signed = 0; is_signed < 2; is_signed++) {
        uint8_t memory[64], bytes[192];
        struct wal_record record = record_of(memory, sizeof memory, 1, is_signed);
        struct frame frame;
        frame_write(bytes, &record, 128);
        frame_number(bytes, 1);
        uint32_t prefix = is_signed ? 128 : 64;
        struct steme_hash check = hash_one(slice_of(bytes, prefix));
        frame_put_check(bytes, prefix, &check);
        for (uint32_t bit = 0; bit < 8 * prefix; bit++) {
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_false(frame_valid(bytes, sizeof bytes, &frame));
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        assert_true(frame_valid(bytes, sizeof bytes, &frame));
    }
}

static void lengths_beyond_every_bound_are_refused_unread(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint32_t record_bytes;
    } rows[] = {
        { "no record", 0 },        { "not whole blocks", 65 },     { "over the limit", STEME_RECORD_MAX + 64 },
        { "absurd", 0xffffffc0u }, { "more than there is", 1024 },
    };
    uint8_t memory[64], bytes[128];
    struct wal_record record = record_of(memory, sizeof memory, 1, false);
    for (size_t i = 0; i < countof(rows); i++) {
        struct frame frame;
        frame_write(bytes, &record, 128);
        store_u32(bytes + 4, rows[i].record_bytes);
        struct steme_hash check = hash_one(slice_of(bytes, 64));
        frame_put_check(bytes, 64, &check);
        assert_row(!frame_valid(bytes, sizeof bytes, &frame), rows[i].name);
    }
}

/* A batch of n frames, alternating in size and signature. Freed by the caller. */
static uint8_t *make_batch(uint32_t count, uint64_t first_sequence, const struct steme_hash *prev, struct batch *batch,
                           struct steme_hash *hash)
{
    static uint8_t scratch[STEME_BATCH_RECORDS_MAX * FRAME_SIGNED_PREFIX_BYTES];
    uint8_t memory[448];
    uint8_t *bytes = calloc(count + 1, 576);
    assert_non_null(bytes);
    uint32_t size = BATCH_HEADER_BYTES;
    for (uint32_t i = 0; i < count; i++) {
        struct wal_record record = record_of(memory, 64 + 64 * (i % 7), (uint8_t)i, i % 3 == 0);
        frame_write(bytes + size, &record, size);
        size += frame_bytes_of(&record);
    }
    *batch = (struct batch){ count, size, SEGMENT, OFFSET, first_sequence, 1234567, STORE, *prev, { { 0 } } };
    *hash = batch_seal(bytes, batch, scratch);
    return bytes;
}

static const struct steme_hash none;

static void a_batch_reads_back_as_it_was_sealed(void **state)
{
    (void)state;
    static const uint32_t counts[] = { 1, 2, 63, 64, 65, 128, 1000 };
    for (size_t i = 0; i < countof(counts); i++) {
        struct batch batch, read;
        struct steme_hash hash;
        uint8_t *bytes = make_batch(counts[i], 5, &none, &batch, &hash);
        struct batch_place place = { STORE, SEGMENT, OFFSET, batch.bytes };
        assert_true(batch_valid(bytes, &place, &read));
        assert_memory_equal(&read, &batch, sizeof read);
        struct steme_hash again = batch_hash(bytes);
        assert_memory_equal(&again, &hash, sizeof hash);
        assert_ptr_equal(batch_find_end(bytes, batch.bytes, &hash, &read), bytes);
        assert_memory_equal(&read, &batch, sizeof read);
        assert_null(batch_find_end(bytes, batch.bytes - 64, &hash, &read));
        assert_null(batch_find_end(bytes, batch.bytes, &none, &read));
        free(bytes);
    }
}

static void every_flipped_bit_of_a_header_is_seen(void **state)
{
    (void)state;
    struct batch batch;
    struct steme_hash hash;
    uint8_t *bytes = make_batch(2, 5, &none, &batch, &hash);
    struct batch_place place = { STORE, SEGMENT, OFFSET, batch.bytes };
    for (uint32_t bit = 0; bit < 8 * BATCH_HEADER_BYTES; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(batch_valid(bytes, &place, &batch));
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    free(bytes);
}

/* Put a good check to whatever the header says. */
static void check_anew(uint8_t *bytes)
{
    uint8_t copy[BATCH_HEADER_BYTES];
    struct steme_hash digest = hash_one(batch_unchecked(bytes, copy));
    memcpy(bytes + 120, digest.bytes, 8);
}

static void a_header_out_of_place_or_bounds_is_refused_though_its_check_is_good(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint32_t at;
        uint64_t value;
        unsigned width;
    } rows[] = {
        { "no frames", 4, 0, 4 },
        { "more frames than a batch may have", 4, STEME_BATCH_RECORDS_MAX + 1, 4 },
        { "more frames than its bytes can hold", 4, 5000, 4 },
        { "shorter than its frames", 8, 192, 4 },
        { "not whole blocks", 8, 1000, 4 },
        { "longer than what is there", 8, 0x10000, 4 },
        { "longer than a batch may be", 8, 0xffffffc0u, 4 },
        { "another segment", 12, SEGMENT + 1, 4 },
        { "another offset", 16, OFFSET + 64, 8 },
        { "no sequence number", 24, 0, 8 },
        { "a sequence number that would pass the last", 24, UINT64_MAX, 8 },
        { "another store", 40, STORE + 1, 8 },
        { "something where zeros belong", 112, 1, 8 },
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct batch batch;
        struct steme_hash hash;
        uint8_t *bytes = make_batch(3, 5, &none, &batch, &hash);
        struct batch_place place = { STORE, SEGMENT, OFFSET, batch.bytes };
        if (rows[i].width == 4)
            store_u32(bytes + rows[i].at, (uint32_t)rows[i].value);
        else
            store_u64(bytes + rows[i].at, rows[i].value);
        check_anew(bytes);
        assert_row(!batch_valid(bytes, &place, &batch), rows[i].name);
        free(bytes);
    }
}

/* ---- walking ---- */

static struct batch_scan scan_of(const uint8_t *bytes, uint64_t size)
{
    return (struct batch_scan){
        .bytes = bytes,
        .from = OFFSET,
        .to = OFFSET + size,
        .store = STORE,
        .segment = SEGMENT,
        .offset = OFFSET,
        .next_sequence = 5,
        .linked = true,
    };
}

static void an_exchanged_frame_condemns_its_batch(void **state)
{
    (void)state;
    struct batch batch;
    struct steme_hash hash;
    struct steme_error err;
    uint8_t *bytes = make_batch(4, 5, &none, &batch, &hash);
    uint8_t memory[64];
    struct wal_record other = record_of(memory, 64, 0xee, true); /* as long as the first one */
    frame_write(bytes + 128, &other, 128);
    frame_number(bytes + 128, 5);
    struct steme_hash check = hash_one(slice_of(bytes + 128, 128));
    frame_put_check(bytes + 128, 128, &check);
    struct batch_scan scan = scan_of(bytes, batch.bytes);
    struct batch_scan_item item;
    struct arena arena;
    arena_init(&arena, SIZE_MAX);
    assert_status(batch_scan_next(&scan, 100, &arena, &item, &err), STEME_OK, &err, "exchanged");
    assert_int_equal(item.kind, BATCH_SCAN_FOUND);
    assert_int_equal(item.batch_count, 1);
    assert_int_equal(item.entry_count, 0);
    assert_int_equal(item.gap_count, 1);
    assert_int_equal(item.gaps[0].count, 4);
    assert_int_equal(item.gaps[0].offset, OFFSET + 128);
    assert_int_equal(item.gaps[0].bytes, batch.bytes - 128);
    arena_deinit(&arena);
    free(bytes);
}

/* A header that is right by itself, for no frames at all, in front of what is none: nothing was read, so nothing that
 * was read is right. */
static void a_header_for_no_frames_does_not_vouch_for_what_is_no_frame(void **state)
{
    (void)state;
    struct batch batch;
    struct steme_hash hash;
    struct steme_error err;
    uint8_t copy[BATCH_HEADER_BYTES];
    uint8_t *bytes = make_batch(4, 5, &none, &batch, &hash);
    bytes[128] ^= 1; /* the first frame's magic */
    struct steme_hash nothing = hash_one(slice_of(NULL, 0));
    memcpy(bytes + 80, nothing.bytes, sizeof nothing);
    struct steme_hash check = hash_one(batch_unchecked(bytes, copy));
    memcpy(bytes + 120, check.bytes, 8);
    struct batch_scan scan = scan_of(bytes, batch.bytes);
    struct batch_scan_item item;
    struct arena arena;
    arena_init(&arena, SIZE_MAX);
    struct arena_mark mark = arena_mark(&arena);
    memset(arena_alloc(&arena, 65536), 0, 65536); /* not what an earlier test has left in this memory */
    arena_rewind(&arena, mark);
    assert_status(batch_scan_next(&scan, 100, &arena, &item, &err), STEME_OK, &err, "no frames");
    assert_int_equal(item.kind, BATCH_SCAN_FOUND);
    assert_int_equal(item.entry_count, 3); /* the others stand in a row that ends with the batch */
    assert_int_equal(item.gap_count, 1);
    arena_deinit(&arena);
    free(bytes);
}

/* A record that contains a whole frame, made by an author who hopes for damage just in front of it. */
static void a_frame_inside_a_damaged_record_is_not_taken_for_one(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint64_t sequence;
    } rows[] = {
        { "with the number of its host", 5 },
        { "with the next number", 6 },
        { "with the last number", 7 },
        { "with a later number", 8 },
    };
    for (size_t i = 0; i < countof(rows); i++) {
        static uint8_t scratch[3 * 128], bytes[4096], inner[64], outer[512];
        struct wal_record fake = record_of(inner, sizeof inner, 0x66, true);
        memset(outer, 1, sizeof outer);
        frame_write(outer + 64, &fake, 128 + 128 + 64);
        frame_number(outer + 64, rows[i].sequence);
        struct steme_hash check = hash_one(slice_of(outer + 64, 128));
        frame_put_check(outer + 64, 128, &check);
        struct wal_record host = { slice_of(outer, sizeof outer), hash_one(slice_of(outer, sizeof outer)), &signature };
        uint8_t memory[64];
        struct wal_record next = record_of(memory, sizeof memory, 0x77, true);
        struct batch batch = { 3, BATCH_HEADER_BYTES, SEGMENT, OFFSET, 5, 0, STORE, none, none };
        const struct wal_record *records[] = { &host, &next, &next };
        memset(bytes, 0, sizeof bytes);
        for (size_t k = 0; k < 3; k++) {
            frame_write(bytes + batch.bytes, records[k], batch.bytes);
            batch.bytes += frame_bytes_of(records[k]);
        }
        batch_seal(bytes, &batch, scratch);
        bytes[128 + 30] ^= 1; /* the host's prefix */
        struct steme_error err;
        struct batch_scan scan = scan_of(bytes, batch.bytes);
        struct batch_scan_item item;
        struct arena arena;
        arena_init(&arena, SIZE_MAX);
        assert_status(batch_scan_next(&scan, 100, &arena, &item, &err), STEME_OK, &err, rows[i].name);
        assert_row(item.entry_count == 2 && item.gap_count == 1 && item.gaps[0].count == 1, rows[i].name);
        assert_row(item.entries[0].sequence == 6 && item.entries[1].sequence == 7, rows[i].name);
        assert_row(slice_equal(item.entries[0].bytes, next.bytes), rows[i].name);
        arena_deinit(&arena);
    }
}

/* Offsets of a batch's frames; the one behind the last is the batch's length. */
static void find_frames(const uint8_t *bytes, const struct batch *batch, uint32_t *offsets)
{
    uint32_t offset = BATCH_HEADER_BYTES;
    for (uint32_t i = 0; i <= batch->count; i++) {
        struct frame frame;
        offsets[i] = offset;
        if (i < batch->count) assert_true(frame_valid(bytes + offset, batch->bytes - offset, &frame));
        if (i < batch->count) offset += frame_size(&frame);
    }
}

static void frames_between_damaged_ones_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *bad;
        const char *want;
    } rows[] = {
        { "one in the middle", "....x.....", "1234-67890" },
        { "the first", "x.........", "-234567890" },
        { "the last", ".........x", "123456789-" },
        { "two apart", "..x...x...", "12-456-890" },
        { "three apart", ".x.x.x....", "1-3-5-7890" },
        { "first and last", "x........x", "-23456789-" },
        { "neighbours", "...xxx....", "123---7890" },
        { "all but one", "xxxxx.xxxx", "-----6----" },
        { "all", "xxxxxxxxxx", "----------" },
        { "a record", "....r.....", "1234-67890" },
        { "a record and a prefix", "..r...x...", "12-456-890" },
        { "a record between two prefixes", "..x.r.x...", "12-4-6-890" },
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct batch batch;
        struct steme_hash hash;
        struct steme_error err;
        uint32_t offsets[11];
        char got[11] = "----------";
        uint64_t lost = 0;
        uint8_t *bytes = make_batch(10, 5, &none, &batch, &hash);
        find_frames(bytes, &batch, offsets);
        for (size_t k = 0; k < 10; k++) {
            if (rows[i].bad[k] == 'x') bytes[offsets[k] + 25] ^= 0x10;
            if (rows[i].bad[k] == 'r') bytes[offsets[k + 1] - 1] ^= 0x10;
        }
        struct batch_scan scan = scan_of(bytes, batch.bytes);
        struct batch_scan_item item;
        struct arena arena;
        arena_init(&arena, SIZE_MAX);
        assert_status(batch_scan_next(&scan, 100, &arena, &item, &err), STEME_OK, &err, rows[i].name);
        for (size_t k = 0; k < item.entry_count; k++) {
            uint64_t number = item.entries[k].sequence - 5;
            assert_row(item.entries[k].location == ((uint64_t)SEGMENT << 32 | (OFFSET + offsets[number])),
                       rows[i].name);
            got[number] = (char)('0' + (number + 1) % 10);
        }
        for (size_t k = 0; k < item.gap_count; k++)
            lost += item.gaps[k].count;
        assert_row_text(got, rows[i].want, rows[i].name);
        assert_row(lost + item.entry_count == 10, rows[i].name);
        arena_deinit(&arena);
        free(bytes);
    }
}

/* The same with a whole batch inside a record, and damage to the batch it is in. */
static void a_batch_inside_a_record_is_not_taken_for_one(void **state)
{
    (void)state;
    static uint8_t scratch[128], bytes[4096], outer[1024], inner[64];
    struct wal_record fake = record_of(inner, sizeof inner, 0x66, true);
    struct batch planted = { 1, BATCH_HEADER_BYTES + 192, SEGMENT, OFFSET + 256 + 64, 6, 0, STORE, none, none };
    memset(outer, 1, sizeof outer);
    frame_write(outer + 64 + BATCH_HEADER_BYTES, &fake, BATCH_HEADER_BYTES);
    batch_seal(outer + 64, &planted, scratch);
    struct wal_record host = { slice_of(outer, sizeof outer), hash_one(slice_of(outer, sizeof outer)), &signature };
    struct batch batch = { 1, BATCH_HEADER_BYTES + frame_bytes_of(&host), SEGMENT, OFFSET, 5, 0, STORE, none, none };
    frame_write(bytes + BATCH_HEADER_BYTES, &host, BATCH_HEADER_BYTES);
    batch_seal(bytes, &batch, scratch);
    bytes[30] ^= 1; /* the header of the batch the record is in */
    struct steme_error err;
    struct batch_scan scan = scan_of(bytes, batch.bytes);
    struct batch_scan_item item;
    struct arena arena;
    arena_init(&arena, SIZE_MAX);
    assert_status(batch_scan_next(&scan, 100, &arena, &item, &err), STEME_OK, &err, "planted");
    assert_int_equal(item.kind, BATCH_SCAN_BAD);
    assert_true(item.last);
    assert_int_equal(item.bytes, batch.bytes);
    arena_deinit(&arena);
}

static void a_batch_of_another_chain_is_no_batch_here(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint64_t next_sequence;
        uint8_t prev;
        bool linked;
        enum batch_scan_kind want;
    } rows[] = {
        { "the right one", 5, 0, true, BATCH_SCAN_FOUND },
        { "another hash before it", 5, 1, true, BATCH_SCAN_BAD },
        { "a gap in the numbers", 4, 0, true, BATCH_SCAN_BAD },
        { "numbers used before", 6, 0, true, BATCH_SCAN_BAD },
        { "behind damage: another hash before it", 5, 1, false, BATCH_SCAN_FOUND },
        { "behind damage: a gap in the numbers", 3, 1, false, BATCH_SCAN_FOUND },
        { "behind damage: numbers used before", 6, 1, false, BATCH_SCAN_BAD },
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct batch batch;
        struct steme_hash hash;
        struct steme_error err;
        uint8_t *bytes = make_batch(4, 5, &none, &batch, &hash);
        struct batch_scan scan = scan_of(bytes, batch.bytes);
        struct batch_scan_item item;
        struct arena arena;
        scan.next_sequence = rows[i].next_sequence;
        scan.batch.bytes[0] = rows[i].prev;
        scan.linked = rows[i].linked;
        arena_init(&arena, SIZE_MAX);
        assert_status(batch_scan_next(&scan, 100, &arena, &item, &err), STEME_OK, &err, rows[i].name);
        assert_row(item.kind == rows[i].want && item.bytes == batch.bytes, rows[i].name);
        arena_deinit(&arena);
        free(bytes);
    }
}

static void a_walk_in_too_small_an_arena_fails_cleanly(void **state)
{
    (void)state;
    struct batch batch;
    struct steme_hash hash;
    uint8_t *bytes = make_batch(300, 5, &none, &batch, &hash);
    for (int damaged = 0; damaged < 2; damaged++) {
        bool done = false;
        for (size_t ceiling = 0; !done; ceiling += 4096) {
            struct steme_error err;
            struct batch_scan scan = scan_of(bytes, batch.bytes);
            struct batch_scan_item item;
            struct arena arena;
            arena_init(&arena, ceiling);
            steme_status status = batch_scan_next(&scan, 1, &arena, &item, &err);
            assert_true(status == STEME_OK || status == STEME_NO_MEMORY);
            done = status == STEME_OK;
            arena_deinit(&arena);
        }
        bytes[128 + 128 + 1] ^= 1; /* a record: now there is a gap to note, too */
    }
    free(bytes);
}

static void used_bytes_end_behind_the_last_that_is_not_zero(void **state)
{
    (void)state;
    static uint8_t bytes[20000];
    static const size_t ends[] = { 0, 1, 4095, 4096, 4097, 12288, 19999, 20000 };
    for (size_t i = 0; i < countof(ends); i++) {
        if (ends[i]) bytes[ends[i] - 1] = 1;
        assert_int_equal(batch_scan_used(bytes, sizeof bytes), ends[i]);
        memset(bytes, 0, sizeof bytes);
    }
    assert_int_equal(batch_scan_used(NULL, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_reads_back_as_it_was_written),
        cmocka_unit_test(every_flipped_bit_of_a_prefix_is_seen),
        cmocka_unit_test(lengths_beyond_every_bound_are_refused_unread),
        cmocka_unit_test(a_batch_reads_back_as_it_was_sealed),
        cmocka_unit_test(every_flipped_bit_of_a_header_is_seen),
        cmocka_unit_test(a_header_out_of_place_or_bounds_is_refused_though_its_check_is_good),
        cmocka_unit_test(an_exchanged_frame_condemns_its_batch),
        cmocka_unit_test(a_header_for_no_frames_does_not_vouch_for_what_is_no_frame),
        cmocka_unit_test(a_frame_inside_a_damaged_record_is_not_taken_for_one),
        cmocka_unit_test(frames_between_damaged_ones_are_read),
        cmocka_unit_test(a_batch_inside_a_record_is_not_taken_for_one),
        cmocka_unit_test(a_batch_of_another_chain_is_no_batch_here),
        cmocka_unit_test(a_walk_in_too_small_an_arena_fails_cleanly),
        cmocka_unit_test(used_bytes_end_behind_the_last_that_is_not_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
