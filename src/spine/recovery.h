/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a log: which segments are there, what a crash or rot did to them, where the log ends. The rule is in
 * docs/format/recovery.md. When the log may be written, what is torn or damaged is set aside and the torn tail cut. */
#ifndef SPINE_RECOVERY_H
#define SPINE_RECOVERY_H

#include "spine/quarantine.h"
#include "spine/segment_table.h"

/* Where the log ends and goes on. */
struct recovery_end {
    uint32_t segment;
    uint64_t offset;
    uint64_t capacity_bytes; /* of that segment */
    uint64_t next_sequence;
    struct steme_hash batch; /* hash of the last batch */
    int64_t received_at_us;  /* of it, or a later bound */
};

/* Find, judge and, unless options->read_only, repair. The table is empty and gets every segment there is; the
 * quarantine is open. STEME_NOT_FOUND, STEME_NEWER, STEME_CORRUPT: see wal_open(); the log is untouched then. */
MUST_CHECK steme_status recovery_run(const struct wal_options *options, struct segment_table *table,
                                     struct quarantine *quarantine, struct recovery_end *end_out,
                                     struct wal_report *report, struct steme_error *err);

#endif
