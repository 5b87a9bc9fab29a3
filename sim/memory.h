/* SPDX-License-Identifier: Apache-2.0 */
/* The program's allocator, which can fail on demand: the program is linked so that malloc and its kin come here. */
#ifndef SIM_MEMORY_H
#define SIM_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

/* The nth allocation from now (1 = the next) that the engine makes fails, for_ever: and all after it; 0: none does. */
void memory_fail(uint64_t nth, bool for_ever);
/* Allocations of the engine so far, and how many of them failed. */
uint64_t memory_calls(void);
uint64_t memory_struck(void);
/* Blocks of the whole program that are not freed yet, the engine's or not. */
uint64_t memory_live(void);
/* Between these two, allocations are the engine's. */
void memory_engine_begins(void);
void memory_engine_ends(void);

#endif
