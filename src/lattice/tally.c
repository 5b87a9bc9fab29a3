/* SPDX-License-Identifier: Apache-2.0 */
#include "lattice/tally.h"

#include "base/check.h"
#include "base/codec.h"
#include "base/slice.h"
#include "model/identity.h"
#include "model/record.h"

#include <stdlib.h>
#include <xxhash.h>

enum {
    VOTER_KEY_MAX_BYTES = 42, /* target and voter in a V key */
    FIRST_VOTERS = 256,
};

/* Put a voter's latest ballot into the sums, or take it out again. */
static void count_voter(struct tally_row *sum, const struct ballot_row *latest, bool retracted, bool in)
{
    uint64_t one = in ? 1 : UINT64_MAX; /* unsigned numbers wrap: adding the greatest takes one away */
    uint64_t share = in ? latest->probability_ppm : 0 - (uint64_t)latest->probability_ppm;
    if (retracted) {
        sum->retracted += one;
    } else if (latest->stance == STEME_SUPPORT) {
        sum->support += one;
        sum->support_ppm += share;
    } else if (latest->stance == STEME_REFUTE) {
        sum->refute += one;
        sum->refute_ppm += share;
    } else {
        sum->abstain += one;
    }
}

static void see_location(uint64_t *last, uint64_t location)
{
    if (location > *last) *last = location;
}

/* ---- counting anew ---- */

struct counting {
    struct reader *reader;
    struct arena *arena;
    bool revised; /* the store has revisions: some may be of ballots */
    struct tally tally;
    struct ballot_row latest; /* of the voter being looked at */
    bool any, retracted;
};

static void settle_voter(struct counting *c)
{
    if (!c->any) return;
    if (c->latest.cast_at_us < c->reader->ballots_from_us)
        c->tally.expired++;
    else
        count_voter(&c->tally.row, &c->latest, c->retracted, true);
    c->any = false;
}

/* A voter's ballots come one behind the other, the latest last. */
static steme_status take_ballot(struct counting *c, const struct kv_pair *pair, struct steme_error *err)
{
    struct ballot_row row;
    uint64_t taken_back = 0;
    steme_status status = row_ballot(pair->key, pair->value, &row, err);
    if (status || row.location >= c->reader->limit) return status;
    if (c->revised)
        status = evidence_taken_back(c->reader, key_ballots_route(pair->key), &row, c->arena, &taken_back, err);
    if (status) return status;
    if (c->any && memcmp(c->latest.voter, row.voter, sizeof row.voter) != 0) settle_voter(c);
    c->latest = row;
    c->retracted = taken_back != 0;
    c->any = true;
    c->tally.row.ballots++;
    see_location(&c->tally.row.last_location, row.location);
    see_location(&c->tally.row.last_location, taken_back);
    return STEME_OK;
}

static steme_status begin_counting(struct counting *c, struct reader *reader, struct arena *arena,
                                   struct steme_error *err)
{
    *c = (struct counting){ .reader = reader, .arena = arena };
    return evidence_any_revision(reader, &c->revised, err);
}

steme_status tally_recount(struct reader *reader, const struct key_bytes *target, struct arena *arena,
                           struct tally *out, struct steme_error *err)
{
    struct counting counting;
    struct kv_cursor cursor = { 0 };
    struct kv_pair pair;
    steme_status status = begin_counting(&counting, reader, arena, err);
    if (status) return status;
    status = kv_seek(reader->txn, key_slice(target), key_slice(target), &cursor, &pair, err);
    while (!status) {
        status = take_ballot(&counting, &pair, err);
        if (!status) status = kv_next(&cursor, &pair, err);
    }
    kv_cursor_end(&cursor);
    if (status != STEME_NOT_FOUND) return status;
    settle_voter(&counting);
    *out = counting.tally;
    return STEME_OK;
}

steme_status tally_at(struct reader *reader, const struct key_bytes *target, struct arena *arena, struct tally *out,
                      struct steme_error *err)
{
    struct key_bytes key;
    struct steme_slice value;
    struct tally tally = { 0 };
    key_of_tally(&key, key_slice(target));
    steme_status status = kv_get(reader->txn, key_slice(&key), &value, err);
    if (!status) status = row_tally(key_slice(&key), value, &tally.row, err);
    if (status && status != STEME_NOT_FOUND) return status;
    if (!status && tally.row.last_location < reader->limit && reader->ballots_from_us == STEME_TIME_MIN) {
        *out = tally;
        return STEME_OK;
    }
    bool folded = status == STEME_OK;
    status = tally_recount(reader, target, arena, &tally, err);
    if (!status && !folded && tally.row.ballots)
        status = error_set(err, STEME_CORRUPT, "the index has ballots on a target, but no tally of them");
    if (!status) *out = tally;
    return status;
}

