/* SPDX-License-Identifier: Apache-2.0 */
/* Our own broken promises. Checked in every build, release included: they print what and where to
 * standard error and abort. Bad input, full disks and corrupt bytes are statuses instead. */
#ifndef BASE_CHECK_H
#define BASE_CHECK_H

#define invariant(condition)                                                                 \
    do {                                                                                     \
        if (__builtin_expect(!(condition), 0)) check_failed(#condition, __FILE__, __LINE__); \
    } while (0)

/* A place that can't be reached, such as after a switch over all values of an enum. */
#define unreachable_here() check_failed("unreachable", __FILE__, __LINE__)

_Noreturn void check_failed(const char *what, const char *file, int line);

#define countof(array) (sizeof(array) / sizeof((array)[0]))

#endif
