/* SPDX-License-Identifier: Apache-2.0 */
/* What holds for every ordered store, checked once: sizes, modes, prefixes, doomed transactions, syncs that are
 * never repeated. */
#include "spine/kv.h"

#include "base/check.h"
#include "base/slice.h"

static steme_status check_key(struct steme_slice key, struct steme_error *err)
{
    if (key.size == 0) return error_set(err, STEME_BAD_INPUT, "a key of the ordered store can't be empty");
    if (key.size > KV_KEY_MAX)
        return error_set(err, STEME_TOO_LARGE, "a key of %zu bytes: the ordered store takes at most %u", key.size,
                         KV_KEY_MAX);
    return STEME_OK;
}

static steme_status check_bound(const char *name, struct steme_slice bound, struct steme_error *err)
{
    if (bound.size > KV_KEY_MAX)
        return error_set(err, STEME_TOO_LARGE, "a %s of %zu bytes: keys of the ordered store have at most %u", name,
                         bound.size, KV_KEY_MAX);
    return STEME_OK;
}

static steme_status check_pair(struct steme_slice key, struct steme_slice value, struct steme_error *err)
{
    steme_status status = check_key(key, err);
    if (status) return status;
    if (value.size > KV_VALUE_MAX)
        return error_set(err, STEME_TOO_LARGE, "a value of %zu bytes: the ordered store takes at most %u", value.size,
                         KV_VALUE_MAX);
    return STEME_OK;
}

static steme_status check_alive(const struct kv_txn *txn, struct steme_error *err)
{
    if (txn->doomed)
        return error_set(err, txn->doomed, "an earlier write of this transaction failed (%s): abort it",
                         steme_status_text(txn->doomed));
    return STEME_OK;
}

/* Invariant: a transaction in which a write failed half-way is never committed, because the rows that belong
 * together would then be there in part. */
static steme_status judge_write(struct kv_txn *txn, steme_status status)
{
    if (status && status != STEME_NOT_FOUND && status != STEME_EXISTS && status != STEME_BAD_INPUT &&
        status != STEME_TOO_LARGE)
        txn->doomed = status;
    return status;
}

steme_status kv_begin(struct kv *kv, enum kv_mode mode, struct kv_txn **out, struct steme_error *err)
{
    struct kv_txn *txn = NULL;
    steme_status status = kv->ops->begin(kv, mode, &txn, err);
    if (status) return status;
    txn->kv = kv;
    txn->mode = mode;
    txn->doomed = STEME_OK;
    *out = txn;
    return STEME_OK;
}

steme_status kv_get(struct kv_txn *txn, struct steme_slice key, struct steme_slice *out, struct steme_error *err)
{
    steme_status status = check_alive(txn, err);
    if (status) return status;
    status = check_key(key, err);
    if (status) return status;
    return txn->kv->ops->get(txn, key, out, err);
}

steme_status kv_seek(struct kv_txn *txn, struct steme_slice prefix, struct steme_slice from, struct kv_cursor *cursor,
                     struct kv_pair *out, struct steme_error *err)
{
    struct kv_pair pair;
    *cursor = (struct kv_cursor){ .prefix = prefix };
    steme_status status = check_alive(txn, err);
    if (status) return status;
    status = check_bound("prefix", prefix, err);
    if (status) return status;
    status = check_bound("start", from, err);
    if (status) return status;
    if (from.size == 0) from = prefix;
    invariant(slice_starts(from, prefix)); /* else the caller asks for pairs the prefix rules out */

    cursor->txn = txn;
    status = txn->kv->ops->seek(txn, from, cursor, &pair, err);
    if (status) {
        cursor->txn = NULL; /* the implementation keeps nothing for a seek that failed */
        return status;
    }
    if (!slice_starts(pair.key, prefix)) {
        kv_cursor_end(cursor);
        return STEME_NOT_FOUND;
    }
    *out = pair;
    return STEME_OK;
}

steme_status kv_next(struct kv_cursor *cursor, struct kv_pair *out, struct steme_error *err)
{
    struct kv_pair pair;
    if (!cursor->txn) return STEME_NOT_FOUND;
    steme_status status = check_alive(cursor->txn, err);
    if (status) goto end;
    status = cursor->txn->kv->ops->next(cursor, &pair, err);
    if (status) goto end;
    status = slice_starts(pair.key, cursor->prefix) ? STEME_OK : STEME_NOT_FOUND;
    if (status) goto end;
    *out = pair;
    return STEME_OK;
end:
    kv_cursor_end(cursor);
    return status;
}

void kv_cursor_end(struct kv_cursor *cursor)
{
    if (!cursor->txn) return;
    cursor->txn->kv->ops->cursor_end(cursor);
    cursor->txn = NULL;
}

