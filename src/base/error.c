/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* the strerror_r() that returns text */
#include "base/error.h"
#include "base/check.h"
#include "base/slice.h"
#include "base/utf8.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct status_row {
    const char *name;
    enum steme_class class_;
    const char *text;
};

static const struct status_row status_rows[] = {
#define STATUS_ROW(name, class_, text) { #name, STEME_CLASS_##class_, text },
    STEME_STATUS_MAP(STATUS_ROW)
#undef STATUS_ROW
};

static const struct status_row *find_row(steme_status status)
{
    size_t index = (size_t)status; /* a negative number becomes a huge one */
    return index < countof(status_rows) ? &status_rows[index] : NULL;
}

STEME_API const char *steme_status_name(steme_status status)
{
    const struct status_row *row = find_row(status);
    return row ? row->name : "?";
}

STEME_API const char *steme_status_text(steme_status status)
{
    const struct status_row *row = find_row(status);
    return row ? row->text : "there is no such status";
}

STEME_API enum steme_class steme_status_class(steme_status status)
{
    const struct status_row *row = find_row(status);
    return row ? row->class_ : STEME_CLASS_FAILURE;
}

/* Drop the beginning of a character whose rest did not fit. */
static void trim_cut_character(char *text, size_t size)
{
    size_t tail = 0; /* continuation bytes at the end */
    while (tail < 3 && tail < size && ((unsigned char)text[size - 1 - tail] & 0xC0u) == 0x80u)
        tail++;
    if (tail == size) return;
    unsigned char lead = (unsigned char)text[size - 1 - tail];
    size_t wanted = lead >= 0xF0u ? 3 : lead >= 0xE0u ? 2 : lead >= 0xC0u ? 1 : 0;
    if (tail < wanted) text[size - 1 - tail] = '\0';
}

/* Messages quote untrusted bytes. A reader of logs must not get control characters or broken UTF-8 from
 * them, so those become question marks. */
static void clean_message(char message[STEME_ERROR_MESSAGE_BYTES])
{
    size_t size = strlen(message);
    if (size == STEME_ERROR_MESSAGE_BYTES - 1) {
        trim_cut_character(message, size);
        size = strlen(message);
    }
    bool well_formed = utf8_valid(slice_of(message, size));
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)message[i];
        if (byte < 0x20u || byte == 0x7Fu || (byte >= 0x80u && !well_formed)) message[i] = '?';
    }
}

static void append_os_text(char message[STEME_ERROR_MESSAGE_BYTES], int os_errno)
{
    size_t size = strlen(message);
    char scratch[128];
    const char *text = strerror_r(os_errno, scratch, sizeof scratch);
    snprintf(message + size, STEME_ERROR_MESSAGE_BYTES - size, ": %s", text);
}

steme_status error_set_at(struct steme_error *err, steme_status status, int os_errno, const char *file, int line,
                          const char *format, ...)
{
    invariant(status != STEME_OK);
    if (err) {
        int saved_errno = errno; /* a caller may still look at it */
        err->status = status;
        err->os_errno = os_errno;
        err->file = file;
        err->line = line;
        va_list args;
        va_start(args, format);
        int wrote = vsnprintf(err->message, sizeof err->message, format, args);
        va_end(args);
        if (wrote < 0) err->message[0] = '\0';
        if (os_errno) append_os_text(err->message, os_errno);
        clean_message(err->message);
        errno = saved_errno;
    }
    error_born(err);
    return status;
}

steme_status error_wrap(struct steme_error *err, steme_status status, const char *format, ...)
{
    invariant(status != STEME_OK);
    if (!err) return status;
    char inner[STEME_ERROR_MESSAGE_BYTES];
    memcpy(inner, err->message, sizeof inner);
    inner[sizeof inner - 1] = '\0';
    va_list args;
    va_start(args, format);
    int wrote = vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    if (wrote < 0) err->message[0] = '\0';
    size_t size = strlen(err->message);
    snprintf(err->message + size, sizeof err->message - size, "%s%s", size ? ": " : "", inner);
    clean_message(err->message);
    return status;
}

/* Not inlined and not optimised away, or there would be nowhere to stop. */
__attribute__((noinline)) void error_born(const struct steme_error *err)
{
    __asm__ volatile("" : : "r"(err) : "memory");
}
