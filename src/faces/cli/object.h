/* SPDX-License-Identifier: Apache-2.0 */
/* Values as text: what `assert`, `vote --claim` and the columns of a TSV file say, and the plain form that reads back
 * from a TSV column. Pure; any thread. */
#ifndef CLI_OBJECT_H
#define CLI_OBJECT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "steme/types.h"

/* The parts a value is read from. data NULL: not given. */
struct object_text {
    struct steme_slice object; /* the value itself; "unknown" and "none" take none */
    struct steme_slice type; /* a name of object_kind_name(); not given: quantity with plus, minus or unit, else text */
    struct steme_slice plus; /* quantity: how far up it may be; alone it counts for minus too */
    struct steme_slice minus;    /* quantity: how far down; alone it counts for plus too */
    struct steme_slice unit;     /* quantity */
    struct steme_slice language; /* text */
};

/* *out borrows from text. Names and texts are not judged here: the library does. STEME_BAD_INPUT, STEME_TOO_LARGE. */
MUST_CHECK steme_status object_parse(const struct object_text *text, struct steme_value *out, struct steme_error *err);

/* "entity", "text", "integer", "decimal", "quantity", "time", "boolean", "blob", "unknown" or "none". */
const char *object_kind_name(enum steme_kind kind);
/* STEME_BAD_INPUT with what was likely meant. */
MUST_CHECK steme_status object_parse_kind(struct steme_slice name, enum steme_kind *out, struct steme_error *err);

/* Same kind and same content. */
bool object_equal(const struct steme_value *a, const struct steme_value *b);

/* Append the value as a TSV column holds it: a text or an entity's name as it is, a blob as HASH:SIZE:MEDIA, all else
 * as steme_print_value() shows it; with backslash, tab, line feed and carriage return written \\ \t \n \r. */
void object_append_plain(struct buf *to, const struct steme_value *value);
/* Undo those escapes: *out is text itself when it has none, else a copy in the arena. STEME_BAD_INPUT for any other
 * backslash. */
MUST_CHECK steme_status object_unescape(struct steme_slice text, struct arena *arena, struct steme_slice *out,
                                        struct steme_error *err);

#endif
