/* SPDX-License-Identifier: Apache-2.0 */
/* help, version, and the shell completion: all from the table of verbs. */
#include "base/slice.h"
#include "faces/cli/object.h"
#include "faces/cli/unknown.h"
#include "faces/cli/verbs.h"

#include <stdio.h>
#include <string.h>

enum { OPTION_COLUMNS = 24 };

static void print_option(const struct cli *cli, const struct option_spec *spec)
{
    char left[64];
    snprintf(left, sizeof left, "--%s%s%s", spec->name, spec->value ? " " : "", spec->value ? spec->value : "");
    fputs("    ", cli->print.out);
    print_coloured(&cli->print, PRINT_CYAN, "%s", left);
    size_t width = strlen(left);
    if (width >= OPTION_COLUMNS)
        fprintf(cli->print.out, "\n    %*s", OPTION_COLUMNS, "");
    else
        fprintf(cli->print.out, "%*s", (int)(OPTION_COLUMNS - width), "");
    fprintf(cli->print.out, "%s\n", spec->help);
}

static void print_heading(const struct cli *cli, const char *text)
{
    fputc('\n', cli->print.out);
    print_coloured(&cli->print, PRINT_BOLD, "%s", text);
    fputc('\n', cli->print.out);
}

/* Lines, each set in by four columns. */
static void print_indented(const struct cli *cli, const char *text)
{
    while (*text) {
        size_t size = strcspn(text, "\n");
        fprintf(cli->print.out, "%s%.*s\n", size ? "    " : "", (int)size, text);
        text += size + (text[size] == '\n');
    }
}

static void print_verb(const struct cli *cli, const struct verb *verb)
{
    print_coloured(&cli->print, PRINT_BOLD, "steme %s", verb->name);
    fprintf(cli->print.out, ": %s\n\n    steme %s%s%s [options]\n", verb->summary, verb->name,
            verb->arguments[0] ? " " : "", verb->arguments);
    if (verb->details) {
        fputc('\n', cli->print.out);
        print_indented(cli, verb->details);
    }
    print_heading(cli, "Options");
    for (size_t t = 0; t < OPTION_TABLES_MAX - 1 && verb->options[t]; t++)
        for (const struct option_spec *spec = verb->options[t]; spec->name; spec++)
            print_option(cli, spec);
    for (const struct option_spec *spec = cli_common_options; spec->name; spec++)
        print_option(cli, spec);
    print_heading(cli, "Examples");
    print_indented(cli, verb->examples);
}

static void print_overview(const struct cli *cli)
{
    print_coloured(&cli->print, PRINT_BOLD, "steme");
    fprintf(cli->print.out, " %s: signed claims, kept for ever and judged when asked\n", steme_version());
    fprintf(cli->print.out, "\n    steme VERB [arguments] [options]\n    steme help VERB\n");
    const char *group = "";
    for (size_t i = 0; i < verb_count; i++) {
        if (!verbs[i].group) continue;
        if (strcmp(group, verbs[i].group) != 0) print_heading(cli, verbs[i].group);
        group = verbs[i].group;
        fputs("    ", cli->print.out);
        print_coloured(&cli->print, PRINT_CYAN, "%-12s", verbs[i].name);
        fprintf(cli->print.out, "  %s\n", verbs[i].summary);
    }
    fprintf(cli->print.out,
            "\nA store is a .steme directory here or in a parent; --dir or $STEME_DIR name another.\n"
            "Exit codes: 0 done, 1 failure, 2 usage, 3 not found, 4 conflict or failed verification,\n"
            "5 I/O failure or corrupt store, 6 locked by another process, 141 the reader of the output is gone.\n");
}

static void emit_options(struct emit *json, const struct option_spec *table)
{
    for (const struct option_spec *spec = table; spec->name; spec++) {
        emit_begin(json, NULL, '{');
        emit_word(json, "name", spec->name);
        if (spec->value) emit_word(json, "value", spec->value);
        emit_word(json, "help", spec->help);
        emit_end(json, '}');
    }
}

