/* SPDX-License-Identifier: Apache-2.0 */
/* The quarantine: bytes of the log that are no good batch, set aside before anything happens to the original. One file
 * per stretch, quarantine/<segment>-<offset>.<n>.q, written under another name, synced, renamed, and never overwritten
 * (docs/format/recovery.md). The same stretch is set aside once, however often the log is opened. What was acknowledged
 * and is damaged stays on record here, so that later openings know. One thread. */
#ifndef SPINE_QUARANTINE_H
#define SPINE_QUARANTINE_H

#include "base/arena.h"
#include "host/host.h"

#define QUARANTINE_DIR "quarantine" /* in the store's directory */

enum quarantine_reason {
    QUARANTINE_TORN = 1,   /* behind all proofs of durability: a write cut short, or the very last batch gone bad */
    QUARANTINE_DAMAGE = 2, /* below a proof: acknowledged data */
    QUARANTINE_HEADER = 3, /* a segment's header; the batches behind it are not concerned */
    QUARANTINE_LOST = 4    /* acknowledged data that are not there at all; no bytes */
};

/* One stretch of a segment. */
struct quarantine_stretch {
    uint64_t segment, offset;
    struct steme_slice bytes; /* borrowed for the call */
    enum quarantine_reason reason;
    uint64_t first_sequence, count; /* the records lost with it; 0 of them when unknown or none */
};

/* A stretch on record: from a file, or, where nothing may be written, only found now. */
struct quarantine_entry {
    const char *name; /* of the file, in the quarantine's arena; NULL when there is none */
    bool good;        /* the file's header is whole; else the rest is zero */
    uint64_t segment, offset, length;
    enum quarantine_reason reason;
    uint64_t first_sequence, count;
    int64_t found_at_us;
    struct steme_hash hash; /* BLAKE3 of the bytes */
};

struct quarantine {
    struct host *host;
    const char *dir; /* "…/quarantine", in the arena */
    struct steme_hash store_id;
    uint64_t limit_bytes;
    bool read_only;
    struct arena arena;
    struct quarantine_entry *entries;
    size_t count, max;
    uint64_t file_count;  /* *.q */
    uint64_t total_bytes; /* of all files in the directory */
};

/* Read what lies in dir/quarantine. Unless read_only, make the directory if it is missing and remove unfinished files.
 * On failure nothing needs to be closed. */
MUST_CHECK steme_status quarantine_open(struct quarantine *quarantine, struct host *host, const char *dir,
                                        const struct steme_hash *store_id, uint64_t limit_bytes, bool read_only,
                                        struct steme_error *err);
void quarantine_close(struct quarantine *quarantine); /* safe on a zeroed one */

/* Set a stretch aside and put it on record: after STEME_OK its file survives a power cut. Does nothing when
 * the very same stretch lies there whole. STEME_CORRUPT: the limit would be passed. Otherwise the host's status; then
 * the original must not be touched. read_only: put on record only. A stretch that was on record without a file gets
 * one. */
MUST_CHECK steme_status quarantine_set_aside(struct quarantine *quarantine, const struct quarantine_stretch *stretch,
                                             struct steme_error *err);

/* Put a stretch on record for as long as the quarantine is open, without a file. */
MUST_CHECK steme_status quarantine_note(struct quarantine *quarantine, const struct quarantine_stretch *stretch,
                                        struct steme_error *err);

/* Whether an entry stands for data that were acknowledged. */
bool quarantine_is_loss(const struct quarantine_entry *entry);
/* Whether such entries on record name all the records first_sequence .. first_sequence + count - 1. */
bool quarantine_tells(const struct quarantine *quarantine, uint64_t first_sequence, uint64_t count);

/* Read a file back. *whole_out: header, length and bytes pass their checks. */
MUST_CHECK steme_status quarantine_check(struct quarantine *quarantine, const struct quarantine_entry *entry,
                                         bool *whole_out, struct steme_error *err);

/* What the entries on record amount to, torn tails apart: bytes, and different sequence numbers. */
struct quarantine_sum {
    bool degraded; /* there is any such entry, or a file whose header is damaged itself */
    bool unfiled;  /* one of them has no file: who opens the log next does not know of it */
    uint64_t damaged_bytes;
    uint64_t missing_sequences;
};
MUST_CHECK steme_status quarantine_sum(struct quarantine *quarantine, struct quarantine_sum *out,
                                       struct steme_error *err);

#endif
