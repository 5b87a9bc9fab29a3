/* SPDX-License-Identifier: Apache-2.0 */
/* a. Group commit of many callers, against the disk with one writer that has everything at hand.
 *
 * Ours    64 threads that append a signed record of 320 bytes each, one at a time, through wal_append(): they copy, take
 *         part in a group, sleep through its sync, wake. Nothing is verified or indexed; ids are computed beforehand.
 * Limit   pwrite() and fdatasync() in turn, of as many bytes of the same frames as a group of ours had on average in the
 *         same round, one behind the other into a file whose blocks are reserved, as those of our segments are. */
#include "lib/clock.h"
#include "lib/report.h"
#include "lib/scratch.h"
#include "spine/frame.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { THREADS = 64, FRAME_BYTES = FRAME_SIGNED_PREFIX_BYTES + WORKLOAD_RECORD_BYTES };

#define SECONDS 1.0
#define LIMIT_FILE_BYTES ((off_t)1 << 30) /* turned back to the start if it is ever full */

struct appending {
    struct wal *wal;
    const struct wal_record *records; /* one for each thread */
    uint64_t counts[THREADS];
};

static void append_one_by_one(void *context, size_t index)
{
    struct appending *appending = context;
    struct steme_error error;
    struct wal_place place;
    uint64_t count = 0;
    for (; !crew_over(); count++)
        must(wal_append(appending->wal, &appending->records[index], 1, &place, &error), &error, "appending");
    appending->counts[index] = count;
}

/* Records a second; *group_out is the mean number of them in a sync. */
static double append(const char *path, const struct wal_record *records, double seconds, double *group_out)
{
    struct appending appending = { .wal = scratch_log(path), .records = records };
    struct wal_stats stats;
    double took = crew_run_for(seconds, THREADS, append_one_by_one, &appending);
    uint64_t count = 0;
    for (size_t i = 0; i < THREADS; i++)
        count += appending.counts[i];
    wal_stats(appending.wal, &stats);
    *group_out = (double)stats.appended_records / (double)stats.batches;
    wal_close(&appending.wal);
    scratch_remove(path);
    return (double)count / took;
}

/* The same frames over and over; records a second. */
static double write_and_sync(const char *path, const struct wal_record *records, double seconds, size_t group)
{
    size_t size = group * FRAME_BYTES;
    uint8_t *frames = must_alloc(group, FRAME_BYTES);
    for (size_t i = 0; i < group; i++)
        frame_write(frames + i * FRAME_BYTES, &records[i % THREADS], (uint32_t)(i * FRAME_BYTES));
    int file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    must_hold(file >= 0 && posix_fallocate(file, 0, LIMIT_FILE_BYTES) == 0 && fdatasync(file) == 0, path);
    uint64_t count = 0;
    off_t at = 0;
    double start = clock_seconds(), took;
    do {
        if (at + (off_t)size > LIMIT_FILE_BYTES) at = 0;
        must_hold(pwrite(file, frames, size, at) == (ssize_t)size && fdatasync(file) == 0, "writing");
        at += (off_t)size;
        count += group;
        took = clock_seconds() - start;
    } while (took < seconds);
    must_hold(close(file) == 0, path);
    free(frames);
    scratch_remove(path);
    return (double)count / took;
}

int main(int argc, char **argv)
{
    struct options options = options_parse(argc, argv);
    struct scratch_path path = scratch_path(&options, "log"), peer = scratch_path(&options, "file");
    struct workload_shape shape = { .slots = THREADS, .claims = 1 };
    struct wal_record records[THREADS];
    struct workload workload;
    struct figure figure = {
        .letter = "a",
        .what = "64 threads, group commit / write + fdatasync of as large groups",
        .unit = "rec/s",
        .bound = FIGURE_AT_LEAST,
        .limit = 0.75,
    };
    workload_singles(&workload, &shape, 0, THREADS, THREADS);
    for (size_t i = 0; i < THREADS; i++)
        records[i] =
            (struct wal_record){ workload.records[i].bytes, workload.ids[i], &workload.records[i].signature };
    double seconds = options_seconds(&options, SECONDS), group = 0, groups = 0;
    for (size_t round = 0; round < options.rounds; round++) {
        double ours = append(path.text, records, seconds, &group);
        groups += group;
        scratch_settle();
        double limit = write_and_sync(peer.text, records, seconds, (size_t)(group + 0.5));
        scratch_settle();
        figure_add(&figure, ours, limit);
    }
    figure_note(&figure, "%.1f records a group on average", groups / (double)options.rounds);
    report(&figure, &options);
    workload_free(&workload);
    return 0;
}
