/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence as of a moment, what is listed whole, and what happens where the index lies or fails. */
#include "evidence_world.h"
#include "lib/kv_fault.h"

/* ---- as of ---- */

/* Groups of 1, 3 (a bundle and two), 1, 2: so sequences 1 | 2 3 4 | 5 | 6 7, received a second apart. */
static void write_batches(struct world *w)
{
    static const size_t members[] = { 0, 2, 0, 1 };
    for (size_t batch = 0; batch < countof(members); batch++) {
        struct steme_assertion list[2] = { pluto_is("planet").as.assertion, pluto_is("comet").as.assertion };
        for (size_t i = 0; i < 2; i++)
            list[i].asserted_at_us -= (int64_t)(10 * batch + i);
        struct steme_record alone = { .type = STEME_ASSERTION, .as.assertion = list[0] };
        if (members[batch])
            (void)pile_add_bundle(&w->pile, 0, list, members[batch]);
        else
            say(w, 0, alone);
    }
    write_rest(w);
}

static const struct {
    const char *name;
    uint64_t as_of;
    int64_t as_of_us;
    size_t count;
    uint64_t sequence;
} moments[] = {
    { "all", UINT64_MAX, STEME_TIME_MAX, 5, UINT64_MAX },
    { "nothing yet", 0, STEME_TIME_MAX, 0, 0 },
    { "the first record", 1, STEME_TIME_MAX, 1, 1 },
    { "a bundle without its members", 2, STEME_TIME_MAX, 1, 2 },
    { "in the middle of a batch", 3, STEME_TIME_MAX, 2, 3 },
    { "the end of a batch", 4, STEME_TIME_MAX, 3, 4 },
    { "the beginning of the next", 5, STEME_TIME_MAX, 4, 5 },
    { "the last record", 7, STEME_TIME_MAX, 5, 7 },
    { "past the last record", 8, STEME_TIME_MAX, 5, 8 },
    { "far past it", UINT64_MAX - 1, STEME_TIME_MAX, 5, UINT64_MAX - 1 },
    { "before the first batch", UINT64_MAX, PILE_NOON_US - 1, 0, 0 },
    { "at the first batch", UINT64_MAX, PILE_NOON_US, 1, 1 },
    { "just before the second batch", UINT64_MAX, PILE_NOON_US + SECOND - 1, 1, 1 },
    { "at the second batch", UINT64_MAX, PILE_NOON_US + SECOND, 3, 4 },
    { "between", UINT64_MAX, PILE_NOON_US + SECOND + 1, 3, 4 },
    { "at the last batch", UINT64_MAX, PILE_NOON_US + 3 * SECOND, 5, UINT64_MAX },
    { "long after", UINT64_MAX, STEME_TIME_MAX - 1, 5, UINT64_MAX },
    { "long before", UINT64_MAX, STEME_TIME_MIN, 0, 0 },
    { "both, the number first", 3, PILE_NOON_US + 2 * SECOND, 2, 3 },
    { "both, the time first", 6, PILE_NOON_US, 1, 1 },
};

static void a_moment_bounds_what_is_looked_at(void **state)
{
    struct world *w = *state;
    write_batches(w);
    for (size_t i = 0; i < countof(moments); i++) {
        struct look look = LATEST;
        struct kv_txn *txn = NULL;
        uint64_t limit = 0, sequence = 0;
        look.as_of = moments[i].as_of;
        look.as_of_us = moments[i].as_of_us;
        look_at(w, "Pluto", "is a", &look);
        assert_row(w->found.testimony_count == moments[i].count, moments[i].name);
        OK(kv_begin(w->kv, KV_READ, &txn, &failure));
        OK(moment_limit(w->log.wal, txn, look.as_of, look.as_of_us, &limit, &sequence, &failure));
        assert_row(sequence == moments[i].sequence, moments[i].name);
        kv_abort(&txn);
    }
}

