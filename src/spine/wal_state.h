/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the log share: wal.c opens and appends, wal_read.c reads, wal_verify.c checks. */
#ifndef SPINE_WAL_STATE_H
#define SPINE_WAL_STATE_H

#include "host/gate.h"
#include "spine/batch_scan.h"
#include "spine/quarantine.h"
#include "spine/segment_tail.h"
#include "spine/wal.h"

#define WAL_PROVEN 1024u

struct wal {
    struct host *host;
    char *wal_dir; /* "dir/wal" */
    struct steme_hash store_id;
    bool read_only;
    struct segment_table table;
    struct quarantine quarantine; /* what lies there, as found when opening */
    pthread_mutex_t quarantine_lock;
    struct segment_tail tail; /* the committing thread's */
    struct commit *commit;    /* NULL when read_only */

    pthread_mutex_t durable_lock; /* guards durable */
    struct wal_mark durable;
    _Atomic uint64_t durable_location; /* the same one, for readers in a hurry */
    struct gate durable_gate;          /* last durable sequence number */

    _Atomic uint64_t appended_records, appended_bytes, batches, reads;
    /* Locations of batches whose header passed its check since opening, each in the one place it can have: many frames
     * of one batch are read one by one, and bytes below the durable mark don't change. */
    _Atomic uint64_t proven[WAL_PROVEN];
};

/* What may be read of a segment: all of it, or what lies below the durable mark at `durable`. Empty when nothing
 * does. */
MUST_CHECK steme_status wal_bytes(struct wal *wal, struct segment *segment, uint64_t durable, struct steme_slice *out,
                                  struct steme_error *err);

/* Set a walk that stands at the start of a segment, with the number and hash of what came before: it begins with what
 * the header says, if that is good and does not go back, as recovery begins; else what follows is believed by what it
 * says itself. */
void wal_begin_segment(const struct segment *segment, struct batch_scan *walk);

#endif
