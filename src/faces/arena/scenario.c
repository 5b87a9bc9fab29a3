/* SPDX-License-Identifier: Apache-2.0 */
#include "faces/arena/scenario.h"
#include "base/check.h"
#include "base/slice.h"
#include "base/utf8.h"
#include "faces/cli/scalar.h"
#include "faces/cli/unknown.h"
#include "steme/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MILLI_DECIMALS = 3, WORDS_MAX = 8 };

static const char byte_order_mark[] = "\xEF\xBB\xBF";

#define SHARE(number) (uint32_t)((number)*STEME_PPM)

/* What each kind does unless its section says otherwise. */
static const struct scenario_group kinds[] = {
    [SCENARIO_HONEST] = { "honest", .error = SHARE(0.02), .answers = SHARE(0.8),
                          .confidence = { SHARE(0.7), SHARE(0.95) }, .votes = SHARE(0.2), .revises = SHARE(0.5),
                          .endorsed = STEME_PPM },
    [SCENARIO_NOISY] = { "noisy", .error = SHARE(0.35), .answers = SHARE(0.8), .confidence = { SHARE(0.5), SHARE(0.9) },
                         .votes = SHARE(0.2), .revises = SHARE(0.1), .endorsed = STEME_PPM },
    [SCENARIO_CARELESS] = { "careless", .error = SHARE(0.6), .answers = SHARE(0.2),
                            .confidence = { SHARE(0.9), STEME_PPM }, .votes = SHARE(0.2), .endorsed = STEME_PPM },
    [SCENARIO_LYING] = { "lying", .error = STEME_PPM, .answers = STEME_PPM, .confidence = { STEME_PPM, STEME_PPM },
                         .votes = SHARE(0.2) },
    [SCENARIO_COLLUDING] = { "colluding", .error = STEME_PPM, .answers = STEME_PPM,
                             .confidence = { STEME_PPM, STEME_PPM }, .votes = SHARE(0.2),
                             .wrong = SCENARIO_WRONG_AGREED, .timing = SCENARIO_LAST },
    [SCENARIO_SYBIL] = { "sybil", .error = STEME_PPM, .answers = STEME_PPM, .confidence = { STEME_PPM, STEME_PPM },
                         .endorses = 3, .wrong = SCENARIO_WRONG_AGREED, .timing = SCENARIO_LAST },
    [SCENARIO_COMPROMISED] = { "compromised", .error = SHARE(0.02), .answers = SHARE(0.8),
                               .confidence = { SHARE(0.7), SHARE(0.95) }, .votes = SHARE(0.2), .revises = SHARE(0.5),
                               .endorsed = STEME_PPM, .wrong = SCENARIO_WRONG_AGREED },
};

const char *scenario_kind_name(enum scenario_kind kind) { return kinds[kind].name; }

/* ---- the keys ---- */

enum key_type {
    KEY_TEXT,
    KEY_COUNT,
    KEY_SEED,
    KEY_SHARE,
    KEY_RANGE,
    KEY_MILLI,
    KEY_WORD,
    KEY_FLAG,
    KEY_REAL,
    KEY_DURATION,
    KEY_KIND,
    KEY_LENS
};

/* One key of a section: where its value goes and what it may be. */
struct key_spec {
    const char *name;
    enum key_type type;
    size_t offset;
    uint32_t min, max;                  /* COUNT, MILLI (in wholes), REAL */
    const char *const words[WORDS_MAX]; /* WORD and FLAG: in the order of their values */
    unsigned parameter;                 /* of a lens: its bit in steme_lens_info.parameters */
};

static const struct key_spec world_keys[] = {
    { "name", KEY_TEXT, offsetof(struct scenario, name), 0, 0, { NULL }, 0 },
    { "seed", KEY_SEED, offsetof(struct scenario, seed), 0, 0, { NULL }, 0 },
    { "questions", KEY_COUNT, offsetof(struct scenario, questions), 0, SCENARIO_QUESTIONS_MAX, { NULL }, 0 },
    { "choices", KEY_COUNT, offsetof(struct scenario, choices), 2, SCENARIO_CHOICES_MAX, { NULL }, 0 },
    { "numbers", KEY_COUNT, offsetof(struct scenario, numbers), 0, SCENARIO_QUESTIONS_MAX, { NULL }, 0 },
    { "tolerance", KEY_MILLI, offsetof(struct scenario, tolerance), 0, 1000000, { NULL }, 0 },
    { "shift", KEY_MILLI, offsetof(struct scenario, shift), 0, 1000000, { NULL }, 0 },
    { "roots", KEY_COUNT, offsetof(struct scenario, roots), 1, SCENARIO_ROOTS_MAX, { NULL }, 0 },
    { "limit", KEY_COUNT, offsetof(struct scenario, limit), 1, SCENARIO_AGENTS_MAX, { NULL }, 0 },
    { "attackers", KEY_TEXT, SIZE_MAX, 0, 0, { NULL }, 0 },
    { 0 },
};

