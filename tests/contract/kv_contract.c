/* SPDX-License-Identifier: Apache-2.0 */
#include "contract/kv_contract.h"

#include "base/check.h"
#include "base/codec.h"
#include "base/slice.h"
#include "lib/testing.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of a literal, which may hold any byte. */
#define BYTES(literal) slice_of((literal), sizeof(literal) - 1)
#define NOTHING slice_of(NULL, 0)

struct subject {
    const struct kv_contract_store *store;
    char *dir;
    struct kv *kv;
};

static struct steme_error err;

static struct kv *kv_of(void **state) { return ((struct subject *)*state)->kv; }

static struct kv_txn *begin(struct kv *kv, enum kv_mode mode)
{
    struct kv_txn *txn = NULL;
    assert_status(kv_begin(kv, mode, &txn, &err), STEME_OK, &err, "begin");
    return txn;
}

static void commit(struct kv_txn *txn) { assert_status(kv_commit(&txn, &err), STEME_OK, &err, "commit"); }

static void put(struct kv_txn *txn, struct steme_slice key, struct steme_slice value)
{
    assert_status(kv_put(txn, key, value, &err), STEME_OK, &err, "put");
}

/* The value is "", "a", "aa" ... so that a test sees whose it is. */
static void put_texts(struct kv *kv, const char *const *keys, size_t count)
{
    struct kv_txn *txn = begin(kv, KV_WRITE);
    for (size_t i = 0; i < count; i++)
        put(txn, slice_text(keys[i]), slice_text(keys[i]));
    commit(txn);
}

static bool has(struct kv_txn *txn, const char *key, const char *value)
{
    struct steme_slice got;
    steme_status status = kv_get(txn, slice_text(key), &got, &err);
    if (!value) return status == STEME_NOT_FOUND;
    return status == STEME_OK && slice_equal(got, slice_text(value));
}

/* The keys of a scan, a blank between them. */
static void scan_texts(struct kv_txn *txn, const char *prefix, const char *from, char *out, size_t size)
{
    struct kv_cursor cursor;
    struct kv_pair pair;
    size_t used = 0;
    out[0] = '\0';
    steme_status status = kv_seek(txn, slice_text(prefix), slice_text(from), &cursor, &pair, &err);
    while (!status) {
        used += (size_t)snprintf(out + used, size - used, "%s%.*s", used ? " " : "", SLICE_PRINT(pair.key));
        assert_true(used < size);
        status = kv_next(&cursor, &pair, &err);
    }
    assert_status(status, STEME_NOT_FOUND, &err, "the end of a scan");
}

/* --- One transaction ---------------------------------------------------------------------------------------------- */

static void an_empty_store_has_nothing(void **state)
{
    struct kv_txn *txn = begin(kv_of(state), KV_READ);
    struct kv_cursor cursor;
    struct kv_pair pair;
    struct steme_slice value;
    assert_int_equal(kv_get(txn, BYTES("a"), &value, &err), STEME_NOT_FOUND);
    assert_int_equal(kv_seek(txn, NOTHING, NOTHING, &cursor, &pair, &err), STEME_NOT_FOUND);
    assert_int_equal(kv_seek(txn, BYTES("a"), NOTHING, &cursor, &pair, &err), STEME_NOT_FOUND);
    assert_int_equal(kv_next(&cursor, &pair, &err), STEME_NOT_FOUND);
    assert_int_equal(kv_last(txn, NOTHING, NOTHING, &pair, &err), STEME_NOT_FOUND);
    assert_int_equal(kv_last(txn, BYTES("a"), BYTES("b"), &pair, &err), STEME_NOT_FOUND);
    kv_cursor_end(&cursor);
    kv_abort(&txn);
    txn = begin(kv_of(state), KV_WRITE);
    assert_int_equal(kv_remove(txn, BYTES("a"), &err), STEME_NOT_FOUND);
    commit(txn);
}

static void what_was_put_is_got_and_nothing_else(void **state)
{
    static const char *const keys[] = { "b", "ab", "abc", "a" };
    put_texts(kv_of(state), keys, countof(keys));
    struct kv_txn *txn = begin(kv_of(state), KV_READ);
    for (size_t i = 0; i < countof(keys); i++)
        assert_row(has(txn, keys[i], keys[i]), keys[i]);
    static const char *const absent[] = { "aa", "abcd", "ac", "c", "A" };
    for (size_t i = 0; i < countof(absent); i++)
        assert_row(has(txn, absent[i], NULL), absent[i]);
    kv_abort(&txn);
}

static void keys_come_in_the_order_of_their_bytes(void **state)
{
    const struct steme_slice sorted[] = {
        BYTES("\0"),
        BYTES("\0\0"),
        BYTES("\0\x01"),
        BYTES("\0\xff"),
        BYTES("\x01"),
        BYTES("a"),
        BYTES("a\0"),
        BYTES("a\0b"),
        BYTES("aa"),
        BYTES("aaaaaaaaaaaaaaaa"),
        BYTES("aaaaaaaaaaaaaaaa\0"),
        BYTES("aaaaaaaaaaaaaaaab"),
        BYTES("aaaaaaaaaaaaaaab"),
        BYTES("b"),
        BYTES("\x7f"),
        BYTES("\x80"),
        BYTES("\xfe\xff"),
        BYTES("\xff"),
        BYTES("\xff\0"),
        BYTES("\xff\xff"),
        BYTES("\xff\xff\xff"),
    };
    enum { STEP = 8 }; /* has no divisor in common with the count: every key is put once, out of order */
    _Static_assert(countof(sorted) % 2 == 1, "see STEP");
    struct kv_txn *txn = begin(kv_of(state), KV_WRITE);
    for (size_t i = 0; i < countof(sorted); i++)
        put(txn, sorted[i * STEP % countof(sorted)], NOTHING);
    commit(txn);

    struct kv_cursor cursor;
    struct kv_pair pair;
    txn = begin(kv_of(state), KV_READ);
    steme_status status = kv_seek(txn, NOTHING, NOTHING, &cursor, &pair, &err);
    for (size_t i = 0; i < countof(sorted); i++) {
        assert_int_equal(status, STEME_OK);
        assert_int_equal(slice_compare(pair.key, sorted[i]), 0);
        status = kv_next(&cursor, &pair, &err);
    }
    assert_int_equal(status, STEME_NOT_FOUND);
    kv_abort(&txn);
}

