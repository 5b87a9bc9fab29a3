/* SPDX-License-Identifier: Apache-2.0 */
#include "db/snapshot.h"

#include "base/check.h"
#include "base/codec.h"
#include "base/slice.h"
#include "base/utf8.h"
#include "lattice/moment.h"
#include "model/record.h"
#include "spine/batch.h"

#include <stdlib.h>

enum { ANSWER_CEILING_BYTES = 1 << 30 };

struct steme_moment steme_moment_now(void)
{
    return (struct steme_moment){ UINT64_MAX, STEME_TIME_MAX, STEME_TIME_MAX, 0 };
}

/* ---- begin and end ---- */

/* Age is counted from the moment asked for; of the latest, from when its last record was received: never a clock. */
static steme_status begin_of_ballots(struct kv_txn *txn, const struct steme_moment *moment, uint64_t sequence,
                                     int64_t *out, struct steme_error *err)
{
    int64_t at_us = moment->as_of_us;
    if (moment->ballot_age_us == 0) return STEME_OK;
    if (moment->ballot_age_us < 0) return error_set(err, STEME_BAD_INPUT, "a ballot's age can't be negative");
    steme_status status = at_us == STEME_TIME_MAX ? moment_received(txn, sequence, &at_us, err) : STEME_OK;
    if (!status && at_us >= STEME_TIME_MIN + moment->ballot_age_us) *out = at_us - moment->ballot_age_us;
    return status == STEME_NOT_FOUND ? STEME_OK : status;
}

static steme_status begin_reading(struct steme_snapshot *s, struct steme_error *err)
{
    struct kv_txn *txn = NULL;
    struct applied_row applied = { 0 };
    uint64_t limit = UINT64_MAX, sequence = 0;
    int64_t ballots_from = STEME_TIME_MIN;
    s->index = store_index(s->store);
    steme_status status = kv_begin(s->index->kv, KV_READ, &txn, err);
    if (!status)
        status = moment_limit(s->store->wal, txn, s->moment.as_of_sequence, s->moment.as_of_us, &limit, &sequence, err);
    if (!status) status = projection_applied_in(txn, &applied, err);
    if (status == STEME_NOT_FOUND) status = STEME_OK;
    /* The index on disk may be another process's and run ahead of the log as we saw it at opening. */
    struct wal_mark durable = wal_durable(s->store->wal);
    uint64_t last = applied.mark.location ? applied.mark.next_sequence - 1 : 0;
    if (last > durable.next_sequence - 1) last = durable.next_sequence - 1;
    if (limit > durable.location) limit = durable.location;
    s->as_of_sequence = sequence < last ? sequence : last;
    if (!status) status = begin_of_ballots(txn, &s->moment, s->as_of_sequence, &ballots_from, err);
    if (status) {
        kv_abort(&txn);
        index_release(&s->index);
        return status;
    }
    reader_init(&s->reader, s->store->wal, &txn, limit, s->moment.valid_at_us);
    s->reader.ballots_from_us = ballots_from;
    judge_init(&s->judge, &s->reader, (const uint8_t(*)[16])s->trust->ids, s->trust->count);
    return STEME_OK;
}

static void end_reading(struct steme_snapshot *s)
{
    judge_deinit(&s->judge);
    reader_deinit(&s->reader);
    index_release(&s->index);
}

steme_status steme_snapshot_open(struct steme_store *store, const struct steme_moment *moment,
                                 struct steme_snapshot **out, struct steme_error *err)
{
    struct steme_snapshot *s = calloc(1, sizeof *s);
    unsigned attempt = 0;
    if (!s) return error_set(err, STEME_NO_MEMORY, "no memory for a snapshot");
    s->store = store;
    s->moment = moment ? *moment : steme_moment_now();
    arena_init(&s->arena, ANSWER_CEILING_BYTES);
    arena_init(&s->bundle_arena, ANSWER_CEILING_BYTES);
    steme_status status = store_trust(store, &s->trust, err);
    if (!status) {
        do
            status = begin_reading(s, err);
        while (status == STEME_CORRUPT && attempt++ == 0 &&
               store_replace_index(store, NULL, "its rows fail their checks", err) == STEME_OK);
    }
    if (status) {
        trust_release(&s->trust);
        arena_deinit(&s->arena);
        free(s);
        return error_wrap(err, status, "opening a snapshot");
    }
    *out = s;
    return STEME_OK;
}

