/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a row of the index: key and value, the check put right or not. Whatever is taken apart is in range, says
 * why where it is refused, and comes back the same when it is put together and taken apart again. */
#include "fuzz/input.h"
#include "lattice/keys.h"
#include "lattice/view_row.h"

#include <xxhash.h>

/* Keys as they are, or with the tag and the length that a kind has. */
static const struct {
    char tag;
    size_t size;
} kinds[] = {
    { 0, 0 },    { 'S', 37 }, { 'V', 66 }, { 'A', 58 }, { 'R', 9 },  { 'H', 17 }, { 'X', 41 }, { 'C', 33 },
    { 'E', 17 }, { 'D', 9 },  { 'M', 8 },  { 'Y', 27 }, { 'Y', 19 }, { 'K', 17 }, { 'W', 17 }, { 'W', 49 },
};

/* What the row's maker puts into the first four bytes of a value. */
static void seal(const uint8_t *key, size_t key_size, uint8_t *value, size_t size)
{
    uint8_t joined[KEYS_MAX_BYTES + KEYS_VALUE_MAX_BYTES];
    if (size < 4 || size > KEYS_VALUE_MAX_BYTES || key_size > KEYS_MAX_BYTES) return;
    memcpy(joined, key, key_size);
    memcpy(joined + key_size, value + 4, size - 4);
    store_u32(value, (uint32_t)XXH3_64bits(joined, key_size + size - 4));
    if (key_size && key[0] == 'W')
        store_u32(value, (uint32_t)XXH3_64bits_withSeed(value + 4, size - 4, XXH3_64bits(key, key_size)));
}

static void same(const struct value_bytes *a, const struct value_bytes *b)
{
    invariant(a->size == b->size && memcmp(a->data, b->data, a->size) == 0);
}

/* Refused with the one status there is, and with a sentence. */
static bool taken(steme_status status, const struct steme_error *err)
{
    invariant(status == STEME_OK || (status == STEME_CORRUPT && err->message[0] != '\0'));
    return status == STEME_OK;
}

static void check_slot(struct steme_slice key, struct steme_slice value)
{
    struct steme_error err = { 0 };
    struct slot_ref slot, slot_again;
    struct slot_row row, row_again;
    struct key_bytes made;
    struct value_bytes first, second;
    if (!taken(row_slot(key, value, &slot, &row, &err), &err)) return;
    invariant(row.kind <= STEME_NONE);
    key_of_slot_row(&made, &slot, row.location);
    invariant(made.size == key.size && memcmp(made.data + 1, key.data + 1, key.size - 1) == 0);
    value_of_slot_row(&first, key_slice(&made), &row);
    invariant(row_slot(key_slice(&made), value_slice(&first), &slot_again, &row_again, NULL) == STEME_OK);
    invariant(row_again.valid_from_us == row.valid_from_us && row_again.valid_to_us == row.valid_to_us);
    value_of_slot_row(&second, key_slice(&made), &row_again);
    same(&first, &second);
}

static void check_ballot(struct steme_slice key, struct steme_slice value)
{
    struct steme_error err = { 0 };
    struct ballot_row row, row_again;
    struct value_bytes made;
    if (!taken(row_ballot(key, value, &row, &err), &err)) return;
    invariant(row.stance <= STEME_ABSTAIN);
    invariant(memcmp(row.vote, key_last_id(key), sizeof row.vote) == 0);
    value_of_ballot(&made, key, &row);
    invariant(row_ballot(key, value_slice(&made), &row_again, NULL) == STEME_OK);
    invariant(row_again.cast_at_us == row.cast_at_us && row_again.location == row.location);
    invariant(made.size == value.size && memcmp(made.data, value.data, made.size) == 0);
}

static void check_tally(struct steme_slice key, struct steme_slice value)
{
    struct steme_error err = { 0 };
    struct tally_row row, row_again;
    struct value_bytes made;
    struct key_bytes made_key;
    if (!taken(row_tally(key, value, &row, &err), &err)) return;
    key_of_tally(&made_key, slice_of(key.data + 1, key.size - 1));
    invariant(made_key.size == key.size && memcmp(made_key.data, key.data, key.size) == 0);
    value_of_tally(&made, key, &row);
    invariant(row_tally(key, value_slice(&made), &row_again, NULL) == STEME_OK);
    invariant(row_again.last_location == row.last_location && row_again.ballots == row.ballots);
    invariant(row_again.retracted == row.retracted && row_again.refute_ppm == row.refute_ppm);
}

