/* SPDX-License-Identifier: Apache-2.0 */
/* What kv.c adds in front of every store: failures that doom, syncs that are not repeated, updates that are, promises
 * that abort. What it has in common with the stores is in tests/contract. */
#include "spine/kv.h"

#include "base/check.h"
#include "base/slice.h"
#include "lib/kv_fault.h"
#include "lib/testing.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define TEXT(literal) slice_of((literal), sizeof(literal) - 1)
#define NOTHING slice_of(NULL, 0)

static struct steme_error err;

static int open_fault(void **state)
{
    struct kv *mem = NULL;
    assert_status(kv_mem_open(&mem, &err), STEME_OK, &err, "open");
    *state = kv_fault_new(mem);
    assert_non_null(*state);
    return 0;
}

static int close_fault(void **state)
{
    struct kv *kv = *state;
    kv_close(&kv);
    return 0;
}

static struct kv_txn *begin(struct kv *kv, enum kv_mode mode)
{
    struct kv_txn *txn = NULL;
    assert_status(kv_begin(kv, mode, &txn, &err), STEME_OK, &err, "begin");
    return txn;
}

static size_t count_pairs(struct kv *kv)
{
    struct kv_cursor cursor;
    struct kv_pair pair;
    size_t count = 0;
    struct kv_txn *txn = begin(kv, KV_READ);
    steme_status status = kv_seek(txn, NOTHING, NOTHING, &cursor, &pair, &err);
    for (; !status; count++)
        status = kv_next(&cursor, &pair, &err);
    assert_int_equal(status, STEME_NOT_FOUND);
    kv_abort(&txn);
    return count;
}

/* --- Doomed transactions ------------------------------------------------------------------------------------------ */

static const struct {
    const char *name;
    enum kv_fault_call call;
} writes[] = {
    { "put", KV_FAULT_PUT },
    { "append", KV_FAULT_APPEND },
    { "remove", KV_FAULT_REMOVE },
};

static void a_write_that_fails_dooms_its_transaction(void **state)
{
    struct kv *kv = *state;
    for (size_t i = 0; i < countof(writes); i++) {
        const char *name = writes[i].name;
        struct kv_cursor cursor, later;
        struct kv_pair pair;
        struct steme_slice value;
        struct kv_txn *txn = begin(kv, KV_WRITE);
        assert_status(kv_put(txn, TEXT("a"), NOTHING, &err), STEME_OK, &err, name);
        assert_status(kv_seek(txn, NOTHING, NOTHING, &cursor, &pair, &err), STEME_OK, &err, name);
        kv_fault_fail(kv, writes[i].call, 1, STEME_IO, false);
        steme_status status = STEME_OK;
        if (writes[i].call == KV_FAULT_PUT) status = kv_put(txn, TEXT("b"), NOTHING, &err);
        if (writes[i].call == KV_FAULT_APPEND) status = kv_append(txn, TEXT("b"), NOTHING, &err);
        if (writes[i].call == KV_FAULT_REMOVE) status = kv_remove(txn, TEXT("a"), &err);
        assert_status(status, STEME_IO, &err, name);
        uint64_t calls = kv_fault_calls(kv, KV_FAULT_ANY);
        assert_status(kv_get(txn, TEXT("a"), &value, &err), STEME_IO, &err, name);
        assert_status(kv_seek(txn, NOTHING, NOTHING, &later, &pair, &err), STEME_IO, &err, name);
        assert_status(kv_next(&later, &pair, &err), STEME_NOT_FOUND, &err, name);
        assert_status(kv_next(&cursor, &pair, &err), STEME_IO, &err, name);
        assert_status(kv_last(txn, NOTHING, NOTHING, &pair, &err), STEME_IO, &err, name);
        assert_status(kv_put(txn, TEXT("c"), NOTHING, &err), STEME_IO, &err, name);
        assert_status(kv_put_fresh(txn, TEXT("c"), NOTHING, NULL, &err), STEME_IO, &err, name);
        assert_status(kv_append(txn, TEXT("c"), NOTHING, &err), STEME_IO, &err, name);
        assert_status(kv_remove(txn, TEXT("a"), &err), STEME_IO, &err, name);
        assert_status(kv_commit(&txn, &err), STEME_IO, &err, name);
        assert_row(txn == NULL, name);
        assert_row(kv_fault_calls(kv, KV_FAULT_ANY) == calls, name); /* the store was not asked */
        assert_row(count_pairs(kv) == 0, name);
    }
}

