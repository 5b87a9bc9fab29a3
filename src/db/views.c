/* SPDX-License-Identifier: Apache-2.0 */
#include "db/views.h"

#include "base/buf.h"
#include "base/check.h"
#include "base/codec.h"
#include "base/hash.h"
#include "base/slice.h"
#include "cortex/judge.h"
#include "db/view_spec.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    SPECS_CEILING_BYTES = 512 << 20,
    WORK_CEILING_BYTES = 1 << 30,
    SCRATCH_CEILING_BYTES = 1 << 30,
};

void views_init(struct views *views)
{
    *views = (struct views){ .orphans = true, .fresh = true, .pace = { 2000, 1000, 8000, 4000 } };
    arena_init(&views->arena, SPECS_CEILING_BYTES);
    arena_init(&views->work, WORK_CEILING_BYTES);
    arena_init(&views->scratch, SCRATCH_CEILING_BYTES);
    gate_init(&views->changed, 0);
    atomic_init(&views->pending, true);
    atomic_init(&views->give_up_ns, 0);
}

void views_deinit(struct views *views)
{
    arena_deinit(&views->arena);
    arena_deinit(&views->work);
    arena_deinit(&views->scratch);
}

struct steme_hash views_trust(const struct trust *trust)
{
    return hash_one(slice_of(trust->ids, trust->count * sizeof trust->ids[0]));
}

/* ---- what a step changes: all of it in one transaction, in the end ---- */

struct change {
    struct key_bytes key;
    struct steme_slice value; /* data NULL: take the row away */
};

/* A view as a step sees it. */
struct live {
    const struct view_spec *spec;
    struct view_state state;
    bool changed;
};

struct step {
    struct steme_store *store;
    struct index *index;
    struct views *views;
    struct trust *trust;
    struct steme_hash trust_digest;
    struct wal_mark applied; /* how far the index is: no view gets beyond */
    struct live *live;
    size_t live_count;
    struct change *changes;
    size_t change_count, change_capacity;
    bool orphans_gone;
};

static steme_status add_change(struct step *step, const struct key_bytes *key, struct steme_slice value,
                               struct steme_error *err)
{
    struct arena *arena = &step->views->work;
    if (step->change_count == step->change_capacity) {
        size_t capacity = step->change_capacity ? 2 * step->change_capacity : 256;
        struct change *grown = arena_alloc(arena, capacity * sizeof *grown);
        if (!grown) return arena_full(arena, err);
        if (step->change_count) memcpy(grown, step->changes, step->change_count * sizeof *grown);
        step->changes = grown;
        step->change_capacity = capacity;
    }
    step->changes[step->change_count++] = (struct change){ *key, value };
    return STEME_OK;
}

static steme_status put_state(struct kv_txn *txn, const struct live *live, struct steme_error *err)
{
    struct key_bytes key;
    struct value_bytes value;
    key_of_view_state(&key, live->spec->id.bytes);
    value_of_view_state(&value, key_slice(&key), &live->state);
    return kv_put(txn, key_slice(&key), value_slice(&value), err);
}

/* Rows and the mark they are of: a crash leaves both or neither. */
static steme_status write_changes(struct kv_txn *txn, void *context, struct steme_error *err)
{
    struct step *step = context;
    steme_status status = STEME_OK;
    for (size_t i = 0; !status && i < step->change_count; i++) {
        struct change *change = &step->changes[i];
        if (change->value.data) {
            status = kv_put(txn, key_slice(&change->key), change->value, err);
        } else {
            status = kv_remove(txn, key_slice(&change->key), err);
            if (status == STEME_NOT_FOUND) status = STEME_OK;
        }
    }
    for (size_t i = 0; !status && i < step->live_count; i++)
        if (step->live[i].changed) status = put_state(txn, &step->live[i], err);
    return status;
}

static bool has_changes(const struct step *step)
{
    for (size_t i = 0; i < step->live_count; i++)
        if (step->live[i].changed) return true;
    return step->change_count > 0;
}

/* ---- what there is ---- */

