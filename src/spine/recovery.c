/* SPDX-License-Identifier: Apache-2.0 */
#include "spine/recovery.h"

#include "base/check.h"
#include "base/slice.h"
#include "spine/recovery_walk.h"

#include <inttypes.h>
#include <stdlib.h>

#define PIECE_BYTES ((size_t)1 << 20) /* read at a time */
#define WALK_LOOKS_MAX 10             /* a writer can't damage so often what we look at */

struct recovery {
    const struct wal_options *options;
    struct host *host;
    struct segment_table *table;
    struct quarantine *quarantine;
    struct wal_report *report;
    struct arena arena; /* stretches and names */
    uint64_t store;
    bool read_only;
};

/* ---- which segments there are ---- */

/* Read into memory that is zero. A segment is reserved in full when it is begun, so most of the last one is zeros:
 * pieces that are all zero leave the memory untouched, and it costs nothing. */
static steme_status read_into_zeros(struct host_file *file, uint64_t from, uint8_t *to, uint64_t size, size_t *got_out,
                                    struct steme_error *err)
{
    size_t part = size < PIECE_BYTES ? (size_t)size : PIECE_BYTES, got = part;
    uint8_t *piece = malloc(part ? part : 1);
    if (!piece) return error_set(err, STEME_NO_MEMORY, "no memory to read %zu bytes of the log", part);
    steme_status status = STEME_OK;
    uint64_t done = 0;
    while (!status && done < size && got == part) {
        if (part > size - done) part = (size_t)(size - done);
        status = host_read_at(file, from + done, piece, part, &got, err);
        if (status) break;
        uint64_t used = batch_scan_used(piece, got);
        if (used) memcpy(to + done, piece, used);
        done += got;
    }
    free(piece);
    if (!status) *got_out = done;
    return status;
}

/* What there is of a segment between two offsets, on the heap. */
static steme_status read_segment(struct recovery *recovery, uint32_t number, uint64_t from, uint64_t to,
                                 uint8_t **bytes_out, uint64_t *size_out, struct steme_error *err)
{
    char path[SEGMENT_PATH_BYTES];
    struct host_file *file = NULL;
    uint8_t *bytes = NULL;
    uint64_t size = 0;
    size_t got = 0;
    steme_status status = segment_path(recovery->table->dir, number, path, err);
    if (!status) status = host_open(recovery->host, path, HOST_READ, &file, err);
    if (!status) status = host_size(file, &size, err);
    if (status) goto done;
    if (size > to) size = to;
    size = size > from ? size - from : 0;
    bytes = calloc(size ? size : 1, 1);
    if (!bytes) {
        status = error_set(err, STEME_NO_MEMORY, "no memory for %" PRIu64 " bytes of log segment %" PRIu32, size,
                           number);
        goto done;
    }
    status = read_into_zeros(file, from, bytes, size, &got, err);
    if (status) goto done;
    *bytes_out = bytes;
    *size_out = got;
    bytes = NULL;
done:
    host_close(&file);
    free(bytes);
    return status;
}

/* Read the same again: what one read alone shows is no damage, for a bit may turn on the way from the disk. */
static steme_status reads_the_same(struct recovery *recovery, uint32_t number, uint64_t from, const uint8_t *bytes,
                                   uint64_t size, bool *same_out, struct steme_error *err)
{
    uint8_t *again = NULL;
    uint64_t again_size = 0;
    steme_status status = read_segment(recovery, number, from, UINT64_MAX, &again, &again_size, err);
    if (status) return status;
    recovery->report->scanned_bytes += again_size;
    *same_out = again_size == size && (size == 0 || memcmp(again, bytes, size) == 0);
    free(again);
    return STEME_OK;
}

