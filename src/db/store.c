/* SPDX-License-Identifier: Apache-2.0 */
/* Making, opening and closing a store. The order of opening: identity, locks, index (it holds the mark that spares the
 * log a scan), log (which repairs what a crash left), the two joined, the runner. Closing goes backwards. */
#include "db/store.h"

#include "base/check.h"
#include "base/slice.h"
#include "model/sign.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    INDEX_LOCK_WAIT_MS = 10000, /* a reader may be bringing the index up to date */
    NOTICE_BYTES = STEME_ERROR_MESSAGE_BYTES + 128,
    FIND_DEPTH = 256,
    FIND_ARENA_BYTES = 1 << 20,
};

const char *steme_version(void) { return "0.1.0"; }

int64_t steme_now_us(void) { return host_wall_us(host_posix()); }

void store_notice(struct steme_store *store, const char *format, ...)
{
    char line[NOTICE_BYTES];
    va_list arguments;
    if (!store->notice) return;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    store->notice(store->notice_context, line);
}

struct index *store_index(struct steme_store *store)
{
    pthread_mutex_lock(&store->sharing);
    struct index *index = store->index;
    index_hold(index);
    pthread_mutex_unlock(&store->sharing);
    return index;
}

/* ---- create ---- */

static struct wal_options log_options(const struct store_setting *setting, const char *dir,
                                      const struct home_identity *identity)
{
    return (struct wal_options){ .host = setting->host,
                                 .dir = dir,
                                 .store_id = identity->id,
                                 .segment_bytes = setting->segment_bytes,
                                 .committer = !setting->alone };
}

steme_status store_create_in(const struct store_setting *setting, const char *dir, struct steme_error *err)
{
    struct home_identity identity;
    steme_status status = sign_init(err);
    if (!status) status = home_create(setting->host, dir, &identity, err);
    if (status) return error_wrap(err, status, "making a store");
    struct wal_options options = log_options(setting, dir, &identity);
    status = wal_create(&options, err);
    if (!status) status = home_finish(setting->host, dir, &identity, err);
    return status ? error_wrap(err, status, "making a store in %s", dir) : STEME_OK;
}

steme_status steme_create(const char *dir, struct steme_error *err)
{
    struct store_setting setting = { .host = host_posix() };
    return store_create_in(&setting, dir, err);
}

/* ---- open ---- */

static void set_index(struct steme_store *store, struct index *index)
{
    pthread_mutex_lock(&store->sharing);
    struct index *old = store->index;
    store->index = index;
    pthread_mutex_unlock(&store->sharing);
    index_release(&old);
    uint64_t sequence = index->ingestor.applied.next_sequence - 1;
    if (sequence > gate_mark(&store->applied)) gate_advance(&store->applied, sequence);
    atomic_store(&store->views.pending, true); /* a new one has no views yet */
    store_hurry(store);
}

static steme_status open_memory(struct steme_store *store, struct index **out, struct steme_error *err)
{
    struct applied_row applied;
    const char *why = NULL;
    struct index *index = NULL;
    steme_status status = index_open(store->host, store->dir, INDEX_MEMORY, &index, &applied, &why, err);
    if (!status) status = index_fill(index, store->wal, err);
    if (status)
        index_release(&index);
    else
        *out = index;
    return status;
}

/* An empty index on disk, filled in bulk. We hold index.lock. */
static steme_status fill_on_disk(struct steme_store *store, struct index *index, struct steme_error *err)
{
    steme_status status = index_mark_open(index, err);
    if (!status) status = index_fill(index, store->wal, err);
    return status;
}

static steme_status open_fresh(struct steme_store *store, struct index **out, struct steme_error *err)
{
    struct applied_row applied;
    const char *why = NULL;
    struct index *index = NULL;
    steme_status status = index_discard(store->host, store->dir, err);
    if (!status) status = index_open(store->host, store->dir, INDEX_MAINTAIN, &index, &applied, &why, err);
    if (!status) status = fill_on_disk(store, index, err);
    if (status)
        index_release(&index);
    else
        *out = index;
    return status;
}

/* Join the index with the log; fill it if it is empty; make it anew if it is not of this log. */
static steme_status settle_maintained(struct steme_store *store, struct index **index,
                                      const struct applied_row *applied, struct steme_error *err)
{
    bool log_empty = wal_durable(store->wal).next_sequence == wal_begin(store->wal).next_sequence;
    if (applied->mark.location == 0 && !log_empty) return fill_on_disk(store, *index, err);
    steme_status status = index_attach(*index, store->wal, applied, err);
    if (status != STEME_MISMATCH) return status;
    store_notice(store, "index rebuilt: it is ahead of the log, or of another log");
    store->index_rebuilds++;
    index_release(index);
    return open_fresh(store, index, err);
}

