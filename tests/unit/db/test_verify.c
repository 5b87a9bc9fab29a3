/* SPDX-License-Identifier: Apache-2.0 */
#include "base/check.h"
#include "base/codec.h"
#include "base/hash.h"
#include "base/slice.h"
#include "db/store.h"
#include "lib/kv_testing.h"
#include "lib/shop.h"
#include "lib/testing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct steme_error failure;

#define OK(call) assert_status((call), STEME_OK, &failure, #call)

struct findings {
    size_t log, record, signature, index, quarantine, other;
    char last[256];
};

static void note_finding(void *context, const struct steme_finding *finding)
{
    struct findings *f = context;
    (void)snprintf(f->last, sizeof f->last, "%s", finding->message);
    if (strcmp(finding->part, "log") == 0)
        f->log++;
    else if (strcmp(finding->part, "record") == 0)
        f->record++;
    else if (strcmp(finding->part, "signature") == 0)
        f->signature++;
    else if (strcmp(finding->part, "index") == 0)
        f->index++;
    else if (strcmp(finding->part, "quarantine") == 0)
        f->quarantine++;
    else
        f->other++;
}

static struct findings verify(struct shop *shop, struct steme_verification *out)
{
    struct findings f = { .other = 0 };
    struct steme_verification totals;
    OK(steme_verify(shop->store, note_finding, &f, &totals, &failure));
    assert_int_equal(totals.findings, f.log + f.record + f.signature + f.index + f.quarantine);
    assert_int_equal(f.other, 0);
    assert_int_equal(totals.valid_bytes + totals.padding_bytes + totals.damaged_bytes, totals.file_bytes);
    if (out) *out = totals;
    return f;
}

static bool is_clean(struct findings f) { return !(f.log || f.record || f.signature || f.index || f.quarantine); }

/* ---- a sound store ---- */

static void a_sound_store_is_found_clean(void **state)
{
    struct shop *shop = *state;
    struct steme_verification totals;
    struct steme_info info;
    assert_true(is_clean(verify(shop, &totals)));
    assert_int_equal(totals.records, 0);
    for (uint64_t seed = 1; seed <= 3; seed++) {
        shop_fill(shop, seed, 60);
        OK(steme_info(shop->store, &info, &failure));
        struct findings f = verify(shop, &totals);
        if (!is_clean(f)) print_error("%s\n", f.last);
        assert_true(is_clean(f));
        assert_int_equal(totals.records, info.last_sequence);
        assert_true(totals.signatures > 0 && totals.signatures < totals.records);
        assert_true(totals.index_rows > totals.records);
        assert_int_equal(totals.damaged_bytes, 0);
        assert_int_equal(totals.segments, info.log_segments);
    }
    OK(steme_rebuild(shop->store, &failure));
    assert_true(is_clean(verify(shop, NULL)));
    shop_reopen(shop, true);
    assert_true(is_clean(verify(shop, NULL)));
    OK(steme_verify(shop->store, NULL, NULL, &totals, &failure)); /* nobody has to listen */
    assert_int_equal(totals.findings, 0);
}

/* Whoever reads has the padding mapped that a writer cuts off when it goes: looking at it there would be SIGBUS. */
static void a_writer_may_cut_off_its_padding_meanwhile(void **state)
{
    struct shop *shop = *state;
    struct steme_store *reader = NULL;
    struct steme_verification totals;
    struct buf said;
    shop_fill(shop, 1, 20);
    OK(shop_open_more(shop, true, &reader, &failure));
    buf_init(&said, SHOP_TEXT_BYTES);
    shop_say(reader, &said);
    OK(steme_verify(reader, NULL, NULL, &totals, &failure));
    uint64_t padded = totals.file_bytes;
    steme_close(&shop->store);
    OK(steme_verify(reader, NULL, NULL, &totals, &failure));
    assert_int_equal(totals.findings, 0);
    assert_true(totals.file_bytes < padded);
    assert_int_equal(totals.valid_bytes + totals.padding_bytes, totals.file_bytes);
    buf_deinit(&said);
    steme_close(&reader);
}

