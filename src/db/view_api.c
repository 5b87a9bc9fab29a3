/* SPDX-License-Identifier: Apache-2.0 */
/* include/steme/view.h: defining views through the log, and reading their rows. */
#include "base/check.h"
#include "base/glob.h"
#include "base/slice.h"
#include "base/suggest.h"
#include "db/snapshot.h"
#include "db/view_spec.h"
#include "steme/view.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>

enum {
    CALL_CEILING_BYTES = 512 << 20,
    POLL_NS = 20 * 1000 * 1000, /* a reader beside a writer looks so often whether the index has gone on */
    NAMES_MAX = 256,            /* looked at for a suggestion */
};

bool steme_glob_match(struct steme_slice pattern, struct steme_slice name) { return glob_match(pattern, name); }

const char *steme_view_standing_name(enum steme_view_standing standing)
{
    switch (standing) {
    case STEME_VIEW_CURRENT: return "current";
    case STEME_VIEW_MAKING: return "being made";
    case STEME_VIEW_REFRESHING: return "being refreshed";
    case STEME_VIEW_FAULTY: return "faulty";
    case STEME_VIEW_PROPOSAL: return "proposal";
    case STEME_VIEW_WAITING: return "waiting";
    }
    return "?";
}

/* ---- listing ---- */

static enum steme_view_standing standing_of(const struct view_spec *spec, const struct view_state *state)
{
    if (spec->proposal) return STEME_VIEW_PROPOSAL;
    if (spec->waiting) return STEME_VIEW_WAITING;
    if (spec->fault[0] || state->fault[0]) return STEME_VIEW_FAULTY;
    if (!state->shown) return STEME_VIEW_MAKING;
    return state->making ? STEME_VIEW_REFRESHING : STEME_VIEW_CURRENT;
}

static steme_status describe(struct steme_snapshot *s, const struct view_spec *spec, struct steme_view_info *out,
                             struct steme_error *err)
{
    struct view_state state;
    steme_status status = views_state(s->reader.txn, &spec->id, &state, err);
    if (status) return status;
    *out = (struct steme_view_info){ .id = spec->id,
                                     .sequence = spec->sequence,
                                     .definition = spec->definition,
                                     .lens = spec->lens,
                                     .standing = standing_of(spec, &state),
                                     .watermark = state.shown ? state.mark.next_sequence - 1 : 0,
                                     .rows = state.rows,
                                     .bytes = state.row_bytes,
                                     .made_at_us = state.made_at_us,
                                     .making_as_of = state.making ? state.bound.next_sequence - 1 : 0,
                                     .making_rows = state.making ? state.making_rows : 0,
                                     .generation = state.shown };
    if (spec->reach.endorsements || spec->reach.predicate) out->weights_as_of = out->watermark;
    const char *fault = spec->fault[0] ? spec->fault : state.fault;
    out->fault = arena_copy(&s->arena, slice_text(fault));
    return out->fault.data ? STEME_OK : arena_full(&s->arena, err);
}

static steme_status list_views(struct steme_snapshot *s, struct steme_view_info **out, size_t *count_out,
                               struct steme_error *err)
{
    struct view_spec *specs = NULL;
    size_t count = 0;
    steme_status status = view_spec_list(&s->reader, s->trust, &s->arena, &specs, &count, err);
    if (status) return status;
    struct steme_view_info *list = arena_calloc(&s->arena, count, sizeof *list);
    if (!list) return arena_full(&s->arena, err);
    for (size_t i = 0; !status && i < count; i++)
        status = describe(s, &specs[i], &list[i], err);
    *out = list;
    *count_out = count;
    return status;
}

/* Rows kept in memory for one process are nobody's to keep current but a simulation's. */
static steme_status refuse_memory(const struct steme_snapshot *s, struct steme_error *err)
{
    if (!s->index->in_memory || s->store->alone) return STEME_OK;
    return error_set(err, STEME_UNSUPPORTED,
                     "views can't be read here: the index on disk can't be used, so this process reads the whole log");
}

