/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a log: which segments are there, what a crash or rot did to them, where the log ends. The rule is in
 * docs/format/recovery.md. When the log may be written, what is torn or damaged is set aside and the torn tail cut. */
#ifndef SPINE_RECOVERY_H
#define SPINE_RECOVERY_H

#include "spine/quarantine.h"
#include "spine/segment_table.h"

/* Where the log ends and goes on. */
struct recovery_end {
    struct wal_mark mark;    /* its location: where the next batch will begin, perhaps in a segment yet to be made */
    uint32_t segment;        /* to write to, as long as there is room */
    uint64_t offset;         /* in it */
    uint64_t capacity_bytes; /* of it; the offset when the log goes on in a new one */
    int64_t received_at_us;  /* of the last batch, or a later bound */
};

/* Find, judge and, unless options->read_only, repair. The table is empty and gets every segment there is; the
 * quarantine is open; of the report, bytes scanned and torn are filled. STEME_NOT_FOUND, STEME_NEWER, STEME_CORRUPT:
 * see wal_open(); the log is untouched then. */
MUST_CHECK steme_status recovery_run(const struct wal_options *options, struct segment_table *table,
                                     struct quarantine *quarantine, struct recovery_end *end_out,
                                     struct wal_report *report, struct steme_error *err);

#endif
