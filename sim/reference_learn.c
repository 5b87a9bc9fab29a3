/* SPDX-License-Identifier: Apache-2.0 */
/* Reliability: the scope is put together here from records; the learner is the engine's. */
#include "sim/reference_opinions.h"

#include "cortex/reliability.h"

#include <float.h>

enum { VOICES = 64, CLAIMS = REFERENCE_CLAIMS, SHEETS = 32, LABELS = 1024, ITEMS = 1024, ANSWERS = 16384, UNITS = 8 };

/* What is said about one slot: by voice and claim. */
struct sheet {
    size_t claim_count;
    struct steme_hash claims[CLAIMS];
    const struct steme_value *objects[CLAIMS];
    double said[VOICES][CLAIMS][2]; /* the strongest; 0: for, 1: against */
    bool asserts[VOICES][CLAIMS];   /* not only votes for it */
};

/* All slots of the predicate that anything is said about. */
struct scope {
    struct sheet sheets[SHEETS];
    struct steme_hash voices[VOICES];
    size_t sheet_count, voice_count;
    size_t asked; /* the sheet asked about */
    /* as the learner takes it */
    struct rel_item items[ITEMS];
    struct rel_answer answers[ANSWERS];
    uint32_t labels[ANSWERS];
    size_t item_count, answer_count, label_count;
    size_t asked_item; /* the first of the sheet asked about */
    const struct steme_value *objects[LABELS];
    size_t object_count;
    /* numbers */
    struct steme_slice unit;
    struct rel_number_item numbers[ITEMS];
    struct rel_measure measures[ANSWERS];
    size_t measured[ANSWERS]; /* the claim of each */
    size_t number_count, measure_count;
    size_t asked_number; /* SIZE_MAX: nothing is measured there */
};

/* ---- sheets ---- */

static size_t find_voice(struct scope *scope, const struct steme_hash *voice)
{
    for (size_t i = 0; i < scope->voice_count; i++)
        if (same_hash(&scope->voices[i], voice)) return i;
    invariant(scope->voice_count < VOICES);
    scope->voices[scope->voice_count] = *voice;
    return scope->voice_count++;
}

static size_t find_claim(struct sheet *sheet, const struct opinion *o)
{
    for (size_t i = 0; i < sheet->claim_count; i++)
        if (same_hash(&sheet->claims[i], &o->claim)) return i;
    invariant(sheet->claim_count < CLAIMS && o->is_assertion); /* ballots come after all assertions */
    sheet->claims[sheet->claim_count] = o->claim;
    sheet->objects[sheet->claim_count] = reference_value(o);
    return sheet->claim_count++;
}

static void fill(struct scope *scope, const struct opinions *all, struct sheet *sheet)
{
    memset(sheet, 0, sizeof *sheet);
    for (size_t i = 0; i < all->count; i++) {
        const struct opinion *o = &all->list[i];
        size_t voice = find_voice(scope, &o->voice), claim = find_claim(sheet, o);
        double *said = &sheet->said[voice][claim][!o->positive];
        *said = fmax(*said, o->strength);
        sheet->asserts[voice][claim] |= o->is_assertion && o->positive;
    }
}

static void fill_all(const struct reference *ref, const struct stock_slot *asked, const struct steme_hash *epoch,
                     struct scope *scope)
{
    static struct opinions all;
    for (size_t i = 0; i < ref->stock->slot_count; i++) {
        const struct stock_slot *slot = &ref->stock->slots[i];
        if (!same_text(slot->predicate, asked->predicate)) continue;
        reference_opinions(ref, slot, epoch, &all);
        if (!all.count) continue;
        invariant(scope->sheet_count < SHEETS);
        if (same_hash(&slot->slot, &asked->slot)) scope->asked = scope->sheet_count;
        fill(scope, &all, &scope->sheets[scope->sheet_count++]);
    }
}

/* ---- items ---- */

static bool same_decimal(struct steme_decimal a, struct steme_decimal b)
{
    return a.coefficient == b.coefficient && a.scale == b.scale;
}

