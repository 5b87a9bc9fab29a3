/* SPDX-License-Identifier: Apache-2.0 */
#include "base/check.h"
#include "base/hash.h"
#include "base/slice.h"
#include "db/store.h"
#include "lib/shop.h"
#include "lib/testing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct steme_error failure;

#define OK(call) assert_status((call), STEME_OK, &failure, #call)

static const struct steme_hash nowhere = { { 0xde, 0xad, 0xbe, 0xef } };

/* A pile with one record of each type, all submitted: claim 0, vote 1, epoch 2, revision 3, bundle 4 of 5 and 6. */
enum { CLAIM, VOTE, EPOCH, REVISION, BUNDLE, MEMBER, LAST_MEMBER, RECORDS };

static void tell_one_of_each(struct shop *shop, struct pile *pile)
{
    pile_init(pile);
    struct steme_target target = pile_on_assertion("Pluto", pile_add(pile, 0, pile_claim("Pluto", "is a", "planet")));
    (void)pile_add(pile, 1, pile_vote(target, STEME_REFUTE));
    (void)pile_add(pile, 2, pile_epoch("before 2006", NULL, 0));
    (void)pile_add(pile, 3, pile_revision(STEME_RETRACT, &target, 1, NULL));
    struct steme_assertion list[] = { pile_claim("Ceres", "is a", "planet").as.assertion,
                                      pile_claim("Eris", "is a", "planet").as.assertion };
    (void)pile_add_bundle(pile, 4, list, 2);
    assert_int_equal(pile->record_count, RECORDS);
    shop_submit_all(shop, pile);
}

/* ---- one record ---- */

static void every_record_is_read_by_its_id(void **state)
{
    struct shop *shop = *state;
    struct pile pile;
    struct steme_entry entry;
    tell_one_of_each(shop, &pile);
    struct steme_snapshot *snapshot = shop_look(shop->store);
    for (size_t i = 0; i < RECORDS; i++) {
        OK(steme_get(snapshot, &pile.ids[i], &entry, &failure));
        assert_memory_equal(&entry.id, &pile.ids[i], 32);
        assert_int_equal(entry.sequence, i + 1);
        assert_true(slice_equal(entry.bytes, pile.records[i].bytes));
        assert_int_equal(entry.is_signed, pile.records[i].is_signed);
        if (entry.is_signed)
            assert_memory_equal(&entry.signature, &pile.records[i].signature, 64);
        else
            assert_memory_equal(&entry.bundle, &pile.ids[BUNDLE], 32);
    }
    assert_int_equal(steme_get(snapshot, &nowhere, &entry, &failure), STEME_NOT_FOUND);
    assert_non_null(strstr(failure.message, "deadbeef"));
    struct steme_hash twin = pile.ids[CLAIM];
    twin.bytes[31] ^= 1; /* begins like a record's id */
    assert_int_equal(steme_get(snapshot, &twin, &entry, &failure), STEME_NOT_FOUND);
    steme_snapshot_close(&snapshot);
    struct steme_moment moment = { 3, STEME_TIME_MAX, STEME_TIME_MAX, 0 };
    snapshot = shop_look_at(shop->store, moment);
    OK(steme_get(snapshot, &pile.ids[EPOCH], &entry, &failure));
    assert_int_equal(steme_get(snapshot, &pile.ids[REVISION], &entry, &failure), STEME_NOT_FOUND);
    steme_snapshot_close(&snapshot);
    pile_deinit(&pile);
}

/* ---- an id by its first digits ---- */

