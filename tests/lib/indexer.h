/* SPDX-License-Identifier: Apache-2.0 */
/* The index of a logbook: made by the ingestor, looked at row by row. Fails the test where something does not work that
 * should. One thread. */
#ifndef TESTS_LIB_INDEXER_H
#define TESTS_LIB_INDEXER_H

#include "base/buf.h"
#include "lattice/projection.h"
#include "lib/logbook.h"

/* What joins a log and a store. */
struct indexer {
    struct projection projection;
    struct ingestor ingestor;
};
void indexer_init(struct indexer *indexer, struct logbook *log, struct kv *kv, const struct wal_mark *from);
void indexer_deinit(struct indexer *indexer);
/* Step until there is no more; the first failure. */
MUST_CHECK steme_status indexer_run(struct indexer *indexer, struct steme_error *err);

/* A new store in memory with the whole log in it. */
struct kv *indexer_index(struct logbook *log);
struct kv *indexer_empty(void);

/* Every row of the store, in order: sizes, key, value. The caller's buf is cleared first. */
void indexer_rows(struct kv *kv, struct buf *out);
/* Both have the same rows; else the test fails and prints the row's name and the first key that differs. */
void indexer_same_rows(struct kv *got, struct kv *want, const char *name);
size_t indexer_count_rows(struct kv *kv, const char *prefix);

#endif
