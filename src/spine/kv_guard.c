/* SPDX-License-Identifier: Apache-2.0 */
/* kv_guard(): what is missing shows. A checksum in a value tells whether a row that was found is right, and nothing
 * tells of a row that was not found. So the rows of an ordered store are counted and digested by partition; counts and
 * digests are rows of the store themselves (docs/format/keys.md), put in the transaction that changes what they count.
 * A partition is read once and compared before its first use through an open store.
 *
 * The guard stands between kv.c and the store below by taking the place of its functions, so transactions and cursors
 * are those of the store below and nothing is wrapped.
 *
 *   partition   rows of one first byte whose next 8 bytes, as a number, agree in their length in bits and in the 8 bits
 *               behind the leading one. So a partition is a range of keys, the halves of random keys and of numbers
 *               that count up both spread over 256 partitions and more, and nobody has to know what the keys are
 *   digest      sums modulo 2^64 of the two halves of XXH3-128 of all its rows: rows come in and go in any order
 *   root        count and digest of the rows of partitions
 *
 * Invariant: what is proved stays proved. A later snapshot has the pages that were proved, or copies that a writer made
 * of them; a writer proves what it is about to change. An earlier one has the pages that these were copied from. */
#include "spine/kv.h"

#include "base/check.h"
#include "base/codec.h"
#include "base/slice.h"

#include <stdlib.h>
#include <xxhash.h>

/* What keys of ours begin with. They sort before letters, so rows that are appended in order still come last. */
#define OURS "!sum"
#define BEHIND_OURS "!sun"
#define OURS_BYTES (sizeof OURS - 1)
#define BUCKET_BITS 14u
#define MANTISSA_BITS 8u
#define PARTITIONS (256u << BUCKET_BITS)
#define SUM_BYTES 32u
#define SUM_KEY_BYTES (OURS_BYTES + 3)
#define LOOKED_UP_BYTES 4096u

struct sum {
    uint64_t count, low, high;
};

/* What the open write transaction has changed in a partition: to be added to its sum. */
struct change {
    uint32_t partition;
    bool taken;
    struct sum by;
};

struct kv_guard {
    struct kv_ops ops; /* ours, with the name of the store below */
    const struct kv_ops *below;
    _Atomic uint64_t *proved; /* a bit for each partition */
    atomic_bool root_proved;
    /* Of the one write transaction: */
    bool began_empty; /* it found no rows at all, so there is no root yet */
    struct change *changes;
    size_t change_count, change_capacity; /* capacity is a power of two */
};

static const struct kv_ops *below(const struct kv_txn *txn) { return txn->kv->guard->below; }

/* --- Partitions --------------------------------------------------------------------------------------------------- */

static uint32_t partition_of(struct steme_slice key, uint8_t filler)
{
    uint8_t bytes[8];
    size_t size = key.size - 1 < sizeof bytes ? key.size - 1 : sizeof bytes;
    memset(bytes, filler, sizeof bytes);
    memcpy(bytes, key.data + 1, size);
    uint64_t number = load_u64be(bytes);
    uint32_t bucket = (uint32_t)number;
    if (number >> MANTISSA_BITS) {
        unsigned shift = 63u - MANTISSA_BITS - (unsigned)__builtin_clzll(number);
        bucket = ((shift + 1) << MANTISSA_BITS) + ((uint32_t)(number >> shift) & ((1u << MANTISSA_BITS) - 1));
    }
    return ((uint32_t)key.data[0] << BUCKET_BITS) + bucket;
}

static uint32_t partition_at(struct steme_slice key) { return partition_of(key, 0); }

/* The last one that a key with this prefix can be in. */
static uint32_t last_partition(struct steme_slice prefix)
{
    return prefix.size ? partition_of(prefix, 0xff) : PARTITIONS - 1;
}

/* The least key of a partition. */
static struct steme_slice first_key(uint32_t partition, uint8_t bytes[9])
{
    uint32_t bucket = partition & ((1u << BUCKET_BITS) - 1), step = bucket >> MANTISSA_BITS;
    uint64_t number = bucket;
    if (step) number = (uint64_t)((bucket & ((1u << MANTISSA_BITS) - 1)) | 1u << MANTISSA_BITS) << (step - 1);
    bytes[0] = (uint8_t)(partition >> BUCKET_BITS);
    store_u64be(bytes + 1, number);
    size_t size = 9;
    while (size > 1 && bytes[size - 1] == 0)
        size--;
    return slice_of(bytes, size);
}

