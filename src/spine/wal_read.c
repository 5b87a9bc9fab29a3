/* SPDX-License-Identifier: Apache-2.0 */
#include "spine/wal_state.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/slice.h"
#include "spine/batch_scan.h"

#include <inttypes.h>

#define PREFETCH_LINES 6u /* a frame's prefix and the beginning of its record */
#define READ_WINDOW 64u   /* frames whose checks are computed side by side */

steme_status wal_bytes(struct wal *wal, struct segment *segment, uint64_t durable, struct steme_slice *out,
                       struct steme_error *err)
{
    uint32_t end = location_segment(durable);
    *out = slice_of(NULL, 0);
    if (segment->number > end) return STEME_OK;
    uint64_t limit = segment->number == end ? location_offset(durable) : UINT64_MAX;
    /* they must be there; a header may have been lost */
    bool batches = limit != UINT64_MAX && limit > SEGMENT_HEADER_BYTES;
    /* An older segment may have been mapped while it was shorter, and filled up since. */
    uint64_t need = segment->number < end ? segment->file_bytes : batches ? limit : 0;
    steme_status status = segment_bytes(&wal->table, segment, need, out, err);
    if (!status && out->size > limit) out->size = limit;
    return status;
}

/* ---- frames by location ---- */

/* A frame on its way through the checks. */
struct candidate {
    struct frame frame;
    struct batch batch;
    const uint8_t *head;
    uint64_t batch_location;
    bool batch_proven;  /* its header need not be hashed again */
    size_t first_input; /* of those to hash */
    uint8_t frame_copy[FRAME_SIGNED_PREFIX_BYTES];
    uint8_t head_copy[BATCH_HEADER_BYTES];
};

static _Atomic uint64_t *proven_place(struct wal *wal, uint64_t batch_location)
{
    return &wal->proven[(batch_location * 0x9E3779B97F4A7C15u) >> 54]; /* 2^64 / golden ratio spreads multiples of 64 */
}
_Static_assert(WAL_PROVEN == 1u << (64 - 54), "the shift leaves a place's number");

/* Records that are asked for together lie all over the log: let the memory fetch them side by side. */
static void prefetch_frames(struct wal *wal, const uint64_t *locations, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct segment *segment = segment_find(&wal->table, location_segment(locations[i]));
        struct segment_map *map = segment ? atomic_load_explicit(&segment->map, memory_order_acquire) : NULL;
        uint64_t offset = location_offset(locations[i]);
        for (uint64_t line = 0; map && line < PREFETCH_LINES && offset + 64 * line < map->size; line++)
            __builtin_prefetch(map->data + offset + 64 * line);
    }
}

/* Find the frame and its batch's header by what they say of themselves; nothing is hashed yet. */
static steme_status find_frame(struct wal *wal, uint64_t location, struct candidate *out, struct steme_error *err)
{
    struct steme_slice bytes;
    struct frame *frame = &out->frame;
    uint64_t offset = location_offset(location);
    uint64_t durable = atomic_load_explicit(&wal->durable_location, memory_order_acquire);
    struct segment *segment = segment_find(&wal->table, location_segment(location));
    if (!segment || offset % 64 != 0 || location >= durable) goto nothing;
    steme_status status = wal_bytes(wal, segment, durable, &bytes, err);
    if (status) return status;
    if (offset >= bytes.size || !frame_parse(bytes.data + offset, bytes.size - offset, frame)) goto nothing;
    if (frame->batch_back > offset - SEGMENT_HEADER_BYTES) goto nothing;
    uint64_t start = offset - frame->batch_back;
    struct batch_place place = { store_word(&wal->store_id), segment->number, start, bytes.size - start };
    out->head = bytes.data + start;
    if (start % 64 != 0 || !batch_parse(out->head, &place, &out->batch)) goto nothing;
    if (frame->sequence < out->batch.first_sequence || frame->sequence - out->batch.first_sequence >= out->batch.count)
        goto nothing;
    if (frame->batch_back + frame_size(frame) > out->batch.bytes) goto nothing;
    out->batch_location = location_of(segment->number, start);
    out->batch_proven = atomic_load_explicit(proven_place(wal, out->batch_location), memory_order_relaxed) ==
                        out->batch_location;
    return STEME_OK;
nothing:
    return error_set(err, STEME_NOT_FOUND, "no record begins at %" PRIu64 " of log segment %" PRIu32, offset,
                     location_segment(location));
}

