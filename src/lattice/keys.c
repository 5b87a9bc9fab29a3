/* SPDX-License-Identifier: Apache-2.0 */
#include "lattice/keys.h"

#include "base/check.h"
#include "base/codec.h"

#include <string.h>
#include <xxhash.h>

enum {
    SLOT_ROW_BYTES = 50, /* without the optional parts */
    BALLOT_ROW_BYTES = 24,
    TALLY_ROW_BYTES = 72,
    VOTER_KEY_BYTES = 16 + 8 + 16, /* what a ballot's key has behind its target */
    V_PREFIX_BYTES = 26,
    A_PREFIX_BYTES = 18,
    BATCH_ROW_BYTES = 24,
    APPLIED_ROW_BYTES = 152,
};

/* Flags of a slot row: which optional parts follow, in this order. */
enum { SLOT_NEGATED = 1, SLOT_VALID_FROM = 2, SLOT_VALID_TO = 4, SLOT_EPOCH = 8, SLOT_FLAGS = 15 };

static void add_u8(struct key_bytes *key, uint8_t v)
{
    invariant(key->size + 1 <= KEYS_MAX_BYTES);
    key->data[key->size++] = v;
}

static void add_u32(struct key_bytes *key, uint32_t v)
{
    for (unsigned shift = 32; shift > 0; shift -= 8)
        add_u8(key, (uint8_t)(v >> (shift - 8)));
}

static void add_u64(struct key_bytes *key, uint64_t v)
{
    invariant(key->size + 8 <= KEYS_MAX_BYTES);
    store_u64be(key->data + key->size, v);
    key->size += 8;
}

static void add_id(struct key_bytes *key, const uint8_t id[16])
{
    invariant(key->size + KEYS_ID_BYTES <= KEYS_MAX_BYTES);
    memcpy(key->data + key->size, id, KEYS_ID_BYTES);
    key->size += KEYS_ID_BYTES;
}

static void begin(struct key_bytes *key, char tag)
{
    key->size = 0;
    add_u8(key, (uint8_t)tag);
}

void key_of_id(struct key_bytes *out, const uint8_t id[16])
{
    begin(out, 'H');
    add_id(out, id);
}

void key_slot_prefix(struct key_bytes *out, const struct slot_ref *slot)
{
    begin(out, 'S');
    add_u64(out, slot->route);
    add_u32(out, slot->predicate);
    add_id(out, slot->slot);
}

void key_of_slot_row(struct key_bytes *out, const struct slot_ref *slot, uint64_t location)
{
    key_slot_prefix(out, slot);
    add_u64(out, location);
}

void key_route_prefix(struct key_bytes *out, char tag, uint64_t route)
{
    invariant(tag == 'S' || tag == 'V' || tag == 'X');
    begin(out, tag);
    add_u64(out, route);
}

void key_ballot_prefix(struct key_bytes *out, enum steme_target_kind kind, uint64_t route, const uint8_t target[16])
{
    if (kind == STEME_ON_ASSERTION || kind == STEME_ON_CLAIM) {
        key_route_prefix(out, 'V', route);
    } else {
        begin(out, 'A');
    }
    add_u8(out, (uint8_t)kind);
    add_id(out, target);
}

/* With the sign turned, byte order is the order of times. */
static uint64_t turn_time(int64_t us) { return (uint64_t)us ^ (UINT64_C(1) << 63); }

void key_of_ballot(struct key_bytes *out, const struct steme_target *target, const uint8_t voter[16],
                   int64_t cast_at_us, const uint8_t vote[16])
{
    key_ballot_prefix(out, target->kind, target->route, target->hash.bytes);
    add_id(out, voter);
    add_u64(out, turn_time(cast_at_us));
    add_id(out, vote);
}

struct steme_slice key_ballots_target(struct steme_slice ballot)
{
    invariant(ballot.size > VOTER_KEY_BYTES);
    return (struct steme_slice){ ballot.data, ballot.size - VOTER_KEY_BYTES };
}

