/* SPDX-License-Identifier: Apache-2.0 */
/* Small scripted pieces of work, in which every call of the host and every allocation is made to fail, one by one.
 * What they do follows from nothing but their names. */
#ifndef SIM_WORKLOADS_H
#define SIM_WORKLOADS_H

#include "sim/world.h"

struct workload {
    const char *name;
    bool talk;                            /* with the stock of talk; else that of import */
    bool nothing;                         /* begin without a store */
    bool opens;                           /* it opens the store, so that what was in doubt is settled then */
    void (*prepare)(struct world *world); /* without faults; may be NULL */
    /* Returns the last status that was not STEME_OK. What it read is added to *seen. */
    steme_status (*work)(struct world *world, struct steme_hash *seen, struct steme_error *err);
    /* Afterwards, without faults: what the work left half done can be done. once: there was one failure at most. NULL:
     * nothing of its own. */
    void (*settle)(struct world *world, steme_status status, bool once);
};

extern const struct workload workloads[];
extern const size_t workload_count;

#endif
