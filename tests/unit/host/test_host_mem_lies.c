/* SPDX-License-Identifier: Apache-2.0 */
/* A disk of the world in memory that lies. */
#include "unit/host/mem_world.h"

#include <stdio.h>
#include <string.h>

static void assert_content(struct host *host, const char *path, const char *want)
{
    struct arena arena;
    struct steme_slice bytes;
    arena_init(&arena, SIZE_MAX);
    assert_int_equal(host_read_file(host, path, 1 << 20, &arena, &bytes, NULL), STEME_OK);
    assert_row(bytes.size == strlen(want) && memcmp(bytes.data, want, bytes.size) == 0, path);
    arena_deinit(&arena);
}

static void a_read_may_show_a_turned_bit_once_and_the_file_is_as_it_was(void **state)
{
    (void)state;
    struct host *host = new_world(1);
    char first[8] = { 0 }, second[8] = { 0 };
    size_t got = 0;
    make_durable(host, "a", "abcdefg");
    struct host_file *file = open_or_fail(host, "a", HOST_READ);
    host_mem_lie(host, HOST_MEM_TURNED, 1, NULL);
    assert_int_equal(host_read_at(file, 0, first, 7, &got, NULL), STEME_OK);
    assert_int_equal(host_read_at(file, 0, second, 7, &got, NULL), STEME_OK);
    unsigned bits = 0;
    for (size_t i = 0; i < sizeof first; i++)
        bits += (unsigned)__builtin_popcount((unsigned)(uint8_t)(first[i] ^ second[i]));
    assert_int_equal(bits, 1);
    assert_string_equal(second, "abcdefg");
    assert_int_equal(host_mem_lies(host, HOST_MEM_TURNED), 1);
    host_close(&file);
    host_mem_free(host);
}

static void a_lost_write_is_there_until_the_power_goes(void **state)
{
    (void)state;
    struct host *host = new_world(1);
    make_durable(host, "a", "before");
    struct host_file *file = open_or_fail(host, "a", HOST_WRITE);
    host_mem_lie(host, HOST_MEM_LOST, 1, NULL);
    write_text(file, 0, "behind");
    sync_or_fail(file);
    assert_content(host, "a", "behind");
    host_mem_kill(host);
    assert_content(host, "a", "behind");
    host_mem_power_cut(host, 1000);
    assert_content(host, "a", "before");
    host_close(&file);
    file = open_or_fail(host, "a", HOST_WRITE);
    host_mem_lie(host, HOST_MEM_LOST, 1, NULL);
    write_text(file, 0, "behind");
    write_text(file, 0, "beyond"); /* written again, it is saved */
    sync_or_fail(file);
    host_close(&file);
    host_mem_power_cut(host, 0);
    assert_content(host, "a", "beyond");
    host_mem_free(host);
}

static void a_write_that_goes_astray_shows_elsewhere_when_the_power_goes(void **state)
{
    (void)state;
    struct host *host = new_world(1);
    assert_int_equal(host_make_dir(host, "d", NULL), STEME_OK);
    make_durable(host, "d/other", "other words");
    assert_int_equal(host_sync_dir(host, "d", NULL), STEME_OK);
    make_durable(host, "a", "before");
    struct host_file *file = open_or_fail(host, "a", HOST_WRITE);
    host_mem_lie(host, HOST_MEM_ASTRAY, 1, "d");
    write_text(file, 0, "lost!!");
    sync_or_fail(file);
    host_close(&file);
    assert_content(host, "a", "lost!!");
    assert_content(host, "d/other", "other words");
    host_mem_power_cut(host, 1000);
    assert_content(host, "a", "before");
    assert_content(host, "d/other", "lost!!words");
    assert_int_equal(host_mem_lies(host, HOST_MEM_ASTRAY), 1);
    host_mem_free(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_read_may_show_a_turned_bit_once_and_the_file_is_as_it_was),
        cmocka_unit_test(a_lost_write_is_there_until_the_power_goes),
        cmocka_unit_test(a_write_that_goes_astray_shows_elsewhere_when_the_power_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
