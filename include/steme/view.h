/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Materialized views: the answers to all slots that match a pattern, through one lens, kept up to date as records come
 * in, so that reading one is a look-up instead of a judgement. A view is a record (::steme_view) like any other; its
 * rows are derived. Every read says which moment the rows are of: they are what resolving each slot as of that sequence
 * number would answer, never a mixture of two.
 */
#ifndef STEME_VIEW_H
#define STEME_VIEW_H

#include "steme/lens.h"
#include "steme/query.h"
#include "steme/status.h"
#include "steme/store.h"
#include "steme/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What a view is to be. */
struct steme_view_spec {
    struct steme_slice name;        /**< a name; a view of that name is replaced */
    struct steme_slice subjects;    /**< pattern, see steme_glob_match(); empty: any */
    struct steme_slice predicate;   /**< a name; empty: any */
    const struct steme_hash *epoch; /**< only assertions of this epoch or of none; NULL: of any not superseded */
    struct steme_lens lens;         /**< how to judge */
};

/**
 * Whether a name matches a pattern: `*` is any run of characters, `?` one character, `\` takes the next as it stands;
 * the whole name has to match. The empty pattern matches every name.
 */
STEME_API bool steme_glob_match(struct steme_slice pattern, struct steme_slice name);

/** Write the record that defines a view, or defines it anew. ::STEME_TOO_LARGE past ::STEME_VIEWS_MAX views. The rows
 * are made in the background: steme_view_wait(). */
STEME_API STEME_MUST_CHECK steme_status steme_view_create(struct steme_store *store, const struct steme_signer *signer,
                                                          const struct steme_view_spec *spec,
                                                          struct steme_receipt *receipt, struct steme_error *err);
/** Write the record that ends a view. ::STEME_NOT_FOUND with a suggestion when there is none of that name. */
STEME_API STEME_MUST_CHECK steme_status steme_view_drop(struct steme_store *store, const struct steme_signer *signer,
                                                        struct steme_slice name, struct steme_receipt *receipt,
                                                        struct steme_error *err);
/** Make all rows anew from the evidence, in the background; the old ones can be read meanwhile. */
STEME_API STEME_MUST_CHECK steme_status steme_view_refresh(struct steme_store *store, struct steme_slice name,
                                                           struct steme_error *err);
/** Wait until the view's rows reflect this sequence number, or have been made at all where it is 0. ::STEME_TIMEOUT
 * after timeout_ms; ::STEME_NOT_FOUND when there is no such view. */
STEME_API STEME_MUST_CHECK steme_status steme_view_wait(struct steme_store *store, struct steme_slice name,
                                                        uint64_t sequence, uint32_t timeout_ms,
                                                        struct steme_error *err);

/** How a view stands. */
enum steme_view_standing {
    STEME_VIEW_CURRENT = 0,    /**< its rows are there, and are kept up */
    STEME_VIEW_MAKING = 1,     /**< its rows are being made for the first time: none can be read yet */
    STEME_VIEW_REFRESHING = 2, /**< its rows can be read; they are being made anew as of a later moment */
    STEME_VIEW_FAULTY = 3,     /**< it can't be kept up: see `fault` */
    STEME_VIEW_PROPOSAL = 4,   /**< its definition is not by one of the store's own keys */
    STEME_VIEW_WAITING = 5     /**< there are more than ::STEME_VIEWS_MAX before it */
};
/** "current", "being made", "being refreshed", "faulty", "proposal" or "waiting". Static storage. */
STEME_API const char *steme_view_standing_name(enum steme_view_standing standing);