/* The definitions change with a view record or with the trusted keys, both of which are cheap to ask for. */
static steme_status know_specs(struct step *step, struct reader *reader, uint64_t records, struct steme_error *err)
{
    struct views *views = step->views;
    struct arena_mark start = { 0 };
    if (views->known && views->records == records &&
        memcmp(&views->trust, &step->trust_digest, sizeof views->trust) == 0)
        return STEME_OK;
    views->known = false;
    views->orphans = true;
    arena_rewind(&views->arena, start);
    steme_status status = view_spec_list(reader, step->trust, &views->arena, &views->specs, &views->count, err);
    if (status) return status;
    views->known = true;
    views->records = records;
    views->trust = step->trust_digest;
    return STEME_OK;
}

static bool is_kept(const struct view_spec *spec) { return !spec->proposal && !spec->waiting && !spec->fault[0]; }

static steme_status read_states(struct step *step, struct kv_txn *txn, struct steme_error *err)
{
    struct views *views = step->views;
    step->live = arena_calloc(&views->work, views->count, sizeof *step->live);
    if (!step->live) return arena_full(&views->work, err);
    steme_status status = STEME_OK;
    for (size_t i = 0; !status && i < views->count; i++) {
        if (!is_kept(&views->specs[i])) continue;
        struct live *live = &step->live[step->live_count++];
        live->spec = &views->specs[i];
        status = views_state(txn, &live->spec->id, &live->state, err);
    }
    return status;
}

static steme_status survey(struct step *step, struct steme_error *err)
{
    struct kv_txn *txn = NULL;
    struct reader reader;
    struct applied_row applied = { 0 };
    steme_status status = kv_begin(step->index->kv, KV_READ, &txn, err);
    if (!status) status = projection_applied_in(txn, &applied, err);
    if (status) {
        kv_abort(&txn);
        return status == STEME_NOT_FOUND ? STEME_OK : status;
    }
    step->applied = applied.mark;
    reader_init(&reader, step->store->wal, &txn, applied.mark.location, STEME_TIME_MAX);
    status = know_specs(step, &reader, applied.records[STEME_VIEW], err);
    if (!status) status = read_states(step, reader.txn, err);
    reader_deinit(&reader);
    return status;
}

/* ---- a refresh ---- */

/* The next generation, as of all there is now. */
static void begin_refresh(struct live *live, const struct wal_mark *bound, const struct steme_hash *trust)
{
    struct view_state *state = &live->state;
    state->sweeping = state->sweeping || state->making;
    state->making = (state->making > state->shown ? state->making : state->shown) + 1;
    state->bound = *bound;
    state->cursor = (struct slot_ref){ .route = live->spec->route };
    state->making_rows = 0;
    state->making_bytes = 0;
    state->making_trust = *trust;
    state->fault[0] = '\0';
    live->changed = true;
}

static bool needs_refresh(const struct step *step, const struct live *live)
{
    const struct steme_hash *begun = &live->state.making_trust;
    if (live->state.fault[0] && step->views->fresh && !step->store->read_only) return true;
    return memcmp(begun, &step->trust_digest, sizeof *begun) != 0 ||
           (!live->state.shown && !live->state.making && !live->state.fault[0]);
}

/* What stands in the way of one view, such as a slot with more evidence than may be gathered, stops that view only. */
static bool is_its_own_fault(steme_status status)
{
    return status == STEME_TOO_LARGE || status == STEME_BAD_INPUT || status == STEME_NO_MEMORY ||
           status == STEME_UNSUPPORTED;
}

static void blame(struct live *live, const struct steme_error *error)
{
    snprintf(live->state.fault, sizeof live->state.fault, "%.*s", (int)sizeof live->state.fault - 1, error->message);
    live->state.sweeping = live->state.sweeping || live->state.making;
    live->state.making = 0;
    live->changed = true;
}

/* ---- one slot ---- */

/* The log and the index at one bound, with what judges there. */
struct bench {
    struct reader reader;
    struct judge judge;
};

static steme_status bench_open(struct step *step, uint64_t limit, struct bench *bench, struct steme_error *err)
{
    struct kv_txn *txn = NULL;
    steme_status status = kv_begin(step->index->kv, KV_READ, &txn, err);
    if (status) return status;
    reader_init(&bench->reader, step->store->wal, &txn, limit, STEME_TIME_MAX);
    judge_init(&bench->judge, &bench->reader, (const uint8_t(*)[16])step->trust->ids, step->trust->count);
    return STEME_OK;
}

static void bench_close(struct bench *bench)
{
    judge_deinit(&bench->judge);
    reader_deinit(&bench->reader);
}

/* Names of a slot, from any record of it: a pattern is asked before a slot is judged. STEME_NOT_FOUND: it has no
 * rows. */
