/* SPDX-License-Identifier: Apache-2.0 */
#include "lattice/projection.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/slice.h"
#include "lattice/tally.h"

enum {
    SCRATCH_CEILING_BYTES = 256 << 20,
    DEAD_TYPE = 7, /* where applied_row.records counts what can't be applied */
};

/* ---- what a record is ---- */

static const char *prepare_one(const struct wal_entry *entry, struct projected *out)
{
    steme_status status = record_check(entry->bytes, &out->type, NULL);
    if (status == STEME_UNSUPPORTED) return "a record type this program does not know";
    if (status == STEME_NEWER) return "a record format newer than this program reads";
    if (status) return "not a canonical record";
    if (out->type == STEME_ASSERTION && assertion_view_trusted(entry->bytes, &out->view, NULL))
        return "not a canonical assertion";
    return NULL;
}

/* Assertions, which are nearly all of an import, skip the full check: they were checked at admission and the log has
 * just compared their content with their id. */
static void prepare_entry(const struct wal_entry *entry, struct projected *out)
{
    if (entry->bytes.size && entry->bytes.data[0] == STEME_ASSERTION &&
        assertion_view_trusted(entry->bytes, &out->view, NULL) == STEME_OK) {
        out->type = STEME_ASSERTION;
        out->dead = NULL;
        return;
    }
    out->dead = prepare_one(entry, out);
}

steme_status projection_prepare(const struct wal_entry *entries, size_t count, struct arena *arena,
                                struct projected **out, struct steme_error *err)
{
    struct projected *all = arena_calloc(arena, count, sizeof *all);
    struct arena_mark scratch = arena_mark(arena);
    struct assertion_view *views = arena_alloc(arena, count * sizeof *views);
    struct identity *identities = arena_alloc(arena, count * sizeof *identities);
    if (!all || !views || !identities) return arena_full(arena, err);

    size_t assertion_count = 0;
    for (size_t i = 0; i < count; i++) {
        prepare_entry(&entries[i], &all[i]);
        if (!all[i].dead && all[i].type == STEME_ASSERTION) views[assertion_count++] = all[i].view;
    }
    steme_status status = identity_many(views, assertion_count, identities, arena, err);
    if (status) return status;
    for (size_t i = 0, taken = 0; i < count; i++)
        if (!all[i].dead && all[i].type == STEME_ASSERTION) all[i].identity = identities[taken++];
    arena_rewind(arena, scratch);
    *out = all;
    return STEME_OK;
}

/* ---- rows ---- */

void projection_id_row(const struct wal_entry *entry, const struct projected *projected, struct key_bytes *key,
                       struct value_bytes *value)
{
    key_of_id(key, entry->id.bytes);
    value_of_id(value, projected->dead ? STEME_ASSERTION : projected->type, entry->location);
}

bool projection_begins_batch(const struct wal_entry *entries, size_t index)
{
    return index == 0 || entries[index].batch_location != entries[index - 1].batch_location;
}

void projection_batch_row(const struct wal_entry *entry, struct key_bytes *key, struct value_bytes *value)
{
    struct batch_row row = { entry->sequence, entry->received_at_us, entry->location };
    key_of_batch(key, row.first_sequence);
    value_of_batch(value, key_slice(key), &row);
}

static steme_status give(const struct row_sink *sink, const struct key_bytes *key, const struct value_bytes *value,
                         struct steme_error *err)
{
    return sink->row(sink->context, key_slice(key), value_slice(value), err);
}

/* An author's clock may run ahead a little; further ahead it is not believed, or it would win every race for the
 * newest. */
static int64_t counts_as_made(int64_t asserted_at_us, int64_t received_at_us)
{
    bool ahead = asserted_at_us > received_at_us &&
                 (uint64_t)asserted_at_us - (uint64_t)received_at_us > STEME_CLOCK_AHEAD_MAX_US;
    return ahead ? received_at_us : asserted_at_us;
}

