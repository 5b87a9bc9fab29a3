/* SPDX-License-Identifier: Apache-2.0 */
#include "db/shift.h"

#include "base/slice.h"

#include <math.h>

const char *steme_shift_name(enum steme_shift_kind kind)
{
    switch (kind) {
    case STEME_STAYED: return "stayed";
    case STEME_FLIPPED: return "flipped";
    case STEME_LOST: return "lost";
    case STEME_GAINED: return "gained";
    case STEME_MOVED: return "moved";
    }
    return "?";
}

steme_status shift_check_threshold(double threshold, struct steme_error *err)
{
    if (threshold >= 0 && threshold <= 1) return STEME_OK;
    return error_set(err, STEME_BAD_INPUT, "the threshold is %g; give a share between 0 and 1", threshold);
}

static struct steme_position position_of(const struct steme_answer *answer)
{
    struct steme_position p = {
        .verdict = answer->verdict,
        .has_best = answer->belief_count && answer->beliefs[0].probability > 0,
        .belief_count = answer->belief_count,
        .has_pooled = answer->has_pooled && answer->pooled.count,
    };
    if (p.has_best) p.best = answer->beliefs[0];
    if (p.has_pooled) p.pooled = answer->pooled;
    return p;
}

static double probability_of(const struct steme_answer *answer, const struct steme_hash *claim)
{
    for (size_t i = 0; i < answer->belief_count; i++)
        if (memcmp(&answer->beliefs[i].claim, claim, sizeof *claim) == 0) return answer->beliefs[i].probability;
    return 0;
}

/* Kind and size, from the two positions and what became of the claim that was best. */
static void classify(struct steme_shift *shift, double rest, double threshold)
{
    const struct steme_position *before = &shift->before, *after = &shift->after;
    bool firm = before->verdict == after->verdict;
    shift->size = 0;
    if (!before->has_best || !after->has_best) {
        shift->kind = before->has_best ? STEME_LOST
                    : after->has_best  ? STEME_GAINED
                    : firm             ? STEME_STAYED
                                       : STEME_MOVED;
        shift->size = before->has_best ? before->best.probability : after->has_best ? after->best.probability : 0;
        return;
    }
    if (before->has_pooled && after->has_pooled) { /* the mean is the answer: no claim of it wins or loses */
        shift->size = fabs(after->pooled.mean - before->pooled.mean) / before->pooled.error;
        shift->kind = !firm || shift->size > threshold ? STEME_MOVED : STEME_STAYED;
        return;
    }
    shift->size = fabs(before->best.probability - rest);
    if (memcmp(&before->best.claim, &after->best.claim, sizeof before->best.claim) != 0)
        shift->kind = STEME_FLIPPED;
    else
        shift->kind = !firm || shift->size > threshold ? STEME_MOVED : STEME_STAYED;
}

steme_status shift_between(const struct steme_answer *before, const struct steme_answer *after, double threshold,
                           struct arena *arena, struct steme_shift *out, struct steme_error *err)
{
    const struct steme_answer *named = after->subject.size ? after : before;
    struct steme_shift shift = { .subject = named->subject,
                                 .predicate = named->predicate,
                                 .slot = named->slot,
                                 .lens = named->lens,
                                 .before = position_of(before),
                                 .after = position_of(after) };
    double rest = shift.before.has_best ? probability_of(after, &shift.before.best.claim) : 0;
    classify(&shift, rest, threshold);
    if (shift.kind != STEME_STAYED && named->key_qualifiers.size) {
        shift.key_qualifiers = arena_copy(arena, named->key_qualifiers);
        if (!shift.key_qualifiers.data) return arena_full(arena, err);
    }
    *out = shift;
    return STEME_OK;
}

int shift_compare(const void *left, const void *right)
{
    const struct steme_shift *a = left, *b = right;
    bool a_moved = a->kind == STEME_MOVED, b_moved = b->kind == STEME_MOVED;
    if (a_moved != b_moved) return a_moved ? 1 : -1;
    if (a->size > b->size) return -1;
    if (a->size < b->size) return 1;
    int order = slice_compare(a->subject, b->subject);
    if (!order) order = slice_compare(a->predicate, b->predicate);
    if (!order) order = memcmp(&a->slot, &b->slot, sizeof a->slot);
    return order ? order : strcmp(a->lens, b->lens);
}

void vantage_open(struct vantage *vantage, const struct steme_snapshot *snapshot, uint64_t limit,
                  const struct mask *mask)
{
    reader_share(&vantage->reader, &snapshot->reader, limit);
    vantage->reader.mask = mask;
    judge_init(&vantage->judge, &vantage->reader, snapshot->judge.trusted, snapshot->judge.trusted_count);
    vantage->open = true;
}

void vantage_close(struct vantage *vantage)
{
    if (!vantage->open) return;
    judge_deinit(&vantage->judge);
    reader_deinit(&vantage->reader);
    vantage->open = false;
}
