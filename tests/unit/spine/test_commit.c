/* SPDX-License-Identifier: Apache-2.0 */
/* Group commit over a writer of our own, which remembers what it was given and fails when told. */
#define _GNU_SOURCE
#include "base/codec.h"
#include "base/slice.h"
#include "host/gate.h"
#include "host/host.h"
#include "lib/testing.h"
#include "spine/batch.h"
#include "spine/commit.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define RECORDS_MAX 200000u

/* Where groups go. The log is a list of the numbers that stand at the beginning of each record. */
struct writer {
    uint64_t written[RECORDS_MAX];
    uint64_t count, groups, calls;
    uint64_t pending; /* records written behind those that count, and not yet synced */
    uint32_t largest_group;
    pthread_t last_thread;
    uint64_t fail_call; /* this call fails, 0: none */
    bool fail_sync;     /* not in writing but in syncing */
    steme_status fail_with;
    struct gate *entered; /* told when a sync begins, if not NULL */
    struct gate *leave;   /* and waits for this to reach the call's number */
    _Atomic int inside;
};

static steme_status fail_if_told(const struct writer *writer, bool sync, struct steme_error *err)
{
    if (writer->fail_call != writer->calls || writer->fail_sync != sync) return STEME_OK;
    return error_set(err, writer->fail_with, "told to fail");
}

static steme_status write_records(void *context, uint8_t *bytes, uint32_t size, uint32_t count,
                                  struct commit_place *out, struct steme_error *err)
{
    struct writer *writer = context;
    assert_int_equal(atomic_fetch_add(&writer->inside, 1), 0); /* one at a time */
    assert_int_equal(writer->pending, 0);
    writer->calls++;
    writer->last_thread = pthread_self();
    uint32_t offset = BATCH_HEADER_BYTES;
    *out = (struct commit_place){ writer->calls << 32, writer->count + 1 };
    for (uint32_t i = 0; i < count; i++) {
        struct frame frame;
        assert_true(frame_parse(bytes + offset, size - offset, &frame));
        assert_int_equal(frame.batch_back, offset);
        writer->written[writer->count + i] = load_u64(frame_record(&frame).data);
        offset += frame_size(&frame);
    }
    assert_int_equal(offset, size);
    if (count > writer->largest_group) writer->largest_group = count;
    steme_status status = fail_if_told(writer, false, err);
    if (!status) writer->pending = count;
    atomic_fetch_sub(&writer->inside, 1);
    return status;
}

static steme_status sync_records(void *context, struct steme_error *err)
{
    struct writer *writer = context;
    assert_int_equal(atomic_fetch_add(&writer->inside, 1), 0);
    assert_true(writer->pending > 0 && pthread_equal(writer->last_thread, pthread_self()));
    if (writer->entered) gate_advance(writer->entered, writer->calls);
    if (writer->leave)
        while (!gate_wait(writer->leave, writer->calls, UINT64_MAX))
            continue;
    steme_status status = fail_if_told(writer, true, err);
    if (!status) {
        writer->count += writer->pending;
        writer->groups++;
    }
    writer->pending = 0;
    atomic_fetch_sub(&writer->inside, 1);
    return status;
}

static struct commit *new_commit(struct writer *writer, bool committer, uint32_t bytes_max, uint32_t records_max)
{
    struct commit *commit = NULL;
    struct steme_error err;
    struct commit_options options = { bytes_max, records_max, committer, write_records, sync_records, writer };
    assert_status(commit_new(&options, &commit, &err), STEME_OK, &err, "new");
    return commit;
}

static struct writer *new_writer(void)
{
    struct writer *writer = calloc(1, sizeof *writer);
    assert_non_null(writer);
    return writer;
}

static const struct steme_signature signature;

static steme_status append(struct commit *commit, uint64_t first, size_t count, struct wal_place *places,
                           struct steme_error *err)
{
    uint8_t memory[64][128] = { { 0 } };
    struct wal_record records[64];
    assert_true(count <= countof(records));
    for (size_t i = 0; i < count; i++) {
        store_u64(memory[i], first + i);
        records[i] = (struct wal_record){ slice_of(memory[i], i % 2 ? 128 : 64), { { 0 } }, i ? NULL : &signature };
    }
    return commit_append(commit, records, count, places, err);
}

