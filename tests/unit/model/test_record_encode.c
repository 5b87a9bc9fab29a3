/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/check.h"
#include "base/slice.h"
#include "golden/samples.h"
#include "lib/testing.h"
#include "model/identity.h"
#include "model/record.h"
#include "steme/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* `size` times the letter x. */
static struct steme_slice letters(size_t size)
{
    static uint8_t text[4 * STEME_TEXT_MAX];
    assert_true(size <= sizeof text);
    memset(text, 'x', sizeof text);
    return slice_of(text, size);
}

static struct steme_slice bad_utf8(void) { return slice_text("a\xFF"); }

/* Hashes 0, 1, 2, ... in ascending order. */
static const struct steme_hash *hashes(size_t count)
{
    static struct steme_hash list[STEME_BUNDLE_MAX + 1];
    assert_true(count <= countof(list));
    for (size_t i = 0; i < count; i++)
        list[i] = (struct steme_hash){ { (uint8_t)(i >> 8), (uint8_t)i } };
    return list;
}

static const struct steme_hash *twin_hashes(void)
{
    static const struct steme_hash list[] = { { { 3 } }, { { 1 } }, { { 3 } } };
    return list;
}

static struct steme_qualifier *qualifier_list(size_t count)
{
    static struct steme_qualifier list[STEME_QUALIFIERS_MAX + 1];
    static char names[STEME_QUALIFIERS_MAX + 1][24];
    assert_true(count <= countof(list));
    for (size_t i = 0; i < count; i++) {
        snprintf(names[i], sizeof names[i], "q%zu", i);
        list[i] = (struct steme_qualifier){ .name = slice_text(names[i]), .value = slice_text("v"), .key = i % 3 == 0 };
    }
    return list;
}

static struct steme_evidence *evidence_list(size_t count)
{
    static struct steme_evidence list[STEME_EVIDENCE_MAX + 1];
    assert_true(count <= countof(list));
    for (size_t i = 0; i < count; i++)
        list[i] = (struct steme_evidence){ .has_target = true, .target = { { (uint8_t)(i >> 8), (uint8_t)i } } };
    return list;
}

static struct steme_target *target_list(size_t count)
{
    static struct steme_target list[STEME_TARGETS_MAX + 1];
    assert_true(count <= countof(list));
    for (size_t i = 0; i < count; i++)
        list[i] = (struct steme_target){ STEME_ON_ASSERTION, i, { { 9 } } };
    return list;
}

/* ---- every limit: at the bound it goes, one more does not ---- */

#define ASSERTION record->as.assertion
#define VOTE record->as.vote
#define EPOCH record->as.epoch
#define REVISION record->as.revision
#define BUNDLE record->as.bundle

static void set_subject(struct steme_record *record, size_t n) { ASSERTION.subject = letters(n); }
static void set_predicate(struct steme_record *record, size_t n) { ASSERTION.predicate = letters(n); }
static void set_source(struct steme_record *record, size_t n) { ASSERTION.source = letters(n); }
static void set_entity(struct steme_record *record, size_t n) { ASSERTION.object.text = letters(n); }
static void set_unit(struct steme_record *record, size_t n) { ASSERTION.object.unit = letters(n); }
static void set_language(struct steme_record *record, size_t n) { ASSERTION.object.language = letters(n); }
static void set_media_type(struct steme_record *record, size_t n) { ASSERTION.object.media_type = letters(n); }
static void set_confidence(struct steme_record *record, size_t n) { ASSERTION.confidence_ppm = (uint32_t)n; }
static void set_probability(struct steme_record *record, size_t n) { VOTE.probability_ppm = (uint32_t)n; }
static void set_vote_reason(struct steme_record *record, size_t n) { VOTE.reason = letters(n); }
static void set_epoch_name(struct steme_record *record, size_t n) { EPOCH.name = letters(n); }
static void set_description(struct steme_record *record, size_t n) { EPOCH.description = letters(n); }
static void set_revision_reason(struct steme_record *record, size_t n) { REVISION.reason = letters(n); }

static void set_scale(struct steme_record *record, size_t n)
{
    ASSERTION.object.amount = (struct steme_decimal){ 1, (int32_t)n };
}

static void set_text(struct steme_record *record, size_t n)
{
    ASSERTION.object.text = letters(n);
    ASSERTION.object.language = letters(35);
}

