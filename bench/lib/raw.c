/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* fallocate */
#include "raw.h"

#include "clock.h"
#include "options.h"
#include "scratch.h"
#include "spine/frame.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct raw raw_open(const char *path, const struct wal_record *records, size_t count)
{
    struct raw raw = { .frame_bytes = frame_bytes_of(&records[0]), .frame_count = count };
    raw.frames = must_alloc(count, raw.frame_bytes);
    for (size_t i = 0; i < count; i++) {
        must_hold(frame_bytes_of(&records[i]) == raw.frame_bytes, "records of one size");
        frame_write(raw.frames + i * raw.frame_bytes, &records[i], (uint32_t)(i * raw.frame_bytes));
    }
    raw.file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    must_hold(raw.file >= 0, path);
    return raw;
}

void raw_close(struct raw *raw, const char *path)
{
    must_hold(close(raw->file) == 0, path);
    free(raw->frames);
    scratch_remove(path);
}

static void reserve(struct raw *raw, off_t bytes)
{
    while (raw->reserved < raw->offset + bytes) {
        must_hold(fallocate(raw->file, 0, raw->reserved, STEME_SEGMENT_BYTES) == 0, "reserving space");
        raw->reserved += STEME_SEGMENT_BYTES;
    }
    must_hold(fdatasync(raw->file) == 0, "reserving space");
}

struct raw_turn raw_write(struct raw *raw, const struct raw_turn *ours)
{
    size_t done = 0;
    must_hold(ours->records / ours->groups < (double)raw->frame_count, "enough frames for a group");
    reserve(raw, (off_t)ours->records * (off_t)raw->frame_bytes);
    double start = clock_seconds();
    for (size_t group = 1; group <= (size_t)ours->groups; group++) {
        size_t until = (size_t)((double)group * ours->records / ours->groups);
        size_t size = (until - done) * raw->frame_bytes;
        must_hold(pwrite(raw->file, raw->frames, size, raw->offset) == (ssize_t)size, "writing a group");
        must_hold(fdatasync(raw->file) == 0, "syncing a group");
        raw->offset += (off_t)size;
        done = until;
    }
    return (struct raw_turn){ (double)done, ours->groups, clock_seconds() - start };
}

void raw_add(struct raw_turn *sum, const struct raw_turn *turn)
{
    sum->records += turn->records;
    sum->groups += turn->groups;
    sum->seconds += turn->seconds;
}
