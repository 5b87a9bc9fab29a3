/* SPDX-License-Identifier: Apache-2.0 */
#include "base/check.h"
#include "base/slice.h"
#include "lib/shop.h"
#include "lib/testing.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct steme_error failure;

#define OK(call) assert_status((call), STEME_OK, &failure, #call)

static struct steme_question ask(const char *subject, const char *predicate)
{
    return (struct steme_question){ .subject = slice_text(subject), .predicate = slice_text(predicate) };
}

static bool is_text(struct steme_slice slice, const char *text) { return slice_equal(slice, slice_text(text)); }

/* Pluto: a planet says 0, a dwarf planet say 1 and 2. Ceres: an asteroid says 0. Eris: 1 says it is a planet, 2 that it
 * is not. */
static void tell_of_planets(struct shop *shop)
{
    struct pile pile;
    struct steme_record denial = pile_claim("Eris", "is a", "planet");
    denial.as.assertion.negated = true;
    pile_init(&pile);
    (void)pile_add(&pile, 0, pile_claim("Pluto", "is a", "planet"));
    (void)pile_add(&pile, 1, pile_claim("Pluto", "is a", "dwarf planet"));
    (void)pile_add(&pile, 2, pile_claim("Pluto", "is a", "dwarf planet"));
    (void)pile_add(&pile, 0, pile_claim("Ceres", "is a", "asteroid"));
    (void)pile_add(&pile, 1, pile_claim("Eris", "is a", "planet"));
    (void)pile_add(&pile, 2, denial);
    (void)pile_add(&pile, 0, pile_claim("Pluto", "mass", "small"));
    shop_submit_all(shop, &pile);
    pile_deinit(&pile);
}

/* ---- one question ---- */

static void a_question_is_answered(void **state)
{
    struct shop *shop = *state;
    struct steme_answer answer;
    struct steme_question question = ask("Pluto", "is a");
    tell_of_planets(shop);
    struct steme_snapshot *snapshot = shop_look(shop->store);
    OK(steme_resolve(snapshot, &question, &answer, &failure));
    assert_true(is_text(answer.subject, "Pluto") && is_text(answer.predicate, "is a"));
    assert_int_equal(answer.key_qualifiers.size, 0);
    assert_string_equal(answer.lens, "consensus");
    assert_int_equal(answer.belief_count, 2);
    assert_true(is_text(answer.beliefs[0].value.text, "dwarf planet"));
    assert_int_equal(answer.beliefs[0].assertions, 2);
    assert_int_equal(answer.beliefs[0].support_voices, 2);
    assert_int_equal(answer.voices, 3);
    assert_int_equal(answer.assertions, 3);
    assert_true(answer.functional);
    assert_int_equal(answer.as_of_sequence, 7);
    steme_snapshot_close(&snapshot);
}

static void what_nobody_spoke_of_is_unknown(void **state)
{
    struct shop *shop = *state;
    struct steme_answer answer, again;
    struct steme_question question = ask("Charon", "is a");
    struct pile pile;
    tell_of_planets(shop);
    struct steme_snapshot *snapshot = shop_look(shop->store);
    OK(steme_resolve(snapshot, &question, &answer, &failure));
    assert_int_equal(answer.verdict, STEME_UNDECIDED);
    assert_int_equal(answer.belief_count, 0);
    assert_true(is_text(answer.subject, "Charon") && is_text(answer.predicate, "is a"));
    struct steme_hash slot = answer.slot;
    steme_snapshot_close(&snapshot);
    /* It has the slot's id all the same. */
    pile_init(&pile);
    (void)pile_add(&pile, 0, pile_claim("Charon", "is a", "moon"));
    shop_submit_all(shop, &pile);
    snapshot = shop_look(shop->store);
    OK(steme_resolve(snapshot, &question, &again, &failure));
    assert_int_equal(again.belief_count, 1);
    assert_memory_equal(&again.slot, &slot, sizeof slot);
    steme_snapshot_close(&snapshot);
    pile_deinit(&pile);
}

static char long_name[STEME_NAME_MAX + 2];

