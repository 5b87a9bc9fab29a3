/* SPDX-License-Identifier: Apache-2.0 */
/* Definitions of views: which records count, and what they ask for. */
#ifndef DB_VIEW_SPEC_H
#define DB_VIEW_SPEC_H

#include "db/store.h"
#include "lattice/touched.h"
#include "lattice/view_row.h"
#include "steme/view.h"

/* A definition, read. Slices lie in the mapped log, lists in the arena it was listed into. */
struct view_spec {
    struct steme_hash id; /* of its record */
    uint64_t sequence;
    struct steme_view definition;
    struct steme_lens lens;
    bool proposal;      /* by somebody else than the store's own keys */
    bool waiting;       /* past STEME_VIEWS_MAX */
    struct reach reach; /* what its lens looks at beyond the slot */
    bool only_route;    /* the subject pattern is one name, and this is its route */
    uint64_t route;
    uint32_t predicate;         /* hash, where the definition names one */
    char fault[VIEW_FAULT_MAX]; /* what in its lens this program can't read; empty: all is well */
};

/* All views below the reader's limit, sorted by name, then id: of the records of one name by trusted agents the
 * latest, unless it drops the view; and as proposals those of each other author. */
MUST_CHECK steme_status view_spec_list(struct reader *reader, const struct trust *trust, struct arena *arena,
                                       struct view_spec **out, size_t *count_out, struct steme_error *err);

/* Whether a slot of this place can belong to the view, as far as that says; the names decide. */
bool view_spec_may_have(const struct view_spec *spec, const struct slot_ref *slot);
/* Whether what was touched can't be narrowed down to slots of the view: all its rows are to be made anew. */
bool view_spec_is_remade(const struct view_spec *spec, const struct touched *touched);
/* Whether a slot of these names belongs to it. */
bool view_spec_has(const struct view_spec *spec, struct steme_slice subject, struct steme_slice predicate);

/* A lens's parameters as a definition records them; the texts live in the arena. */
MUST_CHECK steme_status view_spec_parameters(const struct steme_lens *lens, struct arena *arena,
                                             struct steme_qualifier **out, size_t *count_out, struct steme_error *err);

#endif
