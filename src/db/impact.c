/* SPDX-License-Identifier: Apache-2.0 */
/* steme_impact(): every question that a mask bears on, judged without it and under it. */
#include "base/check.h"
#include "base/slice.h"
#include "base/text.h"
#include "db/shift.h"
#include "db/slot_walk.h"

#include <inttypes.h>
#include <stdlib.h>

enum { MASK_CEILING_BYTES = 1 << 30, JUDGED_CEILING_BYTES = 1 << 30, FIRST_SHIFTS = 16 };

struct impact {
    struct steme_snapshot *snapshot;
    const struct steme_question *pattern;
    double threshold;
    struct reach reach; /* the lens's */
    struct slot_walk walk;
    struct vantage masked;
    struct arena mask_arena, judged_arena;
    struct steme_shift *shifts; /* in the snapshot's arena */
    size_t shift_capacity;
    struct steme_impact out;
};

static steme_status list_shift(struct impact *impact, const struct steme_shift *shift, struct steme_error *err)
{
    struct arena *arena = &impact->snapshot->arena;
    if (impact->out.shift_count == impact->shift_capacity) {
        size_t capacity = impact->shift_capacity ? 2 * impact->shift_capacity : FIRST_SHIFTS;
        struct steme_shift *grown = arena_alloc(arena, capacity * sizeof *grown);
        if (!grown) return arena_full(arena, err);
        if (impact->out.shift_count) memcpy(grown, impact->shifts, impact->out.shift_count * sizeof *grown);
        impact->shifts = grown;
        impact->shift_capacity = capacity;
    }
    impact->shifts[impact->out.shift_count++] = *shift;
    impact->out.flipped += shift->kind == STEME_FLIPPED;
    impact->out.lost += shift->kind == STEME_LOST;
    impact->out.gained += shift->kind == STEME_GAINED;
    impact->out.moved += shift->kind == STEME_MOVED;
    return STEME_OK;
}

static steme_status judge_both(struct impact *impact, const struct slot_ref *ref, struct steme_error *err)
{
    const struct steme_question *pattern = impact->pattern;
    struct judge_slot slot = { .ref = *ref, .epoch = pattern->epoch ? pattern->epoch->bytes : NULL };
    struct steme_answer before, after;
    struct steme_shift shift = { .kind = STEME_STAYED };
    struct arena *arena = &impact->judged_arena;
    struct arena_mark start = arena_mark(arena);
    steme_status status = judge_slot(&impact->snapshot->judge, &slot, &pattern->lens, arena, &before, NULL, err);
    if (!status) status = judge_slot(&impact->masked.judge, &slot, &pattern->lens, arena, &after, NULL, err);
    if (status || !before.subject.size || !slot_walk_matches(pattern->subject, before.subject) ||
        !slot_walk_matches(pattern->predicate, before.predicate))
        goto done;
    impact->out.judged++;
    status = shift_between(&before, &after, impact->threshold, &impact->snapshot->arena, &shift, err);
    if (!status && shift.kind != STEME_STAYED) status = list_shift(impact, &shift, err);
done:
    arena_rewind(arena, start);
    return status;
}

static steme_status judge_touched(struct impact *impact, const struct touched *touched, struct steme_error *err)
{
    steme_status status = STEME_OK;
    for (size_t i = 0; !status && i < touched->slot_count; i++)
        if (slot_walk_takes(&impact->walk, &touched->slots[i])) status = judge_both(impact, &touched->slots[i], err);
    return status;
}

static steme_status judge_widely(struct impact *impact, const struct touched *touched, struct steme_error *err)
{
    struct slot_walk *walk = &impact->walk;
    steme_status status = STEME_OK;
    for (bool more = true; more && !status; more = slot_walk_step(walk)) {
        bool passed = false;
        status = slot_walk_next(&impact->snapshot->reader, walk, &passed, err);
        if (!status && !passed && touched_has(touched, &walk->at, impact->reach))
            status = judge_both(impact, &walk->at, err);
    }
    return status == STEME_NOT_FOUND ? STEME_OK : status;
}

static steme_status report_miss(const struct steme_mask *mask, const struct mask_miss *miss, struct steme_error *err)
{
    char hex[TEXT_HASH_BYTES];
    switch (miss->list) {
    case 'a':
        text_hex(mask->agents[miss->index].bytes, 32, hex);
        return error_set(err, STEME_NOT_FOUND, "no record is by agent %s: there is nothing to leave out", hex);
    case 's':
        return error_set(err, STEME_NOT_FOUND, "nothing is stated by source '%.*s': there is nothing to leave out",
                         SLICE_PRINT(mask->sources[miss->index]));
    case 'e':
        text_hex(mask->epochs[miss->index].bytes, 32, hex);
        return error_set(err, STEME_NOT_FOUND, "there is no epoch %s, nor anything within it, to leave out", hex);
    case 'i':
        text_hex(mask->assertions[miss->index].bytes, 32, hex);
        return error_set(err, STEME_NOT_FOUND, "there is no assertion %s to leave out", hex);
    default: return STEME_OK;
    }
}

