/* SPDX-License-Identifier: Apache-2.0 */
#include "base/check.h"
#include "base/slice.h"
#include "faces/cli/input_tsv.h"
#include "faces/cli/intake.h"
#include "faces/cli/lines.h"
#include "faces/cli/scalar.h"
#include "faces/cli/unknown.h"
#include "faces/cli/verbs.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

enum {
    NDJSON_LINE_MAX_BYTES = 1 << 26, /* a bundle of STEME_BATCH_BYTES_MAX written out in JSON */
    EPOCHS_REMEMBERED = 256
};

const struct option_spec import_options[] = {
    { "format", "FORMAT", "ndjson or tsv; else by the file's name, else by its first character", false },
    { "asserted-at", "TIME", "of rows that state no time; else now", false },
    { "bundle", "N", "assertions signed together, 1 to 1000; else 1000", false },
    { "dry-run", NULL, "check every line, write nothing to the store (signatures are checked when written)", false },
    { "rejects", "FILE", "write the number of each rejected line and the reason there; replaced if there are any",
      false },
    { "verbose", NULL, "list all rejected lines, not the first 20", false },
    { "ids", NULL, "print the id of each record once it is durable", false },
    { 0 },
};

struct import {
    struct cli *cli;
    struct intake intake;
    struct lines lines;
    bool tsv;
    bool votes; /* nothing else goes in */
    struct tsv_header header;
    struct tsv_context context;
    struct {
        struct steme_slice name;
        struct steme_hash id;
    } epochs[EPOCHS_REMEMBERED]; /* found so far */
    size_t epoch_count;
    int64_t began_us;
};

/* A file of a thousand rows names the same few epochs. The snapshot is closed at once: one that is held keeps the index
 * from reusing its pages while it grows. */
static steme_status find_epoch(void *context, struct steme_slice name, struct steme_hash *out, struct steme_error *err)
{
    struct import *import = context;
    struct cli *cli = import->cli;
    for (size_t i = 0; i < import->epoch_count; i++) {
        if (!slice_equal(import->epochs[i].name, name)) continue;
        *out = import->epochs[i].id;
        return STEME_OK;
    }
    steme_status status = cli_find_epoch(cli, name, out, err);
    steme_snapshot_close(&cli->snapshot);
    cli->hint[0] = '\0';
    if (status || import->epoch_count == EPOCHS_REMEMBERED) return status;
    struct steme_slice copy = arena_copy(&cli->arena, name);
    if (!copy.data) return arena_full(&cli->arena, err);
    import->epochs[import->epoch_count].name = copy;
    import->epochs[import->epoch_count++].id = *out;
    return STEME_OK;
}

static bool ends_in(const char *name, const char *ending)
{
    size_t size = strlen(name), ending_size = strlen(ending);
    return size > ending_size && strcmp(name + size - ending_size, ending) == 0;
}

static steme_status choose_format(struct import *import, const char *name, struct steme_error *err)
{
    static const char *const formats[] = { "ndjson", "tsv" };
    const char *format = cli_option(import->cli, "format");
    uint8_t first = lines_peek(&import->lines);
    if (format) {
        import->tsv = strcmp(format, "tsv") == 0;
        if (import->tsv || strcmp(format, "ndjson") == 0) return STEME_OK;
        return unknown_word(err, STEME_BAD_INPUT, "format", format, formats, countof(formats));
    }
    if (ends_in(name, ".tsv") || ends_in(name, ".tab"))
        import->tsv = true;
    else if (ends_in(name, ".ndjson") || ends_in(name, ".jsonl") || ends_in(name, ".json"))
        import->tsv = false;
    else
        import->tsv = first != '{' && (first != 0 || import->votes); /* nothing: the export of an empty store */
    return STEME_OK;
}

static steme_status open_input(struct import *import, const char *name, struct steme_error *err)
{
    /* Which bound holds is known only after a look at the first bytes, so the larger one reads them. */
    steme_status status = strcmp(name, "-") == 0 ? lines_init(&import->lines, STDIN_FILENO, NDJSON_LINE_MAX_BYTES, err)
                                                 : lines_open(&import->lines, name, NDJSON_LINE_MAX_BYTES, err);
    if (!status) status = choose_format(import, name, err);
    if (!status && import->tsv) import->lines.max_bytes = TSV_LINE_MAX_BYTES;
    return status;
}

/* What failed first is told. */
static steme_status close_rejects(struct import *import, steme_status status, struct steme_error *err)
{
    steme_status closed = rejects_close(&import->intake.rejects, status ? NULL : err);
    return status ? status : closed;
}

