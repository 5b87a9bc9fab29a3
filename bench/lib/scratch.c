/* SPDX-License-Identifier: Apache-2.0 */
#include "scratch.h"

#include "clock.h"
#include "host/host.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LIST_CEILING_BYTES = 16 << 20, WAIT_MS = 600000 };

static const struct steme_hash log_store_id = { "a benchmark's log" };

struct scratch_path scratch_join(const char *path, const char *name)
{
    struct scratch_path joined;
    int size = snprintf(joined.text, sizeof joined.text, "%s/%s", path, name);
    must_hold(size > 0 && (size_t)size < sizeof joined.text, "a path in the scratch directory");
    return joined;
}

struct scratch_path scratch_path(const struct options *options, const char *name)
{
    return scratch_join(options->dir, name);
}

/* Call visit for each thing in the directory and, first, in its directories: a store is no deeper. */
static void each_below(const char *path, void (*visit)(void *context, const char *path), void *context)
{
    struct arena arena;
    struct host_entry *outer = NULL, *inner = NULL;
    size_t outer_count = 0, inner_count = 0;
    arena_init(&arena, LIST_CEILING_BYTES);
    (void)!host_list(host_posix(), path, &arena, &outer, &outer_count, NULL);
    for (size_t i = 0; i < outer_count; i++) {
        struct scratch_path below = scratch_join(path, outer[i].name);
        inner_count = 0;
        if (outer[i].kind == HOST_KIND_DIR)
            (void)!host_list(host_posix(), below.text, &arena, &inner, &inner_count, NULL);
        for (size_t k = 0; k < inner_count; k++) {
            struct scratch_path leaf = scratch_join(below.text, inner[k].name);
            visit(context, leaf.text);
        }
        visit(context, below.text);
    }
    arena_deinit(&arena);
}

static void remove_one(void *context, const char *path)
{
    struct steme_error error;
    (void)context;
    must(host_remove(host_posix(), path, &error), &error, "removing what was measured");
}

void scratch_remove(const char *path)
{
    struct host_stat stat;
    if (host_stat(host_posix(), path, &stat, NULL)) return;
    if (stat.kind == HOST_KIND_DIR) each_below(path, remove_one, NULL);
    remove_one(NULL, path);
}

static void add_blocks(void *context, const char *path)
{
    struct stat stat;
    uint64_t *total = context;
    must_hold(lstat(path, &stat) == 0, path);
    if (S_ISREG(stat.st_mode)) *total += (uint64_t)stat.st_blocks * 512;
}

uint64_t scratch_disk_bytes(const char *path)
{
    uint64_t total = 0;
    each_below(path, add_blocks, &total);
    return total;
}

void scratch_settle(void) { sync(); }

struct steme_store *scratch_open(const char *path)
{
    struct steme_error error;
    struct steme_store *store = NULL;
    must(steme_open(path, NULL, &store, &error), &error, "opening a store");
    return store;
}

struct steme_store *scratch_store(const char *path)
{
    struct steme_error error;
    scratch_remove(path);
    must(steme_create(path, &error), &error, "making a store");
    return scratch_open(path);
}

struct wal *scratch_open_log(const char *path)
{
    struct steme_error error;
    struct wal *wal = NULL;
    struct wal_options options = { .host = host_posix(), .dir = path, .store_id = log_store_id, .committer = true };
    must(wal_open(&options, &wal, NULL, &error), &error, "opening a log");
    return wal;
}

struct wal *scratch_log(const char *path)
{
    struct steme_error error;
    struct wal_options options = { .host = host_posix(), .dir = path, .store_id = log_store_id };
    scratch_remove(path);
    must(host_make_dir(host_posix(), path, &error), &error, "making a directory");
    must(wal_create(&options, &error), &error, "making a log");
    return scratch_open_log(path);
}

struct submission {
    struct steme_store *store;
    const struct workload *workload;
    _Atomic size_t next;
    _Atomic uint64_t last_sequence;
};

static void submit_calls(void *context, size_t index)
{
    struct submission *submission = context;
    const struct workload *workload = submission->workload;
    struct steme_receipt *receipts = must_alloc(STEME_BATCH_RECORDS_MAX, sizeof *receipts);
    struct steme_error error;
    (void)index;
    for (size_t i; (i = atomic_fetch_add(&submission->next, 1)) < workload->call_count;) {
        const struct workload_call *call = &workload->calls[i];
        must(steme_submit(submission->store, call->records, call->count, receipts, NULL, &error), &error, "submitting");
        uint64_t sequence = receipts[call->count - 1].sequence, last = atomic_load(&submission->last_sequence);
        while (sequence > last && !atomic_compare_exchange_weak(&submission->last_sequence, &last, sequence))
            continue;
    }
    free(receipts);
}

double scratch_submit(struct steme_store *store, const struct workload *workload, size_t threads)
{
    struct submission submission = { .store = store, .workload = workload };
    struct steme_error error;
    double start = clock_seconds();
    crew_run(threads, submit_calls, &submission);
    must(steme_wait(store, atomic_load(&submission.last_sequence), WAIT_MS, &error), &error, "waiting for the index");
    return clock_seconds() - start;
}
