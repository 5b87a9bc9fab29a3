/* SPDX-License-Identifier: Apache-2.0 */
/* Steps over a world in memory that both of its test programs take. */
#ifndef TESTS_UNIT_HOST_MEM_WORLD_H
#define TESTS_UNIT_HOST_MEM_WORLD_H

#include "base/slice.h"
#include "host/host_mem.h"
#include "lib/testing.h"

static inline struct host *new_world(uint64_t seed)
{
    struct host *host = host_mem_new(seed);
    assert_non_null(host);
    return host;
}

static inline struct host_file *open_or_fail(struct host *host, const char *path, unsigned flags)
{
    struct host_file *file = NULL;
    struct steme_error err;
    assert_status(host_open(host, path, flags, &file, &err), STEME_OK, &err, path);
    return file;
}

static inline steme_status try_write(struct host_file *file, uint64_t offset, struct steme_slice bytes)
{
    return host_write_at(file, offset, &bytes, 1, NULL);
}

static inline void write_text(struct host_file *file, uint64_t offset, const char *text)
{
    assert_int_equal(try_write(file, offset, slice_text(text)), STEME_OK);
}

static inline void sync_or_fail(struct host_file *file) { assert_int_equal(host_sync(file, NULL), STEME_OK); }

/* A file with this content and name on the disk. */
static inline void make_durable(struct host *host, const char *path, const char *text)
{
    struct host_file *file = open_or_fail(host, path, HOST_WRITE | HOST_CREATE);
    write_text(file, 0, text);
    sync_or_fail(file);
    host_close(&file);
    assert_int_equal(host_sync_dir(host, "/", NULL), STEME_OK);
}

#endif
