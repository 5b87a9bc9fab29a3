/* SPDX-License-Identifier: Apache-2.0 */
#include "host/host.h"
#include "base/check.h"
#include "base/slice.h"

#include <string.h>

/* Offsets are signed in every operating system's calls. */
static const uint64_t offset_max = INT64_MAX;

/* What an empty mapping points to: there is nothing to read, but it isn't NULL. */
static const uint8_t empty_map[1];

/* Sizes come from files, so one that can't be is a status and not a broken promise. */
static steme_status check_range(uint64_t offset, uint64_t size, struct steme_error *err)
{
    if (offset <= offset_max && size <= offset_max - offset) return STEME_OK;
    return error_set(err, STEME_TOO_LARGE, "no file reaches %llu bytes past offset %llu", (unsigned long long)size,
                     (unsigned long long)offset);
}

steme_status host_open(struct host *host, const char *path, unsigned flags, struct host_file **file_out,
                       struct steme_error *err)
{
    const unsigned known = HOST_WRITE | HOST_CREATE | HOST_EXCLUSIVE | HOST_PRIVATE;
    invariant(path && file_out);
    invariant((flags & ~known) == 0);
    invariant(!(flags & HOST_CREATE) || (flags & HOST_WRITE));
    invariant(!(flags & (HOST_EXCLUSIVE | HOST_PRIVATE)) || (flags & HOST_CREATE));
    return host->ops->open(host, path, flags, file_out, err);
}

void host_close(struct host_file **file)
{
    if (!*file) return;
    (*file)->host->ops->close(*file);
    *file = NULL;
}

steme_status host_read_at(struct host_file *file, uint64_t offset, void *to, size_t size, size_t *got_out,
                          struct steme_error *err)
{
    invariant((to || size == 0) && got_out);
    steme_status status = check_range(offset, size, err);
    if (status) return status;
    return file->host->ops->read_at(file, offset, to, size, got_out, err);
}

steme_status host_write_at(struct host_file *file, uint64_t offset, const struct steme_slice *pieces, size_t count,
                           struct steme_error *err)
{
    uint64_t end = offset;
    for (size_t i = 0; i < count; i++) {
        invariant(pieces[i].data || pieces[i].size == 0);
        steme_status status = check_range(end, pieces[i].size, err);
        if (status) return status;
        end += pieces[i].size;
    }
    if (end == offset) return STEME_OK;
    return file->host->ops->write_at(file, offset, pieces, count, err);
}

steme_status host_sync(struct host_file *file, struct steme_error *err) { return file->host->ops->sync(file, err); }

steme_status host_size(struct host_file *file, uint64_t *size_out, struct steme_error *err)
{
    invariant(size_out);
    return file->host->ops->size(file, size_out, err);
}

steme_status host_truncate(struct host_file *file, uint64_t size, struct steme_error *err)
{
    steme_status status = check_range(0, size, err);
    if (status) return status;
    return file->host->ops->truncate(file, size, err);
}

steme_status host_allocate(struct host_file *file, uint64_t size, struct steme_error *err)
{
    steme_status status = check_range(0, size, err);
    if (status || size == 0) return status;
    return file->host->ops->allocate(file, size, err);
}

steme_status host_map(struct host_file *file, uint64_t size, const uint8_t **data_out, struct steme_error *err)
{
    invariant(data_out);
    uint64_t size_now = 0;
    steme_status status = file->host->ops->size(file, &size_now, err);
    if (status) return status;
    if (size > size_now) /* touching what lies past the end would kill the process */
        return error_set(err, STEME_IO, "asked to map %llu bytes of a file of %llu", (unsigned long long)size,
                         (unsigned long long)size_now);
    if (size == 0) {
        *data_out = empty_map;
        return STEME_OK;
    }
    return file->host->ops->map(file, size, data_out, err);
}

void host_unmap(struct host *host, const uint8_t *data, uint64_t size)
{
    if (!data || size == 0) return;
    host->ops->unmap(host, data, size);
}

steme_status host_lock(struct host_file *file, struct steme_error *err) { return file->host->ops->lock(file, err); }

steme_status host_stat(struct host *host, const char *path, struct host_stat *out, struct steme_error *err)
{
    invariant(path && out);
    return host->ops->stat(host, path, out, err);
}

steme_status host_list(struct host *host, const char *dir, struct arena *arena, struct host_entry **entries_out,
                       size_t *count_out, struct steme_error *err)
{
    invariant(dir && arena && entries_out && count_out);
    return host->ops->list(host, dir, arena, entries_out, count_out, err);
}

steme_status host_make_dir(struct host *host, const char *path, struct steme_error *err)
{
    invariant(path);
    return host->ops->make_dir(host, path, err);
}

