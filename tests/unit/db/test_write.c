/* SPDX-License-Identifier: Apache-2.0 */
#include "base/check.h"
#include "base/slice.h"
#include "db/store.h"
#include "lib/shop.h"
#include "lib/testing.h"

#include <string.h>

static struct steme_error failure;

#define OK(call) assert_status((call), STEME_OK, &failure, #call)

static struct steme_signer *signer_of(unsigned agent)
{
    struct steme_signer *signer = NULL;
    OK(steme_signer_from_seed(pile_agent(agent)->seed, &signer, &failure));
    return signer;
}

static uint64_t last_sequence(struct shop *shop)
{
    struct steme_info info;
    OK(steme_info(shop->store, &info, &failure));
    return info.last_sequence;
}

static struct steme_assertion pluto_is(const char *what) { return pile_claim("Pluto", "is a", what).as.assertion; }

/* ---- one record of each type ---- */

static void every_type_is_written_read_back_and_known_again(void **state)
{
    struct shop *shop = *state;
    struct steme_signer *signer = signer_of(3);
    struct steme_hash id = pile_agent_id(5);
    struct steme_target target = pile_on_assertion("Pluto", id);
    const struct {
        const char *name;
        struct steme_record record;
    } rows[] = {
        { "an assertion", pile_claim("Pluto", "is a", "planet") },
        { "a vote", pile_vote(target, STEME_SUPPORT) },
        { "an epoch", pile_epoch("before", NULL, 0) },
        { "a revision", pile_revision(STEME_RETRACT, &target, 1, NULL) },
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct steme_receipt first, second;
        struct steme_entry entry;
        assert_status(steme_write(shop->store, signer, &rows[i].record, &first, &failure), STEME_OK, &failure,
                      rows[i].name);
        assert_row(first.sequence == i + 1 && !first.duplicate, rows[i].name);
        OK(steme_wait(shop->store, first.sequence, SHOP_WAIT_MS, &failure));
        struct steme_snapshot *snapshot = shop_look(shop->store);
        OK(steme_get(snapshot, &first.id, &entry, &failure));
        assert_row(entry.record.type == rows[i].record.type, rows[i].name);
        assert_row(entry.is_signed && entry.sequence == first.sequence, rows[i].name);
        steme_snapshot_close(&snapshot);
        OK(steme_write(shop->store, signer, &rows[i].record, &second, &failure));
        assert_row(second.duplicate && second.sequence == first.sequence, rows[i].name);
        assert_memory_equal(&second.id, &first.id, sizeof first.id);
    }
    assert_int_equal(last_sequence(shop), countof(rows));
    steme_signer_free(&signer);
}

static void the_signer_s_key_takes_the_author_s_place(void **state)
{
    struct shop *shop = *state;
    struct steme_signer *signer = signer_of(3);
    struct steme_record record = pile_claim("Pluto", "is a", "planet");
    struct steme_receipt receipt;
    struct steme_entry entry;
    struct steme_key key = steme_signer_key(signer);
    memset(&record.as.assertion.author, 0xee, sizeof record.as.assertion.author);
    OK(steme_write(shop->store, signer, &record, &receipt, &failure));
    OK(steme_wait(shop->store, 1, SHOP_WAIT_MS, &failure));
    struct steme_snapshot *snapshot = shop_look(shop->store);
    OK(steme_get(snapshot, &receipt.id, &entry, &failure));
    assert_memory_equal(&entry.record.as.assertion.author, &key, sizeof key);
    steme_snapshot_close(&snapshot);
    steme_signer_free(&signer);
}

/* ---- what is refused ---- */

static const char bad_utf8[] = "Plu\xc3to";
static char long_text[STEME_TEXT_MAX + 2], long_name[STEME_NAME_MAX + 2];