struct steme_slice key_ballots_voter(struct steme_slice ballot)
{
    invariant(ballot.size > VOTER_KEY_BYTES);
    return (struct steme_slice){ ballot.data, ballot.size - VOTER_KEY_BYTES + KEYS_ID_BYTES };
}

uint64_t key_ballots_route(struct steme_slice ballots)
{
    invariant(ballots.size >= A_PREFIX_BYTES);
    return load_u64be(ballots.data + (ballots.data[0] == 'V' ? 1 : 2));
}

void key_of_tally(struct key_bytes *out, struct steme_slice target)
{
    begin(out, 'Y');
    invariant(target.size == V_PREFIX_BYTES || target.size == A_PREFIX_BYTES);
    memcpy(out->data + out->size, target.data, target.size);
    out->size += target.size;
}

void key_revision_prefix(struct key_bytes *out, uint64_t route, const uint8_t target[16])
{
    key_route_prefix(out, 'X', route);
    add_id(out, target);
}

void key_of_revision(struct key_bytes *out, uint64_t route, const uint8_t target[16], const uint8_t revision[16])
{
    key_revision_prefix(out, route, target);
    add_id(out, revision);
}

void key_child_prefix(struct key_bytes *out, const uint8_t parent[16])
{
    begin(out, 'C');
    add_id(out, parent);
}

void key_of_child(struct key_bytes *out, const uint8_t parent[16], const uint8_t child[16])
{
    key_child_prefix(out, parent);
    add_id(out, child);
}

void key_of_epoch(struct key_bytes *out, const uint8_t epoch[16])
{
    begin(out, 'E');
    add_id(out, epoch);
}

void key_of_view(struct key_bytes *out, const uint8_t view[16])
{
    begin(out, 'K');
    add_id(out, view);
}

void key_of_view_state(struct key_bytes *out, const uint8_t view[16])
{
    begin(out, 'W');
    add_id(out, view);
}

void key_generation_prefix(struct key_bytes *out, const uint8_t view[16], uint32_t generation)
{
    key_of_view_state(out, view);
    add_u32(out, generation);
}

void key_of_view_row(struct key_bytes *out, const uint8_t view[16], uint32_t generation, const struct slot_ref *slot)
{
    key_generation_prefix(out, view, generation);
    add_u64(out, slot->route);
    add_u32(out, slot->predicate);
    add_id(out, slot->slot);
}

void key_of_batch(struct key_bytes *out, uint64_t first_sequence)
{
    begin(out, 'R');
    add_u64(out, first_sequence);
}

void key_of_dead_letter(struct key_bytes *out, uint64_t location)
{
    begin(out, 'D');
    add_u64(out, location);
}

void key_applied(struct key_bytes *out)
{
    static const char name[] = "Mapplied";
    out->size = sizeof name - 1;
    memcpy(out->data, name, out->size);
}

const uint8_t *key_last_id(struct steme_slice key)
{
    static const uint8_t none[KEYS_ID_BYTES];
    return key.size > KEYS_ID_BYTES ? key.data + key.size - KEYS_ID_BYTES : none;
}

/* Check over the key, then the value behind its first four bytes. */
static uint32_t check_of(struct steme_slice key, const uint8_t *value, size_t size)
{
    uint8_t joined[KEYS_MAX_BYTES + KEYS_VALUE_MAX_BYTES];
    invariant(key.size <= KEYS_MAX_BYTES && size >= 4 && size <= KEYS_VALUE_MAX_BYTES);
    memcpy(joined, key.data, key.size);
    memcpy(joined + key.size, value + 4, size - 4);
    return (uint32_t)XXH3_64bits(joined, key.size + size - 4);
}

static void seal(struct value_bytes *value, struct steme_slice key)
{
    store_u32(value->data, check_of(key, value->data, value->size));
}

/* A sealed row's value: big enough for its kind, and its check holds. */
static bool sealed(struct steme_slice key, struct steme_slice value, size_t at_least)
{
    return value.size >= at_least && value.size <= KEYS_VALUE_MAX_BYTES && key.size <= KEYS_MAX_BYTES &&
           load_u32(value.data) == check_of(key, value.data, value.size);
}

