/* SPDX-License-Identifier: Apache-2.0 */
/* The default ordered store: LMDB, in its unnamed database. Here is what one call does; opening, growing, slots for
 * readers and errors are in kv_lmdb_env.c. */
#include "spine/kv_lmdb_internal.h"

#include "base/check.h"
#include "base/slice.h"

#include <errno.h>
#include <stdlib.h>

struct lmdb {
    struct kv base;
    struct lmdb_env *env; /* shared by all handles of this process on the directory */
    bool read_only;
};

static struct lmdb_txn *own_txn(struct kv_txn *base) { return (struct lmdb_txn *)base; }

static MDB_val val_of(struct steme_slice slice)
{
    union {
        const void *in;
        void *out; /* LMDB does not write through it */
    } bytes = { .in = slice.data };
    return (MDB_val){ .mv_size = slice.size, .mv_data = bytes.out };
}

static struct steme_slice slice_of_val(MDB_val val) { return slice_of(val.mv_data, val.mv_size); }

/* --- Calls that read or change pages, guarded against LMDB's assertions ------------------------------------------ */

struct call {
    MDB_cursor *cursor;
    MDB_cursor_op op;
    MDB_val key, value;
    unsigned flags;
};

static int call_get(struct lmdb_txn *txn, void *args)
{
    struct call *call = args;
    return mdb_get(txn->mdb, txn->env->dbi, &call->key, &call->value);
}

static int call_cursor(struct lmdb_txn *txn, void *args)
{
    struct call *call = args;
    (void)txn;
    return mdb_cursor_get(call->cursor, &call->key, &call->value, call->op);
}

static int call_put(struct lmdb_txn *txn, void *args)
{
    struct call *call = args;
    return mdb_put(txn->mdb, txn->env->dbi, &call->key, &call->value, call->flags);
}

static int call_remove(struct lmdb_txn *txn, void *args)
{
    struct call *call = args;
    return mdb_del(txn->mdb, txn->env->dbi, &call->key, NULL);
}

static int call_commit(struct lmdb_txn *txn, void *args)
{
    (void)args;
    return mdb_txn_commit(txn->mdb);
}

/* Rot in a length would send whoever reads the pair past the end of the map. */
static bool sizes_sound(const struct call *call)
{
    return call->key.mv_size <= KV_KEY_MAX && call->value.mv_size <= KV_VALUE_MAX;
}

/* --- Reading ------------------------------------------------------------------------------------------------------ */

static steme_status lmdb_begin(struct kv *kv, enum kv_mode mode, struct kv_txn **out, struct steme_error *err)
{
    struct lmdb *lmdb = (struct lmdb *)kv;
    struct lmdb_txn *txn = NULL;
    steme_status status;
    if (mode == KV_READ)
        status = lmdb_env_begin_read(lmdb->env, &txn, err);
    else if (lmdb->read_only)
        status = error_set(err, STEME_READ_ONLY, "the index in %s was opened for reading", lmdb->env->dir);
    else
        status = lmdb_env_begin_write(lmdb->env, &txn, err);
    if (!status) *out = &txn->base;
    return status;
}

static steme_status lmdb_get(struct kv_txn *base, struct steme_slice key, struct steme_slice *out,
                             struct steme_error *err)
{
    struct lmdb_txn *txn = own_txn(base);
    struct call call = { .key = val_of(key) };
    int code = lmdb_env_guard(txn, call_get, &call);
    if (!code && !sizes_sound(&call)) code = MDB_CORRUPTED;
    if (code) return lmdb_env_error(txn->env, code, "reading", err);
    txn->lent = true;
    *out = slice_of_val(call.value);
    return STEME_OK;
}

/* A cursor of the transaction that stands nowhere. */
static int cursor_take(struct lmdb_txn *txn, struct lmdb_cursor **out)
{
    int code = 0;
    struct lmdb_cursor *cursor = txn->idle;
    if (!cursor) {
        cursor = calloc(1, sizeof(*cursor));
        if (!cursor) return ENOMEM;
        cursor->next = txn->all;
        txn->all = txn->idle = cursor;
    }
    if (!cursor->mdb)
        code = mdb_cursor_open(txn->mdb, txn->env->dbi, &cursor->mdb);
    else if (txn->base.mode == KV_READ)
        code = mdb_cursor_renew(txn->mdb, cursor->mdb); /* it may be of an earlier snapshot */
    if (code) return code;
    txn->idle = cursor->next_idle;
    txn->live_count++;
    cursor->next_idle = NULL;
    cursor->live = true;
    cursor->parked = false;
    *out = cursor;
    return 0;
}

static void cursor_give(struct lmdb_txn *txn, struct lmdb_cursor *cursor)
{
    invariant(cursor->live);
    cursor->live = false;
    cursor->next_idle = txn->idle;
    txn->idle = cursor;
    txn->live_count--;
}