static bool is_ours(struct steme_slice key)
{
    return key.size >= OURS_BYTES && memcmp(key.data, OURS, OURS_BYTES) == 0;
}

/* --- Sums --------------------------------------------------------------------------------------------------------- */

static void sum_row(struct sum *sum, struct steme_slice key, struct steme_slice value, bool take_out)
{
    uint64_t seed = XXH3_64bits_withSeed(key.data, key.size, key.size);
    XXH128_hash_t digest = XXH3_128bits_withSeed(value.data, value.size, seed);
    sum->count += take_out ? UINT64_MAX : 1;
    sum->low += take_out ? 0 - digest.low64 : digest.low64;
    sum->high += take_out ? 0 - digest.high64 : digest.high64;
}

static void sum_add(struct sum *to, const struct sum *by)
{
    to->count += by->count;
    to->low += by->low;
    to->high += by->high;
}

static bool sum_equal(const struct sum *a, const struct sum *b)
{
    return a->count == b->count && a->low == b->low && a->high == b->high;
}

static struct steme_slice sum_key(uint32_t partition, uint8_t bytes[SUM_KEY_BYTES])
{
    memcpy(bytes, OURS, OURS_BYTES);
    for (size_t i = OURS_BYTES, shift = 24; i < SUM_KEY_BYTES; i++)
        bytes[i] = (uint8_t)(partition >> (shift -= 8));
    return slice_of(bytes, SUM_KEY_BYTES);
}

static uint32_t partition_of_sum(struct steme_slice key)
{
    const uint8_t *at = key.data + OURS_BYTES;
    return (uint32_t)at[0] << 16 | (uint32_t)at[1] << 8 | at[2];
}

static struct steme_slice root_key(void) { return slice_of(OURS, OURS_BYTES); }

static uint64_t check_of(struct steme_slice key, const uint8_t value[SUM_BYTES])
{
    return XXH3_64bits_withSeed(value + 8, SUM_BYTES - 8, XXH3_64bits(key.data, key.size));
}

static struct steme_slice encode_sum(struct steme_slice key, const struct sum *sum, uint8_t value[SUM_BYTES])
{
    store_u64(value + 8, sum->count);
    store_u64(value + 16, sum->low);
    store_u64(value + 24, sum->high);
    store_u64(value, check_of(key, value));
    return slice_of(value, SUM_BYTES);
}

static steme_status decode_sum(struct steme_slice key, struct steme_slice value, struct sum *out,
                               struct steme_error *err)
{
    if (value.size != SUM_BYTES || load_u64(value.data) != check_of(key, value.data))
        return error_set(err, STEME_CORRUPT, "a count of rows of the ordered store fails its check; rebuild the store");
    *out = (struct sum){ load_u64(value.data + 8), load_u64(value.data + 16), load_u64(value.data + 24) };
    return STEME_OK;
}

/* Zeros when there is none. */
static steme_status read_sum(struct kv_txn *txn, struct steme_slice key, struct sum *out, struct steme_error *err)
{
    struct steme_slice value;
    *out = (struct sum){ 0 };
    steme_status status = below(txn)->get(txn, key, &value, err);
    if (status == STEME_NOT_FOUND) return STEME_OK;
    return status ? status : decode_sum(key, value, out, err);
}

/* --- Proof -------------------------------------------------------------------------------------------------------- */

/* Before the store below uses what holds these keys: it may trust what it finds there. It also covers the next row on
 * both sides, so a cursor may step out of a proved partition, and what it has arrived in is proved then. */
static steme_status examine(struct kv_txn *txn, struct steme_slice from, struct steme_slice to, struct steme_error *err)
{
    const struct kv_ops *ops = below(txn);
    return ops->examine ? ops->examine(txn, from, to, err) : STEME_OK;
}