static void one_caller_writes_for_itself_at_once(void **state)
{
    (void)state;
    for (int committer = 0; committer < 2; committer++) {
        struct writer *writer = new_writer();
        struct commit *commit = new_commit(writer, committer, 65536, 100);
        for (uint64_t i = 0; i < 10; i++) {
            struct wal_place places[3];
            struct steme_error err;
            assert_status(append(commit, 100 * i, 3, places, &err), STEME_OK, &err, "append");
            assert_true(pthread_equal(writer->last_thread, pthread_self()));
            assert_int_equal(writer->groups, i + 1);
            assert_int_equal(places[0].sequence, 3 * i + 1);
            assert_int_equal(places[2].sequence, 3 * i + 3);
            assert_int_equal(places[0].location, (i + 1) << 32 | 128);
            assert_int_equal(places[1].location, (i + 1) << 32 | (128 + 192));
            assert_int_equal(places[2].location, (i + 1) << 32 | (128 + 192 + 192));
        }
        commit_free(&commit);
        assert_null(commit);
        free(writer);
    }
}

static void what_can_never_fit_is_refused(void **state)
{
    (void)state;
    struct writer *writer = new_writer();
    struct commit *commit = new_commit(writer, false, 4096, 8);
    struct wal_place places[64];
    struct steme_error err;
    assert_status(append(commit, 0, 9, places, &err), STEME_TOO_LARGE, &err, "too many");
    static uint8_t memory[STEME_RECORD_MAX + 64];
    struct wal_record record = { slice_of(memory, 4096 - 128 - 64 + 64), { { 0 } }, NULL };
    assert_status(commit_append(commit, &record, 1, places, &err), STEME_TOO_LARGE, &err, "one block too long");
    record.bytes.size -= 64;
    assert_status(commit_append(commit, &record, 1, places, &err), STEME_OK, &err, "exactly full");
    record.bytes.size = sizeof memory;
    assert_status(commit_append(commit, &record, 1, places, &err), STEME_TOO_LARGE, &err, "over every limit");
    assert_int_equal(writer->groups, 1);
    commit_free(&commit);
    free(writer);
}

static void a_full_disk_refuses_one_group_and_not_the_next(void **state)
{
    (void)state;
    struct writer *writer = new_writer();
    struct commit *commit = new_commit(writer, false, 4096, 8);
    struct wal_place places[2];
    struct steme_error err;
    writer->fail_call = 2;
    writer->fail_with = STEME_NO_SPACE;
    assert_status(append(commit, 1, 2, places, &err), STEME_OK, &err, "first");
    assert_status(append(commit, 3, 2, places, &err), STEME_NO_SPACE, &err, "second");
    assert_string_equal(err.message, "told to fail");
    assert_false(commit_sealed(commit));
    assert_status(append(commit, 5, 2, places, NULL), STEME_OK, NULL, "third");
    assert_int_equal(places[0].sequence, 3);
    commit_free(&commit);
    free(writer);
}

static void a_failed_write_or_sync_seals(void **state)
{
    (void)state;
    static const steme_status failures[] = { STEME_IO, STEME_READ_ONLY, STEME_EXISTS };
    for (size_t i = 0; i < 2 * countof(failures); i++) {
        struct writer *writer = new_writer();
        struct commit *commit = new_commit(writer, false, 4096, 8);
        struct wal_place places[2];
        struct steme_error err;
        writer->fail_call = 1;
        writer->fail_sync = i >= countof(failures);
        writer->fail_with = failures[i % countof(failures)];
        assert_status(append(commit, 1, 2, places, &err), writer->fail_with, &err, "fails");
        assert_true(commit_sealed(commit));
        assert_status(append(commit, 3, 2, places, &err), STEME_SEALED, &err, "sealed");
        assert_non_null(strstr(err.message, "told to fail"));
        assert_status(append(commit, 3, 2, places, NULL), STEME_SEALED, NULL, "sealed");
        assert_int_equal(writer->calls, 1); /* never again */
        commit_free(&commit);
        free(writer);
    }
}

/* ---- many callers ---- */

struct crowd {
    struct commit *commit;
    struct writer *writer;
    size_t threads, rounds, largest;
    _Atomic uint64_t ok, refused, sealed, other;
    bool wrong;
};

struct member {
    struct crowd *crowd;
    size_t index;
    pthread_t thread;
    struct wal_place (*places)[64]; /* of each round, by index of record */
};