static steme_status copy_ids(const struct steme_hash *hashes, size_t count, struct arena *arena,
                             const uint8_t (**out)[16], struct steme_error *err)
{
    uint8_t(*ids)[16] = arena_calloc(arena, count, sizeof *ids);
    if (!ids) return arena_full(arena, err);
    for (size_t i = 0; i < count; i++)
        memcpy(ids[i], hashes[i].bytes, sizeof ids[i]);
    *out = (const uint8_t(*)[16])ids;
    return STEME_OK;
}

static steme_status copy_sources(const struct steme_mask *mask, struct arena *arena, const uint8_t (**out)[16],
                                 struct steme_error *err)
{
    struct steme_hash *hashes = arena_calloc(arena, mask->source_count, sizeof *hashes);
    if (!hashes) return arena_full(arena, err);
    for (size_t i = 0; i < mask->source_count; i++)
        hashes[i] = source_id(mask->sources[i]);
    return copy_ids(hashes, mask->source_count, arena, out, err);
}

static steme_status make_mask(struct impact *impact, const struct steme_mask *mask, struct mask *made,
                              struct touched *touched, struct steme_error *err)
{
    struct arena *arena = &impact->mask_arena;
    struct mask_wish wish = { .agent_count = mask->agent_count,
                              .source_count = mask->source_count,
                              .epoch_count = mask->epoch_count,
                              .assertion_count = mask->assertion_count,
                              .direct = mask->direct };
    struct mask_miss miss = { 0 };
    steme_status status = copy_ids(mask->agents, mask->agent_count, arena, &wish.agents, err);
    if (!status) status = copy_ids(mask->epochs, mask->epoch_count, arena, &wish.epochs, err);
    if (!status) status = copy_ids(mask->assertions, mask->assertion_count, arena, &wish.assertions, err);
    if (!status) status = copy_sources(mask, arena, &wish.sources, err);
    if (!status) status = mask_make(&impact->snapshot->reader, &wish, arena, made, touched, &miss, err);
    return status ? status : report_miss(mask, &miss, err);
}

static steme_status look(struct impact *impact, const struct steme_mask *mask, struct steme_error *err)
{
    struct mask made = { 0 };
    struct touched touched = touched_by(impact->snapshot->judge.trusted, impact->snapshot->judge.trusted_count);
    impact->walk = slot_walk_begin(impact->pattern->subject, impact->pattern->predicate);
    steme_status status = make_mask(impact, mask, &made, &touched, err);
    if (status) return status;
    impact->out.masked = made.assertion_count;
    impact->out.derived = made.derived_count;
    impact->out.ballots = made.ballot_count;
    vantage_open(&impact->masked, impact->snapshot, impact->snapshot->reader.limit, &made);
    status = touched_widely(&touched, impact->reach) ? judge_widely(impact, &touched, err)
                                                     : judge_touched(impact, &touched, err);
    vantage_close(&impact->masked);
    return status;
}

/* One try: all is made from nothing, so that another one may follow. */
static steme_status try_impact(struct steme_snapshot *s, const struct steme_mask *mask,
                               const struct steme_question *pattern, double threshold, struct reach reach,
                               struct steme_impact *out, struct steme_error *err)
{
    struct impact impact = { .snapshot = s, .pattern = pattern, .threshold = threshold, .reach = reach };
    arena_init(&impact.mask_arena, MASK_CEILING_BYTES);
    arena_init(&impact.judged_arena, JUDGED_CEILING_BYTES);
    steme_status status = look(&impact, mask, err);
    arena_deinit(&impact.judged_arena);
    arena_deinit(&impact.mask_arena);
    if (status) return status;
    if (impact.out.shift_count) qsort(impact.shifts, impact.out.shift_count, sizeof *impact.shifts, shift_compare);
    impact.out.shifts = impact.shifts;
    *out = impact.out;
    return STEME_OK;
}

steme_status steme_impact(struct steme_snapshot *snapshot, const struct steme_mask *mask,
                          const struct steme_question *pattern, double threshold, struct steme_impact *out,
                          struct steme_error *err)
{
    const struct lens_ops *ops = NULL;
    unsigned attempt = 0;
    if (mask->agent_count + mask->source_count + mask->assertion_count + mask->epoch_count == 0)
        return error_set(err, STEME_BAD_INPUT,
                         "nothing is to be left out: name an agent, a source, an assertion or an "
                         "epoch");
    steme_status status = shift_check_threshold(threshold, err);
    if (!status) status = lens_find(pattern->lens.name, &ops, err);
    if (!status) status = lens_check(&pattern->lens, err);
    if (status) return status;
    do
        status = try_impact(snapshot, mask, pattern, threshold, lens_reach(ops), out, err);
    while (snapshot_renewed(snapshot, status, &attempt, err));
    return status;
}
