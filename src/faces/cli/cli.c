/* SPDX-License-Identifier: Apache-2.0 */
#include "faces/cli/cli.h"
#include "base/check.h"
#include "base/slice.h"
#include "base/text.h"
#include "faces/cli/object.h"
#include "faces/cli/scalar.h"
#include "faces/cli/unknown.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    KEYS_MAX = 4096,      /* names remembered; more have only digits */
    CATCH_UP_MS = 600000, /* an index that has to be made anew may take this long */
    PROGRESS_EVERY_US = 200000,
    ABBREVIATION_MIN = 4
};

const struct option_spec cli_common_options[] = {
    { "dir", "DIR", "the store's directory; else $STEME_DIR, else .steme here or in a parent", false },
    { "json", NULL, "print JSON, one document a line; errors too", false },
    { "table", NULL, "align tables even when the output is no terminal", false },
    { "help", NULL, "show this help", false },
    { 0 },
};

const struct option_spec cli_signer_options[] = {
    { "as", "KEY", "name of the key that signs; else the one named default, or the only one", false },
    { 0 },
};

const struct option_spec cli_moment_options[] = {
    { "as-of", "SEQ|TIME", "look at the store as it was: @SEQ, seq:SEQ or a number that is no year; else a time",
      false },
    { "valid-at", "TIME", "only what is stated to be valid at this time in the world, or now", false },
    { "ballot-age", "TIME", "votes cast longer before that moment, such as 90d, do not count", false },
    { 0 },
};

static const char lens_help[] = "how to judge, see `steme lens list`; else consensus";

const struct option_spec cli_one_lens[] = {
    { "lens", "LENS", lens_help, false },
    { 0 },
};

const struct option_spec cli_many_lenses[] = {
    { "lens", "LENS", lens_help, true },
    { 0 },
};

const struct option_spec cli_lens_options[] = {
    { "half-life", "TIME", "recency: a claim's weight halves with this age, such as 30d", false },
    { "root", "KEY|HEX", "authority: a key to trust by decree; may be repeated; else the store's own keys", true },
    { "damping", "SHARE", "authority: what an agent hands on of its weight, above 0 and below 1; else 0.85", false },
    { "prior", "WEIGHT", "what \"none of these\" weighs, in voices; else 0.5", false },
    { "method", "METHOD", "reliability: auto (else), one-coin, confusion or accuracy", false },
    { "copying", NULL, "reliability: look for voices that copy one another, and discount them", false },
    { "uncalibrated", NULL, "reliability: leave probabilities as they come out of learning", false },
    { 0 },
};

void cli_hint(struct cli *cli, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(cli->hint, sizeof cli->hint, format, args);
    va_end(args);
}