static steme_status lies(struct steme_slice key, struct steme_error *err)
{
    return error_set(err, STEME_CORRUPT, "an index row of kind %c fails its check",
                     key.size && key.data[0] >= 'A' && key.data[0] <= 'Z' ? (char)key.data[0] : '?');
}

void value_of_id(struct value_bytes *out, enum steme_type type, uint64_t location)
{
    invariant(location >> 56 == 0);
    store_u64(out->data, (uint64_t)type << 56 | location);
    out->size = 8;
}

void value_of_slot_row(struct value_bytes *out, struct steme_slice key, const struct slot_row *row)
{
    uint8_t flags = row->negated ? SLOT_NEGATED : 0;
    uint8_t *at = out->data;
    store_u32(at + 4, row->confidence_ppm);
    store_i64(at + 8, row->at_us);
    memcpy(at + 16, row->claim, 16);
    memcpy(at + 32, row->voice, 16);
    out->size = SLOT_ROW_BYTES;
    if (row->valid_from_us != STEME_TIME_MIN) {
        flags |= SLOT_VALID_FROM;
        store_i64(at + out->size, row->valid_from_us);
        out->size += 8;
    }
    if (row->valid_to_us != STEME_TIME_MAX) {
        flags |= SLOT_VALID_TO;
        store_i64(at + out->size, row->valid_to_us);
        out->size += 8;
    }
    if (row->has_epoch) {
        flags |= SLOT_EPOCH;
        memcpy(at + out->size, row->epoch, 16);
        out->size += 16;
    }
    at[48] = (uint8_t)row->kind;
    at[49] = flags;
    seal(out, key);
}

/* Bytes of the parts that the flags say follow. */
static size_t slot_parts_bytes(uint8_t flags)
{
    return (flags & SLOT_VALID_FROM ? 8u : 0u) + (flags & SLOT_VALID_TO ? 8u : 0u) + (flags & SLOT_EPOCH ? 16u : 0u);
}

static void load_slot(const uint8_t *key, struct slot_ref *out)
{
    out->route = load_u64be(key + 1);
    out->predicate = __builtin_bswap32(load_u32(key + 9));
    memcpy(out->slot, key + 13, 16);
}

steme_status key_slot(struct steme_slice key, struct slot_ref *out, struct steme_error *err)
{
    if (key.size != 37 || key.data[0] != 'S') return lies(key, err);
    load_slot(key.data, out);
    return STEME_OK;
}

steme_status row_slot(struct steme_slice key, struct steme_slice value, struct slot_ref *slot_out, struct slot_row *out,
                      struct steme_error *err)
{
    if (key.size != 37 || !sealed(key, value, SLOT_ROW_BYTES)) return lies(key, err);
    const uint8_t *at = value.data, *part = at + SLOT_ROW_BYTES;
    uint8_t flags = at[49];
    if (value.size != SLOT_ROW_BYTES + slot_parts_bytes(flags) || (flags & ~SLOT_FLAGS) || at[48] > STEME_NONE)
        return lies(key, err);
    if (slot_out) load_slot(key.data, slot_out);
    out->location = load_u64be(key.data + 29);
    out->confidence_ppm = load_u32(at + 4);
    out->at_us = load_i64(at + 8);
    memcpy(out->claim, at + 16, 16);
    memcpy(out->voice, at + 32, 16);
    out->kind = (enum steme_kind)at[48];
    out->negated = flags & SLOT_NEGATED;
    out->valid_from_us = flags & SLOT_VALID_FROM ? load_i64(part) : STEME_TIME_MIN;
    part += flags & SLOT_VALID_FROM ? 8 : 0;
    out->valid_to_us = flags & SLOT_VALID_TO ? load_i64(part) : STEME_TIME_MAX;
    part += flags & SLOT_VALID_TO ? 8 : 0;
    out->has_epoch = flags & SLOT_EPOCH;
    if (out->has_epoch) memcpy(out->epoch, part, 16);
    return STEME_OK;
}

void value_of_ballot(struct value_bytes *out, struct steme_slice key, const struct ballot_row *row)
{
    store_u32(out->data + 4, row->probability_ppm);
    store_u64(out->data + 8, row->location);
    store_u64(out->data + 16, (uint64_t)row->stance);
    out->size = BALLOT_ROW_BYTES;
    seal(out, key);
}

