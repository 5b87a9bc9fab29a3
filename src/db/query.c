/* SPDX-License-Identifier: Apache-2.0 */
/* Questions about slots: resolve one or all, why, history, conflicts. */
#include "base/check.h"
#include "base/slice.h"
#include "db/snapshot.h"
#include "model/record.h"

#include <math.h>
#include <stdlib.h>

enum { CONFLICTS_CEILING_BYTES = 512 << 20 };

const char *steme_standing_name(enum steme_standing standing)
{
    switch (standing) {
    case STEME_LIVE: return "live";
    case STEME_RETRACTED: return "retracted";
    case STEME_SUPERSEDED: return "superseded";
    case STEME_NOT_VALID: return "not valid then";
    case STEME_OTHER_EPOCH: return "other epoch";
    }
    return "?";
}

/* ---- one question ---- */

static steme_status resolve(struct steme_snapshot *s, const struct steme_question *question, struct steme_answer *out,
                            struct judge_weighing *weighing, struct steme_error *err)
{
    struct judge_slot slot;
    steme_status status = snapshot_slot(s, question, &slot, err);
    if (!status) status = snapshot_judge(s, &slot, &question->lens, &s->arena, out, weighing, err);
    return status;
}

steme_status steme_resolve(struct steme_snapshot *snapshot, const struct steme_question *question,
                           struct steme_answer *out, struct steme_error *err)
{
    unsigned attempt = 0;
    steme_status status;
    do
        status = resolve(snapshot, question, out, NULL, err);
    while (snapshot_renewed(snapshot, status, &attempt, err));
    return status;
}

/* ---- every slot ---- */

/* A walk over slots that survives a renewed index: where it stands is kept here, outside of any cursor. */
struct walk {
    struct slot_ref at;
    bool only_route;
    uint32_t predicate; /* with has_predicate: other slots are passed over without a look at their records */
    bool has_predicate;
};

static struct walk begin_walk(const struct steme_question *pattern)
{
    struct walk walk = { .only_route = pattern->subject.size > 0, .has_predicate = pattern->predicate.size > 0 };
    struct steme_hash unused;
    struct slot_ref ref = judge_slot_of(pattern->subject, pattern->predicate, slice_of(NULL, 0), &unused);
    if (walk.only_route) walk.at.route = ref.route;
    if (walk.has_predicate) walk.predicate = ref.predicate;
    return walk;
}

static bool matches(struct steme_slice wanted, struct steme_slice name)
{
    return wanted.size == 0 || slice_equal(wanted, name);
}

/* The next slot's answer. *found_out false: passed over. STEME_NOT_FOUND: no more slots. */
static steme_status next_answer(struct steme_snapshot *s, struct walk *walk, const struct steme_question *pattern,
                                struct steme_answer *out, bool *found_out, struct steme_error *err)
{
    *found_out = false;
    steme_status status = evidence_next_slot(&s->reader, &walk->at, walk->only_route, err);
    if (status) return status;
    if (walk->has_predicate && walk->at.predicate != walk->predicate) return STEME_OK;
    struct judge_slot slot = { .ref = walk->at, .epoch = pattern->epoch ? pattern->epoch->bytes : NULL };
    status = snapshot_judge(s, &slot, &pattern->lens, &s->arena, out, NULL, err);
    if (status) return status;
    *found_out = out->subject.size && matches(pattern->subject, out->subject) &&
                 matches(pattern->predicate, out->predicate);
    return STEME_OK;
}

steme_status steme_resolve_each(struct steme_snapshot *s, const struct steme_question *pattern,
                                steme_status (*visit)(void *context, const struct steme_answer *answer), void *context,
                                struct steme_error *err)
{
    struct walk walk = begin_walk(pattern);
    const struct lens_ops *ops = NULL;
    steme_status at = STEME_OK, status = lens_find(pattern->lens.name, &ops, err);
    if (!status) status = lens_check(&pattern->lens, err);
    for (bool more = true; more && !status; more = evidence_step_slot(&walk.at)) {
        struct arena_mark start = arena_mark(&s->arena);
        struct steme_answer answer;
        unsigned attempt = 0;
        bool found = false;
        do
            at = next_answer(s, &walk, pattern, &answer, &found, err);
        while (snapshot_renewed(s, at, &attempt, err));
        if (!at && found) status = visit(context, &answer);
        arena_rewind(&s->arena, start);
        if (at) break;
    }
    return walk_status(status, at);
}