void cli_note(struct cli *cli, const char *format, ...)
{
    char text[STEME_ERROR_MESSAGE_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    struct buf line;
    buf_init(&line, 16 * sizeof text);
    if (cli->json) {
        struct emit json = { .to = &line };
        emit_begin(&json, NULL, '{');
        emit_word(&json, "note", text);
        emit_end(&json, '}');
    } else {
        buf_append_text(&line, cli->progress ? "\r\033[Ksteme: note: " : "steme: note: ");
        print_append_clean(&line, slice_text(text), SIZE_MAX);
    }
    buf_append_text(&line, "\n");
    if (line.size) fwrite(line.data, 1, line.size, stderr);
    buf_deinit(&line);
}

const char *cli_option(const struct cli *cli, const char *name) { return options_value(&cli->options, name); }

bool cli_has(const struct cli *cli, const char *name) { return options_has(&cli->options, name); }

const char *cli_argument(const struct cli *cli, size_t index)
{
    return index < cli->options.argument_count ? cli->options.arguments[index] : NULL;
}

const char *cli_short_id(const struct steme_hash *id, char out[SHORT_ID_BYTES])
{
    text_hex(id->bytes, (SHORT_ID_BYTES - 1) / 2, out);
    return out;
}

/* ---- the store ---- */

void cli_close(struct cli *cli)
{
    steme_snapshot_close(&cli->snapshot);
    steme_signer_free(&cli->signer);
    steme_close(&cli->store);
}

bool cli_named_dir(const struct cli *cli, const char **out)
{
    const char *dir = cli_option(cli, "dir");
    if (!dir) dir = getenv("STEME_DIR");
    if (!dir || dir[0] == '\0') return false;
    *out = dir;
    return true;
}

static void hear_notice(void *context, const char *line) { cli_note(context, "%s", line); }

static bool is_there(const char *dir, const char *name)
{
    char path[sizeof((struct cli *)NULL)->dir + 16];
    int size = snprintf(path, sizeof path, "%s/%s", dir, name);
    return size > 0 && (size_t)size < sizeof path && access(path, F_OK) == 0;
}

bool cli_hint_lost_part(struct cli *cli, const char *dir)
{
    bool identity = is_there(dir, "store"), log = is_there(dir, "wal");
    if (identity == log) return false;
    cli_hint(cli, "%.300s is a store that lacks %s: put it back from a copy; nothing was changed", dir,
             identity ? "its log, wal/" : "the file 'store', which says which store it is");
    return true;
}

/* Of no store found, the one that ought to be here may have lost a part. */
static void hint_at_opening(struct cli *cli, steme_status status)
{
    if (status == STEME_NOT_FOUND && cli_hint_lost_part(cli, cli->dir[0] ? cli->dir : CLI_STORE_DIR)) return;
    if (status == STEME_NOT_FOUND) cli_hint(cli, "`steme init` makes a store here; --dir names one elsewhere");
    if (status == STEME_LOCKED) cli_hint(cli, "one process at a time writes; reading verbs work meanwhile");
    if (status == STEME_NEWER) cli_hint(cli, "update steme; nothing was changed");
}

steme_status cli_open(struct cli *cli, bool for_writing, struct steme_error *err)
{
    const char *dir;
    steme_status status = STEME_OK;
    if (cli_named_dir(cli, &dir)) {
        if (strlen(dir) >= sizeof cli->dir) return error_set(err, STEME_BAD_INPUT, "the store's path is too long");
        memcpy(cli->dir, dir, strlen(dir) + 1);
    } else {
        status = steme_find(NULL, cli->dir, sizeof cli->dir, err);
        if (status) cli->dir[0] = '\0';
    }
    struct steme_open_options options = { .read_only = !for_writing, .notice = hear_notice, .notice_context = cli };
    if (!status) status = steme_open(cli->dir, &options, &cli->store, err);
    if (status) hint_at_opening(cli, status);
    cli->writes = for_writing;
    return status;
}

static steme_status read_moment(const struct cli *cli, struct steme_moment *out, struct steme_error *err)
{
    *out = steme_moment_now();
    const char *as_of = cli_option(cli, "as-of");
    const char *valid_at = cli_option(cli, "valid-at");
    const char *ballot_age = cli_option(cli, "ballot-age");
    steme_status status = STEME_OK;
    if (as_of) status = scalar_parse_as_of(as_of, cli->now_us, out, err);
    if (!status && valid_at)
        status = scalar_parse_time(slice_text(valid_at), "valid-at", cli->now_us, &out->valid_at_us, err);
    if (!status && ballot_age) status = scalar_parse_duration(ballot_age, "ballot-age", &out->ballot_age_us, err);
    return status;
}

steme_status cli_snapshot(struct cli *cli, struct steme_error *err)
{
    struct steme_moment moment = steme_moment_now();
    struct steme_info info;
    steme_status status = STEME_OK;
    if (cli->snapshot) return STEME_OK;
    for (size_t i = 0; i < countof(cli->verb->options) && cli->verb->options[i]; i++)
        if (cli->verb->options[i] == cli_moment_options) status = read_moment(cli, &moment, err);
    if (!status && !cli->store) status = cli_open(cli, false, err);
    /* A reader's index was brought as far as it gets by opening; a writer's is still on its way. */
    if (!status && cli->writes) status = steme_info(cli->store, &info, err);
    if (!status && cli->writes) status = steme_wait(cli->store, info.last_sequence, CATCH_UP_MS, err);
    if (!status) status = steme_snapshot_open(cli->store, &moment, &cli->snapshot, err);
    return status;
}

/* ---- keys ---- */

static steme_status collect_key(void *context, const char *name, const struct steme_key *key)
{
    struct cli *cli = context;
    struct steme_slice copy = arena_copy(&cli->arena, slice_text(name));
    if (!copy.data || cli->key_count == KEYS_MAX) return STEME_NO_MEMORY;
    cli->keys[cli->key_count++] = (struct key_name){ .name = (const char *)copy.data, .key = *key };
    return STEME_OK;
}

steme_status cli_load_keys(struct cli *cli, struct steme_error *err)
{
    if (cli->keys_loaded || !cli->store) return STEME_OK;
    cli->keys_loaded = true;
    cli->keys = arena_calloc(&cli->arena, KEYS_MAX, sizeof *cli->keys);
    if (!cli->keys) return arena_full(&cli->arena, err);
    return steme_signer_each(cli->store, collect_key, cli, err);
}

/* For names only: a key without one is shown by its digits. */
static void load_names(struct cli *cli)
{
    struct steme_error ignored;
    steme_status status = cli_load_keys(cli, &ignored);
    (void)status; /* what was read is there */
}

const char *cli_key_name(struct cli *cli, const struct steme_key *key)
{
    load_names(cli);
    for (size_t i = 0; i < cli->key_count; i++)
        if (memcmp(&cli->keys[i].key, key, sizeof *key) == 0) return cli->keys[i].name;
    char *digits = arena_alloc(&cli->arena, SHORT_ID_BYTES);
    if (!digits) return "?";
    text_hex(key->bytes, (SHORT_ID_BYTES - 1) / 2, digits);
    return digits;
}

static steme_status report_no_key(struct cli *cli, const char *name, struct steme_error *err)
{
    load_names(cli);
    const char **names = arena_calloc(&cli->arena, cli->key_count, sizeof *names);
    if (!names) return arena_full(&cli->arena, err);
    for (size_t i = 0; i < cli->key_count; i++)
        names[i] = cli->keys[i].name;
    cli_hint(cli, "`steme key list` shows the keys, `steme key new NAME` makes one");
    return unknown_word(err, STEME_NOT_FOUND, "key", name, names, cli->key_count);
}

steme_status cli_signer(struct cli *cli, struct steme_error *err)
{
    const char *name = cli_option(cli, "as");
    if (cli->signer) return STEME_OK;
    steme_status status = steme_signer_load(cli->store, name, &cli->signer, err);
    if (status != STEME_NOT_FOUND) return status;
    if (name) return report_no_key(cli, name, err);
    cli_hint(cli, "`steme key new default` makes a key; --as KEY chooses among several");
    return status;
}

steme_status cli_find_key(struct cli *cli, const char *text, struct steme_key *out, struct steme_error *err)
{
    load_names(cli);
    for (size_t i = 0; i < cli->key_count; i++) {
        if (strcmp(cli->keys[i].name, text) != 0) continue;
        *out = cli->keys[i].key;
        return STEME_OK;
    }
    if (strlen(text) != 2 * sizeof out->bytes) return report_no_key(cli, text, err);
    return text_parse_hex(slice_text(text), "a public key", out->bytes, sizeof out->bytes, err);
}

/* ---- names of things ---- */

steme_status cli_find_id(struct cli *cli, const char *text, struct steme_hash *out, struct steme_error *err)
{
    size_t size = strlen(text);
    if (size < ABBREVIATION_MIN || size > 64 || strspn(text, "0123456789abcdefABCDEF") != size) {
        cli_hint(cli, "`steme log` shows the ids of records");
        return error_set(err, STEME_BAD_INPUT, "'%.80s' is no id: 4 to 64 hex digits", text);
    }
    if (size == 64) return steme_parse_hash(slice_text(text), out, err);
    steme_status status = cli_snapshot(cli, err);
    return status ? status : steme_find_id(cli->snapshot, text, out, err);
}

/* The epochs whose name or beginning of id is text; *match gets the last. */
static size_t count_epochs(const struct steme_entry *epochs, size_t count, struct steme_slice text, bool by_name,
                           const struct steme_entry **match, struct buf *list)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        char hex[STEME_PRINT_BYTES];
        char short_id[SHORT_ID_BYTES];
        steme_print_hash(&epochs[i].id, hex);
        bool matches = by_name ? slice_equal(epochs[i].record.as.epoch.name, text)
                               : text.size >= ABBREVIATION_MIN && slice_starts(slice_text(hex), text);
        if (!matches) continue;
        *match = &epochs[i];
        if (found++ < 8) buf_printf(list, "%s%s", found > 1 ? ", " : "", cli_short_id(&epochs[i].id, short_id));
    }
    return found;
}

