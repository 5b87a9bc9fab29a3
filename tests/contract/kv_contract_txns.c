/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions: who sees what and when; threads. */
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

/* --- Transactions ------------------------------------------------------------------------------------------------- */

static void a_write_transaction_sees_its_own_writes_and_nobody_else_does(void **state)
{
    static const char *const keys[] = { "a", "b" };
    kv_contract_put_texts(kv_contract_kv(state), keys, countof(keys));
    struct kv_txn *before = kv_testing_begin(kv_contract_kv(state), KV_READ);
    struct kv_txn *writer = kv_testing_begin(kv_contract_kv(state), KV_WRITE);
    kv_contract_put(writer, BYTES("a"), BYTES("new"));
    kv_contract_put(writer, BYTES("c"), BYTES("c"));
    assert_int_equal(kv_remove(writer, BYTES("b"), &err), STEME_OK);
    struct kv_txn *during = kv_testing_begin(kv_contract_kv(state), KV_READ);
    assert_true(kv_contract_has(writer, "a", "new") && kv_contract_has(writer, "b", NULL) &&
                kv_contract_has(writer, "c", "c"));
    assert_true(kv_contract_has(before, "a", "a") && kv_contract_has(before, "b", "b") &&
                kv_contract_has(before, "c", NULL));
    assert_true(kv_contract_has(during, "a", "a") && kv_contract_has(during, "b", "b") &&
                kv_contract_has(during, "c", NULL));
    kv_contract_commit(writer);
    struct kv_txn *after = kv_testing_begin(kv_contract_kv(state), KV_READ);
    assert_true(kv_contract_has(before, "a", "a") && kv_contract_has(before, "b", "b") &&
                kv_contract_has(before, "c", NULL));
    assert_true(kv_contract_has(during, "a", "a") && kv_contract_has(during, "b", "b") &&
                kv_contract_has(during, "c", NULL));
    assert_true(kv_contract_has(after, "a", "new") && kv_contract_has(after, "b", NULL) &&
                kv_contract_has(after, "c", "c"));
    kv_abort(&before);
    kv_abort(&after);
    kv_abort(&during);
}

static void an_aborted_transaction_leaves_no_trace(void **state)
{
    static const char *const keys[] = { "a", "b" };
    kv_contract_put_texts(kv_contract_kv(state), keys, countof(keys));
    struct kv_txn *txn = kv_testing_begin(kv_contract_kv(state), KV_WRITE);
    kv_contract_put(txn, BYTES("a"), BYTES("new"));
    kv_contract_put(txn, BYTES("c"), BYTES("new"));
    assert_int_equal(kv_remove(txn, BYTES("b"), &err), STEME_OK);
    kv_abort(&txn);
    assert_null(txn);
    kv_abort(&txn);
    txn = kv_testing_begin(kv_contract_kv(state), KV_WRITE);
    assert_true(kv_contract_has(txn, "a", "a") && kv_contract_has(txn, "b", "b") && kv_contract_has(txn, "c", NULL));
    kv_abort(&txn);
}

static void a_commit_ends_any_transaction(void **state)
{
    struct kv_txn *txn = kv_testing_begin(kv_contract_kv(state), KV_READ);
    assert_int_equal(kv_commit(&txn, &err), STEME_OK);
    assert_null(txn);
    txn = kv_testing_begin(kv_contract_kv(state), KV_WRITE); /* with nothing in it */
    assert_int_equal(kv_commit(&txn, &err), STEME_OK);
    assert_null(txn);
    kv_contract_commit(kv_testing_begin(kv_contract_kv(state), KV_WRITE));
}

static void put_generation(struct kv *kv, uint64_t generation, uint64_t keys)
{
    uint8_t key[8], value[8];
    struct kv_txn *txn = kv_testing_begin(kv, KV_WRITE);
    store_u64(value, generation);
    for (uint64_t i = 0; i < keys; i++) {
        store_u64be(key, i * 0x9E3779B97F4A7C15u);
        kv_contract_put(txn, slice_of(key, sizeof(key)), slice_of(value, sizeof(value)));
    }
    kv_contract_commit(txn);
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
        put_generation(kv_contract_kv(state), i, KEYS);
        snapshots[i] = kv_testing_begin(kv_contract_kv(state), KV_READ);
        assert_int_equal(kv_get(snapshots[i], slice_of(key, sizeof(key)), &held[i], &err), STEME_OK);
    }
    for (uint64_t i = 0; i < SNAPSHOTS; i++) { /* ended in another order than begun */
        uint64_t at = i * 37 % SNAPSHOTS, generation = 0, count = 0;
        assert_true(one_generation(snapshots[at], &generation, &count));
        assert_int_equal(generation, at);
        assert_int_equal(count, KEYS);
        assert_int_equal(load_u64(held[at].data), at);
        kv_abort(&snapshots[at]);
        put_generation(kv_contract_kv(state), SNAPSHOTS + i, KEYS);
    }
}

static void a_big_transaction_is_all_there(void **state)
{
    enum { KEYS = 30000 };
    put_generation(kv_contract_kv(state), 1, KEYS);
    put_generation(kv_contract_kv(state), 2, KEYS);
    struct kv_txn *txn = kv_testing_begin(kv_contract_kv(state), KV_READ);
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
    if (status) return status;
    return error_set(error, STEME_MISMATCH, "as the test wants it");
}

