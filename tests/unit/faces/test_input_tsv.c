/* SPDX-License-Identifier: Apache-2.0 */
#include "base/check.h"
#include "base/slice.h"
#include "faces/cli/input_tsv.h"
#include "lib/testing.h"

#include <stdio.h>
#include <string.h>

enum { ARENA_BYTES = 1 << 20 };

#define NOW_US INT64_C(1700000000123456)
#define STATED_US INT64_C(1600000000000000)
#define ALL_NEEDED "subject\tpredicate\tobject"

/* Knows the epoch "now" and no other. */
static steme_status find_epoch(void *context, struct steme_slice name, struct steme_hash *out, struct steme_error *err)
{
    size_t *calls = context;
    ++*calls;
    if (!slice_equal(name, slice_text("now"))) return error_set(err, STEME_NOT_FOUND, "there is no such epoch");
    *out = (struct steme_hash){ .bytes = { 0xE0 } };
    return STEME_OK;
}

static size_t epoch_calls;
static const struct tsv_context context = { NOW_US, STATED_US, find_epoch, &epoch_calls };

static struct tsv_header parse_header(const char *line)
{
    struct tsv_header header;
    struct steme_error err;
    assert_status(tsv_header_parse(slice_text(line), &header, &err), STEME_OK, &err, line);
    return header;
}

/* ---- headers ---- */

static void a_header_names_its_columns_in_any_order(void **state)
{
    (void)state;
    struct tsv_header header = parse_header("epoch\tobject\tsubject\tpredicate");
    static const enum tsv_column want[] = { TSV_EPOCH, TSV_OBJECT, TSV_SUBJECT, TSV_PREDICATE };
    assert_int_equal(header.count, countof(want));
    for (size_t i = 0; i < countof(want); i++)
        assert_int_equal(header.columns[i], want[i]);
    assert_false(header.has_agent);
    header = parse_header("agent\tsubject\tpredicate\tobject\ttype\tconfidence\tplus\tminus\tunit\ttime\tvalid_from\t"
                          "valid_to\tsource\tepoch");
    assert_int_equal(header.count, TSV_KIND); /* those behind are of votes */
    assert_true(header.has_agent);
}

static const struct {
    const char *name, *line, *message;
} bad_headers[] = {
    { "nothing", "", "column ''" },
    { "a column unknown", "agent\tsubjekt\tpredicate\tobject", "did you mean 'subject'" },
    { "a column like none", ALL_NEEDED "\txyzzy", "no column 'xyzzy'" },
    { "a column in capitals", "Subject\tpredicate\tobject", "did you mean 'subject'" },
    { "a column named twice", ALL_NEEDED "\tunit\tunit", "'unit' twice" },
    { "no subject", "predicate\tobject", "lacks column 'subject'" },
    { "no predicate", "subject\tobject", "lacks column 'predicate'" },
    { "no object", "subject\tpredicate\tagent", "lacks column 'object'" },
    { "a tab too many", ALL_NEEDED "\t", "column ''" },
    { "commas", "subject,predicate,object",
      "without a tab to part its columns: there is no column 'subject,predicate,object'; there are: agent, subject" },
    { "the last of the columns there are", "a\tb", "valid_to, source, epoch" },
    { "bytes that are no UTF-8", "\x89PNG", "binary" },
    { "a name too long to show", ALL_NEEDED "\t1234567890123456789012345678901234567890123456789012345678901234567890",
      "column '1234567" },
};

static void a_header_that_is_none_is_refused_with_what_is_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(bad_headers); i++) {
        struct tsv_header header = { .count = 77 };
        struct steme_error err;
        steme_status status = tsv_header_parse(slice_text(bad_headers[i].line), &header, &err);
        assert_status(status, STEME_BAD_INPUT, &err, bad_headers[i].name);
        assert_row(strstr(err.message, bad_headers[i].message), bad_headers[i].name);
        assert_row(header.count == 77, bad_headers[i].name);
    }
}

/* ---- rows ---- */

