/* SPDX-License-Identifier: Apache-2.0 */
#include "base/check.h"
#include "base/slice.h"
#include "faces/cli/wire.h"
#include "lib/testing.h"

#include <stdlib.h>
#include <string.h>

#define NOW_US INT64_C(1700000000123456)
#define H1 "1111111111111111111111111111111111111111111111111111111111111111"
#define H2 "2222222222222222222222222222222222222222222222222222222222222222"
#define H3 "3333333333333333333333333333333333333333333333333333333333333333"
#define SIGNATURE "\"signature\":\"" H1 H2 "\""
#define HEAD(type) "{\"id\":\"" H1 "\",\"type\":\"" type "\",\"author\":\"" H2 "\","
#define CLAIM "\"subject\":\"Pluto\",\"predicate\":\"is_a\","
#define ACT "\"confidence\":\"1\",\"asserted_at\":\"1930-03-13T00:00:00Z\","
#define OBJECT(value) HEAD("assertion") CLAIM "\"object\":" value "," ACT SIGNATURE "}"
#define TARGET "{\"kind\":\"assertion\",\"id\":\"" H3 "\",\"route\":\"62f37ad5b486543a\"}"
#define MEMBER(id) \
    "{\"id\":\"" id "\",\"type\":\"assertion\",\"author\":\"" H2 "\"," CLAIM "\"object\":{\"kind\":\"none\"},\
\"confidence\":\"0\",\"asserted_at\":\"1930-03-13T00:00:00Z\"}"

static const struct {
    const char *name, *line;
} records[] = {
    { "a plain assertion", OBJECT("{\"kind\":\"entity\",\"name\":\"planet\"}") },
    { "a text", OBJECT("{\"kind\":\"text\",\"text\":\"a \\\"quoted\\\" \\u0000 text\"}") },
    { "an empty text", OBJECT("{\"kind\":\"text\",\"text\":\"\"}") },
    { "a text with a language", OBJECT("{\"kind\":\"text\",\"text\":\"Planet\",\"language\":\"de\"}") },
    { "an integer", OBJECT("{\"kind\":\"integer\",\"integer\":-12}") },
    { "the largest integer that is no string", OBJECT("{\"kind\":\"integer\",\"integer\":9007199254740992}") },
    { "an integer beyond it", OBJECT("{\"kind\":\"integer\",\"integer\":\"-9223372036854775808\"}") },
    { "a decimal", OBJECT("{\"kind\":\"decimal\",\"amount\":\"-73.04\"}") },
    { "a quantity",
      OBJECT("{\"kind\":\"quantity\",\"amount\":\"67.4\",\"lower\":\"66.9\",\"upper\":\"67.9\",\"unit\":\"m\"}") },
    { "a quantity without bounds or unit", OBJECT("{\"kind\":\"quantity\",\"amount\":\"67.4\"}") },
    { "a month", OBJECT("{\"kind\":\"time\",\"time\":\"1994-10-01T00:00:00Z\",\"precision\":\"month\"}") },
    { "a time before all calendars",
      OBJECT("{\"kind\":\"time\",\"time\":\"@-9223372036854775808\",\"precision\":\"microsecond\"}") },
    { "a boolean", OBJECT("{\"kind\":\"boolean\",\"boolean\":false}") },
    { "a blob", OBJECT("{\"kind\":\"blob\",\"hash\":\"" H3 "\",\"bytes\":2048,\"media_type\":\"image/png\"}") },
    { "a blob beyond all", OBJECT("{\"kind\":\"blob\",\"hash\":\"" H3 "\",\"bytes\":\"18446744073709551615\"}") },
    { "unknown", OBJECT("{\"kind\":\"unknown\"}") },
    { "none", OBJECT("{\"kind\":\"none\"}") },
    { "an assertion with everything", HEAD("assertion") CLAIM
      "\"object\":{\"kind\":\"none\"},\"negated\":true,\"confidence\":\"0.123456\","
      "\"asserted_at\":\"1930-03-13T01:02:03.000004Z\",\"valid_from\":\"@-62135596800000001\","
      "\"valid_to\":\"2006-08-24T00:00:00Z\","
      "\"epoch\":\"" H3 "\",\"source\":\"Tombaugh\",\"qualifiers\":[{\"name\":\"how\",\"value\":\"photograph\"},"
      "{\"name\":\"of\",\"value\":\"it\",\"key\":true}],\"evidence\":[{\"stance\":\"refutes\",\"target\":\"" H3 "\"},"
      "{\"stance\":\"context\",\"uri\":\"doi:10.1/2\",\"locator\":\"p. 3\"}],\"parents\":[\"" H1 "\",\"" H2
      "\"]," SIGNATURE "}" },
    { "a vote",
      "{\"id\":\"" H1 "\",\"type\":\"vote\",\"voter\":\"" H2 "\",\"target\":" TARGET ",\"stance\":\"abstain\","
      "\"probability\":\"0.8\",\"cast_at\":\"2026-01-01T00:00:00Z\",\"reason\":\"too small\"," SIGNATURE "}" },
    { "an epoch",
      HEAD("epoch") "\"name\":\"by usage\",\"description\":\"no rule\",\"declared_at\":\"2026-01-01T00:00:00Z\","
                    "\"from\":\"1543-01-01T00:00:00Z\",\"to\":\"2006-08-24T00:00:00Z\",\"supersedes\":[\"" H3
                    "\"]," SIGNATURE "}" },
    { "an epoch without bounds",
      HEAD("epoch") "\"name\":\"x\",\"declared_at\":\"2026-01-01T00:00:00Z\"," SIGNATURE "}" },
    { "a retraction", HEAD("revision") "\"kind\":\"retract\",\"targets\":[" TARGET
                                       "],\"revised_at\":\"2026-01-01T00:00:00Z\"," SIGNATURE "}" },
    { "a correction",
      HEAD("revision") "\"kind\":\"correct\",\"targets\":[" TARGET "," TARGET "],\"replacements\":[\"" H1 "\"],"
                       "\"revised_at\":\"2026-01-01T00:00:00Z\",\"reason\":\"a slip\"," SIGNATURE "}" },
    { "a bundle", HEAD("bundle") SIGNATURE ",\"members\":[" MEMBER(H1) "," MEMBER(H3) "]}" },
};

