/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/plan.h"

#include <string.h>

enum { SAME_BEGINNING = 24 };

const char *step_name(enum step_kind kind)
{
    switch (kind) {
    case STEP_SUBMIT: return "submit";
    case STEP_INDEX: return "index";
    case STEP_READ: return "read";
    case STEP_REOPEN: return "reopen";
    case STEP_CRASH: return "crash";
    case STEP_STOP: return "stop some calls later";
    case STEP_FAULT: return "fault";
    case STEP_MEMORY: return "no memory";
    case STEP_CLOCK: return "clock";
    case STEP_ROT: return "rot";
    case STEP_BESIDE: return "reader";
    case STEP_PASSING: return "rot in passing";
    case STEP_ASTRAY: return "astray";
    }
    return "?";
}

/* How often each step is taken, in thousandths; what is left submits. A world has one mood. */
struct mood {
    unsigned share, index, read, reopen, crash, stop, fault, memory, clock, rot, beside, passing, astray;
};

static const struct mood moods[] = {
    { 330, 150, 40, 30, 120, 200, 0, 0, 30, 0, 20, 0, 0 },   /* the power goes */
    { 200, 100, 40, 60, 60, 120, 120, 40, 20, 0, 20, 0, 0 }, /* the disk fails, too */
    { 150, 150, 60, 50, 80, 100, 0, 0, 30, 40, 30, 0, 0 },   /* bits rot */
    { 100, 100, 20, 300, 100, 150, 20, 20, 20, 0, 0, 0, 0 }, /* opened over and over */
    { 150, 200, 150, 30, 30, 60, 10, 10, 20, 0, 150, 0, 0 }, /* read all the while */
    { 70, 150, 60, 50, 60, 80, 0, 0, 30, 10, 30, 60, 60 },   /* the disk lies */
};

static const struct mood *draw_mood(struct prng *prng)
{
    uint64_t draw = prng_below(prng, 1000);
    for (size_t i = 0; i < countof(moods); i++) {
        if (draw < moods[i].share) return &moods[i];
        draw -= moods[i].share;
    }
    return &moods[0];
}

static enum step_kind draw_kind(const struct mood *mood, struct prng *prng)
{
    const struct {
        unsigned share;
        enum step_kind kind;
    } choices[] = {
        { mood->index, STEP_INDEX },   { mood->read, STEP_READ },       { mood->reopen, STEP_REOPEN },
        { mood->crash, STEP_CRASH },   { mood->stop, STEP_STOP },       { mood->fault, STEP_FAULT },
        { mood->memory, STEP_MEMORY }, { mood->clock, STEP_CLOCK },     { mood->rot, STEP_ROT },
        { mood->beside, STEP_BESIDE }, { mood->passing, STEP_PASSING }, { mood->astray, STEP_ASTRAY },
    };
    uint64_t draw = prng_below(prng, 1000);
    for (size_t i = 0; i < countof(choices); i++) {
        if (draw < choices[i].share) return choices[i].kind;
        draw -= choices[i].share;
    }
    return STEP_SUBMIT;
}

void plan_draw(struct plan *plan, const struct stock stocks[2], uint64_t seed)
{
    struct prng prng = { seed };
    *plan = (struct plan){ .seed = seed, .stock = &stocks[prng_below(&prng, 2)] };
    const struct mood *mood = draw_mood(&prng);
    plan->count = 20 + prng_below(&prng, PLAN_STEPS_MAX - 20);
    for (size_t i = 0; i < plan->count; i++)
        plan->steps[i] = (struct step){ draw_kind(mood, &prng), prng_u64(&prng) };
}

static void take(struct world *world, const struct step *step)
{
    struct prng prng = { step->seed };
    struct steme_error ignored;
    switch (step->kind) {
    case STEP_SUBMIT:
        for (uint64_t left = 1 + prng_below(&prng, 4); left && !world_failed(world); left--)
            (void)!world_submit(world, prng_below(&prng, world->stock->parcel_count), &ignored);
        break;
    case STEP_INDEX: world_index(world); break;
    case STEP_READ: world_read(world, &prng); break;
    case STEP_REOPEN: world_reopen(world, &prng); break;
    case STEP_CRASH:
        world_draw_keep(world, &prng);
        world_crash(world, &prng);
        break;
    case STEP_STOP:
        world_draw_keep(world, &prng);
        host_mem_stop(world->host, 1 + prng_below(&prng, 25));
        break;
    case STEP_FAULT: world_fail(world, &prng); break;
    case STEP_MEMORY: world_fail_memory(world, 1 + prng_below(&prng, 40)); break;
    case STEP_CLOCK: world_clock(world, &prng); break;
    case STEP_ROT: world_rot(world, &prng); break;
    case STEP_BESIDE: world_beside(world, &prng); break;
    case STEP_PASSING: world_turn_in_passing(world, &prng); break;
    case STEP_ASTRAY: world_lose_write(world, &prng); break;
    }
    if (!world_failed(world) && host_mem_stopped(world->host)) world_crash(world, &prng);
}

void plan_run(const struct plan *plan, struct tally_of_events *events, struct outcome *out)
{
    struct world world;
    *out = (struct outcome){ 0 };
    world_init(&world, plan->stock, plan->seed, events);
    for (size_t i = 0; i < plan->count && !world_failed(&world); i++) {
        out->step = i;
        take(&world, &plan->steps[i]);
        events->steps++;
    }
    struct prng last = { plan->seed };
    if (!world_failed(&world)) {
        world_draw_keep(&world, &last);
        world_crash(&world, &last);
    }
    out->failed = world_failed(&world);
    memcpy(out->trouble, world.trouble, sizeof out->trouble);
    if (!out->failed) out->digest = world_digest(&world);
    world_deinit(&world);
}

/* Whether two troubles are the same: they begin alike, up to where numbers may differ. */
static bool same_trouble(const char *a, const char *b)
{
    for (size_t i = 0; i < SAME_BEGINNING && a[i] && (a[i] < '0' || a[i] > '9'); i++)
        if (a[i] != b[i]) return false;
    return true;
}

static bool fails_without(const struct plan *plan, size_t first, size_t count, const char *trouble,
                          struct plan *shorter, struct outcome *out)
{
    struct tally_of_events ignored = { 0 };
    *shorter = *plan;
    memmove(shorter->steps + first, shorter->steps + first + count,
            (plan->count - first - count) * sizeof *shorter->steps);
    shorter->count -= count;
    plan_run(shorter, &ignored, out);
    return out->failed && same_trouble(trouble, out->trouble);
}

void plan_shrink(struct plan *plan, struct outcome *out)
{
    struct plan shorter;
    struct outcome outcome;
    plan->count = out->step + 1 < plan->count ? out->step + 1 : plan->count;
    for (size_t size = plan->count / 2; size >= 1; size /= 2) {
        for (size_t first = 0; first + size <= plan->count;) {
            if (fails_without(plan, first, size, out->trouble, &shorter, &outcome)) {
                *plan = shorter;
                *out = outcome;
            } else {
                first += size;
            }
        }
    }
}
