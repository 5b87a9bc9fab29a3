/* SPDX-License-Identifier: Apache-2.0 */
/* Loaded before a program (LD_PRELOAD), makes its nth call of a kind fail, be interrupted, or move fewer bytes than
 * asked. What the C library calls inside itself does not come here. Any thread.
 *   SHIM_CALL    the kind: a name of the table below
 *   SHIM_NTH     1 = the first call of that kind
 *   SHIM_EFFECT  EIO, ENOSPC, EINTR, or SHORT: at least one byte, about half
 *   SHIM_TIMES   so many calls in a row; 0: all from then on
 *   SHIM_HIT     file that is made when something was done
 *   SHIM_MARK    text for standard output when a sync was made to fail, so that what comes after it can be told */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

enum kind {
    OPEN,
    READ,
    PREAD,
    WRITE,
    PWRITE,
    WRITEV,
    PWRITEV,
    FSYNC,
    FDATASYNC,
    MSYNC,
    FTRUNCATE,
    FALLOCATE,
    RENAME,
    REMOVE,
    MKDIR,
    MMAP,
    FLOCK,
    FCNTL,
    STAT,
    FSTAT,
    READDIR,
    LSEEK,
    FSTATFS,
    KINDS
};
static const char *const names[KINDS] = {
    "open",      "read",  "pread",     "write",     "pwrite",  "writev", "pwritev", "fsync",
    "fdatasync", "msync", "ftruncate", "fallocate", "rename",  "remove", "mkdir",   "mmap",
    "flock",     "fcntl", "stat",      "fstat",     "readdir", "lseek",  "fstatfs",
};
enum { PIECES_MAX = 1024, SHORT = -1 };

static enum kind target = KINDS;
static long nth, times;
static int effect; /* an errno, or SHORT */
static _Atomic long calls;

__attribute__((constructor)) static void begin(void)
{
    const char *call = getenv("SHIM_CALL"), *number = getenv("SHIM_NTH"), *what = getenv("SHIM_EFFECT");
    const char *row = getenv("SHIM_TIMES");
    if (!call || !number || !what) return;
    nth = strtol(number, NULL, 10);
    times = row ? strtol(row, NULL, 10) : 1;
    effect = strcmp(what, "EIO") == 0    ? EIO
           : strcmp(what, "ENOSPC") == 0 ? ENOSPC
           : strcmp(what, "EINTR") == 0  ? EINTR
                                         : SHORT;
    for (int kind = 0; kind < KINDS; kind++)
        if (strcmp(call, names[kind]) == 0) target = (enum kind)kind;
}

static void tell(enum kind kind)
{
    const char *hit = getenv("SHIM_HIT"), *mark = getenv("SHIM_MARK");
    long file = hit ? syscall(SYS_openat, AT_FDCWD, hit, O_WRONLY | O_CREAT | O_CLOEXEC, 0644) : -1;
    if (file >= 0) syscall(SYS_close, file);
    if (mark && (kind == FSYNC || kind == FDATASYNC || kind == MSYNC))
        syscall(SYS_write, STDOUT_FILENO, mark, strlen(mark));
}

/* What to do to this call: 0 for nothing, an errno, or SHORT. */
static int strike(enum kind kind)
{
    if (kind != target) return 0;
    long call = atomic_fetch_add(&calls, 1) + 1;
    if (call < nth || (times && call >= nth + times)) return 0;
    tell(kind);
    if (effect != SHORT) errno = effect;
    return effect;
}

static size_t shorten(int struck, size_t size) { return struck == SHORT && size > 1 ? size / 2 : size; }

/* The first about half of the bytes of all pieces. */
static int shorten_pieces(int struck, const struct iovec *pieces, int count, struct iovec *out)
{
    size_t whole = 0;
    for (int i = 0; i < count; i++)
        whole += pieces[i].iov_len;
    size_t left = shorten(struck, whole);
    int kept = 0;
    for (; kept < count && left > 0; kept++) {
        out[kept] = pieces[kept];
        if (out[kept].iov_len > left) out[kept].iov_len = left;
        left -= out[kept].iov_len;
    }
    return kept;
}

/* The function of that name that comes after ours. The union is what the standard leaves of such a cast. */
#define NEXT(type, name)           \
    union {                        \
        void *found;               \
        __typeof__(type) function; \
    } next = { dlsym(RTLD_NEXT, name) }

