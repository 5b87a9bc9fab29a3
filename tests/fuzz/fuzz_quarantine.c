/* SPDX-License-Identifier: Apache-2.0 */
/* A quarantine in which a file has been changed or stands that is none of ours: it is told apart from whole ones,
 * counts for nothing it is not, and the stretch it claims to hold is set aside again. */
#include "base/check.h"
#include "base/codec.h"
#include "base/hash.h"
#include "base/slice.h"
#include "host/host_mem.h"
#include "spine/quarantine.h"

#include <string.h>

#define HEADER_BYTES 256u
#define FILE_BYTES_MAX 4096u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char path[] = "s/quarantine/0000000000000001-00001000.0.q";
static const struct steme_hash store = { { 1, 2, 3 } };
static const uint8_t text[100] = "bytes set aside";
static const struct quarantine_stretch stretch = { 1, 4096, { text, sizeof text }, QUARANTINE_DAMAGE, 5, 2 };

static void must(steme_status status) { invariant(status == STEME_OK); }

static struct host *new_world(struct steme_slice file_bytes)
{
    struct host *host = host_mem_new(1);
    struct host_file *file;
    invariant(host);
    must(host_make_dir(host, "s", NULL));
    must(host_make_dir(host, "s/quarantine", NULL));
    must(host_open(host, path, HOST_WRITE | HOST_CREATE, &file, NULL));
    must(host_write_at(file, 0, &file_bytes, 1, NULL));
    host_close(&file);
    return host;
}

/* The file as we would write it. */
static size_t write_good(uint8_t *to)
{
    struct host *host = host_mem_new(1);
    struct quarantine quarantine;
    struct host_file *file;
    size_t size;
    invariant(host);
    must(host_make_dir(host, "s", NULL));
    must(quarantine_open(&quarantine, host, "s", &store, UINT64_MAX, false, NULL));
    must(quarantine_set_aside(&quarantine, &stretch, NULL));
    quarantine_close(&quarantine);
    must(host_open(host, path, HOST_READ, &file, NULL));
    must(host_read_at(file, 0, to, FILE_BYTES_MAX, &size, NULL));
    host_close(&file);
    host_mem_free(host);
    return size;
}

static void examine(struct host *host)
{
    struct quarantine quarantine;
    struct quarantine_sum sum;
    bool whole = false;
    must(quarantine_open(&quarantine, host, "s", &store, UINT64_MAX, false, NULL));
    invariant(quarantine.file_count == 1 && quarantine.count == 1);
    const struct quarantine_entry first = quarantine.entries[0];
    must(quarantine_check(&quarantine, &first, &whole, NULL));
    invariant(first.good || !whole);
    must(quarantine_sum(&quarantine, &sum, NULL));
    invariant(sum.degraded == (!first.good || first.reason != QUARANTINE_TORN));
    must(quarantine_set_aside(&quarantine, &stretch, NULL));
    invariant(quarantine.file_count == 1 || quarantine.file_count == 2);
    invariant(quarantine.file_count == 2 || whole);
    const struct quarantine_entry *last = &quarantine.entries[quarantine.count - 1];
    must(quarantine_check(&quarantine, last, &whole, NULL));
    invariant(whole && last->length == sizeof text && last->reason == QUARANTINE_DAMAGE);
    quarantine_close(&quarantine);
}

/* The first byte says how the others are meant: as the file, or as edits of a good one (offset, value), after which its
 * check is put right or not. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t file[FILE_BYTES_MAX];
    if (size == 0) return 0;
    uint8_t mode = *data++;
    size--;
    size_t file_size = size < sizeof file ? size : sizeof file;
    if (mode & 1) {
        memcpy(file, data, file_size);
    } else {
        file_size = write_good(file);
        for (; size >= 3; data += 3, size -= 3)
            file[load_u16(data) % file_size] = data[2];
        struct steme_hash check = hash_one(slice_of(file, 224));
        if (mode & 2) memcpy(file + 224, check.bytes, sizeof check);
        if (mode & 4) file_size = mode * 2u;
    }
    if (file_size >= HEADER_BYTES && mode & 1 && mode & 2) { /* ours by its header, whatever it says */
        memcpy(file, "STEMEQTN\1\0\0\0\0\1\0\0", 16);
        memcpy(file + 16, store.bytes, sizeof store.bytes);
        struct steme_hash check = hash_one(slice_of(file, 224));
        memcpy(file + 224, check.bytes, sizeof check);
    }
    struct host *host = new_world(slice_of(file, file_size));
    examine(host);
    host_mem_free(host);
    return 0;
}
