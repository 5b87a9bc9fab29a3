/* SPDX-License-Identifier: Apache-2.0 */
/* The batches of one segment, good ones that somebody has been at or any bytes, walked in small steps and in steps so
 * large that two threads share the work. Both find the same; what is found and what is not tile the image; and what is
 * found whole is, to the byte, what writing it again would give. */
#include "base/buf.h"
#include "base/hash.h"
#include "base/prng.h"
#include "fuzz/edits.h"
#include "spine/batch_scan.h"

#define SEGMENT 3u
#define FROM 4096u               /* where the image lies in its segment */
#define SMALL_BYTES (48u << 10)  /* some dozen batches of a few records */
#define LARGE_BYTES (384u << 10) /* more records than one thread checks alone */
#define LARGE_UNIT 8u            /* of the edits' offsets */
#define EVENTS_MAX_BYTES (64u << 20)
#define STORE UINT64_C(0x1122334455667788)
#define RECEIVED_US INT64_C(1700000000000000)

enum { EDITS_MAX = 16, RECORD_BLOCKS_MAX = 24 };

struct image {
    uint8_t *bytes;
    size_t size, room; /* written; with the zeros behind */
    size_t records;
    struct batch_scan begin;
};
static struct image images[2]; /* small and large */

/* ---- the good image ---- */

/* Random bytes; now and then the batch so far, as an author might put it into a record. */
static size_t make_record(struct prng *prng, const uint8_t *batch, size_t batch_bytes, uint8_t *to, size_t blocks_max)
{
    size_t size = 64 * (1 + (size_t)prng_below(prng, blocks_max));
    prng_fill(prng, to, size);
    if (prng_below(prng, 5) == 0) memcpy(to, batch, batch_bytes < size ? batch_bytes : size);
    return size;
}

static size_t add_batch(struct image *image, struct prng *prng, struct batch_scan *at, uint32_t count, size_t blocks)
{
    static uint8_t record[64 * RECORD_BLOCKS_MAX];
    static const struct steme_signature signature = { { 1, 2, 3 } };
    struct batch batch = {
        .count = count,
        .segment = SEGMENT,
        .offset = at->offset,
        .first_sequence = at->next_sequence,
        .received_at_us = RECEIVED_US + (int64_t)(1000 * at->next_sequence + prng_below(prng, 1000)),
        .store = STORE,
        .prev = at->batch,
    };
    uint8_t *start = image->bytes + image->size;
    size_t used = BATCH_HEADER_BYTES;
    for (uint32_t i = 0; i < count; i++) {
        size_t size = make_record(prng, start, used, record, blocks);
        struct wal_record it = { slice_of(record, size), hash_one(slice_of(record, size)), i % 3 ? NULL : &signature };
        invariant(image->size + used + frame_bytes_of(&it) <= image->room);
        frame_write(start + used, &it, (uint32_t)used);
        used += frame_bytes_of(&it);
    }
    batch.bytes = (uint32_t)used;
    uint8_t *scratch = malloc((size_t)count * FRAME_SIGNED_PREFIX_BYTES);
    invariant(scratch);
    at->batch = batch_seal(start, &batch, scratch);
    free(scratch);
    at->offset += used;
    at->next_sequence += count;
    image->size += used;
    image->records += count;
    return used;
}

static void make_image(struct image *image, size_t room, uint32_t batch_max, size_t blocks)
{
    struct prng prng = { room };
    image->begin = (struct batch_scan){
        .from = FROM,
        .store = STORE,
        .segment = SEGMENT,
        .offset = FROM,
        .next_sequence = 100,
        .batch = { { 9 } },
        .linked = true,
    };
    image->room = room;
    image->bytes = calloc(1, room);
    invariant(image->bytes);
    struct batch_scan at = image->begin;
    /* Room for the longest batch and for some zeros. */
    while (image->size + (size_t)batch_max * (FRAME_SIGNED_PREFIX_BYTES + 64 * blocks) + 8192 < room)
        (void)add_batch(image, &prng, &at, 1 + (uint32_t)prng_below(&prng, batch_max), blocks);
}

/* ---- what is found ---- */

struct found {
    const uint8_t *bytes; /* the image */
    struct buf events;    /* struct event, one behind the other */
    size_t records;
    bool thorough; /* look at the bytes of each record: once is enough */
};

struct event {
    uint64_t what, offset, bytes, sequence;
};

static void note(struct found *found, uint64_t what, uint64_t offset, uint64_t bytes, uint64_t sequence)
{
    const struct event event = { what, offset, bytes, sequence };
    buf_append(&found->events, &event, sizeof event);
}

static struct wal_record record_of(const struct wal_entry *entry)
{
    return (struct wal_record){ entry->bytes, entry->id, entry->signature };
}

