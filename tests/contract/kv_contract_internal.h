/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the suite share. */
#ifndef TESTS_CONTRACT_KV_CONTRACT_INTERNAL_H
#define TESTS_CONTRACT_KV_CONTRACT_INTERNAL_H

#include "contract/kv_contract.h"
#include "lib/testing.h"

/* Bytes of a literal, which may hold any byte. */
#define BYTES(literal) slice_of((literal), sizeof(literal) - 1)
#define NOTHING slice_of(NULL, 0)

/* *state of a test. */
struct kv_contract_subject {
    const struct kv_contract_store *store;
    char *dir;
    struct kv *kv;
};

struct kv *kv_contract_kv(void **state);
void kv_contract_commit(struct kv_txn *txn);
void kv_contract_put(struct kv_txn *txn, struct steme_slice key, struct steme_slice value);
/* Each text under itself, in one transaction. */
void kv_contract_put_texts(struct kv *kv, const char *const *texts, size_t count);
/* Whether key has that value; value NULL: whether it has none. */
bool kv_contract_has(struct kv_txn *txn, const char *key, const char *value);

extern const struct CMUnitTest kv_contract_pairs[], kv_contract_txns[], kv_contract_lasting[];
extern const size_t kv_contract_pairs_count, kv_contract_txns_count, kv_contract_lasting_count;

#endif