/* Votes, revisions and epochs that came later did not exist then. */
static void what_came_later_did_not_exist(void **state)
{
    struct world *w = *state;
    struct look look = LATEST;
    struct steme_hash before = say(w, 0, pile_epoch("before", NULL, 0)); /* 1 */
    struct steme_hash id = say_in(w, "planet", &before);                 /* 2 */
    struct steme_target target = pile_on_assertion("Pluto", id);
    say(w, 1, pile_vote(target, STEME_SUPPORT));                                    /* 3 */
    say(w, 1, cast_at(pile_vote(target, STEME_REFUTE), 5, 1));                      /* 4 */
    say(w, 1, pile_vote(pile_on(STEME_ON_AGENT, pile_agent_id(2)), STEME_SUPPORT)); /* 5 */
    say(w, 0, pile_epoch("after", &before, 1));                                     /* 6 */
    say(w, 0, pile_revision(STEME_RETRACT, &target, 1, NULL));                      /* 7 */
    static const struct {
        uint64_t as_of;
        size_t support, refute;
        enum steme_standing standing;
        size_t edges;
    } rows[] = {
        { 2, 0, 0, STEME_LIVE, 0 }, { 3, 1, 0, STEME_LIVE, 0 },        { 4, 0, 1, STEME_LIVE, 0 },
        { 5, 0, 1, STEME_LIVE, 1 }, { 6, 0, 0, STEME_OTHER_EPOCH, 1 }, { 7, 0, 0, STEME_RETRACTED, 1 },
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct endorsement_row *edges = NULL;
        size_t edge_count = 0;
        look.as_of = rows[i].as_of;
        look_at(w, "Pluto", "is a", &look);
        assert_ballots(w, rows[i].support, rows[i].refute);
        assert_int_equal(standing_of(w, id), rows[i].standing);
        OK(evidence_endorsements(&w->reader, &w->arena, &edges, &edge_count, &failure));
        assert_int_equal(edge_count, rows[i].edges);
    }
    uint64_t location = 0;
    look.as_of = 1;
    look_at(w, "Pluto", "is a", &look);
    assert_int_equal(evidence_locate(&w->reader, id.bytes, NULL, &location, &failure), STEME_NOT_FOUND);
    OK(evidence_locate(&w->reader, before.bytes, NULL, &location, &failure));
}

/* All in one batch, where the end of a record is the beginning of the next. */
static void what_came_next_in_the_batch_did_not_exist_either(void **state)
{
    struct world *w = *state;
    struct look look = LATEST;
    struct wal_record records[5];
    struct wal_place places[5];
    struct steme_hash id = say(w, 0, pluto_is("planet")); /* 1 */
    struct steme_target target = pile_on_assertion("Pluto", id);
    say(w, 1, pile_vote(target, STEME_SUPPORT));                                    /* 2 */
    say(w, 1, pile_vote(pile_on(STEME_ON_AGENT, pile_agent_id(2)), STEME_SUPPORT)); /* 3 */
    say(w, 0, pile_revision(STEME_RETRACT, &target, 1, NULL));                      /* 4 */
    say(w, 3, pluto_is("comet"));                                                   /* 5 */
    for (size_t i = 0; i < countof(records); i++)
        pile_log_group(&w->pile, i, &records[i]);
    OK(wal_append(w->log.wal, records, countof(records), places, &failure));
    w->written = w->pile.group_count;
    for (uint64_t at = 1; at <= countof(records); at++) {
        struct wal_entry *revisions = NULL;
        struct cast *casts = NULL;
        struct endorsement_row *edges = NULL;
        size_t revised = 0, cast = 0, endorsed = 0;
        look.as_of = at;
        look_at(w, "Pluto", "is a", &look);
        assert_int_equal(w->found.testimony_count, at < 5 ? 1 : 2);
        OK(evidence_ballots(&w->reader, target.kind, target.route, id.bytes, &w->arena, &casts, &cast, &failure));
        assert_int_equal(cast, at >= 2);
        OK(evidence_endorsements(&w->reader, &w->arena, &edges, &endorsed, &failure));
        assert_int_equal(endorsed, at >= 3);
        OK(evidence_revisions(&w->reader, target.route, id.bytes, &w->arena, &revisions, &revised, &failure));
        assert_int_equal(revised, at >= 4);
    }
}