static steme_status refuse_foreign(const char *path, const struct segment_header *header, uint32_t number,
                                   const struct steme_hash *store_id, struct steme_error *err)
{
    if (memcmp(header->store_id.bytes, store_id->bytes, sizeof store_id->bytes) != 0)
        return error_set(err, STEME_CORRUPT, "%s belongs to another store: move it away", path);
    if (header->number != number)
        return error_set(err, STEME_CORRUPT,
                         "%s is log segment %" PRIu64 " under another's name: give it back its own, %016" PRIx64 ".seg",
                         path, header->number, header->number);
    return STEME_OK;
}

/* A segment's header as its file has it, padding and all. */
struct found_header {
    struct segment_header header;
    steme_status judged;
    bool whole; /* good, and the zeros behind it are zeros */
};

static steme_status read_header(struct recovery *recovery, struct host_file *file, struct found_header *out,
                                struct steme_error *err)
{
    uint8_t bytes[SEGMENT_HEADER_BYTES];
    size_t got = 0;
    steme_status status = host_read_at(file, 0, bytes, sizeof bytes, &got, err);
    if (status) return status;
    recovery->report->scanned_bytes += got;
    out->judged = segment_header_read(slice_of(bytes, got), &out->header);
    const uint8_t *zeros = bytes + SEGMENT_HEADER_USED_BYTES;
    out->whole = !out->judged && !batch_scan_used(zeros, sizeof bytes - SEGMENT_HEADER_USED_BYTES);
    return STEME_OK;
}

/* Put a segment into the table, its header judged. A header that is damaged counts as missing. */
static steme_status find_segment(struct recovery *recovery, uint32_t number, struct steme_error *err)
{
    char path[SEGMENT_PATH_BYTES];
    struct host_file *file = NULL;
    struct found_header found = { .whole = false };
    uint64_t size = 0;
    steme_status status = segment_path(recovery->table->dir, number, path, err);
    if (!status) status = host_open(recovery->host, path, HOST_READ, &file, err);
    if (!status) status = host_size(file, &size, err);
    if (!status) status = read_header(recovery, file, &found, err);
    if (!status && !found.whole) status = read_header(recovery, file, &found, err); /* see reads_the_same() */
    host_close(&file);
    if (status) return status;
    if (found.judged == STEME_NEWER)
        return error_set(err, STEME_NEWER,
                         "%s was written by a newer version of StemeDB: use that one, nothing was changed", path);
    if (!found.judged) status = refuse_foreign(path, &found.header, number, &recovery->options->store_id, err);
    if (!status) status = segment_table_add(recovery->table, number, size, found.judged ? NULL : &found.header, err);
    if (!status) segment_find(recovery->table, number)->header_whole = found.whole;
    return status;
}

static steme_status find_segments(struct recovery *recovery, struct steme_error *err)
{
    struct host_entry *entries;
    size_t count = 0;
    const char *dir = recovery->table->dir;
    steme_status status = host_list(recovery->host, dir, &recovery->arena, &entries, &count, err);
    for (size_t i = 0; !status && i < count; i++) { /* sorted by name, so by number */
        uint32_t number = segment_name_number(entries[i].name);
        if (number == 0) continue; /* not ours: neither read nor touched */
        if (entries[i].kind != HOST_KIND_FILE)
            return error_set(err, STEME_CORRUPT, "%s/%s has the name of a log segment but is no file: move it away",
                             dir, entries[i].name);
        status = find_segment(recovery, number, err);
    }
    if (!status && atomic_load(&recovery->table->count) == 0)
        status = error_set(err, STEME_NOT_FOUND, "there is no log in %s", dir);
    return status;
}

/* ---- where a segment begins and ends ---- */

static struct recovery_point point_of_header(const struct segment_header *header)
{
    return (struct recovery_point){
        .offset = SEGMENT_HEADER_BYTES,
        .next_sequence = header->first_sequence,
        .received_at_us = header->created_at_us,
        .batch = header->prev,
        .linked = true,
    };
}

static steme_status set_aside(struct recovery *recovery, const struct recovery_walk *walk, size_t count,
                              struct steme_error *err)
{
    for (size_t i = 0; i < count; i++) {
        walk->stretches[i].reason = QUARANTINE_DAMAGE;
        steme_status status = quarantine_set_aside(recovery->quarantine, &walk->stretches[i], err);
        if (status) return status;
    }
    return STEME_OK;
}

