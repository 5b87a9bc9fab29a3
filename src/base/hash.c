/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"
#include "base/check.h"

#include <pthread.h>
#include <string.h>

#include <blake3.h>
#include <blake3_impl.h>

enum {
    BLOCK_BYTES = BLAKE3_BLOCK_LEN,
    BLOCKS_MAX = (int)(HASH_LANE_MAX_BYTES / BLAKE3_BLOCK_LEN),
    WINDOW = 256 /* inputs sorted and hashed together: enough to fill lanes from a mix, few enough for the stack */
};

static pthread_once_t lanes_once = PTHREAD_ONCE_INIT;
static bool lanes_agree; /* the ways past the public interface give its results; written once, inside lanes_once */

static struct steme_hash hash_plain(struct steme_slice a, struct steme_slice b)
{
    struct steme_hash out;
    blake3_hasher hasher;
    blake3_hasher_init(&hasher);
    if (a.size) blake3_hasher_update(&hasher, a.data, a.size);
    if (b.size) blake3_hasher_update(&hasher, b.data, b.size);
    blake3_hasher_finalize(&hasher, out.bytes, HASH_BYTES);
    return out;
}

/* Each input has `blocks` whole blocks and is one chunk, so its last block is the root. */
static void hash_lanes(const uint8_t *const *inputs, size_t count, size_t blocks, uint8_t *out)
{
    /* Lanes come in powers of two, and a rest that is none costs more than the next one: three take two and one, four
     * take four. So a rest is filled up with copies of its first input. It is hashed from a scratch area, because
     * BLAKE3's AVX2 code for two and four lanes loads 16 bytes past the end of its inputs, where the last record of a
     * mapped log has nothing but the end of the mapping. */
    static const uint8_t lanes_of[8] = { 0, 1, 2, 4, 4, 8, 8, 8 };
    size_t rest = count % 8, whole = count - rest;
    if (whole) blake3_hash_many(inputs, whole, blocks, IV, 0, false, 0, CHUNK_START, CHUNK_END | ROOT, out);
    if (whole == count) return;
    uint8_t scratch[8][HASH_LANE_MAX_BYTES + 32 /* read over, not used */];
    const uint8_t *filled[8];
    uint8_t digests[8][HASH_BYTES];
    for (size_t i = 0; i < lanes_of[rest]; i++) {
        memcpy(scratch[i], inputs[whole + (i < rest ? i : 0)], blocks * BLOCK_BYTES);
        filled[i] = scratch[i];
    }
    blake3_hash_many(filled, lanes_of[rest], blocks, IV, 0, false, 0, CHUNK_START, CHUNK_END | ROOT, digests[0]);
    memcpy(out + whole * HASH_BYTES, digests, rest * HASH_BYTES);
}

/* One chunk, without setting up and copying a hasher: 1.1 to 1.6 times its speed, and ids of subjects and claims are
 * all this short. The processor's own compression is used, as in there; the portable one is slower on some
 * processors and faster on others. */
static struct steme_hash hash_short(struct steme_slice bytes)
{
    uint32_t chain[8];
    memcpy(chain, IV, sizeof chain);
    uint8_t flags = CHUNK_START;
    size_t at = 0;
    for (; bytes.size - at > BLOCK_BYTES; at += BLOCK_BYTES) {
        blake3_compress_in_place(chain, bytes.data + at, BLOCK_BYTES, 0, flags);
        flags = 0;
    }
    uint8_t last[BLOCK_BYTES] = { 0 };
    size_t rest = bytes.size - at;
    if (rest) memcpy(last, bytes.data + at, rest);
    blake3_compress_in_place(chain, last, (uint8_t)rest, 0, (uint8_t)(flags | CHUNK_END | ROOT));
    struct steme_hash out;
    for (size_t i = 0; i < 8; i++)
        store32(out.bytes + 4 * i, chain[i]);
    return out;
}

static bool short_agrees(struct steme_slice input)
{
    struct steme_hash plain = hash_plain(input, (struct steme_slice){ 0 });
    struct steme_hash direct = hash_short(input);
    return memcmp(direct.bytes, plain.bytes, HASH_BYTES) == 0;
}

