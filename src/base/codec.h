/* SPDX-License-Identifier: Apache-2.0 */
/* Little-endian (and, for ordered keys, big-endian) integers in bytes, without alignment demands.
 * Pure; any thread. */
#ifndef BASE_CODEC_H
#define BASE_CODEC_H

#include <stdint.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "formats are read in place: little-endian machines only");

static inline uint16_t load_u16(const uint8_t *at)
{
    uint16_t v;
    memcpy(&v, at, sizeof v);
    return v;
}
static inline uint32_t load_u32(const uint8_t *at)
{
    uint32_t v;
    memcpy(&v, at, sizeof v);
    return v;
}
static inline uint64_t load_u64(const uint8_t *at)
{
    uint64_t v;
    memcpy(&v, at, sizeof v);
    return v;
}
static inline int64_t load_i64(const uint8_t *at)
{
    int64_t v;
    memcpy(&v, at, sizeof v);
    return v;
}
static inline void store_u16(uint8_t *at, uint16_t v) { memcpy(at, &v, sizeof v); }
static inline void store_u32(uint8_t *at, uint32_t v) { memcpy(at, &v, sizeof v); }
static inline void store_u64(uint8_t *at, uint64_t v) { memcpy(at, &v, sizeof v); }
static inline void store_i64(uint8_t *at, int64_t v) { memcpy(at, &v, sizeof v); }

/* Big-endian: byte order equals number order, which sorted keys need. */
static inline uint64_t load_u64be(const uint8_t *at) { return __builtin_bswap64(load_u64(at)); }
static inline void store_u64be(uint8_t *at, uint64_t v) { store_u64(at, __builtin_bswap64(v)); }

/* Round up to a multiple of 8 or 64. The caller keeps size far below SIZE_MAX (limits.h). */
static inline size_t pad8(size_t size) { return (size + 7u) & ~(size_t)7u; }
static inline size_t pad64(size_t size) { return (size + 63u) & ~(size_t)63u; }

#endif