/* Sequence numbers 1 (a bundle) to 7 (its last member), and 8 in the next batch; one of them is damaged. */
static const struct {
    const char *name;
    uint64_t damaged, at;
    size_t counts[9];
} damages[] = {
    { "a member's bytes", 4, 64 + 20, { 0, 0, 1, 2, 2, 3, 4, 5, 6 } },
    { "a member's frame", 4, 8, { 0, 0, 1, 2, 2, 3, 4, 5, 6 } },
    { "the first frame, the bundle's", 1, 8, { 0, 0, 1, 2, 3, 4, 5, 6, 7 } },
    { "the last frame", 7, 8, { 0, 0, 1, 2, 3, 4, 5, 5, 6 } },
};

static void a_moment_in_a_damaged_batch_is_found(void **state)
{
    (void)state;
    for (size_t d = 0; d < countof(damages); d++) {
        void *own = NULL;
        struct steme_assertion list[6];
        struct wal_place places[8];
        assert_int_equal(open_world(&own), 0);
        struct world *w = own;
        for (int64_t i = 0; i < 6; i++) {
            list[i] = pluto_is("planet").as.assertion;
            list[i].asserted_at_us -= i;
        }
        (void)pile_add_bundle(&w->pile, 0, list, 6);
        say(w, 0, pluto_is("comet"));
        logbook_write(&w->log, &w->pile, 0, 2, places);
        w->written = 2;
        logbook_rot(&w->log, places[damages[d].damaged - 1].location, damages[d].at);
        logbook_reopen(&w->log);
        for (uint64_t as_of = 0; as_of <= 8; as_of++) {
            struct look look = LATEST;
            look.as_of = as_of;
            look_at(w, "Pluto", "is a", &look);
            if (w->found.testimony_count != damages[d].counts[as_of])
                print_error("as of %d: %zu\n", (int)as_of, w->found.testimony_count);
            assert_row(w->found.testimony_count == damages[d].counts[as_of], damages[d].name);
        }
        struct look first_batch = LATEST;
        first_batch.as_of_us = PILE_NOON_US;
        look_at(w, "Pluto", "is a", &first_batch);
        assert_row(w->found.testimony_count == damages[d].counts[7], damages[d].name);
        (void)close_world(&own);
    }
}

/* ---- endorsements ---- */

static bool has_edge(const struct endorsement_row *edges, size_t count, struct steme_hash from, struct steme_hash to,
                     uint32_t ppm)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++)
        found += memcmp(edges[i].from, from.bytes, 16) == 0 && memcmp(edges[i].to, to.bytes, 16) == 0 &&
                 edges[i].probability_ppm == ppm;
    return found == 1;
}

