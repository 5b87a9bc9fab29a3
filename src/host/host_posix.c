/* SPDX-License-Identifier: Apache-2.0 */
/* The real world, by Linux system calls. */
#define _GNU_SOURCE /* fallocate, pwritev */
#include "base/check.h"
#include "base/hash.h"
#include "base/slice.h"
#include "host/host.h"
#include "host/os_errno.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

_Static_assert(sizeof(off_t) == 8, "files pass 2 GiB");

enum { PIECES_PER_CALL = 256 }; /* iovecs on the stack; the kernel takes 1024 */

struct posix_file {
    struct host_file base; /* first: a host_file is the same address */
    int descriptor;
};

static struct posix_file *posix_of(struct host_file *file) { return (struct posix_file *)file; }

/* One line for a failing call, errno included. */
#define failed(err, writing, ...) error_set_os((err), os_errno_status(errno, (writing)), errno, __VA_ARGS__)

static steme_status refuse_irregular(const char *path, mode_t mode, struct steme_error *err)
{
    if (S_ISDIR(mode)) return error_set_os(err, STEME_IO, EISDIR, "can't open %s as a file", path);
    return error_set(err, STEME_IO, "can't open %s: it is no regular file", path);
}

static steme_status open_file(struct host *host, const char *path, unsigned flags, struct host_file **file_out,
                              struct steme_error *err)
{
    bool writing = (flags & HOST_WRITE) != 0;
    /* O_NONBLOCK: a pipe that lies in the way must not hang us; it means nothing for regular files. */
    int how = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | (writing ? O_RDWR : O_RDONLY);
    if (flags & HOST_CREATE) how |= O_CREAT;
    if (flags & HOST_EXCLUSIVE) how |= O_EXCL;
    steme_status status;
    struct posix_file *file = malloc(sizeof *file);
    if (!file) return error_set(err, STEME_NO_MEMORY, "no memory to open %s", path);
    *file = (struct posix_file){ .base = { host }, .descriptor = -1 };
    do
        file->descriptor = open(path, how, flags & HOST_PRIVATE ? 0600 : 0644);
    while (file->descriptor < 0 && errno == EINTR);
    if (file->descriptor < 0) {
        const char *hint = errno == ELOOP ? " (a symbolic link is not followed)" : "";
        status = failed(err, writing, "can't open %s%s", path, hint);
        goto done;
    }
    struct stat facts;
    if (fstat(file->descriptor, &facts)) {
        status = failed(err, false, "can't examine %s", path);
        goto done;
    }
    if (!S_ISREG(facts.st_mode)) {
        status = refuse_irregular(path, facts.st_mode, err);
        goto done;
    }
    *file_out = &file->base;
    return STEME_OK;
done:
    if (file->descriptor >= 0) close(file->descriptor);
    free(file);
    return status;
}

static void close_file(struct host_file *base)
{
    struct posix_file *file = posix_of(base);
    close(file->descriptor); /* what a close reports, a sync has reported before: nothing unsynced was promised */
    free(file);
}

static steme_status read_at(struct host_file *base, uint64_t offset, void *to, size_t size, size_t *got_out,
                            struct steme_error *err)
{
    uint8_t *at = to;
    size_t got = 0;
    while (got < size) {
        ssize_t part = pread(posix_of(base)->descriptor, at + got, size - got, (off_t)(offset + got));
        if (part < 0 && errno == EINTR) continue;
        if (part < 0)
            return failed(err, false, "can't read %zu bytes at offset %llu", size, (unsigned long long)offset);
        if (part == 0) break;
        got += (size_t)part;
    }
    *got_out = got;
    return STEME_OK;
}

/* Write one call's worth of pieces in full. The iovecs are moved forward as parts get through. */
static steme_status write_vectors(int descriptor, uint64_t offset, struct iovec *vectors, size_t count,
                                  struct steme_error *err)
{
    while (count > 0) {
        ssize_t wrote = pwritev(descriptor, vectors, (int)count, (off_t)offset);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) return failed(err, true, "can't write at offset %llu", (unsigned long long)offset);
        if (wrote == 0) /* not even one byte and no reason: trying on could go on for ever */
            return error_set(err, STEME_IO, "nothing could be written at offset %llu", (unsigned long long)offset);
        offset += (uint64_t)wrote;
        size_t left = (size_t)wrote;
        while (count > 0 && left >= vectors->iov_len) {
            left -= vectors->iov_len;
            vectors++;
            count--;
        }
        if (count > 0) {
            vectors->iov_base = (uint8_t *)vectors->iov_base + left;
            vectors->iov_len -= left;
        }
    }
    return STEME_OK;
}

/* The system's structure has no const, though it does not write there. */
static void *drop_const(const uint8_t *data)
{
    union {
        const uint8_t *from;
        void *to;
    } cast = { data };
    return cast.to;
}

