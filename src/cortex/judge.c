/* SPDX-License-Identifier: Apache-2.0 */
#include "cortex/judge.h"

#include "base/check.h"
#include "base/codec.h"
#include "base/hash.h"
#include "base/id16.h"
#include "base/slice.h"
#include "cortex/opinions.h"
#include "model/identity.h"

#include <stdlib.h>

enum { JUDGE_CEILING_BYTES = 512 << 20 };

static const char cardinality_predicate[] = "steme:cardinality";
static const char cardinality_many[] = "steme:many";

void judge_init(struct judge *judge, struct reader *reader, const uint8_t (*trusted)[16], size_t trusted_count)
{
    *judge = (struct judge){ .reader = reader, .trusted = trusted, .trusted_count = trusted_count };
    arena_init(&judge->arena, JUDGE_CEILING_BYTES);
}

void judge_deinit(struct judge *judge)
{
    learning_deinit(&judge->learning);
    arena_deinit(&judge->arena);
    *judge = (struct judge){ 0 };
}

struct slot_ref judge_slot_of(struct steme_slice subject, struct steme_slice predicate,
                              struct steme_slice key_qualifiers, struct steme_hash *slot_out)
{
    struct steme_hash predicate_hash = hash_one(predicate);
    struct slot_ref ref = { .route = route_of_name(subject),
                            .predicate = (uint32_t)(load_u64be(predicate_hash.bytes) >> 32) };
    *slot_out = slot_id(subject, predicate, key_qualifiers);
    memcpy(ref.slot, slot_out->bytes, sizeof ref.slot);
    return ref;
}

/* ---- schema as data: is the predicate functional? ---- */

static bool trusts(const struct judge *judge, const uint8_t voice[16])
{
    return id16_find(judge->trusted, judge->trusted_count, voice) < judge->trusted_count;
}

/* Whether a claim of this slot is the name "steme:many", as an entity or as text. */
static bool says_many(const struct steme_hash *slot, const uint8_t claim[16])
{
    static const enum steme_kind kinds[] = { STEME_ENTITY, STEME_TEXT };
    bool many = false;
    for (size_t i = 0; i < countof(kinds); i++) {
        struct steme_value value = { .kind = kinds[i], .text = slice_text(cardinality_many) };
        struct buf bytes;
        buf_init(&bytes, 4096);
        if (value_encode(&value, &bytes, NULL) == STEME_OK) {
            struct steme_hash id = claim_id(slot, buf_slice(&bytes), false);
            many = many || memcmp(id.bytes, claim, 16) == 0;
        }
        buf_deinit(&bytes);
    }
    return many;
}

/* The newest word of a trusted agent on PREDICATE steme:cardinality. Later never loses to earlier; in a tie "many"
 * wins. */
static steme_status look_up_many(struct judge *judge, struct steme_slice predicate, bool *many_out,
                                 struct steme_error *err)
{
    struct steme_hash slot;
    struct slot_ref ref = judge_slot_of(predicate, slice_text(cardinality_predicate), slice_of(NULL, 0), &slot);
    struct arena_mark start = arena_mark(&judge->arena);
    struct evidence evidence;
    steme_status status = evidence_gather(judge->reader, &ref, NULL, &judge->arena, &evidence, err);
    if (status) return status;
    int64_t newest = INT64_MIN;
    *many_out = false;
    for (size_t i = 0; i < evidence.testimony_count; i++) {
        const struct testimony *t = &evidence.testimonies[i];
        if (t->standing != STEME_LIVE || t->row.negated || !trusts(judge, t->row.voice) || t->row.at_us < newest)
            continue;
        bool many = says_many(&slot, t->row.claim);
        *many_out = many || (*many_out && t->row.at_us == newest);
        newest = t->row.at_us;
    }
    arena_rewind(&judge->arena, start);
    return STEME_OK;
}