static void endorsements_are_the_latest_ballots_on_agents_and_sources(void **state)
{
    struct world *w = *state;
    struct steme_hash nasa = source_id(slice_text("NASA"));
    struct steme_target one = pile_on(STEME_ON_AGENT, pile_agent_id(1)),
                        two = pile_on(STEME_ON_AGENT, pile_agent_id(2));
    struct steme_target source = pile_on(STEME_ON_SOURCE, nasa);
    struct endorsement_row *edges = NULL;
    size_t count = 0;
    say(w, 0, cast_at(pile_vote(one, STEME_SUPPORT), 5, 700000));
    say(w, 0, cast_at(pile_vote(one, STEME_SUPPORT), 0, 100000)); /* older */
    say(w, 0, cast_at(pile_vote(two, STEME_REFUTE), 0, 900000));
    say(w, 1, cast_at(pile_vote(two, STEME_SUPPORT), 0, 800000));
    say(w, 1, cast_at(pile_vote(two, STEME_ABSTAIN), 5, 0));
    say(w, 1, cast_at(pile_vote(source, STEME_SUPPORT), 0, 600000));
    say(w, 2, pile_vote(pile_on(STEME_ON_EPOCH, pile_agent_id(1)), STEME_SUPPORT)); /* no endorsement */
    struct steme_target taken_back = { STEME_ON_VOTE, source.route, say(w, 3, pile_vote(source, STEME_SUPPORT)) };
    say(w, 3, pile_revision(STEME_RETRACT, &taken_back, 1, NULL));
    struct steme_target kept = { STEME_ON_VOTE, source.route, say(w, 4, pile_vote(source, STEME_SUPPORT)) };
    say(w, 3, pile_revision(STEME_RETRACT, &kept, 1, NULL)); /* by a stranger */
    look_at_pluto(w);
    OK(evidence_endorsements(&w->reader, &w->arena, &edges, &count, &failure));
    assert_int_equal(count, 4);
    assert_true(has_edge(edges, count, pile_agent_id(0), pile_agent_id(1), 700000));
    assert_true(has_edge(edges, count, pile_agent_id(0), pile_agent_id(2), 0));
    assert_true(has_edge(edges, count, pile_agent_id(1), nasa, 600000));
    assert_true(has_edge(edges, count, pile_agent_id(4), nasa, STEME_PPM));
}

/* ---- every ballot, every revision ---- */

static void all_ballots_are_listed_and_the_latest_marked(void **state)
{
    struct world *w = *state;
    struct steme_target target = pile_on_assertion("Pluto", say(w, 0, pluto_is("planet")));
    struct cast *casts = NULL;
    size_t count = 0, marked = 0;
    for (unsigned voter = 1; voter < 4; voter++)
        for (int64_t k = 0; k < 3; k++)
            say(w, voter, cast_at(pile_vote(target, k == 2 ? STEME_ABSTAIN : STEME_SUPPORT), (k * 7) % 5, (uint32_t)k));
    look_at_pluto(w);
    OK(evidence_ballots(&w->reader, target.kind, target.route, target.hash.bytes, &w->arena, &casts, &count, &failure));
    assert_int_equal(count, 9);
    for (size_t i = 0; i < count; i++) {
        marked += casts[i].latest;
        if (casts[i].latest) assert_int_equal(casts[i].row.cast_at_us, PILE_NOON_US + 4);
    }
    assert_int_equal(marked, 3);
    OK(evidence_ballots(&w->reader, STEME_ON_CLAIM, 1, target.hash.bytes, &w->arena, &casts, &count, &failure));
    assert_int_equal(count, 0);
}

static void revisions_are_listed_by_id(void **state)
{
    struct world *w = *state;
    struct steme_target target = pile_on_assertion("Pluto", say(w, 0, pluto_is("planet")));
    struct wal_entry *entries = NULL;
    size_t count = 0;
    for (unsigned agent = 0; agent < 5; agent++)
        say(w, agent, pile_revision(STEME_RETRACT, &target, 1, NULL));
    look_at_pluto(w);
    OK(evidence_revisions(&w->reader, target.route, target.hash.bytes, &w->arena, &entries, &count, &failure));
    assert_int_equal(count, 5);
    for (size_t i = 1; i < count; i++)
        assert_true(memcmp(&entries[i - 1].id, &entries[i].id, sizeof entries[i].id) < 0);
    OK(evidence_revisions(&w->reader, target.route + 1, target.hash.bytes, &w->arena, &entries, &count, &failure));
    assert_int_equal(count, 0);
}