/* Of the kinds that a stock has. */
static bool same_object(const struct steme_value *a, const struct steme_value *b)
{
    invariant(a->kind == STEME_ENTITY || a->kind == STEME_TEXT || a->kind == STEME_QUANTITY);
    if (a->kind != b->kind) return false;
    if (a->kind != STEME_QUANTITY) return same_text(a->text, b->text);
    return same_decimal(a->amount, b->amount) && same_text(a->unit, b->unit) && a->has_bounds == b->has_bounds &&
           (!a->has_bounds || (same_decimal(a->lower, b->lower) && same_decimal(a->upper, b->upper)));
}

static uint32_t find_object(struct scope *scope, const struct steme_value *object)
{
    for (size_t i = 0; i < scope->object_count; i++)
        if (same_object(scope->objects[i], object)) return (uint32_t)i;
    invariant(scope->object_count < LABELS);
    scope->objects[scope->object_count] = object;
    return (uint32_t)scope->object_count++;
}

static struct rel_item *begin_item(struct scope *scope)
{
    invariant(scope->item_count < ITEMS);
    struct rel_item *item = &scope->items[scope->item_count++];
    *item = (struct rel_item){ scope->labels + scope->label_count, scope->answers + scope->answer_count, 0, 0 };
    return item;
}

static void put_value(struct scope *scope, struct rel_item *item, uint32_t label)
{
    invariant(scope->label_count < ANSWERS);
    scope->labels[scope->label_count++] = label;
    item->value_count++;
}

static void put_answer(struct scope *scope, struct rel_item *item, struct rel_answer answer)
{
    if (!(answer.support > 0 || answer.refute > 0)) return;
    invariant(scope->answer_count < ANSWERS);
    scope->answers[scope->answer_count++] = answer;
    item->answer_count++;
}

/* A slot is an item, its claims are the values. */
static void add_slot(struct scope *scope, const struct sheet *sheet)
{
    struct rel_item *item = begin_item(scope);
    for (size_t c = 0; c < sheet->claim_count; c++)
        put_value(scope, item, find_object(scope, sheet->objects[c]));
    for (uint32_t v = 0; v < scope->voice_count; v++)
        for (uint32_t c = 0; c < sheet->claim_count; c++)
            put_answer(scope, item, (struct rel_answer){ v, c, sheet->said[v][c][0], sheet->said[v][c][1] });
}

/* A claim is an item, with the values yes and no. */
static void add_claims(struct scope *scope, const struct sheet *sheet)
{
    for (size_t c = 0; c < sheet->claim_count; c++) {
        struct rel_item *item = begin_item(scope);
        put_value(scope, item, 0);
        put_value(scope, item, 1);
        for (uint32_t v = 0; v < scope->voice_count; v++)
            for (uint32_t side = 0; side < 2; side++)
                put_answer(scope, item, (struct rel_answer){ v, side, sheet->said[v][c][side], 0 });
    }
}

static struct rel_data make_items(struct scope *scope, bool functional)
{
    for (size_t i = 0; i < scope->sheet_count; i++) {
        if (i == scope->asked) scope->asked_item = scope->item_count;
        if (functional)
            add_slot(scope, &scope->sheets[i]);
        else
            add_claims(scope, &scope->sheets[i]);
    }
    return (struct rel_data){ scope->items, scope->item_count, scope->voice_count,
                              functional ? scope->object_count : 2 };
}

/* ---- numbers ---- */

static bool measures(const struct sheet *sheet, size_t voice, size_t claim)
{
    return sheet->asserts[voice][claim] && sheet->said[voice][claim][0] > 0;
}

/* Whether the claim is a quantity of the unit. */
static bool is_of(const struct sheet *sheet, size_t claim, struct steme_slice unit)
{
    return sheet->objects[claim]->kind == STEME_QUANTITY && same_text(sheet->objects[claim]->unit, unit);
}

/* How often it is asserted in this unit (NULL: at all). */
static size_t count_asserted(const struct scope *scope, const struct steme_slice *unit)
{
    size_t count = 0;
    for (size_t i = 0; i < scope->sheet_count; i++)
        for (size_t v = 0; v < scope->voice_count; v++)
            for (size_t c = 0; c < scope->sheets[i].claim_count; c++)
                count += measures(&scope->sheets[i], v, c) && (!unit || is_of(&scope->sheets[i], c, *unit));
    return count;
}

