/* SPDX-License-Identifier: Apache-2.0 */
/* resolve, why, history, conflicts, lens list. */
#include "base/check.h"
#include "base/slice.h"
#include "faces/cli/answer.h"
#include "faces/cli/object.h"
#include "faces/cli/scalar.h"
#include "faces/cli/show.h"
#include "faces/cli/unknown.h"
#include "faces/cli/verbs.h"
#include "faces/cli/wire.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define LINE_BYTES_MAX ((size_t)1 << 30) /* of one answer: a slot may hold a million claims */

enum { LIMIT_MAX = 1000000000, CONFLICTS_SHOWN = 20, TESTIMONIES_SHOWN = 10, WRITE_BLOCK_BYTES = 1 << 16 };

const struct option_spec resolve_options[] = {
    { "all", NULL, "answer every question of the store that matches", false },
    { "subject", "NAME", "with --all: about this subject", false },
    { "predicate", "NAME", "with --all: with this predicate", false },
    { "format", "FORMAT", "with --all: tsv (else) or ndjson", false },
    { "epoch", "NAME|ID", "within this epoch; else any that is not superseded", false },
    { "key", "NAME=VALUE", "qualifier that is part of the question; may be repeated", true },
    { "limit", "N", "claims to show, 0 for all; else 10", false },
    { 0 },
};

const struct option_spec why_options[] = {
    { "epoch", "NAME|ID", "within this epoch; else any that is not superseded", false },
    { "key", "NAME=VALUE", "qualifier that is part of the question; may be repeated", true },
    { "limit", "N", "claims to show, 0 for all; else 10", false },
    { 0 },
};

const struct option_spec conflicts_options[] = {
    { "rank", NULL, "order by contest x (1 + what derives from the claims), not by contest alone", false },
    { "limit", "N", "conflicts to show; else 20", false },
    { 0 },
};

static steme_status read_limit(const struct cli *cli, size_t absent, size_t *out, struct steme_error *err)
{
    const char *text = cli_option(cli, "limit");
    uint64_t limit = absent;
    steme_status status = text ? scalar_parse_count(text, "limit", LIMIT_MAX, &limit, err) : STEME_OK;
    if (!status) *out = limit ? (size_t)limit : LIMIT_MAX;
    return status;
}

static steme_status read_question(struct cli *cli, const char *subject, const char *predicate,
                                  struct steme_question *out, struct steme_error *err)
{
    size_t count = options_count(&cli->options, "key");
    struct steme_qualifier *keys = arena_calloc(&cli->arena, count, sizeof *keys);
    struct steme_hash *epoch = arena_calloc(&cli->arena, 1, sizeof *epoch);
    const char *epoch_text = cli_option(cli, "epoch");
    if (!keys || !epoch) return arena_full(&cli->arena, err);
    struct steme_question question = {
        .subject = slice_text(subject),
        .predicate = slice_text(predicate),
        .key_qualifiers = keys,
        .key_qualifier_count = count,
    };
    steme_status status = cli_qualifiers(cli, "key", true, keys, err);
    if (!status) status = cli_lens(cli, CLI_LENS, &question.lens, err);
    if (!status && epoch_text) status = cli_find_epoch(cli, slice_text(epoch_text), epoch, err);
    if (epoch_text) question.epoch = epoch;
    if (!status) *out = question;
    return status;
}

static steme_status print_answer_json(struct cli *cli, const struct steme_answer *answer, struct buf *line,
                                      struct steme_error *err)
{
    struct emit json = { .to = line };
    emit_begin(&json, NULL, '{');
    answer_emit(&json, answer);
    emit_end(&json, '}');
    return cli_print_line(cli, line, err);
}

/* ---- resolve --all ---- */

struct all_answers {
    struct cli *cli;
    bool ndjson;
    struct buf text;
    uint64_t slots;
    struct steme_error *err;
};

static steme_status take_answer(void *context, const struct steme_answer *answer)
{
    struct all_answers *all = context;
    struct cli *cli = all->cli;
    steme_status status = STEME_OK;
    cli_progress(cli, "resolve: %" PRIu64 " questions", ++all->slots);
    if (all->ndjson) return print_answer_json(cli, answer, &all->text, all->err);
    answer_append_tsv(&all->text, answer);
    if (all->text.size >= WRITE_BLOCK_BYTES || all->text.status) {
        status = buf_check(&all->text, all->err);
        if (!status) fwrite(all->text.data, 1, all->text.size, cli->print.out);
        if (!status) status = cli_check_output(cli, all->err);
        buf_clear(&all->text);
    }
    return status;
}

