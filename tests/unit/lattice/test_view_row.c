/* SPDX-License-Identifier: Apache-2.0 */
#include "base/check.h"
#include "base/prng.h"
#include "base/slice.h"
#include "lattice/view_row.h"
#include "lib/testing.h"

#include <string.h>

static struct steme_error failure;

#define OK(call) assert_status((call), STEME_OK, &failure, #call)

static const uint8_t view[16] = "a view of sixte";

static struct slot_ref slot_of(const struct steme_hash *slot)
{
    struct slot_ref ref = { .route = UINT64_C(0x0123456789abcdef), .predicate = 0xfedcba98 };
    memcpy(ref.slot, slot->bytes, sizeof ref.slot);
    return ref;
}

static struct steme_answer answer_with(const struct steme_belief *beliefs, size_t count)
{
    return (struct steme_answer){ .subject = slice_text("Pluto"),
                                  .predicate = slice_text("mass"),
                                  .key_qualifiers = slice_text("run=two"),
                                  .slot = { { 1, 2, 3, 4 } },
                                  .verdict = STEME_LEANING,
                                  .functional = true,
                                  .beliefs = beliefs,
                                  .belief_count = count,
                                  .voices = 3,
                                  .assertions = 5,
                                  .votes = 7,
                                  .margin = 0.25 };
}

static const struct steme_belief two[] = {
    { .claim = { { 9 } },
      .value = { .kind = STEME_INTEGER, .integer = 42 },
      .probability = 0.6,
      .support = 2,
      .refute = 0.5,
      .assertion = { { 8 } } },
    { .claim = { { 7 } }, .value = { .kind = STEME_BOOLEAN, .boolean = true }, .probability = 0.3 },
};

static struct steme_slice encode(const struct steme_answer *answer, struct key_bytes *key, struct buf *out)
{
    struct slot_ref slot = slot_of(&answer->slot);
    key_of_view_row(key, view, 3, &slot);
    buf_init(out, 1 << 20);
    OK(view_row_encode(key_slice(key), answer, out, &failure));
    return buf_slice(out);
}

static void a_row_comes_back_as_it_was(void **state)
{
    (void)state;
    for (size_t count = 0; count <= 2; count++) {
        struct steme_answer answer = answer_with(two, count);
        struct key_bytes key;
        struct steme_view_row row;
        struct slot_ref slot;
        struct buf bytes;
        bool whole = false;
        answer.has_pooled = count == 1;
        answer.pooled = (struct steme_pooled){ .mean = 1.5, .error = 0.5, .tension_p = 0.75 };
        struct steme_slice value = encode(&answer, &key, &bytes);
        OK(view_row_decode(key_slice(&key), value, &row, &whole, &failure));
        assert_true(whole);
        view_row_slot(key_slice(&key), &slot);
        assert_int_equal(slot.route, UINT64_C(0x0123456789abcdef));
        assert_int_equal(slot.predicate, 0xfedcba98);
        assert_true(slice_equal(row.subject, answer.subject) && slice_equal(row.predicate, answer.predicate));
        assert_true(slice_equal(row.key_qualifiers, answer.key_qualifiers));
        assert_int_equal(row.beliefs, count);
        assert_int_equal(row.verdict, STEME_LEANING);
        assert_int_equal(row.voices + 10 * row.assertions + 100 * row.votes, 753);
        assert_true(row.margin == 0.25);
        if (count) assert_int_equal(row.value.integer, 42);
        if (count) assert_true(row.probability == 0.6 && row.support == 2 && row.refute == 0.5);
        if (count) assert_int_equal(row.claim.bytes[0] + row.assertion.bytes[0], 17);
        if (count > 1) assert_true(row.rival.boolean && row.rival_probability == 0.3);
        assert_int_equal(row.has_pooled, count == 1);
        if (count == 1) assert_true(row.pooled_mean == 1.5 && row.pooled_tension_p == 0.75);
        buf_deinit(&bytes);
    }
}

static void a_long_row_keeps_its_figures(void **state)
{
    (void)state;
    static uint8_t essay[VIEW_ROW_MAX];
    struct steme_belief belief = two[0];
    memset(essay, 'e', sizeof essay);
    belief.value = (struct steme_value){ .kind = STEME_TEXT, .text = slice_of(essay, sizeof essay) };
    struct steme_answer answer = answer_with(&belief, 1);
    struct key_bytes key;
    struct steme_view_row row;
    struct buf bytes;
    bool whole = true;
    struct steme_slice value = encode(&answer, &key, &bytes);
    assert_true(value.size < 200);
    OK(view_row_decode(key_slice(&key), value, &row, &whole, &failure));
    assert_false(whole);
    assert_true(row.subject.size == 0 && row.probability == 0.6);
    assert_int_equal(row.slot.bytes[3], 4);
    buf_deinit(&bytes);
}

