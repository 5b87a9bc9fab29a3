/* SPDX-License-Identifier: Apache-2.0 */
#include "lattice/projection.h"

#include "base/check.h"
#include "base/codec.h"
#include "base/hash.h"
#include "base/slice.h"
#include "lib/indexer.h"
#include "lib/kv_fault.h"
#include "lib/testing.h"
#include "model/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct steme_error failure;

#define OK(call) assert_status((call), STEME_OK, &failure, #call)

struct desk {
    struct logbook log;
    struct pile pile;
    struct steme_hash claim; /* a claim by agent 0: "Pluto is a planet" */
};

static int open_desk(void **state)
{
    struct desk *desk = calloc(1, sizeof *desk);
    if (!desk) return -1;
    logbook_init(&desk->log);
    pile_init(&desk->pile);
    *state = desk;
    return 0;
}

static int close_desk(void **state)
{
    struct desk *desk = *state;
    pile_deinit(&desk->pile);
    logbook_deinit(&desk->log);
    free(desk);
    return 0;
}

/* ---- which rows a record has ---- */

static void add_claim(struct desk *desk) { (void)pile_add(&desk->pile, 0, pile_claim("Pluto", "is a", "planet")); }
static void add_full_claim(struct desk *desk)
{
    struct steme_record record = pile_claim("Pluto", "is a", "planet");
    record.as.assertion.negated = true;
    record.as.assertion.valid_from_us = 1;
    record.as.assertion.valid_to_us = 2;
    record.as.assertion.has_epoch = true;
    record.as.assertion.source = slice_text("NASA");
    (void)pile_add(&desk->pile, 0, record);
}
static void add_vote(struct desk *desk, struct steme_target target)
{
    (void)pile_add(&desk->pile, 1, pile_vote(target, STEME_SUPPORT));
}
static void add_vote_on_assertion(struct desk *desk) { add_vote(desk, pile_on_assertion("Pluto", pile_agent_id(7))); }
static void add_vote_on_claim(struct desk *desk) { add_vote(desk, pile_on_claim("Pluto", "is a", "planet", true)); }
static void add_vote_on_agent(struct desk *desk) { add_vote(desk, pile_on(STEME_ON_AGENT, pile_agent_id(7))); }
static void add_vote_on_source(struct desk *desk) { add_vote(desk, pile_on(STEME_ON_SOURCE, pile_agent_id(7))); }
static void add_vote_on_epoch(struct desk *desk) { add_vote(desk, pile_on(STEME_ON_EPOCH, pile_agent_id(7))); }
static void add_epoch(struct desk *desk) { (void)pile_add(&desk->pile, 0, pile_epoch("before 2006", NULL, 0)); }
static void add_revision(struct desk *desk)
{
    struct steme_target targets[] = { pile_on_assertion("Pluto", pile_agent_id(7)),
                                      pile_on_assertion("Ceres", pile_agent_id(7)),
                                      pile_on(STEME_ON_EPOCH, pile_agent_id(8)) };
    (void)pile_add(&desk->pile, 0, pile_revision(STEME_RETRACT, targets, countof(targets), NULL));
}
/* The key of a revision's row knows nothing of the kind, nor of the second half of an id. */
static void add_revision_of_twins(struct desk *desk)
{
    struct steme_target targets[] = { { STEME_ON_ASSERTION, 42, { { 1 } } },
                                      { STEME_ON_VOTE, 42, { { 1 } } },
                                      { STEME_ON_ASSERTION, 42, { { 1 } } } };
    targets[2].hash.bytes[31] = 1;
    (void)pile_add(&desk->pile, 0, pile_revision(STEME_RETRACT, targets, countof(targets), NULL));
}
static void add_derived(struct desk *desk)
{
    struct steme_hash parents[] = { pile_agent_id(7), pile_agent_id(8) };
    struct steme_record record = pile_claim("Pluto", "is a", "planet");
    record.as.assertion.parents = parents;
    record.as.assertion.parent_count = countof(parents);
    (void)pile_add(&desk->pile, 0, record);
}
static void add_derived_of_twins(struct desk *desk)
{
    struct steme_hash parents[] = { { { 1 } }, { { 2 } }, { { 1 } } };
    struct steme_record record = pile_claim("Pluto", "is a", "planet");
    parents[2].bytes[31] = 1; /* its first half is that of the first */
    record.as.assertion.parents = parents;
    record.as.assertion.parent_count = countof(parents);
    (void)pile_add(&desk->pile, 0, record);
}
static void add_derived_twice(struct desk *desk)
{
    add_derived(desk);
    pile_repeat(&desk->pile, 0);
}
static void add_bundle(struct desk *desk)
{
    struct steme_assertion members[] = { pile_claim("Pluto", "is a", "planet").as.assertion,
                                         pile_claim("Ceres", "is a", "planet").as.assertion };
    (void)pile_add_bundle(&desk->pile, 0, members, countof(members));
}
static void add_claim_twice(struct desk *desk)
{
    add_claim(desk);
    pile_repeat(&desk->pile, 0);
}

