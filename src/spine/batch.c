/* SPDX-License-Identifier: Apache-2.0 */
#include "spine/batch.h"

#include "base/check.h"
#include "base/codec.h"
#include "base/hash.h"
#include "base/slice.h"

#define BATCH_MAGIC 0x48435442u /* "BTCH" */
#define CHECK_BYTES 8u
#define SEAL_WINDOW 64u /* prefixes hashed side by side: several rounds of the widest lanes */

/* byte offsets; docs/format/log.md */
enum {
    AT_MAGIC = 0,
    AT_COUNT = 4,
    AT_BYTES = 8,
    AT_SEGMENT = 12,
    AT_OFFSET = 16,
    AT_FIRST_SEQUENCE = 24,
    AT_RECEIVED_AT = 32,
    AT_STORE = 40,
    AT_PREV = 48,
    AT_FRAMES = 80,
    AT_RESERVED = 112,
    AT_CHECK = 120
};

uint64_t store_word(const struct steme_hash *store_id) { return load_u64(store_id->bytes); }

/* Number up to SEAL_WINDOW frames from *at on, put their checks, and append their prefixes to *scratch. */
static void seal_window(uint8_t **at, uint32_t count, uint64_t first_sequence, uint8_t **scratch)
{
    struct steme_slice prefixes[SEAL_WINDOW];
    struct steme_hash digests[SEAL_WINDOW];
    uint8_t *frames[SEAL_WINDOW];
    invariant(count > 0 && count <= SEAL_WINDOW);
    for (uint32_t i = 0; i < count; i++) {
        struct frame frame;
        invariant(frame_parse(*at, UINT64_MAX, &frame)); /* we made it a moment ago */
        frame_number(*at, first_sequence + i);
        frames[i] = *at;
        prefixes[i] = slice_of(*at, frame.prefix_bytes);
        *at += frame_size(&frame);
    }
    hash_many(prefixes, count, digests);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t prefix_bytes = (uint32_t)prefixes[i].size;
        frame_put_check(frames[i], prefix_bytes, &digests[i]);
        memcpy(*scratch, frames[i], prefix_bytes);
        *scratch += prefix_bytes;
    }
}

struct steme_hash batch_seal(uint8_t *bytes, struct batch *batch, uint8_t *scratch)
{
    uint8_t *at = bytes + BATCH_HEADER_BYTES;
    uint8_t *end = scratch;
    for (uint32_t done = 0; done < batch->count;) {
        uint32_t count = batch->count - done < SEAL_WINDOW ? batch->count - done : SEAL_WINDOW;
        seal_window(&at, count, batch->first_sequence + done, &end);
        done += count;
    }
    invariant(at == bytes + batch->bytes);
    batch->frames = hash_one(slice_of(scratch, (size_t)(end - scratch)));

    store_u32(bytes + AT_MAGIC, BATCH_MAGIC);
    store_u32(bytes + AT_COUNT, batch->count);
    store_u32(bytes + AT_BYTES, batch->bytes);
    store_u32(bytes + AT_SEGMENT, batch->segment);
    store_u64(bytes + AT_OFFSET, batch->offset);
    store_u64(bytes + AT_FIRST_SEQUENCE, batch->first_sequence);
    store_i64(bytes + AT_RECEIVED_AT, batch->received_at_us);
    store_u64(bytes + AT_STORE, batch->store);
    memcpy(bytes + AT_PREV, batch->prev.bytes, HASH_BYTES);
    memcpy(bytes + AT_FRAMES, batch->frames.bytes, HASH_BYTES);
    store_u64(bytes + AT_RESERVED, 0);
    store_u64(bytes + AT_CHECK, 0);
    struct steme_hash digest = hash_one(slice_of(bytes, BATCH_HEADER_BYTES));
    memcpy(bytes + AT_CHECK, digest.bytes, CHECK_BYTES);
    return batch_hash(bytes);
}

static void read_fields(const uint8_t *at, struct batch *out)
{
    *out = (struct batch){
        .count = load_u32(at + AT_COUNT),
        .bytes = load_u32(at + AT_BYTES),
        .segment = load_u32(at + AT_SEGMENT),
        .offset = load_u64(at + AT_OFFSET),
        .first_sequence = load_u64(at + AT_FIRST_SEQUENCE),
        .received_at_us = load_i64(at + AT_RECEIVED_AT),
        .store = load_u64(at + AT_STORE),
    };
    memcpy(out->prev.bytes, at + AT_PREV, HASH_BYTES);
    memcpy(out->frames.bytes, at + AT_FRAMES, HASH_BYTES);
}

bool batch_parse(const uint8_t *at, const struct batch_place *place, struct batch *out)
{
    if (place->available < BATCH_MIN_BYTES || load_u32(at + AT_MAGIC) != BATCH_MAGIC) return false;
    struct batch batch;
    read_fields(at, &batch);
    if (batch.store != place->store || batch.segment != place->segment || batch.offset != place->offset) return false;
    if (batch.bytes > place->available || batch.bytes > STEME_BATCH_BYTES_MAX || batch.bytes % 64) return false;
    if (batch.count == 0 || batch.count > STEME_BATCH_RECORDS_MAX) return false;
    if (batch.bytes < BATCH_HEADER_BYTES + batch.count * FRAME_MIN_BYTES) return false;
    if (batch.first_sequence == 0 || batch.first_sequence > SEQUENCE_MAX - batch.count) return false;
    if (load_u64(at + AT_RESERVED) != 0) return false;
    *out = batch;
    return true;
}

struct steme_slice batch_unchecked(const uint8_t *at, uint8_t *to)
{
    memcpy(to, at, AT_CHECK);
    store_u64(to + AT_CHECK, 0);
    return slice_of(to, BATCH_HEADER_BYTES);
}

bool batch_has_check(const uint8_t *at, const struct steme_hash *digest)
{
    return memcmp(at + AT_CHECK, digest->bytes, CHECK_BYTES) == 0;
}

struct steme_hash batch_hash(const uint8_t *at) { return hash_one(slice_of(at, BATCH_HEADER_BYTES)); }

bool batch_valid(const uint8_t *at, const struct batch_place *place, struct batch *out)
{
    uint8_t copy[BATCH_HEADER_BYTES];
    struct batch batch;
    if (!batch_parse(at, place, &batch)) return false;
    struct steme_hash digest = hash_one(batch_unchecked(at, copy));
    if (!batch_has_check(at, &digest)) return false;
    *out = batch;
    return true;
}

const uint8_t *batch_find_end(const uint8_t *bytes, uint64_t size, const struct steme_hash *hash, struct batch *out)
{
    for (uint64_t back = BATCH_MIN_BYTES; back <= size && back <= STEME_BATCH_BYTES_MAX; back += 64) {
        const uint8_t *at = bytes + (size - back);
        if (load_u32(at + AT_MAGIC) != BATCH_MAGIC || load_u32(at + AT_BYTES) != back) continue;
        struct steme_hash found = batch_hash(at);
        if (memcmp(found.bytes, hash->bytes, HASH_BYTES) != 0) continue;
        read_fields(at, out);
        return at;
    }
    return NULL;
}
