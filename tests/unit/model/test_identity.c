/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/check.h"
#include "base/hash.h"
#include "base/slice.h"
#include "golden/samples.h"
#include "lib/testing.h"
#include "model/identity.h"
#include "steme/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct steme_slice nothing;

static bool same(struct steme_hash a, struct steme_hash b) { return memcmp(a.bytes, b.bytes, sizeof a.bytes) == 0; }

static struct steme_slice part(const char *text) { return slice_text(text); }

/* ---- the definitions of docs/format/identity.md, byte by byte ---- */

static void ids_hash_the_documented_bytes(void **state)
{
    (void)state;
    struct steme_hash slot = slot_id(part("Warsaw"), part("population"), nothing);
    struct steme_slice slot_bytes = testing_bytes("7374656d652e736c6f742e7631000000" /* steme.slot.v1 */
                                                  "06000000 576172736177 000000000000"
                                                  "0a000000 706f70756c6174696f6e 0000"
                                                  "00000000 00000000");
    assert_int_equal(slot_bytes.size, 56);
    struct steme_slice padding = testing_bytes("0000000000000000");
    assert_true(same(slot, hash_two(slot_bytes, padding)));
    testing_free(padding);
    testing_free(slot_bytes);

    struct steme_slice source_bytes = testing_bytes("7374656d652e736f757263652e763100" /* steme.source.v1 */
                                                    "03000000 475553 00"
                                                    "0000000000000000000000000000000000000000"
                                                    "0000000000000000000000000000000000000000");
    assert_int_equal(source_bytes.size, 64);
    assert_true(same(source_id(part("GUS")), hash_one(source_bytes)));
    testing_free(source_bytes);

    uint8_t agent[64] = "steme.agent.v1", claim[64] = "steme.claim.v1", key[32] = { 1, 2, 3 };
    memcpy(agent + 16, key, sizeof key);
    assert_true(same(agent_id(key), hash_one(slice_of(agent, sizeof agent))));

    struct steme_slice object = testing_bytes("0201000000000000"); /* any bytes do */
    memcpy(claim + 16, slot.bytes, sizeof slot.bytes);
    claim[48] = (uint8_t)object.size;
    memcpy(claim + 52, object.data, object.size);
    struct steme_hash positive = hash_one(slice_of(claim, sizeof claim)), negative = positive;
    positive.bytes[31] &= 0xFE;
    negative.bytes[31] |= 0x01;
    assert_true(same(claim_id(&slot, object, false), positive));
    assert_true(same(claim_id(&slot, object, true), negative));
    testing_free(object);
}

/* A part of more than 1024 bytes enters by its hash, and its length says so. */
static void long_parts_enter_by_their_hash(void **state)
{
    (void)state;
    uint8_t text[2000];
    memset(text, 'x', sizeof text);
    for (size_t size = 1023; size <= 1026; size++) {
        uint8_t preimage[1088] = "steme.source.v1";
        preimage[16] = (uint8_t)size;
        preimage[17] = (uint8_t)(size >> 8);
        struct steme_hash digest = hash_one(slice_of(text, size));
        size_t body = size <= 1024 ? size : HASH_BYTES;
        memcpy(preimage + 20, size <= 1024 ? text : digest.bytes, body);
        struct steme_slice whole = slice_of(preimage, size <= 1024 ? 1088 : 64);
        assert_true(same(source_id(slice_of(text, size)), hash_one(whole)));
    }
}

static void routes_are_the_first_eight_bytes(void **state)
{
    (void)state;
    struct steme_hash hash = hash_one(part("Warsaw"));
    uint64_t want = 0;
    for (size_t i = 0; i < 8; i++)
        want = want << 8 | hash.bytes[i];
    assert_true(route_of_hash(&hash) == want);
    assert_true(route_of_name(part("Warsaw")) == want);
    assert_true(route_of_name(part("warsaw")) != want);
    assert_true(route_of_name(nothing) == 0xaf1349b9f5f9a1a6u); /* BLAKE3 of nothing, published */
}

/* ---- what must differ ---- */

static void every_part_of_a_slot_counts(void **state)
{
    (void)state;
    struct steme_slice key = testing_bytes("01000100 61620000");
    struct steme_hash ids[] = {
        slot_id(part("a"), part("b"), nothing), slot_id(part("b"), part("a"), nothing),
        slot_id(part("ab"), nothing, nothing),  slot_id(nothing, part("ab"), nothing),
        slot_id(part("a"), part("b"), key),     slot_id(part("a"), key, part("b")),
        slot_id(nothing, nothing, nothing),     slot_id(slice_of("a\0", 2), part("b"), nothing),
    };
    for (size_t i = 0; i < countof(ids); i++)
        for (size_t k = 0; k < i; k++)
            assert_false(same(ids[i], ids[k]));
    testing_free(key);
}

