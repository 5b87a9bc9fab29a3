/* SPDX-License-Identifier: Apache-2.0 */
/* Power cuts and kills at every call of a scripted run: what was acknowledged is there afterwards, nothing else
 * but what was handed in, groups whole and in order, and opening again changes nothing more. */
#include "host/host_mem.h"
#include "lib/host_cut.h"
#include "lib/wal_world.h"

#include <stdio.h>

static const unsigned keeps[] = { 0, 100, 500, 900, 1000 };
#define KILL 1001u /* in place of a keep: the process ends, the machine goes on */
#define SEEDS 3u

/* Groups of the script: singles and bundles, enough for several segments of 64 KiB. */
static const struct {
    size_t count;
    bool bundle;
} script[] = {
    { 1, false }, { 1, false }, { 3, true },   { 20, true }, { 1, false }, { 60, true }, { 2, false }, { 60, false },
    { 40, true }, { 1, false }, { 64, false }, { 1, false }, { 7, true },  { 64, true }, { 1, false }, { 30, false },
};

/* Runs the script, closing and opening in between, until something fails. */
static void run_script(struct wal_world *world)
{
    if (wal_world_open(world, NULL)) return;
    for (size_t i = 0; i < countof(script); i++) {
        if (i == countof(script) / 2) {
            wal_world_close(world);
            if (wal_world_open(world, NULL)) return;
        }
        if (wal_world_append(world, script[i].count, script[i].bundle, NULL)) break;
    }
    wal_world_close(world);
}

static void end_the_world(struct host *host, unsigned keep)
{
    if (keep == KILL)
        host_mem_kill(host);
    else
        host_mem_power_cut(host, keep);
}

/* A log where the script was stopped before the nth call. Returns whether it was stopped at all. */
static bool stop_script(struct wal_world *world, struct host *mem, uint64_t nth, unsigned keep, const char *name)
{
    struct host *cut = host_cut_new(mem);
    assert_non_null(cut);
    wal_world_create(world, mem, name);
    world->options.host = cut;
    host_cut_after(cut, nth);
    run_script(world);
    bool stopped = host_cut_stopped(cut);
    end_the_world(mem, keep);
    host_cut_free(cut);
    world->options.host = mem;
    return stopped;
}

/* Open what the cut has left, check it, and check that a second opening finds it as the first one left it. */
static void check_twice(struct wal_world *world, const char *name)
{
    struct steme_error err;
    assert_status(wal_world_open(world, &err), STEME_OK, &err, name);
    assert_row(!world->report.degraded && world->report.damaged_bytes == 0 && world->report.missing_sequences == 0,
               name);
    wal_world_check(world, name);
    struct wal_totals totals = wal_world_account(world, name);
    assert_row(totals.damaged_bytes == 0 && totals.findings == 0, name);
    wal_world_close(world);
    struct steme_hash before = wal_world_digest(world, true);
    assert_status(wal_world_open(world, &err), STEME_OK, &err, name);
    assert_row(world->report.torn_tail_bytes == 0, name);
    wal_world_check(world, name);
    wal_world_close(world);
    struct steme_hash after = wal_world_digest(world, true);
    assert_memory_equal(&before, &after, sizeof before);
}

/* The log goes on where it stopped, and that lasts too. */
static void go_on(struct wal_world *world, struct host *mem, const char *name)
{
    struct steme_error err;
    assert_status(wal_world_open(world, &err), STEME_OK, &err, name);
    assert_status(wal_world_append(world, 5, true, &err), STEME_OK, &err, name);
    assert_status(wal_world_append(world, 1, false, &err), STEME_OK, &err, name);
    host_mem_power_cut(mem, 0);
    wal_world_close(world);
    assert_status(wal_world_open(world, &err), STEME_OK, &err, name);
    wal_world_check(world, name);
    wal_world_close(world);
}

static bool cut_once(uint64_t nth, unsigned keep, uint64_t seed)
{
    static struct wal_world world;
    char name[80];
    snprintf(name, sizeof name, "stopped before call %llu, keeping %u, seed %llu", (unsigned long long)nth, keep,
             (unsigned long long)seed);
    struct host *mem = host_mem_new(seed);
    assert_non_null(mem);
    bool stopped = stop_script(&world, mem, nth, keep, name);
    check_twice(&world, name);
    go_on(&world, mem, name);
    host_mem_free(mem);
    return stopped;
}

static void a_power_cut_at_any_call_loses_nothing_acknowledged(void **state)
{
    (void)state;
    uint64_t cuts = 0;
    for (size_t k = 0; k < countof(keeps); k++) {
        for (uint64_t seed = 1; seed <= SEEDS; seed++) {
            uint64_t nth = 1;
            while (cut_once(nth, keeps[k], seed))
                nth++;
            cuts += nth;
        }
    }
    print_message("%llu power cuts\n", (unsigned long long)cuts);
}

