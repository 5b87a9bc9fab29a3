/* SPDX-License-Identifier: Apache-2.0 */
#include "base/check.h"
#include "db/store.h"
#include "host/host_mem.h"
#include "lib/shop.h"
#include "lib/testing.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct steme_error failure;

#define OK(call) assert_status((call), STEME_OK, &failure, #call)

static void make_key(struct shop *shop, const char *name)
{
    struct steme_signer *signer = NULL;
    OK(steme_signer_new(shop->store, name, &signer, &failure));
    steme_signer_free(&signer);
}

static void a_new_key_is_kept_and_loaded_by_its_name(void **state)
{
    struct shop *shop = *state;
    struct steme_signer *made = NULL, *loaded = NULL;
    OK(steme_signer_new(shop->store, "alice", &made, &failure));
    shop_reopen(shop, true);
    OK(steme_signer_load(shop->store, "alice", &loaded, &failure));
    struct steme_key a = steme_signer_key(made), b = steme_signer_key(loaded);
    assert_memory_equal(&a, &b, sizeof a);
    assert_string_equal(steme_signer_name(made), "alice");
    assert_string_equal(steme_signer_name(loaded), "alice");
    struct steme_hash id = { { 1 } };
    struct steme_signature s = steme_sign(made, &id), t = steme_sign(loaded, &id);
    assert_memory_equal(&s, &t, sizeof s);
    steme_signer_free(&made);
    steme_signer_free(&loaded);
    assert_null(made);
    steme_signer_free(&made); /* fine */
}

static void two_keys_differ(void **state)
{
    struct shop *shop = *state;
    struct steme_signer *a = NULL, *b = NULL;
    OK(steme_signer_new(shop->store, "a", &a, &failure));
    OK(steme_signer_new(shop->store, "b", &b, &failure));
    struct steme_key ka = steme_signer_key(a), kb = steme_signer_key(b);
    assert_memory_not_equal(&ka, &kb, sizeof ka);
    steme_signer_free(&a);
    steme_signer_free(&b);
}

static void nobody_else_may_read_a_key(void **state)
{
    struct shop *shop = *state;
    struct stat facts;
    make_key(shop, "alice");
    char *path = shop_path(shop, "keys/alice.key");
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0600);
    free(path);
}

static void a_name_is_taken_once(void **state)
{
    struct shop *shop = *state;
    struct steme_signer *first = NULL, *second = NULL, *kept = NULL;
    OK(steme_signer_new(shop->store, "alice", &first, &failure));
    assert_int_equal(steme_signer_new(shop->store, "alice", &second, &failure), STEME_EXISTS);
    assert_null(second);
    OK(steme_signer_load(shop->store, "alice", &kept, &failure));
    struct steme_key a = steme_signer_key(first), b = steme_signer_key(kept);
    assert_memory_equal(&a, &b, sizeof a);
    steme_signer_free(&first);
    steme_signer_free(&kept);
}

/* Many threads want the same name: one gets it, and what the disk has is what that one got. */
enum { THREADS = 6, NAMES = 8 };

struct race {
    struct shop *shop;
    char name[16];
    pthread_barrier_t *start;
    steme_status status;
    struct steme_key key;
};

static void *race_for_name(void *context)
{
    struct race *race = context;
    struct steme_signer *signer = NULL;
    pthread_barrier_wait(race->start);
    race->status = steme_signer_new(race->shop->store, race->name, &signer, NULL);
    if (!race->status) race->key = steme_signer_key(signer);
    if (signer) steme_signer_free(&signer);
    return NULL;
}

