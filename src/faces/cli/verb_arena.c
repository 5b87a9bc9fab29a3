/* SPDX-License-Identifier: Apache-2.0 */
/* arena: lenses judged on made-up agents whose honesty is known. */
#include "base/check.h"
#include "base/slice.h"
#include "faces/arena/contest.h"
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
    { "svg", "DIR", "write plots into this directory", false },
    { 0 },
};

enum output { OUTPUT_TABLE, OUTPUT_TSV, OUTPUT_NDJSON };

struct show {
    struct cli *cli;
    enum output output;
    const char *file;
    bool headed;
};

static void show_progress(void *context, const char *what, uint64_t done, uint64_t all)
{
    const struct show *show = context;
    cli_progress(show->cli, "arena: %s: %" PRIu64 " of %" PRIu64 " %s", show->file, done, all, what);
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
    fputs("\n\n", out);
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

static void print_tsv(struct show *show, const struct contest *contest)
{
    FILE *out = show->cli->print.out;
    if (!show->headed)
        fputs("scenario\tlens\tof\tquestions\tattackers\tright\tunknown\tfooled\tlog_loss\tbrier\tcalibration\tflip\n",
              out);
    show->headed = true;
    for (size_t i = 0; i < contest->row_count; i++) {
        const struct contest_row *row = &contest->rows[i];
        const struct card *card = &row->card;
        char flip[PRINT_COUNT_BYTES];
        format_flip(contest->scenario, row, flip);
        fprintf(out, "%s\t%s\t%s\t%" PRIu32 "\t%" PRIu32 "\t%.6f\t%.6f\t%.6f\t%.6f\t%.6f\t%.6f\t%s\n",
                contest->scenario->name, row->lens->name, row->numbers ? "numbers" : "choices", card->questions,
                scenario_attack(contest->scenario), card_accuracy(card), card_unknown(card), card_fooled(card),
                card_log_loss(card), card_brier(card), card_calibration(card), flip);
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

static steme_status print_ndjson(struct show *show, const struct contest *contest, struct steme_error *err)
{
    const struct scenario *scenario = contest->scenario;
    struct buf line;
    buf_init(&line, LINE_MAX_BYTES);
    struct emit json = { .to = &line };
    emit_begin(&json, NULL, '{');
    emit_word(&json, "scenario", scenario->name);
    emit_word(&json, "file", show->file);
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

/* ---- plots ---- */

/* DIR/honest-crowd.accuracy.svg for examples/honest-crowd.arena. */
static steme_status write_plot(const struct show *show, const struct contest *contest, bool numbers, const char *what,
                               void (*plot)(const struct contest *, bool, struct buf *), struct steme_error *err)
{
    char path[sizeof show->cli->dir];
    const char *slash = strrchr(show->file, '/');
    const char *name = slash ? slash + 1 : show->file;
    const char *dot = strrchr(name, '.');
    size_t length = dot && dot > name ? (size_t)(dot - name) : strlen(name);
    int size = snprintf(path, sizeof path, "%s/%.*s.%s%s.svg", cli_option(show->cli, "svg"), (int)length, name, what,
                        numbers ? ".numbers" : "");
    if (size < 0 || (size_t)size >= sizeof path)
        return error_set(err, STEME_BAD_INPUT, "the path of a plot is too long");
    struct buf text;
    buf_init(&text, SVG_MAX_BYTES);
    plot(contest, numbers, &text);
    steme_status status = score_write_plot(path, &text, err);
    buf_deinit(&text);
    return status;
}

static steme_status write_plots(const struct show *show, const struct contest *contest, struct steme_error *err)
{
    steme_status status = STEME_OK;
    for (int numbers = 0; numbers < 2 && !status; numbers++) {
        if (!(numbers ? contest->scenario->numbers : contest->scenario->questions)) continue;
        status = write_plot(show, contest, numbers, "accuracy", plot_attack, err);
        if (!status) status = write_plot(show, contest, numbers, "calibration", plot_calibration, err);
    }
    return status;
}

/* ---- the verb ---- */

static steme_status run_scenario(struct show *show, const char *file, struct steme_error *err)
{
    struct cli *cli = show->cli;
    struct scenario scenario;
    struct contest contest;
    struct arena arena;
    struct contest_watch watch = { show_progress, show };
    show->file = file;
    arena_init(&arena, MEMORY_MAX_BYTES);
    steme_status status = scenario_load(file, &arena, &scenario, err);
    const char *seed = cli_option(cli, "seed");
    if (!status && seed) status = scalar_parse_count(seed, "seed", UINT64_MAX, &scenario.seed, err);
    if (!status) status = contest_run(&scenario, cli_option(cli, "lens"), &watch, &arena, &contest, err);
    cli_progress(cli, "%s", "");
    if (!status && cli_has(cli, "svg")) status = write_plots(show, &contest, err);
    if (!status && show->output == OUTPUT_NDJSON) status = print_ndjson(show, &contest, err);
    if (!status && show->output == OUTPUT_TSV) print_tsv(show, &contest);
    if (!status && show->output == OUTPUT_TABLE) print_cards(show, &contest);
    arena_deinit(&arena);
    return status ? status : cli_check_output(cli, err);
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
    steme_status status = STEME_OK;
    for (size_t i = 0; cli_argument(cli, i) && !status; i++)
        status = run_scenario(&show, cli_argument(cli, i), err);
    return status;
}
