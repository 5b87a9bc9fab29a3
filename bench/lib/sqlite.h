/* SPDX-License-Identifier: Apache-2.0 */
/* SQLite as somebody who needs the same rows would use it: a table of hash, subject, predicate and record, with an
 * index by hash and one by subject and predicate. */
#ifndef BENCH_LIB_SQLITE_H
#define BENCH_LIB_SQLITE_H

#include "workload.h"

#include <sqlite3.h>

struct sqlite_row {
    const struct steme_hash *hash;
    struct steme_slice record;
    const char *subject, *predicate;
};

/* WAL and synchronous=FULL: a commit is durable, as our acknowledgement is. 60 s of patience with other connections; a
 * page cache of 64 MiB, 32 times the default, so that what is read stays in memory. */
sqlite3 *sqlite_open(const char *path);
/* The table and its indexes. A rowid table: with such rows half again to twice as fast as WITHOUT ROWID. */
void sqlite_create(sqlite3 *db);
void sqlite_run(sqlite3 *db, const char *sql);
sqlite3_stmt *sqlite_insertion(sqlite3 *db);
/* One row; by itself a durable commit, unless a transaction is open. */
void sqlite_insert(sqlite3_stmt *insertion, const struct sqlite_row *row);
/* All rows of a slot, by the index; the statement's one column is the record. */
sqlite3_stmt *sqlite_selection(sqlite3 *db);
/* How many rows the slot has; adds up a byte of each cache line of their records, so that they have been read. */
size_t sqlite_select(sqlite3_stmt *selection, const char *subject, const char *predicate, uint64_t *sum);
void sqlite_end(sqlite3_stmt *statement);
void sqlite_close_db(sqlite3 *db);

#endif
