/* SPDX-License-Identifier: Apache-2.0 */
#include "spine/kv_lmdb_internal.h"

#include "base/check.h"

#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KIB 1024ull
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

/* The map is address space, not memory or disk: LMDB's file is as long as its data. So it starts so large that it
 * hardly ever has to grow, which needs a moment without readers. Where address space is limited less must do. */
#define MAP_DEFAULT_BYTES (sizeof(size_t) >= 8 ? 64 * GIB : GIB)
#define MAP_LEAST_DEFAULT_BYTES (64 * MIB)
#define MAP_UNIT_BYTES (64 * KIB) /* a multiple of every page size */
/* Made after a transaction found the map full: 10,000 entries of 600 bytes that each touch a leaf of their own and
 * its branches, five times. */
#define MAP_ROOM_BYTES (256 * MIB)

#define PAUSE_WISH_NS 2000000ull     /* growing early: not worth more of the readers' time */
#define PAUSE_MUST_NS 10000000000ull /* growing because nothing can be written otherwise */
#define PAUSE_NAP_NS 200000ull
#define RESIZE_TRIES 8
#define SNAPSHOT_TRIES 100
#define WRITES_PER_READER_CHECK 64u
/* threads start their search in this many, so that those of threads that ended are used again */
#define FIRST_PLACES 64u

/* --- Errors ------------------------------------------------------------------------------------------------------- */

steme_status lmdb_env_error(struct lmdb_env *env, int code, const char *doing, struct steme_error *err)
{
    switch (code) {
    case MDB_SUCCESS: return STEME_OK;
    case MDB_NOTFOUND: return STEME_NOT_FOUND;
    case MDB_KEYEXIST: return STEME_EXISTS;
    case MDB_MAP_FULL:
        env->full = true;
        return error_set(err, STEME_NO_SPACE, "%s: the map of %s is full; the next write transaction enlarges it",
                         doing, env->dir);
    case MDB_TXN_FULL:
        return error_set(err, STEME_NO_SPACE, "%s %s: too many pages changed in one transaction; commit sooner", doing,
                         env->dir);
    case MDB_READERS_FULL:
        return error_set(err, STEME_FAILED, "%s %s: all %u places for readers are taken; end some reads", doing,
                         env->dir, LMDB_READERS_MAX);
    case MDB_BAD_RSLOT:
        return error_set(err, STEME_FAILED, "%s %s: it was opened before a fork; open it in this process", doing,
                         env->dir);
    case MDB_BAD_VALSIZE:
        return error_set(err, STEME_BAD_INPUT, "%s %s: LMDB refuses the size of a key or value", doing, env->dir);
    case MDB_MAP_RESIZED:
        return error_set(err, STEME_TIMEOUT,
                         "%s %s: another process enlarges it faster than this one can follow; try again", doing,
                         env->dir);
    case ENOMEM: return error_set_os(err, STEME_NO_MEMORY, code, "%s %s", doing, env->dir);
    case ENOENT: return error_set_os(err, STEME_NOT_FOUND, code, "%s %s", doing, env->dir);
    case EACCES:
    case EPERM:
    case EROFS: return error_set_os(err, STEME_READ_ONLY, code, "%s %s", doing, env->dir);
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return error_set_os(err, STEME_NO_SPACE, code, "%s %s", doing, env->dir);
    default: break;
    }
    /* All else LMDB says of itself (CORRUPTED, PAGE_NOTFOUND, INVALID, VERSION_MISMATCH, PANIC, BAD_TXN, CURSOR_FULL
     * ...) means that the file is not, or not any more, what LMDB needs. */
    if (code < 0)
        return error_set(err, STEME_CORRUPT, "%s %s: %s; the index has to be rebuilt", doing, env->dir,
                         mdb_strerror(code));
    return error_set_os(err, STEME_IO, code, "%s %s (LMDB reports a full disk like this, too)", doing, env->dir);
}

static void mark_broken(struct lmdb_env *env, steme_status status, const char *why)
{
    if (atomic_exchange(&env->broken_told, true)) return; /* what broke it first is what counts */
    snprintf(env->broken_why, sizeof(env->broken_why), "%s", why);
    atomic_store(&env->broken, (uint32_t)status);
}

static steme_status check_broken(struct lmdb_env *env, struct steme_error *err)
{
    steme_status status = (steme_status)atomic_load(&env->broken);
    if (status) return error_set(err, status, "the index in %s can't be used any more: %s", env->dir, env->broken_why);
    return STEME_OK;
}

