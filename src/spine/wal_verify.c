/* SPDX-License-Identifier: Apache-2.0 */
#include "spine/wal_state.h"

#include "base/codec.h"
#include "base/slice.h"
#include "spine/batch_scan.h"

#include <stdlib.h>

#define VERIFY_ENTRIES 4096u            /* frames looked at in one go: bounds the memory */
#define PIECE_BYTES ((size_t)256 << 10) /* read in one go */

struct verification {
    struct wal *wal;
    void (*found)(void *context, const struct wal_finding *finding);
    void *context;
    struct wal_totals totals;
    struct wal_mark durable;
    /* what the next segment has to continue */
    uint64_t next_sequence;
    struct steme_hash batch;
    bool linked;
};

static void report(struct verification *verification, uint64_t location, uint64_t bytes, uint64_t sequence,
                   const char *what)
{
    struct wal_finding finding = { location, bytes, sequence, what };
    verification->totals.findings++;
    if (verification->found) verification->found(verification->context, &finding);
}

/* Bytes that fail their checks. */
static void report_damage(struct verification *verification, uint64_t location, uint64_t bytes, uint64_t sequence,
                          const char *what)
{
    verification->totals.damaged_bytes += bytes;
    report(verification, location, bytes, sequence, what);
}

/* Header, and the zeros behind it; the chain to the segment before. */
static void verify_header(struct verification *verification, const struct segment *segment, struct steme_slice bytes)
{
    struct segment_header header;
    uint64_t start = location_of(segment->number, 0);
    uint64_t size = bytes.size < SEGMENT_HEADER_BYTES ? bytes.size : SEGMENT_HEADER_BYTES;
    const struct steme_hash *store_id = &verification->wal->store_id;
    bool ours = !segment_header_read(bytes, &header) && header.number == segment->number &&
                memcmp(header.store_id.bytes, store_id->bytes, sizeof store_id->bytes) == 0;
    if (!ours) {
        report_damage(verification, start, size, 0, "the segment's header is damaged");
        verification->linked = false;
        return;
    }
    verification->totals.valid_bytes += SEGMENT_HEADER_USED_BYTES;
    uint64_t padding = SEGMENT_HEADER_BYTES - SEGMENT_HEADER_USED_BYTES;
    if (batch_scan_used(bytes.data + SEGMENT_HEADER_USED_BYTES, padding))
        report_damage(verification, start + SEGMENT_HEADER_USED_BYTES, padding, 0,
                      "the zeros behind the segment's header are damaged");
    else
        verification->totals.padding_bytes += padding;
    bool continues = header.first_sequence == verification->next_sequence &&
                     memcmp(header.prev.bytes, verification->batch.bytes, sizeof header.prev.bytes) == 0;
    if (verification->linked && !continues)
        report(verification, start, 0, header.first_sequence, "the segment does not continue the one before");
    verification->linked = continues;
}

static void count_item(struct verification *verification, uint32_t number, const struct batch_scan_item *item)
{
    struct wal_totals *totals = &verification->totals;
    uint64_t start = location_of(number, 0);
    switch (item->kind) {
    case BATCH_SCAN_FOUND:
        totals->batches += item->batch_count;
        totals->frames += item->entry_count;
        totals->valid_bytes += item->bytes;
        for (size_t i = 0; i < item->gap_count; i++) {
            const struct batch_gap *gap = &item->gaps[i];
            totals->valid_bytes -= gap->bytes;
            report_damage(verification, start + gap->offset, gap->bytes, gap->first_sequence,
                          "records fail their checks");
        }
        return;
    case BATCH_SCAN_BAD:
        report_damage(verification, start + item->offset, item->bytes, 0, "no batch passes its checks here");
        return;
    case BATCH_SCAN_END: totals->padding_bytes += item->bytes; return;
    }
}

static steme_status verify_batches(struct verification *verification, const struct segment *segment,
                                   struct steme_slice bytes, struct steme_error *err)
{
    struct arena arena;
    struct batch_scan_item item;
    steme_status status = STEME_OK;
    struct batch_scan scan = {
        .bytes = bytes.data,
        .to = bytes.size,
        .store = store_word(&verification->wal->store_id),
        .segment = segment->number,
        .offset = SEGMENT_HEADER_BYTES,
        .next_sequence = verification->next_sequence,
        .batch = verification->batch,
    };
    bool linked = verification->linked;
    wal_begin_segment(segment, &scan);
    arena_init(&arena, SIZE_MAX);
    while (!status && scan.offset < scan.to) {
        struct arena_mark mark = arena_mark(&arena);
        status = batch_scan_next(&scan, VERIFY_ENTRIES, &arena, &item, err);
        if (!status) count_item(verification, segment->number, &item);
        if (!status && item.kind == BATCH_SCAN_FOUND) {
            verification->next_sequence = scan.next_sequence;
            verification->batch = scan.batch;
        }
        linked = item.kind == BATCH_SCAN_FOUND || (linked && item.kind == BATCH_SCAN_END);
        arena_rewind(&arena, mark);
    }
    arena_deinit(&arena);
    verification->linked = linked;
    return status;
}

