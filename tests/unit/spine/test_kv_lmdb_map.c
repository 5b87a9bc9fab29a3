/* SPDX-License-Identifier: Apache-2.0 */
/* What only lmdb has to show when it is used: the map that grows, handles and places for readers, other processes. */
#include "base/check.h"
#include "base/codec.h"
#include "base/slice.h"
#include "lib/kv_testing.h"
#include "lib/testing.h"
#include "spine/kv_lmdb_internal.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOTHING slice_of(NULL, 0)

static struct steme_error err;

/* --- The map ------------------------------------------------------------------------------------------------------ */

enum { SMALL_MAP = 256 * 1024, READERS = 4, BATCH = 20, BATCHES = 2600, VALUE = 2000 };

struct reader {
    struct kv *kv;
    atomic_bool *done;
    uint64_t snapshots;
    steme_status status;
};

static void *read_snapshots(void *argument)
{
    struct reader *reader = argument;
    uint64_t newest = 0;
    while (!atomic_load(reader->done) && !reader->status) {
        struct kv_txn *txn = NULL;
        uint64_t count = 0;
        reader->status = kv_begin(reader->kv, KV_READ, &txn, NULL);
        if (reader->status) break;
        struct kv_cursor cursor;
        struct kv_pair pair;
        struct steme_slice value;
        uint8_t key[8];
        store_u64be(key, reader->snapshots * 0x9E3779B97F4A7C15u);
        steme_status status = kv_seek(txn, NOTHING, slice_of(key, sizeof(key)), &cursor, &pair, NULL);
        for (int i = 0; i < 20 && !status; i++) {
            if (pair.key.size == 8 && (pair.value.size != VALUE || pair.value.data[VALUE - 1] != pair.value.data[0]))
                status = STEME_MISMATCH;
            if (!status) status = kv_next(&cursor, &pair, NULL);
        }
        if (status && status != STEME_NOT_FOUND) reader->status = status;
        status = kv_get(txn, slice_text("count"), &value, NULL);
        if (status && status != STEME_NOT_FOUND) reader->status = status;
        if (!status) count = load_u64(value.data);
        if (count < newest) reader->status = STEME_MISMATCH;
        newest = count;
        reader->snapshots++;
        kv_abort(&txn);
    }
    return NULL;
}

static steme_status put_batch(struct kv_txn *txn, void *context, struct steme_error *error)
{
    const struct kv_pairs *pairs = context;
    uint8_t count[8];
    steme_status status = kv_pairs_put(txn, context, error);
    if (status) return status;
    store_u64(count, pairs->first + pairs->count);
    return kv_put(txn, slice_text("count"), slice_of(count, sizeof(count)), error);
}

static void the_map_grows_while_others_read(void **state)
{
    struct kv *kv = NULL;
    struct reader readers[READERS];
    pthread_t threads[READERS];
    atomic_bool done = false;
    assert_status(kv_testing_open(*state, KV_TESTING_CREATE, SMALL_MAP, &kv, &err), STEME_OK, &err, "open");
    for (size_t i = 0; i < READERS; i++) {
        readers[i] = (struct reader){ .kv = kv, .done = &done };
        assert_int_equal(pthread_create(&threads[i], NULL, read_snapshots, &readers[i]), 0);
    }
    for (uint64_t i = 0; i < BATCHES; i++) {
        struct kv_pairs pairs = { i * BATCH, BATCH, VALUE };
        assert_status(kv_update(kv, put_batch, &pairs, &err), STEME_OK, &err, "a batch");
    }
    atomic_store(&done, true);
    for (size_t i = 0; i < READERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_status(readers[i].status, STEME_OK, NULL, "a reader");
        assert_true(readers[i].snapshots > 0);
    }
    struct kv_txn *txn = kv_testing_begin(kv, KV_WRITE);
    assert_status(kv_remove(txn, slice_text("count"), &err), STEME_OK, &err, "count");
    assert_status(kv_commit(&txn, &err), STEME_OK, &err, "commit");
    assert_int_equal(kv_pairs_in(kv), BATCH * BATCHES);
    kv_close(&kv);
    struct stat facts;
    char *path = testing_join(*state, "data.mdb");
    assert_int_equal(stat(path, &facts), 0);
    assert_true((size_t)facts.st_size > (size_t)BATCH * BATCHES * VALUE);
    free(path);
}