static void fields_stand_under_the_header(void **state)
{
    (void)state;
    struct tsv_header header = parse_header("object\tsubject\tunit\tpredicate");
    struct tsv_row row;
    struct steme_error err;
    struct steme_slice line = slice_text("67.4\tcosmology:hubble\t\tvalue");
    assert_status(tsv_row_split(&header, line, &row, &err), STEME_OK, &err, "a row");
    assert_true(slice_equal(row.fields[TSV_OBJECT], slice_text("67.4")));
    assert_ptr_equal(row.fields[TSV_OBJECT].data, line.data); /* borrowed */
    assert_true(slice_equal(row.fields[TSV_SUBJECT], slice_text("cosmology:hubble")));
    assert_true(slice_equal(row.fields[TSV_PREDICATE], slice_text("value")));
    assert_null(row.fields[TSV_UNIT].data);  /* empty is absent */
    assert_null(row.fields[TSV_AGENT].data); /* no such column */
}

static const struct {
    const char *name;
    struct steme_slice line;
    const char *message;
} bad_rows[] = {
    { "nothing", { (const uint8_t *)"", 0 }, "1 fields, the header names 3" },
    { "a field too few", { (const uint8_t *)"s\tp", 3 }, "2 fields" },
    { "a field too many", { (const uint8_t *)"s\tp\to\t", 6 }, "4 fields" },
    { "a carriage return inside", { (const uint8_t *)"s\rt\tp\to", 7 }, "carriage return" },
    { "a NUL", { (const uint8_t *)"s\tp\to\0o", 7 }, "NUL" },
};

static void a_row_that_does_not_fit_its_header_is_refused(void **state)
{
    (void)state;
    struct tsv_header header = parse_header(ALL_NEEDED);
    for (size_t i = 0; i < countof(bad_rows); i++) {
        struct tsv_row row = { 0 };
        struct steme_error err;
        steme_status status = tsv_row_split(&header, bad_rows[i].line, &row, &err);
        assert_status(status, STEME_BAD_INPUT, &err, bad_rows[i].name);
        assert_row(strstr(err.message, bad_rows[i].message), bad_rows[i].name);
        assert_row(!row.fields[TSV_SUBJECT].data, bad_rows[i].name);
    }
}

/* ---- assertions ---- */

static steme_status read_row(const char *head, const char *line, struct arena *arena, struct steme_assertion *out,
                             struct steme_error *err)
{
    struct tsv_header header = parse_header(head);
    struct tsv_row row;
    steme_status status = tsv_row_split(&header, slice_text(line), &row, err);
    return status ? status : tsv_row_assertion(&header, &row, &context, arena, out, err);
}

static void a_row_of_the_needed_columns_is_a_sure_text_stated_when_the_import_says(void **state)
{
    (void)state;
    struct arena arena;
    struct steme_assertion it;
    struct steme_error err;
    arena_init(&arena, ARENA_BYTES);
    assert_status(read_row(ALL_NEEDED, "Ceres\tdiscovered_by\tPiazzi", &arena, &it, &err), STEME_OK, &err, "row");
    assert_true(slice_equal(it.subject, slice_text("Ceres")));
    assert_true(slice_equal(it.predicate, slice_text("discovered_by")));
    assert_int_equal(it.object.kind, STEME_TEXT);
    assert_true(slice_equal(it.object.text, slice_text("Piazzi")));
    assert_int_equal(it.confidence_ppm, STEME_PPM);
    assert_int_equal(it.asserted_at_us, STATED_US);
    assert_true(it.valid_from_us == STEME_TIME_MIN && it.valid_to_us == STEME_TIME_MAX);
    assert_true(!it.negated && !it.has_epoch && !it.source.data);
    assert_true(it.evidence_count == 0 && it.qualifier_count == 0 && it.parent_count == 0);
    arena_deinit(&arena);
}