static const struct key_spec group_keys[] = {
    { "kind", KEY_KIND, offsetof(struct scenario_group, kind), 0, 0, { NULL }, 0 },
    { "count", KEY_COUNT, offsetof(struct scenario_group, count), 0, SCENARIO_AGENTS_MAX, { NULL }, 0 },
    { "stolen", KEY_COUNT, offsetof(struct scenario_group, stolen), 0, SCENARIO_AGENTS_MAX, { NULL }, 0 },
    { "error", KEY_SHARE, offsetof(struct scenario_group, error), 0, 0, { NULL }, 0 },
    { "answers", KEY_SHARE, offsetof(struct scenario_group, answers), 0, 0, { NULL }, 0 },
    { "confidence", KEY_RANGE, offsetof(struct scenario_group, confidence), 0, 0, { NULL }, 0 },
    { "votes", KEY_SHARE, offsetof(struct scenario_group, votes), 0, 0, { NULL }, 0 },
    { "revises", KEY_SHARE, offsetof(struct scenario_group, revises), 0, 0, { NULL }, 0 },
    { "endorsed", KEY_SHARE, offsetof(struct scenario_group, endorsed), 0, 0, { NULL }, 0 },
    { "endorses", KEY_COUNT, offsetof(struct scenario_group, endorses), 0, 100, { NULL }, 0 },
    { "noise", KEY_MILLI, offsetof(struct scenario_group, noise), 0, 1000000, { NULL }, 0 },
    { "wrong", KEY_WORD, offsetof(struct scenario_group, wrong), 0, 0, { "any", "same", "agreed" }, 0 },
    { "speaks", KEY_WORD, offsetof(struct scenario_group, timing), 0, 0, { "spread", "last" }, 0 },
    { 0 },
};

static const struct key_spec lens_keys[] = {
    { "is", KEY_LENS, offsetof(struct scenario_lens, lens.name), 0, 0, { NULL }, 0 },
    { "half_life",
      KEY_DURATION,
      offsetof(struct scenario_lens, lens.half_life_us),
      0,
      0,
      { NULL },
      STEME_LENS_HALF_LIFE },
    { "prior", KEY_REAL, offsetof(struct scenario_lens, lens.prior), 0, 1000000, { NULL }, STEME_LENS_PRIOR },
    { "damping", KEY_REAL, offsetof(struct scenario_lens, lens.damping), 0, 1, { NULL }, STEME_LENS_DAMPING },
    { "method",
      KEY_WORD,
      offsetof(struct scenario_lens, lens.method),
      0,
      0,
      { "auto", "one-coin", "confusion", "accuracy" },
      STEME_LENS_METHOD },
    { "copying", KEY_FLAG, offsetof(struct scenario_lens, lens.copying), 0, 0, { "no", "yes" }, STEME_LENS_COPYING },
    { "uncalibrated",
      KEY_FLAG,
      offsetof(struct scenario_lens, lens.uncalibrated),
      0,
      0,
      { "no", "yes" },
      STEME_LENS_UNCALIBRATED },
    { 0 },
};

enum section_kind { SECTION_WORLD, SECTION_AGENTS, SECTION_LENS };

static const struct key_spec *const section_keys[] = {
    [SECTION_WORLD] = world_keys,
    [SECTION_AGENTS] = group_keys,
    [SECTION_LENS] = lens_keys,
};

enum { KEYS_MAX = 16, COUNT_KEY = 1 /* where "count" stands among a group's */ };

struct parser {
    const char *file;
    uint64_t line; /* the current one, from 1; 0: what is wrong stands in no line */
    struct arena *arena;
    struct scenario *scenario;
    enum section_kind section;
    void *target;            /* of the section's offsets */
    const char *title;       /* of the section, as written between its brackets; NULL at the top */
    uint64_t section_line;   /* where it began */
    uint64_t seen[KEYS_MAX]; /* line of each of its keys; 0: not given */
    const char *attackers;   /* name of the group, as given */
    uint64_t attackers_line;
    uint64_t asked_line; /* of the last that says how many questions there are; 0: none does */
    struct steme_error *err;
};

#define refuse(parser, status, ...) place((parser), error_set((parser)->err, (status), __VA_ARGS__))

/* Put file and line in front. */
static steme_status place(const struct parser *parser, steme_status status)
{
    if (!status) return STEME_OK;
    if (parser->line == 0) return error_wrap(parser->err, status, "%.200s", parser->file);
    return error_wrap(parser->err, status, "%.200s:%" PRIu64, parser->file, parser->line);
}

