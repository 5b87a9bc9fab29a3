/* SPDX-License-Identifier: Apache-2.0 */
/* A host in front of a host that stops at a chosen call: that call and all after it fail with EIO and
 * reach nothing, as if the machine had stopped just before. What the inner host has taken until then is what a power
 * cut or a kill finds. Only calls that can change something count. One thread. */
#ifndef TESTS_LIB_HOST_CUT_H
#define TESTS_LIB_HOST_CUT_H

#include "host/host.h"

/* inner stays the caller's. NULL when memory is out. */
struct host *host_cut_new(struct host *inner);
void host_cut_free(struct host *);
/* Stop before the nth call from now on (1 = the next); 0: never. */
void host_cut_after(struct host *, uint64_t nth);
/* Calls counted so far, and whether it has stopped. */
uint64_t host_cut_calls(struct host *);
bool host_cut_stopped(struct host *);

#endif
