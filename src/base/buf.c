/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/check.h"
#include "base/slice.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUF_FIRST_BYTES = 256 };

void buf_init(struct buf *buf, size_t ceiling_bytes) { *buf = (struct buf){ .ceiling_bytes = ceiling_bytes }; }

void buf_deinit(struct buf *buf)
{
    free(buf->data);
    *buf = (struct buf){ 0 };
}

void buf_clear(struct buf *buf)
{
    buf->size = 0;
    buf->status = STEME_OK;
}

/* Make capacity at least size; false after a failure, which sticks. */
static bool grow(struct buf *buf, size_t size)
{
    size_t capacity = buf->capacity ? buf->capacity : BUF_FIRST_BYTES;
    while (capacity < size)
        capacity = capacity > SIZE_MAX / 2 ? size : capacity * 2;
    if (capacity > buf->ceiling_bytes) capacity = buf->ceiling_bytes;
    uint8_t *data = realloc(buf->data, capacity);
    if (!data) {
        buf->status = STEME_NO_MEMORY;
        return false;
    }
    buf->data = data;
    buf->capacity = capacity;
    return true;
}

uint8_t *buf_extend(struct buf *buf, size_t size)
{
    static uint8_t nowhere; /* what an extension by nothing may point to before the first byte */
    if (buf->status) return NULL;
    if (size > buf->ceiling_bytes - buf->size) {
        buf->status = STEME_TOO_LARGE;
        return NULL;
    }
    if (size > buf->capacity - buf->size && !grow(buf, buf->size + size)) return NULL;
    if (!buf->data) return &nowhere;
    uint8_t *at = buf->data + buf->size;
    buf->size += size;
    return at;
}

void buf_append(struct buf *buf, const void *data, size_t size)
{
    if (size == 0) return;
    uint8_t *at = buf_extend(buf, size);
    if (at) memcpy(at, data, size);
}

void buf_append_slice(struct buf *buf, struct steme_slice bytes) { buf_append(buf, bytes.data, bytes.size); }

void buf_append_text(struct buf *buf, const char *text) { buf_append_slice(buf, slice_text(text)); }

void buf_printf(struct buf *buf, const char *format, ...)
{
    char scratch[512]; /* nearly everything fits, so it is formatted once */
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int size = vsnprintf(scratch, sizeof scratch, format, args);
    invariant(size >= 0); /* our formats are all valid */
    if ((size_t)size < sizeof scratch) {
        buf_append(buf, scratch, (size_t)size);
    } else if (buf_extend(buf, (size_t)size + 1)) { /* vsnprintf wants to write its NUL */
        buf->size -= (size_t)size + 1;
        vsnprintf((char *)buf->data + buf->size, (size_t)size + 1, format, again);
        buf->size += (size_t)size;
    }
    va_end(again);
    va_end(args);
}

void buf_zeros(struct buf *buf, size_t count)
{
    uint8_t *at = buf_extend(buf, count);
    if (at) memset(at, 0, count);
}

steme_status buf_check(const struct buf *buf, struct steme_error *err)
{
    if (buf->status == STEME_OK) return STEME_OK;
    if (buf->status == STEME_NO_MEMORY)
        return error_set(err, STEME_NO_MEMORY, "no memory to grow a buffer past %zu bytes", buf->capacity);
    return error_set(err, STEME_TOO_LARGE, "the result would pass its limit of %zu bytes; ask for less at a time",
                     buf->ceiling_bytes);
}
