/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes of a value, for the codecs of this layer; value_encode() and value_decode() are for the others. Pure. */
#ifndef MODEL_VALUE_H
#define MODEL_VALUE_H

#include "base/error.h"
#include "steme/types.h"

/* Bytes of a value that field_check_value() accepts. */
size_t value_bytes(const struct steme_value *value);
/* Write them at `at`. */
void value_write(const struct steme_value *value, uint8_t *at);
/* Take a value's bytes apart without judging what it says: field_check_value() is for the caller to ask. Members of
 * *out that the kind does not name stay as they are; after a failure any may have changed. */
MUST_CHECK steme_status value_parse(struct steme_slice bytes, struct steme_value *out, struct steme_error *err);

#endif
