/* SPDX-License-Identifier: Apache-2.0 */
#include "model/identity.h"
#include "base/check.h"
#include "base/codec.h"
#include "base/hash.h"
#include "base/slice.h"

#include <string.h>

enum {
    TAG_BYTES = 16,
    PART_INLINE_MAX = 1024, /* longer parts enter a preimage by their hash, so that it is small whatever is asked */
    PART_MAX = 4 + PART_INLINE_MAX + 7,
    SLOT_MAX = TAG_BYTES + 3 * PART_MAX + 63,
    CLAIM_MAX = TAG_BYTES + HASH_BYTES + PART_MAX + 63,
    VOICE_MAX = TAG_BYTES + PART_MAX + 63,
    POLARITY_BIT = 1 /* of a claim id's last byte */
};

static const char slot_tag[TAG_BYTES] = "steme.slot.v1";
static const char claim_tag[TAG_BYTES] = "steme.claim.v1";
static const char agent_tag[TAG_BYTES] = "steme.agent.v1";
static const char source_tag[TAG_BYTES] = "steme.source.v1";

/* ---- preimages: a tag, parts, zeros up to a multiple of 64 ---- */

static uint8_t *put_bytes(uint8_t *at, const void *bytes, size_t size)
{
    invariant(bytes || size == 0);
    if (size) memcpy(at, bytes, size);
    return at + size;
}

static uint8_t *put_zeros(uint8_t *at, size_t count)
{
    memset(at, 0, count);
    return at + count;
}

/* Length, then the bytes or, if they are many, their hash; padded to a multiple of 8. The length tells which. */
static uint8_t *put_part(uint8_t *at, struct steme_slice part)
{
    store_u32(at, part.size < UINT32_MAX ? (uint32_t)part.size : UINT32_MAX);
    uint8_t *end;
    if (part.size <= PART_INLINE_MAX) {
        end = put_bytes(at + 4, part.data, part.size);
    } else {
        struct steme_hash hash = hash_one(part);
        end = put_bytes(at + 4, hash.bytes, HASH_BYTES);
    }
    size_t size = (size_t)(end - at);
    return put_zeros(end, pad8(size) - size);
}

/* Pad what was written from start to at; the whole preimage. */
static struct steme_slice close_preimage(uint8_t *start, uint8_t *at)
{
    size_t size = (size_t)(at - start);
    put_zeros(at, pad64(size) - size);
    return slice_of(start, pad64(size));
}

static struct steme_slice lay_slot(uint8_t *start, struct steme_slice subject, struct steme_slice predicate,
                                   struct steme_slice key_qualifiers)
{
    uint8_t *at = put_bytes(start, slot_tag, TAG_BYTES);
    at = put_part(at, subject);
    at = put_part(at, predicate);
    return close_preimage(start, put_part(at, key_qualifiers));
}

static struct steme_slice lay_claim(uint8_t *start, const struct steme_hash *slot, struct steme_slice object)
{
    uint8_t *at = put_bytes(start, claim_tag, TAG_BYTES);
    at = put_bytes(at, slot->bytes, HASH_BYTES);
    return close_preimage(start, put_part(at, object));
}

static struct steme_slice lay_agent(uint8_t *start, const uint8_t key[32])
{
    uint8_t *at = put_bytes(start, agent_tag, TAG_BYTES);
    return close_preimage(start, put_bytes(at, key, 32));
}

static struct steme_slice lay_source(uint8_t *start, struct steme_slice name)
{
    uint8_t *at = put_bytes(start, source_tag, TAG_BYTES);
    return close_preimage(start, put_part(at, name));
}

static size_t part_max(struct steme_slice part)
{
    return 4 + (part.size <= PART_INLINE_MAX ? part.size : HASH_BYTES) + 7;
}

/* ---- one at a time ---- */

uint64_t route_of_hash(const struct steme_hash *hash) { return load_u64be(hash->bytes); }

uint64_t route_of_name(struct steme_slice name)
{
    struct steme_hash hash = hash_one(name);
    return route_of_hash(&hash);
}

struct steme_hash agent_id(const uint8_t key[32])
{
    uint8_t preimage[TAG_BYTES + HASH_BYTES + 63];
    return hash_one(lay_agent(preimage, key));
}

struct steme_hash source_id(struct steme_slice name)
{
    uint8_t preimage[VOICE_MAX];
    return hash_one(lay_source(preimage, name));
}

struct steme_hash slot_id(struct steme_slice subject, struct steme_slice predicate, struct steme_slice key_qualifiers)
{
    uint8_t preimage[SLOT_MAX];
    return hash_one(lay_slot(preimage, subject, predicate, key_qualifiers));
}

static void set_polarity(struct steme_hash *claim, bool negated)
{
    uint8_t *last = &claim->bytes[HASH_BYTES - 1];
    *last = (uint8_t)((*last & ~(unsigned)POLARITY_BIT) | (negated ? POLARITY_BIT : 0u));
}

struct steme_hash claim_id(const struct steme_hash *slot, struct steme_slice object, bool negated)
{
    uint8_t preimage[CLAIM_MAX];
    struct steme_hash claim = hash_one(lay_claim(preimage, slot, object));
    set_polarity(&claim, negated);
    return claim;
}

bool claim_negated(const struct steme_hash *claim) { return claim->bytes[HASH_BYTES - 1] & POLARITY_BIT; }

struct steme_hash claim_positive(const struct steme_hash *claim)
{
    struct steme_hash positive = *claim;
    set_polarity(&positive, false);
    return positive;
}

/* ---- many side by side ---- */

enum {
    WINDOW = 256, /* records at a time: fills the lanes, keeps the scratch memory small */
    MEMO_SLOTS = 128
};