static void an_id_is_found_by_its_first_digits(void **state)
{
    struct shop *shop = *state;
    struct pile pile;
    tell_one_of_each(shop, &pile);
    struct steme_snapshot *snapshot = shop_look(shop->store);
    for (size_t i = 0; i < RECORDS; i++) {
        char hex[STEME_PRINT_BYTES], upper[STEME_PRINT_BYTES];
        steme_print_hash(&pile.ids[i], hex);
        for (size_t digits = 6; digits <= 64; digits++) {
            struct steme_hash found = nowhere;
            (void)snprintf(upper, sizeof upper, "%.*s", (int)digits, hex);
            OK(steme_find_id(snapshot, upper, &found, &failure));
            assert_memory_equal(&found, &pile.ids[i], 32);
            for (char *c = upper; *c; c++)
                if (*c >= 'a') *c = (char)(*c - 'a' + 'A');
            OK(steme_find_id(snapshot, upper, &found, &failure));
        }
        hex[63] = hex[63] == '0' ? '1' : '0'; /* all but the last digit */
        struct steme_hash found;
        assert_int_equal(steme_find_id(snapshot, hex, &found, &failure), STEME_NOT_FOUND);
        hex[40] = hex[40] == '0' ? '1' : '0'; /* past what the index holds */
        hex[48] = '\0';
        assert_int_equal(steme_find_id(snapshot, hex, &found, &failure), STEME_NOT_FOUND);
    }
    steme_snapshot_close(&snapshot);
    pile_deinit(&pile);
}

static const struct {
    const char *name, *hex;
    steme_status want;
} bad_digits[] = {
    { "nothing", "", STEME_BAD_INPUT },
    { "too few", "abc", STEME_BAD_INPUT },
    { "no hex", "abcg", STEME_BAD_INPUT },
    { "a space", "abcd ", STEME_BAD_INPUT },
    { "too many", "00000000000000000000000000000000000000000000000000000000000000000", STEME_BAD_INPUT },
    { "of no record", "deadbeef", STEME_NOT_FOUND },
};

static void digits_of_no_id_are_refused(void **state)
{
    struct shop *shop = *state;
    struct pile pile;
    struct steme_hash found;
    tell_one_of_each(shop, &pile);
    struct steme_snapshot *snapshot = shop_look(shop->store);
    for (size_t i = 0; i < countof(bad_digits); i++)
        assert_status(steme_find_id(snapshot, bad_digits[i].hex, &found, &failure), bad_digits[i].want, &failure,
                      bad_digits[i].name);
    steme_snapshot_close(&snapshot);
    pile_deinit(&pile);
}

/* So many records that some ids share four digits, and some five. */
static void digits_of_several_ids_are_ambiguous(void **state)
{
    struct shop *shop = *state;
    enum { MANY = 2000 };
    struct pile pile;
    static struct steme_assertion list[MANY];
    size_t shared[2] = { 0, 0 };
    pile_init(&pile);
    for (int64_t i = 0; i < MANY; i++) {
        list[i] = pile_claim("Pluto", "is a", "planet").as.assertion;
        list[i].asserted_at_us += i;
    }
    (void)pile_add_bundle(&pile, 0, list, MANY);
    shop_submit_all(shop, &pile);
    struct steme_snapshot *snapshot = shop_look(shop->store);
    for (size_t i = 0; i < pile.record_count && i < 400; i++) {
        for (size_t digits = 4; digits <= 5; digits++) {
            char hex[STEME_PRINT_BYTES], other[STEME_PRINT_BYTES];
            size_t same = 0;
            struct steme_hash found;
            steme_print_hash(&pile.ids[i], hex);
            hex[digits] = '\0';
            for (size_t k = 0; k < pile.record_count; k++) {
                steme_print_hash(&pile.ids[k], other);
                same += strncmp(hex, other, digits) == 0;
            }
            steme_status status = steme_find_id(snapshot, hex, &found, &failure);
            assert_int_equal(status, same > 1 ? STEME_BAD_INPUT : STEME_OK);
            if (status) assert_non_null(strstr(failure.message, hex));
            shared[digits - 4] += same > 1;
        }
    }
    assert_true(shared[0] > shared[1]);
    steme_snapshot_close(&snapshot);
    pile_deinit(&pile);
}

/* ---- targets and testimonies ---- */

