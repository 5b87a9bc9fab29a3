/* SPDX-License-Identifier: Apache-2.0 */
/* calibrate: the store's own answers held against what is true. */
#include "base/check.h"
#include "base/slice.h"
#include "faces/card/card.h"
#include "faces/card/chart.h"
#include "faces/card/estimate.h"
#include "faces/cli/cli.h"
#include "faces/cli/score.h"
#include "faces/cli/truths.h"
#include "faces/cli/unknown.h"
#include "faces/cli/verbs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SVG_MAX_BYTES = 1 << 22, LINE_MAX_BYTES = 1 << 20, LENSES_MAX = 32 };

#define TRUTHS_MAX_BYTES ((size_t)1 << 30)

const struct option_spec calibrate_options[] = {
    { "truth", "FILE", "what is true: TSV with subject, predicate, object, and type if it is not plain", false },
    { "format", "FORMAT", "tsv or ndjson, which also has the points of the diagrams; else a table", false },
    { "svg", "DIR", "write a reliability diagram of each lens into this directory, which is made unless it is there",
      false },
    { 0 },
};

enum output { OUTPUT_TABLE, OUTPUT_TSV, OUTPUT_NDJSON };

/* One lens. */
struct verdicts {
    struct steme_lens lens;
    struct card card;           /* questions that have a choice for an answer */
    struct estimates estimates; /* that have a number */
    uint32_t left_out;          /* whose predicate allows many values */
    double seconds;
};

struct calibration {
    struct cli *cli;
    enum output output;
    struct truths truths;
    struct arena arena;
    struct verdicts rows[LENSES_MAX];
    size_t row_count;
};

/* ---- scoring ---- */

static bool number_of(const struct steme_value *value, double *out)
{
    if (value->kind == STEME_INTEGER)
        *out = (double)value->integer;
    else if (value->kind == STEME_DECIMAL || value->kind == STEME_QUANTITY)
        *out = steme_decimal_double(value->amount);
    else
        return false;
    return true;
}

/* Whether a question is about a number: the truth is one, and most of what is claimed. The same under every lens. */
static bool asks_number(const struct truth *truth, const struct steme_answer *answer)
{
    size_t numbers = 0;
    double unused;
    for (size_t i = 0; i < answer->belief_count; i++)
        numbers += number_of(&answer->beliefs[i].value, &unused);
    return truth->is_number && 2 * numbers > answer->belief_count;
}

static void score_number(struct verdicts *row, const struct truth *truth, const struct steme_answer *answer)
{
    double best = 0;
    if (answer->has_pooled)
        estimates_add(&row->estimates, answer->pooled.mean, answer->pooled.error, truth->number);
    else if (answer->beliefs[0].probability > 0 && number_of(&answer->beliefs[0].value, &best))
        estimates_add(&row->estimates, best, 0, truth->number);
    else
        estimates_unknown(&row->estimates);
}

static steme_status score_choice(struct calibration *it, struct verdicts *row, const struct truth *truth,
                                 const struct steme_answer *answer, struct steme_error *err)
{
    struct arena_mark start = arena_mark(&it->arena);
    double *chances = arena_alloc(&it->arena, answer->belief_count * sizeof *chances);
    size_t right = CARD_NO_CHOICE;
    if (!chances) return arena_full(&it->arena, err);
    for (size_t i = 0; i < answer->belief_count; i++) {
        chances[i] = answer->beliefs[i].probability;
        if (truth_is(truth, &answer->beliefs[i].value)) right = i;
    }
    card_add_choice(&row->card, chances, answer->belief_count, right, answer->verdict == STEME_SETTLED);
    arena_rewind(&it->arena, start);
    return STEME_OK;
}

/* Lenses that have no answer to a question of this kind by what they are. */
static bool makes_sense(const struct verdicts *row, bool number)
{
    return strcmp(row->lens.name, number ? "union" : "pool") != 0;
}