static struct view_state some_state(void)
{
    struct view_state state = { .shown = 4,
                                .mark = { .next_sequence = 5, .location = 6, .batch = { { 7 } } },
                                .rows = 8,
                                .row_bytes = 9,
                                .trust = { { 10 } },
                                .made_at_us = -11,
                                .making = 12,
                                .bound = { .next_sequence = 13, .location = 14, .batch = { { 15 } } },
                                .cursor = { .route = 16, .predicate = 17, .slot = { 18 } },
                                .making_rows = 19,
                                .making_bytes = 20,
                                .making_trust = { { 21 } },
                                .sweeping = true,
                                .fault = "too much of something" };
    return state;
}

static void a_state_comes_back_as_it_was(void **state)
{
    (void)state;
    struct view_state want = some_state(), got;
    struct key_bytes key;
    struct value_bytes value;
    for (size_t length = 0; length < VIEW_FAULT_MAX; length += 21) {
        memset(want.fault, 0, sizeof want.fault);
        memset(want.fault, 'f', length);
        key_of_view_state(&key, view);
        value_of_view_state(&value, key_slice(&key), &want);
        OK(row_view_state(key_slice(&key), value_slice(&value), &got, &failure));
        assert_string_equal(got.fault, want.fault);
        assert_memory_equal(&got.mark, &want.mark, sizeof got.mark);
        assert_memory_equal(&got.bound, &want.bound, sizeof got.bound);
        assert_memory_equal(&got.trust, &want.trust, sizeof got.trust);
        assert_memory_equal(&got.making_trust, &want.making_trust, sizeof got.trust);
        assert_int_equal(got.shown + got.making, 16);
        assert_int_equal(got.rows + got.row_bytes + got.making_rows + got.making_bytes, 56);
        assert_int_equal(got.made_at_us, -11);
        assert_int_equal(got.cursor.route + got.cursor.predicate + got.cursor.slot[0], 51);
        assert_true(got.sweeping);
    }
}

/* Every byte of a row and a state is under the check, and so is the key. */
static void a_changed_bit_is_found(void **state)
{
    (void)state;
    struct steme_answer answer = answer_with(two, 2);
    struct view_state ours = some_state(), got;
    struct key_bytes key;
    struct value_bytes value;
    struct steme_view_row row;
    struct buf bytes;
    bool whole;
    (void)encode(&answer, &key, &bytes);
    for (size_t bit = 0; bit < 8 * bytes.size; bit++) {
        bytes.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(view_row_decode(key_slice(&key), buf_slice(&bytes), &row, &whole, &failure), STEME_CORRUPT);
        bytes.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t size = 0; size < bytes.size; size++)
        assert_int_equal(view_row_decode(key_slice(&key), slice_of(bytes.data, size), &row, &whole, &failure),
                         STEME_CORRUPT);
    key.data[5] ^= 1;
    assert_int_equal(view_row_decode(key_slice(&key), buf_slice(&bytes), &row, &whole, &failure), STEME_CORRUPT);
    buf_deinit(&bytes);
    key_of_view_state(&key, view);
    value_of_view_state(&value, key_slice(&key), &ours);
    for (size_t bit = 0; bit < 8 * value.size; bit++) {
        value.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(row_view_state(key_slice(&key), value_slice(&value), &got, &failure), STEME_CORRUPT);
        value.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void keys_of_a_view_lie_together(void **state)
{
    (void)state;
    struct steme_hash slot = { { 1 } };
    struct slot_ref ref = slot_of(&slot);
    struct key_bytes above, generation, row, later;
    key_of_view_state(&above, view);
    key_generation_prefix(&generation, view, 3);
    key_of_view_row(&row, view, 3, &ref);
    key_of_view_row(&later, view, 4, &ref);
    assert_true(slice_starts(key_slice(&generation), key_slice(&above)));
    assert_true(slice_starts(key_slice(&row), key_slice(&generation)));
    assert_true(slice_compare(key_slice(&above), key_slice(&row)) < 0);
    assert_true(slice_compare(key_slice(&row), key_slice(&later)) < 0);
    assert_true(row.size <= KEYS_MAX_BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_comes_back_as_it_was),   cmocka_unit_test(a_long_row_keeps_its_figures),
        cmocka_unit_test(a_state_comes_back_as_it_was), cmocka_unit_test(a_changed_bit_is_found),
        cmocka_unit_test(keys_of_a_view_lie_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
