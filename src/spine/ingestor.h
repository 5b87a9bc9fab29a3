/* SPDX-License-Identifier: Apache-2.0 */
/* The ingestor tails the durable part of the log and applies it to the KV store, some thousand records in one write
 * transaction: rows and the applied mark are committed together, so the index may lag the log but never lead it, and
 * applying twice changes nothing. What rows a record amounts to is the sink's business. A step is bounded work without
 * waiting or threads; db/runner loops it. One thread at a time. */
#ifndef SPINE_INGESTOR_H
#define SPINE_INGESTOR_H

#include "base/arena.h"
#include "spine/kv.h"
#include "spine/wal.h"

/* Records of one transaction: a B-tree wants many (the price of a commit is shared), memory and readers want few. */
#define INGESTOR_STEP_RECORDS 10000u

struct ingestor_sink {
    void *context;
    /* Put the rows of entries[0..count) and the mark `after` into txn. Anything but STEME_OK aborts the transaction. A
     * record that can't be applied is no failure: it becomes a dead letter. */
    steme_status (*apply)(void *context, struct kv_txn *txn, const struct wal_entry *entries, size_t count,
                          const struct wal_mark *after, struct steme_error *err);
};

struct ingestor {
    struct wal *wal;
    struct kv *kv;
    struct ingestor_sink sink;
    struct wal_mark applied; /* everything before it is in the index */
    struct arena arena;      /* entries of one step */
    uint64_t skipped;        /* frames the scan left out since init: damaged ones */
};

/* wal and kv stay the caller's and must outlive it. applied: what the store holds now. */
void ingestor_init(struct ingestor *in, struct wal *wal, struct kv *kv, struct ingestor_sink sink,
                   const struct wal_mark *applied);
void ingestor_deinit(struct ingestor *in);

/* Apply the next records, about INGESTOR_STEP_RECORDS; *count_out is how many, 0 when the log has no more.
 * STEME_MISMATCH: the log does not know our mark, the index belongs to another log. STEME_CORRUPT: the index lies.
 * Both: discard the index and rebuild. On any failure nothing was applied. */
MUST_CHECK steme_status ingestor_step(struct ingestor *in, size_t *count_out, struct steme_error *err);

#endif
