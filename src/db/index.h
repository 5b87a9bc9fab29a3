/* SPDX-License-Identifier: Apache-2.0 */
/* The index of a store as a thing that can be thrown away: opened, judged, brought up to date, discarded and made anew.
 *
 *   index/data.mdb, index/lock.mdb   LMDB's
 *   index/state                      there while somebody writes: the boot it happens in. LMDB does not sync commits,
 *                                    so after a system stop (another boot) what it left can't be trusted; after a
 *                                    killed process it can
 *   index.lock                       flock: who brings the index on disk up to date
 *
 * An index is shared by its store and the snapshots that read it; the last one to let go closes it. */
#ifndef DB_INDEX_H
#define DB_INDEX_H

#include "base/error.h"
#include "host/host.h"
#include "lattice/projection.h"
#include "spine/ingestor.h"

struct index {
    struct kv *kv;
    struct host *host;
    struct projection projection;
    struct ingestor ingestor;
    _Atomic uint32_t refs;
    bool attached; /* projection and ingestor are there */
    bool in_memory;
    bool marked; /* index/state says that we write */
    char *dir;   /* owned: the store's directory */
};

enum index_mode {
    INDEX_MAINTAIN, /* we hold index.lock: create, write */
    INDEX_LOOK,     /* read what is there on disk */
    INDEX_MEMORY    /* none on disk */
};

/* Open what is there; *applied_out is how far it is (zeros for an empty one). MAINTAIN creates what is missing and
 * discards what can't be trusted; *why_out is then a static sentence, else NULL. LOOK: STEME_NOT_FOUND or STEME_CORRUPT
 * when there is nothing usable. The caller owns one reference. */
MUST_CHECK steme_status index_open(struct host *host, const char *dir, enum index_mode mode, struct index **out,
                                   struct applied_row *applied_out, const char **why_out, struct steme_error *err);
/* Join it with the log. STEME_MISMATCH when the log does not know the index's mark. */
MUST_CHECK steme_status index_attach(struct index *index, struct wal *wal, const struct applied_row *applied,
                                     struct steme_error *err);
/* Fill an empty index from the log: in bulk on disk, step by step in memory. */
MUST_CHECK steme_status index_fill(struct index *index, struct wal *wal, struct steme_error *err);
/* Say in index/state that we write, before the first commit. */
MUST_CHECK steme_status index_mark_open(struct index *index, struct steme_error *err);
/* Write the file anew, in order and without the air that growing leaves in it, if there is much of that: LMDB frees
 * pages only for its own later use. For a store that is about to close: `index` goes on with the old file, which has
 * lost its name. */
MUST_CHECK steme_status index_tidy(struct index *index, struct steme_error *err);
/* Sync, and take the state away again: the index on disk is whole. */
MUST_CHECK steme_status index_mark_clean(struct index *index, struct steme_error *err);
/* Remove its files; an open index lives on until it is let go. */
MUST_CHECK steme_status index_discard(struct host *host, const char *dir, struct steme_error *err);

void index_hold(struct index *index);
void index_release(struct index **index); /* NULL is fine; *index is NULL afterwards */

#endif
