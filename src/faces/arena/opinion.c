/* SPDX-License-Identifier: Apache-2.0 */
#include "faces/arena/opinion.h"

#include <stdlib.h>

/* Long ago, so that no clock of a machine that runs this comes into it. */
#define BEGIN_US INT64_C(946684800000000) /* 2000-01-01 */
#define DAY_US INT64_C(86400000000)

enum { MONTH_DAYS = 30, CORRECTIONS_DAY = 31, VOTES_DAY = 33, LAST_DAY = 40, MILLI = 1000, GAUSS_DRAWS = 12 };
enum { NUMBERS_FROM = 100 * MILLI, NUMBERS_SPAN = 900 * MILLI, GAUSS_MEAN = GAUSS_DRAWS / 2 * MILLI };

struct prng opinion_stream(const struct scenario *scenario, enum opinion_topic topic, uint64_t place, uint64_t agent,
                           uint64_t question)
{
    struct prng prng = { scenario->seed };
    prng.s = prng_u64(&prng) ^ (uint64_t)topic;
    prng.s = prng_u64(&prng) ^ place;
    prng.s = prng_u64(&prng) ^ agent;
    prng.s = prng_u64(&prng) ^ question;
    return prng_fork(&prng);
}

static bool happens(struct prng *prng, uint32_t chance_ppm) { return prng_below(prng, STEME_PPM) < chance_ppm; }

int64_t opinion_truth(const struct scenario *scenario, uint32_t question)
{
    struct prng prng = opinion_stream(scenario, TOPIC_TRUTH, 0, 0, question);
    if (!opinion_is_number(scenario, question)) return (int64_t)prng_below(&prng, scenario->choices);
    return (int64_t)(NUMBERS_FROM + prng_below(&prng, NUMBERS_SPAN));
}

bool opinion_agrees(const struct scenario *scenario, uint32_t question, int64_t a, int64_t b)
{
    if (!opinion_is_number(scenario, question)) return a == b;
    return llabs(a - b) <= (int64_t)scenario->tolerance;
}

/* Thousandths of a standard normal number: twelve even draws, whole numbers only, the same on every machine. */
static int64_t draw_normal(struct prng *prng)
{
    int64_t sum = 0;
    for (int i = 0; i < GAUSS_DRAWS; i++)
        sum += (int64_t)prng_below(prng, MILLI + 1);
    return sum - GAUSS_MEAN;
}

static int64_t choose_wrong(const struct scenario *scenario, struct agent agent, uint32_t question, struct prng *prng)
{
    const struct scenario_group *group = &scenario->groups[agent.group];
    int64_t truth = opinion_truth(scenario, question);
    struct prng agreed = opinion_stream(scenario, TOPIC_AGREED, agent.group, 0, question);
    struct prng favourite = opinion_stream(scenario, TOPIC_FAVOURITE, agent.group, agent.index, 0);
    struct prng *draw = group->wrong == SCENARIO_WRONG_AGREED ? &agreed : prng;
    if (opinion_is_number(scenario, question)) {
        if (group->wrong == SCENARIO_WRONG_SAME) draw = &favourite; /* always too much, or always too little */
        int64_t shift = (int64_t)scenario->shift;
        return truth + (prng_below(draw, 2) ? shift : -shift);
    }
    if (group->wrong == SCENARIO_WRONG_SAME) {
        int64_t pet = (int64_t)prng_below(&favourite, scenario->choices);
        return pet != truth ? pet : (pet + 1) % scenario->choices;
    }
    return (truth + 1 + (int64_t)prng_below(draw, scenario->choices - 1)) % scenario->choices;
}

/* A measurement scatters about what is meant; an agreed lie is the same to the last digit. */
static int64_t blur(const struct scenario_group *group, int64_t answer, struct prng *prng)
{
    return answer + (int64_t)group->noise * draw_normal(prng) / MILLI;
}

struct opinion opinion_of(const struct scenario *scenario, struct agent agent, uint32_t question)
{
    const struct scenario_group *group = &scenario->groups[agent.group];
    struct prng prng = opinion_stream(scenario, TOPIC_ANSWER, agent.group, agent.index, question);
    struct opinion it = { .spoken = happens(&prng, group->answers) || agent.turned };
    bool wrong = happens(&prng, group->error) || agent.turned;
    uint32_t span = group->confidence[1] - group->confidence[0];
    it.confidence_ppm = group->confidence[0] + (uint32_t)prng_below(&prng, (uint64_t)span + 1);
    if (agent.turned) it.confidence_ppm = STEME_PPM;
    it.corrected = happens(&prng, group->revises) && wrong && !agent.turned;
    bool last = group->timing == SCENARIO_LAST || agent.turned;
    it.at_us = BEGIN_US + (last ? LAST_DAY * DAY_US : 0);
    it.at_us += (int64_t)prng_below(&prng, (uint64_t)((last ? 1 : MONTH_DAYS) * DAY_US));
    it.again_us = BEGIN_US + (last ? LAST_DAY + 1 : CORRECTIONS_DAY) * DAY_US;
    it.again_us += (int64_t)prng_below(&prng, (uint64_t)DAY_US);
    it.answer = wrong ? choose_wrong(scenario, agent, question, &prng) : opinion_truth(scenario, question);
    bool scatters = opinion_is_number(scenario, question) && !(wrong && group->wrong == SCENARIO_WRONG_AGREED);
    if (scatters) it.answer = blur(group, it.answer, &prng);
    return it;
}

int64_t opinion_votes_us(void) { return BEGIN_US + VOTES_DAY * DAY_US; }
