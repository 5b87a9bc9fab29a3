/* SPDX-License-Identifier: Apache-2.0 */
#include "db/home.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/slice.h"
#include "base/text.h"
#include "host/host_mem.h"
#include "lib/testing.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct steme_error failure;

#define OK(call) assert_status((call), STEME_OK, &failure, #call)

static int make_world(void **state)
{
    struct host *host = host_mem_new(3);
    if (!host) return -1;
    host_mem_set_wall_us(host, 1234567890);
    *state = host;
    return 0;
}

static int free_world(void **state)
{
    host_mem_free(*state);
    return 0;
}

static struct home_identity make_home(struct host *host)
{
    struct home_identity identity;
    OK(home_create(host, "home", &identity, &failure));
    OK(home_finish(host, "home", &identity, &failure));
    return identity;
}

static void write_file(struct host *host, const char *path, struct steme_slice bytes)
{
    OK(host_replace_file(host, path, 0, bytes, &failure));
}

static void a_home_knows_who_it_is(void **state)
{
    struct host *host = *state;
    struct home_identity made = make_home(host), found;
    OK(home_identify(host, "home", &found, &failure));
    assert_memory_equal(&found.id, &made.id, sizeof made.id);
    assert_int_equal(found.created_at_us, 1234567890);
}

static void two_homes_differ(void **state)
{
    struct host *host = *state;
    struct home_identity a, b;
    OK(home_create(host, "a", &a, &failure));
    OK(home_create(host, "b", &b, &failure));
    assert_memory_not_equal(&a.id, &b.id, sizeof a.id);
}

/* The identity comes last: before it there is no store. */
static void a_home_that_was_not_finished_is_none(void **state)
{
    struct host *host = *state;
    struct home_identity identity;
    OK(home_create(host, "home", &identity, &failure));
    assert_int_equal(home_identify(host, "home", &identity, &failure), STEME_NOT_FOUND);
    assert_int_equal(home_identify(host, "nowhere", &identity, &failure), STEME_NOT_FOUND);
}

static void a_home_survives_a_power_cut_once_it_is_finished(void **state)
{
    struct host *host = *state;
    struct home_identity made = make_home(host), found;
    host_mem_power_cut(host, 0);
    OK(home_identify(host, "home", &found, &failure));
    assert_memory_equal(&found.id, &made.id, sizeof made.id);
}

/* ---- where none can be made ---- */

static void put_nothing(struct host *host) { (void)host; }
static void put_empty_dir(struct host *host) { OK(host_make_dir(host, "home", &failure)); }
static void put_file(struct host *host) { write_file(host, "home", slice_text("a file")); }
static void put_other_dir(struct host *host)
{
    put_empty_dir(host);
    write_file(host, "home/other", slice_text("a file"));
}
static void put_store(struct host *host) { (void)make_home(host); }

static const struct {
    const char *name;
    void (*put)(struct host *host);
    const char *dir;
    steme_status want;
} places[] = {
    { "a new directory", put_nothing, "home", STEME_OK },
    { "a new directory with a slash", put_nothing, "home///", STEME_OK },
    { "an empty directory", put_empty_dir, "home", STEME_OK },
    { "a directory with something in it", put_other_dir, "home", STEME_EXISTS },
    { "a store", put_store, "home", STEME_EXISTS },
    { "in a directory that is not there", put_nothing, "not/there", STEME_OK },
    { "two directories away", put_nothing, "not/there/yet", STEME_NOT_FOUND },
    { "below a file", put_file, "home/below", STEME_IO },
    { "a file", put_file, "home", STEME_IO },
};

static void a_home_is_made_in_a_new_or_empty_directory(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(places); i++) {
        void *own = NULL;
        struct home_identity identity;
        assert_int_equal(make_world(&own), 0);
        places[i].put(own);
        assert_status(home_create(own, places[i].dir, &identity, &failure), places[i].want, &failure, places[i].name);
        (void)free_world(&own);
    }
}

