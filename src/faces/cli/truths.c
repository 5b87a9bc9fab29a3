/* SPDX-License-Identifier: Apache-2.0 */
#include "faces/cli/truths.h"
#include "base/buf.h"
#include "base/slice.h"
#include "faces/cli/input_tsv.h"
#include "faces/cli/lines.h"
#include "faces/cli/object.h"
#include "steme/text.h"

#include <inttypes.h>
#include <stdlib.h>

static bool is_number(const struct truth *truth, double *out)
{
    struct steme_decimal decimal;
    struct steme_error ignored;
    if (truth->typed && truth->value.kind == STEME_INTEGER) {
        *out = (double)truth->value.integer;
        return true;
    }
    if (truth->typed && truth->value.kind != STEME_DECIMAL && truth->value.kind != STEME_QUANTITY) return false;
    if (truth->typed)
        decimal = truth->value.amount;
    else if (steme_parse_decimal(truth->text, &decimal, &ignored))
        return false;
    *out = steme_decimal_double(decimal);
    return true;
}

static steme_status read_truth(const struct tsv_header *header, struct steme_slice line, struct arena *arena,
                               struct truth *out, struct steme_error *err)
{
    struct tsv_row row;
    struct steme_slice text = arena_copy(arena, line);
    if (!text.data) return arena_full(arena, err);
    steme_status status = tsv_row_split(header, text, &row, err);
    if (status) return status;
    struct truth truth = { .subject = row.fields[TSV_SUBJECT], .predicate = row.fields[TSV_PREDICATE] };
    struct object_text object = { .object = row.fields[TSV_OBJECT],
                                  .type = row.fields[TSV_TYPE],
                                  .plus = row.fields[TSV_PLUS],
                                  .minus = row.fields[TSV_MINUS],
                                  .unit = row.fields[TSV_UNIT] };
    if (!truth.subject.size || !truth.predicate.size)
        return error_set(err, STEME_BAD_INPUT, "a truth has a subject and a predicate");
    if (object.object.data) status = object_unescape(object.object, arena, &object.object, err);
    if (status) return status;
    truth.text = object.object;
    truth.typed = object.type.data || object.plus.data || object.minus.data || object.unit.data;
    if (!truth.typed && !object.object.data) return error_set(err, STEME_BAD_INPUT, "the object is missing");
    if (truth.typed) status = object_parse(&object, &truth.value, err);
    if (status) return status;
    truth.is_number = is_number(&truth, &truth.number);
    *out = truth;
    return STEME_OK;
}

static int compare_questions(const void *left, const void *right)
{
    const struct truth *a = *(const struct truth *const *)left, *b = *(const struct truth *const *)right;
    int order = slice_compare(a->subject, b->subject);
    if (!order) order = slice_compare(a->predicate, b->predicate);
    return order ? order : (a->line > b->line) - (a->line < b->line);
}

/* Two truths about one question contradict each other, or count it twice. */
static steme_status refuse_twins(const struct truths *truths, struct arena *arena, struct steme_error *err)
{
    const struct truth **sorted = arena_calloc(arena, truths->count, sizeof(const struct truth *));
    if (!sorted) return arena_full(arena, err);
    for (size_t i = 0; i < truths->count; i++)
        sorted[i] = &truths->items[i];
    qsort(sorted, truths->count, sizeof(const struct truth *), compare_questions);
    for (size_t i = 1; i < truths->count; i++) {
        const struct truth *a = sorted[i - 1], *b = sorted[i];
        if (!slice_equal(a->subject, b->subject) || !slice_equal(a->predicate, b->predicate)) continue;
        return error_set(err, STEME_BAD_INPUT,
                         "lines %" PRIu64 " and %" PRIu64 " both say what is true of '%.*s' '%.*s': keep one of them",
                         a->line, b->line, SLICE_PRINT(a->subject), SLICE_PRINT(a->predicate));
    }
    return STEME_OK;
}

static steme_status read_truths(struct lines *lines, struct arena *arena, struct truths *out, struct steme_error *err)
{
    struct tsv_header header;
    void *items = NULL;
    size_t count = 0, capacity = 0;
    bool more = true;
    steme_status status = lines_next(lines, &more, err);
    if (!status && !more) status = error_set(err, STEME_BAD_INPUT, "the file is empty: it begins with a header");
    if (!status) status = tsv_header_parse(lines->text, &header, err);
    while (!status && more) {
        status = lines_next(lines, &more, err);
        if (status || !more || (lines->text.size == 0 && !lines->too_long)) continue;
        if (lines->too_long) status = error_set(err, STEME_BAD_INPUT, "it is too long");
        if (!status && !arena_grow(arena, &items, count, 1, &capacity, sizeof(struct truth)))
            status = arena_full(arena, err);
        if (!status) status = read_truth(&header, lines->text, arena, (struct truth *)items + count, err);
        if (!status) ((struct truth *)items)[count++].line = lines->number;
        if (status == STEME_BAD_INPUT) status = error_wrap(err, status, "line %llu", (unsigned long long)lines->number);
    }
    if (!status && count == 0) status = error_set(err, STEME_BAD_INPUT, "the file holds no truth below its header");
    *out = (struct truths){ items, count };
    return status ? status : refuse_twins(out, arena, err);
}

steme_status truths_read(const char *path, struct arena *arena, struct truths *out, struct steme_error *err)
{
    struct lines lines;
    steme_status status = lines_open(&lines, path, TSV_LINE_MAX_BYTES, err);
    if (!status) status = read_truths(&lines, arena, out, err);
    lines_deinit(&lines);
    return status ? error_wrap(err, status, "what is true") : STEME_OK;
}

bool truth_is(const struct truth *truth, const struct steme_value *value)
{
    if (truth->typed) return object_equal(&truth->value, value);
    if (value->kind == STEME_TEXT || value->kind == STEME_ENTITY) return slice_equal(value->text, truth->text);
    struct buf text;
    buf_init(&text, 1 << 20);
    object_append_plain(&text, value);
    bool same = text.status == STEME_OK && slice_equal(buf_slice(&text), truth->text);
    buf_deinit(&text);
    return same;
}
