/* SPDX-License-Identifier: Apache-2.0 */
#include "base/check.h"
#include "base/prng.h"
#include "lib/testing.h"

#include <string.h>

static void the_published_sequence_comes_out(void **state)
{
    (void)state;
    static const uint64_t want[] = { 6457827717110365317u, 3203168211198807973u, 9817491932198370423u,
                                     4593380528125082431u, 16408922859458223821u };
    struct prng prng = { 1234567 };
    for (size_t i = 0; i < countof(want); i++)
        assert_true(prng_u64(&prng) == want[i]);
}

static void a_bound_is_kept_and_filled_evenly(void **state)
{
    (void)state;
    struct prng prng = { 0 };
    size_t seen[7] = { 0 };
    for (int i = 0; i < 70000; i++)
        seen[prng_below(&prng, countof(seen))]++;
    for (size_t i = 0; i < countof(seen); i++)
        assert_in_range(seen[i], 9500, 10500);
    assert_int_equal(prng_below(&prng, 1), 0);
    for (int i = 0; i < 100; i++)
        assert_true(prng_below(&prng, UINT64_MAX) < UINT64_MAX);
}

static void a_chance_runs_from_never_to_always(void **state)
{
    (void)state;
    struct prng prng = { 1 };
    int hits = 0;
    for (int i = 0; i < 10000; i++) {
        assert_false(prng_chance(&prng, 0));
        assert_true(prng_chance(&prng, 1000));
        hits += prng_chance(&prng, 250);
    }
    assert_in_range(hits, 2200, 2800);
}

static void a_fork_is_repeatable_and_apart(void **state)
{
    (void)state;
    struct prng a = { 1 }, b = { 1 };
    struct prng a_fork = prng_fork(&a), b_fork = prng_fork(&b);
    assert_true(prng_u64(&a_fork) == prng_u64(&b_fork));
    assert_true(prng_u64(&a) == prng_u64(&b));
    assert_true(prng_u64(&a) != prng_u64(&a_fork));
}

static void a_fill_writes_exactly_its_bytes(void **state)
{
    (void)state;
    for (size_t size = 0; size <= 20; size++) {
        struct prng prng = { size };
        uint8_t bytes[24], zeros[24] = { 0 };
        memset(bytes, 0, sizeof bytes);
        prng_fill(&prng, bytes, size);
        assert_memory_equal(bytes + size, zeros, sizeof bytes - size);
        if (size >= 4) assert_memory_not_equal(bytes, zeros, size);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_sequence_comes_out),   cmocka_unit_test(a_bound_is_kept_and_filled_evenly),
        cmocka_unit_test(a_chance_runs_from_never_to_always), cmocka_unit_test(a_fork_is_repeatable_and_apart),
        cmocka_unit_test(a_fill_writes_exactly_its_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
