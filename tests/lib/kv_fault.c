/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/kv_fault.h"

#include "base/check.h"
#include "base/slice.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct fault {
    struct kv base;
    struct kv *inner;
    pthread_mutex_t lock; /* all below */
    uint64_t calls[KV_FAULT_CALLS];
    enum kv_fault_call kind;
    uint64_t countdown; /* 0: no fault planned */
    bool for_ever;
    steme_status status;
};

/* A copy lent to the caller. */
struct loan {
    struct loan *next;
    uint8_t bytes[];
};

/* An inner cursor; they are freed with the transaction at the latest. */
struct inner_cursor {
    struct inner_cursor *next;
    struct kv_cursor cursor;
};

struct fault_txn {
    struct kv_txn base;
    struct kv_txn *inner;
    struct loan *loans;
    struct inner_cursor *cursors;
};

static struct fault_txn *own_txn(struct kv_txn *base) { return (struct fault_txn *)base; }

static steme_status count(struct kv *kv, enum kv_fault_call kind, struct steme_error *err)
{
    struct fault *fault = (struct fault *)kv;
    steme_status status = STEME_OK;
    pthread_mutex_lock(&fault->lock);
    fault->calls[kind]++;
    fault->calls[KV_FAULT_ANY]++;
    if (fault->countdown && (fault->kind == kind || fault->kind == KV_FAULT_ANY) && --fault->countdown == 0) {
        status = fault->status;
        if (fault->for_ever) fault->countdown = 1;
    }
    pthread_mutex_unlock(&fault->lock);
    if (status) return error_set(err, status, "this fault was asked for");
    return STEME_OK;
}

static void end_loans(struct loan **loans)
{
    while (*loans) {
        struct loan *loan = *loans;
        *loans = loan->next;
        free(loan);
    }
}

static bool lend(struct fault_txn *txn, struct steme_slice *slice)
{
    struct loan *loan = malloc(sizeof(*loan) + slice->size);
    if (!loan) return false;
    if (slice->size) memcpy(loan->bytes, slice->data, slice->size);
    loan->next = txn->loans;
    txn->loans = loan;
    slice->data = loan->bytes;
    return true;
}

static steme_status lend_pair(struct fault_txn *txn, struct kv_pair pair, struct kv_pair *out, struct steme_error *err)
{
    if (!lend(txn, &pair.key) || !lend(txn, &pair.value))
        return error_set(err, STEME_NO_MEMORY, "no memory to lend a copy");
    *out = pair;
    return STEME_OK;
}

static void txn_free(struct fault_txn *txn)
{
    end_loans(&txn->loans);
    while (txn->cursors) {
        struct inner_cursor *cursor = txn->cursors;
        txn->cursors = cursor->next;
        free(cursor);
    }
    free(txn);
}

static steme_status fault_begin(struct kv *kv, enum kv_mode mode, struct kv_txn **out, struct steme_error *err)
{
    struct fault *fault = (struct fault *)kv;
    steme_status status = count(kv, KV_FAULT_BEGIN, err);
    if (status) return status;
    struct fault_txn *txn = calloc(1, sizeof(*txn));
    if (!txn) return error_set(err, STEME_NO_MEMORY, "no memory for a transaction");
    status = kv_begin(fault->inner, mode, &txn->inner, err);
    if (status)
        txn_free(txn);
    else
        *out = &txn->base;
    return status;
}

static steme_status fault_get(struct kv_txn *base, struct steme_slice key, struct steme_slice *out,
                              struct steme_error *err)
{
    struct fault_txn *txn = own_txn(base);
    struct steme_slice value = { 0 };
    steme_status status = count(base->kv, KV_FAULT_GET, err);
    if (status) return status;
    status = kv_get(txn->inner, key, &value, err);
    if (status) return status;
    if (!lend(txn, &value)) return error_set(err, STEME_NO_MEMORY, "no memory to lend a copy");
    *out = value;
    return STEME_OK;
}

static steme_status fault_seek(struct kv_txn *base, struct steme_slice from, struct kv_cursor *cursor,
                               struct kv_pair *out, struct steme_error *err)
{
    struct fault_txn *txn = own_txn(base);
    struct kv_pair pair = { 0 };
    steme_status status = count(base->kv, KV_FAULT_SEEK, err);
    if (status) return status;
    struct inner_cursor *inner = calloc(1, sizeof(*inner));
    if (!inner) return error_set(err, STEME_NO_MEMORY, "no memory for a cursor");
    inner->next = txn->cursors;
    txn->cursors = inner;
    status = kv_seek(txn->inner, slice_of(NULL, 0), from, &inner->cursor, &pair, err);
    if (status) return status;
    status = lend_pair(txn, pair, out, err);
    if (status) {
        kv_cursor_end(&inner->cursor);
        return status;
    }
    cursor->impl[0] = &inner->cursor;
    return STEME_OK;
}

static steme_status fault_next(struct kv_cursor *cursor, struct kv_pair *out, struct steme_error *err)
{
    struct kv_pair pair = { 0 };
    steme_status status = count(cursor->txn->kv, KV_FAULT_NEXT, err);
    if (status) return status;
    status = kv_next(cursor->impl[0], &pair, err);
    if (status) return status;
    return lend_pair(own_txn(cursor->txn), pair, out, err);
}

