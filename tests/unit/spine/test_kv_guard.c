/* SPDX-License-Identifier: Apache-2.0 */
/* What the guard finds: rows are taken, moved and changed behind its back, through the same store opened without it,
 * and every way to ask must then say STEME_CORRUPT. That it changes nothing else is in tests/contract and
 * tests/property. */
#include "base/check.h"
#include "base/codec.h"
#include "base/prng.h"
#include "base/slice.h"
#include "lib/kv_testing.h"
#include "lib/testing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOTHING slice_of(NULL, 0)
#define SUMS slice_text("!sum")

enum { ROWS = 400, KEY_BYTES = 9, TAKEN = 17, OLD_MAX = 64, SUMS_MAX = ROWS + 1 };

static struct steme_error err;

#define OK(call) assert_status((call), STEME_OK, &err, #call)

/* Row number i, of one of two kinds: ids spread evenly, and numbers that count up. */
static struct steme_slice key_of(unsigned i, uint8_t bytes[KEY_BYTES])
{
    bytes[0] = i % 2 ? 'H' : 'R';
    store_u64be(bytes + 1, i % 2 ? i * 0x9E3779B97F4A7C15u : i);
    return slice_of(bytes, KEY_BYTES);
}

static struct kv *open_guarded(const char *dir)
{
    struct kv *kv = kv_testing_lmdb(dir, KV_TESTING_CREATE);
    OK(kv_guard(kv, &err));
    return kv;
}

static void put_row(struct kv_txn *txn, unsigned i, const char *value)
{
    uint8_t bytes[KEY_BYTES];
    OK(kv_put(txn, key_of(i, bytes), slice_text(value), &err));
}

static void fill(const char *dir)
{
    struct kv *kv = open_guarded(dir);
    for (unsigned half = 0; half < 2; half++) {
        struct kv_txn *txn = kv_testing_begin(kv, KV_WRITE);
        for (unsigned i = 0; i < ROWS / 2; i++)
            put_row(txn, half * ROWS / 2 + i, half ? "second" : "first");
        OK(kv_commit(&txn, &err));
    }
    kv_close(&kv);
}

/* --- Ways to ask -------------------------------------------------------------------------------------------------- */

static steme_status get_row(struct kv_txn *txn, unsigned i)
{
    uint8_t bytes[KEY_BYTES];
    struct steme_slice value;
    return kv_get(txn, key_of(i, bytes), &value, &err);
}

static steme_status scan(struct kv_txn *txn, struct steme_slice prefix, size_t *count)
{
    struct kv_cursor cursor;
    struct kv_pair pair;
    *count = 0;
    steme_status status = kv_seek(txn, prefix, prefix, &cursor, &pair, &err);
    for (; !status; status = kv_next(&cursor, &pair, &err))
        ++*count;
    return status;
}

static steme_status scan_all(struct kv_txn *txn)
{
    size_t count = 0;
    steme_status status = scan(txn, NOTHING, &count);
    return status == STEME_NOT_FOUND && count == ROWS ? STEME_OK : status;
}

static steme_status ask_row(struct kv_txn *txn) { return get_row(txn, TAKEN); }

static steme_status seek_row(struct kv_txn *txn)
{
    uint8_t bytes[KEY_BYTES];
    struct kv_cursor cursor;
    struct kv_pair pair;
    struct steme_slice key = key_of(TAKEN, bytes);
    steme_status status = kv_seek(txn, key, key, &cursor, &pair, &err);
    kv_cursor_end(&cursor);
    return status;
}

/* The last row up to the one in question. */
static steme_status last_row(struct kv_txn *txn)
{
    uint8_t bytes[KEY_BYTES];
    struct kv_pair pair;
    (void)key_of(TAKEN, bytes);
    bytes[KEY_BYTES - 1]++;
    return kv_last(txn, NOTHING, slice_of(bytes, sizeof bytes), &pair, &err);
}

