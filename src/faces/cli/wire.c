/* SPDX-License-Identifier: Apache-2.0 */
/* Writing; reading is in wire_read.c. */
#include "faces/cli/wire.h"
#include "base/slice.h"
#include "base/text.h"
#include "faces/cli/object.h"
#include "faces/cli/scalar.h"
#include "steme/text.h"

#include <inttypes.h>
#include <stdio.h>

#define DOUBLE_EXACT_MAX (INT64_C(1) << 53) /* whole numbers up to here survive readers that know doubles only */

const char *wire_stance_name(enum steme_stance stance)
{
    static const char *const names[] = {
        [STEME_SUPPORT] = "support", [STEME_REFUTE] = "refute", [STEME_ABSTAIN] = "abstain"
    };
    return names[stance];
}

const char *wire_evidence_stance_name(enum steme_stance stance)
{
    static const char *const names[] = {
        [STEME_SUPPORT] = "supports", [STEME_REFUTE] = "refutes", [STEME_ABSTAIN] = "context"
    };
    return names[stance];
}

const char *wire_type_name(enum steme_type type)
{
    static const char *const names[] = {
        [STEME_ASSERTION] = "assertion", [STEME_VOTE] = "vote",     [STEME_EPOCH] = "epoch",
        [STEME_REVISION] = "revision",   [STEME_BUNDLE] = "bundle", [STEME_VIEW] = "view",
    };
    return names[type];
}

const char *wire_target_kind_name(enum steme_target_kind kind)
{
    static const char *const names[] = {
        [STEME_ON_ASSERTION] = "assertion", [STEME_ON_CLAIM] = "claim", [STEME_ON_AGENT] = "agent",
        [STEME_ON_SOURCE] = "source",       [STEME_ON_EPOCH] = "epoch", [STEME_ON_VOTE] = "vote",
    };
    return names[kind];
}

const char *wire_revision_kind_name(enum steme_revision_kind kind)
{
    static const char *const names[] = {
        [STEME_RETRACT] = "retract", [STEME_CORRECT] = "correct", [STEME_UPDATE] = "update"
    };
    return names[kind];
}

void wire_time(struct emit *json, const char *name, int64_t us)
{
    char text[SCALAR_PRINT_BYTES];
    scalar_print_time(us, text);
    emit_word(json, name, text);
}

void wire_key(struct emit *json, const char *name, const struct steme_key *key)
{
    char hex[2 * sizeof key->bytes + 1];
    text_hex(key->bytes, sizeof key->bytes, hex);
    emit_word(json, name, hex);
}

static void put_signature(struct emit *json, const struct steme_signature *signature)
{
    char hex[2 * sizeof signature->bytes + 1];
    text_hex(signature->bytes, sizeof signature->bytes, hex);
    emit_word(json, "signature", hex);
}

static void put_route(struct emit *json, uint64_t route)
{
    char hex[17];
    snprintf(hex, sizeof hex, "%016" PRIx64, route);
    emit_word(json, "route", hex);
}

static void put_share(struct emit *json, const char *name, uint32_t ppm)
{
    char text[SCALAR_PRINT_BYTES];
    scalar_print_share(ppm, text);
    emit_word(json, name, text);
}

static void put_decimal(struct emit *json, const char *name, struct steme_decimal decimal)
{
    char text[STEME_PRINT_BYTES];
    steme_print_decimal(decimal, text);
    emit_word(json, name, text);
}

static void put_nonempty(struct emit *json, const char *name, struct steme_slice text)
{
    if (text.size > 0) emit_text(json, name, text);
}

static void put_hashes(struct emit *json, const char *name, const struct steme_hash *hashes, size_t count)
{
    if (count == 0) return;
    emit_begin(json, name, '[');
    for (size_t i = 0; i < count; i++)
        emit_hash(json, NULL, &hashes[i]);
    emit_end(json, ']');
}