/* ---- values ---- */

static steme_status parse_share(const char *name, struct steme_slice text, uint32_t *out, struct steme_error *err)
{
    if (scalar_parse_share(text, name, out, NULL) == STEME_OK) return STEME_OK;
    return error_set(err, STEME_BAD_INPUT,
                     "%s must be a share from 0 to 1 with at most 6 decimals, such as 0.05, not '%.*s'", name,
                     text.size > 40 ? 40 : (int)text.size, (const char *)text.data);
}

static steme_status parse_range(const char *name, struct steme_slice text, uint32_t out[2], struct steme_error *err)
{
    uint32_t low = 0, high = 0;
    const char *begin = (const char *)text.data;
    const char *dots = strstr(begin, ".."); /* the value ends in a NUL */
    size_t first = dots ? (size_t)(dots - begin) : text.size;
    steme_status status = parse_share(name, slice_of(text.data, first), &low, err);
    high = low;
    if (!status && dots) status = parse_share(name, slice_of(dots + 2, text.size - first - 2), &high, err);
    if (!status && low > high)
        status = error_set(err, STEME_BAD_INPUT, "%s goes from %.*s: write the smaller number first, as 0.7..0.9", name,
                           SLICE_PRINT(text));
    if (status) return status;
    out[0] = low;
    out[1] = high;
    return STEME_OK;
}

static steme_status parse_milli(const struct key_spec *spec, struct steme_slice text, uint64_t *out,
                                struct steme_error *err)
{
    struct steme_decimal decimal = { 0 };
    bool fits = steme_parse_decimal(text, &decimal, NULL) == STEME_OK && decimal.scale <= MILLI_DECIMALS;
    int64_t milli = decimal.coefficient;
    for (int32_t scale = decimal.scale; fits && milli != 0 && scale < MILLI_DECIMALS; scale++)
        fits = !__builtin_mul_overflow(milli, 10, &milli);
    if (!fits || milli <= 0 || milli > (int64_t)spec->max * 1000)
        return error_set(err, STEME_BAD_INPUT,
                         "%s must be over 0, at most %" PRIu32 ", with at most 3 decimals, such as 2.5, not '%.*s'",
                         spec->name, spec->max, text.size > 40 ? 40 : (int)text.size, (const char *)text.data);
    *out = (uint64_t)milli;
    return STEME_OK;
}

static steme_status parse_real(const struct key_spec *spec, struct steme_slice text, double *out,
                               struct steme_error *err)
{
    struct steme_decimal decimal;
    bool is_number = steme_parse_decimal(text, &decimal, NULL) == STEME_OK;
    double value = is_number ? steme_decimal_double(decimal) : 0;
    if (!(value > 0 && value < spec->max))
        return error_set(err, STEME_BAD_INPUT,
                         "%s must be a number over 0 and under %" PRIu32 ", such as 0.5, not '%.*s'", spec->name,
                         spec->max, text.size > 40 ? 40 : (int)text.size, (const char *)text.data);
    *out = value;
    return STEME_OK;
}

/* Where one of the same unit would do, the number is at fault. */
static steme_status parse_duration(const char *name, const char *text, int64_t *out, struct steme_error *err)
{
    char one[8];
    int64_t unused;
    steme_status status = scalar_parse_duration(text, name, out, err);
    size_t digits = strspn(text, "0123456789");
    int size = snprintf(one, sizeof one, "1%s", text + digits);
    bool is_unit = size > 0 && (size_t)size < sizeof one && scalar_parse_duration(one, name, &unused, NULL) == STEME_OK;
    if (!status || digits == 0 || !is_unit) return status;
    if (strspn(text, "0") == digits) return error_set(err, STEME_BAD_INPUT, "%s must be over 0, such as 30d", name);
    return error_set(err, STEME_BAD_INPUT, "%s is too long, '%.40s': write less, such as 30d", name, text);
}

static steme_status parse_word(const struct key_spec *spec, const char *text, unsigned *out, struct steme_error *err)
{
    size_t count = 0;
    for (; count < WORDS_MAX && spec->words[count]; count++) {
        if (strcmp(spec->words[count], text) != 0) continue;
        *out = (unsigned)count;
        return STEME_OK;
    }
    char what[64];
    snprintf(what, sizeof what, "value of %s", spec->name);
    return unknown_word(err, STEME_BAD_INPUT, what, text, spec->words, count);
}

static steme_status parse_flag(const struct key_spec *spec, const char *text, bool *out, struct steme_error *err)
{
    unsigned word = 0;
    steme_status status = parse_word(spec, text, &word, err);
    if (!status) *out = word;
    return status;
}

