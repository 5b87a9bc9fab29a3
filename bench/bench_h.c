/* SPDX-License-Identifier: Apache-2.0 */
/* h. Learned reliability over every question of a predicate, beside the bare loop.
 *
 * Ours       A new snapshot; scope_gather() of all slots (rows, and a record of each claim); rel_learn(); rel_judge()
 *            of every slot.
 * Theirs     Expectation maximisation over arrays in memory, in plain C: the same answers, the same number of steps, a
 *            matrix for each voice (Dawid and Skene) or one number, by what was learned.
 *
 * Noted beside it: steme_resolve_each() under `reliability`, learning and records and all, and under `consensus`.
 *
 * Time is CPU time: nothing here waits, and neighbours take the clock. The data are those of the largest public set,
 * 42,624 questions with three answers to choose from, 57 voices, 214,960 answers (STEME_SHARED_DATA, truth/fact_eval);
 * where they are not there, made-up ones of that shape, and the line says so. */
#include "base/prng.h"
#include "base/slice.h"
#include "cortex/scope.h"
#include "db/snapshot.h"
#include "lib/clock.h"
#include "lib/report.h"
#include "lib/scratch.h"
#include "steme/steme.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ITEMS = 42624, VOICES = 57, LABELS = 3, ANSWERS = 214960, BUNDLE = 1000, WAIT_MS = 600000, NAME_BYTES = 32 };

struct answer {
    uint32_t item, voice, label;
};

/* Sorted by item. */
struct answers {
    struct answer *rows;
    size_t count, items, voices;
    bool made_up;
};

/* ---- data ---- */

static int compare_items(const void *left, const void *right)
{
    const struct answer *a = left, *b = right;
    return (a->item > b->item) - (a->item < b->item);
}

/* The number behind a word; *at moves behind it. */
static bool take_number(const char **at, const char *word, uint32_t *out)
{
    size_t length = strlen(word);
    char *end = NULL;
    if (strncmp(*at, word, length) != 0) return false;
    *out = (uint32_t)strtoul(*at + length, &end, 10);
    bool found = end > *at + length;
    *at = end;
    return found;
}

/* Lines "w19<TAB>fact23646<TAB>fact_correct<TAB>1" of the public set. */
static bool read_public(struct answers *out)
{
    const char *shared = getenv("STEME_SHARED_DATA");
    char command[4096], line[256];
    if (!shared) return false;
    snprintf(command, sizeof command, "zcat '%s/truth/fact_eval/claims.tsv.gz' 2>/dev/null", shared);
    FILE *in = popen(command, "re");
    must_hold(in != NULL, "zcat");
    *out = (struct answers){ .rows = must_alloc(ANSWERS, sizeof *out->rows) };
    while (out->count < ANSWERS && fgets(line, sizeof line, in)) {
        struct answer row;
        const char *at = line;
        bool whole = take_number(&at, "w", &row.voice) && take_number(&at, "\tfact", &row.item) &&
                     take_number(&at, "\tfact_correct\t", &row.label);
        if (!whole) continue; /* the header */
        must_hold(row.label < LABELS && row.voice <= 2 * VOICES && row.item < 2 * ITEMS, "fact_eval as it is known");
        if (row.voice >= out->voices) out->voices = row.voice + 1;
        if (row.item >= out->items) out->items = row.item + 1;
        out->rows[out->count++] = row;
    }
    pclose(in);
    if (out->count < ANSWERS) free(out->rows);
    return out->count == ANSWERS;
}

/* Voices of which a few say much, right four times of five. */
static void make_up(struct answers *out)
{
    struct prng prng = { 8 };
    *out = (struct answers){ .rows = must_alloc(ANSWERS, sizeof *out->rows), .items = ITEMS, .voices = VOICES };
    out->made_up = true;
    for (out->count = 0; out->count < ANSWERS; out->count++) {
        uint32_t item = (uint32_t)(out->count * ITEMS / ANSWERS);
        uint32_t wrong = prng_below(&prng, 5) == 0 ? 1 + (uint32_t)prng_below(&prng, LABELS - 1) : 0;
        uint64_t voice = prng_below(&prng, VOICES) * prng_below(&prng, VOICES) / VOICES;
        out->rows[out->count] = (struct answer){ item, (uint32_t)voice, (item % LABELS + wrong) % LABELS };
    }
}

