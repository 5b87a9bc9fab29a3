/* SPDX-License-Identifier: Apache-2.0 */
/* Text forms of values, times and ids for the outside; the work is base/text's. */
#include "base/check.h"
#include "base/decimal.h"
#include "base/slice.h"
#include "base/text.h"
#include "steme/text.h"

#include <inttypes.h>
#include <stdio.h>

_Static_assert(STEME_PRINT_BYTES >= TEXT_DECIMAL_BYTES && STEME_PRINT_BYTES >= TEXT_TIME_BYTES &&
                   STEME_PRINT_BYTES >= TEXT_HASH_BYTES,
               "callers have room for every printed form");

void steme_print_hash(const struct steme_hash *hash, char out[STEME_PRINT_BYTES])
{
    text_hex(hash->bytes, sizeof hash->bytes, out);
}

steme_status steme_parse_hash(struct steme_slice text, struct steme_hash *out, struct steme_error *err)
{
    return text_parse_hash(text, out, err);
}

steme_status steme_parse_decimal(struct steme_slice text, struct steme_decimal *out, struct steme_error *err)
{
    return text_parse_decimal(text, out, err);
}

void steme_print_decimal(struct steme_decimal decimal, char out[STEME_PRINT_BYTES])
{
    (void)text_print_decimal(decimal, out);
}

steme_status steme_decimal_sub(struct steme_decimal a, struct steme_decimal b, struct steme_decimal *out,
                               struct steme_error *err)
{
    return decimal_sub(a, b, out, err);
}

steme_status steme_decimal_add(struct steme_decimal a, struct steme_decimal b, struct steme_decimal *out,
                               struct steme_error *err)
{
    return decimal_add(a, b, out, err);
}

double steme_decimal_double(struct steme_decimal decimal) { return decimal_to_double(decimal); }

steme_status steme_parse_integer(struct steme_slice text, int64_t *out, struct steme_error *err)
{
    return text_parse_integer(text, out, err);
}

steme_status steme_parse_time(struct steme_slice text, int64_t *us_out, enum steme_precision *precision_out,
                              struct steme_error *err)
{
    return text_parse_time(text, us_out, precision_out, err);
}

void steme_print_time(int64_t us, enum steme_precision precision, char out[STEME_PRINT_BYTES])
{
    (void)text_print_time(us, precision, out);
}

/* ---- values ---- */

static size_t print_decimal(struct steme_decimal decimal, char *out, size_t room)
{
    char text[TEXT_DECIMAL_BYTES];
    (void)text_print_decimal(decimal, text);
    return (size_t)snprintf(out, room, "%s", text);
}

/* "67.4 ± 0.5 km/s/Mpc", "1.2 +0.3 -0.1", or just the amount. */
static size_t print_quantity(const struct steme_value *value, char *out, size_t room)
{
    char amount[TEXT_DECIMAL_BYTES], plus[TEXT_DECIMAL_BYTES] = "", minus[TEXT_DECIMAL_BYTES] = "";
    struct steme_decimal up = { 0 }, down = { 0 };
    (void)text_print_decimal(value->amount, amount);
    bool bounds = value->has_bounds && decimal_sub(value->upper, value->amount, &up, NULL) == STEME_OK &&
                  decimal_sub(value->amount, value->lower, &down, NULL) == STEME_OK;
    if (bounds) {
        (void)text_print_decimal(up, plus);
        (void)text_print_decimal(down, minus);
    }
    const char *space = value->unit.size ? " " : "";
    if (!bounds) return (size_t)snprintf(out, room, "%s%s%.*s", amount, space, SLICE_PRINT(value->unit));
    if (decimal_compare(up, down) == 0)
        return (size_t)snprintf(out, room, "%s \u00b1 %s%s%.*s", amount, plus, space, SLICE_PRINT(value->unit));
    return (size_t)snprintf(out, room, "%s +%s -%s%s%.*s", amount, plus, minus, space, SLICE_PRINT(value->unit));
}

static size_t print_blob(const struct steme_value *value, char *out, size_t room)
{
    char hex[TEXT_HASH_BYTES];
    text_hex(value->blob.bytes, sizeof value->blob.bytes, hex);
    return (size_t)snprintf(out, room, "%s:%" PRIu64 ":%.*s", hex, value->blob_bytes, SLICE_PRINT(value->media_type));
}

size_t steme_print_value(const struct steme_value *value, char *out, size_t room)
{
    char text[TEXT_TIME_BYTES];
    switch (value->kind) {
    case STEME_ENTITY:
    case STEME_TEXT: return (size_t)snprintf(out, room, "%.*s", SLICE_PRINT(value->text));
    case STEME_INTEGER: return (size_t)snprintf(out, room, "%" PRId64, value->integer);
    case STEME_DECIMAL: return print_decimal(value->amount, out, room);
    case STEME_QUANTITY: return print_quantity(value, out, room);
    case STEME_TIME:
        (void)text_print_time(value->time_us, value->precision, text);
        return (size_t)snprintf(out, room, "%s", text);
    case STEME_BOOLEAN: return (size_t)snprintf(out, room, "%s", value->boolean ? "true" : "false");
    case STEME_BLOB: return print_blob(value, out, room);
    case STEME_UNKNOWN: return (size_t)snprintf(out, room, "unknown");
    case STEME_NONE: return (size_t)snprintf(out, room, "none");
    }
    unreachable_here();
}