void steme_snapshot_clear(struct steme_snapshot *snapshot)
{
    struct arena_mark start = { 0 };
    arena_rewind(&snapshot->arena, start);
}

void steme_snapshot_close(struct steme_snapshot **snapshot)
{
    struct steme_snapshot *s = *snapshot;
    *snapshot = NULL;
    if (!s) return;
    if (s->index) end_reading(s);
    trust_release(&s->trust);
    arena_deinit(&s->bundle_arena);
    arena_deinit(&s->arena);
    free(s);
}

bool snapshot_renewed(struct steme_snapshot *s, steme_status status, unsigned *attempt, struct steme_error *err)
{
    if (status != STEME_CORRUPT || (*attempt)++ || !s->index) return false;
    struct steme_error why = { .message = "its rows fail their checks" };
    if (err) why = *err;
    if (store_replace_index(s->store, s->index, why.message, err)) return false;
    struct index *index = s->index;
    struct reader reader = s->reader;
    struct judge judge = s->judge;
    s->moment.as_of_sequence = s->as_of_sequence; /* the new index knows later records: they stay unknown here */
    bool renewed = begin_reading(s, err) == STEME_OK;
    if (renewed) {
        judge_deinit(&judge);
        reader_deinit(&reader);
        index_release(&index);
    } else {
        s->index = index;
        s->reader = reader;
        s->judge = judge;
    }
    return renewed;
}

/* ---- records ---- */

/* Bundles of a batch, in order: a member belongs to the last one before it, unless damage has taken that. */
static steme_status remember_bundles(struct steme_snapshot *s, uint64_t batch_location, struct steme_error *err)
{
    struct arena_mark start = { 0 };
    struct arena *arena = &s->bundle_arena;
    struct wal_entry frame;
    size_t capacity = 0;
    arena_rewind(arena, start);
    s->bundles_batch = 0;
    s->bundle_count = 0;
    s->bundles = NULL;
    s->bundles_damaged = false;
    for (uint64_t location = batch_location + BATCH_HEADER_BYTES;; location = frame.next_location) {
        steme_status status = moment_frame(s->store->wal, s->reader.txn, location, &frame, err);
        if (status && status != STEME_NOT_FOUND) return status;
        s->bundles_damaged = s->bundles_damaged || status || frame.location != location;
        if (status) break;
        if (frame.bytes.data[0] == STEME_BUNDLE) {
            if (s->bundle_count == capacity) {
                capacity = capacity ? 2 * capacity : 8;
                struct bundle_place *grown = arena_alloc(arena, capacity * sizeof *grown);
                if (!grown) return arena_full(arena, err);
                if (s->bundle_count) memcpy(grown, s->bundles, s->bundle_count * sizeof *grown);
                s->bundles = grown;
            }
            s->bundles[s->bundle_count++] = (struct bundle_place){ frame.location, frame.id };
        }
        if (frame.batch_last) break;
    }
    s->bundles_batch = batch_location;
    return STEME_OK;
}

static bool lists(struct steme_snapshot *s, const struct bundle_place *place, const struct steme_hash *member)
{
    struct wal_entry frame;
    struct bundle_view bundle;
    if (wal_read(s->store->wal, place->location, &frame, NULL) || bundle_view(frame.bytes, &bundle, NULL)) return false;
    for (size_t i = 0; i < bundle.member_count; i++)
        if (memcmp(bundle.members + i * sizeof *member, member, sizeof *member) == 0) return true;
    return false;
}

/* Zeros when damage has taken the bundle. */
static steme_status bundle_of(struct steme_snapshot *s, const struct wal_entry *frame, struct steme_hash *out,
                              struct steme_error *err)
{
    if (s->bundles_batch != frame->batch_location) {
        steme_status status = remember_bundles(s, frame->batch_location, err);
        if (status) return status;
    }
    *out = (struct steme_hash){ { 0 } };
    for (size_t i = s->bundle_count; i-- > 0;) {
        if (s->bundles[i].location > frame->location) continue;
        if (!s->bundles_damaged || lists(s, &s->bundles[i], &frame->id)) *out = s->bundles[i].id;
        return STEME_OK;
    }
    if (s->bundles_damaged) return STEME_OK;
    return error_set(err, STEME_CORRUPT, "an unsigned record stands before any bundle of its batch");
}

