/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/check.h"
#include "base/codec.h"
#include "base/hash.h"
#include "base/slice.h"
#include "golden/samples.h"
#include "lib/testing.h"
#include "model/record.h"
#include "steme/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- edits of good bytes ---- */

/* Where the parts of two samples begin:
 *   assertion_entity  88 subject (11), 104 predicate (7), 120 object (10), 136 end, 192 with padding
 *   assertion_full    88 subject (15), 112 predicate (5), 128 object (36), 168 source (17), 192 epoch, 224 and 248 key
 *                     qualifiers (4 + 16, 9 + 8), 272 and 296 the others (6 + 8, 6 + 10), 320 evidence with a uri
 *                     (29 + 7), 368 with a target (32 + 4), 416 with a target (32), 456 two parents, 520 end, 576 with
 *                     padding */
struct edit {
    size_t at;
    const char *hex;
};

static const struct {
    const char *name, *sample;
    struct edit edits[3];
    steme_status want;
    const char *says;
} edits[] = {
    /* the header */
    { "a type after the last", "assertion_entity", { { 0, "06" } }, STEME_UNSUPPORTED, "type 6" },
    { "the greatest type", "assertion_entity", { { 0, "ff" } }, STEME_UNSUPPORTED, "type 255" },
    { "another type's body", "assertion_entity", { { 0, "01" } }, STEME_BAD_INPUT, "" },
    { "the first zero", "assertion_entity", { { 1, "01" } }, STEME_BAD_INPUT, "header" },
    { "the last zero", "assertion_entity", { { 7, "80" } }, STEME_BAD_INPUT, "header" },
    { "no length", "assertion_entity", { { 8, "00000000" } }, STEME_BAD_INPUT, "header" },
    { "a length within the header", "assertion_entity", { { 8, "28000000" } }, STEME_BAD_INPUT, "header" },
    { "a length that ends at the author", "assertion_entity", { { 8, "30000000" } }, STEME_BAD_INPUT, "192" },
    { "a length past a multiple of 8", "assertion_entity", { { 8, "89000000" } }, STEME_BAD_INPUT, "header" },
    { "a length over the limit", "assertion_entity", { { 8, "08001000" } }, STEME_BAD_INPUT, "header" },
    { "the greatest length", "assertion_entity", { { 8, "f8ffffff" } }, STEME_BAD_INPUT, "header" },
    { "a length of one block more", "assertion_entity", { { 8, "c8000000" } }, STEME_BAD_INPUT, "256 bytes" },
    { "a length of one block less", "assertion_entity", { { 8, "80000000" } }, STEME_BAD_INPUT, "128 bytes" },
    { "8 bytes that belong to nothing",
      "assertion_entity",
      { { 8, "90000000" } },
      STEME_BAD_INPUT,
      "longer than its parts" },
    { "format 0", "assertion_entity", { { 12, "0000" } }, STEME_BAD_INPUT, "header" },
    { "format 2", "assertion_entity", { { 12, "0200" } }, STEME_NEWER, "format 2" },
    { "a format yet to come, and its type",
      "assertion_entity",
      { { 12, "ffff" }, { 0, "09" } },
      STEME_NEWER,
      "format 65535" },
    { "reserved bytes of the header", "assertion_entity", { { 14, "0100" } }, STEME_BAD_INPUT, "header" },
    { "padding, first byte",
      "assertion_entity",
      { { 136, "01" } },
      STEME_BAD_INPUT,
      "padded with zeros after its 136" },
    { "padding, last byte", "assertion_entity", { { 191, "80" } }, STEME_BAD_INPUT, "padded with zeros after its 136" },
    /* an assertion's fixed fields */
    { "an empty interval", "assertion_entity", { { 64, "0000000000000080" } }, STEME_BAD_INPUT, "valid_from" },
    { "a confidence over one", "assertion_entity", { { 72, "41420f00" } }, STEME_BAD_INPUT, "confidence is 1000001" },
    { "an unknown flag", "assertion_entity", { { 76, "08" } }, STEME_BAD_INPUT, "flags" },
    { "an epoch that is not there", "assertion_entity", { { 76, "02" } }, STEME_BAD_INPUT, "the epoch" },
    { "a source that is not there", "assertion_entity", { { 76, "04" } }, STEME_BAD_INPUT, "the source is missing" },
    { "another kind", "assertion_entity", { { 77, "01" } }, STEME_BAD_INPUT, "the kind" },
    { "a kind after the last", "assertion_entity", { { 77, "0a" }, { 124, "0a" } }, STEME_BAD_INPUT, "the kind" },
    { "evidence that is not there",
      "assertion_entity",
      { { 78, "0100" } },
      STEME_BAD_INPUT,
      "an evidence entry is missing" },
    { "a qualifier that is not there",
      "assertion_entity",
      { { 80, "0100" } },
      STEME_BAD_INPUT,
      "a qualifier is missing" },
    { "a parent that is not there", "assertion_entity", { { 82, "0100" } }, STEME_BAD_INPUT, "the parents" },
    { "a key qualifier that is not there",
      "assertion_entity",
      { { 80, "0100 0000 0100" } },
      STEME_BAD_INPUT,
      "a qualifier is missing" },
    { "more key qualifiers than qualifiers",
      "assertion_entity",
      { { 84, "0100" } },
      STEME_BAD_INPUT,
      "fewer than the key" },
    { "reserved bytes", "assertion_entity", { { 86, "0001" } }, STEME_BAD_INPUT, "reserved" },
    { "too much evidence", "assertion_entity", { { 78, "0101" } }, STEME_TOO_LARGE, "257 evidence" },
    { "too many qualifiers", "assertion_entity", { { 80, "4100" } }, STEME_TOO_LARGE, "65 qualifiers" },
    { "too many parents", "assertion_entity", { { 82, "0101" } }, STEME_TOO_LARGE, "257 parents" },
    /* its parts */
    { "no subject", "assertion_entity", { { 88, "00000000 0000000000000000000000" } }, STEME_BAD_INPUT, "" },
    { "a subject cut by one",
      "assertion_entity",
      { { 88, "0a000000" } },
      STEME_BAD_INPUT,
      "the subject is not padded" },
    { "a subject with padding as its end", "assertion_entity", { { 88, "0c000000" } }, STEME_BAD_INPUT, "subject" },
    { "a subject past the end",
      "assertion_entity",
      { { 88, "2d000000" } },
      STEME_BAD_INPUT,
      "the subject would end behind" },
    { "a subject of 4 GiB",
      "assertion_entity",
      { { 88, "ffffffff" } },
      STEME_BAD_INPUT,
      "the subject would end behind" },
    { "a subject and nothing else",
      "assertion_entity",
      { { 88, "2c000000" } },
      STEME_BAD_INPUT,
      "the predicate is missing" },
    { "a subject of bad UTF-8", "assertion_entity", { { 92, "ff" } }, STEME_BAD_INPUT, "subject is not well-formed" },
    { "a subject that is not NFC",
      "assertion_entity",
      { { 92, "65cc81" } },
      STEME_BAD_INPUT,
      "subject is not in Unicode NFC" },
    { "padding of the subject", "assertion_entity", { { 103, "01" } }, STEME_BAD_INPUT, "the subject is not padded" },
    { "padding of the predicate",
      "assertion_entity",
      { { 119, "01" } },
      STEME_BAD_INPUT,
      "the predicate is not padded" },
    { "padding of the object", "assertion_entity", { { 134, "01" } }, STEME_BAD_INPUT, "the object is not padded" },
    { "a predicate of bad UTF-8", "assertion_entity", { { 108, "ff" } }, STEME_BAD_INPUT, "predicate" },
    { "an object of no bytes",
      "assertion_entity",
      { { 120, "00000000 00000000000000000000" } },
      STEME_BAD_INPUT,
      "the kind" },
    { "an object of 3 bytes",
      "assertion_entity",
      { { 120, "03000000 00000000000000000000" } },
      STEME_BAD_INPUT,
      "fewer than 4" },
    { "an object with a detail", "assertion_entity", { { 125, "01" } }, STEME_BAD_INPUT, "zero" },
    { "an entity of bad UTF-8", "assertion_entity", { { 128, "ff" } }, STEME_BAD_INPUT, "object" },
    { "an empty source",
      "assertion_full",
      { { 168, "00000000 0000000000000000000000000000000000" } },
      STEME_BAD_INPUT,
      "the source is empty" },
    { "a source of bad UTF-8", "assertion_full", { { 172, "ff" } }, STEME_BAD_INPUT, "source" },
    { "padding of the source", "assertion_full", { { 189, "01" } }, STEME_BAD_INPUT, "the source is not padded" },
    /* its lists */
    { "key qualifiers out of order",
      "assertion_full",
      { { 228, "64" } },
      STEME_BAD_INPUT,
      "a qualifier is out of order" },
    { "qualifiers out of order by value",
      "assertion_full",
      { { 282, "62" } },
      STEME_BAD_INPUT,
      "a qualifier is out of order" },
    { "a qualifier twice",
      "assertion_full",
      { { 272, "06000a006d6574686f64617374726f6d657472790000" } },
      STEME_BAD_INPUT,
      "a qualifier is out of order" },
    { "a qualifier without a name",
      "assertion_full",
      { { 272, "00000e00" } },
      STEME_BAD_INPUT,
      "qualifier 3: name is empty" },
    { "a qualifier without a value",
      "assertion_full",
      { { 272, "0e000000" } },
      STEME_BAD_INPUT,
      "qualifier 3: value is empty" },
    { "a key qualifier of bad UTF-8", "assertion_full", { { 228, "ff" } }, STEME_BAD_INPUT, "qualifier 1: name" },
    { "a key qualifier past the end",
      "assertion_full",
      { { 224, "ffffffff" } },
      STEME_BAD_INPUT,
      "a qualifier would end behind" },
    { "padding of a qualifier", "assertion_full", { { 295, "01" } }, STEME_BAD_INPUT, "a qualifier is not padded" },
    { "padding of a key qualifier", "assertion_full", { { 271, "01" } }, STEME_BAD_INPUT, "a qualifier is not padded" },
    { "evidence of no stance", "assertion_full", { { 416, "03" } }, STEME_BAD_INPUT, "evidence 3: stance 3" },
    { "evidence out of order by stance",
      "assertion_full",
      { { 368, "02" } },
      STEME_BAD_INPUT,
      "an evidence entry is out of order" },
    { "evidence twice",
      "assertion_full",
      { { 368, "0101000000000000" }, { 408, "0000000000000000" } },
      STEME_BAD_INPUT,
      "" },
    { "a target that is 2", "assertion_full", { { 369, "02" } }, STEME_BAD_INPUT, "begins with bytes" },
    { "a target and a uri", "assertion_full", { { 370, "0100" } }, STEME_BAD_INPUT, "begins with bytes" },
    { "neither target nor uri",
      "assertion_full",
      { { 322, "00002400" } },
      STEME_BAD_INPUT,
      "evidence 1: uri is empty" },
    { "reserved bytes of evidence", "assertion_full", { { 326, "0100" } }, STEME_BAD_INPUT, "begins with bytes" },
    { "the last reserved byte of evidence", "assertion_full", { { 327, "80" } }, STEME_BAD_INPUT, "begins with bytes" },
    { "a uri past the end",
      "assertion_full",
      { { 322, "ffff" } },
      STEME_BAD_INPUT,
      "an evidence entry would end behind" },
    { "a uri of bad UTF-8", "assertion_full", { { 328, "ff" } }, STEME_BAD_INPUT, "evidence 1: uri" },
    { "a locator of bad UTF-8", "assertion_full", { { 357, "ff" } }, STEME_BAD_INPUT, "evidence 1: locator" },
    { "padding of evidence", "assertion_full", { { 367, "01" } }, STEME_BAD_INPUT, "an evidence entry is not padded" },
    { "parents out of order",
      "assertion_full",
      { { 456, "a0" } },
      STEME_BAD_INPUT,
      "the parents are not in ascending order" },
    { "a parent twice",
      "assertion_full",
      { { 488, "1102" } },
      STEME_BAD_INPUT,
      "the parents are not in ascending order" },
    { "a parent too many", "assertion_full", { { 82, "0300" } }, STEME_BAD_INPUT, "the parents would end behind" },
    { "a parent too few", "assertion_full", { { 82, "0100" } }, STEME_BAD_INPUT, "longer than its parts" },
    /* votes: 104 reason (26) */
    { "a vote on nothing", "vote_assertion", { { 56, "06" } }, STEME_BAD_INPUT, "target kind 6" },
    { "a vote on a vote", "vote_assertion", { { 56, "05" } }, STEME_BAD_INPUT, "on a vote" },
    { "a vote of no stance", "vote_assertion", { { 57, "03" } }, STEME_BAD_INPUT, "stance 3" },
    { "reserved bytes of a vote", "vote_assertion", { { 58, "0100" } }, STEME_BAD_INPUT, "reserved" },
    { "a probability over one", "vote_assertion", { { 60, "41420f00" } }, STEME_BAD_INPUT, "probability" },
    { "an agent's route", "vote_agent", { { 64, "0000000000000000" } }, STEME_BAD_INPUT, "route" },
    { "an agent's hash", "vote_agent", { { 72, "0000000000000000" } }, STEME_BAD_INPUT, "route" },
    { "a reason with NUL", "vote_assertion", { { 108, "00" } }, STEME_BAD_INPUT, "reason contains a NUL" },
    { "a reason past the end",
      "vote_assertion",
      { { 104, "ff000000" } },
      STEME_BAD_INPUT,
      "the reason would end behind" },
    { "a vote without the part of its reason",
      "vote_agent",
      { { 8, "68000000" } },
      STEME_BAD_INPUT,
      "the reason is missing" },
    { "a vote that is too long", "vote_agent", { { 8, "78000000" } }, STEME_BAD_INPUT, "longer than its parts" },
    /* epochs: 80 name */
    { "reserved bytes of an epoch", "epoch", { { 74, "01" } }, STEME_BAD_INPUT, "reserved" },
    { "the last reserved byte of an epoch", "epoch", { { 79, "01" } }, STEME_BAD_INPUT, "reserved" },
    { "an epoch without its superseded", "epoch", { { 72, "0100" } }, STEME_BAD_INPUT, "the superseded epochs" },
    { "an epoch with too many superseded", "epoch", { { 72, "0101" } }, STEME_TOO_LARGE, "257" },
    { "an empty epoch", "epoch", { { 64, "0000000000000080" } }, STEME_BAD_INPUT, "from is not before to" },
    { "an epoch's name past the end", "epoch", { { 80, "ff000000" } }, STEME_BAD_INPUT, "the name would end behind" },
    /* revisions: 64, 112 and 160 targets, 208 and 240 replacements, 272 reason */
    { "a revision of no kind", "revision_correct", { { 56, "03" } }, STEME_BAD_INPUT, "revision kind 3" },
    { "a retraction with replacements", "revision_correct", { { 56, "00" } }, STEME_BAD_INPUT, "retraction" },
    { "reserved byte of a revision", "revision_correct", { { 57, "01" } }, STEME_BAD_INPUT, "reserved" },
    { "reserved bytes of a revision", "revision_correct", { { 62, "0100" } }, STEME_BAD_INPUT, "reserved" },
    { "no targets", "revision_correct", { { 58, "0000" } }, STEME_BAD_INPUT, "without targets" },
    { "too many targets", "revision_correct", { { 58, "0104" } }, STEME_TOO_LARGE, "1025 targets" },
    { "too many replacements", "revision_correct", { { 60, "0104" } }, STEME_TOO_LARGE, "1025 replacements" },
    { "targets past the end", "revision_correct", { { 58, "ff00" } }, STEME_BAD_INPUT, "" },
    { "targets past the end, all of them good",
      "revision_retract",
      { { 58, "0200" } },
      STEME_BAD_INPUT,
      "a target would end behind" },
    { "replacements past the end",
      "revision_correct",
      { { 60, "ff00" } },
      STEME_BAD_INPUT,
      "the replacements would end" },
    { "a target of no kind", "revision_correct", { { 64, "06" } }, STEME_BAD_INPUT, "target 1: kind 6" },
    { "reserved bytes of a target",
      "revision_correct",
      { { 65, "01" } },
      STEME_BAD_INPUT,
      "a target has reserved bytes" },
    { "an epoch under another's route",
      "revision_correct",
      { { 120, "00" } },
      STEME_BAD_INPUT,
      "target 2: the target's route" },
    { "targets out of order", "revision_correct", { { 64, "05" } }, STEME_BAD_INPUT, "a target is out of order" },
    { "replacements out of order",
      "revision_correct",
      { { 208, "ffff" } },
      STEME_BAD_INPUT,
      "the replacements are not in" },
    { "a revision's reason with NUL", "revision_correct", { { 276, "00" } }, STEME_BAD_INPUT, "reason contains a NUL" },
    { "a revision's reason past the end",
      "revision_correct",
      { { 272, "ff000000" } },
      STEME_BAD_INPUT,
      "the reason would end" },
    /* bundles: 56 members */
    { "no members", "bundle", { { 48, "0000" } }, STEME_BAD_INPUT, "longer than its parts" },
    { "a member too many", "bundle", { { 48, "0400" } }, STEME_BAD_INPUT, "the list of members" },
    { "reserved bytes of a bundle", "bundle", { { 50, "01" } }, STEME_BAD_INPUT, "reserved" },
    { "the last reserved byte of a bundle", "bundle", { { 55, "01" } }, STEME_BAD_INPUT, "reserved" },
};

