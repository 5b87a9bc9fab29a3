/* SPDX-License-Identifier: Apache-2.0 */
#include "faces/cli/show.h"
#include "base/slice.h"
#include "base/text.h"
#include "faces/cli/object.h"
#include "faces/cli/wire.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_US INT64_C(1000000)
#define DAY_US (86400 * SECOND_US)

enum {
    VALUE_BYTES = 2 * STEME_NAME_MAX, /* a value's line that fits here needs no memory */
    LABEL_COLUMNS = 12,
    RECORDS_LOOKED_AT = 4096, /* before a vote, and behind it */
    LINE_BYTES_MAX = 1 << 24  /* of a document about one record: a bundle's members, a record's votes */
};

const char *show_time(int64_t us, char out[SCALAR_PRINT_BYTES])
{
    int64_t fraction_us = (us % SECOND_US + SECOND_US) % SECOND_US;
    scalar_print_time(us - fraction_us, out);
    if (out[0] != '@' && us % DAY_US == 0) out[10] = '\0'; /* the date of "1994-10-27T00:00:00Z" */
    return out;
}

const char *show_date(int64_t us, char out[SCALAR_PRINT_BYTES])
{
    scalar_print_time(us, out);
    if (out[0] != '@') out[10] = '\0';
    return out;
}

void show_value(struct buf *to, const struct steme_value *value, size_t columns)
{
    char line[VALUE_BYTES];
    size_t size = steme_print_value(value, line, sizeof line);
    print_append_clean(to, slice_of(line, size < sizeof line ? size : sizeof line - 1), columns);
}

struct steme_slice show_voice(struct cli *cli, const struct steme_assertion *assertion)
{
    return assertion->source.size > 0 ? assertion->source : slice_text(cli_key_name(cli, &assertion->author));
}

static void append_target(struct buf *to, const struct steme_target *target, const struct sources *sources)
{
    char short_id[SHORT_ID_BYTES];
    struct steme_slice name = { 0 };
    if (target->kind == STEME_ON_SOURCE) name = sources_name(sources, &target->hash);
    buf_printf(to, "%s ", wire_target_kind_name(target->kind));
    if (name.size > 0)
        print_append_clean(to, name, 60);
    else
        buf_append_text(to, cli_short_id(&target->hash, short_id));
}

static void append_reason(struct buf *to, struct steme_slice reason)
{
    if (reason.size == 0) return;
    buf_append_text(to, ": ");
    print_append_clean(to, reason, 80);
}

static void append_revision(struct buf *to, const struct steme_revision *it, const struct sources *sources)
{
    buf_printf(to, "%s ", wire_revision_kind_name(it->kind));
    append_target(to, &it->targets[0], sources);
    if (it->target_count > 1) buf_printf(to, " and %zu more", it->target_count - 1);
    char short_id[SHORT_ID_BYTES];
    if (it->replacement_count > 0) buf_printf(to, " by %s", cli_short_id(&it->replacements[0], short_id));
    if (it->replacement_count > 1) buf_printf(to, " and %zu more", it->replacement_count - 1);
    append_reason(to, it->reason);
}

void show_summary(struct buf *to, const struct steme_record *record, const struct sources *sources)
{
    switch (record->type) {
    case STEME_ASSERTION: {
        const struct steme_assertion *it = &record->as.assertion;
        print_append_clean(to, it->subject, 60);
        buf_append_text(to, "  ");
        print_append_clean(to, it->predicate, 40);
        buf_append_text(to, it->negated ? "  not " : "  ");
        show_value(to, &it->object, 60);
        break;
    }
    case STEME_VOTE:
        buf_printf(to, "%s ", wire_stance_name(record->as.vote.stance));
        append_target(to, &record->as.vote.target, sources);
        append_reason(to, record->as.vote.reason);
        break;
    case STEME_EPOCH: print_append_clean(to, record->as.epoch.name, 80); break;
    case STEME_REVISION: append_revision(to, &record->as.revision, sources); break;
    case STEME_BUNDLE:
        buf_printf(to, "%zu assertion%s", record->as.bundle.member_count,
                   record->as.bundle.member_count == 1 ? "" : "s");
        break;
    case STEME_VIEW:
        buf_append_text(to, record->as.view.dropped ? "drop " : "");
        print_append_clean(to, record->as.view.name, 80);
        break;
    }
}