/* A record read, as an entry that can be written. */
static struct steme_entry entry_of(const struct wire_record *record)
{
    return (struct steme_entry){
        .id = record->id,
        .record = record->record,
        .is_signed = !record->is_draft,
        .signature = record->signature,
    };
}

static void write_record(struct emit *json, const struct wire_record *record)
{
    struct steme_entry entry = entry_of(record);
    wire_begin_entry(json, NULL, &entry, false);
    if (record->record.type == STEME_BUNDLE) emit_begin(json, "members", '[');
    for (size_t i = 0; i < record->member_count; i++) {
        struct steme_entry member = entry_of(&record->members[i]);
        member.is_signed = false;
        wire_begin_entry(json, NULL, &member, false);
        emit_end(json, '}');
    }
    if (record->record.type == STEME_BUNDLE) emit_end(json, ']');
    emit_end(json, '}');
}

static void a_record_read_is_written_as_it_stood(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(records); i++) {
        struct wire_record record;
        struct steme_error err;
        struct arena arena;
        struct buf got;
        arena_init(&arena, 1 << 20);
        buf_init(&got, 1 << 20);
        struct emit json = { .to = &got };
        steme_status status = wire_read(slice_text(records[i].line), NOW_US, &arena, &record, &err);
        assert_status(status, STEME_OK, &err, records[i].name);
        assert_row(!record.is_draft && record.has_author, records[i].name);
        write_record(&json, &record);
        buf_append(&got, "", 1);
        assert_row_text((const char *)got.data, records[i].line, records[i].name);
        buf_deinit(&got);
        arena_deinit(&arena);
    }
}

static void what_the_log_adds_is_left_aside(void **state)
{
    (void)state;
    static const char line[] = "{\"id\":\"" H1
                               "\",\"sequence\":12,\"received_at\":\"2026-01-01T00:00:00Z\",\"type\":\"epoch\","
                               "\"author\":\"" H2
                               "\",\"name\":\"x\",\"declared_at\":\"2026-01-01T00:00:00Z\"," SIGNATURE "}";
    struct wire_record record;
    struct arena arena;
    struct buf got;
    arena_init(&arena, 1 << 20);
    buf_init(&got, 1 << 20);
    struct emit json = { .to = &got };
    assert_int_equal(wire_read(slice_text(line), NOW_US, &arena, &record, NULL), STEME_OK);
    struct steme_entry entry = entry_of(&record);
    entry.sequence = 12;
    entry.received_at_us = 1767225600000000;
    wire_begin_entry(&json, NULL, &entry, true);
    emit_end(&json, '}');
    assert_true(slice_equal(buf_slice(&got), slice_text(line)));
    buf_deinit(&got);
    arena_deinit(&arena);
}

#define DRAFT "{\"type\":\"assertion\"," CLAIM