/* predicate: in the mapped log; hash: the first 4 bytes of its hash. */
static steme_status predicate_is_many(struct judge *judge, struct steme_slice predicate, uint32_t hash, bool *many_out,
                                      struct steme_error *err)
{
    size_t index = hash % JUDGE_PREDICATES;
    if (!slice_equal(judge->predicates[index].name, predicate)) {
        bool many = false;
        steme_status status = look_up_many(judge, predicate, &many, err);
        if (status) return status;
        judge->predicates[index].name = predicate;
        judge->predicates[index].many = many;
    }
    *many_out = judge->predicates[index].many;
    return STEME_OK;
}

/* ---- authority ---- */

static steme_status build_authority(struct judge *judge, const uint8_t (*roots)[16], size_t root_count, double damping,
                                    struct steme_error *err)
{
    struct endorsement_row *rows = NULL;
    size_t count = 0;
    steme_status status = evidence_endorsements(judge->reader, &judge->arena, &rows, &count, err);
    if (status) return status;
    struct endorsement *edges = arena_calloc(&judge->arena, count, sizeof *edges);
    if (!edges) return arena_full(&judge->arena, err);
    for (size_t i = 0; i < count; i++) {
        memcpy(edges[i].from, rows[i].from, sizeof edges[i].from);
        memcpy(edges[i].to, rows[i].to, sizeof edges[i].to);
        edges[i].probability = (double)rows[i].probability_ppm / STEME_PPM;
    }
    return authority_build(edges, count, roots, root_count, damping, &judge->arena, &judge->authority, err);
}

static steme_status gather_roots(struct judge *judge, const struct steme_lens *lens, uint8_t (**out)[16],
                                 size_t *count_out, struct steme_error *err)
{
    size_t count = lens->root_count ? lens->root_count : judge->trusted_count;
    uint8_t(*roots)[16] = arena_calloc(&judge->arena, count, sizeof *roots);
    if (!roots) return arena_full(&judge->arena, err);
    for (size_t i = 0; i < count; i++) {
        struct steme_hash id = lens->root_count ? agent_id(lens->roots[i].bytes) : (struct steme_hash){ { 0 } };
        memcpy(roots[i], lens->root_count ? id.bytes : judge->trusted[i], sizeof roots[i]);
    }
    *out = roots;
    *count_out = id16_sort(roots, count);
    return STEME_OK;
}

/* The graph for these roots, built once for all questions that share them. */
static steme_status need_authority(struct judge *judge, const struct steme_lens *lens, struct steme_error *err)
{
    double damping = lens->damping > 0 ? lens->damping : AUTHORITY_DAMPING;
    struct arena_mark start = arena_mark(&judge->arena), empty = { 0 };
    uint8_t(*roots)[16] = NULL;
    size_t count = 0;
    steme_status status = gather_roots(judge, lens, &roots, &count, err);
    if (status) return status;
    struct steme_hash digest = hash_one(slice_of(roots, count * sizeof *roots));
    arena_rewind(&judge->arena, start);
    if (judge->authority && memcmp(&digest, &judge->authority_roots, sizeof digest) == 0 &&
        !(damping < judge->authority_damping || damping > judge->authority_damping))
        return STEME_OK;
    judge->authority = NULL; /* it makes room for the next */
    arena_rewind(&judge->arena, empty);
    status = gather_roots(judge, lens, &roots, &count, err);
    if (!status) status = build_authority(judge, (const uint8_t(*)[16])roots, count, damping, err);
    if (status) return status;
    judge->authority_roots = digest;
    judge->authority_damping = damping;
    return STEME_OK;
}

/* ---- weights ---- */

/* An agent that relays sources nobody endorsed lends them its own weight: damped, and split over all of them in this
 * slot, so that made-up sources bring nothing. */
struct relay {
    uint8_t agent[16], voice[16];
};

static int compare_relays(const void *left, const void *right) { return memcmp(left, right, sizeof(struct relay)); }

