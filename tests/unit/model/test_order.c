/* SPDX-License-Identifier: Apache-2.0 */
#include "base/check.h"
#include "lib/testing.h"
#include "model/order.h"

#include <string.h>

struct numbers {
    const int *at;
    size_t *comparisons;
};

static int compare_numbers(const void *list, size_t a, size_t b)
{
    const struct numbers *numbers = list;
    ++*numbers->comparisons;
    return (numbers->at[a] > numbers->at[b]) - (numbers->at[a] < numbers->at[b]);
}

static const struct {
    const char *name;
    int numbers[8];
    size_t count;
    uint16_t order[8];
    size_t twins[2];
} lists[] = {
    { "nothing", { 0 }, 0, { 0 }, { 0, 0 } },
    { "one", { 7 }, 1, { 0 }, { 0, 0 } },
    { "two in order", { 1, 2 }, 2, { 0, 1 }, { 0, 0 } },
    { "two out of order", { 2, 1 }, 2, { 1, 0 }, { 0, 0 } },
    { "descending", { 5, 4, 3, 2, 1 }, 5, { 4, 3, 2, 1, 0 }, { 0, 0 } },
    { "mixed", { 3, 1, 4, 0, 5, 9, 2, 6 }, 8, { 3, 1, 6, 0, 2, 4, 7, 5 }, { 0, 0 } },
    { "twins", { 1, 5, 5 }, 3, { 0, 1, 2 }, { 1, 2 } },
};

static void items_are_put_in_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(lists); i++) {
        size_t comparisons = 0;
        struct numbers numbers = { lists[i].numbers, &comparisons };
        uint16_t order[8];
        order_items(order, lists[i].count, compare_numbers, &numbers);
        assert_row(memcmp(order, lists[i].order, lists[i].count * sizeof order[0]) == 0, lists[i].name);
        size_t first = 0, second = 0;
        bool twins = order_twins(order, lists[i].count, compare_numbers, &numbers, &first, &second);
        assert_row(twins == (lists[i].twins[1] != 0), lists[i].name);
        assert_row(first == lists[i].twins[0] && second == lists[i].twins[1], lists[i].name);
    }
}

static void twins_are_found_wherever_they_stand(void **state)
{
    (void)state;
    enum { COUNT = 100 };
    struct prng prng = { 7 };
    for (size_t round = 0; round < 1000; round++) {
        int numbers[COUNT];
        for (size_t i = 0; i < COUNT; i++)
            numbers[i] = (int)i;
        for (size_t i = COUNT - 1; i > 0; i--) {
            size_t other = (size_t)prng_below(&prng, i + 1);
            int swap = numbers[i];
            numbers[i] = numbers[other];
            numbers[other] = swap;
        }
        size_t one = (size_t)prng_below(&prng, COUNT), two = (size_t)prng_below(&prng, COUNT), comparisons = 0;
        numbers[one] = numbers[two];
        uint16_t order[COUNT];
        struct numbers list = { numbers, &comparisons };
        order_items(order, COUNT, compare_numbers, &list);
        for (size_t i = 1; i < COUNT; i++)
            assert_true(numbers[order[i - 1]] <= numbers[order[i]]);
        size_t first = 0, second = 0;
        assert_int_equal(order_twins(order, COUNT, compare_numbers, &list, &first, &second), one != two);
        if (one == two) continue;
        assert_int_equal(first, one < two ? one : two);
        assert_int_equal(second, one < two ? two : one);
    }
}

static void no_input_makes_it_slow(void **state)
{
    (void)state;
    enum { COUNT = 4096, LOG_COUNT = 12 };
    static int numbers[COUNT];
    static uint16_t order[COUNT];
    static const char *const shapes[] = { "ascending", "descending", "organ pipe", "saw", "equal" };
    for (size_t shape = 0; shape < countof(shapes); shape++) {
        for (int i = 0; i < COUNT; i++) {
            const int forms[] = { i, -i, i < COUNT / 2 ? i : COUNT - i, i % 64, 0 };
            numbers[i] = forms[shape];
        }
        size_t comparisons = 0;
        struct numbers list = { numbers, &comparisons };
        order_items(order, COUNT, compare_numbers, &list);
        assert_row(comparisons <= 2 * COUNT * LOG_COUNT, shapes[shape]);
        for (size_t i = 1; i < COUNT; i++)
            assert_row(numbers[order[i - 1]] <= numbers[order[i]], shapes[shape]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_are_put_in_order),
        cmocka_unit_test(twins_are_found_wherever_they_stand),
        cmocka_unit_test(no_input_makes_it_slow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
