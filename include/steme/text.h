/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Text forms of values, times and ids: what faces read and print. Strict both ways: what is printed reads back
 * as the same value.
 */
#ifndef STEME_TEXT_H
#define STEME_TEXT_H

#include "steme/status.h"
#include "steme/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Room for a printed decimal, time or hash with its NUL. */
#define STEME_PRINT_BYTES 160

/** 64 lower-case hex digits and a NUL. */
STEME_API void steme_print_hash(const struct steme_hash *hash, char out[STEME_PRINT_BYTES]);
/** Exactly 64 hex digits. */
STEME_API STEME_MUST_CHECK steme_status steme_parse_hash(struct steme_slice text, struct steme_hash *out,
                                                         struct steme_error *err);
/** Exact decimal, "-12.50e3" and the like; the result is canonical. NaN, infinities and what does not fit are
 * refused. */
STEME_API STEME_MUST_CHECK steme_status steme_parse_decimal(struct steme_slice text, struct steme_decimal *out,
                                                            struct steme_error *err);
/** Plain notation where it is short, else with an exponent. */
STEME_API void steme_print_decimal(struct steme_decimal decimal, char out[STEME_PRINT_BYTES]);
/** a - b exactly; ::STEME_TOO_LARGE when it does not fit. */
STEME_API STEME_MUST_CHECK steme_status steme_decimal_sub(struct steme_decimal a, struct steme_decimal b,
                                                          struct steme_decimal *out, struct steme_error *err);
/** a + b exactly; ::STEME_TOO_LARGE when it does not fit. */
STEME_API STEME_MUST_CHECK steme_status steme_decimal_add(struct steme_decimal a, struct steme_decimal b,
                                                          struct steme_decimal *out, struct steme_error *err);
/** Nearest double. */
STEME_API double steme_decimal_double(struct steme_decimal decimal);
/** 64-bit integer. */
STEME_API STEME_MUST_CHECK steme_status steme_parse_integer(struct steme_slice text, int64_t *out,
                                                            struct steme_error *err);
/** ISO 8601 in UTC: "1994", "1994-10", "1994-10-27", "1994-10-27T12:34:56.5Z", or with an offset. */
STEME_API STEME_MUST_CHECK steme_status steme_parse_time(struct steme_slice text, int64_t *us_out,
                                                         enum steme_precision *precision_out, struct steme_error *err);
/** The same form. Times outside the years 0001..9999, which steme_parse_time() refuses, print as ISO 8601's expanded
 * form, a sign and six digits of year: for people to read, not to be read back. */
STEME_API void steme_print_time(int64_t us, enum steme_precision precision, char out[STEME_PRINT_BYTES]);
/** One unambiguous, short line for a value as people read it: "67.4 ± 0.5 km/s/Mpc", "Pluto", "true". Returns bytes
 * needed without the NUL, as snprintf does. */
STEME_API size_t steme_print_value(const struct steme_value *value, char *out, size_t room);

#ifdef __cplusplus
}
#endif
#endif
