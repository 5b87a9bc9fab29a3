/* SPDX-License-Identifier: Apache-2.0 */
/* positions [--some N] [--only TEXT] [--quick]: in each workload, the nth call of each kind of the simulated host
 * fails, and the nth allocation, for n = 1, 2, ... until the workload runs through without being hit: so no position is
 * left out. Each with every error, once and from then on for ever. Afterwards the store is held against the ledger, and
 * opened anew, and again after a power cut.
 *   --some N  of allocations only every Nth, and says so
 *   --quick   all positions, but each call fails with EIO alone, whatever its kind: where a run is ten times as slow */
#include "sim/memory.h"
#include "sim/workloads.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { STOCK_SEED = 1, WORLD_SEED = 11, POSITIONS_MAX = 100000 };

static const struct {
    const char *name;
    enum host_mem_call call;
} kinds[] = {
    { "open", HOST_MEM_OPEN },         { "read", HOST_MEM_READ },         { "write", HOST_MEM_WRITE },
    { "sync", HOST_MEM_SYNC },         { "sync_dir", HOST_MEM_SYNC_DIR }, { "allocate", HOST_MEM_ALLOCATE },
    { "truncate", HOST_MEM_TRUNCATE }, { "rename", HOST_MEM_RENAME },     { "remove", HOST_MEM_REMOVE },
    { "map", HOST_MEM_MAP },           { "list", HOST_MEM_LIST },         { "make_dir", HOST_MEM_MAKE_DIR },
    { "stat", HOST_MEM_STAT },         { "size", HOST_MEM_SIZE },         { "lock", HOST_MEM_LOCK },
    { "random", HOST_MEM_RANDOM },     { "boot_id", HOST_MEM_BOOT_ID },   { "any call", HOST_MEM_ANY },
    { "memory", HOST_MEM_ANY },
};
enum { KINDS = countof(kinds), MEMORY = KINDS - 1 };

static const struct {
    const char *name;
    int os_errno;
} errors[] = { { "EIO", EIO }, { "ENOSPC", ENOSPC } };

/* What fails: with nth 0, nothing. */
struct fault {
    size_t kind;
    uint64_t nth;
    int os_errno;
    bool for_ever;
};

struct attempt {
    bool struck;
    steme_status status;
    struct steme_hash seen;
    uint64_t calls[KINDS]; /* made during the work */
    char trouble[WORLD_TROUBLE_BYTES];
};

struct sum {
    uint64_t there, tried; /* positions */
    uint64_t runs, refused;
};

static uint64_t calls_of(struct world *world, size_t kind)
{
    return kind == MEMORY ? memory_calls() : host_mem_calls(world->host, kinds[kind].call);
}

static void arm(struct world *world, const struct fault *fault)
{
    if (!fault->nth) return;
    world->fault_armed = true;
    if (fault->kind == MEMORY)
        memory_fail(fault->nth, fault->for_ever);
    else
        host_mem_fail(world->host, kinds[fault->kind].call, fault->nth, fault->os_errno, fault->for_ever);
}

static uint64_t strikes(struct world *world, const struct fault *fault)
{
    return fault->kind == MEMORY ? memory_struck() : host_mem_struck(world->host, HOST_MEM_ANY);
}

/* ---- what has to hold afterwards ---- */

static void hear_finding(void *context, const struct steme_finding *finding)
{
    struct world *world = context;
    if (!world->ledger.scarred) world_trouble(world, "verify, %s: %s", finding->part, finding->message);
}

static void check_all(struct world *world)
{
    struct steme_error err = { 0 };
    struct steme_verification found;
    if (!world_failed(world) && world->ledger.count) check_index(world);
    if (!world_failed(world) && steme_verify(world->store, hear_finding, world, &found, &err))
        world_trouble(world, "the store can't be verified: %s", err.message);
}

/* The disk is well again, in the same process: reads are right, and a log that a failed write has sealed stays so. */
static void go_on(struct world *world, const struct workload *workload)
{
    struct steme_error err;
    check_log(world, workload->opens);
    if (!world_failed(world)) (void)!world_submit(world, 3, &err); /* sealed or not: that is the ledger's to judge */
    if (!world_failed(world)) (void)!world_submit(world, 20, &err);
    if (!world_failed(world)) check_log(world, false);
}