/* Copies, and two targets that share a key: nothing to complain about. */
static void what_only_looks_odd_is_clean(void **state)
{
    struct shop *shop = *state;
    struct pile pile;
    struct steme_target twins[] = { { STEME_ON_ASSERTION, 42, { { 1 } } }, { STEME_ON_VOTE, 42, { { 1 } } } };
    uint8_t bytes[64] = { 9, 0, 0, 0, 0, 0, 0, 0, 48, 0, 0, 0, 1, 0, 0, 0, 7 };
    struct steme_hash id = hash_one(slice_of(bytes, sizeof bytes));
    struct steme_signature signature = sign_record(pile_agent(0), &id);
    struct wal_record stranger = { slice_of(bytes, sizeof bytes), id, &signature };
    struct wal_place place;
    pile_init(&pile);
    (void)pile_add(&pile, 0, pile_revision(STEME_RETRACT, twins, 2, NULL));
    (void)pile_add(&pile, 0, pile_claim("Pluto", "is a", "planet"));
    struct steme_assertion list[] = { pile_claim("Pluto", "is a", "planet").as.assertion };
    (void)pile_add_bundle(&pile, 0, list, 1); /* its member is a copy */
    shop_submit_all(shop, &pile);
    for (unsigned i = 0; i < 2; i++)
        OK(wal_append(shop->store->wal, &stranger, 1, &place, &failure));
    struct findings f = verify(shop, NULL);
    if (!is_clean(f)) print_error("%s\n", f.last);
    assert_true(is_clean(f));
    OK(steme_rebuild(shop->store, &failure));
    assert_true(is_clean(verify(shop, NULL)));
    pile_deinit(&pile);
}

/* ---- damage to the log ---- */

static void a_flipped_byte_of_the_log_is_found_wherever_it_is(void **state)
{
    struct shop *shop = *state;
    shop_fill(shop, 1, 12);
    steme_close(&shop->store);
    char *segment = shop_path(shop, "wal/0000000000000001.seg"), *copy = testing_join(shop->root, "copy");
    char *segment_copy = testing_join(copy, "wal/0000000000000001.seg"), *own = shop->dir;
    uint64_t size = shop_file_bytes(segment);
    struct prng prng = { 3 };
    shop_copy_dir(own, copy);
    shop->dir = copy;
    for (unsigned round = 0; round < 40; round++) {
        uint64_t at = round < 8 ? round * 64 : prng_below(&prng, size);
        shop_flip(segment_copy, at);
        shop_reopen(shop, true);
        struct findings f = verify(shop, NULL);
        if (is_clean(f)) print_error("byte %llu of %llu\n", (unsigned long long)at, (unsigned long long)size);
        assert_false(is_clean(f));
        steme_close(&shop->store);
        shop_flip(segment_copy, at); /* back */
    }
    shop_reopen(shop, true);
    assert_true(is_clean(verify(shop, NULL)));
    steme_close(&shop->store);
    shop->dir = own;
    free(segment), free(copy), free(segment_copy);
}

/* A store that was repaired says what was lost, for as long as it lives. */
static void a_degraded_store_is_not_clean(void **state)
{
    struct shop *shop = *state;
    struct steme_info info;
    shop_fill(shop, 1, 30);
    steme_close(&shop->store);
    char *segment = shop_path(shop, "wal/0000000000000001.seg");
    shop_flip(segment, shop_file_bytes(segment) / 2);
    free(segment);
    for (unsigned round = 0; round < 3; round++) {
        shop_reopen(shop, false);
        struct findings f = verify(shop, NULL);
        assert_true(f.log > 0);
        OK(steme_info(shop->store, &info, &failure));
    }
    /* Once the index has forgotten what the log has lost, they agree again. */
    OK(steme_rebuild(shop->store, &failure));
    struct findings f = verify(shop, NULL);
    if (f.index) print_error("%s\n", f.last);
    assert_int_equal(f.index, 0);
    assert_true(f.log > 0);
}

/* The log ends in good order, only too early: the index's mark is the proof. */
static void records_that_are_gone_are_counted_missing(void **state)
{
    struct shop *shop = *state;
    struct steme_info info;
    char *segment = shop_path(shop, "wal/0000000000000001.seg");
    shop_fill(shop, 1, 10);
    OK(steme_info(shop->store, &info, &failure));
    off_t bytes = (off_t)info.log_bytes;
    shop_fill(shop, 2, 10);
    steme_close(&shop->store);
    assert_int_equal(truncate(segment, bytes), 0);
    for (unsigned round = 0; round < 4; round++) {
        shop_reopen(shop, round < 2);
        struct findings f = verify(shop, NULL);
        assert_true(f.log > 0);
    }
    OK(steme_info(shop->store, &info, &failure));
    assert_true(info.degraded && info.missing_sequences > 0);
    free(segment);
}

/* ---- records that should not be there ---- */

static void log_one(struct shop *shop, struct steme_slice bytes, const struct steme_signature *signature)
{
    struct wal_record record = { bytes, hash_one(bytes), signature };
    struct wal_place place;
    OK(wal_append(shop->store->wal, &record, 1, &place, &failure));
}

