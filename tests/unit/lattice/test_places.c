/* SPDX-License-Identifier: Apache-2.0 */
#include "lattice/places.h"

#include "lib/testing.h"

static struct steme_error failure;

#define OK(call) assert_status((call), STEME_OK, &failure, #call)

static void an_empty_set_has_nothing(void **state)
{
    (void)state;
    const struct places places = { 0 };
    assert_false(places_have(&places, 0));
    assert_false(places_have(&places, 64));
}

static void each_is_there_once_in_the_order_they_came(void **state)
{
    (void)state;
    enum { MANY = 5000 };
    struct arena arena;
    struct places places = { 0 };
    arena_init(&arena, 16 << 20);
    for (unsigned round = 0; round < 2; round++) {
        for (uint64_t i = 0; i < MANY; i++) {
            bool fresh = false;
            uint64_t location = (i * 7919 % MANY) * 64;
            assert_true(places_have(&places, location) == (round == 1));
            OK(places_add(&places, location, &arena, &fresh, &failure));
            assert_true(fresh == (round == 0));
            assert_true(places.items[i] == location);
        }
    }
    assert_int_equal(places.count, MANY);
    assert_false(places_have(&places, (uint64_t)MANY * 64));
    OK(places_add(&places, 0, &arena, NULL, &failure));
    assert_int_equal(places.count, MANY);
    arena_deinit(&arena);
}

static void a_full_arena_is_told_and_leaves_the_set(void **state)
{
    (void)state;
    struct arena arena;
    struct places places = { 0 };
    steme_status status = STEME_OK;
    uint64_t at = 0;
    arena_init(&arena, 1 << 14);
    while (status == STEME_OK)
        status = places_add(&places, 64 * at++, &arena, NULL, &failure);
    assert_int_equal(status, STEME_NO_MEMORY);
    assert_int_equal(places.count, at - 1);
    assert_true(places_have(&places, 0));
    assert_false(places_have(&places, 64 * (at - 1)));
    arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_set_has_nothing),
        cmocka_unit_test(each_is_there_once_in_the_order_they_came),
        cmocka_unit_test(a_full_arena_is_told_and_leaves_the_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
