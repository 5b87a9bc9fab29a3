/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/host_cut.h"

#include <errno.h>
#include <stdlib.h>

struct cut_host {
    struct host base;
    struct host *inner;
    uint64_t calls;
    uint64_t stop_at; /* 0: never */
};

struct cut_file {
    struct host_file base;
    struct host_file *inner;
};

static struct cut_host *cut_of(struct host *host) { return (struct cut_host *)(void *)host; }

static struct host *inner_of(struct host *host) { return cut_of(host)->inner; }

static struct host_file *file_of(struct host_file *file) { return ((struct cut_file *)(void *)file)->inner; }

/* Count a call that changes something; a failure when there is none any more. */
static steme_status step(struct host *host, struct steme_error *err)
{
    struct cut_host *cut = cut_of(host);
    cut->calls++;
    if (!host_cut_stopped(host)) return STEME_OK;
    return error_set_os(err, STEME_IO, EIO, "the machine has stopped");
}

static steme_status open_file(struct host *host, const char *path, unsigned flags, struct host_file **file_out,
                              struct steme_error *err)
{
    steme_status status = flags & HOST_CREATE ? step(host, err) : STEME_OK;
    if (status) return status;
    struct cut_file *file = calloc(1, sizeof *file);
    if (!file) return error_set(err, STEME_NO_MEMORY, "no memory for a file");
    file->base.host = host;
    status = host_open(inner_of(host), path, flags, &file->inner, err);
    if (status)
        free(file);
    else
        *file_out = &file->base;
    return status;
}

static void close_file(struct host_file *file)
{
    struct host_file *inner = file_of(file);
    host_close(&inner);
    free(file);
}

static steme_status read_at(struct host_file *file, uint64_t offset, void *to, size_t size, size_t *got_out,
                            struct steme_error *err)
{
    return host_read_at(file_of(file), offset, to, size, got_out, err);
}

static steme_status write_at(struct host_file *file, uint64_t offset, const struct steme_slice *pieces, size_t count,
                             struct steme_error *err)
{
    steme_status status = step(file->host, err);
    return status ? status : host_write_at(file_of(file), offset, pieces, count, err);
}

static steme_status sync_file(struct host_file *file, struct steme_error *err)
{
    steme_status status = step(file->host, err);
    return status ? status : host_sync(file_of(file), err);
}

static steme_status file_size(struct host_file *file, uint64_t *size_out, struct steme_error *err)
{
    return host_size(file_of(file), size_out, err);
}

static steme_status truncate_file(struct host_file *file, uint64_t size, struct steme_error *err)
{
    steme_status status = step(file->host, err);
    return status ? status : host_truncate(file_of(file), size, err);
}

static steme_status allocate_file(struct host_file *file, uint64_t size, struct steme_error *err)
{
    steme_status status = step(file->host, err);
    return status ? status : host_allocate(file_of(file), size, err);
}

static steme_status map_file(struct host_file *file, uint64_t size, const uint8_t **data_out, struct steme_error *err)
{
    return host_map(file_of(file), size, data_out, err);
}

static void unmap_file(struct host *host, const uint8_t *data, uint64_t size)
{
    host_unmap(inner_of(host), data, size);
}

static steme_status lock_file(struct host_file *file, struct steme_error *err) { return host_lock(file_of(file), err); }

static steme_status stat_path(struct host *host, const char *path, struct host_stat *out, struct steme_error *err)
{
    return host_stat(inner_of(host), path, out, err);
}

static steme_status list_dir(struct host *host, const char *dir, struct arena *arena, struct host_entry **entries_out,
                             size_t *count_out, struct steme_error *err)
{
    return host_list(inner_of(host), dir, arena, entries_out, count_out, err);
}

static steme_status make_dir(struct host *host, const char *path, struct steme_error *err)
{
    steme_status status = step(host, err);
    return status ? status : host_make_dir(inner_of(host), path, err);
}

static steme_status sync_dir(struct host *host, const char *path, struct steme_error *err)
{
    steme_status status = step(host, err);
    return status ? status : host_sync_dir(inner_of(host), path, err);
}

static steme_status rename_path(struct host *host, const char *from, const char *to, struct steme_error *err)
{
    steme_status status = step(host, err);
    return status ? status : host_rename(inner_of(host), from, to, err);
}

static steme_status remove_path(struct host *host, const char *path, struct steme_error *err)
{
    steme_status status = step(host, err);
    return status ? status : host_remove(inner_of(host), path, err);
}

static int64_t wall_us(struct host *host) { return host_wall_us(inner_of(host)); }

static uint64_t monotonic_ns(struct host *host) { return host_monotonic_ns(inner_of(host)); }

static steme_status random_bytes(struct host *host, void *to, size_t size, struct steme_error *err)
{
    return host_random(inner_of(host), to, size, err);
}

static steme_status boot_id(struct host *host, struct steme_hash *out, struct steme_error *err)
{
    return host_boot_id(inner_of(host), out, err);
}

static int64_t process_id(struct host *host) { return host_process_id(inner_of(host)); }

static const struct host_ops cut_ops = {
    .open = open_file,
    .close = close_file,
    .read_at = read_at,
    .write_at = write_at,
    .sync = sync_file,
    .size = file_size,
    .truncate = truncate_file,
    .allocate = allocate_file,
    .map = map_file,
    .unmap = unmap_file,
    .lock = lock_file,
    .stat = stat_path,
    .list = list_dir,
    .make_dir = make_dir,
    .sync_dir = sync_dir,
    .rename = rename_path,
    .remove = remove_path,
    .wall_us = wall_us,
    .monotonic_ns = monotonic_ns,
    .random = random_bytes,
    .boot_id = boot_id,
    .process_id = process_id,
};

struct host *host_cut_new(struct host *inner)
{
    struct cut_host *cut = calloc(1, sizeof *cut);
    if (!cut) return NULL;
    cut->base.ops = &cut_ops;
    cut->inner = inner;
    return &cut->base;
}

void host_cut_free(struct host *host) { free(host); }

void host_cut_after(struct host *host, uint64_t nth)
{
    struct cut_host *cut = cut_of(host);
    cut->stop_at = nth ? cut->calls + nth : 0;
}

uint64_t host_cut_calls(struct host *host) { return cut_of(host)->calls; }

bool host_cut_stopped(struct host *host)
{
    const struct cut_host *cut = cut_of(host);
    return cut->stop_at && cut->calls >= cut->stop_at;
}
