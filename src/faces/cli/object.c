/* SPDX-License-Identifier: Apache-2.0 */
#include "faces/cli/object.h"
#include "base/check.h"
#include "base/slice.h"
#include "base/text.h"
#include "faces/cli/unknown.h"
#include "steme/limits.h"
#include "steme/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const kind_names[] = {
    [STEME_ENTITY] = "entity",     [STEME_TEXT] = "text", [STEME_INTEGER] = "integer", [STEME_DECIMAL] = "decimal",
    [STEME_QUANTITY] = "quantity", [STEME_TIME] = "time", [STEME_BOOLEAN] = "boolean", [STEME_BLOB] = "blob",
    [STEME_UNKNOWN] = "unknown",   [STEME_NONE] = "none",
};

const char *object_kind_name(enum steme_kind kind)
{
    invariant((size_t)kind < countof(kind_names));
    return kind_names[kind];
}

steme_status object_parse_kind(struct steme_slice name, enum steme_kind *out, struct steme_error *err)
{
    for (size_t i = 0; i < countof(kind_names); i++) {
        if (!slice_equal(name, slice_text(kind_names[i]))) continue;
        *out = (enum steme_kind)i;
        return STEME_OK;
    }
    char word[64];
    snprintf(word, sizeof word, "%.*s", name.size < sizeof word ? (int)name.size : (int)sizeof word - 1,
             name.size ? (const char *)name.data : "");
    return unknown_word(err, STEME_BAD_INPUT, "type", word, kind_names, countof(kind_names));
}

static steme_status parse_boolean(struct steme_slice text, bool *out, struct steme_error *err)
{
    *out = slice_equal(text, slice_text("true"));
    if (*out || slice_equal(text, slice_text("false"))) return STEME_OK;
    return error_set(err, STEME_BAD_INPUT, "a boolean is true or false, not '%.*s'",
                     text.size > 40 ? 40 : (int)text.size, (const char *)text.data);
}

/* HASH:SIZE:MEDIA, the media type being the rest. */
static steme_status parse_blob(struct steme_slice text, struct steme_value *out, struct steme_error *err)
{
    const uint8_t *colon = text.size ? memchr(text.data, ':', text.size) : NULL;
    const uint8_t *end = text.data + text.size;
    const uint8_t *second = colon ? memchr(colon + 1, ':', (size_t)(end - colon - 1)) : NULL;
    if (!second || second == colon + 1 || second - colon > 21)
        return error_set(err, STEME_BAD_INPUT, "a blob is HASH:SIZE:MEDIA, such as 0f1e...:2048:image/png");
    steme_status status = steme_parse_hash(slice_of(text.data, (size_t)(colon - text.data)), &out->blob, err);
    if (status) return error_wrap(err, status, "the blob's hash");
    uint64_t bytes = 0;
    for (const uint8_t *at = colon + 1; at < second; at++) {
        bool digit = *at >= '0' && *at <= '9';
        if (!digit || __builtin_mul_overflow(bytes, 10u, &bytes) ||
            __builtin_add_overflow(bytes, (uint64_t)(*at - '0'), &bytes))
            return error_set(err, STEME_BAD_INPUT, "the blob's size must be a whole number of bytes");
    }
    out->blob_bytes = bytes;
    out->media_type = slice_of(second + 1, (size_t)(end - second - 1));
    return STEME_OK;
}

/* A distance from the amount: a decimal, not negative. */
static steme_status parse_distance(struct steme_slice text, const char *what, struct steme_decimal *out,
                                   struct steme_error *err)
{
    steme_status status = steme_parse_decimal(text, out, err);
    if (status) return error_wrap(err, status, "%s", what);
    if (out->coefficient < 0)
        return error_set(err, STEME_BAD_INPUT, "%s is a distance from the amount and can't be negative", what);
    return STEME_OK;
}

static steme_status parse_quantity(const struct object_text *text, struct steme_value *out, struct steme_error *err)
{
    steme_status status = steme_parse_decimal(text->object, &out->amount, err);
    if (status) return error_wrap(err, status, "amount");
    out->unit = text->unit;
    out->has_bounds = text->plus.data || text->minus.data;
    if (!out->has_bounds) return STEME_OK;
    struct steme_decimal up = { 0 }, down = { 0 };
    if (text->plus.data) status = parse_distance(text->plus, "plus", &up, err);
    if (!status && text->minus.data) status = parse_distance(text->minus, "minus", &down, err);
    if (status) return status;
    if (!text->plus.data) up = down;
    if (!text->minus.data) down = up;
    status = steme_decimal_add(out->amount, up, &out->upper, err);
    if (status) return error_wrap(err, status, "amount + plus");
    status = steme_decimal_sub(out->amount, down, &out->lower, err);
    return status ? error_wrap(err, status, "amount - minus") : STEME_OK;
}

/* Parts that the kind has no use for would be lost in silence. */
static steme_status check_parts(const struct object_text *text, enum steme_kind kind, struct steme_error *err)
{
    bool absent = kind == STEME_UNKNOWN || kind == STEME_NONE;
    if (absent && text->object.size > 0)
        return error_set(err, STEME_BAD_INPUT, "type %s stands for itself: leave the object out", kind_names[kind]);
    if (!absent && !text->object.data) return error_set(err, STEME_BAD_INPUT, "the object is missing");
    if (kind != STEME_QUANTITY && (text->plus.data || text->minus.data || text->unit.data))
        return error_set(err, STEME_BAD_INPUT, "plus, minus and unit go with type quantity, not with %s",
                         kind_names[kind]);
    if (kind != STEME_TEXT && text->language.data)
        return error_set(err, STEME_BAD_INPUT, "a language goes with type text, not with %s", kind_names[kind]);
    return STEME_OK;
}