static steme_status judge_truth(struct calibration *it, struct verdicts *row, const struct truth *truth,
                                struct steme_error *err)
{
    struct steme_answer answer;
    struct steme_question question = { .subject = truth->subject, .predicate = truth->predicate, .lens = row->lens };
    steme_status status = steme_resolve(it->cli->snapshot, &question, &answer, err);
    if (status) return status;
    bool number = asks_number(truth, &answer);
    if (!answer.functional)
        row->left_out++;
    else if (makes_sense(row, number) && number)
        score_number(row, truth, &answer);
    else if (makes_sense(row, number))
        status = score_choice(it, row, truth, &answer, err);
    steme_snapshot_clear(it->cli->snapshot);
    return status;
}

static steme_status judge_all(struct calibration *it, struct steme_error *err)
{
    steme_status status = STEME_OK;
    for (size_t l = 0; !status && l < it->row_count; l++) {
        struct verdicts *row = &it->rows[l];
        int64_t start_us = steme_now_us();
        for (size_t i = 0; !status && i < it->truths.count; i++) {
            if (i % 64 == 0)
                cli_progress(it->cli, "calibrate: %s: %zu of %zu questions", row->lens.name, i, it->truths.count);
            status = judge_truth(it, row, &it->truths.items[i], err);
        }
        row->seconds = (double)(steme_now_us() - start_us) / 1e6;
    }
    cli_progress(it->cli, "%s", "");
    return status;
}

/* ---- output ---- */

static void print_choices(const struct calibration *it)
{
    static const struct print_column columns[] = {
        { "lens", false, PRINT_BOLD, 0 },       { "questions", true, PRINT_PLAIN, 0 },
        { "right", true, PRINT_PLAIN, 0 },      { "unknown", true, PRINT_PLAIN, 0 },
        { "log loss", true, PRINT_PLAIN, 0 },   { "Brier", true, PRINT_PLAIN, 0 },
        { "calibration", true, PRINT_CYAN, 0 },
    };
    struct print print = it->cli->print;
    struct table table;
    print.table = true; /* it is for people; --format is for programs */
    table_begin(&table, &print, columns, countof(columns));
    for (size_t i = 0; i < it->row_count; i++) {
        const struct card *card = &it->rows[i].card;
        char text[PRINT_COUNT_BYTES];
        if (card->questions == 0) continue;
        table_cell(&table, slice_text(it->rows[i].lens.name));
        table_cellf(&table, "%" PRIu32, card->questions);
        score_percent(card_accuracy(card), text);
        table_cell(&table, slice_text(text));
        score_percent(card_unknown(card), text);
        table_cell(&table, slice_text(text));
        table_cellf(&table, "%.3f", card_log_loss(card));
        table_cellf(&table, "%.3f", card_brier(card));
        table_cellf(&table, "%.3f", card_calibration(card));
    }
    table_end(&table);
}

static void print_numbers(const struct calibration *it)
{
    static const struct print_column columns[] = {
        { "lens", false, PRINT_BOLD, 0 },      { "numbers", true, PRINT_PLAIN, 0 }, { "unknown", true, PRINT_PLAIN, 0 },
        { "mean error", true, PRINT_CYAN, 0 }, { "RMSE", true, PRINT_PLAIN, 0 },    { "covered", true, PRINT_PLAIN, 0 },
    };
    struct print print = it->cli->print;
    struct table table;
    print.table = true;
    table_begin(&table, &print, columns, countof(columns));
    for (size_t i = 0; i < it->row_count; i++) {
        const struct estimates *e = &it->rows[i].estimates;
        char text[PRINT_COUNT_BYTES] = "";
        if (e->questions == 0) continue;
        table_cell(&table, slice_text(it->rows[i].lens.name));
        table_cellf(&table, "%" PRIu32, e->questions);
        table_cellf(&table, "%" PRIu32, e->unknown);
        table_cellf(&table, "%.4g", estimates_mae(e));
        table_cellf(&table, "%.4g", estimates_rmse(e));
        if (e->stated) score_percent(estimates_coverage(e), text);
        table_cell(&table, slice_text(text));
    }
    table_end(&table);
}