static void a_draft_may_leave_out_what_can_be_filled_in(void **state)
{
    (void)state;
    static const struct {
        const char *name, *line;
        enum steme_kind kind;
        uint32_t ppm;
    } drafts[] = {
        { "a bare text", DRAFT "\"object\":\"planet\"}", STEME_TEXT, 1000000 },
        { "a bare number", DRAFT "\"object\":7,\"confidence\":0.25}", STEME_INTEGER, 250000 },
        { "a bare truth value", DRAFT "\"object\":true,\"confidence\":1}", STEME_BOOLEAN, 1000000 },
        { "parts per million", DRAFT "\"object\":true,\"confidence_ppm\":123456}", STEME_BOOLEAN, 123456 },
        { "a whole number as a decimal", DRAFT "\"object\":{\"kind\":\"decimal\",\"amount\":7}}", STEME_DECIMAL,
          1000000 },
        { "a time with its own precision", DRAFT "\"object\":{\"kind\":\"time\",\"time\":\"1994-10\"}}", STEME_TIME,
          1000000 },
        { "digits in a string", DRAFT "\"object\":{\"kind\":\"integer\",\"integer\":\"7\"}}", STEME_INTEGER, 1000000 },
    };
    for (size_t i = 0; i < countof(drafts); i++) {
        struct wire_record record;
        struct steme_error err;
        struct arena arena;
        arena_init(&arena, 1 << 20);
        steme_status status = wire_read(slice_text(drafts[i].line), NOW_US, &arena, &record, &err);
        assert_status(status, STEME_OK, &err, drafts[i].name);
        const struct steme_assertion *it = &record.record.as.assertion;
        assert_row(record.is_draft && !record.has_author, drafts[i].name);
        assert_row(it->object.kind == drafts[i].kind && it->confidence_ppm == drafts[i].ppm, drafts[i].name);
        assert_row(it->asserted_at_us == NOW_US, drafts[i].name);
        assert_row(it->valid_from_us == STEME_TIME_MIN && it->valid_to_us == STEME_TIME_MAX, drafts[i].name);
        arena_deinit(&arena);
    }
}

static void a_target_may_name_its_subject_in_place_of_the_route(void **state)
{
    (void)state;
    static const char line[] = "{\"type\":\"vote\",\"target\":{\"kind\":\"claim\",\"id\":\"" H3
                               "\",\"subject\":\"Pluto\"},"
                               "\"stance\":\"support\"}";
    static const char agent[] = "{\"type\":\"vote\",\"target\":{\"kind\":\"agent\",\"id\":\"" H3
                                "\"},\"stance\":\"support\"}";
    struct wire_record record;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    assert_int_equal(wire_read(slice_text(line), NOW_US, &arena, &record, NULL), STEME_OK);
    assert_true(record.record.as.vote.target.route == steme_route(slice_text("Pluto")));
    assert_int_equal(wire_read(slice_text(agent), NOW_US, &arena, &record, NULL), STEME_OK);
    assert_true(record.record.as.vote.target.route == UINT64_C(0x3333333333333333));
    arena_deinit(&arena);
}