static void the_map_grows_step_by_step_without_a_retry(void **state)
{
    struct kv *kv = NULL;
    assert_status(kv_testing_open(*state, KV_TESTING_CREATE, SMALL_MAP, &kv, &err), STEME_OK, &err, "open");
    for (uint64_t i = 0; i < 2000; i++) {
        struct kv_txn *txn = kv_testing_begin(kv, KV_WRITE);
        struct kv_pairs pairs = { i * 10, 10, 200 };
        assert_status(kv_pairs_put(txn, &pairs, &err), STEME_OK, &err, "a small transaction");
        assert_status(kv_commit(&txn, &err), STEME_OK, &err, "a small transaction");
    }
    assert_int_equal(kv_pairs_in(kv), 20000);
    kv_close(&kv);
}

/* The world, but for a clock that takes a second for every look at it. */
static uint64_t hasty_ns(struct host *host)
{
    (void)host;
    static _Atomic uint64_t now_ns;
    return atomic_fetch_add(&now_ns, 1000000000u);
}

static struct host *hasty_host(void)
{
    static struct host_ops ops;
    static struct host host = { &ops };
    ops = *host_posix()->ops;
    ops.monotonic_ns = hasty_ns;
    return &host;
}

static void a_long_read_keeps_the_map_from_growing_until_it_ends(void **state)
{
    struct kv *kv = NULL;
    struct kv_lmdb_options options = { .dir = *state, .create = true, .map_bytes = SMALL_MAP };
    assert_status(kv_lmdb_open(hasty_host(), &options, &kv, &err), STEME_OK, &err, "open");
    kv_pairs_load(kv, 0, 10, 100);
    struct kv_txn *reader = kv_testing_begin(kv, KV_READ);
    struct kv_pairs pairs = { 10, 1000, 1000 };
    assert_int_equal(kv_update(kv, kv_pairs_put, &pairs, &err), STEME_NO_SPACE);
    assert_non_null(strstr(err.message, "end long reads"));
    uint64_t count = 0;
    assert_status(kv_pairs_count(reader, &count, &err), STEME_OK, &err, "the long read");
    assert_int_equal(count, 10);
    kv_abort(&reader);
    assert_status(kv_update(kv, kv_pairs_put, &pairs, &err), STEME_OK, &err, "after it");
    assert_int_equal(kv_pairs_in(kv), 1010);
    kv_close(&kv);
}

static void a_transaction_that_fills_the_map_is_whole_the_second_time(void **state)
{
    struct kv *kv = NULL;
    struct kv_txn *txn = NULL;
    struct kv_pairs pairs = { 0, 10000, 600 };
    assert_status(kv_testing_open(*state, KV_TESTING_CREATE, SMALL_MAP, &kv, &err), STEME_OK, &err, "open");
    txn = kv_testing_begin(kv, KV_WRITE);
    assert_int_equal(kv_pairs_put(txn, &pairs, &err), STEME_NO_SPACE);
    assert_int_equal(kv_put(txn, slice_text("k"), NOTHING, &err), STEME_NO_SPACE); /* it is doomed */
    assert_int_equal(kv_commit(&txn, &err), STEME_NO_SPACE);
    assert_int_equal(kv_pairs_in(kv), 0);
    assert_status(kv_update(kv, kv_pairs_put, &pairs, &err), STEME_OK, &err, "the second time");
    assert_int_equal(kv_pairs_in(kv), 10000);
    kv_close(&kv);
}

/* --- Handles ------------------------------------------------------------------------------------------------------ */

