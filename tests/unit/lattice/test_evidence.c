/* SPDX-License-Identifier: Apache-2.0 */
#include "lattice/evidence.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/slice.h"
#include "lib/indexer.h"
#include "lib/kv_fault.h"
#include "lib/testing.h"
#include "model/identity.h"
#include "model/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct steme_error failure;

#define OK(call) assert_status((call), STEME_OK, &failure, #call)

enum { SECOND = 1000000 };

/* A log, its index, and what was last gathered of it. */
struct world {
    struct logbook log;
    struct pile pile;
    size_t written; /* groups of the pile that are in the log */
    struct kv *kv;
    bool reading;
    struct reader reader;
    struct arena arena;
    struct evidence found;
};

/* What to look at. Zeroed but for these: the latest, at any time, in any epoch. */
struct look {
    uint64_t as_of;
    int64_t as_of_us, valid_at_us;
    const uint8_t *epoch;
};
#define LATEST { .as_of = UINT64_MAX, .as_of_us = STEME_TIME_MAX, .valid_at_us = STEME_TIME_MAX }
static const struct look latest = LATEST;

static int open_world(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    if (!w) return -1;
    logbook_init(&w->log);
    pile_init(&w->pile);
    arena_init(&w->arena, 64 << 20);
    *state = w;
    return 0;
}

static void stop_looking(struct world *w)
{
    if (w->reading) reader_deinit(&w->reader);
    w->reading = false;
    kv_close(&w->kv);
    arena_deinit(&w->arena);
    arena_init(&w->arena, 64 << 20);
}

static int close_world(void **state)
{
    struct world *w = *state;
    stop_looking(w);
    arena_deinit(&w->arena);
    pile_deinit(&w->pile);
    logbook_deinit(&w->log);
    free(w);
    return 0;
}

static struct steme_hash say(struct world *w, unsigned agent, struct steme_record record)
{
    return pile_add(&w->pile, agent, record);
}

static void write_rest(struct world *w)
{
    logbook_write(&w->log, &w->pile, w->written, w->pile.group_count, NULL);
    w->written = w->pile.group_count;
}

static struct slot_ref slot_of(const char *subject, const char *predicate)
{
    struct steme_hash name = hash_one(slice_text(predicate));
    struct steme_hash id = slot_id(slice_text(subject), slice_text(predicate), slice_of(NULL, 0));
    struct slot_ref slot = { .route = route_of_name(slice_text(subject)) };
    for (size_t i = 0; i < 4; i++)
        slot.predicate = slot.predicate << 8 | name.bytes[i];
    memcpy(slot.slot, id.bytes, sizeof slot.slot);
    return slot;
}

/* Begin to read what is indexed, up to the look's bounds. */
static steme_status begin_reading(struct world *w, const struct look *look)
{
    struct kv_txn *txn = NULL;
    uint64_t limit = 0, sequence = 0;
    OK(kv_begin(w->kv, KV_READ, &txn, &failure));
    steme_status status = evidence_limit(w->log.wal, txn, look->as_of, look->as_of_us, &limit, &sequence, &failure);
    if (status) {
        kv_abort(&txn);
        return status;
    }
    reader_init(&w->reader, w->log.wal, &txn, limit, look->valid_at_us);
    assert_null(txn);
    w->reading = true;
    return STEME_OK;
}

static void look_at(struct world *w, const char *subject, const char *predicate, const struct look *look)
{
    struct slot_ref slot = slot_of(subject, predicate);
    stop_looking(w);
    write_rest(w);
    w->kv = indexer_index(&w->log);
    OK(begin_reading(w, look));
    OK(evidence_gather(&w->reader, &slot, look->epoch, &w->arena, &w->found, &failure));
    struct testimony **all = calloc(w->found.testimony_count + 1, sizeof(struct testimony *));
    assert_non_null(all);
    for (size_t i = 0; i < w->found.testimony_count; i++)
        all[i] = &w->found.testimonies[i];
    OK(evidence_read(&w->reader, &slot, all, w->found.testimony_count, &w->arena, &failure));
    free(all);
}

static void look_at_pluto(struct world *w) { look_at(w, "Pluto", "is a", &latest); }

static const struct testimony *testimony_of(const struct world *w, const struct steme_hash *id)
{
    for (size_t i = 0; i < w->found.testimony_count; i++)
        if (memcmp(&w->found.testimonies[i].entry->id, id, sizeof *id) == 0) return &w->found.testimonies[i];
    return NULL;
}

static enum steme_standing standing_of(const struct world *w, struct steme_hash id)
{
    const struct testimony *t = testimony_of(w, &id);
    assert_non_null(t);
    return t->standing;
}

static size_t ballots(const struct world *w, bool support)
{
    size_t count = 0;
    for (size_t i = 0; i < w->found.ballot_count; i++)
        count += w->found.ballots[i].support == support;
    return count;
}

#define assert_ballots(w, want_support, want_refute)              \
    do {                                                          \
        assert_int_equal(ballots(w, true), (want_support));       \
        assert_int_equal(ballots(w, false), (want_refute));       \
    } while (0)

static struct steme_record pluto_is(const char *what) { return pile_claim("Pluto", "is a", what); }

static struct steme_record cast_at(struct steme_record vote, int64_t offset_us, uint32_t ppm)
{
    vote.as.vote.cast_at_us += offset_us;
    vote.as.vote.probability_ppm = ppm;
    return vote;
}

/* ---- assertions ---- */

static void nothing_is_found_where_nothing_was_said(void **state)
{
    struct world *w = *state;
    say(w, 0, pluto_is("planet"));
    look_at(w, "Pluto", "mass", &latest);
    assert_int_equal(w->found.testimony_count, 0);
    look_at(w, "Charon", "is a", &latest);
    assert_int_equal(w->found.testimony_count, 0);
    assert_int_equal(w->found.ballot_count, 0);
}

static void assertions_come_by_claim_and_voice_then_time(void **state)
{
    struct world *w = *state;
    for (unsigned agent = 0; agent < 6; agent++) {
        struct steme_record record = pluto_is(agent % 2 ? "planet" : "comet");
        record.as.assertion.asserted_at_us -= agent;
        record.as.assertion.negated = agent == 5;
        say(w, agent % 3, record);
    }
    look_at_pluto(w);
    assert_int_equal(w->found.testimony_count, 6);
    for (size_t i = 1; i < 6; i++) {
        const struct slot_row *a = &w->found.testimonies[i - 1].row, *b = &w->found.testimonies[i].row;
        int order = memcmp(a->claim, b->claim, 16);
        if (!order) order = memcmp(a->voice, b->voice, 16);
        if (!order) order = a->at_us < b->at_us ? -1 : 1;
        assert_true(order < 0);
    }
}

