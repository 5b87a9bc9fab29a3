/* SPDX-License-Identifier: Apache-2.0 */
/* The segments of a log that are there, and their bytes: each is mapped whole at its first use and stays so until
 * the table goes. Lookups and mappings come from any thread; one thread adds. */
#ifndef SPINE_SEGMENT_TABLE_H
#define SPINE_SEGMENT_TABLE_H

#include "spine/segment.h"

#include <pthread.h>
#include <stdatomic.h>

struct segment_map {
    const uint8_t *data;
    uint64_t size;
    struct segment_map *older; /* shorter ones, kept because entries point into them */
};

struct segment {
    uint32_t number;
    bool header_good;            /* else `header` is zeros */
    bool header_whole;           /* good, and nothing but zeros between it and the batches */
    _Atomic uint64_t file_bytes; /* length of the file */
    struct segment_header header;
    _Atomic(struct segment_map *) map;
};

#define SEGMENT_BLOCK 1024u /* segments in one block of the table */

struct segment_table {
    struct host *host;
    const char *dir;              /* wal/; borrowed */
    _Atomic uint32_t first, last; /* lowest and highest number; 0 while empty */
    _Atomic uint32_t count;
    _Atomic(_Atomic(struct segment *) *) blocks[(SEGMENT_NUMBER_MAX + 1u) / SEGMENT_BLOCK];
    struct segment *spare;    /* for the next one added */
    pthread_mutex_t map_lock; /* one thread maps at a time */
};

/* dir is borrowed until segment_table_deinit(). */
void segment_table_init(struct segment_table *table, struct host *host, const char *dir);
/* Unmaps and frees everything. */
void segment_table_deinit(struct segment_table *table);
/* header: NULL when the file has no good one. The number is higher than all in the table. */
MUST_CHECK steme_status segment_table_add(struct segment_table *table, uint32_t number, uint64_t file_bytes,
                                          const struct segment_header *header, struct steme_error *err);
/* Make sure that segment_table_add() of this number will not fail. */
MUST_CHECK steme_status segment_table_reserve(struct segment_table *table, uint32_t number, struct steme_error *err);

/* NULL when there is none with this number. */
struct segment *segment_find(struct segment_table *table, uint32_t number);
/* The one with the next higher number that is there, or NULL. */
struct segment *segment_after(struct segment_table *table, uint32_t number);
/* The one with the next lower number that is there, or NULL. */
struct segment *segment_before(struct segment_table *table, uint32_t number);

/* The segment's bytes, at least need_bytes of them, valid until the table goes. STEME_CORRUPT: the file is shorter. */
MUST_CHECK steme_status segment_bytes(struct segment_table *table, struct segment *segment, uint64_t need_bytes,
                                      struct steme_slice *out, struct steme_error *err);

#endif
