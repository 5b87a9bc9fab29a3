/* SPDX-License-Identifier: Apache-2.0 */
/* Records from JSON lines. jansson parses; here each member is taken by name and checked. The first failure sticks in
 * the reader, so that taking a record's members is a list, and is reported once. */
#include "base/check.h"
#include "base/slice.h"
#include "base/text.h"
#include "faces/cli/object.h"
#include "faces/cli/scalar.h"
#include "faces/cli/unknown.h"
#include "faces/cli/wire.h"
#include "steme/limits.h"
#include "steme/store.h"
#include "steme/text.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

struct reader {
    struct arena *arena;
    int64_t now_us;
    bool is_draft;
    steme_status status; /* first failure */
    struct steme_error *err;
};

enum { MEMBERS_MAX = 24 };

static void fail(struct reader *in, const char *name, const char *wanted)
{
    if (!in->status) in->status = error_set(in->err, STEME_BAD_INPUT, "\"%s\" must be %s", name, wanted);
}

/* Adopt the status of a call that reported to in->err, naming the member. */
static void adopt(struct reader *in, const char *name, steme_status status)
{
    if (!in->status && status) in->status = error_wrap(in->err, status, "\"%s\"", name);
}

static void *allocate(struct reader *in, size_t count, size_t size)
{
    if (in->status) return NULL;
    void *memory = arena_calloc(in->arena, count, size);
    if (!memory) in->status = arena_full(in->arena, in->err);
    return memory;
}

/* Members other than these would be lost in silence. */
static void check_members(struct reader *in, json_t *object, const char *const *known, size_t count)
{
    const char *name;
    json_t *ignored;
    json_object_foreach(object, name, ignored)
    {
        bool found = false;
        for (size_t i = 0; i < count && !found; i++)
            found = strcmp(known[i], name) == 0;
        if (found || in->status) continue;
        in->status = unknown_word(in->err, STEME_BAD_INPUT, "member", name, known, count);
    }
}

#define CHECK_MEMBERS(in, object, ...)                              \
    do {                                                            \
        static const char *const known_[] = { __VA_ARGS__ };        \
        _Static_assert(countof(known_) <= MEMBERS_MAX, "raise it"); \
        check_members((in), (object), known_, countof(known_));     \
    } while (0)

/* The string of a member, copied; empty where it is absent and may be. */
static struct steme_slice take_text(struct reader *in, json_t *object, const char *name, bool required)
{
    json_t *value = json_object_get(object, name);
    struct steme_slice none = { 0 };
    if (in->status || (!value && !required)) return none;
    if (!json_is_string(value)) {
        fail(in, name, "there, a string");
        return none;
    }
    struct steme_slice copy = arena_copy(in->arena, slice_of(json_string_value(value), json_string_length(value)));
    if (!copy.data) in->status = arena_full(in->arena, in->err);
    return copy;
}

static bool take_bool(struct reader *in, json_t *object, const char *name)
{
    json_t *value = json_object_get(object, name);
    if (value && !json_is_boolean(value)) fail(in, name, "true or false");
    return json_is_true(value);
}

static void take_hex(struct reader *in, json_t *object, const char *name, uint8_t *out, size_t size)
{
    struct steme_slice hex = take_text(in, object, name, true);
    if (!in->status) adopt(in, name, text_parse_hex(hex, name, out, size, in->err));
}

static void take_hash(struct reader *in, json_t *object, const char *name, struct steme_hash *out)
{
    take_hex(in, object, name, out->bytes, sizeof out->bytes);
}