static steme_status lies(struct steme_error *err, const char *what, uint32_t partition)
{
    return error_set(err, STEME_CORRUPT, "%s (partition %u of rows %c); rebuild the ordered store", what,
                     partition & ((1u << BUCKET_BITS) - 1), (char)(partition >> BUCKET_BITS));
}

/* A search in the store below. Keys above the leaves that have rotted may lead it to a leaf too far to the left, and
 * from there on to a row in front of what it is for. */
static steme_status search(struct kv_txn *txn, struct steme_slice from, struct kv_cursor *cursor, struct kv_pair *out,
                           struct steme_error *err)
{
    steme_status status = below(txn)->seek(txn, from, cursor, out, err);
    if (status || slice_compare(out->key, from) >= 0) return status;
    below(txn)->cursor_end(cursor);
    return lies(err, "a search ends in front of what it is for", partition_at(from));
}

/* A scan that compares each key with the one before, and looks up what a search may miss. */
struct survey {
    struct kv_txn *txn;
    struct kv_cursor cursor;
    struct steme_slice before; /* the key given last */
};

static steme_status look_up(struct kv_txn *txn, struct steme_slice key, struct steme_error *err)
{
    struct steme_slice value;
    steme_status status = below(txn)->get(txn, key, &value, err);
    if (status != STEME_NOT_FOUND) return status;
    return lies(err, "a row that a scan finds can't be looked up", partition_at(key));
}

/* A scan goes from leaf to leaf, a search is led there by the keys above the leaves, which may have rotted alone. Those
 * lead right if they do so for the first and the last key of each leaf. A store that maps its pages lends keys that lie
 * in them, so where two neighbours' bytes lie far apart a leaf may end; looking up too many does no harm. */
static steme_status take(struct survey *survey, const struct kv_pair *pair, struct steme_error *err)
{
    struct steme_slice before = survey->before;
    survey->before = pair->key;
    if (!before.data) return look_up(survey->txn, pair->key, err);
    if (slice_compare(before, pair->key) >= 0) return lies(err, "rows are out of order", partition_at(pair->key));
    if ((uintptr_t)before.data / LOOKED_UP_BYTES == (uintptr_t)pair->key.data / LOOKED_UP_BYTES) return STEME_OK;
    steme_status status = look_up(survey->txn, before, err);
    return status ? status : look_up(survey->txn, pair->key, err);
}

/* The last row of a survey is followed by nothing that would have it looked up. */
static steme_status survey_end(struct survey *survey, struct steme_error *err)
{
    if (survey->cursor.txn) below(survey->txn)->cursor_end(&survey->cursor);
    survey->cursor.txn = NULL;
    return survey->before.data ? look_up(survey->txn, survey->before, err) : STEME_OK;
}

static steme_status survey_first(struct survey *survey, struct steme_slice from, struct kv_pair *out,
                                 struct steme_error *err)
{
    survey->cursor = (struct kv_cursor){ .txn = survey->txn };
    steme_status status = search(survey->txn, from, &survey->cursor, out, err);
    if (status) survey->cursor.txn = NULL;
    return status;
}

static steme_status count_rows(struct kv_txn *txn, uint32_t partition, struct sum *out, struct steme_error *err)
{
    struct survey survey = { .txn = txn };
    struct kv_pair pair;
    uint8_t from[9];
    steme_status status = survey_first(&survey, first_key(partition, from), &pair, err);
    while (!status && partition_at(pair.key) == partition) {
        if (!is_ours(pair.key)) sum_row(out, pair.key, pair.value, false);
        status = take(&survey, &pair, err);
        if (!status) status = below(txn)->next(&survey.cursor, &pair, err);
    }
    if (status == STEME_NOT_FOUND) status = STEME_OK;
    steme_status ended = survey_end(&survey, err);
    return status ? status : ended;
}