static void a_race_for_a_name_has_one_winner(void **state)
{
    struct shop *shop = *state;
    for (unsigned n = 0; n < NAMES; n++) {
        pthread_t threads[THREADS];
        struct race races[THREADS];
        pthread_barrier_t start;
        size_t winners = 0, winner = 0;
        struct steme_signer *kept = NULL;
        pthread_barrier_init(&start, NULL, THREADS);
        for (size_t i = 0; i < THREADS; i++) {
            races[i] = (struct race){ .shop = shop, .start = &start };
            (void)snprintf(races[i].name, sizeof races[i].name, "name-%u", n);
            assert_int_equal(pthread_create(&threads[i], NULL, race_for_name, &races[i]), 0);
        }
        for (size_t i = 0; i < THREADS; i++)
            assert_int_equal(pthread_join(threads[i], NULL), 0);
        for (size_t i = 0; i < THREADS; i++) {
            assert_true(races[i].status == STEME_OK || races[i].status == STEME_EXISTS);
            if (races[i].status == STEME_OK) winner = i;
            winners += races[i].status == STEME_OK;
        }
        assert_int_equal(winners, 1);
        OK(steme_signer_load(shop->store, races[0].name, &kept, &failure));
        struct steme_key key = steme_signer_key(kept);
        assert_memory_equal(&key, &races[winner].key, sizeof key);
        steme_signer_free(&kept);
        pthread_barrier_destroy(&start);
    }
}