static struct steme_record no_subject(void) { return pile_claim("", "is a", "planet"); }
static struct steme_record bad_subject(void) { return pile_claim(bad_utf8, "is a", "planet"); }
static struct steme_record long_subject(void)
{
    memset(long_name, 'n', sizeof long_name - 1);
    return pile_claim(long_name, "is a", "planet");
}
static struct steme_record too_sure(void)
{
    struct steme_record record = pile_claim("Pluto", "is a", "planet");
    record.as.assertion.confidence_ppm = STEME_PPM + 1;
    return record;
}
static struct steme_record long_reason(void)
{
    struct steme_record record = pile_vote(pile_on(STEME_ON_AGENT, pile_agent_id(1)), STEME_SUPPORT);
    memset(long_text, 't', sizeof long_text - 1);
    record.as.vote.reason = slice_text(long_text);
    return record;
}
static struct steme_record vote_on_vote(void)
{
    return pile_vote((struct steme_target){ STEME_ON_VOTE, 1, { { 1 } } }, STEME_SUPPORT);
}
static struct steme_record backwards(void)
{
    struct steme_record record = pile_epoch("before", NULL, 0);
    record.as.epoch.from_us = 2;
    record.as.epoch.to_us = 1;
    return record;
}
static struct steme_record of_nothing(void) { return pile_revision(STEME_RETRACT, NULL, 0, NULL); }
static struct steme_record a_bundle(void)
{
    static struct steme_hash members[1];
    return (struct steme_record){ .type = STEME_BUNDLE, .as.bundle = { .members = members, .member_count = 1 } };
}
static struct steme_record of_no_type(void) { return (struct steme_record){ .type = (enum steme_type)9 }; }

static const struct {
    const char *name;
    struct steme_record (*make)(void);
    steme_status want;
} refusals[] = {
    { "no subject", no_subject, STEME_BAD_INPUT },
    { "a subject that is not UTF-8", bad_subject, STEME_BAD_INPUT },
    { "a subject that is too long", long_subject, STEME_TOO_LARGE },
    { "a confidence above 1", too_sure, STEME_BAD_INPUT },
    { "a reason that is too long", long_reason, STEME_TOO_LARGE },
    { "a vote on a vote", vote_on_vote, STEME_BAD_INPUT },
    { "an epoch that ends before it begins", backwards, STEME_BAD_INPUT },
    { "a revision of nothing", of_nothing, STEME_BAD_INPUT },
    { "a bundle", a_bundle, STEME_BAD_INPUT },
    { "a type that is none", of_no_type, STEME_BAD_INPUT },
};

static void what_the_format_does_not_allow_is_refused(void **state)
{
    struct shop *shop = *state;
    struct steme_signer *signer = signer_of(0);
    for (size_t i = 0; i < countof(refusals); i++) {
        struct steme_record record = refusals[i].make();
        struct steme_receipt receipt = { .sequence = 99 };
        failure.message[0] = '\0';
        assert_status(steme_write(shop->store, signer, &record, &receipt, &failure), refusals[i].want, &failure,
                      refusals[i].name);
        assert_row(receipt.sequence == 99, refusals[i].name);
        assert_row(failure.message[0] != '\0', refusals[i].name);
        assert_row(steme_write(shop->store, signer, &record, &receipt, NULL) == refusals[i].want, refusals[i].name);
    }
    assert_int_equal(last_sequence(shop), 0);
    steme_signer_free(&signer);
}

static void a_reader_s_store_takes_nothing(void **state)
{
    struct shop *shop = *state;
    struct steme_signer *signer = signer_of(0);
    struct steme_record record = pile_claim("Pluto", "is a", "planet");
    struct steme_receipt receipt;
    struct pile pile;
    size_t bad = 99;
    pile_init(&pile);
    (void)pile_add(&pile, 0, record);
    shop_reopen(shop, true);
    assert_int_equal(steme_write(shop->store, signer, &record, &receipt, &failure), STEME_READ_ONLY);
    assert_int_equal(steme_write_bundle(shop->store, signer, &record.as.assertion, 1, &receipt, &bad, &failure),
                     STEME_READ_ONLY);
    assert_int_equal(bad, 1);
    bad = 99;
    assert_int_equal(steme_write_many(shop->store, signer, &record, 1, &receipt, &bad, &failure), STEME_READ_ONLY);
    assert_int_equal(bad, 1);
    bad = 99;
    assert_int_equal(steme_submit(shop->store, pile.records, 1, &receipt, &bad, &failure), STEME_READ_ONLY);
    assert_int_equal(bad, 1);
    pile_deinit(&pile);
    steme_signer_free(&signer);
}

/* ---- many at once, each signed by itself ---- */