static void an_update_is_committed_when_its_body_says_so(void **state)
{
    int runs = 0;
    assert_int_equal(kv_update(kv_contract_kv(state), put_then_fail, &runs, &err), STEME_MISMATCH);
    assert_int_equal(runs, 1);
    struct kv_txn *txn = kv_testing_begin(kv_contract_kv(state), KV_READ);
    assert_true(kv_contract_has(txn, "k", NULL));
    kv_abort(&txn);
    assert_int_equal(kv_update(kv_contract_kv(state), put_one, &runs, &err), STEME_OK);
    assert_int_equal(runs, 2);
    txn = kv_testing_begin(kv_contract_kv(state), KV_READ);
    assert_true(kv_contract_has(txn, "k", "v"));
    kv_abort(&txn);
}

static void a_sync_may_be_asked_for_at_any_time(void **state)
{
    assert_status(kv_sync(kv_contract_kv(state), &err), STEME_OK, &err, "nothing written");
    put_generation(kv_contract_kv(state), 1, 10);
    assert_status(kv_sync(kv_contract_kv(state), &err), STEME_OK, &err, "something written");
    struct kv_txn *txn = kv_testing_begin(kv_contract_kv(state), KV_READ);
    assert_status(kv_sync(kv_contract_kv(state), &err), STEME_OK, &err, "a reader open");
    kv_abort(&txn);
}

static void a_store_opened_again_has_what_was_committed(void **state)
{
    struct kv_contract_subject *subject = *state;
    for (uint64_t round = 1; round <= 3; round++) {
        put_generation(subject->kv, round, 100);
        struct kv_txn *txn = kv_testing_begin(subject->kv, KV_WRITE);
        kv_contract_put(txn, BYTES("not committed"), NOTHING);
        kv_abort(&txn);
        kv_close(&subject->kv);
        assert_null(subject->kv);
        assert_status(subject->store->open(subject->dir, &subject->kv, &err), STEME_OK, &err, "open again");
        txn = kv_testing_begin(subject->kv, KV_READ);
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
    struct second_writer second = { .kv = kv_contract_kv(state) };
    pthread_t thread;
    struct kv_txn *txn = kv_testing_begin(kv_contract_kv(state), KV_WRITE);
    assert_int_equal(pthread_create(&thread, NULL, write_second, &second), 0);
    while (!atomic_load(&second.started))
        sched_yield();
    for (int i = 0; i < 1000; i++)
        sched_yield(); /* time enough to go wrong */
    assert_false(atomic_load(&second.inside));
    kv_contract_put(txn, BYTES("first"), NOTHING);
    kv_contract_commit(txn);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_status(second.status, STEME_OK, NULL, "the second writer");
    txn = kv_testing_begin(kv_contract_kv(state), KV_READ);
    assert_true(kv_contract_has(txn, "first", "") && kv_contract_has(txn, "second", ""));
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
    put_generation(kv_contract_kv(state), 0, THREAD_KEYS);
    for (size_t i = 0; i < THREADS; i++) {
        watchers[i] = (struct watcher){ .kv = kv_contract_kv(state), .done = &done };
        assert_int_equal(pthread_create(&threads[i], NULL, watch, &watchers[i]), 0);
    }
    for (uint64_t i = 1; i <= GENERATIONS; i++)
        put_generation(kv_contract_kv(state), i, THREAD_KEYS);
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
    put_generation(kv_contract_kv(state), 7, THREAD_KEYS);
    struct kv_txn *txn = kv_testing_begin(kv_contract_kv(state), KV_READ);
    assert_int_equal(pthread_create(&thread, NULL, read_and_end, txn), 0);
    assert_int_equal(pthread_join(thread, &answer), 0);
    assert_non_null(answer);
    put_generation(kv_contract_kv(state), 8, THREAD_KEYS);
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
        many[i] = (struct many_writers){ .kv = kv_contract_kv(state) };
        assert_int_equal(pthread_create(&threads[i], NULL, add_many, &many[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_status(many[i].status, STEME_OK, NULL, "one of the writers");
    }
    struct kv_txn *txn = kv_testing_begin(kv_contract_kv(state), KV_READ);
    assert_int_equal(kv_get(txn, BYTES("sum"), &value, &err), STEME_OK);
    assert_int_equal(load_u64(value.data), 50 * THREADS);
    kv_abort(&txn);
}

const struct CMUnitTest kv_contract_txns[] = {
    cmocka_unit_test(a_write_transaction_sees_its_own_writes_and_nobody_else_does),
    cmocka_unit_test(an_aborted_transaction_leaves_no_trace),
    cmocka_unit_test(a_commit_ends_any_transaction),
    cmocka_unit_test(every_open_snapshot_keeps_its_own_state),
    cmocka_unit_test(a_big_transaction_is_all_there),
    cmocka_unit_test(an_update_is_committed_when_its_body_says_so),
    cmocka_unit_test(a_sync_may_be_asked_for_at_any_time),
    cmocka_unit_test(a_second_writer_waits_for_the_first),
    cmocka_unit_test(readers_in_eight_threads_see_whole_generations),
    cmocka_unit_test(a_read_transaction_may_move_to_another_thread),
    cmocka_unit_test(writers_in_many_threads_lose_no_update),
};
const size_t kv_contract_txns_count = countof(kv_contract_txns);

const struct CMUnitTest kv_contract_lasting[] = {
    cmocka_unit_test(a_store_opened_again_has_what_was_committed),
};
const size_t kv_contract_lasting_count = countof(kv_contract_lasting);
