/* SPDX-License-Identifier: Apache-2.0 */
/* Records to measure with: assertions of WORKLOAD_RECORD_BYTES such as an agent that reads papers would make, the same
 * for the same numbers on every machine. Record i answers slot i % slots, so a slot's candidates lie scattered over the
 * log. */
#ifndef BENCH_LIB_WORKLOAD_H
#define BENCH_LIB_WORKLOAD_H

#include "base/arena.h"
#include "steme/store.h"

#include <stdint.h>

#define WORKLOAD_RECORD_BYTES 320u
#define WORKLOAD_NAME_BYTES 96u
#define WORKLOAD_CALL_RECORDS 500u /* singly signed ones in a call: an import that hands on what others have signed */

struct workload_shape {
    size_t slots;  /* how many questions there are */
    size_t claims; /* how many different answers a question has */
};

/* Names and numbers of record i; the assertion points into it. */
struct workload_assertion {
    char subject[WORKLOAD_NAME_BYTES], object[WORKLOAD_NAME_BYTES], source[WORKLOAD_NAME_BYTES];
    char uri[WORKLOAD_NAME_BYTES], locator[WORKLOAD_NAME_BYTES];
    struct steme_evidence evidence;
    struct steme_assertion assertion;
};
void workload_assertion(const struct workload_shape *shape, size_t i, struct workload_assertion *out);
/* Subject of the slot; its predicate is WORKLOAD_PREDICATE. */
#define WORKLOAD_PREDICATE "expressed in tissue"
void workload_subject(size_t slot, char name[WORKLOAD_NAME_BYTES]);

/* One call of steme_submit(). */
struct workload_call {
    const struct steme_signed *records;
    size_t count;
};

struct workload {
    struct workload_call *calls;
    size_t call_count;
    struct steme_signed *records; /* of all calls, in order */
    size_t record_count;          /* bundles included */
    size_t assertion_count;
    struct steme_hash *ids; /* of all records, in order */
    struct arena arena;
};

/* Assertions first..first+count-1, each signed by itself, call_size of them a call. */
void workload_singles(struct workload *workload, const struct workload_shape *shape, size_t first, size_t count,
                      size_t call_size);
/* The same in bundles of bundle_size, a bundle with its members a call. */
void workload_bundles(struct workload *workload, const struct workload_shape *shape, size_t first, size_t count,
                      size_t bundle_size);
void workload_free(struct workload *workload);

#endif
