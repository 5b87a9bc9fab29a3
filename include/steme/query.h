/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Reading: what is believed, why, since when, who disagrees. Every read goes through a snapshot: one fixed state of
 * the store, seen as of a sequence number or receive time (transaction time) and as valid at a world time.
 *
 * Memory: what a call returns or hands to a visitor lives in the snapshot and is valid until steme_snapshot_clear() or
 * steme_snapshot_close(); visitors that say so get memory for the visit only. A snapshot is used by one thread at a
 * time; many may be open.
 */
#ifndef STEME_QUERY_H
#define STEME_QUERY_H

#include "steme/lens.h"
#include "steme/status.h"
#include "steme/store.h"
#include "steme/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/** One fixed state of the store. */
struct steme_snapshot;

/** Which state. NULL, or as initialised by steme_moment_now(): the latest, and valid at any time. */
struct steme_moment {
    uint64_t as_of_sequence; /**< look at records up to this sequence number; UINT64_MAX: all */
    int64_t as_of_us;        /**< look at records received up to this time; STEME_TIME_MAX: all. Both bounds hold */
    int64_t valid_at_us;     /**< only assertions whose valid interval has this instant; STEME_TIME_MAX: do not ask */
    /** Ballots do not count that were cast (by the voter's clock) longer than this before the moment: before as_of_us,
     * or where that is STEME_TIME_MAX, before the last record looked at was received. 0: all count. Votes on agents and
     * sources too, which hand on authority. */
    int64_t ballot_age_us;
};
/** The latest state, valid at any time. */
STEME_API struct steme_moment steme_moment_now(void);

/** Open a snapshot of what is indexed now. *out is the caller's until steme_snapshot_close(). */
STEME_API STEME_MUST_CHECK steme_status steme_snapshot_open(struct steme_store *store,
                                                            const struct steme_moment *moment,
                                                            struct steme_snapshot **out, struct steme_error *err);
/** Give back the memory of answers; the state stays. */
STEME_API void steme_snapshot_clear(struct steme_snapshot *snapshot);
/** NULL is fine; *snapshot is NULL afterwards. Close them before the store. */
STEME_API void steme_snapshot_close(struct steme_snapshot **snapshot);

/** A question. */
struct steme_question {
    struct steme_slice subject;                   /**< name */
    struct steme_slice predicate;                 /**< name */
    const struct steme_qualifier *key_qualifiers; /**< those that are part of the slot */
    size_t key_qualifier_count;                   /**< how many */
    const struct steme_hash *epoch; /**< only assertions of this epoch or of none; NULL: of any epoch not superseded */
    struct steme_lens lens;         /**< how to judge */
};

/** Answer a question. A slot without live evidence gives ::STEME_OK and the verdict ::STEME_UNDECIDED. */
STEME_API STEME_MUST_CHECK steme_status steme_resolve(struct steme_snapshot *snapshot,
                                                      const struct steme_question *question, struct steme_answer *out,
                                                      struct steme_error *err);

/**
 * Answer every slot that matches, in the order of the index (by subject's route). Empty subject or predicate match any.
 * visit's answer is valid during the visit only; its non-OK answer ends the walk and is returned.
 */
STEME_API STEME_MUST_CHECK steme_status steme_resolve_each(
    struct steme_snapshot *snapshot, const struct steme_question *pattern,
    steme_status (*visit)(void *context, const struct steme_answer *answer), void *context, struct steme_error *err);

/** What became of an assertion in an answer. */
enum steme_standing {
    STEME_LIVE = 0,        /**< it counts */
    STEME_RETRACTED = 1,   /**< withdrawn by its author */
    STEME_SUPERSEDED = 2,  /**< corrected or updated by its author */
    STEME_NOT_VALID = 3,   /**< its valid interval does not have the instant asked for */
    STEME_OTHER_EPOCH = 4, /**< it belongs to another epoch, or to one that is superseded */
    STEME_MASKED = 5       /**< it is left out of a what-if, as if it had never come */
};
/** "live", "retracted", "superseded", "not valid then", "other epoch", "masked". Static storage. */
STEME_API const char *steme_standing_name(enum steme_standing standing);

/** A record read back. */
struct steme_entry {
    struct steme_hash id;             /**< record id */
    uint64_t sequence;                /**< number in the log */
    int64_t received_at_us;           /**< server's clock */
    struct steme_slice bytes;         /**< canonical bytes */
    bool is_signed;                   /**< false for a bundle's member */
    struct steme_signature signature; /**< with is_signed */
    struct steme_hash bundle;         /**< without: the id of its bundle */
    struct steme_record record;       /**< decoded */
};

