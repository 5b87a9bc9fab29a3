/* SPDX-License-Identifier: Apache-2.0 */
/* init, status, verify, rebuild. */
#include "base/check.h"
#include "base/slice.h"
#include "faces/cli/show.h"
#include "faces/cli/verbs.h"
#include "faces/cli/wire.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- init ---- */

static steme_status choose_dir(struct cli *cli, struct steme_error *err)
{
    const char *parent = cli_argument(cli, 0);
    const char *dir = NULL;
    int size;
    if (cli_named_dir(cli, &dir) && !parent)
        size = snprintf(cli->dir, sizeof cli->dir, "%s", dir);
    else if (parent && cli_option(cli, "dir"))
        return error_set(err, STEME_BAD_INPUT, "give DIR or --dir, not both");
    else if (parent)
        size = snprintf(cli->dir, sizeof cli->dir, "%s%s%s", parent, parent[0] ? "/" : "", CLI_STORE_DIR);
    else
        size = snprintf(cli->dir, sizeof cli->dir, "%s", CLI_STORE_DIR);
    if (size < 0 || (size_t)size >= sizeof cli->dir)
        return error_set(err, STEME_BAD_INPUT, "the store's path is too long");
    return STEME_OK;
}

static steme_status print_made(struct cli *cli, struct steme_error *err)
{
    struct steme_info info;
    struct steme_key key = steme_signer_key(cli->signer);
    steme_status status = steme_info(cli->store, &info, err);
    if (status) return status;
    if (!cli->json) {
        print_coloured(&cli->print, PRINT_PLAIN, "made an empty store in %s", cli->dir);
        fputs("\nmade a key 'default' in it, to sign with\n", cli->print.out);
        return cli_check_output(cli, err);
    }
    struct buf line;
    buf_init(&line, 1 << 16);
    struct emit json = { .to = &line };
    emit_begin(&json, NULL, '{');
    emit_word(&json, "dir", cli->dir);
    emit_hash(&json, "store", &info.store_id);
    wire_key(&json, "key", &key);
    emit_end(&json, '}');
    status = cli_print_line(cli, &line, err);
    buf_deinit(&line);
    return status;
}

steme_status verb_init(struct cli *cli, struct steme_error *err)
{
    steme_status status = choose_dir(cli, err);
    if (!status) status = steme_create(cli->dir, err);
    if (status == STEME_EXISTS && !cli_hint_lost_part(cli, cli->dir))
        cli_hint(cli, "nothing was changed; of a store `steme status` shows what is there");
    if (!status) status = steme_open(cli->dir, NULL, &cli->store, err);
    if (!status) status = steme_signer_new(cli->store, "default", &cli->signer, err);
    return status ? status : print_made(cli, err);
}

/* ---- status ---- */

static const char *const record_names[] = { "assertions", "votes", "epochs", "revisions", "bundles", "views" };

