/* SPDX-License-Identifier: Apache-2.0 */
#include "lattice/keys.h"

#include "base/check.h"
#include "base/codec.h"
#include "base/prng.h"
#include "base/slice.h"
#include "lib/testing.h"

#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 200 };

static struct steme_error failure;

#define OK(call) assert_status((call), STEME_OK, &failure, #call)

/* ---- rows there and back ---- */

static struct slot_ref draw_slot(struct prng *prng)
{
    struct slot_ref slot = { .route = prng_u64(prng), .predicate = (uint32_t)prng_u64(prng) };
    prng_fill(prng, slot.slot, sizeof slot.slot);
    return slot;
}

/* Zeroed first, so that whole structures compare. */
static void draw_slot_row(struct prng *prng, struct slot_row *row)
{
    memset(row, 0, sizeof *row);
    row->location = prng_u64(prng) >> 8;
    row->at_us = (int64_t)prng_u64(prng);
    row->valid_from_us = prng_chance(prng, 500) ? STEME_TIME_MIN : (int64_t)prng_u64(prng);
    row->valid_to_us = prng_chance(prng, 500) ? STEME_TIME_MAX : (int64_t)prng_u64(prng);
    row->confidence_ppm = (uint32_t)prng_below(prng, STEME_PPM + 1);
    row->kind = (enum steme_kind)prng_below(prng, STEME_NONE + 1);
    row->negated = prng_chance(prng, 500);
    row->has_epoch = prng_chance(prng, 500);
    prng_fill(prng, row->claim, sizeof row->claim);
    prng_fill(prng, row->voice, sizeof row->voice);
    if (row->has_epoch) prng_fill(prng, row->epoch, sizeof row->epoch);
}

static void a_slot_row_comes_back(void **state)
{
    (void)state;
    struct prng prng = { 1 };
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct slot_ref slot = draw_slot(&prng), slot_back;
        struct slot_row row, back;
        struct key_bytes key;
        struct value_bytes value;
        memset(&slot_back, 0, sizeof slot_back);
        memset(&back, 0, sizeof back);
        draw_slot_row(&prng, &row);
        key_of_slot_row(&key, &slot, row.location);
        value_of_slot_row(&value, key_slice(&key), &row);
        OK(row_slot(key_slice(&key), value_slice(&value), &slot_back, &back, &failure));
        assert_int_equal(slot_back.route, slot.route);
        assert_int_equal(slot_back.predicate, slot.predicate);
        assert_memory_equal(slot_back.slot, slot.slot, sizeof slot.slot);
        assert_int_equal(back.location, row.location);
        assert_int_equal(back.at_us, row.at_us);
        assert_int_equal(back.valid_from_us, row.valid_from_us);
        assert_int_equal(back.valid_to_us, row.valid_to_us);
        assert_int_equal(back.confidence_ppm, row.confidence_ppm);
        assert_int_equal(back.kind, row.kind);
        assert_int_equal(back.negated, row.negated);
        assert_int_equal(back.has_epoch, row.has_epoch);
        assert_memory_equal(back.claim, row.claim, sizeof row.claim);
        assert_memory_equal(back.voice, row.voice, sizeof row.voice);
        assert_memory_equal(back.epoch, row.epoch, sizeof row.epoch);
        OK(row_slot(key_slice(&key), value_slice(&value), NULL, &back, &failure));
    }
}

static void a_ballot_comes_back(void **state)
{
    (void)state;
    struct prng prng = { 2 };
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct steme_target target = { (enum steme_target_kind)prng_below(&prng, STEME_ON_EPOCH + 1),
                                       prng_u64(&prng),
                                       { { 0 } } };
        struct ballot_row row = { .location = prng_u64(&prng), .cast_at_us = (int64_t)prng_u64(&prng) }, back;
        struct key_bytes key;
        struct value_bytes value;
        prng_fill(&prng, &target.hash, sizeof target.hash);
        prng_fill(&prng, row.voter, sizeof row.voter);
        prng_fill(&prng, row.vote, sizeof row.vote);
        row.probability_ppm = (uint32_t)prng_below(&prng, STEME_PPM + 1);
        row.stance = (enum steme_stance)prng_below(&prng, STEME_ABSTAIN + 1);
        key_of_ballot(&key, &target, row.voter, row.cast_at_us, row.vote);
        value_of_ballot(&value, key_slice(&key), &row);
        OK(row_ballot(key_slice(&key), value_slice(&value), &back, &failure));
        assert_int_equal(back.location, row.location);
        assert_int_equal(back.cast_at_us, row.cast_at_us);
        assert_int_equal(back.probability_ppm, row.probability_ppm);
        assert_int_equal(back.stance, row.stance);
        assert_memory_equal(back.voter, row.voter, sizeof row.voter);
        assert_memory_equal(back.vote, row.vote, sizeof row.vote);
        bool on_subject = target.kind <= STEME_ON_CLAIM;
        assert_int_equal(key.data[0], on_subject ? 'V' : 'A');
        assert_int_equal(key.data[on_subject ? 9 : 1], target.kind);
    }
}