static steme_status print_verb_json(struct cli *cli, const struct verb *verb, struct steme_error *err)
{
    struct buf line;
    buf_init(&line, 1 << 16);
    struct emit json = { .to = &line };
    emit_begin(&json, NULL, '{');
    emit_word(&json, "verb", verb->name);
    emit_word(&json, "summary", verb->summary);
    emit_word(&json, "arguments", verb->arguments);
    if (verb->details) emit_word(&json, "details", verb->details);
    emit_begin(&json, "options", '[');
    for (size_t t = 0; t < OPTION_TABLES_MAX - 1 && verb->options[t]; t++)
        emit_options(&json, verb->options[t]);
    emit_options(&json, cli_common_options);
    emit_end(&json, ']');
    emit_word(&json, "examples", verb->examples);
    emit_end(&json, '}');
    steme_status status = cli_print_line(cli, &line, err);
    buf_deinit(&line);
    return status;
}

/* `help key` shows all that begin with "key". */
static size_t show_verbs(struct cli *cli, const char *const *words, size_t count, steme_status *status,
                         struct steme_error *err)
{
    size_t shown = 0;
    for (size_t i = 0; i < verb_count && !*status; i++) {
        const char *name = verbs[i].name;
        size_t first = strcspn(name, " ");
        bool matches = strlen(words[0]) == first && strncmp(words[0], name, first) == 0;
        if (matches && count > 1) matches = name[first] && strcmp(name + first + 1, words[1]) == 0;
        if (!matches) continue;
        if (cli->json) {
            *status = print_verb_json(cli, &verbs[i], err);
        } else {
            if (shown > 0) fputc('\n', cli->print.out);
            print_verb(cli, &verbs[i]);
        }
        shown++;
    }
    return shown;
}

steme_status verb_help(struct cli *cli, struct steme_error *err)
{
    steme_status status = STEME_OK;
    if (cli_has(cli, "help")) { /* VERB --help */
        if (cli->json) return print_verb_json(cli, cli->verb, err);
        print_verb(cli, cli->verb);
        return cli_check_output(cli, err);
    }
    if (cli->options.argument_count > 0) {
        const struct verb *ignored;
        size_t used;
        size_t shown = show_verbs(cli, cli->options.arguments, cli->options.argument_count, &status, err);
        if (!status && shown == 0)
            status = verbs_find(cli->options.arguments, cli->options.argument_count, &ignored, &used, err);
        return status ? status : cli_check_output(cli, err);
    }
    if (!cli->json) print_overview(cli);
    for (size_t i = 0; i < verb_count && cli->json && !status; i++)
        status = print_verb_json(cli, &verbs[i], err);
    return status ? status : cli_check_output(cli, err);
}

steme_status verb_version(struct cli *cli, struct steme_error *err)
{
    if (cli->json)
        fprintf(cli->print.out, "{\"version\":\"%s\"}\n", steme_version());
    else
        fprintf(cli->print.out, "steme %s\n", steme_version());
    return cli_check_output(cli, err);
}

/* ---- completion ---- */

static void print_option_words(FILE *out, const struct option_spec *const *tables, size_t count)
{
    for (size_t t = 0; t < count && tables[t]; t++)
        for (const struct option_spec *spec = tables[t]; spec->name; spec++)
            fprintf(out, " --%s", spec->name);
}

/* The second words of verbs of two, or nothing. */
static void print_second_words(FILE *out, const char *first, size_t size)
{
    for (size_t i = 0; i < verb_count; i++)
        if (strncmp(verbs[i].name, first, size) == 0 && verbs[i].name[size] == ' ')
            fprintf(out, " %s", verbs[i].name + size + 1);
}

