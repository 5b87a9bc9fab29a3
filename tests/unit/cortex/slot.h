/* SPDX-License-Identifier: Apache-2.0 */
/* Slots for lens tests, written as rows of "who says what". */
#ifndef TESTS_UNIT_CORTEX_SLOT_H
#define TESTS_UNIT_CORTEX_SLOT_H

#include "base/check.h"
#include "base/codec.h"
#include "cortex/lens.h"
#include "lib/testing.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define NEVER INT64_MIN

/* One voice on one claim. A table ends with a row of zeros; rows in any order, one for each claim and voice. */
struct saying {
    char claim; /* 'A', 'B', ...: sorts as the claim id */
    unsigned voice;
    double support, refute, weight;
    int64_t at_us; /* of its newest assertion for the claim; NEVER: it only voted or refuted */
};

#define SAYS(claim, voice)           \
    {                                \
        (claim), (voice), 1, 0, 1, 0 \
    }
#define DENIES(claim, voice)             \
    {                                    \
        (claim), (voice), 0, 1, 1, NEVER \
    }

enum { SLOT_SAYINGS_MAX = 256, SLOT_CLAIMS_MAX = 26 };

struct slot {
    struct lens_voice voices[SLOT_SAYINGS_MAX];
    struct lens_claim claims[SLOT_CLAIMS_MAX];
    struct lens_input input;
};

static inline int slot_compare_sayings(const void *left, const void *right)
{
    const struct saying *a = left, *b = right;
    if (a->claim != b->claim) return a->claim < b->claim ? -1 : 1;
    return (a->voice > b->voice) - (a->voice < b->voice);
}

static inline void slot_add(struct slot *slot, const struct saying *row)
{
    bool again = slot->input.claim_count > 0 &&
                 slot->claims[slot->input.claim_count - 1].claim[0] == (uint8_t)row->claim;
    if (!again) {
        struct lens_claim *added = &slot->claims[slot->input.claim_count++];
        const struct lens_claim *before = slot->input.claim_count > 1 ? added - 1 : NULL;
        *added = (struct lens_claim){ .latest_at_us = NEVER };
        added->claim[0] = (uint8_t)row->claim;
        added->voices = before ? before->voices + before->voice_count : slot->voices;
    }
    struct lens_claim *claim = &slot->claims[slot->input.claim_count - 1];
    struct lens_voice *voice = &slot->voices[claim->voices - slot->voices + (ptrdiff_t)claim->voice_count++];
    *voice = (struct lens_voice){
        .support = row->support, .refute = row->refute, .weight = row->weight, .latest_at_us = row->at_us
    };
    for (unsigned i = 0; i < 4; i++)
        voice->voice[i] = (uint8_t)(row->voice >> (24 - 8 * i)); /* sorts as the number */
    if (row->at_us != NEVER && (claim->latest_at_us == NEVER || row->at_us > claim->latest_at_us)) {
        claim->latest_at_us = row->at_us;
        claim->latest_confidence = row->support;
    }
}

/* What the caller of a lens does: sort and group. */
static inline void slot_fill(struct slot *slot, const struct saying *rows, size_t count, bool functional)
{
    struct saying sorted[SLOT_SAYINGS_MAX];
    assert_true(count <= SLOT_SAYINGS_MAX);
    *slot = (struct slot){ .input = { .functional = functional } };
    slot->input.claims = slot->claims;
    if (count == 0) return;
    memcpy(sorted, rows, count * sizeof *rows);
    qsort(sorted, count, sizeof *sorted, slot_compare_sayings);
    for (size_t i = 0; i < count; i++)
        slot_add(slot, &sorted[i]);
}

static inline size_t slot_count_sayings(const struct saying *rows, size_t most)
{
    size_t count = 0;
    while (count < most && rows[count].claim)
        count++;
    return count;
}

/* got is want to within `share` of it (or of 1e-300), or the test fails and prints the row's name and both. */
static inline void assert_close(double got, double want, double share, const char *what, const char *name)
{
    if (isnan(want) ? isnan(got) : fabs(got - want) <= share * fmax(fabs(want), 1e-300)) return;
    fail_msg("%s: %s is %.17g, not %.17g", name, what, got, want);
}

/* Runs `act` in a child, which must die of an invariant. */
static inline void assert_dies(void (*act)(void *context), void *context, const char *name)
{
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (!freopen("/dev/null", "w", stderr)) _exit(2);
        act(context);
        _exit(0);
    }
    int outcome;
    assert_int_equal(waitpid(child, &outcome, 0), child);
    if (!WIFSIGNALED(outcome) || WTERMSIG(outcome) != SIGABRT) fail_msg("%s: no invariant stopped it", name);
}

/* Seed of a random test: STEME_SEED, or the one given. Printed, so that a failure can be repeated. */
static inline struct prng seeded(uint64_t seed)
{
    const char *given = getenv("STEME_SEED");
    if (given) seed = strtoull(given, NULL, 0);
    printf("STEME_SEED=%llu\n", (unsigned long long)seed);
    return (struct prng){ seed };
}

#endif