static void a_forged_record_is_found(void **state)
{
    struct shop *shop = *state;
    struct pile pile;
    pile_init(&pile);
    (void)pile_add(&pile, 0, pile_claim("Pluto", "is a", "planet"));
    (void)pile_add(&pile, 0, pile_claim("Ceres", "is a", "planet"));
    log_one(shop, pile.records[0].bytes, &pile.records[1].signature); /* signed for another */
    struct findings f = verify(shop, NULL);
    assert_int_equal(f.signature, 1);
    log_one(shop, pile.records[1].bytes, NULL); /* not signed, and no bundle */
    f = verify(shop, NULL);
    assert_int_equal(f.signature, 2);
    uint8_t bytes[256];
    size_t size = pile.records[0].bytes.size;
    memcpy(bytes, pile.records[0].bytes.data, size);
    bytes[size - 1] = 1; /* not zero, as padding is */
    struct steme_hash id = hash_one(slice_of(bytes, size));
    struct steme_signature signature = sign_record(pile_agent(0), &id);
    log_one(shop, slice_of(bytes, size), &signature);
    f = verify(shop, NULL);
    assert_int_equal(f.record, 1);
    pile_deinit(&pile);
}

/* Members that are not in the list, in another order (which is no matter), or of somebody else. */
static void a_member_that_no_list_names_is_found(void **state)
{
    struct shop *shop = *state;
    struct pile pile;
    struct steme_assertion list[] = { pile_claim("Pluto", "is a", "planet").as.assertion,
                                      pile_claim("Ceres", "is a", "planet").as.assertion };
    struct wal_record records[4];
    struct wal_place places[4];
    pile_init(&pile);
    (void)pile_add_bundle(&pile, 0, list, 2);
    (void)pile_add(&pile, 1, pile_claim("Eris", "is a", "planet"));
    pile_log_group(&pile, 0, records);
    records[2] = (struct wal_record){ pile.records[3].bytes, pile.ids[3], NULL };
    OK(wal_append(shop->store->wal, records, 3, places, &failure));
    struct findings f = verify(shop, NULL);
    assert_int_equal(f.signature, 1);
    pile_deinit(&pile);
}

/* It is not enough that the author is the same. */
static void a_stranger_among_one_author_s_members_is_found(void **state)
{
    struct shop *shop = *state;
    struct pile pile;
    struct steme_assertion list[] = { pile_claim("Pluto", "is a", "planet").as.assertion,
                                      pile_claim("Ceres", "is a", "planet").as.assertion };
    struct wal_record records[3];
    struct wal_place places[3];
    pile_init(&pile);
    (void)pile_add_bundle(&pile, 0, list, 2);
    (void)pile_add(&pile, 0, pile_claim("Eris", "is a", "planet"));
    pile_log_group(&pile, 0, records);
    records[1] = (struct wal_record){ pile.records[3].bytes, pile.ids[3], NULL }; /* in place of the first */
    OK(wal_append(shop->store->wal, records, 3, places, &failure));
    struct findings f = verify(shop, NULL);
    assert_true(f.signature >= 1);
    pile_deinit(&pile);
}

/* ---- an index that does not say what the log says ---- */

/* What to do to the nth row under the prefix. */
struct change {
    const char *name, *prefix;
    size_t nth;
    enum { REMOVE, FLIP, ADD } what;
};

static const struct change changes[] = {
    { "a record's row is gone", "H", 2, REMOVE },   { "an assertion's row is gone", "S", 0, REMOVE },
    { "a vote's row is gone", "V", 0, REMOVE },     { "an endorsement's row is gone", "A", 0, REMOVE },
    { "a revision's row is gone", "X", 0, REMOVE }, { "an epoch's row is gone", "E", 0, REMOVE },
    { "a batch's row is gone", "R", 1, REMOVE },    { "a record's row lies", "H", 3, FLIP },
    { "an assertion's row lies", "S", 1, FLIP },    { "a vote's row lies", "V", 0, FLIP },
    { "a revision's row lies", "X", 0, FLIP },      { "an epoch's row lies", "E", 0, FLIP },
    { "a batch's row lies", "R", 0, FLIP },         { "a record's row too many", "H", 0, ADD },
    { "an assertion's row too many", "S", 0, ADD }, { "a dead letter too many", "D", 0, ADD },
    { "a claim's tally is gone", "YV", 0, REMOVE }, { "an agent's tally is gone", "YA", 0, REMOVE },
    { "a claim's tally lies", "YV", 1, FLIP },      { "an agent's tally too many", "YA", 0, ADD },
};

