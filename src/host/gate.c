/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* syscall */
#include "host/gate.h"

#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* All accesses are sequentially consistent. A sleeper counts itself and then looks at mark and turn; a waker
 * changes mark and turn and then looks at the count. So at least one of the two sees the other: either the
 * waker makes the call, or the sleeper does not sleep. */

/* The kernel wants the plain word behind the atomic one. */
_Static_assert(sizeof(_Atomic uint32_t) == sizeof(uint32_t), "a futex is 32 bits");

void gate_init(struct gate *gate, uint64_t mark)
{
    atomic_init(&gate->mark, mark);
    atomic_init(&gate->turn, 0);
    atomic_init(&gate->sleepers, 0);
}

uint64_t gate_mark(const struct gate *gate) { return atomic_load(&gate->mark); }

uint32_t gate_turn(const struct gate *gate) { return atomic_load(&gate->turn); }

void gate_kick(struct gate *gate)
{
    atomic_fetch_add(&gate->turn, 1);
    if (atomic_load(&gate->sleepers) == 0) return; /* the common case under load costs no system call */
    syscall(SYS_futex, &gate->turn, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
}

void gate_advance(struct gate *gate, uint64_t mark)
{
    uint64_t before = atomic_load(&gate->mark);
    while (before < mark && !atomic_compare_exchange_weak(&gate->mark, &before, mark))
        continue;
    gate_kick(gate);
}

bool gate_wait_turn(struct gate *gate, uint64_t until, uint32_t turn, uint64_t timeout_ns)
{
    if (gate_mark(gate) >= until) return true;
    struct timespec timeout = { .tv_sec = (time_t)(timeout_ns / 1000000000u),
                                .tv_nsec = (long)(timeout_ns % 1000000000u) };
    atomic_fetch_add(&gate->sleepers, 1);
    /* The kernel sleeps only while turn still has this value, so an advance or kick since then is not slept through.
     * It may also return for a signal: that is one of the spurious returns the contract allows. */
    if (gate_mark(gate) < until)
        syscall(SYS_futex, &gate->turn, FUTEX_WAIT_PRIVATE, turn, timeout_ns == UINT64_MAX ? NULL : &timeout, NULL, 0);
    atomic_fetch_sub(&gate->sleepers, 1);
    return gate_mark(gate) >= until;
}

bool gate_wait(struct gate *gate, uint64_t until, uint64_t timeout_ns)
{
    return gate_wait_turn(gate, until, gate_turn(gate), timeout_ns);
}
