/* SPDX-License-Identifier: Apache-2.0 */
/* impact, watch. */
#include "base/check.h"
#include "base/glob.h"
#include "base/slice.h"
#include "faces/cli/answer.h"
#include "faces/cli/scalar.h"
#include "faces/cli/show.h"
#include "faces/cli/unknown.h"
#include "faces/cli/verbs.h"
#include "faces/cli/wire.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LINE_BYTES_MAX = 1 << 26,
    INTERVAL_MS = 250,
    INTERVAL_MS_MAX = 86400000,
    SHIFTS_SHOWN = 50,
    VALUE_COLUMNS_MAX = 40
};

const struct option_spec impact_options[] = {
    { "without", "KIND:WHAT",
      "leave out source:NAME, agent:KEY, agent-id:HEX, assertion:ID or epoch:NAME; may be repeated", true },
    { "direct", NULL, "leave out these alone, not what derives from them", false },
    { "subject", "NAME", "beliefs about this subject", false },
    { "predicate", "NAME", "beliefs with this predicate", false },
    { "threshold", "SHARE", "list what moves by more than this; else 0.01", false },
    { "limit", "N", "changes to show in a table, 0 for all; else 50", false },
    { 0 },
};

const struct option_spec watch_options[] = {
    { "view", "NAME", "beliefs that this view is about, through its lens", false },
    { "subject", "GLOB", "beliefs about these subjects: * any run, ? one character, \\ takes the next as it is",
      false },
    { "predicate", "NAME", "beliefs with this predicate", false },
    { "threshold", "SHARE", "tell what moves by more than this; else 0, any change", false },
    { "since", "SEQ", "begin with what this record changed; else with what comes from now on", false },
    { "once", NULL, "tell what there is, and end", false },
    { "count", "N", "end after so many changes", false },
    { "interval", "MS", "look again after so many milliseconds; else 250", false },
    { 0 },
};

/* ---- shared ---- */

/* Every --lens, each with the other lens options; the default one where there is none. */
static steme_status read_lenses(struct cli *cli, struct steme_lens **out, size_t *count_out, struct steme_error *err)
{
    size_t count = options_count(&cli->options, "lens");
    struct steme_lens shared = { 0 };
    struct steme_lens *lenses = arena_calloc(&cli->arena, count + 1, sizeof *lenses);
    if (!lenses) return arena_full(&cli->arena, err);
    steme_status status = cli_lens(cli, CLI_LENS, &shared, err);
    lenses[0] = shared;
    for (size_t i = 0; !status && i < count; i++) {
        lenses[i] = shared;
        lenses[i].name = options_nth(&cli->options, "lens", i);
        status = cli_check_lens(lenses[i].name, err);
    }
    *out = lenses;
    *count_out = count ? count : 1;
    return status;
}

static steme_status read_threshold(struct cli *cli, uint32_t absent_ppm, double *out, struct steme_error *err)
{
    const char *text = cli_option(cli, "threshold");
    uint32_t ppm = absent_ppm;
    steme_status status = text ? scalar_parse_share(slice_text(text), "threshold", &ppm, err) : STEME_OK;
    *out = (double)ppm / STEME_PPM;
    return status;
}

/* "dwarf planet 61.2 %", "70.8 ± 0.4 km/s/Mpc", or "-". */
static void append_position(struct buf *to, const struct steme_position *position)
{
    char share[SHARE_TEXT_BYTES], measure[MEASURE_TEXT_BYTES];
    if (position->has_pooled) {
        buf_append_text(
            to, answer_measure_text(position->pooled.mean, position->pooled.error, position->pooled.unit, measure));
    } else if (position->has_best) {
        show_value(to, &position->best.value, VALUE_COLUMNS_MAX);
        buf_printf(to, " %s", answer_share_text(position->best.probability, share));
    } else {
        buf_append_text(to, "-");
    }
}

static void emit_position(struct emit *json, const char *name, const struct steme_position *position)
{
    char text[2 * STEME_NAME_MAX];
    emit_begin(json, name, '{');
    emit_word(json, "verdict", steme_verdict_name(position->verdict));
    emit_count(json, "claims", position->belief_count);
    if (position->has_best) {
        size_t size = steme_print_value(&position->best.value, text, sizeof text);
        wire_value(json, "value", &position->best.value);
        if (size < sizeof text) emit_text(json, "text", slice_of(text, size));
        emit_real(json, "probability", position->best.probability);
        emit_hash(json, "claim", &position->best.claim);
        emit_hash(json, "assertion", &position->best.assertion);
    }
    if (position->has_pooled) {
        emit_real(json, "mean", position->pooled.mean);
        emit_real(json, "error", position->pooled.error);
        emit_real(json, "tension_p", position->pooled.tension_p);
    }
    emit_end(json, '}');
}

