/* SPDX-License-Identifier: Apache-2.0 */
/* Tallies equal a recount, whatever the order. A set of votes and revisions is written to a log once; then its rows are
 * folded in many orders, cut into steps of any size: each order gives the same tallies byte for byte, and they are what
 * a recount in the plainest way says, now and as of every moment. All orders of a small set, and 10,000 drawn ones.
 * SEED=n repeats one set. */
#include "base/check.h"
#include "base/slice.h"
#include "lattice/tally.h"
#include "lib/indexer.h"
#include "lib/testing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SETS = 200, ORDERS = 50, RECORDS_MAX = 24, TARGETS = 4, TALLIES_BYTES_MAX = 1 << 16 };

static struct steme_error failure;

#define OK(call) assert_status((call), STEME_OK, &failure, #call)

/* A set of records, kept as they were told. */
struct set {
    struct logbook log;
    struct pile pile;
    struct steme_record records[RECORDS_MAX]; /* targets of revisions point into targets */
    struct steme_target targets[RECORDS_MAX];
    unsigned agents[RECORDS_MAX];
    struct wal_entry entries[RECORDS_MAX];
    struct projected *projected;
    struct arena arena;
    size_t count;
};

static struct set *new_set(void)
{
    struct set *set = calloc(1, sizeof *set);
    assert_non_null(set);
    pile_init(&set->pile);
    logbook_init(&set->log);
    arena_init(&set->arena, 16 << 20);
    return set;
}

static void free_set(struct set *set)
{
    arena_deinit(&set->arena);
    logbook_deinit(&set->log);
    pile_deinit(&set->pile);
    free(set);
}

static size_t tell(struct set *set, unsigned agent, struct steme_record record)
{
    size_t at = set->count++;
    assert_true(at < RECORDS_MAX);
    (void)pile_add(&set->pile, agent, record);
    set->records[at] = record;
    set->agents[at] = agent;
    return at;
}

static size_t cast_vote(struct set *set, unsigned agent, struct steme_target target, enum steme_stance stance,
                        int64_t offset, uint32_t ppm)
{
    struct steme_record vote = pile_vote(target, stance);
    vote.as.vote.cast_at_us += offset;
    vote.as.vote.probability_ppm = ppm;
    return tell(set, agent, vote);
}

/* By the agent, of the record at that place, which need not be written before. */
static void revise(struct set *set, unsigned agent, size_t of, uint64_t route)
{
    size_t at = set->count;
    assert_true(at < RECORDS_MAX);
    set->targets[at] = (struct steme_target){ STEME_ON_VOTE, route, set->pile.ids[of] };
    struct steme_record revision = pile_revision(STEME_RETRACT, &set->targets[at], 1, NULL);
    revision.as.revision.revised_at_us += (int64_t)at; /* no two alike */
    (void)tell(set, agent, revision);
}

static void write_set(struct set *set)
{
    struct wal_place places[RECORDS_MAX];
    logbook_write(&set->log, &set->pile, 0, set->pile.group_count, places);
    for (size_t i = 0; i < set->count; i++)
        OK(wal_read(set->log.wal, places[i].location, &set->entries[i], &failure));
    OK(projection_prepare(set->entries, set->count, &set->arena, &set->projected, &failure));
}

/* ---- the plainest way ---- */

static bool same_place(const struct steme_target *a, const struct steme_target *b)
{
    return a->kind == b->kind && a->route == b->route && memcmp(a->hash.bytes, b->hash.bytes, 16) == 0;
}

static bool votes_on(const struct set *set, size_t i, uint64_t limit, const struct steme_target *target)
{
    return set->records[i].type == STEME_VOTE && set->entries[i].location < limit &&
           same_place(&set->records[i].as.vote.target, target);
}

static bool is_latest(const struct set *set, size_t i, uint64_t limit)
{
    const struct steme_vote *mine = &set->records[i].as.vote;
    for (size_t k = 0; k < set->count; k++) {
        const struct steme_vote *other = &set->records[k].as.vote;
        if (k == i || set->agents[k] != set->agents[i] || !votes_on(set, k, limit, &mine->target)) continue;
        if (other->cast_at_us > mine->cast_at_us) return false;
        if (other->cast_at_us == mine->cast_at_us && memcmp(set->entries[k].id.bytes, set->entries[i].id.bytes, 32) > 0)
            return false;
    }
    return true;
}