static const struct {
    const char *name, *line, *part;
} refused[] = {
    { "nothing", "", "JSON" },
    { "no JSON", "hello", "not JSON" },
    { "half a line", "{\"type\":\"asser", "not JSON" },
    { "two objects", "{} {}", "not JSON" },
    { "an array", "[]", "a JSON object" },
    { "a number", "7", "JSON" },
    { "an empty object", "{}", "\"type\"" },
    { "a type that is none", "{\"type\":\"asertion\"}", "did you mean 'assertion'" },
    { "a type of the wrong kind", "{\"type\":7}", "\"type\"" },
    { "a member twice", "{\"type\":\"epoch\",\"type\":\"vote\"}", "duplicate" },
    { "an unknown member", DRAFT "\"object\":\"x\",\"confidense\":1}", "did you mean 'confidence'" },
    { "an unknown member of a value", DRAFT "\"object\":{\"kind\":\"entity\",\"nam\":\"x\"}}", "did you mean 'name'" },
    { "no subject", "{\"type\":\"assertion\",\"predicate\":\"p\",\"object\":\"x\"}", "\"subject\"" },
    { "a subject that is no string", "{\"type\":\"assertion\",\"subject\":7,\"predicate\":\"p\",\"object\":\"x\"}",
      "\"subject\"" },
    { "no object", DRAFT "\"confidence\":1}", "\"object\"" },
    { "a null object", DRAFT "\"object\":null}", "\"object\"" },
    { "a bare fraction as an object", DRAFT "\"object\":1.5}", "\"object\"" },
    { "a kind that is none", DRAFT "\"object\":{\"kind\":\"entiy\"}}", "did you mean 'entity'" },
    { "a bare fraction as an amount", DRAFT "\"object\":{\"kind\":\"decimal\",\"amount\":1.5}}", "in a string" },
    { "NaN as an amount", DRAFT "\"object\":{\"kind\":\"decimal\",\"amount\":\"NaN\"}}", "NaN" },
    { "NaN as JSON", DRAFT "\"object\":NaN}", "not JSON" },
    { "a number beyond all", DRAFT "\"object\":1e999}", "not JSON" },
    { "an integer beyond all", DRAFT "\"object\":9223372036854775808}", "not JSON" },
    { "one bound", DRAFT "\"object\":{\"kind\":\"quantity\",\"amount\":\"1\",\"lower\":\"0\"}}", "\"upper\"" },
    { "a boolean that is a string", DRAFT "\"object\":{\"kind\":\"boolean\",\"boolean\":\"true\"}}", "true or false" },
    { "a boolean that is absent", DRAFT "\"object\":{\"kind\":\"boolean\"}}", "true or false" },
    { "digits with a NUL", DRAFT "\"object\":{\"kind\":\"integer\",\"integer\":\"7\\u0000\"}}", "whole number" },
    { "a precision that is none", DRAFT "\"object\":{\"kind\":\"time\",\"time\":\"1994\",\"precision\":\"decade\"}}",
      "precision" },
    { "a negative size", DRAFT "\"object\":{\"kind\":\"blob\",\"hash\":\"" H1 "\",\"bytes\":-1}}", "bytes" },
    { "confidence 1.5", DRAFT "\"object\":\"x\",\"confidence\":1.5}", "0 to 1" },
    { "confidence -1", DRAFT "\"object\":\"x\",\"confidence\":-1}", "0 to 1" },
    { "confidence in seven decimals", DRAFT "\"object\":\"x\",\"confidence\":0.1234567}", "6 decimals" },
    { "confidence as a word", DRAFT "\"object\":\"x\",\"confidence\":\"high\"}", "confidence" },
    { "confidence twice over", DRAFT "\"object\":\"x\",\"confidence\":1,\"confidence_ppm\":1}", "confidence_ppm" },
    { "too many parts per million", DRAFT "\"object\":\"x\",\"confidence_ppm\":1000001}", "1000000" },
    { "negated as a number", DRAFT "\"object\":\"x\",\"negated\":1}", "true or false" },
    { "a time that is none", DRAFT "\"object\":\"x\",\"asserted_at\":\"noon\"}", "asserted_at" },
    { "a time that is a number", DRAFT "\"object\":\"x\",\"valid_to\":1994}", "valid_to" },
    { "qualifiers that are no array", DRAFT "\"object\":\"x\",\"qualifiers\":{}}", "qualifiers" },
    { "a qualifier that is no object", DRAFT "\"object\":\"x\",\"qualifiers\":[7]}", "qualifiers" },
    { "a qualifier without a value", DRAFT "\"object\":\"x\",\"qualifiers\":[{\"name\":\"a\"}]}", "value" },
    { "evidence without a target", DRAFT "\"object\":\"x\",\"evidence\":[{\"stance\":\"supports\"}]}", "uri" },
    { "evidence with two targets",
      DRAFT "\"object\":\"x\",\"evidence\":[{\"stance\":\"supports\",\"uri\":\"a\",\"target\":\"" H1 "\"}]}", "uri" },
    { "evidence of no stance", DRAFT "\"object\":\"x\",\"evidence\":[{\"stance\":\"support\",\"uri\":\"a\"}]}",
      "supports" },
    { "a parent that is no id", DRAFT "\"object\":\"x\",\"parents\":[\"abc\"]}", "parents" },
    { "a parent that is no string", DRAFT "\"object\":\"x\",\"parents\":[7]}", "parents" },
    { "an epoch that is no id", DRAFT "\"object\":\"x\",\"epoch\":\"by usage\"}", "epoch" },
    { "an id without a signature", "{\"id\":\"" H1 "\",\"type\":\"epoch\",\"author\":\"" H1 "\",\"name\":\"x\"}",
      "signature" },
    { "a signature without an id", "{" SIGNATURE ",\"type\":\"epoch\",\"author\":\"" H1 "\",\"name\":\"x\"}",
      "\"id\"" },
    { "a signature that is too short", "{\"id\":\"" H1 "\",\"signature\":\"" H1 "\",\"type\":\"epoch\",\"name\":\"x\"}",
      "signature" },
    { "a signed record without a time", HEAD("epoch") "\"name\":\"x\"," SIGNATURE "}", "declared_at" },
    { "a signed record without a confidence",
      HEAD("assertion") CLAIM "\"object\":\"x\",\"asserted_at\":\"1930\"," SIGNATURE "}", "confidence" },
    { "a signed record without an author", "{\"id\":\"" H1 "\",\"type\":\"epoch\",\"name\":\"x\"," SIGNATURE "}",
      "author" },
    { "a vote on nothing", "{\"type\":\"vote\",\"stance\":\"support\"}", "target" },
    { "a vote of no stance", "{\"type\":\"vote\",\"target\":" TARGET ",\"stance\":\"yes\"}", "support" },
    { "a target without a route",
      "{\"type\":\"vote\",\"target\":{\"kind\":\"assertion\",\"id\":\"" H1 "\"},\"stance\":\"support\"}", "route" },
    { "a target with route and subject",
      "{\"type\":\"vote\",\"target\":{\"kind\":\"claim\",\"id\":\"" H1
      "\",\"route\":\"0000000000000000\",\"subject\":\"x\"},"
      "\"stance\":\"support\"}",
      "subject" },
    { "a target of no kind",
      "{\"type\":\"vote\",\"target\":{\"kind\":\"thing\",\"id\":\"" H1 "\"},\"stance\":\"support\"}", "kind" },
    { "a revision of no kind", "{\"type\":\"revision\",\"kind\":\"undo\",\"targets\":[" TARGET "]}", "retract" },
    { "a bundle as a draft", "{\"type\":\"bundle\",\"members\":[]}", "signature" },
    { "a bundle in a bundle", HEAD("bundle") SIGNATURE ",\"members\":[{\"type\":\"bundle\"}]}", "member 1" },
    { "a member with a signature",
      HEAD("bundle") SIGNATURE ",\"members\":[{\"type\":\"assertion\",\"signature\":\"" H1 H1 "\"}]}", "signature" },
    { "a member that is no object", HEAD("bundle") SIGNATURE ",\"members\":[7]}", "member 1" },
};

