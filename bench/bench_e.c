/* SPDX-License-Identifier: Apache-2.0 */
/* e. Answering a question in process, everything in memory.
 *
 * Ours      steme_resolve() (consensus) of random slots with 10 candidates each in one snapshot, the answer's memory
 *           given back after each. It reads the index, weighs the candidates, and reads from the log what it returns.
 * Against   SQLite that fetches the same 10 records by its index, in one read transaction as our snapshot is one, and
 *           does nothing with them but touch their bytes. Blocks of both alternate, so that both see the same machine.
 *
 * Then slots of 50 candidates that make 5 claims: records read from the log for an answer, against its claims. */
#include "base/prng.h"
#include "base/slice.h"
#include "lib/clock.h"
#include "lib/report.h"
#include "lib/scratch.h"
#include "lib/sqlite.h"
#include "steme/query.h"

#include <stdio.h>
#include <stdlib.h>

enum { RECORDS = 100000, FEW = 10, FEW_CLAIMS = 3, MANY = 50, MANY_CLAIMS = 5, BUNDLE = 1000, TXN_ROWS = 10000 };
enum { READS = 10000, BLOCK_READS = 250, MANY_READS = 2000 };

static void fill(struct steme_store *store, const struct workload_shape *shape, size_t count, sqlite3 *db)
{
    struct workload workload;
    workload_bundles(&workload, shape, 0, count, BUNDLE);
    (void)scratch_submit(store, &workload, 2);
    sqlite3_stmt *insertion = db ? sqlite_insertion(db) : NULL;
    for (size_t i = 0, nth = 0; db && i < workload.record_count; i++) {
        char subject[WORKLOAD_NAME_BYTES];
        if (workload.records[i].is_signed) continue; /* the bundle; its members follow */
        workload_subject(nth % shape->slots, subject);
        struct sqlite_row row = { &workload.ids[i], workload.records[i].bytes, subject, WORKLOAD_PREDICATE };
        if (nth % TXN_ROWS == 0) sqlite_run(db, "BEGIN");
        sqlite_insert(insertion, &row);
        if (++nth % TXN_ROWS == 0 || nth == count) sqlite_run(db, "COMMIT");
    }
    sqlite_end(insertion);
    workload_free(&workload);
}

static struct steme_snapshot *open_snapshot(struct steme_store *store)
{
    struct steme_error error;
    struct steme_snapshot *snapshot = NULL;
    must(steme_snapshot_open(store, NULL, &snapshot, &error), &error, "opening a snapshot");
    return snapshot;
}

static struct steme_answer resolve(struct steme_snapshot *snapshot, const char *subject)
{
    struct steme_error error;
    struct steme_answer answer;
    struct steme_question question = { .subject = slice_text(subject), .predicate = slice_text(WORKLOAD_PREDICATE) };
    must(steme_resolve(snapshot, &question, &answer, &error), &error, "resolving");
    return answer;
}

/* Microseconds each of BLOCK_READS answers takes. */
static void time_ours(struct steme_snapshot *snapshot, struct prng *prng, const struct workload_shape *shape,
                      double *us)
{
    for (size_t i = 0; i < BLOCK_READS; i++) {
        char subject[WORKLOAD_NAME_BYTES];
        workload_subject(prng_below(prng, shape->slots), subject);
        double start = clock_seconds();
        struct steme_answer answer = resolve(snapshot, subject);
        steme_snapshot_clear(snapshot);
        us[i] = (clock_seconds() - start) * 1e6;
        must_hold(answer.assertions == FEW && answer.belief_count == FEW_CLAIMS, "an answer from all candidates");
    }
}

static void time_sqlite(sqlite3_stmt *selection, struct prng *prng, const struct workload_shape *shape, double *us)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < BLOCK_READS; i++) {
        char subject[WORKLOAD_NAME_BYTES];
        workload_subject(prng_below(prng, shape->slots), subject);
        double start = clock_seconds();
        size_t rows = sqlite_select(selection, subject, WORKLOAD_PREDICATE, &sum);
        us[i] = (clock_seconds() - start) * 1e6;
        must_hold(rows == FEW, "all rows of a slot");
    }
    must_hold(sum > 0, "records with bytes in them");
}

struct readers {
    struct steme_store *store;
    sqlite3 *db;
    sqlite3_stmt *selection;
    double ours[READS], theirs[READS]; /* microseconds each */
};

