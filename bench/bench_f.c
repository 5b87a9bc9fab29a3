/* SPDX-License-Identifier: Apache-2.0 */
/* f. After a crash, and after none. Everything is in the page cache.
 *
 * Replay    wal_scan() over a log of bundles of 1,000, every checksum checked, against hash_one() of the same bytes: of
 *           each frame's prefix and of its record, one at a time by one thread, and nothing else.
 * Opening   steme_open() for writing of a store that was closed in order: with a log of 1 GiB against one of 64 MiB,
 *           the median of OPENS times each in turn. The work that grows with the log must not be there.
 * Rebuild   projection_bulk() into an empty index against the ingestor's steps into an empty index, of the same log.
 *           Both end with the last commit; neither syncs. */
#include "base/hash.h"
#include "base/slice.h"
#include "db/home.h"
#include "host/host.h"
#include "lattice/projection.h"
#include "lib/clock.h"
#include "lib/report.h"
#include "lib/scratch.h"
#include "spine/frame.h"
#include "spine/ingestor.h"

#include <stdlib.h>

enum { BUNDLE = 1000, CHUNK_RECORDS = 20000, OPENS = 9, SCAN_ARENA_BYTES = 64 << 20 };

#define SMALL_BYTES ((size_t)64 << 20)
#define REPLAY_BYTES ((size_t)256 << 20)
#define LARGE_BYTES ((size_t)1 << 30)

/* ---- logs to come back to ---- */

static void append_call(struct wal *wal, const struct workload *workload, const struct workload_call *call)
{
    struct steme_error error;
    struct wal_record *records = must_alloc(call->count, sizeof *records);
    struct wal_place *places = must_alloc(call->count, sizeof *places);
    const struct steme_hash *ids = workload->ids + (call->records - workload->records);
    for (size_t i = 0; i < call->count; i++)
        records[i] = (struct wal_record){ call->records[i].bytes, ids[i],
                                          call->records[i].is_signed ? &call->records[i].signature : NULL };
    must(wal_append(wal, records, call->count, places, &error), &error, "appending a bundle");
    free(records);
    free(places);
}

/* Append bundles until the log has so many bytes. */
static void fill_log(struct wal *wal, size_t bytes)
{
    struct workload_shape shape = { .slots = bytes / 4096, .claims = 3 };
    struct wal_stats stats = { 0 };
    for (size_t first = 0; stats.log_bytes < bytes; first += CHUNK_RECORDS) {
        struct workload workload;
        workload_bundles(&workload, &shape, first, CHUNK_RECORDS, BUNDLE);
        for (size_t i = 0; i < workload.call_count && stats.log_bytes < bytes; i++) {
            append_call(wal, &workload, &workload.calls[i]);
            wal_stats(wal, &stats);
        }
        workload_free(&workload);
    }
}

/* A store whose log has so many bytes, indexed and closed in order. The log is written directly and the index made when
 * the store is opened: how they came to be is not measured. */
static void make_store(const char *path, size_t bytes)
{
    struct steme_error error;
    struct home_identity identity;
    struct steme_info info;
    struct wal *wal = NULL;
    scratch_remove(path);
    must(steme_create(path, &error), &error, "making a store");
    must(home_identify(host_posix(), path, &identity, &error), &error, "a store's identity");
    struct wal_options options = { .host = host_posix(), .dir = path, .store_id = identity.id };
    must(wal_open(&options, &wal, NULL, &error), &error, "opening its log");
    fill_log(wal, bytes);
    wal_close(&wal);
    struct steme_store *store = scratch_open(path);
    must(steme_info(store, &info, &error), &error, "a store's figures");
    must_hold(info.log_bytes >= bytes && info.indexed_sequence == info.last_sequence, "a log of that size");
    steme_close(&store);
    scratch_settle();
}

/* ---- replay ---- */

