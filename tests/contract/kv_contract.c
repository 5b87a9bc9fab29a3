/* SPDX-License-Identifier: Apache-2.0 */
#include "contract/kv_contract.h"

#include "base/check.h"
#include "base/slice.h"
#include "contract/kv_contract_internal.h"
#include "lib/kv_testing.h"

#include <stdio.h>
#include <stdlib.h>

static struct steme_error err;

struct kv *kv_contract_kv(void **state) { return ((struct kv_contract_subject *)*state)->kv; }

void kv_contract_commit(struct kv_txn *txn) { assert_status(kv_commit(&txn, &err), STEME_OK, &err, "commit"); }

void kv_contract_put(struct kv_txn *txn, struct steme_slice key, struct steme_slice value)
{
    assert_status(kv_put(txn, key, value, &err), STEME_OK, &err, "put");
}

void kv_contract_put_texts(struct kv *kv, const char *const *texts, size_t count)
{
    struct kv_txn *txn = kv_testing_begin(kv, KV_WRITE);
    for (size_t i = 0; i < count; i++)
        kv_contract_put(txn, slice_text(texts[i]), slice_text(texts[i]));
    kv_contract_commit(txn);
}

bool kv_contract_has(struct kv_txn *txn, const char *key, const char *value)
{
    struct steme_slice got;
    steme_status status = kv_get(txn, slice_text(key), &got, &err);
    if (!value) return status == STEME_NOT_FOUND;
    return status == STEME_OK && slice_equal(got, slice_text(value));
}

static const struct kv_contract_store *store_under_test;

static int open_subject(void **state)
{
    struct kv_contract_subject *subject = calloc(1, sizeof(*subject));
    assert_non_null(subject);
    subject->store = store_under_test;
    subject->dir = testing_make_temporary();
    assert_status(subject->store->open(subject->dir, &subject->kv, &err), STEME_OK, &err, "open");
    *state = subject;
    return 0;
}

static int close_subject(void **state)
{
    struct kv_contract_subject *subject = *state;
    kv_close(&subject->kv);
    kv_close(&subject->kv); /* NULL is fine */
    testing_remove_temporary(subject->dir);
    free(subject);
    return 0;
}

enum { TESTS_MAX = 100, NAME_MAX_BYTES = 160 };

struct suite {
    struct CMUnitTest tests[TESTS_MAX];
    char names[TESTS_MAX][NAME_MAX_BYTES];
    size_t count;
};

static void add(struct suite *suite, const struct CMUnitTest *tests, size_t count)
{
    for (size_t i = 0; i < count; i++, suite->count++) {
        invariant(suite->count < TESTS_MAX);
        char *name = suite->names[suite->count];
        snprintf(name, NAME_MAX_BYTES, "%s: %s", store_under_test->name, tests[i].name);
        suite->tests[suite->count] = (struct CMUnitTest){ name, tests[i].test_func, open_subject, close_subject, NULL };
    }
}

int kv_contract_run(const struct kv_contract_store *store)
{
    static struct suite suite;
    suite.count = 0;
    store_under_test = store;
    add(&suite, kv_contract_pairs, kv_contract_pairs_count);
    add(&suite, kv_contract_txns, kv_contract_txns_count);
    if (store->lasting) add(&suite, kv_contract_lasting, kv_contract_lasting_count);
    return _cmocka_run_group_tests(store->name, suite.tests, suite.count, NULL, NULL);
}
