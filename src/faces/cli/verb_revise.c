/* SPDX-License-Identifier: Apache-2.0 */
/* retract and supersede. */
#include "base/check.h"
#include "base/slice.h"
#include "faces/cli/unknown.h"
#include "faces/cli/verbs.h"
#include "faces/cli/wire.h"

#include <string.h>

const struct option_spec retract_options[] = {
    { "reason", "TEXT", "why", false },
    { 0 },
};

const struct option_spec supersede_options[] = {
    { "with", "NEW...", "the records that take their place", true },
    { "kind", "KIND", "update (the world changed) or correct (it was wrong from the start)", false },
    { "reason", "TEXT", "why", false },
    { 0 },
};

static const struct steme_key *author_of(const struct steme_record *record)
{
    switch (record->type) {
    case STEME_ASSERTION: return &record->as.assertion.author;
    case STEME_VOTE: return &record->as.vote.voter;
    case STEME_EPOCH: return &record->as.epoch.author;
    case STEME_REVISION: return &record->as.revision.author;
    case STEME_BUNDLE: return &record->as.bundle.author;
    case STEME_VIEW: return &record->as.view.author;
    }
    unreachable_here();
}

/* A revision of somebody else's record is a proposal: say so before it disappoints. */
static steme_status note_proposal(struct cli *cli, const struct steme_hash *id, struct steme_error *err)
{
    struct steme_entry entry;
    struct steme_key mine = steme_signer_key(cli->signer);
    char short_id[SHORT_ID_BYTES];
    steme_status status = steme_get(cli->snapshot, id, &entry, err);
    if (status) return status;
    const struct steme_key *author = author_of(&entry.record);
    if (memcmp(author, &mine, sizeof mine) != 0)
        cli_note(cli, "%s was signed by %s: by another key this is a proposal, not in force",
                 cli_short_id(id, short_id), cli_key_name(cli, author));
    return STEME_OK;
}

static steme_status find_targets(struct cli *cli, struct steme_revision *it, struct steme_error *err)
{
    size_t count = cli->options.argument_count;
    struct steme_target *targets = arena_calloc(&cli->arena, count, sizeof *targets);
    if (!targets) return arena_full(&cli->arena, err);
    steme_status status = cli_snapshot(cli, err);
    for (size_t i = 0; i < count && !status; i++) {
        struct steme_hash id;
        status = cli_find_id(cli, cli_argument(cli, i), &id, err);
        if (!status) status = steme_target_of(cli->snapshot, &id, &targets[i], err);
        if (!status) status = note_proposal(cli, &id, err);
    }
    it->targets = targets;
    it->target_count = count;
    return status;
}

static steme_status find_replacements(struct cli *cli, struct steme_revision *it, struct steme_error *err)
{
    size_t count = options_count(&cli->options, "with");
    struct steme_hash *replacements = arena_calloc(&cli->arena, count, sizeof *replacements);
    if (!replacements) return arena_full(&cli->arena, err);
    for (size_t i = 0; i < count; i++) {
        steme_status status = cli_find_id(cli, options_nth(&cli->options, "with", i), &replacements[i], err);
        if (status) return status;
    }
    it->replacements = replacements;
    it->replacement_count = count;
    return STEME_OK;
}

static steme_status write_revision(struct cli *cli, enum steme_revision_kind kind, bool replaces,
                                   struct steme_error *err)
{
    struct steme_record record = { .type = STEME_REVISION };
    struct steme_revision *it = &record.as.revision;
    struct steme_receipt receipt;
    it->kind = kind;
    it->revised_at_us = cli->now_us;
    it->reason = slice_text(cli_option(cli, "reason"));
    steme_status status = cli_open(cli, true, err);
    if (!status) status = cli_signer(cli, err);
    if (!status) status = find_targets(cli, it, err);
    if (!status && replaces) status = find_replacements(cli, it, err);
    if (!status) status = steme_write(cli->store, cli->signer, &record, &receipt, err);
    return status ? status : cli_print_receipt(cli, &receipt, err);
}

steme_status verb_retract(struct cli *cli, struct steme_error *err)
{
    return write_revision(cli, STEME_RETRACT, false, err);
}

steme_status verb_supersede(struct cli *cli, struct steme_error *err)
{
    static const char *const kinds[] = { "correct", "update" };
    const char *kind = cli_option(cli, "kind");
    bool update = kind && strcmp(kind, "update") == 0;
    bool correct = kind && strcmp(kind, "correct") == 0;
    if (!cli_has(cli, "with"))
        return error_set(err, STEME_BAD_INPUT, "--with is missing: which records take their place?");
    if (!kind)
        return error_set(err, STEME_BAD_INPUT,
                         "--kind is missing: update (the world changed) or correct (it was wrong)");
    if (!update && !correct) return unknown_word(err, STEME_BAD_INPUT, "kind", kind, kinds, countof(kinds));
    return write_revision(cli, update ? STEME_UPDATE : STEME_CORRECT, true, err);
}