static void a_negated_assertion_shares_the_claim_of_what_it_denies(void **state)
{
    struct world *w = *state;
    struct steme_record denial = pluto_is("planet");
    denial.as.assertion.negated = true;
    struct steme_hash yes = say(w, 0, pluto_is("planet")), no = say(w, 1, denial);
    look_at_pluto(w);
    const struct testimony *a = testimony_of(w, &yes), *b = testimony_of(w, &no);
    assert_memory_equal(a->row.claim, b->row.claim, 16);
    assert_memory_equal(&a->claim, &b->claim, 32);
    assert_false(claim_negated(&b->claim));
    assert_false(a->row.negated);
    assert_true(b->row.negated);
}

static void a_source_is_the_voice_where_there_is_one(void **state)
{
    struct world *w = *state;
    struct steme_record relayed = pluto_is("planet");
    relayed.as.assertion.source = slice_text("NASA");
    struct steme_hash own = say(w, 0, pluto_is("planet")), other = say(w, 0, relayed);
    struct steme_hash nasa = source_id(slice_text("NASA")), agent = pile_agent_id(0);
    look_at_pluto(w);
    assert_memory_equal(testimony_of(w, &own)->row.voice, agent.bytes, 16);
    assert_memory_equal(testimony_of(w, &other)->row.voice, nasa.bytes, 16);
}

/* ---- validity ---- */

static const struct { const char *name; int64_t from, to, at; enum steme_standing want; } validity[] = {
    { "before it begins", 100, 200, 99, STEME_NOT_VALID },
    { "when it begins", 100, 200, 100, STEME_LIVE },
    { "just before it ends", 100, 200, 199, STEME_LIVE },
    { "when it ends", 100, 200, 200, STEME_NOT_VALID },
    { "at any time, which does not ask", 100, 200, STEME_TIME_MAX, STEME_LIVE },
    { "without a beginning", STEME_TIME_MIN, 200, STEME_TIME_MIN, STEME_LIVE },
    { "without an end", 100, STEME_TIME_MAX, STEME_TIME_MAX - 1, STEME_LIVE },
    { "for ever", STEME_TIME_MIN, STEME_TIME_MAX, 0, STEME_LIVE },
};

static void an_assertion_is_valid_from_its_beginning_until_before_its_end(void **state)
{
    struct world *w = *state;
    for (size_t i = 0; i < countof(validity); i++) {
        struct steme_record record = pluto_is("planet");
        struct look look = LATEST;
        record.as.assertion.valid_from_us = validity[i].from;
        record.as.assertion.valid_to_us = validity[i].to;
        record.as.assertion.asserted_at_us += (int64_t)i;
        look.valid_at_us = validity[i].at;
        struct steme_hash id = say(w, 0, record);
        look_at(w, "Pluto", "is a", &look);
        assert_row(standing_of(w, id) == validity[i].want, validity[i].name);
    }
}

/* ---- votes ---- */

static void a_vote_may_come_before_its_assertion(void **state)
{
    struct world *w = *state;
    struct pile elsewhere;
    pile_init(&elsewhere);
    struct steme_hash id = pile_add(&elsewhere, 0, pluto_is("planet"));
    pile_deinit(&elsewhere);
    say(w, 1, pile_vote(pile_on_assertion("Pluto", id), STEME_SUPPORT));
    say(w, 2, pile_vote(pile_on_claim("Pluto", "is a", "planet", false), STEME_REFUTE));
    look_at_pluto(w);
    assert_int_equal(w->found.testimony_count, 0);
    assert_ballots(w, 0, 0);
    assert_memory_equal(&(struct steme_hash[]){ say(w, 0, pluto_is("planet")) }[0], &id, sizeof id);
    look_at_pluto(w);
    assert_int_equal(w->found.testimony_count, 1);
    assert_ballots(w, 1, 1);
}

struct cast_row {
    int64_t at_us;
    enum steme_stance stance;
};

static const struct { const char *name; struct cast_row casts[3]; size_t count, support, refute; } ballot_rows[] = {
    { "one for", { { 0, STEME_SUPPORT } }, 1, 1, 0 },
    { "one against", { { 0, STEME_REFUTE } }, 1, 0, 1 },
    { "a change of mind", { { 0, STEME_SUPPORT }, { 5, STEME_REFUTE } }, 2, 0, 1 },
    { "a change of mind, told backwards", { { 5, STEME_REFUTE }, { 0, STEME_SUPPORT } }, 2, 0, 1 },
    { "an abstention withdraws", { { 0, STEME_SUPPORT }, { 5, STEME_ABSTAIN } }, 2, 0, 0 },
    { "an abstention that is older does not", { { 5, STEME_SUPPORT }, { 0, STEME_ABSTAIN } }, 2, 1, 0 },
    { "and again", { { 0, STEME_REFUTE }, { 5, STEME_ABSTAIN }, { 9, STEME_SUPPORT } }, 3, 1, 0 },
};

static void the_latest_ballot_counts_in_whatever_order_they_come(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(ballot_rows); i++) {
        void *own = NULL;
        assert_int_equal(open_world(&own), 0);
        struct world *w = own;
        struct steme_hash id = say(w, 0, pluto_is("planet"));
        for (size_t k = 0; k < ballot_rows[i].count; k++) {
            struct cast_row cast = ballot_rows[i].casts[k];
            say(w, 1, cast_at(pile_vote(pile_on_assertion("Pluto", id), cast.stance), cast.at_us, STEME_PPM / 2));
        }
        look_at_pluto(w);
        assert_row(ballots(w, true) == ballot_rows[i].support, ballot_rows[i].name);
        assert_row(ballots(w, false) == ballot_rows[i].refute, ballot_rows[i].name);
        (void)close_world(&own);
    }
}

/* Cast at the same moment: the greater id counts, whichever comes first. */
static void a_tie_in_time_goes_to_the_greater_id(void **state)
{
    (void)state;
    for (unsigned turn = 0; turn < 2; turn++) {
        void *own = NULL;
        assert_int_equal(open_world(&own), 0);
        struct world *w = own;
        struct steme_hash id = say(w, 0, pluto_is("planet")), ids[2];
        for (unsigned k = 0; k < 2; k++) {
            unsigned which = k ^ turn;
            struct steme_record vote =
                pile_vote(pile_on_assertion("Pluto", id), which ? STEME_SUPPORT : STEME_REFUTE);
            ids[which] = say(w, 1, vote);
        }
        look_at_pluto(w);
        bool support_wins = memcmp(&ids[1], &ids[0], sizeof ids[0]) > 0;
        assert_ballots(w, support_wins ? 1 : 0, support_wins ? 0 : 1);
        (void)close_world(&own);
    }
}