static steme_status names_of(struct bench *bench, const struct slot_ref *slot, struct assertion_view *out,
                             struct steme_error *err)
{
    struct key_bytes prefix;
    struct kv_cursor cursor = { 0 };
    struct kv_pair pair;
    struct slot_row row;
    struct wal_entry entry;
    key_slot_prefix(&prefix, slot);
    steme_status status = kv_seek(bench->reader.txn, key_slice(&prefix), key_slice(&prefix), &cursor, &pair, err);
    if (!status) status = row_slot(pair.key, pair.value, NULL, &row, err);
    kv_cursor_end(&cursor);
    /* A slot whose first row lies past the limit has no evidence below it. */
    if (!status && row.location >= bench->reader.limit) return STEME_NOT_FOUND;
    if (!status) status = evidence_record(&bench->reader, row.location, &entry, err);
    if (!status && assertion_view_trusted(entry.bytes, out, err))
        status = error_wrap(err, STEME_CORRUPT, "the index calls a record an assertion that is none");
    return status;
}

/* Value of the slot's row in `generation` at the bench's limit, in the work arena; data NULL: it has none. */
static steme_status make_row(struct step *step, struct bench *bench, const struct view_spec *spec,
                             const struct slot_ref *ref, const struct key_bytes *key, struct steme_slice *out,
                             struct steme_error *err)
{
    struct arena *scratch = &step->views->scratch;
    struct arena_mark start = arena_mark(scratch);
    struct judge_slot slot = { .ref = *ref, .epoch = spec->definition.has_epoch ? spec->definition.epoch.bytes : NULL };
    struct assertion_view names;
    struct steme_answer answer;
    struct buf bytes;
    *out = (struct steme_slice){ 0 };
    steme_status status = names_of(bench, ref, &names, err);
    if (status == STEME_NOT_FOUND) return STEME_OK;
    if (status || !view_spec_has(spec, names.subject, names.predicate)) return status;
    buf_init(&bytes, STEME_RECORD_MAX);
    status = judge_slot(&bench->judge, &slot, &spec->lens, scratch, &answer, NULL, err);
    if (!status && answer.subject.size) {
        status = view_row_encode(key_slice(key), &answer, &bytes, err);
        if (!status) *out = arena_copy(&step->views->work, buf_slice(&bytes));
        if (!status && !out->data) status = arena_full(&step->views->work, err);
    }
    buf_deinit(&bytes);
    arena_rewind(scratch, start);
    return status;
}

/* ---- a piece of a refresh ---- */

static void show_new_rows(struct step *step, struct live *live)
{
    struct view_state *state = &live->state;
    state->sweeping = state->sweeping || state->shown;
    state->shown = state->making;
    state->mark = state->bound;
    state->rows = state->making_rows;
    state->row_bytes = state->making_bytes;
    state->trust = state->making_trust;
    state->made_at_us = host_wall_us(step->store->host);
    state->making = 0;
}

static steme_status refresh_slot(struct step *step, struct bench *bench, struct live *live, struct steme_error *err)
{
    struct view_state *state = &live->state;
    struct key_bytes key;
    struct steme_slice value;
    key_of_view_row(&key, live->spec->id.bytes, state->making, &state->cursor);
    steme_status status = make_row(step, bench, live->spec, &state->cursor, &key, &value, err);
    if (status || !value.data) return status;
    state->making_rows++;
    state->making_bytes += key.size + value.size;
    return add_change(step, &key, value, err);
}

/* *ended_out: there are no more slots. */
static steme_status refresh_slots(struct step *step, struct bench *bench, struct live *live, bool *ended_out,
                                  struct steme_error *err)
{
    const struct views_pace *pace = &step->views->pace;
    struct view_state *state = &live->state;
    steme_status status = STEME_OK;
    *ended_out = false;
    for (size_t looks = 0, made = 0; looks < pace->looks && made < pace->slots; looks++) {
        status = evidence_next_slot(&bench->reader, &state->cursor, live->spec->only_route, err);
        *ended_out = status == STEME_NOT_FOUND;
        if (status) return *ended_out ? STEME_OK : status;
        bool may = view_spec_may_have(live->spec, &state->cursor);
        made += may;
        if (may) status = refresh_slot(step, bench, live, err);
        if (status) return status;
        if (!evidence_step_slot(&state->cursor)) {
            *ended_out = true;
            return STEME_OK;
        }
    }
    return STEME_OK;
}

