/* SPDX-License-Identifier: Apache-2.0 */
#include "cortex/scope.h"
#include "base/check.h"
#include "base/codec.h"
#include "base/hash.h"
#include "base/slice.h"
#include "cortex/measure.h"
#include "cortex/opinions.h"
#include "lattice/sweep.h"
#include "model/record.h"

#include <stdlib.h>
#include <string.h>

enum { PENDING_MAX = 1024, SLOT_CEILING_BYTES = 512 << 20 };

static const uint32_t yes_no[] = { 0, 1 };

void scope_label_id(struct steme_slice object, uint8_t out[16])
{
    struct steme_hash hash = hash_one(object);
    memcpy(out, hash.bytes, 16);
}

/* ---- answers in order ---- */

static int compare_answers(const void *left, const void *right)
{
    const struct rel_answer *a = left, *b = right;
    if (a->voice != b->voice) return a->voice < b->voice ? -1 : 1;
    return (a->value > b->value) - (a->value < b->value);
}

/* Most slots have few, for which a library's sort costs more than the sorting. */
static void sort_answers(struct rel_answer *answers, size_t count)
{
    enum { FEW = 32 };
    if (count > FEW) {
        qsort(answers, count, sizeof *answers, compare_answers);
        return;
    }
    for (size_t i = 1; i < count; i++) {
        struct rel_answer answer = answers[i];
        size_t at = i;
        for (; at && compare_answers(&answer, &answers[at - 1]) < 0; at--)
            answers[at] = answers[at - 1];
        answers[at] = answer;
    }
}

size_t scope_answers(const struct lens_claim *claims, size_t claim_count, struct rel_answer *out)
{
    size_t count = 0;
    for (size_t c = 0; c < claim_count; c++) {
        for (size_t v = 0; v < claims[c].voice_count; v++) {
            const struct lens_voice *voice = &claims[c].voices[v];
            if (voice->support > 0 || voice->refute > 0)
                out[count++] = (struct rel_answer){ voice->number, (uint32_t)c, voice->support, voice->refute };
        }
    }
    sort_answers(out, count);
    return count;
}

size_t scope_answers_alone(const struct lens_claim *claim, struct rel_answer *out)
{
    size_t count = 0;
    for (size_t v = 0; v < claim->voice_count; v++) {
        const struct lens_voice *voice = &claim->voices[v];
        if (voice->support > 0) out[count++] = (struct rel_answer){ voice->number, 0, voice->support, 0 };
        if (voice->refute > 0) out[count++] = (struct rel_answer){ voice->number, 1, voice->refute, 0 };
    }
    sort_answers(out, count);
    return count;
}

/* ---- gathering ---- */

/* A slot's part of the lists; it ends where the next begins. */
struct gathered_slot {
    size_t first_claim, first_answer, first_mention;
    bool foreign; /* of another predicate whose hash begins alike */
};

struct gathered_claim {
    uint32_t label;
    uint32_t unit; /* number of the unit's hash; ID16_NONE: it measures nothing */
    double x, error;
    size_t answers; /* many-valued: its first answer */
};

/* A voice asserts a claim. */
struct mention {
    uint32_t voice;
    size_t claim;
};

/* A claim whose record is still to be read. */
struct pending {
    struct testimony testimony;
    size_t slot, claim;
};

struct list {
    void *items;
    size_t count, capacity;
};

struct gathering {
    struct reader *reader;
    struct steme_slice predicate;
    bool functional;
    struct scope *scope;
    struct arena *kept, *scratch;
    struct arena slot_arena; /* one slot, or the records of those pending */
    struct list slots, claims, answers, mentions, places;
    struct id16_index units;
    struct list unit_names;
    struct pending *pending;
    struct slot_ref *pending_slots;
    size_t pending_count;
};

/* Room for `count` more: the first of them, which the caller fills and counts. NULL: no memory. */
static void *extend(struct arena *arena, struct list *list, size_t count, size_t size)
{
    if (!arena_grow(arena, &list->items, list->count, count, &list->capacity, size)) return NULL;
    return (uint8_t *)list->items + list->count * size;
}

/* ---- records behind claims ---- */

static steme_status number_unit(struct gathering *g, struct steme_slice unit, uint32_t *out, struct steme_error *err)
{
    uint8_t id[16];
    scope_label_id(unit, id);
    steme_status status = id16_index_add(&g->units, id, out, err);
    if (status || *out < g->unit_names.count) return status;
    struct steme_slice *name = extend(g->scratch, &g->unit_names, 1, sizeof *name);
    if (!name) return arena_full(g->scratch, err);
    *name = unit; /* in the mapped log */
    g->unit_names.count++;
    return STEME_OK;
}