/* Sort, and leave one of each. Returns how many are left. */
static size_t sort_relays(struct relay *relays, size_t count)
{
    size_t kept = 0;
    if (count) qsort(relays, count, sizeof *relays, compare_relays);
    for (size_t i = 0; i < count; i++)
        if (!kept || compare_relays(&relays[i], &relays[kept - 1]) != 0) relays[kept++] = relays[i];
    return kept;
}

/* How many sort before this agent, or before and with it. */
static size_t count_before(const struct relay *relays, size_t count, const uint8_t agent[16], bool with)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (memcmp(relays[middle].agent, agent, 16) < (with ? 1 : 0))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static size_t distinct_relayed(const struct relay *relays, size_t count, const uint8_t agent[16])
{
    return count_before(relays, count, agent, true) - count_before(relays, count, agent, false);
}

static steme_status weigh_by_authority(struct judge *judge, const struct slot_ref *ref, struct evidence *evidence,
                                       struct arena *arena, double *weights, struct steme_error *err)
{
    size_t count = evidence->testimony_count, relay_count = 0;
    struct relay *relays = arena_calloc(arena, count, sizeof *relays);
    struct relay *sorted = arena_calloc(arena, count, sizeof *sorted);
    if (!relays || !sorted) return arena_full(arena, err);
    steme_status status = evidence_read_all(judge->reader, ref, evidence, arena, err);
    if (status) return status;
    for (size_t i = 0; i < count; i++) {
        const struct testimony *t = &evidence->testimonies[i];
        struct steme_hash agent = agent_id(record_author(t->entry->bytes));
        memcpy(relays[i].agent, agent.bytes, 16);
        memcpy(relays[i].voice, t->row.voice, 16);
        weights[i] = authority_weight(judge->authority, t->row.voice);
        bool relayed = memcmp(agent.bytes, t->row.voice, 16) != 0;
        if (relayed && !(weights[i] > 0) && t->standing == STEME_LIVE) sorted[relay_count++] = relays[i];
    }
    relay_count = sort_relays(sorted, relay_count);
    for (size_t i = 0; i < count; i++) {
        bool relayed = memcmp(relays[i].agent, relays[i].voice, 16) != 0;
        if (!relayed || weights[i] > 0 || evidence->testimonies[i].standing != STEME_LIVE) continue;
        double agent_weight = authority_weight(judge->authority, relays[i].agent);
        size_t shares = distinct_relayed(sorted, relay_count, relays[i].agent);
        weights[i] = judge->authority_damping * agent_weight / (double)shares;
    }
    return STEME_OK;
}

static steme_status weigh(struct judge *judge, const struct lens_ops *ops, const struct steme_lens *lens,
                          const struct slot_ref *ref, struct evidence *evidence, struct arena *arena,
                          double **weights_out, struct steme_error *err)
{
    double *weights = arena_alloc(arena, evidence->testimony_count * sizeof *weights);
    if (!weights) return arena_full(arena, err);
    for (size_t i = 0; i < evidence->testimony_count; i++)
        weights[i] = 1;
    *weights_out = weights;
    if (!ops->needs_weights) return STEME_OK;
    steme_status status = need_authority(judge, lens, err);
    return status ? status : weigh_by_authority(judge, ref, evidence, arena, weights, err);
}

/* ---- records and values ---- */

/* Of assertions that are equal but for their id the one with the smallest id stands for the claim, so that the order
 * of arrival leaves no trace. Ties in time are rare, and only then more than one record is read. */
