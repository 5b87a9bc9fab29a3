/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests share. One thread at a time unless said otherwise. Asserts are inline over functions that don't
 * return, so that analyzers know what holds after them. */
#ifndef TESTS_LIB_TESTING_H
#define TESTS_LIB_TESTING_H

#include "base/prng.h"
#include "steme/status.h"
#include "steme/types.h"

/* cmocka wants these before itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>

/* The statuses are the same, or the test fails and prints the row's name and err's message. err may be NULL; it is
 * only looked at when got is not STEME_OK. */
#define assert_status(got, want, err, name) testing_assert_status((got), (want), (err), (name), __FILE__, __LINE__)
_Noreturn void testing_fail_status(steme_status got, steme_status want, const struct steme_error *err, const char *name,
                                   const char *file, int line);
static inline void testing_assert_status(steme_status got, steme_status want, const struct steme_error *err,
                                         const char *name, const char *file, int line)
{
    if (got != want) testing_fail_status(got, want, err, name, file, line);
}

/* The condition holds, or the test fails and prints the row's name. */
#define assert_row(condition, name) testing_assert_row((condition), #condition, (name), __FILE__, __LINE__)
_Noreturn void testing_fail_row(const char *condition, const char *name, const char *file, int line);
static inline void testing_assert_row(bool holds, const char *condition, const char *name, const char *file, int line)
{
    if (!holds) testing_fail_row(condition, name, file, line);
}

/* The two texts are the same, or the test fails and prints the row's name and both. */
#define assert_row_text(got, want, name) testing_assert_row_text((got), (want), (name), __FILE__, __LINE__)
void testing_assert_row_text(const char *got, const char *want, const char *name, const char *file, int line);

/* Bytes of hex digits; spaces and newlines between bytes are skipped. malloc'ed, the caller frees; a byte is
 * allocated beyond them at most, so that AddressSanitizer sees a read past the end. Fails the test on bad hex. */
struct steme_slice testing_bytes(const char *hex);
void testing_free(struct steme_slice bytes);
/* Lower-case hex with a NUL; malloc'ed. */
char *testing_hex(struct steme_slice bytes);

/* A new empty directory below TMPDIR or /tmp; malloc'ed path. */
char *testing_make_temporary(void);
/* Removes the directory with all that is in it, and frees the path. NULL is fine. */
void testing_remove_temporary(char *path);
/* "dir/name"; malloc'ed. */
char *testing_join(const char *dir, const char *name);

/* Path of a file of the shared test data, such as "vectors/blake3/test_vectors.json": below STEME_SHARED_DATA, or
 * else ../shared/data beside the source tree. malloc'ed; NULL, with a message printed, when it is not there: the test
 * should skip() then. */
char *testing_data_path(const char *name);

#endif
