/* SPDX-License-Identifier: Apache-2.0 */
/* view create, list, show, rows, drop, refresh. */
#include "base/check.h"
#include "base/slice.h"
#include "faces/cli/answer.h"
#include "faces/cli/object.h"
#include "faces/cli/scalar.h"
#include "faces/cli/show.h"
#include "faces/cli/verbs.h"
#include "faces/cli/wire.h"

#include <inttypes.h>

enum {
    LINE_BYTES_MAX = 1 << 22,
    POLL_MS = 500,
    TIMEOUT_MS = 10000, /* of --at-least */
    TIMEOUT_MAX_S = 1000000,
};

const struct option_spec view_create_options[] = {
    { "subject", "GLOB", "only subjects that match: * any run, ? one character, \\ takes the next as it is", false },
    { "predicate", "NAME", "only this predicate", false },
    { "epoch", "NAME|ID", "within this epoch; else any that is not superseded", false },
    { "no-wait", NULL, "do not wait until its rows are made", false },
    { 0 },
};

const struct option_spec view_rows_options[] = {
    { "subject", "NAME", "only the rows of this subject", false },
    { "at-least", "SEQ", "wait until the rows reflect this sequence number", false },
    { "timeout", "SECONDS", "how long to wait; else 10", false },
    { 0 },
};

const struct option_spec view_refresh_options[] = {
    { "no-wait", NULL, "do not wait until its rows are made", false },
    { 0 },
};

/* Until its rows are there; whoever does not want to wait can stop it, and the rest is made when the store is next
 * open for writing. */
static steme_status wait_until_made(struct cli *cli, struct steme_slice name, struct steme_error *err)
{
    steme_status status = STEME_OK;
    uint64_t polls = 0;
    do {
        status = steme_view_wait(cli->store, name, 0, POLL_MS, err);
        if (status == STEME_TIMEOUT) cli_progress(cli, "making the view's rows: %" PRIu64 " s", ++polls / 2);
    } while (status == STEME_TIMEOUT);
    cli_progress(cli, "%s", "");
    return status;
}

steme_status verb_view_create(struct cli *cli, struct steme_error *err)
{
    struct steme_hash epoch = { { 0 } };
    struct steme_receipt receipt;
    const char *epoch_text = cli_option(cli, "epoch");
    struct steme_view_spec spec = { .name = slice_text(cli_argument(cli, 0)),
                                    .subjects = slice_text(cli_option(cli, "subject")),
                                    .predicate = slice_text(cli_option(cli, "predicate")),
                                    .epoch = epoch_text ? &epoch : NULL };
    steme_status status = cli_open(cli, true, err);
    if (!status) status = cli_lens(cli, CLI_LENS, &spec.lens, err);
    if (!status) status = cli_signer(cli, err);
    if (!status && epoch_text) status = cli_find_epoch(cli, slice_text(epoch_text), &epoch, err);
    if (!status) status = steme_view_create(cli->store, cli->signer, &spec, &receipt, err);
    if (!status && !cli_has(cli, "no-wait")) {
        status = steme_wait(cli->store, receipt.sequence, TIMEOUT_MS, err);
        if (!status) status = wait_until_made(cli, spec.name, err);
    }
    return status ? status : cli_print_receipt(cli, &receipt, err);
}

steme_status verb_view_drop(struct cli *cli, struct steme_error *err)
{
    struct steme_receipt receipt;
    steme_status status = cli_open(cli, true, err);
    if (!status) status = cli_signer(cli, err);
    if (!status) status = steme_view_drop(cli->store, cli->signer, slice_text(cli_argument(cli, 0)), &receipt, err);
    return status ? status : cli_print_receipt(cli, &receipt, err);
}

/* ---- list, show ---- */