static void emit_shift(struct emit *json, const struct steme_shift *shift)
{
    emit_word(json, "change", steme_shift_name(shift->kind));
    emit_real(json, "size", shift->size);
    emit_text(json, "subject", shift->subject);
    emit_text(json, "predicate", shift->predicate);
    if (shift->key_qualifiers.size > 0) emit_text(json, "key_qualifiers", shift->key_qualifiers);
    emit_word(json, "lens", shift->lens);
    emit_hash(json, "slot", &shift->slot);
    emit_position(json, "before", &shift->before);
    emit_position(json, "after", &shift->after);
}

/* ---- impact ---- */

struct wishes {
    struct steme_hash *agents, *assertions, *epochs;
    struct steme_slice *sources;
    struct steme_mask mask;
};

static steme_status read_agent(struct cli *cli, const char *text, struct steme_hash *out, struct steme_error *err)
{
    struct steme_key key;
    steme_status status = cli_snapshot(cli, err); /* keys have names in the store: it must be open */
    if (!status) status = cli_find_key(cli, text, &key, err);
    if (!status) *out = steme_agent_id(&key);
    return status;
}

static steme_status read_wish(struct cli *cli, const char *text, struct wishes *w, struct steme_error *err)
{
    static const char *const kinds[] = { "source", "agent", "agent-id", "assertion", "epoch" };
    const char *colon = strchr(text, ':');
    char kind[16];
    if (!colon || colon[1] == '\0')
        return error_set(err, STEME_BAD_INPUT, "--without takes KIND:WHAT, such as source:NASA, not '%.64s'", text);
    snprintf(kind, sizeof kind, "%.*s", (int)(colon - text), text);
    const char *what = colon + 1;
    if (strcmp(kind, "source") == 0) {
        w->sources[w->mask.source_count++] = slice_text(what);
        return STEME_OK;
    }
    if (strcmp(kind, "agent") == 0) return read_agent(cli, what, &w->agents[w->mask.agent_count++], err);
    if (strcmp(kind, "agent-id") == 0)
        return steme_parse_hash(slice_text(what), &w->agents[w->mask.agent_count++], err);
    if (strcmp(kind, "assertion") == 0) return cli_find_id(cli, what, &w->assertions[w->mask.assertion_count++], err);
    if (strcmp(kind, "epoch") == 0)
        return cli_find_epoch(cli, slice_text(what), &w->epochs[w->mask.epoch_count++], err);
    return unknown_word(err, STEME_BAD_INPUT, "kind of evidence", kind, kinds, countof(kinds));
}

static steme_status read_wishes(struct cli *cli, struct wishes *out, struct steme_error *err)
{
    size_t count = options_count(&cli->options, "without");
    struct wishes w = { .agents = arena_calloc(&cli->arena, count, sizeof *w.agents),
                        .assertions = arena_calloc(&cli->arena, count, sizeof *w.assertions),
                        .epochs = arena_calloc(&cli->arena, count, sizeof *w.epochs),
                        .sources = arena_calloc(&cli->arena, count, sizeof *w.sources) };
    steme_status status = STEME_OK;
    if (!w.agents || !w.assertions || !w.epochs || !w.sources) return arena_full(&cli->arena, err);
    if (count == 0) {
        cli_hint(cli, "steme impact --without source:NAME");
        return error_set(err, STEME_BAD_INPUT, "--without is missing: what is to be left out?");
    }
    for (size_t i = 0; !status && i < count; i++)
        status = read_wish(cli, options_nth(&cli->options, "without", i), &w, err);
    w.mask.agents = w.agents;
    w.mask.assertions = w.assertions;
    w.mask.epochs = w.epochs;
    w.mask.sources = w.sources;
    w.mask.direct = cli_has(cli, "direct");
    *out = w;
    return status;
}

static void print_totals(struct cli *cli, const struct steme_impact *impact, const char *lens)
{
    fprintf(cli->print.out, "lens %s: of %" PRIu64 " question%s %" PRIu64 " flipped, %" PRIu64 " lost, ", lens,
            impact->judged, impact->judged == 1 ? "" : "s", impact->flipped, impact->lost);
    if (impact->gained) fprintf(cli->print.out, "%" PRIu64 " gained, ", impact->gained);
    fprintf(cli->print.out,
            "%" PRIu64 " moved; left out: %" PRIu64 " assertion%s (%" PRIu64 " for what they derive from), %" PRIu64
            " vote%s\n",
            impact->moved, impact->masked, impact->masked == 1 ? "" : "s", impact->derived, impact->ballots,
            impact->ballots == 1 ? "" : "s");
}

