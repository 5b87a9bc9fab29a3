/* SPDX-License-Identifier: Apache-2.0 */
/* What was learned of the voices of each predicate, kept for all questions of one reader: learned once for a
 * predicate, an epoch and the parameters of the lens. One thread. */
#ifndef CORTEX_LEARNING_H
#define CORTEX_LEARNING_H

#include "cortex/scope.h"

#define LEARNING_BUCKETS 256u

struct learned {
    struct learned *next;
    struct arena arena; /* holds all this but the struct */
    struct steme_slice predicate;
    bool functional, has_epoch;
    uint8_t epoch[16];
    struct rel_params params;
    struct id16_index voices, labels; /* numbers in the model */
    const uint64_t *places;           /* of each voice: location of a record that names it */
    struct lens_model model;
};

struct learning {
    struct learned *buckets[LEARNING_BUCKETS];
    size_t bytes; /* that they hold */
    size_t count; /* times that something was learned: what tests count */
};

/* Zeroed is empty. */
void learning_deinit(struct learning *learning);

/* The model of a predicate, learned now if it was not before. It is valid until the next call: what is kept has a bound
 * of bytes, past which it makes room for new. STEME_NO_MEMORY, STEME_CORRUPT, and what rel_learn() answers. */
MUST_CHECK steme_status learning_find(struct learning *learning, struct reader *reader, struct steme_slice predicate,
                                      bool functional, const uint8_t *epoch, const struct steme_lens *lens,
                                      const struct learned **out, struct steme_error *err);

/* Numbers in the model; REL_STRANGER and REL_NEW_LABEL for what it has not met. */
uint32_t learned_voice(const struct learned *learned, const uint8_t voice[16]);
uint32_t learned_label(const struct learned *learned, struct steme_slice object);
/* What an answer says of it; all but the sequence number. */
struct steme_learned learned_facts(const struct learned *learned);
/* What a voice counts: 1 for one that was not heard. */
double learned_weight(const struct lens_model *model, uint32_t number);

#endif
