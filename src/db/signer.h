/* SPDX-License-Identifier: Apache-2.0 */
/* A signer inside the library: a key pair with its name. */
#ifndef DB_SIGNER_H
#define DB_SIGNER_H

#include "model/sign.h"
#include "steme/store.h"

#define SIGNER_NAME_MAX 64u

struct steme_signer {
    struct sign_secret secret;
    char name[SIGNER_NAME_MAX + 1]; /* "" for one from a seed */
};

/* Whether others than its owner may read or write the file of a key of the store, by name. */
bool signer_is_exposed(struct steme_store *store, const char *name);

#endif
