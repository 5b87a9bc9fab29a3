/* SPDX-License-Identifier: Apache-2.0 */
/* The content of one simulated file: what a program reads now, and what the disk would hold after a power cut.
 *
 * Only the present bytes are kept whole. For each 512-byte piece that was changed since the last sync, the bytes
 * that are on the disk are kept beside them; a sync drops those, a power cut may put them back. The present
 * bytes have one address for life, reserved at once, so that a mapping can point into them and see every later
 * write. Not thread-safe. */
#ifndef HOST_MEM_BYTES_H
#define HOST_MEM_BYTES_H

#include "base/error.h"
#include "base/prng.h"
#include "steme/types.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Address space reserved for a file; memory is taken only for pages that are written. */
#define MEM_BYTES_MAX ((uint64_t)128 << 20)
#define MEM_BYTES_PIECE 512u
/* What a system writes back at once; a power cut takes these whole or the pieces one by one. */
#define MEM_BYTES_PAGE 4096u

struct mem_piece {
    uint32_t number;                  /* its offset / MEM_BYTES_PIECE */
    bool lost;                        /* a failed sync dropped the change: no later sync will save it */
    uint8_t durable[MEM_BYTES_PIECE]; /* what the disk holds */
};

struct mem_bytes {
    uint8_t *data; /* MEM_BYTES_MAX reserved; NULL until first needed; zeros from touched_end on */
    uint64_t size;
    uint64_t durable_size;
    bool size_lost;           /* a failed sync dropped the change of size */
    uint64_t rewritten_end;   /* with size_lost: end of what was written since, which the next sync may save */
    uint64_t touched_end;     /* multiple of a piece */
    uint32_t *places;         /* per piece below touched_end: index into pieces + 1, or 0 for unchanged */
    struct mem_piece *pieces; /* in the order they were first changed */
    size_t piece_count, piece_capacity;
};

/* A zeroed structure is an empty file. */
void mem_bytes_deinit(struct mem_bytes *bytes);

/* The ones that return int answer 0 or an errno; after an errno nothing has changed. */

int mem_bytes_write(struct mem_bytes *bytes, uint64_t offset, struct steme_slice from);
/* Bytes copied: fewer than size only at the end. */
size_t mem_bytes_read(const struct mem_bytes *bytes, uint64_t offset, void *to, size_t size);
int mem_bytes_resize(struct mem_bytes *bytes, uint64_t size);
/* Where the present bytes stand, for a mapping. */
int mem_bytes_map(struct mem_bytes *bytes, const uint8_t **data_out);

/* Everything is on the disk, but for what an earlier failed sync lost. */
void mem_bytes_sync(struct mem_bytes *bytes);
/* A failed sync: what is unsynced will be gone at the next power cut, unless it is written again. */
void mem_bytes_lose(struct mem_bytes *bytes);
/* The disk never did this write of from_offset..end, though it will say that it did: no sync saves it, and a power cut
 * brings back what was there before. The write itself has been made. */
void mem_bytes_forget(struct mem_bytes *bytes, uint64_t from_offset, uint64_t end);
/* The disk did a write here that was meant for another place: what is read now stays, and a power cut shows it. Only
 * what lies inside the file lands. */
int mem_bytes_misplace(struct mem_bytes *bytes, uint64_t offset, struct steme_slice from);
/* Power cut: each unsynced piece, or each unsynced page as a whole, and the size, stays with a chance of keep_permille,
 * else it is what the disk held. An unsynced growth may also stay in part. */
void mem_bytes_cut(struct mem_bytes *bytes, unsigned keep_permille, struct prng *prng);

/* Change present and durable bytes alike. EINVAL outside the file. */
int mem_bytes_poke(struct mem_bytes *bytes, uint64_t offset, struct steme_slice from);

#endif