static steme_status settle_faces(struct judge *judge, const struct slot_ref *ref, struct evidence *e,
                                 struct opinions *g, struct arena *arena, struct steme_error *err)
{
    struct testimony **wanted = arena_alloc(arena, (e->testimony_count + 1) * sizeof(struct testimony *));
    size_t count = 0;
    if (!wanted) return arena_full(arena, err);
    for (size_t c = 0, t = 0; c < g->claim_count; c++) {
        const struct testimony *face = g->faces[c];
        while (memcmp(e->testimonies[t].row.claim, face->row.claim, 16) != 0)
            t++;
        for (; t < e->testimony_count && memcmp(e->testimonies[t].row.claim, face->row.claim, 16) == 0; t++) {
            struct testimony *rival = &e->testimonies[t];
            if (rival->standing == STEME_LIVE && rival->row.negated == face->row.negated &&
                (rival->row.at_us == face->row.at_us || face->row.negated))
                wanted[count++] = rival;
        }
    }
    steme_status status = evidence_read(judge->reader, ref, wanted, count, arena, err);
    if (status) return status;
    for (size_t i = 0, c = 0; i < count; i++) {
        while (memcmp(g->faces[c]->row.claim, wanted[i]->row.claim, 16) != 0)
            c++;
        if (memcmp(wanted[i]->entry->id.bytes, g->faces[c]->entry->id.bytes, 32) < 0) g->faces[c] = wanted[i];
    }
    return STEME_OK;
}

static steme_status decode_values(struct opinions *g, struct arena *arena, struct steme_value **out,
                                  struct steme_error *err)
{
    struct steme_value *values = arena_calloc(arena, g->claim_count, sizeof *values);
    if (!values) return arena_full(arena, err);
    for (size_t c = 0; c < g->claim_count; c++) {
        steme_status status = value_decode(g->faces[c]->view->object, &values[c], err);
        if (status) return status;
        g->claims[c].value = &values[c];
    }
    *out = values;
    return STEME_OK;
}

/* "name=value, name=value" of a record's key qualifiers. */
static steme_status print_qualifiers(const struct wal_entry *entry, struct arena *arena, struct steme_slice *out,
                                     struct steme_error *err)
{
    struct steme_record record;
    struct buf text;
    steme_status status = record_decode(entry->bytes, arena, &record, err);
    if (status) return status;
    buf_init(&text, STEME_RECORD_MAX);
    for (size_t i = 0; i < record.as.assertion.qualifier_count; i++) {
        const struct steme_qualifier *q = &record.as.assertion.qualifiers[i];
        if (!q->key) continue;
        if (text.size) buf_append_text(&text, ", ");
        buf_append_slice(&text, q->name);
        buf_append_text(&text, "=");
        buf_append_slice(&text, q->value);
    }
    status = buf_check(&text, err);
    if (!status) {
        *out = arena_copy(arena, buf_slice(&text));
        if (!out->data) status = arena_full(arena, err);
    }
    buf_deinit(&text);
    return status;
}

/* ---- shaping ---- */

static uint32_t count_voices(const struct lens_claim *claim, bool support)
{
    uint32_t count = 0;
    for (size_t i = 0; i < claim->voice_count; i++)
        count += support ? claim->voices[i].support > 0 : claim->voices[i].refute > 0;
    return count;
}

static uint32_t independent_voices(const struct opinions *g, struct arena *arena)
{
    struct arena_mark start = arena_mark(arena);
    uint8_t(*ids)[16] = arena_alloc(arena, (g->voice_count + 1) * sizeof *ids);
    if (!ids) return (uint32_t)g->voice_count;
    for (size_t i = 0; i < g->voice_count; i++)
        memcpy(ids[i], g->voices[i].voice, sizeof ids[i]);
    uint32_t count = (uint32_t)id16_sort(ids, g->voice_count);
    arena_rewind(arena, start);
    return count;
}

/* What decides where a claim stands: it is sorted, and beliefs, which are large, are written in their places. */
struct rank {
    double probability;
    int64_t latest_at_us;
    size_t claim; /* index: claims come sorted by id */
};

