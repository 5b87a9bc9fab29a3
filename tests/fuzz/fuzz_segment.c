/* SPDX-License-Identifier: Apache-2.0 */
/* A log whose files somebody has been at. The input is a list of edits to a good log of two segments (or, if it begins
 * with a 0xff, the whole of the second segment): bytes changed, zeroed, moved, cut off, and checks put right again, so
 * that what lies behind them is reached. Whatever comes of it: the log opens or says why not; what is read is what was
 * written, numbers rise, every byte is accounted for, and opening twice is opening once. */
#include "base/check.h"
#include "base/codec.h"
#include "base/hash.h"
#include "base/slice.h"
#include "host/host_mem.h"
#include "spine/batch.h"
#include "spine/segment.h"
#include "spine/wal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEGMENT_BYTES 65536u
#define RECORDS 60u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const paths[] = { "s/wal/0000000000000001.seg", "s/wal/0000000000000002.seg" };
static uint8_t pristine[2][SEGMENT_BYTES];
static size_t pristine_size[2];
static uint8_t records[RECORDS][64 * 40];
static struct steme_hash ids[RECORDS];
static size_t sizes[RECORDS];
static struct wal_mark middle; /* a mark in the last segment */

static struct wal_options options_of(struct host *host)
{
    struct wal_options options = { .host = host, .dir = "s", .segment_bytes = SEGMENT_BYTES };
    memset(options.store_id.bytes, 0x42, sizeof options.store_id.bytes);
    return options;
}

static void must(steme_status status) { invariant(status == STEME_OK); }

static void copy_file(struct host *host, const char *path, uint8_t *to, size_t *size_out)
{
    struct host_file *file;
    must(host_open(host, path, HOST_READ, &file, NULL));
    must(host_read_at(file, 0, to, SEGMENT_BYTES, size_out, NULL));
    host_close(&file);
}

static void make_log(void)
{
    static const struct steme_signature signature = { { 7 } };
    struct host *host = host_mem_new(1);
    invariant(host);
    struct wal_options options = options_of(host);
    struct wal *wal;
    must(host_make_dir(host, "s", NULL));
    must(wal_create(&options, NULL));
    must(wal_open(&options, &wal, NULL, NULL));
    for (size_t done = 0, count = 1; done < RECORDS; done += count, count = 1 + done % 4) {
        struct wal_record group[4];
        struct wal_place places[4];
        if (count > RECORDS - done) count = RECORDS - done;
        for (size_t i = 0; i < count; i++) {
            size_t k = done + i;
            sizes[k] = 64 * (1 + k * 7 % 40);
            memset(records[k], (int)k + 1, sizes[k]);
            ids[k] = hash_one(slice_of(records[k], sizes[k]));
            group[i] = (struct wal_record){ slice_of(records[k], sizes[k]), ids[k], i ? NULL : &signature };
        }
        must(wal_append(wal, group, count, places, NULL));
        if (done + count < RECORDS - 8) middle = wal_durable(wal);
    }
    invariant(wal_durable(wal).location >> 32 == 2 && middle.location >> 32 == 2);
    wal_close(&wal);
    for (size_t i = 0; i < 2; i++)
        copy_file(host, paths[i], pristine[i], &pristine_size[i]);
    host_mem_free(host);
}

/* Put the check of whatever begins at `at` right: a segment's header, a batch's, or a frame's prefix. */
static void check_anew(uint8_t *at, size_t available)
{
    uint8_t copy[BATCH_HEADER_BYTES];
    struct frame frame;
    if (available >= 4096 && memcmp(at, "STEMELOG", 8) == 0) {
        struct steme_hash check = hash_one(slice_of(at, 224));
        memcpy(at + 224, check.bytes, 32);
    } else if (available >= 128 && memcmp(at, "BTCH", 4) == 0) {
        struct steme_hash check = hash_one(batch_unchecked(at, copy));
        memcpy(at + 120, check.bytes, 8);
    } else if (frame_parse(at, available, &frame)) {
        struct steme_hash check = hash_one(frame_unchecked(&frame, copy));
        frame_put_check(at, frame.prefix_bytes, &check);
    }
}