steme_status steme_view_list(struct steme_snapshot *snapshot, const struct steme_view_info **out, size_t *count_out,
                             struct steme_error *err)
{
    struct steme_view_info *list = NULL;
    size_t count = 0;
    unsigned attempt = 0;
    steme_status status;
    do
        status = list_views(snapshot, &list, &count, err);
    while (snapshot_renewed(snapshot, status, &attempt, err));
    if (status) return status;
    *out = list;
    *count_out = count;
    return STEME_OK;
}

/* The name is compared with those of all views; of those that are near the nearest is told. */
static steme_status no_such_view(const struct steme_view_info *views, size_t count, struct steme_slice name,
                                 struct arena *arena, struct steme_error *err)
{
    const char *names[NAMES_MAX];
    size_t known = 0;
    for (size_t i = 0; i < count && known < NAMES_MAX; i++) {
        struct steme_slice copy = arena_copy(arena, views[i].definition.name);
        if (copy.data) names[known++] = (const char *)copy.data;
    }
    const char *near = suggest_nearest(name, names, known);
    if (near)
        return error_set(err, STEME_NOT_FOUND, "there is no view '%.*s'; did you mean '%s'?", SLICE_PRINT(name), near);
    return error_set(err, STEME_NOT_FOUND, "there is no view '%.*s'; `steme view list` shows those there are",
                     SLICE_PRINT(name));
}

steme_status steme_view_show(struct steme_snapshot *snapshot, struct steme_slice name, struct steme_view_info *out,
                             struct steme_error *err)
{
    const struct steme_view_info *list = NULL;
    size_t count = 0;
    steme_status status = steme_view_list(snapshot, &list, &count, err);
    if (status) return status;
    const struct steme_view_info *found = NULL;
    for (size_t i = 0; i < count; i++)
        if (slice_equal(list[i].definition.name, name) && (!found || list[i].standing != STEME_VIEW_PROPOSAL))
            found = &list[i];
    if (!found) return no_such_view(list, count, name, &snapshot->arena, err);
    *out = *found;
    return STEME_OK;
}

/* ---- rows ---- */

static bool is_latest(const struct steme_moment *moment)
{
    return moment->as_of_sequence == UINT64_MAX && moment->as_of_us == STEME_TIME_MAX &&
           moment->valid_at_us == STEME_TIME_MAX;
}

static steme_status can_read(const struct steme_snapshot *s, const struct steme_view_info *view,
                             struct steme_error *err)
{
    steme_status status = refuse_memory(s, err);
    if (status) return status;
    if (!is_latest(&s->moment))
        return error_set(err, STEME_BAD_INPUT,
                         "a view has the rows of one moment, its watermark; resolve the questions as of another one");
    if (view->generation) return STEME_OK;
    if (view->fault.size)
        return error_set(err, STEME_NOT_FOUND, "the view has no rows: %.*s", SLICE_PRINT(view->fault));
    return error_set(err, STEME_NOT_FOUND, "the view has no rows yet (%s)", steme_view_standing_name(view->standing));
}