struct lmdb_trap {
    jmp_buf back;
    char message[200];
};

static _Thread_local struct lmdb_trap *trap;

static void assertion_failed(MDB_env *mdb, const char *message)
{
    (void)mdb;
    if (!trap) return; /* then LMDB prints the message and aborts */
    snprintf(trap->message, sizeof(trap->message), "%s", message);
    longjmp(trap->back, 1);
}

int lmdb_env_guard(struct lmdb_txn *txn, int (*call)(struct lmdb_txn *, void *args), void *args)
{
    struct lmdb_trap here;
    if (setjmp(here.back)) {
        struct lmdb_env *env = txn->env;
        trap = NULL;
        if (txn == &env->write_txn) txn->abandoned = true;
        mark_broken(env, STEME_CORRUPT, here.message);
        return MDB_CORRUPTED;
    }
    trap = &here;
    int code = call(txn, args);
    trap = NULL;
    return code;
}

/* --- The map ------------------------------------------------------------------------------------------------------ */

/* Wait until no read transaction is open, and keep new ones from beginning. map_lock is held. */
static bool pause_readers(struct lmdb_env *env, uint64_t wait_ns)
{
    uint64_t began_ns = host_monotonic_ns(env->host);
    atomic_store(&env->paused, true);
    for (size_t i = 0; i < LMDB_READERS_MAX;) {
        if (!atomic_load(&env->readers[i].busy)) {
            i++;
        } else if (host_monotonic_ns(env->host) - began_ns < wait_ns) {
            (void)gate_wait(&env->resumed, UINT64_MAX, PAUSE_NAP_NS);
        } else {
            return false;
        }
    }
    return true;
}

static void resume_readers(struct lmdb_env *env)
{
    atomic_store(&env->paused, false);
    gate_advance(&env->resumed, gate_mark(&env->resumed) + 1);
}

/* map_lock is held, readers are paused, this process has no write transaction. */
static steme_status set_map(struct lmdb_env *env, uint64_t map_bytes, struct steme_error *err)
{
    int code = mdb_env_set_mapsize(env->mdb, (size_t)map_bytes);
    if (!code) return STEME_OK;
    /* LMDB has unmapped the file and can't be asked to map it again. */
    steme_status status = lmdb_env_error(env, code, "enlarging the map of", err);
    mark_broken(env, status, "its map could not be enlarged; close it and open it again");
    return status;
}

/* Before a write transaction begins; map_lock is held. */
static steme_status make_room(struct lmdb_env *env, struct steme_error *err)
{
    MDB_envinfo info;
    steme_status status = STEME_OK;
    mdb_env_info(env->mdb, &info);
    uint64_t used_bytes = ((uint64_t)info.me_last_pgno + 1) * env->page_bytes;
    uint64_t map_bytes = info.me_mapsize;
    if (!env->full && used_bytes <= map_bytes / 2) return STEME_OK;

    map_bytes *= 2;
    if (env->full && map_bytes < used_bytes + MAP_ROOM_BYTES) map_bytes = used_bytes + MAP_ROOM_BYTES;
    map_bytes = (map_bytes + MAP_UNIT_BYTES - 1) / MAP_UNIT_BYTES * MAP_UNIT_BYTES;
    if (pause_readers(env, env->full ? PAUSE_MUST_NS : PAUSE_WISH_NS)) {
        status = set_map(env, map_bytes, err);
        if (!status) env->full = false;
    } else if (env->full) {
        status = error_set(err, STEME_NO_SPACE,
                           "the map of %s is full, and while a read transaction of this process stays open it "
                           "can't be enlarged; end long reads",
                           env->dir);
    }
    resume_readers(env);
    return status;
}

/* Another process has enlarged the map: follow. map_lock is held. */
static steme_status follow_map(struct lmdb_env *env, struct steme_error *err)
{
    steme_status status = STEME_OK;
    if (pause_readers(env, PAUSE_MUST_NS))
        status = set_map(env, 0, err);
    else
        status = error_set(err, STEME_TIMEOUT,
                           "%s was enlarged by another process, and while a read transaction of this "
                           "process stays open it can't follow; end long reads",
                           env->dir);
    resume_readers(env);
    return status;
}