/* Routes of the last names seen, by a cheap hash of the name. Names are short and of any length, so they gain nothing
 * from lanes, but an import repeats its predicates and subjects over and over. */
struct memo {
    struct steme_slice name; /* empty: nothing here */
    uint64_t route;
};

/* Two rounds of hashing: slots and voices, then the claims, which hold their slots' ids. Records that share a slot or a
 * voice with the one before them, as the rows of an import do, share its hash. */
struct window {
    struct steme_slice inputs[2 * WINDOW];
    struct steme_hash hashes[2 * WINDOW];
    uint16_t slot_at[WINDOW]; /* index into hashes */
    uint16_t voice_at[WINDOW];
    struct memo memo[MEMO_SLOTS];
};

static size_t memo_slot(struct steme_slice name)
{
    uint64_t head = 0, tail = 0;
    memcpy(&head, name.data, name.size < 8 ? name.size : 8);
    if (name.size > 8) tail = load_u64(name.data + name.size - 8);
    uint64_t mixed = (head ^ (tail << 23 | tail >> 41) ^ name.size) * 0x9E3779B97F4A7C15u; /* 2^64 / golden ratio */
    return (size_t)(mixed >> 57);
}
_Static_assert(MEMO_SLOTS == 1 << (64 - 57), "the shift leaves a slot's number");

static uint64_t recall_route(struct memo *memo, struct steme_slice name)
{
    if (name.size == 0) return route_of_name(name);
    struct memo *entry = &memo[memo_slot(name)];
    if (!slice_equal(entry->name, name)) *entry = (struct memo){ name, route_of_name(name) };
    return entry->route;
}

static size_t window_size(size_t left) { return left < WINDOW ? left : WINDOW; }

static bool same_slot(const struct assertion_view *a, const struct assertion_view *b)
{
    return slice_equal(a->subject, b->subject) && slice_equal(a->predicate, b->predicate) &&
           slice_equal(a->key_qualifiers, b->key_qualifiers);
}

static bool same_voice(const struct assertion_view *a, const struct assertion_view *b)
{
    if (a->source.size || b->source.size) return slice_equal(a->source, b->source);
    return memcmp(a->author, b->author, 32) == 0;
}

/* Room for every preimage of a window, whichever of them turn out to be shared. */
static size_t preimage_bytes(const struct assertion_view *views, size_t count)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++) {
        const struct assertion_view *view = &views[i];
        size_t slot = TAG_BYTES + part_max(view->subject) + part_max(view->predicate) + part_max(view->key_qualifiers);
        size_t voice = TAG_BYTES + (view->source.size ? part_max(view->source) : HASH_BYTES);
        size_t claim = TAG_BYTES + HASH_BYTES + part_max(view->object);
        total += slot + voice + claim + (size_t)3 * 63;
    }
    return total;
}

static void hash_window(const struct assertion_view *views, size_t count, struct identity *out, struct window *work,
                        uint8_t *at, bool routes)
{
    size_t inputs = 0;
    for (size_t i = 0; i < count; i++) {
        const struct assertion_view *view = &views[i], *last = i ? view - 1 : NULL;
        if (routes) {
            out[i].route = recall_route(work->memo, view->subject);
            out[i].predicate = (uint32_t)(recall_route(work->memo, view->predicate) >> 32);
        }
        if (last && same_slot(view, last)) {
            work->slot_at[i] = work->slot_at[i - 1];
        } else {
            work->inputs[inputs] = lay_slot(at, view->subject, view->predicate, view->key_qualifiers);
            at += work->inputs[inputs].size;
            work->slot_at[i] = (uint16_t)inputs++;
        }
        if (last && same_voice(view, last)) {
            work->voice_at[i] = work->voice_at[i - 1];
        } else {
            work->inputs[inputs] = view->source.size ? lay_source(at, view->source) : lay_agent(at, view->author);
            at += work->inputs[inputs].size;
            work->voice_at[i] = (uint16_t)inputs++;
        }
    }
    hash_many(work->inputs, inputs, work->hashes);
    for (size_t i = 0; i < count; i++) {
        out[i].slot = work->hashes[work->slot_at[i]];
        out[i].voice = work->hashes[work->voice_at[i]];
        work->inputs[i] = lay_claim(at, &out[i].slot, views[i].object);
        at += work->inputs[i].size;
    }
    hash_many(work->inputs, count, work->hashes);
    for (size_t i = 0; i < count; i++)
        out[i].claim = claim_positive(&work->hashes[i]);
}

static steme_status identify(const struct assertion_view *views, size_t count, struct identity *out, bool routes,
                             struct arena *scratch, struct steme_error *err)
{
    size_t largest = 0; /* of all windows, so that memory can't run out between two */
    for (size_t at = 0; at < count; at += WINDOW) {
        size_t bytes = preimage_bytes(views + at, window_size(count - at));
        if (bytes > largest) largest = bytes;
    }
    struct arena_mark mark = arena_mark(scratch);
    struct window *work = arena_alloc(scratch, sizeof *work);
    uint8_t *preimages = work ? arena_alloc(scratch, largest) : NULL;
    steme_status status = preimages ? STEME_OK : arena_full(scratch, err);
    if (work && routes) memset(work->memo, 0, sizeof work->memo);
    for (size_t at = 0; at < count && !status; at += WINDOW)
        hash_window(views + at, window_size(count - at), out + at, work, preimages, routes);
    arena_rewind(scratch, mark);
    return status;
}

steme_status identity_many(const struct assertion_view *views, size_t count, struct identity *out,
                           struct arena *scratch, struct steme_error *err)
{
    return identify(views, count, out, true, scratch, err);
}

steme_status identity_claims(const struct assertion_view *views, size_t count, struct identity *out,
                             struct arena *scratch, struct steme_error *err)
{
    return identify(views, count, out, false, scratch, err);
}
