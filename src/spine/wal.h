/* SPDX-License-Identifier: Apache-2.0 */
/* The write-ahead log: segments of batches of frames (docs/format/log.md). Many threads append; what
 * arrives together is written and synced together (group commit), and the acknowledgement comes after the sync.
 *
 *   wal/0000000000000001.seg ...   segment header, then batches; the rest of the file is zeros (known padding)
 *   batch   header (place, first sequence, receive time, hash of the batch before it), then frames
 *   frame   64-byte header (length, sequence, record id, check), signature unless it is a member of a bundle, record
 *
 * A location is segment << 32 | offset of the frame in its segment: 64 bit, rising with the sequence number.
 * One wal per directory writes (the store's lock sees to it); appends and reads may come from any thread. */
#ifndef SPINE_WAL_H
#define SPINE_WAL_H

#include "base/arena.h"
#include "base/error.h"
#include "host/host.h"
#include "steme/limits.h"
#include "steme/types.h"

struct wal;

/* One record to append. */
struct wal_record {
    struct steme_slice bytes;                /* canonical, checked by the caller; borrowed for the call */
    struct steme_hash id;                    /* BLAKE3 of bytes, computed by the caller */
    const struct steme_signature *signature; /* NULL for a member of the bundle in front of it in the same call */
};

/* Where a record came to lie. */
struct wal_place {
    uint64_t sequence; /* 1, 2, 3 ... without a gap in a log that was never damaged */
    uint64_t location;
};

/* A frame read back: pointers into the mapped log, valid until wal_close(). */
struct wal_entry {
    uint64_t sequence;
    uint64_t location;
    uint64_t next_location; /* of the frame behind it, or where the next batch will begin */
    int64_t received_at_us; /* of its batch; never decreases along the log */
    struct steme_hash id;
    struct steme_slice bytes;
    const struct steme_signature *signature; /* NULL for a bundle's member */
    uint64_t batch_location;
    bool batch_first; /* first frame of its batch */
    bool batch_last;  /* last one */
};

/* A point between batches: everything before `location` has been dealt with. */
struct wal_mark {
    uint64_t next_sequence;  /* of the first record behind it; 1 at the beginning */
    uint64_t location;       /* where the next batch begins or will begin */
    struct steme_hash batch; /* hash of the batch that ends here; zeros at the beginning */
};

/* What opening found; counts of bytes and of things. */
struct wal_report {
    uint64_t scanned_bytes;   /* read and checked this time */
    uint64_t torn_tail_bytes; /* set aside behind the last whole batch: never acknowledged, or the last batch of all */
    uint64_t damaged_bytes;   /* set aside below a proof of durability: acknowledged data */
    uint64_t missing_sequences; /* how many sequence numbers are lost to damage */
    uint64_t quarantine_files;  /* in the quarantine directory, old and new */
    bool degraded;              /* acknowledged data are missing or were damaged, now or earlier */
    bool unfiled;               /* some of that is on record in this process only: nothing could be written */
};

struct wal_options {
    struct host *host;
    const char *dir;            /* holds wal/ and quarantine/ */
    struct steme_hash store_id; /* in every segment header: another store's segments are refused */
    bool read_only;             /* nothing is created, repaired or cut; appends are refused */
    /* NULL, or a mark the index holds: proof that all before it was durable. If the log agrees with it, opening scans
     * from there instead of from the start of the last segment */
    const struct wal_mark *hint;
    uint64_t segment_bytes; /* 0: STEME_SEGMENT_BYTES; tests use small ones, at least 64 KiB, multiple of 4096 */
    /* a background thread takes over group commits while callers keep coming; false in simulations, where the callers
     * commit in turn */
    bool committer;
};

/* Bring the last five of a report up to what is known by now: reading finds damage as well as opening. Any thread. */
MUST_CHECK steme_status wal_damage(struct wal *wal, struct wal_report *report, struct steme_error *err);

/* Create wal/ and the first segment, synced with their directories. STEME_EXISTS if there is a log. */
MUST_CHECK steme_status wal_create(const struct wal_options *options, struct steme_error *err);

/* Open, repair what a crash left (docs/format/recovery.md), and find the true end. *report_out may be NULL.
 * STEME_NOT_FOUND: no log. STEME_NEWER: a format this program does not know, nothing was touched. STEME_CORRUPT:
 * a segment of another store, or quarantine over its limit. Damage to records does not fail: the report says. */
MUST_CHECK steme_status wal_open(const struct wal_options *options, struct wal **wal_out, struct wal_report *report_out,
                                 struct steme_error *err);