void lmdb_env_cover(struct lmdb_env *env)
{
    MDB_envinfo info;
    uint64_t size_bytes = 0;
    pthread_mutex_lock(&env->map_lock);
    mdb_env_info(env->mdb, &info);
    pthread_mutex_unlock(&env->map_lock);
    uint64_t want_bytes = ((uint64_t)info.me_last_pgno + 1) * env->page_bytes;
    /* A failure here is no failure of the commit, which has happened; the next one tries again. */
    if (host_size(env->file, &size_bytes, NULL) || size_bytes >= want_bytes) return;
    if (host_truncate(env->file, want_bytes, NULL)) return;
}

/* --- Transactions ------------------------------------------------------------------------------------------------- */

static size_t first_place(void)
{
    static _Atomic uint32_t thread_count;
    static _Thread_local uint32_t place;
    if (!place) place = atomic_fetch_add(&thread_count, 1) % FIRST_PLACES + 1;
    return place - 1;
}

static struct lmdb_reader *claim_place(struct lmdb_env *env)
{
    size_t first = first_place();
    for (size_t i = 0; i < LMDB_READERS_MAX; i++) {
        struct lmdb_reader *reader = &env->readers[(first + i) % LMDB_READERS_MAX];
        bool expected = false;
        if (!atomic_load_explicit(&reader->busy, memory_order_relaxed) &&
            atomic_compare_exchange_strong(&reader->busy, &expected, true))
            return reader;
    }
    return NULL;
}

/* Invariant: a reader marks its place busy and then looks at `paused`; who moves the map sets `paused` and then looks
 * at the places. Whichever comes second sees the other, so the map never moves under a reader. */
static struct lmdb_reader *claim_reader(struct lmdb_env *env)
{
    for (;;) {
        uint64_t mark = gate_mark(&env->resumed);
        struct lmdb_reader *reader = claim_place(env);
        if (!reader || !atomic_load(&env->paused)) return reader;
        atomic_store(&reader->busy, false);
        (void)gate_wait(&env->resumed, mark + 1, PAUSE_NAP_NS);
    }
}

/* LMDB registers a reader for the newest transaction N and then copies N's meta page, which N + 2 writes over: a thread
 * that slept in between has N + 2's root before LMDB tells anybody of N + 2, and its next snapshot may be N + 1.
 * Nothing is lost by it, but time would run backwards. So look whether N's meta page can still have been there. */
static bool meta_overtaken(struct lmdb_env *env, MDB_txn *mdb)
{
    MDB_envinfo info;
    mdb_env_info(env->mdb, &info);
    return info.me_last_txnid > mdb_txn_id(mdb) + 1;
}

static int begin_mdb_read(struct lmdb_env *env, struct lmdb_txn *txn)
{
    int dead = 0;
    for (int tries = 0; tries < SNAPSHOT_TRIES; tries++) {
        int code = txn->mdb ? mdb_txn_renew(txn->mdb) : mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, &txn->mdb);
        if (code == MDB_READERS_FULL && tries == 0) {
            mdb_reader_check(env->mdb, &dead); /* frees the places of processes that died */
            continue;
        }
        if (code || !meta_overtaken(env, txn->mdb)) return code;
        mdb_txn_reset(txn->mdb);
    }
    return mdb_txn_renew(txn->mdb); /* what it shows is whole at any rate */
}

steme_status lmdb_env_begin_read(struct lmdb_env *env, struct lmdb_txn **out, struct steme_error *err)
{
    int code = MDB_MAP_RESIZED;
    for (int tries = 0; code == MDB_MAP_RESIZED && tries < RESIZE_TRIES; tries++) {
        struct lmdb_reader *reader = claim_reader(env);
        if (!reader) return lmdb_env_error(env, MDB_READERS_FULL, "reading", err);
        steme_status status = check_broken(env, err);
        if (status) {
            atomic_store(&reader->busy, false);
            return status;
        }
        reader->txn.env = env;
        code = begin_mdb_read(env, &reader->txn);
        if (!code) {
            *out = &reader->txn;
            return STEME_OK;
        }
        atomic_store(&reader->busy, false);
        if (code != MDB_MAP_RESIZED) break;
        pthread_mutex_lock(&env->map_lock);
        status = follow_map(env, err);
        pthread_mutex_unlock(&env->map_lock);
        if (status) return status;
    }
    return lmdb_env_error(env, code, "reading", err);
}

