/* SPDX-License-Identifier: Apache-2.0 */
#include "spine/batch_scan.h"

#include "base/check.h"
#include "base/codec.h"
#include "base/hash.h"
#include "base/slice.h"

#include <pthread.h>
#include <stdatomic.h>

/* Batches whose checks are computed together: enough to fill the widest lanes when each holds one record, and little
 * enough that the records are still in the cache when their turn comes. A larger batch is a window of its own. */
#define WINDOW_BATCHES 64u
#define WINDOW_ENTRIES 256u
/* Records in one call from which on two threads check them: what a replay of the log reads at a time. A thread costs as
 * much as some hundred records. */
#define SPLIT_ENTRIES 2048u

/* A run of batches on its way through the checks of their headers. */
struct window {
    size_t count;
    const uint8_t *at[WINDOW_BATCHES];
    struct batch heads[WINDOW_BATCHES];
    struct steme_hash hashes[WINDOW_BATCHES]; /* of the batches */
};

/* A batch whose header is good and chained. */
struct sheaf {
    const uint8_t *at;
    struct batch head;
    struct steme_hash hash;
    struct wal_entry *entries; /* room for head.count */
    size_t kept;               /* of them stand up so far */
    bool whole;                /* all prefixes are right, and so every record has been compared with its id */
};

/* What one call brings in. The arrays have room for all that the headers ahead announce. */
struct harvest {
    struct arena *arena;
    struct batch_scan_item *item;
    size_t frame_max;
    struct sheaf *sheaves;
    size_t sheaf_count;
    size_t entry_count;        /* that the sheaves have room for */
    _Atomic size_t next_sheaf; /* the first that nobody has begun to check */
    uint8_t *prefixes[2];      /* scratch of each thread: those of the widest run of sheaves */
};

static const uint8_t *bytes_at(const struct batch_scan *scan, uint64_t offset)
{
    return scan->bytes + (offset - scan->from);
}

static struct batch_place place_at(const struct batch_scan *scan, uint64_t offset)
{
    return (struct batch_place){ scan->store, scan->segment, offset, scan->to - offset };
}

uint64_t batch_scan_used(const uint8_t *bytes, uint64_t size)
{
    static const uint8_t zeros[4096];
    while (size >= sizeof zeros && memcmp(bytes + size - sizeof zeros, zeros, sizeof zeros) == 0)
        size -= sizeof zeros;
    while (size > 0 && bytes[size - 1] == 0)
        size--;
    return size;
}

/* Whether a header with a good check may follow what was read so far. */
static bool follows(const struct batch_scan *scan, const struct batch *batch)
{
    if (!scan->linked) return batch->first_sequence >= scan->next_sequence;
    return batch->first_sequence == scan->next_sequence &&
           memcmp(batch->prev.bytes, scan->batch.bytes, HASH_BYTES) == 0;
}

static void step_over(struct batch_scan *scan, const struct batch *batch, const struct steme_hash *hash)
{
    scan->offset += batch->bytes;
    scan->next_sequence = batch->first_sequence + batch->count;
    scan->batch = *hash;
    scan->linked = true;
}

/* ---- what is no batch ---- */

/* Where the next good batch begins, at `offset` or behind it, or scan->to or more. Whole frames are stepped over in one
 * go: what their records contain is the author's, who might have put something there that looks like a batch. */
static uint64_t find_batch(const struct batch_scan *scan, uint64_t offset)
{
    while (offset < scan->to) {
        struct batch_place place = place_at(scan, offset);
        const uint8_t *at = bytes_at(scan, offset);
        struct batch batch;
        struct frame frame;
        if (batch_valid(at, &place, &batch) && follows(scan, &batch)) return offset;
        offset += 64;
        if (!frame_valid(at, place.available, &frame)) continue;
        struct steme_hash id = hash_one(frame_record(&frame));
        if (frame_has_id(&frame, &id)) offset += frame_size(&frame) - 64;
    }
    return scan->to;
}

