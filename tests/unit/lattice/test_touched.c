/* SPDX-License-Identifier: Apache-2.0 */
#include "lattice/touched.h"

#include "evidence_world.h"

#include <stdio.h>

static const struct reach slot_only, predicate_too = { .predicate = true }, endorsements_too = { .endorsements = true };

/* The word of agent 0 on cardinality counts. */
static struct touched trusting(void)
{
    static uint8_t trusted[1][16];
    memcpy(trusted[0], pile_agent_id(0).bytes, sizeof trusted[0]);
    return touched_by((const uint8_t(*)[16])trusted, countof(trusted));
}

/* What the last record said bears on. */
static void touch_last(struct world *w, struct touched *out)
{
    struct wal_entry entry;
    uint64_t location = 0;
    stop_looking(w);
    write_rest(w);
    w->kv = indexer_index(&w->log);
    OK(begin_reading(w, &latest));
    OK(evidence_locate(&w->reader, w->pile.ids[w->pile.record_count - 1].bytes, NULL, &location, &failure));
    OK(evidence_record(&w->reader, location, &entry, &failure));
    *out = trusting();
    OK(touched_add(&w->reader, &entry, 1, &w->arena, out, &failure));
    OK(touched_settle(&w->reader, &w->arena, out, &failure));
}

static void say_pluto(struct world *w) { say(w, 0, pluto_is("planet")); }
static void say_of_charon(struct world *w)
{
    (void)say(w, 0, pile_claim("Charon", "is a", "moon"));
    (void)say(w, 1, pile_claim("Pluto", "mass", "much"));
}
static void vote_on_it(struct world *w)
{
    struct steme_hash id = say(w, 0, pluto_is("planet"));
    say_of_charon(w);
    say(w, 1, pile_vote(pile_on_assertion("Pluto", id), STEME_SUPPORT));
}
static void vote_on_nobodys(struct world *w)
{
    say(w, 1, pile_vote(pile_on_assertion("Pluto", pile_agent_id(7)), STEME_SUPPORT));
}
static void vote_on_its_claim(struct world *w)
{
    say_pluto(w);
    say_of_charon(w);
    say(w, 1, pile_vote(pile_on_claim("Pluto", "is a", "planet", true), STEME_SUPPORT));
}
static void vote_on_unsaid_claim(struct world *w)
{
    say_pluto(w);
    say(w, 1, pile_vote(pile_on_claim("Pluto", "is a", "comet", false), STEME_SUPPORT));
}
static void vote_on_agent(struct world *w)
{
    say(w, 1, pile_vote(pile_on(STEME_ON_AGENT, pile_agent_id(7)), STEME_SUPPORT));
}
static void vote_on_source(struct world *w)
{
    say(w, 1, pile_vote(pile_on(STEME_ON_SOURCE, pile_agent_id(7)), STEME_SUPPORT));
}
static void vote_on_epoch(struct world *w)
{
    say(w, 1, pile_vote(pile_on(STEME_ON_EPOCH, pile_agent_id(7)), STEME_SUPPORT));
}
static void an_epoch(struct world *w) { say(w, 0, pile_epoch("before 2006", NULL, 0)); }
static void retract_it(struct world *w)
{
    struct steme_target target = pile_on_assertion("Pluto", say(w, 0, pluto_is("planet")));
    say_of_charon(w);
    say(w, 0, pile_revision(STEME_RETRACT, &target, 1, NULL));
}
static void retract_vote(struct world *w)
{
    struct steme_target target = pile_on_assertion("Pluto", say(w, 0, pluto_is("planet")));
    struct steme_target vote = { STEME_ON_VOTE, target.route, say(w, 1, pile_vote(target, STEME_REFUTE)) };
    say(w, 1, pile_revision(STEME_RETRACT, &vote, 1, NULL));
}
static void retract_endorsement(struct world *w)
{
    struct steme_target agent = pile_on(STEME_ON_AGENT, pile_agent_id(7));
    struct steme_target vote = { STEME_ON_VOTE, agent.route, say(w, 1, pile_vote(agent, STEME_SUPPORT)) };
    say(w, 1, pile_revision(STEME_RETRACT, &vote, 1, NULL));
}
static void make_many(struct world *w) { say(w, 0, pile_claim("is a", "steme:cardinality", "steme:many")); }
static void make_many_unasked(struct world *w) { say(w, 1, pile_claim("is a", "steme:cardinality", "steme:many")); }
static void retract_anothers(struct world *w)
{
    struct steme_target target = pile_on_assertion("Pluto", say(w, 0, pluto_is("planet")));
    say(w, 1, pile_revision(STEME_RETRACT, &target, 1, NULL));
}
static void retract_anothers_vote(struct world *w)
{
    struct steme_target target = pile_on_assertion("Pluto", say(w, 0, pluto_is("planet")));
    struct steme_target vote = { STEME_ON_VOTE, target.route, say(w, 1, pile_vote(target, STEME_REFUTE)) };
    say(w, 0, pile_revision(STEME_RETRACT, &vote, 1, NULL));
}
static void retract_many(struct world *w)
{
    struct steme_target target = pile_on_assertion("is a",
                                                   say(w, 0, pile_claim("is a", "steme:cardinality", "steme:many")));
    say(w, 0, pile_revision(STEME_RETRACT, &target, 1, NULL));
}

