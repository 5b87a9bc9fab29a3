/* SPDX-License-Identifier: Apache-2.0 */
#include "base/check.h"
#include "base/slice.h"
#include "lattice/keys.h"
#include "lib/kv_testing.h"
#include "lib/shop.h"
#include "lib/testing.h"

#include <pthread.h>
#include <stdlib.h>

static struct steme_error failure;

#define OK(call) assert_status((call), STEME_OK, &failure, #call)

static struct steme_receipt write_claim(struct shop *shop, int64_t number)
{
    struct pile pile;
    struct steme_receipt receipt;
    struct steme_record record = pile_claim("Pluto", "is a", "planet");
    record.as.assertion.asserted_at_us += number;
    pile_init(&pile);
    (void)pile_add(&pile, 0, record);
    OK(steme_submit(shop->store, pile.records, 1, &receipt, NULL, &failure));
    pile_deinit(&pile);
    return receipt;
}

static bool knows(struct shop *shop, const struct steme_hash *id)
{
    struct steme_entry entry;
    struct steme_snapshot *snapshot = shop_look(shop->store);
    steme_status status = steme_get(snapshot, id, &entry, &failure);
    steme_snapshot_close(&snapshot);
    return status == STEME_OK;
}

static uint64_t ms_since(uint64_t began_ns) { return (host_monotonic_ns(host_posix()) - began_ns) / 1000000; }

static void who_waits_reads_what_was_written(void **state)
{
    struct shop *shop = *state;
    for (int64_t i = 0; i < 30; i++) {
        struct steme_receipt receipt = write_claim(shop, i);
        OK(steme_wait(shop->store, receipt.sequence, SHOP_WAIT_MS, &failure));
        assert_true(knows(shop, &receipt.id));
    }
    OK(steme_wait(shop->store, 0, 0, &failure));
    OK(steme_wait(shop->store, 30, 0, &failure));
}

static void what_is_not_written_is_not_waited_for_for_ever(void **state)
{
    struct shop *shop = *state;
    (void)write_claim(shop, 1);
    OK(steme_wait(shop->store, 1, SHOP_WAIT_MS, &failure));
    uint64_t began = host_monotonic_ns(host_posix());
    assert_int_equal(steme_wait(shop->store, 2, 150, &failure), STEME_TIMEOUT);
    assert_true(ms_since(began) >= 140);
    began = host_monotonic_ns(host_posix());
    assert_int_equal(steme_wait(shop->store, UINT64_MAX, 0, &failure), STEME_TIMEOUT);
    assert_int_equal(steme_wait(shop->store, 2, 0, NULL), STEME_TIMEOUT);
    assert_true(ms_since(began) < 1000);
    OK(steme_wait(shop->store, 1, 0, &failure));
}

/* Somebody who waits for too much does not keep others from what is there. */
static void a_wait_for_the_future_ends_when_it_comes(void **state)
{
    struct shop *shop = *state;
    for (uint64_t i = 1; i <= 10; i++) {
        assert_int_equal(steme_wait(shop->store, i, 1, NULL), STEME_TIMEOUT);
        (void)write_claim(shop, (int64_t)i);
        OK(steme_wait(shop->store, i, SHOP_WAIT_MS, &failure));
    }
}

static void a_reader_does_not_wait_for_what_it_will_never_see(void **state)
{
    struct shop *shop = *state;
    (void)write_claim(shop, 1);
    shop_reopen(shop, true);
    uint64_t began = host_monotonic_ns(host_posix());
    OK(steme_wait(shop->store, 1, SHOP_WAIT_MS, &failure));
    assert_int_equal(steme_wait(shop->store, 2, SHOP_WAIT_MS, &failure), STEME_TIMEOUT);
    assert_true(ms_since(began) < SHOP_WAIT_MS / 2);
}

/* Without anybody waiting the index follows by itself. */
static void the_index_follows(void **state)
{
    struct shop *shop = *state;
    struct steme_info info;
    uint64_t began = host_monotonic_ns(host_posix());
    (void)write_claim(shop, 1);
    do
        OK(steme_info(shop->store, &info, &failure));
    while (info.indexed_sequence < 1 && ms_since(began) < SHOP_WAIT_MS);
    assert_int_equal(info.indexed_sequence, 1);
}

/* ---- an index that lies to its own ingestor ---- */

static steme_status spoil_applied(struct kv_txn *txn, void *context, struct steme_error *err)
{
    struct key_bytes key;
    (void)context;
    key_applied(&key);
    return kv_put(txn, key_slice(&key), slice_text("not a row"), err);
}

static void an_index_that_lies_to_the_ingestor_is_made_anew(void **state)
{
    struct shop *shop = *state;
    struct steme_info info;
    char *dir = shop_path(shop, "index");
    struct steme_receipt first = write_claim(shop, 1);
    OK(steme_wait(shop->store, first.sequence, SHOP_WAIT_MS, &failure));
    struct kv *kv = kv_testing_lmdb(dir, KV_TESTING_PLAIN);
    OK(kv_update(kv, spoil_applied, NULL, &failure));
    kv_close(&kv);
    struct steme_receipt second = write_claim(shop, 2);
    OK(steme_wait(shop->store, second.sequence, SHOP_WAIT_MS, &failure));
    assert_true(knows(shop, &first.id) && knows(shop, &second.id));
    OK(steme_info(shop->store, &info, &failure));
    assert_int_equal(info.index_rebuilds, 1);
    assert_true(shop_was_told(shop, "index rebuilt: "));
    struct steme_receipt third = write_claim(shop, 3);
    OK(steme_wait(shop->store, third.sequence, SHOP_WAIT_MS, &failure));
    free(dir);
}

/* ---- closing ---- */

/* At every moment of the runner's life: asleep, lingering, at work. */
static void closing_at_any_moment_ends(void **state)
{
    struct shop *shop = *state;
    struct prng prng = { 3 };
    for (int64_t round = 0; round < 25; round++) {
        uint64_t records = prng_below(&prng, 4);
        for (uint64_t i = 0; i < records; i++)
            (void)write_claim(shop, round * 10 + (int64_t)i);
        if (prng_chance(&prng, 300)) (void)!steme_wait(shop->store, UINT64_MAX, (uint32_t)prng_below(&prng, 60), NULL);
        shop_reopen(shop, false);
        assert_int_equal(shop->notice_count, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SHOP_CASE(who_waits_reads_what_was_written),
        SHOP_CASE(what_is_not_written_is_not_waited_for_for_ever),
        SHOP_CASE(a_wait_for_the_future_ends_when_it_comes),
        SHOP_CASE(a_reader_does_not_wait_for_what_it_will_never_see),
        SHOP_CASE(the_index_follows),
        SHOP_CASE(an_index_that_lies_to_the_ingestor_is_made_anew),
        SHOP_CASE(closing_at_any_moment_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