static void check_lanes(void)
{
    enum { LANES = 2 * MAX_SIMD_DEGREE_OR_2 + 1 }; /* a full set, another, and a rest */
    static uint8_t text[HASH_LANE_MAX_BYTES + LANES];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)(i % 251u);
    const uint8_t *inputs[LANES];
    for (size_t i = 0; i < LANES; i++)
        inputs[i] = text + i;
    bool agree = true;
    for (size_t blocks = 1; blocks <= BLOCKS_MAX; blocks++) {
        uint8_t out[LANES][HASH_BYTES];
        hash_lanes(inputs, LANES, blocks, out[0]);
        for (size_t i = 0; i < LANES; i++) {
            struct steme_slice input = { inputs[i], blocks * BLOCK_BYTES };
            struct steme_hash plain = hash_plain(input, (struct steme_slice){ 0 });
            agree = agree && memcmp(out[i], plain.bytes, HASH_BYTES) == 0;
        }
        agree = agree && short_agrees((struct steme_slice){ text, blocks * BLOCK_BYTES - 1 });
        agree = agree && short_agrees((struct steme_slice){ text, blocks * BLOCK_BYTES });
    }
    lanes_agree = agree;
}

bool hash_init(void)
{
    /* BLAKE3 looks at the processor on first use without a lock; doing that in here makes it safe. */
    int failed = pthread_once(&lanes_once, check_lanes);
    invariant(!failed);
    return lanes_agree;
}

struct steme_hash hash_one(struct steme_slice bytes)
{
    if (hash_init() && bytes.size <= HASH_LANE_MAX_BYTES) return hash_short(bytes);
    return hash_plain(bytes, (struct steme_slice){ 0 });
}

struct steme_hash hash_two(struct steme_slice a, struct steme_slice b)
{
    uint8_t joined[HASH_LANE_MAX_BYTES];
    if (!hash_init() || a.size > sizeof joined || b.size > sizeof joined - a.size) return hash_plain(a, b);
    if (a.size) memcpy(joined, a.data, a.size);
    if (b.size) memcpy(joined + a.size, b.data, b.size);
    return hash_short((struct steme_slice){ joined, a.size + b.size });
}

/* Whole blocks of an input that lanes can take, else 0. */
static size_t lane_blocks(struct steme_slice input)
{
    return input.size <= HASH_LANE_MAX_BYTES && input.size % BLOCK_BYTES == 0 ? input.size / BLOCK_BYTES : 0;
}

/* At most WINDOW inputs: a counting sort by block count, then each group side by side. */
static void hash_window(const struct steme_slice *inputs, size_t count, struct steme_hash *out)
{
    size_t group_end[BLOCKS_MAX + 1] = { 0 };
    for (size_t i = 0; i < count; i++)
        group_end[lane_blocks(inputs[i])]++;
    size_t start = 0;
    for (size_t blocks = 0; blocks <= BLOCKS_MAX; blocks++) {
        size_t size = group_end[blocks];
        group_end[blocks] = start; /* filling moves it to the group's end */
        start += size;
    }
    uint8_t order[WINDOW];
    _Static_assert(WINDOW - 1 <= UINT8_MAX, "order holds any index of a window");
    const uint8_t *sorted[WINDOW];
    for (size_t i = 0; i < count; i++) {
        size_t at = group_end[lane_blocks(inputs[i])]++;
        order[at] = (uint8_t)i;
        sorted[at] = inputs[i].data;
    }
    for (size_t at = 0; at < group_end[0]; at++)
        out[order[at]] = hash_one(inputs[order[at]]);
    uint8_t digests[WINDOW][HASH_BYTES];
    for (size_t blocks = 1; blocks <= BLOCKS_MAX; blocks++) {
        size_t first = group_end[blocks - 1], size = group_end[blocks] - first;
        if (size) hash_lanes(sorted + first, size, blocks, digests[first]);
    }
    for (size_t at = group_end[0]; at < count; at++)
        memcpy(out[order[at]].bytes, digests[at], HASH_BYTES);
}

void hash_many(const struct steme_slice *inputs, size_t count, struct steme_hash *out)
{
    if (!hash_init()) {
        for (size_t i = 0; i < count; i++)
            out[i] = hash_one(inputs[i]);
        return;
    }
    for (size_t done = 0; done < count; done += WINDOW) {
        size_t left = count - done;
        hash_window(inputs + done, left < WINDOW ? left : WINDOW, out + done);
    }
}