/** A ballot that was counted, or an older one of the same voter. */
struct steme_ballot {
    struct steme_entry entry; /**< the vote */
    bool counts; /**< it is its voter's latest on this target, is not an abstention, and is not retracted */
};

/** A revision that names the assertion. */
struct steme_revised {
    struct steme_entry entry; /**< the revision */
    bool effective;           /**< by the assertion's own author; otherwise a proposal */
};

/** An assertion with all that bears on it. */
struct steme_testimony {
    struct steme_entry entry;              /**< the assertion */
    enum steme_standing standing;          /**< what became of it */
    struct steme_hash claim;               /**< positive claim id */
    struct steme_hash voice;               /**< agent id or source id */
    double weight;                         /**< of its voice under the lens (consensus: 1) */
    const struct steme_ballot *ballots;    /**< votes on it, oldest first */
    size_t ballot_count;                   /**< how many */
    const struct steme_revised *revisions; /**< revisions of it */
    size_t revision_count;                 /**< how many */
};

/** An answer unfolded down to the signed records. */
struct steme_explanation {
    struct steme_answer answer; /**< as steme_resolve() gives it */
    /** Every assertion of the slot, by claim in the order of beliefs, then time; those not live last. */
    const struct steme_testimony *testimonies;
    size_t testimony_count;                   /**< how many */
    const struct steme_ballot *claim_ballots; /**< votes on the slot's claims as such */
    size_t claim_ballot_count;                /**< how many */
};
/** Why steme_resolve() answers as it does. */
STEME_API STEME_MUST_CHECK steme_status steme_why(struct steme_snapshot *snapshot,
                                                  const struct steme_question *question, struct steme_explanation *out,
                                                  struct steme_error *err);

/** All assertions about a subject (and predicate, unless empty), in the order they were received, whatever became of
 * them; each with what bears on it. */
STEME_API STEME_MUST_CHECK steme_status steme_history(struct steme_snapshot *snapshot, struct steme_slice subject,
                                                      struct steme_slice predicate, const struct steme_testimony **out,
                                                      size_t *count_out, struct steme_error *err);

/** A slot whose live claims disagree. */
struct steme_conflict {
    struct steme_answer answer; /**< under the lens asked for */
    double contest;             /**< 0..1: normalised entropy of its probabilities */
    /** steme_conflicts_ranked(): distinct live assertions that derive from its live ones, directly or through others.
     * steme_conflicts() does not count them. */
    uint64_t dependants;
    bool more_dependants; /**< at least so many: ::STEME_DEPENDANTS_MAX derived ones were looked at */
    double score;         /**< contest * (1 + dependants) */
};
/** The slots where live claims disagree, most contested first; ties by subject, predicate. At most max of them. */
STEME_API STEME_MUST_CHECK steme_status steme_conflicts(struct steme_snapshot *snapshot, const struct steme_lens *lens,
                                                        size_t max, const struct steme_conflict **out,
                                                        size_t *count_out, struct steme_error *err);

/** The same ordered by score, the greatest first: what is disputed and has much resting on it; ties by contest,
 * subject, predicate. */
STEME_API STEME_MUST_CHECK steme_status steme_conflicts_ranked(struct steme_snapshot *snapshot,
                                                               const struct steme_lens *lens, size_t max,
                                                               const struct steme_conflict **out, size_t *count_out,
                                                               struct steme_error *err);

/** What was learned of one voice over all slots of a predicate. */
struct steme_voice {
    struct steme_hash id;      /**< agent id or source id */
    struct steme_slice source; /**< name of the source; empty: the voice is an agent */
    struct steme_key key;      /**< of the agent; of a source zeros */
    double answers;            /**< how many it gave, by their strength */
    double right;              /**< how many of them are expected to be right; NAN for numbers */
    double accuracy;           /**< chance that what it says is right; NAN for numbers */
    double low;                /**< with high: 95 % interval of the accuracy; NAN for numbers */
    double high;               /**< see low */
    double deviation;          /**< numbers: typical distance from the truth, in their unit; else NAN */
    double weight;             /**< what it counts; a voice of whom nothing is known counts 1 */
    double independence;       /**< 1: copies nobody; less where copying was looked for and found */
};

/** The voices of a predicate. */
struct steme_scope {
    struct steme_slice predicate;     /**< name */
    struct steme_learned learned;     /**< from what and how */
    const struct steme_voice *voices; /**< by id */
    size_t voice_count;               /**< how many */
};

