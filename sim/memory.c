/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/memory.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);

static uint64_t left; /* the allocation that brings it to 0 fails */

static bool in_engine;

void memory_fail(uint64_t nth) { left = nth; }

void memory_engine_begins(void) { in_engine = true; }

void memory_engine_ends(void) { in_engine = false; }

static bool strike(void) { return in_engine && left && --left == 0; }

void *__wrap_malloc(size_t size) { return strike() ? NULL : __real_malloc(size); }

void *__wrap_calloc(size_t count, size_t size) { return strike() ? NULL : __real_calloc(count, size); }

void *__wrap_realloc(void *memory, size_t size) { return strike() ? NULL : __real_realloc(memory, size); }

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return strike() ? NULL : __real_aligned_alloc(alignment, size);
}