static void each_voter_and_each_target_has_a_ballot_of_its_own(void **state)
{
    struct world *w = *state;
    struct steme_hash first = say(w, 0, pluto_is("planet")), second = say(w, 1, pluto_is("comet"));
    say(w, 2, pile_vote(pile_on_assertion("Pluto", first), STEME_SUPPORT));
    say(w, 2, pile_vote(pile_on_assertion("Pluto", second), STEME_REFUTE));
    say(w, 2, pile_vote(pile_on_claim("Pluto", "is a", "planet", false), STEME_SUPPORT));
    say(w, 3, pile_vote(pile_on_assertion("Pluto", first), STEME_SUPPORT));
    look_at_pluto(w);
    assert_ballots(w, 3, 1);
}

static const struct { const char *name; bool not_target; enum steme_stance stance; bool support; } polarities[] = {
    { "for X", false, STEME_SUPPORT, true },
    { "against X", false, STEME_REFUTE, false },
    { "for not X", true, STEME_SUPPORT, false },
    { "against not X", true, STEME_REFUTE, true },
};

static void a_vote_on_not_x_is_turned_towards_x(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(polarities); i++) {
        void *own = NULL;
        assert_int_equal(open_world(&own), 0);
        struct world *w = own;
        say(w, 0, pluto_is("planet"));
        say(w, 1, pile_vote(pile_on_claim("Pluto", "is a", "planet", polarities[i].not_target), polarities[i].stance));
        look_at_pluto(w);
        assert_row(w->found.ballot_count == 1, polarities[i].name);
        assert_row(w->found.ballots[0].support == polarities[i].support, polarities[i].name);
        (void)close_world(&own);
    }
}

/* X and "not X" are one question to a voter: the later word on either replaces the earlier on the other. */
static void votes_on_both_polarities_are_one_ballot(void **state)
{
    struct world *w = *state;
    say(w, 0, pluto_is("planet"));
    say(w, 1, pile_vote(pile_on_claim("Pluto", "is a", "planet", false), STEME_SUPPORT));
    say(w, 1, cast_at(pile_vote(pile_on_claim("Pluto", "is a", "planet", true), STEME_SUPPORT), 5, 1));
    look_at_pluto(w);
    assert_ballots(w, 0, 1);
    say(w, 1, cast_at(pile_vote(pile_on_claim("Pluto", "is a", "planet", true), STEME_ABSTAIN), 9, 0));
    look_at_pluto(w);
    assert_ballots(w, 0, 0);
}

static void a_vote_on_an_assertion_of_not_x_is_turned_towards_x(void **state)
{
    struct world *w = *state;
    struct steme_record denial = pluto_is("planet");
    denial.as.assertion.negated = true;
    struct steme_hash id = say(w, 0, denial);
    say(w, 1, pile_vote(pile_on_assertion("Pluto", id), STEME_SUPPORT));
    say(w, 2, pile_vote(pile_on_assertion("Pluto", id), STEME_REFUTE));
    say(w, 3, pile_vote(pile_on_assertion("Pluto", id), STEME_REFUTE));
    look_at_pluto(w);
    assert_ballots(w, 2, 1);
}

static void a_vote_with_another_route_never_counts(void **state)
{
    struct world *w = *state;
    struct steme_hash id = say(w, 0, pluto_is("planet"));
    struct steme_target wrong = pile_on_assertion("Ceres", id);
    struct steme_target claim = pile_on_claim("Pluto", "is a", "planet", false);
    claim.route++;
    say(w, 1, pile_vote(wrong, STEME_SUPPORT));
    say(w, 2, pile_vote(claim, STEME_SUPPORT));
    look_at_pluto(w);
    assert_ballots(w, 0, 0);
    say(w, 0, pile_claim("Ceres", "is a", "planet"));
    look_at(w, "Ceres", "is a", &latest);
    assert_ballots(w, 0, 0);
}

/* The hash of a claim as the target of a vote on an assertion, and the other way round. */
static void a_vote_of_the_wrong_kind_never_counts(void **state)
{
    struct world *w = *state;
    struct steme_target assertion = pile_on_assertion("Pluto", say(w, 0, pluto_is("planet")));
    struct steme_target claim = pile_on_claim("Pluto", "is a", "planet", false);
    assertion.kind = STEME_ON_CLAIM;
    claim.kind = STEME_ON_ASSERTION;
    say(w, 1, pile_vote(assertion, STEME_SUPPORT));
    say(w, 1, pile_vote(claim, STEME_SUPPORT));
    look_at_pluto(w);
    assert_ballots(w, 0, 0);
}

static void a_retracted_vote_takes_its_voter_off_the_target(void **state)
{
    struct world *w = *state;
    struct steme_hash id = say(w, 0, pluto_is("planet"));
    struct steme_target target = pile_on_assertion("Pluto", id);
    say(w, 1, cast_at(pile_vote(target, STEME_REFUTE), -5, 1)); /* an older one does not come back */
    struct steme_target vote = { STEME_ON_VOTE, target.route, say(w, 1, pile_vote(target, STEME_SUPPORT)) };
    say(w, 2, pile_revision(STEME_RETRACT, &vote, 1, NULL));
    look_at_pluto(w);
    assert_ballots(w, 1, 0); /* by a stranger: a proposal */
    say(w, 1, pile_revision(STEME_RETRACT, &vote, 1, NULL));
    look_at_pluto(w);
    assert_ballots(w, 0, 0);
    say(w, 1, cast_at(pile_vote(target, STEME_SUPPORT), 5, 1)); /* a later ballot is a new one */
    look_at_pluto(w);
    assert_ballots(w, 1, 0);
}

static void a_vote_goes_with_its_assertion(void **state)
{
    struct world *w = *state;
    struct steme_hash id = say(w, 0, pluto_is("planet"));
    struct steme_target target = pile_on_assertion("Pluto", id);
    say(w, 1, pile_vote(target, STEME_SUPPORT));
    say(w, 1, pile_vote(pile_on_claim("Pluto", "is a", "planet", false), STEME_SUPPORT));
    look_at_pluto(w);
    assert_ballots(w, 2, 0);
    say(w, 0, pile_revision(STEME_RETRACT, &target, 1, NULL));
    look_at_pluto(w);
    assert_int_equal(standing_of(w, id), STEME_RETRACTED);
    assert_ballots(w, 1, 0);
}