/* ---- JSON ---- */

static void emit_ballots(struct emit *json, const char *name, const struct steme_ballot *ballots, size_t count)
{
    emit_begin(json, name, '[');
    for (size_t i = 0; i < count; i++) {
        wire_begin_entry(json, NULL, &ballots[i].entry, true);
        emit_bool(json, "counts", ballots[i].counts);
        emit_end(json, '}');
    }
    emit_end(json, ']');
}

static void emit_testimony(struct emit *json, const struct steme_testimony *testimony)
{
    if (!testimony->entry.is_signed) emit_hash(json, "bundle", &testimony->entry.bundle);
    emit_word(json, "standing", steme_standing_name(testimony->standing));
    emit_hash(json, "claim", &testimony->claim);
    emit_hash(json, "voice", &testimony->voice);
    emit_real(json, "weight", testimony->weight);
    emit_ballots(json, "votes", testimony->ballots, testimony->ballot_count);
    emit_begin(json, "revisions", '[');
    for (size_t i = 0; i < testimony->revision_count; i++) {
        wire_begin_entry(json, NULL, &testimony->revisions[i].entry, true);
        emit_bool(json, "effective", testimony->revisions[i].effective);
        emit_end(json, '}');
    }
    emit_end(json, ']');
}

void show_testimony_json(struct emit *json, const struct steme_testimony *testimony)
{
    wire_begin_entry(json, NULL, &testimony->entry, true);
    emit_testimony(json, testimony);
    emit_end(json, '}');
}

steme_status show_entry_json(struct cli *cli, const struct steme_entry *entry, bool with_members,
                             struct steme_error *err)
{
    struct buf line;
    buf_init(&line, LINE_BYTES_MAX);
    struct emit json = { .to = &line };
    wire_begin_entry(&json, NULL, entry, true);
    if (entry->record.type == STEME_BUNDLE && with_members) {
        const struct steme_bundle *it = &entry->record.as.bundle;
        emit_begin(&json, "members", '[');
        for (size_t i = 0; i < it->member_count; i++)
            emit_hash(&json, NULL, &it->members[i]);
        emit_end(&json, ']');
    }
    emit_end(&json, '}');
    steme_status status = cli_print_line(cli, &line, err);
    buf_deinit(&line);
    return status;
}

/* ---- for people ---- */

static void begin_field(struct cli *cli, const char *label)
{
    fputs("  ", cli->print.out);
    print_coloured(&cli->print, PRINT_DIM, "%-*s", LABEL_COLUMNS, label);
}

static void print_field(struct cli *cli, const char *label, struct steme_slice text)
{
    if (text.size == 0) return;
    begin_field(cli, label);
    print_coloured(&cli->print, PRINT_PLAIN, "%.*s", SLICE_PRINT(text));
    fputc('\n', cli->print.out);
}

static void print_time_field(struct cli *cli, const char *label, int64_t us)
{
    char text[SCALAR_PRINT_BYTES];
    print_field(cli, label, slice_text(show_time(us, text)));
}

static void print_id_field(struct cli *cli, const char *label, const struct steme_hash *id)
{
    char hex[STEME_PRINT_BYTES];
    steme_print_hash(id, hex);
    begin_field(cli, label);
    print_coloured(&cli->print, PRINT_YELLOW, "%s", hex);
    fputc('\n', cli->print.out);
}

static void print_share_field(struct cli *cli, const char *label, uint32_t ppm)
{
    char text[SCALAR_PRINT_BYTES];
    scalar_print_share(ppm, text);
    print_field(cli, label, slice_text(text));
}