static void a_reader_and_a_writer_stand_side_by_side_in_one_process(void **state)
{
    for (int reader_first = 0; reader_first < 2; reader_first++) {
        char *dir = testing_join(*state, reader_first ? "reader" : "writer");
        struct kv *writer = kv_testing_lmdb(dir, KV_TESTING_CREATE);
        kv_pairs_load(writer, 0, 100, 50);
        kv_close(&writer);

        struct kv *first = kv_testing_lmdb(dir, reader_first ? KV_TESTING_READ_ONLY : KV_TESTING_PLAIN);
        struct kv *second = kv_testing_lmdb(dir, reader_first ? KV_TESTING_PLAIN : KV_TESTING_READ_ONLY);
        struct kv *reader = reader_first ? first : second, *third = kv_testing_lmdb(dir, KV_TESTING_READ_ONLY);
        writer = reader_first ? second : first;
        struct kv_txn *before = kv_testing_begin(reader, KV_READ), *txn = NULL;
        assert_int_equal(kv_begin(reader, KV_WRITE, &txn, &err), STEME_READ_ONLY);
        for (uint64_t i = 1; i < 20; i++)
            kv_pairs_load(writer, i * 100, 100, 50);
        uint64_t count = 0;
        assert_status(kv_pairs_count(before, &count, &err), STEME_OK, &err, "the snapshot");
        assert_int_equal(count, 100);
        kv_abort(&before);
        assert_int_equal(kv_pairs_in(reader), 2000);
        assert_int_equal(kv_pairs_in(third), 2000);
        kv_close(&third);
        kv_close(reader_first ? &first : &second); /* the reader goes, and the writer does not notice */
        kv_pairs_load(writer, 2000, 100, 50);
        assert_int_equal(kv_pairs_in(writer), 2100);
        kv_close(&writer);
        free(dir);
    }
}

static void a_writer_does_not_join_while_a_read_is_open(void **state)
{
    struct kv *writer = kv_testing_lmdb(*state, KV_TESTING_CREATE), *reader = NULL;
    kv_pairs_load(writer, 0, 10, 50);
    kv_close(&writer);
    struct kv_lmdb_options options = { .dir = *state, .read_only = true };
    assert_status(kv_lmdb_open(hasty_host(), &options, &reader, &err), STEME_OK, &err, "open");
    struct kv_txn *txn = kv_testing_begin(reader, KV_READ);
    assert_int_equal(kv_testing_open(*state, KV_TESTING_PLAIN, 0, &writer, &err), STEME_TIMEOUT);
    assert_null(writer);
    kv_abort(&txn);
    writer = kv_testing_lmdb(*state, KV_TESTING_PLAIN);
    kv_pairs_load(writer, 10, 10, 50);
    assert_int_equal(kv_pairs_in(reader), 20);
    kv_close(&reader);
    kv_close(&writer);
}

static void places_for_readers_run_out_and_come_back(void **state)
{
    static struct kv_txn *readers[LMDB_READERS_MAX];
    struct kv_txn *one_more = NULL;
    struct kv *kv = kv_testing_lmdb(*state, KV_TESTING_CREATE);
    kv_pairs_load(kv, 0, 10, 50);
    for (size_t i = 0; i < LMDB_READERS_MAX; i++)
        readers[i] = kv_testing_begin(kv, KV_READ);
    assert_int_equal(kv_begin(kv, KV_READ, &one_more, &err), STEME_FAILED);
    assert_non_null(strstr(err.message, "1024"));
    kv_abort(&readers[500]);
    readers[500] = kv_testing_begin(kv, KV_READ);
    kv_pairs_load(kv, 10, 10, 50);
    for (size_t i = 0; i < LMDB_READERS_MAX; i++)
        kv_abort(&readers[i]);
    assert_int_equal(kv_pairs_in(kv), 20);
    kv_close(&kv);
}

static void *read_once(void *argument)
{
    struct kv_txn *txn = NULL;
    struct steme_slice value;
    uint8_t key[8] = { 0 };
    if (kv_begin(argument, KV_READ, &txn, NULL)) return NULL;
    steme_status status = kv_get(txn, slice_of(key, sizeof(key)), &value, NULL);
    kv_abort(&txn);
    return status ? NULL : argument;
}

static int count_line(const char *line, void *context)
{
    int *lines = context;
    ++*lines;
    (void)line;
    return 0;
}

static void threads_that_come_and_go_share_a_few_places(void **state)
{
    struct kv *kv = kv_testing_lmdb(*state, KV_TESTING_CREATE);
    kv_pairs_load(kv, 0, 10, 50);
    for (size_t i = 0; i < LMDB_READERS_MAX + 100; i++) {
        pthread_t thread;
        void *answer = NULL;
        assert_int_equal(pthread_create(&thread, NULL, read_once, kv), 0);
        assert_int_equal(pthread_join(thread, &answer), 0);
        assert_non_null(answer);
    }
    /* Another process must find places left. */
    int lines = 0;
    MDB_env *mdb = NULL;
    assert_int_equal(mdb_env_create(&mdb), 0);
    mdb_env_close(mdb);
    struct lmdb_env *env = NULL;
    struct kv_lmdb_options options = { .dir = *state };
    assert_status(lmdb_env_open(host_posix(), &options, &env, &err), STEME_OK, &err, "the same environment");
    assert_true(mdb_reader_list(env->mdb, count_line, &lines) >= 0);
    assert_in_range(lines, 2, 100); /* a heading and at most 64 places */
    lmdb_env_close(env);
    kv_close(&kv);
}

