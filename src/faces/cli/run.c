/* SPDX-License-Identifier: Apache-2.0 */
/* From the command line to the exit code. */
#include "base/slice.h"
#include "faces/cli/cli.h"
#include "faces/cli/verbs.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    ARENA_MAX_BYTES = 1 << 28,
    EXIT_PIPE_CLOSED = 128 + SIGPIPE /* what a shell reports of a program that the signal ended */
};

static bool is_terminal(FILE *file)
{
    const char *term = getenv("TERM");
    return isatty(fileno(file)) && !(term && strcmp(term, "dumb") == 0);
}

static bool wants_colour(void)
{
    const char *no_colour = getenv("NO_COLOR"); /* https://no-color.org: set and not empty */
    return is_terminal(stdout) && !(no_colour && no_colour[0]);
}

/* Before the options are known: an error about them has to come as JSON, too. */
static bool asks_for_json(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--json") == 0) return true;
    return false;
}

static void report_plain(const struct cli *cli, const struct steme_error *err)
{
    struct buf text;
    buf_init(&text, 8 * sizeof err->message);
    buf_append_text(&text, cli->progress ? "\r\033[Ksteme: " : "steme: ");
    print_append_clean(&text, slice_text(err->message), SIZE_MAX);
    buf_append_text(&text, "\n");
    if (cli->hint[0]) {
        buf_append_text(&text, "hint: ");
        print_append_clean(&text, slice_text(cli->hint), SIZE_MAX);
        buf_append_text(&text, "\n");
    }
    fwrite(text.data, 1, text.size, stderr);
    buf_deinit(&text);
}

static void report_json(const struct cli *cli, steme_status status, const struct steme_error *err)
{
    struct buf text;
    buf_init(&text, 16 * sizeof err->message);
    struct emit json = { .to = &text };
    emit_begin(&json, NULL, '{');
    emit_begin(&json, "error", '{');
    emit_word(&json, "status", steme_status_name(status));
    emit_word(&json, "message", err->message);
    if (cli->hint[0]) emit_word(&json, "hint", cli->hint);
    emit_integer(&json, "exit", (int64_t)steme_status_class(status));
    emit_end(&json, '}');
    emit_end(&json, '}');
    buf_append_text(&text, "\n");
    fwrite(text.data, 1, text.size, stderr);
    buf_deinit(&text);
}

/* The words before the verb that are options: `steme --dir X status`. They are put behind it. */
static size_t count_leading_options(const char *const *words, size_t count)
{
    size_t at = 0;
    while (at < count && strncmp(words[at], "--", 2) == 0 && words[at][2]) {
        bool takes_value = strcmp(words[at], "--dir") == 0;
        at += takes_value && at + 1 < count ? 2 : 1;
    }
    return at;
}

static steme_status check_arguments(struct cli *cli, struct steme_error *err)
{
    const struct verb *verb = cli->verb;
    size_t count = cli->options.argument_count;
    if (count >= verb->arguments_min && count <= verb->arguments_max) return STEME_OK;
    if (count < verb->arguments_min)
        return error_set(err, STEME_BAD_INPUT, "an argument is missing: steme %s %s", verb->name, verb->arguments);
    return error_set(err, STEME_BAD_INPUT, "there are too many arguments, from '%.64s' on: steme %s %s",
                     cli->options.arguments[verb->arguments_max], verb->name, verb->arguments);
}

/* Find the verb and read its options; *words are all that was typed. */
static steme_status parse_line(struct cli *cli, const char *const *words, size_t count, struct steme_error *err)
{
    size_t used = 0;
    size_t leading = count_leading_options(words, count);
    cli_hint(cli, "`steme help` lists the verbs");
    steme_status status = verbs_find(words + leading, count - leading, &cli->verb, &used, err);
    if (status) return status;
    const char **rest = arena_calloc(&cli->arena, count, sizeof *rest);
    if (!rest) return arena_full(&cli->arena, err);
    size_t rest_count = 0;
    for (size_t i = 0; i < count; i++)
        if (i < leading || i >= leading + used) rest[rest_count++] = words[i];
    cli->options.tables[0] = cli_common_options;
    for (size_t i = 0; i + 1 < OPTION_TABLES_MAX; i++)
        cli->options.tables[i + 1] = cli->verb->options[i];
    cli_hint(cli, "`steme help %s` shows how it is used", cli->verb->name);
    status = options_parse(&cli->options, rest, rest_count, &cli->arena, err);
    if (!status && !cli_has(cli, "help")) status = check_arguments(cli, err);
    return status;
}

static steme_status run_line(struct cli *cli, const char *const *words, size_t count, struct steme_error *err)
{
    /* What git and others made a habit. */
    static const char *const help_words[] = { "help" };
    static const char *const version_words[] = { "version" };
    if (count == 0 || strcmp(words[0], "--help") == 0 || strcmp(words[0], "-h") == 0) {
        words = help_words;
        count = 1;
    } else if (strcmp(words[0], "--version") == 0 || strcmp(words[0], "-V") == 0) {
        words = version_words;
        count = 1;
    }
    steme_status status = parse_line(cli, words, count, err);
    if (status) return status;
    cli->hint[0] = '\0';
    cli->print.table = is_terminal(stdout) || cli_has(cli, "table");
    return cli_has(cli, "help") ? verb_help(cli, err) : cli->verb->run(cli, err);
}

/* Reading verbs may still have output in the buffer, and only flushing tells whether it arrived. */
static steme_status flush_output(struct cli *cli, steme_status status, struct steme_error *err)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout)) return status;
    return status ? status : cli_check_output(cli, err);
}

int cli_run(int argc, char **argv)
{
    struct steme_error err = { 0 };
    struct cli cli = {
        .print = { .out = stdout, .colour = wants_colour() },
        .json = asks_for_json(argc, argv),
        .now_us = steme_now_us(),
    };
    signal(SIGPIPE, SIG_IGN); /* a closed pipe is noticed by writing, so that the store is closed properly */
    cli.progress = !cli.json && is_terminal(stderr);
    arena_init(&cli.arena, ARENA_MAX_BYTES);
    size_t count = argc > 0 ? (size_t)argc - 1 : 0;
    steme_status status = run_line(&cli, (const char *const *)argv + 1, count, &err);
    status = flush_output(&cli, status, &err);
    cli_close(&cli);
    int exit_code = (int)steme_status_class(status);
    bool pipe_closed = status && err.os_errno == EPIPE;
    if (pipe_closed)
        exit_code = EXIT_PIPE_CLOSED;
    else if (status && cli.json)
        report_json(&cli, status, &err);
    else if (status)
        report_plain(&cli, &err);
    else
        cli_progress(&cli, "%s", "");
    arena_deinit(&cli.arena);
    return exit_code;
}
