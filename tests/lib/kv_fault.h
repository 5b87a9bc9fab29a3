/* SPDX-License-Identifier: Apache-2.0 */
/* A store in front of a store that counts calls and fails those it is told to. Between faults it is transparent, but
 * for one thing: it lends copies that die exactly when the contract lets them, so that the address sanitizer finds
 * who keeps a slice for too long. Thread-safe as its inner store. */
#ifndef TESTS_LIB_KV_FAULT_H
#define TESTS_LIB_KV_FAULT_H

#include "spine/kv.h"

enum kv_fault_call {
    KV_FAULT_ANY,
    KV_FAULT_BEGIN,
    KV_FAULT_GET,
    KV_FAULT_SEEK,
    KV_FAULT_NEXT,
    KV_FAULT_LAST,
    KV_FAULT_PUT, /* kv_put_fresh() too */
    KV_FAULT_APPEND,
    KV_FAULT_REMOVE,
    KV_FAULT_COMMIT, /* of write transactions; a failed one is aborted */
    KV_FAULT_SYNC,
    KV_FAULT_CALLS
};

/* Takes the inner store, which closes with this one. NULL when memory is out (the inner store is closed). */
struct kv *kv_fault_new(struct kv *inner);
/* The nth call (1 = the next) of that kind from now on fails with the status, without reaching the inner store;
 * for_ever: so do all after it. nth 0 switches faults off. */
void kv_fault_fail(struct kv *fault, enum kv_fault_call call, uint64_t nth, steme_status status, bool for_ever);
/* Calls of that kind so far, to loop a fault over every position. */
uint64_t kv_fault_calls(struct kv *fault, enum kv_fault_call call);

#endif
