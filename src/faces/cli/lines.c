/* SPDX-License-Identifier: Apache-2.0 */
#include "faces/cli/lines.h"
#include "base/slice.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK_BYTES = 1 << 16 };

static steme_status fill_block(struct lines *lines, struct steme_error *err)
{
    ssize_t size;
    lines->block_used = 0;
    lines->block_size = 0;
    do {
        size = read(lines->descriptor, lines->block, BLOCK_BYTES);
    } while (size < 0 && errno == EINTR);
    if (size < 0 && errno == EISDIR)
        return error_set(err, STEME_BAD_INPUT, "%.300s is a directory; a file is wanted", lines->name);
    if (size < 0) return error_set_os(err, STEME_IO, errno, "can't read %.300s", lines->name);
    lines->block_size = (size_t)size;
    return STEME_OK;
}

static bool block_begins(const struct lines *lines, const char *bytes)
{
    size_t size = strlen(bytes);
    return lines->block_size >= size && memcmp(lines->block, bytes, size) == 0;
}

static steme_status begin(struct lines *lines, struct steme_error *err)
{
    lines->block = malloc(BLOCK_BYTES);
    if (!lines->block) return error_set(err, STEME_NO_MEMORY, "no memory to read the input");
    steme_status status = fill_block(lines, err);
    if (status) return status;
    if (block_begins(lines, "\x1f\x8b"))
        return error_set(err, STEME_BAD_INPUT, "%.300s is compressed with gzip: decompress it first, as zcat does",
                         lines->name);
    if (block_begins(lines, "\xFF\xFE") || block_begins(lines, "\xFE\xFF"))
        return error_set(err, STEME_BAD_INPUT, "%.300s is UTF-16: turn it into UTF-8 first, as iconv -f UTF-16 does",
                         lines->name);
    if (block_begins(lines, "\xEF\xBB\xBF")) lines->block_used = 3;
    return STEME_OK;
}

steme_status lines_init(struct lines *lines, int descriptor, size_t max_bytes, struct steme_error *err)
{
    *lines = (struct lines){ .descriptor = descriptor, .name = "the input", .max_bytes = max_bytes };
    buf_init(&lines->line, max_bytes);
    return begin(lines, err);
}

steme_status lines_open(struct lines *lines, const char *path, size_t max_bytes, struct steme_error *err)
{
    *lines = (struct lines){ .descriptor = -1, .name = path, .max_bytes = max_bytes };
    buf_init(&lines->line, max_bytes);
    if (path[0] == '\0') return error_set(err, STEME_BAD_INPUT, "the name of the file to read is empty");
    lines->file = fopen(path, "rb");
    if (!lines->file)
        return error_set_os(err, errno == ENOENT ? STEME_NOT_FOUND : STEME_IO, errno, "can't open %.300s", path);
    lines->descriptor = fileno(lines->file);
    return begin(lines, err);
}

void lines_deinit(struct lines *lines)
{
    if (lines->file) fclose(lines->file);
    free(lines->block);
    buf_deinit(&lines->line);
    *lines = (struct lines){ 0 };
}

uint8_t lines_peek(const struct lines *lines)
{
    for (size_t i = lines->block_used; i < lines->block_size; i++)
        if (lines->block[i] > ' ') return lines->block[i];
    return 0;
}

/* Add bytes to the line, or notice that it is too long and forget it. */
static steme_status extend_line(struct lines *lines, const uint8_t *bytes, size_t size, struct steme_error *err)
{
    if (lines->too_long) return STEME_OK;
    if (size > lines->max_bytes - lines->line.size) {
        lines->too_long = true;
        buf_clear(&lines->line);
        return STEME_OK;
    }
    buf_append(&lines->line, bytes, size);
    return buf_check(&lines->line, err);
}

steme_status lines_next(struct lines *lines, bool *more_out, struct steme_error *err)
{
    buf_clear(&lines->line);
    lines->too_long = false;
    lines->has_end = false;
    bool began = false;
    while (!lines->has_end) {
        if (lines->block_used == lines->block_size) {
            steme_status status = fill_block(lines, err);
            if (status) return status;
            if (lines->block_size == 0) break;
        }
        began = true;
        const uint8_t *from = lines->block + lines->block_used;
        size_t rest = lines->block_size - lines->block_used;
        const uint8_t *end = memchr(from, '\n', rest);
        size_t size = end ? (size_t)(end - from) : rest;
        lines->block_used += size + (end != NULL);
        lines->has_end = end != NULL;
        steme_status status = extend_line(lines, from, size, err);
        if (status) return status;
    }
    *more_out = began;
    if (!began) return STEME_OK;
    lines->number++;
    lines->text = buf_slice(&lines->line);
    if (lines->text.size > 0 && lines->text.data[lines->text.size - 1] == '\r') lines->text.size--;
    return STEME_OK;
}