/* Location of the last revision by which its voter took the vote back. */
static uint64_t taken_back(const struct set *set, size_t vote, uint64_t limit)
{
    uint64_t last = 0;
    for (size_t k = 0; k < set->count; k++) {
        if (set->records[k].type != STEME_REVISION || set->entries[k].location >= limit) continue;
        if (set->agents[k] != set->agents[vote]) continue;
        if (set->targets[k].route != set->records[vote].as.vote.target.route) continue;
        if (memcmp(set->targets[k].hash.bytes, set->entries[vote].id.bytes, 32) != 0) continue;
        if (set->entries[k].location > last) last = set->entries[k].location;
    }
    return last;
}

static struct tally recount(const struct set *set, const struct steme_target *target, uint64_t limit, int64_t from_us)
{
    struct tally tally = { 0 };
    struct tally_row *sum = &tally.row;
    for (size_t i = 0; i < set->count; i++) {
        if (!votes_on(set, i, limit, target)) continue;
        const struct steme_vote *vote = &set->records[i].as.vote;
        uint64_t back = taken_back(set, i, limit);
        bool turned = target->kind == STEME_ON_CLAIM && (vote->target.hash.bytes[31] & 1u);
        sum->ballots++;
        if (set->entries[i].location > sum->last_location) sum->last_location = set->entries[i].location;
        if (back > sum->last_location) sum->last_location = back;
        if (!is_latest(set, i, limit)) continue;
        if (vote->cast_at_us < from_us) {
            tally.expired++;
        } else if (back) {
            sum->retracted++;
        } else if (vote->stance == STEME_ABSTAIN) {
            sum->abstain++;
        } else if ((vote->stance == STEME_SUPPORT) != turned) {
            sum->support++;
            sum->support_ppm += vote->probability_ppm;
        } else {
            sum->refute++;
            sum->refute_ppm += vote->probability_ppm;
        }
    }
    return tally;
}

/* ---- folding in an order ---- */

struct putting {
    struct kv_txn *txn;
    struct tally_fold fold;
};

static steme_status put_row(void *context, struct steme_slice key, struct steme_slice value, struct steme_error *err)
{
    struct putting *putting = context;
    steme_status status = tally_fold_row(&putting->fold, key, value, err);
    return status ? status : kv_put(putting->txn, key, value, err);
}

static void put_record(struct set *set, struct putting *putting, size_t i)
{
    struct row_sink sink = { putting, put_row };
    struct key_bytes key;
    struct value_bytes value;
    projection_id_row(&set->entries[i], &set->projected[i], &key, &value);
    OK(kv_put(putting->txn, key_slice(&key), value_slice(&value), &failure));
    OK(projection_rows(&set->entries[i], &set->projected[i], &sink, &set->arena, &failure));
}

/* Fold order[0..count), a step at a time; step 0: of random sizes. */
static struct kv *fold_in(struct set *set, const size_t *order, size_t step, struct prng *prng)
{
    struct kv *kv = indexer_empty();
    struct arena arena;
    arena_init(&arena, 16 << 20);
    for (size_t at = 0; at < set->count;) {
        size_t size = step ? step : 1 + prng_below(prng, set->count);
        struct putting putting = { NULL, { .count = 0 } };
        uint64_t new_bytes = 0;
        OK(kv_begin(kv, KV_WRITE, &putting.txn, &failure));
        OK(tally_fold_begin(&putting.fold, set->log.wal, putting.txn, &arena, &failure));
        for (size_t end = at + size; at < end && at < set->count; at++)
            put_record(set, &putting, order[at]);
        OK(tally_fold_end(&putting.fold, &new_bytes, &failure));
        OK(kv_commit(&putting.txn, &failure));
        arena_rewind(&arena, (struct arena_mark){ 0 });
    }
    arena_deinit(&arena);
    return kv;
}

/* Every Y row, one behind the other. */
static void tallies_of(struct kv *kv, struct buf *out)
{
    static const uint8_t tag[] = { 'Y' };
    struct steme_slice prefix = slice_of(tag, sizeof tag);
    struct kv_txn *txn = NULL;
    struct kv_cursor cursor = { 0 };
    struct kv_pair pair;
    buf_clear(out);
    OK(kv_begin(kv, KV_READ, &txn, &failure));
    for (steme_status status = kv_seek(txn, prefix, prefix, &cursor, &pair, &failure); !status;
         status = kv_next(&cursor, &pair, &failure)) {
        buf_append_slice(out, pair.key);
        buf_append_slice(out, pair.value);
    }
    kv_cursor_end(&cursor);
    kv_abort(&txn);
}

