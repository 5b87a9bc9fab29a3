/* SPDX-License-Identifier: Apache-2.0 */
#include "cortex/learning.h"
#include "base/hash.h"
#include "base/slice.h"

#include <stdlib.h>
#include <string.h>

/* One model may take the first; what many take together makes room beyond the second. */
#define MODEL_CEILING_BYTES ((size_t)2 << 30)
#define KEPT_MAX_BYTES ((size_t)512 << 20)

static void forget(struct learning *learning)
{
    for (size_t i = 0; i < LEARNING_BUCKETS; i++) {
        while (learning->buckets[i]) {
            struct learned *learned = learning->buckets[i];
            learning->buckets[i] = learned->next;
            arena_deinit(&learned->arena);
            free(learned);
        }
    }
    learning->bytes = 0;
}

void learning_deinit(struct learning *learning)
{
    forget(learning);
    *learning = (struct learning){ 0 };
}

static bool same_number(double a, double b) { return !(a < b) && !(a > b); }

static bool is_of(const struct learned *learned, const struct learned *wanted)
{
    const struct rel_params *a = &learned->params, *b = &wanted->params;
    return slice_equal(learned->predicate, wanted->predicate) && learned->functional == wanted->functional &&
           learned->has_epoch == wanted->has_epoch && memcmp(learned->epoch, wanted->epoch, 16) == 0 &&
           a->method == b->method && a->copying == b->copying && a->uncalibrated == b->uncalibrated &&
           same_number(a->prior, b->prior);
}

static enum rel_method core_method(enum steme_method method)
{
    switch (method) {
    case STEME_METHOD_ONE_COIN: return REL_ONE_COIN;
    case STEME_METHOD_CONFUSION: return REL_CONFUSION;
    case STEME_METHOD_ACCURACY: return REL_SOURCE_ACCURACY;
    case STEME_METHOD_AUTO:
    case STEME_METHOD_NUMBERS: break;
    }
    return REL_AUTO;
}

static steme_status learn(struct learned *learned, struct reader *reader, const uint8_t *epoch, struct arena *scratch,
                          struct steme_error *err)
{
    struct scope scope;
    steme_status status = scope_gather(reader, learned->predicate, learned->functional, epoch, &learned->arena, scratch,
                                       &scope, err);
    if (status) return status;
    learned->voices = scope.voices;
    learned->labels = scope.labels;
    learned->places = scope.places;
    learned->model.unit = scope.unit;
    if (scope.numeric && learned->params.method == REL_AUTO)
        return rel_learn_numbers(scope.numbers, scope.number_count, scope.data.voice_count, &learned->params,
                                 &learned->arena, &learned->model.numbers, err);
    return rel_learn(&scope.data, &learned->params, &learned->arena, &learned->model.labels, err);
}

/* The struct moves to its place in the buckets with what it points to: the indexes find their arena anew. */
static steme_status keep(struct learning *learning, size_t bucket, const struct learned *learned, size_t bytes,
                         const struct learned **out, struct steme_error *err)
{
    struct learned *kept = malloc(sizeof *kept);
    if (!kept) return error_set(err, STEME_NO_MEMORY, "no memory for what was learned");
    *kept = *learned;
    kept->voices.arena = kept->labels.arena = &kept->arena;
    kept->next = learning->buckets[bucket];
    learning->buckets[bucket] = kept;
    learning->bytes += bytes;
    learning->count++;
    *out = kept;
    return STEME_OK;
}

steme_status learning_find(struct learning *learning, struct reader *reader, struct steme_slice predicate,
                           bool functional, const uint8_t *epoch, const struct steme_lens *lens,
                           const struct learned **out, struct steme_error *err)
{
    struct learned wanted = { .predicate = predicate, .functional = functional, .has_epoch = epoch != NULL };
    wanted.params = (struct rel_params){ core_method(lens->method), lens->copying, lens->uncalibrated, lens->prior };
    if (epoch) memcpy(wanted.epoch, epoch, sizeof wanted.epoch);
    size_t bucket = hash_one(predicate).bytes[0] % LEARNING_BUCKETS;
    for (const struct learned *at = learning->buckets[bucket]; at; at = at->next) {
        if (!is_of(at, &wanted)) continue;
        *out = at;
        return STEME_OK;
    }
    if (learning->bytes > KEPT_MAX_BYTES) forget(learning);
    struct arena scratch;
    arena_init(&scratch, MODEL_CEILING_BYTES);
    arena_init(&wanted.arena, MODEL_CEILING_BYTES);
    wanted.predicate = arena_copy(&wanted.arena, predicate);
    steme_status status = wanted.predicate.data ? STEME_OK : arena_full(&wanted.arena, err);
    if (!status) status = learn(&wanted, reader, epoch, &scratch, err);
    size_t bytes = wanted.arena.peak_bytes > wanted.arena.used_bytes ? wanted.arena.peak_bytes
                                                                     : wanted.arena.used_bytes;
    if (!status) status = keep(learning, bucket, &wanted, bytes, out, err);
    if (status) arena_deinit(&wanted.arena);
    arena_deinit(&scratch);
    return status;
}

uint32_t learned_voice(const struct learned *learned, const uint8_t voice[16])
{
    uint32_t number = id16_index_find(&learned->voices, voice);
    return number == ID16_NONE ? REL_STRANGER : number;
}

uint32_t learned_label(const struct learned *learned, struct steme_slice object)
{
    uint8_t id[16];
    scope_label_id(object, id);
    uint32_t number = id16_index_find(&learned->labels, id);
    return number == ID16_NONE ? REL_NEW_LABEL : number;
}

static enum steme_method public_method(enum rel_method method)
{
    switch (method) {
    case REL_ONE_COIN: return STEME_METHOD_ONE_COIN;
    case REL_CONFUSION: return STEME_METHOD_CONFUSION;
    case REL_SOURCE_ACCURACY: return STEME_METHOD_ACCURACY;
    case REL_AUTO: break;
    }
    return STEME_METHOD_AUTO;
}

struct steme_learned learned_facts(const struct learned *learned)
{
    const struct rel_number_model *numbers = learned->model.numbers;
    const struct rel_model *labels = learned->model.labels;
    if (numbers)
        return (struct steme_learned){ .method = STEME_METHOD_NUMBERS,
                                       .because = "more than half of what is asserted are numbers of one unit",
                                       .items = numbers->item_count,
                                       .voices = numbers->voice_count,
                                       .answers = numbers->answer_count,
                                       .iterations = numbers->iterations,
                                       .temperature = 1 };
    return (struct steme_learned){ .method = public_method(labels->method),
                                   .because = labels->because,
                                   .items = labels->item_count,
                                   .voices = labels->voice_count,
                                   .answers = labels->answer_count,
                                   .iterations = labels->iterations,
                                   .temperature = labels->temperature };
}

double learned_weight(const struct lens_model *model, uint32_t number)
{
    if (number == REL_STRANGER) return 1;
    return model->numbers ? model->numbers->voices[number].weight : model->labels->voices[number].weight;
}