/* A copy of just its size, so that the address sanitizer sees the first byte too far. */
static struct steme_slice copy_bytes(struct steme_slice bytes, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    assert_non_null(copy);
    memset(copy, 0, size);
    memcpy(copy, bytes.data, size < bytes.size ? size : bytes.size);
    return slice_of(copy, size);
}

static uint8_t *writable(struct steme_slice bytes)
{
    union {
        const uint8_t *from;
        uint8_t *to;
    } cast = { bytes.data };
    return cast.to;
}

static void apply(struct steme_slice bytes, const struct edit *edit)
{
    if (!edit->hex) return;
    struct steme_slice change = testing_bytes(edit->hex);
    assert_true(edit->at + change.size <= bytes.size);
    memcpy(writable(bytes) + edit->at, change.data, change.size);
    testing_free(change);
}

/* No function that checks takes the bytes, and none writes a result. */
static void assert_refused(struct steme_slice bytes, steme_status want, const char *says, const char *name)
{
    struct arena arena;
    struct steme_error err = { .message = "" };
    enum steme_type type = (enum steme_type)99;
    struct steme_record record = { .type = (enum steme_type)99 };
    struct assertion_view view = { .confidence_ppm = 99 };
    arena_init(&arena, 1 << 20);
    steme_status status = record_check(bytes, &type, &err);
    assert_status(status, want, &err, name);
    if (!strstr(err.message, says)) print_error("%s\n", err.message);
    assert_row(strstr(err.message, says), name);
    assert_status(record_decode(bytes, &arena, &record, &err), want, &err, name);
    assert_row(assertion_view(bytes, &view, &err) != STEME_OK, name);
    assert_row((unsigned)type == 99 && (unsigned)record.type == 99 && view.confidence_ppm == 99, name);
    assert_row(arena.used_bytes == 0, name);
    assert_status(record_check(bytes, &type, NULL), want, NULL, name);
    arena_deinit(&arena);
}

