/* SPDX-License-Identifier: Apache-2.0 */
#define _XOPEN_SOURCE 700 /* nftw() */
/* A short benchmark of this machine, through the public interface: what a newcomer may expect. The real ones are in
 * bench/. */
#include "base/check.h"
#include "base/slice.h"
#include "faces/cli/scalar.h"
#include "faces/cli/verbs.h"

#include <errno.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BUNDLE_COUNT = 1000, /* assertions in a bundle */
    SLOT_CLAIMS = 10,    /* assertions about one question */
    SINGLES = 200,       /* durable writes one at a time */
    QUESTIONS = 2000,    /* questions timed */
    ASSERTIONS_MAX = 10000000,
    OPEN_FILES = 16,
    CATCH_UP_MS = 600000
};

const struct option_spec bench_options[] = {
    { "count", "N", "assertions to write; else 100000", false },
    { 0 },
};

struct bench {
    struct cli *cli;
    uint64_t count;
    double bundled_per_second; /* signed in bundles, durable, indexed */
    double single_per_second;  /* one at a time, each signed and durable */
    double resolve_p50_us;
    double resolve_p99_us;
    uint64_t store_bytes;
};

struct names {
    char subject[32];
    char voice[32];
    char value[32];
};

static void fill_assertion(struct steme_assertion *it, struct names *names, uint64_t number)
{
    uint64_t slot = number / SLOT_CLAIMS;
    uint64_t voice = number % SLOT_CLAIMS;
    snprintf(names->subject, sizeof names->subject, "thing:%" PRIu64, slot);
    snprintf(names->voice, sizeof names->voice, "voice:%" PRIu64, voice);
    snprintf(names->value, sizeof names->value, "value %" PRIu64, voice % 3);
    *it = (struct steme_assertion){
        .subject = slice_text(names->subject),
        .predicate = slice_text("has"),
        .object = { .kind = STEME_TEXT, .text = slice_text(names->value) },
        .confidence_ppm = STEME_PPM,
        .asserted_at_us = (int64_t)number,
        .valid_from_us = STEME_TIME_MIN,
        .valid_to_us = STEME_TIME_MAX,
        .source = slice_text(names->voice),
    };
}

static double seconds_since(int64_t began_us)
{
    int64_t us = steme_now_us() - began_us;
    return us > 0 ? (double)us / 1e6 : 1e-6; /* a clock set back gives nonsense, not a crash */
}

static steme_status measure_bundles(struct bench *bench, struct steme_error *err)
{
    struct cli *cli = bench->cli;
    struct steme_assertion *assertions = arena_calloc(&cli->arena, BUNDLE_COUNT, sizeof *assertions);
    struct steme_receipt *receipts = arena_calloc(&cli->arena, BUNDLE_COUNT, sizeof *receipts);
    struct names *names = arena_calloc(&cli->arena, BUNDLE_COUNT, sizeof *names);
    if (!assertions || !receipts || !names) return arena_full(&cli->arena, err);
    int64_t began_us = steme_now_us();
    uint64_t last = 0;
    steme_status status = STEME_OK;
    for (uint64_t done = 0; done < bench->count && !status;) {
        size_t count = bench->count - done < BUNDLE_COUNT ? (size_t)(bench->count - done) : BUNDLE_COUNT;
        for (size_t i = 0; i < count; i++)
            fill_assertion(&assertions[i], &names[i], done + i);
        status = steme_write_bundle(cli->store, cli->signer, assertions, count, receipts, NULL, err);
        if (!status) last = receipts[count - 1].sequence;
        done += count;
        cli_progress(cli, "bench: %" PRIu64 " of %" PRIu64 " assertions", done, bench->count);
    }
    if (!status) status = steme_wait(cli->store, last, CATCH_UP_MS, err);
    bench->bundled_per_second = (double)bench->count / seconds_since(began_us);
    return status;
}

static steme_status measure_singles(struct bench *bench, struct steme_error *err)
{
    struct cli *cli = bench->cli;
    struct steme_receipt receipt;
    struct names names;
    steme_status status = STEME_OK;
    int64_t began_us = steme_now_us();
    for (uint64_t i = 0; i < SINGLES && !status; i++) {
        struct steme_record record = { .type = STEME_ASSERTION };
        fill_assertion(&record.as.assertion, &names, ASSERTIONS_MAX + i);
        status = steme_write(cli->store, cli->signer, &record, &receipt, err);
    }
    bench->single_per_second = SINGLES / seconds_since(began_us);
    return status;
}

