/* SPDX-License-Identifier: Apache-2.0 */
/* voices: what was learned of each. */
#include "base/check.h"
#include "base/slice.h"
#include "faces/cli/answer.h"
#include "faces/cli/cli.h"
#include "faces/cli/scalar.h"
#include "faces/cli/unknown.h"
#include "faces/cli/verbs.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VOICES_SHOWN = 20, LIMIT_MAX = 1000000000, LINE_BYTES_MAX = 1 << 20 };

const struct option_spec voices_options[] = {
    { "predicate", "NAME", "voices on this predicate alone; else on each", false },
    { "epoch", "NAME|ID", "within this epoch; else any that is not superseded", false },
    { "sort", "ORDER", "answers (else) or weight: the greatest first", false },
    { "limit", "N", "voices of each predicate to show, 0 for all; else 20, with --json all", false },
    { 0 },
};

struct voices {
    struct cli *cli;
    bool by_weight;
    size_t limit, scopes;
    struct buf line;
    struct steme_error *err;
};

static int compare_by(const struct steme_voice *a, const struct steme_voice *b, double of_a, double of_b)
{
    if (of_a > of_b || of_a < of_b) return of_a > of_b ? -1 : 1;
    return memcmp(&a->id, &b->id, sizeof a->id);
}

static int compare_answers(const void *left, const void *right)
{
    const struct steme_voice *a = left, *b = right;
    return compare_by(a, b, a->answers, b->answers);
}

static int compare_weights(const void *left, const void *right)
{
    const struct steme_voice *a = left, *b = right;
    return compare_by(a, b, a->weight, b->weight);
}

static bool is_of_numbers(const struct steme_scope *scope) { return scope->learned.method == STEME_METHOD_NUMBERS; }

static struct steme_slice name_of(struct cli *cli, const struct steme_voice *voice)
{
    return voice->source.size ? voice->source : slice_text(cli_key_name(cli, &voice->key));
}

/* ---- for people ---- */

/* Strengths below 1 make part answers; sums of whole ones are whole but for rounding. */
static bool is_whole(double number) { return fabs(number - round(number)) < 1e-6; }

static void print_row(struct voices *it, struct table *table, const struct steme_scope *scope,
                      const struct steme_voice *voice)
{
    char text[2][SHARE_TEXT_BYTES];
    table_cell(table, name_of(it->cli, voice));
    table_cellf(table, "%.*f", is_whole(voice->answers) ? 0 : 1, voice->answers);
    if (is_of_numbers(scope)) {
        table_cellf(table, "%.4g", voice->deviation);
    } else {
        table_cellf(table, "%.1f", voice->right);
        table_cell(table, slice_text(answer_share_text(voice->accuracy, text[0])));
        table_cellf(table, "%s .. %s", answer_share_text(voice->low, text[0]), answer_share_text(voice->high, text[1]));
        table_cellf(table, "%.2f", voice->independence);
    }
    table_cellf(table, "%.2f", voice->weight);
}

static void print_scope(struct voices *it, const struct steme_scope *scope, const struct steme_voice *voices)
{
    static const struct print_column labels[] = {
        { .title = "voice", .colour = PRINT_BOLD, .columns_max = 40 },
        { .title = "answers", .right = true },
        { .title = "right", .right = true },
        { .title = "accuracy", .right = true, .colour = PRINT_CYAN },
        { .title = "95 % between", .right = true },
        { .title = "independence", .right = true },
        { .title = "weight", .right = true },
    };
    static const struct print_column numbers[] = {
        { .title = "voice", .colour = PRINT_BOLD, .columns_max = 40 },
        { .title = "answers", .right = true },
        { .title = "off by", .right = true, .colour = PRINT_CYAN },
        { .title = "weight", .right = true },
    };
    FILE *out = it->cli->print.out;
    struct print print = it->cli->print;
    struct table table;
    char items[PRINT_COUNT_BYTES];
    if (it->scopes > 1) fputc('\n', out);
    print_coloured(&it->cli->print, PRINT_BOLD, "%.*s", SLICE_PRINT(scope->predicate));
    fprintf(out, "   %s question%s as of @%" PRIu64 " by %s, because %s\n", print_count(scope->learned.items, items),
            scope->learned.items == 1 ? "" : "s", scope->learned.as_of_sequence,
            steme_method_name(scope->learned.method), scope->learned.because);
    print.table = true; /* it is for people; --json is for programs */
    if (is_of_numbers(scope))
        table_begin(&table, &print, numbers, countof(numbers));
    else
        table_begin(&table, &print, labels, countof(labels));
    for (size_t i = 0; i < scope->voice_count && i < it->limit; i++)
        print_row(it, &table, scope, &voices[i]);
    table_end(&table);
    if (scope->voice_count > it->limit)
        fprintf(out, "... and %zu more (--limit 0 shows all)\n", scope->voice_count - it->limit);
}

