/* SPDX-License-Identifier: Apache-2.0 */
/* BLAKE3-256, by its authors' C sources. One input at a time, or many inputs side by side in SIMD lanes
 * (10x the speed for records of a few hundred bytes). Pure; any thread. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/error.h"
#include "steme/types.h"

#include <stdbool.h>

#define HASH_BYTES 32u
/* One BLAKE3 chunk. Longer inputs take the ordinary path inside hash_many(). */
#define HASH_LANE_MAX_BYTES 1024u

/* Compares the lane path, and the short cut for one short input, with the plain one on fixed inputs, once per
 * process; if they differ (another build of the BLAKE3 sources) everything takes the plain path. The others
 * call it themselves; call it early to pay the price at start-up. Returns whether lanes are on. */
bool hash_init(void);

struct steme_hash hash_one(struct steme_slice bytes);
/* Hash of a then b as if they were one run of bytes. */
struct steme_hash hash_two(struct steme_slice a, struct steme_slice b);

/* out[i] = BLAKE3(inputs[i]) for i in 0..count. Any lengths, in any mix. Inputs that are a multiple of 64
 * bytes, 64..1024, are hashed in lanes, grouped by length; the others one at a time. out must not overlap
 * the inputs. Uses a few KiB of stack, no heap. */
void hash_many(const struct steme_slice *inputs, size_t count, struct steme_hash *out);

#endif