static const struct {
    size_t record;
    steme_status want;
    enum steme_target_kind kind;
} targets[] = {
    { CLAIM, STEME_OK, STEME_ON_ASSERTION }, { VOTE, STEME_OK, STEME_ON_VOTE },
    { EPOCH, STEME_OK, STEME_ON_EPOCH },     { REVISION, STEME_BAD_INPUT, 0 },
    { BUNDLE, STEME_BAD_INPUT, 0 },          { MEMBER, STEME_OK, STEME_ON_ASSERTION },
};

static void a_record_is_made_a_target(void **state)
{
    struct shop *shop = *state;
    struct pile pile;
    struct steme_target target;
    tell_one_of_each(shop, &pile);
    struct steme_snapshot *snapshot = shop_look(shop->store);
    for (size_t i = 0; i < countof(targets); i++) {
        const struct steme_hash *id = &pile.ids[targets[i].record];
        assert_int_equal(steme_target_of(snapshot, id, &target, &failure), targets[i].want);
        if (targets[i].want) continue;
        assert_int_equal(target.kind, targets[i].kind);
        assert_memory_equal(&target.hash, id, sizeof *id);
        uint64_t route = steme_route(slice_text(targets[i].record == MEMBER ? "Ceres" : "Pluto"));
        if (target.kind != STEME_ON_EPOCH)
            assert_int_equal(target.route, route);
        else
            assert_int_equal(target.route, pile_on(STEME_ON_EPOCH, *id).route);
    }
    assert_int_equal(steme_target_of(snapshot, &nowhere, &target, &failure), STEME_NOT_FOUND);
    steme_snapshot_close(&snapshot);
    pile_deinit(&pile);
}

static void a_testimony_is_unfolded_alone(void **state)
{
    struct shop *shop = *state;
    struct pile pile;
    struct steme_testimony t;
    tell_one_of_each(shop, &pile);
    struct steme_snapshot *snapshot = shop_look(shop->store);
    OK(steme_testimony_of(snapshot, &pile.ids[CLAIM], &t, &failure));
    assert_int_equal(t.standing, STEME_LIVE); /* retracted by a stranger */
    assert_int_equal(t.ballot_count, 1);
    assert_true(t.ballots[0].counts);
    assert_int_equal(t.revision_count, 1);
    assert_false(t.revisions[0].effective);
    OK(steme_testimony_of(snapshot, &pile.ids[LAST_MEMBER], &t, &failure));
    assert_int_equal(t.ballot_count, 0);
    assert_int_equal(steme_testimony_of(snapshot, &nowhere, &t, &failure), STEME_NOT_FOUND);
    assert_int_equal(steme_testimony_of(snapshot, &pile.ids[VOTE], &t, &failure), STEME_BAD_INPUT);
    steme_snapshot_close(&snapshot);
    pile_deinit(&pile);
}

/* ---- tallies ---- */