static void print_key_field(struct cli *cli, const char *label, const struct steme_key *key)
{
    char hex[2 * sizeof key->bytes + 1];
    text_hex(key->bytes, sizeof key->bytes, hex);
    begin_field(cli, label);
    print_coloured(&cli->print, PRINT_PLAIN, "%s  %s", cli_key_name(cli, key), hex);
    fputc('\n', cli->print.out);
}

static void print_object(struct cli *cli, const struct steme_assertion *it)
{
    char line[VALUE_BYTES];
    size_t size = steme_print_value(&it->object, line, sizeof line);
    begin_field(cli, it->negated ? "not" : "object");
    if (it->object.kind == STEME_TEXT && size >= sizeof line)
        print_coloured(&cli->print, PRINT_BOLD, "%.*s", SLICE_PRINT(it->object.text));
    else
        print_coloured(&cli->print, PRINT_BOLD, "%.*s", size < sizeof line ? (int)size : VALUE_BYTES - 1, line);
    print_coloured(&cli->print, PRINT_DIM, "  (%s)", object_kind_name(it->object.kind));
    fputc('\n', cli->print.out);
}

static void print_evidence(struct cli *cli, const struct steme_evidence *it)
{
    char hex[STEME_PRINT_BYTES];
    if (it->has_target) steme_print_hash(&it->target, hex);
    struct steme_slice target = it->has_target ? slice_text(hex) : it->uri;
    begin_field(cli, wire_evidence_stance_name(it->stance));
    print_coloured(&cli->print, PRINT_PLAIN, "%.*s%s%.*s", SLICE_PRINT(target), it->locator.size ? "  #" : "",
                   SLICE_PRINT(it->locator));
    fputc('\n', cli->print.out);
}

static void print_assertion(struct cli *cli, const struct steme_assertion *it)
{
    print_field(cli, "subject", it->subject);
    print_field(cli, "predicate", it->predicate);
    for (size_t i = 0; i < it->qualifier_count; i++) {
        begin_field(cli, it->qualifiers[i].key ? "key" : "qualifier");
        print_coloured(&cli->print, PRINT_PLAIN, "%.*s = %.*s", SLICE_PRINT(it->qualifiers[i].name),
                       SLICE_PRINT(it->qualifiers[i].value));
        fputc('\n', cli->print.out);
    }
    print_object(cli, it);
    print_share_field(cli, "confidence", it->confidence_ppm);
    print_time_field(cli, "asserted", it->asserted_at_us);
    if (it->valid_from_us != STEME_TIME_MIN) print_time_field(cli, "valid from", it->valid_from_us);
    if (it->valid_to_us != STEME_TIME_MAX) print_time_field(cli, "valid to", it->valid_to_us);
    if (it->has_epoch) print_id_field(cli, "epoch", &it->epoch);
    print_field(cli, "source", it->source);
    for (size_t i = 0; i < it->evidence_count; i++)
        print_evidence(cli, &it->evidence[i]);
    for (size_t i = 0; i < it->parent_count; i++)
        print_id_field(cli, "parent", &it->parents[i]);
    print_key_field(cli, "signed by", &it->author);
}

static void print_target_field(struct cli *cli, const struct steme_target *target)
{
    begin_field(cli, wire_target_kind_name(target->kind));
    char hex[STEME_PRINT_BYTES];
    steme_print_hash(&target->hash, hex);
    print_coloured(&cli->print, PRINT_YELLOW, "%s", hex);
    fputc('\n', cli->print.out);
}

struct source_search {
    struct sources sources;
    uint64_t last; /* sequence number to look at */
};

static steme_status look_for_source(void *context, const struct steme_entry *entry)
{
    struct source_search *search = context;
    if (entry->sequence > search->last) return STEME_FAILED; /* ends the walk */
    sources_see(&search->sources, &entry->record);
    return STEME_OK;
}