/* --- Processes ---------------------------------------------------------------------------------------------------- */

/* Two processes that take turns: each tells the other a byte when it has done its part. */
struct peer {
    const char *dir;
    int to_parent[2], to_child[2];
};

static bool tell(int pipe_end) { return write(pipe_end, "x", 1) == 1; }

static bool hear(int pipe_end)
{
    char byte;
    return read(pipe_end, &byte, 1) == 1;
}

static pid_t start_peer(struct peer *peer, const char *dir, int (*body)(struct peer *))
{
    peer->dir = dir;
    assert_int_equal(pipe(peer->to_parent), 0);
    assert_int_equal(pipe(peer->to_child), 0);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) _exit(body(peer));
    assert_true(hear(peer->to_parent[0])); /* it is ready */
    return child;
}

static int end_peer(struct peer *peer, pid_t child)
{
    int facts = 0;
    assert_int_equal(waitpid(child, &facts, 0), child);
    for (int i = 0; i < 2; i++) {
        close(peer->to_parent[i]);
        close(peer->to_child[i]);
    }
    return WIFEXITED(facts) ? WEXITSTATUS(facts) : 1000 + WTERMSIG(facts);
}

/* Reads with a small map of its own, which the parent's writes outgrow; a snapshot stays what it was. */
static int read_beside_a_writer(struct peer *peer)
{
    struct kv *kv = NULL;
    struct kv_txn *before = NULL, *after = NULL;
    uint64_t count = 0;
    if (kv_testing_open(peer->dir, KV_TESTING_READ_ONLY, SMALL_MAP, &kv, &err) || kv_begin(kv, KV_READ, &before, &err))
        return 1;
    if (!tell(peer->to_parent[1]) || !hear(peer->to_child[0])) return 2;
    if (kv_pairs_count(before, &count, &err) || count != 100) return 3;
    kv_abort(&before);
    if (kv_begin(kv, KV_READ, &after, &err) || kv_pairs_count(after, &count, &err) || count != 10100) return 4;
    kv_abort(&after);
    kv_close(&kv);
    return 0;
}

static void a_reader_in_another_process_follows_a_map_that_grows(void **state)
{
    struct kv *kv = NULL;
    assert_status(kv_testing_open(*state, KV_TESTING_CREATE, SMALL_MAP, &kv, &err), STEME_OK, &err, "create");
    kv_pairs_load(kv, 0, 100, 500);
    kv_close(&kv);
    struct peer peer;
    pid_t child = start_peer(&peer, *state, read_beside_a_writer);
    assert_status(kv_testing_open(*state, KV_TESTING_PLAIN, SMALL_MAP, &kv, &err), STEME_OK, &err, "open");
    kv_pairs_load(kv, 100, 10000, 500);
    assert_true(tell(peer.to_child[1]));
    assert_int_equal(end_peer(&peer, child), 0);
    kv_close(&kv);
}

static int write_and_wait(struct peer *peer)
{
    struct kv *kv = NULL;
    struct kv_txn *txn = NULL;
    struct kv_pairs pairs = { 1000, 1000, 500 };
    if (kv_testing_open(peer->dir, KV_TESTING_PLAIN, 0, &kv, &err) || kv_begin(kv, KV_WRITE, &txn, &err)) return 1;
    if (kv_pairs_put(txn, &pairs, &err)) return 2;
    tell(peer->to_parent[1]);
    hear(peer->to_child[0]);
    return 3; /* it should have been killed */
}

static void a_writer_that_is_killed_leaves_no_trace_and_no_lock(void **state)
{
    struct kv *kv = kv_testing_lmdb(*state, KV_TESTING_CREATE);
    kv_pairs_load(kv, 0, 100, 500);
    kv_close(&kv);
    struct peer peer;
    pid_t child = start_peer(&peer, *state, write_and_wait);
    kv = kv_testing_lmdb(*state, KV_TESTING_READ_ONLY); /* it is open already when the writer dies */
    assert_int_equal(kv_pairs_in(kv), 100);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(end_peer(&peer, child), KV_TESTING_KILLED + SIGKILL);
    assert_int_equal(kv_pairs_in(kv), 100);
    kv_close(&kv);
    kv = kv_testing_lmdb(*state, KV_TESTING_PLAIN);
    kv_pairs_load(kv, 100, 100, 500);
    assert_int_equal(kv_pairs_in(kv), 200);
    kv_close(&kv);
}

