/* SPDX-License-Identifier: Apache-2.0 */
#include "cortex/scope.h"
#include "lattice/sweep.h"
#include "unit/lattice/evidence_world.h"

#include <stdio.h>

struct view {
    struct world *world;
    struct arena kept, scratch;
    struct scope scope;
};

static void gather(struct view *v, void **state, const char *predicate, bool functional, const struct look *look)
{
    *v = (struct view){ .world = *state };
    struct world *w = v->world;
    arena_init(&v->kept, 64 << 20);
    arena_init(&v->scratch, 64 << 20);
    stop_looking(w);
    write_rest(w);
    w->kv = indexer_index(&w->log);
    OK(begin_reading(w, look));
    OK(scope_gather(&w->reader, slice_text(predicate), functional, look->epoch, &v->kept, &v->scratch, &v->scope,
                    &failure));
}

static void end_view(struct view *v)
{
    arena_deinit(&v->kept);
    arena_deinit(&v->scratch);
}

static uint32_t number_of(const struct view *v, struct steme_hash voice)
{
    return id16_index_find(&v->scope.voices, voice.bytes);
}

static uint32_t label_of(const struct view *v, const char *text)
{
    struct steme_value value = { .kind = STEME_ENTITY, .text = slice_text(text) };
    uint8_t id[16];
    struct buf bytes;
    buf_init(&bytes, 4096);
    OK(value_encode(&value, &bytes, &failure));
    scope_label_id(buf_slice(&bytes), id);
    buf_deinit(&bytes);
    return id16_index_find(&v->scope.labels, id);
}

/* What a voice says about an object anywhere in the scope: its answers in number, and their strengths summed. */
struct heard {
    size_t count;
    double support, refute;
};

static struct heard heard_of(const struct view *v, uint32_t voice, uint32_t label)
{
    struct heard heard = { 0 };
    for (size_t i = 0; i < v->scope.data.item_count; i++) {
        const struct rel_item *item = &v->scope.data.items[i];
        for (size_t a = 0; a < item->answer_count; a++) {
            const struct rel_answer *answer = &item->answers[a];
            if (answer->voice != voice || item->labels[answer->value] != label) continue;
            heard.count++;
            heard.support += answer->support;
            heard.refute += answer->refute;
        }
    }
    return heard;
}

static void assert_heard(struct heard got, size_t count, double support, double refute)
{
    assert_int_equal(got.count, count);
    assert_true(got.support >= support && got.support <= support);
    assert_true(got.refute >= refute && got.refute <= refute);
}

static struct steme_record sure(struct steme_record record, uint32_t ppm)
{
    record.as.assertion.confidence_ppm = ppm;
    return record;
}

static struct steme_record valued(const char *subject, const char *predicate, struct steme_value value)
{
    struct steme_record record = pile_claim(subject, predicate, "");
    record.as.assertion.object = value;
    return record;
}

/* ---- functional ---- */

static void slots_are_items_and_equal_objects_share_a_label(void **state)
{
    struct world *w = *state;
    struct view v;
    say(w, 0, pile_claim("Pluto", "is a", "planet"));
    say(w, 1, pile_claim("Pluto", "is a", "dwarf planet"));
    say(w, 0, pile_claim("Eris", "is a", "dwarf planet"));
    say(w, 2, pile_claim("Mars", "is a", "planet"));
    say(w, 3, pile_claim("Mars", "has", "moons"));
    gather(&v, state, "is a", true, &latest);
    assert_int_equal(v.scope.data.item_count, 3);
    assert_int_equal(v.scope.data.voice_count, 3);
    assert_int_equal(v.scope.data.label_count, 2);
    assert_false(v.scope.numeric);
    assert_int_equal(number_of(&v, pile_agent_id(3)), ID16_NONE);
    assert_int_equal(label_of(&v, "moons"), ID16_NONE);
    assert_heard(heard_of(&v, number_of(&v, pile_agent_id(0)), label_of(&v, "planet")), 1, 1, 0);
    assert_heard(heard_of(&v, number_of(&v, pile_agent_id(0)), label_of(&v, "dwarf planet")), 1, 1, 0);
    assert_heard(heard_of(&v, number_of(&v, pile_agent_id(1)), label_of(&v, "dwarf planet")), 1, 1, 0);
    assert_heard(heard_of(&v, number_of(&v, pile_agent_id(2)), label_of(&v, "planet")), 1, 1, 0);
    end_view(&v);
}