static steme_status parse_count(const struct key_spec *spec, const char *text, uint32_t *out, struct steme_error *err)
{
    uint64_t count;
    steme_status status = scalar_parse_count(text, spec->name, spec->max, &count, err);
    if (!status && count < spec->min)
        status = error_set(err, STEME_BAD_INPUT, "%s must be at least %" PRIu32, spec->name, spec->min);
    if (!status) *out = (uint32_t)count;
    return status;
}

/* The kind's defaults, under the name and with what all kinds start from. */
static steme_status parse_kind(const char *text, struct scenario_group *group, struct steme_error *err)
{
    const char *names[countof(kinds)];
    for (size_t i = 0; i < countof(kinds); i++) {
        names[i] = kinds[i].name;
        if (strcmp(text, names[i]) != 0) continue;
        struct scenario_group named = *group;
        *group = kinds[i];
        group->name = named.name;
        group->line = named.line;
        group->kind = (enum scenario_kind)i;
        group->noise = 1000;
        return STEME_OK;
    }
    return unknown_word(err, STEME_BAD_INPUT, "kind of agent", text, names, countof(kinds));
}

static steme_status parse_lens(const char *text, const char **out, struct steme_error *err)
{
    const char *names[SCENARIO_LENSES_MAX];
    size_t count;
    const struct steme_lens_info *lenses = steme_lens_list(&count);
    for (size_t i = 0; i < count && i < countof(names); i++) {
        names[i] = lenses[i].name;
        if (strcmp(text, names[i]) != 0) continue;
        *out = lenses[i].name;
        return STEME_OK;
    }
    return unknown_word(err, STEME_BAD_INPUT, "lens", text, names, count < countof(names) ? count : countof(names));
}

/* The title, which goes into tables, TSV and XML; or the group that attacks, which is looked up in the end. */
static steme_status set_text(struct parser *parser, const struct key_spec *spec, struct steme_slice value)
{
    const char *text = (const char *)value.data;
    if (spec->offset == SIZE_MAX) {
        parser->attackers = text;
        parser->attackers_line = parser->line;
        return STEME_OK;
    }
    steme_status status = utf8_check_name(value, spec->name, parser->err);
    if (!status) *(const char **)((char *)parser->target + spec->offset) = text;
    return status;
}

/* value ends in a NUL. */
static steme_status set_value(struct parser *parser, const struct key_spec *spec, struct steme_slice value)
{
    struct steme_error *err = parser->err;
    const char *text = (const char *)value.data;
    void *to = (char *)parser->target + (spec->offset == SIZE_MAX ? 0 : spec->offset);
    switch (spec->type) {
    case KEY_TEXT: return set_text(parser, spec, value);
    case KEY_COUNT: return parse_count(spec, text, to, err);
    case KEY_SEED: return scalar_parse_count(text, spec->name, UINT64_MAX, to, err);
    case KEY_SHARE: return parse_share(spec->name, value, to, err);
    case KEY_RANGE: return parse_range(spec->name, value, to, err);
    case KEY_MILLI: return parse_milli(spec, value, to, err);
    case KEY_WORD: return parse_word(spec, text, to, err);
    case KEY_FLAG: return parse_flag(spec, text, to, err);
    case KEY_REAL: return parse_real(spec, value, to, err);
    case KEY_DURATION: return parse_duration(spec->name, text, to, err);
    case KEY_KIND: return parse_kind(text, parser->target, err);
    case KEY_LENS: return parse_lens(text, to, err);
    }
    unreachable_here();
}

/* ---- lines ---- */

static bool is_blank(uint8_t byte) { return byte == ' ' || byte == '\t' || byte == '\r'; }

static struct steme_slice trim(struct steme_slice text)
{
    while (text.size > 0 && is_blank(text.data[0]))
        text = slice_of(text.data + 1, text.size - 1);
    while (text.size > 0 && is_blank(text.data[text.size - 1]))
        text.size--;
    return text;
}

/* A comment begins with a '#' at the start of a line or behind a blank. */
static struct steme_slice cut_comment(struct steme_slice line)
{
    for (size_t i = 0; i < line.size; i++)
        if (line.data[i] == '#' && (i == 0 || is_blank(line.data[i - 1]))) return slice_of(line.data, i);
    return line;
}

static steme_status find_key(const struct parser *parser, const char *name, size_t *out)
{
    const struct key_spec *keys = section_keys[parser->section];
    const char *names[KEYS_MAX];
    size_t count = 0;
    for (; keys[count].name; count++) {
        names[count] = keys[count].name;
        if (strcmp(names[count], name) != 0) continue;
        *out = count;
        return STEME_OK;
    }
    steme_status status = unknown_word(parser->err, STEME_BAD_INPUT, "key", name, names, count);
    return parser->title ? error_wrap(parser->err, status, "in [%.60s]", parser->title)
                         : error_wrap(parser->err, status, "before the first section");
}

