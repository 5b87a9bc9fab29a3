/* SPDX-License-Identifier: Apache-2.0 */
/* Views through the public interface, on the real disk with the engine's own threads. */
#include "base/check.h"
#include "base/slice.h"
#include "db/store.h"
#include "db/view_spec.h"
#include "lattice/view_row.h"
#include "lib/kv_testing.h"
#include "lib/shop.h"
#include "lib/testing.h"
#include "steme/view.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

static struct steme_error failure;

#define OK(call) assert_status((call), STEME_OK, &failure, #call)

static struct steme_signer *new_key(struct shop *shop, const char *name)
{
    struct steme_signer *signer = NULL;
    OK(steme_signer_new(shop->store, name, &signer, &failure));
    return signer;
}

static void create(struct shop *shop, const struct steme_signer *signer, const struct steme_view_spec *spec)
{
    struct steme_receipt receipt;
    OK(steme_view_create(shop->store, signer, spec, &receipt, &failure));
    OK(steme_wait(shop->store, receipt.sequence, SHOP_WAIT_MS, &failure));
}

static struct steme_view_info show(struct steme_snapshot *snapshot, const char *name)
{
    struct steme_view_info view;
    OK(steme_view_show(snapshot, slice_text(name), &view, &failure));
    return view;
}

static steme_status count_row(void *context, const struct steme_view_row *row)
{
    size_t *count = context;
    assert_true(row->subject.size > 0);
    ++*count;
    return STEME_OK;
}

static size_t count_rows(struct shop *shop, const char *name)
{
    size_t count = 0;
    struct steme_snapshot *snapshot = shop_look(shop->store);
    struct steme_view_info view = show(snapshot, name);
    OK(steme_view_rows_each(snapshot, &view, slice_of(NULL, 0), count_row, &count, &failure));
    assert_int_equal(count, view.rows);
    steme_snapshot_close(&snapshot);
    return count;
}

static struct steme_view_spec spec_of(const char *name) { return (struct steme_view_spec){ .name = slice_text(name) }; }

static void parameters_come_back_as_they_were(void **state)
{
    struct shop *shop = *state;
    struct steme_signer *signer = new_key(shop, "me");
    struct steme_key roots[2] = { { { 1, 2, 3 } }, { { 9, 8, 7 } } };
    struct steme_view_spec spec = spec_of("all of it");
    spec.lens = (struct steme_lens){ .name = "authority",
                                     .half_life_us = 86400000000,
                                     .damping = 0.1 + 0.2,
                                     .prior = 1.0 / 3,
                                     .method = STEME_METHOD_CONFUSION,
                                     .copying = true,
                                     .uncalibrated = true,
                                     .roots = roots,
                                     .root_count = 2 };
    create(shop, signer, &spec);
    struct steme_snapshot *snapshot = shop_look(shop->store);
    struct steme_view_info view = show(snapshot, "all of it");
    assert_string_equal(view.lens.name, "authority");
    assert_int_equal(view.lens.half_life_us, 86400000000);
    assert_true(view.lens.damping == 0.1 + 0.2 && view.lens.prior == 1.0 / 3);
    assert_int_equal(view.lens.method, STEME_METHOD_CONFUSION);
    assert_true(view.lens.copying && view.lens.uncalibrated);
    assert_int_equal(view.lens.root_count, 2);
    assert_int_equal(view.lens.roots[0].bytes[0] + view.lens.roots[1].bytes[0], 10);
    steme_snapshot_close(&snapshot);
    steme_signer_free(&signer);
}