/* ---- JSON ---- */

static steme_status print_json(struct voices *it, const struct steme_scope *scope, const struct steme_voice *voice)
{
    struct emit json = { .to = &it->line };
    emit_begin(&json, NULL, '{');
    emit_text(&json, "predicate", scope->predicate);
    emit_text(&json, "voice", name_of(it->cli, voice));
    emit_word(&json, "kind", voice->source.size ? "source" : "agent");
    emit_hash(&json, "id", &voice->id);
    emit_real(&json, "answers", voice->answers);
    emit_real(&json, "right", voice->right);
    emit_real(&json, "accuracy", voice->accuracy);
    emit_real(&json, "low", voice->low);
    emit_real(&json, "high", voice->high);
    emit_real(&json, "deviation", voice->deviation);
    emit_real(&json, "weight", voice->weight);
    emit_real(&json, "independence", voice->independence);
    answer_emit_learned(&json, &scope->learned);
    emit_end(&json, '}');
    return cli_print_line(it->cli, &it->line, it->err);
}

static steme_status show_scope(void *context, const struct steme_scope *scope)
{
    struct voices *it = context;
    steme_status status = STEME_OK;
    struct steme_voice *sorted = malloc(scope->voice_count * sizeof *sorted);
    if (!sorted) return error_set(it->err, STEME_NO_MEMORY, "no memory to sort %zu voices", scope->voice_count);
    memcpy(sorted, scope->voices, scope->voice_count * sizeof *sorted);
    qsort(sorted, scope->voice_count, sizeof *sorted, it->by_weight ? compare_weights : compare_answers);
    it->scopes++;
    if (!it->cli->json) print_scope(it, scope, sorted);
    for (size_t i = 0; !status && it->cli->json && i < scope->voice_count && i < it->limit; i++)
        status = print_json(it, scope, &sorted[i]);
    free(sorted);
    return status ? status : cli_check_output(it->cli, it->err);
}

/* ---- the verb ---- */

static steme_status read_options(struct voices *it, struct steme_question *question, struct steme_hash *epoch,
                                 struct steme_error *err)
{
    static const char *const orders[] = { "answers", "weight" };
    struct cli *cli = it->cli;
    const char *order = cli_option(cli, "sort"), *limit = cli_option(cli, "limit"), *name = cli_option(cli, "epoch");
    uint64_t most = cli->json ? 0 : VOICES_SHOWN;
    *question = (struct steme_question){ .predicate = slice_text(cli_option(cli, "predicate")) };
    it->by_weight = order && strcmp(order, "weight") == 0;
    if (order && !it->by_weight && strcmp(order, "answers") != 0)
        return unknown_word(err, STEME_BAD_INPUT, "order", order, orders, countof(orders));
    steme_status status = limit ? scalar_parse_count(limit, "limit", LIMIT_MAX, &most, err) : STEME_OK;
    it->limit = most ? (size_t)most : LIMIT_MAX;
    if (!status) status = cli_lens(cli, "reliability", &question->lens, err);
    bool other = !status && question->lens.name && strcmp(question->lens.name, "reliability") != 0;
    if (other) return error_set(err, STEME_BAD_INPUT, "only the lens reliability learns of voices");
    if (!status && name) status = cli_find_epoch(cli, slice_text(name), epoch, err);
    if (name) question->epoch = epoch;
    return status;
}

steme_status verb_voices(struct cli *cli, struct steme_error *err)
{
    struct voices it = { .cli = cli, .err = err };
    struct steme_question question;
    struct steme_hash epoch;
    steme_status status = read_options(&it, &question, &epoch, err);
    if (!status) status = cli_snapshot(cli, err);
    if (!status) status = cli_load_keys(cli, err);
    if (status) return status;
    buf_init(&it.line, LINE_BYTES_MAX);
    status = steme_voices_each(cli->snapshot, &question, show_scope, &it, err);
    buf_deinit(&it.line);
    if (!status && it.scopes == 0 && question.predicate.size) {
        cli_hint(cli, "`steme keys S:` shows what the store knows of");
        return error_set(err, STEME_NOT_FOUND, "nobody says anything with the predicate '%.*s'",
                         SLICE_PRINT(question.predicate));
    }
    if (!status && it.scopes == 0) cli_note(cli, "nobody has said anything yet");
    return status;
}