steme_status snapshot_entry(struct steme_snapshot *s, const struct wal_entry *frame, struct arena *arena,
                            struct steme_entry *out, struct steme_error *err)
{
    struct steme_entry entry = { .id = frame->id,
                                 .sequence = frame->sequence,
                                 .received_at_us = frame->received_at_us,
                                 .bytes = frame->bytes,
                                 .is_signed = frame->signature != NULL };
    steme_status status = record_decode(frame->bytes, arena, &entry.record, err);
    if (status) return status;
    if (frame->signature)
        entry.signature = *frame->signature;
    else
        status = bundle_of(s, frame, &entry.bundle, err);
    if (!status) *out = entry;
    return status;
}

steme_status snapshot_frame(struct steme_snapshot *s, const struct steme_hash *id, struct wal_entry *out,
                            struct steme_error *err)
{
    uint64_t location = 0;
    struct wal_entry frame;
    steme_status status = evidence_locate(&s->reader, id->bytes, NULL, &location, err);
    if (status) return status;
    status = evidence_named(&s->reader, location, id->bytes, &frame, err);
    if (status) return status;
    if (memcmp(&frame.id, id, sizeof *id) != 0) return STEME_NOT_FOUND;
    *out = frame;
    return STEME_OK;
}

/* ---- what bears on an assertion ---- */

static int compare_ballots(const void *left, const void *right)
{
    const struct steme_ballot *a = left, *b = right;
    int64_t at = a->entry.record.as.vote.cast_at_us, bt = b->entry.record.as.vote.cast_at_us;
    if (at != bt) return at < bt ? -1 : 1;
    return memcmp(&a->entry.id, &b->entry.id, sizeof a->entry.id);
}

/* Whether the voter took the ballot back by a revision. */
static steme_status taken_back(struct steme_snapshot *s, const struct steme_target *target, const struct cast *cast,
                               bool *out, struct steme_error *err)
{
    struct wal_entry *revisions = NULL;
    size_t count = 0;
    *out = false;
    steme_status status = evidence_revisions(&s->reader, target->route, cast->row.vote, &s->arena, &revisions, &count,
                                             err);
    for (size_t i = 0; !status && i < count; i++) {
        struct steme_hash author = agent_id(record_author(revisions[i].bytes));
        *out = *out || memcmp(author.bytes, cast->row.voter, 16) == 0;
    }
    return status;
}

steme_status snapshot_ballots(struct steme_snapshot *s, const struct steme_target *target, struct steme_ballot **out,
                              size_t *count_out, struct steme_error *err)
{
    struct cast *casts = NULL;
    size_t count = 0;
    steme_status status = evidence_ballots(&s->reader, target->kind, target->route, target->hash.bytes, &s->arena,
                                           &casts, &count, err);
    if (status) return status;
    struct steme_ballot *ballots = arena_calloc(&s->arena, count, sizeof *ballots);
    if (!ballots) return arena_full(&s->arena, err);
    for (size_t i = 0; i < count; i++) {
        struct wal_entry frame;
        bool retracted = false;
        status = evidence_named(&s->reader, casts[i].row.location, casts[i].row.vote, &frame, err);
        if (!status) status = snapshot_entry(s, &frame, &s->arena, &ballots[i].entry, err);
        if (!status) status = taken_back(s, target, &casts[i], &retracted, err);
        if (!status && ballots[i].entry.record.type != STEME_VOTE)
            status = error_set(err, STEME_CORRUPT, "the index calls a record a vote that is none");
        if (status) return status;
        ballots[i].counts = casts[i].latest && !retracted && casts[i].row.stance != STEME_ABSTAIN;
    }
    if (count) qsort(ballots, count, sizeof *ballots, compare_ballots);
    *out = ballots;
    *count_out = count;
    return STEME_OK;
}