static void every_column_has_its_place_in_the_assertion(void **state)
{
    (void)state;
    struct arena arena;
    struct steme_assertion it;
    struct steme_error err;
    arena_init(&arena, ARENA_BYTES);
    steme_status status = read_row(
        "agent\tsubject\tpredicate\tobject\ttype\tconfidence\tplus\tminus\tunit\ttime\t"
        "valid_from\tvalid_to\tsource\tepoch",
        "planck\tcosmology\thubble\t67.4\tquantity\t0.9\t0.5\t0.4\tkm\t@7\t1994\tnow\tdoi:1\tnow", &arena, &it, &err);
    assert_status(status, STEME_OK, &err, "row");
    assert_int_equal(it.object.kind, STEME_QUANTITY);
    assert_int_equal(it.object.amount.coefficient, 674);
    assert_int_equal(it.object.lower.coefficient, 67);
    assert_int_equal(it.object.upper.coefficient, 679);
    assert_true(slice_equal(it.object.unit, slice_text("km")));
    assert_int_equal(it.confidence_ppm, 900000);
    assert_int_equal(it.asserted_at_us, 7);
    assert_int_equal(it.valid_from_us, INT64_C(757382400000000));
    assert_int_equal(it.valid_to_us, NOW_US);
    assert_true(it.has_epoch && it.epoch.bytes[0] == 0xE0);
    assert_true(slice_equal(it.source, slice_text("planck")));
    assert_int_equal(it.evidence_count, 1);
    assert_int_equal(it.evidence[0].stance, STEME_SUPPORT);
    assert_true(!it.evidence[0].has_target && slice_equal(it.evidence[0].uri, slice_text("doi:1")));
    arena_deinit(&arena);
}

static const struct {
    const char *name, *head, *line, *source, *uri;
} sources[] = {
    { "an agent is the voice", ALL_NEEDED "\tagent", "s\tp\to\tkuiper", "kuiper", "" },
    { "a source next to it is evidence", ALL_NEEDED "\tagent\tsource", "s\tp\to\tkuiper\tdoi:1", "kuiper", "doi:1" },
    { "a source without a column of agents is the voice", ALL_NEEDED "\tsource", "s\tp\to\tdoi:1", "doi:1", "" },
    { "an agent left empty is nobody", ALL_NEEDED "\tagent\tsource", "s\tp\to\t\tdoi:1", "", "doi:1" },
    { "both left empty", ALL_NEEDED "\tagent\tsource", "s\tp\to\t\t", "", "" },
};

static void an_agent_is_the_voice_and_a_source_next_to_it_evidence(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(sources); i++) {
        struct arena arena;
        struct steme_assertion it;
        struct steme_error err;
        arena_init(&arena, ARENA_BYTES);
        assert_status(read_row(sources[i].head, sources[i].line, &arena, &it, &err), STEME_OK, &err, sources[i].name);
        assert_row(slice_equal(it.source, slice_text(sources[i].source)), sources[i].name);
        assert_row(it.evidence_count == (sources[i].uri[0] ? 1 : 0), sources[i].name);
        if (it.evidence_count) assert_row(slice_equal(it.evidence[0].uri, slice_text(sources[i].uri)), sources[i].name);
        arena_deinit(&arena);
    }
}

static const struct {
    const char *name, *object, *type;
    enum steme_kind kind;
    const char *text; /* of a text */
} objects[] = {
    { "escapes", "a\\tb\\nc\\rd\\\\e", "", STEME_TEXT, "a\tb\nc\rd\\e" },
    { "quotes are letters", "\"a\"", "", STEME_TEXT, "\"a\"" },
    { "an entity", "planet", "entity", STEME_ENTITY, "planet" },
    { "an integer", "-5", "integer", STEME_INTEGER, NULL },
    { "unknown takes none", "", "unknown", STEME_UNKNOWN, NULL },
    { "none takes none", "", "none", STEME_NONE, NULL },
};

static void an_object_is_read_with_its_escapes_and_type(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(objects); i++) {
        struct arena arena;
        struct steme_assertion it;
        struct steme_error err;
        char line[128];
        arena_init(&arena, ARENA_BYTES);
        snprintf(line, sizeof line, "s\tp\t%s\t%s", objects[i].object, objects[i].type);
        assert_status(read_row(ALL_NEEDED "\ttype", line, &arena, &it, &err), STEME_OK, &err, objects[i].name);
        assert_row(it.object.kind == objects[i].kind, objects[i].name);
        if (objects[i].text) assert_row(slice_equal(it.object.text, slice_text(objects[i].text)), objects[i].name);
        arena_deinit(&arena);
    }
}

