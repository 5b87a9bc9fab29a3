/* SPDX-License-Identifier: Apache-2.0 */
/* The identities that records amount to (docs/format/identity.md): slot = the question, claim = an answer
 * without an author, agent and source = who speaks, route = where a subject's data lie together.
 *
 *   route   first 8 bytes, as a big-endian number, of BLAKE3(subject)
 *   others  BLAKE3 of a 16-byte domain tag and the parts with their lengths, zero-padded to a multiple of 64 bytes so
 *           that many can be hashed side by side; a part of more than 1024 bytes enters by its own hash
 *   claim   the last bit of the digest says the polarity: 0 for "X", 1 for "not X" of the same slot and value
 *
 * Names are not judged here: one that no record could hold has an id that no record has. Pure; any thread. */
#ifndef MODEL_IDENTITY_H
#define MODEL_IDENTITY_H

#include "model/record.h"

struct identity {
    uint64_t route;
    uint32_t predicate; /* first 4 bytes, big-endian, of BLAKE3(predicate) */
    struct steme_hash slot;
    struct steme_hash claim; /* of the positive claim, whatever the assertion's polarity */
    struct steme_hash voice; /* source id where there is a source, else agent id */
};

uint64_t route_of_name(struct steme_slice name);
/* Route of an id: its first 8 bytes, big-endian. */
uint64_t route_of_hash(const struct steme_hash *hash);

struct steme_hash agent_id(const uint8_t key[32]);
struct steme_hash source_id(struct steme_slice name);
/* key_qualifiers: canonical bytes as in assertion_view, or empty. */
struct steme_hash slot_id(struct steme_slice subject, struct steme_slice predicate, struct steme_slice key_qualifiers);
/* object: canonical bytes of the value. */
struct steme_hash claim_id(const struct steme_hash *slot, struct steme_slice object, bool negated);
bool claim_negated(const struct steme_hash *claim);
/* The positive claim of a claim of either polarity. */
struct steme_hash claim_positive(const struct steme_hash *claim);

/* out[i] of views[i], many hashed side by side. Same results as the functions above; neighbours that share subject,
 * predicate or voice, as the rows of an import do, share the work. Uses the arena for scratch and rewinds it: some
 * 30 KiB and the names and objects of 256 records. STEME_NO_MEMORY when it is full; out is then as it was. */
MUST_CHECK steme_status identity_many(const struct assertion_view *views, size_t count, struct identity *out,
                                      struct arena *scratch, struct steme_error *err);
/* The same without route and predicate, which stay as they are: what holding a record against its row needs. */
MUST_CHECK steme_status identity_claims(const struct assertion_view *views, size_t count, struct identity *out,
                                        struct arena *scratch, struct steme_error *err);

#endif