static steme_status set_aside_header(struct recovery *recovery, uint32_t number, const uint8_t *bytes, uint64_t size,
                                     struct steme_error *err)
{
    struct quarantine_stretch header = {
        .segment = number,
        .bytes = slice_of(bytes, size < SEGMENT_HEADER_BYTES ? size : SEGMENT_HEADER_BYTES),
        .reason = QUARANTINE_HEADER,
    };
    return quarantine_set_aside(recovery->quarantine, &header, err);
}

/* Walk a whole segment that has a newer one behind it: all in it was durable. next_sequence stays 0 if nothing in it
 * says. */
static steme_status walk_older(struct recovery *recovery, const struct segment *segment, struct recovery_point *end,
                               struct steme_error *err)
{
    uint8_t *bytes = NULL;
    uint64_t size = 0;
    struct recovery_walk walk;
    if (segment->header_good) *end = point_of_header(&segment->header);
    steme_status status = STEME_OK;
    bool settled = false;
    for (int looks = 0; !status && !settled && looks < WALK_LOOKS_MAX; looks++) {
        free(bytes);
        bytes = NULL;
        walk = (struct recovery_walk){ .now = *end };
        status = read_segment(recovery, segment->number, 0, UINT64_MAX, &bytes, &size, err);
        if (status || size <= SEGMENT_HEADER_BYTES) break;
        recovery->report->scanned_bytes += size;
        status = recovery_walk(bytes, 0, size, recovery->store, segment->number, end, &recovery->arena, &walk, err);
        settled = walk.count == 0;
        if (!status && !settled) status = reads_the_same(recovery, segment->number, 0, bytes, size, &settled, err);
    }
    if (!status) status = set_aside(recovery, &walk, walk.count, err);
    if (!status) *end = walk.now;
    free(bytes);
    return status;
}

/* Where the log stands behind an older segment; NULL: before the first. */
static steme_status end_of_older(struct recovery *recovery, struct segment *segment, struct recovery_point *out,
                                 struct steme_error *err)
{
    struct recovery_point end = { .offset = SEGMENT_HEADER_BYTES, .received_at_us = INT64_MIN };
    steme_status status = STEME_OK;
    for (; segment && !status && end.next_sequence == 0; segment = segment_before(recovery->table, segment->number))
        status = walk_older(recovery, segment, &end, err);
    if (end.next_sequence == 0) end.next_sequence = 1;
    end.offset = SEGMENT_HEADER_BYTES;
    end.linked = false;
    if (!status) *out = end;
    return status;
}

/* Headers of older segments that are damaged: what is behind them can be read without. */
static steme_status set_aside_headers(struct recovery *recovery, struct steme_error *err)
{
    steme_status status = STEME_OK;
    uint32_t last = atomic_load(&recovery->table->last);
    for (struct segment *segment = segment_after(recovery->table, 0); segment->number < last && !status;
         segment = segment_after(recovery->table, segment->number)) {
        if (segment->header_whole) continue;
        uint8_t *bytes = NULL;
        uint64_t size = 0;
        status = read_segment(recovery, segment->number, 0, UINT64_MAX, &bytes, &size, err);
        if (!status) status = set_aside_header(recovery, segment->number, bytes, size, err);
        free(bytes);
    }
    return status;
}

/* Sequence number the segment begins with: from its header or, where that is damaged, its first batch; 0: unknown. */
static steme_status first_sequence(struct recovery *recovery, const struct segment *segment, uint64_t *out,
                                   struct steme_error *err)
{
    *out = segment->header.first_sequence;
    if (segment->header_good) return STEME_OK;
    uint8_t *bytes = NULL;
    uint64_t size = 0;
    struct batch batch;
    uint64_t to = SEGMENT_HEADER_BYTES + STEME_BATCH_BYTES_MAX;
    steme_status status = read_segment(recovery, segment->number, SEGMENT_HEADER_BYTES, to, &bytes, &size, err);
    if (status) return status;
    struct batch_place place = { recovery->store, segment->number, SEGMENT_HEADER_BYTES, size };
    if (batch_valid(bytes, &place, &batch)) *out = batch.first_sequence;
    free(bytes);
    return STEME_OK;
}