static const struct {
    const char *name, *head, *line;
    steme_status want;
    const char *message;
} bad_assertions[] = {
    { "no object", ALL_NEEDED, "s\tp\t", STEME_BAD_INPUT, "the object is missing" },
    { "an escape unknown", ALL_NEEDED, "s\tp\t\\x", STEME_BAD_INPUT, "backslash" },
    { "an escape cut", ALL_NEEDED, "s\tp\ta\\", STEME_BAD_INPUT, "backslash" },
    { "a type unknown", ALL_NEEDED "\ttype", "s\tp\t1\tintger", STEME_BAD_INPUT, "did you mean 'integer'" },
    { "an object not of its type", ALL_NEEDED "\ttype", "s\tp\tyes\tboolean", STEME_BAD_INPUT, "not 'yes'" },
    { "not a number", ALL_NEEDED "\ttype", "s\tp\tNaN\tdecimal", STEME_BAD_INPUT, "NaN" },
    { "an error of a text", ALL_NEEDED "\ttype\tplus", "s\tp\to\ttext\t1", STEME_BAD_INPUT, "quantity" },
    { "an integer too large", ALL_NEEDED "\ttype", "s\tp\t9223372036854775808\tinteger", STEME_TOO_LARGE, "" },
    { "an error below nothing", ALL_NEEDED "\tplus", "s\tp\t1\t-1", STEME_BAD_INPUT, "can't be negative" },
    { "a unit of a text", ALL_NEEDED "\tunit\ttype", "s\tp\t1\tm\ttext", STEME_BAD_INPUT, "go with type quantity" },
    { "a confidence over 1", ALL_NEEDED "\tconfidence", "s\tp\to\t1.1", STEME_BAD_INPUT, "confidence must be" },
    { "a confidence too exact", ALL_NEEDED "\tconfidence", "s\tp\to\t0.1234567", STEME_BAD_INPUT, "6 decimals" },
    { "a time that is none", ALL_NEEDED "\ttime", "s\tp\to\tyesterday", STEME_BAD_INPUT, "time" },
    { "a beginning that is none", ALL_NEEDED "\tvalid_from", "s\tp\to\t@", STEME_BAD_INPUT, "valid_from" },
    { "an end that is none", ALL_NEEDED "\tvalid_to", "s\tp\to\t1994-13", STEME_BAD_INPUT, "valid_to" },
    { "an epoch that is not there", ALL_NEEDED "\tepoch", "s\tp\to\tthen", STEME_NOT_FOUND, "no such epoch" },
};

static void a_row_that_states_nothing_sound_is_refused_with_what_is_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(bad_assertions); i++) {
        struct arena arena;
        struct steme_assertion it = { .confidence_ppm = 77 };
        struct steme_error err;
        arena_init(&arena, ARENA_BYTES);
        steme_status status = read_row(bad_assertions[i].head, bad_assertions[i].line, &arena, &it, &err);
        assert_status(status, bad_assertions[i].want, &err, bad_assertions[i].name);
        assert_row(strstr(err.message, bad_assertions[i].message), bad_assertions[i].name);
        assert_row(it.confidence_ppm == 77, bad_assertions[i].name);
        arena_deinit(&arena);
    }
}

static void a_row_that_memory_has_no_room_for_is_no_memory(void **state)
{
    (void)state;
    struct arena arena;
    struct steme_assertion it;
    struct steme_error err;
    arena_init(&arena, 8);
    steme_status status = read_row(ALL_NEEDED, "s\tp\t0123456789abcdef\\n", &arena, &it, &err);
    assert_status(status, STEME_NO_MEMORY, &err, "an object with escapes");
    status = read_row(ALL_NEEDED "\tagent\tsource", "s\tp\to\ta\tdoi:1", &arena, &it, &err);
    assert_status(status, STEME_NO_MEMORY, &err, "evidence");
    arena_deinit(&arena);
}