static void print_first_words(FILE *out)
{
    for (size_t i = 0; i < verb_count; i++) {
        size_t size = strcspn(verbs[i].name, " ");
        bool again = i > 0 && strcspn(verbs[i - 1].name, " ") == size &&
                     strncmp(verbs[i - 1].name, verbs[i].name, size) == 0;
        if (verbs[i].group && !again) fprintf(out, " %.*s", (int)size, verbs[i].name);
    }
}

static void print_value_words(FILE *out)
{
    size_t count;
    const struct steme_lens_info *lenses = steme_lens_list(&count);
    fputs("    --lens) words=\"", out);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%s%s", i ? " " : "", lenses[i].name);
    fputs("\" ;;\n    --type) words=\"", out);
    for (int kind = STEME_ENTITY; kind <= STEME_NONE; kind++)
        fprintf(out, "%s%s", kind ? " " : "", object_kind_name((enum steme_kind)kind));
    fputs("\" ;;\n    --format) words=\"ndjson tsv\" ;;\n"
          "    --kind) words=\"update correct\" ;;\n"
          "    --as | --agent | --root) words=$(steme key list 2>/dev/null | cut -f 1) ;;\n"
          "    --dir) compopt -o dirnames; return ;;\n"
          "    --sort) words=\"answers weight\" ;;\n"
          "    --method) words=\"auto one-coin confusion accuracy\" ;;\n"
          "    --svg) compopt -o dirnames; return ;;\n"
          "    --rejects | --truth) compopt -o default; return ;;\n",
          out);
}

/* Verbs of one or two words, then their options; values where they are few. Bash asks for the word under the cursor. */
steme_status verb_completion(struct cli *cli, struct steme_error *err)
{
    FILE *out = cli->print.out;
    fputs("# SPDX-License-Identifier: Apache-2.0\n"
          "# Bash completion for steme, printed by `steme completion` from its table of verbs.\n"
          "_steme() {\n"
          "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}\n"
          "    local verb= second= words= i\n"
          "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
          "        case ${COMP_WORDS[i]} in\n"
          "        --dir) i=$((i + 1)) ;;\n"
          "        -*) ;;\n"
          "        *) if [ -z \"$verb\" ]; then verb=${COMP_WORDS[i]}; else second=${COMP_WORDS[i]}; break; fi ;;\n"
          "        esac\n"
          "    done\n"
          "    COMPREPLY=()\n"
          "    case $before in\n",
          out);
    print_value_words(out);
    fputs("    esac\n"
          "    [ -n \"$words\" ] || case \"$verb $second\" in\n"
          "    \" \" | \"help \"*) words=\"",
          out);
    print_first_words(out);
    fputs("\" ;;\n", out);
    for (size_t i = 0; i < verb_count; i++) {
        size_t size = strcspn(verbs[i].name, " ");
        if (!verbs[i].group || strcmp(verbs[i].name, "help") == 0) continue;
        if (verbs[i].name[size])
            fprintf(out, "    \"%s\"*) words=\"", verbs[i].name);
        else
            fprintf(out, "    \"%s \"*) words=\"", verbs[i].name);
        print_option_words(out, verbs[i].options, OPTION_TABLES_MAX - 1);
        const struct option_spec *const common[] = { cli_common_options };
        print_option_words(out, common, 1);
        fputs("\" ;;\n", out);
    }
    for (size_t i = 0; i < verb_count; i++) {
        size_t size = strcspn(verbs[i].name, " ");
        bool again = i > 0 && strncmp(verbs[i - 1].name, verbs[i].name, size + 1) == 0;
        if (!verbs[i].name[size] || again) continue;
        fprintf(out, "    \"%.*s \") words=\"", (int)size, verbs[i].name);
        print_second_words(out, verbs[i].name, size);
        fputs("\" ;;\n", out);
    }
    fputs("    esac\n"
          "    case $word in\n"
          "    -*) ;;\n"
          "    *) case $verb in arena | import) compopt -o default ;; esac ;;\n"
          "    esac\n"
          "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
          "}\n"
          "complete -F _steme steme\n",
          out);
    return cli_check_output(cli, err);
}
