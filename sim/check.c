/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/world.h"

#include "base/slice.h"
#include "spine/wal_state.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { STEPS_MAX = 10000 };

/* ---- the log against the ledger ---- */

struct comparison {
    struct world *world;
    bool opened;
};

static steme_status see(void *context, const struct steme_entry *entry)
{
    struct comparison *c = context;
    const char *wrong = ledger_see(&c->world->ledger, entry, c->opened);
    if (wrong) world_trouble(c->world, "record %" PRIu64 ": %s", entry->sequence, wrong);
    return wrong ? STEME_FAILED : STEME_OK;
}

static int by_first(const void *a, const void *b)
{
    const struct ledger_range *left = a, *right = b;
    return (left->first > right->first) - (left->first < right->first);
}

/* How many different numbers there are in sorted ranges. */
static uint64_t count_numbers(const struct ledger_range *ranges, size_t count)
{
    uint64_t numbers = 0, next = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t from = ranges[i].first > next ? ranges[i].first : next, to = ranges[i].first + ranges[i].count;
        if (to <= from) continue;
        numbers += to - from;
        next = to;
    }
    return numbers;
}

/* What is on record as lost, number by number. */
static struct ledger_range *list_losses(struct world *world, size_t *count_out)
{
    struct wal *wal = world->store->wal;
    size_t count = 0;
    pthread_mutex_lock(&wal->quarantine_lock);
    struct ledger_range *ranges = calloc(wal->quarantine.count + 1, sizeof *ranges);
    invariant(ranges);
    for (size_t i = 0; i < wal->quarantine.count; i++) {
        const struct quarantine_entry *entry = &wal->quarantine.entries[i];
        if (entry->good && (entry->reason == QUARANTINE_DAMAGE || entry->reason == QUARANTINE_LOST))
            ranges[count++] = (struct ledger_range){ entry->first_sequence, entry->count };
    }
    pthread_mutex_unlock(&wal->quarantine_lock);
    qsort(ranges, count, sizeof *ranges, by_first);
    *count_out = count;
    return ranges;
}

/* Whether what is gone is told: by number, and by the count that anybody may ask for. */
static void compare_losses(struct world *world, bool opened, uint64_t reported_missing)
{
    enum ledger_tail tail = world->torn_tail && world->write_stray ? LEDGER_HIT
                          : world->torn_tail || world->write_lost  ? LEDGER_LAST_CALL
                                                                   : LEDGER_WHOLE;
    size_t count = 0;
    struct ledger_range *ranges = list_losses(world, &count);
    struct ledger_report report = { ranges, count };
    const char *wrong = ledger_end(&world->ledger, opened, &report, tail);
    if (wrong) world_trouble(world, "%s", wrong);
    if (count_numbers(ranges, count) != reported_missing)
        world_trouble(world, "the count of missing records is not that of the numbers on record");
    free(ranges);
}

/* Where the sync of a segment's name failed, writing goes on in the next one. If the power goes while that is made, the
 * first may be gone and the second say nothing yet: whether there was anything in between, nobody knows. */
static bool may_miss_a_segment(struct world *world)
{
    struct wal *wal = world->store->wal;
    bool may = true, missed = false;
    pthread_mutex_lock(&wal->quarantine_lock);
    for (size_t i = 0; i < wal->quarantine.count; i++) {
        const struct quarantine_entry *entry = &wal->quarantine.entries[i];
        bool unknown = entry->reason == QUARANTINE_LOST && entry->segment > 1 && entry->offset == 0 && !entry->count;
        may = may && entry->good && (entry->reason == QUARANTINE_TORN || unknown);
        missed |= unknown;
    }
    pthread_mutex_unlock(&wal->quarantine_lock);
    return may && missed;
}

/* Read all of the log, and what the store says of itself. */
static steme_status read_all(struct world *world, struct steme_store *store, bool opened, struct steme_info *info,
                             struct steme_error *err)
{
    struct steme_snapshot *snapshot = NULL;
    struct comparison comparison = { world, opened };
    ledger_begin(&world->ledger);
    steme_status status = steme_snapshot_open(store, NULL, &snapshot, err);
    if (!status) status = steme_log_each(snapshot, 0, see, &comparison, err);
    if (!status) status = steme_info(store, info, err);
    if (snapshot) steme_snapshot_close(&snapshot);
    return status;
}