static const struct {
    const char *name, *subject, *predicate, *lens;
    double damping, prior;
    int64_t half_life_us;
    steme_status want;
} bad[] = {
    { "no subject", "", "is a", NULL, 0, 0, 0, STEME_BAD_INPUT },
    { "no predicate", "Pluto", "", NULL, 0, 0, 0, STEME_BAD_INPUT },
    { "a subject that is not UTF-8", "\xff", "is a", NULL, 0, 0, 0, STEME_BAD_INPUT },
    { "a subject that is not NFC", "Cafe\xcc\x81", "is a", NULL, 0, 0, 0, STEME_BAD_INPUT },
    { "a predicate with a newline", "Pluto", "is\na", NULL, 0, 0, 0, STEME_BAD_INPUT },
    { "a subject that is too long", long_name, "is a", NULL, 0, 0, 0, STEME_TOO_LARGE },
    { "no such lens", "Pluto", "is a", "oracle", 0, 0, 0, STEME_BAD_INPUT },
    { "a damping of 1", "Pluto", "is a", "authority", 1, 0, 0, STEME_BAD_INPUT },
    { "a prior that is no number", "Pluto", "is a", "consensus", 0, NAN, 0, STEME_BAD_INPUT },
    { "a half life that is negative", "Pluto", "is a", "recency", 0, 0, -1, STEME_BAD_INPUT },
};

static void a_question_that_is_none_is_refused(void **state)
{
    struct shop *shop = *state;
    memset(long_name, 'n', sizeof long_name - 1);
    for (unsigned empty = 0; empty < 2; empty++) {
        struct steme_snapshot *snapshot = shop_look(shop->store);
        for (size_t i = 0; i < countof(bad); i++) {
            struct steme_question question = ask(bad[i].subject, bad[i].predicate);
            struct steme_answer answer;
            struct steme_explanation why;
            question.lens = (struct steme_lens){ .name = bad[i].lens,
                                                 .damping = bad[i].damping,
                                                 .prior = bad[i].prior,
                                                 .half_life_us = bad[i].half_life_us };
            assert_status(steme_resolve(snapshot, &question, &answer, &failure), bad[i].want, &failure, bad[i].name);
            assert_status(steme_why(snapshot, &question, &why, &failure), bad[i].want, &failure, bad[i].name);
        }
        steme_snapshot_close(&snapshot);
        tell_of_planets(shop);
    }
}

/* ---- key qualifiers ---- */

static void a_key_qualifier_makes_another_question(void **state)
{
    struct shop *shop = *state;
    struct pile pile;
    static const struct steme_qualifier stored[] = {
        { { (const uint8_t *)"year", 4 }, { (const uint8_t *)"2006", 4 }, true },
        { { (const uint8_t *)"note", 4 }, { (const uint8_t *)"x", 1 }, false },
        { { (const uint8_t *)"by", 2 }, { (const uint8_t *)"IAU", 3 }, true }
    };
    const struct steme_qualifier asked[] = { { slice_text("by"), slice_text("IAU"), false },
                                             { slice_text("year"), slice_text("2006"), false } };
    struct steme_record qualified = pile_claim("Pluto", "is a", "dwarf planet");
    qualified.as.assertion.qualifiers = stored;
    qualified.as.assertion.qualifier_count = countof(stored);
    pile_init(&pile);
    (void)pile_add(&pile, 0, pile_claim("Pluto", "is a", "planet"));
    (void)pile_add(&pile, 0, qualified);
    shop_submit_all(shop, &pile);
    struct steme_snapshot *snapshot = shop_look(shop->store);
    struct steme_question plain = ask("Pluto", "is a"), question = plain, other = plain;
    struct steme_answer answer;
    OK(steme_resolve(snapshot, &plain, &answer, &failure));
    assert_int_equal(answer.belief_count, 1);
    assert_true(is_text(answer.beliefs[0].value.text, "planet"));
    for (size_t order = 0; order < 2; order++) {
        struct steme_qualifier turned[] = { asked[order], asked[1 - order] };
        question.key_qualifiers = turned;
        question.key_qualifier_count = 2;
        OK(steme_resolve(snapshot, &question, &answer, &failure));
        assert_int_equal(answer.belief_count, 1);
        assert_true(is_text(answer.beliefs[0].value.text, "dwarf planet"));
        assert_true(is_text(answer.key_qualifiers, "by=IAU, year=2006"));
    }
    other.key_qualifiers = asked;
    other.key_qualifier_count = 1;
    OK(steme_resolve(snapshot, &other, &answer, &failure));
    assert_int_equal(answer.belief_count, 0);
    struct steme_qualifier twice[] = { asked[0], asked[0] };
    other.key_qualifiers = twice;
    other.key_qualifier_count = 2;
    assert_int_equal(steme_resolve(snapshot, &other, &answer, &failure), STEME_BAD_INPUT);
    static struct steme_qualifier many[STEME_QUALIFIERS_MAX + 1];
    for (size_t i = 0; i < countof(many); i++)
        many[i] = asked[0];
    other.key_qualifiers = many;
    other.key_qualifier_count = countof(many);
    assert_int_equal(steme_resolve(snapshot, &other, &answer, &failure), STEME_TOO_LARGE);
    steme_snapshot_close(&snapshot);
    pile_deinit(&pile);
}