static size_t size_of_round(const struct crowd *crowd, size_t member, size_t round)
{
    return 1 + (member * 7 + round * 3) % crowd->largest;
}

/* Numbers say who wrote what: member << 40 | round << 8 | index. */
static uint64_t first_of_round(size_t member, size_t round) { return (uint64_t)member << 40 | (uint64_t)round << 8; }

static void *run_member(void *context)
{
    struct member *member = context;
    struct crowd *crowd = member->crowd;
    for (size_t round = 0; round < crowd->rounds; round++) {
        size_t count = size_of_round(crowd, member->index, round);
        switch ((int)append(crowd->commit, first_of_round(member->index, round), count, member->places[round], NULL)) {
        case STEME_OK: atomic_fetch_add(&crowd->ok, count); break;
        case STEME_NO_SPACE:
            atomic_fetch_add(&crowd->refused, count);
            memset(member->places[round], 0, sizeof member->places[round]);
            break;
        case STEME_SEALED: atomic_fetch_add(&crowd->sealed, count); break;
        default: atomic_fetch_add(&crowd->other, count); break;
        }
    }
    return NULL;
}

static struct member *run_crowd(struct crowd *crowd)
{
    struct member *members = calloc(crowd->threads, sizeof *members);
    assert_non_null(members);
    for (size_t i = 0; i < crowd->threads; i++) {
        members[i] = (struct member){ .crowd = crowd,
                                      .index = i,
                                      .places = calloc(crowd->rounds, sizeof *members[i].places) };
        assert_non_null(members[i].places);
        assert_int_equal(pthread_create(&members[i].thread, NULL, run_member, &members[i]), 0);
    }
    for (size_t i = 0; i < crowd->threads; i++)
        assert_int_equal(pthread_join(members[i].thread, NULL), 0);
    return members;
}

static void free_crowd(struct crowd *crowd, struct member *members)
{
    for (size_t i = 0; i < crowd->threads; i++)
        free(members[i].places);
    free(members);
    commit_free(&crowd->commit);
    free(crowd->writer);
}

/* Every record that was acknowledged stands where its place says, in one piece with its companions. */
static void check_places(const struct crowd *crowd, const struct member *members, const char *name)
{
    for (size_t i = 0; i < crowd->threads; i++) {
        uint64_t last = 0;
        for (size_t round = 0; round < crowd->rounds; round++) {
            for (size_t k = 0; k < size_of_round(crowd, i, round); k++) {
                uint64_t sequence = members[i].places[round][k].sequence;
                if (sequence == 0) continue;
                assert_row(sequence > last && sequence <= crowd->writer->count, name);
                assert_row(crowd->writer->written[sequence - 1] == first_of_round(i, round) + k, name);
                last = sequence;
            }
        }
    }
}

static void many_callers_share_groups_and_each_finds_its_own(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t threads, rounds, largest;
        bool committer;
        uint32_t bytes_max, records_max;
    } rows[] = {
        { "sixteen, with a committer", 16, 200, 5, true, 1 << 20, 8192 },
        { "sixteen, taking turns", 16, 200, 5, false, 1 << 20, 8192 },
        { "two", 2, 400, 3, true, 1 << 20, 8192 },
        { "two, taking turns", 2, 400, 3, false, 1 << 20, 8192 },
        { "more than fit in a group by bytes", 16, 100, 20, true, 4096, 8192 },
        { "more than fit in a group by count", 16, 100, 20, true, 1 << 20, 20 },
        { "more than fit, taking turns", 16, 100, 20, false, 4096, 20 },
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct crowd crowd = {
            .writer = new_writer(), .threads = rows[i].threads, .rounds = rows[i].rounds, .largest = rows[i].largest
        };
        crowd.commit = new_commit(crowd.writer, rows[i].committer, rows[i].bytes_max, rows[i].records_max);
        struct member *members = run_crowd(&crowd);
        assert_row(crowd.refused + crowd.sealed + crowd.other == 0 && crowd.ok == crowd.writer->count, rows[i].name);
        assert_row(crowd.writer->largest_group <= rows[i].records_max, rows[i].name);
        check_places(&crowd, members, rows[i].name);
        free_crowd(&crowd, members);
    }
}