static int compare_times(const void *left, const void *right)
{
    const int64_t *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

/* The clock counts microseconds and a question takes a few of them, so questions are timed ten at a time. */
static steme_status measure_questions(struct bench *bench, struct steme_error *err)
{
    enum { TOGETHER = 10, TIMES = QUESTIONS / TOGETHER, MEDIAN = TIMES / 2, RARE = TIMES * 99 / 100 };
    struct cli *cli = bench->cli;
    int64_t times[TIMES];
    uint64_t slots = (bench->count + SLOT_CLAIMS - 1) / SLOT_CLAIMS;
    steme_status status = cli_snapshot(cli, err);
    for (uint64_t i = 0; i < TIMES && !status; i++) {
        int64_t began_us = steme_now_us();
        for (uint64_t k = 0; k < TOGETHER && !status; k++) {
            char subject[32];
            struct steme_answer answer;
            /* Steps of a number that shares no factor with the count visit the slots in no order. */
            snprintf(subject, sizeof subject, "thing:%" PRIu64, (i * TOGETHER + k) * 7919 % slots);
            struct steme_question question = { .subject = slice_text(subject), .predicate = slice_text("has") };
            status = steme_resolve(cli->snapshot, &question, &answer, err);
            steme_snapshot_clear(cli->snapshot);
        }
        times[i] = steme_now_us() - began_us;
    }
    if (status) return status;
    qsort(times, TIMES, sizeof times[0], compare_times);
    bench->resolve_p50_us = (double)times[MEDIAN] / TOGETHER;
    bench->resolve_p99_us = (double)times[RARE] / TOGETHER;
    return STEME_OK;
}

static steme_status measure(struct bench *bench, struct steme_error *err)
{
    struct steme_info info;
    steme_status status = measure_bundles(bench, err);
    if (!status) status = measure_singles(bench, err);
    if (!status) status = measure_questions(bench, err);
    if (!status) status = steme_info(bench->cli->store, &info, err);
    cli_progress(bench->cli, "%s", "");
    if (!status) bench->store_bytes = info.log_bytes + info.index_bytes;
    return status;
}

static void print_bench(const struct bench *bench)
{
    FILE *out = bench->cli->print.out;
    char count[2][PRINT_COUNT_BYTES];
    if (bench->cli->json) {
        fprintf(out,
                "{\"assertions\":%" PRIu64 ",\"bundled_per_second\":%.0f,\"single_per_second\":%.0f,"
                "\"resolve_p50_us\":%.1f,\"resolve_p99_us\":%.1f,\"store_bytes\":%" PRIu64 "}\n",
                bench->count, bench->bundled_per_second, bench->single_per_second, bench->resolve_p50_us,
                bench->resolve_p99_us, bench->store_bytes);
        return;
    }
    fprintf(out, "assertions/s  %s in bundles of %d: signed, durable, indexed (%s in all)\n",
            print_count((uint64_t)bench->bundled_per_second, count[0]), (int)BUNDLE_COUNT,
            print_count(bench->count, count[1]));
    fprintf(out, "writes/s      %s one at a time: each signed and synced to disk\n",
            print_count((uint64_t)bench->single_per_second, count[0]));
    fprintf(out, "answer        %.1f us p50, %.1f us p99: consensus over a question with %d assertions, one thread\n",
            bench->resolve_p50_us, bench->resolve_p99_us, (int)SLOT_CLAIMS);
    fprintf(out, "store         %s bytes, log and index\n", print_count(bench->store_bytes, count[0]));
}

static int remove_entry(const char *path, const struct stat *stat, int kind, struct FTW *walk)
{
    (void)stat;
    (void)kind;
    (void)walk;
    return remove(path);
}

/* A store in a directory of its own under $TMPDIR, removed afterwards. */
steme_status verb_bench(struct cli *cli, struct steme_error *err)
{
    struct bench bench = { .cli = cli, .count = 100000 };
    char dir[sizeof cli->dir];
    const char *count = cli_option(cli, "count");
    const char *temporary = getenv("TMPDIR");
    steme_status status = count ? scalar_parse_count(count, "count", ASSERTIONS_MAX, &bench.count, err) : STEME_OK;
    if (status) return status;
    if (bench.count == 0) return error_set(err, STEME_BAD_INPUT, "count must be over 0");
    int size = snprintf(dir, sizeof dir, "%s/steme-bench-XXXXXX", temporary && temporary[0] ? temporary : "/tmp");
    if (size < 0 || (size_t)size >= sizeof dir - sizeof "/store")
        return error_set(err, STEME_BAD_INPUT, "$TMPDIR is too long");
    if (!mkdtemp(dir))
        return error_set_os(err, STEME_IO, errno, "can't make a directory for the benchmark: %.300s", dir);
    snprintf(cli->dir, sizeof cli->dir, "%.4000s/store", dir);
    status = steme_create(cli->dir, err);
    if (!status) status = steme_open(cli->dir, NULL, &cli->store, err);
    cli->writes = true;
    if (!status) status = steme_signer_new(cli->store, "default", &cli->signer, err);
    if (!status) status = measure(&bench, err);
    cli_close(cli);
    if (nftw(dir, remove_entry, OPEN_FILES, FTW_DEPTH | FTW_PHYS) != 0) cli_note(cli, "could not remove %s", dir);
    if (status) return status;
    print_bench(&bench);
    return cli_check_output(cli, err);
}
