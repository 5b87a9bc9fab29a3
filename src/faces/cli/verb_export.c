/* SPDX-License-Identifier: Apache-2.0 */
#include "base/slice.h"
#include "faces/cli/verbs.h"
#include "faces/cli/wire.h"

#include <inttypes.h>
#include <string.h>

enum {
    WRITE_BLOCK_BYTES = 1 << 16,
    TEXT_BYTES_MAX = 1 << 28 /* of one line and a block before it: a bundle with escapes is a few dozen MiB */
};

const struct option_spec export_options[] = {
    { "log", NULL, "in the order of the log, with sequence numbers and receive times", false },
    { 0 },
};

struct exporter {
    struct cli *cli;
    struct buf text;
    struct emit json;
    bool with_log;
    size_t members_left;      /* of the bundle whose line is being written */
    struct steme_hash bundle; /* its id */
    uint64_t count;
    uint64_t next;     /* in the order of the log: the sequence number to come, unless damage took it */
    uint64_t left_out; /* those that it took */
    struct steme_error *err;
};

static steme_status write_text(struct exporter *export)
{
    steme_status status = buf_check(&export->text, export->err);
    if (!status && export->text.size > 0) fwrite(export->text.data, 1, export->text.size, export->cli->print.out);
    buf_clear(&export->text);
    return status ? status : cli_check_output(export->cli, export->err);
}

static steme_status end_line(struct exporter *export)
{
    emit_end(&export->json, '}');
    buf_append_text(&export->text, "\n");
    export->json.comma = false;
    return export->text.size >= WRITE_BLOCK_BYTES || export->text.status ? write_text(export) : STEME_OK;
}

static steme_status end_bundle(struct exporter *export)
{
    if (export->members_left == 0) return STEME_OK;
    export->members_left = 0;
    emit_end(&export->json, ']');
    return end_line(export);
}

static void count_gap(struct exporter *export, uint64_t sequence)
{
    if (sequence > export->next) export->left_out += sequence - export->next;
    export->next = sequence + 1;
}

/* A bundle's line is left open, and its members, who follow, are put into it: in the order of the log not all, where
 * damage or the moment keeps some away. */
static steme_status take_entry(void *context, const struct steme_entry *entry)
{
    struct exporter *export = context;
    cli_progress(export->cli, "export: %" PRIu64 " records", ++export->count);
    bool is_member = export->members_left > 0 && !entry->is_signed &&
                     memcmp(entry->bundle.bytes, export->bundle.bytes, sizeof entry->bundle.bytes) == 0;
    steme_status status = is_member ? STEME_OK : end_bundle(export);
    if (status) return status;
    if (export->with_log) count_gap(export, entry->sequence);
    wire_begin_entry(&export->json, NULL, entry, export->with_log);
    if (is_member) {
        emit_end(&export->json, '}');
        if (export->members_left == 1) return end_bundle(export);
        export->members_left--;
        return STEME_OK;
    }
    if (entry->record.type != STEME_BUNDLE) return end_line(export);
    emit_begin(&export->json, "members", '[');
    export->members_left = entry->record.as.bundle.member_count;
    export->bundle = entry->id;
    return STEME_OK;
}

static steme_status pass_entry(void *context, const struct steme_entry *entry)
{
    count_gap(context, entry->sequence);
    return STEME_OK;
}

/* Numbers that are missing show in the order of the log alone; so where the store knows of any, an export by ids looks
 * through that as well. Which number an earlier moment ends with isn't known here. */
static steme_status check_whole(struct exporter *export, struct steme_error *err)
{
    struct steme_info info;
    struct cli *cli = export->cli;
    steme_status status = steme_info(cli->store, &info, err);
    if (status) return status;
    bool counted = export->with_log || info.missing_sequences > 0 || info.dead_letters > 0;
    if (counted && !export->with_log) status = steme_log_each(cli->snapshot, 1, pass_entry, export, err);
    if (!status && counted && !cli_has(cli, "as-of")) count_gap(export, info.last_sequence + 1);
    return status ? status : cli_check_left_out(cli, export->left_out, err);
}

steme_status verb_export(struct cli *cli, struct steme_error *err)
{
    struct exporter export = { .cli = cli, .with_log = cli_has(cli, "log"), .next = 1, .err = err };
    buf_init(&export.text, TEXT_BYTES_MAX);
    export.json = (struct emit){ .to = &export.text };
    steme_status status = cli_snapshot(cli, err);
    if (!status && export.with_log)
        status = steme_log_each(cli->snapshot, 1, take_entry, &export, err);
    else if (!status)
        status = steme_export_each(cli->snapshot, take_entry, &export, err);
    if (!status) status = end_bundle(&export);
    if (!status) status = write_text(&export);
    cli_progress(cli, "%s", "");
    buf_deinit(&export.text);
    return status ? status : check_whole(&export, err);
}
