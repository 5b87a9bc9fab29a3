/* SPDX-License-Identifier: Apache-2.0 */
#include "lattice/mask.h"

#include "evidence_world.h"

#include <stdio.h>

static struct steme_record derived(struct steme_record record, const struct steme_hash *parents, size_t count)
{
    record.as.assertion.parents = parents;
    record.as.assertion.parent_count = count;
    return record;
}

static struct steme_record stated_by(struct steme_record record, const char *source)
{
    record.as.assertion.source = slice_text(source);
    return record;
}

/* Wishes of one id each, and what became of them. */
struct masking {
    uint8_t id[1][16];
    struct mask_wish wish;
    struct mask mask;
    struct touched touched;
    struct mask_miss miss;
};

static void wish_for(struct masking *m, char list, const struct steme_hash *id)
{
    *m = (struct masking){ .wish = { 0 } };
    memcpy(m->id[0], id->bytes, 16);
    const uint8_t(*ids)[16] = (const uint8_t(*)[16])m->id;
    if (list == 'a') m->wish = (struct mask_wish){ .agents = ids, .agent_count = 1 };
    if (list == 's') m->wish = (struct mask_wish){ .sources = ids, .source_count = 1 };
    if (list == 'e') m->wish = (struct mask_wish){ .epochs = ids, .epoch_count = 1 };
    if (list == 'i') m->wish = (struct mask_wish){ .assertions = ids, .assertion_count = 1 };
}

/* Mask, then gather "Pluto is a" again under it. */
static void look_without(struct world *w, struct masking *m)
{
    struct slot_ref slot = slot_of("Pluto", "is a");
    look_at_pluto(w);
    m->touched = touched_by(NULL, 0);
    OK(mask_make(&w->reader, &m->wish, &w->arena, &m->mask, &m->touched, &m->miss, &failure));
    struct reader masked;
    reader_share(&masked, &w->reader, w->reader.limit);
    masked.mask = &m->mask;
    OK(evidence_gather(&masked, &slot, NULL, &w->arena, &w->found, &failure));
    OK(evidence_read_all(&masked, &slot, &w->found, &w->arena, &failure));
    reader_deinit(&masked);
}

static void a_named_assertion_is_masked_with_what_derives_from_it(void **state)
{
    struct world *w = *state;
    struct masking m;
    struct steme_hash root = say(w, 0, pile_claim("Ceres", "is a", "planet"));
    struct steme_hash child = say(w, 1, derived(pluto_is("planet"), &root, 1));
    struct steme_hash grandchild = say(w, 2, derived(pluto_is("comet"), &child, 1));
    struct steme_hash other = say(w, 3, pluto_is("comet"));
    wish_for(&m, 'i', &root);
    look_without(w, &m);
    assert_int_equal(standing_of(w, child), STEME_MASKED);
    assert_int_equal(standing_of(w, grandchild), STEME_MASKED);
    assert_int_equal(standing_of(w, other), STEME_LIVE);
    assert_int_equal(m.mask.assertion_count, 3);
    assert_int_equal(m.mask.derived_count, 2);
    assert_int_equal(m.touched.slot_count, 2);
    assert_int_equal(m.miss.list, 0);
    m.wish.direct = true;
    look_without(w, &m);
    assert_int_equal(standing_of(w, child), STEME_LIVE);
    assert_int_equal(m.mask.assertion_count, 1);
    assert_int_equal(m.touched.slot_count, 1);
}

/* A child of several parents goes with any of them. */
static void any_parent_masked_is_enough(void **state)
{
    struct world *w = *state;
    for (unsigned which = 0; which < 3; which++) {
        struct masking m;
        struct steme_hash parents[3];
        for (unsigned i = 0; i < 3; i++) {
            char subject[16];
            (void)snprintf(subject, sizeof subject, "body %u", i);
            parents[i] = say(w, i, pile_claim(subject, "is a", "planet"));
        }
        struct steme_record record = derived(pluto_is("planet"), parents, 3);
        record.as.assertion.asserted_at_us += which;
        struct steme_hash child = say(w, 4, record);
        wish_for(&m, 'i', &parents[which]);
        look_without(w, &m);
        assert_int_equal(standing_of(w, child), STEME_MASKED);
    }
}

