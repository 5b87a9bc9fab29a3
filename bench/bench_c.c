/* SPDX-License-Identifier: Apache-2.0 */
/* c. Bundles of 1,000, verified, logged and indexed: what it brings to sign many at once, and how far the index alone
 * would let us go.
 *
 * Ours      steme_submit() of a bundle a call from 2 threads; the time ends when the last record is indexed. Encoded
 *           and signed beforehand.
 * Against   (b) of the same round, and against LMDB with nothing around it: one thread, the same keys and values as our
 *           index ends up with, in the order the records came, 10,000 entries a transaction. */
#include "lib/clock.h"
#include "lib/lmdb_alone.h"
#include "lib/report.h"
#include "lib/scratch.h"

enum { RECORDS = 200000, SINGLES = 20000, BUNDLE = 1000, THREADS = 2 };

/* Records a second, indexed; *cpu_us_out is the CPU time of one. */
static double submit_to_new(const char *path, const struct workload *workload, double *cpu_us_out)
{
    struct steme_store *store = scratch_store(path);
    double count = (double)workload->assertion_count, cpu = clock_cpu_seconds();
    double took = scratch_submit(store, workload, THREADS);
    *cpu_us_out = (clock_cpu_seconds() - cpu) / count * 1e6;
    steme_close(&store);
    scratch_remove(path);
    scratch_settle();
    return count / took;
}

/* What the index holds in the end, put together by a run that is not measured. */
static void collect_entries(const char *path, const struct workload *workload, struct lmdb_entries *entries)
{
    struct steme_store *store = scratch_store(path);
    (void)scratch_submit(store, workload, 1);
    steme_close(&store);
    struct scratch_path index = scratch_join(path, "index");
    lmdb_entries_read(entries, index.text);
    scratch_remove(path);
}

int main(int argc, char **argv)
{
    struct options options = options_parse(argc, argv);
    struct scratch_path path = scratch_path(&options, "store"), peer = scratch_path(&options, "lmdb");
    struct workload bundles, singles;
    struct lmdb_entries entries;
    struct figure to_singles = {
        .letter = "c",
        .what = "bundles of 1,000, verified + logged + indexed / (b), singly signed",
        .unit = "rec/s",
        .bound = FIGURE_AT_LEAST,
        .limit = 2.0,
    };
    struct figure to_index = {
        .letter = "c",
        .what = "bundles of 1,000, verified + logged + indexed / LMDB NOSYNC alone",
        .unit = "rec/s",
        .bound = FIGURE_AT_LEAST,
        .limit = 0.6,
    };
    size_t count = options_scale(&options, RECORDS);
    struct workload_shape shape = { .slots = count / 10, .claims = 3 };
    workload_bundles(&bundles, &shape, 0, count, BUNDLE);
    workload_singles(&singles, &shape, 0, options_scale(&options, SINGLES), WORKLOAD_CALL_RECORDS);
    collect_entries(path.text, &bundles, &entries);
    double cpu_us = 0, singles_cpu_us = 0, alone_cpu_us = 0;
    for (size_t round = 0; round < options.rounds; round++) {
        double by_one = submit_to_new(path.text, &singles, &singles_cpu_us);
        double ours = submit_to_new(path.text, &bundles, &cpu_us);
        double cpu = clock_cpu_seconds();
        double alone = (double)bundles.assertion_count / lmdb_alone(&entries, peer.text);
        alone_cpu_us = (clock_cpu_seconds() - cpu) / (double)bundles.assertion_count * 1e6;
        scratch_remove(peer.text);
        scratch_settle();
        figure_add(&to_singles, ours, by_one);
        figure_add(&to_index, ours, alone);
    }
    figure_note(&to_singles, "CPU a record, last round: bundled %.1f us, singly %.1f us", cpu_us, singles_cpu_us);
    figure_note(&to_index, "%.2f entries of %.0f bytes a record; CPU a record: ours %.1f us, LMDB alone %.1f us",
                (double)entries.count / (double)bundles.assertion_count, (double)entries.bytes / (double)entries.count,
                cpu_us, alone_cpu_us);
    report(&to_singles, &options);
    report(&to_index, &options);
    lmdb_entries_free(&entries);
    workload_free(&singles);
    workload_free(&bundles);
    return 0;
}