static void set_qualifiers(struct steme_record *record, size_t n)
{
    ASSERTION.qualifiers = qualifier_list(n);
    ASSERTION.qualifier_count = n;
}

static void set_qualifier_name(struct steme_record *record, size_t n)
{
    struct steme_qualifier *list = qualifier_list(1);
    list->name = letters(n);
    ASSERTION.qualifiers = list;
    ASSERTION.qualifier_count = 1;
}

static void set_qualifier_value(struct steme_record *record, size_t n)
{
    struct steme_qualifier *list = qualifier_list(1);
    list->value = letters(n);
    ASSERTION.qualifiers = list;
    ASSERTION.qualifier_count = 1;
}

static void set_evidence(struct steme_record *record, size_t n)
{
    ASSERTION.evidence = evidence_list(n);
    ASSERTION.evidence_count = n;
}

static void set_uri(struct steme_record *record, size_t n)
{
    struct steme_evidence *list = evidence_list(1);
    list->has_target = false;
    list->uri = letters(n);
    ASSERTION.evidence = list;
    ASSERTION.evidence_count = 1;
}

static void set_locator(struct steme_record *record, size_t n)
{
    struct steme_evidence *list = evidence_list(1);
    list->locator = letters(n);
    ASSERTION.evidence = list;
    ASSERTION.evidence_count = 1;
}

static void set_parents(struct steme_record *record, size_t n)
{
    ASSERTION.parents = hashes(n);
    ASSERTION.parent_count = n;
}

static void set_superseded(struct steme_record *record, size_t n)
{
    EPOCH.supersedes = hashes(n);
    EPOCH.supersedes_count = n;
}

static void set_targets(struct steme_record *record, size_t n)
{
    REVISION.targets = target_list(n);
    REVISION.target_count = n;
}

static void set_replacements(struct steme_record *record, size_t n)
{
    REVISION.replacements = hashes(n);
    REVISION.replacement_count = n;
}

static void set_members(struct steme_record *record, size_t n)
{
    BUNDLE.members = hashes(n);
    BUNDLE.member_count = n;
}

static const struct {
    const char *name, *sample;
    void (*set)(struct steme_record *record, size_t n);
    size_t bound;
    steme_status beyond;
    const char *says;
} bounds[] = {
    { "subject", "assertion_entity", set_subject, STEME_NAME_MAX, STEME_TOO_LARGE, "subject has 1025 bytes" },
    { "predicate", "assertion_entity", set_predicate, STEME_NAME_MAX, STEME_TOO_LARGE, "predicate has 1025 bytes" },
    { "source", "assertion_entity", set_source, STEME_NAME_MAX, STEME_TOO_LARGE, "source has 1025 bytes" },
    { "entity", "assertion_entity", set_entity, STEME_NAME_MAX, STEME_TOO_LARGE, "object has 1025 bytes" },
    { "unit", "assertion_quantity", set_unit, STEME_NAME_MAX, STEME_TOO_LARGE, "unit has 1025 bytes" },
    { "text", "assertion_text", set_text, STEME_TEXT_MAX, STEME_TOO_LARGE, "object has 65537 bytes" },
    { "language", "assertion_text", set_language, 35, STEME_BAD_INPUT, "language" },
    { "media type", "assertion_blob", set_media_type, 127, STEME_BAD_INPUT, "media type" },
    { "scale", "assertion_decimal", set_scale, STEME_SCALE_MAX, STEME_BAD_INPUT, "scale from -99 to 99" },
    { "confidence", "assertion_entity", set_confidence, STEME_PPM, STEME_BAD_INPUT, "confidence is 1000001" },
    { "qualifiers", "assertion_entity", set_qualifiers, STEME_QUALIFIERS_MAX, STEME_TOO_LARGE, "65 qualifiers" },
    { "qualifier name", "assertion_entity", set_qualifier_name, STEME_NAME_MAX, STEME_TOO_LARGE,
      "qualifier 1: name has 1025" },
    { "qualifier value", "assertion_entity", set_qualifier_value, STEME_NAME_MAX, STEME_TOO_LARGE,
      "qualifier 1: value has 1025" },
    { "evidence", "assertion_entity", set_evidence, STEME_EVIDENCE_MAX, STEME_TOO_LARGE, "257 evidence entries" },
    { "uri", "assertion_entity", set_uri, STEME_NAME_MAX, STEME_TOO_LARGE, "evidence 1: uri has 1025" },
    { "locator", "assertion_entity", set_locator, STEME_NAME_MAX, STEME_TOO_LARGE, "evidence 1: locator has 1025" },
    { "parents", "assertion_entity", set_parents, STEME_PARENTS_MAX, STEME_TOO_LARGE, "257 parents" },
    { "probability", "vote_agent", set_probability, STEME_PPM, STEME_BAD_INPUT, "probability is 1000001" },
    { "reason of a vote", "vote_agent", set_vote_reason, STEME_TEXT_MAX, STEME_TOO_LARGE, "reason has 65537" },
    { "epoch name", "epoch", set_epoch_name, STEME_NAME_MAX, STEME_TOO_LARGE, "name has 1025" },
    { "description", "epoch", set_description, STEME_TEXT_MAX, STEME_TOO_LARGE, "description has 65537" },
    { "superseded epochs", "epoch", set_superseded, STEME_PARENTS_MAX, STEME_TOO_LARGE, "257 superseded epochs" },
    { "targets", "revision_correct", set_targets, STEME_TARGETS_MAX, STEME_TOO_LARGE, "1025 targets" },
    { "replacements", "revision_correct", set_replacements, STEME_TARGETS_MAX, STEME_TOO_LARGE, "1025 replacements" },
    { "reason of a revision", "revision_correct", set_revision_reason, STEME_TEXT_MAX, STEME_TOO_LARGE,
      "reason has 65537" },
    { "members", "bundle", set_members, STEME_BUNDLE_MAX, STEME_TOO_LARGE, "4097 members" },
};