static void many_records_share_one_sync(void **state)
{
    struct shop *shop = *state;
    enum { COUNT = 300 };
    static struct steme_record records[COUNT];
    static struct steme_receipt receipts[COUNT];
    struct steme_signer *signer = signer_of(1);
    struct wal_stats before, after;
    struct steme_snapshot *snapshot = NULL;
    struct steme_tally tally;
    size_t bad = 99;
    for (int64_t i = 0; i < COUNT; i++) {
        records[i] = pile_vote(pile_on_assertion("Pluto", pile_agent_id(i % 2 ? 7u : 8u)), STEME_SUPPORT);
        records[i].as.vote.cast_at_us += i / 4; /* each is there twice */
    }
    wal_stats(shop->store->wal, &before);
    OK(steme_write_many(shop->store, signer, records, COUNT, receipts, &bad, &failure));
    wal_stats(shop->store->wal, &after);
    assert_int_equal(after.batches - before.batches, 1);
    assert_int_equal(after.appended_records - before.appended_records, COUNT / 2);
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(receipts[i].duplicate, i % 4 >= 2);
    OK(steme_write_many(shop->store, signer, records, COUNT, NULL, NULL, &failure)); /* nobody asks for receipts */
    OK(steme_wait(shop->store, receipts[COUNT - 1].sequence, 60000, &failure));
    snapshot = shop_look(shop->store);
    OK(steme_tally(snapshot, &records[0].as.vote.target, &tally, &failure));
    assert_int_equal(tally.support, 1);
    assert_int_equal(tally.ballots, COUNT / 4);
    steme_snapshot_close(&snapshot);
    steme_signer_free(&signer);
}

static void of_many_a_bad_one_is_named_and_nothing_is_written(void **state)
{
    struct shop *shop = *state;
    struct steme_signer *signer = signer_of(1);
    struct steme_record records[3] = { pile_claim("Pluto", "is a", "planet"),
                                       pile_vote(pile_on_assertion("Pluto", pile_agent_id(7)), STEME_SUPPORT),
                                       { .type = STEME_BUNDLE } };
    struct steme_receipt receipts[3];
    struct steme_info info;
    size_t bad = 99;
    assert_int_equal(steme_write_many(shop->store, signer, records, 3, receipts, &bad, &failure), STEME_BAD_INPUT);
    assert_int_equal(bad, 2);
    records[1].as.vote.probability_ppm = STEME_PPM + 1;
    assert_int_equal(steme_write_many(shop->store, signer, records, 2, receipts, &bad, &failure), STEME_BAD_INPUT);
    assert_int_equal(bad, 1);
    assert_int_equal(steme_write_many(shop->store, signer, records, 0, receipts, &bad, &failure), STEME_BAD_INPUT);
    assert_int_equal(
        steme_write_many(shop->store, signer, records, STEME_BATCH_RECORDS_MAX + 1, receipts, &bad, &failure),
        STEME_TOO_LARGE);
    assert_int_equal(bad, STEME_BATCH_RECORDS_MAX + 1);
    static char reason[STEME_TEXT_MAX];
    static struct steme_record large[STEME_BATCH_BYTES_MAX / STEME_TEXT_MAX + 1];
    memset(reason, 'r', sizeof reason);
    for (int64_t i = 0; i < (int64_t)countof(large); i++) {
        large[i] = pile_vote(pile_on_assertion("Pluto", pile_agent_id(7)), STEME_SUPPORT);
        large[i].as.vote.cast_at_us += i;
        large[i].as.vote.reason = slice_of(reason, sizeof reason);
    }
    assert_int_equal(steme_write_many(shop->store, signer, large, countof(large), NULL, &bad, &failure),
                     STEME_TOO_LARGE);
    assert_int_equal(bad, countof(large));
    OK(steme_info(shop->store, &info, &failure));
    assert_int_equal(info.last_sequence, 0);
    steme_signer_free(&signer);
}

/* ---- bundles ---- */