/* A scan of the row's kind only. */
static steme_status scan_kind(struct kv_txn *txn)
{
    size_t count = 0;
    uint8_t bytes[KEY_BYTES];
    steme_status status = scan(txn, slice_of(key_of(TAKEN, bytes).data, 1), &count);
    return status == STEME_NOT_FOUND && count == ROWS / 2 ? STEME_OK : status;
}

static const struct {
    const char *name;
    steme_status (*ask)(struct kv_txn *);
} ways[] = {
    { "get", ask_row },   { "seek", seek_row }, { "last", last_row }, { "scan of its kind", scan_kind },
    { "scan", scan_all },
};

/* --- Damage ------------------------------------------------------------------------------------------------------- */

static void take_row(struct kv_txn *raw)
{
    uint8_t bytes[KEY_BYTES];
    OK(kv_remove(raw, key_of(TAKEN, bytes), &err));
}

static void move_row(struct kv_txn *raw)
{
    uint8_t bytes[KEY_BYTES];
    take_row(raw);
    (void)key_of(TAKEN, bytes);
    bytes[KEY_BYTES - 1] ^= 1;
    OK(kv_put(raw, slice_of(bytes, sizeof bytes), slice_text("first"), &err));
}

static void change_row(struct kv_txn *raw) { put_row(raw, TAKEN, "fir5t"); }

static size_t sums_in(struct kv_txn *raw, struct steme_slice keys[SUMS_MAX], struct steme_slice values[SUMS_MAX])
{
    struct kv_cursor cursor;
    struct kv_pair pair;
    size_t count = 0;
    steme_status status = kv_seek(raw, SUMS, SUMS, &cursor, &pair, &err);
    for (; !status && count < SUMS_MAX; status = kv_next(&cursor, &pair, &err), count++) {
        keys[count] = pair.key;
        values[count] = pair.value;
    }
    assert_int_equal(status, STEME_NOT_FOUND);
    return count;
}

/* All sums of the kind go but the root. */
static void take_sums(struct kv_txn *raw)
{
    struct kv_cursor cursor;
    struct kv_pair pair;
    steme_status status = kv_seek(raw, SUMS, SUMS, &cursor, &pair, &err);
    for (; !status; status = kv_next(&cursor, &pair, &err))
        if (pair.key.size > SUMS.size) OK(kv_remove(raw, pair.key, &err));
}

static void take_root(struct kv_txn *raw) { OK(kv_remove(raw, SUMS, &err)); }

static void take_root_and_sums(struct kv_txn *raw)
{
    take_sums(raw);
    take_root(raw);
}

/* A subtree is lost that held all rows of a kind, and all sums but the root. */
static void take_kind_and_sums(struct kv_txn *raw)
{
    uint8_t bytes[KEY_BYTES];
    for (unsigned i = TAKEN % 2; i < ROWS; i += 2)
        OK(kv_remove(raw, key_of(i, bytes), &err));
    take_sums(raw);
}

static void take_kind(struct kv_txn *raw)
{
    uint8_t bytes[KEY_BYTES];
    for (unsigned i = TAKEN % 2; i < ROWS; i += 2)
        OK(kv_remove(raw, key_of(i, bytes), &err));
}

static void change_root(struct kv_txn *raw)
{
    struct steme_slice value;
    uint8_t copy[64];
    OK(kv_get(raw, SUMS, &value, &err));
    assert_true(value.size <= sizeof copy);
    memcpy(copy, value.data, value.size);
    copy[value.size - 1] ^= 1;
    OK(kv_put(raw, SUMS, slice_of(copy, value.size), &err));
}

static const struct {
    const char *name;
    void (*damage)(struct kv_txn *raw);
} damages[] = {
    { "a row is gone", take_row },
    { "a row lies under another key", move_row },
    { "a row has another value", change_row },
    { "all rows of a kind are gone", take_kind },
    { "all rows of a kind are gone, and the sums", take_kind_and_sums },
    { "the sums are gone", take_sums },
    { "the root is gone", take_root },
    { "root and sums are gone", take_root_and_sums },
    { "the root is another", change_root },
};

