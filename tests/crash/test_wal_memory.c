/* SPDX-License-Identifier: Apache-2.0 */
/* Memory runs out at every allocation, once or from then on: the call fails with STEME_NO_MEMORY, nothing leaks,
 * nothing is half there, and the next call works. */
#include "base/slice.h"
#include "lib/wal_world.h"

#include <stdlib.h>
#include <unistd.h>

/* The linker sends every allocation of ours through here. */
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_aligned_alloc(size_t align, size_t size);
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_aligned_alloc(size_t align, size_t size);

static uint64_t allocations;
static uint64_t fail_at; /* 0: never */
static bool fail_for_ever;

static bool strikes(void)
{
    if (!fail_at) return false;
    allocations++;
    return fail_for_ever ? allocations >= fail_at : allocations == fail_at;
}

void *__wrap_malloc(size_t size) { return strikes() ? NULL : __real_malloc(size); }
void *__wrap_calloc(size_t count, size_t size) { return strikes() ? NULL : __real_calloc(count, size); }
void *__wrap_aligned_alloc(size_t align, size_t size) { return strikes() ? NULL : __real_aligned_alloc(align, size); }

static void arm(uint64_t nth, bool for_ever)
{
    allocations = 0;
    fail_at = nth;
    fail_for_ever = for_ever;
}

/* Whether an allocation was refused since arm(). */
static bool disarm(void)
{
    bool struck = allocations >= fail_at;
    fail_at = 0;
    return struck;
}

static struct wal_world world;

static void fresh_log(const char *name)
{
    struct steme_error err;
    wal_world_create(&world, host_posix(), name);
    assert_status(wal_world_open(&world, &err), STEME_OK, &err, name);
}

static void drop_log(void)
{
    wal_world_close(&world);
    assert_int_equal(system("rm -rf " WAL_WORLD_DIR), 0); /* a relative name, in a directory made for this */
}

static void assert_no_memory(steme_status status, const char *name)
{
    assert_row(status == STEME_OK || status == STEME_NO_MEMORY, name);
}

static void opening_without_memory_fails_and_then_works(void **state)
{
    (void)state;
    for (int damaged = 0; damaged < 3; damaged++) {
        for (int for_ever = 0; for_ever < 2; for_ever++) {
            bool struck = true;
            for (uint64_t nth = 1; struck; nth++) {
                struct steme_error err;
                fresh_log("opening");
                for (int i = 0; i < 8; i++)
                    assert_status(wal_world_append(&world, 20, i % 2, &err), STEME_OK, &err, "opening");
                wal_world_close(&world);
                world.options.committer = nth % 2;
                if (damaged == 1) wal_world_ruin(&world, 30);
                if (damaged == 2) wal_world_ruin(&world, 155);
                arm(nth, for_ever);
                steme_status status = wal_world_open(&world, &err);
                struck = disarm();
                assert_no_memory(status, "opening");
                assert_row((status == STEME_OK) == !struck, "opening");
                wal_world_close(&world);
                assert_status(wal_world_open(&world, &err), STEME_OK, &err, "again");
                wal_world_check(&world, "again");
                wal_world_account(&world, "again");
                drop_log();
            }
        }
    }
}

static void appending_without_memory_refuses_and_then_works(void **state)
{
    (void)state;
    for (int for_ever = 0; for_ever < 2; for_ever++) {
        bool struck = true;
        for (uint64_t nth = 1; struck; nth++) {
            struct steme_error err;
            fresh_log("appending");
            arm(nth, for_ever);
            for (int i = 0; i < 8; i++)
                assert_no_memory(wal_world_append(&world, 20, i % 2, &err), "appending");
            struck = disarm();
            for (int i = 0; i < 8; i++)
                assert_status(wal_world_append(&world, 20, i % 2, &err), STEME_OK, &err, "again");
            wal_world_check(&world, "again");
            wal_world_account(&world, "again");
            drop_log();
        }
    }
}

static void reading_without_memory_fails_and_then_works(void **state)
{
    (void)state;
    struct steme_error err;
    for (int for_ever = 0; for_ever < 2; for_ever++) {
        bool struck = true;
        for (uint64_t nth = 1; struck; nth++) {
            struct wal_entry entry;
            struct wal_entry *entries;
            struct wal_totals totals;
            struct arena arena;
            size_t count;
            fresh_log("reading");
            for (int i = 0; i < 8; i++)
                assert_status(wal_world_append(&world, 20, i % 2, &err), STEME_OK, &err, "reading");
            struct wal_mark at = wal_begin(world.wal);
            wal_world_ruin(&world, 31);
            arena_init(&arena, SIZE_MAX);
            arm(nth, for_ever);
            assert_no_memory(wal_read(world.wal, world.location_of[3], &entry, &err), "reading");
            assert_no_memory(wal_scan(world.wal, &at, 200, &arena, &entries, &count, NULL, &err), "scanning");
            assert_no_memory(wal_verify(world.wal, NULL, NULL, &totals, &err), "verifying");
            struck = disarm();
            arena_deinit(&arena);
            wal_world_check(&world, "again");
            wal_world_account(&world, "again");
            drop_log();
        }
    }
}

static void creating_without_memory_fails_and_then_works(void **state)
{
    (void)state;
    for (int for_ever = 0; for_ever < 2; for_ever++) {
        bool struck = true;
        for (uint64_t nth = 1; struck; nth++) {
            struct steme_error err;
            fresh_log("creating"); /* for its options */
            drop_log();
            assert_status(host_make_dir(world.host, WAL_WORLD_DIR, &err), STEME_OK, &err, "creating");
            arm(nth, for_ever);
            steme_status status = wal_create(&world.options, &err);
            struck = disarm();
            assert_no_memory(status, "creating");
            if (status) assert_status(wal_create(&world.options, &err), STEME_OK, &err, "again");
            assert_status(wal_world_open(&world, &err), STEME_OK, &err, "again");
            drop_log();
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(creating_without_memory_fails_and_then_works),
        cmocka_unit_test(opening_without_memory_fails_and_then_works),
        cmocka_unit_test(appending_without_memory_refuses_and_then_works),
        cmocka_unit_test(reading_without_memory_fails_and_then_works),
    };
    char *dir = testing_make_temporary();
    if (chdir(dir)) return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (chdir("/")) return 1;
    testing_remove_temporary(dir);
    return failed;
}