/* ---- conflicts ---- */

/* Entropy of the claims' probabilities and of what is left, over the most it could be. */
static double contest_of(const struct steme_answer *answer)
{
    double entropy = 0, rest = 1;
    for (size_t i = 0; i < answer->belief_count; i++) {
        double p = answer->beliefs[i].probability;
        if (p > 0) entropy -= p * log2(p);
        rest -= p;
    }
    if (rest > 0) entropy -= rest * log2(rest);
    double most = log2((double)answer->belief_count + 1);
    double contest = most > 0 ? entropy / most : 0;
    return contest < 1 ? contest : 1;
}

static bool disagrees(const struct steme_answer *answer)
{
    size_t spoken_for = 0;
    for (size_t i = 0; i < answer->belief_count; i++) {
        const struct steme_belief *b = &answer->beliefs[i];
        if (b->support_voices && b->refute_voices) return true;
        spoken_for += b->support_voices > 0;
    }
    return answer->functional && spoken_for > 1;
}

struct conflict_list {
    struct arena arena; /* the snapshot's forgets after each visit */
    struct steme_conflict *items;
    size_t count, capacity, max;
    struct steme_error *err;
};

static int compare_conflicts(const void *left, const void *right)
{
    const struct steme_conflict *a = left, *b = right;
    if (a->contest > b->contest) return -1;
    if (a->contest < b->contest) return 1;
    int order = slice_compare(a->answer.subject, b->answer.subject);
    if (!order) order = slice_compare(a->answer.predicate, b->answer.predicate);
    return order ? order : memcmp(&a->answer.slot, &b->answer.slot, sizeof a->answer.slot);
}

/* Index of the item that would be listed last. */
static size_t last_listed(const struct conflict_list *list)
{
    size_t last = 0;
    for (size_t i = 1; i < list->count; i++)
        if (compare_conflicts(&list->items[i], &list->items[last]) > 0) last = i;
    return last;
}

static steme_status make_room(struct conflict_list *list)
{
    enum { FIRST_CONFLICTS = 64 };
    size_t capacity = list->capacity ? 2 * list->capacity : FIRST_CONFLICTS;
    struct steme_conflict *items = arena_alloc(&list->arena, capacity * sizeof *items);
    if (!items) return arena_full(&list->arena, list->err);
    if (list->count) memcpy(items, list->items, list->count * sizeof *items);
    list->items = items;
    list->capacity = capacity;
    return STEME_OK;
}

/* The visit's memory goes; what stays is a question to be asked again, so only names are kept until the end. */
static steme_status keep_conflict(void *context, const struct steme_answer *answer)
{
    struct conflict_list *list = context;
    if (!disagrees(answer)) return STEME_OK;
    /* Subject and predicate lie in the mapped log, beliefs in the arena: those are asked for again in the end. */
    struct steme_conflict item = { .answer = *answer, .contest = contest_of(answer) };
    item.answer.beliefs = NULL;
    if (list->count < list->max) {
        steme_status status = list->count < list->capacity ? STEME_OK : make_room(list);
        if (!status) list->items[list->count++] = item;
        return status;
    }
    size_t last = last_listed(list);
    if (compare_conflicts(&item, &list->items[last]) < 0) list->items[last] = item;
    return STEME_OK;
}

static steme_status answer_again(struct steme_snapshot *s, const struct steme_lens *lens, struct steme_answer *answer,
                                 struct steme_error *err)
{
    struct steme_hash predicate_hash;
    struct judge_slot slot = { .ref = judge_slot_of(answer->subject, answer->predicate, slice_of(NULL, 0),
                                                    &predicate_hash) };
    memcpy(slot.ref.slot, answer->slot.bytes, sizeof slot.ref.slot);
    return snapshot_judge(s, &slot, lens, &s->arena, answer, NULL, err);
}

static steme_status answer_conflicts(struct steme_snapshot *s, const struct steme_lens *lens,
                                     const struct conflict_list *list, struct steme_conflict *out,
                                     struct steme_error *err)
{
    steme_status status = STEME_OK;
    if (list->count) memcpy(out, list->items, list->count * sizeof *out);
    if (list->count) qsort(out, list->count, sizeof *out, compare_conflicts);
    for (size_t i = 0; !status && i < list->count; i++) {
        unsigned attempt = 0;
        do
            status = answer_again(s, lens, &out[i].answer, err);
        while (snapshot_renewed(s, status, &attempt, err));
    }
    return status;
}

