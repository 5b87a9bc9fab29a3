/* SPDX-License-Identifier: Apache-2.0 */
/* A batch: what one write and one sync made durable. A header of 128 bytes, then frames (docs/format/log.md).
 * The header says where it lies and in which store, and carries the hash of the batch before it: since a batch is
 * written only after the sync of the one before has returned, a batch in its place proves that the earlier ones
 * were durable. Pure; any thread. */
#ifndef SPINE_BATCH_H
#define SPINE_BATCH_H

#include "base/arena.h"
#include "spine/frame.h"

#define BATCH_HEADER_BYTES 128u
#define BATCH_MIN_BYTES (BATCH_HEADER_BYTES + FRAME_MIN_BYTES)
#define SEQUENCE_MAX (UINT64_MAX / 2) /* no log gets there: a batch, header or mark that says so is none */

struct batch {
    uint32_t count; /* frames */
    uint32_t bytes; /* header and frames */
    uint32_t segment;
    uint64_t offset;         /* in the segment's file */
    uint64_t first_sequence; /* of its first frame; the others follow one by one */
    int64_t received_at_us;
    uint64_t store;           /* store_word() of the store it belongs to */
    struct steme_hash prev;   /* hash of the batch before; zeros for the first of all */
    struct steme_hash frames; /* BLAKE3 over the prefixes of all its frames, one behind the other */
};

/* Where it lies, as a location. */
static inline uint64_t location_of_batch(const struct batch *batch)
{
    return (uint64_t)batch->segment << 32 | batch->offset;
}

/* First 8 bytes of a store id: what a batch header has room for. */
uint64_t store_word(const struct steme_hash *store_id);

/* Number the frames of a batch, put their checks, and write the header in front of them.
 *   bytes    the whole batch: BATCH_HEADER_BYTES of room, then batch->count frames as frame_write() made them
 *   batch    all but `frames`, which is filled in
 *   scratch  at least count * FRAME_SIGNED_PREFIX_BYTES
 * Returns the hash of the batch. */
struct steme_hash batch_seal(uint8_t *bytes, struct batch *batch, uint8_t *scratch);

/* Where a batch is looked for. */
struct batch_place {
    uint64_t store;
    uint32_t segment;
    uint64_t offset;
    uint64_t available; /* bytes from there to the end of what may be read */
};
/* Whether a header that belongs in this place may begin at `at`. Nothing is hashed. */
bool batch_parse(const uint8_t *at, const struct batch_place *place, struct batch *out);
/* Copy the header with its check set to zero: what the check is a hash of. `to` has BATCH_HEADER_BYTES. */
struct steme_slice batch_unchecked(const uint8_t *at, uint8_t *to);
/* Whether the header at `at` carries the check that belongs to this digest of batch_unchecked(). */
bool batch_has_check(const uint8_t *at, const struct steme_hash *digest);
/* BLAKE3 of the header as it lies there. */
struct steme_hash batch_hash(const uint8_t *at);
/* batch_parse(), and the check, one at a time. */
bool batch_valid(const uint8_t *at, const struct batch_place *place, struct batch *out);
/* Look back from bytes + size for the header of the batch that ends there and has this hash: its place in bytes, or
 * NULL. */
const uint8_t *batch_find_end(const uint8_t *bytes, uint64_t size, const struct steme_hash *hash, struct batch *out);

#endif