/* The numbers between two segments are missing. If no records are, it was one that was made and never written to. */
static steme_status note_gap(struct recovery *recovery, struct segment *before, const struct segment *segment,
                             struct steme_error *err)
{
    uint64_t first = 0;
    struct recovery_point end;
    steme_status status = end_of_older(recovery, before, &end, err);
    if (!status) status = first_sequence(recovery, segment, &first, err);
    if (status || first == end.next_sequence) return status;
    struct quarantine_stretch lost = {
        .segment = before ? before->number + 1 : 1,
        .reason = QUARANTINE_LOST,
        .first_sequence = end.next_sequence,
        .count = first > end.next_sequence ? first - end.next_sequence : 0,
    };
    /* A segment that says nothing may be made anew, to follow what is there: then the gap is not seen any more. */
    if (first == 0) return quarantine_set_aside(recovery->quarantine, &lost, err);
    return quarantine_note(recovery->quarantine, &lost, err);
}

static steme_status note_gaps(struct recovery *recovery, struct steme_error *err)
{
    struct segment *before = NULL;
    steme_status status = STEME_OK;
    for (struct segment *segment = segment_after(recovery->table, 0); segment && !status;
         segment = segment_after(recovery->table, segment->number)) {
        if (segment->number != (before ? before->number + 1 : 1)) status = note_gap(recovery, before, segment, err);
        before = segment;
    }
    return status;
}

/* ---- the last segment ---- */

/* The last segment on its way through judgement. */
struct last {
    struct segment *segment;
    uint8_t *bytes; /* from `from` on */
    uint64_t from, size;
    struct recovery_point start; /* where the walk began */
    bool start_proven;           /* the hint vouches for the batch that ends there */
    struct recovery_walk walk;
    /* What vouches for more than was found: the hint, or what earlier openings put on record. */
    uint32_t proof_segment;
    uint64_t proof_offset;
    uint64_t proof_sequence; /* all numbers below it were given to records that were durable */
    /* the verdict */
    bool unborn;                 /* it never became a segment */
    uint64_t torn_from, torn_to; /* empty when they are equal */
    size_t damage_count;         /* of walk.stretches, from the first on */
    uint64_t bad_end;            /* where damage ends behind which nothing good follows; 0: there is none */
    uint64_t lost;               /* records that something vouches for and that are not there, at the end */
    bool ends_in_loss;           /* damage or losses are the last thing in the log */
    struct recovery_point end;
};

/* Whether the hint names a batch in this segment; then *point_out is behind it. */
static steme_status find_hint(struct recovery *recovery, const struct segment *segment, bool *found_out,
                              struct recovery_point *point_out, struct steme_error *err)
{
    /* the batch is hardly ever larger than the first */
    static const uint64_t looks[] = { 65536, STEME_BATCH_BYTES_MAX };
    const struct wal_mark *hint = recovery->options->hint;
    *found_out = false;
    if (!hint || location_segment(hint->location) != segment->number) return STEME_OK;
    uint64_t to = location_offset(hint->location);
    if (to % 64 != 0 || to <= SEGMENT_HEADER_BYTES || to > segment->file_bytes) return STEME_OK;
    for (size_t i = 0; i < countof(looks) && !*found_out; i++) {
        uint64_t from = to - SEGMENT_HEADER_BYTES > looks[i] ? to - looks[i] : SEGMENT_HEADER_BYTES;
        uint8_t *bytes = NULL;
        uint64_t size = 0;
        struct batch batch;
        steme_status status = read_segment(recovery, segment->number, from, to, &bytes, &size, err);
        if (status) return status;
        const uint8_t *at = size == to - from ? batch_find_end(bytes, size, &hint->batch, &batch) : NULL;
        if (at && batch.offset == from + (uint64_t)(at - bytes) && batch.segment == segment->number &&
            batch.store == recovery->store && batch.first_sequence + batch.count == hint->next_sequence) {
            *found_out = true;
            *point_out = (struct recovery_point){ to, hint->next_sequence, batch.received_at_us, hint->batch, true };
        }
        free(bytes);
        recovery->report->scanned_bytes += size;
        if (from == SEGMENT_HEADER_BYTES) break;
    }
    return STEME_OK;
}