/* ---- revisions ---- */

static const struct { const char *name; enum steme_revision_kind kind; enum steme_standing want; } revisions[] = {
    { "a retraction", STEME_RETRACT, STEME_RETRACTED },
    { "a correction", STEME_CORRECT, STEME_SUPERSEDED },
    { "an update", STEME_UPDATE, STEME_SUPERSEDED },
};

static void a_revision_is_effective_for_the_author_s_own_and_a_proposal_for_others(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(revisions); i++) {
        void *own = NULL;
        assert_int_equal(open_world(&own), 0);
        struct world *w = own;
        struct steme_hash id = say(w, 0, pluto_is("planet")), new = say(w, 0, pluto_is("comet"));
        struct steme_target target = pile_on_assertion("Pluto", id);
        const struct steme_hash *replacement = revisions[i].kind == STEME_RETRACT ? NULL : &new;
        say(w, 1, pile_revision(revisions[i].kind, &target, 1, replacement));
        look_at_pluto(w);
        assert_row(standing_of(w, id) == STEME_LIVE, revisions[i].name);
        say(w, 0, pile_revision(revisions[i].kind, &target, 1, replacement));
        look_at_pluto(w);
        assert_row(standing_of(w, id) == revisions[i].want, revisions[i].name);
        assert_row(standing_of(w, new) == STEME_LIVE, revisions[i].name);
        (void)close_world(&own);
    }
}

static void a_retraction_outweighs_a_correction_in_any_order(void **state)
{
    (void)state;
    for (unsigned turn = 0; turn < 2; turn++) {
        void *own = NULL;
        assert_int_equal(open_world(&own), 0);
        struct world *w = own;
        struct steme_hash id = say(w, 0, pluto_is("planet")), new = say(w, 0, pluto_is("comet"));
        struct steme_target target = pile_on_assertion("Pluto", id);
        for (unsigned k = 0; k < 2; k++) {
            bool retract = (k ^ turn) != 0;
            say(w, 0, pile_revision(retract ? STEME_RETRACT : STEME_UPDATE, &target, 1, retract ? NULL : &new));
        }
        look_at_pluto(w);
        assert_int_equal(standing_of(w, id), STEME_RETRACTED);
        (void)close_world(&own);
    }
}

static void a_revision_may_come_before_what_it_revises(void **state)
{
    struct world *w = *state;
    struct pile elsewhere;
    pile_init(&elsewhere);
    struct steme_target target = pile_on_assertion("Pluto", pile_add(&elsewhere, 0, pluto_is("planet")));
    pile_deinit(&elsewhere);
    say(w, 0, pile_revision(STEME_RETRACT, &target, 1, NULL));
    struct steme_hash id = say(w, 0, pluto_is("planet"));
    look_at_pluto(w);
    assert_int_equal(standing_of(w, id), STEME_RETRACTED);
}

static void one_revision_may_revise_many(void **state)
{
    struct world *w = *state;
    struct steme_target targets[3];
    static const char *const objects[] = { "planet", "comet", "star" };
    for (size_t i = 0; i < 3; i++)
        targets[i] = pile_on_assertion("Pluto", say(w, i == 2 ? 1 : 0, pluto_is(objects[i])));
    say(w, 0, pile_revision(STEME_RETRACT, targets, 3, NULL));
    look_at_pluto(w);
    assert_int_equal(standing_of(w, targets[0].hash), STEME_RETRACTED);
    assert_int_equal(standing_of(w, targets[1].hash), STEME_RETRACTED);
    assert_int_equal(standing_of(w, targets[2].hash), STEME_LIVE); /* another's */
}

static void a_revision_with_another_route_is_without_effect(void **state)
{
    struct world *w = *state;
    struct steme_hash id = say(w, 0, pluto_is("planet"));
    struct steme_target target = pile_on_assertion("Ceres", id);
    say(w, 0, pile_revision(STEME_RETRACT, &target, 1, NULL));
    look_at_pluto(w);
    assert_int_equal(standing_of(w, id), STEME_LIVE);
}

/* ---- epochs ---- */

static struct steme_hash say_in(struct world *w, const char *what, const struct steme_hash *epoch)
{
    struct steme_record record = pluto_is(what);
    record.as.assertion.has_epoch = true;
    record.as.assertion.epoch = *epoch;
    return say(w, 0, record);
}

static void an_assertion_counts_in_its_epoch_and_without_one_in_all(void **state)
{
    struct world *w = *state;
    struct steme_hash before = say(w, 0, pile_epoch("before", NULL, 0)), after = say(w, 0, pile_epoch("after", NULL, 0));
    struct steme_hash none = say(w, 0, pluto_is("body")), old = say_in(w, "planet", &before);
    struct steme_hash new = say_in(w, "dwarf planet", &after);
    struct look look = LATEST;
    look_at_pluto(w);
    assert_int_equal(standing_of(w, old), STEME_LIVE);
    assert_int_equal(standing_of(w, new), STEME_LIVE);
    look.epoch = before.bytes;
    look_at(w, "Pluto", "is a", &look);
    assert_int_equal(standing_of(w, none), STEME_LIVE);
    assert_int_equal(standing_of(w, old), STEME_LIVE);
    assert_int_equal(standing_of(w, new), STEME_OTHER_EPOCH);
}

static void an_epoch_that_is_superseded_by_its_author_counts_only_when_asked_for(void **state)
{
    struct world *w = *state;
    struct steme_hash before = say(w, 0, pile_epoch("before", NULL, 0));
    struct steme_hash old = say_in(w, "planet", &before);
    struct look asked = LATEST;
    asked.epoch = before.bytes;
    say(w, 1, pile_epoch("a stranger's", &before, 1));
    look_at_pluto(w);
    assert_int_equal(standing_of(w, old), STEME_LIVE); /* by a stranger: a proposal */
    say(w, 0, pile_epoch("after", &before, 1));
    look_at_pluto(w);
    assert_int_equal(standing_of(w, old), STEME_OTHER_EPOCH);
    look_at(w, "Pluto", "is a", &asked);
    assert_int_equal(standing_of(w, old), STEME_LIVE);
}

