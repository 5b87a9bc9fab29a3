/* SPDX-License-Identifier: Apache-2.0 */
/* arena: lenses judged on made-up agents whose honesty is known. */
#include "base/check.h"
#include "base/slice.h"
#include "faces/arena/contest.h"
#include "faces/arena/interrupt.h"
#include "faces/arena/plot.h"
#include "faces/cli/scalar.h"
#include "faces/cli/score.h"
#include "faces/cli/unknown.h"
#include "faces/cli/verbs.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { MEMORY_MAX_BYTES = 1 << 30, SVG_MAX_BYTES = 1 << 22, LINE_MAX_BYTES = 1 << 22 };

const struct option_spec arena_options[] = {
    { "lens", "LENS", "judge by this lens alone, one of the scenario's", false },
    { "seed", "N", "instead of the scenario's own", false },
    { "format", "FORMAT", "tsv or ndjson, which also has the points of the plots; else a table", false },
    { "svg", "DIR", "write plots into this directory, which is made unless it is there", false },
    { 0 },
};

enum output { OUTPUT_TABLE, OUTPUT_TSV, OUTPUT_NDJSON };

/* One of the scenarios named. */
struct entry {
    const char *file; /* as messages call it */
    struct arena arena;
    struct scenario scenario;
    struct contest contest;
};

struct show {
    struct cli *cli;
    enum output output;
    bool headed;
};

struct watched {
    struct cli *cli;
    const char *file;
};

static void show_progress(void *context, const char *what, uint64_t done, uint64_t all)
{
    const struct watched *watched = context;
    cli_progress(watched->cli, "arena: %s: %" PRIu64 " of %" PRIu64 " %s", watched->file, done, all, what);
}

/* ---- cards ---- */

/* "7", or "> 256" where no number tried does it; "" where nobody attacks. */
static void format_flip(const struct scenario *scenario, const struct contest_row *row, char out[PRINT_COUNT_BYTES])
{
    out[0] = '\0';
    if (row->flips)
        snprintf(out, PRINT_COUNT_BYTES, "%" PRIu32, row->flip);
    else if (scenario->attackers)
        snprintf(out, PRINT_COUNT_BYTES, "> %" PRIu32, scenario_attack_max(scenario));
}

static void print_cast(const struct show *show, const struct contest *contest)
{
    const struct scenario *scenario = contest->scenario;
    FILE *out = show->cli->print.out;
    print_coloured(&show->cli->print, PRINT_BOLD, "%s", scenario->name);
    fputc('\n', out);
    for (size_t i = 0; i < scenario->group_count; i++) {
        const struct scenario_group *group = &scenario->groups[i];
        fprintf(out, "%s%" PRIu32 " %s", i ? ", " : "", group->count, scenario_kind_name(group->kind));
        if (group->kind == SCENARIO_COMPROMISED) fprintf(out, " (%" PRIu32 " stolen)", group->stolen);
    }
    const char *before = ";";
    if (scenario->questions) {
        fprintf(out, "; %" PRIu32 " questions with %" PRIu32 " choices", scenario->questions, scenario->choices);
        before = ",";
    }
    if (scenario->numbers) fprintf(out, "%s %" PRIu32 " numbers", before, scenario->numbers);
    fprintf(out, "; seed %" PRIu64 "\n\n", scenario->seed);
}

static void print_card(struct table *table, const struct scenario *scenario, const struct contest_row *row)
{
    char text[PRINT_COUNT_BYTES];
    table_cell(table, slice_text(row->lens->name));
    table_cellf(table, "%s", row->numbers ? "numbers" : "choices");
    const double shares[] = { card_accuracy(&row->card), card_unknown(&row->card), card_fooled(&row->card) };
    for (size_t i = 0; i < countof(shares); i++) {
        score_percent(shares[i], text);
        table_cell(table, slice_text(text));
    }
    table_cellf(table, "%.3f", card_log_loss(&row->card));
    table_cellf(table, "%.3f", card_brier(&row->card));
    table_cellf(table, "%.3f", card_calibration(&row->card));
    format_flip(scenario, row, text);
    table_cell(table, slice_text(text));
}

static void print_cards(struct show *show, const struct contest *contest)
{
    static const struct print_column columns[] = {
        { "lens", false, PRINT_BOLD, 0 },      { "of", false, PRINT_PLAIN, 0 },
        { "right", true, PRINT_PLAIN, 0 },     { "unknown", true, PRINT_PLAIN, 0 },
        { "fooled", true, PRINT_PLAIN, 0 },    { "log loss", true, PRINT_PLAIN, 0 },
        { "Brier", true, PRINT_PLAIN, 0 },     { "calibration", true, PRINT_PLAIN, 0 },
        { "flipped by", true, PRINT_CYAN, 0 },
    };
    struct print print = show->cli->print;
    print.table = true; /* it is for people; --format is for programs */
    struct table table;
    if (show->headed) fputc('\n', print.out);
    show->headed = true;
    print_cast(show, contest);
    table_begin(&table, &print, columns, countof(columns));
    for (size_t i = 0; i < contest->row_count; i++)
        print_card(&table, contest->scenario, &contest->rows[i]);
    table_end(&table);
}

