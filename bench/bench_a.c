/* SPDX-License-Identifier: Apache-2.0 */
/* a. Group commit of many callers, against the disk with one writer that has everything at hand.
 *
 * Ours    64 threads that append a signed record of 320 bytes each, one at a time, through wal_append(): they copy,
 *         take part in a group, sleep through its sync, wake. Nothing is verified or indexed; ids are known beforehand.
 * Limit   pwrite() and fdatasync() in turn by one thread: the same frames, as many groups as ours were, each with as
 *         many records as ours had on average, into a file whose blocks are reserved, as those of our segments are.
 *
 * The two take turns within a round, so that what else the machine does disturbs both alike. */
#include "lib/clock.h"
#include "lib/raw.h"
#include "lib/report.h"
#include "lib/scratch.h"
#include "spine/frame.h"

#include <stdlib.h>

enum { THREADS = 64, RECORDS = 4096, TURNS = 5, FRAME_BYTES = FRAME_SIGNED_PREFIX_BYTES + WORKLOAD_RECORD_BYTES };

#define TURN_SECONDS 0.2

/* ---- ours ---- */

struct appending {
    struct wal *wal;
    const struct wal_record *records;
};

static void append_one_by_one(void *context, size_t index)
{
    struct appending *appending = context;
    struct wal_place place;
    struct steme_error error;
    for (size_t i = index; !crew_over(); i += THREADS)
        must(wal_append(appending->wal, &appending->records[i % RECORDS], 1, &place, &error), &error, "appending");
}

static struct raw_turn append(struct wal *wal, const struct wal_record *records, double seconds)
{
    struct appending appending = { wal, records };
    struct wal_stats before, after;
    wal_stats(wal, &before);
    double took = crew_run_for(seconds, THREADS, append_one_by_one, &appending);
    wal_stats(wal, &after);
    return (struct raw_turn){ (double)(after.appended_records - before.appended_records),
                              (double)(after.batches - before.batches), took };
}

int main(int argc, char **argv)
{
    struct options options = options_parse(argc, argv);
    struct scratch_path path = scratch_path(&options, "log"), peer = scratch_path(&options, "file");
    struct workload_shape shape = { .slots = RECORDS / 10, .claims = 3 };
    struct wal_record *records = must_alloc(RECORDS, sizeof *records);
    struct workload workload;
    struct raw_turn all = { 0 };
    struct figure figure = {
        .letter = "a",
        .what = "64 threads, group commit / write + fdatasync of as large groups",
        .unit = "rec/s",
        .bound = FIGURE_AT_LEAST,
        .limit = 0.75,
    };
    workload_singles(&workload, &shape, 0, RECORDS, 1);
    for (size_t i = 0; i < RECORDS; i++)
        records[i] = (struct wal_record){ workload.records[i].bytes, workload.ids[i], &workload.records[i].signature };
    for (size_t round = 0; round < options.rounds; round++) {
        struct wal *wal = scratch_log(path.text);
        struct raw raw = raw_open(peer.text, records, RECORDS);
        struct raw_turn ours = { 0 }, theirs = { 0 };
        for (size_t i = 0; i < TURNS; i++) {
            struct raw_turn appended = append(wal, records, options_seconds(&options, TURN_SECONDS));
            struct raw_turn wrote = raw_write(&raw, &appended);
            raw_add(&ours, &appended);
            raw_add(&theirs, &wrote);
        }
        raw_close(&raw, peer.text);
        wal_close(&wal);
        scratch_remove(path.text);
        scratch_settle();
        raw_add(&all, &ours);
        figure_add(&figure, ours.records / ours.seconds, theirs.records / theirs.seconds);
    }
    figure_note(&figure, "%.1f records a group, framed in %u bytes each", all.records / all.groups, FRAME_BYTES);
    report(&figure, &options);
    free(records);
    workload_free(&workload);
    return 0;
}
