/* SPDX-License-Identifier: Apache-2.0 */
#include "spine/ingestor.h"

#include "base/check.h"

/* Entries point into the mapped log, so a step's own memory is their list and the sink's scratch. */
enum { STEP_CEILING_BYTES = 256 << 20 };

void ingestor_init(struct ingestor *in, struct wal *wal, struct kv *kv, struct ingestor_sink sink,
                   const struct wal_mark *applied)
{
    *in = (struct ingestor){ .wal = wal, .kv = kv, .sink = sink, .applied = *applied };
    arena_init(&in->arena, STEP_CEILING_BYTES);
}

void ingestor_deinit(struct ingestor *in)
{
    arena_deinit(&in->arena);
    *in = (struct ingestor){ 0 };
}

static steme_status apply_once(struct ingestor *in, const struct wal_entry *entries, size_t count,
                               const struct wal_mark *after, struct steme_error *err)
{
    struct kv_txn *txn = NULL;
    steme_status status = kv_begin(in->kv, KV_WRITE, &txn, err);
    if (status) goto done;
    status = in->sink.apply(in->sink.context, txn, entries, count, after, err);
    if (status) goto done;
    status = kv_commit(&txn, err); /* rows and the applied mark share one commit */
done:
    kv_abort(&txn);
    return status;
}

steme_status ingestor_step(struct ingestor *in, size_t *count_out, struct steme_error *err)
{
    struct arena_mark start = arena_mark(&in->arena);
    struct wal_mark after = in->applied;
    struct wal_entry *entries = NULL;
    size_t count = 0;
    uint64_t skipped = 0;
    steme_status status = wal_scan(in->wal, &after, INGESTOR_STEP_RECORDS, &in->arena, &entries, &count, &skipped, err);
    if (status) goto done;
    bool moved = after.location != in->applied.location;
    if (moved) status = apply_once(in, entries, count, &after, err);
    /* A store whose map was full grows when the next transaction begins: one more try with the room it made. */
    if (moved && status == STEME_NO_SPACE) status = apply_once(in, entries, count, &after, err);
    if (status) goto done;
    in->applied = after;
    in->skipped += skipped;
    *count_out = count;
    /* Invariant: the index may lag the log, never lead it. Lagging costs a replay after a crash; leading would leave
     * rows whose cause is lost. */
    invariant(in->applied.location <= wal_durable(in->wal).location);
done:
    arena_rewind(&in->arena, start);
    return status;
}
