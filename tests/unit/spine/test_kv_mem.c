/* SPDX-License-Identifier: Apache-2.0 */
/* What only mem has to show: memory that runs out, and snapshots that free what they alone kept. What it shares with
 * every ordered store is in tests/contract. */
#include "base/check.h"
#include "base/slice.h"
#include "lib/kv_testing.h"
#include "lib/testing.h"

#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

/* Sanitizers and memcheck bring their own allocator, which has other ways with limits and figures. */
#if defined(UNDER_MEMCHECK) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define OWN_ALLOCATOR 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define OWN_ALLOCATOR 0
#endif
#endif
#ifndef OWN_ALLOCATOR
#define OWN_ALLOCATOR 1
#endif

static struct steme_error err;

static struct kv *open_mem(void)
{
    struct kv *kv = NULL;
    assert_status(kv_mem_open(&kv, &err), STEME_OK, &err, "open");
    return kv;
}

static steme_status count_now(struct kv *kv, uint64_t *count)
{
    struct kv_txn *txn = NULL;
    steme_status status = kv_begin(kv, KV_READ, &txn, &err);
    if (!status) status = kv_pairs_count(txn, count, &err);
    kv_abort(&txn);
    return status;
}

/* Puts, replaces and removes until memory is out; then all must be as it was, and go on when there is memory again. */
static int run_out(void *context)
{
    (void)context;
    struct rlimit limit = { 96 << 20, 96 << 20 };
    struct kv *kv = NULL;
    struct kv_txn *txn = NULL;
    struct kv_pairs pairs = { 0, 1000, 500 };
    uint64_t count = 0;
    if (setrlimit(RLIMIT_AS, &limit) || kv_mem_open(&kv, &err)) return 1;
    if (kv_update(kv, kv_pairs_put, &pairs, &err)) return 2;
    for (int round = 0; round < 3; round++) {
        steme_status status = kv_begin(kv, KV_WRITE, &txn, &err);
        for (pairs = (struct kv_pairs){ 0, 1000, 1000 }; !status; pairs.first += pairs.count)
            status = kv_pairs_put(txn, &pairs, &err);
        if (status != STEME_NO_MEMORY) return 3;
        if (kv_commit(&txn, &err) != STEME_NO_MEMORY) return 4;
        if (count_now(kv, &count) || count != 1000) return 5;
        pairs = (struct kv_pairs){ 0, 1000, 400 };
        if (kv_update(kv, kv_pairs_put, &pairs, &err)) return 6;
    }
    kv_close(&kv);
    return 0;
}

static void memory_that_runs_out_costs_the_transaction_and_nothing_else(void **state)
{
    (void)state;
    if (!OWN_ALLOCATOR) skip();
    assert_int_equal(kv_testing_child(run_out, NULL), 0);
}

static size_t bytes_in_use(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

static void what_no_snapshot_shows_any_more_is_freed(void **state)
{
    (void)state;
    enum { KEYS = 2000, ROUNDS = 50, SLACK = 256 * 1024 };
    struct kv *kv = open_mem();
    kv_pairs_load(kv, 0, KEYS, 100);
    size_t before = bytes_in_use();
    for (int i = 0; i < ROUNDS; i++) {
        struct kv_txn *older = kv_testing_begin(kv, KV_READ);
        kv_pairs_load(kv, 0, KEYS, 100);
        struct kv_txn *newer = kv_testing_begin(kv, KV_READ);
        kv_abort(i % 2 ? &older : &newer);
        kv_abort(i % 2 ? &newer : &older);
    }
    if (OWN_ALLOCATOR) assert_in_range(bytes_in_use(), 0, before + SLACK);
    struct kv_txn *txn = kv_testing_begin(kv, KV_WRITE);
    struct kv_pair pair;
    while (kv_last(txn, slice_of(NULL, 0), slice_of(NULL, 0), &pair, &err) == STEME_OK)
        assert_status(kv_remove(txn, pair.key, &err), STEME_OK, &err, "remove");
    assert_status(kv_commit(&txn, &err), STEME_OK, &err, "commit");
    if (OWN_ALLOCATOR) assert_in_range(bytes_in_use(), 0, before - (size_t)KEYS * 100);
    kv_close(&kv);
}

/* Keys in order are the worst case of a tree that does not balance: this would take minutes. */
static void keys_in_order_do_not_make_it_slow(void **state)
{
    (void)state;
    enum { KEYS = 100000 };
    struct kv *kv = open_mem();
    char key[16];
    struct kv_txn *txn = kv_testing_begin(kv, KV_WRITE);
    for (int i = 0; i < KEYS; i++) {
        int size = snprintf(key, sizeof(key), "%08d", i);
        assert_status(kv_append(txn, slice_of(key, (size_t)size), slice_of(NULL, 0), &err), STEME_OK, &err, key);
    }
    assert_status(kv_commit(&txn, &err), STEME_OK, &err, "commit");
    kv_close(&kv);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_that_runs_out_costs_the_transaction_and_nothing_else),
        cmocka_unit_test(what_no_snapshot_shows_any_more_is_freed),
        cmocka_unit_test(keys_in_order_do_not_make_it_slow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