static const struct tally_row a_tally = { .last_location = 1,
                                          .ballots = UINT64_MAX,
                                          .support = 2,
                                          .refute = 3,
                                          .abstain = 4,
                                          .retracted = 5,
                                          .support_ppm = 6,
                                          .refute_ppm = 7 };

static void a_tally_comes_back(void **state)
{
    (void)state;
    static const uint8_t id[16] = { 1 }, voter[16] = { 2 }, vote[16] = { 3 };
    for (unsigned kind = STEME_ON_ASSERTION; kind <= STEME_ON_EPOCH; kind++) {
        struct steme_target target = { (enum steme_target_kind)kind, UINT64_C(0x0100000000000000), { { 1 } } };
        struct key_bytes ballot, prefix, key, again;
        struct value_bytes value;
        struct tally_row back;
        key_of_ballot(&ballot, &target, voter, -5, vote);
        key_ballot_prefix(&prefix, target.kind, target.route, id);
        key_of_tally(&key, key_slice(&prefix));
        key_of_tally(&again, key_ballots_target(key_slice(&ballot)));
        assert_true(slice_equal(key_slice(&key), key_slice(&again)));
        assert_int_equal(key_ballots_route(key_slice(&ballot)), target.route);
        assert_int_equal(key_ballots_voter(key_slice(&ballot)).size, prefix.size + 16);
        value_of_tally(&value, key_slice(&key), &a_tally);
        OK(row_tally(key_slice(&key), value_slice(&value), &back, &failure));
        assert_memory_equal(&back, &a_tally, sizeof back);
        uint64_t place = 0;
        OK(row_place(key_slice(&key), value_slice(&value), &place, &failure));
        assert_int_equal(place, 1);
    }
}

/* So the one that counts is the last, whatever the sign of its time. */
static void a_voter_s_ballots_sort_by_time_then_id(void **state)
{
    (void)state;
    static const int64_t times[] = { INT64_MIN, -2, -1, 0, 1, 256, INT64_MAX };
    static const uint8_t voter[16] = { 2 }, low[16] = { 1 }, high[16] = { 2 };
    struct steme_target target = { STEME_ON_AGENT, 5, { { 9 } } };
    struct key_bytes a, b;
    for (size_t i = 0; i + 1 < countof(times); i++) {
        key_of_ballot(&a, &target, voter, times[i], high);
        key_of_ballot(&b, &target, voter, times[i + 1], low);
        assert_true(slice_compare(key_slice(&a), key_slice(&b)) < 0);
        key_of_ballot(&b, &target, voter, times[i], low);
        assert_true(slice_compare(key_slice(&b), key_slice(&a)) < 0);
    }
}

static void places_and_types_come_back(void **state)
{
    (void)state;
    static const uint64_t locations[] = { 0, 64, UINT64_C(1) << 32, (UINT64_C(1) << 56) - 1 };
    for (size_t i = 0; i < countof(locations); i++) {
        struct value_bytes value;
        uint64_t back = 1;
        value_of_location(&value, locations[i]);
        OK(row_location(value_slice(&value), &back, &failure));
        assert_int_equal(back, locations[i]);
        for (unsigned type = 0; type <= STEME_VIEW; type++) {
            enum steme_type type_back = STEME_ASSERTION;
            value_of_id(&value, (enum steme_type)type, locations[i]);
            OK(row_id(value_slice(&value), &type_back, &back, &failure));
            assert_int_equal(back, locations[i]);
            assert_int_equal(type_back, type);
            OK(row_id(value_slice(&value), NULL, &back, &failure));
        }
    }
}

