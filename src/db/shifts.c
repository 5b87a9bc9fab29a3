/* SPDX-License-Identifier: Apache-2.0 */
/* steme_shifts_each(): walk the log and judge what each record bears on as of just before it and just after. Two states
 * are kept, and of the log one chunk; nothing is remembered from record to record. */
#include "base/check.h"
#include "base/slice.h"
#include "db/shift.h"
#include "db/slot_walk.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    CHUNK_RECORDS = 256,
    TOGETHER_MAX = 64, /* neighbours that bear on every question are judged together */
    WIDE_SLOTS_MAX = 100000,
    CHUNK_CEILING_BYTES = 256 << 20,
    JUDGED_CEILING_BYTES = 1 << 30,
    FIRST_SHIFTS = 16,
};

/* A record of the log, and what it bears on. */
struct passage {
    struct steme_cause cause;
    bool copy; /* of an earlier record: it bears on nothing */
    uint64_t location, next_location;
    struct touched touched;
};

struct shifting {
    struct steme_snapshot *snapshot;
    const struct steme_question *patterns;
    size_t pattern_count;
    double threshold;
    struct reach reach; /* of all lenses together */
    const struct reach *pattern_reach;
    struct passage *passages; /* one chunk */
    size_t passage_count;
    bool more; /* the chunk is full: the log may go on */
    struct arena arena;
    struct vantage *before, *after;
    struct arena judged_arena;
    struct steme_shift *shifts; /* of one step */
    size_t shift_count, shift_capacity;
};

/* ---- a chunk of the log ---- */

static steme_status take_record(void *context, const struct steme_entry *entry)
{
    struct shifting *w = context;
    w->more = w->passage_count == CHUNK_RECORDS;
    if (w->more) return STEME_FAILED; /* ends the walk */
    w->passages[w->passage_count++] = (struct passage){
        .cause = { .id = entry->id, .sequence = entry->sequence, .type = entry->record.type },
    };
    return STEME_OK;
}

static steme_status read_chunk(struct shifting *w, uint64_t since, struct steme_error *err)
{
    struct arena_mark empty = { 0 };
    arena_rewind(&w->arena, empty);
    w->passage_count = 0;
    w->more = false;
    w->passages = arena_calloc(&w->arena, CHUNK_RECORDS, sizeof *w->passages);
    if (!w->passages) return arena_full(&w->arena, err);
    steme_status status = steme_log_each(w->snapshot, since, take_record, w, err);
    return w->more ? STEME_OK : status;
}

static steme_status touch_passage(struct shifting *w, struct passage *passage, struct steme_error *err)
{
    struct reader *reader = &w->snapshot->reader;
    struct wal_entry entry;
    uint64_t location = 0;
    passage->touched = touched_by(w->snapshot->judge.trusted, w->snapshot->judge.trusted_count);
    steme_status status = evidence_locate(reader, passage->cause.id.bytes, NULL, &location, err);
    if (!status) status = evidence_named(reader, location, passage->cause.id.bytes, &entry, err);
    if (status == STEME_NOT_FOUND)
        return error_set(err, STEME_CORRUPT, "the index does not know record %" PRIu64, passage->cause.sequence);
    if (status) return status;
    passage->copy = entry.sequence != passage->cause.sequence;
    if (passage->copy) return STEME_OK;
    passage->location = entry.location;
    passage->next_location = entry.next_location;
    status = touched_add(reader, &entry, 1, &w->arena, &passage->touched, err);
    return status ? status : touched_settle(reader, &w->arena, &passage->touched, err);
}

/* ---- judging ---- */

/* Open a state at a limit, or take the one that is there. */
static void stand_at(struct shifting *w, struct vantage *vantage, uint64_t limit)
{
    if (vantage->open && vantage->reader.limit == limit) return;
    vantage_close(vantage);
    vantage_open(vantage, w->snapshot, limit, NULL);
}

/* The state after one step is the state before the next, if nothing came in between. */
static void stand_around(struct shifting *w, uint64_t from, uint64_t to)
{
    struct vantage *last = w->after;
    if (last->open && last->reader.limit == from) {
        w->after = w->before;
        w->before = last;
    }
    stand_at(w, w->before, from);
    stand_at(w, w->after, to);
}

static void stand_nowhere(struct shifting *w)
{
    vantage_close(w->before);
    vantage_close(w->after);
}

static steme_status list_causes(struct shifting *w, const struct passage *passages, size_t count,
                                const struct slot_ref *slot, struct reach reach, struct steme_shift *shift,
                                struct steme_error *err)
{
    struct steme_cause *causes = arena_calloc(&w->judged_arena, count, sizeof *causes);
    size_t cause_count = 0;
    if (!causes) return arena_full(&w->judged_arena, err);
    for (size_t i = 0; i < count; i++)
        if (!passages[i].copy && touched_has(&passages[i].touched, slot, reach))
            causes[cause_count++] = passages[i].cause;
    shift->causes = causes;
    shift->cause_count = cause_count;
    return STEME_OK;
}

