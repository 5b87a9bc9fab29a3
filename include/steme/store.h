/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A store: making and opening one, keys, and writing. Reading is in query.h.
 *
 * A store is a directory, by custom named ".steme". One process at a time has it open for writing; any number read
 * meanwhile. A `struct steme_store` may be used by any number of threads. A write returns when its record is on stable
 * storage; the index follows a little behind, see steme_wait().
 */
#ifndef STEME_STORE_H
#define STEME_STORE_H

#include "steme/limits.h"
#include "steme/status.h"
#include "steme/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/** An open store. */
struct steme_store;
/** A key pair that signs, with its name. */
struct steme_signer;

/** Version of the library, "0.1.0". Static storage. */
STEME_API const char *steme_version(void);
/** Wall clock, microseconds since 1970 UTC: what faces stamp records with. */
STEME_API int64_t steme_now_us(void);

/** How to open. Zeroed: for writing. */
struct steme_open_options {
    /** Change nothing in the log. The index is still brought up to date on disk when nobody else has the store open and
     * it can be written, else in memory. A store open for reading shows what was acknowledged when it was opened; what
     * another process writes later is seen by opening it again, which costs about a millisecond. */
    bool read_only;
    /** Told about events worth a line to a person, such as "index rebuilt: ...". May be NULL. Called from any
     * thread. */
    void (*notice)(void *context, const char *line);
    void *notice_context; /**< given to notice */
};

/**
 * Make a new empty store: the directory (and the one above it, if that is missing too), its log and its identity, all
 * synced.
 * ::STEME_EXISTS if dir has a store or is a directory with anything in it.
 */
STEME_API STEME_MUST_CHECK steme_status steme_create(const char *dir, struct steme_error *err);

/**
 * Open a store; recovers what a crash left. *store_out is the caller's until steme_close().
 * ::STEME_NOT_FOUND: dir is no store. ::STEME_LOCKED: another process writes; the message has its pid. ::STEME_NEWER:
 * made by a newer program, nothing was touched. ::STEME_READ_ONLY, ::STEME_CORRUPT, ::STEME_IO.
 * @param dir the store's directory
 * @param options NULL for the defaults
 * @param store_out the open store
 * @param err detail, may be NULL
 */
STEME_API STEME_MUST_CHECK steme_status steme_open(const char *dir, const struct steme_open_options *options,
                                                   struct steme_store **store_out, struct steme_error *err);
/** Close; waits for the index to catch up and leaves the store clean. NULL is fine; *store is NULL afterwards. */
STEME_API void steme_close(struct steme_store **store);

/**
 * Look for a ".steme" directory in start_dir and its parents.
 * @param start_dir where to begin; NULL: the working directory
 * @param path_out gets the path, NUL-terminated
 * @param path_bytes room in path_out
 * @param err detail, may be NULL
 */
STEME_API STEME_MUST_CHECK steme_status steme_find(const char *start_dir, char *path_out, size_t path_bytes,
                                                   struct steme_error *err);

/** What a store is and how it is. */
struct steme_info {
    struct steme_hash store_id; /**< random, made with the store */
    int64_t created_at_us;      /**< when */
    uint64_t last_sequence;     /**< of the last durable record, 0 if none */
    uint64_t indexed_sequence;  /**< of the last record the index reflects */
    uint64_t records[8];        /**< by type byte, last for unknown ones */
    uint64_t dead_letters;      /**< records that could not be applied */
    uint64_t log_bytes;         /**< in batches, headers included */
    uint64_t log_segments;      /**< files */
    uint64_t record_bytes;      /**< of the records alone */
    uint64_t index_bytes;       /**< of the index's file */
    uint64_t quarantine_files;  /**< how many */
    uint64_t missing_sequences; /**< lost to damage */
    bool degraded;              /**< acknowledged data were damaged; see quarantine */
    bool read_only;             /**< as opened */
    bool index_in_memory;       /**< the index on disk could not be used */
    const char *index_engine;   /**< "lmdb" or "mem" */
    uint64_t log_reads;         /**< records read from the log since opening */
    uint64_t index_rebuilds;    /**< since opening */
};
/** Fill *out. Any time. */
STEME_API STEME_MUST_CHECK steme_status steme_info(struct steme_store *store, struct steme_info *out,
                                                   struct steme_error *err);