/* Step over the numbers that are missing with the segments in front of this one: if it is made anew, it must not give
 * them out again. */
static void step_over_gap(const struct recovery *recovery, const struct segment *before, struct last *last)
{
    for (size_t i = 0; i < recovery->quarantine->count; i++) {
        const struct quarantine_entry *entry = &recovery->quarantine->entries[i];
        bool between = entry->segment < last->segment->number && entry->segment > (before ? before->number : 0);
        uint64_t next = entry->first_sequence + entry->count;
        if (quarantine_is_loss(entry) && between && next <= SEQUENCE_MAX && next > last->start.next_sequence)
            last->start.next_sequence = next;
    }
}

static steme_status find_start(struct recovery *recovery, struct last *last, struct steme_error *err)
{
    steme_status status = find_hint(recovery, last->segment, &last->start_proven, &last->start, err);
    if (status || last->start_proven) return status;
    if (last->segment->header_good) {
        last->start = point_of_header(&last->segment->header);
        return STEME_OK;
    }
    struct segment *before = segment_before(recovery->table, last->segment->number);
    status = end_of_older(recovery, before, &last->start, err);
    if (!status) step_over_gap(recovery, before, last);
    return status;
}

static steme_status read_and_walk(struct recovery *recovery, struct last *last, struct steme_error *err)
{
    free(last->bytes);
    last->bytes = NULL;
    last->walk = (struct recovery_walk){ .now = last->start, .before = last->start };
    steme_status status = read_segment(recovery, last->segment->number, last->from, UINT64_MAX, &last->bytes,
                                       &last->size, err);
    if (status || last->from + last->size <= last->start.offset) return status;
    recovery->report->scanned_bytes += last->size;
    return recovery_walk(last->bytes, last->from, last->size, recovery->store, last->segment->number, &last->start,
                         &recovery->arena, &last->walk, err);
}

/* Read only there may be a writer, and we may see a batch before it is whole and then a later one, and take the first
 * for damaged: a second look finds it whole, for all that lies before a good batch was written before that. So damage
 * counts only if it was there at the second look. */
static bool settles_beside_writer(const struct recovery_walk *walk, uint64_t *settled)
{
    if (walk->proven == 0 || walk->stretches[walk->proven - 1].offset < *settled) return true;
    *settled = walk->now.offset;
    return false;
}

/* Read and walk it, from the header on if that is damaged, so that it can be set aside. Whoever will cut it looks until
 * two reads in a row show the same damage. */
static steme_status walk_last(struct recovery *recovery, struct last *last, struct steme_error *err)
{
    uint64_t settled = 0; /* what lies below was whole when we last read it */
    bool same = false;
    last->from = last->segment->header_whole ? last->start.offset : 0;
    for (int looks = 0; looks < WALK_LOOKS_MAX && !same; looks++) {
        steme_status status = read_and_walk(recovery, last, err);
        if (status) return status;
        if (recovery->read_only) {
            same = settles_beside_writer(&last->walk, &settled);
            continue;
        }
        same = true;
        if (last->walk.count)
            status = reads_the_same(recovery, last->segment->number, last->from, last->bytes, last->size, &same, err);
        if (status) return status;
    }
    return STEME_OK;
}

