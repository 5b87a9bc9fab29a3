/* SPDX-License-Identifier: Apache-2.0 */
/* One record in the log: a prefix of 64 bytes (a bundle's member) or 128 (signed), then the record's bytes
 * (docs/format/log.md). Prefix and record are multiples of 64 bytes, so that both can be hashed in lanes. The
 * prefix checks itself; the record is checked by its id. Pure; any thread. */
#ifndef SPINE_FRAME_H
#define SPINE_FRAME_H

#include "spine/wal.h"

#include <stdbool.h>
#include <stdint.h>

#define FRAME_PREFIX_BYTES 64u
#define FRAME_SIGNED_PREFIX_BYTES 128u
#define FRAME_MIN_BYTES (FRAME_PREFIX_BYTES + 64u) /* the shortest: no signature, one block of record */

/* A prefix read in place. */
struct frame {
    const uint8_t *at; /* first byte of the prefix */
    uint64_t sequence;
    uint32_t prefix_bytes;
    uint32_t record_bytes;
    uint32_t batch_back; /* bytes from the batch header to this frame */
};

/* Prefix and record together. */
static inline uint32_t frame_size(const struct frame *frame) { return frame->prefix_bytes + frame->record_bytes; }

/* How long the frame of a record will be. The record's size is at most STEME_RECORD_MAX. */
uint32_t frame_bytes_of(const struct wal_record *record);

/* Write the frame except for its sequence number and check, which are left zero for frame_number(). */
void frame_write(uint8_t *to, const struct wal_record *record, uint32_t batch_back);
/* Put the sequence number into a frame that frame_write() made. */
void frame_number(uint8_t *at, uint64_t sequence);
/* Put the check, the first 8 bytes of `digest`: BLAKE3 of the prefix while its check is zero. */
void frame_put_check(uint8_t *at, uint32_t prefix_bytes, const struct steme_hash *digest);

/* Whether a prefix may begin at `at`: magic, flags, lengths, all within `available` bytes. Nothing is hashed. */
bool frame_parse(const uint8_t *at, uint64_t available, struct frame *out);
/* Copy the prefix with its check set to zero: what the check is a hash of. `to` has FRAME_SIGNED_PREFIX_BYTES. */
struct steme_slice frame_unchecked(const struct frame *frame, uint8_t *to);
/* Whether the prefix carries the check that belongs to this digest of frame_unchecked(). */
bool frame_has_check(const struct frame *frame, const struct steme_hash *digest);
/* frame_parse(), and the check, one at a time. */
bool frame_valid(const uint8_t *at, uint64_t available, struct frame *out);

/* The record's bytes, whether or not they match the id. */
struct steme_slice frame_record(const struct frame *frame);
/* Whether BLAKE3 of the record, given as `digest`, is the id in the prefix. */
bool frame_has_id(const struct frame *frame, const struct steme_hash *digest);
/* Fill what the frame knows: sequence, id, bytes, signature, locations of frame and batch. `location` is the
 * frame's. */
void frame_entry(const struct frame *frame, uint64_t location, struct wal_entry *out);

#endif
