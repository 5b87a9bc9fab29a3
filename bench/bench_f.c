/* SPDX-License-Identifier: Apache-2.0 */
/* f. After a crash, and after none. Everything is in the page cache.
 *
 * Replay   wal_scan() over a log of bundles, every checksum checked, against hash_one() of the same records, one at a
 *          time, without the framing's own checks. One thread each.
 * Opening  steme_open() of a store that was closed cleanly: with a log of 1 GiB against one of 64 MiB, the median of
 *          OPENS times each in turn. The work that grows with the log must not be there.
 * Rebuild  steme_rebuild() against the ingestor's steps over the same log into an empty index, and nothing else. */
#include "base/hash.h"
#include "db/home.h"
#include "host/host.h"
#include "lattice/projection.h"
#include "lib/clock.h"
#include "lib/report.h"
#include "lib/scratch.h"
#include "spine/ingestor.h"

#include <stdlib.h>

enum { BUNDLE = 1000, CHUNK_RECORDS = 50000, OPENS = 11, SCAN_ARENA_BYTES = 256 << 20 };
enum { MIB_RECORDS = 2700 }; /* of 320 bytes, framed and bundled, and a bit more, in 1 MiB of log */
enum { SMALL_MIB = 64, REPLAY_MIB = 256, LARGE_MIB = 1024 };

static void append_call(struct wal *wal, const struct workload *workload, size_t call)
{
    struct steme_error error;
    const struct workload_call *from = &workload->calls[call];
    struct wal_record *records = must_alloc(from->count, sizeof *records);
    struct wal_place *places = must_alloc(from->count, sizeof *places);
    size_t first = (size_t)(from->records - workload->records);
    for (size_t i = 0; i < from->count; i++)
        records[i] = (struct wal_record){ from->records[i].bytes, workload->ids[first + i],
                                          from->records[i].is_signed ? &from->records[i].signature : NULL };
    must(wal_append(wal, records, from->count, places, &error), &error, "appending");
    free(records);
    free(places);
}

static struct wal *open_log_of(const char *path, bool read_only)
{
    struct steme_error error;
    struct home_identity identity;
    struct wal *wal = NULL;
    must(home_identify(host_posix(), path, &identity, &error), &error, "a store's identity");
    struct wal_options options = { .host = host_posix(), .dir = path, .store_id = identity.id, .read_only = read_only };
    must(wal_open(&options, &wal, NULL, &error), &error, "opening a log");
    return wal;
}

/* A store whose log has at least so many MiB, indexed and closed cleanly. The log is written directly and the index made
 * in bulk when it is opened: how they came to be is not measured. */
static void make_store(const char *path, size_t mib)
{
    struct steme_error error;
    size_t count = (mib * MIB_RECORDS + CHUNK_RECORDS - 1) / CHUNK_RECORDS * CHUNK_RECORDS;
    struct workload_shape shape = { .slots = count / 10, .claims = 3 };
    scratch_remove(path);
    must(steme_create(path, &error), &error, "making a store");
    struct wal *wal = open_log_of(path, false);
    for (size_t first = 0; first < count; first += CHUNK_RECORDS) {
        struct workload workload;
        workload_bundles(&workload, &shape, first, CHUNK_RECORDS, BUNDLE);
        for (size_t i = 0; i < workload.call_count; i++)
            append_call(wal, &workload, i);
        workload_free(&workload);
    }
    wal_close(&wal);
    struct steme_store *store = scratch_open(path);
    struct steme_info info;
    must(steme_info(store, &info, &error), &error, "a store's figures");
    must_hold(info.log_bytes >= (uint64_t)mib << 20 && info.indexed_sequence == info.last_sequence, "a log of that size");
    steme_close(&store);
}

/* ---- replay ---- */

/* Seconds to read the whole log with its checks; its records in *records, if that is not NULL. */
static double replay(struct wal *wal, struct steme_slice *records, size_t *count_out)
{
    struct wal_mark at = wal_begin(wal);
    struct steme_error error;
    struct arena arena;
    uint64_t skipped = 0;
    size_t count = 0, total = 0;
    arena_init(&arena, SCAN_ARENA_BYTES);
    double start = clock_seconds();
    do {
        struct wal_entry *entries = NULL;
        struct arena_mark before = arena_mark(&arena);
        must(wal_scan(wal, &at, INGESTOR_STEP_RECORDS, &arena, &entries, &count, &skipped, &error), &error, "replaying");
        for (size_t i = 0; records && i < count; i++)
            records[total + i] = entries[i].bytes;
        total += count;
        arena_rewind(&arena, before);
    } while (count);
    double took = clock_seconds() - start;
    must_hold(skipped == 0, "a sound log");
    arena_deinit(&arena);
    *count_out = total;
    return took;
}

