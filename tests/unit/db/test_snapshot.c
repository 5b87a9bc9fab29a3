/* SPDX-License-Identifier: Apache-2.0 */
/* One fixed state: whatever is written meanwhile, and whatever has to be done to the index under it. */
#include "base/check.h"
#include "base/slice.h"
#include "lattice/keys.h"
#include "lib/kv_testing.h"
#include "lib/shop.h"
#include "lib/testing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct steme_error failure;

#define OK(call) assert_status((call), STEME_OK, &failure, #call)

static void say(struct steme_snapshot *snapshot, struct buf *out)
{
    buf_clear(out);
    OK(shop_answers(snapshot, out, &failure));
    OK(shop_export(snapshot, out, &failure));
    OK(shop_log(snapshot, out, &failure));
}

/* ---- fixed ---- */

static void a_snapshot_stays_as_it_is(void **state)
{
    struct shop *shop = *state;
    struct buf before, after;
    buf_init(&before, SHOP_TEXT_BYTES);
    buf_init(&after, SHOP_TEXT_BYTES);
    shop_fill(shop, 1, 60);
    struct steme_snapshot *old = shop_look(shop->store);
    say(old, &before);
    shop_fill(shop, 2, 60);
    say(old, &after);
    shop_same_text(&after, &before, "while records were written");
    struct steme_snapshot *new = shop_look(shop->store);
    say(new, &after);
    assert_false(slice_equal(buf_slice(&before), buf_slice(&after)));
    steme_snapshot_close(&new);
    steme_snapshot_close(&old);
    buf_deinit(&before);
    buf_deinit(&after);
}

/* What it says as of a record is what was said when that record was the last. */
static void as_of_a_record_is_what_was_said_then(void **state)
{
    struct shop *shop = *state;
    struct pile pile;
    struct prng prng = { 7 };
    struct buf now;
    enum { STOPS = 6 };
    struct buf texts[STOPS];
    uint64_t sequences[STOPS];
    int64_t times[STOPS];
    pile_init(&pile);
    pile_draw(&pile, &prng, 10 * STOPS);
    for (size_t i = 0; i < STOPS; i++) {
        struct steme_info info;
        shop_submit(shop, &pile, i * 10, i * 10 + 10);
        OK(steme_info(shop->store, &info, &failure));
        sequences[i] = info.last_sequence;
        times[i] = steme_now_us();
        buf_init(&texts[i], SHOP_TEXT_BYTES);
        struct steme_snapshot *snapshot = shop_look(shop->store);
        say(snapshot, &texts[i]);
        steme_snapshot_close(&snapshot);
        while (steme_now_us() <= times[i]) {
        }
    }
    buf_init(&now, SHOP_TEXT_BYTES);
    for (size_t i = 0; i < STOPS; i++) {
        struct steme_moment moment = steme_moment_now();
        moment.as_of_sequence = sequences[i];
        struct steme_snapshot *snapshot = shop_look_at(shop->store, moment);
        say(snapshot, &now);
        shop_same_text(&now, &texts[i], "as of a sequence number");
        steme_snapshot_close(&snapshot);
        moment = steme_moment_now();
        moment.as_of_us = times[i];
        snapshot = shop_look_at(shop->store, moment);
        say(snapshot, &now);
        shop_same_text(&now, &texts[i], "as of a time");
        steme_snapshot_close(&snapshot);
        buf_deinit(&texts[i]);
    }
    buf_deinit(&now);
    pile_deinit(&pile);
}

static void an_answer_says_what_it_is_as_of(void **state)
{
    struct shop *shop = *state;
    struct pile pile;
    struct steme_answer answer;
    struct steme_question question = { .subject = slice_text("Pluto"), .predicate = slice_text("is a") };
    static const struct {
        uint64_t as_of, want;
        size_t beliefs;
    } rows[] = {
        { 0, 0, 0 }, { 1, 1, 1 }, { 2, 2, 2 }, { 3, 3, 3 }, { 4, 3, 3 }, { UINT64_MAX, 3, 3 },
    };
    static const char *const objects[] = { "planet", "comet", "star" };
    pile_init(&pile);
    for (size_t i = 0; i < 3; i++)
        (void)pile_add(&pile, 0, pile_claim("Pluto", "is a", objects[i]));
    shop_submit_all(shop, &pile);
    for (size_t i = 0; i < countof(rows); i++) {
        struct steme_moment moment = { rows[i].as_of, STEME_TIME_MAX, 12345, 0 };
        struct steme_snapshot *snapshot = shop_look_at(shop->store, moment);
        OK(steme_resolve(snapshot, &question, &answer, &failure));
        assert_int_equal(answer.as_of_sequence, rows[i].want);
        assert_int_equal(answer.valid_at_us, 12345);
        assert_int_equal(answer.belief_count, rows[i].beliefs);
        steme_snapshot_close(&snapshot);
    }
    pile_deinit(&pile);
}