/* No lock of ours is held while LMDB takes its own. That the map can't move meanwhile follows from there being one
 * process that writes: nobody else enlarges it, and in this one it is enlarged here. */
static steme_status begin_mdb_write(struct lmdb_env *env, struct steme_error *err)
{
    int dead = 0, code = MDB_MAP_RESIZED;
    /* A process that died while it read would keep pages from being used again for ever. */
    if (env->write_count++ % WRITES_PER_READER_CHECK == 0) mdb_reader_check(env->mdb, &dead);
    pthread_mutex_lock(&env->map_lock);
    steme_status status = make_room(env, err);
    pthread_mutex_unlock(&env->map_lock);
    for (int tries = 0; !status && tries < RESIZE_TRIES; tries++) {
        code = mdb_txn_begin(env->mdb, NULL, 0, &env->write_txn.mdb);
        if (code != MDB_MAP_RESIZED) break;
        pthread_mutex_lock(&env->map_lock); /* the one that wrote before us had a larger map */
        status = follow_map(env, err);
        pthread_mutex_unlock(&env->map_lock);
    }
    return status ? status : lmdb_env_error(env, code, "writing", err);
}

steme_status lmdb_env_begin_write(struct lmdb_env *env, struct lmdb_txn **out, struct steme_error *err)
{
    /* Before any lock, too: an abandoned writer holds one of LMDB's for ever. */
    steme_status status = check_broken(env, err);
    if (status) return status;
    int failed = pthread_mutex_lock(&env->writer);
    invariant(failed == 0); /* EDEADLK: this thread has a write transaction open and would wait for itself */
    env->write_txn.env = env;
    env->write_txn.lent = false;
    status = check_broken(env, err);
    if (!status) status = begin_mdb_write(env, err);
    if (status)
        pthread_mutex_unlock(&env->writer);
    else
        *out = &env->write_txn;
    return status;
}

static void rest_cursors(struct lmdb_txn *txn, bool gone)
{
    txn->idle = NULL;
    txn->live_count = 0;
    for (struct lmdb_cursor *cursor = txn->all; cursor; cursor = cursor->next) {
        if (gone) cursor->mdb = NULL; /* LMDB frees a writer's cursors with its transaction */
        cursor->live = cursor->parked = false;
        cursor->next_idle = txn->idle;
        txn->idle = cursor;
    }
}

void lmdb_env_end(struct lmdb_txn *txn, enum kv_mode mode)
{
    struct lmdb_env *env = txn->env;
    if (mode == KV_READ) {
        struct lmdb_reader *reader = (struct lmdb_reader *)((char *)txn - offsetof(struct lmdb_reader, txn));
        if (txn->live_count) rest_cursors(txn, false);
        mdb_txn_reset(txn->mdb);
        atomic_store(&reader->busy, false);
        return;
    }
    if (txn->mdb && !txn->abandoned) mdb_txn_abort(txn->mdb);
    txn->mdb = NULL;
    rest_cursors(txn, true);
    int failed = pthread_mutex_unlock(&env->writer);
    invariant(failed == 0); /* EPERM: another thread began it */
}

/* --- Opening and closing ------------------------------------------------------------------------------------------ */

/* LMDB's locks are POSIX record locks: opening the same files twice in one process, or closing one of the two, would
 * drop them without a word. So a process has each environment once, found by the data file's identity. */
static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;
static struct lmdb_env *registry;
/* What could not be closed, kept for ever: its lock file's mutex is held and linked into the thread that abandoned the
 * write transaction; unmapping it would pull it from under the thread library. */
static struct lmdb_env *abandoned;

static int start_with_map(struct lmdb_env *env, uint64_t map_bytes, bool read_only)
{
    MDB_stat stat;
    MDB_txn *txn = NULL;
    int dead = 0;
    unsigned flags = MDB_NOSYNC | MDB_NORDAHEAD | MDB_NOTLS | (read_only ? MDB_RDONLY : 0u);
    int code = mdb_env_create(&env->mdb);
    if (code) return code;
    mdb_env_set_assert(env->mdb, assertion_failed);
    code = mdb_env_set_mapsize(env->mdb, (size_t)map_bytes);
    if (code) goto done;
    code = mdb_env_set_maxreaders(env->mdb, LMDB_READERS_MAX);
    if (code) goto done;
    code = mdb_env_open(env->mdb, env->dir, flags, 0644);
    if (code) goto done;
    code = mdb_reader_check(env->mdb, &dead);
    if (code) goto done;
    code = mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, &txn);
    if (code) goto done;
    code = mdb_dbi_open(txn, NULL, 0, &env->dbi);
    if (code) goto done;
    code = mdb_env_stat(env->mdb, &stat);
    env->page_bytes = stat.ms_psize;