static void every_other_byte_is_refused_by_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(edits); i++) {
        struct steme_record record = sample_named(edits[i].sample);
        struct steme_slice bytes = sample_bytes(&record);
        for (size_t k = 0; k < countof(edits[i].edits); k++)
            apply(bytes, &edits[i].edits[k]);
        assert_refused(bytes, edits[i].want, edits[i].says, edits[i].name);
        testing_free(bytes);
    }
}

static void a_record_that_ends_before_its_fixed_fields_is_refused(void **state)
{
    (void)state;
    for (unsigned type = STEME_ASSERTION; type <= STEME_VIEW; type++) {
        uint8_t bytes[64] = { (uint8_t)type, [8] = 48, [12] = 1 };
        struct bundle_view bundle;
        struct assertion_view view;
        struct steme_slice short_bytes = slice_of(bytes, sizeof bytes);
        assert_refused(short_bytes, STEME_BAD_INPUT, "the fixed part would end behind", "48 bytes");
        assert_status(bundle_view(short_bytes, &bundle, NULL), STEME_BAD_INPUT, NULL, "48 bytes");
        assert_status(assertion_view_trusted(short_bytes, &view, NULL), STEME_BAD_INPUT, NULL, "48 bytes");
    }
}

/* The bytes of a bundle with an id twice can't come out of the encoder. */
static void a_member_twice_is_refused(void **state)
{
    (void)state;
    struct steme_record record = sample_named("bundle");
    struct steme_slice bytes = sample_bytes(&record);
    memcpy(writable(bytes) + 56 + 64, bytes.data + 56, 32);
    assert_refused(bytes, STEME_BAD_INPUT, "members 1 and 3 are the same", "a member twice");
    testing_free(bytes);
}