static const struct {
    const char *name;
    void (*say)(struct world *);
    bool pluto, schema; /* the slot "Pluto is a" and the one of its cardinality, and no other */
    bool predicate, weights, epochs;
} touches[] = {
    { "an assertion touches its slot", say_pluto, .pluto = true },
    { "a vote touches its assertion's slot", vote_on_it, .pluto = true },
    { "a vote on what isn't there touches nothing", vote_on_nobodys, .pluto = false },
    { "a vote touches the slot that has its claim", vote_on_its_claim, .pluto = true },
    { "a vote on a claim that nobody makes touches nothing", vote_on_unsaid_claim, .pluto = false },
    { "a vote on an agent touches weights", vote_on_agent, .weights = true },
    { "a vote on a source touches weights", vote_on_source, .weights = true },
    { "a vote on an epoch touches nothing", vote_on_epoch, .pluto = false },
    { "an epoch touches epochs", an_epoch, .epochs = true },
    { "a revision touches its target's slot", retract_it, .pluto = true },
    { "a revision of a vote touches what the vote does", retract_vote, .pluto = true },
    { "a revision of an endorsement touches weights", retract_endorsement, .weights = true },
    { "another's revision touches nothing", retract_anothers, .pluto = false },
    { "nor another's of a vote", retract_anothers_vote, .pluto = false },
    { "a cardinality by somebody who isn't trusted touches its slot alone", make_many_unasked, .schema = true },
    { "a cardinality touches its predicate", make_many, .schema = true, .predicate = true },
    { "so does its revision", retract_many, .schema = true, .predicate = true },
};

static void a_record_touches_what_it_bears_on_and_no_more(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(touches); i++) {
        void *made = NULL;
        struct touched touched;
        struct slot_ref pluto = slot_of("Pluto", "is a"), schema = slot_of("is a", "steme:cardinality");
        struct slot_ref other = slot_of("Charon", "is a");
        assert_int_equal(open_world(&made), 0);
        struct world *w = made;
        touches[i].say(w);
        touch_last(w, &touched);
        size_t slots = (size_t)touches[i].pluto + touches[i].schema;
        assert_row(touched.slot_count == slots, touches[i].name);
        assert_row(!touches[i].pluto || slot_ref_compare(&touched.slots[0], &pluto) == 0, touches[i].name);
        assert_row(!touches[i].schema || slot_ref_compare(&touched.slots[0], &schema) == 0, touches[i].name);
        assert_row(touched.weights == touches[i].weights, touches[i].name);
        assert_row(touched.epochs == touches[i].epochs, touches[i].name);
        assert_row(touched.schemas.count == touches[i].predicate, touches[i].name);
        /* "Charon is a" shares the predicate; weights and the predicate concern it where they are looked at. */
        bool all = touches[i].predicate || touches[i].epochs;
        assert_row(touched_has(&touched, &other, slot_only) == all, touches[i].name);
        assert_row(touched_has(&touched, &other, endorsements_too) == (all || touches[i].weights), touches[i].name);
        assert_row(touched_has(&touched, &other, predicate_too) == (all || touches[i].pluto), touches[i].name);
        assert_row(touched_has(&touched, &pluto, slot_only) == (all || touches[i].pluto), touches[i].name);
        assert_row(touched_widely(&touched, slot_only) == all, touches[i].name);
        assert_row(touched_widely(&touched, predicate_too) == (all || slots), touches[i].name);
        close_world(&made);
    }
}

static void what_many_records_touch_is_sorted_and_named_once(void **state)
{
    struct world *w = *state;
    struct touched touched = trusting();
    for (unsigned agent = 0; agent < 9; agent++) {
        char subject[16];
        (void)snprintf(subject, sizeof subject, "body %u", agent % 5);
        (void)say(w, agent, pile_claim(subject, "is a", "planet"));
    }
    write_rest(w);
    w->kv = indexer_index(&w->log);
    OK(begin_reading(w, &latest));
    for (size_t i = 0; i < w->pile.record_count; i++) {
        struct wal_entry entry;
        uint64_t location = 0;
        OK(evidence_locate(&w->reader, w->pile.ids[i].bytes, NULL, &location, &failure));
        OK(evidence_record(&w->reader, location, &entry, &failure));
        OK(touched_add(&w->reader, &entry, 1, &w->arena, &touched, &failure));
    }
    OK(touched_settle(&w->reader, &w->arena, &touched, &failure));
    assert_int_equal(touched.slot_count, 5);
    for (size_t i = 1; i < touched.slot_count; i++)
        assert_true(slot_ref_compare(&touched.slots[i - 1], &touched.slots[i]) < 0);
}

static void bytes_that_are_no_record_touch_nothing(void **state)
{
    struct world *w = *state;
    static const uint8_t nonsense[64] = { 9 };
    struct wal_entry entry = { .bytes = slice_of(nonsense, sizeof nonsense) };
    struct touched touched = trusting();
    w->kv = indexer_index(&w->log);
    OK(begin_reading(w, &latest));
    OK(touched_add(&w->reader, &entry, 1, &w->arena, &touched, &failure));
    OK(touched_settle(&w->reader, &w->arena, &touched, &failure));
    assert_int_equal(touched.slot_count, 0);
    assert_false(touched_widely(&touched, endorsements_too));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_touches_what_it_bears_on_and_no_more),
        EVIDENCE_CASE(what_many_records_touch_is_sorted_and_named_once),
        EVIDENCE_CASE(bytes_that_are_no_record_touch_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