/* Decoding the bytes gives a record of the same bytes. */
static void check_round_trip(struct steme_slice bytes, const char *name)
{
    struct arena arena;
    struct buf again;
    struct steme_record record;
    struct steme_error err;
    arena_init(&arena, 4 * STEME_RECORD_MAX);
    buf_init(&again, STEME_RECORD_MAX);
    assert_status(record_decode(bytes, &arena, &record, &err), STEME_OK, &err, name);
    assert_status(record_encode(&record, &again, &err), STEME_OK, &err, name);
    assert_row(slice_equal(buf_slice(&again), bytes), name);
    buf_deinit(&again);
    arena_deinit(&arena);
}

static void every_limit_holds_at_its_bound_and_not_beyond(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(bounds); i++) {
        struct steme_record record = sample_named(bounds[i].sample);
        struct buf buf;
        struct steme_error err = { .message = "" };
        buf_init(&buf, STEME_RECORD_MAX);
        bounds[i].set(&record, bounds[i].bound);
        assert_status(record_encode(&record, &buf, &err), STEME_OK, &err, bounds[i].name);
        check_round_trip(buf_slice(&buf), bounds[i].name);
        size_t before = buf.size;
        bounds[i].set(&record, bounds[i].bound + 1);
        assert_status(record_encode(&record, &buf, &err), bounds[i].beyond, &err, bounds[i].name);
        if (!strstr(err.message, bounds[i].says)) print_error("%s\n", err.message);
        assert_row(strstr(err.message, bounds[i].says), bounds[i].name);
        assert_row(buf.size == before && buf.status == STEME_OK, bounds[i].name);
        buf_deinit(&buf);
    }
}

/* All at their bounds at once: no record is too large for the log. */
static void the_largest_assertion_is_a_record(void **state)
{
    (void)state;
    struct steme_record large = sample_named("assertion_text"), *record = &large;
    static char names[STEME_EVIDENCE_MAX][STEME_NAME_MAX + 1];
    set_subject(record, STEME_NAME_MAX);
    set_predicate(record, STEME_NAME_MAX);
    set_source(record, STEME_NAME_MAX);
    set_text(record, STEME_TEXT_MAX);
    set_parents(record, STEME_PARENTS_MAX);
    set_evidence(record, STEME_EVIDENCE_MAX);
    set_qualifiers(record, STEME_QUALIFIERS_MAX);
    struct steme_evidence *evidence = evidence_list(STEME_EVIDENCE_MAX);
    struct steme_qualifier *qualifiers = qualifier_list(STEME_QUALIFIERS_MAX);
    for (size_t i = 0; i < STEME_EVIDENCE_MAX; i++) {
        snprintf(names[i], sizeof names[i], "%0*zu", (int)STEME_NAME_MAX, i);
        evidence[i] = (struct steme_evidence){ .uri = slice_text(names[i]), .locator = letters(STEME_NAME_MAX) };
        if (i >= STEME_QUALIFIERS_MAX) continue;
        qualifiers[i].name = slice_text(names[i]);
        qualifiers[i].value = letters(STEME_NAME_MAX);
    }
    ASSERTION.has_epoch = true;
    struct steme_slice bytes = sample_bytes(record);
    assert_true(bytes.size > STEME_RECORD_MAX / 2 && bytes.size <= STEME_RECORD_MAX);
    check_round_trip(bytes, "the largest assertion");
    struct assertion_view view;
    assert_status(assertion_view(bytes, &view, NULL), STEME_OK, NULL, "view");
    testing_free(bytes);
}