static steme_status unfold_revisions(struct steme_snapshot *s, uint64_t route, struct steme_testimony *t,
                                     struct steme_error *err)
{
    struct wal_entry *frames = NULL;
    size_t count = 0;
    steme_status status = evidence_revisions(&s->reader, route, t->entry.id.bytes, &s->arena, &frames, &count, err);
    if (status) return status;
    struct steme_revised *revisions = arena_calloc(&s->arena, count, sizeof *revisions);
    if (!revisions) return arena_full(&s->arena, err);
    for (size_t i = 0; i < count; i++) {
        status = snapshot_entry(s, &frames[i], &s->arena, &revisions[i].entry, err);
        if (status) return status;
        revisions[i].effective = memcmp(record_author(frames[i].bytes), t->entry.record.as.assertion.author.bytes,
                                        32) == 0;
    }
    t->revisions = revisions;
    t->revision_count = count;
    return STEME_OK;
}

steme_status snapshot_testimony(struct steme_snapshot *s, const struct testimony *from, double weight,
                                struct steme_testimony *out, struct steme_error *err)
{
    struct steme_testimony t = {
        .standing = from->standing, .weight = weight, .claim = from->identity->claim, .voice = from->identity->voice
    };
    struct steme_ballot *ballots = NULL;
    steme_status status = snapshot_entry(s, from->entry, &s->arena, &t.entry, err);
    if (status) return status;
    struct steme_target target = { STEME_ON_ASSERTION, route_of_name(from->view->subject), t.entry.id };
    status = snapshot_ballots(s, &target, &ballots, &t.ballot_count, err);
    t.ballots = ballots;
    if (!status) status = unfold_revisions(s, target.route, &t, err);
    if (!status) *out = t;
    return status;
}

/* ---- questions ---- */

/* Canonical bytes of the key qualifiers, had from a throw-away assertion, so that only the encoder knows the format. */
static steme_status encode_qualifiers(struct steme_snapshot *s, const struct steme_question *question,
                                      struct steme_slice *out, struct steme_error *err)
{
    struct steme_record record = { .type = STEME_ASSERTION };
    struct steme_qualifier *keys = arena_alloc(&s->arena, (question->key_qualifier_count + 1) * sizeof *keys);
    struct assertion_view view;
    struct buf bytes;
    if (!keys) return arena_full(&s->arena, err);
    for (size_t i = 0; i < question->key_qualifier_count; i++) {
        keys[i] = question->key_qualifiers[i];
        keys[i].key = true;
    }
    record.as.assertion = (struct steme_assertion){ .subject = question->subject,
                                                    .predicate = question->predicate,
                                                    .object = { .kind = STEME_NONE },
                                                    .valid_from_us = STEME_TIME_MIN,
                                                    .valid_to_us = STEME_TIME_MAX,
                                                    .qualifiers = keys,
                                                    .qualifier_count = question->key_qualifier_count };
    buf_init(&bytes, STEME_RECORD_MAX);
    steme_status status = record_encode(&record, &bytes, err);
    if (!status) status = assertion_view(buf_slice(&bytes), &view, err);
    if (!status) {
        *out = arena_copy(&s->arena, view.key_qualifiers);
        if (!out->data) status = arena_full(&s->arena, err);
    }
    buf_deinit(&bytes);
    return status;
}

steme_status snapshot_slot(struct steme_snapshot *s, const struct steme_question *question, struct judge_slot *out,
                           struct steme_error *err)
{
    struct steme_slice qualifiers = { 0 };
    struct steme_hash slot;
    steme_status status = utf8_check_name(question->subject, "subject", err);
    if (!status) status = utf8_check_name(question->predicate, "predicate", err);
    if (!status && question->key_qualifier_count) status = encode_qualifiers(s, question, &qualifiers, err);
    if (status) return status;
    *out = (struct judge_slot){ .ref = judge_slot_of(question->subject, question->predicate, qualifiers, &slot),
                                .id = slot,
                                .subject = arena_copy(&s->arena, question->subject),
                                .predicate = arena_copy(&s->arena, question->predicate),
                                .epoch = question->epoch ? question->epoch->bytes : NULL };
    return out->subject.data && out->predicate.data ? STEME_OK : arena_full(&s->arena, err);
}

steme_status snapshot_judge(struct steme_snapshot *s, const struct judge_slot *slot, const struct steme_lens *lens,
                            struct arena *arena, struct steme_answer *out, struct judge_weighing *weighing,
                            struct steme_error *err)
{
    steme_status status = judge_slot(&s->judge, slot, lens, arena, out, weighing, err);
    if (!status) out->as_of_sequence = out->learned.as_of_sequence = s->as_of_sequence;
    return status;
}
