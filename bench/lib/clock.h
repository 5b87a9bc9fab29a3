/* SPDX-License-Identifier: Apache-2.0 */
/* Time by the engine's own clock, and work done by several threads from one shot on. */
#ifndef BENCH_LIB_CLOCK_H
#define BENCH_LIB_CLOCK_H

#include <stdbool.h>
#include <stddef.h>

double clock_seconds(void);
/* CPU seconds of the whole process so far: on a busy machine steadier than the clock. */
double clock_cpu_seconds(void);
void clock_sleep(double seconds);

/* Run work(context, index) in `count` threads, index 0..count-1, all let go at once. Returns the seconds until the last
 * one came back. */
double crew_run(size_t count, void (*work)(void *context, size_t index), void *context);

/* The same for work that goes on until crew_over(): it is said after `seconds`. */
double crew_run_for(double seconds, size_t count, void (*work)(void *context, size_t index), void *context);
bool crew_over(void);

#endif
