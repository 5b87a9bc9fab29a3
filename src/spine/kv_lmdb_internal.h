/* SPDX-License-Identifier: Apache-2.0 */
/* What kv_lmdb.c stands on. kv_lmdb_env.c: one LMDB environment per directory and process, its growing map, its places
 * for readers, and where LMDB's error numbers become statuses. kv_lmdb_file.c and kv_lmdb_pages.c: the data file
 * judged before it is mapped.
 *
 * LMDB does its own I/O on the directory it is given: the one exception to the rule that only src/host talks to the
 * operating system. So it needs a host whose files are real. */
#ifndef SPINE_KV_LMDB_INTERNAL_H
#define SPINE_KV_LMDB_INTERNAL_H

#include "host/gate.h"
#include "spine/kv.h"

#include <lmdb.h>
#include <pthread.h>

/* Slots in LMDB's reader table, shared by all processes that have the directory open. */
#define LMDB_READERS_MAX 1024u

struct lmdb_cursor {
    struct lmdb_cursor *next, *next_idle;
    MDB_cursor *mdb; /* NULL until first used; the writer's die with its transaction */
    bool live;
    bool parked;           /* writer: something changed since the cursor moved; it stands behind key_bytes */
    struct steme_slice at; /* writer: key it gave last; valid unless parked */
    size_t key_size;
    uint8_t key_bytes[KV_KEY_MAX];
};

struct lmdb_txn {
    struct kv_txn base;
    struct lmdb_env *env;
    MDB_txn *mdb;             /* readers: kept between transactions; writer: NULL when there is none */
    struct lmdb_cursor *all;  /* every cursor made for this slot */
    struct lmdb_cursor *idle; /* those of them that are not in use */
    size_t live_count;        /* the others */
    bool lent;                /* writer: slices were handed out since the last change */
    bool abandoned;           /* writer: LMDB stopped in the middle of a change and must not be called again */
};

/* One reader's place. A cache line of its own, so that readers on other processors are not slowed. */
struct lmdb_reader {
    _Alignas(64) atomic_bool busy;
    struct lmdb_txn txn;
};

struct lmdb_env {
    struct lmdb_env *next_open; /* registry */
    unsigned handle_count;      /* registry */
    uint64_t device, inode;     /* of data.mdb */
    struct host *host;
    struct host_file *file;   /* data.mdb, open for writing; NULL if read_only */
    struct host_file *unseen; /* data.mdb, open for reading, if its leaves were not looked at before; else NULL */
    char *dir, *path;         /* path: of data.mdb */
    MDB_env *mdb;
    MDB_dbi dbi;
    uint32_t page_bytes;
    bool read_only;
    bool leaves_seen; /* all there were when it was opened */

    pthread_mutex_t writer; /* held from begin to end of the write transaction; checks errors */
    struct lmdb_txn write_txn;
    uint8_t *scratch; /* writer: copies of arguments that are slices of its own transaction */
    uint32_t write_count;
    bool full; /* writer: a transaction found the map full */

    pthread_mutex_t map_lock; /* who changes the map */
    atomic_bool paused;       /* no read transaction may begin: the map is about to move */
    struct gate resumed;
    _Atomic uint32_t broken; /* a steme_status: every begin answers it from now on */
    atomic_bool broken_told;
    char broken_why[256];
    struct lmdb_reader *readers; /* LMDB_READERS_MAX of them */
};

/* The environment of the directory, opened, or the one this process has open already, counted once more. */
MUST_CHECK steme_status lmdb_env_open(struct host *host, const struct kv_lmdb_options *options, struct lmdb_env **out,
                                      struct steme_error *err);
void lmdb_env_close(struct lmdb_env *env); /* counts down; the last one closes it */

/* A transaction whose mdb has begun; end it with lmdb_env_end(). */
MUST_CHECK steme_status lmdb_env_begin_read(struct lmdb_env *env, struct lmdb_txn **out, struct steme_error *err);
MUST_CHECK steme_status lmdb_env_begin_write(struct lmdb_env *env, struct lmdb_txn **out, struct steme_error *err);
/* After mdb_txn_commit(), which has taken mdb (set it NULL), or instead of it. Ends its cursors. */
void lmdb_env_end(struct lmdb_txn *txn, enum kv_mode mode);
/* After a commit: data.mdb is made as long as its header says. LMDB does not write free pages at the end of the file,
 * and lmdb_file_check() could not tell such a file from one that was cut. */
void lmdb_env_cover(struct lmdb_env *env);

/* The one translation of LMDB's and the system's numbers. MDB_NOTFOUND and MDB_KEYEXIST leave err alone. */
MUST_CHECK steme_status lmdb_env_error(struct lmdb_env *env, int code, const char *doing, struct steme_error *err);

/* Run a call into LMDB that looks at pages. LMDB stops the process when one of its assertions fails, which rot in a
 * page can bring about; here the failed assertion comes back as MDB_CORRUPTED instead. What LMDB was doing is left in
 * the middle: a reader can still be reset, a writer is abandoned, and the environment begins no more transactions. What
 * can't be caught: rot that sends LMDB to an address outside the map. */
int lmdb_env_guard(struct lmdb_txn *txn, int (*call)(struct lmdb_txn *, void *args), void *args);

struct lmdb_tree {
    uint64_t root;
    unsigned depth; /* 0: empty */
};

/* What a header of the file says. */
struct lmdb_shape {
    uint32_t page_bytes;
    uint64_t last_page;
    struct lmdb_tree free, main;
};

/* Walk both trees: the free list's, and the main one's branches, with its leaves too if asked; without leaves only down
 * to the level that has more than 256 pages. Each page is what it should be, its nodes lie within it in order, no page
 * is in two places, and none that is in a tree is called free: LMDB would write over it. Separators are not held
 * against the leaves: see kv_guard.c. *sound_out: what was found; meaningless if somebody wrote meanwhile. */
MUST_CHECK steme_status lmdb_pages_check(struct host_file *file, const struct lmdb_shape *shape, bool leaves,
                                         bool *sound_out, struct steme_error *err);

/* The same of the pages of the main tree on the way to the keys from..to (empty `to`: no bound), down to the leaves,
 * and of their neighbours on both sides at each level: a cursor may step there, and a removal may merge with them. */
MUST_CHECK steme_status lmdb_pages_examine(struct host_file *file, const struct lmdb_shape *shape,
                                           struct steme_slice from, struct steme_slice to, bool *sound_out,
                                           struct steme_error *err);

/* Both headers are LMDB 0.9's, the newer one is sound, the file is as long as it says, and its pages pass
 * lmdb_pages_check(); else STEME_CORRUPT. LMDB trusts its file: one that was cut short kills the process with SIGBUS at
 * the first page that is missing, a broken header or page sends it through wild pointers. Leaves are looked at in files
 * of up to LMDB_LEAVES_CHECKED_BYTES, for opening must not read all of a large one: *leaves_out says whether they were.
 * path is for messages. */
#define LMDB_LEAVES_CHECKED_BYTES (16u << 20)
MUST_CHECK steme_status lmdb_file_check(struct host_file *file, const char *path, bool *leaves_out,
                                        struct steme_error *err);

/* lmdb_pages_examine() on the tree of this state of the file, which a transaction holds; else STEME_CORRUPT. A state
 * that two commits have followed is not found any more, and passes. */
MUST_CHECK steme_status lmdb_file_examine(struct host_file *file, const char *path, uint64_t txnid,
                                          struct steme_slice from, struct steme_slice to, struct steme_error *err);

#endif
