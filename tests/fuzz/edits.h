/* SPDX-License-Identifier: Apache-2.0 */
/* What somebody may have done to the log's files, one edit after the other: bytes changed, zeroed, moved, cut off, and
 * checks put right again, so that what lies behind them is reached. */
#ifndef TESTS_FUZZ_EDITS_H
#define TESTS_FUZZ_EDITS_H

#include "fuzz/input.h"

struct edits_file {
    uint8_t *bytes;
    size_t size, room; /* as it is; as long as it may become. What lies between is zeros, or was cut off */
};

enum { EDITS_OP_BYTES = 8 };

/* One edit of EDITS_OP_BYTES: what, which file, offset, length, value; checks are put right. Offsets count in `unit`
 * bytes. */
void edits_apply(struct edits_file *files, size_t count, const uint8_t op[EDITS_OP_BYTES], size_t unit);
/* The same as a fault would do it: checks stay as they are. */
void edits_damage(struct edits_file *files, size_t count, const uint8_t op[EDITS_OP_BYTES]);

/* Put the check of whatever begins at `at` right: a segment's header, a batch's, or a frame's prefix. */
void edits_check(uint8_t *at, size_t available);
/* Make the batch that begins at `at`, or what looks like one, good throughout, whatever its fields and records say:
 * ids, checks, the hash of its frames. */
void edits_seal(uint8_t *at, size_t available);

#endif
