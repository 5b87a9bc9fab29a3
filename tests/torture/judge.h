/* SPDX-License-Identifier: Apache-2.0 */
/* What a store answers, as digests, and whether a store that was damaged says the same, says clearly that it can't, or
 * lies. Through the public library alone, in the calling process. */
#ifndef TORTURE_JUDGE_H
#define TORTURE_JUDGE_H

#include "steme/steme.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JUDGE_NAME_BYTES = 64, JUDGE_SLOTS_MAX = 2048, JUDGE_RECORDS_MAX = 16384, JUDGE_MESSAGE_BYTES = 400 };

/* What is compared, each with its own digest, so that a lie can be named. */
enum judge_part {
    PART_ALL_QUESTIONS, /* every slot under every lens, by a walk of the index */
    PART_EACH_QUESTION, /* the same slots, asked for by name */
    PART_HISTORY,       /* with ballots and revisions, by subject */
    PART_EARLIER,       /* as of half way */
    PART_CONFLICTS,
    PART_IDS, /* every record asked for by its id */
    PART_EXPORT,
    PART_LOG,
    PART_KEYS, /* the index as text */
    PART_EPOCHS,
    PART_COUNTS, /* of steme_info() */
    PART_SIGNER,
    PARTS
};

struct judge_record {
    struct steme_hash id;
    uint64_t digest; /* of id, sequence, bytes and signature */
};

struct judge_answers {
    uint64_t part[PARTS];
    uint64_t records, missing;
    bool degraded;
};

/* What the store said before it was damaged. */
struct judge_golden {
    struct judge_answers answers;
    size_t slot_count, record_count;
    char slots[JUDGE_SLOTS_MAX][2][JUDGE_NAME_BYTES]; /* subject, predicate */
    struct judge_record records[JUDGE_RECORDS_MAX];   /* sorted by id */
};

/* From best to worst. */
enum judge_fate {
    FATE_SAME,     /* the same answers, all of them */
    FATE_TOLD,     /* an error with a message */
    FATE_DEGRADED, /* it says that acknowledged data are damaged; what it has is what was there, the rest is counted */
    FATE_WRONG,    /* anything else */
    FATE_KILLED,   /* a signal; set by who waited for the process */
    FATES
};

struct judge_outcome {
    enum judge_fate fate;
    uint32_t rebuilds; /* of the index, told to the user */
    char message[JUDGE_MESSAGE_BYTES];
};

/* Fill *out from a store that is well. False with a message in *why: it could not be read. */
bool judge_learn(const char *dir, struct judge_golden *out, struct judge_outcome *why);
/* Open a damaged store for reading and ask everything; then for writing, ask again, and verify. */
void judge_store(const char *dir, const struct judge_golden *golden, struct judge_outcome *out);

#endif
