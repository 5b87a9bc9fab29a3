/* SPDX-License-Identifier: Apache-2.0 */
/* Any lines as the words of a command line. A verb is found or the nearest named; what its options read as, written
 * out in full, reads as the same; and what they say about an object, a time, a share is read or refused in words. */
#include "base/arena.h"
#include "faces/cli/object.h"
#include "faces/cli/scalar.h"
#include "faces/cli/verbs.h"
#include "fuzz/input.h"

enum { WORDS_MAX = 64, MEMORY_MAX_BYTES = 1 << 24 };

static const int64_t now_us = 1700000000123456;

/* Refused for what was typed, with a sentence; not for anything else. */
static bool taken(steme_status status, struct steme_error *err)
{
    if (status == STEME_OK) return true;
    invariant((status == STEME_BAD_INPUT || status == STEME_TOO_LARGE) && err->message[0] != '\0');
    err->message[0] = '\0';
    return false;
}

static size_t split(struct steme_slice text, struct arena *arena, const char *words[WORDS_MAX])
{
    size_t count = 0;
    while (text.size > 0 && count < WORDS_MAX) {
        const uint8_t *end = memchr(text.data, '\n', text.size);
        size_t length = end ? (size_t)(end - text.data) : text.size;
        words[count] = (const char *)arena_copy(arena, slice_of(text.data, length)).data;
        invariant(words[count]);
        count++;
        length += end != NULL;
        text = slice_of(text.data + length, text.size - length);
    }
    return count;
}

static bool is_allowed(const struct options *options, const struct option_spec *spec)
{
    for (size_t t = 0; t < OPTION_TABLES_MAX && options->tables[t]; t++)
        for (const struct option_spec *row = options->tables[t]; row->name; row++)
            if (row == spec) return true;
    return false;
}

/* Each use as --name=VALUE, then "--" and the arguments: the same uses and arguments come back. */
static void check_again(const struct options *options, struct arena *arena)
{
    const char *words[2 * WORDS_MAX + 1];
    struct options again = *options;
    size_t count = 0;
    for (size_t i = 0; i < options->use_count; i++) {
        const struct option_use *use = &options->uses[i];
        struct buf word;
        invariant(is_allowed(options, use->spec) && (use->spec->value != NULL) == (use->value != NULL));
        buf_init(&word, MEMORY_MAX_BYTES);
        buf_append_text(&word, "--");
        buf_append_text(&word, use->spec->name);
        if (use->value) buf_append_text(&word, "=");
        if (use->value) buf_append_text(&word, use->value);
        words[count++] = (const char *)arena_copy(arena, buf_slice(&word)).data;
        buf_deinit(&word);
    }
    words[count++] = "--";
    for (size_t i = 0; i < options->argument_count; i++)
        words[count++] = options->arguments[i];
    steme_status status = options_parse(&again, words, count, arena, NULL);
    invariant(status == STEME_OK && again.use_count == options->use_count);
    invariant(again.argument_count == options->argument_count);
    for (size_t i = 0; i < options->use_count; i++) {
        const struct option_use *a = &options->uses[i], *b = &again.uses[i];
        invariant(a->spec == b->spec && (a->value ? strcmp(a->value, b->value) == 0 : !b->value));
    }
    for (size_t i = 0; i < options->argument_count; i++)
        invariant(strcmp(again.arguments[i], options->arguments[i]) == 0);
}

static struct steme_slice value_of(const struct options *options, const char *name)
{
    return slice_text(options_value(options, name));
}

/* As `assert` and `vote --claim` read it. */
static void check_object(const struct options *options)
{
    struct steme_error err = { 0 };
    struct steme_value value;
    const struct object_text text = {
        .object = slice_text(options->argument_count > 2 ? options->arguments[2] : NULL),
        .type = value_of(options, "type"),
        .plus = value_of(options, "plus"),
        .minus = value_of(options, "minus"),
        .unit = value_of(options, "unit"),
        .language = value_of(options, "lang"),
    };
    if (taken(object_parse(&text, &value, &err), &err)) invariant(value.kind <= STEME_NONE);
}

/* Every value as everything that a value can be. */
static void check_scalars(const char *value)
{
    struct steme_error err = { 0 };
    struct steme_moment moment = { .as_of_sequence = UINT64_MAX, .as_of_us = STEME_TIME_MAX };
    uint32_t ppm = 0;
    uint64_t number = 0;
    int64_t us = 0;
    if (taken(scalar_parse_share(slice_text(value), "share", &ppm, &err), &err)) invariant(ppm <= STEME_PPM);
    if (taken(scalar_parse_count(value, "count", 1000, &number, &err), &err)) invariant(number <= 1000);
    if (taken(scalar_parse_duration(value, "age", &us, &err), &err)) invariant(us > 0);
    if (taken(scalar_parse_as_of(value, now_us, &moment, &err), &err))
        invariant(moment.as_of_sequence == UINT64_MAX || moment.as_of_us == STEME_TIME_MAX);
}

static void check_qualifiers(struct cli *cli, const char *option, bool key)
{
    struct steme_error err = { 0 };
    size_t count = options_count(&cli->options, option);
    struct steme_qualifier *out = arena_calloc(&cli->arena, count, sizeof *out);
    invariant(out);
    if (!taken(cli_qualifiers(cli, option, key, out, &err), &err)) return;
    for (size_t i = 0; i < count; i++)
        invariant(out[i].key == key &&
                  out[i].name.size + 1 + out[i].value.size == strlen(options_nth(&cli->options, option, i)));
}

static void examine(struct cli *cli, const char *const *words, size_t count)
{
    struct steme_error err = { 0 };
    size_t used = 0;
    if (!taken(verbs_find(words, count, &cli->verb, &used, &err), &err)) return;
    invariant(used >= 1 && used <= 2 && used <= count);
    cli->options.tables[0] = cli_common_options;
    for (size_t i = 0; i + 1 < OPTION_TABLES_MAX; i++)
        cli->options.tables[i + 1] = cli->verb->options[i];
    if (!taken(options_parse(&cli->options, words + used, count - used, &cli->arena, &err), &err)) return;
    invariant(cli->options.use_count + cli->options.argument_count <= count - used);
    check_again(&cli->options, &cli->arena);
    for (size_t i = 0; i < cli->options.use_count; i++)
        if (cli->options.uses[i].value) check_scalars(cli->options.uses[i].value);
    for (size_t i = 0; i < countof(cli->verb->options) && cli->verb->options[i]; i++) {
        if (cli->verb->options[i] != object_options) continue;
        check_object(&cli->options);
        check_qualifiers(cli, "key", true);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *words[WORDS_MAX];
    struct cli cli = { .now_us = now_us };
    arena_init(&cli.arena, MEMORY_MAX_BYTES);
    size_t count = split(slice_of(data, size), &cli.arena, words);
    examine(&cli, words, count);
    arena_deinit(&cli.arena);
    return 0;
}
