/* SPDX-License-Identifier: Apache-2.0 */
/* What may stand in a name or a text. Unicode knowledge is utf8proc's. Pure; any thread. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/error.h"
#include "steme/types.h"

#include <stdbool.h>

/* Well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms, at most U+10FFFF). Linear time. */
bool utf8_valid(struct steme_slice text);

/* A name has one spelling: well-formed, Unicode NFC, no control characters (Cc, U+2028, U+2029), no
 * unassigned code points, no white space at either end, not empty. `what` names the field in the message
 * ("subject"), which also says what to do. STEME_OK, STEME_BAD_INPUT, or STEME_TOO_LARGE over STEME_NAME_MAX
 * bytes. ASCII takes a fast path. */
MUST_CHECK steme_status utf8_check_name(struct steme_slice text, const char *what, struct steme_error *err);

#endif