/* A lens refuses what it doesn't take, and says what it does. */
static steme_status check_parameter(const struct parser *parser, const struct key_spec *spec)
{
    const struct scenario_lens *lens = parser->target;
    size_t count, used = 0;
    char list[128] = "nothing";
    const struct steme_lens_info *info = steme_lens_list(&count);
    if (!spec->parameter) return STEME_OK; /* "is", before which there is no lens */
    while (strcmp(info->name, lens->lens.name) != 0)
        info++; /* parse_lens() has found it there */
    if (info->parameters & spec->parameter) return STEME_OK;
    for (const struct key_spec *key = lens_keys; key->name && used < sizeof list; key++) {
        if (!(info->parameters & key->parameter)) continue;
        int wrote = snprintf(list + used, sizeof list - used, "%s%s", used ? ", " : "", key->name);
        if (wrote > 0) used += (size_t)wrote;
    }
    return refuse(parser, STEME_BAD_INPUT, "%s takes no %s, but %s: leave it out", info->name, spec->name, list);
}

/* A setting that would change nothing is refused. */
static steme_status check_use(const struct parser *parser, const struct key_spec *spec)
{
    if (parser->section == SECTION_LENS) return check_parameter(parser, spec);
    if (parser->section != SECTION_AGENTS || spec->offset != offsetof(struct scenario_group, stolen)) return STEME_OK;
    const struct scenario_group *group = parser->target;
    if (group->kind == SCENARIO_COMPROMISED) return STEME_OK;
    return refuse(parser, STEME_BAD_INPUT,
                  "stolen is for kind = compromised, and [%.60s] is %s: leave it out or change the kind", parser->title,
                  scenario_kind_name(group->kind));
}

static steme_status take_setting(struct parser *parser, struct steme_slice line)
{
    const uint8_t *equals = memchr(line.data, '=', line.size);
    if (!equals)
        return refuse(parser, STEME_BAD_INPUT,
                      "'%.*s' is neither a setting nor a section: write KEY = VALUE, [agents NAME] or [lens NAME]",
                      line.size > 60 ? 60 : (int)line.size, (const char *)line.data);
    size_t at = (size_t)(equals - line.data);
    struct steme_slice name = arena_copy(parser->arena, trim(slice_of(line.data, at)));
    struct steme_slice value = arena_copy(parser->arena, trim(slice_of(equals + 1, line.size - at - 1)));
    if (!name.data || !value.data) return arena_full(parser->arena, parser->err);
    size_t key = 0;
    steme_status status = find_key(parser, (const char *)name.data, &key);
    if (status) return place(parser, status);
    const struct key_spec *spec = &section_keys[parser->section][key];
    if (value.size == 0)
        return refuse(parser, STEME_BAD_INPUT, "%s has no value: write %s = VALUE", spec->name, spec->name);
    if (parser->seen[key])
        return refuse(parser, STEME_BAD_INPUT, "%s is given twice, first in line %" PRIu64 ": keep one", spec->name,
                      parser->seen[key]);
    if (parser->section != SECTION_WORLD && key > 0 && !parser->seen[0])
        return refuse(parser, STEME_BAD_INPUT, "[%.60s] must begin with '%s = ...', before %s", parser->title,
                      section_keys[parser->section][0].name, spec->name);
    parser->seen[key] = parser->line;
    bool asks = spec->offset == offsetof(struct scenario, questions) ||
                spec->offset == offsetof(struct scenario, numbers);
    if (parser->section == SECTION_WORLD && asks) parser->asked_line = parser->line;
    status = check_use(parser, spec);
    return status ? status : place(parser, set_value(parser, spec, value));
}

/* A section without its first key says nothing, and a group without its size is a slip. */
static steme_status end_section(struct parser *parser)
{
    bool counted = parser->section != SECTION_AGENTS || parser->seen[COUNT_KEY];
    if (parser->section == SECTION_WORLD || (parser->seen[0] && counted)) return STEME_OK;
    parser->line = parser->section_line;
    if (parser->seen[0])
        return refuse(parser, STEME_BAD_INPUT,
                      "[%.60s] has no count: write count = 20, or count = 0 for a group that is only grown",
                      parser->title);
    return refuse(parser, STEME_BAD_INPUT, "[%.60s] is empty: it must begin with '%s = ...'", parser->title,
                  section_keys[parser->section][0].name);
}

static bool name_is_good(struct steme_slice name)
{
    if (name.size > 40 || utf8_check_name(name, "name", NULL) != STEME_OK) return false;
    for (size_t i = 0; i < name.size; i++) {
        uint8_t c = name.data[i];
        bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                    c == '-' || c >= 0x80;
        if (!good) return false;
    }
    return true;
}

