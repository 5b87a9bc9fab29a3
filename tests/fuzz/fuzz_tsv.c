/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a TSV file of assertions, and as one of votes: its header, then its rows. What is refused is refused
 * with a message; the fields of a row lie in its line, are not empty, and stand where the header says; and an object
 * that is read can be written into a column and read from there again. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/check.h"
#include "base/slice.h"
#include "faces/cli/input_tsv.h"
#include "faces/cli/object.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MEMORY_MAX_BYTES ((size_t)1 << 26)
#define NOW_US INT64_C(1700000000123456)

/* Epochs whose name begins with a question mark are not there. */
static steme_status find_epoch(void *context, struct steme_slice name, struct steme_hash *out, struct steme_error *err)
{
    (void)context;
    if (name.size > 0 && name.data[0] == '?') return error_set(err, STEME_NOT_FOUND, "there is no such epoch");
    *out = (struct steme_hash){ .bytes = { 1 } };
    return STEME_OK;
}

static struct steme_slice next_line(struct steme_slice *rest)
{
    struct steme_slice line = *rest;
    const uint8_t *end = rest->size ? memchr(rest->data, '\n', rest->size) : NULL;
    if (end) line.size = (size_t)(end - line.data);
    *rest = end ? slice_of(end + 1, rest->size - line.size - 1) : slice_of(NULL, 0);
    return line;
}

static void check_row(const struct tsv_header *header, const struct tsv_row *row, struct steme_slice line)
{
    const uint8_t *at = line.data; /* fields follow each other as the header's columns do */
    for (size_t i = 0; i < header->count; i++) {
        struct steme_slice field = row->fields[header->columns[i]];
        if (!field.data) continue;
        invariant(field.size > 0 && field.data >= at && field.data + field.size <= line.data + line.size);
        invariant(!memchr(field.data, '\t', field.size));
        at = field.data + field.size;
    }
}

/* What a column says of a value is all of it but the bounds and the unit, which have columns of their own. */
static void check_object(const struct steme_value *value, struct arena *arena)
{
    struct buf plain;
    struct steme_value again;
    struct steme_error err;
    if (value->kind == STEME_QUANTITY || value->kind == STEME_UNKNOWN || value->kind == STEME_NONE) return;
    buf_init(&plain, MEMORY_MAX_BYTES);
    object_append_plain(&plain, value);
    invariant(plain.status == STEME_OK);
    invariant(!plain.size || (!memchr(plain.data, '\t', plain.size) && !memchr(plain.data, '\n', plain.size)));
    struct object_text text = { .type = slice_text(object_kind_name(value->kind)) };
    steme_status status = object_unescape(buf_slice(&plain), arena, &text.object, &err);
    if (!text.object.data) text.object.data = (const uint8_t *)""; /* an empty text */
    if (!status) status = object_parse(&text, &again, &err);
    invariant(status == STEME_OK && object_equal(value, &again));
    buf_deinit(&plain);
}

static void check_line(const struct tsv_header *header, struct steme_slice line, struct arena *arena)
{
    static const struct tsv_context context = { NOW_US, NOW_US - 1, find_epoch, NULL };
    struct tsv_row row;
    struct steme_assertion assertion;
    struct steme_error err = { 0 };
    steme_status status = tsv_row_split(header, line, &row, &err);
    if (!status) check_row(header, &row, line);
    if (!status) status = tsv_row_assertion(header, &row, &context, arena, &assertion, &err);
    if (status) {
        invariant(err.message[0] != '\0');
        invariant(status == STEME_BAD_INPUT || status == STEME_TOO_LARGE || status == STEME_NOT_FOUND);
        return;
    }
    invariant(assertion.confidence_ppm <= STEME_PPM && assertion.evidence_count <= 1);
    check_object(&assertion.object, arena);
}

static void check_vote(const struct tsv_header *header, struct steme_slice line, struct arena *arena)
{
    static const struct tsv_context context = { NOW_US, NOW_US - 1, find_epoch, NULL };
    struct tsv_row row;
    struct steme_vote vote;
    struct ballot_text target;
    struct steme_error err = { 0 };
    steme_status status = tsv_row_split(header, line, &row, &err);
    if (!status) check_row(header, &row, line);
    if (!status) status = tsv_row_vote(&row, &context, arena, &vote, &target, &err);
    if (status) {
        invariant(err.message[0] != '\0');
        invariant(status == STEME_BAD_INPUT || status == STEME_TOO_LARGE);
        return;
    }
    invariant(vote.probability_ppm <= STEME_PPM && vote.stance <= STEME_ABSTAIN && target.kind <= STEME_ON_EPOCH);
    invariant(target.target.data || (target.kind == STEME_ON_CLAIM && target.subject.data && target.predicate.data));
}

static void check_votes(struct steme_slice rest, struct arena *arena)
{
    static const struct arena_mark begin;
    struct tsv_header header;
    struct steme_error err = { 0 };
    steme_status status = tsv_header_parse_votes(next_line(&rest), &header, &err);
    invariant(status == STEME_OK || (status == STEME_BAD_INPUT && err.message[0] != '\0'));
    while (!status && rest.size > 0) {
        check_vote(&header, next_line(&rest), arena);
        arena_rewind(arena, begin);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct arena_mark begin;
    struct arena arena;
    struct tsv_header header;
    struct steme_error err = { 0 };
    struct steme_slice rest = slice_of(data, size);
    arena_init(&arena, MEMORY_MAX_BYTES);
    check_votes(rest, &arena);
    steme_status status = tsv_header_parse(next_line(&rest), &header, &err);
    invariant(status == STEME_OK || (status == STEME_BAD_INPUT && err.message[0] != '\0'));
    while (!status && rest.size > 0) {
        check_line(&header, next_line(&rest), &arena);
        arena_rewind(&arena, begin);
    }
    arena_deinit(&arena);
    return 0;
}
