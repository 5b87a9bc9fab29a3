/* SPDX-License-Identifier: Apache-2.0 */
/* A 64-bit mark that only rises, and threads that sleep until it has reached their number. Many waiters
 * wake in one system call and touch no shared lock: that is what group commit needs. Any thread. */
#ifndef HOST_GATE_H
#define HOST_GATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct gate {
    _Atomic uint64_t mark;
    _Atomic uint32_t turn; /* the word threads sleep on; changes with every advance */
    _Atomic uint32_t sleepers;
};

void gate_init(struct gate *gate, uint64_t mark);
uint64_t gate_mark(const struct gate *gate);
/* Raise the mark to this and wake those who wait. Several may raise it at once: the highest counts, and a mark that
 * is higher already stays. */
void gate_advance(struct gate *gate, uint64_t mark);
/* Wake everybody without raising it: something else they look at has changed. */
void gate_kick(struct gate *gate);
/* Sleep until the mark is at least `until`, or a kick, or timeout_ns has passed (UINT64_MAX: for ever).
 * Returns whether the mark has been reached; spurious returns with false are possible. A kick that comes before
 * the call is not noticed: who waits for something besides the mark uses gate_wait_turn(). */
bool gate_wait(struct gate *gate, uint64_t until, uint64_t timeout_ns);

/* For waiting on the mark or something else that a kick announces: read the turn, then look at the something
 * else, then wait with that turn. An advance or kick since the turn was read returns at once.
 *     uint32_t turn = gate_turn(&gate);
 *     if (!sealed) gate_wait_turn(&gate, until, turn, UINT64_MAX); */
uint32_t gate_turn(const struct gate *gate);
bool gate_wait_turn(struct gate *gate, uint64_t until, uint32_t turn, uint64_t timeout_ns);

#endif
