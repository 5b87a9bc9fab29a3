/* SPDX-License-Identifier: Apache-2.0 */
/* External merge sort of key-value pairs for bulk loading: sorted runs in memory up to a bound, then in temporary
 * files. Stable: equal keys come out in the order they were added. The files need not survive anything, so they are
 * never synced; leftovers of a crash are removed by sorter_clean(). One thread. */
#ifndef SPINE_SORTER_H
#define SPINE_SORTER_H

#include "base/error.h"
#include "host/host.h"
#include "steme/types.h"

struct sorter;

/* Files are named dir/sort-N.run. memory_bytes: of pairs held before a run is written out, at least
 * 1 MiB; as much again goes into their order. */
MUST_CHECK steme_status sorter_new(struct host *host, const char *dir, size_t memory_bytes, struct sorter **out,
                                   struct steme_error *err);
/* Removes its files; NULL is fine; *sorter is NULL afterwards. */
void sorter_free(struct sorter **sorter);

/* key 1..65535 bytes, value 0..65535 bytes; copied. */
MUST_CHECK steme_status sorter_add(struct sorter *sorter, struct steme_slice key, struct steme_slice value,
                                   struct steme_error *err);
/* The next pair in key order; the first call ends the adding. Valid until the next call. STEME_NOT_FOUND at the end. */
MUST_CHECK steme_status sorter_next(struct sorter *sorter, struct steme_slice *key_out, struct steme_slice *value_out,
                                    struct steme_error *err);
/* Remove runs a crash left in dir. */
MUST_CHECK steme_status sorter_clean(struct host *host, const char *dir, struct steme_error *err);

#endif