/* A unit of more than half of all that is asserted: there is at most one. */
static bool find_unit(struct scope *scope)
{
    size_t all = count_asserted(scope, NULL);
    for (size_t i = 0; i < scope->sheet_count; i++) {
        for (size_t c = 0; c < scope->sheets[i].claim_count; c++) {
            const struct steme_value *object = scope->sheets[i].objects[c];
            if (object->kind != STEME_QUANTITY || 2 * count_asserted(scope, &object->unit) <= all) continue;
            scope->unit = object->unit;
            return true;
        }
    }
    return false;
}

static struct rel_measure measure(uint32_t voice, const struct steme_value *value)
{
    double width = reference_number(value->upper) - reference_number(value->lower);
    return (struct rel_measure){ voice, reference_number(value->amount), value->has_bounds ? width / 2 : 0 };
}

static void add_numbers(struct scope *scope, const struct sheet *sheet)
{
    struct rel_number_item item = { scope->measures + scope->measure_count, 0 };
    for (uint32_t v = 0; v < scope->voice_count; v++) {
        for (size_t c = 0; c < sheet->claim_count; c++) {
            if (!measures(sheet, v, c) || !is_of(sheet, c, scope->unit)) continue;
            invariant(scope->measure_count < ANSWERS);
            scope->measured[scope->measure_count] = c;
            scope->measures[scope->measure_count++] = measure(v, sheet->objects[c]);
            item.count++;
        }
    }
    if (!item.count) return;
    invariant(scope->number_count < ITEMS);
    if (sheet == &scope->sheets[scope->asked]) scope->asked_number = scope->number_count;
    scope->numbers[scope->number_count++] = item;
}

static void describe(const struct rel_number_item *item, const double *weights, struct rel_estimate estimate,
                     struct steme_pooled *p)
{
    double error = fmax(estimate.error, DBL_MIN), degrees = (double)item->count - 1;
    p->count = item->count;
    p->degrees = item->count - 1;
    p->mean = p->fixed_mean = estimate.mean;
    p->error = p->fixed_error = error;
    for (size_t i = 0; i < item->count && item->count > 1; i++)
        p->chi2 += weights[i] * pow(fmin(fabs(item->measures[i].x - estimate.mean) / error, 1e100), 2);
    p->i2 = item->count > 1 ? (p->chi2 > degrees ? (p->chi2 - degrees) / p->chi2 : 0) : NAN;
    p->birge = item->count > 1 ? sqrt(p->chi2 / degrees) : NAN;
    p->tension_p = item->count > 1 ? reference_chi_square_tail(p->degrees, p->chi2) : NAN;
}

static void judge_numbers(struct scope *scope, const struct rel_number_model *model, struct reference_answer *answer)
{
    static double weights[ANSWERS];
    struct steme_error err = { 0 };
    struct rel_estimate estimate;
    const struct sheet *sheet = &scope->sheets[scope->asked];
    for (size_t i = 0; i < answer->belief_count; i++)
        answer->beliefs[i].support = answer->beliefs[i].refute = 0;
    for (size_t v = 0; v < scope->voice_count; v++)
        for (size_t c = 0; c < sheet->claim_count; c++)
            answer->pooled.left_out += measures(sheet, v, c) && !is_of(sheet, c, scope->unit);
    if (scope->asked_number == SIZE_MAX) return;
    const struct rel_number_item *item = &scope->numbers[scope->asked_number];
    size_t first = (size_t)(item->measures - scope->measures);
    invariant(rel_judge_numbers(model, item, &estimate, weights, &err) == STEME_OK);
    for (size_t i = 0; i < item->count; i++) {
        struct reference_belief *belief = reference_belief_of(answer, &sheet->claims[scope->measured[first + i]]);
        belief->probability += weights[i];
        belief->support += model->voices[item->measures[i].voice].weight;
    }
    describe(item, weights, estimate, &answer->pooled);
    answer->has_pooled = true;
}

