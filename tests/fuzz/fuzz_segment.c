/* SPDX-License-Identifier: Apache-2.0 */
/* A log whose files somebody has been at. The input is a list of edits to a good log of two segments (or, if it begins
 * with a 0xff, the whole of the second segment): bytes changed, zeroed, moved, cut off. Checks are put right again, so
 * that what lies behind them is reached, unless the first byte has 0x40: then a fault did it, nobody forged anything.
 * Whatever comes of it: the log opens or says why not; what is read is what was written, numbers rise, every byte is
 * accounted for, and, without forgery, opening twice is opening once. */
#include "base/hash.h"
#include "fuzz/edits.h"
#include "fuzz/examine.h"
#include "host/host_mem.h"
#include "lib/wal_world.h"

#define SEGMENT_BYTES 65536u
#define RECORDS 60u

static const char *const paths[] = { WAL_WORLD_DIR "/wal/0000000000000001.seg",
                                     WAL_WORLD_DIR "/wal/0000000000000002.seg" };
static uint8_t pristine[2][SEGMENT_BYTES];
static size_t pristine_size[2];
static uint8_t records[RECORDS][64 * 40];
static struct steme_hash ids[RECORDS];
static size_t sizes[RECORDS];
static struct wal_mark middle; /* a mark in the last segment */

static struct wal_options options_of(struct host *host)
{
    struct wal_options options = { .host = host, .dir = WAL_WORLD_DIR, .segment_bytes = SEGMENT_BYTES };
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
    must(host_make_dir(host, WAL_WORLD_DIR, NULL));
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

static struct host *lay_out(const struct edits_file files[2])
{
    struct host *host = host_mem_new(1);
    invariant(host);
    must(host_make_dir(host, WAL_WORLD_DIR, NULL));
    must(host_make_dir(host, WAL_WORLD_DIR "/wal", NULL));
    for (size_t i = 0; i < 2; i++) {
        struct host_file *file;
        struct steme_slice piece = slice_of(files[i].bytes, files[i].size);
        must(host_open(host, paths[i], HOST_WRITE | HOST_CREATE, &file, NULL));
        must(host_write_at(file, 0, &piece, 1, NULL));
        host_close(&file);
    }
    return host;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t bytes[2][SEGMENT_BYTES];
    if (pristine_size[0] == 0) make_log();
    if (size == 0) return 0;
    memcpy(bytes, pristine, sizeof bytes);
    struct edits_file files[2] = {
        { bytes[0], pristine_size[0], SEGMENT_BYTES },
        { bytes[1], pristine_size[1], SEGMENT_BYTES },
    };
    uint8_t mode = *data++;
    bool forged = !(mode & 0x40) || mode == 0xff;
    size--;
    if (mode == 0xff) {
        files[1].size = size < SEGMENT_BYTES ? size : SEGMENT_BYTES;
        memcpy(files[1].bytes, data, files[1].size);
    } else {
        for (size_t ops = 0; size >= EDITS_OP_BYTES && ops < 16;
             ops++, data += EDITS_OP_BYTES, size -= EDITS_OP_BYTES) {
            if (forged)
                edits_apply(files, countof(files), data, 1);
            else
                edits_damage(files, countof(files), data);
        }
    }
    struct host *host = lay_out(files);
    struct wal_options options = options_of(host);
    if (mode & 2) options.hint = &middle;
    (void)examine_log(&options, forged);
    host_mem_free(host);
    return 0;
}