static void a_tally_counts_the_latest_of_each_voter(void **state)
{
    struct shop *shop = *state;
    struct pile pile;
    struct steme_tally tally;
    pile_init(&pile);
    struct steme_target on = pile_on_claim("Pluto", "is a", "planet", false);
    struct steme_target off = pile_on_claim("Pluto", "is a", "planet", true);
    static const struct {
        unsigned voter;
        bool not_x;
        enum steme_stance stance;
        uint32_t ppm;
        int64_t at;
    } casts[] = {
        { 1, false, STEME_SUPPORT, 100, 0 },  { 1, false, STEME_REFUTE, 70, 5 }, { 2, true, STEME_REFUTE, 30, 0 },
        { 3, true, STEME_SUPPORT, 20, 0 },    { 4, false, STEME_SUPPORT, 9, 0 }, { 4, true, STEME_ABSTAIN, 5, 9 },
        { 5, false, STEME_SUPPORT, 1000, 0 },
    };
    for (size_t i = 0; i < countof(casts); i++) {
        struct steme_record vote = pile_vote(casts[i].not_x ? off : on, casts[i].stance);
        vote.as.vote.probability_ppm = casts[i].ppm;
        vote.as.vote.cast_at_us += casts[i].at;
        (void)pile_add(&pile, casts[i].voter, vote);
    }
    shop_submit_all(shop, &pile);
    struct steme_snapshot *snapshot = shop_look(shop->store);
    OK(steme_tally(snapshot, &on, &tally, &failure));
    assert_int_equal(tally.support, 2); /* 2 and 5 */
    assert_int_equal(tally.refute, 2);  /* 1 and 3 */
    assert_int_equal(tally.abstain, 1);
    assert_int_equal(tally.support_ppm, 1030);
    assert_int_equal(tally.refute_ppm, 90);
    OK(steme_tally(snapshot, &off, &tally, &failure));
    assert_int_equal(tally.support, 2);
    assert_int_equal(tally.support_ppm, 90);
    assert_int_equal(tally.refute_ppm, 1030);
    on.route++;
    OK(steme_tally(snapshot, &on, &tally, &failure));
    assert_int_equal(tally.support + tally.refute + tally.abstain, 0);
    struct steme_target wrong = { STEME_ON_VOTE, 1, { { 1 } } };
    assert_int_equal(steme_tally(snapshot, &wrong, &tally, &failure), STEME_BAD_INPUT);
    wrong.kind = (enum steme_target_kind)77;
    assert_int_equal(steme_tally(snapshot, &wrong, &tally, &failure), STEME_BAD_INPUT);
    steme_snapshot_close(&snapshot);
    pile_deinit(&pile);
}

/* As of before and after a retraction; no earlier ballot takes the place of one that was taken back. */
static void a_retracted_ballot_is_counted_apart(void **state)
{
    struct shop *shop = *state;
    struct pile pile;
    struct steme_tally tally;
    pile_init(&pile);
    struct steme_target on = pile_on_assertion("Pluto", pile_agent_id(7));
    struct steme_record earlier = pile_vote(on, STEME_REFUTE), later = pile_vote(on, STEME_SUPPORT);
    later.as.vote.cast_at_us++;
    (void)pile_add(&pile, 1, earlier);
    struct steme_target ballot = { STEME_ON_VOTE, on.route, pile_add(&pile, 1, later) };
    (void)pile_add(&pile, 2, pile_revision(STEME_RETRACT, &ballot, 1, NULL)); /* a stranger's */
    (void)pile_add(&pile, 1, pile_revision(STEME_RETRACT, &ballot, 1, NULL));
    shop_submit_all(shop, &pile);
    for (uint64_t as_of = 0; as_of <= 5; as_of++) {
        struct steme_moment moment = { as_of < 5 ? as_of : UINT64_MAX, STEME_TIME_MAX, STEME_TIME_MAX, 0 };
        struct steme_snapshot *snapshot = shop_look_at(shop->store, moment);
        OK(steme_tally(snapshot, &on, &tally, &failure));
        assert_int_equal(tally.refute, as_of == 1);
        assert_int_equal(tally.support, as_of == 2 || as_of == 3);
        assert_int_equal(tally.retracted, as_of >= 4);
        assert_int_equal(tally.ballots, as_of < 2 ? as_of : 2);
        steme_snapshot_close(&snapshot);
    }
    pile_deinit(&pile);
}