/* ---- what no record may say ---- */

static void no_subject(struct steme_record *record) { ASSERTION.subject = slice_of(NULL, 0); }
static void bad_subject(struct steme_record *record) { ASSERTION.subject = bad_utf8(); }
static void loose_subject(struct steme_record *record) { ASSERTION.subject = slice_text("e\xCC\x81"); }
static void no_predicate(struct steme_record *record) { ASSERTION.predicate = slice_of(NULL, 0); }
static void control_in_predicate(struct steme_record *record) { ASSERTION.predicate = slice_text("a\nb"); }
static void space_around_source(struct steme_record *record) { ASSERTION.source = slice_text(" a"); }
static void wrong_kind(struct steme_record *record) { ASSERTION.object.kind = (enum steme_kind)10; }
static void no_entity(struct steme_record *record) { ASSERTION.object.text.size = 0; }
static void text_with_nul(struct steme_record *record) { ASSERTION.object.text = slice_of("a\0b", 3); }
static void bad_text(struct steme_record *record) { ASSERTION.object.text = bad_utf8(); }
static void wrong_language(struct steme_record *record) { ASSERTION.object.language = slice_text("en_GB"); }
static void trailing_zero(struct steme_record *record) { ASSERTION.object.amount = (struct steme_decimal){ 10, 0 }; }
static void low_bound(struct steme_record *record) { ASSERTION.object.lower = (struct steme_decimal){ 74, 0 }; }
static void high_bound(struct steme_record *record) { ASSERTION.object.upper = (struct steme_decimal){ 73, 0 }; }
static void bad_unit(struct steme_record *record) { ASSERTION.object.unit = slice_text("m "); }
static void fine_time(struct steme_record *record) { ASSERTION.object.time_us++; }
static void no_media_type(struct steme_record *record) { ASSERTION.object.media_type.size = 0; }
static void empty_interval(struct steme_record *record) { ASSERTION.valid_from_us = ASSERTION.valid_to_us = 5; }
static void backward_interval(struct steme_record *record) { ASSERTION.valid_to_us = STEME_TIME_MIN; }

static struct steme_qualifier *copy_qualifiers(struct steme_record *record)
{
    static struct steme_qualifier list[STEME_QUALIFIERS_MAX];
    memcpy(list, ASSERTION.qualifiers, ASSERTION.qualifier_count * sizeof list[0]);
    ASSERTION.qualifiers = list;
    return list;
}

static struct steme_evidence *copy_evidence(struct steme_record *record)
{
    static struct steme_evidence list[STEME_EVIDENCE_MAX];
    memcpy(list, ASSERTION.evidence, ASSERTION.evidence_count * sizeof list[0]);
    ASSERTION.evidence = list;
    return list;
}

static void bad_qualifier_name(struct steme_record *record) { copy_qualifiers(record)[2].name = bad_utf8(); }
static void no_qualifier_value(struct steme_record *record) { copy_qualifiers(record)[3].value.size = 0; }
static void no_stance(struct steme_record *record) { copy_evidence(record)[1].stance = (enum steme_stance)3; }
static void no_uri(struct steme_record *record) { copy_evidence(record)[1].uri.size = 0; }
static void bad_locator(struct steme_record *record) { copy_evidence(record)[2].locator = bad_utf8(); }

static void twin_qualifiers(struct steme_record *record)
{
    struct steme_qualifier *list = copy_qualifiers(record);
    list[2] = list[0];
}

static void twin_evidence(struct steme_record *record)
{
    struct steme_evidence *list = copy_evidence(record);
    list[2] = list[1];
    list[2].target.bytes[0] ^= 1; /* no part of evidence that has a uri */
}

static void twin_parents(struct steme_record *record)
{
    ASSERTION.parents = twin_hashes();
    ASSERTION.parent_count = 3;
}

