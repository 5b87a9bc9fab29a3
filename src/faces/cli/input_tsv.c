/* SPDX-License-Identifier: Apache-2.0 */
#include "faces/cli/input_tsv.h"
#include "base/check.h"
#include "base/slice.h"
#include "base/utf8.h"
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

/* Columns of a file of votes; a file of assertions has those before TSV_KIND. */
static const enum tsv_column vote_columns[] = { TSV_KIND, TSV_TARGET, TSV_SUBJECT, TSV_PREDICATE,   TSV_OBJECT,
                                                TSV_TYPE, TSV_STANCE, TSV_TIME,    TSV_PROBABILITY, TSV_REASON };

static steme_status parse_word(struct steme_slice text, const char *what, const char *const *names, size_t count,
                               size_t *out, struct steme_error *err)
{
    for (*out = 0; *out < count; ++*out)
        if (slice_equal(text, slice_text(names[*out]))) return STEME_OK;
    char word[64];
    snprintf(word, sizeof word, "%.*s", text.size < sizeof word ? (int)text.size : (int)sizeof word - 1,
             text.size ? (const char *)text.data : "");
    return unknown_word(err, STEME_BAD_INPUT, what, word, names, count);
}

static steme_status parse_column(struct steme_slice name, bool votes, enum tsv_column *out, struct steme_error *err)
{
    const char *names[TSV_COLUMN_COUNT];
    size_t count = votes ? countof(vote_columns) : TSV_KIND, found = 0;
    for (size_t i = 0; i < count; i++)
        names[i] = column_names[votes ? vote_columns[i] : (enum tsv_column)i];
    steme_status status = parse_word(name, "column", names, count, &found, err);
    if (!status) *out = votes ? vote_columns[found] : (enum tsv_column)found;
    return status;
}

static steme_status parse_header(struct steme_slice line, bool votes, struct tsv_header *out, bool *seen,
                                 struct steme_error *err)
{
    struct tsv_header header = { 0 };
    bool tabs = line.size && memchr(line.data, '\t', line.size);
    if ((line.size && memchr(line.data, '\0', line.size)) || !utf8_valid(line))
        return error_set(err, STEME_BAD_INPUT,
                         "the header is no text in UTF-8: the file is binary, or encoded otherwise");
    for (bool more = true; more;) {
        enum tsv_column column = TSV_SUBJECT;
        steme_status status = parse_column(next_field(&line, &more), votes, &column, err);
        if (status)
            return error_wrap(err, status, tabs ? "the header" : "the header, without a tab to part its columns");
        if (seen[column])
            return error_set(err, STEME_BAD_INPUT, "the header names column '%s' twice", column_names[column]);
        seen[column] = true;
        header.columns[header.count++] = column; /* each once, so they fit */
    }
    header.has_agent = seen[TSV_AGENT];
    *out = header;
    return STEME_OK;
}

steme_status tsv_header_parse(struct steme_slice line, struct tsv_header *out, struct steme_error *err)
{
    struct tsv_header header;
    bool seen[TSV_COLUMN_COUNT] = { false };
    steme_status status = parse_header(line, false, &header, seen, err);
    if (status) return status;
    for (enum tsv_column needed = TSV_SUBJECT; needed <= TSV_OBJECT; needed++)
        if (!seen[needed])
            return error_set(err, STEME_BAD_INPUT,
                             "the header lacks column '%s'; a TSV file begins with a line such as "
                             "agent<TAB>subject<TAB>predicate<TAB>object",
                             column_names[needed]);
    *out = header;
    return STEME_OK;
}

steme_status tsv_header_parse_votes(struct steme_slice line, struct tsv_header *out, struct steme_error *err)
{
    struct tsv_header header;
    bool seen[TSV_COLUMN_COUNT] = { false };
    steme_status status = parse_header(line, true, &header, seen, err);
    if (status) return status;
    bool by_words = seen[TSV_SUBJECT] && seen[TSV_PREDICATE] && seen[TSV_OBJECT];
    if (!seen[TSV_STANCE] || (!seen[TSV_TARGET] && !by_words))
        return error_set(err, STEME_BAD_INPUT,
                         "the header lacks %s; a TSV file of votes begins with a line such as "
                         "kind<TAB>target<TAB>stance, or subject<TAB>predicate<TAB>object<TAB>stance",
                         seen[TSV_STANCE] ? "a target" : "column 'stance'");
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

/* ---- votes ---- */

static steme_status set_target(const struct tsv_row *row, struct arena *arena, struct ballot_text *out,
                               struct steme_error *err)
{
    static const char *const kinds[] = { "assertion", "claim", "agent", "source", "epoch" };
    struct ballot_text text = { .target = row->fields[TSV_TARGET],
                                .subject = row->fields[TSV_SUBJECT],
                                .predicate = row->fields[TSV_PREDICATE],
                                .object = { .object = row->fields[TSV_OBJECT], .type = row->fields[TSV_TYPE] } };
    size_t kind = text.target.data ? STEME_ON_ASSERTION : STEME_ON_CLAIM;
    steme_status status = STEME_OK;
    if (row->fields[TSV_KIND].data)
        status = parse_word(row->fields[TSV_KIND], "kind", kinds, countof(kinds), &kind, err);
    if (!status && text.object.object.data)
        status = object_unescape(text.object.object, arena, &text.object.object, err);
    if (status) return status;
    text.kind = (enum steme_target_kind)kind;
    bool claim = text.kind == STEME_ON_CLAIM, words = text.predicate.data || text.object.object.data;
    if (!claim && !text.target.data) return error_set(err, STEME_BAD_INPUT, "the vote has no target");
    if (!claim && (text.subject.data || words || text.object.type.data))
        return error_set(err, STEME_BAD_INPUT, "subject, predicate, object and type go with a vote on a claim");
    if (claim && !text.subject.data) return error_set(err, STEME_BAD_INPUT, "a vote on a claim needs its subject");
    if (claim && !text.target.data && !text.predicate.data)
        return error_set(err, STEME_BAD_INPUT, "a vote on a claim needs the claim's id, or its predicate and object");
    if (claim && text.target.data && words)
        return error_set(err, STEME_BAD_INPUT, "a claim is named by its id or by what it says, not by both");
    *out = text;
    return STEME_OK;
}

steme_status tsv_row_vote(const struct tsv_row *row, const struct tsv_context *context, struct arena *arena,
                          struct steme_vote *out, struct ballot_text *target_out, struct steme_error *err)
{
    struct steme_vote it = { .probability_ppm = STEME_PPM,
                             .cast_at_us = context->asserted_at_us,
                             .reason = row->fields[TSV_REASON] };
    struct steme_slice probability = row->fields[TSV_PROBABILITY], time = row->fields[TSV_TIME];
    steme_status status = ballot_parse_stance(row->fields[TSV_STANCE], &it.stance, err);
    if (!status && probability.data) status = scalar_parse_share(probability, "probability", &it.probability_ppm, err);
    if (!status && time.data) status = scalar_parse_time(time, "time", context->now_us, &it.cast_at_us, err);
    if (!status && it.reason.data) status = object_unescape(it.reason, arena, &it.reason, err);
    if (!status) status = set_target(row, arena, target_out, err);
    if (!status) *out = it;
    return status;
}