/* ---- every slot ---- */

struct visits {
    char seen[512];
    size_t count, stop_at;
    steme_status with;
};

static steme_status note_answer(void *context, const struct steme_answer *answer)
{
    struct visits *visits = context;
    size_t used = strlen(visits->seen);
    (void)snprintf(visits->seen + used, sizeof visits->seen - used, "%.*s/%.*s ", SLICE_PRINT(answer->subject),
                   SLICE_PRINT(answer->predicate));
    return ++visits->count == visits->stop_at ? visits->with : STEME_OK;
}

static const struct {
    const char *name, *subject, *predicate;
    size_t count;
} patterns[] = {
    { "all", "", "", 4 },           { "of a subject", "Pluto", "", 2 }, { "of a predicate", "", "is a", 3 },
    { "one", "Eris", "is a", 1 },   { "of nobody", "Charon", "", 0 },   { "of nothing", "", "colour", 0 },
    { "none", "Ceres", "mass", 0 },
};

static void every_slot_that_matches_is_answered_once(void **state)
{
    struct shop *shop = *state;
    tell_of_planets(shop);
    struct steme_snapshot *snapshot = shop_look(shop->store);
    for (size_t i = 0; i < countof(patterns); i++) {
        struct visits visits = { .count = 0 };
        struct steme_question pattern = ask(patterns[i].subject, patterns[i].predicate);
        OK(steme_resolve_each(snapshot, &pattern, note_answer, &visits, &failure));
        assert_row(visits.count == patterns[i].count, patterns[i].name);
    }
    steme_snapshot_close(&snapshot);
}

static const steme_status ends[] = { STEME_FAILED, STEME_NOT_FOUND, STEME_CORRUPT, STEME_MISMATCH };

static void a_visitor_s_answer_ends_the_walk_and_is_returned(void **state)
{
    struct shop *shop = *state;
    struct steme_info info;
    tell_of_planets(shop);
    struct steme_snapshot *snapshot = shop_look(shop->store);
    for (size_t i = 0; i < countof(ends); i++) {
        struct visits visits = { .stop_at = 2, .with = ends[i] };
        struct steme_question pattern = ask("", "");
        assert_int_equal(steme_resolve_each(snapshot, &pattern, note_answer, &visits, &failure), ends[i]);
        assert_int_equal(visits.count, 2);
    }
    OK(steme_info(shop->store, &info, &failure));
    assert_int_equal(info.index_rebuilds, 0); /* a visitor's CORRUPT is none of ours */
    steme_snapshot_close(&snapshot);
}

static void a_bad_lens_is_refused_where_there_is_nothing_to_judge(void **state)
{
    struct shop *shop = *state;
    struct visits visits = { .count = 0 };
    struct steme_question pattern = { .lens = { .name = "oracle" } };
    const struct steme_conflict *conflicts = NULL;
    size_t count = 0;
    struct steme_snapshot *snapshot = shop_look(shop->store);
    assert_int_equal(steme_resolve_each(snapshot, &pattern, note_answer, &visits, &failure), STEME_BAD_INPUT);
    assert_int_equal(steme_conflicts(snapshot, &pattern.lens, 5, &conflicts, &count, &failure), STEME_BAD_INPUT);
    steme_snapshot_close(&snapshot);
}

/* ---- epochs ---- */

