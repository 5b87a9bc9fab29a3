/* SPDX-License-Identifier: Apache-2.0 */
/* The ordered byte store behind one table of functions: `mem` (reference) and `lmdb` (default).
 *
 * Keys are 1..KV_KEY_MAX bytes, ordered as unsigned bytes, a prefix first. Values are 0..KV_VALUE_MAX bytes. An empty
 * key is STEME_BAD_INPUT; a key, prefix, bound or value that is too long is STEME_TOO_LARGE.
 *
 * A read transaction is one fixed snapshot; any number may be open, each used by one thread at a time. At most one
 * write transaction exists; a second kv_begin(KV_WRITE) waits for it, so one thread must not open two. A write
 * transaction sees its own writes and ends in the thread that began it. A write that fails with anything but NOT_FOUND,
 * EXISTS, BAD_INPUT or TOO_LARGE dooms it: every later call on it answers the same status, and kv_commit() aborts.
 *
 * Slices handed out are valid until their transaction ends or, in a write transaction, until its next put, append or
 * remove; they may be arguments of that call. Cursors die with their transaction and must not be touched after it. In a
 * write transaction a cursor goes on behind the last pair it gave, whatever was put or removed meanwhile.
 * Callers use the kv_*() wrappers, which hold the invariants; only kv.c and the contract suite touch ops. */
#ifndef SPINE_KV_H
#define SPINE_KV_H

#include "base/error.h"
#include "host/host.h"
#include "steme/types.h"

#include <stdatomic.h>
#include <stdbool.h>

#define KV_KEY_MAX 511u
#define KV_VALUE_MAX 65536u

enum kv_mode { KV_READ, KV_WRITE };

struct kv {
    const struct kv_ops *ops;
    struct kv_guard *guard;  /* NULL, or what kv_guard() keeps */
    atomic_bool sync_failed; /* kept by kv.c: a sync is never repeated */
};

struct kv_txn {
    struct kv *kv;
    enum kv_mode mode;
    steme_status doomed; /* kept by kv.c: what the first hard failure of a write transaction answered */
};

/* Caller's storage; made by kv_seek(), ended by kv_cursor_end(), with its transaction, or when there is nothing
 * more. */
struct kv_cursor {
    struct kv_txn *txn;        /* NULL once ended */
    struct steme_slice prefix; /* borrowed from the caller: keep it while the cursor lives */
    void *impl[2];
    uint32_t partition; /* kept by kv_guard.c: how far it has proved what the cursor passed */
};

struct kv_pair {
    struct steme_slice key, value;
};

/* What an implementation provides. kv.c has checked sizes and modes, fills base kv, mode and doomed after begin, and
 * judges prefixes: here an empty `from` is the first pair of the store, an empty `below` is no bound. */
struct kv_ops {
    const char *name;
    steme_status (*begin)(struct kv *, enum kv_mode, struct kv_txn **out, struct steme_error *);
    steme_status (*get)(struct kv_txn *, struct steme_slice key, struct steme_slice *out, struct steme_error *);
    steme_status (*seek)(struct kv_txn *, struct steme_slice from, struct kv_cursor *, struct kv_pair *out,
                         struct steme_error *);
    steme_status (*next)(struct kv_cursor *, struct kv_pair *out, struct steme_error *);
    steme_status (*last)(struct kv_txn *, struct steme_slice below, struct kv_pair *out, struct steme_error *);
    void (*cursor_end)(struct kv_cursor *);
    steme_status (*put)(struct kv_txn *, struct steme_slice key, struct steme_slice value, bool fresh,
                        struct steme_slice *present_out, struct steme_error *);
    steme_status (*append)(struct kv_txn *, struct steme_slice key, struct steme_slice value, struct steme_error *);
    steme_status (*remove)(struct kv_txn *, struct steme_slice key, struct steme_error *);
    steme_status (*commit)(struct kv_txn *, struct steme_error *);
    void (*abort)(struct kv_txn *);
    steme_status (*sync)(struct kv *, struct steme_error *);
    void (*close)(struct kv *);
    /* Optional: STEME_CORRUPT where what holds the keys from..to, or lies beside them in order, could not be read
     * safely. Called before anything there is used for the first time. An empty `to` is no bound. */
    steme_status (*examine)(struct kv_txn *, struct steme_slice from, struct steme_slice to, struct steme_error *);
};

/* STEME_READ_ONLY for KV_WRITE where the store was opened so. */
MUST_CHECK steme_status kv_begin(struct kv *kv, enum kv_mode mode, struct kv_txn **out, struct steme_error *err);
/* STEME_NOT_FOUND without a message when the key is absent. */
MUST_CHECK steme_status kv_get(struct kv_txn *txn, struct steme_slice key, struct steme_slice *out,
                               struct steme_error *err);
/* First pair whose key has the prefix and is >= from (from must begin with the prefix; empty from means prefix; both
 * empty: the whole store). STEME_NOT_FOUND without a message when there is none; the cursor then needs no end. */
MUST_CHECK steme_status kv_seek(struct kv_txn *txn, struct steme_slice prefix, struct steme_slice from,
                                struct kv_cursor *cursor, struct kv_pair *out, struct steme_error *err);
/* The pair behind; STEME_NOT_FOUND without a message past the last with the prefix, and ever after. Any status but
 * STEME_OK ends the cursor. */