static void an_empty_store_can_be_looked_at(void **state)
{
    struct shop *shop = *state;
    struct buf text;
    buf_init(&text, SHOP_TEXT_BYTES);
    struct steme_snapshot *snapshot = shop_look(shop->store);
    say(snapshot, &text);
    assert_int_equal(text.size, 0);
    steme_snapshot_close(&snapshot);
    assert_null(snapshot);
    steme_snapshot_close(&snapshot); /* fine */
    buf_deinit(&text);
}

static void clearing_gives_memory_back_and_keeps_the_state(void **state)
{
    struct shop *shop = *state;
    struct buf before, after;
    buf_init(&before, SHOP_TEXT_BYTES);
    buf_init(&after, SHOP_TEXT_BYTES);
    shop_fill(shop, 3, 40);
    struct steme_snapshot *snapshot = shop_look(shop->store);
    say(snapshot, &before);
    for (unsigned round = 0; round < 5; round++) {
        steme_snapshot_clear(snapshot);
        say(snapshot, &after);
        shop_same_text(&after, &before, "cleared");
    }
    steme_snapshot_close(&snapshot);
    buf_deinit(&before);
    buf_deinit(&after);
}

/* ---- an index that lies ---- */

/* Change one byte of the value of the nth row under a prefix, or take the row away. */
struct lie {
    const char *prefix;
    size_t nth, byte;
};

static steme_status tell_lie(struct kv_txn *txn, void *context, struct steme_error *err)
{
    const struct lie *lie = context;
    struct kv_cursor cursor = { 0 };
    struct kv_pair pair;
    uint8_t key[KEYS_MAX_BYTES], value[KEYS_VALUE_MAX_BYTES];
    size_t at = 0;
    steme_status status = kv_seek(txn, slice_text(lie->prefix), slice_text(lie->prefix), &cursor, &pair, err);
    for (; !status && at < lie->nth; at++)
        status = kv_next(&cursor, &pair, err);
    if (status) return status;
    struct steme_slice own_key = { key, pair.key.size }, own_value = { value, pair.value.size };
    memcpy(key, pair.key.data, pair.key.size);
    memcpy(value, pair.value.data, pair.value.size);
    kv_cursor_end(&cursor);
    value[lie->byte] ^= 0x40;
    return kv_put(txn, own_key, own_value, err);
}

static void lie_to(struct shop *shop, struct lie *lie)
{
    char *dir = shop_path(shop, "index");
    struct kv *kv = kv_testing_lmdb(dir, KV_TESTING_PLAIN); /* the one the store has open */
    OK(kv_update(kv, tell_lie, lie, &failure));
    kv_close(&kv);
    free(dir);
}

static struct lie lies[] = {
    { "S", 0, 30 }, { "S", 0, 0 }, { "V", 0, 10 }, { "A", 0, 20 }, { "X", 0, 0 }, { "X", 0, 5 },
    { "E", 0, 1 },  { "E", 0, 6 }, { "H", 1, 0 },  { "H", 1, 5 },  { "H", 3, 7 },
};

static void a_lie_is_found_and_the_answers_are_the_same(void **state)
{
    struct shop *shop = *state;
    struct buf want, got;
    buf_init(&want, SHOP_TEXT_BYTES);
    buf_init(&got, SHOP_TEXT_BYTES);
    shop_fill(shop, 4, 70);
    struct steme_snapshot *snapshot = shop_look(shop->store);
    say(snapshot, &want);
    steme_snapshot_close(&snapshot);
    for (size_t i = 0; i < countof(lies); i++) {
        char name[64];
        struct steme_info before, after;
        OK(steme_info(shop->store, &before, &failure));
        lie_to(shop, &lies[i]);
        snapshot = shop_look(shop->store);
        say(snapshot, &got);
        (void)snprintf(name, sizeof name, "row %zu of %s, byte %zu", lies[i].nth, lies[i].prefix, lies[i].byte);
        shop_same_text(&got, &want, name);
        steme_snapshot_close(&snapshot);
        OK(steme_info(shop->store, &after, &failure));
        /* Votes and revisions with a wrong route are looked at by nobody. */
        if (strchr("SEHA", lies[i].prefix[0])) assert_row(after.index_rebuilds == before.index_rebuilds + 1, name);
        if (after.index_rebuilds > before.index_rebuilds) assert_row(shop_was_told(shop, "index rebuilt"), name);
    }
    buf_deinit(&want);
    buf_deinit(&got);
}