static const struct {
    const char *name, *prefix, *from, *want;
} scans[] = {
    { "everything", "", "", "a aa ab abc ac b ba \xff \xff\xff \xff\xff\141" },
    { "everything from a key", "", "ac", "ac b ba \xff \xff\xff \xff\xff\141" },
    { "everything from between keys", "", "abd", "ac b ba \xff \xff\xff \xff\xff\141" },
    { "everything from behind the last", "", "\xff\xff\xff", "" },
    { "a prefix that is a key", "a", "", "a aa ab abc ac" },
    { "a prefix that is no key", "bx", "", "" },
    { "a prefix of one key", "ba", "", "ba" },
    { "a prefix longer than any key", "abcdefgh", "", "" },
    { "a prefix before all keys", "0", "", "" },
    { "a prefix from itself", "ab", "ab", "ab abc" },
    { "a prefix from within", "ab", "abc", "abc" },
    { "a prefix from behind its last", "ab", "abd", "" },
    { "a prefix from between", "a", "aaa", "ab abc ac" },
    { "the greatest byte as prefix", "\xff", "", "\xff \xff\xff \xff\xff\141" },
    { "the greatest bytes as prefix", "\xff\xff", "", "\xff\xff \xff\xff\141" },
    { "more of the greatest bytes", "\xff\xff\xff", "", "" },
};
static const char *const scan_keys[] = { "\xff\xff\141", "b", "abc", "a", "ba", "ac", "\xff\xff", "ab", "\xff", "aa" };

static void a_scan_gives_what_has_the_prefix_from_where_it_is_told(void **state)
{
    char got[200];
    put_texts(kv_of(state), scan_keys, countof(scan_keys));
    for (enum kv_mode mode = KV_READ; mode <= KV_WRITE; mode++) {
        struct kv_txn *txn = begin(kv_of(state), mode);
        for (size_t i = 0; i < countof(scans); i++) {
            scan_texts(txn, scans[i].prefix, scans[i].from, got, sizeof(got));
            assert_row_text(got, scans[i].want, scans[i].name);
        }
        kv_abort(&txn);
    }
}

static const struct {
    const char *name, *prefix, *below, *want; /* want NULL: nothing */
} lasts[] = {
    { "of everything", "", "", "\xff\xff\141" },
    { "below a key", "", "b", "ac" },
    { "below between keys", "", "abd", "abc" },
    { "below the first", "", "a", NULL },
    { "below what is before the first", "", "0", NULL },
    { "below what is behind the last", "", "\xff\xff\xff", "\xff\xff\141" },
    { "with a prefix", "a", "", "ac" },
    { "with a prefix that is no key", "bx", "", NULL },
    { "with a prefix, below a key of it", "a", "ab", "aa" },
    { "with a prefix, below itself", "a", "a", NULL },
    { "with a prefix, below far behind it", "a", "z", "ac" },
    { "with a prefix, below before it", "b", "a", NULL },
    { "with a long prefix", "abc", "", "abc" },
    { "with the greatest byte as prefix", "\xff", "", "\xff\xff\141" },
    { "with the greatest byte as prefix, below", "\xff", "\xff\xff", "\xff" },
    { "with the greatest bytes as prefix", "\xff\xff", "", "\xff\xff\141" },
    { "with more of the greatest bytes", "\xff\xff\xff", "", NULL },
};

static void the_last_is_the_greatest_below_a_bound(void **state)
{
    put_texts(kv_of(state), scan_keys, countof(scan_keys));
    for (enum kv_mode mode = KV_READ; mode <= KV_WRITE; mode++) {
        struct kv_txn *txn = begin(kv_of(state), mode);
        for (size_t i = 0; i < countof(lasts); i++) {
            struct kv_pair pair = { 0 };
            steme_status status = kv_last(txn, slice_text(lasts[i].prefix), slice_text(lasts[i].below), &pair, &err);
            assert_status(status, lasts[i].want ? STEME_OK : STEME_NOT_FOUND, &err, lasts[i].name);
            if (status) continue;
            assert_row(slice_equal(pair.key, slice_text(lasts[i].want)), lasts[i].name);
            assert_row(slice_equal(pair.value, slice_text(lasts[i].want)), lasts[i].name);
        }
        kv_abort(&txn);
    }
}

static const size_t value_sizes[] = { 0, 1, 2, 100, 1000, 2000, 2048, 4000, 4096, 10000, 65535, KV_VALUE_MAX };

static void values_may_be_empty_and_as_long_as_the_limit(void **state)
{
    static uint8_t bytes[KV_VALUE_MAX];
    struct prng prng = { 1 };
    prng_fill(&prng, bytes, sizeof(bytes));
    struct kv_txn *txn = begin(kv_of(state), KV_WRITE);
    for (uint8_t i = 0; i < countof(value_sizes); i++)
        put(txn, slice_of(&i, 1), slice_of(bytes, value_sizes[i]));
    commit(txn);
    txn = begin(kv_of(state), KV_WRITE);
    for (int both = 0; both < 2; both++) {
        for (uint8_t i = 0; i < countof(value_sizes); i++) {
            struct steme_slice value;
            size_t size = value_sizes[both ? countof(value_sizes) - 1 - i : i];
            assert_status(kv_get(txn, slice_of(&i, 1), &value, &err), STEME_OK, &err, "get");
            assert_true(slice_equal(value, slice_of(bytes, size)));
            size = value_sizes[countof(value_sizes) - 1 - i]; /* and every size over every other */
            put(txn, slice_of(&i, 1), slice_of(bytes, size));
        }
    }
    commit(txn);
}

