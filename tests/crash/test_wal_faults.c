/* SPDX-License-Identifier: Apache-2.0 */
/* Every call of every kind fails, once or from then on, while a log is used and while one is repaired: nothing
 * acknowledged is lost, nothing refused turns up, after a doubtful write nothing is acknowledged any more, and the next
 * opening finds a good log. */
#include "base/slice.h"
#include "host/host_mem.h"
#include "lib/wal_world.h"

#include <errno.h>
#include <stdio.h>

static const struct {
    const char *name;
    enum host_mem_call call;
} calls[] = {
    { "open", HOST_MEM_OPEN },         { "read", HOST_MEM_READ },         { "write", HOST_MEM_WRITE },
    { "sync", HOST_MEM_SYNC },         { "sync_dir", HOST_MEM_SYNC_DIR }, { "allocate", HOST_MEM_ALLOCATE },
    { "truncate", HOST_MEM_TRUNCATE }, { "rename", HOST_MEM_RENAME },     { "remove", HOST_MEM_REMOVE },
    { "map", HOST_MEM_MAP },           { "list", HOST_MEM_LIST },         { "make_dir", HOST_MEM_MAKE_DIR },
    { "stat", HOST_MEM_STAT },         { "size", HOST_MEM_SIZE },
};
static const struct {
    const char *name;
    int os_errno;
} errors[] = { { "EIO", EIO }, { "ENOSPC", ENOSPC } };

static const struct {
    size_t count;
    bool bundle;
} script[] = {
    { 1, false }, { 20, true }, { 64, false }, { 1, false }, { 60, true },
    { 2, false }, { 64, true }, { 40, false }, { 1, false },
};

/* A torn tail, damage before it, a leftover of an earlier attempt to set something aside: opening has all of its
 * work. */
static void wreck(struct wal_world *world, const char *name)
{
    static const char leftover[] = WAL_WORLD_DIR "/quarantine/0000000000000001-00000040.0.q.tmp";
    static const char path[] = WAL_WORLD_DIR "/wal/0000000000000001.seg";
    struct steme_error err;
    struct host_file *file;
    struct steme_slice tail = wal_world_record(900, false).bytes;
    assert_status(wal_world_open(world, &err), STEME_OK, &err, name);
    for (int i = 0; i < 6; i++)
        assert_status(wal_world_append(world, 3, true, &err), STEME_OK, &err, name);
    uint64_t end = wal_durable(world->wal).location & 0xffffffffu;
    wal_world_close(world);
    wal_world_flip(world, 1, (world->location_of[4] & 0xffffffffu) + 70);
    wal_world_hurt(world, 4, 4);
    assert_status(host_open(world->host, path, HOST_WRITE, &file, &err), STEME_OK, &err, name);
    assert_status(host_write_at(file, end + 4096, &tail, 1, &err), STEME_OK, &err, name);
    host_close(&file);
    assert_status(host_open(world->host, leftover, HOST_WRITE | HOST_CREATE, &file, &err), STEME_OK, &err, name);
    host_close(&file);
}

/* Segments whose headers are damaged, one that is gone, and a tail that must be looked for from the beginning. */
static void ruin(struct wal_world *world, const char *name)
{
    struct steme_error err;
    assert_status(wal_world_open(world, &err), STEME_OK, &err, name);
    for (int i = 0; i < 14; i++)
        assert_status(wal_world_append(world, 30, i % 2, &err), STEME_OK, &err, name);
    uint32_t last = (uint32_t)(world->location_of[world->used - 1] >> 32);
    assert_true(last >= 4);
    wal_world_close(world);
    for (size_t k = 0; k < world->used; k++)
        if (world->location_of[k] >> 32 == 2) wal_world_hurt(world, k, k);
    assert_status(host_remove(world->host, WAL_WORLD_DIR "/wal/0000000000000002.seg", &err), STEME_OK, &err, name);
    assert_status(host_sync_dir(world->host, WAL_WORLD_DIR "/wal", &err), STEME_OK, &err, name);
    wal_world_flip(world, 1, 60);
    wal_world_flip(world, 3, 60);
    wal_world_flip(world, last, 60);
}

/* Appends until the script ends, holding the log to its promises about failures. */
static void append_script(struct wal_world *world, const char *name)
{
    bool sealed = false;
    for (size_t i = 0; i < countof(script); i++) {
        struct steme_error err;
        steme_status status = wal_world_append(world, script[i].count, script[i].bundle, &err);
        if (sealed)
            assert_status(status, STEME_SEALED, &err, name);
        else if (status && status != STEME_NO_SPACE) {
            assert_status(status, STEME_IO, &err, name);
            sealed = true;
        }
    }
}