static void vote_on_vote(struct steme_record *record) { VOTE.target.kind = STEME_ON_VOTE; }
static void vote_on_nothing(struct steme_record *record) { VOTE.target.kind = (enum steme_target_kind)6; }
static void wrong_stance(struct steme_record *record) { VOTE.stance = (enum steme_stance)3; }
static void reason_with_nul(struct steme_record *record) { VOTE.reason = slice_of("\0", 1); }
static void wrong_route(struct steme_record *record) { VOTE.target.route++; }

static void wrong_route_of_source(struct steme_record *record)
{
    VOTE.target.kind = STEME_ON_SOURCE;
    VOTE.target.route ^= 1;
}

static void no_epoch_name(struct steme_record *record) { EPOCH.name.size = 0; }
static void bad_description(struct steme_record *record) { EPOCH.description = bad_utf8(); }
static void empty_epoch(struct steme_record *record) { EPOCH.from_us = EPOCH.to_us; }

static void twin_superseded(struct steme_record *record)
{
    EPOCH.supersedes = twin_hashes();
    EPOCH.supersedes_count = 3;
}

static struct steme_target *copy_targets(struct steme_record *record)
{
    static struct steme_target list[STEME_TARGETS_MAX];
    memcpy(list, REVISION.targets, REVISION.target_count * sizeof list[0]);
    REVISION.targets = list;
    return list;
}

static void wrong_revision(struct steme_record *record) { REVISION.kind = (enum steme_revision_kind)3; }
static void no_targets(struct steme_record *record) { REVISION.target_count = 0; }
static void claim_target(struct steme_record *record) { copy_targets(record)[1].kind = STEME_ON_CLAIM; }
static void agent_target(struct steme_record *record) { copy_targets(record)[1].kind = STEME_ON_AGENT; }
static void source_target(struct steme_record *record) { copy_targets(record)[1].kind = STEME_ON_SOURCE; }
static void wrong_target(struct steme_record *record) { copy_targets(record)[1].kind = (enum steme_target_kind)6; }
static void wrong_target_route(struct steme_record *record) { copy_targets(record)[1].route ^= 1; }
static void retract_and_replace(struct steme_record *record) { REVISION.kind = STEME_RETRACT; }
static void bad_reason(struct steme_record *record) { REVISION.reason = bad_utf8(); }
static void no_replacement(struct steme_record *record) { REVISION.replacement_count = 0; }

static void twin_targets(struct steme_record *record)
{
    struct steme_target *list = copy_targets(record);
    list[1] = list[0];
}

static void twin_replacements(struct steme_record *record)
{
    REVISION.replacements = twin_hashes();
    REVISION.replacement_count = 3;
}

static void no_members(struct steme_record *record) { BUNDLE.member_count = 0; }

static void twin_members(struct steme_record *record)
{
    BUNDLE.members = twin_hashes();
    BUNDLE.member_count = 3;
}

static void wrong_type(struct steme_record *record) { record->type = (enum steme_type)6; }