void check_reader(struct world *world)
{
    struct steme_error err = { 0 };
    struct ledger_report nothing = { NULL, 0 };
    struct steme_info info;
    steme_status status = read_all(world, world->reader, false, &info, &err);
    if (status) {
        world_refused(world, "a reader can't read the log", &err);
        return;
    }
    world->reader_sequence = info.indexed_sequence;
    if (world->ledger.rotten) return; /* what it may miss the writer tells */
    const char *wrong = ledger_end(&world->ledger, false, &nothing, LEDGER_WHOLE);
    if (wrong) world_trouble(world, "as a reader sees it: %s", wrong);
    if (info.indexed_sequence != ledger_last(&world->ledger))
        world_trouble(world, "a reader has indexed up to %" PRIu64 " of %" PRIu64, info.indexed_sequence,
                      ledger_last(&world->ledger));
}

static void compare_log(struct world *world, bool opened)
{
    struct steme_error err = { 0 };
    struct steme_info info;
    steme_status status = read_all(world, world->store, opened, &info, &err);
    if (status) {
        world_refused(world, "the log can't be read", &err);
        return;
    }
    compare_losses(world, opened, info.missing_sequences);
    if (!world->ledger.scarred && (info.missing_sequences || (info.degraded && !may_miss_a_segment(world))))
        world_trouble(world, "a sound store calls itself degraded");
    if (!world->ledger.rotten && info.index_rebuilds > world->rebuilds)
        world_trouble(world, "the index of a sound store was made anew");
    if (info.indexed_sequence < ledger_last(&world->ledger))
        world_trouble(world, "an index that has caught up ends at %" PRIu64 " of %" PRIu64, info.indexed_sequence,
                      ledger_last(&world->ledger));
    if (info.last_sequence + 1 < world->ledger.next_sequence)
        world_trouble(world, "the last record's number is too small");
}

/* ---- every byte ---- */

static void ignore(void *context, const struct wal_finding *finding)
{
    (void)context;
    (void)finding;
}

static uint64_t bytes_in(struct world *world, const char *dir, uint64_t *files)
{
    struct arena arena;
    struct host_entry *entries = NULL;
    size_t count = 0;
    uint64_t bytes = 0;
    arena_init(&arena, 1 << 20);
    if (host_list(world->host, dir, &arena, &entries, &count, NULL)) count = 0;
    for (size_t i = 0; i < count; i++) {
        struct host_stat stat;
        if (host_stat(world->host, host_join(&arena, dir, entries[i].name), &stat, NULL) == STEME_OK)
            bytes += stat.size_bytes;
    }
    *files = count;
    arena_deinit(&arena);
    return bytes;
}

static void account(struct world *world)
{
    struct wal_totals totals = { 0 };
    struct steme_error err = { 0 };
    uint64_t files = 0, bytes = bytes_in(world, WORLD_DIR "/wal", &files);
    steme_status status = wal_verify(world->store->wal, ignore, NULL, &totals, &err);
    if (status) {
        world_refused(world, "the log can't be verified", &err);
        return;
    }
    if (host_mem_stopped(world->host)) return; /* what we counted ourselves may be short */
    /* A segment whose making failed is there, and not the log's until it is opened anew. */
    if (!world->sealed && (totals.file_bytes != bytes || totals.segments != files))
        world_trouble(world, "verify looked at %" PRIu64 " bytes in %" PRIu64 " files of %" PRIu64 " in %" PRIu64,
                      totals.file_bytes, totals.segments, bytes, files);
    if (totals.valid_bytes + totals.padding_bytes + totals.damaged_bytes != totals.file_bytes)
        world_trouble(world, "valid, padding and damaged bytes do not add up to the files' length");
    if (!world->ledger.scarred && (totals.damaged_bytes || totals.findings))
        world_trouble(world, "a log without rot has %" PRIu64 " damaged bytes, %" PRIu64 " findings",
                      totals.damaged_bytes, totals.findings);
    if (!world->ledger.scarred && totals.frames != world->ledger.count)
        world_trouble(world, "verify counts %" PRIu64 " records of %zu", totals.frames, world->ledger.count);
}