static steme_status report_no_epoch(struct cli *cli, const struct steme_entry *epochs, size_t count,
                                    struct steme_slice text, struct steme_error *err)
{
    const char **names = arena_calloc(&cli->arena, count, sizeof *names);
    struct steme_slice word = arena_copy(&cli->arena, text);
    if (!names || !word.data) return arena_full(&cli->arena, err);
    for (size_t i = 0; i < count; i++) {
        struct steme_slice name = arena_copy(&cli->arena, epochs[i].record.as.epoch.name);
        if (!name.data) return arena_full(&cli->arena, err);
        names[i] = (const char *)name.data;
    }
    cli_hint(cli, "`steme epoch list` shows the epochs, `steme epoch new NAME` declares one");
    return unknown_word(err, STEME_NOT_FOUND, "epoch", (const char *)word.data, names, count);
}

steme_status cli_find_epoch(struct cli *cli, struct steme_slice text, struct steme_hash *out, struct steme_error *err)
{
    const struct steme_entry *epochs, *match = NULL;
    size_t count;
    struct buf list;
    buf_init(&list, STEME_ERROR_MESSAGE_BYTES);
    struct steme_error ignored;
    if (text.size == 64 && steme_parse_hash(text, out, &ignored) == STEME_OK) return STEME_OK;
    steme_status status = cli_snapshot(cli, err);
    if (!status) status = steme_epochs(cli->snapshot, &epochs, &count, err);
    if (status) goto done;
    size_t found = count_epochs(epochs, count, text, true, &match, &list);
    if (found == 0) found = count_epochs(epochs, count, text, false, &match, &list);
    if (found == 0) {
        status = report_no_epoch(cli, epochs, count, text, err);
    } else if (found > 1) {
        status = error_set(err, STEME_BAD_INPUT, "%zu epochs are called '%.*s'; give the id of one: %.*s", found,
                           text.size > 64 ? 64 : (int)text.size, (const char *)text.data,
                           SLICE_PRINT(buf_slice(&list)));
    } else {
        *out = match->id;
    }
done:
    buf_deinit(&list);
    return status;
}