static void print_line(const struct cli *cli, const char *label, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void print_line(const struct cli *cli, const char *label, const char *format, ...)
{
    va_list args;
    print_coloured(&cli->print, PRINT_DIM, "%-12s", label);
    va_start(args, format);
    vfprintf(cli->print.out, format, args);
    va_end(args);
    fputc('\n', cli->print.out);
}

static void print_size(const struct cli *cli, const char *label, uint64_t bytes, const char *more)
{
    char digits[PRINT_COUNT_BYTES];
    print_line(cli, label, "%s bytes%s", print_count(bytes, digits), more);
}

static const char *plural(uint64_t count) { return count == 1 ? "" : "s"; }

static void print_health(const struct cli *cli, const struct steme_info *info)
{
    uint64_t behind = info->last_sequence - info->indexed_sequence;
    bool well = !info->degraded && info->dead_letters == 0;
    print_coloured(&cli->print, PRINT_DIM, "%-12s", "health");
    if (well) print_coloured(&cli->print, PRINT_GREEN, "no damage known; `steme verify` looks at every byte");
    if (info->degraded)
        print_coloured(&cli->print, PRINT_RED, "degraded: %" PRIu64 " record%s lost to damage, see `steme verify`%s",
                       info->missing_sequences, plural(info->missing_sequences),
                       info->quarantine_files ? " and quarantine/" : "");
    fputc('\n', cli->print.out);
    if (behind > 0) print_line(cli, "", "the index is %" PRIu64 " record%s behind", behind, plural(behind));
    if (info->dead_letters > 0)
        print_line(cli, "", "%" PRIu64 " record%s could not be applied", info->dead_letters,
                   plural(info->dead_letters));
    if (info->quarantine_files > 0)
        print_line(cli, "", "%" PRIu64 " file%s in quarantine", info->quarantine_files, plural(info->quarantine_files));
    if (info->index_in_memory) print_line(cli, "", "the index on disk can't be used from here: it is made in memory");
}

static void print_status(const struct cli *cli, const struct steme_info *info)
{
    char hex[STEME_PRINT_BYTES];
    char text[SCALAR_PRINT_BYTES];
    char digits[PRINT_COUNT_BYTES];
    char more[64];
    print_coloured(&cli->print, PRINT_BOLD, "%s", cli->dir);
    fputc('\n', cli->print.out);
    steme_print_hash(&info->store_id, hex);
    print_line(cli, "store", "%s", hex);
    print_line(cli, "made", "%s", show_time(info->created_at_us, text));
    print_line(cli, "records", "%s", print_count(info->last_sequence - info->missing_sequences, digits));
    for (size_t i = 0; i < countof(record_names); i++)
        if (info->records[i] > 0)
            print_line(cli, "", "%11s %s", print_count(info->records[i], digits), record_names[i]);
    snprintf(more, sizeof more, " in %" PRIu64 " segment%s", info->log_segments, info->log_segments == 1 ? "" : "s");
    print_size(cli, "log", info->log_bytes, more);
    snprintf(more, sizeof more, " (%s)", info->index_engine);
    print_size(cli, "index", info->index_bytes, more);
    print_health(cli, info);
}

static void emit_status(struct emit *json, const struct cli *cli, const struct steme_info *info)
{
    emit_begin(json, NULL, '{');
    emit_word(json, "dir", cli->dir);
    emit_hash(json, "store", &info->store_id);
    wire_time(json, "created_at", info->created_at_us);
    emit_count(json, "last_sequence", info->last_sequence);
    emit_count(json, "indexed_sequence", info->indexed_sequence);
    emit_begin(json, "records", '{');
    for (size_t i = 0; i < countof(record_names); i++)
        emit_count(json, record_names[i], info->records[i]);
    emit_count(json, "unknown", info->records[countof(info->records) - 1]);
    emit_end(json, '}');
    emit_count(json, "dead_letters", info->dead_letters);
    emit_count(json, "log_bytes", info->log_bytes);
    emit_count(json, "log_segments", info->log_segments);
    emit_count(json, "record_bytes", info->record_bytes);
    emit_count(json, "index_bytes", info->index_bytes);
    emit_word(json, "index_engine", info->index_engine);
    emit_bool(json, "index_in_memory", info->index_in_memory);
    emit_count(json, "quarantine_files", info->quarantine_files);
    emit_count(json, "missing_sequences", info->missing_sequences);
    emit_bool(json, "degraded", info->degraded);
    emit_count(json, "log_reads", info->log_reads);
    emit_count(json, "index_rebuilds", info->index_rebuilds);
    emit_end(json, '}');
}

steme_status verb_status(struct cli *cli, struct steme_error *err)
{
    struct steme_info info;
    steme_status status = cli_open(cli, false, err);
    if (!status) status = steme_info(cli->store, &info, err);
    if (status) return status;
    if (!cli->json) {
        print_status(cli, &info);
        return cli_check_output(cli, err);
    }
    struct buf line;
    buf_init(&line, 1 << 16);
    struct emit json = { .to = &line };
    emit_status(&json, cli, &info);
    status = cli_print_line(cli, &line, err);
    buf_deinit(&line);
    return status;
}

/* ---- verify ---- */

struct verification {
    struct cli *cli;
    bool index, log; /* something is wrong with it */
};

static void print_finding(void *context, const struct steme_finding *finding)
{
    struct verification *it = context;
    struct cli *cli = it->cli;
    bool key = strcmp(finding->part, "key") == 0, index = strcmp(finding->part, "index") == 0;
    it->index = it->index || index;
    it->log = it->log || (!key && !index);
    cli_progress(cli, "%s", "");
    if (!cli->json) {
        print_coloured(&cli->print, PRINT_RED, "%s: %s", finding->part, finding->message);
        fputc('\n', cli->print.out);
        return;
    }
    struct buf line;
    buf_init(&line, 1 << 16);
    struct emit json = { .to = &line };
    emit_begin(&json, NULL, '{');
    emit_word(&json, "part", finding->part);
    emit_word(&json, "message", finding->message);
    emit_end(&json, '}');
    buf_append_text(&line, "\n");
    if (line.size) fwrite(line.data, 1, line.size, cli->print.out);
    buf_deinit(&line);
}

static steme_status print_verification(struct cli *cli, const struct steme_verification *it, bool log_is_whole,
                                       struct steme_error *err)
{
    char digits[6][PRINT_COUNT_BYTES];
    if (!cli->json) {
        fprintf(cli->print.out,
                "checked %s bytes of log, segments %s, batches %s%s\n"
                "records %s ids, %s signatures\n"
                "index   %s rows against the log\n",
                print_count(it->file_bytes, digits[0]), print_count(it->segments, digits[1]),
                print_count(it->batches, digits[2]), log_is_whole ? ": every checksum and the chain" : "",
                print_count(it->records, digits[3]), print_count(it->signatures, digits[4]),
                print_count(it->index_rows, digits[5]));
        if (it->damaged_bytes > 0)
            fprintf(cli->print.out, "damaged %s bytes\n", print_count(it->damaged_bytes, digits[0]));
        if (it->findings == 0) {
            print_coloured(&cli->print, PRINT_GREEN, "%s", "all is well");
            fputc('\n', cli->print.out);
        }
        return cli_check_output(cli, err);
    }
    struct buf line;
    buf_init(&line, 1 << 16);
    struct emit json = { .to = &line };
    emit_begin(&json, NULL, '{');
    emit_count(&json, "findings", it->findings);
    emit_count(&json, "segments", it->segments);
    emit_count(&json, "batches", it->batches);
    emit_count(&json, "records", it->records);
    emit_count(&json, "signatures", it->signatures);
    emit_count(&json, "index_rows", it->index_rows);
    emit_count(&json, "file_bytes", it->file_bytes);
    emit_count(&json, "valid_bytes", it->valid_bytes);
    emit_count(&json, "padding_bytes", it->padding_bytes);
    emit_count(&json, "damaged_bytes", it->damaged_bytes);
    emit_end(&json, '}');
    steme_status status = cli_print_line(cli, &line, err);
    buf_deinit(&line);
    return status;
}

steme_status verb_verify(struct cli *cli, struct steme_error *err)
{
    struct verification it = { .cli = cli };
    struct steme_verification found = { 0 };
    steme_status status = cli_open(cli, false, err);
    cli_progress(cli, "%s", "verify: reading the whole log");
    if (!status) status = steme_verify(cli->store, print_finding, &it, &found, err);
    cli_progress(cli, "%s", "");
    if (!status) status = print_verification(cli, &found, !it.log, err);
    if (!status && found.findings > 0) {
        if (it.log || it.index)
            cli_hint(cli, "%s%s%s",
                     it.log ? "damage to the log stays reported; `steme export` prints what can be read" : "",
                     it.log && it.index ? "; " : "", it.index ? "`steme rebuild` makes the index anew" : "");
        status = error_set(err, STEME_MISMATCH, "%" PRIu64 " finding%s", found.findings,
                           found.findings == 1 ? "" : "s");
    }
    return status;
}

/* ---- rebuild ---- */

steme_status verb_rebuild(struct cli *cli, struct steme_error *err)
{
    struct steme_info info;
    char digits[PRINT_COUNT_BYTES];
    int64_t began_us = steme_now_us();
    steme_status status = cli_open(cli, true, err);
    cli_progress(cli, "%s", "rebuild: making the index anew");
    if (!status) status = steme_rebuild(cli->store, err);
    if (!status) status = steme_info(cli->store, &info, err);
    cli_progress(cli, "%s", "");
    if (status) return status;
    double seconds = (double)(steme_now_us() - began_us) / 1e6;
    if (cli->json)
        fprintf(cli->print.out, "{\"records\":%" PRIu64 ",\"seconds\":%.3f}\n", info.indexed_sequence, seconds);
    else
        fprintf(cli->print.out, "made the index anew from %s records in %.1f s\n",
                print_count(info.indexed_sequence, digits), seconds);
    return cli_check_output(cli, err);
}