static void print_impact(struct cli *cli, const struct steme_impact *impact, size_t limit)
{
    static const struct print_column columns[] = {
        { .title = "change", .colour = PRINT_YELLOW },
        { .title = "size", .right = true },
        { .title = "subject", .colour = PRINT_BOLD },
        { .title = "predicate" },
        { .title = "lens" },
        { .title = "before", .columns_max = 50 },
        { .title = "verdict" },
        { .title = "without", .columns_max = 50 },
        { .title = "verdict" },
    };
    struct table table;
    struct buf text;
    buf_init(&text, 1 << 16);
    table_begin(&table, &cli->print, columns, countof(columns));
    for (size_t i = 0; i < impact->shift_count && i < limit; i++) {
        const struct steme_shift *shift = &impact->shifts[i];
        table_cell(&table, slice_text(steme_shift_name(shift->kind)));
        table_cellf(&table, "%.3f", shift->size);
        table_cell(&table, shift->subject);
        table_cell(&table, shift->predicate);
        table_cell(&table, slice_text(shift->lens));
        for (size_t k = 0; k < 2; k++) {
            const struct steme_position *position = k ? &shift->after : &shift->before;
            buf_clear(&text);
            append_position(&text, position);
            table_cell(&table, buf_slice(&text));
            table_cell(&table, slice_text(steme_verdict_name(position->verdict)));
        }
    }
    table_end(&table);
    buf_deinit(&text);
}

static steme_status print_impact_json(struct cli *cli, const struct steme_impact *impact, const char *lens,
                                      struct steme_error *err)
{
    steme_status status = STEME_OK;
    struct buf line;
    buf_init(&line, LINE_BYTES_MAX);
    for (size_t i = 0; i < impact->shift_count && !status; i++) {
        struct emit json = { .to = &line };
        emit_begin(&json, NULL, '{');
        emit_shift(&json, &impact->shifts[i]);
        emit_end(&json, '}');
        status = cli_print_line(cli, &line, err);
    }
    struct emit json = { .to = &line };
    emit_begin(&json, NULL, '{');
    emit_begin(&json, "totals", '{');
    emit_word(&json, "lens", lens);
    emit_count(&json, "judged", impact->judged);
    emit_count(&json, "flipped", impact->flipped);
    emit_count(&json, "lost", impact->lost);
    emit_count(&json, "gained", impact->gained);
    emit_count(&json, "moved", impact->moved);
    emit_count(&json, "masked", impact->masked);
    emit_count(&json, "derived", impact->derived);
    emit_count(&json, "votes", impact->ballots);
    emit_end(&json, '}');
    emit_end(&json, '}');
    if (!status) status = cli_print_line(cli, &line, err);
    buf_deinit(&line);
    return status;
}

static steme_status read_shown(struct cli *cli, uint64_t *out, struct steme_error *err)
{
    const char *text = cli_option(cli, "limit");
    *out = cli->print.table ? SHIFTS_SHOWN : 0;
    steme_status status = text ? scalar_parse_count(text, "limit", UINT32_MAX, out, err) : STEME_OK;
    if (*out == 0) *out = UINT64_MAX;
    return status;
}

steme_status verb_impact(struct cli *cli, struct steme_error *err)
{
    struct wishes wishes;
    struct steme_lens *lenses = NULL;
    struct steme_question pattern = { .subject = slice_text(cli_option(cli, "subject")),
                                      .predicate = slice_text(cli_option(cli, "predicate")) };
    size_t lens_count = 0;
    uint64_t shown = 0;
    double threshold = 0;
    steme_status status = read_threshold(cli, STEME_PPM / 100, &threshold, err);
    if (!status) status = read_shown(cli, &shown, err);
    if (!status) status = read_lenses(cli, &lenses, &lens_count, err);
    if (!status) status = read_wishes(cli, &wishes, err);
    if (!status) status = cli_snapshot(cli, err);
    for (size_t i = 0; !status && i < lens_count; i++) {
        struct steme_impact impact;
        pattern.lens = lenses[i];
        const char *lens = lenses[i].name ? lenses[i].name : "consensus";
        status = steme_impact(cli->snapshot, &wishes.mask, &pattern, threshold, &impact, err);
        if (status) break;
        if (cli->json) {
            status = print_impact_json(cli, &impact, lens, err);
        } else {
            print_impact(cli, &impact, (size_t)shown);
            if (cli->print.table) print_totals(cli, &impact, lens);
            status = cli_check_output(cli, err);
        }
    }
    return status;
}

