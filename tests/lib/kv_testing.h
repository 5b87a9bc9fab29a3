/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of ordered stores share. Functions without a status assert; the others are for any thread and for
 * other processes. */
#ifndef TESTS_LIB_KV_TESTING_H
#define TESTS_LIB_KV_TESTING_H

#include "spine/kv.h"

#define KV_TESTING_VALUE_MAX 4096u

enum kv_testing_open { KV_TESTING_PLAIN = 0, KV_TESTING_CREATE = 1, KV_TESTING_READ_ONLY = 2 };

/* lmdb on the real host; how: of the above. map_bytes 0: as large as usual. */
MUST_CHECK steme_status kv_testing_open(const char *dir, unsigned how, uint64_t map_bytes, struct kv **out,
                                        struct steme_error *err);
struct kv *kv_testing_lmdb(const char *dir, unsigned how);
struct kv_txn *kv_testing_begin(struct kv *kv, enum kv_mode mode);

/* Pairs first .. first + count - 1, spread all over the order of keys. They prove themselves: the value says which pair
 * it is, so a reader can tell that nothing got mixed up. */
struct kv_pairs {
    uint64_t first, count;
    size_t value_bytes; /* 8..KV_TESTING_VALUE_MAX */
};

/* Puts the struct kv_pairs that context points to: a body for kv_update(). */
MUST_CHECK steme_status kv_pairs_put(struct kv_txn *txn, void *context, struct steme_error *err);
void kv_pairs_load(struct kv *kv, uint64_t first, uint64_t count, size_t value_bytes);
bool kv_pairs_prove(struct kv_pair pair);
/* Reads and proves every pair there is; STEME_MISMATCH if one does not fit. */
MUST_CHECK steme_status kv_pairs_count(struct kv_txn *txn, uint64_t *count_out, struct steme_error *err);
uint64_t kv_pairs_in(struct kv *kv);

/* Runs body in a process of its own. Its answer (0..99), or KV_TESTING_KILLED + the signal that ended it. */
#define KV_TESTING_KILLED 1000
int kv_testing_child(int (*body)(void *context), void *context);

/* Setup and teardown: *state is the path of a new empty directory. */
int kv_testing_make_dir(void **state);
int kv_testing_remove_dir(void **state);
#define KV_TESTING_CASE(function) cmocka_unit_test_setup_teardown(function, kv_testing_make_dir, kv_testing_remove_dir)

#endif
