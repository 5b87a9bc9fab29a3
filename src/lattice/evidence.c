/* SPDX-License-Identifier: Apache-2.0 */
#include "lattice/evidence.h"

#include "base/check.h"
#include "base/codec.h"
#include "base/id16.h"
#include "base/slice.h"
#include "lattice/mask.h"
#include "lattice/projection.h"
#include "model/record.h"

#include <stdlib.h>

enum { READER_CEILING_BYTES = 256 << 20 };

struct reader reader_over(struct wal *wal, struct kv_txn *txn, uint64_t limit)
{
    return (struct reader){
        .wal = wal, .txn = txn, .limit = limit, .valid_at_us = STEME_TIME_MAX, .ballots_from_us = STEME_TIME_MIN
    };
}

void reader_init(struct reader *reader, struct wal *wal, struct kv_txn **txn, uint64_t limit, int64_t valid_at_us)
{
    *reader = reader_over(wal, *txn, limit);
    reader->valid_at_us = valid_at_us;
    *txn = NULL;
    arena_init(&reader->arena, READER_CEILING_BYTES);
}

void reader_share(struct reader *reader, const struct reader *from, uint64_t limit)
{
    *reader = reader_over(from->wal, from->txn, limit);
    reader->valid_at_us = from->valid_at_us;
    reader->ballots_from_us = from->ballots_from_us;
    reader->shares_txn = true;
    arena_init(&reader->arena, READER_CEILING_BYTES);
}

void reader_deinit(struct reader *reader)
{
    if (!reader->shares_txn) kv_abort(&reader->txn);
    arena_deinit(&reader->arena);
    *reader = (struct reader){ 0 };
}

steme_status evidence_record(struct reader *reader, uint64_t location, struct wal_entry *out, struct steme_error *err)
{
    steme_status status = wal_read(reader->wal, location, out, err);
    return status ? error_wrap(err, STEME_CORRUPT, "a row of the index points to a record that can't be read")
                  : STEME_OK;
}

steme_status evidence_named(struct reader *reader, uint64_t location, const uint8_t id[16], struct wal_entry *out,
                            struct steme_error *err)
{
    struct wal_entry entry;
    steme_status status = evidence_record(reader, location, &entry, err);
    if (status) return status;
    if (memcmp(entry.id.bytes, id, KEYS_ID_BYTES) != 0)
        return error_set(err, STEME_CORRUPT, "a row of the index points to another record than the one it names");
    *out = entry;
    return STEME_OK;
}

steme_status evidence_later(struct reader *reader, uint64_t location, const uint8_t id[16], bool *later_out,
                            struct steme_error *err)
{
    struct wal_entry entry;
    struct applied_row applied = { 0 };
    *later_out = location >= reader->limit;
    if (!*later_out) return STEME_OK;
    if (location < wal_durable(reader->wal).location) return evidence_named(reader, location, id, &entry, err);
    /* Another process may have brought the index further than the log we see. */
    steme_status status = projection_applied_in(reader->txn, &applied, err);
    if (!status && location >= applied.mark.location)
        status = error_set(err, STEME_CORRUPT, "a row of the index points past the end of what it covers");
    return status == STEME_NOT_FOUND ? STEME_CORRUPT : status;
}

/* ---- lists that grow in an arena ---- */

/* Room for one more element of `size` bytes in a list; doubling leaves the old copies to the arena's end. */
static steme_status grow(struct arena *arena, void **list, size_t count, size_t *capacity, size_t size,
                         struct steme_error *err)
{
    if (count >= STEME_EVIDENCE_ROWS_MAX)
        return error_set(err, STEME_TOO_LARGE, "more than %u rows bear on this question", STEME_EVIDENCE_ROWS_MAX);
    return arena_grow(arena, list, count, 1, capacity, size) ? STEME_OK : arena_full(arena, err);
}

/* Whether the index has any row with this prefix. */
static steme_status any_row(struct reader *reader, const struct key_bytes *prefix, bool *out, struct steme_error *err)
{
    struct kv_cursor cursor = { 0 };
    struct kv_pair pair;
    steme_status status = kv_seek(reader->txn, key_slice(prefix), key_slice(prefix), &cursor, &pair, err);
    *out = status == STEME_OK;
    kv_cursor_end(&cursor);
    return status == STEME_NOT_FOUND ? STEME_OK : status;
}

