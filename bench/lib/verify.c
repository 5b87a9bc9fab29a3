/* SPDX-License-Identifier: Apache-2.0 */
#include "verify.h"

#include "clock.h"
#include "model/record.h"
#include "options.h"

#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGE_BYTES = 48, STRIDE = 64 };

/* What is signed (docs/format/signature.md), laid out so that the limit does nothing but verify. */
static const char tag[16] = "steme-record-v1";

struct check {
    uint8_t message[MESSAGE_BYTES], key[32], signature[64];
};

struct trial {
    struct check *checks;
    size_t count;
    _Atomic size_t next;
};

static void verify_some(void *context, size_t index)
{
    struct trial *trial = context;
    (void)index;
    for (size_t at; (at = atomic_fetch_add(&trial->next, STRIDE)) < trial->count;) {
        for (size_t i = at; i < trial->count && i < at + STRIDE; i++) {
            const struct check *check = &trial->checks[i];
            must_hold(crypto_sign_verify_detached(check->signature, check->message, MESSAGE_BYTES, check->key) == 0,
                      "verifying a signature of the workload");
        }
    }
}

double verify_alone(const struct workload *workload, size_t threads)
{
    struct trial trial = { .checks = must_alloc(workload->record_count, sizeof *trial.checks) };
    for (size_t i = 0; i < workload->record_count; i++) {
        const struct steme_signed *record = &workload->records[i];
        if (!record->is_signed) continue;
        struct check *check = &trial.checks[trial.count++];
        memcpy(check->message, tag, sizeof tag);
        memcpy(check->message + sizeof tag, &workload->ids[i], sizeof workload->ids[i]);
        memcpy(check->key, record_author(record->bytes), sizeof check->key);
        memcpy(check->signature, record->signature.bytes, sizeof check->signature);
    }
    double took = crew_run(threads, verify_some, &trial);
    free(trial.checks);
    return took;
}
