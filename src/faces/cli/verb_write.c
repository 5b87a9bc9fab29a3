/* SPDX-License-Identifier: Apache-2.0 */
/* assert and vote. */
#include "base/check.h"
#include "base/slice.h"
#include "faces/cli/ballot.h"
#include "faces/cli/object.h"
#include "faces/cli/scalar.h"
#include "faces/cli/unknown.h"
#include "faces/cli/verbs.h"
#include "faces/cli/wire.h"

#include <stdio.h>
#include <string.h>

const struct option_spec object_options[] = {
    { "type", "TYPE",
      "entity text integer decimal quantity time boolean blob unknown none; else text, of a vote what reads so",
      false },
    { "plus", "N", "quantity: upper error; alone it is the lower one too", false },
    { "minus", "N", "quantity: lower error; alone it is the upper one too", false },
    { "unit", "UNIT", "quantity: such as km/s/Mpc", false },
    { "lang", "TAG", "text: language, such as en", false },
    { "key", "NAME=VALUE", "qualifier that is part of the question; may be repeated", true },
    { 0 },
};

const struct option_spec assert_options[] = {
    { "not", NULL, "state that the object is not the answer", false },
    { "confidence", "P", "how sure, 0 to 1; else 1", false },
    { "source", "NAME", "who states it, when the signer only relays it", false },
    { "evidence", "[STANCE=]TARGET[#WHERE]",
      "what it leans on: a whole id or a URI; STANCE supports (else), refutes or context; may be repeated", true },
    { "valid-from", "TIME", "when it began to be so in the world", false },
    { "valid-to", "TIME", "when it ceased to be so", false },
    { "asserted-at", "TIME", "when it was stated; else now", false },
    { "epoch", "NAME|ID", "the epoch within which it is meant", false },
    { "parent", "ID", "an assertion it was derived from; may be repeated", true },
    { "qualifier", "NAME=VALUE", "a detail of the act; may be repeated", true },
    { 0 },
};

const struct option_spec vote_options[] = {
    { "probability", "P", "how sure you are of the stance, 0 to 1; else 1", false },
    { "reason", "TEXT", "why", false },
    { "claim", NULL, "vote on a claim: SUBJECT PREDICATE OBJECT STANCE", false },
    { "claim-id", "ID", "vote on a claim by its id; needs --subject", false },
    { "subject", "NAME", "subject of the claim of --claim-id", false },
    { "agent", "KEY|HEX", "endorse or refute a signer: a key's name here, or a public key", false },
    { "source", "NAME", "vote on a source", false },
    { "batch", "FILE|-", "many votes, a line each: a TSV file with a header, or NDJSON", false },
    { "format", "FORMAT", "of --batch: ndjson or tsv; else by the file's name, else by its first character", false },
    { "dry-run", NULL, "of --batch: check every line, write nothing to the store", false },
    { "rejects", "FILE",
      "of --batch: write the number of each rejected line and the reason there; replaced if there are any", false },
    { "verbose", NULL, "of --batch: list all rejected lines, not the first 20", false },
    { "ids", NULL, "of --batch: print the id of each vote once it is durable", false },
    { 0 },
};

static struct steme_slice option_slice(const struct cli *cli, const char *name)
{
    return slice_text(cli_option(cli, name));
}

static struct object_text read_object_text(const struct cli *cli, const char *object)
{
    return (struct object_text){
        .object = slice_text(object),
        .type = option_slice(cli, "type"),
        .plus = option_slice(cli, "plus"),
        .minus = option_slice(cli, "minus"),
        .unit = option_slice(cli, "unit"),
        .language = option_slice(cli, "lang"),
    };
}

/* Take "STANCE=" off the front of *text. A word of another kind there is no beginning of a URI, which has a colon
 * before any "=": it is a stance mistyped, and what was meant to refute would support. */
static steme_status take_stance(const char **text, enum steme_stance *out, struct steme_error *err)
{
    const char *names[STEME_ABSTAIN + 1];
    char word[32];
    size_t size = strcspn(*text, "=:#/");
    *out = STEME_SUPPORT;
    if ((*text)[size] != '=') return STEME_OK;
    for (int stance = STEME_SUPPORT; stance <= STEME_ABSTAIN; stance++) {
        names[stance] = wire_evidence_stance_name((enum steme_stance)stance);
        if (strlen(names[stance]) != size || strncmp(*text, names[stance], size) != 0) continue;
        *out = (enum steme_stance)stance;
        *text += size + 1;
        return STEME_OK;
    }
    snprintf(word, sizeof word, "%.*s", (int)size < (int)sizeof word ? (int)size : (int)sizeof word - 1, *text);
    return unknown_word(err, STEME_BAD_INPUT, "stance of evidence", word, names, countof(names));
}