static void assert_tally(const struct tally *got, const struct tally *want, const char *name)
{
    assert_row(got->row.support == want->row.support && got->row.support_ppm == want->row.support_ppm, name);
    assert_row(got->row.refute == want->row.refute && got->row.refute_ppm == want->row.refute_ppm, name);
    assert_row(got->row.abstain == want->row.abstain && got->row.retracted == want->row.retracted, name);
    assert_row(got->row.ballots == want->row.ballots && got->expired == want->expired, name);
    assert_row(got->row.last_location == want->row.last_location, name);
}

/* As of every moment and of every age, by way of the row where it serves, and by a count in any case. */
static void check_moments(struct set *set, struct kv *kv, const struct steme_target *targets, size_t target_count,
                          const char *name)
{
    for (size_t i = 0; i <= 2 * set->count; i++) {
        const struct wal_entry *entry = &set->entries[i / 2];
        struct kv_txn *txn = NULL;
        OK(kv_begin(kv, KV_READ, &txn, &failure));
        /* Just before each record, just behind it, and as it is now. */
        uint64_t limit = i == 2 * set->count ? UINT64_MAX : i % 2 ? entry->next_location : entry->location;
        struct reader reader = reader_over(set->log.wal, txn, limit);
        for (size_t t = 0; t < target_count; t++) {
            for (int64_t age = -1; age < 4; age++) {
                struct key_bytes prefix;
                struct tally got = { 0 }, counted = { 0 };
                reader.ballots_from_us = age < 0 ? STEME_TIME_MIN : PILE_NOON_US + age;
                struct tally want = recount(set, &targets[t], reader.limit, reader.ballots_from_us);
                key_ballot_prefix(&prefix, targets[t].kind, targets[t].route, targets[t].hash.bytes);
                OK(tally_at(&reader, &prefix, &set->arena, &got, &failure));
                OK(tally_recount(&reader, &prefix, &set->arena, &counted, &failure));
                assert_tally(&got, &want, name);
                assert_tally(&counted, &want, name);
            }
        }
        kv_abort(&txn);
    }
}

/* ---- all orders of a small set ---- */

static bool next_order(size_t *order, size_t count)
{
    if (count < 2 || count > RECORDS_MAX) return false;
    size_t i = count - 1, k = count - 1;
    while (i > 0 && order[i - 1] >= order[i])
        i--;
    if (i == 0) return false;
    while (order[k] <= order[i - 1])
        k--;
    size_t swap = order[i - 1];
    order[i - 1] = order[k];
    order[k] = swap;
    for (size_t a = i, b = count - 1; a < b; a++, b--) {
        swap = order[a];
        order[a] = order[b];
        order[b] = swap;
    }
    return true;
}

static void check_all_orders(struct set *set, const struct steme_target *target, const char *name)
{
    size_t order[RECORDS_MAX];
    struct buf want, got;
    buf_init(&want, TALLIES_BYTES_MAX);
    buf_init(&got, TALLIES_BYTES_MAX);
    write_set(set);
    for (size_t i = 0; i < set->count; i++)
        order[i] = i;
    do {
        for (size_t step = 1; step <= set->count; step += step == 1 ? 1 : set->count - 2) {
            struct kv *kv = fold_in(set, order, step, NULL);
            tallies_of(kv, &got);
            if (!want.size) {
                buf_append_slice(&want, buf_slice(&got));
                check_moments(set, kv, target, 1, name);
            }
            assert_row(want.size > 0 && slice_equal(buf_slice(&got), buf_slice(&want)), name);
            kv_close(&kv);
        }
    } while (next_order(order, set->count));
    buf_deinit(&want);
    buf_deinit(&got);
}

/* A vote, an older one, an abstention, and their voter's and a stranger's revisions of one of them. */
static void every_order_gives_the_same_row(void **state)
{
    (void)state;
    static const char *const names[] = { "the older one revised", "the vote revised", "the abstention revised" };
    for (size_t revised = 0; revised < countof(names); revised++) {
        struct set *set = new_set();
        struct steme_target target = pile_on_claim("Pluto", "is a", "planet", false);
        (void)cast_vote(set, 1, target, STEME_SUPPORT, 1, 500000);
        (void)cast_vote(set, 1, pile_on_claim("Pluto", "is a", "planet", true), STEME_SUPPORT, 2, 700000);
        (void)cast_vote(set, 1, target, STEME_ABSTAIN, 3, 0);
        (void)cast_vote(set, 2, target, STEME_SUPPORT, 0, 300000);
        revise(set, 1, revised, target.route);
        revise(set, 2, revised, target.route);
        check_all_orders(set, &target, names[revised]);
        free_set(set);
    }
}