static const steme_status harmless[] = { STEME_NOT_FOUND, STEME_EXISTS, STEME_BAD_INPUT, STEME_TOO_LARGE };

static void a_write_that_is_only_refused_does_not(void **state)
{
    struct kv *kv = *state;
    for (size_t i = 0; i < countof(harmless); i++) {
        struct kv_txn *txn = begin(kv, KV_WRITE);
        kv_fault_fail(kv, KV_FAULT_PUT, 1, harmless[i], false);
        assert_int_equal(kv_put(txn, TEXT("a"), NOTHING, &err), harmless[i]);
        assert_status(kv_put(txn, TEXT("b"), NOTHING, &err), STEME_OK, &err, "the next put");
        assert_status(kv_commit(&txn, &err), STEME_OK, &err, "commit");
        assert_int_equal(count_pairs(kv), 1);
    }
}

static void a_read_that_fails_may_be_tried_again(void **state)
{
    struct kv *kv = *state;
    struct steme_slice value;
    struct kv_txn *txn = begin(kv, KV_WRITE);
    assert_status(kv_put(txn, TEXT("a"), NOTHING, &err), STEME_OK, &err, "put");
    kv_fault_fail(kv, KV_FAULT_GET, 1, STEME_IO, false);
    assert_int_equal(kv_get(txn, TEXT("a"), &value, &err), STEME_IO);
    assert_status(kv_get(txn, TEXT("a"), &value, &err), STEME_OK, &err, "get again");
    assert_status(kv_commit(&txn, &err), STEME_OK, &err, "commit");
}

/* --- Every failure at every call ---------------------------------------------------------------------------------- */

/* Uses every call; leaves three pairs. */
static steme_status work(struct kv *kv)
{
    struct kv_txn *writer = NULL, *reader = NULL;
    struct kv_cursor cursor = { 0 };
    struct kv_pair pair;
    struct steme_slice value;
    steme_status status = kv_begin(kv, KV_WRITE, &writer, &err);
    if (status) goto done;
    status = kv_put(writer, TEXT("a"), TEXT("1"), &err);
    if (status) goto done;
    status = kv_put_fresh(writer, TEXT("b"), TEXT("2"), NULL, &err);
    if (status) goto done;
    status = kv_append(writer, TEXT("c"), TEXT("3"), &err);
    if (status) goto done;
    status = kv_append(writer, TEXT("d"), TEXT("4"), &err);
    if (status) goto done;
    status = kv_remove(writer, TEXT("d"), &err);
    if (status) goto done;
    status = kv_commit(&writer, &err);
    if (status) goto done;
    status = kv_begin(kv, KV_READ, &reader, &err);
    if (status) goto done;
    status = kv_get(reader, TEXT("a"), &value, &err);
    if (status) goto done;
    status = kv_seek(reader, NOTHING, NOTHING, &cursor, &pair, &err);
    if (status) goto done;
    status = kv_next(&cursor, &pair, &err);
    if (status) goto done;
    status = kv_last(reader, NOTHING, NOTHING, &pair, &err);
    if (status) goto done;
    status = kv_sync(kv, &err);
done:
    kv_cursor_end(&cursor);
    kv_abort(&reader);
    kv_abort(&writer);
    return status;
}