enum op { GET, SEEK, SEEK_FROM, LAST, LAST_BELOW, PUT, FRESH, APPEND, REMOVE };

static const struct {
    const char *name;
    enum op op;
    size_t key_size, value_size;
    steme_status want;
} sizes[] = {
    { "get an empty key", GET, 0, 0, STEME_BAD_INPUT },
    { "get the longest key", GET, KV_KEY_MAX, 0, STEME_NOT_FOUND },
    { "get a key too long", GET, KV_KEY_MAX + 1, 0, STEME_TOO_LARGE },
    { "seek the longest prefix", SEEK, KV_KEY_MAX, 0, STEME_NOT_FOUND },
    { "seek a prefix too long", SEEK, KV_KEY_MAX + 1, 0, STEME_TOO_LARGE },
    { "seek from the longest key", SEEK_FROM, KV_KEY_MAX, 0, STEME_NOT_FOUND },
    { "seek from a key too long", SEEK_FROM, KV_KEY_MAX + 1, 0, STEME_TOO_LARGE },
    { "last with the longest prefix", LAST, KV_KEY_MAX, 0, STEME_NOT_FOUND },
    { "last with a prefix too long", LAST, KV_KEY_MAX + 1, 0, STEME_TOO_LARGE },
    { "last below the longest key", LAST_BELOW, KV_KEY_MAX, 0, STEME_OK },
    { "last below a key too long", LAST_BELOW, KV_KEY_MAX + 1, 0, STEME_TOO_LARGE },
    { "put an empty key", PUT, 0, 0, STEME_BAD_INPUT },
    { "put a key too long", PUT, KV_KEY_MAX + 1, 0, STEME_TOO_LARGE },
    { "put a value too long", PUT, 1, KV_VALUE_MAX + 1, STEME_TOO_LARGE },
    { "put fresh an empty key", FRESH, 0, 0, STEME_BAD_INPUT },
    { "put fresh a key too long", FRESH, KV_KEY_MAX + 1, 0, STEME_TOO_LARGE },
    { "put fresh a value too long", FRESH, 1, KV_VALUE_MAX + 1, STEME_TOO_LARGE },
    { "append an empty key", APPEND, 0, 0, STEME_BAD_INPUT },
    { "append a key too long", APPEND, KV_KEY_MAX + 1, 0, STEME_TOO_LARGE },
    { "append a value too long", APPEND, 1, KV_VALUE_MAX + 1, STEME_TOO_LARGE },
    { "remove an empty key", REMOVE, 0, 0, STEME_BAD_INPUT },
    { "remove the longest key", REMOVE, KV_KEY_MAX, 0, STEME_NOT_FOUND },
    { "remove a key too long", REMOVE, KV_KEY_MAX + 1, 0, STEME_TOO_LARGE },
    { "put the longest key with the longest value", PUT, KV_KEY_MAX, KV_VALUE_MAX, STEME_OK },
};

static steme_status call(struct kv_txn *txn, enum op op, struct steme_slice key, struct steme_slice value)
{
    struct kv_cursor cursor;
    struct kv_pair pair;
    struct steme_slice got;
    switch (op) {
    case GET: return kv_get(txn, key, &got, &err);
    case SEEK: return kv_seek(txn, key, NOTHING, &cursor, &pair, &err);
    case SEEK_FROM: return kv_seek(txn, NOTHING, key, &cursor, &pair, &err);
    case LAST: return kv_last(txn, key, NOTHING, &pair, &err);
    case LAST_BELOW: return kv_last(txn, NOTHING, key, &pair, &err);
    case PUT: return kv_put(txn, key, value, &err);
    case FRESH: return kv_put_fresh(txn, key, value, &got, &err);
    case APPEND: return kv_append(txn, key, value, &err);
    case REMOVE: return kv_remove(txn, key, &err);
    }
    unreachable_here();
}

static void sizes_beyond_the_limits_are_refused_and_the_transaction_goes_on(void **state)
{
    static uint8_t key[KV_KEY_MAX + 1], value[KV_VALUE_MAX + 1];
    memset(key, 0xfe, sizeof(key));
    struct kv_txn *txn = begin(kv_of(state), KV_WRITE);
    put(txn, BYTES("a"), BYTES("1"));
    for (size_t i = 0; i < countof(sizes); i++) {
        err = (struct steme_error){ 0 };
        steme_status got = call(txn, sizes[i].op, slice_of(key, sizes[i].key_size),
                                slice_of(value, sizes[i].value_size));
        assert_status(got, sizes[i].want, &err, sizes[i].name);
        bool refused = got == STEME_BAD_INPUT || got == STEME_TOO_LARGE;
        assert_row(refused == (err.message[0] != '\0'), sizes[i].name);
    }
    commit(txn);
    txn = begin(kv_of(state), KV_READ);
    assert_true(has(txn, "a", "1"));
    struct steme_slice got;
    assert_int_equal(kv_get(txn, slice_of(key, KV_KEY_MAX), &got, &err), STEME_OK);
    assert_true(slice_equal(got, slice_of(value, KV_VALUE_MAX)));
    kv_abort(&txn);
}