static void all_that_a_voice_says_of_a_claim_is_one_answer(void **state)
{
    struct world *w = *state;
    struct view v;
    struct steme_hash id = say(w, 1, sure(pile_claim("Pluto", "is a", "planet"), 300000));
    say(w, 0, sure(pile_claim("Pluto", "is a", "planet"), 400000));
    say(w, 0, sure(pile_claim("Pluto", "is a", "planet"), 600000));
    struct steme_record negated = sure(pile_claim("Pluto", "is a", "planet"), 200000);
    negated.as.assertion.negated = true;
    say(w, 0, negated);
    say(w, 0, cast_at(pile_vote(pile_on_assertion("Pluto", id), STEME_SUPPORT), 0, 900000));
    say(w, 2, cast_at(pile_vote(pile_on_assertion("Pluto", id), STEME_REFUTE), 0, 700000));
    gather(&v, state, "is a", true, &latest);
    uint32_t planet = label_of(&v, "planet");
    assert_int_equal(v.scope.data.voice_count, 3);
    assert_heard(heard_of(&v, number_of(&v, pile_agent_id(0)), planet), 1, 0.9, 0.2);
    assert_heard(heard_of(&v, number_of(&v, pile_agent_id(1)), planet), 1, 0.3, 0);
    assert_heard(heard_of(&v, number_of(&v, pile_agent_id(2)), planet), 1, 0, 0.7);
    end_view(&v);
}

static void a_source_is_the_voice_of_who_relays_it_and_a_record_names_it(void **state)
{
    struct world *w = *state;
    struct view v;
    struct steme_record record = pile_claim("Pluto", "is a", "planet");
    record.as.assertion.source = slice_text("Tombaugh");
    say(w, 0, record);
    say(w, 1, record);
    gather(&v, state, "is a", true, &latest);
    uint32_t number = number_of(&v, source_id(slice_text("Tombaugh")));
    struct wal_entry entry;
    struct assertion_view view;
    assert_int_equal(v.scope.data.voice_count, 1);
    assert_int_equal(number, 0);
    OK(evidence_record(&w->reader, v.scope.places[number], &entry, &failure));
    OK(assertion_view(entry.bytes, &view, &failure));
    assert_true(slice_equal(view.source, slice_text("Tombaugh")));
    end_view(&v);
}

static void what_is_retracted_or_later_has_no_part(void **state)
{
    struct world *w = *state;
    struct view v;
    struct look early = LATEST;
    struct steme_hash id = say(w, 0, pile_claim("Pluto", "is a", "planet"));
    say(w, 1, pile_claim("Pluto", "is a", "dog"));
    struct steme_target target = pile_on_assertion("Pluto", id);
    say(w, 0, pile_revision(STEME_RETRACT, &target, 1, NULL));
    gather(&v, state, "is a", true, &latest);
    assert_int_equal(v.scope.data.voice_count, 1);
    assert_int_equal(label_of(&v, "planet"), ID16_NONE);
    end_view(&v);
    early.as_of = 2;
    gather(&v, state, "is a", true, &early);
    assert_int_equal(v.scope.data.voice_count, 2);
    end_view(&v);
    early.as_of = 1;
    gather(&v, state, "is a", true, &early);
    assert_int_equal(v.scope.data.voice_count, 1);
    assert_int_not_equal(label_of(&v, "planet"), ID16_NONE);
    end_view(&v);
}

static void an_epoch_narrows_the_scope(void **state)
{
    struct world *w = *state;
    struct view v;
    struct steme_hash usage = say(w, 0, pile_epoch("usage", NULL, 0)), union_ = say(w, 0, pile_epoch("IAU", NULL, 0));
    struct look within = LATEST;
    say_in(w, "planet", &usage);
    say_in(w, "dwarf planet", &union_);
    say(w, 1, pile_claim("Pluto", "is a", "dog"));
    within.epoch = usage.bytes;
    gather(&v, state, "is a", true, &within);
    assert_int_not_equal(label_of(&v, "planet"), ID16_NONE);
    assert_int_not_equal(label_of(&v, "dog"), ID16_NONE);
    assert_int_equal(label_of(&v, "dwarf planet"), ID16_NONE);
    end_view(&v);
}