static void a_failure_at_any_call_is_answered_and_leaves_all_or_nothing(void **state)
{
    uint64_t calls = 0;
    for (uint64_t nth = 0; nth <= calls; nth++) { /* 0: none, to count the calls */
        struct kv *mem = NULL;
        assert_status(kv_mem_open(&mem, &err), STEME_OK, &err, "open");
        struct kv *kv = kv_fault_new(mem);
        assert_non_null(kv);
        kv_fault_fail(kv, KV_FAULT_ANY, nth, STEME_IO, false);
        assert_status(work(kv), nth ? STEME_IO : STEME_OK, &err, "the work");
        if (nth == 0) calls = kv_fault_calls(kv, KV_FAULT_ANY);
        size_t count = count_pairs(kv);
        assert_true(count == 3 || (nth && count == 0));
        kv_close(&kv);
    }
    assert_int_equal(calls, 13);
    (void)state;
}

static void memory_that_runs_out_in_a_read_is_answered(void **state)
{
    struct kv *kv = *state;
    struct kv_txn *txn = NULL;
    kv_fault_fail(kv, KV_FAULT_BEGIN, 2, STEME_NO_MEMORY, true);
    txn = begin(kv, KV_READ);
    kv_abort(&txn);
    for (int i = 0; i < 3; i++)
        assert_int_equal(kv_begin(kv, KV_READ, &txn, &err), STEME_NO_MEMORY);
    assert_null(txn);
    kv_fault_fail(kv, KV_FAULT_ANY, 0, STEME_OK, false);
    txn = begin(kv, KV_READ);
    kv_abort(&txn);
}

/* --- Sync, update ------------------------------------------------------------------------------------------------- */

static void a_sync_that_failed_is_never_repeated(void **state)
{
    struct kv *kv = *state;
    kv_fault_fail(kv, KV_FAULT_SYNC, 2, STEME_IO, false);
    assert_status(kv_sync(kv, &err), STEME_OK, &err, "the first");
    assert_int_equal(kv_sync(kv, &err), STEME_IO);
    for (int i = 0; i < 3; i++)
        assert_int_equal(kv_sync(kv, &err), STEME_SEALED);
    assert_non_null(strstr(err.message, "discard"));
    assert_int_equal(kv_fault_calls(kv, KV_FAULT_SYNC), 2);
}

static steme_status put_counting(struct kv_txn *txn, void *context, struct steme_error *error)
{
    int *runs = context;
    ++*runs;
    return kv_put(txn, TEXT("a"), TEXT("1"), error);
}

static const struct {
    const char *name;
    enum kv_fault_call call;
    steme_status fault;
    bool for_ever;
    steme_status want;
    int runs;
} updates[] = {
    { "nothing fails", KV_FAULT_PUT, STEME_OK, false, STEME_OK, 1 },
    { "no room once, at the put", KV_FAULT_PUT, STEME_NO_SPACE, false, STEME_OK, 2 },
    { "no room once, at the commit", KV_FAULT_COMMIT, STEME_NO_SPACE, false, STEME_OK, 2 },
    { "no room once, at the begin", KV_FAULT_BEGIN, STEME_NO_SPACE, false, STEME_OK, 1 },
    { "no room at any put", KV_FAULT_PUT, STEME_NO_SPACE, true, STEME_NO_SPACE, 2 },
    { "no room at any commit", KV_FAULT_COMMIT, STEME_NO_SPACE, true, STEME_NO_SPACE, 2 },
    { "no room at any begin", KV_FAULT_BEGIN, STEME_NO_SPACE, true, STEME_NO_SPACE, 0 },
    { "another failure of the put", KV_FAULT_PUT, STEME_IO, false, STEME_IO, 1 },
    { "another failure of the commit", KV_FAULT_COMMIT, STEME_IO, false, STEME_IO, 1 },
    { "another failure of the begin", KV_FAULT_BEGIN, STEME_IO, false, STEME_IO, 0 },
};

static void an_update_is_run_again_once_when_there_was_no_room(void **state)
{
    for (size_t i = 0; i < countof(updates); i++) {
        struct kv *kv = *state;
        int runs = 0;
        kv_fault_fail(kv, updates[i].call, updates[i].fault ? 1 : 0, updates[i].fault, updates[i].for_ever);
        assert_status(kv_update(kv, put_counting, &runs, &err), updates[i].want, &err, updates[i].name);
        assert_row(runs == updates[i].runs, updates[i].name);
        kv_fault_fail(kv, KV_FAULT_ANY, 0, STEME_OK, false);
        assert_row(count_pairs(kv) == (updates[i].want ? 0u : 1u), updates[i].name);
        close_fault(state);
        open_fault(state);
    }
}

