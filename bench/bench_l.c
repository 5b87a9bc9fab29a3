/* SPDX-License-Identifier: Apache-2.0 */
/* l. Keeping a view of 100,000 rows current under votes, against making it anew for each batch of them.
 *
 * Ours      a batch of 100 votes on as many slots is in the index; from there until the view's rows reflect it.
 * Against   the same view made anew by a refresh after the same kind of batch, until its rows can be read (taking the
 *           old ones away is left out).
 * Both are driven step by step in this thread, as the runner would: no waiting is in either. The index is on disk. */
#include "base/prng.h"
#include "base/slice.h"
#include "db/store.h"
#include "db/view_spec.h"
#include "lib/clock.h"
#include "lib/report.h"
#include "lib/scratch.h"
#include "model/identity.h"
#include "steme/view.h"

enum { ROWS = 100000, PER_SLOT = 2, CLAIMS = 2, BUNDLE = 1000, VOTES = 100, BATCHES = 20, WAIT_MS = 600000 };

struct bench {
    struct steme_store *store;
    struct steme_signer *signer;
    const struct workload *workload;
    struct steme_hash view;
    struct prng prng;
    int64_t cast_at_us;
};

static void make_view(struct bench *bench)
{
    struct steme_error error;
    struct steme_receipt receipt;
    struct steme_view_spec spec = { .name = slice_text("answers") };
    must(steme_signer_new(bench->store, "default", &bench->signer, &error), &error, "a key");
    must(steme_view_create(bench->store, bench->signer, &spec, &receipt, &error), &error, "a view");
    must(steme_wait(bench->store, receipt.sequence, WAIT_MS, &error), &error, "the index");
    must(steme_view_wait(bench->store, spec.name, 0, WAIT_MS, &error), &error, "the view's rows");
    bench->view = receipt.id;
}

/* Votes on assertions drawn at random, and the index brought up to them. */
static void vote(struct bench *bench)
{
    struct steme_error error;
    size_t applied = 0;
    for (size_t i = 0; i < VOTES; i++) {
        size_t at = 1 + prng_below(&bench->prng, BUNDLE); /* behind the first bundle's record */
        size_t bundle = prng_below(&bench->prng, bench->workload->call_count);
        at += bundle * (BUNDLE + 1);
        char subject[WORKLOAD_NAME_BYTES];
        size_t nth = bundle * BUNDLE + (at - 1 - bundle * (BUNDLE + 1));
        workload_subject(nth % (bench->workload->assertion_count / PER_SLOT), subject);
        struct steme_record record = { .type = STEME_VOTE };
        struct steme_receipt receipt;
        record.as.vote = (struct steme_vote){ .target = { STEME_ON_ASSERTION, route_of_name(slice_text(subject)),
                                                          bench->workload->ids[at] },
                                              .stance = (enum steme_stance)prng_below(&bench->prng, 2),
                                              .probability_ppm = STEME_PPM,
                                              .cast_at_us = bench->cast_at_us++ };
        must(steme_write(bench->store, bench->signer, &record, &receipt, &error), &error, "a vote");
    }
    must(ingestor_step(&bench->store->index->ingestor, &applied, &error), &error, "the ingestor");
    must_hold(applied == VOTES, "the votes of a batch in the index");
}

static struct view_state state_of(struct bench *bench)
{
    struct steme_error error;
    struct kv_txn *txn = NULL;
    struct view_state state;
    must(kv_begin(bench->store->index->kv, KV_READ, &txn, &error), &error, "reading");
    must(views_state(txn, &bench->view, &state, &error), &error, "the view's state");
    kv_abort(&txn);
    return state;
}

static void step(struct bench *bench)
{
    struct steme_error error;
    must(views_step(bench->store, bench->store->index, &error), &error, "a step");
}

static double keep_current(struct bench *bench)
{
    uint64_t wanted = bench->store->index->ingestor.applied.location;
    double start = clock_seconds();
    while (state_of(bench).mark.location < wanted)
        step(bench);
    return clock_seconds() - start;
}

static double make_anew(struct bench *bench)
{
    struct steme_error error;
    double start = clock_seconds();
    must(views_refresh(bench->store, bench->store->index, &bench->view, &error), &error, "a refresh");
    while (state_of(bench).making)
        step(bench);
    double seconds = clock_seconds() - start;
    while (atomic_load(&bench->store->views.pending))
        step(bench);
    return seconds;
}

static void is_wrong(void *context, struct steme_slice view, const char *wrong)
{
    (void)context;
    (void)view;
    must_hold(false, wrong);
}

int main(int argc, char **argv)
{
    struct options options = options_parse(argc, argv);
    struct scratch_path path = scratch_path(&options, "store");
    struct workload workload;
    size_t rows = options_scale(&options, ROWS);
    struct workload_shape shape = { .slots = rows, .claims = CLAIMS };
    struct bench bench = { .store = scratch_store(path.text), .workload = &workload, .prng = { 11 }, .cast_at_us = 1 };
    workload_bundles(&workload, &shape, 0, rows * PER_SLOT, BUNDLE);
    (void)scratch_submit(bench.store, &workload, 2);
    make_view(&bench);
    runner_stop(bench.store); /* from here on we are the runner */
    must_hold(state_of(&bench).rows == rows, "as many rows as slots");
    struct figure figure = {
        .letter = "l",
        .what = "keeping a view of 100,000 rows current / making it anew, per 100 votes",
        .unit = "batch/s",
        .bound = FIGURE_AT_LEAST,
        .limit = 50,
    };
    if (options.quick) figure.what = "keeping a view of 10,000 rows current / making it anew, per 100 votes";
    for (size_t round = 0; round < options.rounds; round++) {
        double ours = 0;
        for (size_t i = 0; i < BATCHES; i++) {
            vote(&bench);
            ours += keep_current(&bench);
        }
        vote(&bench);
        double theirs = make_anew(&bench);
        figure_add(&figure, BATCHES / ours, 1 / theirs);
    }
    struct steme_error error;
    must(views_verify(bench.store, bench.store->index, is_wrong, NULL, &error), &error, "verifying the view");
    report(&figure, &options);
    steme_signer_free(&bench.signer);
    steme_close(&bench.store);
    workload_free(&workload);
    scratch_remove(path.text);
    return 0;
}
