/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's background thread: it loops the ingestor's step. A step is worth its price when it has many records, so
 * the runner lingers a little for more, unless a reader waits for what is there. */
#include "db/store.h"

#include <stdatomic.h>

enum {
    LINGER_NS = 50 * 1000 * 1000,
    RETRY_NS = 1000 * 1000 * 1000, /* after a failure such as a full disk */
};

static void remember(struct steme_store *store, steme_status status, const struct steme_error *error)
{
    pthread_mutex_lock(&store->sharing);
    bool news = status && status != store->ingest_status;
    store->ingest_status = status;
    if (status) store->ingest_error = *error;
    pthread_mutex_unlock(&store->sharing);
    if (news) store_notice(store, "the index can't be kept up: %s", error->message);
}

void store_hurry(struct steme_store *store)
{
    gate_kick(&store->hurry);
    if (store->runner_started) wal_wake(store->wal);
}

steme_status store_ingest_status(struct steme_store *store, struct steme_error *err)
{
    pthread_mutex_lock(&store->sharing);
    steme_status status = store->ingest_status;
    if (status && err) *err = store->ingest_error;
    pthread_mutex_unlock(&store->sharing);
    return status;
}

steme_status store_step(struct steme_store *store, struct steme_error *err)
{
    size_t count = 0;
    pthread_mutex_lock(&store->ingesting);
    struct index *index = store_index(store);
    steme_status status = ingestor_step(&index->ingestor, &count, err);
    uint64_t sequence = index->ingestor.applied.next_sequence - 1;
    if (!status && sequence > gate_mark(&store->applied)) gate_advance(&store->applied, sequence);
    if (!status && !store->read_only) status = views_step(store, index, err);
    pthread_mutex_unlock(&store->ingesting);
    if (status == STEME_CORRUPT || status == STEME_MISMATCH)
        status = store_replace_index(store, index, err ? err->message : "it lies", err);
    index_release(&index);
    return status;
}

/* Whether views are behind, and worth the wait if we are to stop. */
static bool has_views_to_do(struct steme_store *store, bool stopping)
{
    if (!atomic_load(&store->views.pending)) return false;
    return !stopping || host_monotonic_ns(store->host) < atomic_load(&store->views.give_up_ns);
}

/* Wait for something to do. False: we are to stop, and there is nothing left. */
static bool wait_for_work(struct steme_store *store)
{
    uint64_t applied = gate_mark(&store->applied);
    for (;;) {
        uint32_t turn = wal_turn(store->wal);
        bool stopping = atomic_load(&store->stopping);
        if (has_views_to_do(store, stopping)) return true;
        if (wal_wait(store->wal, applied + 1, turn, stopping ? 0 : UINT64_MAX)) return true;
        if (stopping) return false;
    }
}

/* Let more records come together: sleeping on a gate of its own, the runner is not woken by every group commit. */
static void linger(struct steme_store *store)
{
    uint32_t turn = gate_turn(&store->hurry);
    uint64_t applied = gate_mark(&store->applied);
    bool plenty = wal_durable(store->wal).next_sequence - applied > INGESTOR_STEP_RECORDS;
    if (plenty || atomic_load(&store->views.pending) || atomic_load(&store->stopping) ||
        atomic_load(&store->wanted) > applied)
        return;
    (void)gate_wait_turn(&store->hurry, 1, turn, LINGER_NS);
}

static void *run(void *context)
{
    struct steme_store *store = context;
    struct gate pause;
    gate_init(&pause, 0);
    while (wait_for_work(store)) {
        struct steme_error error;
        linger(store);
        steme_status status = store_step(store, &error);
        remember(store, status, &error);
        if (status) {
            gate_kick(&store->applied); /* those who wait hear of the failure */
            if (atomic_load(&store->stopping)) break;
            (void)gate_wait(&pause, 1, RETRY_NS);
        }
    }
    return NULL;
}

steme_status runner_start(struct steme_store *store, struct steme_error *err)
{
    int failed = pthread_create(&store->runner, NULL, run, store);
    if (failed) return error_set_os(err, STEME_FAILED, failed, "the ingestor's thread can't be started");
    store->runner_started = true;
    return STEME_OK;
}

void runner_stop(struct steme_store *store)
{
    if (!store->runner_started) return;
    atomic_store(&store->views.give_up_ns, host_monotonic_ns(store->host) + VIEWS_SETTLE_NS);
    atomic_store(&store->stopping, true);
    wal_wake(store->wal);
    gate_kick(&store->hurry);
    (void)pthread_join(store->runner, NULL);
    store->runner_started = false;
}

steme_status steme_wait(struct steme_store *store, uint64_t sequence, uint32_t timeout_ms, struct steme_error *err)
{
    uint64_t deadline = host_monotonic_ns(store->host) + (uint64_t)timeout_ms * 1000000;
    uint64_t wanted = atomic_load(&store->wanted);
    while (wanted < sequence && !atomic_compare_exchange_weak(&store->wanted, &wanted, sequence)) {
    }
    uint32_t turn = gate_turn(&store->applied);
    if (gate_mark(&store->applied) < sequence) gate_kick(&store->hurry);
    while (gate_mark(&store->applied) < sequence) {
        uint64_t now = host_monotonic_ns(store->host);
        if (now >= deadline || !store->runner_started)
            return error_set(err, STEME_TIMEOUT, "the index reflects %llu, not yet %llu",
                             (unsigned long long)gate_mark(&store->applied), (unsigned long long)sequence);
        if (gate_wait_turn(&store->applied, sequence, turn, deadline - now)) break;
        turn = gate_turn(&store->applied);
        steme_status status = store_ingest_status(store, err);
        if (status) return status;
    }
    return STEME_OK;
}