/* Ages are counted from the moment: from when the last record was received, or from the time asked for. */
static void old_ballots_do_not_count_where_an_age_is_given(void **state)
{
    struct shop *shop = *state;
    struct pile pile;
    struct steme_entry last;
    struct steme_tally tally;
    struct steme_answer answer;
    struct steme_question question = { .subject = slice_text("Pluto"), .predicate = slice_text("is a") };
    pile_init(&pile);
    struct steme_hash id = pile_add(&pile, 0, pile_claim("Pluto", "is a", "planet"));
    struct steme_target on = pile_on_assertion("Pluto", id);
    struct steme_record old = pile_vote(on, STEME_SUPPORT), young = pile_vote(on, STEME_REFUTE);
    young.as.vote.cast_at_us += 1000;
    (void)pile_add(&pile, 1, old);
    struct steme_hash last_id = pile_add(&pile, 2, young);
    shop_submit_all(shop, &pile);
    struct steme_snapshot *snapshot = shop_look(shop->store);
    OK(steme_get(snapshot, &last_id, &last, &failure));
    int64_t received = last.received_at_us;
    steme_snapshot_close(&snapshot);
    static const struct {
        const char *name;
        int64_t from; /* behind PILE_NOON_US: the first time whose ballots count */
        uint64_t support, refute, expired;
    } rows[] = {
        { "both are young enough", 0, 1, 1, 0 },
        { "one is a microsecond too old", 1, 0, 1, 1 },
        { "the other just is not", 1000, 0, 1, 1 },
        { "both are too old", 1001, 0, 0, 2 },
    };
    for (size_t i = 0; i < 2 * countof(rows); i++) {
        bool by_time = i % 2;
        struct steme_moment moment = steme_moment_now();
        if (by_time) moment.as_of_us = received + 12345;
        moment.ballot_age_us = received + (by_time ? 12345 : 0) - (PILE_NOON_US + rows[i / 2].from);
        snapshot = shop_look_at(shop->store, moment);
        OK(steme_tally(snapshot, &on, &tally, &failure));
        assert_row(tally.support == rows[i / 2].support && tally.refute == rows[i / 2].refute, rows[i / 2].name);
        assert_row(tally.expired == rows[i / 2].expired && tally.ballots == 2, rows[i / 2].name);
        OK(steme_resolve(snapshot, &question, &answer, &failure));
        assert_row(answer.votes == tally.support + tally.refute, rows[i / 2].name);
        steme_snapshot_close(&snapshot);
    }
    struct steme_moment moment = steme_moment_now();
    moment.ballot_age_us = -1;
    assert_int_equal(steme_snapshot_open(shop->store, &moment, &snapshot, &failure), STEME_BAD_INPUT);
    pile_deinit(&pile);
}

/* ---- walks ---- */

struct visits {
    struct steme_hash ids[64];
    uint64_t sequences[64];
    size_t count, stop_at;
    steme_status with;
};

static steme_status note_entry(void *context, const struct steme_entry *entry)
{
    struct visits *visits = context;
    assert_true(visits->count < countof(visits->ids));
    visits->ids[visits->count] = entry->id;
    visits->sequences[visits->count] = entry->sequence;
    return ++visits->count == visits->stop_at ? visits->with : STEME_OK;
}

static void the_log_is_walked_from_any_number(void **state)
{
    struct shop *shop = *state;
    struct pile pile;
    tell_one_of_each(shop, &pile);
    static const uint64_t moments[] = { 0, 1, 4, 5, 6, 7, 8, UINT64_MAX };
    for (size_t m = 0; m < countof(moments); m++) {
        struct steme_moment moment = { moments[m], STEME_TIME_MAX, STEME_TIME_MAX, 0 };
        struct steme_snapshot *snapshot = shop_look_at(shop->store, moment);
        uint64_t last = moments[m] < RECORDS ? moments[m] : RECORDS;
        for (uint64_t since = 0; since <= RECORDS + 2; since++) {
            struct visits visits = { .count = 0 };
            uint64_t first = since ? since : 1;
            OK(steme_log_each(snapshot, since, note_entry, &visits, &failure));
            assert_int_equal(visits.count, first <= last ? last - first + 1 : 0);
            for (size_t i = 0; i < visits.count; i++) {
                assert_int_equal(visits.sequences[i], first + i);
                assert_memory_equal(&visits.ids[i], &pile.ids[first + i - 1], 32);
            }
        }
        struct visits visits = { .count = 0 };
        OK(steme_log_each(snapshot, UINT64_MAX, note_entry, &visits, &failure));
        assert_int_equal(visits.count, 0);
        steme_snapshot_close(&snapshot);
    }
    pile_deinit(&pile);
}

