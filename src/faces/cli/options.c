/* SPDX-License-Identifier: Apache-2.0 */
#include "faces/cli/options.h"
#include "base/check.h"
#include "base/slice.h"
#include "base/suggest.h"

#include <string.h>

enum { NAMES_MAX = 64 }; /* options one verb may take, all tables together */

/* Words such as --x; not "--", "-" or "-5". */
static bool looks_like_option(const char *word)
{
    if (word[0] != '-' || word[1] == '\0') return false;
    return word[1] == '-' ? word[2] != '\0' : (word[1] | 0x20) >= 'a' && (word[1] | 0x20) <= 'z';
}

static const struct option_spec *find_spec(const struct options *options, const char *name, size_t size)
{
    for (size_t t = 0; t < OPTION_TABLES_MAX && options->tables[t]; t++)
        for (const struct option_spec *spec = options->tables[t]; spec->name; spec++)
            if (strlen(spec->name) == size && memcmp(spec->name, name, size) == 0) return spec;
    return NULL;
}

static steme_status report_unknown(const struct options *options, const char *word, struct steme_error *err)
{
    const char *names[NAMES_MAX];
    size_t count = 0;
    for (size_t t = 0; t < OPTION_TABLES_MAX && options->tables[t]; t++)
        for (const struct option_spec *spec = options->tables[t]; spec->name && count < NAMES_MAX; spec++)
            names[count++] = spec->name;
    const char *name = word + (word[1] == '-' ? 2 : 1);
    const char *near = suggest_nearest(slice_of(name, strcspn(name, "=")), names, count);
    if (near) return error_set(err, STEME_BAD_INPUT, "unknown option %.64s; did you mean --%s?", word, near);
    return error_set(err, STEME_BAD_INPUT, "unknown option %.64s", word);
}

static void add_flag(struct options *options, const struct option_spec *spec)
{
    options->uses[options->use_count++] = (struct option_use){ .spec = spec };
}

/* What is given and then dropped in silence may stay in a record for ever: an empty value, or one of two. */
static steme_status add_value(struct options *options, const struct option_spec *spec, const char *value,
                              struct steme_error *err)
{
    if (value[0] == '\0')
        return error_set(err, STEME_BAD_INPUT, "the value of --%s is empty: give one, or leave the option out",
                         spec->name);
    for (size_t i = 0; i < options->use_count && !spec->many; i++)
        if (strcmp(options->uses[i].spec->name, spec->name) == 0)
            return error_set(err, STEME_BAD_INPUT, "--%s is there twice, '%.64s' and '%.64s': it takes one value",
                             spec->name, options->uses[i].value, value);
    options->uses[options->use_count++] = (struct option_use){ .spec = spec, .value = value };
    return STEME_OK;
}

/* Whether one use takes every word up to the next option. */
static bool takes_words(const struct option_spec *spec)
{
    size_t size = strlen(spec->value);
    return spec->many && size > 3 && strcmp(spec->value + size - 3, "...") == 0;
}

/* Take the option at words[*at] with its values; *at moves to the last word used. */
static steme_status take_option(struct options *options, const char *const *words, size_t count, size_t *at,
                                struct steme_error *err)
{
    const char *word = words[*at];
    if (word[1] != '-') {
        bool is_help = strcmp(word, "-h") == 0;
        const struct option_spec *help = is_help ? find_spec(options, "help", 4) : NULL;
        if (!help) return report_unknown(options, word, err);
        add_flag(options, help);
        return STEME_OK;
    }
    const char *name = word + 2;
    size_t size = strcspn(name, "=");
    const struct option_spec *spec = find_spec(options, name, size);
    if (!spec) return report_unknown(options, word, err);
    bool attached = name[size] == '=';
    if (!spec->value) {
        if (attached) return error_set(err, STEME_BAD_INPUT, "--%s takes no value", spec->name);
        add_flag(options, spec);
        return STEME_OK;
    }
    /* A value may begin with a dash ("--minus -5" is judged by who reads it), but an option's name is no value. */
    if (!attached && (*at + 1 >= count || (looks_like_option(words[*at + 1]) && words[*at + 1][1] == '-')))
        return error_set(err, STEME_BAD_INPUT, "--%s needs a value: --%s %s", spec->name, spec->name, spec->value);
    steme_status status = add_value(options, spec, attached ? name + size + 1 : words[++*at], err);
    while (!status && takes_words(spec) && *at + 1 < count && words[*at + 1][0] != '-')
        status = add_value(options, spec, words[++*at], err);
    return status;
}

steme_status options_parse(struct options *options, const char *const *words, size_t count, struct arena *arena,
                           struct steme_error *err)
{
    options->use_count = 0;
    options->argument_count = 0;
    options->uses = arena_calloc(arena, count, sizeof *options->uses); /* each word is at most one of either */
    options->arguments = arena_calloc(arena, count, sizeof *options->arguments);
    if (!options->uses || !options->arguments) return arena_full(arena, err);
    bool ended = false;
    for (size_t i = 0; i < count; i++) {
        if (!ended && strcmp(words[i], "--") == 0) {
            ended = true;
        } else if (ended || !looks_like_option(words[i])) {
            options->arguments[options->argument_count++] = words[i];
        } else {
            steme_status status = take_option(options, words, count, &i, err);
            if (status) return status;
        }
    }
    return STEME_OK;
}

size_t options_count(const struct options *options, const char *name)
{
    /* Invariant: only options of the tables are asked for. A name misspelled here would read as "not given". */
    invariant(find_spec(options, name, strlen(name)));
    size_t count = 0;
    for (size_t i = 0; i < options->use_count; i++)
        if (strcmp(options->uses[i].spec->name, name) == 0) count++;
    return count;
}

const char *options_nth(const struct options *options, const char *name, size_t index)
{
    for (size_t i = 0; i < options->use_count; i++)
        if (strcmp(options->uses[i].spec->name, name) == 0 && index-- == 0) return options->uses[i].value;
    unreachable_here();
}

bool options_has(const struct options *options, const char *name) { return options_count(options, name) > 0; }

const char *options_value(const struct options *options, const char *name)
{
    size_t count = options_count(options, name);
    return count ? options_nth(options, name, count - 1) : NULL;
}
