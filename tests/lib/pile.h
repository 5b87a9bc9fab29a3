/* SPDX-License-Identifier: Apache-2.0 */
/* Signed records for tests, told one by one or drawn from a seed, kept in memory as they travel. A group is what can be
 * written alone: a signed record, and behind a bundle its members. Fails the test where a record can't be made. One
 * thread. */
#ifndef TESTS_LIB_PILE_H
#define TESTS_LIB_PILE_H

#include "base/arena.h"
#include "base/prng.h"
#include "model/sign.h"
#include "spine/wal.h"
#include "steme/store.h"

#define PILE_AGENTS 12u
#define PILE_SUBJECTS 5u
#define PILE_PREDICATES 3u
/* 2026-01-01T12:00:00Z: when things happen, give or take. */
#define PILE_NOON_US INT64_C(1767268800000000)

struct pile {
    struct arena arena;
    struct steme_signed *records;
    struct steme_hash *ids; /* of the records */
    size_t record_count, record_capacity;
    size_t *groups; /* first record of each */
    size_t group_count, group_capacity;
};

void pile_init(struct pile *pile);
void pile_deinit(struct pile *pile);

/* Key pair of a made-up agent, number < PILE_AGENTS; and its agent id. */
const struct sign_secret *pile_agent(unsigned number);
struct steme_hash pile_agent_id(unsigned number);

/* Sign a record as an agent and put it on the pile; its id. */
struct steme_hash pile_add(struct pile *pile, unsigned agent, struct steme_record record);
/* A bundle and its members; the bundle's id. */
struct steme_hash pile_add_bundle(struct pile *pile, unsigned agent, const struct steme_assertion *assertions,
                                  size_t count);
/* Random records of every type, with conflicts, ties, votes on everything, and revisions by the authors and by
 * strangers. */
void pile_draw(struct pile *pile, struct prng *prng, size_t groups);
/* The same group once more, as a copy. */
void pile_repeat(struct pile *pile, size_t group);

size_t pile_group_size(const struct pile *pile, size_t group);
const struct steme_signed *pile_group(const struct pile *pile, size_t group);
/* order[0..count) becomes a random order of 0..count-1. */
void pile_shuffle(size_t *order, size_t count, struct prng *prng);

/* One group as the log takes it: records to the caller's array, which has room for the group. */
void pile_log_group(const struct pile *pile, size_t group, struct wal_record *out);
/* Append every group, one batch each. */
void pile_log_all(const struct pile *pile, struct wal *wal);

/* Records to start from: sure of itself, always valid, at PILE_NOON_US. The text is borrowed. */
struct steme_record pile_claim(const char *subject, const char *predicate, const char *object);
struct steme_record pile_vote(struct steme_target target, enum steme_stance stance);
struct steme_record pile_epoch(const char *name, const struct steme_hash *supersedes, size_t count);
/* targets stay the caller's; a correction or update names `replacement`. */
struct steme_record pile_revision(enum steme_revision_kind kind, const struct steme_target *targets, size_t count,
                                  const struct steme_hash *replacement);

struct steme_target pile_on_assertion(const char *subject, struct steme_hash id);
/* On what pile_claim() of these names says, or on "not" that. */
struct steme_target pile_on_claim(const char *subject, const char *predicate, const char *object, bool negated);
/* AGENT, SOURCE or EPOCH: an id that is its own route. */
struct steme_target pile_on(enum steme_target_kind kind, struct steme_hash id);

#endif