static void an_epoch_is_looked_for_only_where_one_is_named(void **state)
{
    (void)state;
    struct arena arena;
    struct steme_assertion it;
    struct steme_error err;
    arena_init(&arena, ARENA_BYTES);
    epoch_calls = 0;
    assert_status(read_row(ALL_NEEDED "\tepoch", "s\tp\to\t", &arena, &it, &err), STEME_OK, &err, "none");
    assert_int_equal(epoch_calls, 0);
    assert_false(it.has_epoch);
    assert_status(read_row(ALL_NEEDED "\tepoch", "s\tp\to\tnow", &arena, &it, &err), STEME_OK, &err, "one");
    assert_int_equal(epoch_calls, 1);
    arena_deinit(&arena);
}

/* ---- votes ---- */

static const struct {
    const char *name, *line, *message;
} bad_vote_headers[] = {
    { "nothing", "", "column ''" },
    { "no stance", "kind\ttarget", "lacks column 'stance'" },
    { "no target", "kind\tstance", "lacks a target" },
    { "half a claim", "subject\tpredicate\tstance", "lacks a target" },
    { "a column of assertions", "target\tstance\tconfidence", "no column 'confidence'" },
    { "a column twice", "target\tstance\tstance", "'stance' twice" },
};

static void a_header_of_votes_that_is_none_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(bad_vote_headers); i++) {
        struct tsv_header header;
        struct steme_error err = { 0 };
        steme_status status = tsv_header_parse_votes(slice_text(bad_vote_headers[i].line), &header, &err);
        assert_status(status, STEME_BAD_INPUT, &err, bad_vote_headers[i].name);
        assert_row(strstr(err.message, bad_vote_headers[i].message) != NULL, bad_vote_headers[i].name);
    }
    struct tsv_header header;
    struct steme_error err;
    assert_int_equal(tsv_header_parse(slice_text(ALL_NEEDED "\tstance"), &header, &err), STEME_BAD_INPUT);
}

#define VOTE_COLUMNS "kind\ttarget\tsubject\tpredicate\tobject\ttype\tstance\tprobability\treason\ttime"

static steme_status read_vote(const char *line, struct arena *arena, struct steme_vote *out, struct ballot_text *target,
                              struct steme_error *err)
{
    struct tsv_header header;
    struct tsv_row row;
    assert_status(tsv_header_parse_votes(slice_text(VOTE_COLUMNS), &header, err), STEME_OK, err, line);
    steme_status status = tsv_row_split(&header, slice_text(line), &row, err);
    return status ? status : tsv_row_vote(&row, &context, arena, out, target, err);
}

static const struct {
    const char *name, *line;
    enum steme_target_kind kind;
    enum steme_stance stance;
    uint32_t ppm;
    int64_t cast_at_us;
} good_votes[] = {
    { "a target alone is an assertion", "\t3f2a\t\t\t\t\tsupport\t\t\t", STEME_ON_ASSERTION, STEME_SUPPORT, STEME_PPM,
      STATED_US },
    { "words alone are a claim", "\t\ts\tp\to\t\trefute\t0.25\t\t", STEME_ON_CLAIM, STEME_REFUTE, 250000, STATED_US },
    { "a claim by its id", "claim\t3f2a\ts\t\t\t\trefute\t\t\t", STEME_ON_CLAIM, STEME_REFUTE, STEME_PPM, STATED_US },
    { "an agent", "agent\talice\t\t\t\t\tabstain\t\t\tnow", STEME_ON_AGENT, STEME_ABSTAIN, STEME_PPM, NOW_US },
    { "a source", "source\tIAU\t\t\t\t\tsupport\t\ta\\tb\t1970", STEME_ON_SOURCE, STEME_SUPPORT, STEME_PPM, 0 },
    { "an epoch", "epoch\tnow\t\t\t\t\tsupport\t0\t\t", STEME_ON_EPOCH, STEME_SUPPORT, 0, STATED_US },
};