static struct steme_decimal take_decimal(struct reader *in, json_t *object, const char *name)
{
    struct steme_decimal decimal = { 0 };
    json_t *value = json_object_get(object, name);
    if (in->status) return decimal;
    char digits[SCALAR_PRINT_BYTES];
    struct steme_slice text = { 0 };
    if (json_is_integer(value)) {
        snprintf(digits, sizeof digits, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        text = slice_text(digits);
    } else if (json_is_string(value)) {
        text = slice_of(json_string_value(value), json_string_length(value));
    } else {
        fail(in, name, "a number in a string, such as \"67.4\": a bare fraction would be rounded");
        return decimal;
    }
    adopt(in, name, steme_parse_decimal(text, &decimal, in->err));
    return decimal;
}

/* 0 to 1: "0.85", 0.85, or 850000 in the member `name`_ppm. Absent: 1 in a draft. */
static uint32_t take_share(struct reader *in, json_t *object, const char *name, const char *ppm_name)
{
    json_t *value = json_object_get(object, name);
    json_t *ppm = json_object_get(object, ppm_name);
    uint32_t share = STEME_PPM;
    if (value && ppm) {
        fail(in, ppm_name, "left out where the share itself is given");
    } else if (ppm) {
        json_int_t parts = json_is_integer(ppm) ? json_integer_value(ppm) : -1;
        if (parts < 0 || parts > (json_int_t)STEME_PPM) fail(in, ppm_name, "a whole number from 0 to 1000000");
        share = (uint32_t)parts;
    } else if (json_is_string(value)) {
        if (!in->status)
            in->status = scalar_parse_share(slice_of(json_string_value(value), json_string_length(value)), name, &share,
                                            in->err);
    } else if (json_is_number(value)) {
        double parts = json_number_value(value) * STEME_PPM;
        double whole = nearbyint(parts);
        if (!(parts >= 0 && parts <= STEME_PPM && fabs(parts - whole) < 1e-4))
            fail(in, name, "from 0 to 1 with at most 6 decimals");
        else
            share = (uint32_t)whole;
    } else if (value || !in->is_draft) {
        fail(in, name, "there, from 0 to 1, such as \"0.85\"");
    }
    return share;
}

static int64_t take_time_or(struct reader *in, json_t *object, const char *name, int64_t absent)
{
    int64_t us = absent;
    struct steme_slice text = take_text(in, object, name, false);
    if (!in->status && text.data) in->status = scalar_parse_time(text, name, in->now_us, &us, in->err);
    return us;
}

/* Time of the act itself: a record must state it, a draft need not. */
static int64_t take_act_time(struct reader *in, json_t *object, const char *name)
{
    if (!in->is_draft && !json_object_get(object, name)) fail(in, name, "there, a time");
    return take_time_or(in, object, name, in->now_us);
}

/* The array of a member and its length; NULL where it is absent. */
static json_t *take_array(struct reader *in, json_t *object, const char *name, size_t max, size_t *count_out)
{
    json_t *array = json_object_get(object, name);
    *count_out = 0;
    if (in->status || !array) return NULL;
    if (!json_is_array(array)) {
        fail(in, name, "an array");
        return NULL;
    }
    if (json_array_size(array) > max) {
        in->status = error_set(in->err, STEME_TOO_LARGE, "\"%s\" has %zu entries, at most %zu are allowed", name,
                               json_array_size(array), max);
        return NULL;
    }
    *count_out = json_array_size(array);
    return array;
}

static const struct steme_hash *take_hashes(struct reader *in, json_t *object, const char *name, size_t max,
                                            size_t *count_out)
{
    json_t *array = take_array(in, object, name, max, count_out);
    struct steme_hash *hashes = allocate(in, *count_out, sizeof *hashes);
    if (!hashes) return NULL;
    for (size_t i = 0; i < *count_out && !in->status; i++) {
        json_t *item = json_array_get(array, i);
        if (!json_is_string(item)) {
            fail(in, name, "an array of ids");
            break;
        }
        adopt(in, name,
              steme_parse_hash(slice_of(json_string_value(item), json_string_length(item)), &hashes[i], in->err));
    }
    return hashes;
}

/* Index of a member's word among names. */
static size_t take_word(struct reader *in, json_t *object, const char *name, const char *const *names, size_t count)
{
    struct steme_slice word = take_text(in, object, name, true);
    if (in->status) return 0;
    for (size_t i = 0; i < count; i++)
        if (slice_equal(word, slice_text(names[i]))) return i;
    in->status = unknown_word(in->err, STEME_BAD_INPUT, name, (const char *)word.data, names, count);
    return 0;
}

/* A whole number, as a JSON integer or as digits in a string. */
static struct steme_slice take_digits(struct reader *in, json_t *object, const char *name, char *room, size_t size)
{
    json_t *value = json_object_get(object, name);
    bool whole_string = json_is_string(value) && strlen(json_string_value(value)) == json_string_length(value);
    if (whole_string) return take_text(in, object, name, true);
    if (!json_is_integer(value)) {
        fail(in, name, "a whole number");
        return (struct steme_slice){ 0 };
    }
    snprintf(room, size, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    return slice_text(room);
}

static void take_instant(struct reader *in, json_t *object, struct steme_value *out)
{
    static const char *const precisions[] = { "year", "month", "day", "second", "microsecond" };
    struct steme_slice text = take_text(in, object, "time", true);
    if (in->status) return;
    out->precision = STEME_MICROSECOND;
    if (text.size > 0 && text.data[0] == '@')
        adopt(in, "time", scalar_parse_time(text, "time", 0, &out->time_us, in->err));
    else
        adopt(in, "time", steme_parse_time(text, &out->time_us, &out->precision, in->err));
    if (json_object_get(object, "precision"))
        out->precision = (enum steme_precision)take_word(in, object, "precision", precisions, countof(precisions));
}

static void take_quantity(struct reader *in, json_t *object, struct steme_value *out)
{
    CHECK_MEMBERS(in, object, "kind", "amount", "lower", "upper", "unit");
    out->amount = take_decimal(in, object, "amount");
    out->unit = take_text(in, object, "unit", false);
    out->has_bounds = json_object_get(object, "lower") || json_object_get(object, "upper");
    if (!out->has_bounds) return;
    out->lower = take_decimal(in, object, "lower");
    out->upper = take_decimal(in, object, "upper");
}

static void take_blob(struct reader *in, json_t *object, struct steme_value *out)
{
    char room[SCALAR_PRINT_BYTES];
    CHECK_MEMBERS(in, object, "kind", "hash", "bytes", "media_type");
    take_hash(in, object, "hash", &out->blob);
    struct steme_slice digits = take_digits(in, object, "bytes", room, sizeof room);
    if (!in->status)
        in->status = scalar_parse_count((const char *)digits.data, "bytes", UINT64_MAX, &out->blob_bytes, in->err);
    out->media_type = take_text(in, object, "media_type", false);
}

static void take_integer(struct reader *in, json_t *object, struct steme_value *out)
{
    char room[SCALAR_PRINT_BYTES];
    struct steme_slice digits = take_digits(in, object, "integer", room, sizeof room);
    if (!in->status) adopt(in, "integer", steme_parse_integer(digits, &out->integer, in->err));
}

/* A value in its full form. */
static void take_value_object(struct reader *in, json_t *object, struct steme_value *out)
{
    struct steme_slice kind = take_text(in, object, "kind", true);
    if (!in->status) adopt(in, "kind", object_parse_kind(kind, &out->kind, in->err));
    if (in->status) return;
    switch (out->kind) {
    case STEME_ENTITY:
        CHECK_MEMBERS(in, object, "kind", "name");
        out->text = take_text(in, object, "name", true);
        break;
    case STEME_TEXT:
        CHECK_MEMBERS(in, object, "kind", "text", "language");
        out->text = take_text(in, object, "text", true);
        out->language = take_text(in, object, "language", false);
        break;
    case STEME_INTEGER:
        CHECK_MEMBERS(in, object, "kind", "integer");
        take_integer(in, object, out);
        break;
    case STEME_DECIMAL:
        CHECK_MEMBERS(in, object, "kind", "amount");
        out->amount = take_decimal(in, object, "amount");
        break;
    case STEME_QUANTITY: take_quantity(in, object, out); break;
    case STEME_TIME:
        CHECK_MEMBERS(in, object, "kind", "time", "precision");
        take_instant(in, object, out);
        break;
    case STEME_BOOLEAN:
        CHECK_MEMBERS(in, object, "kind", "boolean");
        if (!json_object_get(object, "boolean")) fail(in, "boolean", "there, true or false");
        out->boolean = take_bool(in, object, "boolean");
        break;
    case STEME_BLOB: take_blob(in, object, out); break;
    case STEME_UNKNOWN:
    case STEME_NONE: CHECK_MEMBERS(in, object, "kind"); break;
    }
}

/* A value in full, or a bare string (text), whole number (integer) or truth value (boolean). */
static void take_value(struct reader *in, json_t *object, const char *name, struct steme_value *out)
{
    json_t *value = json_object_get(object, name);
    if (in->status) return;
    if (json_is_object(value)) {
        take_value_object(in, value, out);
        if (in->status) in->status = error_wrap(in->err, in->status, "\"%s\"", name);
    } else if (json_is_string(value)) {
        out->kind = STEME_TEXT;
        out->text = take_text(in, object, name, true);
    } else if (json_is_integer(value)) {
        out->kind = STEME_INTEGER;
        out->integer = json_integer_value(value);
    } else if (json_is_boolean(value)) {
        out->kind = STEME_BOOLEAN;
        out->boolean = json_is_true(value);
    } else {
        fail(in, name,
             "a value such as {\"kind\":\"entity\",\"name\":\"Pluto\"}, a string, a whole number, true or false");
    }
}

static void take_qualifiers(struct reader *in, json_t *object, struct steme_assertion *out)
{
    json_t *array = take_array(in, object, "qualifiers", STEME_QUALIFIERS_MAX, &out->qualifier_count);
    struct steme_qualifier *qualifiers = allocate(in, out->qualifier_count, sizeof *qualifiers);
    if (!qualifiers) return;
    for (size_t i = 0; i < out->qualifier_count && !in->status; i++) {
        json_t *item = json_array_get(array, i);
        if (!json_is_object(item)) fail(in, "qualifiers", "an array of {\"name\":...,\"value\":...}");
        CHECK_MEMBERS(in, item, "name", "value", "key");
        qualifiers[i].name = take_text(in, item, "name", true);
        qualifiers[i].value = take_text(in, item, "value", true);
        qualifiers[i].key = take_bool(in, item, "key");
    }
    out->qualifiers = qualifiers;
}

static void take_evidence(struct reader *in, json_t *object, struct steme_assertion *out)
{
    static const char *const stances[] = { "supports", "refutes", "context" };
    json_t *array = take_array(in, object, "evidence", STEME_EVIDENCE_MAX, &out->evidence_count);
    struct steme_evidence *evidence = allocate(in, out->evidence_count, sizeof *evidence);
    if (!evidence) return;
    for (size_t i = 0; i < out->evidence_count && !in->status; i++) {
        json_t *item = json_array_get(array, i);
        if (!json_is_object(item)) fail(in, "evidence", "an array of {\"stance\":...,\"uri\":...}");
        CHECK_MEMBERS(in, item, "stance", "target", "uri", "locator");
        evidence[i].stance = (enum steme_stance)take_word(in, item, "stance", stances, countof(stances));
        evidence[i].has_target = json_object_get(item, "target") != NULL;
        if (evidence[i].has_target && json_object_get(item, "uri")) fail(in, "uri", "left out where there is a target");
        if (evidence[i].has_target)
            take_hash(in, item, "target", &evidence[i].target);
        else
            evidence[i].uri = take_text(in, item, "uri", true);
        evidence[i].locator = take_text(in, item, "locator", false);
    }
    out->evidence = evidence;
}

/* Author or voter. A draft may leave it out. */
static void take_author(struct reader *in, json_t *object, const char *name, struct wire_record *out,
                        struct steme_key *key)
{
    out->has_author = json_object_get(object, name) != NULL;
    if (out->has_author || !in->is_draft) take_hex(in, object, name, key->bytes, sizeof key->bytes);
}

#define COMMON_MEMBERS "id", "type", "signature", "sequence", "received_at"

static void take_assertion(struct reader *in, json_t *object, struct wire_record *out)
{
    struct steme_assertion *it = &out->record.as.assertion;
    CHECK_MEMBERS(in, object, COMMON_MEMBERS, "author", "subject", "predicate", "object", "negated", "confidence",
                  "confidence_ppm", "asserted_at", "valid_from", "valid_to", "epoch", "source", "qualifiers",
                  "evidence", "parents");
    take_author(in, object, "author", out, &it->author);
    it->subject = take_text(in, object, "subject", true);
    it->predicate = take_text(in, object, "predicate", true);
    take_value(in, object, "object", &it->object);
    it->negated = take_bool(in, object, "negated");
    it->confidence_ppm = take_share(in, object, "confidence", "confidence_ppm");
    it->asserted_at_us = take_act_time(in, object, "asserted_at");
    it->valid_from_us = take_time_or(in, object, "valid_from", STEME_TIME_MIN);
    it->valid_to_us = take_time_or(in, object, "valid_to", STEME_TIME_MAX);
    it->has_epoch = json_object_get(object, "epoch") != NULL;
    if (it->has_epoch) take_hash(in, object, "epoch", &it->epoch);
    it->source = take_text(in, object, "source", false);
    take_qualifiers(in, object, it);
    take_evidence(in, object, it);
    it->parents = take_hashes(in, object, "parents", STEME_PARENTS_MAX, &it->parent_count);
}

/* {"kind","id"} and "route", or "subject" in its place; agents, sources and epochs have their route in the id. */
static void take_target(struct reader *in, json_t *object, struct steme_target *out)
{
    static const char *const kinds[] = { "assertion", "claim", "agent", "source", "epoch", "vote" };
    if (!json_is_object(object)) {
        fail(in, "target", "an object such as {\"kind\":\"assertion\",\"id\":...,\"route\":...}");
        return;
    }
    CHECK_MEMBERS(in, object, "kind", "id", "route", "subject");
    out->kind = (enum steme_target_kind)take_word(in, object, "kind", kinds, countof(kinds));
    take_hash(in, object, "id", &out->hash);
    bool own_route = out->kind == STEME_ON_AGENT || out->kind == STEME_ON_SOURCE || out->kind == STEME_ON_EPOCH;
    uint8_t route[8] = { 0 };
    memcpy(route, out->hash.bytes, sizeof route);
    struct steme_slice subject = take_text(in, object, "subject", false);
    if (json_object_get(object, "route")) {
        take_hex(in, object, "route", route, sizeof route);
        if (subject.data) fail(in, "subject", "left out where there is a route");
    } else if (!subject.data && !own_route) {
        fail(in, "route", "there (or \"subject\" in its place), to say where the target is kept");
    }
    for (size_t i = 0; i < sizeof route; i++)
        out->route = out->route << 8 | route[i];
    if (subject.data) out->route = steme_route(subject);
}

static void take_vote(struct reader *in, json_t *object, struct wire_record *out)
{
    static const char *const stances[] = { "support", "refute", "abstain" };
    struct steme_vote *it = &out->record.as.vote;
    CHECK_MEMBERS(in, object, COMMON_MEMBERS, "voter", "target", "stance", "probability", "probability_ppm", "cast_at",
                  "reason");
    take_author(in, object, "voter", out, &it->voter);
    take_target(in, json_object_get(object, "target"), &it->target);
    it->stance = (enum steme_stance)take_word(in, object, "stance", stances, countof(stances));
    it->probability_ppm = take_share(in, object, "probability", "probability_ppm");
    it->cast_at_us = take_act_time(in, object, "cast_at");
    it->reason = take_text(in, object, "reason", false);
}

static void take_epoch(struct reader *in, json_t *object, struct wire_record *out)
{
    struct steme_epoch *it = &out->record.as.epoch;
    CHECK_MEMBERS(in, object, COMMON_MEMBERS, "author", "name", "description", "declared_at", "from", "to",
                  "supersedes");
    take_author(in, object, "author", out, &it->author);
    it->name = take_text(in, object, "name", true);
    it->description = take_text(in, object, "description", false);
    it->declared_at_us = take_act_time(in, object, "declared_at");
    it->from_us = take_time_or(in, object, "from", STEME_TIME_MIN);
    it->to_us = take_time_or(in, object, "to", STEME_TIME_MAX);
    it->supersedes = take_hashes(in, object, "supersedes", STEME_PARENTS_MAX, &it->supersedes_count);
}

static void take_revision(struct reader *in, json_t *object, struct wire_record *out)
{
    static const char *const kinds[] = { "retract", "correct", "update" };
    struct steme_revision *it = &out->record.as.revision;
    CHECK_MEMBERS(in, object, COMMON_MEMBERS, "author", "kind", "targets", "replacements", "revised_at", "reason");
    take_author(in, object, "author", out, &it->author);
    it->kind = (enum steme_revision_kind)take_word(in, object, "kind", kinds, countof(kinds));
    json_t *array = take_array(in, object, "targets", STEME_TARGETS_MAX, &it->target_count);
    struct steme_target *targets = allocate(in, it->target_count, sizeof *targets);
    for (size_t i = 0; targets && i < it->target_count && !in->status; i++)
        take_target(in, json_array_get(array, i), &targets[i]);
    it->targets = targets;
    it->replacements = take_hashes(in, object, "replacements", STEME_TARGETS_MAX, &it->replacement_count);
    it->revised_at_us = take_act_time(in, object, "revised_at");
    it->reason = take_text(in, object, "reason", false);
}

/* One member of a bundle: an assertion with its id, without a signature. */
static void take_bundle_member(struct reader *in, json_t *object, struct wire_record *out)
{
    json_t *type = json_object_get(object, "type");
    if (!json_is_object(object) || !json_is_string(type) || strcmp(json_string_value(type), "assertion") != 0)
        fail(in, "members", "an array of assertions");
    if (json_object_get(object, "signature")) fail(in, "signature", "left out in a bundle's member");
    out->record.type = STEME_ASSERTION;
    take_hash(in, object, "id", &out->id);
    take_assertion(in, object, out);
}

static void take_bundle(struct reader *in, json_t *object, struct wire_record *out)
{
    struct steme_bundle *it = &out->record.as.bundle;
    CHECK_MEMBERS(in, object, COMMON_MEMBERS, "author", "members");
    if (in->is_draft)
        fail(in, "signature", "there: a bundle is nothing without it; write its assertions as lines of their own");
    take_author(in, object, "author", out, &it->author);
    json_t *array = take_array(in, object, "members", STEME_BUNDLE_MAX, &out->member_count);
    struct steme_hash *ids = allocate(in, out->member_count, sizeof *ids);
    out->members = allocate(in, out->member_count, sizeof *out->members);
    for (size_t i = 0; out->members && i < out->member_count && !in->status; i++) {
        take_bundle_member(in, json_array_get(array, i), &out->members[i]);
        ids[i] = out->members[i].id;
        if (in->status) in->status = error_wrap(in->err, in->status, "member %zu", i + 1);
    }
    it->members = ids;
    it->member_count = out->member_count;
}

static void take_view(struct reader *in, json_t *object, struct wire_record *out)
{
    struct steme_view *it = &out->record.as.view;
    CHECK_MEMBERS(in, object, COMMON_MEMBERS, "author", "name", "created_at", "dropped", "subjects", "predicate",
                  "lens", "epoch", "parameters");
    take_author(in, object, "author", out, &it->author);
    it->name = take_text(in, object, "name", true);
    it->created_at_us = take_act_time(in, object, "created_at");
    it->dropped = take_bool(in, object, "dropped");
    it->subjects = take_text(in, object, "subjects", false);
    it->predicate = take_text(in, object, "predicate", false);
    it->lens = take_text(in, object, "lens", false);
    it->has_epoch = json_object_get(object, "epoch") != NULL;
    if (it->has_epoch) take_hash(in, object, "epoch", &it->epoch);
    json_t *array = take_array(in, object, "parameters", STEME_VIEW_PARAMETERS_MAX, &it->parameter_count);
    struct steme_qualifier *parameters = allocate(in, it->parameter_count, sizeof *parameters);
    for (size_t i = 0; parameters && i < it->parameter_count && !in->status; i++) {
        json_t *item = json_array_get(array, i);
        if (!json_is_object(item)) fail(in, "parameters", "an array of {\"name\":...,\"value\":...}");
        CHECK_MEMBERS(in, item, "name", "value");
        parameters[i].name = take_text(in, item, "name", true);
        parameters[i].value = take_text(in, item, "value", true);
    }
    it->parameters = parameters;
}

static void take_record(struct reader *in, json_t *object, struct wire_record *out)
{
    static const char *const types[] = { "assertion", "vote", "epoch", "revision", "bundle", "view" };
    bool has_id = json_object_get(object, "id") != NULL;
    out->is_draft = in->is_draft = !has_id && !json_object_get(object, "signature");
    out->record.type = (enum steme_type)take_word(in, object, "type", types, countof(types));
    if (in->status) return;
    if (!in->is_draft) {
        take_hash(in, object, "id", &out->id);
        take_hex(in, object, "signature", out->signature.bytes, sizeof out->signature.bytes);
    }
    switch (out->record.type) {
    case STEME_ASSERTION: take_assertion(in, object, out); break;
    case STEME_VOTE: take_vote(in, object, out); break;
    case STEME_EPOCH: take_epoch(in, object, out); break;
    case STEME_REVISION: take_revision(in, object, out); break;
    case STEME_BUNDLE: take_bundle(in, object, out); break;
    case STEME_VIEW: take_view(in, object, out); break;
    }
}

/* jansson recurses once for each level, so the levels are counted before it looks. */
static bool nests_too_deep(struct steme_slice line)
{
    size_t depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < line.size; i++) {
        uint8_t byte = line.data[i];
        if (in_string) {
            if (byte == '\\')
                i++;
            else if (byte == '"')
                in_string = false;
        } else if (byte == '"') {
            in_string = true;
        } else if (byte == '{' || byte == '[') {
            if (++depth > WIRE_DEPTH_MAX) return true;
        } else if ((byte == '}' || byte == ']') && depth > 0) {
            depth--;
        }
    }
    return false;
}

steme_status wire_read(struct steme_slice line, int64_t now_us, struct arena *arena, struct wire_record *out,
                       struct steme_error *err)
{
    struct reader in = { .arena = arena, .now_us = now_us, .err = err };
    struct wire_record record = { 0 };
    json_error_t fault;
    if (nests_too_deep(line))
        return error_set(err, STEME_BAD_INPUT, "the JSON nests deeper than %d levels", (int)WIRE_DEPTH_MAX);
    json_t *root = json_loadb((const char *)line.data, line.size, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &fault);
    if (!root) {
        if (json_error_code(&fault) == json_error_out_of_memory)
            return error_set(err, STEME_NO_MEMORY, "no memory to parse a line");
        return error_set(err, STEME_BAD_INPUT, "not JSON: %.200s (column %d)", fault.text, fault.column);
    }
    if (json_is_object(root))
        take_record(&in, root, &record);
    else
        in.status = error_set(err, STEME_BAD_INPUT, "a record is a JSON object");
    json_decref(root);
    if (!in.status) *out = record;
    return in.status;
}
