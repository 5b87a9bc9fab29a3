/* SPDX-License-Identifier: Apache-2.0 */
#include "faces/cli/print.h"
#include "base/check.h"
#include "base/slice.h"

#include <inttypes.h>
#include <string.h>
#include <utf8proc.h>

enum {
    CELL_COLUMNS_DEFAULT = 60,
    CELL_GAP = 2,
    LINE_MAX_BYTES = 1 << 20 /* of one cell or coloured text */
};

static const char *const colour_codes[] = {
    [PRINT_PLAIN] = "",   [PRINT_BOLD] = "1",    [PRINT_DIM] = "2",   [PRINT_RED] = "31",
    [PRINT_GREEN] = "32", [PRINT_YELLOW] = "33", [PRINT_CYAN] = "36",
};

/* Controls move the cursor; line and paragraph separators break lines; bidirectional overrides make a line read as
 * another one; tag characters hide text. */
static bool is_unsafe(utf8proc_int32_t character)
{
    utf8proc_category_t category = utf8proc_category(character);
    return category == UTF8PROC_CATEGORY_CC || category == UTF8PROC_CATEGORY_ZL || category == UTF8PROC_CATEGORY_ZP ||
           (character >= 0x202A && character <= 0x202E) || (character >= 0x2066 && character <= 0x2069) ||
           (character >= 0xE0000 && character <= 0xE007F);
}

/* The character at the front of text and its bytes; U+FFFD for what must not reach a terminal. */
static utf8proc_int32_t next_character(struct steme_slice text, size_t *bytes_out)
{
    utf8proc_int32_t character;
    utf8proc_ssize_t limit = text.size < 4 ? (utf8proc_ssize_t)text.size : 4;
    utf8proc_ssize_t bytes = utf8proc_iterate(text.data, limit, &character);
    *bytes_out = bytes > 0 ? (size_t)bytes : 1;
    if (bytes <= 0) return 0xFFFD;
    if (character == '\n' || character == '\t') return ' ';
    return is_unsafe(character) ? 0xFFFD : character;
}

static size_t character_width(utf8proc_int32_t character)
{
    int width = utf8proc_charwidth(character);
    return width > 0 ? (size_t)width : 0;
}

size_t print_width(struct steme_slice text)
{
    size_t width = 0;
    for (size_t at = 0, bytes = 0; at < text.size; at += bytes)
        width += character_width(next_character(slice_of(text.data + at, text.size - at), &bytes));
    return width;
}

void print_append_clean(struct buf *to, struct steme_slice text, size_t columns)
{
    bool whole = print_width(text) <= columns;
    size_t room = whole ? columns : columns - (columns > 0);
    size_t width = 0;
    for (size_t at = 0, bytes = 0; at < text.size; at += bytes) {
        utf8proc_int32_t character = next_character(slice_of(text.data + at, text.size - at), &bytes);
        width += character_width(character);
        if (width > room) break;
        uint8_t encoded[4];
        buf_append(to, encoded, (size_t)utf8proc_encode_char(character, encoded));
    }
    if (!whole && columns > 0) buf_append_text(to, "…");
}

static void begin_colour(const struct print *print, enum print_colour colour)
{
    if (print->colour && colour != PRINT_PLAIN) fprintf(print->out, "\033[%sm", colour_codes[colour]);
}

static void end_colour(const struct print *print, enum print_colour colour)
{
    if (print->colour && colour != PRINT_PLAIN) fputs("\033[0m", print->out);
}

void print_coloured(const struct print *print, enum print_colour colour, const char *format, ...)
{
    struct buf raw, clean;
    buf_init(&raw, LINE_MAX_BYTES);
    buf_init(&clean, LINE_MAX_BYTES);
    va_list args;
    va_start(args, format);
    int size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    invariant(size >= 0);
    char *text = (char *)buf_extend(&raw, (size_t)size + 1);
    if (text) {
        va_start(args, format);
        vsnprintf(text, (size_t)size + 1, format, args);
        va_end(args);
        print_append_clean(&clean, slice_of(text, (size_t)size), SIZE_MAX);
        begin_colour(print, colour);
        if (clean.size) fwrite(clean.data, 1, clean.size, print->out);
        end_colour(print, colour);
    }
    buf_deinit(&clean);
    buf_deinit(&raw);
}