static void a_row_says_what_the_vote_is_on_and_for(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, ARENA_BYTES);
    for (size_t i = 0; i < countof(good_votes); i++) {
        struct steme_vote vote;
        struct ballot_text target;
        struct steme_error err;
        assert_status(read_vote(good_votes[i].line, &arena, &vote, &target, &err), STEME_OK, &err, good_votes[i].name);
        assert_row(target.kind == good_votes[i].kind && vote.stance == good_votes[i].stance, good_votes[i].name);
        assert_row(vote.probability_ppm == good_votes[i].ppm, good_votes[i].name);
        assert_row(vote.cast_at_us == good_votes[i].cast_at_us, good_votes[i].name);
        if (target.kind == STEME_ON_SOURCE) assert_true(slice_equal(vote.reason, slice_text("a\tb")));
    }
    arena_deinit(&arena);
}

static const struct {
    const char *name, *line, *message;
} bad_votes[] = {
    { "no stance", "\t3f2a\t\t\t\t\t\t\t\t", "no stance ''" },
    { "a stance misspelt", "\t3f2a\t\t\t\t\trefuse\t\t\t", "did you mean 'refute'" },
    { "a kind unknown", "assertio\t3f2a\t\t\t\t\trefute\t\t\t", "did you mean 'assertion'" },
    { "a vote on a vote", "vote\t3f2a\t\t\t\t\trefute\t\t\t", "no kind 'vote'" },
    { "no target", "agent\t\t\t\t\t\trefute\t\t\t", "no target" },
    { "nothing at all", "\t\t\t\t\t\trefute\t\t\t", "needs its subject" },
    { "a claim's id without its subject", "claim\t3f2a\t\t\t\t\trefute\t\t\t", "needs its subject" },
    { "a subject alone", "\t\ts\t\t\t\trefute\t\t\t", "needs the claim's id" },
    { "a claim named twice", "claim\t3f2a\ts\tp\to\t\trefute\t\t\t", "not by both" },
    { "an agent with words", "agent\talice\ts\tp\to\t\trefute\t\t\t", "go with a vote on a claim" },
    { "a probability over one", "\t3f2a\t\t\t\t\trefute\t1.5\t\t", "probability" },
    { "a time that is none", "\t3f2a\t\t\t\t\trefute\t\t\tnoon", "time" },
    { "an escape unknown", "\t3f2a\t\t\t\t\trefute\t\t\\x\t", "\\" },
    { "a field too few", "\t3f2a\t\t\t\t\trefute\t\t", "9 fields" },
};

static void a_row_that_states_no_sound_vote_is_refused_with_what_is_wrong(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, ARENA_BYTES);
    for (size_t i = 0; i < countof(bad_votes); i++) {
        struct steme_vote vote;
        struct ballot_text target;
        struct steme_error err = { 0 };
        steme_status status = read_vote(bad_votes[i].line, &arena, &vote, &target, &err);
        assert_status(status, STEME_BAD_INPUT, &err, bad_votes[i].name);
        assert_row(strstr(err.message, bad_votes[i].message) != NULL, bad_votes[i].name);
    }
    arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_names_its_columns_in_any_order),
        cmocka_unit_test(a_header_that_is_none_is_refused_with_what_is_wrong),
        cmocka_unit_test(fields_stand_under_the_header),
        cmocka_unit_test(a_row_that_does_not_fit_its_header_is_refused),
        cmocka_unit_test(a_row_of_the_needed_columns_is_a_sure_text_stated_when_the_import_says),
        cmocka_unit_test(every_column_has_its_place_in_the_assertion),
        cmocka_unit_test(an_agent_is_the_voice_and_a_source_next_to_it_evidence),
        cmocka_unit_test(an_object_is_read_with_its_escapes_and_type),
        cmocka_unit_test(a_row_that_states_nothing_sound_is_refused_with_what_is_wrong),
        cmocka_unit_test(a_row_that_memory_has_no_room_for_is_no_memory),
        cmocka_unit_test(an_epoch_is_looked_for_only_where_one_is_named),
        cmocka_unit_test(a_header_of_votes_that_is_none_is_refused),
        cmocka_unit_test(a_row_says_what_the_vote_is_on_and_for),
        cmocka_unit_test(a_row_that_states_no_sound_vote_is_refused_with_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