static void slots_are_walked_one_by_one(void **state)
{
    struct world *w = *state;
    struct slot_ref at = { 0 };
    size_t all = 0, of_pluto = 0;
    static const char *const predicates[] = { "is a", "mass", "discovered" };
    for (size_t i = 0; i < countof(predicates); i++) {
        say(w, 0, pile_claim("Pluto", predicates[i], "x"));
        say(w, 1, pile_claim("Pluto", predicates[i], "y"));
        say(w, 0, pile_claim("Ceres", predicates[i], "x"));
    }
    look_at_pluto(w);
    steme_status status;
    while (!(status = evidence_next_slot(&w->reader, &at, false, &failure))) {
        all++;
        at.slot[15]++; /* none of these ends in 0xff */
    }
    assert_int_equal(status, STEME_NOT_FOUND);
    assert_int_equal(all, 6);
    at = (struct slot_ref){ .route = route_of_name(slice_text("Pluto")) };
    for (; !evidence_next_slot(&w->reader, &at, true, &failure); of_pluto++)
        at.slot[15]++;
    assert_int_equal(of_pluto, 3);
}

/* ---- an index that lies ---- */

struct lie {
    struct key_bytes key;
    struct value_bytes value;
};

static steme_status put_lie(struct kv_txn *txn, void *context, struct steme_error *err)
{
    const struct lie *lie = context;
    return kv_put(txn, key_slice(&lie->key), value_slice(&lie->value), err);
}

/* All lie about agent 0's claim that Pluto is a planet; `other` is the location of a record it is not about. */
struct tale {
    struct world *w;
    struct steme_hash claim, other_id, epoch, revision;
    struct wal_place place, other, end;
};

static void lie_about_revision(const struct tale *tale, struct lie *lie, uint64_t location)
{
    key_of_revision(&lie->key, route_of_name(slice_text("Pluto")), tale->claim.bytes, tale->revision.bytes);
    value_of_location(&lie->value, location);
}
static void revision_nowhere(const struct tale *tale, struct lie *lie)
{
    lie_about_revision(tale, lie, tale->end.location - 64);
}
static void revision_elsewhere(const struct tale *tale, struct lie *lie)
{
    lie_about_revision(tale, lie, tale->other.location);
}
static void epoch_nowhere(const struct tale *tale, struct lie *lie)
{
    key_of_epoch(&lie->key, tale->epoch.bytes);
    value_of_location(&lie->value, tale->end.location - 64);
}
static void epoch_elsewhere(const struct tale *tale, struct lie *lie)
{
    key_of_epoch(&lie->key, tale->epoch.bytes);
    value_of_location(&lie->value, tale->other.location);
}
static void slot_row_elsewhere(const struct tale *tale, struct lie *lie)
{
    struct slot_ref slot = slot_of("Pluto", "is a");
    struct slot_row row = { .location = tale->other.location,
                            .valid_from_us = STEME_TIME_MIN,
                            .valid_to_us = STEME_TIME_MAX };
    key_of_slot_row(&lie->key, &slot, row.location);
    value_of_slot_row(&lie->value, key_slice(&lie->key), &row);
}
static void slot_row_nowhere(const struct tale *tale, struct lie *lie)
{
    struct slot_ref slot = slot_of("Pluto", "is a");
    struct slot_row row = { .location = tale->end.location - 64,
                            .valid_from_us = STEME_TIME_MIN,
                            .valid_to_us = STEME_TIME_MAX };
    key_of_slot_row(&lie->key, &slot, row.location);
    value_of_slot_row(&lie->value, key_slice(&lie->key), &row);
}
static void slot_row_rotten(const struct tale *tale, struct lie *lie)
{
    slot_row_elsewhere(tale, lie);
    lie->value.data[20] ^= 1;
}
/* The row of the claim as it is, to change something in it and seal it anew. */
static struct slot_row true_row(const struct tale *tale, struct lie *lie)
{
    struct kv_txn *txn = NULL;
    struct steme_slice value;
    struct slot_row row;
    struct slot_ref slot = slot_of("Pluto", "is a");
    key_of_slot_row(&lie->key, &slot, tale->place.location);
    OK(kv_begin(tale->w->kv, KV_READ, &txn, &failure));
    OK(kv_get(txn, key_slice(&lie->key), &value, &failure));
    OK(row_slot(key_slice(&lie->key), value, NULL, &row, &failure));
    kv_abort(&txn);
    return row;
}
static void slot_row_of_another_claim(const struct tale *tale, struct lie *lie)
{
    struct slot_row row = true_row(tale, lie);
    row.claim[15] ^= 1;
    value_of_slot_row(&lie->value, key_slice(&lie->key), &row);
}
static void slot_row_of_another_voice(const struct tale *tale, struct lie *lie)
{
    struct slot_row row = true_row(tale, lie);
    row.voice[15] ^= 1;
    value_of_slot_row(&lie->value, key_slice(&lie->key), &row);
}
static void slot_row_turned_round(const struct tale *tale, struct lie *lie)
{
    struct slot_row row = true_row(tale, lie);
    row.negated = !row.negated;
    value_of_slot_row(&lie->value, key_slice(&lie->key), &row);
}
static void slot_row_less_sure(const struct tale *tale, struct lie *lie)
{
    struct slot_row row = true_row(tale, lie);
    row.confidence_ppm--;
    value_of_slot_row(&lie->value, key_slice(&lie->key), &row);
}
static void ballot_rotten(const struct tale *tale, struct lie *lie)
{
    struct steme_target target = pile_on_assertion("Pluto", tale->claim);
    key_of_ballot(&lie->key, &target, tale->other_id.bytes, 0, tale->other_id.bytes);
    value_of_ballot(&lie->value, key_slice(&lie->key), &(struct ballot_row){ .probability_ppm = 1 });
    lie->value.data[10] ^= 1;
}

