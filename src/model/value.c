/* SPDX-License-Identifier: Apache-2.0 */
#include "model/value.h"
#include "base/check.h"
#include "base/codec.h"
#include "base/slice.h"
#include "model/field.h"
#include "model/record.h"

#include <string.h>

/* kind, three bytes whose meaning depends on it and which are zero where it gives them none, then the payload. */
enum {
    VALUE_KIND = 0,
    VALUE_LANGUAGE = 1,  /* TEXT: bytes of the tag, which precedes the text */
    VALUE_SCALE = 1,     /* DECIMAL, QUANTITY */
    VALUE_SCALE_LOW = 2, /* QUANTITY: of the bounds, or both NO_BOUNDS */
    VALUE_SCALE_HIGH = 3,
    VALUE_PRECISION = 1, /* TIME */
    VALUE_BOOLEAN = 1,   /* BOOLEAN */
    VALUE_PAYLOAD = 4,

    NUMBER_BYTES = 8,
    BLOB_SIZE_AT = VALUE_PAYLOAD + 32,
    BLOB_TYPE_AT = BLOB_SIZE_AT + NUMBER_BYTES,
    NO_BOUNDS = INT8_MIN /* no scale: those end at STEME_SCALE_MAX */
};
_Static_assert(STEME_SCALE_MAX < INT8_MAX, "a scale fits a byte");

static void copy_slice(uint8_t *at, struct steme_slice bytes)
{
    if (bytes.size) memcpy(at, bytes.data, bytes.size);
}

static int32_t load_scale(const uint8_t *at)
{
    int8_t scale;
    memcpy(&scale, at, 1);
    return scale;
}

static void store_scale(uint8_t *at, int32_t scale) { *at = (uint8_t)scale; }

/* Where a quantity's unit begins. */
static size_t unit_at(const struct steme_value *value)
{
    return VALUE_PAYLOAD + (value->has_bounds ? 3u : 1u) * (size_t)NUMBER_BYTES;
}

size_t value_bytes(const struct steme_value *value)
{
    switch (value->kind) {
    case STEME_ENTITY: return VALUE_PAYLOAD + value->text.size;
    case STEME_TEXT: return VALUE_PAYLOAD + value->language.size + value->text.size;
    case STEME_INTEGER:
    case STEME_DECIMAL:
    case STEME_TIME: return VALUE_PAYLOAD + NUMBER_BYTES;
    case STEME_QUANTITY: return unit_at(value) + value->unit.size;
    case STEME_BLOB: return BLOB_TYPE_AT + value->media_type.size;
    case STEME_BOOLEAN:
    case STEME_UNKNOWN:
    case STEME_NONE: return VALUE_PAYLOAD;
    default: unreachable_here();
    }
}

static void write_quantity(const struct steme_value *value, uint8_t *at)
{
    store_scale(at + VALUE_SCALE, value->amount.scale);
    store_scale(at + VALUE_SCALE_LOW, value->has_bounds ? value->lower.scale : NO_BOUNDS);
    store_scale(at + VALUE_SCALE_HIGH, value->has_bounds ? value->upper.scale : NO_BOUNDS);
    store_i64(at + VALUE_PAYLOAD, value->amount.coefficient);
    if (value->has_bounds) {
        store_i64(at + VALUE_PAYLOAD + NUMBER_BYTES, value->lower.coefficient);
        store_i64(at + VALUE_PAYLOAD + (size_t)2 * NUMBER_BYTES, value->upper.coefficient);
    }
    copy_slice(at + unit_at(value), value->unit);
}

void value_write(const struct steme_value *value, uint8_t *at)
{
    memset(at, 0, VALUE_PAYLOAD);
    at[VALUE_KIND] = (uint8_t)value->kind;
    uint8_t *payload = at + VALUE_PAYLOAD;
    switch (value->kind) {
    case STEME_ENTITY: copy_slice(payload, value->text); break;
    case STEME_TEXT:
        at[VALUE_LANGUAGE] = (uint8_t)value->language.size;
        copy_slice(payload, value->language);
        copy_slice(payload + value->language.size, value->text);
        break;
    case STEME_INTEGER: store_i64(payload, value->integer); break;
    case STEME_DECIMAL:
        store_scale(at + VALUE_SCALE, value->amount.scale);
        store_i64(payload, value->amount.coefficient);
        break;
    case STEME_QUANTITY: write_quantity(value, at); break;
    case STEME_TIME:
        at[VALUE_PRECISION] = (uint8_t)value->precision;
        store_i64(payload, value->time_us);
        break;
    case STEME_BOOLEAN: at[VALUE_BOOLEAN] = value->boolean; break;
    case STEME_BLOB:
        memcpy(payload, value->blob.bytes, sizeof value->blob.bytes);
        store_u64(at + BLOB_SIZE_AT, value->blob_bytes);
        copy_slice(at + BLOB_TYPE_AT, value->media_type);
        break;
    case STEME_UNKNOWN:
    case STEME_NONE: break;
    default: unreachable_here();
    }
}

static steme_status refuse(const char *problem, struct steme_error *err)
{
    return error_set(err, STEME_BAD_INPUT, "the value's bytes %s", problem);
}

static steme_status refuse_size(struct steme_error *err) { return refuse("are not as many as its kind has", err); }