static steme_status make_change(struct kv_txn *txn, void *context, struct steme_error *err)
{
    const struct change *change = context;
    struct kv_cursor cursor = { 0 };
    struct kv_pair pair = { slice_of(NULL, 0), slice_of(NULL, 0) };
    uint8_t key[KEYS_MAX_BYTES] = { (uint8_t)change->prefix[0] }, value[400] = { 0 };
    size_t key_size = 17, value_size = 40, at = 0;
    steme_status status = kv_seek(txn, slice_text(change->prefix), slice_text(change->prefix), &cursor, &pair, err);
    for (; !status && at < change->nth; at++)
        status = kv_next(&cursor, &pair, err);
    if (status && change->prefix[0] != 'D') return status;
    if (!status) {
        key_size = pair.key.size;
        value_size = pair.value.size;
        memcpy(key, pair.key.data, key_size);
        memcpy(value, pair.value.data, value_size);
    }
    kv_cursor_end(&cursor);
    if (change->what == REMOVE) return kv_remove(txn, slice_of(key, key_size), err);
    if (change->what == FLIP) value[value_size / 2] ^= 1;
    if (change->what == ADD) key[key_size - 9] ^= 1;
    return kv_put(txn, slice_of(key, key_size), slice_of(value, value_size), err);
}

static void change_index(struct shop *shop, struct change change)
{
    char *dir = shop_path(shop, "index");
    struct kv *kv = kv_testing_lmdb(dir, KV_TESTING_PLAIN);
    OK(kv_update(kv, make_change, &change, &failure));
    kv_close(&kv);
    free(dir);
}

static void every_row_that_is_missing_wrong_or_too_many_is_found(void **state)
{
    struct shop *shop = *state;
    shop_fill(shop, 1, 120);
    for (size_t i = 0; i < countof(changes); i++) {
        change_index(shop, changes[i]);
        struct findings f = verify(shop, NULL);
        assert_row(f.index > 0, changes[i].name);
        assert_row(!f.log && !f.record && !f.signature, changes[i].name);
        OK(steme_rebuild(shop->store, &failure));
        f = verify(shop, NULL);
        assert_row(is_clean(f), changes[i].name);
    }
}

static steme_status spoil_applied(struct kv_txn *txn, void *context, struct steme_error *err)
{
    struct key_bytes key;
    (void)context;
    key_applied(&key);
    return kv_put(txn, key_slice(&key), slice_text("not a row"), err);
}

static void a_damaged_mark_is_found(void **state)
{
    struct shop *shop = *state;
    shop_fill(shop, 1, 20);
    char *dir = shop_path(shop, "index");
    struct kv *kv = kv_testing_lmdb(dir, KV_TESTING_PLAIN);
    OK(kv_update(kv, spoil_applied, NULL, &failure));
    kv_close(&kv);
    struct findings f = verify(shop, NULL);
    assert_true(f.index > 0);
    free(dir);
}

/* ---- the quarantine ---- */

static void a_damaged_quarantine_is_found(void **state)
{
    struct shop *shop = *state;
    struct arena arena;
    struct host_entry *entries = NULL;
    size_t count = 0;
    shop_fill(shop, 1, 30);
    steme_close(&shop->store);
    char *segment = shop_path(shop, "wal/0000000000000001.seg"), *quarantine = shop_path(shop, "quarantine");
    shop_flip(segment, shop_file_bytes(segment) / 2);
    testing_remove_temporary(shop_path(shop, "index")); /* so that the whole log is read at opening */
    shop_reopen(shop, false);
    struct findings before = verify(shop, NULL);
    steme_close(&shop->store);
    arena_init(&arena, 1 << 20);
    OK(host_list(host_posix(), quarantine, &arena, &entries, &count, &failure));
    assert_true(count > 0);
    for (size_t i = 0; i < count; i++) {
        char *path = testing_join(quarantine, entries[i].name);
        shop_flip(path, shop_file_bytes(path) / 2);
        free(path);
    }
    shop_reopen(shop, false);
    struct findings after = verify(shop, NULL);
    assert_true(after.log + after.quarantine > before.log + before.quarantine);
    arena_deinit(&arena);
    free(segment);
    free(quarantine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SHOP_CASE(a_sound_store_is_found_clean),
        SHOP_CASE(a_writer_may_cut_off_its_padding_meanwhile),
        SHOP_CASE(what_only_looks_odd_is_clean),
        SHOP_CASE(a_flipped_byte_of_the_log_is_found_wherever_it_is),
        SHOP_CASE(a_degraded_store_is_not_clean),
        SHOP_CASE(records_that_are_gone_are_counted_missing),
        SHOP_CASE(a_forged_record_is_found),
        SHOP_CASE(a_member_that_no_list_names_is_found),
        SHOP_CASE(a_stranger_among_one_author_s_members_is_found),
        SHOP_CASE(every_row_that_is_missing_wrong_or_too_many_is_found),
        SHOP_CASE(a_damaged_mark_is_found),
        SHOP_CASE(a_damaged_quarantine_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