static void fill_store(const char *path, const struct answers *answers)
{
    static const uint8_t seed[32] = "the key of one who relays voices";
    struct steme_error error;
    struct steme_signer *signer = NULL;
    struct steme_store *store = scratch_store(path);
    struct steme_assertion *made = must_alloc(BUNDLE, sizeof *made);
    struct steme_receipt *receipts = must_alloc(BUNDLE, sizeof *receipts);
    char(*names)[3][NAME_BYTES] = must_alloc(BUNDLE, sizeof *names);
    uint64_t last = 0;
    must(steme_signer_from_seed(seed, &signer, &error), &error, "a key");
    for (size_t first = 0; first < answers->count; first += BUNDLE) {
        size_t count = answers->count - first < BUNDLE ? answers->count - first : BUNDLE;
        for (size_t i = 0; i < count; i++) {
            const struct answer *row = &answers->rows[first + i];
            snprintf(names[i][0], NAME_BYTES, "fact%u", row->item);
            snprintf(names[i][1], NAME_BYTES, "w%u", row->voice);
            snprintf(names[i][2], NAME_BYTES, "%u", row->label);
            made[i] = (struct steme_assertion){ .subject = slice_text(names[i][0]),
                                                .predicate = slice_text("fact_correct"),
                                                .object = { .kind = STEME_TEXT, .text = slice_text(names[i][2]) },
                                                .source = slice_text(names[i][1]),
                                                .confidence_ppm = STEME_PPM,
                                                .asserted_at_us = 1767268800000000 + (int64_t)(first + i),
                                                .valid_from_us = STEME_TIME_MIN,
                                                .valid_to_us = STEME_TIME_MAX };
        }
        must(steme_write_bundle(store, signer, made, count, receipts, NULL, &error), &error, "importing");
        last = receipts[count - 1].sequence;
    }
    must(steme_wait(store, last, WAIT_MS, &error), &error, "waiting for the index");
    steme_signer_free(&signer);
    steme_close(&store);
    free(made);
    free(receipts);
    free(names);
}

/* ---- ours ---- */

#define CEILING_BYTES ((size_t)1 << 30)

struct lesson {
    size_t items, answers, iterations;
    enum rel_method method;
    double probability; /* of all values, summed: an answer nobody looks at might not be computed */
    double gather_seconds, learn_seconds;
};

static double judge_items(const struct rel_model *model, const struct rel_data *data, struct arena *arena)
{
    struct steme_error error;
    double p[64], sum = 0;
    for (size_t i = 0; i < data->item_count; i++) {
        must_hold(data->items[i].value_count <= sizeof p / sizeof *p, "few values");
        must(rel_judge(model, &data->items[i], arena, p, &error), &error, "judging a slot");
        sum += p[0];
    }
    return sum;
}

static double learn_all(struct steme_store *store, struct lesson *out)
{
    const struct rel_params params = { 0 };
    struct steme_error error;
    struct steme_snapshot *snapshot = NULL;
    struct scope scope;
    const struct rel_model *model = NULL;
    struct arena kept, scratch;
    arena_init(&kept, CEILING_BYTES);
    arena_init(&scratch, CEILING_BYTES);
    double start = clock_cpu_seconds();
    must(steme_snapshot_open(store, NULL, &snapshot, &error), &error, "a snapshot");
    must(scope_gather(&snapshot->reader, slice_text("fact_correct"), true, NULL, &kept, &scratch, &scope, &error),
         &error, "gathering");
    double gathered = clock_cpu_seconds();
    must(rel_learn(&scope.data, &params, &kept, &model, &error), &error, "learning");
    double learned = clock_cpu_seconds();
    *out = (struct lesson){ .items = model->item_count,
                            .answers = model->answer_count,
                            .iterations = model->iterations,
                            .method = model->method,
                            .probability = judge_items(model, &scope.data, &scratch) };
    double seconds = clock_cpu_seconds() - start;
    out->gather_seconds = gathered - start;
    out->learn_seconds = learned - gathered;
    arena_deinit(&kept);
    arena_deinit(&scratch);
    steme_snapshot_close(&snapshot);
    return seconds;
}

