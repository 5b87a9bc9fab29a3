/* SPDX-License-Identifier: Apache-2.0 */
#include "spine/sorter.h"

#include "base/check.h"
#include "base/codec.h"
#include "base/slice.h"

#include <stdio.h>
#include <stdlib.h>

/* A pair is kept, in memory and in a run, as u16 key bytes, u16 value bytes, key, value. */
enum {
    PAIR_HEADER_BYTES = 4,
    PAIR_MAX_BYTES = PAIR_HEADER_BYTES + 2 * 65535,
    BUFFER_BYTES = 256 << 10, /* for writing a run and for reading one; at least PAIR_MAX_BYTES */
    PATH_BYTES = 4096,
    AHEAD = 8, /* pairs lie about in memory in the order of adding: so many are fetched before they are needed */
};
_Static_assert(BUFFER_BYTES >= PAIR_MAX_BYTES, "a pair must fit the buffer");

/* What is sorted: the key's first 8 bytes decide nearly every comparison without touching the pair. */
struct item {
    uint64_t prefix;
    const uint8_t *pair; /* rises with the order of adding, which makes the sort stable */
};

struct run {
    struct host_file *file;
    uint64_t offset, size; /* next byte to read; end */
    uint8_t *buffer;
    size_t begin, end; /* unread bytes in buffer */
    struct steme_slice key, value;
    bool done;
};

struct sorter {
    struct host *host;
    char dir[PATH_BYTES];
    uint8_t *pairs;
    size_t pair_bytes, pair_capacity;
    struct item *items, *spare_items; /* both of item_capacity */
    size_t item_count, item_capacity;
    struct run *runs; /* files written so far */
    size_t run_count;
    size_t *heap; /* indices of runs, the one with the least key on top; ties by index */
    size_t heap_count;
    bool reading;
    bool advance; /* the top of the heap was handed out and must move on first */
    size_t next_item;
};

static const char *run_path(const struct sorter *sorter, size_t index, char path[PATH_BYTES + 32])
{
    snprintf(path, PATH_BYTES + 32, "%s/sort-%zu.run", sorter->dir, index);
    return path;
}

steme_status sorter_new(struct host *host, const char *dir, size_t memory_bytes, struct sorter **out,
                        struct steme_error *err)
{
    invariant(memory_bytes >= 1u << 20);
    struct sorter *sorter = calloc(1, sizeof *sorter);
    if (!sorter) return error_set(err, STEME_NO_MEMORY, "no memory to sort the index in");
    sorter->host = host;
    if ((size_t)snprintf(sorter->dir, sizeof sorter->dir, "%s", dir) >= sizeof sorter->dir) {
        free(sorter);
        return error_set(err, STEME_TOO_LARGE, "the path %s is too long", dir);
    }
    sorter->pair_capacity = memory_bytes;
    sorter->item_capacity = memory_bytes / 32;
    sorter->pairs = malloc(sorter->pair_capacity);
    sorter->items = malloc(sorter->item_capacity * sizeof *sorter->items);
    sorter->spare_items = malloc(sorter->item_capacity * sizeof *sorter->items);
    if (!sorter->pairs || !sorter->items || !sorter->spare_items) {
        sorter_free(&sorter);
        return error_set(err, STEME_NO_MEMORY, "no memory to sort the index in: %zu bytes", memory_bytes);
    }
    *out = sorter;
    return STEME_OK;
}

void sorter_free(struct sorter **sorter)
{
    struct sorter *s = *sorter;
    *sorter = NULL;
    if (!s) return;
    for (size_t i = 0; i < s->run_count; i++) {
        char path[PATH_BYTES + 32];
        host_close(&s->runs[i].file);
        free(s->runs[i].buffer);
        (void)!host_remove(s->host, run_path(s, i, path), NULL); /* a leftover is removed by sorter_clean() */
    }
    free(s->runs);
    free(s->heap);
    free(s->spare_items);
    free(s->items);
    free(s->pairs);
    free(s);
}