static const struct {
    const char *name;
    void (*add)(struct desk *desk);
    const char *rows; /* tags of all rows, sorted */
    uint64_t duplicates;
} records[] = {
    { "a claim", add_claim, "HMRS", 0 },
    { "a claim with everything", add_full_claim, "HMRS", 0 },
    { "a vote on an assertion", add_vote_on_assertion, "HMRVY", 0 },
    { "a vote on a claim", add_vote_on_claim, "HMRVY", 0 },
    { "a vote on an agent", add_vote_on_agent, "AHMRY", 0 },
    { "a vote on a source", add_vote_on_source, "AHMRY", 0 },
    { "a vote on an epoch", add_vote_on_epoch, "AHMRY", 0 },
    { "an epoch", add_epoch, "EHMR", 0 },
    { "a revision of three", add_revision, "HMRXXX", 0 },
    { "a revision of three that share a key", add_revision_of_twins, "HMRX", 0 },
    { "an assertion derived from two", add_derived, "CCHMRS", 0 },
    { "one derived from three of which two share a key", add_derived_of_twins, "CCHMRS", 0 },
    { "a derived one written twice", add_derived_twice, "CCHMRRS", 1 },
    { "a bundle of two", add_bundle, "HHHMRSS", 0 },
    { "a claim written twice", add_claim_twice, "HMRRS", 1 },
};

static void tags_of(struct kv *kv, char *out, size_t room, uint64_t *row_bytes)
{
    struct kv_txn *txn = NULL;
    struct kv_cursor cursor = { 0 };
    struct kv_pair pair;
    struct steme_slice all = { 0 };
    size_t count = 0;
    *row_bytes = 0;
    OK(kv_begin(kv, KV_READ, &txn, &failure));
    for (steme_status status = kv_seek(txn, all, all, &cursor, &pair, &failure); !status && count + 1 < room;
         status = kv_next(&cursor, &pair, &failure)) {
        out[count++] = (char)pair.key.data[0];
        if (pair.key.data[0] != 'M') *row_bytes += pair.key.size + pair.value.size;
    }
    out[count] = '\0';
    kv_abort(&txn);
}

static void each_record_has_its_rows_and_is_counted(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(records); i++) {
        void *own = NULL;
        char tags[64];
        uint64_t bytes = 0, row_bytes = 0, counted = 0;
        struct applied_row applied;
        assert_int_equal(open_desk(&own), 0);
        struct desk *desk = own;
        records[i].add(desk);
        logbook_write_all(&desk->log, &desk->pile);
        struct kv *kv = indexer_index(&desk->log);
        tags_of(kv, tags, sizeof tags, &row_bytes);
        assert_row_text(tags, records[i].rows, records[i].name);
        OK(projection_applied(kv, &applied, &failure));
        for (size_t k = 0; k < desk->pile.record_count - records[i].duplicates; k++)
            bytes += desk->pile.records[k].bytes.size;
        for (size_t type = 0; type < countof(applied.records); type++)
            counted += applied.records[type];
        assert_row(counted == desk->pile.record_count - records[i].duplicates, records[i].name);
        assert_row(applied.record_bytes == bytes, records[i].name);
        assert_row(applied.row_bytes == row_bytes, records[i].name);
        assert_row(applied.duplicates == records[i].duplicates, records[i].name);
        assert_row(applied.dead_letters == 0, records[i].name);
        kv_close(&kv);
        (void)close_desk(&own);
    }
}