/* No index leads from a source's id to its name, which likely stands not far from the vote. */
static void print_source_name(struct cli *cli, const struct steme_hash *id, uint64_t sequence)
{
    struct source_search search = { { .arena = &cli->arena }, sequence + RECORDS_LOOKED_AT };
    struct steme_error ignored;
    uint64_t since = sequence > RECORDS_LOOKED_AT ? sequence - RECORDS_LOOKED_AT : 1;
    steme_status status = steme_log_each(cli->snapshot, since, look_for_source, &search, &ignored);
    (void)status; /* what was seen is there */
    print_field(cli, "named", sources_name(&search.sources, id));
}

static void print_vote(struct cli *cli, const struct steme_vote *it, uint64_t sequence)
{
    print_field(cli, "stance", slice_text(wire_stance_name(it->stance)));
    print_target_field(cli, &it->target);
    if (it->target.kind == STEME_ON_SOURCE) print_source_name(cli, &it->target.hash, sequence);
    print_share_field(cli, "probability", it->probability_ppm);
    print_time_field(cli, "cast", it->cast_at_us);
    print_field(cli, "reason", it->reason);
    print_key_field(cli, "signed by", &it->voter);
}

static void print_epoch(struct cli *cli, const struct steme_epoch *it)
{
    print_field(cli, "name", it->name);
    print_field(cli, "description", it->description);
    if (it->from_us != STEME_TIME_MIN) print_time_field(cli, "from", it->from_us);
    if (it->to_us != STEME_TIME_MAX) print_time_field(cli, "to", it->to_us);
    for (size_t i = 0; i < it->supersedes_count; i++)
        print_id_field(cli, "supersedes", &it->supersedes[i]);
    print_time_field(cli, "declared", it->declared_at_us);
    print_key_field(cli, "signed by", &it->author);
}

static void print_revision(struct cli *cli, const struct steme_revision *it)
{
    print_field(cli, "kind", slice_text(wire_revision_kind_name(it->kind)));
    for (size_t i = 0; i < it->target_count; i++)
        print_target_field(cli, &it->targets[i]);
    for (size_t i = 0; i < it->replacement_count; i++)
        print_id_field(cli, "by", &it->replacements[i]);
    print_field(cli, "reason", it->reason);
    print_time_field(cli, "revised", it->revised_at_us);
    print_key_field(cli, "signed by", &it->author);
}

static void print_bundle(struct cli *cli, const struct steme_bundle *it)
{
    for (size_t i = 0; i < it->member_count; i++)
        print_id_field(cli, "member", &it->members[i]);
    print_key_field(cli, "signed by", &it->author);
}

static void print_view(struct cli *cli, const struct steme_view *it)
{
    print_field(cli, "name", it->name);
    if (it->dropped) print_field(cli, "dropped", slice_text("yes"));
    print_field(cli, "subjects", it->subjects);
    print_field(cli, "predicate", it->predicate);
    print_field(cli, "lens", it->lens);
    for (size_t i = 0; i < it->parameter_count; i++) {
        begin_field(cli, "parameter");
        print_coloured(&cli->print, PRINT_PLAIN, "%.*s = %.*s", SLICE_PRINT(it->parameters[i].name),
                       SLICE_PRINT(it->parameters[i].value));
        fputc('\n', cli->print.out);
    }
    if (it->has_epoch) print_id_field(cli, "epoch", &it->epoch);
    print_time_field(cli, "created", it->created_at_us);
    print_key_field(cli, "signed by", &it->author);
}