/* What is hashed of a frame. */
static void put_pieces(const struct wal_entry *entry, struct steme_slice *pieces)
{
    size_t prefix = entry->signature ? FRAME_SIGNED_PREFIX_BYTES : FRAME_PREFIX_BYTES;
    pieces[0] = slice_of(entry->bytes.data - prefix, prefix);
    pieces[1] = entry->bytes;
}

/* Seconds to read the whole log with its checks; the two pieces of each frame go to *pieces, if that is not NULL. */
static double replay(struct wal *wal, struct steme_slice *pieces)
{
    struct wal_mark at = wal_begin(wal);
    struct steme_error error;
    struct arena arena;
    size_t count = 1, total = 0;
    arena_init(&arena, SCAN_ARENA_BYTES);
    double start = clock_seconds();
    while (count) {
        struct wal_entry *entries = NULL;
        struct arena_mark before = arena_mark(&arena);
        uint64_t skipped = 0;
        must(wal_scan(wal, &at, INGESTOR_STEP_RECORDS, &arena, &entries, &count, &skipped, &error), &error,
             "replaying");
        must_hold(skipped == 0, "a sound log");
        for (size_t i = 0; pieces && i < count; i++)
            put_pieces(&entries[i], pieces + 2 * (total + i));
        total += count;
        arena_rewind(&arena, before);
    }
    double took = clock_seconds() - start;
    must_hold(total == wal_durable(wal).next_sequence - 1, "all records of the log");
    arena_deinit(&arena);
    return took;
}

static double hash_each(const struct steme_slice *pieces, size_t count)
{
    uint8_t sum = 0;
    double start = clock_seconds();
    for (size_t i = 0; i < count; i++)
        sum |= hash_one(pieces[i]).bytes[0];
    double took = clock_seconds() - start;
    must_hold(sum > 0, "hashes"); /* looked at, so they are computed */
    return took;
}

static void measure_replay(const struct options *options, struct wal *wal)
{
    struct figure figure = {
        .letter = "f",
        .what = "replay of the log, every checksum / its frames hashed one at a time",
        .unit = "B/s",
        .bound = FIGURE_AT_LEAST,
        .limit = 4.0,
    };
    size_t count = 2 * (size_t)(wal_durable(wal).next_sequence - 1);
    struct steme_slice *pieces = must_alloc(count, sizeof *pieces);
    double bytes = 0;
    (void)replay(wal, pieces); /* and the pages are mapped */
    for (size_t i = 0; i < count; i++)
        bytes += (double)pieces[i].size;
    for (size_t round = 0; round < options->rounds; round++) {
        double ours = replay(wal, NULL);
        figure_add(&figure, bytes / ours, bytes / hash_each(pieces, count));
    }
    figure_note(&figure, "%.0f MB of frames; a replay hashes on two threads", bytes / 1e6);
    report(&figure, options);
    free(pieces);
}

/* ---- rebuild ---- */

static struct kv *empty_index(const char *path)
{
    struct steme_error error;
    struct kv *kv = NULL;
    struct kv_lmdb_options options = { .dir = path, .create = true };
    scratch_remove(path);
    must(host_make_dir(host_posix(), path, &error), &error, "making a directory");
    must(kv_lmdb_open(host_posix(), &options, &kv, &error), &error, "making an index");
    return kv;
}

static void remove_index(const char *path, struct kv **kv)
{
    kv_close(kv);
    scratch_remove(path);
    scratch_settle();
}

static double fill_in_bulk(const char *path, struct wal *wal, uint64_t *row_bytes_out)
{
    struct steme_error error;
    struct applied_row applied;
    struct kv *kv = empty_index(path);
    double start = clock_seconds();
    must(projection_bulk(host_posix(), path, wal, kv, &applied, &error), &error, "filling an index in bulk");
    double took = clock_seconds() - start;
    *row_bytes_out = applied.row_bytes;
    remove_index(path, &kv);
    return took;
}