static steme_status resolve_all(struct cli *cli, struct steme_error *err)
{
    static const char *const formats[] = { "ndjson", "tsv" };
    const char *format = cli_option(cli, "format");
    bool ndjson = format ? strcmp(format, "ndjson") == 0 : cli->json;
    struct all_answers all = { .cli = cli, .ndjson = ndjson, .err = err };
    struct steme_question pattern;
    if (format && !ndjson && strcmp(format, "tsv") != 0)
        return unknown_word(err, STEME_BAD_INPUT, "format", format, formats, countof(formats));
    if (cli->options.argument_count > 0)
        return error_set(err, STEME_BAD_INPUT, "--all takes no arguments; --subject and --predicate narrow it down");
    buf_init(&all.text, LINE_BYTES_MAX);
    steme_status status = read_question(cli, cli_option(cli, "subject"), cli_option(cli, "predicate"), &pattern, err);
    if (!status) status = cli_snapshot(cli, err);
    if (!status && !ndjson) buf_append_text(&all.text, "subject\tpredicate\tobject\tprobability\tkeys\ttype\n");
    if (!status) status = steme_resolve_each(cli->snapshot, &pattern, take_answer, &all, err);
    if (!status) status = buf_check(&all.text, err);
    if (!status && all.text.size > 0) fwrite(all.text.data, 1, all.text.size, cli->print.out);
    buf_deinit(&all.text);
    return status ? status : cli_check_output(cli, err);
}

/* ---- resolve, why ---- */

static steme_status check_question_words(struct cli *cli, struct steme_error *err)
{
    if (cli->options.argument_count == 2) return STEME_OK;
    cli_hint(cli, "`steme help %s` shows how it is used", cli->verb->name);
    return error_set(err, STEME_BAD_INPUT, "a question has a subject and a predicate: steme %s %s", cli->verb->name,
                     cli->verb->arguments);
}

steme_status verb_resolve(struct cli *cli, struct steme_error *err)
{
    struct steme_question question;
    struct steme_answer answer;
    size_t limit;
    if (cli_has(cli, "all")) return resolve_all(cli, err);
    if (cli_has(cli, "subject") || cli_has(cli, "predicate") || cli_has(cli, "format"))
        return error_set(err, STEME_BAD_INPUT, "--subject, --predicate and --format go with --all");
    steme_status status = check_question_words(cli, err);
    if (!status) status = read_limit(cli, ANSWER_CLAIMS_SHOWN, &limit, err);
    if (!status) status = read_question(cli, cli_argument(cli, 0), cli_argument(cli, 1), &question, err);
    if (!status) status = cli_snapshot(cli, err);
    if (!status) status = steme_resolve(cli->snapshot, &question, &answer, err);
    if (status) return status;
    if (!cli->json) {
        answer_print(cli, &answer, limit);
        return cli_check_output(cli, err);
    }
    struct buf line;
    buf_init(&line, LINE_BYTES_MAX);
    status = print_answer_json(cli, &answer, &line, err);
    buf_deinit(&line);
    return status;
}

static void print_testimony(struct cli *cli, const struct steme_testimony *testimony)
{
    const struct steme_assertion *it = &testimony->entry.record.as.assertion;
    FILE *out = cli->print.out;
    char short_id[SHORT_ID_BYTES];
    char text[SCALAR_PRINT_BYTES];
    struct steme_slice voice = show_voice(cli, it);
    fprintf(out, "      %c ", it->negated ? '-' : '+');
    print_coloured(&cli->print, PRINT_YELLOW, "%s", cli_short_id(&testimony->entry.id, short_id));
    print_coloured(&cli->print, PRINT_PLAIN, "  %s  %.*s", show_date(it->asserted_at_us, text), SLICE_PRINT(voice));
    if (it->confidence_ppm != STEME_PPM) {
        scalar_print_share(it->confidence_ppm, text);
        fprintf(out, "  confidence %s", text);
    }
    if (it->evidence_count > 0 && !it->evidence[0].has_target)
        print_coloured(&cli->print, PRINT_DIM, "  %.*s", SLICE_PRINT(it->evidence[0].uri));
    size_t votes_for = 0, votes_against = 0;
    for (size_t i = 0; i < testimony->ballot_count; i++) {
        if (!testimony->ballots[i].counts) continue;
        if (testimony->ballots[i].entry.record.as.vote.stance == STEME_SUPPORT)
            votes_for++;
        else
            votes_against++;
    }
    if (votes_for > 0) fprintf(out, "  %zu for", votes_for);
    if (votes_against > 0) fprintf(out, "  %zu against", votes_against);
    if (testimony->standing != STEME_LIVE)
        print_coloured(&cli->print, PRINT_RED, "  %s", steme_standing_name(testimony->standing));
    fputc('\n', out);
}

