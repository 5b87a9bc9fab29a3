/* SPDX-License-Identifier: Apache-2.0 */
/* What is true in a scenario, and what each agent says of it. All of it follows from the seed, the group, the agent's
 * number and the question, so that more agents or questions change nothing about those there are. Pure; any thread. */
#ifndef ARENA_OPINION_H
#define ARENA_OPINION_H

#include "base/prng.h"
#include "faces/arena/scenario.h"

/* What a stream of draws is for: draws for one purpose don't shift those for another. */
enum opinion_topic { TOPIC_TRUTH, TOPIC_KEY, TOPIC_ANSWER, TOPIC_AGREED, TOPIC_VOTE, TOPIC_FELLOW, TOPIC_FAVOURITE };

/* A generator of its own for each topic and place. */
struct prng opinion_stream(const struct scenario *scenario, enum opinion_topic topic, uint64_t place, uint64_t agent,
                           uint64_t question);

/* One agent. */
struct agent {
    uint32_t group; /* its index in the scenario; that of a root is group_count */
    uint32_t index; /* within the group */
    bool turned;    /* a stolen key, now in the thief's hand */
};

/* Questions count from 0: those with choices first, then those answered by numbers. */
static inline bool opinion_is_number(const struct scenario *scenario, uint32_t question)
{
    return question >= scenario->questions;
}

/* The right answer: the number of a choice, or thousandths. */
int64_t opinion_truth(const struct scenario *scenario, uint32_t question);

/* Whether two answers to a question are the same, for numbers within the tolerance. */
bool opinion_agrees(const struct scenario *scenario, uint32_t question, int64_t a, int64_t b);

struct opinion {
    bool spoken;    /* the agent says it, rather than keep it to itself */
    bool corrected; /* it was wrong, and the agent says the right thing later */
    int64_t answer; /* the number of a choice, or thousandths */
    uint32_t confidence_ppm;
    int64_t at_us;    /* when it is said */
    int64_t again_us; /* when it is corrected */
};

/* What an agent thinks of a question. */
struct opinion opinion_of(const struct scenario *scenario, struct agent agent, uint32_t question);

/* When the agents vote and endorse: behind all that is said within the month, before what is said last. */
int64_t opinion_votes_us(void);

#endif