static void learn_numbers(struct scope *scope, const struct rel_params *params, struct arena *arena,
                          struct reference_answer *answer)
{
    struct steme_error err = { 0 };
    const struct rel_number_model *model = NULL;
    scope->asked_number = SIZE_MAX;
    for (size_t i = 0; i < scope->sheet_count; i++)
        add_numbers(scope, &scope->sheets[i]);
    steme_status status = rel_learn_numbers(scope->numbers, scope->number_count, scope->voice_count, params, arena,
                                            &model, &err);
    invariant(status == STEME_OK && model);
    answer->learned = (struct steme_learned){ .method = STEME_METHOD_NUMBERS,
                                              .items = model->item_count,
                                              .voices = model->voice_count,
                                              .answers = model->answer_count,
                                              .temperature = 1 };
    judge_numbers(scope, model, answer);
}

/* ---- labels ---- */

static void judge_labels(struct scope *scope, const struct rel_model *model, struct arena *arena,
                         struct reference_answer *answer)
{
    struct steme_error err = { 0 };
    const struct sheet *sheet = &scope->sheets[scope->asked];
    double p[CLAIMS] = { 0 };
    if (answer->functional) invariant(rel_judge(model, &scope->items[scope->asked_item], arena, p, &err) == STEME_OK);
    for (size_t c = 0; c < sheet->claim_count; c++) {
        struct reference_belief *belief = reference_belief_of(answer, &sheet->claims[c]);
        double yes_no[2] = { 0 };
        if (!answer->functional)
            invariant(rel_judge(model, &scope->items[scope->asked_item + c], arena, yes_no, &err) == STEME_OK);
        belief->probability = answer->functional ? p[c] : yes_no[0];
        belief->support = belief->refute = 0;
        for (size_t v = 0; v < scope->voice_count; v++) {
            belief->support += model->voices[v].weight * sheet->said[v][c][0];
            belief->refute += model->voices[v].weight * sheet->said[v][c][1];
        }
    }
}

static void learn_labels(struct scope *scope, const struct rel_params *params, struct arena *arena,
                         struct reference_answer *answer)
{
    static const enum steme_method methods[] = { [REL_AUTO] = STEME_METHOD_AUTO,
                                                 [REL_ONE_COIN] = STEME_METHOD_ONE_COIN,
                                                 [REL_CONFUSION] = STEME_METHOD_CONFUSION,
                                                 [REL_SOURCE_ACCURACY] = STEME_METHOD_ACCURACY };
    struct steme_error err = { 0 };
    const struct rel_model *model = NULL;
    struct rel_data data = make_items(scope, answer->functional);
    invariant(rel_learn(&data, params, arena, &model, &err) == STEME_OK && model);
    answer->learned = (struct steme_learned){ .method = methods[model->method],
                                              .items = model->item_count,
                                              .voices = model->voice_count,
                                              .answers = model->answer_count,
                                              .temperature = model->temperature };
    judge_labels(scope, model, arena, answer);
}

void reference_learn(const struct reference *ref, const struct stock_slot *slot, const struct steme_hash *epoch,
                     const struct steme_lens *lens, struct reference_answer *answer)
{
    static struct scope scope;
    struct rel_params params = { .copying = lens->copying, .uncalibrated = lens->uncalibrated, .prior = lens->prior };
    struct arena arena;
    if (!answer->belief_count) return; /* nothing to judge */
    scope.sheet_count = scope.voice_count = scope.item_count = scope.answer_count = scope.label_count = 0;
    scope.object_count = scope.number_count = scope.measure_count = 0;
    fill_all(ref, slot, epoch, &scope);
    if (lens->method == STEME_METHOD_ONE_COIN) params.method = REL_ONE_COIN;
    if (lens->method == STEME_METHOD_ACCURACY) params.method = REL_SOURCE_ACCURACY;
    arena_init(&arena, (size_t)1 << 28);
    if (lens->method == STEME_METHOD_AUTO && answer->functional && find_unit(&scope))
        learn_numbers(&scope, &params, &arena, answer);
    else
        learn_labels(&scope, &params, &arena, answer);
    arena_deinit(&arena);
}