static struct steme_slice pair_key(const uint8_t *pair) { return slice_of(pair + PAIR_HEADER_BYTES, load_u16(pair)); }

static size_t pair_size(const uint8_t *pair) { return PAIR_HEADER_BYTES + (size_t)load_u16(pair) + load_u16(pair + 2); }

static struct steme_slice pair_value(const uint8_t *pair)
{
    return slice_of(pair + PAIR_HEADER_BYTES + load_u16(pair), load_u16(pair + 2));
}

static uint64_t prefix_of(struct steme_slice key)
{
    uint8_t first[8] = { 0 };
    memcpy(first, key.data, key.size < 8 ? key.size : 8);
    return load_u64be(first);
}

static int compare_items(const void *left, const void *right)
{
    const struct item *a = left, *b = right;
    if (a->prefix != b->prefix) return a->prefix < b->prefix ? -1 : 1;
    int order = slice_compare(pair_key(a->pair), pair_key(b->pair));
    return order ? order : (a->pair > b->pair) - (a->pair < b->pair);
}

/* Order items by one byte of their prefixes; those in which it is equal stay as they are. */
static void sort_by_byte(struct sorter *s, unsigned shift)
{
    size_t starts[256] = { 0 }, start = 0;
    for (size_t i = 0; i < s->item_count; i++)
        starts[s->items[i].prefix >> shift & 0xff]++;
    if (starts[s->items[0].prefix >> shift & 0xff] == s->item_count) return;
    for (size_t digit = 0; digit < countof(starts); digit++) {
        size_t size = starts[digit];
        starts[digit] = start;
        start += size;
    }
    for (size_t i = 0; i < s->item_count; i++)
        s->spare_items[starts[s->items[i].prefix >> shift & 0xff]++] = s->items[i];
    struct item *swap = s->items;
    s->items = s->spare_items;
    s->spare_items = swap;
}

/* By the first bytes of the prefixes, the last of these first: five passes where comparing takes twenty. As most keys
 * are a letter and a hash, that leaves few in doubt, and those are compared. */
static void sort_items(struct sorter *s)
{
    enum { DOUBT_BITS = 24 }; /* the rest of a prefix */
    if (s->item_count == 0) return;
    for (unsigned shift = DOUBT_BITS; shift < 64; shift += 8)
        sort_by_byte(s, shift);
    for (size_t i = 0, next; i < s->item_count; i = next) {
        bool sorted = true;
        for (next = i + 1; next < s->item_count; next++) {
            if (s->items[next].prefix >> DOUBT_BITS != s->items[i].prefix >> DOUBT_BITS) break;
            sorted = sorted && compare_items(&s->items[next - 1], &s->items[next]) < 0;
        }
        if (!sorted) qsort(s->items + i, next - i, sizeof *s->items, compare_items);
    }
}

/* The pair of an item; one some places on is fetched meanwhile. */
static const uint8_t *pair_at(const struct sorter *s, size_t i)
{
    if (i + AHEAD < s->item_count) __builtin_prefetch(s->items[i + AHEAD].pair);
    return s->items[i].pair;
}

static steme_status write_out(struct host_file *file, const uint8_t *bytes, size_t size, uint64_t *offset,
                              struct steme_error *err)
{
    struct steme_slice piece = slice_of(bytes, size);
    steme_status status = host_write_at(file, *offset, &piece, 1, err);
    *offset += size;
    return status;
}

