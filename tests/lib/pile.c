/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/pile.h"

#include "base/check.h"
#include "base/slice.h"
#include "lib/testing.h"
#include "model/identity.h"
#include "model/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CEILING_BYTES = 256 << 20, BUNDLE_DRAWN_MAX = 6, SECOND_US = 1000000 };

static struct steme_error failure;

void pile_init(struct pile *pile)
{
    *pile = (struct pile){ .record_count = 0 };
    arena_init(&pile->arena, CEILING_BYTES);
}

void pile_deinit(struct pile *pile)
{
    free(pile->records);
    free(pile->ids);
    free(pile->groups);
    arena_deinit(&pile->arena);
    *pile = (struct pile){ .record_count = 0 };
}

const struct sign_secret *pile_agent(unsigned number)
{
    static struct sign_secret agents[PILE_AGENTS];
    static bool made[PILE_AGENTS];
    invariant(number < PILE_AGENTS);
    if (!made[number]) {
        uint8_t seed[32] = { 'p', 'i', 'l', 'e', (uint8_t)number };
        assert_status(sign_init(&failure), STEME_OK, &failure, "sign_init");
        sign_secret_from_seed(seed, &agents[number]);
        made[number] = true;
    }
    return &agents[number];
}

struct steme_hash pile_agent_id(unsigned number) { return agent_id(pile_agent(number)->key.bytes); }

/* ---- putting on ---- */

static void push_record(struct pile *pile, struct steme_signed record, struct steme_hash id)
{
    if (pile->record_count == pile->record_capacity) {
        pile->record_capacity = pile->record_capacity ? 2 * pile->record_capacity : 64;
        pile->records = realloc(pile->records, pile->record_capacity * sizeof *pile->records);
        pile->ids = realloc(pile->ids, pile->record_capacity * sizeof *pile->ids);
        assert_true(pile->records && pile->ids);
    }
    pile->records[pile->record_count] = record;
    pile->ids[pile->record_count++] = id;
}

static void begin_group(struct pile *pile)
{
    if (pile->group_count == pile->group_capacity) {
        pile->group_capacity = pile->group_capacity ? 2 * pile->group_capacity : 64;
        pile->groups = realloc(pile->groups, pile->group_capacity * sizeof *pile->groups);
        assert_non_null(pile->groups);
    }
    pile->groups[pile->group_count++] = pile->record_count;
}

static struct steme_slice encode(struct pile *pile, unsigned agent, struct steme_record record)
{
    struct buf bytes;
    const struct steme_key *key = &pile_agent(agent)->key;
    if (record.type == STEME_ASSERTION) record.as.assertion.author = *key;
    if (record.type == STEME_VOTE) record.as.vote.voter = *key;
    if (record.type == STEME_EPOCH) record.as.epoch.author = *key;
    if (record.type == STEME_REVISION) record.as.revision.author = *key;
    if (record.type == STEME_BUNDLE) record.as.bundle.author = *key;
    if (record.type == STEME_VIEW) record.as.view.author = *key;
    buf_init(&bytes, STEME_RECORD_MAX);
    assert_status(record_encode(&record, &bytes, &failure), STEME_OK, &failure, "a record of the pile");
    struct steme_slice copy = arena_copy(&pile->arena, buf_slice(&bytes));
    assert_non_null(copy.data);
    buf_deinit(&bytes);
    return copy;
}

struct steme_hash pile_add(struct pile *pile, unsigned agent, struct steme_record record)
{
    struct steme_slice bytes = encode(pile, agent, record);
    struct steme_hash id = record_id(bytes);
    begin_group(pile);
    push_record(pile, (struct steme_signed){ bytes, true, sign_record(pile_agent(agent), &id) }, id);
    return id;
}