static void an_epoch_narrows_the_question(void **state)
{
    struct shop *shop = *state;
    struct pile pile;
    struct steme_answer answer;
    struct steme_question question = ask("Pluto", "is a");
    pile_init(&pile);
    struct steme_hash before = pile_add(&pile, 0, pile_epoch("before 2006", NULL, 0));
    struct steme_hash after = pile_add(&pile, 0, pile_epoch("since 2006", &before, 1));
    struct steme_record old = pile_claim("Pluto", "is a", "planet"), new = pile_claim("Pluto", "is a", "dwarf planet");
    old.as.assertion.has_epoch = new.as.assertion.has_epoch = true;
    old.as.assertion.epoch = before;
    new.as.assertion.epoch = after;
    (void)pile_add(&pile, 0, old);
    (void)pile_add(&pile, 0, new);
    shop_submit_all(shop, &pile);
    struct steme_snapshot *snapshot = shop_look(shop->store);
    OK(steme_resolve(snapshot, &question, &answer, &failure));
    assert_int_equal(answer.belief_count, 1);
    assert_true(is_text(answer.beliefs[0].value.text, "dwarf planet"));
    question.epoch = &before;
    OK(steme_resolve(snapshot, &question, &answer, &failure));
    assert_int_equal(answer.belief_count, 1);
    assert_true(is_text(answer.beliefs[0].value.text, "planet"));
    struct visits visits = { .count = 0 };
    OK(steme_resolve_each(snapshot, &question, note_answer, &visits, &failure));
    assert_int_equal(visits.count, 1);
    steme_snapshot_close(&snapshot);
    pile_deinit(&pile);
}

/* ---- conflicts ---- */

static void the_most_contested_slots_come_first(void **state)
{
    struct shop *shop = *state;
    const struct steme_conflict *conflicts = NULL;
    size_t count = 0;
    struct steme_lens lens = { .name = NULL };
    tell_of_planets(shop);
    struct steme_snapshot *snapshot = shop_look(shop->store);
    OK(steme_conflicts(snapshot, &lens, 10, &conflicts, &count, &failure));
    assert_int_equal(count, 2);
    assert_true(conflicts[0].contest >= conflicts[1].contest);
    for (size_t i = 0; i < count; i++) {
        struct steme_question question = { .subject = conflicts[i].answer.subject,
                                           .predicate = conflicts[i].answer.predicate };
        struct steme_answer answer;
        assert_true(conflicts[i].contest > 0 && conflicts[i].contest <= 1);
        OK(steme_resolve(snapshot, &question, &answer, &failure));
        assert_int_equal(answer.belief_count, conflicts[i].answer.belief_count);
        for (size_t k = 0; k < answer.belief_count; k++)
            assert_memory_equal(&answer.beliefs[k].claim, &conflicts[i].answer.beliefs[k].claim, 32);
        assert_memory_equal(&answer.slot, &conflicts[i].answer.slot, sizeof answer.slot);
    }
    struct steme_slice first = conflicts[0].answer.subject;
    OK(steme_conflicts(snapshot, &lens, 1, &conflicts, &count, &failure));
    assert_int_equal(count, 1);
    assert_true(slice_equal(conflicts[0].answer.subject, first));
    OK(steme_conflicts(snapshot, &lens, 0, &conflicts, &count, &failure));
    assert_int_equal(count, 0);
    OK(steme_conflicts(snapshot, &lens, SIZE_MAX, &conflicts, &count, &failure)); /* all there are */
    assert_int_equal(count, 2);
    steme_snapshot_close(&snapshot);
}

/* Ties go by subject, then predicate; of more than max the first are kept. */
static void equal_conflicts_come_by_name(void **state)
{
    struct shop *shop = *state;
    struct pile pile;
    enum { SLOTS = 40, MAX = 7 };
    const struct steme_conflict *conflicts = NULL;
    size_t count = 0;
    struct steme_lens lens = { .name = NULL };
    char names[SLOTS][8];
    pile_init(&pile);
    for (size_t i = 0; i < SLOTS; i++) {
        (void)snprintf(names[i], sizeof names[i], "s%02zu", i * 7 % SLOTS);
        (void)pile_add(&pile, 0, pile_claim(names[i], "is", "this"));
        (void)pile_add(&pile, 1, pile_claim(names[i], "is", "that"));
    }
    struct prng prng = { 1 };
    shop_submit_mixed(shop, &pile, &prng);
    struct steme_snapshot *snapshot = shop_look(shop->store);
    OK(steme_conflicts(snapshot, &lens, MAX, &conflicts, &count, &failure));
    assert_int_equal(count, MAX);
    for (size_t i = 0; i < MAX; i++) {
        char want[8];
        (void)snprintf(want, sizeof want, "s%02zu", i);
        assert_true(is_text(conflicts[i].answer.subject, want));
    }
    steme_snapshot_close(&snapshot);
    pile_deinit(&pile);
}