/* ---- rows of a slot ---- */

static steme_status scan_slot(struct reader *reader, const struct slot_ref *slot, struct arena *arena,
                              struct evidence *out, struct steme_error *err)
{
    struct key_bytes prefix;
    struct kv_cursor cursor = { 0 };
    struct kv_pair pair;
    void *list = NULL;
    size_t count = 0, capacity = 0;
    key_slot_prefix(&prefix, slot);
    steme_status status = kv_seek(reader->txn, key_slice(&prefix), key_slice(&prefix), &cursor, &pair, err);
    for (; !status; status = kv_next(&cursor, &pair, err)) {
        status = grow(arena, &list, count, &capacity, sizeof(struct testimony), err);
        if (status) break;
        struct testimony *t = (struct testimony *)list + count;
        status = row_slot(pair.key, pair.value, NULL, &t->row, err);
        if (status || t->row.location >= reader->limit) break; /* rows rise with the location */
        t->standing = STEME_LIVE;
        t->entry = NULL;
        t->view = NULL;
        t->identity = NULL;
        count++;
    }
    kv_cursor_end(&cursor);
    if (status && status != STEME_NOT_FOUND) return status;
    out->testimonies = list;
    out->testimony_count = count;
    return STEME_OK;
}

static int compare_i64(int64_t a, int64_t b) { return (a > b) - (a < b); }

static int compare_testimonies(const void *left, const void *right)
{
    const struct testimony *a = left, *b = right;
    int order = id16_compare(a->row.claim, b->row.claim);
    if (!order) order = id16_compare(a->row.voice, b->row.voice);
    if (!order) order = compare_i64(a->row.at_us, b->row.at_us);
    if (!order) order = compare_i64(a->row.confidence_ppm, b->row.confidence_ppm);
    if (!order) order = compare_i64(a->row.negated, b->row.negated);
    if (!order) order = (a->row.location > b->row.location) - (a->row.location < b->row.location);
    return order;
}

/* Testimonies are large, and comparing them goes through memory: sort their places by the first bytes of the claim. */
struct place {
    uint64_t claim;
    const struct testimony *testimony;
};

static int compare_places(const void *left, const void *right)
{
    const struct place *a = left, *b = right;
    if (a->claim != b->claim) return a->claim < b->claim ? -1 : 1;
    return compare_testimonies(a->testimony, b->testimony);
}

/* Most slots have few rows, for which a library's sort costs more than the sorting. */
static void sort_places(struct place *places, size_t count)
{
    enum { FEW = 32 };
    if (count > FEW) {
        qsort(places, count, sizeof *places, compare_places);
        return;
    }
    for (size_t i = 1; i < count; i++) {
        struct place place = places[i];
        size_t at = i;
        for (; at && compare_places(&place, &places[at - 1]) < 0; at--)
            places[at] = places[at - 1];
        places[at] = place;
    }
}

static steme_status sort_testimonies(struct evidence *evidence, struct arena *arena, struct steme_error *err)
{
    size_t count = evidence->testimony_count;
    struct place *places = arena_alloc(arena, count * sizeof *places);
    struct testimony *sorted = arena_alloc(arena, count * sizeof *sorted);
    if (!places || !sorted) return arena_full(arena, err);
    for (size_t i = 0; i < count; i++)
        places[i] = (struct place){ load_u64be(evidence->testimonies[i].row.claim), &evidence->testimonies[i] };
    sort_places(places, count);
    for (size_t i = 0; i < count; i++)
        sorted[i] = *places[i].testimony;
    evidence->testimonies = sorted;
    return STEME_OK;
}

static bool valid_at(const struct slot_row *row, int64_t at_us)
{
    return at_us == STEME_TIME_MAX || (row->valid_from_us <= at_us && at_us < row->valid_to_us);
}

/* ---- records behind rows ---- */

/* Whether a row says what its record says. */
static bool agrees(const struct slot_ref *slot, const struct slot_row *row, const struct assertion_view *view,
                   const struct identity *identity)
{
    return memcmp(identity->slot.bytes, slot->slot, sizeof slot->slot) == 0 &&
           memcmp(identity->claim.bytes, row->claim, sizeof row->claim) == 0 &&
           memcmp(identity->voice.bytes, row->voice, sizeof row->voice) == 0 && view->negated == row->negated &&
           view->confidence_ppm == row->confidence_ppm;
}