static void a_lens_or_parameter_that_is_unknown_makes_a_view_faulty(void **state)
{
    static const struct {
        const char *lens, *name, *value, *says;
    } faults[] = {
        { "oracle", NULL, NULL, "there is no lens 'oracle'" },
        { "consensus", "mood", "good", "parameter 'mood'" },
        { "consensus", "prior", "much", "prior" },
        { "consensus", "prior", "-1", "prior" },
        { "authority", "root", "abc", "root" },
        { "recency", "half-life", "1.5", "half-life" },
        { "reliability", "method", "guess", "method" },
        { "reliability", "method", "numbers", "method" },
        { "reliability", "copying", "no", "copying" },
        { "reliability", "uncalibrated", "1", "uncalibrated" },
    };
    struct shop *shop = *state;
    struct steme_signer *signer = new_key(shop, "me");
    for (size_t i = 0; i < countof(faults); i++) {
        struct steme_qualifier parameter = { .name = slice_text(faults[i].name), .value = slice_text(faults[i].value) };
        struct steme_record record = { .type = STEME_VIEW };
        struct steme_receipt receipt;
        record.as.view = (struct steme_view){ .name = slice_text("odd"),
                                              .created_at_us = (int64_t)i,
                                              .lens = slice_text(faults[i].lens),
                                              .parameters = &parameter,
                                              .parameter_count = faults[i].name ? 1 : 0 };
        OK(steme_write(shop->store, signer, &record, &receipt, &failure));
        OK(steme_wait(shop->store, receipt.sequence, SHOP_WAIT_MS, &failure));
        struct steme_snapshot *snapshot = shop_look(shop->store);
        struct steme_view_info view = show(snapshot, "odd");
        assert_int_equal(view.standing, STEME_VIEW_FAULTY);
        size_t count = 0;
        assert_int_equal(steme_view_rows_each(snapshot, &view, slice_of(NULL, 0), count_row, &count, &failure),
                         STEME_NOT_FOUND);
        assert_row(strstr(failure.message, faults[i].says) != NULL, failure.message);
        steme_snapshot_close(&snapshot);
        assert_int_equal(steme_view_wait(shop->store, slice_text("odd"), 0, 1000, &failure), STEME_FAILED);
    }
    steme_signer_free(&signer);
}

static void another_moment_is_refused(void **state)
{
    struct shop *shop = *state;
    struct steme_signer *signer = new_key(shop, "me");
    struct steme_view_spec spec = spec_of("v");
    shop_fill(shop, 3, 30);
    create(shop, signer, &spec);
    OK(steme_view_wait(shop->store, spec.name, 0, SHOP_WAIT_MS, &failure));
    struct steme_moment moments[3] = { steme_moment_now(), steme_moment_now(), steme_moment_now() };
    moments[0].as_of_sequence = 10;
    moments[1].as_of_us = 5;
    moments[2].valid_at_us = 5;
    struct steme_snapshot *now = shop_look(shop->store);
    struct steme_view_info view = show(now, "v");
    for (size_t i = 0; i < countof(moments); i++) {
        struct steme_snapshot *then = shop_look_at(shop->store, moments[i]);
        size_t count = 0;
        assert_int_equal(steme_view_rows_each(then, &view, slice_of(NULL, 0), count_row, &count, &failure),
                         STEME_BAD_INPUT);
        steme_snapshot_close(&then);
    }
    steme_snapshot_close(&now);
    steme_signer_free(&signer);
}

static void only_own_keys_make_views(void **state)
{
    static const uint8_t seed[32] = "somebody the store does not know";
    struct shop *shop = *state;
    struct steme_signer *stranger = NULL, *own = new_key(shop, "me");
    struct steme_view_spec spec = spec_of("v");
    struct steme_receipt receipt;
    OK(steme_signer_from_seed(seed, &stranger, &failure));
    assert_int_equal(steme_view_create(shop->store, stranger, &spec, &receipt, &failure), STEME_BAD_INPUT);
    assert_int_equal(steme_view_drop(shop->store, own, spec.name, &receipt, &failure), STEME_NOT_FOUND);
    create(shop, own, &spec);
    assert_int_equal(steme_view_drop(shop->store, stranger, spec.name, &receipt, &failure), STEME_BAD_INPUT);
    steme_signer_free(&stranger);
    steme_signer_free(&own);
}

