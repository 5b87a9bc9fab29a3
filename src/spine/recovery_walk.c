/* SPDX-License-Identifier: Apache-2.0 */
#include "spine/recovery_walk.h"

#include "base/slice.h"

#define WALK_ENTRIES 4096u /* frames looked at in one go: bounds the memory of a walk */

/* Room for `more` stretches behind those that are there. */
static steme_status reserve(struct recovery_walk *walk, size_t more, struct arena *arena, struct steme_error *err)
{
    if (walk->count + more <= walk->max) return STEME_OK;
    size_t max = 2 * (walk->count + more);
    struct quarantine_stretch *stretches = arena_alloc(arena, max * sizeof *stretches);
    if (!stretches) return arena_full(arena, err);
    if (walk->count) memcpy(stretches, walk->stretches, walk->count * sizeof *stretches);
    walk->stretches = stretches;
    walk->max = max;
    return STEME_OK;
}

static void note(struct recovery_walk *walk, const struct batch_scan *scan, uint64_t offset, uint64_t size,
                 uint64_t first_sequence, uint64_t count)
{
    walk->stretches[walk->count++] = (struct quarantine_stretch){
        .segment = scan->segment,
        .offset = offset,
        .bytes = slice_of(scan->bytes + (offset - scan->from), size),
        .first_sequence = first_sequence,
        .count = count,
    };
}

/* Good batch headers: everything noted before the last of them is proven, and so is the loss in front of the first. */
static void take_batches(struct recovery_walk *walk, const struct batch_scan *scan, const struct batch_scan_item *item)
{
    size_t gap = 0;
    for (size_t i = 0; i < item->batch_count; i++) {
        const struct batch_found *batch = &item->batches[i];
        uint64_t end = batch->offset + batch->bytes;
        uint64_t due = walk->now.next_sequence;
        if (due && batch->first_sequence > due && walk->count > 0)
            walk->stretches[walk->count - 1].count += batch->first_sequence - due;
        walk->proven = walk->count;
        walk->any = true;
        walk->before = walk->now;
        walk->before.offset = batch->offset;
        walk->before.next_sequence = batch->first_sequence; /* all below were given out, lost ones too */
        walk->now = (struct recovery_point){ end, batch->first_sequence + batch->count, batch->received_at_us,
                                             batch->hash, true };
        for (; gap < item->gap_count && item->gaps[gap].offset < end; gap++) {
            const struct batch_gap *bad = &item->gaps[gap];
            note(walk, scan, bad->offset, bad->bytes, bad->first_sequence, bad->count);
        }
    }
}

steme_status recovery_walk(const uint8_t *bytes, uint64_t from, uint64_t size, uint64_t store, uint32_t segment,
                           const struct recovery_point *start, struct arena *arena, struct recovery_walk *out,
                           struct steme_error *err)
{
    struct batch_scan scan = {
        .bytes = bytes,
        .from = from,
        .to = from + size,
        .store = store,
        .segment = segment,
        .offset = start->offset,
        .next_sequence = start->next_sequence,
        .batch = start->batch,
        .linked = start->linked,
    };
    struct arena scratch;
    struct batch_scan_item item = { .kind = BATCH_SCAN_BAD };
    steme_status status = STEME_OK;
    arena_init(&scratch, SIZE_MAX);
    *out = (struct recovery_walk){ .now = *start, .before = *start };
    while (item.kind != BATCH_SCAN_END && scan.offset < scan.to) {
        struct arena_mark mark = arena_mark(&scratch);
        status = batch_scan_next(&scan, WALK_ENTRIES, &scratch, &item, err);
        if (!status) status = reserve(out, item.gap_count + 1, arena, err);
        if (status) break;
        if (item.kind == BATCH_SCAN_FOUND) take_batches(out, &scan, &item);
        if (item.kind == BATCH_SCAN_BAD) note(out, &scan, item.offset, item.bytes, out->now.next_sequence, 0);
        arena_rewind(&scratch, mark);
    }
    arena_deinit(&scratch);
    return status;
}
