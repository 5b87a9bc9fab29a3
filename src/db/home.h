/* SPDX-License-Identifier: Apache-2.0 */
/* A store's directory: what is in it, who it is, and who has it open.
 *
 *   store         five lines of text: what it is, format, id, when it was made, check (docs/format/store.md). Written
 *                 last by steme_create(), so a directory without it is no store
 *   lock          flock: the one writer; holds its process id
 *   index.lock    flock: who brings the index on disk up to date
 *   wal/ quarantine/ index/ keys/
 *
 * Lock files are never removed: a lock on a removed file excludes nobody. */
#ifndef DB_HOME_H
#define DB_HOME_H

#include "base/arena.h"
#include "base/error.h"
#include "host/host.h"

#define HOME_FORMAT 1u

struct home_identity {
    struct steme_hash id;
    int64_t created_at_us;
};

MUST_CHECK steme_status home_create(struct host *host, const char *dir, struct home_identity *out,
                                    struct steme_error *err);
/* Write the identity: from now on the directory is a store. */
MUST_CHECK steme_status home_finish(struct host *host, const char *dir, const struct home_identity *identity,
                                    struct steme_error *err);
/* STEME_NOT_FOUND: no store. STEME_NEWER: of a later format. STEME_CORRUPT: the file is damaged. */
MUST_CHECK steme_status home_identify(struct host *host, const char *dir, struct home_identity *out,
                                      struct steme_error *err);

/* Take the lock `name`, waiting up to wait_ms for its holder. STEME_LOCKED names the holder's process id. */
MUST_CHECK steme_status home_lock(struct host *host, const char *dir, const char *name, uint32_t wait_ms,
                                  struct host_file **out, struct steme_error *err);

#endif
