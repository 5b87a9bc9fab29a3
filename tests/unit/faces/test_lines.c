/* SPDX-License-Identifier: Apache-2.0 */
#include "base/check.h"
#include "base/slice.h"
#include "faces/cli/lines.h"
#include "lib/testing.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A file of these bytes, open for reading; it has no name any more. */
static int open_file(const void *bytes, size_t size)
{
    char *folder = testing_make_temporary();
    char *path = testing_join(folder, "input");
    int descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(descriptor >= 0);
    for (size_t at = 0; at < size;) {
        ssize_t wrote = write(descriptor, (const char *)bytes + at, size - at);
        assert_true(wrote > 0);
        at += (size_t)wrote;
    }
    assert_int_equal(lseek(descriptor, 0, SEEK_SET), 0);
    free(path);
    testing_remove_temporary(folder);
    return descriptor;
}

/* What the lines are, one after the other: "text|" with its end, "text!" without, "#|" where too long. */
static char *describe(const void *bytes, size_t size, size_t max_bytes)
{
    struct lines lines;
    struct steme_error err;
    struct buf text;
    bool more = false;
    int descriptor = open_file(bytes, size);
    buf_init(&text, 1 << 20);
    assert_status(lines_init(&lines, descriptor, max_bytes, &err), STEME_OK, &err, "init");
    for (uint64_t number = 1;; number++) {
        assert_status(lines_next(&lines, &more, &err), STEME_OK, &err, "next");
        if (!more) break;
        assert_int_equal(lines.number, number);
        assert_true(!lines.too_long || lines.text.size == 0);
        buf_append_slice(&text, lines.text);
        buf_append_text(&text, lines.too_long ? "#" : "");
        buf_append_text(&text, lines.has_end ? "|" : "!");
    }
    assert_status(lines_next(&lines, &more, &err), STEME_OK, &err, "past the end");
    assert_false(more);
    buf_append(&text, "", 1);
    assert_int_equal(text.status, STEME_OK);
    lines_deinit(&lines);
    close(descriptor);
    return (char *)text.data;
}

static const struct {
    const char *name, *input, *want;
} inputs[] = {
    { "nothing", "", "" },
    { "one line", "a\n", "a|" },
    { "an empty line", "\n", "|" },
    { "empty lines in a row", "\n\na\n\n", "||a||" },
    { "CR LF", "a\r\nb\r\n", "a|b|" },
    { "one CR alone goes with the end", "a\r\r\n", "a\r|" },
    { "a CR inside stays", "a\rb\n", "a\rb|" },
    { "the last line has no end", "a\nb", "a|b!" },
    { "the last line has half an end", "a\nb\r", "a|b!" },
    { "a byte order mark goes",
      "\xEF\xBB\xBF"
      "a\n",
      "a|" },
    { "a second one stays", "\xEF\xBB\xBF\xEF\xBB\xBF\n", "\xEF\xBB\xBF|" },
    { "a mark cut short stays", "\xEF\xBB\n", "\xEF\xBB|" },
    { "a line as long as allowed", "12345678\n", "12345678|" },
    { "a line too long", "123456789\nab\n", "#|ab|" },
    { "a last line too long", "ab\n123456789", "ab|#!" },
};

static void lines_end_in_lf_or_cr_lf(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(inputs); i++) {
        char *got = describe(inputs[i].input, strlen(inputs[i].input), 8);
        assert_row_text(got, inputs[i].want, inputs[i].name);
        free(got);
    }
}

/* Blocks are read at a time; nothing may depend on where one ends. */
static void lines_cross_the_blocks_they_are_read_in(void **state)
{
    (void)state;
    enum { LINE_BYTES = 1000, LINE_COUNT = 300 };
    char *input = malloc((size_t)LINE_BYTES * LINE_COUNT);
    assert_non_null(input);
    for (size_t i = 0; i < (size_t)LINE_BYTES * LINE_COUNT; i++)
        input[i] = (char)(i % LINE_BYTES == LINE_BYTES - 1 ? '\n' : 'a' + (int)(i / LINE_BYTES % 26));
    char *got = describe(input, (size_t)LINE_BYTES * LINE_COUNT, LINE_BYTES);
    for (char *at = got; (at = strchr(at, '|'));)
        *at = '\n';
    assert_int_equal(strlen(got), (size_t)LINE_BYTES * LINE_COUNT);
    assert_memory_equal(got, input, (size_t)LINE_BYTES * LINE_COUNT);
    free(got);
    free(input);
}

