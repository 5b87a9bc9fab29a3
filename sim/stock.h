/* SPDX-License-Identifier: Apache-2.0 */
/* A stock of signed records, made once and used by every simulated world: signing is dear, and a world needs hundreds.
 * A parcel is what one call submits. What a stock holds follows from its seed alone. One thread makes it; afterwards it
 * is only read. */
#ifndef SIM_STOCK_H
#define SIM_STOCK_H

#include "base/arena.h"
#include "base/prng.h"
#include "model/sign.h"
#include "steme/store.h"

#define STOCK_AGENTS 10u
/* Agents 0..STOCK_TRUSTED-1 have their keys in the store. */
#define STOCK_TRUSTED 2u
/* 2001-09-09T01:46:40Z, where a simulated world's clock begins: when things happen, give or take. */
#define STOCK_NOON_US INT64_C(1000000000000000)
#define STOCK_NONE SIZE_MAX

struct stock_record {
    struct steme_slice bytes;
    struct steme_hash id;
    bool is_signed; /* not the members of a bundle */
    struct steme_signature signature;
    size_t first;               /* place of the first record with this id; after stock_finish() */
    size_t bundle;              /* of a member: its bundle's place; else STOCK_NONE */
    struct steme_record record; /* decoded from the bytes */
    struct steme_key author;
    struct steme_hash agent; /* of the author */
    /* of an assertion; the claim is the positive one */
    struct steme_hash slot, claim, voice;
};

struct stock_parcel {
    size_t first, count;
};

struct stock_slot {
    struct steme_slice subject, predicate;
    const struct steme_qualifier *key_qualifiers;
    size_t key_qualifier_count;
    struct steme_hash slot;
};

struct stock {
    const char *name;
    struct arena arena;
    struct sign_secret agents[STOCK_AGENTS];
    struct steme_hash agent_ids[STOCK_AGENTS];
    struct stock_record *records;
    struct steme_signed *signed_records; /* the same, as they are submitted */
    size_t count, capacity;
    struct stock_parcel *parcels;
    size_t parcel_count, parcel_capacity;
    size_t *by_id; /* places of records, sorted by id; after stock_finish() */
    struct stock_slot *slots;
    size_t slot_count;
};

void stock_init(struct stock *stock, const char *name);
void stock_deinit(struct stock *stock);

/* Sign a record as an agent and put it into a parcel of its own; its place. The record's memory stays the caller's. A
 * record that is there already only gets another parcel. */
size_t stock_add(struct stock *stock, unsigned agent, const struct steme_record *record);
/* A bundle and its members, one parcel; the bundle's place. */
size_t stock_add_bundle(struct stock *stock, unsigned agent, const struct steme_assertion *assertions, size_t count);
/* A parcel of records first..first+count-1, which are there already. */
void stock_add_parcel(struct stock *stock, size_t first, size_t count);
/* After the last record. */
void stock_finish(struct stock *stock);

/* Place of the record with this id, or STOCK_NONE. After stock_finish(). */
size_t stock_find(const struct stock *stock, const struct steme_hash *id);

/* Text in the stock's arena. */
struct steme_slice stock_text(struct stock *stock, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* What a vote or revision aims at. */
struct steme_target stock_on(const struct stock *stock, size_t place);
struct steme_target stock_on_claim(const struct stock *stock, size_t assertion, bool negated);
struct steme_target stock_on_voice(enum steme_target_kind kind, const struct steme_hash *id);

/* The generators. They share no drawing code, so that what one never thinks of the other may.
 * import: bundles of measurements and entities, many sources, replays and overlaps. talk: agents who vote before there
 * is anything to vote on, endorse one another, revise, retract votes, declare epochs. */
void stock_import(struct stock *stock, uint64_t seed);
void stock_talk(struct stock *stock, uint64_t seed);

#endif