/* Whether a location is on record as damaged. */
static bool is_set_aside(struct wal *wal, uint64_t location)
{
    bool found = false;
    pthread_mutex_lock(&wal->quarantine_lock);
    for (size_t i = 0; i < wal->quarantine.count && !found; i++) {
        const struct quarantine_entry *entry = &wal->quarantine.entries[i];
        uint64_t offset = location_offset(location);
        found = entry->good && entry->segment == location_segment(location) && offset >= entry->offset &&
                offset - entry->offset < entry->length;
    }
    pthread_mutex_unlock(&wal->quarantine_lock);
    return found;
}

static steme_status check_frame(struct wal *wal, uint64_t location, const struct candidate *candidate,
                                const struct steme_hash *digests, struct wal_entry *out, struct steme_error *err)
{
    const struct frame *frame = &candidate->frame;
    const struct batch *batch = &candidate->batch;
    const char *bad = NULL;
    if (!frame_has_id(frame, &digests[0])) bad = "its bytes do not match its id";
    if (!frame_has_check(frame, &digests[1])) bad = "its frame fails its check";
    if (!candidate->batch_proven && !batch_has_check(candidate->head, &digests[2])) bad = "its batch fails its check";
    if (bad) {
        steme_status status = is_set_aside(wal, location) ? STEME_NOT_FOUND : STEME_CORRUPT;
        return error_set(err, status, "the record at %" PRIu64 " of log segment %" PRIu32 " is damaged: %s",
                         location_offset(location), location_segment(location), bad);
    }
    if (!candidate->batch_proven)
        atomic_store_explicit(proven_place(wal, candidate->batch_location), candidate->batch_location,
                              memory_order_relaxed);
    frame_entry(frame, location, out);
    out->received_at_us = batch->received_at_us;
    out->batch_first = frame->sequence == batch->first_sequence;
    out->batch_last = frame->sequence - batch->first_sequence + 1 == batch->count;
    return STEME_OK;
}

/* Up to READ_WINDOW frames. Inputs of a frame: its record, its prefix, and its batch's header unless that is proven. */
static void read_window(struct wal *wal, const uint64_t *locations, size_t count, struct wal_entry *entries,
                        steme_status *statuses, struct steme_error *err)
{
    struct candidate candidates[READ_WINDOW];
    struct steme_slice inputs[3 * READ_WINDOW];
    struct steme_hash digests[3 * READ_WINDOW];
    size_t input_count = 0;
    uint64_t found = 0;
    if (count > 1) prefetch_frames(wal, locations, count);
    for (size_t i = 0; i < count; i++) {
        struct candidate *candidate = &candidates[i];
        statuses[i] = find_frame(wal, locations[i], candidate, err);
        if (statuses[i]) continue;
        candidate->first_input = input_count;
        inputs[input_count++] = frame_record(&candidate->frame);
        inputs[input_count++] = frame_unchecked(&candidate->frame, candidate->frame_copy);
        if (!candidate->batch_proven) inputs[input_count++] = batch_unchecked(candidate->head, candidate->head_copy);
    }
    hash_many(inputs, input_count, digests);
    for (size_t i = 0; i < count; i++) {
        if (statuses[i]) continue;
        const struct steme_hash *own = digests + candidates[i].first_input;
        statuses[i] = check_frame(wal, locations[i], &candidates[i], own, &entries[i], err);
        found += statuses[i] == STEME_OK;
    }
    atomic_fetch_add_explicit(&wal->reads, found, memory_order_relaxed);
}

steme_status wal_read(struct wal *wal, uint64_t location, struct wal_entry *out, struct steme_error *err)
{
    steme_status status;
    read_window(wal, &location, 1, out, &status, err);
    return status;
}