struct outcome {
    size_t slots;
    struct steme_learned learned;
    double probability; /* of all best claims, summed: an answer nobody looks at might not be computed */
};

static steme_status take_answer(void *context, const struct steme_answer *answer)
{
    struct outcome *outcome = context;
    outcome->slots++;
    outcome->learned = answer->learned;
    outcome->probability += answer->beliefs[0].probability;
    return STEME_OK;
}

static double judge_all(struct steme_store *store, const char *lens, struct outcome *outcome)
{
    struct steme_error error;
    struct steme_snapshot *snapshot = NULL;
    struct steme_question pattern = { .predicate = slice_text("fact_correct"), .lens = { .name = lens } };
    *outcome = (struct outcome){ 0 };
    double start = clock_cpu_seconds();
    must(steme_snapshot_open(store, NULL, &snapshot, &error), &error, "a snapshot");
    must(steme_resolve_each(snapshot, &pattern, take_answer, outcome, &error), &error, "judging every slot");
    double seconds = clock_cpu_seconds() - start;
    steme_snapshot_close(&snapshot);
    return seconds;
}

/* ---- theirs ---- */

/* What a voice says (second) where the truth is the first; expected counts, then their logarithms. */
typedef double matrix[LABELS][LABELS];

struct bare {
    const struct answers *answers;
    matrix *voices;
    double (*beliefs)[LABELS]; /* of each item */
    double classes[LABELS];
};

static void begin_counts(struct bare *bare, double right, double wrong)
{
    for (size_t v = 0; v < bare->answers->voices; v++)
        for (size_t t = 0; t < LABELS; t++)
            for (size_t s = 0; s < LABELS; s++)
                bare->voices[v][t][s] = t == s ? right : wrong;
    for (size_t t = 0; t < LABELS; t++)
        bare->classes[t] = 1;
}

/* From counts of what was said to logarithms of how likely it is. With one coin a voice has one chance of being right,
 * and all errors are alike. */
static void take_logarithms(struct bare *bare, bool one_coin)
{
    double all = 0;
    for (size_t v = 0; v < bare->answers->voices; v++) {
        matrix *m = &bare->voices[v];
        double right = 0, total = 0;
        for (size_t t = 0; t < LABELS; t++)
            for (size_t s = 0; s < LABELS; s++) {
                right += t == s ? (*m)[t][s] : 0;
                total += (*m)[t][s];
            }
        for (size_t t = 0; t < LABELS; t++) {
            double row = (*m)[t][0] + (*m)[t][1] + (*m)[t][2];
            for (size_t s = 0; s < LABELS; s++) {
                double alike = t == s ? right / total : (1 - right / total) / (LABELS - 1);
                (*m)[t][s] = log(one_coin ? alike : (*m)[t][s] / row);
            }
        }
    }
    for (size_t t = 0; t < LABELS; t++)
        all += bare->classes[t];
    for (size_t t = 0; t < LABELS; t++)
        bare->classes[t] = log(bare->classes[t] / all);
}

