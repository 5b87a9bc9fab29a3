/* SPDX-License-Identifier: Apache-2.0 */
#include "faces/arena/interrupt.h"
#include "base/check.h"

#include <stdbool.h>
#include <string.h>

static const int ends[] = { SIGINT, SIGTERM, SIGHUP };

void interrupt_hold(struct interrupt *interrupt)
{
    sigset_t held;
    sigemptyset(&held);
    for (size_t i = 0; i < countof(ends); i++) {
        struct sigaction action;
        bool ignored = sigaction(ends[i], NULL, &action) == 0 && action.sa_handler == SIG_IGN;
        if (!ignored) sigaddset(&held, ends[i]);
    }
    int failed = pthread_sigmask(SIG_BLOCK, &held, &interrupt->before);
    invariant(failed == 0);
}

steme_status interrupt_check(struct steme_error *err)
{
    sigset_t waiting;
    sigemptyset(&waiting);
    int failed = sigpending(&waiting);
    invariant(failed == 0);
    for (size_t i = 0; i < countof(ends); i++)
        if (sigismember(&waiting, ends[i]) == 1)
            return error_set(err, STEME_FAILED, "interrupted by the signal %s", strsignal(ends[i]));
    return STEME_OK;
}

void interrupt_release(const struct interrupt *interrupt)
{
    int failed = pthread_sigmask(SIG_SETMASK, &interrupt->before, NULL);
    invariant(failed == 0);
}
