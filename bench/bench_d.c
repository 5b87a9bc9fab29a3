/* SPDX-License-Identifier: Apache-2.0 */
/* d. Sixteen threads, each with one durable insert at a time, against SQLite.
 *
 * Unverified   hash_one() of the record for its id, then wal_append() of it alone: durable in the log, no signature
 *              looked at, no index.
 * Verified     steme_submit() of one signed record to an open store: checked, hashed, verified, looked up, logged. The
 *              clock runs on until the index, which follows in the background, has all records.
 * SQLite       WAL, synchronous=FULL, a connection a thread, its busy timeout to settle who writes; one INSERT a
 *              transaction into a table with two indexes (lib/sqlite.h). It verifies nothing.
 *
 * All begin each round empty and get the same records. */
#include "base/hash.h"
#include "lib/clock.h"
#include "lib/report.h"
#include "lib/scratch.h"
#include "lib/sqlite.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { RECORDS = 50000, THREADS = 16, WAIT_MS = 60000 };

#define ROUND_SECONDS 1.5 /* of each of the three; less if it is through with the records before */

/* A round of one of the three. */
struct trial {
    const struct workload *workload;
    const struct workload_assertion *texts; /* of each record: what SQLite is given besides its bytes */
    struct wal *wal;
    struct steme_store *store;
    const char *path;
    _Atomic size_t next;
    _Atomic size_t done;
};

static bool take(struct trial *trial, size_t *out)
{
    if (crew_over()) return false;
    *out = atomic_fetch_add(&trial->next, 1);
    return *out < trial->workload->record_count;
}

/* ---- ours ---- */

static void append_some(void *context, size_t index)
{
    struct trial *trial = context;
    struct wal_place place;
    struct steme_error error;
    (void)index;
    for (size_t i; take(trial, &i);) {
        const struct steme_signed *record = &trial->workload->records[i];
        struct wal_record framed = { record->bytes, hash_one(record->bytes), &record->signature };
        must(wal_append(trial->wal, &framed, 1, &place, &error), &error, "appending");
        atomic_fetch_add(&trial->done, 1);
    }
}

static double append_to_new(const char *path, const struct workload *workload, double seconds)
{
    struct trial trial = { .workload = workload, .wal = scratch_log(path) };
    double took = crew_run_for(seconds, THREADS, append_some, &trial);
    wal_close(&trial.wal);
    scratch_remove(path);
    scratch_settle();
    return (double)trial.done / took;
}

static void submit_some(void *context, size_t index)
{
    struct trial *trial = context;
    struct steme_receipt receipt;
    struct steme_error error;
    (void)index;
    for (size_t i; take(trial, &i);) {
        must(steme_submit(trial->store, &trial->workload->records[i], 1, &receipt, NULL, &error), &error, "submitting");
        atomic_fetch_add(&trial->done, 1);
    }
}

static double submit_to_new(const char *path, const struct workload *workload, double seconds)
{
    struct trial trial = { .workload = workload, .store = scratch_store(path) };
    struct steme_error error;
    double took = crew_run_for(seconds, THREADS, submit_some, &trial), start = clock_seconds();
    must(steme_wait(trial.store, trial.done, WAIT_MS, &error), &error, "waiting for the index");
    took += clock_seconds() - start;
    steme_close(&trial.store);
    scratch_remove(path);
    scratch_settle();
    return (double)trial.done / took;
}

/* ---- SQLite's ---- */

static void insert_some(void *context, size_t index)
{
    struct trial *trial = context;
    sqlite3 *db = sqlite_open(trial->path);
    sqlite3_stmt *insertion = sqlite_insertion(db);
    (void)index;
    for (size_t i; take(trial, &i);) {
        struct sqlite_row row = { &trial->workload->ids[i], trial->workload->records[i].bytes, trial->texts[i].subject,
                                  WORKLOAD_PREDICATE };
        sqlite_insert(insertion, &row);
        atomic_fetch_add(&trial->done, 1);
    }
    sqlite_end(insertion);
    sqlite_close_db(db);
}

static double insert_into_new(const char *dir, const struct workload *workload, const struct workload_assertion *texts,
                              size_t threads, double seconds)
{
    struct steme_error error;
    must(host_make_dir(host_posix(), dir, &error), &error, "making a directory");
    struct scratch_path file = scratch_join(dir, "db");
    struct trial trial = { .workload = workload, .texts = texts, .path = file.text };
    sqlite3 *first = sqlite_open(file.text); /* stays open, so that no other one is the last to close and tidies up */
    sqlite_create(first);
    double took = crew_run_for(seconds, threads, insert_some, &trial);
    sqlite_close_db(first);
    scratch_remove(dir);
    scratch_settle();
    return (double)trial.done / took;
}

int main(int argc, char **argv)
{
    struct options options = options_parse(argc, argv);
    struct scratch_path log = scratch_path(&options, "log"), store = scratch_path(&options, "store");
    struct scratch_path peer = scratch_path(&options, "sqlite");
    size_t count = options_scale(&options, RECORDS);
    struct workload_shape shape = { .slots = count / 10, .claims = 3 };
    struct workload workload;
    struct figure unverified = {
        .letter = "d",
        .what = "16 threads, an insert each, hashed + logged / SQLite, 16 connections",
        .unit = "rec/s",
        .bound = FIGURE_AT_LEAST,
        .limit = 5,
    };
    struct figure verified = {
        .letter = "d",
        .what = "16 threads, an insert each, verified + logged + indexed / SQLite",
        .unit = "rec/s",
        .bound = FIGURE_AT_LEAST,
        .limit = 3,
    };
    workload_singles(&workload, &shape, 0, count, 1);
    struct workload_assertion *texts = must_alloc(count, sizeof *texts);
    for (size_t i = 0; i < count; i++)
        workload_assertion(&shape, i, &texts[i]);
    double seconds = options_seconds(&options, ROUND_SECONDS);
    for (size_t round = 0; round < options.rounds; round++) {
        double logged = append_to_new(log.text, &workload, seconds);
        double theirs = insert_into_new(peer.text, &workload, texts, THREADS, seconds);
        double indexed = submit_to_new(store.text, &workload, seconds);
        figure_add(&unverified, logged, theirs);
        figure_add(&verified, indexed, theirs);
    }
    figure_note(&verified, "SQLite with one thread alone: %.1f k rec/s",
                insert_into_new(peer.text, &workload, texts, 1, seconds) / 1e3);
    report(&unverified, &options);
    report(&verified, &options);
    free(texts);
    workload_free(&workload);
    return 0;
}
