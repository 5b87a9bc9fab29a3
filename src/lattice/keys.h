/* SPDX-License-Identifier: Apache-2.0 */
/* The index's key layout: every row as a byte prefix, made and taken apart here and nowhere else
 * (docs/format/keys.md). Numbers in keys are big-endian so that byte order is number order; in values little-endian.
 * Ids are cut to 16 bytes in the index: the record a row points to carries the whole id, and readers compare.
 *
 *   H id16                                      -> type << 56 | location     where any record lies
 *   S route8 predicate4 slot16 location8        -> struct slot_row           an assertion, covering what lenses need
 *   V route8 kind1 target16 voter16 cast8 vote16 -> struct ballot_row        a vote on an assertion or claim
 *   A kind1 target16 voter16 cast8 vote16       -> struct ballot_row         a vote on an agent, source or epoch
 *   X route8 target16 revision16                -> location8                 a revision that names the target
 *   C parent16 child16                          -> location8                 an assertion derived from another
 *   E epoch16                                   -> location8                 an epoch
 *   K view16                                    -> location8                 a view's definition
 *   W view16                                    -> struct view_state         how far a view is (view_row.h)
 *   W view16 generation4 route8 predicate4 slot16 -> a view's row            a slot's answer (view_row.h)
 *   R sequence8 (first of its batch)            -> received_at8 location8    transaction time
 *   D location8                                 -> id32 reason               a dead letter
 *   M "applied"                                 -> struct applied_row        how far the index is
 *   Y + prefix of the target's V or A rows      -> struct tally_row          the target's ballots, folded
 *
 * A voter's ballots on a target sort by when they were cast: the one that counts is the last.
 *
 * All but M and W are a pure function of the records. A row of S, V, A, R, M, Y or W begins its value with 4 bytes of
 * XXH3-64 over key and rest of value, because the store below does not notice rot; H, X, C, E, K and D point to records
 * that prove themselves. That no row is missing is proved below (kv_guard() of spine/kv.h, whose rows begin with
 * "!sum"). Pure; any thread. */
#ifndef LATTICE_KEYS_H
#define LATTICE_KEYS_H

#include "base/error.h"
#include "model/identity.h"
#include "spine/wal.h"
#include "steme/types.h"

#include <stdbool.h>

/* Number of this layout, in the applied row. An index of another one is made anew: raise it with any change to
 * a row. */
#define KEYS_LAYOUT 2u
#define KEYS_ID_BYTES 16u
#define KEYS_MAX_BYTES 72u        /* longest key below */
#define KEYS_VALUE_MAX_BYTES 416u /* longest value made here; a dead letter's reason is cut to fit */

/* A key or value being made. */
struct key_bytes {
    uint8_t data[KEYS_MAX_BYTES];
    size_t size;
};
struct value_bytes {
    uint8_t data[KEYS_VALUE_MAX_BYTES];
    size_t size;
};

/* The question an S row answers. */
struct slot_ref {
    uint64_t route;
    uint32_t predicate;
    uint8_t slot[16];
};

struct slot_row {
    uint64_t location;
    /* asserted_at, or the receive time where that is too far ahead of it: when the claim counts as made */
    int64_t at_us;
    int64_t valid_from_us, valid_to_us;
    uint32_t confidence_ppm;
    enum steme_kind kind;
    bool negated;
    bool has_epoch;
    uint8_t claim[16]; /* positive claim */
    uint8_t voice[16];
    uint8_t epoch[16];
};

struct ballot_row {
    uint64_t location;
    int64_t cast_at_us; /* from the key */
    uint32_t probability_ppm;
    enum steme_stance stance; /* on the positive claim or the assertion as it stands */
    uint8_t voter[16];        /* from the key */
    uint8_t vote[16];         /* from the key */
};

/* Ballots on a target, folded (lattice/tally.h): of each voter the latest. */
struct tally_row {
    uint64_t last_location; /* greatest of its votes, and of revisions by their voters that name one of them */
    uint64_t ballots;       /* ever cast */
    uint64_t support, refute, abstain, retracted; /* voters, by what became of their latest ballot */
    uint64_t support_ppm, refute_ppm;             /* sums of the probabilities of those that count */
};

struct batch_row {
    uint64_t first_sequence; /* from the key */
    int64_t received_at_us;
    uint64_t location; /* of its first frame */
};

/* How far the index is, and counts that go with it. */
struct applied_row {
    struct wal_mark mark;
    uint64_t records[8]; /* by type, distinct; last: unknown types */
    uint64_t record_bytes;
    uint64_t dead_letters;
    uint64_t duplicates;
    uint64_t row_bytes; /* keys and values of all rows but this one: what the store's file should not be far above */
};

/* Keys and prefixes. Longer prefixes give fuller keys. */
void key_of_id(struct key_bytes *out, const uint8_t id[16]);
void key_of_slot_row(struct key_bytes *out, const struct slot_ref *slot, uint64_t location);
void key_slot_prefix(struct key_bytes *out, const struct slot_ref *slot);
void key_route_prefix(struct key_bytes *out, char tag, uint64_t route); /* S, V or X */
/* kinds ASSERTION and CLAIM give a V key, AGENT, SOURCE and EPOCH an A key. A claim's polarity bit plays no part: it
 * lies past the 16 bytes. */