/* Reading finds damage as well as opening, so this is asked more than once and tells what is new. */
static void tell_of_damage(struct steme_store *store)
{
    struct wal_report damage;
    if (wal_damage(store->wal, &damage, NULL) || !damage.degraded) return;
    pthread_mutex_lock(&store->sharing);
    bool news = !store->told_degraded || store->told_bytes != damage.damaged_bytes ||
                store->told_sequences != damage.missing_sequences;
    store->told_degraded = true;
    store->told_bytes = damage.damaged_bytes;
    store->told_sequences = damage.missing_sequences;
    pthread_mutex_unlock(&store->sharing);
    if (news)
        store_notice(store,
                     "the store is degraded: %" PRIu64 " bytes of acknowledged data are damaged, %" PRIu64
                     " record%s missing; see `steme verify`%s",
                     damage.damaged_bytes, damage.missing_sequences, damage.missing_sequences == 1 ? "" : "s",
                     damage.unfiled ? "" : " and quarantine/");
}

/* Whether damage was found that only a writer can put on record. An index on disk that was made or moved on without
 * those records would hide it, for whoever opens the store next begins to read at its mark; and the mark it has may be
 * the only proof that they were acknowledged. */
static bool would_hide(struct steme_store *store)
{
    struct wal_report damage;
    return store->read_only && (wal_damage(store->wal, &damage, NULL) || damage.unfiled);
}

static steme_status open_log(struct steme_store *store, const struct applied_row *applied, struct steme_error *err)
{
    struct store_setting setting = { store->host, store->segment_bytes, store->alone, NULL };
    struct wal_options options = log_options(&setting, store->dir, &store->identity);
    options.read_only = store->read_only;
    options.committer = !store->read_only && !store->alone;
    options.hint = applied->mark.location ? &applied->mark : NULL;
    struct wal_report report;
    steme_status status = wal_open(&options, &store->wal, &report, err);
    if (status) return status;
    if (report.torn_tail_bytes)
        store_notice(store, "%" PRIu64 " bytes behind the last whole batch were set aside: an unfinished write",
                     report.torn_tail_bytes);
    tell_of_damage(store);
    return STEME_OK;
}

static bool index_is_there(struct steme_store *store)
{
    struct arena arena;
    struct host_stat stat;
    arena_init(&arena, FIND_ARENA_BYTES);
    const char *in = host_join(&arena, store->dir, "index");
    const char *path = in ? host_join(&arena, in, "data.mdb") : NULL;
    bool there = path && host_stat(store->host, path, &stat, NULL) == STEME_OK && stat.size_bytes > 0;
    arena_deinit(&arena);
    return there;
}

/* An index that has to be made is worth a line, but for that of a store with nothing in it. */
static void tell_of_rebuild(struct steme_store *store, const char *why, bool was_there)
{
    bool log_empty = wal_durable(store->wal).next_sequence == wal_begin(store->wal).next_sequence;
    if (!why && !was_there && !log_empty) why = "there was none";
    if (!why) return;
    store_notice(store, "index rebuilt: %s", why);
    store->index_rebuilds++;
}

static steme_status open_for_writing(struct steme_store *store, struct steme_error *err)
{
    struct applied_row applied;
    struct index *index = NULL;
    const char *why = NULL;
    steme_status status = home_lock(store->host, store->dir, "lock", 0, &store->lock, err);
    if (!status) status = home_lock(store->host, store->dir, "index.lock", INDEX_LOCK_WAIT_MS, &store->index_lock, err);
    bool was_there = index_is_there(store);
    if (!status) status = index_open(store->host, store->dir, INDEX_MAINTAIN, &index, &applied, &why, err);
    if (!status) status = open_log(store, &applied, err);
    if (!status) tell_of_rebuild(store, why, was_there);
    if (!status) status = settle_maintained(store, &index, &applied, err);
    if (!status) status = index_mark_open(index, err);
    if (status) {
        index_release(&index);
        return status;
    }
    set_index(store, index);
    tell_of_damage(store);
    return runner_start(store, err);
}