static void a_disk_that_fails_while_a_home_is_made_is_told(void **state)
{
    (void)state;
    size_t failed = 0;
    for (uint64_t nth = 1;; nth++, failed++) {
        void *own = NULL;
        struct home_identity identity;
        assert_int_equal(make_world(&own), 0);
        host_mem_fail(own, HOST_MEM_ANY, nth, EIO, false);
        steme_status status = home_create(own, "home", &identity, &failure);
        if (!status) status = home_finish(own, "home", &identity, &failure);
        host_mem_fail(own, HOST_MEM_ANY, 0, 0, false);
        (void)free_world(&own);
        if (!status) break;
        assert_int_equal(status, STEME_IO);
    }
    assert_true(failed > 5);
}

/* ---- its file ---- */

static struct steme_slice read_identity(struct host *host, struct arena *arena)
{
    struct steme_slice text;
    OK(host_read_file(host, "home/store", 4096, arena, &text, &failure));
    return text;
}

static void any_changed_or_missing_byte_is_found(void **state)
{
    struct host *host = *state;
    struct arena arena;
    struct home_identity found;
    (void)make_home(host);
    arena_init(&arena, 1 << 20);
    struct steme_slice text = read_identity(host, &arena);
    char *copy = arena_alloc(&arena, text.size + 1);
    assert_non_null(copy);
    for (size_t at = 0; at < text.size; at++) {
        memcpy(copy, text.data, text.size);
        copy[at] = (char)(copy[at] ^ 1);
        write_file(host, "home/store", slice_of(copy, text.size));
        steme_status status = home_identify(host, "home", &found, &failure);
        /* Where the format's digit becomes larger it looks like a later one, which is refused as well. */
        assert_true(status == STEME_CORRUPT || status == STEME_NEWER);
    }
    for (size_t size = 0; size < text.size; size++) {
        write_file(host, "home/store", slice_of(text.data, size));
        assert_int_equal(home_identify(host, "home", &found, &failure), STEME_CORRUPT);
    }
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\n';
    write_file(host, "home/store", slice_of(copy, text.size + 1));
    assert_int_equal(home_identify(host, "home", &found, &failure), STEME_CORRUPT);
    arena_deinit(&arena);
}

static void a_file_that_is_too_long_is_none(void **state)
{
    struct host *host = *state;
    static const char zeros[5000];
    struct home_identity found;
    (void)make_home(host);
    write_file(host, "home/store", slice_of(zeros, sizeof zeros));
    assert_int_equal(home_identify(host, "home", &found, &failure), STEME_CORRUPT);
}

static void a_later_format_is_told_before_anything_else(void **state)
{
    struct host *host = *state;
    struct home_identity found;
    static const char *const texts[] = { "stemedb store\nformat 2\nid ...\n", "stemedb store\nformat 1000000\n",
                                         "stemedb store\nformat 9223372036854775807\nwhatever" };
    (void)make_home(host);
    for (size_t i = 0; i < countof(texts); i++) {
        write_file(host, "home/store", slice_text(texts[i]));
        steme_status status = home_identify(host, "home", &found, &failure);
        assert_status(status, STEME_NEWER, &failure, texts[i]);
    }
    write_file(host, "home/store", slice_text("stemedb store\nformat 0\n"));
    assert_int_equal(home_identify(host, "home", &found, &failure), STEME_CORRUPT);
}

/* There never was such a format, whatever the check says. */
static void a_format_below_the_first_is_no_format(void **state)
{
    struct host *host = *state;
    static const char *const formats[] = { "0", "-1", "-9223372036854775808" };
    for (size_t i = 0; i < countof(formats); i++) {
        struct home_identity found;
        char text[512], hex[65];
        (void)make_home(host);
        int length = snprintf(text, sizeof text, "stemedb store\nformat %s\nid %064d\ncreated 5\n", formats[i], 0);
        struct steme_hash check = hash_one(slice_of(text, (size_t)length));
        text_hex(check.bytes, sizeof check.bytes, hex);
        snprintf(text + length, sizeof text - (size_t)length, "check %s\n", hex);
        write_file(host, "home/store", slice_text(text));
        steme_status status = home_identify(host, "home", &found, &failure);
        assert_status(status, STEME_CORRUPT, &failure, formats[i]);
        assert_status(host_remove(host, "home/store", &failure), STEME_OK, &failure, formats[i]);
        assert_status(host_remove(host, "home/keys", &failure), STEME_OK, &failure, formats[i]);
    }
}