/* Records to read: each with its row, and the slot the row is of. */
struct wanted {
    struct testimony *testimony;
    const struct slot_ref *slot;
};

/* Hold testimonies against the records they point to, identities hashed side by side. */
static steme_status hold_against_records(const struct wanted *wanted, const struct wal_entry *entries, size_t count,
                                         struct arena *arena, struct steme_error *err)
{
    struct assertion_view *views = arena_alloc(arena, count * sizeof *views);
    struct identity *identities = arena_alloc(arena, count * sizeof *identities);
    if (!views || !identities) return arena_full(arena, err);
    steme_status status = STEME_OK;
    for (size_t i = 0; !status && i < count; i++)
        if (assertion_view_trusted(entries[i].bytes, &views[i], err))
            status = error_wrap(err, STEME_CORRUPT, "the index calls a record an assertion that is none");
    if (!status) status = identity_claims(views, count, identities, arena, err);
    for (size_t i = 0; !status && i < count; i++) {
        struct testimony *t = wanted[i].testimony;
        if (!agrees(wanted[i].slot, &t->row, &views[i], &identities[i]))
            return error_set(err, STEME_CORRUPT, "an index row does not agree with the record it points to");
        t->entry = &entries[i];
        t->view = &views[i];
        t->identity = &identities[i];
    }
    return status;
}

/* slots: of testimonies[i] at slots[i * step]. */
static steme_status read_records(struct reader *reader, const struct slot_ref *slots, size_t step,
                                 struct testimony **testimonies, size_t count, struct arena *arena,
                                 struct steme_error *err)
{
    uint64_t *locations = arena_alloc(arena, count * sizeof *locations);
    struct wal_entry *entries = arena_alloc(arena, count * sizeof *entries);
    steme_status *statuses = arena_alloc(arena, count * sizeof *statuses);
    struct wanted *wanted = arena_alloc(arena, count * sizeof *wanted);
    if (!locations || !entries || !statuses || !wanted) return arena_full(arena, err);
    size_t wanted_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (testimonies[i]->entry) continue;
        locations[wanted_count] = testimonies[i]->row.location;
        wanted[wanted_count++] = (struct wanted){ testimonies[i], &slots[i * step] };
    }
    wal_read_many(reader->wal, locations, wanted_count, entries, statuses);
    for (size_t i = 0; i < wanted_count; i++)
        if (statuses[i])
            return error_set(err, STEME_CORRUPT, "the index points to location %llx, where no sound record lies",
                             (unsigned long long)locations[i]);
    return wanted_count ? hold_against_records(wanted, entries, wanted_count, arena, err) : STEME_OK;
}

steme_status evidence_read(struct reader *reader, const struct slot_ref *slot, struct testimony **testimonies,
                           size_t count, struct arena *arena, struct steme_error *err)
{
    return read_records(reader, slot, 0, testimonies, count, arena, err);
}

steme_status evidence_read_across(struct reader *reader, const struct slot_ref *slots, struct testimony **testimonies,
                                  size_t count, struct arena *arena, struct steme_error *err)
{
    return read_records(reader, slots, 1, testimonies, count, arena, err);
}

steme_status evidence_read_all(struct reader *reader, const struct slot_ref *slot, const struct evidence *evidence,
                               struct arena *arena, struct steme_error *err)
{
    struct testimony **all = arena_alloc(arena, evidence->testimony_count * sizeof(struct testimony *));
    if (!all) return arena_full(arena, err);
    for (size_t i = 0; i < evidence->testimony_count; i++)
        all[i] = &evidence->testimonies[i];
    return evidence_read(reader, slot, all, evidence->testimony_count, arena, err);
}

/* ---- revisions ---- */