static steme_status begin_group(struct parser *parser, const char *name)
{
    struct scenario *scenario = parser->scenario;
    for (size_t i = 0; i < scenario->group_count; i++)
        if (strcmp(scenario->groups[i].name, name) == 0)
            return refuse(parser, STEME_BAD_INPUT, "there is an [agents %.40s] already: give this one another name",
                          name);
    if (scenario->group_count == SCENARIO_GROUPS_MAX)
        return refuse(parser, STEME_TOO_LARGE, "a scenario has at most %d groups of agents", (int)SCENARIO_GROUPS_MAX);
    struct scenario_group *group = &scenario->groups[scenario->group_count++];
    group->name = name;
    group->line = parser->line;
    parser->section = SECTION_AGENTS;
    parser->target = group;
    return STEME_OK;
}

static steme_status begin_lens(struct parser *parser, const char *name)
{
    struct scenario *scenario = parser->scenario;
    for (size_t i = 0; i < scenario->lens_count; i++)
        if (strcmp(scenario->lenses[i].name, name) == 0)
            return refuse(parser, STEME_BAD_INPUT, "there is a lens %.40s already: give this one another name", name);
    if (scenario->lens_count == SCENARIO_LENSES_MAX)
        return refuse(parser, STEME_TOO_LARGE, "a scenario has at most %d lenses", (int)SCENARIO_LENSES_MAX);
    struct scenario_lens *lens = &scenario->lenses[scenario->lens_count++];
    lens->name = name;
    parser->section = SECTION_LENS;
    parser->target = lens;
    return STEME_OK;
}

static steme_status take_section(struct parser *parser, struct steme_slice line)
{
    steme_status status = end_section(parser);
    if (status) return status;
    struct steme_slice title = trim(slice_of(line.data + 1, line.size - 1 - (line.data[line.size - 1] == ']')));
    const char *kinds_of[] = { "agents", "lens" };
    size_t first = 0;
    while (first < title.size && !is_blank(title.data[first]))
        first++;
    struct steme_slice word = arena_copy(parser->arena, slice_of(title.data, first));
    struct steme_slice name = arena_copy(parser->arena, trim(slice_of(title.data + first, title.size - first)));
    struct steme_slice whole = arena_copy(parser->arena, title);
    if (!word.data || !name.data || !whole.data) return arena_full(parser->arena, parser->err);
    bool is_lens = slice_equal(word, slice_text("lens"));
    if (line.data[line.size - 1] != ']')
        return refuse(parser, STEME_BAD_INPUT,
                      "the section has no closing bracket: write [agents NAME] or [lens NAME]");
    if (!is_lens && !slice_equal(word, slice_text("agents")))
        return place(parser,
                     unknown_word(parser->err, STEME_BAD_INPUT, "section", (const char *)word.data, kinds_of, 2));
    if (!name_is_good(name))
        return refuse(parser, STEME_BAD_INPUT,
                      "a section is named by 1 to 40 letters, digits, '-' or '_': write [%s NAME]",
                      is_lens ? "lens" : "agents");
    parser->title = (const char *)whole.data;
    parser->section_line = parser->line;
    memset(parser->seen, 0, sizeof parser->seen);
    return is_lens ? begin_lens(parser, (const char *)name.data) : begin_group(parser, (const char *)name.data);
}

/* ---- the whole ---- */

static steme_status find_attackers(struct parser *parser)
{
    struct scenario *scenario = parser->scenario;
    const char *names[SCENARIO_GROUPS_MAX];
    for (size_t i = 0; i < scenario->group_count; i++) {
        const struct scenario_group *group = &scenario->groups[i];
        names[i] = group->name;
        bool hostile = group->kind >= SCENARIO_LYING;
        if (parser->attackers ? strcmp(group->name, parser->attackers) == 0 : hostile) scenario->attackers = group;
    }
    if (!parser->attackers || scenario->attackers) return STEME_OK;
    parser->line = parser->attackers_line;
    return place(parser, unknown_word(parser->err, STEME_BAD_INPUT, "group of agents", parser->attackers, names,
                                      scenario->group_count));
}

static steme_status check_group(struct parser *parser, const struct scenario_group *group)
{
    parser->line = group->line;
    if (group->stolen > group->count)
        return refuse(parser, STEME_BAD_INPUT,
                      "[agents %.40s] has %" PRIu32 " stolen keys of %" PRIu32 ": stolen may be at most count",
                      group->name, group->stolen, group->count);
    if (group == parser->scenario->attackers && group->kind == SCENARIO_COMPROMISED && group->count == 0)
        return refuse(parser, STEME_BAD_INPUT, "[agents %.40s] has no keys to steal: count must be over 0",
                      group->name);
    return STEME_OK;
}