static void step_over_bad(struct batch_scan *scan, struct batch_scan_item *out)
{
    uint64_t used = batch_scan_used(bytes_at(scan, scan->offset), scan->to - scan->offset);
    out->offset = scan->offset;
    if (used == 0) {
        out->kind = BATCH_SCAN_END;
        out->bytes = scan->to - scan->offset;
        scan->offset = scan->to;
        return;
    }
    out->kind = BATCH_SCAN_BAD;
    scan->linked = false;
    /* not here: a good batch that does not belong here stays bad */
    uint64_t next = find_batch(scan, scan->offset + 64);
    out->last = next >= scan->to;
    if (out->last) {
        next = scan->offset + pad64(used);
        if (next > scan->to) next = scan->to;
    }
    out->bytes = next - scan->offset;
    scan->offset = next;
}

/* ---- what is ---- */

/* Read headers from the scan's position on, as long as they look right; nothing is checked yet. Stops when there are
 * `want` frames. Returns the number of batches; *frames_out is the number of frames, *widest_out the largest that a
 * window will hold. */
static size_t look_ahead(const struct batch_scan *scan, size_t want, size_t *frames_out, size_t *widest_out)
{
    size_t count = 0;
    size_t frames = 0;
    size_t widest = WINDOW_ENTRIES;
    uint64_t offset = scan->offset;
    while (frames < want && offset < scan->to) {
        struct batch_place place = place_at(scan, offset);
        struct batch batch;
        if (!batch_parse(bytes_at(scan, offset), &place, &batch)) break;
        if (batch.count > widest) widest = batch.count;
        frames += batch.count;
        offset += batch.bytes;
        count++;
    }
    *frames_out = frames;
    *widest_out = widest;
    return count;
}

/* The next window of at most batch_max batches: those whose headers are good and chained. */
static void open_window(const struct batch_scan *start, size_t batch_max, struct window *window)
{
    uint8_t copies[WINDOW_BATCHES][BATCH_HEADER_BYTES];
    struct steme_slice inputs[2 * WINDOW_BATCHES];
    struct steme_hash digests[2 * WINDOW_BATCHES];
    struct batch_scan scan = *start;
    size_t frames = 0;
    size_t count = 0;
    for (; count < batch_max && count < WINDOW_BATCHES; count++) {
        struct batch_place place = place_at(&scan, scan.offset);
        struct batch *head = &window->heads[count];
        const uint8_t *at = bytes_at(&scan, scan.offset);
        if (!batch_parse(at, &place, head)) break;
        if (count > 0 && frames + head->count > WINDOW_ENTRIES) break;
        frames += head->count;
        window->at[count] = at;
        inputs[2 * count] = batch_unchecked(at, copies[count]);
        inputs[2 * count + 1] = slice_of(at, BATCH_HEADER_BYTES);
        scan.offset += head->bytes;
    }
    hash_many(inputs, 2 * count, digests);
    scan = *start;
    for (window->count = 0; window->count < count; window->count++) {
        size_t i = window->count;
        if (!batch_has_check(window->at[i], &digests[2 * i]) || !follows(&scan, &window->heads[i])) return;
        window->hashes[i] = digests[2 * i + 1];
        step_over(&scan, &window->heads[i], &window->hashes[i]);
    }
}

static void fill_entry(const struct batch *head, const struct frame *frame, struct wal_entry *out)
{
    frame_entry(frame, location_of_batch(head) + frame->batch_back, out);
    out->received_at_us = head->received_at_us;
    out->batch_first = frame->sequence == head->first_sequence;
    out->batch_last = frame->sequence == head->first_sequence + head->count - 1;
}

/* Read a batch's frames on the assumption that all is well and gather their prefixes at *to. Returns whether they fit
 * together; if their hash then is the header's, every bit of them is right. */
static bool read_frames(const uint8_t *at, const struct batch *head, struct wal_entry *entries, uint8_t **to)
{
    uint32_t offset = BATCH_HEADER_BYTES;
    for (uint32_t i = 0; i < head->count; i++) {
        struct frame frame;
        if (!frame_parse(at + offset, head->bytes - offset, &frame)) return false;
        if (frame.batch_back != offset || frame.sequence != head->first_sequence + i) return false;
        memcpy(*to, frame.at, frame.prefix_bytes);
        *to += frame.prefix_bytes;
        fill_entry(head, &frame, &entries[i]);
        offset += frame_size(&frame);
    }
    return offset == head->bytes;
}

/* A frame of this batch that begins at `offset` and has a good prefix. */
static bool frame_of_batch(const uint8_t *at, const struct batch *head, uint32_t offset, struct frame *out)
{
    return offset < head->bytes && frame_valid(at + offset, head->bytes - offset, out) && out->batch_back == offset &&
           out->sequence >= head->first_sequence && out->sequence - head->first_sequence < head->count;
}