static void an_empty_index_says_so(void **state)
{
    (void)state;
    struct applied_row applied;
    struct kv *kv = indexer_empty();
    assert_int_equal(projection_applied(kv, &applied, &failure), STEME_NOT_FOUND);
    kv_close(&kv);
}

/* ---- what can't be applied ---- */

/* A frame of these bytes straight to the log, as a later program, or a wrong one, would leave it. */
static struct wal_place log_bytes(struct desk *desk, struct steme_slice bytes)
{
    struct steme_hash id = hash_one(bytes);
    struct steme_signature signature = sign_record(pile_agent(0), &id);
    struct wal_record record = { bytes, id, &signature };
    struct wal_place place;
    OK(wal_append(desk->log.wal, &record, 1, &place, &failure));
    return place;
}

enum { STRANGE_BYTES = 192 };

/* A vote as it should be, to be changed. */
static void draw_strange(uint8_t out[STRANGE_BYTES])
{
    struct pile pile;
    pile_init(&pile);
    (void)pile_add(&pile, 0, pile_vote(pile_on_assertion("Pluto", pile_agent_id(7)), STEME_SUPPORT));
    assert_true(pile.records[0].bytes.size <= STRANGE_BYTES);
    memset(out, 0, STRANGE_BYTES);
    memcpy(out, pile.records[0].bytes.data, pile.records[0].bytes.size);
    pile_deinit(&pile);
}

static void make_type_9(uint8_t *bytes) { bytes[0] = 9; }
static void make_type_255(uint8_t *bytes) { bytes[0] = 255; }
static void make_newer(uint8_t *bytes) { bytes[12] = 2; }
static void make_padding(uint8_t *bytes) { bytes[127] = 1; }
static void make_assertion_of_it(uint8_t *bytes) { bytes[0] = STEME_ASSERTION; }
static void make_bundle_of_it(uint8_t *bytes) { bytes[0] = STEME_BUNDLE; }

static const struct {
    const char *name;
    void (*change)(uint8_t *bytes);
    const char *reason;
} strangers[] = {
    { "an unknown type", make_type_9, "a record type this program does not know" },
    { "the last unknown type", make_type_255, "a record type this program does not know" },
    { "a later format", make_newer, "a record format newer than this program reads" },
    { "padding that is not zero", make_padding, "not a canonical record" },
    { "an assertion that is none", make_assertion_of_it, "not a canonical record" },
    { "a bundle that is none", make_bundle_of_it, "not a canonical record" },
};

static void assert_dead_letter(struct kv *kv, uint64_t location, const char *reason, const char *name)
{
    struct kv_txn *txn = NULL;
    struct key_bytes key;
    struct steme_slice value;
    char text[KEYS_VALUE_MAX_BYTES + 1] = "";
    OK(kv_begin(kv, KV_READ, &txn, &failure));
    key_of_dead_letter(&key, location);
    assert_status(kv_get(txn, key_slice(&key), &value, &failure), STEME_OK, &failure, name);
    memcpy(text, value.data + 32, value.size - 32);
    assert_row_text(text, reason, name);
    kv_abort(&txn);
}

static void what_can_t_be_applied_is_listed_and_blocks_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(strangers); i++) {
        void *own = NULL;
        uint8_t bytes[STRANGE_BYTES];
        struct applied_row applied;
        assert_int_equal(open_desk(&own), 0);
        struct desk *desk = own;
        add_claim(desk);
        add_vote_on_agent(desk);
        logbook_write(&desk->log, &desk->pile, 0, 1, NULL);
        draw_strange(bytes);
        strangers[i].change(bytes);
        struct wal_place place = log_bytes(desk, slice_of(bytes, 128));
        (void)log_bytes(desk, slice_of(bytes, 128)); /* a copy has no letter of its own */
        logbook_write(&desk->log, &desk->pile, 1, 2, NULL);
        struct kv *kv = indexer_index(&desk->log);
        assert_row(indexer_count_rows(kv, "D") == 1, strangers[i].name);
        assert_row(indexer_count_rows(kv, "H") == 3, strangers[i].name);
        assert_row(indexer_count_rows(kv, "S") == 1, strangers[i].name);
        assert_row(indexer_count_rows(kv, "A") == 1, strangers[i].name);
        assert_dead_letter(kv, place.location, strangers[i].reason, strangers[i].name);
        OK(projection_applied(kv, &applied, &failure));
        assert_row(applied.dead_letters == 1, strangers[i].name);
        assert_row(applied.duplicates == 1, strangers[i].name);
        assert_row(applied.records[7] == 1, strangers[i].name);
        assert_row(applied.mark.next_sequence == 5, strangers[i].name);
        kv_close(&kv);
        (void)close_desk(&own);
    }
}