/* A row that is too long to be kept is resolved again, as of the moment it is of: which must give the same. */
static steme_status resolve_row(struct steme_snapshot *s, const struct steme_view_info *view, struct steme_slice key,
                                struct steme_view_row *row, struct steme_error *err)
{
    struct view_state state;
    struct judge_slot slot = { .epoch = view->definition.has_epoch ? view->definition.epoch.bytes : NULL };
    struct steme_answer answer;
    view_row_slot(key, &slot.ref);
    steme_status status = views_state(s->reader.txn, &view->id, &state, err);
    if (status) return status;
    uint64_t limit = s->reader.limit;
    struct judge judge;
    s->reader.limit = state.mark.location < wal_durable(s->store->wal).location ? state.mark.location : limit;
    judge_init(&judge, &s->reader, (const uint8_t(*)[16])s->trust->ids, s->trust->count);
    status = judge_slot(&judge, &slot, &view->lens, &s->arena, &answer, NULL, err);
    judge_deinit(&judge);
    s->reader.limit = limit;
    if (status) return status;
    if (memcmp(&answer.slot, &row->slot, sizeof answer.slot) != 0)
        return error_set(err, STEME_CORRUPT, "a view has a row for a slot that has no evidence");
    struct steme_view_row whole;
    view_row_of(&answer, &whole);
    row->subject = whole.subject;
    row->predicate = whole.predicate;
    row->key_qualifiers = whole.key_qualifiers;
    row->value = whole.value;
    row->rival = whole.rival;
    return STEME_OK;
}

static steme_status read_row(struct steme_snapshot *s, const struct steme_view_info *view, const struct kv_pair *pair,
                             struct steme_view_row *out, struct steme_error *err)
{
    bool whole = false;
    steme_status status = view_row_decode(pair->key, pair->value, out, &whole, err);
    return status || whole ? status : resolve_row(s, view, pair->key, out, err);
}

static steme_status visit_rows(struct steme_snapshot *s, const struct steme_view_info *view, struct steme_slice subject,
                               steme_status (*visit)(void *, const struct steme_view_row *), void *context,
                               struct steme_error *err)
{
    enum { ROUTE_PREFIX_BYTES = 29 };
    struct key_bytes prefix;
    struct kv_cursor cursor = { 0 };
    struct kv_pair pair;
    struct slot_ref first = { 0 };
    key_generation_prefix(&prefix, view->id.bytes, view->generation);
    if (subject.size) {
        first.route = route_of_name(subject);
        key_of_view_row(&prefix, view->id.bytes, view->generation, &first);
        prefix.size = ROUTE_PREFIX_BYTES;
    }
    steme_status status = STEME_OK,
                 more = kv_seek(s->reader.txn, key_slice(&prefix), key_slice(&prefix), &cursor, &pair, err);
    for (; !more && !status; more = status ? more : kv_next(&cursor, &pair, err)) {
        struct arena_mark start = arena_mark(&s->arena);
        struct steme_view_row row;
        status = read_row(s, view, &pair, &row, err);
        if (!status && (!subject.size || slice_equal(subject, row.subject))) status = visit(context, &row);
        arena_rewind(&s->arena, start);
    }
    kv_cursor_end(&cursor);
    return walk_status(status, more);
}

steme_status steme_view_rows_each(struct steme_snapshot *snapshot, const struct steme_view_info *view,
                                  struct steme_slice subject,
                                  steme_status (*visit)(void *context, const struct steme_view_row *row), void *context,
                                  struct steme_error *err)
{
    steme_status status = can_read(snapshot, view, err);
    return status ? status : visit_rows(snapshot, view, subject, visit, context, err);
}

steme_status steme_view_get(struct steme_snapshot *snapshot, const struct steme_view_info *view,
                            const struct steme_question *question, struct steme_view_row *out, struct steme_error *err)
{
    struct judge_slot slot;
    struct key_bytes key;
    struct kv_pair pair;
    steme_status status = can_read(snapshot, view, err);
    if (!status) status = snapshot_slot(snapshot, question, &slot, err);
    if (status) return status;
    key_of_view_row(&key, view->id.bytes, view->generation, &slot.ref);
    pair.key = key_slice(&key);
    status = kv_get(snapshot->reader.txn, pair.key, &pair.value, err);
    return status ? status : read_row(snapshot, view, &pair, out, err);
}

/* ---- writing definitions ---- */

/* Later than whatever the store has under this name, or the new definition would not count. */
static int64_t creation_time(const struct steme_view_info *now, struct steme_store *store)
{
    int64_t at_us = host_wall_us(store->host);
    bool behind = now && now->definition.created_at_us >= at_us && now->definition.created_at_us < INT64_MAX;
    return behind ? now->definition.created_at_us + 1 : at_us;
}