/* ---- watch ---- */

struct watching {
    struct cli *cli;
    struct steme_question *patterns;
    size_t pattern_count;
    struct steme_slice glob; /* for the subject; empty: the patterns say it all */
    double threshold;
    uint64_t next; /* sequence to go on from; UINT64_MAX: what there is at the first look is passed over */
    uint64_t left; /* changes still to tell */
    bool full;
    struct buf line;
    struct steme_error *err;
};

static void print_watched(struct watching *w, const struct steme_shift *shift)
{
    struct print *print = &w->cli->print;
    char short_id[SHORT_ID_BYTES];
    const struct steme_cause *last = &shift->causes[shift->cause_count - 1];
    fprintf(print->out, "%" PRIu64 "  ", last->sequence);
    print_coloured(print, PRINT_YELLOW, "%-7s", steme_shift_name(shift->kind));
    print_coloured(print, PRINT_BOLD, "  %.*s", SLICE_PRINT(shift->subject));
    print_coloured(print, PRINT_PLAIN, "  %.*s", SLICE_PRINT(shift->predicate));
    if (shift->key_qualifiers.size) print_coloured(print, PRINT_PLAIN, "  [%.*s]", SLICE_PRINT(shift->key_qualifiers));
    buf_clear(&w->line);
    append_position(&w->line, &shift->before);
    buf_printf(&w->line, " (%s) -> ", steme_verdict_name(shift->before.verdict));
    append_position(&w->line, &shift->after);
    buf_printf(&w->line, " (%s)", steme_verdict_name(shift->after.verdict));
    print_coloured(print, PRINT_PLAIN, "  %.*s", SLICE_PRINT(buf_slice(&w->line)));
    fprintf(print->out, "  lens %s, by %s %s", shift->lens, wire_type_name(last->type),
            cli_short_id(&last->id, short_id));
    if (shift->cause_count > 1) fprintf(print->out, " and %zu before it", shift->cause_count - 1);
    fputc('\n', print->out);
    buf_clear(&w->line);
}

static steme_status print_watched_json(struct watching *w, const struct steme_shift *shift)
{
    struct emit json = { .to = &w->line };
    emit_begin(&json, NULL, '{');
    emit_count(&json, "sequence", shift->causes[shift->cause_count - 1].sequence);
    emit_shift(&json, shift);
    emit_begin(&json, "causes", '[');
    for (size_t i = 0; i < shift->cause_count; i++) {
        emit_begin(&json, NULL, '{');
        emit_count(&json, "sequence", shift->causes[i].sequence);
        emit_hash(&json, "id", &shift->causes[i].id);
        emit_word(&json, "type", wire_type_name(shift->causes[i].type));
        emit_end(&json, '}');
    }
    emit_end(&json, ']');
    emit_end(&json, '}');
    return cli_print_line(w->cli, &w->line, w->err);
}

static steme_status take_shift(void *context, const struct steme_shift *shift)
{
    struct watching *w = context;
    if (!glob_match(w->glob, shift->subject)) return STEME_OK;
    w->full = w->left == 0;
    if (w->full) return STEME_FAILED; /* ends the walk */
    w->left--;
    if (w->cli->json || !w->cli->print.table) return print_watched_json(w, shift);
    print_watched(w, shift);
    return cli_check_output(w->cli, w->err);
}

/* All that has come since the last look. */
static steme_status look_once(struct watching *w)
{
    struct cli *cli = w->cli;
    steme_status status = cli_snapshot(cli, w->err);
    if (!status)
        status = steme_shifts_each(cli->snapshot, w->patterns, w->pattern_count, w->next, w->threshold, take_shift, w,
                                   &w->next, w->err);
    if (w->full) status = STEME_OK;
    w->full = w->left == 0;
    fflush(cli->print.out);
    return status ? status : cli_check_output(cli, w->err);
}

/* As for `log --follow`: between looks nothing is held. */
static steme_status keep_looking(struct watching *w, uint64_t interval_ms)
{
    struct timespec pause = { .tv_sec = (time_t)(interval_ms / 1000), .tv_nsec = (long)(interval_ms % 1000) * 1000000 };
    sigset_t ends;
    steme_status status = STEME_OK;
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    while (!status && !w->full) {
        cli_close(w->cli);
        if (sigtimedwait(&ends, NULL, &pause) > 0) break;
        status = look_once(w);
    }
    return status;
}

