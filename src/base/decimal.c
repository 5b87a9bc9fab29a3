/* SPDX-License-Identifier: Apache-2.0 */
#include "base/decimal.h"
#include "base/check.h"
#include "steme/limits.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { INT64_DIGITS = 19 }; /* decimal digits of the largest coefficient; 10 to this power fits a uint64_t */

static const uint64_t powers_of_ten[INT64_DIGITS + 1] = {
    1u,
    10u,
    100u,
    1000u,
    10000u,
    100000u,
    1000000u,
    10000000u,
    100000000u,
    1000000000u,
    10000000000u,
    100000000000u,
    1000000000000u,
    10000000000000u,
    100000000000000u,
    1000000000000000u,
    10000000000000000u,
    100000000000000000u,
    1000000000000000000u,
    10000000000000000000u,
};

static uint64_t magnitude(int64_t number) { return number < 0 ? 0u - (uint64_t)number : (uint64_t)number; }

static int digit_count(uint64_t number)
{
    int count = 0;
    while (count <= INT64_DIGITS && number >= powers_of_ten[count])
        count++;
    return count;
}

bool decimal_is_canonical(struct steme_decimal number)
{
    if (number.coefficient == 0) return number.scale == 0;
    return number.coefficient != INT64_MIN && number.coefficient % 10 != 0 && number.scale >= -STEME_SCALE_MAX &&
           number.scale <= STEME_SCALE_MAX;
}

/* The sum of two aligned coefficients may need 128 bits until its trailing zeros are gone. */
__extension__ static steme_status make_wide(__int128 coefficient, int64_t scale, struct steme_decimal *out,
                                            struct steme_error *err)
{
    if (coefficient == 0) scale = 0;
    while (coefficient != 0 && coefficient % 10 == 0) {
        coefficient /= 10;
        scale--;
    }
    if (coefficient > INT64_MAX || coefficient < -INT64_MAX)
        return error_set(err, STEME_TOO_LARGE, "the number needs more than the 18 digits that always fit; round it");
    if (scale < -STEME_SCALE_MAX || scale > STEME_SCALE_MAX)
        return error_set(err, STEME_TOO_LARGE,
                         "the number needs the scale %" PRId64 ", %d is the most; choose another unit", scale,
                         STEME_SCALE_MAX);
    *out = (struct steme_decimal){ .coefficient = (int64_t)coefficient, .scale = (int32_t)scale };
    return STEME_OK;
}

steme_status decimal_make(int64_t coefficient, int64_t scale, struct steme_decimal *out, struct steme_error *err)
{
    const int64_t far = 1000; /* beyond any scale that dropping zeros can save; keeps scale-- from overflowing */
    return make_wide(coefficient, scale < -far ? -far : scale > far ? far : scale, out, err);
}

steme_status decimal_add(struct steme_decimal a, struct steme_decimal b, struct steme_decimal *out,
                         struct steme_error *err)
{
    steme_status status = decimal_make(a.coefficient, a.scale, &a, err);
    if (status) return status;
    status = decimal_make(b.coefficient, b.scale, &b, err);
    if (status) return status;
    if (a.coefficient == 0 || b.coefficient == 0) {
        *out = a.coefficient ? a : b;
        return STEME_OK;
    }
    if (a.scale > b.scale) { /* b is the one with more digits behind the point */
        struct steme_decimal swap = a;
        a = b;
        b = swap;
    }
    int32_t shift = b.scale - a.scale;
    /* a is at least 10^20 times the last digit of b then: no cancellation brings that back into 64 bits. */
    if (shift > INT64_DIGITS)
        return error_set(err, STEME_TOO_LARGE, "the exact result needs more digits than fit; round the operands");
    __extension__ __int128 sum = a.coefficient;
    sum = sum * powers_of_ten[shift] + b.coefficient;
    return make_wide(sum, b.scale, out, err);
}

steme_status decimal_sub(struct steme_decimal a, struct steme_decimal b, struct steme_decimal *out,
                         struct steme_error *err)
{
    steme_status status = decimal_make(b.coefficient, b.scale, &b, err);
    if (status) return status;
    b.coefficient = -b.coefficient; /* decimal_make() let no INT64_MIN through */
    return decimal_add(a, b, out, err);
}

/* Both positive. */
static int compare_magnitudes(struct steme_decimal a, struct steme_decimal b)
{
    uint64_t a_digits = magnitude(a.coefficient), b_digits = magnitude(b.coefficient);
    int64_t a_top = digit_count(a_digits) - (int64_t)a.scale; /* places before the point */
    int64_t b_top = digit_count(b_digits) - (int64_t)b.scale;
    if (a_top != b_top) return a_top < b_top ? -1 : 1;
    /* The first digits stand at the same place, so the scales differ by less than the digits of a number. */
    __extension__ unsigned __int128 wide_a = a_digits, wide_b = b_digits;
    if (a.scale < b.scale)
        wide_a *= powers_of_ten[b.scale - a.scale];
    else
        wide_b *= powers_of_ten[a.scale - b.scale];
    return (wide_a > wide_b) - (wide_a < wide_b);
}

int decimal_compare(struct steme_decimal a, struct steme_decimal b)
{
    int a_sign = (a.coefficient > 0) - (a.coefficient < 0);
    int b_sign = (b.coefficient > 0) - (b.coefficient < 0);
    if (a_sign != b_sign) return a_sign < b_sign ? -1 : 1;
    if (a_sign == 0) return 0;
    return a_sign > 0 ? compare_magnitudes(a, b) : compare_magnitudes(b, a);
}

double decimal_to_double(struct steme_decimal number)
{
    char text[48];
    snprintf(text, sizeof text, "%" PRId64 "e%" PRId64, number.coefficient, -(int64_t)number.scale);
    return strtod(text, NULL); /* no point in the text, so no locale can misread it */
}