/* One row for each parent; ids that begin alike, which an author may make up, share one. They come sorted. */
static steme_status child_rows(const struct wal_entry *entry, const struct assertion_view *view,
                               const struct row_sink *sink, struct steme_error *err)
{
    steme_status status = STEME_OK;
    for (size_t i = 0; !status && i < view->parent_count; i++) {
        const uint8_t *parent = view->parents + i * HASH_BYTES;
        struct key_bytes key;
        struct value_bytes value;
        if (i && memcmp(parent, parent - HASH_BYTES, KEYS_ID_BYTES) == 0) continue;
        key_of_child(&key, parent, entry->id.bytes);
        value_of_location(&value, entry->location);
        status = give(sink, &key, &value, err);
    }
    return status;
}

static steme_status assertion_rows(const struct wal_entry *entry, const struct projected *p,
                                   const struct row_sink *sink, struct steme_error *err)
{
    struct slot_ref slot = { .route = p->identity.route, .predicate = p->identity.predicate };
    memcpy(slot.slot, p->identity.slot.bytes, sizeof slot.slot);
    struct slot_row row = {
        .location = entry->location,
        .at_us = counts_as_made(p->view.asserted_at_us, entry->received_at_us),
        .valid_from_us = p->view.valid_from_us,
        .valid_to_us = p->view.valid_to_us,
        .confidence_ppm = p->view.confidence_ppm,
        .kind = p->view.kind,
        .negated = p->view.negated,
        .has_epoch = p->view.epoch != NULL,
    };
    memcpy(row.claim, p->identity.claim.bytes, sizeof row.claim);
    memcpy(row.voice, p->identity.voice.bytes, sizeof row.voice);
    if (row.has_epoch) memcpy(row.epoch, p->view.epoch, sizeof row.epoch);
    struct key_bytes key;
    struct value_bytes value;
    key_of_slot_row(&key, &slot, entry->location);
    value_of_slot_row(&value, key_slice(&key), &row);
    steme_status status = give(sink, &key, &value, err);
    return status ? status : child_rows(entry, &p->view, sink, err);
}

static steme_status vote_rows(const struct wal_entry *entry, const struct steme_vote *vote, const struct row_sink *sink,
                              struct steme_error *err)
{
    struct steme_hash voter = agent_id(vote->voter.bytes);
    enum steme_stance stance = vote->stance;
    /* A ballot on "not X" is the opposite ballot on X, so that a claim's ballots lie together. */
    if (vote->target.kind == STEME_ON_CLAIM && claim_negated(&vote->target.hash) && stance != STEME_ABSTAIN)
        stance = stance == STEME_SUPPORT ? STEME_REFUTE : STEME_SUPPORT;
    struct ballot_row row = { .location = entry->location,
                              .cast_at_us = vote->cast_at_us,
                              .probability_ppm = vote->probability_ppm,
                              .stance = stance };
    struct key_bytes key;
    struct value_bytes value;
    key_of_ballot(&key, &vote->target, voter.bytes, vote->cast_at_us, entry->id.bytes);
    value_of_ballot(&value, key_slice(&key), &row);
    return give(sink, &key, &value, err);
}

/* Whether an earlier target has the same key: it knows neither the kind nor the second half of the id. */
static bool has_row(const struct steme_revision *revision, size_t index)
{
    const struct steme_target *target = &revision->targets[index];
    for (size_t i = 0; i < index; i++)
        if (revision->targets[i].route == target->route &&
            memcmp(revision->targets[i].hash.bytes, target->hash.bytes, KEYS_ID_BYTES) == 0)
            return true;
    return false;
}

static steme_status revision_rows(const struct wal_entry *entry, const struct steme_revision *revision,
                                  const struct row_sink *sink, struct steme_error *err)
{
    for (size_t i = 0; i < revision->target_count; i++) {
        const struct steme_target *target = &revision->targets[i];
        struct key_bytes key;
        struct value_bytes value;
        if (has_row(revision, i)) continue;
        key_of_revision(&key, target->route, target->hash.bytes, entry->id.bytes);
        value_of_location(&value, entry->location);
        steme_status status = give(sink, &key, &value, err);
        if (status) return status;
    }
    return STEME_OK;
}