static void put_replaces_and_put_fresh_does_not(void **state)
{
    struct steme_slice present = NOTHING;
    struct kv_txn *txn = begin(kv_of(state), KV_WRITE);
    assert_int_equal(kv_put_fresh(txn, BYTES("k"), BYTES("first"), &present, &err), STEME_OK);
    assert_int_equal(kv_put_fresh(txn, BYTES("k"), BYTES("second"), &present, &err), STEME_EXISTS);
    assert_true(slice_equal(present, BYTES("first")));
    assert_int_equal(kv_put_fresh(txn, BYTES("k"), BYTES("second"), NULL, &err), STEME_EXISTS);
    put(txn, BYTES("k"), BYTES("third, and longer"));
    assert_int_equal(kv_put_fresh(txn, BYTES("k"), NOTHING, &present, &err), STEME_EXISTS);
    assert_true(slice_equal(present, BYTES("third, and longer")));
    put(txn, BYTES("k"), NOTHING);
    assert_int_equal(kv_put_fresh(txn, BYTES("k"), BYTES("fourth"), &present, &err), STEME_EXISTS);
    assert_int_equal(present.size, 0);
    commit(txn);
    txn = begin(kv_of(state), KV_WRITE);
    assert_int_equal(kv_put_fresh(txn, BYTES("k"), BYTES("fifth"), &present, &err), STEME_EXISTS);
    assert_int_equal(present.size, 0);
    commit(txn);
    txn = begin(kv_of(state), KV_READ);
    assert_true(has(txn, "k", ""));
    kv_abort(&txn);
}

static const struct {
    const char *key;
    steme_status want;
} appends[] = {
    { "b", STEME_OK },        { "b", STEME_BAD_INPUT }, { "a", STEME_BAD_INPUT },    { "ba", STEME_OK },
    { "b", STEME_BAD_INPUT }, { "c", STEME_OK },        { "bz", STEME_BAD_INPUT },   { "\xff", STEME_OK },
    { "z", STEME_BAD_INPUT }, { "\xff\xff", STEME_OK }, { "\xff", STEME_BAD_INPUT },
};

static void append_wants_a_key_above_all_others(void **state)
{
    char got[100];
    struct kv_txn *txn = begin(kv_of(state), KV_WRITE);
    for (size_t i = 0; i < countof(appends); i++) {
        steme_status status = kv_append(txn, slice_text(appends[i].key), slice_text(appends[i].key), &err);
        assert_status(status, appends[i].want, &err, appends[i].key);
    }
    commit(txn);
    txn = begin(kv_of(state), KV_WRITE);
    assert_int_equal(kv_append(txn, BYTES("\xff\xff"), BYTES("x"), &err), STEME_BAD_INPUT);
    assert_int_equal(kv_remove(txn, BYTES("\xff\xff"), &err), STEME_OK);
    assert_int_equal(kv_append(txn, BYTES("\xff\x01"), BYTES("\xff\x01"), &err), STEME_OK);
    commit(txn);
    txn = begin(kv_of(state), KV_READ);
    scan_texts(txn, "", "", got, sizeof(got));
    assert_string_equal(got, "b ba c \xff \xff\x01");
    assert_true(has(txn, "b", "b"));
    kv_abort(&txn);
}

static void what_is_removed_is_gone_and_can_be_put_again(void **state)
{
    char got[100];
    static const char *const keys[] = { "a", "b", "c", "d", "e" };
    put_texts(kv_of(state), keys, countof(keys));
    struct kv_txn *txn = begin(kv_of(state), KV_WRITE);
    assert_int_equal(kv_remove(txn, BYTES("c"), &err), STEME_OK);
    assert_int_equal(kv_remove(txn, BYTES("c"), &err), STEME_NOT_FOUND);
    assert_int_equal(kv_remove(txn, BYTES("cc"), &err), STEME_NOT_FOUND);
    assert_int_equal(kv_remove(txn, BYTES("a"), &err), STEME_OK);
    assert_int_equal(kv_remove(txn, BYTES("e"), &err), STEME_OK);
    assert_int_equal(kv_put_fresh(txn, BYTES("a"), BYTES("again"), NULL, &err), STEME_OK);
    commit(txn);
    txn = begin(kv_of(state), KV_WRITE);
    scan_texts(txn, "", "", got, sizeof(got));
    assert_string_equal(got, "a b d");
    assert_true(has(txn, "a", "again"));
    for (size_t i = 0; i < countof(keys); i++) {
        steme_status status = kv_remove(txn, slice_text(keys[i]), &err);
        assert_status(status, keys[i][0] == 'c' || keys[i][0] == 'e' ? STEME_NOT_FOUND : STEME_OK, &err, keys[i]);
    }
    scan_texts(txn, "", "", got, sizeof(got));
    assert_string_equal(got, "");
    commit(txn);
}

/* --- Cursors and slices ------------------------------------------------------------------------------------------- */

static void a_cursor_may_be_ended_twice_or_never(void **state)
{
    static const char *const keys[] = { "a", "b", "c" };
    put_texts(kv_of(state), keys, countof(keys));
    for (enum kv_mode mode = KV_READ; mode <= KV_WRITE; mode++) {
        struct kv_txn *txn = begin(kv_of(state), mode);
        struct kv_cursor zeroed = { 0 }, cursor, forgotten[10];
        struct kv_pair pair;
        kv_cursor_end(&zeroed);
        assert_int_equal(kv_seek(txn, NOTHING, NOTHING, &cursor, &pair, &err), STEME_OK);
        kv_cursor_end(&cursor);
        kv_cursor_end(&cursor);
        assert_int_equal(kv_next(&cursor, &pair, &err), STEME_NOT_FOUND);
        for (size_t i = 0; i < countof(forgotten); i++)
            assert_int_equal(kv_seek(txn, NOTHING, BYTES("b"), &forgotten[i], &pair, &err), STEME_OK);
        kv_abort(&txn);
    }
}

static void a_cursor_past_the_end_stays_there(void **state)
{
    static const char *const keys[] = { "a1", "a2", "b1" };
    put_texts(kv_of(state), keys, countof(keys));
    struct kv_txn *txn = begin(kv_of(state), KV_WRITE);
    struct kv_cursor cursor;
    struct kv_pair pair;
    assert_int_equal(kv_seek(txn, BYTES("a"), BYTES("a2"), &cursor, &pair, &err), STEME_OK);
    const uint8_t *before = pair.key.data;
    assert_int_equal(kv_next(&cursor, &pair, &err), STEME_NOT_FOUND);
    put(txn, BYTES("a3"), NOTHING);
    assert_int_equal(kv_next(&cursor, &pair, &err), STEME_NOT_FOUND);
    assert_ptr_equal(pair.key.data, before); /* results are written on STEME_OK only */
    kv_cursor_end(&cursor);
    kv_abort(&txn);
}