static int read_and_wait(struct peer *peer)
{
    struct kv *kv = NULL;
    struct kv_txn *txn = NULL;
    if (kv_testing_open(peer->dir, KV_TESTING_READ_ONLY, 0, &kv, &err) || kv_begin(kv, KV_READ, &txn, &err)) return 1;
    tell(peer->to_parent[1]);
    hear(peer->to_child[0]);
    return 3;
}

static void a_reader_that_is_killed_does_not_make_the_file_grow_for_ever(void **state)
{
    struct stat facts;
    char *path = testing_join(*state, "data.mdb");
    struct kv *kv = kv_testing_lmdb(*state, KV_TESTING_CREATE);
    kv_pairs_load(kv, 0, 100, 500);
    kv_close(&kv);
    struct peer peer;
    pid_t child = start_peer(&peer, *state, read_and_wait);
    kv = kv_testing_lmdb(*state, KV_TESTING_PLAIN);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(end_peer(&peer, child), KV_TESTING_KILLED + SIGKILL);
    for (int i = 0; i < 1000; i++)
        kv_pairs_load(kv, 0, 100, 500);
    assert_int_equal(stat(path, &facts), 0);
    assert_in_range(facts.st_size, 1, 16 << 20); /* 1000 rounds of 70 KiB would be more */
    kv_close(&kv);
    free(path);
}

static int fill_the_disk(void *context)
{
    struct kv *kv = NULL;
    struct kv_pairs pairs = { 100, 10000, 500 };
    struct rlimit limit = { 1 << 20, 1 << 20 };
    signal(SIGXFSZ, SIG_IGN);
    if (kv_testing_open(context, KV_TESTING_PLAIN, 0, &kv, &err) || setrlimit(RLIMIT_FSIZE, &limit)) return 99;
    steme_status status = kv_update(kv, kv_pairs_put, &pairs, &err);
    if (status != STEME_NO_SPACE && status != STEME_IO) return 98;
    struct kv_txn *txn = NULL;
    uint64_t count = 0;
    if (kv_begin(kv, KV_READ, &txn, &err) || kv_pairs_count(txn, &count, &err) || count != 100) return 97;
    kv_abort(&txn);
    pairs = (struct kv_pairs){ 100, 10, 500 };
    if (kv_update(kv, kv_pairs_put, &pairs, &err)) return 96; /* what fits is taken again */
    kv_close(&kv);
    return 0;
}

static void a_full_disk_is_said_so_and_costs_nothing_committed(void **state)
{
    struct kv *kv = kv_testing_lmdb(*state, KV_TESTING_CREATE);
    kv_pairs_load(kv, 0, 100, 500);
    kv_close(&kv);
    assert_int_equal(kv_testing_child(fill_the_disk, *state), 0);
    kv = kv_testing_lmdb(*state, KV_TESTING_READ_ONLY);
    assert_int_equal(kv_pairs_in(kv), 110);
    kv_close(&kv);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        KV_TESTING_CASE(the_map_grows_while_others_read),
        KV_TESTING_CASE(the_map_grows_step_by_step_without_a_retry),
        KV_TESTING_CASE(a_long_read_keeps_the_map_from_growing_until_it_ends),
        KV_TESTING_CASE(a_transaction_that_fills_the_map_is_whole_the_second_time),
        KV_TESTING_CASE(a_reader_and_a_writer_stand_side_by_side_in_one_process),
        KV_TESTING_CASE(a_writer_does_not_join_while_a_read_is_open),
        KV_TESTING_CASE(places_for_readers_run_out_and_come_back),
        KV_TESTING_CASE(threads_that_come_and_go_share_a_few_places),
        KV_TESTING_CASE(a_reader_in_another_process_follows_a_map_that_grows),
        KV_TESTING_CASE(a_writer_that_is_killed_leaves_no_trace_and_no_lock),
        KV_TESTING_CASE(a_reader_that_is_killed_does_not_make_the_file_grow_for_ever),
        KV_TESTING_CASE(a_full_disk_is_said_so_and_costs_nothing_committed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