static void fault_cursor_end(struct kv_cursor *cursor) { kv_cursor_end(cursor->impl[0]); }

static steme_status fault_last(struct kv_txn *base, struct steme_slice below, struct kv_pair *out,
                               struct steme_error *err)
{
    struct fault_txn *txn = own_txn(base);
    struct kv_pair pair = { 0 };
    steme_status status = count(base->kv, KV_FAULT_LAST, err);
    if (status) return status;
    status = kv_last(txn->inner, slice_of(NULL, 0), below, &pair, err);
    if (status) return status;
    return lend_pair(txn, pair, out, err);
}

static steme_status fault_put(struct kv_txn *base, struct steme_slice key, struct steme_slice value, bool fresh,
                              struct steme_slice *present_out, struct steme_error *err)
{
    struct fault_txn *txn = own_txn(base);
    struct steme_slice present = { 0 };
    steme_status status = count(base->kv, KV_FAULT_PUT, err);
    if (status) return status;
    struct loan *before = txn->loans; /* the arguments may be among them: they live until the call is done */
    txn->loans = NULL;
    if (fresh)
        status = kv_put_fresh(txn->inner, key, value, &present, err);
    else
        status = kv_put(txn->inner, key, value, err);
    if (status == STEME_EXISTS && present_out) {
        if (lend(txn, &present))
            *present_out = present;
        else
            status = error_set(err, STEME_NO_MEMORY, "no memory to lend a copy");
    }
    end_loans(&before);
    return status;
}

static steme_status fault_append(struct kv_txn *base, struct steme_slice key, struct steme_slice value,
                                 struct steme_error *err)
{
    struct fault_txn *txn = own_txn(base);
    steme_status status = count(base->kv, KV_FAULT_APPEND, err);
    if (status) return status;
    status = kv_append(txn->inner, key, value, err);
    end_loans(&txn->loans);
    return status;
}

static steme_status fault_remove(struct kv_txn *base, struct steme_slice key, struct steme_error *err)
{
    struct fault_txn *txn = own_txn(base);
    steme_status status = count(base->kv, KV_FAULT_REMOVE, err);
    if (status) return status;
    status = kv_remove(txn->inner, key, err);
    end_loans(&txn->loans);
    return status;
}

static void fault_abort(struct kv_txn *base)
{
    struct fault_txn *txn = own_txn(base);
    kv_abort(&txn->inner);
    txn_free(txn);
}

static steme_status fault_commit(struct kv_txn *base, struct steme_error *err)
{
    struct fault_txn *txn = own_txn(base);
    steme_status status = count(base->kv, KV_FAULT_COMMIT, err);
    if (!status) status = kv_commit(&txn->inner, err);
    fault_abort(base);
    return status;
}

static steme_status fault_sync(struct kv *kv, struct steme_error *err)
{
    struct fault *fault = (struct fault *)kv;
    steme_status status = count(kv, KV_FAULT_SYNC, err);
    if (status) return status;
    return kv_sync(fault->inner, err);
}

static void fault_close(struct kv *kv)
{
    struct fault *fault = (struct fault *)kv;
    kv_close(&fault->inner);
    pthread_mutex_destroy(&fault->lock);
    free(fault);
}

static const struct kv_ops fault_ops = {
    .name = "fault",
    .begin = fault_begin,
    .get = fault_get,
    .seek = fault_seek,
    .next = fault_next,
    .last = fault_last,
    .cursor_end = fault_cursor_end,
    .put = fault_put,
    .append = fault_append,
    .remove = fault_remove,
    .commit = fault_commit,
    .abort = fault_abort,
    .sync = fault_sync,
    .close = fault_close,
};

struct kv *kv_fault_new(struct kv *inner)
{
    struct fault *fault = calloc(1, sizeof(*fault));
    if (!fault) {
        kv_close(&inner);
        return NULL;
    }
    fault->base.ops = &fault_ops;
    fault->inner = inner;
    pthread_mutex_init(&fault->lock, NULL);
    return &fault->base;
}

void kv_fault_fail(struct kv *kv, enum kv_fault_call call, uint64_t nth, steme_status status, bool for_ever)
{
    struct fault *fault = (struct fault *)kv;
    invariant(kv->ops == &fault_ops && call < KV_FAULT_CALLS && (status || !nth));
    pthread_mutex_lock(&fault->lock);
    fault->kind = call;
    fault->countdown = nth;
    fault->status = status;
    fault->for_ever = for_ever;
    pthread_mutex_unlock(&fault->lock);
}

uint64_t kv_fault_calls(struct kv *kv, enum kv_fault_call call)
{
    struct fault *fault = (struct fault *)kv;
    invariant(kv->ops == &fault_ops && call < KV_FAULT_CALLS);
    pthread_mutex_lock(&fault->lock);
    uint64_t calls = fault->calls[call];
    pthread_mutex_unlock(&fault->lock);
    return calls;
}
