/* SPDX-License-Identifier: Apache-2.0 */
/* i. Votes cast durably by 64 threads, against the disk with one writer that has everything at hand.
 *
 * Ours    64 threads, each with a key of its own, that cast one vote at a time through steme_write() on an open store:
 *         encode, hash, sign (Ed25519, on the caller's thread), look whether it is there already, take part in a group,
 *         sleep through its sync, wake. The index and its tallies follow in the background and take their share of the
 *         processor; the clock does not wait for them here (figure j does).
 * Limit   pwrite() and fdatasync() in turn by one thread: frames of the same size made beforehand, as many groups as
 *         ours were, each with as many votes as ours had on average. No signing, no hashing, no index: what the disk
 *         could do.
 *
 * The note says what is between the two: the same votes, signed beforehand, appended by 64 threads to a log alone
 * (wal_append(), as in figure a), so that the rest is signing, the look-up and the index.
 * All take turns within a round, so that what else the machine does disturbs them alike. */
#include "db/store.h"
#include "lib/clock.h"
#include "lib/raw.h"
#include "lib/report.h"
#include "lib/scratch.h"
#include "lib/voters.h"

#include <stdatomic.h>

enum { SIGNED = 4096, TURNS = 5, WAIT_MS = 60000 };

#define TURN_SECONDS 0.3

struct casting {
    struct steme_store *store;
    struct wal *log; /* of the side that has all at hand */
    const struct voters *voters;
    const struct voters_signed *at_hand;
    _Atomic uint64_t next;
};

static void cast_one_by_one(void *context, size_t index)
{
    struct casting *casting = context;
    struct steme_receipt receipt;
    struct steme_error error;
    while (!crew_over()) {
        uint64_t nth = atomic_fetch_add(&casting->next, 1);
        struct steme_record vote = voters_ballot(casting->voters, nth % VOTERS_TARGETS, nth);
        must(steme_write(casting->store, casting->voters->signers[index], &vote, &receipt, &error), &error, "casting");
    }
}

static void append_one_by_one(void *context, size_t index)
{
    struct casting *casting = context;
    struct wal_place place;
    struct steme_error error;
    for (size_t i = index; !crew_over(); i += VOTERS)
        must(wal_append(casting->log, &casting->at_hand->records[i % SIGNED], 1, &place, &error), &error, "appending");
}

static struct raw_turn turn(struct casting *casting, struct wal *wal, void (*work)(void *, size_t), double seconds)
{
    struct wal_stats before, after;
    wal_stats(wal, &before);
    double took = crew_run_for(seconds, VOTERS, work, casting);
    wal_stats(wal, &after);
    return (struct raw_turn){ (double)(after.appended_records - before.appended_records),
                              (double)(after.batches - before.batches), took };
}

int main(int argc, char **argv)
{
    struct options options = options_parse(argc, argv);
    struct scratch_path path = scratch_path(&options, "store"), log = scratch_path(&options, "log"),
                        peer = scratch_path(&options, "file");
    struct voters voters = voters_new();
    struct voters_signed at_hand = voters_sign(&voters, SIGNED);
    double seconds = options_seconds(&options, TURN_SECONDS);
    struct raw_turn all = { 0 }, alone = { 0 };
    struct figure figure = {
        .letter = "i",
        .what = "64 threads cast votes, durable / write + fdatasync of as large groups",
        .unit = "votes/s",
        .bound = FIGURE_AT_LEAST,
        .limit = 0.7,
    };
    for (size_t round = 0; round < options.rounds; round++) {
        struct casting casting = {
            .store = scratch_store(path.text), .log = scratch_log(log.text), .voters = &voters, .at_hand = &at_hand
        };
        struct raw raw = raw_open(peer.text, at_hand.records, SIGNED);
        struct raw_turn ours = { 0 }, theirs = { 0 };
        struct steme_error error;
        voters_fill(casting.store, &voters);
        for (size_t i = 0; i < TURNS; i++) {
            struct raw_turn cast = turn(&casting, casting.store->wal, cast_one_by_one, seconds);
            must(steme_wait(casting.store, wal_durable(casting.store->wal).next_sequence - 1, WAIT_MS, &error), &error,
                 "waiting for the index");
            struct raw_turn wrote = raw_write(&raw, &cast);
            struct raw_turn appended = turn(&casting, casting.log, append_one_by_one, seconds);
            raw_add(&ours, &cast);
            raw_add(&theirs, &wrote);
            raw_add(&alone, &appended);
        }
        raw_close(&raw, peer.text);
        steme_close(&casting.store);
        wal_close(&casting.log);
        scratch_remove(path.text);
        scratch_remove(log.text);
        scratch_settle();
        raw_add(&all, &ours);
        figure_add(&figure, ours.records / ours.seconds, theirs.records / theirs.seconds);
    }
    figure_note(&figure,
                "%.1f votes a group; signed beforehand, to a log alone: %.0f votes/s, of which casting is %.2f",
                all.records / all.groups, alone.records / alone.seconds,
                all.records / all.seconds / (alone.records / alone.seconds));
    report(&figure, &options);
    voters_signed_free(&at_hand);
    voters_free(&voters);
    return 0;
}
