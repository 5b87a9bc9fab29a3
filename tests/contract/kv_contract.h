/* SPDX-License-Identifier: Apache-2.0 */
/* Every promise of src/spine/kv.h as a test, to be run over each ordered store. */
#ifndef TESTS_CONTRACT_KV_CONTRACT_H
#define TESTS_CONTRACT_KV_CONTRACT_H

#include "spine/kv.h"

struct kv_contract_store {
    const char *name;
    /* Opens the store that lives in the directory; a new one if the directory is empty. */
    steme_status (*open)(const char *dir, struct kv **out, struct steme_error *err);
    bool lasting; /* closed and opened again it has what was committed */
};

/* Returns how many tests failed. */
int kv_contract_run(const struct kv_contract_store *store);

#endif
