/* SPDX-License-Identifier: Apache-2.0 */
/* Ballots at a high rate from C: threads that each collect what they cast in a list of their own and hand it over when
 * it is long enough, or when they have nothing else to do. They share no lock but the log's group commit.
 *
 *     cc ballots.c $(pkg-config --cflags --libs libsteme) -o ballots */
#define _XOPEN_SOURCE 700
#include <steme/steme.h>

#include <ftw.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VOTERS = 8, BALLOTS = 2000, BOX = 512 };

static void must(steme_status status, const struct steme_error *err)
{
    if (status == STEME_OK) return;
    fprintf(stderr, "ballots: %s\n", err->message);
    exit(1);
}

/* A thread's own: filled by cast(), emptied by flush(). */
struct box {
    struct steme_store *store;
    struct steme_signer *signer;
    struct steme_record ballots[BOX]; /* what they point to must live until they are flushed */
    size_t count;
    struct steme_target target;
    size_t number;
    uint64_t last_sequence; /* of the last one that is durable */
    pthread_t thread;
};

/* When it returns, all that was cast is on stable storage. */
static void flush(struct box *box)
{
    struct steme_receipt receipts[BOX];
    struct steme_error err;
    if (box->count == 0) return;
    must(steme_write_many(box->store, box->signer, box->ballots, box->count, receipts, NULL, &err), &err);
    box->last_sequence = receipts[box->count - 1].sequence;
    box->count = 0;
}

static void cast(struct box *box, const struct steme_vote *vote)
{
    box->ballots[box->count++] = (struct steme_record){ .type = STEME_VOTE, .as.vote = *vote };
    if (box->count == BOX) flush(box);
}

/* A voter who changes its mind all the time; the last word is against for every third. */
static void *run_voter(void *context)
{
    struct box *box = context;
    for (int i = 0; i < BALLOTS; i++) {
        const struct steme_vote vote = {
            .target = box->target,
            .stance = i % 2 ? STEME_SUPPORT : STEME_REFUTE,
            .probability_ppm = 900000,
            .cast_at_us = INT64_C(1767268800000000) + i,
        };
        cast(box, &vote);
    }
    const struct steme_vote last = { .target = box->target,
                                     .stance = box->number % 3 ? STEME_SUPPORT : STEME_REFUTE,
                                     .probability_ppm = 900000,
                                     .cast_at_us = INT64_C(1767268800000000) + BALLOTS };
    cast(box, &last);
    flush(box);
    return NULL;
}

static void vote_and_count(struct steme_store *store)
{
    static struct box boxes[VOTERS];
    static const char name[] = "IAU";
    struct steme_error err;
    struct steme_hash source = steme_source_id((struct steme_slice){ (const uint8_t *)name, strlen(name) });
    struct steme_target target = { .kind = STEME_ON_SOURCE, .hash = source };
    for (int i = 0; i < 8; i++) /* a source is its own route */
        target.route = target.route << 8 | source.bytes[i];
    for (size_t i = 0; i < VOTERS; i++) {
        uint8_t seed[32] = { (uint8_t)(i + 1) };
        boxes[i] = (struct box){ .store = store, .target = target, .number = i };
        must(steme_signer_from_seed(seed, &boxes[i].signer, &err), &err);
        if (pthread_create(&boxes[i].thread, NULL, run_voter, &boxes[i])) exit(1);
    }
    uint64_t last = 0;
    for (size_t i = 0; i < VOTERS; i++) {
        if (pthread_join(boxes[i].thread, NULL)) exit(1);
        if (boxes[i].last_sequence > last) last = boxes[i].last_sequence;
        steme_signer_free(&boxes[i].signer);
    }
    must(steme_wait(store, last, 60000, &err), &err); /* the index follows the log a little behind */

    struct steme_snapshot *snapshot;
    struct steme_tally tally;
    must(steme_snapshot_open(store, NULL, &snapshot, &err), &err);
    must(steme_tally(snapshot, &target, &tally, &err), &err);
    printf("%" PRIu64 " votes cast by %" PRIu64 " voters\n", tally.ballots, tally.support + tally.refute);
    printf("now for: %" PRIu64 ", against: %" PRIu64 "\n", tally.support, tally.refute);
    steme_snapshot_close(&snapshot);
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)info, (void)kind, (void)place;
    return remove(path);
}

int main(void)
{
    struct steme_error err;
    struct steme_store *store;
    char dir[] = "/tmp/steme-example.XXXXXX";
    if (!mkdtemp(dir)) {
        perror("ballots: making a folder in /tmp");
        return 1;
    }
    must(steme_create(dir, &err), &err);
    must(steme_open(dir, NULL, &store, &err), &err);
    vote_and_count(store);
    steme_close(&store);
    return nftw(dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS) ? 1 : 0;
}