static void emit_view(struct emit *json, const struct steme_view_info *view)
{
    const struct steme_view *it = &view->definition;
    emit_text(json, "view", it->name);
    emit_hash(json, "id", &view->id);
    emit_text(json, "subjects", it->subjects);
    emit_text(json, "predicate", it->predicate);
    emit_text(json, "lens", it->lens);
    if (it->parameter_count > 0) emit_begin(json, "parameters", '[');
    for (size_t i = 0; i < it->parameter_count; i++) {
        emit_begin(json, NULL, '{');
        emit_text(json, "name", it->parameters[i].name);
        emit_text(json, "value", it->parameters[i].value);
        emit_end(json, '}');
    }
    if (it->parameter_count > 0) emit_end(json, ']');
    if (it->has_epoch) emit_hash(json, "epoch", &it->epoch);
    wire_key(json, "author", &it->author);
    wire_time(json, "created_at", it->created_at_us);
    emit_word(json, "standing", steme_view_standing_name(view->standing));
    emit_count(json, "watermark", view->watermark);
    emit_count(json, "rows", view->rows);
    emit_count(json, "bytes", view->bytes);
    if (view->weights_as_of) emit_count(json, "weights_as_of", view->weights_as_of);
    if (view->made_at_us) wire_time(json, "made_at", view->made_at_us);
    if (view->making_as_of) emit_count(json, "making_as_of", view->making_as_of);
    if (view->fault.size) emit_text(json, "fault", view->fault);
}

static steme_status print_view_json(struct cli *cli, const struct steme_view_info *view, struct steme_error *err)
{
    struct buf line;
    struct emit json = { .to = &line };
    buf_init(&line, LINE_BYTES_MAX);
    emit_begin(&json, NULL, '{');
    emit_view(&json, view);
    emit_end(&json, '}');
    steme_status status = cli_print_line(cli, &line, err);
    buf_deinit(&line);
    return status;
}

static void print_views(struct cli *cli, const struct steme_view_info *views, size_t count)
{
    static const struct print_column columns[] = {
        { .title = "view", .colour = PRINT_BOLD },
        { .title = "subjects" },
        { .title = "predicate" },
        { .title = "lens" },
        { .title = "standing" },
        { .title = "watermark", .right = true },
        { .title = "rows", .right = true },
        { .title = "by" },
    };
    struct table table;
    table_begin(&table, &cli->print, columns, countof(columns));
    for (size_t i = 0; i < count; i++) {
        const struct steme_view *it = &views[i].definition;
        table_cell(&table, it->name);
        table_cell(&table, it->subjects.size ? it->subjects : slice_text("*"));
        table_cell(&table, it->predicate.size ? it->predicate : slice_text("(any)"));
        table_cell(&table, it->lens);
        table_cell(&table, slice_text(steme_view_standing_name(views[i].standing)));
        table_cellf(&table, "%" PRIu64, views[i].watermark);
        table_cellf(&table, "%" PRIu64, views[i].rows);
        table_cell(&table, slice_text(cli_key_name(cli, &it->author)));
    }
    table_end(&table);
}

steme_status verb_view_list(struct cli *cli, struct steme_error *err)
{
    const struct steme_view_info *views = NULL;
    size_t count = 0;
    steme_status status = cli_snapshot(cli, err);
    if (!status) status = steme_view_list(cli->snapshot, &views, &count, err);
    if (status) return status;
    if (!cli->json) print_views(cli, views, count);
    for (size_t i = 0; i < count && cli->json && !status; i++)
        status = print_view_json(cli, &views[i], err);
    return status ? status : cli_check_output(cli, err);
}