static void a_scope_of_nothing_is_empty(void **state)
{
    struct world *w = *state;
    struct view v;
    say(w, 0, pile_claim("Pluto", "is a", "planet"));
    gather(&v, state, "was a", true, &latest);
    assert_int_equal(v.scope.data.item_count, 0);
    assert_int_equal(v.scope.data.voice_count, 0);
    assert_false(v.scope.numeric);
    end_view(&v);
}

/* ---- many-valued ---- */

static void of_a_many_valued_predicate_each_claim_is_a_yes_or_no(void **state)
{
    struct world *w = *state;
    struct view v;
    struct steme_record negated = sure(pile_claim("Pluto", "has", "moons"), 500000);
    negated.as.assertion.negated = true;
    say(w, 0, pile_claim("Pluto", "has", "moons"));
    say(w, 1, negated);
    say(w, 0, pile_claim("Pluto", "has", "ice"));
    gather(&v, state, "has", false, &latest);
    uint32_t who = number_of(&v, pile_agent_id(0)), other = number_of(&v, pile_agent_id(1));
    assert_int_equal(v.scope.data.item_count, 2);
    assert_int_equal(v.scope.data.label_count, 2);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(v.scope.data.items[i].value_count, 2);
    assert_heard(heard_of(&v, who, 0), 2, 2, 0);
    assert_heard(heard_of(&v, who, 1), 0, 0, 0);
    assert_heard(heard_of(&v, other, 0), 0, 0, 0);
    assert_heard(heard_of(&v, other, 1), 1, 0.5, 0);
    end_view(&v);
}

/* ---- numbers ---- */

static struct steme_value quantity(int64_t amount, int64_t off, const char *unit)
{
    return (struct steme_value){ .kind = STEME_QUANTITY,
                                 .amount = { .coefficient = amount },
                                 .has_bounds = off > 0,
                                 .lower = { .coefficient = amount - off },
                                 .upper = { .coefficient = amount + off },
                                 .unit = slice_text(unit) };
}

static void most_being_quantities_of_a_unit_they_are_measured(void **state)
{
    struct world *w = *state;
    struct view v;
    say(w, 0, valued("Pluto", "mass", quantity(13, 2, "Zg")));
    say(w, 1, valued("Pluto", "mass", quantity(14, 0, "Zg")));
    say(w, 2, valued("Pluto", "mass", quantity(5, 0, "lb")));
    say(w, 0, valued("Eris", "mass", quantity(16, 1, "Zg")));
    struct steme_hash id = say(w, 1, valued("Mars", "mass", (struct steme_value){ .kind = STEME_UNKNOWN }));
    say(w, 3, pile_vote(pile_on_assertion("Mars", id), STEME_SUPPORT));
    gather(&v, state, "mass", true, &latest);
    assert_true(v.scope.numeric);
    assert_true(slice_equal(v.scope.unit, slice_text("Zg")));
    assert_int_equal(v.scope.number_count, 2);
    size_t measures = 0;
    double x = 0, error = 0;
    for (size_t i = 0; i < 2; i++) {
        for (size_t m = 0; m < v.scope.numbers[i].count; m++) {
            x += v.scope.numbers[i].measures[m].x;
            error += v.scope.numbers[i].measures[m].error;
            measures++;
        }
    }
    assert_int_equal(measures, 3);
    assert_true(x >= 43 && x <= 43 && error >= 3 && error <= 3);
    assert_int_equal(v.scope.data.item_count, 3); /* as labels they are there, too */
    end_view(&v);
}

static void half_of_what_is_said_being_numbers_is_not_enough(void **state)
{
    struct world *w = *state;
    struct view v;
    say(w, 0, valued("Pluto", "moons", (struct steme_value){ .kind = STEME_INTEGER, .integer = 5 }));
    say(w, 1, pile_claim("Pluto", "moons", "many"));
    gather(&v, state, "moons", true, &latest);
    assert_false(v.scope.numeric);
    end_view(&v);
    say(w, 2, valued("Eris", "moons", (struct steme_value){ .kind = STEME_DECIMAL, .amount = { .coefficient = 1 } }));
    gather(&v, state, "moons", true, &latest);
    assert_true(v.scope.numeric);
    assert_int_equal(v.scope.unit.size, 0);
    end_view(&v);
}

/* ---- against one slot at a time ---- */