/* What vouches for records beyond those that were found. */
static void find_proof(const struct recovery *recovery, struct last *last)
{
    const struct wal_mark *hint = recovery->options->hint;
    uint32_t number = last->segment->number;
    if (hint && !last->start_proven && location_segment(hint->location) <= SEGMENT_NUMBER_MAX &&
        hint->next_sequence <= SEQUENCE_MAX && hint->location > location_of(number, last->walk.now.offset)) {
        last->proof_segment = location_segment(hint->location);
        last->proof_offset = location_offset(hint->location);
        last->proof_sequence = hint->next_sequence;
    }
    for (size_t i = 0; i < recovery->quarantine->count; i++) {
        const struct quarantine_entry *entry = &recovery->quarantine->entries[i];
        if (!quarantine_is_loss(entry) || entry->segment < number || entry->segment > SEGMENT_NUMBER_MAX) continue;
        uint64_t end = entry->offset + entry->length;
        /* not our doing */
        if (end > SEGMENT_BYTES_MAX || entry->first_sequence + entry->count > SEQUENCE_MAX) continue;
        if (location_of((uint32_t)entry->segment, end) > location_of(last->proof_segment, last->proof_offset)) {
            last->proof_segment = (uint32_t)entry->segment;
            last->proof_offset = end;
        }
        if (entry->first_sequence + entry->count > last->proof_sequence)
            last->proof_sequence = entry->first_sequence + entry->count;
    }
}

/* Whether something vouches for what lies behind this offset of the last segment. */
static bool proven_beyond(const struct last *last, uint64_t offset)
{
    uint32_t number = last->segment->number;
    return last->proof_segment > number || (last->proof_segment == number && last->proof_offset > offset);
}

/* The rule of docs/format/recovery.md. What has a good batch behind it is damage, `proven` says so. There remain bad
 * frames in the last batch, and one stretch behind it. */
static void judge(struct last *last)
{
    struct recovery_walk *walk = &last->walk;
    bool more = walk->count > walk->proven;
    bool in_batch = more && walk->stretches[walk->proven].offset < walk->now.offset;
    const struct quarantine_stretch *tail = more ? &walk->stretches[walk->count - 1] : NULL;
    if (tail && tail->offset < walk->now.offset) tail = NULL;

    bool vouched = proven_beyond(last, SEGMENT_HEADER_BYTES) || last->proof_sequence > walk->now.next_sequence;
    last->end = walk->now;
    last->unborn = !last->segment->header_good && !walk->any && !last->start_proven && !vouched;
    if (last->unborn) return;
    last->damage_count = walk->count - (tail ? 1 : 0);
    if (in_batch && !proven_beyond(last, walk->before.offset)) { /* the whole batch, and what is behind it */
        last->damage_count = walk->proven;
        last->torn_from = walk->before.offset;
        last->torn_to = walk->now.offset;
        last->end = walk->before;
    } else if (tail && proven_beyond(last, walk->now.offset)) {
        last->damage_count++;
        last->bad_end = tail->offset + tail->bytes.size;
    } else if (tail) {
        last->torn_from = walk->now.offset;
    }
    if (tail && !last->bad_end) last->torn_to = tail->offset + tail->bytes.size;
    uint64_t due = last->end.next_sequence;
    last->lost = last->proof_sequence > due ? last->proof_sequence - due : 0;
    last->ends_in_loss = last->bad_end || last->lost;
}

/* Records that something vouches for and that are not there: numbers are not given out twice, so the log goes on behind
 * them, in a new segment. */
static steme_status settle_losses(struct recovery *recovery, struct last *last, struct steme_error *err)
{
    uint64_t due = last->end.next_sequence;
    if (last->bad_end) last->walk.stretches[last->walk.count - 1].count = last->lost;
    steme_status status = set_aside(recovery, &last->walk, last->damage_count, err);
    if (status || last->lost == 0) return status;
    last->end.next_sequence = last->proof_sequence;
    if (last->bad_end) return STEME_OK;
    struct quarantine_stretch stretch = {
        .segment = last->proof_segment,
        .offset = last->proof_segment == last->segment->number ? last->end.offset : SEGMENT_HEADER_BYTES,
        .reason = QUARANTINE_LOST,
        .first_sequence = due,
        .count = last->lost,
    };
    return quarantine_set_aside(recovery->quarantine, &stretch, err);
}