/* ---- why ---- */

static void why_unfolds_down_to_the_records(void **state)
{
    struct shop *shop = *state;
    struct pile pile;
    struct steme_explanation why;
    struct steme_question question = ask("Pluto", "is a");
    pile_init(&pile);
    struct steme_hash planet = pile_add(&pile, 0, pile_claim("Pluto", "is a", "planet"));
    struct steme_hash dwarf = pile_add(&pile, 1, pile_claim("Pluto", "is a", "dwarf planet"));
    struct steme_hash comet = pile_add(&pile, 2, pile_claim("Pluto", "is a", "comet"));
    struct steme_target on_planet = pile_on_assertion("Pluto", planet), on_dwarf = pile_on_assertion("Pluto", dwarf);
    struct steme_target on_comet = pile_on_assertion("Pluto", comet);
    struct steme_record later = pile_vote(on_dwarf, STEME_SUPPORT);
    later.as.vote.cast_at_us += 5;
    struct steme_hash first_vote = pile_add(&pile, 3, pile_vote(on_dwarf, STEME_REFUTE));
    struct steme_hash last_vote = pile_add(&pile, 3, later);
    struct steme_hash abstention = pile_add(&pile, 4, pile_vote(on_dwarf, STEME_ABSTAIN));
    struct steme_hash proposal = pile_add(&pile, 4, pile_revision(STEME_RETRACT, &on_planet, 1, NULL));
    struct steme_hash retraction = pile_add(&pile, 2, pile_revision(STEME_RETRACT, &on_comet, 1, NULL));
    (void)pile_add(&pile, 5, pile_vote(pile_on_claim("Pluto", "is a", "planet", false), STEME_REFUTE));
    (void)pile_add(&pile, 6, pile_vote(pile_on_claim("Pluto", "is a", "star", false), STEME_SUPPORT)); /* nobody's */
    shop_submit_all(shop, &pile);
    struct steme_snapshot *snapshot = shop_look(shop->store);
    OK(steme_why(snapshot, &question, &why, &failure));
    assert_int_equal(why.answer.belief_count, 2);
    assert_int_equal(why.testimony_count, 3);
    const struct steme_testimony *t = why.testimonies;
    assert_memory_equal(&t[0].entry.id, &dwarf, 32);
    assert_memory_equal(&t[1].entry.id, &planet, 32);
    assert_memory_equal(&t[2].entry.id, &comet, 32); /* not live: last */
    assert_int_equal(t[0].ballot_count, 3);
    for (size_t i = 0; i < 3; i++) {
        bool is_last = memcmp(&t[0].ballots[i].entry.id, &last_vote, 32) == 0;
        assert_int_equal(t[0].ballots[i].counts, is_last);
        if (i)
            assert_true(t[0].ballots[i - 1].entry.record.as.vote.cast_at_us <=
                        t[0].ballots[i].entry.record.as.vote.cast_at_us);
        assert_true(is_last || memcmp(&t[0].ballots[i].entry.id, &first_vote, 32) == 0 ||
                    memcmp(&t[0].ballots[i].entry.id, &abstention, 32) == 0);
    }
    assert_int_equal(t[1].revision_count, 1);
    assert_memory_equal(&t[1].revisions[0].entry.id, &proposal, 32);
    assert_false(t[1].revisions[0].effective);
    assert_int_equal(t[1].standing, STEME_LIVE);
    assert_int_equal(t[2].standing, STEME_RETRACTED);
    assert_true(t[2].revisions[0].effective);
    assert_memory_equal(&t[2].revisions[0].entry.id, &retraction, 32);
    assert_int_equal(why.claim_ballot_count, 1);
    assert_int_equal(why.claim_ballots[0].entry.record.as.vote.stance, STEME_REFUTE);
    for (size_t i = 0; i < why.testimony_count; i++) {
        struct steme_hash voice = pile_agent_id(i == 0 ? 1 : i == 1 ? 0 : 2);
        assert_memory_equal(&t[i].voice, &voice, 32);
        assert_true(t[i].weight >= 1 && t[i].weight <= 1);
    }
    question = ask("Charon", "is a");
    OK(steme_why(snapshot, &question, &why, &failure));
    assert_int_equal(why.testimony_count, 0);
    assert_int_equal(why.claim_ballot_count, 0);
    steme_snapshot_close(&snapshot);
    pile_deinit(&pile);
}

