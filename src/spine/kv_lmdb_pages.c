/* SPDX-License-Identifier: Apache-2.0 */
/* Whether LMDB can walk its trees without falling off: it follows page numbers, offsets and lengths as they are. */
#include "spine/kv_lmdb_internal.h"

#include "base/codec.h"
#include "base/slice.h"

#include <stdlib.h>

/* LMDB 0.9 (mdb.c: MDB_page, MDB_node). A page: number u64, pad u16, flags u16, end of offsets u16, begin of nodes u16
 * (of an overflow page: how many pages u32), offsets u16 each. A node: low u16, high u16, flags u16, key size u16, key,
 * value. Low and high are the value's size, or with the flags a branch's page number. */
enum {
    HEADER_BYTES = 16,
    NODE_BYTES = 8,
    PAGE_IS_BRANCH = 1,
    PAGE_IS_LEAF = 2,
    PAGE_IS_OVERFLOW = 4,
    VALUE_ELSEWHERE = 1,
    LEVEL_PAGES_MAX = 256, /* of a level of branches that is walked, so that opening costs the same whatever the size */
};

struct walk {
    struct host_file *file;
    const struct lmdb_shape *shape;
    uint8_t *page;      /* the one that is looked at */
    uint8_t *seen;      /* a bit for each page of the file: in a tree, or free; NULL when only a part is walked */
    uint64_t *level;    /* pages of this level of a tree */
    uint64_t *children; /* pages of the next */
    size_t child_count;
};

static bool mark_seen(struct walk *walk, uint64_t number)
{
    if (number < 2 || number > walk->shape->last_page) return false;
    if (!walk->seen) return true;
    uint8_t bit = (uint8_t)(1u << (number % 8)), *byte = &walk->seen[number / 8];
    if (*byte & bit) return false;
    *byte |= bit;
    return true;
}

static steme_status read_bytes(struct walk *walk, uint64_t offset, void *to, size_t size, bool *sound,
                               struct steme_error *err)
{
    size_t got = 0;
    steme_status status = host_read_at(walk->file, offset, to, size, &got, err);
    if (!status && got < size) *sound = false;
    return status;
}

static size_t node_count(const uint8_t *page) { return (load_u16(page + 12) - (size_t)HEADER_BYTES) / 2; }

static const uint8_t *node_at(const uint8_t *page, size_t index)
{
    return page + load_u16(page + HEADER_BYTES + 2 * index);
}

static uint64_t child_of(const uint8_t *node)
{
    return load_u16(node) | (uint64_t)load_u16(node + 2) << 16 | (uint64_t)load_u16(node + 4) << 32;
}

static size_t value_size(const uint8_t *node) { return load_u16(node) | (size_t)load_u16(node + 2) << 16; }

static struct steme_slice node_key(const uint8_t *node) { return slice_of(node + NODE_BYTES, load_u16(node + 6)); }

/* Bytes of a node in its page; SIZE_MAX for one that is none. */
static size_t node_size(const uint8_t *node, bool branch)
{
    size_t size = NODE_BYTES + (size_t)load_u16(node + 6);
    if (load_u16(node + 6) > KV_KEY_MAX) return SIZE_MAX;
    if (branch) return size;
    if (load_u16(node + 4) & ~VALUE_ELSEWHERE) return SIZE_MAX;
    return size + (load_u16(node + 4) ? sizeof(uint64_t) : value_size(node));
}

/* Header and nodes: all within the page, side by side and without a gap, keys rising. Keys of the free list are
 * numbers. */
static bool page_sound(const struct walk *walk, uint64_t number, uint16_t kind, bool numbers)
{
    const uint8_t *page = walk->page;
    size_t lower = load_u16(page + 12), upper = load_u16(page + 14), total = 0;
    bool branch = kind == PAGE_IS_BRANCH;
    if (load_u64(page) != number || load_u16(page + 10) != kind) return false;
    if (lower <= HEADER_BYTES || lower % 2 || lower > upper || upper > walk->shape->page_bytes) return false;
    for (size_t i = 0; i < node_count(page); i++) {
        size_t at = load_u16(page + HEADER_BYTES + 2 * i);
        if (at % 2 || at < upper || at + NODE_BYTES > walk->shape->page_bytes) return false;
        size_t size = node_size(page + at, branch);
        if (size > walk->shape->page_bytes - at) return false;
        total += size + size % 2;
        if (i < 1 + (size_t)branch) continue; /* the first key of a branch is never looked at */
        struct steme_slice before = node_key(node_at(page, i - 1)), key = node_key(page + at);
        if (numbers && (before.size != 8 || key.size != 8)) return false;
        if (numbers ? load_u64(before.data) >= load_u64(key.data) : slice_compare(before, key) >= 0) return false;
    }
    return total == walk->shape->page_bytes - upper;
}