steme_status cli_check_lens(const char *name, struct steme_error *err)
{
    enum { LENSES_MAX = 32 };
    const char *names[LENSES_MAX];
    size_t count;
    const struct steme_lens_info *lenses = steme_lens_list(&count);
    if (count > LENSES_MAX) count = LENSES_MAX;
    for (size_t i = 0; i < count; i++) {
        names[i] = lenses[i].name;
        if (strcmp(name, lenses[i].name) == 0) return STEME_OK;
    }
    return unknown_word(err, STEME_BAD_INPUT, "lens", name, names, count);
}

/* Each setting and the parameter of lenses it is; a lens without that would pass over it in silence. */
static const struct {
    const char *option;
    enum steme_lens_parameter parameter;
} lens_settings[] = {
    { "half-life", STEME_LENS_HALF_LIFE },
    { "root", STEME_LENS_ROOTS },
    { "damping", STEME_LENS_DAMPING },
    { "prior", STEME_LENS_PRIOR },
    { "method", STEME_LENS_METHOD },
    { "copying", STEME_LENS_COPYING },
    { "uncalibrated", STEME_LENS_UNCALIBRATED },
};

/* The first lens that takes the parameter, of this name (NULL: of any). */
static const struct steme_lens_info *find_taker(const char *name, enum steme_lens_parameter parameter)
{
    size_t count = 0;
    const struct steme_lens_info *lenses = steme_lens_list(&count);
    for (size_t i = 0; i < count; i++)
        if ((lenses[i].parameters & parameter) && (!name || strcmp(lenses[i].name, name) == 0)) return &lenses[i];
    return NULL;
}