static const struct {
    const char *name, *key;
} bad_names[] = {
    { "nothing", "" },
    { "a path", "../alice" },
    { "a hidden file", ".alice" },
    { "an option", "-alice" },
    { "a space", "al ice" },
    { "not ASCII", "alic\xc3\xa9" },
    { "a slash", "a/b" },
    { "a newline", "alice\n" },
    { "65 letters", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" },
};

static void a_bad_name_is_refused(void **state)
{
    struct shop *shop = *state;
    for (size_t i = 0; i < countof(bad_names); i++) {
        struct steme_signer *signer = NULL;
        assert_status(steme_signer_new(shop->store, bad_names[i].key, &signer, &failure), STEME_BAD_INPUT, &failure,
                      bad_names[i].name);
        assert_status(steme_signer_load(shop->store, bad_names[i].key, &signer, &failure), STEME_BAD_INPUT, &failure,
                      bad_names[i].name);
        assert_row(signer == NULL, bad_names[i].name);
    }
    make_key(shop, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    make_key(shop, "Z.9_-z");
}

static void a_reader_makes_no_keys(void **state)
{
    struct shop *shop = *state;
    struct steme_signer *signer = NULL;
    shop_reopen(shop, true);
    assert_int_equal(steme_signer_new(shop->store, "alice", &signer, &failure), STEME_READ_ONLY);
    assert_null(signer);
}

/* ---- without a name ---- */

static void without_a_name_the_only_key_is_taken_or_the_default(void **state)
{
    struct shop *shop = *state;
    struct steme_signer *signer = NULL;
    assert_int_equal(steme_signer_load(shop->store, NULL, &signer, &failure), STEME_NOT_FOUND);
    make_key(shop, "zoe");
    OK(steme_signer_load(shop->store, NULL, &signer, &failure));
    assert_string_equal(steme_signer_name(signer), "zoe");
    steme_signer_free(&signer);
    make_key(shop, "alice");
    assert_int_equal(steme_signer_load(shop->store, NULL, &signer, &failure), STEME_BAD_INPUT);
    assert_null(signer);
    make_key(shop, "default");
    OK(steme_signer_load(shop->store, NULL, &signer, &failure));
    assert_string_equal(steme_signer_name(signer), "default");
    steme_signer_free(&signer);
}

static void a_key_that_is_not_there_is_told(void **state)
{
    struct shop *shop = *state;
    struct steme_signer *signer = NULL;
    assert_int_equal(steme_signer_load(shop->store, "nobody", &signer, &failure), STEME_NOT_FOUND);
    assert_non_null(strstr(failure.message, "nobody"));
    assert_null(signer);
}

/* ---- damaged files ---- */

static void write_key_file(struct shop *shop, const char *name, const char *bytes, size_t size)
{
    char *path = shop_path(shop, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    free(path);
}

static size_t read_key_file(struct shop *shop, const char *name, char *bytes, size_t room)
{
    char *path = shop_path(shop, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t got = fread(bytes, 1, room, file);
    assert_int_equal(fclose(file), 0);
    free(path);
    return got;
}

static void any_changed_or_missing_byte_of_a_key_file_is_found(void **state)
{
    struct shop *shop = *state;
    char bytes[600];
    struct steme_signer *signer = NULL;
    make_key(shop, "alice");
    size_t size = read_key_file(shop, "keys/alice.key", bytes, sizeof bytes);
    for (size_t at = 0; at < size; at++) {
        char kept = bytes[at];
        bytes[at] = kept == '0' ? '1' : kept == 'A' || kept == 'a' ? 'b' : (char)(kept ^ 1);
        write_key_file(shop, "keys/alice.key", bytes, size);
        bytes[at] = kept;
        assert_int_equal(steme_signer_load(shop->store, "alice", &signer, &failure), STEME_CORRUPT);
    }
    for (size_t cut = 0; cut < size; cut++) {
        write_key_file(shop, "keys/alice.key", bytes, cut);
        assert_int_equal(steme_signer_load(shop->store, "alice", &signer, &failure), STEME_CORRUPT);
    }
    memset(bytes + size, 'x', sizeof bytes - size);
    write_key_file(shop, "keys/alice.key", bytes, size + 1);
    assert_int_equal(steme_signer_load(shop->store, "alice", &signer, &failure), STEME_CORRUPT);
    write_key_file(shop, "keys/alice.key", bytes, sizeof bytes);
    assert_int_equal(steme_signer_load(shop->store, "alice", &signer, &failure), STEME_CORRUPT);
    assert_null(signer);
}

static void count_finding(void *context, const struct steme_finding *finding)
{
    size_t *count = context;
    assert_string_equal(finding->part, "key");
    assert_non_null(strstr(finding->message, "alice.key"));
    ++*count;
}

static size_t count_findings(struct shop *shop)
{
    struct steme_verification totals;
    size_t count = 0;
    OK(steme_verify(shop->store, count_finding, &count, &totals, &failure));
    assert_int_equal(totals.findings, count);
    return count;
}

/* Whom to trust can't be known then, so nothing is resolved; but the index is not at fault, and writing goes on. */
static void a_damaged_key_stops_only_what_hangs_on_it(void **state)
{
    struct shop *shop = *state;
    char kept[600];
    struct steme_signer *signer = NULL;
    struct steme_snapshot *snapshot = NULL;
    struct steme_info info;
    make_key(shop, "alice");
    make_key(shop, "default");
    shop_fill(shop, 1, 20);
    size_t size = read_key_file(shop, "keys/alice.key", kept, sizeof kept);
    write_key_file(shop, "keys/alice.key", "hello", 5);
    for (int read_only = 0; read_only < 2; read_only++) {
        shop_reopen(shop, read_only);
        if (!read_only) {
            OK(steme_signer_load(shop->store, NULL, &signer, &failure)); /* "default", whatever the others are */
            steme_signer_free(&signer);
            shop_fill(shop, 2, 20);
            /* views are looked at behind the step that shop_fill() waits for */
            for (unsigned ms = 0; ms < SHOP_WAIT_MS && !shop_was_told(shop, "views stand still"); ms++)
                usleep(1000);
            assert_true(shop_was_told(shop, "views stand still"));
        }
        assert_int_equal(steme_snapshot_open(shop->store, NULL, &snapshot, &failure), STEME_CORRUPT);
        assert_non_null(strstr(failure.message, "alice.key"));
        assert_non_null(strstr(failure.message, "move it out"));
        assert_int_equal(count_findings(shop), 1);
        OK(steme_info(shop->store, &info, &failure));
        assert_int_equal(info.index_rebuilds, 0);
        assert_int_equal(info.indexed_sequence, info.last_sequence);
    }
    write_key_file(shop, "keys/alice.key", kept, size);
    steme_snapshot_close(&(struct steme_snapshot *){ shop_look(shop->store) });
    assert_int_equal(count_findings(shop), 0);
}

/* ---- listing ---- */

struct listing {
    char names[256];
    size_t count, stop_at;
};

static steme_status list_key(void *context, const char *name, const struct steme_key *key)
{
    static const struct steme_key none;
    struct listing *listing = context;
    size_t used = strlen(listing->names);
    assert_memory_not_equal(key, &none, sizeof none);
    (void)snprintf(listing->names + used, sizeof listing->names - used, "%s ", name);
    return ++listing->count == listing->stop_at ? STEME_NOT_FOUND : STEME_OK;
}

static void keys_are_listed_by_name_and_other_files_are_not(void **state)
{
    struct shop *shop = *state;
    struct listing listing = { .count = 0 };
    OK(steme_signer_each(shop->store, list_key, &listing, &failure));
    assert_int_equal(listing.count, 0);
    make_key(shop, "zoe");
    make_key(shop, "alice");
    make_key(shop, "Bob");
    write_key_file(shop, "keys/README", "hello", 5);
    write_key_file(shop, "keys/.key", "hello", 5);
    write_key_file(shop, "keys/eve.key.tmp", "hello", 5);
    write_key_file(shop, "keys/not a name.key", "hello", 5);
    OK(steme_signer_each(shop->store, list_key, &listing, &failure));
    assert_string_equal(listing.names, "Bob alice zoe ");
}

static void a_visitor_ends_the_listing_with_its_answer(void **state)
{
    struct shop *shop = *state;
    struct listing listing = { .stop_at = 1 };
    make_key(shop, "alice");
    make_key(shop, "bob");
    assert_int_equal(steme_signer_each(shop->store, list_key, &listing, &failure), STEME_NOT_FOUND);
    assert_int_equal(listing.count, 1);
}

static void a_damaged_key_is_told_by_the_listing(void **state)
{
    struct shop *shop = *state;
    struct listing listing = { .count = 0 };
    make_key(shop, "alice");
    write_key_file(shop, "keys/eve.key", "hello", 5);
    make_key(shop, "zoe");
    assert_int_equal(steme_signer_each(shop->store, list_key, &listing, &failure), STEME_CORRUPT);
    assert_non_null(strstr(failure.message, "eve.key"));
    assert_string_equal(listing.names, "alice zoe ");
}

/* Else nobody would be trusted, and nobody told. */
static void keys_that_can_t_be_listed_are_an_error(void **state)
{
    (void)state;
    struct listing listing = { .count = 0 };
    struct host *host = host_mem_new(1);
    struct store_setting setting = { host, 64 << 10, true, NULL };
    struct steme_store *store = NULL;
    assert_non_null(host);
    OK(store_create_in(&setting, "store", &failure));
    OK(store_open_in(&setting, "store", NULL, &store, &failure));
    host_mem_fail(host, HOST_MEM_LIST, 1, EIO, false);
    assert_int_equal(steme_signer_each(store, list_key, &listing, &failure), STEME_IO);
    OK(steme_signer_each(store, list_key, &listing, &failure));
    steme_close(&store);
    host_mem_free(host);
}

static void a_key_from_a_seed_is_kept_nowhere(void **state)
{
    struct shop *shop = *state;
    struct listing listing = { .count = 0 };
    uint8_t seed[32] = { 7 };
    struct steme_signer *signer = NULL, *again = NULL;
    OK(steme_signer_from_seed(seed, &signer, &failure));
    OK(steme_signer_from_seed(seed, &again, &failure));
    struct steme_key a = steme_signer_key(signer), b = steme_signer_key(again);
    assert_memory_equal(&a, &b, sizeof a);
    assert_string_equal(steme_signer_name(signer), "");
    OK(steme_signer_each(shop->store, list_key, &listing, &failure));
    assert_int_equal(listing.count, 0);
    steme_signer_free(&signer);
    steme_signer_free(&again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SHOP_CASE(a_new_key_is_kept_and_loaded_by_its_name),
        SHOP_CASE(two_keys_differ),
        SHOP_CASE(nobody_else_may_read_a_key),
        SHOP_CASE(a_name_is_taken_once),
        SHOP_CASE(a_race_for_a_name_has_one_winner),
        SHOP_CASE(a_bad_name_is_refused),
        SHOP_CASE(a_reader_makes_no_keys),
        SHOP_CASE(without_a_name_the_only_key_is_taken_or_the_default),
        SHOP_CASE(a_key_that_is_not_there_is_told),
        SHOP_CASE(any_changed_or_missing_byte_of_a_key_file_is_found),
        SHOP_CASE(a_damaged_key_stops_only_what_hangs_on_it),
        SHOP_CASE(keys_are_listed_by_name_and_other_files_are_not),
        SHOP_CASE(a_visitor_ends_the_listing_with_its_answer),
        SHOP_CASE(a_damaged_key_is_told_by_the_listing),
        cmocka_unit_test(keys_that_can_t_be_listed_are_an_error),
        SHOP_CASE(a_key_from_a_seed_is_kept_nowhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
