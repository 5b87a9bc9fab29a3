/* SPDX-License-Identifier: Apache-2.0 */
#include "spine/segment_table.h"

#include "base/check.h"
#include "base/slice.h"

#include <inttypes.h>
#include <stdlib.h>

void segment_table_init(struct segment_table *table, struct host *host, const char *dir)
{
    memset(table, 0, sizeof *table);
    table->host = host;
    table->dir = dir;
    int failed = pthread_mutex_init(&table->map_lock, NULL);
    invariant(!failed); /* the default kind needs no resource */
}

static void free_segment(struct segment_table *table, struct segment *segment)
{
    struct segment_map *map = segment ? atomic_load(&segment->map) : NULL;
    while (map) {
        struct segment_map *older = map->older;
        host_unmap(table->host, map->data, map->size);
        free(map);
        map = older;
    }
    free(segment);
}

void segment_table_deinit(struct segment_table *table)
{
    for (size_t i = 0; i < countof(table->blocks); i++) {
        _Atomic(struct segment *) *block = atomic_load(&table->blocks[i]);
        for (size_t k = 0; block && k < SEGMENT_BLOCK; k++)
            free_segment(table, atomic_load(&block[k]));
        free(block);
    }
    free(table->spare);
    pthread_mutex_destroy(&table->map_lock);
}

steme_status segment_table_reserve(struct segment_table *table, uint32_t number, struct steme_error *err)
{
    invariant(number <= SEGMENT_NUMBER_MAX);
    _Atomic(struct segment *) *block = atomic_load(&table->blocks[number / SEGMENT_BLOCK]);
    if (!block) block = calloc(SEGMENT_BLOCK, sizeof *block);
    if (block) atomic_store(&table->blocks[number / SEGMENT_BLOCK], block);
    if (!table->spare) table->spare = calloc(1, sizeof *table->spare);
    if (block && table->spare) return STEME_OK;
    return error_set(err, STEME_NO_MEMORY, "no memory to keep track of log segment %" PRIu32, number);
}

steme_status segment_table_add(struct segment_table *table, uint32_t number, uint64_t file_bytes,
                               const struct segment_header *header, struct steme_error *err)
{
    invariant(number > atomic_load(&table->last));
    steme_status status = segment_table_reserve(table, number, err);
    if (status) return status;
    _Atomic(struct segment *) *block = atomic_load(&table->blocks[number / SEGMENT_BLOCK]);
    struct segment *segment = table->spare;
    table->spare = NULL;
    segment->number = number;
    segment->file_bytes = file_bytes;
    segment->header_good = header != NULL;
    segment->header_whole = segment->header_good; /* until somebody has looked */
    if (header) segment->header = *header;
    atomic_store(&block[number % SEGMENT_BLOCK], segment);
    if (!atomic_load(&table->first)) atomic_store(&table->first, number);
    atomic_store(&table->last, number);
    atomic_fetch_add(&table->count, 1);
    return STEME_OK;
}

struct segment *segment_find(struct segment_table *table, uint32_t number)
{
    if (number > SEGMENT_NUMBER_MAX) return NULL;
    _Atomic(struct segment *) *block = atomic_load_explicit(&table->blocks[number / SEGMENT_BLOCK],
                                                            memory_order_acquire);
    return block ? atomic_load_explicit(&block[number % SEGMENT_BLOCK], memory_order_acquire) : NULL;
}

struct segment *segment_after(struct segment_table *table, uint32_t number)
{
    uint32_t last = atomic_load(&table->last);
    while (number < last) {
        struct segment *segment = segment_find(table, ++number);
        if (segment) return segment;
    }
    return NULL;
}

struct segment *segment_before(struct segment_table *table, uint32_t number)
{
    uint32_t first = atomic_load(&table->first);
    uint32_t last = atomic_load(&table->last);
    if (number > last) number = last + 1;
    while (number > first) {
        struct segment *segment = segment_find(table, --number);
        if (segment) return segment;
    }
    return NULL;
}

/* Map the file as long as it is now, if that is enough. */
static steme_status map_file(struct segment_table *table, struct segment *segment, uint64_t need_bytes,
                             struct segment_map *map, struct steme_error *err)
{
    char path[SEGMENT_PATH_BYTES];
    struct host_file *file = NULL;
    steme_status status = segment_path(table->dir, segment->number, path, err);
    if (!status) status = host_open(table->host, path, HOST_READ, &file, err);
    if (!status) status = host_size(file, &map->size, err);
    if (!status && map->size < need_bytes)
        status = error_set(err, STEME_CORRUPT,
                           "%s has %" PRIu64 " bytes, but the log goes to %" PRIu64 ": it was cut short", path,
                           map->size, need_bytes);
    if (!status) status = host_map(file, map->size, &map->data, err);
    host_close(&file);
    return status;
}

steme_status segment_bytes(struct segment_table *table, struct segment *segment, uint64_t need_bytes,
                           struct steme_slice *out, struct steme_error *err)
{
    steme_status status = STEME_OK;
    struct segment_map *map = atomic_load_explicit(&segment->map, memory_order_acquire);
    if (map && map->size >= need_bytes) goto done;

    pthread_mutex_lock(&table->map_lock);
    struct segment_map *older = atomic_load(&segment->map);
    map = older;
    if (!older || older->size < need_bytes) {
        map = calloc(1, sizeof *map);
        if (!map)
            status = error_set(err, STEME_NO_MEMORY, "no memory to map log segment %" PRIu32, segment->number);
        else
            status = map_file(table, segment, need_bytes, map, err);
        if (status) {
            free(map);
        } else {
            map->older = older;
            atomic_store_explicit(&segment->map, map, memory_order_release);
        }
    }
    pthread_mutex_unlock(&table->map_lock);
done:
    if (!status) *out = slice_of(map->data, map->size);
    return status;
}