static steme_status read_header(struct import *import, struct steme_error *err)
{
    bool more;
    steme_status status = lines_next(&import->lines, &more, err);
    if (status || !import->tsv) return status;
    if (!more) return error_set(err, STEME_BAD_INPUT, "the input is empty: a TSV file begins with a header");
    if (import->lines.too_long)
        return error_set(err, STEME_BAD_INPUT, "the header is longer than %d bytes", (int)TSV_LINE_MAX_BYTES);
    return import->votes ? tsv_header_parse_votes(import->lines.text, &import->header, err)
                         : tsv_header_parse(import->lines.text, &import->header, err);
}

/* What a line says; either member as the format has it. */
struct parsed {
    struct steme_assertion assertion;
    struct steme_vote vote;
    struct wire_record record;
};

/* What a vote is on may be looked up; the snapshot for it is held no longer than the votes wait, see above. */
static steme_status parse_vote(struct import *import, const struct tsv_row *row, struct arena *arena,
                               struct steme_vote *out, struct steme_error *err)
{
    struct cli *cli = import->cli;
    struct ballot_text target;
    if (import->intake.vote_count == 0) steme_snapshot_close(&cli->snapshot);
    steme_status status = tsv_row_vote(row, &import->context, arena, out, &target, err);
    if (!status) status = ballot_find_target(cli, &target, &out->target, err);
    if (cli->snapshot) steme_snapshot_clear(cli->snapshot);
    cli->hint[0] = '\0';
    return status;
}

static steme_status parse_line(struct import *import, struct arena *arena, struct parsed *out, struct steme_error *err)
{
    struct tsv_row row;
    steme_status status;
    if (!import->tsv) {
        status = wire_read(import->lines.text, import->context.asserted_at_us, arena, &out->record, err);
        if (!status && import->votes && out->record.record.type != STEME_VOTE)
            return error_set(err, STEME_BAD_INPUT, "it is no vote; `steme import` takes records of every type");
        return status && !import->lines.has_end ? error_wrap(err, status, "the last line is cut off") : status;
    }
    struct steme_slice text = arena_copy(arena, import->lines.text); /* it waits longer than the line stays */
    if (!text.data) return arena_full(arena, err);
    status = tsv_row_split(&import->header, text, &row, err);
    if (!status && import->votes) return parse_vote(import, &row, arena, &out->vote, err);
    return status ? status : tsv_row_assertion(&import->header, &row, &import->context, arena, &out->assertion, err);
}

/* A line that can't be understood is rejected; a failure to write is a failure. */
static steme_status take_line(struct import *import, struct steme_error *err)
{
    struct intake *intake = &import->intake;
    uint64_t number = import->lines.number;
    struct arena *arena;
    struct parsed parsed;
    steme_status status = intake_begin_line(intake, &arena, err);
    if (status) return status;
    if (import->lines.too_long) {
        char reason[80];
        snprintf(reason, sizeof reason, "the line is longer than %zu bytes", import->lines.max_bytes);
        intake_reject(intake, number, reason);
        return STEME_OK;
    }
    if (import->lines.text.size == 0) return STEME_OK; /* an empty line says nothing */
    status = parse_line(import, arena, &parsed, err);
    if (status && intake_is_about_line(status)) {
        intake_reject(intake, number, err->message);
        return STEME_OK;
    }
    if (status) return status;
    if (import->tsv && import->votes) return intake_vote(intake, &parsed.vote, number, import->lines.text.size, err);
    if (import->tsv) return intake_assertion(intake, &parsed.assertion, number, import->lines.text.size, err);
    return intake_record(intake, &parsed.record, number, import->lines.text.size, err);
}

static steme_status take_lines(struct import *import, struct steme_error *err)
{
    bool more = true;
    steme_status status = read_header(import, err);
    if (!import->tsv) { /* the first line is a record like the others */
        more = import->lines.number > 0;
        if (!status && more) status = take_line(import, err);
    }
    while (!status && more) {
        status = lines_next(&import->lines, &more, err);
        if (!status && more) status = take_line(import, err);
        if (import->lines.number % 256 == 0)
            cli_progress(import->cli, "import: %" PRIu64 " lines, %" PRIu64 " written", import->lines.number,
                         import->intake.written);
    }
    return status ? status : intake_flush(&import->intake, err);
}

