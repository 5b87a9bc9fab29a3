/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence_world.h"

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
    assert_memory_equal(&a->identity->claim, &b->identity->claim, 32);
    assert_false(claim_negated(&b->identity->claim));
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

static const struct {
    const char *name;
    int64_t from, to, at;
    enum steme_standing want;
} validity[] = {
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

static const struct {
    const char *name;
    struct cast_row casts[3];
    size_t count, support, refute;
} ballot_rows[] = {
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
            struct steme_record vote = pile_vote(pile_on_assertion("Pluto", id), which ? STEME_SUPPORT : STEME_REFUTE);
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

static const struct {
    const char *name;
    bool not_target;
    enum steme_stance stance;
    bool support;
} polarities[] = {
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

static const struct {
    const char *name;
    enum steme_revision_kind kind;
    enum steme_standing want;
} revisions[] = {
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

/* Revisions are met in the order of their ids, which is no order of theirs: either may come last. */
static void a_retraction_outweighs_a_correction_whatever_their_ids(void **state)
{
    (void)state;
    unsigned first = 0, last = 0;
    for (unsigned k = 0; k < 16; k++) {
        void *own = NULL;
        assert_int_equal(open_world(&own), 0);
        struct world *w = own;
        struct steme_hash id = say(w, 0, pluto_is("planet")), new = say(w, 0, pluto_is("comet"));
        struct steme_target target = pile_on_assertion("Pluto", id);
        struct steme_record retraction = pile_revision(STEME_RETRACT, &target, 1, NULL);
        retraction.as.revision.revised_at_us += k;
        struct steme_hash retracted = say(w, 0, retraction);
        struct steme_hash updated = say(w, 0, pile_revision(STEME_UPDATE, &target, 1, &new));
        *(memcmp(&retracted, &updated, sizeof updated) < 0 ? &first : &last) += 1;
        look_at_pluto(w);
        assert_int_equal(standing_of(w, id), STEME_RETRACTED);
        (void)close_world(&own);
    }
    assert_true(first > 0 && last > 0);
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

static void an_assertion_counts_in_its_epoch_and_without_one_in_all(void **state)
{
    struct world *w = *state;
    struct steme_hash before = say(w, 0, pile_epoch("before", NULL, 0)),
                      after = say(w, 0, pile_epoch("after", NULL, 0));
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        EVIDENCE_CASE(nothing_is_found_where_nothing_was_said),
        EVIDENCE_CASE(assertions_come_by_claim_and_voice_then_time),
        EVIDENCE_CASE(a_negated_assertion_shares_the_claim_of_what_it_denies),
        EVIDENCE_CASE(a_source_is_the_voice_where_there_is_one),
        EVIDENCE_CASE(an_assertion_is_valid_from_its_beginning_until_before_its_end),
        EVIDENCE_CASE(a_vote_may_come_before_its_assertion),
        cmocka_unit_test(the_latest_ballot_counts_in_whatever_order_they_come),
        cmocka_unit_test(a_tie_in_time_goes_to_the_greater_id),
        EVIDENCE_CASE(each_voter_and_each_target_has_a_ballot_of_its_own),
        cmocka_unit_test(a_vote_on_not_x_is_turned_towards_x),
        EVIDENCE_CASE(votes_on_both_polarities_are_one_ballot),
        EVIDENCE_CASE(a_vote_on_an_assertion_of_not_x_is_turned_towards_x),
        EVIDENCE_CASE(a_vote_with_another_route_never_counts),
        EVIDENCE_CASE(a_vote_of_the_wrong_kind_never_counts),
        EVIDENCE_CASE(a_retracted_vote_takes_its_voter_off_the_target),
        EVIDENCE_CASE(a_vote_goes_with_its_assertion),
        cmocka_unit_test(a_revision_is_effective_for_the_author_s_own_and_a_proposal_for_others),
        cmocka_unit_test(a_retraction_outweighs_a_correction_in_any_order),
        cmocka_unit_test(a_retraction_outweighs_a_correction_whatever_their_ids),
        EVIDENCE_CASE(a_revision_may_come_before_what_it_revises),
        EVIDENCE_CASE(one_revision_may_revise_many),
        EVIDENCE_CASE(a_revision_with_another_route_is_without_effect),
        EVIDENCE_CASE(an_assertion_counts_in_its_epoch_and_without_one_in_all),
        EVIDENCE_CASE(an_epoch_that_is_superseded_by_its_author_counts_only_when_asked_for),
        EVIDENCE_CASE(an_epoch_may_supersede_what_comes_later),
        EVIDENCE_CASE(an_epoch_nobody_declared_is_an_epoch),
        EVIDENCE_CASE(a_retraction_shows_before_validity_and_epoch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
