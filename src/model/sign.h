/* SPDX-License-Identifier: Apache-2.0 */
/* Ed25519 over "steme-record-v1\0" + record id (48 bytes). The verification rule is part of the format
 * (docs/format/signature.md): S < L, A and R canonical and not of small order, cofactorless equation
 * R == S*B - h*A. libsodium computes; sign_init() proves on pinned vectors that the installed one decides by
 * this rule, and nothing is verified where it does not. Any thread after sign_init(). */
#ifndef MODEL_SIGN_H
#define MODEL_SIGN_H

#include "base/error.h"
#include "steme/types.h"

/* Seed and public key together; wipe with sign_wipe() when done. */
struct sign_secret {
    uint8_t seed[32];
    uint8_t expanded[64]; /* libsodium's secret key: seed then public key */
    struct steme_key key;
};

/* Once per process, before anything else here; later calls are free. STEME_UNSUPPORTED with the failing
 * vector's number when this libsodium decides otherwise. */
MUST_CHECK steme_status sign_init(struct steme_error *err);

void sign_secret_from_seed(const uint8_t seed[32], struct sign_secret *out);
void sign_wipe(struct sign_secret *secret);

struct steme_signature sign_record(const struct sign_secret *secret, const struct steme_hash *id);
/* STEME_OK or STEME_BAD_SIGNATURE. */
MUST_CHECK steme_status sign_verify(const uint8_t key[32], const struct steme_hash *id,
                                    const struct steme_signature *signature, struct steme_error *err);
/* The rule itself over any message, for the vectors. */
MUST_CHECK steme_status sign_verify_message(const uint8_t key[32], struct steme_slice message,
                                            const uint8_t signature[64], struct steme_error *err);

#endif