/* Stops the committer, trims the padding of the last segment, frees; NULL is fine; *wal is NULL afterwards. Nobody
 * may be inside another call. Durability does not depend on it. */
void wal_close(struct wal **wal);

/* Append count records as one batch: all become durable, or none does. Returns after the sync.
 *   records  1..STEME_BATCH_RECORDS_MAX, together at most STEME_BATCH_BYTES_MAX with framing; several callers'
 *            records share one write and one sync, each caller's stay together and in order in one batch
 *   places   caller's array, count long; set only on STEME_OK
 * Returns STEME_OK, STEME_TOO_LARGE, STEME_NO_SPACE or STEME_NO_MEMORY (nothing was written, later appends may
 * succeed), STEME_IO, STEME_SEALED, STEME_READ_ONLY. After STEME_IO the effect is unknown and the log is sealed: every
 * later append answers STEME_SEALED until the log is opened anew, because after a failed sync nobody knows what the
 * disk holds. */
MUST_CHECK steme_status wal_append(struct wal *wal, const struct wal_record *records, size_t count,
                                   struct wal_place *places, struct steme_error *err);

/* Everything before this mark is durable; the ingestor reads no further. */
struct wal_mark wal_durable(const struct wal *wal);
/* Sleep until a record with this sequence number is durable, or timeout_ns passed, or wal_wake() was called since the
 * turn was read; true if it is durable. Who waits for something besides the log reads the turn, looks at the something
 * else, and then waits with that turn, so that no wake-up is lost. */
bool wal_wait(struct wal *wal, uint64_t sequence, uint32_t turn, uint64_t timeout_ns);
uint32_t wal_turn(const struct wal *wal);
/* Let everybody who sleeps in wal_wait() return. */
void wal_wake(struct wal *wal);

/* Read the frame at a location below the durable mark, checks included: frame check, and BLAKE3(bytes) == id.
 * STEME_NOT_FOUND: no frame begins there, or it lies in quarantine. STEME_CORRUPT: it fails its checks. */
MUST_CHECK steme_status wal_read(struct wal *wal, uint64_t location, struct wal_entry *out, struct steme_error *err);
/* The same for several at once, contents hashed side by side; statuses[i] tells of entries[i]. */
void wal_read_many(struct wal *wal, const uint64_t *locations, size_t count, struct wal_entry *entries,
                   steme_status *statuses);

/* Read on from *at: whole batches, at least one while there is any below the durable mark, until about `want` entries
 * are found. Frames that fail their checks are left out and counted in *skipped_out (may be NULL); a quarantined
 * stretch is stepped over. Contents are hashed side by side. *at moves behind what was read; its batch hash is that of
 * the last batch. Entries live in the arena; count 0 at the end. A mark that the log does not know (another log, cut
 * short): STEME_MISMATCH. Damage that a writer can't put on record in the quarantine ends the reading, with the host's
 * status or STEME_NO_SPACE, and nothing moves; what is known of it, wal_damage() tells. */
MUST_CHECK steme_status wal_scan(struct wal *wal, struct wal_mark *at, size_t want, struct arena *arena,
                                 struct wal_entry **entries_out, size_t *count_out, uint64_t *skipped_out,
                                 struct steme_error *err);
/* The mark at the beginning of the log. */
struct wal_mark wal_begin(const struct wal *wal);
/* Whether the log holds a batch that ends at this mark with this hash (or it is the beginning). */
bool wal_knows(struct wal *wal, const struct wal_mark *mark);

/* One finding of wal_verify(). */
struct wal_finding {
    uint64_t location; /* where */
    uint64_t bytes;    /* how much */
    uint64_t sequence; /* of the record, or 0 */
    const char *what;  /* static text */
};
/* Check every byte of every segment: headers, chain, checks, ids, zeros, and every quarantine file; valid + padding +
 * quarantined == file length. Calls found() for each finding. Signatures are the caller's: wal_scan() gives them. */
struct wal_totals {
    uint64_t segments, batches, frames;
    uint64_t file_bytes, valid_bytes, padding_bytes, damaged_bytes;
    uint64_t findings;
};
MUST_CHECK steme_status wal_verify(struct wal *wal, void (*found)(void *context, const struct wal_finding *finding),
                                   void *context, struct wal_totals *totals_out, struct steme_error *err);

/* Counters since open, for status and benchmarks. */
struct wal_stats {
    uint64_t appended_records, appended_bytes, batches, syncs, segments, log_bytes;
    uint64_t reads; /* frames returned by wal_read and wal_read_many */
};
void wal_stats(struct wal *wal, struct wal_stats *out);

#endif