/* ---- all targets ---- */

static steme_status give_row(struct counting *c, const struct key_bytes *target, const struct row_sink *sink,
                             struct steme_error *err)
{
    struct key_bytes key;
    struct value_bytes value;
    settle_voter(c);
    struct tally_row row = c->tally.row;
    c->tally = (struct tally){ 0 };
    if (!row.ballots) return STEME_OK;
    key_of_tally(&key, key_slice(target));
    value_of_tally(&value, key_slice(&key), &row);
    return sink->row(sink->context, key_slice(&key), value_slice(&value), err);
}

static steme_status each_under(struct counting *c, char tag, const struct row_sink *sink, struct steme_error *err)
{
    const uint8_t under[] = { (uint8_t)tag };
    struct steme_slice prefix = slice_of(under, sizeof under);
    struct key_bytes target = { .size = 0 };
    struct kv_cursor cursor = { 0 };
    struct kv_pair pair;
    steme_status status = kv_seek(c->reader->txn, prefix, prefix, &cursor, &pair, err);
    while (!status) {
        struct ballot_row row;
        status = row_ballot(pair.key, pair.value, &row, err);
        if (status) break;
        struct steme_slice its = key_ballots_target(pair.key);
        if (target.size && !slice_equal(its, key_slice(&target))) status = give_row(c, &target, sink, err);
        memcpy(target.data, its.data, its.size);
        target.size = its.size;
        if (!status) status = take_ballot(c, &pair, err);
        if (!status) status = kv_next(&cursor, &pair, err);
    }
    kv_cursor_end(&cursor);
    if (status != STEME_NOT_FOUND) return status;
    return target.size ? give_row(c, &target, sink, err) : STEME_OK;
}

steme_status tally_each(struct reader *reader, struct arena *arena, const struct row_sink *sink,
                        struct steme_error *err)
{
    struct counting counting;
    steme_status status = begin_counting(&counting, reader, arena, err);
    if (!status) status = each_under(&counting, 'A', sink, err);
    if (!status) status = each_under(&counting, 'V', sink, err);
    return status;
}

/* ---- folding ---- */

/* A voter on a target, touched by the transaction. */
struct tally_voter {
    uint8_t key[VOTER_KEY_MAX_BYTES];
    uint8_t key_size;
    bool had, has;      /* a ballot: before the transaction, and now */
    bool had_retracted; /* the one before */
    uint64_t ballots;   /* new ones */
    uint64_t last;      /* location of the last new ballot or revision of one */
    struct ballot_row before, latest;
};

static struct steme_slice voter_key(const struct tally_voter *voter) { return slice_of(voter->key, voter->key_size); }

steme_status tally_fold_begin(struct tally_fold *fold, struct wal *wal, struct kv_txn *txn, struct arena *arena,
                              struct steme_error *err)
{
    *fold = (struct tally_fold){ .arena = arena };
    fold->reader = reader_over(wal, txn, UINT64_MAX);
    bool any = false;
    return evidence_any_revision(&fold->reader, &any, err);
}

static uint32_t *slot_of(const struct tally_fold *fold, struct steme_slice key)
{
    size_t at = (size_t)XXH3_64bits(key.data, key.size) & (fold->slot_count - 1);
    while (fold->slots[at] && !slice_equal(voter_key(&fold->voters[fold->slots[at] - 1]), key))
        at = (at + 1) & (fold->slot_count - 1);
    return &fold->slots[at];
}