static void damage_raw(const char *dir, void (*damage)(struct kv_txn *raw))
{
    struct kv *kv = kv_testing_lmdb(dir, KV_TESTING_PLAIN);
    struct kv_txn *txn = kv_testing_begin(kv, KV_WRITE);
    damage(txn);
    OK(kv_commit(&txn, &err));
    kv_close(&kv);
}

/* Each damage, asked in each way, each through a store opened anew, by a reader and by a writer. */
static void whatever_is_missing_shows_however_it_is_asked(void **state)
{
    for (size_t i = 0; i < countof(damages); i++) {
        char name[32], what[128];
        (void)snprintf(name, sizeof name, "%zu", i);
        char *dir = testing_join(*state, name);
        fill(dir);
        for (size_t way = 0; way < 2 * countof(ways); way++) {
            struct kv *kv = open_guarded(dir);
            struct kv_txn *txn = kv_testing_begin(kv, KV_READ);
            assert_status(ways[way / 2].ask(txn), STEME_OK, &err, "before the damage");
            kv_abort(&txn);
            kv_close(&kv);
        }
        damage_raw(dir, damages[i].damage);
        for (size_t way = 0; way < 2 * countof(ways); way++) {
            struct kv *kv = open_guarded(dir);
            struct kv_txn *txn = kv_testing_begin(kv, way % 2 ? KV_WRITE : KV_READ);
            (void)snprintf(what, sizeof what, "%s: %s", damages[i].name, ways[way / 2].name);
            assert_status(ways[way / 2].ask(txn), STEME_CORRUPT, &err, what);
            kv_abort(&txn);
            kv_close(&kv);
        }
        free(dir);
    }
}

/* A write into a partition that has lost a row must not make its sum right. */
static void a_write_does_not_cover_up(void **state)
{
    uint8_t bytes[KEY_BYTES];
    fill(*state);
    damage_raw(*state, take_row);
    struct kv *kv = open_guarded(*state);
    struct kv_txn *txn = kv_testing_begin(kv, KV_WRITE);
    assert_int_equal(kv_put(txn, key_of(TAKEN, bytes), slice_text("again"), &err), STEME_CORRUPT);
    assert_int_equal(kv_commit(&txn, &err), STEME_CORRUPT);
    kv_close(&kv);
}

static struct steme_slice old_keys[SUMS_MAX], old_values[SUMS_MAX];
static uint8_t old_bytes[SUMS_MAX][OLD_MAX];
static size_t old_count;

static void keep_sums(struct kv_txn *raw)
{
    old_count = sums_in(raw, old_keys, old_values);
    for (size_t i = 0; i < old_count; i++) {
        size_t key_size = old_keys[i].size, value_size = old_values[i].size;
        assert_true(key_size + value_size <= OLD_MAX);
        memcpy(old_bytes[i], old_keys[i].data, key_size);
        memcpy(old_bytes[i] + key_size, old_values[i].data, value_size);
        old_keys[i].data = old_bytes[i];
        old_values[i].data = old_bytes[i] + key_size;
    }
}

/* As if the page with the sums were an earlier one: they agree with their root, but not with the rows. */
static void put_old_sums(struct kv_txn *raw)
{
    take_root_and_sums(raw);
    for (size_t i = 0; i < old_count; i++)
        OK(kv_put(raw, old_keys[i], old_values[i], &err));
}

static void sums_of_an_earlier_state_are_found_out(void **state)
{
    fill(*state);
    damage_raw(*state, keep_sums);
    struct kv *kv = open_guarded(*state);
    struct kv_txn *txn = kv_testing_begin(kv, KV_WRITE);
    put_row(txn, TAKEN, "third");
    OK(kv_commit(&txn, &err));
    kv_close(&kv);
    damage_raw(*state, put_old_sums);
    kv = open_guarded(*state);
    txn = kv_testing_begin(kv, KV_READ);
    assert_int_equal(get_row(txn, TAKEN), STEME_CORRUPT);
    kv_abort(&txn);
    kv_close(&kv);
}

/* --- Nothing wrong ------------------------------------------------------------------------------------------------ */

