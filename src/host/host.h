/* SPDX-License-Identifier: Apache-2.0 */
/* The world behind one table of functions: files, clocks, randomness, process identity. Nothing else in
 * the engine may ask the operating system for these, so a simulated host can replay any run from a seed.
 * host_posix() is the real one; host_mem keeps files in memory and can lose what was not synced.
 *
 * Paths are UTF-8 C strings, relative to the working directory or absolute. The last component of a path is
 * never followed if it is a symbolic link, and only regular files are opened. Functions are
 * thread-safe; one file may be read by many threads while one writes. EINTR and short transfers are
 * finished inside. Statuses: STEME_IO with errno unless said otherwise; ENOSPC/EDQUOT become STEME_NO_SPACE,
 * EROFS/EACCES/EPERM on a write STEME_READ_ONLY, ENOENT STEME_NOT_FOUND, EEXIST STEME_EXISTS. */
#ifndef HOST_HOST_H
#define HOST_HOST_H

#include "base/arena.h"
#include "base/error.h"
#include "steme/types.h"

#include <stdbool.h>
#include <stdint.h>

struct host;

/* Embedded first in each implementation's file object. */
struct host_file {
    struct host *host;
};

enum host_open {
    HOST_READ = 0,
    HOST_WRITE = 1,     /* reading too */
    HOST_CREATE = 2,    /* with HOST_WRITE: make it if it is not there, mode 0644 */
    HOST_EXCLUSIVE = 4, /* with HOST_CREATE: STEME_EXISTS if it is there */
    HOST_PRIVATE = 8    /* with HOST_CREATE: mode 0600, for secret keys */
};

enum host_kind { HOST_KIND_FILE, HOST_KIND_DIR, HOST_KIND_OTHER };

struct host_stat {
    enum host_kind kind;
    uint64_t size_bytes;
    uint64_t device, inode; /* together they tell one file from another */
    bool exposed;           /* others than its owner may read or write it */
};

struct host_entry {
    const char *name; /* in the caller's arena, NUL-terminated */
    enum host_kind kind;
};

struct host_ops {
    steme_status (*open)(struct host *, const char *path, unsigned flags, struct host_file **file_out,
                         struct steme_error *);
    void (*close)(struct host_file *);
    steme_status (*read_at)(struct host_file *, uint64_t offset, void *to, size_t size, size_t *got_out,
                            struct steme_error *);
    steme_status (*write_at)(struct host_file *, uint64_t offset, const struct steme_slice *pieces, size_t count,
                             struct steme_error *);
    steme_status (*sync)(struct host_file *, struct steme_error *);
    steme_status (*size)(struct host_file *, uint64_t *size_out, struct steme_error *);
    steme_status (*truncate)(struct host_file *, uint64_t size, struct steme_error *);
    steme_status (*allocate)(struct host_file *, uint64_t size, struct steme_error *);
    steme_status (*map)(struct host_file *, uint64_t size, const uint8_t **data_out, struct steme_error *);
    void (*unmap)(struct host *, const uint8_t *data, uint64_t size);
    steme_status (*lock)(struct host_file *, struct steme_error *);

    steme_status (*stat)(struct host *, const char *path, struct host_stat *out, struct steme_error *);
    steme_status (*list)(struct host *, const char *dir, struct arena *, struct host_entry **entries_out,
                         size_t *count_out, struct steme_error *);
    steme_status (*make_dir)(struct host *, const char *path, struct steme_error *);
    steme_status (*sync_dir)(struct host *, const char *path, struct steme_error *);
    steme_status (*rename)(struct host *, const char *from, const char *to, struct steme_error *);
    steme_status (*remove)(struct host *, const char *path, struct steme_error *);

    int64_t (*wall_us)(struct host *);
    uint64_t (*monotonic_ns)(struct host *);
    steme_status (*random)(struct host *, void *to, size_t size, struct steme_error *);
    steme_status (*boot_id)(struct host *, struct steme_hash *out, struct steme_error *);
    int64_t (*process_id)(struct host *);
};

struct host {
    const struct host_ops *ops;
};

/* The real world. Static storage; never closed. */
struct host *host_posix(void);