static void cursors_do_not_disturb_each_other(void **state)
{
    enum { CURSORS = 20, KEYS = 100 };
    struct kv_cursor cursors[CURSORS];
    struct kv_pair pair;
    uint8_t key[8];
    struct kv_txn *txn = begin(kv_of(state), KV_WRITE);
    for (uint64_t i = 0; i < KEYS; i++) {
        store_u64be(key, i);
        put(txn, slice_of(key, sizeof(key)), NOTHING);
    }
    commit(txn);
    txn = begin(kv_of(state), KV_READ);
    for (uint64_t i = 0; i < CURSORS; i++) {
        store_u64be(key, i);
        assert_int_equal(kv_seek(txn, NOTHING, slice_of(key, sizeof(key)), &cursors[i], &pair, &err), STEME_OK);
    }
    for (uint64_t step = 1; step < KEYS; step++) {
        for (uint64_t i = 0; i < CURSORS; i++) {
            steme_status status = kv_next(&cursors[i], &pair, &err);
            assert_int_equal(status, i + step < KEYS ? STEME_OK : STEME_NOT_FOUND);
            if (!status) assert_int_equal(load_u64be(pair.key.data), i + step);
        }
        if (step % 10 == 0) kv_cursor_end(&cursors[step / 10]); /* in any order */
        if (step % 10 == 0) {
            store_u64be(key, step / 10 + step);
            steme_status status = kv_seek(txn, NOTHING, slice_of(key, sizeof(key)), &cursors[step / 10], &pair, &err);
            assert_int_equal(status, STEME_OK);
        }
    }
    kv_abort(&txn);
}

static void a_cursor_goes_on_behind_its_pair_whatever_changes(void **state)
{
    static const char *const keys[] = { "a", "b", "c", "d", "e", "f" };
    static const struct {
        const char *remove, *put, *then; /* then NULL: the end */
    } steps[] = {
        { "a", NULL, "b" },   /* the pair it stands on goes */
        { "c", NULL, "d" },   /* the pair ahead goes */
        { NULL, "dd", "dd" }, /* one comes right ahead */
        { NULL, "a", "e" },   /* one comes behind */
        { "e", "e", "f" },    /* its own goes and comes back */
        { "f", "ff", "ff" },  { "ff", NULL, NULL },
    };
    put_texts(kv_of(state), keys, countof(keys));
    struct kv_txn *txn = begin(kv_of(state), KV_WRITE);
    struct kv_cursor cursor;
    struct kv_pair pair;
    assert_int_equal(kv_seek(txn, NOTHING, NOTHING, &cursor, &pair, &err), STEME_OK);
    for (size_t i = 0; i < countof(steps); i++) {
        if (steps[i].remove) assert_int_equal(kv_remove(txn, slice_text(steps[i].remove), &err), STEME_OK);
        if (steps[i].put) put(txn, slice_text(steps[i].put), NOTHING);
        assert_int_equal(kv_next(&cursor, &pair, &err), steps[i].then ? STEME_OK : STEME_NOT_FOUND);
        if (steps[i].then) assert_true(slice_equal(pair.key, slice_text(steps[i].then)));
    }
    kv_abort(&txn);
}

static void a_scan_may_remove_what_it_meets(void **state)
{
    enum { KEYS = 5000 };
    uint8_t key[8], value[40] = { 0 };
    struct kv_cursor cursor;
    struct kv_pair pair;
    struct kv_txn *txn = begin(kv_of(state), KV_WRITE);
    for (uint64_t i = 0; i < KEYS; i++) {
        store_u64be(key, i);
        put(txn, slice_of(key, sizeof(key)), slice_of(value, sizeof(value)));
    }
    commit(txn);
    txn = begin(kv_of(state), KV_WRITE);
    uint64_t met = 0;
    steme_status status = kv_seek(txn, NOTHING, NOTHING, &cursor, &pair, &err);
    for (; !status; met++) {
        assert_int_equal(load_u64be(pair.key.data), met);
        if (met % 3) assert_int_equal(kv_remove(txn, pair.key, &err), STEME_OK);
        status = kv_next(&cursor, &pair, &err);
    }
    assert_int_equal(met, KEYS);
    met = 0;
    status = kv_seek(txn, NOTHING, NOTHING, &cursor, &pair, &err);
    for (; !status; met += 3) {
        assert_int_equal(load_u64be(pair.key.data), met);
        status = kv_next(&cursor, &pair, &err);
    }
    assert_true(met >= KEYS && met < KEYS + 3);
    commit(txn);
}

static void slices_may_be_arguments_of_the_next_change(void **state)
{
    enum { KEYS = 60 };
    struct kv_cursor cursor;
    struct kv_pair pair;
    uint8_t key[200] = { 0 };
    struct kv_txn *txn = begin(kv_of(state), KV_WRITE);
    for (uint8_t i = 0; i < KEYS; i++) {
        memset(key, i, sizeof(key));
        put(txn, slice_of(key, sizeof(key)), slice_of(key, i));
    }
    /* In a page that has changed already: the key stays and the value grows, from slices inside the page. */
    for (int round = 0; round < 4; round++) {
        steme_status status = kv_seek(txn, NOTHING, NOTHING, &cursor, &pair, &err);
        for (uint8_t i = 0; i < KEYS; i++) {
            memset(key, i, sizeof(key));
            assert_int_equal(status, STEME_OK);
            assert_true(slice_equal(pair.key, slice_of(key, sizeof(key))));
            put(txn, pair.key, round % 2 ? slice_of(pair.key.data, 7) : pair.key);
            struct steme_slice got;
            assert_int_equal(kv_get(txn, slice_of(key, sizeof(key)), &got, &err), STEME_OK);
            assert_true(slice_equal(got, slice_of(key, round % 2 ? 7 : sizeof(key))));
            status = kv_next(&cursor, &pair, &err);
        }
        assert_int_equal(status, STEME_NOT_FOUND);
    }
    while (kv_last(txn, NOTHING, NOTHING, &pair, &err) == STEME_OK)
        assert_int_equal(kv_remove(txn, pair.key, &err), STEME_OK);
    commit(txn);
}