/* Most probable first, then latest, then the smaller id. */
static int compare_ranks(const void *left, const void *right)
{
    const struct rank *a = left, *b = right;
    if (a->probability > b->probability) return -1;
    if (a->probability < b->probability) return 1;
    if (a->latest_at_us != b->latest_at_us) return a->latest_at_us > b->latest_at_us ? -1 : 1;
    return (a->claim > b->claim) - (a->claim < b->claim);
}

static steme_status shape_beliefs(const struct opinions *g, const struct lens_result *result,
                                  const struct steme_value *values, struct arena *arena, struct steme_answer *out,
                                  struct steme_error *err)
{
    struct steme_belief *beliefs = arena_alloc(arena, g->claim_count * sizeof *beliefs);
    struct rank *ranks = arena_alloc(arena, g->claim_count * sizeof *ranks);
    if (!beliefs || !ranks) return arena_full(arena, err);
    for (size_t c = 0; c < g->claim_count; c++)
        ranks[c] = (struct rank){ result->scores[c].probability, g->claims[c].latest_at_us, c };
    qsort(ranks, g->claim_count, sizeof *ranks, compare_ranks);
    for (size_t i = 0; i < g->claim_count; i++) {
        size_t c = ranks[i].claim;
        const struct lens_claim *claim = &g->claims[c];
        const struct lens_score *score = &result->scores[c];
        beliefs[i] = (struct steme_belief){ .claim = g->faces[c]->identity->claim,
                                            .value = values[c],
                                            .probability = score->probability,
                                            .support = score->support,
                                            .refute = score->refute,
                                            .support_voices = count_voices(claim, true),
                                            .refute_voices = count_voices(claim, false),
                                            .assertions = claim->assertions,
                                            .refutations = claim->refutations,
                                            .votes_for = claim->votes_for,
                                            .votes_against = claim->votes_against,
                                            .latest_at_us = claim->latest_at_us,
                                            .assertion = g->faces[c]->entry->id };
    }
    out->beliefs = beliefs;
    out->belief_count = g->claim_count;
    return STEME_OK;
}

/* Names of the question from the record of one of its assertions, where the caller did not know them. */
static steme_status shape_names(const struct testimony *t, struct arena *arena, struct steme_answer *out,
                                struct steme_error *err)
{
    out->subject = t->view->subject;
    out->predicate = t->view->predicate;
    out->slot = t->identity->slot;
    return t->view->key_qualifiers.size ? print_qualifiers(t->entry, arena, &out->key_qualifiers, err) : STEME_OK;
}

/* The names when nothing is live: of any record of the slot. */
static steme_status shape_bare_names(struct judge *judge, const struct slot_ref *ref, struct evidence *e,
                                     struct arena *arena, struct steme_answer *out, struct steme_error *err)
{
    struct testimony *first = e->testimonies;
    if (e->testimony_count == 0) return STEME_OK;
    steme_status status = evidence_read(judge->reader, ref, &first, 1, arena, err);
    return status ? status : shape_names(first, arena, out, err);
}

/* ---- reliability ---- */

steme_status judge_learned(struct judge *judge, struct steme_slice predicate, const uint8_t *epoch,
                           const struct steme_lens *lens, const struct learned **out, struct steme_error *err)
{
    struct steme_hash hash = hash_one(predicate);
    bool many = false;
    steme_status status = predicate_is_many(judge, predicate, (uint32_t)(load_u64be(hash.bytes) >> 32), &many, err);
    return status ? status : learning_find(&judge->learning, judge->reader, predicate, !many, epoch, lens, out, err);
}

