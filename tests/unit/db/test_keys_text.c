/* SPDX-License-Identifier: Apache-2.0 */
#include "base/check.h"
#include "base/slice.h"
#include "lib/shop.h"
#include "lib/testing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct steme_error failure;

#define OK(call) assert_status((call), STEME_OK, &failure, #call)

struct listing {
    char keys[64][1024], values[64][512];
    size_t count, stop_at;
    steme_status with;
};

static steme_status note_key(void *context, struct steme_slice key, struct steme_slice value)
{
    struct listing *listing = context;
    assert_true(listing->count < countof(listing->keys) && key.size < 1024 && value.size < 512);
    (void)snprintf(listing->keys[listing->count], 1024, "%.*s", SLICE_PRINT(key));
    (void)snprintf(listing->values[listing->count], 512, "%.*s", SLICE_PRINT(value));
    return ++listing->count == listing->stop_at ? listing->with : STEME_OK;
}

static struct listing *new_listing(void)
{
    struct listing *listing = calloc(1, sizeof *listing);
    assert_non_null(listing);
    return listing;
}

static void tell(struct shop *shop, struct pile *pile)
{
    pile_init(pile);
    struct steme_record record = pile_claim("Pluto", "is a", "planet");
    record.as.assertion.negated = true;
    record.as.assertion.confidence_ppm = 750000;
    struct steme_target target = pile_on_assertion("Pluto", pile_add(pile, 0, record));
    (void)pile_add(pile, 1, pile_vote(target, STEME_REFUTE));
    (void)pile_add(pile, 1, pile_vote(pile_on(STEME_ON_AGENT, pile_agent_id(0)), STEME_SUPPORT));
    (void)pile_add(pile, 2, pile_epoch("before", NULL, 0));
    (void)pile_add(pile, 3, pile_revision(STEME_RETRACT, &target, 1, NULL));
    shop_submit_all(shop, pile);
}

static void hex_of(const struct steme_hash *hash, char out[STEME_PRINT_BYTES]) { steme_print_hash(hash, out); }

/* The keys of the design, whatever the bytes of the index are. */
static void rows_are_shown_in_their_logical_form(void **state)
{
    struct shop *shop = *state;
    struct pile pile;
    struct listing *listing = new_listing();
    char ids[5][STEME_PRINT_BYTES], agent[STEME_PRINT_BYTES], want[8][512];
    struct steme_hash agent_id = pile_agent_id(0);
    tell(shop, &pile);
    for (size_t i = 0; i < 5; i++)
        hex_of(&pile.ids[i], ids[i]);
    hex_of(&agent_id, agent);
    (void)snprintf(want[0], sizeof want[0], "A:%s:%s", agent, ids[2]);
    (void)snprintf(want[1], sizeof want[1], "E:%s", ids[3]);
    (void)snprintf(want[2], sizeof want[2], "H:%s", ids[0]);
    (void)snprintf(want[3], sizeof want[3], "M:applied");
    (void)snprintf(want[4], sizeof want[4], "R:1");
    (void)snprintf(want[5], sizeof want[5], "S:Pluto:is a:%s", ids[0]);
    (void)snprintf(want[6], sizeof want[6], "V:%s:%s", ids[0], ids[1]);
    (void)snprintf(want[7], sizeof want[7], "X:%.32s:%s", ids[0], ids[4]);
    struct steme_snapshot *snapshot = shop_look(shop->store);
    OK(steme_keys_each(snapshot, slice_of(NULL, 0), note_key, listing, &failure));
    for (size_t w = 0; w < countof(want); w++) {
        size_t found = 0;
        for (size_t i = 0; i < listing->count; i++)
            found += strcmp(listing->keys[i], want[w]) == 0;
        assert_row(found == 1, want[w]);
    }
    for (size_t i = 0; i < listing->count; i++) {
        const char *value = listing->values[i];
        if (listing->keys[i][0] == 'S')
            assert_true(strstr(value, "confidence 750000 not asserted 2026-01-01T12:00:00") != NULL);
        if (listing->keys[i][0] == 'V') assert_true(strstr(value, "refute 1000000 cast 2026-01-01T12:00:00") != NULL);
        if (strncmp(listing->keys[i], "Y:assertion:", 12) == 0)
            assert_true(strstr(value, " ballots 1 support 0 refute 1 abstain 0 retracted 0 ppm 0 1000000") != NULL);
        if (listing->keys[i][0] == 'M') assert_true(strstr(value, "next 6 at ") == value);
        assert_true(value[0] != '\0');
    }
    steme_snapshot_close(&snapshot);
    pile_deinit(&pile);
    free(listing);
}

