/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"
#include "base/check.h"
#include "base/slice.h"
#include "lib/testing.h"

#include <string.h>

static void allocations_are_aligned_and_apart(void **state)
{
    (void)state;
    enum { COUNT = 1000 };
    struct arena arena;
    arena_init(&arena, SIZE_MAX);
    struct prng prng = { 1 };
    uint8_t *at[COUNT];
    size_t sizes[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        sizes[i] = (size_t)prng_below(&prng, i % 50 == 0 ? 100000 : 200);
        at[i] = arena_alloc(&arena, sizes[i]);
        assert_non_null(at[i]);
        assert_int_equal((uintptr_t)at[i] % 16, 0);
        memset(at[i], (int)(i % 251), sizes[i]);
    }
    for (size_t i = 0; i < COUNT; i++)
        for (size_t k = 0; k < sizes[i]; k++)
            assert_int_equal(at[i][k], i % 251);
    arena_deinit(&arena);
}

static void nothing_has_an_address_of_its_own(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 64);
    void *a = arena_alloc(&arena, 0), *b = arena_alloc(&arena, 0);
    assert_non_null(a);
    assert_non_null(b);
    assert_ptr_not_equal(a, b);
    arena_deinit(&arena);
}

static void the_ceiling_holds(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 1024);
    assert_null(arena_alloc(&arena, 1025));
    assert_null(arena_alloc(&arena, SIZE_MAX));
    assert_non_null(arena_alloc(&arena, 1000)); /* 1008 with alignment */
    assert_null(arena_alloc(&arena, 17));
    assert_non_null(arena_alloc(&arena, 16));
    assert_null(arena_alloc(&arena, 0));
    struct steme_slice copy = arena_copy(&arena, slice_text("x"));
    assert_null(copy.data);
    struct steme_error err;
    assert_status(arena_full(&arena, &err), STEME_NO_MEMORY, NULL, "full");
    assert_non_null(strstr(err.message, "1024"));
    arena_deinit(&arena);
}

static void memory_that_does_not_exist_is_refused(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, SIZE_MAX);
    assert_null(arena_alloc(&arena, SIZE_MAX));
    assert_null(arena_alloc(&arena, SIZE_MAX - 8));
    assert_null(arena_calloc(&arena, SIZE_MAX / 2, 3));
    assert_null(arena_copy(&arena, (struct steme_slice){ (const uint8_t *)"", SIZE_MAX }).data);
    assert_int_equal(arena.used_bytes, 0);
    arena_deinit(&arena);
}

static void calloc_zeroes_what_was_used_before(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 65536);
    struct arena_mark mark = arena_mark(&arena);
    memset(arena_alloc(&arena, 4000), 0xAA, 4000);
    arena_rewind(&arena, mark);
    const uint8_t *at = arena_calloc(&arena, 100, 40);
    for (size_t i = 0; i < 4000; i++)
        assert_int_equal(at[i], 0);
    arena_deinit(&arena);
}

static void a_copy_ends_in_a_nul_that_does_not_count(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 4096);
    struct steme_slice copy = arena_copy(&arena, slice_of("abcdef", 3));
    assert_int_equal(copy.size, 3);
    assert_string_equal((const char *)copy.data, "abc");
    copy = arena_copy(&arena, slice_of(NULL, 0));
    assert_int_equal(copy.size, 0);
    assert_string_equal((const char *)copy.data, "");
    arena_deinit(&arena);
}

static void a_rewind_gives_back_what_came_later_only(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    char *kept = arena_alloc(&arena, 100);
    memcpy(kept, "kept", sizeof "kept");
    struct arena_mark outer = arena_mark(&arena);
    for (int round = 0; round < 50; round++) {
        char *inner_kept = arena_alloc(&arena, 3000);
        memcpy(inner_kept, "inner", sizeof "inner");
        struct arena_mark inner = arena_mark(&arena);
        for (int i = 0; i < 100; i++)
            assert_non_null(arena_alloc(&arena, (size_t)(i * 70)));
        arena_rewind(&arena, inner);
        assert_string_equal(inner_kept, "inner");
        arena_rewind(&arena, outer);
        assert_int_equal(arena.used_bytes, outer.used_bytes);
        assert_string_equal(kept, "kept");
    }
    arena_deinit(&arena);
}

