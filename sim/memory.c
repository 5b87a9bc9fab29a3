/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/memory.h"

#include "host/mem_tree.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
char *__wrap_strdup(const char *text);
void __wrap_free(void *memory);
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void __real_free(void *memory);
int __wrap_mem_bytes_write(struct mem_bytes *bytes, uint64_t offset, struct steme_slice from);
int __real_mem_bytes_write(struct mem_bytes *bytes, uint64_t offset, struct steme_slice from);
int __wrap_mem_bytes_resize(struct mem_bytes *bytes, uint64_t size);
int __real_mem_bytes_resize(struct mem_bytes *bytes, uint64_t size);
int __wrap_mem_tree_create(struct mem_tree *tree, const char *path, bool is_dir, struct mem_node **node_out);
int __real_mem_tree_create(struct mem_tree *tree, const char *path, bool is_dir, struct mem_node **node_out);
int __wrap_mem_tree_rename(struct mem_tree *tree, const char *from, const char *to);
int __real_mem_tree_rename(struct mem_tree *tree, const char *from, const char *to);
int __wrap_mem_tree_remove(struct mem_tree *tree, const char *path);
int __real_mem_tree_remove(struct mem_tree *tree, const char *path);
void __wrap_mem_tree_sync_dir(struct mem_tree *tree, struct mem_node *dir);
void __real_mem_tree_sync_dir(struct mem_tree *tree, struct mem_node *dir);

static uint64_t left; /* the allocation that brings it to 0 fails */
static bool all_after;
static bool in_engine;
static uint64_t calls, struck, live;

void memory_fail(uint64_t nth, bool for_ever)
{
    left = nth;
    all_after = for_ever;
}

uint64_t memory_calls(void) { return calls; }

uint64_t memory_struck(void) { return struck; }

uint64_t memory_live(void) { return live; }

void memory_engine_begins(void) { in_engine = true; }

void memory_engine_ends(void) { in_engine = false; }

static bool strike(void)
{
    if (!in_engine) return false;
    calls++;
    if (!left || --left) return false;
    if (all_after) left = 1;
    struck++;
    return true;
}

static void *count(void *memory)
{
    live += memory != NULL;
    return memory;
}

void *__wrap_malloc(size_t size) { return strike() ? NULL : count(__real_malloc(size)); }

void *__wrap_calloc(size_t members, size_t size) { return strike() ? NULL : count(__real_calloc(members, size)); }

void *__wrap_realloc(void *memory, size_t size)
{
    if (strike()) return NULL;
    return memory ? __real_realloc(memory, size) : count(__real_realloc(NULL, size));
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return strike() ? NULL : count(__real_aligned_alloc(alignment, size));
}

char *__wrap_strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = __wrap_malloc(size);
    if (copy) memcpy(copy, text, size);
    return copy;
}

void __wrap_free(void *memory)
{
    live -= memory != NULL;
    __real_free(memory);
}

/* ---- what the simulated disk remembers is no memory of the engine's ---- */

static bool leave_engine(void)
{
    bool was_in = in_engine;
    in_engine = false;
    return was_in;
}

int __wrap_mem_bytes_write(struct mem_bytes *bytes, uint64_t offset, struct steme_slice from)
{
    bool was_in = leave_engine();
    int failure = __real_mem_bytes_write(bytes, offset, from);
    in_engine = was_in;
    return failure;
}

int __wrap_mem_bytes_resize(struct mem_bytes *bytes, uint64_t size)
{
    bool was_in = leave_engine();
    int failure = __real_mem_bytes_resize(bytes, size);
    in_engine = was_in;
    return failure;
}

int __wrap_mem_tree_create(struct mem_tree *tree, const char *path, bool is_dir, struct mem_node **node_out)
{
    bool was_in = leave_engine();
    int failure = __real_mem_tree_create(tree, path, is_dir, node_out);
    in_engine = was_in;
    return failure;
}

int __wrap_mem_tree_rename(struct mem_tree *tree, const char *from, const char *to)
{
    bool was_in = leave_engine();
    int failure = __real_mem_tree_rename(tree, from, to);
    in_engine = was_in;
    return failure;
}

int __wrap_mem_tree_remove(struct mem_tree *tree, const char *path)
{
    bool was_in = leave_engine();
    int failure = __real_mem_tree_remove(tree, path);
    in_engine = was_in;
    return failure;
}

void __wrap_mem_tree_sync_dir(struct mem_tree *tree, struct mem_node *dir)
{
    bool was_in = leave_engine();
    __real_mem_tree_sync_dir(tree, dir);
    in_engine = was_in;
}