static void an_export_is_in_the_order_of_ids_with_bundles_whole(void **state)
{
    struct shop *shop = *state;
    struct pile pile;
    struct visits visits = { .count = 0 };
    tell_one_of_each(shop, &pile);
    struct steme_snapshot *snapshot = shop_look(shop->store);
    OK(steme_export_each(snapshot, note_entry, &visits, &failure));
    assert_int_equal(visits.count, RECORDS);
    const struct steme_hash *before = NULL;
    for (size_t i = 0; i < visits.count; i++) {
        assert_true(!before || memcmp(before, &visits.ids[i], 32) < 0);
        before = &visits.ids[i];
        if (memcmp(before, &pile.ids[BUNDLE], 32) != 0) continue;
        assert_memory_equal(&visits.ids[i + 1], &pile.ids[MEMBER], 32);
        assert_memory_equal(&visits.ids[i + 2], &pile.ids[LAST_MEMBER], 32);
        i += 2;
    }
    steme_snapshot_close(&snapshot);
    /* As of a moment within the bundle it is not there yet. */
    struct steme_moment moment = { MEMBER + 1, STEME_TIME_MAX, STEME_TIME_MAX, 0 };
    snapshot = shop_look_at(shop->store, moment);
    visits.count = 0;
    OK(steme_export_each(snapshot, note_entry, &visits, &failure));
    assert_int_equal(visits.count, BUNDLE);
    steme_snapshot_close(&snapshot);
    pile_deinit(&pile);
}

static void an_export_can_be_imported_again(void **state)
{
    struct shop *shop = *state;
    void *other_state = NULL;
    struct buf want, got;
    struct pile pile;
    struct prng prng = { 12 };
    pile_init(&pile);
    pile_draw(&pile, &prng, 80);
    shop_submit_all(shop, &pile);
    assert_int_equal(shop_open(&other_state), 0);
    struct shop *other = other_state;
    size_t *order = calloc(pile.group_count, sizeof *order);
    assert_non_null(order);
    pile_shuffle(order, pile.group_count, &prng);
    shop_submit_in(other, &pile, order, pile.group_count, &prng);
    buf_init(&want, SHOP_TEXT_BYTES);
    buf_init(&got, SHOP_TEXT_BYTES);
    struct steme_snapshot *here = shop_look(shop->store), *there = shop_look(other->store);
    OK(shop_export(here, &want, &failure));
    OK(shop_export(there, &got, &failure));
    shop_same_text(&got, &want, "the other store's export");
    steme_snapshot_close(&here);
    steme_snapshot_close(&there);
    free(order);
    buf_deinit(&want);
    buf_deinit(&got);
    (void)shop_close(&other_state);
    pile_deinit(&pile);
}

static const steme_status ends[] = { STEME_FAILED, STEME_NOT_FOUND, STEME_CORRUPT };

static void a_visitor_s_answer_ends_the_walk_and_is_returned(void **state)
{
    struct shop *shop = *state;
    struct pile pile;
    struct steme_info info;
    tell_one_of_each(shop, &pile);
    struct steme_snapshot *snapshot = shop_look(shop->store);
    for (size_t i = 0; i < countof(ends); i++) {
        for (size_t stop = 1; stop <= RECORDS; stop++) {
            struct visits visits = { .stop_at = stop, .with = ends[i] };
            assert_int_equal(steme_log_each(snapshot, 0, note_entry, &visits, &failure), ends[i]);
            assert_int_equal(visits.count, stop);
            visits.count = 0;
            assert_int_equal(steme_export_each(snapshot, note_entry, &visits, &failure), ends[i]);
            assert_int_equal(visits.count, stop);
        }
    }
    OK(steme_info(shop->store, &info, &failure));
    assert_int_equal(info.index_rebuilds, 0);
    steme_snapshot_close(&snapshot);
    pile_deinit(&pile);
}

/* ---- epochs ---- */