/* Testimonies come grouped by claim, in the order of the beliefs, and those not live last. */
static void print_reasons(struct cli *cli, const struct steme_explanation *why, size_t limit)
{
    size_t columns = answer_value_columns(&why->answer, limit);
    size_t at = 0;
    for (size_t i = 0; i < why->answer.belief_count; i++) {
        const struct steme_belief *belief = &why->answer.beliefs[i];
        size_t shown = 0, left = 0;
        if (i < limit) answer_print_belief(cli, &why->answer, i, columns);
        for (; at < why->testimony_count; at++) {
            const struct steme_testimony *testimony = &why->testimonies[at];
            bool same = testimony->standing == STEME_LIVE &&
                        memcmp(&testimony->claim, &belief->claim, sizeof belief->claim) == 0;
            if (!same) break;
            if (i < limit && shown++ < TESTIMONIES_SHOWN)
                print_testimony(cli, testimony);
            else
                left++;
        }
        if (i < limit && left > 0) fprintf(cli->print.out, "      ... and %zu more\n", left);
    }
    if (why->answer.belief_count > limit)
        fprintf(cli->print.out, "   ... and %zu more claims (--limit 0 shows all)\n", why->answer.belief_count - limit);
    if (at >= why->testimony_count) return;
    fputs("   no longer counted:\n", cli->print.out);
    for (size_t shown = 0; at < why->testimony_count && shown < limit; at++, shown++)
        print_testimony(cli, &why->testimonies[at]);
    if (at < why->testimony_count) fprintf(cli->print.out, "      ... and %zu more\n", why->testimony_count - at);
}

static steme_status print_why_json(struct cli *cli, const struct steme_explanation *why, struct steme_error *err)
{
    struct buf line;
    buf_init(&line, LINE_BYTES_MAX);
    struct emit json = { .to = &line };
    emit_begin(&json, NULL, '{');
    answer_emit(&json, &why->answer);
    emit_begin(&json, "testimonies", '[');
    for (size_t i = 0; i < why->testimony_count; i++)
        show_testimony_json(&json, &why->testimonies[i]);
    emit_end(&json, ']');
    emit_begin(&json, "claim_votes", '[');
    for (size_t i = 0; i < why->claim_ballot_count; i++) {
        wire_begin_entry(&json, NULL, &why->claim_ballots[i].entry, true);
        emit_bool(&json, "counts", why->claim_ballots[i].counts);
        emit_end(&json, '}');
    }
    emit_end(&json, ']');
    emit_end(&json, '}');
    steme_status status = cli_print_line(cli, &line, err);
    buf_deinit(&line);
    return status;
}

static void print_margin(const struct cli *cli, const struct steme_answer *answer)
{
    if (answer->belief_count == 0 || answer->verdict == STEME_LISTED || !(answer->margin > 0)) return;
    fprintf(cli->print.out, "   %.1f more full-confidence voices on the other side would change the answer\n",
            answer->margin);
}

steme_status verb_why(struct cli *cli, struct steme_error *err)
{
    struct steme_question question;
    struct steme_explanation why;
    size_t limit;
    steme_status status = check_question_words(cli, err);
    if (!status) status = read_limit(cli, ANSWER_CLAIMS_SHOWN, &limit, err);
    if (!status) status = read_question(cli, cli_argument(cli, 0), cli_argument(cli, 1), &question, err);
    if (!status) status = cli_snapshot(cli, err);
    if (!status) status = steme_why(cli->snapshot, &question, &why, err);
    if (status) return status;
    if (cli->json) return print_why_json(cli, &why, err);
    answer_print_head(cli, &why.answer);
    answer_print_learned(cli, &why.answer);
    print_margin(cli, &why.answer);
    print_reasons(cli, &why, limit);
    if (why.claim_ballot_count > 0)
        fprintf(cli->print.out, "   %zu vote%s on the claims as such\n", why.claim_ballot_count,
                why.claim_ballot_count == 1 ? "" : "s");
    return cli_check_output(cli, err);
}