/* The store's own view of this name; *count_out views of the store's own keys in all. */
static steme_status find_own(struct steme_snapshot *s, struct steme_slice name, const struct steme_view_info **out,
                             size_t *count_out, const struct steme_view_info **list_out, size_t *all_out,
                             struct steme_error *err)
{
    steme_status status = steme_view_list(s, list_out, all_out, err);
    *out = NULL;
    *count_out = 0;
    for (size_t i = 0; !status && i < *all_out; i++) {
        const struct steme_view_info *it = &(*list_out)[i];
        if (it->standing == STEME_VIEW_PROPOSAL) continue;
        ++*count_out;
        if (slice_equal(it->definition.name, name)) *out = it;
    }
    return status;
}

static steme_status check_signer(struct steme_snapshot *s, const struct steme_signer *signer, struct steme_error *err)
{
    struct steme_key key = steme_signer_key(signer);
    struct steme_hash agent = agent_id(key.bytes);
    for (size_t i = 0; i < s->trust->count; i++)
        if (memcmp(s->trust->ids[i], agent.bytes, sizeof s->trust->ids[i]) == 0) return STEME_OK;
    return error_set(err, STEME_BAD_INPUT,
                     "the key is not one of the store's own: a view by it would be a proposal; see `steme key list`");
}

static steme_status write_definition(struct steme_store *store, const struct steme_signer *signer,
                                     const struct steme_view_spec *spec, int64_t created_at_us, struct arena *arena,
                                     struct steme_receipt *receipt, struct steme_error *err)
{
    struct steme_qualifier *parameters = NULL;
    struct steme_record record = { .type = STEME_VIEW };
    struct steme_view *view = &record.as.view;
    const struct lens_ops *ops = NULL;
    steme_status status = lens_find(spec->lens.name, &ops, err);
    if (!status) status = lens_check(&spec->lens, err);
    if (status) return status;
    *view = (struct steme_view){ .name = spec->name,
                                 .created_at_us = created_at_us,
                                 .subjects = spec->subjects,
                                 .predicate = spec->predicate,
                                 .lens = slice_text(ops->info.name),
                                 .has_epoch = spec->epoch != NULL };
    if (spec->epoch) view->epoch = *spec->epoch;
    status = view_spec_parameters(&spec->lens, arena, &parameters, &view->parameter_count, err);
    view->parameters = parameters;
    return status ? status : steme_write(store, signer, &record, receipt, err);
}

steme_status steme_view_create(struct steme_store *store, const struct steme_signer *signer,
                               const struct steme_view_spec *spec, struct steme_receipt *receipt,
                               struct steme_error *err)
{
    struct steme_snapshot *s = NULL;
    const struct steme_view_info *now = NULL, *list = NULL;
    size_t own = 0, all = 0;
    steme_status status = steme_snapshot_open(store, NULL, &s, err);
    if (!status) status = check_signer(s, signer, err);
    if (!status) status = find_own(s, spec->name, &now, &own, &list, &all, err);
    if (!status && !now && own >= STEME_VIEWS_MAX)
        status = error_set(err, STEME_TOO_LARGE, "there are %zu views, which is as many as are kept; drop one", own);
    if (!status) status = write_definition(store, signer, spec, creation_time(now, store), &s->arena, receipt, err);
    steme_snapshot_close(&s);
    return status;
}