/* --- Broken promises ---------------------------------------------------------------------------------------------- */

static void put_into_a_read(struct kv *kv)
{
    struct kv_txn *txn = begin(kv, KV_READ);
    if (kv_put(txn, TEXT("a"), NOTHING, &err)) _exit(1);
}

static void append_to_a_read(struct kv *kv)
{
    struct kv_txn *txn = begin(kv, KV_READ);
    if (kv_append(txn, TEXT("a"), NOTHING, &err)) _exit(1);
}

static void remove_from_a_read(struct kv *kv)
{
    struct kv_txn *txn = begin(kv, KV_READ);
    if (kv_remove(txn, TEXT("a"), &err)) _exit(1);
}

static void seek_from_outside_the_prefix(struct kv *kv)
{
    struct kv_cursor cursor;
    struct kv_pair pair;
    struct kv_txn *txn = begin(kv, KV_READ);
    if (kv_seek(txn, TEXT("ab"), TEXT("b"), &cursor, &pair, &err)) _exit(1);
}

static void begin_a_second_write_in_one_thread(struct kv *kv)
{
    struct kv_txn *first = begin(kv, KV_WRITE), *second = begin(kv, KV_WRITE);
    kv_abort(&second);
    kv_abort(&first);
}

static void close_with_a_transaction_open(struct kv *kv)
{
    struct kv_txn *txn = begin(kv, KV_READ);
    kv_close(&kv);
    (void)txn;
}

static const struct {
    const char *name;
    void (*act)(struct kv *kv);
} broken_promises[] = {
    { "put into a read transaction", put_into_a_read },
    { "append to a read transaction", append_to_a_read },
    { "remove from a read transaction", remove_from_a_read },
    { "seek from outside the prefix", seek_from_outside_the_prefix },
    { "a second write transaction in one thread", begin_a_second_write_in_one_thread },
    { "close with a transaction open", close_with_a_transaction_open },
};

static int aborts(struct kv *kv, void (*act)(struct kv *))
{
    int facts = 0;
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct rlimit none = { 0, 0 };
        setrlimit(RLIMIT_CORE, &none);
        signal(SIGABRT, SIG_DFL); /* cmocka's handler would go on with the next test */
        if (!freopen("/dev/null", "w", stderr)) _exit(2);
        act(kv);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &facts, 0), child);
    return WIFSIGNALED(facts) && WTERMSIG(facts) == SIGABRT;
}

static void a_broken_promise_of_the_caller_aborts(void **state)
{
    (void)state;
    for (int lmdb = 0; lmdb < 2; lmdb++) {
        for (size_t i = 0; i < countof(broken_promises); i++) {
            struct kv *kv = NULL;
            char *dir = testing_make_temporary();
            struct kv_lmdb_options options = { .dir = dir, .create = true };
            steme_status status = lmdb ? kv_lmdb_open(host_posix(), &options, &kv, &err) : kv_mem_open(&kv, &err);
            assert_status(status, STEME_OK, &err, "open");
            assert_row(aborts(kv, broken_promises[i].act), broken_promises[i].name);
            kv_close(&kv);
            testing_remove_temporary(dir);
        }
    }
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, open_fault, close_fault)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_write_that_fails_dooms_its_transaction),
        CASE(a_write_that_is_only_refused_does_not),
        CASE(a_read_that_fails_may_be_tried_again),
        cmocka_unit_test(a_failure_at_any_call_is_answered_and_leaves_all_or_nothing),
        CASE(memory_that_runs_out_in_a_read_is_answered),
        CASE(a_sync_that_failed_is_never_repeated),
        CASE(an_update_is_run_again_once_when_there_was_no_room),
        cmocka_unit_test(a_broken_promise_of_the_caller_aborts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