static void an_epoch_may_supersede_what_comes_later(void **state)
{
    struct world *w = *state;
    struct pile elsewhere;
    pile_init(&elsewhere);
    struct steme_hash before = pile_add(&elsewhere, 0, pile_epoch("before", NULL, 0));
    pile_deinit(&elsewhere);
    say(w, 0, pile_epoch("after", &before, 1));
    struct steme_hash old = say_in(w, "planet", &before);
    look_at_pluto(w);
    assert_int_equal(standing_of(w, old), STEME_LIVE); /* nobody knows yet whose it is */
    say(w, 0, pile_epoch("before", NULL, 0));
    look_at_pluto(w);
    assert_int_equal(standing_of(w, old), STEME_OTHER_EPOCH);
}

static void an_epoch_nobody_declared_is_an_epoch(void **state)
{
    struct world *w = *state;
    struct steme_hash nowhere = { { 1, 2, 3 } };
    struct steme_hash id = say_in(w, "planet", &nowhere);
    look_at_pluto(w);
    assert_int_equal(standing_of(w, id), STEME_LIVE);
}

/* A revision tells what the author thinks of the record, so it comes before time and epoch. */
static void a_retraction_shows_before_validity_and_epoch(void **state)
{
    struct world *w = *state;
    struct steme_hash before = say(w, 0, pile_epoch("before", NULL, 0));
    struct steme_record record = pluto_is("planet");
    struct look look = LATEST;
    record.as.assertion.has_epoch = true;
    record.as.assertion.epoch = before;
    record.as.assertion.valid_to_us = 100;
    struct steme_hash id = say(w, 0, record);
    struct steme_target target = pile_on_assertion("Pluto", id);
    look.valid_at_us = 100;
    look.epoch = id.bytes;
    look_at(w, "Pluto", "is a", &look);
    assert_int_equal(standing_of(w, id), STEME_NOT_VALID);
    look.valid_at_us = 99;
    look_at(w, "Pluto", "is a", &look);
    assert_int_equal(standing_of(w, id), STEME_OTHER_EPOCH);
    say(w, 0, pile_revision(STEME_RETRACT, &target, 1, NULL));
    look_at(w, "Pluto", "is a", &look);
    assert_int_equal(standing_of(w, id), STEME_RETRACTED);
}

/* ---- as of ---- */

/* Groups of 1, 3 (a bundle and two), 1, 2: so sequences 1 | 2 3 4 | 5 | 6 7, received a second apart. */
static void write_batches(struct world *w)
{
    static const size_t members[] = { 0, 2, 0, 1 };
    for (size_t batch = 0; batch < countof(members); batch++) {
        struct steme_assertion list[2] = { pluto_is("planet").as.assertion, pluto_is("comet").as.assertion };
        for (size_t i = 0; i < 2; i++)
            list[i].asserted_at_us -= (int64_t)(10 * batch + i);
        struct steme_record alone = { .type = STEME_ASSERTION, .as.assertion = list[0] };
        if (members[batch]) (void)pile_add_bundle(&w->pile, 0, list, members[batch]);
        else say(w, 0, alone);
    }
    write_rest(w);
}

static const struct { const char *name; uint64_t as_of; int64_t as_of_us; size_t count; uint64_t sequence; } moments[] = {
    { "all", UINT64_MAX, STEME_TIME_MAX, 5, UINT64_MAX },
    { "nothing yet", 0, STEME_TIME_MAX, 0, 0 },
    { "the first record", 1, STEME_TIME_MAX, 1, 1 },
    { "a bundle without its members", 2, STEME_TIME_MAX, 1, 2 },
    { "in the middle of a batch", 3, STEME_TIME_MAX, 2, 3 },
    { "the end of a batch", 4, STEME_TIME_MAX, 3, 4 },
    { "the beginning of the next", 5, STEME_TIME_MAX, 4, 5 },
    { "the last record", 7, STEME_TIME_MAX, 5, 7 },
    { "past the last record", 8, STEME_TIME_MAX, 5, 8 },
    { "far past it", UINT64_MAX - 1, STEME_TIME_MAX, 5, UINT64_MAX - 1 },
    { "before the first batch", UINT64_MAX, PILE_NOON_US - 1, 0, 0 },
    { "at the first batch", UINT64_MAX, PILE_NOON_US, 1, 1 },
    { "just before the second batch", UINT64_MAX, PILE_NOON_US + SECOND - 1, 1, 1 },
    { "at the second batch", UINT64_MAX, PILE_NOON_US + SECOND, 3, 4 },
    { "between", UINT64_MAX, PILE_NOON_US + SECOND + 1, 3, 4 },
    { "at the last batch", UINT64_MAX, PILE_NOON_US + 3 * SECOND, 5, UINT64_MAX },
    { "long after", UINT64_MAX, STEME_TIME_MAX - 1, 5, UINT64_MAX },
    { "long before", UINT64_MAX, STEME_TIME_MIN, 0, 0 },
    { "both, the number first", 3, PILE_NOON_US + 2 * SECOND, 2, 3 },
    { "both, the time first", 6, PILE_NOON_US, 1, 1 },
};

static void a_moment_bounds_what_is_looked_at(void **state)
{
    struct world *w = *state;
    write_batches(w);
    for (size_t i = 0; i < countof(moments); i++) {
        struct look look = LATEST;
        struct kv_txn *txn = NULL;
        uint64_t limit = 0, sequence = 0;
        look.as_of = moments[i].as_of;
        look.as_of_us = moments[i].as_of_us;
        look_at(w, "Pluto", "is a", &look);
        assert_row(w->found.testimony_count == moments[i].count, moments[i].name);
        OK(kv_begin(w->kv, KV_READ, &txn, &failure));
        OK(evidence_limit(w->log.wal, txn, look.as_of, look.as_of_us, &limit, &sequence, &failure));
        assert_row(sequence == moments[i].sequence, moments[i].name);
        kv_abort(&txn);
    }
}