static const struct {
    const char *name, *sample;
    void (*spoil)(struct steme_record *record);
    const char *says;
} refusals[] = {
    { "no subject", "assertion_entity", no_subject, "subject is empty" },
    { "subject of bad UTF-8", "assertion_entity", bad_subject, "subject" },
    { "subject that is not NFC", "assertion_entity", loose_subject, "subject is not in Unicode NFC" },
    { "no predicate", "assertion_entity", no_predicate, "predicate is empty" },
    { "a control character in the predicate", "assertion_entity", control_in_predicate, "predicate contains U+000A" },
    { "space around the source", "assertion_entity", space_around_source, "source" },
    { "an object of no kind", "assertion_entity", wrong_kind, "value kind 10" },
    { "an entity without a name", "assertion_entity", no_entity, "object is empty" },
    { "a text with NUL", "assertion_text", text_with_nul, "object contains a NUL" },
    { "a text of bad UTF-8", "assertion_text", bad_text, "object is not well-formed" },
    { "a language with an underscore", "assertion_text", wrong_language, "language" },
    { "a decimal with a trailing zero", "assertion_decimal", trailing_zero, "object is not a canonical decimal" },
    { "an amount with a trailing zero", "assertion_quantity", trailing_zero, "amount is not a canonical decimal" },
    { "a lower bound above the amount", "assertion_quantity", low_bound, "lower bound is above" },
    { "an upper bound below the amount", "assertion_quantity", high_bound, "upper bound is below" },
    { "a unit with a space at its end", "assertion_quantity", bad_unit, "unit" },
    { "a time finer than its precision", "assertion_time", fine_time, "finer than its precision" },
    { "a blob without a media type", "assertion_blob", no_media_type, "media type" },
    { "an empty interval", "assertion_entity", empty_interval, "valid_from is not before valid_to" },
    { "an interval that ends before it begins", "assertion_entity", backward_interval,
      "valid_from is not before valid_to" },
    { "a qualifier's name of bad UTF-8", "assertion_full", bad_qualifier_name, "qualifier 3: name" },
    { "a qualifier without a value", "assertion_full", no_qualifier_value, "qualifier 4: value is empty" },
    { "two qualifiers alike", "assertion_full", twin_qualifiers, "qualifiers 1 and 3 are the same" },
    { "evidence of no stance", "assertion_full", no_stance, "evidence 2: stance 3" },
    { "evidence without target and uri", "assertion_full", no_uri, "evidence 2: uri is empty" },
    { "a locator of bad UTF-8", "assertion_full", bad_locator, "evidence 3: locator" },
    { "two evidence entries alike", "assertion_full", twin_evidence, "evidence entries 2 and 3 are the same" },
    { "two parents alike", "assertion_full", twin_parents, "parents 1 and 3 are the same" },
    { "a vote on a vote", "vote_assertion", vote_on_vote, "can't be on a vote" },
    { "a vote on nothing", "vote_assertion", vote_on_nothing, "target kind 6" },
    { "a vote of no stance", "vote_assertion", wrong_stance, "stance 3" },
    { "a reason with NUL", "vote_assertion", reason_with_nul, "reason contains a NUL" },
    { "an agent with another's route", "vote_agent", wrong_route, "route is wrong" },
    { "a source with another's route", "vote_agent", wrong_route_of_source, "route is wrong" },
    { "an epoch with another's route", "vote_epoch", wrong_route, "route is wrong" },
    { "an epoch without a name", "epoch", no_epoch_name, "name is empty" },
    { "a description of bad UTF-8", "epoch", bad_description, "description" },
    { "an empty epoch", "epoch", empty_epoch, "from is not before to" },
    { "two superseded epochs alike", "epoch", twin_superseded, "superseded epochs 1 and 3 are" },
    { "a revision of no kind", "revision_correct", wrong_revision, "revision kind 3" },
    { "a revision of nothing", "revision_correct", no_targets, "without targets" },
    { "a claim revised", "revision_correct", claim_target, "target 2: kind 1 can't be revised" },
    { "an agent revised", "revision_correct", agent_target, "target 2: kind 2 can't be revised" },
    { "a source revised", "revision_correct", source_target, "target 2: kind 3 can't be revised" },
    { "nothing known revised", "revision_correct", wrong_target, "target 2: kind 6 can't be revised" },
    { "an epoch revised under another's route", "revision_correct", wrong_target_route,
      "target 2: the target's route" },
    { "two targets alike", "revision_correct", twin_targets, "targets 1 and 2 are the same" },
    { "a retraction with a replacement", "revision_correct", retract_and_replace, "a retraction with replacements" },
    { "a correction without a replacement", "revision_correct", no_replacement, "without replacements" },
    { "an update without a replacement", "revision_update", no_replacement, "without replacements" },
    { "two replacements alike", "revision_correct", twin_replacements, "replacements 1 and 3 are the" },
    { "a revision's reason of bad UTF-8", "revision_correct", bad_reason, "reason" },
    { "a bundle of nothing", "bundle", no_members, "without members" },
    { "two members alike", "bundle", twin_members, "members 1 and 3 are the same" },
    { "a record of no type", "bundle", wrong_type, "record type 6" },
};

static void what_no_record_may_say_is_refused_by_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(refusals); i++) {
        struct steme_record record = sample_named(refusals[i].sample);
        struct buf buf;
        struct steme_error err = { .message = "" };
        buf_init(&buf, STEME_RECORD_MAX);
        buf_append_text(&buf, "before");
        refusals[i].spoil(&record);
        assert_status(record_encode(&record, &buf, &err), STEME_BAD_INPUT, &err, refusals[i].name);
        if (!strstr(err.message, refusals[i].says)) print_error("%s\n", err.message);
        assert_row(strstr(err.message, refusals[i].says), refusals[i].name);
        assert_row(buf.size == 6 && buf.status == STEME_OK, refusals[i].name);
        assert_status(record_encode(&record, &buf, NULL), STEME_BAD_INPUT, NULL, refusals[i].name);
        buf_deinit(&buf);
    }
}