/* flip is empty where no number up to limit does it, and so is limit where nobody attacks. */
static void print_attack(FILE *out, const struct scenario *scenario, const struct contest_row *row)
{
    fputc('\t', out);
    if (row->flips) fprintf(out, "%" PRIu32, row->flip);
    fputc('\t', out);
    if (scenario->attackers) fprintf(out, "%" PRIu32, scenario_attack_max(scenario));
    fputc('\n', out);
}

static void print_tsv(struct show *show, const struct contest *contest)
{
    FILE *out = show->cli->print.out;
    if (!show->headed)
        fputs("scenario\tlens\tof\tquestions\tattackers\tright\tunknown\tfooled\tlog_loss\tbrier\tcalibration\tflip\t"
              "limit\n",
              out);
    show->headed = true;
    for (size_t i = 0; i < contest->row_count; i++) {
        const struct contest_row *row = &contest->rows[i];
        const struct card *card = &row->card;
        fprintf(out, "%s\t%s\t%s\t%" PRIu32 "\t%" PRIu32 "\t%.6f\t%.6f\t%.6f\t%.6f\t%.6f\t%.6f",
                contest->scenario->name, row->lens->name, row->numbers ? "numbers" : "choices", card->questions,
                scenario_attack(contest->scenario), card_accuracy(card), card_unknown(card), card_fooled(card),
                card_log_loss(card), card_brier(card), card_calibration(card));
        print_attack(out, contest->scenario, row);
    }
}

static void emit_row(struct emit *json, const struct scenario *scenario, const struct contest_row *row)
{
    emit_begin(json, NULL, '{');
    emit_word(json, "lens", row->lens->name);
    emit_word(json, "of", row->numbers ? "numbers" : "choices");
    emit_count(json, "questions", row->card.questions);
    score_emit_card(json, &row->card);
    if (row->flips)
        emit_count(json, "flip", row->flip);
    else
        emit_null(json, "flip");
    if (scenario->attackers) emit_count(json, "limit", scenario_attack_max(scenario));
    score_emit_bins(json, &row->card);
    emit_begin(json, "points", '[');
    for (size_t i = 0; i < row->point_count; i++) {
        emit_begin(json, NULL, '{');
        emit_count(json, "attackers", row->points[i].attackers);
        score_emit_card(json, &row->points[i].card);
        emit_end(json, '}');
    }
    emit_end(json, ']');
    emit_end(json, '}');
}

static steme_status print_ndjson(struct show *show, const struct entry *entry, struct steme_error *err)
{
    const struct contest *contest = &entry->contest;
    const struct scenario *scenario = &entry->scenario;
    struct buf line;
    buf_init(&line, LINE_MAX_BYTES);
    struct emit json = { .to = &line };
    emit_begin(&json, NULL, '{');
    emit_word(&json, "scenario", scenario->name);
    emit_word(&json, "file", entry->file);
    emit_count(&json, "seed", scenario->seed);
    emit_count(&json, "agents", scenario_others(scenario));
    emit_count(&json, "attackers", scenario_attack(scenario));
    emit_count(&json, "records", contest->records);
    emit_begin(&json, "cards", '[');
    for (size_t i = 0; i < contest->row_count; i++)
        emit_row(&json, scenario, &contest->rows[i]);
    emit_end(&json, ']');
    emit_end(&json, '}');
    steme_status status = cli_print_line(show->cli, &line, err);
    buf_deinit(&line);
    return status;
}

static steme_status print_entry(struct show *show, const struct entry *entry, struct steme_error *err)
{
    steme_status status = STEME_OK;
    switch (show->output) {
    case OUTPUT_TABLE: print_cards(show, &entry->contest); break;
    case OUTPUT_TSV: print_tsv(show, &entry->contest); break;
    case OUTPUT_NDJSON: status = print_ndjson(show, entry, err); break;
    }
    return status ? status : cli_check_output(show->cli, err);
}

/* ---- plots ---- */

/* DIR/honest-crowd.accuracy.svg for examples/honest-crowd.arena. */
static steme_status write_plot(const struct show *show, const struct entry *entry, bool numbers, const char *what,
                               void (*plot)(const struct contest *, bool, struct buf *), struct steme_error *err)
{
    char path[sizeof show->cli->dir];
    int size = snprintf(path, sizeof path, "%s/%.*s.%s%s.svg", cli_option(show->cli, "svg"),
                        SLICE_PRINT(scenario_stem(entry->file)), what, numbers ? ".numbers" : "");
    if (size < 0 || (size_t)size >= sizeof path)
        return error_set(err, STEME_BAD_INPUT, "the path of a plot is too long");
    struct buf text;
    buf_init(&text, SVG_MAX_BYTES);
    plot(&entry->contest, numbers, &text);
    steme_status status = score_write_plot(path, &text, err);
    buf_deinit(&text);
    return status;
}