/* Apply what the log has beyond the index, then leave the index on disk clean. */
static steme_status catch_up(struct index *index, struct steme_error *err)
{
    size_t count = 0;
    uint64_t durable = wal_durable(index->ingestor.wal).location;
    if (index->ingestor.applied.location == durable && !index->marked) return STEME_OK;
    steme_status status = index_mark_open(index, err);
    while (!status && index->ingestor.applied.location < durable)
        status = ingestor_step(&index->ingestor, &count, err);
    return status ? status : index_mark_clean(index, err);
}

/* Let views follow, for as long as one would wait: whoever opens the store next goes on. */
static steme_status settle_views(struct steme_store *store, struct index *index, struct steme_error *err)
{
    bool pending = false;
    uint64_t give_up = host_monotonic_ns(store->host) + VIEWS_SETTLE_NS;
    steme_status status = views_look(store, index, &pending, err);
    if (status || !pending) return status;
    status = index_mark_open(index, err);
    while (!status && pending && host_monotonic_ns(store->host) < give_up) {
        status = views_step(store, index, err);
        pending = atomic_load(&store->views.pending);
    }
    return status ? status : index_mark_clean(index, err);
}

/* A reader's index on disk: brought up to date if we got index.lock, else as whoever holds that keeps it. Where nobody
 * does and we can't, it must not be behind the log, for it would stay so. */
static steme_status settle_for_reading(struct steme_store *store, struct index **index, bool kept,
                                       const struct applied_row *applied, struct steme_error *err)
{
    if (!store->index_lock) {
        steme_status status = index_attach(*index, store->wal, applied, err);
        if (status || kept || (*index)->ingestor.applied.location >= wal_durable(store->wal).location) return status;
        return error_set(err, STEME_READ_ONLY, "the index is behind the log and can't be brought up to date here");
    }
    if (would_hide(store)) return error_set(err, STEME_CORRUPT, "the log is damaged beyond the mark of the index");
    steme_status status = settle_maintained(store, index, applied, err);
    if (!status) status = catch_up(*index, err);
    if (!status) status = settle_views(store, *index, err);
    if (status || !would_hide(store)) return status;
    status = index_discard(store->host, store->dir, err); /* it was made just now, and has proved nothing */
    return status ? status : error_set(err, STEME_CORRUPT, "the log is damaged");
}

static steme_status open_for_reading(struct steme_store *store, struct steme_error *err)
{
    struct applied_row applied = { 0 };
    struct index *index = NULL;
    const char *why = NULL;
    /* Whoever can't have the lock looks at what is there; whoever can't use that keeps an index in memory. */
    steme_status got = home_lock(store->host, store->dir, "index.lock", 0, &store->index_lock, NULL);
    enum index_mode mode = got == STEME_OK ? INDEX_MAINTAIN : INDEX_LOOK;
    bool was_there = index_is_there(store);
    steme_status usable = index_open(store->host, store->dir, mode, &index, &applied, &why, err);
    steme_status status = open_log(store, &applied, err);
    if (status) goto done;
    if (!usable) tell_of_rebuild(store, why, was_there);
    if (!usable) usable = settle_for_reading(store, &index, got == STEME_LOCKED, &applied, err);
    if (usable) {
        index_release(&index);
        store_notice(store, "the index on disk can't be used here; reading the whole log instead");
        status = open_memory(store, &index, err);
    }
    if (status) goto done;
    set_index(store, index);
    index = NULL;
    tell_of_damage(store);
done:
    index_release(&index);
    host_close(&store->index_lock); /* NULL inside is fine: a reader lets it go once the index is up to date */
    return status;
}

/* All in the caller's thread: the index begins empty, and is a reader's business at once. */
static steme_status open_alone(struct steme_store *store, const struct wal_mark *hint, struct steme_error *err)
{
    struct applied_row applied = { 0 }, kept = { 0 };
    struct index *index = NULL;
    const char *why = NULL;
    steme_status status = STEME_OK;
    if (!store->read_only) status = home_lock(store->host, store->dir, "lock", 0, &store->lock, err);
    if (hint) kept.mark = *hint;
    if (!status) status = open_log(store, &kept, err);
    if (!status && store->read_only) status = open_memory(store, &index, err);
    if (!status && !index) status = index_open(store->host, store->dir, INDEX_MEMORY, &index, &applied, &why, err);
    if (!status && !index->attached) status = index_attach(index, store->wal, &applied, err);
    if (status)
        index_release(&index);
    else
        set_index(store, index);
    return status;
}

