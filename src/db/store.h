/* SPDX-License-Identifier: Apache-2.0 */
/* An open store inside the library: what the public calls in store_*.c, write.c, query*.c and verify.c share. */
#ifndef DB_STORE_H
#define DB_STORE_H

#include "db/home.h"
#include "db/index.h"
#include "db/views.h"
#include "host/gate.h"
#include "lattice/evidence.h"
#include "lattice/tally.h"
#include "spine/wal.h"
#include "steme/query.h"
#include "steme/store.h"

#include <pthread.h>

/* Agent ids (16 bytes each, sorted) of the keys in the store's keys directory. Shared by snapshots; the last one frees
 * it. */
struct trust {
    _Atomic uint32_t refs;
    size_t count;
    uint8_t ids[][16];
};

struct steme_store {
    struct host *host;
    char *dir;
    struct home_identity identity;
    uint64_t segment_bytes; /* of new segments; 0: STEME_SEGMENT_BYTES */
    bool alone;
    bool read_only;
    void (*notice)(void *context, const char *line);
    void *notice_context;

    struct host_file *lock;       /* writers: held while open */
    struct host_file *index_lock; /* writers: held while open; readers: while they bring the index up to date */
    struct wal *wal;

    pthread_mutex_t ingesting; /* held for a step of the ingestor, and while the index is replaced */
    pthread_mutex_t sharing;   /* guards index, trust, ingest_*, told_*; held briefly */
    pthread_mutex_t naming;    /* held while a key takes its name */
    struct index *index;
    struct trust *trust;
    steme_status ingest_status; /* of the last step: STEME_OK unless the index can't be kept up */
    struct steme_error ingest_error;
    bool told_degraded; /* and with which figures */
    uint64_t told_bytes, told_sequences;
    _Atomic uint64_t index_rebuilds;

    struct views views; /* stepped under `ingesting` */

    struct gate applied; /* mark: last sequence the index reflects */
    struct gate hurry;   /* kicked to end the runner's lingering; its mark stays 0 */
    pthread_t runner;
    bool runner_started;
    _Atomic bool stopping;
    _Atomic uint64_t wanted; /* a reader waits for this sequence: do not linger */
};

/* Where a store lives and who works for it. steme_create() and steme_open() take the real host, threads of their own
 * and an index on disk. */
struct store_setting {
    struct host *host;
    uint64_t segment_bytes; /* 0: STEME_SEGMENT_BYTES */
    bool alone;             /* for simulations: no threads, callers commit, store_step() feeds an index in memory */
    const struct wal_mark *hint; /* alone: the mark that an index on disk would have kept; NULL: there is none */
};
MUST_CHECK steme_status store_create_in(const struct store_setting *setting, const char *dir, struct steme_error *err);
MUST_CHECK steme_status store_open_in(const struct store_setting *setting, const char *dir,
                                      const struct steme_open_options *options, struct steme_store **store_out,
                                      struct steme_error *err);
/* Let the index take in some more of the log; what the runner loops. */
MUST_CHECK steme_status store_step(struct steme_store *store, struct steme_error *err);

/* Tell the opener a line worth a person's while. */
void store_notice(struct steme_store *store, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The index as it is now; the caller lets it go with index_release(). */
struct index *store_index(struct steme_store *store);
/* The trusted agents, loaded when first asked for. NULL only with a failure. The caller lets it go. */
MUST_CHECK steme_status store_trust(struct steme_store *store, struct trust **out, struct steme_error *err);
void trust_release(struct trust **trust);
void store_trust_changed(struct steme_store *store);

/* Throw the index away and make it anew, on disk or, where that can't be, in memory; `why` is told to the opener. If
 * `lied` is not NULL and no longer the store's index, somebody else has done it already. */
MUST_CHECK steme_status store_replace_index(struct steme_store *store, const struct index *lied, const char *why,
                                            struct steme_error *err);

/* Let the runner not linger: somebody waits for what it does. */
void store_hurry(struct steme_store *store);
/* How the last step went: whoever waits for the index asks, or would wait in vain. */
MUST_CHECK steme_status store_ingest_status(struct steme_store *store, struct steme_error *err);

/* The thread that keeps the index up. */
MUST_CHECK steme_status runner_start(struct steme_store *store, struct steme_error *err);
void runner_stop(struct steme_store *store); /* after the index has caught up, unless it can't */

#endif
