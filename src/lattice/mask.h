/* SPDX-License-Identifier: Apache-2.0 */
/* A mask: evidence that a reader is to leave out, as if its records had never come. A reader that has one (reader.mask)
 * gives every masked assertion the standing STEME_MASKED and passes over ballots, endorsements and epochs that are
 * masked, so that whatever judges over it needs to know nothing.
 *
 * Masked are, of what lies below the reader's limit:
 *   assertions    those named; those signed by a masked agent, stated by a masked source or within a masked epoch; and,
 *                 unless `direct`, those with a masked assertion among their parents, and so on
 *   ballots       those cast by a masked agent
 *   endorsements  those by a masked agent, and those of a masked agent or source
 *   epochs        those named and those declared by a masked agent: they supersede nothing
 * Revisions need no rule: one is effective for its author's own records only, which are masked with it.
 *
 * Making one looks at every slot row of the store if an agent, source or epoch is to be masked, and at the record of
 * each if an agent is; afterwards masking costs a search for each row. Lives in the arena it was made in. */
#ifndef LATTICE_MASK_H
#define LATTICE_MASK_H

#include "lattice/evidence.h"
#include "lattice/touched.h"

struct mask {
    const uint8_t (*agents)[16]; /* agent ids, sorted, as are the other lists */
    size_t agent_count;
    const uint8_t (*sources)[16];
    size_t source_count;
    const uint8_t (*epochs)[16];
    size_t epoch_count;
    const uint64_t *assertions; /* their locations */
    size_t assertion_count;
    size_t derived_count; /* of them: masked for a parent's sake only */
    size_t ballot_count;  /* ballots and endorsements that are masked, older ones of the same voter too */
};

/* What to mask. Lists of 16-byte ids, in any order. */
struct mask_wish {
    const uint8_t (*agents)[16];
    size_t agent_count;
    const uint8_t (*sources)[16];
    size_t source_count;
    const uint8_t (*epochs)[16];
    size_t epoch_count;
    const uint8_t (*assertions)[16];
    size_t assertion_count;
    bool direct; /* what derives from masked assertions stays */
};

/* Which of the wishes no record answers to. */
struct mask_miss {
    char list; /* 'a'gents, 's'ources, 'e'pochs, 'i'ds of assertions; 0: none */
    size_t index;
};

/* Make the mask, for readers of this state, and add to *touched (touched_by()) which slots it may
 * change, settled. *miss_out: the first agent or
 * source that nothing is by, epoch that is not there, or id that is no assertion's; the mask is made all the same. The
 * reader must have no mask. STEME_CORRUPT: the index lies. */
MUST_CHECK steme_status mask_make(struct reader *reader, const struct mask_wish *wish, struct arena *arena,
                                  struct mask *out, struct touched *touched, struct mask_miss *miss_out,
                                  struct steme_error *err);

bool mask_has_agent(const struct mask *mask, const uint8_t agent[16]);
bool mask_has_source(const struct mask *mask, const uint8_t source[16]);
bool mask_has_assertion(const struct mask *mask, uint64_t location);
/* An endorsement of this kind of target. */
bool mask_has_endorsement(const struct mask *mask, enum steme_target_kind kind, const uint8_t target[16],
                          const uint8_t voter[16]);
/* An epoch's record. */
bool mask_has_epoch(const struct mask *mask, const struct wal_entry *epoch);

#endif