static steme_status check_questions(struct parser *parser)
{
    const struct scenario *scenario = parser->scenario;
    uint32_t questions = scenario->questions + scenario->numbers; /* each at most SCENARIO_QUESTIONS_MAX */
    parser->line = parser->asked_line;
    if (questions == 0)
        return refuse(parser, STEME_BAD_INPUT,
                      "nothing is asked: write questions = 24 or numbers = 12 above the sections");
    if (questions > SCENARIO_QUESTIONS_MAX)
        return refuse(parser, STEME_TOO_LARGE, "questions and numbers together may be at most %d, not %" PRIu32,
                      (int)SCENARIO_QUESTIONS_MAX, questions);
    return STEME_OK;
}

static steme_status refuse_empty_stage(struct parser *parser)
{
    const struct scenario *scenario = parser->scenario;
    static const char remedy[] = "write a section [agents NAME] with kind = honest and count = 20";
    parser->line = scenario->group_count ? scenario->groups[0].line : 0;
    if (!scenario->attackers) return refuse(parser, STEME_BAD_INPUT, "nobody answers: %s", remedy);
    parser->line = parser->attackers ? parser->attackers_line : scenario->attackers->line;
    return refuse(
        parser, STEME_BAD_INPUT, "nobody answers before the attack, for [agents %.40s] is the group that grows: %s%s",
        scenario->attackers->name, remedy, parser->attackers ? ", or name another group under attackers" : "");
}

/* How many of the group there are in the end. */
static uint32_t grown(const struct scenario *scenario, const struct scenario_group *group)
{
    bool grows = group == scenario->attackers && group->kind != SCENARIO_COMPROMISED;
    return grows ? scenario->limit : group->count;
}

static steme_status check_agents(struct parser *parser)
{
    struct scenario *scenario = parser->scenario;
    const struct scenario_group *attackers = scenario->attackers;
    if (scenario_others(scenario) == 0) return refuse_empty_stage(parser);
    if (attackers && scenario->limit < attackers->count) scenario->limit = attackers->count;
    uint64_t questions = (uint64_t)scenario->questions + scenario->numbers;
    uint64_t agents = 0;
    const struct scenario_group *largest = scenario->groups;
    for (size_t i = 0; i < scenario->group_count; i++) {
        const struct scenario_group *group = &scenario->groups[i];
        agents += grown(scenario, group);
        if (grown(scenario, group) > grown(scenario, largest)) largest = group;
    }
    parser->line = largest->line;
    if (agents > SCENARIO_AGENTS_MAX || agents * questions > SCENARIO_ANSWERS_MAX)
        return refuse(parser, STEME_TOO_LARGE,
                      "%" PRIu64 " agents (attackers counted up to the limit) and %" PRIu64
                      " questions are too many: at most %d agents, and %d answers",
                      agents, questions, (int)SCENARIO_AGENTS_MAX, (int)SCENARIO_ANSWERS_MAX);
    return STEME_OK;
}

/* Without a title it is called like its file. */
static steme_status name_whole(struct parser *parser)
{
    struct steme_slice stem = scenario_stem(parser->file);
    if (parser->scenario->name) return STEME_OK;
    parser->line = 0;
    steme_status status = utf8_check_name(stem, "the file's name", parser->err);
    if (status)
        return place(parser, error_wrap(parser->err, status, "write name = TITLE, for the file's name can't be one"));
    stem = arena_copy(parser->arena, stem);
    parser->scenario->name = (const char *)stem.data;
    return stem.data ? STEME_OK : arena_full(parser->arena, parser->err);
}

static steme_status check_whole(struct parser *parser)
{
    steme_status status = check_questions(parser);
    for (size_t i = 0; i < parser->scenario->group_count && !status; i++)
        status = check_group(parser, &parser->scenario->groups[i]);
    if (!status) status = check_agents(parser);
    return status ? status : name_whole(parser);
}

static steme_status prepare(struct parser *parser)
{
    struct scenario *scenario = parser->scenario;
    size_t count;
    const struct steme_lens_info *lenses = steme_lens_list(&count);
    *scenario = (struct scenario){
        .seed = 1, .choices = 4, .tolerance = 2000, .shift = 10000, .roots = 5, .limit = 256
    };
    scenario->groups = arena_calloc(parser->arena, SCENARIO_GROUPS_MAX, sizeof *scenario->groups);
    scenario->lenses = arena_calloc(parser->arena, SCENARIO_LENSES_MAX, sizeof *scenario->lenses);
    if (!scenario->groups || !scenario->lenses) return arena_full(parser->arena, parser->err);
    for (size_t i = 0; i < count && i < SCENARIO_LENSES_MAX; i++)
        scenario->lenses[scenario->lens_count++] = (struct scenario_lens){ .name = lenses[i].name,
                                                                           .lens.name = lenses[i].name };
    return STEME_OK;
}