static void put_instant(struct emit *json, const struct steme_value *value)
{
    static const char *const precisions[] = {
        [STEME_YEAR] = "year",
        [STEME_MONTH] = "month",
        [STEME_DAY] = "day",
        [STEME_SECOND] = "second",
        [STEME_MICROSECOND] = "microsecond",
    };
    wire_time(json, "time", value->time_us);
    emit_word(json, "precision", precisions[value->precision]);
}

void wire_value(struct emit *json, const char *name, const struct steme_value *value)
{
    emit_begin(json, name, '{');
    emit_word(json, "kind", object_kind_name(value->kind));
    switch (value->kind) {
    case STEME_ENTITY: emit_text(json, "name", value->text); break;
    case STEME_TEXT:
        emit_text(json, "text", value->text);
        put_nonempty(json, "language", value->language);
        break;
    case STEME_INTEGER: {
        char digits[SCALAR_PRINT_BYTES];
        snprintf(digits, sizeof digits, "%" PRId64, value->integer);
        if (value->integer > DOUBLE_EXACT_MAX || value->integer < -DOUBLE_EXACT_MAX)
            emit_word(json, "integer", digits);
        else
            emit_integer(json, "integer", value->integer);
        break;
    }
    case STEME_DECIMAL: put_decimal(json, "amount", value->amount); break;
    case STEME_QUANTITY:
        put_decimal(json, "amount", value->amount);
        if (value->has_bounds) {
            put_decimal(json, "lower", value->lower);
            put_decimal(json, "upper", value->upper);
        }
        put_nonempty(json, "unit", value->unit);
        break;
    case STEME_TIME: put_instant(json, value); break;
    case STEME_BOOLEAN: emit_bool(json, "boolean", value->boolean); break;
    case STEME_BLOB: {
        char digits[SCALAR_PRINT_BYTES];
        snprintf(digits, sizeof digits, "%" PRIu64, value->blob_bytes);
        emit_hash(json, "hash", &value->blob);
        if (value->blob_bytes > (uint64_t)DOUBLE_EXACT_MAX)
            emit_word(json, "bytes", digits);
        else
            emit_count(json, "bytes", value->blob_bytes);
        put_nonempty(json, "media_type", value->media_type);
        break;
    }
    case STEME_UNKNOWN:
    case STEME_NONE: break;
    }
    emit_end(json, '}');
}

static void put_assertion(struct emit *json, const struct steme_assertion *it)
{
    wire_key(json, "author", &it->author);
    emit_text(json, "subject", it->subject);
    emit_text(json, "predicate", it->predicate);
    wire_value(json, "object", &it->object);
    if (it->negated) emit_bool(json, "negated", true);
    put_share(json, "confidence", it->confidence_ppm);
    wire_time(json, "asserted_at", it->asserted_at_us);
    if (it->valid_from_us != STEME_TIME_MIN) wire_time(json, "valid_from", it->valid_from_us);
    if (it->valid_to_us != STEME_TIME_MAX) wire_time(json, "valid_to", it->valid_to_us);
    if (it->has_epoch) emit_hash(json, "epoch", &it->epoch);
    put_nonempty(json, "source", it->source);
    if (it->qualifier_count > 0) emit_begin(json, "qualifiers", '[');
    for (size_t i = 0; i < it->qualifier_count; i++) {
        emit_begin(json, NULL, '{');
        emit_text(json, "name", it->qualifiers[i].name);
        emit_text(json, "value", it->qualifiers[i].value);
        if (it->qualifiers[i].key) emit_bool(json, "key", true);
        emit_end(json, '}');
    }
    if (it->qualifier_count > 0) emit_end(json, ']');
    if (it->evidence_count > 0) emit_begin(json, "evidence", '[');
    for (size_t i = 0; i < it->evidence_count; i++) {
        const struct steme_evidence *evidence = &it->evidence[i];
        emit_begin(json, NULL, '{');
        emit_word(json, "stance", wire_evidence_stance_name(evidence->stance));
        if (evidence->has_target)
            emit_hash(json, "target", &evidence->target);
        else
            emit_text(json, "uri", evidence->uri);
        put_nonempty(json, "locator", evidence->locator);
        emit_end(json, '}');
    }
    if (it->evidence_count > 0) emit_end(json, ']');
    put_hashes(json, "parents", it->parents, it->parent_count);
}