/* Votes, revisions and epochs that came later did not exist then. */
static void what_came_later_did_not_exist(void **state)
{
    struct world *w = *state;
    struct look look = LATEST;
    struct steme_hash before = say(w, 0, pile_epoch("before", NULL, 0)); /* 1 */
    struct steme_hash id = say_in(w, "planet", &before);                 /* 2 */
    struct steme_target target = pile_on_assertion("Pluto", id);
    say(w, 1, pile_vote(target, STEME_SUPPORT));                              /* 3 */
    say(w, 1, cast_at(pile_vote(target, STEME_REFUTE), 5, 1));                /* 4 */
    say(w, 1, pile_vote(pile_on(STEME_ON_AGENT, pile_agent_id(2)), STEME_SUPPORT)); /* 5 */
    say(w, 0, pile_epoch("after", &before, 1));                               /* 6 */
    say(w, 0, pile_revision(STEME_RETRACT, &target, 1, NULL));                /* 7 */
    static const struct { uint64_t as_of; size_t support, refute; enum steme_standing standing; size_t edges; } rows[] = {
        { 2, 0, 0, STEME_LIVE, 0 },        { 3, 1, 0, STEME_LIVE, 0 }, { 4, 0, 1, STEME_LIVE, 0 },
        { 5, 0, 1, STEME_LIVE, 1 },        { 6, 0, 0, STEME_OTHER_EPOCH, 1 },
        { 7, 0, 0, STEME_RETRACTED, 1 },
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct endorsement_row *edges = NULL;
        size_t edge_count = 0;
        look.as_of = rows[i].as_of;
        look_at(w, "Pluto", "is a", &look);
        assert_ballots(w, rows[i].support, rows[i].refute);
        assert_int_equal(standing_of(w, id), rows[i].standing);
        OK(evidence_endorsements(&w->reader, &w->arena, &edges, &edge_count, &failure));
        assert_int_equal(edge_count, rows[i].edges);
    }
    uint64_t location = 0;
    look.as_of = 1;
    look_at(w, "Pluto", "is a", &look);
    assert_int_equal(evidence_locate(&w->reader, id.bytes, NULL, &location, &failure), STEME_NOT_FOUND);
    OK(evidence_locate(&w->reader, before.bytes, NULL, &location, &failure));
}

/* A record of a batch is damaged: what lies before it and behind it in the batch is still found, by its number. */
static void a_moment_in_a_damaged_batch_is_found(void **state)
{
    struct world *w = *state;
    struct steme_assertion list[6];
    struct wal_place places[7];
    struct look look = LATEST;
    for (int64_t i = 0; i < 6; i++) {
        list[i] = pluto_is("planet").as.assertion;
        list[i].asserted_at_us -= i;
    }
    (void)pile_add_bundle(&w->pile, 0, list, 6);
    logbook_write(&w->log, &w->pile, 0, 1, places);
    w->written = 1;
    say(w, 0, pluto_is("comet"));
    write_rest(w);
    logbook_rot(&w->log, places[3].location, 64 + 20); /* sequence 4 */
    logbook_reopen(&w->log);
    static const struct { uint64_t as_of; size_t count; } rows[] = { { 2, 1 }, { 3, 2 }, { 4, 2 }, { 5, 3 },
                                                                     { 6, 4 }, { 7, 5 }, { 8, 6 } };
    for (size_t i = 0; i < countof(rows); i++) {
        look.as_of = rows[i].as_of;
        look_at(w, "Pluto", "is a", &look);
        assert_int_equal(w->found.testimony_count, rows[i].count);
    }
}

/* ---- endorsements ---- */

static bool has_edge(const struct endorsement_row *edges, size_t count, struct steme_hash from, struct steme_hash to,
                     uint32_t ppm)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++)
        found += memcmp(edges[i].from, from.bytes, 16) == 0 && memcmp(edges[i].to, to.bytes, 16) == 0 &&
                 edges[i].probability_ppm == ppm;
    return found == 1;
}

static void endorsements_are_the_latest_ballots_on_agents_and_sources(void **state)
{
    struct world *w = *state;
    struct steme_hash nasa = source_id(slice_text("NASA"));
    struct steme_target one = pile_on(STEME_ON_AGENT, pile_agent_id(1)), two = pile_on(STEME_ON_AGENT, pile_agent_id(2));
    struct steme_target source = pile_on(STEME_ON_SOURCE, nasa);
    struct endorsement_row *edges = NULL;
    size_t count = 0;
    say(w, 0, cast_at(pile_vote(one, STEME_SUPPORT), 5, 700000));
    say(w, 0, cast_at(pile_vote(one, STEME_SUPPORT), 0, 100000)); /* older */
    say(w, 0, cast_at(pile_vote(two, STEME_REFUTE), 0, 900000));
    say(w, 1, cast_at(pile_vote(two, STEME_SUPPORT), 0, 800000));
    say(w, 1, cast_at(pile_vote(two, STEME_ABSTAIN), 5, 0));
    say(w, 1, cast_at(pile_vote(source, STEME_SUPPORT), 0, 600000));
    say(w, 2, pile_vote(pile_on(STEME_ON_EPOCH, pile_agent_id(1)), STEME_SUPPORT)); /* no endorsement */
    struct steme_target taken_back = { STEME_ON_VOTE, source.route, say(w, 3, pile_vote(source, STEME_SUPPORT)) };
    say(w, 3, pile_revision(STEME_RETRACT, &taken_back, 1, NULL));
    struct steme_target kept = { STEME_ON_VOTE, source.route, say(w, 4, pile_vote(source, STEME_SUPPORT)) };
    say(w, 3, pile_revision(STEME_RETRACT, &kept, 1, NULL)); /* by a stranger */
    look_at_pluto(w);
    OK(evidence_endorsements(&w->reader, &w->arena, &edges, &count, &failure));
    assert_int_equal(count, 4);
    assert_true(has_edge(edges, count, pile_agent_id(0), pile_agent_id(1), 700000));
    assert_true(has_edge(edges, count, pile_agent_id(0), pile_agent_id(2), 0));
    assert_true(has_edge(edges, count, pile_agent_id(1), nasa, 600000));
    assert_true(has_edge(edges, count, pile_agent_id(4), nasa, STEME_PPM));
}

/* ---- every ballot, every revision ---- */

static void all_ballots_are_listed_and_the_latest_marked(void **state)
{
    struct world *w = *state;
    struct steme_target target = pile_on_assertion("Pluto", say(w, 0, pluto_is("planet")));
    struct cast *casts = NULL;
    size_t count = 0, marked = 0;
    for (unsigned voter = 1; voter < 4; voter++)
        for (int64_t k = 0; k < 3; k++)
            say(w, voter, cast_at(pile_vote(target, k == 2 ? STEME_ABSTAIN : STEME_SUPPORT), (k * 7) % 5, (uint32_t)k));
    look_at_pluto(w);
    OK(evidence_ballots(&w->reader, target.kind, target.route, target.hash.bytes, &w->arena, &casts, &count, &failure));
    assert_int_equal(count, 9);
    for (size_t i = 0; i < count; i++) {
        marked += casts[i].latest;
        if (casts[i].latest) assert_int_equal(casts[i].row.cast_at_us, PILE_NOON_US + 4);
    }
    assert_int_equal(marked, 3);
    OK(evidence_ballots(&w->reader, STEME_ON_CLAIM, 1, target.hash.bytes, &w->arena, &casts, &count, &failure));
    assert_int_equal(count, 0);
}