/* Thin wrappers in host.c check the promises once (flags, overflow, NULL) and call the table. */

/* *file_out is the caller's until host_close(). */
MUST_CHECK steme_status host_open(struct host *, const char *path, unsigned flags, struct host_file **file_out,
                                  struct steme_error *);
/* Takes the file; NULL is fine; *file is NULL afterwards. A lock it held is released. */
void host_close(struct host_file **file);
/* Reads up to size bytes; *got_out < size only at the end of the file. */
MUST_CHECK steme_status host_read_at(struct host_file *, uint64_t offset, void *to, size_t size, size_t *got_out,
                                     struct steme_error *);
/* Writes all pieces, one behind the other, or fails; after a failure any part may be in the file. */
MUST_CHECK steme_status host_write_at(struct host_file *, uint64_t offset, const struct steme_slice *pieces,
                                      size_t count, struct steme_error *);
/* fdatasync: data and size are on stable storage. Never call it again on a file for which it failed. */
MUST_CHECK steme_status host_sync(struct host_file *, struct steme_error *);
MUST_CHECK steme_status host_size(struct host_file *, uint64_t *size_out, struct steme_error *);
MUST_CHECK steme_status host_truncate(struct host_file *, uint64_t size, struct steme_error *);
/* Reserve blocks so that the file is at least size bytes and reads as zeros past its old end. */
MUST_CHECK steme_status host_allocate(struct host_file *, uint64_t size, struct steme_error *);
/* size bytes of the file, read-only and shared: later writes through the file show. size is at most the
 * file's size now. The mapping outlives the file handle; end it with host_unmap(). */
MUST_CHECK steme_status host_map(struct host_file *, uint64_t size, const uint8_t **data_out, struct steme_error *);
void host_unmap(struct host *, const uint8_t *data, uint64_t size);
/* Exclusive advisory lock (flock), at once or STEME_LOCKED. Held until close, or the process ends. */
MUST_CHECK steme_status host_lock(struct host_file *, struct steme_error *);

MUST_CHECK steme_status host_stat(struct host *, const char *path, struct host_stat *out, struct steme_error *);
/* Entries of a directory without "." and "..", sorted by name, in the arena. */
MUST_CHECK steme_status host_list(struct host *, const char *dir, struct arena *, struct host_entry **entries_out,
                                  size_t *count_out, struct steme_error *);
MUST_CHECK steme_status host_make_dir(struct host *, const char *path, struct steme_error *);
/* The directory's entries are on stable storage. */
MUST_CHECK steme_status host_sync_dir(struct host *, const char *path, struct steme_error *);
MUST_CHECK steme_status host_rename(struct host *, const char *from, const char *to, struct steme_error *);
/* file or empty directory */
MUST_CHECK steme_status host_remove(struct host *, const char *path, struct steme_error *);

/* Whole small file. read: at most ceiling_bytes (STEME_TOO_LARGE), into the arena. write: to a temporary
 * name beside it (path + ".tmp"), synced, renamed over path, directory synced: a crash leaves the old file or the
 * new. extra_flags: 0 or HOST_PRIVATE. One caller at a time for one path. */
MUST_CHECK steme_status host_read_file(struct host *, const char *path, size_t ceiling_bytes, struct arena *,
                                       struct steme_slice *out, struct steme_error *);
MUST_CHECK steme_status host_replace_file(struct host *, const char *path, unsigned extra_flags,
                                          struct steme_slice bytes, struct steme_error *);

int64_t host_wall_us(struct host *);       /* microseconds since 1970 UTC; may jump */
uint64_t host_monotonic_ns(struct host *); /* never decreases; for intervals */
MUST_CHECK steme_status host_random(struct host *, void *to, size_t size, struct steme_error *);
/* Changes with every start of the system: tells a killed process from a lost power supply. */
MUST_CHECK steme_status host_boot_id(struct host *, struct steme_hash *out, struct steme_error *);
int64_t host_process_id(struct host *);

/* "dir/name" in the arena; NULL when it is full. */
const char *host_join(struct arena *, const char *dir, const char *name);

#endif