/* ---- keys ---- */

/** Make a key pair and keep it in the store's keys directory (mode 0600). ::STEME_EXISTS: the name is taken. */
STEME_API STEME_MUST_CHECK steme_status steme_signer_new(struct steme_store *store, const char *name,
                                                         struct steme_signer **out, struct steme_error *err);
/** Load a key pair by its name. NULL name: the only key, or the one named "default". The notice of the store's options
 * hears of one whose file others than its owner can read or write. */
STEME_API STEME_MUST_CHECK steme_status steme_signer_load(struct steme_store *store, const char *name,
                                                          struct steme_signer **out, struct steme_error *err);
/** A key pair from a 32-byte seed, kept nowhere: for tests and for callers with their own key store. */
STEME_API STEME_MUST_CHECK steme_status steme_signer_from_seed(const uint8_t seed[32], struct steme_signer **out,
                                                               struct steme_error *err);
/** Wipes and frees; NULL is fine; *signer is NULL afterwards. */
STEME_API void steme_signer_free(struct steme_signer **signer);
/** Its public key. */
STEME_API struct steme_key steme_signer_key(const struct steme_signer *signer);
/** Its name, "" for one from a seed. Valid as long as the signer. */
STEME_API const char *steme_signer_name(const struct steme_signer *signer);
/** Call visit for each key in the store's keys directory, by name; a non-OK answer ends it and is returned. A damaged
 * key is passed over and told after the others: ::STEME_CORRUPT, of the first one. */
STEME_API STEME_MUST_CHECK steme_status steme_signer_each(struct steme_store *store,
                                                          steme_status (*visit)(void *context, const char *name,
                                                                                const struct steme_key *key),
                                                          void *context, struct steme_error *err);
/** The agent id of a key: what a vote on an agent targets. */
STEME_API struct steme_hash steme_agent_id(const struct steme_key *key);
/** The source id of a name: what a vote on a source targets. */
STEME_API struct steme_hash steme_source_id(struct steme_slice name);
/** The route of a subject: where a vote on its assertions and claims is kept. */
STEME_API uint64_t steme_route(struct steme_slice subject);

/* ---- writing ---- */

/** Where an acknowledged record stands. */
struct steme_receipt {
    struct steme_hash id; /**< record id */
    uint64_t sequence;    /**< its number in the log; of the first copy when it was there already */
    bool duplicate;       /**< it was there already: nothing was written */
};

/** Sign and write one record of any type but a bundle; its author or voter is replaced by the signer's key. */
STEME_API STEME_MUST_CHECK steme_status steme_write(struct steme_store *store, const struct steme_signer *signer,
                                                    const struct steme_record *record, struct steme_receipt *receipt,
                                                    struct steme_error *err);

/**
 * Sign and write many records, each with a signature of its own: durable together or not at all, with one sync. For
 * streams of ballots: a caller hands over what has come together since its last call, and waits for no other caller
 * beyond the group commit they share. Signing is done on the caller's thread, and what was signed here is not verified
 * again; so as many cores sign as there are callers. A signer may be used by any number of threads.
 * (Records that come signed go through steme_submit(), which verifies them.)
 * A revision that would have a record replace itself is not signed: ::STEME_BAD_INPUT.
 * @param store the store
 * @param signer who signs; becomes the author or voter of all
 * @param records of any type but a bundle, 1..STEME_BATCH_RECORDS_MAX; borrowed for the call
 * @param count how many
 * @param receipts caller's array, count long, set on ::STEME_OK; NULL: not wanted
 * @param bad_out index of the record at fault when the status is about one, else count; may be NULL
 * @param err detail, may be NULL
 * @returns what steme_write() does, and ::STEME_TOO_LARGE when the records take more than STEME_BATCH_BYTES_MAX of log
 */
STEME_API STEME_MUST_CHECK steme_status steme_write_many(struct steme_store *store, const struct steme_signer *signer,
                                                         const struct steme_record *records, size_t count,
                                                         struct steme_receipt *receipts, size_t *bad_out,
                                                         struct steme_error *err);