static steme_status learn_claim(struct gathering *g, const struct pending *pending, struct steme_error *err)
{
    struct gathered_claim *claim = (struct gathered_claim *)g->claims.items + pending->claim;
    const struct assertion_view *view = pending->testimony.view;
    struct steme_value value;
    struct measure measure;
    steme_status status = STEME_OK;
    if (!slice_equal(view->predicate, g->predicate)) {
        ((struct gathered_slot *)g->slots.items)[pending->slot].foreign = true;
        return STEME_OK;
    }
    if (g->functional) {
        uint8_t id[16];
        scope_label_id(view->object, id);
        status = id16_index_add(&g->scope->labels, id, &claim->label, err);
    }
    enum steme_kind kind = pending->testimony.row.kind;
    if (status || !g->functional || (kind != STEME_INTEGER && kind != STEME_DECIMAL && kind != STEME_QUANTITY))
        return status;
    status = value_decode(view->object, &value, err);
    if (status || !measure_of(&value, &measure)) return status;
    claim->x = measure.x;
    claim->error = measure.error;
    return number_unit(g, measure.unit, &claim->unit, err);
}

/* Read the records of the claims that wait, and learn their objects. */
static steme_status settle(struct gathering *g, struct steme_error *err)
{
    struct testimony *testimonies[PENDING_MAX];
    struct arena_mark start = arena_mark(&g->slot_arena);
    for (size_t i = 0; i < g->pending_count; i++)
        testimonies[i] = &g->pending[i].testimony;
    steme_status status = evidence_read_across(g->reader, g->pending_slots, testimonies, g->pending_count,
                                               &g->slot_arena, err);
    for (size_t i = 0; !status && i < g->pending_count; i++)
        status = learn_claim(g, &g->pending[i], err);
    g->pending_count = 0;
    arena_rewind(&g->slot_arena, start);
    return status;
}

/* ---- slots ---- */

/* Remember a record that names the voice: the first one in the log, so that the choice does not hang on the walk. */
static void place_voice(struct gathering *g, const uint8_t voice[16], uint64_t location)
{
    uint32_t number = id16_index_find(&g->scope->voices, voice);
    if (number == ID16_NONE) return;
    uint64_t *place = (uint64_t *)g->places.items + number;
    if (location < *place) *place = location;
}

/* Give the voices of a slot their numbers. */
static steme_status number_voices(struct gathering *g, struct opinions *o, struct steme_error *err)
{
    for (size_t v = 0; v < o->voice_count; v++) {
        steme_status status = id16_index_add(&g->scope->voices, o->voices[v].voice, &o->voices[v].number, err);
        if (status) return status;
        if (o->voices[v].number < g->places.count) continue;
        uint64_t *place = extend(g->kept, &g->places, 1, sizeof *place);
        if (!place) return arena_full(g->kept, err);
        *place = UINT64_MAX;
        g->places.count++;
    }
    return STEME_OK;
}

static steme_status add_claim(struct gathering *g, const struct slot_ref *ref, const struct testimony *face,
                              struct steme_error *err)
{
    struct gathered_claim *claim = extend(g->scratch, &g->claims, 1, sizeof *claim);
    if (!claim) return arena_full(g->scratch, err);
    *claim = (struct gathered_claim){ .unit = ID16_NONE, .answers = g->answers.count };
    struct pending *pending = &g->pending[g->pending_count];
    *pending = (struct pending){ .testimony = *face, .slot = g->slots.count - 1, .claim = g->claims.count++ };
    pending->testimony.entry = NULL; /* what was read of it goes with the slot */
    g->pending_slots[g->pending_count++] = *ref;
    return STEME_OK;
}

static steme_status add_mentions(struct gathering *g, const struct lens_claim *claim, struct steme_error *err)
{
    struct mention *mentions = extend(g->scratch, &g->mentions, claim->voice_count, sizeof *mentions);
    if (!mentions) return arena_full(g->scratch, err);
    for (size_t v = 0; v < claim->voice_count; v++) {
        const struct lens_voice *voice = &claim->voices[v];
        if (!(voice->support > 0) || voice->latest_at_us == INT64_MIN) continue;
        *mentions++ = (struct mention){ voice->number, g->claims.count - 1 };
        g->mentions.count++;
    }
    return STEME_OK;
}

