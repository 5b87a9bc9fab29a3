/* SPDX-License-Identifier: Apache-2.0 */
/* The limit of verifying one by one: libsodium, and nothing around it. */
#ifndef BENCH_LIB_VERIFY_H
#define BENCH_LIB_VERIFY_H

#include "workload.h"

/* Verify every signature of the workload on this many threads; the seconds it takes. */
double verify_alone(const struct workload *workload, size_t threads);

#endif
