/* SPDX-License-Identifier: Apache-2.0 */
#include "base/check.h"
#include "host/gate.h"
#include "host/host.h"
#include "lib/testing.h"

#include <pthread.h>

#define MILLISECOND UINT64_C(1000000)
#define LONG_ENOUGH (10000 * MILLISECOND)

static void a_mark_that_is_reached_needs_no_waiting(void **state)
{
    (void)state;
    struct gate gate;
    gate_init(&gate, 5);
    assert_int_equal(gate_mark(&gate), 5);
    assert_true(gate_wait(&gate, 5, UINT64_MAX));
    assert_true(gate_wait(&gate, 0, 0));
    gate_advance(&gate, 9);
    assert_true(gate_wait(&gate, 9, UINT64_MAX));
    assert_int_equal(gate_mark(&gate), 9);
}

static void a_mark_never_falls(void **state)
{
    (void)state;
    struct gate gate;
    gate_init(&gate, 5);
    gate_advance(&gate, 3);
    assert_int_equal(gate_mark(&gate), 5);
    gate_advance(&gate, UINT64_MAX);
    assert_true(gate_wait(&gate, UINT64_MAX, 0));
}

static void waiting_ends_with_the_time_allowed(void **state)
{
    (void)state;
    struct gate gate;
    gate_init(&gate, 0);
    assert_false(gate_wait(&gate, 1, 0));
    uint64_t start = host_monotonic_ns(host_posix());
    while (host_monotonic_ns(host_posix()) - start < 20 * MILLISECOND)
        assert_false(gate_wait(&gate, 1, 20 * MILLISECOND));
    assert_true(host_monotonic_ns(host_posix()) - start < LONG_ENOUGH);
}

static void a_kick_before_the_wait_is_not_slept_through(void **state)
{
    (void)state;
    struct gate gate;
    gate_init(&gate, 0);
    uint32_t turn = gate_turn(&gate);
    gate_kick(&gate);
    assert_false(gate_wait_turn(&gate, 1, turn, UINT64_MAX)); /* or the test hangs */
    turn = gate_turn(&gate);
    gate_advance(&gate, 1);
    assert_true(gate_wait_turn(&gate, 1, turn, UINT64_MAX));
    assert_false(gate_wait_turn(&gate, 2, turn, UINT64_MAX));
}

struct crew {
    struct gate there, back;
    _Atomic bool stop;
    uint64_t number; /* plain memory that the gate's order must publish */
};

static void *echo(void *argument)
{
    struct crew *crew = argument;
    for (uint64_t round = 1; round <= 5000; round++) {
        while (!gate_wait(&crew->there, round, UINT64_MAX))
            continue;
        crew->number += 1;
        gate_advance(&crew->back, round);
    }
    return NULL;
}

static void two_threads_hand_work_to_and_fro(void **state)
{
    (void)state;
    static struct crew crew;
    gate_init(&crew.there, 0);
    gate_init(&crew.back, 0);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, echo, &crew), 0);
    for (uint64_t round = 1; round <= 5000; round++) {
        gate_advance(&crew.there, round);
        while (!gate_wait(&crew.back, round, UINT64_MAX))
            continue;
        assert_int_equal(crew.number, round);
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(atomic_load(&crew.there.sleepers), 0);
}

static void *wait_far(void *argument)
{
    struct crew *crew = argument;
    for (;;) {
        uint32_t turn = gate_turn(&crew->there);
        if (atomic_load(&crew->stop)) break;
        if (gate_wait_turn(&crew->there, 1000, turn, UINT64_MAX)) break;
    }
    return NULL;
}

static void run_waiters(struct crew *crew, void (*release)(struct crew *))
{
    enum { THREADS = 8 };
    pthread_t threads[THREADS];
    gate_init(&crew->there, 0);
    atomic_store(&crew->stop, false);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, wait_far, crew), 0);
    release(crew);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static void advance_slowly(struct crew *crew)
{
    for (uint64_t mark = 1; mark <= 1000; mark++)
        gate_advance(&crew->there, mark);
}

static void stop_them(struct crew *crew)
{
    atomic_store(&crew->stop, true);
    gate_kick(&crew->there);
}

static void one_advance_wakes_all_who_wait(void **state)
{
    (void)state;
    static struct crew crew;
    for (int round = 0; round < 50; round++)
        run_waiters(&crew, advance_slowly);
}

static void one_kick_wakes_all_who_wait(void **state)
{
    (void)state;
    static struct crew crew;
    for (int round = 0; round < 50; round++)
        run_waiters(&crew, stop_them);
}

static void *advance_many(void *argument)
{
    struct crew *crew = argument;
    for (uint64_t mark = 1; mark <= 20000; mark++)
        gate_advance(&crew->there, mark);
    return NULL;
}

static void several_may_advance_at_once(void **state)
{
    (void)state;
    static struct crew crew;
    gate_init(&crew.there, 0);
    pthread_t threads[4];
    for (size_t i = 0; i < countof(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, advance_many, &crew), 0);
    uint64_t seen = 0;
    while (!gate_wait(&crew.there, 20000, MILLISECOND)) {
        uint64_t mark = gate_mark(&crew.there);
        assert_true(mark >= seen);
        seen = mark;
    }
    for (size_t i = 0; i < countof(threads); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(gate_mark(&crew.there), 20000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mark_that_is_reached_needs_no_waiting),
        cmocka_unit_test(a_mark_never_falls),
        cmocka_unit_test(waiting_ends_with_the_time_allowed),
        cmocka_unit_test(a_kick_before_the_wait_is_not_slept_through),
        cmocka_unit_test(two_threads_hand_work_to_and_fro),
        cmocka_unit_test(one_advance_wakes_all_who_wait),
        cmocka_unit_test(one_kick_wakes_all_who_wait),
        cmocka_unit_test(several_may_advance_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