/* Room for one more voter; half of the slots stay empty. What was outgrown stays in the arena till its end. */
static steme_status make_room(struct tally_fold *fold, struct steme_error *err)
{
    if (fold->count < fold->capacity) return STEME_OK;
    size_t capacity = fold->capacity ? 2 * fold->capacity : FIRST_VOTERS;
    struct tally_voter *voters = arena_alloc(fold->arena, capacity * sizeof *voters);
    uint32_t *slots = arena_calloc(fold->arena, 2 * capacity, sizeof *slots);
    if (!voters || !slots) return arena_full(fold->arena, err);
    if (fold->count) memcpy(voters, fold->voters, fold->count * sizeof *voters);
    fold->voters = voters;
    fold->capacity = capacity;
    fold->slots = slots;
    fold->slot_count = 2 * capacity;
    for (size_t i = 0; i < fold->count; i++)
        *slot_of(fold, voter_key(&voters[i])) = (uint32_t)i + 1;
    return STEME_OK;
}

static steme_status taken_back(struct tally_fold *fold, struct steme_slice key, const struct ballot_row *row,
                               uint64_t *last_out, struct steme_error *err)
{
    *last_out = 0;
    if (!fold->reader.any_revision) return STEME_OK;
    return evidence_taken_back(&fold->reader, key_ballots_route(key), row, fold->arena, last_out, err);
}

/* What counted of the voter before this transaction. */
static steme_status remember_before(struct tally_fold *fold, struct tally_voter *voter, struct steme_error *err)
{
    struct steme_slice key = voter_key(voter);
    struct kv_pair pair;
    uint64_t last = 0;
    steme_status status = kv_last(fold->reader.txn, key, slice_of(NULL, 0), &pair, err);
    if (status == STEME_NOT_FOUND) return STEME_OK;
    if (!status) status = row_ballot(pair.key, pair.value, &voter->before, err);
    if (!status) status = taken_back(fold, key, &voter->before, &last, err);
    voter->had = voter->has = true;
    voter->had_retracted = last != 0;
    voter->latest = voter->before;
    return status;
}

/* The voter, remembered from the first time on that a row of theirs is about to come. */
static steme_status touch(struct tally_fold *fold, struct steme_slice key, struct tally_voter **out,
                          struct steme_error *err)
{
    steme_status status = make_room(fold, err);
    if (status) return status;
    uint32_t *slot = slot_of(fold, key);
    if (!*slot) {
        struct tally_voter *voter = &fold->voters[fold->count];
        *voter = (struct tally_voter){ .key_size = (uint8_t)key.size };
        invariant(key.size <= sizeof voter->key);
        memcpy(voter->key, key.data, key.size);
        status = remember_before(fold, voter, err);
        if (status) return status;
        *slot = (uint32_t)++fold->count;
    }
    *out = &fold->voters[*slot - 1];
    return STEME_OK;
}

static bool is_later(const struct ballot_row *a, const struct ballot_row *b)
{
    if (a->cast_at_us != b->cast_at_us) return a->cast_at_us > b->cast_at_us;
    return memcmp(a->vote, b->vote, sizeof a->vote) > 0;
}

static steme_status fold_ballot(struct tally_fold *fold, struct steme_slice key, struct steme_slice value,
                                struct steme_error *err)
{
    struct tally_voter *voter = NULL;
    struct ballot_row row;
    uint64_t revised = 0;
    steme_status status = row_ballot(key, value, &row, err);
    if (!status) status = touch(fold, key_ballots_voter(key), &voter, err);
    if (!status) status = taken_back(fold, key, &row, &revised, err); /* a revision may have come before its vote */
    if (status) return status;
    if (!voter->has || is_later(&row, &voter->latest)) voter->latest = row;
    voter->has = true;
    voter->ballots++;
    see_location(&voter->last, row.location);
    see_location(&voter->last, revised);
    return STEME_OK;
}

/* The vote that a revision's row names, if there is one that it takes back. */
static steme_status revised_vote(struct tally_fold *fold, struct steme_slice key, uint64_t location,
                                 struct key_bytes *ballot_out, struct steme_error *err)
{
    struct key_bytes id;
    struct steme_slice value;
    enum steme_type type = STEME_ASSERTION;
    uint64_t place = 0;
    struct wal_entry vote, revision;
    struct steme_record record;
    ballot_out->size = 0;
    key_of_id(&id, key.data + 9);
    steme_status status = kv_get(fold->reader.txn, key_slice(&id), &value, err);
    if (status == STEME_NOT_FOUND) return STEME_OK;
    if (!status) status = row_id(value, &type, &place, err);
    if (status || type != STEME_VOTE) return status;
    status = evidence_named(&fold->reader, place, key.data + 9, &vote, err);
    if (!status) status = evidence_record(&fold->reader, location, &revision, err);
    struct arena_mark start = arena_mark(fold->arena);
    if (!status) status = record_decode(vote.bytes, fold->arena, &record, err);
    if (!status && record.type != STEME_VOTE)
        status = error_set(err, STEME_CORRUPT, "the index calls a record a vote that is none");
    bool own = !status && memcmp(record_author(revision.bytes), record.as.vote.voter.bytes, 32) == 0;
    if (own && record.as.vote.target.route == load_u64be(key.data + 1)) {
        struct steme_hash voter = agent_id(record.as.vote.voter.bytes);
        key_of_ballot(ballot_out, &record.as.vote.target, voter.bytes, record.as.vote.cast_at_us, vote.id.bytes);
    }
    arena_rewind(fold->arena, start);
    return status;
}