steme_status steme_conflicts(struct steme_snapshot *s, const struct steme_lens *lens, size_t max,
                             const struct steme_conflict **out, size_t *count_out, struct steme_error *err)
{
    struct conflict_list list = { .max = max, .err = err };
    struct steme_question pattern = { .lens = *lens };
    struct steme_conflict *items = NULL;
    arena_init(&list.arena, CONFLICTS_CEILING_BYTES);
    steme_status status = max ? steme_resolve_each(s, &pattern, keep_conflict, &list, err) : STEME_OK;
    if (!status) {
        items = arena_calloc(&s->arena, list.count, sizeof *items);
        status = items ? answer_conflicts(s, lens, &list, items, err) : arena_full(&s->arena, err);
    }
    if (!status) {
        *out = items;
        *count_out = list.count;
    }
    arena_deinit(&list.arena);
    return status;
}

/* ---- why ---- */

struct ranked {
    const struct testimony *testimony;
    size_t rank; /* of its claim in the answer; past the last for those not live */
    double weight;
};

static int compare_ranked(const void *left, const void *right)
{
    const struct ranked *a = left, *b = right;
    if (a->rank != b->rank) return a->rank < b->rank ? -1 : 1;
    if (a->testimony->row.at_us != b->testimony->row.at_us)
        return a->testimony->row.at_us < b->testimony->row.at_us ? -1 : 1;
    return memcmp(&a->testimony->entry->id, &b->testimony->entry->id, sizeof(struct steme_hash));
}

static size_t rank_of(const struct steme_answer *answer, const struct testimony *t)
{
    if (t->standing != STEME_LIVE) return answer->belief_count;
    for (size_t i = 0; i < answer->belief_count; i++)
        if (memcmp(answer->beliefs[i].claim.bytes, t->row.claim, sizeof t->row.claim) == 0) return i;
    return answer->belief_count;
}

static steme_status unfold_testimonies(struct steme_snapshot *s, const struct judge_slot *slot,
                                       const struct judge_weighing *weighing, struct steme_explanation *out,
                                       struct steme_error *err)
{
    size_t count = weighing->evidence.testimony_count;
    struct ranked *ranked = arena_calloc(&s->arena, count, sizeof *ranked);
    struct steme_testimony *testimonies = arena_calloc(&s->arena, count, sizeof *testimonies);
    if (!ranked || !testimonies) return arena_full(&s->arena, err);
    steme_status status = evidence_read_all(&s->reader, &slot->ref, &weighing->evidence, &s->arena, err);
    if (status) return status;
    for (size_t i = 0; i < count; i++) {
        const struct testimony *t = &weighing->evidence.testimonies[i];
        ranked[i] = (struct ranked){ t, rank_of(&out->answer, t), weighing->weights[i] };
    }
    if (count) qsort(ranked, count, sizeof *ranked, compare_ranked);
    for (size_t i = 0; !status && i < count; i++)
        status = snapshot_testimony(s, ranked[i].testimony, ranked[i].weight, &testimonies[i], err);
    out->testimonies = testimonies;
    out->testimony_count = count;
    return status;
}

static steme_status unfold_claim_ballots(struct steme_snapshot *s, uint64_t route, struct steme_explanation *out,
                                         struct steme_error *err)
{
    size_t total = 0, claims = out->answer.belief_count;
    struct steme_ballot **lists = arena_calloc(&s->arena, claims, sizeof(struct steme_ballot *));
    size_t *counts = arena_calloc(&s->arena, claims, sizeof *counts);
    if (!lists || !counts) return arena_full(&s->arena, err);
    for (size_t i = 0; i < claims; i++) {
        struct steme_target target = { STEME_ON_CLAIM, route, out->answer.beliefs[i].claim };
        steme_status status = snapshot_ballots(s, &target, &lists[i], &counts[i], err);
        if (status) return status;
        total += counts[i];
    }
    struct steme_ballot *all = arena_calloc(&s->arena, total, sizeof *all);
    if (!all) return arena_full(&s->arena, err);
    for (size_t i = 0, at = 0; i < claims; at += counts[i++])
        if (counts[i]) memcpy(all + at, lists[i], counts[i] * sizeof *all);
    out->claim_ballots = all;
    out->claim_ballot_count = total;
    return STEME_OK;
}

