/* SPDX-License-Identifier: Apache-2.0 */
/* Authority: weight flows along endorsements (votes on agents and sources) from configured roots. A root weighs 1; an
 * agent of weight w hands d*w on in all, split over those it endorses in proportion to the ballots' probabilities; a
 * refuting ballot hands on nothing. A voice weighs what reaches it along all paths of at most AUTHORITY_DEPTH steps, at
 * most 1.
 *
 * What that promises: a key nobody leads to weighs 0. Keys that only one agent of weight w endorses weigh together at
 * most d*w, however many they are; endorsing one another as well they reach at most (d + d^2 + ... + d^8) w. So making
 * keys gives no power that was not handed on. (Flow from fixed roots is what can be sybil-proof: Cheng and Friedman
 * 2005.) What it does not: an agent that its own keys endorse in return gets part of its weight back, at most
 * 1 + d^2 + d^4 + ... = 1/(1 - d^2) times what others gave it, and never more than 1. Pure; any thread once built. */
#ifndef CORTEX_AUTHORITY_H
#define CORTEX_AUTHORITY_H

#include "base/arena.h"
#include "base/error.h"
#include "steme/types.h"

#define AUTHORITY_DEPTH 8u
/* What a damping of 0 in struct steme_lens stands for. */
#define AUTHORITY_DAMPING 0.85

/* The latest ballot of `from` on `to`. Voices are the first 16 bytes of agent or source ids. */
struct endorsement {
    uint8_t from[16], to[16];
    double probability; /* of a supporting ballot, 0..1; 0 for a refuting one */
};

struct authority; /* lives in the arena it was made in */

/* Any order of edges and roots gives the same weights to the last bit (they are sorted here). Of edges that are alike
 * but for the probability the greatest counts; an endorsement of oneself counts nothing. At most
 * STEME_EVIDENCE_ROWS_MAX edges, and as many roots (STEME_TOO_LARGE). damping in (0, 1), else STEME_BAD_INPUT. Takes
 * at most 160 bytes of the arena for each edge. */
MUST_CHECK steme_status authority_build(const struct endorsement *edges, size_t edge_count, const uint8_t (*roots)[16],
                                        size_t root_count, double damping, struct arena *arena,
                                        const struct authority **out, struct steme_error *err);
/* Weight of a voice, 0..1; 0 for one nobody leads to. */
double authority_weight(const struct authority *authority, const uint8_t voice[16]);

#endif