/**
 * What the reliability lens learns of the voices of each predicate that the pattern has (an empty one has all), in the
 * order of the predicates' names. Of the pattern's lens its parameters count, not its name; the subject must be empty:
 * learning is over all of them. A scope is valid during the visit only; a non-OK answer of visit ends the walk and is
 * returned. A predicate that nobody speaks of is not visited. STEME_BAD_INPUT.
 */
STEME_API STEME_MUST_CHECK steme_status steme_voices_each(
    struct steme_snapshot *snapshot, const struct steme_question *pattern,
    steme_status (*visit)(void *context, const struct steme_scope *scope), void *context, struct steme_error *err);

/** Read a record of any type by its id, checked against it. ::STEME_NOT_FOUND. */
STEME_API STEME_MUST_CHECK steme_status steme_get(struct steme_snapshot *snapshot, const struct steme_hash *id,
                                                  struct steme_entry *out, struct steme_error *err);
/**
 * The only record id that begins with these hex digits (at least 4, upper or lower case). ::STEME_NOT_FOUND;
 * ::STEME_BAD_INPUT if several do, with some of them in the message.
 */
STEME_API STEME_MUST_CHECK steme_status steme_find_id(struct steme_snapshot *snapshot, const char *hex,
                                                      struct steme_hash *out, struct steme_error *err);
/** Target of a vote or revision on a record: kind and route filled in. The record must be an assertion, vote or
 * epoch. */
STEME_API STEME_MUST_CHECK steme_status steme_target_of(struct steme_snapshot *snapshot, const struct steme_hash *id,
                                                        struct steme_target *out, struct steme_error *err);
/** All that bears on one assertion, as in steme_why(). */
STEME_API STEME_MUST_CHECK steme_status steme_testimony_of(struct steme_snapshot *snapshot, const struct steme_hash *id,
                                                           struct steme_testimony *out, struct steme_error *err);

/** Ballots on a target, folded: of each voter the latest. A voter is in one of support, refute, abstain, retracted and
 * expired. */
struct steme_tally {
    uint64_t support;     /**< voters whose latest ballot supports */
    uint64_t refute;      /**< voters whose latest ballot refutes */
    uint64_t abstain;     /**< voters whose latest ballot abstains */
    uint64_t support_ppm; /**< sum of the supporting ballots' probabilities */
    uint64_t refute_ppm;  /**< sum of the refuting ballots' probabilities */
    uint64_t retracted;   /**< voters who took their latest ballot back by a revision; no earlier one counts */
    uint64_t expired;     /**< voters whose latest ballot is older than the moment's ballot_age_us */
    uint64_t ballots;     /**< votes ever cast on it, up to the moment */
};
/** Count the latest ballots on a target, at the snapshot's moment. Tallies are kept as votes come in, so of the latest
 * moment it costs the same whatever the number of ballots; of an earlier one, or with a ballot_age_us, it reads those
 * there are. The result is the same either way. */
STEME_API STEME_MUST_CHECK steme_status steme_tally(struct steme_snapshot *snapshot, const struct steme_target *target,
                                                    struct steme_tally *out, struct steme_error *err);

/** Walk the log from a sequence number on, in order, up to the snapshot's moment. The entry is valid during the visit
 * only. Records that damage has taken, or that this program can't read, are passed over and the store's opener told
 * their numbers. */
STEME_API STEME_MUST_CHECK steme_status steme_log_each(struct steme_snapshot *snapshot, uint64_t since_sequence,
                                                       steme_status (*visit)(void *context,
                                                                             const struct steme_entry *entry),
                                                       void *context, struct steme_error *err);
/** Walk all records in the order of their ids, whatever the order they came in; a bundle is followed by its members.
 * Valid during the visit only. */
STEME_API STEME_MUST_CHECK steme_status steme_export_each(struct steme_snapshot *snapshot,
                                                          steme_status (*visit)(void *context,
                                                                                const struct steme_entry *entry),
                                                          void *context, struct steme_error *err);
/** All epochs, by name then id. */
STEME_API STEME_MUST_CHECK steme_status steme_epochs(struct steme_snapshot *snapshot, const struct steme_entry **out,
                                                     size_t *count_out, struct steme_error *err);

/** Walk the logical keys of the index that begin with prefix ("" for all; "H:", "S:Pluto"), in the order of the index,
 * as text. */
STEME_API STEME_MUST_CHECK steme_status steme_keys_each(struct steme_snapshot *snapshot, struct steme_slice prefix,
                                                        steme_status (*visit)(void *context, struct steme_slice key,
                                                                              struct steme_slice value),
                                                        void *context, struct steme_error *err);

#ifdef __cplusplus
}
#endif
#endif
