/* SPDX-License-Identifier: Apache-2.0 */
/* Exact decimal arithmetic on struct steme_decimal (include/steme/types.h). Results are canonical or a status:
 * nothing is ever rounded. Pure; any thread. */
#ifndef BASE_DECIMAL_H
#define BASE_DECIMAL_H

#include "base/error.h"
#include "steme/types.h"

#include <stdbool.h>

/* Within limits, and the one spelling of its number: no trailing zero in the coefficient, 0 has scale 0. */
bool decimal_is_canonical(struct steme_decimal number);

/* The canonical spelling of coefficient x 10^-scale. STEME_TOO_LARGE when it needs a coefficient of INT64_MIN or a
 * scale past STEME_SCALE_MAX. */
MUST_CHECK steme_status decimal_make(int64_t coefficient, int64_t scale, struct steme_decimal *out,
                                     struct steme_error *err);

/* a + b and a - b. STEME_TOO_LARGE when the exact result does not fit, or an operand does not. */
MUST_CHECK steme_status decimal_add(struct steme_decimal a, struct steme_decimal b, struct steme_decimal *out,
                                    struct steme_error *err);
MUST_CHECK steme_status decimal_sub(struct steme_decimal a, struct steme_decimal b, struct steme_decimal *out,
                                    struct steme_error *err);

/* <0, 0, >0 by the numbers meant, whether or not they are canonical. */
int decimal_compare(struct steme_decimal a, struct steme_decimal b);

/* The nearest double, ties to even, in any locale. */
double decimal_to_double(struct steme_decimal number);

#endif