static void kinds_of_ids_never_meet(void **state)
{
    (void)state;
    uint8_t key[32];
    memset(key, 'k', sizeof key);
    struct steme_slice name = slice_of(key, sizeof key);
    struct steme_hash slot = slot_id(name, name, nothing);
    struct steme_hash ids[] = {
        agent_id(key),
        source_id(name),
        slot,
        slot_id(name, nothing, nothing),
        claim_id(&slot, name, false),
        claim_id(&slot, name, true),
        hash_one(name),
    };
    for (size_t i = 0; i < countof(ids); i++)
        for (size_t k = 0; k < i; k++)
            assert_false(same(ids[i], ids[k]));
}

/* Each value, in two slots, for and against. */
static void claims_differ_by_slot_value_and_polarity(void **state)
{
    (void)state;
    struct sample samples[SAMPLES_MAX];
    struct steme_hash claims[4 * SAMPLES_MAX], slots[] = { { { 1 } }, { { 2 } } };
    size_t count = samples_make(samples), claim_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (samples[i].record.type != STEME_ASSERTION || samples[i].record.as.assertion.source.size) continue;
        struct buf object;
        buf_init(&object, STEME_RECORD_MAX);
        steme_status status = value_encode(&samples[i].record.as.assertion.object, &object, NULL);
        assert_status(status, STEME_OK, NULL, samples[i].name);
        for (size_t variant = 0; variant < 4; variant++)
            claims[claim_count++] = claim_id(&slots[variant / 2], buf_slice(&object), variant % 2);
        buf_deinit(&object);
    }
    assert_int_equal(claim_count, 48);
    for (size_t i = 0; i < claim_count; i++) {
        assert_int_equal(claim_negated(&claims[i]), i % 2);
        assert_true(same(claim_positive(&claims[i]), claims[i & ~(size_t)1]));
        for (size_t k = 0; k < i; k++)
            assert_false(same(claims[i], claims[k]));
    }
}

/* ---- many ---- */

static void assert_identity(const struct identity *got, const struct assertion_view *view)
{
    struct steme_hash slot = slot_id(view->subject, view->predicate, view->key_qualifiers);
    struct steme_hash voice = view->source.size ? source_id(view->source) : agent_id(view->author);
    assert_true(got->route == route_of_name(view->subject));
    assert_int_equal(got->predicate, route_of_name(view->predicate) >> 32);
    assert_true(same(got->slot, slot));
    assert_true(same(got->claim, claim_id(&slot, view->object, false)));
    assert_true(same(got->voice, voice));
}

enum { MANY = 1500 };
static char texts[MANY][64];

/* Records as an import has them: runs that share subject, predicate, source or author, with some odd ones between. */
static void make_views(struct assertion_view *views, struct prng *prng)
{
    static uint8_t long_text[4 * STEME_NAME_MAX], keys[3][32] = { { 1 }, { 2 }, { 3 } };
    memset(long_text, 'l', sizeof long_text);
    for (size_t i = 0; i < MANY; i++) {
        struct assertion_view *view = &views[i];
        *view = i && prng_chance(prng, 800) ? views[i - 1] : (struct assertion_view){ .author = keys[0] };
        snprintf(texts[i], sizeof texts[i], "some text, number %zu", i);
        struct steme_slice text = slice_text(texts[i]), small = slice_of(texts[i], (size_t)prng_below(prng, 9));
        if (i == 0 || prng_chance(prng, 100)) view->subject = prng_chance(prng, 500) ? text : small;
        if (i == 0 || prng_chance(prng, 300)) view->predicate = slice_of(texts[i] + 18, (size_t)prng_below(prng, 3));
        if (prng_chance(prng, 200)) view->source = prng_chance(prng, 500) ? text : nothing;
        if (prng_chance(prng, 200)) view->author = keys[prng_below(prng, 3)];
        if (prng_chance(prng, 100)) view->key_qualifiers = slice_of(long_text, 8 * (size_t)prng_below(prng, 300));
        view->object = prng_chance(prng, 50) ? slice_of(long_text, (size_t)prng_below(prng, sizeof long_text)) : text;
    }
}

