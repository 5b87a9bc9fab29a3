/* SPDX-License-Identifier: Apache-2.0 */
#include "cortex/measure.h"
#include "base/decimal.h"

/* Exact before it is rounded once, unless the bounds are so far apart that nothing cancels. */
double measure_error(const struct steme_value *value)
{
    struct steme_decimal width;
    if (decimal_sub(value->upper, value->lower, &width, NULL) == STEME_OK) return 0.5 * decimal_to_double(width);
    return 0.5 * (decimal_to_double(value->upper) - decimal_to_double(value->lower));
}

bool measure_of(const struct steme_value *value, struct measure *out)
{
    bool quantity = value->kind == STEME_QUANTITY;
    *out = (struct measure){ 0 };
    if (value->kind == STEME_INTEGER) {
        out->x = (double)value->integer;
        return true;
    }
    if (!quantity && value->kind != STEME_DECIMAL) return false;
    out->x = decimal_to_double(value->amount);
    if (!quantity) return true;
    if (value->has_bounds) out->error = measure_error(value);
    out->unit = value->unit;
    return true;
}