static steme_status refresh_some(struct step *step, struct live *live, struct steme_error *err)
{
    struct bench bench;
    struct steme_error why = { 0 };
    bool ended = false;
    steme_status status = bench_open(step, live->state.bound.location, &bench, err);
    if (status) return status;
    status = refresh_slots(step, &bench, live, &ended, &why);
    bench_close(&bench);
    live->changed = true;
    if (is_its_own_fault(status)) {
        blame(live, &why);
        return STEME_OK;
    }
    if (status) {
        if (err) *err = why;
        return status;
    }
    if (ended) show_new_rows(step, live);
    return STEME_OK;
}

/* ---- moving on with the log ---- */

static bool is_behind(const struct step *step, const struct live *live)
{
    return live->state.shown && !live->state.making && !live->state.fault[0] &&
           live->state.mark.location < step->applied.location;
}

/* Whole batches behind a mark, no further than the index is. */
static steme_status take_records(struct step *step, struct wal_mark *mark, struct wal_entry **entries, size_t *count,
                                 struct steme_error *err)
{
    steme_status status = wal_scan(step->store->wal, mark, step->views->pace.records, &step->views->work, entries,
                                   count, NULL, err);
    if (status || mark->location <= step->applied.location) return status;
    *mark = step->applied;
    while (*count && (*entries)[*count - 1].location >= mark->location)
        --*count;
    return STEME_OK;
}

static steme_status update_slot(struct step *step, struct bench *bench, struct live *live, const struct slot_ref *slot,
                                struct steme_error *err)
{
    struct view_state *state = &live->state;
    struct key_bytes key;
    struct steme_slice value, present = { 0 };
    key_of_view_row(&key, live->spec->id.bytes, state->shown, slot);
    steme_status status = kv_get(bench->reader.txn, key_slice(&key), &present, err);
    if (status && status != STEME_NOT_FOUND) return status;
    status = make_row(step, bench, live->spec, slot, &key, &value, err);
    if (status) return status;
    if (slice_equal(value, present)) return STEME_OK; /* also: there is none, and there was none */
    state->rows += (value.data != NULL) - (uint64_t)(present.data != NULL);
    state->row_bytes += (value.data ? key.size + value.size : 0) - (present.data ? key.size + present.size : 0);
    return add_change(step, &key, value, err);
}

static steme_status update_view(struct step *step, struct bench *bench, struct live *live,
                                const struct touched *touched, const struct wal_mark *after, struct steme_error *err)
{
    steme_status status = STEME_OK;
    if (view_spec_is_remade(live->spec, touched)) {
        begin_refresh(live, &step->applied, &step->trust_digest);
        return STEME_OK;
    }
    for (size_t i = 0; !status && i < touched->slot_count; i++)
        if (view_spec_may_have(live->spec, &touched->slots[i]))
            status = update_slot(step, bench, live, &touched->slots[i], err);
    if (status) return status;
    live->state.mark = *after;
    live->changed = true;
    return STEME_OK;
}

/* One view's share of a stretch: what it can't do is undone, and it stays where it was. */
static steme_status move_view(struct step *step, struct bench *bench, struct live *live, const struct touched *touched,
                              const struct wal_mark *after, struct steme_error *err)
{
    struct steme_error why = { 0 };
    struct view_state before = live->state;
    size_t changes = step->change_count;
    steme_status status = update_view(step, bench, live, touched, after, &why);
    if (is_its_own_fault(status)) {
        live->state = before;
        step->change_count = changes;
        blame(live, &why);
        return STEME_OK;
    }
    if (status && err) *err = why;
    return status;
}

/* All views that stand at the earliest mark go on together: the log is read once for them. */
static steme_status move_on(struct step *step, struct steme_error *err)
{
    struct wal_mark from = { .location = UINT64_MAX };
    struct wal_entry *entries = NULL;
    struct touched touched = touched_by((const uint8_t(*)[16])step->trust->ids, step->trust->count);
    struct bench bench;
    size_t count = 0;
    for (size_t i = 0; i < step->live_count; i++)
        if (is_behind(step, &step->live[i]) && step->live[i].state.mark.location < from.location)
            from = step->live[i].state.mark;
    if (from.location == UINT64_MAX) return STEME_OK;
    struct wal_mark after = from;
    steme_status status = take_records(step, &after, &entries, &count, err);
    if (status) return status;
    status = bench_open(step, after.location, &bench, err);
    if (status) return status;
    status = touched_add(&bench.reader, entries, count, &step->views->work, &touched, err);
    if (!status) status = touched_settle(&bench.reader, &step->views->work, &touched, err);
    for (size_t i = 0; !status && i < step->live_count; i++)
        if (is_behind(step, &step->live[i]) && step->live[i].state.mark.location == from.location)
            status = move_view(step, &bench, &step->live[i], &touched, &after, err);
    bench_close(&bench);
    return status;
}

