/* SPDX-License-Identifier: Apache-2.0 */
/* Transaction time: which records of the log a moment has, by sequence number or time of receipt. Read from the index's
 * rows about batches, and the frames of one batch. STEME_CORRUPT: the index lies. */
#ifndef LATTICE_MOMENT_H
#define LATTICE_MOMENT_H

#include "base/error.h"
#include "spine/kv.h"
#include "spine/wal.h"

/* Location behind the last record with at most this sequence number, received by then: a limit, UINT64_MAX for none.
 * sequence UINT64_MAX and received_us STEME_TIME_MAX do not bound. *sequence_out: the sequence number that bounds. */
MUST_CHECK steme_status moment_limit(struct wal *wal, struct kv_txn *txn, uint64_t sequence, int64_t received_us,
                                     uint64_t *limit_out, uint64_t *sequence_out, struct steme_error *err);
/* When the last record with at most this sequence number was received. STEME_NOT_FOUND: there is none. */
MUST_CHECK steme_status moment_received(struct kv_txn *txn, uint64_t sequence, int64_t *out, struct steme_error *err);

/* The frame at a location, or where that is damaged the next sound one of its batch that the index knows.
 * STEME_NOT_FOUND: the batch has no more. */
MUST_CHECK steme_status moment_frame(struct wal *wal, struct kv_txn *txn, uint64_t location, struct wal_entry *out,
                                     struct steme_error *err);

#endif
