/* SPDX-License-Identifier: Apache-2.0 */
/* d. 16 threads with one durable insert each at a time.
 *
 * Ours without verification   hash_one() of the record and wal_append(): back when it is on stable storage. No index.
 * Ours with                   steme_submit() of one signed record: checked, hashed, verified, looked up, appended; the index
 *                             follows behind, and the time ends when it has caught up with the last record.
 * Against                     SQLite, 16 connections, a row a transaction (lib/sqlite.h has its settings), nothing verified.
 *                             Writers that find it busy wait as its own busy handler has it. */
#include "base/hash.h"
#include "lib/clock.h"
#include "lib/report.h"
#include "lib/scratch.h"
#include "lib/sqlite.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { THREADS = 16, RECORDS = 200000, WAIT_MS = 600000 };

#define SECONDS 1.0

struct inserting {
    const struct workload *workload;
    const struct workload_shape *shape;
    size_t first;         /* of the records of this round */
    _Atomic size_t next;
    struct wal *wal;
    struct steme_store *store;
    sqlite3 *dbs[THREADS];
    _Atomic uint64_t last_sequence;
};

/* The next record nobody has inserted yet; false when the time is over or the workload used up. */
static bool next_record(struct inserting *inserting, size_t *i)
{
    *i = atomic_fetch_add(&inserting->next, 1);
    return !crew_over() && *i < inserting->workload->record_count;
}

static void append(void *context, size_t index)
{
    struct inserting *inserting = context;
    struct steme_error error;
    struct wal_place place;
    (void)index;
    for (size_t i; next_record(inserting, &i);) {
        const struct steme_signed *record = &inserting->workload->records[i];
        struct wal_record one = { record->bytes, hash_one(record->bytes), &record->signature };
        must(wal_append(inserting->wal, &one, 1, &place, &error), &error, "appending");
    }
}

static void submit(void *context, size_t index)
{
    struct inserting *inserting = context;
    struct steme_error error;
    struct steme_receipt receipt;
    uint64_t sequence = 0;
    (void)index;
    for (size_t i; next_record(inserting, &i); sequence = receipt.sequence)
        must(steme_submit(inserting->store, &inserting->workload->records[i], 1, &receipt, NULL, &error), &error,
             "submitting");
    uint64_t last = atomic_load(&inserting->last_sequence);
    while (sequence > last && !atomic_compare_exchange_weak(&inserting->last_sequence, &last, sequence)) continue;
}

static void insert(void *context, size_t index)
{
    struct inserting *inserting = context;
    sqlite3_stmt *insertion = sqlite_insertion(inserting->dbs[index]);
    for (size_t i; next_record(inserting, &i);) {
        char subject[WORKLOAD_NAME_BYTES];
        workload_subject(i % inserting->shape->slots, subject);
        struct sqlite_row row = { &inserting->workload->ids[i], inserting->workload->records[i].bytes, subject,
                                  WORKLOAD_PREDICATE };
        sqlite_insert(insertion, &row);
    }
    sqlite_end(insertion);
}

/* Inserts a second of the threads that do `work`, from record *first on; *first is then behind the last one taken. */
static double measure(struct inserting *inserting, size_t *first, double seconds,
                      void (*work)(void *context, size_t index))
{
    struct steme_error error;
    atomic_store(&inserting->next, *first);
    double start = clock_seconds();
    double took = crew_run_for(seconds, THREADS, work, inserting);
    if (work == submit) {
        must(steme_wait(inserting->store, atomic_load(&inserting->last_sequence), WAIT_MS, &error), &error,
             "waiting for the index");
        took = clock_seconds() - start;
    }
    /* Each thread took one number more than it inserted. */
    size_t end = atomic_load(&inserting->next) - THREADS, count = end - *first;
    if (end > inserting->workload->record_count) must_hold(false, "the workload is used up: it needs more records");
    *first = end + THREADS;
    return (double)count / took;
}

int main(int argc, char **argv)
{
    struct options options = options_parse(argc, argv);
    struct scratch_path log = scratch_path(&options, "log"), path = scratch_path(&options, "store"),
                        peer = scratch_path(&options, "sqlite");
    struct workload_shape shape = { .slots = RECORDS / 10, .claims = 3 };
    struct workload workload;
    struct figure bare = {
        .letter = "d",
        .what = "16 threads, one durable insert at a time, not verified / SQLite",
        .unit = "rec/s",
        .bound = FIGURE_AT_LEAST,
        .limit = 5.0,
    };
    struct figure verified = {
        .letter = "d",
        .what = "16 threads, one durable insert at a time, verified + indexed / SQLite",
        .unit = "rec/s",
        .bound = FIGURE_AT_LEAST,
        .limit = 3.0,
    };
    double seconds = options_seconds(&options, SECONDS);
    workload_singles(&workload, &shape, 0, options_scale(&options, RECORDS), 1);
    struct inserting inserting = { .workload = &workload, .shape = &shape, .wal = scratch_log(log.text) };
    inserting.store = scratch_store(path.text);
    for (size_t i = 0; i < THREADS; i++) {
        inserting.dbs[i] = sqlite_open(peer.text);
        if (i == 0) sqlite_create(inserting.dbs[i]);
    }
    size_t submitted = 0, inserted = 0;
    for (size_t round = 0; round < options.rounds; round++) {
        size_t appended = 0; /* the log does not mind copies */
        double without = measure(&inserting, &appended, seconds, append);
        double with = measure(&inserting, &submitted, seconds, submit);
        double sqlite = measure(&inserting, &inserted, seconds, insert);
        figure_add(&bare, without, sqlite);
        figure_add(&verified, with, sqlite);
    }
    report(&bare, &options);
    report(&verified, &options);
    for (size_t i = 0; i < THREADS; i++)
        sqlite_close_db(inserting.dbs[i]);
    steme_close(&inserting.store);
    wal_close(&inserting.wal);
    workload_free(&workload);
    return 0;
}
