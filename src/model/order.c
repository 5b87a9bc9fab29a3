/* SPDX-License-Identifier: Apache-2.0 */
#include "model/order.h"
#include "base/check.h"

static bool is_sorted(size_t count, order_compare_fn *compare, const void *list)
{
    for (size_t i = 1; i < count; i++)
        if (compare(list, i - 1, i) > 0) return false;
    return true;
}

/* Let the item at the root of a heap sink until none below it is greater. */
static void sink(uint16_t *heap, size_t root, size_t count, order_compare_fn *compare, const void *list)
{
    uint16_t item = heap[root];
    for (;;) {
        size_t child = 2 * root + 1;
        if (child >= count) break;
        if (child + 1 < count && compare(list, heap[child], heap[child + 1]) < 0) child++;
        if (compare(list, item, heap[child]) >= 0) break;
        heap[root] = heap[child];
        root = child;
    }
    heap[root] = item;
}

/* Heapsort: in place, and no input makes it slow. */
void order_items(uint16_t *order, size_t count, order_compare_fn *compare, const void *list)
{
    invariant(count <= ORDER_MAX);
    for (size_t i = 0; i < count; i++)
        order[i] = (uint16_t)i;
    if (is_sorted(count, compare, list)) return; /* what was decoded before, or written by a careful author */
    for (size_t root = count / 2; root-- > 0;)
        sink(order, root, count, compare, list);
    for (size_t end = count - 1; end > 0; end--) {
        uint16_t last = order[end];
        order[end] = order[0];
        order[0] = last;
        sink(order, 0, end, compare, list);
    }
}

bool order_twins(const uint16_t *order, size_t count, order_compare_fn *compare, const void *list, size_t *first,
                 size_t *second)
{
    for (size_t i = 1; i < count; i++) {
        size_t a = order[i - 1], b = order[i];
        if (compare(list, a, b) != 0) continue;
        *first = a < b ? a : b;
        *second = a < b ? b : a;
        return true;
    }
    return false;
}