void wal_read_many(struct wal *wal, const uint64_t *locations, size_t count, struct wal_entry *entries,
                   steme_status *statuses)
{
    for (size_t done = 0; done < count;) {
        size_t part = count - done < READ_WINDOW ? count - done : READ_WINDOW;
        read_window(wal, locations + done, part, entries + done, statuses + done, NULL);
        done += part;
    }
}

/* ---- marks ---- */

struct wal_mark wal_begin(const struct wal *wal)
{
    (void)wal; /* the same in every log */
    return (struct wal_mark){ .next_sequence = 1, .location = location_of(1, SEGMENT_HEADER_BYTES) };
}

static bool same_mark(const struct wal_mark *a, const struct wal_mark *b)
{
    return a->next_sequence == b->next_sequence && a->location == b->location &&
           memcmp(a->batch.bytes, b->batch.bytes, sizeof a->batch.bytes) == 0;
}

/* Whether a batch that is to follow the mark begins at the start of this segment. */
static bool begins_with(struct wal *wal, const struct segment *segment, struct steme_slice bytes,
                        const struct wal_mark *mark)
{
    const struct steme_hash *prev = &segment->header.prev;
    uint64_t first_sequence = segment->header.first_sequence;
    struct batch batch;
    if (!segment->header_good) {
        if (bytes.size <= SEGMENT_HEADER_BYTES) return false;
        struct batch_place place = { store_word(&wal->store_id), segment->number, SEGMENT_HEADER_BYTES,
                                     bytes.size - SEGMENT_HEADER_BYTES };
        if (!batch_valid(bytes.data + SEGMENT_HEADER_BYTES, &place, &batch)) return false;
        prev = &batch.prev;
        first_sequence = batch.first_sequence;
    }
    return first_sequence == mark->next_sequence && memcmp(prev->bytes, mark->batch.bytes, HASH_BYTES) == 0;
}

bool wal_knows(struct wal *wal, const struct wal_mark *mark)
{
    struct wal_mark begin = wal_begin(wal);
    struct wal_mark durable = wal_durable(wal);
    struct steme_slice bytes;
    struct batch batch;
    uint64_t offset = location_offset(mark->location);
    if (same_mark(mark, &begin) || same_mark(mark, &durable)) return true;
    struct segment *segment = segment_find(&wal->table, location_segment(mark->location));
    if (!segment || mark->location >= durable.location || offset < SEGMENT_HEADER_BYTES || offset % 64 != 0)
        return false;
    if (wal_bytes(wal, segment, durable.location, &bytes, NULL) || offset > bytes.size) return false;
    if (offset == SEGMENT_HEADER_BYTES) return begins_with(wal, segment, bytes, mark);
    const uint8_t *at = batch_find_end(bytes.data + SEGMENT_HEADER_BYTES, offset - SEGMENT_HEADER_BYTES, &mark->batch,
                                       &batch);
    return at && batch.offset == (uint64_t)(at - bytes.data) && batch.segment == segment->number &&
           batch.store == store_word(&wal->store_id) && batch.first_sequence + batch.count == mark->next_sequence;
}

/* ---- reading on ---- */

/* One wal_scan(). */
struct scan {
    struct wal *wal;
    struct wal_mark durable;
    struct wal_mark at; /* how far we are */
    bool linked;        /* see struct batch_scan */
    bool sure;          /* the caller's mark has proved to be one of this log */
    uint64_t skipped;
    struct wal_entry *entries;
    size_t count;
    uint64_t end;                  /* behind the last batch, or the last bad bytes */
    struct quarantine_stretch bad; /* what was stepped over last; how much is lost with it, the next batch tells */
};

/* Set aside what reading found damaged or missing, so that it is on record from now on. If that can't be done, it is
 * told in this process only, and reading ends here: an index that went on would hide it from all who begin to read at
 * its mark. The next one who reads finds it again. */
static steme_status set_aside(struct scan *scan, const struct quarantine_stretch *stretch, struct steme_error *err)
{
    struct quarantine *quarantine = &scan->wal->quarantine;
    steme_status status = STEME_OK;
    pthread_mutex_lock(&scan->wal->quarantine_lock);
    /* opening put on record what is gone in front of a missing segment, and behind the end */
    bool told = stretch->reason == QUARANTINE_LOST &&
                quarantine_tells(quarantine, stretch->first_sequence, stretch->count);
    if (!told) status = quarantine_set_aside(quarantine, stretch, err);
    if (status) (void)!quarantine_note(quarantine, stretch, NULL);
    pthread_mutex_unlock(&scan->wal->quarantine_lock);
    return status == STEME_CORRUPT ? STEME_NO_SPACE
                                   : status; /* the log is as it was; it is the quarantine that is full */
}