struct steme_hash pile_add_bundle(struct pile *pile, unsigned agent, const struct steme_assertion *assertions,
                                  size_t count)
{
    struct steme_hash *members = arena_alloc(&pile->arena, count * sizeof *members);
    struct steme_slice *bytes = arena_alloc(&pile->arena, count * sizeof *bytes);
    assert_true(members && bytes);
    for (size_t i = 0; i < count; i++) {
        bytes[i] = encode(pile, agent, (struct steme_record){ STEME_ASSERTION, { .assertion = assertions[i] } });
        members[i] = record_id(bytes[i]);
    }
    struct steme_record list = { .type = STEME_BUNDLE, .as.bundle = { .members = members, .member_count = count } };
    struct steme_hash id = pile_add(pile, agent, list);
    for (size_t i = 0; i < count; i++)
        push_record(pile, (struct steme_signed){ .bytes = bytes[i] }, members[i]);
    return id;
}

void pile_repeat(struct pile *pile, size_t group)
{
    size_t first = pile->groups[group], count = pile_group_size(pile, group);
    begin_group(pile);
    for (size_t i = first; i < first + count; i++)
        push_record(pile, pile->records[i], pile->ids[i]);
}

/* ---- groups ---- */

size_t pile_group_size(const struct pile *pile, size_t group)
{
    size_t end = group + 1 < pile->group_count ? pile->groups[group + 1] : pile->record_count;
    return end - pile->groups[group];
}

const struct steme_signed *pile_group(const struct pile *pile, size_t group)
{
    return &pile->records[pile->groups[group]];
}

void pile_shuffle(size_t *order, size_t count, struct prng *prng)
{
    for (size_t i = 0; i < count; i++)
        order[i] = i;
    for (size_t i = count; i > 1; i--) {
        size_t other = prng_below(prng, i), last = order[i - 1];
        order[i - 1] = order[other];
        order[other] = last;
    }
}

void pile_log_group(const struct pile *pile, size_t group, struct wal_record *out)
{
    size_t first = pile->groups[group];
    for (size_t i = 0; i < pile_group_size(pile, group); i++) {
        const struct steme_signed *record = &pile->records[first + i];
        out[i] = (struct wal_record){ record->bytes, pile->ids[first + i],
                                      record->is_signed ? &record->signature : NULL };
    }
}

void pile_log_all(const struct pile *pile, struct wal *wal)
{
    for (size_t group = 0; group < pile->group_count; group++) {
        size_t count = pile_group_size(pile, group);
        struct wal_record *records = calloc(count, sizeof *records);
        struct wal_place *places = calloc(count, sizeof *places);
        assert_true(records && places);
        pile_log_group(pile, group, records);
        assert_status(wal_append(wal, records, count, places, &failure), STEME_OK, &failure, "append");
        free(records);
        free(places);
    }
}

/* ---- records to start from ---- */

struct steme_record pile_claim(const char *subject, const char *predicate, const char *object)
{
    return (struct steme_record){ .type = STEME_ASSERTION,
                                  .as.assertion = { .subject = slice_text(subject),
                                                    .predicate = slice_text(predicate),
                                                    .object = { .kind = STEME_ENTITY, .text = slice_text(object) },
                                                    .confidence_ppm = STEME_PPM,
                                                    .asserted_at_us = PILE_NOON_US,
                                                    .valid_from_us = STEME_TIME_MIN,
                                                    .valid_to_us = STEME_TIME_MAX } };
}

struct steme_record pile_vote(struct steme_target target, enum steme_stance stance)
{
    return (struct steme_record){ .type = STEME_VOTE,
                                  .as.vote = { .target = target,
                                               .stance = stance,
                                               .probability_ppm = stance == STEME_ABSTAIN ? 0 : STEME_PPM,
                                               .cast_at_us = PILE_NOON_US } };
}

struct steme_record pile_epoch(const char *name, const struct steme_hash *supersedes, size_t count)
{
    return (struct steme_record){ .type = STEME_EPOCH,
                                  .as.epoch = { .name = slice_text(name),
                                                .declared_at_us = PILE_NOON_US,
                                                .from_us = STEME_TIME_MIN,
                                                .to_us = STEME_TIME_MAX,
                                                .supersedes = supersedes,
                                                .supersedes_count = count } };
}