/* Written anew, a frame is the same bytes. */
static void check_frame(const uint8_t *at, const struct wal_entry *entry, uint32_t back)
{
    uint8_t prefix[FRAME_SIGNED_PREFIX_BYTES];
    struct wal_record record = record_of(entry);
    struct steme_hash id = hash_one(entry->bytes);
    struct frame frame;
    invariant(memcmp(&id, &entry->id, sizeof id) == 0);
    size_t size = frame_bytes_of(&record);
    uint8_t *again = input_copy(at, size);
    frame_write(again, &record, back);
    frame_number(again, entry->sequence);
    invariant(frame_parse(again, size, &frame));
    struct steme_hash check = hash_one(frame_unchecked(&frame, prefix));
    frame_put_check(again, frame.prefix_bytes, &check);
    invariant(memcmp(again, at, size) == 0);
    free(again);
}

static void check_entry(struct found *found, const struct batch_found *batch, const struct wal_entry *entry)
{
    uint64_t offset = (uint32_t)entry->location, back = offset - batch->offset;
    const uint8_t *at = found->bytes + (offset - FROM);
    struct frame frame;
    invariant(frame_parse(at, batch->bytes - back, &frame) && frame.sequence == entry->sequence);
    invariant(entry->bytes.data == at + frame.prefix_bytes && frame.batch_back == back);
    invariant(entry->next_location == entry->location + frame_size(&frame));
    invariant(entry->received_at_us == batch->received_at_us);
    invariant(entry->batch_first == (entry->sequence == batch->first_sequence));
    invariant(entry->batch_last == (entry->sequence == batch->first_sequence + batch->count - 1));
    if (found->thorough) check_frame(at, entry, (uint32_t)back);
    note(found, 1, offset, frame_size(&frame), entry->sequence);
    found->records++;
}

/* Written anew from its entries, a whole batch is the same bytes. */
static void check_whole(struct found *found, const struct batch_found *it, const struct wal_entry *entries)
{
    const uint8_t *at = found->bytes + (it->offset - FROM);
    struct batch_place place = { STORE, SEGMENT, it->offset, it->bytes };
    struct batch head;
    invariant(batch_valid(at, &place, &head));
    uint8_t *again = malloc(it->bytes), *scratch = malloc((size_t)it->count * FRAME_SIGNED_PREFIX_BYTES);
    invariant(again && scratch);
    uint32_t used = BATCH_HEADER_BYTES;
    for (uint32_t i = 0; i < it->count; i++) {
        struct wal_record record = record_of(&entries[i]);
        frame_write(again + used, &record, used);
        used += frame_bytes_of(&record);
    }
    invariant(used == it->bytes);
    struct steme_hash hash = batch_seal(again, &head, scratch);
    invariant(memcmp(&hash, &it->hash, sizeof hash) == 0 && memcmp(again, at, used) == 0);
    free(scratch);
    free(again);
}

/* Entries and gaps of one batch, side by side without a hole. Both lists move behind them. */
static void check_batch(struct found *found, const struct batch_found *batch, const struct wal_entry **entries,
                        const struct wal_entry *entries_end, const struct batch_gap **gaps,
                        const struct batch_gap *gaps_end)
{
    uint64_t at = batch->offset + BATCH_HEADER_BYTES, end = batch->offset + batch->bytes;
    uint64_t sequence = batch->first_sequence;
    const struct wal_entry *first = *entries;
    const struct batch_gap *first_gap = *gaps;
    note(found, 0, batch->offset, batch->bytes, batch->first_sequence);
    while (at < end) {
        const struct wal_entry *entry = *entries;
        const struct batch_gap *gap = *gaps;
        if (entry < entries_end && entry->location == ((uint64_t)SEGMENT << 32 | at)) {
            invariant(entry->sequence == sequence);
            invariant(entry->batch_location == ((uint64_t)SEGMENT << 32 | batch->offset));
            check_entry(found, batch, entry);
            at = (uint32_t)entry->next_location;
            sequence++;
            ++*entries;
        } else {
            invariant(gap < gaps_end && gap->offset == at && gap->bytes > 0 && gap->bytes <= end - at);
            invariant(gap->first_sequence == sequence);
            note(found, 2, at, gap->bytes, gap->count);
            at += gap->bytes;
            sequence += gap->count;
            ++*gaps;
        }
    }
    invariant(at == end && sequence == batch->first_sequence + batch->count);
    if (found->thorough && *gaps == first_gap) check_whole(found, batch, first);
}

