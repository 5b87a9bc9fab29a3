/* SPDX-License-Identifier: Apache-2.0 */
/* Ascending order of a list without moving it and without memory of its own. Pure; any thread. */
#ifndef MODEL_ORDER_H
#define MODEL_ORDER_H

#include "steme/types.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Most items of one list: indices are 16 bit. */
#define ORDER_MAX 65535u

/* <0, 0, >0 for items a and b of the list. */
typedef int order_compare_fn(const void *list, size_t a, size_t b);

/* Fill order[0..count) with the indices of a list's items, ascending; count <= ORDER_MAX. At most 2 n log n
 * comparisons whatever the input, n when it is sorted already. */
void order_items(uint16_t *order, size_t count, order_compare_fn *compare, const void *list);

/* Whether two items of the list compare equal, given an order made by order_items(); *first < *second are the indices
 * of such a pair then. */
bool order_twins(const uint16_t *order, size_t count, order_compare_fn *compare, const void *list, size_t *first,
                 size_t *second);

#endif
