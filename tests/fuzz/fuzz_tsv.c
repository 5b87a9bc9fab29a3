/* SPDX-License-Identifier: Apache-2.0 */
/* A TSV file, header and rows: each row is refused or becomes an assertion that the library can judge and whose object
 * reads back from the column it would be printed in. */
#include "base/check.h"
#include "base/slice.h"
#include "faces/cli/input_tsv.h"
#include "faces/cli/object.h"
#include "steme/steme.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_BYTES = 1 << 24, TEXT_BYTES = 1 << 24 };

static steme_status find_epoch(void *context, struct steme_slice name, struct steme_hash *out, struct steme_error *err)
{
    (void)context;
    return steme_parse_hash(name, out, err);
}

static struct steme_slice next_line(struct steme_slice *rest)
{
    struct steme_slice line = *rest;
    for (size_t i = 0; i < rest->size; i++) {
        if (rest->data[i] != '\n') continue;
        line.size = i;
        break;
    }
    size_t used = line.size < rest->size ? line.size + 1 : line.size;
    *rest = slice_of(rest->data + used, rest->size - used);
    return line;
}

static void check_object(const struct steme_value *value, struct arena *arena)
{
    struct steme_slice back;
    struct buf plain;
    buf_init(&plain, TEXT_BYTES);
    object_append_plain(&plain, value);
    for (size_t i = 0; i < plain.size; i++) invariant(plain.data[i] != '\t' && plain.data[i] != '\n' && plain.data[i] != '\r');
    steme_status status = object_unescape(buf_slice(&plain), arena, &back, NULL);
    invariant(status == STEME_OK);
    if (value->kind == STEME_TEXT) invariant(slice_equal(back, value->text));
    buf_deinit(&plain);
}

static void check_row(const struct tsv_header *header, struct steme_slice line, struct arena *arena)
{
    static uint8_t room[STEME_RECORD_MAX];
    struct tsv_context context = { .find_epoch = find_epoch };
    struct tsv_row row;
    struct steme_record record = { .type = STEME_ASSERTION };
    size_t size;
    if (tsv_row_split(header, line, &row, NULL)) return;
    if (tsv_row_assertion(header, &row, &context, arena, &record.as.assertion, NULL)) return;
    check_object(&record.as.assertion.object, arena);
    steme_status status = steme_encode(&record, room, sizeof room, &size, NULL);
    (void)status; /* refused or not: it must judge */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct steme_slice rest = slice_of(data, size);
    struct tsv_header header;
    struct arena arena;
    if (size == 0 || tsv_header_parse(next_line(&rest), &header, NULL)) return 0;
    arena_init(&arena, ARENA_BYTES);
    while (rest.size > 0) check_row(&header, next_line(&rest), &arena);
    arena_deinit(&arena);
    return 0;
}
