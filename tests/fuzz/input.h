/* SPDX-License-Identifier: Apache-2.0 */
/* A fuzzer's bytes taken from the front, one decision after the other. Where they end there are zeros. */
#ifndef TESTS_FUZZ_INPUT_H
#define TESTS_FUZZ_INPUT_H

#include "base/check.h"
#include "base/codec.h"
#include "base/slice.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The next `size` bytes, as far as there are any. */
static inline void input_bytes(struct steme_slice *input, void *to, size_t size)
{
    size_t there = input->size < size ? input->size : size;
    memset(to, 0, size);
    if (there > 0) memcpy(to, input->data, there);
    input->data += there;
    input->size -= there;
}

static inline uint8_t input_u8(struct steme_slice *input)
{
    uint8_t byte;
    input_bytes(input, &byte, 1);
    return byte;
}

static inline uint16_t input_u16(struct steme_slice *input)
{
    uint8_t bytes[2];
    input_bytes(input, bytes, sizeof bytes);
    return load_u16(bytes);
}

/* A copy as long as it is, so that the address sanitizer sees a read past its end. The caller frees it. */
static inline uint8_t *input_copy(const void *bytes, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    invariant(copy);
    if (size > 0) memcpy(copy, bytes, size);
    return copy;
}

#endif
