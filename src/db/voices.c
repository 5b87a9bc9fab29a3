/* SPDX-License-Identifier: Apache-2.0 */
/* What was learned of the voices of each predicate. */
#include "base/check.h"
#include "base/slice.h"
#include "db/snapshot.h"
#include "lattice/sweep.h"
#include "model/identity.h"
#include "model/record.h"

#include <math.h>
#include <stdlib.h>

/* Whom a record that names the voice shows it to be. */
static steme_status identify(struct steme_snapshot *s, uint64_t place, const uint8_t id[16], struct steme_voice *voice,
                             struct steme_error *err)
{
    struct wal_entry entry;
    struct assertion_view view = { 0 };
    steme_status status = evidence_record(&s->reader, place, &entry, err);
    if (!status && entry.bytes.data[0] == STEME_ASSERTION) status = assertion_view_trusted(entry.bytes, &view, err);
    if (status) return status;
    if (view.source.size) {
        voice->source = view.source;
        voice->id = source_id(view.source);
    } else {
        memcpy(voice->key.bytes, record_author(entry.bytes), sizeof voice->key.bytes);
        voice->id = agent_id(voice->key.bytes);
    }
    if (memcmp(voice->id.bytes, id, 16) == 0) return STEME_OK;
    return error_set(err, STEME_CORRUPT, "a row of the index names another voice than its record");
}

static void describe(const struct lens_model *model, size_t number, struct steme_voice *voice)
{
    if (model->numbers) {
        const struct rel_number_voice *it = &model->numbers->voices[number];
        voice->right = voice->accuracy = voice->low = voice->high = NAN;
        voice->answers = it->answers;
        voice->deviation = it->deviation;
        voice->weight = it->weight;
        voice->independence = 1;
        return;
    }
    const struct rel_voice *it = &model->labels->voices[number];
    voice->answers = it->answers;
    voice->right = it->right;
    voice->accuracy = it->accuracy;
    voice->low = it->low;
    voice->high = it->high;
    voice->deviation = NAN;
    voice->weight = it->weight;
    voice->independence = it->independence;
}

static int compare_voices(const void *left, const void *right)
{
    const struct steme_voice *a = left, *b = right;
    return memcmp(&a->id, &b->id, sizeof a->id);
}

static steme_status learn_scope(struct steme_snapshot *s, struct steme_slice predicate,
                                const struct steme_question *pattern, struct steme_scope *out, struct steme_error *err)
{
    const struct learned *learned = NULL;
    const uint8_t *epoch = pattern->epoch ? pattern->epoch->bytes : NULL;
    steme_status status = judge_learned(&s->judge, predicate, epoch, &pattern->lens, &learned, err);
    if (status) return status;
    size_t count = learned->voices.count;
    struct steme_voice *voices = arena_calloc(&s->arena, count, sizeof *voices);
    if (!voices) return arena_full(&s->arena, err);
    for (size_t i = 0; !status && i < count; i++) {
        describe(&learned->model, i, &voices[i]);
        status = identify(s, learned->places[i], learned->voices.ids[i], &voices[i], err);
    }
    if (count) qsort(voices, count, sizeof *voices, compare_voices);
    *out = (struct steme_scope){
        .predicate = predicate, .learned = learned_facts(learned), .voices = voices, .voice_count = count
    };
    out->learned.as_of_sequence = s->as_of_sequence;
    return status;
}

static steme_status name_predicates(struct steme_snapshot *s, const struct steme_question *pattern,
                                    struct steme_slice **out, size_t *count_out, struct steme_error *err)
{
    if (pattern->predicate.size == 0) return sweep_predicates(&s->reader, &s->arena, out, count_out, err);
    struct steme_slice *one = arena_alloc(&s->arena, sizeof *one);
    if (!one) return arena_full(&s->arena, err);
    *one = arena_copy(&s->arena, pattern->predicate);
    *out = one;
    *count_out = 1;
    return one->data ? STEME_OK : arena_full(&s->arena, err);
}

steme_status steme_voices_each(struct steme_snapshot *s, const struct steme_question *pattern,
                               steme_status (*visit)(void *context, const struct steme_scope *scope), void *context,
                               struct steme_error *err)
{
    struct steme_slice *predicates = NULL;
    size_t count = 0;
    unsigned attempt = 0;
    struct arena_mark start = arena_mark(&s->arena);
    if (pattern->subject.size)
        return error_set(err, STEME_BAD_INPUT, "reliability is learned over all subjects: leave the subject out");
    steme_status status = lens_check(&pattern->lens, err), read = STEME_OK;
    if (status) return status;
    do
        read = name_predicates(s, pattern, &predicates, &count, err);
    while (snapshot_renewed(s, read, &attempt, err));
    for (size_t i = 0; !status && !read && i < count; i++) {
        struct arena_mark visit_start = arena_mark(&s->arena);
        struct steme_scope scope;
        attempt = 0;
        do
            read = learn_scope(s, predicates[i], pattern, &scope, err);
        while (snapshot_renewed(s, read, &attempt, err));
        if (!read && scope.voice_count) status = visit(context, &scope);
        arena_rewind(&s->arena, visit_start);
    }
    arena_rewind(&s->arena, start);
    return read ? read : status;
}