static const struct {
    const char *name;
    void (*prepare)(struct wal_world *world, const char *name);
} states[] = {
    { "clean", NULL },
    { "wrecked", wreck },
    { "ruined", ruin },
};

/* One run in which the nth call of a kind fails. Returns whether there was such a call. */
static bool fail_once(size_t call, size_t error, bool for_ever, uint64_t nth, size_t state, unsigned keep)
{
    static struct wal_world world;
    char name[120];
    struct steme_error err;
    snprintf(name, sizeof name, "%s %llu of a %s log fails with %s %s, keeping %u", calls[call].name,
             (unsigned long long)nth, states[state].name, errors[error].name, for_ever ? "for ever" : "once", keep);
    struct host *mem = host_mem_new(nth + keep);
    assert_non_null(mem);
    wal_world_create(&world, mem, name);
    if (states[state].prepare) states[state].prepare(&world, name);
    bool damaged = states[state].prepare != NULL;

    uint64_t before = host_mem_calls(mem, calls[call].call);
    host_mem_fail(mem, calls[call].call, nth, errors[error].os_errno, for_ever);
    steme_status opened = wal_world_open(&world, &err);
    if (!opened) append_script(&world, name);
    bool struck = host_mem_calls(mem, calls[call].call) - before >= nth;
    if (!opened) wal_world_close(&world);
    host_mem_fail(mem, HOST_MEM_ANY, 0, 0, false);

    /* At once, as after closing and opening; and after a power cut. */
    assert_status(wal_world_open(&world, &err), STEME_OK, &err, name);
    assert_row(world.report.degraded == damaged, name);
    wal_world_check(&world, name);
    wal_world_account(&world, name);
    assert_status(wal_world_append(&world, 2, true, &err), STEME_OK, &err, name);
    host_mem_power_cut(mem, keep);
    wal_world_close(&world);
    assert_status(wal_world_open(&world, &err), STEME_OK, &err, name);
    assert_row(world.report.degraded == damaged && world.report.missing_sequences == world.skipped, name);
    wal_world_check(&world, name);
    wal_world_account(&world, name);
    wal_world_close(&world);
    host_mem_free(mem);
    return struck;
}

static void fail_everywhere(size_t state)
{
    uint64_t runs = 0;
    for (size_t call = 0; call < countof(calls); call++) {
        for (size_t error = 0; error < countof(errors); error++) {
            for (int for_ever = 0; for_ever < 2; for_ever++) {
                uint64_t nth = 1;
                while (fail_once(call, error, for_ever, nth, state, nth % 2 ? 0 : 500))
                    nth++;
                runs += nth;
            }
        }
    }
    print_message("%llu runs\n", (unsigned long long)runs);
}

static void any_failing_call_in_use_loses_nothing_acknowledged(void **state)
{
    (void)state;
    fail_everywhere(0);
}

static void any_failing_call_in_repair_loses_nothing_acknowledged(void **state)
{
    (void)state;
    fail_everywhere(1);
    fail_everywhere(2);
}

static void a_full_disk_refuses_and_lets_on_when_there_is_room_again(void **state)
{
    (void)state;
    static struct wal_world world;
    struct steme_error err;
    struct host *mem = host_mem_new(1);
    wal_world_create(&world, mem, "full");
    assert_status(wal_world_open(&world, &err), STEME_OK, &err, "full");
    host_mem_fail(mem, HOST_MEM_ALLOCATE, 2, ENOSPC, true); /* the first is for the segment that is there */
    size_t refused = 0;
    for (int i = 0; i < 12; i++) {
        steme_status status = wal_world_append(&world, 20, false, &err);
        refused += status == STEME_NO_SPACE;
        assert_row(status == STEME_OK || status == STEME_NO_SPACE, err.message);
    }
    assert_true(refused > 2);
    host_mem_fail(mem, HOST_MEM_ANY, 0, 0, false);
    for (int i = 0; i < 5; i++)
        assert_status(wal_world_append(&world, 20, false, &err), STEME_OK, &err, "room again");
    wal_world_check(&world, "room again");
    host_mem_power_cut(mem, 0);
    wal_world_close(&world);
    assert_status(wal_world_open(&world, &err), STEME_OK, &err, "afterwards");
    wal_world_check(&world, "afterwards");
    wal_world_close(&world);
    host_mem_free(mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_disk_refuses_and_lets_on_when_there_is_room_again),
        cmocka_unit_test(any_failing_call_in_use_loses_nothing_acknowledged),
        cmocka_unit_test(any_failing_call_in_repair_loses_nothing_acknowledged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