const char *print_count(uint64_t count, char out[PRINT_COUNT_BYTES])
{
    char digits[PRINT_COUNT_BYTES];
    int size = snprintf(digits, sizeof digits, "%" PRIu64, count);
    char *to = out;
    for (int i = 0; i < size; i++) {
        if (i > 0 && (size - i) % 3 == 0) *to++ = ',';
        *to++ = digits[i];
    }
    *to = '\0';
    return out;
}

/* ---- tables ---- */

void table_begin(struct table *table, const struct print *print, const struct print_column *columns, size_t count)
{
    invariant(count > 0 && count <= TABLE_COLUMNS_MAX);
    *table = (struct table){ .print = print, .columns = columns, .column_count = count };
    for (size_t i = 0; i < count; i++)
        table->widths[i] = print_width(slice_text(columns[i].title));
    buf_init(&table->text, (size_t)LINE_MAX_BYTES * TABLE_COLUMNS_MAX);
}

static struct steme_slice waiting_cell(const struct table *table, size_t index)
{
    size_t begin = index ? table->ends[index - 1] : 0;
    size_t size = table->ends[index] - begin;
    return size ? slice_of(table->text.data + begin, size) : slice_of(NULL, 0);
}

static void pad(FILE *out, size_t count)
{
    while (count-- > 0)
        fputc(' ', out);
}

static void print_cell(const struct table *table, size_t column, struct steme_slice text, enum print_colour colour)
{
    const struct print *print = table->print;
    bool last = column + 1 == table->column_count;
    if (!print->table) {
        if (text.size) fwrite(text.data, 1, text.size, print->out);
        fputc(last ? '\n' : '\t', print->out);
        return;
    }
    size_t width = print_width(text);
    size_t missing = table->widths[column] > width ? table->widths[column] - width : 0;
    if (table->columns[column].right) pad(print->out, missing);
    begin_colour(print, colour);
    if (text.size) fwrite(text.data, 1, text.size, print->out);
    end_colour(print, colour);
    if (last) {
        fputc('\n', print->out);
    } else {
        pad(print->out, CELL_GAP + (table->columns[column].right ? 0 : missing));
    }
}

void table_flush(struct table *table)
{
    if (!table->print || table->cell_count == 0) return;
    for (size_t i = 0; i < table->cell_count; i++) {
        size_t width = print_width(waiting_cell(table, i));
        size_t *widest = &table->widths[i % table->column_count];
        if (width > *widest) *widest = width;
    }
    if (table->print->table && !table->headed)
        for (size_t i = 0; i < table->column_count; i++)
            print_cell(table, i, slice_text(table->columns[i].title), PRINT_DIM);
    table->headed = true;
    for (size_t i = 0; i < table->cell_count; i++)
        print_cell(table, i % table->column_count, waiting_cell(table, i),
                   table->columns[i % table->column_count].colour);
    table->cell_count = 0;
    buf_clear(&table->text);
}

void table_cell(struct table *table, struct steme_slice text)
{
    size_t column = table->cell_count % table->column_count;
    if (column == 0 && (table->cell_count == table->column_count * TABLE_ROWS_MAX || table->text.size > LINE_MAX_BYTES))
        table_flush(table);
    size_t limit = table->columns[column].columns_max;
    if (!table->print->table) limit = SIZE_MAX;
    print_append_clean(&table->text, text, limit ? limit : CELL_COLUMNS_DEFAULT);
    table->ends[table->cell_count++] = table->text.size;
    if (table->cell_count % table->column_count == 0) table->row_count++;
}

void table_cellf(struct table *table, const char *format, ...)
{
    char text[4096]; /* what is formatted is a number, an id or a few names */
    va_list args;
    va_start(args, format);
    int size = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    invariant(size >= 0);
    table_cell(table, slice_of(text, (size_t)size < sizeof text ? (size_t)size : sizeof text - 1));
}

void table_end(struct table *table)
{
    table_flush(table);
    buf_deinit(&table->text);
    *table = (struct table){ 0 };
}
