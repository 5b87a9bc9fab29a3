/* SPDX-License-Identifier: Apache-2.0 */
/* A scenario of the Arena: groups of agents of known honesty, questions of known truth, lenses. Read from a text that
 * docs/arena.md describes. What is read lives in the caller's arena. One thread at a time. */
#ifndef ARENA_SCENARIO_H
#define ARENA_SCENARIO_H

#include "base/arena.h"
#include "base/error.h"
#include "steme/lens.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A kind is nothing but a row of defaults: see the table in scenario.c. */
enum scenario_kind {
    SCENARIO_HONEST,
    SCENARIO_NOISY,
    SCENARIO_CARELESS,
    SCENARIO_LYING,
    SCENARIO_COLLUDING,
    SCENARIO_SYBIL,
    SCENARIO_COMPROMISED
};

/* How a wrong answer is chosen. */
enum scenario_wrong {
    SCENARIO_WRONG_ANY,   /* any of the wrong ones, anew each time */
    SCENARIO_WRONG_SAME,  /* each agent has a favourite answer, whatever is asked */
    SCENARIO_WRONG_AGREED /* the group agrees on one for each question */
};

/* When a group speaks. */
enum scenario_timing {
    SCENARIO_SPREAD, /* any time within a month */
    SCENARIO_LAST    /* when all others have spoken */
};

/* Shares are parts per million, amounts thousandths. */
struct scenario_group {
    const char *name;
    uint64_t line; /* where its section begins */
    enum scenario_kind kind;
    uint32_t count;         /* agents in it */
    uint32_t stolen;        /* compromised: how many of the keys lie in the end, the first ones */
    uint32_t error;         /* chance that an answer is wrong */
    uint32_t answers;       /* chance that a question is answered */
    uint32_t confidence[2]; /* stated: from, to */
    uint32_t votes;         /* chance of a vote on somebody's answer, for each question */
    uint32_t revises;       /* chance that a wrong answer is corrected later */
    uint32_t endorsed;      /* share of its agents whom the roots endorse */
    uint32_t endorses;      /* fellows with whom each agent swaps endorsements */
    uint64_t noise;         /* standard error of its measurements, as stated */
    enum scenario_wrong wrong;
    enum scenario_timing timing;
};

struct scenario_lens {
    const char *name;       /* as shown */
    struct steme_lens lens; /* without roots: those are made with the agents */
};

struct scenario {
    const char *name;
    uint64_t seed;
    uint32_t questions; /* with a choice of answers */
    uint32_t choices;   /* answers to each, one of them right */
    uint32_t numbers;   /* questions answered by measurements */
    uint64_t tolerance; /* a number this near is right */
    uint64_t shift;     /* wrong measurements are off by this */
    uint32_t roots;     /* agents trusted by decree, who answer nothing and endorse */
    uint32_t limit;     /* attackers tried at most */
    struct scenario_group *groups;
    size_t group_count;
    const struct scenario_group *attackers; /* the group that grows; NULL: none */
    struct scenario_lens *lenses;           /* those of steme_lens_list(), then the file's own */
    size_t lens_count;
};

enum {
    SCENARIO_BYTES_MAX = 1 << 20,
    SCENARIO_GROUPS_MAX = 64,
    SCENARIO_LENSES_MAX = 32,
    SCENARIO_AGENTS_MAX = 20000,
    SCENARIO_QUESTIONS_MAX = 1000, /* of both kinds: one bundle, and one revision, holds all answers of an agent */
    SCENARIO_CHOICES_MAX = 1000,
    SCENARIO_ANSWERS_MAX = 1000000, /* agents, grown to the limit, times questions */
    SCENARIO_ROOTS_MAX = 100
};

/* Read a scenario. file names it in messages, which say file, line (unless what is wrong is that something is missing),
 * what is wrong and what would be right; without a name of its own a scenario is called like it.
 * STEME_BAD_INPUT; STEME_TOO_LARGE over a bound above; STEME_NO_MEMORY. */
MUST_CHECK steme_status scenario_parse(struct steme_slice text, const char *file, struct arena *arena,
                                       struct scenario *out, struct steme_error *err);
/* The same from a file, or with "-" from standard input. STEME_NOT_FOUND, STEME_IO. */
MUST_CHECK steme_status scenario_load(const char *path, struct arena *arena, struct scenario *out,
                                      struct steme_error *err);

/* How messages and plots call the file: "stdin" for "-". */
const char *scenario_file(const char *path);
/* "honest-crowd" of "examples/arena/honest-crowd.arena". Borrows from path. */
struct steme_slice scenario_stem(const char *path);
/* "honest" and so on. Static storage. */
const char *scenario_kind_name(enum scenario_kind kind);
/* How many attackers the score card is about. */
uint32_t scenario_attack(const struct scenario *scenario);
/* How many there can be: the limit; of a compromised group its size. 0 without attackers. */
uint32_t scenario_attack_max(const struct scenario *scenario);
/* Agents without those of the attack; a compromised group's count as long as they are honest. */
uint32_t scenario_others(const struct scenario *scenario);

#endif