static void revisions_are_listed_by_id(void **state)
{
    struct world *w = *state;
    struct steme_target target = pile_on_assertion("Pluto", say(w, 0, pluto_is("planet")));
    struct wal_entry *entries = NULL;
    size_t count = 0;
    for (unsigned agent = 0; agent < 5; agent++)
        say(w, agent, pile_revision(STEME_RETRACT, &target, 1, NULL));
    look_at_pluto(w);
    OK(evidence_revisions(&w->reader, target.route, target.hash.bytes, &w->arena, &entries, &count, &failure));
    assert_int_equal(count, 5);
    for (size_t i = 1; i < count; i++)
        assert_true(memcmp(&entries[i - 1].id, &entries[i].id, sizeof entries[i].id) < 0);
    OK(evidence_revisions(&w->reader, target.route + 1, target.hash.bytes, &w->arena, &entries, &count, &failure));
    assert_int_equal(count, 0);
}

static void slots_are_walked_one_by_one(void **state)
{
    struct world *w = *state;
    struct slot_ref at = { 0 };
    size_t all = 0, of_pluto = 0;
    static const char *const predicates[] = { "is a", "mass", "discovered" };
    for (size_t i = 0; i < countof(predicates); i++) {
        say(w, 0, pile_claim("Pluto", predicates[i], "x"));
        say(w, 1, pile_claim("Pluto", predicates[i], "y"));
        say(w, 0, pile_claim("Ceres", predicates[i], "x"));
    }
    look_at_pluto(w);
    steme_status status;
    while (!(status = evidence_next_slot(&w->reader, &at, false, &failure))) {
        all++;
        at.slot[15]++; /* none of these ends in 0xff */
    }
    assert_int_equal(status, STEME_NOT_FOUND);
    assert_int_equal(all, 6);
    at = (struct slot_ref){ .route = route_of_name(slice_text("Pluto")) };
    for (; !evidence_next_slot(&w->reader, &at, true, &failure); of_pluto++)
        at.slot[15]++;
    assert_int_equal(of_pluto, 3);
}

/* ---- an index that lies ---- */

struct lie {
    struct key_bytes key;
    struct value_bytes value;
};

static steme_status put_lie(struct kv_txn *txn, void *context, struct steme_error *err)
{
    const struct lie *lie = context;
    return kv_put(txn, key_slice(&lie->key), value_slice(&lie->value), err);
}

/* All lie about agent 0's claim that Pluto is a planet; `other` is the location of a record it is not about. */
struct tale {
    struct world *w;
    struct steme_hash claim, other_id, epoch, revision;
    struct wal_place place, other, end;
};

static void lie_about_revision(const struct tale *tale, struct lie *lie, uint64_t location)
{
    key_of_revision(&lie->key, route_of_name(slice_text("Pluto")), tale->claim.bytes, tale->revision.bytes);
    value_of_location(&lie->value, location);
}
static void revision_nowhere(const struct tale *tale, struct lie *lie)
{
    lie_about_revision(tale, lie, tale->end.location - 64);
}
static void revision_elsewhere(const struct tale *tale, struct lie *lie)
{
    lie_about_revision(tale, lie, tale->other.location);
}
static void epoch_nowhere(const struct tale *tale, struct lie *lie)
{
    key_of_epoch(&lie->key, tale->epoch.bytes);
    value_of_location(&lie->value, tale->end.location - 64);
}
static void epoch_elsewhere(const struct tale *tale, struct lie *lie)
{
    key_of_epoch(&lie->key, tale->epoch.bytes);
    value_of_location(&lie->value, tale->other.location);
}
static void slot_row_elsewhere(const struct tale *tale, struct lie *lie)
{
    struct slot_ref slot = slot_of("Pluto", "is a");
    struct slot_row row = { .location = tale->other.location, .valid_from_us = STEME_TIME_MIN, .valid_to_us = STEME_TIME_MAX };
    key_of_slot_row(&lie->key, &slot, row.location);
    value_of_slot_row(&lie->value, key_slice(&lie->key), &row);
}
static void slot_row_nowhere(const struct tale *tale, struct lie *lie)
{
    struct slot_ref slot = slot_of("Pluto", "is a");
    struct slot_row row = { .location = tale->end.location - 64, .valid_from_us = STEME_TIME_MIN, .valid_to_us = STEME_TIME_MAX };
    key_of_slot_row(&lie->key, &slot, row.location);
    value_of_slot_row(&lie->value, key_slice(&lie->key), &row);
}
static void slot_row_rotten(const struct tale *tale, struct lie *lie)
{
    slot_row_elsewhere(tale, lie);
    lie->value.data[20] ^= 1;
}
static void ballot_rotten(const struct tale *tale, struct lie *lie)
{
    struct steme_target target = pile_on_assertion("Pluto", tale->claim);
    key_of_ballot(&lie->key, &target, tale->other_id.bytes, tale->other_id.bytes);
    value_of_ballot(&lie->value, key_slice(&lie->key), &(struct ballot_row){ .probability_ppm = 1 });
    lie->value.data[10] ^= 1;
}

static const struct { const char *name; void (*tell)(const struct tale *tale, struct lie *lie); } tales[] = {
    { "a revision where no record lies", revision_nowhere },
    { "a revision that is another record", revision_elsewhere },
    { "an epoch where no record lies", epoch_nowhere },
    { "an epoch that is another record", epoch_elsewhere },
    { "an assertion that is another record", slot_row_elsewhere },
    { "an assertion where no record lies", slot_row_nowhere },
    { "a slot row that fails its check", slot_row_rotten },
    { "a ballot that fails its check", ballot_rotten },
};

