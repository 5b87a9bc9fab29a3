/* SPDX-License-Identifier: Apache-2.0 */
#include "voters.h"

#include "base/slice.h"
#include "options.h"

#include <stdio.h>
#include <stdlib.h>

enum { BALLOT_BYTES_MAX = 512, CALL_RECORDS = 1000, WAIT_MS = 60000 };

/* 2026-01-01T12:00:00Z */
static const int64_t noon_us = INT64_C(1767268800000000);

static struct steme_assertion assertion_of(size_t target, char *subject, size_t room)
{
    (void)snprintf(subject, room, "subject %05zu", target);
    return (struct steme_assertion){ .subject = slice_text(subject),
                                     .predicate = slice_text("is a"),
                                     .object = { .kind = STEME_ENTITY, .text = slice_text("planet") },
                                     .confidence_ppm = STEME_PPM,
                                     .asserted_at_us = noon_us,
                                     .valid_from_us = STEME_TIME_MIN,
                                     .valid_to_us = STEME_TIME_MAX };
}

static struct steme_hash id_of(const struct steme_record *record)
{
    uint8_t bytes[1024];
    size_t size = 0;
    struct steme_hash id;
    struct steme_error error;
    must(steme_encode(record, bytes, sizeof bytes, &size, &error), &error, "encoding");
    must(steme_record_id(slice_of(bytes, size), &id, &error), &error, "hashing");
    return id;
}

struct voters voters_new(void)
{
    struct voters voters = { .targets = must_alloc(VOTERS_TARGETS, sizeof *voters.targets) };
    struct steme_error error;
    for (size_t i = 0; i < VOTERS; i++) {
        uint8_t seed[32] = { 'v', (uint8_t)i };
        must(steme_signer_from_seed(seed, &voters.signers[i], &error), &error, "a key");
    }
    for (size_t i = 0; i < VOTERS_TARGETS; i++) {
        char subject[32];
        struct steme_record record = { .type = STEME_ASSERTION };
        record.as.assertion = assertion_of(i, subject, sizeof subject);
        record.as.assertion.author = steme_signer_key(voters.signers[0]);
        voters.targets[i] = (struct steme_target){ STEME_ON_ASSERTION, steme_route(record.as.assertion.subject),
                                                   id_of(&record) };
    }
    return voters;
}

void voters_free(struct voters *voters)
{
    for (size_t i = 0; i < VOTERS; i++)
        steme_signer_free(&voters->signers[i]);
    free(voters->targets);
}

void voters_fill(struct steme_store *store, const struct voters *voters)
{
    struct steme_error error;
    struct steme_assertion *assertions = must_alloc(CALL_RECORDS, sizeof *assertions);
    struct steme_receipt *receipts = must_alloc(CALL_RECORDS, sizeof *receipts);
    char(*subjects)[32] = must_alloc(CALL_RECORDS, sizeof *subjects);
    uint64_t last = 0;
    for (size_t from = 0; from < VOTERS_TARGETS;) {
        size_t count = VOTERS_TARGETS - from < CALL_RECORDS ? VOTERS_TARGETS - from : CALL_RECORDS;
        for (size_t i = 0; i < count; i++)
            assertions[i] = assertion_of(from + i, subjects[i], sizeof subjects[i]);
        must(steme_write_bundle(store, voters->signers[0], assertions, count, receipts, NULL, &error), &error,
             "writing what is voted on");
        last = receipts[count - 1].sequence;
        from += count;
    }
    must(steme_wait(store, last, WAIT_MS, &error), &error, "waiting for the index");
    free(assertions);
    free(receipts);
    free(subjects);
}

struct steme_record voters_ballot(const struct voters *voters, size_t target, uint64_t nth)
{
    struct steme_record record = { .type = STEME_VOTE };
    record.as.vote = (struct steme_vote){ .target = voters->targets[target],
                                          .stance = nth % 3 ? STEME_SUPPORT : STEME_REFUTE,
                                          .probability_ppm = 900000,
                                          .cast_at_us = noon_us + (int64_t)nth };
    return record;
}

struct voters_signed voters_sign(const struct voters *voters, size_t count)
{
    struct voters_signed all = { .bytes = must_alloc(count, BALLOT_BYTES_MAX),
                                 .signatures = must_alloc(count, sizeof *all.signatures),
                                 .records = must_alloc(count, sizeof *all.records),
                                 .count = count };
    struct steme_error error;
    for (size_t i = 0; i < count; i++) {
        const struct steme_signer *signer = voters->signers[i % VOTERS];
        struct steme_record record = voters_ballot(voters, i % VOTERS_TARGETS, i);
        uint8_t *to = all.bytes + i * BALLOT_BYTES_MAX;
        size_t size = 0;
        record.as.vote.voter = steme_signer_key(signer);
        must(steme_encode(&record, to, BALLOT_BYTES_MAX, &size, &error), &error, "encoding");
        all.records[i].bytes = slice_of(to, size);
        must(steme_record_id(all.records[i].bytes, &all.records[i].id, &error), &error, "hashing");
        all.signatures[i] = steme_sign(signer, &all.records[i].id);
        all.records[i].signature = &all.signatures[i];
    }
    return all;
}

void voters_signed_free(struct voters_signed *all)
{
    free(all->bytes);
    free(all->signatures);
    free(all->records);
}