steme_status evidence_revisions(struct reader *reader, uint64_t route, const uint8_t target[16], struct arena *arena,
                                struct wal_entry **out, size_t *count_out, struct steme_error *err)
{
    struct key_bytes prefix;
    struct kv_cursor cursor = { 0 };
    struct kv_pair pair;
    void *list = NULL;
    size_t count = 0, capacity = 0;
    key_revision_prefix(&prefix, route, target);
    steme_status status = kv_seek(reader->txn, key_slice(&prefix), key_slice(&prefix), &cursor, &pair, err);
    for (; !status; status = kv_next(&cursor, &pair, err)) {
        uint64_t location = 0;
        struct wal_entry entry;
        bool later = false;
        status = row_location(pair.value, &location, err);
        if (!status) status = evidence_later(reader, location, key_last_id(pair.key), &later, err);
        if (!status && later) continue;
        if (!status) status = evidence_named(reader, location, key_last_id(pair.key), &entry, err);
        if (!status) status = grow(arena, &list, count, &capacity, sizeof entry, err);
        if (status) break;
        ((struct wal_entry *)list)[count++] = entry;
    }
    kv_cursor_end(&cursor);
    if (status != STEME_NOT_FOUND) return status;
    *out = list;
    *count_out = count;
    return STEME_OK;
}

/* What a revision by `author` makes of that author's record. */
static steme_status standing_after(const struct wal_entry *revision, const uint8_t author[32],
                                   enum steme_standing *standing, struct arena *arena, struct steme_error *err)
{
    if (memcmp(record_author(revision->bytes), author, 32) != 0) return STEME_OK; /* a proposal */
    struct arena_mark start = arena_mark(arena);
    struct steme_record record;
    steme_status status = record_decode(revision->bytes, arena, &record, err);
    if (!status && record.type == STEME_REVISION && *standing != STEME_RETRACTED)
        *standing = record.as.revision.kind == STEME_RETRACT ? STEME_RETRACTED : STEME_SUPERSEDED;
    arena_rewind(arena, start);
    return status;
}

static steme_status apply_revisions(struct reader *reader, uint64_t route, struct testimony *t, struct arena *arena,
                                    struct steme_error *err)
{
    struct wal_entry *revisions = NULL;
    size_t count = 0;
    struct arena_mark start = arena_mark(arena);
    steme_status status = evidence_revisions(reader, route, t->entry->id.bytes, arena, &revisions, &count, err);
    for (size_t i = 0; !status && i < count; i++)
        status = standing_after(&revisions[i], record_author(t->entry->bytes), &t->standing, arena, err);
    arena_rewind(arena, start);
    return status;
}

/* ---- ballots ---- */

static bool later(const struct ballot_row *a, const struct ballot_row *b)
{
    if (a->cast_at_us != b->cast_at_us) return a->cast_at_us > b->cast_at_us;
    return memcmp(a->vote, b->vote, sizeof a->vote) > 0;
}

/* Rows come sorted by voter: mark the latest of each run. */
static void mark_latest(struct cast *casts, size_t count)
{
    for (size_t i = 0, best = 0; i < count; i++) {
        bool same_voter = i && memcmp(casts[i].row.voter, casts[best].row.voter, 16) == 0;
        if (!same_voter || later(&casts[i].row, &casts[best].row)) {
            if (same_voter) casts[best].latest = false;
            casts[i].latest = true;
            best = i;
        }
    }
}

steme_status evidence_ballots(struct reader *reader, enum steme_target_kind kind, uint64_t route,
                              const uint8_t target[16], struct arena *arena, struct cast **out, size_t *count_out,
                              struct steme_error *err)
{
    struct key_bytes prefix;
    struct kv_cursor cursor = { 0 };
    struct kv_pair pair;
    void *list = NULL;
    size_t count = 0, capacity = 0;
    key_ballot_prefix(&prefix, kind, route, target);
    steme_status status = kv_seek(reader->txn, key_slice(&prefix), key_slice(&prefix), &cursor, &pair, err);
    for (; !status; status = kv_next(&cursor, &pair, err)) {
        struct cast cast = { .latest = false };
        status = row_ballot(pair.key, pair.value, &cast.row, err);
        if (!status && cast.row.location >= reader->limit) continue;
        if (!status && reader->mask && mask_has_agent(reader->mask, cast.row.voter)) continue;
        if (!status) status = grow(arena, &list, count, &capacity, sizeof cast, err);
        if (status) break;
        ((struct cast *)list)[count++] = cast;
    }
    kv_cursor_end(&cursor);
    if (status != STEME_NOT_FOUND) return status;
    mark_latest(list, count);
    for (size_t i = 0; i < count; i++)
        if (((struct cast *)list)[i].row.cast_at_us < reader->ballots_from_us) ((struct cast *)list)[i].latest = false;
    *out = list;
    *count_out = count;
    return STEME_OK;
}