static struct steme_store *new_store(const struct store_setting *setting, const char *dir,
                                     const struct steme_open_options *options)
{
    struct steme_store *store = calloc(1, sizeof *store);
    char *copy = store ? calloc(1, strlen(dir) + 1) : NULL;
    if (!copy) {
        free(store);
        return NULL;
    }
    memcpy(copy, dir, strlen(dir));
    store->host = setting->host;
    store->segment_bytes = setting->segment_bytes;
    store->alone = setting->alone;
    store->dir = copy;
    if (options) {
        store->read_only = options->read_only;
        store->notice = options->notice;
        store->notice_context = options->notice_context;
    }
    (void)pthread_mutex_init(&store->ingesting, NULL);
    (void)pthread_mutex_init(&store->sharing, NULL);
    (void)pthread_mutex_init(&store->naming, NULL);
    gate_init(&store->applied, 0);
    gate_init(&store->hurry, 0);
    views_init(&store->views);
    return store;
}

static steme_status open_parts(struct steme_store *store, const struct wal_mark *hint, struct steme_error *err)
{
    steme_status status = home_identify(store->host, store->dir, &store->identity, err);
    if (status) return status;
    if (store->alone) return open_alone(store, hint, err);
    return store->read_only ? open_for_reading(store, err) : open_for_writing(store, err);
}

steme_status store_open_in(const struct store_setting *setting, const char *dir,
                           const struct steme_open_options *options, struct steme_store **store_out,
                           struct steme_error *err)
{
    steme_status status = sign_init(err);
    if (status) return status;
    struct steme_store *store = new_store(setting, dir, options);
    if (!store) return error_set(err, STEME_NO_MEMORY, "no memory to open %s", dir);
    status = open_parts(store, setting->hint, err);
    if (status) {
        steme_close(&store);
        return error_wrap(err, status, "opening %s", dir);
    }
    *store_out = store;
    return STEME_OK;
}

steme_status steme_open(const char *dir, const struct steme_open_options *options, struct steme_store **store_out,
                        struct steme_error *err)
{
    struct store_setting setting = { .host = host_posix() };
    return store_open_in(&setting, dir, options, store_out, err);
}

void steme_close(struct steme_store **store)
{
    struct steme_store *s = *store;
    struct steme_error error;
    *store = NULL;
    if (!s) return;
    runner_stop(s);
    if (s->wal) tell_of_damage(s); /* what was met by walking the log alone */
    if (s->index && !s->read_only && index_tidy(s->index, &error)) store_notice(s, "%s", error.message);
    if (s->index && !s->read_only && index_mark_clean(s->index, &error))
        store_notice(s, "the index was not left clean and will be checked at the next opening: %s", error.message);
    index_release(&s->index);
    trust_release(&s->trust);
    views_deinit(&s->views);
    wal_close(&s->wal);
    host_close(&s->index_lock);
    host_close(&s->lock);
    (void)pthread_mutex_destroy(&s->ingesting);
    (void)pthread_mutex_destroy(&s->sharing);
    (void)pthread_mutex_destroy(&s->naming);
    free(s->dir);
    free(s);
}

/* ---- replacing the index ---- */

static steme_status replace_on_disk(struct steme_store *store, struct index **out, struct steme_error *err)
{
    bool borrowed = !store->index_lock;
    steme_status status = STEME_OK;
    if (borrowed) status = home_lock(store->host, store->dir, "index.lock", 0, &store->index_lock, err);
    if (!status) status = open_fresh(store, out, err);
    if (!status && store->read_only) status = index_mark_clean(*out, err);
    if (borrowed) host_close(&store->index_lock);
    return status;
}

/* In memory first: see would_hide(). */
static steme_status replace_for_reading(struct steme_store *store, struct index **out, struct steme_error *err)
{
    struct index *on_disk = NULL;
    steme_status status = open_memory(store, out, err);
    if (status || would_hide(store) || replace_on_disk(store, &on_disk, NULL)) return status;
    index_release(out);
    *out = on_disk;
    return STEME_OK;
}

steme_status store_replace_index(struct steme_store *store, const struct index *lied, const char *why,
                                 struct steme_error *err)
{
    char reason[STEME_ERROR_MESSAGE_BYTES]; /* `why` may be in err, which is about to be used */
    struct index *index = NULL;
    snprintf(reason, sizeof reason, "%s", why);
    pthread_mutex_lock(&store->ingesting);
    struct index *now = store_index(store);
    bool done = lied && lied != now;
    index_release(&now);
    steme_status status = STEME_OK;
    if (!done) {
        store_notice(store, "index rebuilt: %s", reason);
        if (store->alone)
            status = open_memory(store, &index, err);
        else if (store->read_only)
            status = replace_for_reading(store, &index, err);
        else
            status = replace_on_disk(store, &index, err);
        if (!status) {
            store->index_rebuilds++; /* before those who wait for the index hear of it */
            set_index(store, index);
            tell_of_damage(store);
        }
    }
    pthread_mutex_unlock(&store->ingesting);
    return status;
}