static void epochs_are_listed_by_name_then_id(void **state)
{
    struct shop *shop = *state;
    struct pile pile;
    const struct steme_entry *list = NULL;
    size_t count = 0;
    static const char *const names[] = { "zeta", "alpha", "mu", "alpha", "beta" };
    pile_init(&pile);
    for (unsigned i = 0; i < countof(names); i++)
        (void)pile_add(&pile, i, pile_epoch(names[i], NULL, 0));
    shop_submit_all(shop, &pile);
    struct steme_snapshot *snapshot = shop_look(shop->store);
    OK(steme_epochs(snapshot, &list, &count, &failure));
    assert_int_equal(count, countof(names));
    for (size_t i = 1; i < count; i++) {
        int order = slice_compare(list[i - 1].record.as.epoch.name, list[i].record.as.epoch.name);
        if (!order) order = memcmp(&list[i - 1].id, &list[i].id, 32);
        assert_true(order < 0);
    }
    steme_snapshot_close(&snapshot);
    struct steme_moment moment = { 2, STEME_TIME_MAX, STEME_TIME_MAX, 0 };
    snapshot = shop_look_at(shop->store, moment);
    OK(steme_epochs(snapshot, &list, &count, &failure));
    assert_int_equal(count, 2);
    steme_snapshot_close(&snapshot);
    pile_deinit(&pile);
}

/* ---- records of types to come ---- */

static void a_record_of_a_type_to_come_is_kept_and_shown_by_nobody(void **state)
{
    struct shop *shop = *state;
    struct pile pile;
    struct steme_entry entry;
    struct steme_info info;
    struct visits visits = { .count = 0 };
    uint8_t bytes[64] = { 9, 0, 0, 0, 0, 0, 0, 0, 48, 0, 0, 0, 1, 0, 0, 0, 7 };
    struct steme_hash id = hash_one(slice_of(bytes, sizeof bytes));
    struct steme_signature signature = sign_record(pile_agent(0), &id);
    struct wal_record record = { slice_of(bytes, sizeof bytes), id, &signature };
    struct wal_place place;
    OK(wal_append(shop->store->wal, &record, 1, &place, &failure));
    tell_one_of_each(shop, &pile);
    OK(steme_info(shop->store, &info, &failure));
    assert_int_equal(info.dead_letters, 1);
    assert_int_equal(info.records[7], 1);
    assert_int_equal(info.last_sequence, RECORDS + 1);
    struct steme_snapshot *snapshot = shop_look(shop->store);
    OK(steme_log_each(snapshot, 0, note_entry, &visits, &failure));
    assert_int_equal(visits.count, RECORDS);
    assert_int_equal(visits.sequences[0], 2);
    visits.count = 0;
    OK(steme_export_each(snapshot, note_entry, &visits, &failure));
    assert_int_equal(visits.count, RECORDS);
    assert_int_equal(steme_get(snapshot, &id, &entry, &failure), STEME_UNSUPPORTED);
    steme_snapshot_close(&snapshot);
    pile_deinit(&pile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SHOP_CASE(every_record_is_read_by_its_id),
        SHOP_CASE(an_id_is_found_by_its_first_digits),
        SHOP_CASE(digits_of_no_id_are_refused),
        SHOP_CASE(digits_of_several_ids_are_ambiguous),
        SHOP_CASE(a_record_is_made_a_target),
        SHOP_CASE(a_testimony_is_unfolded_alone),
        SHOP_CASE(a_tally_counts_the_latest_of_each_voter),
        SHOP_CASE(a_retracted_ballot_is_counted_apart),
        SHOP_CASE(old_ballots_do_not_count_where_an_age_is_given),
        SHOP_CASE(the_log_is_walked_from_any_number),
        SHOP_CASE(an_export_is_in_the_order_of_ids_with_bundles_whole),
        SHOP_CASE(an_export_can_be_imported_again),
        SHOP_CASE(a_visitor_s_answer_ends_the_walk_and_is_returned),
        SHOP_CASE(epochs_are_listed_by_name_then_id),
        SHOP_CASE(a_record_of_a_type_to_come_is_kept_and_shown_by_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