steme_status evidence_taken_back(struct reader *reader, uint64_t route, const struct ballot_row *row,
                                 struct arena *arena, uint64_t *last_out, struct steme_error *err)
{
    struct wal_entry *revisions = NULL;
    size_t count = 0;
    struct arena_mark start = arena_mark(arena);
    steme_status status = evidence_revisions(reader, route, row->vote, arena, &revisions, &count, err);
    *last_out = 0;
    for (size_t i = 0; !status && i < count; i++) {
        struct steme_hash author = agent_id(record_author(revisions[i].bytes));
        bool own = memcmp(author.bytes, row->voter, sizeof row->voter) == 0;
        if (own && revisions[i].location > *last_out) *last_out = revisions[i].location;
    }
    arena_rewind(arena, start);
    return status;
}

/* A voter may retract a ballot by a revision; then nothing of that voter counts on the target. */
static steme_status ballot_retracted(struct reader *reader, uint64_t route, const struct ballot_row *row,
                                     struct arena *arena, bool *out, struct steme_error *err)
{
    uint64_t last = 0;
    steme_status status = evidence_taken_back(reader, route, row, arena, &last, err);
    *out = last != 0;
    return status;
}

static steme_status add_endorsement(struct reader *reader, const uint8_t target[16], const struct ballot_row *row,
                                    struct arena *arena, void **list, size_t *count, size_t *capacity,
                                    struct steme_error *err)
{
    bool retracted = false;
    if (row->stance == STEME_ABSTAIN || row->cast_at_us < reader->ballots_from_us) return STEME_OK;
    steme_status status = ballot_retracted(reader, load_u64be(target), row, arena, &retracted, err);
    if (status || retracted) return status;
    struct endorsement_row edge = { .probability_ppm = row->stance == STEME_SUPPORT ? row->probability_ppm : 0 };
    memcpy(edge.from, row->voter, sizeof edge.from);
    memcpy(edge.to, target, sizeof edge.to);
    status = grow(arena, list, *count, capacity, sizeof edge, err);
    if (!status) ((struct endorsement_row *)*list)[(*count)++] = edge;
    return status;
}

/* A rows sort by kind, target, voter: a voter's ballots on one target stand together, and the latest of them counts. */
static steme_status endorsements_of_kind(struct reader *reader, enum steme_target_kind kind, struct arena *arena,
                                         void **list, size_t *count, size_t *capacity, struct steme_error *err)
{
    uint8_t prefix[2] = { 'A', (uint8_t)kind }, target[16] = { 0 };
    struct kv_cursor cursor = { 0 };
    struct kv_pair pair;
    struct ballot_row best = { 0 };
    bool any = false;
    struct steme_slice under = slice_of(prefix, sizeof prefix);
    steme_status status = kv_seek(reader->txn, under, under, &cursor, &pair, err);
    for (; !status; status = kv_next(&cursor, &pair, err)) {
        struct ballot_row row;
        status = row_ballot(pair.key, pair.value, &row, err);
        if (status) break;
        if (row.location >= reader->limit) continue;
        if (reader->mask && mask_has_endorsement(reader->mask, kind, pair.key.data + 2, row.voter)) continue;
        bool same = any && memcmp(pair.key.data + 2, target, 16) == 0 && memcmp(row.voter, best.voter, 16) == 0;
        if (any && !same) status = add_endorsement(reader, target, &best, arena, list, count, capacity, err);
        if (status) break;
        if (!same || later(&row, &best)) best = row;
        memcpy(target, pair.key.data + 2, sizeof target);
        any = true;
    }
    kv_cursor_end(&cursor);
    if (status != STEME_NOT_FOUND) return status;
    return any ? add_endorsement(reader, target, &best, arena, list, count, capacity, err) : STEME_OK;
}

steme_status evidence_endorsements(struct reader *reader, struct arena *arena, struct endorsement_row **out,
                                   size_t *count_out, struct steme_error *err)
{
    void *list = NULL;
    size_t count = 0, capacity = 0;
    steme_status status = endorsements_of_kind(reader, STEME_ON_AGENT, arena, &list, &count, &capacity, err);
    if (!status) status = endorsements_of_kind(reader, STEME_ON_SOURCE, arena, &list, &count, &capacity, err);
    if (status) return status;
    *out = list;
    *count_out = count;
    return STEME_OK;
}

