/* SPDX-License-Identifier: Apache-2.0 */
/* a. Group commit of many callers, against the disk with one writer that has everything at hand.
 *
 * Ours    64 threads that append a signed record of 320 bytes each, one at a time, through wal_append(): they copy,
 *         take part in a group, sleep through its sync, wake. Nothing is verified or indexed; ids are known beforehand.
 * Limit   pwrite() and fdatasync() in turn by one thread: the same frames, as many groups as ours were, each with as
 *         many records as ours had on average, into a file whose blocks are reserved, as those of our segments are.
 *
 * The two take turns within a round, so that what else the machine does disturbs both alike. */
#define _GNU_SOURCE /* fallocate */
#include "lib/clock.h"
#include "lib/report.h"
#include "lib/scratch.h"
#include "spine/frame.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { THREADS = 64, RECORDS = 4096, TURNS = 5, FRAME_BYTES = FRAME_SIGNED_PREFIX_BYTES + WORKLOAD_RECORD_BYTES };

#define TURN_SECONDS 0.2

/* What was written in one turn, or in all of a round. */
struct tally {
    double records, groups, seconds;
};

static void add(struct tally *sum, const struct tally *turn)
{
    sum->records += turn->records;
    sum->groups += turn->groups;
    sum->seconds += turn->seconds;
}

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

static struct tally append(struct wal *wal, const struct wal_record *records, double seconds)
{
    struct appending appending = { wal, records };
    struct wal_stats before, after;
    wal_stats(wal, &before);
    double took = crew_run_for(seconds, THREADS, append_one_by_one, &appending);
    wal_stats(wal, &after);
    return (struct tally){ (double)(after.appended_records - before.appended_records),
                           (double)(after.batches - before.batches), took };
}

/* ---- the limit ---- */

struct raw {
    int file;
    off_t offset, reserved;
    uint8_t *frames; /* of RECORDS records, one behind the other */
};

static struct raw raw_open(const char *path, const struct wal_record *records)
{
    struct raw raw = { .frames = must_alloc(RECORDS, FRAME_BYTES) };
    for (uint32_t i = 0; i < RECORDS; i++)
        frame_write(raw.frames + i * FRAME_BYTES, &records[i], i * FRAME_BYTES);
    raw.file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    must_hold(raw.file >= 0, path);
    return raw;
}

static void raw_close(struct raw *raw, const char *path)
{
    must_hold(close(raw->file) == 0, path);
    free(raw->frames);
    scratch_remove(path);
}

static void raw_reserve(struct raw *raw, off_t bytes)
{
    while (raw->reserved < raw->offset + bytes) {
        must_hold(fallocate(raw->file, 0, raw->reserved, STEME_SEGMENT_BYTES) == 0, "reserving space");
        raw->reserved += STEME_SEGMENT_BYTES;
    }
    must_hold(fdatasync(raw->file) == 0, "reserving space");
}

/* As many groups and records as ours. A group has a whole number of records: now one more, now one less than the
 * mean. */
static struct tally raw_write(struct raw *raw, const struct tally *ours)
{
    size_t done = 0;
    must_hold(ours->records / ours->groups < RECORDS, "enough frames for a group");
    raw_reserve(raw, (off_t)ours->records * FRAME_BYTES);
    double start = clock_seconds();
    for (double group = 1; group <= ours->groups; group++) {
        size_t until = (size_t)(group * ours->records / ours->groups);
        size_t size = (until - done) * FRAME_BYTES;
        must_hold(pwrite(raw->file, raw->frames, size, raw->offset) == (ssize_t)size, "writing a group");
        must_hold(fdatasync(raw->file) == 0, "syncing a group");
        raw->offset += (off_t)size;
        done = until;
    }
    return (struct tally){ (double)done, ours->groups, clock_seconds() - start };
}

int main(int argc, char **argv)
{
    struct options options = options_parse(argc, argv);
    struct scratch_path path = scratch_path(&options, "log"), peer = scratch_path(&options, "file");
    struct workload_shape shape = { .slots = RECORDS / 10, .claims = 3 };
    struct wal_record *records = must_alloc(RECORDS, sizeof *records);
    struct workload workload;
    struct tally all = { 0 };
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
        struct raw raw = raw_open(peer.text, records);
        struct tally ours = { 0 }, theirs = { 0 };
        for (size_t i = 0; i < TURNS; i++) {
            struct tally appended = append(wal, records, options_seconds(&options, TURN_SECONDS));
            struct tally wrote = raw_write(&raw, &appended);
            add(&ours, &appended);
            add(&theirs, &wrote);
        }
        raw_close(&raw, peer.text);
        wal_close(&wal);
        scratch_remove(path.text);
        scratch_settle();
        add(&all, &ours);
        figure_add(&figure, ours.records / ours.seconds, theirs.records / theirs.seconds);
    }
    figure_note(&figure, "%.1f records a group, framed in %u bytes each", all.records / all.groups, FRAME_BYTES);
    report(&figure, &options);
    free(records);
    workload_free(&workload);
    return 0;
}