static void a_line_longer_than_a_block_is_whole(void **state)
{
    (void)state;
    enum { LONG_BYTES = 1 << 18 };
    char *input = malloc(LONG_BYTES + 2);
    assert_non_null(input);
    for (size_t i = 0; i < LONG_BYTES; i++)
        input[i] = (char)('a' + i % 26);
    memcpy(input + LONG_BYTES, "\nz", 2);
    char *got = describe(input, LONG_BYTES + 2, LONG_BYTES);
    assert_int_equal(strlen(got), LONG_BYTES + 3);
    assert_memory_equal(got, input, LONG_BYTES);
    assert_string_equal(got + LONG_BYTES, "|z!");
    free(got);
    free(input);
}

static void a_line_too_long_for_memory_is_passed_over_in_bounded_memory(void **state)
{
    (void)state;
    enum { LONG_BYTES = 1 << 20 };
    struct lines lines;
    struct steme_error err;
    bool more;
    char *input = malloc(LONG_BYTES + 2);
    assert_non_null(input);
    memset(input, 'x', LONG_BYTES);
    memcpy(input + LONG_BYTES, "\na", 2);
    int descriptor = open_file(input, LONG_BYTES + 2);
    assert_status(lines_init(&lines, descriptor, 100, &err), STEME_OK, &err, "init");
    assert_status(lines_next(&lines, &more, &err), STEME_OK, &err, "the long one");
    assert_true(more && lines.too_long && lines.has_end && lines.text.size == 0);
    assert_true(lines.line.capacity <= 4096);
    assert_status(lines_next(&lines, &more, &err), STEME_OK, &err, "the one behind it");
    assert_true(more && !lines.too_long && slice_equal(lines.text, slice_text("a")));
    lines_deinit(&lines);
    close(descriptor);
    free(input);
}

static const struct {
    const char *name, *input;
    uint8_t want;
} beginnings[] = {
    { "nothing", "", 0 },
    { "white space alone", " \r\n\t", 0 },
    { "a brace", "{\"type\"", '{' },
    { "a brace behind white space", "\n\n  {", '{' },
    { "a brace behind a mark", "\xEF\xBB\xBF{", '{' },
    { "a header", "subject\tpredicate", 's' },
};

static void the_first_byte_can_be_seen_before_it_is_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(beginnings); i++) {
        struct lines lines;
        struct steme_error err;
        int descriptor = open_file(beginnings[i].input, strlen(beginnings[i].input));
        assert_status(lines_init(&lines, descriptor, 100, &err), STEME_OK, &err, beginnings[i].name);
        assert_row(lines_peek(&lines) == beginnings[i].want, beginnings[i].name);
        assert_row(lines_peek(&lines) == beginnings[i].want, beginnings[i].name);
        lines_deinit(&lines);
        close(descriptor);
    }
}

static void reading_starts_where_the_descriptor_stands(void **state)
{
    (void)state;
    struct lines lines;
    struct steme_error err;
    bool more;
    int descriptor = open_file("skipped\nread\n", 13);
    assert_int_equal(lseek(descriptor, 8, SEEK_SET), 8);
    assert_status(lines_init(&lines, descriptor, 100, &err), STEME_OK, &err, "init");
    assert_status(lines_next(&lines, &more, &err), STEME_OK, &err, "next");
    assert_true(more && slice_equal(lines.text, slice_text("read")));
    lines_deinit(&lines);
    close(descriptor);
}

static void *write_in_bits(void *context)
{
    static const char text[] = "one\r\ntwo\nthree";
    const int *descriptor = context;
    for (size_t i = 0; i + 1 < sizeof text; i++)
        if (write(*descriptor, text + i, 1) != 1) break;
    close(*descriptor);
    return NULL;
}

static void a_pipe_is_read_as_its_bytes_come(void **state)
{
    (void)state;
    static const char *const want[] = { "one", "two", "three" };
    struct lines lines;
    struct steme_error err;
    pthread_t writer;
    bool more;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(pthread_create(&writer, NULL, write_in_bits, &ends[1]), 0);
    assert_status(lines_init(&lines, ends[0], 100, &err), STEME_OK, &err, "init");
    for (size_t i = 0; i < countof(want); i++) {
        assert_status(lines_next(&lines, &more, &err), STEME_OK, &err, want[i]);
        assert_row(more && slice_equal(lines.text, slice_text(want[i])), want[i]);
        assert_row(lines.has_end == (i + 1 < countof(want)), want[i]);
    }
    assert_status(lines_next(&lines, &more, &err), STEME_OK, &err, "the end");
    assert_false(more);
    assert_int_equal(pthread_join(writer, NULL), 0);
    lines_deinit(&lines);
    close(ends[0]);
}