static steme_status take_line(struct parser *parser, struct steme_slice line)
{
    if (!utf8_valid(line))
        return refuse(parser, STEME_BAD_INPUT, "the line is not UTF-8: save the scenario as text in UTF-8");
    for (size_t i = 0; i < line.size; i++)
        if (line.data[i] < ' ' && !is_blank(line.data[i]))
            return refuse(parser, STEME_BAD_INPUT,
                          "there is a control character in the line: a scenario is plain text");
    line = trim(cut_comment(line));
    if (line.size == 0) return STEME_OK;
    return line.data[0] == '[' ? take_section(parser, line) : take_setting(parser, line);
}

static steme_status check_size(struct parser *parser, struct steme_slice text)
{
    if (text.size <= SCENARIO_BYTES_MAX) return STEME_OK;
    parser->line = 1;
    for (size_t i = 0; i < SCENARIO_BYTES_MAX; i++)
        parser->line += text.data[i] == '\n';
    return refuse(parser, STEME_TOO_LARGE, "a scenario has at most %d bytes, and they end in this line",
                  (int)SCENARIO_BYTES_MAX);
}

steme_status scenario_parse(struct steme_slice text, const char *file, struct arena *arena, struct scenario *out,
                            struct steme_error *err)
{
    struct scenario scenario = { 0 };
    struct parser parser = { .file = file, .arena = arena, .scenario = &scenario, .target = &scenario, .err = err };
    steme_status status = check_size(&parser, text);
    if (!status) status = prepare(&parser);
    for (size_t from = slice_starts(text, slice_text(byte_order_mark)) ? sizeof byte_order_mark - 1 : 0;
         from < text.size && !status;) {
        const uint8_t *end = memchr(text.data + from, '\n', text.size - from);
        size_t size = end ? (size_t)(end - text.data) - from : text.size - from;
        parser.line++;
        status = take_line(&parser, slice_of(text.data + from, size));
        from += size + 1;
    }
    if (!status) status = end_section(&parser);
    if (!status) status = find_attackers(&parser);
    if (!status) status = check_whole(&parser);
    if (!status) *out = scenario;
    return status;
}

const char *scenario_file(const char *path) { return strcmp(path, "-") == 0 ? "stdin" : path; }

steme_status scenario_load(const char *path, struct arena *arena, struct scenario *out, struct steme_error *err)
{
    bool piped = strcmp(path, "-") == 0;
    FILE *file = piped ? stdin : fopen(path, "rb");
    if (piped && feof(stdin)) return error_set(err, STEME_BAD_INPUT, "standard input can be read only once");
    if (!file)
        return error_set_os(err, errno == ENOENT ? STEME_NOT_FOUND : STEME_IO, errno, "can't read the scenario %.300s",
                            path);
    uint8_t *text = malloc(SCENARIO_BYTES_MAX + 1);
    size_t size = text ? fread(text, 1, SCENARIO_BYTES_MAX + 1, file) : 0;
    steme_status status = STEME_OK;
    if (!text)
        status = error_set(err, STEME_NO_MEMORY, "no memory to read the scenario %.300s", path);
    else if (ferror(file))
        status = error_set_os(err, STEME_IO, errno, "can't read the scenario %.300s", path);
    if (!piped) fclose(file); /* it was only read */
    if (!status) status = scenario_parse(slice_of(text, size), scenario_file(path), arena, out, err);
    free(text);
    return status;
}

struct steme_slice scenario_stem(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    const char *dot = strrchr(name, '.');
    return slice_of(name, dot && dot > name ? (size_t)(dot - name) : strlen(name));
}

uint32_t scenario_attack(const struct scenario *scenario)
{
    const struct scenario_group *group = scenario->attackers;
    if (!group) return 0;
    return group->kind == SCENARIO_COMPROMISED ? group->stolen : group->count;
}

uint32_t scenario_attack_max(const struct scenario *scenario)
{
    const struct scenario_group *group = scenario->attackers;
    if (!group) return 0;
    return group->kind == SCENARIO_COMPROMISED ? group->count : scenario->limit;
}

uint32_t scenario_others(const struct scenario *scenario)
{
    uint32_t count = 0;
    for (size_t i = 0; i < scenario->group_count; i++) {
        const struct scenario_group *group = &scenario->groups[i];
        if (group != scenario->attackers || group->kind == SCENARIO_COMPROMISED) count += group->count;
    }
    return count;
}