#define PASS(kind, failure, result, name, parameters, arguments) \
    result name parameters                                       \
    {                                                            \
        NEXT(result(*) parameters, #name);                       \
        if (strike(kind) > 0) return failure;                    \
        return next.function arguments;                          \
    }

#define PASS_SIZED(kind, name, parameters, arguments) \
    ssize_t name parameters                           \
    {                                                 \
        NEXT(ssize_t(*) parameters, #name);           \
        int struck = strike(kind);                    \
        if (struck > 0) return -1;                    \
        size = shorten(struck, size);                 \
        return next.function arguments;               \
    }

#define PASS_PIECES(kind, name, parameters, arguments)            \
    ssize_t name parameters                                       \
    {                                                             \
        struct iovec fewer[PIECES_MAX];                           \
        NEXT(ssize_t(*) parameters, #name);                       \
        int struck = strike(kind);                                \
        if (struck > 0) return -1;                                \
        if (struck == SHORT && count <= PIECES_MAX) {             \
            count = shorten_pieces(struck, pieces, count, fewer); \
            pieces = fewer;                                       \
        }                                                         \
        return next.function arguments;                           \
    }

#define PASS_OPEN(name)                                               \
    int name(const char *path, int flags, ...)                        \
    {                                                                 \
        va_list rest;                                                 \
        NEXT(int (*)(const char *, int, ...), #name);                 \
        va_start(rest, flags);                                        \
        unsigned mode = flags & O_CREAT ? va_arg(rest, unsigned) : 0; \
        va_end(rest);                                                 \
        if (strike(OPEN) > 0) return -1;                              \
        return next.function(path, flags, mode);                      \
    }

PASS_OPEN(open)
PASS_OPEN(open64)
PASS_SIZED(READ, read, (int file, void *to, size_t size), (file, to, size))
PASS_SIZED(PREAD, pread, (int file, void *to, size_t size, off_t at), (file, to, size, at))
PASS_SIZED(PREAD, pread64, (int file, void *to, size_t size, off64_t at), (file, to, size, at))
PASS_SIZED(WRITE, write, (int file, const void *from, size_t size), (file, from, size))
PASS_SIZED(PWRITE, pwrite, (int file, const void *from, size_t size, off_t at), (file, from, size, at))
PASS_SIZED(PWRITE, pwrite64, (int file, const void *from, size_t size, off64_t at), (file, from, size, at))
PASS_PIECES(WRITEV, writev, (int file, const struct iovec *pieces, int count), (file, pieces, count))
PASS_PIECES(PWRITEV, pwritev, (int file, const struct iovec *pieces, int count, off_t at), (file, pieces, count, at))
PASS_PIECES(PWRITEV, pwritev64, (int file, const struct iovec *pieces, int count, off64_t at),
            (file, pieces, count, at))
PASS(FSYNC, -1, int, fsync, (int file), (file))
PASS(FDATASYNC, -1, int, fdatasync, (int file), (file))
PASS(MSYNC, -1, int, msync, (void *at, size_t size, int flags), (at, size, flags))
PASS(FTRUNCATE, -1, int, ftruncate, (int file, off_t size), (file, size))
PASS(FTRUNCATE, -1, int, ftruncate64, (int file, off64_t size), (file, size))
PASS(FALLOCATE, -1, int, fallocate64, (int file, int mode, off64_t at, off64_t size), (file, mode, at, size))
PASS(RENAME, -1, int, rename, (const char *from, const char *to), (from, to))
PASS(REMOVE, -1, int, remove, (const char *path), (path))
PASS(MKDIR, -1, int, mkdir, (const char *path, mode_t mode), (path, mode))
PASS(MMAP, MAP_FAILED, void *, mmap, (void *at, size_t size, int how, int flags, int file, off_t from),
     (at, size, how, flags, file, from))
PASS(MMAP, MAP_FAILED, void *, mmap64, (void *at, size_t size, int how, int flags, int file, off64_t from),
     (at, size, how, flags, file, from))
PASS(FLOCK, -1, int, flock, (int file, int operation), (file, operation))
PASS(STAT, -1, int, lstat64, (const char *path, struct stat64 *out), (path, out))
PASS(STAT, -1, int, fstatat64, (int dir, const char *path, struct stat64 *out, int flags), (dir, path, out, flags))
PASS(FSTAT, -1, int, fstat64, (int file, struct stat64 *out), (file, out))
PASS(FSTAT, -1, int, __fxstat, (int version, int file, struct stat *out), (version, file, out))
PASS(READDIR, NULL, struct dirent64 *, readdir64, (DIR * dir), (dir))
PASS(LSEEK, -1, off_t, lseek, (int file, off_t at, int from), (file, at, from))
PASS(FSTATFS, -1, int, fstatfs, (int file, struct statfs *out), (file, out))

int fcntl(int file, int command, ...)
{
    va_list rest;
    NEXT(int (*)(int, int, ...), "fcntl");
    va_start(rest, command);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    if (strike(FCNTL) > 0) return -1;
    return next.function(file, command, argument);
}