struct steme_record pile_revision(enum steme_revision_kind kind, const struct steme_target *targets, size_t count,
                                  const struct steme_hash *replacement)
{
    return (struct steme_record){ .type = STEME_REVISION,
                                  .as.revision = { .kind = kind,
                                                   .targets = targets,
                                                   .target_count = count,
                                                   .replacements = replacement,
                                                   .replacement_count = replacement ? 1 : 0,
                                                   .revised_at_us = PILE_NOON_US } };
}

struct steme_target pile_on_assertion(const char *subject, struct steme_hash id)
{
    return (struct steme_target){ STEME_ON_ASSERTION, route_of_name(slice_text(subject)), id };
}

static struct steme_hash claim_of(const struct steme_assertion *a, bool negated)
{
    struct buf object;
    struct steme_hash slot = slot_id(a->subject, a->predicate, slice_of(NULL, 0));
    buf_init(&object, STEME_RECORD_MAX);
    assert_status(value_encode(&a->object, &object, &failure), STEME_OK, &failure, "an object");
    struct steme_hash id = claim_id(&slot, buf_slice(&object), negated);
    buf_deinit(&object);
    return id;
}

struct steme_target pile_on_claim(const char *subject, const char *predicate, const char *object, bool negated)
{
    struct steme_record record = pile_claim(subject, predicate, object);
    return (struct steme_target){ STEME_ON_CLAIM, route_of_name(slice_text(subject)),
                                  claim_of(&record.as.assertion, negated) };
}

struct steme_target pile_on(enum steme_target_kind kind, struct steme_hash id)
{
    return (struct steme_target){ kind, route_of_hash(&id), id };
}

/* ---- drawing ---- */

/* Things made so far that others can be about. */
struct drawn {
    struct steme_target targets[4096]; /* assertions */
    unsigned authors[4096];
    struct steme_target claims[4096];
    struct steme_target votes[4096];
    unsigned voters[4096];
    struct steme_hash epochs[64];
    struct steme_hash parents[2 * BUNDLE_DRAWN_MAX][2]; /* of those drawn last */
    size_t assertion_count, vote_count, epoch_count, derived_count;
};

static const char *const subjects[PILE_SUBJECTS] = { "Pluto", "Ceres", "Eris", "Higgs boson", "东方红" };
static const char *const predicates[PILE_PREDICATES] = { "is a", "mass", "discovered" };
static const char *const sources[] = { "NASA", "Gaia DR3", "a friend" };
static const char *const names[] = { "planet", "dwarf planet", "star", "comet" };

static struct steme_value draw_value(struct prng *prng)
{
    struct steme_value value = { .kind = STEME_ENTITY, .text = slice_text(names[prng_below(prng, countof(names))]) };
    int64_t number = 10 + (int64_t)prng_below(prng, 4);
    switch (prng_below(prng, 8)) {
    case 0: return (struct steme_value){ .kind = STEME_INTEGER, .integer = number };
    case 1: return (struct steme_value){ .kind = STEME_BOOLEAN, .boolean = prng_chance(prng, 500) };
    case 2: return (struct steme_value){ .kind = STEME_UNKNOWN };
    case 3:
    case 4:
        return (struct steme_value){ .kind = STEME_QUANTITY,
                                     .amount = { number * 10 + 1, 1 },
                                     .has_bounds = true,
                                     .lower = { number * 10 - 1, 1 },
                                     .upper = { number * 10 + 3, 1 },
                                     .unit = slice_text("kg") };
    default: return value;
    }
}