/* RFC 3986: a letter, then letters, digits, "+", "-" and ".", up to a colon that something follows. */
static bool has_scheme(struct steme_slice text)
{
    size_t size = 0;
    for (; size < text.size && text.data[size] != ':'; size++) {
        uint8_t c = text.data[size], lower = c | 0x20;
        bool letter = lower >= 'a' && lower <= 'z';
        bool other = (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
        if (!letter && (size == 0 || !other)) return false;
    }
    return size > 0 && size + 1 < text.size;
}

/* [supports=|refutes=|context=]TARGET[#LOCATOR] */
static steme_status parse_evidence(const char *text, struct steme_evidence *out, struct steme_error *err)
{
    struct steme_evidence evidence = { .stance = STEME_SUPPORT };
    steme_status status = take_stance(&text, &evidence.stance, err);
    if (status) return status;
    const char *hash_sign = strrchr(text, '#');
    struct steme_slice target = hash_sign ? slice_of(text, (size_t)(hash_sign - text)) : slice_text(text);
    if (hash_sign) evidence.locator = slice_text(hash_sign + 1);
    if (target.size == 0) return error_set(err, STEME_BAD_INPUT, "--evidence names no target; it takes an id or a URI");
    struct steme_error ignored;
    evidence.has_target = steme_parse_hash(target, &evidence.target, &ignored) == STEME_OK;
    if (!evidence.has_target && !has_scheme(target))
        return error_set(err, STEME_BAD_INPUT,
                         "--evidence takes a whole id, 64 hex digits, or a URI such as doi:10.1086/502980, not '%.*s'",
                         target.size > 64 ? 64 : (int)target.size, (const char *)target.data);
    if (!evidence.has_target) evidence.uri = target;
    *out = evidence;
    return STEME_OK;
}

static steme_status read_evidence(struct cli *cli, struct steme_assertion *it, struct steme_error *err)
{
    size_t count = options_count(&cli->options, "evidence");
    struct steme_evidence *evidence = arena_calloc(&cli->arena, count, sizeof *evidence);
    if (!evidence) return arena_full(&cli->arena, err);
    for (size_t i = 0; i < count; i++) {
        steme_status status = parse_evidence(options_nth(&cli->options, "evidence", i), &evidence[i], err);
        if (status) return status;
    }
    it->evidence = evidence;
    it->evidence_count = count;
    return STEME_OK;
}

static steme_status read_qualifiers(struct cli *cli, struct steme_assertion *it, struct steme_error *err)
{
    size_t key_count = options_count(&cli->options, "key");
    size_t count = key_count + options_count(&cli->options, "qualifier");
    struct steme_qualifier *qualifiers = arena_calloc(&cli->arena, count, sizeof *qualifiers);
    if (!qualifiers) return arena_full(&cli->arena, err);
    steme_status status = cli_qualifiers(cli, "key", true, qualifiers, err);
    if (!status) status = cli_qualifiers(cli, "qualifier", false, qualifiers + key_count, err);
    it->qualifiers = qualifiers;
    it->qualifier_count = count;
    return status;
}

/* All that needs no store. */
static steme_status read_assertion(struct cli *cli, struct steme_assertion *it, struct steme_error *err)
{
    const char *confidence = cli_option(cli, "confidence");
    const struct {
        const char *option;
        int64_t *to;
    } times[] = {
        { "valid-from", &it->valid_from_us },
        { "valid-to", &it->valid_to_us },
        { "asserted-at", &it->asserted_at_us },
    };
    struct object_text object = read_object_text(cli, cli_argument(cli, 2));
    it->subject = slice_text(cli_argument(cli, 0));
    it->predicate = slice_text(cli_argument(cli, 1));
    it->negated = cli_has(cli, "not");
    it->source = option_slice(cli, "source");
    steme_status status = object_parse(&object, &it->object, err);
    if (!status && confidence)
        status = scalar_parse_share(slice_text(confidence), "confidence", &it->confidence_ppm, err);
    for (size_t i = 0; i < countof(times) && !status; i++)
        if (cli_has(cli, times[i].option))
            status = scalar_parse_time(option_slice(cli, times[i].option), times[i].option, cli->now_us, times[i].to,
                                       err);
    if (!status) status = read_evidence(cli, it, err);
    if (!status) status = read_qualifiers(cli, it, err);
    return status;
}

static steme_status read_parents(struct cli *cli, struct steme_assertion *it, struct steme_error *err)
{
    size_t count = options_count(&cli->options, "parent");
    struct steme_hash *parents = arena_calloc(&cli->arena, count, sizeof *parents);
    if (!parents) return arena_full(&cli->arena, err);
    for (size_t i = 0; i < count; i++) {
        steme_status status = cli_find_id(cli, options_nth(&cli->options, "parent", i), &parents[i], err);
        if (status) return status;
    }
    it->parents = parents;
    it->parent_count = count;
    return STEME_OK;
}

steme_status verb_assert(struct cli *cli, struct steme_error *err)
{
    struct steme_record record = { .type = STEME_ASSERTION };
    struct steme_assertion *it = &record.as.assertion;
    struct steme_receipt receipt;
    const char *epoch = cli_option(cli, "epoch");
    it->confidence_ppm = STEME_PPM;
    it->asserted_at_us = cli->now_us;
    it->valid_from_us = STEME_TIME_MIN;
    it->valid_to_us = STEME_TIME_MAX;
    steme_status status = read_assertion(cli, it, err);
    if (!status) status = cli_open(cli, true, err);
    if (!status) status = cli_signer(cli, err);
    if (!status) status = read_parents(cli, it, err);
    it->has_epoch = epoch != NULL;
    if (!status && epoch) status = cli_find_epoch(cli, slice_text(epoch), &it->epoch, err);
    if (!status) status = steme_write(cli->store, cli->signer, &record, &receipt, err);
    return status ? status : cli_print_receipt(cli, &receipt, err);
}

/* ---- vote ---- */

/* What the command's form says the vote is on. */
static steme_status read_target(struct cli *cli, struct ballot_text *out, struct steme_error *err)
{
    const char *agent = cli_option(cli, "agent"), *source = cli_option(cli, "source");
    const char *claim_id = cli_option(cli, "claim-id");
    bool claim = cli_has(cli, "claim");
    size_t key_count = options_count(&cli->options, "key");
    struct steme_qualifier *keys = arena_calloc(&cli->arena, key_count, sizeof *keys);
    if (!keys) return arena_full(&cli->arena, err);
    *out = (struct ballot_text){ .kind = agent             ? STEME_ON_AGENT
                                       : source            ? STEME_ON_SOURCE
                                       : claim || claim_id ? STEME_ON_CLAIM
                                                           : STEME_ON_ASSERTION,
                                 .target = slice_text(agent      ? agent
                                                      : source   ? source
                                                      : claim_id ? claim_id
                                                      : claim    ? NULL
                                                                 : cli_argument(cli, 0)),
                                 .subject = claim ? slice_text(cli_argument(cli, 0)) : option_slice(cli, "subject"),
                                 .predicate = slice_text(claim ? cli_argument(cli, 1) : NULL),
                                 .object = read_object_text(cli, claim ? cli_argument(cli, 2) : NULL),
                                 .keys = keys,
                                 .key_count = key_count };
    return cli_qualifiers(cli, "key", true, keys, err);
}

/* How many words the form of the command takes, the stance being the last. */
static steme_status check_form(const struct cli *cli, struct steme_error *err)
{
    static const char *const batch_only[] = { "ids", "format", "dry-run", "rejects", "verbose" };
    bool claim = cli_has(cli, "claim");
    bool claim_id = cli_has(cli, "claim-id");
    bool agent = cli_has(cli, "agent");
    bool source = cli_has(cli, "source");
    int forms = claim + claim_id + agent + source;
    size_t wanted = claim ? 4 : forms ? 1 : 2;
    for (size_t i = 0; i < countof(batch_only); i++)
        if (cli_has(cli, batch_only[i]))
            return error_set(err, STEME_BAD_INPUT, "--%s goes with --batch", batch_only[i]);
    if (forms > 1) return error_set(err, STEME_BAD_INPUT, "give one of --claim, --claim-id, --agent and --source");
    if (claim_id != cli_has(cli, "subject"))
        return error_set(err, STEME_BAD_INPUT, "--claim-id and --subject go together");
    if (cli->options.argument_count != wanted)
        return error_set(err, STEME_BAD_INPUT, "%s",
                         claim   ? "--claim takes four words: SUBJECT PREDICATE OBJECT STANCE"
                         : forms ? "one word is expected: support, refute or abstain"
                                 : "two words are expected: ID and support, refute or abstain");
    return STEME_OK;
}

steme_status verb_vote(struct cli *cli, struct steme_error *err)
{
    struct steme_record record = { .type = STEME_VOTE };
    struct steme_vote *it = &record.as.vote;
    struct steme_receipt receipt;
    struct ballot_text text;
    const char *probability = cli_option(cli, "probability");
    if (cli_has(cli, "batch")) return import_votes(cli, cli_option(cli, "batch"), err);
    it->probability_ppm = STEME_PPM;
    it->cast_at_us = cli->now_us;
    it->reason = option_slice(cli, "reason");
    steme_status status = check_form(cli, err);
    if (status) cli_hint(cli, "`steme help vote` shows the forms it takes");
    if (!status)
        status = ballot_parse_stance(slice_text(cli_argument(cli, cli->options.argument_count - 1)), &it->stance, err);
    if (!status && probability)
        status = scalar_parse_share(slice_text(probability), "probability", &it->probability_ppm, err);
    if (!status) status = cli_open(cli, true, err);
    if (!status) status = cli_signer(cli, err);
    if (!status) status = read_target(cli, &text, err);
    if (!status) status = ballot_find_target(cli, &text, &it->target, err);
    if (!status) status = steme_write(cli->store, cli->signer, &record, &receipt, err);
    return status ? status : cli_print_receipt(cli, &receipt, err);
}
