/* SPDX-License-Identifier: Apache-2.0 */
/* A log on some host, and the oracle beside it: which records were handed in, which were acknowledged, and what may
 * therefore be found when the log is opened again. Fails the test where the log breaks a promise. One thread. */
#ifndef TESTS_LIB_WAL_WORLD_H
#define TESTS_LIB_WAL_WORLD_H

#include "lib/testing.h"
#include "spine/wal.h"

#define WAL_WORLD_RECORDS 1024u /* different records there are */
#define WAL_WORLD_DIR "store"

enum wal_world_fate {
    WAL_WORLD_UNUSED,  /* never handed in, or surely refused: may not be found */
    WAL_WORLD_UNKNOWN, /* handed in, and nobody knows: may be found */
    WAL_WORLD_DURABLE, /* acknowledged, or found once by an opening that could repair: must be found */
    WAL_WORLD_HURT     /* it was durable, and then the test damaged it: may be missing, but not be found changed */
};

struct wal_world {
    struct host *host;
    struct wal_options options; /* segments of 64 KiB, no committer */
    struct wal *wal;            /* NULL while closed */
    struct wal_report report;   /* of the last opening */
    size_t used;                /* records handed in so far: 0..used */
    enum wal_world_fate fates[WAL_WORLD_RECORDS];
    size_t group_of[WAL_WORLD_RECORDS];      /* first record of the append it was in */
    uint64_t location_of[WAL_WORLD_RECORDS]; /* where it was last found */
    bool hurt;                               /* some record is */
    uint64_t found;                          /* records found by the last wal_world_check() */
    uint64_t skipped;                        /* numbers it was told are lost */
};

/* The kth record: always the same bytes, 64 of them to some thousand. Borrowed, static. With a signature unless
 * `member`. */
struct wal_record wal_world_record(size_t k, bool member);
/* Which record these bytes are; fails the test when they are none. */
size_t wal_world_recognize(struct steme_slice bytes);

/* A simulated host with an open log on it, and the end of both. Fails the test where that fails. */
struct host *wal_world_start(struct wal_world *world, const char *name);
void wal_world_end(struct wal_world *world, struct host *mem);
/* Makes the directory and creates the log. */
void wal_world_create(struct wal_world *world, struct host *host, const char *name);
/* Opens; the status, for the caller to judge. */
steme_status wal_world_open(struct wal_world *world, struct steme_error *err);
/* Closes if open. */
void wal_world_close(struct wal_world *world);

/* Append the next count records as one group: the first is signed, the others are its members when `bundle`. Keeps the
 * books by the status, which it returns. */
steme_status wal_world_append(struct wal_world *world, size_t count, bool bundle, struct steme_error *err);

/* The same; it must succeed. */
void wal_world_add(struct wal_world *world, size_t count, bool bundle, const char *name);

/* Read everything and compare with the books: nothing invented, groups whole, order kept, everything durable there; by
 * location too. Sequence numbers have no gap unless records are hurt. What was found is durable from now on if the
 * log is open for writing. */
void wal_world_check(struct wal_world *world, const char *name);
/* The records first..last, as many as there are, may be missing from now on. */
void wal_world_hurt(struct wal_world *world, size_t first, size_t last);
/* Damage the frame of the kth record, which hurts it; or all of its group, if that is the last one in the log. */
void wal_world_ruin(struct wal_world *world, size_t k);
/* Invert a byte of a segment, as rot would. */
void wal_world_flip(struct wal_world *world, uint32_t segment, uint64_t offset);
/* wal_verify(): every byte accounted for, in all and against the files' sizes. Returns the totals. */
struct wal_totals wal_world_account(struct wal_world *world, const char *name);
/* BLAKE3 over names and bytes of all files under wal/, or with `quarantine` of those set aside too. */
struct steme_hash wal_world_digest(struct wal_world *world, bool quarantine);

#endif