/* ---- locks ---- */

static void a_lock_names_its_holder(void **state)
{
    struct host *host = *state;
    struct host_file *first = NULL, *second = NULL;
    char pid[32];
    (void)make_home(host);
    OK(home_lock(host, "home", "lock", 0, &first, &failure));
    assert_int_equal(home_lock(host, "home", "lock", 0, &second, &failure), STEME_LOCKED);
    assert_null(second);
    (void)snprintf(pid, sizeof pid, "process %lld", (long long)host_process_id(host));
    assert_non_null(strstr(failure.message, pid));
    OK(home_lock(host, "home", "index.lock", 0, &second, &failure)); /* another one */
    host_close(&second);
    host_close(&first);
    OK(home_lock(host, "home", "lock", 0, &second, &failure));
    host_close(&second);
}

/* What stands in a lock's file comes from whoever held it last. */
static void a_lock_s_file_may_hold_anything(void **state)
{
    struct host *host = *state;
    static const char *const texts[] = { "", "x", "99999999999999999999999999999999999", "12 34", "\n\n" };
    (void)make_home(host);
    for (size_t i = 0; i < countof(texts); i++) {
        struct host_file *held = NULL, *second = NULL;
        OK(host_open(host, "home/lock", HOST_WRITE | HOST_CREATE, &held, &failure));
        OK(host_truncate(held, 0, &failure));
        struct steme_slice text = slice_text(texts[i]);
        if (text.size) OK(host_write_at(held, 0, &text, 1, &failure));
        OK(host_lock(held, &failure));
        assert_int_equal(home_lock(host, "home", "lock", 0, &second, &failure), STEME_LOCKED);
        host_close(&held);
        OK(home_lock(host, "home", "lock", 0, &second, &failure));
        host_close(&second);
    }
}

static void a_lock_that_is_not_freed_in_time_is_told(void **state)
{
    struct host *host = *state;
    struct host_file *held = NULL, *second = NULL;
    (void)make_home(host);
    OK(home_lock(host, "home", "lock", 0, &held, &failure));
    uint64_t began = host_monotonic_ns(host_posix());
    assert_int_equal(home_lock(host, "home", "lock", 100, &second, &failure), STEME_LOCKED);
    assert_true(host_monotonic_ns(host_posix()) - began >= 90000000);
    host_close(&held);
}

static void a_lock_where_no_directory_is_fails(void **state)
{
    struct host *host = *state;
    struct host_file *file = NULL;
    assert_int_equal(home_lock(host, "nowhere", "lock", 0, &file, &failure), STEME_NOT_FOUND);
    assert_null(file);
}

int main(void)
{
#define CASE(function) cmocka_unit_test_setup_teardown(function, make_world, free_world)
    const struct CMUnitTest tests[] = {
        CASE(a_home_knows_who_it_is),
        CASE(two_homes_differ),
        CASE(a_home_that_was_not_finished_is_none),
        CASE(a_home_survives_a_power_cut_once_it_is_finished),
        cmocka_unit_test(a_home_is_made_in_a_new_or_empty_directory),
        cmocka_unit_test(a_disk_that_fails_while_a_home_is_made_is_told),
        CASE(any_changed_or_missing_byte_is_found),
        CASE(a_file_that_is_too_long_is_none),
        CASE(a_later_format_is_told_before_anything_else),
        CASE(a_format_below_the_first_is_no_format),
        CASE(a_lock_names_its_holder),
        CASE(a_lock_s_file_may_hold_anything),
        CASE(a_lock_that_is_not_freed_in_time_is_told),
        CASE(a_lock_where_no_directory_is_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
