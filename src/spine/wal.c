/* SPDX-License-Identifier: Apache-2.0 */
#include "spine/wal_state.h"

#include "base/check.h"
#include "base/slice.h"
#include "spine/recovery.h"

#include <stdio.h>
#include <stdlib.h>

static const char wal_name[] = "wal";

/* "dir/name" on the heap; NULL when memory is out. */
static char *join_path(const char *dir, const char *name)
{
    size_t size = strlen(dir) + strlen(name) + 2;
    char *path = malloc(size);
    if (path) snprintf(path, size, "%s/%s", dir, name);
    return path;
}

static uint64_t segment_bytes_of(const struct wal_options *options)
{
    uint64_t bytes = options->segment_bytes ? options->segment_bytes : STEME_SEGMENT_BYTES;
    invariant(bytes >= SEGMENT_BYTES_MIN && bytes <= SEGMENT_BYTES_MAX && bytes % 4096 == 0);
    return bytes;
}

/* Make a directory that may be there already, left by an attempt that was cut short. */
static steme_status make_dir(struct host *host, const char *path, struct steme_error *err)
{
    steme_status status = host_make_dir(host, path, err);
    return status == STEME_EXISTS ? STEME_OK : status;
}

static steme_status refuse_existing(struct host *host, const char *dir, struct steme_error *err)
{
    struct arena arena;
    struct host_entry *entries;
    size_t count = 0;
    arena_init(&arena, SIZE_MAX);
    steme_status status = host_list(host, dir, &arena, &entries, &count, err);
    for (size_t i = 0; !status && i < count; i++)
        if (segment_name_number(entries[i].name))
            status = error_set(err, STEME_EXISTS, "there is a log in %s already (%s)", dir, entries[i].name);
    arena_deinit(&arena);
    return status;
}

steme_status wal_create(const struct wal_options *options, struct steme_error *err)
{
    steme_status status = STEME_OK;
    struct host_file *file = NULL;
    struct segment_header header = {
        .number = 1,
        .first_sequence = 1,
        .created_at_us = host_wall_us(options->host),
        .segment_bytes = segment_bytes_of(options),
        .store_id = options->store_id,
    };
    char *wal_dir = join_path(options->dir, wal_name);
    char *quarantine_dir = join_path(options->dir, QUARANTINE_DIR);
    if (!wal_dir || !quarantine_dir) status = error_set(err, STEME_NO_MEMORY, "no memory for the paths of the log");
    if (!status) status = make_dir(options->host, wal_dir, err);
    if (!status) status = refuse_existing(options->host, wal_dir, err);
    if (!status) status = make_dir(options->host, quarantine_dir, err);
    if (!status) status = segment_create(options->host, wal_dir, &header, &file, err);
    if (!status) status = host_sync_dir(options->host, options->dir, err);
    host_close(&file);
    free(wal_dir);
    free(quarantine_dir);
    return status;
}

/* The committing thread's, or while opening: everything before this mark is durable. */
static void publish(struct wal *wal, const struct wal_mark *mark)
{
    pthread_mutex_lock(&wal->durable_lock);
    wal->durable = *mark;
    atomic_store_explicit(&wal->durable_location, mark->location, memory_order_release);
    pthread_mutex_unlock(&wal->durable_lock);
    gate_advance(&wal->durable_gate, mark->next_sequence - 1);
}

static steme_status write_group(void *context, uint8_t *bytes, uint32_t size, uint32_t count, struct commit_place *out,
                                struct steme_error *err)
{
    struct wal *wal = context;
    return segment_tail_write(&wal->tail, bytes, size, count, out, err);
}

static steme_status sync_group(void *context, struct steme_error *err)
{
    struct wal *wal = context;
    const struct segment_tail *tail = &wal->tail;
    steme_status status = segment_tail_sync(&wal->tail, err);
    if (status) return status;
    atomic_fetch_add_explicit(&wal->appended_records, tail->pending.count, memory_order_relaxed);
    atomic_fetch_add_explicit(&wal->appended_bytes, tail->pending.bytes, memory_order_relaxed);
    atomic_fetch_add_explicit(&wal->batches, 1, memory_order_relaxed);
    publish(wal, &(struct wal_mark){ tail->next_sequence, location_of(tail->segment, tail->offset), tail->batch });
    return STEME_OK;
}

/* The largest group: a batch never crosses a segment. */
static uint32_t group_bytes_max(uint64_t segment_bytes)
{
    uint64_t bytes = segment_bytes - SEGMENT_HEADER_BYTES;
    return bytes < STEME_BATCH_BYTES_MAX ? (uint32_t)bytes : STEME_BATCH_BYTES_MAX;
}

static void begin_at(struct wal *wal, const struct recovery_end *end)
{
    wal->tail.segment = end->segment;
    wal->tail.offset = end->offset;
    wal->tail.capacity_bytes = end->capacity_bytes;
    wal->tail.next_sequence = end->mark.next_sequence;
    wal->tail.batch = end->mark.batch;
    wal->tail.received_at_us = end->received_at_us;
    gate_init(&wal->durable_gate, 0);
    publish(wal, &end->mark);
}