static void a_crowd_survives_a_full_disk_and_hears_of_a_failed_write(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        steme_status status;
        bool committer, sync;
    } rows[] = {
        { "full, with a committer", STEME_NO_SPACE, true, false },
        { "full, taking turns", STEME_NO_SPACE, false, false },
        { "failed, with a committer", STEME_IO, true, false },
        { "failed, taking turns", STEME_IO, false, false },
        { "a sync failed, with a committer", STEME_IO, true, true },
        { "a sync failed, taking turns", STEME_IO, false, true },
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct crowd crowd = { .writer = new_writer(), .threads = 16, .rounds = 100, .largest = 4 };
        crowd.commit = new_commit(crowd.writer, rows[i].committer, 1 << 20, 8192);
        crowd.writer->fail_call = 20;
        crowd.writer->fail_sync = rows[i].sync;
        crowd.writer->fail_with = rows[i].status;
        struct member *members = run_crowd(&crowd);
        check_places(&crowd, members, rows[i].name);
        assert_row(crowd.ok == crowd.writer->count, rows[i].name);
        if (rows[i].status == STEME_NO_SPACE)
            assert_row(crowd.refused > 0 && crowd.sealed + crowd.other == 0, rows[i].name);
        else
            assert_row(crowd.other > 0 && crowd.sealed > 0 && crowd.refused == 0 && crowd.writer->calls == 20,
                       rows[i].name);
        free_crowd(&crowd, members);
    }
}

/* ---- what happens while a write lasts ---- */

struct late {
    struct commit *commit;
    size_t count;
    steme_status status;
    struct wal_place places[64];
    pthread_t thread;
};

static void *run_late(void *context)
{
    struct late *late = context;
    late->status = append(late->commit, 1000, late->count, late->places, NULL);
    return NULL;
}

static void start(struct late *late, struct commit *commit, size_t count)
{
    *late = (struct late){ .commit = commit, .count = count };
    assert_int_equal(pthread_create(&late->thread, NULL, run_late, late), 0);
}

static void what_comes_in_during_a_write_is_the_next_group(void **state)
{
    (void)state;
    for (int committer = 0; committer < 2; committer++) {
        struct writer *writer = new_writer();
        struct gate entered, leave;
        gate_init(&entered, 0);
        gate_init(&leave, 0);
        writer->entered = &entered;
        writer->leave = &leave;
        struct commit *commit = new_commit(writer, committer, 1 << 20, 8192);
        struct late late[9];
        start(&late[0], commit, 1);
        while (!gate_wait(&entered, 1, UINT64_MAX))
            continue;
        for (size_t i = 1; i < countof(late); i++)
            start(&late[i], commit, 2);
        /* for them to come in; if one is late, there is a third group */
        struct timespec pause = { .tv_nsec = 20000000 };
        nanosleep(&pause, NULL);
        gate_advance(&leave, UINT64_MAX);
        for (size_t i = 0; i < countof(late); i++) {
            assert_int_equal(pthread_join(late[i].thread, NULL), 0);
            assert_int_equal(late[i].status, STEME_OK);
        }
        assert_int_equal(writer->count, 17);
        assert_in_range(writer->groups, 2, 9);
        commit_free(&commit);
        free(writer);
    }
}

/* Who came in while the write lasted that then failed was not refused at the door; but writing for him now would be
 * to go on after a failed sync. */
static void who_came_in_before_the_seal_is_not_written_after_it(void **state)
{
    (void)state;
    for (int committer = 0; committer < 2; committer++) {
        struct writer *writer = new_writer();
        struct gate entered, leave;
        gate_init(&entered, 0);
        gate_init(&leave, 0);
        writer->entered = &entered;
        writer->leave = &leave;
        writer->fail_call = 1;
        writer->fail_sync = true;
        writer->fail_with = STEME_IO;
        struct commit *commit = new_commit(writer, committer, 1 << 20, 8192);
        struct late first, late[4];
        start(&first, commit, 1);
        while (!gate_wait(&entered, 1, UINT64_MAX))
            continue;
        for (size_t i = 0; i < countof(late); i++)
            start(&late[i], commit, 2);
        struct timespec pause = { .tv_nsec = 20000000 }; /* for them to come in; who is late is refused at the door */
        nanosleep(&pause, NULL);
        gate_advance(&leave, UINT64_MAX);
        assert_int_equal(pthread_join(first.thread, NULL), 0);
        assert_int_equal(first.status, STEME_IO);
        for (size_t i = 0; i < countof(late); i++) {
            assert_int_equal(pthread_join(late[i].thread, NULL), 0);
            assert_int_equal(late[i].status, STEME_SEALED);
        }
        assert_int_equal(writer->calls, 1);
        assert_true(commit_sealed(commit));
        commit_free(&commit);
        free(writer);
    }
}