static void a_kill_at_any_call_loses_nothing_acknowledged(void **state)
{
    (void)state;
    uint64_t nth = 1;
    while (cut_once(nth, KILL, 1))
        nth++;
    print_message("%llu kills\n", (unsigned long long)nth);
}

/* A cut while the log is opened after a cut, at every call; then another, and another. Returns whether the opening was
 * stopped at all. */
static bool cut_recovery_once(uint64_t nth, uint64_t again, unsigned keep, uint64_t seed)
{
    static struct wal_world world;
    char name[100];
    snprintf(name, sizeof name, "stopped before call %llu, then before call %llu of recovery, keeping %u, seed %llu",
             (unsigned long long)nth, (unsigned long long)again, keep, (unsigned long long)seed);
    struct host *mem = host_mem_new(seed);
    assert_non_null(mem);
    stop_script(&world, mem, nth, keep, name);
    struct host *cut = host_cut_new(mem);
    assert_non_null(cut);
    bool stopped = false;
    for (int round = 0; round < 3; round++) {
        world.options.host = cut;
        host_cut_after(cut, again);
        if (!wal_world_open(&world, NULL)) wal_world_close(&world);
        stopped |= host_cut_stopped(cut);
        host_cut_after(cut, 0);
        end_the_world(mem, keep);
    }
    host_cut_free(cut);
    world.options.host = mem;
    check_twice(&world, name);
    host_mem_free(mem);
    return stopped;
}

static void a_power_cut_during_recovery_loses_nothing_acknowledged(void **state)
{
    (void)state;
    static const unsigned some[] = { 500, 1000, KILL };
    uint64_t cuts = 0;
    for (size_t k = 0; k < countof(some); k++) {
        for (uint64_t nth = 1; nth <= 90; nth++) {
            uint64_t again = 1;
            while (cut_recovery_once(nth, again, some[k], nth))
                again++;
            cuts += again;
        }
    }
    print_message("%llu cuts during recovery\n", (unsigned long long)cuts);
}

/* Creates a log, stopped before the nth call. Returns whether it was stopped at all. */
static bool stop_creating(struct wal_world *world, struct host *mem, uint64_t nth, steme_status *created,
                          const char *name)
{
    struct steme_error err;
    struct host *spare = host_mem_new(1);
    struct host *cut = host_cut_new(mem);
    assert_true(spare && cut);
    wal_world_create(world, spare, name); /* for its options */
    host_mem_free(spare);
    assert_status(host_make_dir(mem, WAL_WORLD_DIR, &err), STEME_OK, &err, name);
    assert_status(host_sync_dir(mem, "/", &err), STEME_OK, &err, name);
    world->host = mem;
    world->options.host = cut;
    host_cut_after(cut, nth);
    *created = wal_create(&world->options, NULL);
    bool stopped = host_cut_stopped(cut);
    host_cut_free(cut);
    world->options.host = mem;
    return stopped;
}

/* Creating is not acknowledged before it is done, and what a cut leaves of it can be completed. */
static void a_log_half_created_opens_or_can_be_created(void **state)
{
    (void)state;
    static const unsigned some[] = { 0, 500, 1000, KILL };
    for (size_t k = 0; k < countof(some); k++) {
        bool stopped = true;
        for (uint64_t nth = 1; stopped; nth++) {
            static struct wal_world world;
            struct steme_error err;
            char name[80];
            steme_status created = STEME_OK;
            snprintf(name, sizeof name, "creating, stopped before call %llu, keeping %u", (unsigned long long)nth,
                     some[k]);
            struct host *mem = host_mem_new(nth);
            assert_non_null(mem);
            stopped = stop_creating(&world, mem, nth, &created, name);
            end_the_world(mem, some[k]);
            steme_status opened = wal_world_open(&world, &err);
            assert_row(opened == STEME_OK || (created && opened == STEME_NOT_FOUND), name);
            if (opened) assert_status(wal_create(&world.options, &err), STEME_OK, &err, name);
            wal_world_close(&world);
            check_twice(&world, name);
            go_on(&world, mem, name);
            host_mem_free(mem);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_log_half_created_opens_or_can_be_created),
        cmocka_unit_test(a_power_cut_at_any_call_loses_nothing_acknowledged),
        cmocka_unit_test(a_kill_at_any_call_loses_nothing_acknowledged),
        cmocka_unit_test(a_power_cut_during_recovery_loses_nothing_acknowledged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