/* The rows of partitions against the root; a store without rows has no root. */
static steme_status prove_root(struct kv_txn *txn, struct steme_error *err)
{
    struct kv_guard *guard = txn->kv->guard;
    struct survey survey = { .txn = txn };
    struct kv_pair pair;
    struct sum want = { 0 }, got = { 0 };
    bool rooted = false;
    steme_status status = examine(txn, root_key(), slice_of(BEHIND_OURS, OURS_BYTES), err);
    if (status) return status;
    status = survey_first(&survey, root_key(), &pair, err);
    while (!status && is_ours(pair.key)) {
        if (slice_equal(pair.key, root_key())) {
            rooted = true;
            status = decode_sum(pair.key, pair.value, &want, err);
        } else {
            sum_row(&got, pair.key, pair.value, false);
        }
        if (!status) status = take(&survey, &pair, err);
        if (!status) status = below(txn)->next(&survey.cursor, &pair, err);
    }
    if (status == STEME_NOT_FOUND) status = STEME_OK;
    steme_status ended = survey_end(&survey, err);
    if (!status) status = ended;
    if (status) return status;
    if (rooted && !sum_equal(&want, &got))
        return error_set(err, STEME_CORRUPT, "the ordered store lacks counts of its rows; rebuild it");
    if (rooted) {
        atomic_store_explicit(&guard->root_proved, true, memory_order_release);
        return STEME_OK;
    }
    struct survey any = { .txn = txn };
    status = examine(txn, slice_of(NULL, 0), root_key(), err);
    if (!status) status = survey_first(&any, slice_of(NULL, 0), &pair, err);
    if (!status) below(txn)->cursor_end(&any.cursor);
    if (!status) return error_set(err, STEME_CORRUPT, "the ordered store has rows and no count of them; rebuild it");
    if (status != STEME_NOT_FOUND) return status;
    if (txn->mode == KV_WRITE) guard->began_empty = true; /* the one writer's: readers leave it alone */
    return STEME_OK;
}

static steme_status prove(struct kv_txn *txn, uint32_t partition, struct steme_error *err)
{
    struct kv_guard *guard = txn->kv->guard;
    struct sum want, got = { 0 };
    uint8_t key[SUM_KEY_BYTES], from[9], to[9];
    bool rooted = atomic_load_explicit(&guard->root_proved, memory_order_acquire) ||
                  (txn->mode == KV_WRITE && guard->began_empty);
    steme_status status = rooted ? STEME_OK : prove_root(txn, err);
    if (!status) status = read_sum(txn, sum_key(partition, key), &want, err);
    struct steme_slice end = partition + 1 < PARTITIONS ? first_key(partition + 1, to) : slice_of(NULL, 0);
    if (!status) status = examine(txn, first_key(partition, from), end, err);
    if (!status) status = count_rows(txn, partition, &got, err);
    if (status) return status;
    if (!sum_equal(&want, &got)) return lies(err, "rows are missing, or others than were put", partition);
    atomic_fetch_or_explicit(&guard->proved[partition / 64], 1ull << (partition % 64), memory_order_release);
    return STEME_OK;
}

static inline bool is_proved(const struct kv_guard *guard, uint32_t partition)
{
    return atomic_load_explicit(&guard->proved[partition / 64], memory_order_acquire) >> (partition % 64) & 1;
}

static inline steme_status ensure(struct kv_txn *txn, uint32_t partition, struct steme_error *err)
{
    return is_proved(txn->kv->guard, partition) ? STEME_OK : prove(txn, partition, err);
}

/* Partitions first..last, of which the store below shows only the two at the ends to have rows, or none. Between them
 * those are asked that should have some. */
static steme_status ensure_range(struct kv_txn *txn, uint32_t first, uint32_t last, struct steme_error *err)
{
    uint8_t bytes[SUM_KEY_BYTES];
    steme_status status = ensure(txn, first, err);
    if (status || first == last) return status;
    status = ensure(txn, last, err);
    while (!status && first + 1 < last) {
        struct kv_cursor cursor = { .txn = txn };
        struct kv_pair pair;
        status = search(txn, sum_key(first + 1, bytes), &cursor, &pair, err);
        if (status) break;
        bool more = is_ours(pair.key);
        if (more && pair.key.size != SUM_KEY_BYTES)
            status = error_set(err, STEME_CORRUPT, "a count of the ordered store's rows is under a wrong key");
        else if (more)
            first = partition_of_sum(pair.key);
        below(txn)->cursor_end(&cursor);
        if (!more || first >= last) break;
        if (!status) status = ensure(txn, first, err);
    }
    return status == STEME_NOT_FOUND ? STEME_OK : status;
}