static bool any(const struct calibration *it, bool numbers)
{
    for (size_t i = 0; i < it->row_count; i++)
        if (numbers ? it->rows[i].estimates.questions : it->rows[i].card.questions) return true;
    return false;
}

static void print_tables(const struct calibration *it)
{
    if (any(it, false)) print_choices(it);
    if (any(it, false) && any(it, true)) fputc('\n', it->cli->print.out);
    if (any(it, true)) print_numbers(it);
    if (it->rows[0].left_out)
        fprintf(it->cli->print.out, "%" PRIu32 " left out: their predicates allow many values\n", it->rows[0].left_out);
}

static void print_tsv(const struct calibration *it)
{
    FILE *out = it->cli->print.out;
    fputs("lens\tof\tquestions\tunknown\tright\tlog_loss\tbrier\tcalibration\tmae\trmse\tcoverage\n", out);
    for (size_t i = 0; i < it->row_count; i++) {
        const struct card *card = &it->rows[i].card;
        const struct estimates *e = &it->rows[i].estimates;
        if (card->questions)
            fprintf(out, "%s\tchoices\t%" PRIu32 "\t%" PRIu32 "\t%.6f\t%.6f\t%.6f\t%.6f\t\t\t\n", it->rows[i].lens.name,
                    card->questions, card->unknown, card_accuracy(card), card_log_loss(card), card_brier(card),
                    card_calibration(card));
        if (!e->questions) continue;
        fprintf(out, "%s\tnumbers\t%" PRIu32 "\t%" PRIu32 "\t%.6f\t\t\t\t%.6f\t%.6f\t", it->rows[i].lens.name,
                e->questions, e->unknown, (double)e->exact / e->questions, estimates_mae(e), estimates_rmse(e));
        if (e->stated) fprintf(out, "%.6f", estimates_coverage(e));
        fputc('\n', out);
    }
}

static void emit_estimates(struct emit *json, const struct estimates *e)
{
    emit_begin(json, "numbers", '{');
    emit_count(json, "questions", e->questions);
    emit_count(json, "unknown", e->unknown);
    emit_count(json, "exact", e->exact);
    score_emit(json, "mae", estimates_mae(e));
    score_emit(json, "rmse", estimates_rmse(e));
    if (e->stated)
        score_emit(json, "coverage", estimates_coverage(e));
    else
        emit_null(json, "coverage");
    emit_end(json, '}');
}

static steme_status print_ndjson(const struct calibration *it, struct steme_error *err)
{
    steme_status status = STEME_OK;
    struct buf line;
    buf_init(&line, LINE_MAX_BYTES);
    for (size_t i = 0; !status && i < it->row_count; i++) {
        const struct verdicts *row = &it->rows[i];
        struct emit json = { .to = &line };
        emit_begin(&json, NULL, '{');
        emit_word(&json, "lens", row->lens.name);
        emit_count(&json, "left_out", row->left_out);
        emit_real(&json, "seconds", row->seconds);
        if (row->card.questions) {
            emit_begin(&json, "choices", '{');
            emit_count(&json, "questions", row->card.questions);
            score_emit_card(&json, &row->card);
            score_emit_bins(&json, &row->card);
            emit_end(&json, '}');
        }
        if (row->estimates.questions) emit_estimates(&json, &row->estimates);
        emit_end(&json, '}');
        status = cli_print_line(it->cli, &line, err);
    }
    buf_deinit(&line);
    return status;
}