/* ---- taking rows away ---- */

static steme_status remove_key(struct step *step, struct steme_slice name, struct steme_error *err)
{
    struct key_bytes key = { .size = name.size };
    struct steme_slice none = { 0 };
    memcpy(key.data, name.data, name.size);
    return add_change(step, &key, none, err);
}

/* Rows of generations that are neither shown nor being made. */
static steme_status sweep(struct step *step, struct kv_txn *txn, struct live *live, struct steme_error *err)
{
    enum { GENERATION_AT = 17 };
    struct key_bytes prefix, from;
    struct kv_pair pair;
    size_t removed = 0;
    key_of_view_state(&prefix, live->spec->id.bytes);
    key_generation_prefix(&from, live->spec->id.bytes, 0);
    steme_status status = STEME_OK;
    while (!status && removed < step->views->pace.removals) {
        struct kv_cursor cursor = { 0 };
        status = kv_seek(txn, key_slice(&prefix), key_slice(&from), &cursor, &pair, err);
        uint32_t generation = status ? 0 : __builtin_bswap32(load_u32(pair.key.data + GENERATION_AT));
        bool wanted = generation == live->state.shown || generation == live->state.making;
        while (!status && !wanted && removed < step->views->pace.removals) {
            if (__builtin_bswap32(load_u32(pair.key.data + GENERATION_AT)) != generation) break;
            status = remove_key(step, pair.key, err);
            removed++;
            if (!status) status = kv_next(&cursor, &pair, err);
        }
        kv_cursor_end(&cursor);
        if (!status) key_generation_prefix(&from, live->spec->id.bytes, generation + 1);
    }
    if (status != STEME_NOT_FOUND) return status;
    live->state.sweeping = false;
    live->changed = true;
    return STEME_OK;
}

static bool is_live(const struct step *step, const uint8_t view[16])
{
    for (size_t i = 0; i < step->live_count; i++)
        if (memcmp(step->live[i].spec->id.bytes, view, 16) == 0) return true;
    return false;
}

/* State and rows of a view that is no more, some at a time; *all_out: those were all. */
static steme_status remove_view(struct step *step, struct kv_txn *txn, const uint8_t view[16], bool *all_out,
                                struct steme_error *err)
{
    struct kv_cursor cursor = { 0 };
    struct kv_pair pair;
    struct key_bytes prefix;
    size_t removed = 0;
    key_of_view_state(&prefix, view);
    steme_status status = kv_seek(txn, key_slice(&prefix), key_slice(&prefix), &cursor, &pair, err);
    for (; !status && removed < step->views->pace.removals; removed++) {
        status = remove_key(step, pair.key, err);
        if (!status) status = kv_next(&cursor, &pair, err);
    }
    kv_cursor_end(&cursor);
    *all_out = status == STEME_NOT_FOUND;
    return *all_out ? STEME_OK : status;
}

static steme_status remove_orphans(struct step *step, struct kv_txn *txn, struct steme_error *err)
{
    uint8_t view[16] = { 0 };
    bool all = true;
    steme_status status = views_next(txn, view, false, err);
    while (!status && all) {
        if (!is_live(step, view)) status = remove_view(step, txn, view, &all, err);
        if (!status && all) status = views_next(txn, view, true, err);
    }
    step->orphans_gone = status == STEME_NOT_FOUND;
    return step->orphans_gone ? STEME_OK : status;
}

static steme_status remove_some(struct step *step, struct steme_error *err)
{
    struct kv_txn *txn = NULL;
    bool any = step->views->orphans;
    for (size_t i = 0; i < step->live_count; i++)
        any = any || step->live[i].state.sweeping;
    if (!any) return STEME_OK;
    steme_status status = kv_begin(step->index->kv, KV_READ, &txn, err);
    if (!status && step->views->orphans) status = remove_orphans(step, txn, err);
    for (size_t i = 0; !status && i < step->live_count; i++)
        if (step->live[i].state.sweeping) status = sweep(step, txn, &step->live[i], err);
    kv_abort(&txn);
    return status;
}

