/* SPDX-License-Identifier: Apache-2.0 */
/* Repeatable pseudo-random numbers for simulations and tests: SplitMix64. The same seed gives the same run on
 * every machine. Never for keys or secrets: that is host_random(). One thread at a time. */
#ifndef BASE_PRNG_H
#define BASE_PRNG_H

#include "base/check.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct prng {
    uint64_t s; /* any seed is a good one */
};

static inline uint64_t prng_u64(struct prng *prng)
{
    uint64_t z = prng->s += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

/* 0..bound-1, each equally likely. bound is at least 1. */
static inline uint64_t prng_below(struct prng *prng, uint64_t bound)
{
    invariant(bound > 0);
    uint64_t surplus = (UINT64_MAX - bound + 1) % bound; /* 2^64 mod bound: draws below it would favour small numbers */
    uint64_t draw = prng_u64(prng);
    while (draw < surplus)
        draw = prng_u64(prng);
    return draw % bound;
}

/* True with a chance of permille in 1000. */
static inline bool prng_chance(struct prng *prng, unsigned permille) { return prng_below(prng, 1000) < permille; }

/* A generator of its own, so that draws from one do not shift the other's. */
static inline struct prng prng_fork(struct prng *prng) { return (struct prng){ prng_u64(prng) }; }

static inline void prng_fill(struct prng *prng, void *to, size_t size)
{
    uint8_t *at = (uint8_t *)to;
    while (size > 0) {
        uint64_t draw = prng_u64(prng);
        size_t part = size < sizeof draw ? size : sizeof draw;
        memcpy(at, &draw, part);
        at += part;
        size -= part;
    }
}

#endif