static steme_status explain(struct steme_snapshot *s, const struct steme_question *question,
                            struct steme_explanation *out, struct steme_error *err)
{
    struct judge_slot slot;
    struct judge_weighing weighing = { 0 };
    struct steme_explanation made = { 0 };
    steme_status status = snapshot_slot(s, question, &slot, err);
    if (!status) status = snapshot_judge(s, &slot, &question->lens, &s->arena, &made.answer, &weighing, err);
    if (!status) status = unfold_testimonies(s, &slot, &weighing, &made, err);
    if (!status) status = unfold_claim_ballots(s, slot.ref.route, &made, err);
    if (!status) *out = made;
    return status;
}

steme_status steme_why(struct steme_snapshot *snapshot, const struct steme_question *question,
                       struct steme_explanation *out, struct steme_error *err)
{
    unsigned attempt = 0;
    steme_status status;
    do
        status = explain(snapshot, question, out, err);
    while (snapshot_renewed(snapshot, status, &attempt, err));
    return status;
}

/* ---- history ---- */

struct history {
    struct steme_testimony *items;
    size_t count, capacity;
};

static steme_status add_to_history(struct steme_snapshot *s, struct history *h, const struct testimony *t,
                                   struct steme_error *err)
{
    if (h->count == h->capacity) {
        size_t capacity = h->capacity ? 2 * h->capacity : 16;
        struct steme_testimony *grown = arena_alloc(&s->arena, capacity * sizeof *grown);
        if (!grown) return arena_full(&s->arena, err);
        if (h->count) memcpy(grown, h->items, h->count * sizeof *grown);
        h->items = grown;
        h->capacity = capacity;
    }
    steme_status status = snapshot_testimony(s, t, 1, &h->items[h->count], err);
    h->count += status == STEME_OK;
    return status;
}

static steme_status add_slot_history(struct steme_snapshot *s, const struct slot_ref *slot, struct steme_slice subject,
                                     struct steme_slice predicate, struct history *h, struct steme_error *err)
{
    struct evidence evidence = { 0 };
    steme_status status = evidence_gather(&s->reader, slot, NULL, &s->arena, &evidence, err);
    if (!status) status = evidence_read_all(&s->reader, slot, &evidence, &s->arena, err);
    for (size_t i = 0; !status && i < evidence.testimony_count; i++) {
        const struct testimony *t = &evidence.testimonies[i];
        if (!slice_equal(t->view->subject, subject) || !matches(predicate, t->view->predicate)) break;
        status = add_to_history(s, h, t, err);
    }
    return status;
}

static int compare_received(const void *left, const void *right)
{
    const struct steme_testimony *a = left, *b = right;
    return (a->entry.sequence > b->entry.sequence) - (a->entry.sequence < b->entry.sequence);
}

static steme_status gather_history(struct steme_snapshot *s, struct steme_slice subject, struct steme_slice predicate,
                                   struct history *h, struct steme_error *err)
{
    struct steme_question pattern = { .subject = subject, .predicate = predicate };
    struct walk walk = begin_walk(&pattern);
    *h = (struct history){ 0 };
    for (bool more = true; more; more = evidence_step_slot(&walk.at)) {
        steme_status status = evidence_next_slot(&s->reader, &walk.at, true, err);
        if (status == STEME_NOT_FOUND) break;
        if (status) return status;
        if (walk.has_predicate && walk.at.predicate != walk.predicate) continue;
        status = add_slot_history(s, &walk.at, subject, predicate, h, err);
        if (status) return status;
    }
    if (h->count) qsort(h->items, h->count, sizeof *h->items, compare_received);
    return STEME_OK;
}

steme_status steme_history(struct steme_snapshot *snapshot, struct steme_slice subject, struct steme_slice predicate,
                           const struct steme_testimony **out, size_t *count_out, struct steme_error *err)
{
    struct history history = { 0 };
    unsigned attempt = 0;
    steme_status status;
    if (subject.size == 0) return error_set(err, STEME_BAD_INPUT, "a history is of a subject: name it");
    do
        status = gather_history(snapshot, subject, predicate, &history, err);
    while (snapshot_renewed(snapshot, status, &attempt, err));
    if (status) return status;
    *out = history.items;
    *count_out = history.count;
    return STEME_OK;
}