/* ---- lists ---- */

static void shuffle(struct prng *prng, void *list, size_t count, size_t size)
{
    uint8_t *items = list, swap[sizeof(struct steme_evidence)];
    assert_true(size <= sizeof swap);
    for (size_t i = count; i > 1; i--) {
        uint8_t *a = items + (i - 1) * size, *b = items + (size_t)prng_below(prng, i) * size;
        memcpy(swap, a, size);
        memmove(a, b, size);
        memcpy(b, swap, size);
    }
}

static void the_order_of_a_list_does_not_matter(void **state)
{
    (void)state;
    struct prng prng = { 3 };
    struct steme_record record = sample_named("assertion_full");
    struct steme_slice want = sample_bytes(&record);
    for (size_t round = 0; round < 200; round++) {
        struct steme_qualifier qualifiers[4];
        struct steme_evidence evidence[3];
        struct steme_hash parents[2];
        struct steme_assertion *assertion = &record.as.assertion;
        memcpy(qualifiers, assertion->qualifiers, sizeof qualifiers);
        memcpy(evidence, assertion->evidence, sizeof evidence);
        memcpy(parents, assertion->parents, sizeof parents);
        shuffle(&prng, qualifiers, countof(qualifiers), sizeof qualifiers[0]);
        shuffle(&prng, evidence, countof(evidence), sizeof evidence[0]);
        shuffle(&prng, parents, countof(parents), sizeof parents[0]);
        struct steme_record other = record;
        other.as.assertion.qualifiers = qualifiers;
        other.as.assertion.evidence = evidence;
        other.as.assertion.parents = parents;
        struct steme_slice got = sample_bytes(&other);
        assert_true(slice_equal(got, want));
        testing_free(got);
    }
    testing_free(want);
}

static void a_revision_in_any_order_is_the_same(void **state)
{
    (void)state;
    struct prng prng = { 5 };
    struct steme_target targets[20];
    struct steme_hash replacements[20];
    for (size_t i = 0; i < countof(targets); i++) {
        struct steme_hash hash = { { (uint8_t)(i % 4) } };
        enum steme_target_kind kind = i < 4 ? STEME_ON_EPOCH : i < 12 ? STEME_ON_VOTE : STEME_ON_ASSERTION;
        targets[i] = (struct steme_target){ kind, kind == STEME_ON_EPOCH ? route_of_hash(&hash) : i / 4, hash };
        replacements[i] = (struct steme_hash){ { (uint8_t)i } };
    }
    struct steme_record record = sample_named("revision_correct");
    record.as.revision.targets = targets;
    record.as.revision.target_count = countof(targets);
    record.as.revision.replacements = replacements;
    record.as.revision.replacement_count = countof(replacements);
    struct steme_slice want = sample_bytes(&record);
    check_round_trip(want, "20 targets");
    for (size_t round = 0; round < 200; round++) {
        shuffle(&prng, targets, countof(targets), sizeof targets[0]);
        shuffle(&prng, replacements, countof(replacements), sizeof replacements[0]);
        struct steme_slice got = sample_bytes(&record);
        assert_true(slice_equal(got, want));
        testing_free(got);
    }
    testing_free(want);
}

/* Entries that differ in one place each, in every place by which they are sorted. */
static void evidence_sorts_by_every_part(void **state)
{
    (void)state;
    struct steme_evidence evidence[] = {
        { .uri = slice_text("a") },
        { .uri = slice_text("b") },
        { .uri = slice_text("a"), .locator = slice_text("p") },
        { .uri = slice_text("a"), .locator = slice_text("q") },
        { .stance = STEME_ABSTAIN, .uri = slice_text("a") },
        { .has_target = true, .target = { { 1 } } },
        { .has_target = true, .target = { { 2 } } },
        { .has_target = true, .target = { { 1 } }, .locator = slice_text("p") },
        { .has_target = true, .target = { { 1 } }, .locator = slice_text("q") },
    };
    struct prng prng = { 11 };
    struct steme_record record = sample_named("assertion_entity");
    record.as.assertion.evidence = evidence;
    record.as.assertion.evidence_count = countof(evidence);
    struct steme_slice want = sample_bytes(&record);
    check_round_trip(want, "9 evidence entries");
    for (size_t round = 0; round < 100; round++) {
        shuffle(&prng, evidence, countof(evidence), sizeof evidence[0]);
        struct steme_slice got = sample_bytes(&record);
        assert_true(slice_equal(got, want));
        testing_free(got);
    }
    testing_free(want);
}

