/* SPDX-License-Identifier: Apache-2.0 */
#include "sqlite.h"

#include "options.h"

#include <stdio.h>
#include <stdlib.h>

enum { BUSY_MS = 60000, CACHE_LINE_BYTES = 64 };

static void sqlite_must(sqlite3 *db, bool holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "%s: %s\n", what, db ? sqlite3_errmsg(db) : "no memory");
    exit(1);
}

void sqlite_run(sqlite3 *db, const char *sql)
{
    sqlite_must(db, sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, sql);
}

sqlite3 *sqlite_open(const char *path)
{
    sqlite3 *db = NULL;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    sqlite_must(db, sqlite3_open_v2(path, &db, flags, NULL) == SQLITE_OK, path);
    sqlite_must(db, sqlite3_busy_timeout(db, BUSY_MS) == SQLITE_OK, "busy_timeout");
    sqlite_run(db, "PRAGMA journal_mode=WAL");
    sqlite_run(db, "PRAGMA synchronous=FULL");
    sqlite_run(db, "PRAGMA cache_size=-65536");
    return db;
}

void sqlite_create(sqlite3 *db)
{
    sqlite_run(db, "CREATE TABLE assertion(hash BLOB NOT NULL, subject TEXT NOT NULL, predicate TEXT NOT NULL, "
                   "record BLOB NOT NULL)");
    sqlite_run(db, "CREATE UNIQUE INDEX by_hash ON assertion(hash)");
    sqlite_run(db, "CREATE INDEX by_slot ON assertion(subject, predicate)");
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    sqlite_must(db, sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL) == SQLITE_OK, sql);
    return statement;
}

sqlite3_stmt *sqlite_insertion(sqlite3 *db)
{
    return prepare(db, "INSERT INTO assertion(hash, subject, predicate, record) VALUES(?, ?, ?, ?)");
}

sqlite3_stmt *sqlite_selection(sqlite3 *db)
{
    return prepare(db, "SELECT record FROM assertion WHERE subject = ? AND predicate = ?");
}

void sqlite_insert(sqlite3_stmt *insertion, const struct sqlite_row *row)
{
    sqlite3 *db = sqlite3_db_handle(insertion);
    sqlite_must(db,
                sqlite3_bind_blob(insertion, 1, row->hash->bytes, 32, SQLITE_STATIC) == SQLITE_OK &&
                    sqlite3_bind_text(insertion, 2, row->subject, -1, SQLITE_STATIC) == SQLITE_OK &&
                    sqlite3_bind_text(insertion, 3, row->predicate, -1, SQLITE_STATIC) == SQLITE_OK &&
                    sqlite3_bind_blob(insertion, 4, row->record.data, (int)row->record.size, SQLITE_STATIC) ==
                        SQLITE_OK,
                "binding a row");
    sqlite_must(db, sqlite3_step(insertion) == SQLITE_DONE, "inserting a row");
    sqlite_must(db, sqlite3_reset(insertion) == SQLITE_OK, "inserting a row");
}

size_t sqlite_select(sqlite3_stmt *selection, const char *subject, const char *predicate, uint64_t *sum)
{
    sqlite3 *db = sqlite3_db_handle(selection);
    size_t rows = 0;
    int code;
    sqlite_must(db,
                sqlite3_bind_text(selection, 1, subject, -1, SQLITE_STATIC) == SQLITE_OK &&
                    sqlite3_bind_text(selection, 2, predicate, -1, SQLITE_STATIC) == SQLITE_OK,
                "binding a slot");
    for (; (code = sqlite3_step(selection)) == SQLITE_ROW; rows++) {
        const uint8_t *record = sqlite3_column_blob(selection, 0);
        size_t size = (size_t)sqlite3_column_bytes(selection, 0);
        for (size_t i = 0; i < size; i += CACHE_LINE_BYTES)
            *sum += record[i];
    }
    sqlite_must(db, code == SQLITE_DONE, "selecting a slot");
    sqlite_must(db, sqlite3_reset(selection) == SQLITE_OK, "selecting a slot");
    return rows;
}

void sqlite_end(sqlite3_stmt *statement) { (void)sqlite3_finalize(statement); }

void sqlite_close_db(sqlite3 *db) { must_hold(sqlite3_close(db) == SQLITE_OK, "closing SQLite"); }
