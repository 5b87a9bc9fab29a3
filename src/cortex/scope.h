/* SPDX-License-Identifier: Apache-2.0 */
/* A scope: what all voices said on all slots of one predicate, as the learning of reliability takes it
 * (cortex/reliability.h). Seen through a reader: its bound and world time hold, revisions and ballots count as in an
 * answer about a single slot.
 *
 * Of a functional predicate each slot is an item, and its claims are the values; equal objects in different slots share
 * a label. Of a many-valued one each claim is an item with the values "yes" (0) and "no" (1): who refutes it says "no".
 * Where more than half of what is asserted are integers, decimals, or quantities of one unit, the scope is numeric, and
 * there are measurements as well: one for each claim and voice that asserts it. */
#ifndef CORTEX_SCOPE_H
#define CORTEX_SCOPE_H

#include "base/id16_index.h"
#include "cortex/lens.h"
#include "lattice/evidence.h"

struct scope {
    struct rel_data data;
    bool numeric;
    struct steme_slice unit;               /* of the measurements */
    const struct rel_number_item *numbers; /* only with numeric: slots that were measured */
    size_t number_count;
    struct id16_index voices; /* their numbers in data */
    const uint64_t *places;   /* of each voice: location of a record that names it */
    struct id16_index labels; /* of a functional predicate, by scope_label_id() */
};

/* Gather it: one walk over the rows, and a read of one record for each claim. Voices and labels live in `kept`, what is
 * learned from in `scratch`. epoch as for evidence_gather(). STEME_NO_MEMORY, STEME_CORRUPT, STEME_TOO_LARGE. */
MUST_CHECK steme_status scope_gather(struct reader *reader, struct steme_slice predicate, bool functional,
                                     const uint8_t *epoch, struct arena *kept, struct arena *scratch, struct scope *out,
                                     struct steme_error *err);

/* By what an object is known over slots: the beginning of the hash of its canonical bytes. */
void scope_label_id(struct steme_slice object, uint8_t out[16]);

/* The answers in claims of a functional slot, by lens_voice.number, then claim; how many. out has room for one for each
 * voice of each claim. */
size_t scope_answers(const struct lens_claim *claims, size_t claim_count, struct rel_answer *out);
/* The same of one claim of a many-valued predicate, as "yes" and "no". out has room for two for each voice. */
size_t scope_answers_alone(const struct lens_claim *claim, struct rel_answer *out);
/* By voice, as the learning of numbers takes them. */
void scope_sort_measures(struct rel_measure *measures, size_t count);

#endif
