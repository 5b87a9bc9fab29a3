/* SPDX-License-Identifier: Apache-2.0 */
/* What a stretch of the log can change in views: the slots its records touch, and what reaches beyond slots. */
#ifndef DB_VIEW_TOUCH_H
#define DB_VIEW_TOUCH_H

#include "db/store.h"
#include "db/view_spec.h"

struct view_touch {
    struct slot_ref *slots; /* sorted, each once */
    size_t slot_count;
    struct steme_slice *schemas; /* predicates whose cardinality a trusted agent spoke about */
    size_t schema_count;
    bool epochs;  /* there is an epoch: any slot may have changed */
    bool weights; /* endorsements changed: any answer of a lens that weighs voices may have */
};

/* Of entries[0..count), seen as of the reader's limit, which is where they end. A record that is not there yet touches
 * what it names when it comes; a revision by anyone but the author touches nothing. */
MUST_CHECK steme_status view_touch_find(struct reader *reader, const struct trust *trust,
                                        const struct wal_entry *entries, size_t count, struct arena *arena,
                                        struct view_touch *out, struct steme_error *err);
/* Whether that can't be narrowed down to slots of this view. */
bool view_touch_all(const struct view_touch *touch, const struct view_spec *spec);

#endif
