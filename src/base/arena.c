/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"
#include "base/check.h"

#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_POISON 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_POISON 1
#endif
#endif

/* Under AddressSanitizer, memory that is not handed out is off limits, so a pointer that outlives a rewind
 * is caught like a use after free. */
#ifdef ARENA_POISON
#include <sanitizer/asan_interface.h>

/* Not inlined: the compiler would warn that fresh memory is looked at before it is written. */
__attribute__((noinline)) static void hide_bytes(void *at, size_t size) { __asan_poison_memory_region(at, size); }

static void show_bytes(void *at, size_t size) { __asan_unpoison_memory_region(at, size); }
#else
static void hide_bytes(void *at, size_t size) { (void)at, (void)size; }

static void show_bytes(void *at, size_t size) { (void)at, (void)size; }
#endif

enum {
    ARENA_ALIGN = 16,
    ARENA_BLOCK_FIRST = 4096,      /* room in the first block, bytes: a small request never needs a second */
    ARENA_BLOCK_LARGEST = 1 << 20, /* blocks double up to here; a larger request gets a block of its own size */
    ARENA_AGAIN_LARGEST = 16 << 20 /* so much is kept from round to round: faulting pages in anew costs more */
};

struct arena_block {
    struct arena_block *older;
    size_t used;
    size_t capacity;
    size_t unused_word; /* keeps bytes[] aligned to ARENA_ALIGN */
    uint8_t bytes[];
};

_Static_assert(sizeof(struct arena_block) % ARENA_ALIGN == 0, "what follows the header is aligned");

void arena_init(struct arena *arena, size_t ceiling_bytes)
{
    *arena = (struct arena){ .ceiling_bytes = ceiling_bytes };
}

static void free_block(struct arena_block *block)
{
    show_bytes(block->bytes, block->capacity);
    free(block);
}

void arena_deinit(struct arena *arena)
{
    while (arena->block) {
        struct arena_block *block = arena->block;
        arena->block = block->older;
        free_block(block);
    }
    *arena = (struct arena){ 0 };
}

/* Put a block in front that has room for size bytes. */
static struct arena_block *add_block(struct arena *arena, size_t size)
{
    size_t capacity = ARENA_BLOCK_FIRST;
    if (arena->block) {
        size_t twice = arena->block->capacity * 2;
        capacity = twice < ARENA_BLOCK_LARGEST ? twice : ARENA_BLOCK_LARGEST;
    }
    /* What a round took before, this one is likely to take: in one block, which the rewind keeps for the next. */
    size_t again = arena->peak_bytes > arena->used_bytes ? arena->peak_bytes - arena->used_bytes : 0;
    if (capacity < again && again <= ARENA_AGAIN_LARGEST) capacity = again;
    size_t left = arena->ceiling_bytes - arena->used_bytes;
    if (capacity > left) capacity = left; /* the rest of a larger block could never be used */
    if (capacity < size) capacity = size;
    struct arena_block *block = malloc(sizeof *block + capacity);
    if (!block) return NULL;
    *block = (struct arena_block){ .older = arena->block, .capacity = capacity };
    hide_bytes(block->bytes, capacity);
    arena->block = block;
    return block;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    size_t left = arena->ceiling_bytes - arena->used_bytes;
    if (size > left || size > SIZE_MAX / 2) return NULL;
    size_t rounded = size ? (size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1) : ARENA_ALIGN;
    if (rounded > left) return NULL;
    struct arena_block *block = arena->block;
    if (!block || rounded > block->capacity - block->used) {
        block = add_block(arena, rounded);
        if (!block) return NULL;
    }
    uint8_t *at = block->bytes + block->used;
    block->used += rounded;
    arena->used_bytes += rounded;
    show_bytes(at, size);
    return at;
}

void *arena_calloc(struct arena *arena, size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total)) return NULL;
    void *at = arena_alloc(arena, total);
    return at ? memset(at, 0, total) : NULL;
}

struct steme_slice arena_copy(struct arena *arena, struct steme_slice bytes)
{
    if (bytes.size == SIZE_MAX) return (struct steme_slice){ 0 };
    uint8_t *at = arena_alloc(arena, bytes.size + 1);
    if (!at) return (struct steme_slice){ 0 };
    if (bytes.size) memcpy(at, bytes.data, bytes.size);
    at[bytes.size] = 0;
    return (struct steme_slice){ at, bytes.size };
}

/* An empty block is a spare: it lies above whatever the mark is of, or each round would leave one behind. */
struct arena_mark arena_mark(const struct arena *arena)
{
    struct arena_block *block = arena->block;
    if (block && block->used == 0) block = block->older;
    return (struct arena_mark){
        .block = block,
        .block_used = block ? block->used : 0,
        .used_bytes = arena->used_bytes,
    };
}

/* Of what is given back: the block that has room for a whole round like this one. If no single block did, none; the
 * next round then begins with one that does. */
static struct arena_block *pick_spare(const struct arena *arena, const struct arena_mark *mark)
{
    struct arena_block *newest = arena->block;
    if (newest == mark->block) return NULL;
    bool single = newest->older == mark->block;
    return single || arena->peak_bytes - mark->used_bytes > ARENA_AGAIN_LARGEST ? newest : NULL;
}

void arena_rewind(struct arena *arena, struct arena_mark mark)
{
    invariant(mark.used_bytes <= arena->used_bytes);
    if (arena->peak_bytes < arena->used_bytes) arena->peak_bytes = arena->used_bytes;
    struct arena_block *spare = pick_spare(arena, &mark);
    struct arena_block *block = spare ? spare->older : arena->block;
    while (block != mark.block) {
        invariant(block); /* or the mark is of another arena, or older than an earlier rewind */
        struct arena_block *older = block->older;
        free_block(block);
        block = older;
    }
    if (block) {
        block->used = mark.block_used;
        hide_bytes(block->bytes + block->used, block->capacity - block->used);
    }
    if (spare) {
        spare->older = block;
        spare->used = 0;
        hide_bytes(spare->bytes, spare->capacity);
    }
    arena->block = spare ? spare : block;
    arena->used_bytes = mark.used_bytes;
}

bool arena_grow(struct arena *arena, void **list, size_t count, size_t more, size_t *capacity, size_t size)
{
    enum { FIRST = 16 };
    if (more <= *capacity - count) return true;
    size_t wanted = *capacity ? *capacity : FIRST / 2;
    do
        wanted = wanted <= SIZE_MAX / 2 ? 2 * wanted : SIZE_MAX;
    while (wanted - count < more);
    void *grown = wanted <= SIZE_MAX / size ? arena_alloc(arena, wanted * size) : NULL;
    if (!grown) return false;
    if (count) memcpy(grown, *list, count * size);
    *list = grown;
    *capacity = wanted;
    return true;
}
