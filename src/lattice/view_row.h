/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of a materialized view as bytes (docs/format/keys.md): a slot's answer, small enough to be printed without a
 * look at the log, and the state that says which moment the rows are of. Both begin with a check, because the store
 * below does not notice rot. Keys are in lattice/keys.h. Pure; any thread. */
#ifndef LATTICE_VIEW_ROW_H
#define LATTICE_VIEW_ROW_H

#include "base/arena.h"
#include "base/buf.h"
#include "lattice/keys.h"
#include "steme/view.h"

/* A row that would be longer holds figures and place only; whoever reads it resolves the slot as of the row's moment,
 * which gives the rest. */
#define VIEW_ROW_MAX 2048u
#define VIEW_FAULT_MAX 168u

/* Where the rows of a view are. Zeroed: nothing has been made. */
struct view_state {
    /* Rows of `shown` are what the slots amounted to at `mark`. 0: there are none yet. */
    uint32_t shown;
    struct wal_mark mark;
    uint64_t rows, row_bytes;
    struct steme_hash trust; /* the store's own keys that they were made under: roots and schema hang on them */
    int64_t made_at_us;      /* when a full refresh ended last */
    /* Being made as of `bound`: slots before `cursor` are done. 0: nothing is being made. */
    uint32_t making;
    struct wal_mark bound;
    struct slot_ref cursor;
    uint64_t making_rows, making_bytes;
    struct steme_hash making_trust; /* of the refresh that was begun last */
    bool sweeping;                  /* there may be rows of other generations to take away */
    /* Why it can't be kept up; empty: it can. */
    char fault[VIEW_FAULT_MAX];
};

void value_of_view_state(struct value_bytes *out, struct steme_slice key, const struct view_state *state);
MUST_CHECK steme_status row_view_state(struct steme_slice key, struct steme_slice value, struct view_state *out,
                                       struct steme_error *err);

/* Append the value of an answer's row to out. */
MUST_CHECK steme_status view_row_encode(struct steme_slice key, const struct steme_answer *answer, struct buf *out,
                                        struct steme_error *err);
/* Names and values point into `value`. *whole_out false: the row holds figures only, names and values are empty. */
MUST_CHECK steme_status view_row_decode(struct steme_slice key, struct steme_slice value, struct steme_view_row *out,
                                        bool *whole_out, struct steme_error *err);
/* The row an answer amounts to, without a detour over bytes; everything in it is the answer's. */
void view_row_of(const struct steme_answer *answer, struct steme_view_row *out);
/* Slot from the key of a row. */
void view_row_slot(struct steme_slice key, struct slot_ref *out);

#endif