steme_status object_parse(const struct object_text *text, struct steme_value *out, struct steme_error *err)
{
    bool measured = text->plus.data || text->minus.data || text->unit.data;
    struct steme_value value = { .kind = measured ? STEME_QUANTITY : STEME_TEXT };
    steme_status status = STEME_OK;
    if (text->type.data) status = object_parse_kind(text->type, &value.kind, err);
    if (status) return status;
    status = check_parts(text, value.kind, err);
    if (status) return status;
    switch (value.kind) {
    case STEME_ENTITY: value.text = text->object; break;
    case STEME_TEXT:
        value.text = text->object;
        value.language = text->language;
        break;
    case STEME_INTEGER: status = steme_parse_integer(text->object, &value.integer, err); break;
    case STEME_DECIMAL: status = steme_parse_decimal(text->object, &value.amount, err); break;
    case STEME_QUANTITY: status = parse_quantity(text, &value, err); break;
    case STEME_TIME: status = steme_parse_time(text->object, &value.time_us, &value.precision, err); break;
    case STEME_BOOLEAN: status = parse_boolean(text->object, &value.boolean, err); break;
    case STEME_BLOB: status = parse_blob(text->object, &value, err); break;
    case STEME_UNKNOWN:
    case STEME_NONE: break;
    }
    if (status) return status;
    *out = value;
    return STEME_OK;
}

static bool decimal_equal(struct steme_decimal a, struct steme_decimal b)
{
    return a.coefficient == b.coefficient && a.scale == b.scale;
}

bool object_equal(const struct steme_value *a, const struct steme_value *b)
{
    if (a->kind != b->kind) return false;
    switch (a->kind) {
    case STEME_ENTITY: return slice_equal(a->text, b->text);
    case STEME_TEXT: return slice_equal(a->text, b->text) && slice_equal(a->language, b->language);
    case STEME_INTEGER: return a->integer == b->integer;
    case STEME_DECIMAL: return decimal_equal(a->amount, b->amount);
    case STEME_QUANTITY:
        return decimal_equal(a->amount, b->amount) && slice_equal(a->unit, b->unit) && a->has_bounds == b->has_bounds &&
               (!a->has_bounds || (decimal_equal(a->lower, b->lower) && decimal_equal(a->upper, b->upper)));
    case STEME_TIME: return a->time_us == b->time_us && a->precision == b->precision;
    case STEME_BOOLEAN: return a->boolean == b->boolean;
    case STEME_BLOB:
        return memcmp(&a->blob, &b->blob, sizeof a->blob) == 0 && a->blob_bytes == b->blob_bytes &&
               slice_equal(a->media_type, b->media_type);
    case STEME_UNKNOWN:
    case STEME_NONE: return true;
    }
    unreachable_here();
}

static void append_escaped(struct buf *to, struct steme_slice text)
{
    static const char special[] = "\\\t\n\r";
    static const char letter[] = "\\tnr";
    size_t done = 0;
    for (size_t i = 0; i < text.size; i++) {
        const char *found = text.data[i] ? strchr(special, text.data[i]) : NULL;
        if (!found) continue;
        buf_append(to, text.data + done, i - done);
        char escape[2] = { '\\', letter[found - special] };
        buf_append(to, escape, sizeof escape);
        done = i + 1;
    }
    if (text.size) buf_append(to, text.data + done, text.size - done);
}

void object_append_plain(struct buf *to, const struct steme_value *value)
{
    if (value->kind == STEME_TEXT || value->kind == STEME_ENTITY) {
        append_escaped(to, value->text);
    } else if (value->kind == STEME_BLOB) {
        char hash[STEME_PRINT_BYTES];
        steme_print_hash(&value->blob, hash);
        buf_printf(to, "%s:%" PRIu64 ":", hash, value->blob_bytes);
        append_escaped(to, value->media_type);
    } else {
        char line[2 * STEME_NAME_MAX]; /* numbers and a unit; a unit is a name */
        size_t size = steme_print_value(value, line, sizeof line);
        append_escaped(to, slice_of(line, size < sizeof line ? size : sizeof line - 1));
    }
}

steme_status object_unescape(struct steme_slice text, struct arena *arena, struct steme_slice *out,
                             struct steme_error *err)
{
    if (text.size == 0 || !memchr(text.data, '\\', text.size)) {
        *out = text;
        return STEME_OK;
    }
    uint8_t *to = arena_alloc(arena, text.size);
    if (!to) return arena_full(arena, err);
    size_t size = 0;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        if (byte == '\\') {
            uint8_t next = i + 1 < text.size ? text.data[++i] : 0;
            if (next != '\\' && next != 't' && next != 'n' && next != 'r')
                return error_set(err, STEME_BAD_INPUT, "a backslash stands in \\\\, \\t, \\n and \\r only");
            byte = next == 't' ? '\t' : next == 'n' ? '\n' : next == 'r' ? '\r' : '\\';
        }
        to[size++] = byte;
    }
    *out = slice_of(to, size);
    return STEME_OK;
}