static void there_are_so_many_views_and_no_more(void **state)
{
    struct shop *shop = *state;
    struct steme_signer *signer = new_key(shop, "me");
    struct steme_receipt receipt;
    shop_fill(shop, 4, 20);
    for (unsigned i = 0; i < STEME_VIEWS_MAX; i++) {
        char name[16];
        snprintf(name, sizeof name, "view %u", i);
        struct steme_view_spec spec = spec_of(name);
        create(shop, signer, &spec);
    }
    struct steme_view_spec more = spec_of("one more"), same = spec_of("view 7");
    assert_int_equal(steme_view_create(shop->store, signer, &more, &receipt, &failure), STEME_TOO_LARGE);
    create(shop, signer, &same); /* takes the place of one */
    /* A copy that another program brought: it waits until there is room. */
    struct steme_record record = { .type = STEME_VIEW };
    record.as.view = (struct steme_view){ .name = more.name, .created_at_us = INT64_MAX, .lens = slice_text("union") };
    OK(steme_write(shop->store, signer, &record, &receipt, &failure));
    OK(steme_wait(shop->store, receipt.sequence, SHOP_WAIT_MS, &failure));
    struct steme_snapshot *snapshot = shop_look(shop->store);
    assert_int_equal(show(snapshot, "one more").standing, STEME_VIEW_WAITING);
    steme_snapshot_close(&snapshot);
    OK(steme_view_drop(shop->store, signer, slice_text("view 3"), &receipt, &failure));
    OK(steme_wait(shop->store, receipt.sequence, SHOP_WAIT_MS, &failure));
    OK(steme_view_wait(shop->store, more.name, receipt.sequence, SHOP_WAIT_MS, &failure));
    steme_signer_free(&signer);
}

/* The rows survive closing, are shared with a reader beside, and are made anew where the index is. */
static void rows_live_as_long_as_the_index(void **state)
{
    struct shop *shop = *state;
    struct steme_signer *signer = new_key(shop, "me");
    struct steme_view_spec spec = spec_of("v");
    shop_fill(shop, 5, 200);
    create(shop, signer, &spec);
    OK(steme_view_wait(shop->store, spec.name, 0, SHOP_WAIT_MS, &failure));
    size_t count = count_rows(shop, "v");
    assert_true(count > 5);
    struct steme_store *writer = shop->store, *reader = NULL;
    OK(shop_open_more(shop, true, &reader, &failure));
    shop->store = reader;
    assert_int_equal(count_rows(shop, "v"), count);
    steme_close(&reader);
    shop->store = writer;
    steme_signer_free(&signer);
    shop_reopen(shop, true);
    assert_int_equal(count_rows(shop, "v"), count);
    shop_reopen(shop, false);
    assert_int_equal(count_rows(shop, "v"), count);
    while (atomic_load(&shop->store->views.pending))
        (void)sched_yield(); /* from here on the runner sleeps, and has to be woken */
    OK(steme_rebuild(shop->store, &failure));
    OK(steme_view_wait(shop->store, spec.name, 0, SHOP_WAIT_MS, &failure));
    assert_int_equal(count_rows(shop, "v"), count);
}

static steme_status keep_row(void *context, const struct steme_view_row *row)
{
    (void)row;
    (void)context;
    return STEME_FAILED;
}

static void a_visitor_ends_the_walk(void **state)
{
    struct shop *shop = *state;
    struct steme_signer *signer = new_key(shop, "me");
    struct steme_view_spec spec = spec_of("v");
    shop_fill(shop, 6, 50);
    create(shop, signer, &spec);
    OK(steme_view_wait(shop->store, spec.name, 0, SHOP_WAIT_MS, &failure));
    struct steme_snapshot *snapshot = shop_look(shop->store);
    struct steme_view_info view = show(snapshot, "v");
    assert_int_equal(steme_view_rows_each(snapshot, &view, slice_of(NULL, 0), keep_row, NULL, &failure), STEME_FAILED);
    steme_snapshot_close(&snapshot);
    steme_signer_free(&signer);
}