/* --- Transactions ------------------------------------------------------------------------------------------------- */

static void a_write_transaction_sees_its_own_writes_and_nobody_else_does(void **state)
{
    static const char *const keys[] = { "a", "b" };
    put_texts(kv_of(state), keys, countof(keys));
    struct kv_txn *before = begin(kv_of(state), KV_READ);
    struct kv_txn *writer = begin(kv_of(state), KV_WRITE);
    put(writer, BYTES("a"), BYTES("new"));
    put(writer, BYTES("c"), BYTES("c"));
    assert_int_equal(kv_remove(writer, BYTES("b"), &err), STEME_OK);
    struct kv_txn *during = begin(kv_of(state), KV_READ);
    assert_true(has(writer, "a", "new") && has(writer, "b", NULL) && has(writer, "c", "c"));
    assert_true(has(before, "a", "a") && has(before, "b", "b") && has(before, "c", NULL));
    assert_true(has(during, "a", "a") && has(during, "b", "b") && has(during, "c", NULL));
    commit(writer);
    struct kv_txn *after = begin(kv_of(state), KV_READ);
    assert_true(has(before, "a", "a") && has(before, "b", "b") && has(before, "c", NULL));
    assert_true(has(during, "a", "a") && has(during, "b", "b") && has(during, "c", NULL));
    assert_true(has(after, "a", "new") && has(after, "b", NULL) && has(after, "c", "c"));
    kv_abort(&before);
    kv_abort(&after);
    kv_abort(&during);
}

static void an_aborted_transaction_leaves_no_trace(void **state)
{
    char got[100];
    static const char *const keys[] = { "a", "b" };
    put_texts(kv_of(state), keys, countof(keys));
    struct kv_txn *txn = begin(kv_of(state), KV_WRITE);
    put(txn, BYTES("a"), BYTES("new"));
    put(txn, BYTES("c"), BYTES("new"));
    assert_int_equal(kv_remove(txn, BYTES("b"), &err), STEME_OK);
    kv_abort(&txn);
    assert_null(txn);
    kv_abort(&txn);
    txn = begin(kv_of(state), KV_WRITE);
    scan_texts(txn, "", "", got, sizeof(got));
    assert_string_equal(got, "a b");
    assert_true(has(txn, "a", "a"));
    kv_abort(&txn);
}

static void a_commit_ends_any_transaction(void **state)
{
    struct kv_txn *txn = begin(kv_of(state), KV_READ);
    assert_int_equal(kv_commit(&txn, &err), STEME_OK);
    assert_null(txn);
    txn = begin(kv_of(state), KV_WRITE); /* with nothing in it */
    assert_int_equal(kv_commit(&txn, &err), STEME_OK);
    assert_null(txn);
    commit(begin(kv_of(state), KV_WRITE));
}

static void put_generation(struct kv *kv, uint64_t generation, uint64_t keys)
{
    uint8_t key[8], value[8];
    struct kv_txn *txn = begin(kv, KV_WRITE);
    store_u64(value, generation);
    for (uint64_t i = 0; i < keys; i++) {
        store_u64be(key, i * 0x9E3779B97F4A7C15u);
        put(txn, slice_of(key, sizeof(key)), slice_of(value, sizeof(value)));
    }
    commit(txn);
}

/* Whether all pairs of the snapshot are of one generation, and how many there are. No assertions: for any thread. */
static bool one_generation(struct kv_txn *txn, uint64_t *generation, uint64_t *count)
{
    struct kv_cursor cursor;
    struct kv_pair pair;
    *count = 0;
    steme_status status = kv_seek(txn, NOTHING, NOTHING, &cursor, &pair, NULL);
    for (; !status; ++*count) {
        if (pair.value.size != 8) return false;
        uint64_t here = load_u64(pair.value.data);
        if (*count == 0) *generation = here;
        if (here != *generation) return false;
        status = kv_next(&cursor, &pair, NULL);
    }
    return status == STEME_NOT_FOUND;
}

static void every_open_snapshot_keeps_its_own_state(void **state)
{
    enum { SNAPSHOTS = 100, KEYS = 50 };
    struct kv_txn *snapshots[SNAPSHOTS];
    struct steme_slice held[SNAPSHOTS];
    uint8_t key[8] = { 0 };
    for (uint64_t i = 0; i < SNAPSHOTS; i++) {
        put_generation(kv_of(state), i, KEYS);
        snapshots[i] = begin(kv_of(state), KV_READ);
        assert_int_equal(kv_get(snapshots[i], slice_of(key, sizeof(key)), &held[i], &err), STEME_OK);
    }
    for (uint64_t i = 0; i < SNAPSHOTS; i++) { /* ended in another order than begun */
        uint64_t at = i * 37 % SNAPSHOTS, generation = 0, count = 0;
        assert_true(one_generation(snapshots[at], &generation, &count));
        assert_int_equal(generation, at);
        assert_int_equal(count, KEYS);
        assert_int_equal(load_u64(held[at].data), at);
        kv_abort(&snapshots[at]);
        put_generation(kv_of(state), SNAPSHOTS + i, KEYS);
    }
}

static void a_big_transaction_is_all_there(void **state)
{
    enum { KEYS = 30000 };
    put_generation(kv_of(state), 1, KEYS);
    put_generation(kv_of(state), 2, KEYS);
    struct kv_txn *txn = begin(kv_of(state), KV_READ);
    uint64_t generation = 0, count = 0;
    assert_true(one_generation(txn, &generation, &count));
    assert_int_equal(generation, 2);
    assert_int_equal(count, KEYS);
    kv_abort(&txn);
}

