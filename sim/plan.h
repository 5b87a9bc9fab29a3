/* SPDX-License-Identifier: Apache-2.0 */
/* What happens in one world, as a list of steps drawn from its seed. Each step has a seed of its own, so that leaving
 * one out changes none of the others: a failing list can be made shorter. */
#ifndef SIM_PLAN_H
#define SIM_PLAN_H

#include "sim/world.h"

#define PLAN_STEPS_MAX 128u

enum step_kind {
    STEP_SUBMIT,
    STEP_INDEX,
    STEP_READ,
    STEP_REOPEN,
    STEP_CRASH,
    STEP_STOP, /* the machine stops some calls later */
    STEP_FAULT,
    STEP_MEMORY,
    STEP_CLOCK,
    STEP_ROT,
    STEP_BESIDE,
    STEP_PASSING, /* a read turns a bit in passing */
    STEP_ASTRAY,  /* a write is lost, or goes astray */
};

struct step {
    enum step_kind kind;
    uint64_t seed;
};

struct plan {
    uint64_t seed; /* of the world */
    const struct stock *stock;
    struct step steps[PLAN_STEPS_MAX];
    size_t count;
};

struct outcome {
    bool failed;
    size_t step; /* at which */
    char trouble[WORLD_TROUBLE_BYTES];
    struct steme_hash digest; /* of all files at the end */
};

const char *step_name(enum step_kind kind);

/* stocks: what importers and talkers write; which of the two a world has, its seed says. */
void plan_draw(struct plan *plan, const struct stock stocks[2], uint64_t seed);
void plan_run(const struct plan *plan, struct tally_of_events *events, struct outcome *out);
/* Leave out steps while it still fails. */
void plan_shrink(struct plan *plan, struct outcome *out);

#endif