/* What the frames of a damaged batch have to fit into. */
struct damaged {
    const uint8_t *at;
    const struct batch *head;
    uint32_t from;   /* where damage begins: frames before it stand in an unbroken row */
    uint64_t due;    /* number of the frame that is damaged there */
    uint32_t resume; /* from here on frames stand in an unbroken row again, up to the end; head->bytes if none do */
    uint64_t resume_sequence;
};

/* Find where frames stand in a row again that ends with the batch, with the last number. Nothing an author puts into a
 * record can make such a row, for the damaged frame he puts it into had a number too. */
static steme_status find_resumption(struct damaged *damaged, struct arena *arena, struct steme_error *err)
{
    const struct batch *head = damaged->head;
    struct frame frame;
    struct arena_mark mark = arena_mark(arena);
    /* For every place a frame can begin: its number in the batch, from 1, if a row begins there that ends well. */
    uint32_t *numbers = arena_calloc(arena, head->bytes / 64 + 1, sizeof *numbers);
    if (!numbers) return arena_full(arena, err);
    damaged->resume = head->bytes;
    damaged->resume_sequence = head->first_sequence + head->count;
    numbers[head->bytes / 64] = head->count + 1;
    for (uint32_t offset = head->bytes - FRAME_MIN_BYTES; offset > damaged->from; offset -= 64) {
        if (!frame_of_batch(damaged->at, head, offset, &frame) || frame.sequence <= damaged->due) continue;
        uint32_t number = (uint32_t)(frame.sequence - head->first_sequence) + 1;
        if (numbers[(offset + frame_size(&frame)) / 64] != number + 1) continue;
        numbers[offset / 64] = number;
        damaged->resume = offset;
        damaged->resume_sequence = frame.sequence;
    }
    arena_rewind(arena, mark);
    return STEME_OK;
}

/* Whole frames between two damaged places. They must leave a number for each damage, and rise; if they don't, some
 * of them may be what an author put into a record, and none is believed. Returns how many. */
static size_t find_islands(const struct damaged *damaged, struct wal_entry *entries)
{
    size_t count = 0;
    uint64_t last = damaged->due;
    for (uint32_t offset = damaged->from + 64; offset < damaged->resume;) {
        struct frame frame;
        bool whole = frame_of_batch(damaged->at, damaged->head, offset, &frame) &&
                     offset + frame_size(&frame) < damaged->resume;
        if (whole) {
            struct steme_hash id = hash_one(frame_record(&frame));
            whole = frame_has_id(&frame, &id);
        }
        offset += whole ? frame_size(&frame) : 64;
        if (!whole) continue;
        if (frame.sequence <= last || frame.sequence + 1 >= damaged->resume_sequence) return 0;
        fill_entry(damaged->head, &frame, &entries[count++]);
        last = frame.sequence;
    }
    return count;
}

/* Entries of frames in a row from `offset` on, up to `to` or to the first bad prefix. Returns where it ends. */
static uint32_t read_row(const uint8_t *at, const struct batch *head, uint32_t offset, uint64_t sequence,
                         struct wal_entry *entries, size_t *count)
{
    struct frame frame;
    while (frame_of_batch(at, head, offset, &frame) && frame.sequence == sequence) {
        fill_entry(head, &frame, &entries[(*count)++]);
        offset += frame_size(&frame);
        sequence++;
    }
    return offset;
}

/* The frames of a batch in which something is wrong: those that can be told with certainty. *kept_out is how many. */
static steme_status examine_frames(const uint8_t *at, const struct batch *head, struct arena *arena,
                                   struct wal_entry *entries, size_t *kept_out, struct steme_error *err)
{
    struct damaged damaged = { .at = at, .head = head };
    *kept_out = 0;
    damaged.from = read_row(at, head, BATCH_HEADER_BYTES, head->first_sequence, entries, kept_out);
    damaged.due = head->first_sequence + *kept_out;
    if (damaged.from == head->bytes) {
        /* each right by itself, but not what the header was made for: somebody exchanged one. Which? */
        *kept_out = 0;
        return STEME_OK;
    }
    steme_status status = find_resumption(&damaged, arena, err);
    if (status) return status;
    *kept_out += find_islands(&damaged, entries + *kept_out);
    (void)read_row(at, head, damaged.resume, damaged.resume_sequence, entries, kept_out);
    return STEME_OK;
}