static void a_child_s_key_is_tag_parent_and_child(void **state)
{
    (void)state;
    static const uint8_t parent[16] = { 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17,
                                        0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f };
    static const uint8_t child[16] = { 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27,
                                       0x28, 0x29, 0x2a, 0x2b, 0x2c, 0x2d, 0x2e, 0x2f };
    struct steme_slice golden = testing_bytes("43101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f");
    struct key_bytes key, prefix;
    struct value_bytes value;
    uint64_t back = 0;
    key_of_child(&key, parent, child);
    key_child_prefix(&prefix, parent);
    value_of_location(&value, 4096);
    assert_true(slice_equal(key_slice(&key), golden));
    assert_true(slice_starts(golden, key_slice(&prefix)) && prefix.size == 17);
    assert_memory_equal(key_last_id(key_slice(&key)), child, sizeof child);
    OK(row_place(key_slice(&key), value_slice(&value), &back, &failure));
    assert_int_equal(back, 4096);
    assert_int_equal(row_place(key_slice(&key), slice_of(value.data, 7), &back, &failure), STEME_CORRUPT);
    testing_free(golden);
}

static void a_batch_comes_back(void **state)
{
    (void)state;
    static const struct batch_row rows[] = { { 1, INT64_MIN, 128 },
                                             { UINT64_MAX, INT64_MAX, UINT64_MAX },
                                             { 0, 0, 0 } };
    for (size_t i = 0; i < countof(rows); i++) {
        struct key_bytes key;
        struct value_bytes value;
        struct batch_row back = { 7, 7, 7 };
        key_of_batch(&key, rows[i].first_sequence);
        value_of_batch(&value, key_slice(&key), &rows[i]);
        OK(row_batch(key_slice(&key), value_slice(&value), &back, &failure));
        assert_int_equal(back.first_sequence, rows[i].first_sequence);
        assert_int_equal(back.received_at_us, rows[i].received_at_us);
        assert_int_equal(back.location, rows[i].location);
    }
}

static void draw_applied(struct prng *prng, struct applied_row *row)
{
    memset(row, 0, sizeof *row);
    prng_fill(prng, &row->mark, sizeof row->mark);
    prng_fill(prng, row->records, sizeof row->records);
    row->record_bytes = prng_u64(prng);
    row->dead_letters = prng_u64(prng);
    row->duplicates = prng_u64(prng);
    row->row_bytes = prng_u64(prng);
}

static void how_far_it_is_comes_back(void **state)
{
    (void)state;
    struct prng prng = { 3 };
    struct applied_row row, back;
    struct key_bytes key;
    struct value_bytes value;
    draw_applied(&prng, &row);
    memset(&back, 0, sizeof back);
    key_applied(&key);
    value_of_applied(&value, key_slice(&key), &row);
    OK(row_applied(key_slice(&key), value_slice(&value), &back, &failure));
    assert_memory_equal(&back, &row, sizeof row);
}

static void a_dead_letter_keeps_its_id_and_as_much_of_the_reason_as_fits(void **state)
{
    (void)state;
    struct steme_hash id = { { 1, 2, 3 } };
    struct value_bytes value;
    char reason[KEYS_VALUE_MAX_BYTES + 100];
    memset(reason, 'r', sizeof reason);
    reason[sizeof reason - 1] = '\0';
    value_of_dead_letter(&value, &id, "short");
    assert_int_equal(value.size, 32 + 5);
    assert_memory_equal(value.data, &id, 32);
    assert_memory_equal(value.data + 32, "short", 5);
    value_of_dead_letter(&value, &id, reason);
    assert_int_equal(value.size, KEYS_VALUE_MAX_BYTES);
    value_of_dead_letter(&value, &id, "");
    assert_int_equal(value.size, 32);
}

/* ---- sealed rows ---- */

static steme_status take_slot(struct steme_slice key, struct steme_slice value)
{
    struct slot_row row;
    return row_slot(key, value, NULL, &row, &failure);
}
static steme_status take_ballot(struct steme_slice key, struct steme_slice value)
{
    struct ballot_row row;
    return row_ballot(key, value, &row, &failure);
}
static steme_status take_tally(struct steme_slice key, struct steme_slice value)
{
    struct tally_row row;
    return row_tally(key, value, &row, &failure);
}
static steme_status take_batch(struct steme_slice key, struct steme_slice value)
{
    struct batch_row row;
    return row_batch(key, value, &row, &failure);
}
static steme_status take_applied(struct steme_slice key, struct steme_slice value)
{
    struct applied_row row;
    return row_applied(key, value, &row, &failure);
}