/* A walk over the keys is interrupted by the lie and goes on behind what it has shown. */
static void a_walk_over_keys_gets_over_a_lie(void **state)
{
    struct shop *shop = *state;
    static struct lie rows[] = { { "S", 3, 30 }, { "V", 2, 10 }, { "X", 1, 0 }, { "C", 0, 5 },
                                 { "E", 0, 1 },  { "H", 9, 5 },  { "R", 4, 9 }, { "S", 0, 0 } };
    struct buf want, got;
    buf_init(&want, SHOP_TEXT_BYTES);
    buf_init(&got, SHOP_TEXT_BYTES);
    shop_fill(shop, 4, 70);
    struct steme_snapshot *snapshot = shop_look(shop->store);
    OK(shop_keys(snapshot, &want, &failure));
    steme_snapshot_close(&snapshot);
    for (size_t i = 0; i < countof(rows); i++) {
        struct steme_info before, after;
        OK(steme_info(shop->store, &before, &failure));
        lie_to(shop, &rows[i]);
        buf_clear(&got);
        snapshot = shop_look(shop->store);
        OK(shop_keys(snapshot, &got, &failure));
        shop_same_text(&got, &want, rows[i].prefix);
        steme_snapshot_close(&snapshot);
        OK(steme_info(shop->store, &after, &failure));
        assert_row(after.index_rebuilds == before.index_rebuilds + 1, rows[i].prefix);
    }
    buf_deinit(&want);
    buf_deinit(&got);
}

static steme_status sum_up_shift(void *context, const struct steme_shift *shift)
{
    buf_printf(context, "%.*s %.*s %s %.17g\n", SLICE_PRINT(shift->subject), SLICE_PRINT(shift->predicate),
               steme_shift_name(shift->kind), shift->size);
    return STEME_OK;
}

/* Every shift of the log, of a mask, and what rests on conflicts. */
static void sum_up(struct shop *shop, struct buf *out)
{
    struct steme_snapshot *snapshot = shop_look(shop->store);
    struct steme_question all = { .lens = { .name = "authority" } };
    struct steme_hash agent = pile_agent_id(2);
    struct steme_mask mask = { .agents = &agent, .agent_count = 1 };
    struct steme_impact impact;
    const struct steme_conflict *conflicts = NULL;
    size_t count = 0;
    uint64_t next = 0;
    buf_clear(out);
    OK(steme_conflicts_ranked(snapshot, &all.lens, 100, &conflicts, &count, &failure));
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "%.17g %llu\n", conflicts[i].score, (unsigned long long)conflicts[i].dependants);
    OK(steme_impact(snapshot, &mask, &all, 0, &impact, &failure));
    for (size_t i = 0; i < impact.shift_count; i++)
        OK(sum_up_shift(out, &impact.shifts[i]));
    buf_printf(out, "%llu %llu\n", (unsigned long long)impact.masked, (unsigned long long)impact.derived);
    OK(steme_shifts_each(snapshot, &all, 1, 1, 0, sum_up_shift, out, &next, &failure));
    steme_snapshot_close(&snapshot);
}

static void shifts_get_over_a_lie(void **state)
{
    struct shop *shop = *state;
    static struct lie rows[] = { { "C", 0, 0 },  { "C", 2, 5 },  { "C", 1, 1 }, { "S", 0, 30 },
                                 { "A", 0, 20 }, { "V", 0, 10 }, { "H", 3, 7 }, { "E", 0, 6 } };
    struct buf want, got;
    buf_init(&want, SHOP_TEXT_BYTES);
    buf_init(&got, SHOP_TEXT_BYTES);
    shop_fill(shop, 4, 70);
    sum_up(shop, &want);
    for (size_t i = 0; i < countof(rows); i++) {
        lie_to(shop, &rows[i]);
        sum_up(shop, &got);
        shop_same_text(&got, &want, rows[i].prefix);
    }
    buf_deinit(&want);
    buf_deinit(&got);
}