static steme_status list_shift(struct shifting *w, const struct steme_shift *shift, struct steme_error *err)
{
    if (w->shift_count == w->shift_capacity) {
        size_t capacity = w->shift_capacity ? 2 * w->shift_capacity : FIRST_SHIFTS;
        struct steme_shift *grown = arena_alloc(&w->judged_arena, capacity * sizeof *grown);
        if (!grown) return arena_full(&w->judged_arena, err);
        if (w->shift_count) memcpy(grown, w->shifts, w->shift_count * sizeof *grown);
        w->shifts = grown;
        w->shift_capacity = capacity;
    }
    w->shifts[w->shift_count++] = *shift;
    return STEME_OK;
}

/* One slot under one lens, before and after the passages. */
static steme_status judge_pattern(struct shifting *w, size_t index, const struct slot_ref *ref,
                                  const struct passage *passages, size_t count, struct steme_error *err)
{
    const struct steme_question *pattern = &w->patterns[index];
    struct judge_slot slot = { .ref = *ref, .epoch = pattern->epoch ? pattern->epoch->bytes : NULL };
    struct steme_answer before, after;
    struct steme_shift shift = { .kind = STEME_STAYED };
    struct arena *arena = &w->judged_arena;
    struct arena_mark start = arena_mark(arena);
    steme_status status = judge_slot(&w->before->judge, &slot, &pattern->lens, arena, &before, NULL, err);
    if (!status) status = judge_slot(&w->after->judge, &slot, &pattern->lens, arena, &after, NULL, err);
    bool asked = !status && after.subject.size && slot_walk_matches(pattern->subject, after.subject) &&
                 slot_walk_matches(pattern->predicate, after.predicate);
    if (asked) status = shift_between(&before, &after, w->threshold, &w->arena, &shift, err);
    arena_rewind(arena, start);
    if (status || shift.kind == STEME_STAYED) return status;
    status = list_causes(w, passages, count, ref, w->pattern_reach[index], &shift, err);
    return status ? status : list_shift(w, &shift, err);
}

static bool any_has(const struct passage *passages, size_t count, const struct slot_ref *slot, struct reach reach)
{
    for (size_t i = 0; i < count; i++)
        if (!passages[i].copy && touched_has(&passages[i].touched, slot, reach)) return true;
    return false;
}

static steme_status judge_slots(struct shifting *w, const struct slot_ref *slot, const struct passage *passages,
                                size_t count, struct steme_error *err)
{
    steme_status status = STEME_OK;
    for (size_t i = 0; !status && i < w->pattern_count; i++) {
        struct slot_walk walk = slot_walk_begin(w->patterns[i].subject, w->patterns[i].predicate);
        if (slot_walk_takes(&walk, slot) && any_has(passages, count, slot, w->pattern_reach[i]))
            status = judge_pattern(w, i, slot, passages, count, err);
    }
    return status;
}

/* Every slot there is that the passages bear on; of the pattern's subject and predicate, if there is only one. */
static steme_status judge_widely(struct shifting *w, const struct passage *passages, size_t count,
                                 struct steme_error *err)
{
    bool one = w->pattern_count == 1;
    struct slot_walk walk = slot_walk_begin(one ? w->patterns[0].subject : slice_of(NULL, 0),
                                            one ? w->patterns[0].predicate : slice_of(NULL, 0));
    size_t looked_at = 0;
    steme_status status = STEME_OK;
    for (bool more = true; more && !status; more = slot_walk_step(&walk)) {
        bool passed = false;
        status = slot_walk_next(&w->after->reader, &walk, &passed, err);
        if (status || passed || !any_has(passages, count, &walk.at, w->reach)) continue;
        if (looked_at++ == WIDE_SLOTS_MAX) {
            store_notice(w->snapshot->store,
                         "record %" PRIu64
                         " bears on more than %d questions: what it changed of the others is not told",
                         passages[count - 1].cause.sequence, WIDE_SLOTS_MAX);
            return STEME_OK;
        }
        status = judge_slots(w, &walk.at, passages, count, err);
    }
    return status == STEME_NOT_FOUND ? STEME_OK : status;
}