static steme_status write_plots(const struct show *show, const struct entry *entry, struct steme_error *err)
{
    steme_status status = STEME_OK;
    for (int numbers = 0; numbers < 2 && !status; numbers++) {
        if (!(numbers ? entry->scenario.numbers : entry->scenario.questions)) continue;
        status = write_plot(show, entry, numbers, "accuracy", plot_attack, err);
        if (!status) status = write_plot(show, entry, numbers, "calibration", plot_calibration, err);
    }
    return status;
}

/* Plots are called like the scenario's file, so no two of those may be called alike. */
static steme_status prepare_plots(const struct cli *cli, const struct entry *entries, size_t count,
                                  struct steme_error *err)
{
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < i; k++) {
            struct steme_slice stem = scenario_stem(entries[i].file);
            if (!slice_equal(stem, scenario_stem(entries[k].file))) continue;
            return error_set(err, STEME_BAD_INPUT,
                             "the plots of %.100s and %.100s would both be called %.*s: run one after the other, "
                             "with a directory for each",
                             entries[k].file, entries[i].file, stem.size > 60 ? 60 : (int)stem.size,
                             (const char *)stem.data);
        }
    return score_make_dir(cli_option(cli, "svg"), err);
}

/* ---- the verb ---- */

static steme_status read_entry(const struct cli *cli, const char *path, struct entry *out, struct steme_error *err)
{
    out->file = scenario_file(path);
    arena_init(&out->arena, MEMORY_MAX_BYTES);
    const char *seed = cli_option(cli, "seed");
    steme_status status = scenario_load(path, &out->arena, &out->scenario, err);
    if (!status && seed) status = scalar_parse_count(seed, "seed", UINT64_MAX, &out->scenario.seed, err);
    if (status) return status;
    status = contest_begin(&out->scenario, cli_option(cli, "lens"), &out->arena, &out->contest, err);
    return status ? error_wrap(err, status, "%.200s", out->file) : STEME_OK;
}

/* A signal ends the program when the store is removed, and what was printed so far is out. */
static steme_status run_entry(struct show *show, struct entry *entry, struct steme_error *err)
{
    struct watched watched = { show->cli, entry->file };
    struct contest_watch watch = { show_progress, &watched };
    struct interrupt interrupt;
    interrupt_hold(&interrupt);
    steme_status status = contest_run(&entry->contest, &watch, &entry->arena, err);
    cli_progress(show->cli, "%s", "");
    fflush(show->cli->print.out); /* a failure stays with the stream, and cli_check_output() sees it */
    interrupt_release(&interrupt);
    if (!status) status = print_entry(show, entry, err);
    if (!status && cli_has(show->cli, "svg")) status = write_plots(show, entry, err);
    return status;
}

/* All are read before the first is run: what is wrong with the last is known at once. */
static steme_status run_all(struct show *show, struct entry *entries, size_t count, struct steme_error *err)
{
    steme_status status = STEME_OK;
    for (size_t i = 0; i < count && !status; i++)
        status = read_entry(show->cli, cli_argument(show->cli, i), &entries[i], err);
    if (!status && cli_has(show->cli, "svg")) status = prepare_plots(show->cli, entries, count, err);
    for (size_t i = 0; i < count && !status; i++) {
        status = run_entry(show, &entries[i], err);
        arena_deinit(&entries[i].arena);
    }
    return status;
}

steme_status verb_arena(struct cli *cli, struct steme_error *err)
{
    static const char *const formats[] = { "ndjson", "tsv" };
    const char *format = cli_option(cli, "format");
    struct show show = { .cli = cli, .output = cli->json ? OUTPUT_NDJSON : OUTPUT_TABLE };
    if (format && strcmp(format, "ndjson") == 0)
        show.output = OUTPUT_NDJSON;
    else if (format && strcmp(format, "tsv") == 0)
        show.output = OUTPUT_TSV;
    else if (format)
        return unknown_word(err, STEME_BAD_INPUT, "format", format, formats, countof(formats));
    size_t count = cli->options.argument_count;
    struct entry *entries = arena_calloc(&cli->arena, count, sizeof *entries);
    if (!entries) return arena_full(&cli->arena, err);
    steme_status status = run_all(&show, entries, count, err);
    for (size_t i = 0; i < count; i++)
        arena_deinit(&entries[i].arena);
    return status;
}