static steme_status add_opinions(struct gathering *g, const struct slot_ref *ref, const struct opinions *o,
                                 struct steme_error *err)
{
    struct gathered_slot *slot = extend(g->scratch, &g->slots, 1, sizeof *slot);
    struct rel_answer *answers = extend(g->scratch, &g->answers, 2 * o->voice_count, sizeof *answers);
    if (!slot || !answers) return arena_full(g->scratch, err);
    *slot = (struct gathered_slot){ g->claims.count, g->answers.count, g->mentions.count, false };
    g->slots.count++;
    steme_status status = STEME_OK;
    for (size_t c = 0; !status && c < o->claim_count; c++) {
        if (g->pending_count == PENDING_MAX) status = settle(g, err);
        if (!status) status = add_claim(g, ref, o->faces[c], err);
        if (!status) status = add_mentions(g, &o->claims[c], err);
        if (status || g->functional) continue;
        size_t count = scope_answers_alone(&o->claims[c], answers);
        answers += count;
        g->answers.count += count;
    }
    if (!status && g->functional) g->answers.count += scope_answers(o->claims, o->claim_count, answers);
    return status;
}

static steme_status take_slot(void *context, const struct slot_ref *ref, struct evidence *evidence,
                              struct steme_error *err)
{
    struct gathering *g = context;
    struct arena_mark start = arena_mark(&g->slot_arena);
    struct opinions opinions;
    steme_status status = opinions_group(evidence, NULL, NULL, &g->slot_arena, &opinions, err);
    if (!status) status = number_voices(g, &opinions, err);
    if (!status && opinions.claim_count) status = add_opinions(g, ref, &opinions, err);
    for (size_t i = 0; !status && i < evidence->testimony_count; i++)
        if (evidence->testimonies[i].standing == STEME_LIVE)
            place_voice(g, evidence->testimonies[i].row.voice, evidence->testimonies[i].row.location);
    for (size_t i = 0; !status && i < evidence->ballot_count; i++)
        place_voice(g, evidence->ballots[i].row.voter, evidence->ballots[i].row.location);
    arena_rewind(&g->slot_arena, start);
    return status;
}

/* ---- items ---- */

/* A last slot, of nothing: each part ends where the next begins. */
static steme_status close_slots(struct gathering *g, struct steme_error *err)
{
    struct gathered_slot *end = extend(g->scratch, &g->slots, 1, sizeof *end);
    if (!end) return arena_full(g->scratch, err);
    *end = (struct gathered_slot){ g->claims.count, g->answers.count, g->mentions.count, false };
    return STEME_OK;
}

static steme_status make_items(struct gathering *g, struct scope *scope, struct steme_error *err)
{
    const struct gathered_slot *slots = g->slots.items;
    const struct gathered_claim *claims = g->claims.items;
    const struct rel_answer *answers = g->answers.items;
    struct rel_item *items = arena_calloc(g->scratch, g->functional ? g->slots.count : g->claims.count, sizeof *items);
    uint32_t *labels = arena_alloc(g->scratch, g->claims.count * sizeof *labels);
    if (!items || !labels) return arena_full(g->scratch, err);
    size_t count = 0;
    for (size_t c = 0; c < g->claims.count; c++)
        labels[c] = claims[c].label;
    for (size_t s = 0; s < g->slots.count; s++) {
        size_t claims_end = slots[s + 1].first_claim, answers_end = slots[s + 1].first_answer;
        if (slots[s].foreign) continue;
        if (g->functional) {
            items[count++] = (struct rel_item){ .labels = labels + slots[s].first_claim,
                                                .answers = answers + slots[s].first_answer,
                                                .answer_count = answers_end - slots[s].first_answer,
                                                .value_count = (uint32_t)(claims_end - slots[s].first_claim) };
            continue;
        }
        for (size_t c = slots[s].first_claim; c < claims_end; c++) {
            size_t end = c + 1 < claims_end ? claims[c + 1].answers : answers_end;
            items[count++] = (struct rel_item){ .labels = yes_no,
                                                .answers = answers + claims[c].answers,
                                                .answer_count = end - claims[c].answers,
                                                .value_count = countof(yes_no) };
        }
    }
    scope->data = (struct rel_data){ .items = items,
                                     .item_count = count,
                                     .voice_count = scope->voices.count,
                                     .label_count = g->functional ? scope->labels.count : countof(yes_no) };
    return STEME_OK;
}

/* ---- numbers ---- */

/* The unit of most measurements, of equals the smallest in bytes; ID16_NONE unless those are more than half of all that
 * is asserted. */