/* Write to end[] the least key above every key with the prefix; empty when there is none. */
static struct steme_slice prefix_end(struct steme_slice prefix, uint8_t end[KV_KEY_MAX])
{
    while (prefix.size && prefix.data[prefix.size - 1] == 0xff)
        prefix.size--;
    if (prefix.size == 0) return slice_of(NULL, 0);
    memcpy(end, prefix.data, prefix.size);
    end[prefix.size - 1]++;
    return slice_of(end, prefix.size);
}

steme_status kv_last(struct kv_txn *txn, struct steme_slice prefix, struct steme_slice below, struct kv_pair *out,
                     struct steme_error *err)
{
    uint8_t end_bytes[KV_KEY_MAX];
    struct kv_pair pair;
    steme_status status = check_alive(txn, err);
    if (status) return status;
    status = check_bound("prefix", prefix, err);
    if (status) return status;
    status = check_bound("bound", below, err);
    if (status) return status;

    struct steme_slice end = prefix_end(prefix, end_bytes);
    if (below.size == 0 || (end.size && slice_compare(end, below) < 0)) below = end;
    status = txn->kv->ops->last(txn, below, &pair, err);
    if (status) return status;
    if (!slice_starts(pair.key, prefix)) return STEME_NOT_FOUND;
    *out = pair;
    return STEME_OK;
}

static steme_status put_pair(struct kv_txn *txn, struct steme_slice key, struct steme_slice value, bool fresh,
                             struct steme_slice *present_out, struct steme_error *err)
{
    invariant(txn->mode == KV_WRITE);
    steme_status status = check_alive(txn, err);
    if (status) return status;
    status = check_pair(key, value, err);
    if (status) return status;
    return judge_write(txn, txn->kv->ops->put(txn, key, value, fresh, present_out, err));
}

steme_status kv_put(struct kv_txn *txn, struct steme_slice key, struct steme_slice value, struct steme_error *err)
{
    return put_pair(txn, key, value, false, NULL, err);
}

steme_status kv_put_fresh(struct kv_txn *txn, struct steme_slice key, struct steme_slice value,
                          struct steme_slice *present_out, struct steme_error *err)
{
    return put_pair(txn, key, value, true, present_out, err);
}

steme_status kv_append(struct kv_txn *txn, struct steme_slice key, struct steme_slice value, struct steme_error *err)
{
    invariant(txn->mode == KV_WRITE);
    steme_status status = check_alive(txn, err);
    if (status) return status;
    status = check_pair(key, value, err);
    if (status) return status;
    return judge_write(txn, txn->kv->ops->append(txn, key, value, err));
}

steme_status kv_remove(struct kv_txn *txn, struct steme_slice key, struct steme_error *err)
{
    invariant(txn->mode == KV_WRITE);
    steme_status status = check_alive(txn, err);
    if (status) return status;
    status = check_key(key, err);
    if (status) return status;
    return judge_write(txn, txn->kv->ops->remove(txn, key, err));
}

steme_status kv_commit(struct kv_txn **txn, struct steme_error *err)
{
    struct kv_txn *mine = *txn;
    steme_status status = check_alive(mine, err);
    if (status || mine->mode == KV_READ) {
        kv_abort(txn);
        return status;
    }
    *txn = NULL;
    return mine->kv->ops->commit(mine, err);
}

void kv_abort(struct kv_txn **txn)
{
    if (!*txn) return;
    (*txn)->kv->ops->abort(*txn);
    *txn = NULL;
}

steme_status kv_sync(struct kv *kv, struct steme_error *err)
{
    if (atomic_load(&kv->sync_failed))
        return error_set(
            err, STEME_SEALED,
            "an earlier sync of the ordered store (%s) failed, so nobody knows what the disk holds: discard it",
            kv->ops->name);
    steme_status status = kv->ops->sync(kv, err);
    if (status && status != STEME_READ_ONLY) atomic_store(&kv->sync_failed, true);
    return status;
}

void kv_close(struct kv **kv)
{
    if (!*kv) return;
    (*kv)->ops->close(*kv);
    *kv = NULL;
}

static steme_status update_once(struct kv *kv, steme_status (*body)(struct kv_txn *, void *, struct steme_error *),
                                void *context, struct steme_error *err)
{
    struct kv_txn *txn = NULL;
    steme_status status = kv_begin(kv, KV_WRITE, &txn, err);
    if (status) goto done;
    status = body(txn, context, err);
    if (status) goto done;
    status = kv_commit(&txn, err);
done:
    kv_abort(&txn);
    return status;
}

steme_status kv_update(struct kv *kv, steme_status (*body)(struct kv_txn *, void *context, struct steme_error *),
                       void *context, struct steme_error *err)
{
    steme_status status = update_once(kv, body, context, err);
    if (status == STEME_NO_SPACE) status = update_once(kv, body, context, err); /* a disk that is full says so again */
    return status;
}