static steme_status put_one(struct kv_txn *txn, void *context, struct steme_error *error)
{
    int *runs = context;
    ++*runs;
    return kv_put(txn, BYTES("k"), BYTES("v"), error);
}

static steme_status put_then_fail(struct kv_txn *txn, void *context, struct steme_error *error)
{
    steme_status status = put_one(txn, context, error);
    return status ? status : error_set(error, STEME_MISMATCH, "as the test wants it");
}

static void an_update_is_committed_when_its_body_says_so(void **state)
{
    int runs = 0;
    assert_int_equal(kv_update(kv_of(state), put_then_fail, &runs, &err), STEME_MISMATCH);
    assert_int_equal(runs, 1);
    struct kv_txn *txn = begin(kv_of(state), KV_READ);
    assert_true(has(txn, "k", NULL));
    kv_abort(&txn);
    assert_int_equal(kv_update(kv_of(state), put_one, &runs, &err), STEME_OK);
    assert_int_equal(runs, 2);
    txn = begin(kv_of(state), KV_READ);
    assert_true(has(txn, "k", "v"));
    kv_abort(&txn);
}

static void a_sync_may_be_asked_for_at_any_time(void **state)
{
    assert_status(kv_sync(kv_of(state), &err), STEME_OK, &err, "nothing written");
    put_generation(kv_of(state), 1, 10);
    assert_status(kv_sync(kv_of(state), &err), STEME_OK, &err, "something written");
    struct kv_txn *txn = begin(kv_of(state), KV_READ);
    assert_status(kv_sync(kv_of(state), &err), STEME_OK, &err, "a reader open");
    kv_abort(&txn);
}

static void a_store_opened_again_has_what_was_committed(void **state)
{
    struct subject *subject = *state;
    for (uint64_t round = 1; round <= 3; round++) {
        put_generation(subject->kv, round, 100);
        struct kv_txn *txn = begin(subject->kv, KV_WRITE);
        put(txn, BYTES("not committed"), NOTHING);
        kv_abort(&txn);
        kv_close(&subject->kv);
        assert_null(subject->kv);
        assert_status(subject->store->open(subject->dir, &subject->kv, &err), STEME_OK, &err, "open again");
        txn = begin(subject->kv, KV_READ);
        uint64_t generation = 0, count = 0;
        assert_true(one_generation(txn, &generation, &count));
        assert_int_equal(generation, round);
        assert_int_equal(count, 100);
        kv_abort(&txn);
    }
}

/* --- Threads ------------------------------------------------------------------------------------------------------ */

struct second_writer {
    struct kv *kv;
    atomic_bool started, inside;
    steme_status status;
};

static void *write_second(void *argument)
{
    struct second_writer *second = argument;
    struct kv_txn *txn = NULL;
    struct steme_slice value;
    atomic_store(&second->started, true);
    second->status = kv_begin(second->kv, KV_WRITE, &txn, NULL);
    if (second->status) return NULL;
    atomic_store(&second->inside, true);
    second->status = kv_get(txn, BYTES("first"), &value, NULL); /* it sees what it waited for */
    if (!second->status) second->status = kv_put(txn, BYTES("second"), NOTHING, NULL);
    if (!second->status) second->status = kv_commit(&txn, NULL);
    kv_abort(&txn);
    return NULL;
}

static void a_second_writer_waits_for_the_first(void **state)
{
    struct second_writer second = { .kv = kv_of(state) };
    pthread_t thread;
    struct kv_txn *txn = begin(kv_of(state), KV_WRITE);
    assert_int_equal(pthread_create(&thread, NULL, write_second, &second), 0);
    while (!atomic_load(&second.started))
        sched_yield();
    for (int i = 0; i < 1000; i++)
        sched_yield(); /* time enough to go wrong */
    assert_false(atomic_load(&second.inside));
    put(txn, BYTES("first"), NOTHING);
    commit(txn);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_status(second.status, STEME_OK, NULL, "the second writer");
    txn = begin(kv_of(state), KV_READ);
    assert_true(has(txn, "first", "") && has(txn, "second", ""));
    kv_abort(&txn);
}

enum { THREADS = 8, THREAD_KEYS = 200, GENERATIONS = 150 };

struct watcher {
    struct kv *kv;
    atomic_bool *done;
    uint64_t snapshots;
    bool failed;
};

/* Reads snapshot after snapshot: each of one generation, whole, and none older than the one before. */
static void *watch(void *argument)
{
    struct watcher *watcher = argument;
    uint64_t newest = 0;
    bool last_look = false;
    while (!last_look && !watcher->failed) {
        struct kv_txn *txn = NULL;
        uint64_t generation = 0, count = 0;
        last_look = atomic_load(watcher->done);
        watcher->failed = kv_begin(watcher->kv, KV_READ, &txn, NULL) != STEME_OK;
        if (watcher->failed) break;
        watcher->failed = !one_generation(txn, &generation, &count) || count != THREAD_KEYS || generation < newest;
        if (last_look && generation != GENERATIONS) watcher->failed = true;
        newest = generation;
        watcher->snapshots++;
        kv_abort(&txn);
    }
    return NULL;
}

static void readers_in_eight_threads_see_whole_generations(void **state)
{
    struct watcher watchers[THREADS];
    pthread_t threads[THREADS];
    atomic_bool done = false;
    put_generation(kv_of(state), 0, THREAD_KEYS);
    for (size_t i = 0; i < THREADS; i++) {
        watchers[i] = (struct watcher){ .kv = kv_of(state), .done = &done };
        assert_int_equal(pthread_create(&threads[i], NULL, watch, &watchers[i]), 0);
    }
    for (uint64_t i = 1; i <= GENERATIONS; i++)
        put_generation(kv_of(state), i, THREAD_KEYS);
    atomic_store(&done, true);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (size_t i = 0; i < THREADS; i++) {
        assert_false(watchers[i].failed);
        assert_true(watchers[i].snapshots > 0);
    }
}