done:
    mdb_txn_abort(txn);
    if (code) {
        mdb_env_close(env->mdb);
        env->mdb = NULL;
    }
    return code;
}

static steme_status start(struct lmdb_env *env, uint64_t map_bytes, bool read_only, struct steme_error *err)
{
    uint64_t try_bytes = map_bytes ? (map_bytes + MAP_UNIT_BYTES - 1) / MAP_UNIT_BYTES * MAP_UNIT_BYTES
                                   : MAP_DEFAULT_BYTES;
    int code = start_with_map(env, try_bytes, read_only);
    /* Under a limit, or where addresses are few; EINVAL is what valgrind says then. */
    while ((code == ENOMEM || code == EINVAL) && !map_bytes && try_bytes > MAP_LEAST_DEFAULT_BYTES) {
        try_bytes /= 2;
        code = start_with_map(env, try_bytes, read_only);
    }
    if (code) return lmdb_env_error(env, code, "opening the index in", err);

    struct host_stat stat;
    steme_status status = host_stat(env->host, env->path, &stat, err);
    if (!status && !read_only) status = host_open(env->host, env->path, HOST_WRITE, &env->file, err);
    if (!status && !env->leaves_seen) status = host_open(env->host, env->path, HOST_READ, &env->unseen, err);
    if (status) {
        host_close(&env->file);
        mdb_env_close(env->mdb);
        env->mdb = NULL;
        return status;
    }
    env->device = stat.device;
    env->inode = stat.inode;
    env->read_only = read_only;
    return STEME_OK;
}

static void free_cursors(struct lmdb_txn *txn)
{
    while (txn->all) {
        struct lmdb_cursor *cursor = txn->all;
        txn->all = cursor->next;
        if (cursor->mdb) mdb_cursor_close(cursor->mdb);
        free(cursor);
    }
    txn->idle = NULL;
}

/* No transaction is open. */
static void stop(struct lmdb_env *env)
{
    for (size_t i = 0; i < LMDB_READERS_MAX; i++) {
        struct lmdb_txn *txn = &env->readers[i].txn;
        free_cursors(txn);
        mdb_txn_abort(txn->mdb);
        txn->mdb = NULL;
    }
    free_cursors(&env->write_txn);
    host_close(&env->file);
    host_close(&env->unseen);
    if (env->write_txn.abandoned) return;
    mdb_env_close(env->mdb);
    env->mdb = NULL;
}

static void env_free(struct lmdb_env *env)
{
    pthread_mutex_destroy(&env->writer);
    pthread_mutex_destroy(&env->map_lock);
    free(env->readers);
    free(env->scratch);
    free(env->dir);
    free(env->path);
    free(env);
}

static struct lmdb_env *env_new(struct host *host, const char *dir)
{
    pthread_mutexattr_t checks;
    struct lmdb_env *env = calloc(1, sizeof(*env));
    if (!env) return NULL;
    env->host = host;
    gate_init(&env->resumed, 0);
    pthread_mutexattr_init(&checks);
    pthread_mutexattr_settype(&checks, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&env->writer, &checks);
    pthread_mutexattr_destroy(&checks);
    pthread_mutex_init(&env->map_lock, NULL);
    size_t path_bytes = strlen(dir) + sizeof("/data.mdb");
    env->dir = strdup(dir);
    env->path = malloc(path_bytes);
    env->scratch = malloc(KV_KEY_MAX + KV_VALUE_MAX);
    env->readers = aligned_alloc(_Alignof(struct lmdb_reader), LMDB_READERS_MAX * sizeof(struct lmdb_reader));
    if (!env->dir || !env->path || !env->scratch || !env->readers) {
        env_free(env);
        return NULL;
    }
    snprintf(env->path, path_bytes, "%s/data.mdb", dir);
    memset(env->readers, 0, LMDB_READERS_MAX * sizeof(struct lmdb_reader));
    return env;
}

