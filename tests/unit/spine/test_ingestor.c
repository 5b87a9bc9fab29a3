/* SPDX-License-Identifier: Apache-2.0 */
#include "spine/ingestor.h"

#include "base/check.h"
#include "base/codec.h"
#include "base/slice.h"
#include "lib/kv_fault.h"
#include "lib/logbook.h"
#include "lib/testing.h"

#include <stdlib.h>
#include <string.h>

static struct steme_error failure;

#define OK(call) assert_status((call), STEME_OK, &failure, #call)

/* A sink that writes one row for each record, sequence -> id, and a row for the mark. */
struct clerk {
    size_t calls, entries;
    size_t fail_at; /* this call answers `with`; 0: none does */
    steme_status with;
};

static steme_status put_number(struct kv_txn *txn, char tag, uint64_t number, struct steme_slice value,
                               struct steme_error *err)
{
    uint8_t key[9] = { (uint8_t)tag };
    store_u64be(key + 1, number);
    return kv_put(txn, slice_of(key, sizeof key), value, err);
}

static steme_status note_entries(void *context, struct kv_txn *txn, const struct wal_entry *entries, size_t count,
                                 const struct wal_mark *after, struct steme_error *err)
{
    struct clerk *clerk = context;
    steme_status status = STEME_OK;
    for (size_t i = 0; !status && i < count; i++)
        status = put_number(txn, 'r', entries[i].sequence, slice_of(&entries[i].id, sizeof entries[i].id), err);
    if (!status) status = put_number(txn, 'm', 0, slice_of(&after->location, sizeof after->location), err);
    clerk->entries += count;
    if (++clerk->calls == clerk->fail_at) return error_set(err, clerk->with, "this fault was asked for");
    return status;
}

struct desk {
    struct logbook log;
    struct pile pile;
    struct kv *kv;
    struct clerk clerk;
    struct ingestor in;
};

static int open_desk(void **state)
{
    struct desk *desk = calloc(1, sizeof *desk);
    struct prng prng = { 5 };
    struct kv *inner = NULL;
    if (!desk) return -1;
    logbook_init(&desk->log);
    pile_init(&desk->pile);
    pile_draw(&desk->pile, &prng, 60);
    OK(kv_mem_open(&inner, &failure));
    desk->kv = kv_fault_new(inner);
    assert_non_null(desk->kv);
    struct wal_mark begin = wal_begin(desk->log.wal);
    struct ingestor_sink sink = { &desk->clerk, note_entries };
    ingestor_init(&desk->in, desk->log.wal, desk->kv, sink, &begin);
    *state = desk;
    return 0;
}

static int close_desk(void **state)
{
    struct desk *desk = *state;
    ingestor_deinit(&desk->in);
    kv_close(&desk->kv);
    pile_deinit(&desk->pile);
    logbook_deinit(&desk->log);
    free(desk);
    return 0;
}

static size_t rows_in(struct kv *kv)
{
    struct kv_txn *txn = NULL;
    struct kv_cursor cursor = { 0 };
    struct kv_pair pair;
    struct steme_slice all = { 0 };
    size_t count = 0;
    OK(kv_begin(kv, KV_READ, &txn, &failure));
    for (steme_status status = kv_seek(txn, all, all, &cursor, &pair, &failure); !status;
         status = kv_next(&cursor, &pair, &failure))
        count++;
    kv_abort(&txn);
    return count;
}

/* Every record of the log has its row. */
static void assert_all_noted(struct desk *desk)
{
    struct kv_txn *txn = NULL;
    OK(kv_begin(desk->kv, KV_READ, &txn, &failure));
    for (size_t i = 0; i < desk->pile.record_count; i++) {
        uint8_t key[9] = { 'r' };
        struct steme_slice value;
        store_u64be(key + 1, i + 1);
        OK(kv_get(txn, slice_of(key, sizeof key), &value, &failure));
        assert_memory_equal(value.data, &desk->pile.ids[i], 32);
    }
    kv_abort(&txn);
    assert_int_equal(rows_in(desk->kv), desk->pile.record_count + 1);
}

static void an_empty_log_gives_nothing_to_do(void **state)
{
    struct desk *desk = *state;
    size_t count = 99;
    OK(ingestor_step(&desk->in, &count, &failure));
    assert_int_equal(count, 0);
    assert_int_equal(desk->clerk.calls, 0);
    assert_int_equal(rows_in(desk->kv), 0);
}