/* --- Reading ------------------------------------------------------------------------------------------------------ */

static steme_status guard_get(struct kv_txn *txn, struct steme_slice key, struct steme_slice *out,
                              struct steme_error *err)
{
    if (is_ours(key)) return STEME_NOT_FOUND;
    steme_status status = ensure(txn, partition_at(key), err);
    return status ? status : below(txn)->get(txn, key, out, err);
}

/* Where a step of a cursor ended: every partition that it passed is proved. `status` is what the store below said. */
static steme_status arrive(struct kv_cursor *cursor, steme_status status, const struct kv_pair *pair,
                           struct steme_error *err)
{
    if (status && status != STEME_NOT_FOUND) return status;
    bool within = status == STEME_OK && slice_starts(pair->key, cursor->prefix);
    uint32_t first = cursor->partition;
    uint32_t last = within ? partition_at(pair->key) : last_partition(cursor->prefix);
    if (last < first) last = first;
    cursor->partition = last;
    steme_status proof = first == last ? ensure(cursor->txn, first, err) : ensure_range(cursor->txn, first, last, err);
    return proof ? proof : status;
}

/* Our own rows do not exist for those above. */
static steme_status step_over(struct kv_cursor *cursor, struct kv_pair *out, struct steme_error *err)
{
    struct kv_txn *txn = cursor->txn;
    below(txn)->cursor_end(cursor);
    steme_status status = search(txn, slice_of(BEHIND_OURS, OURS_BYTES), cursor, out, err);
    if (status) cursor->txn = NULL; /* it is ended already */
    return status;
}

static steme_status guard_seek(struct kv_txn *txn, struct steme_slice from, struct kv_cursor *cursor,
                               struct kv_pair *out, struct steme_error *err)
{
    cursor->partition = from.size ? partition_at(from) : 0;
    steme_status status = ensure(txn, cursor->partition, err);
    if (!status) status = search(txn, from, cursor, out, err);
    bool open = status == STEME_OK;
    if (open && is_ours(out->key)) {
        status = step_over(cursor, out, err);
        open = status == STEME_OK;
        cursor->txn = txn;
    }
    status = arrive(cursor, status, out, err);
    if (status && open) below(txn)->cursor_end(cursor);
    return status;
}

static steme_status guard_next(struct kv_cursor *cursor, struct kv_pair *out, struct steme_error *err)
{
    struct kv_txn *txn = cursor->txn;
    steme_status status = below(txn)->next(cursor, out, err);
    if (!status && is_ours(out->key)) status = step_over(cursor, out, err);
    struct kv_cursor at = *cursor;
    at.txn = txn;
    status = arrive(&at, status, out, err);
    cursor->partition = at.partition;
    return status;
}

static void guard_cursor_end(struct kv_cursor *cursor) { below(cursor->txn)->cursor_end(cursor); }

static steme_status guard_last(struct kv_txn *txn, struct steme_slice bound, struct kv_pair *out,
                               struct steme_error *err)
{
    uint32_t last = bound.size ? partition_at(bound) : PARTITIONS - 1;
    steme_status status = ensure(txn, last, err);
    if (!status) status = below(txn)->last(txn, bound, out, err);
    if (!status && is_ours(out->key)) status = below(txn)->last(txn, root_key(), out, err);
    if (status && status != STEME_NOT_FOUND) return status;
    steme_status proof = ensure_range(txn, status ? 0 : partition_at(out->key), last, err);
    return proof ? proof : status;
}

/* --- Writing ------------------------------------------------------------------------------------------------------ */

static struct change *change_place(struct change *changes, size_t capacity, uint32_t partition)
{
    uint32_t spread = partition * 0x9E3779B1u;
    size_t at = spread & (capacity - 1);
    while (changes[at].taken && changes[at].partition != partition)
        at = (at + 1) & (capacity - 1);
    return &changes[at];
}

