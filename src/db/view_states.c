/* SPDX-License-Identifier: Apache-2.0 */
/* Which views have rows in an index, and where these are: what can be asked without a step. */
#include "db/views.h"

#include "base/slice.h"
#include "spine/kv.h"

#include <string.h>

steme_status views_state(struct kv_txn *txn, const struct steme_hash *view, struct view_state *out,
                         struct steme_error *err)
{
    struct key_bytes key;
    struct steme_slice value;
    key_of_view_state(&key, view->bytes);
    steme_status status = kv_get(txn, key_slice(&key), &value, err);
    if (status == STEME_NOT_FOUND) {
        *out = (struct view_state){ 0 };
        return STEME_OK;
    }
    return status ? status : row_view_state(key_slice(&key), value, out, err);
}

static bool step_id(uint8_t id[16])
{
    for (size_t i = 16; i-- > 0;)
        if (++id[i]) return true;
    return false;
}

steme_status views_next(struct kv_txn *txn, uint8_t view[16], bool beyond, struct steme_error *err)
{
    static const uint8_t tag[] = { 'W' };
    struct kv_cursor cursor = { 0 };
    struct kv_pair pair;
    struct key_bytes from;
    if (beyond && !step_id(view)) return STEME_NOT_FOUND;
    key_of_view_state(&from, view);
    steme_status status = kv_seek(txn, slice_of(tag, sizeof tag), key_slice(&from), &cursor, &pair, err);
    if (!status) memcpy(view, pair.key.data + 1, 16);
    kv_cursor_end(&cursor);
    return status;
}

steme_status views_row_bytes(struct kv *kv, uint64_t *out, struct steme_error *err)
{
    struct kv_txn *txn = NULL;
    uint8_t view[16] = { 0 };
    uint64_t bytes = 0;
    steme_status status = kv_begin(kv, KV_READ, &txn, err);
    if (!status) status = views_next(txn, view, false, err);
    while (!status) {
        struct steme_hash id = { { 0 } };
        struct view_state state;
        memcpy(id.bytes, view, sizeof view);
        status = views_state(txn, &id, &state, err);
        if (!status) bytes += state.row_bytes + state.making_bytes;
        if (!status) status = views_next(txn, view, true, err);
    }
    kv_abort(&txn);
    if (status != STEME_NOT_FOUND) return status;
    *out = bytes;
    return STEME_OK;
}