static void a_bundle_s_members_are_numbered_and_vouched_for(void **state)
{
    struct shop *shop = *state;
    struct steme_signer *signer = signer_of(1);
    struct steme_assertion list[] = { pluto_is("planet"), pluto_is("comet"), pluto_is("star") };
    struct steme_receipt receipts[3];
    struct steme_hash bundle = { { 0 } };
    OK(steme_write_bundle(shop->store, signer, list, 3, receipts, NULL, &failure));
    OK(steme_wait(shop->store, receipts[2].sequence, SHOP_WAIT_MS, &failure));
    struct steme_snapshot *snapshot = shop_look(shop->store);
    for (size_t i = 0; i < 3; i++) {
        struct steme_entry entry;
        assert_int_equal(receipts[i].sequence, i + 2);
        assert_false(receipts[i].duplicate);
        OK(steme_get(snapshot, &receipts[i].id, &entry, &failure));
        assert_false(entry.is_signed);
        if (i) assert_memory_equal(&entry.bundle, &bundle, sizeof bundle);
        bundle = entry.bundle;
    }
    struct steme_entry entry;
    OK(steme_get(snapshot, &bundle, &entry, &failure));
    assert_int_equal(entry.record.type, STEME_BUNDLE);
    assert_int_equal(entry.record.as.bundle.member_count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_memory_equal(&entry.record.as.bundle.members[i], &receipts[i].id, sizeof receipts[i].id);
    steme_snapshot_close(&snapshot);
    steme_signer_free(&signer);
}

/* Inside the call and in the store, one behind the other and mixed. */
static void what_is_there_already_is_left_out_of_a_bundle(void **state)
{
    struct shop *shop = *state;
    struct steme_signer *signer = signer_of(1);
    struct steme_assertion first[] = { pluto_is("planet"), pluto_is("comet") };
    struct steme_assertion second[] = { pluto_is("star"), pluto_is("comet"), pluto_is("star"), pluto_is("dwarf planet"),
                                        pluto_is("comet") };
    struct steme_receipt receipts[5], before[2];
    OK(steme_write_bundle(shop->store, signer, first, 2, before, NULL, &failure)); /* 1: 2, 3 */
    OK(steme_wait(shop->store, 3, SHOP_WAIT_MS, &failure));
    OK(steme_write_bundle(shop->store, signer, second, 5, receipts, NULL, &failure)); /* 4: 5, 6 */
    static const struct {
        uint64_t sequence;
        bool duplicate;
    } want[] = {
        { 5, false }, { 3, true }, { 5, true }, { 6, false }, { 3, true },
    };
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(receipts[i].sequence, want[i].sequence);
        assert_int_equal(receipts[i].duplicate, want[i].duplicate);
    }
    assert_memory_equal(&receipts[1].id, &before[1].id, sizeof before[1].id);
    assert_memory_equal(&receipts[2].id, &receipts[0].id, sizeof receipts[0].id);
    OK(steme_wait(shop->store, 6, SHOP_WAIT_MS, &failure));
    OK(steme_write_bundle(shop->store, signer, second, 5, receipts, NULL, &failure)); /* nothing is new */
    for (size_t i = 0; i < 5; i++)
        assert_true(receipts[i].duplicate && receipts[i].sequence == want[i].sequence);
    assert_int_equal(last_sequence(shop), 6);
    steme_signer_free(&signer);
}

static void a_member_alone_and_in_a_bundle_is_one_record(void **state)
{
    struct shop *shop = *state;
    struct steme_signer *signer = signer_of(1);
    struct steme_record alone = { .type = STEME_ASSERTION, .as.assertion = pluto_is("planet") };
    struct steme_receipt one, many[1];
    OK(steme_write(shop->store, signer, &alone, &one, &failure));
    OK(steme_wait(shop->store, 1, SHOP_WAIT_MS, &failure));
    OK(steme_write_bundle(shop->store, signer, &alone.as.assertion, 1, many, NULL, &failure));
    assert_true(many[0].duplicate);
    assert_int_equal(many[0].sequence, 1);
    assert_memory_equal(&many[0].id, &one.id, sizeof one.id);
    steme_signer_free(&signer);
}

static void a_bad_member_is_named_and_nothing_is_written(void **state)
{
    struct shop *shop = *state;
    struct steme_signer *signer = signer_of(1);
    struct steme_assertion list[] = { pluto_is("planet"), pluto_is("comet"), pluto_is("star") };
    struct steme_receipt receipts[3];
    for (size_t i = 0; i < 3; i++) {
        size_t bad = 99;
        list[i].confidence_ppm = STEME_PPM + 1;
        assert_int_equal(steme_write_bundle(shop->store, signer, list, 3, receipts, &bad, &failure), STEME_BAD_INPUT);
        assert_int_equal(bad, i);
        list[i].confidence_ppm = STEME_PPM;
    }
    assert_int_equal(last_sequence(shop), 0);
    steme_signer_free(&signer);
}

