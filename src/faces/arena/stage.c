/* SPDX-License-Identifier: Apache-2.0 */
#define _XOPEN_SOURCE 700 /* nftw() */
#include "faces/arena/stage.h"
#include "base/check.h"

#include <errno.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    OPEN_FILES = 16,
    CATCH_UP_MS = 600000,
    BATCH_BYTES = STEME_BATCH_BYTES_MAX / 2,
    SUBMIT_RECORDS = STEME_BATCH_RECORDS_MAX
};

struct stage_record {
    size_t begin, size; /* in the bytes that wait */
    bool is_signed;
    struct steme_signature signature;
};

steme_status stage_open(struct stage *stage, struct steme_error *err)
{
    const char *temporary = getenv("TMPDIR");
    char path[sizeof stage->dir + sizeof "/store"];
    *stage = (struct stage){ 0 };
    buf_init(&stage->bytes, STEME_BATCH_BYTES_MAX);
    stage->waiting = calloc(SUBMIT_RECORDS, sizeof *stage->waiting);
    stage->scratch = malloc(STEME_RECORD_MAX);
    if (!stage->waiting || !stage->scratch) return error_set(err, STEME_NO_MEMORY, "no memory for the records");
    const char *root = temporary && temporary[0] ? temporary : "/tmp";
    int size = snprintf(stage->dir, sizeof stage->dir, "%s/steme-arena-XXXXXX", root);
    bool fits = size > 0 && (size_t)size < sizeof stage->dir;
    if (!fits || !mkdtemp(stage->dir)) {
        int problem = fits ? errno : ENAMETOOLONG;
        stage->dir[0] = '\0';
        return error_set_os(err, STEME_IO, problem, "can't make a directory for the store in %.300s%s", root,
                            root == temporary ? ", as $TMPDIR says" : " ($TMPDIR can name another)");
    }
    snprintf(path, sizeof path, "%s/store", stage->dir);
    steme_status status = steme_create(path, err);
    return status ? status : steme_open(path, NULL, &stage->store, err);
}

static int remove_one(const char *path, const struct stat *stat, int kind, struct FTW *walk)
{
    (void)stat;
    (void)kind;
    (void)walk;
    return remove(path);
}

bool stage_close(struct stage *stage)
{
    steme_close(&stage->store);
    bool clean = !stage->dir[0] || nftw(stage->dir, remove_one, OPEN_FILES, FTW_DEPTH | FTW_PHYS) == 0;
    buf_deinit(&stage->bytes);
    free(stage->waiting);
    free(stage->scratch);
    *stage = (struct stage){ 0 };
    return clean;
}

static steme_status submit(struct stage *stage, struct steme_signed *records, struct steme_receipt *receipts,
                           struct steme_error *err)
{
    for (size_t i = 0; i < stage->waiting_count; i++) {
        const struct stage_record *it = &stage->waiting[i];
        records[i] = (struct steme_signed){ { stage->bytes.data + it->begin, it->size }, it->is_signed, it->signature };
    }
    steme_status status = steme_submit(stage->store, records, stage->waiting_count, receipts, NULL, err);
    if (status) return status;
    /* A place in the log is reckoned by counting, so every record has to be a new one. */
    uint64_t last = receipts[stage->waiting_count - 1].sequence;
    if (last != stage->written)
        return error_set(err, STEME_MISMATCH, "%" PRIu64 " records were written, and the last is number %" PRIu64,
                         stage->written, last);
    stage->waiting_count = 0;
    buf_clear(&stage->bytes);
    return steme_wait(stage->store, last, CATCH_UP_MS, err);
}

steme_status stage_flush(struct stage *stage, struct steme_error *err)
{
    if (stage->waiting_count == 0) return STEME_OK;
    struct steme_signed *records = calloc(stage->waiting_count, sizeof *records);
    struct steme_receipt *receipts = calloc(stage->waiting_count, sizeof *receipts);
    steme_status status = records && receipts ? submit(stage, records, receipts, err)
                                              : error_set(err, STEME_NO_MEMORY, "no memory for the records");
    free(records);
    free(receipts);
    return status;
}

/* Encode a record behind the bytes that wait, as the index-th that waits. */
static steme_status encode(struct stage *stage, const struct steme_record *record, size_t index, struct steme_hash *id,
                           struct steme_error *err)
{
    size_t size;
    steme_status status = steme_encode(record, stage->scratch, STEME_RECORD_MAX, &size, err);
    if (!status) status = steme_record_id((struct steme_slice){ stage->scratch, size }, id, err);
    if (status) return status;
    stage->waiting[index] = (struct stage_record){ .begin = stage->bytes.size, .size = size };
    buf_append(&stage->bytes, stage->scratch, size);
    return buf_check(&stage->bytes, err);
}

static void sign(struct stage *stage, const struct steme_signer *signer, size_t index, const struct steme_hash *id)
{
    stage->waiting[index].is_signed = true;
    stage->waiting[index].signature = steme_sign(signer, id);
}

/* What belongs together goes together: submit what waits unless there is room for count more. */
static steme_status make_room(struct stage *stage, size_t count, struct steme_error *err)
{
    bool fits = stage->waiting_count + count <= SUBMIT_RECORDS && stage->bytes.size <= BATCH_BYTES;
    return fits ? STEME_OK : stage_flush(stage, err);
}

steme_status stage_bundle(struct stage *stage, const struct steme_signer *signer, struct steme_assertion *assertions,
                          size_t count, struct steme_hash *ids, struct steme_error *err)
{
    invariant(count > 0 && count <= STEME_BUNDLE_MAX);
    struct steme_record record = { .type = STEME_ASSERTION };
    struct steme_hash id;
    steme_status status = make_room(stage, count + 1, err);
    size_t first = stage->waiting_count;
    for (size_t i = 0; i < count && !status; i++) {
        assertions[i].author = steme_signer_key(signer);
        record.as.assertion = assertions[i];
        status = encode(stage, &record, first + 1 + i, &ids[i], err);
    }
    record = (struct steme_record){ .type = STEME_BUNDLE, .as.bundle = { steme_signer_key(signer), ids, count } };
    if (!status) status = encode(stage, &record, first, &id, err);
    if (status) return status;
    sign(stage, signer, first, &id);
    stage->waiting_count += count + 1;
    stage->written += count + 1;
    return STEME_OK;
}

steme_status stage_write(struct stage *stage, const struct steme_signer *signer, struct steme_record *record,
                         struct steme_error *err)
{
    struct steme_hash id;
    invariant(record->type == STEME_VOTE || record->type == STEME_REVISION);
    if (record->type == STEME_VOTE)
        record->as.vote.voter = steme_signer_key(signer);
    else
        record->as.revision.author = steme_signer_key(signer);
    steme_status status = make_room(stage, 1, err);
    if (!status) status = encode(stage, record, stage->waiting_count, &id, err);
    if (status) return status;
    sign(stage, signer, stage->waiting_count, &id);
    stage->waiting_count++;
    stage->written++;
    return STEME_OK;
}