static steme_status fold_revision(struct tally_fold *fold, struct steme_slice key, struct steme_slice value,
                                  struct steme_error *err)
{
    struct tally_voter *voter = NULL;
    struct key_bytes ballot;
    uint64_t location = 0;
    steme_status status = row_location(value, &location, err);
    if (!status) status = revised_vote(fold, key, location, &ballot, err);
    if (!status && ballot.size) {
        status = touch(fold, key_ballots_voter(key_slice(&ballot)), &voter, err);
        if (!status) see_location(&voter->last, location);
    }
    fold->reader.any_revision = true;
    return status;
}

steme_status tally_fold_row(struct tally_fold *fold, struct steme_slice key, struct steme_slice value,
                            struct steme_error *err)
{
    switch (key.data[0]) {
    case 'V':
    case 'A': return fold_ballot(fold, key, value, err);
    case 'X': return fold_revision(fold, key, value, err);
    default: return STEME_OK;
    }
}

static int compare_voters(const void *left, const void *right)
{
    return slice_compare(voter_key(left), voter_key(right));
}

static steme_status exchange_voter(struct tally_fold *fold, const struct tally_voter *voter, struct tally_row *row,
                                   struct steme_error *err)
{
    uint64_t last = 0;
    steme_status status = voter->has ? taken_back(fold, voter_key(voter), &voter->latest, &last, err) : STEME_OK;
    if (status) return status;
    if (voter->had) count_voter(row, &voter->before, voter->had_retracted, false);
    if (voter->has) count_voter(row, &voter->latest, last != 0, true);
    row->ballots += voter->ballots;
    see_location(&row->last_location, voter->last);
    return STEME_OK;
}

/* Voters of one target, side by side. */
static steme_status fold_target(struct tally_fold *fold, struct steme_slice target, const struct tally_voter *voters,
                                size_t count, uint64_t *new_bytes, struct steme_error *err)
{
    struct key_bytes key;
    struct value_bytes value;
    struct steme_slice present;
    struct tally_row row = { 0 };
    key_of_tally(&key, target);
    steme_status status = kv_get(fold->reader.txn, key_slice(&key), &present, err);
    bool is_new = status == STEME_NOT_FOUND;
    if (!status) status = row_tally(key_slice(&key), present, &row, err);
    if (is_new) status = STEME_OK;
    for (size_t i = 0; !status && i < count; i++)
        status = exchange_voter(fold, &voters[i], &row, err);
    if (status) return status;
    value_of_tally(&value, key_slice(&key), &row);
    if (is_new) *new_bytes += key.size + value.size;
    return kv_put(fold->reader.txn, key_slice(&key), value_slice(&value), err);
}

static struct steme_slice target_of(const struct tally_voter *voter)
{
    return slice_of(voter->key, voter->key_size - KEYS_ID_BYTES);
}

steme_status tally_fold_end(struct tally_fold *fold, uint64_t *new_bytes_out, struct steme_error *err)
{
    steme_status status = STEME_OK;
    *new_bytes_out = 0;
    if (fold->count) qsort(fold->voters, fold->count, sizeof *fold->voters, compare_voters);
    for (size_t i = 0, end = 0; !status && i < fold->count; i = end) {
        struct steme_slice target = target_of(&fold->voters[i]);
        for (end = i + 1; end < fold->count && slice_equal(target_of(&fold->voters[end]), target);)
            end++;
        status = fold_target(fold, target, &fold->voters[i], end - i, new_bytes_out, err);
    }
    return status;
}