static const struct {
    const char *prefix;
    size_t count;
} prefixes[] = {
    { "", 18 },       { "H", 5 },        { "H:", 5 },        { "S:Pluto", 1 }, { "S:Pluto:is a:", 1 },
    { "S:Ceres", 0 }, { "M:app", 1 },    { "M:applied", 1 }, { "M:apply", 0 }, { "R:", 5 },
    { "R:1", 1 },     { "Q", 0 },        { "h:", 0 },        { "H;", 0 },      { "S:Pluto:is a:zz", 0 },
    { "Y:", 2 },      { "Y:agent:", 1 },
};

static void a_prefix_chooses_rows_as_text(void **state)
{
    struct shop *shop = *state;
    struct pile pile;
    tell(shop, &pile);
    struct steme_snapshot *snapshot = shop_look(shop->store);
    for (size_t i = 0; i < countof(prefixes); i++) {
        struct listing *listing = new_listing();
        OK(steme_keys_each(snapshot, slice_text(prefixes[i].prefix), note_key, listing, &failure));
        assert_row(listing->count == prefixes[i].count, prefixes[i].prefix);
        for (size_t k = 0; k < listing->count; k++)
            assert_row(strncmp(listing->keys[k], prefixes[i].prefix, strlen(prefixes[i].prefix)) == 0,
                       prefixes[i].prefix);
        free(listing);
    }
    steme_snapshot_close(&snapshot);
    pile_deinit(&pile);
}

static const steme_status ends[] = { STEME_FAILED, STEME_NOT_FOUND, STEME_CORRUPT };

static void a_visitor_s_answer_ends_the_walk_and_is_returned(void **state)
{
    struct shop *shop = *state;
    struct pile pile;
    tell(shop, &pile);
    struct steme_snapshot *snapshot = shop_look(shop->store);
    for (size_t i = 0; i < countof(ends); i++) {
        struct listing *listing = new_listing();
        listing->stop_at = 3;
        listing->with = ends[i];
        assert_int_equal(steme_keys_each(snapshot, slice_of(NULL, 0), note_key, listing, &failure), ends[i]);
        assert_int_equal(listing->count, 3);
        free(listing);
    }
    steme_snapshot_close(&snapshot);
    pile_deinit(&pile);
}

/* Rows of the longest names there are. */
static void the_longest_names_fit(void **state)
{
    struct shop *shop = *state;
    struct pile pile;
    struct buf text;
    static char name[STEME_NAME_MAX + 1];
    memset(name, 'n', STEME_NAME_MAX);
    pile_init(&pile);
    (void)pile_add(&pile, 0, pile_claim(name, name, name));
    shop_submit_all(shop, &pile);
    buf_init(&text, SHOP_TEXT_BYTES);
    struct steme_snapshot *snapshot = shop_look(shop->store);
    OK(shop_keys(snapshot, &text, &failure));
    assert_true(text.size > 2 * STEME_NAME_MAX);
    steme_snapshot_close(&snapshot);
    buf_deinit(&text);
    pile_deinit(&pile);
}

static void the_dump_is_the_same_after_a_rebuild(void **state)
{
    struct shop *shop = *state;
    struct pile pile;
    struct prng prng = { 5 };
    struct buf before, after;
    pile_init(&pile);
    pile_draw(&pile, &prng, 150);
    shop_submit_mixed(shop, &pile, &prng);
    buf_init(&before, SHOP_TEXT_BYTES);
    buf_init(&after, SHOP_TEXT_BYTES);
    struct steme_snapshot *snapshot = shop_look(shop->store);
    OK(shop_keys(snapshot, &before, &failure));
    steme_snapshot_close(&snapshot);
    OK(steme_rebuild(shop->store, &failure));
    snapshot = shop_look(shop->store);
    OK(shop_keys(snapshot, &after, &failure));
    steme_snapshot_close(&snapshot);
    shop_same_text(&after, &before, "rebuilt");
    buf_deinit(&before);
    buf_deinit(&after);
    pile_deinit(&pile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SHOP_CASE(rows_are_shown_in_their_logical_form),
        SHOP_CASE(a_prefix_chooses_rows_as_text),
        SHOP_CASE(a_visitor_s_answer_ends_the_walk_and_is_returned),
        SHOP_CASE(the_longest_names_fit),
        SHOP_CASE(the_dump_is_the_same_after_a_rebuild),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