/* How many of the three bytes behind the kind mean something; the rest are zero. */
static size_t detail_bytes(unsigned kind)
{
    switch (kind) {
    case STEME_TEXT:
    case STEME_DECIMAL:
    case STEME_TIME:
    case STEME_BOOLEAN: return 1;
    case STEME_QUANTITY: return 3;
    default: return 0;
    }
}

static struct steme_slice tail(struct steme_slice bytes, size_t at)
{
    return slice_of(bytes.data + at, bytes.size - at);
}

static steme_status parse_text(struct steme_slice bytes, struct steme_value *value, struct steme_error *err)
{
    size_t text_at = VALUE_PAYLOAD + (size_t)bytes.data[VALUE_LANGUAGE];
    if (bytes.size < text_at) return refuse("end inside the language tag", err);
    value->language = slice_of(bytes.data + VALUE_PAYLOAD, text_at - VALUE_PAYLOAD);
    value->text = tail(bytes, text_at);
    return STEME_OK;
}

static steme_status parse_quantity(struct steme_slice bytes, struct steme_value *value, struct steme_error *err)
{
    const uint8_t *at = bytes.data;
    int32_t low = load_scale(at + VALUE_SCALE_LOW), high = load_scale(at + VALUE_SCALE_HIGH);
    value->has_bounds = low != NO_BOUNDS || high != NO_BOUNDS;
    if (bytes.size < unit_at(value)) return refuse_size(err);
    value->amount.scale = load_scale(at + VALUE_SCALE);
    value->amount.coefficient = load_i64(at + VALUE_PAYLOAD);
    if (value->has_bounds) {
        value->lower = (struct steme_decimal){ load_i64(at + VALUE_PAYLOAD + NUMBER_BYTES), low };
        value->upper = (struct steme_decimal){ load_i64(at + VALUE_PAYLOAD + (size_t)2 * NUMBER_BYTES), high };
    }
    value->unit = tail(bytes, unit_at(value));
    return STEME_OK;
}

static steme_status parse_blob(struct steme_slice bytes, struct steme_value *value, struct steme_error *err)
{
    if (bytes.size < BLOB_TYPE_AT) return refuse_size(err);
    memcpy(value->blob.bytes, bytes.data + VALUE_PAYLOAD, sizeof value->blob.bytes);
    value->blob_bytes = load_u64(bytes.data + BLOB_SIZE_AT);
    value->media_type = tail(bytes, BLOB_TYPE_AT);
    return STEME_OK;
}

/* A payload that is one number. */
static steme_status parse_number(struct steme_slice bytes, struct steme_value *value, struct steme_error *err)
{
    if (bytes.size != VALUE_PAYLOAD + NUMBER_BYTES) return refuse_size(err);
    int64_t number = load_i64(bytes.data + VALUE_PAYLOAD);
    if (value->kind == STEME_INTEGER) {
        value->integer = number;
    } else if (value->kind == STEME_DECIMAL) {
        value->amount = (struct steme_decimal){ number, load_scale(bytes.data + VALUE_SCALE) };
    } else {
        value->time_us = number;
        value->precision = (enum steme_precision)bytes.data[VALUE_PRECISION];
    }
    return STEME_OK;
}

steme_status value_parse(struct steme_slice bytes, struct steme_value *out, struct steme_error *err)
{
    if (bytes.size < VALUE_PAYLOAD) return refuse("are fewer than 4", err);
    const uint8_t *at = bytes.data;
    if (at[VALUE_KIND] > STEME_NONE)
        return error_set(err, STEME_BAD_INPUT, "value kind %u is none; 0 to %d are", at[VALUE_KIND], STEME_NONE);
    for (size_t i = VALUE_KIND + 1 + detail_bytes(at[VALUE_KIND]); i < VALUE_PAYLOAD; i++)
        if (at[i]) return refuse("have something else than zero where the kind has nothing", err);
    out->kind = (enum steme_kind)at[VALUE_KIND];
    switch (out->kind) {
    case STEME_ENTITY: out->text = tail(bytes, VALUE_PAYLOAD); return STEME_OK;
    case STEME_TEXT: return parse_text(bytes, out, err);
    case STEME_INTEGER:
    case STEME_DECIMAL:
    case STEME_TIME: return parse_number(bytes, out, err);
    case STEME_QUANTITY: return parse_quantity(bytes, out, err);
    case STEME_BLOB: return parse_blob(bytes, out, err);
    case STEME_BOOLEAN:
        if (at[VALUE_BOOLEAN] > 1) return refuse("hold a boolean that is neither 0 nor 1", err);
        out->boolean = at[VALUE_BOOLEAN] == 1;
        break;
    case STEME_UNKNOWN:
    case STEME_NONE:
    default: break;
    }
    return bytes.size == VALUE_PAYLOAD ? STEME_OK : refuse_size(err);
}

steme_status value_decode(struct steme_slice bytes, struct steme_value *out, struct steme_error *err)
{
    struct steme_value value = { 0 };
    steme_status status = value_parse(bytes, &value, err);
    if (!status) status = field_check_value(&value, err);
    if (!status) *out = value;
    return status;
}

steme_status value_encode(const struct steme_value *value, struct buf *out, struct steme_error *err)
{
    steme_status status = field_check_value(value, err);
    if (status) return status;
    steme_status before = out->status;
    uint8_t *at = buf_extend(out, value_bytes(value));
    if (at) {
        value_write(value, at);
        return STEME_OK;
    }
    status = buf_check(out, err);
    out->status = before; /* nothing was appended, and the caller is told at once */
    return status;
}