MUST_CHECK steme_status kv_next(struct kv_cursor *cursor, struct kv_pair *out, struct steme_error *err);
void kv_cursor_end(struct kv_cursor *cursor); /* safe on a zeroed cursor, and twice */
/* Last pair whose key has the prefix and is < below (empty below: no bound but the prefix); STEME_NOT_FOUND without a
 * message when there is none. */
MUST_CHECK steme_status kv_last(struct kv_txn *txn, struct steme_slice prefix, struct steme_slice below,
                                struct kv_pair *out, struct steme_error *err);
MUST_CHECK steme_status kv_put(struct kv_txn *txn, struct steme_slice key, struct steme_slice value,
                               struct steme_error *err);
/* Put unless the key is there: STEME_EXISTS without a message, and *present_out (may be NULL) is the value it has. */
MUST_CHECK steme_status kv_put_fresh(struct kv_txn *txn, struct steme_slice key, struct steme_slice value,
                                     struct steme_slice *present_out, struct steme_error *err);
/* Put a key that is greater than every key in the store: bulk loading. STEME_BAD_INPUT if it is not. */
MUST_CHECK steme_status kv_append(struct kv_txn *txn, struct steme_slice key, struct steme_slice value,
                                  struct steme_error *err);
/* STEME_NOT_FOUND without a message when absent. */
MUST_CHECK steme_status kv_remove(struct kv_txn *txn, struct steme_slice key, struct steme_error *err);
/* Ends txn whatever the outcome; *txn is NULL afterwards. For a read transaction the same as kv_abort. */
MUST_CHECK steme_status kv_commit(struct kv_txn **txn, struct steme_error *err);
void kv_abort(struct kv_txn **txn); /* NULL inside is fine */
/* What was committed is on stable storage. Never repeated after a failure: then it answers STEME_SEALED, and the caller
 * discards the store. STEME_READ_ONLY where the store was opened so. */
MUST_CHECK steme_status kv_sync(struct kv *kv, struct steme_error *err);
void kv_close(struct kv **kv); /* NULL is fine; no transaction may be open */

/* body() in one write transaction, committed if it answers STEME_OK. On STEME_NO_SPACE once more from the start, in a
 * transaction for which the store has made room: so body must be repeatable, and this is the way to write. */
MUST_CHECK steme_status kv_update(struct kv *kv,
                                  steme_status (*body)(struct kv_txn *, void *context, struct steme_error *),
                                  void *context, struct steme_error *err);

/* From now on rows are counted and digested, and what is read is compared with that before its first use: an answer
 * that rows are missing from, or an absence that is none, is STEME_CORRUPT instead. For a store that was opened just
 * now and has been written through the guard only; the price is a scan of a partition at its first use, some thousand
 * rows of a million. Keys that begin with "!sum" are the guard's: they don't exist for readers, and putting one is
 * STEME_BAD_INPUT. STEME_NO_MEMORY leaves the store as it was. */
MUST_CHECK steme_status kv_guard(struct kv *kv, struct steme_error *err);

/* The reference: a sorted structure in memory, copy on write for snapshots. Gone when closed. */
MUST_CHECK steme_status kv_mem_open(struct kv **out, struct steme_error *err);

/* LMDB in directory `dir` (data.mdb, lock.mdb), made if create. Commits do not sync (the log is the truth): kv_sync()
 * at checkpoints. One process at a time may have it open for writing; the store's lock sees to that. Opened twice in
 * one process it is one environment underneath, as LMDB demands: a reader and a writer may stand side by side.
 * read_only works beside another process's writer and on a read-only file system. LMDB does its own I/O, so the host's
 * files must be real ones.
 *
 * The map grows by itself. kv_begin(KV_WRITE) doubles it once half is used, if the readers of this process leave a gap
 * within 2 ms; so a transaction finds half of the map free, 32 GiB as a rule. If the map is full nevertheless, the
 * write answers STEME_NO_SPACE and the next kv_begin(KV_WRITE) makes at least 256 MiB of room, waiting up to 10 s for
 * the readers of this process to finish: that is what kv_update() retries for. 256 MiB is five times what 10,000
 * entries of 600 bytes can need. A read transaction that stays open longer blocks it.
 *
 * STEME_CORRUPT: not an LMDB file, cut short (checked before mapping, so it can't end in SIGBUS), or LMDB says so; the
 * caller closes it, removes the directory's files and makes a new one. Opening looks at the structure of pages (see
 * lmdb_file_check()), and kv_guard() has those of a large file looked at before their first use; rot of rows is not
 * detected: what is read is to be checked, and what is missing is kv_guard()'s.
 * STEME_NOT_FOUND: not there and create is false. STEME_READ_ONLY: no permission to write here (readers need to write
 * lock.mdb too, unless the file system is mounted read-only). STEME_TIMEOUT: the map, or a handle that joins to write,
 * waited 10 s for a read transaction of this process. STEME_FAILED: more than 1,024 read transactions are open, in all
 * processes. */
struct kv_lmdb_options {
    const char *dir;
    bool create, read_only;
    /* first size; 0: 64 GiB of address space, or what can be had. The file is as long as its data */
    uint64_t map_bytes;
};
MUST_CHECK steme_status kv_lmdb_open(struct host *host, const struct kv_lmdb_options *options, struct kv **out,
                                     struct steme_error *err);

#endif
