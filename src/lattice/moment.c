/* SPDX-License-Identifier: Apache-2.0 */
#include "lattice/moment.h"

#include "base/slice.h"
#include "lattice/keys.h"

/* Last batch row with first_sequence < below. */
static steme_status batch_below(struct kv_txn *txn, uint64_t below, struct batch_row *out, struct steme_error *err)
{
    static const uint8_t tag[] = { 'R' };
    struct key_bytes key;
    struct kv_pair pair;
    key_of_batch(&key, below);
    steme_status status = kv_last(txn, slice_of(tag, sizeof tag), key_slice(&key), &pair, err);
    return status ? status : row_batch(pair.key, pair.value, out, err);
}

/* Whether the index has the record of this frame, and just there. */
static bool vouches(struct kv_txn *txn, const struct wal_entry *frame)
{
    struct key_bytes key;
    struct steme_slice value;
    uint64_t location = 0;
    key_of_id(&key, frame->id.bytes);
    return kv_get(txn, key_slice(&key), &value, NULL) == STEME_OK && row_id(value, NULL, &location, NULL) == STEME_OK &&
           location == frame->location;
}

steme_status moment_frame(struct wal *wal, struct kv_txn *txn, uint64_t location, struct wal_entry *out,
                          struct steme_error *err)
{
    enum { STEP_BYTES = 64 }; /* frames begin at its multiples */
    struct wal_entry frame;
    steme_status status = wal_read(wal, location, &frame, err);
    uint64_t end = location + STEME_BATCH_BYTES_MAX, durable = wal_durable(wal).location;
    if (end > durable) end = durable;
    for (uint64_t at = location + STEP_BYTES; (status == STEME_NOT_FOUND || status == STEME_CORRUPT) && at < end;
         at += STEP_BYTES) {
        if (wal_read(wal, at, &frame, NULL)) continue;
        if (frame.batch_location > location) return STEME_NOT_FOUND;
        /* The index tells a frame from bytes inside of a record that look like one. */
        if (vouches(txn, &frame)) status = STEME_OK;
    }
    if (!status) *out = frame;
    return status == STEME_CORRUPT ? STEME_NOT_FOUND : status;
}

/* Location behind the record with this sequence, walking its batch. */
static steme_status limit_of_sequence(struct wal *wal, struct kv_txn *txn, uint64_t sequence, uint64_t *limit,
                                      struct steme_error *err)
{
    struct batch_row batch = { 0 };
    struct wal_entry frame = { 0 };
    if (sequence >= UINT64_MAX - 1) return STEME_OK;
    steme_status status = batch_below(txn, sequence + 1, &batch, err);
    if (status && status != STEME_NOT_FOUND) return status;
    *limit = batch.location; /* 0 where there is none */
    while (!status && !frame.batch_last) {
        status = moment_frame(wal, txn, *limit, &frame, err);
        if (status || frame.sequence > sequence) break;
        *limit = frame.next_location;
    }
    return status == STEME_NOT_FOUND ? STEME_OK : status;
}

/* First sequence received after that time: receive times never fall, so halving finds it. */
static steme_status sequence_at_time(struct kv_txn *txn, int64_t received_us, uint64_t *sequence,
                                     struct steme_error *err)
{
    struct batch_row batch;
    /* batches that begin below low are early enough; at or past high too late */
    uint64_t low = 0, high = UINT64_MAX - 1;
    steme_status status = batch_below(txn, high, &batch, err);
    if (status == STEME_NOT_FOUND) return STEME_OK;
    if (status || batch.received_at_us <= received_us) return status;
    high = batch.first_sequence;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        status = batch_below(txn, middle + 1, &batch, err);
        if (status && status != STEME_NOT_FOUND) return status;
        if (status == STEME_NOT_FOUND || batch.received_at_us <= received_us)
            low = middle + 1;
        else
            high = batch.first_sequence;
    }
    *sequence = high ? high - 1 : 0;
    return STEME_OK;
}

steme_status moment_limit(struct wal *wal, struct kv_txn *txn, uint64_t sequence, int64_t received_us,
                          uint64_t *limit_out, uint64_t *sequence_out, struct steme_error *err)
{
    uint64_t limit = UINT64_MAX, timed = UINT64_MAX;
    steme_status status = STEME_OK;
    if (received_us != STEME_TIME_MAX) status = sequence_at_time(txn, received_us, &timed, err);
    if (timed < sequence) sequence = timed;
    if (!status) status = limit_of_sequence(wal, txn, sequence, &limit, err);
    if (status) return status;
    *limit_out = limit;
    *sequence_out = sequence;
    return STEME_OK;
}

steme_status moment_received(struct kv_txn *txn, uint64_t sequence, int64_t *out, struct steme_error *err)
{
    struct batch_row batch = { 0 };
    steme_status status = batch_below(txn, sequence < UINT64_MAX ? sequence + 1 : sequence, &batch, err);
    if (!status) *out = batch.received_at_us;
    return status;
}