/* Somebody may type the lines: one is there as soon as it ends, whether or not more will follow. */
static void a_line_of_a_pipe_is_not_kept_until_the_next(void **state)
{
    (void)state;
    struct lines lines;
    struct steme_error err;
    bool more;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "a\n", 2), 2);
    assert_status(lines_init(&lines, ends[0], 100, &err), STEME_OK, &err, "init");
    assert_status(lines_next(&lines, &more, &err), STEME_OK, &err, "next");
    assert_true(more && slice_equal(lines.text, slice_text("a")));
    lines_deinit(&lines);
    close(ends[1]);
    close(ends[0]);
}

static const struct {
    const char *name, *bytes, *says;
} encoded[] = {
    { "gzip", "\x1f\x8b\x08\x01", "zcat" },
    { "UTF-16, little end first", "\xFF\xFEs\x01", "iconv" },
    { "UTF-16, big end first", "\xFE\xFF\x01s", "iconv" },
};

static void what_is_encoded_otherwise_is_refused_with_what_to_do(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(encoded); i++) {
        struct lines lines;
        struct steme_error err;
        int descriptor = open_file(encoded[i].bytes, strlen(encoded[i].bytes));
        assert_status(lines_init(&lines, descriptor, 100, &err), STEME_BAD_INPUT, &err, encoded[i].name);
        assert_row(strstr(err.message, encoded[i].says), encoded[i].name);
        lines_deinit(&lines);
        close(descriptor);
    }
}

static const struct {
    const char *path, *says;
    steme_status status;
} unreadable[] = {
    { "", "empty", STEME_BAD_INPUT },
    { "/", "/ is a directory", STEME_BAD_INPUT },
    { "/nonexistent/file", "can't open /nonexistent/file", STEME_NOT_FOUND },
    { "/dev/null/file", "can't open /dev/null/file", STEME_IO },
};

static void a_file_that_can_not_be_read_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(unreadable); i++) {
        struct lines lines;
        struct steme_error err;
        assert_status(lines_open(&lines, unreadable[i].path, 100, &err), unreadable[i].status, &err,
                      unreadable[i].path);
        assert_row(strstr(err.message, unreadable[i].says), unreadable[i].path);
        lines_deinit(&lines);
    }
}

static void what_can_not_be_read_is_an_io_failure(void **state)
{
    (void)state;
    struct lines lines;
    struct steme_error err;
    bool more = true;
    assert_status(lines_init(&lines, -1, 100, &err), STEME_IO, &err, "no descriptor");
    assert_int_equal(err.os_errno, EBADF);
    lines_deinit(&lines);
    int folder = open("/", O_RDONLY | O_CLOEXEC);
    assert_true(folder >= 0);
    assert_status(lines_init(&lines, folder, 100, &err), STEME_BAD_INPUT, &err, "a folder");
    assert_string_equal(err.message, "the input is a directory; a file is wanted");
    lines_deinit(&lines);
    int descriptor = open_file("a", 1);
    assert_status(lines_init(&lines, descriptor, 100, &err), STEME_OK, &err, "a file");
    lines.descriptor = -1; /* the disk fails behind the first block */
    assert_status(lines_next(&lines, &more, &err), STEME_IO, &err, "the next block");
    lines_deinit(&lines);
    close(descriptor);
    close(folder);
}

static void freeing_nothing_is_fine(void **state)
{
    (void)state;
    struct lines lines = { 0 };
    lines_deinit(&lines);
    lines_deinit(&lines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_end_in_lf_or_cr_lf),
        cmocka_unit_test(lines_cross_the_blocks_they_are_read_in),
        cmocka_unit_test(a_line_longer_than_a_block_is_whole),
        cmocka_unit_test(a_line_too_long_for_memory_is_passed_over_in_bounded_memory),
        cmocka_unit_test(the_first_byte_can_be_seen_before_it_is_read),
        cmocka_unit_test(reading_starts_where_the_descriptor_stands),
        cmocka_unit_test(a_pipe_is_read_as_its_bytes_come),
        cmocka_unit_test(a_line_of_a_pipe_is_not_kept_until_the_next),
        cmocka_unit_test(what_is_encoded_otherwise_is_refused_with_what_to_do),
        cmocka_unit_test(a_file_that_can_not_be_read_is_named),
        cmocka_unit_test(what_can_not_be_read_is_an_io_failure),
        cmocka_unit_test(freeing_nothing_is_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