/* The index that replaces the liar knows later records. The snapshot does not. */
static void a_snapshot_stays_fixed_though_its_index_is_made_anew(void **state)
{
    struct shop *shop = *state;
    struct buf want, got;
    buf_init(&want, SHOP_TEXT_BYTES);
    buf_init(&got, SHOP_TEXT_BYTES);
    shop_fill(shop, 4, 70);
    struct steme_snapshot *snapshot = shop_look(shop->store);
    say(snapshot, &want);
    steme_snapshot_close(&snapshot);
    lie_to(shop, &lies[0]);
    snapshot = shop_look(shop->store);
    shop_fill(shop, 5, 40);
    say(snapshot, &got);
    shop_same_text(&got, &want, "with a new index");
    steme_snapshot_close(&snapshot);
    assert_true(shop_was_told(shop, "index rebuilt"));
    buf_deinit(&want);
    buf_deinit(&got);
}

static void a_reader_gets_over_a_lie_too(void **state)
{
    struct shop *shop = *state;
    struct buf want, got;
    buf_init(&want, SHOP_TEXT_BYTES);
    buf_init(&got, SHOP_TEXT_BYTES);
    shop_fill(shop, 4, 70);
    struct steme_snapshot *snapshot = shop_look(shop->store);
    say(snapshot, &want);
    steme_snapshot_close(&snapshot);
    for (unsigned beside = 0; beside < 2; beside++) {
        struct steme_store *reader = NULL;
        struct steme_info info;
        if (!beside) steme_close(&shop->store);
        lie_to(shop, &lies[0]);
        OK(shop_open_more(shop, true, &reader, &failure));
        snapshot = shop_look(reader);
        say(snapshot, &got);
        shop_same_text(&got, &want, beside ? "beside a writer" : "alone");
        steme_snapshot_close(&snapshot);
        OK(steme_info(reader, &info, &failure));
        assert_int_equal(info.index_rebuilds, 1);
        assert_int_equal(info.index_in_memory, beside); /* the file is the writer's */
        steme_close(&reader);
        if (!beside) shop_reopen(shop, false);
    }
    buf_deinit(&want);
    buf_deinit(&got);
}

static void a_row_that_limits_a_moment_may_lie(void **state)
{
    struct shop *shop = *state;
    struct lie lie = { "R", 2, 16 };
    struct steme_moment moment = { 5, STEME_TIME_MAX, STEME_TIME_MAX, 0 };
    shop_fill(shop, 6, 60);
    for (size_t byte = 0; byte < 24; byte += 4) {
        lie.byte = byte;
        for (lie.nth = 0; lie.nth < 3; lie.nth++)
            lie_to(shop, &lie);
        struct steme_snapshot *snapshot = shop_look_at(shop->store, moment);
        steme_snapshot_close(&snapshot);
        assert_true(shop_was_told(shop, "index rebuilt"));
    }
}

/* ---- a damaged log ---- */

static uint64_t offset_of(struct shop *shop, const struct steme_hash *id)
{
    struct arena arena;
    struct steme_slice bytes;
    char *path = shop_path(shop, "wal/0000000000000001.seg");
    arena_init(&arena, 256 << 20);
    OK(host_read_file(host_posix(), path, 200 << 20, &arena, &bytes, &failure));
    uint64_t offset = 0; /* of the last place: a bundle's list stands before its members */
    for (uint64_t at = 0; at + sizeof *id <= bytes.size; at += 8)
        if (memcmp(bytes.data + at, id, sizeof *id) == 0) offset = at;
    assert_true(offset > 0);
    arena_deinit(&arena);
    free(path);
    return offset;
}

/* In a batch of a bundle and three members, then one of a single record. */
struct damaged {
    struct pile pile;
    size_t hurt; /* which record of the pile */
};

static void damage(struct shop *shop, struct damaged *d)
{
    struct steme_assertion list[] = { pile_claim("Pluto", "is a", "planet").as.assertion,
                                      pile_claim("Pluto", "is a", "comet").as.assertion,
                                      pile_claim("Pluto", "is a", "star").as.assertion };
    pile_init(&d->pile);
    (void)pile_add_bundle(&d->pile, 0, list, 3);
    (void)pile_add(&d->pile, 1, pile_claim("Ceres", "is a", "planet"));
    shop_submit_all(shop, &d->pile);
    char *path = shop_path(shop, "wal/0000000000000001.seg");
    steme_close(&shop->store);
    shop_flip(path, offset_of(shop, &d->pile.ids[d->hurt])); /* the id in the frame */
    free(path);
}