/* What was learned of the predicate, with the numbers that voices and claims have in it. */
static steme_status need_model(struct judge *judge, const struct judge_slot *slot, struct steme_slice predicate,
                               const struct steme_lens *lens, struct opinions *g, struct judge_weighing *weighing,
                               const struct learned **out, struct steme_error *err)
{
    const struct learned *learned = NULL;
    steme_status status = judge_learned(judge, predicate, slot->epoch, lens, &learned, err);
    if (status) return status;
    for (size_t v = 0; v < g->voice_count; v++)
        g->voices[v].number = learned_voice(learned, g->voices[v].voice);
    for (size_t c = 0; c < g->claim_count; c++)
        g->claims[c].label = learned_label(learned, g->faces[c]->view->object);
    for (size_t i = 0; i < weighing->evidence.testimony_count; i++) {
        const uint8_t *voice = weighing->evidence.testimonies[i].row.voice;
        weighing->weights[i] = learned_weight(&learned->model, learned_voice(learned, voice));
    }
    *out = learned;
    return STEME_OK;
}

static steme_status judge_groups(struct judge *judge, const struct judge_slot *slot, const struct lens_ops *ops,
                                 const struct steme_lens *lens, struct judge_weighing *weighing, struct opinions *g,
                                 struct arena *arena, struct steme_answer *answer, struct steme_error *err)
{
    struct evidence *evidence = &weighing->evidence;
    const struct learned *learned = NULL;
    struct steme_value *values = NULL;
    struct lens_result result = { 0 };
    bool many = false;
    steme_status status = settle_faces(judge, &slot->ref, evidence, g, arena, err);
    if (!status) status = decode_values(g, arena, &values, err);
    if (!status) status = shape_names(g->faces[0], arena, answer, err);
    if (!status) status = predicate_is_many(judge, answer->predicate, slot->ref.predicate, &many, err);
    if (!status && ops->needs_model)
        status = need_model(judge, slot, answer->predicate, lens, g, weighing, &learned, err);
    if (status) return status;
    answer->functional = !many;
    struct lens_input input = { .claims = g->claims, .claim_count = g->claim_count, .functional = !many };
    if (learned) {
        input.model = &learned->model;
        answer->has_learned = true;
        answer->learned = learned_facts(learned);
    }
    status = lens_judge(ops, &input, lens, arena, &result, err);
    if (!status) status = shape_beliefs(g, &result, values, arena, answer, err);
    if (status) return status;
    answer->verdict = result.verdict;
    answer->margin = result.margin;
    answer->has_pooled = result.has_pooled;
    answer->pooled = result.pooled;
    answer->voices = independent_voices(g, arena);
    answer->assertions = g->assertions;
    answer->votes = g->votes;
    return STEME_OK;
}

steme_status judge_slot(struct judge *judge, const struct judge_slot *slot, const struct steme_lens *lens,
                        struct arena *arena, struct steme_answer *out, struct judge_weighing *weighing,
                        struct steme_error *err)
{
    const struct lens_ops *ops = NULL;
    struct evidence evidence = { 0 };
    struct opinions g = { 0 };
    double *weights = NULL;
    struct steme_answer answer = { .subject = slot->subject,
                                   .predicate = slot->predicate,
                                   .slot = slot->id,
                                   .functional = true,
                                   .valid_at_us = judge->reader->valid_at_us };
    steme_status status = lens_find(lens->name, &ops, err);
    if (!status) status = lens_check(lens, err);
    if (!status) status = evidence_gather(judge->reader, &slot->ref, slot->epoch, arena, &evidence, err);
    if (!status) status = weigh(judge, ops, lens, &slot->ref, &evidence, arena, &weights, err);
    if (status) return status;
    const struct authority *authority = ops->needs_weights ? judge->authority : NULL;
    status = opinions_group(&evidence, ops->needs_weights ? weights : NULL, authority, arena, &g, err);
    if (status) return status;
    struct judge_weighing weighed = { evidence, weights };
    answer.lens = ops->info.name;
    if (g.claim_count)
        status = judge_groups(judge, slot, ops, lens, &weighed, &g, arena, &answer, err);
    else
        status = shape_bare_names(judge, &slot->ref, &evidence, arena, &answer, err);
    if (status) return status;
    if (weighing) *weighing = weighed;
    *out = answer;
    return STEME_OK;
}
