/* SPDX-License-Identifier: Apache-2.0 */
/* Group commit: many callers hand in records, and what has come together is written by one of them.
 *
 * There are two areas. Callers copy their records into the one that fills while the other one is being written, so
 * a group grows for as long as the disk takes for the group before it. Who finds nobody writing writes at once; when
 * more has come in meanwhile, a background thread goes on, or, without one, a caller of the next group does. A
 * group's callers sleep on one word and wake together in one system call, while the disk is busy with the group after
 * them if there is one. Any thread. */
#ifndef SPINE_COMMIT_H
#define SPINE_COMMIT_H

#include "spine/wal.h"

struct commit;

/* Where a group came to lie. */
struct commit_place {
    uint64_t location;       /* of its first byte */
    uint64_t first_sequence; /* of its first record */
};

struct commit_options {
    uint32_t bytes_max;   /* of one group with its header; an area of this size is reserved twice */
    uint32_t records_max; /* of one group */
    bool committer;       /* start the background thread */
    /* Write a group: `bytes` are BATCH_HEADER_BYTES of room, then `count` frames as frame_write() makes them. Called by
     * one thread at a time, in order. STEME_NO_SPACE, STEME_NO_MEMORY: nothing was written, and a later group may
     * succeed. Any other failure: nobody knows, and neither of the two is ever called again. */
    steme_status (*write)(void *context, uint8_t *bytes, uint32_t size, uint32_t count, struct commit_place *out,
                          struct steme_error *err);
    /* Make the group that was written last durable; by the same thread. Of a failure the same holds. */
    steme_status (*sync)(void *context, struct steme_error *err);
    void *context;
};

MUST_CHECK steme_status commit_new(const struct commit_options *options, struct commit **out, struct steme_error *err);
/* Stops the thread, frees; NULL is fine; *commit is NULL afterwards. Nobody may be inside commit_append(). */
void commit_free(struct commit **commit);

/* As wal_append(). */
MUST_CHECK steme_status commit_append(struct commit *commit, const struct wal_record *records, size_t count,
                                      struct wal_place *places, struct steme_error *err);
/* Whether a write failed, so that nothing will be appended any more. */
bool commit_sealed(struct commit *commit);

#endif