/* ---- history ---- */

static void print_history(struct cli *cli, const struct steme_testimony *testimonies, size_t count)
{
    static const struct print_column columns[] = {
        { .title = "#", .right = true },
        { .title = "id", .colour = PRINT_YELLOW },
        { .title = "asserted" },
        { .title = "predicate" },
        { .title = "object", .colour = PRINT_BOLD },
        { .title = "standing" },
        { .title = "voice" },
    };
    struct table table;
    struct buf text;
    char short_id[SHORT_ID_BYTES];
    char time[SCALAR_PRINT_BYTES];
    buf_init(&text, 1 << 16);
    table_begin(&table, &cli->print, columns, countof(columns));
    for (size_t i = 0; i < count; i++) {
        const struct steme_assertion *it = &testimonies[i].entry.record.as.assertion;
        buf_clear(&text);
        if (it->negated) buf_append_text(&text, "not ");
        show_value(&text, &it->object, 200);
        table_cellf(&table, "%" PRIu64, testimonies[i].entry.sequence);
        table_cell(&table, slice_text(cli_short_id(&testimonies[i].entry.id, short_id)));
        table_cell(&table, slice_text(show_date(it->asserted_at_us, time)));
        table_cell(&table, it->predicate);
        table_cell(&table, buf_slice(&text));
        table_cell(&table, slice_text(steme_standing_name(testimonies[i].standing)));
        table_cell(&table, show_voice(cli, it));
    }
    table_end(&table);
    buf_deinit(&text);
}

steme_status verb_history(struct cli *cli, struct steme_error *err)
{
    const struct steme_testimony *testimonies;
    size_t count;
    struct steme_slice subject = slice_text(cli_argument(cli, 0));
    steme_status status = cli_snapshot(cli, err);
    if (!status)
        status = steme_history(cli->snapshot, subject, slice_text(cli_argument(cli, 1)), &testimonies, &count, err);
    if (status) return status;
    if (count == 0) {
        cli_hint(cli, "`steme keys S:` shows what the store knows of");
        return error_set(err, STEME_NOT_FOUND, "nothing was ever asserted about that");
    }
    if (!cli->json) print_history(cli, testimonies, count);
    struct buf line;
    buf_init(&line, LINE_BYTES_MAX);
    for (size_t i = 0; i < count && cli->json && !status; i++) {
        struct emit json = { .to = &line };
        show_testimony_json(&json, &testimonies[i]);
        status = cli_print_line(cli, &line, err);
    }
    buf_deinit(&line);
    return status ? status : cli_check_output(cli, err);
}

/* ---- conflicts ---- */

/* The two most probable claims and their shares: four cells. */
static void add_rivals(struct table *table, const struct steme_answer *answer, struct buf *text)
{
    char share[SHARE_TEXT_BYTES];
    for (size_t j = 0; j < 2; j++) {
        bool there = j < answer->belief_count;
        buf_clear(text);
        if (there) show_value(text, &answer->beliefs[j].value, 60);
        table_cell(table, buf_slice(text));
        table_cell(table, slice_text(there ? answer_share_text(answer->beliefs[j].probability, share) : ""));
    }
}

static void print_conflicts(struct cli *cli, const struct steme_conflict *conflicts, size_t count)
{
    static const struct print_column columns[] = {
        { .title = "contest", .right = true },
        { .title = "subject", .colour = PRINT_BOLD },
        { .title = "predicate" },
        { .title = "claims", .right = true },
        { .title = "voices", .right = true },
        { .title = "best", .columns_max = 30 },
        { .title = "", .right = true },
        { .title = "next", .columns_max = 30 },
        { .title = "", .right = true },
    };
    struct table table;
    struct buf text;
    buf_init(&text, 1 << 16);
    table_begin(&table, &cli->print, columns, countof(columns));
    for (size_t i = 0; i < count; i++) {
        const struct steme_answer *answer = &conflicts[i].answer;
        table_cellf(&table, "%.3f", conflicts[i].contest);
        table_cell(&table, answer->subject);
        table_cell(&table, answer->predicate);
        table_cellf(&table, "%zu", answer->belief_count);
        table_cellf(&table, "%" PRIu32, answer->voices);
        add_rivals(&table, answer, &text);
    }
    table_end(&table);
    buf_deinit(&text);
}

