/* SPDX-License-Identifier: Apache-2.0 */
/* Bulk loading gives the same rows as online ingestion, whatever is in the log and whatever store takes them. SEED=n
 * repeats one run. */
#include "base/check.h"
#include "base/hash.h"
#include "base/slice.h"
#include "host/host_mem.h"
#include "lattice/projection.h"
#include "lib/indexer.h"
#include "lib/kv_fault.h"
#include "lib/kv_testing.h"
#include "lib/testing.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEEDS = 12, GROUPS = 250 };

static struct steme_error failure;

#define OK(call) assert_status((call), STEME_OK, &failure, #call)

static steme_status bulk(struct logbook *log, struct kv *kv, struct applied_row *applied)
{
    return projection_bulk(log->host, LOGBOOK_INDEX_DIR, log->wal, kv, applied, &failure);
}

/* A record of a type that is yet to come. */
static void log_stranger(struct logbook *log, uint8_t mark)
{
    uint8_t bytes[64] = { 9, 0, 0, 0, 0, 0, 0, 0, 48, 0, 0, 0, 1, 0, 0, 0, mark };
    struct steme_hash id = hash_one(slice_of(bytes, sizeof bytes));
    struct steme_signature signature = sign_record(pile_agent(0), &id);
    struct wal_record record = { slice_of(bytes, sizeof bytes), id, &signature };
    struct wal_place place;
    OK(wal_append(log->wal, &record, 1, &place, &failure));
}

/* A log of random records with copies, strangers, and where `rotten`, damage. */
static void draw_log(struct logbook *log, struct prng *prng, bool rotten)
{
    static struct wal_place places[8 * GROUPS];
    struct pile pile;
    pile_init(&pile);
    pile_draw(&pile, prng, GROUPS);
    for (size_t i = 0; i < GROUPS / 4; i++)
        pile_repeat(&pile, prng_below(prng, pile.group_count));
    assert_true(pile.record_count < countof(places));
    size_t half = pile.group_count / 2, before = pile.groups[half];
    logbook_init(log);
    log_stranger(log, 1);
    logbook_write(log, &pile, 0, half, places);
    log_stranger(log, 2);
    log_stranger(log, 1); /* again */
    logbook_write(log, &pile, half, pile.group_count, places + before);
    log_stranger(log, 3);
    for (size_t i = 0; rotten && i < 10; i++)
        logbook_rot(log, places[prng_below(prng, pile.record_count)].location, prng_below(prng, 128));
    if (rotten) logbook_reopen(log);
    pile_deinit(&pile);
}

static void assert_same_index(struct logbook *log, struct kv *kv, const char *name)
{
    struct applied_row applied, row;
    struct kv *want = indexer_index(log);
    assert_status(bulk(log, kv, &applied), STEME_OK, &failure, name);
    indexer_same_rows(kv, want, name);
    OK(projection_applied(kv, &row, &failure));
    assert_memory_equal(&applied, &row, sizeof row);
    kv_close(&want);
}

static void check_seed(uint64_t seed, const char *dir)
{
    for (unsigned rotten = 0; rotten < 2; rotten++) {
        struct logbook log;
        struct prng prng = { seed };
        char name[64], path[4096];
        draw_log(&log, &prng, rotten);
        struct kv *mem = indexer_empty();
        (void)snprintf(name, sizeof name, "SEED=%llu%s", (unsigned long long)seed, rotten ? ", rotten" : "");
        assert_same_index(&log, mem, name);
        (void)snprintf(path, sizeof path, "%s/%llu-%u", dir, (unsigned long long)seed, rotten);
        OK(host_make_dir(host_posix(), path, &failure));
        struct kv *lmdb = kv_testing_lmdb(path, KV_TESTING_CREATE);
        assert_same_index(&log, lmdb, name);
        kv_close(&mem);
        kv_close(&lmdb);
        logbook_deinit(&log);
    }
}

static void bulk_and_online_give_the_same_rows(void **state)
{
    const char *seed = getenv("SEED");
    if (seed) check_seed(strtoull(seed, NULL, 0), *state);
    for (uint64_t i = 1; !seed && i <= SEEDS; i++)
        check_seed(i, *state);
}

