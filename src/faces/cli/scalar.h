/* SPDX-License-Identifier: Apache-2.0 */
/* Small values as people type them: shares of one, durations, counts, moments. All exact; what does not fit is refused
 * with STEME_BAD_INPUT, or STEME_TOO_LARGE where it is well-formed. `what` names the value in messages ("confidence").
 * Pure; any thread. */
#ifndef CLI_SCALAR_H
#define CLI_SCALAR_H

#include "base/error.h"
#include "steme/query.h"
#include "steme/types.h"

#include <stddef.h>
#include <stdint.h>

enum { SCALAR_PRINT_BYTES = 32 };

/* "0.85" to 850000 parts per million: 0 to 1, at most 6 decimals. */
MUST_CHECK steme_status scalar_parse_share(struct steme_slice text, const char *what, uint32_t *ppm_out,
                                           struct steme_error *err);
/* The shortest decimal of a share, "0.85"; reads back to the same. */
void scalar_print_share(uint32_t ppm, char out[SCALAR_PRINT_BYTES]);

/* A whole number from 0 to max. */
MUST_CHECK steme_status scalar_parse_count(const char *text, const char *what, uint64_t max, uint64_t *out,
                                           struct steme_error *err);

/* "90s", "15min", "12h", "30d", "2w", "5y" (years of 365.25 days), to microseconds, over 0. */
MUST_CHECK steme_status scalar_parse_duration(const char *text, const char *what, int64_t *us_out,
                                              struct steme_error *err);

/* The start of an ISO 8601 time, "now", or "@MICROSECONDS" since 1970 (years that ISO can't write). */
MUST_CHECK steme_status scalar_parse_time(struct steme_slice text, const char *what, int64_t now_us, int64_t *us_out,
                                          struct steme_error *err);
/* As ISO 8601 to the microsecond, or as "@MICROSECONDS" where ISO ends; reads back to the same. */
void scalar_print_time(int64_t us, char out[SCALAR_PRINT_BYTES]);

/* What --as-of takes: "seq:N", "@N" or a whole number that is no year (not 4 digits) is a sequence number, all else
 * a time. Sets one bound of *moment and leaves the others. */
MUST_CHECK steme_status scalar_parse_as_of(const char *text, int64_t now_us, struct steme_moment *moment,
                                           struct steme_error *err);

#endif