/* Each snapshot goes by the sums it has, whichever is asked first, in this process or beside its writer. */
static void snapshots_of_any_age_are_proved_by_their_own_sums(void **state)
{
    for (unsigned first = 0; first < 2; first++) {
        char *dir = testing_join(*state, first ? "old first" : "new first");
        fill(dir);
        struct kv *writing = open_guarded(dir), *kv = open_guarded(dir);
        struct kv_txn *ages[2] = { kv_testing_begin(kv, KV_READ), NULL };
        struct kv_txn *txn = kv_testing_begin(writing, KV_WRITE);
        uint8_t bytes[KEY_BYTES];
        OK(kv_remove(txn, key_of(TAKEN, bytes), &err));
        put_row(txn, TAKEN + 2, "newer");
        OK(kv_commit(&txn, &err));
        ages[1] = kv_testing_begin(kv, KV_READ);
        for (unsigned turn = 0; turn < 2; turn++) {
            unsigned age = turn ^ first;
            size_t count = 0;
            assert_int_equal(get_row(ages[age], TAKEN), age ? STEME_NOT_FOUND : STEME_OK);
            assert_int_equal(scan(ages[age], NOTHING, &count), STEME_NOT_FOUND);
            assert_int_equal(count, ROWS - age);
        }
        kv_abort(&ages[0]);
        kv_abort(&ages[1]);
        kv_close(&kv);
        kv_close(&writing);
        free(dir);
    }
}

static int die_in_a_transaction(void *context)
{
    struct kv *kv = NULL;
    struct kv_txn *txn = NULL;
    if (kv_testing_open(context, KV_TESTING_PLAIN, 0, &kv, NULL) || kv_guard(kv, NULL)) return 1;
    for (unsigned round = 0; round < 3; round++) {
        if (kv_begin(kv, KV_WRITE, &txn, NULL)) return 1;
        for (unsigned i = 0; i < ROWS; i++) {
            uint8_t bytes[KEY_BYTES];
            if (kv_put(txn, key_of(i, bytes), slice_text(round ? "later" : "third"), NULL)) return 1;
        }
        if (round < 2 && kv_commit(&txn, NULL)) return 1;
    }
    return 0; /* without an end of the transaction, and without closing */
}

static void a_process_that_dies_while_it_writes_leaves_sums_that_hold(void **state)
{
    fill(*state);
    assert_int_equal(kv_testing_child(die_in_a_transaction, *state), 0);
    struct kv *kv = open_guarded(*state);
    struct kv_txn *txn = kv_testing_begin(kv, KV_READ);
    OK(scan_all(txn));
    kv_abort(&txn);
    kv_close(&kv);
}

/* Rows come, change and go, in transactions that are kept and that are not; every state proves itself when opened. */
static void sums_follow_whatever_is_written(void **state)
{
    struct prng prng = { 12 };
    uint8_t bytes[KEY_BYTES];
    fill(*state);
    for (unsigned round = 0; round < 30; round++) {
        struct kv *kv = open_guarded(*state);
        struct kv_txn *txn = kv_testing_begin(kv, KV_WRITE);
        for (unsigned step = 0; step < 60; step++) {
            unsigned i = (unsigned)prng_below(&prng, 2 * ROWS);
            steme_status status = prng_chance(&prng, 500) ? kv_remove(txn, key_of(i, bytes), &err) : STEME_OK;
            assert_true(status == STEME_OK || status == STEME_NOT_FOUND);
            if (prng_chance(&prng, 500)) put_row(txn, i, round % 2 ? "odd" : "even");
        }
        if (round % 3)
            OK(kv_commit(&txn, &err));
        else
            kv_abort(&txn);
        kv_close(&kv);
        kv = open_guarded(*state);
        size_t count = 0;
        txn = kv_testing_begin(kv, KV_READ);
        assert_status(scan(txn, NOTHING, &count), STEME_NOT_FOUND, &err, "scan");
        kv_abort(&txn);
        kv_close(&kv);
    }
}