/* Eight bytes: what, which segment, offset, length, value. */
static void edit(uint8_t files[2][SEGMENT_BYTES], size_t file_sizes[2], const uint8_t *op)
{
    size_t which = op[1] & 1;
    uint8_t *bytes = files[which];
    size_t offset = load_u16(op + 2), length = load_u16(op + 4), from = load_u16(op + 6);
    if (offset + length > SEGMENT_BYTES) length = SEGMENT_BYTES - offset;
    if (from + length > SEGMENT_BYTES) from = SEGMENT_BYTES - length;
    switch (op[0] % 8) {
    case 0: bytes[offset] ^= (uint8_t)(op[6] | 1); break;
    case 1: memset(bytes + offset, op[6], length % 600); break;
    case 2: memmove(bytes + offset, bytes + from, length); break;
    case 3: memmove(bytes + offset, files[!which] + from, length); break;
    case 4: file_sizes[which] = offset; break;
    case 5: file_sizes[which] = SEGMENT_BYTES; break;
    case 6: store_u64(bytes + (offset & ~(size_t)7), load_u64(bytes + (from & ~(size_t)7)) + op[1]); break;
    default: break;
    }
    check_anew(bytes + (offset & ~(size_t)63), SEGMENT_BYTES - (offset & ~(size_t)63));
}

static struct host *lay_out(uint8_t files[2][SEGMENT_BYTES], const size_t file_sizes[2])
{
    struct host *host = host_mem_new(1);
    invariant(host);
    must(host_make_dir(host, "s", NULL));
    must(host_make_dir(host, "s/wal", NULL));
    for (size_t i = 0; i < 2; i++) {
        struct host_file *file;
        struct steme_slice piece = slice_of(files[i], file_sizes[i]);
        must(host_open(host, paths[i], HOST_WRITE | HOST_CREATE, &file, NULL));
        must(host_write_at(file, 0, &piece, 1, NULL));
        host_close(&file);
    }
    return host;
}

/* Records that were written, each in its own bytes; numbers and times that rise. Returns how many. */
static uint64_t read_all(struct wal *wal)
{
    struct arena arena;
    struct wal_mark at = wal_begin(wal);
    uint64_t sequence = 0, skipped = 0, total = 0;
    arena_init(&arena, SIZE_MAX);
    for (size_t count = 1; count > 0;) {
        struct arena_mark mark = arena_mark(&arena);
        struct wal_entry *entries = NULL;
        must(wal_scan(wal, &at, 16, &arena, &entries, &count, &skipped, NULL));
        for (size_t i = 0; i < count; i++) {
            struct wal_entry again;
            struct steme_hash id = hash_one(entries[i].bytes);
            invariant(memcmp(id.bytes, entries[i].id.bytes, sizeof id) == 0);
            invariant(entries[i].sequence > sequence);
            sequence = entries[i].sequence;
            must(wal_read(wal, entries[i].location, &again, NULL));
            invariant(again.sequence == sequence && again.bytes.data == entries[i].bytes.data);
        }
        total += count;
        arena_rewind(&arena, mark);
    }
    invariant(at.location == wal_durable(wal).location);
    arena_deinit(&arena);
    return total;
}

static void examine(struct host *host, bool read_only, bool with_hint)
{
    struct wal_options options = options_of(host);
    struct wal *wal;
    options.read_only = read_only;
    if (with_hint) options.hint = &middle;
    uint64_t found[2] = { 0 };
    for (int round = 0; round < 2; round++) {
        struct wal_totals totals;
        struct wal_report report;
        if (wal_open(&options, &wal, &report, NULL)) {
            invariant(round == 0);
            return;
        }
        found[round] = read_all(wal);
        must(wal_verify(wal, NULL, NULL, &totals, NULL));
        invariant(totals.valid_bytes + totals.padding_bytes + totals.damaged_bytes == totals.file_bytes);
        invariant(totals.frames == found[round]);
        invariant(round == 0 || read_only || report.torn_tail_bytes == 0);
        if (round == 1 && !read_only) {
            struct wal_record record = { slice_of(records[0], sizes[0]), ids[0], NULL };
            struct wal_place place;
            struct wal_entry entry;
            must(wal_append(wal, &record, 1, &place, NULL));
            must(wal_read(wal, place.location, &entry, NULL));
        }
        wal_close(&wal);
    }
    invariant(found[0] == found[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t files[2][SEGMENT_BYTES];
    size_t file_sizes[2];
    if (pristine_size[0] == 0) make_log();
    if (size == 0) return 0;
    memcpy(files, pristine, sizeof files);
    memcpy(file_sizes, pristine_size, sizeof file_sizes);
    uint8_t mode = *data++;
    size--;
    if (mode == 0xff) {
        file_sizes[1] = size < SEGMENT_BYTES ? size : SEGMENT_BYTES;
        memcpy(files[1], data, file_sizes[1]);
    } else {
        for (size_t ops = 0; size >= 8 && ops < 16; ops++, data += 8, size -= 8)
            edit(files, file_sizes, data);
    }
    struct host *host = lay_out(files, file_sizes);
    examine(host, mode & 1, mode & 2);
    host_mem_free(host);
    return 0;
}