steme_status host_sync_dir(struct host *host, const char *path, struct steme_error *err)
{
    invariant(path);
    return host->ops->sync_dir(host, path, err);
}

steme_status host_rename(struct host *host, const char *from, const char *to, struct steme_error *err)
{
    invariant(from && to);
    return host->ops->rename(host, from, to, err);
}

steme_status host_remove(struct host *host, const char *path, struct steme_error *err)
{
    invariant(path);
    return host->ops->remove(host, path, err);
}

int64_t host_wall_us(struct host *host) { return host->ops->wall_us(host); }

uint64_t host_monotonic_ns(struct host *host) { return host->ops->monotonic_ns(host); }

steme_status host_random(struct host *host, void *to, size_t size, struct steme_error *err)
{
    invariant(to || size == 0);
    return host->ops->random(host, to, size, err);
}

steme_status host_boot_id(struct host *host, struct steme_hash *out, struct steme_error *err)
{
    invariant(out);
    return host->ops->boot_id(host, out, err);
}

int64_t host_process_id(struct host *host) { return host->ops->process_id(host); }

const char *host_join(struct arena *arena, const char *dir, const char *name)
{
    size_t dir_size = strlen(dir), name_size = strlen(name);
    size_t slash = dir_size > 0 && dir[dir_size - 1] != '/';
    char *path = arena_alloc(arena, dir_size + slash + name_size + 1);
    if (!path) return NULL;
    memcpy(path, dir, dir_size);
    memcpy(path + dir_size, "/", slash);
    memcpy(path + dir_size + slash, name, name_size + 1);
    return path;
}

steme_status host_read_file(struct host *host, const char *path, size_t ceiling_bytes, struct arena *arena,
                            struct steme_slice *out, struct steme_error *err)
{
    invariant(arena && out);
    struct host_file *file = NULL;
    uint64_t size = 0;
    steme_status status = host_open(host, path, HOST_READ, &file, err);
    if (status) goto done;
    status = host_size(file, &size, err);
    if (status) goto done;
    if (size > ceiling_bytes) {
        status = error_set(err, STEME_TOO_LARGE, "%s has %llu bytes, at most %zu are read", path,
                           (unsigned long long)size, ceiling_bytes);
        goto done;
    }
    uint8_t *data = arena_alloc(arena, (size_t)size);
    if (!data) {
        status = arena_full(arena, err);
        goto done;
    }
    size_t got = 0;
    status = host_read_at(file, 0, data, (size_t)size, &got, err);
    if (status) goto done;
    *out = slice_of(data, got);
done:
    host_close(&file);
    return status;
}

/* The directory that holds path, in the arena. */
static const char *parent_of(struct arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash) return ".";
    size_t size = slash == path ? 1 : (size_t)(slash - path);
    return (const char *)arena_copy(arena, slice_of(path, size)).data;
}

/* A new file with these bytes on stable storage. */
static steme_status write_synced(struct host *host, const char *path, unsigned flags, struct steme_slice bytes,
                                 struct steme_error *err)
{
    struct host_file *file = NULL;
    steme_status status = host_open(host, path, HOST_WRITE | HOST_CREATE | HOST_EXCLUSIVE | flags, &file, err);
    if (status) goto done;
    status = host_write_at(file, 0, &bytes, 1, err);
    if (status) goto done;
    status = host_sync(file, err);
done:
    host_close(&file);
    return status;
}

steme_status host_replace_file(struct host *host, const char *path, unsigned extra_flags, struct steme_slice bytes,
                               struct steme_error *err)
{
    static const char suffix[] = ".tmp";
    invariant((extra_flags & ~(unsigned)HOST_PRIVATE) == 0);
    struct arena arena;
    arena_init(&arena, 65536);
    size_t path_size = strlen(path);
    const char *dir = parent_of(&arena, path);
    char *temporary = arena_alloc(&arena, path_size + sizeof suffix);
    steme_status status = STEME_OK;
    if (!dir || !temporary) {
        status = arena_full(&arena, err);
        goto done;
    }
    memcpy(temporary, path, path_size);
    memcpy(temporary + path_size, suffix, sizeof suffix);
    /* One that a crash left behind may have another mode, so it goes, and the new one must be ours. */
    status = host_remove(host, temporary, err);
    if (status && status != STEME_NOT_FOUND) goto done;
    status = write_synced(host, temporary, extra_flags, bytes, err);
    if (!status) status = host_rename(host, temporary, path, err);
    if (status) {
        steme_status ignored = host_remove(host, temporary, NULL); /* the first failure is the one to report */
        (void)ignored;
        goto done;
    }
    status = host_sync_dir(host, dir, err);
done:
    arena_deinit(&arena);
    return status ? error_wrap(err, status, "while replacing %s", path) : STEME_OK;
}