static void members_keep_their_order(void **state)
{
    (void)state;
    struct steme_hash members[] = { { { 3 } }, { { 1 } }, { { 2 } } };
    struct steme_record record = sample_named("bundle");
    record.as.bundle.members = members;
    struct steme_slice bytes = sample_bytes(&record);
    struct bundle_view view;
    assert_status(bundle_view(bytes, &view, NULL), STEME_OK, NULL, "three members");
    assert_int_equal(view.member_count, 3);
    assert_memory_equal(view.members, members, sizeof members);
    check_round_trip(bytes, "three members");
    testing_free(bytes);
}

/* Ids an author made so that they all meet in one slot of any table keyed by their first bytes. */
static void ids_made_to_collide_cost_little_and_hide_nothing(void **state)
{
    (void)state;
    static struct steme_hash members[STEME_BUNDLE_MAX];
    memset(members, 0, sizeof members);
    for (size_t i = 0; i < countof(members); i++) {
        members[i].bytes[30] = (uint8_t)(i >> 8);
        members[i].bytes[31] = (uint8_t)i;
    }
    struct steme_record record = sample_named("bundle");
    record.as.bundle.members = members;
    record.as.bundle.member_count = countof(members);
    struct steme_slice bytes = sample_bytes(&record);
    check_round_trip(bytes, "ids that collide");
    testing_free(bytes);
    struct steme_error err;
    struct buf buf;
    buf_init(&buf, STEME_RECORD_MAX);
    members[4000] = members[17];
    assert_status(record_encode(&record, &buf, &err), STEME_BAD_INPUT, &err, "two alike among them");
    assert_non_null(strstr(err.message, "18"));
    assert_non_null(strstr(err.message, "4001"));
    buf_deinit(&buf);
}

/* ---- the buffer ---- */

static void a_full_buffer_is_as_it_was(void **state)
{
    (void)state;
    struct sample samples[SAMPLES_MAX];
    size_t count = samples_make(samples);
    for (size_t i = 0; i < count; i++) {
        struct steme_slice bytes = sample_bytes(&samples[i].record);
        struct buf buf;
        struct steme_error err;
        buf_init(&buf, bytes.size + 2);
        buf_append_text(&buf, "abc");
        assert_status(record_encode(&samples[i].record, &buf, &err), STEME_TOO_LARGE, &err, samples[i].name);
        assert_row(buf.size == 3 && buf.status == STEME_OK, samples[i].name);
        buf.ceiling_bytes++;
        assert_status(record_encode(&samples[i].record, &buf, &err), STEME_OK, &err, samples[i].name);
        assert_row(buf.size == bytes.size + 3, samples[i].name);
        assert_row(memcmp(buf.data + 3, bytes.data, bytes.size) == 0, samples[i].name);
        buf_deinit(&buf);
        testing_free(bytes);
    }
}

static void a_small_assertion_takes_three_blocks(void **state)
{
    (void)state;
    struct steme_record small = sample_named("assertion_text_plain"), *record = &small;
    ASSERTION.subject = letters(20);
    ASSERTION.predicate = letters(8);
    ASSERTION.object.text = letters(20);
    ASSERTION.source = letters(10);
    struct steme_slice bytes = sample_bytes(record);
    assert_int_equal(bytes.size, 192);
    testing_free(bytes);
}

static int start(void **state)
{
    (void)state;
    return sign_init(NULL) == STEME_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_limit_holds_at_its_bound_and_not_beyond),
        cmocka_unit_test(the_largest_assertion_is_a_record),
        cmocka_unit_test(what_no_record_may_say_is_refused_by_name),
        cmocka_unit_test(the_order_of_a_list_does_not_matter),
        cmocka_unit_test(a_revision_in_any_order_is_the_same),
        cmocka_unit_test(evidence_sorts_by_every_part),
        cmocka_unit_test(members_keep_their_order),
        cmocka_unit_test(ids_made_to_collide_cost_little_and_hide_nothing),
        cmocka_unit_test(a_full_buffer_is_as_it_was),
        cmocka_unit_test(a_small_assertion_takes_three_blocks),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