static void come_back(struct world *world, struct prng *prng)
{
    struct steme_error err;
    world_open(world, prng, 0);
    if (!world_failed(world)) check_all(world);
    if (!world_failed(world) && world_submit(world, 21, &err))
        world_trouble(world, "opened anew, and a record is refused: %s", err.message);
}

static void judge(struct world *world, const struct workload *workload, const struct fault *fault,
                  const struct attempt *golden, const struct attempt *attempt, const struct steme_error *err)
{
    if (attempt->status && !err->message[0])
        world_trouble(world, "it fails without a word: %s", steme_status_name(attempt->status));
    if (attempt->status && !attempt->struck) world_trouble(world, "it fails for no reason: %s", err->message);
    if (attempt->status && fault->nth && fault->kind == MEMORY && attempt->status != STEME_NO_MEMORY)
        world_trouble(world, "memory runs out, and it says %s: %s", steme_status_name(attempt->status), err->message);
    if (!attempt->status && golden && memcmp(&golden->seen, &attempt->seen, sizeof golden->seen) != 0)
        world_trouble(world, "it answers otherwise than without the fault, and says that all is well");
    if (!world_failed(world) && workload->settle) workload->settle(world, attempt->status, !fault->for_ever);
}

/* One run. golden: what it sees without a fault; NULL: this is that run. */
static void attempt_once(const struct workload *workload, const struct stock *stock, const struct fault *fault,
                         const struct attempt *golden, struct attempt *out)
{
    struct world world;
    struct tally_of_events events = { 0 };
    struct steme_error err = { 0 };
    struct prng prng = { WORLD_SEED };
    uint64_t live = memory_live(), before[KINDS];
    *out = (struct attempt){ 0 };
    if (workload->nothing)
        world_begin(&world, stock, WORLD_SEED, &events);
    else
        world_init(&world, stock, WORLD_SEED, &events);
    if (workload->prepare && !world_failed(&world)) workload->prepare(&world);
    for (size_t i = 0; i < KINDS; i++)
        before[i] = calls_of(&world, i);
    uint64_t struck = strikes(&world, fault);
    if (!world_failed(&world)) {
        arm(&world, fault);
        out->status = workload->work(&world, &out->seen, &err);
        for (size_t i = 0; i < KINDS; i++)
            out->calls[i] = calls_of(&world, i) - before[i];
        out->struck = strikes(&world, fault) != struck;
        world_disarm(&world);
        judge(&world, workload, fault, golden, out, &err);
    }
    if (!world_failed(&world) && world.store) go_on(&world, workload);
    bool is_store = !workload->nothing || world.store;
    world_close(&world);
    if (!world_failed(&world) && is_store) {
        come_back(&world, &prng);
        world.keep = 0;
        world_end_life(&world);
        if (!world_failed(&world)) come_back(&world, &prng);
    }
    memcpy(out->trouble, world.trouble, sizeof out->trouble);
    world_deinit(&world);
    if (!out->trouble[0] && memory_live() != live)
        snprintf(out->trouble, sizeof out->trouble, "%" PRIi64 " blocks of memory are not freed",
                 (int64_t)(memory_live() - live));
}

/* ---- every position ---- */

static bool report(const struct workload *workload, const struct fault *fault, const char *error,
                   const struct attempt *attempt)
{
    if (!attempt->trouble[0]) return true;
    printf("FAILED: %s, %s %" PRIu64 " fails with %s %s: %s\n", workload->name, kinds[fault->kind].name, fault->nth,
           error, fault->for_ever ? "for ever" : "once", attempt->trouble);
    return false;
}

static bool quick; /* --quick */

static bool is_any(size_t kind) { return kind != MEMORY && kinds[kind].call == HOST_MEM_ANY; }

/* Count n up until the run is not hit any more. */
static bool try_kind(const struct workload *workload, const struct stock *stock, size_t kind, uint64_t step,
                     const struct attempt *golden, struct sum *sum)
{
    bool good = true, first = true;
    size_t error_count = kind == MEMORY || quick ? 1 : countof(errors);
    bool again = is_any(kind) && !quick; /* that a call fails once was tried by its own kind */
    for (size_t error = 0; error < error_count; error++) {
        for (int for_ever = again; for_ever < 2; for_ever++) {
            uint64_t tried = 0, nth = 1;
            for (struct attempt attempt = { .struck = true }; attempt.struck && nth < POSITIONS_MAX; nth += step) {
                struct fault fault = { kind, nth, errors[error].os_errno, for_ever };
                attempt_once(workload, stock, &fault, golden, &attempt);
                good &= report(workload, &fault, kind == MEMORY ? "nothing" : errors[error].name, &attempt);
                tried += attempt.struck;
                sum->runs++;
                sum->refused += attempt.status != STEME_OK;
            }
            if (first || tried < sum->tried) sum->tried = tried;
            first = false;
        }
    }
    sum->there = golden->calls[kind];
    return good;
}

