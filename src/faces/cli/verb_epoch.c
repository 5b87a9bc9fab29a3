/* SPDX-License-Identifier: Apache-2.0 */
/* epoch new, list, show. */
#include "base/check.h"
#include "base/slice.h"
#include "faces/cli/scalar.h"
#include "faces/cli/show.h"
#include "faces/cli/verbs.h"
#include "faces/cli/wire.h"

const struct option_spec epoch_new_options[] = {
    { "description", "TEXT", "what it stands for", false },
    { "from", "TIME", "when it began in the world", false },
    { "to", "TIME", "when it ended", false },
    { "supersedes", "NAME|ID", "an epoch it replaces; may be repeated", true },
    { 0 },
};

static steme_status find_superseded(struct cli *cli, struct steme_epoch *it, struct steme_error *err)
{
    size_t count = options_count(&cli->options, "supersedes");
    struct steme_hash *ids = arena_calloc(&cli->arena, count, sizeof *ids);
    if (!ids) return arena_full(&cli->arena, err);
    for (size_t i = 0; i < count; i++) {
        struct steme_slice text = slice_text(options_nth(&cli->options, "supersedes", i));
        steme_status status = cli_find_epoch(cli, text, &ids[i], err);
        if (status) return status;
    }
    it->supersedes = ids;
    it->supersedes_count = count;
    return STEME_OK;
}

/* Two of one name are two epochs, and from then on the name alone means neither. */
static steme_status note_namesake(struct cli *cli, struct steme_slice name, struct steme_error *err)
{
    const struct steme_entry *epochs;
    size_t count;
    char short_id[SHORT_ID_BYTES];
    steme_status status = cli_snapshot(cli, err);
    if (!status) status = steme_epochs(cli->snapshot, &epochs, &count, err);
    if (status) return status;
    for (size_t i = 0; i < count; i++) {
        if (!slice_equal(epochs[i].record.as.epoch.name, name)) continue;
        cli_note(cli,
                 "there is an epoch of that name already, %s: this is another, and from now on the name alone means "
                 "neither: give their ids",
                 cli_short_id(&epochs[i].id, short_id));
        break;
    }
    return STEME_OK;
}

steme_status verb_epoch_new(struct cli *cli, struct steme_error *err)
{
    struct steme_record record = { .type = STEME_EPOCH };
    struct steme_epoch *it = &record.as.epoch;
    struct steme_receipt receipt;
    it->name = slice_text(cli_argument(cli, 0));
    it->description = slice_text(cli_option(cli, "description"));
    it->declared_at_us = cli->now_us;
    it->from_us = STEME_TIME_MIN;
    it->to_us = STEME_TIME_MAX;
    struct steme_slice from = slice_text(cli_option(cli, "from"));
    struct steme_slice to = slice_text(cli_option(cli, "to"));
    steme_status status = STEME_OK;
    if (from.data) status = scalar_parse_time(from, "from", cli->now_us, &it->from_us, err);
    if (!status && to.data) status = scalar_parse_time(to, "to", cli->now_us, &it->to_us, err);
    if (!status) status = cli_open(cli, true, err);
    if (!status) status = cli_signer(cli, err);
    if (!status) status = find_superseded(cli, it, err);
    if (!status) status = note_namesake(cli, it->name, err);
    if (!status) status = steme_write(cli->store, cli->signer, &record, &receipt, err);
    return status ? status : cli_print_receipt(cli, &receipt, err);
}

static void print_bound(struct table *table, int64_t us, int64_t open)
{
    char text[SCALAR_PRINT_BYTES];
    if (us == open)
        table_cell(table, slice_text(""));
    else
        table_cell(table, slice_text(show_date(us, text)));
}

static void print_epochs(struct cli *cli, const struct steme_entry *epochs, size_t count)
{
    static const struct print_column columns[] = {
        { .title = "id", .colour = PRINT_YELLOW },
        { .title = "name", .colour = PRINT_BOLD },
        { .title = "from" },
        { .title = "to" },
        { .title = "supersedes", .right = true },
        { .title = "by" },
        { .title = "description", .colour = PRINT_DIM },
    };
    char short_id[SHORT_ID_BYTES];
    struct table table;
    table_begin(&table, &cli->print, columns, countof(columns));
    for (size_t i = 0; i < count; i++) {
        const struct steme_epoch *it = &epochs[i].record.as.epoch;
        table_cell(&table, slice_text(cli_short_id(&epochs[i].id, short_id)));
        table_cell(&table, it->name);
        print_bound(&table, it->from_us, STEME_TIME_MIN);
        print_bound(&table, it->to_us, STEME_TIME_MAX);
        table_cellf(&table, "%zu", it->supersedes_count);
        table_cell(&table, slice_text(cli_key_name(cli, &it->author)));
        table_cell(&table, it->description);
    }
    table_end(&table);
}

steme_status verb_epoch_list(struct cli *cli, struct steme_error *err)
{
    const struct steme_entry *epochs;
    size_t count;
    steme_status status = cli_snapshot(cli, err);
    if (!status) status = steme_epochs(cli->snapshot, &epochs, &count, err);
    if (status) return status;
    if (!cli->json) print_epochs(cli, epochs, count);
    for (size_t i = 0; i < count && cli->json && !status; i++)
        status = show_entry_json(cli, &epochs[i], true, err);
    return status ? status : cli_check_output(cli, err);
}

steme_status verb_epoch_show(struct cli *cli, struct steme_error *err)
{
    struct steme_hash id;
    steme_status status = cli_find_epoch(cli, slice_text(cli_argument(cli, 0)), &id, err);
    if (!status) status = cli_snapshot(cli, err);
    return status ? status : show_record(cli, &id, err);
}
