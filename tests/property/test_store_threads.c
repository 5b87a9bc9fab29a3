/* SPDX-License-Identifier: Apache-2.0 */
/* Many threads on one store: what each wrote it reads back, what each reads is whole, and nobody waits for ever. Meant
 * for the thread sanitizer as much as for itself. SECONDS=n makes it longer. */
#include "base/check.h"
#include "base/slice.h"
#include "lib/shop.h"
#include "lib/testing.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WRITERS = 8, READERS = 4, SUBJECTS = 5, BUNDLE = 5 };

struct crew {
    struct shop *shop;
    atomic_bool stop;
    _Atomic uint64_t written, read, number;
};

struct member {
    struct crew *crew;
    unsigned number;
    struct steme_error error; /* of what failed first */
    const char *failed;       /* NULL: nothing */
};

static const char *const subjects[SUBJECTS] = { "Pluto", "Ceres", "Eris", "Haumea", "Makemake" };

/* Threads do not assert: they say what failed, and the test does it for them. */
static bool check(struct member *m, steme_status status, const char *what)
{
    if (status && !m->failed) m->failed = what;
    return status == STEME_OK;
}

static bool expect(struct member *m, bool holds, const char *what)
{
    if (!holds && !m->failed) m->failed = what;
    return holds;
}

static struct steme_assertion new_claim(struct crew *crew, struct prng *prng)
{
    struct steme_assertion a = pile_claim(subjects[prng_below(prng, SUBJECTS)], "is a",
                                          prng_chance(prng, 500) ? "planet" : "dwarf planet")
                                   .as.assertion;
    a.asserted_at_us += (int64_t)atomic_fetch_add(&crew->number, 1); /* no two alike */
    return a;
}

static bool write_some(struct member *m, const struct steme_signer *signer, struct prng *prng)
{
    struct crew *crew = m->crew;
    struct steme_store *store = crew->shop->store;
    struct steme_receipt receipts[BUNDLE];
    size_t count = 1;
    if (prng_chance(prng, 300)) {
        struct steme_assertion list[BUNDLE];
        for (count = 0; count < BUNDLE; count++)
            list[count] = new_claim(crew, prng);
        if (!check(m, steme_write_bundle(store, signer, list, count, receipts, NULL, &m->error), "bundle"))
            return false;
    } else {
        struct steme_record record = { STEME_ASSERTION, { .assertion = new_claim(crew, prng) } };
        if (!check(m, steme_write(store, signer, &record, receipts, &m->error), "write")) return false;
    }
    atomic_fetch_add(&crew->written, count);
    if (!prng_chance(prng, 200)) return true;
    /* Now and then: read your writes. */
    struct steme_snapshot *snapshot = NULL;
    struct steme_entry entry;
    if (!check(m, steme_wait(store, receipts[count - 1].sequence, SHOP_WAIT_MS, &m->error), "wait")) return false;
    if (!check(m, steme_snapshot_open(store, NULL, &snapshot, &m->error), "snapshot")) return false;
    for (size_t i = 0; i < count; i++)
        if (check(m, steme_get(snapshot, &receipts[i].id, &entry, &m->error), "get"))
            (void)expect(m, entry.sequence == receipts[i].sequence, "its own sequence number");
    steme_snapshot_close(&snapshot);
    return !m->failed;
}

static void *write_on(void *context)
{
    struct member *m = context;
    struct prng prng = { m->number };
    struct steme_signer *signer = NULL;
    if (!check(m, steme_signer_from_seed(pile_agent(m->number)->seed, &signer, &m->error), "signer")) return NULL;
    while (!atomic_load(&m->crew->stop) && write_some(m, signer, &prng)) {
    }
    steme_signer_free(&signer);
    return NULL;
}

static steme_status count_answer(void *context, const struct steme_answer *answer)
{
    uint64_t *assertions = context;
    double sum = 0;
    for (size_t i = 0; i < answer->belief_count; i++)
        sum += answer->beliefs[i].probability;
    *assertions += answer->assertions;
    return sum <= 1 ? STEME_OK : STEME_MISMATCH;
}

static bool read_some(struct member *m, struct prng *prng)
{
    struct steme_snapshot *snapshot = NULL;
    struct steme_info info;
    struct steme_question all = { .lens = { .name = prng_chance(prng, 500) ? "consensus" : "recency" } };
    struct steme_question one = { .subject = slice_text(subjects[0]), .predicate = slice_text("is a") };
    struct steme_answer answer;
    uint64_t first = 0, second = 0;
    if (!check(m, steme_info(m->crew->shop->store, &info, &m->error), "info")) return false;
    if (!check(m, steme_snapshot_open(m->crew->shop->store, NULL, &snapshot, &m->error), "snapshot")) return false;
    bool good = check(m, steme_resolve_each(snapshot, &all, count_answer, &first, &m->error), "resolve each") &&
                check(m, steme_resolve(snapshot, &one, &answer, &m->error), "resolve") &&
                check(m, steme_resolve_each(snapshot, &all, count_answer, &second, &m->error), "resolve each again");
    good = good && expect(m, first == second, "a snapshot that stays fixed") &&
           expect(m, answer.as_of_sequence <= m->crew->number * 2, "a sequence number there is");
    steme_snapshot_close(&snapshot);
    atomic_fetch_add(&m->crew->read, 1);
    return good;
}