/* Move and take what is there. call->key is the key to look for, if op wants one. */
static int cursor_move(struct lmdb_txn *txn, struct lmdb_cursor *cursor, struct call *call, struct kv_pair *out)
{
    call->cursor = cursor->mdb;
    int code = lmdb_env_guard(txn, call_cursor, call);
    if (!code && !sizes_sound(call)) code = MDB_CORRUPTED;
    if (code) return code;
    *out = (struct kv_pair){ .key = slice_of_val(call->key), .value = slice_of_val(call->value) };
    cursor->at = out->key;
    cursor->parked = false;
    txn->lent = true;
    return 0;
}

static steme_status lmdb_seek(struct kv_txn *base, struct steme_slice from, struct kv_cursor *cursor,
                              struct kv_pair *out, struct steme_error *err)
{
    struct lmdb_txn *txn = own_txn(base);
    struct lmdb_cursor *mine = NULL;
    int code = cursor_take(txn, &mine);
    if (code) return lmdb_env_error(txn->env, code, "reading", err);
    struct call call = { .op = from.size ? MDB_SET_RANGE : MDB_FIRST, .key = val_of(from) };
    code = cursor_move(txn, mine, &call, out);
    if (code) {
        cursor_give(txn, mine);
        return lmdb_env_error(txn->env, code, "reading", err);
    }
    cursor->impl[0] = mine;
    return STEME_OK;
}

static steme_status lmdb_next(struct kv_cursor *cursor, struct kv_pair *out, struct steme_error *err)
{
    struct lmdb_txn *txn = own_txn(cursor->txn);
    struct lmdb_cursor *mine = cursor->impl[0];
    struct call call = { .op = MDB_NEXT };
    int code = 0;
    if (mine->parked) {
        struct steme_slice behind = slice_of(mine->key_bytes, mine->key_size);
        call.op = MDB_SET_RANGE;
        call.key = val_of(behind);
        code = cursor_move(txn, mine, &call, out);
        if (code || !slice_equal(out->key, behind)) return lmdb_env_error(txn->env, code, "reading", err);
        call.op = MDB_NEXT;
    }
    code = cursor_move(txn, mine, &call, out);
    return lmdb_env_error(txn->env, code, "reading", err);
}

static void lmdb_cursor_end(struct kv_cursor *cursor)
{
    cursor_give(own_txn(cursor->txn), cursor->impl[0]);
    cursor->impl[0] = NULL;
}

static steme_status lmdb_last(struct kv_txn *base, struct steme_slice below, struct kv_pair *out,
                              struct steme_error *err)
{
    struct lmdb_txn *txn = own_txn(base);
    struct lmdb_cursor *mine = NULL;
    int code = cursor_take(txn, &mine);
    if (code) return lmdb_env_error(txn->env, code, "reading", err);
    struct call call = { .op = MDB_LAST };
    if (below.size) {
        call.op = MDB_SET_RANGE;
        call.key = val_of(below);
        code = cursor_move(txn, mine, &call, out);
        call.op = code == MDB_NOTFOUND ? MDB_LAST : MDB_PREV;
        if (code == MDB_NOTFOUND) code = 0;
    }
    if (!code) code = cursor_move(txn, mine, &call, out);
    cursor_give(txn, mine);
    return lmdb_env_error(txn->env, code, "reading", err);
}

/* --- Writing ------------------------------------------------------------------------------------------------------ */

/* Before a change: cursors remember their place by a copy of the key, because the page they stand on may change. */
static void park_cursors(struct lmdb_txn *txn)
{
    if (!txn->live_count) return;
    for (struct lmdb_cursor *cursor = txn->all; cursor; cursor = cursor->next) {
        if (!cursor->live || cursor->parked) continue;
        memcpy(cursor->key_bytes, cursor->at.data, cursor->at.size);
        cursor->key_size = cursor->at.size;
        cursor->parked = true;
    }
}

/* Arguments may be slices this transaction handed out, lying in pages that LMDB moves while it uses them. */
static struct steme_slice keep(struct lmdb_txn *txn, struct steme_slice bytes, size_t at)
{
    if (!txn->lent || bytes.size == 0) return bytes;
    memcpy(txn->env->scratch + at, bytes.data, bytes.size);
    return slice_of(txn->env->scratch + at, bytes.size);
}

static int change(struct lmdb_txn *txn, int (*what)(struct lmdb_txn *, void *), struct call *call)
{
    park_cursors(txn);
    int code = lmdb_env_guard(txn, what, call);
    txn->lent = code == MDB_KEYEXIST;
    return code;
}

static int put_pair(struct lmdb_txn *txn, struct steme_slice key, struct steme_slice value, unsigned flags,
                    struct call *call)
{
    *call = (struct call){
        .key = val_of(keep(txn, key, 0)),
        .value = val_of(keep(txn, value, KV_KEY_MAX)),
        .flags = flags,
    };
    return change(txn, call_put, call);
}