static void print_line(struct cli *cli, const char *label, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void print_line(struct cli *cli, const char *label, const char *format, ...)
{
    char text[STEME_NAME_MAX + 64];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    print_coloured(&cli->print, PRINT_DIM, "%-12s", label);
    print_coloured(&cli->print, PRINT_PLAIN, "%s", text);
    fputc('\n', cli->print.out);
}

static void print_definition(struct cli *cli, const struct steme_view_info *view)
{
    const struct steme_view *it = &view->definition;
    char hex[STEME_PRINT_BYTES], time[SCALAR_PRINT_BYTES];
    steme_print_hash(&view->id, hex);
    print_line(cli, "view", "%.*s", SLICE_PRINT(it->name));
    print_line(cli, "id", "%s", hex);
    print_line(cli, "subjects", "%.*s", SLICE_PRINT(it->subjects.size ? it->subjects : slice_text("*")));
    print_line(cli, "predicate", "%.*s", SLICE_PRINT(it->predicate.size ? it->predicate : slice_text("(any)")));
    print_line(cli, "lens", "%.*s", SLICE_PRINT(it->lens));
    for (size_t i = 0; i < it->parameter_count; i++) {
        const struct steme_qualifier *parameter = &it->parameters[i];
        print_line(cli, "", "%.*s = %.*s", SLICE_PRINT(parameter->name), SLICE_PRINT(parameter->value));
    }
    if (it->has_epoch) steme_print_hash(&it->epoch, hex);
    if (it->has_epoch) print_line(cli, "epoch", "%s", hex);
    print_line(cli, "by", "%s, %s", cli_key_name(cli, &it->author), show_time(it->created_at_us, time));
}

static void print_progress(struct cli *cli, const struct steme_view_info *view)
{
    print_line(cli, "standing", "%s", steme_view_standing_name(view->standing));
    print_line(cli, "watermark", "%" PRIu64, view->watermark);
    if (view->weights_as_of)
        print_line(cli, "", "weights of voices as of %" PRIu64 " of the whole store", view->weights_as_of);
    print_line(cli, "rows", "%" PRIu64 ", %" PRIu64 " bytes", view->rows, view->bytes);
    if (view->making_as_of)
        print_line(cli, "", "being made as of %" PRIu64 ": %" PRIu64 " so far", view->making_as_of, view->making_rows);
    if (view->fault.size) print_line(cli, "fault", "%.*s", SLICE_PRINT(view->fault));
}

steme_status verb_view_show(struct cli *cli, struct steme_error *err)
{
    struct steme_view_info view;
    steme_status status = cli_snapshot(cli, err);
    if (!status) status = steme_view_show(cli->snapshot, slice_text(cli_argument(cli, 0)), &view, err);
    if (status) return status;
    if (cli->json) return print_view_json(cli, &view, err);
    print_definition(cli, &view);
    print_progress(cli, &view);
    return cli_check_output(cli, err);
}

steme_status verb_view_refresh(struct cli *cli, struct steme_error *err)
{
    struct steme_slice name = slice_text(cli_argument(cli, 0));
    struct steme_view_info view;
    steme_status status = cli_open(cli, true, err);
    if (!status) status = steme_view_refresh(cli->store, name, err);
    if (!status && !cli_has(cli, "no-wait")) status = wait_until_made(cli, name, err);
    if (!status) status = cli_snapshot(cli, err);
    if (!status) status = steme_view_show(cli->snapshot, name, &view, err);
    if (status) return status;
    if (cli->json) return print_view_json(cli, &view, err);
    print_progress(cli, &view);
    return cli_check_output(cli, err);
}

/* ---- rows ---- */

struct rows {
    struct cli *cli;
    struct table table;
    struct buf line;
    struct steme_error *err;
};

static void emit_row(struct emit *json, const struct steme_view_row *row)
{
    emit_begin(json, NULL, '{');
    emit_text(json, "subject", row->subject);
    emit_text(json, "predicate", row->predicate);
    if (row->key_qualifiers.size) emit_text(json, "key_qualifiers", row->key_qualifiers);
    emit_word(json, "verdict", steme_verdict_name(row->verdict));
    emit_bool(json, "functional", row->functional);
    if (row->beliefs) {
        wire_value(json, "value", &row->value);
        emit_real(json, "probability", row->probability);
        emit_real(json, "support", row->support);
        emit_real(json, "refute", row->refute);
        emit_hash(json, "claim", &row->claim);
        emit_hash(json, "assertion", &row->assertion);
    }
    if (row->beliefs > 1) {
        wire_value(json, "rival", &row->rival);
        emit_real(json, "rival_probability", row->rival_probability);
    }
    if (row->has_pooled) {
        emit_real(json, "pooled_mean", row->pooled_mean);
        emit_real(json, "pooled_error", row->pooled_error);
        emit_real(json, "pooled_tension_p", row->pooled_tension_p);
    }
    emit_count(json, "beliefs", row->beliefs);
    emit_count(json, "voices", row->voices);
    emit_count(json, "assertions", row->assertions);
    emit_count(json, "votes", row->votes);
    emit_real(json, "margin", row->margin);
    emit_hash(json, "slot", &row->slot);
    emit_end(json, '}');
}

static steme_status take_row_json(void *context, const struct steme_view_row *row)
{
    struct rows *rows = context;
    struct emit json = { .to = &rows->line };
    emit_row(&json, row);
    return cli_print_line(rows->cli, &rows->line, rows->err);
}

static steme_status take_row(void *context, const struct steme_view_row *row)
{
    struct rows *rows = context;
    char share[SHARE_TEXT_BYTES], plain[SCALAR_PRINT_BYTES];
    buf_clear(&rows->line);
    if (row->beliefs) object_append_plain(&rows->line, &row->value);
    snprintf(plain, sizeof plain, "%.6f", row->probability);
    table_cell(&rows->table, row->subject);
    table_cell(&rows->table, row->predicate);
    table_cell(&rows->table, row->key_qualifiers);
    table_cell(&rows->table, buf_slice(&rows->line));
    table_cell(&rows->table, slice_text(rows->cli->print.table ? answer_share_text(row->probability, share) : plain));
    table_cell(&rows->table, slice_text(steme_verdict_name(row->verdict)));
    table_cellf(&rows->table, "%" PRIu32, row->voices);
    table_cellf(&rows->table, "%" PRIu32, row->votes);
    return cli_check_output(rows->cli, rows->err);
}

/* The figures of the view before its rows: no row without the moment it is of. */
static steme_status print_rows(struct cli *cli, const struct steme_view_info *view, struct steme_error *err)
{
    static const struct print_column columns[] = {
        { .title = "subject", .colour = PRINT_BOLD },
        { .title = "predicate" },
        { .title = "key" },
        { .title = "value" },
        { .title = "probability", .right = true },
        { .title = "verdict" },
        { .title = "voices", .right = true },
        { .title = "votes", .right = true },
    };
    struct rows rows = { .cli = cli, .err = err };
    struct steme_slice subject = slice_text(cli_option(cli, "subject"));
    steme_status status = STEME_OK;
    buf_init(&rows.line, LINE_BYTES_MAX);
    if (cli->json) {
        status = view->generation ? print_view_json(cli, view, err) : STEME_OK;
        if (!status) status = steme_view_rows_each(cli->snapshot, view, subject, take_row_json, &rows, err);
    } else {
        table_begin(&rows.table, &cli->print, columns, countof(columns));
        status = steme_view_rows_each(cli->snapshot, view, subject, take_row, &rows, err);
        table_end(&rows.table);
    }
    buf_deinit(&rows.line);
    return status;
}

static steme_status wait_for_rows(struct cli *cli, struct steme_slice name, const char *at_least,
                                  struct steme_error *err)
{
    uint64_t sequence = 0, seconds = TIMEOUT_MS / 1000;
    const char *timeout = cli_option(cli, "timeout");
    steme_status status = scalar_parse_count(at_least, "at-least", INT64_MAX, &sequence, err);
    if (!status && timeout) status = scalar_parse_count(timeout, "timeout", TIMEOUT_MAX_S, &seconds, err);
    if (!status) status = cli_open(cli, false, err);
    if (!status) status = steme_view_wait(cli->store, name, sequence, (uint32_t)(seconds * 1000), err);
    if (status == STEME_TIMEOUT) cli_hint(cli, "a process that has the store open for writing keeps views current");
    return status;
}

steme_status verb_view_rows(struct cli *cli, struct steme_error *err)
{
    struct steme_slice name = slice_text(cli_argument(cli, 0));
    const char *at_least = cli_option(cli, "at-least");
    struct steme_view_info view;
    if (cli_has(cli, "timeout") && !at_least) return error_set(err, STEME_BAD_INPUT, "--timeout goes with --at-least");
    steme_status status = at_least ? wait_for_rows(cli, name, at_least, err) : STEME_OK;
    if (!status) status = cli_snapshot(cli, err);
    if (!status) status = steme_view_show(cli->snapshot, name, &view, err);
    if (!status) status = print_rows(cli, &view, err);
    if (!status) status = cli_check_output(cli, err);
    if (!status && !cli->json) {
        fflush(cli->print.out); /* the rows come first, wherever both go */
        cli_note(cli, "%" PRIu64 " row%s in all, as of %" PRIu64 "%s", view.rows, view.rows == 1 ? "" : "s",
                 view.watermark,
                 view.standing == STEME_VIEW_CURRENT ? "" : "; it is not kept up at present, see `steme view show`");
    }
    return status;
}
