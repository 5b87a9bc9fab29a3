/* SPDX-License-Identifier: Apache-2.0 */
/* Ballots to measure with: a crew of voters, each with a key of its own, and the assertions they vote on. */
#ifndef BENCH_LIB_VOTERS_H
#define BENCH_LIB_VOTERS_H

#include "spine/wal.h"
#include "steme/store.h"

#define VOTERS 64u
#define VOTERS_TARGETS 4096u

struct voters {
    struct steme_signer *signers[VOTERS];
    struct steme_target *targets; /* VOTERS_TARGETS of them */
};

struct voters voters_new(void);
void voters_free(struct voters *voters);
/* Write the assertions that are voted on, and wait for the index. */
void voters_fill(struct steme_store *store, const struct voters *voters);
/* The nth ballot of a voter, on that target; no two are alike. */
struct steme_record voters_ballot(const struct voters *voters, size_t target, uint64_t nth);

/* Signed ballots as the log takes them: what casting comes to when everything is at hand. */
struct voters_signed {
    uint8_t *bytes;
    struct steme_signature *signatures;
    struct wal_record *records;
    size_t count;
};
struct voters_signed voters_sign(const struct voters *voters, size_t count);
void voters_signed_free(struct voters_signed *all);

#endif