static void a_bundle_of_nothing_is_refused(void **state)
{
    (void)state;
    struct steme_record record = sample_named("bundle");
    struct steme_slice bytes = sample_bytes(&record), short_bytes = copy_bytes(bytes, 64);
    uint8_t *at = writable(short_bytes);
    store_u32(at + 8, 56);
    memset(at + 48, 0, 16);
    assert_refused(short_bytes, STEME_BAD_INPUT, "without members", "no member");
    testing_free(short_bytes);
    testing_free(bytes);
}

static void a_bundle_of_too_many_is_refused(void **state)
{
    (void)state;
    struct steme_record record = sample_named("bundle");
    size_t length = 56 + (STEME_BUNDLE_MAX + 1) * 32;
    struct steme_slice bytes = sample_bytes(&record), long_bytes = copy_bytes(bytes, pad64(length));
    uint8_t *at = writable(long_bytes);
    store_u32(at + 8, (uint32_t)length);
    store_u16(at + 48, STEME_BUNDLE_MAX + 1);
    assert_refused(long_bytes, STEME_TOO_LARGE, "4097 members", "too many members");
    testing_free(long_bytes);
    testing_free(bytes);
}

/* ---- every sample ---- */

static void every_cut_and_every_addition_is_refused(void **state)
{
    (void)state;
    struct sample samples[SAMPLES_MAX];
    size_t count = samples_make(samples);
    for (size_t i = 0; i < count; i++) {
        struct steme_slice bytes = sample_bytes(&samples[i].record);
        for (size_t size = 0; size <= bytes.size + 64; size++) {
            if (size == bytes.size) continue;
            struct steme_slice cut = copy_bytes(bytes, size);
            struct assertion_view view;
            struct bundle_view bundle;
            assert_refused(cut, STEME_BAD_INPUT, "", samples[i].name);
            assert_status(assertion_view_trusted(cut, &view, NULL), STEME_BAD_INPUT, NULL, samples[i].name);
            assert_status(bundle_view(cut, &bundle, NULL), STEME_BAD_INPUT, NULL, samples[i].name);
            assert_row(record_size(cut) == (size < 16 ? 0 : bytes.size), samples[i].name);
            testing_free(cut);
        }
        testing_free(bytes);
    }
}