/* ---- applying twice, and after a stop at any place ---- */

struct stops {
    struct wal_mark *marks;
    size_t count;
};

/* Index group by group into kv; the marks in between. */
static struct stops index_by_group(struct desk *desk, struct kv *kv)
{
    struct indexer indexer;
    struct stops stops = { calloc(desk->pile.group_count + 1, sizeof *stops.marks), 0 };
    assert_non_null(stops.marks);
    indexer_init(&indexer, &desk->log, kv, NULL);
    stops.marks[stops.count++] = indexer.ingestor.applied;
    for (size_t group = 0; group < desk->pile.group_count; group++) {
        logbook_write(&desk->log, &desk->pile, group, group + 1, NULL);
        OK(indexer_run(&indexer, &failure));
        stops.marks[stops.count++] = indexer.ingestor.applied;
    }
    indexer_deinit(&indexer);
    return stops;
}

static void draw_with_copies(struct desk *desk, uint64_t seed, size_t groups)
{
    struct prng prng = { seed };
    pile_draw(&desk->pile, &prng, groups);
    for (size_t i = 0; i < groups / 5; i++)
        pile_repeat(&desk->pile, prng_below(&prng, desk->pile.group_count));
}

static void applying_again_from_any_mark_changes_nothing(void **state)
{
    struct desk *desk = *state;
    draw_with_copies(desk, 1, 60);
    struct kv *kv = indexer_empty(), *want = NULL;
    struct stops stops = index_by_group(desk, kv);
    want = indexer_index(&desk->log);
    indexer_same_rows(kv, want, "step by step and at once");
    for (size_t i = 0; i < stops.count; i++) {
        struct indexer indexer;
        indexer_init(&indexer, &desk->log, kv, &stops.marks[i]);
        OK(indexer_run(&indexer, &failure));
        indexer_deinit(&indexer);
        indexer_same_rows(kv, want, "again from an older mark");
    }
    free(stops.marks);
    kv_close(&kv);
    kv_close(&want);
}

/* The store is lost between two steps, and with it all that was in it; the next one starts from the beginning. */
static void a_store_lost_between_steps_is_made_again(void **state)
{
    struct desk *desk = *state;
    draw_with_copies(desk, 2, 40);
    for (size_t group = 0; group < desk->pile.group_count; group++) {
        logbook_write(&desk->log, &desk->pile, group, group + 1, NULL);
        struct kv *lost = indexer_index(&desk->log);
        kv_close(&lost);
    }
    struct kv *kv = indexer_empty(), *want = indexer_index(&desk->log);
    struct indexer indexer;
    indexer_init(&indexer, &desk->log, kv, NULL);
    OK(indexer_run(&indexer, &failure));
    indexer_deinit(&indexer);
    indexer_same_rows(kv, want, "made again");
    kv_close(&kv);
    kv_close(&want);
}

/* Half of the pile is in the index; what the other half needs fails at every call once. */
static void fail_every(struct desk *desk, enum kv_fault_call call, struct kv *before, struct kv *after, size_t half)
{
    struct indexer indexer;
    struct kv *kv = kv_fault_new(indexer_empty());
    size_t failed = 0;
    assert_non_null(kv);
    struct wal_mark begin = wal_begin(desk->log.wal);
    indexer_init(&indexer, &desk->log, kv, &begin);
    logbook_write(&desk->log, &desk->pile, 0, half, NULL);
    OK(indexer_run(&indexer, &failure));
    indexer_same_rows(kv, before, "before the faults");
    logbook_write(&desk->log, &desk->pile, half, desk->pile.group_count, NULL);
    for (uint64_t nth = 1;; nth++, failed++) {
        kv_fault_fail(kv, call, nth, STEME_IO, false);
        steme_status status = indexer_run(&indexer, &failure);
        kv_fault_fail(kv, KV_FAULT_ANY, 0, STEME_OK, false);
        if (!status) break;
        assert_int_equal(status, STEME_IO);
        indexer_same_rows(kv, before, "after a fault");
    }
    assert_true(failed > 0);
    indexer_same_rows(kv, after, "after the faults");
    indexer_deinit(&indexer);
    kv_close(&kv);
}

