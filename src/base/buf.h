/* SPDX-License-Identifier: Apache-2.0 */
/* Owned bytes that grow up to a ceiling. The first failure sticks: write on, check buf_status() once
 * at the end. One thread at a time. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/error.h"
#include "steme/types.h"

struct buf {
    uint8_t *data;        /* owned; NULL until the first byte */
    size_t size;          /* bytes in use */
    size_t capacity;      /* bytes allocated */
    size_t ceiling_bytes; /* size never passes it */
    steme_status status;  /* STEME_OK, STEME_NO_MEMORY or STEME_TOO_LARGE */
};

void buf_init(struct buf *buf, size_t ceiling_bytes);
void buf_deinit(struct buf *buf); /* frees; leaves it zeroed; safe on zeroed */
void buf_clear(struct buf *buf);  /* size 0 and status OK again; keeps the memory */

/* Make room for size more bytes and return where they go, or NULL after a failure. size grows. */
uint8_t *buf_extend(struct buf *buf, size_t size);
void buf_append(struct buf *buf, const void *data, size_t size);
void buf_append_slice(struct buf *buf, struct steme_slice bytes);
void buf_append_text(struct buf *buf, const char *text);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_zeros(struct buf *buf, size_t count);

static inline struct steme_slice buf_slice(const struct buf *buf)
{
    return (struct steme_slice){ buf->data, buf->size };
}

/* STEME_OK, or the first failure with a message about the ceiling or memory. */
MUST_CHECK steme_status buf_check(const struct buf *buf, struct steme_error *err);

#endif