/* ---- the index against one made from the log in bulk ---- */

/* Rows of views are the index's own, and looked at by check_views(). They are never the first. */
static bool next_row(struct kv_cursor *cursor, struct kv_pair *pair, steme_status *status)
{
    do
        *status = kv_next(cursor, pair, NULL);
    while (*status == STEME_OK && pair->key.data[0] == 'W');
    return *status == STEME_OK;
}

static const char *compare_rows(struct kv *a, struct kv *b)
{
    struct kv_txn *reading[2] = { NULL, NULL };
    struct kv_cursor cursors[2] = { { 0 }, { 0 } };
    struct kv_pair pairs[2];
    struct steme_slice all = { 0 };
    const char *wrong = NULL;
    steme_status status[2];
    invariant(kv_begin(a, KV_READ, &reading[0], NULL) == STEME_OK);
    invariant(kv_begin(b, KV_READ, &reading[1], NULL) == STEME_OK);
    for (int i = 0; i < 2; i++)
        status[i] = kv_seek(reading[i], all, all, &cursors[i], &pairs[i], NULL);
    bool more = status[0] == STEME_OK && status[1] == STEME_OK;
    while (more && !wrong) {
        if (!slice_equal(pairs[0].key, pairs[1].key))
            wrong = "a row is in one only";
        else if (!slice_equal(pairs[0].value, pairs[1].value))
            wrong = "a row has two values";
        bool one = next_row(&cursors[0], &pairs[0], &status[0]), other = next_row(&cursors[1], &pairs[1], &status[1]);
        more = one && other;
    }
    if (!wrong && status[0] != status[1]) wrong = "one has more rows";
    for (int i = 0; i < 2; i++) {
        kv_cursor_end(&cursors[i]);
        kv_abort(&reading[i]);
    }
    return wrong;
}

void check_index(struct world *world)
{
    struct steme_error err = { 0 };
    struct applied_row applied;
    struct kv *bulk = NULL;
    steme_status status = kv_mem_open(&bulk, &err);
    if (!status) status = projection_bulk(world->host, WORLD_DIR, world->store->wal, bulk, &applied, &err);
    world->events->index_comparisons++;
    if (status) {
        world_refused(world, "an index can't be made from the log", &err);
    } else {
        const char *wrong = compare_rows(world->store->index->kv, bulk);
        if (wrong) world_trouble(world, "the index kept up and one made anew differ: %s", wrong);
    }
    kv_close(&bulk);
}

/* ---- views against resolving from scratch ---- */

static void note_view(void *context, struct steme_slice view, const char *wrong)
{
    world_trouble(context, "view '%.*s' at its watermark: %s", SLICE_PRINT(view), wrong);
}

static void check_views(struct world *world)
{
    struct steme_error err = { 0 };
    if (views_verify(world->store, world->store->index, note_view, world, &err))
        world_refused(world, "views can't be held against their slots", &err);
}

/* ---- all of it ---- */

static void catch_up(struct world *world)
{
    struct steme_error err = { 0 };
    for (unsigned step = 0; step < STEPS_MAX; step++) {
        uint64_t before = world->store->index->ingestor.applied.location;
        steme_status status = store_step(world->store, &err);
        if (status && world->fault_armed) {
            world_disarm(world);
            continue;
        }
        if (status) {
            world_refused(world, "the index does not take in the log", &err);
            return;
        }
        if (world->store->index->ingestor.applied.location == before) return;
    }
    world_trouble(world, "the index never catches up");
}

static bool goes_on(const struct world *world) { return !world_failed(world) && !host_mem_stopped(world->host); }

void check_log(struct world *world, bool opened)
{
    catch_up(world);
    world_disarm(world); /* what is asked from here on has to be answered */
    if (goes_on(world)) compare_log(world, opened);
}

void check_world(struct world *world, struct prng *prng, bool opened)
{
    check_log(world, opened);
    if (goes_on(world) && (opened || prng_chance(prng, 200))) account(world);
    if (goes_on(world) && world->ledger.count && prng_chance(prng, 250)) check_index(world);
    if (goes_on(world) && prng_chance(prng, 300)) check_views(world);
    if (goes_on(world)) check_answers(world, world->store, prng);
}
