/* SPDX-License-Identifier: Apache-2.0 */
/* What hangs on a question: the live assertions that derive from its live ones, directly or through others. */
#ifndef LATTICE_DEPENDANTS_H
#define LATTICE_DEPENDANTS_H

#include "lattice/evidence.h"

struct dependants {
    size_t
        count; /* distinct live assertions, of any slot; those of the slot itself too where they derive from others */
    bool more; /* at least so many: the walk ended at its limit */
};

/* Count those of the slot whose evidence this is. What derives through an assertion that is not live is counted all the
 * same: it rests on it. At most `limit` derived assertions are looked at (no two can derive from each other: an id has
 * its parents hashed in). STEME_CORRUPT: the index lies. */
MUST_CHECK steme_status dependants_count(struct reader *reader, const struct slot_ref *slot,
                                         const struct evidence *evidence, size_t limit, struct arena *arena,
                                         struct dependants *out, struct steme_error *err);

#endif