/* Put more entries behind those that are there; hardly ever called twice in one scan. */
static steme_status add_entries(struct scan *scan, const struct batch_scan_item *item, struct arena *arena,
                                struct steme_error *err)
{
    if (scan->count == 0) {
        scan->entries = item->entries;
        scan->count = item->entry_count;
        return STEME_OK;
    }
    struct wal_entry *entries = arena_alloc(arena, (scan->count + item->entry_count) * sizeof *entries);
    if (!entries) return arena_full(arena, err);
    memcpy(entries, scan->entries, scan->count * sizeof *entries);
    if (item->entry_count) memcpy(entries + scan->count, item->entries, item->entry_count * sizeof *entries);
    scan->entries = entries;
    scan->count += item->entry_count;
    return STEME_OK;
}

/* The next record has this number: those between are lost, with bad bytes or without a trace. */
static steme_status step_to(struct scan *scan, uint64_t first_sequence, struct steme_error *err)
{
    uint64_t lost = first_sequence > scan->at.next_sequence ? first_sequence - scan->at.next_sequence : 0;
    scan->skipped += lost;
    if (!scan->bad.bytes.size && !lost) return STEME_OK;
    if (!scan->bad.bytes.size)
        scan->bad = (struct quarantine_stretch){
            .segment = location_segment(scan->end),
            .offset = location_offset(scan->end),
            .reason = QUARANTINE_LOST,
            .first_sequence = scan->at.next_sequence,
        };
    scan->bad.count = lost;
    steme_status status = set_aside(scan, &scan->bad, err);
    scan->bad = (struct quarantine_stretch){ 0 };
    return status;
}

/* Frames of good batches that are lost. */
static steme_status take_gaps(struct scan *scan, const struct batch_scan *walk, const struct batch_scan_item *item,
                              struct steme_error *err)
{
    steme_status status = STEME_OK;
    for (size_t i = 0; !status && i < item->gap_count; i++) {
        const struct batch_gap *gap = &item->gaps[i];
        struct quarantine_stretch stretch = {
            .segment = walk->segment,
            .offset = gap->offset,
            .bytes = slice_of(walk->bytes + gap->offset, gap->bytes),
            .reason = QUARANTINE_DAMAGE,
            .first_sequence = gap->first_sequence,
            .count = gap->count,
        };
        scan->skipped += gap->count;
        status = set_aside(scan, &stretch, err);
    }
    return status;
}

static steme_status unknown_mark(const struct wal_mark *mark, struct steme_error *err)
{
    return error_set(err, STEME_MISMATCH,
                     "the log has no batch that ends at %" PRIu64 " of segment %" PRIu32 " with sequence %" PRIu64
                     ": the position belongs to another log, or this one was cut short",
                     location_offset(mark->location), location_segment(mark->location), mark->next_sequence);
}

static steme_status take_item(struct scan *scan, const struct batch_scan *walk, const struct batch_scan_item *item,
                              struct arena *arena, struct steme_error *err)
{
    if (item->kind == BATCH_SCAN_FOUND) {
        steme_status status = step_to(scan, item->batches[0].first_sequence, err);
        if (!status) status = take_gaps(scan, walk, item, err);
        if (status) return status;
        scan->at = (struct wal_mark){ walk->next_sequence, location_of(walk->segment, walk->offset), walk->batch };
        scan->end = scan->at.location;
        scan->sure = true;
        return add_entries(scan, item, arena, err);
    }
    /* Nothing follows the mark directly: is it one of ours at all? */
    if (!scan->sure && !wal_knows(scan->wal, &scan->at)) return unknown_mark(&scan->at, err);
    scan->sure = true;
    scan->at.location = location_of(walk->segment, walk->offset);
    if (item->kind == BATCH_SCAN_END) return STEME_OK;
    scan->end = scan->at.location;
    scan->bad = (struct quarantine_stretch){
        .segment = walk->segment,
        .offset = item->offset,
        .bytes = slice_of(walk->bytes + item->offset, item->bytes),
        .reason = QUARANTINE_DAMAGE,
        .first_sequence = scan->at.next_sequence,
    };
    return STEME_OK;
}

