/* SPDX-License-Identifier: Apache-2.0 */
#include "lattice/dependants.h"

#include "evidence_world.h"

#include <stdio.h>

static struct steme_hash derive(struct world *w, unsigned agent, const char *subject, const struct steme_hash *parents,
                                size_t count)
{
    struct steme_record record = pile_claim(subject, "is a", "planet");
    record.as.assertion.parents = parents;
    record.as.assertion.parent_count = count;
    return say(w, agent, record);
}

static struct dependants count_of_pluto(struct world *w, size_t limit)
{
    struct slot_ref slot = slot_of("Pluto", "is a");
    struct dependants found = { 0 };
    look_at_pluto(w);
    OK(dependants_count(&w->reader, &slot, &w->found, limit, &w->arena, &found, &failure));
    return found;
}

static void assert_count(struct dependants found, size_t want, bool more)
{
    assert_int_equal(found.count, want);
    assert_int_equal(found.more, more);
}

static void each_is_counted_once_however_it_derives(void **state)
{
    struct world *w = *state;
    struct steme_hash tops[2] = { say(w, 0, pluto_is("planet")), say(w, 1, pluto_is("comet")) };
    assert_count(count_of_pluto(w, 100), 0, false);
    struct steme_hash middle[2] = { derive(w, 2, "Ceres", tops, 2), derive(w, 3, "Eris", &tops[0], 1) };
    (void)derive(w, 4, "Sedna", middle, 2);
    (void)derive(w, 5, "Vesta", NULL, 0);
    assert_count(count_of_pluto(w, 100), 3, false);
}

static void what_is_not_live_does_not_count_but_is_walked_through(void **state)
{
    struct world *w = *state;
    struct steme_hash top = say(w, 0, pluto_is("planet")), dead = say(w, 1, pluto_is("comet"));
    struct steme_hash child = derive(w, 2, "Ceres", &top, 1);
    (void)derive(w, 3, "Eris", &child, 1);
    (void)derive(w, 4, "Sedna", &dead, 1);
    struct steme_target targets[2] = { pile_on_assertion("Ceres", child), pile_on_assertion("Pluto", dead) };
    say(w, 2, pile_revision(STEME_RETRACT, &targets[0], 1, NULL));
    say(w, 1, pile_revision(STEME_RETRACT, &targets[1], 1, NULL));
    assert_count(count_of_pluto(w, 100), 1, false);
}

static void past_its_limit_it_says_at_least(void **state)
{
    struct world *w = *state;
    struct steme_hash top = say(w, 0, pluto_is("planet"));
    for (unsigned i = 0; i < 10; i++) {
        char subject[16];
        (void)snprintf(subject, sizeof subject, "body %u", i);
        struct steme_hash child = derive(w, i, subject, &top, 1);
        if (i % 2) top = child; /* wide and deep */
    }
    assert_count(count_of_pluto(w, 10), 10, false);
    assert_count(count_of_pluto(w, 9), 9, true);
    assert_count(count_of_pluto(w, 1), 1, true);
    assert_count(count_of_pluto(w, 0), 0, true);
}

static void a_chain_of_any_length_is_walked(void **state)
{
    struct world *w = *state;
    enum { LENGTH = 3000 };
    struct steme_hash last = say(w, 0, pluto_is("planet"));
    for (unsigned i = 0; i < LENGTH; i++) {
        char subject[16];
        (void)snprintf(subject, sizeof subject, "body %u", i);
        last = derive(w, i % PILE_AGENTS, subject, &last, 1);
    }
    assert_count(count_of_pluto(w, 2 * LENGTH), LENGTH, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EVIDENCE_CASE(each_is_counted_once_however_it_derives),
        EVIDENCE_CASE(what_is_not_live_does_not_count_but_is_walked_through),
        EVIDENCE_CASE(past_its_limit_it_says_at_least),
        EVIDENCE_CASE(a_chain_of_any_length_is_walked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