static steme_status make_room(struct kv_guard *guard, struct steme_error *err)
{
    if (2 * (guard->change_count + 1) < guard->change_capacity) return STEME_OK;
    size_t wanted = guard->change_capacity ? 2 * guard->change_capacity : 64;
    struct change *grown = calloc(wanted, sizeof *grown);
    if (!grown) return error_set(err, STEME_NO_MEMORY, "no memory to count the rows of a transaction");
    for (size_t i = 0; i < guard->change_capacity; i++)
        if (guard->changes[i].taken) *change_place(grown, wanted, guard->changes[i].partition) = guard->changes[i];
    free(guard->changes);
    guard->changes = grown;
    guard->change_capacity = wanted;
    return STEME_OK;
}

/* Before a change: the partition is proved, and there is room to note what is done to it. */
static steme_status ready(struct kv_txn *txn, struct steme_slice key, struct steme_error *err)
{
    if (is_ours(key))
        return error_set(err, STEME_BAD_INPUT, "keys of the ordered store can't begin with %s, which is its own", OURS);
    struct kv_guard *guard = txn->kv->guard;
    steme_status status = make_room(guard, err);
    /* Whether the store began without a root can't be told any more once it has our first row. */
    if (!status && guard->change_count == 0 && !guard->began_empty &&
        !atomic_load_explicit(&guard->root_proved, memory_order_acquire))
        status = prove_root(txn, err);
    return status ? status : ensure(txn, partition_at(key), err);
}

static void note(struct kv_guard *guard, uint32_t partition, const struct sum *by)
{
    struct change *change = change_place(guard->changes, guard->change_capacity, partition);
    if (!change->taken) {
        *change = (struct change){ .partition = partition, .taken = true };
        guard->change_count++;
    }
    sum_add(&change->by, by);
}

/* Most rows are put once, so that is tried first; only a row that is there has to come out of the digest. */
static steme_status guard_put(struct kv_txn *txn, struct steme_slice key, struct steme_slice value, bool fresh,
                              struct steme_slice *present_out, struct steme_error *err)
{
    struct sum by = { 0 };
    struct steme_slice present = { 0 };
    steme_status status = ready(txn, key, err);
    if (status) return status;
    uint32_t partition = partition_at(key); /* key and value may be gone afterwards */
    sum_row(&by, key, value, false);
    status = below(txn)->put(txn, key, value, true, &present, err);
    if (status == STEME_EXISTS && present_out) *present_out = present;
    if (status == STEME_EXISTS && !fresh) {
        sum_row(&by, key, present, true);
        status = below(txn)->put(txn, key, value, false, NULL, err);
    }
    if (!status) note(txn->kv->guard, partition, &by);
    return status;
}

static steme_status guard_append(struct kv_txn *txn, struct steme_slice key, struct steme_slice value,
                                 struct steme_error *err)
{
    struct sum by = { 0 };
    struct kv_pair last;
    steme_status status = ready(txn, key, err);
    if (status) return status;
    uint32_t partition = partition_at(key);
    sum_row(&by, key, value, false);
    if (slice_compare(key, root_key()) > 0) {
        status = below(txn)->append(txn, key, value, err);
    } else { /* our rows may lie behind it: then it is last for those above only */
        status = guard_last(txn, slice_of(NULL, 0), &last, err);
        if (!status && slice_compare(last.key, key) >= 0)
            return error_set(err, STEME_BAD_INPUT, "append to the ordered store: the key is not above the last one");
        if (!status || status == STEME_NOT_FOUND) status = below(txn)->put(txn, key, value, true, NULL, err);
    }
    if (!status) note(txn->kv->guard, partition, &by);
    return status;
}

static steme_status guard_remove(struct kv_txn *txn, struct steme_slice key, struct steme_error *err)
{
    struct sum by = { 0 };
    struct steme_slice present;
    if (is_ours(key)) return STEME_NOT_FOUND;
    steme_status status = ready(txn, key, err);
    if (!status) status = below(txn)->get(txn, key, &present, err);
    if (status) return status;
    uint32_t partition = partition_at(key);
    sum_row(&by, key, present, true);
    status = below(txn)->remove(txn, key, err);
    if (!status) note(txn->kv->guard, partition, &by);
    return status;
}

/* --- Transactions ------------------------------------------------------------------------------------------------- */