/* On to the next segment that is there, or to the end. */
static void next_segment(struct scan *scan)
{
    struct segment *next = segment_after(&scan->wal->table, location_segment(scan->at.location));
    if (!next || next->number > location_segment(scan->durable.location)) {
        scan->at.location = scan->durable.location;
        return;
    }
    scan->at.location = location_of(next->number, SEGMENT_HEADER_BYTES);
}

void wal_begin_segment(const struct segment *segment, struct batch_scan *walk)
{
    const struct segment_header *header = &segment->header;
    walk->linked = segment->header_good && header->first_sequence >= walk->next_sequence;
    if (!walk->linked) return;
    walk->next_sequence = header->first_sequence;
    walk->batch = header->prev;
}

/* Read on in the segment we are in. */
static steme_status scan_segment(struct scan *scan, size_t want, struct arena *arena, struct steme_error *err)
{
    struct steme_slice bytes = slice_of(NULL, 0);
    struct batch_scan_item item = { .kind = BATCH_SCAN_END };
    uint64_t offset = location_offset(scan->at.location);
    struct segment *segment = segment_find(&scan->wal->table, location_segment(scan->at.location));
    steme_status status = STEME_OK;
    if (segment) status = wal_bytes(scan->wal, segment, scan->durable.location, &bytes, err);
    if (status) return status;
    struct batch_scan walk = {
        .bytes = bytes.data,
        .to = bytes.size,
        .store = store_word(&scan->wal->store_id),
        .segment = location_segment(scan->at.location),
        .offset = offset,
        .next_sequence = scan->at.next_sequence,
        .batch = scan->at.batch,
        .linked = scan->linked,
    };
    if (segment && offset == SEGMENT_HEADER_BYTES) wal_begin_segment(segment, &walk);
    if (offset < bytes.size) status = batch_scan_next(&walk, want, arena, &item, err);
    if (!status) status = take_item(scan, &walk, &item, arena, err);
    if (status) return status;
    scan->linked = walk.linked;
    if (item.kind == BATCH_SCAN_END) next_segment(scan);
    return STEME_OK;
}

steme_status wal_scan(struct wal *wal, struct wal_mark *at, size_t want, struct arena *arena,
                      struct wal_entry **entries_out, size_t *count_out, uint64_t *skipped_out, struct steme_error *err)
{
    struct scan scan = { .wal = wal, .durable = wal_durable(wal), .at = *at, .linked = true, .end = at->location };
    struct wal_mark begin = wal_begin(wal);
    uint64_t offset = location_offset(at->location);
    bool end = at->location >= scan.durable.location;
    if (same_mark(at, &begin)) scan.sure = true;
    if ((end && !same_mark(at, &scan.durable)) || offset < SEGMENT_HEADER_BYTES || offset % 64 != 0)
        return error_set(err, STEME_MISMATCH,
                         "the log ends at sequence %" PRIu64 ", not where the position with sequence %" PRIu64 " says",
                         scan.durable.next_sequence, at->next_sequence);
    /* At the start of a segment its header is believed, so the mark is judged before. */
    if (!end && !scan.sure && offset == SEGMENT_HEADER_BYTES && !wal_knows(wal, at)) return unknown_mark(at, err);
    while (scan.count < want && scan.at.location < scan.durable.location) {
        steme_status status = scan_segment(&scan, want - scan.count, arena, err);
        if (status) return status;
    }
    if (scan.at.location >= scan.durable.location) {
        steme_status status = step_to(&scan, scan.durable.next_sequence, err);
        if (status) return status;
        scan.at = scan.durable;
    }
    *at = scan.at;
    *entries_out = scan.entries;
    *count_out = scan.count;
    if (skipped_out) *skipped_out = scan.skipped;
    return STEME_OK;
}