static steme_status write_at(struct host_file *base, uint64_t offset, const struct steme_slice *pieces, size_t count,
                             struct steme_error *err)
{
    struct iovec vectors[PIECES_PER_CALL];
    for (size_t done = 0; done < count;) {
        size_t filled = 0;
        uint64_t size = 0;
        for (; done < count && filled < PIECES_PER_CALL; done++) {
            if (pieces[done].size == 0) continue;
            vectors[filled++] = (struct iovec){ drop_const(pieces[done].data), pieces[done].size };
            size += pieces[done].size;
        }
        steme_status status = write_vectors(posix_of(base)->descriptor, offset, vectors, filled, err);
        if (status) return status;
        offset += size;
    }
    return STEME_OK;
}

static steme_status sync_file(struct host_file *base, struct steme_error *err)
{
    /* Not even after EINTR is it called again: the second call could say OK for data the first one lost. */
    if (fdatasync(posix_of(base)->descriptor)) return failed(err, true, "can't sync a file to stable storage");
    return STEME_OK;
}

static steme_status file_size(struct host_file *base, uint64_t *size_out, struct steme_error *err)
{
    struct stat facts;
    if (fstat(posix_of(base)->descriptor, &facts)) return failed(err, false, "can't examine an open file");
    *size_out = (uint64_t)facts.st_size;
    return STEME_OK;
}

static steme_status truncate_file(struct host_file *base, uint64_t size, struct steme_error *err)
{
    int result;
    do
        result = ftruncate(posix_of(base)->descriptor, (off_t)size);
    while (result && errno == EINTR);
    if (result) return failed(err, true, "can't set the size of a file to %llu", (unsigned long long)size);
    return STEME_OK;
}

static steme_status allocate_file(struct host_file *base, uint64_t size, struct steme_error *err)
{
    int result;
    do
        result = fallocate(posix_of(base)->descriptor, 0, 0, (off_t)size);
    while (result && errno == EINTR);
    if (result == 0) return STEME_OK;
    if (errno != EOPNOTSUPP && errno != ENOSYS)
        return failed(err, true, "can't reserve %llu bytes", (unsigned long long)size);
    /* This file system can't reserve: a full disk will show at a write instead. */
    uint64_t size_now = 0;
    steme_status status = file_size(base, &size_now, err);
    if (status || size_now >= size) return status;
    return truncate_file(base, size, err);
}

static steme_status map_file(struct host_file *base, uint64_t size, const uint8_t **data_out, struct steme_error *err)
{
    void *data = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, posix_of(base)->descriptor, 0);
    if (data == MAP_FAILED) return failed(err, false, "can't map %llu bytes of a file", (unsigned long long)size);
    *data_out = data;
    return STEME_OK;
}

static void unmap_file(struct host *host, const uint8_t *data, uint64_t size)
{
    (void)host;
    int result = munmap(drop_const(data), (size_t)size);
    invariant(result == 0); /* fails only for what was never mapped */
}

static steme_status lock_file(struct host_file *base, struct steme_error *err)
{
    int result;
    do
        result = flock(posix_of(base)->descriptor, LOCK_EX | LOCK_NB);
    while (result && errno == EINTR);
    if (result == 0) return STEME_OK;
    if (errno == EWOULDBLOCK) return error_set_os(err, STEME_LOCKED, errno, "somebody else holds the lock");
    return failed(err, false, "can't lock a file");
}

static enum host_kind kind_of(mode_t mode)
{
    return S_ISREG(mode) ? HOST_KIND_FILE : S_ISDIR(mode) ? HOST_KIND_DIR : HOST_KIND_OTHER;
}

static steme_status stat_path(struct host *host, const char *path, struct host_stat *out, struct steme_error *err)
{
    (void)host;
    struct stat facts;
    if (lstat(path, &facts)) return failed(err, false, "can't examine %s", path);
    *out = (struct host_stat){ .kind = kind_of(facts.st_mode),
                               .size_bytes = (uint64_t)facts.st_size,
                               .device = facts.st_dev,
                               .inode = facts.st_ino,
                               .exposed = (facts.st_mode & (S_IRWXG | S_IRWXO)) != 0 };
    return STEME_OK;
}

static steme_status open_dir(const char *path, int *descriptor_out, struct steme_error *err)
{
    int descriptor;
    do
        descriptor = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    while (descriptor < 0 && errno == EINTR);
    if (descriptor < 0) return failed(err, false, "can't open the directory %s", path);
    *descriptor_out = descriptor;
    return STEME_OK;
}

/* While a directory is read nobody knows how many entries will come. */
struct listed {
    struct listed *before;
    struct host_entry entry;
};