struct sealed {
    const char *name;
    steme_status (*take)(struct steme_slice key, struct steme_slice value);
    struct key_bytes key;
    struct value_bytes value;
};

static void make_slot(struct sealed *out, const char *name, bool full)
{
    struct prng prng = { 4 };
    struct slot_ref slot = draw_slot(&prng);
    struct slot_row row;
    draw_slot_row(&prng, &row);
    row.has_epoch = full;
    row.valid_from_us = full ? 1 : STEME_TIME_MIN;
    row.valid_to_us = full ? 2 : STEME_TIME_MAX;
    out->name = name;
    out->take = take_slot;
    key_of_slot_row(&out->key, &slot, row.location);
    value_of_slot_row(&out->value, key_slice(&out->key), &row);
}

static void make_ballot(struct sealed *out, const char *name, enum steme_target_kind kind)
{
    struct steme_target target = { kind, 77, { { 9, 8, 7 } } };
    struct ballot_row row = { .location = 4096, .cast_at_us = 5, .probability_ppm = 6, .stance = STEME_REFUTE };
    out->name = name;
    out->take = take_ballot;
    key_of_ballot(&out->key, &target, (const uint8_t *)"sixteen bytes ..", 5, (const uint8_t *)".. more of these");
    value_of_ballot(&out->value, key_slice(&out->key), &row);
}

static size_t make_sealed(struct sealed out[8])
{
    struct prng prng = { 5 };
    struct applied_row applied;
    struct batch_row batch = { 300, 400, 500 };
    make_slot(&out[0], "a slot row", false);
    make_slot(&out[1], "a slot row with all its parts", true);
    make_ballot(&out[2], "a ballot on an assertion", STEME_ON_ASSERTION);
    make_ballot(&out[3], "a ballot on an agent", STEME_ON_AGENT);
    out[4].name = "a batch row";
    out[4].take = take_batch;
    key_of_batch(&out[4].key, batch.first_sequence);
    value_of_batch(&out[4].value, key_slice(&out[4].key), &batch);
    draw_applied(&prng, &applied);
    out[5].name = "the applied row";
    out[5].take = take_applied;
    key_applied(&out[5].key);
    value_of_applied(&out[5].value, key_slice(&out[5].key), &applied);
    out[6].name = "a tally";
    out[6].take = take_tally;
    struct steme_target target = { STEME_ON_CLAIM, 77, { { 9, 8, 7 } } };
    struct key_bytes prefix;
    key_ballot_prefix(&prefix, target.kind, target.route, target.hash.bytes);
    key_of_tally(&out[6].key, key_slice(&prefix));
    value_of_tally(&out[6].value, key_slice(&out[6].key), &a_tally);
    return 7;
}