static void many_at_once_are_as_one_at_a_time(void **state)
{
    (void)state;
    static struct assertion_view views[MANY];
    static struct identity out[MANY];
    static const size_t counts[] = { 0, 1, 2, 255, 256, 257, 511, 512, 513, MANY };
    struct prng prng = { 41 };
    struct arena arena;
    struct steme_error err;
    arena_init(&arena, 16 << 20);
    make_views(views, &prng);
    for (size_t i = 0; i < countof(counts); i++) {
        memset(out, 0, sizeof out);
        assert_status(identity_many(views, counts[i], out, &arena, &err), STEME_OK, &err, "many");
        assert_int_equal(arena.used_bytes, 0);
        for (size_t k = 0; k < counts[i]; k++)
            assert_identity(&out[k], &views[k]);
        static const struct identity untouched;
        if (counts[i] < MANY) assert_memory_equal(&out[counts[i]], &untouched, sizeof untouched);
    }
    arena_deinit(&arena);
}

static void samples_have_the_same_identity_both_ways(void **state)
{
    (void)state;
    struct sample samples[SAMPLES_MAX];
    struct steme_slice bytes[SAMPLES_MAX];
    struct assertion_view views[SAMPLES_MAX];
    struct identity out[SAMPLES_MAX];
    struct arena arena;
    size_t count = samples_make(samples), view_count = 0;
    arena_init(&arena, 1 << 20);
    for (size_t i = 0; i < count; i++) {
        bytes[i] = sample_bytes(&samples[i].record);
        if (samples[i].record.type == STEME_ASSERTION)
            assert_status(assertion_view(bytes[i], &views[view_count++], NULL), STEME_OK, NULL, samples[i].name);
    }
    assert_status(identity_many(views, view_count, out, &arena, NULL), STEME_OK, NULL, "samples");
    for (size_t i = 0; i < view_count; i++)
        assert_identity(&out[i], &views[i]);
    for (size_t i = 0; i < count; i++)
        testing_free(bytes[i]);
    arena_deinit(&arena);
}

/* Polarity, qualifiers that are no keys, times and evidence are no part of the question or of its answer. */
static void only_the_question_and_the_answer_count(void **state)
{
    (void)state;
    struct steme_record full = sample_named("assertion_full"), bare = full;
    struct steme_assertion *assertion = &bare.as.assertion;
    struct steme_qualifier keys[2] = { assertion->qualifiers[1], assertion->qualifiers[3] };
    assertion->negated = false;
    assertion->confidence_ppm = 1;
    assertion->valid_from_us = 7;
    assertion->has_epoch = false;
    assertion->qualifiers = keys;
    assertion->qualifier_count = 2;
    assertion->evidence_count = 0;
    assertion->parent_count = 0;
    struct steme_slice bytes[2] = { sample_bytes(&full), sample_bytes(&bare) };
    struct assertion_view views[2];
    struct identity out[2];
    struct arena arena;
    arena_init(&arena, 1 << 20);
    for (size_t i = 0; i < 2; i++)
        assert_status(assertion_view(bytes[i], &views[i], NULL), STEME_OK, NULL, "view");
    assert_status(identity_many(views, 2, out, &arena, NULL), STEME_OK, NULL, "both");
    assert_true(same(out[0].slot, out[1].slot) && same(out[0].claim, out[1].claim) && same(out[0].voice, out[1].voice));
    assert_false(claim_negated(&out[0].claim));
    arena_deinit(&arena);
    for (size_t i = 0; i < 2; i++)
        testing_free(bytes[i]);
}

static void memory_that_runs_out_is_said_so(void **state)
{
    (void)state;
    static struct assertion_view views[MANY];
    static struct identity out[MANY];
    struct prng prng = { 43 };
    make_views(views, &prng);
    for (size_t ceiling = 0; ceiling < 8192 * 16; ceiling = ceiling * 2 + 64) {
        struct arena arena;
        struct steme_error err;
        arena_init(&arena, ceiling);
        assert_status(identity_many(views, MANY, out, &arena, &err), STEME_NO_MEMORY, &err, "too little memory");
        assert_int_equal(arena.used_bytes, 0);
        assert_int_equal(out[0].route, 0); /* untouched */
        arena_deinit(&arena);
    }
}

static int start(void **state)
{
    (void)state;
    return sign_init(NULL) == STEME_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_hash_the_documented_bytes),
        cmocka_unit_test(long_parts_enter_by_their_hash),
        cmocka_unit_test(routes_are_the_first_eight_bytes),
        cmocka_unit_test(every_part_of_a_slot_counts),
        cmocka_unit_test(kinds_of_ids_never_meet),
        cmocka_unit_test(claims_differ_by_slot_value_and_polarity),
        cmocka_unit_test(many_at_once_are_as_one_at_a_time),
        cmocka_unit_test(samples_have_the_same_identity_both_ways),
        cmocka_unit_test(only_the_question_and_the_answer_count),
        cmocka_unit_test(memory_that_runs_out_is_said_so),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