static void a_step_brings_every_record_that_is_durable(void **state)
{
    struct desk *desk = *state;
    size_t count = 0;
    logbook_write_all(&desk->log, &desk->pile);
    OK(ingestor_step(&desk->in, &count, &failure));
    assert_int_equal(count, desk->pile.record_count);
    assert_all_noted(desk);
    OK(ingestor_step(&desk->in, &count, &failure));
    assert_int_equal(count, 0);
    assert_int_equal(desk->clerk.calls, 1);
    assert_int_equal(desk->in.applied.next_sequence, desk->pile.record_count + 1);
}

static void steps_between_writes_bring_the_same(void **state)
{
    struct desk *desk = *state;
    for (size_t group = 0; group < desk->pile.group_count; group++) {
        size_t count = 0;
        logbook_write(&desk->log, &desk->pile, group, group + 1, NULL);
        OK(ingestor_step(&desk->in, &count, &failure));
        assert_int_equal(count, pile_group_size(&desk->pile, group));
        assert_int_equal(desk->in.applied.location, wal_durable(desk->log.wal).location);
    }
    assert_all_noted(desk);
}

/* A group is never split, so a step may go past its number by less than a group. */
static void a_step_is_bounded(void **state)
{
    struct desk *desk = *state;
    enum { MEMBERS = 3000, BUNDLES = 9 };
    static struct steme_assertion members[MEMBERS];
    struct pile many;
    size_t total = 0, steps = 0;
    pile_init(&many);
    for (unsigned b = 0; b < BUNDLES; b++) {
        for (int64_t i = 0; i < MEMBERS; i++) {
            members[i] = pile_claim("Pluto", "is a", "planet").as.assertion;
            members[i].asserted_at_us += i;
        }
        (void)pile_add_bundle(&many, b, members, MEMBERS);
    }
    ingestor_deinit(&desk->in);
    logbook_deinit(&desk->log);
    logbook_init_with(&desk->log, STEME_SEGMENT_BYTES);
    struct wal_mark begin = wal_begin(desk->log.wal);
    struct ingestor_sink sink = { &desk->clerk, note_entries };
    ingestor_init(&desk->in, desk->log.wal, desk->kv, sink, &begin);
    logbook_write_all(&desk->log, &many);
    for (;; steps++) {
        size_t count = 0;
        OK(ingestor_step(&desk->in, &count, &failure));
        if (count == 0) break;
        assert_true(count < INGESTOR_STEP_RECORDS + MEMBERS + 1);
        total += count;
    }
    assert_int_equal(total, many.record_count);
    assert_true(steps >= 3);
    pile_deinit(&many);
}

static const struct {
    const char *name;
    size_t fail_at;
    steme_status with, want;
    size_t calls;
} answers[] = {
    { "a sink that fails", 1, STEME_IO, STEME_IO, 1 },
    { "a sink that finds a lie", 1, STEME_CORRUPT, STEME_CORRUPT, 1 },
    { "a full store gets one more try", 1, STEME_NO_SPACE, STEME_OK, 2 },
};

static void a_sink_that_fails_leaves_nothing_and_is_asked_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(answers); i++) {
        void *own = NULL;
        size_t count = 99;
        assert_int_equal(open_desk(&own), 0);
        struct desk *desk = own;
        logbook_write_all(&desk->log, &desk->pile);
        desk->clerk.fail_at = answers[i].fail_at;
        desk->clerk.with = answers[i].with;
        assert_status(ingestor_step(&desk->in, &count, &failure), answers[i].want, &failure, answers[i].name);
        assert_row(desk->clerk.calls == answers[i].calls, answers[i].name);
        if (answers[i].want) {
            assert_row(count == 99, answers[i].name);
            assert_row(rows_in(desk->kv) == 0, answers[i].name);
            assert_row(desk->in.applied.next_sequence == 1, answers[i].name);
            OK(ingestor_step(&desk->in, &count, &failure));
        }
        assert_all_noted(desk);
        (void)close_desk(&own);
    }
}

static void a_store_that_fails_at_any_call_is_left_as_it_was(void **state)
{
    struct desk *desk = *state;
    logbook_write_all(&desk->log, &desk->pile);
    size_t count = 0;
    for (uint64_t nth = 1;; nth++) {
        kv_fault_fail(desk->kv, KV_FAULT_ANY, nth, STEME_IO, false);
        steme_status status = ingestor_step(&desk->in, &count, &failure);
        kv_fault_fail(desk->kv, KV_FAULT_ANY, 0, STEME_OK, false);
        if (!status) break;
        assert_int_equal(status, STEME_IO);
        assert_int_equal(rows_in(desk->kv), 0);
        assert_int_equal(desk->in.applied.next_sequence, 1);
    }
    assert_all_noted(desk);
}