/* Its row stands under the same key as one of a record that is there. */
static void a_parent_that_only_begins_alike_is_another(void **state)
{
    struct world *w = *state;
    struct masking m;
    struct steme_hash root = say(w, 0, pile_claim("Ceres", "is a", "planet")), alike = root;
    alike.bytes[31] ^= 1;
    struct steme_hash child = say(w, 1, derived(pluto_is("planet"), &alike, 1));
    wish_for(&m, 'i', &root);
    look_without(w, &m);
    assert_int_equal(standing_of(w, child), STEME_LIVE);
    assert_int_equal(m.mask.assertion_count, 1);
}

static void an_agent_goes_with_assertions_votes_and_what_it_relays(void **state)
{
    struct world *w = *state;
    struct masking m;
    struct steme_hash own = say(w, 0, pluto_is("planet")), relayed = say(w, 0, stated_by(pluto_is("comet"), "NASA"));
    struct steme_hash others = say(w, 1, stated_by(pluto_is("planet"), "NASA")), agent = pile_agent_id(0);
    say(w, 0, pile_vote(pile_on_assertion("Pluto", others), STEME_SUPPORT));
    say(w, 2, pile_vote(pile_on_claim("Pluto", "is a", "planet", false), STEME_REFUTE));
    say(w, 2, pile_vote(pile_on_assertion("Pluto", own), STEME_SUPPORT));
    look_at_pluto(w);
    assert_ballots(w, 2, 1);
    wish_for(&m, 'a', &agent);
    look_without(w, &m);
    assert_int_equal(standing_of(w, own), STEME_MASKED);
    assert_int_equal(standing_of(w, relayed), STEME_MASKED);
    assert_int_equal(standing_of(w, others), STEME_LIVE);
    assert_ballots(w, 0, 1); /* its own vote is gone, and the one on its assertion with that */
    assert_int_equal(m.mask.ballot_count, 1);
}

/* An older ballot of a masked agent does not come back in place of its latest. */
static void no_older_ballot_steps_in(void **state)
{
    struct world *w = *state;
    struct masking m;
    struct steme_hash agent = pile_agent_id(3);
    struct steme_target target = pile_on_assertion("Pluto", say(w, 0, pluto_is("planet")));
    say(w, 3, cast_at(pile_vote(target, STEME_SUPPORT), 0, STEME_PPM));
    say(w, 3, cast_at(pile_vote(target, STEME_REFUTE), SECOND, STEME_PPM));
    wish_for(&m, 'a', &agent);
    look_without(w, &m);
    assert_ballots(w, 0, 0);
    assert_int_equal(m.mask.ballot_count, 2);
}

static void a_source_goes_whoever_relays_it(void **state)
{
    struct world *w = *state;
    struct masking m;
    struct steme_hash nasa = source_id(slice_text("NASA"));
    struct steme_hash a = say(w, 0, stated_by(pluto_is("planet"), "NASA"));
    struct steme_hash b = say(w, 1, stated_by(pluto_is("planet"), "NASA"));
    struct steme_hash c = say(w, 1, stated_by(pluto_is("planet"), "ESA"));
    wish_for(&m, 's', &nasa);
    look_without(w, &m);
    assert_int_equal(standing_of(w, a), STEME_MASKED);
    assert_int_equal(standing_of(w, b), STEME_MASKED);
    assert_int_equal(standing_of(w, c), STEME_LIVE);
}

static void an_epoch_goes_with_what_is_within_it_and_supersedes_nothing(void **state)
{
    struct world *w = *state;
    struct masking m;
    struct steme_hash old = say(w, 0, pile_epoch("before", NULL, 0));
    struct steme_hash new = say(w, 0, pile_epoch("after", &old, 1));
    struct steme_hash before = say_in(w, "planet", &old), after = say_in(w, "dwarf planet", &new);
    look_at_pluto(w);
    assert_int_equal(standing_of(w, before), STEME_OTHER_EPOCH);
    wish_for(&m, 'e', &new);
    look_without(w, &m);
    assert_int_equal(standing_of(w, before), STEME_LIVE);
    assert_int_equal(standing_of(w, after), STEME_MASKED);
    assert_true(m.touched.epochs);
}

static const struct {
    const char *name;
    unsigned masked; /* agent 1 or 2, or 3: the source */
    size_t want;     /* endorsements left of: 1 on 2, 2 on 4, 4 on the source, 4 on 5 */
} endorsements[] = {
    { "who endorses and is endorsed", 2, 2 },
    { "who endorses", 1, 3 },
    { "a source that is endorsed", 3, 3 },
};

