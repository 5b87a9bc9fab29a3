/* SPDX-License-Identifier: Apache-2.0 */
/* What an errno means to the engine, the same for the real host and for the errno a simulated one is told to
 * fail with. Pure; any thread. */
#ifndef HOST_OS_ERRNO_H
#define HOST_OS_ERRNO_H

#include "steme/status.h"

#include <errno.h>
#include <stdbool.h>

/* writing: the call was to change something, so a refusal means that the place is read-only to us. */
STEME_MUST_CHECK static inline steme_status os_errno_status(int os_errno, bool writing)
{
    switch (os_errno) {
    case ENOENT: return STEME_NOT_FOUND;
    case EEXIST: return STEME_EXISTS;
    case ENOSPC:
    case EDQUOT: return STEME_NO_SPACE;
    case ENOMEM: return STEME_NO_MEMORY;
    case EROFS:
    case EACCES:
    case EPERM: return writing ? STEME_READ_ONLY : STEME_IO;
    default: return STEME_IO;
    }
}

#endif