/* ---- the whole ---- */

static bool has_work(const struct step *step)
{
    for (size_t i = 0; i < step->live_count; i++) {
        const struct live *live = &step->live[i];
        if (live->state.making || live->state.sweeping || needs_refresh(step, live) || is_behind(step, live))
            return true;
    }
    return step->views->orphans && !step->orphans_gone;
}

static steme_status work(struct step *step, struct steme_error *err)
{
    steme_status status = remove_some(step, err);
    for (size_t i = 0; i < step->live_count; i++)
        if (needs_refresh(step, &step->live[i])) begin_refresh(&step->live[i], &step->applied, &step->trust_digest);
    if (!status) status = move_on(step, err);
    for (size_t i = 0; !status && i < step->live_count; i++) {
        if (!step->live[i].state.making) continue;
        status = refresh_some(step, &step->live[i], err);
        break; /* one at a time */
    }
    return status;
}

static steme_status begin_step(struct step *step, struct steme_store *store, struct index *index, struct views *views,
                               struct steme_error *err)
{
    *step = (struct step){ .store = store, .index = index, .views = views };
    steme_status status = store_trust(store, &step->trust, err);
    if (status) return status;
    step->trust_digest = views_trust(step->trust);
    return survey(step, err);
}

static void end_step(struct step *step)
{
    struct arena_mark start = { 0 };
    trust_release(&step->trust);
    arena_rewind(&step->views->work, start);
    arena_rewind(&step->views->scratch, start);
}

/* Views hang on the store's own keys. Where one of these is damaged, they stay as they are until a step after it was
 * mended. Nobody is shown them meanwhile, for a snapshot needs the keys, too; the index, which does not, goes on. */
static bool stands_still(struct step *step, steme_status status, const struct steme_error *why)
{
    struct views *views = step->views;
    bool still = status == STEME_CORRUPT && !step->trust;
    if (still && !views->still) store_notice(step->store, "views stand still: %s", why ? why->message : "a bad key");
    if (still) atomic_store(&views->pending, false);
    views->still = still;
    return still;
}

steme_status views_step(struct steme_store *store, struct index *index, struct steme_error *err)
{
    struct step step;
    steme_status status = begin_step(&step, store, index, &store->views, err);
    if (stands_still(&step, status, err)) return STEME_OK;
    if (!status && has_work(&step)) status = work(&step, err);
    bool news = !status && has_changes(&step);
    if (news) status = kv_update(index->kv, write_changes, &step, err);
    if (!status) {
        if (step.orphans_gone) store->views.orphans = false;
        store->views.fresh = false;
        atomic_store(&store->views.pending, has_work(&step));
        if (news) gate_kick(&store->views.changed);
    }
    end_step(&step);
    return status ? error_wrap(err, status, "keeping views current") : STEME_OK;
}

steme_status views_look(struct steme_store *store, struct index *index, bool *pending_out, struct steme_error *err)
{
    struct step step;
    *pending_out = false;
    steme_status status = begin_step(&step, store, index, &store->views, err);
    if (stands_still(&step, status, err)) return STEME_OK;
    if (!status && step.views->orphans) {
        struct kv_txn *txn = NULL;
        status = kv_begin(index->kv, KV_READ, &txn, err);
        if (!status) status = remove_orphans(&step, txn, err);
        kv_abort(&txn);
        if (!status && step.orphans_gone && step.change_count == 0) step.views->orphans = false;
    }
    if (!status) *pending_out = has_work(&step);
    end_step(&step);
    return status;
}

static steme_status write_state(struct kv_txn *txn, void *context, struct steme_error *err)
{
    return put_state(txn, context, err);
}

steme_status views_refresh(struct steme_store *store, struct index *index, const struct steme_hash *view,
                           struct steme_error *err)
{
    struct step step;
    steme_status status = begin_step(&step, store, index, &store->views, err);
    struct live *found = NULL;
    for (size_t i = 0; !status && i < step.live_count; i++)
        if (memcmp(&step.live[i].spec->id, view, sizeof *view) == 0) found = &step.live[i];
    if (!status && !found)
        status = error_set(err, STEME_NOT_FOUND, "the view is not kept by this store: it is a proposal, or waiting");
    if (!status) {
        begin_refresh(found, &step.applied, &step.trust_digest);
        status = kv_update(index->kv, write_state, found, err);
    }
    if (!status) atomic_store(&store->views.pending, true);
    end_step(&step);
    return status;
}