static steme_status list_next(DIR *dir, const char *path, struct arena *arena, struct listed **last, bool *more,
                              struct steme_error *err)
{
    errno = 0;
    struct dirent *found = readdir(dir);
    *more = found != NULL;
    if (!found) return errno ? failed(err, false, "can't list the directory %s", path) : STEME_OK;
    if (strcmp(found->d_name, ".") == 0 || strcmp(found->d_name, "..") == 0) return STEME_OK;
    enum host_kind kind = found->d_type == DT_REG ? HOST_KIND_FILE
                        : found->d_type == DT_DIR ? HOST_KIND_DIR
                                                  : HOST_KIND_OTHER;
    if (found->d_type == DT_UNKNOWN) { /* some file systems don't say */
        struct stat facts;
        if (fstatat(dirfd(dir), found->d_name, &facts, AT_SYMLINK_NOFOLLOW)) {
            if (errno == ENOENT) return STEME_OK; /* removed since */
            return failed(err, false, "can't examine %s in %s", found->d_name, path);
        }
        kind = kind_of(facts.st_mode);
    }
    struct listed *next = arena_alloc(arena, sizeof *next);
    struct steme_slice name = arena_copy(arena, slice_text(found->d_name));
    if (!next || !name.data) return arena_full(arena, err);
    *next = (struct listed){ *last, { (const char *)name.data, kind } };
    *last = next;
    return STEME_OK;
}

static int compare_entries(const void *a, const void *b)
{
    return strcmp(((const struct host_entry *)a)->name, ((const struct host_entry *)b)->name);
}

static steme_status list_dir(struct host *host, const char *path, struct arena *arena, struct host_entry **entries_out,
                             size_t *count_out, struct steme_error *err)
{
    (void)host;
    DIR *dir = NULL;
    int descriptor = -1;
    struct listed *last = NULL;
    steme_status status = open_dir(path, &descriptor, err);
    if (status) goto done;
    dir = fdopendir(descriptor);
    if (!dir) {
        status = failed(err, false, "can't list the directory %s", path);
        goto done;
    }
    descriptor = -1; /* dir closes it now */
    size_t count = 0;
    for (bool more = true; more;) {
        const struct listed *before = last;
        status = list_next(dir, path, arena, &last, &more, err);
        if (status) goto done;
        count += last != before;
    }
    struct host_entry *entries = arena_calloc(arena, count, sizeof *entries);
    if (!entries) {
        status = arena_full(arena, err);
        goto done;
    }
    size_t at = count;
    for (const struct listed *entry = last; entry; entry = entry->before)
        entries[--at] = entry->entry;
    qsort(entries, count, sizeof *entries, compare_entries);
    *entries_out = entries;
    *count_out = count;
done:
    if (dir) closedir(dir);
    if (descriptor >= 0) close(descriptor);
    return status;
}

static steme_status make_dir(struct host *host, const char *path, struct steme_error *err)
{
    (void)host;
    if (mkdir(path, 0755)) return failed(err, true, "can't make the directory %s", path);
    return STEME_OK;
}

static steme_status sync_dir(struct host *host, const char *path, struct steme_error *err)
{
    (void)host;
    int descriptor = -1;
    steme_status status = open_dir(path, &descriptor, err);
    if (status) return status;
    if (fsync(descriptor)) status = failed(err, true, "can't sync the directory %s to stable storage", path);
    close(descriptor);
    return status;
}

static steme_status rename_path(struct host *host, const char *from, const char *to, struct steme_error *err)
{
    (void)host;
    if (rename(from, to)) return failed(err, true, "can't rename %s to %s", from, to);
    return STEME_OK;
}

static steme_status remove_path(struct host *host, const char *path, struct steme_error *err)
{
    (void)host;
    if (remove(path)) return failed(err, true, "can't remove %s", path);
    return STEME_OK;
}

static struct timespec read_clock(clockid_t clock)
{
    struct timespec now;
    int result = clock_gettime(clock, &now);
    invariant(result == 0); /* fails only for a clock that does not exist */
    return now;
}

static int64_t wall_us(struct host *host)
{
    (void)host;
    struct timespec now = read_clock(CLOCK_REALTIME);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static uint64_t monotonic_ns(struct host *host)
{
    (void)host;
    struct timespec now = read_clock(CLOCK_MONOTONIC);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static steme_status random_bytes(struct host *host, void *to, size_t size, struct steme_error *err)
{
    (void)host;
    uint8_t *at = to;
    while (size > 0) {
        ssize_t got = getrandom(at, size, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return failed(err, false, "can't get random bytes from the system");
        at += got;
        size -= (size_t)got;
    }
    return STEME_OK;
}

static steme_status boot_id(struct host *host, struct steme_hash *out, struct steme_error *err)
{
    struct host_file *file = NULL;
    char text[64];
    size_t got = 0;
    steme_status status = open_file(host, "/proc/sys/kernel/random/boot_id", HOST_READ, &file, err);
    if (status) goto done;
    status = read_at(file, 0, text, sizeof text, &got, err);
    if (status) goto done;
    if (got == 0) {
        status = error_set(err, STEME_IO, "the system does not say which start of it this is");
        goto done;
    }
    *out = hash_one(slice_of(text, got));
done:
    if (file) close_file(file);
    return status ? error_wrap(err, status, "while asking for the boot id") : STEME_OK;
}

static int64_t process_id(struct host *host)
{
    (void)host;
    return getpid();
}

struct host *host_posix(void)
{
    static const struct host_ops ops = {
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
    static struct host host = { &ops };
    return &host;
}