static void every_bit_of_key_and_value_is_under_the_check(void **state)
{
    (void)state;
    struct sealed rows[8];
    size_t count = make_sealed(rows);
    for (size_t i = 0; i < count; i++) {
        struct sealed *row = &rows[i];
        assert_status(row->take(key_slice(&row->key), value_slice(&row->value)), STEME_OK, &failure, row->name);
        for (size_t bit = 0; bit < 8 * row->value.size; bit++) {
            row->value.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_row(row->take(key_slice(&row->key), value_slice(&row->value)) == STEME_CORRUPT, row->name);
            row->value.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        for (size_t bit = 0; bit < 8 * row->key.size; bit++) {
            row->key.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_row(row->take(key_slice(&row->key), value_slice(&row->value)) == STEME_CORRUPT, row->name);
            row->key.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
}

/* In memory of exactly that length, so that a read behind the end is found out. */
static struct steme_slice tight(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    assert_non_null(copy);
    if (size) memcpy(copy, data, size);
    return slice_of(copy, size);
}

static void a_row_of_another_length_is_refused(void **state)
{
    (void)state;
    struct sealed rows[8];
    size_t count = make_sealed(rows);
    for (size_t i = 0; i < count; i++) {
        const struct sealed *row = &rows[i];
        static const uint8_t more[KEYS_VALUE_MAX_BYTES + 64];
        for (size_t size = 0; size < row->value.size; size++) {
            struct steme_slice value = tight(row->value.data, size);
            assert_row(row->take(key_slice(&row->key), value) == STEME_CORRUPT, row->name);
            testing_free(value);
        }
        for (size_t size = 0; size < row->key.size; size++) {
            struct steme_slice key = tight(row->key.data, size);
            assert_row(row->take(key, value_slice(&row->value)) == STEME_CORRUPT, row->name);
            testing_free(key);
        }
        assert_row(row->take(key_slice(&row->key), slice_of(more, sizeof more)) == STEME_CORRUPT, row->name);
        assert_row(row->take(slice_of(more, KEYS_MAX_BYTES + 1), value_slice(&row->value)) == STEME_CORRUPT, row->name);
        assert_row(row->take(slice_of(more, 300), slice_of(more, 200)) == STEME_CORRUPT, row->name);
    }
}

static void what_a_check_can_t_excuse_is_refused(void **state)
{
    (void)state;
    struct sealed rows[8];
    struct slot_row slot = { .kind = (enum steme_kind)(STEME_NONE + 1),
                             .valid_from_us = STEME_TIME_MIN,
                             .valid_to_us = STEME_TIME_MAX };
    struct ballot_row ballot = { .stance = (enum steme_stance)(STEME_ABSTAIN + 1) };
    (void)make_sealed(rows);
    value_of_slot_row(&rows[0].value, key_slice(&rows[0].key), &slot);
    assert_int_equal(take_slot(key_slice(&rows[0].key), value_slice(&rows[0].value)), STEME_CORRUPT);
    value_of_ballot(&rows[2].value, key_slice(&rows[2].key), &ballot);
    assert_int_equal(take_ballot(key_slice(&rows[2].key), value_slice(&rows[2].value)), STEME_CORRUPT);
}

static void a_place_of_another_length_or_type_is_refused(void **state)
{
    (void)state;
    static const uint8_t bytes[16] = { 0 };
    uint8_t strange[8] = { 0, 0, 0, 0, 0, 0, 0, STEME_VIEW + 1 };
    uint64_t location = 0;
    for (size_t size = 0; size < sizeof bytes; size++) {
        if (size == 8) continue;
        assert_int_equal(row_location(slice_of(bytes, size), &location, &failure), STEME_CORRUPT);
        assert_int_equal(row_id(slice_of(bytes, size), NULL, &location, &failure), STEME_CORRUPT);
    }
    assert_int_equal(row_id(slice_of(strange, sizeof strange), NULL, &location, &failure), STEME_CORRUPT);
}

/* ---- order ---- */

static void assert_before(const struct key_bytes *a, const struct key_bytes *b, const char *name)
{
    assert_row(slice_compare(key_slice(a), key_slice(b)) < 0, name);
}

static void keys_sort_as_their_numbers(void **state)
{
    (void)state;
    static const uint64_t numbers[] = { 0, 1, 255, 256, 65535, UINT64_C(1) << 32, UINT64_MAX - 1, UINT64_MAX };
    struct slot_ref slot = { .route = 5, .predicate = 6 };
    for (size_t i = 0; i + 1 < countof(numbers); i++) {
        struct slot_ref low = slot, high = slot;
        struct key_bytes a, b;
        key_of_slot_row(&a, &slot, numbers[i]);
        key_of_slot_row(&b, &slot, numbers[i + 1]);
        assert_before(&a, &b, "locations in a slot");
        low.route = numbers[i];
        high.route = numbers[i + 1];
        key_of_slot_row(&a, &low, UINT64_MAX);
        key_of_slot_row(&b, &high, 0);
        assert_before(&a, &b, "routes before all else");
        key_of_batch(&a, numbers[i]);
        key_of_batch(&b, numbers[i + 1]);
        assert_before(&a, &b, "batches");
        key_of_dead_letter(&a, numbers[i]);
        key_of_dead_letter(&b, numbers[i + 1]);
        assert_before(&a, &b, "dead letters");
    }
    struct slot_ref later = { .route = 5, .predicate = 0x01000000 };
    struct key_bytes a, b;
    key_slot_prefix(&a, &slot);
    key_slot_prefix(&b, &later);
    assert_before(&a, &b, "predicates within a route");
}

static void a_prefix_begins_every_key_under_it(void **state)
{
    (void)state;
    struct slot_ref slot = { .route = 5, .predicate = 6, .slot = { 7 } };
    struct steme_target target = { STEME_ON_CLAIM, 5, { { 9 } } }, agent = { STEME_ON_AGENT, 5, { { 9 } } };
    static const uint8_t voter[16] = { 1 }, vote[16] = { 2 };
    struct key_bytes key, prefix;
    key_of_slot_row(&key, &slot, 8);
    key_slot_prefix(&prefix, &slot);
    assert_true(slice_starts(key_slice(&key), key_slice(&prefix)));
    key_route_prefix(&prefix, 'S', 5);
    assert_true(slice_starts(key_slice(&key), key_slice(&prefix)));
    key_of_ballot(&key, &target, voter, 5, vote);
    key_ballot_prefix(&prefix, STEME_ON_CLAIM, 5, target.hash.bytes);
    assert_true(slice_starts(key_slice(&key), key_slice(&prefix)));
    key_route_prefix(&prefix, 'V', 5);
    assert_true(slice_starts(key_slice(&key), key_slice(&prefix)));
    key_of_ballot(&key, &agent, voter, 5, vote);
    key_ballot_prefix(&prefix, STEME_ON_AGENT, 12345, agent.hash.bytes); /* the route plays no part */
    assert_true(slice_starts(key_slice(&key), key_slice(&prefix)));
    key_of_revision(&key, 5, target.hash.bytes, vote);
    key_revision_prefix(&prefix, 5, target.hash.bytes);
    assert_true(slice_starts(key_slice(&key), key_slice(&prefix)));
    key_route_prefix(&prefix, 'X', 5);
    assert_true(slice_starts(key_slice(&key), key_slice(&prefix)));
}

static void kinds_of_keys_do_not_mix(void **state)
{
    (void)state;
    static const uint8_t id[16] = { 1 };
    struct slot_ref slot = { .route = 1 };
    struct steme_target on_claim = { STEME_ON_CLAIM, 1, { { 1 } } }, on_epoch = { STEME_ON_EPOCH, 1, { { 1 } } };
    struct key_bytes keys[9];
    static const char tags[] = "ADEHMRSVX"; /* in their order */
    key_of_ballot(&keys[0], &on_epoch, id, 5, id);
    key_of_dead_letter(&keys[1], 1);
    key_of_epoch(&keys[2], id);
    key_of_id(&keys[3], id);
    key_applied(&keys[4]);
    key_of_batch(&keys[5], 1);
    key_of_slot_row(&keys[6], &slot, 1);
    key_of_ballot(&keys[7], &on_claim, id, 5, id);
    key_of_revision(&keys[8], 1, id, id);
    for (size_t i = 0; i < countof(keys); i++) {
        assert_int_equal(keys[i].data[0], tags[i]);
        assert_true(keys[i].size <= KEYS_MAX_BYTES);
        if (i) assert_before(&keys[i - 1], &keys[i], "kinds");
    }
}

/* The last bit of a claim id says "not"; a claim's ballots lie together whatever it says. */
static void polarity_plays_no_part_in_a_key(void **state)
{
    (void)state;
    struct steme_target yes = { STEME_ON_CLAIM, 5, { { 9 } } }, no = yes;
    static const uint8_t voter[16] = { 1 }, vote[16] = { 2 };
    struct key_bytes a, b;
    no.hash.bytes[31] ^= 1;
    key_of_ballot(&a, &yes, voter, 5, vote);
    key_of_ballot(&b, &no, voter, 5, vote);
    assert_true(slice_equal(key_slice(&a), key_slice(&b)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slot_row_comes_back),
        cmocka_unit_test(a_ballot_comes_back),
        cmocka_unit_test(a_tally_comes_back),
        cmocka_unit_test(a_voter_s_ballots_sort_by_time_then_id),
        cmocka_unit_test(places_and_types_come_back),
        cmocka_unit_test(a_child_s_key_is_tag_parent_and_child),
        cmocka_unit_test(a_batch_comes_back),
        cmocka_unit_test(how_far_it_is_comes_back),
        cmocka_unit_test(a_dead_letter_keeps_its_id_and_as_much_of_the_reason_as_fits),
        cmocka_unit_test(every_bit_of_key_and_value_is_under_the_check),
        cmocka_unit_test(a_row_of_another_length_is_refused),
        cmocka_unit_test(what_a_check_can_t_excuse_is_refused),
        cmocka_unit_test(a_place_of_another_length_or_type_is_refused),
        cmocka_unit_test(keys_sort_as_their_numbers),
        cmocka_unit_test(a_prefix_begins_every_key_under_it),
        cmocka_unit_test(kinds_of_keys_do_not_mix),
        cmocka_unit_test(polarity_plays_no_part_in_a_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