static steme_status set_aside_torn(struct recovery *recovery, const struct last *last, uint64_t from, uint64_t to,
                                   struct steme_error *err)
{
    if (from == to) return STEME_OK;
    struct quarantine_stretch torn = {
        .segment = last->segment->number,
        .offset = from,
        .bytes = slice_of(last->bytes + (from - last->from), to - from),
        .reason = QUARANTINE_TORN,
    };
    recovery->report->torn_tail_bytes += to - from;
    return quarantine_set_aside(recovery->quarantine, &torn, err);
}

/* Cut the torn tail. And write the last batch again, or the header where there is none, and set the length: if a sync
 * failed before we were opened, they may be in the page cache alone, marked clean, and no later sync would bring them
 * to the disk. */
static steme_status repair_file(struct recovery *recovery, const struct last *last, struct steme_error *err)
{
    const struct recovery_walk *walk = &last->walk;
    bool torn = last->torn_from != last->torn_to;
    bool batch_torn = torn && last->torn_from < walk->now.offset;
    bool bare = last->end.offset == SEGMENT_HEADER_BYTES; /* no batch stands in it */
    bool doubtful = !last->ends_in_loss && (bare || (walk->any && !batch_torn));
    if (!torn && !doubtful) return STEME_OK;
    char path[SEGMENT_PATH_BYTES];
    uint8_t header[SEGMENT_HEADER_BYTES];
    struct host_file *file = NULL;
    uint64_t at = bare ? 0 : walk->before.offset;
    struct steme_slice again = slice_of(header, sizeof header);
    if (bare)
        segment_header_write(&last->segment->header, header);
    else
        again = slice_of(last->bytes + (at - last->from), walk->now.offset - at);
    steme_status status = segment_path(recovery->table->dir, last->segment->number, path, err);
    if (!status) status = host_open(recovery->host, path, HOST_WRITE, &file, err);
    if (!status) status = host_truncate(file, last->end.offset, err); /* zeros, but for what is torn and set aside */
    if (!status && doubtful) status = host_write_at(file, at, &again, 1, err);
    if (!status) status = host_sync(file, err);
    host_close(&file);
    if (!status) status = host_sync_dir(recovery->host, recovery->table->dir, err);
    /* wal/ may be new, and so may the store's other names: whoever made it may have been killed before syncing them */
    if (!status && bare) status = host_sync_dir(recovery->host, recovery->options->dir, err);
    if (!status) last->segment->file_bytes = last->end.offset;
    return status;
}

/* Make the segment anew, to begin where the one before it ends. What is in it lies in quarantine. */
static steme_status remake(struct recovery *recovery, struct last *last, struct steme_error *err)
{
    struct segment *segment = last->segment;
    uint64_t bytes = recovery->options->segment_bytes ? recovery->options->segment_bytes : STEME_SEGMENT_BYTES;
    int64_t now_us = host_wall_us(recovery->host);
    last->end = last->start;
    if (recovery->read_only) return STEME_OK;
    struct segment_header header = {
        .number = segment->number,
        .first_sequence = last->start.next_sequence,
        .created_at_us = now_us > last->start.received_at_us ? now_us : last->start.received_at_us,
        .segment_bytes = bytes,
        .store_id = recovery->options->store_id,
        .prev = last->start.batch,
    };
    steme_status status = segment_recreate(recovery->host, recovery->table->dir, &header, err);
    if (!status) status = host_sync_dir(recovery->host, recovery->options->dir, err); /* wal/ may be new */
    if (status) return status;
    segment->header = header;
    segment->header_good = true;
    segment->header_whole = true;
    segment->file_bytes = SEGMENT_HEADER_BYTES;
    return STEME_OK;
}

