/* SPDX-License-Identifier: Apache-2.0 */
/* One line of an import: whatever is read must be written as a line that reads back to the same line; and the library
 * must be able to judge what was read. Seeds are lines of an export and drafts. */
#include "base/check.h"
#include "base/slice.h"
#include "faces/cli/wire.h"
#include "steme/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_BYTES = 1 << 24, TEXT_BYTES = 1 << 24 };

static void write_entry(struct emit *json, const struct wire_record *record, bool is_signed)
{
    struct steme_entry entry = {
        .id = record->id,
        .record = record->record,
        .is_signed = is_signed,
        .signature = record->signature,
    };
    wire_begin_entry(json, NULL, &entry, false);
}

static void write_line(struct buf *to, const struct wire_record *record)
{
    struct emit json = { .to = to };
    write_entry(&json, record, true);
    if (record->record.type == STEME_BUNDLE) emit_begin(&json, "members", '[');
    for (size_t i = 0; i < record->member_count; i++) {
        write_entry(&json, &record->members[i], false);
        emit_end(&json, '}');
    }
    if (record->record.type == STEME_BUNDLE) emit_end(&json, ']');
    emit_end(&json, '}');
}

static void check_encoding(const struct wire_record *record)
{
    static uint8_t room[STEME_RECORD_MAX];
    size_t size = 0;
    struct steme_hash id;
    if (steme_encode(&record->record, room, sizeof room, &size, NULL)) return;
    steme_status status = steme_record_id(slice_of(room, size), &id, NULL);
    invariant(status == STEME_OK);
}

static void check_round_trip(const struct wire_record *record, struct arena *arena)
{
    struct buf once, twice;
    struct wire_record again;
    buf_init(&once, TEXT_BYTES);
    buf_init(&twice, TEXT_BYTES);
    write_line(&once, record);
    steme_status status = wire_read(buf_slice(&once), 0, arena, &again, NULL);
    invariant(status == STEME_OK && !again.is_draft);
    write_line(&twice, &again);
    invariant(slice_equal(buf_slice(&once), buf_slice(&twice)));
    buf_deinit(&twice);
    buf_deinit(&once);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct wire_record record;
    arena_init(&arena, ARENA_BYTES);
    if (wire_read(slice_of(data, size), 0, &arena, &record, NULL) == STEME_OK) {
        check_encoding(&record);
        check_round_trip(&record, &arena);
    }
    arena_deinit(&arena);
    return 0;
}