/* One round: the same slots for both, in a snapshot of each. Sorts the times. */
static void time_both(struct readers *readers, const struct workload_shape *shape, size_t round)
{
    struct prng our_prng = { round }, their_prng = { round };
    struct steme_snapshot *snapshot = open_snapshot(readers->store);
    sqlite_run(readers->db, "BEGIN");
    for (size_t at = 0; at < READS; at += BLOCK_READS) {
        time_ours(snapshot, &our_prng, shape, readers->ours + at);
        time_sqlite(readers->selection, &their_prng, shape, readers->theirs + at);
    }
    sqlite_run(readers->db, "COMMIT");
    steme_snapshot_close(&snapshot);
}

static void few_candidates(const struct options *options)
{
    struct scratch_path path = scratch_path(options, "store"), peer = scratch_path(options, "sqlite");
    size_t count = options_scale(options, RECORDS);
    struct workload_shape shape = { .slots = count / FEW, .claims = FEW_CLAIMS };
    struct figure figure = {
        .letter = "e",
        .what = "resolving a slot of 10, p50 / SQLite fetching the rows",
        .unit = "us",
        .bound = FIGURE_AT_MOST,
        .limit = 0.5,
    };
    struct readers *readers = must_alloc(1, sizeof *readers);
    readers->store = scratch_store(path.text);
    readers->db = sqlite_open(peer.text);
    sqlite_create(readers->db);
    fill(readers->store, &shape, count, readers->db);
    readers->selection = sqlite_selection(readers->db);
    for (size_t round = 0; round < options->rounds; round++) {
        time_both(readers, &shape, round);
        figure_add(&figure, percentile(readers->ours, READS, 0.5), percentile(readers->theirs, READS, 0.5));
    }
    figure_note(&figure, "%zu assertions, %zu slots; p99 in the last round: ours %.1f us, SQLite %.1f us", count,
                shape.slots, percentile(readers->ours, READS, 0.99), percentile(readers->theirs, READS, 0.99));
    report(&figure, options);
    sqlite_end(readers->selection);
    sqlite_close_db(readers->db);
    steme_close(&readers->store);
    free(readers);
    scratch_remove(path.text);
    scratch_remove(peer.text);
}

static uint64_t log_reads(struct steme_store *store)
{
    struct steme_info info;
    struct steme_error error;
    must(steme_info(store, &info, &error), &error, "counting reads");
    return info.log_reads;
}

static void many_candidates(const struct options *options)
{
    struct scratch_path path = scratch_path(options, "store");
    size_t count = options_scale(options, RECORDS);
    struct workload_shape shape = { .slots = count / MANY, .claims = MANY_CLAIMS };
    struct steme_store *store = scratch_store(path.text);
    struct figure figure = {
        .letter = "e",
        .what = "slots of 50: records read from the log for an answer / its claims",
        .unit = "",
        .bound = FIGURE_AT_MOST,
        .limit = 1.0,
    };
    fill(store, &shape, count, NULL);
    size_t reads = options_scale(options, MANY_READS);
    double *us = must_alloc(reads, sizeof *us), p50 = 0;
    for (size_t round = 0; round < options->rounds; round++) {
        struct prng prng = { round };
        struct steme_snapshot *snapshot = open_snapshot(store);
        char subject[WORKLOAD_NAME_BYTES];
        workload_subject(0, subject);
        (void)resolve(snapshot, subject); /* what a snapshot learns once, such as the predicate's schema */
        uint64_t before = log_reads(store), claims = 0;
        for (size_t i = 0; i < reads; i++) {
            workload_subject(prng_below(&prng, shape.slots), subject);
            double start = clock_seconds();
            struct steme_answer answer = resolve(snapshot, subject);
            us[i] = (clock_seconds() - start) * 1e6;
            must_hold(answer.assertions == MANY, "an answer from all candidates");
            claims += answer.belief_count;
            steme_snapshot_clear(snapshot);
        }
        figure_add(&figure, (double)(log_reads(store) - before) / (double)reads, (double)claims / (double)reads);
        p50 = percentile(us, reads, 0.5);
        steme_snapshot_close(&snapshot);
    }
    figure_note(&figure, "50 candidates, %d claims; p50 of an answer in the last round: %.1f us", MANY_CLAIMS, p50);
    report(&figure, options);
    steme_close(&store);
    scratch_remove(path.text);
    free(us);
}

int main(int argc, char **argv)
{
    struct options options = options_parse(argc, argv);
    few_candidates(&options);
    many_candidates(&options);
    return 0;
}