static void a_store_that_fails_at_any_call_has_all_of_a_step_or_nothing(void **state)
{
    (void)state;
    static const enum kv_fault_call calls[] = { KV_FAULT_BEGIN, KV_FAULT_GET, KV_FAULT_PUT, KV_FAULT_COMMIT };
    for (size_t i = 0; i < countof(calls); i++) {
        void *mine = NULL, *others = NULL;
        assert_int_equal(open_desk(&mine) | open_desk(&others), 0);
        struct desk *desk = mine, *other = others;
        draw_with_copies(desk, 3, 30);
        draw_with_copies(other, 3, 30);
        size_t half = desk->pile.group_count / 2;
        logbook_write(&other->log, &other->pile, 0, half, NULL);
        struct kv *before = indexer_index(&other->log);
        logbook_write(&other->log, &other->pile, half, other->pile.group_count, NULL);
        struct kv *after = indexer_index(&other->log);
        fail_every(desk, calls[i], before, after, half);
        kv_close(&before);
        kv_close(&after);
        (void)close_desk(&mine);
        (void)close_desk(&others);
    }
}

/* ---- an index that lies ---- */

static steme_status put_pair(struct kv_txn *txn, void *context, struct steme_error *err)
{
    const struct kv_pair *pair = context;
    return kv_put(txn, pair->key, pair->value, err);
}

static void a_lie_about_a_record_that_comes_again_is_found(void **state)
{
    struct desk *desk = *state;
    struct wal_place places[2];
    add_claim(desk);
    pile_repeat(&desk->pile, 0);
    logbook_write(&desk->log, &desk->pile, 0, 2, places);
    const uint64_t lies[] = { places[0].location + 64, places[1].location + 64, UINT64_C(1) << 55 };
    for (size_t i = 0; i < countof(lies); i++) {
        struct key_bytes key;
        struct value_bytes value;
        struct indexer indexer;
        struct kv *kv = indexer_empty();
        key_of_id(&key, desk->pile.ids[0].bytes);
        value_of_id(&value, STEME_ASSERTION, lies[i]);
        struct kv_pair pair = { key_slice(&key), value_slice(&value) };
        OK(kv_update(kv, put_pair, &pair, &failure));
        indexer_init(&indexer, &desk->log, kv, NULL);
        assert_int_equal(indexer_run(&indexer, &failure), STEME_CORRUPT);
        assert_int_equal(indexer.ingestor.applied.next_sequence, 1);
        indexer_deinit(&indexer);
        kv_close(&kv);
    }
}

static void a_damaged_applied_row_is_told(void **state)
{
    struct desk *desk = *state;
    struct applied_row applied;
    struct key_bytes key;
    add_claim(desk);
    logbook_write_all(&desk->log, &desk->pile);
    struct kv *kv = indexer_index(&desk->log);
    key_applied(&key);
    struct kv_pair pair = { key_slice(&key), slice_text("not a row") };
    OK(kv_update(kv, put_pair, &pair, &failure));
    assert_int_equal(projection_applied(kv, &applied, &failure), STEME_CORRUPT);
    add_vote_on_agent(desk);
    logbook_write(&desk->log, &desk->pile, 1, 2, NULL);
    struct indexer indexer;
    indexer_init(&indexer, &desk->log, kv, NULL);
    assert_int_equal(indexer_run(&indexer, &failure), STEME_CORRUPT);
    indexer_deinit(&indexer);
    kv_close(&kv);
}

/* ---- times ---- */

static const struct {
    const char *name;
    int64_t ahead_us, want_us;
} clocks[] = {
    { "a clock that is behind", -1000, PILE_NOON_US - 1000 },
    { "a clock that is right", 0, PILE_NOON_US },
    { "a clock that is ahead as far as it may be", STEME_CLOCK_AHEAD_MAX_US, PILE_NOON_US + STEME_CLOCK_AHEAD_MAX_US },
    { "a clock that is further ahead", STEME_CLOCK_AHEAD_MAX_US + 1, PILE_NOON_US },
    { "the end of time", INT64_MAX - PILE_NOON_US, PILE_NOON_US },
    { "the beginning of time", INT64_MIN + PILE_NOON_US + 1, INT64_MIN + 2 * PILE_NOON_US + 1 },
};