struct ballot_list {
    void *items;
    size_t count, capacity;
    bool revised; /* the route has revisions to look at */
};

static steme_status add_ballots(struct reader *reader, enum steme_target_kind kind, uint64_t route,
                                const uint8_t target[16], const uint8_t claim[16], bool negated,
                                struct ballot_list *list, struct arena *arena, struct steme_error *err)
{
    struct cast *casts = NULL;
    size_t count = 0;
    steme_status status = evidence_ballots(reader, kind, route, target, arena, &casts, &count, err);
    for (size_t i = 0; !status && i < count; i++) {
        bool retracted = false;
        if (!casts[i].latest || casts[i].row.stance == STEME_ABSTAIN) continue;
        if (list->revised) status = ballot_retracted(reader, route, &casts[i].row, arena, &retracted, err);
        if (status || retracted) continue;
        struct claim_ballot ballot = { .support = (casts[i].row.stance == STEME_SUPPORT) != negated,
                                       .row = casts[i].row };
        memcpy(ballot.claim, claim, sizeof ballot.claim);
        status = grow(arena, &list->items, list->count, &list->capacity, sizeof ballot, err);
        if (!status) ((struct claim_ballot *)list->items)[list->count++] = ballot;
    }
    return status;
}

static int compare_ballots(const void *left, const void *right)
{
    const struct claim_ballot *a = left, *b = right;
    int order = memcmp(a->claim, b->claim, sizeof a->claim);
    if (!order) order = memcmp(a->row.voter, b->row.voter, sizeof a->row.voter);
    return order ? order : memcmp(a->row.vote, b->row.vote, sizeof a->row.vote);
}

static steme_status gather_ballots(struct reader *reader, uint64_t route, bool revised, struct evidence *evidence,
                                   struct arena *arena, struct steme_error *err)
{
    struct ballot_list list = { .revised = revised };
    steme_status status = STEME_OK;
    for (size_t i = 0; !status && i < evidence->testimony_count; i++) {
        const struct testimony *t = &evidence->testimonies[i];
        bool new_claim = i == 0 || memcmp(t->row.claim, t[-1].row.claim, sizeof t->row.claim) != 0;
        if (new_claim)
            status = add_ballots(reader, STEME_ON_CLAIM, route, t->row.claim, t->row.claim, false, &list, arena, err);
        /* A vote on an assertion goes with it: when it is not live, neither is the vote. */
        if (!status && t->standing == STEME_LIVE)
            status = add_ballots(reader, STEME_ON_ASSERTION, route, t->entry->id.bytes, t->row.claim, t->row.negated,
                                 &list, arena, err);
    }
    if (status) return status;
    if (list.count) qsort(list.items, list.count, sizeof(struct claim_ballot), compare_ballots);
    evidence->ballots = list.items;
    evidence->ballot_count = list.count;
    return STEME_OK;
}

/* ---- epochs ---- */

/* An epoch takes the place of those it names if they are by the same author; of others it is a proposal. */
static steme_status add_superseded(struct reader *reader, const struct steme_epoch *epoch, void **list, size_t *count,
                                   size_t *capacity, struct steme_error *err)
{
    for (size_t i = 0; i < epoch->supersedes_count; i++) {
        uint64_t location = 0;
        struct wal_entry old;
        enum steme_type type = STEME_EPOCH;
        steme_status status = evidence_locate(reader, epoch->supersedes[i].bytes, &type, &location, err);
        if (status == STEME_NOT_FOUND || (!status && type != STEME_EPOCH)) continue;
        if (!status) status = evidence_named(reader, location, epoch->supersedes[i].bytes, &old, err);
        if (status) return status;
        if (memcmp(record_author(old.bytes), epoch->author.bytes, 32) != 0) continue;
        status = grow(&reader->arena, list, *count, capacity, KEYS_ID_BYTES, err);
        if (status) return status;
        memcpy((uint8_t *)*list + KEYS_ID_BYTES * (*count)++, epoch->supersedes[i].bytes, KEYS_ID_BYTES);
    }
    return STEME_OK;
}

