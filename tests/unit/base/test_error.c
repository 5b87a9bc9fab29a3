/* SPDX-License-Identifier: Apache-2.0 */
#include "base/check.h"
#include "base/error.h"
#include "base/slice.h"
#include "base/utf8.h"
#include "lib/testing.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void a_status_has_a_name_a_text_and_a_class(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        steme_status status;
        const char *want;
        enum steme_class class_;
    } rows[] = {
        { "success", STEME_OK, "OK", STEME_CLASS_DONE },
        { "the caller's fault", STEME_BAD_INPUT, "BAD_INPUT", STEME_CLASS_USAGE },
        { "missing", STEME_NOT_FOUND, "NOT_FOUND", STEME_CLASS_MISSING },
        { "conflict", STEME_EXISTS, "EXISTS", STEME_CLASS_CONFLICT },
        { "device", STEME_NO_SPACE, "NO_SPACE", STEME_CLASS_DEVICE },
        { "busy", STEME_LOCKED, "LOCKED", STEME_CLASS_BUSY },
        { "the last one", STEME_UNSUPPORTED, "UNSUPPORTED", STEME_CLASS_FAILURE },
    };
    for (size_t i = 0; i < countof(rows); i++) {
        assert_row_text(steme_status_name(rows[i].status), rows[i].want, rows[i].name);
        assert_row(strlen(steme_status_text(rows[i].status)) > 3, rows[i].name);
        assert_row(steme_status_class(rows[i].status) == rows[i].class_, rows[i].name);
    }
}

static void a_number_that_is_no_status_has_no_name(void **state)
{
    (void)state;
    static const int numbers[] = { -1, (int)STEME_UNSUPPORTED + 1, 1000000 };
    for (size_t i = 0; i < countof(numbers); i++) {
        assert_string_equal(steme_status_name((steme_status)numbers[i]), "?");
        assert_string_equal(steme_status_text((steme_status)numbers[i]), "there is no such status");
        assert_int_equal(steme_status_class((steme_status)numbers[i]), STEME_CLASS_FAILURE);
    }
}

static void an_error_says_what_and_where(void **state)
{
    (void)state;
    struct steme_error err;
    int line = __LINE__ + 1;
    assert_int_equal(error_set(&err, STEME_TOO_LARGE, "%d bytes, at most %d", 7, 5), STEME_TOO_LARGE);
    assert_int_equal(err.status, STEME_TOO_LARGE);
    assert_int_equal(err.os_errno, 0);
    assert_int_equal(err.line, line);
    assert_string_equal(err.file, __FILE__);
    assert_string_equal(err.message, "7 bytes, at most 5");
}

static void an_error_of_the_system_carries_errno_and_its_text(void **state)
{
    (void)state;
    struct steme_error err;
    errno = EAGAIN;
    assert_int_equal(error_set_os(&err, STEME_NO_SPACE, ENOSPC, "can't write %s", "a"), STEME_NO_SPACE);
    assert_int_equal(err.os_errno, ENOSPC);
    assert_string_equal(err.message, "can't write a: No space left on device");
    assert_int_equal(errno, EAGAIN);
}

static void context_goes_in_front(void **state)
{
    (void)state;
    struct steme_error err;
    steme_status status = error_set(&err, STEME_IO, "disk gone");
    assert_int_equal(error_wrap(&err, status, "while opening %s", "x"), STEME_IO);
    assert_int_equal(error_wrap(&err, status, "store"), STEME_IO);
    assert_string_equal(err.message, "store: while opening x: disk gone");
}

static void nobody_has_to_listen(void **state)
{
    (void)state;
    assert_int_equal(error_set(NULL, STEME_IO, "unheard"), STEME_IO);
    assert_int_equal(error_wrap(NULL, STEME_CORRUPT, "unheard"), STEME_CORRUPT);
}

static void a_long_message_is_cut_between_characters(void **state)
{
    (void)state;
    static const char *const fills[] = { "x", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x8C\x8D" };
    for (size_t i = 0; i < countof(fills); i++) {
        for (int shift = 0; shift < 4; shift++) {
            char text[2 * STEME_ERROR_MESSAGE_BYTES] = "";
            size_t used = (size_t)shift;
            memset(text, 'a', used);
            for (size_t step = strlen(fills[i]); used + 4 < sizeof text; used += step)
                memcpy(text + used, fills[i], step);
            struct steme_error err;
            (void)error_set(&err, STEME_IO, "%s", text);
            size_t size = strlen(err.message);
            assert_true(size >= STEME_ERROR_MESSAGE_BYTES - 4);
            assert_true(utf8_valid(slice_text(err.message)));
            assert_memory_equal(err.message, text, size); /* cut, not blotted out */
            (void)error_wrap(&err, STEME_IO, "outer");
            assert_true(utf8_valid(slice_text(err.message)));
            assert_memory_equal(err.message, "outer: ", 7);
        }
    }
}

static void untrusted_bytes_in_a_message_are_made_harmless(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text, *want;
    } rows[] = {
        { "a newline", "a\nb", "a?b" },
        { "an escape sequence", "\x1B[31mred\x7F", "?[31mred?" },
        { "broken UTF-8", "a\xFF\xC3", "a??" },
        { "good UTF-8", "\xC3\xA9t\xC3\xA9", "\xC3\xA9t\xC3\xA9" },
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct steme_error err;
        (void)error_set(&err, STEME_BAD_INPUT, "%s", rows[i].text);
        assert_row_text(err.message, rows[i].want, rows[i].name);
    }
}

static void a_broken_promise_aborts_and_says_which(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        dup2(ends[1], STDERR_FILENO);
        int one = 1;
        invariant(one == 2);
        _exit(0);
    }
    close(ends[1]);
    char text[256] = "";
    ssize_t got = read(ends[0], text, sizeof text - 1);
    assert_true(got > 0);
    close(ends[0]);
    int result = 0;
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_true(WIFSIGNALED(result) && WTERMSIG(result) == SIGABRT);
    assert_non_null(strstr(text, "one == 2"));
    assert_non_null(strstr(text, "test_error.c"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_status_has_a_name_a_text_and_a_class),
        cmocka_unit_test(a_number_that_is_no_status_has_no_name),
        cmocka_unit_test(an_error_says_what_and_where),
        cmocka_unit_test(an_error_of_the_system_carries_errno_and_its_text),
        cmocka_unit_test(context_goes_in_front),
        cmocka_unit_test(nobody_has_to_listen),
        cmocka_unit_test(a_long_message_is_cut_between_characters),
        cmocka_unit_test(untrusted_bytes_in_a_message_are_made_harmless),
        cmocka_unit_test(a_broken_promise_aborts_and_says_which),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