static void a_round_that_repeats_allocates_no_new_block(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct arena_mark mark = arena_mark(&arena);
    struct arena_block *settled = NULL;
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 10; i++)
            assert_non_null(arena_alloc(&arena, 1000));
        if (round == 10) settled = arena.block;
        if (round > 10) assert_ptr_equal(arena.block, settled);
        arena_rewind(&arena, mark);
    }
    arena_deinit(&arena);
}

/* A mark that named the spare block on top would leave it behind, and so a block for every round. */
static void rounds_of_many_pieces_settle_in_one_block(void **state)
{
    (void)state;
    static const size_t ceilings[] = { 16 << 20, SIZE_MAX };
    for (size_t k = 0; k < countof(ceilings); k++) {
        struct arena arena;
        struct arena_block *settled = NULL;
        arena_init(&arena, ceilings[k]);
        memset(arena_alloc(&arena, 10), 'k', 10);
        for (size_t round = 0; round < 20; round++) {
            struct arena_mark mark = arena_mark(&arena);
            for (size_t i = 0; i < 10; i++)
                assert_non_null(arena_alloc(&arena, 300000 + 10 * i));
            if (round == 2) settled = arena.block;
            if (round > 2) assert_ptr_equal(arena.block, settled);
            arena_rewind(&arena, mark);
        }
        arena_deinit(&arena);
    }
}

/* Each round a little larger than the last: what it does not need any more is given back, too. */
static void growing_rounds_leave_nothing_behind(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, SIZE_MAX);
    for (size_t round = 1; round < 100; round++) {
        struct arena_mark mark = arena_mark(&arena);
        assert_null(mark.block);
        assert_non_null(arena_alloc(&arena, round * 50000));
        assert_non_null(arena_alloc(&arena, 50000));
        arena_rewind(&arena, mark);
    }
    arena_deinit(&arena);
}

static void a_list_grows_and_keeps_what_it_has(void **state)
{
    (void)state;
    struct arena arena;
    void *list = NULL;
    size_t count = 0, capacity = 0;
    arena_init(&arena, 1 << 16);
    for (; arena_grow(&arena, &list, count, 1 + count % 3, &capacity, sizeof(uint32_t)); count++)
        ((uint32_t *)list)[count] = (uint32_t)count;
    assert_true(count > 1000 && capacity >= count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(((uint32_t *)list)[i], i);
    assert_false(arena_grow(&arena, &list, count, SIZE_MAX / 2, &capacity, sizeof(uint32_t)));
    assert_int_equal(((uint32_t *)list)[count - 1], count - 1);
    arena_deinit(&arena);
}

static void deinit_is_safe_on_zeroes_and_twice(void **state)
{
    (void)state;
    struct arena arena = { 0 };
    arena_deinit(&arena);
    arena_init(&arena, 100);
    assert_non_null(arena_alloc(&arena, 1));
    arena_deinit(&arena);
    arena_deinit(&arena);
    assert_null(arena_alloc(&arena, 1)); /* its ceiling is 0 now */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allocations_are_aligned_and_apart),
        cmocka_unit_test(nothing_has_an_address_of_its_own),
        cmocka_unit_test(the_ceiling_holds),
        cmocka_unit_test(memory_that_does_not_exist_is_refused),
        cmocka_unit_test(calloc_zeroes_what_was_used_before),
        cmocka_unit_test(a_copy_ends_in_a_nul_that_does_not_count),
        cmocka_unit_test(a_rewind_gives_back_what_came_later_only),
        cmocka_unit_test(a_round_that_repeats_allocates_no_new_block),
        cmocka_unit_test(rounds_of_many_pieces_settle_in_one_block),
        cmocka_unit_test(growing_rounds_leave_nothing_behind),
        cmocka_unit_test(a_list_grows_and_keeps_what_it_has),
        cmocka_unit_test(deinit_is_safe_on_zeroes_and_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