/** One view, and how far its rows are. */
struct steme_view_info {
    struct steme_hash id;              /**< of the record that defines it */
    uint64_t sequence;                 /**< number of that record in the log */
    struct steme_view definition;      /**< as recorded */
    struct steme_lens lens;            /**< its lens and parameters, read */
    enum steme_view_standing standing; /**< whether its rows can be read */
    uint64_t watermark;                /**< last sequence number its rows reflect; 0 while there are none */
    uint64_t rows;                     /**< how many */
    uint64_t bytes;                    /**< keys and values of its rows in the index */
    /** Sequence number as of which the weights of a lens that looks beyond a slot were taken (authority: at the whole
     * store; reliability: at the predicate): the watermark, for rows are never moved on past a change of them. 0 for
     * other lenses. */
    uint64_t weights_as_of;
    int64_t made_at_us;       /**< when all its rows were made last, by the clock; 0: never */
    uint64_t making_as_of;    /**< while it is being made: the moment the new rows will be of */
    uint64_t making_rows;     /**< and how many there are already */
    struct steme_slice fault; /**< why it can't be kept up, or empty */
    uint32_t generation;      /**< of the rows that are shown; the library's own business */
};

/** One slot's answer in a view. What it says equals the answer of steme_resolve() as of the watermark. */
struct steme_view_row {
    struct steme_slice subject;        /**< of the slot */
    struct steme_slice predicate;      /**< of the slot */
    struct steme_slice key_qualifiers; /**< "name=value, name=value", or empty */
    struct steme_hash slot;            /**< slot id */
    enum steme_verdict verdict;        /**< how firm */
    bool functional;                   /**< its claims compete */
    uint32_t beliefs;                  /**< live claims; with 0 there is no best, below 2 no rival */
    uint32_t voices;                   /**< independent voices heard */
    uint32_t assertions;               /**< live assertions weighed */
    uint32_t votes;                    /**< ballots that count */
    double margin;                     /**< as in ::steme_answer */
    struct steme_value value;          /**< of the most probable claim; a pooled mean is not in it */
    double probability;                /**< of that claim */
    double support;                    /**< weight for it, in the lens's unit */
    double refute;                     /**< weight against it */
    struct steme_hash claim;           /**< that claim */
    struct steme_hash assertion;       /**< an assertion that makes it */
    struct steme_value rival;          /**< of the second claim */
    double rival_probability;          /**< of that claim */
    bool has_pooled;                   /**< the pool lens answered */
    double pooled_mean;                /**< with has_pooled: as in ::steme_pooled */
    double pooled_error;               /**< with has_pooled: as in ::steme_pooled */
    double pooled_tension_p;           /**< with has_pooled: as in ::steme_pooled */
};

/** All views, by name; those that are replaced or dropped are left out, proposals are there. The list lives in the
 * snapshot. */
STEME_API STEME_MUST_CHECK steme_status steme_view_list(struct steme_snapshot *snapshot,
                                                        const struct steme_view_info **out, size_t *count_out,
                                                        struct steme_error *err);
/** The view of that name. ::STEME_NOT_FOUND with a suggestion when there is none. */
STEME_API STEME_MUST_CHECK steme_status steme_view_show(struct steme_snapshot *snapshot, struct steme_slice name,
                                                        struct steme_view_info *out, struct steme_error *err);
/**
 * The rows of a view that this snapshot has shown, in the order of the index: a scan of a stretch of rows. With a
 * subject only its rows. A row is valid during the visit only; a non-OK answer of visit ends the walk and is returned.
 * ::STEME_NOT_FOUND when the view has no rows yet; ::STEME_BAD_INPUT for a snapshot of an earlier moment, or valid
 * at a world time: a view has one moment.
 */
STEME_API STEME_MUST_CHECK steme_status steme_view_rows_each(
    struct steme_snapshot *snapshot, const struct steme_view_info *view, struct steme_slice subject,
    steme_status (*visit)(void *context, const struct steme_view_row *row), void *context, struct steme_error *err);
/** The row of one slot; ::STEME_NOT_FOUND without a message when the view has none for it. The row lives in the
 * snapshot. */
STEME_API STEME_MUST_CHECK steme_status steme_view_get(struct steme_snapshot *snapshot,
                                                       const struct steme_view_info *view,
                                                       const struct steme_question *question,
                                                       struct steme_view_row *out, struct steme_error *err);

#ifdef __cplusplus
}
#endif
#endif
