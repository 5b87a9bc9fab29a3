/* SPDX-License-Identifier: Apache-2.0 */
/* Rot in the index's file. What a row says is held against its own check or against the record it names; that no row is
 * missing, against the count and digest of its partition; and pages are looked at before LMDB lives by them. So answers
 * are the same or there is an error, and nobody dies of it. SEED=n repeats one round, ROUNDS=n makes the run longer. */
#include "base/check.h"
#include "base/hash.h"
#include "base/slice.h"
#include "lib/kv_testing.h"
#include "lib/shop.h"
#include "lib/testing.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 60, PAGE_BYTES = 4096 };
/* What a child answers. */
enum { SAME, AN_ERROR, WRONG, FATES };

static struct steme_error failure;

#define OK(call) assert_status((call), STEME_OK, &failure, #call)

struct trial {
    const char *dir;
    struct steme_hash want;
};

static steme_status say(struct steme_store *store, struct steme_hash *out)
{
    struct steme_snapshot *snapshot = NULL;
    struct buf text;
    buf_init(&text, SHOP_TEXT_BYTES);
    steme_status status = steme_snapshot_open(store, NULL, &snapshot, NULL);
    if (!status) status = shop_answers(snapshot, &text, NULL);
    if (!status) status = shop_export(snapshot, &text, NULL);
    steme_snapshot_close(&snapshot);
    if (!status) *out = hash_one(buf_slice(&text));
    buf_deinit(&text);
    return status;
}

/* In a process of its own, which may die of it. */
static int ask(void *context)
{
    const struct trial *trial = context;
    struct steme_open_options options = { .read_only = true };
    struct steme_store *store = NULL;
    struct steme_hash got;
    static const int fatal[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL };
    for (size_t i = 0; i < countof(fatal); i++)
        (void)signal(fatal[i], SIG_DFL); /* cmocka's would carry on in this process */
    if (steme_open(trial->dir, &options, &store, NULL)) return AN_ERROR;
    steme_status status = say(store, &got);
    if (!status) status = memcmp(&got, &trial->want, sizeof got) == 0 ? STEME_OK : STEME_FAILED;
    steme_close(&store);
    return status == STEME_OK ? SAME : status == STEME_FAILED ? WRONG : AN_ERROR;
}

static uint64_t number_of(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 0) : otherwise;
}

/* Bits of one page's rows, or anywhere. */
static void flip_some(const char *path, uint64_t seed)
{
    struct prng prng = { seed };
    uint64_t size = shop_file_bytes(path);
    size_t count = 1 + prng_below(&prng, 3);
    for (size_t i = 0; i < count; i++)
        /* the headers have checks of ours */
        shop_flip(path, 2 * PAGE_BYTES + prng_below(&prng, size - 2 * PAGE_BYTES));
}

static void rot_in_the_index_is_found_or_harmless(void **state)
{
    struct shop *shop = *state;
    struct pile pile;
    struct prng prng = { 77 };
    size_t fates[FATES] = { 0 }, killed = 0;
    uint64_t rounds = number_of("ROUNDS", ROUNDS), seed = number_of("SEED", 0);
    pile_init(&pile);
    pile_draw(&pile, &prng, 300);
    shop_submit_mixed(shop, &pile, &prng);
    struct trial trial = { .dir = NULL };
    OK(say(shop->store, &trial.want));
    steme_close(&shop->store);
    for (uint64_t round = 1; round <= rounds; round++) {
        char *copy = testing_join(shop->root, "copy"), *data = testing_join(copy, "index/data.mdb");
        shop_copy_dir(shop->dir, copy);
        flip_some(data, seed ? seed : round);
        trial.dir = copy;
        int fate = kv_testing_child(ask, &trial);
        if (fate < FATES)
            fates[fate]++;
        else
            killed++;
        if (fate == WRONG || fate >= FATES)
            print_message("SEED=%llu: %s\n", (unsigned long long)(seed ? seed : round),
                          fate == WRONG ? "wrong" : "killed");
        testing_remove_temporary(copy);
        free(data);
    }
    print_message("%zu the same, %zu errors, %zu wrong, %zu killed\n", fates[SAME], fates[AN_ERROR], fates[WRONG],
                  killed);
    assert_int_equal(fates[WRONG], 0);
    assert_int_equal(killed, 0);
    pile_deinit(&pile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SHOP_CASE(rot_in_the_index_is_found_or_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