static void put_target(struct emit *json, const char *name, const struct steme_target *target)
{
    emit_begin(json, name, '{');
    emit_word(json, "kind", wire_target_kind_name(target->kind));
    emit_hash(json, "id", &target->hash);
    put_route(json, target->route);
    emit_end(json, '}');
}

static void put_vote(struct emit *json, const struct steme_vote *it)
{
    wire_key(json, "voter", &it->voter);
    put_target(json, "target", &it->target);
    emit_word(json, "stance", wire_stance_name(it->stance));
    put_share(json, "probability", it->probability_ppm);
    wire_time(json, "cast_at", it->cast_at_us);
    put_nonempty(json, "reason", it->reason);
}

static void put_epoch(struct emit *json, const struct steme_epoch *it)
{
    wire_key(json, "author", &it->author);
    emit_text(json, "name", it->name);
    put_nonempty(json, "description", it->description);
    wire_time(json, "declared_at", it->declared_at_us);
    if (it->from_us != STEME_TIME_MIN) wire_time(json, "from", it->from_us);
    if (it->to_us != STEME_TIME_MAX) wire_time(json, "to", it->to_us);
    put_hashes(json, "supersedes", it->supersedes, it->supersedes_count);
}

static void put_revision(struct emit *json, const struct steme_revision *it)
{
    wire_key(json, "author", &it->author);
    emit_word(json, "kind", wire_revision_kind_name(it->kind));
    emit_begin(json, "targets", '[');
    for (size_t i = 0; i < it->target_count; i++)
        put_target(json, NULL, &it->targets[i]);
    emit_end(json, ']');
    put_hashes(json, "replacements", it->replacements, it->replacement_count);
    wire_time(json, "revised_at", it->revised_at_us);
    put_nonempty(json, "reason", it->reason);
}

static void put_view(struct emit *json, const struct steme_view *it)
{
    wire_key(json, "author", &it->author);
    emit_text(json, "name", it->name);
    wire_time(json, "created_at", it->created_at_us);
    if (it->dropped) emit_bool(json, "dropped", true);
    put_nonempty(json, "subjects", it->subjects);
    put_nonempty(json, "predicate", it->predicate);
    put_nonempty(json, "lens", it->lens);
    if (it->has_epoch) emit_hash(json, "epoch", &it->epoch);
    if (it->parameter_count > 0) emit_begin(json, "parameters", '[');
    for (size_t i = 0; i < it->parameter_count; i++) {
        emit_begin(json, NULL, '{');
        emit_text(json, "name", it->parameters[i].name);
        emit_text(json, "value", it->parameters[i].value);
        emit_end(json, '}');
    }
    if (it->parameter_count > 0) emit_end(json, ']');
}

void wire_begin_entry(struct emit *json, const char *name, const struct steme_entry *entry, bool with_log)
{
    emit_begin(json, name, '{');
    emit_hash(json, "id", &entry->id);
    if (with_log) {
        emit_count(json, "sequence", entry->sequence);
        wire_time(json, "received_at", entry->received_at_us);
    }
    emit_word(json, "type", wire_type_name(entry->record.type));
    switch (entry->record.type) {
    case STEME_ASSERTION: put_assertion(json, &entry->record.as.assertion); break;
    case STEME_VOTE: put_vote(json, &entry->record.as.vote); break;
    case STEME_EPOCH: put_epoch(json, &entry->record.as.epoch); break;
    case STEME_REVISION: put_revision(json, &entry->record.as.revision); break;
    case STEME_BUNDLE: wire_key(json, "author", &entry->record.as.bundle.author); break;
    case STEME_VIEW: put_view(json, &entry->record.as.view); break;
    }
    if (entry->is_signed) put_signature(json, &entry->signature);
}