static steme_status print_summary(struct import *import, struct steme_error *err)
{
    struct cli *cli = import->cli;
    const struct intake *it = &import->intake;
    double seconds = (double)(steme_now_us() - import->began_us) / 1e6;
    char count[3][PRINT_COUNT_BYTES];
    cli_progress(cli, "%s", "");
    if (cli->json) {
        fprintf(cli->print.out,
                "{\"written\":%" PRIu64 ",\"duplicates\":%" PRIu64 ",\"rejected\":%" PRIu64
                ",\"dry_run\":%s,\"seconds\":%.3f}\n",
                it->written, it->duplicates, it->rejected, it->dry_run ? "true" : "false", seconds);
        return cli_check_output(cli, err);
    }
    FILE *out = it->print_ids ? stderr : cli->print.out;
    fprintf(out, "%s%s %s%s", it->dry_run ? "checked " : "", print_count(it->written, count[0]),
            import->votes ? "vote" : "record", it->written == 1 ? "" : "s");
    if (!it->dry_run) fputs(" written", out);
    if (it->duplicates > 0) fprintf(out, ", %s there already", print_count(it->duplicates, count[1]));
    if (it->rejected > 0)
        fprintf(out, ", %s line%s rejected", print_count(it->rejected, count[2]), it->rejected == 1 ? "" : "s");
    fprintf(out, " in %.1f s\n", seconds);
    return cli_check_output(cli, err);
}

static steme_status read_import_options(struct import *import, struct steme_error *err)
{
    struct cli *cli = import->cli;
    const char *asserted_at = import->votes ? NULL : cli_option(cli, "asserted-at");
    const char *bundle = import->votes ? NULL : cli_option(cli, "bundle");
    uint64_t bundle_max = INTAKE_BUNDLE_MAX;
    int64_t asserted_at_us = cli->now_us;
    steme_status status = STEME_OK;
    if (asserted_at)
        status = scalar_parse_time(slice_text(asserted_at), "asserted-at", cli->now_us, &asserted_at_us, err);
    if (!status && bundle) status = scalar_parse_count(bundle, "bundle", INTAKE_BUNDLE_MAX, &bundle_max, err);
    if (!status && bundle_max == 0) status = error_set(err, STEME_BAD_INPUT, "a bundle has at least one assertion");
    import->context = (struct tsv_context){ cli->now_us, asserted_at_us, find_epoch, import };
    import->intake.dry_run = cli_has(cli, "dry-run");
    import->intake.verbose = cli_has(cli, "verbose");
    import->intake.print_ids = cli_has(cli, "ids");
    import->intake.bundle_max = (size_t)bundle_max;
    return status;
}

/* A dry run needs no lock, but the key, to tell its own drafts from others'. */
static steme_status open_store(struct import *import, struct steme_error *err)
{
    struct cli *cli = import->cli;
    steme_status status = cli_open(cli, !import->intake.dry_run, err);
    return status ? status : cli_signer(cli, err);
}

static steme_status run_import(struct cli *cli, const char *name, bool votes, struct steme_error *err)
{
    static struct import import; /* its tables are too large for the stack */
    import = (struct import){ .cli = cli, .votes = votes, .began_us = steme_now_us() };
    steme_status status = intake_init(&import.intake, cli, err);
    if (!status) status = read_import_options(&import, err);
    if (!status) status = open_input(&import, name, err);
    if (!status)
        status = rejects_init(&import.intake.rejects, cli_option(cli, "rejects"), import.lines.descriptor, err);
    if (!status) status = open_store(&import, err);
    if (!status) status = take_lines(&import, err);
    status = close_rejects(&import, status, err);
    if (!status) status = print_summary(&import, err);
    if (!status && import.intake.rejected > 0)
        status = error_set(err, STEME_FAILED, "%" PRIu64 " line%s rejected", import.intake.rejected,
                           import.intake.rejected == 1 ? " was" : "s were");
    if (status && import.intake.written > 0 && !import.intake.dry_run && import.intake.rejected == 0)
        cli_hint(cli, "%" PRIu64 " %s written before that, and %s", import.intake.written,
                 import.intake.written == 1 ? "record was" : "records were",
                 import.intake.written == 1 ? "stays" : "stay");
    intake_deinit(&import.intake);
    lines_deinit(&import.lines);
    return status;
}

steme_status verb_import(struct cli *cli, struct steme_error *err)
{
    return run_import(cli, cli_argument(cli, 0), false, err);
}

steme_status import_votes(struct cli *cli, const char *name, struct steme_error *err)
{
    if (cli->options.argument_count) return error_set(err, STEME_BAD_INPUT, "--batch takes no words beside its file");
    for (size_t i = 0; vote_options[i].name; i++) {
        static const char *const with_batch[] = { "batch", "format", "dry-run", "rejects", "verbose", "ids" };
        bool goes = false;
        for (size_t k = 0; k < countof(with_batch); k++)
            goes = goes || strcmp(vote_options[i].name, with_batch[k]) == 0;
        if (!goes && cli_has(cli, vote_options[i].name))
            return error_set(err, STEME_BAD_INPUT, "--%s does not go with --batch: each line says it for itself",
                             vote_options[i].name);
    }
    return run_import(cli, name, true, err);
}