static void *read_and_end(void *argument)
{
    struct kv_txn *txn = argument;
    uint64_t generation = 0, count = 0;
    bool sound = one_generation(txn, &generation, &count) && count == THREAD_KEYS;
    kv_abort(&txn);
    return sound ? argument : NULL;
}

static void a_read_transaction_may_move_to_another_thread(void **state)
{
    void *answer = NULL;
    pthread_t thread;
    put_generation(kv_of(state), 7, THREAD_KEYS);
    struct kv_txn *txn = begin(kv_of(state), KV_READ);
    assert_int_equal(pthread_create(&thread, NULL, read_and_end, txn), 0);
    assert_int_equal(pthread_join(thread, &answer), 0);
    assert_non_null(answer);
    put_generation(kv_of(state), 8, THREAD_KEYS);
}

struct many_writers {
    struct kv *kv;
    steme_status status;
};

static steme_status add_one(struct kv_txn *txn, void *context, struct steme_error *error)
{
    (void)context;
    uint8_t bytes[8] = { 0 };
    struct steme_slice value;
    steme_status status = kv_get(txn, BYTES("sum"), &value, error);
    if (status && status != STEME_NOT_FOUND) return status;
    store_u64(bytes, status ? 1 : load_u64(value.data) + 1);
    return kv_put(txn, BYTES("sum"), slice_of(bytes, sizeof(bytes)), error);
}

static void *add_many(void *argument)
{
    struct many_writers *many = argument;
    for (int i = 0; i < 50 && !many->status; i++)
        many->status = kv_update(many->kv, add_one, NULL, NULL);
    return NULL;
}

static void writers_in_many_threads_lose_no_update(void **state)
{
    struct many_writers many[THREADS];
    pthread_t threads[THREADS];
    struct steme_slice value;
    for (size_t i = 0; i < THREADS; i++) {
        many[i] = (struct many_writers){ .kv = kv_of(state) };
        assert_int_equal(pthread_create(&threads[i], NULL, add_many, &many[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_status(many[i].status, STEME_OK, NULL, "one of the writers");
    }
    struct kv_txn *txn = begin(kv_of(state), KV_READ);
    assert_int_equal(kv_get(txn, BYTES("sum"), &value, &err), STEME_OK);
    assert_int_equal(load_u64(value.data), 50 * THREADS);
    kv_abort(&txn);
}

/* --- The suite ---------------------------------------------------------------------------------------------------- */

static const struct kv_contract_store *store_under_test;

static int open_subject(void **state)
{
    struct subject *subject = calloc(1, sizeof(*subject));
    assert_non_null(subject);
    subject->store = store_under_test;
    subject->dir = testing_make_temporary();
    assert_status(subject->store->open(subject->dir, &subject->kv, &err), STEME_OK, &err, "open");
    *state = subject;
    return 0;
}

static int close_subject(void **state)
{
    struct subject *subject = *state;
    kv_close(&subject->kv);
    kv_close(&subject->kv); /* NULL is fine */
    testing_remove_temporary(subject->dir);
    free(subject);
    return 0;
}

#define PROMISE(function)                                      \
    {                                                          \
#function, function, open_subject, close_subject, NULL \
    }

static const struct CMUnitTest promises[] = {
    PROMISE(an_empty_store_has_nothing),
    PROMISE(what_was_put_is_got_and_nothing_else),
    PROMISE(keys_come_in_the_order_of_their_bytes),
    PROMISE(a_scan_gives_what_has_the_prefix_from_where_it_is_told),
    PROMISE(the_last_is_the_greatest_below_a_bound),
    PROMISE(values_may_be_empty_and_as_long_as_the_limit),
    PROMISE(sizes_beyond_the_limits_are_refused_and_the_transaction_goes_on),
    PROMISE(put_replaces_and_put_fresh_does_not),
    PROMISE(append_wants_a_key_above_all_others),
    PROMISE(what_is_removed_is_gone_and_can_be_put_again),
    PROMISE(a_cursor_may_be_ended_twice_or_never),
    PROMISE(a_cursor_past_the_end_stays_there),
    PROMISE(cursors_do_not_disturb_each_other),
    PROMISE(a_cursor_goes_on_behind_its_pair_whatever_changes),
    PROMISE(a_scan_may_remove_what_it_meets),
    PROMISE(slices_may_be_arguments_of_the_next_change),
    PROMISE(a_write_transaction_sees_its_own_writes_and_nobody_else_does),
    PROMISE(an_aborted_transaction_leaves_no_trace),
    PROMISE(a_commit_ends_any_transaction),
    PROMISE(every_open_snapshot_keeps_its_own_state),
    PROMISE(a_big_transaction_is_all_there),
    PROMISE(an_update_is_committed_when_its_body_says_so),
    PROMISE(a_sync_may_be_asked_for_at_any_time),
    PROMISE(a_second_writer_waits_for_the_first),
    PROMISE(readers_in_eight_threads_see_whole_generations),
    PROMISE(a_read_transaction_may_move_to_another_thread),
    PROMISE(writers_in_many_threads_lose_no_update),
    PROMISE(a_store_opened_again_has_what_was_committed), /* last: only of stores that last */
};

int kv_contract_run(const struct kv_contract_store *store)
{
    struct CMUnitTest tests[countof(promises)];
    char names[countof(promises)][120];
    store_under_test = store;
    for (size_t i = 0; i < countof(promises); i++) {
        snprintf(names[i], sizeof(names[i]), "%s: %s", store->name, promises[i].name);
        tests[i] = promises[i];
        tests[i].name = names[i];
    }
    return _cmocka_run_group_tests(store->name, tests, countof(tests) - !store->lasting, NULL, NULL);
}