/* Each setting belongs to one of the lenses named; where none is, to the absent one, or NULL for all there are. */
static steme_status check_settings(const struct cli *cli, const char *absent, struct steme_error *err)
{
    size_t count = options_count(&cli->options, "lens");
    if (count == 0 && !absent) return STEME_OK;
    for (size_t setting = 0; setting < countof(lens_settings); setting++) {
        const char *option = lens_settings[setting].option;
        enum steme_lens_parameter parameter = lens_settings[setting].parameter;
        bool taken = !cli_has(cli, option) || (count == 0 && find_taker(absent, parameter));
        for (size_t i = 0; i < count && !taken; i++)
            taken = find_taker(options_nth(&cli->options, "lens", i), parameter) != NULL;
        if (!taken)
            return error_set(err, STEME_BAD_INPUT, "--%s is no setting of the lens %.40s; it goes with --lens %s",
                             option, count ? options_nth(&cli->options, "lens", 0) : absent,
                             find_taker(NULL, parameter)->name);
    }
    return STEME_OK;
}

static steme_status read_damping(const struct cli *cli, double *out, struct steme_error *err)
{
    const char *word = cli_option(cli, "damping");
    struct steme_decimal number;
    if (!word) return STEME_OK;
    steme_status status = steme_parse_decimal(slice_text(word), &number, err);
    if (status) return error_wrap(err, status, "--damping");
    *out = steme_decimal_double(number);
    if (*out > 0 && *out < 1) return STEME_OK;
    return error_set(err, STEME_BAD_INPUT, "--damping is a share above 0 and below 1, not '%.40s'", word);
}

static steme_status read_method(const struct cli *cli, enum steme_method *out, struct steme_error *err)
{
    const char *names[STEME_METHOD_ACCURACY + 1], *word = cli_option(cli, "method");
    for (size_t i = 0; i < countof(names); i++) {
        names[i] = steme_method_name((enum steme_method)i);
        if (!word || strcmp(word, names[i]) != 0) continue;
        *out = (enum steme_method)i;
        return STEME_OK;
    }
    return word ? unknown_word(err, STEME_BAD_INPUT, "method", word, names, countof(names)) : STEME_OK;
}

/* A weight above 0, written as a decimal number. */
static steme_status read_prior(const struct cli *cli, double *out, struct steme_error *err)
{
    const char *word = cli_option(cli, "prior");
    struct steme_decimal number;
    if (!word) return STEME_OK;
    steme_status status = steme_parse_decimal(slice_text(word), &number, err);
    if (status) return error_wrap(err, status, "--prior");
    *out = steme_decimal_double(number);
    if (*out > 0) return STEME_OK;
    return error_set(err, STEME_BAD_INPUT, "--prior is a weight above 0, not '%.40s'", word);
}