static steme_status lmdb_put(struct kv_txn *base, struct steme_slice key, struct steme_slice value, bool fresh,
                             struct steme_slice *present_out, struct steme_error *err)
{
    struct lmdb_txn *txn = own_txn(base);
    struct call call;
    int code = put_pair(txn, key, value, fresh ? MDB_NOOVERWRITE : 0, &call);
    if (code == MDB_KEYEXIST && present_out) *present_out = slice_of_val(call.value);
    return lmdb_env_error(txn->env, code, "writing", err);
}

static steme_status lmdb_append(struct kv_txn *base, struct steme_slice key, struct steme_slice value,
                                struct steme_error *err)
{
    struct lmdb_txn *txn = own_txn(base);
    struct call call;
    int code = put_pair(txn, key, value, MDB_APPEND, &call);
    if (code == MDB_KEYEXIST)
        return error_set(err, STEME_BAD_INPUT, "append to the ordered store: the key is not above the last one");
    return lmdb_env_error(txn->env, code, "writing", err);
}

static steme_status lmdb_remove(struct kv_txn *base, struct steme_slice key, struct steme_error *err)
{
    struct lmdb_txn *txn = own_txn(base);
    struct call call = { .key = val_of(keep(txn, key, 0)) };
    int code = change(txn, call_remove, &call);
    return lmdb_env_error(txn->env, code, "writing", err);
}

static steme_status lmdb_commit(struct kv_txn *base, struct steme_error *err)
{
    struct lmdb_txn *txn = own_txn(base);
    struct lmdb_env *env = txn->env;
    int code = lmdb_env_guard(txn, call_commit, NULL);
    steme_status status = lmdb_env_error(env, code, "writing", err);
    if (!txn->abandoned) txn->mdb = NULL; /* LMDB has ended it, whatever the outcome */
    if (!status) lmdb_env_cover(env);
    lmdb_env_end(txn, KV_WRITE);
    return status;
}

static void lmdb_abort(struct kv_txn *base) { lmdb_env_end(own_txn(base), base->mode); }

static steme_status lmdb_sync(struct kv *kv, struct steme_error *err)
{
    struct lmdb *lmdb = (struct lmdb *)kv;
    if (lmdb->read_only)
        return error_set(err, STEME_READ_ONLY, "the index in %s was opened for reading", lmdb->env->dir);
    int code = mdb_env_sync(lmdb->env->mdb, 1);
    return lmdb_env_error(lmdb->env, code, "syncing", err);
}

static void lmdb_close(struct kv *kv)
{
    struct lmdb *lmdb = (struct lmdb *)kv;
    lmdb_env_close(lmdb->env);
    free(lmdb);
}

/* A writer's own pages are copies of what was examined: the file is as it was at the last commit. */
static steme_status lmdb_examine(struct kv_txn *base, struct steme_slice from, struct steme_slice to,
                                 struct steme_error *err)
{
    struct lmdb_txn *txn = own_txn(base);
    struct lmdb_env *env = txn->env;
    if (!env->unseen) return STEME_OK;
    uint64_t txnid = mdb_txn_id(txn->mdb) - (base->mode == KV_WRITE);
    return lmdb_file_examine(env->unseen, env->path, txnid, from, to, err);
}

static const struct kv_ops lmdb_ops = {
    .name = "lmdb",
    .begin = lmdb_begin,
    .get = lmdb_get,
    .seek = lmdb_seek,
    .next = lmdb_next,
    .last = lmdb_last,
    .cursor_end = lmdb_cursor_end,
    .put = lmdb_put,
    .append = lmdb_append,
    .remove = lmdb_remove,
    .commit = lmdb_commit,
    .abort = lmdb_abort,
    .sync = lmdb_sync,
    .close = lmdb_close,
    .examine = lmdb_examine,
};

steme_status kv_lmdb_open(struct host *host, const struct kv_lmdb_options *options, struct kv **out,
                          struct steme_error *err)
{
    if (!options->dir || !*options->dir) return error_set(err, STEME_BAD_INPUT, "no directory given for the index");
    if (options->create && options->read_only)
        return error_set(err, STEME_BAD_INPUT, "the index in %s can't be made while it is opened for reading only",
                         options->dir);
    struct lmdb *lmdb = calloc(1, sizeof(*lmdb));
    if (!lmdb) return error_set(err, STEME_NO_MEMORY, "no memory to open the index in %s", options->dir);
    steme_status status = lmdb_env_open(host, options, &lmdb->env, err);
    if (status) {
        free(lmdb);
        return status;
    }
    lmdb->base.ops = &lmdb_ops;
    lmdb->read_only = options->read_only;
    *out = &lmdb->base;
    return STEME_OK;
}