/* Take the bytes from every entry whose record does not match its id. */
static void check_records(struct wal_entry *entries, size_t count)
{
    struct steme_slice records[WINDOW_ENTRIES];
    struct steme_hash ids[WINDOW_ENTRIES];
    for (size_t done = 0; done < count;) {
        size_t part = count - done < WINDOW_ENTRIES ? count - done : WINDOW_ENTRIES;
        for (size_t i = 0; i < part; i++)
            records[i] = entries[done + i].bytes;
        hash_many(records, part, ids);
        for (size_t i = 0; i < part; i++)
            if (memcmp(ids[i].bytes, entries[done + i].id.bytes, HASH_BYTES) != 0) entries[done + i].bytes.data = NULL;
        done += part;
    }
}

/* The next sheaves to check, as many as go together. False: all have been begun. */
static bool take_sheaves(struct harvest *harvest, size_t *begin_out, size_t *end_out)
{
    size_t begin = atomic_load(&harvest->next_sheaf), end;
    do {
        size_t frames = 0;
        for (end = begin; end < harvest->sheaf_count && end - begin < WINDOW_BATCHES; end++) {
            frames += harvest->sheaves[end].head.count;
            if (end > begin && frames > WINDOW_ENTRIES) break;
        }
        if (end == begin) return false;
    } while (!atomic_compare_exchange_weak(&harvest->next_sheaf, &begin, end));
    *begin_out = begin;
    *end_out = end;
    return true;
}

/* Read and check sheaves until none are left. Those in which something is wrong with the prefixes stay as they are. */
static void check_sheaves(struct harvest *harvest, uint8_t *prefixes)
{
    struct steme_slice inputs[WINDOW_BATCHES];
    struct steme_hash digests[WINDOW_BATCHES];
    bool fit[WINDOW_BATCHES];
    for (size_t begin, end; take_sheaves(harvest, &begin, &end);) {
        uint8_t *to = prefixes;
        for (size_t i = begin; i < end; i++) {
            struct sheaf *sheaf = &harvest->sheaves[i];
            uint8_t *start = to;
            fit[i - begin] = read_frames(sheaf->at, &sheaf->head, sheaf->entries, &to);
            inputs[i - begin] = slice_of(start, (size_t)(to - start));
        }
        hash_many(inputs, end - begin, digests);
        for (size_t i = begin; i < end; i++) {
            struct sheaf *sheaf = &harvest->sheaves[i];
            sheaf->whole = fit[i - begin] &&
                           memcmp(digests[i - begin].bytes, sheaf->head.frames.bytes, HASH_BYTES) == 0;
            if (!sheaf->whole) continue;
            sheaf->kept = sheaf->head.count;
            check_records(sheaf->entries, sheaf->kept);
        }
    }
}

static void *help(void *context)
{
    struct harvest *harvest = context;
    check_sheaves(harvest, harvest->prefixes[1]);
    return NULL;
}

/* Hashing is nearly all of a replay's work, so a second thread helps with much of it; where there is none to be had,
 * this one does it all. The outcome is the same. */
static void check_all(struct harvest *harvest)
{
    pthread_t helper;
    bool helped = harvest->entry_count >= SPLIT_ENTRIES && pthread_create(&helper, NULL, help, harvest) == 0;
    check_sheaves(harvest, harvest->prefixes[0]);
    if (helped) (void)pthread_join(helper, NULL);
}

static steme_status add_gap(struct harvest *harvest, struct batch_gap gap, struct steme_error *err)
{
    struct batch_scan_item *item = harvest->item;
    if (!item->gaps) item->gaps = arena_calloc(harvest->arena, harvest->frame_max, sizeof *item->gaps);
    if (!item->gaps) return arena_full(harvest->arena, err);
    item->gaps[item->gap_count++] = gap;
    return STEME_OK;
}

