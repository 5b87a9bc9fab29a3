/* SPDX-License-Identifier: Apache-2.0 */
/* Errors are born in error_set() and gain context in error_wrap(); put a breakpoint on
 * error_born() to stop where one begins. Pure; any thread. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include "steme/status.h"

#define MUST_CHECK STEME_MUST_CHECK

/* Fill err (may be NULL) and return status, so that a failing call is one line:
 *     return error_set(err, STEME_TOO_LARGE, "subject has %zu bytes, at most %u allowed", n, max); */
#define error_set(err, status, ...) error_set_os((err), (status), 0, __VA_ARGS__)
/* The same, with the errno of the system call that failed; its text is appended to the message. Both are the status
 * itself, so that the compiler sees that a constant one is not STEME_OK. */
#define error_set_os(err, status, os_errno, ...) \
    ((void)error_set_at((err), (status), (os_errno), __FILE__, __LINE__, __VA_ARGS__), (steme_status)(status))

steme_status error_set_at(struct steme_error *err, steme_status status, int os_errno, const char *file, int line,
                          const char *format, ...) __attribute__((format(printf, 6, 7)));

/* Put context in front of err's message, "context: message", and return status unchanged. err may be
 * NULL. Only where a person would ask "while doing what?". */
steme_status error_wrap(struct steme_error *err, steme_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Called once for each new error. Does nothing: it is a place to stop a debugger. */
void error_born(const struct steme_error *err);

#endif
