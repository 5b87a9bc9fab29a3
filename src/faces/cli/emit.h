/* SPDX-License-Identifier: Apache-2.0 */
/* JSON text written straight into a buffer: no tree, members in the order given, memory bounded by the buffer, whose
 * first failure sticks. Strings are always valid UTF-8, numbers always finite. One thread at a time. */
#ifndef CLI_EMIT_H
#define CLI_EMIT_H

#include "base/buf.h"
#include "steme/types.h"

#include <stdbool.h>
#include <stdint.h>

struct emit {
    struct buf *to;
    bool comma; /* the next item is not the first in its container */
};

/* In all of these, name is the member's name, or NULL in an array and at the top. */
void emit_begin(struct emit *json, const char *name, char bracket); /* '{' or '[' */
void emit_end(struct emit *json, char bracket);                     /* '}' or ']' */
/* Bytes that are not UTF-8 (a path may hold such) become U+FFFD. */
void emit_text(struct emit *json, const char *name, struct steme_slice text);
void emit_word(struct emit *json, const char *name, const char *text);
void emit_bool(struct emit *json, const char *name, bool value);
void emit_null(struct emit *json, const char *name);
void emit_integer(struct emit *json, const char *name, int64_t value);
void emit_count(struct emit *json, const char *name, uint64_t value);
/* Shortest digits that read back to the same double; null where it is not finite. */
void emit_real(struct emit *json, const char *name, double value);
void emit_hash(struct emit *json, const char *name, const struct steme_hash *hash);

#endif