static size_t count_log(struct steme_snapshot *snapshot)
{
    struct buf text;
    size_t lines = 0;
    buf_init(&text, SHOP_TEXT_BYTES);
    OK(shop_log(snapshot, &text, &failure));
    for (size_t i = 0; i < text.size; i++)
        lines += text.data[i] == '\n';
    buf_deinit(&text);
    return lines;
}

/* A bundle's list (0), a member (2), the last member (3), the single record (4): all that is left can be read, in every
 * way, with the index as it was before the damage and with one made after it. */
static void one_damaged_record_does_not_cost_its_neighbours(void **state)
{
    (void)state;
    static const size_t hurt[] = { 0, 1, 2, 3, 4 };
    for (size_t i = 0; i < countof(hurt); i++) {
        for (unsigned fresh = 0; fresh < 2; fresh++) {
            void *own = NULL;
            char name[48];
            struct damaged d = { .hurt = hurt[i] };
            struct steme_question question = { .subject = slice_text("Pluto"), .predicate = slice_text("is a") };
            struct steme_explanation why;
            assert_int_equal(shop_open(&own), 0);
            struct shop *shop = own;
            damage(shop, &d);
            (void)snprintf(name, sizeof name, "record %zu, %s index", hurt[i], fresh ? "a new" : "the old");
            if (fresh) testing_remove_temporary(shop_path(shop, "index"));
            shop_reopen(shop, false);
            struct steme_snapshot *snapshot = shop_look(shop->store);
            size_t members_left = hurt[i] >= 1 && hurt[i] <= 3 ? 2 : 3;
            assert_status(steme_why(snapshot, &question, &why, &failure), STEME_OK, &failure, name);
            assert_row(why.testimony_count == members_left, name);
            assert_row(why.answer.belief_count == members_left, name);
            for (size_t k = 0; k < d.pile.record_count; k++) {
                struct steme_entry entry;
                steme_status status = steme_get(snapshot, &d.pile.ids[k], &entry, &failure);
                assert_status(status, k == hurt[i] ? STEME_NOT_FOUND : STEME_OK, &failure, name);
                if (!status && !entry.is_signed && hurt[i] != 0)
                    assert_row(memcmp(&entry.bundle, &d.pile.ids[0], sizeof entry.bundle) == 0, name);
            }
            assert_row(count_log(snapshot) == d.pile.record_count - 1, name);
            steme_snapshot_close(&snapshot);
            pile_deinit(&d.pile);
            (void)shop_close(&own);
        }
    }
}

/* A bundle can't be proved without its list, nor travel without all its members; the others can. */
static void what_can_still_be_proved_is_exported(void **state)
{
    (void)state;
    for (size_t hurt = 0; hurt < 5; hurt++) {
        void *own = NULL;
        char name[32];
        struct damaged d = { .hurt = hurt };
        struct buf text;
        assert_int_equal(shop_open(&own), 0);
        struct shop *shop = own;
        damage(shop, &d);
        shop_reopen(shop, false);
        (void)snprintf(name, sizeof name, "record %zu", hurt);
        struct steme_snapshot *snapshot = shop_look(shop->store);
        buf_init(&text, SHOP_TEXT_BYTES);
        assert_status(shop_export(snapshot, &text, &failure), STEME_OK, &failure, name);
        size_t lines = 0;
        for (size_t i = 0; i < text.size; i++)
            lines += text.data[i] == '\n';
        assert_row(lines == (hurt == 4 ? 4 : 1), name);
        buf_deinit(&text);
        steme_snapshot_close(&snapshot);
        pile_deinit(&d.pile);
        (void)shop_close(&own);
    }
}