/* Whoever takes the bytes must give the same ones back. Returns whether they are taken. */
static bool decides_soundly(struct steme_slice bytes, struct arena *arena)
{
    struct arena_mark mark = arena_mark(arena);
    enum steme_type type;
    struct steme_record record;
    struct assertion_view view, trusted;
    bool checked = record_check(bytes, &type, NULL) == STEME_OK;
    assert_int_equal(record_decode(bytes, arena, &record, NULL) == STEME_OK, checked);
    bool viewed = assertion_view(bytes, &view, NULL) == STEME_OK;
    assert_int_equal(viewed, checked && type == STEME_ASSERTION);
    bool trusts = assertion_view_trusted(bytes, &trusted, NULL) == STEME_OK;
    assert_true(trusts || !viewed);
    if (viewed) assert_memory_equal(&view.kind, &trusted.kind, sizeof view.kind);
    if (checked) {
        assert_int_equal(record.type, type);
        struct steme_slice again = sample_bytes(&record);
        assert_true(slice_equal(again, bytes));
        testing_free(again);
    }
    arena_rewind(arena, mark);
    return checked;
}

static void every_flipped_bit_is_refused_or_means_something_else(void **state)
{
    (void)state;
    struct sample samples[SAMPLES_MAX];
    struct arena arena;
    size_t count = samples_make(samples), taken = 0, refused = 0;
    arena_init(&arena, 1 << 20);
    for (size_t i = 0; i < count; i++) {
        struct steme_slice bytes = sample_bytes(&samples[i].record);
        for (size_t bit = 0; bit < bytes.size * 8; bit++) {
            writable(bytes)[bit / 8] ^= (uint8_t)(1u << bit % 8);
            ++*(decides_soundly(bytes, &arena) ? &taken : &refused);
            writable(bytes)[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        testing_free(bytes);
    }
    arena_deinit(&arena);
    assert_true(taken > 1000 && refused > 1000);
}

/* One random change of the kinds that format code gets wrong. */
static void mutate(struct prng *prng, struct steme_slice bytes, struct steme_slice other)
{
    static const uint8_t telling[] = { 0x00, 0x01, 0x04, 0x08, 0x7F, 0x80, 0xFF };
    uint8_t *to = writable(bytes);
    size_t at = (size_t)prng_below(prng, bytes.size), word = at & ~(size_t)7;
    switch (prng_below(prng, 6)) {
    case 0: to[at] = (uint8_t)prng_u64(prng); break;
    case 1: to[at] ^= (uint8_t)(1u << prng_below(prng, 8)); break;
    case 2: to[at] = telling[prng_below(prng, sizeof telling)]; break;
    case 3: store_u32(to + word, (uint32_t)prng_below(prng, 80)); break; /* a length, or a count */
    case 4: memmove(to + word, to + (prng_below(prng, bytes.size) & ~(uint64_t)7), 8); break;
    default:
        if (word + 8 <= other.size) memcpy(to + word, other.data + word, 8);
    }
}

static void mutated_records_are_refused_or_encode_alike(void **state)
{
    (void)state;
    enum { ROUNDS = 60000 };
    struct sample samples[SAMPLES_MAX];
    struct steme_slice all[SAMPLES_MAX];
    struct arena arena;
    struct prng prng = { 20260101 };
    size_t count = samples_make(samples), taken = 0;
    arena_init(&arena, 1 << 20);
    for (size_t i = 0; i < count; i++)
        all[i] = sample_bytes(&samples[i].record);
    for (size_t round = 0; round < ROUNDS; round++) {
        struct steme_slice from = all[prng_below(&prng, count)], other = all[prng_below(&prng, count)];
        struct steme_slice bytes = copy_bytes(from, from.size);
        for (size_t changes = 1 + (size_t)prng_below(&prng, 3); changes > 0; changes--)
            mutate(&prng, bytes, other);
        taken += decides_soundly(bytes, &arena);
        testing_free(bytes);
    }
    for (size_t i = 0; i < count; i++)
        testing_free(all[i]);
    arena_deinit(&arena);
    assert_true(taken > ROUNDS / 100 && taken < ROUNDS);
}

static void random_bytes_do_no_harm(void **state)
{
    (void)state;
    struct prng prng = { 99 };
    struct arena arena;
    arena_init(&arena, 1 << 20);
    for (size_t round = 0; round < 20000; round++) {
        uint8_t bytes[256] = { 0 };
        size_t size = (size_t)prng_below(&prng, sizeof bytes);
        prng_fill(&prng, bytes, size);
        if (size >= 16) { /* past the header, to where it gets interesting */
            store_u64(bytes, prng_below(&prng, 5));
            store_u32(bytes + 8, (uint32_t)(size & ~(size_t)7));
            store_u32(bytes + 12, 1);
            size = pad64(size & ~(size_t)7);
        }
        struct steme_slice copy = copy_bytes(slice_of(bytes, sizeof bytes), size);
        decides_soundly(copy, &arena);
        testing_free(copy);
    }
    arena_deinit(&arena);
}

static void memory_that_runs_out_is_said_so(void **state)
{
    (void)state;
    static const char *const names[] = { "assertion_full", "epoch_superseding", "revision_correct", "bundle" };
    for (size_t i = 0; i < countof(names); i++) {
        struct steme_record record = sample_named(names[i]), out = { .type = (enum steme_type)99 };
        struct steme_slice bytes = sample_bytes(&record);
        struct steme_error err;
        struct arena arena;
        size_t ceiling = 0;
        for (;; ceiling += 16) {
            arena_init(&arena, ceiling);
            steme_status status = record_decode(bytes, &arena, &out, &err);
            if (status == STEME_OK) break;
            assert_status(status, STEME_NO_MEMORY, &err, names[i]);
            assert_row((unsigned)out.type == 99 && arena.used_bytes == 0, names[i]);
            arena_deinit(&arena);
        }
        assert_row(ceiling > 0, names[i]);
        arena_deinit(&arena);
        testing_free(bytes);
    }
}

/* ---- views ---- */

static void a_view_shows_what_was_written(void **state)
{
    (void)state;
    struct steme_record record = sample_named("assertion_full");
    const struct steme_assertion *want = &record.as.assertion;
    struct steme_slice bytes = sample_bytes(&record);
    for (int trusted = 0; trusted < 2; trusted++) {
        struct assertion_view view;
        struct steme_error err;
        steme_status status = trusted ? assertion_view_trusted(bytes, &view, &err) : assertion_view(bytes, &view, &err);
        assert_status(status, STEME_OK, &err, "view");
        assert_true(slice_equal(view.bytes, bytes));
        assert_memory_equal(view.author, want->author.bytes, 32);
        assert_ptr_equal(view.author, record_author(bytes));
        assert_true(slice_equal(view.subject, want->subject));
        assert_true(slice_equal(view.predicate, want->predicate));
        assert_true(slice_equal(view.source, want->source));
        assert_memory_equal(view.epoch, want->epoch.bytes, 32);
        assert_true(view.asserted_at_us == want->asserted_at_us && view.confidence_ppm == want->confidence_ppm);
        assert_true(view.valid_from_us == want->valid_from_us && view.valid_to_us == want->valid_to_us);
        assert_true(view.kind == STEME_QUANTITY && view.negated);
        struct steme_value value;
        assert_status(value_decode(view.object, &value, &err), STEME_OK, &err, "object");
        assert_true(slice_equal(value.unit, want->object.unit) && value.upper.coefficient == 7408);
        assert_ptr_equal(view.key_qualifiers.data, bytes.data + 224);
        assert_int_equal(view.key_qualifiers.size, 48);
    }
    testing_free(bytes);
}

static void what_an_assertion_lacks_is_empty_in_its_view(void **state)
{
    (void)state;
    struct steme_record record = sample_named("assertion_entity");
    struct steme_slice bytes = sample_bytes(&record);
    struct assertion_view view;
    memset(&view, 0xAA, sizeof view);
    assert_status(assertion_view(bytes, &view, NULL), STEME_OK, NULL, "view");
    assert_true(view.source.size == 0 && !view.epoch && view.key_qualifiers.size == 0 && !view.key_qualifiers.data);
    assert_true(view.kind == STEME_ENTITY && !view.negated);
    testing_free(bytes);
}

/* A trusted view looks at bounds alone: it takes a name that is none, but nothing that leads outside. */
static void a_trusted_view_checks_bounds_only(void **state)
{
    (void)state;
    struct steme_record record = sample_named("assertion_full");
    struct steme_slice bytes = sample_bytes(&record);
    struct assertion_view view;
    writable(bytes)[92] = 0xFF;
    assert_status(assertion_view(bytes, &view, NULL), STEME_BAD_INPUT, NULL, "a name that is none");
    assert_status(assertion_view_trusted(bytes, &view, NULL), STEME_OK, NULL, "a name that is none, trusted");
    store_u16(writable(bytes) + 224, 0xFFFF);
    assert_status(assertion_view_trusted(bytes, &view, NULL), STEME_BAD_INPUT, NULL, "a qualifier past the end");
    testing_free(bytes);
}

static void a_view_of_another_type_is_refused(void **state)
{
    (void)state;
    struct steme_record vote = sample_named("vote_agent"), assertion = sample_named("assertion_entity");
    struct steme_slice vote_bytes = sample_bytes(&vote), assertion_bytes = sample_bytes(&assertion);
    struct assertion_view view;
    struct bundle_view bundle;
    struct steme_error err;
    assert_status(assertion_view(vote_bytes, &view, &err), STEME_BAD_INPUT, &err, "a vote viewed as an assertion");
    assert_non_null(strstr(err.message, "no assertion"));
    assert_status(assertion_view_trusted(vote_bytes, &view, &err), STEME_BAD_INPUT, &err, "the same, trusted");
    assert_status(bundle_view(assertion_bytes, &bundle, &err), STEME_BAD_INPUT, &err, "an assertion as a bundle");
    assert_non_null(strstr(err.message, "no bundle"));
    testing_free(assertion_bytes);
    testing_free(vote_bytes);
}

/* ---- size and id ---- */

static const struct {
    const char *name, *hex;
    size_t size;
} headers[] = {
    { "nothing", "", 0 },
    { "15 bytes", "0000000000000000 30000000 0100 00", 0 },
    { "the shortest there may be", "0000000000000000 30000000 0100 0000", 64 },
    { "the longest there may be", "0000000000000000 00001000 0100 0000", STEME_RECORD_MAX },
    { "8 bytes too long", "0000000000000000 08001000 0100 0000", 0 },
    { "8 bytes too short", "0000000000000000 28000000 0100 0000", 0 },
    { "just over a block", "0000000000000000 48000000 0100 0000", 128 },
    { "a length that is no multiple of 8", "0000000000000000 31000000 0100 0000", 0 },
    { "a type yet to come", "ff00000000000000 30000000 0100 0000", 64 },
    { "a format yet to come", "0000000000000000 30000000 ffff 0000", 64 },
    { "format 0", "0000000000000000 30000000 0000 0000", 0 },
    { "a reserved byte", "0000000000000000 30000000 0100 0001", 0 },
    { "not seven zeros", "0000000000000001 30000000 0100 0000", 0 },
    { "zeros", "0000000000000000 00000000 0000 0000", 0 },
};

static void the_header_tells_the_size(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(headers); i++) {
        struct steme_slice bytes = testing_bytes(headers[i].hex);
        assert_row(record_size(bytes) == headers[i].size, headers[i].name);
        testing_free(bytes);
    }
}

static void an_id_is_the_hash_of_all_bytes(void **state)
{
    (void)state;
    struct steme_record record = sample_named("assertion_entity");
    struct steme_slice bytes = sample_bytes(&record);
    struct steme_hash id = record_id(bytes), want = hash_one(bytes);
    assert_memory_equal(&id, &want, sizeof id);
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
        cmocka_unit_test(every_other_byte_is_refused_by_name),
        cmocka_unit_test(a_record_that_ends_before_its_fixed_fields_is_refused),
        cmocka_unit_test(a_member_twice_is_refused),
        cmocka_unit_test(a_bundle_of_nothing_is_refused),
        cmocka_unit_test(a_bundle_of_too_many_is_refused),
        cmocka_unit_test(every_cut_and_every_addition_is_refused),
        cmocka_unit_test(every_flipped_bit_is_refused_or_means_something_else),
        cmocka_unit_test(mutated_records_are_refused_or_encode_alike),
        cmocka_unit_test(random_bytes_do_no_harm),
        cmocka_unit_test(memory_that_runs_out_is_said_so),
        cmocka_unit_test(a_view_shows_what_was_written),
        cmocka_unit_test(what_an_assertion_lacks_is_empty_in_its_view),
        cmocka_unit_test(a_trusted_view_checks_bounds_only),
        cmocka_unit_test(a_view_of_another_type_is_refused),
        cmocka_unit_test(the_header_tells_the_size),
        cmocka_unit_test(an_id_is_the_hash_of_all_bytes),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