steme_status cli_lens(struct cli *cli, const char *absent, struct steme_lens *out, struct steme_error *err)
{
    struct steme_lens lens = { .name = cli_option(cli, "lens"),
                               .copying = cli_has(cli, "copying"),
                               .uncalibrated = cli_has(cli, "uncalibrated") };
    const char *half_life = cli_option(cli, "half-life");
    size_t root_count = options_count(&cli->options, "root");
    struct steme_key *roots = arena_calloc(&cli->arena, root_count, sizeof *roots);
    if (!roots) return arena_full(&cli->arena, err);
    steme_status status = lens.name ? cli_check_lens(lens.name, err) : STEME_OK;
    if (!status) status = check_settings(cli, absent, err);
    if (!status && half_life) status = scalar_parse_duration(half_life, "half-life", &lens.half_life_us, err);
    if (!status) status = read_damping(cli, &lens.damping, err);
    if (!status) status = read_prior(cli, &lens.prior, err);
    if (!status) status = read_method(cli, &lens.method, err);
    if (!status && root_count > 0 && !cli->store) status = cli_open(cli, false, err);
    for (size_t i = 0; i < root_count && !status; i++)
        status = cli_find_key(cli, options_nth(&cli->options, "root", i), &roots[i], err);
    lens.roots = roots;
    lens.root_count = root_count;
    if (!status) *out = lens;
    return status;
}

steme_status cli_qualifiers(struct cli *cli, const char *option, bool key, struct steme_qualifier *out,
                            struct steme_error *err)
{
    size_t count = options_count(&cli->options, option);
    for (size_t i = 0; i < count; i++) {
        const char *text = options_nth(&cli->options, option, i);
        const char *equals = strchr(text, '=');
        if (!equals || equals == text || equals[1] == '\0')
            return error_set(err, STEME_BAD_INPUT, "--%s takes NAME=VALUE, not '%.64s'", option, text);
        out[i] = (struct steme_qualifier){ slice_of(text, (size_t)(equals - text)), slice_text(equals + 1), key };
    }
    return STEME_OK;
}

/* ---- output ---- */

steme_status cli_check_output(struct cli *cli, struct steme_error *err)
{
    if (!ferror(cli->print.out)) return STEME_OK;
    int os_errno = errno ? errno : EIO;
    return error_set_os(err, os_errno == ENOSPC ? STEME_NO_SPACE : STEME_IO, os_errno, "can't write the output");
}

steme_status cli_check_left_out(struct cli *cli, uint64_t count, struct steme_error *err)
{
    if (count == 0) return STEME_OK;
    cli_hint(cli, "all that can be read was printed; `steme verify` says what is wrong");
    return error_set(err, STEME_CORRUPT, "%" PRIu64 " record%s left out: damaged, or of a kind that can't be read here",
                     count, count == 1 ? " is" : "s are");
}

steme_status cli_print_line(struct cli *cli, struct buf *line, struct steme_error *err)
{
    buf_append_text(line, "\n");
    steme_status status = buf_check(line, err);
    if (!status) {
        fwrite(line->data, 1, line->size, cli->print.out);
        status = cli_check_output(cli, err);
    }
    buf_clear(line);
    return status;
}

steme_status cli_print_receipt(struct cli *cli, const struct steme_receipt *receipt, struct steme_error *err)
{
    char hex[STEME_PRINT_BYTES];
    steme_print_hash(&receipt->id, hex);
    if (!cli->json) {
        print_coloured(&cli->print, PRINT_YELLOW, "%s", hex);
        fputc('\n', cli->print.out);
        if (receipt->duplicate)
            cli_note(cli, "it was there already, as number %llu", (unsigned long long)receipt->sequence);
        return cli_check_output(cli, err);
    }
    struct buf line;
    buf_init(&line, 4096);
    struct emit json = { .to = &line };
    emit_begin(&json, NULL, '{');
    emit_word(&json, "id", hex);
    emit_count(&json, "sequence", receipt->sequence);
    emit_bool(&json, "duplicate", receipt->duplicate);
    emit_end(&json, '}');
    steme_status status = cli_print_line(cli, &line, err);
    buf_deinit(&line);
    return status;
}

void cli_progress(struct cli *cli, const char *format, ...)
{
    if (!cli->progress) return;
    char text[160];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    bool erase = text[0] == '\0';
    int64_t now_us = steme_now_us();
    if (erase ? !cli->progress_on_screen : now_us - cli->progress_at_us < PROGRESS_EVERY_US) return;
    fprintf(stderr, "\r\033[K%s", text);
    fflush(stderr);
    cli->progress_on_screen = !erase;
    cli->progress_at_us = now_us;
}
