/* SPDX-License-Identifier: Apache-2.0 */
/* Walks over all slots at once, with one cursor. A reader's bound and world time hold. One thread at a time. */
#ifndef LATTICE_SWEEP_H
#define LATTICE_SWEEP_H

#include "lattice/evidence.h"

/* Every slot of a predicate (by the first 4 bytes of its hash: another predicate may share them), in the order of the
 * index, each as evidence_gather() gives it. A slot's evidence is valid during its visit only; what visit answers other
 * than STEME_OK ends the walk and is returned. */
MUST_CHECK steme_status sweep_slots(struct reader *reader, uint32_t predicate, const uint8_t *epoch,
                                    steme_status (*visit)(void *context, const struct slot_ref *slot,
                                                          struct evidence *evidence, struct steme_error *err),
                                    void *context, struct steme_error *err);

/* The predicates that anything below the limit is asserted with, by name. Of two whose hashes begin with the same 4
 * bytes only the one that comes first in the index is named. Names lie in the mapped log. */
MUST_CHECK steme_status sweep_predicates(struct reader *reader, struct arena *arena, struct steme_slice **out,
                                         size_t *count_out, struct steme_error *err);

#endif