static void a_bundle_has_a_size(void **state)
{
    struct shop *shop = *state;
    struct steme_signer *signer = signer_of(1);
    static struct steme_assertion list[STEME_BUNDLE_MAX + 1];
    static struct steme_receipt receipts[STEME_BUNDLE_MAX + 1];
    size_t bad = 99;
    for (int64_t i = 0; i < (int64_t)countof(list); i++) {
        list[i] = pluto_is("planet");
        list[i].asserted_at_us += i;
    }
    assert_int_equal(steme_write_bundle(shop->store, signer, list, 0, receipts, &bad, &failure), STEME_BAD_INPUT);
    assert_int_equal(bad, 0);
    assert_int_equal(steme_write_bundle(shop->store, signer, list, countof(list), receipts, &bad, &failure),
                     STEME_TOO_LARGE);
    assert_int_equal(bad, countof(list));
    OK(steme_write_bundle(shop->store, signer, list, STEME_BUNDLE_MAX, receipts, &bad, &failure));
    assert_int_equal(receipts[STEME_BUNDLE_MAX - 1].sequence, STEME_BUNDLE_MAX + 1);
    steme_signer_free(&signer);
}

/* Members that fit one by one, but not together. */
static void a_bundle_that_is_too_long_for_the_log_is_refused(void **state)
{
    struct shop *shop = *state;
    struct steme_signer *signer = signer_of(1);
    enum { COUNT = STEME_BATCH_BYTES_MAX / STEME_TEXT_MAX + 1 };
    static struct steme_assertion list[COUNT];
    static struct steme_receipt receipts[COUNT];
    size_t bad = 99;
    memset(long_text, 't', sizeof long_text - 1);
    for (int64_t i = 0; i < COUNT; i++) {
        list[i] = pluto_is("planet");
        list[i].object = (struct steme_value){ .kind = STEME_TEXT, .text = slice_of(long_text, STEME_TEXT_MAX) };
        list[i].asserted_at_us += i;
    }
    assert_int_equal(steme_write_bundle(shop->store, signer, list, COUNT, receipts, &bad, &failure), STEME_TOO_LARGE);
    assert_int_equal(last_sequence(shop), 0);
    OK(steme_write_bundle(shop->store, signer, list, COUNT / 2, receipts, &bad, &failure));
    steme_signer_free(&signer);
}

/* ---- submit ---- */

static void a_replay_changes_nothing(void **state)
{
    struct shop *shop = *state;
    struct pile pile;
    struct prng prng = { 31 };
    struct buf before, after;
    pile_init(&pile);
    pile_draw(&pile, &prng, 60);
    buf_init(&before, SHOP_TEXT_BYTES);
    buf_init(&after, SHOP_TEXT_BYTES);
    shop_submit_all(shop, &pile);
    uint64_t last = last_sequence(shop);
    shop_say(shop->store, &before);
    for (size_t group = 0; group < pile.group_count; group++) {
        struct steme_receipt receipts[16];
        size_t count = pile_group_size(&pile, group);
        OK(steme_submit(shop->store, pile_group(&pile, group), count, receipts, NULL, &failure));
        for (size_t i = 0; i < count; i++) {
            assert_true(receipts[i].duplicate);
            assert_true(receipts[i].sequence >= 1 && receipts[i].sequence <= last);
            assert_memory_equal(&receipts[i].id, &pile.ids[pile.groups[group] + i], sizeof receipts[i].id);
        }
    }
    assert_int_equal(last_sequence(shop), last);
    shop_say(shop->store, &after);
    shop_same_text(&after, &before, "replayed");
    buf_deinit(&before);
    buf_deinit(&after);
    pile_deinit(&pile);
}

