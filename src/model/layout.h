/* SPDX-License-Identifier: Apache-2.0 */
/* Offsets and sizes of docs/format/record.md: the one place in the code that knows them. Numbers are little-endian;
 * every part begins at a multiple of 8. */
#ifndef MODEL_LAYOUT_H
#define MODEL_LAYOUT_H

#include "base/codec.h"
#include "base/hash.h"
#include "steme/limits.h"

#include <stddef.h>

enum {
    RECORD_FORMAT = 1,

    /* Every record, of this format and of all to come: a reader can step over what it does not know. */
    AT_TYPE = 0,
    AT_LENGTH = 8, /* u32, without the padding to 64 */
    AT_FORMAT = 12,
    AT_RESERVED = 14,
    HEADER_BYTES = 16,
    AT_AUTHOR = 16,
    AT_BODY = 48,

    ASSERTION_ASSERTED_AT = 48,
    ASSERTION_VALID_FROM = 56,
    ASSERTION_VALID_TO = 64,
    ASSERTION_CONFIDENCE = 72,
    ASSERTION_FLAGS = 76,
    ASSERTION_KIND = 77,
    ASSERTION_EVIDENCE = 78,
    ASSERTION_QUALIFIERS = 80,
    ASSERTION_PARENTS = 82,
    ASSERTION_KEYS = 84,
    ASSERTION_RESERVED = 86,
    ASSERTION_PARTS = 88,

    FLAG_NEGATED = 1,
    FLAG_EPOCH = 2,
    FLAG_SOURCE = 4,
    FLAGS_ALL = FLAG_NEGATED | FLAG_EPOCH | FLAG_SOURCE,

    VOTE_CAST_AT = 48,
    VOTE_TARGET_KIND = 56,
    VOTE_STANCE = 57,
    VOTE_RESERVED = 58,
    VOTE_PROBABILITY = 60,
    VOTE_ROUTE = 64,
    VOTE_HASH = 72,
    VOTE_PARTS = 104,

    EPOCH_DECLARED_AT = 48,
    EPOCH_FROM = 56,
    EPOCH_TO = 64,
    EPOCH_SUPERSEDES = 72,
    EPOCH_RESERVED = 74,
    EPOCH_PARTS = 80,

    REVISION_REVISED_AT = 48,
    REVISION_KIND = 56,
    REVISION_RESERVED = 57,
    REVISION_TARGETS = 58,
    REVISION_REPLACEMENTS = 60,
    REVISION_RESERVED_END = 62,
    REVISION_PARTS = 64,

    BUNDLE_MEMBERS = 48,
    BUNDLE_RESERVED = 50,
    BUNDLE_PARTS = 56,

    VIEW_CREATED_AT = 48,
    VIEW_FLAGS = 56,
    VIEW_RESERVED = 57,
    VIEW_PARAMETERS = 58,
    VIEW_RESERVED_END = 60,
    VIEW_PARTS = 64,

    VIEW_FLAG_DROPPED = 1,
    VIEW_FLAG_EPOCH = 2,
    VIEW_FLAGS_ALL = VIEW_FLAG_DROPPED | VIEW_FLAG_EPOCH,

    PART_LENGTH_BYTES = 4,

    QUALIFIER_NAME = 0,
    QUALIFIER_VALUE = 2,
    QUALIFIER_BYTES = 4, /* name and value follow; a view's parameter has the same form */

    EVIDENCE_STANCE = 0,
    EVIDENCE_HAS_TARGET = 1,
    EVIDENCE_URI = 2,
    EVIDENCE_LOCATOR = 4,
    EVIDENCE_RESERVED = 6,
    EVIDENCE_BYTES = 8, /* target or uri, and locator follow */

    TARGET_KIND = 0,
    TARGET_RESERVED = 1,
    TARGET_ROUTE = 8,
    TARGET_HASH = 16,
    TARGET_BYTES = 48
};

/* Bytes of a part with its length and padding. */
static inline size_t part_bytes(size_t size) { return pad8(PART_LENGTH_BYTES + size); }

#endif