static steme_status load_epochs(struct reader *reader, struct steme_error *err)
{
    static const uint8_t tag[] = { 'E' };
    struct kv_cursor cursor = { 0 };
    struct kv_pair pair;
    void *list = NULL;
    size_t count = 0, capacity = 0;
    struct steme_slice prefix = slice_of(tag, sizeof tag);
    steme_status status = kv_seek(reader->txn, prefix, prefix, &cursor, &pair, err);
    for (; !status; status = kv_next(&cursor, &pair, err)) {
        uint64_t location = 0;
        struct wal_entry entry;
        struct steme_record record;
        bool later = false;
        status = row_location(pair.value, &location, err);
        if (!status) status = evidence_later(reader, location, key_last_id(pair.key), &later, err);
        if (!status && later) continue;
        if (!status) status = evidence_named(reader, location, key_last_id(pair.key), &entry, err);
        if (!status && reader->mask && mask_has_epoch(reader->mask, &entry)) continue;
        if (!status) status = record_decode(entry.bytes, &reader->arena, &record, err);
        if (!status && record.type != STEME_EPOCH)
            status = error_set(err, STEME_CORRUPT, "the index calls a record an epoch that is none");
        if (!status) status = add_superseded(reader, &record.as.epoch, &list, &count, &capacity, err);
        if (status) break;
    }
    kv_cursor_end(&cursor);
    if (status != STEME_NOT_FOUND) return status;
    reader->superseded_epochs = list;
    reader->superseded_count = id16_sort(list, count);
    reader->epochs_known = true;
    return STEME_OK;
}

static steme_status other_epoch(struct reader *reader, const struct slot_row *row, const uint8_t *epoch, bool *out,
                                struct steme_error *err)
{
    *out = false;
    if (!row->has_epoch) return STEME_OK;
    if (epoch) {
        *out = memcmp(row->epoch, epoch, sizeof row->epoch) != 0;
        return STEME_OK;
    }
    steme_status status = reader->epochs_known ? STEME_OK : load_epochs(reader, err);
    if (status) return status;
    size_t count = reader->superseded_count;
    *out = id16_find(reader->superseded_epochs, count, row->epoch) < count;
    return STEME_OK;
}

/* ---- the whole ---- */

static steme_status judge_standing(struct reader *reader, uint64_t route, bool revised, const uint8_t *epoch,
                                   struct testimony *t, struct arena *arena, struct steme_error *err)
{
    bool other = false;
    if (reader->mask && mask_has_assertion(reader->mask, t->row.location)) {
        t->standing = STEME_MASKED;
        return STEME_OK;
    }
    steme_status status = revised ? apply_revisions(reader, route, t, arena, err) : STEME_OK;
    if (!status && t->standing == STEME_LIVE && !valid_at(&t->row, reader->valid_at_us)) t->standing = STEME_NOT_VALID;
    if (!status) status = other_epoch(reader, &t->row, epoch, &other, err);
    if (!status && other && t->standing == STEME_LIVE) t->standing = STEME_OTHER_EPOCH;
    return status;
}

/* Whether the store has any revision and any vote on an assertion or claim at all: many have none. */
static steme_status know_kinds(struct reader *reader, struct steme_error *err)
{
    const struct key_bytes revisions = { { 'X' }, 1 }, votes = { { 'V' }, 1 };
    if (reader->kinds_known) return STEME_OK;
    steme_status status = any_row(reader, &revisions, &reader->any_revision, err);
    if (!status) status = any_row(reader, &votes, &reader->any_vote, err);
    reader->kinds_known = status == STEME_OK;
    return status;
}

steme_status evidence_any_revision(struct reader *reader, bool *out, struct steme_error *err)
{
    steme_status status = know_kinds(reader, err);
    *out = reader->any_revision;
    return status;
}

/* Whether anybody ever revised or voted on anything about this subject. */
static steme_status look_for_reactions(struct reader *reader, uint64_t route, bool *revised, bool *voted,
                                       struct steme_error *err)
{
    struct key_bytes revisions, votes;
    key_route_prefix(&revisions, 'X', route);
    key_route_prefix(&votes, 'V', route);
    steme_status status = know_kinds(reader, err);
    if (!status && reader->any_revision) status = any_row(reader, &revisions, revised, err);
    if (!status && reader->any_vote) status = any_row(reader, &votes, voted, err);
    return status;
}