static const struct {
    const char *name;
    void (*tell)(const struct tale *tale, struct lie *lie);
} tales[] = {
    { "a revision where no record lies", revision_nowhere },
    { "a revision that is another record", revision_elsewhere },
    { "an epoch where no record lies", epoch_nowhere },
    { "an epoch that is another record", epoch_elsewhere },
    { "an assertion that is another record", slot_row_elsewhere },
    { "an assertion where no record lies", slot_row_nowhere },
    { "an assertion of another claim than its record", slot_row_of_another_claim },
    { "an assertion of another voice than its record", slot_row_of_another_voice },
    { "an assertion of the opposite of its record", slot_row_turned_round },
    { "an assertion less sure than its record", slot_row_less_sure },
    { "a slot row that fails its check", slot_row_rotten },
    { "a ballot that fails its check", ballot_rotten },
};

static void a_lie_is_found_not_believed(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(tales); i++) {
        void *own = NULL;
        struct lie lie;
        struct slot_ref slot = slot_of("Pluto", "is a");
        struct wal_place places[8];
        assert_int_equal(open_world(&own), 0);
        struct tale tale = { .w = own };
        struct world *w = tale.w;
        tale.epoch = say(w, 0, pile_epoch("before", NULL, 0));
        tale.claim = say_in(w, "planet", &tale.epoch);
        tale.other_id = say(w, 0, pile_claim("Ceres", "is a", "planet"));
        struct steme_target target = pile_on_assertion("Pluto", tale.claim);
        tale.revision = say(w, 1, pile_revision(STEME_RETRACT, &target, 1, NULL));
        say(w, 1, pile_vote(target, STEME_SUPPORT));
        logbook_write(&w->log, &w->pile, 0, w->pile.group_count, places);
        w->written = w->pile.group_count;
        tale.place = places[1];
        tale.other = places[2];
        tale.end.location = wal_durable(w->log.wal).location;
        w->kv = indexer_index(&w->log);
        tales[i].tell(&tale, &lie);
        OK(kv_update(w->kv, put_lie, &lie, &failure));
        OK(begin_reading(w, &latest));
        steme_status status = evidence_gather(&w->reader, &slot, NULL, &w->arena, &w->found, &failure);
        assert_status(status, STEME_CORRUPT, &failure, tales[i].name);
        (void)close_world(&own);
    }
}

