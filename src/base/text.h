/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers, times and hashes as text, and back. Parsers take the whole slice or refuse it with STEME_BAD_INPUT
 * (STEME_TOO_LARGE where it is well-formed but does not fit), in linear time; no spaces are skipped, no locale
 * is asked. What a printer prints, its parser reads back to the same value. Pure; any thread. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/decimal.h"
#include "base/error.h"
#include "steme/types.h"

#include <stddef.h>
#include <stdint.h>

/* Room for any printed form, the NUL included. */
#define TEXT_HASH_BYTES 65u
#define TEXT_DECIMAL_BYTES 128u
#define TEXT_TIME_BYTES 40u

/* Two lower-case digits a byte and a NUL: out has room for 2 * size + 1. */
void text_hex(const uint8_t *bytes, size_t size, char *out);
/* Exactly size bytes from 2 * size digits, of either case. `what` names them in the message ("agent key"). */
MUST_CHECK steme_status text_parse_hex(struct steme_slice hex, const char *what, uint8_t *out, size_t size,
                                       struct steme_error *err);
/* A hash is 64 hex digits. */
MUST_CHECK steme_status text_parse_hash(struct steme_slice hex, struct steme_hash *out, struct steme_error *err);

/* [+-]digits, in the range of int64_t. */
MUST_CHECK steme_status text_parse_integer(struct steme_slice text, int64_t *out, struct steme_error *err);

/* [+-]digits[.digits][(e|E)[+-]digits]: exactly the number that is written, canonical. STEME_TOO_LARGE when its
 * digits without leading and trailing zeros pass INT64_MAX, or its scale STEME_SCALE_MAX. */
MUST_CHECK steme_status text_parse_decimal(struct steme_slice text, struct steme_decimal *out, struct steme_error *err);
/* "-73.04"; in exponent form, "1.5e-40", where more than 24 zeros would have to be written to place the point.
 * Returns the length without the NUL. number must be within the limits of struct steme_decimal. */
size_t text_print_decimal(struct steme_decimal number, char out[TEXT_DECIMAL_BYTES]);

/* ISO 8601, years 0001 to 9999 of the Gregorian calendar: 1994, 1994-10, 1994-10-27, or 1994-10-27T12:34:56 with
 * an optional fraction of 1 to 6 digits and an optional zone, Z or +hh:mm or -hh:mm; without one it is UTC. The
 * precision is what was written; *us_out is the start of that year, month, day, second or microsecond. */
MUST_CHECK steme_status text_parse_time(struct steme_slice text, int64_t *us_out, enum steme_precision *precision_out,
                                        struct steme_error *err);
/* The same forms in UTC, as much of the instant as the precision means. Years outside 0001..9999, which
 * text_parse_time() refuses, print as ISO 8601's expanded form: a sign and six digits. Returns the length
 * without the NUL. */
size_t text_print_time(int64_t us, enum steme_precision precision, char out[TEXT_TIME_BYTES]);

#endif
