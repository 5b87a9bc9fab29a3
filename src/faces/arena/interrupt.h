/* SPDX-License-Identifier: Apache-2.0 */
/* Signals that end the program (INT, TERM, HUP), held back until what they would leave behind is cleared away. They
 * wait in the mask of the calling thread, which threads begun later inherit. One thread. */
#ifndef ARENA_INTERRUPT_H
#define ARENA_INTERRUPT_H

#include "base/error.h"

#include <signal.h>

struct interrupt {
    sigset_t before; /* the mask */
};

/* Hold them back; those that are ignored stay so. */
void interrupt_hold(struct interrupt *interrupt);
/* STEME_FAILED once one of them waits: give up, clear away, release. Cheap. */
MUST_CHECK steme_status interrupt_check(struct steme_error *err);
/* Let them through: one that waits ends the program here. What is buffered for output should be flushed before. */
void interrupt_release(const struct interrupt *interrupt);

#endif