static steme_status draw(const struct calibration *it, const struct verdicts *row, struct steme_error *err)
{
    char path[sizeof it->cli->dir];
    struct chart chart = { .title = row->lens.name,
                           .what = "what is said, and what is so",
                           .across = "probability stated",
                           .up = "right answers",
                           .names = &row->lens.name,
                           .name_count = 1 };
    int size = snprintf(path, sizeof path, "%s/%s.svg", cli_option(it->cli, "svg"), row->lens.name);
    if (size < 0 || (size_t)size >= sizeof path)
        return error_set(err, STEME_BAD_INPUT, "the path of a plot is too long");
    struct buf text;
    buf_init(&text, SVG_MAX_BYTES);
    chart_begin(&text, &chart);
    chart_guide(&text, 0, 0, 1, 1);
    chart_card(&text, &chart, 0, &row->card);
    chart_end(&text);
    steme_status status = score_write_plot(path, &text, err);
    buf_deinit(&text);
    return status;
}

/* ---- the verb ---- */

/* The lenses named, or all of them; each with all parameters, of which it takes its own. */
static steme_status choose_lenses(struct calibration *it, struct steme_error *err)
{
    struct steme_lens lens;
    size_t count, named = options_count(&it->cli->options, "lens");
    const struct steme_lens_info *lenses = steme_lens_list(&count);
    steme_status status = cli_lens(it->cli, NULL, &lens, err);
    if (named) count = named;
    if (!status && count > LENSES_MAX) status = error_set(err, STEME_BAD_INPUT, "at most %d lenses", (int)LENSES_MAX);
    for (size_t i = 0; !status && i < count; i++) {
        lens.name = named ? options_nth(&it->cli->options, "lens", i) : lenses[i].name;
        status = cli_check_lens(lens.name, err);
        it->rows[it->row_count++].lens = lens;
    }
    return status;
}

static steme_status choose_output(struct calibration *it, struct steme_error *err)
{
    static const char *const formats[] = { "ndjson", "tsv" };
    const char *format = cli_option(it->cli, "format");
    it->output = it->cli->json ? OUTPUT_NDJSON : OUTPUT_TABLE;
    if (!format) return STEME_OK;
    if (strcmp(format, "ndjson") != 0 && strcmp(format, "tsv") != 0)
        return unknown_word(err, STEME_BAD_INPUT, "format", format, formats, countof(formats));
    it->output = strcmp(format, "tsv") == 0 ? OUTPUT_TSV : OUTPUT_NDJSON;
    return STEME_OK;
}

static steme_status calibrate(struct calibration *it, struct steme_error *err)
{
    const char *truth = cli_option(it->cli, "truth");
    if (!truth) return error_set(err, STEME_BAD_INPUT, "--truth FILE is missing: what the answers are held against");
    steme_status status = choose_output(it, err);
    if (!status) status = choose_lenses(it, err);
    if (!status) status = truths_read(truth, &it->arena, &it->truths, err);
    if (!status) status = cli_snapshot(it->cli, err);
    if (!status && cli_has(it->cli, "svg")) status = score_make_dir(cli_option(it->cli, "svg"), err);
    if (!status) status = judge_all(it, err);
    if (!status && it->output == OUTPUT_NDJSON) status = print_ndjson(it, err);
    if (!status && it->output == OUTPUT_TSV) print_tsv(it);
    if (!status && it->output == OUTPUT_TABLE) print_tables(it);
    if (!status) status = cli_check_output(it->cli, err);
    for (size_t i = 0; !status && i < it->row_count && cli_has(it->cli, "svg"); i++)
        if (it->rows[i].card.questions) status = draw(it, &it->rows[i], err);
    return status;
}

steme_status verb_calibrate(struct cli *cli, struct steme_error *err)
{
    struct calibration *it = calloc(1, sizeof *it);
    if (!it) return error_set(err, STEME_NO_MEMORY, "no memory for the cards");
    it->cli = cli;
    arena_init(&it->arena, TRUTHS_MAX_BYTES);
    steme_status status = calibrate(it, err);
    arena_deinit(&it->arena);
    free(it);
    return status;
}
