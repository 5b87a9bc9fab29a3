/* SPDX-License-Identifier: Apache-2.0 */
/* Values as measurements. Pure; any thread. */
#ifndef CORTEX_MEASURE_H
#define CORTEX_MEASURE_H

#include "steme/types.h"

#include <stdbool.h>

struct measure {
    double x;
    double error;            /* half the distance of the bounds; 0: none are stated */
    struct steme_slice unit; /* of a quantity; integers and decimals have none */
};

/* False unless the value is an integer, a decimal or a quantity. */
bool measure_of(const struct steme_value *value, struct measure *out);
/* Half the distance of a quantity's bounds. */
double measure_error(const struct steme_value *value);

#endif
