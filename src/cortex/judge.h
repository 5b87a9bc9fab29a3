/* SPDX-License-Identifier: Apache-2.0 */
/* From evidence to an answer: group a slot's live testimonies and ballots by claim and voice, let a lens judge them,
 * and shape what it says. A judge belongs to one reader (snapshot) and one thread; it keeps what
 * many questions share. */
#ifndef CORTEX_JUDGE_H
#define CORTEX_JUDGE_H

#include "cortex/authority.h"
#include "cortex/learning.h"
#include "cortex/lens.h"
#include "lattice/evidence.h"
#include "steme/query.h"

/* Predicates whose cardinality is remembered; a collision only costs another look-up. */
#define JUDGE_PREDICATES 256u

struct judge {
    struct reader *reader;
    /* agent ids of the store's own keys, sorted: default roots, and whose schema counts */
    const uint8_t (*trusted)[16];
    size_t trusted_count;
    struct {
        struct steme_slice name; /* in the mapped log; empty: none */
        bool many;
    } predicates[JUDGE_PREDICATES];
    struct arena arena; /* the authority graph */
    const struct authority *authority;
    struct steme_hash authority_roots; /* of the roots it was built from */
    double authority_damping;
    struct learning learning; /* what reliability has learned so far */
};

/* reader and trusted stay the caller's and must outlive it. */
void judge_init(struct judge *judge, struct reader *reader, const uint8_t (*trusted)[16], size_t trusted_count);
void judge_deinit(struct judge *judge);

/* A slot to judge: its place in the index, and its names as far as the caller knows them. */
struct judge_slot {
    struct slot_ref ref;
    struct steme_hash id;                  /* whole id; zeros: taken from the evidence */
    struct steme_slice subject, predicate; /* empty: taken from the evidence */
    const uint8_t *epoch;                  /* as for evidence_gather() */
};

/* What was weighed, for those who want to unfold an answer; in the arena. */
struct judge_weighing {
    struct evidence evidence;
    double *weights; /* of each testimony's voice under the lens */
};

/* Answer about one slot. Everything in *out lives in the arena or in the mapped log. weighing may be NULL. */
MUST_CHECK steme_status judge_slot(struct judge *judge, const struct judge_slot *slot, const struct steme_lens *lens,
                                   struct arena *arena, struct steme_answer *out, struct judge_weighing *weighing,
                                   struct steme_error *err);

/* What the lens learns of the voices of a predicate, as answers about it use it; valid until the judge learns again.
 * predicate: in the mapped log, or as long as the judge. epoch as for evidence_gather(). */
MUST_CHECK steme_status judge_learned(struct judge *judge, struct steme_slice predicate, const uint8_t *epoch,
                                      const struct steme_lens *lens, const struct learned **out,
                                      struct steme_error *err);

/* Place in the index of a question's slot. */
struct slot_ref judge_slot_of(struct steme_slice subject, struct steme_slice predicate,
                              struct steme_slice key_qualifiers, struct steme_hash *slot_out);

#endif
