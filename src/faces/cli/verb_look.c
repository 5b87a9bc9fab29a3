/* SPDX-License-Identifier: Apache-2.0 */
/* log, show, cat, keys. */
#include "base/check.h"
#include "base/slice.h"
#include "faces/cli/scalar.h"
#include "faces/cli/show.h"
#include "faces/cli/verbs.h"
#include "faces/cli/wire.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

enum { FOLLOW_EVERY_NS = 250000000 };

const struct option_spec log_options[] = {
    { "since", "SEQ", "begin with this sequence number; else with the first", false },
    { "limit", "N", "so many records, then end", false },
    { "follow", NULL, "go on as records come in, until interrupted", false },
    { 0 },
};

/* ---- log ---- */

struct log_walk {
    struct cli *cli;
    struct table table;
    struct buf text;
    struct sources sources;
    uint64_t next;     /* sequence to go on from */
    uint64_t left;     /* records still wanted */
    uint64_t left_out; /* that damage took */
    bool full;         /* they are all there: the walk was ended on purpose */
    struct steme_error *err;
};

static const struct print_column log_columns[] = {
    { .title = "#", .right = true },
    { .title = "received" },
    { .title = "id", .colour = PRINT_YELLOW },
    { .title = "type" },
    { .title = "signer" },
    { .title = "what", .columns_max = 100 },
};

static struct steme_key signer_of(const struct steme_record *record)
{
    switch (record->type) {
    case STEME_ASSERTION: return record->as.assertion.author;
    case STEME_VOTE: return record->as.vote.voter;
    case STEME_EPOCH: return record->as.epoch.author;
    case STEME_REVISION: return record->as.revision.author;
    case STEME_BUNDLE: return record->as.bundle.author;
    case STEME_VIEW: return record->as.view.author;
    }
    unreachable_here();
}

/* A gap before this record: count the numbers that damage has taken, and let a reader of the JSON see it there. */
static steme_status note_missing(struct log_walk *walk, uint64_t sequence)
{
    struct emit json = { .to = &walk->text };
    if (walk->next == 0 || walk->next >= sequence) return STEME_OK;
    walk->left_out += sequence - walk->next;
    if (!walk->cli->json) return STEME_OK;
    buf_clear(&walk->text);
    emit_begin(&json, NULL, '{');
    emit_word(&json, "type", "missing");
    emit_count(&json, "first", walk->next);
    emit_count(&json, "last", sequence - 1);
    emit_end(&json, '}');
    return cli_print_line(walk->cli, &walk->text, walk->err);
}

static steme_status take_entry(void *context, const struct steme_entry *entry)
{
    struct log_walk *walk = context;
    char short_id[SHORT_ID_BYTES];
    char time[SCALAR_PRINT_BYTES];
    walk->full = walk->left == 0;
    if (walk->full) return STEME_FAILED; /* ends the walk */
    walk->left--;
    steme_status status = note_missing(walk, entry->sequence);
    if (status) return status;
    walk->next = entry->sequence + 1;
    if (walk->cli->json) return show_entry_json(walk->cli, entry, true, walk->err);
    struct steme_key signer = signer_of(&entry->record);
    buf_clear(&walk->text);
    sources_see(&walk->sources, &entry->record);
    show_summary(&walk->text, &entry->record, &walk->sources);
    table_cellf(&walk->table, "%" PRIu64, entry->sequence);
    table_cell(&walk->table, slice_text(show_time(entry->received_at_us, time)));
    table_cell(&walk->table, slice_text(cli_short_id(&entry->id, short_id)));
    table_cell(&walk->table, slice_text(wire_type_name(entry->record.type)));
    table_cell(&walk->table, slice_text(cli_key_name(walk->cli, &signer)));
    table_cell(&walk->table, buf_slice(&walk->text));
    return cli_check_output(walk->cli, walk->err);
}

/* Behind the last record, too. Which number an earlier moment ends with isn't known here. */
static steme_status note_missing_at_end(struct log_walk *walk)
{
    struct steme_info info;
    if (cli_has(walk->cli, "as-of")) return STEME_OK;
    steme_status status = steme_info(walk->cli->store, &info, walk->err);
    if (!status) status = note_missing(walk, info.last_sequence + 1);
    if (!status && walk->next <= info.last_sequence) walk->next = info.last_sequence + 1;
    return status;
}