/* A handle that writes joins one that only reads: the environment is opened anew between two reads. */
static steme_status reopen_for_writing(struct lmdb_env *env, uint64_t map_bytes, struct steme_error *err)
{
    steme_status status = STEME_OK;
    pthread_mutex_lock(&env->map_lock);
    if (pause_readers(env, PAUSE_MUST_NS)) {
        stop(env);
        status = start(env, map_bytes, false, err);
        if (status) mark_broken(env, status, "it could not be opened for writing; close it and open it again");
    } else {
        status = error_set(err, STEME_TIMEOUT,
                           "%s can't be opened for writing while a read transaction of this process stays open; "
                           "end long reads",
                           env->dir);
    }
    resume_readers(env);
    pthread_mutex_unlock(&env->map_lock);
    return status;
}

static steme_status check_file(struct lmdb_env *env, struct steme_error *err)
{
    struct host_file *file = NULL;
    steme_status status = host_open(env->host, env->path, HOST_READ, &file, err);
    if (status) return status;
    status = lmdb_file_check(file, env->path, &env->leaves_seen, err);
    host_close(&file);
    return status;
}

static struct lmdb_env *find_env(struct lmdb_env *env, const struct host_stat *stat)
{
    while (env && (env->device != stat->device || env->inode != stat->inode))
        env = env->next_open;
    return env;
}

static steme_status make_dir(struct host *host, const char *dir, struct steme_error *err)
{
    steme_status status = host_make_dir(host, dir, err);
    return status == STEME_EXISTS ? STEME_OK : status;
}

/* registry_lock is held. On STEME_OK *env is the one to use: either the fresh one, started, or one that is open. */
static steme_status open_registered(struct lmdb_env **env, const struct kv_lmdb_options *options,
                                    struct steme_error *err)
{
    struct lmdb_env *fresh = *env;
    struct host_stat stat;
    steme_status status = host_stat(fresh->host, fresh->path, &stat, err);
    bool there = status == STEME_OK;
    if (status && (status != STEME_NOT_FOUND || !options->create)) return status;

    if (there && find_env(abandoned, &stat))
        return error_set(err, STEME_CORRUPT, "the index in %s failed in this process before; remove its files",
                         fresh->dir);
    struct lmdb_env *open = there ? find_env(registry, &stat) : NULL;
    if (open) {
        status = open->read_only && !options->read_only ? reopen_for_writing(open, options->map_bytes, err) : STEME_OK;
        if (!status) *env = open;
        return status;
    }
    bool empty = !there || stat.size_bytes == 0;
    fresh->leaves_seen = empty;
    if (!empty || !options->create)
        status = check_file(fresh, err);
    else
        status = make_dir(fresh->host, fresh->dir, err);
    if (status) return status;
    status = start(fresh, options->map_bytes, options->read_only, err);
    if (status) return status;
    if (empty) status = host_sync_dir(fresh->host, fresh->dir, err);
    if (status) {
        stop(fresh);
        return status;
    }
    fresh->next_open = registry;
    registry = fresh;
    return STEME_OK;
}

steme_status lmdb_env_open(struct host *host, const struct kv_lmdb_options *options, struct lmdb_env **out,
                           struct steme_error *err)
{
    struct lmdb_env *fresh = env_new(host, options->dir);
    if (!fresh) return error_set(err, STEME_NO_MEMORY, "no memory to open the index in %s", options->dir);
    struct lmdb_env *env = fresh;
    pthread_mutex_lock(&registry_lock);
    steme_status status = open_registered(&env, options, err);
    if (!status) {
        env->handle_count++;
        *out = env;
    }
    pthread_mutex_unlock(&registry_lock);
    if (status || env != fresh) env_free(fresh);
    return status;
}

void lmdb_env_close(struct lmdb_env *env)
{
    pthread_mutex_lock(&registry_lock);
    bool last = --env->handle_count == 0;
    if (last) {
        struct lmdb_env **link = &registry;
        while (*link != env)
            link = &(*link)->next_open;
        *link = env->next_open;
        for (size_t i = 0; i < LMDB_READERS_MAX; i++)
            invariant(!atomic_load(&env->readers[i].busy));
        invariant(!env->write_txn.mdb);
        stop(env); /* under the lock: who opens the files next must find them closed */
        if (env->write_txn.abandoned) {
            env->next_open = abandoned;
            abandoned = env;
            last = false;
        }
    }
    pthread_mutex_unlock(&registry_lock);
    if (last) env_free(env);
}
