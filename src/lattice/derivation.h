/* SPDX-License-Identifier: Apache-2.0 */
/* What derives from what, by child rows: from an assertion to those that name it among their parents. */
#ifndef LATTICE_DERIVATION_H
#define LATTICE_DERIVATION_H

#include "lattice/evidence.h"

/* Visit each assertion below the limit that names this one among its parents, by id; each is held against its record.
 * visit's non-OK answer ends the walk and is returned. STEME_CORRUPT: the index lies. */
MUST_CHECK steme_status derivation_children(struct reader *reader, const struct steme_hash *parent,
                                            steme_status (*visit)(void *context, const struct wal_entry *child,
                                                                  struct steme_error *err),
                                            void *context, struct steme_error *err);

#endif