static void a_negated_belief_s_claim_votes_are_unfolded(void **state)
{
    struct shop *shop = *state;
    struct pile pile;
    struct steme_explanation why;
    struct steme_question question = ask("Eris", "is a");
    struct steme_record denial = pile_claim("Eris", "is a", "planet");
    denial.as.assertion.negated = true;
    pile_init(&pile);
    (void)pile_add(&pile, 0, denial);
    (void)pile_add(&pile, 1, pile_vote(pile_on_claim("Eris", "is a", "planet", true), STEME_SUPPORT));
    shop_submit_all(shop, &pile);
    struct steme_snapshot *snapshot = shop_look(shop->store);
    OK(steme_why(snapshot, &question, &why, &failure));
    assert_int_equal(why.answer.belief_count, 1);
    assert_int_equal(why.answer.beliefs[0].refute_voices, 2);
    assert_int_equal(why.answer.beliefs[0].votes_against, 1);
    assert_int_equal(why.answer.verdict, STEME_UNDECIDED);
    assert_int_equal(why.claim_ballot_count, 1);
    steme_snapshot_close(&snapshot);
    pile_deinit(&pile);
}

/* ---- history ---- */

static void a_history_is_all_that_was_said_in_order(void **state)
{
    struct shop *shop = *state;
    struct pile pile;
    const struct steme_testimony *list = NULL;
    size_t count = 0;
    pile_init(&pile);
    struct steme_hash first = pile_add(&pile, 0, pile_claim("Pluto", "mass", "large"));
    struct steme_record earlier = pile_claim("Pluto", "is a", "planet");
    earlier.as.assertion.asserted_at_us -= 1000;
    struct steme_hash second = pile_add(&pile, 1, earlier);
    struct steme_target target = pile_on_assertion("Pluto", first);
    (void)pile_add(&pile, 0, pile_revision(STEME_RETRACT, &target, 1, NULL));
    struct steme_hash third = pile_add(&pile, 0, pile_claim("Pluto", "mass", "small"));
    (void)pile_add(&pile, 0, pile_claim("Ceres", "mass", "small"));
    shop_submit_all(shop, &pile);
    struct steme_snapshot *snapshot = shop_look(shop->store);
    OK(steme_history(snapshot, slice_text("Pluto"), slice_of(NULL, 0), &list, &count, &failure));
    assert_int_equal(count, 3);
    assert_memory_equal(&list[0].entry.id, &first, 32);
    assert_memory_equal(&list[1].entry.id, &second, 32);
    assert_memory_equal(&list[2].entry.id, &third, 32);
    assert_int_equal(list[0].standing, STEME_RETRACTED);
    assert_int_equal(list[0].revision_count, 1);
    OK(steme_history(snapshot, slice_text("Pluto"), slice_text("mass"), &list, &count, &failure));
    assert_int_equal(count, 2);
    OK(steme_history(snapshot, slice_text("Charon"), slice_of(NULL, 0), &list, &count, &failure));
    assert_int_equal(count, 0);
    assert_int_equal(steme_history(snapshot, slice_of(NULL, 0), slice_text("mass"), &list, &count, &failure),
                     STEME_BAD_INPUT);
    steme_snapshot_close(&snapshot);
    pile_deinit(&pile);
}

static void a_standing_has_a_name(void **state)
{
    (void)state;
    static const char *const names[] = { "live", "retracted", "superseded", "not valid then", "other epoch" };
    for (unsigned i = 0; i < countof(names); i++)
        assert_string_equal(steme_standing_name((enum steme_standing)i), names[i]);
    assert_string_equal(steme_standing_name((enum steme_standing)99), "?");
}

