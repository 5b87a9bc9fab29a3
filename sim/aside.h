/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of the log, and what became of each in an opening: it is where it was, or in quarantine, or gone. Reads the
 * files by itself, as docs/format/recovery.md describes them. One thread. */
#ifndef SIM_ASIDE_H
#define SIM_ASIDE_H

#include "base/arena.h"
#include "host/host.h"

/* A quarantine file with a header as the format has it. */
struct aside {
    uint64_t segment, offset;
    uint32_t reason; /* 1: a torn tail */
    struct steme_slice bytes;
};

struct aside_list {
    struct aside *list;
    size_t count, torn; /* torn: how many of them are torn tails */
};

/* What is in the quarantine of a store, in the arena; nothing where that can't be read. */
struct aside_list aside_read(struct host *host, const char *store_dir, struct arena *arena);

struct log_file {
    uint64_t segment;
    struct steme_slice bytes;
};

/* All segments as they are now. */
struct log_image {
    struct arena arena;
    struct log_file *files;
    size_t count;
};

/* The caller drops it. */
void log_image_take(struct host *host, const char *store_dir, struct log_image *out);
void log_image_drop(struct log_image *image);
/* NULL if every byte that was not zero is where it was, or a copy of it in quarantine says that it was there; else what
 * is wrong, static text, with its place. */
const char *log_image_compare(const struct log_image *before, const struct log_image *after,
                              const struct aside_list *asides, uint64_t *segment_out, uint64_t *offset_out);
/* Where the first byte is not zero from an offset of a segment on; UINT64_MAX: nowhere. */
uint64_t log_image_used(const struct log_image *image, uint64_t segment, uint64_t from);

#endif
