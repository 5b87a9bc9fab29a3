/* SPDX-License-Identifier: Apache-2.0 */
#include "faces/cli/emit.h"
#include "base/slice.h"
#include "base/utf8.h"
#include "steme/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <utf8proc.h>

static void append_escaped(struct buf *to, struct steme_slice text)
{
    size_t done = 0;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        if (byte >= 0x20 && byte != '"' && byte != '\\' && byte != 0x7F) continue;
        buf_append(to, text.data + done, i - done);
        done = i + 1;
        if (byte == '"' || byte == '\\')
            buf_printf(to, "\\%c", byte);
        else if (byte == '\n')
            buf_append_text(to, "\\n");
        else if (byte == '\t')
            buf_append_text(to, "\\t");
        else
            buf_printf(to, "\\u%04x", byte);
    }
    if (text.size > done) buf_append(to, text.data + done, text.size - done);
}

/* Character by character: for the rare text that is not UTF-8. */
static void append_repaired(struct buf *to, struct steme_slice text)
{
    for (size_t at = 0; at < text.size;) {
        utf8proc_int32_t character;
        utf8proc_ssize_t limit = text.size - at < 4 ? (utf8proc_ssize_t)(text.size - at) : 4;
        utf8proc_ssize_t bytes = utf8proc_iterate(text.data + at, limit, &character);
        if (bytes > 0)
            append_escaped(to, slice_of(text.data + at, (size_t)bytes));
        else
            buf_append_text(to, "\xEF\xBF\xBD");
        at += bytes > 0 ? (size_t)bytes : 1;
    }
}

static void append_string(struct buf *to, struct steme_slice text)
{
    buf_append_text(to, "\"");
    if (utf8_valid(text))
        append_escaped(to, text);
    else
        append_repaired(to, text);
    buf_append_text(to, "\"");
}

static void begin_item(struct emit *json, const char *name)
{
    if (json->comma) buf_append_text(json->to, ",");
    json->comma = true;
    if (!name) return;
    append_string(json->to, slice_text(name));
    buf_append_text(json->to, ":");
}

void emit_begin(struct emit *json, const char *name, char bracket)
{
    begin_item(json, name);
    buf_append(json->to, &bracket, 1);
    json->comma = false;
}

void emit_end(struct emit *json, char bracket)
{
    buf_append(json->to, &bracket, 1);
    json->comma = true;
}

void emit_text(struct emit *json, const char *name, struct steme_slice text)
{
    begin_item(json, name);
    append_string(json->to, text);
}

void emit_word(struct emit *json, const char *name, const char *text) { emit_text(json, name, slice_text(text)); }

void emit_bool(struct emit *json, const char *name, bool value)
{
    begin_item(json, name);
    buf_append_text(json->to, value ? "true" : "false");
}

void emit_null(struct emit *json, const char *name)
{
    begin_item(json, name);
    buf_append_text(json->to, "null");
}

void emit_integer(struct emit *json, const char *name, int64_t value)
{
    begin_item(json, name);
    buf_printf(json->to, "%" PRId64, value);
}

void emit_count(struct emit *json, const char *name, uint64_t value)
{
    begin_item(json, name);
    buf_printf(json->to, "%" PRIu64, value);
}

void emit_real(struct emit *json, const char *name, double value)
{
    if (!isfinite(value)) {
        emit_null(json, name);
        return;
    }
    char digits[40];
    for (int precision = 15; precision <= 17; precision++) { /* 17 always read back */
        snprintf(digits, sizeof digits, "%.*g", precision, value);
        double back = strtod(digits, NULL);
        if (back >= value && back <= value) break;
    }
    begin_item(json, name);
    buf_append_text(json->to, digits);
}

void emit_hash(struct emit *json, const char *name, const struct steme_hash *hash)
{
    char hex[STEME_PRINT_BYTES];
    steme_print_hash(hash, hex);
    emit_word(json, name, hex);
}