steme_status evidence_weigh(struct reader *reader, const struct slot_ref *slot, const uint8_t *epoch,
                            struct arena *arena, struct evidence *found, struct steme_error *err)
{
    bool revised = false, voted = false;
    steme_status status = STEME_OK;
    if (found->testimony_count) status = look_for_reactions(reader, slot->route, &revised, &voted, err);
    if (!status && (revised || voted)) status = evidence_read_all(reader, slot, found, arena, err);
    for (size_t i = 0; !status && i < found->testimony_count; i++)
        status = judge_standing(reader, slot->route, revised, epoch, &found->testimonies[i], arena, err);
    if (!status && found->testimony_count > 1) status = sort_testimonies(found, arena, err);
    if (!status && voted) status = gather_ballots(reader, slot->route, revised, found, arena, err);
    return status;
}

steme_status evidence_gather(struct reader *reader, const struct slot_ref *slot, const uint8_t *epoch,
                             struct arena *arena, struct evidence *out, struct steme_error *err)
{
    struct evidence found = { 0 };
    steme_status status = scan_slot(reader, slot, arena, &found, err);
    if (!status) status = evidence_weigh(reader, slot, epoch, arena, &found, err);
    if (!status) *out = found;
    return status;
}

steme_status evidence_of_record(struct reader *reader, const struct wal_entry *entry, struct arena *arena,
                                struct testimony *out, struct steme_error *err)
{
    struct assertion_view view;
    struct identity identity;
    struct slot_ref slot = { 0 };
    struct key_bytes key;
    struct steme_slice value;
    struct testimony t = { .standing = STEME_LIVE }, *one = &t;
    bool revised = false, voted = false;
    steme_status status = assertion_view_trusted(entry->bytes, &view, err);
    if (!status) status = identity_many(&view, 1, &identity, arena, err);
    if (status) return status;
    slot = (struct slot_ref){ .route = identity.route, .predicate = identity.predicate };
    memcpy(slot.slot, identity.slot.bytes, sizeof slot.slot);
    key_of_slot_row(&key, &slot, entry->location);
    status = kv_get(reader->txn, key_slice(&key), &value, err);
    if (status == STEME_NOT_FOUND)
        return error_set(err, STEME_CORRUPT, "the index knows the record, but not its slot row");
    if (!status) status = row_slot(key_slice(&key), value, NULL, &t.row, err);
    if (!status) status = evidence_read(reader, &slot, &one, 1, arena, err);
    if (!status) status = look_for_reactions(reader, slot.route, &revised, &voted, err);
    if (!status) status = judge_standing(reader, slot.route, revised, NULL, &t, arena, err);
    if (!status) *out = t;
    return status;
}

bool evidence_step_slot(struct slot_ref *slot)
{
    for (size_t i = sizeof slot->slot; i-- > 0;)
        if (++slot->slot[i]) return true;
    if (++slot->predicate) return true;
    return ++slot->route != 0;
}

steme_status evidence_next_slot(struct reader *reader, struct slot_ref *slot, bool only_route, struct steme_error *err)
{
    static const uint8_t tag[] = { 'S' };
    struct key_bytes from, route;
    struct kv_cursor cursor = { 0 };
    struct kv_pair pair;
    struct slot_row row;
    key_slot_prefix(&from, slot);
    key_route_prefix(&route, 'S', slot->route);
    struct steme_slice prefix = only_route ? key_slice(&route) : slice_of(tag, sizeof tag);
    steme_status status = kv_seek(reader->txn, prefix, key_slice(&from), &cursor, &pair, err);
    if (!status) status = row_slot(pair.key, pair.value, slot, &row, err);
    kv_cursor_end(&cursor);
    return status;
}

steme_status evidence_locate(struct reader *reader, const uint8_t id[16], enum steme_type *type_out,
                             uint64_t *location_out, struct steme_error *err)
{
    struct key_bytes key;
    struct steme_slice value;
    uint64_t location = 0;
    key_of_id(&key, id);
    steme_status status = kv_get(reader->txn, key_slice(&key), &value, err);
    bool later = false;
    if (!status) status = row_id(value, type_out, &location, err);
    if (!status) status = evidence_later(reader, location, id, &later, err);
    if (status) return status;
    if (later) return STEME_NOT_FOUND;
    *location_out = location;
    return STEME_OK;
}