static void believe(struct bare *bare)
{
    const struct answer *rows = bare->answers->rows;
    for (size_t from = 0, to; from < bare->answers->count; from = to) {
        double *belief = bare->beliefs[rows[from].item], top, total = 0;
        memcpy(belief, bare->classes, sizeof bare->classes);
        for (to = from; to < bare->answers->count && rows[to].item == rows[from].item; to++)
            for (size_t t = 0; t < LABELS; t++)
                belief[t] += bare->voices[rows[to].voice][t][rows[to].label];
        top = fmax(belief[0], fmax(belief[1], belief[2]));
        for (size_t t = 0; t < LABELS; t++)
            total += belief[t] = exp(belief[t] - top);
        for (size_t t = 0; t < LABELS; t++)
            belief[t] /= total;
    }
}

static void count_answers(struct bare *bare)
{
    begin_counts(bare, 1, 0.5);
    for (size_t i = 0; i < bare->answers->count; i++) {
        const struct answer *row = &bare->answers->rows[i];
        for (size_t t = 0; t < LABELS; t++)
            bare->voices[row->voice][t][row->label] += bare->beliefs[row->item][t];
    }
    for (size_t i = 0; i < bare->answers->items; i++)
        for (size_t t = 0; t < LABELS; t++)
            bare->classes[t] += bare->beliefs[i][t];
}

static double run_bare(struct bare *bare, size_t steps, bool one_coin)
{
    double start = clock_cpu_seconds();
    begin_counts(bare, 4, 1);
    for (size_t step = 0; step < steps; step++) {
        take_logarithms(bare, one_coin);
        believe(bare);
        count_answers(bare);
    }
    return clock_cpu_seconds() - start;
}

static void measure(struct steme_store *store, const struct answers *answers, size_t rounds, struct figure *learning)
{
    struct bare bare = { .answers = answers };
    struct outcome outcome = { 0 }, vote;
    struct lesson lesson = { 0 };
    double judged = 0, voted = 0;
    bare.voices = must_alloc(answers->voices, sizeof *bare.voices);
    bare.beliefs = must_alloc(answers->items, sizeof *bare.beliefs);
    memset(bare.beliefs, 0, answers->items * sizeof *bare.beliefs);
    for (size_t round = 0; round < rounds; round++) {
        double ours = learn_all(store, &lesson);
        double theirs = run_bare(&bare, lesson.iterations, lesson.method != REL_CONFUSION);
        must_hold(lesson.probability > 0 && bare.beliefs[answers->rows[0].item][0] >= 0, "something is believed");
        figure_add(learning, ours, theirs);
        judged = judge_all(store, "reliability", &outcome);
        voted = judge_all(store, "consensus", &vote);
        must_hold(outcome.slots == vote.slots && outcome.learned.items == outcome.slots, "every slot is judged");
    }
    figure_note(learning,
                "%s%zu answers, %zu steps of %s; gathering %.3f s, learning %.3f s; whole answers to all %.2f s, by "
                "consensus %.2f s",
                answers->made_up ? "made up, no public set: " : "", lesson.answers, lesson.iterations,
                steme_method_name(outcome.learned.method), lesson.gather_seconds, lesson.learn_seconds, judged, voted);
    free(bare.voices);
    free(bare.beliefs);
}

int main(int argc, char **argv)
{
    struct options options = options_parse(argc, argv);
    struct scratch_path path = scratch_path(&options, "store");
    struct answers answers;
    struct figure learning = {
        .letter = "h",
        .what = "learning from 42,624 slots and judging them / EM over arrays",
        .unit = "s",
        .bound = FIGURE_AT_MOST,
        .limit = 3.0,
    };
    if (!read_public(&answers)) make_up(&answers);
    qsort(answers.rows, answers.count, sizeof *answers.rows, compare_items);
    if (options.quick) answers.count /= 10;
    if (options.quick) learning.what = "learning from 4,262 slots and judging them / EM over arrays";
    fill_store(path.text, &answers);
    struct steme_store *store = scratch_open(path.text);
    measure(store, &answers, options.rounds, &learning);
    report(&learning, &options);
    steme_close(&store);
    scratch_remove(path.text);
    free(answers.rows);
    return 0;
}
