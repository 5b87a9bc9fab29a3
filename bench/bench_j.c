/* SPDX-License-Identifier: Apache-2.0 */
/* j. Is there a hot spot? 64 threads cast votes, nine of ten of them on one assertion, against the same spread evenly
 * over all.
 *
 * Both sides are steme_write() by 64 threads with a key each, one vote a call, as in figure i, on a store with as many
 * assertions. The clock runs until the last vote is durable and indexed: its row written, the tallies folded, visible
 * to every read. On the hot side one target's tally takes 90 % of the votes, and each voter's ballots on it pile up.
 * The two take turns, each round on new stores. At the end the hot tally must have counted every ballot once. */
#include "lib/clock.h"
#include "lib/report.h"
#include "lib/scratch.h"
#include "lib/voters.h"
#include "steme/query.h"

#include <stdatomic.h>

enum { VOTES = 60000, WAIT_MS = 60000 };

struct casting {
    struct steme_store *store;
    const struct voters *voters;
    uint64_t votes;
    bool hot;
    _Atomic uint64_t next, last_sequence, on_first;
};

static void cast_some(void *context, size_t index)
{
    struct casting *casting = context;
    struct steme_receipt receipt = { .sequence = 0 };
    struct steme_error error;
    for (uint64_t nth; (nth = atomic_fetch_add(&casting->next, 1)) < casting->votes;) {
        size_t target = casting->hot && nth % 10 ? 0 : (size_t)(nth * 2654435761u % VOTERS_TARGETS);
        struct steme_record vote = voters_ballot(casting->voters, target, nth);
        must(steme_write(casting->store, casting->voters->signers[index], &vote, &receipt, &error), &error, "casting");
        if (target == 0) atomic_fetch_add(&casting->on_first, 1);
    }
    uint64_t last = atomic_load(&casting->last_sequence);
    while (receipt.sequence > last && !atomic_compare_exchange_weak(&casting->last_sequence, &last, receipt.sequence))
        continue;
}

static void check_tally(const struct casting *casting)
{
    struct steme_snapshot *snapshot = NULL;
    struct steme_tally tally;
    struct steme_error error;
    must(steme_snapshot_open(casting->store, NULL, &snapshot, &error), &error, "a snapshot");
    must(steme_tally(snapshot, &casting->voters->targets[0], &tally, &error), &error, "a tally");
    must_hold(tally.ballots == casting->on_first, "every vote in the tally");
    must_hold(tally.support + tally.refute <= VOTERS, "one say a voter");
    steme_snapshot_close(&snapshot);
}

/* Beside the time: what one of the two costs. */
struct cost {
    double durable, cpu; /* seconds until the last vote was durable; of processors, until it was indexed */
};

static double cast_into_new(const char *path, const struct voters *voters, uint64_t votes, bool hot, struct cost *cost)
{
    struct casting casting = { .store = scratch_store(path), .voters = voters, .votes = votes, .hot = hot };
    struct steme_error error;
    voters_fill(casting.store, voters);
    double start = clock_seconds(), cpu = clock_cpu_seconds();
    cost->durable += crew_run(VOTERS, cast_some, &casting);
    must(steme_wait(casting.store, casting.last_sequence, WAIT_MS, &error), &error, "waiting for the index");
    double took = clock_seconds() - start;
    cost->cpu += clock_cpu_seconds() - cpu;
    check_tally(&casting);
    steme_close(&casting.store);
    scratch_remove(path);
    scratch_settle();
    return took;
}

int main(int argc, char **argv)
{
    struct options options = options_parse(argc, argv);
    struct scratch_path path = scratch_path(&options, "store");
    struct voters voters = voters_new();
    uint64_t votes = options_scale(&options, VOTES);
    struct cost costs[2] = { { 0 } };
    struct figure figure = {
        .letter = "j",
        .what = "64 threads cast votes, indexed: 90 % on one assertion / spread over all",
        .unit = "votes/s",
        .bound = FIGURE_AT_LEAST,
        .limit = 0.9,
    };
    for (size_t round = 0; round < options.rounds; round++) {
        double took[2];
        for (size_t turn = 0; turn < 2; turn++) {
            bool hot = (round + turn) % 2 == 0; /* who begins changes */
            took[hot] = cast_into_new(path.text, &voters, votes, hot, &costs[hot]);
        }
        figure_add(&figure, (double)votes / took[1], (double)votes / took[0]);
    }
    figure_note(&figure,
                "until durable only: %.2f; processor time, spread / hot: %.2f; a voter's ballots on the hot one: %.0f",
                costs[0].durable / costs[1].durable, costs[0].cpu / costs[1].cpu, (double)votes * 0.9 / VOTERS);
    report(&figure, &options);
    voters_free(&voters);
    return 0;
}
