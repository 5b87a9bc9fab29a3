/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/aside.h"

#include "base/check.h"
#include "base/slice.h"

#include <stdlib.h>
#include <string.h>

enum { HEADER_BYTES = 256, FILE_BYTES_MAX = 64 << 20, TORN = 1 };

static uint64_t number_at(const uint8_t *bytes, unsigned size)
{
    uint64_t number = 0;
    for (unsigned i = size; i > 0; i--)
        number = number << 8 | bytes[i - 1];
    return number;
}

/* One directory, and each file in it, in the arena. */
static size_t read_files(struct host *host, const char *store_dir, const char *name, struct arena *arena,
                         struct host_entry **entries, struct steme_slice **contents)
{
    size_t count = 0;
    const char *dir = host_join(arena, store_dir, name);
    invariant(dir);
    if (host_list(host, dir, arena, entries, &count, NULL)) return 0;
    *contents = arena_calloc(arena, count + 1, sizeof **contents);
    invariant(*contents);
    for (size_t i = 0; i < count; i++) {
        const char *path = host_join(arena, dir, (*entries)[i].name);
        invariant(path);
        if (host_read_file(host, path, FILE_BYTES_MAX, arena, &(*contents)[i], NULL))
            (*contents)[i] = slice_of(NULL, 0);
    }
    return count;
}

/* Its own check is not looked at: what counts is whether the bytes are there. */
static bool parse(const char *name, struct steme_slice file, struct aside *out)
{
    size_t length = strlen(name);
    if (length < 2 || strcmp(name + length - 2, ".q") != 0) return false;
    if (file.size < HEADER_BYTES || memcmp(file.data, "STEMEQTN", 8) != 0) return false;
    *out = (struct aside){ .segment = number_at(file.data + 48, 8),
                           .offset = number_at(file.data + 56, 8),
                           .reason = (uint32_t)number_at(file.data + 72, 4),
                           .bytes = slice_of(file.data + HEADER_BYTES, file.size - HEADER_BYTES) };
    return number_at(file.data + 64, 8) == out->bytes.size;
}

struct aside_list aside_read(struct host *host, const char *store_dir, struct arena *arena)
{
    struct host_entry *entries = NULL;
    struct steme_slice *contents = NULL;
    struct aside_list out = { 0 };
    size_t count = read_files(host, store_dir, "quarantine", arena, &entries, &contents);
    out.list = arena_calloc(arena, count + 1, sizeof *out.list);
    invariant(out.list && (contents || !count));
    for (size_t i = 0; i < count; i++) {
        struct aside *aside = &out.list[out.count];
        if (!parse(entries[i].name, contents[i], aside)) continue;
        out.count++;
        out.torn += aside->reason == TORN;
    }
    return out;
}

void log_image_take(struct host *host, const char *store_dir, struct log_image *out)
{
    struct host_entry *entries = NULL;
    struct steme_slice *contents = NULL;
    *out = (struct log_image){ .count = 0 };
    arena_init(&out->arena, (size_t)1 << 30);
    out->count = read_files(host, store_dir, "wal", &out->arena, &entries, &contents);
    out->files = arena_calloc(&out->arena, out->count + 1, sizeof *out->files);
    invariant(out->files && (contents || !out->count));
    for (size_t i = 0; i < out->count; i++)
        out->files[i] = (struct log_file){ strtoull(entries[i].name, NULL, 16), contents[i] };
}

void log_image_drop(struct log_image *image) { arena_deinit(&image->arena); }

static struct steme_slice bytes_of(const struct log_image *image, uint64_t segment)
{
    for (size_t i = 0; i < image->count; i++)
        if (image->files[i].segment == segment) return image->files[i].bytes;
    return slice_of(NULL, 0);
}

static bool is_aside(const struct aside_list *asides, uint64_t segment, uint64_t offset, uint8_t byte)
{
    for (size_t i = 0; i < asides->count; i++) {
        const struct aside *aside = &asides->list[i];
        if (aside->segment != segment || offset < aside->offset || offset - aside->offset >= aside->bytes.size)
            continue;
        if (aside->bytes.data[offset - aside->offset] == byte) return true;
    }
    return false;
}

const char *log_image_compare(const struct log_image *before, const struct log_image *after,
                              const struct aside_list *asides, uint64_t *segment_out, uint64_t *offset_out)
{
    for (size_t i = 0; i < before->count; i++) {
        struct steme_slice was = before->files[i].bytes, is = bytes_of(after, before->files[i].segment);
        *segment_out = before->files[i].segment;
        if (is.size >= was.size && (!was.size || memcmp(is.data, was.data, was.size) == 0)) continue;
        for (uint64_t at = 0; at < was.size; at++) {
            bool stays = at < is.size && is.data[at] == was.data[at];
            *offset_out = at;
            if (was.data[at] && !stays && !is_aside(asides, *segment_out, at, was.data[at]))
                return "a byte is neither where it was nor in quarantine";
        }
    }
    return NULL;
}

uint64_t log_image_used(const struct log_image *image, uint64_t segment, uint64_t from)
{
    struct steme_slice bytes = bytes_of(image, segment);
    for (uint64_t at = from; at < bytes.size; at++)
        if (bytes.data[at]) return at;
    return UINT64_MAX;
}
