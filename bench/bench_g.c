/* SPDX-License-Identifier: Apache-2.0 */
/* g. What a million assertions of 320 bytes take: of the disk, log and index together, against their own bytes; of
 *    memory while they are imported, against 256 MiB.
 *
 * They come as an import brings them: made, encoded, signed and written 1,000 at a time by steme_write_bundle(), which
 * keeps nothing between. Disk: blocks of all files after closing. Memory: RssAnon of this process, which does nothing
 * else, looked at every SAMPLE_SECONDS. */
#include "lib/clock.h"
#include "lib/report.h"
#include "lib/scratch.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { RECORDS = 1000000, BUNDLE = 1000, WAIT_MS = 600000 };

#define SAMPLE_SECONDS 0.002
#define MEMORY_BYTES (256.0 * 1024 * 1024)

static atomic_bool sampling;

static double anonymous_bytes(void)
{
    char line[256];
    unsigned long long kib = 0;
    FILE *file = fopen("/proc/self/status", "re");
    must_hold(file != NULL, "/proc/self/status");
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "RssAnon: %llu kB", &kib) == 1) break;
    fclose(file);
    must_hold(kib > 0, "RssAnon in /proc/self/status");
    return (double)kib * 1024;
}

static void *sample(void *context)
{
    double *peak = context;
    while (atomic_load(&sampling)) {
        double now = anonymous_bytes();
        if (now > *peak) *peak = now;
        clock_sleep(SAMPLE_SECONDS);
    }
    return NULL;
}

static void import(struct steme_store *store, const struct steme_signer *signer, size_t count)
{
    struct steme_error error;
    struct workload_shape shape = { .slots = count / 10, .claims = 3 };
    struct workload_assertion *made = must_alloc(BUNDLE, sizeof *made);
    struct steme_assertion *assertions = must_alloc(BUNDLE, sizeof *assertions);
    struct steme_receipt *receipts = must_alloc(BUNDLE, sizeof *receipts);
    for (size_t first = 0; first < count; first += BUNDLE) {
        for (size_t i = 0; i < BUNDLE; i++) {
            workload_assertion(&shape, first + i, &made[i]);
            assertions[i] = made[i].assertion;
        }
        must(steme_write_bundle(store, signer, assertions, BUNDLE, receipts, NULL, &error), &error, "importing");
    }
    struct steme_info info;
    must(steme_wait(store, receipts[BUNDLE - 1].sequence, WAIT_MS, &error), &error, "waiting for the index");
    must(steme_info(store, &info, &error), &error, "a store's figures");
    must_hold(info.records[STEME_ASSERTION] == count && !info.dead_letters, "all assertions in the index");
    free(made);
    free(assertions);
    free(receipts);
}

struct cost {
    double disk_bytes, memory_bytes, log_bytes, index_bytes, seconds;
};

static struct cost import_into_new(const char *path, size_t count)
{
    static const uint8_t seed[32] = "the key of one who imports much";
    struct steme_error error;
    struct steme_signer *signer = NULL;
    struct steme_store *store = scratch_store(path);
    struct cost cost = { 0 };
    pthread_t sampler;
    must(steme_signer_from_seed(seed, &signer, &error), &error, "a key");
    atomic_store(&sampling, true);
    must_hold(pthread_create(&sampler, NULL, sample, &cost.memory_bytes) == 0, "a thread");
    double start = clock_seconds();
    import(store, signer, count);
    cost.seconds = clock_seconds() - start;
    steme_close(&store);
    atomic_store(&sampling, false);
    must_hold(pthread_join(sampler, NULL) == 0, "joining a thread");
    struct scratch_path log = scratch_join(path, "wal"), index = scratch_join(path, "index");
    cost.disk_bytes = (double)scratch_disk_bytes(path);
    cost.log_bytes = (double)scratch_disk_bytes(log.text);
    cost.index_bytes = (double)scratch_disk_bytes(index.text);
    steme_signer_free(&signer);
    scratch_remove(path);
    return cost;
}

int main(int argc, char **argv)
{
    struct options options = options_parse(argc, argv);
    struct scratch_path path = scratch_path(&options, "store");
    double count = (double)options_scale(&options, RECORDS);
    struct figure disk = {
        .letter = "g",
        .what = "an assertion of 1,000,000 on disk, log + index / its record",
        .unit = "B",
        .bound = FIGURE_AT_MOST,
        .limit = 2.0,
    };
    struct figure memory = {
        .letter = "g",
        .what = "anonymous memory at most while importing them / 256 MiB",
        .unit = "B",
        .bound = FIGURE_AT_MOST,
        .limit = 1.0,
    };
    if (options.quick) disk.what = "an assertion of 100,000 on disk, log + index / its record";
    struct cost cost = { 0 };
    for (size_t round = 0; round < options.rounds; round++) {
        cost = import_into_new(path.text, (size_t)count);
        figure_add(&disk, cost.disk_bytes / count, WORKLOAD_RECORD_BYTES);
        figure_add(&memory, cost.memory_bytes, MEMORY_BYTES);
        scratch_settle();
    }
    figure_note(&disk, "log %.0f B, index %.0f B an assertion; %.0f k of them a second in the last round",
                cost.log_bytes / count, cost.index_bytes / count, count / cost.seconds / 1e3);
    report(&disk, &options);
    report(&memory, &options);
    return 0;
}