static double fill_in_steps(const char *path, struct wal *wal, uint64_t *row_bytes_out)
{
    struct steme_error error;
    struct applied_row applied;
    struct projection projection;
    struct ingestor ingestor;
    struct kv *kv = empty_index(path);
    struct wal_mark begin = wal_begin(wal);
    size_t count = 1;
    projection_init(&projection, wal);
    ingestor_init(&ingestor, wal, kv, projection_sink(&projection), &begin);
    double start = clock_seconds();
    while (count)
        must(ingestor_step(&ingestor, &count, &error), &error, "filling an index step by step");
    double took = clock_seconds() - start;
    must(projection_applied(kv, &applied, &error), &error, "how far an index is");
    *row_bytes_out = applied.row_bytes;
    ingestor_deinit(&ingestor);
    projection_deinit(&projection);
    remove_index(path, &kv);
    return took;
}

static void measure_rebuild(const struct options *options, struct wal *wal, const char *path)
{
    struct figure figure = {
        .letter = "f",
        .what = "index of a log, built in bulk / fed step by step as online",
        .unit = "rec/s",
        .bound = FIGURE_AT_LEAST,
        .limit = 2.5,
    };
    double count = (double)(wal_durable(wal).next_sequence - 1), bulk_cpu = 0, steps_cpu = 0;
    uint64_t bulk_bytes = 0, steps_bytes = 0;
    for (size_t round = 0; round < options->rounds; round++) {
        double start = clock_cpu_seconds();
        double ours = fill_in_bulk(path, wal, &bulk_bytes);
        double middle = clock_cpu_seconds();
        double theirs = fill_in_steps(path, wal, &steps_bytes);
        bulk_cpu += (middle - start) / count;
        steps_cpu += (clock_cpu_seconds() - middle) / count;
        must_hold(bulk_bytes == steps_bytes, "both ways to the same index");
        figure_add(&figure, count / ours, count / theirs);
    }
    double rounds = (double)options->rounds;
    figure_note(&figure, "%.0f k records, %.0f MB of rows; CPU a record: bulk %.1f us, steps %.1f us", count / 1e3,
                (double)bulk_bytes / 1e6, bulk_cpu / rounds * 1e6, steps_cpu / rounds * 1e6);
    report(&figure, options);
}

/* ---- opening ---- */

static double time_opening(const char *path)
{
    double start = clock_seconds();
    struct steme_store *store = scratch_open(path);
    double took = clock_seconds() - start;
    steme_close(&store);
    return took * 1e6;
}

static void measure_opening(const struct options *options, const char *small, const char *large)
{
    struct figure figure = {
        .letter = "f",
        .what = "opening after a clean close, a log of 1 GiB / one of 64 MiB",
        .unit = "us",
        .bound = FIGURE_AT_MOST,
        .limit = 1.5,
    };
    if (options->quick) figure.what = "opening after a clean close, a log of 102 MiB / one of 6 MiB";
    (void)time_opening(small);
    (void)time_opening(large);
    for (size_t round = 0; round < options->rounds; round++) {
        double of_small[OPENS], of_large[OPENS];
        for (size_t i = 0; i < OPENS; i++) {
            of_small[i] = time_opening(small);
            of_large[i] = time_opening(large);
        }
        figure_add(&figure, percentile(of_large, OPENS, 0.5), percentile(of_small, OPENS, 0.5));
    }
    report(&figure, options);
}

int main(int argc, char **argv)
{
    struct options options = options_parse(argc, argv);
    struct scratch_path log = scratch_path(&options, "log"), index = scratch_path(&options, "index");
    struct scratch_path small = scratch_path(&options, "small"), large = scratch_path(&options, "large");
    struct wal *wal = scratch_log(log.text);
    fill_log(wal, options_scale(&options, REPLAY_BYTES));
    scratch_settle();
    measure_replay(&options, wal);
    measure_rebuild(&options, wal, index.text);
    wal_close(&wal);
    scratch_remove(log.text);

    make_store(small.text, options_scale(&options, SMALL_BYTES));
    make_store(large.text, options_scale(&options, LARGE_BYTES));
    measure_opening(&options, small.text, large.text);
    scratch_remove(small.text);
    scratch_remove(large.text);
    return 0;
}