/* ---- verifying ---- */

static steme_status compare_slot(struct step *step, struct bench *bench, struct live *live, uint64_t *count,
                                 bool *differs, struct steme_error *err)
{
    struct arena_mark start = arena_mark(&step->views->work);
    struct key_bytes key;
    struct steme_slice want, present = { 0 };
    key_of_view_row(&key, live->spec->id.bytes, live->state.shown, &live->state.cursor);
    steme_status status = make_row(step, bench, live->spec, &live->state.cursor, &key, &want, err);
    if (!status) status = kv_get(bench->reader.txn, key_slice(&key), &present, err);
    if (status == STEME_NOT_FOUND) status = STEME_OK;
    *count += want.data != NULL;
    *differs = *differs || (!status && !slice_equal(want, present));
    arena_rewind(&step->views->work, start);
    return status;
}

static steme_status count_shown(struct bench *bench, const struct live *live, uint64_t *out, struct steme_error *err)
{
    struct key_bytes prefix;
    struct kv_cursor cursor = { 0 };
    struct kv_pair pair;
    key_generation_prefix(&prefix, live->spec->id.bytes, live->state.shown);
    steme_status status = kv_seek(bench->reader.txn, key_slice(&prefix), key_slice(&prefix), &cursor, &pair, err);
    for (*out = 0; !status; ++*out)
        status = kv_next(&cursor, &pair, err);
    kv_cursor_end(&cursor);
    return status == STEME_NOT_FOUND ? STEME_OK : status;
}

/* State and rows come from one transaction. Rows that were made under other keys are on their way out, and of those
 * beyond the log that this process sees nothing can be said. */
static steme_status verify_view(struct step *step, struct bench *bench, struct live *live, const char **wrong,
                                struct steme_error *err)
{
    struct view_state *state = &live->state;
    uint64_t want = 0, got = 0;
    bool differs = false;
    *wrong = NULL;
    steme_status status = views_state(bench->reader.txn, &live->spec->id, state, err);
    bool comparable = state->shown && state->mark.location <= wal_durable(step->store->wal).location &&
                      memcmp(&state->trust, &step->trust_digest, sizeof state->trust) == 0;
    if (status || !comparable) return status;
    bench->reader.limit = state->mark.location;
    state->cursor = (struct slot_ref){ .route = live->spec->route };
    do {
        status = evidence_next_slot(&bench->reader, &state->cursor, live->spec->only_route, err);
        if (!status && view_spec_may_have(live->spec, &state->cursor))
            status = compare_slot(step, bench, live, &want, &differs, err);
    } while (!status && evidence_step_slot(&state->cursor));
    if (status == STEME_NOT_FOUND) status = STEME_OK;
    if (!status) status = count_shown(bench, live, &got, err);
    if (status) return status;
    if (differs) *wrong = "a row is not what resolving its slot as of the watermark gives";
    if (got != want || got != state->rows) *wrong = "it has more or fewer rows than slots that match";
    return STEME_OK;
}

steme_status views_verify(struct steme_store *store, struct index *index,
                          void (*found)(void *context, struct steme_slice view, const char *wrong), void *context,
                          struct steme_error *err)
{
    struct views views; /* the store's own belong to whoever steps it */
    struct step step;
    views_init(&views);
    steme_status status = begin_step(&step, store, index, &views, err);
    for (size_t i = 0; !status && i < step.live_count; i++) {
        struct bench bench;
        struct steme_error why = { 0 };
        const char *wrong = NULL;
        status = bench_open(&step, 0, &bench, err);
        if (status) break;
        status = verify_view(&step, &bench, &step.live[i], &wrong, &why);
        bench_close(&bench);
        if (status == STEME_CORRUPT) wrong = why.message;
        if (wrong) found(context, step.live[i].spec->definition.name, wrong);
        if (status == STEME_CORRUPT) status = STEME_OK;
        if (status && err) *err = why;
    }
    end_step(&step);
    views_deinit(&views);
    return status;
}
