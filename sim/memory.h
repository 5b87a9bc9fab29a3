/* SPDX-License-Identifier: Apache-2.0 */
/* The program's allocator, which can fail on demand: the program is linked so that malloc and its kin come here. */
#ifndef SIM_MEMORY_H
#define SIM_MEMORY_H

#include <stdint.h>

/* The nth allocation from now (1 = the next) that the engine makes fails; 0: none does. */
void memory_fail(uint64_t nth);
/* Between these two, allocations are the engine's. */
void memory_engine_begins(void);
void memory_engine_ends(void);

#endif