static double hash_each(const struct steme_slice *records, size_t count)
{
    uint8_t sum = 0;
    double start = clock_seconds();
    for (size_t i = 0; i < count; i++)
        sum ^= hash_one(records[i]).bytes[0];
    double took = clock_seconds() - start;
    must_hold(sum || count, "hashes"); /* they are used, so they are computed */
    return took;
}

static void measure_replay(const struct options *options, const char *path)
{
    struct figure figure = {
        .letter = "f",
        .what = "replay of a log, every checksum / its records hashed one at a time",
        .unit = "B/s",
        .bound = FIGURE_AT_LEAST,
        .limit = 4.0,
    };
    struct wal *wal = open_log_of(path, true);
    size_t count = (size_t)wal_durable(wal).next_sequence - 1, found = 0;
    struct steme_slice *records = must_alloc(count, sizeof *records);
    (void)replay(wal, records, &found);
    must_hold(found == count, "all records of the log");
    double bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += (double)records[i].size;
    for (size_t round = 0; round < options->rounds; round++) {
        double ours = replay(wal, NULL, &found);
        figure_add(&figure, bytes / ours, bytes / hash_each(records, count));
    }
    figure_note(&figure, "%.0f MB of records; bytes of records a second on both sides", bytes / 1e6);
    report(&figure, options);
    free(records);
    wal_close(&wal);
}

/* ---- opening ---- */

static double time_opening(const char *path)
{
    struct steme_error error;
    struct steme_store *store = NULL;
    double start = clock_seconds();
    must(steme_open(path, NULL, &store, &error), &error, "opening a store");
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

/* ---- rebuild ---- */

static double ingest_online(const char *path, const char *index_path)
{
    struct steme_error error;
    struct kv_lmdb_options options = { .dir = index_path, .create = true };
    struct wal *wal = open_log_of(path, true);
    struct wal_mark begin = wal_begin(wal);
    struct projection projection;
    struct ingestor ingestor;
    struct kv *kv = NULL;
    size_t count = 0;
    scratch_remove(index_path);
    must(host_make_dir(host_posix(), index_path, &error), &error, "making a directory");
    must(kv_lmdb_open(host_posix(), &options, &kv, &error), &error, "opening an index");
    projection_init(&projection, wal);
    ingestor_init(&ingestor, wal, kv, projection_sink(&projection), &begin);
    double start = clock_seconds();
    do must(ingestor_step(&ingestor, &count, &error), &error, "ingesting");
    while (count);
    double took = clock_seconds() - start;
    must_hold(ingestor.applied.location == wal_durable(wal).location, "the whole log in the index");
    ingestor_deinit(&ingestor);
    projection_deinit(&projection);
    kv_close(&kv);
    wal_close(&wal);
    scratch_remove(index_path);
    return took;
}

static void measure_rebuild(const struct options *options, const char *path, const char *index_path)
{
    struct steme_error error;
    struct figure figure = {
        .letter = "f",
        .what = "bulk rebuild of the index / online ingestion of the same log",
        .unit = "rec/s",
        .bound = FIGURE_AT_LEAST,
        .limit = 2.5,
    };
    for (size_t round = 0; round < options->rounds; round++) {
        struct steme_store *store = scratch_open(path);
        struct steme_info info;
        double start = clock_seconds();
        must(steme_rebuild(store, &error), &error, "rebuilding");
        double ours = clock_seconds() - start;
        must(steme_info(store, &info, &error), &error, "a store's figures");
        steme_close(&store);
        double count = (double)info.last_sequence;
        figure_add(&figure, count / ours, count / ingest_online(path, index_path));
        scratch_settle();
    }
    report(&figure, options);
}

int main(int argc, char **argv)
{
    struct options options = options_parse(argc, argv);
    struct scratch_path small = scratch_path(&options, "small"), large = scratch_path(&options, "large"),
                        index = scratch_path(&options, "index");
    make_store(large.text, options_scale(&options, REPLAY_MIB));
    measure_replay(&options, large.text);
    measure_rebuild(&options, large.text, index.text);
    make_store(small.text, options_scale(&options, SMALL_MIB));
    make_store(large.text, options_scale(&options, LARGE_MIB));
    scratch_settle();
    measure_opening(&options, small.text, large.text);
    scratch_remove(small.text);
    scratch_remove(large.text);
    return 0;
}
