/* SPDX-License-Identifier: Apache-2.0 */
/* sim [--seed N] [--cuts N] [--worlds N] [--twice] [--verbose]: worlds of seeds N, N+1, ... until there were so many
 * power cuts, or so many worlds. Without --seed, STEME_SEED or 1. docs/simulation.md says what is held against what. */
#include "sim/plan.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { CUTS = 10000, WORLDS_A_STOCK = 1024 };

struct arguments {
    uint64_t seed, cuts, worlds;
    bool twice, verbose;
};

/* For those who find us dead: written before each world, since a signal handler may not format. */
static char death_note[96];

static void report_death(int signal_number)
{
    (void)!write(STDERR_FILENO, death_note, strlen(death_note));
    (void)signal(signal_number, SIG_DFL);
    (void)raise(signal_number);
}

static bool take_number(const char *text, uint64_t *out)
{
    char *end = NULL;
    if (!text || *text < '0' || *text > '9') return false;
    errno = 0;
    *out = strtoull(text, &end, 10);
    return errno == 0 && *end == '\0';
}

static bool parse(int argc, char **argv, struct arguments *out)
{
    const char *seed = getenv("STEME_SEED");
    *out = (struct arguments){ .seed = 1, .cuts = CUTS, .worlds = UINT64_MAX };
    if (seed && !take_number(seed, &out->seed)) return false;
    for (int i = 1; i < argc; i++) {
        uint64_t *number = strcmp(argv[i], "--seed") == 0   ? &out->seed
                         : strcmp(argv[i], "--cuts") == 0   ? &out->cuts
                         : strcmp(argv[i], "--worlds") == 0 ? &out->worlds
                                                            : NULL;
        if (number && i + 1 < argc && take_number(argv[i + 1], number))
            i++;
        else if (strcmp(argv[i], "--twice") == 0)
            out->twice = true;
        else if (strcmp(argv[i], "--verbose") == 0)
            out->verbose = true;
        else
            return false;
    }
    return true;
}

static void print_failure(struct plan *plan, struct outcome *outcome)
{
    printf("FAILED: seed %" PRIu64 " (%s), step %zu of %zu: %s\n", plan->seed, plan->stock->name, outcome->step,
           plan->count, outcome->trouble);
    printf("again: sim --seed %" PRIu64 " --worlds 1\n", plan->seed);
    fflush(stdout);
    plan_shrink(plan, outcome);
    printf("shrunk to %zu steps: %s\n", plan->count, outcome->trouble);
    for (size_t i = 0; i < plan->count; i++)
        printf("  %zu  %s  (0x%016" PRIx64 ")\n", i, step_name(plan->steps[i].kind), plan->steps[i].seed);
}

static void print_events(const struct tally_of_events *e, uint64_t first, uint64_t last, double seconds)
{
    printf("seeds %" PRIu64 "..%" PRIu64 ": %" PRIu64 " worlds, %" PRIu64 " steps, %.1f s, %.0f cuts/s\n", first, last,
           e->worlds, e->steps, seconds, (double)e->cuts / seconds);
    printf("%" PRIu64 " power cuts, %" PRIu64 " kills, %" PRIu64 " recoveries interrupted, %" PRIu64 " openings\n",
           e->cuts, e->kills, e->interrupted_recoveries, e->openings);
    printf("%" PRIu64 " faults, %" PRIu64 " allocations failed, %" PRIu64 " bits rotten, %" PRIu64
           " segments cut short, %" PRIu64 " logs sealed, %" PRIu64 " calls refused\n",
           e->faults, e->failed_allocations, e->rotten_bits, e->cut_files, e->sealings, e->refusals);
    printf("%" PRIu64 " reads turned a bit in passing, %" PRIu64 " writes were lost, %" PRIu64 " went astray\n",
           e->turned_reads, e->lost_writes, e->stray_writes);
    printf("%" PRIu64 " records acknowledged, %" PRIu64 " recovered unacknowledged, %" PRIu64
           " lost to rot and reported, %" PRIu64 " quarantine files\n",
           e->acknowledged, e->recovered, e->lost_to_rot, e->quarantine_files);
    printf("%" PRIu64 " answers as the reference gives them, %" PRIu64 " indexes as made anew\n", e->answers,
           e->index_comparisons);
    printf("ok - %" PRIu64 " power cuts: 0 acknowledged records lost, 0 invented\n", e->cuts);
}

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Whether the world of this seed keeps its promises, twice in the same way if that is asked for. */
static bool run_world(const struct arguments *arguments, const struct stock stocks[2], uint64_t seed,
                      struct tally_of_events *events)
{
    struct plan plan;
    struct outcome outcome, again;
    (void)snprintf(death_note, sizeof death_note, "sim: died in the world of seed %" PRIu64 "\n", seed);
    plan_draw(&plan, stocks, seed);
    plan_run(&plan, events, &outcome);
    if (outcome.failed) {
        print_failure(&plan, &outcome);
        return false;
    }
    if (arguments->verbose) {
        printf("seed %" PRIu64 " %s, %zu steps, files ", seed, plan.stock->name, plan.count);
        for (size_t i = 0; i < 8; i++)
            printf("%02x", outcome.digest.bytes[i]);
        printf("\n");
    }
    if (!arguments->twice) return true;
    plan_run(&plan, events, &again);
    bool same = !again.failed && memcmp(&again.digest, &outcome.digest, sizeof again.digest) == 0;
    if (!same) printf("FAILED: seed %" PRIu64 ": two runs left different files\n", seed);
    return same;
}

/* Records are dear to sign, so many worlds share a stock. Which one a world has follows from its seed. */
static void draw_stocks(struct stock stocks[2], uint64_t number, uint64_t *drawn)
{
    if (*drawn == number) return;
    if (*drawn != UINT64_MAX) {
        stock_deinit(&stocks[0]);
        stock_deinit(&stocks[1]);
    }
    stock_import(&stocks[0], number + 1);
    stock_talk(&stocks[1], number + 1);
    *drawn = number;
}

int main(int argc, char **argv)
{
    static struct stock stocks[2];
    struct arguments arguments;
    struct tally_of_events events = { 0 };
    if (!parse(argc, argv, &arguments)) {
        fprintf(stderr, "usage: sim [--seed N] [--cuts N] [--worlds N] [--twice] [--verbose]\n");
        return 2;
    }
    (void)signal(SIGABRT, report_death);
    (void)signal(SIGSEGV, report_death);
    (void)signal(SIGBUS, report_death);
    uint64_t drawn = UINT64_MAX;
    double began = now_s();
    uint64_t seed = arguments.seed;
    bool good = true;
    for (; good && events.cuts < arguments.cuts && seed - arguments.seed < arguments.worlds; seed++) {
        draw_stocks(stocks, seed / WORLDS_A_STOCK, &drawn);
        good = run_world(&arguments, stocks, seed, &events);
    }
    if (good) print_events(&events, arguments.seed, seed - 1, now_s() - began);
    if (good && arguments.twice) printf("ok - two runs of a seed leave the same files\n");
    stock_deinit(&stocks[0]);
    stock_deinit(&stocks[1]);
    return good ? 0 : 1;
}
