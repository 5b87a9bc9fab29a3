/* SPDX-License-Identifier: Apache-2.0 */
#include "base/codec.h"
#include "base/id16_index.h"
#include "lib/testing.h"

#include <string.h>

enum { IDS = 5000 };

static void make_id(uint8_t id[16], uint64_t number)
{
    struct prng prng = { number };
    uint64_t first = prng_u64(&prng), second = prng_u64(&prng);
    memcpy(id, &first, 8);
    memcpy(id + 8, &second, 8);
}

static void numbers_follow_the_order_of_first_sight(void **state)
{
    (void)state;
    struct arena arena;
    struct id16_index index;
    arena_init(&arena, 16 << 20);
    id16_index_init(&index, &arena);
    for (uint32_t round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < IDS; i++) {
            uint8_t id[16];
            uint32_t number = 0;
            make_id(id, i);
            if (round == 0) assert_int_equal(id16_index_find(&index, id), ID16_NONE);
            assert_int_equal(id16_index_add(&index, id, &number, NULL), STEME_OK);
            assert_int_equal(number, i);
            assert_int_equal(id16_index_find(&index, id), i);
            assert_memory_equal(index.ids[i], id, 16);
        }
        assert_int_equal(index.count, IDS);
    }
    arena_deinit(&arena);
}

/* All would lie in one place: they must still be told apart. */
static void ids_that_look_alike_are_told_apart(void **state)
{
    (void)state;
    struct arena arena;
    struct id16_index index;
    arena_init(&arena, 1 << 20);
    id16_index_init(&index, &arena);
    for (uint32_t i = 0; i < 200; i++) {
        uint8_t id[16] = { (uint8_t)i };
        uint32_t number = 0;
        assert_int_equal(id16_index_add(&index, id, &number, NULL), STEME_OK);
        assert_int_equal(number, i);
    }
    uint8_t last[16] = { 199 }, none[16] = { 200 };
    assert_int_equal(id16_index_find(&index, last), 199);
    assert_int_equal(id16_index_find(&index, none), ID16_NONE);
    arena_deinit(&arena);
}

static void a_full_arena_is_told_and_nothing_is_lost(void **state)
{
    (void)state;
    struct arena arena;
    struct id16_index index;
    struct steme_error err;
    uint8_t id[16];
    uint32_t number = 0, count = 0;
    steme_status status = STEME_OK;
    arena_init(&arena, 8192);
    id16_index_init(&index, &arena);
    for (; !status; count += !status) {
        make_id(id, count);
        status = id16_index_add(&index, id, &number, &err);
    }
    assert_int_equal(status, STEME_NO_MEMORY);
    assert_true(count > 10);
    for (uint32_t i = 0; i < count; i++) {
        make_id(id, i);
        assert_int_equal(id16_index_find(&index, id), i);
    }
    arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_follow_the_order_of_first_sight),
        cmocka_unit_test(ids_that_look_alike_are_told_apart),
        cmocka_unit_test(a_full_arena_is_told_and_nothing_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
