/* SPDX-License-Identifier: Apache-2.0 */
/* A scenario played out in a store of its own, and every lens judged by what is true. One thread. */
#ifndef ARENA_CONTEST_H
#define ARENA_CONTEST_H

#include "faces/arena/scenario.h"
#include "faces/card/card.h"

struct contest_point {
    uint32_t attackers;
    struct card card;
};

/* One lens on one kind of questions. */
struct contest_row {
    const struct scenario_lens *lens;
    bool numbers;                 /* questions answered by measurements; else by a choice */
    struct card card;             /* with as many attackers as the scenario has */
    struct contest_point *points; /* 0, 1, 2, 3, 4, 6, 8, 12, ... attackers, up to the most; one without attackers */
    size_t point_count;
    bool flips;    /* some number of attackers takes the majority of answers */
    uint32_t flip; /* with flips: the fewest found that leave fewer than half of the questions answered right */
};

struct contest {
    const struct scenario *scenario;
    struct contest_row *rows; /* of choices, then of numbers; each in the order of the scenario's lenses */
    size_t row_count;
    uint64_t records; /* written */
};

/* Told how far it is. */
struct contest_watch {
    void (*progress)(void *context, const char *what, uint64_t done, uint64_t all);
    void *context;
};

/* Who judges what. lens: this one alone, by its name in the scenario; NULL: all. scenario is borrowed, the rest lives
 * in the arena. STEME_BAD_INPUT: there is no such lens, or nothing is asked that it judges. */
MUST_CHECK steme_status contest_begin(const struct scenario *scenario, const char *lens, struct arena *arena,
                                      struct contest *out, struct steme_error *err);
/* Play it and fill in the rows. What the store answers; STEME_FAILED once a signal waits (interrupt.h), with nothing
 * left behind as after any other end. */
MUST_CHECK steme_status contest_run(struct contest *contest, const struct contest_watch *watch, struct arena *arena,
                                    struct steme_error *err);

#endif