/* Move a batch's good entries to their final place. Whatever lies between them is a gap. */
static steme_status reap_batch(struct harvest *harvest, const struct batch *head, const struct wal_entry *entries,
                               size_t count, struct steme_error *err)
{
    struct batch_scan_item *item = harvest->item;
    uint64_t start = location_of_batch(head);
    uint64_t at = start + BATCH_HEADER_BYTES;
    uint64_t sequence = head->first_sequence;
    for (size_t i = 0; i <= count; i++) {
        bool end = i == count;
        if (!end && !entries[i].bytes.data) continue;
        uint64_t to = end ? start + head->bytes : entries[i].location;
        uint64_t to_sequence = end ? head->first_sequence + head->count : entries[i].sequence;
        if (to > at) {
            struct batch_gap gap = { head->offset + (at - start), to - at, sequence, to_sequence - sequence };
            steme_status status = add_gap(harvest, gap, err);
            if (status) return status;
        }
        if (end) break;
        at = entries[i].next_location;
        sequence = entries[i].sequence + 1;
        struct wal_entry *place = &item->entries[item->entry_count++]; /* never ahead of where we read */
        if (place != &entries[i]) *place = entries[i];
    }
    return STEME_OK;
}

/* Bind a window's batches into sheaves and go behind them. */
static void bind_window(struct harvest *harvest, struct batch_scan *scan, const struct window *window)
{
    for (size_t i = 0; i < window->count; i++) {
        harvest->sheaves[harvest->sheaf_count++] = (struct sheaf){
            .at = window->at[i],
            .head = window->heads[i],
            .hash = window->hashes[i],
            .entries = harvest->item->entries + harvest->entry_count,
        };
        harvest->entry_count += window->heads[i].count;
        step_over(scan, &window->heads[i], &window->hashes[i]);
    }
}

static steme_status reap(struct harvest *harvest, struct steme_error *err)
{
    struct batch_scan_item *item = harvest->item;
    for (size_t i = 0; i < harvest->sheaf_count; i++) {
        struct sheaf *sheaf = &harvest->sheaves[i];
        steme_status status = STEME_OK;
        item->batches[item->batch_count++] = (struct batch_found){
            .offset = sheaf->head.offset,
            .bytes = sheaf->head.bytes,
            .count = sheaf->head.count,
            .first_sequence = sheaf->head.first_sequence,
            .received_at_us = sheaf->head.received_at_us,
            .hash = sheaf->hash,
        };
        if (!sheaf->whole) {
            status = examine_frames(sheaf->at, &sheaf->head, harvest->arena, sheaf->entries, &sheaf->kept, err);
            if (!status) check_records(sheaf->entries, sheaf->kept);
        }
        if (!status) status = reap_batch(harvest, &sheaf->head, sheaf->entries, sheaf->kept, err);
        if (status) return status;
    }
    return STEME_OK;
}

steme_status batch_scan_next(struct batch_scan *scan, size_t want, struct arena *arena, struct batch_scan_item *out,
                             struct steme_error *err)
{
    size_t widest;
    struct harvest harvest = { .arena = arena, .item = out };
    invariant(scan->offset >= scan->from && scan->offset <= scan->to && want > 0);
    *out = (struct batch_scan_item){ .kind = BATCH_SCAN_FOUND, .offset = scan->offset };
    size_t batch_max = look_ahead(scan, want, &harvest.frame_max, &widest);
    if (batch_max > 0) {
        out->batches = arena_alloc(arena, batch_max * sizeof *out->batches);
        out->entries = arena_alloc(arena, harvest.frame_max * sizeof *out->entries);
        harvest.sheaves = arena_alloc(arena, batch_max * sizeof *harvest.sheaves);
        for (size_t i = 0; i < countof(harvest.prefixes); i++)
            harvest.prefixes[i] = arena_alloc(arena, widest * FRAME_SIGNED_PREFIX_BYTES);
        if (!out->batches || !out->entries || !harvest.sheaves || !harvest.prefixes[0] || !harvest.prefixes[1])
            return arena_full(arena, err);
    }
    while (harvest.sheaf_count < batch_max) {
        struct window window;
        open_window(scan, batch_max - harvest.sheaf_count, &window);
        if (window.count == 0) break;
        bind_window(&harvest, scan, &window);
    }
    if (harvest.sheaf_count) check_all(&harvest);
    steme_status status = reap(&harvest, err);
    if (status) return status;
    out->bytes = scan->offset - out->offset;
    if (out->batch_count == 0) step_over_bad(scan, out);
    return STEME_OK;
}