static void print_ranked(struct cli *cli, const struct steme_conflict *conflicts, size_t count)
{
    static const struct print_column columns[] = {
        { .title = "score", .right = true },
        { .title = "contest", .right = true },
        { .title = "dependants", .right = true },
        { .title = "subject", .colour = PRINT_BOLD },
        { .title = "predicate" },
        { .title = "best", .columns_max = 30 },
        { .title = "", .right = true },
        { .title = "next", .columns_max = 30 },
        { .title = "", .right = true },
    };
    struct table table;
    struct buf text;
    buf_init(&text, 1 << 16);
    table_begin(&table, &cli->print, columns, countof(columns));
    for (size_t i = 0; i < count; i++) {
        const struct steme_answer *answer = &conflicts[i].answer;
        table_cellf(&table, "%.3f", conflicts[i].score);
        table_cellf(&table, "%.3f", conflicts[i].contest);
        table_cellf(&table, "%s%" PRIu64, conflicts[i].more_dependants ? "at least " : "", conflicts[i].dependants);
        table_cell(&table, answer->subject);
        table_cell(&table, answer->predicate);
        add_rivals(&table, answer, &text);
    }
    table_end(&table);
    buf_deinit(&text);
}

static steme_status print_conflicts_json(struct cli *cli, const struct steme_conflict *conflicts, size_t count,
                                         bool ranked, struct steme_error *err)
{
    steme_status status = STEME_OK;
    struct buf line;
    buf_init(&line, LINE_BYTES_MAX);
    for (size_t i = 0; i < count && !status; i++) {
        struct emit json = { .to = &line };
        emit_begin(&json, NULL, '{');
        emit_real(&json, "contest", conflicts[i].contest);
        if (ranked) {
            emit_count(&json, "dependants", conflicts[i].dependants);
            emit_bool(&json, "more_dependants", conflicts[i].more_dependants);
            emit_real(&json, "score", conflicts[i].score);
        }
        answer_emit(&json, &conflicts[i].answer);
        emit_end(&json, '}');
        status = cli_print_line(cli, &line, err);
    }
    buf_deinit(&line);
    return status;
}

steme_status verb_conflicts(struct cli *cli, struct steme_error *err)
{
    const struct steme_conflict *conflicts = NULL;
    struct steme_lens lens;
    size_t count = 0, limit = 0;
    bool ranked = cli_has(cli, "rank");
    steme_status status = read_limit(cli, CONFLICTS_SHOWN, &limit, err);
    if (!status) status = cli_lens(cli, CLI_LENS, &lens, err);
    if (!status) status = cli_snapshot(cli, err);
    if (status) return status;
    status = ranked ? steme_conflicts_ranked(cli->snapshot, &lens, limit, &conflicts, &count, err)
                    : steme_conflicts(cli->snapshot, &lens, limit, &conflicts, &count, err);
    if (!status && cli->json) status = print_conflicts_json(cli, conflicts, count, ranked, err);
    if (status) return status;
    if (!cli->json && ranked) print_ranked(cli, conflicts, count);
    if (!cli->json && !ranked) print_conflicts(cli, conflicts, count);
    return cli_check_output(cli, err);
}

/* ---- lens list ---- */

steme_status verb_lens_list(struct cli *cli, struct steme_error *err)
{
    size_t count;
    const struct steme_lens_info *lenses = steme_lens_list(&count);
    struct buf line;
    buf_init(&line, 1 << 16);
    steme_status status = STEME_OK;
    for (size_t i = 0; i < count && !status; i++) {
        if (!cli->json) {
            print_coloured(&cli->print, PRINT_BOLD, "%-11s", lenses[i].name);
            fprintf(cli->print.out, "  %s\n             %s\n", lenses[i].summary, lenses[i].detail);
            continue;
        }
        struct emit json = { .to = &line };
        emit_begin(&json, NULL, '{');
        emit_word(&json, "name", lenses[i].name);
        emit_word(&json, "summary", lenses[i].summary);
        emit_word(&json, "detail", lenses[i].detail);
        emit_end(&json, '}');
        status = cli_print_line(cli, &line, err);
    }
    buf_deinit(&line);
    return status ? status : cli_check_output(cli, err);
}
