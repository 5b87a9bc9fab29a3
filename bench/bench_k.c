/* SPDX-License-Identifier: Apache-2.0 */
/* k. Reading a row of a materialized view, against resolving the same slot.
 *
 * Ours      steme_view_get(): the question is hashed, the row looked up and taken apart, in one snapshot.
 * Against   steme_resolve() of the same question in the same snapshot: 100 assertions of 5 claims are weighed. Blocks
 *           of both alternate, in CPU time. The rows are compared with the answers first. */
#include "base/prng.h"
#include "base/slice.h"
#include "lib/clock.h"
#include "lib/report.h"
#include "lib/scratch.h"
#include "steme/view.h"

#include <string.h>

enum {
    RECORDS = 100000,
    PER_SLOT = 100,
    CLAIMS = 5,
    BUNDLE = 1000,
    READS = 20000,
    BLOCK_READS = 200,
    WAIT_MS = 600000
};

static void make_view(struct steme_store *store)
{
    struct steme_error error;
    struct steme_signer *signer = NULL;
    struct steme_receipt receipt;
    struct steme_view_spec spec = { .name = slice_text("answers") };
    must(steme_signer_new(store, "default", &signer, &error), &error, "a key");
    must(steme_view_create(store, signer, &spec, &receipt, &error), &error, "a view");
    must(steme_wait(store, receipt.sequence, WAIT_MS, &error), &error, "the index");
    must(steme_view_wait(store, spec.name, 0, WAIT_MS, &error), &error, "the view's rows");
    steme_signer_free(&signer);
}

static struct steme_question question_of(const char *subject)
{
    return (struct steme_question){ .subject = slice_text(subject), .predicate = slice_text(WORKLOAD_PREDICATE) };
}

struct reads {
    struct steme_snapshot *snapshot;
    struct steme_view_info view;
    size_t slots;
    struct prng prng;
};

static void compare(struct reads *reads)
{
    struct steme_error error;
    for (size_t slot = 0; slot < reads->slots; slot++) {
        char subject[WORKLOAD_NAME_BYTES];
        struct steme_answer answer;
        struct steme_view_row row;
        workload_subject(slot, subject);
        struct steme_question question = question_of(subject);
        must(steme_resolve(reads->snapshot, &question, &answer, &error), &error, "resolving");
        must(steme_view_get(reads->snapshot, &reads->view, &question, &row, &error), &error, "a row");
        must_hold(answer.assertions == PER_SLOT && row.assertions == PER_SLOT, "100 assertions in the slot");
        must_hold(memcmp(&answer.beliefs[0].claim, &row.claim, sizeof row.claim) == 0, "the same claim");
        steme_snapshot_clear(reads->snapshot);
    }
}

/* Reads a second in one block. */
static double read_block(struct reads *reads, bool from_view)
{
    struct steme_error error;
    double start = clock_cpu_seconds();
    for (size_t i = 0; i < BLOCK_READS; i++) {
        char subject[WORKLOAD_NAME_BYTES];
        struct steme_answer answer;
        struct steme_view_row row;
        workload_subject(prng_below(&reads->prng, reads->slots), subject);
        struct steme_question question = question_of(subject);
        if (from_view)
            must(steme_view_get(reads->snapshot, &reads->view, &question, &row, &error), &error, "a row");
        else
            must(steme_resolve(reads->snapshot, &question, &answer, &error), &error, "resolving");
        steme_snapshot_clear(reads->snapshot);
    }
    return clock_cpu_seconds() - start;
}

int main(int argc, char **argv)
{
    struct options options = options_parse(argc, argv);
    struct scratch_path path = scratch_path(&options, "store");
    struct steme_error error;
    struct workload workload;
    size_t count = options_scale(&options, RECORDS);
    struct workload_shape shape = { .slots = count / PER_SLOT, .claims = CLAIMS };
    struct steme_store *store = scratch_store(path.text);
    struct reads reads = { .slots = shape.slots, .prng = { 7 } };
    workload_bundles(&workload, &shape, 0, count, BUNDLE);
    (void)scratch_submit(store, &workload, 2);
    workload_free(&workload);
    make_view(store);
    must(steme_snapshot_open(store, NULL, &reads.snapshot, &error), &error, "a snapshot");
    must(steme_view_show(reads.snapshot, slice_text("answers"), &reads.view, &error), &error, "the view");
    compare(&reads);
    struct figure figure = {
        .letter = "k",
        .what = "reading a view's row / resolving its slot of 100 assertions",
        .unit = "read/s",
        .bound = FIGURE_AT_LEAST,
        .limit = 20,
    };
    for (size_t round = 0; round < options.rounds; round++) {
        double ours = 0, theirs = 0;
        size_t blocks = options_scale(&options, READS) / BLOCK_READS;
        for (size_t i = 0; i < blocks; i++) {
            ours += read_block(&reads, true);
            theirs += read_block(&reads, false);
        }
        double reads_made = (double)(blocks * BLOCK_READS);
        figure_add(&figure, reads_made / ours, reads_made / theirs);
    }
    report(&figure, &options);
    steme_snapshot_close(&reads.snapshot);
    steme_close(&store);
    scratch_remove(path.text);
    return 0;
}