void key_of_ballot(struct key_bytes *out, const struct steme_target *target, const uint8_t voter[16],
                   int64_t cast_at_us, const uint8_t vote[16]);
void key_ballot_prefix(struct key_bytes *out, enum steme_target_kind kind, uint64_t route, const uint8_t target[16]);
/* Part of a V or A key of full length: what all ballots on its target begin with; one voter's on it. */
struct steme_slice key_ballots_target(struct steme_slice ballot);
struct steme_slice key_ballots_voter(struct steme_slice ballot);
/* The route under which revisions of these ballots lie, given such a part; for A the target's own beginning. */
uint64_t key_ballots_route(struct steme_slice ballots);
/* Of the target that key_ballot_prefix() or key_ballots_target() gave. */
void key_of_tally(struct key_bytes *out, struct steme_slice target);
void key_of_revision(struct key_bytes *out, uint64_t route, const uint8_t target[16], const uint8_t revision[16]);
void key_revision_prefix(struct key_bytes *out, uint64_t route, const uint8_t target[16]);
void key_of_child(struct key_bytes *out, const uint8_t parent[16], const uint8_t child[16]);
void key_child_prefix(struct key_bytes *out, const uint8_t parent[16]);
void key_of_epoch(struct key_bytes *out, const uint8_t epoch[16]);
void key_of_view(struct key_bytes *out, const uint8_t view[16]);
/* Of its state; a prefix of all rows of the view. */
void key_of_view_state(struct key_bytes *out, const uint8_t view[16]);
void key_generation_prefix(struct key_bytes *out, const uint8_t view[16], uint32_t generation);
void key_of_view_row(struct key_bytes *out, const uint8_t view[16], uint32_t generation, const struct slot_ref *slot);
void key_of_batch(struct key_bytes *out, uint64_t first_sequence);
void key_of_dead_letter(struct key_bytes *out, uint64_t location);
void key_applied(struct key_bytes *out);

static inline struct steme_slice key_slice(const struct key_bytes *key)
{
    return (struct steme_slice){ key->data, key->size };
}
/* The id that ends a key of H, V, A, X, C, E or K: the record the row is about. 16 bytes; zeros for a key that is too
 * short. */
const uint8_t *key_last_id(struct steme_slice key);
static inline struct steme_slice value_slice(const struct value_bytes *value)
{
    return (struct steme_slice){ value->data, value->size };
}

/* Values; the key is needed for the check. */
void value_of_id(struct value_bytes *out, enum steme_type type, uint64_t location);
void value_of_slot_row(struct value_bytes *out, struct steme_slice key, const struct slot_row *row);
void value_of_ballot(struct value_bytes *out, struct steme_slice key, const struct ballot_row *row);
void value_of_tally(struct value_bytes *out, struct steme_slice key, const struct tally_row *row);
void value_of_location(struct value_bytes *out, uint64_t location);
void value_of_batch(struct value_bytes *out, struct steme_slice key, const struct batch_row *row);
void value_of_dead_letter(struct value_bytes *out, const struct steme_hash *id, const char *reason);
void value_of_applied(struct value_bytes *out, struct steme_slice key, const struct applied_row *row);

/* Taking rows apart. STEME_CORRUPT when the length or the check is wrong: the index lies, rebuild it. */
MUST_CHECK steme_status row_id(struct steme_slice value, enum steme_type *type_out, uint64_t *location_out,
                               struct steme_error *err);
/* The slot that an S key is of, without a look at its row. */
MUST_CHECK steme_status key_slot(struct steme_slice key, struct slot_ref *out, struct steme_error *err);
MUST_CHECK steme_status row_slot(struct steme_slice key, struct steme_slice value, struct slot_ref *slot_out,
                                 struct slot_row *out, struct steme_error *err);
MUST_CHECK steme_status row_ballot(struct steme_slice key, struct steme_slice value, struct ballot_row *out,
                                   struct steme_error *err);
MUST_CHECK steme_status row_tally(struct steme_slice key, struct steme_slice value, struct tally_row *out,
                                  struct steme_error *err);
MUST_CHECK steme_status row_location(struct steme_slice value, uint64_t *location_out, struct steme_error *err);
MUST_CHECK steme_status row_batch(struct steme_slice key, struct steme_slice value, struct batch_row *out,
                                  struct steme_error *err);
/* Where the record lies that a row of any kind is there for, for Y the last of them; 0 for M and W, which are there for
 * many. */
MUST_CHECK steme_status row_place(struct steme_slice key, struct steme_slice value, uint64_t *location_out,
                                  struct steme_error *err);
MUST_CHECK steme_status row_applied(struct steme_slice key, struct steme_slice value, struct applied_row *out,
                                    struct steme_error *err);

#endif