static void check_batch(struct steme_slice key, struct steme_slice value)
{
    struct steme_error err = { 0 };
    struct batch_row row, row_again;
    struct key_bytes made;
    struct value_bytes first;
    if (!taken(row_batch(key, value, &row, &err), &err)) return;
    key_of_batch(&made, row.first_sequence);
    invariant(made.size == key.size && memcmp(made.data + 1, key.data + 1, key.size - 1) == 0);
    value_of_batch(&first, key_slice(&made), &row);
    invariant(row_batch(key_slice(&made), value_slice(&first), &row_again, NULL) == STEME_OK);
    invariant(row_again.first_sequence == row.first_sequence && row_again.location == row.location &&
              row_again.received_at_us == row.received_at_us);
}

static void check_applied(struct steme_slice key, struct steme_slice value)
{
    struct steme_error err = { 0 };
    struct applied_row row;
    struct value_bytes made;
    if (!taken(row_applied(key, value, &row, &err), &err)) return;
    value_of_applied(&made, key, &row);
    invariant(made.size == value.size && memcmp(made.data, value.data, made.size) == 0);
}

static void check_rest(struct steme_slice key, struct steme_slice value)
{
    struct steme_error err = { 0 };
    struct value_bytes made;
    enum steme_type type;
    uint64_t location = 0;
    if (taken(row_id(value, &type, &location, &err), &err)) {
        invariant(type <= STEME_VIEW && location >> 56 == 0);
        value_of_id(&made, type, location);
        invariant(made.size == value.size && memcmp(made.data, value.data, made.size) == 0);
    }
    if (taken(row_location(value, &location, &err), &err)) {
        value_of_location(&made, location);
        invariant(made.size == value.size && memcmp(made.data, value.data, made.size) == 0);
    }
    (void)taken(row_place(key, value, &location, &err), &err);
    uint8_t id[KEYS_ID_BYTES];
    memcpy(id, key_last_id(key), sizeof id);
    invariant(key.size <= sizeof id || memcmp(id, key.data + key.size - sizeof id, sizeof id) == 0);
}

static void check_view(struct steme_slice key, struct steme_slice value)
{
    struct steme_error err = { 0 };
    struct view_state state, again;
    struct steme_view_row row;
    struct value_bytes made;
    bool whole = false;
    if (taken(row_view_state(key, value, &state, &err), &err)) {
        value_of_view_state(&made, key, &state);
        invariant(row_view_state(key, value_slice(&made), &again, NULL) == STEME_OK);
        invariant(again.shown == state.shown && again.making == state.making && again.rows == state.rows);
    }
    if (!taken(view_row_decode(key, value, &row, &whole, &err), &err)) return;
    invariant(row.verdict <= STEME_LISTED && (whole || row.subject.size == 0));
    invariant(row.subject.size + row.predicate.size + row.key_qualifiers.size <= value.size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct steme_slice input = slice_of(data, size);
    uint8_t mode = input_u8(&input);
    size_t kind = (mode >> 1) % countof(kinds), key_size = kinds[kind].size;
    if (kind == 0) key_size = input_u8(&input) % (2 * KEYS_MAX_BYTES);
    uint8_t bytes[2 * KEYS_MAX_BYTES];
    input_bytes(&input, bytes, key_size);
    if (kind > 0) bytes[0] = (uint8_t)kinds[kind].tag;
    uint8_t *key = input_copy(bytes, key_size), *value = input_copy(input.data, input.size);
    if (mode & 1) seal(key, key_size, value, input.size);
    struct steme_slice key_slice = slice_of(key, key_size), value_slice = slice_of(value, input.size);
    check_slot(key_slice, value_slice);
    check_ballot(key_slice, value_slice);
    check_tally(key_slice, value_slice);
    check_batch(key_slice, value_slice);
    check_applied(key_slice, value_slice);
    check_rest(key_slice, value_slice);
    check_view(key_slice, value_slice);
    free(value);
    free(key);
    return 0;
}
