/* SPDX-License-Identifier: Apache-2.0 */
/* Projection: the rows of the index that a record amounts to. A row is a pure function of its record and its place in
 * the log, never of what came before; therefore the order of arrival can't matter, a vote may come before its
 * assertion, and online ingestion and bulk rebuild share this one rule. The two ways differ only in how rows reach the
 * store. Y rows (lattice/tally.h) are functions of sets of such rows, which is as good.
 *
 * Copies of one record: only the first copy in the log has rows. */
#ifndef LATTICE_PROJECTION_H
#define LATTICE_PROJECTION_H

#include "base/arena.h"
#include "lattice/keys.h"
#include "model/identity.h"
#include "spine/ingestor.h"
#include "spine/kv.h"
#include "spine/wal.h"

/* A record prepared: decoded, and its identities hashed. Lives in the arena, borrows the log's bytes. */
struct projected {
    enum steme_type type;
    const char *dead;         /* NULL, or why it can't be applied; static text */
    struct identity identity; /* of an assertion */
    struct assertion_view view;
};

/* Prepare entries[0..count), their identities hashed side by side. */
MUST_CHECK steme_status projection_prepare(const struct wal_entry *entries, size_t count, struct arena *arena,
                                           struct projected **out, struct steme_error *err);

/* Takes one row. key and value are valid for the call. */
struct row_sink {
    void *context;
    steme_status (*row)(void *context, struct steme_slice key, struct steme_slice value, struct steme_error *err);
};

/* Hand over the rows of one record but its H row: S, C, V, A, X, E, K or D. */
MUST_CHECK steme_status projection_rows(const struct wal_entry *entry, const struct projected *projected,
                                        const struct row_sink *sink, struct arena *scratch, struct steme_error *err);
/* Whether a frame of a scan, which gives whole batches less what is damaged, is the first that is left of its batch. */
bool projection_begins_batch(const struct wal_entry *entries, size_t index);
/* The H row; and the R row for the frame that begins a batch. */
void projection_id_row(const struct wal_entry *entry, const struct projected *projected, struct key_bytes *key,
                       struct value_bytes *value);
void projection_batch_row(const struct wal_entry *entry, struct key_bytes *key, struct value_bytes *value);

/* Online: a sink for the ingestor. State lives as long as the ingestor. */
struct projection {
    struct wal *wal;
    struct arena arena;
    struct arena folding; /* tallies of a step, which outlive the scratch of its records */
};
void projection_init(struct projection *p, struct wal *wal);
void projection_deinit(struct projection *p);
struct ingestor_sink projection_sink(struct projection *p);

/* Read the applied row, in a transaction of its own or in this one. STEME_NOT_FOUND: an empty index. STEME_CORRUPT. */
MUST_CHECK steme_status projection_applied(struct kv *kv, struct applied_row *out, struct steme_error *err);
MUST_CHECK steme_status projection_applied_in(struct kv_txn *txn, struct applied_row *out, struct steme_error *err);

/* Bulk: fill an empty kv from the whole durable log by sorting all rows first (in memory up to a bound, then in
 * temporary files in `dir`), which makes a B-tree several times faster to build and smaller. Result and dump are the
 * same as online ingestion gives. *applied_out is what was written. */
MUST_CHECK steme_status projection_bulk(struct host *host, const char *dir, struct wal *wal, struct kv *kv,
                                        struct applied_row *applied_out, struct steme_error *err);

#endif
