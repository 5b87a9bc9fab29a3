/* SPDX-License-Identifier: Apache-2.0 */
#include "faces/cli/ballot.h"
#include "base/check.h"
#include "base/codec.h"
#include "base/slice.h"
#include "faces/cli/unknown.h"
#include "faces/cli/wire.h"

#include <stdio.h>
#include <string.h>

enum { CLAIMS_LISTED = 5, LIST_BYTES_MAX = 1 << 16 };

steme_status ballot_parse_stance(struct steme_slice text, enum steme_stance *out, struct steme_error *err)
{
    const char *names[3];
    char word[32];
    for (int stance = STEME_SUPPORT; stance <= STEME_ABSTAIN; stance++) {
        names[stance] = wire_stance_name((enum steme_stance)stance);
        if (!slice_equal(text, slice_text(names[stance]))) continue;
        *out = (enum steme_stance)stance;
        return STEME_OK;
    }
    (void)snprintf(word, sizeof word, "%.*s", text.size < sizeof word ? (int)text.size : (int)sizeof word - 1,
                   text.size ? (const char *)text.data : "");
    return unknown_word(err, STEME_BAD_INPUT, "stance", word, names, countof(names));
}

/* Whether people would call the value so: as it is printed, or by its number alone. */
static bool reads_as(const struct steme_value *value, struct steme_slice text)
{
    char line[2 * STEME_NAME_MAX];
    size_t size = steme_print_value(value, line, sizeof line);
    if (size < sizeof line && slice_equal(slice_of(line, size), text)) return true;
    if (value->kind == STEME_ENTITY || value->kind == STEME_TEXT) return slice_equal(value->text, text);
    if (value->kind != STEME_QUANTITY && value->kind != STEME_DECIMAL) return false;
    steme_print_decimal(value->amount, line);
    return slice_equal(slice_text(line), text);
}

/* The claims that read so: people tell them apart by their kinds, and by what stands in them. */
static void list_claim(struct buf *list, const struct steme_value *value)
{
    char line[2 * STEME_NAME_MAX];
    size_t size = steme_print_value(value, line, sizeof line);
    buf_append_text(list, list->size ? ", " : "");
    print_append_clean(list, slice_of(line, size < sizeof line ? size : sizeof line - 1), 80);
    buf_printf(list, " (%s)", object_kind_name(value->kind));
}

/* The only live claim of the slot that the words name. Its id needs a value with all its parts, so it is taken from the
 * claims there are. */
static steme_status find_claim(struct cli *cli, const struct ballot_text *ballot, struct steme_hash *out,
                               struct steme_error *err)
{
    const struct object_text *text = &ballot->object;
    struct steme_value value;
    struct steme_answer answer;
    struct steme_question question = {
        .subject = ballot->subject,
        .predicate = ballot->predicate,
        .key_qualifiers = ballot->keys,
        .key_qualifier_count = ballot->key_count,
        .lens = { .name = "union" },
    };
    bool exact = text->type.data || text->plus.data || text->minus.data || text->unit.data || text->language.data;
    steme_status status = object_parse(text, &value, err);
    if (!status) status = cli_snapshot(cli, err);
    if (!status) status = steme_resolve(cli->snapshot, &question, &answer, err);
    if (status) return status;
    size_t found = 0;
    struct buf list;
    buf_init(&list, LIST_BYTES_MAX);
    for (size_t i = 0; i < answer.belief_count; i++) {
        const struct steme_value *claimed = &answer.beliefs[i].value;
        if (!object_equal(claimed, &value) && (exact || !reads_as(claimed, text->object))) continue;
        *out = answer.beliefs[i].claim;
        if (found++ < CLAIMS_LISTED) list_claim(&list, claimed);
    }
    if (found > CLAIMS_LISTED) buf_append_text(&list, " ...");
    status = buf_check(&list, err);
    if (!status && found > 1)
        status = error_set(err, STEME_BAD_INPUT, "%zu claims read so: %.*s", found, SLICE_PRINT(buf_slice(&list)));
    buf_deinit(&list);
    if (status || found == 1) {
        if (found > 1)
            cli_hint(cli, "--type, --plus, --minus, --unit and --lang tell them apart, or --claim-id names one");
        return status;
    }
    cli_hint(cli, "`steme resolve SUBJECT PREDICATE --lens union` lists the claims");
    return error_set(err, STEME_NOT_FOUND, "nobody claims that now: there is no such claim to vote on");
}

/* Agents and sources are kept under the beginning of their id. */
static struct steme_target target_by_id(enum steme_target_kind kind, struct steme_hash id)
{
    return (struct steme_target){ .kind = kind, .route = load_u64be(id.bytes), .hash = id };
}

/* The library's look-ups take whole strings. */
static steme_status copy_text(struct arena *arena, struct steme_slice text, const char **out, struct steme_error *err)
{
    char *copy = arena_calloc(arena, text.size + 1, 1);
    if (!copy) return arena_full(arena, err);
    if (text.size) memcpy(copy, text.data, text.size);
    *out = copy;
    return STEME_OK;
}

static steme_status find_agent(struct cli *cli, const char *text, struct steme_target *out, struct steme_error *err)
{
    struct steme_key key;
    steme_status status = cli_find_key(cli, text, &key, err);
    if (!status) *out = target_by_id(STEME_ON_AGENT, steme_agent_id(&key));
    return status;
}

static steme_status find_record(struct cli *cli, const char *text, struct steme_target *out, struct steme_error *err)
{
    struct steme_hash id;
    steme_status status = cli_find_id(cli, text, &id, err);
    if (!status) status = cli_snapshot(cli, err);
    return status ? status : steme_target_of(cli->snapshot, &id, out, err);
}

static steme_status find_epoch(struct cli *cli, struct steme_slice text, struct steme_target *out,
                               struct steme_error *err)
{
    struct steme_hash id;
    steme_status status = cli_find_epoch(cli, text, &id, err);
    if (!status) *out = target_by_id(STEME_ON_EPOCH, id);
    return status;
}

steme_status ballot_find_target(struct cli *cli, const struct ballot_text *text, struct steme_target *out,
                                struct steme_error *err)
{
    const char *target = NULL;
    struct arena_mark start = arena_mark(&cli->arena);
    steme_status status = copy_text(&cli->arena, text->target, &target, err);
    if (status) return status;
    switch (text->kind) {
    case STEME_ON_AGENT: status = find_agent(cli, target, out, err); break;
    case STEME_ON_EPOCH: status = find_epoch(cli, text->target, out, err); break;
    case STEME_ON_SOURCE: *out = target_by_id(STEME_ON_SOURCE, steme_source_id(text->target)); break;
    case STEME_ON_CLAIM:
        *out = (struct steme_target){ .kind = STEME_ON_CLAIM, .route = steme_route(text->subject) };
        status = text->target.data ? steme_parse_hash(text->target, &out->hash, err)
                                   : find_claim(cli, text, &out->hash, err);
        break;
    case STEME_ON_ASSERTION:
    case STEME_ON_VOTE: status = find_record(cli, target, out, err); break;
    }
    arena_rewind(&cli->arena, start);
    return status;
}
