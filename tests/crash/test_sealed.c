/* SPDX-License-Identifier: Apache-2.0 */
/* The library on the real host, threads, committer and index on disk as in any program; only fdatasync() is ours, and
 * fails once. From then on every write of every thread is refused, though all later syncs would succeed, until the
 * store is opened anew. */
#include "lib/testing.h"
#include "steme/query.h"
#include "steme/store.h"

#include "base/slice.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { THREADS = 4, WRITES = 12, SYNCS = 24 };

int __wrap_fdatasync(int file);
int __real_fdatasync(int file);

static _Atomic int left;    /* the sync that brings it to 0 fails */
static _Atomic bool failed; /* it has */
static _Atomic int later_syncs;

int __wrap_fdatasync(int file)
{
    if (failed) later_syncs++;
    if (left > 0 && --left == 0) {
        failed = true;
        errno = EIO;
        return -1;
    }
    return __real_fdatasync(file);
}

struct writer {
    struct steme_store *store;
    struct steme_signer *signer;
    unsigned number;
    struct steme_hash acknowledged[WRITES];
    size_t count;
    uint64_t last_sequence; /* of what was acknowledged */
    size_t after_failure;   /* acknowledged in calls that began after the failure */
    size_t sealed, other;   /* refusals */
};

static void *write_on(void *context)
{
    struct writer *w = context;
    for (unsigned i = 0; i < WRITES; i++) {
        char subject[32];
        struct steme_receipt receipt;
        struct steme_error err = { 0 };
        snprintf(subject, sizeof subject, "thing %u of %u", i, w->number);
        struct steme_record record = { .type = STEME_ASSERTION };
        record.as.assertion = (struct steme_assertion){ .subject = slice_text(subject),
                                                        .predicate = slice_text("is"),
                                                        .object = { .kind = STEME_TEXT, .text = slice_text("written") },
                                                        .confidence_ppm = STEME_PPM,
                                                        .valid_from_us = STEME_TIME_MIN,
                                                        .valid_to_us = STEME_TIME_MAX };
        bool before = failed;
        steme_status status = steme_write(w->store, w->signer, &record, &receipt, &err);
        if (status == STEME_OK) {
            w->after_failure += before;
            w->acknowledged[w->count++] = receipt.id;
            if (receipt.sequence > w->last_sequence) w->last_sequence = receipt.sequence;
        } else if (status == STEME_SEALED) {
            w->sealed++;
        } else {
            w->other += status == STEME_IO;
        }
    }
    return NULL;
}

static void write_in_threads(struct steme_store *store, struct steme_signer *signer, struct writer *writers)
{
    pthread_t threads[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        writers[i] = (struct writer){ .store = store, .signer = signer, .number = i };
        assert_int_equal(pthread_create(&threads[i], NULL, write_on, &writers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static void check_there(struct steme_store *store, const struct writer *writers)
{
    struct steme_snapshot *snapshot = NULL;
    struct steme_error err;
    assert_status(steme_snapshot_open(store, NULL, &snapshot, &err), STEME_OK, &err, "snapshot");
    for (unsigned i = 0; i < THREADS; i++) {
        for (size_t k = 0; k < writers[i].count; k++) {
            struct steme_entry entry;
            assert_status(steme_get(snapshot, &writers[i].acknowledged[k], &entry, &err), STEME_OK, &err,
                          "an acknowledged record");
        }
    }
    steme_snapshot_close(&snapshot);
}

/* Whether a sync of a writing thread was hit. */
static bool fail_sync(int nth)
{
    static struct writer writers[THREADS];
    static const uint8_t seed[32] = { 7 };
    struct steme_error err;
    struct steme_store *store = NULL;
    struct steme_signer *signer = NULL;
    char *top = testing_make_temporary(), *dir = testing_join(top, "store");
    assert_status(steme_create(dir, &err), STEME_OK, &err, "create");
    assert_status(steme_signer_from_seed(seed, &signer, &err), STEME_OK, &err, "signer");
    assert_status(steme_open(dir, NULL, &store, &err), STEME_OK, &err, "open");
    failed = false;
    left = nth;
    write_in_threads(store, signer, writers);
    left = 0;
    bool struck = failed;
    size_t after = 0, refused = 0, acknowledged = 0;
    for (unsigned i = 0; i < THREADS; i++) {
        after += writers[i].after_failure;
        refused += writers[i].sealed + writers[i].other;
        acknowledged += writers[i].count;
    }
    assert_int_equal(after, 0);
    assert_int_equal(acknowledged + refused, THREADS * WRITES); /* nothing fails in a third way */
    assert_row(!struck || refused > 0, "a failed sync refuses somebody");
    if (struck) { /* and every one that comes now, again and again */
        struct writer once[THREADS];
        write_in_threads(store, signer, once);
        for (unsigned i = 0; i < THREADS; i++) /* what is durable already may be found there, which is no new promise */
            assert_int_equal(once[i].count + once[i].sealed, WRITES);
        for (unsigned i = 0; i < THREADS; i++)
            assert_row(once[i].count <= writers[i].count, "nothing new is acknowledged");
    }
    steme_close(&store);

    assert_status(steme_open(dir, NULL, &store, &err), STEME_OK, &err, "open again");
    write_in_threads(store, signer, writers);
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(writers[i].count, WRITES);
        assert_status(steme_wait(store, writers[i].last_sequence, 60000, &err), STEME_OK, &err, "wait");
    }
    check_there(store, writers);
    struct steme_verification found;
    assert_status(steme_verify(store, NULL, NULL, &found, &err), STEME_OK, &err, "verify");
    assert_int_equal(found.findings, 0);
    steme_close(&store);
    steme_signer_free(&signer);
    free(dir);
    testing_remove_temporary(top);
    return struck;
}

static void after_a_failed_sync_no_thread_is_told_ok(void **state)
{
    (void)state;
    int struck = 0;
    for (int nth = 1; nth <= SYNCS && fail_sync(nth); nth++)
        struck++;
    print_message("%d of the syncs of a run failed, each once\n", struck);
    assert_true(struck > 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(after_a_failed_sync_no_thread_is_told_ok),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