static void print_entry(struct cli *cli, const struct steme_entry *entry)
{
    char hex[STEME_PRINT_BYTES];
    char time[SCALAR_PRINT_BYTES];
    steme_print_hash(&entry->id, hex);
    print_coloured(&cli->print, PRINT_BOLD, "%s ", wire_type_name(entry->record.type));
    print_coloured(&cli->print, PRINT_YELLOW, "%s", hex);
    fputc('\n', cli->print.out);
    switch (entry->record.type) {
    case STEME_ASSERTION: print_assertion(cli, &entry->record.as.assertion); break;
    case STEME_VOTE: print_vote(cli, &entry->record.as.vote, entry->sequence); break;
    case STEME_EPOCH: print_epoch(cli, &entry->record.as.epoch); break;
    case STEME_REVISION: print_revision(cli, &entry->record.as.revision); break;
    case STEME_BUNDLE: print_bundle(cli, &entry->record.as.bundle); break;
    case STEME_VIEW: print_view(cli, &entry->record.as.view); break;
    }
    begin_field(cli, "received");
    fprintf(cli->print.out, "%s as number %" PRIu64 "\n", show_time(entry->received_at_us, time), entry->sequence);
    if (!entry->is_signed) print_id_field(cli, "in bundle", &entry->bundle);
}

static void print_ballot(struct cli *cli, const struct steme_ballot *ballot)
{
    const struct steme_vote *it = &ballot->entry.record.as.vote;
    char share[SCALAR_PRINT_BYTES];
    char time[SCALAR_PRINT_BYTES];
    scalar_print_share(it->probability_ppm, share);
    begin_field(cli, wire_stance_name(it->stance));
    print_coloured(&cli->print, ballot->counts ? PRINT_PLAIN : PRINT_DIM, "%s  %s  p %s%s%s%.*s",
                   cli_key_name(cli, &it->voter), show_date(it->cast_at_us, time), share,
                   ballot->counts ? "" : "  (no longer counts)", it->reason.size ? "  " : "", SLICE_PRINT(it->reason));
    fputc('\n', cli->print.out);
}

static void print_bearing(struct cli *cli, const struct steme_testimony *testimony)
{
    begin_field(cli, "standing");
    print_coloured(&cli->print, testimony->standing == STEME_LIVE ? PRINT_GREEN : PRINT_RED, "%s",
                   steme_standing_name(testimony->standing));
    fputc('\n', cli->print.out);
    print_id_field(cli, "claim", &testimony->claim);
    for (size_t i = 0; i < testimony->ballot_count; i++)
        print_ballot(cli, &testimony->ballots[i]);
    for (size_t i = 0; i < testimony->revision_count; i++) {
        const struct steme_revised *revised = &testimony->revisions[i];
        char hex[STEME_PRINT_BYTES];
        steme_print_hash(&revised->entry.id, hex);
        begin_field(cli, wire_revision_kind_name(revised->entry.record.as.revision.kind));
        print_coloured(&cli->print, PRINT_PLAIN, "%s  %s%s%.*s", hex, revised->effective ? "in force" : "a proposal",
                       revised->entry.record.as.revision.reason.size ? "  " : "",
                       SLICE_PRINT(revised->entry.record.as.revision.reason));
        fputc('\n', cli->print.out);
    }
}

static steme_status print_testimony_line(struct cli *cli, const struct steme_testimony *testimony,
                                         struct steme_error *err)
{
    struct buf line;
    buf_init(&line, LINE_BYTES_MAX);
    struct emit json = { .to = &line };
    show_testimony_json(&json, testimony);
    steme_status status = cli_print_line(cli, &line, err);
    buf_deinit(&line);
    return status;
}

steme_status show_record(struct cli *cli, const struct steme_hash *id, struct steme_error *err)
{
    struct steme_entry entry;
    struct steme_testimony testimony;
    steme_status status = steme_get(cli->snapshot, id, &entry, err);
    if (status) return status;
    bool assertion = entry.record.type == STEME_ASSERTION;
    if (assertion) status = steme_testimony_of(cli->snapshot, id, &testimony, err);
    if (status) return status;
    if (cli->json)
        return assertion ? print_testimony_line(cli, &testimony, err) : show_entry_json(cli, &entry, true, err);
    print_entry(cli, &entry);
    if (assertion) print_bearing(cli, &testimony);
    return cli_check_output(cli, err);
}