/* How many bytes of an open file, from an offset on, reach to the last one that is not zero. */
static steme_status find_used(struct host_file *file, uint64_t from, uint64_t *used_out, struct steme_error *err)
{
    uint8_t *piece = malloc(PIECE_BYTES);
    size_t got = PIECE_BYTES;
    steme_status status = STEME_OK;
    if (!piece) return error_set(err, STEME_NO_MEMORY, "no memory to verify the log");
    *used_out = 0;
    for (uint64_t done = 0; !status && got == PIECE_BYTES; done += got) {
        status = host_read_at(file, from + done, piece, PIECE_BYTES, &got, err);
        uint64_t used = status ? 0 : batch_scan_used(piece, got);
        if (used) *used_out = done + used;
    }
    free(piece);
    return status;
}

/* What lies behind the durable mark: the writer's, to fill. Without one here it is a torn tail, or another process'
 * next batch; that process may cut the padding off at any time, so it is read and not looked at in a mapping. */
static steme_status verify_rest(struct verification *verification, const struct segment *segment, uint64_t from,
                                struct steme_error *err)
{
    struct wal *wal = verification->wal;
    char path[SEGMENT_PATH_BYTES];
    struct host_file *file = NULL;
    uint64_t size = 0, used = 0;
    steme_status status = segment_path(wal->table.dir, segment->number, path, err);
    if (!status) status = host_open(wal->host, path, HOST_READ, &file, err);
    if (!status) status = host_size(file, &size, err);
    if (!status && size > from && wal->read_only) status = find_used(file, from, &used, err);
    host_close(&file);
    if (status) return status;
    if (size > from) verification->totals.file_bytes += size - from;
    used = pad64(used);
    if (from + used > size) used = size > from ? size - from : 0; /* it has become shorter, or there is half a line */
    if (used)
        report_damage(verification, location_of(segment->number, from), used, 0, "bytes behind the last whole batch");
    if (size > from) verification->totals.padding_bytes += size - from - used;
    return STEME_OK;
}

static steme_status verify_segment(struct verification *verification, struct segment *segment, struct steme_error *err)
{
    struct steme_slice head;
    struct steme_slice durable;
    uint64_t location = verification->durable.location;
    steme_status status = wal_bytes(verification->wal, segment, location, &durable, err);
    if (!status) status = segment_bytes(&verification->wal->table, segment, 0, &head, err);
    if (status) return status;
    if (head.size > SEGMENT_HEADER_BYTES) head.size = SEGMENT_HEADER_BYTES;
    uint64_t judged = durable.size > head.size ? durable.size : head.size;
    verification->totals.segments++;
    verification->totals.file_bytes += judged;
    verify_header(verification, segment, head);
    if (durable.size > SEGMENT_HEADER_BYTES) status = verify_batches(verification, segment, durable, err);
    return status ? status : verify_rest(verification, segment, judged, err);
}

/* Segments whose numbers are missing between those that are there. */
static void verify_numbers(struct verification *verification, uint32_t due, const struct segment *segment)
{
    if (segment->number == due) return;
    bool empty = verification->linked && segment->header_good &&
                 segment->header.first_sequence == verification->next_sequence;
    if (empty) return; /* made, never written to, and lost with the power */
    report(verification, location_of(due, 0), 0, verification->next_sequence, "segments are missing from here on");
    verification->linked = false;
}

static steme_status verify_quarantine(struct verification *verification, struct steme_error *err)
{
    struct wal *wal = verification->wal;
    steme_status status = STEME_OK;
    pthread_mutex_lock(&wal->quarantine_lock);
    for (size_t i = 0; !status && i < wal->quarantine.count; i++) {
        const struct quarantine_entry *entry = &wal->quarantine.entries[i];
        bool whole = true;
        if (entry->name) status = quarantine_check(&wal->quarantine, entry, &whole, err);
        if (!status && !whole)
            report(verification, entry->segment << 32 | entry->offset, entry->length, 0,
                   "a quarantine file is damaged");
    }
    pthread_mutex_unlock(&wal->quarantine_lock);
    return status;
}

steme_status wal_verify(struct wal *wal, void (*found)(void *context, const struct wal_finding *finding), void *context,
                        struct wal_totals *totals_out, struct steme_error *err)
{
    struct verification verification = {
        .wal = wal,
        .found = found,
        .context = context,
        .durable = wal_durable(wal),
        .next_sequence = 1,
        .linked = true,
    };
    uint32_t due = 1;
    steme_status status = STEME_OK;
    uint32_t last = location_segment(verification.durable.location);
    for (struct segment *segment = segment_after(&wal->table, 0); segment && segment->number <= last && !status;
         segment = segment_after(&wal->table, segment->number)) {
        verify_numbers(&verification, due, segment);
        status = verify_segment(&verification, segment, err);
        due = segment->number + 1;
    }
    if (!status) status = verify_quarantine(&verification, err);
    if (status) return status;
    *totals_out = verification.totals;
    return STEME_OK;
}