static void a_clock_that_is_too_far_ahead_is_not_believed(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(clocks); i++) {
        void *own = NULL;
        struct kv_txn *txn = NULL;
        struct kv_cursor cursor = { 0 };
        struct kv_pair pair;
        struct slot_row row;
        assert_int_equal(open_desk(&own), 0);
        struct desk *desk = own;
        struct steme_record record = pile_claim("Pluto", "is a", "planet");
        record.as.assertion.asserted_at_us = PILE_NOON_US + clocks[i].ahead_us;
        (void)pile_add(&desk->pile, 0, record);
        logbook_write_all(&desk->log, &desk->pile);
        struct kv *kv = indexer_index(&desk->log);
        OK(kv_begin(kv, KV_READ, &txn, &failure));
        OK(kv_seek(txn, slice_text("S"), slice_text("S"), &cursor, &pair, &failure));
        OK(row_slot(pair.key, pair.value, NULL, &row, &failure));
        assert_row(row.at_us == clocks[i].want_us, clocks[i].name);
        kv_abort(&txn);
        kv_close(&kv);
        (void)close_desk(&own);
    }
}

/* ---- memory ---- */

static void no_memory_to_prepare_is_told(void **state)
{
    struct desk *desk = *state;
    struct arena scan, small;
    struct wal_entry *entries = NULL;
    struct projected *projected = NULL;
    struct wal_mark at = wal_begin(desk->log.wal);
    size_t count = 0;
    draw_with_copies(desk, 4, 50);
    logbook_write_all(&desk->log, &desk->pile);
    arena_init(&scan, 1 << 20);
    OK(wal_scan(desk->log.wal, &at, 1000, &scan, &entries, &count, NULL, &failure));
    static const size_t ceilings[] = { 0, 256, 20000, 40000 };
    for (size_t i = 0; i < countof(ceilings); i++) {
        arena_init(&small, ceilings[i]);
        assert_int_equal(projection_prepare(entries, count, &small, &projected, &failure), STEME_NO_MEMORY);
        assert_null(projected);
        arena_deinit(&small);
    }
    arena_deinit(&scan);
}

static steme_status refuse_row(void *context, struct steme_slice key, struct steme_slice value, struct steme_error *err)
{
    size_t *left = context;
    (void)key, (void)value;
    return (*left)-- ? STEME_OK : error_set(err, STEME_NO_SPACE, "no room");
}

static void a_row_that_is_not_taken_ends_the_record(void **state)
{
    struct desk *desk = *state;
    struct arena arena;
    struct wal_entry *entries = NULL;
    struct projected *projected = NULL;
    struct wal_mark at = wal_begin(desk->log.wal);
    size_t count = 0;
    add_revision(desk);
    logbook_write_all(&desk->log, &desk->pile);
    arena_init(&arena, 1 << 20);
    OK(wal_scan(desk->log.wal, &at, 10, &arena, &entries, &count, NULL, &failure));
    OK(projection_prepare(entries, count, &arena, &projected, &failure));
    for (size_t taken = 0; taken <= 3; taken++) {
        size_t left = taken;
        struct row_sink sink = { &left, refuse_row };
        assert_int_equal(projection_rows(&entries[0], &projected[0], &sink, &arena, &failure),
                         taken < 3 ? STEME_NO_SPACE : STEME_OK);
    }
    arena_deinit(&arena);
}

int main(void)
{
#define CASE(function) cmocka_unit_test_setup_teardown(function, open_desk, close_desk)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_record_has_its_rows_and_is_counted),
        cmocka_unit_test(an_empty_index_says_so),
        cmocka_unit_test(what_can_t_be_applied_is_listed_and_blocks_nothing),
        CASE(applying_again_from_any_mark_changes_nothing),
        CASE(a_store_lost_between_steps_is_made_again),
        cmocka_unit_test(a_store_that_fails_at_any_call_has_all_of_a_step_or_nothing),
        CASE(a_lie_about_a_record_that_comes_again_is_found),
        CASE(a_damaged_applied_row_is_told),
        cmocka_unit_test(a_clock_that_is_too_far_ahead_is_not_believed),
        CASE(no_memory_to_prepare_is_told),
        CASE(a_row_that_is_not_taken_ends_the_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
