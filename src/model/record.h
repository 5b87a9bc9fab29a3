/* SPDX-License-Identifier: Apache-2.0 */
/* The one canonical encoding of the six record types (docs/format/record.md): encode, check, and read in
 * place. For every record there is exactly one byte string; a decoder that accepts bytes has proved that
 * encoding the result gives the same bytes back. Length and padding are a multiple of 64 bytes.
 * Pure; any thread. Views borrow the bytes they were made from. */
#ifndef MODEL_RECORD_H
#define MODEL_RECORD_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "steme/limits.h"
#include "steme/types.h"

/* Append the canonical bytes of a record to out, which the record must not point into. Lists are sorted here; the
 * caller's arrays stay as they are. STEME_BAD_INPUT or STEME_TOO_LARGE name the field and what to do; those and
 * STEME_NO_MEMORY leave out as it was before. */
MUST_CHECK steme_status record_encode(const struct steme_record *record, struct buf *out, struct steme_error *err);

/* Check the bytes whole. Any other encoding of the same thing, a wrong length, non-zero padding, an unsorted list,
 * a name that is not NFC: STEME_BAD_INPUT. A part or a list over its limit: STEME_TOO_LARGE. An unknown type byte:
 * STEME_UNSUPPORTED. A newer format number: STEME_NEWER. *type_out on STEME_OK. No allocation, linear time (lists are
 * sorted, so neighbours tell; n log n for a bundle whose ids were made to collide). */
MUST_CHECK steme_status record_check(struct steme_slice bytes, enum steme_type *type_out, struct steme_error *err);

/* Check and decode. Arrays of the result live in the arena, slices point into bytes. STEME_NO_MEMORY when the arena is
 * full; after a failure it is as it was. */
MUST_CHECK steme_status record_decode(struct steme_slice bytes, struct arena *arena, struct steme_record *out,
                                      struct steme_error *err);

/* BLAKE3-256 of header, body and padding. */
struct steme_hash record_id(struct steme_slice bytes);

/* Whole length in bytes that a record beginning here says it has (a multiple of 64, 64..STEME_RECORD_MAX), or 0 when
 * the first 16 bytes can't begin a record. Types and formats yet to come have a size too: one can step over them. Looks
 * at no more than bytes.size. */
size_t record_size(struct steme_slice bytes);

/* An assertion read in place, without a copy or an allocation: what the index and the lenses need. */
struct assertion_view {
    struct steme_slice bytes;          /* the whole record */
    const uint8_t *author;             /* 32 bytes */
    struct steme_slice subject;        /* name */
    struct steme_slice predicate;      /* name */
    struct steme_slice object;         /* canonical bytes of the value, kind byte included: what a claim id hashes */
    struct steme_slice key_qualifiers; /* canonical bytes of the key qualifiers, which sort first; empty if none */
    struct steme_slice source;         /* name, or empty */
    const uint8_t *epoch;              /* 32 bytes, or NULL */
    const uint8_t *parents;            /* parent_count x 32 bytes, rising */
    size_t parent_count;
    int64_t asserted_at_us, valid_from_us, valid_to_us;
    uint32_t confidence_ppm;
    enum steme_kind kind;
    bool negated;
};

/* Check the bytes as record_check() does and view them; STEME_BAD_INPUT if they are no assertion. */
MUST_CHECK steme_status assertion_view(struct steme_slice bytes, struct assertion_view *out, struct steme_error *err);

/* The same for bytes that were checked before (they come from the log and match their id): no second check of names and
 * order, only bounds, so that damage can't make it read outside. */
MUST_CHECK steme_status assertion_view_trusted(struct steme_slice bytes, struct assertion_view *out,
                                               struct steme_error *err);

/* Decode a value from its canonical bytes (assertion_view.object). Slices point into them. */
MUST_CHECK steme_status value_decode(struct steme_slice bytes, struct steme_value *out, struct steme_error *err);
/* Append the canonical bytes of a value, or leave out as it was. */
MUST_CHECK steme_status value_encode(const struct steme_value *value, struct buf *out, struct steme_error *err);

/* Ids in a bundle record, in place: member_count x 32 bytes. The bytes were checked before. */
struct bundle_view {
    const uint8_t *author;  /* 32 bytes */
    const uint8_t *members; /* member_count x 32 bytes */
    size_t member_count;
};
MUST_CHECK steme_status bundle_view(struct steme_slice bytes, struct bundle_view *out, struct steme_error *err);

/* Public key a record of any type says it is by: its 32 bytes in place. The bytes were checked before. */
const uint8_t *record_author(struct steme_slice bytes);

#endif
