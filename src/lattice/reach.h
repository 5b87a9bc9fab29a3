/* SPDX-License-Identifier: Apache-2.0 */
/* What a judgement of one slot looks at beyond the slot. Everybody who has to know which answers a record may change
 * (watch, impact, views) asks with this. Zeroed: at nothing but its slot. */
#ifndef LATTICE_REACH_H
#define LATTICE_REACH_H

#include <stdbool.h>

struct reach {
    bool predicate;    /* at all slots of its predicate: what its voices said elsewhere is learned from */
    bool endorsements; /* at who endorses whom in the whole store: voices are weighed by it */
};

#endif