static steme_status guard_begin(struct kv *kv, enum kv_mode mode, struct kv_txn **out, struct steme_error *err)
{
    struct kv_guard *guard = kv->guard;
    steme_status status = guard->below->begin(kv, mode, out, err);
    if (status || mode == KV_READ) return status;
    guard->began_empty = false;
    if (guard->change_count) memset(guard->changes, 0, guard->change_capacity * sizeof *guard->changes);
    guard->change_count = 0;
    return STEME_OK;
}

static int compare_changes(const void *left, const void *right)
{
    uint32_t a = ((const struct change *)left)->partition, b = ((const struct change *)right)->partition;
    return (a > b) - (a < b);
}

/* Put the row of one partition anew, and account for that in the root. */
static steme_status put_sum(struct kv_txn *txn, const struct change *change, struct sum *root, struct steme_error *err)
{
    struct sum sum;
    uint8_t key_bytes[SUM_KEY_BYTES], value[SUM_BYTES];
    struct steme_slice key = sum_key(change->partition, key_bytes);
    steme_status status = read_sum(txn, key, &sum, err);
    if (status) return status;
    bool was_there = sum.count > 0;
    if (was_there) sum_row(root, key, encode_sum(key, &sum, value), true);
    sum_add(&sum, &change->by);
    if (sum.count == 0) return was_there ? below(txn)->remove(txn, key, err) : STEME_OK;
    struct steme_slice row = encode_sum(key, &sum, value);
    sum_row(root, key, row, false);
    return below(txn)->put(txn, key, row, false, NULL, err);
}

static steme_status put_sums(struct kv_txn *txn, struct steme_error *err)
{
    struct kv_guard *guard = txn->kv->guard;
    struct sum root;
    uint8_t value[SUM_BYTES];
    size_t count = 0;
    if (guard->change_count == 0) return STEME_OK;
    for (size_t i = 0; i < guard->change_capacity; i++)
        if (guard->changes[i].taken) guard->changes[count++] = guard->changes[i];
    qsort(guard->changes, count, sizeof *guard->changes, compare_changes);
    steme_status status = read_sum(txn, root_key(), &root, err);
    for (size_t i = 0; !status && i < count; i++)
        status = put_sum(txn, &guard->changes[i], &root, err);
    return status ? status : below(txn)->put(txn, root_key(), encode_sum(root_key(), &root, value), false, NULL, err);
}

static steme_status guard_commit(struct kv_txn *txn, struct steme_error *err)
{
    const struct kv_ops *ops = below(txn);
    steme_status status = put_sums(txn, err);
    if (!status) return ops->commit(txn, err);
    ops->abort(txn);
    return status;
}

static void guard_abort(struct kv_txn *txn) { below(txn)->abort(txn); }

static steme_status guard_sync(struct kv *kv, struct steme_error *err) { return kv->guard->below->sync(kv, err); }

static void guard_close(struct kv *kv)
{
    struct kv_guard *guard = kv->guard;
    guard->below->close(kv);
    free(guard->proved);
    free(guard->changes);
    free(guard);
}

static const struct kv_ops guard_ops = {
    .begin = guard_begin,
    .get = guard_get,
    .seek = guard_seek,
    .next = guard_next,
    .last = guard_last,
    .cursor_end = guard_cursor_end,
    .put = guard_put,
    .append = guard_append,
    .remove = guard_remove,
    .commit = guard_commit,
    .abort = guard_abort,
    .sync = guard_sync,
    .close = guard_close,
};

steme_status kv_guard(struct kv *kv, struct steme_error *err)
{
    invariant(!kv->guard);
    struct kv_guard *guard = calloc(1, sizeof *guard);
    /* Half a megabyte of address space; pages of it that no partition needs are never touched. */
    _Atomic uint64_t *proved = guard ? calloc(PARTITIONS / 64, sizeof *proved) : NULL;
    if (!proved) {
        free(guard);
        return error_set(err, STEME_NO_MEMORY, "no memory to guard the ordered store");
    }
    guard->proved = proved;
    guard->below = kv->ops;
    guard->ops = guard_ops;
    guard->ops.name = kv->ops->name;
    kv->guard = guard;
    kv->ops = &guard->ops;
    return STEME_OK;
}