/* Copies in one call: of a single record, of a bundle, and of a member alone in front of its bundle. */
static void copies_in_one_call_are_written_once(void **state)
{
    struct shop *shop = *state;
    struct pile pile;
    struct steme_assertion list[] = { pluto_is("planet"), pluto_is("comet") };
    struct steme_record alone = { .type = STEME_ASSERTION, .as.assertion = pluto_is("comet") };
    struct steme_receipt receipts[10];
    pile_init(&pile);
    (void)pile_add(&pile, 0, pile_claim("Ceres", "is a", "planet")); /* 0, sequence 1 */
    pile_repeat(&pile, 0);                                           /* 1 */
    (void)pile_add(&pile, 2, alone);                                 /* 2, sequence 2 */
    (void)pile_add_bundle(&pile, 2, list, 2);                        /* 3 4 5, sequences 3 4 5 */
    pile_repeat(&pile, 3);                                           /* 6 7 8 */
    pile_repeat(&pile, 2);                                           /* 9 */
    OK(steme_submit(shop->store, pile.records, pile.record_count, receipts, NULL, &failure));
    assert_int_equal(last_sequence(shop), 5);
    static const bool duplicate[] = { false, true, false, false, false, false, true, true, true, true };
    static const uint64_t sequence[] = { 1, 1, 2, 3, 4, 5, 3, 4, 0, 0 }; /* 0: of either copy */
    for (size_t i = 0; i < pile.record_count; i++) {
        assert_int_equal(receipts[i].duplicate, duplicate[i]);
        if (sequence[i]) assert_int_equal(receipts[i].sequence, sequence[i]);
        assert_memory_equal(&receipts[i].id, &pile.ids[i], sizeof receipts[i].id);
    }
    OK(steme_wait(shop->store, 5, SHOP_WAIT_MS, &failure));
    struct steme_info info;
    OK(steme_info(shop->store, &info, &failure));
    assert_int_equal(info.records[STEME_ASSERTION], 3);
    assert_int_equal(info.records[STEME_BUNDLE], 1);
    pile_deinit(&pile);
}

static void a_record_that_is_not_admitted_is_named_and_nothing_is_written(void **state)
{
    struct shop *shop = *state;
    struct pile pile;
    struct steme_receipt receipts[4] = { { .sequence = 99 } };
    size_t bad = 99;
    pile_init(&pile);
    for (unsigned agent = 0; agent < 4; agent++)
        (void)pile_add(&pile, agent, pile_claim("Pluto", "is a", "planet"));
    pile.records[2].signature.bytes[7] ^= 1;
    assert_int_equal(steme_submit(shop->store, pile.records, 4, receipts, &bad, &failure), STEME_BAD_SIGNATURE);
    assert_int_equal(bad, 2);
    assert_int_equal(receipts[0].sequence, 99);
    assert_int_equal(last_sequence(shop), 0);
    bad = 99;
    assert_int_equal(steme_submit(shop->store, pile.records, 0, receipts, &bad, &failure), STEME_BAD_INPUT);
    assert_int_equal(bad, 0);
    pile_deinit(&pile);
}

/* ---- by hand ---- */

static void what_is_encoded_and_signed_by_hand_is_taken(void **state)
{
    struct shop *shop = *state;
    struct steme_signer *signer = signer_of(4);
    struct steme_record record = pile_claim("Pluto", "is a", "planet");
    uint8_t bytes[1024];
    size_t size = 0;
    struct steme_hash id;
    struct steme_receipt receipt;
    record.as.assertion.author = steme_signer_key(signer);
    OK(steme_encode(&record, bytes, sizeof bytes, &size, &failure));
    OK(steme_record_id(slice_of(bytes, size), &id, &failure));
    struct steme_signed piece = { slice_of(bytes, size), true, steme_sign(signer, &id) };
    OK(steme_submit(shop->store, &piece, 1, &receipt, NULL, &failure));
    assert_memory_equal(&receipt.id, &id, sizeof id);
    steme_signer_free(&signer);
}

/* Who signs one now is told; a log that has one, and an export of it, stay as good as they were. */
static void what_would_replace_itself_is_not_signed_but_taken_when_signed(void **state)
{
    struct shop *shop = *state;
    struct steme_signer *signer = signer_of(4);
    struct steme_record claim = pile_claim("Pluto", "is a", "planet");
    struct steme_receipt receipt;
    uint8_t bytes[1024];
    size_t size = 0;
    struct steme_hash id;
    OK(steme_write(shop->store, signer, &claim, &receipt, &failure));
    const struct steme_hash itself = receipt.id;
    const struct steme_target target = pile_on_assertion("Pluto", itself);
    struct steme_record revision = pile_revision(STEME_UPDATE, &target, 1, &itself);
    assert_status(steme_write(shop->store, signer, &revision, &receipt, &failure), STEME_BAD_INPUT, &failure, "signed");
    assert_non_null(strstr(failure.message, "its own place"));
    assert_int_equal(last_sequence(shop), 1);
    revision.as.revision.author = steme_signer_key(signer);
    OK(steme_encode(&revision, bytes, sizeof bytes, &size, &failure));
    OK(steme_record_id(slice_of(bytes, size), &id, &failure));
    struct steme_signed piece = { slice_of(bytes, size), true, steme_sign(signer, &id) };
    OK(steme_submit(shop->store, &piece, 1, &receipt, NULL, &failure));
    assert_int_equal(last_sequence(shop), 2);
    steme_signer_free(&signer);
}