static void a_lie_is_found_not_believed(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(tales); i++) {
        void *own = NULL;
        struct lie lie;
        struct slot_ref slot = slot_of("Pluto", "is a");
        struct wal_place places[8];
        assert_int_equal(open_world(&own), 0);
        struct tale tale = { .w = own };
        struct world *w = tale.w;
        tale.epoch = say(w, 0, pile_epoch("before", NULL, 0));
        tale.claim = say_in(w, "planet", &tale.epoch);
        tale.other_id = say(w, 0, pile_claim("Ceres", "is a", "planet"));
        struct steme_target target = pile_on_assertion("Pluto", tale.claim);
        tale.revision = say(w, 1, pile_revision(STEME_RETRACT, &target, 1, NULL));
        say(w, 1, pile_vote(target, STEME_SUPPORT));
        logbook_write(&w->log, &w->pile, 0, w->pile.group_count, places);
        w->written = w->pile.group_count;
        tale.place = places[1];
        tale.other = places[2];
        tale.end.location = wal_durable(w->log.wal).location;
        w->kv = indexer_index(&w->log);
        tales[i].tell(&tale, &lie);
        OK(kv_update(w->kv, put_lie, &lie, &failure));
        OK(begin_reading(w, &latest));
        steme_status status = evidence_gather(&w->reader, &slot, NULL, &w->arena, &w->found, &failure);
        assert_status(status, STEME_CORRUPT, &failure, tales[i].name);
        (void)close_world(&own);
    }
}

static void a_store_that_fails_at_any_call_is_told(void **state)
{
    struct world *w = *state;
    struct slot_ref slot = slot_of("Pluto", "is a");
    struct steme_hash before = say(w, 0, pile_epoch("before", NULL, 0));
    struct steme_target target = pile_on_assertion("Pluto", say_in(w, "planet", &before));
    say(w, 1, pile_vote(target, STEME_SUPPORT));
    say(w, 1, pile_vote(pile_on(STEME_ON_AGENT, pile_agent_id(2)), STEME_SUPPORT));
    say(w, 1, pile_revision(STEME_RETRACT, &target, 1, NULL));
    write_rest(w);
    w->kv = kv_fault_new(indexer_index(&w->log));
    assert_non_null(w->kv);
    size_t failed = 0;
    for (uint64_t nth = 1;; nth++, failed++) {
        struct kv_txn *txn = NULL;
        struct endorsement_row *edges = NULL;
        size_t count = 0;
        uint64_t limit = 0, sequence = 0;
        OK(kv_begin(w->kv, KV_READ, &txn, &failure));
        kv_fault_fail(w->kv, KV_FAULT_ANY, nth, STEME_IO, false);
        steme_status status = evidence_limit(w->log.wal, txn, 4, PILE_NOON_US + 10 * SECOND, &limit, &sequence, &failure);
        reader_init(&w->reader, w->log.wal, &txn, UINT64_MAX, STEME_TIME_MAX);
        if (!status) status = evidence_gather(&w->reader, &slot, NULL, &w->arena, &w->found, &failure);
        if (!status) status = evidence_endorsements(&w->reader, &w->arena, &edges, &count, &failure);
        kv_fault_fail(w->kv, KV_FAULT_ANY, 0, STEME_OK, false);
        reader_deinit(&w->reader);
        if (!status) break;
        assert_int_equal(status, STEME_IO);
    }
    assert_true(failed > 10);
}

static void no_memory_is_told(void **state)
{
    struct world *w = *state;
    struct slot_ref slot = slot_of("Pluto", "is a");
    struct steme_target target = { STEME_ON_ASSERTION, 0, { { 0 } } };
    for (unsigned agent = 0; agent < 8; agent++) {
        target = pile_on_assertion("Pluto", say(w, agent, pluto_is("planet")));
        say(w, agent, pile_vote(target, STEME_SUPPORT));
        say(w, agent, pile_revision(STEME_RETRACT, &target, 1, NULL));
    }
    write_rest(w);
    w->kv = indexer_index(&w->log);
    OK(begin_reading(w, &latest));
    size_t failed = 0;
    for (size_t ceiling = 0;; ceiling += 512, failed++) {
        struct arena arena;
        arena_init(&arena, ceiling);
        steme_status status = evidence_gather(&w->reader, &slot, NULL, &arena, &w->found, &failure);
        arena_deinit(&arena);
        if (!status) break;
        assert_int_equal(status, STEME_NO_MEMORY);
    }
    assert_true(failed > 3);
}

int main(void)
{
#define CASE(function) cmocka_unit_test_setup_teardown(function, open_world, close_world)
    const struct CMUnitTest tests[] = {
        CASE(nothing_is_found_where_nothing_was_said),
        CASE(assertions_come_by_claim_and_voice_then_time),
        CASE(a_negated_assertion_shares_the_claim_of_what_it_denies),
        CASE(a_source_is_the_voice_where_there_is_one),
        CASE(an_assertion_is_valid_from_its_beginning_until_before_its_end),
        CASE(a_vote_may_come_before_its_assertion),
        cmocka_unit_test(the_latest_ballot_counts_in_whatever_order_they_come),
        cmocka_unit_test(a_tie_in_time_goes_to_the_greater_id),
        CASE(each_voter_and_each_target_has_a_ballot_of_its_own),
        cmocka_unit_test(a_vote_on_not_x_is_turned_towards_x),
        CASE(votes_on_both_polarities_are_one_ballot),
        CASE(a_vote_on_an_assertion_of_not_x_is_turned_towards_x),
        CASE(a_vote_with_another_route_never_counts),
        CASE(a_vote_of_the_wrong_kind_never_counts),
        CASE(a_retracted_vote_takes_its_voter_off_the_target),
        CASE(a_vote_goes_with_its_assertion),
        cmocka_unit_test(a_revision_is_effective_for_the_author_s_own_and_a_proposal_for_others),
        cmocka_unit_test(a_retraction_outweighs_a_correction_in_any_order),
        CASE(a_revision_may_come_before_what_it_revises),
        CASE(one_revision_may_revise_many),
        CASE(a_revision_with_another_route_is_without_effect),
        CASE(an_assertion_counts_in_its_epoch_and_without_one_in_all),
        CASE(an_epoch_that_is_superseded_by_its_author_counts_only_when_asked_for),
        CASE(an_epoch_may_supersede_what_comes_later),
        CASE(an_epoch_nobody_declared_is_an_epoch),
        CASE(a_retraction_shows_before_validity_and_epoch),
        CASE(a_moment_bounds_what_is_looked_at),
        CASE(what_came_later_did_not_exist),
        CASE(a_moment_in_a_damaged_batch_is_found),
        CASE(endorsements_are_the_latest_ballots_on_agents_and_sources),
        CASE(all_ballots_are_listed_and_the_latest_marked),
        CASE(revisions_are_listed_by_id),
        CASE(slots_are_walked_one_by_one),
        cmocka_unit_test(a_lie_is_found_not_believed),
        CASE(a_store_that_fails_at_any_call_is_told),
        CASE(no_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
