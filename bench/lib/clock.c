/* SPDX-License-Identifier: Apache-2.0 */
#include "clock.h"

#include "host/gate.h"
#include "host/host.h"
#include "options.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>

struct crew {
    void (*work)(void *context, size_t index);
    void *context;
    pthread_barrier_t ready;
};

struct hand {
    struct crew *crew;
    size_t index;
    double start, end;
    pthread_t thread;
};

static atomic_bool over;

double clock_seconds(void) { return (double)host_monotonic_ns(host_posix()) / 1e9; }

double clock_cpu_seconds(void)
{
    struct rusage usage;
    must_hold(getrusage(RUSAGE_SELF, &usage) == 0, "getrusage");
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

void clock_sleep(double seconds)
{
    struct gate gate;
    gate_init(&gate, 0);
    double until = clock_seconds() + seconds;
    for (double now; (now = clock_seconds()) < until;)
        (void)gate_wait(&gate, 1, (uint64_t)((until - now) * 1e9));
}

bool crew_over(void) { return atomic_load_explicit(&over, memory_order_relaxed); }

static void *run_hand(void *context)
{
    struct hand *hand = context;
    pthread_barrier_wait(&hand->crew->ready);
    hand->start = clock_seconds();
    hand->crew->work(hand->crew->context, hand->index);
    hand->end = clock_seconds();
    return NULL;
}

double crew_run_for(double seconds, size_t count, void (*work)(void *context, size_t index), void *context)
{
    struct crew crew = { work, context, { { 0 } } };
    struct hand *hands = must_alloc(count, sizeof *hands);
    atomic_store(&over, false);
    must_hold(pthread_barrier_init(&crew.ready, NULL, (unsigned)count + 1) == 0, "a barrier");
    for (size_t i = 0; i < count; i++) {
        hands[i].crew = &crew;
        hands[i].index = i;
        must_hold(pthread_create(&hands[i].thread, NULL, run_hand, &hands[i]) == 0, "a thread");
    }
    pthread_barrier_wait(&crew.ready);
    if (seconds > 0) clock_sleep(seconds);
    atomic_store(&over, true);
    double start = 0, end = 0;
    for (size_t i = 0; i < count; i++) {
        must_hold(pthread_join(hands[i].thread, NULL) == 0, "joining a thread");
        if (i == 0 || hands[i].start < start) start = hands[i].start;
        if (i == 0 || hands[i].end > end) end = hands[i].end;
    }
    pthread_barrier_destroy(&crew.ready);
    free(hands);
    return end - start;
}

double crew_run(size_t count, void (*work)(void *context, size_t index), void *context)
{
    return crew_run_for(0, count, work, context);
}
