/* SPDX-License-Identifier: Apache-2.0 */
/* The limit of a group commit: pwrite() and fdatasync() in turn by one thread that has everything at hand, into a file
 * whose blocks are reserved, as those of our segments are. */
#ifndef BENCH_LIB_RAW_H
#define BENCH_LIB_RAW_H

#include "spine/wal.h"

#include <sys/types.h>

/* What was written in one turn, or in all of a round. */
struct raw_turn {
    double records, groups, seconds;
};
void raw_add(struct raw_turn *sum, const struct raw_turn *turn);

struct raw {
    int file;
    off_t offset, reserved;
    uint8_t *frames; /* of the records, one behind the other */
    size_t frame_bytes, frame_count;
};
/* Records of one size, more than a group has; they are framed now. */
struct raw raw_open(const char *path, const struct wal_record *records, size_t count);
void raw_close(struct raw *raw, const char *path);
/* As many groups and records as ours. A group has a whole number of records: now one more, now one less than the
 * mean. */
struct raw_turn raw_write(struct raw *raw, const struct raw_turn *ours);

#endif