/* One or two that it derives from; now and then one that nobody has. */
static void draw_parents(struct prng *prng, struct drawn *drawn, struct steme_assertion *a)
{
    struct steme_hash *parents = drawn->parents[drawn->derived_count++ % countof(drawn->parents)];
    a->parents = parents;
    a->parent_count = 1;
    parents[0] = drawn->targets[prng_below(prng, drawn->assertion_count)].hash;
    parents[1] = drawn->targets[prng_below(prng, drawn->assertion_count)].hash;
    if (prng_chance(prng, 50)) parents[1].bytes[31] ^= 1; /* begins like one there is */
    if (prng_chance(prng, 500) && memcmp(&parents[0], &parents[1], sizeof parents[0]) != 0) a->parent_count = 2;
}

static struct steme_assertion draw_assertion(struct prng *prng, struct drawn *drawn)
{
    static const struct steme_qualifier key = { { (const uint8_t *)"band", 4 }, { (const uint8_t *)"K", 1 }, true };
    struct steme_assertion a = pile_claim(subjects[prng_below(prng, PILE_SUBJECTS)],
                                          predicates[prng_below(prng, PILE_PREDICATES)], "star")
                                   .as.assertion;
    a.object = draw_value(prng);
    a.negated = prng_chance(prng, 150);
    a.confidence_ppm = (uint32_t)prng_below(prng, 5) * 250000;
    a.asserted_at_us += (int64_t)prng_below(prng, 4) * SECOND_US;
    if (prng_chance(prng, 200)) a.valid_from_us = PILE_NOON_US - (int64_t)prng_below(prng, 3) * SECOND_US;
    if (prng_chance(prng, 200)) a.valid_to_us = PILE_NOON_US + 1 + (int64_t)prng_below(prng, 3) * SECOND_US;
    if (prng_chance(prng, 300)) a.source = slice_text(sources[prng_below(prng, countof(sources))]);
    if (prng_chance(prng, 200) && drawn->epoch_count) {
        a.has_epoch = true;
        a.epoch = drawn->epochs[prng_below(prng, drawn->epoch_count)];
    }
    if (prng_chance(prng, 150)) {
        a.qualifiers = &key;
        a.qualifier_count = 1;
    }
    if (drawn->assertion_count && prng_chance(prng, 250)) draw_parents(prng, drawn, &a);
    return a;
}

static void note_assertion(struct drawn *drawn, unsigned agent, const struct steme_assertion *a, struct steme_hash id)
{
    size_t at = drawn->assertion_count++;
    invariant(at < countof(drawn->targets));
    uint64_t route = route_of_name(a->subject);
    drawn->targets[at] = (struct steme_target){ STEME_ON_ASSERTION, route, id };
    drawn->authors[at] = agent;
    drawn->claims[at] = (struct steme_target){ STEME_ON_CLAIM, route, claim_of(a, a->negated) };
}

static void draw_bundle(struct pile *pile, struct prng *prng, struct drawn *drawn, unsigned agent)
{
    struct steme_assertion members[BUNDLE_DRAWN_MAX];
    size_t count = 1 + prng_below(prng, BUNDLE_DRAWN_MAX), first = pile->record_count;
    for (size_t i = 0; i < count; i++) {
        members[i] = draw_assertion(prng, drawn);
        members[i].asserted_at_us += (int64_t)i; /* no two alike */
    }
    (void)pile_add_bundle(pile, agent, members, count);
    for (size_t i = 0; i < count; i++)
        note_assertion(drawn, agent, &members[i], pile->ids[first + 1 + i]);
}

static struct steme_target draw_vote_target(struct prng *prng, const struct drawn *drawn)
{
    uint64_t pick = prng_below(prng, 10);
    if (pick == 0) return pile_on(STEME_ON_SOURCE, source_id(slice_text(sources[prng_below(prng, countof(sources))])));
    if (pick <= 2) return pile_on(STEME_ON_AGENT, pile_agent_id((unsigned)prng_below(prng, PILE_AGENTS)));
    if (pick == 3 && drawn->epoch_count)
        return pile_on(STEME_ON_EPOCH, drawn->epochs[prng_below(prng, drawn->epoch_count)]);
    if (pick == 4 && drawn->assertion_count) { /* of another route: it never counts */
        struct steme_target target = drawn->targets[prng_below(prng, drawn->assertion_count)];
        target.route ^= 1;
        return target;
    }
    if (!drawn->assertion_count) return pile_on(STEME_ON_AGENT, pile_agent_id(0));
    size_t at = prng_below(prng, drawn->assertion_count);
    return pick < 7 ? drawn->targets[at] : drawn->claims[at];
}