struct check {
    struct reader *reader;
    struct arena arena;
    size_t slots, testimonies;
};

/* A sweep must give of each slot what a question about it alone gives. */
static steme_status check_slot(void *context, const struct slot_ref *slot, struct evidence *swept,
                               struct steme_error *err)
{
    struct check *check = context;
    struct evidence alone;
    struct arena_mark start = { 0 };
    OK(evidence_gather(check->reader, slot, NULL, &check->arena, &alone, err));
    assert_int_equal(swept->testimony_count, alone.testimony_count);
    assert_int_equal(swept->ballot_count, alone.ballot_count);
    for (size_t i = 0; i < alone.testimony_count; i++) {
        assert_int_equal(swept->testimonies[i].row.location, alone.testimonies[i].row.location);
        assert_int_equal(swept->testimonies[i].standing, alone.testimonies[i].standing);
    }
    for (size_t i = 0; i < alone.ballot_count; i++)
        assert_memory_equal(&swept->ballots[i].row, &alone.ballots[i].row, sizeof alone.ballots[i].row);
    arena_rewind(&check->arena, start);
    check->slots++;
    check->testimonies += swept->testimony_count;
    return STEME_OK;
}

static void a_sweep_gives_what_each_slot_gives_alone(void **state)
{
    struct world *w = *state;
    struct prng prng = { 12 };
    struct check check = { .reader = &w->reader };
    struct steme_slice *predicates = NULL;
    size_t count = 0, slots = 0;
    pile_draw(&w->pile, &prng, 400);
    look_at(w, "Pluto", "is a", &latest);
    arena_init(&check.arena, 64 << 20);
    OK(sweep_predicates(&w->reader, &w->arena, &predicates, &count, &failure));
    assert_true(count > 1);
    for (size_t i = 0; i < count; i++) {
        struct slot_ref slot = slot_of("", (const char *)arena_copy(&w->arena, predicates[i]).data);
        assert_true(i == 0 || slice_compare(predicates[i - 1], predicates[i]) < 0);
        OK(sweep_slots(&w->reader, slot.predicate, NULL, check_slot, &check, &failure));
    }
    struct slot_ref at = { 0 };
    for (; evidence_next_slot(&w->reader, &at, false, &failure) == STEME_OK; slots++)
        for (size_t i = sizeof at.slot; i-- > 0 && !++at.slot[i];)
            ;
    assert_int_equal(check.slots, slots);
    assert_true(check.testimonies > slots);
    arena_deinit(&check.arena);
}

static steme_status refuse(void *context, const struct slot_ref *slot, struct evidence *evidence,
                           struct steme_error *err)
{
    (void)slot, (void)evidence;
    ++*(size_t *)context;
    return error_set(err, STEME_FAILED, "enough");
}

static void a_sweep_ends_with_what_the_visitor_says(void **state)
{
    struct world *w = *state;
    size_t visits = 0;
    say(w, 0, pile_claim("Pluto", "is a", "planet"));
    say(w, 0, pile_claim("Mars", "is a", "planet"));
    look_at(w, "Pluto", "is a", &latest);
    struct slot_ref slot = slot_of("Pluto", "is a");
    assert_status(sweep_slots(&w->reader, slot.predicate, NULL, refuse, &visits, &failure), STEME_FAILED, &failure,
                  "sweep");
    assert_int_equal(visits, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EVIDENCE_CASE(slots_are_items_and_equal_objects_share_a_label),
        EVIDENCE_CASE(all_that_a_voice_says_of_a_claim_is_one_answer),
        EVIDENCE_CASE(a_source_is_the_voice_of_who_relays_it_and_a_record_names_it),
        EVIDENCE_CASE(what_is_retracted_or_later_has_no_part),
        EVIDENCE_CASE(an_epoch_narrows_the_scope),
        EVIDENCE_CASE(a_scope_of_nothing_is_empty),
        EVIDENCE_CASE(of_a_many_valued_predicate_each_claim_is_a_yes_or_no),
        EVIDENCE_CASE(most_being_quantities_of_a_unit_they_are_measured),
        EVIDENCE_CASE(half_of_what_is_said_being_numbers_is_not_enough),
        EVIDENCE_CASE(a_sweep_gives_what_each_slot_gives_alone),
        EVIDENCE_CASE(a_sweep_ends_with_what_the_visitor_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