static void keys_of_the_guard_do_not_exist_for_others(void **state)
{
    struct steme_slice value;
    struct kv_cursor cursor;
    struct kv_pair pair;
    fill(*state);
    struct kv *kv = open_guarded(*state);
    struct kv_txn *txn = kv_testing_begin(kv, KV_WRITE);
    assert_int_equal(kv_get(txn, SUMS, &value, &err), STEME_NOT_FOUND);
    assert_int_equal(kv_seek(txn, SUMS, SUMS, &cursor, &pair, &err), STEME_NOT_FOUND);
    assert_int_equal(kv_last(txn, SUMS, NOTHING, &pair, &err), STEME_NOT_FOUND);
    assert_int_equal(kv_remove(txn, SUMS, &err), STEME_NOT_FOUND);
    assert_int_equal(kv_put(txn, slice_text("!summer"), NOTHING, &err), STEME_BAD_INPUT);
    assert_int_equal(kv_append(txn, SUMS, NOTHING, &err), STEME_BAD_INPUT);
    OK(kv_put(txn, slice_text("!su"), NOTHING, &err)); /* a neighbour */
    kv_abort(&txn);
    kv_close(&kv);
}

/* --- Keys above the leaves ---------------------------------------------------------------------------------------- */

enum { PAGE = 4096, NUMBERS = 300, FEW_MAX = 130 };

/* So many rows before one of number 1, and many behind it under the next letter, in order of their keys. */
static void fill_in_order(const char *dir, unsigned few)
{
    uint8_t bytes[KEY_BYTES];
    struct kv *kv = open_guarded(dir);
    struct kv_txn *txn = kv_testing_begin(kv, KV_WRITE);
    for (unsigned i = 0; i < few + 1 + NUMBERS; i++) {
        bytes[0] = i < few ? 'H' : i == few ? 'R' : 'S';
        store_u64be(bytes + 1, i == few ? 1 : (uint64_t)(i + 1) << 40);
        OK(kv_append(txn, slice_of(bytes, KEY_BYTES), slice_text("a row"), &err));
    }
    OK(kv_commit(&txn, &err));
    kv_close(&kv);
}

/* The first byte of the row R 1 where a branch page names it as the first of a leaf, or 0. */
static size_t find_separator(const uint8_t *page)
{
    static const uint8_t key[KEY_BYTES] = { 'R', 0, 0, 0, 0, 0, 0, 0, 1 };
    if (load_u16(page + 10) != 1) return 0;
    for (size_t i = 0; i < PAGE - sizeof key; i++)
        if (memcmp(page + i, key, sizeof key) == 0) return i;
    return 0;
}

/* There it says S 1 from now on. Returns whether there was one. */
static bool raise_separator(const char *path)
{
    uint8_t page[PAGE];
    bool raised = false;
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    for (long at = 0; fread(page, sizeof page, 1, file) == 1; at += PAGE) {
        size_t found = find_separator(page);
        if (!found) continue;
        raised = true;
        assert_int_equal(fseek(file, at + (long)found, SEEK_SET), 0);
        assert_int_equal(fputc('S', file), 'S');
        assert_int_equal(fseek(file, at + PAGE, SEEK_SET), 0);
    }
    assert_int_equal(fclose(file), 0);
    return raised;
}

static void a_search_that_is_led_astray_is_noticed(void **state)
{
    unsigned raised = 0;
    for (unsigned few = 1; few < FEW_MAX; few++) {
        char name[16];
        size_t count = 0;
        snprintf(name, sizeof name, "%u", few);
        char *dir = testing_join(*state, name), *path = testing_join(dir, "data.mdb");
        fill_in_order(dir, few);
        if (raise_separator(path)) {
            struct kv *kv = open_guarded(dir);
            struct kv_txn *txn = kv_testing_begin(kv, KV_READ);
            steme_status status = scan(txn, slice_text("S"), &count);
            assert_row(status == STEME_CORRUPT || count == NUMBERS, name);
            kv_abort(&txn);
            kv_close(&kv);
            raised++;
        }
        free(path);
        free(dir);
    }
    assert_true(raised > 0);
}

/* --- Files whose leaves are not looked at when they are opened ---------------------------------------------------- */

