/* SPDX-License-Identifier: Apache-2.0 */
/* Keeping materialized views current. A view tails the log as the ingestor does, behind it: from its own mark it takes
 * the next records, finds which slots they touch, resolves those as of the end of what it took, and commits rows and
 * mark together. So at any moment, also after a crash, its rows are what resolving from scratch at its mark gives.
 *
 * What can't be narrowed down to slots (an epoch, the schema of a predicate, weights that flow through the store, other
 * trusted keys) makes the view anew: slot by slot as of one fixed moment into a generation of its own, while the old
 * one can be read; then readers are shown the new one, in one transaction, and the old one is taken away.
 *
 * A step is bounded work without waiting; it is for whoever steps the ingestor, under the same lock. */
#ifndef DB_VIEWS_H
#define DB_VIEWS_H

#include "base/arena.h"
#include "host/gate.h"
#include "lattice/view_row.h"
#include "spine/kv.h"

struct index;
struct steme_store;
struct trust;
struct view_spec;

/* How much one step does at most. */
struct views_pace {
    size_t records;  /* of the log; whole batches, so some more */
    size_t slots;    /* resolved in a refresh */
    size_t looks;    /* slots passed over in one because of their place */
    size_t removals; /* rows taken away, of each view */
};

/* How long closing a store, and opening one for reading, goes on with views that are not current. */
#define VIEWS_SETTLE_NS (UINT64_C(2) * 1000 * 1000 * 1000)

struct views {
    struct arena arena; /* the definitions */
    struct view_spec *specs;
    size_t count;
    bool known; /* specs are what `records` view records under `trust` amount to */
    uint64_t records;
    struct steme_hash trust;
    struct views_pace pace;
    bool fresh;                 /* nothing has been stepped since opening: a view with a fault gets another try */
    bool orphans;               /* there may be rows of views that are no more */
    struct arena work, scratch; /* of one step: what is kept until its commit, and what is not */
    struct gate changed;        /* kicked when a step has committed something */
    bool still;                 /* a damaged key keeps them from going on, and that was told */
    _Atomic bool pending;
    _Atomic uint64_t give_up_ns; /* when stopping: monotonic time to leave the rest to whoever opens the store next */
};

void views_init(struct views *views);
void views_deinit(struct views *views);

/* Do the next piece of work, if there is any; *pending then says whether more is left. */
MUST_CHECK steme_status views_step(struct steme_store *store, struct index *index, struct steme_error *err);
/* Whether a step would find work. */
MUST_CHECK steme_status views_look(struct steme_store *store, struct index *index, bool *pending_out,
                                   struct steme_error *err);

/* State of a view in this transaction; zeros where nothing has been made. */
MUST_CHECK steme_status views_state(struct kv_txn *txn, const struct steme_hash *view, struct view_state *out,
                                    struct steme_error *err);
/* Move *view on to the first view that has rows, at it or behind; with `beyond` behind it. STEME_NOT_FOUND: none. */
MUST_CHECK steme_status views_next(struct kv_txn *txn, uint8_t view[16], bool beyond, struct steme_error *err);
/* Begin a refresh of one view. The caller holds store->ingesting. */
MUST_CHECK steme_status views_refresh(struct steme_store *store, struct index *index, const struct steme_hash *view,
                                      struct steme_error *err);
/* Resolve every slot of every view as of its watermark and compare: found() for each view that has other rows. */
MUST_CHECK steme_status views_verify(struct steme_store *store, struct index *index,
                                     void (*found)(void *context, struct steme_slice view, const char *wrong),
                                     void *context, struct steme_error *err);
/* Keys and values of all rows of views: what the projection does not count. */
MUST_CHECK steme_status views_row_bytes(struct kv *kv, uint64_t *out, struct steme_error *err);
/* Digest of the trusted agents, for view_state.trust. */
struct steme_hash views_trust(const struct trust *trust);

#endif