/* The length of a key that begins as ballots of one target do, and `more` behind it. */
static bool ballots_key(struct steme_slice key, size_t more)
{
    if (key.size == V_PREFIX_BYTES + more) return key.data[0] == 'V';
    return key.size == A_PREFIX_BYTES + more && key.data[0] == 'A';
}

steme_status row_ballot(struct steme_slice key, struct steme_slice value, struct ballot_row *out,
                        struct steme_error *err)
{
    if (!ballots_key(key, VOTER_KEY_BYTES) || value.size != BALLOT_ROW_BYTES || !sealed(key, value, BALLOT_ROW_BYTES))
        return lies(key, err);
    uint64_t stance = load_u64(value.data + 16);
    const uint8_t *behind = key.data + key.size - VOTER_KEY_BYTES;
    if (stance > STEME_ABSTAIN) return lies(key, err);
    out->probability_ppm = load_u32(value.data + 4);
    out->location = load_u64(value.data + 8);
    out->stance = (enum steme_stance)stance;
    memcpy(out->voter, behind, 16);
    out->cast_at_us = (int64_t)turn_time((int64_t)load_u64be(behind + 16));
    memcpy(out->vote, behind + 24, 16);
    return STEME_OK;
}

void value_of_tally(struct value_bytes *out, struct steme_slice key, const struct tally_row *row)
{
    uint8_t *at = out->data;
    store_u32(at + 4, 0);
    store_u64(at + 8, row->last_location);
    store_u64(at + 16, row->ballots);
    store_u64(at + 24, row->support);
    store_u64(at + 32, row->refute);
    store_u64(at + 40, row->abstain);
    store_u64(at + 48, row->retracted);
    store_u64(at + 56, row->support_ppm);
    store_u64(at + 64, row->refute_ppm);
    out->size = TALLY_ROW_BYTES;
    seal(out, key);
}

steme_status row_tally(struct steme_slice key, struct steme_slice value, struct tally_row *out, struct steme_error *err)
{
    if (key.size < 2 || key.data[0] != 'Y' || value.size != TALLY_ROW_BYTES) return lies(key, err);
    if (!ballots_key((struct steme_slice){ key.data + 1, key.size - 1 }, 0) || !sealed(key, value, TALLY_ROW_BYTES))
        return lies(key, err);
    const uint8_t *at = value.data;
    *out = (struct tally_row){ .last_location = load_u64(at + 8),
                               .ballots = load_u64(at + 16),
                               .support = load_u64(at + 24),
                               .refute = load_u64(at + 32),
                               .abstain = load_u64(at + 40),
                               .retracted = load_u64(at + 48),
                               .support_ppm = load_u64(at + 56),
                               .refute_ppm = load_u64(at + 64) };
    return STEME_OK;
}

void value_of_location(struct value_bytes *out, uint64_t location)
{
    store_u64(out->data, location);
    out->size = 8;
}

steme_status row_location(struct steme_slice value, uint64_t *location_out, struct steme_error *err)
{
    if (value.size != 8) return error_set(err, STEME_CORRUPT, "an index row has %zu bytes instead of 8", value.size);
    *location_out = load_u64(value.data);
    return STEME_OK;
}

steme_status row_id(struct steme_slice value, enum steme_type *type_out, uint64_t *location_out,
                    struct steme_error *err)
{
    uint64_t packed = 0;
    steme_status status = row_location(value, &packed, err);
    if (status) return status;
    if (packed >> 56 > STEME_VIEW) return error_set(err, STEME_CORRUPT, "an index row names a type that is none");
    if (type_out) *type_out = (enum steme_type)(packed >> 56);
    *location_out = packed & ((UINT64_C(1) << 56) - 1);
    return STEME_OK;
}

void value_of_batch(struct value_bytes *out, struct steme_slice key, const struct batch_row *row)
{
    store_u32(out->data + 4, 0);
    store_i64(out->data + 8, row->received_at_us);
    store_u64(out->data + 16, row->location);
    out->size = BATCH_ROW_BYTES;
    seal(out, key);
}