/* ---- voices ---- */

struct roll {
    size_t scopes, voices;
    bool ends;
    struct steme_error *err;
};

static steme_status call_roll(void *context, const struct steme_scope *scope)
{
    struct roll *roll = context;
    static const char *const predicates[] = { "is a", "mass" };
    static const size_t counts[] = { 3, 1 };
    assert_true(roll->ends || is_text(scope->predicate, predicates[roll->scopes]));
    assert_true(roll->ends || scope->voice_count == counts[roll->scopes]);
    assert_int_equal(scope->learned.as_of_sequence, 7);
    for (size_t i = 0; i < scope->voice_count; i++) {
        const struct steme_voice *voice = &scope->voices[i];
        bool known = false;
        assert_true(i == 0 || memcmp(&voice[-1].id, &voice->id, sizeof voice->id) < 0);
        assert_int_equal(voice->source.size, 0);
        for (unsigned agent = 0; agent < 3; agent++) {
            struct steme_hash id = pile_agent_id(agent);
            if (memcmp(&id, &voice->id, sizeof id) != 0) continue;
            known = memcmp(&voice->key, &pile_agent(agent)->key, sizeof voice->key) == 0;
        }
        assert_true(known && voice->answers >= 1 && voice->weight >= 0);
        assert_true(voice->low <= voice->accuracy && voice->accuracy <= voice->high && voice->independence <= 1);
    }
    roll->scopes++;
    roll->voices += scope->voice_count;
    return roll->ends ? error_set(roll->err, STEME_FAILED, "enough") : STEME_OK;
}

static void voices_are_told_by_predicate_and_id(void **state)
{
    struct shop *shop = *state;
    struct roll roll = { 0 }, one = { 0 }, none = { 0 }, stop = { .ends = true, .err = &failure };
    struct steme_question all = { 0 }, masses = ask("", "mass"), of_pluto = ask("Pluto", "");
    struct steme_question no_such = ask("", "colour");
    tell_of_planets(shop);
    struct steme_snapshot *snapshot = shop_look(shop->store);
    OK(steme_voices_each(snapshot, &all, call_roll, &roll, &failure));
    assert_int_equal(roll.scopes, 2);
    assert_int_equal(roll.voices, 4);
    one.scopes = 1;
    OK(steme_voices_each(snapshot, &masses, call_roll, &one, &failure));
    assert_int_equal(one.voices, 1);
    OK(steme_voices_each(snapshot, &no_such, call_roll, &none, &failure));
    assert_int_equal(none.scopes, 0);
    assert_int_equal(steme_voices_each(snapshot, &all, call_roll, &stop, &failure), STEME_FAILED);
    assert_int_equal(stop.scopes, 1);
    assert_int_equal(steme_voices_each(snapshot, &of_pluto, call_roll, &roll, &failure), STEME_BAD_INPUT);
    all.lens.prior = -1;
    assert_int_equal(steme_voices_each(snapshot, &all, call_roll, &roll, &failure), STEME_BAD_INPUT);
    steme_snapshot_close(&snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SHOP_CASE(a_question_is_answered),
        SHOP_CASE(voices_are_told_by_predicate_and_id),
        SHOP_CASE(what_nobody_spoke_of_is_unknown),
        SHOP_CASE(a_question_that_is_none_is_refused),
        SHOP_CASE(a_key_qualifier_makes_another_question),
        SHOP_CASE(every_slot_that_matches_is_answered_once),
        SHOP_CASE(a_visitor_s_answer_ends_the_walk_and_is_returned),
        SHOP_CASE(a_bad_lens_is_refused_where_there_is_nothing_to_judge),
        SHOP_CASE(an_epoch_narrows_the_question),
        SHOP_CASE(the_most_contested_slots_come_first),
        SHOP_CASE(equal_conflicts_come_by_name),
        SHOP_CASE(why_unfolds_down_to_the_records),
        SHOP_CASE(a_negated_belief_s_claim_votes_are_unfolded),
        SHOP_CASE(a_history_is_all_that_was_said_in_order),
        cmocka_unit_test(a_standing_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