/* Whoever has the records can bring them again: a bundle counts as there only if all of it is. */
static void a_damaged_member_comes_back_with_its_bundle(void **state)
{
    (void)state;
    for (size_t hurt = 0; hurt < 5; hurt++) {
        void *own = NULL;
        char name[32];
        struct damaged d = { .hurt = hurt };
        assert_int_equal(shop_open(&own), 0);
        struct shop *shop = own;
        damage(shop, &d);
        shop_reopen(shop, false);
        (void)snprintf(name, sizeof name, "record %zu", hurt);
        shop_submit_all(shop, &d.pile);
        struct steme_snapshot *snapshot = shop_look(shop->store);
        for (size_t k = 0; k < d.pile.record_count; k++) {
            struct steme_entry entry;
            assert_status(steme_get(snapshot, &d.pile.ids[k], &entry, &failure), STEME_OK, &failure, name);
        }
        steme_snapshot_close(&snapshot);
        pile_deinit(&d.pile);
        (void)shop_close(&own);
    }
}

static void a_damaged_epoch_is_left_out_and_told(void **state)
{
    struct shop *shop = *state;
    struct pile pile;
    struct steme_info info;
    const struct steme_entry *list = NULL;
    size_t count = 0;
    char *path = shop_path(shop, "wal/0000000000000001.seg");
    pile_init(&pile);
    (void)pile_add(&pile, 0, pile_epoch("before", NULL, 0));
    (void)pile_add(&pile, 0, pile_epoch("after", NULL, 0));
    shop_submit_all(shop, &pile);
    steme_close(&shop->store);
    shop_flip(path, offset_of(shop, &pile.ids[0]));
    shop_reopen(shop, false);
    struct steme_snapshot *snapshot = shop_look(shop->store);
    OK(steme_epochs(snapshot, &list, &count, &failure));
    assert_int_equal(count, 1);
    assert_memory_equal(&list[0].id, &pile.ids[1], sizeof pile.ids[1]);
    OK(steme_info(shop->store, &info, &failure));
    assert_true(info.degraded && info.missing_sequences == 1);
    steme_snapshot_close(&snapshot);
    pile_deinit(&pile);
    free(path);
}

static void damage_that_a_reader_finds_is_told_to_the_next_one_too(void **state)
{
    struct shop *shop = *state;
    struct pile pile;
    struct buf text;
    char *path = shop_path(shop, "wal/0000000000000001.seg");
    pile_init(&pile);
    for (unsigned i = 0; i < 3; i++)
        (void)pile_add(&pile, 0, pile_epoch(i == 0 ? "one" : i == 1 ? "two" : "three", NULL, 0));
    shop_submit_all(shop, &pile);
    steme_close(&shop->store);
    shop_flip(path, offset_of(shop, &pile.ids[0]));
    for (unsigned round = 0; round < 3; round++) {
        struct steme_info info;
        shop_reopen(shop, true);
        struct steme_snapshot *snapshot = shop_look(shop->store);
        buf_init(&text, SHOP_TEXT_BYTES);
        OK(shop_export(snapshot, &text, &failure));
        buf_deinit(&text);
        OK(steme_info(shop->store, &info, &failure));
        assert_true(info.degraded && info.missing_sequences == 1);
        steme_snapshot_close(&snapshot);
    }
    struct steme_info info;
    shop_reopen(shop, false);
    OK(steme_rebuild(shop->store, &failure));
    OK(steme_info(shop->store, &info, &failure));
    assert_true(info.degraded && info.quarantine_files == 1);
    pile_deinit(&pile);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SHOP_CASE(a_snapshot_stays_as_it_is),
        SHOP_CASE(as_of_a_record_is_what_was_said_then),
        SHOP_CASE(an_answer_says_what_it_is_as_of),
        SHOP_CASE(an_empty_store_can_be_looked_at),
        SHOP_CASE(clearing_gives_memory_back_and_keeps_the_state),
        SHOP_CASE(a_lie_is_found_and_the_answers_are_the_same),
        SHOP_CASE(a_walk_over_keys_gets_over_a_lie),
        SHOP_CASE(shifts_get_over_a_lie),
        SHOP_CASE(a_snapshot_stays_fixed_though_its_index_is_made_anew),
        SHOP_CASE(a_reader_gets_over_a_lie_too),
        SHOP_CASE(a_row_that_limits_a_moment_may_lie),
        cmocka_unit_test(a_damaged_member_comes_back_with_its_bundle),
        SHOP_CASE(a_damaged_epoch_is_left_out_and_told),
        SHOP_CASE(damage_that_a_reader_finds_is_told_to_the_next_one_too),
        cmocka_unit_test(one_damaged_record_does_not_cost_its_neighbours),
        cmocka_unit_test(what_can_still_be_proved_is_exported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
