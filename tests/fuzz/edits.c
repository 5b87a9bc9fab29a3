/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/edits.h"

#include "base/hash.h"
#include "spine/batch.h"
#include "spine/segment.h"

/* Where things lie in a segment's header, a batch's and a frame's prefix; docs/format/log.md */
enum {
    SEGMENT_CHECK_AT = 224,
    BATCH_COUNT_AT = 4,
    BATCH_BYTES_AT = 8,
    BATCH_FRAMES_AT = 80,
    BATCH_CHECK_AT = 120,
    FRAME_ID_AT = 24
};

static bool is_batch(const uint8_t *at, size_t available)
{
    return available >= BATCH_HEADER_BYTES && memcmp(at, "BTCH", 4) == 0;
}

static void check_frame(uint8_t *at, const struct frame *frame)
{
    uint8_t copy[FRAME_SIGNED_PREFIX_BYTES];
    struct steme_hash check = hash_one(frame_unchecked(frame, copy));
    frame_put_check(at, frame->prefix_bytes, &check);
}

static void check_batch(uint8_t *at)
{
    uint8_t copy[BATCH_HEADER_BYTES];
    struct steme_hash check = hash_one(batch_unchecked(at, copy));
    memcpy(at + BATCH_CHECK_AT, check.bytes, 8);
}

void edits_check(uint8_t *at, size_t available)
{
    struct frame frame;
    if (available >= SEGMENT_HEADER_BYTES && memcmp(at, "STEMELOG", 8) == 0) {
        struct steme_hash check = hash_one(slice_of(at, SEGMENT_CHECK_AT));
        memcpy(at + SEGMENT_CHECK_AT, check.bytes, sizeof check);
    } else if (is_batch(at, available)) {
        check_batch(at);
    } else if (frame_parse(at, available, &frame)) {
        check_frame(at, &frame);
    }
}

void edits_seal(uint8_t *at, size_t available)
{
    if (!is_batch(at, available)) return;
    size_t bytes = load_u32(at + BATCH_BYTES_AT), offset = BATCH_HEADER_BYTES, used = 0;
    uint32_t count = load_u32(at + BATCH_COUNT_AT);
    struct frame frame;
    if (bytes > available) return;
    uint8_t *prefixes = malloc(bytes + BATCH_HEADER_BYTES);
    invariant(prefixes);
    for (; count > 0 && offset < bytes && frame_parse(at + offset, bytes - offset, &frame); count--) {
        struct steme_hash id = hash_one(frame_record(&frame));
        memcpy(at + offset + FRAME_ID_AT, id.bytes, sizeof id);
        check_frame(at + offset, &frame);
        memcpy(prefixes + used, at + offset, frame.prefix_bytes);
        used += frame.prefix_bytes;
        offset += frame_size(&frame);
    }
    struct steme_hash frames = hash_one(slice_of(prefixes, used));
    memcpy(at + BATCH_FRAMES_AT, frames.bytes, sizeof frames);
    check_batch(at);
    free(prefixes);
}

/* Where in its file an edit begins: what is changed there, and what has a check around it. */
struct spot {
    uint8_t *at, *start;
    size_t available; /* from start on */
};

static struct spot change(struct edits_file *files, size_t count, const uint8_t op[EDITS_OP_BYTES], size_t unit)
{
    struct edits_file *file = &files[op[1] % count], *other = &files[(op[1] + 1u) % count];
    size_t offset = load_u16(op + 2) * unit + op[0] / 8 % unit, length = load_u16(op + 4);
    size_t from = load_u16(op + 6) * unit;
    if (offset > file->room - 1) offset = file->room - 1;
    if (offset + length > file->room) length = file->room - offset;
    if (length > other->room) length = other->room;
    if (from + length > file->room) from = file->room - length;
    if (from + length > other->room) from = other->room - length;
    size_t block = offset & ~(size_t)63, word = offset & ~(size_t)7, word_from = from & ~(size_t)7;
    struct spot spot = { file->bytes + offset, file->bytes + block, file->room - block };
    switch (op[0] % 8) {
    case 0: *spot.at ^= (uint8_t)(op[6] | 1); break;
    case 1: memset(spot.at, op[6], length % 600); break;
    case 2: memmove(spot.at, file->bytes + from, length); break;
    case 3: memmove(spot.at, other->bytes + from, length); break;
    case 4: file->size = offset; break;
    case 5: file->size = file->room; break;
    case 6:
        if (word + 8 <= file->room && word_from + 8 <= file->room)
            store_u64(file->bytes + word, load_u64(file->bytes + word_from) + op[1]);
        break;
    default: break;
    }
    return spot;
}

void edits_damage(struct edits_file *files, size_t count, const uint8_t op[EDITS_OP_BYTES])
{
    (void)change(files, count, op, 1);
}

void edits_apply(struct edits_file *files, size_t count, const uint8_t op[EDITS_OP_BYTES], size_t unit)
{
    struct spot spot = change(files, count, op, unit);
    if (op[0] % 8 == 7)
        edits_seal(spot.start, spot.available);
    else
        edits_check(spot.start, spot.available);
}