static steme_status write_pairs(struct sorter *s, struct host_file *file, uint64_t *size_out, struct steme_error *err)
{
    uint8_t *buffer = malloc(BUFFER_BYTES);
    size_t filled = 0;
    steme_status status = STEME_OK;
    *size_out = 0;
    if (!buffer) return error_set(err, STEME_NO_MEMORY, "no memory to write a sorted run");
    for (size_t i = 0; !status && i < s->item_count; i++) {
        const uint8_t *pair = pair_at(s, i);
        size_t size = pair_size(pair);
        if (BUFFER_BYTES - filled < size) {
            status = write_out(file, buffer, filled, size_out, err);
            filled = 0;
        }
        memcpy(buffer + filled, pair, size);
        filled += size;
    }
    if (!status) status = write_out(file, buffer, filled, size_out, err);
    free(buffer);
    return status;
}

static steme_status spill(struct sorter *s, struct steme_error *err)
{
    char path[PATH_BYTES + 32];
    struct run *grown = realloc(s->runs, (s->run_count + 1) * sizeof *grown);
    if (!grown) return error_set(err, STEME_NO_MEMORY, "no memory for one more sorted run");
    s->runs = grown;
    struct run *run = &s->runs[s->run_count];
    *run = (struct run){ 0 };
    steme_status status = host_open(s->host, run_path(s, s->run_count, path), HOST_WRITE | HOST_CREATE | HOST_EXCLUSIVE,
                                    &run->file, err);
    if (status) return error_wrap(err, status, "sorting the index");
    s->run_count++;
    sort_items(s);
    status = write_pairs(s, run->file, &run->size, err);
    if (status) return error_wrap(err, status, "sorting the index into %s", path);
    s->item_count = s->pair_bytes = 0;
    return STEME_OK;
}

steme_status sorter_add(struct sorter *s, struct steme_slice key, struct steme_slice value, struct steme_error *err)
{
    invariant(!s->reading && key.size >= 1 && key.size <= 65535 && value.size <= 65535);
    size_t size = PAIR_HEADER_BYTES + key.size + value.size;
    if (s->item_count == s->item_capacity || s->pair_capacity - s->pair_bytes < size) {
        steme_status status = spill(s, err);
        if (status) return status;
    }
    uint8_t *pair = s->pairs + s->pair_bytes;
    store_u16(pair, (uint16_t)key.size);
    store_u16(pair + 2, (uint16_t)value.size);
    memcpy(pair + PAIR_HEADER_BYTES, key.data, key.size);
    if (value.size) memcpy(pair + PAIR_HEADER_BYTES + key.size, value.data, value.size);
    s->items[s->item_count++] = (struct item){ prefix_of(key), pair };
    s->pair_bytes += size;
    return STEME_OK;
}

/* ---- reading ---- */

/* Have at least `want` unread bytes in the buffer, or all that is left. */
static steme_status fill(struct run *run, size_t want, struct steme_error *err)
{
    if (run->end - run->begin >= want || run->offset == run->size) return STEME_OK;
    memmove(run->buffer, run->buffer + run->begin, run->end - run->begin);
    run->end -= run->begin;
    run->begin = 0;
    size_t room = BUFFER_BYTES - run->end, got = 0;
    if (room > run->size - run->offset) room = (size_t)(run->size - run->offset);
    steme_status status = host_read_at(run->file, run->offset, run->buffer + run->end, room, &got, err);
    if (status) return status;
    if (got != room) return error_set(err, STEME_IO, "a temporary file of the sort was cut short");
    run->offset += got;
    run->end += got;
    return STEME_OK;
}

static steme_status run_next(struct run *run, struct steme_error *err)
{
    steme_status status = fill(run, PAIR_HEADER_BYTES, err);
    if (status) return status;
    run->done = run->begin == run->end;
    if (run->done) return STEME_OK;
    size_t size = run->end - run->begin < PAIR_HEADER_BYTES ? PAIR_MAX_BYTES : pair_size(run->buffer + run->begin);
    status = fill(run, size, err);
    if (status) return status;
    if (run->end - run->begin < size) return error_set(err, STEME_IO, "a temporary file of the sort is damaged");
    const uint8_t *pair = run->buffer + run->begin;
    run->key = pair_key(pair);
    run->value = pair_value(pair);
    run->begin += size;
    return STEME_OK;
}