static void draw_vote(struct pile *pile, struct prng *prng, struct drawn *drawn, unsigned agent)
{
    struct steme_record vote = pile_vote(draw_vote_target(prng, drawn),
                                         (enum steme_stance)prng_below(prng, STEME_ABSTAIN + 1));
    vote.as.vote.probability_ppm = (uint32_t)prng_below(prng, 5) * 250000;
    vote.as.vote.cast_at_us += (int64_t)prng_below(prng, 3) * SECOND_US;
    vote.as.vote.reason = slice_text(prng_chance(prng, 500) ? "so it is" : "");
    struct steme_hash id = pile_add(pile, agent, vote);
    size_t at = drawn->vote_count++;
    invariant(at < countof(drawn->votes));
    drawn->votes[at] = (struct steme_target){ STEME_ON_VOTE, vote.as.vote.target.route, id };
    drawn->voters[at] = agent;
}

static void draw_epoch(struct pile *pile, struct prng *prng, struct drawn *drawn, unsigned agent)
{
    char name[32];
    struct steme_hash old = { { 0 } };
    bool supersedes = drawn->epoch_count && prng_chance(prng, 500);
    if (drawn->epoch_count == countof(drawn->epochs)) return;
    if (supersedes) old = drawn->epochs[prng_below(prng, drawn->epoch_count)];
    (void)snprintf(name, sizeof name, "epoch %zu", drawn->epoch_count);
    drawn->epochs[drawn->epoch_count++] = pile_add(pile, agent, pile_epoch(name, &old, supersedes ? 1 : 0));
}

static void draw_revision(struct pile *pile, struct prng *prng, const struct drawn *drawn, unsigned agent)
{
    struct steme_target target = pile_on(STEME_ON_EPOCH, pile_agent_id(1));
    bool own = prng_chance(prng, 700);
    if (drawn->vote_count && prng_chance(prng, 300)) {
        size_t at = prng_below(prng, drawn->vote_count);
        target = drawn->votes[at];
        if (own) agent = drawn->voters[at];
    } else if (drawn->assertion_count) {
        size_t at = prng_below(prng, drawn->assertion_count);
        target = drawn->targets[at];
        if (own) agent = drawn->authors[at];
    }
    enum steme_revision_kind kind = (enum steme_revision_kind)prng_below(prng, STEME_UPDATE + 1);
    struct steme_hash replacement = pile_agent_id(0); /* any id */
    (void)pile_add(pile, agent, pile_revision(kind, &target, 1, kind == STEME_RETRACT ? NULL : &replacement));
}

void pile_draw(struct pile *pile, struct prng *prng, size_t groups)
{
    struct drawn *drawn = calloc(1, sizeof *drawn);
    assert_non_null(drawn);
    for (size_t i = 0; i < groups; i++) {
        unsigned agent = (unsigned)prng_below(prng, PILE_AGENTS);
        uint64_t pick = prng_below(prng, 100);
        if (pick < 40) {
            struct steme_assertion a = draw_assertion(prng, drawn);
            struct steme_record record = { STEME_ASSERTION, { .assertion = a } };
            note_assertion(drawn, agent, &a, pile_add(pile, agent, record));
        } else if (pick < 75) {
            draw_vote(pile, prng, drawn, agent);
        } else if (pick < 80) {
            draw_epoch(pile, prng, drawn, agent);
        } else if (pick < 90) {
            draw_revision(pile, prng, drawn, agent);
        } else {
            draw_bundle(pile, prng, drawn, agent);
        }
    }
    free(drawn);
}
