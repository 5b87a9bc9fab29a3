/* SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"
#include "base/check.h"
#include "base/codec.h"
#include "base/slice.h"
#include "steme/limits.h"

#include <utf8proc.h>

static const uint64_t every_byte = 0x0101010101010101u;

bool utf8_valid(struct steme_slice text)
{
    size_t at = 0;
    while (at < text.size) {
        if (text.size - at >= 8 && (load_u64(text.data + at) & (every_byte * 0x80u)) == 0) {
            at += 8;
            continue;
        }
        if (text.data[at] < 0x80u) {
            at++;
            continue;
        }
        utf8proc_int32_t point;
        size_t left = text.size - at;
        utf8proc_ssize_t size = utf8proc_iterate(text.data + at, left < 4 ? (utf8proc_ssize_t)left : 4, &point);
        if (size <= 0) return false;
        at += (size_t)size;
    }
    return true;
}

/* Has bit 7 of some byte set unless all eight bytes are printable ASCII, 0x20 to 0x7E: the subtraction
 * borrows into it from below 0x20, the addition carries into it from 0x7F. */
static uint64_t unprintable(uint64_t word)
{
    return (word | (word - every_byte * 0x20u) | (word + every_byte)) & (every_byte * 0x80u);
}

static bool is_printable_ascii(struct steme_slice text)
{
    uint64_t bad = 0;
    if (text.size >= 8) {
        for (size_t at = 0; at + 8 <= text.size; at += 8)
            bad |= unprintable(load_u64(text.data + at));
        bad |= unprintable(load_u64(text.data + text.size - 8)); /* the rest, and some bytes twice */
    } else {
        for (size_t at = 0; at < text.size; at++)
            bad |= (uint64_t)(text.data[at] - 0x20u > 0x7Eu - 0x20u);
    }
    return bad == 0;
}

static bool is_control(utf8proc_category_t category)
{
    return category == UTF8PROC_CATEGORY_CC || category == UTF8PROC_CATEGORY_ZL || category == UTF8PROC_CATEGORY_ZP;
}

/* Ranges in which every character is a starter (class 0) that the composed normal form always keeps: Unicode's
 * NFC_Quick_Check is Yes. A name of only these is NFC, and the costly question need not be asked. */
static bool is_plain(utf8proc_int32_t point)
{
    static const struct {
        utf8proc_int32_t first, last;
    } ranges[] = {
        { 0x0020, 0x02FF }, /* Latin */
        { 0x4E00, 0x9FFF }, /* Chinese */
        { 0x0390, 0x0482 }, /* Greek, Cyrillic */
        { 0x2010, 0x2027 }, /* dashes and quotation marks */
        { 0x30A0, 0x30FF }, /* Katakana */
        { 0x3041, 0x3096 }, /* Hiragana */
        { 0xAC00, 0xD7A3 }, /* Hangul */
    };
    for (size_t i = 0; i < countof(ranges); i++)
        if (point >= ranges[i].first && point <= ranges[i].last) return true;
    return false;
}

/* The next character of well-formed text; at moves behind it. */
static utf8proc_int32_t next_point(struct steme_slice text, size_t *at)
{
    utf8proc_int32_t point;
    utf8proc_ssize_t size = utf8proc_iterate(text.data + *at, (utf8proc_ssize_t)(text.size - *at), &point);
    invariant(size > 0);
    *at += (size_t)size;
    return point;
}

/* Whether well-formed text is its own composed normal form. Its marks must be in order already: utf8proc
 * sorts them by exchange, which would take quadratic time on hostile text. */
static bool is_nfc(struct steme_slice text)
{
    /* No character decomposes into more code points than twice its bytes. */
    utf8proc_int32_t points[STEME_NAME_MAX * 2];
    const utf8proc_option_t options = UTF8PROC_STABLE | UTF8PROC_COMPOSE;
    utf8proc_ssize_t count = utf8proc_decompose(text.data, (utf8proc_ssize_t)text.size, points,
                                                (utf8proc_ssize_t)countof(points), options);
    invariant(count >= 0 && (size_t)count <= countof(points));
    count = utf8proc_normalize_utf32(points, count, options);
    invariant(count >= 0);
    size_t at = 0;
    for (utf8proc_ssize_t i = 0; i < count; i++)
        if (at == text.size || next_point(text, &at) != points[i]) return false;
    return at == text.size;
}

static steme_status refuse(const char *what, const char *problem, struct steme_error *err)
{
    return error_set(err, STEME_BAD_INPUT, "%s %s", what, problem);
}

static steme_status refuse_point(const char *what, utf8proc_int32_t point, const char *problem, struct steme_error *err)
{
    return error_set(err, STEME_BAD_INPUT, "%s contains U+%04X, %s", what, (unsigned)point, problem);
}

/* Everything a name must be, for names that are not plain printable ASCII. */
static steme_status check_points(struct steme_slice text, const char *what, struct steme_error *err)
{
    bool plain = true, in_order = true;
    utf8proc_propval_t last_class = 0;
    for (size_t at = 0; at < text.size;) {
        if (text.data[at] > ' ' && text.data[at] < 0x7Fu) { /* most of most names */
            last_class = 0;
            at++;
            continue;
        }
        size_t start = at;
        utf8proc_int32_t point;
        utf8proc_ssize_t size = utf8proc_iterate(text.data + at, (utf8proc_ssize_t)(text.size - at), &point);
        if (size <= 0) return refuse(what, "is not well-formed UTF-8; encode it as UTF-8", err);
        at += (size_t)size;
        const utf8proc_property_t *property = utf8proc_get_property(point);
        utf8proc_category_t category = (utf8proc_category_t)property->category;
        if (is_control(category)) return refuse_point(what, point, "a control character; remove it", err);
        if (category == UTF8PROC_CATEGORY_CN)
            return refuse_point(what, point, "which is no character in the Unicode of this program", err);
        if (category == UTF8PROC_CATEGORY_ZS && (start == 0 || at == text.size))
            return refuse(what, "begins or ends with white space; trim it", err);
        plain = plain && is_plain(point);
        in_order = in_order && (property->combining_class == 0 || property->combining_class >= last_class);
        last_class = property->combining_class;
    }
    if (plain || (in_order && is_nfc(text))) return STEME_OK;
    return refuse(what, "is not in Unicode NFC; normalise it, so that one name has one spelling", err);
}

steme_status utf8_check_name(struct steme_slice text, const char *what, struct steme_error *err)
{
    if (text.size == 0) return refuse(what, "is empty; a name has at least one character", err);
    if (text.size > STEME_NAME_MAX)
        return error_set(err, STEME_TOO_LARGE,
                         "%s has %zu bytes, a name at most %u; longer text belongs in a text value", what, text.size,
                         STEME_NAME_MAX);
    if (is_printable_ascii(text)) {
        if (text.data[0] != ' ' && text.data[text.size - 1] != ' ') return STEME_OK;
        return refuse(what, "begins or ends with white space; trim it", err);
    }
    return check_points(text, what, err);
}
