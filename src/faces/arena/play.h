/* SPDX-License-Identifier: Apache-2.0 */
/* The agents of a scenario act: they assert, correct, vote and endorse, in a store. All but the attackers go first;
 * then one attacker after the other, so that reading as of a place in the log shows the store with so many of them.
 * One thread. */
#ifndef ARENA_PLAY_H
#define ARENA_PLAY_H

#include "faces/arena/opinion.h"
#include "faces/arena/stage.h"

/* What an agent said about a question before the attack, corrected: what votes are on. */
struct play_saying {
    struct steme_hash id;
    int64_t answer;
    struct agent agent;
};

struct play_topic {
    struct play_saying *sayings;
    size_t count;
};

struct play {
    const struct scenario *scenario;
    struct stage *stage;
    struct arena *arena;
    struct play_topic *topics; /* of each question */
    struct steme_key *roots;   /* public keys of the agents trusted by decree */
    uint64_t *marks;           /* sequence number of the last record with i attackers */
    uint32_t attackers;        /* that acted so far */
};

/* Room for the name of a question or an answer. */
enum { PLAY_NAME_BYTES = 32 };
/* "question:7", "number:7". */
struct steme_slice play_subject(const struct scenario *scenario, uint32_t question, char out[PLAY_NAME_BYTES]);
/* "is" of a question with choices, "measures" of one answered by numbers: a lens that learns from all questions of a
 * predicate learns from each kind by itself. */
struct steme_slice play_predicate(const struct scenario *scenario, uint32_t question);
/* "answer:3". */
struct steme_slice play_choice(int64_t answer, char out[PLAY_NAME_BYTES]);

/* All but the attackers act. What is made lives in the arena; scenario and stage are borrowed. STEME_FAILED, here and
 * below, once a signal waits (interrupt.h). */
MUST_CHECK steme_status play_begin(struct play *play, const struct scenario *scenario, struct stage *stage,
                                   struct arena *arena, struct steme_error *err);
/* Let attackers act until there are count, at most scenario_attack_max(). */
MUST_CHECK steme_status play_attack(struct play *play, uint32_t count, struct steme_error *err);

#endif