/* All that is there now, from walk->next on. */
static steme_status walk_once(struct log_walk *walk)
{
    struct cli *cli = walk->cli;
    steme_status status = cli_snapshot(cli, walk->err);
    if (!status) status = steme_log_each(cli->snapshot, walk->next, take_entry, walk, walk->err);
    if (!status && walk->left > 0) status = note_missing_at_end(walk);
    if (walk->full) status = STEME_OK;
    table_flush(&walk->table);
    fflush(cli->print.out);
    return status ? status : cli_check_output(cli, walk->err);
}

/* A store that is open for reading shows what was there when it was opened, so it is opened again and again. In between
 * nothing is held: neither a lock nor old pages of the index. */
static steme_status follow(struct log_walk *walk)
{
    static const struct timespec pause = { .tv_nsec = FOLLOW_EVERY_NS };
    sigset_t ends; /* blocked while we work, waited for while we sleep: so each one is noticed */
    steme_status status = STEME_OK;
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    while (!status && walk->left > 0) {
        cli_close(walk->cli);
        if (sigtimedwait(&ends, NULL, &pause) > 0) break;
        status = walk_once(walk);
    }
    return status;
}

steme_status verb_log(struct cli *cli, struct steme_error *err)
{
    struct log_walk walk = {
        .cli = cli, .next = 1, .left = UINT64_MAX, .sources = { .arena = &cli->arena }, .err = err
    };
    const char *since = cli_option(cli, "since");
    const char *limit = cli_option(cli, "limit");
    steme_status status = STEME_OK;
    buf_init(&walk.text, 1 << 16);
    if (since) status = scalar_parse_count(since, "since", UINT64_MAX - 1, &walk.next, err);
    if (!status && limit) status = scalar_parse_count(limit, "limit", UINT64_MAX, &walk.left, err);
    table_begin(&walk.table, &cli->print, log_columns, countof(log_columns));
    if (!status) status = walk_once(&walk);
    if (!status && cli_has(cli, "follow")) status = follow(&walk);
    table_end(&walk.table);
    buf_deinit(&walk.text);
    return status ? status : cli_check_left_out(cli, walk.left_out, err);
}

/* ---- show, cat ---- */

steme_status verb_show(struct cli *cli, struct steme_error *err)
{
    struct steme_hash id;
    steme_status status = cli_find_id(cli, cli_argument(cli, 0), &id, err);
    if (!status) status = cli_snapshot(cli, err);
    return status ? status : show_record(cli, &id, err);
}

steme_status verb_cat(struct cli *cli, struct steme_error *err)
{
    struct steme_hash id;
    struct steme_entry entry;
    steme_status status = cli_find_id(cli, cli_argument(cli, 0), &id, err);
    if (!status) status = cli_snapshot(cli, err);
    if (!status) status = steme_get(cli->snapshot, &id, &entry, err);
    if (status) return status;
    fwrite(entry.bytes.data, 1, entry.bytes.size, cli->print.out);
    return cli_check_output(cli, err);
}

/* ---- keys ---- */

struct key_walk {
    struct cli *cli;
    struct buf line;
    struct steme_error *err;
};

static steme_status take_key(void *context, struct steme_slice key, struct steme_slice value)
{
    struct key_walk *walk = context;
    struct cli *cli = walk->cli;
    if (cli->json) {
        struct emit json = { .to = &walk->line };
        emit_begin(&json, NULL, '{');
        emit_text(&json, "key", key);
        emit_text(&json, "value", value);
        emit_end(&json, '}');
        return cli_print_line(cli, &walk->line, walk->err);
    }
    print_coloured(&cli->print, PRINT_CYAN, "%.*s", SLICE_PRINT(key));
    fputc('\t', cli->print.out);
    print_coloured(&cli->print, PRINT_PLAIN, "%.*s", SLICE_PRINT(value));
    fputc('\n', cli->print.out);
    return cli_check_output(cli, walk->err);
}

steme_status verb_keys(struct cli *cli, struct steme_error *err)
{
    struct key_walk walk = { .cli = cli, .err = err };
    buf_init(&walk.line, 1 << 20);
    steme_status status = cli_snapshot(cli, err);
    if (!status) status = steme_keys_each(cli->snapshot, slice_text(cli_argument(cli, 0)), take_key, &walk, err);
    buf_deinit(&walk.line);
    return status;
}
