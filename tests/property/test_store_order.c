/* SPDX-License-Identifier: Apache-2.0 */
/* The order in which records arrive leaves no trace: any permutation of the same records, votes before their assertions
 * and revisions before what they revise included, gives the same answers under every lens and the same export. SEED=n
 * repeats one run. */
#include "base/check.h"
#include "lib/shop.h"
#include "lib/testing.h"

#include <stdio.h>
#include <stdlib.h>

enum { SEEDS = 2, ORDERS = 3, RECORDS = 200 };

static struct steme_error failure;

#define OK(call) assert_status((call), STEME_OK, &failure, #call)

static void say_what_has_no_order(struct steme_store *store, struct buf *out)
{
    struct steme_snapshot *snapshot = shop_look(store);
    buf_clear(out);
    OK(shop_answers(snapshot, out, &failure));
    OK(shop_export(snapshot, out, &failure));
    steme_snapshot_close(&snapshot);
}

/* A store that got the pile's groups in this order. Its keys are three of the agents': roots of authority, and whose
 * schema counts. */
static void say_in_order(const struct pile *pile, const size_t *order, struct prng *prng, struct buf *out)
{
    void *state = NULL;
    assert_int_equal(shop_open(&state), 0);
    struct shop *shop = state;
    for (unsigned agent = 0; agent < 3; agent++)
        shop_keep_key(shop, agent);
    shop_submit_in(shop, pile, order, pile->group_count, prng);
    say_what_has_no_order(shop->store, out);
    /* Made anew in bulk, it is the same. */
    struct buf again;
    buf_init(&again, SHOP_TEXT_BYTES);
    OK(steme_rebuild(shop->store, &failure));
    say_what_has_no_order(shop->store, &again);
    shop_same_text(&again, out, "rebuilt");
    buf_deinit(&again);
    (void)shop_close(&state);
}

static void check_seed(uint64_t seed)
{
    char name[64];
    struct pile pile;
    struct prng prng = { seed };
    struct buf want, got;
    pile_init(&pile);
    pile_draw(&pile, &prng, RECORDS);
    (void)pile_add(&pile, 0, pile_claim("mass", "steme:cardinality", "steme:many"));
    size_t *order = calloc(pile.group_count, sizeof *order);
    assert_non_null(order);
    buf_init(&want, SHOP_TEXT_BYTES);
    buf_init(&got, SHOP_TEXT_BYTES);
    for (size_t i = 0; i < pile.group_count; i++)
        order[i] = i;
    say_in_order(&pile, order, &prng, &want);
    for (size_t i = 0; i < pile.group_count; i++)
        order[i] = pile.group_count - 1 - i;
    (void)snprintf(name, sizeof name, "SEED=%llu, backwards", (unsigned long long)seed);
    say_in_order(&pile, order, &prng, &got);
    shop_same_text(&got, &want, name);
    for (unsigned k = 0; k < ORDERS; k++) {
        pile_shuffle(order, pile.group_count, &prng);
        (void)snprintf(name, sizeof name, "SEED=%llu, order %u", (unsigned long long)seed, k);
        say_in_order(&pile, order, &prng, &got);
        shop_same_text(&got, &want, name);
    }
    buf_deinit(&want);
    buf_deinit(&got);
    free(order);
    pile_deinit(&pile);
}

static void the_order_of_arrival_leaves_no_trace(void **state)
{
    (void)state;
    const char *seed = getenv("SEED");
    if (seed) check_seed(strtoull(seed, NULL, 0));
    for (uint64_t i = 1; !seed && i <= SEEDS; i++)
        check_seed(i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_order_of_arrival_leaves_no_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