static void check_found(struct found *found, const struct batch_scan_item *item, struct batch_scan *due)
{
    const struct wal_entry *entries = item->entries;
    const struct batch_gap *gaps = item->gaps;
    const struct wal_entry *entries_end = entries + item->entry_count;
    const struct batch_gap *gaps_end = gaps ? gaps + item->gap_count : NULL; /* made for the first one */
    invariant(item->batch_count > 0 && (gaps || item->gap_count == 0));
    for (size_t i = 0; i < item->batch_count; i++) {
        const struct batch_found *batch = &item->batches[i];
        const uint8_t *at = found->bytes + (batch->offset - FROM);
        struct batch_place place = { STORE, SEGMENT, due->offset, due->to - due->offset };
        struct batch head;
        invariant(batch->offset == due->offset && batch_valid(at, &place, &head));
        struct steme_hash hash = batch_hash(at);
        invariant(memcmp(&hash, &batch->hash, sizeof hash) == 0);
        invariant(batch->first_sequence >= due->next_sequence);
        invariant(!due->linked || batch->first_sequence == due->next_sequence);
        invariant(!due->linked || memcmp(&head.prev, &due->batch, sizeof head.prev) == 0);
        check_batch(found, batch, &entries, entries_end, &gaps, gaps_end);
        due->offset += batch->bytes;
        due->next_sequence = batch->first_sequence + batch->count;
        due->batch = hash;
        due->linked = true;
    }
    invariant(entries == entries_end && gaps == gaps_end);
}

/* Walk all there is; events tell what was found. */
static void walk(struct batch_scan scan, size_t want, struct found *found)
{
    struct arena arena;
    struct batch_scan due = scan; /* what an honest walk has seen so far */
    struct batch_scan_item item = { .kind = BATCH_SCAN_FOUND };
    arena_init(&arena, SIZE_MAX);
    buf_init(&found->events, EVENTS_MAX_BYTES);
    while (item.kind != BATCH_SCAN_END) {
        struct arena_mark mark = arena_mark(&arena);
        steme_status status = batch_scan_next(&scan, want, &arena, &item, NULL);
        invariant(status == STEME_OK && item.offset == due.offset);
        if (item.kind == BATCH_SCAN_FOUND) {
            check_found(found, &item, &due);
        } else {
            invariant(item.kind == BATCH_SCAN_END || item.bytes > 0);
            note(found, 3 + item.kind, item.offset, item.bytes, item.last);
            due.offset += item.bytes;
            due.linked = false;
        }
        invariant(scan.offset == due.offset && scan.offset <= scan.to);
        invariant(scan.linked == due.linked || item.kind == BATCH_SCAN_END);
        arena_rewind(&arena, mark);
    }
    invariant(scan.offset == scan.to && found->events.status == STEME_OK);
    arena_deinit(&arena);
}

/* From the end of what is written back to the batch that ends there, as a mark is looked up. */
static void look_back(const uint8_t *bytes, size_t size, const struct found *found)
{
    const struct event *events = (const struct event *)(const void *)found->events.data;
    for (size_t i = 0; i < found->events.size / sizeof *events; i++) {
        if (events[i].what != 0) continue;
        const uint8_t *at = bytes + (events[i].offset - FROM);
        struct steme_hash hash = batch_hash(at);
        struct batch batch;
        invariant(events[i].offset - FROM + events[i].bytes <= size);
        const uint8_t *back = batch_find_end(bytes, events[i].offset - FROM + events[i].bytes, &hash, &batch);
        invariant(back == at && batch.bytes == events[i].bytes && batch.first_sequence == events[i].sequence);
        if (i > 8) break;
    }
}

static void examine(const struct image *image, const uint8_t *bytes, size_t size, bool linked, bool untouched)
{
    struct found few = { .bytes = bytes, .thorough = true }, many = { .bytes = bytes };
    struct batch_scan scan = image->begin;
    scan.bytes = bytes;
    scan.to = FROM + size;
    scan.linked = linked;
    walk(scan, 3, &few);
    walk(scan, SIZE_MAX / 2, &many);
    invariant(slice_equal(buf_slice(&few.events), buf_slice(&many.events)));
    invariant(!untouched || few.records == image->records);
    look_back(bytes, size, &few);
    buf_deinit(&many.events);
    buf_deinit(&few.events);
}

/* The first byte says which image, and whether what follows are edits of it or the bytes of another. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct steme_slice input = slice_of(data, size);
    if (!images[0].bytes) {
        make_image(&images[0], SMALL_BYTES, 6, RECORD_BLOCKS_MAX / 4);
        make_image(&images[1], LARGE_BYTES, 700, 1);
    }
    uint8_t mode = input_u8(&input);
    const struct image *image = &images[mode & 1];
    struct edits_file file = { .room = image->room, .size = image->room };
    bool untouched = input.size < EDITS_OP_BYTES, whole = (mode & 2) && !untouched;
    file.bytes = input_copy(image->bytes, file.room);
    if (whole) {
        file.size = input.size < file.room ? input.size : file.room;
        memcpy(file.bytes, input.data, file.size);
    }
    for (int edits = 0; !whole && input.size >= EDITS_OP_BYTES && edits < EDITS_MAX; edits++) {
        uint8_t op[EDITS_OP_BYTES];
        input_bytes(&input, op, sizeof op);
        edits_apply(&file, 1, op, mode & 1 ? LARGE_UNIT : 1);
    }
    uint8_t *exact = input_copy(file.bytes, file.size);
    examine(image, exact, file.size, !(mode & 4), untouched);
    free(exact);
    free(file.bytes);
    return 0;
}