/* A value on pages of its own; they may be more than it needs now. */
static steme_status check_overflow(struct walk *walk, const uint8_t *node, bool *sound, struct steme_error *err)
{
    uint8_t header[HEADER_BYTES];
    uint64_t first = load_u64(node + NODE_BYTES + load_u16(node + 6)), last = walk->shape->last_page;
    *sound = first >= 2 && first <= last;
    if (!*sound) return STEME_OK;
    steme_status status = read_bytes(walk, first * walk->shape->page_bytes, header, sizeof header, sound, err);
    if (status || !*sound) return status;
    uint64_t count = load_u32(header + 12);
    *sound = load_u64(header) == first && load_u16(header + 10) == PAGE_IS_OVERFLOW && count <= last - first + 1 &&
             HEADER_BYTES + value_size(node) <= count * walk->shape->page_bytes;
    for (uint64_t i = 0; *sound && walk->seen && i < count; i++)
        *sound = mark_seen(walk, first + i);
    return STEME_OK;
}

static steme_status check_free(struct walk *walk, const uint8_t *node, bool *sound, struct steme_error *err)
{
    size_t size = value_size(node), key_size = load_u16(node + 6);
    const uint8_t *value = node + NODE_BYTES + key_size;
    uint8_t *copy = NULL;
    steme_status status = STEME_OK;
    *sound = *sound && key_size == 8 && size >= 8 && size % 8 == 0 &&
             size / walk->shape->page_bytes <= walk->shape->last_page;
    if (*sound && load_u16(node + 4)) {
        copy = malloc(size);
        if (!copy) return error_set(err, STEME_NO_MEMORY, "no memory to check the index's free pages");
        uint64_t from = load_u64(value) * walk->shape->page_bytes + HEADER_BYTES;
        status = read_bytes(walk, from, copy, size, sound, err);
        value = copy;
    }
    uint64_t count = !status && *sound ? load_u64(value) : 0;
    if (count > size / 8 - 1) *sound = false;
    for (uint64_t i = 1; *sound && i <= count; i++)
        *sound = mark_seen(walk, load_u64(value + 8 * i)) &&
                 (i == 1 || load_u64(value + 8 * i) < load_u64(value + 8 * (i - 1)));
    free(copy);
    return status;
}

static steme_status check_leaf(struct walk *walk, bool free_list, bool *sound, struct steme_error *err)
{
    steme_status status = STEME_OK;
    for (size_t i = 0; !status && *sound && i < node_count(walk->page); i++) {
        const uint8_t *node = node_at(walk->page, i);
        if (load_u16(node + 4)) status = check_overflow(walk, node, sound, err);
        if (!status && *sound && free_list) status = check_free(walk, node, sound, err);
    }
    return status;
}

static void take_children(struct walk *walk, bool *sound)
{
    for (size_t i = 0; *sound && i < node_count(walk->page); i++) {
        uint64_t child = child_of(node_at(walk->page, i));
        *sound = mark_seen(walk, child); /* so there can't be more than pages in the file */
        if (*sound) walk->children[walk->child_count++] = child;
    }
}

static steme_status walk_level(struct walk *walk, size_t count, bool leaf, bool free_list, bool *sound,
                               struct steme_error *err)
{
    steme_status status = STEME_OK;
    walk->child_count = 0;
    for (size_t i = 0; !status && *sound && i < count; i++) {
        uint64_t number = walk->level[i];
        status = read_bytes(walk, number * walk->shape->page_bytes, walk->page, walk->shape->page_bytes, sound, err);
        if (status || !*sound) break;
        *sound = page_sound(walk, number, leaf ? PAGE_IS_LEAF : PAGE_IS_BRANCH, free_list);
        if (*sound && leaf) status = check_leaf(walk, free_list, sound, err);
        if (*sound && !leaf) take_children(walk, sound);
    }
    return status;
}

/* Level by level: a tree is all leaves at one depth. */
static steme_status walk_tree(struct walk *walk, const struct lmdb_tree *tree, bool free_list, bool leaves, bool *sound,
                              struct steme_error *err)
{
    size_t count = 1;
    steme_status status = STEME_OK;
    if (tree->depth == 0) return STEME_OK;
    *sound = mark_seen(walk, tree->root);
    walk->level[0] = tree->root;
    for (size_t depth = 1; !status && *sound && depth <= tree->depth; depth++) {
        bool leaf = depth == tree->depth;
        if (!leaves && (leaf || count > LEVEL_PAGES_MAX)) break;
        status = walk_level(walk, count, leaf, free_list, sound, err);
        uint64_t *above = walk->level;
        walk->level = walk->children;
        walk->children = above;
        count = walk->child_count;
    }
    return status;
}