static void a_tie_in_time_is_settled_by_id_in_every_order(void **state)
{
    (void)state;
    struct set *set = new_set();
    struct steme_target target = pile_on(STEME_ON_AGENT, pile_agent_id(7));
    for (uint32_t ppm = 1; ppm < 5; ppm++)
        (void)cast_vote(set, 1, target, ppm % 2 ? STEME_SUPPORT : STEME_REFUTE, 0, ppm);
    revise(set, 1, 2, target.route);
    check_all_orders(set, &target, "ties");
    free_set(set);
}

/* A revision that names the vote under another subject is not found where the vote is judged. */
static void a_revision_under_another_route_takes_nothing_back(void **state)
{
    (void)state;
    struct set *set = new_set();
    struct steme_target target = pile_on_assertion("Pluto", pile_agent_id(7));
    size_t vote = cast_vote(set, 1, target, STEME_SUPPORT, 0, 500000);
    revise(set, 1, vote, target.route + 1);
    (void)cast_vote(set, 1, target, STEME_REFUTE, -1, 500000);
    check_all_orders(set, &target, "another route");
    free_set(set);
}

/* ---- drawn sets and orders ---- */

static void draw_set(struct set *set, const struct steme_target targets[TARGETS], struct prng *prng)
{
    size_t count = 4 + prng_below(prng, RECORDS_MAX - 4);
    for (size_t i = 0; i < count; i++) {
        size_t of = i ? prng_below(prng, i) : 0;
        if (i && set->records[of].type == STEME_VOTE && prng_chance(prng, 300)) {
            unsigned agent = prng_chance(prng, 700) ? set->agents[of] : (unsigned)prng_below(prng, 4);
            revise(set, agent, of, set->records[of].as.vote.target.route + prng_chance(prng, 50));
            continue;
        }
        (void)cast_vote(set, (unsigned)prng_below(prng, 4), targets[prng_below(prng, TARGETS)],
                        (enum steme_stance)prng_below(prng, STEME_ABSTAIN + 1), (int64_t)prng_below(prng, 4),
                        (uint32_t)(i * 1000 + prng_below(prng, 1000)));
    }
}

static void check_set(uint64_t seed)
{
    char name[64];
    struct prng prng = { seed };
    struct set *set = new_set();
    const struct steme_target targets[TARGETS] = { pile_on_assertion("Pluto", pile_agent_id(7)),
                                                   pile_on_claim("Pluto", "is a", "planet", false),
                                                   pile_on_claim("Pluto", "is a", "planet", true),
                                                   pile_on(STEME_ON_SOURCE, pile_agent_id(8)) };
    size_t order[RECORDS_MAX];
    struct buf want, got;
    (void)snprintf(name, sizeof name, "SEED=%llu", (unsigned long long)seed);
    buf_init(&want, TALLIES_BYTES_MAX);
    buf_init(&got, TALLIES_BYTES_MAX);
    draw_set(set, targets, &prng);
    write_set(set);
    struct kv *whole = indexer_index(&set->log);
    tallies_of(whole, &want);
    check_moments(set, whole, targets, TARGETS, name);
    kv_close(&whole);
    for (unsigned round = 0; round < ORDERS; round++) {
        pile_shuffle(order, set->count, &prng);
        struct kv *kv = fold_in(set, order, 0, &prng);
        tallies_of(kv, &got);
        assert_row(slice_equal(buf_slice(&got), buf_slice(&want)), name);
        kv_close(&kv);
    }
    buf_deinit(&want);
    buf_deinit(&got);
    free_set(set);
}

static void ten_thousand_interleavings_give_the_tallies_of_a_recount(void **state)
{
    (void)state;
    _Static_assert(SETS * ORDERS == 10000, "as many as the name says");
    const char *seed = getenv("SEED"), *base = getenv("STEME_SEED");
    uint64_t first = base ? strtoull(base, NULL, 0) : 1;
    if (seed) check_set(strtoull(seed, NULL, 0));
    for (uint64_t i = 0; !seed && i < SETS; i++)
        check_set(first + i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_order_gives_the_same_row),
        cmocka_unit_test(a_tie_in_time_is_settled_by_id_in_every_order),
        cmocka_unit_test(a_revision_under_another_route_takes_nothing_back),
        cmocka_unit_test(ten_thousand_interleavings_give_the_tallies_of_a_recount),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