/* The questions that subjects like these make, through each lens. A plain name is looked up instead of matched. */
static steme_status ask(struct watching *w, struct steme_slice subjects, struct steme_slice predicate,
                        const struct steme_lens *lenses, size_t count, struct steme_error *err)
{
    bool is_name = glob_is_name(subjects);
    steme_status status = glob_check(subjects, "the pattern of the subject", err);
    if (status) return status;
    w->patterns = arena_calloc(&w->cli->arena, count, sizeof *w->patterns);
    if (!w->patterns) return arena_full(&w->cli->arena, err);
    w->pattern_count = count;
    if (!is_name) w->glob = subjects;
    for (size_t i = 0; i < count; i++)
        w->patterns[i] = (struct steme_question){ .subject = is_name ? subjects : slice_text(NULL),
                                                  .predicate = predicate,
                                                  .lens = lenses[i] };
    return STEME_OK;
}

static steme_status ask_by_options(struct watching *w, struct steme_error *err)
{
    struct steme_lens *lenses = NULL;
    size_t count = 0;
    steme_status status = read_lenses(w->cli, &lenses, &count, err);
    if (status) return status;
    return ask(w, slice_text(cli_option(w->cli, "subject")), slice_text(cli_option(w->cli, "predicate")), lenses, count,
               err);
}

/* What a view asks. It is copied, for between looks nothing of the store is held. */
static steme_status ask_as_view(struct watching *w, const char *name, struct steme_error *err)
{
    static const char *const others[] = { "subject", "predicate", "lens" };
    struct cli *cli = w->cli;
    struct steme_view_info view;
    for (size_t i = 0; i < countof(others); i++)
        if (cli_option(cli, others[i]))
            return error_set(err, STEME_BAD_INPUT, "a view says what is asked and how: leave out --%s or --view",
                             others[i]);
    steme_status status = cli_snapshot(cli, err);
    if (!status) status = steme_view_show(cli->snapshot, slice_text(name), &view, err);
    if (status) return status;
    struct steme_lens *lens = arena_calloc(&cli->arena, 1, sizeof *lens);
    struct steme_key *roots = arena_calloc(&cli->arena, view.lens.root_count, sizeof *roots);
    struct steme_hash *epoch = arena_calloc(&cli->arena, 1, sizeof *epoch);
    struct steme_slice subjects = arena_copy(&cli->arena, view.definition.subjects);
    struct steme_slice predicate = arena_copy(&cli->arena, view.definition.predicate);
    if (!lens || !roots || !epoch || !subjects.data || !predicate.data) return arena_full(&cli->arena, err);
    *lens = view.lens;
    if (view.lens.root_count) memcpy(roots, view.lens.roots, view.lens.root_count * sizeof *roots);
    lens->roots = roots;
    *epoch = view.definition.epoch;
    status = ask(w, subjects, predicate, lens, 1, err);
    if (!status && view.definition.has_epoch) w->patterns[0].epoch = epoch;
    return status;
}

static steme_status begin_watching(struct watching *w, struct steme_error *err)
{
    struct cli *cli = w->cli;
    const char *since = cli_option(cli, "since"), *count = cli_option(cli, "count"), *view = cli_option(cli, "view");
    steme_status status = read_threshold(cli, 0, &w->threshold, err);
    if (!status && since) status = scalar_parse_count(since, "since", UINT64_MAX - 1, &w->next, err);
    if (!status && count) status = scalar_parse_count(count, "count", UINT64_MAX, &w->left, err);
    if (status) return status;
    return view ? ask_as_view(w, view, err) : ask_by_options(w, err);
}

steme_status verb_watch(struct cli *cli, struct steme_error *err)
{
    struct watching w = { .cli = cli, .next = UINT64_MAX, .left = UINT64_MAX, .err = err };
    const char *interval = cli_option(cli, "interval");
    uint64_t interval_ms = INTERVAL_MS;
    buf_init(&w.line, LINE_BYTES_MAX);
    steme_status status = begin_watching(&w, err);
    if (!status && interval) status = scalar_parse_count(interval, "interval", INTERVAL_MS_MAX, &interval_ms, err);
    if (!status && interval_ms == 0)
        status = error_set(err, STEME_BAD_INPUT, "--interval is 0; give the milliseconds to wait between two looks");
    w.full = w.left == 0;
    if (!status && !w.full) status = look_once(&w);
    if (!status && !cli_has(cli, "once")) status = keep_looking(&w, interval_ms);
    buf_deinit(&w.line);
    return status;
}