steme_status row_batch(struct steme_slice key, struct steme_slice value, struct batch_row *out, struct steme_error *err)
{
    if (key.size != 9 || value.size != BATCH_ROW_BYTES || !sealed(key, value, BATCH_ROW_BYTES)) return lies(key, err);
    out->first_sequence = load_u64be(key.data + 1);
    out->received_at_us = load_i64(value.data + 8);
    out->location = load_u64(value.data + 16);
    return STEME_OK;
}

void value_of_dead_letter(struct value_bytes *out, const struct steme_hash *id, const char *reason)
{
    size_t room = KEYS_VALUE_MAX_BYTES - sizeof id->bytes, length = strlen(reason);
    if (length > room) length = room;
    memcpy(out->data, id->bytes, sizeof id->bytes);
    memcpy(out->data + sizeof id->bytes, reason, length);
    out->size = sizeof id->bytes + length;
}

void value_of_applied(struct value_bytes *out, struct steme_slice key, const struct applied_row *row)
{
    uint8_t *at = out->data;
    store_u32(at + 4, KEYS_LAYOUT);
    store_u64(at + 8, row->mark.next_sequence);
    store_u64(at + 16, row->mark.location);
    memcpy(at + 24, row->mark.batch.bytes, 32);
    for (size_t i = 0; i < 8; i++)
        store_u64(at + 56 + 8 * i, row->records[i]);
    store_u64(at + 120, row->record_bytes);
    store_u64(at + 128, row->dead_letters);
    store_u64(at + 136, row->duplicates);
    store_u64(at + 144, row->row_bytes);
    out->size = APPLIED_ROW_BYTES;
    seal(out, key);
}

steme_status row_applied(struct steme_slice key, struct steme_slice value, struct applied_row *out,
                         struct steme_error *err)
{
    if (value.size != APPLIED_ROW_BYTES || !sealed(key, value, APPLIED_ROW_BYTES)) return lies(key, err);
    const uint8_t *at = value.data;
    if (load_u32(at + 4) != KEYS_LAYOUT)
        return error_set(err, STEME_CORRUPT, "the index has layout %u, this program's is %u", load_u32(at + 4),
                         KEYS_LAYOUT);
    out->mark.next_sequence = load_u64(at + 8);
    out->mark.location = load_u64(at + 16);
    memcpy(out->mark.batch.bytes, at + 24, 32);
    for (size_t i = 0; i < 8; i++)
        out->records[i] = load_u64(at + 56 + 8 * i);
    out->record_bytes = load_u64(at + 120);
    out->dead_letters = load_u64(at + 128);
    out->duplicates = load_u64(at + 136);
    out->row_bytes = load_u64(at + 144);
    return STEME_OK;
}

steme_status row_place(struct steme_slice key, struct steme_slice value, uint64_t *location_out,
                       struct steme_error *err)
{
    struct slot_row slot = { 0 };
    struct ballot_row ballot = { 0 };
    struct batch_row batch = { 0 };
    struct tally_row tally = { 0 };
    steme_status status = STEME_OK;
    *location_out = 0;
    switch (key.size ? key.data[0] : 0) {
    case 'M':
    case 'W': return STEME_OK;
    case 'H': return row_id(value, NULL, location_out, err);
    case 'X':
    case 'C':
    case 'K':
    case 'E': return row_location(value, location_out, err);
    case 'S':
        status = row_slot(key, value, NULL, &slot, err);
        *location_out = slot.location;
        return status;
    case 'V':
    case 'A':
        status = row_ballot(key, value, &ballot, err);
        *location_out = ballot.location;
        return status;
    case 'Y':
        status = row_tally(key, value, &tally, err);
        *location_out = tally.last_location;
        return status;
    case 'R':
        status = row_batch(key, value, &batch, err);
        *location_out = batch.location;
        return status;
    case 'D':
        if (key.size != 9) return lies(key, err);
        *location_out = load_u64be(key.data + 1);
        return STEME_OK;
    default: return error_set(err, STEME_CORRUPT, "the index has a row of no known kind");
    }
}