/**
 * Sign and write many assertions under one signature (a bundle): durable together or not at all. Assertions that are in
 * the store already are left out and marked as duplicates.
 * @param store the store
 * @param signer who signs; becomes the author of all
 * @param assertions 1..STEME_BUNDLE_MAX
 * @param count how many
 * @param receipts caller's array, count long; set on ::STEME_OK
 * @param bad_out index of the assertion at fault when the status is about one, else count; may be NULL
 * @param err detail, may be NULL
 */
STEME_API STEME_MUST_CHECK steme_status steme_write_bundle(struct steme_store *store, const struct steme_signer *signer,
                                                           const struct steme_assertion *assertions, size_t count,
                                                           struct steme_receipt *receipts, size_t *bad_out,
                                                           struct steme_error *err);

/** A record as it travels: canonical bytes and signature. */
struct steme_signed {
    struct steme_slice bytes;         /**< canonical record */
    bool is_signed;                   /**< false for the members that follow their bundle */
    struct steme_signature signature; /**< with is_signed */
};

/**
 * Write records that are encoded and signed already, durable together or not at all; every signature is verified.
 * A bundle is followed by its members. Records that are there already are left out and marked as duplicates (a bundle
 * with its members, whole). One that another call wrote a moment ago, before the index took it in, may be written
 * again: it stays one record, whose first copy counts.
 * @param store the store
 * @param records 1..STEME_BATCH_RECORDS_MAX
 * @param count how many
 * @param receipts caller's array, count long; set on ::STEME_OK
 * @param bad_out index of the record at fault when the status is about one, else count; may be NULL
 * @param err detail, may be NULL
 */
STEME_API STEME_MUST_CHECK steme_status steme_submit(struct steme_store *store, const struct steme_signed *records,
                                                     size_t count, struct steme_receipt *receipts, size_t *bad_out,
                                                     struct steme_error *err);

/** Canonical bytes of a record as it stands, into the caller's room; *size_out is what it needs, also on
 * ::STEME_TOO_LARGE. */
STEME_API STEME_MUST_CHECK steme_status steme_encode(const struct steme_record *record, uint8_t *to, size_t room,
                                                     size_t *size_out, struct steme_error *err);
/** Check canonical bytes and compute their id. */
STEME_API STEME_MUST_CHECK steme_status steme_record_id(struct steme_slice bytes, struct steme_hash *id_out,
                                                        struct steme_error *err);
/** Sign a record id. */
STEME_API struct steme_signature steme_sign(const struct steme_signer *signer, const struct steme_hash *id);

/** Wait until reads reflect this sequence number: a write's receipt makes read-your-writes. ::STEME_TIMEOUT after
 * timeout_ms. */
STEME_API STEME_MUST_CHECK steme_status steme_wait(struct steme_store *store, uint64_t sequence, uint32_t timeout_ms,
                                                   struct steme_error *err);

/* ---- upkeep ---- */

/** One finding of steme_verify(). */
struct steme_finding {
    const char *part;  /**< "log", "record", "signature", "index", "key" or "quarantine" */
    char message[256]; /**< what is wrong and where */
};
/** What steme_verify() looked at. */
struct steme_verification {
    uint64_t segments;      /**< of the log, checked */
    uint64_t batches;       /**< of the log, checked with their chain */
    uint64_t records;       /**< checked against their ids */
    uint64_t signatures;    /**< verified; a bundle's covers its members */
    uint64_t index_rows;    /**< compared with what the log says */
    uint64_t file_bytes;    /**< of the log's files; the next three add up to it */
    uint64_t valid_bytes;   /**< in sound headers, batches and records */
    uint64_t padding_bytes; /**< zeros where nothing has been written yet */
    uint64_t damaged_bytes; /**< the rest */
    uint64_t findings;      /**< 0: all is well */
};
/** Check every checksum, the chain, ids, signatures, the store's own keys, and that the index equals what the log says.
 * ::STEME_OK also with findings. */
STEME_API STEME_MUST_CHECK steme_status steme_verify(struct steme_store *store,
                                                     void (*found)(void *context, const struct steme_finding *finding),
                                                     void *context, struct steme_verification *out,
                                                     struct steme_error *err);
/** Throw the index away and make it anew from the log. Needs the store open for writing. */
STEME_API STEME_MUST_CHECK steme_status steme_rebuild(struct steme_store *store, struct steme_error *err);

#ifdef __cplusplus
}
#endif
#endif