steme_status steme_view_drop(struct steme_store *store, const struct steme_signer *signer, struct steme_slice name,
                             struct steme_receipt *receipt, struct steme_error *err)
{
    struct steme_snapshot *s = NULL;
    const struct steme_view_info *now = NULL, *list = NULL;
    size_t own = 0, all = 0;
    steme_status status = steme_snapshot_open(store, NULL, &s, err);
    if (!status) status = check_signer(s, signer, err);
    if (!status) status = find_own(s, name, &now, &own, &list, &all, err);
    if (!status && !now) status = no_such_view(list, all, name, &s->arena, err);
    if (!status) {
        struct steme_record record = { .type = STEME_VIEW };
        record.as.view = (struct steme_view){ .name = name,
                                              .created_at_us = creation_time(now, store),
                                              .dropped = true };
        status = steme_write(store, signer, &record, receipt, err);
    }
    steme_snapshot_close(&s);
    return status;
}

/* ---- upkeep ---- */

static steme_status look_up(struct steme_store *store, struct steme_slice name, struct steme_view_info *out,
                            struct steme_error *err)
{
    struct steme_snapshot *s = NULL;
    steme_status status = steme_snapshot_open(store, NULL, &s, err);
    if (!status) status = refuse_memory(s, err);
    if (!status) status = steme_view_show(s, name, out, err);
    if (!status && (out->standing == STEME_VIEW_PROPOSAL || out->standing == STEME_VIEW_WAITING))
        status = error_set(err, STEME_NOT_FOUND, "this store keeps no rows of the view: it is %s",
                           out->standing == STEME_VIEW_PROPOSAL ? "a proposal, not by one of its own keys"
                                                                : "one too many; drop another");
    if (!status && out->standing == STEME_VIEW_FAULTY)
        status = error_set(err, STEME_FAILED, "the view can't be kept up: %.*s", SLICE_PRINT(out->fault));
    out->fault = (struct steme_slice){ 0 }; /* it was the snapshot's */
    steme_snapshot_close(&s);
    return status;
}

steme_status steme_view_refresh(struct steme_store *store, struct steme_slice name, struct steme_error *err)
{
    struct steme_view_info view = { 0 };
    if (store->read_only)
        return error_set(err, STEME_READ_ONLY, "the store is open for reading; refreshing a view needs it for writing");
    steme_status status = look_up(store, name, &view, err);
    if (status && status != STEME_FAILED) return status; /* a faulty one gets another try */
    pthread_mutex_lock(&store->ingesting);
    struct index *index = store_index(store);
    status = views_refresh(store, index, &view.id, err);
    index_release(&index);
    pthread_mutex_unlock(&store->ingesting);
    if (!status) store_hurry(store);
    return status;
}

static bool has_reached(const struct steme_view_info *view, uint64_t sequence)
{
    if (sequence == 0) return view->standing == STEME_VIEW_CURRENT;
    return view->generation && view->watermark >= sequence;
}

static steme_status too_late(const struct steme_view_info *view, uint64_t sequence, struct steme_error *err)
{
    if (sequence == 0)
        return error_set(err, STEME_TIMEOUT, "the view is still %s", steme_view_standing_name(view->standing));
    return error_set(err, STEME_TIMEOUT, "the view reflects %" PRIu64 ", not yet %" PRIu64, view->watermark, sequence);
}

steme_status steme_view_wait(struct steme_store *store, struct steme_slice name, uint64_t sequence, uint32_t timeout_ms,
                             struct steme_error *err)
{
    uint64_t deadline = host_monotonic_ns(store->host) + (uint64_t)timeout_ms * 1000000;
    for (;;) {
        struct steme_view_info view = { 0 };
        uint32_t turn = gate_turn(&store->views.changed);
        steme_status status = look_up(store, name, &view, err);
        if (status || has_reached(&view, sequence)) return status;
        uint64_t now = host_monotonic_ns(store->host);
        if (now >= deadline || store->alone) return too_late(&view, sequence, err);
        uint64_t left = deadline - now;
        store_hurry(store);
        (void)gate_wait_turn(&store->views.changed, 1, turn, left < POLL_NS ? left : POLL_NS);
        status = store_ingest_status(store, err);
        if (status) return status;
    }
}
