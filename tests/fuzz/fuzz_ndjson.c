/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a line of NDJSON. Refused are they with a message; what is read prints, and what was printed reads back
 * to the same record: the same line again and, where the content is fit to be one, the same canonical bytes. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/check.h"
#include "base/slice.h"
#include "faces/cli/wire.h"
#include "steme/store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MEMORY_MAX_BYTES ((size_t)1 << 28) /* many times what an import grants a line */
#define NOW_US INT64_C(1700000000123456)

static void print_record(struct emit *json, const struct wire_record *record, bool is_signed)
{
    struct steme_entry entry = {
        .id = record->id,
        .is_signed = is_signed,
        .signature = record->signature,
        .record = record->record,
    };
    wire_begin_entry(json, NULL, &entry, false);
    if (record->record.type == STEME_BUNDLE) {
        emit_begin(json, "members", '[');
        for (size_t i = 0; i < record->member_count; i++)
            print_record(json, &record->members[i], false);
        emit_end(json, ']');
    }
    emit_end(json, '}');
}

/* A draft is printed as a record whose id, signature and, where it was left out, author are zeros. */
static void print_line(struct buf *line, const struct wire_record *record)
{
    struct emit json = { .to = line };
    print_record(&json, record, true);
    invariant(line->status == STEME_OK);
}

/* Members' text may be anything JSON can hold; only the library says what a record may. */
static void encode(struct buf *bytes, const struct wire_record *record)
{
    size_t size;
    uint8_t *to = buf_extend(bytes, STEME_RECORD_MAX);
    invariant(to);
    bytes->size = steme_encode(&record->record, to, STEME_RECORD_MAX, &size, NULL) ? 0 : size;
}

static void check_again(const struct wire_record *record)
{
    struct arena arena;
    struct buf line, line_again, bytes, bytes_again;
    struct wire_record again;
    struct steme_error err;
    arena_init(&arena, MEMORY_MAX_BYTES);
    buf_init(&line, MEMORY_MAX_BYTES);
    buf_init(&line_again, MEMORY_MAX_BYTES);
    buf_init(&bytes, STEME_RECORD_MAX);
    buf_init(&bytes_again, STEME_RECORD_MAX);
    print_line(&line, record);
    steme_status status = wire_read(buf_slice(&line), NOW_US, &arena, &again, &err);
    invariant(status == STEME_OK && !again.is_draft && again.has_author);
    print_line(&line_again, &again);
    invariant(slice_equal(buf_slice(&line), buf_slice(&line_again)));
    encode(&bytes, record);
    encode(&bytes_again, &again);
    invariant(slice_equal(buf_slice(&bytes), buf_slice(&bytes_again)));
    buf_deinit(&bytes_again);
    buf_deinit(&bytes);
    buf_deinit(&line_again);
    buf_deinit(&line);
    arena_deinit(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct wire_record record;
    struct steme_error err = { 0 };
    arena_init(&arena, MEMORY_MAX_BYTES);
    steme_status status = wire_read(slice_of(data, size), NOW_US, &arena, &record, &err);
    if (status)
        invariant((status == STEME_BAD_INPUT || status == STEME_TOO_LARGE) && err.message[0] != '\0');
    else
        check_again(&record);
    arena_deinit(&arena);
    return 0;
}