steme_status lmdb_pages_check(struct host_file *file, const struct lmdb_shape *shape, bool leaves, bool *sound_out,
                              struct steme_error *err)
{
    size_t pages = (size_t)shape->last_page + 1;
    struct walk walk = { .file = file, .shape = shape };
    walk.page = malloc(shape->page_bytes);
    walk.seen = calloc(pages / 8 + 1, 1);
    walk.level = malloc(pages * sizeof *walk.level);
    walk.children = malloc(pages * sizeof *walk.children);
    steme_status status = STEME_OK;
    *sound_out = true;
    if (!walk.page || !walk.seen || !walk.level || !walk.children)
        status = error_set(err, STEME_NO_MEMORY, "no memory to check the index's pages");
    if (!status) status = walk_tree(&walk, &shape->main, false, leaves, sound_out, err);
    if (!status && *sound_out) status = walk_tree(&walk, &shape->free, true, true, sound_out, err);
    free(walk.page);
    free(walk.seen);
    free(walk.level);
    free(walk.children);
    return status;
}

/* ---- a part of the tree ---- */

struct part {
    struct walk walk;
    uint8_t *pages; /* one for each level */
    struct steme_slice from, to;
};

/* Which way of a page's children is gone. */
enum way { LOWEST, WITHIN, HIGHEST };

/* The child whose keys may begin with this one: the first key of a branch counts as below all. */
static size_t child_with(const uint8_t *page, struct steme_slice key)
{
    size_t low = 0, high = node_count(page);
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (slice_compare(node_key(node_at(page, middle)), key) <= 0)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static steme_status examine_page(struct part *part, uint64_t number, unsigned depth, enum way way, bool *sound,
                                 struct steme_error *err);

/* The children of a branch that hold the keys, and one more on each side, of which only the near edge is walked. */
static steme_status examine_children(struct part *part, const uint8_t *page, unsigned depth, enum way way, bool *sound,
                                     struct steme_error *err)
{
    size_t count = node_count(page), first = 0, last = count - 1;
    if (way == WITHIN && part->from.size) first = child_with(page, part->from);
    if (way == WITHIN && part->to.size) last = child_with(page, part->to);
    if (way == LOWEST) last = 0;
    if (way == HIGHEST) first = last;
    steme_status status = STEME_OK;
    if (way == WITHIN && first > 0)
        status = examine_page(part, child_of(node_at(page, first - 1)), depth + 1, HIGHEST, sound, err);
    for (size_t i = first; !status && *sound && i <= last; i++)
        status = examine_page(part, child_of(node_at(page, i)), depth + 1, way, sound, err);
    if (!status && *sound && way == WITHIN && last + 1 < count)
        status = examine_page(part, child_of(node_at(page, last + 1)), depth + 1, LOWEST, sound, err);
    return status;
}

/* depth: from 1, of which a sound header allows 32. */
static steme_status examine_page(struct part *part, uint64_t number, unsigned depth, enum way way, bool *sound,
                                 struct steme_error *err)
{
    struct walk *walk = &part->walk;
    size_t page_bytes = walk->shape->page_bytes;
    uint8_t *page = part->pages + (depth - 1) * page_bytes;
    bool leaf = depth == walk->shape->main.depth;
    *sound = mark_seen(walk, number);
    if (!*sound) return STEME_OK;
    walk->page = page;
    steme_status status = read_bytes(walk, number * page_bytes, page, page_bytes, sound, err);
    if (status || !*sound) return status;
    *sound = page_sound(walk, number, leaf ? PAGE_IS_LEAF : PAGE_IS_BRANCH, false);
    if (!*sound) return STEME_OK;
    return leaf ? check_leaf(walk, false, sound, err) : examine_children(part, page, depth, way, sound, err);
}

steme_status lmdb_pages_examine(struct host_file *file, const struct lmdb_shape *shape, struct steme_slice from,
                                struct steme_slice to, bool *sound_out, struct steme_error *err)
{
    struct part part = { .walk = { .file = file, .shape = shape }, .from = from, .to = to };
    *sound_out = true;
    if (shape->main.depth == 0) return STEME_OK;
    part.pages = malloc((size_t)shape->main.depth * shape->page_bytes);
    if (!part.pages) return error_set(err, STEME_NO_MEMORY, "no memory to check the index's pages");
    steme_status status = examine_page(&part, shape->main.root, 1, WITHIN, sound_out, err);
    free(part.pages);
    return status;
}