static steme_status choose_unit(const struct gathering *g, uint32_t *out, struct steme_error *err)
{
    const struct gathered_claim *claims = g->claims.items;
    const struct mention *mentions = g->mentions.items;
    const struct steme_slice *names = g->unit_names.items;
    size_t *counts = arena_calloc(g->scratch, g->units.count, sizeof *counts);
    uint32_t best = ID16_NONE;
    if (!counts) return arena_full(g->scratch, err);
    for (size_t i = 0; i < g->mentions.count; i++)
        if (claims[mentions[i].claim].unit != ID16_NONE) counts[claims[mentions[i].claim].unit]++;
    for (uint32_t u = 0; u < g->units.count; u++) {
        bool more = best == ID16_NONE || counts[u] > counts[best];
        if (more || (counts[u] == counts[best] && slice_compare(names[u], names[best]) < 0)) best = u;
    }
    *out = best != ID16_NONE && 2 * counts[best] > g->mentions.count ? best : ID16_NONE;
    return STEME_OK;
}

static int compare_measures(const void *left, const void *right)
{
    const struct rel_measure *a = left, *b = right;
    if (a->voice != b->voice) return a->voice < b->voice ? -1 : 1;
    if (a->x < b->x || a->x > b->x) return a->x < b->x ? -1 : 1;
    return (a->error > b->error) - (a->error < b->error);
}

void scope_sort_measures(struct rel_measure *measures, size_t count)
{
    if (count) qsort(measures, count, sizeof *measures, compare_measures);
}

static steme_status make_numbers(struct gathering *g, struct scope *scope, struct steme_error *err)
{
    const struct gathered_slot *slots = g->slots.items;
    const struct gathered_claim *claims = g->claims.items;
    const struct mention *mentions = g->mentions.items;
    uint32_t unit = ID16_NONE;
    steme_status status = choose_unit(g, &unit, err);
    if (status || unit == ID16_NONE) return status;
    struct rel_number_item *items = arena_calloc(g->scratch, g->slots.count, sizeof *items);
    struct rel_measure *measures = arena_alloc(g->scratch, g->mentions.count * sizeof *measures);
    if (!items || !measures) return arena_full(g->scratch, err);
    for (size_t s = 0; s < g->slots.count; s++) {
        size_t end = slots[s + 1].first_mention, count = 0;
        for (size_t i = slots[s].first_mention; i < end && !slots[s].foreign; i++) {
            const struct gathered_claim *claim = &claims[mentions[i].claim];
            if (claim->unit == unit)
                measures[count++] = (struct rel_measure){ mentions[i].voice, claim->x, claim->error };
        }
        if (!count) continue;
        scope_sort_measures(measures, count);
        items[scope->number_count++] = (struct rel_number_item){ .measures = measures, .count = count };
        measures += count;
    }
    scope->numeric = true;
    scope->numbers = items;
    scope->unit = ((const struct steme_slice *)g->unit_names.items)[unit];
    return STEME_OK;
}

steme_status scope_gather(struct reader *reader, struct steme_slice predicate, bool functional, const uint8_t *epoch,
                          struct arena *kept, struct arena *scratch, struct scope *out, struct steme_error *err)
{
    struct scope scope = { .numeric = false };
    struct gathering g = { .reader = reader,
                           .predicate = predicate,
                           .functional = functional,
                           .scope = &scope,
                           .kept = kept,
                           .scratch = scratch };
    struct steme_hash hash = hash_one(predicate);
    uint32_t prefix = (uint32_t)(load_u64be(hash.bytes) >> 32);
    id16_index_init(&scope.voices, kept);
    id16_index_init(&scope.labels, kept);
    id16_index_init(&g.units, scratch);
    g.pending = arena_alloc(scratch, PENDING_MAX * sizeof *g.pending);
    g.pending_slots = arena_alloc(scratch, PENDING_MAX * sizeof *g.pending_slots);
    if (!g.pending || !g.pending_slots) return arena_full(scratch, err);
    arena_init(&g.slot_arena, SLOT_CEILING_BYTES);
    steme_status status = sweep_slots(reader, prefix, epoch, take_slot, &g, err);
    if (!status) status = settle(&g, err);
    if (!status) status = close_slots(&g, err);
    if (!status) status = make_items(&g, &scope, err);
    if (!status && functional) status = make_numbers(&g, &scope, err);
    arena_deinit(&g.slot_arena);
    scope.places = g.places.items;
    if (!status) *out = scope;
    return status;
}