steme_status steme_rebuild(struct steme_store *store, struct steme_error *err)
{
    if (store->read_only)
        return error_set(err, STEME_READ_ONLY,
                         "the store is open for reading; rebuilding the index needs it for writing");
    return store_replace_index(store, NULL, "asked for", err);
}

/* ---- looking around ---- */

static bool is_store(struct host *host, struct arena *arena, const char *dir)
{
    struct host_stat stat;
    const char *path = host_join(arena, dir, "store");
    return path && host_stat(host, path, &stat, NULL) == STEME_OK && stat.kind == HOST_KIND_FILE;
}

steme_status steme_find(const char *start_dir, char *path_out, size_t path_bytes, struct steme_error *err)
{
    struct host *host = host_posix();
    struct arena arena;
    struct host_stat here, above;
    const char *dir = start_dir ? start_dir : ".";
    arena_init(&arena, FIND_ARENA_BYTES);
    steme_status status = STEME_NOT_FOUND;
    for (unsigned depth = 0; depth < FIND_DEPTH; depth++) {
        const char *path = depth || start_dir ? host_join(&arena, dir, ".steme") : ".steme";
        const char *parent = depth || start_dir ? host_join(&arena, dir, "..") : "..";
        if (!path || !parent) break;
        if (is_store(host, &arena, path)) {
            bool fits = (size_t)snprintf(path_out, path_bytes, "%s", path) < path_bytes;
            status = fits ? STEME_OK : STEME_TOO_LARGE;
            break;
        }
        bool top = host_stat(host, dir, &here, NULL) || host_stat(host, parent, &above, NULL) ||
                   (here.device == above.device && here.inode == above.inode);
        if (top) break;
        dir = parent;
    }
    arena_deinit(&arena);
    if (status == STEME_NOT_FOUND)
        return error_set(err, status, "no store here or above: make one with `steme init`, or name one with --dir");
    return status ? error_set(err, status, "the path of the store is too long") : STEME_OK;
}

static uint64_t index_file_bytes(struct steme_store *store)
{
    struct arena arena;
    struct host_stat stat = { 0 };
    arena_init(&arena, FIND_ARENA_BYTES);
    const char *in = host_join(&arena, store->dir, "index");
    const char *path = in ? host_join(&arena, in, "data.mdb") : NULL;
    uint64_t bytes = path && host_stat(store->host, path, &stat, NULL) == STEME_OK ? stat.size_bytes : 0;
    arena_deinit(&arena);
    return bytes;
}

steme_status steme_info(struct steme_store *store, struct steme_info *out, struct steme_error *err)
{
    struct applied_row applied = { 0 };
    struct wal_stats stats;
    struct wal_report damage;
    struct index *index = store_index(store);
    uint64_t last = wal_durable(store->wal).next_sequence - 1;
    steme_status status = projection_applied(index->kv, &applied, err);
    uint64_t indexed = applied.mark.location ? applied.mark.next_sequence - 1 : 0;
    if (status == STEME_NOT_FOUND) status = STEME_OK;
    wal_stats(store->wal, &stats);
    if (!status) status = wal_damage(store->wal, &damage, err);
    if (!status) {
        *out = (struct steme_info){ .store_id = store->identity.id,
                                    .created_at_us = store->identity.created_at_us,
                                    .last_sequence = last,
                                    .indexed_sequence = indexed < last ? indexed : last, /* see begin_reading() */
                                    .dead_letters = applied.dead_letters,
                                    .log_bytes = stats.log_bytes,
                                    .log_segments = stats.segments,
                                    .record_bytes = applied.record_bytes,
                                    .index_bytes = index->in_memory ? 0 : index_file_bytes(store),
                                    .quarantine_files = damage.quarantine_files,
                                    .missing_sequences = damage.missing_sequences,
                                    .degraded = damage.degraded,
                                    .read_only = store->read_only,
                                    .index_in_memory = index->in_memory,
                                    .index_engine = index->kv->ops->name,
                                    .log_reads = stats.reads,
                                    .index_rebuilds = store->index_rebuilds };
        memcpy(out->records, applied.records, sizeof out->records);
    }
    index_release(&index);
    return status;
}
