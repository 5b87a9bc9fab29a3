/* SPDX-License-Identifier: Apache-2.0 */
#include "base/check.h"
#include "base/slice.h"
#include "faces/cli/print.h"
#include "lib/testing.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *text;
    size_t columns;
    const char *want;
} cleaned[] = {
    { "plain text", "planet", 60, "planet" },
    { "text that just fits", "planet", 6, "planet" },
    { "text that is cut", "planet", 5, "plan…" },
    { "room for one column", "planet", 1, "…" },
    { "room for nothing", "planet", 0, "" },
    { "line feeds and tabs become spaces", "a\nb\tc", 60, "a b c" },
    { "an escape sequence is disarmed", "\x1b[31mred", 60, "\uFFFD[31mred" },
    { "a bell and a delete are disarmed", "\x07\x7f", 60, "\uFFFD\uFFFD" },
    { "controls of the upper half are disarmed",
      "\xC2\x9B"
      "31m",
      60, "\uFFFD31m" },
    { "an override of the direction is disarmed", "a\u202eb", 60, "a\uFFFDb" },
    { "a line separator is disarmed", "a\u2028b", 60, "a\uFFFDb" },
    { "broken bytes", "a\xFF\xC3", 60, "a\uFFFD\uFFFD" },
    { "joiners that writing needs stay", "\u0645\u06cc\u200c\u062e", 60, "\u0645\u06cc\u200c\u062e" },
    { "wide characters take two columns", "日本語", 5, "日本…" },
    { "wide characters that fit", "日本語", 6, "日本語" },
    { "combining marks take none", "e\u0301e\u0301", 2, "e\u0301e\u0301" },
    { "nothing", "", 10, "" },
};

static void text_is_made_safe_and_cut_by_columns(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(cleaned); i++) {
        struct buf got;
        buf_init(&got, 1 << 16);
        print_append_clean(&got, slice_text(cleaned[i].text), cleaned[i].columns);
        assert_row(slice_equal(buf_slice(&got), slice_text(cleaned[i].want)), cleaned[i].name);
        assert_row(print_width(buf_slice(&got)) <= cleaned[i].columns, cleaned[i].name);
        buf_deinit(&got);
    }
}

static void counts_have_commas(void **state)
{
    (void)state;
    char out[PRINT_COUNT_BYTES];
    assert_string_equal(print_count(0, out), "0");
    assert_string_equal(print_count(999, out), "999");
    assert_string_equal(print_count(1000, out), "1,000");
    assert_string_equal(print_count(1234567, out), "1,234,567");
    assert_string_equal(print_count(UINT64_MAX, out), "18,446,744,073,709,551,615");
}

/* What a function printed; the caller frees. */
struct captured {
    char *text;
    size_t size;
    struct print print;
};

static void begin_capture(struct captured *captured, bool colour, bool table)
{
    captured->print = (struct print){ .out = open_memstream(&captured->text, &captured->size),
                                      .colour = colour,
                                      .table = table };
    assert_non_null(captured->print.out);
}

static void end_capture(struct captured *captured, const char *want)
{
    fclose(captured->print.out);
    assert_string_equal(captured->text, want);
    free(captured->text);
}

static const struct print_column columns[] = {
    { .title = "#", .right = true },
    { .title = "name", .colour = PRINT_BOLD },
    { .title = "what", .columns_max = 5 },
};

static void print_rows(const struct print *print)
{
    struct table table;
    table_begin(&table, print, columns, countof(columns));
    table_cellf(&table, "%d", 7);
    table_cell(&table, slice_text("日本"));
    table_cell(&table, slice_text("a long one"));
    table_cellf(&table, "%d", 1234);
    table_cell(&table, slice_text("b"));
    table_cell(&table, slice_text("a\tb"));
    assert_int_equal(table.row_count, 2);
    table_end(&table);
}

static void a_table_is_aligned_by_width(void **state)
{
    (void)state;
    struct captured captured;
    begin_capture(&captured, false, true);
    print_rows(&captured.print);
    end_capture(&captured, "   #  name  what\n"
                           "   7  日本  a lo…\n"
                           "1234  b     a b\n");
}

static void a_table_for_programs_has_tabs_and_no_header(void **state)
{
    (void)state;
    struct captured captured;
    begin_capture(&captured, false, false);
    print_rows(&captured.print);
    end_capture(&captured, "7\t日本\ta long one\n1234\tb\ta b\n");
}

static void an_empty_table_prints_nothing(void **state)
{
    (void)state;
    struct captured captured;
    struct table table;
    begin_capture(&captured, false, true);
    table_begin(&table, &captured.print, columns, countof(columns));
    table_end(&table);
    table_end(&table);
    end_capture(&captured, "");
}

static void a_long_table_is_printed_in_blocks(void **state)
{
    (void)state;
    struct captured captured;
    struct table table;
    begin_capture(&captured, false, false);
    table_begin(&table, &captured.print, columns, 2);
    for (int i = 0; i < 3 * TABLE_ROWS_MAX; i++) {
        table_cellf(&table, "%d", i);
        table_cell(&table, slice_text("x"));
        assert_true(table.cell_count <= 2 * TABLE_ROWS_MAX);
    }
    table_flush(&table);
    fflush(captured.print.out);
    size_t lines = 0;
    for (size_t i = 0; i < captured.size; i++)
        lines += captured.text[i] == '\n';
    assert_int_equal(lines, 3 * TABLE_ROWS_MAX);
    table_end(&table);
    fclose(captured.print.out);
    free(captured.text);
}

static void colours_are_there_only_where_wanted(void **state)
{
    (void)state;
    struct captured captured;
    begin_capture(&captured, true, true);
    print_coloured(&captured.print, PRINT_RED, "%s\n%d", "a\x1b", 7);
    print_coloured(&captured.print, PRINT_PLAIN, "b");
    end_capture(&captured, "\033[31ma\uFFFD 7\033[0mb");
    begin_capture(&captured, false, true);
    print_coloured(&captured.print, PRINT_RED, "%s", "a");
    end_capture(&captured, "a");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_made_safe_and_cut_by_columns),
        cmocka_unit_test(counts_have_commas),
        cmocka_unit_test(a_table_is_aligned_by_width),
        cmocka_unit_test(a_table_for_programs_has_tabs_and_no_header),
        cmocka_unit_test(an_empty_table_prints_nothing),
        cmocka_unit_test(a_long_table_is_printed_in_blocks),
        cmocka_unit_test(colours_are_there_only_where_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