static void add_sum(struct sum *to, const struct sum *from)
{
    to->there += from->there;
    to->tried += from->tried;
    to->runs += from->runs;
    to->refused += from->refused;
}

/* Prints how many calls of each kind there are; the figures are positions tried of those there are. */
static bool try_workload(const struct workload *workload, const struct stock *stock, uint64_t step, struct sum *calls,
                         struct sum *memory)
{
    struct attempt golden;
    struct fault none = { 0 };
    struct sum own = { 0 };
    bool good;
    attempt_once(workload, stock, &none, NULL, &golden);
    if (!report(workload, &none, "nothing", &golden) || golden.status) return false;
    good = true;
    char line[512];
    size_t length = 0;
    for (size_t kind = 0; kind < MEMORY; kind++) {
        struct sum sum = { 0 };
        if (!golden.calls[kind] || (quick && !is_any(kind))) continue;
        good &= try_kind(workload, stock, kind, 1, &golden, &sum);
        length += (size_t)snprintf(line + length, sizeof line - length, " %s %" PRIu64 "/%" PRIu64 ",",
                                   kinds[kind].name, sum.tried, sum.there);
        if (is_any(kind) && !quick) sum.there = sum.tried = 0; /* the same calls, whatever their kind */
        add_sum(&own, &sum);
    }
    struct sum sum = { 0 };
    good &= try_kind(workload, stock, MEMORY, step, &golden, &sum);
    printf("%s:%.*s memory %" PRIu64 "/%" PRIu64 "; %" PRIu64 " runs", workload->name, (int)length, line, sum.tried,
           sum.there, own.runs + sum.runs);
    bool all = own.tried == own.there && (step > 1 || sum.tried == sum.there);
    good &= all;
    printf("%s", !all ? " NOT ALL" : step > 1 ? " = 100 % of calls" : " = 100 %");
    printf("\n");
    fflush(stdout);
    add_sum(calls, &own);
    add_sum(memory, &sum);
    return good;
}

static bool parse(int argc, char **argv, uint64_t *step, const char **only)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--some") == 0 && i + 1 < argc)
            *step = strtoull(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc)
            *only = argv[++i];
        else if (strcmp(argv[i], "--quick") == 0)
            quick = true;
        else
            return false;
    }
    return *step > 0;
}

int main(int argc, char **argv)
{
    static struct stock stocks[2];
    uint64_t step = 1;
    const char *only = "";
    struct sum calls = { 0 }, memory = { 0 };
    size_t count = 0;
    bool good = true;
    if (!parse(argc, argv, &step, &only)) {
        fprintf(stderr, "usage: positions [--some N] [--only TEXT] [--quick]\n");
        return 2;
    }
    stock_import(&stocks[0], STOCK_SEED);
    stock_talk(&stocks[1], STOCK_SEED);
    for (size_t i = 0; i < workload_count && good; i++) { /* one that fails is enough */
        if (!strstr(workloads[i].name, only)) continue;
        good &= try_workload(&workloads[i], &stocks[workloads[i].talk], step, &calls, &memory);
        count++;
    }
    printf("%zu workloads: %" PRIu64 " of %" PRIu64 " call positions x {%s} x {once, for ever}, %" PRIu64 " of %" PRIu64
           " allocations x {once, for ever}; %" PRIu64 " runs, %" PRIu64 " of them refused\n",
           count, calls.tried, calls.there, quick ? "EIO" : "EIO, ENOSPC", memory.tried, memory.there,
           calls.runs + memory.runs, calls.refused + memory.refused);
    if (step > 1) printf("a sample of allocations: every %" PRIu64 "th\n", step);
    if (good)
        printf("ok - %s: nothing acknowledged lost, nothing invented, no block of memory left\n",
               step == 1 ? "100 % of positions" : "100 % of call positions");
    stock_deinit(&stocks[0]);
    stock_deinit(&stocks[1]);
    return good ? 0 : 1;
}
