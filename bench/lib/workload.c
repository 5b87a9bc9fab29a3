/* SPDX-License-Identifier: Apache-2.0 */
#include "workload.h"

#include "base/hash.h"
#include "base/slice.h"
#include "options.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define HOUR_US INT64_C(3600000000)
#define BEGIN_US INT64_C(1600000000000000) /* September 2020 */

static const uint8_t seed[32] = "the benchmark's one signing key";

void workload_subject(size_t slot, char name[WORKLOAD_NAME_BYTES])
{
    /* Neighbours in number are no neighbours in name: the index sees random routes anyway. */
    snprintf(name, WORKLOAD_NAME_BYTES, "gene:ENSG%011zu", slot);
}

void workload_assertion(const struct workload_shape *shape, size_t i, struct workload_assertion *out)
{
    size_t slot = i % shape->slots, nth = i / shape->slots;
    workload_subject(slot, out->subject);
    snprintf(out->object, sizeof out->object, "tissue:UBERON_%07zu", slot % 9973 + nth % shape->claims);
    snprintf(out->source, sizeof out->source, "laboratory:%06zu", (nth * 7919 + slot) % 1000000);
    snprintf(out->uri, sizeof out->uri, "doi:10.1038/s41586-%010zu", i);
    snprintf(out->locator, sizeof out->locator, "supplementary table 4, row %05zu", i % 100000);
    out->evidence = (struct steme_evidence){
        .stance = STEME_SUPPORT,
        .uri = slice_text(out->uri),
        .locator = slice_text(out->locator),
    };
    out->assertion = (struct steme_assertion){
        .subject = slice_text(out->subject),
        .predicate = slice_text(WORKLOAD_PREDICATE),
        .object = { .kind = STEME_ENTITY, .text = slice_text(out->object) },
        .confidence_ppm = 600000 + (uint32_t)(i * 7919 % 400000),
        .asserted_at_us = BEGIN_US + (int64_t)i * HOUR_US / 1000,
        .valid_from_us = STEME_TIME_MIN,
        .valid_to_us = STEME_TIME_MAX,
        .source = slice_text(out->source),
        .evidence = &out->evidence,
        .evidence_count = 1,
    };
}

static struct steme_slice encode(struct arena *arena, const struct steme_record *record, size_t room)
{
    struct steme_error error;
    size_t size = 0;
    uint8_t *bytes = arena_alloc(arena, room);
    must_hold(bytes != NULL, "memory for the workload");
    must(steme_encode(record, bytes, room, &size, &error), &error, "encoding the workload");
    return slice_of(bytes, size);
}

static struct steme_slice encode_assertion(struct arena *arena, const struct workload_shape *shape, size_t i,
                                           const struct steme_key *key)
{
    struct workload_assertion made;
    workload_assertion(shape, i, &made);
    struct steme_record record = { .type = STEME_ASSERTION, .as.assertion = made.assertion };
    record.as.assertion.author = *key;
    struct steme_slice bytes = encode(arena, &record, WORKLOAD_RECORD_BYTES);
    must_hold(bytes.size == WORKLOAD_RECORD_BYTES, "a workload record is not of the promised size");
    return bytes;
}

static void begin(struct workload *workload, size_t records, size_t calls, struct steme_signer **signer)
{
    struct steme_error error;
    *workload = (struct workload){ .record_count = records, .call_count = calls };
    arena_init(&workload->arena, SIZE_MAX);
    workload->records = must_alloc(records, sizeof *workload->records);
    workload->ids = must_alloc(records, sizeof *workload->ids);
    workload->calls = must_alloc(calls, sizeof *workload->calls);
    must(steme_signer_from_seed(seed, signer, &error), &error, "a key for the workload");
}

static void hash_all(struct workload *workload, size_t first, size_t count)
{
    struct steme_slice *inputs = must_alloc(count, sizeof *inputs);
    for (size_t i = 0; i < count; i++)
        inputs[i] = workload->records[first + i].bytes;
    hash_many(inputs, count, workload->ids + first);
    free(inputs);
}

static void sign(struct workload *workload, size_t i, const struct steme_signer *signer)
{
    workload->records[i].is_signed = true;
    workload->records[i].signature = steme_sign(signer, &workload->ids[i]);
}

void workload_singles(struct workload *workload, const struct workload_shape *shape, size_t first, size_t count,
                      size_t call_size)
{
    struct steme_signer *signer = NULL;
    size_t calls = (count + call_size - 1) / call_size;
    begin(workload, count, calls, &signer);
    struct steme_key key = steme_signer_key(signer);
    workload->assertion_count = count;
    for (size_t i = 0; i < count; i++)
        workload->records[i].bytes = encode_assertion(&workload->arena, shape, first + i, &key);
    hash_all(workload, 0, count);
    for (size_t i = 0; i < count; i++)
        sign(workload, i, signer);
    for (size_t i = 0; i < calls; i++) {
        size_t left = count - i * call_size;
        workload->calls[i] = (struct workload_call){ workload->records + i * call_size,
                                                     left < call_size ? left : call_size };
    }
    steme_signer_free(&signer);
}

void workload_bundles(struct workload *workload, const struct workload_shape *shape, size_t first, size_t count,
                      size_t bundle_size)
{
    struct steme_signer *signer = NULL;
    size_t calls = count / bundle_size, group = bundle_size + 1;
    must_hold(count % bundle_size == 0, "a workload of whole bundles");
    begin(workload, calls * group, calls, &signer);
    struct steme_key key = steme_signer_key(signer);
    workload->assertion_count = count;
    for (size_t i = 0; i < calls; i++) {
        size_t at = i * group;
        for (size_t k = 0; k < bundle_size; k++)
            workload->records[at + 1 + k].bytes = encode_assertion(&workload->arena, shape, first + i * bundle_size + k,
                                                                   &key);
        hash_all(workload, at + 1, bundle_size);
        struct steme_record list = { .type = STEME_BUNDLE, .as.bundle = { key, workload->ids + at + 1, bundle_size } };
        workload->records[at].bytes = encode(&workload->arena, &list, 256 + 32 * bundle_size);
        hash_all(workload, at, 1);
        sign(workload, at, signer);
        workload->calls[i] = (struct workload_call){ workload->records + at, group };
    }
    steme_signer_free(&signer);
}

void workload_free(struct workload *workload)
{
    arena_deinit(&workload->arena);
    free(workload->records);
    free(workload->ids);
    free(workload->calls);
    *workload = (struct workload){ 0 };
}