static void endorsements_by_and_of_the_masked_go(void **state)
{
    struct world *w = *state;
    struct steme_hash source = source_id(slice_text("NASA"));
    say(w, 0, stated_by(pluto_is("planet"), "NASA"));
    say(w, 1, pile_vote(pile_on(STEME_ON_AGENT, pile_agent_id(2)), STEME_SUPPORT));
    say(w, 2, pile_vote(pile_on(STEME_ON_AGENT, pile_agent_id(4)), STEME_SUPPORT));
    say(w, 4, pile_vote(pile_on(STEME_ON_SOURCE, source), STEME_SUPPORT));
    say(w, 4, pile_vote(pile_on(STEME_ON_AGENT, pile_agent_id(5)), STEME_REFUTE));
    for (size_t i = 0; i < countof(endorsements); i++) {
        struct masking m;
        struct endorsement_row *rows = NULL;
        size_t count = 0;
        struct steme_hash agent = pile_agent_id(endorsements[i].masked);
        wish_for(&m, endorsements[i].masked == 3 ? 's' : 'a', endorsements[i].masked == 3 ? &source : &agent);
        look_without(w, &m);
        struct reader masked;
        reader_share(&masked, &w->reader, w->reader.limit);
        masked.mask = &m.mask;
        OK(evidence_endorsements(&masked, &w->arena, &rows, &count, &failure));
        reader_deinit(&masked);
        assert_row(count == endorsements[i].want, endorsements[i].name);
        assert_row(m.touched.weights, endorsements[i].name);
    }
}

static void a_wish_that_nothing_answers_to_is_named(void **state)
{
    struct world *w = *state;
    static const char lists[] = { 'a', 's', 'e', 'i' };
    struct steme_hash nobody = { { 7 } }, vote;
    vote = say(w, 1, pile_vote(pile_on_assertion("Pluto", say(w, 0, pluto_is("planet"))), STEME_SUPPORT));
    for (size_t i = 0; i < sizeof lists; i++) {
        struct masking m;
        wish_for(&m, lists[i], &nobody);
        look_without(w, &m);
        assert_int_equal(m.miss.list, lists[i]);
        assert_int_equal(m.mask.assertion_count, 0);
        assert_int_equal(w->found.testimonies[0].standing, STEME_LIVE);
    }
    struct masking m;
    wish_for(&m, 'i', &vote); /* a record, but no assertion */
    look_without(w, &m);
    assert_int_equal(m.miss.list, 'i');
}

static void what_comes_behind_the_limit_is_not_looked_at(void **state)
{
    struct world *w = *state;
    struct masking m;
    struct look early = LATEST;
    struct slot_ref slot = slot_of("Pluto", "is a");
    struct steme_hash agent = pile_agent_id(0);
    struct steme_hash root = say(w, 0, pluto_is("planet"));
    say(w, 1, derived(pluto_is("comet"), &root, 1));
    early.as_of = 1;
    look_at(w, "Pluto", "is a", &early);
    wish_for(&m, 'a', &agent);
    OK(mask_make(&w->reader, &m.wish, &w->arena, &m.mask, &m.touched, &m.miss, &failure));
    assert_int_equal(m.mask.assertion_count, 1);
    assert_int_equal(m.touched.slot_count, 1);
    assert_int_equal(slot_ref_compare(&m.touched.slots[0], &slot), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EVIDENCE_CASE(a_named_assertion_is_masked_with_what_derives_from_it),
        EVIDENCE_CASE(any_parent_masked_is_enough),
        EVIDENCE_CASE(a_parent_that_only_begins_alike_is_another),
        EVIDENCE_CASE(an_agent_goes_with_assertions_votes_and_what_it_relays),
        EVIDENCE_CASE(no_older_ballot_steps_in),
        EVIDENCE_CASE(a_source_goes_whoever_relays_it),
        EVIDENCE_CASE(an_epoch_goes_with_what_is_within_it_and_supersedes_nothing),
        EVIDENCE_CASE(endorsements_by_and_of_the_masked_go),
        EVIDENCE_CASE(a_wish_that_nothing_answers_to_is_named),
        EVIDENCE_CASE(what_comes_behind_the_limit_is_not_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