static void *read_on(void *context)
{
    struct member *m = context;
    struct prng prng = { 100 + m->number };
    while (!atomic_load(&m->crew->stop) && read_some(m, &prng)) {
    }
    return NULL;
}

/* The index is thrown away and made anew under everybody's hands. */
static void *rebuild_on(void *context)
{
    struct member *m = context;
    while (!atomic_load(&m->crew->stop) && check(m, steme_rebuild(m->crew->shop->store, &m->error), "rebuild"))
        (void)!steme_wait(m->crew->shop->store, UINT64_MAX, 100, NULL);
    return NULL;
}

static void nap(struct shop *shop, uint32_t ms) { (void)!steme_wait(shop->store, UINT64_MAX, ms, NULL); }

static void run_crew(struct shop *shop, bool rebuilding, uint32_t ms)
{
    static struct member members[WRITERS + READERS + 1];
    pthread_t threads[countof(members)];
    struct crew crew = { .shop = shop };
    struct steme_info info;
    size_t count = 0;
    for (unsigned agent = 0; agent < WRITERS; agent++)
        (void)pile_agent(agent); /* made once, before there are threads */
    for (size_t i = 0; i < WRITERS + READERS + (rebuilding ? 1 : 0); i++) {
        members[i] = (struct member){ .crew = &crew, .number = (unsigned)i };
        void *(*run)(void *) = i < WRITERS ? write_on : i < WRITERS + READERS ? read_on : rebuild_on;
        assert_int_equal(pthread_create(&threads[count++], NULL, run, &members[i]), 0);
    }
    nap(shop, ms);
    atomic_store(&crew.stop, true);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (size_t i = 0; i < count; i++) {
        if (members[i].failed) print_error("member %zu: %s: %s\n", i, members[i].failed, members[i].error.message);
        assert_null(members[i].failed);
    }
    shop_catch_up(shop);
    assert_int_equal(steme_info(shop->store, &info, NULL), STEME_OK);
    assert_int_equal(info.records[STEME_ASSERTION], crew.written);
    assert_true(crew.written > 0 && crew.read > 0);
}

static uint32_t run_ms(void)
{
    const char *seconds = getenv("SECONDS");
    return seconds ? (uint32_t)strtoul(seconds, NULL, 0) * 1000 : 1000;
}

static void many_writers_and_readers_do_not_disturb_each_other(void **state) { run_crew(*state, false, run_ms()); }

static void the_index_is_made_anew_under_their_hands(void **state)
{
    struct shop *shop = *state;
    run_crew(shop, true, run_ms());
    struct steme_verification totals;
    struct steme_error error;
    assert_status(steme_verify(shop->store, NULL, NULL, &totals, &error), STEME_OK, &error, "verify");
    assert_int_equal(totals.findings, 0);
}

/* ---- opening and closing ---- */

static void opening_and_closing_never_hangs(void **state)
{
    struct shop *shop = *state;
    struct steme_signer *signer = NULL;
    struct steme_receipt receipt;
    assert_int_equal(steme_signer_from_seed(pile_agent(0)->seed, &signer, NULL), STEME_OK);
    for (int64_t round = 0; round < 40; round++) {
        struct steme_record record = pile_claim("Pluto", "is a", "planet");
        record.as.assertion.asserted_at_us += round;
        if (round % 3) assert_int_equal(steme_write(shop->store, signer, &record, &receipt, NULL), STEME_OK);
        shop_reopen(shop, round % 5 == 4);
        if (round % 5 == 4) shop_reopen(shop, false);
    }
    steme_signer_free(&signer);
}

/* Snapshots opened and closed by many threads; the store closes when the last has let go. */
static void *look_and_let_go(void *context)
{
    struct member *m = context;
    struct prng prng = { m->number };
    for (unsigned i = 0; i < 10 && read_some(m, &prng); i++) {
    }
    return NULL;
}

static void a_store_closes_when_its_readers_are_done(void **state)
{
    struct shop *shop = *state;
    struct steme_signer *signer = NULL;
    struct steme_receipt receipt;
    assert_int_equal(steme_signer_from_seed(pile_agent(0)->seed, &signer, NULL), STEME_OK);
    for (int64_t round = 0; round < 6; round++) {
        struct crew crew = { .shop = shop, .number = UINT32_MAX };
        struct member members[READERS];
        pthread_t threads[READERS];
        for (unsigned i = 0; i < READERS; i++) {
            members[i] = (struct member){ .crew = &crew, .number = i };
            assert_int_equal(pthread_create(&threads[i], NULL, look_and_let_go, &members[i]), 0);
        }
        for (int64_t i = 0; i < 5; i++) {
            struct steme_record record = pile_claim("Pluto", "is a", "planet");
            record.as.assertion.asserted_at_us += round * 10 + i;
            assert_int_equal(steme_write(shop->store, signer, &record, &receipt, NULL), STEME_OK);
        }
        for (unsigned i = 0; i < READERS; i++)
            assert_int_equal(pthread_join(threads[i], NULL), 0);
        for (unsigned i = 0; i < READERS; i++)
            assert_null(members[i].failed);
        shop_reopen(shop, false);
    }
    steme_signer_free(&signer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SHOP_CASE(many_writers_and_readers_do_not_disturb_each_other),
        SHOP_CASE(the_index_is_made_anew_under_their_hands),
        SHOP_CASE(opening_and_closing_never_hangs),
        SHOP_CASE(a_store_closes_when_its_readers_are_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
