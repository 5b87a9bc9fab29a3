/* SPDX-License-Identifier: Apache-2.0 */
#include "lattice/sweep.h"

#include "base/id16_index.h"
#include "base/slice.h"

#include <stdlib.h>

enum { SWEEP_CEILING_BYTES = 512 << 20 };

/* ---- the slots of a predicate ---- */

struct sweep {
    struct reader *reader;
    const uint8_t *epoch;
    steme_status (*visit)(void *context, const struct slot_ref *slot, struct evidence *evidence,
                          struct steme_error *err);
    void *context;
    struct slot_ref slot;     /* whose rows these are */
    struct arena rows, arena; /* the list of them; what they amount to */
    void *list;
    size_t count, capacity;
};

static steme_status end_slot(struct sweep *sweep, struct steme_error *err)
{
    struct arena_mark start = { 0 };
    struct evidence found = { .testimonies = sweep->list, .testimony_count = sweep->count };
    if (!sweep->count) return STEME_OK;
    steme_status status = evidence_weigh(sweep->reader, &sweep->slot, sweep->epoch, &sweep->arena, &found, err);
    if (!status) status = sweep->visit(sweep->context, &sweep->slot, &found, err);
    arena_rewind(&sweep->arena, start);
    sweep->count = 0;
    return status;
}

static bool same_slot(const struct slot_ref *a, const struct slot_ref *b)
{
    return a->route == b->route && memcmp(a->slot, b->slot, sizeof a->slot) == 0;
}

static steme_status make_room(struct sweep *sweep, struct steme_error *err)
{
    if (sweep->count >= STEME_EVIDENCE_ROWS_MAX)
        return error_set(err, STEME_TOO_LARGE, "more than %u rows bear on one question", STEME_EVIDENCE_ROWS_MAX);
    bool room = arena_grow(&sweep->rows, &sweep->list, sweep->count, 1, &sweep->capacity, sizeof(struct testimony));
    return room ? STEME_OK : arena_full(&sweep->rows, err);
}

static steme_status take_row(struct sweep *sweep, const struct slot_ref *at, const struct kv_pair *pair,
                             struct steme_error *err)
{
    steme_status status = same_slot(at, &sweep->slot) ? STEME_OK : end_slot(sweep, err);
    sweep->slot = *at;
    if (!status) status = make_room(sweep, err);
    if (status) return status;
    struct testimony *t = (struct testimony *)sweep->list + sweep->count;
    *t = (struct testimony){ .standing = STEME_LIVE };
    status = row_slot(pair->key, pair->value, NULL, &t->row, err);
    if (!status && t->row.location < sweep->reader->limit) sweep->count++;
    return status;
}

steme_status sweep_slots(struct reader *reader, uint32_t predicate, const uint8_t *epoch,
                         steme_status (*visit)(void *context, const struct slot_ref *slot, struct evidence *evidence,
                                               struct steme_error *err),
                         void *context, struct steme_error *err)
{
    static const uint8_t tag[] = { 'S' };
    struct kv_cursor cursor = { 0 };
    struct kv_pair pair;
    struct sweep sweep = { .reader = reader, .epoch = epoch, .visit = visit, .context = context };
    struct steme_slice prefix = slice_of(tag, sizeof tag);
    arena_init(&sweep.rows, SWEEP_CEILING_BYTES);
    arena_init(&sweep.arena, SWEEP_CEILING_BYTES);
    steme_status said = STEME_OK, status = kv_seek(reader->txn, prefix, prefix, &cursor, &pair, err);
    for (; !status; status = kv_next(&cursor, &pair, err)) {
        struct slot_ref at;
        said = key_slot(pair.key, &at, err);
        if (!said && at.predicate == predicate) said = take_row(&sweep, &at, &pair, err);
        if (said) break;
    }
    kv_cursor_end(&cursor);
    if (!said && status != STEME_NOT_FOUND) said = status;
    if (!said) said = end_slot(&sweep, err);
    arena_deinit(&sweep.arena);
    arena_deinit(&sweep.rows);
    return said;
}

/* ---- predicates ---- */

/* Number of a predicate met before, or its name from the row's record. */
static steme_status meet_predicate(struct reader *reader, const struct kv_pair *pair, struct id16_index *met,
                                   struct arena *arena, void **names, size_t *capacity, struct steme_error *err)
{
    struct testimony t = { .standing = STEME_LIVE }, *wanted = &t;
    struct slot_ref slot;
    uint8_t id[16] = { 0 };
    uint32_t number = 0;
    steme_status status = key_slot(pair->key, &slot, err);
    if (status) return status;
    for (size_t i = 0; i < sizeof slot.predicate; i++)
        id[4 + i] = (uint8_t)(slot.predicate >> (8 * i));
    if (id16_index_find(met, id) != ID16_NONE) return STEME_OK;
    status = row_slot(pair->key, pair->value, NULL, &t.row, err);
    if (status || t.row.location >= reader->limit) return status;
    status = evidence_read(reader, &slot, &wanted, 1, arena, err);
    if (!status && !arena_grow(arena, names, met->count, 1, capacity, sizeof(struct steme_slice)))
        status = arena_full(arena, err);
    if (!status) status = id16_index_add(met, id, &number, err);
    if (!status) ((struct steme_slice *)*names)[number] = t.view->predicate;
    return status;
}

static int compare_names(const void *left, const void *right)
{
    return slice_compare(*(const struct steme_slice *)left, *(const struct steme_slice *)right);
}

steme_status sweep_predicates(struct reader *reader, struct arena *arena, struct steme_slice **out, size_t *count_out,
                              struct steme_error *err)
{
    static const uint8_t tag[] = { 'S' };
    struct kv_cursor cursor = { 0 };
    struct kv_pair pair;
    struct id16_index met;
    void *names = NULL;
    size_t capacity = 0;
    struct steme_slice prefix = slice_of(tag, sizeof tag);
    steme_status said = STEME_OK, status = kv_seek(reader->txn, prefix, prefix, &cursor, &pair, err);
    id16_index_init(&met, arena);
    for (; !status && !said; status = said ? said : kv_next(&cursor, &pair, err))
        said = meet_predicate(reader, &pair, &met, arena, &names, &capacity, err);
    kv_cursor_end(&cursor);
    if (status != STEME_NOT_FOUND) return status;
    if (names) qsort(names, met.count, sizeof(struct steme_slice), compare_names);
    *out = names;
    *count_out = met.count;
    return STEME_OK;
}