static steme_status epoch_rows(const struct wal_entry *entry, const struct row_sink *sink, struct steme_error *err)
{
    struct key_bytes key;
    struct value_bytes value;
    key_of_epoch(&key, entry->id.bytes);
    value_of_location(&value, entry->location);
    return give(sink, &key, &value, err);
}

static steme_status view_rows(const struct wal_entry *entry, const struct row_sink *sink, struct steme_error *err)
{
    struct key_bytes key;
    struct value_bytes value;
    key_of_view(&key, entry->id.bytes);
    value_of_location(&value, entry->location);
    return give(sink, &key, &value, err);
}

static steme_status dead_rows(const struct wal_entry *entry, const char *reason, const struct row_sink *sink,
                              struct steme_error *err)
{
    struct key_bytes key;
    struct value_bytes value;
    key_of_dead_letter(&key, entry->location);
    value_of_dead_letter(&value, &entry->id, reason);
    return give(sink, &key, &value, err);
}

steme_status projection_rows(const struct wal_entry *entry, const struct projected *projected,
                             const struct row_sink *sink, struct arena *scratch, struct steme_error *err)
{
    if (projected->dead) return dead_rows(entry, projected->dead, sink, err);
    if (projected->type == STEME_ASSERTION) return assertion_rows(entry, projected, sink, err);
    if (projected->type == STEME_BUNDLE) return STEME_OK;

    struct arena_mark start = arena_mark(scratch);
    struct steme_record record;
    steme_status status = record_decode(entry->bytes, scratch, &record, err);
    if (!status && record.type == STEME_VOTE) status = vote_rows(entry, &record.as.vote, sink, err);
    if (!status && record.type == STEME_REVISION) status = revision_rows(entry, &record.as.revision, sink, err);
    if (!status && record.type == STEME_EPOCH) status = epoch_rows(entry, sink, err);
    if (!status && record.type == STEME_VIEW) status = view_rows(entry, sink, err);
    arena_rewind(scratch, start);
    return status;
}

/* ---- online ---- */

void projection_init(struct projection *p, struct wal *wal)
{
    *p = (struct projection){ .wal = wal };
    arena_init(&p->arena, SCRATCH_CEILING_BYTES);
    arena_init(&p->folding, SCRATCH_CEILING_BYTES);
}

void projection_deinit(struct projection *p)
{
    arena_deinit(&p->arena);
    arena_deinit(&p->folding);
    *p = (struct projection){ 0 };
}

/* A write transaction, the account of what goes into it, and the tallies its rows move. */
struct intake {
    struct kv_txn *txn;
    struct applied_row *row;
    struct tally_fold fold;
};

static steme_status put_row(void *context, struct steme_slice key, struct steme_slice value, struct steme_error *err)
{
    struct intake *in = context;
    in->row->row_bytes += key.size + value.size;
    steme_status status = tally_fold_row(&in->fold, key, value, err);
    return status ? status : kv_put(in->txn, key, value, err);
}

/* The store has a record with the first 16 bytes of this id: the same one again, or by 2^64 hashes of work another. */
static steme_status judge_twin(struct projection *p, struct intake *in, const struct wal_entry *entry,
                               struct steme_slice present, struct steme_error *err)
{
    uint64_t location = 0;
    steme_status status = row_id(present, NULL, &location, err);
    if (status) return status;
    if (location == entry->location) return STEME_OK; /* applied before */
    if (location > entry->location)
        return error_set(err, STEME_CORRUPT, "the index places record %u bytes past where the log is being applied",
                         (unsigned)entry->bytes.size);
    struct wal_entry first;
    status = wal_read(p->wal, location, &first, err);
    if (status) return error_wrap(err, STEME_CORRUPT, "the index points to a record that can't be read");
    in->row->duplicates++;
    if (memcmp(first.id.bytes, entry->id.bytes, sizeof first.id.bytes) == 0) return STEME_OK;
    in->row->dead_letters++;
    struct row_sink sink = { in, put_row };
    return dead_rows(entry, "its id begins with the same 16 bytes as another record's", &sink, err);
}