static steme_status judge_step(struct shifting *w, const struct passage *passages, size_t count,
                               struct steme_error *err)
{
    struct arena_mark empty = { 0 };
    bool widely = false;
    arena_rewind(&w->judged_arena, empty);
    w->shifts = NULL;
    w->shift_count = w->shift_capacity = 0;
    for (size_t i = 0; i < count; i++)
        widely = widely || touched_widely(&passages[i].touched, w->reach);
    if (!widely && !passages[0].touched.slot_count) return STEME_OK;
    stand_around(w, passages[0].location, passages[count - 1].next_location);
    if (widely) return judge_widely(w, passages, count, err);
    steme_status status = STEME_OK;
    for (size_t i = 0; !status && i < passages[0].touched.slot_count; i++)
        status = judge_slots(w, &passages[0].touched.slots[i], passages, 1, err);
    return status;
}

/* How many passages from this one on are one step: one, or neighbours that all bear on every question. What bears on
 * all questions of a predicate, because its lens learns from them, is told record by record like what bears on one. */
static size_t measure_step(const struct shifting *w, size_t at)
{
    struct reach reach = { .endorsements = w->reach.endorsements };
    size_t end = at;
    while (end < w->passage_count && end - at < TOGETHER_MAX && !w->passages[end].copy &&
           touched_widely(&w->passages[end].touched, reach))
        end++;
    return end > at ? end - at : 1;
}

/* What the chunk's records touch, and the shifts of one step after the other. */
static steme_status visit_chunk(struct shifting *w,
                                steme_status (*visit)(void *context, const struct steme_shift *shift), void *context,
                                uint64_t *next_out, struct steme_error *err)
{
    steme_status status = STEME_OK;
    size_t step = 0;
    for (size_t i = 0; !status && i < w->passage_count; i++) {
        unsigned attempt = 0;
        do {
            stand_nowhere(w);
            status = touch_passage(w, &w->passages[i], err);
        } while (snapshot_renewed(w->snapshot, status, &attempt, err));
    }
    for (size_t at = 0; !status && at < w->passage_count; at += step) {
        unsigned attempt = 0;
        step = measure_step(w, at);
        status = w->passages[at].copy ? STEME_OK : judge_step(w, &w->passages[at], step, err);
        while (status == STEME_CORRUPT) {
            stand_nowhere(w);
            if (!snapshot_renewed(w->snapshot, status, &attempt, err)) break;
            status = judge_step(w, &w->passages[at], step, err);
        }
        if (!status) *next_out = w->passages[at + step - 1].cause.sequence + 1;
        for (size_t i = 0; !status && !w->passages[at].copy && i < w->shift_count; i++)
            status = visit(context, &w->shifts[i]);
    }
    return status;
}

static steme_status find_lenses(struct shifting *w, struct reach *pattern_reach, struct steme_error *err)
{
    steme_status status = STEME_OK;
    for (size_t i = 0; !status && i < w->pattern_count; i++) {
        const struct lens_ops *ops = NULL;
        status = lens_find(w->patterns[i].lens.name, &ops, err);
        if (!status) status = lens_check(&w->patterns[i].lens, err);
        if (status) break;
        pattern_reach[i] = lens_reach(ops);
        w->reach.predicate = w->reach.predicate || pattern_reach[i].predicate;
        w->reach.endorsements = w->reach.endorsements || pattern_reach[i].endorsements;
    }
    w->pattern_reach = pattern_reach;
    return status;
}

steme_status steme_shifts_each(struct steme_snapshot *snapshot, const struct steme_question *patterns,
                               size_t pattern_count, uint64_t since_sequence, double threshold,
                               steme_status (*visit)(void *context, const struct steme_shift *shift), void *context,
                               uint64_t *next_out, struct steme_error *err)
{
    struct vantage vantages[2] = { 0 };
    struct shifting w = { .snapshot = snapshot,
                          .patterns = patterns,
                          .pattern_count = pattern_count,
                          .threshold = threshold,
                          .before = &vantages[0],
                          .after = &vantages[1] };
    struct reach *pattern_reach = calloc(pattern_count + 1, sizeof *pattern_reach);
    if (!pattern_reach) return error_set(err, STEME_NO_MEMORY, "no memory for %zu questions", pattern_count);
    arena_init(&w.arena, CHUNK_CEILING_BYTES);
    arena_init(&w.judged_arena, JUDGED_CEILING_BYTES);
    steme_status status = shift_check_threshold(threshold, err);
    if (!status) status = find_lenses(&w, pattern_reach, err);
    *next_out = since_sequence;
    do {
        if (!status) status = read_chunk(&w, *next_out, err);
        if (!status) status = visit_chunk(&w, visit, context, next_out, err);
    } while (!status && w.more);
    if (!status && (since_sequence == UINT64_MAX || snapshot->as_of_sequence >= *next_out))
        *next_out = snapshot->as_of_sequence + 1;
    stand_nowhere(&w);
    arena_deinit(&w.judged_arena);
    arena_deinit(&w.arena);
    free(pattern_reach);
    return status;
}