static bool run_before(const struct sorter *s, size_t a, size_t b)
{
    int order = slice_compare(s->runs[a].key, s->runs[b].key);
    return order ? order < 0 : a < b;
}

static void sift_down(struct sorter *s, size_t at)
{
    for (;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < s->heap_count; child++)
            if (run_before(s, s->heap[child], s->heap[least])) least = child;
        if (least == at) return;
        size_t swap = s->heap[at];
        s->heap[at] = s->heap[least];
        s->heap[least] = swap;
        at = least;
    }
}

static steme_status begin_merge(struct sorter *s, struct steme_error *err)
{
    s->heap = calloc(s->run_count, sizeof *s->heap);
    if (!s->heap) return error_set(err, STEME_NO_MEMORY, "no memory to merge %zu sorted runs", s->run_count);
    for (size_t i = 0; i < s->run_count; i++) {
        s->runs[i].buffer = malloc(BUFFER_BYTES);
        if (!s->runs[i].buffer)
            return error_set(err, STEME_NO_MEMORY, "no memory to merge %zu sorted runs", s->run_count);
        steme_status status = run_next(&s->runs[i], err);
        if (status) return status;
        if (!s->runs[i].done) s->heap[s->heap_count++] = i;
    }
    for (size_t i = s->heap_count / 2; i-- > 0;)
        sift_down(s, i);
    return STEME_OK;
}

static steme_status begin_reading(struct sorter *s, struct steme_error *err)
{
    s->reading = true;
    if (s->run_count == 0) {
        sort_items(s);
        return STEME_OK;
    }
    steme_status status = s->item_count ? spill(s, err) : STEME_OK;
    if (status) return status;
    free(s->spare_items);
    free(s->items);
    free(s->pairs);
    s->spare_items = s->items = NULL;
    s->pairs = NULL;
    return begin_merge(s, err);
}

static steme_status merge_next(struct sorter *s, struct steme_error *err)
{
    if (s->advance && s->heap_count) {
        struct run *top = &s->runs[s->heap[0]];
        steme_status status = run_next(top, err);
        if (status) return status;
        if (top->done) s->heap[0] = s->heap[--s->heap_count];
        sift_down(s, 0);
    }
    s->advance = true;
    return STEME_OK;
}

steme_status sorter_next(struct sorter *s, struct steme_slice *key_out, struct steme_slice *value_out,
                         struct steme_error *err)
{
    steme_status status = s->reading ? STEME_OK : begin_reading(s, err);
    if (status) return status;
    if (s->run_count == 0) {
        if (s->next_item == s->item_count) return STEME_NOT_FOUND;
        const uint8_t *pair = pair_at(s, s->next_item++);
        *key_out = pair_key(pair);
        *value_out = pair_value(pair);
        return STEME_OK;
    }
    status = merge_next(s, err);
    if (status) return status;
    if (s->heap_count == 0) return STEME_NOT_FOUND;
    *key_out = s->runs[s->heap[0]].key;
    *value_out = s->runs[s->heap[0]].value;
    return STEME_OK;
}

steme_status sorter_clean(struct host *host, const char *dir, struct steme_error *err)
{
    struct arena arena;
    struct host_entry *entries = NULL;
    size_t count = 0;
    arena_init(&arena, 1 << 20);
    steme_status status = host_list(host, dir, &arena, &entries, &count, err);
    for (size_t i = 0; !status && i < count; i++) {
        size_t length = strlen(entries[i].name);
        bool ours = entries[i].kind == HOST_KIND_FILE && strncmp(entries[i].name, "sort-", 5) == 0 && length > 9 &&
                    strcmp(entries[i].name + length - 4, ".run") == 0;
        const char *path = ours ? host_join(&arena, dir, entries[i].name) : NULL;
        if (path) status = host_remove(host, path, err);
    }
    arena_deinit(&arena);
    return status;
}