/* ---- rows that lie ---- */

static steme_status spoil_a_row(struct kv_txn *txn, void *context, struct steme_error *err)
{
    static const uint8_t tag[] = { 'W' };
    struct kv_cursor cursor = { 0 };
    struct kv_pair pair;
    uint8_t key[64], value[VIEW_ROW_MAX];
    bool *remove = context;
    steme_status status = kv_seek(txn, slice_of(tag, 1), slice_of(tag, 1), &cursor, &pair, err);
    while (!status && pair.key.size == 17)
        status = kv_next(&cursor, &pair, err);
    if (status) return status;
    size_t key_size = pair.key.size, size = pair.value.size;
    memcpy(key, pair.key.data, key_size);
    memcpy(value, pair.value.data, size);
    kv_cursor_end(&cursor);
    value[size - 1] ^= 1;
    return *remove ? kv_remove(txn, slice_of(key, key_size), err)
                   : kv_put(txn, slice_of(key, key_size), slice_of(value, size), err);
}

static void note(void *context, const struct steme_finding *finding)
{
    size_t *count = context;
    *count += strstr(finding->message, "view 'v'") != NULL;
}

static void verify_finds_rows_that_lie(void **state)
{
    struct shop *shop = *state;
    struct steme_signer *signer = new_key(shop, "me");
    struct steme_view_spec spec = spec_of("v");
    shop_fill(shop, 7, 100);
    create(shop, signer, &spec);
    OK(steme_view_wait(shop->store, spec.name, 0, SHOP_WAIT_MS, &failure));
    for (unsigned round = 0; round < 2; round++) {
        struct steme_verification totals;
        bool remove = round == 0;
        size_t count = 0;
        OK(steme_verify(shop->store, note, &count, &totals, &failure));
        assert_int_equal(totals.findings, 0);
        OK(kv_update(shop->store->index->kv, spoil_a_row, &remove, &failure));
        OK(steme_verify(shop->store, note, &count, &totals, &failure));
        assert_int_equal(count, 1);
        OK(steme_view_refresh(shop->store, spec.name, &failure));
        OK(steme_view_wait(shop->store, spec.name, 0, SHOP_WAIT_MS, &failure));
    }
    steme_signer_free(&signer);
}

static void waiting_ends(void **state)
{
    struct shop *shop = *state;
    struct steme_signer *signer = new_key(shop, "me");
    struct steme_view_spec spec = spec_of("v");
    assert_int_equal(steme_view_wait(shop->store, spec.name, 0, 10, &failure), STEME_NOT_FOUND);
    assert_int_equal(steme_view_refresh(shop->store, spec.name, &failure), STEME_NOT_FOUND);
    create(shop, signer, &spec);
    OK(steme_view_wait(shop->store, spec.name, 1, SHOP_WAIT_MS, &failure));
    assert_int_equal(steme_view_wait(shop->store, spec.name, 1000, 50, &failure), STEME_TIMEOUT);
    shop_reopen(shop, true);
    assert_int_equal(steme_view_refresh(shop->store, spec.name, &failure), STEME_READ_ONLY);
    assert_int_equal(steme_view_wait(shop->store, spec.name, 1000, 50, &failure), STEME_TIMEOUT);
    OK(steme_view_wait(shop->store, spec.name, 1, 0, &failure));
    steme_signer_free(&signer);
    shop_reopen(shop, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SHOP_CASE(parameters_come_back_as_they_were),
        SHOP_CASE(a_lens_or_parameter_that_is_unknown_makes_a_view_faulty),
        SHOP_CASE(another_moment_is_refused),
        SHOP_CASE(only_own_keys_make_views),
        SHOP_CASE(there_are_so_many_views_and_no_more),
        SHOP_CASE(rows_live_as_long_as_the_index),
        SHOP_CASE(a_visitor_ends_the_walk),
        SHOP_CASE(verify_finds_rows_that_lie),
        SHOP_CASE(waiting_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
