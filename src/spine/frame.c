/* SPDX-License-Identifier: Apache-2.0 */
#include "spine/frame.h"

#include "base/check.h"
#include "base/codec.h"
#include "base/hash.h"
#include "base/slice.h"

#define FRAME_MAGIC 0x4d415246u /* "FRAM" */
#define FRAME_SIGNED 1u
#define CHECK_BYTES 8u

/* byte offsets; docs/format/log.md */
enum {
    AT_MAGIC = 0,
    AT_RECORD_BYTES = 4,
    AT_SEQUENCE = 8,
    AT_BATCH_BACK = 16,
    AT_FLAGS = 20,
    AT_ID = 24,
    AT_SIGNATURE = 56
};

uint32_t frame_bytes_of(const struct wal_record *record)
{
    return (record->signature ? FRAME_SIGNED_PREFIX_BYTES : FRAME_PREFIX_BYTES) + (uint32_t)record->bytes.size;
}

void frame_write(uint8_t *to, const struct wal_record *record, uint32_t batch_back)
{
    uint32_t prefix_bytes = record->signature ? FRAME_SIGNED_PREFIX_BYTES : FRAME_PREFIX_BYTES;
    store_u32(to + AT_MAGIC, FRAME_MAGIC);
    store_u32(to + AT_RECORD_BYTES, (uint32_t)record->bytes.size);
    store_u64(to + AT_SEQUENCE, 0);
    store_u32(to + AT_BATCH_BACK, batch_back);
    store_u32(to + AT_FLAGS, record->signature ? FRAME_SIGNED : 0);
    memcpy(to + AT_ID, record->id.bytes, HASH_BYTES);
    if (record->signature) memcpy(to + AT_SIGNATURE, record->signature->bytes, sizeof record->signature->bytes);
    store_u64(to + prefix_bytes - CHECK_BYTES, 0);
    memcpy(to + prefix_bytes, record->bytes.data, record->bytes.size);
}

void frame_number(uint8_t *at, uint64_t sequence) { store_u64(at + AT_SEQUENCE, sequence); }

void frame_put_check(uint8_t *at, uint32_t prefix_bytes, const struct steme_hash *digest)
{
    memcpy(at + prefix_bytes - CHECK_BYTES, digest->bytes, CHECK_BYTES);
}

bool frame_parse(const uint8_t *at, uint64_t available, struct frame *out)
{
    if (available < FRAME_MIN_BYTES || load_u32(at + AT_MAGIC) != FRAME_MAGIC) return false;
    uint32_t flags = load_u32(at + AT_FLAGS);
    uint32_t record_bytes = load_u32(at + AT_RECORD_BYTES);
    if (flags & ~FRAME_SIGNED) return false;
    uint32_t prefix_bytes = flags & FRAME_SIGNED ? FRAME_SIGNED_PREFIX_BYTES : FRAME_PREFIX_BYTES;
    if (record_bytes == 0 || record_bytes > STEME_RECORD_MAX || record_bytes % 64) return false;
    if (prefix_bytes + record_bytes > available) return false;
    *out = (struct frame){
        .at = at,
        .sequence = load_u64(at + AT_SEQUENCE),
        .prefix_bytes = prefix_bytes,
        .record_bytes = record_bytes,
        .batch_back = load_u32(at + AT_BATCH_BACK),
    };
    return true;
}

struct steme_slice frame_unchecked(const struct frame *frame, uint8_t *to)
{
    memcpy(to, frame->at, frame->prefix_bytes - CHECK_BYTES);
    store_u64(to + frame->prefix_bytes - CHECK_BYTES, 0);
    return slice_of(to, frame->prefix_bytes);
}

bool frame_has_check(const struct frame *frame, const struct steme_hash *digest)
{
    return memcmp(frame->at + frame->prefix_bytes - CHECK_BYTES, digest->bytes, CHECK_BYTES) == 0;
}

bool frame_valid(const uint8_t *at, uint64_t available, struct frame *out)
{
    uint8_t copy[FRAME_SIGNED_PREFIX_BYTES];
    struct frame frame;
    if (!frame_parse(at, available, &frame)) return false;
    struct steme_hash digest = hash_one(frame_unchecked(&frame, copy));
    if (!frame_has_check(&frame, &digest)) return false;
    *out = frame;
    return true;
}

struct steme_slice frame_record(const struct frame *frame)
{
    return slice_of(frame->at + frame->prefix_bytes, frame->record_bytes);
}

bool frame_has_id(const struct frame *frame, const struct steme_hash *digest)
{
    return memcmp(frame->at + AT_ID, digest->bytes, HASH_BYTES) == 0;
}

void frame_entry(const struct frame *frame, uint64_t location, struct wal_entry *out)
{
    bool is_signed = frame->prefix_bytes == FRAME_SIGNED_PREFIX_BYTES;
    *out = (struct wal_entry){
        .sequence = frame->sequence,
        .location = location,
        .next_location = location + frame_size(frame),
        .bytes = frame_record(frame),
        .signature = is_signed ? (const struct steme_signature *)(frame->at + AT_SIGNATURE) : NULL,
        .batch_location = location - frame->batch_back,
    };
    memcpy(out->id.bytes, frame->at + AT_ID, HASH_BYTES);
}
