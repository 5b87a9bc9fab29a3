/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* MAP_ANONYMOUS, MAP_NORESERVE */
#include "host/mem_bytes.h"
#include "base/check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

void mem_bytes_deinit(struct mem_bytes *bytes)
{
    if (bytes->data) munmap(bytes->data, MEM_BYTES_MAX);
    free(bytes->places);
    free(bytes->pieces);
    *bytes = (struct mem_bytes){ 0 };
}

static int reserve(struct mem_bytes *bytes)
{
    if (bytes->data) return 0;
    void *data = mmap(NULL, MEM_BYTES_MAX, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (data == MAP_FAILED) return ENOMEM;
    bytes->data = data;
    return 0;
}

static uint64_t round_to_piece(uint64_t size)
{
    return (size + MEM_BYTES_PIECE - 1) / MEM_BYTES_PIECE * MEM_BYTES_PIECE;
}

/* Have memory, and places, for everything below end. */
static int touch(struct mem_bytes *bytes, uint64_t end)
{
    if (end > MEM_BYTES_MAX) return ENOSPC;
    int failure = reserve(bytes);
    if (failure) return failure;
    end = round_to_piece(end);
    if (end <= bytes->touched_end) return 0;
    size_t old_count = (size_t)(bytes->touched_end / MEM_BYTES_PIECE), count = (size_t)(end / MEM_BYTES_PIECE);
    /* Powers of two, so that a file growing by small writes is not copied each time; realloc sees no change. */
    size_t capacity = 64;
    while (capacity < count)
        capacity *= 2;
    uint32_t *places = realloc(bytes->places, capacity * sizeof *places);
    if (!places) return ENOMEM;
    memset(places + old_count, 0, (count - old_count) * sizeof *places);
    bytes->places = places;
    bytes->touched_end = end;
    return 0;
}

/* Room for `more` changed pieces, so that keeping them can't fail halfway. */
static int reserve_pieces(struct mem_bytes *bytes, size_t more)
{
    size_t needed = bytes->piece_count + more, capacity = bytes->piece_capacity ? bytes->piece_capacity : 8;
    if (needed <= bytes->piece_capacity) return 0;
    while (capacity < needed)
        capacity *= 2;
    struct mem_piece *pieces = realloc(bytes->pieces, capacity * sizeof *pieces);
    if (!pieces) return ENOMEM;
    bytes->pieces = pieces;
    bytes->piece_capacity = capacity;
    return 0;
}

/* The pieces that overlap offset..end are about to change: remember what the disk holds. */
static int keep_durable(struct mem_bytes *bytes, uint64_t offset, uint64_t end)
{
    size_t first = (size_t)(offset / MEM_BYTES_PIECE), stop = (size_t)(round_to_piece(end) / MEM_BYTES_PIECE);
    int failure = reserve_pieces(bytes, stop - first);
    if (failure) return failure;
    for (size_t number = first; number < stop; number++) {
        if (bytes->places[number]) {
            bytes->pieces[bytes->places[number] - 1].lost = false; /* changed anew: the next sync may save it */
            continue;
        }
        struct mem_piece *piece = &bytes->pieces[bytes->piece_count++];
        piece->number = (uint32_t)number;
        piece->lost = false;
        memcpy(piece->durable, bytes->data + number * MEM_BYTES_PIECE, MEM_BYTES_PIECE);
        bytes->places[number] = (uint32_t)bytes->piece_count;
    }
    return 0;
}

static void set_size(struct mem_bytes *bytes, uint64_t size)
{
    if (size == bytes->size) return;
    bytes->size = size;
    bytes->size_lost = false;
}

int mem_bytes_write(struct mem_bytes *bytes, uint64_t offset, struct steme_slice from)
{
    if (from.size == 0) return 0;
    if (from.size > MEM_BYTES_MAX || offset > MEM_BYTES_MAX - from.size) return ENOSPC;
    uint64_t end = offset + from.size;
    int failure = touch(bytes, end);
    if (!failure) failure = keep_durable(bytes, offset, end);
    if (failure) return failure;
    memcpy(bytes->data + offset, from.data, from.size);
    if (end > bytes->size) set_size(bytes, end);
    if (end > bytes->rewritten_end) bytes->rewritten_end = end;
    return 0;
}

size_t mem_bytes_read(const struct mem_bytes *bytes, uint64_t offset, void *to, size_t size)
{
    if (offset >= bytes->size || size == 0) return 0;
    uint64_t left = bytes->size - offset;
    size_t got = left < size ? (size_t)left : size;
    /* A file that was only grown has no memory yet; it reads as zeros. */
    if (bytes->data)
        memcpy(to, bytes->data + offset, got);
    else
        memset(to, 0, got);
    return got;
}

int mem_bytes_resize(struct mem_bytes *bytes, uint64_t size)
{
    if (size > MEM_BYTES_MAX) return ENOSPC;
    if (size < bytes->touched_end) { /* what is cut off must read as zeros if the file grows again */
        int failure = keep_durable(bytes, size, bytes->touched_end);
        if (failure) return failure;
        memset(bytes->data + size, 0, (size_t)(bytes->touched_end - size));
    }
    set_size(bytes, size);
    return 0;
}

int mem_bytes_map(struct mem_bytes *bytes, const uint8_t **data_out)
{
    int failure = reserve(bytes);
    if (!failure) *data_out = bytes->data;
    return failure;
}

/* With nothing unsynced, all past the end is zeros on both sides and need not be looked at again. */
static void forget_past_end(struct mem_bytes *bytes)
{
    uint64_t end = round_to_piece(bytes->size);
    if (bytes->piece_count == 0 && end < bytes->touched_end) bytes->touched_end = end;
}

void mem_bytes_sync(struct mem_bytes *bytes)
{
    size_t kept = 0;
    for (size_t i = 0; i < bytes->piece_count; i++) {
        const struct mem_piece *piece = &bytes->pieces[i];
        uint32_t number = piece->number;
        if (piece->lost) {
            bytes->pieces[kept++] = *piece;
            bytes->places[number] = (uint32_t)kept;
        } else {
            bytes->places[number] = 0;
        }
    }
    bytes->piece_count = kept;
    forget_past_end(bytes);
    /* What is written again past the end that the disk knows takes the end with it. */
    if (!bytes->size_lost)
        bytes->durable_size = bytes->size;
    else if (bytes->rewritten_end > bytes->durable_size)
        bytes->durable_size = bytes->rewritten_end < bytes->size ? bytes->rewritten_end : bytes->size;
}

void mem_bytes_lose(struct mem_bytes *bytes)
{
    for (size_t i = 0; i < bytes->piece_count; i++)
        bytes->pieces[i].lost = true;
    bytes->size_lost = bytes->size != bytes->durable_size;
    bytes->rewritten_end = 0;
}

void mem_bytes_forget(struct mem_bytes *bytes, uint64_t from_offset, uint64_t end)
{
    for (size_t i = 0; i < bytes->piece_count; i++) {
        uint64_t at = (uint64_t)bytes->pieces[i].number * MEM_BYTES_PIECE;
        if (at < end && at + MEM_BYTES_PIECE > from_offset) bytes->pieces[i].lost = true;
    }
}

int mem_bytes_misplace(struct mem_bytes *bytes, uint64_t offset, struct steme_slice from)
{
    if (offset >= bytes->size) return 0;
    if (from.size > bytes->size - offset) from.size = (size_t)(bytes->size - offset);
    if (from.size == 0) return 0;
    uint64_t end = offset + from.size;
    int failure = touch(bytes, end);
    if (!failure) failure = keep_durable(bytes, offset, end);
    if (failure) return failure;
    for (size_t i = 0; i < from.size; i++) {
        uint64_t at = offset + i;
        bytes->pieces[bytes->places[at / MEM_BYTES_PIECE] - 1].durable[at % MEM_BYTES_PIECE] = from.data[i];
    }
    mem_bytes_forget(bytes, offset, end);
    return 0;
}

/* The size after a power cut. Growth reaches the disk by and by, so anything between is possible too. */
static uint64_t cut_size(const struct mem_bytes *bytes, unsigned keep_permille, struct prng *prng)
{
    if (bytes->size == bytes->durable_size || bytes->size_lost) return bytes->durable_size;
    if (prng_chance(prng, keep_permille)) return bytes->size;
    if (bytes->size < bytes->durable_size || !prng_chance(prng, keep_permille)) return bytes->durable_size;
    return bytes->durable_size + prng_below(prng, bytes->size - bytes->durable_size);
}

/* The fate of a whole page, the same for all its pieces. */
static bool page_stays(const struct mem_piece *piece, unsigned keep_permille, uint64_t salt)
{
    struct prng prng = { salt + piece->number / (MEM_BYTES_PAGE / MEM_BYTES_PIECE) };
    return prng_chance(&prng, keep_permille);
}

void mem_bytes_cut(struct mem_bytes *bytes, unsigned keep_permille, struct prng *prng)
{
    uint64_t size = cut_size(bytes, keep_permille, prng);
    bool in_pages = prng_chance(prng, 500);
    uint64_t salt = prng_u64(prng);
    for (size_t i = 0; i < bytes->piece_count; i++) {
        const struct mem_piece *piece = &bytes->pieces[i];
        bool stays = in_pages ? page_stays(piece, keep_permille, salt) : prng_chance(prng, keep_permille);
        stays = stays && !piece->lost;
        if (!stays) memcpy(bytes->data + (uint64_t)piece->number * MEM_BYTES_PIECE, piece->durable, MEM_BYTES_PIECE);
        bytes->places[piece->number] = 0;
    }
    if (size < bytes->touched_end) memset(bytes->data + size, 0, (size_t)(bytes->touched_end - size));
    bytes->piece_count = 0;
    bytes->size = size;
    bytes->durable_size = size;
    bytes->size_lost = false;
    forget_past_end(bytes);
}

int mem_bytes_poke(struct mem_bytes *bytes, uint64_t offset, struct steme_slice from)
{
    if (from.size > bytes->size || offset > bytes->size - from.size) return EINVAL;
    if (from.size == 0) return 0;
    int failure = touch(bytes, offset + from.size);
    if (failure) return failure;
    memcpy(bytes->data + offset, from.data, from.size);
    for (size_t i = 0; i < from.size; i++) {
        uint64_t at = offset + i;
        uint32_t place = bytes->places[at / MEM_BYTES_PIECE];
        if (place) bytes->pieces[place - 1].durable[at % MEM_BYTES_PIECE] = from.data[i];
    }
    return 0;
}