static steme_status apply_one(struct projection *p, struct intake *in, const struct wal_entry *entry, bool begins_batch,
                              const struct projected *projected, struct steme_error *err)
{
    struct key_bytes key;
    struct value_bytes value;
    struct steme_slice present;
    struct row_sink sink = { in, put_row };
    steme_status status = STEME_OK;
    if (begins_batch) {
        projection_batch_row(entry, &key, &value);
        status = put_row(in, key_slice(&key), value_slice(&value), err);
        if (status) return status;
    }
    projection_id_row(entry, projected, &key, &value);
    status = kv_put_fresh(in->txn, key_slice(&key), value_slice(&value), &present, err);
    if (status == STEME_EXISTS) return judge_twin(p, in, entry, present, err);
    if (status) return status;
    in->row->row_bytes += key.size + value.size;
    in->row->records[projected->dead ? DEAD_TYPE : projected->type]++;
    in->row->record_bytes += entry->bytes.size;
    in->row->dead_letters += projected->dead != NULL;
    return projection_rows(entry, projected, &sink, &p->arena, err);
}

steme_status projection_applied_in(struct kv_txn *txn, struct applied_row *out, struct steme_error *err)
{
    struct key_bytes key;
    struct steme_slice value;
    key_applied(&key);
    steme_status status = kv_get(txn, key_slice(&key), &value, err);
    return status ? status : row_applied(key_slice(&key), value, out, err);
}

static steme_status fold_tallies(struct intake *in, struct steme_error *err)
{
    uint64_t new_bytes = 0;
    steme_status status = tally_fold_end(&in->fold, &new_bytes, err);
    in->row->row_bytes += new_bytes;
    return status;
}

static steme_status apply(void *context, struct kv_txn *txn, const struct wal_entry *entries, size_t count,
                          const struct wal_mark *after, struct steme_error *err)
{
    struct projection *p = context;
    struct arena_mark start = arena_mark(&p->arena);
    struct applied_row row = { 0 };
    struct arena_mark folding = arena_mark(&p->folding);
    struct intake in = { .txn = txn, .row = &row };
    struct projected *projected = NULL;
    struct key_bytes key;
    struct value_bytes value;
    /* Counts go on from what the store has, not from what we remember: a commit of ours may have failed. */
    steme_status status = projection_applied_in(txn, &row, err);
    if (status && status != STEME_NOT_FOUND) goto done;
    /* What the store's own mark covers is in it and in the counts. */
    while (count && entries->location < row.mark.location) {
        entries++;
        count--;
    }
    status = tally_fold_begin(&in.fold, p->wal, txn, &p->folding, err);
    if (!status) status = projection_prepare(entries, count, &p->arena, &projected, err);
    for (size_t i = 0; !status && i < count; i++)
        status = apply_one(p, &in, &entries[i], projection_begins_batch(entries, i), &projected[i], err);
    if (!status) status = fold_tallies(&in, err);
    if (status) goto done;
    if (after->location > row.mark.location) row.mark = *after;
    key_applied(&key);
    value_of_applied(&value, key_slice(&key), &row);
    status = kv_put(txn, key_slice(&key), value_slice(&value), err);
done:
    arena_rewind(&p->arena, start);
    arena_rewind(&p->folding, folding);
    return status;
}

struct ingestor_sink projection_sink(struct projection *p)
{
    return (struct ingestor_sink){ .context = p, .apply = apply };
}

steme_status projection_applied(struct kv *kv, struct applied_row *out, struct steme_error *err)
{
    struct kv_txn *txn = NULL;
    steme_status status = kv_begin(kv, KV_READ, &txn, err);
    if (!status) status = projection_applied_in(txn, out, err);
    kv_abort(&txn);
    return status;
}