static void what_would_be_lost_or_guessed_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(refused); i++) {
        struct wire_record record;
        struct steme_error err;
        struct arena arena;
        arena_init(&arena, 1 << 20);
        steme_status status = wire_read(slice_text(refused[i].line), NOW_US, &arena, &record, &err);
        assert_status(status, STEME_BAD_INPUT, &err, refused[i].name);
        if (!strstr(err.message, refused[i].part)) print_error("%s\n", err.message);
        assert_row(strstr(err.message, refused[i].part), refused[i].name);
        arena_deinit(&arena);
    }
}

static void deep_nesting_is_refused_before_it_is_parsed(void **state)
{
    (void)state;
    enum { LEVELS = 1000000 };
    struct steme_error err;
    struct wire_record record;
    struct arena arena;
    char *line = malloc(LEVELS);
    assert_non_null(line);
    memset(line, '[', LEVELS);
    arena_init(&arena, 1 << 20);
    assert_int_equal(wire_read(slice_of(line, LEVELS), NOW_US, &arena, &record, &err), STEME_BAD_INPUT);
    assert_non_null(strstr(err.message, "deeper"));
    /* brackets in a string do not count */
    char text[200] = DRAFT "\"object\":\"[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[[[[[[[[[[[[[[[[[[[[\"}";
    assert_int_equal(wire_read(slice_text(text), NOW_US, &arena, &record, &err), STEME_OK);
    arena_deinit(&arena);
    free(line);
}

static void a_full_arena_is_reported(void **state)
{
    (void)state;
    for (size_t ceiling = 0; ceiling < 512; ceiling += 16) {
        struct wire_record record;
        struct arena arena;
        arena_init(&arena, ceiling);
        steme_status status = wire_read(slice_text(records[0].line), NOW_US, &arena, &record, NULL);
        assert_true(status == STEME_NO_MEMORY || (status == STEME_OK && ceiling > 128));
        arena_deinit(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_read_is_written_as_it_stood),
        cmocka_unit_test(what_the_log_adds_is_left_aside),
        cmocka_unit_test(a_draft_may_leave_out_what_can_be_filled_in),
        cmocka_unit_test(a_target_may_name_its_subject_in_place_of_the_route),
        cmocka_unit_test(what_would_be_lost_or_guessed_is_refused),
        cmocka_unit_test(deep_nesting_is_refused_before_it_is_parsed),
        cmocka_unit_test(a_full_arena_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
