/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/check.h"
#include "base/slice.h"
#include "lib/testing.h"

#include <string.h>

static void bytes_stand_in_the_order_they_came(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 1000);
    buf_append(&buf, "ab", 2);
    buf_append_slice(&buf, slice_text("cd"));
    buf_append_text(&buf, "ef");
    buf_append_text(&buf, NULL);
    buf_append(&buf, NULL, 0);
    buf_printf(&buf, "%d%s", 12, "!");
    buf_zeros(&buf, 2);
    memcpy(buf_extend(&buf, 1), "z", 1);
    assert_int_equal(buf_check(&buf, NULL), STEME_OK);
    assert_true(slice_equal(buf_slice(&buf), slice_of("abcdef12!\0\0z", 12)));
    buf_deinit(&buf);
}

static void an_empty_buffer_owns_nothing(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 10);
    assert_non_null(buf_extend(&buf, 0));
    buf_zeros(&buf, 0);
    buf_printf(&buf, "%s", "");
    assert_null(buf.data);
    assert_int_equal(buf_slice(&buf).size, 0);
    buf_deinit(&buf);
}

static void it_grows_to_the_ceiling_and_no_further(void **state)
{
    (void)state;
    struct buf buf;
    struct steme_error err;
    buf_init(&buf, 1000);
    for (int i = 0; i < 1000; i++)
        buf_append(&buf, "x", 1);
    assert_status(buf_check(&buf, &err), STEME_OK, &err, "at the ceiling");
    assert_int_equal(buf.capacity, 1000);
    buf_append(&buf, "x", 1);
    assert_status(buf_check(&buf, &err), STEME_TOO_LARGE, NULL, "past the ceiling");
    assert_non_null(strstr(err.message, "1000"));
    assert_int_equal(buf.size, 1000);
    buf_deinit(&buf);
}

static void the_first_failure_sticks_until_a_clear(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 4);
    buf_append_text(&buf, "12345");
    buf_append_text(&buf, "a"); /* would fit */
    assert_null(buf_extend(&buf, 1));
    assert_int_equal(buf.size, 0);
    assert_int_equal(buf_check(&buf, NULL), STEME_TOO_LARGE);
    buf_clear(&buf);
    buf_append_text(&buf, "a");
    assert_int_equal(buf_check(&buf, NULL), STEME_OK);
    assert_int_equal(buf.size, 1);
    buf_deinit(&buf);
}

static void a_size_that_cannot_be_is_refused(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, SIZE_MAX);
    buf_append(&buf, "x", 1);
    assert_null(buf_extend(&buf, SIZE_MAX)); /* the sum would wrap around */
    assert_int_equal(buf_check(&buf, NULL), STEME_TOO_LARGE);
    buf_clear(&buf);
    assert_null(buf_extend(&buf, (size_t)1 << 62));
    struct steme_error err;
    assert_status(buf_check(&buf, &err), STEME_NO_MEMORY, NULL, "no memory");
    assert_non_null(strstr(err.message, "no memory"));
    buf_deinit(&buf);
}

static void printf_of_any_length_is_whole(void **state)
{
    (void)state;
    static char text[3000];
    memset(text, 'y', sizeof text - 1);
    static const int sizes[] = { 0, 1, 511, 512, 513, 2999 };
    for (size_t i = 0; i < countof(sizes); i++) {
        struct buf buf;
        buf_init(&buf, 4000);
        buf_printf(&buf, "<%.*s>", sizes[i], text);
        assert_int_equal(buf_check(&buf, NULL), STEME_OK);
        assert_int_equal(buf.size, (size_t)sizes[i] + 2);
        assert_int_equal(buf.data[0], '<');
        assert_int_equal(buf.data[buf.size - 1], '>');
        buf_deinit(&buf);
    }
    struct buf small;
    buf_init(&small, 1000);
    buf_printf(&small, "%s", text);
    assert_int_equal(buf_check(&small, NULL), STEME_TOO_LARGE);
    assert_int_equal(small.size, 0);
    buf_deinit(&small);
}

static void deinit_is_safe_on_zeroes(void **state)
{
    (void)state;
    struct buf buf = { 0 };
    buf_append(&buf, "x", 1);
    assert_int_equal(buf_check(&buf, NULL), STEME_TOO_LARGE);
    buf_deinit(&buf);
    buf_deinit(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_stand_in_the_order_they_came),
        cmocka_unit_test(an_empty_buffer_owns_nothing),
        cmocka_unit_test(it_grows_to_the_ceiling_and_no_further),
        cmocka_unit_test(the_first_failure_sticks_until_a_clear),
        cmocka_unit_test(a_size_that_cannot_be_is_refused),
        cmocka_unit_test(printf_of_any_length_is_whole),
        cmocka_unit_test(deinit_is_safe_on_zeroes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
