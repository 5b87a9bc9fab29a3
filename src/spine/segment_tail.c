/* SPDX-License-Identifier: Apache-2.0 */
#include "spine/segment_tail.h"

#include "base/check.h"
#include "base/slice.h"

#include <inttypes.h>
#include <stdlib.h>

steme_status segment_tail_init(struct segment_tail *tail, struct steme_error *err)
{
    tail->scratch = malloc((size_t)STEME_BATCH_RECORDS_MAX * FRAME_SIGNED_PREFIX_BYTES);
    if (!tail->scratch) return error_set(err, STEME_NO_MEMORY, "no memory for writing the log");
    return STEME_OK;
}

void segment_tail_deinit(struct segment_tail *tail, bool trim)
{
    /* If it fails, zeros stay behind the last batch, which is what they were for. */
    if (tail->file && trim) (void)!host_truncate(tail->file, tail->offset, NULL);
    host_close(&tail->file);
    free(tail->scratch);
    tail->scratch = NULL;
}

/* Begin the next segment. On failure the tail stays where it was. */
static steme_status begin_segment(struct segment_tail *tail, int64_t now_us, struct steme_error *err)
{
    struct host_file *file = NULL;
    struct segment_header header = {
        .number = tail->segment + 1u,
        .first_sequence = tail->next_sequence,
        .created_at_us = now_us,
        .segment_bytes = tail->segment_bytes,
        .store_id = tail->store_id,
        .prev = tail->batch,
    };
    if (header.number > SEGMENT_NUMBER_MAX)
        return error_set(err, STEME_NO_SPACE,
                         "the log has %u segments, all there can be: export the store into a new one",
                         SEGMENT_NUMBER_MAX);
    steme_status status = segment_table_reserve(tail->table, tail->segment + 1u, err);
    if (!status) status = segment_create(tail->table->host, tail->table->dir, &header, &file, err);
    if (!status) status = segment_table_add(tail->table, tail->segment + 1u, tail->segment_bytes, &header, err);
    if (status) {
        host_close(&file);
        return status;
    }
    host_close(&tail->file);
    tail->file = file;
    tail->segment++;
    tail->offset = SEGMENT_HEADER_BYTES;
    tail->capacity_bytes = tail->segment_bytes;
    tail->reserved = true;
    tail->received_at_us = now_us;
    return STEME_OK;
}

/* A file with size bytes of reserved space at tail->offset. STEME_NO_SPACE leaves all as it was. */
static steme_status make_room(struct segment_tail *tail, uint32_t size, int64_t now_us, struct steme_error *err)
{
    char path[SEGMENT_PATH_BYTES];
    if (tail->offset + size > tail->capacity_bytes) return begin_segment(tail, now_us, err);
    steme_status status = STEME_OK;
    if (!tail->file) {
        status = segment_path(tail->table->dir, tail->segment, path, err);
        if (!status) status = host_open(tail->table->host, path, HOST_WRITE, &tail->file, err);
    }
    if (status || tail->reserved) return status;
    status = host_allocate(tail->file, tail->capacity_bytes, err);
    if (status) return status;
    struct segment *segment = segment_find(tail->table, tail->segment);
    invariant(segment); /* we have its file open */
    if (segment->file_bytes < tail->capacity_bytes) segment->file_bytes = tail->capacity_bytes;
    tail->reserved = true;
    return STEME_OK;
}

/* Whatever the disk says: some of it may be there. */
static steme_status append_failed(const struct segment_tail *tail, const struct steme_error *why,
                                  struct steme_error *err)
{
    return error_set_os(err, STEME_IO, why->os_errno, "appending to log segment %" PRIu32 " at %" PRIu64 ": %s",
                        tail->segment, tail->offset, why->message);
}

steme_status segment_tail_write(struct segment_tail *tail, uint8_t *bytes, uint32_t size, uint32_t count,
                                struct commit_place *out, struct steme_error *err)
{
    int64_t now_us = host_wall_us(tail->table->host);
    if (now_us < tail->received_at_us) now_us = tail->received_at_us; /* the clock may jump back, receive times don't */
    steme_status status = make_room(tail, size, now_us, err);
    if (status) return status;

    struct batch batch = {
        .count = count,
        .bytes = size,
        .segment = tail->segment,
        .offset = tail->offset,
        .first_sequence = tail->next_sequence,
        .received_at_us = now_us,
        .store = store_word(&tail->store_id),
        .prev = tail->batch,
    };
    struct steme_hash hash = batch_seal(bytes, &batch, tail->scratch);
    struct steme_slice piece = slice_of(bytes, size);
    struct steme_error why;
    if (host_write_at(tail->file, tail->offset, &piece, 1, &why)) return append_failed(tail, &why, err);
    tail->pending = batch;
    tail->pending_hash = hash;
    *out = (struct commit_place){ location_of(tail->segment, tail->offset), tail->next_sequence };
    return STEME_OK;
}

steme_status segment_tail_sync(struct segment_tail *tail, struct steme_error *err)
{
    const struct batch *batch = &tail->pending;
    struct steme_error why;
    invariant(batch->offset == tail->offset && batch->segment == tail->segment); /* it has been written */
    if (host_sync(tail->file, &why)) return append_failed(tail, &why, err);
    tail->offset += batch->bytes;
    tail->next_sequence += batch->count;
    tail->batch = tail->pending_hash;
    tail->received_at_us = batch->received_at_us;
    return STEME_OK;
}