static void room_that_is_too_small_is_told_with_what_it_needs(void **state)
{
    (void)state;
    struct steme_record record = pile_claim("Pluto", "is a", "planet");
    uint8_t bytes[1024], untouched[1024];
    size_t size = 0, needed = 0;
    memset(bytes, 0xaa, sizeof bytes);
    memset(untouched, 0xaa, sizeof untouched);
    OK(steme_encode(&record, bytes, sizeof bytes, &size, &failure));
    memset(bytes, 0xaa, sizeof bytes);
    assert_int_equal(steme_encode(&record, bytes, size - 1, &needed, &failure), STEME_TOO_LARGE);
    assert_int_equal(needed, size);
    assert_memory_equal(bytes, untouched, sizeof bytes);
    assert_int_equal(steme_encode(&record, NULL, 0, &needed, &failure), STEME_TOO_LARGE);
    record = no_subject();
    assert_int_equal(steme_encode(&record, bytes, sizeof bytes, &needed, &failure), STEME_BAD_INPUT);
}

static void bytes_that_are_no_record_have_no_id(void **state)
{
    (void)state;
    struct pile pile;
    struct steme_hash id;
    uint8_t zeros[128] = { 0 };
    pile_init(&pile);
    (void)pile_add(&pile, 0, pile_claim("Pluto", "is a", "planet"));
    OK(steme_record_id(pile.records[0].bytes, &id, &failure));
    assert_memory_equal(&id, &pile.ids[0], sizeof id);
    assert_int_equal(steme_record_id(slice_of(zeros, sizeof zeros), &id, &failure), STEME_BAD_INPUT);
    assert_int_equal(steme_record_id(slice_of(NULL, 0), &id, &failure), STEME_BAD_INPUT);
    assert_int_equal(steme_record_id(slice_of(pile.records[0].bytes.data, 64), &id, &failure), STEME_BAD_INPUT);
    pile_deinit(&pile);
}

static void ids_of_agents_sources_and_subjects_are_what_the_index_uses(void **state)
{
    (void)state;
    struct steme_hash agent = steme_agent_id(&pile_agent(1)->key), want = pile_agent_id(1);
    assert_memory_equal(&agent, &want, sizeof want);
    struct steme_hash a = steme_source_id(slice_text("NASA")), b = steme_source_id(slice_text("ESA"));
    assert_memory_not_equal(&a, &b, sizeof a);
    assert_int_equal(steme_route(slice_text("Pluto")), pile_on_assertion("Pluto", a).route);
    assert_int_not_equal(steme_route(slice_text("Pluto")), steme_route(slice_text("Ceres")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SHOP_CASE(every_type_is_written_read_back_and_known_again),
        SHOP_CASE(the_signer_s_key_takes_the_author_s_place),
        SHOP_CASE(what_the_format_does_not_allow_is_refused),
        SHOP_CASE(a_reader_s_store_takes_nothing),
        SHOP_CASE(many_records_share_one_sync),
        SHOP_CASE(of_many_a_bad_one_is_named_and_nothing_is_written),
        SHOP_CASE(a_bundle_s_members_are_numbered_and_vouched_for),
        SHOP_CASE(what_is_there_already_is_left_out_of_a_bundle),
        SHOP_CASE(a_member_alone_and_in_a_bundle_is_one_record),
        SHOP_CASE(a_bad_member_is_named_and_nothing_is_written),
        SHOP_CASE(a_bundle_has_a_size),
        SHOP_CASE(a_bundle_that_is_too_long_for_the_log_is_refused),
        SHOP_CASE(a_replay_changes_nothing),
        SHOP_CASE(copies_in_one_call_are_written_once),
        SHOP_CASE(a_record_that_is_not_admitted_is_named_and_nothing_is_written),
        SHOP_CASE(what_is_encoded_and_signed_by_hand_is_taken),
        SHOP_CASE(what_would_replace_itself_is_not_signed_but_taken_when_signed),
        cmocka_unit_test(room_that_is_too_small_is_told_with_what_it_needs),
        cmocka_unit_test(bytes_that_are_no_record_have_no_id),
        cmocka_unit_test(ids_of_agents_sources_and_subjects_are_what_the_index_uses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