static void an_empty_log_gives_an_applied_row_only(void **state)
{
    (void)state;
    struct logbook log;
    struct applied_row applied;
    logbook_init(&log);
    struct kv *kv = indexer_empty();
    OK(bulk(&log, kv, &applied));
    assert_int_equal(applied.mark.next_sequence, 1);
    assert_int_equal(indexer_count_rows(kv, ""), 1);
    kv_close(&kv);
    logbook_deinit(&log);
}

/* After a bulk load the ingestor goes on where it ended. */
static void the_ingestor_goes_on_behind_it(void **state)
{
    (void)state;
    struct logbook log;
    struct pile pile;
    struct prng prng = { 77 };
    struct applied_row applied;
    struct indexer indexer;
    pile_init(&pile);
    pile_draw(&pile, &prng, 100);
    for (size_t i = 0; i < 30; i++)
        pile_repeat(&pile, prng_below(&prng, pile.group_count));
    logbook_init(&log);
    logbook_write(&log, &pile, 0, 80, NULL);
    struct kv *kv = indexer_empty();
    OK(bulk(&log, kv, &applied));
    logbook_write(&log, &pile, 80, pile.group_count, NULL);
    indexer_init(&indexer, &log, kv, &applied.mark);
    OK(indexer_run(&indexer, &failure));
    indexer_deinit(&indexer);
    struct kv *want = indexer_index(&log);
    indexer_same_rows(kv, want, "bulk, then online");
    kv_close(&kv);
    kv_close(&want);
    pile_deinit(&pile);
    logbook_deinit(&log);
}

/* Whatever fails, it is told; no applied row says that half an index is whole. */
static void a_store_that_fails_at_any_call_does_not_look_whole(void **state)
{
    (void)state;
    struct logbook log;
    struct prng prng = { 5 };
    struct applied_row applied, row;
    size_t failed = 0;
    draw_log(&log, &prng, false);
    for (uint64_t nth = 1;; nth += 1 + nth / 8, failed++) {
        struct kv *kv = kv_fault_new(indexer_empty());
        assert_non_null(kv);
        kv_fault_fail(kv, KV_FAULT_ANY, nth, STEME_IO, false);
        steme_status status = bulk(&log, kv, &applied);
        kv_fault_fail(kv, KV_FAULT_ANY, 0, STEME_OK, false);
        steme_status whole = projection_applied(kv, &row, &failure);
        kv_close(&kv);
        if (!status) break;
        assert_int_equal(status, STEME_IO);
        assert_int_equal(whole, STEME_NOT_FOUND);
    }
    assert_true(failed > 20);
    logbook_deinit(&log);
}

static void a_store_that_is_not_empty_is_told(void **state)
{
    (void)state;
    struct logbook log;
    struct prng prng = { 6 };
    struct applied_row applied;
    draw_log(&log, &prng, false);
    struct kv *kv = indexer_index(&log);
    assert_int_equal(bulk(&log, kv, &applied), STEME_BAD_INPUT);
    kv_close(&kv);
    logbook_deinit(&log);
}

/* It needs no file, so a full disk does not hinder it. */
static void a_small_log_is_sorted_in_memory(void **state)
{
    (void)state;
    struct logbook log;
    struct prng prng = { 8 };
    struct applied_row applied;
    draw_log(&log, &prng, false);
    struct kv *kv = indexer_empty();
    host_mem_fail(log.host, HOST_MEM_WRITE, 1, ENOSPC, true);
    OK(bulk(&log, kv, &applied));
    kv_close(&kv);
    host_mem_fail(log.host, HOST_MEM_ANY, 0, 0, false);
    logbook_deinit(&log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        KV_TESTING_CASE(bulk_and_online_give_the_same_rows),
        cmocka_unit_test(an_empty_log_gives_an_applied_row_only),
        cmocka_unit_test(the_ingestor_goes_on_behind_it),
        cmocka_unit_test(a_store_that_fails_at_any_call_does_not_look_whole),
        cmocka_unit_test(a_store_that_is_not_empty_is_told),
        cmocka_unit_test(a_small_log_is_sorted_in_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
