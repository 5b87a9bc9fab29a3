/* SPDX-License-Identifier: Apache-2.0 */
#include "faces/cli/rejects.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

static steme_status report(const char *path, int os_errno, struct steme_error *err)
{
    return error_set_os(err, os_errno == ENOSPC ? STEME_NO_SPACE : STEME_IO, os_errno,
                        "can't write the file of rejects, %.300s", path);
}

steme_status rejects_init(struct rejects *rejects, const char *path, int input, struct steme_error *err)
{
    struct stat there, read_from;
    *rejects = (struct rejects){ .path = path };
    if (!path) return STEME_OK;
    if (stat(path, &there) != 0) return errno == ENOENT ? STEME_OK : report(path, errno, err);
    if (fstat(input, &read_from) != 0) return error_set_os(err, STEME_IO, errno, "can't look at the input");
    if (S_ISREG(there.st_mode) && there.st_dev == read_from.st_dev && there.st_ino == read_from.st_ino)
        return error_set(err, STEME_BAD_INPUT,
                         "--rejects names the file that is read, %.300s, which would be lost: name another", path);
    if (S_ISDIR(there.st_mode)) return report(path, EISDIR, err);
    return access(path, W_OK) == 0 ? STEME_OK : report(path, errno, err);
}

void rejects_add(struct rejects *rejects, uint64_t line, const char *reason)
{
    if (!rejects->path || rejects->os_errno) return;
    if (!rejects->file) rejects->file = fopen(rejects->path, "wb");
    if (!rejects->file || fprintf(rejects->file, "%" PRIu64 "\t%s\n", line, reason) < 0)
        rejects->os_errno = errno ? errno : EIO;
}

steme_status rejects_close(struct rejects *rejects, struct steme_error *err)
{
    FILE *file = rejects->file;
    int os_errno = rejects->os_errno;
    rejects->file = NULL;
    if (file && fclose(file) != 0 && !os_errno) os_errno = errno ? errno : EIO;
    return os_errno ? report(rejects->path, os_errno, err) : STEME_OK;
}
