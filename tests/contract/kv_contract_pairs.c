/* SPDX-License-Identifier: Apache-2.0 */
/* Pairs: what one transaction sees, sizes, cursors, and the slices they hand out. */
#include "base/check.h"
#include "base/codec.h"
#include "base/slice.h"
#include "contract/kv_contract_internal.h"
#include "lib/kv_testing.h"
#include "lib/testing.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct steme_error err;

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
    struct kv_txn *txn = kv_testing_begin(kv_contract_kv(state), KV_READ);
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
    txn = kv_testing_begin(kv_contract_kv(state), KV_WRITE);
    assert_int_equal(kv_remove(txn, BYTES("a"), &err), STEME_NOT_FOUND);
    kv_contract_commit(txn);
}

static void what_was_put_is_got_and_nothing_else(void **state)
{
    static const char *const keys[] = { "b", "ab", "abc", "a" };
    kv_contract_put_texts(kv_contract_kv(state), keys, countof(keys));
    struct kv_txn *txn = kv_testing_begin(kv_contract_kv(state), KV_READ);
    for (size_t i = 0; i < countof(keys); i++)
        assert_row(kv_contract_has(txn, keys[i], keys[i]), keys[i]);
    static const char *const absent[] = { "aa", "abcd", "ac", "c", "A" };
    for (size_t i = 0; i < countof(absent); i++)
        assert_row(kv_contract_has(txn, absent[i], NULL), absent[i]);
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
    struct kv_txn *txn = kv_testing_begin(kv_contract_kv(state), KV_WRITE);
    for (size_t i = 0; i < countof(sorted); i++)
        kv_contract_put(txn, sorted[i * STEP % countof(sorted)], NOTHING);
    kv_contract_commit(txn);

    struct kv_cursor cursor;
    struct kv_pair pair;
    txn = kv_testing_begin(kv_contract_kv(state), KV_READ);
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
    kv_contract_put_texts(kv_contract_kv(state), scan_keys, countof(scan_keys));
    for (enum kv_mode mode = KV_READ; mode <= KV_WRITE; mode++) {
        struct kv_txn *txn = kv_testing_begin(kv_contract_kv(state), mode);
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
    kv_contract_put_texts(kv_contract_kv(state), scan_keys, countof(scan_keys));
    for (enum kv_mode mode = KV_READ; mode <= KV_WRITE; mode++) {
        struct kv_txn *txn = kv_testing_begin(kv_contract_kv(state), mode);
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
    for (size_t shift = 0; shift < countof(value_sizes); shift++) { /* every size over every other */
        struct kv_txn *txn = kv_testing_begin(kv_contract_kv(state), KV_WRITE);
        for (size_t i = 0; i < countof(value_sizes); i++) {
            uint8_t key = (uint8_t)i;
            kv_contract_put(txn, slice_of(&key, 1), slice_of(bytes, value_sizes[(i + shift) % countof(value_sizes)]));
        }
        kv_contract_commit(txn);
        txn = kv_testing_begin(kv_contract_kv(state), KV_READ);
        for (size_t i = 0; i < countof(value_sizes); i++) {
            uint8_t key = (uint8_t)i;
            struct steme_slice value;
            assert_status(kv_get(txn, slice_of(&key, 1), &value, &err), STEME_OK, &err, "get");
            assert_true(slice_equal(value, slice_of(bytes, value_sizes[(i + shift) % countof(value_sizes)])));
        }
        kv_abort(&txn);
    }
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
    struct kv_txn *txn = kv_testing_begin(kv_contract_kv(state), KV_WRITE);
    kv_contract_put(txn, BYTES("a"), BYTES("1"));
    for (size_t i = 0; i < countof(sizes); i++) {
        err = (struct steme_error){ 0 };
        steme_status got = call(txn, sizes[i].op, slice_of(key, sizes[i].key_size),
                                slice_of(value, sizes[i].value_size));
        assert_status(got, sizes[i].want, &err, sizes[i].name);
        bool refused = got == STEME_BAD_INPUT || got == STEME_TOO_LARGE;
        assert_row(refused == (err.message[0] != '\0'), sizes[i].name);
    }
    kv_contract_commit(txn);
    txn = kv_testing_begin(kv_contract_kv(state), KV_READ);
    assert_true(kv_contract_has(txn, "a", "1"));
    struct steme_slice got;
    assert_int_equal(kv_get(txn, slice_of(key, KV_KEY_MAX), &got, &err), STEME_OK);
    assert_true(slice_equal(got, slice_of(value, KV_VALUE_MAX)));
    kv_abort(&txn);
}

static void put_replaces_and_put_fresh_does_not(void **state)
{
    struct steme_slice present = NOTHING;
    struct kv_txn *txn = kv_testing_begin(kv_contract_kv(state), KV_WRITE);
    assert_int_equal(kv_put_fresh(txn, BYTES("k"), BYTES("first"), &present, &err), STEME_OK);
    assert_int_equal(kv_put_fresh(txn, BYTES("k"), BYTES("second"), &present, &err), STEME_EXISTS);
    assert_true(slice_equal(present, BYTES("first")));
    assert_int_equal(kv_put_fresh(txn, BYTES("k"), BYTES("second"), NULL, &err), STEME_EXISTS);
    kv_contract_put(txn, BYTES("k"), BYTES("third, and longer"));
    assert_int_equal(kv_put_fresh(txn, BYTES("k"), NOTHING, &present, &err), STEME_EXISTS);
    assert_true(slice_equal(present, BYTES("third, and longer")));
    kv_contract_put(txn, BYTES("k"), NOTHING);
    assert_int_equal(kv_put_fresh(txn, BYTES("k"), BYTES("fourth"), &present, &err), STEME_EXISTS);
    assert_int_equal(present.size, 0);
    kv_contract_commit(txn);
    txn = kv_testing_begin(kv_contract_kv(state), KV_WRITE);
    assert_int_equal(kv_put_fresh(txn, BYTES("k"), BYTES("fifth"), &present, &err), STEME_EXISTS);
    assert_int_equal(present.size, 0);
    kv_contract_commit(txn);
    txn = kv_testing_begin(kv_contract_kv(state), KV_READ);
    assert_true(kv_contract_has(txn, "k", ""));
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
    struct kv_txn *txn = kv_testing_begin(kv_contract_kv(state), KV_WRITE);
    for (size_t i = 0; i < countof(appends); i++) {
        steme_status status = kv_append(txn, slice_text(appends[i].key), slice_text(appends[i].key), &err);
        assert_status(status, appends[i].want, &err, appends[i].key);
    }
    kv_contract_commit(txn);
    txn = kv_testing_begin(kv_contract_kv(state), KV_WRITE);
    assert_int_equal(kv_append(txn, BYTES("\xff\xff"), BYTES("x"), &err), STEME_BAD_INPUT);
    assert_int_equal(kv_remove(txn, BYTES("\xff\xff"), &err), STEME_OK);
    assert_int_equal(kv_append(txn, BYTES("\xff\x01"), BYTES("\xff\x01"), &err), STEME_OK);
    kv_contract_commit(txn);
    txn = kv_testing_begin(kv_contract_kv(state), KV_READ);
    scan_texts(txn, "", "", got, sizeof(got));
    assert_string_equal(got, "b ba c \xff \xff\x01");
    assert_true(kv_contract_has(txn, "b", "b"));
    kv_abort(&txn);
}

static void what_is_removed_is_gone_and_can_be_put_again(void **state)
{
    char got[100];
    static const char *const keys[] = { "a", "b", "c", "d", "e" };
    kv_contract_put_texts(kv_contract_kv(state), keys, countof(keys));
    struct kv_txn *txn = kv_testing_begin(kv_contract_kv(state), KV_WRITE);
    assert_int_equal(kv_remove(txn, BYTES("c"), &err), STEME_OK);
    assert_int_equal(kv_remove(txn, BYTES("c"), &err), STEME_NOT_FOUND);
    assert_int_equal(kv_remove(txn, BYTES("cc"), &err), STEME_NOT_FOUND);
    assert_int_equal(kv_remove(txn, BYTES("a"), &err), STEME_OK);
    assert_int_equal(kv_remove(txn, BYTES("e"), &err), STEME_OK);
    assert_int_equal(kv_put_fresh(txn, BYTES("a"), BYTES("again"), NULL, &err), STEME_OK);
    kv_contract_commit(txn);
    txn = kv_testing_begin(kv_contract_kv(state), KV_WRITE);
    scan_texts(txn, "", "", got, sizeof(got));
    assert_string_equal(got, "a b d");
    assert_true(kv_contract_has(txn, "a", "again"));
    for (size_t i = 0; i < countof(keys); i++) {
        steme_status status = kv_remove(txn, slice_text(keys[i]), &err);
        assert_status(status, keys[i][0] == 'c' || keys[i][0] == 'e' ? STEME_NOT_FOUND : STEME_OK, &err, keys[i]);
    }
    scan_texts(txn, "", "", got, sizeof(got));
    assert_string_equal(got, "");
    kv_contract_commit(txn);
}

/* --- Cursors and slices ------------------------------------------------------------------------------------------- */

static void a_cursor_may_be_ended_twice_or_never(void **state)
{
    static const char *const keys[] = { "a", "b", "c" };
    kv_contract_put_texts(kv_contract_kv(state), keys, countof(keys));
    for (enum kv_mode mode = KV_READ; mode <= KV_WRITE; mode++) {
        struct kv_txn *txn = kv_testing_begin(kv_contract_kv(state), mode);
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
    kv_contract_put_texts(kv_contract_kv(state), keys, countof(keys));
    struct kv_txn *txn = kv_testing_begin(kv_contract_kv(state), KV_WRITE);
    struct kv_cursor cursor;
    struct kv_pair pair;
    assert_int_equal(kv_seek(txn, BYTES("a"), BYTES("a2"), &cursor, &pair, &err), STEME_OK);
    const uint8_t *before = pair.key.data;
    assert_int_equal(kv_next(&cursor, &pair, &err), STEME_NOT_FOUND);
    kv_contract_put(txn, BYTES("a3"), NOTHING);
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
    struct kv_txn *txn = kv_testing_begin(kv_contract_kv(state), KV_WRITE);
    for (uint64_t i = 0; i < KEYS; i++) {
        store_u64be(key, i);
        kv_contract_put(txn, slice_of(key, sizeof(key)), NOTHING);
    }
    kv_contract_commit(txn);
    txn = kv_testing_begin(kv_contract_kv(state), KV_READ);
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
    kv_contract_put_texts(kv_contract_kv(state), keys, countof(keys));
    struct kv_txn *txn = kv_testing_begin(kv_contract_kv(state), KV_WRITE);
    struct kv_cursor cursor;
    struct kv_pair pair;
    assert_int_equal(kv_seek(txn, NOTHING, NOTHING, &cursor, &pair, &err), STEME_OK);
    for (size_t i = 0; i < countof(steps); i++) {
        if (steps[i].remove) assert_int_equal(kv_remove(txn, slice_text(steps[i].remove), &err), STEME_OK);
        if (steps[i].put) kv_contract_put(txn, slice_text(steps[i].put), NOTHING);
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
    struct kv_txn *txn = kv_testing_begin(kv_contract_kv(state), KV_WRITE);
    for (uint64_t i = 0; i < KEYS; i++) {
        store_u64be(key, i);
        kv_contract_put(txn, slice_of(key, sizeof(key)), slice_of(value, sizeof(value)));
    }
    kv_contract_commit(txn);
    txn = kv_testing_begin(kv_contract_kv(state), KV_WRITE);
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
    kv_contract_commit(txn);
}

static void slices_may_be_arguments_of_the_next_change(void **state)
{
    enum { KEYS = 60 };
    struct kv_cursor cursor;
    struct kv_pair pair;
    uint8_t key[200] = { 0 };
    struct kv_txn *txn = kv_testing_begin(kv_contract_kv(state), KV_WRITE);
    for (int i = 0; i < KEYS; i++) {
        memset(key, i, sizeof(key));
        kv_contract_put(txn, slice_of(key, sizeof(key)), slice_of(key, (size_t)i));
    }
    /* In a page that has changed already: the key stays and the value grows, from slices inside the page. */
    for (int round = 0; round < 4; round++) {
        steme_status status = kv_seek(txn, NOTHING, NOTHING, &cursor, &pair, &err);
        for (int i = 0; i < KEYS; i++) {
            memset(key, i, sizeof(key));
            assert_int_equal(status, STEME_OK);
            assert_true(slice_equal(pair.key, slice_of(key, sizeof(key))));
            kv_contract_put(txn, pair.key, round % 2 ? slice_of(pair.key.data, 7) : pair.key);
            struct steme_slice got;
            assert_int_equal(kv_get(txn, slice_of(key, sizeof(key)), &got, &err), STEME_OK);
            assert_true(slice_equal(got, slice_of(key, round % 2 ? 7 : sizeof(key))));
            status = kv_next(&cursor, &pair, &err);
        }
        assert_int_equal(status, STEME_NOT_FOUND);
    }
    while (kv_last(txn, NOTHING, NOTHING, &pair, &err) == STEME_OK)
        assert_int_equal(kv_remove(txn, pair.key, &err), STEME_OK);
    kv_contract_commit(txn);
}

const struct CMUnitTest kv_contract_pairs[] = {
    cmocka_unit_test(an_empty_store_has_nothing),
    cmocka_unit_test(what_was_put_is_got_and_nothing_else),
    cmocka_unit_test(keys_come_in_the_order_of_their_bytes),
    cmocka_unit_test(a_scan_gives_what_has_the_prefix_from_where_it_is_told),
    cmocka_unit_test(the_last_is_the_greatest_below_a_bound),
    cmocka_unit_test(values_may_be_empty_and_as_long_as_the_limit),
    cmocka_unit_test(sizes_beyond_the_limits_are_refused_and_the_transaction_goes_on),
    cmocka_unit_test(put_replaces_and_put_fresh_does_not),
    cmocka_unit_test(append_wants_a_key_above_all_others),
    cmocka_unit_test(what_is_removed_is_gone_and_can_be_put_again),
    cmocka_unit_test(a_cursor_may_be_ended_twice_or_never),
    cmocka_unit_test(a_cursor_past_the_end_stays_there),
    cmocka_unit_test(cursors_do_not_disturb_each_other),
    cmocka_unit_test(a_cursor_goes_on_behind_its_pair_whatever_changes),
    cmocka_unit_test(a_scan_may_remove_what_it_meets),
    cmocka_unit_test(slices_may_be_arguments_of_the_next_change),
};
const size_t kv_contract_pairs_count = countof(kv_contract_pairs);