static steme_status open_parts(struct wal *wal, const struct wal_options *options, struct wal_report *report,
                               struct steme_error *err)
{
    struct recovery_end end;
    wal->wal_dir = join_path(options->dir, wal_name);
    segment_table_init(&wal->table, options->host, wal->wal_dir);
    if (!wal->wal_dir) return error_set(err, STEME_NO_MEMORY, "no memory for the path of the log");
    steme_status status = quarantine_open(&wal->quarantine, options->host, options->dir, &options->store_id,
                                          STEME_QUARANTINE_MAX_BYTES, options->read_only, err);
    if (!status) status = recovery_run(options, &wal->table, &wal->quarantine, &end, report, err);
    if (status) return status;
    begin_at(wal, &end);
    if (options->read_only) return STEME_OK;

    struct commit_options commit_options = {
        .bytes_max = group_bytes_max(wal->tail.segment_bytes),
        .records_max = STEME_BATCH_RECORDS_MAX,
        .committer = options->committer,
        .write = write_group,
        .sync = sync_group,
        .context = wal,
    };
    status = segment_tail_init(&wal->tail, err);
    if (!status) status = commit_new(&commit_options, &wal->commit, err);
    return status;
}

steme_status wal_open(const struct wal_options *options, struct wal **wal_out, struct wal_report *report_out,
                      struct steme_error *err)
{
    struct wal_report report = { 0 };
    struct wal *wal = calloc(1, sizeof *wal);
    if (!wal) return error_set(err, STEME_NO_MEMORY, "no memory to open the log");
    wal->host = options->host;
    wal->read_only = options->read_only;
    wal->store_id = options->store_id;
    wal->tail.table = &wal->table;
    wal->tail.store_id = options->store_id;
    wal->tail.segment_bytes = segment_bytes_of(options);
    int failed = pthread_mutex_init(&wal->durable_lock, NULL) | pthread_mutex_init(&wal->quarantine_lock, NULL);
    invariant(!failed); /* the default kind needs no resource */

    steme_status status = open_parts(wal, options, &report, err);
    if (!status) status = wal_damage(wal, &report, err);
    if (status) {
        wal_close(&wal);
        return error_wrap(err, status, "opening the log in %s", options->dir);
    }
    if (report_out) *report_out = report;
    *wal_out = wal;
    return STEME_OK;
}

void wal_close(struct wal **wal_in)
{
    struct wal *wal = *wal_in;
    *wal_in = NULL;
    if (!wal) return;
    bool trim = wal->commit && !commit_sealed(wal->commit);
    commit_free(&wal->commit);
    segment_table_deinit(&wal->table); /* first, so that nothing of ours maps what is cut off */
    segment_tail_deinit(&wal->tail, trim);
    quarantine_close(&wal->quarantine);
    pthread_mutex_destroy(&wal->durable_lock);
    pthread_mutex_destroy(&wal->quarantine_lock);
    free(wal->wal_dir);
    free(wal);
}

steme_status wal_append(struct wal *wal, const struct wal_record *records, size_t count, struct wal_place *places,
                        struct steme_error *err)
{
    if (wal->read_only) return error_set(err, STEME_READ_ONLY, "the log was opened for reading only");
    return commit_append(wal->commit, records, count, places, err);
}

struct wal_mark wal_durable(const struct wal *wal_in)
{
    struct wal *wal = (struct wal *)(uintptr_t)wal_in; /* only to take the lock */
    pthread_mutex_lock(&wal->durable_lock);
    struct wal_mark mark = wal->durable;
    pthread_mutex_unlock(&wal->durable_lock);
    return mark;
}

bool wal_wait(struct wal *wal, uint64_t sequence, uint32_t turn, uint64_t timeout_ns)
{
    return gate_wait_turn(&wal->durable_gate, sequence, turn, timeout_ns);
}

uint32_t wal_turn(const struct wal *wal) { return gate_turn(&wal->durable_gate); }

void wal_wake(struct wal *wal) { gate_kick(&wal->durable_gate); }

steme_status wal_damage(struct wal *wal, struct wal_report *report, struct steme_error *err)
{
    struct quarantine_sum sum = { 0 };
    pthread_mutex_lock(&wal->quarantine_lock);
    steme_status status = quarantine_sum(&wal->quarantine, &sum, err);
    uint64_t files = wal->quarantine.file_count;
    pthread_mutex_unlock(&wal->quarantine_lock);
    if (status) return status;
    report->damaged_bytes = sum.damaged_bytes;
    report->missing_sequences = sum.missing_sequences;
    report->quarantine_files = files;
    report->degraded = sum.degraded;
    report->unfiled = sum.unfiled;
    return STEME_OK;
}

void wal_stats(struct wal *wal, struct wal_stats *out)
{
    struct wal_mark durable = wal_durable(wal);
    uint64_t batches = atomic_load_explicit(&wal->batches, memory_order_relaxed);
    uint64_t log_bytes = location_offset(durable.location);
    for (struct segment *segment = segment_before(&wal->table, location_segment(durable.location)); segment;
         segment = segment_before(&wal->table, segment->number))
        log_bytes += segment->file_bytes;
    *out = (struct wal_stats){
        .appended_records = atomic_load_explicit(&wal->appended_records, memory_order_relaxed),
        .appended_bytes = atomic_load_explicit(&wal->appended_bytes, memory_order_relaxed),
        .batches = batches,
        .syncs = batches,
        .segments = atomic_load(&wal->table.count),
        .log_bytes = log_bytes,
        .reads = atomic_load_explicit(&wal->reads, memory_order_relaxed),
    };
}
