/* SPDX-License-Identifier: Apache-2.0 */
#include "base/id16.h"

#include "lib/testing.h"

#include <string.h>

static int sign(int value) { return (value > 0) - (value < 0); }

/* Ids that differ in late bytes too, with repeats. */
static void make_ids(uint8_t (*ids)[16], size_t count, struct prng *prng)
{
    for (size_t i = 0; i < count; i++) {
        memset(ids[i], 0x7f, sizeof ids[i]);
        size_t at = (size_t)prng_below(prng, 16);
        ids[i][at] = (uint8_t)prng_below(prng, 256);
    }
}

static void the_order_is_that_of_the_bytes(void **state)
{
    (void)state;
    uint8_t ids[200][16];
    struct prng prng = { 1 };
    make_ids(ids, 200, &prng);
    for (size_t i = 0; i < 200; i++)
        for (size_t k = 0; k < 200; k++)
            assert_int_equal(sign(id16_compare(ids[i], ids[k])), sign(memcmp(ids[i], ids[k], 16)));
}

static void sorting_leaves_one_of_each_in_order(void **state)
{
    (void)state;
    for (size_t count = 0; count < 100; count++) {
        uint8_t ids[100][16], sorted[100][16];
        struct prng prng = { count };
        make_ids(ids, count, &prng);
        memcpy(sorted, ids, sizeof ids);
        size_t kept = id16_sort(sorted, count);
        assert_true(kept <= count && (kept > 0 || count == 0));
        for (size_t i = 1; i < kept; i++)
            assert_true(memcmp(sorted[i - 1], sorted[i], 16) < 0);
        for (size_t i = 0; i < count; i++) {
            size_t at = id16_find((const uint8_t(*)[16])sorted, kept, ids[i]);
            assert_true(at < kept);
            assert_memory_equal(sorted[at], ids[i], 16);
        }
        for (size_t i = 0; i < kept; i++) {
            size_t k = 0;
            while (k < count && memcmp(ids[k], sorted[i], 16) != 0)
                k++;
            assert_true(k < count);
        }
    }
}

static void what_is_not_there_is_not_found(void **state)
{
    (void)state;
    uint8_t ids[40][16], other[16];
    struct prng prng = { 7 };
    make_ids(ids, 40, &prng);
    size_t kept = id16_sort(ids, 40);
    memset(other, 0x80, sizeof other);
    assert_int_equal(id16_find((const uint8_t(*)[16])ids, kept, other), kept);
    memset(other, 0, sizeof other);
    assert_int_equal(id16_find((const uint8_t(*)[16])ids, kept, other), kept);
    memset(other, 0x7f, sizeof other);
    other[15] = 0x80, other[14] = 0x7e;
    assert_int_equal(id16_find((const uint8_t(*)[16])ids, kept, other), kept);
    assert_int_equal(id16_find((const uint8_t(*)[16])ids, 0, ids[0]), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_order_is_that_of_the_bytes),
        cmocka_unit_test(sorting_leaves_one_of_each_in_order),
        cmocka_unit_test(what_is_not_there_is_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