static void a_store_that_fails_at_any_call_is_told(void **state)
{
    struct world *w = *state;
    struct slot_ref slot = slot_of("Pluto", "is a");
    struct steme_hash before = say(w, 0, pile_epoch("before", NULL, 0));
    struct steme_target target = pile_on_assertion("Pluto", say_in(w, "planet", &before));
    say(w, 1, pile_vote(target, STEME_SUPPORT));
    say(w, 1, pile_vote(pile_on(STEME_ON_AGENT, pile_agent_id(2)), STEME_SUPPORT));
    say(w, 1, pile_revision(STEME_RETRACT, &target, 1, NULL));
    write_rest(w);
    w->kv = kv_fault_new(indexer_index(&w->log));
    assert_non_null(w->kv);
    size_t failed = 0;
    for (uint64_t nth = 1;; nth++, failed++) {
        struct kv_txn *txn = NULL;
        struct endorsement_row *edges = NULL;
        size_t count = 0;
        uint64_t limit = 0, sequence = 0;
        OK(kv_begin(w->kv, KV_READ, &txn, &failure));
        kv_fault_fail(w->kv, KV_FAULT_ANY, nth, STEME_IO, false);
        steme_status status = moment_limit(w->log.wal, txn, 4, PILE_NOON_US + 10 * SECOND, &limit, &sequence, &failure);
        reader_init(&w->reader, w->log.wal, &txn, UINT64_MAX, STEME_TIME_MAX);
        if (!status) status = evidence_gather(&w->reader, &slot, NULL, &w->arena, &w->found, &failure);
        if (!status) status = evidence_endorsements(&w->reader, &w->arena, &edges, &count, &failure);
        kv_fault_fail(w->kv, KV_FAULT_ANY, 0, STEME_OK, false);
        reader_deinit(&w->reader);
        if (!status) break;
        assert_int_equal(status, STEME_IO);
    }
    assert_true(failed > 10);
}

static void no_memory_is_told(void **state)
{
    struct world *w = *state;
    struct slot_ref slot = slot_of("Pluto", "is a");
    struct steme_target target = { STEME_ON_ASSERTION, 0, { { 0 } } };
    for (unsigned agent = 0; agent < 8; agent++) {
        target = pile_on_assertion("Pluto", say(w, agent, pluto_is("planet")));
        say(w, agent, pile_vote(target, STEME_SUPPORT));
        say(w, agent, pile_revision(STEME_RETRACT, &target, 1, NULL));
    }
    write_rest(w);
    w->kv = indexer_index(&w->log);
    OK(begin_reading(w, &latest));
    size_t failed = 0;
    for (size_t ceiling = 0;; ceiling += 512, failed++) {
        struct arena arena;
        arena_init(&arena, ceiling);
        steme_status status = evidence_gather(&w->reader, &slot, NULL, &arena, &w->found, &failure);
        arena_deinit(&arena);
        if (!status) break;
        assert_int_equal(status, STEME_NO_MEMORY);
    }
    assert_true(failed > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EVIDENCE_CASE(a_moment_bounds_what_is_looked_at),
        EVIDENCE_CASE(what_came_later_did_not_exist),
        EVIDENCE_CASE(what_came_next_in_the_batch_did_not_exist_either),
        cmocka_unit_test(a_moment_in_a_damaged_batch_is_found),
        EVIDENCE_CASE(endorsements_are_the_latest_ballots_on_agents_and_sources),
        EVIDENCE_CASE(all_ballots_are_listed_and_the_latest_marked),
        EVIDENCE_CASE(revisions_are_listed_by_id),
        EVIDENCE_CASE(slots_are_walked_one_by_one),
        cmocka_unit_test(a_lie_is_found_not_believed),
        EVIDENCE_CASE(a_store_that_fails_at_any_call_is_told),
        EVIDENCE_CASE(no_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