enum { LARGE_ROWS = 22000, LARGE_VALUE = 900, FLIPS = 40 };

/* 0: all is as it was; 1: damage was told. */
static int use_large(void *context)
{
    struct kv *kv = NULL;
    struct kv_txn *txn = NULL;
    uint64_t count = 0;
    struct kv_pairs more = { LARGE_ROWS, 50, LARGE_VALUE };
    steme_status status = kv_testing_open(context, KV_TESTING_PLAIN, 0, &kv, &err);
    if (!status) status = kv_guard(kv, &err);
    if (!status) status = kv_begin(kv, KV_WRITE, &txn, &err);
    if (!status) status = kv_pairs_put(txn, &more, &err);
    if (!status) status = kv_pairs_count(txn, &count, &err);
    if (status) return status == STEME_CORRUPT ? 1 : 2;
    return count == LARGE_ROWS + 50 ? 0 : 3; /* it ends without a commit */
}

/* A bit of a leaf or branch: of its header, of its offsets, or of a row's header. */
static long some_bit(FILE *file, struct prng *prng, long page_count, uint8_t *byte)
{
    uint8_t page[PAGE];
    for (;;) {
        long at = (2 + (long)prng_below(prng, (uint64_t)page_count - 2)) * PAGE;
        assert_true(fseek(file, at, SEEK_SET) == 0 && fread(page, PAGE, 1, file) == 1);
        uint16_t kind = load_u16(page + 10), lower = load_u16(page + 12);
        if ((kind != 1 && kind != 2) || lower <= 16 || lower > PAGE) continue;
        size_t offset = prng_below(prng, lower);
        if (prng_chance(prng, 400)) offset = load_u16(page + 16 + offset % (lower - 16u) / 2 * 2) + prng_below(prng, 8);
        *byte = page[offset];
        return at + (long)offset;
    }
}

static void rot_in_a_large_file_is_told_before_it_is_used(void **state)
{
    struct kv *kv = open_guarded(*state);
    struct prng prng = { 11 };
    char *path = testing_join(*state, "data.mdb");
    unsigned told = 0;
    kv_pairs_load(kv, 0, LARGE_ROWS, LARGE_VALUE);
    kv_close(&kv);
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    long bytes = ftell(file);
    assert_true(bytes > (16L << 20));
    assert_int_equal(kv_testing_child(use_large, *state), 0);
    for (unsigned i = 0; i < FLIPS; i++) {
        uint8_t byte = 0;
        long at = some_bit(file, &prng, bytes / PAGE, &byte);
        char name[60];
        snprintf(name, sizeof name, "flip %u, in byte %ld", i, at);
        uint8_t turned = byte ^ (uint8_t)(1u << prng_below(&prng, 8));
        assert_true(fseek(file, at, SEEK_SET) == 0 && fwrite(&turned, 1, 1, file) == 1 && fflush(file) == 0);
        int answer = kv_testing_child(use_large, *state);
        assert_row(answer == 0 || answer == 1, name);
        told += answer == 1;
        assert_true(fseek(file, at, SEEK_SET) == 0 && fwrite(&byte, 1, 1, file) == 1 && fflush(file) == 0);
    }
    assert_true(told > FLIPS / 2);
    fclose(file);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        KV_TESTING_CASE(whatever_is_missing_shows_however_it_is_asked),
        KV_TESTING_CASE(a_write_does_not_cover_up),
        KV_TESTING_CASE(sums_of_an_earlier_state_are_found_out),
        KV_TESTING_CASE(snapshots_of_any_age_are_proved_by_their_own_sums),
        KV_TESTING_CASE(a_process_that_dies_while_it_writes_leaves_sums_that_hold),
        KV_TESTING_CASE(sums_follow_whatever_is_written),
        KV_TESTING_CASE(keys_of_the_guard_do_not_exist_for_others),
        KV_TESTING_CASE(a_search_that_is_led_astray_is_noticed),
        KV_TESTING_CASE(rot_in_a_large_file_is_told_before_it_is_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
