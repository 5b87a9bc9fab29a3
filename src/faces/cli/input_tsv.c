/* SPDX-License-Identifier: Apache-2.0 */
#include "faces/cli/input_tsv.h"
#include "base/check.h"
#include "base/slice.h"
#include "faces/cli/object.h"
#include "faces/cli/scalar.h"
#include "faces/cli/unknown.h"

#include <stdio.h>
#include <string.h>

static const char *const column_names[] = {
#define TSV_NAME(name, text) [TSV_##name] = (text),
    TSV_COLUMN_MAP(TSV_NAME)
#undef TSV_NAME
};

/* The field at the front of *rest, which moves behind it; *more is false when it was the last. */
static struct steme_slice next_field(struct steme_slice *rest, bool *more)
{
    const uint8_t *tab = rest->size ? memchr(rest->data, '\t', rest->size) : NULL;
    struct steme_slice field = *rest;
    *more = tab != NULL;
    if (tab) {
        field.size = (size_t)(tab - rest->data);
        *rest = slice_of(tab + 1, rest->size - field.size - 1);
    }
    return field;
}

static steme_status parse_column(struct steme_slice name, enum tsv_column *out, struct steme_error *err)
{
    for (size_t i = 0; i < countof(column_names); i++) {
        if (!slice_equal(name, slice_text(column_names[i]))) continue;
        *out = (enum tsv_column)i;
        return STEME_OK;
    }
    char word[64];
    snprintf(word, sizeof word, "%.*s", name.size < sizeof word ? (int)name.size : (int)sizeof word - 1,
             name.size ? (const char *)name.data : "");
    return unknown_word(err, STEME_BAD_INPUT, "column", word, column_names, countof(column_names));
}

steme_status tsv_header_parse(struct steme_slice line, struct tsv_header *out, struct steme_error *err)
{
    struct tsv_header header = { 0 };
    bool seen[TSV_COLUMN_COUNT] = { false };
    for (bool more = true; more;) {
        enum tsv_column column = TSV_SUBJECT;
        steme_status status = parse_column(next_field(&line, &more), &column, err);
        if (status) return error_wrap(err, status, "the header");
        if (seen[column])
            return error_set(err, STEME_BAD_INPUT, "the header names column '%s' twice", column_names[column]);
        seen[column] = true;
        header.columns[header.count++] = column; /* each once, so they fit */
    }
    for (enum tsv_column needed = TSV_SUBJECT; needed <= TSV_OBJECT; needed++)
        if (!seen[needed])
            return error_set(err, STEME_BAD_INPUT,
                             "the header lacks column '%s'; a TSV file begins with a line such as "
                             "agent<TAB>subject<TAB>predicate<TAB>object",
                             column_names[needed]);
    header.has_agent = seen[TSV_AGENT];
    *out = header;
    return STEME_OK;
}

steme_status tsv_row_split(const struct tsv_header *header, struct steme_slice line, struct tsv_row *out,
                           struct steme_error *err)
{
    struct tsv_row row = { 0 };
    size_t count = 0;
    if (line.size && memchr(line.data, '\r', line.size))
        return error_set(err, STEME_BAD_INPUT, "a carriage return in the middle of a line; write it \\r");
    if (line.size && memchr(line.data, '\0', line.size))
        return error_set(err, STEME_BAD_INPUT, "a NUL byte in the line");
    for (bool more = true; more; count++) {
        struct steme_slice field = next_field(&line, &more);
        if (count < header->count && field.size > 0) row.fields[header->columns[count]] = field;
    }
    if (count != header->count)
        return error_set(err, STEME_BAD_INPUT, "the line has %zu fields, the header names %zu", count, header->count);
    *out = row;
    return STEME_OK;
}

static steme_status set_object(const struct tsv_row *row, struct arena *arena, struct steme_value *out,
                               struct steme_error *err)
{
    struct object_text text = {
        .object = row->fields[TSV_OBJECT],
        .type = row->fields[TSV_TYPE],
        .plus = row->fields[TSV_PLUS],
        .minus = row->fields[TSV_MINUS],
        .unit = row->fields[TSV_UNIT],
    };
    steme_status status = STEME_OK;
    if (text.object.data) status = object_unescape(text.object, arena, &text.object, err);
    return status ? status : object_parse(&text, out, err);
}

static steme_status set_times(const struct tsv_row *row, const struct tsv_context *context, struct steme_assertion *out,
                              struct steme_error *err)
{
    const struct {
        enum tsv_column column;
        int64_t *to;
        int64_t absent;
    } times[] = {
        { TSV_TIME, &out->asserted_at_us, context->asserted_at_us },
        { TSV_VALID_FROM, &out->valid_from_us, STEME_TIME_MIN },
        { TSV_VALID_TO, &out->valid_to_us, STEME_TIME_MAX },
    };
    for (size_t i = 0; i < countof(times); i++) {
        struct steme_slice field = row->fields[times[i].column];
        *times[i].to = times[i].absent;
        if (!field.data) continue;
        steme_status status = scalar_parse_time(field, column_names[times[i].column], context->now_us, times[i].to,
                                                err);
        if (status) return status;
    }
    return STEME_OK;
}

/* Who says so, and where. */
static steme_status set_source(const struct tsv_header *header, const struct tsv_row *row, struct arena *arena,
                               struct steme_assertion *out, struct steme_error *err)
{
    struct steme_slice source = row->fields[TSV_SOURCE];
    out->source = header->has_agent ? row->fields[TSV_AGENT] : source;
    if (!header->has_agent || !source.data) return STEME_OK;
    struct steme_evidence *evidence = arena_calloc(arena, 1, sizeof *evidence);
    if (!evidence) return arena_full(arena, err);
    *evidence = (struct steme_evidence){ .stance = STEME_SUPPORT, .uri = source };
    out->evidence = evidence;
    out->evidence_count = 1;
    return STEME_OK;
}

steme_status tsv_row_assertion(const struct tsv_header *header, const struct tsv_row *row,
                               const struct tsv_context *context, struct arena *arena, struct steme_assertion *out,
                               struct steme_error *err)
{
    struct steme_assertion it = {
        .subject = row->fields[TSV_SUBJECT],
        .predicate = row->fields[TSV_PREDICATE],
        .confidence_ppm = STEME_PPM,
    };
    steme_status status = set_object(row, arena, &it.object, err);
    if (status) return status;
    struct steme_slice confidence = row->fields[TSV_CONFIDENCE];
    if (confidence.data) status = scalar_parse_share(confidence, "confidence", &it.confidence_ppm, err);
    if (status) return status;
    status = set_times(row, context, &it, err);
    if (status) return status;
    status = set_source(header, row, arena, &it, err);
    if (status) return status;
    struct steme_slice epoch = row->fields[TSV_EPOCH];
    it.has_epoch = epoch.data != NULL;
    if (it.has_epoch) status = context->find_epoch(context->context, epoch, &it.epoch, err);
    if (status) return status;
    *out = it;
    return STEME_OK;
}
