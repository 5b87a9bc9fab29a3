/* SPDX-License-Identifier: Apache-2.0 */
/* b. Singly signed records, verified, logged and indexed, against their signatures being verified and nothing else.
 *
 * Ours    steme_submit() from 2 threads, 500 records a call, as an import brings them; the time ends when the last
 *         record is indexed.
 * Limit   crypto_sign_verify_detached() of libsodium on 2 threads, over the same messages, keys and signatures, which
 *         are laid out beforehand: what no store that verifies one by one can beat. */
#include "lib/clock.h"
#include "lib/report.h"
#include "lib/scratch.h"
#include "lib/verify.h"

enum { RECORDS = 40000, THREADS = 2 };

int main(int argc, char **argv)
{
    struct options options = options_parse(argc, argv);
    struct scratch_path path = scratch_path(&options, "store");
    struct workload_shape shape = { .slots = options_scale(&options, RECORDS) / 10, .claims = 3 };
    struct workload workload;
    struct figure figure = {
        .letter = "b",
        .what = "signed records, verified + logged + indexed / libsodium's verify alone",
        .unit = "rec/s",
        .bound = FIGURE_AT_LEAST,
        .limit = 0.85,
    };
    workload_singles(&workload, &shape, 0, options_scale(&options, RECORDS), WORKLOAD_CALL_RECORDS);
    double count = (double)workload.assertion_count;
    double our_cpu = 0, their_cpu = 0;
    for (size_t round = 0; round < options.rounds; round++) {
        struct steme_store *store = scratch_store(path.text);
        double cpu = clock_cpu_seconds();
        double ours = scratch_submit(store, &workload, THREADS);
        our_cpu += clock_cpu_seconds() - cpu;
        steme_close(&store);
        scratch_remove(path.text);
        scratch_settle();
        cpu = clock_cpu_seconds();
        double theirs = verify_alone(&workload, THREADS);
        their_cpu += clock_cpu_seconds() - cpu;
        figure_add(&figure, count / ours, count / theirs);
    }
    double records = count * (double)options.rounds;
    figure_note(&figure, "CPU a record: ours %.1f us, theirs %.1f us", our_cpu / records * 1e6,
                their_cpu / records * 1e6);
    report(&figure, &options);
    workload_free(&workload);
    return 0;
}