static void a_store_that_stays_full_is_told(void **state)
{
    struct desk *desk = *state;
    size_t count = 0;
    logbook_write_all(&desk->log, &desk->pile);
    kv_fault_fail(desk->kv, KV_FAULT_PUT, 1, STEME_NO_SPACE, true);
    assert_int_equal(ingestor_step(&desk->in, &count, &failure), STEME_NO_SPACE);
    assert_int_equal(kv_fault_calls(desk->kv, KV_FAULT_BEGIN), 2);
    kv_fault_fail(desk->kv, KV_FAULT_ANY, 0, STEME_OK, false);
    OK(ingestor_step(&desk->in, &count, &failure));
    assert_all_noted(desk);
}

static void a_mark_of_another_log_is_a_mismatch(void **state)
{
    struct desk *desk = *state;
    size_t count = 0;
    logbook_write_all(&desk->log, &desk->pile);
    struct wal_mark durable = wal_durable(desk->log.wal), begin = wal_begin(desk->log.wal);
    struct wal_mark wrong[] = { durable, durable, durable, begin };
    wrong[0].batch.bytes[5] ^= 1;
    wrong[1].next_sequence++;
    wrong[2].location += 64;
    wrong[3].location += 64;
    for (size_t i = 0; i < countof(wrong); i++) {
        desk->in.applied = wrong[i];
        assert_int_equal(ingestor_step(&desk->in, &count, &failure), STEME_MISMATCH);
        assert_int_equal(rows_in(desk->kv), 0);
    }
}

static void damaged_frames_are_left_out_and_counted(void **state)
{
    struct desk *desk = *state;
    struct wal_place places[256];
    size_t count = 0;
    assert_true(desk->pile.record_count < countof(places));
    logbook_write(&desk->log, &desk->pile, 0, desk->pile.group_count, places);
    logbook_rot(&desk->log, places[3].location, 128 + 40);
    logbook_rot(&desk->log, places[20].location, 8);
    OK(ingestor_step(&desk->in, &count, &failure));
    assert_int_equal(count, desk->pile.record_count - 2);
    assert_int_equal(desk->in.skipped, 2);
    assert_int_equal(desk->in.applied.location, wal_durable(desk->log.wal).location);
}

static void a_segment_that_is_gone_does_not_stop_the_rest(void **state)
{
    struct desk *desk = *state;
    struct pile many;
    struct prng prng = { 9 };
    size_t count = 0, total = 0;
    pile_init(&many);
    pile_draw(&many, &prng, 400); /* some segments of 64 KiB */
    logbook_write_all(&desk->log, &many);
    wal_close(&desk->log.wal);
    OK(host_remove(desk->log.host, LOGBOOK_DIR "/wal/0000000000000002.seg", &failure));
    OK(wal_open(&desk->log.options, &desk->log.wal, NULL, &failure));
    desk->in.wal = desk->log.wal;
    do {
        OK(ingestor_step(&desk->in, &count, &failure));
        total += count;
    } while (count);
    assert_true(desk->in.skipped > 0);
    assert_int_equal(total + desk->in.skipped, many.record_count);
    pile_deinit(&many);
}

static void a_log_that_can_t_be_read_is_told(void **state)
{
    struct desk *desk = *state;
    size_t count = 0;
    logbook_write_all(&desk->log, &desk->pile);
    logbook_reopen(&desk->log);
    desk->in.wal = desk->log.wal;
    desk->in.applied = wal_begin(desk->log.wal);
    desk->in.arena.ceiling_bytes = 256;
    assert_int_equal(ingestor_step(&desk->in, &count, &failure), STEME_NO_MEMORY);
    assert_int_equal(rows_in(desk->kv), 0);
}

int main(void)
{
#define CASE(function) cmocka_unit_test_setup_teardown(function, open_desk, close_desk)
    const struct CMUnitTest tests[] = {
        CASE(an_empty_log_gives_nothing_to_do),
        CASE(a_step_brings_every_record_that_is_durable),
        CASE(steps_between_writes_bring_the_same),
        CASE(a_step_is_bounded),
        cmocka_unit_test(a_sink_that_fails_leaves_nothing_and_is_asked_again),
        CASE(a_store_that_fails_at_any_call_is_left_as_it_was),
        CASE(a_store_that_stays_full_is_told),
        CASE(a_mark_of_another_log_is_a_mismatch),
        CASE(damaged_frames_are_left_out_and_counted),
        CASE(a_segment_that_is_gone_does_not_stop_the_rest),
        CASE(a_log_that_can_t_be_read_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