static void a_caller_for_whom_there_is_no_room_waits_and_is_not_overtaken(void **state)
{
    (void)state;
    struct writer *writer = new_writer();
    struct gate entered, leave;
    gate_init(&entered, 0);
    gate_init(&leave, 0);
    writer->entered = &entered;
    writer->leave = &leave;
    struct commit *commit = new_commit(writer, true, 1 << 20, 64);
    struct late first, filler, large, small;
    struct timespec pause = { .tv_nsec = 20000000 };
    start(&first, commit, 1);
    while (!gate_wait(&entered, 1, UINT64_MAX))
        continue;
    start(&filler, commit, 40);
    nanosleep(&pause, NULL);
    start(&large, commit, 64); /* no room beside the filler */
    nanosleep(&pause, NULL);
    start(&small, commit, 1); /* there would be, but for the one in front */
    nanosleep(&pause, NULL);
    gate_advance(&leave, UINT64_MAX);
    struct late *all[] = { &first, &filler, &large, &small };
    for (size_t i = 0; i < countof(all); i++) {
        assert_int_equal(pthread_join(all[i]->thread, NULL), 0);
        assert_int_equal(all[i]->status, STEME_OK);
    }
    assert_int_equal(writer->count, 106);
    assert_true(large.places[0].sequence < small.places[0].sequence);
    commit_free(&commit);
    free(writer);
}

static const struct {
    const char *name;
    uint32_t bytes_max, records_max;
    size_t sizes[3]; /* of three callers who come while a write lasts; no two of them fit together */
} crowds[] = {
    { "by count", 1 << 20, 64, { 40, 30, 64 } },
    { "by bytes", 128 + 40 * 160, 8192, { 30, 20, 25 } },
};

static void a_group_never_outgrows_its_bounds(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * countof(crowds); i++) {
        bool committer = i % 2;
        size_t row = i / 2;
        struct writer *writer = new_writer();
        struct gate entered, leave;
        gate_init(&entered, 0);
        gate_init(&leave, 0);
        writer->entered = &entered;
        writer->leave = &leave;
        struct commit *commit = new_commit(writer, committer, crowds[row].bytes_max, crowds[row].records_max);
        struct late first, late[countof(crowds[0].sizes)];
        struct timespec pause = { .tv_nsec = 20000000 }; /* for them to come in; who is late finds more room */
        start(&first, commit, 1);
        while (!gate_wait(&entered, 1, UINT64_MAX))
            continue;
        for (size_t k = 0; k < countof(late); k++)
            start(&late[k], commit, crowds[row].sizes[k]);
        nanosleep(&pause, NULL);
        gate_advance(&leave, UINT64_MAX);
        assert_int_equal(pthread_join(first.thread, NULL), 0);
        for (size_t k = 0; k < countof(late); k++) {
            assert_int_equal(pthread_join(late[k].thread, NULL), 0);
            assert_row(late[k].status == STEME_OK, crowds[row].name);
        }
        assert_row(writer->groups == 1 + countof(late), crowds[row].name);
        commit_free(&commit);
        free(writer);
    }
}

static void freeing_nothing_is_fine(void **state)
{
    (void)state;
    struct commit *commit = NULL;
    commit_free(&commit);
    assert_null(commit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_caller_writes_for_itself_at_once),
        cmocka_unit_test(what_can_never_fit_is_refused),
        cmocka_unit_test(a_full_disk_refuses_one_group_and_not_the_next),
        cmocka_unit_test(a_failed_write_or_sync_seals),
        cmocka_unit_test(many_callers_share_groups_and_each_finds_its_own),
        cmocka_unit_test(a_crowd_survives_a_full_disk_and_hears_of_a_failed_write),
        cmocka_unit_test(what_comes_in_during_a_write_is_the_next_group),
        cmocka_unit_test(who_came_in_before_the_seal_is_not_written_after_it),
        cmocka_unit_test(a_caller_for_whom_there_is_no_room_waits_and_is_not_overtaken),
        cmocka_unit_test(a_group_never_outgrows_its_bounds),
        cmocka_unit_test(freeing_nothing_is_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