/* The last segment was being made when the power failed: whatever is in it goes. */
static steme_status revive(struct recovery *recovery, struct last *last, struct steme_error *err)
{
    steme_status status = set_aside_torn(recovery, last, 0, batch_scan_used(last->bytes, last->size), err);
    return status ? status : remake(recovery, last, err);
}

static steme_status settle(struct recovery *recovery, struct last *last, struct steme_error *err)
{
    if (last->unborn) return revive(recovery, last, err);
    steme_status status = STEME_OK;
    if (!last->segment->header_whole)
        status = set_aside_header(recovery, last->segment->number, last->bytes, last->size, err);
    if (!status) status = settle_losses(recovery, last, err);
    if (!status) status = set_aside_torn(recovery, last, last->torn_from, last->torn_to, err);
    if (status) return status;
    /* Its only batch is torn and its header damaged: cut, it would pass for one that was being made. */
    bool bare = !last->segment->header_good && !last->ends_in_loss && last->end.offset == SEGMENT_HEADER_BYTES;
    if (bare) return remake(recovery, last, err);
    return recovery->read_only ? STEME_OK : repair_file(recovery, last, err);
}

/* Where the next batch goes. Behind damage and losses that is a new segment, higher than any that something vouches
 * for. It is a new one, too, when the last was made and never written to, the first of all apart: perhaps the sync of
 * its name failed, and then it will be gone one day. And when it is longer than we make them: then its header may say
 * anything. */
static void find_end(const struct recovery *recovery, const struct last *last, struct recovery_end *out)
{
    uint64_t ours = recovery->options->segment_bytes ? recovery->options->segment_bytes : STEME_SEGMENT_BYTES;
    const struct segment *segment = last->segment;
    bool loss = last->ends_in_loss;
    bool doubtful = segment->number > 1 && !last->unborn && !last->walk.any && !last->start_proven;
    uint64_t capacity = segment->header_good ? segment->header.segment_bytes : segment->file_bytes;
    *out = (struct recovery_end){
        .mark = { last->end.next_sequence, location_of(segment->number, last->end.offset), last->end.batch },
        .segment = segment->number,
        .offset = last->end.offset,
        .capacity_bytes = capacity,
        .received_at_us = last->end.received_at_us,
    };
    if (loss && last->proof_segment > out->segment) out->segment = last->proof_segment;
    if (loss) out->mark.location = location_of(out->segment + 1, SEGMENT_HEADER_BYTES);
    if (loss || doubtful || capacity > ours) out->capacity_bytes = out->offset;
}

static steme_status judge_last(struct recovery *recovery, struct recovery_end *end_out, struct steme_error *err)
{
    struct last last = { .segment = segment_find(recovery->table, atomic_load(&recovery->table->last)) };
    steme_status status = find_start(recovery, &last, err);
    if (!status) status = walk_last(recovery, &last, err);
    if (!status) {
        find_proof(recovery, &last);
        judge(&last);
        status = settle(recovery, &last, err);
    }
    if (!status) find_end(recovery, &last, end_out);
    free(last.bytes);
    return status;
}

steme_status recovery_run(const struct wal_options *options, struct segment_table *table, struct quarantine *quarantine,
                          struct recovery_end *end_out, struct wal_report *report, struct steme_error *err)
{
    struct recovery recovery = {
        .options = options,
        .host = options->host,
        .table = table,
        .quarantine = quarantine,
        .report = report,
        .store = store_word(&options->store_id),
        .read_only = options->read_only,
    };
    arena_init(&recovery.arena, SIZE_MAX);
    steme_status status = find_segments(&recovery, err);
    if (!status) status = set_aside_headers(&recovery, err);
    if (!status) status = note_gaps(&recovery, err);
    if (!status) status = judge_last(&recovery, end_out, err);
    arena_deinit(&recovery.arena);
    return status;
}
