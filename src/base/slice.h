/* SPDX-License-Identifier: Apache-2.0 */
/* Helpers over struct steme_slice (include/steme/types.h): bytes borrowed from somebody else, never
 * freed through it; whoever hands one out says until when it is valid. Pure; any thread. */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include "steme/types.h"

#include <stdbool.h>
#include <string.h>

static inline struct steme_slice slice_of(const void *data, size_t size)
{
    return (struct steme_slice){ .data = (const uint8_t *)data, .size = size };
}

/* The bytes of a C string without its NUL; NULL gives the empty slice. */
static inline struct steme_slice slice_text(const char *text)
{
    return text ? slice_of(text, strlen(text)) : slice_of(NULL, 0);
}

static inline bool slice_equal(struct steme_slice a, struct steme_slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* <0, 0, >0 as unsigned bytes; a prefix sorts first. */
static inline int slice_compare(struct steme_slice a, struct steme_slice b)
{
    size_t common = a.size < b.size ? a.size : b.size;
    int order = common ? memcmp(a.data, b.data, common) : 0;
    return order ? order : (a.size > b.size) - (a.size < b.size);
}

static inline bool slice_starts(struct steme_slice whole, struct steme_slice prefix)
{
    return whole.size >= prefix.size && (prefix.size == 0 || memcmp(whole.data, prefix.data, prefix.size) == 0);
}

/* printf("%.*s", SLICE_PRINT(s)) for short text; cut at INT_MAX is impossible, limits are far below. */
#define SLICE_PRINT(s) (int)(s).size, (const char *)(s).data

#endif
